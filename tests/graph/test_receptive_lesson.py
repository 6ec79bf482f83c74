"""The checks and pictures of lesson 09."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tensorflow.keras import Input, Sequential, layers

from utils import networks, plots, receptive_field
from utils.check import receptive_fields as check
from utils.panels import receptive_fields as panel
from utils.plots.receptive_fields import boxes, scales
from utils.worlds import distant_trigger

KERNELS, STRIDES = np.array([3, 2, 3]), np.array([1, 2, 1])


@pytest.mark.parametrize(
    "answer, state, said",
    [
        ([3, 4, 8], "right", "8 pixels"),
        ([3, 5, 9], "wrong", "own stride"),
        ([3, 4, 6], "wrong", "leaves the strides out"),
        ([2, 3, 7], "wrong", "Begin with 1"),
        ([3, 4], "wrong", "one size for each"),
        (..., "unanswered", ""),
        ("?", "wrong", "could not be used"),
    ],
)
def test_size_by_formula(answer, state, said):
    verdict = check.size_by_formula(answer, KERNELS, STRIDES)
    assert verdict.state == state and said in verdict.message


def plain(kernel, *more):
    return Sequential([Input((256, 256, 1)), layers.Conv2D(1, kernel, padding="same"), *more])


ROWS = np.arange(112, 120)


@pytest.mark.parametrize(
    "answer, state, said",
    [
        ([8] * 8, "right", "Each needs 8"),
        ([4, 4, 5, 5, 5, 5, 4, 4], "wrong", "filters of 3 rows"),
        ([4] * 8, "wrong", "2 rows more at each end"),
        ([7] * 8, "wrong", "last - first + 1"),
        ([5] * 8, "wrong", "Follow"),
        ([8], "wrong", "each of the 8 rows"),
        (..., "unanswered", ""),
    ],
)
def test_squares_read(answer, state, said):
    verdict = check.squares_read(answer, ROWS, width=5)
    assert verdict.state == state and said in verdict.message


def test_squares_read_by_wider_filters_are_those_of_a_network():
    model = Sequential([Input((256, 256, 1)), *(layers.MaxPooling2D() for _ in range(3))])
    for _ in range(3):
        model.add(layers.Conv2D(1, 5, padding="same"))
        model.add(layers.UpSampling2D())
    found = [receptive_field.box(model, None, (int(row), 128)).size[0] // 8 for row in ROWS]
    assert check.squares_read(found, ROWS, width=5).state == "right"


def test_squares_are_those_that_the_network_reads():
    """A filter three rows wide behind an upsampling covers two coarse rows, whatever its place."""
    model = networks.encoder_decoder(size=None)
    fig = panel.squares(model, (113, 114), (256, 256))
    said = [[text.get_text() for text in ax.texts] for ax in fig.axes]
    assert said == [
        ["3 read", "4 read", "4 read", "46 pixels"],
        ["3 read", "4 read", "5 read", "54 pixels"],
    ]
    plt.close(fig)


def test_blocks_tell_dense_layers_from_the_rest():
    model = Sequential([Input((8, 8, 1)), layers.Conv2D(1, 3), layers.Flatten(), layers.Dense(2)])
    fig = panel.blocks({"net": (model, receptive_field.trace(model))})
    assert [text.get_text() for text in fig.axes[0].texts] == [
        *("C", "3", "F", "3", "D", "all"),
        "field",
    ]
    plt.close(fig)


def test_large_enough():
    ask = {"kilometres": 3, "wanted": 30, "budget": 200}
    assert check.large_enough(plain(11), **ask).state == "right"
    assert "sees 27 km" in check.large_enough(plain(9), **ask).message
    assert "200 are allowed" in check.large_enough(plain(15), **ask).message
    holed = Sequential([Input((256, 256, 1)), layers.Conv2D(1, 3, dilation_rate=(5, 1))])
    assert "Of 11 rows it reads 3" in check.large_enough(holed, 3, 9, 200).message
    pooled = plain(3, layers.GlobalMaxPooling2D())
    assert "sees everything" in check.large_enough(pooled, **ask).message


def test_pictures():
    fig, (left, right) = plt.subplots(1, 2)
    found = receptive_field.box(plain(3), None, (0, 9))
    boxes(left, np.zeros((256, 256)), [found], "a box")
    (patch,) = left.patches
    assert (patch.get_xy(), patch.get_width(), patch.get_height()) == ((7.5, -0.5), 3, 2)
    scales(right, {"first": 9, "last": 150})
    assert [t.get_text() for t in right.get_yticklabels()] == ["first", "last"]
    plt.close(fig)


def test_the_panel_follows_its_controls():
    draw = panel.prepare(np.zeros((32, 32)), 3)
    fig = draw(blocks=1, kernel=3, dilation=1, pool=1)
    first = plots.png(fig)
    assert fig.axes[0].get_title(loc="left") == "3 pixels, 9 km"
    fig = draw(blocks=2, kernel=3, dilation=2, pool=1)
    assert fig.axes[0].get_title(loc="left") == "9 pixels, 27 km"
    assert plots.png(fig) != first


@pytest.mark.parametrize(
    "blocks, kernel, dilation, pool", [(3, 3, 1, 2), (2, 5, 3, 1), (1, 1, 1, 2)]
)
def test_the_panel_knows_what_the_network_would_see(blocks, kernel, dilation, pool):
    model = Sequential([Input((64, 48, 1))])
    for _ in range(blocks):
        model.add(layers.Conv2D(8, kernel, padding="same", dilation_rate=dilation))
        if pool > 1:
            model.add(layers.MaxPooling2D(pool))
    found = panel._boxes((64, 48), blocks, kernel, dilation, pool)
    assert found == [receptive_field.box(model, layer.name) for layer in model.layers]
    kernels = [np.abs(w) for w in model.get_weights()[::2]]
    x = np.random.default_rng(0).random((16, 64, 48, 1), "float32")
    seen = panel._random_field(kernels, dilation, pool, x) > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert found[-1].rows.start <= rows[0] and rows[-1] < found[-1].rows.stop
    assert found[-1].columns.start <= columns[0] and columns[-1] < found[-1].columns.stop


def test_storms_have_their_trigger_where_they_say():
    x, severe = distant_trigger.storms(200, 0)
    west, east = x[:, 15:18, 3:6].mean((1, 2, 3)), x[:, 15:18, 27:30].mean((1, 2, 3))
    assert ((west > east) == severe).all() and 70 < severe.sum() < 130
    with pytest.raises(ValueError, match="n must be"):
        distant_trigger.storms(0, 0)


def test_the_small_field_ends_short_of_the_trigger():
    for dilations, size in (([1, 2, 3, 4], 21), ([1, 2, 4, 5], 25)):
        net = distant_trigger.detector(dilations)
        found = receptive_field.box(net, "map", (16, 16))
        assert found.size == (size, size)
        assert (found.columns.start <= 5) == (size == 25)  # the trigger is in columns 3 to 5
