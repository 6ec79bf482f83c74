"""The copy of a network that heat maps are made from: what it is in a forecast, in one flat model.

Nothing is left to chance, all is in single precision, models inside the model are opened, and what
iNNvestigate or TensorFlow gets wrong is replaced by equal layers.
"""

from contextlib import contextmanager

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, backend, layers

from utils.keras_graph import linear
from utils.keras_graph.calls import activation_of, title
from utils.plain import plain

PREFIX = "explained_"  # iNNvestigate calls its own layers "add", "multiply", ...: avoid a clash
ONE_CONVOLUTION = {
    layers.SeparableConv1D: layers.Conv1D,
    layers.SeparableConv2D: layers.Conv2D,
}
AUGMENTATION = tuple(getattr(layers, name) for name in dir(layers) if name.startswith("Random"))
OF_CONVOLUTIONS = "name dtype filters kernel_size strides padding dilation_rate use_bias activation"


def leaves(model):
    """The model's layers, each once; a model inside it is replaced by its layers."""
    found = {}
    for layer in model.layers:
        some = leaves(layer) if _is_network(layer) else [layer]
        found |= {id(one): one for one in some}
    return list(found.values())


def settings(model):
    """All that can be set in the model's layers, as text; their weights are not among it."""
    return repr([_config(layer) for layer in leaves(model)])


def copy(model, shape, by_rule):
    """A copy of the model for samples of this shape, and the copies of all `leaves`.

    Parameters
    ----------
    model : keras.Model
    shape : tuple
    by_rule : bool
        Replace layers, too, that iNNvestigate's rules get wrong, by equal ones.

    Returns
    -------
    input, output : tensor
    copies : list of keras.layers.Layer or None
        None for layers that the output does not need.
    """
    x, copies = layers.Input(shape), {}
    [output] = _rebuilt(model, [x], None, by_rule, copies)
    return x, output, [copies.get(id(layer)) for layer in leaves(model)]


def _rebuilt(model, tensors, training, by_rule, copies):
    """The model's outputs for these inputs, by a copy of each layer."""
    made = {}

    def keep(keys, tensors):  # as often as they are used: Keras takes one out at each use
        for key, tensor in zip(keys, tensors, strict=True):
            made[key] = [tensor] * model._tensor_usage_count[key]

    keep([str(id(tensor)) for tensor in model.inputs], tensors)
    for _, nodes in sorted(model._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            if node.is_input:
                continue
            layer = node.layer
            args, kwargs = node.map_arguments(made)
            always = kwargs.pop("training", training)
            if _is_network(layer):
                results = _rebuilt(layer, tf.nest.flatten(args), always, by_rule, copies)
            else:
                if always in (True, 1) and isinstance(layer, layers.BatchNormalization):
                    raise NotImplementedError(
                        f"The {title(layer)} is always in training, where each sample changes the "
                        "others: call it without training=True."
                    )
                with _plainly(layer):
                    if id(layer) not in copies:
                        copies[id(layer)] = _copy(layer, len(copies), by_rule)
                    results = copies[id(layer)](*args, **kwargs)
            keep(node.flat_output_ids, tf.nest.flatten(results))
    return [made[str(id(tensor))][-1] for tensor in model.outputs]


def _is_network(layer):
    """Is it a model that is the layers it is made of, and no code of its own?"""
    return isinstance(layer, tf.keras.Model) and type(layer).__module__.startswith("tf_keras.")


def _copy(layer, number, by_rule):
    """A new layer like this one, or an equal one, with weights of its own."""
    config = _single(_config(layer)) | {"name": f"{PREFIX}{number}_{layer.name}"}
    common = {name: config.get(name) for name in ("name", "dtype")}
    if isinstance(layer, layers.BatchNormalization):
        config |= {"center": True, "scale": True}  # as weights() gives them
    if type(layer) is layers.ReLU and activation_of(layer) is activations.relu:
        new = layers.Activation("relu", **common)  # LRP has no rule for a ReLU layer
    elif getattr(layer, "groups", 1) > 1 and type(layer) in BY_GROUPS:
        new = BY_GROUPS[type(layer)].from_config(config)
    elif by_rule and type(layer) in ONE_CONVOLUTION:
        new = ONE_CONVOLUTION[type(layer)](
            **{name: config[name] for name in OF_CONVOLUTIONS.split()}
        )
    elif by_rule and _line(layer) is not None:
        new = layers.BatchNormalization(**common)
    else:
        new = _in_forecast(layer, config)
    new.stands_for = title(layer)
    return new


def _in_forecast(layer, config=None):
    """A new layer like this one, that does what this one does in a forecast.

    Keras leaves augmentation on, unless it is told otherwise.
    """
    if isinstance(layer, tf.keras.Model):
        return tf.keras.models.clone_model(layer, clone_function=_in_forecast)
    config = _single(layer.get_config()) if config is None else config
    common = {name: config.get(name) for name in ("name", "dtype")}
    if isinstance(layer, layers.RandomCrop):
        return layers.Resizing(layer.height, layer.width, crop_to_aspect_ratio=True, **common)
    if isinstance(layer, AUGMENTATION):
        return layers.Identity(**common)
    new = type(layer).from_config(config)
    if isinstance(layer, layers.TimeDistributed):
        inside = layer.layer
        if isinstance(inside, (*AUGMENTATION, tf.keras.Model)):
            new.layer = _in_forecast(inside)
    return new


def weights(layer, new, values):
    """A layer's weights as its copy has them.

    Batch normalisation gets mean 0 and variance 1: iNNvestigate's LRP squares the variance and
    forgets to scale the mean, which is harmless for 1 and 0.
    """
    if not new.weights:
        return []
    if isinstance(new, layers.BatchNormalization):
        slope, shift = _line(layer, values) or linear.line(layer, values)
        scale, zero = slope * (1 + new.epsilon) ** 0.5, np.zeros(new.gamma.shape)
        return [scale + zero, shift + zero, zero, zero + 1]
    if type(new) is ONE_CONVOLUTION.get(type(layer)):
        each, over, *bias = values
        over = over.reshape(*each.shape[-2:], -1)
        return [np.einsum("...cm,cmo->...co", each, over), *bias]
    return values


def _line(layer, values=()):
    """Slope and shift, by channel, of a layer that does the same to all values of a channel.

    None for any other layer, and if there is no shift. Batch normalisation is not asked.
    """
    if type(layer) is layers.Rescaling:
        slope, shift = np.asarray(layer.scale, float), np.asarray(layer.offset, float)
        return (slope, shift) if shift.any() and max(slope.ndim, shift.ndim) < 2 else None
    if type(layer) is not layers.Normalization or layer._keep_axis not in (
        [],
        [len(layer._broadcast_shape) - 1],
    ):
        return None
    given = layer.input_mean is not None
    mean, variance = (layer.input_mean, layer.input_variance) if given else values[:2] or (0, 1)
    mean, scale = np.ravel(mean), np.maximum(np.sqrt(np.ravel(variance)), backend.epsilon())
    return (scale, mean) if layer.invert else (1 / scale, -mean / scale)


def without_head(output):
    """The tensor before a softmax or sigmoid at the end of the network."""
    layer, node, _ = output._keras_history
    heads = activations.softmax, activations.sigmoid
    if isinstance(layer, layers.Softmax):
        return layer.get_input_at(node)
    if getattr(layer, "activation", None) not in heads:
        return output
    if isinstance(layer, layers.Activation):
        return layer.get_input_at(node)
    layer.activation = activations.linear
    return layer(layer.get_input_at(node))


def _by_groups(kind):
    """A convolution in groups with a gradient: TensorFlow has none for it on a CPU."""

    class ByGroups(kind):
        def convolution_op(self, inputs, kernel):
            parts = zip(
                tf.split(inputs, self.groups, -1), tf.split(kernel, self.groups, -1), strict=True
            )
            return tf.concat([kind.convolution_op(self, *part) for part in parts], -1)

        _jit_compiled_convolution_op = convolution_op

    return ByGroups


BY_GROUPS = {kind: _by_groups(kind) for kind in (layers.Conv1D, layers.Conv2D, layers.Conv3D)}


def _single(config):
    """A layer's configuration with single precision in it and in all layers inside it."""
    if isinstance(config, dict):
        return {
            key: "float32" if key == "dtype" and "float" in str(value) else _single(value)
            for key, value in config.items()
        }
    return [_single(value) for value in config] if isinstance(config, list) else config


def _check_functions(layer):
    """Refuse an activation whose code is not known; a copy by its name may be another function."""
    for name in ("activation", "recurrent_activation"):
        function = getattr(layer, name, None)
        module = getattr(function, "__module__", None) or type(function).__module__
        if callable(function) and module.split(".")[0] not in ("keras", "tf_keras", "tensorflow"):
            raise NotImplementedError(
                f"The activation of the {title(layer)} is code of its own: build the layer with "
                "one of Keras' functions or layers instead."
            )


def _config(layer):
    _check_functions(layer)
    with _plainly(layer):
        return layer.get_config()


@contextmanager
def _plainly(layer):
    """Say in one sentence that a layer cannot be copied."""
    try:
        yield
    except Exception as error:
        if isinstance(error, NotImplementedError) and repr(plain(layer.name)) in str(error):
            raise
        raise NotImplementedError(
            f"The {title(layer)} cannot be copied ({plain(error, 120)}): build the network from "
            "Keras' own layers, or write get_config and call of this one for any input."
        ) from error
