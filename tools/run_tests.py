"""Run every part of the tests, whatever fails, and close with one line that counts them all.

Each part runs in three processes, of one TensorFlow thread each, where there are two cores.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

import build_lessons

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NOTHING_COLLECTED = 5  # pytest's exit code
ENVIRONMENT = os.environ | dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
)
# Where nothing compiled may be kept, each of a hundred processes compiles TensorFlow once more.
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


def parts(root, slow=False):
    """Name and command of each part; graph and eager mode need a process each.

    The browser runs the learners' edition, so nbval does only where there is no browser. A solved
    edition that is not stale was executed as it is: only the slow tests execute it again.
    """

    def pytest(*arguments, dist="worksteal"):
        # Three also on two cores: while one waits for a page or a process, two go on.
        side_by_side = ["-n", "3", "--dist", dist] if cores() > 1 else []
        return ["pytest", "--durations=25", *side_by_side, *arguments]

    lean = "-p", "no:nbval"  # it takes seconds to load, in each process

    if not slow:
        yield "style", ["ruff", "check", "--quiet"]
        yield "format", ["ruff", "format", "--check", "--quiet"]
    for name in ("graph", "eager"):
        if (root / "tests" / name).is_dir():
            chosen = ["-m", "slow", "-o", "faulthandler_timeout=7200"] if slow else []
            yield name, pytest(*lean, *chosen, f"tests/{name}")
    editions = sorted(root.glob("solutions/[0-9]*.ipynb"))
    editions = [path for path in editions if slow or stale(path)]
    if slow or not browser():
        editions += sorted(root.glob("notebooks/[0-9]*.ipynb"))
    if editions:
        names = [str(path.relative_to(root)) for path in editions]
        nbval = "--nbval-lax", "--nbval-current-env"
        yield "notebooks", pytest(*nbval, *names, dist="loadfile")
    if not slow and (root / "tests" / "browser").is_dir():
        yield "browser", pytest(*lean, "--maxschedchunk=1", "tests/browser", dist="load")
    if not slow and (root / "tests" / "site").is_dir():
        # One process: the site is built once, and each page is loaded once.
        yield "site", ["pytest", *lean, "--durations=5", "tests/site"]


def cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def browser():
    """Return the path of a browser for the tests, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def stale(path):
    """Say whether a solved edition was not executed with today's code, data and packages."""
    root = path.parents[1]
    lesson = root / "lessons" / f"{path.stem}.py"
    there = build_lessons.read(path)
    return not lesson.exists() or bool(
        build_lessons.outdated(there, build_lessons.solved(lesson), root)
    )


def count(report, code):
    """Passed, failed and skipped of one part.

    Parameters
    ----------
    report : Path or None
        pytest's JUnit report, which must be there; None for a part without pytest.
    code : int
        The part's exit code. A part that had nothing to test is no failure; one that ended
        badly without a failed test (a crash) counts as one.
    """
    if report is None or not report.exists():
        return (0, 1, 0) if code or report else (1, 0, 0)
    passed = failed = skipped = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures")) + int(suite.get("errors"))
        left_out = int(suite.get("skipped"))
        passed += int(suite.get("tests")) - bad - left_out
        failed += bad
        skipped += left_out
    if code not in (0, NOTHING_COLLECTED) and not failed:
        failed = 1
    return passed, failed, skipped


def main(slow=False):
    rows = []
    for name, command in parts(ROOT, slow):
        print(f"\n--- {name}", flush=True)
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml" if command[0] == "pytest" else None
            command = [sys.executable, "-m", *command, *[f"--junitxml={report}"] * bool(report)]
            process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT)
            try:
                code = process.wait()
            except KeyboardInterrupt:
                process.wait()  # It has the Ctrl-C too, and says where it was.
                print("\nStopped before the end.")
                return 130
            rows.append((name, *count(report, code), time.monotonic() - started))
    print("\npart        passed  failed  skipped  seconds")
    for name, passed, failed, skipped, seconds in rows:
        print(f"{name:<10}{passed:8d}{failed:8d}{skipped:9d}{seconds:9.0f}")
    passed, failed, skipped = (sum(row[i] for row in rows) for i in (1, 2, 3))
    if failed:
        print(f"Failed in: {', '.join(row[0] for row in rows if row[2])}.")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(slow="--slow" in sys.argv[1:]))
