"""What every lesson keeps to. Each rule returns sentences that say what is wrong; none is fine."""

import re

from build_lessons import code_cells, tags
from claims_page import claims

LINES = ("Question", "Objectives", "Minutes", "Prerequisites", "Needs")
SECTIONS = ("In this lesson you", "Quiz", "Claims", "References")
MOST_CELLS, MOST_LINES = 50, 25  # cells that a learner sees; lines of code in one of them
MACHINE_PATH = re.compile(r"(?<![\w:/.])/(home|root|tmp|usr|opt|var|work|Users)/|\b[A-Z]:\\\w")
ADDRESS = re.compile(r"\b0x[0-9a-f]{8,}\b")
TIMING = re.compile(r"Wall time:|CPU times:|\d[mµ]?s/step|\d+(\.\d+)? (seconds|ms|s) per ")


def source_problems(lesson, notebook, folder):
    """Check a lesson's cells.

    Parameters
    ----------
    lesson : str
        Its name, for the sentences.
    notebook : nbformat.NotebookNode
        The whole lesson, exercises and solutions.
    folder : Path
        Where the notebook lies, to find its pictures from.
    """
    cells = notebook.cells
    first = cells[0].source if cells and cells[0].cell_type == "markdown" else ""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = []
    if not first.startswith("# "):
        found.append("begins without a title")
    found += [f"has no line **{line}**" for line in LINES if not re.search(rf"\*\*{line}\b", first)]
    found += [f"has no section '{s}'" for s in SECTIONS if not re.search(rf"(?m)^##+ .*{s}", text)]
    if not re.search(r"!\[", first):
        found.append("has no title picture")
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)", text):
        if len(alt.split()) < 3:
            found.append(f"shows {target} without alt text")
        if not (folder / target).is_file():
            found.append(f"shows {target}, which does not exist")
    code = code_cells(notebook)
    if not code or "course.start(" not in code[0].source:
        found.append("does not call course.start in its first code cell")
    seen = sum("solution" not in tags(cell) for cell in cells)
    if seen > MOST_CELLS:
        found.append(f"has {seen} cells, more than {MOST_CELLS}")
    for cell in code:
        lines = cell.source.splitlines()
        if len(lines) > MOST_LINES:
            found.append(f"has {len(lines)} lines in the cell '{lines[0]}'")
        if MACHINE_PATH.search(cell.source):
            found.append(f"names a path of one machine in the cell '{lines[0]}'")
    return [f"Lesson {lesson} {problem}." for problem in found + exercise_problems(cells)]


def exercise_problems(cells):
    """Check that a solution follows each exercise and, for code, a check follows at once."""
    found = []
    for n, cell in enumerate(cells):
        kinds = [*map(tags, cells[n + 1 :]), []]
        start = cell.source.splitlines()[0] if cell.source else ""
        if "exercise" in tags(cell):
            solutions = next(i for i, kind in enumerate(kinds) if "solution" not in kind)
            if not solutions:
                found.append(f"has no solution after the exercise '{start}'")
            elif cell.cell_type == "code" and "check" not in kinds[solutions]:
                found.append(f"has no check after the exercise '{start}'")
        elif "solution" in tags(cell):
            before = tags(cells[n - 1]) if n else []
            if not {"exercise", "solution"} & set(before):
                found.append(f"has a solution without an exercise, '{start}'")
    return found


def output_problems(lesson, notebook, references):
    """Check what a solved edition stores.

    Parameters
    ----------
    lesson : str
        Its name, for the sentences.
    notebook : nbformat.NotebookNode
        The solved, executed edition.
    references : str
        The text of REFERENCES.md, whose keys the claims cite.
    """
    found = ["stores widget state"] * ("widgets" in notebook.metadata)
    for cell in code_cells(notebook):
        start = f"in the cell '{cell.source.splitlines()[0] if cell.source else ''}'"
        if "execution" in cell.metadata:
            found.append(f"stores timings {start}")
        if "check" in tags(cell) and "✓" not in str(cell.outputs):
            found.append(f"has a solution that its check does not accept {start}")
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(f"shows an error or a warning {start}")
            data = output.get("data", {})
            for kind in ("image/png", "image/jpeg", "image/svg+xml"):
                if kind in data and not output.metadata.get(kind, {}).get("alt"):
                    found.append(f"has a figure without alt text {start}: use plots.show")
            text = "\n".join([output.get("text", ""), *(str(data.get(k, "")) for k in TEXT)])
            for what, pattern in PRINTED.items():
                if pattern.search(text):
                    found.append(f"prints {what} {start}")
    for claim in claims(notebook):
        if f"**{claim['source']}**:" not in references:
            found.append(f"cites {claim['source']}, which REFERENCES.md does not have")
    return [f"Lesson {lesson} {problem}." for problem in found]


TEXT = ("text/plain", "text/html", "text/markdown")
PRINTED = {"a path of one machine": MACHINE_PATH, "a memory address": ADDRESS, "a timing": TIMING}
