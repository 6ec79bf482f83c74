"""The layers of a Keras network in the order in which they compute.

A network inside the network is followed into. Everything is as in a forecast: nothing is drawn at
random, and batch normalisation uses its moving averages.
"""

from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import activations, layers
from tf_keras.src.engine import functional, sequential

from utils.plain import plain


class Key(int):
    """The number of a value that a network computes; 0 and so on are its inputs."""


class Call(NamedTuple):
    """A layer at one place in a network: a layer that is used twice makes two calls."""

    name: str
    layer: keras.layers.Layer
    sources: tuple  # keys of its inputs
    targets: tuple  # keys of its outputs
    arguments: tuple  # what it is called with, a list and a dict, with keys for values
    shape: Any  # of its output, None where any size will do
    gates: tuple = ()  # keys of values that only scale its inputs, see `unroll`
    part_of: Any = None  # the call of the layer that it is a step of, see `unroll`

    @property
    def target(self):
        """Key of its output."""
        return self.targets[0]


def calls_of(model, output=0):
    """The calls of a sequential or functional network, each after those it reads from.

    Parameters
    ----------
    model : keras.Model
        Built.
    output : int
        Which of its outputs to follow, if there are several.

    Returns
    -------
    list of Call
        Without the input layers, whose keys are 0 and so on; the last gives the network's output.
        Layers of a network inside are named "outer/inner"; "_again" is added for a second use.

    Raises
    ------
    NotImplementedError
        If a layer keeps its channels first, is called with more than its inputs, has several
        outputs, or is a batch normalisation that is always in training.
    ValueError
        If there are no layers.
    """
    calls, _ = walk(model, output)
    for call in calls:
        check(call)
    if not calls:
        raise ValueError("The model has no layers between its input and its output.")
    return calls


def check(call):
    """Refuse a call that cannot be followed, see `calls_of`."""
    layer = call.layer
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise NotImplementedError(
            f"The {title(layer)} has its channels first: build it with them last."
        )
    given, options = call.arguments
    known = ATTENTION if type(layer) is layers.MultiHeadAttention else ("training",)
    more = [k for k, v in options.items() if not (k in known or v is None or v is False)]
    if more or len(given) > 1 or not all(isinstance(v, Key) for v in tf.nest.flatten(given)):
        raise NotImplementedError(
            f"The {title(layer)} is called with {' and '.join(more) or 'a constant'}, which "
            "cannot be followed: call it with the outputs of other layers alone."
        )
    if len(call.targets) > 1:
        raise NotImplementedError(f"The {title(layer)} has several outputs: give it one.")
    if isinstance(layer, layers.BatchNormalization) and call.arguments[1].get("training"):
        raise NotImplementedError(
            f"The {title(layer)} is always in training: call it without training=True."
        )


ATTENTION = "training", "value", "key", "use_causal_mask"  # which attention may be called with


def walk(model, output=0):
    """The calls of a network, of whatever kind, and keys of values by name.

    The names are those of the calls, "outer/inner" in networks inside, and of the networks inside,
    for their outputs. Calls that the output does not need are left out.
    """
    calls, keys, inputs = [], {}, [Key(i) for i in range(len(model.inputs))]
    found = _follow(model, "", inputs, calls, keys, [inputs[-1]])
    del keys[""]
    needed, kept = {found[output]}, []
    for call in reversed(calls):
        if not needed.isdisjoint(call.targets):
            needed.update(call.sources)
            kept.append(call)
    return kept[::-1], {name: key for name, key in keys.items() if key in needed}


def _follow(model, inside, inputs, calls, keys, count, training=None):
    """Append the calls of a network, and return the keys of its outputs."""
    key_of = {id(tensor): key for tensor, key in zip(model.inputs, inputs, strict=True)}
    for _, nodes in sorted(model._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            if node.is_input:
                continue
            name = inside + node.layer.name
            while name in keys:
                name += "_again"
            sources = [key_of[id(tensor)] for tensor in node.keras_inputs]
            outputs = tf.nest.flatten(node.outputs)
            given, options = _arguments(node)
            if training and node.layer._call_spec.expects_training_arg:
                options.setdefault("training", training)  # a network tells its layers
            if is_network(node.layer) and _fit(node):
                keys[name] = None  # taken
                always = options.get("training")
                targets = _follow(node.layer, f"{name}/", sources, calls, keys, count, always)
            else:
                targets = [Key(count[0] + 1 + i) for i in range(len(outputs))]
                count[0] += len(outputs)
                arguments = _with_keys((given, options), key_of)
                layer, shape = _unwrapped(node.layer), tuple(outputs[0].shape)
                calls.append(Call(name, layer, tuple(sources), tuple(targets), arguments, shape))
            keys[name] = targets[0]
            key_of.update({id(t): key for t, key in zip(outputs, targets, strict=True)})
    found = [key_of[id(tensor)] for tensor in model.outputs]
    keys[inside.removesuffix("/")] = found[0]
    return found


def _with_keys(given, key_of):
    """A nest with keys for its tensors: as `tf.nest` does it, in a tenth of the time."""
    if type(given) in (list, tuple):
        return type(given)(_with_keys(value, key_of) for value in given)
    if type(given) is dict:
        return {name: _with_keys(value, key_of) for name, value in given.items()}
    return key_of.get(id(given), given)


def _arguments(node):
    """What a layer is called with: a list, and a dict of what has a name."""
    given, more = list(node.call_args), dict(node.call_kwargs)
    names = node.layer._call_spec.arg_names[1:]
    if len(given) - 1 > len(names):
        return given, more
    return given[:1], dict(zip(names, given[1:], strict=False)) | more


def is_network(layer):
    """Is it a model that calls its layers as they are connected, and nothing else?"""
    own = functional.Functional.call, sequential.Sequential.call
    return type(layer).call in own and bool(layer._is_graph_network)


def _fit(node):
    """Does a network take what it is called with as it comes?"""
    given, wanted = node.keras_inputs, node.layer.inputs
    return [tensor.shape.rank for tensor in given] == [tensor.shape.rank for tensor in wanted]


def _unwrapped(layer):
    """The layer that computes a forecast."""
    return layer.layer if type(layer) is layers.SpectralNormalization else layer


RELU = activations.relu, tf.nn.relu
SOFTMAX = activations.softmax, tf.nn.softmax
HEADS = *SOFTMAX, activations.sigmoid, tf.nn.sigmoid
SIGMOIDS = activations.sigmoid, tf.nn.sigmoid, activations.hard_sigmoid


def activation_of(layer):
    """The function after a layer, None for a kind of ReLU that is none."""
    if type(layer) is layers.Softmax:
        return activations.softmax
    if type(layer) is layers.ReLU:
        plain = layer.max_value is None and not (layer.negative_slope or layer.threshold)
        return activations.relu if plain else None
    return getattr(layer, "activation", activations.linear)


def title(layer):
    """Name and class of a layer, for messages."""
    return f"layer {plain(layer.name)!r} ({type(layer).__name__})"
