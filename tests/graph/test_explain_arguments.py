"""Whatever is handed to a public function of utils.explain: a result, or one sentence of ours."""

import traceback
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.keras import Sequential, layers

from utils.explain import cost, crops, explain, one_pixel, patternnet, spray

UTILS = str(Path(spray.__file__).parents[1])
ONES = np.ones((2, 9, 8, 1), "float32")
ODD = [
    None,
    {},
    {1},
    b"a",
    object(),
    1j,
    np.nan,
    np.inf,
    -np.inf,
    1e300,
    2**70,
    [[1], [1, 2]],
    [(0, True)],
    [(0, 0), (1, 1)],
    np.array("a"),
    np.array(None),
    np.array([1e300]),
    np.datetime64("2020-01-01"),
    np.ma.masked,
    np.zeros((0, 9, 8, 1)),
    np.zeros((2, 9, 8, 1), bool),
    np.full((2, 9, 8), np.nan),
    xr.DataArray(np.ones((2, 3))),
    xr.Dataset({"a": 1}),
]
small = st.integers(-2, 3)
anything = st.one_of(
    st.sampled_from(ODD),
    st.booleans(),
    small,
    st.floats(),
    st.text(max_size=3),
    st.lists(st.one_of(small, st.floats(), st.text(max_size=2)), max_size=3),
    st.tuples(small, small),
    st.lists(st.integers(0, 5), max_size=5).map(np.zeros),
    st.lists(st.integers(0, 5), max_size=5).map(lambda s: np.ones(s, int)),
)
FUNCTIONS = {
    "explain": (explain, ["x", "method", "output", "batch_size"]),
    "smoothgrad": (explain, ["augment_by_n", "noise_level", "seed"]),
    "integrated_gradients": (explain, ["steps", "reference_inputs"]),
    "gradient": (explain, ["postprocess", "epsilon", "output"]),
    "deep_taylor.bounded": (explain, ["low", "high", "x"]),
    "lrp.epsilon": (explain, ["epsilon", "bias"]),
    "lrp.alpha_beta": (explain, ["alpha", "beta", "bias"]),
    "cost": (cost, ["model", "method", "epsilon"]),
    "one_pixel.explain": (one_pixel.explain, ["x", "pixel", "method", "low"]),
    "one_pixel.relevance": (one_pixel.relevance, ["x", "pixel"]),
    "crops.cut": (crops.cut, ["model", "size"]),
    "crops.around": (crops.around, ["x", "rows", "columns"]),
    "crops.at_pixel": (crops.at_pixel, ["values", "at"]),
    "crops.box": (crops.box, ["values", "at"]),
    "patternnet.fit": (patternnet.fit, ["model", "x"]),
    "patternnet.attribute": (
        patternnet.attribute,
        ["x", "patterns", "output", "times_weights"],
    ),
    "patternnet.cost": (patternnet.cost, ["model"]),
    "spray.downsize": (spray.downsize, ["maps", "inside", "size"]),
    "spray.affinity": (spray.affinity, ["small", "neighbours"]),
}


@pytest.fixture(scope="module")
def model():
    conv = layers.Conv2D(1, 3, padding="same", activation="relu", input_shape=(9, 8, 1))
    return Sequential([conv, layers.Conv2D(1, 1)])


@pytest.fixture(scope="module")
def proper(model):
    """Arguments that each function takes, by name."""
    patterns = patternnet.fit(model, ONES)
    pictures = {"x": np.ones((2, 64, 72, 1)), "rows": [30, 31], "columns": [40, 41]}
    places = {"values": np.ones((2, 64, 64)), "at": [(30, 31), (32, 33)]}
    limits, alpha = {"low": 0, "high": 2}, {"alpha": 2}
    return {
        "explain": {"model": model, "x": ONES},
        "smoothgrad": {"method": "smoothgrad", "model": model, "x": ONES, "augment_by_n": 2},
        "integrated_gradients": {
            "method": "integrated_gradients",
            "model": model,
            "x": ONES,
            "steps": 2,
        },
        "gradient": {"method": "gradient", "model": model, "x": ONES},
        "deep_taylor.bounded": {"method": "deep_taylor.bounded", "model": model, "x": ONES}
        | limits,
        "lrp.epsilon": {"method": "lrp.epsilon", "model": model, "x": ONES},
        "lrp.alpha_beta": {"method": "lrp.alpha_beta", "model": model, "x": ONES} | alpha,
        "cost": {"model": model},
        "one_pixel.explain": {"model": model, "x": ONES, "pixel": (2, 2)},
        "one_pixel.relevance": {"model": model, "x": ONES, "pixel": (2, 2)},
        "crops.cut": {"model": model, "pixel": (2, 2)},
        "crops.around": pictures,
        "crops.at_pixel": places,
        "crops.box": places,
        "patternnet.fit": {"model": model, "x": ONES},
        "patternnet.attribute": {"model": model, "x": ONES, "patterns": patterns},
        "patternnet.cost": {"model": model},
        "spray.downsize": {"maps": ONES[..., 0]},
        "spray.affinity": {"small": np.eye(4), "neighbours": 2},
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_proper_arguments_are_taken(model, proper, name):
    FUNCTIONS[name][0](**proper[name])


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_result_or_one_sentence_of_ours(model, proper, name, data):
    function, arguments = FUNCTIONS[name]
    wrong = data.draw(st.dictionaries(st.sampled_from(arguments), anything, min_size=1, max_size=2))
    try:
        with np.errstate(all="ignore"):
            function(**proper[name] | wrong)
    except (NotImplementedError, TypeError, ValueError) as error:
        said = str(error)
        assert said.endswith((".", "?")) and "\n" not in said and len(said) < 500, said
        where = traceback.extract_tb(error.__traceback__)[-1].filename
        assert where.startswith(UTILS), f"{where}: {said}"


def test_a_tensor_is_no_argument(model, proper):
    for name, argument in (("gradient", "output"), ("explain", "x"), ("smoothgrad", "seed")):
        with pytest.raises((TypeError, ValueError), match=argument):
            explain(**proper[name] | {argument: tf.constant(1)})
