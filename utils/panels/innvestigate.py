"""Lesson 04: heat maps under letters, methods scored side by side, and the panel."""

import matplotlib.pyplot as plt
import numpy as np

from utils import plots
from utils.panels import heat_map

CONTROLS = "LRP flat", "the picture itself"
PALE = "#e9ecf0"
COLOURS = {
    "tag decides": plots.PURPLE,
    "tag hardly matters": plots.GREY,
    "trained": plots.PURPLE,
    "shuffled": plots.BLUE,
    "agreement": plots.INK,
    "density": plots.INK,
}


def chosen(guess, letters):
    """The method behind the letter that a learner chose.

    Parameters
    ----------
    guess : dict of str to str or None
        One entry: a letter, or None for no choice.
    letters : dict of str to str
        Method by letter.

    Returns
    -------
    str or None

    Raises
    ------
    ValueError
        If what was chosen is none of the letters.
    """
    (letter,) = guess.values()
    if letter is None:
        return None
    if not isinstance(letter, str) or letter.strip().upper() not in letters:
        known = f"{min(letters)} to {max(letters)}"
        raise ValueError(f"Choose one of the maps by its letter, {known}, in quotation marks.")
    return letters[letter.strip().upper()]


def lettered(picture, title, maps):
    """A picture and its heat maps under letters.

    Parameters
    ----------
    picture : array, shape (y, x, 3)
    title : str
        Above the picture: what the maps explain.
    maps : dict of str to array, shape (y, x)
        By letter, fourteen at most.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = plt.subplots(3, 5, figsize=(10, 6.7))
    plots.picture(axes.flat[0], picture, title)
    for ax, (letter, values) in zip(axes.flat[1:], maps.items(), strict=False):
        drawn = plots.heat_map(ax, values, letter)
        ax.set_title(letter, fontsize=12, fontweight="bold", loc="left")
    for ax in axes.flat[len(maps) + 1 :]:
        ax.axis("off")
    words = "value, scaled to each map"
    plots.heat_map_bar(fig, drawn, axes, words, words=("negative", "positive"))
    return fig


def scored(axes, columns, names, choice=None):
    """Draw scores with their intervals: a row for each method, a column for each question.

    Parameters
    ----------
    axes : sequence of matplotlib.axes.Axes
        One for each column.
    columns : list of dict of str to dict of str to (float, (float, float))
        For each column the scores by label, one of `COLOURS`, then by method, as `skill.bootstrap`
        gives them.
    names : dict of str to str
        What stands at the left of a row, by method; the first one is at the top.
    choice : str, optional
        The method whose row is marked as the learner's.
    """
    for ax, column in zip(axes, columns, strict=True):
        for row, kind in enumerate(names):
            found = [scores[kind][0] for scores in column.values() if kind in scores]
            if len(found) > 1:
                ax.plot([min(found), max(found)], [row, row], color="#d5d9df", lw=3, zorder=1)
        for label, scores in column.items():
            rows = [row for row, kind in enumerate(names) if kind in scores]
            value, ends = zip(*(scores[kind] for kind in names if kind in scores), strict=True)
            error = abs(np.transpose(ends) - np.array(value))
            style = {"fmt": "o", "color": COLOURS[label], "lw": 1.5, "zorder": 2}
            ax.errorbar(value, rows, xerr=error, label=label, **style)
        if choice is not None:
            row = list(names).index(choice)
            ax.axhspan(row - 0.45, row + 0.45, color=PALE, zorder=0)
        ax.set(yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5))
        ax.set_yticklabels(names.values(), parse_math=False)
        # Axes that share their rows with the first have no labels.
        for label, kind in zip(ax.get_yticklabels(), names, strict=False):
            label.set_color(plots.GREY if kind in CONTROLS else plots.INK)
    if choice is not None:
        at = axes[-1].get_yaxis_transform()
        style = {"fontsize": 8, "ha": "right", "va": "center", "zorder": 3}
        below = list(names).index(choice) + 0.28  # clear of the points
        axes[-1].text(0.995, below, "your choice", transform=at, **style)


def ranked(scores, ends, names, choice=None):
    """Methods ranked by their scores for several causes, with the rank beside each point.

    Parameters
    ----------
    scores : dict of str to dict of str to (float, (float, float))
        By cause, then by method.
    ends : dict of str to (str, float)
        By cause: the words below its axis, and the score of a map that lies within the cause.
    names : dict of str to str
        As in `scored`: the methods that are ranked, and below them what is not.
    choice : str, optional
        The method whose row is marked as the learner's.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = plt.subplots(1, len(scores), figsize=(10, 5), sharey=True, squeeze=False)
    axes = axes[0]
    scored(axes, [{"density": column} for column in scores.values()], names, choice)
    for ax, (cause, column) in zip(axes, scores.items(), strict=True):
        words, most = ends[cause]
        order = ranks(column)
        for row, kind in enumerate(names):
            if kind in order:
                style = {"fontsize": 9, "va": "center"}
                ax.text(column[kind][1][1] + 0.03 * most, row, f"{order[kind]}", **style)
        ax.axvline(1, color=plots.INK, lw=1, ls=":")
        ax.set(xlim=(0, most), title=cause)
        ax.set_xlabel(f"{words}\n(all of it inside: {most:.1f})", fontsize=9)
    return fig


def ranks(column):
    """Rank of each method by its score, 1 for the highest; controls have none.

    Parameters
    ----------
    column : dict of str to (float, (float, float))

    Returns
    -------
    dict of str to int
    """
    order = sorted(set(column) - set(CONTROLS), key=lambda kind: -column[kind][0])
    return {kind: place for place, kind in enumerate(order, 1)}


def clouds(pictures, logits, masks, maps):
    """A sequence before and after a change, what was changed, and heat maps of it.

    Parameters
    ----------
    pictures : dict of str to (array, array), shape (y, x)
        A row for each change, by its name: the first picture before and after it.
    logits : dict of str to (float, float)
        What the network says before and after.
    masks : dict of str to array of bool, shape (y, x)
        What to outline: where the change is more than half of its largest.
    maps : dict of str to dict of str to array, shape (y, x)
        For each change some heat maps of the changed sequence, by method.

    Returns
    -------
    matplotlib.figure.Figure
    """
    kinds = list(next(iter(maps.values())))
    size = 10, 2.3 * len(pictures)
    fig, axes = plt.subplots(len(pictures), 2 + len(kinds), figsize=size, squeeze=False)
    for row, (name, pair) in zip(axes, pictures.items(), strict=True):
        outline = {"cause": masks[name]}
        for ax, picture, z, words in zip(
            row, pair, logits[name], ("as it was", "brightened"), strict=False
        ):
            plots.picture(ax, picture, f"{words}\nz = {z:.1f}")
        plots.frame(row[1], row[1].get_title("left"), outline)
        row[0].set_ylabel(name)
        for ax, kind in zip(row[2:], kinds, strict=True):
            drawn = plots.heat_map(ax, maps[name][kind], f"{kind}\n", outline)
    words = "value, scaled to each map"
    plots.heat_map_bar(fig, drawn, axes, words, words=("negative", "positive"))
    return fig


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

    plain = heat_map.prepare(look, label="value", words=("negative", "positive"))
    return draw
