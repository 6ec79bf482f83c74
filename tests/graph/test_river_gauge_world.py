"""The river gauge: one day decides the peak, by construction, and any day may be it."""

import numpy as np
import pytest
import xarray as xr

from utils import networks, worlds
from utils.worlds.river_gauge import DAYS, DISCHARGE, as_input, simulate

SEED = worlds.VALIDATION + 500_000


@pytest.fixture(scope="module")
def world():
    return simulate(2000, SEED)


def highest_discharge(precipitation, temperature):
    """What the gauge keeps, written from the world's four sentences."""
    return DISCHARGE * np.where(temperature > 0, precipitation, 0).max(1)


def without(world, day):
    """The precipitation with one day of each season dry."""
    dry = world.precipitation.values.copy()
    dry[np.arange(len(dry)), day] = 0
    return dry


def test_seasons_depend_on_the_seed_alone(world):
    xr.testing.assert_identical(simulate(5, SEED), world.isel(sample=slice(0, 5)))
    xr.testing.assert_identical(simulate(3, SEED + 20), world.isel(sample=slice(20, 23)))
    assert not np.array_equal(world.peak[0], simulate(1, SEED + 2000).peak[0])


def test_the_peak_is_the_discharge_of_the_decisive_day(world):
    peak = highest_discharge(world.precipitation.values, world.temperature.values)
    np.testing.assert_allclose(world.peak, peak, rtol=1e-6)
    every = np.arange(len(peak))
    assert (world.temperature.values[every, world.truth_day] > 0).all()
    np.testing.assert_allclose(
        world.peak, DISCHARGE * world.precipitation.values[every, world.truth_day], rtol=1e-6
    )


def test_without_the_decisive_day_the_peak_falls_as_told_and_without_others_not_at_all(world):
    temperature, every = world.temperature.values, np.arange(len(world.peak))
    lower = highest_discharge(without(world, world.truth_day.values), temperature)
    np.testing.assert_allclose(1 - lower / world.peak, world.truth_share, atol=1e-6)
    assert (world.truth_share > 0.399).all()
    other = (world.truth_day.values + np.random.default_rng(0).integers(1, DAYS, len(every))) % DAYS
    np.testing.assert_allclose(
        highest_discharge(without(world, other), temperature), world.peak, rtol=1e-6
    )


def test_every_day_may_decide_and_snow_often_outdoes_it(world):
    counts = np.bincount(world.truth_day, minlength=DAYS)
    expected = len(world.truth_day) / DAYS
    assert ((counts - expected) ** 2 / expected).sum() < 92  # chi square, 59 degrees: 99.6 %
    wettest = world.precipitation.values.argmax(1)
    assert 0.4 < (wettest != world.truth_day.values).mean() < 0.7
    snow = world.precipitation.values - world.truth_rain.values
    assert (snow[world.temperature.values > 0] == 0).all() and snow.max() > 50


def test_temperature_lasts_for_days_and_is_below_zero_on_nearly_half_of_them(world):
    t = world.temperature.values
    assert abs(np.corrcoef(t[:, 1:].ravel(), t[:, :-1].ravel())[0, 1] - 0.8) < 0.02
    assert 0.4 < (t < 0).mean() < 0.5 and abs(t.std() - 5) < 0.2


@pytest.mark.parametrize("n, seed", [(0, 0), (2.0, 0), (2, -1), (2, None)])
def test_numbers_that_cannot_be(n, seed):
    with pytest.raises(ValueError, match="must be a whole number"):
        simulate(n, seed)


def test_networks_take_what_the_world_gives(world):
    x = as_input(world)[:3]
    assert x.shape == (3, DAYS, 2) and x.dtype == np.float32
    for network in (networks.gauge_lstm(4), networks.gauge_attention(4)):
        assert network.predict(x, verbose=0).shape == (3, 1)
    with pytest.raises(ValueError, match="width is 5: give a positive multiple of 2"):
        networks.gauge_attention(5)
