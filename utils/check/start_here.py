"""Checks of lesson 00."""

import numpy as np

from utils.check import exercise, right, wrong


@exercise
def hottest(answer, heat_map):
    """Row and column of the most relevant pixel of `heat_map`, shape (y, x)."""
    row, col = np.unravel_index(np.argmax(heat_map), heat_map.shape)
    coldest = np.unravel_index(np.argmin(heat_map), heat_map.shape)
    if np.ndim(answer) == 0:
        return wrong(
            f"{answer} is one number. `argmax` counts through the flattened map: "
            "`np.unravel_index(number, heat_map.shape)` turns that into a row and a column."
        )
    answer = tuple(int(number) for number in answer)
    if answer == (row, col):
        return right(f"Relevance is largest in row {row}, column {col}.")
    if answer == (col, row):
        return wrong("Row and column are swapped: the first index counts downwards.")
    if answer == coldest:
        return wrong("That is the smallest value: what speaks most strongly *against* a horse.")
    if len(answer) != 2:
        return wrong(f"There are {len(answer)} numbers; a pixel has a row and a column.")
    return wrong("Another pixel has more relevance. Did you look at `heat_map`, shape (y, x)?")
