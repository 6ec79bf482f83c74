"""Patterns against regressions by hand, and heat maps against the chain written as matrices."""

import numpy as np
import pytest
from tensorflow import keras

from utils import networks, patterns

L = keras.layers


def filled(*layers, seed=0):
    """A network with random weights and biases."""
    model = keras.Sequential(layers)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def slopes(x, y):
    """For each unit, how the inputs move with it: a regression over the cases given."""
    dx, dy = x - x.mean(0), y - y.mean()
    return dx.T @ dy / (dy @ dy)


def test_the_signal_and_not_the_disturbance():
    rng = np.random.default_rng(0)
    signal, disturbance = rng.normal(size=(2, 4000, 1))
    x = signal * [1.0, 0.0] + disturbance * [1.0, 1.0]
    model = keras.Sequential([keras.Input((2,)), L.Dense(1, name="unit")])
    model.set_weights([np.array([[1.0], [-1.0]]), np.zeros(1)])
    (pattern,) = patterns.fit(model, x).values()
    np.testing.assert_allclose(pattern[:, 0], [1, 0], atol=0.05)


def test_dense_units_over_the_samples_in_which_they_are_active():
    model = filled(keras.Input((5,)), L.Dense(4, "relu", name="a"), L.Dense(2, name="b"))
    x = np.random.default_rng(1).normal(size=(300, 5))
    fitted = patterns.fit(model, x)
    w, b, v, c = model.get_weights()
    y = x @ w + b
    for j in range(4):
        active = y[:, j] > 0
        expected = slopes(x[active], y[active, j])
        np.testing.assert_allclose(fitted["a"][:, j], expected, rtol=1e-3, atol=1e-4)
    hidden = np.maximum(y, 0)
    for j, output in enumerate((hidden @ v + c).T):  # no ReLU: over all samples
        expected = slopes(hidden, output)
        np.testing.assert_allclose(fitted["b"][:, j], expected, rtol=1e-3, atol=1e-4)


def test_a_convolution_at_all_places():
    model = filled(keras.Input((6, 7, 2)), L.Conv2D(3, 3, activation="relu", name="conv"))
    x = np.random.default_rng(2).normal(size=(40, 6, 7, 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))  # (n, y, x, c, 3, 3)
    places = np.moveaxis(windows, 3, -1).reshape(-1, 3 * 3 * 2)
    w, b = model.get_weights()
    y = places @ w.reshape(-1, 3) + b
    (pattern,) = patterns.fit(model, x).values()
    for j in range(3):
        active = y[:, j] > 0
        expected = slopes(places[active], y[active, j]).reshape(3, 3, 2)
        np.testing.assert_allclose(pattern[..., j], expected, rtol=2e-3, atol=1e-4)


def test_a_dead_unit_has_no_pattern():
    model = filled(keras.Input((3,)), L.Dense(2, "relu", name="unit"))
    w, b = model.get_weights()
    model.set_weights([w, np.array([-100.0, 0.0])])
    pattern = patterns.fit(model, np.random.default_rng(3).normal(size=(50, 3)))["unit"]
    assert not pattern[:, 0].any() and pattern[:, 1].any()


@pytest.mark.parametrize("times_weights", [True, False])
def test_maps_are_the_chain_of_matrices(times_weights):
    model = filled(keras.Input((5,)), L.Dense(4, "relu", name="a"), L.Dense(3, name="b"))
    x = np.random.default_rng(4).normal(size=(20, 5))
    fitted = patterns.fit(model, x)
    w, b, v, c = model.get_weights()
    back_a, back_b = (fitted[n] * (k if times_weights else 1) for n, k in (("a", w), ("b", v)))
    active = (x @ w + b > 0).astype(float)
    outputs = np.maximum(x @ w + b, 0) @ v + c
    for output in (2, None):
        chosen = outputs.argmax(1) if output is None else np.full(20, output)
        start = outputs[np.arange(20), chosen]
        expected = (start[:, None] * back_b.T[chosen] * active) @ back_a.T
        maps = patterns.attribute(model, x, fitted, output, times_weights)
        np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-4)


def test_with_the_weights_as_patterns_patternnet_is_the_gradient():
    from utils.explain import explain

    model = networks.clever_hans(16)
    x = np.random.default_rng(5).random((3, 16, 16, 3)).astype("float32")
    own = {layer.name: layer.get_weights()[0] for layer in model.layers if layer.weights}
    maps = patterns.attribute(model, x, own, output=0, times_weights=False)
    logit = model.predict(x, verbose=0)[:, 0]
    gradient = explain(model, x, "gradient", output=0)
    expected = logit[:, None, None, None] * gradient
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-6)


def test_chunks_give_what_one_pass_gives(monkeypatch):
    model = networks.clever_hans(16)
    x = np.random.default_rng(6).random((7, 16, 16, 3))
    whole = patterns.fit(model, x)
    maps = patterns.attribute(model, x, whole)
    monkeypatch.setattr(patterns, "ROOM", 1)
    for name, pattern in patterns.fit(model, x).items():
        np.testing.assert_allclose(pattern, whole[name], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(patterns.attribute(model, x, whole), maps, rtol=1e-4, atol=1e-6)


def test_cost_is_two_ways_forward_and_one_back():
    model = networks.clever_hans(16)
    x = np.random.default_rng(7).random((2, 16, 16, 3))
    assert patterns.cost(model, x, patterns.fit(model, x)) == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize(
    "layers, words",
    [
        ([L.Dense(2, "tanh", name="curved")], "ReLU or no activation, not the layer 'curved'"),
        ([L.Dense(2), L.BatchNormalization(name="norm")], "no pattern for the layer 'norm'"),
    ],
)
def test_networks_without_patterns_are_refused(layers, words):
    model = keras.Sequential([keras.Input((3,)), *layers])
    with pytest.raises(NotImplementedError, match=words):
        patterns.fit(model, np.ones((2, 3)))


def test_patterns_of_another_network_are_refused():
    x = np.ones((2, 16, 16, 3))
    one, other = networks.clever_hans(16), filled(keras.Input((16, 16, 3)), L.Flatten(), L.Dense(1))
    with pytest.raises(ValueError, match="not this network's"):
        patterns.attribute(one, x, patterns.fit(other, x))


def test_missing_values_are_refused():
    model = filled(keras.Input((3,)), L.Dense(2))
    with pytest.raises(ValueError, match="NaN"):
        patterns.fit(model, [[1, np.nan, 2]])
