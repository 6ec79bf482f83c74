"""Attention weights as Keras itself returns them, or a sentence that says why not."""

import numpy as np
import pytest
from tensorflow import keras

from utils.explain.attention import attention

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def network(call, **options):
    """A dense layer and an attention layer called `look`, as `call` calls it."""
    inputs = keras.Input((5, 3))
    h = keras.layers.Dense(6)(inputs)
    layer = keras.layers.MultiHeadAttention(2, 4, name="look", **options)
    return keras.Model(inputs, call(layer, h))


@pytest.mark.parametrize("use_bias", [True, False])
def test_weights_are_those_that_keras_returns(use_bias):
    model = network(lambda layer, h: layer(h, h), use_bias=use_bias)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    telling = network(lambda layer, h: layer(h, h, return_attention_scores=True), use_bias=use_bias)
    telling.set_weights(model.get_weights())
    _, scores = telling.predict(X, verbose=0)
    assert scores.std() > 0.1
    np.testing.assert_allclose(attention(model, X, "look"), scores, atol=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda layer, h: layer(h, keras.layers.Dense(6)(h)),
        lambda layer, h: layer(h, h, use_causal_mask=True),
        lambda layer, h: layer(layer(h, h), layer(h, h)),
    ],
    ids=["cross-attention", "a mask", "called again"],
)
def test_attention_of_another_kind_is_refused(call):
    with pytest.raises(NotImplementedError, match="layer 'look' .* is no MultiHeadAttention of a"):
        attention(network(call), X, "look")


def test_another_layer_is_refused():
    model = network(lambda layer, h: keras.layers.Dense(2, name="last")(layer(h, h)))
    with pytest.raises(NotImplementedError, match=r"layer 'last' \(Dense\) is no"):
        attention(model, X, "last")


def test_a_name_that_is_not_there():
    model = network(lambda layer, h: layer(h, h))
    with pytest.raises(ValueError, match="no layer 'memory': choose from dense.*, look"):
        attention(model, X, "memory")
