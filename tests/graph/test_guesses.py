"""A learner's guess beside what came out."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils import plots

ROWS = {"cats": 0, "dogs": 1}


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    ax.barh([0, 1], [30, 60])
    ax.set(xlim=(0, 70), ylim=(1.5, -0.5))
    yield ax
    plt.close(fig)


def diamonds(ax):
    return [tuple(map(float, line.get_xydata()[0])) for line in ax.lines]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_without_a_guess_the_figure_is_as_before(ax):
    before = plots.png(ax.figure)
    for guess in ({}, {"cats": None, "dogs": None}, {"of another figure": None}):
        plots.guess_marks(ax, guess, ROWS)
    assert plots.png(ax.figure) == before
    assert plots.guess_text({"cats": None}, "cats") == plots.guess_text({}, "cats") == ""


def test_guesses_of_bars_stand_in_their_rows(ax):
    plots.guess_marks(ax, {"cats": None, "dogs": 40}, ROWS)
    assert diamonds(ax) == [(40, 1)] and words(ax) == ["your guess"]
    assert ax.lines[0].get_marker() == "D" and ax.lines[0].get_markerfacecolor() == "none"
    assert ax.get_xlim() == (0, 70) and ax.get_ylim() == (1.5, -0.5)


def test_guesses_of_curves_have_their_colours(ax):
    colours = {"cats": plots.BLUE, "dogs": plots.RED}
    plots.guess_marks(ax, {"cats": 0.5, "dogs": 1}, ROWS, axis="y", colours=colours)
    assert diamonds(ax) == [(0, 0.5), (1, 1)] and words(ax) == ["your guess"]
    assert [line.get_markeredgecolor() for line in ax.lines] == [plots.BLUE, plots.RED]


def test_a_guess_far_off_is_still_seen(ax):
    plots.guess_marks(ax, {"cats": 90, "dogs": np.float32(-10)}, ROWS)
    assert ax.get_xlim() == pytest.approx((-18, 98))
    plots.guess_marks(ax, {"cats": 3}, ROWS, axis="y")  # an axis that runs downwards
    assert ax.get_ylim() == pytest.approx((3.28, -0.5))


@pytest.mark.parametrize("value", ["40", "40 %", True, ..., float("nan"), [40]])
def test_a_guess_that_is_no_number_is_refused(ax, value):
    for call in (plots.guess_marks, plots.guess_text):
        given = (
            (ax, {"cats": value}, ROWS) if call is plots.guess_marks else ({"cats": value}, "cats")
        )
        with pytest.raises(ValueError, match="guess for 'cats' must be a number, or None: not"):
            call(*given)


def test_a_guess_of_another_cell_is_refused(ax):
    with pytest.raises(ValueError, match="no 'pigs' to guess here: .*, cats, dogs, and run"):
        plots.guess_marks(ax, {"cats": 1, "pigs": 2}, ROWS)


def test_a_guess_in_words():
    assert plots.guess_text({"cats": 40}, "cats", " %") == " (you: 40 %)"
    assert plots.guess_text({"cats": 0.125}, "cats") == " (you: 0.125)"
