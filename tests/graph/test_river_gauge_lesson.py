"""The demonstration of lesson 03: what lies on the decisive day, and its picture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils import lrp, networks, skill, worlds
from utils.explain import explain
from utils.explain.attention import attention
from utils.plots import river_gauge as plots
from utils.weights import load_weights
from utils.worlds import river_gauge


@pytest.fixture(scope="module")
def world():
    return river_gauge.simulate(60, worlds.VALIDATION + 600_000)


def share(maps, world):
    return skill.step_share(maps, world.truth_day.values).mean()


def trained_and_shuffled(name):
    """The shipped weights of a network, and the same ones in another order."""
    network = getattr(networks, name)()
    load_weights(network, name)
    yield network
    with_weights = [layer.name for layer in network.layers if layer.weights]
    network.set_weights(networks.shuffled(network, with_weights).get_weights())
    yield network


def test_trained_attention_has_the_decisive_day_in_all_maps_and_shuffled_weights_in_none(world):
    days, found = river_gauge.as_input(world), []
    for network in trained_and_shuffled("gauge_attention"):
        maps = {
            "input x gradient": days * explain(network, days, "gradient"),
            "lrp": lrp.relevance(network, days, "epsilon", layers=False).input,
            "attention": attention(network, days, "attention").mean((1, 2)),
        }
        found.append({method: share(values, world) for method, values in maps.items()})
    trained, shuffled = found
    assert all(trained[method] > 5 * shuffled[method] for method in trained), found
    assert trained["lrp"] > 0.4 > trained["attention"] > share(days[..., 0], world)


def test_drying_the_decisive_day_of_a_season_lowers_what_the_lstm_says(world):
    days, every = river_gauge.as_input(world), np.arange(60)
    dry = days.copy()
    dry[every, world.truth_day, 0] = 0
    falls = [
        network.predict(days, verbose=0)[:, 0] - network.predict(dry, verbose=0)[:, 0]
        for network in trained_and_shuffled("gauge_lstm")
    ]
    peak = world.peak.values
    assert (falls[0] / peak).mean() > 0.35 > 10 * abs(falls[1] / peak).mean()


def test_the_picture_marks_the_decisive_day_and_scales_each_strip(world):
    maps = np.random.default_rng(0).normal(size=(60, 60, 2))
    relevance = {"LSTM": {"one": maps, "ten": 10 * maps}, "attention": {"none": 0 * maps}}
    fig = plots.seasons(world, dict.fromkeys(relevance, np.arange(60.0)), relevance, [7, 3])
    first = fig.axes[0]
    (triangle,) = [line for line in first.lines if line.get_label() == "decisive day"]
    assert triangle.get_xdata() == [int(world.truth_day[7])]
    rain, snow = (np.array([bar.get_height() for bar in bars]) for bars in first.containers)
    np.testing.assert_allclose(rain + snow, world.precipitation[7], atol=1e-5)
    np.testing.assert_allclose(rain, world.truth_rain[7], atol=1e-5)
    strips = [ax for ax in fig.axes if ax.images][::2]  # those of season 7
    assert [ax.get_title("left") for ax in strips] == [
        "LSTM, 7.00 m³/s: precipitation",
        "LSTM, 7.00 m³/s: temperature",
        "attention, 7.00 m³/s: precipitation",
        "attention, 7.00 m³/s: temperature",
    ]
    for v, ax in enumerate(strips[:2]):
        one, ten = ax.images[0].get_array()
        np.testing.assert_allclose(one, maps[7, :, v] / abs(maps[7, :, v]).max())
        np.testing.assert_allclose(ten, one)
    assert (strips[2].images[0].get_array() == 0).all()
    plt.close(fig)
