"""Feature visualisation in eager mode: the same known answers, and the model stays as it is."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.keras import Input, Sequential, layers

from utils import features


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.fixture
def network():
    """A linear network on 4 x 4 pixels with a softmax, and its weights, (16, 3)."""
    model = Sequential([Input((4, 4, 1)), layers.Flatten(), layers.Dense(3, "softmax")])
    weights = normal(16, 3)
    model.set_weights([weights, normal(3, seed=1)])
    return model, weights


def test_the_excitation_and_the_favourite_of_a_linear_unit(network):
    model, weights = network
    x = normal(5, 4, 4, 1, seed=2)
    wanted = (x.reshape(5, -1) @ weights + model.get_weights()[1])[:, 1]
    np.testing.assert_allclose(features.excitation(model, x, unit=1), wanted, rtol=1e-4)
    assert features.strongest_samples(model, x, unit=1, n=1).index == wanted.argmax()
    run = features.synthesise(model, unit=1, steps=60)
    np.testing.assert_allclose(run.picture.ravel(), weights[:, 1] > 0, atol=1e-4)


def test_the_smallest_change_to_even_odds(network):
    model, weights = network
    x = np.full((4, 4, 1), 0.5)
    unit = int(model(x[None]).numpy().argmin())
    found = features.backward_optimise(model, x, unit=unit, limits=(-9, 9))
    assert model(found.picture[None]).numpy()[0, unit] == pytest.approx(0.5, abs=5e-3)


def test_convolutions_and_regularisers():
    conv = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")
    stack = [layers.BatchNormalization(), layers.Dropout(0.5), layers.Flatten(), layers.Dense(1)]
    model = Sequential([Input((8, 8, 2)), conv, *stack])
    options = {"jitter": 1, "rotation": 5, "scaling": 0.1, "variation": 1e-3, "fourier": True}
    same = [features.synthesise(model, "conv", 2, steps=20, **options) for _ in range(2)]
    assert np.array_equal(same[0].picture, same[1].picture)
    assert same[0].history[-1] > same[0].history[0]
    whole = features.synthesise(model, "conv", steps=20)
    assert whole.history[-1] > whole.history[0]


def test_a_model_goes_on_in_eager_mode():
    """Keras changes its classes when a model is built in a plain graph: that must not happen."""
    model = Sequential([Input((3,)), layers.Dense(2, "relu"), layers.Dense(1)])
    features.synthesise(model, steps=3)
    assert tf.executing_eagerly()
    new = Sequential([Input((3,)), layers.Dense(1)])
    new.compile("sgd", "mse")
    x = normal(8, 3)
    new.fit(x, x[:, :1], verbose=0)
    assert new(x).numpy().shape == (8, 1)
    before = features.excitation(new, x)
    new.fit(x, x[:, :1] + 5, epochs=3, verbose=0)
    after = features.excitation(new, x)
    np.testing.assert_allclose(after, new(x).numpy()[:, 0], rtol=1e-4)
    assert not np.allclose(before, after)
