"""What is measured of a layer's values, in a copy of the network up to this layer.

The network's present weights are read at every call. Single units are read before their layer's
activation function: below zero a ReLU has no slope to climb, and a softmax rises when the other
classes fall (Olah et al. 2017).
"""

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, backend, layers

from utils.keras_graph import linear, machine
from utils.keras_graph.calls import Key, walk
from utils.keras_graph.forecast import in_forecast
from utils.plain import plain

_PASSING = layers.Activation, layers.PReLU, *linear.ACTIVATIONS


def asked(model, layer):
    """The call that gives what a network, or a layer of it by its name, has for its output."""
    calls, keys = walk(model)
    key = keys.get(layer) if calls and layer else calls[-1].target if calls else 0
    found = [call for call in calls if key in call.targets]
    if not found:
        raise ValueError("The model has no layers between its input and what is asked for.")
    return found[0]


def names(model):
    """What `asked` takes: layers, also "outer/inner", and "name_again" for a second use."""
    return list(walk(model)[1])


def copied(model, call, shape, measure):
    """A machine with copies of a network's layers up to a call, and with their present weights.

    Its results are, for each sample, the `measure` of the layer's values z, ``measure(z, chosen)``
    with a mask of them, and the measure's slope along the input.
    """
    try:
        ready = machine.fetch(
            model,
            ("copied", measure, call.name, shape),
            lambda: _copied(model, call, shape, measure),
        )
    except (AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        raise NotImplementedError(
            f"Keras cannot copy the network ({plain(error, 200)}): build it from Keras' own layers."
        ) from error
    values = backend.batch_get_value([w for layer in ready.originals for w in layer.weights])
    with ready.inside():
        backend.batch_set_value(list(zip(ready.weights, values, strict=True)))
    return ready


def _copied(model, call, shape, measure):
    calls, _ = walk(model)
    position = [one.name for one in calls].index(call.name)
    calls = calls[: position + 1]
    before = measure is not mean_square  # the activation function
    originals = list({id(one.layer): one.layer for one in calls}.values())
    made = machine.Machine()
    with made.inside():
        copies = {id(layer): _copy(layer) for layer in originals}
        dtype = model.inputs[0].dtype
        z = _through(calls, copies, layers.Input(shape, dtype=dtype), before)[-1]  # builds them
    made.originals = [layer for layer in originals if copies[id(layer)].built]
    made.weights = [w for layer in made.originals for w in copies[id(layer)].weights]

    def compute(x, chosen):
        outputs = _through(calls, copies, tf.cast(x, dtype), before)
        value = measure(tf.cast(outputs[-1], "float32"), chosen)
        (slope,) = tf.gradients(value, x, unconnected_gradients="zero")
        return [value, slope], outputs

    return made.write(compute, [np.empty((1, *shape), "float32")], [np.empty(z.shape[1:], bool)])


def _copy(layer):
    """A new layer like this one, with weights of its own; its activation may be any function."""
    if "activation" not in vars(layer):
        return type(layer).from_config(layer.get_config())
    kept, layer.activation = layer.activation, activations.linear  # Keras cannot write down all
    try:
        copy = type(layer).from_config(layer.get_config())
    finally:
        layer.activation = kept
    copy.activation = kept
    return copy


def _through(calls, copies, x, before):
    """The values of all calls as in a forecast; of the last before its activation function."""
    values, outputs = {0: x}, []
    for call in calls:
        layer = copies[id(call.layer)]
        last = before and call is calls[-1]
        inner = layer.layer if type(layer) is layers.TimeDistributed else layer
        if last and type(inner) in _PASSING:
            return [*outputs, values[call.sources[0]]]
        arguments, options = tf.nest.map_structure(
            lambda value: values.get(value, value) if isinstance(value, Key) else value,
            call.arguments,
        )
        if type(layer) is layers.Normalization:
            y = _normalized(layer, *arguments)
        elif type(layer) in linear.RESIZING:  # which Keras cannot do back, or does at random
            y = linear.without_weights(layer, arguments)
        elif last and type(inner) in linear.KINDS and "activation" in vars(inner):
            kept, inner.activation = inner.activation, activations.linear
            y = layer(*arguments, **options)
            inner.activation = kept
        else:
            y = layer(*arguments, **options | in_forecast(layer))
        values.update(zip(call.targets, tf.nest.flatten(y), strict=True))
        outputs += tf.nest.flatten(y)
    return outputs


def _normalized(layer, x):
    """As Keras does, but by the weights of the moment; it keeps those of when they were set."""
    if not layer.built or layer.input_mean is not None:
        return layer(x)
    mean, variance = (
        tf.cast(tf.reshape(w, layer._broadcast_shape), x.dtype)
        for w in (layer.adapt_mean, layer.adapt_variance)
    )
    spread = tf.maximum(tf.sqrt(variance), backend.epsilon())
    return mean + x * spread if layer.invert else (x - mean) / spread


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
