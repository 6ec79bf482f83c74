"""Each need of the course is found, and each that is missing is named with its cure."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from utils import environment

ROOT = Path(__file__).resolve().parents[2]


def test_check_environment_is_content_here():
    needs = {need.need: need.ok for need in environment.check()}
    assert len(needs) == 12
    # Free memory and disk are the machine's affair; everything else is the installation's.
    assert [n for n, ok in needs.items() if not ok and "GB" not in n] == []


@pytest.mark.parametrize(
    ("name", "answer", "need", "cure"),
    [
        ("_version", lambda package: "", "TensorFlow 2.20 or 2.21", "make lab"),
        ("_version", lambda package: "2.14.1", "TensorFlow 2.20 or 2.21", "make lab"),
        ("_version", lambda package: "1.26.4", "NumPy 2", "make lab"),
        (
            "_version",
            lambda package: "2.20.1" if package == "tf-keras" else "2.21.0",
            "tf-keras of TensorFlow's version",
            "the one is 2.20, the other 2.21",
        ),
        ("_imports", lambda package: False, "iNNvestigate 2.1.2", "make lab"),
        ("_has_avx", lambda: False, "a processor with AVX", "another machine"),
        ("_has_utils", lambda: False, "the course's utils", "pip install --no-deps"),
        ("_memory", lambda: 1.4e9, "1.5 GB of memory", "Shut Down All Kernels"),
        ("course_folder", lambda: None, "the course's data", "clone"),
    ],
)
def test_check_environment_names_the_cure(monkeypatch, capsys, name, answer, need, cure):
    monkeypatch.setattr(environment, name, answer)
    environment.report()
    bad = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    line = next(line for line in bad if need in line)
    assert cure in line and line.endswith(".")


def test_a_sound_installation_gets_one_short_line(capsys):
    environment.report([environment.Need(True, "this", ""), environment.Need(True, "that", "")])
    assert capsys.readouterr().out == "OK    Everything that the course needs is there.\n"


def test_check_environment_runs_without_the_course(tmp_path):
    """A bare Python with nothing installed gets FAIL lines and exit code 1, no stack trace."""
    bare = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "tools" / "check_environment.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert bare.returncode == 1 and bare.stderr == ""
    assert "FAIL  TensorFlow 2.20 or 2.21: " in bare.stdout
    assert "OK    Python 3.11, 3.12 or 3.13" in bare.stdout


def test_memory_heeds_the_limit_of_a_container(monkeypatch):
    files = {
        "/sys/fs/cgroup/memory.max": "2000000000\n",
        "/sys/fs/cgroup/memory.current": "1900000000\n",
        "/sys/fs/cgroup/memory.stat": "anon 5\ninactive_file 100000000\n",
    }

    def read(path):
        if str(path) not in files:
            raise FileNotFoundError(path)
        return files[str(path)]

    whole = SimpleNamespace(available=16_000_000_000)
    itself = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=500_000_000))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: whole)
    monkeypatch.setattr(psutil, "Process", lambda: itself)
    monkeypatch.setattr(Path, "read_text", read)
    assert environment._memory() == 200_000_000 + 500_000_000
    files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert environment._memory() == 16_500_000_000
