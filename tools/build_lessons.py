#!/usr/bin/env python
"""Make both editions of every lesson, and CLAIMS.md, from lessons/.

notebooks/  the learner's edition: exercises as stubs, no outputs
solutions/  the solved edition: exercises solved, executed

A solved edition is executed again only when something that made it has changed in a way that can
matter: see lesson_inputs.py. New text, and new captions of its figures, are put in without that.

    python tools/build_lessons.py             every lesson
    python tools/build_lessons.py 01          the lessons whose names begin with 01
"""

import argparse
import ast
import copy
import os
import re
import sys
import time
import tomllib
from pathlib import Path

import claims_page
import jupytext
import nbformat
from lesson_inputs import BEGIN, SEEN, LessonError, changed, code, digest, made_from
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from references import cite, links

from utils.plots import captions

ROOT = Path(__file__).resolve().parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDED = {"claims", "figure", "colab"}  # bookkeeping, and cells that only draw
PANEL = "An interactive panel: open the notebook and run this cell to use it."
GITHUB = "https://github.com"
COLAB = """\
# On Google Colab this fetches the course and the packages that it lacks. Elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    import os
    import subprocess

    if not os.path.isdir("/content/course"):
        {fetch}
    exec(open("/content/course/tools/colab.py").read())"""
FETCH = """\
# Under another name until it is whole, for a clone can be stopped halfway.
        part = "/content/course.part"
        subprocess.run(["rm", "-rf", part])
        if subprocess.call(["git", "clone", "--quiet", "--depth", "1", "{address}", part]):
            raise SystemExit("Git cannot fetch {address}: is it right, and open to all?")
        os.rename(part, "/content/course")"""
UNKNOWN = 'raise SystemExit("Set `repository` in pyproject.toml and run `make lessons`.")'
PROGRESS = re.compile(r"(.*\d%\|.*|.*\[\d\d:\d\d[<,].*)?")  # a line of tqdm's, or an empty one


def sources(notebook):
    """Hash what a person may edit in a notebook: its cells' types and sources."""
    return digest(*(f"{cell.cell_type}\n{cell.source}" for cell in notebook.cells))


def tags(cell):
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def colab(root):
    """The cell that makes a notebook run on Google Colab, or none where the course has no such."""
    project = root / "pyproject.toml"
    if not (root / "tools" / "colab.py").is_file():
        return []
    name = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["course"]["repository"]
    source = colab_source(f"{GITHUB}/{name}" if name else None)
    return [nbformat.v4.new_code_cell(source, metadata={"tags": ["colab"]})]


def colab_source(address):
    """The source of that cell, for a repository's address; None where it is not known."""
    return COLAB.format(fetch=FETCH.format(address=address) if address else UNKNOWN)


def edition(lesson, drop, first=()):
    """Read a lesson as a notebook without cells of the tag `drop`; `first` come after its title."""
    notebook = jupytext.reads(lesson.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.cells = [cell for cell in notebook.cells if drop not in tags(cell)]
    notebook.cells[1:1] = first
    references = lesson.parents[1] / "REFERENCES.md"
    known = links(references.read_text(encoding="utf-8")) if references.exists() else {}
    seen = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cite(cell.source, known)
        # The id comes from the content: a new cell leaves the ids of its neighbours alone.
        text = digest(lesson.stem, cell.cell_type, cell.source)[:12]
        seen[text] = seen.get(text, 0) + 1
        cell.id = text if seen[text] == 1 else f"{text}-{seen[text]}"
        cell.metadata = {"tags": list(tags(cell))} if tags(cell) else {}
        if FOLDED & set(tags(cell)):
            cell.metadata["jupyter"] = {"source_hidden": True}  # one click opens it
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook.metadata.course = {"lesson": lesson.stem, "sources": sources(notebook)}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.from_dict(notebook)


def learners(lesson):
    """Make the learner's edition."""
    return edition(lesson, drop="solution", first=colab(lesson.parents[1]))


def solved(lesson):
    """Make the solved edition, not yet executed, with the hash of its code."""
    notebook = edition(lesson, drop="exercise")
    cells = (code(cell.source) for cell in code_cells(notebook))
    notebook.metadata.course["code"] = digest(*cells)
    return notebook


def execute(notebook, folder, root=ROOT):
    """Run a notebook in a fresh kernel in `folder`, tidy what it leaves, note what it used."""
    running = None

    def starts(cell, cell_index):
        nonlocal running
        running = cell

    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        on_cell_start=starts,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    try:
        with client.setup_kernel(env={**os.environ, "PYTHONPATH": path}):
            ask(client, BEGIN)
            client.execute(cleanup_kc=False)
            used = ask(client, "", SEEN)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise LessonError(failure(notebook, running, error)) from None
    notebook.metadata.course["made_from"] = made_from(root, folder, used)
    notebook.metadata.language_info = {"name": "python"}
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
        cell.outputs = [tidy for output in cell.outputs for tidy in tidied(output, count)]
        warned = [output.text for output in cell.outputs if output.get("name") == "stderr"]
        if warned:
            raise LessonError(failure(notebook, cell, warned[0], "warns"))


def ask(client, text, expression="None"):
    """Run code in a kernel without a trace in the notebook; return what an expression says then."""
    request = client.kc.execute(text, silent=True, user_expressions={"answer": expression})
    reply = client.wait_for_reply(request)
    return ast.literal_eval(reply["content"]["user_expressions"]["answer"]["data"]["text/plain"])


def code_cells(notebook):
    """Return a notebook's code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def failure(notebook, cell, error, what="fails"):
    """Say in a few lines which cell failed or warned, and how."""
    traces = [output.traceback for output in cell.outputs if output.output_type == "error"]
    trace = "\n".join(traces[0]) if traces else str(error).strip().splitlines()[0]
    lines = [cell.source.strip().splitlines()[0]]
    lines += re.sub(r"\x1b\[[0-9;]*m", "", trace).splitlines()[-8:]
    name, number = notebook.metadata.course.lesson, code_cells(notebook).index(cell) + 1
    where = f"Lesson {name} {what} in code cell {number}, which begins with"
    return "\n    ".join([where, *lines])


def tidied(output, count):
    """Return an output as it is stored: no progress bars, no widgets without a kernel."""
    if output.output_type == "stream" and output.name == "stderr":
        kept = [line for line in output.text.split("\n") if not PROGRESS.fullmatch(line)]
        output.text = "\n".join(kept)
        return [output] if kept else []
    if output.output_type == "execute_result":
        output.execution_count = count
    if WIDGET not in output.get("data", {}):
        return [output]
    if "%|" in output.data.get("text/plain", ""):
        return []
    return [*without_controls(output), nbformat.v4.new_output("stream", text=PANEL + "\n")]


def without_controls(output):
    """Return a panel's picture and its caption, as `plots.show` would show them; or nothing."""
    if "image/png" not in output.data:
        return []
    picture, caption = copy.deepcopy(output.metadata), copy.deepcopy(output.metadata)
    del caption["image/png"]
    shown = {"image/png": output.data["image/png"], "text/plain": "[figure]"}
    said = {"text/html": output.data["text/html"], "text/plain": output.data["text/plain"]}
    new = nbformat.v4.new_output
    return [
        new("display_data", shown, metadata=picture),
        new("display_data", said, metadata=caption),
    ]


def recaptioned(notebook, lesson):
    """Return a copy of a solved notebook with the captions and alt texts of today's file."""
    try:
        figures = captions.read(lesson.parent / "captions" / f"{lesson.stem}.toml")
    except ValueError as error:
        raise LessonError(str(error)) from None
    notebook = copy.deepcopy(notebook)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            key = output.get("metadata", {}).get("figure")
            if key is None:
                continue
            if key not in figures:
                raise LessonError(f"Lesson {lesson.stem} has no caption for its figure {key}.")
            if "image/png" in output.data:
                output.metadata["image/png"]["alt"] = figures[key]["alt"]
            else:
                output.data = nbformat.from_dict(captions.data(figures[key]["caption"]))
    return notebook


def read(path):
    """Read a notebook, or return None if there is none that can be read."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):
        return None


def write(path, text):
    """Write a text file if its content changes."""
    if not path.is_file() or path.read_bytes() != text.encode():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())


def worked_in(path):
    """Say whether somebody has changed a notebook's cells since it was made."""
    notebook = read(path)
    made = notebook.metadata.get("course", {}).get("sources") if notebook else None
    return path.exists() and (notebook is None or made != sources(notebook))


def guard(path):
    """Refuse to touch a notebook that somebody has worked in."""
    if worked_in(path):
        name = f"{path.parent.name}/{path.name}"
        raise LessonError(
            f"{name} has your work in it. To keep it, save it under another name, for example "
            f"{path.stem}_mine.ipynb; then `make lessons ARGS='--force {path.stem}'` makes {name} "
            "anew."
        )


def outdated(there, notebook, root):
    """Return what has changed since a solved notebook was executed: None if nothing has."""
    course = there.metadata.get("course", {}) if there else {}
    if not isinstance(course.get("made_from"), dict):
        return "it was not executed"
    if course.get("code") != notebook.metadata.course.code:
        return "its code has changed"
    names = changed(root, course.made_from)
    return f"{', '.join(names)} changed" if names else None


def stale(lesson):
    """Return one sentence for each edition of a lesson that does not fit its source."""
    root, found = lesson.parents[1], []
    for folder, made in (("notebooks", learners(lesson)), ("solutions", solved(lesson))):
        path = root / folder / f"{lesson.stem}.ipynb"
        there = read(path)
        try:
            guard(path)
            why = outdated(there, made, root) if folder == "solutions" else None
            if not why and (there is None or sources(there) != sources(made)):
                why = "its text has changed"
            if not why and folder == "solutions" and recaptioned(there, lesson) != there:
                why = "its captions have changed"
        except LessonError as refusal:
            found.append(str(refusal))
            continue
        if why:
            found.append(f"{folder}/{path.name} is stale, for {why}: run `make lessons`.")
    return found


def build(lesson, force=False, again=False):
    """Make both editions of one lesson; return what was done, in a few words."""
    root, name = lesson.parents[1], f"{lesson.stem}.ipynb"
    exercises, solutions = root / "notebooks" / name, root / "solutions" / name
    if not force:
        guard(exercises)
        guard(solutions)
    write(exercises, nbformat.writes(learners(lesson)) + "\n")
    notebook, there = solved(lesson), read(solutions)
    if again or worked_in(solutions) or outdated(there, notebook, root):
        solutions.parent.mkdir(exist_ok=True)
        begin = time.perf_counter()
        execute(notebook, solutions.parent, root)
        done = f"executed in {time.perf_counter() - begin:.0f} s"
    else:
        notebook.metadata.course["made_from"] = there.metadata.course.made_from
        today = recaptioned(there, lesson)
        for cell, was in zip(code_cells(notebook), code_cells(today), strict=True):
            cell.outputs, cell.execution_count = was.outputs, was.execution_count
        same = sources(there) == sources(notebook) and there == today
        done = "unchanged" if same else "new text, not executed"
    write(solutions, nbformat.writes(notebook) + "\n")
    return done


def main(arguments=None, root=ROOT):
    """Build the lessons asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="beginnings of names, such as 01; none: all")
    parser.add_argument("--force", action="store_true", help="overwrite what somebody worked in")
    parser.add_argument("--execute", action="store_true", help="execute unchanged lessons too")
    args = parser.parse_args(arguments)
    chosen = sorted(root.glob("lessons/[0-9]*.py"))
    if args.lessons:
        chosen = [lesson for lesson in chosen if lesson.name.startswith(tuple(args.lessons))]
        if not chosen:
            print(f"No lesson begins with {' or '.join(args.lessons)}.", file=sys.stderr)
            return 1
    try:
        for lesson in chosen:
            print(f"{lesson.stem}: ", end="", flush=True)
            print(build(lesson, args.force, args.execute))
        editions = {path.stem: read(path) for path in sorted(root.glob("solutions/*.ipynb"))}
        lecture = claims_page.slides(root / "lessons" / "lecture.toml")
        write(root / "CLAIMS.md", claims_page.page(editions, lecture))
    except LessonError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
