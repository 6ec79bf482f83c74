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
OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
LOOKS = {"holds": ("✓", GREEN), "partly": ("~", ORANGE), "does not hold here": ("✗", RED)}


def record(id, text, source, value, interval, goal, unit=""):
    """Record a measured claim: show it on one line and store it in the cell's output.

    Parameters
    ----------
    id : str
        Short name, used once in the course: small letters, digits, hyphens.
    text : str
        What was claimed, in words that can be measured.
    source : str
        A key of REFERENCES.md, or "lecture".
    value : float
        What was measured.
    interval : (float, float)
        The lower and upper end of its confidence interval.
    goal : str
        When the claim holds: an operator and a number, such as ">= 95" or "< 0.2".
    unit : str
        Unit of value, interval and goal, such as "%" or "dBZ".

    Raises
    ------
    ValueError
        If an argument is not of this form.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id):
        raise ValueError(f"id must be made of small letters, digits and hyphens, not {id!r}.")
    if not text.strip() or not source.strip():
        raise ValueError(f"Claim {id} needs a text and a source (a key of REFERENCES.md).")
    result, goal = verdict(value, interval, goal)
    low, high = interval
    unit_text = f" {unit}" if unit else ""
    measured = f"{_short(value)}{unit_text} ({_short(low)} to {_short(high)})"
    goal += unit_text
    line = f"{text}: {measured}, goal {goal} ({source})"
    mark, colour = LOOKS[result]
    plain = f"{mark} {result}: {line}"
    if get_ipython() is None:
        print(plain)
        return
    claim = {
        "id": id,
        "claim": text,
        "source": source,
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
        The verdict: "holds" if the whole interval meets the goal, "partly" if the value does and
        the interval does not, else "does not hold here". And the goal, evenly spaced.

    Raises
    ------
    ValueError
        If the value does not lie in the interval, or interval or goal cannot be read.
    """
    try:
        low, high = interval
    except (TypeError, ValueError):
        raise ValueError(f"interval needs a lower and an upper end, not {interval!r}.") from None
    if not -math.inf < low <= value <= high < math.inf:
        raise ValueError(
            f"The value {value:.4g} must lie in its interval, from {low:.4g} to {high:.4g}."
        )
    parts = re.fullmatch(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)", goal.strip())
    if not parts:
        raise ValueError(f'goal must look like ">= 95" or "< 0.2", not {goal!r}.')
    meets, limit = OPERATORS[parts[1]], float(parts[2])
    if not meets(value, limit):
        result = "does not hold here"
    elif meets(low, limit) and meets(high, limit):
        result = "holds"
    else:
        result = "partly"
    return result, f"{parts[1]} {parts[2]}"


def _short(number):
    """Three significant digits, and never an exponent for numbers of everyday size."""
    return f"{number:.0f}" if 1000 <= abs(number) < 1e6 else f"{number:.3g}"
