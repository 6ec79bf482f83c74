"""Patterns in eager mode: the signal, and the chain of weights for a map."""

import numpy as np
from tensorflow import keras

from utils.explain import patternnet


def test_patterns_in_eager_mode():
    rng = np.random.default_rng(0)
    signal, disturbance = rng.normal(size=(2, 4000, 1))
    x = signal * [1.0, 0.0] + disturbance * [1.0, 1.0]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="unit")])
    model.set_weights([np.array([[1.0], [-1.0]]), np.zeros(1)])
    fitted = patternnet.fit(model, x)
    np.testing.assert_allclose(fitted["unit"][:, 0], [1, 0], atol=0.05)
    maps = patternnet.attribute(model, x[:5], fitted)
    np.testing.assert_allclose(maps, signal[:5] * fitted["unit"][:, 0] * [1, -1], atol=1e-4)
