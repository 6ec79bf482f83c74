"""Lesson 04: a picture and one of its heat maps, by method and network."""

from utils import plots
from utils.panels import heat_map


def prepare(pictures, maps, masks):
    """Prepare the panel's picture: a picture and one of its heat maps.

    Parameters
    ----------
    pictures : array, shape (sample, y, x, 3)
    maps : dict of dict of array, shape (sample, y, x)
        By method, then by network.
    masks : array of bool, shape (sample, y, x)
        What to outline in the heat map: the tag.

    Returns
    -------
    function
        ``draw(kind, state, number)`` returns the figure of picture `number`.
    """
    outline = None

    def look(kind, state, number):
        return pictures[number], maps[kind][state][number], "picture", f"{kind}, {state}"

    def draw(kind, state, number):
        nonlocal outline
        if outline:
            outline.remove()
        figure = plain(kind, state, number)
        colour = plots.PARTS["tag"]
        outline = figure.axes[1].contour(masks[number], [0.5], colors=colour, linewidths=1.3)
        return figure

    plain = heat_map.prepare(look)
    return draw
