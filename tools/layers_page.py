"""LAYERS.md: which layer of Keras works through which front door, each tried against an oracle.

python tools/layers_page.py          make the page again, in some minutes
python tools/layers_page.py Conv     print what is found for the layers whose names begin so
"""

import sys
from pathlib import Path

import utils  # noqa: F401 - before TensorFlow, which takes Keras 2 by its word

# isort: split
from layer_cases import CASES
from layer_fronts import FRONTS, NONE, REFUSED, RIGHT, judge

PAGE = Path(__file__).parents[1] / "LAYERS.md"
HEAD = """\
# What works on your network

Each layer of Keras 2 in a small network with random weights, through each front door of the
course. *right*: the numbers are those of an independent derivation: differences of `predict` for
slopes, the papers' formulas with matrices from unit vectors for rules, pushed pixels for fields.
*refused*: one sentence names the layer. Empty: not a question for such a network. This page is made
by `python tools/layers_page.py`; `make test` tries a part of it, and `make test-slow` all.

"""


def table(cases=CASES, fronts=FRONTS, show=None):
    """{case's title: {front: verdict}}."""
    found = {}
    for case in cases:
        found[case.title] = {front: judge(front, case) for front in fronts}
        if show:
            show(case.title, found[case.title])
    return found


def page(found):
    """The page for a table."""
    verdicts = [verdict for row in found.values() for verdict in row.values() if verdict != NONE]
    counts = {kind: verdicts.count(kind) for kind in (RIGHT, REFUSED)}
    wrong = len(verdicts) - sum(counts.values())
    text = HEAD + f"{counts[RIGHT]} right, {counts[REFUSED]} refused, {wrong} wrong.\n\n"
    text += f"| layer | {' | '.join(FRONTS)} |\n" + "|---" * (len(FRONTS) + 1) + "|\n"
    for title, row in found.items():
        cells = (verdict.partition(":")[0] for verdict in row.values())
        text += f"| `{title}` | {' | '.join(cells)} |\n"
    return text


def show(title, row):
    for front, verdict in row.items():
        if verdict not in (RIGHT, REFUSED, NONE):
            print(f"{title:45} {front:28} {verdict}", flush=True)


if __name__ == "__main__":
    from utils import course

    course.start()
    begin = sys.argv[1] if len(sys.argv) > 1 else ""
    made = table([case for case in CASES if case.layer.startswith(begin)], show=show)
    if begin:
        print(page(made).replace(HEAD, ""))
    else:
        PAGE.write_text(page(made), encoding="utf-8")
