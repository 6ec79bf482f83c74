"""Where to cut an input so that a pixel of the output keeps its value: for `one_pixel`."""

import math
from collections import Counter
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from utils import receptive_field
from utils.keras_graph.cache import ModelCache
from utils.plain import plain
from utils.receptive_field import reach


class Cut(NamedTuple):
    """Rows and columns of the input to keep, as slices, and the pixel's place after the cut."""

    rows: slice
    columns: slice
    pixel: tuple


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


class Plan:
    """Where to cut a network's input, and networks for the small picture."""

    def __init__(self, model, size):
        self.found, lengths = reach.follow(model, size)
        if self.found[-1].lengths is None:
            raise ValueError("The network's output is no map: there is no pixel to cut out.")
        self.axes = [_Axis(self.found, lengths, axis) for axis in (0, 1)]
        self.copies, self.trimmed = {}, {}

    def cut(self, pixel):
        places = receptive_field.places(self.found[-1], pixel)
        cuts = [axis.cut(int(place[0])) for axis, place in zip(self.axes, places, strict=True)]
        return Cut(*(slice(*ends) for *ends, _ in cuts), tuple(place for *_, place in cuts))

    def in_the_middle(self, pixel):
        return all(axis.in_the_middle(i) for axis, i in zip(self.axes, pixel, strict=True))

    def network(self, model, shape, middle):
        """A network for an input of this shape, with the weights of the moment.

        For pixels in the middle it gives their block alone. Also returns where its output begins.
        """
        weights = model.get_weights()
        if shape not in self.copies:
            try:
                copy = tf.keras.models.clone_model(model, tf.keras.Input(shape))
            except (NotImplementedError, TypeError, ValueError) as error:
                raise NotImplementedError(
                    f"Keras cannot build the network for {shape[0]} x {shape[1]} pixels "
                    f"({plain(error, 200)}): explain the whole map."
                ) from error
            self.copies[shape] = copy, None
        copy, known = self.copies[shape]
        if known is None or not all(map(np.array_equal, known, weights)):
            copy.set_weights(weights)
            self.copies[shape] = copy, weights
        if not middle:
            return copy, (0, 0)
        if shape not in self.trimmed:
            block = [np.arange(axis.inside, axis.inside + axis.block) for axis in self.axes]
            self.trimmed[shape] = _trim(copy, tuple(block))
        return self.trimmed[shape]


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


_kept = ModelCache(4)


def plan(model, size):
    """Where to cut a network's input of this size, planned once."""
    return _kept.fetch(model, (size,), lambda: Plan(model, size))
