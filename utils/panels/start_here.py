"""Lesson 00: a picture to click on, before its heat map is seen, and pictures painted over."""

import cv2
import matplotlib.pyplot as plt
import numpy as np

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


def paint_over(picture, heat_map, horse, inside, n=100, draws=20):
    """Paint over the hottest pixels of a picture, and over patches of as many of its horse.

    A patch is a random pixel of the horse and those of it that are nearest. The hottest pixels lie
    together as well, while single pixels here and there would give the horse a new texture.

    Parameters
    ----------
    picture : array_like, shape (y, x, 3)
    heat_map : array_like, shape (y, x)
    horse, inside : array_like of bool, shape (y, x)
        The horse, and what lies inside the grey bars. What is inside and not the horse gives the
        mean colour of the background, with which we paint.
    n : int
        Pixels to paint; if the horse has fewer, all of it.
    draws : int
        How often to draw a patch.

    Returns
    -------
    dict of str to numpy.ndarray, shape (picture, y, x, 3)
        One picture without its hottest pixels, and `draws` pictures without a patch.
    """
    background = picture[inside & ~horse].mean(0)

    def paint(pixels):
        image = np.array(picture)
        image.reshape(-1, 3)[pixels] = background
        return image

    rng, of_horse = np.random.default_rng(0), np.flatnonzero(horse)
    places = np.argwhere(horse)
    centres = places[rng.integers(len(places), size=draws)]
    far = ((places[None] - centres[:, None]) ** 2).sum(-1)  # (draw, pixel of the horse)
    patches = of_horse[np.argsort(far, axis=1, kind="stable")[:, :n]]
    return {
        f"{n} hottest": paint(np.argsort(heat_map, axis=None)[-n:])[None],
        f"patch of {n}": np.stack([paint(patch) for patch in patches]),
    }


def with_little_else(data):
    """Which pictures of the horse world show a horse without a tag or hurdles, shape (sample,)."""
    return (data.horse == 1).values & ~(data.truth_has_tag | data.truth_has_hurdle).values


def one_pixel_more(masks):
    """Widen masks, shape (sample, y, x), by one pixel in each direction."""
    square = np.ones((3, 3), np.uint8)
    return np.stack([cv2.dilate(np.uint8(mask), square) > 0 for mask in masks])
