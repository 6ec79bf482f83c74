"""What every lesson keeps to. Checks yield what is wrong, in words that follow "The lesson"."""

import ast
import re

from build_lessons import code_cells, tags
from claims_page import claims

from utils.claims import OURS, SLIDE

LINES = ("Question", "Objectives", "Minutes", "Prerequisites", "Needs")
SECTIONS = ("In this lesson you", "Quiz", "Claims", "References")
MOST_CELLS, MOST_LINES = 50, 25  # cells that a learner sees; lines of code in one of them
MOST_CLAIMS = 7  # those that matter; a table of scores is a result, and stands in the lesson
MACHINE_PATH = re.compile(r"(?<![\w:/.])/(home|root|tmp|usr|opt|var|work|Users)/|\b[A-Z]:\\\w")
PRINTED = {
    "a path of one machine": MACHINE_PATH,
    "a memory address": re.compile(r"\b0x[0-9a-f]{8,}\b"),
    "a timing": re.compile(r"Wall time:|CPU times:|\d[mµ]?s/step|\d+(\.\d+)? (seconds|ms|s) per "),
    "a number that nothing here can have": re.compile(r"(?<![\w.,-])-?\d{7,}(\.\d+)?(?![\w.,]?\d)"),
}
UNCOUNTED = {"solution", "guess", "figure"}  # what only draws is folded
GUESS = re.compile(r"guess = \{[^{}]*\}")
SAW, ANSWER = "<summary>What we saw</summary>", "<summary>An answer</summary>"
LABEL = 60  # letters of the longest label: a longer text would tell what comes out


def source_problems(notebook, folder):
    """Check the cells of a whole lesson, exercises and solutions; its pictures lie in `folder`."""
    cells, code = notebook.cells, code_cells(notebook)
    first = cells[0].source if cells and cells[0].cell_type == "markdown" else ""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    if not first.startswith("# "):
        yield "begins without a title"
    yield from (f"has no line **{line}**" for line in LINES if f"**{line}" not in first)
    for section in SECTIONS:
        if not re.search(rf"(?m)^##+ .*{section}", text):
            yield f"has no section '{section}'"
    if "![" not in first:
        yield "has no title picture"
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)", text):
        if len(alt.split()) < 3:
            yield f"shows {target} without alt text"
        if not (folder / target).is_file():
            yield f"shows {target}, which does not exist"
    if not code or "course.start(" not in code[0].source:
        yield "does not call course.start in its first code cell"
    seen = sum(not UNCOUNTED & set(tags(cell)) for cell in cells)
    if seen > MOST_CELLS:
        yield f"has {seen} cells, more than {MOST_CELLS}"
    for cell in code:
        length = len(cell.source.splitlines())
        if length > MOST_LINES and "claims" not in tags(cell):  # bookkeeping, folded away
            yield f"has {length} lines {_where(cell)}"
        if MACHINE_PATH.search(cell.source):
            yield f"names a path of one machine {_where(cell)}"
    for n, cell in enumerate(cells):
        if cell.cell_type == "markdown" and cell.source.count("**Think.**") > cell.source.count(
            ANSWER
        ):
            yield f"has no folded answer to 'Think' {_where(cell)}"
        if "guess" in tags(cell):
            values = re.findall(r": (.+?)[,}\n]", cell.source)
            if not GUESS.fullmatch(cell.source) or set(values) != {"None"}:
                yield f"has a guess that is not a dict of None {_where(cell)}"
            reading = next((c.source for c in cells[n:] if c.cell_type == "markdown"), "")
            if SAW not in reading:
                yield f"does not fold what came out after the guess {_where(cell)}"
        before, after = tags(cells[n - 1]) if n else [], [*map(tags, cells[n + 1 :]), []]
        if "exercise" in tags(cell):
            solutions = next(i for i, kind in enumerate(after) if "solution" not in kind)
            if not solutions:
                yield f"has no solution after the exercise {_where(cell)}"
            elif cell.cell_type == "code" and "check" not in after[solutions]:
                yield f"has no check after the exercise {_where(cell)}"
        elif "solution" in tags(cell) and not {"exercise", "solution"} & set(before):
            yield f"has a solution without an exercise {_where(cell)}"


def caption_problems(notebook, figures):
    """Check that no cell tells what it will show; `figures` are the lesson's captions, by key."""
    used = set()
    for cell in code_cells(notebook):
        if {"solution", "claims"} & set(tags(cell)):  # not in the learner's edition; bookkeeping
            continue
        tree = ast.parse(cell.source)
        for text in literals(tree):
            used.add(text)
            if len(text) > LABEL:
                yield f"tells in {len(text)} letters {_where(cell)}: '{text[:20]}...'"
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "plots.show":
                text = call.args[1]
                if not isinstance(text, ast.Name) and ast.unparse(text).strip("'") not in figures:
                    yield f"shows {ast.unparse(text)}, which has no caption, {_where(cell)}"
    for key in figures.keys() - used:
        yield f"has a caption of a figure {key}, which it does not show"


def literals(tree):
    """Yield the strings of some code without its docstrings; of f-strings what is fixed."""
    documented = ast.Module, ast.ClassDef, ast.FunctionDef
    with_docstring = (
        node
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    )
    skipped = {id(node.body[0].value) for node in with_docstring}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            fixed = [part for part in node.values if isinstance(part, ast.Constant)]
            skipped.update(map(id, fixed))
            yield "".join(part.value for part in fixed)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def output_problems(notebook, references):
    """Check what a solved edition stores; its claims cite keys of `references`, a text."""
    if "widgets" in notebook.metadata:
        yield "stores widget state"
    for cell in code_cells(notebook):
        if "execution" in cell.metadata:
            yield f"stores timings {_where(cell)}"
        if "check" in tags(cell) and "✓" not in str(cell.outputs):
            yield f"has a solution that its check does not accept {_where(cell)}"
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"shows an error or a warning {_where(cell)}"
            data = output.get("data", {})
            for kind in {"image/png", "image/jpeg", "image/svg+xml"} & set(data):
                if not output.metadata.get(kind, {}).get("alt"):
                    yield f"has a figure without alt text {_where(cell)}: use plots.show"
            texts = (data.get(f"text/{kind}", "") for kind in ("plain", "html", "markdown"))
            text = "\n".join([output.get("text", ""), *map(str, texts)])
            for what, pattern in PRINTED.items():
                if pattern.search(text):
                    yield f"prints {what} {_where(cell)}"
    recorded = claims(notebook)
    if len(recorded) > MOST_CLAIMS:
        yield f"records {len(recorded)} claims, more than {MOST_CLAIMS}: keep those that matter"
    for claim in recorded:
        paper = claim["source"] != OURS and not claim["source"].startswith(SLIDE)
        if paper and f"**{claim['source']}**:" not in references:
            yield f"cites {claim['source']}, which REFERENCES.md does not have"


def _where(cell):
    first = cell.source.partition("\n")[0]
    return f"in the cell '{first}'"
