"""LRP's shortcuts, which are there only for speed, held against the steps that they replace."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.keras import Input, Model, Sequential, layers
from tensorflow.keras.layers import Conv2D, Dense

from utils import lrp
from utils.lrp import computation
from utils.lrp.propagate import both_ways

SHAPE = 6, 8, 3
RELU = {"activation": "relu"}


def branches():
    """One layer's values go through two layers, whose rules may differ."""
    x = Input(SHAPE)
    a = Conv2D(4, 3, padding="same", **RELU)(x)
    b = Conv2D(4, 3, padding="same", name="b", **RELU)(a)
    c = Conv2D(4, 1)(a)
    return Model(x, Dense(2)(layers.Flatten()(layers.Add()([b, c]))))


STACKS = {
    "even kernel": lambda: [Conv2D(5, (2, 5), padding="same", **RELU)],
    "large kernel": lambda: [Conv2D(5, (7, 4), padding="same"), layers.ReLU()],
    "strided": lambda: [Conv2D(5, 3, strides=2, padding="same", **RELU)],
    "normalised": lambda: [
        *(Conv2D(4, 3), layers.BatchNormalization(), layers.Dropout(0.5), layers.ReLU())
    ],
    "scaled": lambda: [Conv2D(4, 3), layers.Rescaling(-2.0), layers.ReLU()],
    "sigmoid of a ReLU": lambda: [Conv2D(4, 3, **RELU), layers.Activation("sigmoid")],
    "up and down": lambda: [
        *(Conv2D(4, 3, padding="same", **RELU), layers.MaxPooling2D(2)),
        *(layers.UpSampling2D((3, 2)), Conv2D(4, 3, **RELU)),
    ],
    "no ReLU": lambda: [Conv2D(4, 3, activation="elu")],
}
RULES = {
    "epsilon": lrp.epsilon(0.5),
    "alpha 2": "alpha_2_beta_1",
    "alpha 1, whole bias": lrp.alpha_beta(1, bias="whole"),
    "alpha 3, no bias": lrp.alpha_beta(3, bias=None),
}
OF_BRANCHES = {
    "z": "z",
    "flat by epsilon": {"b": "flat", "Conv2D": lrp.epsilon(0.5), "Dense": "z"},
    "squares by alpha 2": {"b": "w_square", "Conv2D": "alpha_2_beta_1", "Dense": "flat"},
}
CASES = {
    f"{name}, {rule}": (make, RULES[rule]) for name, make in STACKS.items() for rule in RULES
} | {f"branches, {name}": (branches, rule) for name, rule in (RULES | OF_BRANCHES).items()}


def built(make):
    """The network with random weights, some of them 0."""
    made = make()
    if isinstance(made, list):
        made = Sequential([Input(SHAPE), *made, layers.Flatten(), Dense(2)])
    rng = np.random.default_rng(0)
    for layer in made.layers:
        values = [rng.normal(size=w.shape) * (rng.random(w.shape) < 0.8) for w in layer.weights]
        layer.set_weights(
            [
                1 + abs(v) if "variance" in w.name else v
                for v, w in zip(values, layer.weights, strict=True)
            ]
        )
    return made


# Each stack by one rule, and branches by three; the others are slow tests.
QUICK = {f"{name}, {rule}" for name, rule in zip(STACKS, [*RULES, *RULES], strict=True)}
QUICK |= {f"branches, {name}" for name in OF_BRANCHES}


@pytest.mark.parametrize(
    "case",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
def test_shortcuts_change_no_number(case, monkeypatch):
    make, rule = CASES[case]
    x = np.random.default_rng(1).uniform(-1 if "strided" in case else 0, 1, (3, *SHAPE))
    x[:, :4, :4] = 0  # where nothing contributes
    fast = lrp.relevance(built(make), x, rule, dtype="float64")
    for shortcuts in ("_forwards", "_steps"):
        monkeypatch.setattr(computation, shortcuts, lambda *of: {})
    plain = lrp.relevance(built(make), x, rule, dtype="float64")
    assert np.abs(plain.input).max() > 0
    close = {"rtol": 1e-9, "atol": 1e-9 * np.abs(plain.input).max()}
    np.testing.assert_allclose(fast.input, plain.input, **close)
    for ours, wanted in zip(fast.layers.values(), plain.layers.values(), strict=True):
        np.testing.assert_allclose(ours, wanted, **close)
    columns = computation.COLUMNS
    np.testing.assert_allclose(fast.ledger[columns], plain.ledger[columns], **close)


@pytest.mark.parametrize("rule", ["epsilon", "alpha_2_beta_1", "flat"])
def test_copies_of_pixels_are_made_late_where_no_layer_is_asked_for(rule):
    def make():
        one = Conv2D(4, 3, **RELU), layers.UpSampling2D(2), Conv2D(2, 1, **RELU)
        return [*one, layers.UpSampling2D((1, 3)), Conv2D(3, 1)]

    model, x = built(make), np.random.default_rng(1).uniform(0, 1, (2, *SHAPE))
    fast = lrp.relevance(model, x, rule, dtype="float64", layers=False)
    plain = lrp.relevance(model, x, rule, dtype="float64")
    assert np.abs(plain.input).max() > 0
    np.testing.assert_allclose(fast.input, plain.input, rtol=1e-9, atol=1e-12)
    columns = computation.COLUMNS
    np.testing.assert_allclose(fast.ledger[columns], plain.ledger[columns], rtol=1e-9, atol=1e-11)


def test_four_neighbours_at_once_are_those_one_by_one():
    """Single precision has convolutions of its own, which were wrong for one column from one."""

    def same(a, w):
        return tf.nn.conv2d(a, w, 1, "SAME")

    rng, pairs = np.random.default_rng(0), []
    for width, below, above, kernel in itertools.product(
        (4, 8, 12), (1, 4), (1, 3), [(1, 1), (3, 3), (2, 5)]
    ):
        layer = Conv2D(above, kernel, padding="same")
        a, w, s = (
            tf.constant(rng.normal(size=shape), "float32")
            for shape in [(2, 6, width, below), (*kernel, below, above), (2, 6, width, above)]
        )
        layer.build(a.shape)
        way = computation._few_channels(layer, a)
        assert (way is None) == (width == 4)
        if way:
            double = both_ways(same, tf.cast(a, "float64"), tf.cast(w, "float64"))[1]
            pairs.append((way(None, a, w)[1](s), double(tf.cast(s, "float64"))))
    for ours, wanted in tf.compat.v1.Session().run(pairs):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("width", [3, 4, 5, 8])
def test_single_precision_at_any_width(width):
    model = Sequential([Input((4, width, 2)), Conv2D(1, 3, padding="same", **RELU)])
    rng = np.random.default_rng(0)
    model.set_weights([abs(rng.normal(size=w.shape)) for w in model.get_weights()])
    x = abs(rng.normal(size=(3, 4, width, 2)))
    single, double = (lrp.relevance(model, x, "z", dtype=d).input for d in ("float32", "float64"))
    np.testing.assert_allclose(single, double, rtol=1e-5)
