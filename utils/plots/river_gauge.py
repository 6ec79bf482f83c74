"""Seasons of the river gauge: the weather day by day, and relevance of the days below it."""

import matplotlib.pyplot as plt
import numpy as np

from utils import plots

SNOW = "#c9ced6"


def seasons(data, strips):
    """Draw seasons side by side: precipitation and temperature, and strips of relevance below.

    Rain is dark and snow is light; the curve is the temperature, dotted at freezing. A triangle
    marks the decisive day, and dashes follow it downwards. Each strip has its own colour scale.

    Parameters
    ----------
    data : xarray.Dataset
        Some seasons, as from `utils.worlds.river_gauge.simulate`.
    strips : dict of str to dict of str to array_like, shape (sample, day)
        By network and method, the relevance of each day.

    Returns
    -------
    matplotlib.figure.Figure
    """
    n, days = data.precipitation.shape
    heights = [4, *(0.55 * len(rows) for rows in strips.values())]
    size = 3.4 * n + 1.2, 0.42 * sum(heights) + 1
    fig, axes = plt.subplots(
        len(heights), n, figsize=size, sharex=True, squeeze=False, height_ratios=heights
    )
    for i, column in enumerate(axes.T):
        season = data.isel(sample=i)
        _weather(column[0], season, first=i == 0, last=i == n - 1)
        for ax, (network, rows) in zip(column[1:], strips.items(), strict=True):
            drawn = _strips(ax, np.array([relevance[i] for relevance in rows.values()]))
            if i == 0:
                ax.set_yticks(range(len(rows)), list(rows), fontsize=8)
                ax.set_title(network, fontsize=10)
        for ax in column[1:]:
            ax.axvline(int(season.truth_day), color=plots.INK, lw=0.8, ls=(0, (4, 3)))
        column[-1].set(xlabel="day", xlim=(-0.6, days - 0.4))
    plots.heat_map_bar(fig, drawn, axes[1:], label="relevance,\nscaled to each strip")
    return fig


def _weather(ax, season, first, last):
    day, rain = np.arange(season.sizes["day"]), season.truth_rain.values
    ax.bar(day, season.precipitation.values, 0.9, color=SNOW, label="snow")
    ax.bar(day, rain, 0.9, color=plots.INK, label="rain")
    decisive = int(season.truth_day)
    ax.plot(decisive, rain[decisive] + 5, "v", color=plots.INK, ms=6, label="decisive day")
    ax.set_title(f"the gauge: {float(season.peak):.2f} m³/s", fontsize=10)
    ax.set(ylim=(0, 100), yticks=[0, 20, 40, 60])
    degrees = ax.twinx()
    degrees.plot(day, season.temperature.values, color=plots.ORANGE, lw=1.2)
    degrees.axhline(0, color=plots.ORANGE, lw=0.8, ls=":")
    degrees.set(ylim=(-80, 20), yticks=[-10, 0, 10])
    degrees.spines["right"].set_visible(last)
    if first:
        ax.set_ylabel("mm/day", y=0.3)
        ax.legend(loc="upper left", fontsize=8)
    if last:
        degrees.set_ylabel("°C", y=0.8, color=plots.ORANGE)
    else:
        degrees.set_yticks([])


def _strips(ax, relevance):
    """A row of colours for each method, each divided by its largest value."""
    largest = abs(relevance).max(1, keepdims=True)
    scaled = np.divide(relevance, largest, out=np.zeros_like(relevance), where=largest > 0)
    ax.set_yticks([])
    ax.spines[:].set(visible=True, color=SNOW)
    ax.hlines(np.arange(len(relevance) - 1) + 0.5, -0.5, relevance.shape[1] - 0.5, color="w", lw=2)
    return ax.imshow(scaled, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
