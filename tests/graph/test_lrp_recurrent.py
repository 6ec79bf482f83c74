"""LRP through recurrent, normalising and attending layers against an oracle by hand, and its books.

The oracle is held against Keras' forecasts, against numbers worked out on paper, and against its
own books; then the relevance against the oracle.
"""

import lrp_recurrent_by_hand as by_hand
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tensorflow.keras import Input, Model, Sequential, layers

from tests.graph.graphs import own_graph
from utils import lrp

# Keras has two GRUs, by the mode of TensorFlow, with other defaults.
GRU = {"reset_after": True, "recurrent_activation": "sigmoid"}
RESET_BEFORE = {"reset_after": False, "recurrent_activation": "hard_sigmoid"}


def randomise(model, seed=0):
    """Random weights and biases, which keep gates and tanh away from their ends."""
    draw = np.random.default_rng(seed)
    model.set_weights([draw.normal(0, 0.6, w.shape) for w in model.get_weights()])
    return model


def chain(shape, *stack):
    return randomise(Sequential([Input(shape), *stack]))


def series(*stack):
    return chain((3, 3), *stack)


def samples(model, n=2, seed=1):
    return np.random.default_rng(seed).normal(size=(n, *model.input_shape[1:]))


def near(ours, wanted, tolerance):
    """Equal but for a small share of the largest value."""
    assert ours.shape == wanted.shape
    assert np.abs(wanted).max() > 0, "nothing to compare"
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


# ---- networks ---------------------------------------------------------------------------------


def residual_block(x, heads=2, causal=False):
    """Attention and a small network at each step, each on normalised values and added to them."""
    y = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(heads, 3)(y, y, use_causal_mask=causal)
    x = layers.Add()([x, y])
    y = layers.LayerNormalization()(x)
    y = layers.Dense(6, activation="relu")(y)
    return layers.Add()([x, layers.Dense(x.shape[-1])(y)])


def transformer():
    x = Input((5, 4))
    y = residual_block(residual_block(x), heads=1, causal=True)
    y = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(y))
    return randomise(Model(x, layers.Dense(2)(y)))


def attending(shape=(5, 4), causal=False, **options):
    x = Input(shape)
    y = layers.MultiHeadAttention(**{"num_heads": 2, "key_dim": 3} | options)(
        x, x, use_causal_mask=causal
    )
    return randomise(Model(x, layers.Dense(2)(layers.Flatten()(y))))


def crossing(with_key=False):
    """Query, value and key come from different steps of the input, and are of different lengths."""
    x = Input((6, 3))
    query = layers.Dense(4, activation="relu")(layers.Cropping1D((0, 2))(x))
    value, key = layers.Cropping1D((3, 0))(x), layers.Dense(2)(layers.Cropping1D((1, 2))(x))
    more = {"key": key} if with_key else {}
    y = layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=5)(query, value, **more)
    return randomise(Model(x, layers.Dense(2)(layers.Flatten()(y))))


def gated(gate="sigmoid"):
    x = Input((5, 3))
    signal = layers.Dense(4, activation="relu")(x)
    y = layers.Multiply()([signal, layers.Dense(4, activation=gate)(x)])
    return randomise(Model(x, layers.Dense(2)(layers.Flatten()(y))))


def squeeze_and_excite():
    """A gate for each channel of a picture, first among the factors."""
    x = Input((4, 3, 2))
    y = layers.Conv2D(4, 2, activation="relu")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = layers.Activation("hard_sigmoid")(layers.Dense(4)(gate))
    y = layers.Multiply()([gate, y])
    return randomise(Model(x, layers.Dense(2)(layers.Flatten()(y))))


def both_ways(layer, merge, sequences=True):
    wrapped = layers.Bidirectional(layer, merge_mode=merge)
    rest = [layers.Flatten()] if sequences else []
    return series(wrapped, *rest, layers.Dense(2))


def pictures(steps, *stack):
    return chain((steps, 4, 3, 2), *stack)


CASES = {
    "SimpleRNN": lambda: series(layers.SimpleRNN(4), layers.Dense(2)),
    "SimpleRNN sequences backwards relu": lambda: series(
        layers.SimpleRNN(4, activation="relu", return_sequences=True, go_backwards=True),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "LSTM": lambda: series(layers.LSTM(4), layers.Dense(2)),
    "LSTM at the end": lambda: series(layers.LSTM(4)),
    "LSTM sequences": lambda: series(layers.LSTM(4, return_sequences=True)),
    "LSTM backwards": lambda: series(layers.LSTM(4, go_backwards=True), layers.Dense(2)),
    "LSTM sequences backwards unrolled": lambda: series(
        layers.LSTM(3, return_sequences=True, go_backwards=True, unroll=True),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "LSTM without bias": lambda: series(layers.LSTM(4, use_bias=False), layers.Dense(2)),
    "LSTM relu hard_sigmoid": lambda: series(
        layers.LSTM(4, activation="relu", recurrent_activation="hard_sigmoid"), layers.Dense(2)
    ),
    "GRU": lambda: series(layers.GRU(4, **GRU), layers.Dense(2)),
    "GRU sequences backwards": lambda: series(
        layers.GRU(4, return_sequences=True, go_backwards=True, **GRU),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "GRU without bias, unrolled": lambda: series(
        layers.GRU(4, use_bias=False, unroll=True, **GRU), layers.Dense(2)
    ),
    "GRU reset before": lambda: series(layers.GRU(4, **RESET_BEFORE), layers.Dense(2)),
    "GRU reset before sequences relu": lambda: series(
        layers.GRU(4, activation="relu", return_sequences=True, **RESET_BEFORE),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "RNN of cells": lambda: series(
        layers.RNN(layers.GRUCell(3, **GRU), return_sequences=True, go_backwards=True),
        layers.RNN(layers.LSTMCell(3)),
        layers.Dense(2),
    ),
    "three stacked": lambda: series(
        layers.Conv1D(4, 2, padding="same", activation="relu"),
        layers.LSTM(4, return_sequences=True),
        layers.GRU(3, return_sequences=True, go_backwards=True, **GRU),
        layers.SimpleRNN(3),
        layers.Dense(2, activation="softmax"),
    ),
    "there and back": lambda: series(
        layers.LSTM(4),
        layers.RepeatVector(3),
        layers.LSTM(4, return_sequences=True),
        layers.TimeDistributed(layers.Dense(2, activation="tanh")),
    ),
    "ConvLSTM1D": lambda: chain(
        (3, 5, 2), layers.ConvLSTM1D(2, 3, padding="same"), layers.Flatten(), layers.Dense(2)
    ),
    "ConvLSTM1D dilated backwards": lambda: chain(
        (3, 6, 2),
        layers.ConvLSTM1D(2, 2, dilation_rate=2, go_backwards=True, return_sequences=True),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "ConvLSTM2D": lambda: pictures(
        3, layers.ConvLSTM2D(2, 2, padding="same"), layers.Flatten(), layers.Dense(2)
    ),
    "ConvLSTM2D twice": lambda: pictures(
        3,
        layers.ConvLSTM2D(
            2, (3, 2), strides=(2, 1), padding="same", return_sequences=True, activation="relu"
        ),
        layers.ConvLSTM2D(2, 2, use_bias=False, recurrent_activation="sigmoid"),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "ConvLSTM2D and convolutions": lambda: pictures(
        2,
        layers.TimeDistributed(layers.Conv2D(2, 2, activation="relu")),
        layers.ConvLSTM2D(2, 2, padding="same", return_sequences=True),
        layers.TimeDistributed(layers.GlobalAveragePooling2D()),
        layers.TimeDistributed(layers.Dense(2)),
    ),
    "Bidirectional concat": lambda: both_ways(layers.LSTM(3, return_sequences=True), "concat"),
    "Bidirectional concat, last": lambda: both_ways(layers.GRU(3, **GRU), "concat", False),
    "Bidirectional sum": lambda: both_ways(layers.GRU(3, return_sequences=True, **GRU), "sum"),
    "Bidirectional ave, last": lambda: both_ways(layers.SimpleRNN(3), "ave", False),
    "Bidirectional from the end": lambda: both_ways(
        layers.LSTM(3, return_sequences=True, go_backwards=True), "sum"
    ),
    "a network at each step": lambda: pictures(
        2,
        layers.TimeDistributed(
            chain((4, 3, 2), layers.Conv2D(3, 2, activation="relu"), layers.Flatten())
        ),
        layers.LSTM(3),
        layers.Dense(2),
    ),
    "LayerNormalization": lambda: series(
        layers.LayerNormalization(), layers.Flatten(), layers.Dense(2)
    ),
    "LayerNormalization over all, without scale": lambda: series(
        layers.LayerNormalization(axis=(1, 2), scale=False), layers.Flatten(), layers.Dense(2)
    ),
    "LayerNormalization over steps, bare": lambda: series(
        layers.Dense(4, activation="relu"),
        layers.LayerNormalization(axis=1, scale=False, center=False),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "GroupNormalization": lambda: chain(
        (4, 3, 6), layers.GroupNormalization(3), layers.Conv2D(2, 2), layers.Flatten()
    ),
    "GroupNormalization of single channels": lambda: series(
        layers.GroupNormalization(-1, center=False), layers.Flatten(), layers.Dense(2)
    ),
    "UnitNormalization": lambda: series(
        layers.UnitNormalization(), layers.Flatten(), layers.Dense(2)
    ),
    "attention": attending,
    "attention of one head": lambda: attending(num_heads=1),
    "attention without bias": lambda: attending(use_bias=False),
    "causal attention": lambda: attending(causal=True),
    "attention, other values and output": lambda: attending(value_dim=4, output_shape=5),
    "attention in a picture": lambda: attending((3, 2, 4)),
    "attention along columns": lambda: attending((3, 2, 4), attention_axes=(2,)),
    "cross-attention": crossing,
    "cross-attention with a key": lambda: crossing(with_key=True),
    "transformer": transformer,
    "gate": gated,
    "squeeze and excite": squeeze_and_excite,
}

# The rule here, and its formula by hand.
Z = lrp.z(), ("z", {})
EPSILON = lrp.epsilon(0.1), ("epsilon", {"epsilon": 0.1})
OTHERS = {
    "gamma": (lrp.gamma(0.3), ("gamma", {"gamma": 0.3})),
    "alpha 1": (lrp.alpha_beta(1), ("alpha_beta", {"alpha": 1})),
    "alpha 2": (lrp.alpha_beta(2), ("alpha_beta", {"alpha": 2})),
    "w square": (lrp.w_square(), ("w_square", {})),
    "flat": (lrp.flat(), ("flat", {})),
}


# A layer is unrolled, which takes a second or more for each network and rule.
QUICK = "LSTM sequences", "GroupNormalization", "cross-attention with a key", "gate"
# Of each kind one or two, for all rules.
KINDS = (
    "SimpleRNN sequences backwards relu",
    "LSTM sequences",
    "LSTM relu hard_sigmoid",
    "GRU sequences backwards",
    "GRU reset before",
    "ConvLSTM2D twice",
    "Bidirectional sum",
    "causal attention",
    "cross-attention with a key",
    "attention along columns",
    "transformer",
)
SLOW = pytest.mark.slow


def marked(names):
    """The names of networks, but for the quick ones marked as slow."""
    return [name if name in QUICK else pytest.param(name, marks=SLOW) for name in names]


def check_by_hand(model, x, rule, formula, output=1, tolerance=1e-10):
    """Relevance of the input and of the layers, and the ledger, as derived by hand."""
    result = lrp.relevance(model, x, rule, output, dtype="float64")
    wanted = by_hand.relevance(model, x, formula, output)
    near(result.input, wanted.input, tolerance)
    known = [name for name in wanted.layers if name in result.layers]
    for name in wanted.layers.keys() - known:  # gates, queries, and what they alone need
        assert not wanted.layers[name].any()
    for name in known:
        size = abs(wanted.layers[name]).max()  # 0 for a gate
        np.testing.assert_allclose(
            result.layers[name], wanted.layers[name], rtol=0, atol=tolerance * size
        )
        size = abs(wanted.layers[name]).sum() + abs(wanted.ledger[name]).max()
        rows = result.ledger.xs(name, level="layer")[[*COLUMNS]].to_numpy()
        np.testing.assert_allclose(rows, wanted.ledger[name], rtol=0, atol=tolerance * size)
    return result


COLUMNS = "received", "passed_on", *by_hand.TAKEN


# ---- against the oracle -----------------------------------------------------------------------


@pytest.mark.parametrize("case", marked(CASES))
def test_relevance_is_as_by_hand(case):
    model = CASES[case]()
    x = samples(model)
    if by_hand.activation(model.layers[-1]) not in by_hand.HEADS:  # which is taken off
        near(by_hand.forecast(model, x), model.predict(x, verbose=0).astype(float), 1e-5)
    check_by_hand(model, x, *Z)
    rule, formula = EPSILON
    check_by_hand(model, x, rule, formula)
    single = lrp.relevance(model, x, rule, 1).input
    near(single, by_hand.relevance(model, x, formula, 1).input, 1e-6)


@SLOW
@pytest.mark.parametrize("case", KINDS)
def test_by_every_rule(case):
    model = CASES[case]()
    for rule, formula in OTHERS.values():
        check_by_hand(model, samples(model), rule, formula, output=None)


def test_by_gamma_and_alpha_beta():
    model = series(layers.LSTM(3), layers.Dense(2))
    for name in ("gamma", "alpha 2"):
        check_by_hand(model, samples(model), *OTHERS[name], output=None)


@SLOW
def test_rules_by_class_and_by_name():
    model = chain(
        (4, 3),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="outer"),
        layers.TimeDistributed(layers.Dense(4, activation="relu"), name="each"),
        layers.LayerNormalization(),
        layers.GRU(3, name="last", **GRU),
        layers.Dense(2, name="end"),
    )
    (gamma, of_gamma), (alpha, of_alpha) = OTHERS["gamma"], OTHERS["alpha 2"]
    (z, of_z), (epsilon, of_epsilon) = Z, EPSILON
    each = model.layers[1].layer
    by_layer = dict(zip(model.layers, (of_gamma, None, None, of_alpha, of_z), strict=True))
    x, formula = samples(model), (by_layer | {each: of_epsilon}).get
    rules = {"Dense": epsilon, "end": z, "last": alpha}
    by_class = check_by_hand(model, x, rules | {"LSTM": gamma}, formula)
    for keys in (
        {"outer": gamma, "LSTM": z},
        {"Bidirectional": gamma, "GRU": z},
        {"first": gamma},
        {"LSTM": gamma, "each": epsilon, "Dense": z},
    ):
        same = lrp.relevance(model, x, rules | keys, 1, dtype="float64")
        np.testing.assert_array_equal(same.input, by_class.input)


# ---- on paper ---------------------------------------------------------------------------------


def weighted(shape, layer, *weights):
    model = Sequential([Input(shape), layer])
    model.set_weights([np.array(w, float) for w in weights])
    return model


def steady(layer, **options):
    """One unit whose gates are all one half."""
    return layer(1, activation="linear", recurrent_activation="hard_sigmoid", **options)


def causal_attention():
    x = Input((2, 1))
    model = Model(x, layers.MultiHeadAttention(1, 1)(x, x, use_causal_mask=True))
    zero, one, two = np.zeros((1, 1, 1)), np.ones((1, 1, 1)), 2 * np.ones((1, 1, 1))
    nothing = np.zeros((1, 1))
    model.set_weights([zero, nothing, zero, nothing, one, nothing, two, np.ones(1)])
    return model


def test_numbers_worked_out_on_paper():
    gates, x = [0, 0], [3, 3]
    cases = [
        # h_1 = 3 - 1 = 2; h_2 = 3 + 2 * 2 - 1 = 6, of which 3 comes from x_2, 4 from h_1 = 2.
        (
            weighted((2, 1), layers.SimpleRNN(1, activation="linear"), [[1]], [[2]], [-1]),
            (x, 0),
            ([6, 3], -3),
        ),
        # g_1 = 3 + 1, c_1 = 4 / 2, h_1 = 2 / 2; g_2 = 3 + 2 + 1, c_2 = 1 + 3, h_2 = 2. So c_1 gets
        # 2 / 4, g_2 gets 6 / 4, of which x_2 gets a half, h_1 a third, the bias a sixth.
        (
            weighted(
                (2, 1), steady(layers.LSTM), [[*gates, 1, 0]], [[*gates, 2, 0]], [*gates, 1, 0]
            ),
            (x, 0),
            ([0.75, 0.75], 0.5),
        ),
        # g_1 = 3 + 2 / 2 = 4, h_1 = 2; g_2 = 3 + (2 * 2 + 2) / 2 = 6, h_2 = 1 + 3. So h_1 gets 1,
        # g_2 gets 3, of which x_2 gets a half, h_1 a third.
        (
            weighted(
                (2, 1),
                steady(layers.GRU, reset_after=True),
                [[*gates, 1]],
                [[*gates, 2]],
                [[*gates, 0], [*gates, 2]],
            ),
            (x, 0),
            ([1.5, 1.5], 1),
        ),
        # The same numbers: g_1 = 3 + 1; g_2 = 3 + 2 / 2 * 2 + 1.
        (
            weighted(
                (2, 1),
                steady(layers.GRU, reset_after=False),
                [[*gates, 1]],
                [[*gates, 2]],
                [*gates, 1],
            ),
            (x, 0),
            ([1.5, 1.5], 1),
        ),
        # The last step attends to both alike: o = (1 + 3) / 2, y = 2 * 2 + 1.
        (causal_attention(), ([1, 3], 1), ([1, 3], 1)),
        # And the first to itself: o = 1, y = 2 + 1.
        (causal_attention(), ([1, 3], 0), ([2, 0], 1)),
        # (3 - 2) / 1 * 2 + 2 = 4 has the terms -1/2 * 1 * 2, 1/2 * 3 * 2, and 2.
        (
            weighted((2,), layers.LayerNormalization(epsilon=0), [1, 2], [0, 2]),
            ([1, 3], 1),
            ([-1, 3], 2),
        ),
    ]
    for model, (x, output), (wanted, bias) in cases:
        x = np.reshape(x, (1, *model.input_shape[1:]))
        found = by_hand.relevance(model, x, ("z", {}), output)
        np.testing.assert_allclose(found.input.ravel(), wanted, rtol=1e-12)
        name = model.layers[-1].name
        np.testing.assert_allclose(found.ledger[name][0, 2:], [bias, 0, 0], atol=1e-12)
        result = lrp.relevance(model, x, "z", output, dtype="float64")
        np.testing.assert_allclose(result.input.ravel(), wanted, rtol=1e-12)
        taken = result.ledger.loc[0, name][list(by_hand.TAKEN)].tolist()
        np.testing.assert_allclose(taken, [bias, 0, 0], atol=1e-12)


# ---- the books --------------------------------------------------------------------------------

merge = st.sampled_from(["concat", "sum", "ave"])
LAYER = st.one_of(
    st.tuples(st.just("SimpleRNN"), st.sampled_from(["relu", "tanh"]), st.booleans()),
    st.tuples(st.just("LSTM"), st.sampled_from(["relu", "tanh"]), st.booleans()),
    st.tuples(st.just("GRU"), st.booleans(), st.booleans()),
    st.tuples(st.just("Bidirectional"), st.sampled_from(["LSTM", "SimpleRNN"]), merge),
    st.tuples(st.just("LayerNormalization"), st.sampled_from([1, 2, (1, 2)])),
    st.tuples(st.just("GroupNormalization"), st.sampled_from([1, 2, 4])),
    st.tuples(st.just("UnitNormalization")),
    st.tuples(st.just("attention"), st.integers(1, 2), st.booleans(), st.booleans()),
    st.tuples(st.just("gate")),
    st.tuples(st.just("TimeDistributed")),
)
NETWORK = given(
    st.lists(LAYER, min_size=1, max_size=3),
    st.sampled_from(["LSTM", "Flatten", "GlobalAveragePooling1D"]),
    st.booleans(),
    st.sampled_from([Z, EPSILON, OTHERS["gamma"], OTHERS["alpha 1"], OTHERS["alpha 2"]]),
)
OPTIONS = {"phases": [Phase.generate], "deadline": None, "database": None}
OPTIONS["suppress_health_check"] = list(HealthCheck)


def apply(x, bias, kind, *how):
    """Put one layer of random settings behind a series of four channels."""
    if kind in ("SimpleRNN", "LSTM"):
        activation, backwards = how
        options = {"activation": activation, "go_backwards": backwards, "use_bias": bias}
        return getattr(layers, kind)(4, return_sequences=True, **options)(x)
    if kind == "GRU":
        options = dict(zip(("reset_after", "go_backwards"), how, strict=True), use_bias=bias)
        return layers.GRU(4, return_sequences=True, recurrent_activation="sigmoid", **options)(x)
    if kind == "Bidirectional":
        inner, merge = how
        units = 2 if merge == "concat" else 4
        inner = getattr(layers, inner)(units, return_sequences=True, use_bias=bias)
        return layers.Bidirectional(inner, merge_mode=merge)(x)
    if kind == "LayerNormalization":
        return layers.LayerNormalization(*how, center=bias)(x)
    if kind == "GroupNormalization":
        return layers.GroupNormalization(*how, center=bias)(x)
    if kind == "UnitNormalization":
        return layers.UnitNormalization()(x)
    if kind == "attention":
        heads, causal, add = how
        attention = layers.MultiHeadAttention(heads, 2, use_bias=bias)
        y = attention(x, x, use_causal_mask=causal)
        return layers.Add()([x, y]) if add else y
    if kind == "gate":
        gate = layers.Dense(4, activation="sigmoid")(x)
        return layers.Multiply()([gate, layers.Dense(4, use_bias=bias)(x)])
    return layers.TimeDistributed(layers.Dense(4, activation="relu", use_bias=bias))(x)


def network(specs, end, bias):
    x = start = Input((4, 4))
    for spec in specs:
        x = apply(x, bias, *spec)
    last = layers.LSTM(3, use_bias=bias) if end == "LSTM" else getattr(layers, end)()
    return randomise(Model(start, layers.Dense(2, use_bias=bias)(last(x))))


def books_balance(specs, end, bias, rules):
    with own_graph():
        model = network(specs, end, bias)
        x = samples(model, 3)
        balanced(by_hand.relevance(model, x, rules[1]), bias, rules)
        result = lrp.relevance(model, x, rules[0], dtype="float64")
        ledger = {
            name: result.ledger.xs(name, level="layer")[[*COLUMNS]].to_numpy()
            for name in result.layers
        }
        end = model.layers[-1].name
        value = by_hand.forecast(model, x).max(1)
        balanced(by_hand.Relevance(result.input, result.layers, ledger, value), bias, rules)
        np.testing.assert_allclose(ledger[end][:, 0], value, rtol=1e-10, atol=1e-14)


def balanced(found, bias=True, rules=()):
    """What is explained is the relevance of the input, and what was taken; so for each layer."""
    size = max(abs(found.input).sum(), *(abs(R).sum() for R in found.layers.values()))
    near_0 = {"rtol": 0, "atol": 1e-10 * size}
    by_bias, by_stabiliser, _ = taken = sum(rows[:, 2:] for rows in found.ledger.values()).T
    total = found.input.reshape(len(found.input), -1).sum(1) + taken.sum(0)
    np.testing.assert_allclose(total, found.value, **near_0)
    for rows in found.ledger.values():
        np.testing.assert_allclose(rows[:, 0], rows[:, 1:].sum(1), **near_0)
    if not bias:
        np.testing.assert_allclose(by_bias, 0, **near_0)
    if rules is not EPSILON:
        np.testing.assert_array_equal(by_stabiliser, 0)


@settings(max_examples=3, derandomize=True, **OPTIONS)
@NETWORK
def test_the_books_of_random_networks_balance(specs, end, bias, rules):
    books_balance(specs, end, bias, rules)


@SLOW
@settings(max_examples=100, **OPTIONS)
@NETWORK
def test_the_books_of_many_random_networks_balance(specs, end, bias, rules):
    books_balance(specs, end, bias, rules)


@SLOW
def test_without_biases_the_z_rule_hands_all_on():
    for case in ("three stacked", "transformer"):
        model = CASES[case]()
        named = zip(model.weights, model.get_weights(), strict=True)
        model.set_weights([0 * v if w.name.split("/")[-1][0] == "b" else v for w, v in named])
        x = samples(model)
        result = lrp.relevance(model, x, "z", 1, dtype="float64")
        value = by_hand.forecast(model, x)[:, 1]
        np.testing.assert_allclose(result.input.reshape(len(x), -1).sum(1), value, rtol=1e-9)
        own = by_hand.relevance(model, x, ("z", {}), 1).input
        np.testing.assert_allclose(own.reshape(len(x), -1).sum(1), value, rtol=1e-9)


# ---- refused ----------------------------------------------------------------------------------


def called(layer, shape=(5, 3), **given):
    """A network with a layer that is called with more than its input."""
    x = Input(shape)
    more = {key: make(x) for key, make in given.items()}
    y = layer(x, **more)
    return Model(x, y[0] if isinstance(y, list | tuple) else y)


def plain(*stack):
    return Sequential([Input((5, 3)), *stack])


def of_all(x):
    return layers.Dense(2)(layers.Flatten()(x))


def two_signals():
    x = Input((5, 3))
    return Model(x, layers.Multiply(name="this")([layers.Dense(4)(x), layers.Dense(4)(x)]))


def two_gates():
    x = Input((5, 3))
    gates = [layers.Dense(4, activation="sigmoid")(x) for _ in range(2)]
    return Model(x, layers.Multiply(name="this")(gates))


def attended(**options):
    x = Input((5, 3))
    options = {key: make(x) for key, make in options.items()}
    y = layers.MultiHeadAttention(1, 2, name="this")(x, x, **options)
    return Model(x, y[0] if isinstance(y, tuple) else y)


def masked(*stack):
    return plain(layers.Masking(name="this"), *stack)


REFUSED = {
    "mask": lambda: masked(layers.LSTM(2)),
    "mask over attention": lambda: masked(layers.Dense(2), layers.GRU(2, **GRU)),
    "mask given": lambda: called(
        layers.LSTM(2, name="this"), mask=lambda x: tf.keras.backend.any(x > 0, -1)
    ),
    "stateful": lambda: Sequential(
        [Input(batch_shape=(1, 5, 3)), layers.LSTM(2, stateful=True, name="this")]
    ),
    "stateful ConvLSTM": lambda: Sequential(
        [Input(batch_shape=(1, 3, 5, 2)), layers.ConvLSTM1D(2, 2, stateful=True, name="this")]
    ),
    "return_state": lambda: called(layers.LSTM(2, return_state=True, name="this")),
    "return_state of a GRU": lambda: called(layers.GRU(2, return_state=True, name="this", **GRU)),
    "initial_state": lambda: called(
        layers.LSTM(2, name="this"), initial_state=lambda x: [of_all(x), of_all(x)]
    ),
    "initial_state of a SimpleRNN": lambda: called(
        layers.SimpleRNN(2, name="this"), initial_state=of_all
    ),
    "tanh for a gate": lambda: plain(
        layers.LSTM(2, recurrent_activation="tanh", name="this"), layers.Dense(2)
    ),
    "linear gate of a GRU": lambda: plain(
        layers.GRU(2, recurrent_activation="linear", name="this"), layers.Dense(2)
    ),
    "relu gate of a ConvLSTM": lambda: Sequential(
        [Input((2, 4, 3, 2)), layers.ConvLSTM2D(2, 2, recurrent_activation="relu", name="this")]
    ),
    "tanh for a gate inside": lambda: plain(
        layers.Bidirectional(layers.LSTM(2, recurrent_activation="tanh", name="this"))
    ),
    "mul": lambda: plain(layers.Bidirectional(layers.LSTM(2), merge_mode="mul", name="this")),
    "two outputs": lambda: called(
        layers.Bidirectional(layers.LSTM(2), merge_mode=None, name="this")
    ),
    "a cell of another kind": lambda: plain(
        layers.RNN(layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(2)]), name="this")
    ),
    "two signals": two_signals,
    "two gates": two_gates,
    "attention_mask": lambda: attended(attention_mask=lambda x: tf.ones((1, 5, 5))),
    "return_attention_scores": lambda: attended(return_attention_scores=lambda x: True),
    "dot attention": lambda: (lambda x: Model(x, layers.Attention(name="this")([x, x])))(
        Input((5, 3))
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence_that_names_the_layer(case):
    model = REFUSED[case]()
    x = np.ones((1, *model.input_shape[1:]))
    with pytest.raises(
        NotImplementedError, match=r"^[A-Z][^\n]*layer '(forward_)?this' \(\w+\).*\.$"
    ):
        lrp.relevance(model, x, lrp.epsilon(0.1))


@pytest.mark.parametrize("case", ["LSTM", "attention"])
def test_the_z_box_rule_is_not_for_them(case):
    model = CASES[case]()
    name = model.layers[0].name if case != "attention" else model.layers[1].name
    with pytest.raises((NotImplementedError, ValueError), match=rf"layer '{name}' \(\w+\).*\.$"):
        lrp.relevance(model, samples(model), {"Dense": lrp.z(), name: lrp.z_box(-9, 9)})
