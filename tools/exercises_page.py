"""EXERCISES.md: where each exercise of the course stands, made from lessons/.

python tools/exercises_page.py
"""

import re
from pathlib import Path

from minutes import stated

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Exercises

All exercises of the course, with links to the notebooks to work in. Minutes are for all exercises
of a lesson together. `python tools/exercises_page.py` makes this page from the lessons.

| lesson | minutes | exercises |
|---|---|---|
"""


def page(lessons):
    """Return the page for the paths of lessons."""
    rows = []
    for lesson in lessons:
        text = lesson.read_text(encoding="utf-8")
        title = re.search(r"^# # (.+)$", text, re.MULTILINE)[1]
        found = re.findall(r"^# ### Exercise ?(\d*): (.+)$", text, re.MULTILINE)
        names = "<br>".join(f"{number} {name}".strip() for number, name in found)
        link = f"[{title}](notebooks/{lesson.stem}.ipynb)"
        rows.append(f"| {link} | {stated(lesson.stem)[1]} | {names} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    text = page(sorted(ROOT.glob("lessons/[0-9]*.py")))
    (ROOT / "EXERCISES.md").write_text(text, encoding="utf-8")
