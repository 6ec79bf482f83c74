"""Whatever is given to a function, it does its work or says in one sentence what is wrong."""

import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.keras import Input, Sequential, layers

from utils import features, lrp, receptive_field
from utils.weights import load_network

UTILS = Path(features.__file__).parents[1]
ODD = [
    *(None, True, False, np.True_, 0, 1, -1, 3, 10**400, 0.5, -0.5, 1e300, np.nan, np.inf, -np.inf),
    *(2 + 1j, "", "a", "2", "epsilon", "dense", "float32", b"a", "\n$x$", (), (1,), (True, 0)),
    *((0, 0), (1.0, 0), (0, 0, 0), ("a", "b"), [], [0], [0, 1], [[0], [0, 1]], {}, {"a": 1}, {1}),
    *({"Dense": "z"}, {"first": lrp.z_box(-1, 1), "Dense": 3}, range(2), slice(0, 2), object()),
    *(len, int, np.float32, np.float64(0.5), np.float16(0.5), np.int8(1), np.uint64(2**63)),
    *(np.array(1), np.array([0, 1]), np.array([0.5, np.nan]), np.array("a"), np.array([None])),
    *(np.zeros((0, 3)), np.ones((2, 3)), np.ones((1, 6, 6, 1)), np.full((2, 3), 1e300)),
    *(np.ma.masked_all((2, 3)), np.datetime64("2020-01-01"), np.ones((6, 6)), np.ones(3)),
    *(xr.DataArray(np.ones((2, 3))), xr.Dataset({"a": ("x", [1])}), pd.Series([1, 2])),
    *(lrp.epsilon(), lrp.z_box(), lrp.epsilon, pd.NaT, ..., tf.float32, np.ones((2, 3), "complex")),
]


@pytest.fixture(scope="module")
def functions():
    """Functions and arguments that fit them, behind the networks that they are given."""
    model = Sequential([Input((3,)), layers.Dense(2, "relu"), layers.Dense(2)])
    maps = Sequential([Input((6, 6, 1)), layers.Conv2D(1, 3, name="conv"), layers.MaxPooling2D(2)])
    x, pictures, few = np.ones((2, 3)), np.ones((1, 6, 6, 1)), {"steps": 2, "progress": False}
    climb = {**few, "seed": 0, "limits": (0, 1), "rate": 0.1, "patience": 2}
    freely = {"jitter": 1, "rotation": 1, "scaling": 0.1, "variation": 0.1, "fourier": False}
    every = {"pooling": "winner", "dtype": "float32", "layers": True, "batch_size": 2}
    erf = np.outer([1, 2, 1], [1, 3, 1.0])
    fitting = [
        (lrp.relevance, {"model": model, "x": x, "rule": "z", "output": 1, **every}),
        (lrp.epsilon, {"epsilon": 0.1}),
        (lrp.gamma, {"gamma": 0.1}),
        (lrp.alpha_beta, {"alpha": 2, "beta": 1, "bias": "split"}),
        (lrp.z_box, {"low": 0, "high": 1}),
        (receptive_field.trace, {"model": maps, "size": None}),
        (receptive_field.box, {"model": maps, "layer": "conv", "pixel": (1, 1), "size": None}),
        (
            receptive_field.effective,
            {"model": maps, "layer": "conv", "x": pictures, "pixel": (1, 1), "channel": 0},
        ),
        (receptive_field.effective, {"model": maps, "layer": None, "x": pictures, "pixel": (0, 0)}),
        (receptive_field.fit_gaussian, {"erf": erf, "box": (slice(0, 2), slice(0, 2))}),
        (features.excitation, {"model": model, "x": x, "layer": None, "unit": 1}),
        (features.strongest_samples, {"model": model, "x": x, "unit": 1, "n": 1}),
        (features.synthesise, {"model": maps, "layer": "conv", "unit": 0, **climb, **freely}),
        (features.synthesise, {"model": maps, "start": np.ones((6, 6, 1)), **climb}),
        (
            features.backward_optimise,
            {"model": model, "sample": np.ones(3), "target": 1, "unit": 0, "limits": (0, 2), **few},
        ),
        (load_network, {"path": "nothing.keras", "trust": False}),
    ]
    return model, maps, fitting


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_it_is_done_or_refused_in_one_sentence(functions, data):
    function, fitting = data.draw(st.sampled_from(functions[-1]))
    names = data.draw(st.lists(st.sampled_from(sorted(fitting)), min_size=1, max_size=2))
    given = {**fitting, **{name: data.draw(st.sampled_from(ODD)) for name in names}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            function(**given)
    except (TypeError, ValueError, NotImplementedError, FileNotFoundError) as error:
        said = str(error)
        assert said.endswith((".", "?")) and "\n" not in said and len(said) < 600, said
        place = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        assert place.is_relative_to(UTILS), (place, said)
