"""CLAIMS.md: the claims that the solved lessons hold in their outputs."""

import re

from lesson_inputs import LessonError

MIME = "application/vnd.peering-inside.claim+json"
COLUMNS = ("claim", "source", "measured", "goal", "verdict")
HEAD = """\
# Claims

What the lecture and the papers say, and what the lessons measured, with its 95 % interval.
`make lessons` makes this page from the solved lessons; the verdicts are computed.
"""


def claims(notebook):
    """Return the claims recorded in a notebook's outputs."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data[MIME] for output in outputs if MIME in output.get("data", {})]


def page(editions):
    """Return the page for {name of a lesson: its solved notebook}."""
    lines, recorded = [HEAD], {}
    for name, notebook in editions.items():
        found = claims(notebook) if notebook else []
        if not found:
            continue
        title = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)
        lines.append(f"## [{title[1] if title else name}](solutions/{name}.ipynb)\n")
        lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
        for claim in found:
            if claim["id"] in recorded:
                raise LessonError(
                    f"Claim {claim['id']} is recorded twice, in {recorded[claim['id']]} and in "
                    f"{name}: give one of them another id."
                )
            recorded[claim["id"]] = name
            row = (claim[column].replace("|", "\\|") for column in COLUMNS)
            lines.append(f"| {' | '.join(row)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
