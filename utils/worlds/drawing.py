"""What the worlds have in common: requests, random streams, noise, and drawing on all cores."""

import numbers
from collections.abc import Iterable

import numpy as np
from joblib import Parallel, cpu_count, delayed
from scipy import fft
from tqdm.auto import tqdm

RANGE = 1_000_000  # seeds; see utils.worlds


def check_request(n, seed, setting, settings):
    """Refuse a number of samples, a seed or a setting that a world does not have.

    Raises
    ------
    ValueError
        If n or seed is no whole number in its range, or the setting is unknown.
    """
    if not isinstance(n, numbers.Integral) or isinstance(n, bool) or not 0 < n <= RANGE:
        raise ValueError(f"n must be a whole number of samples from 1 to {RANGE}, not {n!r}.")
    if not isinstance(seed, numbers.Integral) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or larger, not {seed!r}.")
    if seed % RANGE + n > RANGE:
        raise ValueError(f"{n} samples from seed {seed} on run into the next range: take fewer.")
    if setting not in list(settings):
        raise ValueError(f"setting must be one of {', '.join(settings)}, not {setting!r}.")


def check_scenes(scenes, kind):
    """The scenes as a list.

    Raises
    ------
    TypeError
        If there is none, or one of them is not of this kind.
    """
    scenes = list(scenes) if isinstance(scenes, Iterable) else []
    if not scenes or not all(isinstance(scene, kind) for scene in scenes):
        raise TypeError("render needs a list of at least one Scene, as scenes() returns it.")
    return scenes


def streams(names):
    """The function that gives each ingredient of each scene a random stream of its own.

    Parameters
    ----------
    names : sequence of str
        The ingredients. A new one goes to the end: the place decides the stream.

    Returns
    -------
    function
        From the scene's seed and an ingredient's name to a numpy.random.Generator.
    """

    def stream(seed, name):
        return np.random.default_rng([seed, names.index(name)])

    return stream


def noise(white, length, slope=3.0, stretch=1.0, angle=0.0, fall=2.0):
    """A periodic random field of mean 0 and deviation 1, smooth below some length.

    Its power falls with frequency as ``f ** -slope`` above one wave in four lengths.

    Parameters
    ----------
    white : array, shape (n, n)
        Independent normal numbers. The field is computed in their precision.
    length : float
        In pixels.
    slope : float
    stretch, angle : float
        How far the field is drawn out, as wind draws out cirrus, and where to, in radians.
    fall : float
        Waves of frequency f are damped by ``exp(-(f * length)**2 / fall)``.

    Returns
    -------
    array, shape (n, n)
    """
    n = len(white)
    y, x = np.meshgrid(fft.fftfreq(n), fft.rfftfreq(n), indexing="ij")
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    square = (along * stretch) ** 2 + across**2
    weight = (square + (0.25 / length) ** 2) ** (-slope / 4) * np.exp(-square * length**2 / fall)
    weight[0, 0] = 0
    field = fft.irfft2(fft.rfft2(white) * weight.astype(white.dtype), s=(n, n))
    return field / field.std()


def draw_all(draw, scenes, progress=False, n_jobs=None, chunk=25):
    """Draw scenes on all cores, in order, straight into arrays that hold them all.

    Parameters
    ----------
    draw : function
        Takes one scene, gives a tuple of arrays.
    scenes : list
    progress : bool
        Show a progress bar.
    n_jobs : int or None
        Processes; None is one a core, at most 4, for more than 800 scenes, else this one: a process
        takes a second to start and 150 MB.
    chunk : int
        Scenes that a process takes at a time.

    Returns
    -------
    list of array
        For each array of the tuple one with an axis more in front, the scenes'.
    """
    if n_jobs is None:
        n_jobs = min(cpu_count(), 4) if len(scenes) > 800 else 1
    chunks = [scenes[i : i + chunk] for i in range(0, len(scenes), chunk)]
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_draw_chunk)(draw, part) for part in chunks
    )
    whole, done = None, 0
    with tqdm(total=len(scenes), disable=not progress, desc="samples") as bar:
        for parts in work:
            if whole is None:
                whole = [np.empty((len(scenes), *p.shape[1:]), p.dtype) for p in parts]
            for array, part in zip(whole, parts, strict=True):
                array[done : done + len(part)] = part
            done += len(parts[0])
            bar.update(len(parts[0]))
    return whole


def _draw_chunk(draw, scenes):
    return [np.stack(parts) for parts in zip(*map(draw, scenes), strict=True)]
