"""How an exercise answers: not answered yet, right, or wrong with the diagnosis.

Each lesson has a module here, and each exercise a function that works the right answer out from the
data. A check never raises: whatever it is given, it returns a verdict.
"""

import functools
from dataclasses import dataclass, replace

from utils.plain import plain
from utils.plots.cards import GREEN, GREY, ORANGE, card

LOOKS = {
    "unanswered": ("…", "Not answered yet.", GREY),
    "right": ("✓", "Right.", GREEN),
    "noted": ("✓", "Noted.", GREEN),
    "wrong": ("✗", "Not yet.", ORANGE),
}


@dataclass(frozen=True)
class Verdict:
    """What a check says: its `state` ("unanswered", "right", "noted", "wrong") and a `message`."""

    state: str
    message: str

    def __post_init__(self):
        if self.state not in LOOKS:
            raise ValueError(f"state must be one of {', '.join(LOOKS)}, not {self.state!r}.")

    def __repr__(self):
        mark, title, _ = LOOKS[self.state]
        return f"{mark} {title} {self.message}".rstrip()

    def _repr_html_(self):
        mark, title, colour = LOOKS[self.state]
        return card(mark, title, self.message, colour)


def unanswered(message="Replace the `...` in the cell above, run it, then run this one again."):
    """Return the verdict on an exercise nobody has tried."""
    return Verdict("unanswered", message)


def right(message=""):
    """Return the verdict on a right answer; the message may say what it means."""
    return Verdict("right", message)


def noted(message):
    """Return the verdict on a guess, which is neither right nor wrong; the message scores it."""
    return Verdict("noted", message)


def wrong(message):
    """Return the verdict on a wrong answer; the message says what may have gone wrong."""
    return Verdict("wrong", message)


def together(answer, judges):
    """Return one verdict on a dict of answers: the worst, with how many are right.

    Each answer has a judge, a check of its own, so that one can be answered after the other.
    """
    if answer is ...:
        return unanswered()
    if not isinstance(answer, dict) or len(answer) != len(judges):
        return wrong(f"Keep the dict with its {len(judges)} questions, and fill in the answers.")
    verdicts = [judge(value) for judge, value in zip(judges, answer.values(), strict=True)]
    order = ["wrong", "unanswered", "right"]
    worst = min(verdicts, key=lambda verdict: order.index(verdict.state))
    if worst.state == "right":
        return right(" ".join(verdict.message for verdict in verdicts))
    done = sum(verdict.state == "right" for verdict in verdicts)
    return replace(worst, message=f"{done} of {len(verdicts)} right. {worst.message}")


def exercise(function):
    """Make a function into a check that never raises.

    An argument that is or holds the stub's ``...`` gives "unanswered". An exception, usually
    from an answer of another type or shape than expected, gives "wrong" with its reason.
    """

    @functools.wraps(function)
    def check(*args, **kwargs):
        if any(_is_stub(answer) for answer in (*args, *kwargs.values())):
            return unanswered()
        try:
            return function(*args, **kwargs)
        except Exception as error:
            return wrong(
                f"Your answer could not be used ({type(error).__name__}: {plain(error, 300)}). "
                "Are its type and its shape what the exercise asks for?"
            )

    return check


def _is_stub(answer):
    if isinstance(answer, dict):
        answer = list(answer.values())
    return answer is ... or isinstance(answer, list | tuple) and any(map(_is_stub, answer))
