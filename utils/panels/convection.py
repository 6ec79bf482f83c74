"""Lesson 06: its figures, and a scene whose clouds and sun can be changed."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from utils import plots, skill
from utils.panels import heat_map
from utils.panels.panel import keep_layout
from utils.worlds import convection as world

NETWORKS = {  # of sections 4 and 5, and the names of their weights
    "brightness only": "convection_brightness",
    "first network": "convection",
    "second network": "convection_repaired",
    "texture only": "convection_texture",
}
NAMES = {"anvil": "old anvil", "broken": "shallow cumulus", "clear": "clear land"}
NAMES |= {"deck": "stratocumulus"}


def prepare_loop(pictures, titles):
    """Prepare the loop's picture: several sequences side by side.

    Parameters
    ----------
    pictures : array, shape (sample, time, y, x)
        Reflectance.
    titles : list of str

    Returns
    -------
    function
        ``draw(frame)`` returns the figure with that picture of each sequence.
    """
    columns = min(len(pictures), 4)
    rows = -(-len(pictures) // columns)
    size = 2.1 * columns, 2.3 * rows
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    shown = [
        plots.picture(ax, sequence[0], title)
        for ax, sequence, title in zip(axes.flat, pictures, titles, strict=False)
    ]
    keep_layout(figure)

    def draw(frame):
        for artist, sequence in zip(shown, pictures, strict=True):
            artist.set_data(sequence[frame])
        return figure

    return draw


def prepare(model, scenes):
    """Prepare the panel's picture: a scene, its heat map, z and the answer.

    Parameters
    ----------
    model : keras.Model
        A network with one output, the logit of "convection".
    scenes : list of utils.worlds.convection.Scene
        Of the kind "anvil".

    Returns
    -------
    function
        ``draw(number, brightness, texture, sun)`` returns the figure of scene `number` with this
        brightness, this contrast of the bubbling, and the sun at this zenith angle in degrees.
    """

    def look(number, brightness, texture, sun):
        scene = replace(scenes[number], brightness=brightness, texture=texture, sun_zenith=sun)
        x = world.as_input(world.render([scene]))
        logit, relevance = heat_map.by_lrp(model, x, "alpha_1_beta_0")
        says = f"z = {logit:.1f}: {'convection' if logit > 0 else 'none'}"
        percent = 100 * relevance / (relevance.sum() or 1)  # of what speaks for it
        return x[0, :, :, x.shape[-1] // 2], percent, says, "what speaks for it (%)"

    return heat_map.prepare(look, signed=False)


def correlation(maps, fields):
    """Correlation of each heat map with its field over the pixels, arrays (scene, time, y, x)."""
    a, b = (v - v.mean((1, 2, 3), keepdims=True) for v in (maps, fields))
    return (a * b).sum((1, 2, 3)) / np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))


def fair_partners(scenes, brightness):
    """Scenes about half as bright that bubble nearly as strongly, in reflectance, as before."""
    return [replace(s, brightness=brightness, texture=2 * s.texture) for s in scenes]


def names(data):
    """What each scene is, in words, such as "storm" or "shallow cumulus"."""
    kinds = [world.KINDS[int(kind)] for kind in data.truth_kind.values]
    pairs = zip(kinds, data.convection.values, strict=True)
    return ["storm" if storm else NAMES.get(kind, kind) for kind, storm in pairs]


def outlined(ax, image, mask, title):
    """Draw an image with a white outline of what bubbles, which can be seen on cloud and ground."""
    plots.picture(ax, image, title)
    if mask.any():
        ax.contour(mask, [0.5], colors="white", linewidths=1.3)


def correlations(follows):
    """Draw correlations of relevance with two fields: by rule, network and field, one a scene."""
    fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    for ax, (rule, by_network) in zip(axes, follows.items(), strict=True):
        for row, pair in enumerate(by_network.values()):
            for (what, values), colour, up in zip(
                pair.items(), (plots.ORANGE, plots.BLUE), (-1, 1), strict=True
            ):
                value, (low, high) = skill.bootstrap(np.mean, values)
                y = row + 0.12 * up
                ax.plot([low, high], [y, y], color=colour)
                ax.plot(value, y, "o", ms=6, color=colour, label=None if row else what)
                style = {"ha": "center", "va": "center", "fontsize": 9, "color": colour}
                ax.text(value, y + 0.2 * up, f"{value:.2f}", **style)
        ax.axvline(0, color=plots.INK, lw=1, ls=":")
        ax.set(yticks=range(len(by_network)), yticklabels=by_network, xlim=(-0.2, 1))
        ax.set(ylim=(len(by_network) - 0.4, -0.6), xlabel="correlation, mean over scenes")
        ax.set_title(rule, fontsize=10)
    for label in axes[0].get_yticklabels()[:: len(by_network) - 1]:  # the two controls
        label.set_color(plots.GREY)
    handles = axes[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside upper right", ncols=2, title="with", alignment="right")
    return fig


def bars(rows):
    """Draw shares of yes with their intervals.

    Parameters
    ----------
    rows : dict
        By label, by network and by change, whether each case is a yes.

    Returns
    -------
    matplotlib.figure.Figure
        A row of axes a label, a column a network.
    """
    heights = [len(next(iter(row.values()))) for row in rows.values()]
    size = 10, 0.5 + 0.75 * len(rows) + 0.3 * sum(heights)
    looks = {"figsize": size, "sharey": "row", "height_ratios": heights, "squeeze": False}
    fig, axes = plt.subplots(len(rows), len(next(iter(rows.values()))), **looks)
    for line, (label, by_network) in zip(axes, rows.items(), strict=True):
        for ax, (name, by_change) in zip(line, by_network.items(), strict=True):
            for row, yes in enumerate(by_change.values()):
                value, (low, high) = skill.rate(yes)
                ax.barh(row, value, 0.6, color=plots.GREY)
                ax.plot([low, high], [row, row], color=plots.INK, lw=1.2)
                ax.text(high + 3, row, f"{value:.0f}", va="center", fontsize=9)
            ax.set(yticks=range(len(by_change)), yticklabels=by_change, xlabel=label)
            ax.set(ylim=(len(by_change) - 0.5, -0.5), xlim=(0, 120), xticks=[0, 50, 100])
            if line is axes[0]:
                ax.set_title(name, fontsize=10)
    return fig


def repairs(wrong, kinds):
    """Draw the wrong answers of networks: all with their intervals, and by kind of hard case.

    Parameters
    ----------
    wrong : dict
        By network and by test, whether each answer is wrong; one test is "ordinary".
    kinds : dict of str to array of str
        By test, what each of its scenes is; of all tests but "ordinary".
    """
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(10, 4), sharey=True, width_ratios=(5, 4), layout="constrained"
    )
    hard = {name: np.concatenate([by[test] for test in kinds]) for name, by in wrong.items()}
    ordinary = {name: by["ordinary"] for name, by in wrong.items()}
    for label, answers, colour, shift in (
        ("ordinary scenes", ordinary, plots.GREY, -0.15),
        ("all hard cases", hard, plots.RED, 0.15),
    ):
        for row, yes in enumerate(answers.values()):
            value, (low, high) = skill.rate(yes)
            left.plot([low, high], [row + shift] * 2, color=colour)
            dot = {"color": colour, "ms": 6, "label": None if row else label}
            left.plot(value, row + shift, "o", **dot)
            left.text(high + 2, row + shift, f"{value:.0f}", va="center", fontsize=9, color=colour)
    left.set(yticks=range(len(wrong)), yticklabels=wrong, ylim=(len(wrong) - 0.5, -0.5))
    left.set(xlabel="wrong answers (%)", xlim=(0, 108))
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    parts = [(test, kind) for test, of in kinds.items() for kind in sorted(set(of))]
    table = [
        [100 * by[test][kinds[test] == kind].mean() for test, kind in parts]
        for by in wrong.values()
    ]
    right.imshow(table, cmap="Oranges", vmin=0, vmax=130, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        right.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=9)
    labels = [f"{kind}\n({(kinds[test] == kind).sum()})" for test, kind in parts]
    right.set_xticks(range(len(parts)), labels, fontsize=9)
    right.xaxis.tick_top()
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    for row in (0.5, 3.5):  # between the network as it is and the two repairs with their controls
        left.axhline(row, color=plots.GREY, lw=0.6)
        right.axhline(row, color="white", lw=4)
    right.set_xlabel("wrong answers by kind of hard case (%)")
    return fig
