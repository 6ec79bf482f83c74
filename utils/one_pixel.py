"""Heat maps of one pixel of a large output, computed inside its receptive box only.

What cannot reach the pixel gets no relevance, and need not be computed. So the input is cut to the
pixel's box, the network is applied to the small picture, and the heat map is pasted into zeros. The
numbers are those of the whole map: the cut keeps the steps of poolings and strides, and ends at the
picture's own border where the pixel sees its padding.
"""

import math
from collections import Counter
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import xarray as xr

from utils import explain as whole
from utils import inputs, lrp, reach, receptive_field
from utils.kept import Kept


class Cut(NamedTuple):
    """Rows and columns of the input to keep, as slices, and the pixel's place after the cut."""

    rows: slice
    columns: slice
    pixel: tuple


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
    Cut

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As `receptive_field.box`.
    """
    inputs.check_model(model)
    plan = _plan(model, reach.input_size(model, size))
    places = receptive_field.places(plan.found[-1], pixel)
    cuts = [axis.cut(int(place[0])) for axis, place in zip(plan.axes, places, strict=True)]
    return Cut(*(slice(*ends) for *ends, _ in cuts), tuple(place for *_, place in cuts))


class _Axis:
    """Where to cut along rows (0) or columns (1), for any place in the output."""

    def __init__(self, found, lengths, axis):
        self.found, self.lengths, self.axis = found, lengths, axis
        first = found[0].call.sources[0]
        self.length = lengths[first][axis]
        self.steps = {first: Fraction(1)}  # input pixels from one place to the next, by key
        for layer in found:
            before = self.steps[layer.call.sources[0]]
            known = layer.steps is not None and before is not None
            self.steps[layer.call.target] = before * layer.steps[axis].stride if known else None
        self.last = self.steps[found[-1].call.target]
        # A cut by a multiple of this moves every layer by a whole number of places.
        self.unit = math.lcm(*(step.numerator for step in self.steps.values() if step))
        self.cut = cache(self.cut)
        if self.last is not None:
            # Places of a block share a cut, and blocks in the middle share its length.
            self.block = int(self.unit / self.last)
            middle = found[-1].lengths[axis] // 2 // self.block * self.block
            first, end = self.least(middle)
            self.usual, self.inside = end - first, middle - int(first / self.last)

    def cut(self, place):
        """First and end of the input to keep, and the place after the cut."""
        if self.last is None:
            return 0, self.length, place
        first, end = self.least(place // self.block * self.block)
        length = max(end - first, min(self.usual, self.length))
        first = max(0, min(first, self.length - length))
        return first, first + length, place - int(first / self.last)

    def in_the_middle(self, place):
        """Is a place after the cut in the block that all cuts in the middle have there?"""
        return self.last is not None and self.inside <= place < self.inside + self.block

    def least(self, begin):
        """First and end of the least that a block needs, whole units from either border."""
        places = [np.array([n // 2]) for n in self.found[-1].lengths]
        end = min(begin + self.block, self.found[-1].lengths[self.axis])
        places[self.axis] = np.arange(begin, end)
        reached = reach.back(self.found, self.lengths, len(self.found) - 1, tuple(places))
        before, after = [], []
        for key, kept in reached.items():
            if kept is None or self.steps[key] is None:
                return 0, self.length
            for block in kept:
                left = self.lengths[key][self.axis] - 1 - block[self.axis][-1]
                before.append(block[self.axis][0] * self.steps[key])
                after.append(left * self.steps[key])
        unit = self.unit
        return int(min(before) // unit * unit), self.length - int(min(after) // unit * unit)


class _Plan:
    """Where to cut a network's input, and networks for the small picture."""

    def __init__(self, model, size):
        self.found, lengths = reach.follow(model, size)
        if self.found[-1].lengths is None:
            raise ValueError("The network's output is no map: there is no pixel to cut out.")
        self.axes = [_Axis(self.found, lengths, axis) for axis in (0, 1)]
        self.copies, self.trimmed = {}, {}

    def network(self, model, shape, pixel):
        """A network for an input of this shape, with the weights of the moment, and the pixel."""
        weights = model.get_weights()
        if shape not in self.copies:
            try:
                copy = tf.keras.models.clone_model(model, tf.keras.Input(shape))
            except (NotImplementedError, TypeError, ValueError) as error:
                raise NotImplementedError(
                    f"Keras cannot build the network for {shape[0]} x {shape[1]} pixels "
                    f"({error}): explain the whole map."
                ) from error
            self.copies[shape] = copy, None
        copy, known = self.copies[shape]
        if known is None or not all(map(np.array_equal, known, weights)):
            copy.set_weights(weights)
            self.copies[shape] = copy, weights
        if not all(axis.in_the_middle(i) for axis, i in zip(self.axes, pixel, strict=True)):
            return copy, pixel
        if shape not in self.trimmed:
            block = [np.arange(axis.inside, axis.inside + axis.block) for axis in self.axes]
            self.trimmed[shape] = _trim(copy, tuple(block))
        trimmed, shift = self.trimmed[shape]
        return trimmed, tuple(int(i - by) for i, by in zip(pixel, shift, strict=True))


TRIMMED = "trimmed_"  # begins the names of added layers
_WIDENING = tf.keras.layers.UpSampling2D, tf.keras.layers.Conv2DTranspose
_KEEPING = tf.keras.layers.ZeroPadding2D, tf.keras.layers.Cropping2D


def _trim(copy, places):
    """A decoder computes the whole map, of which a block is wanted: cut off the rest on the way.

    Returns the network, which shares the layers of the copy, and by how much its output's rows and
    columns are shifted.
    """
    found, lengths = reach.follow(copy)
    reached = reach.back(found, lengths, len(found) - 1, places)
    readers = Counter(key for layer in found for key in layer.call.sources)
    chain = []  # the last layers, one behind the other, none of which strides
    for layer in reversed(found):
        plain = (
            len(layer.call.sources) == 1 and layer.steps and type(layer.call.layer) not in _KEEPING
        )
        if not plain or max(step.stride for step in layer.steps) > 1:
            break
        chain.insert(0, layer)
        if readers[layer.call.sources[0]] > 1:
            break
    if not any(isinstance(layer.call.layer, _WIDENING) for layer in chain):
        return copy, (0, 0)
    y = chain[0].call.layer.get_input_at(0)
    shift = [Fraction(0), Fraction(0)]
    for layer in chain:
        y = layer.call.layer(y)
        shift = [by / step.stride for by, step in zip(shift, layer.steps, strict=True)]
        wanted = reached[layer.call.target]
        if isinstance(layer.call.layer, _WIDENING) and len(wanted) == 1:
            first = [int(axis[0] - by) for axis, by in zip(wanted[0], shift, strict=True)]
            after = [
                int(n - 1 - axis[-1] + by)
                for n, axis, by in zip(y.shape[1:3], wanted[0], shift, strict=True)
            ]
            name = TRIMMED + layer.call.name
            y = tf.keras.layers.Cropping2D(tuple(zip(first, after, strict=True)), name=name)(y)
            shift = [by + more for by, more in zip(shift, first, strict=True)]
    return tf.keras.Model(copy.inputs, y), shift


_kept = Kept(4)


def _small(model, x, pixel):
    """A network for the cut, the samples cut, the pixel in its output, and the cut."""
    inputs.check_model(model)
    samples = inputs.check_samples(x, tuple(model.inputs[0].shape), "float64")
    where = cut(model, pixel, samples.shape[1:3])
    part = samples[:, where.rows, where.columns]
    plan = _plan(model, samples.shape[1:3])
    return *plan.network(model, part.shape[1:], where.pixel), part, where


def _plan(model, size):
    return _kept.fetch(model, (size,), lambda: _Plan(model, size))


def _paste(x, part, where):
    full = np.zeros(np.shape(x), part.dtype)
    full[:, where.rows, where.columns] = part
    return full


def relevance(model, x, pixel, rule="epsilon", **options):
    """What `lrp.relevance` gives for one pixel, computed inside the pixel's box only.

    Parameters
    ----------
    model : keras.Model
        As for `lrp.relevance`, with a map of one channel as output.
    x : array or xarray.DataArray, shape (sample, y, x, channel)
        Samples as the network takes them.
    pixel : (int, int) or (int, int, int)
        Row and column in the output, and channel if it has several. One for all samples.
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
    pixel, channel = _split(pixel)
    small, pixel, samples, where = _small(model, x, pixel)
    result = lrp.relevance(small, samples, rule, (*pixel, *channel), layers=False, **options)
    ledger = result.ledger
    added = ledger.index.get_level_values("layer").str.startswith(TRIMMED)
    return result._replace(input=_like(x, _paste(x, result.input, where)), ledger=ledger[~added])


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
    pixel, channel = _split(pixel)
    small, pixel, samples, where = _small(model, x, pixel)
    maps = whole.explain(small, samples, method, (*pixel, *channel), **options)
    return _like(x, _paste(x, maps, where))


def _split(pixel):
    if not isinstance(pixel, tuple) or len(pixel) not in (2, 3):
        raise TypeError(f"pixel must be (row, column) or (row, column, channel), not {pixel!r}.")
    return pixel[:2], pixel[2:]


def _like(x, values):
    return x.copy(data=values) if isinstance(x, xr.DataArray) else values
