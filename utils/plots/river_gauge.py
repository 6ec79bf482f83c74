"""Seasons of the river gauge: the weather day by day, and relevance of the days below it."""

import matplotlib.pyplot as plt
import numpy as np

from utils import plots

SNOW = "#c9ced6"
VARIABLES = "precipitation", "temperature"


def seasons(data, estimates, relevance, which):
    """Draw seasons side by side: precipitation and temperature, and strips of relevance below.

    Rain is dark and snow is light; the curve is the temperature, dotted at freezing. A triangle
    marks the decisive day, and dashes follow it downwards. Each strip has its own colour scale.

    Parameters
    ----------
    data : xarray.Dataset
        As from `utils.worlds.river_gauge.simulate`.
    estimates : dict of str to array, shape (sample,)
        By network, the peak that it gives, m3/s.
    relevance : dict of str to dict of str to array, shape (sample, day, variable)
        By network and method, the relevance of each day's precipitation and temperature.
    which : list of int
        The samples to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    blocks = [(name, v) for name in relevance for v in range(len(VARIABLES))]
    heights = [5, *(0.7 * len(relevance[name]) for name, _ in blocks)]
    size = 4.6 * len(which) + 1.8, 0.38 * sum(heights) + 2.4
    fig, axes = plt.subplots(
        len(heights), len(which), figsize=size, sharex=True, squeeze=False, height_ratios=heights
    )
    for i, column in zip(which, axes.T, strict=True):
        season = data.isel(sample=i)
        _weather(column[0], season, first=i == which[0], last=i == which[-1])
        for ax, (network, v) in zip(column[1:], blocks, strict=True):
            rows = relevance[network]
            drawn = _strips(ax, np.array([by_day[i, :, v] for by_day in rows.values()]))
            ax.axvline(int(season.truth_day), color=plots.INK, lw=0.8, ls=(0, (4, 3)))
            title = f"{network}, {estimates[network][i]:.2f} m³/s: {VARIABLES[v]}"
            ax.set_title(title, fontsize=10, fontweight="normal")
            if i == which[0]:
                ax.set_yticks(range(len(rows)), list(rows), fontsize=9)
                ax.tick_params(axis="y", length=0)
        column[-1].set(xlabel="day", xlim=(-0.6, season.sizes["day"] - 0.4))
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    plots.heat_map_bar(fig, drawn, axes[1:], label="relevance, scaled to each strip")
    return fig


def _weather(ax, season, first, last):
    day, rain = np.arange(season.sizes["day"]), season.truth_rain.values
    ax.bar(day, rain, 1, color=plots.INK, label="rain")
    ax.bar(day, season.precipitation.values - rain, 1, color=SNOW, label="snow")
    decisive = int(season.truth_day)
    ax.plot(decisive, rain[decisive] + 5, "v", color=plots.INK, ms=6, label="decisive day")
    ax.set_title(f"the gauge: {float(season.peak):.2f} m³/s", fontsize=10, fontweight="normal")
    ax.set(ylim=(0, 100), yticks=[0, 20, 40, 60])
    degrees = ax.twinx()
    degrees.plot(day, season.temperature.values, color=plots.ORANGE, lw=1.2)
    degrees.axhline(0, color=plots.ORANGE, lw=0.8, ls=":")
    degrees.set(ylim=(-80, 20), yticks=[-10, 0, 10])
    degrees.spines["right"].set_visible(last)
    if first:
        ax.set_ylabel("mm/day", y=0.3)
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
