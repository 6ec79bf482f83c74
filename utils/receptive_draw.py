"""Pictures of receptive fields: boxes on an image, sizes in kilometres beside weather's scales."""

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from matplotlib.patches import Rectangle

from utils import plots, receptive_field

# Horizontal scales in km, as named by Orlanski (1975).
SCALES = {
    "micro α": (0.2, 2),
    "meso γ": (2, 20),
    "meso β": (20, 200),
    "meso α": (200, 2000),
    "macro β": (2000, 10000),
}
EXAMPLES = ("tornadoes", "thunderstorms", "sea breezes", "fronts", "baroclinic waves")


def boxes(ax, image, found, title=""):
    """Draw red boxes on an image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : array, shape (y, x)
        Values 0 to 1.
    found : list of receptive_field.Box
        Cut at the image's border.
    title : str
    """
    plots.picture(ax, image, title)
    for box in found:
        corner = box.columns.start - 0.5, box.rows.start - 0.5
        ax.add_patch(Rectangle(corner, *box.size[::-1], fill=False, ec=plots.RED, lw=1.5))


def scales(ax, kilometres):
    """Draw sizes of receptive fields beside the scales of weather (orlanski1975).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    kilometres : dict of str to float
        Sizes by name, such as a layer's.
    """
    colours = plt.cm.Blues(np.linspace(0.15, 0.6, len(SCALES)))
    for (name, (low, high)), example, colour in zip(SCALES.items(), EXAMPLES, colours, strict=True):
        ax.axvspan(low, high, color=colour, lw=0)
        middle = np.sqrt(low * high)
        ax.text(middle, -0.8, f"{name}\n{example}", ha="center", va="bottom", fontsize=8)
    for row, size in enumerate(kilometres.values()):
        ax.plot(size, row, "o", color=plots.RED)
    ax.set(xscale="log", xlim=(0.2, 10000), ylim=(len(kilometres) - 0.5, -2.2))
    ax.set_yticks(range(len(kilometres)), list(kilometres), parse_math=False)
    ax.set_xlabel("size (km)")


def builder(image, kilometres):
    """Prepare the picture of lesson 09's panel: a network built from blocks, its box and its ERF.

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
        rng, shapes = (
            np.random.default_rng(0),
            [(kernel, kernel, 8 if i else 1, 8) for i in range(blocks)],
        )
        kernels = [rng.normal(0, np.sqrt(2 / np.prod(s[:3])), s).astype("float32") for s in shapes]
        noise = rng.random((4, *image.shape, 1), "float32")
        erf = _random_field(kernels, dilation, pool, noise)
        left.clear()
        right.clear()
        size = found[-1].full_size[0]
        boxes(left, image, found, f"{size} pixels, {size * kilometres:.0f} km")
        plots.picture(right, erf / erf.max()).set_cmap("magma")
        parameters = sum(w.size + 8 for w in kernels)
        right.set_title(
            f"ERF over its maximum; {parameters} parameters", fontsize=10, fontweight="normal"
        )
        return fig

    plt.close(fig)
    return draw


def _boxes(shape, blocks, kernel, dilation, pool):
    """Box of the middle pixel after each convolution and pooling, by going back block by block."""
    found, reach = [], dilation * (kernel - 1) // 2
    for last in range(2 * blocks):
        if last % 2 and pool == 1:
            continue
        pools = (last + 1) // 2
        ends = []
        for n in shape:
            low = high = n // pool**pools // 2
            for layer in range(last, -1, -1):
                if layer % 2:
                    low, high = low * pool, high * pool + pool - 1
                else:
                    low, high = low - reach, high + reach
            ends.append((low, high + 1))
        inside = (slice(max(a, 0), min(b, n)) for (a, b), n in zip(ends, shape, strict=True))
        found.append(receptive_field.Box(*inside, *ends))
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
