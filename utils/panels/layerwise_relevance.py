"""Lesson 03: a small network as a diagram, ledgers as bars, and a heat map by other rules."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from tensorflow import keras

from utils import lrp, plots, skill
from utils.panels import heat_map

FOR, AGAINST = "#b2182b", "#2166ac"  # as in the heat maps
PASSED = "#c9ced6"
TAKEN = {"bias": plots.ORANGE, "stabiliser": plots.PURPLE, "unassigned": plots.GREEN}
PLACE = {"LRP-0": 3.5}  # of a rule without an alpha, on the axis of alpha
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
        at = x0 + 0.35 * (x1 - x0), y0 + 0.35 * (y1 - y0)  # beside the crossing of two lines
        ax.annotate(f"{weight:g}", at, ha="center", va="center", backgroundcolor="white")
    box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": plots.INK}
    for k, (name, (x, y)) in enumerate(PLACES.items()):
        ax.text(x, y, f"{name} = {values[k]:g}", ha="center", va="center", bbox=box)
        if relevance is not None:  # above the upper units, below the others: no line
            side = 1 if y == 1 else -1
            colour = FOR if relevance[k] > 0 else AGAINST if relevance[k] < 0 else plots.INK
            at = x, y + 0.21 * side
            ax.text(*at, f"R = {relevance[k]:g}", ha="center", va="center", color=colour)
    ax.set(xlim=(-0.3, 2.3), ylim=(-0.3, 1.3))
    ax.axis("off")
    return ax.figure


def rimmed(model, kernel, bias):
    """The horse network for pictures with a rim of one pixel, which its first layer reads.

    Parameters
    ----------
    model : keras.Model
        The horse network, whose first layer pads its input with zeros.
    kernel : array, shape (3, 3, 3, 16)
    bias : array, shape (16,)
        Of the first layer of the new network; all others are those of `model`.

    Returns
    -------
    keras.Model
        For pictures of shape (66, 66, 3).
    """
    first = keras.layers.Conv2D(16, 3, activation="relu")
    network = keras.Sequential([keras.Input((66, 66, 3)), first])
    for layer in model.layers[1:]:
        network.add(type(layer).from_config(layer.get_config()))
    network.set_weights([kernel, bias, *model.get_weights()[2:]])
    return network


def ledger_bars(ax, ledger, title, names=None):
    """Draw a ledger as a waterfall: the output, what each layer takes from it, and what arrives.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    ledger : pandas.DataFrame
        Of one sample, as `lrp.relevance` gives it.
    title : str
    names : list of str, optional
        Of the layers with a rule, the last one first; their names in the network if not given.
    """
    rows = ledger[ledger.rule != ""]
    level = rows.received.iloc[0]
    last = len(rows) + 1
    ax.barh([0, last], [level, rows.passed_on.iloc[-1]], color=PASSED)
    ax.axvline(level, color=plots.INK, lw=0.8, ls=":")
    for y, taken in enumerate(rows[list(TAKEN)].values, 1):
        for k, (value, (name, colour)) in enumerate(zip(taken, TAKEN.items(), strict=True)):
            label = name if y == 1 and rows[name].any() else None
            # One below the other, so that what was given back is seen, too.
            at, height = (y, 0.8) if np.count_nonzero(taken) == 1 else (y - 0.2 + 0.4 * k, 0.4)
            ax.barh(0, 0, color=colour, label=label)  # for the legend, never hatched
            bar = ax.barh(at, -value, height, left=level, color=colour)
            if value < 0:  # given back
                bar[0].set(hatch="////", edgecolor="white", linewidth=0)
            level -= value
        ax.plot([level, level], [y, y + 1], color=plots.GREY, lw=0.8)
    ax.set_yticks(range(last + 1), ["output", *(names or rows.index), "input"])
    ax.text(0.2, last, f"{rows.passed_on.iloc[-1]:.1f}", va="center")
    ax.set(title=title, xlabel="relevance", xlim=(0, 1.12 * rows.received.iloc[0]))


def by_alpha(measured, control, by_lot, guess):
    """Draw what was measured of many pictures against alpha, with 95 % intervals of the mean.

    Parameters
    ----------
    measured : dict of str to dict
        By title, for each alpha and for "LRP-0" the values, shape (picture,); those of the last
        title are 0 or 100.
    control : dict
        For each rule, what the last title's values are for squares that are as much blurred.
    by_lot : float
        What they are on average for any square, as one drawn by lot would be.
    guess : dict of str to float or None
        By title, for alpha = 2.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = plt.subplots(1, len(measured), figsize=(4.8 * len(measured), 3.6))
    for ax, (title, by) in zip(axes, measured.items(), strict=True):
        _with_intervals(ax, by, plots.INK, 0)
        if ax is axes[-1]:
            _with_intervals(ax, control, plots.GREY, 0.08)
            ax.axhline(by_lot, color=plots.GREY, ls=":", lw=1)
            for rule, values in by.items():
                mean, (low, high) = skill.bootstrap(np.mean, values)
                at, side = (high, 4) if mean > by_lot else (low, -13)  # away from the control
                at = PLACE.get(rule, rule), at
                ax.annotate(f"{mean:.0f}", at, (0, side), textcoords="offset points", ha="center")
            ax.set_ylim(0, 105)
        ax.set(xlabel="alpha", title=title, xlim=(0.8, 3.8))
        ax.set_xticks([1, 1.5, 2, 2.5, 3, PLACE["LRP-0"]], ["1", "1.5", "2", "2.5", "3", "LRP-0"])
        plots.guess_marks(ax, {title: guess.get(title)}, {title: 2}, axis="y")
    return fig


def _with_intervals(ax, by, colour, aside):
    """Points and intervals by alpha, joined, and LRP-0 at the right end."""
    places = np.array([PLACE.get(rule, rule) for rule in by]) + aside
    found = [skill.bootstrap(np.mean, values) for values in by.values()]
    errors = np.abs([np.subtract(ends, value) for value, ends in found]).T
    means = np.array([value for value, _ in found])
    marks = "o" if aside == 0 else "s"
    face = colour if aside == 0 else "white"
    ax.errorbar(places, means, errors, fmt=marks, color=colour, mfc=face, lw=1.5)
    alphas = [rule not in PLACE for rule in by]
    ax.plot(places[alphas], means[alphas], color=colour, lw=1, zorder=1)


def in_squares(values):
    """Sums over the squares of 8 x 8 pixels, shape (picture, square), of maps of 64 x 64 pixels."""
    return values.reshape(-1, 8, 8, 8, 8).sum((2, 4)).reshape(-1, 64)


def blur_squares(model, pictures, inside):
    """Blur one square of 8 x 8 pixels after the other, and see what becomes of the logit.

    Parameters
    ----------
    model : keras.Model
        With one output.
    pictures : array, shape (picture, 64, 64, 3)
    inside : array of bool, shape (picture, 64, 64)
        False on the bars. Squares that are not wholly inside are left out.

    Returns
    -------
    array, shape (picture, square)
        The change of the logit; NaN where a square is left out.
    array, shape (picture, square)
        The sum of the sizes of all changes of the pixels; NaN as well.
    """
    blurred = gaussian_filter(pictures, (0, 3, 3, 0))
    before = model.predict(pictures, verbose=0)[:, 0]
    rise = np.empty((len(pictures), 64))
    for k in range(64):
        square = np.s_[:, k // 8 * 8 : k // 8 * 8 + 8, k % 8 * 8 : k % 8 * 8 + 8]
        changed = pictures.copy()
        changed[square] = blurred[square]
        rise[:, k] = model.predict(changed, verbose=0)[:, 0] - before
    outside = in_squares(inside) < 64
    strength = in_squares(abs(blurred - pictures).sum(-1))
    return np.where(outside, np.nan, rise), np.where(outside, np.nan, strength)


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
