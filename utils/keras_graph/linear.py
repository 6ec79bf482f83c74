"""Keras layers as the linear maps they are: sum_i a_i w_ij + b_j, without their activation.

With `forward` apart from the weights, a layer can be asked what it would do with others, such as
the positive half of its own.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, backend, layers

from utils.keras_graph.calls import activation_of, calls_of, title


class Linear(NamedTuple):
    """A layer without its activation; `forward` of inputs a and weights w is sum_i a_i w_ij."""

    forward: Callable
    w: np.ndarray
    b: np.ndarray


def read(model, dtype="float32"):
    """A network's layers in the order in which they compute, and those with weights as linear maps.

    A batch normalisation joins the layer before it if that is linear and nothing else reads from
    it. Toolboxes for LRP call this a canonizer.

    Parameters
    ----------
    model : keras.Model
    dtype : str
        Precision of the weights, which are read in one go.

    Returns
    -------
    calls : list of Call
    kernels : dict of str to Linear
        By the call's name.

    Raises
    ------
    NotImplementedError, ValueError
        As `calls_of`; or if a layer pads causally, or normalises another axis than the last.
    """
    calls = calls_of(model)
    weights = {
        name: [value.astype(dtype, copy=False) for value in values]
        for name, values in weights_of(model).items()
    }
    readers = {}
    for call in calls:
        for key in call.sources:
            readers.setdefault(key, []).append(call)
    kernels, folded = {}, set()
    for call in calls:
        if call.name in folded:
            continue
        follower, *others = readers.get(call.target, [None])
        fold = (
            follower is not None
            and not others
            and type(follower.layer) is layers.BatchNormalization
            and type(call.layer) is not layers.BatchNormalization
            and activation_of(call.layer) is activations.linear
        )
        kernel = _from_layer(call.layer, weights, follower.layer if fold else None)
        if kernel:
            kernels[call.name] = kernel
            folded |= {follower.name} if fold else set()
    return calls, kernels


def weights_of(model):
    """All weights by layer, read in one go."""
    variables = {layer.name: layer.weights for layer in model.layers}
    values = iter(backend.batch_get_value([w for some in variables.values() for w in some]))
    return {name: [next(values) for _ in some] for name, some in variables.items()}


def _from_layer(layer, weights, normalization):
    """A layer as a linear map with its weights by name, and a batch normalisation folded in.

    None if it has no weights or is of an unknown class.
    """
    if type(layer) not in _FORWARD:
        return None
    if getattr(layer, "padding", "same") not in ("same", "valid"):
        raise NotImplementedError(
            f"The {title(layer)} has {layer.padding} padding: put a ZeroPadding1D before it and "
            'give it the padding "valid".'
        )
    forward = _FORWARD[type(layer)](layer)
    if isinstance(layer, layers.BatchNormalization):
        return Linear(forward, *_line_by_channel(layer, weights))
    w, *others = weights[layer.name]
    if isinstance(layer, layers.SeparableConv2D):  # one convolution, by the product of its kernels
        pointwise = others.pop(0)[0, 0].reshape(*w.shape[2:], -1)
        w = np.einsum("yxcm,cmo->yxco", w, pointwise)
    # The axes of the weights that stand for the layer's outputs.
    outputs = w.shape[2:] if isinstance(layer, layers.DepthwiseConv2D) else w.shape[-1:]
    if isinstance(layer, layers.Conv2DTranspose):
        outputs = w.shape[2], 1
    b = others[0] if layer.use_bias else np.zeros(np.prod(outputs), w.dtype)
    if normalization:
        slope, shift = _line_by_channel(normalization, weights)
        w, b = w * slope.reshape(outputs), b * slope + shift
    return Linear(forward, w, b)


def line(layer, weights):
    """Slope and shift, by channel, of a batch normalisation with weights by moving averages."""
    *scale_and_center, mean, variance = weights
    gamma = scale_and_center.pop(0) if layer.scale else 1
    beta = scale_and_center.pop(0) if layer.center else 0
    slope = gamma / np.sqrt(variance + layer.epsilon)
    return slope, beta - slope * mean


def _line_by_channel(layer, weights):
    if list(layer.axis) != [layer.input_spec.ndim - 1]:
        raise NotImplementedError(f"The {title(layer)} must normalise the last axis, the channels.")
    return line(layer, weights[layer.name])


def _convolution(layer):
    padding = layer.padding.upper()

    def one(a, w):
        return tf.nn.convolution(a, w, layer.strides, padding, None, layer.dilation_rate)

    def groups(a, w):
        # TensorFlow convolves groups of channels forwards on a CPU, but not backwards.
        parts = zip(tf.split(a, layer.groups, -1), tf.split(w, layer.groups, -1), strict=True)
        return tf.concat([one(*part) for part in parts], -1)

    return one if layer.groups == 1 else groups


def _depthwise(layer):
    def forward(a, w):
        return backend.depthwise_conv2d(
            a, w, layer.strides, layer.padding, dilation_rate=layer.dilation_rate
        )

    return forward


def _transposed(layer):
    def forward(a, w):
        size = layer.compute_output_shape(a.shape)[1:3]
        shape = tf.stack([tf.shape(a)[0], *size, w.shape[2]])
        y = backend.conv2d_transpose(
            a, w, shape, layer.strides, layer.padding, dilation_rate=layer.dilation_rate
        )
        y.set_shape([None, *size, w.shape[2]])  # which TensorFlow forgets when it dilates
        return y

    return forward


_FORWARD = {
    layers.Dense: lambda layer: lambda a, w: tf.tensordot(a, w, 1),
    layers.Conv1D: _convolution,
    layers.Conv2D: _convolution,
    layers.SeparableConv2D: _convolution,
    layers.DepthwiseConv2D: _depthwise,
    layers.Conv2DTranspose: _transposed,
    layers.BatchNormalization: lambda layer: lambda a, w: a * w,
}


KINDS = tuple(_FORWARD)


def without_weights(layer, a):
    """What a layer that adds, averages, chooses or moves values makes of the list of its inputs."""
    if getattr(layer, "interpolation", "nearest") == "bilinear":
        return bilinear(a[0], layer.size)
    y = layer.call(a if type(layer) in (layers.Add, layers.Concatenate) else a[0])
    if type(layer) in (layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D):
        # The same values by another function, whose gradient goes to the first of equals.
        y = tf.reshape(tf.nn.pool(a[0], a[0].shape[1:-1], "MAX", padding="VALID"), tf.shape(y))
    return y


def bilinear(a, size):
    """Bilinear upsampling in any precision; TensorFlow's own gives single precision only."""
    weights = []
    for n, factor in zip(a.shape[1:3], size, strict=True):
        centres = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        weights.append(np.maximum(1 - abs(centres[:, None] - np.arange(n)), 0))
    rows, columns = (tf.constant(w, a.dtype) for w in weights)
    return tf.einsum("nyxc,Yy,Xx->nYXc", a, rows, columns)
