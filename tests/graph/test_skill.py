"""Scores against values worked out by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr, ttest_rel

from utils import skill


def test_rate_is_wilsons():
    value, (low, high) = skill.rate([True] * 8 + [False] * 2)
    z, n, p = 1.959964, 10, 0.8
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert value == pytest.approx(80)
    assert (low, high) == pytest.approx((100 * (centre - half), 100 * (centre + half)), abs=1e-4)


def test_rate_of_nothing():
    with pytest.raises(ValueError, match="nothing to count"):
        skill.rate([])


def test_bootstrap_interval_of_a_mean():
    sample = np.random.default_rng(1).normal(3, 2, 400)
    value, (low, high) = skill.bootstrap(np.mean, sample)
    assert value == pytest.approx(sample.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * sample.std() / 20, rel=0.1)


def test_bootstrap_keeps_pairs_together():
    a = np.random.default_rng(2).normal(size=50)
    value, interval = skill.bootstrap(lambda x, y: np.mean(x - y), a + 1, a)
    assert value == pytest.approx(1)
    assert interval == pytest.approx((1, 1))


def test_bootstrap_of_different_lengths():
    with pytest.raises(ValueError, match="one length"):
        skill.bootstrap(np.mean, [1, 2], [1])


def test_a_jackknife_of_a_mean_is_the_t_interval():
    a, b = np.random.default_rng(0).normal(3, 1, (2, 12))
    value, interval = skill.jackknife(lambda x, y: np.mean(x - y), a, b)
    expected = ttest_rel(a, b).confidence_interval(0.95)
    assert value == pytest.approx((a - b).mean()) and interval == pytest.approx(tuple(expected))
    for samples in ([[1]], [[1, 2], [1]]):
        with pytest.raises(ValueError, match="at least two cases"):
            skill.jackknife(np.mean, *samples)


def test_share_and_density():
    maps = np.zeros((3, 4, 4, 2))
    maps[0, 0, 0] = [1, 2]  # inside the mask
    maps[0, 3, 3] = [1, 0]  # outside
    maps[0, 2, 2] = [-5, 0]  # negative relevance does not count
    maps[1, :, :] = 1  # evenly spread
    masks = np.zeros((3, 4, 4), bool)
    masks[:, :2, :2] = True
    np.testing.assert_allclose(skill.relevance_share(maps, masks), [0.75, 0.25, np.nan])
    np.testing.assert_allclose(skill.relevance_density(maps, masks), [3, 1, np.nan])


def test_share_of_a_step_counts_sizes_after_channels_are_added():
    maps = np.zeros((3, 4, 2))
    maps[0, 1], maps[0, 3] = [3, -1], [-6, 0]
    maps[1] = 1
    np.testing.assert_allclose(skill.step_share(maps, [1, 0, 2]), [0.25, 0.25, np.nan])
    np.testing.assert_allclose(skill.step_share(maps.sum(-1), [3, 3, 3]), [0.75, 0.25, np.nan])


@pytest.mark.parametrize(
    "maps, steps, why",
    [
        (np.ones((2, 4)), [0], "one step for each map"),
        (np.ones(4), [0, 1, 2, 3], "one step for each map"),
        (np.ones((2, 4)), [0, 4], "from 0 to 3"),
        (np.ones((2, 4)), [0, -1], "from 0 to 3"),
        (np.ones((2, 4)), [0, 0.5], "from 0 to 3"),
        (np.full((2, 4), np.nan), [0, 1], "NaN or infinite"),
    ],
)
def test_shares_of_steps_that_cannot_be(maps, steps, why):
    with pytest.raises(ValueError, match=why):
        skill.step_share(maps, steps)


def test_density_without_a_mask_is_not_a_number():
    density = skill.relevance_density(np.ones((1, 4, 4)), np.zeros((1, 4, 4), bool))
    assert np.isnan(density).all()


def test_share_needs_matching_shapes():
    with pytest.raises(ValueError, match="one mask for each map"):
        skill.relevance_share(np.ones((2, 4, 4)), np.ones((1, 4, 4), bool))


def test_rate_counts_answers_not_numbers():
    with pytest.raises(TypeError, match="compare first"):
        skill.rate([-3.2, 1.5, -0.7])


def test_a_broken_map_is_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        skill.relevance_density(np.full((1, 4, 4), np.nan), np.ones((1, 4, 4), bool))


def test_rank_agreement_is_spearmans_of_the_sizes():
    rng = np.random.default_rng(3)
    maps, others = rng.normal(size=(2, 4, 5, 5, 3)).round(1)  # with ties
    sizes = [abs(some.sum(-1)).reshape(4, -1) for some in (maps, others)]
    expected = [spearmanr(a, b)[0] for a, b in zip(*sizes, strict=True)]
    np.testing.assert_allclose(skill.rank_agreement(maps, others), expected)
    np.testing.assert_allclose(skill.rank_agreement(maps, -2 * maps), 1)
    assert np.isnan(skill.rank_agreement(maps, np.ones_like(maps))).all()


def test_rank_agreement_needs_pairs():
    with pytest.raises(ValueError, match="like with like"):
        skill.rank_agreement(np.ones((2, 4, 4)), np.ones((1, 4, 4)))


SEEN = np.array([[0, 10, 20, 30, 40.0], [0, 0, 0, 50, 50]])
SAYS = np.array([[0, 25, 20, 10, 45.0], [0, 0, 30, 50, 0]])


def test_counts_and_scores_by_hand():
    found = skill.counts(SAYS, SEEN, [20, 45])
    assert found.tolist() == [[[2, 1, 1], [0, 0, 1]], [[1, 1, 1], [1, 1, 0]]]
    result = skill.scores(found)
    np.testing.assert_allclose(result["POD"], [3 / 5, 1 / 2])
    np.testing.assert_allclose(result["FAR"], [2 / 5, 1 / 2])
    np.testing.assert_allclose(result["CSI"], [3 / 7, 1 / 3])
    np.testing.assert_allclose(result["bias"], [1, 1])


def test_scores_of_what_never_happens():
    assert np.isnan(skill.scores(skill.counts(SAYS, SEEN, [60]))["CSI"]).all()


def test_same_frequency_keeps_ranks_and_takes_the_distribution():
    rng = np.random.default_rng(5)
    estimate, observed = rng.normal(size=(3, 20)), rng.gamma(2, 10, (3, 20))
    matched = skill.same_frequency(estimate, observed)
    np.testing.assert_array_equal(np.sort(matched, None), np.sort(observed, None))
    np.testing.assert_array_equal(np.argsort(matched, None), np.argsort(estimate, None))
    bias = skill.scores(skill.counts(matched, observed, [10, 20]))["bias"]
    np.testing.assert_allclose(bias, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: skill.counts(SAYS, SEEN[:1], [20]), "one shape"),
        (lambda: skill.counts(SAYS[0], SEEN[0], [20]), "one shape"),
        (lambda: skill.counts(SAYS * np.nan, SEEN, [20]), "NaN"),
        (lambda: skill.scores(SAYS), "shape"),
        (lambda: skill.same_frequency(SAYS, SEEN[:1]), "one shape"),
    ],
)
def test_bad_forecasts_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
