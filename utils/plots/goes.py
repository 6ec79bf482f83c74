"""GOES and MRMS in the colours that forecasters know, and diagrams of scores."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap
from matplotlib.patheffects import withStroke

from utils import plots

# Enhanced infrared from 190 to 310 K: grey above 250 K, colours for cold tops.
INFRARED = LinearSegmentedColormap.from_list(
    "infrared",
    [
        (0.0, "#ffffff"),
        (0.08, "#ff70ff"),
        (0.16, "#000000"),
        (0.2, "#ff0000"),
        (0.28, "#ffff00"),
        (0.36, "#00ff00"),
        (0.44, "#000080"),
        (0.5, "#00d0ff"),
        (0.52, "#d0d0d0"),
        (1.0, "#101010"),
    ],
)
VAPOUR = LinearSegmentedColormap.from_list(
    "vapour", ["#00806a", "#7fe0c8", "#ffffff", "#2040a0", "#101010", "#c06000"]
)
# The US Weather Service's colours of reflectivity, a step every 5 dBZ.
RADAR = ListedColormap(
    ["#ffffff", "#00ecec", "#01a0f6", "#0000f6", "#00ff00", "#00c800"]
    + ["#009000", "#ffff00", "#e7c000", "#ff9000", "#ff0000", "#d60000"]
)
GROUPS = BoundaryNorm([0, 1, 2, 5, 10, 20, 50], 256)  # most pixels with lightning have few
LOOKS = {
    "c07": ("C07, 3.9 µm (K)", {"cmap": INFRARED, "vmin": 190, "vmax": 310}),
    "c09": ("C09, 6.9 µm (K)", {"cmap": VAPOUR, "vmin": 200, "vmax": 260}),
    "c13": ("C13, 10.3 µm (K)", {"cmap": INFRARED, "vmin": 190, "vmax": 310}),
    "glm": ("GLM (groups in 15 min)", {"cmap": "inferno", "norm": GROUPS}),
    "mrms": ("MRMS (dBZ)", {"cmap": RADAR, "norm": BoundaryNorm(np.arange(0, 61, 5), 12)}),
}


def field(ax, name, values, title=None):
    """Draw a field in the colours that forecasters know.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    name : {"c07", "c09", "c13", "glm", "mrms"}
    values : array_like, shape (y, x)
        In K, groups, or dBZ.
    title : str, optional
        Instead of the field's name and unit.

    Returns
    -------
    matplotlib.image.AxesImage
        For a colour bar.

    Raises
    ------
    ValueError
        If there is no such field.
    """
    if name not in LOOKS:
        raise ValueError(f"There is no field {name!r}: choose from {', '.join(LOOKS)}.")
    own, look = LOOKS[name]
    artist = ax.imshow(values, **look)
    plots.frame(ax, own if title is None else title)  # where there is no echo, all is white
    return artist


def cross(ax, pixel, size=10):
    """Mark a pixel, (row, column), by a cross that shows on any colour; return its line."""
    halo = [withStroke(linewidth=3, foreground="white")]
    (line,) = ax.plot(*pixel[::-1], "+", color=plots.INK, ms=size, mew=1.2, path_effects=halo)
    return line


def performance_diagram(scores, thresholds, written=None, even=None):
    """Draw POD over success ratio by threshold, with lines of equal CSI and equal bias.

    Parameters
    ----------
    scores : dict of str to dict
        For up to three estimates what `skill.scores` gives.
    thresholds : array_like
        In dBZ.
    written : sequence of int, optional
        Which of the thresholds stand beside their points; all if not given.
    even : dict of str to dict, optional
        The same scores at equal frequency bias: hollow markers, where a threshold is written.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = plt.subplots(figsize=(7, 4.6))
    ratio, pod = np.meshgrid(np.linspace(0.01, 1, 200), np.linspace(0.01, 1, 200))
    csi, levels = 1 / (1 / ratio + 1 / pod - 1), np.arange(0.1, 1, 0.1)
    lines = ax.contour(ratio, pod, csi, levels, colors="#c9ced6", linewidths=0.8)
    ax.clabel(lines, fmt="CSI %.1f", fontsize=8)
    for bias in (0.5, 1, 2, 4):
        ends = min(1, 1 / bias), min(1, bias)
        ax.plot([0, ends[0]], [0, ends[1]], ":", color=plots.GREY, lw=1)
        ax.annotate(f"bias {bias:g}", ends, fontsize=8, color=plots.GREY)
    halo = [withStroke(linewidth=2.5, foreground="white")]
    looks = [(plots.GREY, "^-", (-5, 5), "right"), (plots.BLUE, "s-", (4, -12), "left")]
    looks.append((plots.INK, "o-", (4, 4), "left"))
    written = range(len(thresholds)) if written is None else written
    for (name, result), look in zip(scores.items(), looks, strict=False):
        colour, line, offset, side = look
        x, y = 1 - result["FAR"], result["POD"]
        ax.plot(x, y, line, color=colour, label=name, lw=1.2, zorder=4)
        style = {"textcoords": "offset points", "fontsize": 8, "ha": side, "path_effects": halo}
        if even:
            x_even, y_even = 1 - even[name]["FAR"][written], even[name]["POD"][written]
            ax.plot(x_even, y_even, line[0], color=colour, mfc="white", zorder=3)
        for k in written:
            ax.annotate(f"{thresholds[k]:g}", (x[k], y[k]), offset, color=colour, **style)
    ax.set(xlabel="1 - FAR", ylabel="POD", xlim=(0, 1), ylim=(0, 1))
    beside = {"loc": "center left", "bbox_to_anchor": (1.06, 0.8)}
    plt.setp(ax.legend(**beside).get_texts(), parse_math=False)
    return fig


def dots(groups, label, colours=None):
    """Draw values with their intervals, a panel for each group and a row for each name.

    Parameters
    ----------
    groups : dict of str to dict of str to (float, (float, float))
        For each group, by name, values and intervals as `skill.bootstrap` gives them.
    label : str
        What is measured, with its unit.
    colours : dict of str to colour, optional
        By group; black if not given.

    Returns
    -------
    matplotlib.figure.Figure
        With an axes for each group; the names stand in the rows 0, 1, ... from above.
    """
    names = list(next(iter(groups.values())))
    fig, axes = plt.subplots(
        1,
        len(groups),
        figsize=(10, 1.2 + 0.3 * len(names)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for ax, (group, values) in zip(axes[0], groups.items(), strict=True):
        colour = (colours or {}).get(group, plots.INK)
        for row, (value, (low, high)) in enumerate(values.values()):
            error = [[value - low], [high - value]]
            ax.errorbar(value, row, xerr=error, fmt="o", color=colour)
        ax.axvline(0, color=plots.GREY, lw=0.8)
        ax.set_title(group, fontsize=10, fontweight="normal", parse_math=False)
        ax.tick_params(axis="y", length=0)
    axes[0, 0].set_yticks(range(len(names)), names, parse_math=False)
    axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
    fig.supxlabel(label, fontsize=10, parse_math=False)
    return fig
