"""The convection world: reproducible, true to its fields, and as bright as it says."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

from utils import worlds
from utils.worlds import convection, open_world
from utils.worlds.convection import KINDS, Scene, render, scenes, simulate
from utils.worlds.convection.clouds import optical_depth, two_stream

SEED = worlds.VALIDATION + 500_000
FIELDS = ("reflectance", "truth_brightness", "truth_texture", "truth_bubbling")


@pytest.fixture(scope="module")
def world():
    return simulate(40, SEED)


@pytest.fixture(scope="module")
def hard():
    return {setting: simulate(60, SEED, setting) for setting in ("dim_bubbling", "bright_smooth")}


@pytest.fixture(scope="module")
def bubbling():
    return [scene for scene in scenes(40, SEED) if scene.texture][:12]


def roughness(pictures):
    """Deviation of what is smaller than two pixels, over the mean: a texture seen from outside."""
    fine = pictures - gaussian_filter(pictures, (0, 0, 2, 2))
    return (fine**2).mean((1, 2, 3)) ** 0.5 / pictures.mean((1, 2, 3))


# --- reproducible --------------------------------------------------------------------------------


def test_a_sequence_depends_on_its_seed_alone(world):
    xr.testing.assert_identical(simulate(5, SEED), world.isel(sample=slice(0, 5)))
    xr.testing.assert_identical(simulate(3, SEED + 20), world.isel(sample=slice(20, 23)))
    assert not np.array_equal(world.reflectance[0], simulate(1, SEED + 40).reflectance[0])


def test_processes_draw_the_same_sequences(world):
    xr.testing.assert_identical(simulate(40, SEED, n_jobs=2), world)


def test_progress_bar_shows_on_demand(capfd):
    simulate(2, SEED)
    assert "samples" not in capfd.readouterr().err
    simulate(2, SEED, progress=True)
    assert "samples: 100%" in capfd.readouterr().err


# --- schema --------------------------------------------------------------------------------------


def test_schema(world):
    for name in FIELDS:
        assert world[name].dims == ("sample", "time", "y", "x")
        assert world[name].shape == (40, 5, 64, 64)
        assert world[name].dtype == (bool if name == "truth_bubbling" else np.float32)
    assert world.reflectance.attrs["units"] == "1"
    assert 0 <= world.reflectance.min() and world.reflectance.max() <= 1
    assert world.convection.dtype == np.int8 and set(world.convection.values) == {0, 1}
    assert all(variable.attrs["long_name"] for variable in world.variables.values())
    assert world.time.values.tolist() == [0, 2, 4, 6, 8] and world.time.attrs["units"] == "min"
    assert float(world.x[1] - world.x[0]) == 0.5 and world.x.attrs["units"] == "km"
    assert world.truth_kind.attrs["flag_meanings"] == " ".join(KINDS)
    assert convection.as_input(world).shape == (40, 64, 64, 5)
    assert np.array_equal(convection.as_input(world)[3, :, :, 1], world.reflectance[3, 1])


# --- the truth means what it says ----------------------------------------------------------------


def test_brightness_and_texture_add_up_to_the_picture(world):
    rest = world.reflectance - world.truth_brightness - world.truth_texture
    assert float(rest.std()) == pytest.approx(0.004, rel=0.05), "the camera's noise is left"
    assert (
        world.truth_texture.where(~world.truth_bubbling & (world.convection == 0), 0) == 0
    ).all()


def test_the_label_says_whether_anything_bubbles(world):
    seen = world.truth_bubbling.any(("y", "x"))
    assert np.array_equal(seen.all("time"), world.convection == 1)
    assert np.array_equal(seen.any("time"), world.convection == 1)
    assert (world.truth_texture != 0).any(("time", "y", "x")).equals(world.convection == 1)


def test_texture_lies_where_the_mask_says(world):
    power = world.truth_texture[world.convection.values == 1] ** 2
    mask = world.truth_bubbling[world.convection.values == 1]
    assert float(power.where(mask).mean()) > 20 * float(power.where(~mask).mean())


def test_without_texture_the_cue_is_gone(bubbling):
    rough, smooth = render(bubbling), render([replace(s, texture=0.0) for s in bubbling])
    assert not smooth.convection.any() and not smooth.truth_bubbling.any()
    np.testing.assert_array_equal(smooth.truth_brightness, rough.truth_brightness)
    difference = rough.reflectance - smooth.reflectance
    np.testing.assert_allclose(difference, rough.truth_texture, atol=1e-6)
    inside = rough.truth_bubbling.values
    fine = [
        (d.reflectance.values - gaussian_filter(d.reflectance.values, (0, 0, 2, 2)))[inside].std()
        for d in (rough, smooth)
    ]
    assert fine[0] > 1.5 * fine[1]


def test_contrast_is_what_was_asked_for(bubbling):
    some = [replace(s, texture=0.2, brightness=0.5, sun_zenith=35.0) for s in bubbling]
    data = render(some)
    relative = (data.truth_texture / data.truth_brightness).where(data.truth_bubbling)
    assert float(relative.std(("time", "y", "x")).mean()) == pytest.approx(0.2, rel=0.2)
    double = render([replace(s, texture=0.4) for s in some])
    ratio = np.abs(double.truth_texture).sum() / np.abs(data.truth_texture).sum()
    assert 1.6 < float(ratio) <= 2


def test_brightness_changes_brightness_and_not_where_it_bubbles(bubbling):
    pair = [render([replace(s, brightness=b) for s in bubbling]) for b in (0.7, 0.4)]
    np.testing.assert_array_equal(pair[0].truth_bubbling, pair[1].truth_bubbling)
    cores = [d.truth_brightness.where(d.truth_bubbling).mean() for d in pair]
    assert float(cores[1] / cores[0]) == pytest.approx(0.4 / 0.7, rel=0.1)
    contrast = [(d.truth_texture / d.truth_brightness).where(d.truth_bubbling).std() for d in pair]
    assert float(contrast[0]) == pytest.approx(float(contrast[1]), rel=0.1)


def test_a_low_sun_is_dim_and_deepens_shadows(bubbling):
    high, low = (render([replace(s, sun_zenith=z) for s in bubbling]) for z in (20.0, 68.0))
    assert float(low.reflectance.mean() / high.reflectance.mean()) < 0.5
    contrast = [
        (d.truth_texture / d.truth_brightness).where(d.truth_bubbling).std() for d in (high, low)
    ]
    assert contrast[1] > 1.3 * contrast[0]


def test_the_sunny_side_faces_the_sun(bubbling):
    west, east = (render([replace(s, sun_azimuth=a) for s in bubbling]) for a in (270.0, 90.0))
    slope = -np.gradient((west.truth_texture + east.truth_texture).values, axis=3)
    lit = (east.truth_texture - west.truth_texture).values
    inside = west.truth_bubbling.values
    assert np.corrcoef(slope[inside], lit[inside])[0, 1] > 0.3, (
        "east of a top the morning sun shines"
    )


def test_clouds_drift_with_the_wind_and_the_land_stays():
    still = Scene(seed=SEED, kind="clear")
    land = render([still]).truth_brightness[0].values
    np.testing.assert_array_equal(land[0], land[4])
    cloud = Scene(seed=SEED, kind="stratus", wind=(12.5, 0.0))  # three pixels in two minutes
    frames = render([cloud]).truth_brightness[0].values
    assert np.corrcoef(frames[0][:, 3:-9].ravel(), frames[2][:, 9:-3].ravel())[0, 1] > 0.98
    assert np.corrcoef(frames[0].ravel(), frames[2].ravel())[0, 1] < 0.95


def test_domes_change_more_than_drift_explains(bubbling):
    calm = render([replace(s, wind=(0.0, 0.0)) for s in bubbling])
    moved = np.abs(calm.truth_texture.diff("time")).where(calm.truth_bubbling[:, 1:]).mean()
    assert float(moved) > 0.3 * float(np.abs(calm.truth_texture).where(calm.truth_bubbling).mean())
    np.testing.assert_array_equal(calm.truth_bubbling[:, 0], calm.truth_bubbling[:, 4])


def test_the_two_stream_formula_can_be_turned_round():
    depth = np.array([0.0, 1, 8, 30, 100])
    np.testing.assert_allclose(optical_depth(two_stream(depth)), depth, atol=1e-9)
    assert two_stream(1e9) == pytest.approx(1)


# --- frequencies, and how hard the settings are ---------------------------------------------------


@pytest.mark.parametrize("setting", list(convection.SETTINGS))
def test_frequencies(setting):
    some, table = scenes(3000, SEED, setting), convection.SETTINGS[setting]
    assert sum(row[0] for row in table) == pytest.approx(1)

    def fits(scene, row):
        values = scene.brightness, scene.texture, scene.sun_zenith
        return scene.kind == row[1] and all(
            low <= v <= high for v, (low, high) in zip(values, row[2:], strict=True)
        )

    for row in table:
        share = np.mean([fits(scene, row) for scene in some])
        assert abs(share - row[0]) < 4 * np.sqrt(row[0] * (1 - row[0]) / len(some)), row


def test_brightness_nearly_tells_and_is_turned_round_in_the_hard_settings(hard):
    def brightness(data):
        return data.reflectance.quantile(0.9, ("time", "y", "x")).values

    data = simulate(120, SEED)
    values, label = brightness(data), data.convection.values
    limits = np.unique(values)
    accuracy = max(((values > limit) == label).mean() for limit in limits)
    assert 0.9 < accuracy < 1
    limit = max(limits, key=lambda limit: ((values > limit) == label).mean())
    assert (brightness(hard["bright_smooth"]) > limit).mean() > 0.8
    assert (brightness(hard["dim_bubbling"]) > limit).mean() < 0.2


def test_fine_texture_tells_hard_cases_apart_where_brightness_cannot(hard):
    dim, bright = hard["dim_bubbling"], hard["bright_smooth"]
    smooth = render([replace(s, texture=0.0) for s in scenes(60, SEED, "dim_bubbling")])
    rough, without = (roughness(d.reflectance.values) for d in (dim, smooth))
    assert (rough > without).all()
    assert not bright.convection.any() and dim.convection.all()


# --- the committed sample -------------------------------------------------------------------------


def test_sample_is_what_simulate_draws():
    sample = open_world("convection")
    drawn = simulate(6, worlds.SAMPLE)
    assert set(sample.variables) == set(drawn.variables)
    first = sample.isel(sample=slice(0, 6))
    for name, variable in drawn.variables.items():
        stored = sample[name].variable
        assert stored.dims == variable.dims and stored.dtype.kind == variable.dtype.kind
        assert str(stored.attrs) == str(variable.attrs)
    for name in FIELDS[:3]:
        assert float(np.abs(first[name] - drawn[name]).max()) < 0.003, name
    for name in set(drawn.data_vars) - set(FIELDS[:3]):
        np.testing.assert_allclose(first[name], drawn[name], err_msg=name)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: scenes(5, 0, "trainig"), ValueError, "setting must be one of training, bright"),
        (lambda: scenes(5, 0, ["training"]), ValueError, "setting must be one of"),
        (lambda: scenes(2, worlds.RANGE - 1), ValueError, "next range"),
        (lambda: render([]), TypeError, "list of at least one Scene"),
        (lambda: render(Scene(seed=1)), TypeError, "list of at least one Scene"),
        (lambda: Scene(seed=1, kind="storm"), ValueError, "kind must be one of"),
        (lambda: Scene(seed=1, brightness=1.2), ValueError, "brightness must lie between"),
        (lambda: Scene(seed=1, texture=float("nan")), ValueError, "texture must lie between"),
        (lambda: Scene(seed=1, kind="snow", texture=0.2), ValueError, "texture must be 0 for snow"),
        (lambda: Scene(seed=1, wind=3), ValueError, "to the east, to the south"),
        (lambda: convection.as_input(np.zeros((2, 5, 8, 8))), TypeError, "with `reflectance`"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
