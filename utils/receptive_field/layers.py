"""Keras layers as `geometry` sees them: what each reads along rows and along columns."""

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
        Sequential or functional, from (sample, y, x, channel).
    size : (int, int), optional
        Rows and columns of the input, if the network takes any.

    Returns
    -------
    list of geometry.Layer
        The input, then all layers in the order in which they compute.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If the network or a layer is of another kind, or the size is not known.
    """
    network = [geometry.Layer(input_size(model, size))]
    positions = {0: 0}
    for call in calls_of(model):
        sources = tuple(positions[key] for key in call.sources)
        axes = _axes(call, [network[source].size for source in sources])
        if axes:
            whole = tuple(axis.length for axis in axes[0])
            if min(whole) < 1:
                raise ValueError(
                    f"Nothing is left of the picture at the {title(call.layer)}: make it larger."
                )
        else:
            axes, shape = (None,) * len(sources), call.shape
            whole = tuple(shape[1:3]) if len(shape) == 4 else None
            if whole and None in whole:
                raise NotImplementedError(
                    f"The size of what the {title(call.layer)} makes is not known: build the "
                    "network for one size."
                )
        positions[call.target] = len(network)
        network.append(geometry.Layer(whole, sources, axes, call))
    return network


def input_size(model, size=None):
    """Rows and columns of a network's input: its own, or the ones asked for if it takes any."""
    validation.check_model(model)
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
        validation.check_count("size", number)
    if any(known not in (None, asked) for known, asked in zip(shape, size, strict=False)):
        raise ValueError(f"size is {size}, but the network takes {shape[:2]}: leave it out.")
    return size


_POINTWISE = *IDENTITY, *linear.ACTIVATIONS, layers.Activation, layers.PReLU, layers.Dense
_POINTWISE += layers.BatchNormalization, layers.Normalization, layers.Rescaling
_NORMALIZING = layers.GroupNormalization, layers.LayerNormalization, layers.UnitNormalization
_MERGING = layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum
_MERGING += layers.Minimum, layers.Concatenate
_GLOBAL = layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D
_CONVOLUTION = layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D
_CONVOLUTION += (layers.LocallyConnected2D,)
_POOLING = layers.MaxPooling2D, layers.AveragePooling2D


def _axes(call, sizes):
    """For each source the axes along rows and columns; None if every output can see every place."""
    layer, kind = call.layer, type(call.layer)
    if None in sizes or kind in (*_GLOBAL, layers.Flatten):
        if isinstance(layer, tf.keras.Model):
            raise _unknown(layer)
        return None
    if kind in _MERGING:
        if getattr(layer, "axis", -1) not in (-1, 3):
            raise NotImplementedError(f"The {title(layer)} must put channels beside each other.")
        whole = tuple(map(max, zip(*sizes, strict=True)))
        return tuple(tuple(map(geometry.same_place, whole, size)) for size in sizes)
    if len(sizes) > 1:
        raise _unknown(layer)
    (size,) = sizes
    if kind is layers.Reshape:
        shape = layer.target_shape
        if size == (1, 1):
            return None
        if len(shape) != 3 or tuple(shape[:2]) != size:
            raise NotImplementedError(f"The {title(layer)} moves pixels: build without it.")
    if 0 in _mixed(layer) or kind is layers.GroupNormalization and layer.axis not in (-1, 3):
        raise NotImplementedError(f"The {title(layer)} must work along channels, rows or columns.")
    axes = tuple(_axis(layer, axis, n, size) for axis, n in enumerate(size))
    _check_activation(call, axes)
    return (axes,)


def _axis(layer, axis, n, size):
    """A layer with one source of length n, along rows (0) or columns (1)."""
    kind = type(layer)
    if axis + 1 in _mixed(layer):
        return geometry.whole(n)
    if kind in (*_POINTWISE, *_NORMALIZING, layers.Reshape):
        return geometry.same_place(n)._replace(fixed=_hangs_on_the_size(layer))
    if kind in _POOLING:
        return geometry.window(n, layer.pool_size[axis], layer.strides[axis], 1, _padding(layer))
    if kind is layers.ZeroPadding2D:
        return geometry.shift(n, -layer.padding[axis][0], sum(layer.padding[axis]))
    if kind is layers.Cropping2D:
        return geometry.shift(n, layer.cropping[axis][0], -sum(layer.cropping[axis]))
    if kind in linear.RESIZING:
        return _resized(layer, axis, n, size)
    if kind not in (*_CONVOLUTION, layers.Conv2DTranspose):
        raise _unknown(layer)
    numbers = layer.kernel_size[axis], layer.strides[axis]
    numbers += (getattr(layer, "dilation_rate", (1, 1))[axis],)
    if kind in _CONVOLUTION:
        found = geometry.window(n, *numbers, _padding(layer))
        return found._replace(fixed=kind is layers.LocallyConnected2D)
    length = layer.compute_output_shape((None, n, n, layer.input_spec.axes[-1]))[1 + axis]
    return geometry.transposed(n, length, *numbers, layer.padding)


def _mixed(layer):
    """The axes along which a layer makes each value from all, counted with the samples as 0."""
    kind = type(layer)
    if kind is layers.GroupNormalization:
        return 1, 2, 3  # and the samples' other channels
    if kind in (layers.Softmax, *_NORMALIZING):
        return [axis % 4 for axis in np.ravel(layer.axis).tolist()]
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
    if not linear.is_by_element(call.layer, shape, axes=2):
        raise NotImplementedError(
            f"The activation of the {title(call.layer)} makes pixels from others, and which is not "
            "known: use one of Keras' own."
        )


def _padding(layer):
    if layer.padding not in ("same", "valid"):
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
