"""Lesson 11: its shifts, its pixels, and how its exercises answer."""

import numpy as np
import pytest

from utils import skill
from utils.check import real_storm as check
from utils.panels import real_storm as panel
from utils.readers import fetch, geolocation, real_files
from utils.worlds import goes_mrms


def test_parallax_points_away_from_the_satellite():
    north, east = geolocation.parallax((36.0, -95.0), -75.0, 12.0)
    assert north > 0 > east and 11 < np.hypot(north, east) < 14  # seen at 48 degrees from above
    assert geolocation.parallax((0.0, -75.0), -75.0, 12.0) == pytest.approx((0, 0), abs=1e-9)
    south, _ = geolocation.parallax((-36.0, -75.0), -75.0, 12.0)
    assert south == pytest.approx(-geolocation.parallax((36.0, -75.0), -75.0, 12.0)[0])


@pytest.mark.parametrize("north, east", [(0, 0), (3, -2), (-1, 4)])
def test_the_best_shift_is_the_one_that_was_made(north, east):
    radar = np.random.default_rng(0).random((40, 40))
    estimate = np.roll(radar, (-north, east), (0, 1))
    best, agreement = panel.best_shift(radar, estimate, most=5)
    assert best == (north, east) and agreement.max() == pytest.approx(1)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-1, 4)])
def test_radar_moves_to_where_the_satellite_shows_it(shift):
    radar = np.zeros((1, 40, 40))
    radar[0, 10:30, 10:30] = np.random.default_rng(0).random((20, 20))
    moved = panel.moved(radar, shift)
    assert moved.sum() == pytest.approx(radar.sum())
    assert panel.best_shift(radar[0], moved[0], most=5)[0] == shift
    assert not panel.moved(np.ones((1, 40, 40)), (3, -2))[0, -3:].any()  # from outside


def test_pixels_have_their_box_inside():
    estimate, radar, lightning = np.zeros((3, 96, 96))
    estimate[5, 5], estimate[40, 50], estimate[60, 30], estimate[50, 50] = 60, 50, 30, 59
    radar[[5, 40, 60], [5, 50, 30]], radar[50, 50] = (20, 22, 20), 19
    lightning[[5, 40, 60], [5, 50, 30]] = 1
    assert panel.worst(estimate, radar) == (40, 50)
    assert sorted(zip(*panel.lit(lightning, estimate, 9), strict=True)) == [(40, 50), (60, 30)]
    with pytest.raises(ValueError, match="choose another storm"):
        panel.lit(0 * lightning, estimate, 9)
    with pytest.raises(ValueError, match="20 dBZ nowhere"):
        panel.worst(estimate, 0 * radar)


def csi(values, seen, threshold):
    return float(skill.scores(skill.counts(values, seen, [threshold]))["CSI"][0])


def estimate(x):
    return 60 * (0.8 * x[..., 2] ** 3 + 0.4 * x[..., 0] + 4 * x[..., 3]).clip(0, 1)


@pytest.fixture(scope="module")
def scene():
    return goes_mrms.render([goes_mrms.Scene(3_020_000, size=128, sun=0.6)])


def test_a_later_scene(scene, tmp_path):
    time, place, shift = "2021-07-15T20:00", (36.0, -95.0), (4, -2)
    real_files.write(tmp_path, scene, time, place)
    data = fetch.storm(time, place, 128, source=tmp_path)
    values, seen = estimate(goes_mrms.as_input(data)), data.mrms.values
    there, back = panel.moved(seen, shift), panel.moved(seen, (-4, 2))
    how = (time, place, 128, tmp_path, estimate, panel.moved, shift)
    for answer, state, message in (
        (csi(values, there, 20), "right", "radar where it was"),
        (csi(values, seen, 20), "wrong", "where it was"),
        (csi(values, back, 20), "wrong", "the other way"),
        (csi(values, there, 35), "wrong", "35 dBZ"),
        (0.99, "wrong", "its own radar"),
        (..., "unanswered", "Replace"),
    ):
        verdict = check.csi_later(answer, *how)
        assert verdict.state == state and message in verdict.message, answer


def test_night_and_wrong_order(scene):
    x, there, c13 = goes_mrms.as_input(scene), scene.mrms.values, scene.c13.values
    night = x.copy()
    night[..., 0] = x[..., 2]
    change, cold = estimate(night) - estimate(x), c13 < 230
    for answer, state, message in (
        (change[cold].mean(), "right", "up or down"),
        (-change[cold].mean(), "wrong", "sign"),
        (change.mean(), "wrong", "over all pixels"),
        (99.0, "wrong", "The mean of"),
        (..., "unanswered", "Replace"),
    ):
        verdict = check.night_change(answer, estimate, x, night, c13)
        assert verdict.state == state and message in verdict.message, answer
    seen = panel.moved(there, (-4, 2))
    good, bad = (csi(estimate(v), there, 20) for v in (x, x[..., [2, 1, 0, 3]]))
    unmoved = csi(estimate(x[..., [2, 1, 0, 3]]), seen, 20)
    assert abs(good - bad) > 0.02
    for answer, state, message in (
        (bad, "right", "no complaint"),
        (good, "wrong", "right order"),
        (unmoved, "wrong", "against `there`"),
        (0.999, "wrong", "Stack the channels"),
        (..., "unanswered", "Replace"),
    ):
        verdict = check.csi_wrong(answer, estimate, x, there, seen)
        assert verdict.state == state and message in verdict.message, answer
