"""Lesson 03: a small network as a diagram, ledgers as bars, and a heat map by other rules."""

import matplotlib.pyplot as plt
import numpy as np

from utils import lrp, plots, skill
from utils.panels import heat_map

PLACES = {"a1": (0, 1), "a2": (0, 0), "h1": (1, 1), "h2": (1, 0), "y": (2, 0.5)}


def diagram(W, v, values, relevance=None, ax=None):
    """Draw a network of two inputs, two hidden units and one output.

    Parameters
    ----------
    W : array, shape (2, 2)
        Weights from input i to hidden unit j.
    v : array, shape (2,)
        Weights from the hidden units to the output.
    values : sequence of 5 numbers
        Of a1, a2, h1, h2 and y, drawn in boxes.
    relevance : sequence of 5 numbers, optional
        Drawn below the boxes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.figure.Figure
    """
    lines = {f"a{i + 1} h{j + 1}": W[i, j] for i in (0, 1) for j in (0, 1)}
    lines |= {"h1 y": v[0], "h2 y": v[1]}
    if ax is None:
        ax = plt.subplots(figsize=(7, 3.2))[1]
    for line, weight in lines.items():
        (x0, y0), (x1, y1) = (PLACES[name] for name in line.split())
        ax.plot([x0, x1], [y0, y1], color=plots.GREY, lw=1, zorder=0)
        at = x0 + 0.3 * (x1 - x0), y0 + 0.3 * (y1 - y0)
        ax.annotate(f"{weight:g}", at, ha="center", va="center", backgroundcolor="white")
    box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": plots.INK}
    for k, (name, (x, y)) in enumerate(PLACES.items()):
        ax.text(x, y, f"{name} = {values[k]:g}", ha="center", va="center", bbox=box)
        if relevance is not None:
            over = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # lines pass here
            at = x, y - 0.24
            ax.text(*at, f"R = {relevance[k]:g}", ha="center", color=plots.BLUE, bbox=over)
    ax.set(xlim=(-0.3, 2.3), ylim=(-0.35, 1.2))
    ax.axis("off")
    return ax.figure


def ledger_bars(ax, ledger, title):
    """Draw a ledger: a bar for each layer with weights, what is left and what took the rest.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    ledger : pandas.DataFrame
        Of one sample, as `lrp.relevance` gives it.
    title : str
    """
    rows = ledger[ledger.rule != ""]
    end = rows.passed_on
    ax.barh(rows.index, end, color="#c9ced6", label="passed on")
    for entry, colour in {"bias": plots.ORANGE, "stabiliser": plots.BLUE}.items():
        taken = rows[entry].cumsum()
        ax.barh(rows.index, taken, left=end, height=0.5, color=colour, label=entry)
        end = end + taken
    logit = rows.received.iloc[0]
    ax.axvline(logit, color=plots.INK, lw=1)
    ax.set(title=title, xlabel="relevance", xlim=(0, 1.12 * logit))


def by_alpha(measured, chance, guess):
    """Draw what was measured of many pictures against alpha, with 95 % intervals of the mean.

    Parameters
    ----------
    measured : dict of str to dict
        By title, for each alpha and for "z" the values, shape (picture,); those of the last title
        are 0 or 100.
    chance : float
        What the last title's values are on average for no reason.
    guess : dict of str to float or None
        By title, for alpha = 2.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = plt.subplots(1, len(measured), figsize=(11, 3.2))
    for ax, (title, by) in zip(axes, measured.items(), strict=True):
        alphas = [alpha for alpha in by if alpha != "z"]
        if ax is axes[-1]:
            ax.axhline(chance, color=plots.INK, ls=":", lw=1)
            ax.text(1, chance, f"any square, {chance:.0f}", va="bottom")
            ax.set_ylim(0, 105)
            for alpha in alphas:
                mean = np.mean(by[alpha])
                ax.annotate(f"{mean:.0f}", (alpha, mean), (6, 0), textcoords="offset points")
        else:
            ax.plot(alphas, [by[alpha] for alpha in alphas], color="#d5d9df", lw=0.8)
        found = [skill.bootstrap(np.mean, by[alpha]) for alpha in alphas]
        errors = np.abs([np.subtract(ends, value) for value, ends in found]).T
        ax.errorbar(alphas, [value for value, _ in found], errors, fmt="o-", color=plots.INK)
        level = np.mean(by["z"])
        ax.axhline(level, color=plots.ORANGE, ls="--")
        ax.text(1.05, level, "z rule", color=plots.ORANGE, va="bottom")
        ax.set(xlabel="alpha", title=title, xlim=(0.9, 3.1))
        plots.guess_marks(ax, {title: guess[title]}, {title: 2}, axis="y")
    return fig


def prepare(model, pictures):
    """Prepare the panel's picture: a picture, its heat map, and the sums of red and blue.

    Parameters
    ----------
    model : keras.Model
        Convolutions and dense layers.
    pictures : array, shape (sample, y, x, 3)

    Returns
    -------
    function
        ``draw(number, alpha, epsilon)`` returns the figure of picture `number`, with the epsilon
        rule for dense layers and the alpha-beta rule for convolutions.
    """

    def look(number, alpha, epsilon):
        rules = {"Conv2D": lrp.alpha_beta(alpha), "Dense": lrp.epsilon(epsilon)}
        logit, relevance = heat_map.by_lrp(model, pictures[[number]], rules)
        for_it, against = relevance.clip(min=0).sum(), relevance.clip(max=0).sum()
        sums = f"red {for_it:+.1f}, blue {against:+.1f}"
        return pictures[number], relevance, f"logit {logit:.1f}", sums

    return heat_map.prepare(look)
