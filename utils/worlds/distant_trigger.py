"""A task whose answer lies 12 pixels away, and networks that see more or less far: lesson 09."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

from utils.worlds.drawing import check_request

SIZE, DISTANCE = 33, 12  # pixels: the picture, and from the storm to its trigger


def storms(n, seed):
    """Noise, a storm in the middle, and a trigger to its west (severe) or its east (not).

    Storm and trigger are 3 x 3 pixels brighter by 1; the noise has a deviation of 0.3.

    Parameters
    ----------
    n, seed : int
        As for the worlds.

    Returns
    -------
    x : array, shape (n, 33, 33, 1)
    severe : array of bool, shape (n,)

    Raises
    ------
    ValueError
        If n or seed is no whole number in its range.
    """
    check_request(n, seed, None, [None])
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.3, (n, SIZE, SIZE, 1)).astype("float32")
    severe = rng.random(n) < 0.5
    middle, near = SIZE // 2, np.arange(-1, 2)
    columns = middle + np.where(severe, -DISTANCE, DISTANCE)
    rows = middle + near[:, None]
    x[:, rows, middle + near] += 1
    x[np.arange(n)[:, None, None], rows, columns[:, None, None] + near] += 1
    return x, severe


def detector(dilations):
    """Convolutions of 3 x 3 in a row; the answer, a logit, is read at the storm.

    Parameters
    ----------
    dilations : list of int
        One convolution each. They cost no parameters.

    Returns
    -------
    keras.Sequential
        From (sample, 33, 33, 1) to (sample, 1).
    """
    net = keras.Sequential([keras.Input((SIZE, SIZE, 1))])
    for rate in dilations:
        net.add(layers.Conv2D(8, 3, padding="same", dilation_rate=rate, activation="relu"))
    net.add(layers.Conv2D(1, 1, name="map"))
    net.add(layers.Cropping2D(SIZE // 2))
    net.add(layers.Flatten())
    return net
