"""Lesson 01: a scene whose tag and hurdles can be moved, galleries, and rates before and after."""

from dataclasses import replace

import matplotlib.pyplot as plt

from utils import plots
from utils.panels import heat_map
from utils.worlds import clever_hans as world


def prepare(model, scenes):
    """Prepare the panel's picture: a scene, its heat map and its logit.

    Parameters
    ----------
    model : keras.Model
    scenes : list of utils.worlds.clever_hans.Scene

    Returns
    -------
    function
        ``draw(number, tag, row, column, hurdles, shift)`` returns the figure of scene `number`,
        with or without a tag at (row, column) and hurdles shifted by so many pixels.
    """

    def look(number, tag, row, column, hurdles, shift):
        tagged = replace(scenes[number], tag=tag, tag_position=(row, column))
        scene = replace(tagged, hurdles=hurdles, hurdle_shift=shift)
        return heat_map.horse(model, world.render([scene]).picture.values)

    return heat_map.prepare(look)


def gallery(pictures, heat_maps, masks=None, explained=None):
    """Pictures in the first row, and below each its heat maps.

    Parameters
    ----------
    pictures : array_like, shape (sample, y, x, 3)
    heat_maps : dict of str to array_like, shape (sample, y, x) or (sample, y, x, channel)
        A row for each, under its name.
    masks : dict of str to array_like of bool, shape (sample, y, x), optional
        What to outline in the heat maps.
    explained : dict of str to array_like, shape (sample,), optional
        For each row the logits that its maps explain, to be written above them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not heat_maps:
        raise ValueError("gallery needs at least one row of heat maps, by name.")
    rows, columns = 1 + len(heat_maps), len(pictures)
    size = 2.2 * columns + 0.8, 2.5 * rows - 0.3
    fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for i, column in enumerate(axes.T):
        plots.picture(column[0], pictures[i])
        outlines = {name: mask[i] for name, mask in (masks or {}).items()}
        for ax, (name, maps) in zip(column[1:], heat_maps.items(), strict=True):
            z = explained[name][i] if explained else None
            drawn = plots.heat_map(ax, maps[i], masks=outlines, explained=z)
    for ax, name in zip(axes[:, 0], ["picture", *heat_maps], strict=True):
        ax.set_ylabel(name, parse_math=False)
    plots.heat_map_bar(fig, drawn, axes[1:])
    return fig


def before_after(rates):
    """Rates before and after a change, with their intervals.

    Parameters
    ----------
    rates : dict of str to pair
        For each change the rate before and after, as `skill.rate` gives them, in per cent.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = plt.subplots(figsize=(7, 1 + 0.5 * len(rates)))
    for row, pair in enumerate(rates.values()):
        ax.plot([value for value, _ in pair], [row - 0.13, row + 0.13], color="#d5d9df", lw=3)
        for (value, (low, high)), colour, shift, label in zip(
            pair, (plots.GREY, plots.INK), (-0.13, 0.13), ("before", "after"), strict=True
        ):
            error = [[value - low], [high - value]]
            ax.errorbar(value, row + shift, xerr=error, fmt="o", color=colour, label=label)
    ax.set_yticks(range(len(rates)), list(rates), parse_math=False)
    ax.set_xlim(-3, 103)
    ax.set_ylim(len(rates) - 0.5, -0.5)
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[:2], labels[:2], loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return fig
