"""Lesson 01: a scene whose tag and hurdles can be moved, and its figures."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from utils import plots, skill
from utils.panels import heat_map
from utils.plots import goes
from utils.worlds import clever_hans as world

LEAST_TEXT = 1.2  # errors per 100 pictures: a narrower bar of `errors` has no room for a number
LIMIT = 0.2  # where the colours of `line_gallery` end


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


def groups(horses):
    """Which pictures show each of the lecture's strategies, by what is in them.

    Parameters
    ----------
    horses : xarray.Dataset
        Pictures with a horse, of `utils.worlds.clever_hans`.

    Returns
    -------
    dict of str to array of bool, shape (sample,)
        Horses in the open, near hurdles, and with a tag, as "strategy-1", "strategy-2" and
        "strategy-3".
    """
    tag, hurdles = horses.truth_has_tag.values, horses.truth_has_hurdle.values
    return {"strategy-1": ~tag & ~hurdles, "strategy-2": hurdles, "strategy-3": tag}


def redraw(data, scenes, changed):
    """Draw pictures again whose scene has changed.

    Parameters
    ----------
    data : xarray.Dataset
        The pictures of `scenes`, as `utils.worlds.clever_hans.render` gives them.
    scenes, changed : list of utils.worlds.clever_hans.Scene
        One for each picture.

    Returns
    -------
    xarray.Dataset
        The pictures of `changed`.
    """
    differs = [i for i, (old, new) in enumerate(zip(scenes, changed, strict=True)) if old != new]
    drawn, result = world.render([changed[i] for i in differs]), data.copy(deep=True)
    for name in drawn.data_vars:
        result[name][differs] = drawn[name].values
    return result


def gallery(pictures, heat_maps, masks=None, logits=None):
    """Pictures in the first row, and below each its heat maps.

    Parameters
    ----------
    pictures : array_like, shape (sample, y, x, 3)
    heat_maps : dict of str to array_like, shape (sample, y, x) or (sample, y, x, channel)
        A row for each, under its name.
    masks : dict of str to array_like of bool, shape (sample, y, x), optional
        What to outline in the heat maps.
    logits : dict of str to array_like, shape (sample,), optional
        What each row of heat maps explains. It stands above the map.

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
            explained = logits[name][i] if logits else None
            drawn = plots.heat_map(ax, maps[i], masks=outlines, explained=explained)
    for ax, name in zip(axes[:, 0], ["picture", *heat_maps], strict=True):
        ax.set_ylabel(name, parse_math=False)
    plots.heat_map_bar(fig, drawn, axes[1:])
    return fig


def changed(pairs, logits):
    """One picture of each experiment, above as it was and below changed.

    Parameters
    ----------
    pairs : dict of str to (xarray.Dataset, xarray.Dataset)
        The pictures as they were and changed; "a, b" is written on two lines.
    logits : dict of str to (array, array)
        Those of the same pictures. The one with the median change is drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = plt.subplots(2, len(pairs), figsize=(1.85 * len(pairs), 4.2), squeeze=False)
    for (name, pair), column in zip(pairs.items(), axes.T, strict=True):
        median = np.argsort(logits[name][1] - logits[name][0])[len(logits[name][0]) // 2]
        lines = f"{name}, ".split(", ")[:2]
        for ax, data, z, above in zip(column, pair, logits[name], (lines, []), strict=True):
            plots.picture(ax, data.picture[median], "\n".join([*above, f"z = {z[median]:.1f}"]))
    for ax, name in zip(axes[:, 0], ("as it was", "changed"), strict=True):
        ax.set_ylabel(name)
    return fig


def before_after(networks, guess=None):
    """How often "horse" is said before and after changes of the picture, a column for each network.

    Parameters
    ----------
    networks : dict of str to dict of str to (array, array)
        For each network and each change, the logits of the pictures before and after.
    guess : dict of str to float or None, optional
        Rates after the changes, guessed for the last network.

    Returns
    -------
    matplotlib.figure.Figure
        For one network with the mean change of the logit beside each pair of rates; the logits of
        different networks have different scales.
    """
    names = list(next(iter(networks.values())))
    columns = len(networks)
    size = (4.2 if columns == 1 else 2.4) * columns + 2.6, 1.4 + 0.5 * len(names)
    fig, axes = plt.subplots(1, columns, figsize=size, sharey=True, squeeze=False)
    for ax, (network, results) in zip(axes[0], networks.items(), strict=True):
        for row, pair in enumerate(results.values()):
            rates = [skill.rate(np.asarray(logits) > 0) for logits in pair]
            ax.plot([value for value, _ in rates], [row - 0.13, row + 0.13], color="#d5d9df", lw=3)
            for (value, (low, high)), colour, shift, label in zip(
                rates, (plots.GREY, plots.INK), (-0.13, 0.13), ("as it was", "changed"), strict=True
            ):
                error = [[value - low], [high - value]]
                ax.errorbar(value, row + shift, xerr=error, fmt="o", color=colour, label=label)
            if columns == 1:
                change = f"{np.mean(pair[1]) - np.mean(pair[0]):+.1f}".replace("-", "\u2212")
                ax.text(133, row, change, ha="right", va="center", fontsize=9)
        if columns == 1:
            ax.text(133, -0.55, "mean change of z", ha="right", va="bottom", fontsize=9)
        ax.set_title(network, parse_math=False, pad=14)
        end = 135 if columns == 1 else 104
        ax.set(xlim=(-4, end), xticks=range(0, 101, 25), xlabel="called a horse (%)")
    axes[0, 0].set_yticks(range(len(names)), names, parse_math=False)
    axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
    plots.guess_marks(ax, guess or {}, {name: row + 0.13 for row, name in enumerate(names)})
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles[:2], labels[:2], loc="outside lower right", ncols=2, title="the picture")
    return fig


def rate_text(yes):
    """A rate in words, such as "80 % (76 to 84)"; `yes` as in `skill.rate`."""
    value, (low, high) = skill.rate(yes)
    return f"{value:.0f} % ({low:.0f} to {high:.0f})"


def errors_by_kind(wrong, horse, hard, hurdles):
    """Wrong answers per 100 pictures, by what is in the picture.

    Parameters
    ----------
    wrong, horse, hard, hurdles : array_like of bool, shape (sample,)
        Is the answer wrong, is there a horse, is it hard to see, are there hurdles?

    Returns
    -------
    dict of str to float
    """
    kinds = {
        "horse, easy to see": horse & ~hard,
        "horse, hard to see": horse & hard,
        "hurdles, no horse": ~horse & hurdles,
        "neither": ~horse & ~hurdles,
    }
    return {kind: 100 * (wrong & this).mean() for kind, this in kinds.items()}


def errors(rows):
    """Wrong answers per 100 pictures, split by what is in the picture; a bar for each row.

    Parameters
    ----------
    rows : dict of str to dict of str to float
        By name of the row, then by kind of picture.

    Returns
    -------
    matplotlib.figure.Figure
    """
    colours = [plots.GREEN, plots.INK, plots.ORANGE, plots.GREY]
    fig, ax = plt.subplots(figsize=(8.5, 1.3 + 0.45 * len(rows)))
    for row, kinds in enumerate(rows.values()):
        left = 0
        for (kind, value), colour in zip(kinds.items(), colours, strict=True):
            ax.barh(row, value, 0.6, left, color=colour, label=kind if row == 0 else None)
            if value >= LEAST_TEXT:
                ink = "white" if colour == plots.INK else "black"
                ax.text(left + value / 2, row, f"{value:.1f}", color=ink, ha="center", va="center")
            left += value
        ax.text(left + 0.2, row, f"{left:.0f}", va="center", fontweight="bold")
    ax.set_xlim(0, 1.08 * ax.dataLim.x1)
    ax.set_yticks(range(len(rows)), list(rows), parse_math=False)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="wrong answers per 100 pictures")
    fig.legend(loc="outside upper right", ncols=4, fontsize=9)
    return fig


def effects(results, guess):
    """Relevance against effect, a column for each rule and a colour for each kind of picture.

    Parameters
    ----------
    results : dict of (str, str) to (array, array)
        By rule and kind, effect and relevance of each picture, both in logits.
    guess : dict of str to float or None
        Mean relevance by kind, guessed for the first rule.

    Returns
    -------
    matplotlib.figure.Figure
        A ring marks the mean of each kind.
    """
    rules = list(dict.fromkeys(rule for rule, _ in results))
    kinds = list(dict.fromkeys(kind for _, kind in results))
    colours = dict(zip(kinds, (plots.BLUE, plots.PURPLE, plots.GREEN), strict=True))
    size = 3.6 * len(rules) + 2, 4
    fig, axes = plt.subplots(1, len(rules), figsize=size, sharex=True, sharey=True)
    for ax, rule in zip(axes, rules, strict=True):
        for kind, colour in colours.items():
            effect, relevance = results[rule, kind]
            ax.scatter(effect, relevance, s=9, color=colour, alpha=0.6, label=kind)
            ring = {"mec": plots.INK, "mew": 1.5, "ms": 11, "mfc": colour, "ls": "none"}
            ax.plot(effect.mean(), relevance.mean(), "o", **ring)
        ax.axline((0, 0), slope=1, color=plots.INK, lw=1, ls=":", label="equal")
        ax.set_title(rule, parse_math=False)
        ax.set(
            xlabel="what the tag adds (logits)",
            aspect="equal",
            xticks=range(0, 16, 5),
            yticks=range(0, 16, 5),
        )
    axes[0].set(xlim=(0, 19), ylim=(0, 19), ylabel="relevance on the tag (logits)")
    places = {kind: results[rules[0], kind][0].mean() for kind in kinds}
    plots.guess_marks(axes[0], guess, places, axis="y", colours=colours)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    return fig


def cluster_maps(maps, clusters, inside, logits, shown=5):
    """The mean and some heat maps of each cluster, framed by what lies inside the grey bars.

    Parameters
    ----------
    maps : array, shape (sample, y, x)
        Relevance without negative values.
    clusters : array of int, shape (sample,)
    inside : array of bool, shape (sample, y, x)
    logits : array, shape (sample,)
    shown : int
        Maps of each cluster.

    Returns
    -------
    matplotlib.figure.Figure
    """
    numbers = np.unique(clusters)
    size = 1.8 * (shown + 1), 1.8 * len(numbers)
    fig, axes = plt.subplots(len(numbers), shown + 1, figsize=size, squeeze=False)
    for number, row in zip(numbers, axes, strict=True):
        members = np.nonzero(clusters == number)[0]
        titles = [f"mean of {len(members)}", *(f"z = {logits[i]:.1f}" for i in members[:shown])]
        drawn = [maps[members].mean(0), *maps[members[:shown]]]
        frames = [{}, *({"inside": inside[i]} for i in members[:shown])]
        for ax, title, one, masks in zip(row, titles, drawn, frames, strict=False):
            bar = plots.heat_map(ax, one, title, masks, signed=False)
        row[0].set_ylabel(f"cluster {number + 1}")
    plots.heat_map_bar(fig, bar, axes)
    return fig


def tiles(scenes):
    """Cut scenes, shape (scene, 256, 256), into 64 tiles each, shape (tile, 32, 32)."""
    return scenes.reshape(-1, 8, 32, 8, 32).swapaxes(2, 3).reshape(-1, 32, 32)


def as_input(tiles):
    """Tiles in kelvins, shape (tile, 32, 32), as a linear model takes them: cold is positive."""
    return ((270 - tiles) / 100).reshape(len(tiles), -1)


def line_gallery(clean, spoiled, models):
    """Tiles with a line, and below them what each linear model makes of them.

    Parameters
    ----------
    clean, spoiled : array, shape (tile, 32, 32)
        Brightness temperature in K, without and with the line.
    models : dict of str to sklearn.linear_model.LogisticRegression

    Returns
    -------
    matplotlib.figure.Figure
    """
    size = 2.3 * len(clean) + 1, 2.3 * (1 + len(models))
    fig, axes = plt.subplots(1 + len(models), len(clean), figsize=size, squeeze=False)
    for column, old, new in zip(axes.T, clean, spoiled, strict=True):
        field = goes.field(column[0], "c13", new, f"{old.min():.0f} to {old.max():.0f} K")
        x = as_input(new[None])
        for ax, model in zip(column[1:], models.values(), strict=True):
            relevance = (model.coef_ * x).reshape(new.shape)
            z = model.decision_function(x)[0]
            drawn = plots.heat_map(ax, relevance, limit=LIMIT, explained=z)
    for ax, name in zip(axes[:, 0], ["infrared", *models], strict=True):
        ax.set_ylabel(name, parse_math=False)
    bar = fig.colorbar(field, ax=axes[0], shrink=0.8, pad=0.01, label="C13 (K)")
    bar.outline.set_visible(False)
    plots.heat_map_bar(fig, drawn, axes[1:], label="relevance per pixel")
    return fig


def with_line(tiles):
    """Copy tiles of brightness temperature, shape (tile, y, x), with a line of 200 K in row 24."""
    tiles = tiles.copy()
    tiles[:, 24] = 200
    return tiles
