"""Patterns against regressions by hand, and heat maps against the chain written as matrices."""

import numpy as np
import pytest
from tensorflow import keras

from utils import networks
from utils.explain import explain, patternnet
from utils.keras_graph import machine
from utils.keras_graph.cache import ModelCache

L = keras.layers


def filled(*layers, seed=0):
    """A network with random weights and biases."""
    model = keras.Sequential(layers)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def by_hand(x, y, w, relu=True):
    """The published formula for one unit: x (case, input), y (case,), w (input,)."""
    active = y > 0 if relu else np.ones(len(y), bool)
    a = (x[active] * y[active, None]).mean(0) - x[active].mean(0) * y.mean()
    return a / (w @ a)


def test_the_signal_and_not_the_disturbance():
    rng = np.random.default_rng(0)
    signal, disturbance = rng.normal(size=(2, 4000, 1))
    x = signal * [1.0, 0.0] + disturbance * [1.0, 1.0]
    model = keras.Sequential([keras.Input((2,)), L.Dense(1, name="unit")])
    model.set_weights([np.array([[1.0], [-1.0]]), np.zeros(1)])
    (pattern,) = patternnet.fit(model, x).values()
    np.testing.assert_allclose(pattern[:, 0], [1, 0], atol=0.05)


def test_dense_units_over_the_samples_in_which_they_are_active():
    model = filled(keras.Input((5,)), L.Dense(4, "relu", name="a"), L.Dense(2, name="b"))
    x = np.random.default_rng(1).normal(size=(300, 5))
    fitted = patternnet.fit(model, x)
    w, b, v, c = model.get_weights()
    y = x @ w + b
    for j in range(4):
        expected = by_hand(x, y[:, j], w[:, j])
        np.testing.assert_allclose(fitted["a"][:, j], expected, rtol=1e-3, atol=1e-4)
    hidden = np.maximum(y, 0)
    for j, output in enumerate((hidden @ v + c).T):  # no ReLU: over all samples
        expected = by_hand(hidden, output, v[:, j], relu=False)
        np.testing.assert_allclose(fitted["b"][:, j], expected, rtol=1e-3, atol=1e-4)


def test_a_convolution_at_all_places():
    model = filled(keras.Input((6, 7, 2)), L.Conv2D(3, 3, activation="relu", name="conv"))
    x = np.random.default_rng(2).normal(size=(40, 6, 7, 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))  # (n, y, x, c, 3, 3)
    places = np.moveaxis(windows, 3, -1).reshape(-1, 3 * 3 * 2)
    w, b = model.get_weights()
    y = places @ w.reshape(-1, 3) + b
    (pattern,) = patternnet.fit(model, x).values()
    for j in range(3):
        expected = by_hand(places, y[:, j], w[..., j].ravel()).reshape(3, 3, 2)
        np.testing.assert_allclose(pattern[..., j], expected, rtol=2e-3, atol=1e-4)


def test_a_dead_unit_has_no_pattern():
    model = filled(keras.Input((3,)), L.Dense(2, "relu", name="unit"))
    w, b = model.get_weights()
    model.set_weights([w, np.array([-100.0, 0.0])])
    pattern = patternnet.fit(model, np.random.default_rng(3).normal(size=(50, 3)))["unit"]
    assert not pattern[:, 0].any() and pattern[:, 1].any()


@pytest.mark.parametrize("times_weights", [True, False])
def test_maps_are_the_chain_of_matrices(times_weights):
    model = filled(keras.Input((5,)), L.Dense(4, "relu", name="a"), L.Dense(3, name="b"))
    x = np.random.default_rng(4).normal(size=(20, 5))
    fitted = patternnet.fit(model, x)
    w, b, v, c = model.get_weights()
    back_a, back_b = (fitted[n] * (k if times_weights else 1) for n, k in (("a", w), ("b", v)))
    active = (x @ w + b > 0).astype(float)
    outputs = np.maximum(x @ w + b, 0) @ v + c
    for output in (2, None):
        chosen = outputs.argmax(1) if output is None else np.full(20, output)
        start = outputs[np.arange(20), chosen]
        expected = (start[:, None] * back_b.T[chosen] * active) @ back_a.T
        maps = patternnet.attribute(model, x, fitted, output, times_weights)
        np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-4)


def test_with_the_weights_as_patterns_patternnet_is_the_gradient():
    model = networks.clever_hans(16)
    x = np.random.default_rng(5).random((3, 16, 16, 3)).astype("float32")
    own = {layer.name: layer.get_weights()[0] for layer in model.layers if layer.weights}
    maps = patternnet.attribute(model, x, own, output=0, times_weights=False)
    logit = model.predict(x, verbose=0)[:, 0]
    gradient = explain(model, x, "gradient", output=0)
    expected = logit[:, None, None, None] * gradient
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-6)


def test_chunks_give_what_one_pass_gives(monkeypatch):
    model = networks.clever_hans(16)
    x = np.random.default_rng(6).random((7, 16, 16, 3))
    whole = patternnet.fit(model, x)
    maps = patternnet.attribute(model, x, whole)
    monkeypatch.setattr(machine, "ROOM", 1)
    monkeypatch.setattr(machine, "_kept", ModelCache(8))
    for name, pattern in patternnet.fit(model, x).items():
        np.testing.assert_allclose(pattern, whole[name], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(patternnet.attribute(model, x, whole), maps, rtol=1e-4, atol=1e-6)


def test_cost_is_once_forward_and_once_back():
    assert patternnet.cost(networks.clever_hans(16)) == pytest.approx(2, abs=0.1)


def test_inputs_such_as_kelvins_lose_no_digits():
    model = filled(keras.Input((5,)), L.Dense(4, "relu", name="unit"))
    x = 300 + np.random.default_rng(8).normal(size=(300, 5))
    w, b = model.get_weights()
    model.set_weights([w, b - 300 * w.sum(0)])
    w, b = (some.astype("float64") for some in model.get_weights())
    (pattern,) = patternnet.fit(model, x).values()
    for j in range(4):
        expected = by_hand(x, x @ w[:, j] + b[j], w[:, j])
        np.testing.assert_allclose(pattern[:, j], expected, rtol=1e-4)


def test_strides_and_padding():
    options = {"strides": 2, "padding": "same", "activation": "relu", "name": "conv"}
    model = filled(keras.Input((7, 6, 1)), L.Conv2D(2, 3, **options))
    x = np.random.default_rng(9).normal(size=(40, 7, 6, 1))
    padded = np.pad(x, ((0, 0), (1, 1), (0, 1), (0, 0)))  # as TensorFlow pads 7 and 6 for stride 2
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
    places = np.moveaxis(windows, 3, -1).reshape(-1, 9)
    w, b = model.get_weights()
    (pattern,) = patternnet.fit(model, x).values()
    for j in range(2):
        weights = w[..., j].ravel()
        expected = by_hand(places, places @ weights + b[j], weights).reshape(3, 3, 1)
        np.testing.assert_allclose(pattern[..., j], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "layers, words",
    [
        ([L.Dense(2, "tanh", name="curved")], "not the tanh of the layer 'curved'"),
        ([L.Dense(2, "softmax", name="end")], "not the softmax of the layer 'end'"),
        ([L.Dense(2), L.BatchNormalization(name="norm")], "through the layer 'norm'"),
        ([L.Dense(2), L.ReLU(name="later")], "through the layer 'later'"),
        ([L.Dense(2), L.LeakyReLU(name="leaky")], "through the layer 'leaky'"),
    ],
)
def test_networks_without_patterns_are_refused(layers, words):
    model = keras.Sequential([keras.Input((3,)), *layers])
    with pytest.raises(NotImplementedError, match=words):
        patternnet.fit(model, np.ones((2, 3)))


def test_a_layer_used_twice_is_refused():
    x, twice = keras.Input((3,)), L.Dense(3, name="twice")
    with pytest.raises(NotImplementedError, match="each used once"):
        patternnet.fit(keras.Model(x, twice(twice(x))), np.ones((2, 3)))


def test_patterns_of_another_network_are_refused():
    x = np.ones((2, 16, 16, 3))
    one, other = networks.clever_hans(16), filled(keras.Input((16, 16, 3)), L.Flatten(), L.Dense(1))
    with pytest.raises(ValueError, match="not this network's"):
        patternnet.attribute(one, x, patternnet.fit(other, x))
    with pytest.raises(ValueError, match="not this network's"):
        patternnet.attribute(one, x, None)


def test_missing_values_are_refused():
    model = filled(keras.Input((3,)), L.Dense(2))
    with pytest.raises(ValueError, match="NaN"):
        patternnet.fit(model, [[1, np.nan, 2]])
