"""What `lrp.relevance` computes, written down for a `Machine`."""

from functools import partial

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils.keras_graph import machine, validation
from utils.keras_graph.calls import RELU, activation_of
from utils.keras_graph.linear import Linear
from utils.lrp import propagate
from utils.lrp.composite import PASSING
from utils.lrp.propagate import both_ways, by_sample
from utils.lrp.rules import _flat, _w_square, z

COLUMNS = ["received", "passed_on", "bias", "stabiliser", "unassigned"]  # of the ledger


def run(model, calls, kernels, rules, samples, output, *, pooling, layers, batch_size):
    """Relevance of the input, of the layers, and the ledger's sums, for all samples.

    Weights and the rules' numbers are fed: a network trained on is seen anew, and a rule with
    other numbers needs no other machine.
    """
    signed, dtype = samples.min() < 0, samples.dtype
    weights = {name: kernel[1:] for name, kernel in kernels.items()}
    numbers = np.array([n for rule in rules.values() for n in rule.numbers], dtype)
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
    each = iter(tf.unstack(numbers))
    rules = {
        name: rule._replace(numbers=[next(each) for _ in rule.numbers])
        for name, rule in rules.items()
    }
    cuts = _cuts(calls, kernels, rules, signed)
    values = propagate.forward(calls, kernels, x, _forwards(kernels, rules, cuts))
    start = machine.picked(values[calls[-1].target], index)
    steps = _steps(calls, kernels, cuts, values)
    of_input, of_layers, ledger = propagate.backward(
        calls, kernels, rules, values, start, pooling, steps
    )
    nothing = tf.zeros(tf.shape(x)[:1], x.dtype)
    rows = [[row.get(column, nothing) for column in COLUMNS] for row in ledger.values()]
    sums = tf.stack([tf.stack(row, -1) for row in rows], 1)
    return (of_input, of_layers if layers else {}, sums), list(values.values())


# ---- only for speed ---------------------------------------------------------------------------
# Nothing from here on changes a result but for rounding. What stands in a graph twice TensorFlow
# computes once: a step may ask again for what the way forwards has computed, such as z_j.


def _cuts(calls, kernels, rules, signed):
    """How each layer's rule cuts the relevance: without half of it where no input is negative."""
    signed = {calls[0].sources[0]} if signed else set()  # keys of what may be negative
    cuts = {}
    for call in calls:
        may_be_negative = not signed.isdisjoint(call.sources)
        if call.name in rules:
            cuts[call.name] = partial(rules[call.name], signed=may_be_negative)
        keeps = call.name not in kernels and _keeps_sign(call.layer)
        if activation_of(call.layer) not in RELU and (may_be_negative or not keeps):
            signed.add(call.target)
    return cuts


def _keeps_sign(layer):
    """Does a layer without weights make nothing negative of what is not negative?"""
    return (
        type(layer) is not layers.Subtract
        and activation_of(layer) is activations.linear
        and getattr(layer, "interpolation", "nearest") in ("nearest", "bilinear")
    )


def _forwards(kernels, rules, cuts):
    """Layers with weights as functions of their input, which add the bias with the convolution.

    Where a rule's parts add up to all z_ij, as those of alpha-beta do, the layer's output is made
    from them: they are needed anyway, and so cost one convolution less.
    """
    complete = {name: cuts[name] for name, rule in rules.items() if rule.complete}
    return {name: partial(_from_parts, k, complete.get(name, z())) for name, k in kernels.items()}


def _from_parts(kernel, cut, a):
    """A layer's output, as the sum of the parts that a rule makes."""
    parts = cut(a, kernel.w, kernel.b)
    y = tf.add_n([_z(kernel, part) for part in parts])
    if len(parts) > 1 and parts[0].b is parts[1].b:  # in both parts, or in none
        y += kernel.b if parts[0].b is None else -kernel.b
    return y


def _z(kernel, part):
    """A part's z_j, without the stabiliser."""
    y = tf.add_n([kernel.forward(*pair) for pair in part.pairs])
    if part.b is None:
        return y
    return tf.nn.bias_add(y, part.b) if _by_channel(part.b, y) else y + part.b


def _by_channel(b, y):
    return b.shape.rank == 1 and b.shape[0] == y.shape[-1]


def _steps(calls, kernels, cuts, values):
    """The steps through layers, which leave out what is known."""
    readers, free, steps = {}, set(), {}
    for call in calls:
        for key in call.sources:
            readers.setdefault(key, []).append(call)
    for call in reversed(calls):
        kind = type(call.layer)
        if call.name in cuts:
            above = None if call.target in free else _relu_of(call, readers, values)
            way = _few_channels(call.layer, values[call.sources[0]]) or both_ways
            given = kernels[call.name], cuts[call.name], above, way
            steps[call.name] = partial(_linear_step, *given)
            if cuts[call.name].func.parts in (_flat, _w_square):
                free.update(call.sources)
        elif call.target in free:
            free.update(call.sources)
        if kind is layers.UpSampling2D and call.layer.interpolation == "nearest":
            steps[call.name] = partial(_upsampling_step, call.layer.size)
    return steps


def _relu_of(call, readers, values):
    """The layer's values after its ReLU, if nothing else reads them before it."""
    while activation_of(call.layer) not in RELU:
        following = readers.get(call.target, [])
        if activation_of(call.layer) is not activations.linear or len(following) != 1:
            return None
        [call] = following
        if type(call.layer) not in PASSING:
            return None
    return values[call.target]


def _linear_step(kernel, cut, above, way, a, R):
    """As `propagate.linear_step`; where `above`, the ReLU of z_j, is 0, R_j is known to be 0."""
    [a], (forward, w, b) = a, kernel
    ways, losses = [], {}
    for part in cut(a, w, b):
        whole = len(part.pairs) == 1 and part.pairs[0][1] is w
        known = above is not None and whole
        z = above if known else _z(kernel, part)
        if part.epsilon is not None:
            stabiliser = part.epsilon if known else tf.where(z >= 0, part.epsilon, -part.epsilon)
            z = z + stabiliser
        s, lost = tf.math.divide_no_nan(R, z), {}
        if part.b is not None:
            mix = tf.tensordot(s, part.b, 1) if _by_channel(part.b, s) else s * part.b
            lost["bias"] = by_sample(mix)
        if part.epsilon is not None:
            lost["stabiliser"] = stabiliser * by_sample(s) if known else by_sample(s * stabiliser)
        if above is None or not (whole or part.positive):
            lost["unassigned"] = by_sample(R * tf.cast(tf.equal(z, 0), R.dtype))
        for name, loss in lost.items():
            loss = loss if part.share is None else part.share * loss
            losses[name] = losses.get(name, 0) + loss
        for a_k, w_k in part.pairs:
            w_k = w_k if part.share is None else part.share * w_k
            ways.append((a_k, way(forward, a_k, w_k)[1](s)))
    if all(a_k is a for a_k, _ in ways):
        return [a * tf.add_n([c for _, c in ways])], losses
    return [tf.add_n([a_k * c for a_k, c in ways])], losses


def _upsampling_step(size, a, R):
    """Back through copies of pixels, as the sum over each one's: a mean, times their number."""
    return [size[0] * size[1] * tf.nn.avg_pool2d(R, size, size, "VALID")], {}


def _few_channels(layer, a):
    """`both_ways` through a convolution of at most four channels, or None.

    Processors compute as many channels at once as fit into their registers, and leave room where
    there are four: the way back takes four neighbours for one pixel of four times the channels.
    """
    n, fits = 4, type(layer) is layers.Conv2D and layer.padding == "same" and layer.groups == 1
    if not fits or layer.strides + layer.dilation_rate != (1, 1, 1, 1):
        return None
    if a.shape[-1] > n or not a.shape[2] or a.shape[2] % n:
        return None

    def way(through, a, w):
        turned = tf.transpose(w[::-1, ::-1], (0, 1, 3, 2))
        pads = [(k - 1 - (k - 1) // 2, (k - 1) // 2) for k in layer.kernel_size]
        beside = [tf.pad(turned, [(0, 0), (i, n - 1 - i), (0, 0), (0, 0)]) for i in range(n)]

        def back(s):
            c = tf.nn.conv2d(s, tf.concat(beside, -1), (1, n), [(0, 0), *pads, (0, 0)])
            return tf.reshape(c, tf.shape(a))

        return None, back

    return way
