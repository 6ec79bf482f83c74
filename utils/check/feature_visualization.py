"""Checks of lesson 02."""

import numpy as np

from utils.check import exercise, right, unanswered, wrong

SIZE = 8  # of the grey square


def _cover(picture, row, column, value=0.5, channels=slice(None), size=SIZE):
    covered = picture.copy()
    height, width = np.broadcast_to(size, 2)
    covered[row : row + height, column : column + width, channels] = value
    return covered


@exercise
def drop(function, excited, picture):
    """A function of picture, row and column: how much the excitation falls by a grey square."""
    rows, columns = picture.shape[:2]
    grid = [(r, c) for r in range(0, rows - SIZE + 1, 4) for c in range(0, columns - SIZE + 1, 4)]
    before = excited(picture[None])[0]
    falls = before - excited(np.stack([_cover(picture, *place) for place in grid]))
    row, column = max(zip(falls, grid, strict=True))[1]
    mine = picture.copy()
    answer = function(mine, row, column)
    if answer is ...:
        return unanswered()
    if answer is None:
        return wrong("The function returns nothing: does it end with a `return`?")
    if not np.array_equal(mine, picture):
        return wrong("The given picture was changed: cover a copy, `picture.copy()`.")
    if np.ndim(answer) != 0:
        return wrong(
            f"The result has the shape {np.shape(answer)}, not one number: `excited` gives one for "
            "each picture, so take `[0]`."
        )

    def same(number):
        return np.isclose(answer, number, rtol=1e-3, atol=1e-4 * abs(before))

    def fall(*args, **kwargs):
        return before - excited(_cover(picture, *args, **kwargs)[None])[0]

    expected = falls.max()
    if same(expected):
        return right(f"The largest fall is {expected:.1f} of {before:.1f}.")
    if same(-expected):
        return wrong("The sign is reversed: a fall is before minus after.")
    if same(before - expected):
        return wrong("That is what is left. How much it falls is the excitation before minus that.")
    if same(expected / before):
        return wrong("That is the share that is lost. The exercise asks for the difference.")
    if same(0):
        return wrong("Nothing changes: was the covered copy given to `excited`, or the picture?")
    if same(fall(column, row)):
        return wrong("Row and column are swapped: the row comes first in `picture[row, column]`.")
    if same(fall(row, 0, size=(SIZE, columns))):
        return wrong("The whole band is covered: give the columns as well, `column : column + 8`.")
    for value, name in [(0, "black"), (1, "white"), (picture.mean(), "the mean of the picture")]:
        if same(fall(row, column, value)):
            return wrong(f"The square is {name}. Grey is 0.5.")
    if any(same(fall(row, column, channels=k)) for k in range(picture.shape[-1])):
        return wrong("Only one colour is covered: leave the last axis out of the brackets.")
    if any(same(fall(row, column, size=size)) for size in (1, SIZE - 1, SIZE + 1)):
        return wrong(
            f"The square has another size: from `row` to `row + {SIZE}`, the end excluded."
        )
    return wrong(
        f"At row {row}, column {column} it should fall by {expected:.2f}, not {answer:.2f}."
    )


@exercise
def jittered(function, slope):
    """The slope at a picture shifted by (down, right), shifted back, as a function of all three."""
    rng = np.random.default_rng(3)
    noise = 0.5 + rng.normal(0, 0.02, (64, 64, 3))
    down, across = 3, -2
    mine = noise.copy()
    answer = function(mine, down, across)
    if answer is ...:
        return unanswered()
    if answer is None:
        return wrong("The function returns nothing: does it end with a `return`?")
    if not np.array_equal(mine, noise):
        return wrong("The given picture was changed: `np.roll` makes a shifted copy.")
    answer = np.asarray(answer, float)
    if answer.shape != noise.shape:
        return wrong(f"The result has the shape {answer.shape}, the picture has {noise.shape}.")

    def shift(values, down, across):
        return np.roll(values, (down, across), (0, 1))

    def expected(x, down, across):
        return shift(slope(shift(x, down, across)), -down, -across)

    def same(numbers):
        return np.allclose(answer, numbers, rtol=1e-3, atol=1e-5 * abs(answer).max())

    moved = slope(shift(noise, down, across))
    if same(expected(noise, down, across)):
        return right("The next figure shows what it does.")
    if same(moved):
        return wrong("The gradient belongs to the shifted picture: shift it back.")
    if same(shift(moved, down, across)):
        return wrong("It was shifted twice the same way: shift back by `-down` and `-right`.")
    if same(slope(noise)):
        return wrong("That is the gradient without jitter: was the shifted picture given to it?")
    if same(expected(noise, across, down)):
        return wrong("Rows and columns are swapped: `down` belongs to axis 0, `right` to axis 1.")
    if same(expected(noise, -down, -across)):
        return wrong("The picture went up and left: shift it by `down` and `right`, then back.")
    if same(shift(slope(noise), -down, -across)) or same(shift(slope(noise), down, across)):
        return wrong("Only the gradient was shifted: shift the picture before it as well.")
    return wrong("The result differs: shift the picture, take its gradient, shift that back.")


@exercise
def separation(answer, with_tag, without):
    """Share of pairs, any picture with and any without, in which the one with excites more."""
    expected = (with_tag[:, None] > without[None]).mean((0, 1))
    answer = np.asarray(answer, float)
    if answer.shape != expected.shape:
        what = "the number of a channel" if answer.ndim == 0 else f"the shape {answer.shape}"
        return wrong(
            f"The result is {what}: give a share for each of the {len(expected)} channels, by the "
            "mean over both axes of pictures, `mean((0, 1))`."
        )

    def same(numbers):
        return np.allclose(answer, numbers, atol=1e-6)

    best = int(expected.argmax())
    if same(expected):
        return right(f"Channel {best} detects it best, with {expected[best]:.4f}.")
    if same((without[:, None] > with_tag[None]).mean((0, 1))):
        return wrong(
            "The other way round: count the pairs in which the picture *with* a tag has more."
        )
    if same((with_tag > without).mean(0)):
        return wrong(
            "Each picture was compared with itself only. A channel that detects the tag has "
            "more with it than in *any* picture without: `with_tag[:, None] > without[None]`."
        )
    if same(with_tag.mean(0) - without.mean(0)):
        return wrong("A difference of means favours loud channels: count pairs instead.")
    if same(expected * with_tag.shape[0] * without.shape[0]):
        return wrong("That is the number of pairs; divide by how many there are.")
    return wrong(f"Channel {best} should have {expected[best]:.3f}, not {answer[best]:.3f}.")
