"""What a heat map needs to know of its arguments: checked once, for `explain` and `lrp` alike."""

import difflib

import numpy as np
import tensorflow as tf
import xarray as xr
from tf_keras.src.engine import functional, sequential
from tqdm.auto import tqdm

from utils.plain import plain


def check_model(model, several=False):
    """Refuse what is no Keras model of known layers; one with several inputs only if allowed."""
    if not isinstance(model, tf.keras.Model):
        raise TypeError(f"model must be a Keras model, not {type(model).__name__}.")
    known = functional.Functional.call, sequential.Sequential.call
    if type(model).call not in known:
        raise NotImplementedError(
            "The layers of a subclassed model cannot be followed: write it as a functional model."
        )
    if not model.built or not model.inputs:
        raise ValueError(
            "The model is not built: begin it with its input's shape, as in "
            "tf.keras.Sequential([tf.keras.Input((64, 64, 3)), *model.layers])."
        )
    if several:
        return
    if len(model.inputs) > 1:
        raise NotImplementedError(
            f"The model has {len(model.inputs)} inputs: give it one, for example by stacking the "
            "fields as channels and taking them apart inside; lrp.relevance takes several."
        )
    if len(model.outputs) > 1:
        raise NotImplementedError(
            f"The model has {len(model.outputs)} outputs: explain one at a time, as in "
            "tf.keras.Model(model.input, model.outputs[0])."
        )


def check_samples(x, expected, dtype="float32"):
    """The samples as an array; `expected` is the shape the network takes, None for any size."""
    if isinstance(x, xr.Dataset):
        names = plain(", ".join(map(str, x.data_vars)), 300)
        raise TypeError(f"x is a Dataset: pass one of its variables, {names}.")
    try:
        samples = np.ma.asarray(x)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise TypeError("x must be an array of numbers, shape (sample, ...).") from error
    if samples.dtype.kind not in "biuf":
        raise TypeError(f"x must hold real numbers, not {samples.dtype}.")
    wanted = f"(N, {', '.join('any' if n is None else str(n) for n in expected[1:])})"
    if not _fits(samples.shape, expected):
        single = _fits((1, *samples.shape), expected)
        hint = "for a single sample pass x[None]" if single else "reshape x"
        raise ValueError(f"x has the shape {samples.shape}, the network takes {wanted}: {hint}.")
    if len(samples) == 0:
        raise ValueError(f"x holds no samples: pass at least one, shape {wanted}.")
    with np.errstate(over="ignore"):
        samples = np.ma.filled(samples.astype(dtype), np.nan)
    bad = samples.size - np.count_nonzero(np.isfinite(samples))
    if bad:
        raise ValueError(f"x holds {bad} missing, NaN or infinite values: fill or drop them first.")
    return samples


def _fits(shape, expected):
    return len(shape) == len(expected) and all(
        want in (None, have) for have, want in zip(shape[1:], expected[1:], strict=True)
    )


def indices(output, shape, n):
    """Flat index of the output to explain, one for each of n samples; shape is one output's.

    It is -1 where there is none, for the strongest.
    """
    if output is None:
        return np.full(n, -1)
    size = int(np.prod(shape))
    try:
        index = np.asarray(output)
    except (TypeError, ValueError, NotImplementedError):
        index = np.empty(0)
    flags = isinstance(output, (list, tuple)) and any(isinstance(o, bool) for o in output)
    if index.dtype.kind not in "iu" or flags:
        raise TypeError("output must be an int, a tuple such as (row, col), or a list of these.")
    if isinstance(output, tuple) or index.ndim == 0:
        index = np.broadcast_to(index, (n, *index.shape))
    if len(index) != n:
        raise ValueError(f"output has {len(index)} entries for {n} samples: give one for each.")
    if index.ndim == 1:
        index, shape = index[:, None], (size,)
    if index.ndim == 2 and index.shape[1] == len(shape) - 1 and shape[-1] == 1:
        index = np.pad(index, ((0, 0), (0, 1)))  # a map of one channel needs no channel
    if index.ndim != 2 or index.shape[1] != len(shape):
        raise ValueError(f"output is no position in the network's output, of the shape {shape}.")
    wrong = index[((index < 0) | (index >= shape)).any(axis=1)]
    if len(wrong):
        raise ValueError(
            f"output {', '.join(map(str, wrong[0]))} does not exist: count from 0 to "
            f"{', '.join(str(n - 1) for n in shape)}."
        )
    return np.ravel_multi_index(tuple(index.T.astype(int)), shape)


def as_numbers(name, values):
    """An argument as an array of real numbers."""
    try:
        values = np.asarray(values)
    except Exception as error:  # whatever a strange object raises
        raise TypeError(f"{name} must be an array of numbers.") from error
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of real numbers, not {values.dtype}.")
    return values


def is_whole(number):
    """Is it a whole number, and not True or False?"""
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def is_number(number):
    """Is it one finite number that single precision can hold, and not True or False?"""
    if not isinstance(number, int | float | np.integer | np.floating) or isinstance(number, bool):
        return False
    try:
        return abs(float(number)) <= float(np.finfo("float32").max)
    except OverflowError:
        return False


def check_count(name, count):
    """Refuse what is no whole number from 1 on."""
    if not is_whole(count) or not 1 <= count < 2**31:
        shown = plain(repr(count))
        raise ValueError(f"{name} must be a whole number from 1 on, below 2**31, not {shown}.")


def check_layer(layer, names):
    """Refuse a layer that is not among the network's names."""
    if not isinstance(layer, str):
        raise TypeError(f"layer must be the name of a layer, not {plain(repr(layer))}.")
    if layer not in names:
        hint = did_you_mean(layer, names) or f"choose from {plain(', '.join(names), 300)}."
        raise ValueError(f"The network has no layer {plain(layer)!r}: {hint}")


def check_word(name, word, words):
    """Refuse what is not one of some words."""
    if not isinstance(word, str) or word not in words:
        known = " or ".join(f'"{one}"' for one in words)
        raise ValueError(f"{name} must be {known}, not {plain(repr(word))}.")


def did_you_mean(name, known):
    """A question that names what is near a misspelt name, or nothing."""
    near = difflib.get_close_matches(str(name).lower(), known, cutoff=0.4)
    return f"did you mean {' or '.join(map(plain, near))}?" if near else ""


def chunks(n, size, bar=True):
    """Slices that cut n samples into chunks; a progress bar appears after two seconds."""
    starts = range(0, n, size)
    for i in tqdm(starts, delay=2, leave=False) if bar and len(starts) > 1 else starts:
        yield slice(i, i + size)
