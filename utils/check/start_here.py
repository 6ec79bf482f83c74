"""Checks of lesson 00."""

import numpy as np

from utils.check import exercise, right, wrong


@exercise
def hottest(answer, heat_map, horse, n=100):
    """A mask of the `n` largest values of `heat_map`; both, and the mask `horse`, shape (y, x)."""
    answer, heat_map = np.asarray(answer), np.asarray(heat_map)
    order = np.argsort(heat_map, axis=None)
    if answer.shape != heat_map.shape:
        return wrong(
            f"The result has the shape {answer.shape}; one True or False for each pixel has the "
            f"shape {heat_map.shape}. `np.sort(heat_map, axis=None)` sorts all pixels at once."
        )
    if answer.dtype != bool:
        return wrong(f"Give True or False for each pixel, not {answer.dtype}: compare, as in >.")

    def is_(pixels):
        return set(np.flatnonzero(answer)) == set(pixels)

    if is_(order[-n:]):
        on_horse = (answer & np.asarray(horse, bool)).sum()
        return right(f"{n} pixels, and {on_horse} of them lie on the horse.")
    if is_(order[:n]):
        return wrong("Those are the smallest values: what speaks most strongly *against* a horse.")
    if is_(np.argsort(abs(heat_map), axis=None)[-n:]):
        return wrong("With `abs`, strong blue counts as hot: take the largest values themselves.")
    if answer.sum() != n:
        return wrong(f"{answer.sum()} pixels are True, and it should be {n}.")
    return wrong("Some pixels that are False have more relevance than some that are True.")
