"""The ledger of claims: what the lecture or a paper says, and what this course measured.

A claim's verdict is computed, never typed. It is stored in the output of the cell that measured it,
and CLAIMS.md is made from there.
"""

import math
import operator
import re

from IPython import get_ipython
from IPython.display import display

from utils.plots.cards import GREEN, ORANGE, RED, card

MIME = "application/vnd.peering-inside.claim+json"
OURS, SLIDE = "this course", "slide: "
OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
LOOKS = {"holds": ("✓", GREEN), "undecided": ("~", ORANGE), "does not hold here": ("✗", RED)}
# The same three for a sentence that says what something does not do.
NEGATIVE = {
    "holds": "confirmed: it does not",
    "undecided": "undecided",
    "does not hold here": "not confirmed: here it does",
}


def record(id, sentence, source, text, value, interval, goal, unit="", negative=False):
    """Record a measured claim: show it on one line and store it in the cell's output.

    Parameters
    ----------
    id : str
        Short name, used once in the course: small letters, digits, hyphens.
    sentence : str
        What was claimed, close to the words of its source.
    source : str
        Who says so: "slide: " and the slide's title, as lessons/lecture.toml has it; a paper's key
        in REFERENCES.md; or "this course" where the expectation is ours.
    text : str
        What was measured to test it.
    value : float
        The result.
    interval : (float, float) or None
        The lower and upper end of its 95 % confidence interval; None where nothing was sampled.
    goal : str
        When the claim holds: an operator and a number, such as ">= 95" or "< 0.2".
    unit : str
        Unit of value, interval and goal, such as "%" or "dBZ".
    negative : bool
        True if the sentence says what something does *not* do: the verdict then is "confirmed: it
        does not" where it would be "holds".

    Raises
    ------
    ValueError
        If an argument is not of this form.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id):
        raise ValueError(f"id must be made of small letters, digits and hyphens, not {id!r}.")
    if not sentence.strip() or not text.strip():
        raise ValueError(f"Claim {id} needs the sentence that it tests and what was measured.")
    if source == "lecture" or not re.fullmatch(rf"{SLIDE}\S.*|[a-z][a-z0-9]*|{OURS}", source):
        raise ValueError(
            f'The source of claim {id} must be "{SLIDE}" and the title of a slide, a key of '
            f'REFERENCES.md, or "{OURS}", not {source!r}.'
        )
    result, goal = verdict(value, interval, goal)
    unit_text = f" {unit}" if unit else ""
    measured = f"{_short(value)}{unit_text}"
    if interval is not None:
        measured += f" ({_short(interval[0])} to {_short(interval[1])})"
    goal += unit_text
    mark, colour = LOOKS[result]
    result = NEGATIVE[result] if negative else result
    line = f"{sentence} ({source}) Measured: {text}, {measured}, goal {goal}"
    plain = f"{mark} {result}: {line}"
    if get_ipython() is None:
        print(plain)
        return
    claim = {
        "id": id,
        "sentence": sentence,
        "source": source,
        "text": text,
        "measured": measured,
        "goal": goal,
        "verdict": result,
    }
    html = card(mark, result, line, colour)
    display({MIME: claim, "text/html": html, "text/plain": plain}, raw=True)


def verdict(value, interval, goal):
    """Compare a measurement with its goal.

    Parameters
    ----------
    value, interval, goal
        As in `record`.

    Returns
    -------
    (str, str)
        The verdict: "holds" if the whole interval meets the goal, "does not hold here" if no part
        of it does, else "undecided". And the goal, evenly spaced.

    Raises
    ------
    ValueError
        If the value does not lie in the interval, or interval or goal cannot be read.
    """
    try:
        low, high = (value, value) if interval is None else interval
    except (TypeError, ValueError):
        raise ValueError(
            f"interval needs a lower and an upper end, or None, not {interval!r}."
        ) from None
    if not -math.inf < low <= value <= high < math.inf:
        raise ValueError(
            f"The value {value:.4g} must lie in its interval, from {low:.4g} to {high:.4g}."
        )
    parts = re.fullmatch(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)", goal.strip())
    if not parts:
        raise ValueError(f'goal must look like ">= 95" or "< 0.2", not {goal!r}.')
    meets, limit = OPERATORS[parts[1]], float(parts[2])
    ends = {bool(meets(low, limit)), bool(meets(high, limit))}
    result = "undecided" if len(ends) > 1 else "holds" if ends == {True} else "does not hold here"
    return result, f"{parts[1]} {parts[2]}"


def _short(number):
    """Three significant digits, and never an exponent for numbers of everyday size."""
    return f"{number:.0f}" if 1000 <= abs(number) < 1e6 else f"{number:.3g}"
