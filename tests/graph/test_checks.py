"""Checks accept the solution and name what went wrong in typical other answers."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from tensorflow import keras

from utils import lrp, networks, skill, worlds
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
from utils.explain import one_pixel
from utils.explain.crops import around, box
from utils.panels import goes_to_mrms as goes_panel
from utils.weights import load_weights
from utils.worlds import convection as convection_world


@pytest.fixture
def heat_map():
    values = np.random.default_rng(0).normal(size=(8, 10))
    values[2, 7], values[5, 1] = 9, -9
    return values


def largest(values, n=3):
    return values >= np.sort(values, axis=None)[-n]


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda m: ..., "unanswered", "Replace"),
        (largest, "right", "3 pixels, and 1 of them lie"),
        (lambda m: largest(-m), "wrong", "against"),
        (lambda m: largest(abs(m)), "wrong", "strong blue counts as hot"),
        (lambda m: largest(m, 4), "wrong", "4 pixels are True, and it should be 3"),
        (lambda m: np.arange(80).reshape(8, 10) < 3, "wrong", "Some pixels that are False"),
        (lambda m: largest(m) * 1.0, "wrong", "not float64: compare"),
        (lambda m: largest(m).ravel(), "wrong", "has the shape (80,)"),
        (lambda m: "here", "wrong", "has the shape ()"),
    ],
)
def test_hottest(heat_map, solve, state, message):
    horse = np.zeros(heat_map.shape, bool)
    horse[2, 7] = True
    verdict = start_here.hottest(solve(heat_map), heat_map, horse, 3)
    assert verdict.state == state and message in verdict.message


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
        (~FOUND, "right", "right 60 % of the time"),
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


def test_a_prediction_of_lost_horses_has_a_rival():
    verdict = clever_hans.lost(~FOUND, FOUND, np.arange(10) < 5)
    assert verdict.message.endswith("A limit of the logit is right on 90 %.")


KIND_THEN, WRONG_THEN = np.array([0, 0, 1, 1, 2, 2, 2, 2]), np.array([0, 0, 0, 1, 1, 1, 1, 0], bool)
KIND_NOW, WRONG_NOW = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 1], bool)


@pytest.mark.parametrize(
    "answer, state, message",
    [
        (..., "unanswered", "Replace"),
        (25, "right", "25.0 wrong answers per 100. It has 60.0, and the training world 50.0"),
        (0.25, "wrong", "Multiply by 100"),
        (100 * (2 / 3 + 2 + 4) / 8, "wrong", "other way round"),
        (50, "wrong", "counted in one of the worlds"),
        (60, "wrong", "counted in one of the worlds"),
        (100 * 1.25 / 3, "wrong", "not equally common"),
        (7, "wrong", "error rate of one kind"),
        ("many", "wrong", "could not be used"),
    ],
)
def test_errors_of_another_mix(answer, state, message):
    verdict = clever_hans.expected_errors(answer, KIND_THEN, WRONG_THEN, KIND_NOW, WRONG_NOW)
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


def gradient_back(u, g):
    return g * (u > 0)


def deconvnet_back(u, g):
    return g * (g > 0)


def guided_back(u, g):
    return g * (u > 0) * (g > 0)


@pytest.mark.parametrize(
    "parts, state, message",
    [
        ((gradient_back, deconvnet_back, guided_back), "right", "One line"),
        ((deconvnet_back, gradient_back, guided_back), "wrong", "look at the order"),
        ((lambda u, g: u > 0, deconvnet_back, guided_back), "wrong", "multiply by g"),
        ((lambda u, g: u * (u > 0), deconvnet_back, guided_back), "wrong", "not the value u"),
        ((gradient_back, lambda u, g: g, guided_back), "wrong", "deconvnet"),
        ((gradient_back, lambda u, g: 1.0, guided_back), "wrong", "shape"),
        ((lambda u, g: ..., deconvnet_back, guided_back), "unanswered", "Replace"),
        ((lambda u, g: g * (u >= 0), deconvnet_back, guided_back), "wrong", "u = 0 is not active"),
        ((lambda u, g: g[u > 0], deconvnet_back, guided_back), "wrong", "set what does not pass"),
        ((gradient_back, deconvnet_back), "wrong", "three arrays"),
    ],
)
def test_way_back(parts, state, message):
    verdict = innvestigate.way_back(lambda u, g: [part(u, g) for part in parts])
    assert verdict.state == state and message in verdict.message


def test_way_back_without_a_return():
    assert "return" in innvestigate.way_back(lambda u, g: None).message


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


@pytest.fixture
def clouds():
    """Dark pictures, a network that adds up brightness, and maps of two methods and a tie."""
    pictures = np.random.default_rng(5).uniform(0.3, 0.4, size=(12, 16, 16, 2))

    def logits(some):
        return some.mean((1, 2, 3)) - 0.45

    def heat_maps(kind, some):
        middle = np.arange(16) // 8 == 0  # the upper half
        weight = {"good": 3, "poor": 1, "like poor": 1.0}[kind]
        noise = np.random.default_rng(len(kind)).normal(size=some.shape[:3])
        return some.mean(-1) * np.where(middle, weight, -1)[:, None] + 0.01 * noise

    return pictures, logits, heat_maps


def own_test(clouds, two=("good", "poor"), better="good", **other):
    """The verdict on a right answer in which some parts are put in other ways."""
    pictures, logits, heat_maps = clouds
    weight = np.repeat([1.0, 0.0], 8)[:, None] * np.ones(16)
    parts = {"weight": weight, "changed": innvestigate.brighten(pictures, weight)}
    parts["decides"] = logits(parts["changed"]) > 0
    masks = np.broadcast_to(weight > 0.5, (12, 16, 16))
    size = other.pop("size", abs)
    parts["found"] = {
        kind: skill.relevance_density(size(heat_maps(kind, parts["changed"])), masks)
        for kind in two
    }
    for name, change in other.items():
        parts[name] = change(parts[name])
    return innvestigate.own_test(*parts.values(), better, pictures, logits, heat_maps)


@pytest.mark.parametrize(
    "answer, state, message",
    [
        ({}, "right", "In 12 pictures"),
        ({"two": ("poor", "like poor"), "better": "cannot tell"}, "right", "12 pictures"),
        ({"weight": lambda a: ...}, "unanswered", "Replace"),
        ({"found": lambda a: a | {"good": ...}}, "unanswered", "Replace"),
        ({"weight": lambda a: a[:8]}, "wrong", "(y, x)"),
        ({"weight": lambda a: 2 * a}, "wrong", "from 0 to 2"),
        ({"weight": lambda a: 0 * a}, "wrong", "in 0 % of the picture"),
        ({"weight": lambda a: 0.6 * a}, "wrong", "1.3 * weight"),
        ({"changed": lambda a: a[:4]}, "wrong", "not that of smooth"),
        ({"changed": lambda a: a + 1}, "wrong", "1.3 * weight"),
        ({"decides": lambda a: a * 1.0}, "wrong", "True or False"),
        ({"decides": lambda a: ~a}, "wrong", "above 0 with your cause"),
        ({"found": lambda a: {"good": a["good"]}}, "wrong", "two methods"),
        ({"found": lambda a: a | {"good": a["good"][:3]}}, "wrong", "(12,)"),
        ({"found": lambda a: a | {"good": a["poor"]}}, "wrong", "good: take the density"),
        ({"size": np.asarray}, "wrong", "red alone"),
        ({"better": "poor"}, "wrong", "Does zero lie"),
        ({"better": "cannot tell"}, "wrong", "good minus poor"),
        ({"better": "best"}, "wrong", "not 'best'"),
    ],
)
def test_own_test(clouds, answer, state, message):
    verdict = own_test(clouds, **answer)
    assert verdict.state == state and message in verdict.message, verdict


def test_own_test_asks_for_a_cause_that_decides(clouds):
    pictures, logits, heat_maps = clouds
    verdict = own_test((pictures, lambda some: logits(some) - 1, heat_maps))
    assert verdict.state == "wrong" and "0 of 12" in verdict.message
    verdict = own_test((pictures, lambda some: logits(some) + 1, heat_maps))
    assert verdict.state == "wrong" and "before you changed" in verdict.message


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
        (0.98 / 6 / (0.02 * 0.75 + 0.98 / 6), "right", "92 are false"),
        (1 / 4, "wrong", "half of the scenes"),
        (1 / 6 / (0.75 + 1 / 6), "wrong", "half of the scenes"),
        (0.02 * 0.75 / (0.02 * 0.75 + 0.98 / 6), "wrong", "that are right"),
        (0.02 / 6 / (0.98 * 0.75 + 0.02 / 6), "wrong", "swapped"),
        (0.98 / 6, "wrong", "Divide them by all alarms"),
        (0.5, "wrong", "Count in 10,000 scenes, 200"),
        (91.6, "wrong", "between 0 and 1"),
    ],
)
def test_far_when_rare(answer, state, message):
    verdict = convection.far_when_rare(answer, SAYS, LABEL, 0.02)
    assert verdict.state == state and message in verdict.message


@pytest.mark.parametrize(
    "change, state, message",
    [
        (lambda s: {"texture": 2 * s.texture}, "right", "on average"),
        (lambda s: {"texture": s.texture * s.brightness / 0.35}, "right", "1.00 times"),
        (lambda s: {}, "wrong", "brightness times contrast"),
        (lambda s: {"texture": 0.3, "brightness": 0.4}, "wrong", "a brightness of 0.35"),
        (lambda s: {"texture": 2 * s.texture, "seed": 1}, "wrong", "nothing else"),
    ],
)
def test_fair_partner(change, state, message):
    storms = [
        convection_world.Scene(seed=worlds.VALIDATION, brightness=b, texture=0.2)
        for b in (0.65, 0.8)
    ]
    answer = [replace(s, **{"brightness": 0.35} | change(s)) for s in storms]
    verdict = convection.fair_partner(answer, storms, 0.35)
    assert verdict.state == state and message in verdict.message
    assert "list of 2 scenes" in convection.fair_partner(answer[:1], storms, 0.35).message


def test_pod_by_angle():
    model = keras.Sequential([keras.Input((64, 64, 5)), keras.layers.GlobalAveragePooling2D()])
    model.add(keras.layers.Dense(2))
    model.layers[-1].set_weights([np.float32([[0, 1]] * 5), np.float32([1, 0])])  # mean above 0.2
    scene = convection_world.Scene(seed=worlds.VALIDATION, kind="deck", brightness=0.7)
    asked = {
        "right": (1, 0),
        "missed": (0, 1),
        "did the sun move?": (1, 1),
        "one POD for each angle is (2,)": (1, 0, 0),
        "a share": (100, 0),
        "change `sun_zenith` alone": (1, 0.5),
    }
    for words, answer in asked.items():
        verdict = convection.pod_by_angle(answer, model, [scene], [20.0, 78.0])
        if words == "right":
            assert verdict.state == "right" and "100 % at 20, 0 % at 78 degrees" in verdict.message
        else:
            assert verdict.state == "wrong" and words in verdict.message


# ---- lesson 07 ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lightning():
    """The network, a scene of cold cloud with a patch of lightning, and the crop of its middle."""
    model = networks.encoder_decoder(size=None)
    load_weights(model, "goes_mrms")
    x = np.broadcast_to(np.float32([0.82, 0.70, 0.86, 0]), (1, 64, 64, 4)).copy()
    x[:, :, :20] = [0.04, 0.08, 0.06, 0]  # clear sky
    x[:, 30:35, 30:35, 3] = 0.1
    crops, at = around(x, [32], [32])
    values = [60 * model.predict(v, verbose=0)[0, 32, 32, 0] for v in (x, x * [1, 1, 1, 0])]
    sums = 60 * one_pixel.relevance(model, crops, at, "alpha_1_beta_0").input.sum((0, 1, 2))
    return model, x, crops, at, values, sums


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda a, b, r: ((0, 32, 32), r[3] / r.sum(), ...), "unanswered", "Replace"),
        (lambda a, b, r: ((0, 32, 32), r[3] / r.sum(), a - b), "right", "the estimate falls"),
        (lambda a, b, r: ((0, 32, 32), 100 * r[3] / r.sum(), a - b), "wrong", "not in per cent"),
        (lambda a, b, r: ((0, 32, 32), r[3], a - b), "wrong", "GLM's sum in dBZ"),
        (lambda a, b, r: ((0, 32, 32), r[3] / a, a - b), "wrong", "biases took a part"),
        (lambda a, b, r: ((0, 32, 32), 0.9, a - b), "wrong", "The fall is right"),
        (lambda a, b, r: ((0, 32, 32), 0.1, b - a), "wrong", "other sign"),
        (lambda a, b, r: ((0, 32, 32), 0.1, (a - b) / 60), "wrong", "not in dBZ yet"),
        (lambda a, b, r: ((0, 32, 32), 0.1, b), "wrong", "estimate without lightning"),
        (lambda a, b, r: ((0, 32, 32), 0.1, 1 - b / a), "wrong", "share that is lost"),
        (lambda a, b, r: ((0, 32, 32), 0.1, 99), "wrong", "0 everywhere"),
        (lambda a, b, r: ((0, 4, 60), 0.1, 20), "wrong", "by less than 10"),
        (lambda a, b, r: ((0, 64, 2), 0.1, 20), "wrong", "within (1, 64, 64)"),
        (lambda a, b, r: (32, 0.1, 20), "wrong", "could not be used"),
    ],
)
def test_one_pixel_erased(lightning, solve, state, message):
    model, x, _, _, values, sums = lightning
    verdict = goes_to_mrms.one_pixel_erased(*solve(*values, sums), model, x)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda a, b, k: (a, ...), "unanswered", "Replace"),
        (lambda a, b, k: (a, b), "right", "On average, strong gradients"),
        (lambda a, b, k: (100 * a, 100 * b), "wrong", "between 0 and 1"),
        (lambda a, b, k: (b, a), "wrong", "swapped"),
        (lambda a, b, k: (1 - a, 1 - b), "wrong", "outside of the strong"),
        (lambda a, b, k: (a, a), "wrong", "the same as `before`"),
        (lambda a, b, k: (a, 2 * b), "wrong", "`before` is right"),
        (lambda a, b, k: (k, k), "wrong", "share of the area"),
        (lambda a, b, k: (3 * a, b), "wrong", "relevance_share"),
        (lambda a, b, k: (a.mean(), b), "wrong", "one share a pixel"),
    ],
)
def test_relevance_moved(lightning, solve, state, message):
    model, _, crops, at, *_ = lightning
    strong = np.zeros((1, 54, 54), bool)
    strong[:, :, 14:17] = True
    maps = [
        box(one_pixel.relevance(model, v, at, "alpha_1_beta_0").input, at)
        for v in (crops, crops * np.float32([1, 1, 1, 0]))
    ]
    shares = [skill.relevance_share(one, strong) for one in maps]
    before, after = solve(*shares, strong.mean((1, 2)))
    verdict = goes_to_mrms.moved(before, after, model, crops, at, strong)
    assert (verdict.state, message in verdict.message) == (state, True), verdict


def edge():
    """Crops of a cloud's edge: clear sky, a rim that is half covered, and cold cloud."""
    crops = np.broadcast_to([0.9, 0.8, 0.86, 0.0], (2, 64, 64, 4)).copy()
    crops[:, :, :30] = [0.04, 0.08, 0.06, 0]
    crops[:, :, 30] = [0.3, 0.4, 0.35, 0]
    return crops


def only_c13(crop):
    return np.where(np.arange(4) == 2, goes_panel.filled(crop), crop)


def in_place(crop):
    crop[:] = goes_panel.filled(crop)
    return crop


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda crop: ..., "unanswered", "Replace"),
        (goes_panel.filled, "right", "of the largest gradient is left"),
        (lambda crop: goes_panel.filled(crop, 275), "wrong", "more than half"),
        (lambda crop: None, "wrong", "return"),
        (lambda crop: crop, "wrong", "Nothing has changed"),
        (lambda crop: crop[:54], "wrong", "came back as"),
        (lambda crop: crop * 0 + 0.9, "wrong", "the storm itself"),
        (only_c13, "wrong", "other channels"),
        (in_place, "wrong", "Return a new one"),
        (edge(), "wrong", "without calling"),
    ],
)
def test_a_filling_that_does_what_it_says(solve, state, message):
    verdict = goes_to_mrms.fill(solve, edge(), [(30, 33), (32, 32)])
    assert (verdict.state, message in verdict.message) == (state, True), verdict


# ---- lesson 08 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "message"),
    [
        ([...] * 3, "unanswered", "Replace"),
        ([1950, 2000, 2040], "noted", "off by 10 years"),
        ([1950, 2000], "wrong", "3 years"),
        ([50, 2000, 2040], "wrong", "far outside"),
    ],
)
def test_guesses(answer, state, message):
    verdict = climate_indicators.guesses(answer, [1960, 2000, 2060])
    assert verdict.state == state and message in verdict.message


def years_of(maps):
    return np.asarray(maps).sum((1, 2))


@pytest.mark.parametrize(
    ("solve", "state", "message"),
    [
        (lambda a, b, r: ..., "unanswered", "Replace"),
        (lambda a, b, r: (a - b)[:, r].sum(1).mean(), "right", "Aerosol over the region"),
        (lambda a, b, r: (a - b)[:, r].sum(1), "wrong", "take their mean"),
        (lambda a, b, r: (a - b)[:, r], "wrong", "one number"),
        (lambda a, b, r: (b - a)[:, r].sum(1).mean(), "wrong", "sign is reversed"),
        (lambda a, b, r: abs((b - a)[:, r].sum(1)).mean(), "wrong", "dropped the signs"),
        (lambda a, b, r: (a - b).sum((1, 2)).mean(), "wrong", "the whole globe"),
        (lambda a, b, r: (a - b)[:, ~r].sum(1).mean(), "wrong", "all but the region"),
        (lambda a, b, r: a[:, r].sum(1).mean(), "wrong", "mean of all years"),
        (lambda a, b, r: 99.0, "wrong", "Paste `without`"),
    ],
)
def test_years_moved_by_a_region(solve, state, message):
    a, b = np.random.default_rng(1).normal(size=(2, 5, 6, 8))
    region = np.zeros((6, 8), bool)
    region[2:4, :5] = True
    verdict = climate_indicators.moved(solve(a, b, region), a, b, region, years_of)
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
    "cost, scenes, minutes, state, message",
    [
        (..., ..., ..., "unanswered", "0 of 3"),
        (10, 95, ..., "unanswered", "2 of 3"),
        (10, 95, 29.26, "right", "29.3 minutes, and 35.0 with"),
        (0.01, 95, 29.26, "wrong", "give milliseconds"),
        (3460 / 300, 95, 29.26, "wrong", "difference of the two runs"),
        (99, 95, 29.26, "wrong", "over 296 chunks"),
        (10, 95.4, 29.26, "wrong", "whole scenes"),
        (10, 96, 29.26, "wrong", "round down"),
        (10, 190, 29.26, "wrong", "as large as the scenes"),
        (10, 381, 29.26, "wrong", "4 bytes"),
        (10, 381.47, 29.26, "wrong", "whole scenes"),
        (10, 95, 35.04, "wrong", "a chunk for each scene"),
        (10, 95, 0.4877, "wrong", "give minutes"),
        (10, 95, "many", "wrong", "could not be used|35040"),
    ],
)
def test_choose_the_chunks(cost, scenes, minutes, state, message):
    answer = {"ms for a chunk": cost, "scenes in a chunk": scenes, "minutes": minutes}
    seconds = {4: 0.5, 300: 3.46}
    verdict = large_archive.cut(answer, seconds, (256, 256, 4), 35040, each=50, limit=200)
    assert verdict.state == state
    assert any(part in verdict.message for part in message.split("|"))


@pytest.mark.parametrize(
    "design, state, message",
    [
        (dict(network=..., model=8, member=1, year=3), "unanswered", "Replace"),
        (dict(network=1, model=8, member=1, year=3), "right", "as near as 0.96"),
        (dict(network=1, model=8, member=3, year=1), "right", "as near as 0.96"),
        (dict(network=1, model=1, member=1, year=20), "wrong", "24 maps can do 0.96"),
        (dict(network=1, model=8, member=3, year=2), "wrong", "48 maps; 24 are allowed"),
        (dict(network=6, model=1, member=1, year=1), "wrong", "from 1 to 5"),
        (dict(network=1, model=2.5, member=1, year=1), "wrong", "a whole number"),
        (dict(model=8, year=3), "wrong", "each of network, model, member, year"),
    ],
)
def test_a_budget_of_maps(design, state, message):
    def nearness(network=1, model=1, member=1, year=1):
        return np.array([1 - 0.2 / model - 0.05 / (member * year)])

    largest = {"network": 5, "model": 8, "member": 3, "year": 20}
    verdict = large_archive.budget(design, nearness, largest, most=24)
    assert verdict.state == state
    assert message in verdict.message


DIMS = ["model", "member", "year", "network"]


def variance(share, area, *, nested=True, ddof=1, power=1):
    return {
        dim: float(
            (
                (share.mean(DIMS[i + 1 :]) if nested else share).var(dim, ddof=ddof) ** power * area
            ).mean()
        )
        for i, dim in enumerate(DIMS)
    }


@pytest.mark.parametrize(
    "solve, state, message",
    [
        (lambda s, a: dict.fromkeys(DIMS, ...), "unanswered", "0 of 4"),
        (lambda s, a: variance(s, a) | {"year": ...}, "unanswered", "3 of 4"),
        (variance, "right", "sum: model "),
        (lambda s, a: variance(s, xr.ones_like(a)), "wrong", "by `area`"),
        (lambda s, a: variance(s, a, ddof=0), "wrong", "ddof=1"),
        (lambda s, a: variance(s, a, power=0.5), "wrong", "standard deviation"),
        (lambda s, a: variance(s, a, nested=False), "wrong", "average over members and years"),
        (lambda s, a: dict.fromkeys(DIMS, 1.0), "wrong", "then take the variance"),
        (lambda s, a: 1.0, "wrong", "Keep the dict"),
    ],
)
def test_spread_of_maps(solve, state, message):
    rng = np.random.default_rng(0)
    own = rng.normal(size=(1, 6, 1, 1, 4, 5)) * np.linspace(0.5, 3, 4)[:, None]
    dims = ["network", "model", "member", "year", "lat", "lon"]
    share = xr.DataArray(own + rng.normal(size=(3, 6, 2, 7, 4, 5)), dims=dims)
    area = xr.DataArray(np.repeat([[0.4], [1.6], [1.2], [0.8]], 5, 1), dims=["lat", "lon"])
    verdict = large_archive.spread(solve(share, area), share, area.values)
    assert verdict.state == state
    assert message in verdict.message
