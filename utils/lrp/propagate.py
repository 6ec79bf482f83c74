"""Layer-wise relevance propagation (LRP), to be read from top to bottom after lesson 03.

A layer computes ``z_j = sum_i a_i w_ij + b_j`` from its inputs a. LRP hands the relevance R_j of
its outputs down to the inputs, in proportion to what they contributed:

    R_i = a_i * sum_j w_ij * R_j / z_j

In the lesson these are three lines: divide, send back, multiply. `linear_step` has them for every
rule and kind of layer with weights; `forward` and `backward` are the two loops of `my_lrp`.

All are functions of tensors, TensorFlow's arrays, whose first axis counts the samples. After
`course.start(eager=True)` they run at once, as NumPy does, so put a `print` wherever you like:

    h, v = tf.constant([[3.0, 1.0]]), tf.constant([[2.0], [-2.0]])  # from the lesson's section 1
    [R_h], losses = linear_step(h, v, 0.0, h @ v, lrp.z(), tf.matmul)  # 6 and -2

`lrp.relevance` only writes a graph down with them, which runs later: no numbers to print there.
"""

from collections import Counter
from functools import partial

import tensorflow as tf
from tensorflow.keras import layers

from utils.keras_graph import linear
from utils.keras_graph.calls import RELU, activation_of

# ---- the formula ------------------------------------------------------------------------------


def divide(R, y, b=None, epsilon=None):
    """s_j = R_j / z_j, and 0 where z_j is 0; ``z_j = y_j + b_j + epsilon sign(y_j + b_j)``.

    Also returns the ledger's entries by sample: what bias and stabiliser take for their parts of
    z_j, as the inputs do for theirs, and what nobody takes.
    """
    z, besides = y, {}  # besides the inputs
    if b is not None:
        besides["bias"] = b
        z = z + b
    if epsilon is not None:
        besides["stabiliser"] = tf.where(z >= 0, epsilon, -epsilon)
        z = z + besides["stabiliser"]
    s = tf.math.divide_no_nan(R, z)
    losses = {name: by_sample(s * part) for name, part in besides.items()}
    return s, losses | {"unassigned": by_sample(tf.where(tf.equal(z, 0), R, 0))}


def by_sample(t):
    """The sum of each sample's values."""
    return tf.reduce_sum(t, list(range(1, t.shape.rank)))


def both_ways(forward, a, *w):
    """Go through a layer, ``y_j = sum_i a_i w_ij``, and find the way back.

    Returns y, and a function of s that gives ``sum_j w_ij s_j``: the lesson's ``w @ s``. As w_ij is
    the derivative of y_j by a_i, TensorFlow computes this sum as a gradient: it records how y comes
    from a, and never writes the matrix down.
    """
    with tf.GradientTape() as record:
        record.watch(a)
        y = forward(a, *w)
    return y, lambda s: record.gradient(y, a, s)


# ---- one step: from the relevance R of a layer's outputs to that of its inputs ----------------


def linear_step(a, w, b, R, rule, forward):
    """Through a layer with weights; forward(a, w) is its ``sum_i a_i w_ij``.

    A rule (see rules.py) cuts R into parts: alpha-beta into two, for and against, most rules into
    one. A part has inputs and weights of its own, in pairs whose products are its z_ij.
    """
    below, losses = [], Counter()
    for part in rule(a, w, b):
        ways = [(a, *both_ways(forward, a, w)) for a, w in part.pairs]
        y = tf.add_n([y for _, y, _ in ways])  # the sum of a list
        share = R if part.share is None else part.share * R
        s, lost = divide(share, y, part.b, part.epsilon)
        below += [a * back(s) for a, _, back in ways]
        losses.update(lost)  # which adds to what is there
    return [tf.add_n(below)], losses


def proportional_step(a, R, forward):
    """Through a layer that takes a sum or mean of its inputs: in proportion to their values."""
    y, back = both_ways(forward, a)
    s, losses = divide(R, y)
    return [a_i * c_i for a_i, c_i in zip(a, back(s), strict=True)], losses


def moving_step(a, R, forward, padding):
    """Through a layer that only moves, copies or chooses values: R goes back as they came.

    Such are Flatten, Concatenate and max-pooling. What arrives at the zeros of padding is lost.
    """
    _, back = both_ways(forward, a)
    if not padding:  # only for speed, for then nothing is lost
        return back(R), {}
    inside = forward([tf.ones_like(a[0])])
    return back(R), {"unassigned": by_sample(R * (1 - inside))}


# ---- layers without weights -------------------------------------------------------------------

PASSING = layers.Activation, layers.Dropout, layers.ReLU, layers.Softmax
PASSING += layers.SpatialDropout1D, layers.SpatialDropout2D
PASSING += (layers.BatchNormalization,)  # one that joined the layer before it: see linear.read
SHARING = layers.Add, layers.AveragePooling1D, layers.AveragePooling2D
SHARING += layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D
MAX_POOLING = layers.MaxPooling1D, layers.MaxPooling2D
MAX_POOLING += layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D


def step_without_weights(a, R, layer, pooling):
    """The step for its class; max-pooling hands on to the "winner", or "proportional"ly."""
    kind = type(layer)
    if kind in PASSING:
        return [R], {}
    if kind in MAX_POOLING and pooling == "proportional":  # as the mean of the same values does
        kind = getattr(layers, kind.__name__.replace("Max", "Average"))
        layer = kind.from_config(layer.get_config())
    forward = partial(linear.without_weights, layer)
    if kind in SHARING or getattr(layer, "interpolation", "nearest") == "bilinear":
        return proportional_step(a, R, forward)
    return moving_step(a, R, forward, padding=kind.__name__.startswith("ZeroPadding"))


# ---- through the network ----------------------------------------------------------------------


def forward(calls, kernels, x):
    """Go through the network: the values of its input x and of every layer's output.

    `calls` are the layers in their order. `values` are read by the keys in a call's `sources` and
    written by its `target`. `kernels` holds w, b and forward of each layer with weights. A softmax
    or sigmoid at the end is left out: LRP explains the value before it.
    """
    values = {calls[0].sources[0]: x}
    for call in calls:
        a = [values[key] for key in call.sources]
        if call.name in kernels:
            kernel = kernels[call.name]
            y = kernel.forward(a[0], kernel.w) + kernel.b
        else:
            y = a[0] if type(call.layer) in PASSING else linear.without_weights(call.layer, a)
        relu = activation_of(call.layer) in RELU
        values[call.target] = tf.nn.relu(y) if relu else y
    return values


def backward(calls, kernels, rules, values, R, pooling="winner"):
    """Go back through the network, from the relevance R of its output.

    Returns the relevance of the input, that of each layer's output, and a row of the ledger for
    each layer: what it received, what it passed on, and who took the rest. To go through a model:

        calls, kernels = linear.read(model)
        rules = dict.fromkeys(kernels, lrp.epsilon(0.1))  # or one for each
        values = forward(calls, kernels, tf.constant(x))
        R = values[calls[-1].target]  # make it 0 where you do not ask
        of_input, of_layers, ledger = backward(calls, kernels, rules, values, R)
    """
    relevance, of_layers, ledger = {calls[-1].target: R}, {}, {}
    for call in reversed(calls):
        a = [tf.identity(values[key]) for key in call.sources]  # copies: Add may read one twice
        R = of_layers[call.name] = relevance.pop(call.target)
        if call.name in kernels:
            forward, w, b = kernels[call.name]
            below, losses = linear_step(a[0], w, b, R, rules[call.name], forward)
        else:
            below, losses = step_without_weights(a, R, call.layer, pooling)
        for key, R_i in zip(call.sources, below, strict=True):
            # Several layers may read the same values, which then get relevance from each.
            relevance[key] = relevance[key] + R_i if key in relevance else R_i
        passed_on = sum(map(by_sample, below))
        ledger[call.name] = {"received": by_sample(R), "passed_on": passed_on, **losses}
    return relevance[calls[0].sources[0]], of_layers, ledger
