"""Lesson 07: one output pixel and its heat maps."""

import matplotlib.pyplot as plt
import numpy as np

from utils import lrp, plots
from utils.explain import one_pixel
from utils.explain.crops import HALF_BOX
from utils.panels.panel import keep_layout
from utils.plots import goes

SEEN = np.array([-HALF_BOX - 0.5, HALF_BOX + 0.5])
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


def prepare(model, data, x):
    """Prepare the panel's picture: one output pixel and its heat maps.

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
    top = goes.field(axes[0], "c13", data.c13[0], "C13")
    radar = goes.field(axes[1], "mrms", data.mrms[0], "MRMS estimate")
    crosses = [goes.cross(ax, (0, 0), 12) for ax in axes[:2]]
    # A limit with as many digits as there will be, so that there is room for them.
    look = {"limit": 0.0012, "signed": True}
    shown = [plots.heat_map(ax, np.zeros(x.shape[1:3]), "z", **look) for ax in axes[2:]]
    marks = [goes.cross(ax, (0, 0), 7) for ax in axes[2:]]
    bar = plots.heat_map_bar(figure, shown[0], axes[2:], label="one scale")
    figure.suptitle("z", x=0.01, ha="left", fontsize=11)
    keep_layout(figure)
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
            artist.set_data(maps[..., i])
            artist.set_clim(-limit, limit)
            title = f"{name}: {maps[..., i].sum():.3g}{unit}"
            artist.axes.set_title(title, fontsize=10, fontweight="normal")
            artist.axes.set(xlim=column + SEEN, ylim=row - SEEN)
        plots.bar_ends(bar)
        for cross in crosses + marks:
            cross.set_data([column], [row])
        return figure

    return draw
