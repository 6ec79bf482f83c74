"""The graph and session in which `lrp.relevance` computes, made once and kept for the next call.

They are its own, so that it works in eager and in graph mode.
"""

from functools import partial

import numpy as np
import tensorflow as tf

from utils.keras_graph import validation
from utils.keras_graph.cache import ModelCache
from utils.keras_graph.calls import RELU, activation_of
from utils.lrp import propagate

ROOM = 2**22  # numbers in all layer outputs of one chunk: tens of megabytes

COLUMNS = ["received", "passed_on", "bias", "stabiliser", "unassigned"]  # of the ledger

_kept = ModelCache(8)


def fetch(model, calls, kernels, rules, shape, signed, dtype, pooling, layers):
    """The machine for a model, made now or kept: weights and the rules' numbers may differ."""
    setting = shape, signed, dtype, pooling, layers
    key = (
        *setting,
        *(rule.parts for rule in rules.values()),
        *(activation_of(call.layer) for call in calls),
    )
    return _kept.fetch(model, key, lambda: Machine(calls, kernels, rules, *setting))


class Machine:
    """The computation for one network, one setting and one kind of rule for each layer.

    Weights and the rules' numbers are fed at every run, so that a network trained on is seen anew.
    """

    def __init__(self, calls, kernels, rules, shape, signed, dtype, pooling, layers):
        with tf.Graph().as_default() as graph:

            def variable(array):
                return tf.compat.v1.placeholder(dtype, np.shape(array))

            self.x = tf.compat.v1.placeholder(dtype, (None, *shape))
            self.kernels = {
                name: kernel._replace(w=variable(kernel.w), b=variable(kernel.b))
                for name, kernel in kernels.items()
            }
            self.rules = {
                name: rule._replace(numbers=tuple(map(variable, rule.numbers)))
                for name, rule in rules.items()
            }
            fast, forwards = _faster(calls, self.kernels, self.rules, signed)
            values = propagate.forward(calls, forwards, self.x)
            y = values[calls[-1].target]
            outputs = tf.reshape(y, (-1, y.shape[1:].num_elements()))
            self.chosen = tf.argmax(outputs, -1)
            start = tf.one_hot(self.chosen, outputs.shape[1], dtype=dtype) * outputs
            start = tf.reshape(start, tf.shape(y))
            of_input, of_layers, ledger = propagate.backward(
                calls, self.kernels, fast, values, start, pooling
            )
            nothing = tf.zeros_like(self.chosen, dtype)
            rows = [[row.get(column, nothing) for column in COLUMNS] for row in ledger.values()]
            sums = tf.stack([tf.stack(row, -1) for row in rows], 1)
            self.results = of_input, of_layers if layers else {}, sums
            self.output_shape = tuple(y.shape[1:])
            numbers = sum(value.shape[1:].num_elements() for value in values.values())
            self.chunk = max(1, ROOM // numbers)
        self.session = tf.compat.v1.Session(graph=graph)

    def run(self, samples, kernels, rules, output, batch_size):
        """Relevance of the input, of the layers, and the ledger's sums, for all samples."""
        feed = {}
        for name, kernel in kernels.items():
            feed |= {self.kernels[name].w: kernel.w, self.kernels[name].b: kernel.b}
            feed |= zip(self.rules[name].numbers, rules[name].numbers, strict=True)
        by_sample = {self.x: samples}
        if output is not None:
            by_sample[self.chosen] = validation.indices(output, self.output_shape, len(samples))
        whole = None
        for cut in validation.chunks(len(samples), batch_size or self.chunk):
            feed |= {tensor: array[cut] for tensor, array in by_sample.items()}
            part = self.session.run(self.results, feed)
            if whole is None:
                whole = tf.nest.map_structure(partial(_room, len(samples)), part)
            # Not a list of parts: it would hold on to memory between the chunks.
            for array, new in zip(tf.nest.flatten(whole), tf.nest.flatten(part), strict=True):
                array[cut] = new
        return whole


def _room(n, part):
    """An empty array for n samples like those of a part."""
    return np.empty((n, *part.shape[1:]), part.dtype)


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
            rule = fast[call.name] = partial(rules[call.name], signed=may_be_negative)
            kernel = forwards[call.name] = kernels[call.name]
            if rules[call.name].complete:
                from_parts = partial(_from_parts, rule, kernel)
                forwards[call.name] = kernel._replace(forward=from_parts)
            may_be_negative = True
        if may_be_negative and activation_of(call.layer) not in RELU:
            signed.add(call.target)
    return fast, forwards


def _from_parts(rule, kernel, a, w):
    """What forward(a, w) gives, as the sum of the parts that the rule makes."""
    sums = [[kernel.forward(*pair) for pair in part.pairs] for part in rule(a, w, kernel.b)]
    return tf.add_n([tf.add_n(some) for some in sums])
