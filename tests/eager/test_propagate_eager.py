"""LRP followed by hand, as somebody does who reads propagate.py: the same as `lrp.relevance`."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.keras import Sequential, layers

from tests.eager.test_lrp_eager import near, normal, randomise, unet
from utils import lrp
from utils.keras_graph import linear
from utils.lrp import propagate

RULES = {
    "z": lrp.z(),
    "epsilon": lrp.epsilon(0.3),
    "gamma": lrp.gamma(0.4),
    "alpha 1": lrp.alpha_beta(1),
    "alpha 2, whole bias": lrp.alpha_beta(2, bias="whole"),
    "alpha 2, no bias": lrp.alpha_beta(2, bias=None),
    "flat": lrp.flat(),
    "z box": lrp.z_box(-9, 9),
}


def test_the_numbers_of_the_lesson():
    """Its first network: two inputs, two hidden units and one output."""
    a, W, v = tf.constant([[1.0, 2.0]]), tf.constant([[1.0, 3.0], [1.0, -1.0]]), [[2.0], [-2.0]]
    h = tf.nn.relu(tf.matmul(a, W))
    y = tf.matmul(h, v)
    [R_h], _ = propagate.linear_step([h], [v], 0.0, y, lrp.z(), [tf.matmul])
    [R_a], _ = propagate.linear_step([a], [W], 0.0, R_h, lrp.z(), [tf.matmul])
    np.testing.assert_allclose(R_h, [[6, -2]])
    np.testing.assert_allclose(R_a, [[-4, 8]], rtol=1e-6)


def test_what_the_module_says_can_be_typed(capsys):
    text = propagate.__doc__.partition("as you like.\n")[2] or propagate.__doc__
    code = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    code = code.partition("from utils import")[1] + code.partition("from utils import")[2]
    model, x = (
        randomise(Sequential([tf.keras.Input((6,)), layers.Dense(5, "relu"), layers.Dense(3)])),
        normal(2, 6),
    )
    typed = {"model": model, "x": x}
    exec(code, typed)
    np.testing.assert_allclose(typed["R_h"], [[6, -2]])
    near(typed["relevance"][0], lrp.relevance(model, x, lrp.epsilon(0.1)).input, 1e-6)
    print(typed["losses"])
    assert "dense" in capsys.readouterr().out


@pytest.mark.parametrize("name", RULES)
def test_step_by_step(name):
    """Convolution, ReLU, max-pooling and a dense layer, without a word of Keras."""
    rule, x = RULES[name], normal(2, 4, 6, 2)
    stack = [layers.Conv2D(3, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(3)]
    model = randomise(Sequential([tf.keras.Input((4, 6, 2)), *stack]))
    w_1, b_1, w_2, b_2 = (tf.constant(w, tf.float64) for w in model.get_weights())

    def convolve(a, w):
        return tf.nn.conv2d(a, w, strides=1, padding="SAME")

    def pool(a):
        return tf.nn.max_pool2d(a[0], 2, 2, "VALID")

    a_0 = tf.constant(x)
    a_1 = tf.nn.relu(convolve(a_0, w_1) + b_1)
    a_2 = pool([a_1])
    a_3 = tf.reshape(a_2, (2, -1))
    R = (a_3 @ w_2 + b_2) * [0, 1, 0]

    upper = lrp.z() if rule.limits else rule
    [R_3], _ = propagate.linear_step([a_3], [w_2], b_2, R, upper, [tf.matmul])
    R_2 = tf.reshape(R_3, a_2.shape)
    [R_1], _ = propagate.moving_step([a_1], R_2, pool, padding=False)
    [R_0], _ = propagate.linear_step([a_0], [w_1], b_1, R_1, rule, [convolve])

    rules = {"first": rule, "Dense": upper}
    result = lrp.relevance(model, x, rules, 1, dtype="float64")
    for ours, wanted in zip(reversed(stack), (R, R_3, R_2, R_1), strict=True):
        near(result.layers[ours.name], wanted, 1e-10)
    near(result.input, R_0, 1e-10)


@pytest.mark.parametrize(
    "name, pooling",
    [
        *((name, "winner") for name in RULES if name != "z box"),
        ("alpha 2, no bias", "proportional"),
    ],
)
def test_a_whole_network(name, pooling):
    """Forwards and backwards through most kinds of layers, which merge and part."""
    model, x, rule = unet(8), normal(2, 8, 8, 2), RULES[name]
    calls, kernels = linear.read(model, "float64")
    values = propagate.forward(calls, kernels, tf.constant(x))
    y = values[calls[-1].target]
    near(y, model(x), 1e-5)
    R = tf.where(np.reshape(np.arange(64) == 6, (8, 8, 1)), y, 0)
    rules = dict.fromkeys(kernels, rule)
    found, of_layers, ledger = propagate.backward(calls, kernels, rules, values, R, pooling)
    result = lrp.relevance(model, x, rule, 6, pooling=pooling, dtype="float64")
    near(found[0], result.input, 1e-10)
    assert of_layers.keys() == result.layers.keys() == ledger.keys()
    for layer, of_layer in of_layers.items():
        near(of_layer, result.layers[layer], 1e-10)
        for column, sums in ledger[layer].items():
            wanted = result.ledger[column].xs(layer, level="layer")
            np.testing.assert_allclose(sums, wanted, rtol=1e-9, atol=1e-9)
