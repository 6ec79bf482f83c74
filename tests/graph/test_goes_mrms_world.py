"""The world of GOES and MRMS: reproducible, and its truth means what it says."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.ndimage import distance_transform_edt

from utils import worlds
from utils.worlds import goes_mrms
from utils.worlds.goes_mrms import CHANNELS, PARTS, REACH, Scene, render, scenes, simulate
from utils.worlds.goes_mrms.radiative_transfer import (
    brightness_temperature,
    radiance,
    seen_from_above,
)
from utils.worlds.goes_mrms.storms import poisson

SEED = worlds.VALIDATION + 500_000


@pytest.fixture(scope="module")
def some():
    return scenes(30, SEED, 96)


@pytest.fixture(scope="module")
def world(some):
    return render(some)


# --- reproducible --------------------------------------------------------------------------------


def test_a_scene_depends_on_its_seed_alone(world):
    xr.testing.assert_identical(simulate(3, SEED, 96), world.isel(sample=slice(0, 3)))
    xr.testing.assert_identical(simulate(2, SEED + 7, 96), world.isel(sample=slice(7, 9)))
    assert not np.array_equal(world.c13[0], world.c13[1])


def test_processes_draw_the_same_scenes(world):
    xr.testing.assert_identical(simulate(30, SEED, 96, n_jobs=2), world)


def test_lightning_in_one_place_leaves_all_others_as_they_are(some, world, monkeypatch):
    def perturbed(rng, rate):
        rate = rate.copy()
        rate[48, 48] += 5  # in the middle of 96 + 2 * 24 pixels it is row and column 24
        return poisson(rng, np.nextafter(rate, np.float32(np.inf)))

    monkeypatch.setattr(goes_mrms.storms, "poisson", perturbed)
    changed = render(some[:5])
    before = world.isel(sample=slice(0, 5))
    xr.testing.assert_identical(
        changed.drop_vars(["glm", "truth_lightning_cause"]),
        before.drop_vars(["glm", "truth_lightning_cause"]),
    )
    more = (changed.glm - before.glm).values
    assert (more[:, 24, 24] > 0).all()
    more[:, 24, 24] = 0
    assert np.count_nonzero(more) <= 1  # a rate at the very edge of one group more


def test_groups_follow_poissons_law():
    rng = np.random.default_rng(0)
    rate = np.float32(np.exp(rng.normal(-1, 3, 20_000)).clip(0, 1000))
    rate[:100] = 0
    share = np.random.default_rng(1).random(rate.shape)
    numbers = poisson(np.random.default_rng(1), rate)
    np.testing.assert_array_equal(numbers, stats.poisson.ppf(share, np.float64(rate)).clip(0))


# --- schema and physics --------------------------------------------------------------------------


def test_schema(world):
    for name in (*CHANNELS, "mrms"):
        assert world[name].dims == ("sample", "y", "x") and world[name].dtype == np.float32
        assert np.isfinite(world[name]).all() and world[name].attrs["units"]
    assert 0 <= world.mrms.min() and world.mrms.max() <= 60
    assert (world.glm == np.round(world.glm)).all() and world.glm.min() == 0
    np.testing.assert_array_equal(np.diff(world.x), 3)


def test_planck_can_be_turned_round():
    kelvins = np.array([190.0, 250, 300])
    for channel in ("c07", "c09", "c13"):
        again = brightness_temperature(radiance(kelvins, channel), channel)
        np.testing.assert_allclose(again, kelvins)


def test_the_upper_layer_hides_what_is_below():
    seen = seen_from_above("c13", [(300.0, 1.0, 0), (210.0, 1.0, 0)])
    assert brightness_temperature(seen, "c13") == pytest.approx(210)
    half = seen_from_above("c13", [(300.0, 1.0, 0), (210.0, 0.5, 0)])
    assert half == pytest.approx((radiance(300, "c13") + radiance(210, "c13")) / 2)


def test_ranges_and_relations_of_the_channels(world):
    low, high = np.percentile(world.c13, [1, 99])
    assert 200 < low < 225 and 285 < high < 306
    clear = (world.c13 > 285).values
    # Channel 9 sees vapour well above the ground; over thick, cold tops both see the same cloud.
    assert (world.c13 - world.c09).values[clear].mean() > 35
    tops = (world.c13 < 215).values
    assert abs((world.c13 - world.c09).values[tops].mean()) < 3


def test_sunlight_warms_channel_7_alone(some):
    dark, bright = (render([replace(s, sun=sun) for s in some[:6]]) for sun in (0.0, 0.8))
    assert (bright.c07 - dark.c07).mean() > 2
    xr.testing.assert_identical(
        dark[["c09", "c13", "glm", "mrms"]], bright[["c09", "c13", "glm", "mrms"]]
    )


def test_lightning_is_rare_and_some_is_glint_in_clear_air(world, some):
    lit = (world.glm > 0).values
    assert 0.003 < lit.mean() < 0.03
    without = render([replace(s, stray=False) for s in some])
    glint = (world.glm - without.glm).values
    assert glint.min() == 0 and 0.02 < (glint > 0).sum() / lit.sum() < 0.2
    storms = world.truth_lightning + world.truth_edge + world.truth_dense + world.truth_stratiform
    assert (storms.values[glint > 0] == 0).mean() > 0.95
    xr.testing.assert_identical(world.drop_vars("glm"), without.drop_vars("glm"))


# --- truth ---------------------------------------------------------------------------------------


def test_parts_add_up_to_the_reflectivity(world):
    total = sum(world[f"truth_{part}"] for part in PARTS)
    error = (world.mrms - total.clip(0, 60)).values[total.values > 10]
    assert abs(error.mean()) < 0.5 and error.std() < 4
    assert (world.mrms.values[total.values == 0] == 0).all()


SWITCHES = {"lightning": "lightning", "edge": "edges", "dense": "towers"}


@pytest.mark.parametrize("part", list(SWITCHES))
def test_without_its_cause_a_part_is_gone(world, some, part):
    without = render([replace(s, **{SWITCHES[part]: False}) for s in some])
    assert world[f"truth_{part}"].max() > 10 and world[f"truth_{part}_cause"].any()
    assert without[f"truth_{part}"].max() == 0 and not without[f"truth_{part}_cause"].any()
    there = (world[f"truth_{part}"] > 15).values
    assert (world.mrms - without.mrms).values[there].mean() > 5
    others = [other for other in SWITCHES if other != part]
    if part == "lightning":  # the cloud stays as it is
        xr.testing.assert_identical(world[["c07", "c09", "c13"]], without[["c07", "c09", "c13"]])
        others += ["stratiform", "shower"]
    for other in others:
        if (part, other) != ("edge", "lightning"):  # a soft head is also less cold
            xr.testing.assert_identical(world[f"truth_{other}"], without[f"truth_{other}"])


@pytest.mark.parametrize("part", PARTS)
def test_the_cause_lies_within_reach(world, part):
    strong = (world[f"truth_{part}"] > 8).values
    cause = world[f"truth_{part}_cause"].values
    near, margin = [], REACH[part]
    inner = slice(margin, -margin)
    for echo, seen in zip(strong, cause, strict=True):
        distance = distance_transform_edt(~seen) if seen.any() else np.full(seen.shape, np.inf)
        near.append(distance[inner, inner][echo[inner, inner]] <= margin)
    near = np.concatenate(near)
    assert near.size > 50 and near.mean() > 0.97


def test_lightning_is_seen_where_the_truth_says(world):
    lit, cause = (world.glm > 0).values, world.truth_lightning_cause.values
    assert lit[cause].mean() > 0.6


def test_masks_of_one_pixel(world):
    sample, row, column = np.argwhere((world.truth_lightning > 20).values)[0]
    masks = goes_mrms.causes(world, sample, row, column)
    assert list(masks) == list(PARTS)
    glm = masks["lightning"]
    assert glm.shape == (96, 96, 4) and glm[..., 3].any() and not glm[..., :3].any()
    rows, columns = np.nonzero(glm[..., 3])
    assert np.hypot(rows - row, columns - column).max() <= REACH["lightning"]
    np.testing.assert_array_equal(glm[..., 3] & ~world.truth_lightning_cause[sample].values, False)


def test_the_dominant_part_adds_most(world):
    which = goes_mrms.dominant(world)
    parts = np.stack([world[f"truth_{part}"].values for part in PARTS])
    for i in range(len(PARTS)):
        assert (parts[i][which == i] == parts.max(0)[which == i]).all() and (which == i).any()
    assert (parts.max(0)[which == -1] < 5).all()


# --- what the network gets -----------------------------------------------------------------------


def test_scaling_is_the_papers():
    values = dict(zip(CHANNELS, (250.0, 225.0, 180.0, 0.0), strict=True))
    data = xr.Dataset({n: (("sample", "y", "x"), np.full((1, 8, 8), v)) for n, v in values.items()})
    data["mrms"] = data.c07 * 0 + 30
    np.testing.assert_allclose(goes_mrms.as_input(data)[0, 0, 0], [0.5, 0.5, 1, 0])
    np.testing.assert_allclose(goes_mrms.as_target(data), 0.5)
    data["glm"] = data.glm + 50
    assert goes_mrms.as_input(data)[0, 0, 0, 3] == pytest.approx(1)
    assert goes_mrms.as_input(data * np.nan).max() == 0  # missing becomes 0


# --- the committed sample ------------------------------------------------------------------------


def test_sample_is_what_simulate_draws():
    sample = worlds.open_world("goes_mrms")
    drawn = simulate(2, worlds.SAMPLE)
    assert set(sample.variables) == set(drawn.variables) and sample.sizes["y"] == 256
    first = sample.isel(sample=slice(0, 2))
    for name, variable in drawn.variables.items():
        stored = first[name].variable
        assert stored.dims == variable.dims and stored.dtype.kind == variable.dtype.kind, name
        assert str(stored.attrs) == str(variable.attrs)
        step = 0.26 if variable.dtype == np.float32 and variable.ndim == 3 else 0
        assert float(abs(stored.astype(float) - variable.astype(float)).max()) <= step, name


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: scenes(2, 0, 60), ValueError, "multiple of 8"),
        (lambda: scenes(2, worlds.RANGE - 1), ValueError, "next range"),
        (lambda: render([]), TypeError, "list of at least one Scene"),
        (lambda: render([Scene(1, 32), Scene(2, 64)]), ValueError, "different sizes"),
        (lambda: Scene(seed=1, sun=1.5), ValueError, "between 0 and 1"),
        (lambda: goes_mrms.as_input(np.zeros((2, 8, 8, 4))), TypeError, "dataset with c07"),
        (lambda: goes_mrms.as_target(xr.Dataset()), TypeError, "with `mrms`"),
        (lambda: goes_mrms.causes(simulate(1, 0, 32), 0, 32, 0), ValueError, "row must lie"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
