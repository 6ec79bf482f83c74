"""What a learner guessed, beside what came out."""

from numbers import Real

import numpy as np

from utils.plots.plots import INK


def guess_marks(ax, guess, places, axis="x", names=False):
    """Mark the numbers of a guess by hollow diamonds; with no number the axes stay as they are.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    guess : dict of str to float or None
        As a cell of the lesson holds it; None is no guess.
    places : dict of str to float
        By name, where a guess stands on the other axis, such as the row of a bar.
    axis : {"x", "y"}
        The axis along which a guess counts: "x" for horizontal bars, "y" for curves.
    names : bool
        Write the name beside each diamond, where its place does not tell it.

    Raises
    ------
    ValueError
        If a guess is no number, or its name has no place.
    """
    made = {name: value for name, value in guess.items() if _number(name, value) is not None}
    if not made:
        return
    unknown = made.keys() - places.keys()
    if unknown:
        raise ValueError(
            f"There is no {sorted(unknown)[0]!r} to guess here: keep the names of the guess, "
            f"{', '.join(places)}, and run its cell before this one."
        )
    ends = list(ax.get_xlim() if axis == "x" else ax.get_ylim())
    wider = [*ends, *made.values()]  # a guess far off is still seen
    low, high = (min, max) if ends[0] < ends[1] else (max, min)
    ax.set(**{f"{axis}lim": (low(wider), high(wider))})
    for i, (name, value) in enumerate(made.items()):
        x, y = (value, places[name]) if axis == "x" else (places[name], value)
        style = {"mfc": "none", "mec": INK, "ms": 9, "mew": 1.5, "zorder": 5, "clip_on": False}
        ax.plot(x, y, "D", **style)
        if names or i == 0:
            text = f"your guess: {name}" if names else "your guess"
            options = {"textcoords": "offset points", "fontsize": 8, "parse_math": False}
            ax.annotate(text, (x, y), (0, 8), ha="center", annotation_clip=False, **options)


def guess_text(guess, name, unit=""):
    """Say a guess in words, to stand behind a number; with no guess the empty text.

    Parameters
    ----------
    guess : dict of str to float or None
        As for `guess_marks`.
    name : str
        Which of them; one that was not asked for is no guess.
    unit : str
        Such as " %".

    Returns
    -------
    str
        Such as ``" (you: 40 %)"``.

    Raises
    ------
    ValueError
        If the guess is no number.
    """
    value = _number(name, guess.get(name))
    return "" if value is None else f" (you: {value:g}{unit})"


def _number(name, value):
    """The value, if it is None or a number."""
    fine = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
    if value is not None and not fine:
        raise ValueError(f"Your guess for {name!r} must be a number, or None: not {value!r}.")
    return value
