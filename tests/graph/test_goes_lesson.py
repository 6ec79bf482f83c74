"""Lesson 07's pictures: a crop gives the whole picture's numbers, and the panel follows."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tensorflow import keras

from utils import lrp, networks, plots, worlds
from utils.explain.crops import around, at_pixel, box
from utils.panels import goes_to_mrms as panel
from utils.plots import goes
from utils.worlds import goes_mrms


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    network = networks.encoder_decoder(size=None)
    rng = np.random.default_rng(0)
    network.set_weights([w + 0.05 * rng.random(w.shape) for w in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def data():
    return goes_mrms.simulate(2, worlds.VALIDATION, 128)


@pytest.mark.parametrize("pixel", [(0, 0), (60, 61), (67, 34), (40, 79), (127, 90)])
def test_a_crop_is_as_good_as_the_whole(model, data, pixel):
    x = goes_mrms.as_input(data)[:1]
    crops, at = around(x, *np.transpose([pixel]))
    assert crops.shape == (1, 64, 64, 4)
    whole = model.predict(x, verbose=0)[0][pixel]
    np.testing.assert_allclose(model.predict(crops, verbose=0)[0][at[0]], whole, rtol=1e-5)
    maps = panel.heat_maps(model, crops, at)[0]
    full = 60 * lrp.relevance(model, x, "alpha_1_beta_0", output=pixel, layers=False).input[0]
    top, left = np.array(pixel) - at[0]
    single = 2e-6 * abs(full).max()  # sums in another order
    np.testing.assert_allclose(maps, full[top : top + 64, left : left + 64], rtol=0, atol=single)
    assert abs(maps).sum() == pytest.approx(abs(full).sum(), rel=1e-4)


def test_the_gradient_is_the_networks(model, data):
    crops, at = around(goes_mrms.as_input(data)[:1], [60], [60])
    slope = panel.heat_maps(model, crops, at, "gradient")[0]
    place = np.unravel_index(abs(slope).argmax(), slope.shape)
    # In double precision: the outputs are large, and their rounding would hide a small step.
    keras.backend.set_floatx("float64")
    try:
        double = networks.encoder_decoder(size=None)
    finally:
        keras.backend.set_floatx("float32")
    double.set_weights(model.get_weights())
    step = np.zeros(crops.shape)
    step[0][place] = 1e-6
    ends = [double.predict(crops + s * step, verbose=0)[0][at[0]] for s in (1, -1)]
    assert slope[place] == pytest.approx(float((ends[0] - ends[1]).squeeze()) / 2e-6, rel=1e-3)


def test_panel_follows_its_controls(model, data):
    draw = panel.prepare(model, data, goes_mrms.as_input(data))
    method = "LRP alpha 1 beta 0"
    settings = [(0, 60, 60, True, method), (0, 60, 60, True, method), (1, 60, 60, True, method)]
    settings += [(0, 70, 60, True, method), (0, 60, 60, True, "LRP alpha 1 beta 0, flat")]
    shown = [plt.imread(io.BytesIO(plots.png(draw(*setting)))) for setting in settings]
    # Sums over threads differ in the last digit, so a colour may move by one of 255 steps.
    assert abs(shown[0] - shown[1]).max() <= 1.5 / 255
    assert all(abs(shown[0] - other).max() > 0.1 for other in shown[2:])


def test_panel_says_where_there_is_nothing_to_explain(data):
    silent = networks.encoder_decoder(size=None)
    silent.set_weights([0 * w for w in silent.get_weights()])
    draw = panel.prepare(silent, data, goes_mrms.as_input(data))
    figure = draw(0, 60, 60, True, "LRP alpha 1 beta 0")
    assert "nothing to explain" in figure._suptitle.get_text()


def test_what_is_filled_has_no_edge_left():
    crop = np.zeros((8, 8, 4))
    crop[:, :3, 2], crop[:, 3, 2], crop[:, 4:, 2] = 0.05, 0.4, 0.9  # sky, half covered, cloud
    crop[..., 0] = np.arange(8)
    np.testing.assert_allclose(panel.kelvin(crop)[0, [0, 3, 7]], [295, 260, 210])
    assert panel.steepness(crop).max() == pytest.approx((295 - 210) / 2)
    half = panel.filled(crop, 275)  # the colleague's: the sky becomes the rim
    assert panel.steepness(half).max() == pytest.approx((260 - 210) / 2)
    whole = panel.filled(crop)
    assert panel.steepness(whole).max() == 0 and (whole[:, :4, 0] == 4).all()
    np.testing.assert_array_equal(whole[:, 4:], crop[:, 4:])


def test_fields_of_a_crop_show_what_the_network_takes(data):
    fig, axes = plt.subplots(1, 4)
    seen = data.mrms[0].values
    shown = panel.fields(axes, goes_mrms.as_input(data)[0], seen, seen / 2)
    c13, groups = data.c13[0].values.clip(200, 300), data.glm[0].values.clip(0, 50)
    for artist, values in zip(shown, (c13, groups, seen, seen / 2), strict=True):
        np.testing.assert_allclose(artist.get_array(), values, atol=1e-3)
    plt.close(fig)


def test_fields_have_units():
    fig, ax = plt.subplots()
    assert goes.field(ax, "c13", np.full((8, 8), 220)).get_clim() == (190, 310)
    assert "(K)" in ax.get_title(loc="left")
    plt.close(fig)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: goes.field(None, "c02", 0), "choose from c07"),
        (lambda: around(np.zeros((1, 60, 64, 4)), [0], [0]), "multiples of 8"),
        (lambda: around(np.zeros((1, 64, 64, 4)), [64], [0]), "inside the picture"),
        (lambda: around(np.zeros((2, 64, 64, 4)), [0], [0]), "for each picture"),
        (lambda: panel.heat_maps(None, None, None, "lrp"), "choose from"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_box_and_pixel_of_a_crop():
    crops = np.arange(64 * 64.0).reshape(1, 64, 64)
    at = [(30, 33)]
    assert at_pixel(crops, at) == [30 * 64 + 33]
    inside = box(crops, at)
    assert inside.shape == (1, 54, 54) and inside[0, 27, 27] == 30 * 64 + 33
    with pytest.raises(ValueError, match="27 pixels inside"):
        box(crops, [(5, 33)])


def test_performance_diagram_shows_each_estimate():
    perfect = {"FAR": np.zeros(2), "POD": np.ones(2)}
    poor = {"FAR": np.array([0.5, 0.8]), "POD": np.array([0.4, 0.2])}
    fig = goes.performance_diagram({"perfect": perfect, "poor": poor}, [10, 20])
    lines = {line.get_label(): line for line in fig.axes[0].lines}
    np.testing.assert_allclose(lines["perfect"].get_xydata(), 1)
    np.testing.assert_allclose(lines["poor"].get_xydata(), [[0.5, 0.4], [0.2, 0.2]])
    plt.close(fig)


def test_dots_stand_at_their_values_with_their_intervals():
    fig = goes.dots({"a": {"one": (2, (1, 4)), "two": (3, (3, 3))}}, "dBZ")
    one, two = fig.axes[0].containers
    assert one[0].get_xydata().tolist() == [[2, 0]] and two[0].get_xydata().tolist() == [[3, 1]]
    np.testing.assert_allclose(one[2][0].get_segments()[0][:, 0], [1, 4])
    assert [text.get_text() for text in fig.axes[0].get_yticklabels()] == ["one", "two"]
    plt.close(fig)
