"""Panels: controls beside a picture that follows them."""

from dataclasses import replace

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

from utils import plots
from utils.explain import explain
from utils.worlds import clever_hans as clever_hans_world


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
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.2, 3.1))
    empty = np.zeros((64, 64, 3))
    picture = plots.picture(left, empty)
    heat_map = plots.relevance(right, empty, limit=1)
    plots.relevance_bar(figure, heat_map, right, label="relevance")
    left.set_title("z")
    right.set_title("red for, blue against")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # or the axes would move with every new title
    plt.close(figure)

    def draw(number, tag, row, column, hurdles, shift):
        scene = replace(
            scenes[number],
            tag=tag,
            tag_position=(row, column),
            hurdles=hurdles,
            hurdle_shift=shift,
        )
        x = clever_hans_world.render([scene]).picture.values
        logit = model.predict(x, verbose=0)[0, 0]
        values = explain(model, x, "lrp.sequential_preset_a")[0].sum(-1)
        picture.set_data(x[0])
        heat_map.set_data(values / plots.colour_limit(values))
        left.set_title(f"z = {logit:.1f}: {'horse' if logit > 0 else 'no horse'}")
        return figure

    return draw
