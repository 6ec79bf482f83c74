"""Type A: what a part of a network responds to, by samples that excite it and by made-up inputs.

The part is a unit, a channel, a whole layer, or an output class. How strongly it is *excited* is
one number: of a unit its value; of a channel that of its strongest place (LUCID takes the mean over
places); of a whole layer the mean square of its values, as in DeepDream. Units and channels are
read before their activation function, see `objective`. Works in eager and in graph mode.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from tqdm.auto import tqdm

from utils.features import objective, regularizers
from utils.keras_graph import validation


class Strongest(NamedTuple):
    """What `strongest_samples` returns."""

    index: np.ndarray
    excitation: np.ndarray


class Optimised(NamedTuple):
    """What `synthesise` and `backward_optimise` return."""

    picture: np.ndarray
    history: np.ndarray
    frames: dict


def excitation(model, x, layer=None, unit=None):
    """How strongly samples excite a unit, a channel, a layer or an output class.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with one input and one output.
    x : array_like, shape (sample, ...)
        Samples as the network takes them.
    layer : str, optional
        Name of a layer, "outer/inner" in a network inside, with "_again" for its second use; None
        is the output.
    unit : int or tuple of int, optional
        An int is a channel of a map, or a unit or class where there is no map; a tuple such as
        (row, col, channel) is one unit of a map. None is the whole layer, or its only unit.

    Returns
    -------
    numpy.ndarray, shape (sample,)
        In the unit of the layer's values; for a whole layer in its square.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit the network.
    NotImplementedError
        If Keras cannot copy the network.
    """
    validation.check_model(model)
    samples = validation.check_samples(x, tuple(model.inputs[0].shape))
    return objective.find(model, layer, unit, samples.shape[1:])(samples, slope=False)


def strongest_samples(model, x, layer=None, unit=None, n=9):
    """The samples that excite a part of the network most, the strongest first.

    Parameters
    ----------
    model, x, layer, unit
        As in `excitation`.
    n : int
        How many; all, if there are fewer samples.

    Returns
    -------
    index : numpy.ndarray of int, shape (n,)
    excitation : numpy.ndarray, shape (n,)
    """
    validation.check_count("n", n)
    values = excitation(model, x, layer, unit)
    index = np.argsort(-values, kind="stable")[:n]
    return Strongest(index, values[index])


def synthesise(
    model,
    layer=None,
    unit=None,
    *,
    start=None,
    limits=(0, 1),
    steps=256,
    rate=0.05,
    jitter=0,
    rotation=0,
    scaling=0,
    variation=0,
    fourier=False,
    patience=64,
    seed=0,
    progress=True,
):
    """Make up an input that excites a part of the network, by gradient ascent (Adam).

    Without regularisers (the arguments from `jitter` to `fourier`) it is plain activation
    maximisation. They are those of Olah et al. (2017), for inputs that are pictures.

    Parameters
    ----------
    model, layer, unit
        As in `excitation`.
    start : array_like, shape of one sample, optional
        Where to start; None is faint noise in the middle of the range.
    limits : (float, float)
        The range that the input keeps to, in its own unit.
    steps : int
        Most steps to take.
    rate : float
        Adam's step, as a share of the range; with `fourier` in units of the spectrum.
    jitter : int
        At each step the network sees the picture shifted by up to so many pixels,
    rotation : float
        turned by up to so many degrees,
    scaling : float
        and enlarged or shrunk by up to this share.
    variation : float
        Weight of the total variation (sum of differences between neighbouring pixels, as shares
        of the range), which is subtracted from the excitation.
    fourier : bool
        Climb in the picture's spectrum, where low frequencies weigh more, not in its pixels.
    patience : int
        Stop when the excitation has not risen above its highest value for so many steps.
    seed : int
        Of the noise and of the transformations.
    progress : bool
        Show a progress bar after two seconds.

    Returns
    -------
    picture : numpy.ndarray, shape of one sample
    history : numpy.ndarray, shape (step + 1,)
        Excitation by the picture, neither shifted nor turned, from the start on.
    frames : dict of int to numpy.ndarray
        The picture at steps 0, 1, 2, 4, 8, ... and at the last one.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As in `excitation`, or if an option is out of its range.
    """
    validation.check_model(model)
    low, high = objective.check_limits(limits)
    validation.check_count("steps", steps)
    validation.check_count("patience", patience)
    options = {"jitter": jitter, "rotation": rotation, "scaling": scaling, "variation": variation}
    for name, number in {"rate": rate, **options}.items():
        objective.check_number(name, number)
    if scaling >= 1 or jitter != int(jitter):
        raise ValueError(f"scaling {scaling!r} must be below 1, jitter {jitter!r} a whole number.")
    if not validation.is_whole(seed) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 on, not {objective.shown(seed)}.")
    objective.check_choice("fourier", fourier)
    objective.check_choice("progress", progress)
    shape = tuple(model.inputs[0].shape)
    rng = np.random.default_rng(seed)
    if start is None:
        if None in shape[1:]:
            raise ValueError("The network takes any size: give a start of the size you want.")
        x = 0.5 + rng.normal(0, 0.02, shape[1:])
    else:
        x = (objective.check_sample(start, shape, low, high) - low) / (high - low)
    if (fourier or any(options.values())) and x.ndim != 3:
        raise ValueError(f"Regularisers are for pictures, and the input has the shape {x.shape}.")
    if jitter and jitter >= max(x.shape[:2]):
        raise ValueError(f"jitter must be smaller than the picture, {x.shape[0]} x {x.shape[1]}.")
    excite = objective.find(model, layer, unit, x.shape)
    to_pixels, to_slope, p = regularizers.spectrum(x) if fourier else regularizers.pixels(x)
    m, v = np.zeros_like(p), np.zeros_like(p)
    history, frames = [], {}
    for step in tqdm(range(steps + 1), delay=2, leave=False, disable=not progress):
        x = to_pixels(p)
        see, back = regularizers.transformation(x, rng, jitter, rotation, scaling)
        both = np.stack([x, see(x)]) if see else x[None]
        values, slopes = excite(low + (high - low) * both)
        history.append(values[0])
        if step & (step - 1) == 0:  # 0 or a power of two
            frames[step] = np.float32(low + (high - low) * x)
        if step == steps or np.argmax(history) < step - int(patience):
            break
        slope = (high - low) * (back(slopes[1]) if see else slopes[0])
        if variation:
            slope -= variation * regularizers.variation_slope(x)
        slope = to_slope(p, slope)
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        unbiased = np.sqrt(v / (1 - 0.999 ** (step + 1)))
        p = p + rate * m / (1 - 0.9 ** (step + 1)) / (unbiased + 1e-12)
        p = p if fourier else p.clip(0, 1)
    picture = frames[step] = np.float32(low + (high - low) * x)
    return Optimised(picture, np.array(history), frames)


def backward_optimise(
    model, sample, target=0.0, unit=None, *, limits=(0, 1), steps=32, progress=True
):
    """The smallest change of a sample that brings an output to a target.

    McGovern et al. (2019) start from a sample and descend until the output is as wanted. Here the
    change is also kept as small as can be, by the root of its sum of squares: at each step the
    network is replaced by its tangent, for which the smallest change inside the limits is known
    (in reliability analysis this is Hasofer and Lind's method), the directions so found are
    averaged, and the first point along their mean that reaches the target is the next one. For a
    linear network the first step is right; for others the change is small, and hardly ever the
    smallest of all.

    Parameters
    ----------
    model : keras.Model
        As in `excitation`.
    sample : array_like, shape of one sample
    target : float
        What the output should reach, from below or above. After a softmax or sigmoid it is counted
        in log odds: 0 is a probability of one half.
    unit : int or tuple of int, optional
        The output, as in `excitation`; None where there is only one.
    limits : (float, float)
        The range that the input keeps to.
    steps : int
        Most steps to take; it stops when eight have not made the change smaller by a hundredth.
    progress : bool
        Show a progress bar after two seconds.

    Returns
    -------
    picture : numpy.ndarray, shape of one sample
        Just beyond the target.
    history : numpy.ndarray, shape (step,)
        Size of the smallest change so far, infinite as long as there is none.
    frames : dict of int to numpy.ndarray
        The sample at step 0, then the best input at steps 1, 2, 4, 8, ... and at the last one.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As in `excitation`; ValueError also if the target was not reached.
    """
    validation.check_model(model)
    low, high = objective.check_limits(limits)
    validation.check_count("steps", steps)
    objective.check_number("target", target, -np.inf)
    objective.check_choice("progress", progress)
    start = objective.check_sample(sample, tuple(model.inputs[0].shape), low, high)
    excite = objective.find(model, None, unit, start.shape, odds=True)
    first = float(excite(start[None], slope=False)[0])
    way, closest = target - first, first
    best, smallest, direction, x = start, np.inf, np.zeros_like(start), start
    history, frames = [], {0: np.float32(start)}
    for step in tqdm(range(1, steps + 1), delay=2, leave=False, disable=not progress):
        (value,), (slope,) = excite(x[None])
        wanted = target + 1e-3 * way - float(value) + np.vdot(slope, x)
        direction += (_nearest(start, slope, wanted, low, high) - start - direction) / step**0.5
        x = (start + direction).clip(low, high)
        shortest, longest = 0, 2
        for _ in range(3):  # along the direction, then ever finer where the target is first met
            lengths = np.linspace(shortest, longest, 9)
            ray = np.stack([start + length * direction for length in lengths]).clip(low, high)
            values = excite(ray, slope=False)
            closest = min(closest, *values, key=lambda value: abs(value - target))
            beyond = (values - target) * np.sign(way) > 0
            if not beyond.any():
                break
            there = max(1, np.argmax(beyond))
            x, shortest, longest = ray[there], lengths[there - 1], lengths[there]
            if np.linalg.norm(x - start) < smallest:
                best, smallest = x, np.linalg.norm(x - start)
        history.append(smallest)
        if step & (step - 1) == 0:  # a power of two
            frames[step] = np.float32(best)
        if step > 8 and smallest > 0.99 * history[-9]:
            break
    if smallest == np.inf:
        raise ValueError(
            f"No change inside the limits brought the output from {first:.3g} to {target:.3g}, "
            f"only to {closest:.3g}: take another target, wider limits or more steps."
        )
    frames[step] = np.float32(best)
    return Optimised(frames[step], np.array(history), frames)


def _nearest(start, slope, wanted, low, high):
    """The point nearest to `start` inside the limits at which slope @ point is `wanted`."""
    slope = np.float64(slope)  # the root is sought to more digits than single precision has

    def point(t):
        return (start + t * slope).clip(low, high)

    def lacking(t):
        return wanted - np.vdot(slope, point(t))

    t = lacking(0) / (np.vdot(slope, slope) or 1)
    for _ in range(60):  # what the limits cut off must come from elsewhere
        if lacking(t) * lacking(0) <= 0:
            return point(brentq(lacking, *sorted((0, t)))) if t else start
        t *= 2
    return point(t)
