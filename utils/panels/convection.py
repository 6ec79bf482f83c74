"""Lesson 06: sequences side by side, and a scene whose clouds and sun can be changed."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras

from utils import plots
from utils.panels import heat_map
from utils.panels.panel import keep_layout
from utils.worlds import convection as world


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
    """Prepare the panel's picture: a scene, its heat map and its probability.

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
        says = f"convection: {100 / (1 + np.exp(-logit)):.0f} %"
        share = relevance / (relevance.sum() or 1)  # of what speaks for it, whatever the answer
        return x[0, :, :, x.shape[-1] // 2], share, says, "what speaks for it, as shares"

    return heat_map.prepare(look)


def correlation(maps, fields):
    """Correlation of each heat map with its field over the pixels, arrays (scene, time, y, x)."""
    a, b = (v - v.mean((1, 2, 3), keepdims=True) for v in (maps, fields))
    return (a * b).sum((1, 2, 3)) / np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))


def favourites(model, x, picture, n=8):
    """What excites each channel of a network's third convolution most, as it sees it.

    Parameters
    ----------
    model : keras.Sequential
        `utils.networks.convection` or `utils.networks.clever_hans`, whose third convolution sees
        18 x 18 pixels.
    x : array, shape (sample, 64, 64, channel)
    picture : function
        Makes one picture of an input, shape (y, x, channel), such as its middle frame.
    n : int
        Samples for a channel.

    Returns
    -------
    list of array, shape (n, 18, 18)
        For each channel that at least n samples excite.
    """
    third = keras.Model(model.input, model.layers[4].output)
    values = third.predict(x, verbose=0)[:, 2:14, 2:14]  # where the whole window is inside
    found = []
    for channel in np.moveaxis(values, -1, 0):
        top = np.argsort(-channel.max((1, 2)))[:n]
        if channel[top].max((1, 2)).min() <= 0:
            continue
        places = [np.unravel_index(channel[i].argmax(), (12, 12)) for i in top]
        corners = [(4 * row + 1, 4 * column + 1) for row, column in places]
        windows = [x[i, r : r + 18, c : c + 18] for i, (r, c) in zip(top, corners, strict=True)]
        found.append(np.array([picture(window) for window in windows]))
    return found


def likeness(windows):
    """Mean correlation of all pairs of windows, shape (window, y, x)."""
    return np.corrcoef(windows.reshape(len(windows), -1))[np.triu_indices(len(windows), 1)].mean()
