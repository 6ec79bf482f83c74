"""Lesson 09: a network built from blocks, the boxes of its layers, and its effective field."""

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from utils import plots
from utils.plots.receptive_fields import boxes
from utils.receptive_field import geometry


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
