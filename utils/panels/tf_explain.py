"""Lesson 05: a grey patch and the heat map of what is left, and how the lesson's maps are drawn."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from sklearn.svm import LinearSVC
from tensorflow import keras

from utils import plots, skill
from utils.panels import heat_map
from utils.worlds import clever_hans

PATCH = 8  # pixels: sharpest on the tag, on the lesson's first pictures
STAGE = 1  # the pooling at which exercise 1's map finds the tag best, on the same pictures


def prepare(model, pictures):
    """Prepare the panel's picture: a picture with a patch, its heat map and its logit.

    Parameters
    ----------
    model : keras.Model
    pictures : array, shape (sample, y, x, 3)

    Returns
    -------
    function
        ``draw(number, size, row, column)`` returns the figure of picture `number` with a patch of
        `size` by `size` pixels whose upper left one is (row, column).
    """

    def look(number, size, row, column):
        x = pictures[[number]].copy()
        x[:, row : row + size, column : column + size] = 0.5
        picture, relevance, says, _ = heat_map.horse(model, x)
        return picture, relevance, says, "LRP, preset A"

    return heat_map.prepare(look)


def tag_decides(logits, n, seed):
    """Pictures that are a horse to a network with their tag, and none without it.

    Parameters
    ----------
    logits : function
        From pictures to the network's logits.
    n, seed : int
        As in `clever_hans.scenes`, whose tagged horses are taken.

    Returns
    -------
    list of Scene
    xarray.Dataset
        Their pictures, as `clever_hans.render` makes them.
    numpy.ndarray, shape (sample, y, x, 3)
        The same pictures without the tag.
    """
    scenes = [scene for scene in clever_hans.scenes(n, seed) if scene.horse and scene.tag]
    tagged, cut = (clever_hans.render([replace(s, tag=on) for s in scenes]) for on in (True, False))
    decides = (logits(tagged.picture.values) > 0) & (logits(cut.picture.values) < 0)
    kept = [scene for scene, keep in zip(scenes, decides, strict=True) if keep]
    return kept, tagged.isel(sample=decides), cut.picture.values[decides]


def averaging(model, layer, data):
    """Replace what follows a layer by global average pooling and a linear layer, fitted to data.

    Parameters
    ----------
    model : keras.Model
        The network that is cut behind the layer called `layer`; its weights stay as they are.
    layer : str
    data : xarray.Dataset
        Pictures and labels; the first three quarters are learned from.

    Returns
    -------
    network : keras.Model
        From pictures to a logit, shape (sample, 1).
    bias : float
        Of its last layer.
    score : float
        The share of right answers for the last quarter of `data`.
    """
    maps = model.get_layer(layer).output
    mean = keras.Model(model.input, keras.layers.GlobalAveragePooling2D()(maps))
    means, label = mean.predict(data.picture.values, verbose=0), data.horse.values
    scale, some = means.std(0) + 1e-6, slice(3 * len(label) // 4)  # a filter may be silent
    # The l1 penalty leaves few filters. C was chosen on pictures of the validation range of seeds.
    fit = LinearSVC(C=0.1, penalty="l1", dual=False, max_iter=10_000, random_state=0)
    fit.fit(means[some] / scale, label[some])
    last = keras.layers.Dense(1)
    network = keras.Model(model.input, last(mean.output))
    last.set_weights([(fit.coef_ / scale).T, fit.intercept_])
    others = slice(some.stop, None)
    return network, fit.intercept_[0], fit.score(means[others] / scale, label[others])


def which(pictures, of_first, of_other, place):
    """Draw pictures above two of the toolbox's drawings; `place` tells the first network's, 1 or 2.

    Parameters
    ----------
    pictures : array, shape (sample, y, x, 3)
    of_first, of_other : list of array, shape (y, x, 3), values 0 to 255
        What the toolbox made for two networks.
    place : sequence of int

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = plt.subplots(3, len(pictures), figsize=(2.1 * len(pictures), 6.6))
    for i, column in enumerate(axes.T):
        drawings = [of_first[i], of_other[i]] if place[i] == 1 else [of_other[i], of_first[i]]
        plots.picture(column[0], pictures[i], f"picture {i + 1}")
        for ax, drawing in zip(column[1:], drawings, strict=True):
            plots.picture(ax, drawing / 255)
    axes[1, 0].set_ylabel("drawing 1")
    axes[2, 0].set_ylabel("drawing 2")
    return fig


def behind(numbers, p, said):
    """Draw the numbers behind the drawings of `which`; `numbers` and `p` are by network."""
    fig, axes = plt.subplots(2, len(said), figsize=(2.3 * len(said), 5.2))
    for row, state in zip(axes, ("first", "shuffled 0"), strict=True):
        for i, ax in enumerate(row):
            title = f"p = {p[state][i]:.4f}"
            drawn = plots.heat_map(ax, numbers[state][i], title)
        row[0].set_ylabel(f"{state.split()[0]} network")
    for ax, text in zip(axes[0], said, strict=True):
        ax.set_title(f"{text}\n{ax.get_title('left')}", fontsize=10, fontweight="normal")
    plots.heat_map_bar(fig, drawn, axes, label="value, scaled to each map")
    return fig


def beside(pictures, tag, maps, z):
    """Draw pictures with their logit and, beside each, its heat maps with the tag outlined.

    Parameters
    ----------
    pictures : array, shape (sample, y, x, 3)
    tag : array of bool, shape (sample or more, y, x)
    maps : dict of str to array, shape (sample or more, y, x)
        By title, in which a comma breaks the line.
    z : sequence of float
        The logits that all maps of a picture explain.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return _rows(pictures, tag, {name: (None, found) for name, found in maps.items()}, z)


def beside_each(pictures, tag, maps):
    """Like `beside` for maps of several networks: `maps` has pairs of logits and maps by title."""
    return _rows(pictures, tag, maps, None)


def _rows(pictures, tag, maps, z):
    columns = 1 + len(maps)
    size = 10, (10 / columns + 0.15) * len(pictures) + 0.3
    fig, axes = plt.subplots(len(pictures), columns, figsize=size, squeeze=False)
    for i, row in enumerate(axes):
        plots.picture(row[0], pictures[i], f"picture {i + 1}" if z is None else f"z = {z[i]:.1f}")
        for ax, (name, (logit, found)) in zip(row[1:], maps.items(), strict=True):
            title, masks = "" if i else name.replace(", ", "\n", 1), {"the tag": tag[i]}
            explained = None if logit is None else logit[i]
            drawn = plots.heat_map(ax, found[i], title, masks, explained=explained)
    plots.heat_map_bar(fig, drawn, axes, label="value, scaled to each map")
    return fig


def chart(results, kinds):
    """Draw the scores of heat maps: densities on the tag, and agreement after shuffling.

    Parameters
    ----------
    results : dict of str to dict
        By name of a method: lists of numbers ``"first"``, ``"repaired"``, a number a picture, and
        ``"shuffled"``, ``"agreement"``, a number a shuffle.
    kinds : dict of str to iterable of str
        Names of the methods, by the kind that gives them their colour.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes; row i of both belongs to the i-th method. Lines are 95 % intervals.
    """
    colours = dict(zip(kinds, (plots.INK, plots.BLUE, plots.ORANGE), strict=True))
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8), sharey=True, width_ratios=(3, 2))
    # The cross stands a little lower than the circles, which would hide it.
    marks = {
        "first": ("o", "full", 0),
        "repaired": ("o", "none", 0),
        "shuffled": ("x", "full", 0.3),
    }
    for row, (name, result) in enumerate(results.items()):
        colour = next(colours[kind] for kind, names in kinds.items() if name in names)
        for ax, key, (mark, fill, lower) in [
            *((left, key, look) for key, look in marks.items()),
            (right, "agreement", ("o", "full", 0)),
        ]:
            value, (low, high) = skill.bootstrap(np.mean, result[key])
            ax.plot([low, high], [row + lower] * 2, color=colour, lw=1.2, alpha=0.6)
            ax.plot(value, row + lower, mark, color=colour, fillstyle=fill, ms=7)
    shown = [Line2D([], [], color=c, lw=6, label=kind) for kind, c in colours.items()]
    for key, (mark, fill, _) in marks.items():
        look = {"marker": mark, "fillstyle": fill, "ms": 7, "ls": "", "color": plots.INK}
        shown.append(Line2D([], [], label=f"{key} network", **look))
    fig.legend(handles=shown, loc="outside upper center", ncols=6, fontsize=9)
    left.axvline(1, color=plots.INK, lw=1, ls=":")
    left.axvline(5, color=plots.GREY, lw=1, ls="--")
    left.text(5.1, len(results) - 0.7, "goal", color=plots.GREY, fontsize=9)
    right.text(0.51, len(results) - 0.7, "limit", color=plots.GREY, fontsize=9)
    right.axvline(0.5, color=plots.INK, lw=1, ls=":")
    left.set(yticks=range(len(results)), yticklabels=results, ylim=(len(results) - 0.5, -0.5))
    left.set(xlabel="density on the tag (even spread: 1)", xlim=(0, None))
    right.set(xlabel="rank correlation with shuffled networks", xlim=(-0.05, 1.05))
    left.grid(axis="y")
    right.grid(axis="y")
    return fig


def moved(picture, boxes, maps):
    """Draw a picture with boxes, first the tag's, and maps of some networks by name."""
    fig, axes = plt.subplots(1, 1 + len(maps), figsize=(10, 2.4))
    plots.picture(axes[0], picture, "four places", {"tag": boxes[0]})
    for box in boxes[1:]:
        axes[0].contour(box, [0.5], colors=["white"], linewidths=1)
    for ax, (name, one) in zip(axes[1:], maps.items(), strict=True):
        drawn = plots.heat_map(ax, one, name, {"the tag": boxes[0]})
    plots.heat_map_bar(fig, drawn, axes, label="logit lost")
    return fig


def score(maps, tag):
    """Densities on the tag for three kinds of networks, and agreement after shuffling.

    Parameters
    ----------
    maps : dict of str to array, shape (sample, y, x) or (sample, y, x, channel)
        By network: ``"first"``, ``"repaired"``, and any whose name starts with "shuffled", which
        may have fewer samples.
    tag : array of bool, shape (sample, y, x)

    Returns
    -------
    dict of str to array
        ``"first"`` and ``"repaired"``, the densities of the map's size, a number a picture;
        ``"shuffled"``, the mean density, and ``"agreement"``, the mean rank correlation with the
        first network's map, on the grid of `coarse`, a number a shuffle. An empty map counts
        as 0.
    """
    density, agreement = {}, []
    for state, some in maps.items():
        size = abs(some.sum(-1) if some.ndim == 4 else some)
        density[state] = np.nan_to_num(skill.relevance_density(size, tag[: len(size)]))
        if state.startswith("shuffled"):
            same = skill.rank_agreement(coarse(maps["first"][: len(some)]), coarse(some))
            agreement.append(np.nan_to_num(same).mean())
    shuffled = [values.mean() for state, values in density.items() if state.startswith("shuffled")]
    both = {state: density[state] for state in ("first", "repaired")}
    return both | {"shuffled": np.array(shuffled), "agreement": np.array(agreement)}


def coarse(maps):
    """Average maps over the cells of an 8 x 8 grid, so that fine and coarse ones compare.

    Parameters
    ----------
    maps : array, shape (sample, y, x) or (sample, y, x, channel)
        Channels are added first; y and x are multiples of 8.

    Returns
    -------
    numpy.ndarray, shape (sample, 8, 8)
    """
    maps = maps.sum(-1) if maps.ndim == 4 else maps
    n, y, x = maps.shape
    return maps.reshape(n, 8, y // 8, 8, x // 8).mean((2, 4))


def boxes(tags, up):
    """Rectangles around tags, moved up by some pixels; bool, shape (up, sample, y, x)."""
    found = np.zeros((len(up), *tags.shape), bool)
    for i, tag in enumerate(tags):
        rows, columns = (np.flatnonzero(tag.any(axis)) for axis in (1, 0))
        for box, above in zip(found[:, i], up, strict=True):
            box[rows[0] - above : rows[-1] + 1 - above, columns[0] : columns[-1] + 1] = True
    return found


def exercise_1(gradients_at, network, x):
    """Maps of exercise 1 at its best stage, for what comes after it; arguments as in the lesson."""
    poolings = [layer.name for layer in network.layers if "pooling" in layer.name]
    activations, slopes = gradients_at(network, x, poolings[STAGE])
    return (activations * slopes).sum(-1)


def exercise_2(integrated, classes, scores, x, steps=10):
    """Attributions of exercise 2, for what comes after it; arguments as in the lesson."""
    return x * integrated(scores, x, steps)
