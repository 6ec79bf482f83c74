"""Lesson 08: a map, its predicted year, and its heat map."""

import numpy as np

from utils import lrp, plots
from utils.panels.panel import keep_layout
from utils.plots import maps
from utils.worlds import climate
from utils.worlds.climate import fuzzy_years


def prepare(runs):
    """Prepare the panel's picture: a map, its predicted year, its heat map.

    Parameters
    ----------
    runs : dict of str to dict
        By name: ``network``; ``maps`` (year, lat, lon) as changes; ``x``, the same standardised;
        ``years``; ``units``.

    Returns
    -------
    function
        ``draw(run, year)`` returns the figure of that run's map of the year, or of its last.
    """
    figure, axes = maps.globes(1, 2, (10, 3.1))
    flat = np.zeros((len(climate.LAT), len(climate.LON)))
    left = maps.draw(axes[0, 0], flat, "z", limit=1)
    right = maps.draw(axes[0, 1], flat, "z", limit=1, low=0, cmap="magma")
    colours = maps.bar(figure, left, axes[0, 0], "z")
    maps.bar(figure, right, axes[0, 1], "relevance per area")
    area = climate.weights()
    keep_layout(figure)

    def draw(run, year):
        one = runs[run]
        i = int(np.argmin(abs(one["years"] - year)))
        result = lrp.relevance(one["network"], one["x"][[i]], "alpha_1_beta_0", layers=False)
        says = fuzzy_years.year(one["network"].predict(one["x"][[i]], verbose=0))[0]
        limit = plots.colour_limit(one["maps"])
        left.set_array(one["maps"][i])
        left.set_clim(-limit, limit)
        colours.set_label(f"change since 1920-49 ({one['units']})")
        axes[0, 0].set_title(f"{run}, {one['years'][i]}")
        # Where the chosen logit is negative, so is its mean relevance: the sign cancels.
        share = result.input[0] / result.input[0].mean() / area
        right.set_array(share)
        right.set_clim(0, plots.colour_limit(share))
        axes[0, 1].set_title(f"the network says {says:.0f}")
        return figure

    return draw
