"""Heat maps of one pixel of a large output, computed inside its receptive box only.

What cannot reach the pixel gets no relevance, and need not be computed. So the input is cut to the
pixel's box, the network is applied to the small picture, and the heat map is pasted into zeros. The
numbers are those of the whole map: the cut keeps the steps of poolings and strides, and ends at the
picture's own border where the pixel sees its padding.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import tensorflow as tf
import xarray as xr

from utils import lrp
from utils.explain import cuts
from utils.explain.explain import explain as explain_whole
from utils.keras_graph import validation
from utils.receptive_field import reach


def cut(model, pixel, size=None):
    """Where to cut the input so that a pixel of the output keeps its value.

    There are few sizes of cuts, since each needs a network of its own, which is made once.

    Parameters
    ----------
    model : keras.Model
        As for `receptive_field.trace`, with a map as output.
    pixel : (int, int)
        Row and column in the output.
    size : (int, int), optional
        Rows and columns of the input, if the network takes any.

    Returns
    -------
    cuts.Cut

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As `receptive_field.box`.
    """
    validation.check_model(model)
    return cuts.plan(model, reach.input_size(model, size)).cut(pixel)


class _Part(NamedTuple):
    """Samples whose cuts have one shape, and what explains them."""

    numbers: list  # which samples they are
    network: tf.keras.Model
    samples: np.ndarray
    pixels: list  # each sample's in the network's output
    cuts: list


def _parts(model, x, pixel):
    """The samples cut, in parts for which one network will do."""
    validation.check_model(model)
    samples = validation.check_samples(x, tuple(model.inputs[0].shape), "float64")
    pixels = [pixel] * len(samples) if isinstance(pixel, tuple) else pixel
    if not isinstance(pixels, list) or not all(
        isinstance(one, tuple) and len(one) in (2, 3) for one in pixels
    ):
        raise TypeError(
            "pixel must be (row, column), with a channel if there are several, or a list of these, "
            f"not {pixel!r}."
        )
    if len(pixels) != len(samples):
        raise ValueError(f"Give {len(samples)} pixels, one for each sample, not {len(pixels)}.")
    plan = cuts.plan(model, samples.shape[1:3])
    together = {}
    for number, one in enumerate(pixels):
        cut = plan.cut(one[:2])
        sample = samples[number, cut.rows, cut.columns]
        key = sample.shape, plan.in_the_middle(cut.pixel)
        together.setdefault(key, []).append((number, sample, cut, one[2:]))
    for key, members in together.items():
        network, start = plan.network(model, *key)
        numbers, cut_samples, places, channels = zip(*members, strict=True)
        at = [
            (*(int(i - by) for i, by in zip(cut.pixel, start, strict=True)), *channel)
            for cut, channel in zip(places, channels, strict=True)
        ]
        yield _Part(list(numbers), network, np.stack(cut_samples), at, places)


def _paste(full, part, maps):
    for number, cut, one in zip(part.numbers, part.cuts, maps, strict=True):
        full[number, cut.rows, cut.columns] = one


def relevance(model, x, pixel, rule="epsilon", **options):
    """What `lrp.relevance` gives for one pixel, computed inside the pixel's box only.

    Parameters
    ----------
    model : keras.Model
        As for `lrp.relevance`, with a map as output.
    x : array or xarray.DataArray, shape (sample, y, x, channel)
        Samples as the network takes them.
    pixel : tuple of int, or list of tuple
        Row and column in the output, and channel if it has several. One for all samples, or a list
        with one for each.
    rule, **options
        As for `lrp.relevance`: `pooling`, `dtype`, `batch_size`.

    Returns
    -------
    lrp.Relevance
        `input` in the shape of `x`, and the same ledger; `layers` is empty.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As `lrp.relevance` and `receptive_field.box`.

    Examples
    --------
    >>> one_pixel.relevance(model, pictures, (120, 80), "alpha_1_beta_0").input
    """
    full, ledgers = None, []
    for part in _parts(model, x, pixel):
        result = lrp.relevance(
            part.network, part.samples, rule, part.pixels, layers=False, **options
        )
        full = np.zeros(np.shape(x), result.input.dtype) if full is None else full
        _paste(full, part, result.input)
        own = [not layer.startswith(cuts.TRIMMED) for _, layer in result.ledger.index]
        ledgers.append((part.numbers, result.ledger[own]))
    return lrp.Relevance(_like(x, full), {}, _ledger(ledgers))


def _ledger(ledgers):
    """One ledger for all samples, in their order."""
    if len(ledgers) == 1:
        return ledgers[0][1]
    named = [ledger.rename(dict(enumerate(numbers)), level="sample") for numbers, ledger in ledgers]
    return pd.concat(named).sort_index(level="sample", sort_remaining=False, kind="stable")


def explain(model, x, pixel, method="lrp.alpha_1_beta_0", **options):
    """What `utils.explain.explain` gives for one pixel, computed inside the pixel's box only.

    Parameters
    ----------
    model, x, pixel
        As for `relevance`.
    method, **options
        As for `utils.explain.explain`; not smoothgrad, whose noise covers the whole picture.

    Returns
    -------
    array or xarray.DataArray, shape of `x`

    Raises
    ------
    TypeError, ValueError, NotImplementedError, RuntimeError
        As `utils.explain.explain` and `receptive_field.box`.
    """
    if method == "smoothgrad" or np.ndim(options.get("reference_inputs", 0)):
        raise NotImplementedError(
            f"{method} uses noise or a baseline as large as the picture: explain the whole map."
        )
    full = np.zeros(np.shape(x), "float32")
    for part in _parts(model, x, pixel):
        _paste(
            full, part, explain_whole(part.network, part.samples, method, part.pixels, **options)
        )
    return _like(x, full)


def _like(x, values):
    return x.copy(data=values) if isinstance(x, xr.DataArray) else values
