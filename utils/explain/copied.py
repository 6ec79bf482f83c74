"""The copy of a network that heat maps are made from: what it is in a forecast, in one flat model.

Nothing is left to chance, all is in single precision, models inside the model are opened, and what
iNNvestigate or TensorFlow gets wrong is replaced by equal layers.
"""

from contextlib import contextmanager

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils.keras_graph import linear
from utils.keras_graph.calls import activation_of, is_network, title
from utils.keras_graph.forecast import IDENTITY
from utils.plain import plain

PREFIX = "explained_"  # iNNvestigate calls its own layers "add", "multiply", ...: avoid a clash
ONE_CONVOLUTION = {
    layers.SeparableConv1D: layers.Conv1D,
    layers.SeparableConv2D: layers.Conv2D,
}
OF_CONVOLUTIONS = "name dtype filters kernel_size strides padding dilation_rate use_bias activation"


def copy(model, shape, by_rule):
    """A copy of the model for samples of this shape.

    Parameters
    ----------
    model : keras.Model
    shape : tuple
    by_rule : bool
        Replace layers, too, that iNNvestigate's rules get wrong, by equal ones.

    Returns
    -------
    input, output : tensor
    copies : list of (keras.layers.Layer, keras.layers.Layer)
        Each of the model's layers with its copy, but for those that a forecast does without.
    """
    x, copies = layers.Input(shape), {}
    [output] = _rebuilt(model, [x], None, by_rule, copies)
    return x, output, list(copies.values())


def _rebuilt(model, tensors, training, by_rule, copies):
    """The model's outputs for these inputs, by a copy of each layer."""
    made = dict(zip(map(id, model.inputs), tensors, strict=True))

    def new(value):
        return made.get(id(value), value)

    for _, nodes in sorted(model._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            if node.is_input:
                continue
            layer = node.layer
            args, kwargs = tf.nest.map_structure(new, (node.call_args, node.call_kwargs))
            spec, always = layer._call_spec, training
            if spec.arg_was_passed("training", args, kwargs, inputs_in_args=True):
                always = spec.get_arg_value("training", args, kwargs, inputs_in_args=True)
            if is_network(layer):
                results = _rebuilt(layer, tf.nest.flatten(args[0]), always, by_rule, copies)
            elif type(layer) in IDENTITY:
                results = args[0]
            else:
                if always in (True, 1) and isinstance(layer, layers.BatchNormalization):
                    raise NotImplementedError(
                        f"The {title(layer)} is always in training, where each sample changes the "
                        "others: call it without training=True."
                    )
                if layer._expects_training_arg:  # without it Keras leaves augmentation on
                    args, kwargs = spec.set_arg_value(
                        "training", False, args, kwargs, inputs_in_args=True
                    )
                if isinstance(args[0], list) and len({*map(id, args[0])}) < len(args[0]):
                    # What is given twice gets two ways back.
                    args = [layers.Identity()(part) for part in args[0]], *args[1:]
                with _plainly(layer):
                    if id(layer) not in copies:
                        copies[id(layer)] = layer, _copy(layer, len(copies), by_rule)
                    results = copies[id(layer)][1](*args, **kwargs)
            old = map(id, tf.nest.flatten(node.outputs))
            made.update(zip(old, tf.nest.flatten(results), strict=True))
    return [made[id(tensor)] for tensor in model.outputs]


def _copy(layer, number, by_rule):
    """A new layer like this one, or an equal one, with weights of its own."""
    _check_functions(layer)
    config = _single(layer.get_config()) | {"name": f"{PREFIX}{number}_{layer.name}"}
    common = {name: config.get(name) for name in ("name", "dtype")}
    kind = type(layer)
    if isinstance(layer, layers.BatchNormalization):
        config |= {"center": True, "scale": True}  # as weights() gives them
    if kind is layers.ReLU and activation_of(layer) is activations.relu:
        new = layers.Activation("relu", **common)  # LRP has no rule for a ReLU layer
    elif getattr(layer, "groups", 1) > 1 and kind in BY_GROUPS:
        new = BY_GROUPS[kind].from_config(config)
    elif by_rule and kind in ONE_CONVOLUTION:
        new = ONE_CONVOLUTION[kind](**{name: config[name] for name in OF_CONVOLUTIONS.split()})
    elif kind is layers.RandomCrop:
        new = layers.Resizing(layer.height, layer.width, crop_to_aspect_ratio=True, **common)
    elif by_rule and _by_channel(layer):
        new = layers.BatchNormalization(**common)
    else:
        new = kind.from_config(config)
    new.stands_for = title(layer)
    return new


def _by_channel(layer):
    """Does it scale and shift each channel, as batch normalisation does?"""
    if type(layer) is layers.Normalization:
        return layer._keep_axis in ([], [len(layer._broadcast_shape) - 1])
    shifts = type(layer) is layers.Rescaling and linear.has_rule(layer)
    return shifts and max(np.ndim(layer.scale), np.ndim(layer.offset)) < 2


def weights(layer, new, values):
    """A layer's weights as its copy has them.

    Batch normalisation gets mean 0 and variance 1: iNNvestigate's LRP squares the variance and
    forgets to scale the mean, which is harmless for 1 and 0.
    """
    if not new.weights:
        return []
    if isinstance(new, layers.BatchNormalization):
        slope, shift = linear.BY_ELEMENT.get(type(layer), linear.line)(layer, values)
        ones = np.ones(new.gamma.shape)
        scale = np.ravel(slope) * (1 + new.epsilon) ** 0.5
        return [scale * ones, np.ravel(shift) * ones, 0 * ones, ones]
    if type(new) is ONE_CONVOLUTION.get(type(layer)):
        each, over, *bias = values
        over = over.reshape(*each.shape[-2:], -1)
        return [np.einsum("...cm,cmo->...co", each, over), *bias]
    return values


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
