"""Panels: controls beside a picture that follows them."""

from dataclasses import replace

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

from utils import lrp, plots
from utils.worlds import clever_hans as clever_hans_world
from utils.worlds import convection as convection_world


def panel(draw, **controls):
    """Show controls above a figure that is drawn again whenever one of them moves.

    Parameters
    ----------
    draw : function
        Takes the controls' values by name and returns a matplotlib figure. It should update the
        artists of one figure, so that an answer comes within 0.3 s.
    **controls : ipywidgets.Widget
        Widgets with a `value`, named as the parameters of `draw`.

    Returns
    -------
    ipywidgets.VBox
        The panel, to stand in the last line of a cell.
    """
    picture = ipywidgets.Image(
        format="png", layout={"max_width": "100%", "align_self": "flex-start"}
    )

    def update(change=None):
        figure = draw(**{name: control.value for name, control in controls.items()})
        picture.value = plots.png(figure)

    for control in controls.values():
        control.style.description_width = "initial"  # or long names are cut
        control.observe(update, "value")
    update()
    row = ipywidgets.Layout(flex_flow="row wrap", grid_gap="4px 16px")
    return ipywidgets.VBox([ipywidgets.Box(list(controls.values()), layout=row), picture])


def loop(draw, frames, **controls):
    """Show a panel that steps, plays and stops, like a satellite loop.

    Parameters
    ----------
    draw : function
        As in `panel`, with a parameter `frame`, from 0 on.
    frames : int
        How many there are.
    **controls : ipywidgets.Widget
        As in `panel`.

    Returns
    -------
    ipywidgets.VBox
        Buttons for play, stop and repeat above the panel.
    """
    play = ipywidgets.Play(min=0, max=frames - 1, interval=400)
    frame = ipywidgets.IntSlider(0, 0, frames - 1, description="frame")
    ipywidgets.jslink((play, "value"), (frame, "value"))
    return ipywidgets.VBox([play, panel(draw, frame=frame, **controls)])


def clever_hans(model, scenes):
    """Prepare the picture of lesson 01's panel: a scene, its heat map and its logit.

    Parameters
    ----------
    model : keras.Model
        The network to ask.
    scenes : list of utils.worlds.clever_hans.Scene

    Returns
    -------
    function
        ``draw(number, tag, row, column, hurdles, shift)`` returns the figure of scene `number`,
        with or without a tag at (row, column) and hurdles shifted by so many pixels.
    """
    figure, picture, heat_map = _picture_and_map("red for, blue against")

    def draw(number, tag, row, column, hurdles, shift):
        scene = replace(
            scenes[number],
            tag=tag,
            tag_position=(row, column),
            hurdles=hurdles,
            hurdle_shift=shift,
        )
        x = clever_hans_world.render([scene]).picture.values
        result = lrp.relevance(model, x, "preset_a", layers=False)
        logit = result.ledger.received.iloc[0]
        values = result.input[0].sum(-1)
        picture.set_data(x[0])
        picture.axes.set_title(f"z = {logit:.1f}: {'horse' if logit > 0 else 'no horse'}")
        heat_map.set_data(values / plots.colour_limit(values))
        return figure

    return draw


def convection_loop(pictures, titles):
    """Prepare the picture of lesson 06's loop: several sequences side by side.

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
    _keep_layout(figure)

    def draw(frame):
        for artist, sequence in zip(shown, pictures, strict=True):
            artist.set_data(sequence[frame])
        return figure

    return draw


def convection(model, scenes):
    """Prepare the picture of lesson 06's panel: a scene, its heat map and its probability.

    Parameters
    ----------
    model : keras.Model
        A network with one output, the logit of "convection".
    scenes : list of utils.worlds.convection.Scene
        Of the kind "shield".

    Returns
    -------
    function
        ``draw(number, brightness, texture, sun)`` returns the figure of scene `number` with this
        brightness, this contrast of the bubbling, and the sun at this zenith angle in degrees.
    """
    figure, picture, heat_map = _picture_and_map("red for, blue against")

    def draw(number, brightness, texture, sun):
        scene = replace(scenes[number], brightness=brightness, texture=texture, sun_zenith=sun)
        data = convection_world.render([scene])
        x = convection_world.as_input(data)
        result = lrp.relevance(model, x, "alpha_1_beta_0", layers=False)
        logit = result.ledger.received.iloc[0]
        values = result.input[0].sum(-1)
        picture.set_data(x[0, :, :, x.shape[-1] // 2])
        picture.axes.set_title(f"convection: {100 / (1 + np.exp(-logit)):.0f} %")
        heat_map.set_data(values / plots.colour_limit(values))
        return figure

    return draw


def lrp_rules(model, pictures):
    """Prepare the picture of lesson 03's panel: a heat map by rules with other numbers.

    Parameters
    ----------
    model : keras.Model
        Convolutions and dense layers.
    pictures : array, shape (sample, y, x, 3)

    Returns
    -------
    function
        ``draw(number, alpha, epsilon)`` returns the figure of picture `number`, with the epsilon
        rule for dense layers and the alpha-beta rule for convolutions.
    """
    figure, picture, heat_map = _picture_and_map()

    def draw(number, alpha, epsilon):
        rules = {"Conv2D": lrp.alpha_beta(alpha), "Dense": lrp.epsilon(epsilon)}
        result = lrp.relevance(model, pictures[[number]], rules, layers=False)
        values = result.input[0].sum(-1)
        picture.set_data(pictures[number])
        picture.axes.set_title(f"logit {result.ledger.received.iloc[0]:.1f}")
        heat_map.set_data(values / plots.colour_limit(values))
        for_it, against = values.clip(min=0).sum(), values.clip(max=0).sum()
        heat_map.axes.set_title(f"red {for_it:+.1f}, blue {against:+.1f}")
        return figure

    return draw


def _picture_and_map(title="z"):  # any text keeps room for a title
    """A figure with an empty picture on the left and an empty heat map on the right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.2, 3.1))
    empty = np.zeros((64, 64, 3))
    picture = plots.picture(left, empty)
    heat_map = plots.relevance(right, empty, limit=1)
    plots.relevance_bar(figure, heat_map, right, label="relevance")
    left.set_title("z")
    right.set_title(title)
    _keep_layout(figure)
    return figure, picture, heat_map


def _keep_layout(figure):
    """Lay a figure out once, or its axes would move with every new title; and close it."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    plt.close(figure)
