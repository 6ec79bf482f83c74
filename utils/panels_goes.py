"""Pictures of lesson 07: channels in the colours forecasters know, and the panel of one pixel."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap
from matplotlib.patheffects import withStroke

from utils import lrp, one_pixel, plots

CROP = 64  # pixels that hold the receptive box of one output pixel, wherever it lies modulo 8
HALF_BOX = 27  # of the encoder-decoder, to each side
SEEN = np.array([-HALF_BOX - 0.5, HALF_BOX + 0.5])

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
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#c9ced6")  # where there is no echo, all is white
    title = own if title is None else title
    ax.set_title(title, fontsize=10, fontweight="normal", parse_math=False)
    return artist


def cross(ax, pixel, size=10):
    """Mark a pixel, (row, column), by a cross that shows on any colour; return its line."""
    halo = [withStroke(linewidth=3, foreground="white")]
    (line,) = ax.plot(*pixel[::-1], "+", color=plots.INK, ms=size, mew=1.2, path_effects=halo)
    return line


def around(x, rows, columns):
    """Cut inputs to what one output pixel of the encoder-decoder can see.

    Corners lie on multiples of 8, so that pooling meets the same pixels as in the whole picture:
    network and heat map give the same numbers as there, at a fraction of the cost.

    Parameters
    ----------
    x : array, shape (n, y, x, channel)
        One picture for each pixel; y and x multiples of 8, at least 64.
    rows, columns : array_like of int, shape (n,)
        The pixels.

    Returns
    -------
    crops : array, shape (n, 64, 64, channel)
    at : list of (int, int)
        Row and column of each pixel in its crop.

    Raises
    ------
    ValueError
        If a picture is too small, or a pixel lies outside.
    """
    x, pixels = np.asarray(x), np.transpose([rows, columns])
    size = np.array(x.shape[1:3])
    if x.ndim != 4 or (size < CROP).any() or (size % 8).any():
        raise ValueError(f"Pictures need multiples of 8, at least {CROP} pixels, not {x.shape}.")
    if len(pixels) != len(x) or (pixels < 0).any() or (pixels >= size).any():
        raise ValueError("Give one row and one column inside the picture for each picture.")
    corners = np.clip((pixels - HALF_BOX) // 8 * 8, 0, size - CROP)
    crops = [one[r : r + CROP, c : c + CROP] for one, (r, c) in zip(x, corners, strict=True)]
    return np.stack(crops), [tuple(map(int, pixel)) for pixel in pixels - corners]


def at_pixel(values, at):
    """The value of each map, shape (n, y, x), at its pixel, as `around` gives it: shape (n,)."""
    return np.array([one[pixel] for one, pixel in zip(values, at, strict=True)])


def box(values, at):
    """The receptive box of each pixel out of its crop, shape (n, 54, 54, ...).

    Raises
    ------
    ValueError
        If a box leaves its crop, because the pixel is near the picture's edge.
    """
    reach = np.array(at)
    if (reach < HALF_BOX).any() or (reach > CROP - HALF_BOX).any():
        raise ValueError(f"Choose pixels at least {HALF_BOX} pixels inside the picture.")
    slices = [tuple(slice(p - HALF_BOX, p + HALF_BOX) for p in pixel) for pixel in at]
    return np.array([one[where] for one, where in zip(values, slices, strict=True)])


def performance_diagram(scores, thresholds):
    """Draw POD over success ratio by threshold, with lines of equal CSI and equal bias.

    Parameters
    ----------
    scores : dict of str to dict
        For each estimate what `skill.scores` gives.
    thresholds : array_like
        In dBZ; every second one is written beside its point.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = plt.subplots(figsize=(6, 5))
    ratio, pod = np.meshgrid(np.linspace(0.01, 1, 200), np.linspace(0.01, 1, 200))
    csi, levels = 1 / (1 / ratio + 1 / pod - 1), np.arange(0.1, 1, 0.1)
    lines = ax.contour(ratio, pod, csi, levels, colors="#c9ced6", linewidths=0.8)
    ax.clabel(lines, fmt="CSI %.1f", fontsize=8)
    for bias in (0.5, 1, 2, 4):
        ends = min(1, 1 / bias), min(1, bias)
        ax.plot([0, ends[0]], [0, ends[1]], ":", color=plots.GREY, lw=1)
        ax.annotate(f"bias {bias:g}", ends, fontsize=8, color=plots.GREY)
    for (name, result), colour in zip(
        scores.items(), (plots.SKY, plots.ORANGE, plots.BLUE), strict=False
    ):
        x, y = 1 - result["FAR"], result["POD"]
        ax.plot(x, y, "o-", color=colour, label=name, lw=1)
        for k in range(1, len(thresholds), 2):
            ax.annotate(f" {thresholds[k]:g}", (x[k], y[k]), fontsize=8, color=colour)
    ax.set(xlabel="1 - FAR", ylabel="POD", xlim=(0, 1), ylim=(0, 1))
    plt.setp(ax.legend(loc="lower right").get_texts(), parse_math=False)
    return fig


def dots(groups, label):
    """Draw values with their intervals, side by side in groups.

    Parameters
    ----------
    groups : dict of str to dict of str to (float, (float, float))
        For each group, by name, values and intervals as `skill.bootstrap` gives them.
    label : str
        What is measured, with its unit.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = plt.subplots(figsize=(8, 3.2))
    names = list(next(iter(groups.values())))
    for i, values in enumerate(groups.values()):
        for k, (value, (low, high)) in enumerate(values.values()):
            place = i + 0.7 * ((k + 0.5) / len(names) - 0.5)
            error = [[value - low], [high - value]]
            ax.errorbar(place, value, error, fmt="o", color=f"C{k}")
    ax.set_xticks(range(len(groups)), list(groups), parse_math=False)
    ax.set_ylabel(label, parse_math=False)
    ax.axhline(0, color=plots.GREY, lw=0.8)
    above = {"ncols": 3, "loc": "lower left", "bbox_to_anchor": (0, 1)}
    legend = ax.legend(ax.containers[: len(names)], names, **above)
    plt.setp(legend.get_texts(), parse_math=False)
    return fig


RULES = {
    "LRP alpha 1 beta 0": "alpha_1_beta_0",
    "LRP alpha 2 beta 1": "alpha_2_beta_1",
    "LRP alpha 1 beta 0, z-box": {"first": lrp.z_box(0, 1), "Conv2D": "alpha_1_beta_0"},
    "LRP alpha 1 beta 0, flat": {"first": "flat", "Conv2D": "alpha_1_beta_0"},
}


def heat_maps(model, x, pixels, method="LRP alpha 1 beta 0"):
    """Heat maps of one output pixel for each picture, in dBZ for LRP.

    Parameters
    ----------
    model : keras.Model
        An encoder-decoder, whose output is dBZ / 60.
    x : array, shape (n, y, x, channel)
    pixels : list of (int, int)
        Row and column of a pixel in each picture.
    method : str
        A name from `RULES`, or "gradient".

    Returns
    -------
    array, shape of `x`
    """
    if method == "gradient":
        return one_pixel.explain(model, x, pixels, "gradient")
    if method not in RULES:
        raise ValueError(f"There is no method {method!r}: choose from {[*RULES, 'gradient']}.")
    return 60 * one_pixel.relevance(model, x, pixels, RULES[method]).input


def panel(model, data, x):
    """Prepare the picture of lesson 07's panel: one output pixel and its heat maps.

    Parameters
    ----------
    model : keras.Model
        An encoder-decoder for pictures of any size.
    data : xarray.Dataset
        Scenes of the world, to show.
    x : array, shape (sample, y, x, 4)
        The same as the network takes them.

    Returns
    -------
    function
        ``draw(scene, row, column, lightning, method)`` returns the figure of that output
        pixel, with the scene's lightning or without, by a method of `heat_maps`.
    """
    figure, axes = plt.subplots(1, 6, figsize=(11, 2.5))
    top = field(axes[0], "c13", data.c13[0], "C13")
    radar = field(axes[1], "mrms", data.mrms[0], "MRMS estimate")
    crosses = [cross(ax, (0, 0), 12) for ax in axes[:2]]
    shown = [plots.relevance(ax, np.zeros(x.shape[1:3]), "z", limit=1) for ax in axes[2:]]
    marks = [cross(ax, (0, 0), 7) for ax in axes[2:]]
    plots.relevance_bar(figure, shown[-1], axes[2:], label="one scale")
    figure.suptitle("z", x=0.01, ha="left", fontsize=11)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # or the axes would move with every new title
    plt.close(figure)
    estimates = {}

    def draw(scene, row, column, lightning, method):
        given = x[[scene]] * [1, 1, 1, lightning]
        if (scene, lightning) not in estimates:
            whole = 60 * model.predict(given, verbose=0)[0, ..., 0].clip(0)
            estimates[scene, lightning] = whole
        whole = estimates[scene, lightning]
        top.set_data(data.c13[scene])
        radar.set_data(whole)
        text = f"estimate at the cross {whole[row, column]:.0f} dBZ"
        if whole[row, column] > 0:
            maps = heat_maps(model, given, [(row, column)], method)[0]
        else:
            maps, text = np.zeros(given.shape[1:]), text + ": nothing to explain"
        figure.suptitle(text, x=0.01, ha="left", fontsize=11)
        limit, unit = plots.colour_limit(maps), "" if method == "gradient" else " dBZ"
        for i, (artist, name) in enumerate(zip(shown, ("C07", "C09", "C13", "GLM"), strict=True)):
            artist.set_data(maps[..., i] / limit)
            title = f"{name}: {maps[..., i].sum():.3g}{unit}"
            artist.axes.set_title(title, fontsize=10, fontweight="normal")
            artist.axes.set(xlim=column + SEEN, ylim=row - SEEN)
        for cross in crosses + marks:
            cross.set_data([column], [row])
        return figure

    return draw
