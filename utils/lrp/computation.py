"""What `lrp.relevance` computes, written down for a `Machine`."""

from functools import partial

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils.keras_graph import machine, validation
from utils.keras_graph.calls import RELU, activation_of
from utils.keras_graph.linear import Linear
from utils.lrp import propagate

COLUMNS = ["received", "passed_on", "bias", "stabiliser", "unassigned"]  # of the ledger


def run(model, calls, kernels, rules, samples, output, *, pooling, layers, batch_size):
    """Relevance of the input, of the layers, and the ledger's sums, for all samples.

    Weights and the rules' numbers are fed: a network trained on is seen anew, and a rule with
    other numbers needs no other machine.
    """
    signed, dtype = samples.min() < 0, samples.dtype
    weights = {name: kernel[1:] for name, kernel in kernels.items()}
    numbers = {name: [np.asarray(n, dtype) for n in rule.numbers] for name, rule in rules.items()}
    compute = partial(_compute, calls, kernels, rules, signed, pooling, layers)
    setting = samples.shape[1:], dtype, signed, pooling, layers
    ready = machine.fetch(
        model,
        ("lrp", *setting, *(rule.parts for rule in rules.values())),
        lambda: machine.Machine().write(compute, [samples, np.array([0])], [weights, numbers]),
    )
    index = validation.indices(output, ready.output_shape, len(samples))
    return ready.run([samples, index], [weights, numbers], chunk=batch_size)


def _compute(calls, kernels, rules, signed, pooling, layers, x, index, weights, numbers):
    kernels = {name: Linear(k.forward, *weights[name]) for name, k in kernels.items()}
    rules = {name: rule._replace(numbers=numbers[name]) for name, rule in rules.items()}
    fast, forwards = _faster(calls, kernels, rules, signed)
    values = propagate.forward(calls, forwards, x)
    start = machine.picked(values[calls[-1].target], index)
    of_input, of_layers, ledger = propagate.backward(calls, kernels, fast, values, start, pooling)
    nothing = tf.zeros(tf.shape(x)[:1], x.dtype)
    rows = [[row.get(column, nothing) for column in COLUMNS] for row in ledger.values()]
    sums = tf.stack([tf.stack(row, -1) for row in rows], 1)
    return (of_input, of_layers if layers else {}, sums), list(values.values())


# ---- only for speed ---------------------------------------------------------------------------


def _faster(calls, kernels, rules, signed):
    """The rules, which leave out half where no input is negative, and kernels for the way forwards.

    Where a rule's parts add up to all z_ij, as those of alpha-beta do, the layer's output is made
    from them: they are needed anyway, and so cost one convolution less.
    """
    signed = {calls[0].sources[0]} if signed else set()  # keys of what may be negative
    fast, forwards = {}, {}
    for call in calls:
        may_be_negative = not signed.isdisjoint(call.sources)
        if call.name in kernels:
            kernel = forwards[call.name] = kernels[call.name]
        if call.name in rules:
            rule = fast[call.name] = partial(rules[call.name], signed=may_be_negative)
            if rules[call.name].complete:
                from_parts = partial(_from_parts, rule, kernel)
                forwards[call.name] = kernel._replace(forward=from_parts)
        keeps = call.name not in kernels and _keeps_sign(call.layer)
        if activation_of(call.layer) not in RELU and (may_be_negative or not keeps):
            signed.add(call.target)
    return fast, forwards


def _keeps_sign(layer):
    """Does a layer without weights make nothing negative of what is not negative?"""
    return (
        type(layer) is not layers.Subtract
        and activation_of(layer) is activations.linear
        and getattr(layer, "interpolation", "nearest") in ("nearest", "bilinear")
    )


def _from_parts(rule, kernel, a, w):
    """What forward(a, w) gives, as the sum of the parts that the rule makes."""
    sums = [[kernel.forward(*pair) for pair in part.pairs] for part in rule(a, w, kernel.b)]
    return tf.add_n([tf.add_n(some) for some in sums])
