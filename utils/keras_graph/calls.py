"""The layers of a Keras network in the order in which they compute."""

from typing import NamedTuple

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import activations, layers

from utils.plain import plain


class Call(NamedTuple):
    """A layer at one place in a network: a layer that is used twice makes two calls."""

    name: str
    layer: keras.layers.Layer
    sources: tuple  # keys of its inputs
    target: int  # key of its output


def calls_of(model):
    """The calls of a sequential or functional network, each after those it reads from.

    Parameters
    ----------
    model : keras.Model
        Built, with one input.

    Returns
    -------
    list of Call
        Without the input layer. ``id(model.inputs[0])`` is the key of the network's input.

    Raises
    ------
    NotImplementedError
        If a layer keeps its channels first, or always runs as in training.
    ValueError
        If there are no layers.
    """
    found, names = [], set()
    for _, nodes in sorted(model._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            if node.is_input:
                continue
            if getattr(node.layer, "data_format", "channels_last") != "channels_last":
                raise NotImplementedError(
                    f"The {title(node.layer)} has its channels first: build it with them last."
                )
            if node.call_kwargs.get("training"):
                raise NotImplementedError(
                    f"The {title(node.layer)} is always in training: call it without training=True."
                )
            name = node.layer.name
            while name in names:
                name += "_again"
            names.add(name)
            sources = tuple(id(tensor) for tensor in node.keras_inputs)
            found.append(Call(name, node.layer, sources, id(node.outputs)))
    if not found:
        raise ValueError("The model has no layers between its input and its output.")
    return found


RELU = activations.relu, tf.nn.relu


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
