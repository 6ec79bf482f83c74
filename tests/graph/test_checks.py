"""Checks accept the solution and name what went wrong in typical other answers."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from utils import skill
from utils.check import clever_hans, start_here


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
        (skill.relevance_density, "right", "times as relevant"),
        (skill.relevance_share, "wrong", "share of the area"),
        (lambda m, k: 1 / skill.relevance_density(m, k), "wrong", "on its head"),
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


@pytest.mark.parametrize(
    "answer, state, message",
    [
        (..., "unanswered", "Replace"),
        (3, "right", "0.40"),
        (2, "wrong", "one later"),
        ("3", "wrong", "one whole number"),
        (6, "wrong", "number of eigenvalues shown"),
        (5, "wrong", "largest step"),
    ],
)
def test_clusters_by_eigengap(answer, state, message):
    verdict = clever_hans.clusters_by_eigengap(answer, [0, 0.05, 0.1, 0.5, 0.55, 0.7])
    assert verdict.state == state and message in verdict.message


@pytest.mark.parametrize(
    "change, state, message",
    [
        (lambda w, b: (..., ...), "unanswered", "Replace"),
        (lambda w, b: (w[0], b[0]), "right", "% of the pictures"),
        (lambda w, b: (w, b[0]), "wrong", "coef_[0]"),
        (lambda w, b: (w[0], b), "wrong", "intercept_[0]"),
        (lambda w, b: (w[0], b[0] + 1), "wrong", "the intercept is not"),
        (lambda w, b: (-w[0], -b[0]), "wrong", "turned round"),
        (lambda w, b: (0 * w[0], b[0]), "wrong", "fitted to `seen`"),
    ],
)
def test_last_layer(change, state, message):
    rng = np.random.default_rng(2)
    seen = rng.uniform(size=(80, 5))
    is_horse = np.int8(seen[:, 0] > seen[:, 1])
    fitted = LogisticRegression(max_iter=5000).fit(seen, is_horse)
    answer = change(fitted.coef_, fitted.intercept_)
    verdict = clever_hans.last_layer(*answer, seen, is_horse)
    assert verdict.state == state and message in verdict.message
