"""The first cell of a learner's notebook, on a Google Colab that is made up here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import build_lessons
import pytest

ROOT = Path(__file__).resolve().parents[2]
COLAB = """
import sys, types
colab = sys.modules["google.colab"] = types.ModuleType("google.colab")
asked = []
colab.output = types.SimpleNamespace(enable_custom_widget_manager=lambda: asked.append("widgets"))
"""
SAY = "\nimport os; print(asked, os.getcwd(), sys.path[0])"


@pytest.fixture
def place(tmp_path):
    """A folder with a repository of a small course, and a pip that only notes what it is asked."""
    course, home = tmp_path / "repository", {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for folder in ("tools", "notebooks"):
        (course / folder).mkdir(parents=True)
        (course / folder / "kept").touch()
    shutil.copy(ROOT / "tools" / "colab.py", course / "tools")
    (tmp_path / "pip.py").write_text(
        "import os, sys\n"
        "open(os.environ['HOME'] + '/asked', 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "sys.exit(os.path.exists(os.environ['HOME'] + '/offline'))\n"
    )
    for words in ("init -q", "add .", "commit -q -m x", "commit -q -m y --allow-empty"):
        who = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
        subprocess.run(["git", *who, *words.split()], cwd=course, env=home, check=True)
    return tmp_path


def run(place, address=None, before=COLAB):
    """Run the cell in a Python of its own, with /content in `place`."""
    address = address or f"file://{place}/repository"
    cell = build_lessons.colab_source(address).replace("/content", str(place))
    variables = {"HOME": str(place), "PATH": os.environ["PATH"], "PYTHONPATH": str(place)}
    variables["PEERING_INSIDE_COURSE"] = f"{place}/course"
    command = [sys.executable, "-c", f"{before}{cell}{SAY if before else ''}"]
    return subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True)


def asked(place):
    """What pip was asked for, a line for each time."""
    file = place / "asked"
    return file.read_text().splitlines() if file.exists() else []


def test_elsewhere_it_does_nothing(place):
    there = sorted(place.iterdir())
    answer = run(place, before="")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert sorted(place.iterdir()) == there


def test_it_fetches_the_last_commit_and_adds_the_packages(place):
    answer = run(place)
    assert answer.returncode == 0 and answer.stderr == ""
    assert answer.stdout.splitlines() == [
        "The course is ready.",
        f"['widgets'] {place}/course/notebooks {place}/course",
    ]
    alone, others = asked(place)
    assert "--no-deps" in alone and "innvestigate" in alone
    assert "zarr" in others and "--no-deps" not in others and "tensorflow" not in others
    log = ["git", "-C", f"{place}/course", "log", "--oneline"]
    assert len(subprocess.check_output(log, text=True).splitlines()) == 1


def test_a_second_run_fetches_and_adds_nothing(place):
    run(place)
    (place / "course" / "notebooks" / "mine").touch()
    shutil.rmtree(place / "repository")
    answer = run(place)
    assert "The course is ready." in answer.stdout and answer.returncode == 0
    assert len(asked(place)) == 2
    assert (place / "course" / "notebooks" / "mine").exists()


@pytest.mark.parametrize("address", ["file:///nowhere", "https://127.0.0.1:1/owner/name"])
def test_a_repository_that_cannot_be_fetched_ends_in_a_sentence(place, address):
    answer = run(place, address)
    assert answer.returncode == 1 and "Traceback" not in answer.stderr
    assert answer.stderr.endswith(f"Git cannot fetch {address}: is it right, and open to all?\n")
    assert not (place / "course").exists()


def test_a_repository_that_nobody_named_ends_in_a_sentence(place):
    cell = build_lessons.colab_source(None).replace("/content", str(place))
    answer = subprocess.run([sys.executable, "-c", COLAB + cell], capture_output=True, text=True)
    assert answer.stderr == "Set `repository` in pyproject.toml and run `make lessons`.\n"


def test_what_was_left_half_done_is_done_anew(place):
    (place / "course.part" / "tools").mkdir(parents=True)  # a clone that was stopped
    (place / "offline").touch()
    answer = run(place)
    assert answer.stderr.endswith("run this cell once more.\n") and len(asked(place)) == 1
    (place / "offline").unlink()
    answer = run(place)
    assert "The course is ready." in answer.stdout and len(asked(place)) == 3


def test_the_learners_editions_have_the_cell():
    (cell,) = build_lessons.colab(ROOT)
    for path in ROOT.glob("notebooks/[0-9]*.ipynb"):
        notebook = build_lessons.read(path)
        found = [one.source for one in notebook.cells if "colab" in build_lessons.tags(one)]
        assert found == [cell.source], path.name
