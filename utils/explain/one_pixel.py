"""Heat maps of one pixel of a large output, computed inside its receptive box only.

What cannot reach the pixel gets no relevance, and need not be computed. So the input is cut to the
pixel's box, the network is applied to the small picture, and the heat map is pasted into zeros. The
numbers are those of the whole map: the cut keeps the steps of poolings and strides, and ends at the
picture's own border where the pixel sees its padding.
"""

import numpy as np
import pandas as pd
import xarray as xr

from utils import lrp
from utils.explain import crops
from utils.explain.explain import explain as explain_whole
from utils.explain.explain import like
from utils.keras_graph import validation
from utils.plain import plain


def _parts(model, x, pixel):
    """The samples cut, in parts of one shape each, for which one network will do.

    Yields which samples they are, the network, the cut samples, their pixels in its output, and the
    cuts.
    """
    validation.check_model(model)
    samples = validation.check_samples(x, tuple(model.inputs[0].shape), "float64")
    pixels = [pixel] * len(samples) if isinstance(pixel, tuple) else pixel
    if not isinstance(pixels, list) or not all(
        isinstance(one, tuple) and len(one) in (2, 3) and all(map(validation.is_whole, one))
        for one in pixels
    ):
        raise TypeError(
            "pixel must be (row, column), with a channel if there are several, or a list of these, "
            f"not {plain(repr(pixel))}."
        )
    if len(pixels) != len(samples):
        raise ValueError(f"Give {len(samples)} pixels, one for each sample, not {len(pixels)}.")
    plan = crops.plan(model, samples.shape[1:3])
    together = {}
    for number, (sample, one) in enumerate(zip(samples, pixels, strict=True)):
        cut = plan.cut(one[:2])
        crop = sample[cut.rows, cut.columns]
        together.setdefault(crop.shape, []).append((number, crop, cut.pixel + one[2:], cut))
    for shape, members in together.items():
        numbers, cropped, at, cuts = zip(*members, strict=True)
        yield numbers, plan.network(model, shape), np.stack(cropped), list(at), cuts


def _paste(full, numbers, cuts, maps):
    for number, cut, one in zip(numbers, cuts, maps, strict=True):
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
    for numbers, network, samples, at, cuts in _parts(model, x, pixel):
        result = lrp.relevance(network, samples, rule, at, layers=False, **options)
        full = np.zeros(np.shape(x), result.input.dtype) if full is None else full
        _paste(full, numbers, cuts, result.input)
        ledgers.append((numbers, result.ledger))
    if isinstance(x, xr.DataArray):
        full = xr.DataArray(full, x.coords, x.dims, "relevance")
    return lrp.Relevance(full, {}, _ledger(ledgers))


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
    large = [v for v in options.values() if not np.isscalar(v) and getattr(v, "shape", None) != ()]
    if large or (isinstance(method, str) and method == "smoothgrad"):
        raise NotImplementedError(
            f"{plain(method)} uses noise, a baseline or limits as large as the picture: explain "
            "the whole map."
        )
    parts = [
        (numbers, cuts, explain_whole(network, samples, method, at, **options))
        for numbers, network, samples, at, cuts in _parts(model, x, pixel)
    ]
    full = np.zeros(np.shape(x), "float32")
    for part in parts:
        _paste(full, *part)
    return like(x, full, method)
