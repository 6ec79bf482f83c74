"""Cut inputs to what one pixel of the output can see: same value, same heat map, less to compute.

`cut` says where for any network with a map as output; `around` makes lesson 07's crops.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from utils.keras_graph.cache import ModelCache
from utils.keras_graph.validation import as_numbers
from utils.plain import plain
from utils.receptive_field import geometry
from utils.receptive_field.layers import geometry_of, input_size
from utils.receptive_field.receptive_field import check_pixel


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
    return plan(model, input_size(model, size)).cut(pixel)


def plan(model, size):
    """The `Plan` for inputs of this size, made once."""
    return _kept.fetch(model, (size,), lambda: Plan(model, size))


_kept = ModelCache(4)


class Plan:
    """Where to cut a network's input, and networks for the cuts."""

    def __init__(self, model, size):
        shape = tuple(model.inputs[0].shape[1:])
        if len(shape) != 3:
            raise NotImplementedError(
                f"Pixels are cut out of pictures, shape (sample, y, x, channel), not of {shape}."
            )
        self.layers = geometry_of(model, size)
        if self.layers[-1].size is None or len(self.layers[-1].kept) < 2:
            raise ValueError("The network's output is no map: there is no pixel to cut out.")
        # Does a layer work otherwise in a smaller picture, or has weights for each pixel?
        axes = [axis for layer in self.layers for pair in layer.axes for axis in pair or ()]
        self.fixed = any(axis.fixed for axis in axes)
        # Input pixels from one place of a layer to the next; None where the layer sees everything.
        fields = [field for field, _ in geometry.fields(self.layers)]
        self.steps = [[field and field[axis][1] for field in fields] for axis in (0, 1)]
        # A cut by a multiple of this moves every layer by a whole number of places.
        self.units = [math.lcm(*(j.numerator for j in steps if j)) for steps in self.steps]
        self.copies = {}
        self.least = functools.cache(self.least)

    def cut(self, pixel):
        """The Cut for a pixel (row, column) of the output."""
        pixel = check_pixel(self.layers[-1], pixel)
        kept, places = zip(*map(self.along, (0, 1), pixel), strict=True)
        return Cut(*kept, places)

    def along(self, axis, place):
        """What to keep along rows (0) or columns (1), and the place after the cut."""
        length, step = self.layers[0].size[axis], self.steps[axis][-1] or 1
        block = int(self.units[axis] / step)  # so many places share a cut
        middle = self.layers[-1].size[axis] // 2
        (first, end), usual = (self.least(axis, i // block * block, block) for i in (place, middle))
        # All cuts are as long as those in the middle, where that will do.
        kept = max(end - first, usual[1] - usual[0])
        if kept < 1:  # what sees padding alone may lie beyond the border
            return slice(0, length), place
        first = max(0, min(first, length - kept))
        return slice(first, first + kept), place - int(first / step)

    def least(self, axis, begin, block):
        """First and end of the least that a block needs, whole units from either border.

        The receptive box alone is too little: where a layer crops, places that count may lie
        outside of it.
        """
        size, unit, length = self.layers[-1].size, self.units[axis], self.layers[0].size[axis]
        if self.fixed:
            return 0, length
        corner, shape = [0, 0], list(size)
        corner[axis], shape[axis] = begin, min(block, size[axis] - begin)
        wanted = geometry.Pixels(tuple(corner), np.ones(shape, bool))
        before, after = [], []
        for position, pixels in geometry.back(self.layers, len(self.layers) - 1, wanted).items():
            step = self.steps[axis][position]
            if pixels is None or step is None:
                return 0, length
            places = pixels.places(axis)
            before.append(places[0] * step)
            after.append((self.layers[position].size[axis] - 1 - places[-1]) * step)
        first, left = (int(min(pixels) // unit * unit) for pixels in (before, after))
        return first, length - left

    def network(self, model, shape):
        """A copy of the network for an input of this shape, with the weights of the moment."""
        weights = model.get_weights()
        if shape not in self.copies:
            try:
                copy = tf.keras.models.clone_model(model, tf.keras.Input(shape))
            except (NotImplementedError, OSError, TypeError, ValueError) as error:
                raise NotImplementedError(
                    f"Keras cannot build the network for {shape[0]} x {shape[1]} pixels "
                    f"({plain(error, 200)}): explain the whole map."
                ) from error
            self.copies[shape] = copy, None
        copy, known = self.copies[shape]
        if known is None or not all(map(np.array_equal, known, weights)):
            copy.set_weights(weights)
            self.copies[shape] = copy, weights
        return copy


# ---- lesson 07 --------------------------------------------------------------------------------

CROP = 64  # pixels that hold the receptive box of one output pixel, wherever it lies modulo 8
HALF_BOX = 27  # of the encoder-decoder, to each side


def around(x, rows, columns):
    """Cut inputs to what one output pixel of the encoder-decoder can see.

    Corners lie on multiples of 8, so that pooling meets the same pixels as in the whole picture:
    network and heat map give the same numbers as there, at a fraction of the cost.

    Parameters
    ----------
    x : array, shape (n, y, x, channel)
        One picture for each pixel; y and x multiples of 8, at least 64.
    rows, columns : array_like of int, shape (n,)
        The pixels.

    Returns
    -------
    crops : array, shape (n, 64, 64, channel)
    at : list of (int, int)
        Row and column of each pixel in its crop.

    Raises
    ------
    ValueError
        If a picture is too small, or a pixel lies outside.
    """
    x = as_numbers("x", x)
    rows, columns = as_numbers("rows", rows), as_numbers("columns", columns)
    size = np.array(x.shape[1:3])
    if x.ndim != 4 or (size < CROP).any() or (size % 8).any():
        raise ValueError(f"Pictures need multiples of 8, at least {CROP} pixels, not {x.shape}.")
    if not rows.shape == columns.shape == x.shape[:1] or len(x) == 0:
        raise ValueError("Give one row and one column inside the picture for each picture.")
    pixels = np.stack([rows, columns], 1)
    if pixels.dtype.kind not in "iu" or (pixels < 0).any() or (pixels >= size).any():
        raise ValueError("Give one row and one column inside the picture for each picture.")
    corners = np.clip((pixels - HALF_BOX) // 8 * 8, 0, size - CROP)
    crops = [one[r : r + CROP, c : c + CROP] for one, (r, c) in zip(x, corners, strict=True)]
    return np.stack(crops), [tuple(map(int, pixel)) for pixel in pixels - corners]


def at_pixel(values, at):
    """The value of each map, shape (n, y, x), at its pixel, as `around` gives it: shape (n,)."""
    values, at = _with_places(values, at)
    return np.array([one[tuple(pixel)] for one, pixel in zip(values, at, strict=True)])


def box(values, at):
    """The receptive box of each pixel out of its crop, shape (n, 54, 54, ...).

    Raises
    ------
    ValueError
        If a box leaves its crop, because the pixel is near the picture's edge.
    """
    half, (values, places) = HALF_BOX, _with_places(values, at)
    if (places < half).any() or (places > CROP - half).any():
        raise ValueError(f"Choose pixels at least {half} pixels inside the picture.")
    boxes = zip(values, places, strict=True)
    return np.array([one[r - half : r + half, c - half : c + half] for one, (r, c) in boxes])


def _with_places(values, at):
    """Maps, and the row and column of a pixel of each."""
    values, at = as_numbers("values", values), as_numbers("at", at)
    if values.ndim < 3 or at.shape != (len(values), 2) or at.dtype.kind not in "iu":
        raise ValueError(
            "Give maps, shape (n, y, x), and n pixels, (row, column) each, as `around` gives them."
        )
    if (at < 0).any() or (at >= values.shape[1:3]).any():
        raise ValueError(f"A pixel lies outside of its map of {values.shape[1:3]} pixels.")
    return values, at
