"""Lesson 06: sequences side by side, and a scene whose clouds and sun can be changed."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from utils import plots
from utils.panels import heat_map
from utils.panels.panel import keep_layout
from utils.worlds import convection as world

NETWORKS = {  # of sections 4 and 5, and the names of their weights
    "brightness only": "convection_brightness",
    "first network": "convection",
    "second network": "convection_repaired",
    "texture only": "convection_texture",
}


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
    """Prepare the panel's picture: a scene, its heat map, z and the answer.

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
        says = f"z = {logit:.1f}: {'convection' if logit > 0 else 'none'}"
        percent = 100 * relevance / (relevance.sum() or 1)  # of what speaks for it
        return x[0, :, :, x.shape[-1] // 2], percent, says, "what speaks for it (%)"

    return heat_map.prepare(look, signed=False)


def correlation(maps, fields):
    """Correlation of each heat map with its field over the pixels, arrays (scene, time, y, x)."""
    a, b = (v - v.mean((1, 2, 3), keepdims=True) for v in (maps, fields))
    return (a * b).sum((1, 2, 3)) / np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))


def fair_partners(scenes, brightness):
    """Scenes about half as bright that bubble nearly as strongly, in reflectance, as before."""
    return [replace(s, brightness=brightness, texture=2 * s.texture) for s in scenes]
