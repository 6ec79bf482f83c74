"""Keras layers as `geometry` sees them: what each reads along rows, columns and steps."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

from utils.keras_graph import linear, validation
from utils.keras_graph.calls import calls_of, title
from utils.keras_graph.forecast import IDENTITY
from utils.plain import plain
from utils.receptive_field import geometry


def geometry_of(model, size=None):
    """A network's layers for `geometry`, each with its `Call` in the network.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, from (sample, y, x, channel), a series (sample, step, channel), or
        a film (sample, step, y, x, channel).
    size : tuple of int, optional
        Rows and columns of the input, or what its axes are, if the network takes any.

    Returns
    -------
    list of geometry.Layer
        The input, then all layers in the order in which they compute.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If the network or a layer is of another kind, or the size is not known.
    """
    size = input_size(model, size)
    network = [geometry.Layer(size, kept=tuple(range(len(size))))]
    positions = {0: 0}
    for call in calls_of(model):
        sources = tuple(positions[key] for key in call.sources)
        positions[call.target] = len(network)
        network.append(_layer(call, sources, network))
    return network


def _layer(call, sources, network):
    """A call as a `geometry.Layer`."""
    below = [network[source] for source in sources]
    own = [layer.size and tuple(layer.size[k] for k in layer.kept) for layer in below]
    (kept, *others) = dict.fromkeys(layer.kept for layer in below)
    if others and None not in own:
        raise _unknown(call.layer)
    ways = _ways(call, own)
    n, left = len(network[0].size), len(call.shape) - 2
    if ways is None or left < 1:
        kept = tuple(range(n))[-left:] if 1 < left <= n else (0,)
        if not 1 <= left <= n:
            return geometry.Layer(None, sources, (None,) * len(sources), call)
        if None in call.shape[1:-1]:
            raise NotImplementedError(
                f"The size of what the {title(call.layer)} makes is not known: build the "
                "network for one size."
            )
        size = [1] * n
        for k, length in zip(kept, call.shape[1:-1], strict=True):
            size[k] = length
        return geometry.Layer(tuple(size), sources, (None,) * len(sources), call, kept)
    if left > len(kept):
        raise _unknown(call.layer)
    axes = []
    for _, some in ways:  # an axis that is gone has one place
        every = [geometry.same_place(1)] * n
        for k, axis in zip(kept, some, strict=True):
            every[k] = axis
        axes.append(tuple(every))
    size = tuple(axis.length for axis in axes[0])
    if min(size) < 1:
        raise ValueError(
            f"Nothing is left of the picture at the {title(call.layer)}: make it larger."
        )
    if left < len(kept):  # the steps are gone, or pixels within each step
        kept = kept[:1] if type(call.layer) is layers.TimeDistributed else kept[1:]
    return geometry.Layer(size, tuple(sources[i] for i, _ in ways), tuple(axes), call, kept)


NAMES = {1: "steps", 2: "rows and columns", 3: "steps, rows and columns"}


def input_size(model, size=None):
    """The size of a network's input along its axes: its own, or what is asked if it takes any."""
    validation.check_model(model)
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) - 1 not in NAMES:
        raise NotImplementedError(
            "Receptive fields are for pictures, shape (sample, y, x, channel), series (sample, "
            f"step, channel) and films (sample, step, y, x, channel), not {shape}."
        )
    example = (256,) * (len(shape) - 1)
    if size is None:
        if None in shape[:-1]:
            raise ValueError(f"The network takes any size: say which, as in size={example}.")
        return shape[:-1]
    try:
        size = tuple(size)
    except TypeError:
        size = ()
    if len(size) != len(example):
        raise TypeError(f"size must be {NAMES[len(example)]} of the input, as in size={example}.")
    for number in size:
        validation.check_count("size", number)
    if any(known not in (None, asked) for known, asked in zip(shape, size, strict=False)):
        raise ValueError(f"size is {size}, but the network takes {shape[:-1]}: leave it out.")
    return size


_POINTWISE = *IDENTITY, *linear.ACTIVATIONS, layers.Activation, layers.PReLU, layers.Dense
_POINTWISE += layers.BatchNormalization, layers.Normalization, layers.Rescaling
_NORMALIZING = layers.GroupNormalization, layers.LayerNormalization, layers.UnitNormalization
_MERGING = layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum
_MERGING += layers.Minimum, layers.Concatenate
_GLOBAL = layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D, layers.GlobalAveragePooling2D
_GLOBAL += layers.GlobalMaxPooling2D, layers.GlobalAveragePooling3D, layers.GlobalMaxPooling3D
_TRANSPOSED = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose
_LOCAL = layers.LocallyConnected1D, layers.LocallyConnected2D
_CONVOLUTION = tuple(kind for kind in linear.CONVOLUTIONS if kind not in _TRANSPOSED)
_POOLING = layers.MaxPooling1D, layers.AveragePooling1D, layers.MaxPooling2D
_POOLING += layers.AveragePooling2D, layers.MaxPooling3D, layers.AveragePooling3D
_PADDING = layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D
_CROPPING = layers.Cropping1D, layers.Cropping2D, layers.Cropping3D
_RECURRENT = layers.SimpleRNN, layers.LSTM, layers.GRU
_CONV_LSTM = layers.ConvLSTM1D, layers.ConvLSTM2D


def _ways(call, sizes):
    """The ways in which a layer reads: which source, and for each of its axes how.

    None if every output can see every place.
    """
    layer, kind = call.layer, type(call.layer)
    if len(sizes) > 1 and kind in (*_RECURRENT, *_CONV_LSTM, layers.Bidirectional):
        raise _unknown(layer)  # it is given its first state
    if None in sizes or kind in (*_GLOBAL, layers.Flatten):
        if isinstance(layer, tf.keras.Model):
            raise _unknown(layer)
        return None
    if kind in _MERGING:
        if getattr(layer, "axis", -1) not in (-1, len(sizes[0]) + 1):
            raise NotImplementedError(f"The {title(layer)} must put channels beside each other.")
        whole = tuple(map(max, zip(*sizes, strict=True)))
        return [(i, tuple(map(geometry.same_place, whole, size))) for i, size in enumerate(sizes)]
    if kind is layers.MultiHeadAttention:
        return _attention(call, sizes)
    if len(sizes) > 1:
        raise _unknown(layer)
    (size,) = sizes
    if kind in (*_RECURRENT, *_CONV_LSTM):
        return [(0, axes) for axes in _recurrent(layer, size, call)]
    if kind is layers.Bidirectional:
        ends = layer.forward_layer, layer.backward_layer
        if type(layer.layer) not in (*_RECURRENT, *_CONV_LSTM):
            raise _unknown(layer)
        return [(0, axes) for i in (0, 1) for axes in _recurrent(ends[i], size, call, bool(i))]
    if kind is layers.TimeDistributed:
        return _at_each_step(call, size)
    if kind is layers.Reshape:
        shape = layer.target_shape
        if max(size) == 1:
            return None
        if tuple(shape[:-1]) != size:
            raise NotImplementedError(f"The {title(layer)} moves pixels: build without it.")
    rank = len(size)
    if 0 in _mixed(layer, rank) or (
        kind is layers.GroupNormalization and layer.axis not in (-1, rank + 1)
    ):
        raise NotImplementedError(f"The {title(layer)} must work along channels, rows or columns.")
    axes = tuple(_axis(layer, axis, n, size) for axis, n in enumerate(size))
    _check_activation(call, axes)
    return [(0, axes)]


def _recurrent(layer, size, call, turned=False):
    """A recurrent layer's ways of reading: one, or one for each step before in a ConvLSTM."""
    n, *pixels = size
    last = not layer.return_sequences
    how = {"backwards": layer.go_backwards, "last": last, "turned": turned and not last}
    if not pixels:
        return [(geometry.earlier(n, range(n), **how),)]
    given = [
        geometry.window(
            length, layer.kernel_size[k], layer.strides[k], layer.dilation_rate[k], _padding(layer)
        )
        for k, length in enumerate(pixels)
    ]
    shape = (None, *(axis.length for axis in given), layer.filters)
    for function in (layer.activation, layer.recurrent_activation):
        if not linear.is_by_element(layers.Activation(function), shape, axes=len(pixels)):
            raise NotImplementedError(
                f"An activation of the {title(call.layer)} makes pixels from others, and which is "
                "not known: use one of Keras' own."
            )
    # What came in some steps ago went through the recurrent convolution as often.
    return [
        (
            geometry.earlier(n, [lag], **how),
            *(geometry.widened(a, k, lag) for a, k in zip(given, layer.kernel_size, strict=True)),
        )
        for lag in range(n)
    ]


def _at_each_step(call, size):
    """A layer inside TimeDistributed, by its own axes."""
    n, *within = size
    inner = call._replace(layer=call.layer.layer, shape=(None, *call.shape[2:]))
    others = *_RECURRENT, *_CONV_LSTM, layers.Bidirectional, layers.TimeDistributed
    if isinstance(inner.layer, tf.keras.Model) or type(inner.layer) in others:
        raise _unknown(call.layer)
    if not within:  # a vector at each step
        return [(0, (geometry.same_place(n),))]
    found = _ways(inner, [tuple(within)])
    if found is None:
        if len(inner.shape) > 2:
            raise _unknown(call.layer)
        found = [(0, tuple(geometry.whole(k)._replace(length=1) for k in within))]
    return [(i, (geometry.same_place(n), *axes)) for i, axes in found]


def _attention(call, sizes):
    """Attention: a query reads its own place, and all values that it may attend to."""
    layer, (given, options) = call.layer, call.arguments
    causal = options.get("use_causal_mask")
    along = [axis - 1 for axis in layer._attention_axes]
    if causal and along != [0]:
        raise NotImplementedError(
            f"The {title(layer)} with a causal mask must attend along its first axis alone."
        )
    asked, *others = (call.sources.index(k) for k in (*given, options["value"]))
    others += [call.sources.index(k) for k in (options.get("key"),) if k is not None]
    query, value = sizes[asked], sizes[others[0]]
    within = asked in others  # what is asked is among what is attended to
    alone = all(value[k] == 1 for k in along)  # a single value is taken whatever is asked
    ways = []
    for position, source in enumerate((asked, *others)):
        axes = [geometry.same_place(n) for n in sizes[source]]
        for k in along:
            if causal:
                if position > 0:
                    axes[k] = geometry.earlier(query[k], range(query[k]))
                if position != 1 and not within:  # the first place has but one value to take
                    axes[k] = geometry.but_first(axes[k])
            elif position > 0 or within:
                axes[k] = geometry.whole(value[k])._replace(length=query[k])
        if alone and position != 1:
            axes = [geometry.nothing(axis) for axis in axes]
        ways.append((source, tuple(axes)))
    return ways


def _axis(layer, axis, n, size):
    """A layer with one source of length n, along rows (0), columns (1), ..."""
    kind, rank = type(layer), len(size)
    if axis + 1 in _mixed(layer, rank):
        return geometry.whole(n)
    if kind in (*_POINTWISE, *_NORMALIZING, layers.Reshape):
        return geometry.same_place(n)._replace(fixed=_hangs_on_the_size(layer))
    if kind in _POOLING:
        width, stride = (np.ravel(part)[axis] for part in (layer.pool_size, layer.strides))
        return geometry.window(n, int(width), int(stride), 1, _padding(layer))
    if kind in (*_PADDING, *_CROPPING):
        widths = layer.padding if kind in _PADDING else layer.cropping
        before, after = (int(width) for width in np.reshape(widths, (-1, 2))[axis])
        if kind in _CROPPING:
            return geometry.shift(n, before, -before - after)
        return geometry.shift(n, -before, before + after)
    if kind in (layers.UpSampling1D, layers.UpSampling3D):
        return geometry.upsampling(n, int(np.ravel(layer.size)[axis]))
    if kind in linear.RESIZING:
        return _resized(layer, axis, n, size)
    if kind not in (*_CONVOLUTION, *_TRANSPOSED):
        raise _unknown(layer)
    numbers = layer.kernel_size[axis], layer.strides[axis]
    numbers += (getattr(layer, "dilation_rate", (1,) * rank)[axis],)
    if kind in _CONVOLUTION:
        found = geometry.window(n, *numbers, _padding(layer))
        return found._replace(fixed=kind in _LOCAL)
    shape = None, *(n,) * rank, layer.input_spec.axes[-1]
    length = layer.compute_output_shape(shape)[1 + axis]
    return geometry.transposed(n, length, *numbers, layer.padding)


def _mixed(layer, rank):
    """The axes along which a layer makes each value from all, counted with the samples as 0."""
    kind = type(layer)
    if kind is layers.GroupNormalization:
        return range(1, rank + 2)  # and the samples' other channels
    if kind in (layers.Softmax, *_NORMALIZING):
        return [axis % (rank + 2) for axis in np.ravel(layer.axis).tolist()]
    return ()


def _hangs_on_the_size(layer):
    """Is it built for one size of the picture, for example with weights for each pixel?"""
    if type(layer) is layers.Reshape:
        return True
    if type(layer) is layers.PReLU:
        return not {1, 2} <= set(layer.shared_axes or ())
    kinds = layers.BatchNormalization, layers.Normalization
    return type(layer) in kinds and any(axis % 4 in (1, 2) for axis in np.ravel(layer.axis))


def _resized(layer, axis, n, size):
    """Upsampling, resizing or cropping to a size."""
    upsampling = type(layer) is layers.UpSampling2D
    if upsampling and layer.interpolation in ("nearest", "bilinear"):
        return geometry.upsampling(n, layer.size[axis], layer.interpolation)
    kept, weights = linear.resizing(layer, size)[axis]
    weights = np.eye(kept.stop - kept.start) if weights is None else weights
    return geometry.resized(kept.start, weights, upsampling)


def _check_activation(call, axes):
    """Refuse an activation that makes a pixel from others."""
    shape = (None, *(axis.length for axis in axes), call.shape[-1])
    if type(call.layer) in linear.ACTIVATIONS:
        return
    if not linear.is_by_element(call.layer, shape, axes=len(axes)):
        raise NotImplementedError(
            f"The activation of the {title(call.layer)} makes pixels from others, and which is not "
            "known: use one of Keras' own."
        )


def _padding(layer):
    if layer.padding not in ("same", "valid", "causal"):
        raise NotImplementedError(
            f"The {title(layer)} has {plain(layer.padding)} padding: use same or valid."
        )
    return layer.padding


def _unknown(layer):
    cure = (
        "put its layers into one flat model"
        if isinstance(layer, tf.keras.Model)
        else "help(utils.receptive_field.trace) lists the layers that are known"
    )
    return NotImplementedError(f"What the {title(layer)} reads is not known: {cure}.")
