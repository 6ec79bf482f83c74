#!/usr/bin/env python
"""Try lessons as on Google Colab: its packages, its first cell, a stand-in for its module.

    python tools/try_colab.py PINS FOLDER [LESSON ...]

PINS is a list of Colab's packages. FOLDER gets an environment of some 4 GB. Needs the network, and
a Python 3.13 that uv finds. What Colab itself would say can only be seen there.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
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


def main(pins, folder, *lessons):
    """Make the environment and run the lessons; return how many failed."""
    folder = Path(folder).resolve()
    python, course = folder / "venv" / "bin" / "python", folder / "course"
    if not python.is_file():
        subprocess.run([UV, "venv", "--seed", "--python", "3.13", folder / "venv"], check=True)
        # Some packages ask for older ones than Colab has.
        over = folder / "overrides.txt"
        over.write_text("tensorflow==2.20.0\nnumpy==2.1.3\nfuture>=1\n", encoding="utf-8")
        install = [UV, "pip", "install", "--python", python, "--override", over]
        subprocess.run([*install, "-r", pins, "ipykernel"], check=True)
    failed = 0
    for lesson in lessons or ("00", "01", "03", "05", "07"):
        notebook = next((ROOT / "notebooks").glob(f"{lesson}_*.ipynb"))
        # The clone is made here, so the cell finds it; all else is as the cell says.
        text = notebook.read_text(encoding="utf-8").replace("/content/course", str(course))
        copy = folder / notebook.name
        copy.write_text(text, encoding="utf-8")
        if not course.exists():
            subprocess.run(["git", "clone", "--quiet", ROOT, course], check=True)
        variables = {**os.environ, "PEERING_INSIDE_COURSE": str(course)}
        done = subprocess.run([python, "-c", RUN, copy, folder], env=variables)
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
