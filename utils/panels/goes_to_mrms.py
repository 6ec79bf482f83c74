"""Lesson 07: one output pixel, its heat maps, and what is changed around it."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from scipy.ndimage import distance_transform_edt

from utils import lrp, plots
from utils.explain import one_pixel
from utils.explain.crops import HALF_BOX, around, at_pixel, box
from utils.panels.panel import keep_layout
from utils.plots import goes
from utils.worlds import goes_mrms as world

SEEN = np.array([-HALF_BOX - 0.5, HALF_BOX + 0.5])
CHANNELS = ("C07", "C09", "C13", "GLM")
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


def kelvin(x):
    """Brightness temperature of C13.

    Parameters
    ----------
    x : array, shape (..., y, x, 4)
        As the network takes it: 0 is 300 K, 1 is 200 K.

    Returns
    -------
    array, shape (..., y, x)
        In K.
    """
    return 300 - 100 * x[..., 2]


def steepness(x):
    """Size of the gradient of C13.

    Parameters
    ----------
    x : array, shape (..., y, x, 4)
        As for `kelvin`.

    Returns
    -------
    array, shape (..., y, x)
        In K per pixel, by central differences.
    """
    return np.hypot(*np.gradient(kelvin(x), axis=(-2, -1)))


def filled(crop, warmer=250):
    """Fill what is warm with the nearest cloud, in all channels, so that its edge gets weaker.

    Parameters
    ----------
    crop : array, shape (y, x, 4)
        As the network takes it, with at least one pixel that is not too warm.
    warmer : float
        Each pixel warmer than this in C13, in K, becomes a copy of the nearest that is not.

    Returns
    -------
    array, shape of `crop`
    """
    warm = kelvin(crop) > warmer
    nearest = distance_transform_edt(warm, return_distances=False, return_indices=True)
    return crop[tuple(nearest)]


def choose(data, part, most=3):
    """Pixels that owe most of their echo to a part, far from each other and from the border.

    They lie at least 12 pixels from each other, with their whole receptive box inside. For other
    parts than lightning, they lie where lightning adds nothing.

    Parameters
    ----------
    data : xarray.Dataset
        Square scenes of the world.
    part : str
        One of its parts, such as "edge".
    most : int
        Pixels of one scene.

    Returns
    -------
    (array, array, array)
        Sample, row and column of each.
    """
    rng, found = np.random.default_rng(0), []
    mostly = (world.dominant(data) == world.PARTS.index(part)) & (data[f"truth_{part}"].values > 12)
    mostly &= (data.truth_lightning.values == 0) | (part == "lightning")
    inside = slice(HALF_BOX, data.sizes["y"] - HALF_BOX + 1)
    within = np.zeros_like(mostly)
    within[:, inside, inside] = mostly[:, inside, inside]
    for sample, places in enumerate(map(np.argwhere, within)):
        kept = []
        for place in rng.permutation(places):
            if len(kept) < most and all(np.hypot(*(place - other)) > 12 for other in kept):
                kept.append(place)
        found += [(sample, *place) for place in kept]
    return tuple(np.transpose(found))


def case(model, data, x, pixels, part):
    """Scene, crop and place of each pixel with an estimate above 1 dBZ, and where its cause is.

    Parameters
    ----------
    model : keras.Model
        An encoder-decoder for pictures of any size.
    data : xarray.Dataset
    x : array, shape (sample, y, x, 4)
        The same as the network takes them.
    pixels : (array, array, array)
        As `choose` gives them.
    part : str

    Returns
    -------
    scene : array, shape (n,)
    crops, at
        As `utils.explain.crops.around` gives them.
    causes : array of bool, shape (n, 54, 54)
        In the receptive box of each.
    """
    crops, at = around(x[pixels[0]], *pixels[1:])
    estimates = 60 * model.predict(crops, batch_size=16, verbose=0)[..., 0]
    good = at_pixel(estimates, at) > 1
    where, at = np.transpose(pixels)[good], [at[i] for i in np.nonzero(good)[0]]
    masks = np.array([world.causes(data, *one)[part].any(-1) for one in where])[..., None]
    return where[:, 0], crops[good], at, box(around(masks, *where.T[1:])[0][..., 0], at)


def hill(maps):
    """A round Gaussian as wide as the mean of heat maps.

    Parameters
    ----------
    maps : array, shape (n, y, x)
        Heat maps about the pixel in their middle.

    Returns
    -------
    array, shape of `maps`
        The same hill for each.
    """
    square = ((np.indices(maps.shape[1:]) - maps.shape[1] // 2) ** 2).sum(0)
    mean = maps.clip(0).mean(0)
    variance = (mean * square).sum() / mean.sum() / 2
    return np.broadcast_to(np.exp(-square / (2 * variance)), maps.shape)


def fields(axes, crop, seen, estimate):
    """Draw C13, lightning, radar and the estimate of one picture, with titles.

    Parameters
    ----------
    axes : sequence of four matplotlib.axes.Axes
    crop : array, shape (y, x, 4)
        As the network takes it.
    seen, estimate : array, shape (y, x)
        In dBZ.

    Returns
    -------
    list of matplotlib.image.AxesImage
    """
    values = kelvin(crop), (0.1 + 49.9 * crop[..., 3]) * (crop[..., 3] > 0), seen, estimate
    names = {"C13": "c13", "GLM": "glm", "MRMS": "mrms", "estimate": "mrms"}
    return [
        goes.field(ax, name, field, title)
        for ax, (title, name), field in zip(axes, names.items(), values, strict=True)
    ]


def prepare(model, data, x):
    """Prepare the panel's picture: one output pixel, what is around it, and its heat maps.

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
    figure, axes = plt.subplots(2, 4, figsize=(8.4, 5.2))
    empty = np.zeros(x.shape[1:3])
    inputs = fields(axes[0], x[0], empty, empty)
    for artist, ax, label in zip(inputs, axes[0], ("K", "groups", "dBZ", "dBZ"), strict=True):
        below = figure.colorbar(artist, ax=ax, location="bottom", shrink=0.9, pad=0.03)
        below.set_label(label, fontsize=8)
        below.ax.tick_params(labelsize=8)
    crosses = [goes.cross(ax, (0, 0), 12) for ax in axes[0]]
    frames = [ax.add_patch(Rectangle((0, 0), 54, 54, fc="none", ec=plots.GREY)) for ax in axes[0]]
    # A limit with as many digits as there will be, so that there is room for them.
    look = {"limit": 0.0012, "signed": True}
    shown = [plots.heat_map(ax, empty, "z", **look) for ax in axes[1]]
    marks = [goes.cross(ax, (0, 0), 7) for ax in axes[1]]
    bar = plots.heat_map_bar(figure, shown[0], axes[1], label="one scale")
    figure.suptitle("z", x=0.01, ha="left", fontsize=11)
    keep_layout(figure)
    estimates = {}

    def draw(scene, row, column, lightning, method):
        given = x[[scene]] * [1, 1, 1, lightning]
        if (scene, lightning) not in estimates:
            whole = 60 * model.predict(given, verbose=0)[0, ..., 0].clip(0)
            estimates[scene, lightning] = whole
        whole = estimates[scene, lightning]
        groups = data.glm[scene].values * lightning
        for artist, field in zip(
            inputs, (data.c13[scene], groups, data.mrms[scene], whole), strict=True
        ):
            artist.set_data(field)
        text = (
            f"The scene, and the heat maps of its pixel at the cross: {whole[row, column]:.0f} dBZ"
        )
        if whole[row, column] > 0:
            maps = heat_maps(model, given, [(row, column)], method)[0]
        else:
            maps, text = np.zeros(given.shape[1:]), text + ": nothing to explain"
        figure.suptitle(text, x=0.01, ha="left", fontsize=11)
        limit, unit = abs(maps).max() / 3 or 1, "" if method == "gradient" else " dBZ"
        for i, (artist, name) in enumerate(zip(shown, CHANNELS, strict=True)):
            artist.set_data(maps[..., i])
            artist.set_clim(-limit, limit)
            title = f"{name}: {maps[..., i].sum():.3g}{unit}"
            artist.axes.set_title(title, fontsize=10, fontweight="normal")
            artist.axes.set(xlim=column + SEEN, ylim=row - SEEN)
        plots.bar_ends(bar)
        for cross in crosses + marks:
            cross.set_data([column], [row])
        for square in frames:
            square.set_xy((column - HALF_BOX, row - HALF_BOX))
        return figure

    return draw
