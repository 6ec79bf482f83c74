"""What all worlds of scenes have in common."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.worlds import clever_hans, convection, goes_mrms

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
