"""Keras layers as `geometry` sees them: what each reads along rows and along columns."""

import tensorflow as tf
from tensorflow.keras import layers

from utils.keras_graph import validation
from utils.keras_graph.calls import calls_of, title
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
    positions = {id(model.inputs[0]): 0}
    for call in calls_of(model):
        sources = tuple(positions[key] for key in call.sources)
        axes = _axes(call.layer, [network[source].size for source in sources])
        if axes:
            whole = tuple(axis.length for axis in axes[0])
            if min(whole) < 1:
                raise ValueError(
                    f"Nothing is left of the picture at the {title(call.layer)}: make it larger."
                )
        else:
            axes, shape = (None,) * len(sources), call.layer.get_output_at(0).shape
            whole = tuple(shape[1:3]) if len(shape) == 4 else None
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


def _axes(layer, sizes):
    """For each source the axes along rows and columns; None if every output can see every place."""
    kind = type(layer)
    if None in sizes or kind in (*_GLOBAL, layers.Flatten):
        if isinstance(layer, tf.keras.Model):
            raise _unknown(layer)
        return None
    if kind in _MERGING:
        if getattr(layer, "axis", -1) not in (-1, 3):
            raise NotImplementedError(f"The {title(layer)} must put channels beside each other.")
        whole = tuple(map(max, zip(*sizes, strict=True)))
        return tuple(tuple(map(geometry.same_place, whole, size)) for size in sizes)
    (size,) = sizes
    if kind is layers.Reshape:
        shape = layer.target_shape
        if size == (1, 1):
            return None
        if len(shape) != 3 or tuple(shape[:2]) != size:
            raise NotImplementedError(f"The {title(layer)} moves pixels: build without it.")
    return (tuple(_axis(layer, axis, n) for axis, n in enumerate(size)),)


def _axis(layer, axis, n):
    """A layer with one source of length n, along rows (0) or columns (1)."""
    kind = type(layer)
    if kind in (*_POINTWISE, layers.Reshape):
        return geometry.same_place(n)
    if kind in _POOLING:
        return geometry.window(n, layer.pool_size[axis], layer.strides[axis], 1, _padding(layer))
    if kind is layers.ZeroPadding2D:
        return geometry.shift(n, -layer.padding[axis][0], sum(layer.padding[axis]))
    if kind is layers.Cropping2D:
        return geometry.shift(n, layer.cropping[axis][0], -sum(layer.cropping[axis]))
    if kind is layers.UpSampling2D:
        if layer.interpolation not in ("nearest", "bilinear"):
            raise NotImplementedError(
                f"The {title(layer)} interpolates by {layer.interpolation}: use nearest or "
                "bilinear."
            )
        return geometry.upsampling(n, layer.size[axis], layer.interpolation)
    if kind not in (*_CONVOLUTION, layers.Conv2DTranspose):
        raise _unknown(layer)
    numbers = layer.kernel_size[axis], layer.strides[axis], layer.dilation_rate[axis]
    if kind in _CONVOLUTION:
        return geometry.window(n, *numbers, _padding(layer))
    length = layer.compute_output_shape((None, n, n, layer.input_spec.axes[-1]))[1 + axis]
    return geometry.transposed(n, length, *numbers, layer.padding)


def _padding(layer):
    if layer.padding not in ("same", "valid"):
        raise NotImplementedError(
            f"The {title(layer)} has {layer.padding} padding: use same or valid."
        )
    return layer.padding


def _unknown(layer):
    cure = (
        "put its layers into one flat model"
        if isinstance(layer, tf.keras.Model)
        else "help(utils.receptive_field.trace) lists the layers that are known"
    )
    return NotImplementedError(f"What the {title(layer)} reads is not known: {cure}.")
