#!/usr/bin/env python
"""Try lessons as on Google Colab: its packages, its first cell, a stand-in for its module.

    python tools/try_colab.py FOLDER [LESSON ...]

FOLDER gets an environment of some 4 GB with the packages of colab-pins.txt, and a clone of the last
commit, which the cell makes from this folder in place of GitHub. Every control of a panel is moved,
and the picture must follow one of them. Run it in the course's environment, made with Python 3.13
as on Colab, and with a network. What Colab itself would say can only be seen there.
"""

import os
import subprocess
import sys
from pathlib import Path

import build_lessons
import nbformat

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
STAND_IN = """\
import sys, types

colab = sys.modules["google.colab"] = types.ModuleType("google.colab")
colab.output = types.SimpleNamespace(enable_custom_widget_manager=lambda: None)"""
MOVE = """\
def move(panel):
    widgets, answered = parts(panel), []
    picture = next(one for one in widgets if type(one).__name__ == "Image")
    for control in widgets:
        before, kind = picture.value, type(control).__name__
        if hasattr(control, "options"):
            control.index = (control.index + 1) % len(control.options)
        elif kind == "Checkbox":
            control.value = not control.value
        elif kind.endswith("Slider"):
            end = control.base**control.max if "Log" in kind else control.max
            control.value = end if control.value != end else control.min
        else:
            continue
        answered.append(picture.value != before)
    print(f"panel: the picture followed {sum(answered)} of {len(answered)} controls")
    assert any(answered)

def parts(box):
    return [one for part in getattr(box, "children", ()) for one in (part, *parts(part))]

move(Out[max(Out)])"""
RUN = """
import sys, time, nbformat, resource
from nbclient import NotebookClient
path, folder = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
begin = time.perf_counter()
NotebookClient(notebook, timeout=900, resources={"metadata": {"path": folder}}).execute()
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
print(f"{path.rpartition('/')[2]}: {time.perf_counter() - begin:.0f} s, {used:.0f} MB at most")
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        if output.get("text", "").startswith("panel: "):
            print(" ", output["text"].strip())
"""


def prepared(notebook, course):
    """Return a learner's edition that fetches the course from here and moves its panels."""
    cells = [nbformat.v4.new_code_cell(STAND_IN)]
    for cell in notebook.cells:
        cells.append(cell)
        if "colab" in build_lessons.tags(cell):
            source = build_lessons.colab_source(f"file://{ROOT}")
            cell.source = source.replace("/content/course", str(course))
        elif cell.cell_type == "code" and "panels.panel(" in cell.source:
            cells.append(nbformat.v4.new_code_cell(MOVE))
    notebook.cells = cells
    return notebook


def main(folder, *lessons):
    """Make the environment and run the lessons; return how many failed."""
    folder = Path(folder).resolve()
    python, course = folder / "venv" / "bin" / "python", folder / "course"
    if not python.is_file():
        folder.mkdir(exist_ok=True)
        make = [UV, "venv", "--seed", "--python", sys.executable, "venv"]
        subprocess.run(make, cwd=folder, check=True)
        # Not here, where uv would take what pyproject.toml overrides.
        pins = ROOT / "tools" / "colab-pins.txt"
        install = [UV, "pip", "install", "--python", python, "-r", pins]
        subprocess.run(install, cwd=folder, check=True)
    failed = 0
    for lesson in lessons or ("00", "01", "03", "05", "07"):
        path = next((ROOT / "notebooks").glob(f"{lesson}_*.ipynb"))
        nbformat.write(prepared(nbformat.read(path, as_version=4), course), folder / path.name)
        variables = {**os.environ, "PEERING_INSIDE_COURSE": str(course)}
        done = subprocess.run([python, "-c", RUN, folder / path.name, folder], env=variables)
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
