"""Lesson 00: a picture to click on, before its heat map is seen."""

import matplotlib.pyplot as plt

from utils import plots
from utils.panels.panel import keep_layout


def mark(ax, row, column):
    """Mark a pixel by a hollow white diamond; a row or column of -1 is no pixel.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With an image.
    row, column : int

    Returns
    -------
    list of matplotlib.lines.Line2D
        A black diamond and a white one in it, which shows on any colour.
    """
    place = ([column], [row]) if min(row, column) >= 0 else ([], [])
    looks = (("black", 4), ("white", 2))
    return [ax.plot(*place, "D", mfc="none", mec=c, mew=w, ms=11)[0] for c, w in looks]


def prepare(picture):
    """Prepare the panel's picture, with a diamond where the learner looked.

    Parameters
    ----------
    picture : array_like, shape (y, x, 3)
        Values 0 to 1.

    Returns
    -------
    function
        ``draw(row, column)`` returns the figure; -1 is no pixel.
    """
    figure, ax = plt.subplots(figsize=(4, 4))
    plots.picture(ax, picture)
    keep_layout(figure)

    def draw(row, column):
        for line in list(ax.lines):
            line.remove()
        mark(ax, row, column)
        return figure

    return draw
