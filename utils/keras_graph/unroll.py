"""Recurrent layers, attention and normalisation, taken apart into steps that LRP has.

A product of a signal and a gate hands all relevance to the signal (Arras et al. 2017). So a gate is
no source of the step that it scales: relevance goes back through `Call.sources`, past `Call.gates`.
Attention's weights are gates, too, and so is a normalisation's deviation (Ali et al. 2022).
"""

from functools import partial
from itertools import count

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers
from tf_keras.src.layers.rnn.base_conv_lstm import ConvLSTMCell

from utils.keras_graph.calls import (
    SIGMOIDS,
    SOFTMAX,
    Call,
    Key,
    activation_of,
    calls_of,
    check,
    is_network,
    title,
)

# ---- the steps, which stand where layers do ----------------------------------------------------


class Step:
    """A step of a layer; its `call` takes a list of the step's sources and gates."""

    activation = staticmethod(activations.linear)
    weights = ()

    def __init__(self, name):
        self.name = name


class Sum(Step):
    """Sources are added up, each in a way and with weights of its own.

    ``linear(values)`` makes them of the layer's weights: a list of functions through(a, w), a list
    of w, and b; where gates have a say, also a function that gives w and b for w, b and the gates.
    """

    def __init__(self, name, linear, weights=(), activation=activations.linear):
        super().__init__(name)
        self.linear, self.weights, self.activation = linear, weights, activation


class Scale(Sum):
    """What a normalisation multiplies each value by, and adds to it."""


class Gate(Step):
    """What makes a gate of its sources; no relevance comes here."""

    def __init__(self, name, call):
        super().__init__(name)
        self.call = call


class Gated(Step):
    """A signal times a gate."""

    def call(self, a):
        return a[0] * a[1]


class Centre(Step):
    """What is left of values when their mean is taken away."""

    def __init__(self, name, mean):
        super().__init__(name)
        self.mean = mean

    def call(self, a):
        return a[0] - self.mean(a[0])


class Unstack(Step):
    """A series, or a film, as its steps."""

    def call(self, a):
        return tf.unstack(a[0], axis=1)


class Stack(Step):
    """The series that some steps make."""

    def call(self, a):
        return tf.stack(a, 1)


class Reverse(Step):
    """A series backwards in time."""

    def call(self, a):
        return tf.reverse(a[0], [1])


class Initial(Step):
    """The zeros that a recurrent layer begins with; it reads a step to know how many samples."""

    def __init__(self, name, shape):
        super().__init__(name)
        self.shape = shape

    def call(self, a):
        zero = 0 * tf.reduce_sum(a[0], range(1, a[0].shape.rank))
        return tf.reshape(zero, (-1, *[1] * len(self.shape))) + tf.zeros(self.shape, zero.dtype)


MOVING = Unstack, Stack, Reverse

# ---- taking apart ------------------------------------------------------------------------------


def unroll(calls, shapes):
    """The calls of a network, with those of layers that are made of several steps taken apart.

    Parameters
    ----------
    calls : list of Call
        As `calls_of` gives them.
    shapes : list of tuple
        Of the network's inputs, with the samples.

    Returns
    -------
    list of Call
        The last step of a layer has the layer's name and target, the others "name/step".

    Raises
    ------
    NotImplementedError
        If a layer has an option that cannot be followed.
    """
    keys = map(Key, count(len(shapes) + max(key for call in calls for key in call.targets)))
    return _unroll(calls, keys, dict(enumerate(shapes)), {})


def whole_of(call):
    """The call of the layer that a call is a step of, or itself."""
    while call.part_of:
        call = call.part_of
    return call


def _unroll(calls, keys, shapes, made_by):
    found = []
    for call in calls:
        shapes.update(dict.fromkeys(call.targets, call.shape))
        made_by.update(dict.fromkeys(call.targets, call))
        if type(call.layer) in APART and not call.gates:
            steps = _Steps(call, keys, shapes, made_by)
            APART[type(call.layer)](steps, call.layer)
            found += _unroll(steps.ended(), keys, shapes, made_by)
        else:
            found.append(call)
    return found


class _Steps(list):
    """The calls that the call of a layer is taken apart into."""

    def __init__(self, call, keys, shapes, made_by):
        super().__init__()
        self.whole, self.keys, self.shapes, self.made_by = call, keys, shapes, made_by
        self.inside = ""

    def add(self, layer, sources, gates=(), shape=None, name="", n=1):
        """Add a step, and return the key of its value, or a list of n keys."""
        targets = tuple(next(self.keys) for _ in range(n))
        name = f"{self.whole.name}/{self.inside}{name or layer.name}"
        shape = self.whole.shape if shape is None else shape
        given = [[*sources]], {}
        call = Call(name, layer, tuple(sources), targets, given, shape, tuple(gates), self.whole)
        self.append(call)
        if not isinstance(layer, Step):
            check(call)
        return list(targets) if n > 1 else targets[0]

    def times(self, name, signal, gate):
        """Add the product of a signal and a gate."""
        return self.add(Gated(name), [signal], [gate])

    def steps_of(self, source):
        """Add what takes a series apart."""
        shape = self.shapes[source]
        if None in shape[1:] or None in self.whole.shape[1:]:
            self.refuse("of any size", "build the network for one size, as in Input((60, 4))")
        found = self.add(Unstack("steps"), [source], shape=shape[:1] + shape[2:], n=shape[1])
        return found if shape[1] > 1 else [found]

    def follow(self, network, source):
        """Add the layers of a network with one input and one output, and return its key."""
        calls, keys = calls_of(network), {Key(0): source}
        for call in calls:
            keys.update({key: next(self.keys) for key in call.targets})
            sources, targets = (tuple(keys[k] for k in some) for some in call[2:4])
            arguments = tf.nest.map_structure(
                lambda v: keys[v] if isinstance(v, Key) else v, call.arguments
            )
            name = f"{self.whole.name}/{self.inside}{call.name}"
            self.append(Call(name, call.layer, sources, targets, arguments, call.shape))
            self[-1] = self[-1]._replace(part_of=self.whole)
        return keys[calls[-1].target]

    def only_source(self):
        """The key of the series that a recurrent layer is called with."""
        if len(self.whole.sources) > 1:
            self.refuse("with an initial_state", "call it with its series alone")
        return self.whole.sources[0]

    def is_gate(self, key):
        """Does a value come out of a sigmoid, or the like, at most in another shape?"""
        call = self.made_by.get(key)
        while call and type(call.layer) in _RESHAPING:
            call = self.made_by.get(call.sources[0])
        return call is not None and activation_of(call.layer) in SIGMOIDS + SOFTMAX

    def refuse(self, what, cure):
        """Say what of the layer cannot be followed."""
        found = f"LRP has no way through the {title(self.whole.layer)} {what}: {cure}."
        raise NotImplementedError(found)

    def ended(self):
        """The steps, of which the last one gives what the layer gives."""
        self[-1] = self[-1]._replace(name=self.whole.name, targets=self.whole.targets)
        return self


_RESHAPING = layers.Reshape, layers.Permute, layers.RepeatVector, layers.Dropout


def _multiply(a, w):
    return a * w


# ---- recurrent layers --------------------------------------------------------------------------


def _recurrent(steps, layer):
    """The cell at each step, which hands its state on to the next."""
    cell = layer.cell
    source = steps.only_source()
    if type(cell) not in _CELLS:
        steps.refuse(f"with its {type(cell).__name__}", "build it with a cell of Keras' own")
    for option in ("stateful", "return_state", "time_major"):
        if getattr(layer, option, False):
            steps.refuse(f"with {option}=True", "build it without")
    gate = getattr(cell, "recurrent_activation", activations.sigmoid)
    if gate not in SIGMOIDS:
        name = getattr(gate, "__name__", "function")
        steps.refuse(f"with its recurrent_activation {name}", "its gates must be sigmoids")
    xs = steps.steps_of(source)[:: -1 if layer.go_backwards else 1]
    shape = steps.whole.shape
    shape = shape[:1] + shape[2:] if layer.return_sequences else shape
    make, n = _CELLS[type(cell)]
    step = make(partial(steps.add, shape=shape), cell)
    state = [steps.add(Initial(f"begin_{i}", shape[1:]), xs[:1], (), shape) for i in range(n)]
    found = []
    for t, x in enumerate(xs):
        steps.inside = f"{t}/"
        state = step(x, *state)
        found.append(state[0])
    steps.inside = ""
    if layer.return_sequences:
        steps.add(Stack("series"), found)


def _sums(cell, through, **names):
    """What a cell adds up from its input x and its state h, by name with the function after it."""

    def linear(i, values):
        W, U, *bias = values
        units = U.shape[-1] // len(names)
        cut = np.s_[..., i * units : (i + 1) * units]
        # The biases of input and state, where a GRU keeps them apart.
        b = bias[0].reshape(-1, bias[0].shape[-1]).sum(0)[cut] if bias else np.zeros(units)
        return through, [W[cut], U[cut]], b

    return [
        Sum(name, partial(linear, i), cell.weights, activation)
        for i, (name, activation) in enumerate(names.items())
    ]


def _gated(name, through, n):
    """The sum of n signals, of which gates are the weights."""
    return Sum(
        name, lambda values: ([through] * n, [], np.zeros(()), lambda w, b, *gates: (gates, b))
    )


def _simple_rnn(add, cell):
    [state] = _sums(cell, [tf.matmul] * 2, state=cell.activation)
    return lambda x, h: [add(state, [x, h])]


def _lstm(add, cell):
    """Hochreiter and Schmidhuber (1997), with a forget gate: c = f c + i g, and h = o act(c)."""
    gate = cell.recurrent_activation
    through = _convolutions(cell) if isinstance(cell, ConvLSTMCell) else [tf.matmul] * 2
    names = {"input": gate, "forget": gate, "candidate": cell.activation, "output": gate}
    sums, memory = _sums(cell, through, **names), _gated("memory", _multiply, 2)
    activation = layers.Activation(cell.activation)

    def step(x, h, c):
        i, f, g, o = (add(one, [x, h]) for one in sums)
        c = add(memory, [c, g], [f, i])
        signal = add(activation, [c], name="signal")
        return [add(Gated("state"), [signal], [o]), c]

    return step


def _convolutions(cell):
    options = {"strides": cell.strides, "padding": cell.padding.upper()}
    of_input = partial(tf.nn.convolution, dilations=cell.dilation_rate, **options)
    return [of_input, partial(tf.nn.convolution, strides=1, padding="SAME")]


def _gru(add, cell):
    """Cho et al. (2014): h = z h + (1 - z) g; the gate r acts on h, or on what is made of it."""
    gate, after = cell.recurrent_activation, cell.reset_after
    names = {"update": gate, "reset": gate, "candidate": cell.activation}
    update, reset, candidate = _sums(cell, [tf.matmul] * 2, **names)
    if after:
        candidate.linear = partial(_of_reset, candidate.linear)
    memory, rest = _gated("memory", _multiply, 2), Gate("rest", lambda a: 1 - a[0])

    def step(x, h):
        z, r = add(update, [x, h]), add(reset, [x, h])
        if after:
            g = add(candidate, [x, h], [r])
        else:
            g = add(candidate, [x, add(Gated("remembered"), [h], [r])])
        return [add(memory, [h, g], [z, add(rest, [z])])]

    return step


def _of_reset(linear, values):
    """A GRU's candidate, whose weights of h, and a bias of their own, are scaled by the gate r."""
    through, w, b = linear(values)
    split = np.zeros((2, *b.shape))
    if len(values) > 2:
        split = values[2][:, -len(b) :]

    def gated(w, b, r):
        return [w[0], w[1] * r[:, None]], b[0] + r * b[1]

    return [through[0], lambda h, U: tf.einsum("ni,nij->nj", h, U)], w, split, gated


_CELLS = {
    layers.SimpleRNNCell: (_simple_rnn, 1),
    layers.LSTMCell: (_lstm, 2),
    layers.GRUCell: (_gru, 1),
    ConvLSTMCell: (_lstm, 2),
}


def _bidirectional(steps, layer):
    """Two recurrent layers, of which one goes back in time, and what merges them."""
    source = steps.only_source()
    merge = {"concat": layers.Concatenate, "sum": layers.Add, "ave": layers.Average}
    if layer.merge_mode not in merge:
        steps.refuse(f"with merge_mode {layer.merge_mode!r}", 'use "concat", "sum" or "ave"')
    parts, shape = [], steps.whole.shape
    for one in (layer.forward_layer, layer.backward_layer):
        shape = tuple(one.compute_output_shape(steps.shapes[source]))
        parts.append(steps.add(one, [source], shape=shape))
    if layer.backward_layer.return_sequences:
        parts[1] = steps.add(Reverse("in_order"), parts[1:], shape=shape)
    merged = merge[layer.merge_mode]()
    merged.build([shape, shape])
    steps.add(merged, parts)


def _time_distributed(steps, layer):
    """The layer, or network, at each step by itself."""
    inner, found, shape = layer.layer, [], steps.whole.shape
    for t, x in enumerate(steps.steps_of(steps.whole.sources[0])):
        steps.inside = f"{t}/"
        whole = is_network(inner)
        shape_of_one = shape[:1] + shape[2:]
        found.append(steps.follow(inner, x) if whole else steps.add(inner, [x], (), shape_of_one))
    steps.inside = ""
    steps.add(Stack("series"), found)


# ---- attention and normalisation ---------------------------------------------------------------


def _attention(steps, layer):
    """Values, weighed by attention, which is a gate."""
    [query], options = steps.whole.arguments
    value = options["value"]
    key = value if options.get("key") is None else options["key"]
    causal = options.get("use_causal_mask", False)

    def attention(a):
        q, k = a
        scores = tf.einsum(layer._dot_product_equation, k, q / layer._key_dim**0.5)
        return layer._softmax.call(scores, layer._compute_causal_mask(q, k) if causal else None)

    def weigh(v, w):
        if causal:  # also where a rule puts other numbers in the place of the weights
            w = tf.linalg.band_part(w, -1, 0)
        return tf.einsum(layer._combine_equation, w, v)

    q, k = steps.add(layer._query_dense, [query]), steps.add(layer._key_dense, [key])
    v = steps.add(layer._value_dense, [value])
    A = steps.add(Gate("attention", attention), [q, k])
    y = steps.add(_gated("weighed", weigh, 1), [v], [A])
    steps.add(layer._output_dense, [y])


def _normalization(steps, layer):
    """Values less their mean, over a deviation that is a gate."""
    [x], groups = steps.whole.sources, getattr(layer, "groups", None)
    rank = len(steps.whole.shape)
    if groups is not None and layer.axis not in (-1, rank - 1):
        steps.refuse("over another axis than the last", "build it with axis=-1")

    def moments(a):
        if groups is None:
            return tf.nn.moments(a, layer.axis, keepdims=True)
        parts = tf.reshape(a, (-1, *a.shape[1:-1], groups, a.shape[-1] // groups))
        some = tf.nn.moments(parts, [*range(1, rank - 1), rank], keepdims=True)
        some = (tf.repeat(one, parts.shape[-1], -1) for one in some)
        return [tf.reshape(one, (-1, *[1] * (rank - 2), a.shape[-1])) for one in some]

    centred = steps.add(Centre("centred", lambda a: moments(a)[0]), [x])
    deviation = Gate("deviation", lambda a: 1 / tf.sqrt(moments(a[0])[1] + layer.epsilon))
    y = steps.times("scaled", centred, steps.add(deviation, [x]))
    if layer.scale or layer.center:
        axes = [rank - 1] if groups else layer.axis
        shape = [n if axis in axes else 1 for axis, n in enumerate(steps.whole.shape)][1:]

        def linear(values):
            values = [value.reshape(shape) for value in values]
            w = values.pop(0) if layer.scale else np.ones(())
            return [_multiply], [w], values[0] if layer.center else np.zeros(())

        steps.add(Scale("line", linear, layer.weights), [y])


def _unit_normalization(steps, layer):
    """Values over their length, which is a gate."""

    def length(a):
        squares = tf.reduce_sum(a[0] ** 2, layer.axis, keepdims=True)
        return 1 / tf.sqrt(tf.maximum(squares, 1e-12))

    [x] = steps.whole.sources
    steps.times("scaled", x, steps.add(Gate("length", length), [x]))


def _product(steps, layer):
    """A signal times a gate; two signals have no rule."""
    sources, shape = steps.whole.sources, steps.whole.shape
    gates = [key for key in sources if steps.is_gate(key)]
    signals = [key for key in sources if key not in gates]
    if len(sources) != 2 or len(gates) != 1 or steps.shapes[signals[0]] != shape:
        steps.refuse(
            "of two signals",
            "only one that is scaled by a gate, the output of a sigmoid or softmax, has a rule",
        )
    steps.times("", *signals, *gates)


RECURRENT = layers.SimpleRNN, layers.LSTM, layers.GRU, layers.RNN
RECURRENT += layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D
APART = {
    **dict.fromkeys(RECURRENT, _recurrent),
    layers.Bidirectional: _bidirectional,
    layers.TimeDistributed: _time_distributed,
    layers.MultiHeadAttention: _attention,
    layers.LayerNormalization: _normalization,
    layers.GroupNormalization: _normalization,
    layers.UnitNormalization: _unit_normalization,
    layers.Multiply: _product,
}
