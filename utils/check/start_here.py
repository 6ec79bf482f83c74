"""Checks of lesson 00."""

import matplotlib.pyplot as plt
import numpy as np

from utils import plots
from utils.check import exercise, right, wrong


@exercise
def hottest(answer, heat_map, horse=None, figure=None):
    """Row and column of the most relevant pixel of `heat_map`, shape (y, x).

    With the outline of the horse and the key of a figure, a right answer is marked in the map.
    """
    row, col = np.unravel_index(np.argmax(heat_map), heat_map.shape)
    coldest = np.unravel_index(np.argmin(heat_map), heat_map.shape)
    if np.ndim(answer) == 0:
        return wrong(
            f"{answer} is one number. `argmax` counts through the flattened map: "
            "`np.unravel_index(number, heat_map.shape)` turns that into a row and a column."
        )
    answer = tuple(int(number) for number in answer)
    if answer == (row, col):
        if figure is not None:
            _show(heat_map, row, col, horse, figure)
        return right(f"Relevance is largest in row {row}, column {col}.")
    if answer == (col, row):
        return wrong("Row and column are swapped: the first index counts downwards.")
    if answer == coldest:
        return wrong("That is the smallest value: what speaks most strongly *against* a horse.")
    if len(answer) != 2:
        return wrong(f"There are {len(answer)} numbers; a pixel has a row and a column.")
    return wrong("Another pixel has more relevance. Did you look at `heat_map`, shape (y, x)?")


def _show(heat_map, row, col, horse, figure):
    """Draw the surroundings of a pixel, and a ring around it."""
    fig, ax = plt.subplots(figsize=(3.4, 3.4))
    plots.heat_map(ax, heat_map, f"row {row}, column {col}", {"horse": horse})
    for colour, width in (("white", 5), (plots.INK, 2)):
        ax.plot(col, row, "o", ms=22, mfc="none", mec=colour, mew=width)
    ax.set(xlim=(col - 12.5, col + 12.5), ylim=(row + 12.5, row - 12.5))
    plots.show(fig, figure)
