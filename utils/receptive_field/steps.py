"""What one layer reads along one axis: for `utils.receptive_field.reach`.

Along one axis a layer is a rule from places in its output to places in its input.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

from utils.keras_graph.calls import title


class Step(NamedTuple):
    """A layer along one axis; places are counted in pixels of the layer's input."""

    length: int  # of the output
    reads: Callable  # from output places to the input places they read, beyond the border too
    growth: int  # k - 1: how much more than one pixel the layer reads at most
    stride: Fraction  # from one output place to the next
    centre: Fraction  # middle of what the first output place reads
    may_miss: bool = False  # may some places read nothing?


_POINTWISE = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU)
_POINTWISE += (layers.Softmax, layers.ThresholdedReLU, layers.Dense, layers.BatchNormalization)
_POINTWISE += (layers.Dropout, layers.SpatialDropout2D, layers.GaussianDropout)
_POINTWISE += (layers.GaussianNoise, layers.AlphaDropout, layers.Rescaling, layers.Normalization)
_POINTWISE += (layers.ActivityRegularization,)
_MERGING = layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum
_MERGING += layers.Minimum, layers.Concatenate
GLOBAL = layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D
_CONVOLUTION = layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D
_POOLING = layers.MaxPooling2D, layers.AveragePooling2D


def of_layer(layer, sources):
    """The steps along both axes, None if every output can see every place."""
    kind = type(layer)
    if any(source is None for source in sources) or kind in (*GLOBAL, layers.Flatten):
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


def itself(places):
    return places


def _same_place(n):
    return Step(n, itself, 0, Fraction(1), Fraction(0))


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
