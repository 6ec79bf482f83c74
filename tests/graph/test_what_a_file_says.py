"""Text from files is harmless: no formula where drawn, no HTML where shown, and short."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from tensorflow import keras

from utils import check, lrp, plots
from utils.archive import store
from utils.explain import explain
from utils.panels import clever_hans, climate_indicators, convection, innvestigate
from utils.plain import plain
from utils.plots import cards, goes, maps, receptive_fields
from utils.receptive_field import box

FORMULA = r"$\frac{$"  # half a formula: where it is taken for one, Matplotlib raises
TAG = "<img src=x onerror=alert(1)>"
LONG = "x" * 10_000  # as long as layer names may be
FLAT, MAP, PICTURE = np.eye(8), np.ones((30, 60)), np.zeros((8, 8, 3))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("GOES-16", "GOES-16"),
        ("  two\n\tlines\r\n", "two lines"),
        ("\x1b[31mred\x00 \u202eback \ud800", "[31mred back"),
        ("naïve 台风 <b>", "naïve 台风 <b>"),
        (FORMULA, r"\frac{"),
        ("x" * 80, "x" * 80),
        ("x" * 10**6, "x" * 79 + "…"),
        (np.array([1, 2]), "[1 2]"),
        (None, "None"),
    ],
)
def test_text_becomes_plain(text, expected):
    assert plain(text) == expected
    assert plain(plain(text)) == plain(text)


# ---- drawn ---------------------------------------------------------------------------------------


def on_axes(draw):
    fig, ax = plt.subplots()
    draw(ax)
    return fig


def globe():
    fig, axes = maps.globes(1, 1, (3, 2))
    maps.bar(fig, maps.draw(axes[0, 0], MAP, FORMULA), axes, FORMULA)
    return fig


def indicator():
    network = keras.Sequential([keras.Input((30, 60)), keras.layers.Flatten()])
    network.add(keras.layers.Dense(20))
    run = {"network": network, "maps": MAP[None], "x": MAP[None], "years": np.array([2000])}
    return climate_indicators.prepare({FORMULA: run | {"units": FORMULA}})(FORMULA, 2000)


def tour():
    masks = np.arange(8) + np.zeros((1, 8, 1)) > 3
    return innvestigate.prepare(PICTURE[None], {FORMULA: {"a": FLAT[None]}}, masks)(FORMULA, "a", 0)


SCORES = {"FAR": np.array([0.1, 0.2]), "POD": np.array([0.1, 0.2])}
DRAWN = {
    "picture": lambda: on_axes(lambda ax: plots.picture(ax, FLAT, FORMULA)),
    "heat map": lambda: on_axes(lambda ax: plots.heat_map(ax, FLAT, FORMULA)),
    "set again": lambda: on_axes(lambda ax: plots.picture(ax, FLAT).axes.set_title(FORMULA)),
    "bar": lambda: on_axes(
        lambda ax: plots.heat_map_bar(ax.figure, plots.heat_map(ax, FLAT), ax, FORMULA)
    ),
    "gallery": lambda: clever_hans.gallery([PICTURE], {FORMULA: [FLAT]}),
    "before and after": lambda: clever_hans.before_after({FORMULA: {FORMULA: ([1.0], [-1.0])}}),
    "globe": globe,
    "indicator": indicator,
    "field": lambda: on_axes(lambda ax: goes.field(ax, "c13", FLAT, FORMULA)),
    "diagram": lambda: goes.performance_diagram({FORMULA: SCORES}, [10, 20]),
    "groups": lambda: goes.dots({FORMULA: {"a": (1, (0, 2))}}, FORMULA),
    "legend": lambda: goes.dots({"a": {FORMULA: (1, (0, 2))}}, "z"),
    "loop": lambda: convection.prepare_loop(FLAT[None, None], [FORMULA])(0),
    "tour": tour,
    "boxes": lambda: on_axes(lambda ax: receptive_fields.boxes(ax, FLAT, [], FORMULA)),
    "scales": lambda: on_axes(lambda ax: receptive_fields.scales(ax, {FORMULA: 10.0})),
}


@pytest.mark.parametrize("what", DRAWN)
def test_dollars_are_drawn_as_dollars(what):
    fig = DRAWN[what]()
    plots.png(fig)
    assert any(FORMULA in text.get_text() for text in fig.findobj(plt.Text))
    plt.close("all")


# ---- in attributes, which xarray draws by itself -------------------------------------------------


@pytest.fixture(scope="module")
def model():
    convolution = keras.layers.Conv2D(2, 3, name=LONG)
    layers = [keras.Input((8, 8, 1)), convolution, keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential(layers)


@pytest.fixture
def data():
    dims = ("sample", "y", "x", "channel")
    return xr.DataArray(np.ones((2, 8, 8, 1), "float32"), dims=dims, name=FORMULA + LONG)


def test_heat_maps_have_a_short_plain_name(model, data, tmp_path):
    found = explain(model, data, "gradient")
    fig = on_axes(lambda ax: found[0, ..., 0].plot(ax=ax))
    plots.png(fig)
    plt.close(fig)
    store.make(tmp_path / "maps", "relevance", model, data.chunk(sample=1), 1, {})
    stored = xr.open_zarr(tmp_path / "maps", consolidated=False).relevance
    for name in (found.long_name, stored.long_name):
        assert r" of \frac{xxx" in name and len(name) < 120


# ---- in sentences and as HTML --------------------------------------------------------------------


def test_names_in_a_sentence_are_cut(model, data):
    odd, flat = keras.layers.Softmax(1, name=LONG), keras.layers.Flatten()
    x = data.values
    for call in (
        lambda: box(model, "other", (1, 1)),
        lambda: box(model, LONG, (100, 100)),
        lambda: box(model, LONG[:-1], (1, 1)),
        lambda: lrp.relevance(model, data.to_dataset(name="$\n" + LONG), output=0),
        lambda: lrp.relevance(keras.Sequential([keras.Input((8, 8, 1)), odd, flat]), x),
    ):
        with pytest.raises((ValueError, TypeError, NotImplementedError)) as caught:
            call()
        words = str(caught.value).replace(repr(LONG[:-1]), "what was asked for")
        assert len(words) < 500 and "\n" not in words


def test_an_error_in_a_check_is_cut():
    @check.exercise
    def fails(answer):
        raise KeyError(answer)

    message = repr(fails(f"{FORMULA}\n{TAG}" + LONG))
    assert len(message) < 500 and "\n" not in message


def test_a_card_is_text_whatever_it_says():
    shown = cards.card(TAG, TAG, TAG, f'red">{TAG}')
    assert "<img" not in shown and shown.count('"') == 6
    assert 'class="mathjax_ignore tex2jax_ignore"' in shown
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            plots.show(plt.figure(), f"A caption that says {FORMULA}{TAG}")
    finally:
        InteractiveShell.clear_instance()
    html = captured.outputs[1].data["text/html"]
    assert "<img" not in html and "mathjax_ignore" in html
