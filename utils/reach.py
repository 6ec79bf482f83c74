"""What each layer reads along rows and along columns: for `utils.receptive_field`.

Along one axis a layer is a rule from places in its output to places in its input. Rows and columns
do not mix, so the pixels that reach a pixel are all pairs of a reached row and a reached column.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

from utils import architecture, inputs
from utils.architecture import title


class Step(NamedTuple):
    """A layer along one axis; places are counted in pixels of the layer's input."""

    length: int  # of the output
    reads: Callable  # from output places to the input places they read, beyond the border too
    growth: int  # k - 1: how much more than one pixel the layer reads at most
    stride: Fraction  # from one output place to the next
    centre: Fraction  # middle of what the first output place reads
    may_miss: bool = False  # may some places read nothing?


class Layer(NamedTuple):
    """A call in a network with its steps along rows and columns, None where it mixes all places."""

    call: architecture.Call
    steps: tuple | None
    lengths: tuple | None  # rows and columns of the output, None if it has none


def follow(model, size=None):
    """Steps of all layers of a network.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, from (sample, y, x, channel).
    size : (int, int), optional
        Rows and columns of the input, if the network takes any.

    Returns
    -------
    found : list of Layer
        In the order in which they compute.
    lengths : dict of int to tuple
        Rows and columns by key of `architecture.calls`; None for what has none.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If the network or a layer is of another kind, or the size is not known.
    """
    inputs.check_model(model)
    lengths = {id(model.inputs[0]): input_size(model, size)}
    found = []
    for call in architecture.calls(model):
        sources = [lengths[key] for key in call.sources]
        steps = _steps(call.layer, sources)
        if steps is None:
            shape = call.layer.get_output_at(0).shape
            flat = len(shape) != 4
            target = None if flat else (1, 1) if type(call.layer) in _GLOBAL else tuple(shape[1:3])
        else:
            target = tuple(step.length for step in steps)
            if min(target) < 1:
                raise ValueError(
                    f"Nothing is left of the picture at the {title(call.layer)}: make it larger."
                )
        lengths[call.target] = target
        found.append(Layer(call, steps, target))
    return found, lengths


def input_size(model, size=None):
    """Rows and columns of a network's input: its own, or the ones asked for if it takes any."""
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) != 3:
        raise NotImplementedError(
            f"Receptive fields are for pictures, shape (sample, y, x, channel), not {shape}."
        )
    if size is None:
        if None in shape[:2]:
            raise ValueError("The network takes any size: say which, as in size=(256, 256).")
        return shape[:2]
    try:
        size = tuple(size)
    except TypeError:
        size = ()
    if len(size) != 2:
        raise TypeError("size must be rows and columns of the input, as in size=(256, 256).")
    for number in size:
        inputs.check_count("size", number)
    if any(known not in (None, asked) for known, asked in zip(shape, size, strict=False)):
        raise ValueError(f"size is {size}, but the network takes {shape[:2]}: leave it out.")
    return size


def back(found, lengths, start, places, clip=True):
    """Places of every layer that reach places of one.

    Parameters
    ----------
    found, lengths
        From `follow`.
    start : int
        Position of the layer in `found`.
    places : tuple or None
        Rows and columns there, each an array; None for a layer without rows and columns.
    clip : bool
        Leave out places beyond the border: padding, which holds nothing of the input.

    Returns
    -------
    dict of int to list of tuple
        By key the blocks that are reached, each of some rows and some columns (sorted arrays);
        None for layers without.
    """
    alive = _alive(found, lengths)
    reached = {found[start].call.target: places and [places]}
    for layer in reversed(found[: start + 1]):
        if layer.call.target not in reached:
            continue
        wanted = reached[layer.call.target]
        for key in layer.call.sources:
            length = lengths[key]
            if length is None:
                reached[key] = None
            elif layer.steps is None:
                reached[key] = [tuple(np.arange(n) for n in length)]
            else:
                new = [
                    tuple(
                        _read(step, axis, n, clip)
                        for step, axis, n in zip(layer.steps, block, length, strict=True)
                    )
                    for block in wanted
                ]
                new = [block for block in new if all(len(axis) for axis in block)]
                reached[key] = _join(reached.get(key, []), new, alive[key])
    return reached


def _join(blocks, new, alive):
    """Blocks of two branches; one around all of them where that reaches the same rows and columns.

    It does unless some places read nothing but padding: rows of one branch must not be taken for
    reached together with columns of another.
    """
    blocks = blocks + new
    if alive and len(blocks) > 1:
        return [tuple(reduce(np.union1d, axis) for axis in zip(*blocks, strict=True))]
    return blocks


def _alive(found, lengths):
    """By key: does every place read something of the input, along rows and along columns?"""
    first = found[0].call.sources[0]
    places = {first: tuple(np.ones(n, bool) for n in lengths[first])}
    for layer in found:
        sources = [places[key] for key in layer.call.sources]
        if layer.lengths is None or layer.steps is None:
            new = layer.lengths and tuple(np.ones(n, bool) for n in layer.lengths)
        else:
            new = [np.ones(n, bool) for n in layer.lengths]
            for axis, step in enumerate(layer.steps):
                for before in sources:
                    if step.reads is _itself:
                        new[axis] &= before[axis]
                    elif step.may_miss or not before[axis].all():
                        reads = [
                            _read(step, np.array([p]), len(before[axis]), True)
                            for p in range(step.length)
                        ]
                        new[axis] &= [before[axis][r].any() for r in reads]
        places[layer.call.target] = new
    return {key: axes is not None and all(map(np.all, axes)) for key, axes in places.items()}


def _read(step, places, length, clip):
    if step.reads is _itself:  # of one number for the whole picture, that one
        read = np.zeros(1, int) if length == 1 < step.length else places
    else:
        read = np.unique(step.reads(places))
    return read[(read >= 0) & (read < length)] if clip else read


# ---- one layer along one axis -----------------------------------------------------------------

_POINTWISE = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU)
_POINTWISE += (layers.Softmax, layers.ThresholdedReLU, layers.Dense, layers.BatchNormalization)
_POINTWISE += (layers.Dropout, layers.SpatialDropout2D, layers.GaussianDropout)
_POINTWISE += (layers.GaussianNoise, layers.AlphaDropout, layers.Rescaling, layers.Normalization)
_POINTWISE += (layers.ActivityRegularization,)
_MERGING = layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum
_MERGING += layers.Minimum, layers.Concatenate
_GLOBAL = layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D
_CONVOLUTION = layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D
_POOLING = layers.MaxPooling2D, layers.AveragePooling2D


def _steps(layer, sources):
    """The steps along both axes, None if every output can see every place."""
    kind = type(layer)
    if any(source is None for source in sources) or kind in (*_GLOBAL, layers.Flatten):
        if kind is not layers.Reshape and isinstance(layer, tf.keras.Model):
            raise _unknown(layer)
        return None
    if kind in _MERGING:
        if getattr(layer, "axis", -1) not in (-1, 3):
            raise NotImplementedError(f"The {title(layer)} must put channels beside each other.")
        return tuple(_same_place(max(axis)) for axis in zip(*sources, strict=True))
    (size,) = sources
    if kind is layers.Reshape:
        shape = layer.target_shape
        if size == (1, 1):
            return None
        if len(shape) != 3 or tuple(shape[:2]) != size:
            raise NotImplementedError(f"The {title(layer)} moves pixels: build without it.")
    if kind in (*_POINTWISE, layers.Reshape):
        return tuple(map(_same_place, size))
    maker = _MAKERS.get(kind)
    if maker is None:
        raise _unknown(layer)
    return tuple(maker(layer, axis, n) for axis, n in enumerate(size))


def _unknown(layer):
    cure = (
        "put its layers into one flat model"
        if isinstance(layer, tf.keras.Model)
        else "help(utils.receptive_field.trace) lists the layers that are known"
    )
    return NotImplementedError(f"What the {title(layer)} reads is not known: {cure}.")


def _itself(places):
    return places


def _same_place(n):
    return Step(n, _itself, 0, Fraction(1), Fraction(0))


def _window(n, kernel, stride, dilation, padding, layer):
    if padding not in ("same", "valid"):
        raise NotImplementedError(f"The {title(layer)} has {padding} padding: use same or valid.")
    width = dilation * (kernel - 1) + 1
    if padding == "same":
        length = -(-n // stride)
        before = max((length - 1) * stride + width - n, 0) // 2
    else:
        length, before = (n - width) // stride + 1, 0
    taps = dilation * np.arange(kernel) - before

    def reads(places):
        return stride * places[:, None] + taps

    centre = Fraction(width - 1, 2) - before
    return Step(length, reads, width - 1, Fraction(stride), centre, dilation > 1)


def _convolution(layer, axis, n):
    numbers = (layer.kernel_size[axis], layer.strides[axis], layer.dilation_rate[axis])
    return _window(n, *numbers, layer.padding, layer)


def _pooling(layer, axis, n):
    return _window(n, layer.pool_size[axis], layer.strides[axis], 1, layer.padding, layer)


def _transposed(layer, axis, n):
    kernel, stride = layer.kernel_size[axis], layer.strides[axis]
    dilation = layer.dilation_rate[axis]
    width = dilation * (kernel - 1) + 1
    length = layer.compute_output_shape((None, n, n, layer.input_spec.axes[-1]))[1 + axis]
    # It is the way back of a convolution from its output to its input.
    before = max((n - 1) * stride + width - length, 0) // 2 if layer.padding == "same" else 0
    taps = before - dilation * np.arange(kernel)

    def reads(places):
        stretched = places[:, None] + taps
        return stretched[stretched % stride == 0] // stride

    growth = math.ceil(Fraction(width, stride)) - 1
    centre = (before - Fraction(width - 1, 2)) / stride
    may_miss = stride > kernel or dilation > 1
    return Step(length, reads, growth, Fraction(1, stride), centre, may_miss)


def _upsampling(layer, axis, n):
    factor = layer.size[axis]
    centre = Fraction(1 - factor, 2 * factor)
    if layer.interpolation == "nearest":
        return Step(n * factor, lambda places: places // factor, 0, Fraction(1, factor), centre)
    if layer.interpolation != "bilinear":
        raise NotImplementedError(
            f"The {title(layer)} interpolates by {layer.interpolation}: use nearest or bilinear."
        )

    def reads(places):
        place, between = np.divmod(2 * places + 1 - factor, 2 * factor)
        return np.concatenate([place, place[between > 0] + 1])

    return Step(n * factor, reads, int(factor > 1), Fraction(1, factor), centre)


def _shift(n, by, more):
    return Step(n + more, lambda places: places + by, 0, Fraction(1), Fraction(by), more > 0)


def _padding(layer, axis, n):
    return _shift(n, -layer.padding[axis][0], sum(layer.padding[axis]))


def _cropping(layer, axis, n):
    return _shift(n, layer.cropping[axis][0], -sum(layer.cropping[axis]))


_MAKERS = dict.fromkeys(_CONVOLUTION, _convolution) | dict.fromkeys(_POOLING, _pooling)
_MAKERS |= {
    layers.Conv2DTranspose: _transposed,
    layers.UpSampling2D: _upsampling,
    layers.ZeroPadding2D: _padding,
    layers.Cropping2D: _cropping,
}
