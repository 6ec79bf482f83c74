"""The front door to iNNvestigate: a heat map for any Keras model, in one call.

What iNNvestigate leaves to its users is done here: a softmax taken off, image outputs flattened,
the output chosen, a large batch cut into chunks. Each analyzer lives in a graph of its own, so
that making one takes as long at the end of a session as at its start.
"""

import warnings

import numpy as np
import pandas as pd
import tensorflow as tf
import xarray as xr

from utils.explain import analyzers
from utils.keras_graph import validation
from utils.plain import plain

_METHODS = {
    "gradient": ("gradient", "Where does a small change matter most?", "simonyan2013"),
    "smoothgrad": ("gradient", "And on average over noisy copies?", "smilkov2017"),
    "input_t_gradient": ("gradient", "What if the network were linear?", "shrikumar2016"),
    "integrated_gradients": ("gradient", "What differs from a baseline?", "sundararajan2017"),
    "deconvnet": ("modified gradient", "Which pattern, sent back, excites it?", "zeiler2013"),
    "guided_backprop": ("modified gradient", "And through active units only?", "springenberg2015"),
    "deep_taylor": ("deep Taylor", "What carries a positive output?", "montavon2017"),
    "deep_taylor.bounded": ("deep Taylor", "And for inputs from low to high?", "montavon2017"),
    "lrp.z": ("LRP", "What did each value add?", "bach2015"),
    "lrp.epsilon": ("LRP", "And with weak evidence left out?", "bach2015"),
    "lrp.alpha_1_beta_0": ("LRP", "What speaks for the output?", "montavon2018"),
    "lrp.alpha_1_beta_0_IB": ("LRP", "And with the biases left out?", "montavon2018"),
    "lrp.alpha_2_beta_1": ("LRP", "What speaks for it, what against?", "bach2015"),
    "lrp.alpha_2_beta_1_IB": ("LRP", "And with the biases left out?", "montavon2018"),
    "lrp.alpha_beta": ("LRP", "And with weights of your own?", "bach2015"),
    "lrp.w_square": ("LRP", "Where do strong weights look?", "montavon2017"),
    "lrp.flat": ("LRP", "Where does it look at all?", "alber2019"),
    "lrp.sequential_preset_a": ("LRP", "Dense by epsilon, conv by alpha 1?", "alber2019"),
    "lrp.sequential_preset_a_flat": ("LRP", "And flat at the input?", "alber2019"),
    "lrp.sequential_preset_b": ("LRP", "Dense by epsilon, conv by alpha 2?", "alber2019"),
    "lrp.sequential_preset_b_flat": ("LRP", "And flat at the input?", "alber2019"),
}
COPIES = 64  # of a sample, where a method takes the mean over many gradients
_COPIES = {"smoothgrad": "augment_by_n", "integrated_gradients": "steps"}
_OPTIONS = {
    "gradient": ["postprocess"],
    "smoothgrad": ["augment_by_n", "noise_level", "seed"],
    "integrated_gradients": ["steps", "reference_inputs"],
    "deep_taylor.bounded": ["low", "high"],
    "lrp.epsilon": ["epsilon", "bias"],
    "lrp.alpha_1_beta_0": ["bias"],
    "lrp.alpha_2_beta_1": ["bias"],
    "lrp.alpha_beta": ["alpha", "beta", "bias"],
    "lrp.sequential_preset_a": ["epsilon", "bias"],
    "lrp.sequential_preset_a_flat": ["bias"],
    "lrp.sequential_preset_b": ["epsilon", "bias"],
    "lrp.sequential_preset_b_flat": ["bias"],
}

_BIAS = {"lrp.epsilon": (True, False), "lrp.alpha_beta": ("split", "whole", True, False)}


def _number(least=-np.inf, above=-np.inf):
    return lambda v: validation.is_number(v) and least <= v > above


def _numbers(value):
    """Is it a number or an array of such, finite in single precision?"""
    try:
        value = np.asarray(value)
    except Exception:  # a tensor, or rows of different lengths
        return False
    with np.errstate(over="ignore"):
        return value.dtype.kind in "biuf" and np.isfinite(value.astype("float32")).all()


_COUNT = (
    lambda v: validation.is_whole(v) and 1 <= v <= 10**6,
    "a whole number from 1 to a million",
)
_LIKE_SAMPLE = (_numbers, "a number or an array like one sample, without NaN or infinite values")
_ALLOWED = {  # by option: what it may be, as a test and in words
    "batch_size": _COUNT,
    "augment_by_n": _COUNT,
    "steps": _COUNT,
    "seed": (lambda v: validation.is_whole(v) and v >= 0, "a whole number from 0 on"),
    "noise_level": (_number(least=0), "a number, 0 or larger"),
    "epsilon": (_number(above=0), "a number above 0"),
    "alpha": (_number(least=1), "a number, 1 or larger"),
    "beta": (_number(least=0), "a number, 0 or larger"),
    "postprocess": (lambda v: v is None or _among(v, ("abs", "square")), "abs, square or None"),
    "reference_inputs": _LIKE_SAMPLE,
    "low": _LIKE_SAMPLE,
    "high": _LIKE_SAMPLE,
}


def _among(value, known):
    return isinstance(value, str | bool) and value in known


def methods():
    """All methods of `explain`: what each one asks, and where it was published.

    Returns
    -------
    pandas.DataFrame
        A row per method: method, family, question, source (a key of REFERENCES.md), options.
    """
    rows = [(m, *row, ", ".join(_OPTIONS.get(m, []))) for m, row in _METHODS.items()]
    return pd.DataFrame(rows, columns=["method", "family", "question", "source", "options"])


def explain(model, x, method="lrp.alpha_1_beta_0", output=None, *, batch_size=None, **options):
    """Heat map of what made a network give its output, one per sample.

    A softmax or sigmoid at the end of the network is taken off first: the value explained is the
    one before it. Dropout, noise and augmentation are off and batch normalisation uses its moving
    averages, as in a forecast. The network's weights are read anew at every call.

    Where iNNvestigate departs from the papers, this does not: alpha-beta splits biases by their
    sign, relevance passes any activation unchanged, sums and means share it by what each input
    adds, a separable convolution is one. A layer that a method has no rule for is refused by name.

    What the papers leave open: under a preset a batch normalisation gets the z rule, in deep Taylor
    relevance passes it unchanged. Deep Taylor shares by positive contributions, without biases, in
    all layers with weights, also where their inputs are negative; `deep_taylor.bounded` has the z
    box rule in those that take the input. deconvnet and guided_backprop begin with the output's
    value, and go through all layers but ReLUs as a gradient does.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with one input and one output: classes, one number, or a map.
    x : array or xarray.DataArray, shape (sample, ...)
        Samples as the network takes them. Any real numbers; computed in single precision.
    method : str
        A name from `methods()`.
    output : int, tuple, or sequence of these, optional
        What to explain: a class or flat index, or (row, col) or (row, col, channel) in a map. One
        int or tuple holds for all samples; a list or array has one for each. None takes each
        sample's strongest output.
    batch_size : int, optional
        Samples per chunk. By default as many as need tens of megabytes, at least one.
    **options
        The method's own, see `methods()`. `noise_level` of smoothgrad is the noise's standard
        deviation over the sample's range. `reference_inputs` is the baseline of
        integrated_gradients, `low` and `high` of deep_taylor.bounded are the limits of the input:
        a number or an array like one sample. `bias` is what alpha-beta does with biases: "split"
        by sign, as in the formula (Bach et al. 2015, eq. 60), "whole" as in iNNvestigate, or False
        (lrp.alpha_beta only), left out.

    Returns
    -------
    array or xarray.DataArray, shape of `x`
        The heat maps, float32. An xarray input gives its dimensions and coordinates back.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit the network or the method.
    NotImplementedError
        If the network or one of its layers is not for this method.
    RuntimeError
        If the process runs eagerly: iNNvestigate needs TensorFlow's graph mode.

    Examples
    --------
    >>> maps = explain(model, pictures, "lrp.epsilon", output=1, epsilon=0.01)
    """
    _check(model, method, options, batch_size)
    samples = validation.check_samples(x, tuple(model.inputs[0].shape))
    if method == "deep_taylor.bounded":
        options = _limits(samples, **options)
    average = _AVERAGES.get(method)
    analyzer = _analyzer(model, method, options, samples.shape[1:])
    index = validation.indices(output, analyzer.output_shape, len(samples))
    size = batch_size or analyzer.chunk

    def averaged(sample, index):
        def gradient(copies):
            return _in_chunks(analyzer.analyze, size, copies, index.repeat(len(copies)), bar=False)

        return average(gradient, sample, **options)

    with analyzer.ready():
        if output is None:
            index = _in_chunks(lambda some: analyzer.outputs(some).argmax(1), size, samples)
        if average:
            maps = _in_chunks(averaged, 1, samples, index)
        else:
            maps = _in_chunks(analyzer.analyze, size, samples, index)
        whole = options.get("bias") == "whole"
        values = _in_chunks(analyzer.outputs, size, samples) if whole else None
    if not np.isfinite(maps).all():
        advice = ", or try lrp.epsilon with a larger epsilon" if method.startswith("lrp.") else ""
        raise ValueError(
            f"{method} gave NaN or infinite values: check the network's weights{advice}."
        )
    if whole:
        _warn(maps, values[range(len(index)), index])
    return like(x, maps, method)


def like(x, maps, method):
    """Heat maps of x as explain gives them: with the dimensions and coordinates of x, if any."""
    if not isinstance(x, xr.DataArray):
        return maps
    title = f"{method} of {plain(x.name)}" if x.name else method
    return xr.DataArray(maps, x.coords, x.dims, "explanation", {"long_name": title})


def cost(model, method="lrp.alpha_1_beta_0", **options):
    """Arithmetic of one heat map, in forward passes through the network.

    Additions, multiplications and the like are counted as the toolbox writes them down, so that
    the number is the same on every machine. Depthwise convolutions and batch normalisation are
    counted in part only.

    Parameters
    ----------
    model, method, **options
        As for `explain`. The network's input must have a fixed size.

    Returns
    -------
    float
        About 2 for a gradient: once forwards, once back.

    Raises
    ------
    TypeError, ValueError, NotImplementedError, RuntimeError
        As `explain`, and if the input's size is not fixed.
    """
    _check(model, method, options)
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape:
        raise ValueError("The cost depends on the input's size: build the network for one size.")
    if method == "deep_taylor.bounded":
        options = _limits(np.empty((0, *shape)), **options)  # as `explain` has them: one analyzer
    times = options.get(_COPIES[method], COPIES) if method in _COPIES else 1
    return times * _analyzer(model, method, options, shape).passes()


def _analyzer(model, method, options, shape):
    """The analyzer to use: averages of gradients are made here from iNNvestigate's gradient."""
    made_by = ("gradient", {}) if method in _AVERAGES else (method, options)
    return analyzers.get(model, *made_by, shape)


def _in_chunks(function, size, *arrays, bar=True):
    """Apply a function chunk by chunk along the first axis."""
    cuts = validation.chunks(len(arrays[0]), size, bar)
    return np.concatenate([function(*(a[cut] for a in arrays)) for cut in cuts])


# Both are offered by iNNvestigate too, but there SmoothGrad's noise has the standard deviation 1
# whatever is asked for, and both go back through the network with the weights of their first use.
def _smoothgrad(gradient, sample, augment_by_n=COPIES, noise_level=0.15, seed=0):
    shape = (augment_by_n, *sample.shape[1:])
    noise = np.random.default_rng(seed).standard_normal(shape, dtype="float32")
    level = float(noise_level) * float(np.ptp(sample))  # a NumPy number would make all double
    if level > 1e30:
        raise ValueError("noise_level is too large for single precision: 0.15 is usual.")
    return gradient(sample + level * noise).mean(axis=0, keepdims=True)


def _integrated_gradients(gradient, sample, steps=COPIES, reference_inputs=0):
    baseline = np.asarray(reference_inputs, dtype="float32")
    if baseline.shape not in ((), sample.shape[1:]):
        raise ValueError(
            f"reference_inputs must be a number or an array of the shape {sample.shape[1:]}."
        )
    share = np.arange(steps, dtype="float32").reshape(-1, *[1] * (sample.ndim - 1)) / steps
    way = sample - baseline
    return way * gradient(baseline + share * way).mean(axis=0, keepdims=True)


_AVERAGES = {"smoothgrad": _smoothgrad, "integrated_gradients": _integrated_gradients}


def _check(model, method, options, batch_size=None):
    if tf.executing_eagerly():
        raise RuntimeError("explain needs graph mode: call course.start() first in a fresh kernel.")
    validation.check_model(model)
    if not isinstance(method, str) or method not in _METHODS:
        hint = f"{validation.did_you_mean(method, _METHODS)} methods() lists all.".lstrip()
        raise ValueError(f"There is no method {plain(repr(method))}: {hint}")
    known = _OPTIONS.get(method, [])
    for option in options:
        if option not in known:
            raise TypeError(
                f"{method} has no option {option!r}: it takes {', '.join(known) or 'none'}."
            )
    given = options if batch_size is None else options | {"batch_size": batch_size}
    for option, value in given.items():
        bias = _BIAS.get(method, ("split", "whole"))
        words = " or ".join(map(str, bias))
        fits, words = _ALLOWED.get(option, (lambda v, some=bias: _among(v, some), words))
        if not fits(value):
            raise ValueError(f"{option} must be {words}, not {plain(repr(value))}.")


def _limits(samples, low=None, high=None):
    """The limits of the input in single precision, if these samples keep them."""
    if low is None or high is None:
        raise ValueError("deep_taylor.bounded needs both limits of the input, low and high.")
    low, high, shape = np.float32(low), np.float32(high), samples.shape[1:]
    if not {np.shape(low), np.shape(high)} <= {(), shape, (1, *shape)}:
        raise ValueError(f"low and high must be numbers or arrays of the shape {shape}.")
    if (low > high).any() or (low == high).all():
        raise ValueError("low must be below high: they are the limits of the input.")
    outside = np.count_nonzero((samples < low) | (samples > high))
    if outside:
        raise ValueError(
            f"x holds {outside} values below low or above high, from {samples.min():g} to "
            f"{samples.max():g}: give limits that all samples keep."
        )
    return {"low": low, "high": high}


def _warn(maps, values):
    """Say where a denominator came near zero or changed its sign."""
    sums = maps.sum(tuple(range(1, maps.ndim)))
    odd = np.flatnonzero((sums * values < 0) | (abs(sums) > 10 * abs(values)))
    if len(odd):
        warnings.warn(
            f"In {len(odd)} of {len(maps)} maps, number {odd[0]} the first, relevance adds up to "
            f"{sums[odd[0]]:.3g} for an output of {values[odd[0]]:.3g}: with the whole bias a "
            'denominator came near zero or changed its sign. bias="split" is the formula.',
            stacklevel=3,
        )
