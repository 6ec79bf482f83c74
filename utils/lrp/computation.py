"""What `lrp.relevance` computes, written down for a `Machine`."""

from functools import partial

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils.keras_graph import machine, validation
from utils.keras_graph.calls import RELU, activation_of
from utils.keras_graph.unroll import Centre, whole_of
from utils.lrp import propagate

COLUMNS = ["received", "passed_on", "bias", "stabiliser", "unassigned"]  # of the ledger


def run(model, which, calls, kernels, rules, samples, output, *, pooling, layers, batch_size):
    """Relevance of the inputs, of the layers, and the ledger's sums, for all samples.

    Weights and the rules' numbers are fed: a network trained on is seen anew, and a rule with
    other numbers needs no other machine.
    """
    signed, dtype = [some.min() < 0 for some in samples], samples[0].dtype
    # The steps of a recurrent layer share weights and rule, which are fed once.
    some_kernels, kernel_of = _once(kernels)
    some_rules, rule_of = _once(rules)
    weights = [(kernel.w, kernel.b) for kernel in some_kernels]
    numbers = [[np.asarray(n, dtype) for n in rule.numbers] for rule in some_rules]
    fed = [weights, numbers]

    def compute(*given):
        *x, index, weights, numbers = given
        fed_kernels = [
            k._replace(w=w, b=b) for k, (w, b) in zip(some_kernels, weights, strict=True)
        ]
        fed_rules = [r._replace(numbers=n) for r, n in zip(some_rules, numbers, strict=True)]
        return _compute(
            calls,
            {name: fed_kernels[i] for name, i in kernel_of.items()},
            {name: fed_rules[i] for name, i in rule_of.items()},
            signed,
            pooling,
            layers,
            x,
            index,
        )

    setting = which, *(some.shape[1:] for some in samples), dtype, *signed, pooling, layers
    ready = machine.fetch(
        model,
        ("lrp", *setting, *(rule.parts for rule in some_rules), *rule_of.values()),
        lambda: machine.Machine().write(compute, [*samples, np.array([0])], fed),
    )
    index = validation.indices(output, ready.output_shape, len(samples[0]))
    return ready.run([*samples, index], fed, chunk=batch_size)


def _once(named):
    """What stands behind the names, each thing once, and which of these each name has."""
    things = {id(thing): thing for thing in named.values()}
    order = {key: i for i, key in enumerate(things)}
    return [*things.values()], {name: order[id(thing)] for name, thing in named.items()}


def by_layer(calls):
    """The calls of each layer by its name, the last layer first; most layers have one call."""
    found = {}
    for call in reversed(calls):
        found.setdefault(whole_of(call).name, []).append(call)
    return found


def _compute(calls, kernels, rules, signed, pooling, layers, x, index):
    fast, forwards = _faster(calls, kernels, rules, signed)
    values = propagate.forward(calls, forwards, *x)
    start = machine.picked(values[calls[-1].target], index)
    relevance, of_layers, rows = propagate.backward(calls, kernels, fast, values, start, pooling)
    of_inputs = [relevance.get(key, tf.zeros_like(some)) for key, some in enumerate(x)]
    nothing, grouped = tf.zeros(tf.shape(x[0])[:1], x[0].dtype), by_layer(calls)
    sums = tf.stack([tf.stack(_row(steps, rows, nothing), -1) for steps in grouped.values()], 1)
    of_layers = {  # that of a layer which only makes a gate is zero
        name: of_layers.get(name, tf.zeros_like(values[steps[0].target]))
        for name, steps in grouped.items()
        if layers
    }
    return (of_inputs, of_layers, sums), list(values.values())


def _row(steps, rows, nothing):
    """The ledger of a layer from those of its steps: what they lose, and what they hand out."""
    of_steps = [rows[call.name] for call in steps if call.name in rows]
    total = {
        column: tf.add_n([nothing, *(row[column] for row in of_steps if column in row)])
        for column in COLUMNS
    }
    if len(steps) > 1 and of_steps:
        made = {key for call in steps for key in call.targets}
        leaving = [c for c in steps if c.name in rows and made.isdisjoint(c.sources)]
        total["received"] = of_steps[0]["received"]
        sums = [rows[call.name]["passed_on"] for call in leaving]
        total["passed_on"] = tf.add_n([nothing, *sums])
    return list(total.values())


# ---- only for speed ---------------------------------------------------------------------------


def _faster(calls, kernels, rules, signed):
    """The rules, which leave out half where no input is negative, and kernels for the way forwards.

    Where a rule's parts add up to all z_ij, as those of alpha-beta do, the layer's output is made
    from them: they are needed anyway, and so cost one convolution less.
    """
    signed = {key for key, negative in enumerate(signed) if negative}  # of what may be negative
    fast, forwards = {}, {}
    for call in calls:
        may_be_negative = not signed.isdisjoint(call.sources)
        if call.name in kernels:
            kernel = forwards[call.name] = kernels[call.name]
        if call.name in rules:
            rule = fast[call.name] = partial(rules[call.name], signed=may_be_negative)
            if rules[call.name].complete and not isinstance(kernel.w, list):
                from_parts = partial(_from_parts, rule, kernel)
                forwards[call.name] = kernel._replace(forward=from_parts)
        keeps = call.name not in kernels and _keeps_sign(call.layer)
        if activation_of(call.layer) not in RELU and (may_be_negative or not keeps):
            signed.update(call.targets)
    return fast, forwards


def _keeps_sign(layer):
    """Does a layer without weights make nothing negative of what is not negative?"""
    return (
        type(layer) not in (layers.Subtract, Centre)
        and activation_of(layer) is activations.linear
        and getattr(layer, "interpolation", "nearest") in ("nearest", "bilinear")
    )


def _from_parts(rule, kernel, a, w):
    """What forward(a, w) gives, as the sum of the parts that the rule makes."""
    sums = [[kernel.forward(*pair) for pair in part.pairs] for part in rule(a, w, kernel.b)]
    return tf.add_n([tf.add_n(some) for some in sums])
