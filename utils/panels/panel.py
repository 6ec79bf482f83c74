"""What panels share: controls above a figure that follows them."""

import contextlib
from base64 import b64encode

import ipyevents
import ipywidgets
import matplotlib.pyplot as plt
import tensorflow as tf

from utils import plots
from utils.plots import captions


class Panel(ipywidgets.VBox):
    """A panel whose output also holds its first picture, for readers without a kernel.

    A live notebook shows the widget alone, so that the picture stands there once.
    """

    def __init__(self, children, picture, text):
        super().__init__(children)
        self._first = bytes(picture.value), picture.layout.width
        self._texts = captions.of(text) if text else None

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs)
        if not self._texts:
            return data
        (picture, width), (key, caption, alt) = self._first, self._texts
        data |= captions.data(caption) | {"image/png": b64encode(plots.small(picture)).decode()}
        shown = {"image/png": {"alt": alt, "width": int(width.removesuffix("px"))}}
        return data, shown | ({"figure": key} if key else {})


def panel(draw, text=None, /, click=(), **controls):
    """Show controls above a figure that is drawn again whenever one of them moves.

    Parameters
    ----------
    draw : function
        Takes the controls' values by name and returns a matplotlib figure. It should update the
        artists of one figure, so that an answer comes within 0.3 s.
    text : str, optional
        Key or sentence, as in `plots.show`, of the picture with which the panel opens. It stands
        in the solved edition, where nobody can move a control.
    click : (str, str), optional
        Names of the two controls that a click on an image sets to its row and its column.
    **controls : ipywidgets.Widget
        Widgets with a `value`, named as the parameters of `draw`.

    Returns
    -------
    Panel
        To stand in the last line of a cell.
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
        plt.close(figure)  # or the notebook would show it once more at the cell's end
        if figure.dpi < plots.FEWEST_DPI:  # not laid out by `keep_layout`
            figure.set_dpi(plots.FEWEST_DPI)
        picture.value = plots.png(figure)

    for control in controls.values():
        control.style.description_width = "initial"  # or long names are cut
        control.observe(update, "value")
    update()
    picture.layout.width = f"{plots.on_screen(figure)}px"

    def move(event):
        place = _pixel_at(figure, event["dataX"], event["dataY"])
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
    box = ipywidgets.Box(list(controls.values()), layout=row)
    return Panel([box, picture], picture, text)


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


def _pixel_at(figure, x, y):
    """Row and column of the image at a place in the figure's PNG, from its upper left; or None."""
    place = x, figure.bbox.height - y
    for ax in figure.axes:
        if ax.images and ax.bbox.contains(*place):
            column, row = ax.transData.inverted().transform(place)
            return round(row), round(column)
    return None


def loop(draw, text=None, /, *, frames, **controls):
    """Show a panel that steps, plays and stops, like a satellite loop.

    Parameters
    ----------
    draw : function
        As in `panel`, with a parameter `frame`, from 0 on.
    text : str, optional
        As in `panel`.
    frames : int
        How many there are.
    **controls : ipywidgets.Widget
        As in `panel`.

    Returns
    -------
    Panel
        Buttons for play, stop and repeat above it.
    """
    play = ipywidgets.Play(min=0, max=frames - 1, interval=400)
    frame = ipywidgets.IntSlider(0, 0, frames - 1, description="frame")
    ipywidgets.jslink((play, "value"), (frame, "value"))
    inner = panel(draw, frame=frame, **controls)
    return Panel([play, inner], inner.children[1], text)


def keep_layout(figure):
    """Lay a figure out once, or its axes would move with every new title; and close it."""
    plt.close(figure)  # which sets its dots per inch back
    plots.sharpen(figure, plots.FEWEST_DPI)  # more would take too long at each move
