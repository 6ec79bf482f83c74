"""Lesson 09: what a layer reads, as squares and as blocks, and a network built on a panel."""

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import UpSampling2D

from utils import plots
from utils.plots.receptive_fields import boxes
from utils.receptive_field import geometry
from utils.receptive_field.layers import geometry_of

LETTERS = {"Conv2D": "C", "MaxPooling2D": "P", "UpSampling2D": "U", "Flatten": "F", "Dense": "D"}


def letters(table):
    """A short name for each layer of a trace, as on the lecture's slide: 1 C, 2 P, 3 C ..."""
    return [f"{i} {LETTERS.get(kind, kind)}" for i, kind in enumerate(table.kind, 1)]


def squares(model, rows, size):
    """Draw which squares of each coarser grid a row of an encoder-decoder's output needs.

    Parameters
    ----------
    model : keras.Model
        Convolutions with an upsampling behind each in its decoder, one layer after the other.
    rows : sequence of int
        Rows of the output, a drawing for each.
    size : (int, int)
        Of the input in pixels.

    Returns
    -------
    matplotlib.figure.Figure
    """
    network = geometry_of(model, size)
    found, lines = [], []
    for row in rows:
        one = geometry.Pixels((row, size[1] // 2), np.ones((1, 1), bool))
        reached = geometry.back(network, len(network) - 1, one)
        lines.append([])
        for position, layer in reversed(list(enumerate(model.layers))):
            if isinstance(layer, UpSampling2D):  # the convolution before it, and what that reads
                width = size[0] // network[position - 1].size[0]
                wanted, read = (reached[position - i].places(0) for i in (1, 2))
                lines[-1].append((width, wanted, read))
        found.append(reached[0].places(0))
    low, high = min(map(min, found)) - 6, max(map(max, found)) + 7
    fig, axes = plt.subplots(len(rows), 1, figsize=(8, 2.1 * len(rows)), sharex=True)
    for ax, row, grids, box in zip(np.ravel(axes), rows, lines, found, strict=True):
        for line, (width, wanted, read) in enumerate(grids):
            for place in range(low // width, high // width + 1):
                shade = plots.BLUE if place in wanted else plots.SKY if place in read else "white"
                place *= width
                look = {"fc": shade, "ec": plots.GREY, "lw": 0.8}
                ax.add_patch(plt.Rectangle((place, -line), width, -0.7, **look))
            ax.text(high + 1, -line - 0.35, f"{len(read)} read", va="center", fontsize=9)
        bar = plt.Rectangle((box[0], -line - 1), len(box), -0.4, fc=plots.ORANGE)
        ax.add_patch(bar)
        ax.text(high + 1, -line - 1.2, f"{len(box)} pixels", va="center", fontsize=9)
        ax.set(xlim=(low, high), ylim=(-line - 1.6, 0.2))
        names = [f"1/{width} grid" for width, *_ in grids]
        ax.set_yticks([-0.35 - i for i in range(line + 1)] + [-line - 1.2], [*names, "input"])
        ax.set_title(f"output row {row}", loc="left", fontsize=10)
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
    ax.set_xlabel("row of the input")
    return fig


def blocks(networks):
    """Draw networks as blocks, each as high as its map, with the receptive field below.

    Parameters
    ----------
    networks : dict of str to (keras.Model, pandas.DataFrame)
        By name, a model with maps of a fixed size, and its `receptive_field.trace`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = plt.subplots(len(networks), 1, figsize=(9, 2.3 * len(networks)), squeeze=False)
    for ax, (title, (model, table)) in zip(axes[:, 0], networks.items(), strict=True):
        whole, seen = model.input_shape[1], 1
        for i, (name, kind, size, spatial) in enumerate(
            table[["kind", "size_y", "spatial"]].itertuples()
        ):
            shape = model.get_layer(name).output_shape
            height = shape[1] / whole if spatial else 0.5
            colour = plots.BLUE if spatial else plots.ORANGE
            ax.bar(i, height, 0.62 if spatial else 0.2, bottom=-height / 2, color=colour)
            ax.text(i, 0.56, LETTERS.get(kind, kind), ha="center", fontsize=9)
            seen = size if spatial else seen
            field = f"{seen:.0f}" if spatial or kind == "Flatten" else "all"  # of a unit
            ax.text(i, -0.72, field, ha="center", fontsize=9)
        ax.text(-0.8, -0.72, "field", ha="right", fontsize=9)
        ax.set(xlim=(-1.6, 12.6), ylim=(-0.8, 0.72))
        ax.set_title(title, loc="left", fontsize=10)
        ax.axis("off")
    return fig


def prepare(image, kilometres):
    """Prepare the panel's picture: a network built from blocks, its box and its ERF.

    Parameters
    ----------
    image : array, shape (y, x)
        Values 0 to 1.
    kilometres : float
        Size of a pixel.

    Returns
    -------
    function
        ``draw(blocks, kernel, dilation, pool)`` returns the figure for so many blocks of a
        convolution and, if `pool` is above 1, a pooling.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 4.3))

    def draw(blocks, kernel, dilation, pool):
        found = _boxes(image.shape, blocks, kernel, dilation, pool)
        rng = np.random.default_rng(0)
        shapes = [(kernel, kernel, 8 if i else 1, 8) for i in range(blocks)]
        fields = []
        for _ in range(6):
            kernels = [
                rng.normal(0, np.sqrt(2 / np.prod(s[:3])), s).astype("float32") for s in shapes
            ]
            noise = rng.random((2, *image.shape, 1), "float32")
            fields.append(_random_field(kernels, dilation, pool, noise))
        erf = np.sqrt(np.mean(np.square(fields), 0))
        left.clear()
        right.clear()
        size = found[-1].full_size[0]
        boxes(left, image, found, f"{size} pixels, {size * kilometres:.0f} km")
        plots.picture(right, erf / erf.max()).set_cmap("magma")
        ends = found[-1].columns, found[-1].rows
        (west, east), (north, south) = ((end.start - 0.5, end.stop - 0.5) for end in ends)
        right.set(xlim=(west, east), ylim=(south, north))
        parameters = sum(w.size + 8 for w in kernels)
        right.set_title(
            f"ERF over its maximum; {parameters} parameters", fontsize=10, fontweight="normal"
        )
        return fig

    plt.close(fig)
    return draw


def _boxes(shape, blocks, kernel, dilation, pool):
    """Box of the middle pixel after each convolution and pooling."""
    block = [(kernel, 1, dilation, "same"), (pool, pool)][: 2 if pool > 1 else 1]
    network, found = [geometry.Layer(shape)], []
    for numbers in blocks * block:
        axes = tuple(geometry.window(n, *numbers) for n in network[-1].size)
        size = tuple(axis.length for axis in axes)
        network.append(geometry.Layer(size, (len(network) - 1,), (axes,)))
        found.append(geometry.box(network, len(network) - 1, tuple(n // 2 for n in size)))
    return found


def _random_field(kernels, dilation, pool, x):
    """ERF of the middle pixel of convolutions and poolings, without building a network."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        given = z = tf.constant(x)
        for kernel in kernels:
            before = z = tf.nn.convolution(z, kernel, 1, "SAME", dilations=dilation)
            z = tf.nn.relu(z)
            if pool > 1:
                before = z = tf.nn.max_pool2d(z, pool, pool, "VALID")
        row, column = (n // 2 for n in before.shape[1:3])
        slope = session.run(tf.gradients(before[:, row, column], given)[0])
    return np.sqrt((slope**2).mean((0, 3)))
