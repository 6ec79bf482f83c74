"""Run every part of the tests, whatever fails, and close with one line that counts them all."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
NOTHING_COLLECTED = 5  # pytest's exit code


def parts(root, slow=False):
    """Name and command of each part; graph and eager mode need a process each."""
    pytest = ["pytest", "-m", "slow"] if slow else ["pytest"]
    if not slow:
        yield "style", ["ruff", "check", "--quiet"]
        yield "format", ["ruff", "format", "--check", "--quiet"]
    for name in ("graph", "eager"):
        if (root / "tests" / name).is_dir():
            yield name, [*pytest, f"tests/{name}"]
    if slow:
        return
    editions = [name for name in ("notebooks", "solutions") if any((root / name).glob("*.ipynb"))]
    if editions:
        both = ["-n", "2", "--dist", "loadfile", "--nbval-lax", "--nbval-current-env"]
        yield "notebooks", [*pytest, *both, *editions]
    if (root / "tests" / "browser").is_dir():
        yield "browser", [*pytest, "tests/browser"]


def count(report, code):
    """Passed, failed and skipped of one part.

    Parameters
    ----------
    report : Path
        pytest's JUnit report; where there is none, the exit code alone decides.
    code : int
        The part's exit code. A part that had nothing to test is no failure; one that ended
        badly without a failed test (a crash) counts as one.
    """
    if not report.exists():
        return (0, 1, 0) if code else (1, 0, 0)
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
            report = Path(folder) / "report.xml"
            options = [f"--junitxml={report}"] if command[0] == "pytest" else []
            process = subprocess.Popen([sys.executable, "-m", *command, *options], cwd=ROOT)
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
