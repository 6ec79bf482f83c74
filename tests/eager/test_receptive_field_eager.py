"""Receptive fields and one pixel's heat map in eager mode."""

import numpy as np
import tensorflow as tf

from utils import lrp, networks, receptive_field
from utils.explain import one_pixel


def test_boxes_and_the_effective_field():
    model = networks.encoder_decoder(64)
    assert receptive_field.trace(model).size_y.iloc[-1] == 50
    x = np.random.default_rng(0).random((3, 64, 64, 4))
    found = receptive_field.box(model, None, (10, 40))
    erf = receptive_field.effective(model, None, x, (10, 40))
    with tf.GradientTape() as tape:
        given = tf.constant(x, tf.float32)
        tape.watch(given)
        y = tf.reduce_sum(model(given)[:, 10, 40])
    wanted = np.sqrt((tape.gradient(y, given).numpy() ** 2).mean((0, 3)))
    np.testing.assert_allclose(erf, wanted, atol=1e-6 * wanted.max())
    erf[found.rows, found.columns] = 0
    assert not erf.any()


def test_one_pixel():
    model = networks.encoder_decoder(128)
    x = np.random.default_rng(0).random((1, 128, 128, 4))
    for pixel in [(0, 0), (66, 71)]:
        whole = lrp.relevance(model, x, "alpha_1_beta_0", pixel, layers=False).input
        part = one_pixel.relevance(model, x, pixel, "alpha_1_beta_0").input
        np.testing.assert_allclose(part, whole, atol=2e-5 * abs(whole).max())
