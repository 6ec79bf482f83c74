#!/usr/bin/env python
"""Do solved lessons fit into the 2 GiB that Binder gives, beside JupyterLab's server?

    python tools/try_binder.py [LESSON ...]

Runs each lesson (01, 08 and 10 where none is named) from top to bottom in a kernel of its own, as
`make bench` does, with a JupyterLab server running. Memory is counted and not held down, so a
lesson that takes more is found, not killed. Neither Binder's own build nor its network is tried.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench
import build_lessons

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 2 * 2**30 / 1e6  # MB


def server(folder):
    """Start JupyterLab's server without a browser; `folder` takes the files of its run."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    variables = {**os.environ, "JUPYTER_RUNTIME_DIR": folder}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([*command, f"--ServerApp.root_dir={ROOT}"], env=variables, **quiet)
    for _ in range(240):
        if list(Path(folder).glob("jpserver-*.json")):
            return process
        if process.poll() is not None:
            break
        time.sleep(0.5)
    process.terminate()
    sys.exit("JupyterLab's server did not start: run tools/check_environment.py.")


def main(names):
    """Run the lessons and print what each took; return how many did not fit or failed."""
    names = tuple(names) or ("01", "08", "10")
    chosen = [p for p in sorted(ROOT.glob("lessons/[0-9]*.py")) if p.name.startswith(names)]
    if not chosen:
        print(f"No lesson begins with {' or '.join(names)}.", file=sys.stderr)
        return 1
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        process = server(folder)
        try:
            for lesson in chosen:
                said = ""
                with bench.PeakMemory() as memory:
                    try:
                        notebook = build_lessons.solved(lesson)
                        build_lessons.execute(notebook, lesson.parent, ROOT)
                    except build_lessons.LessonError as error:
                        said = f"; {error}"
                fits = memory.mb < LIMIT
                wrong += bool(said) or not fits
                verdict = "fits into" if fits else "does NOT fit into"
                print(f"{lesson.stem}: {memory.mb:.0f} MB, {verdict} {LIMIT:.0f} MB{said}")
        finally:
            process.terminate()
            process.wait()
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
