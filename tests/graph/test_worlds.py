"""What all worlds of scenes have in common."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils import worlds
from utils.worlds import clever_hans, convection, drawing, goes_mrms

WHOLE = st.integers(-3, 40)
ANYTHING = st.one_of(WHOLE, st.floats(), st.text(max_size=3), st.none(), st.booleans())


@pytest.mark.parametrize("world", [clever_hans, convection, goes_mrms])
@settings(max_examples=30, deadline=None)
@given(n=ANYTHING, seed=ANYTHING)
def test_scenes_takes_counting_numbers_and_nothing_else(world, n, seed):
    def counts(value, least):
        return isinstance(value, int) and not isinstance(value, bool) and value >= least

    if counts(n, 1) and counts(seed, 0):
        assert [scene.seed for scene in world.scenes(n, seed)] == list(range(seed, seed + n))
    else:
        with pytest.raises(ValueError, match="must be a whole number"):
            world.scenes(n, seed)


def test_scenes_are_drawn_in_order_on_several_cores():
    (drawn,) = drawing.draw_all(lambda i: (np.array([i, i]),), list(range(60)), n_jobs=2, chunk=7)
    np.testing.assert_array_equal(drawn, np.arange(60)[:, None] * [1, 1])


def test_streams_are_apart_and_keep_their_place():
    stream, longer = (drawing.streams(names) for names in (["a", "b"], ["a", "b", "c"]))
    first = [stream(3, name).random() for name in "ab"]
    assert first == [longer(3, name).random() for name in "ab"]
    assert len({*first, longer(3, "c").random(), stream(4, "a").random()}) == 4


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_noise_has_the_scale_and_the_precision_asked_for(kind):
    white = np.random.default_rng(0).standard_normal((128, 128)).astype(kind)
    fine, coarse, long = (drawing.noise(white, *how) for how in ((1,), (6,), (2, 3.0, 6.0)))
    for field in (fine, coarse, long):
        assert field.dtype == kind
        assert abs(field.mean()) < 1e-5 and abs(field.std() - 1) < 1e-5

    def change(field, axis):
        return np.diff(field, axis=axis).std()

    assert change(coarse, 0) < 0.6 * change(fine, 0)
    assert change(long, 0) < 0.6 * change(long, 1) or change(long, 1) < 0.6 * change(long, 0)


@pytest.fixture
def sample(tmp_path, monkeypatch):
    """A copy of a committed sample that may be spoilt."""
    here = worlds.data_folder()
    for name in ("convection.nc", "checksums.txt"):
        (tmp_path / name).write_bytes((here / name).read_bytes())
    monkeypatch.setattr(worlds, "data_folder", lambda: tmp_path)
    return tmp_path / "convection.nc"


def test_a_whole_sample_is_read(sample):
    assert worlds.open_world("convection").sizes["sample"] == 32


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1000]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"convection", b"Convection")),
        lambda path: path.write_text("no NetCDF"),
        lambda path: np.save(path.open("wb"), np.zeros(3)),
        lambda path: path.with_name("checksums.txt").unlink(),
        lambda path: path.with_name("checksums.txt").write_bytes(b"\xff\xfe"),
    ],
)
def test_a_damaged_sample_is_refused_in_one_sentence(sample, spoil):
    spoil(sample)
    with pytest.raises(ValueError, match="convection.nc or .* is missing or damaged") as caught:
        worlds.open_world("convection")
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
