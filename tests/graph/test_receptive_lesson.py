"""The checks and pictures of lesson 09."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tensorflow.keras import Input, Sequential, layers

from utils import plots, receptive_draw, receptive_field
from utils.check import receptive_fields as check

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


def test_sees_48():
    assert check.sees_48(plain(48)).state == "right"
    assert "sees 47 rows" in check.sees_48(plain(47)).message
    assert "sees everything" in check.sees_48(plain(48, layers.Flatten())).message


def test_large_enough():
    ask = {"kilometres": 3, "wanted": 30, "budget": 200}
    assert check.large_enough(plain(11), **ask).state == "right"
    assert "sees 27 km" in check.large_enough(plain(9), **ask).message
    assert "200 are allowed" in check.large_enough(plain(15), **ask).message
    pooled = plain(3, layers.GlobalMaxPooling2D())
    assert "sees everything" in check.large_enough(pooled, **ask).message


def test_pictures():
    fig, (left, right) = plt.subplots(1, 2)
    found = receptive_field.box(plain(3), None, (0, 9))
    receptive_draw.boxes(left, np.zeros((256, 256)), [found], "a box")
    (patch,) = left.patches
    assert (patch.get_xy(), patch.get_width(), patch.get_height()) == ((7.5, -0.5), 3, 2)
    receptive_draw.scales(right, {"first": 9, "last": 150})
    assert [t.get_text() for t in right.get_yticklabels()] == ["first", "last"]
    plt.close(fig)


def test_the_panel_follows_its_controls():
    draw = receptive_draw.builder(np.zeros((32, 32)), 3)
    fig = draw(blocks=1, kernel=3, dilation=1, pool=1)
    first = plots.png(fig)
    assert fig.axes[0].get_title(loc="left") == "3 pixels, 9 km"
    fig = draw(blocks=2, kernel=3, dilation=2, pool=1)
    assert fig.axes[0].get_title(loc="left") == "9 pixels, 27 km"
    assert plots.png(fig) != first
