"""Arithmetic counted by TensorFlow, against a count by hand."""

import pytest
import tensorflow as tf
from tensorflow.keras import Sequential, layers

from utils import networks
from utils.explain import cost
from utils.keras_graph import flops


def test_passes_of_matrix_products():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (None, 40))
        y = x @ tf.ones((40, 30))  # 40 * 30 multiplications and as many additions
        more = y @ tf.ones((30, 20))
        tf.identity(more @ tf.ones((20, 500)))  # nobody needs it
    assert flops.passes(graph, [x], more, y) == pytest.approx(1 + 30 * 20 / (40 * 30))


def test_passes_of_a_convolution_with_a_stride():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (None, 8, 8, 3))
        y = tf.nn.conv2d(x, tf.ones((3, 3, 3, 5)), 1, "SAME")
        halved = tf.nn.conv2d(x, tf.ones((3, 3, 3, 5)), 2, "SAME")
    assert flops.passes(graph, [x], halved, y) == pytest.approx(1 / 4)


def test_a_gradient_goes_forwards_and_back():
    model = networks.clever_hans(16)
    one = cost(model, "gradient")
    assert one == pytest.approx(2, abs=0.1)
    assert cost(model, "smoothgrad", augment_by_n=8) == pytest.approx(8 * one)
    assert one < cost(model, "lrp.alpha_1_beta_0") < cost(model, "lrp.alpha_2_beta_1")


def test_no_cost_without_a_size():
    model = Sequential([layers.Input((None, None, 1)), layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match="one size"):
        cost(model, "gradient")
    with pytest.raises(ValueError, match="no method"):
        cost(networks.clever_hans(16), "grad_cam")
