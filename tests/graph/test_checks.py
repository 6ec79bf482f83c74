"""Checks accept the solution and name what went wrong in typical other answers."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from tensorflow import keras

from utils import lrp, networks, skill
from utils.check import (
    clever_hans,
    climate_indicators,
    convection,
    feature_visualization,
    goes_to_mrms,
    innvestigate,
    large_archive,
    layerwise_relevance,
    start_here,
)
from utils.panels import clever_hans as panels_of_clever_hans
from utils.worlds.climate import fuzzy_years


@pytest.fixture
def heat_map():
    values = np.random.default_rng(0).normal(size=(8, 10))
    values[2, 7], values[5, 1] = 9, -9
    return values


@pytest.mark.parametrize(
    "answer, state, message",
    [
        (..., "unanswered", "Replace"),
        ((..., ...), "unanswered", "Replace"),
        ((2, 7), "right", "row 2, column 7"),
        ([np.int64(2), np.int64(7)], "right", "row 2, column 7"),
        ((7, 2), "wrong", "swapped"),
        ((5, 1), "wrong", "against"),
        (27, "wrong", "unravel_index"),
        ((2, 7, 0), "wrong", "3 numbers"),
        ((0, 0), "wrong", "Another pixel"),
        ("here", "wrong", "could not be used|one number"),
    ],
)
def test_hottest(heat_map, answer, state, message):
    verdict = start_here.hottest(answer, heat_map)
    assert verdict.state == state
    assert any(part in verdict.message for part in message.split("|"))


@pytest.fixture
def maps_and_masks():
    rng = np.random.default_rng(1)
    masks = np.zeros((5, 8, 8), bool)
    masks[:, :3, :4] = True
    return rng.normal(0.3, 1, (5, 8, 8)), masks


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda m, k: ..., "unanswered", "Replace"),
        (skill.relevance_density, "right", "times denser"),
        (skill.relevance_share, "wrong", "share of the area"),
        (lambda m, k: 1 / skill.relevance_density(m, k), "wrong", "upside down"),
        (lambda m, k: skill.relevance_share(m, k) / k.sum((1, 2)), "wrong", "number of pixels"),
        (lambda m, k: (m * k).sum((1, 2)) / m.sum((1, 2)) / k.mean((1, 2)), "wrong", "Negative"),
        (lambda m, k: skill.relevance_density(abs(m), k), "wrong", "`abs`"),
        (lambda m, k: 2.0, "wrong", "shape"),
        (lambda m, k: np.zeros(5), "wrong", "differ"),
    ],
)
def test_density(maps_and_masks, solve, state, message):
    verdict = clever_hans.density(solve(*maps_and_masks), *maps_and_masks)
    assert verdict.state == state and message in verdict.message


FOUND = np.array([False] * 6 + [True] * 4)  # six of ten horses are lost


@pytest.mark.parametrize(
    "answer, state, message",
    [
        (..., "unanswered", "Replace"),
        (~FOUND, "right", "right on 60 %"),
        (np.array([True] * 7 + [False] * 3), "right", "100 % of the lost horses, and 25 %"),
        (FOUND, "wrong", "other way round"),
        (
            np.ones(10, bool),
            "wrong",
            "60 % of your predictions are right, but they are all the same",
        ),
        (np.arange(10) % 2 == 0, "wrong", "Compare what lies on the tag"),
        (np.ones(10), "wrong", "not float64: compare"),
        (True, "wrong", "has the shape (10,)"),
    ],
)
def test_lost_horses(answer, state, message):
    verdict = clever_hans.lost(answer, FOUND)
    assert verdict.state == state and message in verdict.message


KINDS = np.array(["plain"] * 4 + ["hurdle"] * 3)
CLUSTERS = np.array([0, 0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize(
    "answer, state, message",
    [
        ({1: ..., 2: ...}, "unanswered", "Replace"),
        ({1: "plain", 2: "hurdle"}, "right", "3 of 3, 3 of 4"),
        ({1: "plain", 2: "plain"}, "wrong", "1 of 2 are right. Look at cluster 2"),
        ({1: "plain", 2: "cat"}, "wrong", "no kind 'cat': choose from 'hurdle', 'plain'"),
        ({1: "plain"}, "wrong", "Keep the dict with its 2 clusters"),
        (["plain", "hurdle"], "wrong", "Keep the dict"),
    ],
)
def test_names_of_clusters(answer, state, message):
    verdict = clever_hans.strategies(answer, CLUSTERS, KINDS)
    assert verdict.state == state and message in verdict.message


def column(tiles):
    tiles = tiles.copy()
    tiles[:, :, 24] = 200
    return tiles


def in_place(tiles):
    tiles[:, 24] = 200
    return tiles


@pytest.mark.parametrize(
    "function, state, message",
    [
        (lambda tiles: ..., "unanswered", "Replace"),
        (panels_of_clever_hans.with_line, "right", "Row 24 is 200 K"),
        (lambda tiles: None, "wrong", "returns nothing"),
        (lambda tiles: tiles[0], "wrong", "yours (32, 32)"),
        (in_place, "wrong", "begin with `tiles.copy()`"),
        (lambda tiles: tiles, "wrong", "Nothing was drawn"),
        (column, "wrong", "That is column 24"),
        (lambda tiles: tiles * 0 + 200, "wrong", "outside row 24"),
        (lambda tiles: panels_of_clever_hans.with_line(tiles) - 0 * tiles + 0, "right", "Row 24"),
        (
            lambda tiles: np.where(panels_of_clever_hans.with_line(tiles) == 200, 210, tiles),
            "wrong",
            "should be 200 K",
        ),
        (lambda tiles: 1 / 0, "wrong", "could not be used"),
    ],
)
def test_a_line_in_tiles(function, state, message):
    tiles = np.random.default_rng(3).uniform(210, 300, (3, 32, 32))
    verdict = clever_hans.line(function, tiles)
    assert verdict.state == state and message in verdict.message


def divide(R, z):
    return np.divide(R, z, out=np.zeros_like(R), where=z != 0)


def alpha_beta(a, w, b, R, alpha, beta=None, parts=2, slip=False, by_weight=False, whole=False):
    """The rule, and its typical mistakes."""
    beta = alpha - 1 if beta is None else beta
    z = w if slip else a[:, None] * w
    up, down = np.maximum(z, 0), np.minimum(z, 0)
    if by_weight:
        up, down = (np.maximum(a, 0)[:, None] * half for half in (w.clip(0), w.clip(max=0)))
    b_plus, b_minus = (b, b) if whole else (b.clip(0), b.clip(max=0))
    below = alpha * up @ divide(R, up.sum(0) + b_plus)
    return below - (parts == 2) * beta * down @ divide(R, down.sum(0) + b_minus)


@pytest.mark.parametrize(
    "step, state, message",
    [
        (lambda a, w, b, R, alpha: ..., "unanswered", "Replace"),
        (alpha_beta, "right", "alpha times"),
        (lambda a, w, b, R, alpha: None, "wrong", "`return`"),
        (
            lambda a, w, b, R, alpha: alpha_beta(a, w, b, R, alpha, whole=True),
            "wrong",
            "whole bias",
        ),
        (lambda a, w, b, R, alpha: alpha_beta(a, w, b, R, alpha, 1 - alpha), "wrong", "convention"),
        (lambda a, w, b, R, alpha: alpha_beta(a, w, b, R, 2), "wrong", "alpha = 1"),
        (lambda a, w, b, R, alpha: alpha_beta(a, w, 0 * b, R, alpha), "wrong", "bias is missing"),
        (lambda a, w, b, R, alpha: alpha_beta(a, w, b, R, alpha, slip=True), "wrong", "a_i"),
        (
            lambda a, w, b, R, alpha: alpha_beta(a, w, b, R, alpha, by_weight=True),
            "wrong",
            "cut by sign",
        ),
        (
            lambda a, w, b, R, alpha: alpha_beta(a, w, b, R, 1, parts=1),
            "wrong",
            "Only the positive",
        ),
        (lambda a, w, b, R, alpha: a * (w @ (R / (a @ w + b))), "wrong", "adds up to"),
        (lambda a, w, b, R, alpha: a * np.nan, "wrong", "`divide`"),
        (lambda a, w, b, R, alpha: R, "wrong", "shape"),
        (lambda a, w, b, R: R, "wrong", "could not be used"),
    ],
)
def test_alpha_beta_step(step, state, message):
    verdict = layerwise_relevance.alpha_beta_step(step)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


def buggy(a, w, b, R):
    return a * (w.clip(0) @ divide(R, a.clip(0) @ w.clip(0)))


@pytest.mark.parametrize(
    "step, state, message",
    [
        (buggy, "unanswered", "as it was"),
        (lambda a, w, b, R: alpha_beta(a, w, 0 * b, R, 1, parts=1), "right", "passes on"),
        (lambda a, w, b, R: alpha_beta(a, w, b, R, 1, parts=1), "wrong", "counts the bias"),
        (lambda a, w, b, R: buggy(a.clip(0), w, b, R), "wrong", "get nothing"),
        (lambda a, w, b, R: a * (w.clip(0) @ divide(R, a @ w.clip(0))), "wrong", "does not belong"),
        (lambda a, w, b, R: a * (w @ divide(R, a @ w)), "wrong", "shares are not"),
        (lambda a, w, b, R: 0 * a, "wrong", "does not close"),
        (lambda a, w, b, R: R, "wrong", "shape"),
    ],
)
def test_alpha_1_step(step, state, message):
    verdict = layerwise_relevance.alpha_1_step(step)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


@pytest.fixture(scope="module")
def asked():
    """A network with a picture, and one that finds a dark eye, with a scene and the eye's mask."""
    model = networks.clever_hans(16)
    rng = np.random.default_rng(0)
    *weights, last, bias = [rng.normal(0, 0.2, w.shape) for w in model.get_weights()]
    model.set_weights([*weights, abs(last), bias])  # so that the logit is positive
    ring = keras.layers.Conv2D(1, 5, activation="relu")
    pool = keras.layers.GlobalMaxPooling2D()
    eye_finder = keras.Sequential([keras.Input((16, 16, 1)), ring, pool])
    kernel = np.full((5, 5, 1, 1), 1 / 16)
    kernel[1:4, 1:4] = -1 / 9
    eye_finder.set_weights([kernel, np.array([-0.5])])
    scene, eye = np.full((1, 16, 16, 1), 0.8), np.zeros((1, 16, 16), bool)
    eye[0, 5:8, 5:8] = True
    scene[eye] = 0
    return model, rng.random((1, 16, 16, 3)), eye_finder, scene, eye


@pytest.mark.parametrize(
    "rules, state, message",
    [
        ((..., "z_box", "flat"), "unanswered", "2 of 3 right"),
        (("z", ..., ...), "unanswered", "1 of 3 right"),
        (("alpha_1_beta_0", ..., ...), "wrong", "speaks against"),
        (("z", {"first": "z_box"}, lrp.alpha_beta(1, bias=None)), "right", "adds up"),
        (("preset_b", "z_box", "w_square"), "right", "adds up"),
        (("alpha_1_beta_0", "z_box", "flat"), "wrong", "speaks against"),
        (("z", lrp.alpha_beta(1, bias=None), "flat"), "wrong", "gives them nothing"),
        (("z", "flat", "flat"), "wrong", "hardly uses it"),
        (("z", lrp.z_box(0, 300), "flat"), "wrong", "limits"),
        (("z", "z_box", lrp.epsilon(0.5)), "wrong", "stabiliser"),
        (("sharp", "z_box", "flat"), "wrong", "no rule 'sharp'"),
    ],
)
def test_rules(asked, rules, state, message):
    verdict = layerwise_relevance.rules(dict(zip("abc", rules, strict=True)), *asked)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


# ---- lesson 04 --------------------------------------------------------------------------------


def gradient_back(z, R):
    return R * (z > 0)


def deconvnet_back(z, R):
    return R * (R > 0)


def guided_back(z, R):
    return R * (z > 0) * (R > 0)


@pytest.mark.parametrize(
    "parts, state, message",
    [
        ((gradient_back, deconvnet_back, guided_back), "right", "One line"),
        ((deconvnet_back, gradient_back, guided_back), "wrong", "look at the order"),
        ((lambda z, R: z > 0, deconvnet_back, guided_back), "wrong", "multiply by R"),
        ((lambda z, R: z * (z > 0), deconvnet_back, guided_back), "wrong", "not the value z"),
        ((gradient_back, lambda z, R: R, guided_back), "wrong", "deconvnet"),
        ((gradient_back, lambda z, R: 1.0, guided_back), "wrong", "shape"),
        ((lambda z, R: ..., deconvnet_back, guided_back), "unanswered", "Replace"),
        ((lambda z, R: R * (z >= 0), deconvnet_back, guided_back), "wrong", "z = 0 is not active"),
        ((lambda z, R: R[z > 0], deconvnet_back, guided_back), "wrong", "set what does not pass"),
        ((gradient_back, deconvnet_back), "wrong", "three arrays"),
    ],
)
def test_way_back(parts, state, message):
    verdict = innvestigate.way_back(lambda z, R: [part(z, R) for part in parts])
    assert verdict.state == state and message in verdict.message


def test_way_back_without_a_return():
    assert "return" in innvestigate.way_back(lambda z, R: None).message


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda x, y, w: ..., "unanswered", "Replace"),
        (lambda x, y, w: np.cov(x.T, y)[:2, 2] / y.var(ddof=1), "right", "channel 1"),
        (lambda x, y, w: w, "wrong", "the weights"),
        (lambda x, y, w: np.cov(x.T, y)[:2, 2] * 3, "wrong", "Scale it"),
        (lambda x, y, w: np.cov(x.T, y)[:2, 2] / y.var(), "right", "channel 1"),
        (lambda x, y, w: -np.cov(x.T, y)[:2, 2] / y.var(ddof=1), "wrong", "Scale it"),
        (lambda x, y, w: (x - x.mean(0)) * (y - y.mean())[:, None], "wrong", "shape"),
        (lambda x, y, w: x.mean(0), "wrong", "covariance"),
    ],
)
def test_pattern(solve, state, message):
    cloud, vapour = np.random.default_rng(1).normal(size=(2, 500))
    x = np.stack([cloud + vapour + 3, vapour - 1], 1)
    w = np.array([1.0, -1.0])
    verdict = innvestigate.pattern(solve(x, x @ w, w), x, x @ w, w)
    assert verdict.state == state and message in verdict.message


SCORES = pd.DataFrame(
    {
        "found": {"sharp": 12.0, "honest": 6.0, "cheap": 3.0, "blind": 11.0},
        "false_alarm": {"sharp": 2.0, "honest": 0.5, "cheap": 0.4, "blind": 4.0},
        "agreement": {"sharp": 0.4, "honest": 0.5, "cheap": 0.3, "blind": 1.0},
        "passes": {"sharp": 5.0, "honest": 3.0, "cheap": 2.0, "blind": 5.0},
    }
)


@pytest.mark.parametrize(
    "names, state, message",
    [
        (("honest", "sharp", "cheap"), "right", "6.0 where the tag decides"),
        (("sharp", "sharp", "cheap"), "wrong", "2 of 3 right. Wish 1: sharp has 12.0"),
        (("honest", "blind", "cheap"), "wrong", "agreement 1.00"),
        (("honest", "sharp", "honest"), "wrong", "3 passes. Rows that meet this wish: 1"),
        (("honest", ..., "cheap"), "unanswered", "2 of 3 right"),
        (("honest", "sharpest", "cheap"), "wrong", "no row 'sharpest'"),
        (("honest", 3, "cheap"), "wrong", "no row 3"),
    ],
)
def test_choice(names, state, message):
    verdict = innvestigate.choice(dict(enumerate(names)), SCORES)
    assert verdict.state == state and message in verdict.message


# ---- lesson 02 ----------------------------------------------------------------------------------


@pytest.fixture
def covered():
    """A picture of two colours, and a made-up excitation that knows one square of it."""
    picture = np.random.default_rng(4).random((24, 32, 2))

    def excited(pictures):
        assert pictures.shape[1:] == (24, 32, 2)
        darkness = (pictures[:, 4:12, 20:28] - 0.5) ** 2 * [1, 2]
        return 1 + darkness.sum((1, 2, 3))

    return picture, excited


def cover(picture, row, column, value=0.5, channels=slice(None), size=8):
    changed = picture.copy()
    changed[row : row + size, column : column + size, channels] = value
    return changed


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda before, after, *_: ..., "unanswered", "Replace"),
        (lambda before, after, *_: before - after(), "right", "The largest fall"),
        (lambda before, after, *_: None, "wrong", "`return`"),
        (lambda before, after, *_: after() - before, "wrong", "sign"),
        (lambda before, after, *_: after(), "wrong", "what is left"),
        (lambda before, after, *_: 1 - after() / before, "wrong", "share"),
        (lambda before, after, *_: np.array([before - after()]), "wrong", "[0]"),
        (lambda before, after, *_: 0.0, "wrong", "Nothing changes"),
        (lambda before, after, *_: before - after(value=0), "wrong", "black"),
        (lambda before, after, *_: before - after(channels=1), "wrong", "one colour"),
        (lambda before, after, *_: before - after(size=7), "wrong", "another size"),
        (lambda before, after, *_: 123.0, "wrong", "should fall by"),
        (lambda before, after, picture: picture.fill(0), "wrong", "`return`"),
        (lambda before, after, picture: picture.fill(0) or 1.0, "wrong", "was changed"),
        (lambda: 0, "wrong", "could not be used"),
    ],
)
def test_drop(covered, solve, state, message):
    picture, excited = covered

    def function(given, row, column):
        def after(**how):
            return excited(cover(given, row, column, **how)[None])[0]

        return solve(excited(given[None])[0], after, given)

    verdict = feature_visualization.drop(function, excited, picture)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


def test_drop_with_row_and_column_swapped(covered):
    picture, excited = covered
    corner = np.full_like(picture, 0.5)
    corner[4:12, 16:24] = 1  # so that the swapped place takes something, too
    corner[16:24, 4:12] = 1

    def excited_by_two(pictures):
        return pictures[:, 4:12, 16:24].mean((1, 2, 3)) + 0.3 * pictures[:, 16:24, 4:12].mean(
            (1, 2, 3)
        )

    def swapped(given, row, column):
        return (excited_by_two(given[None]) - excited_by_two(cover(given, column, row)[None]))[0]

    verdict = feature_visualization.drop(swapped, excited_by_two, corner)
    assert verdict.state == "wrong" and "swapped" in verdict.message


def test_drop_of_a_whole_band(covered):
    picture, _ = covered

    def excited(pictures):
        return abs(pictures - 0.5).sum((1, 2, 3))

    def band(given, row, column):
        changed = given.copy()
        changed[row : row + 8, ...] = 0.5
        return (excited(given[None]) - excited(changed[None]))[0]

    verdict = feature_visualization.drop(band, excited, picture)
    assert verdict.state == "wrong" and "whole band" in verdict.message


def curved(picture):
    """A made-up slope, other at each place and for each picture."""
    places = np.arange(picture.size).reshape(picture.shape) % 101 / 101
    return places * np.sin(9 * picture) + 0.1 * places**2


def moved(values, down, across):
    return np.roll(values, (down, across), (0, 1))


@pytest.mark.parametrize(
    "jittered, state, message",
    [
        (lambda x, d, r: ..., "unanswered", "Replace"),
        (lambda x, d, r: moved(curved(moved(x, d, r)), -d, -r), "right", "next figure"),
        (lambda x, d, r: None, "wrong", "`return`"),
        (lambda x, d, r: x.fill(0) or x, "wrong", "was changed"),
        (lambda x, d, r: curved(moved(x, d, r)), "wrong", "shift it back"),
        (lambda x, d, r: moved(curved(moved(x, d, r)), d, r), "wrong", "twice"),
        (lambda x, d, r: curved(x), "wrong", "without jitter"),
        (lambda x, d, r: moved(curved(moved(x, r, d)), -r, -d), "wrong", "swapped"),
        (lambda x, d, r: moved(curved(moved(x, -d, -r)), d, r), "wrong", "up and left"),
        (lambda x, d, r: moved(curved(x), -d, -r), "wrong", "Only the gradient"),
        (lambda x, d, r: x, "wrong", "differs"),
        (lambda x, d, r: x.sum(), "wrong", "shape"),
        (lambda x: x, "wrong", "could not be used"),
    ],
)
def test_jittered(jittered, state, message):
    verdict = feature_visualization.jittered(jittered, curved)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda a, b: ..., "unanswered", "Replace"),
        (lambda a, b: (a[:, None] > b[None]).mean((0, 1)), "right", "Channel 1 detects it best"),
        (lambda a, b: (b[:, None] > a[None]).mean((0, 1)), "wrong", "other way round"),
        (lambda a, b: (a > b).mean(0), "wrong", "itself only"),
        (lambda a, b: a.mean(0) - b.mean(0), "wrong", "difference of means"),
        (lambda a, b: (a[:, None] > b[None]).sum((0, 1)), "wrong", "divide"),
        (lambda a, b: a[:, None] > b[None], "wrong", "shape (12, 12, 3)"),
        (lambda a, b: 1, "wrong", "number of a channel"),
        (lambda a, b: [0.1, 0.2, 0.3], "wrong", "Channel 1 should have"),
    ],
)
def test_separation(solve, state, message):
    draw = np.random.default_rng(6)
    without = draw.normal(size=(12, 3))
    with_tag = without + [5, 3, 0.1] * draw.random((12, 3))
    with_tag[:, 1] = without[:, 1].max() + 1 + draw.random(12)
    verdict = feature_visualization.separation(solve(with_tag, without), with_tag, without)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


# ---- lesson 06 ----------------------------------------------------------------------------------


SAYS = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], bool)  # 3 hits, 1 miss, 1 false alarm
LABEL = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], bool)


@pytest.mark.parametrize(
    "pod, far, state, message",
    [
        (..., ..., "unanswered", "Replace"),
        (0.75, 0.25, "right", "finds 75"),
        (np.float64(0.75), np.float64(0.25), "right", "finds 75"),
        (75, 25, "wrong", "between 0 and 1"),
        (0.8, 0.25, "wrong", "accuracy"),
        (0.3, 0.25, "wrong", "not by all sequences"),
        (0.1, 0.25, "wrong", "hits / (hits + misses)"),
        (0.75, 1 / 6, "wrong", "false alarm *rate*"),
        (0.75, 0.75, "wrong", "take the others"),
        (0.75, 0.5, "wrong", "false alarms / (hits"),
        (LABEL, 0.25, "wrong", "one number"),
    ],
)
def test_pod_and_far(pod, far, state, message):
    verdict = convection.pod_and_far(pod, far, SAYS, LABEL)
    assert verdict.state == state and message in verdict.message


def test_pod_divided_by_all_alarms():
    says, label = np.r_[SAYS, True], np.r_[LABEL, False]
    verdict = convection.pod_and_far(3 / 5, 2 / 5, says, label)
    assert verdict.state == "wrong" and "called convection" in verdict.message


def each(function):
    return lambda a, b: np.array([function(u, v) for u, v in zip(a, b, strict=True)])


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda a, b: ..., "unanswered", "Replace"),
        (each(lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1]), "right", "On average"),
        (each(lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1] ** 2), "wrong", "squared"),
        (each(lambda a, b: np.cov(a.ravel(), b.ravel(), ddof=0)[0, 1]), "wrong", "covariance"),
        (each(lambda a, b: (a * b).mean() / a.std() / b.std()), "wrong", "mean first"),
        (lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1], "wrong", "mixes"),
        (lambda a, b: np.zeros((4, 5)), "wrong", "has the shape (4, 5)"),
        (lambda a, b: np.zeros(4), "wrong", "differ"),
    ],
)
def test_correlations(solve, state, message):
    rng = np.random.default_rng(3)
    maps = rng.random((4, 5, 6, 6))
    fields = maps + rng.random((4, 5, 6, 6)) + np.arange(4)[:, None, None, None]
    verdict = convection.correlations(solve(maps, fields), maps, fields)
    assert verdict.state == state and message in verdict.message


@pytest.mark.parametrize(
    "answer, state, message",
    [
        (..., "unanswered", "Replace"),
        (52.5, "right", "half of the storms"),
        (np.deg2rad(52.5), "wrong", "radians"),
        (37.5, "wrong", "90 minus"),
        (60, "wrong", "angles tried"),
        (32.0, "wrong", "passes 0.5"),
        ([52.5], "wrong", "one angle"),
        (45, "wrong", "passes 0.5"),
    ],
)
def test_half_lost(answer, state, message):
    verdict = convection.half_lost(answer, [30, 40, 50, 60], [1, 1, 0.6, 0.2])
    assert verdict.state == state and message in verdict.message


# ---- lesson 07 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda d: ..., "unanswered", "Replace"),
        (lambda d: np.exp(5 * (d / 60) ** 4), "right", "148 times"),
        (lambda d: np.exp(5 * d**4.0), "wrong", "dBZ / 60"),
        (lambda d: np.exp((5 * d / 60) ** 4), "wrong", "outside of the power"),
        (lambda d: np.exp(5 * d / 60), "wrong", "power is missing"),
        (lambda d: np.exp(5 * d / 60) ** 4, "wrong", "belongs to y alone"),
        (lambda d: 5 * (d / 60) ** 4, "wrong", "Take its exponential"),
        (lambda d: 1 + d, "wrong", "exp(5 y^4)"),
        (lambda d: 148, "wrong", "shape (5,)"),
    ],
)
def test_weights_of_the_loss(solve, state, message):
    dbz = np.array([0, 20, 30, 48, 60])
    with np.errstate(over="ignore"):
        verdict = goes_to_mrms.weights(solve(dbz), dbz)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda a, b, m: ..., "unanswered", "Replace"),
        (lambda a, b, m: (a - b)[m].mean(), "right", "dBZ less"),
        (lambda a, b, m: (b - a)[m].mean(), "wrong", "other way round"),
        (lambda a, b, m: (a - b).mean(), "wrong", "over all pixels"),
        (lambda a, b, m: (a - b)[m].mean() / 60, "wrong", "already in dBZ"),
        (lambda a, b, m: (a - b)[m].sum(), "wrong", "Divide by the number"),
        (lambda a, b, m: (a - b)[m], "wrong", "one number"),
        (lambda a, b, m: 1 - b[m].mean() / a[m].mean(), "wrong", "share that is lost"),
        (lambda a, b, m: 0.0, "wrong", "Take the difference"),
    ],
)
def test_drop_without_lightning(solve, state, message):
    rng = np.random.default_rng(8)
    before, after = 40 + rng.random((2, 5, 5)), 10 + rng.random((2, 5, 5))
    lit = rng.random((2, 5, 5)) > 0.6
    after[~lit] = before[~lit] - 1
    verdict = goes_to_mrms.drop(solve(before, after, lit), before, after, lit)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


def positive_share(maps, masks):
    summed = maps.sum(-1).clip(0)
    return (summed * masks).sum((1, 2)) / summed.sum((1, 2))


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda m, k: ..., "unanswered", "Replace"),
        (positive_share, "right", "On average"),
        (lambda m, k: 100 * positive_share(m, k), "wrong", "between 0 and 1"),
        (lambda m, k: 1 - positive_share(m, k), "wrong", "outside of the mask"),
        (lambda m, k: k.mean((1, 2)), "wrong", "share of the area"),
        (lambda m, k: positive_share(m, k).mean(), "wrong", "one share for each map"),
        (lambda m, k: np.full(len(m), 0.01), "wrong", "Add the channels"),
    ],
)
def test_share_on_a_mask(solve, state, message):
    rng = np.random.default_rng(9)
    maps, masks = rng.normal(0.5, 1, (4, 6, 6, 3)), rng.random((4, 6, 6)) > 0.7
    verdict = goes_to_mrms.share_on(solve(maps, masks), maps, masks)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


# ---- lesson 08 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "message"),
    [
        ([...] * 3, "unanswered", "Replace"),
        ([1950, 2000, 2040], "right", "off by 10 years"),
        ([1950, 2000], "wrong", "3 years"),
        ([50, 2000, 2040], "wrong", "far outside"),
    ],
)
def test_guesses(answer, state, message):
    verdict = climate_indicators.guesses(answer, [1960, 2000, 2060])
    assert verdict.state == state and message in verdict.message


@pytest.mark.parametrize(
    ("solve", "state", "message"),
    [
        (lambda p: ..., "unanswered", "Replace"),
        (lambda p: p @ fuzzy_years.CENTRES, "right", "It is a mean"),
        (lambda p: fuzzy_years.CENTRES[p.argmax(1)], "wrong", "likeliest decade"),
        (lambda p: p.mean(1), "wrong", "Weight the *years*"),
        (lambda p: p * fuzzy_years.CENTRES, "wrong", "one year for each map is (5,)"),
        (lambda p: np.zeros(5), "wrong", "add up each row"),
    ],
)
def test_read_year(solve, state, message):
    p = np.random.default_rng(0).dirichlet(np.ones(20), 5)
    verdict = climate_indicators.read_year(solve(p), p)
    assert verdict.state == state and message in verdict.message


@pytest.mark.parametrize(
    ("solve", "state", "message"),
    [
        (lambda p, r, a: ..., "unanswered", "Replace"),
        (lambda p, r, a: p[r].sum() / p.sum() * a.sum() / a[r].sum(), "right", "times as dense"),
        (lambda p, r, a: p[r].sum() / p.sum(), "wrong", "Divide by its share"),
        (lambda p, r, a: p[r].sum() / p.sum() / r.mean(), "wrong", "You counted cells"),
        (lambda p, r, a: p[r], "wrong", "one number"),
        (
            lambda p, r, a: np.average(p[r], weights=a[r]) / np.average(p, weights=a),
            "wrong",
            "whole share",
        ),
        (lambda p, r, a: 7.0, "wrong", "over the share of the area"),
    ],
)
def test_density_of_a_region(solve, state, message):
    p = np.random.default_rng(0).random((6, 8))
    area = np.repeat(np.array([[0.2, 1, 2, 2, 1, 0.2]]).T, 8, 1)
    region = np.zeros((6, 8), bool)
    region[2:4, :5] = True
    verdict = climate_indicators.density(solve(p, region, area), p, region, area)
    assert verdict.state == state and message in verdict.message


@pytest.mark.parametrize(
    "scenes, chunks, state, message",
    [
        (..., ..., "unanswered", "0 of 2"),
        (95, ..., "unanswered", "1 of 2"),
        (95, 369, "right", "99.6 MB"),
        (95.4, 369, "wrong", "whole scenes"),
        (96, 365, "wrong", "round down"),
        (381, 92, "wrong", "4 bytes"),
        (381.47, 92, "wrong", "whole scenes"),
        (11, 369, "wrong", "32 bits"),
        (95, 368, "wrong", "round up"),
        (95, 35040, "wrong", "35040 scenes"),
        (95, "many", "wrong", "could not be used|35040"),
    ],
)
def test_cut_into_chunks(scenes, chunks, state, message):
    answer = {"scenes in a chunk": scenes, "chunks": chunks}
    verdict = large_archive.cut(answer, (256, 256, 4), 35040)
    assert verdict.state == state
    assert any(part in verdict.message for part in message.split("|"))


@pytest.mark.parametrize(
    "answer, state, message",
    [
        (..., "unanswered", "Replace"),
        (2700, "right", "9 chunks"),
        (9, "wrong", "Each holds 300"),
        (7, "wrong", "what is done"),
        (2100, "wrong", "what is done"),
        (4800, "wrong", "Count the zeros"),
        (np.ones(16), "wrong", "one number"),
    ],
)
def test_what_is_left_of_a_run(answer, state, message):
    done = np.array([1] * 7 + [0] * 9).reshape(16, 1, 1)
    verdict = large_archive.left(answer, done, per_chunk=300)
    assert verdict.state == state
    assert message in verdict.message


DIMS = ["network", "model", "member", "year"]


def variance(share, area, *, others=False, ddof=1, power=1):
    return {
        dim: float(
            (
                (share.mean([d for d in DIMS if d != dim]) if others else share).var(dim, ddof=ddof)
                ** power
                * area
            ).mean()
        )
        for dim in DIMS
    }


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda s, a: dict.fromkeys(DIMS, ...), "unanswered", "0 of 4"),
        (lambda s, a: variance(s, a) | {"year": ...}, "unanswered", "3 of 4"),
        (variance, "right", "little: model, "),
        (lambda s, a: variance(s, xr.ones_like(a)), "wrong", "by `area`"),
        (lambda s, a: variance(s, a, ddof=0), "wrong", "ddof=1"),
        (lambda s, a: variance(s, a, power=0.5), "wrong", "standard deviation"),
        (lambda s, a: variance(s, a, others=True), "wrong", "first the variance"),
        (lambda s, a: dict.fromkeys(DIMS, 1.0), "wrong", "mean over all others"),
        (lambda s, a: 1.0, "wrong", "Keep the dict"),
    ],
)
def test_spread_of_maps(solve, state, message):
    rng = np.random.default_rng(0)
    own = rng.normal(size=(1, 6, 1, 1, 4, 5)) * np.linspace(0.5, 3, 4)[:, None]
    share = xr.DataArray(own + rng.normal(size=(3, 6, 2, 7, 4, 5)), dims=[*DIMS, "lat", "lon"])
    area = xr.DataArray(np.repeat([[0.4], [1.6], [1.2], [0.8]], 5, 1), dims=["lat", "lon"])
    verdict = large_archive.spread(solve(share, area), share, area.values)
    assert verdict.state == state
    assert message in verdict.message
