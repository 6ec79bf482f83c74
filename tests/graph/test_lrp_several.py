"""LRP of networks with several inputs and outputs: the same as with one of each."""

import numpy as np
import pytest
import tensorflow as tf
import xarray as xr
from tensorflow.keras import Model, layers

from utils import lrp

RNG = np.random.default_rng(0)
RAIN, WIND = (RNG.normal(0, 1, (4, n)).astype("float32") for n in (3, 2))


def two_by_two():
    """Rain and wind in; a flood of three classes, and a height that rain alone decides, out."""
    rain, wind = tf.keras.Input((3,), name="rain"), tf.keras.Input((2,), name="wind")
    both = layers.Dense(5, "relu", name="both")(layers.Concatenate(name="joined")([rain, wind]))
    alone = layers.Dense(4, "relu", name="alone")(rain)
    outputs = [layers.Dense(3, name="flood")(both), layers.Dense(2, name="height")(alone)]
    model = Model([rain, wind], outputs)
    model.set_weights([RNG.normal(0, 1, w.shape) for w in model.get_weights()])
    return model


def one_by_one(model):
    """The part that makes the flood, with one input that is taken apart inside."""
    x = tf.keras.Input((5,))
    y = layers.Dense(3)(layers.Dense(5, "relu")(x))
    one = Model(x, y)
    names = ("both", "flood")
    one.set_weights([w for name in names for w in model.get_layer(name).get_weights()])
    return one


@pytest.mark.parametrize("rule", ["z", "epsilon", "alpha_2_beta_1"])
def test_the_same_as_with_one_input(rule):
    model = two_by_two()
    whole = lrp.relevance(one_by_one(model), np.hstack([RAIN, WIND]), rule, [0, 1, 2, 2])
    result = lrp.relevance(model, [RAIN, WIND], rule, {"flood": [0, 1, 2, 2]})
    assert isinstance(result.input, list)
    np.testing.assert_allclose(np.hstack(result.input), whole.input, rtol=1e-5, atol=1e-6)
    assert list(result.ledger.loc[0].index) == ["flood", "both", "joined"]


def test_a_dict_and_labels_come_back_as_they_were_given():
    model = two_by_two()
    wind = xr.DataArray(WIND, dims=("day", "part"))
    result = lrp.relevance(model, {"wind": wind, "rain": RAIN}, output={"flood": None})
    assert list(result.input) == ["wind", "rain"] and result.input["wind"].dims == wind.dims
    listed = lrp.relevance(model, [RAIN, WIND], output={"flood": None}).input
    np.testing.assert_array_equal(result.input["rain"], listed[0])
    np.testing.assert_array_equal(result.input["wind"], listed[1])


def test_an_input_that_the_output_does_not_read_gets_nothing():
    model = two_by_two()
    result = lrp.relevance(model, [RAIN, WIND], output={"height": 1})
    _, heights = model.predict([RAIN, WIND], verbose=0)
    taken = result.ledger[["bias", "stabiliser", "unassigned"]].sum(axis=1).groupby("sample").sum()
    assert not result.input[1].any()
    np.testing.assert_allclose(result.input[0].sum(1) + taken, heights[:, 1], rtol=1e-4)


@pytest.mark.parametrize(
    "x, output, words",
    [
        (RAIN, {"flood": 0}, "2 inputs: pass a list"),
        ([RAIN], {"flood": 0}, "2 inputs: pass a list"),
        ({"rain": RAIN}, {"flood": 0}, "the keys rain, wind"),
        ([RAIN, WIND[:2]], {"flood": 0}, "4, 2 samples"),
        ([WIND, RAIN], {"flood": 0}, "Input 'rain'"),
        ([RAIN, WIND], None, "2 outputs: choose one"),
        ([RAIN, WIND], 0, "2 outputs: choose one"),
        ([RAIN, WIND], {"flow": 0}, "flood or height"),
        ([RAIN, WIND], {"flood": 0, "height": 0}, "flood or height"),
        ([RAIN, WIND], {"flood": 3}, "does not exist"),
    ],
)
def test_what_does_not_fit_is_told(x, output, words):
    with pytest.raises(ValueError, match=words):
        lrp.relevance(two_by_two(), x, output=output)
