"""Keras layers as the linear maps they are: sum_i a_i w_ij + b_j, without their activation.

With `forward` apart from the weights, a layer can be asked what it would do with others, such as
the positive half of its own.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, backend, layers

from utils.keras_graph.calls import RELU, activation_of, calls_of, title
from utils.keras_graph.unroll import Step, Sum, unroll


class Linear(NamedTuple):
    """A layer without its activation; `forward` of inputs a and weights w is sum_i a_i w_ij.

    A step that adds up several sources has lists of `forward` and w. Where gates have a say in it,
    ``gated(w, b, *gates)`` gives its w and b.
    """

    forward: Callable | list
    w: np.ndarray | list
    b: np.ndarray
    gated: Callable | None = None

    def terms(self, gates=()):
        """What it adds up: a list of `forward`, a list of w, and b."""
        if not isinstance(self.forward, list):
            return [self.forward], [self.w], self.b
        return self.forward, *(self.gated(self.w, self.b, *gates) if gates else self[1:3])


def read(model, dtype="float32", output=0):
    """A network's layers in the order in which they compute, and those with weights as linear maps.

    Recurrent layers, attention and normalisation are taken apart into their steps, see `unroll`. A
    batch normalisation joins the layer before it if that is linear and nothing else reads from
    it. Toolboxes for LRP call this a canonizer. Among those with weights are two that have no rule,
    see `has_rule`: PReLU, whose `forward` takes its slopes for w, and a change of scale.

    Parameters
    ----------
    model : keras.Model
    dtype : str
        Precision of the weights, which are read in one go.
    output : int
        Which of the network's outputs to follow, if there are several.

    Returns
    -------
    calls : list of Call
    kernels : dict of str to Linear
        By the call's name.

    Raises
    ------
    NotImplementedError, ValueError
        As `calls_of`; or if a locally connected layer is not as Keras builds it by default.
    """
    calls = unroll(calls_of(model, output), [tuple(tensor.shape) for tensor in model.inputs])
    weights = {
        name: [value.astype(dtype, copy=False) for value in values]
        for name, values in _values({id(call.layer): call.layer for call in calls}).items()
    }
    readers = {}
    for call in calls:
        for key in (*call.sources, *call.gates):
            readers.setdefault(key, []).append(call)
    kernels, folded, made = {}, set(), {}
    for call in calls:
        if call.name in folded:
            continue
        follower, *others = readers.get(call.target, [None])
        fold = (
            follower is not None
            and not others
            and type(follower.layer) is layers.BatchNormalization
            and list(follower.layer.axis) == [len(call.shape) - 1]
            and type(call.layer) in KINDS
            and type(call.layer) not in (*BY_ELEMENT, layers.EinsumDense)
            and activation_of(call.layer) is activations.linear
        )
        normalization = follower.layer if fold else None
        pair = id(call.layer), id(normalization)
        if pair not in made:  # a step of a recurrent layer is taken many times
            made[pair] = _from_layer(call.layer, weights, normalization, np.dtype(dtype))
        if made[pair]:
            kernels[call.name] = made[pair]
            folded |= {follower.name} if fold else set()
    return calls, kernels


def _values(some):
    """The weights of layers, by the layers' keys in a dict."""
    values = iter(backend.batch_get_value([w for layer in some.values() for w in layer.weights]))
    return {key: [next(values) for _ in layer.weights] for key, layer in some.items()}


def _from_layer(layer, weights, normalization, dtype):
    """A layer as a linear map with its weights by id, and a batch normalisation folded in.

    None if it has no weights or is of an unknown class.
    """
    values = weights[id(layer)]
    if isinstance(layer, Sum):
        forward, w, b, *gated = layer.linear(values)
        return Linear(forward, [np.asarray(w_i, dtype) for w_i in w], np.asarray(b, dtype), *gated)
    if type(layer) not in _FORWARD:
        return None
    forward = _FORWARD[type(layer)](layer)
    if type(layer) in BY_ELEMENT:
        w, b = BY_ELEMENT[type(layer)](layer, values)
        return Linear(forward, *(np.asarray(part, dtype) for part in (w, b)))
    w, *others = values
    if type(layer) in _SEPARABLE:  # one convolution, by the product of its kernels
        pointwise = others.pop(0).reshape(*w.shape[-2:], -1)
        w = np.einsum("...cm,cmo->...co", w, pointwise)
    # The axes of the weights that stand for the layer's outputs.
    outputs = w.shape[-2:] if type(layer) in _DEPTHWISE else w.shape[-1:]
    if type(layer) in _TRANSPOSED:
        outputs = w.shape[-2], 1
    if type(layer) is layers.EinsumDense:
        outputs = (1,)
    b = others[0] if others else np.zeros(np.prod(outputs), w.dtype)
    if normalization:
        slope, shift = line(normalization, weights[id(normalization)])
        w, b = w * slope.reshape(outputs), b * slope + shift
    return Linear(forward, w, b)


# ---- layers that scale and shift each value by itself ------------------------------------------


def line(layer, weights):
    """Slope and shift, by channel, of a batch normalisation with weights by moving averages."""
    *scale_and_center, mean, variance = weights
    gamma = scale_and_center.pop(0) if layer.scale else 1
    beta = scale_and_center.pop(0) if layer.center else 0
    slope = gamma / np.sqrt(variance + layer.epsilon)
    return slope, beta - slope * mean


def _batch_normalization(layer, weights):
    slope, shift = line(layer, weights)
    rank = layer.input_spec.ndim
    if len(layer.axis) == 1 and layer.axis[0] != rank - 1:
        shape = [-1 if axis == layer.axis[0] else 1 for axis in range(rank)]
        slope, shift = slope.reshape(shape), shift.reshape(shape)
    return slope, shift


def _normalization(layer, weights):
    shape = layer._broadcast_shape
    mean, variance = weights[:2] if weights else (layer.input_mean, layer.input_variance)
    ones = np.ones([shape[axis] for axis in layer._keep_axis])
    mean, variance = ((ones * part).reshape(shape) for part in (mean, variance))
    spread = np.maximum(np.sqrt(variance), backend.epsilon())
    return (spread, mean) if layer.invert else (1 / spread, -mean / spread)


def has_rule(layer):
    """Is it for a rule to say how relevance goes through? It passes a mere change of scale."""
    if type(layer) is layers.Rescaling:
        return bool(np.any(layer.offset))
    return type(layer) is not layers.PReLU


BY_ELEMENT = {
    layers.BatchNormalization: _batch_normalization,
    layers.Normalization: _normalization,
    layers.Rescaling: lambda layer, weights: (layer.scale, layer.offset),
    layers.PReLU: lambda layer, weights: (weights[0], 0),
}


def _dense(a, w):
    return tf.matmul(a, w) if a.shape.rank == 2 else tf.tensordot(a, w, 1)  # of many operations


def _prelu(a, alpha):
    return tf.nn.relu(a) - alpha * tf.nn.relu(-a)


# ---- what layers make of their inputs and weights ----------------------------------------------


def _convolution(layer):
    causal = layer.padding == "causal"
    before = [(d * (k - 1), 0) for d, k in zip(layer.dilation_rate, layer.kernel_size, strict=True)]
    padding = "VALID" if causal else layer.padding.upper()

    def one(a, w):
        return tf.nn.convolution(a, w, layer.strides, padding, None, layer.dilation_rate)

    def groups(a, w):
        if causal:
            a = tf.pad(a, [(0, 0), *before, (0, 0)])
        if layer.groups == 1:
            return one(a, w)
        # TensorFlow convolves groups of channels forwards on a CPU, but not backwards.
        parts = zip(tf.split(a, layer.groups, -1), tf.split(w, layer.groups, -1), strict=True)
        return tf.concat([one(*part) for part in parts], -1)

    return groups


def _depthwise(layer):
    rows = 2 - len(layer.kernel_size)  # a series is a picture of one row

    def forward(a, w):
        a, w = (a[:, None], w[None]) if rows else (a, w)
        strides, dilation = layer.strides * (1 + rows), (1,) * rows + layer.dilation_rate
        y = backend.depthwise_conv2d(a, w, strides, layer.padding, dilation_rate=dilation)
        return y[:, 0] if rows else y

    return forward


def _transposed(layer):
    rows = max(2 - len(layer.kernel_size), 0)  # a series is a picture of one row

    def forward(a, w):
        size = layer.compute_output_shape(a.shape)[1:-1]
        a, w = (a[:, None], w[None]) if rows else (a, w)
        shape = tf.stack([tf.shape(a)[0], *(1,) * rows, *size, w.shape[-2]])
        strides = (1,) * rows + layer.strides
        if len(size) == 3:
            y = tf.nn.conv3d_transpose(a, w, shape, (1, *strides, 1), layer.padding.upper())
        else:
            dilation = (1,) * rows + layer.dilation_rate
            y = backend.conv2d_transpose(
                a, w, shape, strides, layer.padding, dilation_rate=dilation
            )
        y = y[:, 0] if rows else y
        y.set_shape([None, *size, w.shape[-2]])  # which TensorFlow forgets when it dilates
        return y

    return forward


def _local(layer):
    if layer.implementation != 1:
        raise NotImplementedError(
            f"The {title(layer)} keeps its weights in a way of its own: build it with "
            "implementation=1."
        )
    rows = 2 - len(layer.kernel_size)  # a series is a picture of one row

    def forward(a, w):
        a = a[:, None] if rows else a
        size, strides = ((1,) * (1 + rows) + n + (1,) for n in (layer.kernel_size, layer.strides))
        parts = tf.image.extract_patches(a, size, strides, (1, 1, 1, 1), "VALID")
        shape = parts.shape[1 + rows : -1]
        parts = tf.reshape(parts, (-1, *w.shape[:2]))
        return tf.reshape(tf.einsum("npk,pkf->npf", parts, w), (-1, *shape, w.shape[-1]))

    return forward


def _by_element(layer):
    return lambda a, w: a * w


_SEPARABLE = layers.SeparableConv1D, layers.SeparableConv2D
_DEPTHWISE = layers.DepthwiseConv1D, layers.DepthwiseConv2D
_TRANSPOSED = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose
_LOCAL = layers.LocallyConnected1D, layers.LocallyConnected2D
CONVOLUTIONS = layers.Conv1D, layers.Conv2D, layers.Conv3D, *_SEPARABLE, *_DEPTHWISE
CONVOLUTIONS += (*_TRANSPOSED, *_LOCAL)

_FORWARD = {
    layers.Dense: lambda layer: _dense,
    layers.EinsumDense: lambda layer: lambda a, w: tf.einsum(layer.equation, a, w),
    **dict.fromkeys(CONVOLUTIONS, _convolution),
    **dict.fromkeys(_DEPTHWISE, _depthwise),
    **dict.fromkeys(_TRANSPOSED, _transposed),
    **dict.fromkeys(_LOCAL, _local),
    **dict.fromkeys(BY_ELEMENT, _by_element),
    layers.PReLU: lambda layer: _prelu,
}
KINDS = tuple(kind for kind in _FORWARD if kind is not layers.PReLU)  # which have a rule


# ---- layers without weights --------------------------------------------------------------------

MERGING = layers.Add, layers.Average, layers.Concatenate, layers.Maximum, layers.Minimum
MERGING += (layers.Subtract,)
RESIZING = layers.CenterCrop, layers.RandomCrop, layers.Resizing, layers.UpSampling2D


def without_weights(layer, a):
    """What a layer that adds, averages, chooses or moves values makes of the list of its inputs."""
    kind = type(layer)
    if kind in RESIZING and not (kind is layers.UpSampling2D and layer.interpolation == "nearest"):
        return _resized(a[0], resizing(layer, a[0].shape[1:3]))
    y = layer.call(a if kind in MERGING or isinstance(layer, Step) else a[0])
    if kind in _GLOBAL_MAX:
        # The same values by another function, whose gradient goes to the first of equals.
        y = tf.reshape(tf.nn.pool(a[0], a[0].shape[1:-1], "MAX", padding="VALID"), tf.shape(y))
    return y


_GLOBAL_MAX = layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D


def resizing(layer, size):
    """What a layer keeps of a picture's rows and of its columns, and how it resizes them.

    Returns
    -------
    list of (slice, array or None)
        The places that are kept, and the weights of each for each place that is made from them,
        shape (kept, made); None where they stay as they are.
    """
    way = getattr(layer, "interpolation", "bilinear")
    if type(layer) is layers.UpSampling2D:
        made, kept = [n * factor for n, factor in zip(size, layer.size, strict=True)], size
    else:
        made = kept = layer.height, layer.width
        whole = type(layer) is layers.Resizing and not layer.crop_to_aspect_ratio
        smaller = any(n < m for n, m in zip(size, made, strict=True))
        if type(layer) is not layers.CenterCrop or smaller:
            kept = size if whole else _same_aspect(size, made)
    found = []
    for n, k, m in zip(size, kept, made, strict=True):
        first, as_is = (n - k) // 2, k == m and way in ("bilinear", "nearest")
        found.append((slice(first, first + k), None if as_is else _interpolation(k, m, way)))
    return found


def _same_aspect(size, made):
    """Rows and columns that Keras keeps, in its single precision, to have the aspect wanted."""
    (rows, columns), (high, wide) = size, made
    return (
        min(rows, int(np.float32(columns * high) / np.float32(wide))),
        min(columns, int(np.float32(rows * wide) / np.float32(high))),
    )


@cache
def _interpolation(n, m, way):
    """The weight of each of n places for each of m that are made from them."""
    if way == "bilinear":  # in any precision, where TensorFlow's has single precision only
        centres = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
        return np.maximum(1 - abs(centres[None] - np.arange(n)[:, None]), 0)
    # Pictures of one column, with a single place lit.
    lit = np.eye(n, dtype="float32")[..., None, None]
    found = evaluate(lambda t: tf.image.resize(t, (m, 1), way), lit)[..., 0, 0]
    return np.where(abs(found) < 1e-6, 0, found)  # the rest is rounding


def _resized(a, by_axis):
    (rows, by_row), (columns, by_column) = by_axis
    a = a[:, rows, columns]
    if by_row is not None:
        a = tf.einsum("nyxc,yY->nYxc", a, tf.constant(by_row, a.dtype))
    if by_column is not None:
        a = tf.einsum("nyxc,xX->nyXc", a, tf.constant(by_column, a.dtype))
    return a


def mixes_neighbours(layer, a):
    """Does it make pixels of several of the list of its inputs, by an interpolation?"""
    if type(layer) not in RESIZING or getattr(layer, "interpolation", "") == "nearest":
        return False
    return any(weights is not None for _, weights in resizing(layer, a[0].shape[1:3]))


# ---- activations -------------------------------------------------------------------------------

ACTIVATIONS = layers.ReLU, layers.LeakyReLU, layers.ELU, layers.ThresholdedReLU, layers.Softmax
_BY_ELEMENT = (
    "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softplus softsign swish tanh"
).split()


def activation(layer):
    """The function of a layer's values that comes after all else."""
    if type(layer) in ACTIVATIONS:
        return layer.call
    function = getattr(layer, "activation", None) or activations.linear
    if isinstance(function, layers.Layer):
        if function.weights:
            raise NotImplementedError(
                f"The {title(layer)} has the {title(function)} for its activation, with weights: "
                "put it behind, as a layer of its own."
            )
        return function.call
    return function


def over_channels(call):
    """Is a softmax at the end of a layer over the last axis, as a function's always is?"""
    axes = np.atleast_1d(getattr(call.layer, "axis", -1)).tolist()
    return type(call.layer) is not layers.Softmax or axes in ([-1], [len(call.shape) - 1])


def activate(layer, z):
    """A layer's values after its activation."""
    try:
        return activation(layer)(z)
    except (TypeError, ValueError) as error:
        raise NotImplementedError(
            f"The activation of the {title(layer)} does not take {z.dtype.name}: use one of "
            "Keras' own."
        ) from error


def is_by_element(layer, shape, axes=None):
    """Does a layer's activation make each value from that at the same place alone?

    Keras' own are known; any other function is tried, with about half of the places pushed.

    Parameters
    ----------
    layer : keras.layers.Layer
    shape : tuple
        Of its output, with the samples; None where any size will do.
    axes : int, optional
        A place is one along so many axes, with all that it holds along the others; None is all.
    """
    if type(layer) in ACTIVATIONS and type(layer) is not layers.Softmax:
        return True
    function = activation(layer)
    names = (getattr(activations, name, None) for name in _BY_ELEMENT)
    if function in RELU or any(function is known for known in names):
        return True
    axes = len(shape) - 1 if axes is None else axes
    return _stays_in_place(function, tuple(n or 5 for n in shape[1:]), axes, title(layer))


def _stays_in_place(function, shape, axes, name):
    rng, draws = np.random.default_rng(0), max(2, min(16, 2**20 // max(1, np.prod(shape))))
    x, push = rng.normal(0, 1, (2, draws, *shape)).astype("float32")
    pushed = rng.random((draws, *shape[:axes], *(1,) * (len(shape) - axes))) < 0.5
    try:
        before, after = (evaluate(function, some) for some in (x, x + 3 * push * pushed))
    except Exception as error:
        raise NotImplementedError(
            f"The activation of the {name} cannot be tried by itself: use one of Keras' own."
        ) from error
    same = before.shape == x.shape
    return same and not ((abs(after - before) > 1e-5) & ~pushed).any()


def evaluate(function, array):
    """What a function of a tensor gives for an array, in a graph of its own."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return session.run(function(tf.constant(array)))
