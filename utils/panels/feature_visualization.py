"""Lesson 02: strokes of a learner's own, and how strongly a channel responds to them."""

import matplotlib.pyplot as plt
import numpy as np

from utils import features, plots
from utils.panels.panel import keep_layout

COLUMNS = 27  # of the tag, which the strokes replace


def prepare(model, layer, channel, tagged, plain):
    """Prepare the panel's picture: strokes in the place of a tag.

    Parameters
    ----------
    model : keras.Model
        The horse network.
    layer : str
    channel : int
        Whose excitation is shown.
    tagged : xarray.Dataset
        One scene with a tag, as `worlds.clever_hans.render` draws it.
    plain : array, shape (y, x, 3)
        The same scene without it.

    Returns
    -------
    function
        ``draw(width, gap, height)`` returns the figure with strokes of these sizes, in pixels.
    """
    mask, picture = tagged.truth_tag.values, tagged.picture.values
    (row, column), colour = np.argwhere(mask)[0], np.quantile(picture[mask], 0.8, axis=0)
    known = features.excitation(model, np.stack([picture, plain]), layer, channel)
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.1), width_ratios=[1, 1.2])
    shown = plots.picture(axes[0], plain, "z")
    (bar,) = axes[1].barh([0], [0], height=0.3, color=plots.BLUE)
    for value, name in zip(known, ("with the tag", "with nothing"), strict=True):
        axes[1].axvline(value, color=plots.INK, lw=1, ls=":")
        axes[1].text(value, 0.42, name, ha="center", fontsize=9)
    axes[1].set(xlim=(0, 5), ylim=(-0.4, 0.5), yticks=[], title="z")
    axes[1].set_xlabel(f"excitation of channel {channel}")
    keep_layout(figure)

    def draw(width, gap, height):
        changed = plain.copy()
        lit = column + np.flatnonzero(np.arange(COLUMNS) % (width + gap) < width)
        changed[row : row + height, lit] = colour
        value = features.excitation(model, changed[None], layer, channel)[0]
        logit = features.excitation(model, changed[None])[0]
        shown.set_data(changed)
        shown.axes.set_title(f"z = {logit:.1f}: {'horse' if logit > 0 else 'no horse'}")
        bar.set_width(value)
        axes[1].set_title(f"{value:.1f}")
        return figure

    return draw
