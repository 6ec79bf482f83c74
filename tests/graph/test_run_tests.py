"""What `make test` runs, and how it counts."""

import pytest
import run_tests

REPORT = """<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>"""
GOOD = """<testsuites><testsuite tests="3" failures="0" errors="0" skipped="0"/></testsuites>"""


@pytest.mark.parametrize(
    ("report", "code", "expected"),
    [
        (REPORT, 1, (3, 2, 2)),
        (GOOD, 0, (3, 0, 0)),
        (GOOD, 3, (3, 1, 0)),  # crashed after its last test
        (GOOD.replace('"3"', '"0"'), 5, (0, 0, 0)),  # nothing to test
        ("", 0, (0, 1, 0)),  # ended in the middle, as if all were well
        ("", -11, (0, 1, 0)),
        (None, 0, (1, 0, 0)),
        (None, 1, (0, 1, 0)),
    ],
)
def test_counting_what_passed(tmp_path, report, code, expected):
    file = tmp_path / "report.xml"
    if report:
        file.write_text(report)
    assert run_tests.count(None if report is None else file, code) == expected


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Three lessons, of which 01 is not executed with today's code and 02 is of no lesson."""
    for name in ("tests/graph", "tests/eager", "tests/browser", "notebooks", "solutions"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("00_a", "01_b", "02_c"):
        (tmp_path / "notebooks" / f"{name}.ipynb").touch()
        (tmp_path / "solutions" / f"{name}.ipynb").touch()
    monkeypatch.setattr(run_tests, "stale", lambda path: path.stem == "01_b")
    return tmp_path


@pytest.mark.parametrize(
    ("slow", "browser", "executed"),
    [
        (False, True, ["solutions/01_b"]),
        (False, False, ["notebooks/00_a", "notebooks/01_b", "notebooks/02_c", "solutions/01_b"]),
        (
            True,
            True,
            [f"{of}/{n}" for of in ("notebooks", "solutions") for n in ("00_a", "01_b", "02_c")],
        ),
    ],
)
def test_what_nbval_executes(course, monkeypatch, slow, browser, executed):
    monkeypatch.setattr(run_tests, "browser", lambda: browser)
    commands = dict(run_tests.parts(course, slow))
    found = [a.removesuffix(".ipynb") for a in commands["notebooks"] if a.endswith(".ipynb")]
    assert sorted(found) == executed


def test_parts_of_the_tests(course, monkeypatch):
    fast, slow = (dict(run_tests.parts(course, slow)) for slow in (False, True))
    assert list(fast) == ["style", "format", "graph", "eager", "notebooks", "browser"]
    assert list(slow) == ["graph", "eager", "notebooks"]
    assert "slow" in slow["graph"] and "slow" not in fast["graph"]
