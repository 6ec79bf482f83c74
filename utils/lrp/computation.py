"""What `lrp.relevance` computes, written down for a `Machine`."""

from functools import partial
from itertools import pairwise

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils.keras_graph import machine, validation
from utils.keras_graph.calls import HEADS, RELU, activation_of
from utils.keras_graph.forecast import IDENTITY
from utils.keras_graph.unroll import Centre, whole_of
from utils.lrp import propagate
from utils.lrp.propagate import both_ways, by_sample
from utils.lrp.rules import _flat, _w_square, z

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
    numbers = np.array([n for rule in some_rules for n in rule.numbers], dtype)
    fed = [weights, numbers]

    def compute(*given):
        *x, index, weights, numbers = given
        fed_kernels = [
            k._replace(w=w, b=b) for k, (w, b) in zip(some_kernels, weights, strict=True)
        ]
        each = iter(tf.unstack(numbers))
        fed_rules = [r._replace(numbers=[next(each) for _ in r.numbers]) for r in some_rules]
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
    of_inputs, of_layers, sums = ready.run([*samples, index], fed, chunk=batch_size)
    return of_inputs, of_layers, sums + 0  # which makes 0 of -0


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
    grouped = by_layer(calls)
    calls, swapped = (calls, {}) if layers else _swapped(calls)
    cuts = _cuts(calls, kernels, rules, signed)
    values = propagate.forward(calls, kernels, *x, shortcuts=_forwards(kernels, rules, cuts))
    start = machine.picked(values[calls[-1].target], index)
    faster = _steps(calls, kernels, rules, cuts, values)
    relevance, of_layers, rows = propagate.backward(
        calls, kernels, cuts, values, start, pooling, faster
    )
    of_inputs = [relevance.get(key, tf.zeros_like(some)) for key, some in enumerate(x)]
    for name, above in swapped.items():
        if above in rows:
            rows[name] = dict.fromkeys(["received", "passed_on"], rows[above]["passed_on"])
    nothing = tf.zeros(tf.shape(x[0])[:1], x[0].dtype)
    sums = tf.stack([n for steps in grouped.values() for n in _row(steps, rows, nothing)], 1)
    sums = tf.reshape(sums, (-1, len(grouped), len(COLUMNS)))
    of_layers = {  # that of a layer which only makes a gate is zero
        name: of_layers.get(name, tf.zeros_like(values[steps[0].target]))
        for name, steps in grouped.items()
        if layers
    }
    return (of_inputs, of_layers, sums), list(values.values())


def _row(steps, rows, nothing):
    """The ledger of a layer from those of its steps: what they lose, and what they hand out."""
    of_steps = [rows[call.name] for call in steps if call.name in rows]
    found = {column: [row[column] for row in of_steps if column in row] for column in COLUMNS}
    total = {column: tf.add_n(some) if some else nothing for column, some in found.items()}
    if len(steps) > 1 and of_steps:
        made = {key for call in steps for key in call.targets}
        leaving = [c for c in steps if c.name in rows and made.isdisjoint(c.sources)]
        total["received"] = of_steps[0]["received"]
        sums = [rows[call.name]["passed_on"] for call in leaving]
        total["passed_on"] = tf.add_n([nothing, *sums])
    return list(total.values())


# ---- only for speed ---------------------------------------------------------------------------
# Nothing from here on changes a result but for rounding. What stands in a graph twice TensorFlow
# computes once: a step may ask again for what the way forwards has computed, such as z_j.


def _swapped(calls):
    """The calls, with upsampling after a convolution of single pixels that came behind it.

    That gives the same, for copies of a pixel make copies of the outcome, which are fewer then.
    Also returns the name of the convolution by that of the upsampling.
    """
    calls, swapped = list(calls), {}
    for i, (up, call) in enumerate(pairwise(calls)):
        if not (type(up.layer) is layers.UpSampling2D and type(call.layer) is layers.Conv2D):
            continue
        layer, readers = call.layer, [one for one in calls if up.target in one.sources + one.gates]
        single = layer.kernel_size == layer.strides == (1, 1) and activation_of(layer) not in HEADS
        if single and len(readers) == 1 and up.layer.interpolation == "nearest":
            first = call._replace(sources=up.sources, targets=up.targets)
            calls[i : i + 2] = first, up._replace(sources=up.targets, targets=call.targets)
            swapped[up.name] = call.name
    return calls, swapped


def _cuts(calls, kernels, rules, signed):
    """How each layer's rule cuts the relevance: without half of it where no input is negative."""
    signed = {key for key, negative in enumerate(signed) if negative}  # of what may be negative
    cuts = {}
    for call in calls:
        may_be_negative = not signed.isdisjoint(call.sources)
        if call.name in rules:
            cuts[call.name] = partial(rules[call.name], signed=may_be_negative)
        keeps = call.name not in kernels and _keeps_sign(call.layer)
        if activation_of(call.layer) not in RELU and (may_be_negative or not keeps):
            signed.update(call.targets)
    return cuts


def _keeps_sign(layer):
    """Does a layer without weights make nothing negative of what is not negative?"""
    return (
        type(layer) not in (layers.Subtract, Centre)
        and activation_of(layer) is activations.linear
        and getattr(layer, "interpolation", "nearest") in ("nearest", "bilinear")
    )


def _forwards(kernels, rules, cuts):
    """Layers with weights as functions of their input, which add the bias with the convolution.

    Where a rule's parts add up to all z_ij, as those of alpha-beta do, the layer's output is made
    from them: they are needed anyway, and so cost one convolution less.
    """
    complete = {name: cuts[name] for name, rule in rules.items() if rule.complete}
    return {
        name: partial(_from_parts, kernel, complete.get(name, z()))
        for name, kernel in kernels.items()
        if not isinstance(kernel.w, list)
    }


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


def _steps(calls, kernels, rules, cuts, values):
    """The steps through layers, which leave out what is known."""
    readers, free, steps = {}, set(), {}
    for call in calls:
        for key in call.sources:
            readers.setdefault(key, []).append(call)
    for call in reversed(calls):
        if call.name in rules and not isinstance(kernels[call.name].w, list):
            above = None if call.target in free else _relu_of(call, readers, kernels, values)
            way = _few_channels(call.layer, values[call.sources[0]]) or both_ways
            given = kernels[call.name], cuts[call.name], above, way
            steps[call.name] = partial(_linear_step, *given)
        if type(call.layer) is layers.UpSampling2D and call.layer.interpolation == "nearest":
            steps[call.name] = partial(_upsampling_step, call.layer.size)
        # Most rules give nothing to values that are 0; a sigmoid makes something of 0, and may.
        if call.name in rules:
            to_zeros = rules[call.name].parts in (_flat, _w_square)
        else:
            to_zeros = activation_of(call.layer) not in (activations.linear, *RELU)
            to_zeros = to_zeros or not free.isdisjoint(call.targets)
        if to_zeros:
            free.update(call.sources)
    return steps


def _relu_of(call, readers, kernels, values):
    """The layer's values after its ReLU, if nothing else reads them before it."""
    while activation_of(call.layer) not in RELU:
        following = readers.get(call.target, [])
        if activation_of(call.layer) is not activations.linear or len(following) != 1:
            return None
        [call] = following
        if type(call.layer) not in _KEEPING or call.name in kernels:
            return None
    return values[call.target]


# By themselves; a batch normalisation that has joined the layer before it; and what ends the way.
_KEEPING = *IDENTITY, layers.BatchNormalization, layers.Activation, layers.ReLU


def _linear_step(kernel, cut, above, way, a, R):
    """As `propagate.linear_step`; where `above`, the ReLU of z_j, is 0, R_j is known to be 0."""
    [a], (forward, w, b, _) = a, kernel
    ways, losses = [], {}
    for part in cut(a, w, b):
        # All of R by all of z_j: for such R_j as are not 0, z_j is its ReLU.
        known = above is not None and len(part.pairs) == 1 and part.pairs[0][1] is w
        z, besides = above if known else _z(kernel, part), {}
        if part.epsilon is not None:
            stabiliser = part.epsilon if known else tf.where(z >= 0, part.epsilon, -part.epsilon)
            z = z + stabiliser
        s = tf.math.divide_no_nan(R, z)
        if part.b is not None:
            besides["bias"] = _sum_of_products(s, part.b)
        if part.epsilon is not None:
            besides["stabiliser"] = _sum_of_products(s, stabiliser)
        if above is None or not (known or part.positive):
            besides["unassigned"] = by_sample(R * tf.cast(tf.equal(z, 0), R.dtype))
        for name, loss in besides.items():
            loss = loss if part.share is None else part.share * loss
            losses.setdefault(name, []).append(loss)
        for a_k, w_k in part.pairs:
            w_k = w_k if part.share is None else part.share * w_k  # smaller than R
            ways.append((a_k, way(forward, a_k, w_k)[1](s)))
    losses = {name: tf.add_n(some) for name, some in losses.items()}
    if all(a_k is a for a_k, _ in ways):
        return [a * tf.add_n([c for _, c in ways])], losses
    return [tf.add_n([a_k * c for a_k, c in ways])], losses


def _sum_of_products(s, b):
    """Each sample's sum of s_j b_j; b is one number, or has one for each channel or each j."""
    if b.shape.rank == 0:
        return b * by_sample(s)
    places = s.shape[1:-1].num_elements()
    if not _by_channel(b, s) or places is None:
        return by_sample(s * b)
    products = tf.matmul(tf.reshape(s, (-1, b.shape[0])), b[:, None])
    return tf.reduce_sum(tf.reshape(products, (-1, places)), 1)


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
    # One output column alone, from one channel: oneDNN computes it wrong with such strides.
    if a.shape[-1] > n or (a.shape[2] or 0) <= n or a.shape[2] % n:
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
