#!/usr/bin/env python
"""Try lessons as on Google Colab: its packages, its first cell, a stand-in for its module.

    python tools/try_colab.py PINS FOLDER [LESSON ...]

PINS is a list of Colab's packages; those that tools/colab.py adds are left out of it. FOLDER gets
an environment of some 4 GB and a clone of the last commit, which the cell makes from this folder in
place of GitHub. Run it with Python 3.13, as on Colab, and with a network. What Colab itself would
say can only be seen there.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
OPENCV = "opencv-python-headless"
RUN = """
import sys, time, nbformat, resource
from nbclient import NotebookClient
path, folder = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
stand_in = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')"
notebook.cells.insert(0, nbformat.v4.new_code_cell(stand_in))
begin = time.perf_counter()
NotebookClient(notebook, timeout=900, resources={"metadata": {"path": folder}}).execute()
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
print(f"{path.rpartition('/')[2]}: {time.perf_counter() - begin:.0f} s, {used:.0f} MB at most")
"""


def added(line):
    """Say whether a line of the list names a package that tools/colab.py adds."""
    name = re.match(r"[\w-]*", line)[0]
    own = (ROOT / "tools" / "colab.py").read_text(encoding="utf-8")
    # OpenCV is there, but too new.
    return bool(name) and name != OPENCV and re.search(rf"[\s\"]{name}[=<>]", own) is not None


def moved(text, course):
    """Return a learner's edition whose first cell fetches the course from here into `course`."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if "colab" in cell["metadata"].get("tags", []):
            clone = f'subprocess.run(["git", "clone", "{ROOT}", "{course}"], check=True)'
            source = re.sub(
                r"(raise SystemExit|subprocess\.run)\(.*\)", clone, "".join(cell["source"])
            )
            cell["source"] = source.replace("/content/course", str(course))
    return json.dumps(notebook)


def main(pins, folder, *lessons):
    """Make the environment and run the lessons; return how many failed."""
    folder = Path(folder).resolve()
    python, course = folder / "venv" / "bin" / "python", folder / "course"
    if not python.is_file():
        folder.mkdir(exist_ok=True)
        make = [UV, "venv", "--seed", "--python", sys.executable, "venv"]
        subprocess.run(make, cwd=folder, check=True)
        kept = [line for line in Path(pins).read_text().splitlines() if not added(line)]
        there = folder / "pins.txt"
        there.write_text("\n".join([*kept, "ipykernel"]), encoding="utf-8")
        # Not here, where uv would take what pyproject.toml overrides.
        install = [UV, "pip", "install", "--python", python, "-r", there]
        subprocess.run(install, cwd=folder, check=True)
    failed = 0
    for lesson in lessons or ("00", "01", "03", "05", "07"):
        notebook = next((ROOT / "notebooks").glob(f"{lesson}_*.ipynb"))
        copy = folder / notebook.name
        copy.write_text(moved(notebook.read_text(encoding="utf-8"), course), encoding="utf-8")
        variables = {**os.environ, "PEERING_INSIDE_COURSE": str(course)}
        done = subprocess.run([python, "-c", RUN, copy, folder], env=variables)
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
