"""Lesson 02: how strongly channels respond to a tag and to its rivals."""

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
    for value, name in zip(known, (" tag", " nothing"), strict=True):
        axes[1].axvline(value, color=plots.INK, lw=1, ls=":")
        axes[1].text(value, 0.42, name, fontsize=9)
    axes[1].set(xlim=(0, 4), ylim=(-0.4, 0.5), yticks=[], title="z")
    axes[1].set_xlabel(f"channel {channel}")
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
        axes[1].set_title(f"excitation {value:.1f}")
        return figure

    return draw


def falls(excited, picture, size=8, step=4, grey=True):
    """How much the excitation falls where a picture is covered.

    Parameters
    ----------
    excited : function
        From pictures, shape (sample, y, x, channel), to the excitation by each.
    picture : array, shape (y, x, channel)
    size, step : int
        Of the squares that cover it, and from one to the next, in pixels.
    grey : bool
        Whether they are grey. If not, each has the mean colour of what it covers.

    Returns
    -------
    array, shape (y, x)
        For each pixel the mean fall by the squares that covered it.
    """
    rows, columns = picture.shape[:2]
    corners = [
        (y, x) for y in range(0, rows - size + 1, step) for x in range(0, columns - size + 1, step)
    ]
    squares = np.zeros((len(corners), rows, columns), bool)
    for square, (y, x) in zip(squares, corners, strict=True):
        square[y : y + size, x : x + size] = True
    own = np.array([picture[square].mean(0) for square in squares])[:, None, None]
    hidden = np.where(squares[..., None], 0.5 if grey else own, picture)
    fall = excited(picture[None])[0] - excited(np.float32(hidden))
    return (fall[:, None, None] * squares).sum(0) / squares.sum(0)


def counting(picture, part):
    """A made-up detector of one part: how many of its pixels are as in the picture, none covered.

    Parameters
    ----------
    picture : array, shape (y, x, channel)
    part : array of bool, shape (y, x)

    Returns
    -------
    function
        From pictures, shape (sample, y, x, channel), to that number for each: `excited` of `falls`.
    """
    return lambda some: 1.0 * ((some == picture).all(-1) & part).sum((1, 2))


def covered(pictures, excitations, maps, outlines, shares):
    """Draw pictures and their maps of `falls`, each with its share on the tag in per cent.

    Parameters
    ----------
    pictures : array, shape (sample, y, x, 3)
    excitations, shares : array, shape (sample,)
    maps : array, shape (sample, y, x)
    outlines : list of dict of str to array of bool, shape (y, x)

    Returns
    -------
    matplotlib.figure.Figure
    """
    limit = plots.colour_limit(maps[: len(pictures)])
    fig, axes = plt.subplots(2, len(pictures), figsize=(9, 4.9))
    for n, (upper, lower) in enumerate(axes.T):
        plots.picture(upper, pictures[n], f"excitation {excitations[n]:.1f}")
        title = f"on the tag: {shares[n]:.0f} %"
        drawn = plots.heat_map(lower, maps[n], title, outlines[n], limit, signed=False)
    fig.colorbar(drawn, ax=axes[1], label="fall of the excitation", shrink=0.9)
    return fig


def selective(examples, wins, detectors, channel, guess):
    """Draw a scene with a tag and with its rivals, and how often the tag wins, by channel.

    Parameters
    ----------
    examples : dict of str to (array, float)
        By name, a picture, shape (y, x, 3), and its excitation of `channel`.
    wins : dict of str to array, shape (channel,)
        By rival, the share of pairs in which the tag has more.
    detectors : array of bool, shape (channel,)
        The channels to count.
    channel : int
        The one to circle.
    guess : dict of str to float or None
        By rival, how many of the detectors win 90 %.

    Returns
    -------
    matplotlib.figure.Figure
    """
    layout = [list(examples), ["dots"] * len(examples)]
    fig, axes = plt.subplot_mosaic(layout, figsize=(10, 5.4), height_ratios=[1, 1.2])
    for name, (picture, value) in examples.items():
        plots.picture(axes[name], picture, f"{name}: {value:.1f}")
    ax, spread = axes["dots"], np.random.default_rng(0).uniform(-0.2, 0.2, len(detectors))
    for row, (name, won) in enumerate(wins.items()):
        for some, colour in ((~detectors, plots.GREY), (detectors, plots.BLUE)):
            ax.scatter(100 * won[some], row + spread[some], s=14, color=colour)
        here = 100 * won[channel], row + spread[channel]
        ax.plot(*here, "o", ms=10, mfc="none", mec=plots.RED)
        text = f"{(won[detectors] >= 0.9).sum()} of {detectors.sum()} still win 90 %"
        text += plots.guess_text(guess, name)
        ax.text(102, row, text, va="center", fontsize=9)
    ax.axvline(50, color=plots.INK, lw=1, ls=":")
    ax.set(xlim=(0, 101), xlabel="pairs in which the picture with the tag has more (%)")
    ax.set_yticks(range(len(wins)), [f"tag against {name}" for name in wins])
    ax.invert_yaxis()
    return fig


def switched_off(panes, counts, guess):
    """Draw rates against the number of channels switched off, a pane for each thing counted.

    Parameters
    ----------
    panes : dict of str to dict of str to array_like, shape (draw, count)
        By title and by order of the channels, in per cent; the range of the draws becomes a band.
    counts : list of int, shape (count,)
        Channels off.
    guess : dict of str to float or None
        By order, how many must be off before the rate of the first pane is 50 %.

    Returns
    -------
    matplotlib.figure.Figure
    """
    orders = next(iter(panes.values()))
    colours = dict(zip(orders, (plots.BLUE, plots.ORANGE, plots.GREEN), strict=True))
    size = 5 * len(panes), 3.6
    fig, axes = plt.subplots(1, len(panes), figsize=size, sharex=True, sharey=True)
    for ax, (title, rates) in zip(axes, panes.items(), strict=True):
        for name, lines in rates.items():
            ax.plot(counts, np.mean(lines, 0), "o-", label=name, lw=1.5, ms=4, color=colours[name])
            ends = np.min(lines, 0), np.max(lines, 0)
            ax.fill_between(counts, *ends, color=colours[name], alpha=0.25)
        ax.axhline(50, color=plots.INK, lw=1, ls=":")
        ax.set(title=title, xlabel="channels off", ylim=(-2, 102))
    axes[0].set_ylabel("per cent of the pictures")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    plots.guess_marks(axes[0], guess, dict.fromkeys(orders, 50), colours=colours)
    return fig
