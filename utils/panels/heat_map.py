"""The picture of several lessons' panels: what a network was given, beside its heat map."""

import matplotlib.pyplot as plt
import numpy as np

from utils import lrp, plots
from utils.panels.panel import keep_layout


def prepare(look, signed=True, label="relevance", words=("against", "for")):
    """Prepare a picture beside a heat map.

    Parameters
    ----------
    look : function
        From the panel's controls to a picture, a heat map, shape (y, x), and the titles of both.
    signed : bool
        Whether something can speak against the output.
    label : str
        Of the colour bar.
    words : (str, str)
        What blue and red mean.

    Returns
    -------
    function
        ``draw``, which takes what `look` takes and returns the figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.2, 3.1))
    empty = np.zeros((64, 64, 3))
    picture = plots.picture(left, empty)
    # A limit with as many digits as there will be, so that there is room for them.
    heat_map = plots.heat_map(right, empty, limit=0.0012, signed=signed)
    bar = plots.heat_map_bar(figure, heat_map, right, label, words)
    for ax in (left, right):
        ax.set_title("z")  # any text keeps room for a title
    keep_layout(figure)

    def draw(*values, **controls):
        image, relevance, above_left, above_right = look(*values, **controls)
        picture.set_data(image)
        heat_map.set_data(relevance)
        limit = plots.colour_limit(relevance)
        heat_map.set_clim(-limit if signed else 0, limit)
        plots.bar_ends(bar, words)
        left.set_title(above_left)
        right.set_title(above_right)
        return figure

    return draw


def by_lrp(model, x, rule):
    """Return the logit of one input, shape (1, y, x, channel), and its heat map, shape (y, x)."""
    result = lrp.relevance(model, x, rule, layers=False)
    return result.ledger.received.iloc[0], result.input[0].sum(-1)


def horse(model, x):
    """Return what `prepare` asks for: a picture, its heat map by preset A, and their titles."""
    logit, relevance = by_lrp(model, x, "preset_a")
    says = f"z = {logit:.1f}: {'horse' if logit > 0 else 'no horse'}"
    return x[0], relevance, says, "red for, blue against"
