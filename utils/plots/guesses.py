"""What a learner guessed, beside what came out."""

from numbers import Real

import numpy as np
from matplotlib.patheffects import withStroke

from utils.plots.plots import INK


def guess_marks(ax, guess, places, axis="x", colours=None):
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
    colours : dict of str to colour, optional
        Those of the curves, where the place of a guess does not tell which one it is for.

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
    low, high = sorted(ends)
    least, most = min(made.values()), max(made.values())
    room = 0.08 * (max(high, most) - min(low, least))
    low, high = least - room if least < low else low, most + room if most > high else high
    ax.set(**{f"{axis}lim": (low, high) if ends[0] < ends[1] else (high, low)})  # all are seen
    for i, (name, value) in enumerate(made.items()):
        x, y = (value, places[name]) if axis == "x" else (places[name], value)
        colour = (colours or {}).get(name, INK)
        ax.plot(x, y, "D", mfc="none", mec=colour, ms=9, mew=1.8, zorder=5, clip_on=False)
        if i == 0:
            style = {"textcoords": "offset points", "fontsize": 8, "ha": "center"}
            halo = [withStroke(linewidth=3, foreground="white")]
            ax.annotate("your guess", (x, y), (0, 9), path_effects=halo, zorder=6, **style)


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
