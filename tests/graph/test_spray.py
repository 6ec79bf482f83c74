"""SpRAy finds groups that were put there."""

import numpy as np
import pytest
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import SpectralClustering
from sklearn.metrics import adjusted_rand_score

from utils.explain import spray

PLACES = [(2, 2), (2, 20), (20, 2)]


@pytest.fixture(scope="module")
def groups():
    """Heat maps with a noisy spot in one of three corners, some of them in a narrow picture."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 30)
    maps = rng.uniform(0, 0.05, (90, 32, 32))
    for one, group in zip(maps, truth, strict=True):
        row, col = PLACES[group] + rng.integers(0, 3, 2)
        one[row : row + 6, col : col + 6] += 1
    return maps, truth


def test_downsize_sums_to_one_and_keeps_the_place(groups):
    small = spray.downsize(groups[0], size=8).reshape(-1, 8, 8)
    np.testing.assert_allclose(small.sum((1, 2)), 1, rtol=1e-5)
    assert small[0, :3, :3].sum() > 0.4


def test_downsize_cuts_the_bars_away():
    maps = np.zeros((1, 16, 16))
    maps[0, 0, 4] = 1  # the upper left corner of the picture proper
    inside = np.zeros((1, 16, 16), bool)
    inside[0, :, 4:12] = True
    small = spray.downsize(maps, inside, size=8).reshape(8, 8)
    assert small[0, 0] == pytest.approx(1)


def test_channels_are_added_before_the_sign_is_looked_at():
    maps = np.zeros((1, 8, 8, 2))
    maps[0, 0, 0] = [2, -3]
    maps[0, 7, 7] = [2, -1]
    small = spray.downsize(maps, size=8).reshape(8, 8)
    assert small[7, 7] == pytest.approx(1) and small[0, 0] == 0


def test_three_groups_are_found(groups):
    maps, truth = groups
    graph = spray.affinity(spray.downsize(maps), neighbours=20)
    values = np.linalg.eigvalsh(laplacian(graph, normed=True))
    assert values[0] == pytest.approx(0, abs=1e-9) and values[1] < 1e-3 < values[3]
    assert np.argmax(np.diff(values)) == 2  # the gap follows the third eigenvalue
    found = SpectralClustering(3, affinity="precomputed", random_state=0).fit_predict(graph)
    assert adjusted_rand_score(truth, found) == 1


@pytest.mark.parametrize("size", [1e38, 1e-40])
def test_shares_of_very_large_and_small_maps_add_up_to_one(size):
    maps = np.random.default_rng(0).uniform(0.5, 1, (2, 5, 5))
    small = spray.downsize((maps * size).astype("float32"), size=4)
    np.testing.assert_allclose(small.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(small, spray.downsize(maps, size=4), rtol=1e-4)


ONES = np.ones((2, 5, 5))


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: spray.downsize([ONES[0], -ONES[0]]), ValueError, "Heat map 1 has no positive"),
        (lambda: spray.downsize(np.full((1, 8, 8), np.nan)), ValueError, "NaN or infinite"),
        (lambda: spray.downsize(ONES[:0]), ValueError, "shape .sample, y, x"),
        (lambda: spray.downsize(ONES[None, None]), ValueError, "shape .sample, y, x"),
        (lambda: spray.downsize(ONES[0]), ValueError, "pass maps.None."),
        (lambda: spray.downsize("maps"), TypeError, "maps must be an array"),
        (lambda: spray.downsize([[1], [1, 2]]), TypeError, "maps must be an array"),
        (lambda: spray.downsize(ONES, ONES < 0), ValueError, "Heat map 0 has no pixel inside"),
        (lambda: spray.downsize(ONES, ONES[:1] > 0), ValueError, "inside must be .*2, 5, 5"),
        (lambda: spray.downsize(ONES, ONES), ValueError, "inside must be True or False"),
        (lambda: spray.downsize(ONES, size=0), ValueError, "size must be a whole number"),
        (lambda: spray.downsize(ONES, size=2.0), ValueError, "size must be a whole number"),
        (lambda: spray.downsize(ONES, size=10**6), ValueError, "size must be 1024 at most"),
        (lambda: spray.affinity(ONES[0], 5), ValueError, "fewer than maps"),
        (lambda: spray.affinity(ONES[0], 2.0), ValueError, "neighbours must be a whole"),
        (lambda: spray.affinity(-ONES[0], 2), ValueError, "what downsize gives"),
        (lambda: spray.affinity(ONES, 2), ValueError, "what downsize gives"),
    ],
)
def test_what_are_no_maps_is_refused(wrong, error, words):
    with pytest.raises(error, match=words) as caught:
        wrong()
    assert "\n" not in str(caught.value)
