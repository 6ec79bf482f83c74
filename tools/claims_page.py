"""CLAIMS.md: the claims that the solved lessons hold in their outputs.

lessons/lecture.toml says what each slide of the lecture claims. It is joined here, by the ids of
the claims, with what the lessons measured.
"""

import re
import tomllib

from lesson_inputs import LessonError

MIME = "application/vnd.peering-inside.claim+json"
COLUMNS = {
    "what is claimed": "sentence",
    "by": "source",
    "what was measured": "text",
    "result": "measured",
    "goal": "goal",
    "verdict": "verdict",
}
HEAD = """\
# Claims

What the lecture and the papers say, and what the lessons measured, with the 95 % interval in
brackets where something was sampled. By *slide* stands its title, by a paper its key in
[REFERENCES.md](REFERENCES.md); *this course* means that the expectation was ours. Goals are ours
throughout: neither the lecture nor a paper names a number. A claim **holds** if the whole interval
meets the goal; it **does not hold here** if no part of it does; else it is **undecided**. A
sentence that says what something does not do is **confirmed** or **not confirmed**.
`make lessons` makes this page from the solved lessons and `lessons/lecture.toml`; the verdicts are
computed.
"""
SLIDES_HEAD = """\
## What the lecture says, slide by slide

Slides that only show or define something are left out. Where a sentence is tested by a claim of
somebody else's, that claim is quoted; its verdict is not the slide's.

| slide | what it says | what came of it |
|---|---|---|"""


def claims(notebook):
    """Return the claims recorded in a notebook's outputs."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data[MIME] for output in outputs if MIME in output.get("data", {})]


def slides(path):
    """Read the lecture's slides: title, and what each says with its claims or why it has none."""
    return tomllib.loads(path.read_text(encoding="utf-8"))["slide"] if path.exists() else []


def page(editions, lecture=()):
    """Return the page for {name of a lesson: its solved notebook}, and the slides of `slides`."""
    lessons, recorded = [], {}
    for name, notebook in editions.items():
        found = claims(notebook) if notebook else []
        if not found:
            continue
        title = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)
        lessons.append(f"## [{title[1] if title else name}](solutions/{name}.ipynb)\n")
        lessons += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
        for claim in found:
            id = claim["id"]
            if not set(COLUMNS.values()) <= claim.keys():
                raise LessonError(
                    f"Claim {id} in {name} is of another form: solve that lesson again."
                )
            if id in recorded:
                raise LessonError(
                    f"Claim {id} is recorded twice, in {recorded[id]['lesson']} and in "
                    f"{name}: give one of them another id."
                )
            recorded[id] = {"lesson": name, **claim}
            row = " | ".join(cell(claim[key]) for key in COLUMNS.values())
            lessons.append(f'| <a id="{id}"></a>{row} |')
        lessons.append("")
    return "\n".join([HEAD, *slide_by_slide(lecture, recorded), *lessons]).rstrip() + "\n"


def slide_by_slide(lecture, recorded):
    """Return the lines that say what the lecture says and what came of it."""
    titles = {slide["title"] for slide in lecture}
    for id, claim in recorded.items():
        kind, _, title = claim["source"].partition(": ")
        if lecture and kind == "slide" and title not in titles:
            raise LessonError(f"Claim {id} names a slide that lecture.toml has not: {title!r}.")
    lines = []
    for slide in lecture:
        for n, row in enumerate(slide["says"]):
            missing = [id for id in row.get("claims", []) if id not in recorded]
            if missing:
                raise LessonError(
                    f"lecture.toml names the claim {missing[0]}, which no solved lesson records."
                )
            own = f"slide: {slide['title']}"
            found = [came_of(recorded[id], own) for id in row.get("claims", [])]
            came = "<br>".join(found) or f"not tested: {cell(row['not_tested'])}"
            title = cell(slide["title"]) if n == 0 else ""
            lines.append(f"| {title} | {cell(row['sentence'])} | {came} |")
    return [SLIDES_HEAD, *lines, ""] if lines else []


def came_of(claim, own):
    """Return in few words what came of a claim; whose it is, unless it is of the slide `own`."""
    asked = claim["text"]
    if claim["source"] != own:
        asked = f"{claim['sentence']} ({claim['source']})"
    return f"{cell(asked)}: [{claim['verdict']}](#{claim['id']}), lesson {claim['lesson'][:2]}"


def cell(text):
    """Return a text as it may stand in a table."""
    return text.replace("|", "\\|")
