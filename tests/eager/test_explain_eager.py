"""In an eager process `explain` says what to do, and that is all it does."""

import numpy as np
import pytest
import tensorflow as tf

from utils.explain import explain, methods


def test_an_eager_process_is_told_what_to_do():
    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
    with pytest.raises(RuntimeError, match=r"graph mode: call course.start\(\) first in a fresh"):
        explain(model, np.ones((1, 4)))


def test_the_table_shows_in_any_process():
    assert "lrp.alpha_1_beta_0" in set(methods().method)
