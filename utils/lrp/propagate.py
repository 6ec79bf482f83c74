"""Layer-wise relevance propagation (LRP), to be read from top to bottom after lesson 03.

A layer computes ``z_j = sum_i a_i w_ij + b_j`` from its inputs a. LRP hands the relevance R_j of
its outputs down to the inputs, in proportion to what they contributed:

    R_i = a_i * sum_j w_ij * R_j / z_j

In the lesson these are three lines: divide, send back, multiply. `linear_step` has them for every
rule and kind of layer with weights; `forward` and `backward` are the two loops of `my_lrp`.

All work on tensors, TensorFlow's arrays; the first axis of values and relevance counts the samples.
Begin a fresh notebook so, and they run at once, as NumPy does: put a `print` wherever you like.

    from utils import course, lrp
    course.start(eager=True)  # the lesson's kernel writes a graph down, which runs later
    import tensorflow as tf
    from utils.keras_graph import linear
    from utils.lrp.propagate import backward, forward, linear_step

    h, v = tf.constant([[3.0, 1.0]]), tf.constant([[2.0], [-2.0]])  # of the lesson's section 1
    [R_h], losses = linear_step([h], [v], 0.0, h @ v, lrp.z(), [tf.matmul])  # 6 and -2

    calls, kernels = linear.read(model)  # all layers in their order; those with weights
    values = forward(calls, kernels, tf.constant(x, "float32"))  # x[None] for one sample
    for call in calls:
        print(call.name, values[call.target])
    R = values[calls[-1].target]
    R *= tf.one_hot(tf.argmax(R, -1), R.shape[-1])  # the strongest of a row of outputs
    rules = dict.fromkeys(kernels, lrp.epsilon(0.1))  # or one for each layer
    relevance, of_layers, ledger = backward(calls, kernels, rules, values, R)  # relevance[0]: of x
    lrp.relevance(model, x, lrp.epsilon(0.1)).input  # the same, or which layer has no rule
"""

from functools import partial

import tensorflow as tf
from tensorflow.keras import layers

from utils.keras_graph import linear
from utils.keras_graph.calls import HEADS, activation_of
from utils.keras_graph.unroll import Gated
from utils.lrp.composite import MAX_POOLING, PADDING, PASSING, SHARING

# ---- the formula ------------------------------------------------------------------------------


def divide(R, y, b=None, epsilon=None):
    """s_j = R_j / z_j, and 0 where z_j is 0; ``z_j = y_j + b_j + epsilon sign(y_j + b_j)``.

    Also returns entries of the ledger, one number a sample: the bias takes the sum of ``b_j s_j``,
    the stabiliser likewise, and where z_j is 0 nobody takes R_j, which is unassigned.
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


def both_ways(through, a, *w):
    """Go through a layer, ``y_j = sum_i a_i w_ij``, and find the way back.

    Returns y, and a function of s that gives ``sum_j w_ij s_j``: the lesson's ``w @ s``. As w_ij is
    the derivative of y_j by a_i, TensorFlow computes this sum as a gradient: it records how y comes
    from a, or from a list of inputs, and never writes the matrix down. Layers without weights have
    their w_ij, too: 1 for Add, 1 / n for a mean, 1 for the largest value of a max-pooling.
    """
    with tf.GradientTape(persistent=True) as record:  # persistent: a print may ask twice
        record.watch(a)
        y = through(a, *w)
    return y, lambda s: record.gradient(y, a, s)  # sum_j s_j dy_j / da_i


# ---- one step: from R of a layer's outputs to [R of each input], and who took the rest --------


def linear_step(a, w, b, R, rule, through):
    """Through a layer with weights; through(a, w) is its ``sum_i a_i w_ij``.

    All three are lists: a layer has one of each; a recurrent one adds up two inputs, x and h.

    For z and epsilon there is one part with one pair, (a, w). Alpha 2 beta 1 cuts R into two parts:
    for the output, with the share 2, and against it, with the share -1. What is positive comes from
    two pairs, a+ with w+ and a- with w-, for two negatives make a positive (see rules.py).
    """
    below, losses = [[] for _ in a], {}
    by_input = [rule(a_n, w_n, b) for a_n, w_n in zip(a, w, strict=True)]
    for part, *others in zip(*by_input, strict=True):
        ways = [  # which input, a, y, and the way back
            (n, a_k, *both_ways(through[n], a_k, w_k))
            for n, of_input in enumerate([part, *others])
            for a_k, w_k in of_input.pairs
        ]
        y = tf.add_n([y_k for _, _, y_k, _ in ways])  # the sum of a list
        share = R if part.share is None else part.share * R
        s, lost = divide(share, y, part.b, part.epsilon)  # divide
        for n, a_k, _, back in ways:
            below[n].append(a_k * back(s))  # send back, multiply
        for name, loss in lost.items():
            losses[name] = losses[name] + loss if name in losses else loss
    return [tf.add_n(some) for some in below], losses


def proportional_step(a, R, through):
    """Through a sum or mean of the list of inputs a: in proportion to what each adds to it."""
    y, back = both_ways(through, a)
    s, losses = divide(R, y)
    return [a_i * c_i for a_i, c_i in zip(a, back(s), strict=True)], losses


def moving_step(a, R, through, padding):
    """A layer that moves or chooses values: z_ij / z_j is 1, and R at zeros of padding is lost."""
    _, back = both_ways(through, a)
    if not padding:  # only for speed
        return back(R), {}
    inside = through([tf.ones_like(a[0])])
    return back(R), {"unassigned": by_sample(R * (1 - inside))}


def step_without_weights(a, R, layer, pooling):
    """Through a layer by its class; max-pooling hands on to its "winner", or "proportional"ly."""
    kind = type(layer)
    if kind in PASSING or kind is Gated:  # any activation by itself, Dropout, a signal by its gate
        return [R], {}
    if kind in MAX_POOLING and pooling == "proportional":  # as the mean of the same values does
        kind = getattr(layers, kind.__name__.replace("Max", "Average"))
        layer = kind.from_config(layer.get_config())
    through = partial(linear.without_weights, layer)
    if kind in SHARING or linear.mixes_neighbours(layer, a):  # Add, bilinear UpSampling2D, ...
        return proportional_step(a, R, through)
    return moving_step(a, R, through, padding=kind in PADDING)


# ---- through the network ----------------------------------------------------------------------


def forward(calls, kernels, *x, shortcuts=()):
    """Go through the network: the values of its input x, or inputs, and of every layer's output.

    `calls` are the layers in their order, `kernels` those with weights: a function, w and b.
    `values` has a key for each tensor, some number: a call reads its `sources`, writes its
    `targets`, and 0 is that of x. A softmax or sigmoid at the end is left out, as it should be.
    `lrp.relevance` refuses what LRP has no way through.
    """
    values = dict(enumerate(x))
    for call in calls:
        a, gates = ([values[key] for key in some] for some in (call.sources, call.gates))
        if call.name in shortcuts:  # only for speed
            y = shortcuts[call.name](a[0])
        elif call.name in kernels:
            through, w, b = kernels[call.name].terms(gates)
            y = tf.add_n([t(*pair) for t, *pair in zip(through, a, w, strict=True)]) + b
        elif type(call.layer) in PASSING:
            y = a[0]
        else:
            y = linear.without_weights(call.layer, a + gates)
        head = call is calls[-1] and activation_of(call.layer) in HEADS
        y = y if head else linear.activate(call.layer, y)
        values.update(zip(call.targets, tf.nest.flatten(y), strict=True))
    return values


def backward(calls, kernels, rules, values, R, pooling="winner", shortcuts=()):
    """Go back through the network, from the relevance R of its output.

    A layer's ReLU hands on what it gets, and has no line; what only makes a gate gets nothing.
    Returns the relevance of the inputs by key, that of each layer's output, and rows of the ledger:
    received, passed on, and who took the rest. Shortcuts are faster steps, see computation.py.
    """
    relevance, of_layers, ledger = {calls[-1].target: R}, {}, {}
    for call in reversed(calls):
        if relevance.keys().isdisjoint(call.targets):
            continue
        a = [tf.identity(values[key]) for key in call.sources]  # copies: Add()([a, a]) reads two
        R = [relevance.pop(k) if k in relevance else 0 * values[k] for k in call.targets]
        received = tf.add_n([by_sample(R_j) for R_j in R])
        R = of_layers[call.name] = R if len(R) > 1 else R[0]
        if call.name in shortcuts:  # only for speed
            below, losses = shortcuts[call.name](a, R)
        elif call.name in rules:
            through, w, b = kernels[call.name].terms([values[key] for key in call.gates])
            below, losses = linear_step(a, w, b, R, rules[call.name], through)
        else:
            below, losses = step_without_weights(a, R, call.layer, pooling)
        for key, R_i in zip(call.sources, below, strict=True):
            # Several layers may read the same values, which then get relevance from each.
            relevance[key] = relevance[key] + R_i if key in relevance else R_i
        passed_on = tf.add_n([by_sample(R_i) for R_i in below])
        ledger[call.name] = {"received": received, "passed_on": passed_on, **losses}
    return relevance, of_layers, ledger
