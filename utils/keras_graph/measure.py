"""What is measured of a layer's values, in a copy of the network up to this layer.

The network's present weights are read at every call. Single units are read before their layer's
activation function: below zero a ReLU has no slope to climb, and a softmax rises when the other
classes fall (Olah et al. 2017).
"""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

from utils.keras_graph import linear, machine
from utils.plain import plain

_PASSING = layers.Activation, layers.ReLU, layers.Softmax


def copied(model, layer, shape, measure):
    """A machine with a copy of a network up to one layer, and with its present weights.

    Its results are, for each sample, the `measure` of the layer's values z, ``measure(z, chosen)``
    with a mask of them, and the measure's slope along the input.
    """
    try:
        ready = machine.fetch(
            model,
            ("copied", measure, layer.name, shape),
            lambda: _copied(model, layer, shape, measure),
        )
    except (NotImplementedError, TypeError) as error:
        raise NotImplementedError(
            f"Keras cannot copy the network ({plain(error, 200)}): build it from Keras' own layers."
        ) from error
    weights = model.get_weights()
    with ready.inside():
        ready.network.set_weights(weights)
    return ready


def _copied(model, layer, shape, measure):
    before = measure is not mean_square  # the activation function

    def copy(other):
        config = other.get_config()
        if before and other is layer and type(other) in linear.KINDS and "activation" in config:
            config["activation"] = "linear"
        return type(other).from_config(config)

    made = machine.Machine()
    with made.inside():
        made.network = tf.keras.models.clone_model(model, layers.Input(shape), copy)
        same = made.network.get_layer(layer.name)
        passes = before and type(layer) in _PASSING
        z = same.get_input_at(0) if passes else same.get_output_at(0)
        network = tf.keras.Model(made.network.inputs, z)
    outputs = tf.nest.flatten([one.get_output_at(0) for one in network.layers])

    def compute(x, chosen):
        value = measure(network(x, training=False), chosen)
        return [value, *tf.gradients(value, x)], outputs

    return made.write(compute, [np.empty((1, *shape), "float32")], [np.empty(z.shape[1:], bool)])


# ---- measures of a layer's values z, by sample ------------------------------------------------


def _over(reduce, z):
    return reduce(z, list(range(1, z.shape.rank)))


def mean_square(z, chosen):
    return _over(tf.reduce_mean, z**2)


def largest(z, chosen):
    return _over(tf.reduce_max, tf.where(chosen, z, -np.inf))


def log_odds(z, chosen):
    itself = np.where(np.eye(z.shape[-1]), -np.inf, 0)
    return largest(z - tf.reduce_logsumexp(z[..., None, :] + itself, -1), chosen)


def total(z, chosen):
    return _over(tf.reduce_sum, tf.where(chosen, z, 0))
