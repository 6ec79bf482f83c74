"""Panels: controls beside a picture that follows them."""

import contextlib
from dataclasses import replace

import ipyevents
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from utils import lrp, plots


def panel(draw, click=(), **controls):
    """Show controls above a figure that is drawn again whenever one of them moves.

    Parameters
    ----------
    draw : function
        Takes the controls' values by name and returns a matplotlib figure. It should update the
        artists of one figure, so that an answer comes within 0.3 s.
    click : (str, str), optional
        Names of the two controls that a click on an image sets to its row and its column.
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

    figure = None
    in_this_session = _session_of_this_thread()

    def update(change=None):
        nonlocal figure
        with in_this_session():
            figure = draw(**{name: control.value for name, control in controls.items()})
        picture.value = plots.png(figure)

    for control in controls.values():
        control.style.description_width = "initial"  # or long names are cut
        control.observe(update, "value")
    update()

    def move(event):
        place = pixel_at(figure, event["dataX"], event["dataY"])
        moved = [controls[name] for name in click]
        if place and all(c.min <= i <= c.max for c, i in zip(moved, place, strict=True)):
            for control in moved:  # one picture for both
                control.unobserve(update, "value")
            for control, i in zip(moved, place, strict=True):
                control.value = i
                control.observe(update, "value")
            update()

    if click:
        ipyevents.Event(source=picture, watched_events=["click"]).on_dom_event(move)
    row = ipywidgets.Layout(flex_flow="row wrap", grid_gap="4px 16px")
    return ipywidgets.VBox([ipywidgets.Box(list(controls.values()), layout=row), picture])


def _session_of_this_thread():
    """A context with the graph and session of now: JupyterLab moves panels in another thread."""
    if tf.executing_eagerly():
        return contextlib.nullcontext
    graph, session = tf.compat.v1.get_default_graph(), tf.compat.v1.keras.backend.get_session()

    @contextlib.contextmanager
    def inside():
        with graph.as_default(), session.as_default():
            yield

    return inside


def pixel_at(figure, x, y):
    """The pixel of an image under a place in the figure's PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        As `plots.png` has drawn it.
    x, y : float
        From the PNG's upper left corner, in its pixels.

    Returns
    -------
    (int, int) or None
        Row and column, if there is an image.
    """
    place = np.array([x / plots.DPI, figure.get_figheight() - y / plots.DPI]) * figure.dpi
    for ax in figure.axes:
        if ax.images and ax.bbox.contains(*place):
            column, row = ax.transData.inverted().transform(place)
            return round(row), round(column)
    return None


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
    from utils.worlds import clever_hans as world  # here: the other panels need none

    figure, picture, heat_map = _picture_and_map("red for, blue against")

    def draw(number, tag, row, column, hurdles, shift):
        scene = replace(
            scenes[number],
            tag=tag,
            tag_position=(row, column),
            hurdles=hurdles,
            hurdle_shift=shift,
        )
        _update(model, world.render([scene]).picture.values, picture, heat_map)
        return figure

    return draw


def occlusion(model, pictures):
    """Prepare the picture of lesson 05's panel: a grey patch, and the heat map of what is left.

    Parameters
    ----------
    model : keras.Model
        The network to ask.
    pictures : array, shape (sample, y, x, 3)

    Returns
    -------
    function
        ``draw(number, size, row, column)`` returns the figure of picture `number` with a patch of
        `size` by `size` pixels whose upper left one is (row, column).
    """
    figure, picture, heat_map = _picture_and_map("red for, blue against")

    def draw(number, size, row, column):
        x = pictures[[number]].copy()
        x[:, row : row + size, column : column + size] = 0.5
        _update(model, x, picture, heat_map)
        return figure

    return draw


def _update(model, x, picture, heat_map):
    """Show a picture with its logit, and its heat map by preset A."""
    result = lrp.relevance(model, x, "preset_a", layers=False)
    logit = result.ledger.received.iloc[0]
    values = result.input[0].sum(-1)
    picture.set_data(x[0])
    picture.axes.set_title(f"z = {logit:.1f}: {'horse' if logit > 0 else 'no horse'}")
    heat_map.set_data(values / plots.colour_limit(values))


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


def method_tour(pictures, maps, masks):
    """Prepare the picture of lesson 04's panel: a picture and one of its heat maps.

    Parameters
    ----------
    pictures : array, shape (sample, y, x, 3)
    maps : dict of dict of array, shape (sample, y, x)
        By method, then by network.
    masks : array of bool, shape (sample, y, x)
        What to outline in the heat map: the tag.

    Returns
    -------
    function
        ``draw(kind, state, number)`` returns the figure of picture `number`.
    """
    figure, picture, heat_map = _picture_and_map()
    picture.axes.set_title("picture")
    outline = None

    def draw(kind, state, number):
        values = maps[kind][state][number]
        picture.set_data(pictures[number])
        heat_map.set_data(values / plots.colour_limit(values))
        heat_map.axes.set_title(f"{kind}, {state}")
        nonlocal outline
        if outline:
            outline.remove()
        colour = plots.PARTS["tag"]
        outline = heat_map.axes.contour(masks[number], [0.5], colors=colour, linewidths=1.3)
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
    from utils.worlds import convection as world  # here: the other panels need none

    figure, picture, heat_map = _picture_and_map("red for, blue against")

    def draw(number, brightness, texture, sun):
        scene = replace(scenes[number], brightness=brightness, texture=texture, sun_zenith=sun)
        data = world.render([scene])
        x = world.as_input(data)
        result = lrp.relevance(model, x, "alpha_1_beta_0", layers=False)
        logit = result.ledger.received.iloc[0]
        values = result.input[0].sum(-1)
        picture.set_data(x[0, :, :, x.shape[-1] // 2])
        picture.axes.set_title(f"convection: {100 / (1 + np.exp(-logit)):.0f} %")
        heat_map.set_data(values / plots.colour_limit(values))
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


def synthesised(samples, runs):
    """Prepare the picture of lesson 02's panel: the steps in which an input was made up.

    Parameters
    ----------
    samples : dict of str to array, shape (y, x, 3)
        For each part of the network the sample that excites it most.
    runs : dict of str to features.Optimised
        For each part what `features.synthesise` gave.

    Returns
    -------
    function
        ``draw(part, frame)`` returns the figure of a part at its frame of this number (the last
        one if there are fewer), beside its strongest sample.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.6), width_ratios=[1, 1, 1.3])
    empty = next(iter(samples.values()))
    left, right = (plots.picture(ax, empty, "z") for ax in axes[:2])
    (curve,) = axes[2].plot([], [])
    (here,) = axes[2].plot([], [], "o", color=plots.ORANGE)
    axes[2].set(xlabel="step", title="excitation")
    _keep_layout(figure)

    def draw(part, frame):
        run = runs[part]
        step = list(run.frames)[min(frame, len(run.frames) - 1)]
        left.set_data(samples[part])
        left.axes.set_title("strongest sample")
        right.set_data(run.frames[step])
        right.axes.set_title(f"step {step}: {run.history[step]:.1f}")
        curve.set_data(range(len(run.history)), run.history)
        here.set_data([step], [run.history[step]])
        axes[2].relim()
        axes[2].autoscale_view()
        return figure

    return draw


def _keep_layout(figure):
    """Lay a figure out once, or its axes would move with every new title; and close it."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    plt.close(figure)
