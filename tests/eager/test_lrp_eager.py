"""LRP in eager mode: the same numbers, for it computes in a graph of its own."""

import lrp_by_hand
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.keras import Input, Model, Sequential, layers

from utils import lrp

RULES = {
    "z": (lrp.z(), ("z", {})),
    "epsilon": (lrp.epsilon(0.3), ("epsilon", {"epsilon": 0.3})),
    "alpha 2": (lrp.alpha_beta(2), ("alpha_beta", {"alpha": 2, "beta": 1})),
    "flat": (lrp.flat(), ("flat", {})),
}


def randomise(model, seed=0):
    """Random weights and biases; the variance of a batch normalisation positive."""
    draw = np.random.default_rng(seed)
    for layer in model.layers:
        for weight in layer.weights:
            values = draw.normal(size=weight.shape)
            weight.assign(np.abs(values) + 0.3 if "variance" in weight.name else values)
    return model


def unet(size):
    """Most kinds of layers; where size is None, for pictures of any size."""
    x = Input((size, size, 2))
    a = layers.Conv2D(3, 3, padding="same")(x)
    a = layers.ReLU()(layers.BatchNormalization()(a))
    b = layers.MaxPooling2D()(a)
    b = layers.SeparableConv2D(3, 3, padding="same", activation="relu")(b)
    b = layers.Add()([b, layers.DepthwiseConv2D(3, padding="same")(b)])
    c = layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(b), a])
    c = layers.AveragePooling2D()(layers.Conv2DTranspose(2, 2, strides=2, activation="relu")(c))
    return randomise(Model(x, layers.Conv2D(1, 1)(c)))


def normal(*shape):
    return np.random.default_rng(1).normal(size=shape)


def near(ours, wanted, tolerance):
    """Equal but for a small share of the largest value."""
    assert np.abs(wanted).max() > 0, "nothing to compare"
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def test_the_process_runs_eagerly():
    lrp.relevance(unet(8), normal(1, 8, 8, 2))
    assert tf.executing_eagerly()


@pytest.mark.parametrize("name", RULES)
def test_as_derived_by_hand(name):
    model, x = unet(8), normal(2, 8, 8, 2)
    rule, formula = RULES[name]
    result = lrp.relevance(model, x, rule, (3, 4), dtype="float64")
    of_input, of_layers = lrp_by_hand.relevance(model, x, formula, (3, 4))
    near(result.input, of_input, 1e-10)
    assert result.layers.keys() == of_layers.keys()
    for layer, wanted in of_layers.items():
        near(result.layers[layer], wanted, 1e-10)


def test_single_precision_is_close_to_double():
    model, x = unet(8), normal(2, 8, 8, 2)
    single, double = (lrp.relevance(model, x, "epsilon", dtype=d) for d in ("float32", "float64"))
    assert single.input.dtype == np.float32 and double.input.dtype == np.float64
    near(single.input, double.input, 1e-5)
    near(single.ledger.passed_on, double.ledger.passed_on, 1e-5)


def test_pictures_of_any_size():
    anything = unet(None)
    for size in (4, 8):
        fixed, x = unet(size), normal(2, size, size, 2)
        ours, wanted = (lrp.relevance(m, x, "gamma", (1, 2)).input for m in (anything, fixed))
        near(ours, wanted, 1e-6)


def test_series_of_any_length():
    stack = [layers.Conv1D(3, 3, activation="relu"), layers.GlobalMaxPooling1D(), layers.Dense(2)]
    model = randomise(Sequential([Input((None, 2)), *stack]))
    for length in (5, 9):
        x = normal(2, length, 2)
        result = lrp.relevance(model, x, "z", 1, dtype="float64").input
        near(result, lrp_by_hand.relevance(model, x, ("z", {}), 1)[0], 1e-10)


def test_a_head_is_taken_off_and_the_training_goes_on():
    """Relevance follows the weights, and the model stays as it is."""
    stack = [layers.Flatten(), layers.Dense(3, activation="softmax")]
    model = randomise(Sequential([Input((4, 4, 1)), layers.Conv2D(2, 3), *stack]))
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = normal(6, 4, 4, 1)
    maps = []
    for _ in range(2):
        with pytest.warns(UserWarning, match="softmax of the layer '.*' .Dense. is taken off"):
            maps.append(lrp.relevance(model, x, "z", 1, dtype="float64").input)
        near(maps[-1], lrp_by_hand.relevance(model, x, ("z", {}), 1)[0], 1e-10)
        model.fit(x, np.arange(6) % 3, verbose=0)
    assert not np.allclose(*maps)
    np.testing.assert_allclose(model(x).numpy().sum(1), 1, rtol=1e-5)
