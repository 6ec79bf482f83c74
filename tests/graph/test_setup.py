"""The set-up: what it does, how it fails, how it is repaired.

A copy of the set-up runs on a made-up uv, so nothing is downloaded and every failure can be had.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import bootstrap
import pytest
import runner

ROOT = Path(__file__).resolve().parents[2]

# Fails, hangs or works as the files of its folder say, and notes how it was called.
# The Python that it makes says how it was called, and in which environment.
FAKE_UV = """#!/bin/sh
here=$(dirname "$0")
env > "$here/variables"
if [ "$1" = --version ]; then cat "$here/version"; exit 0; fi
if [ "$1" = python ]; then cat "$here/pythons"; exit 0; fi
echo "$@" >> "$here/calls"
step=$1; [ "$1" = pip ] && case "$*" in *--editable*) step=utils;; *) step=packages;; esac
for last; do :; done
if [ $step = venv ]; then mkdir -p "$last/bin"
    printf '#!/bin/sh\nenv > "$(dirname "$0")/variables"\necho "$@"' > "$last/bin/python"
    chmod +x "$last/bin/python"; fi
if [ $step = packages ]; then touch .venv/half; fi
if [ -e "$here/hang" ]; then touch "$here/hangs"; sleep 60; fi
if [ -e "$here/fail-$step" ]; then cat "$here/fail-$step"; exit 2; fi
case "$*" in *--offline*) cache=warm;; *) cache=cold;; esac
if [ $step = packages ] && [ -e "$here/no-$cache" ]; then cat "$here/no-$cache"; exit 2; fi
if [ $step = packages ]; then
    rm .venv/half
    mkdir -p .venv/lib/made_up
    echo one > .venv/lib/made_up/one.py
    echo two > .venv/lib/made_up/two.py; fi
"""

NONSENSE = """PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONPLATLIBDIR PYTHONOPTIMIZE PYTHONHASHSEED
PYTHONIOENCODING PYTHONWARNINGS PYTHONINSPECT PYTHONSTARTUP PYTHONEXECUTABLE PYTHONUSERBASE
VIRTUAL_ENV CONDA_PREFIX MPLBACKEND JUPYTER_PATH PIP_TARGET PIP_USER PIP_REQUIRE_HASHES
PIP_REQUIRE_VIRTUALENV PIP_NO_DEPS PIP_CONSTRAINT UV_PYTHON UV_OVERRIDE UV_NO_CONFIG UV_TARGET
UV_NO_VERIFY_HASHES UV_PROJECT_ENVIRONMENT UV_SYSTEM_PYTHON UV_EXCLUDE_NEWER""".split()


class Course:
    """A copy of the set-up in a folder of its own, with a fake uv first on the PATH."""

    def __init__(self, folder):
        self.root = folder / "course"
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(ROOT / "tools", self.root / "tools")
        shutil.copytree(ROOT / "jupyter_config", self.root / "jupyter_config")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        (self.root / "requirements.txt").write_text("made-up==1.0\n")
        (self.bin / "uv").write_text(FAKE_UV)
        (self.bin / "uv").chmod(0o755)
        (self.bin / "version").write_text("uv 99.0.0\n")
        (self.bin / "pythons").write_text("[]")
        self.pyenv = folder / "pyenv"
        self.stamp = self.root / ".venv" / "course-stamp"

    def start(self, *arguments, options=("-E",), **variables):
        """As make starts it, in a group of processes of its own, as on a terminal."""
        path = os.pathsep.join([str(self.bin), os.environ["PATH"]])
        return subprocess.Popen(
            [sys.executable, *options, self.root / "tools" / "bootstrap.py", *arguments],
            env={**os.environ, "PATH": path, "PYENV_ROOT": str(self.pyenv), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments, **variables):
        """Exit code, what was said, and what was complained about."""
        process = self.start(*arguments, **variables)
        said, complaint = process.communicate(timeout=120)
        return process.returncode, said, complaint

    def calls(self):
        """The steps that the fake uv was called for since the last look."""
        file = self.bin / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def variables(self, file):
        """The environment that the fake uv, or the Python that it made, was last called in."""
        return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


def one_sentence(text):
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text and lines[0].endswith("."), text
    return lines[0]


def test_set_up_once_then_start_at_once(course):
    code, said, complaint = course.run("setup")
    assert (code, complaint) == (0, "")
    assert "uv 99.0.0" in said
    venv, packages, utils = course.calls()
    assert "only-managed --python 3.13" in venv and "There is no Python" in said
    assert "--no-deps" in packages and "--require-hashes --only-binary :all:" in packages
    assert "--no-deps --no-build-isolation --editable ." in utils
    settings = course.root / ".venv" / "etc" / "jupyter" / "jupyter_lab_config.json"
    assert settings.is_file()

    assert course.run("setup")[0] == 0
    assert course.calls() == []


@pytest.mark.parametrize("file", ["requirements.txt", "pyproject.toml", "tools/bootstrap.py"])
def test_a_change_sets_up_again(course, file):
    course.run("setup")
    course.calls()
    with (course.root / file).open("a") as text:
        text.write("\n# changed\n")
    course.run("setup")
    assert len(course.calls()) == 3
    course.run("setup")
    assert course.calls() == []


def test_a_moved_course_and_a_lost_python_set_up_again(course):
    course.run("setup")
    (course.root / ".venv" / "bin" / "python").unlink()
    course.calls()
    course.run("setup")
    assert len(course.calls()) == 3
    moved = course.root.with_name("elsewhere")
    course.root = course.root.rename(moved)
    course.run("setup")
    assert len(course.calls()) == 3


def make_python(file, works=True):
    file.parent.mkdir(parents=True)
    file.write_text(f"#!/bin/sh\nexit {0 if works else 1}")
    file.chmod(0o755)
    return str(file)


@pytest.mark.skipif(os.name == "nt", reason="a script cannot stand for a Python on Windows")
@pytest.mark.parametrize(
    ("of_uv", "of_pyenv", "taken"),
    [
        (["3.11.9"], [], "3.11.9"),
        (["3.11.9", "3.12.4", "3.14.0", "3.10.1"], [], "3.12.4"),
        (["3.12.4"], ["3.13.0"], "3.13.0"),  # pyenv's shims show uv the global version only
        (["3.13.2"], ["3.13.10"], "3.13.10"),
        (["3.11.9"], ["3.13.0t", "3.13-dev", "3.9.18", "2.7.18"], "3.11.9"),
        (["3.13.1 broken", "3.12.1 broken"], ["3.13.3 broken", "3.11.2"], "3.11.2"),
        (["3.13.1 broken"], [], None),
        (["3.13.1 gone"], [], None),
    ],
)
def test_the_newest_python_that_works_is_taken(course, of_uv, of_pyenv, taken):
    listed, works = [], {}
    for text in of_uv:
        version, _, fault = text.partition(" ")
        works[version] = course.bin / f"python{version}" / "python"
        if fault != "gone":
            make_python(works[version], not fault)
        listed.append({"version": version, "path": str(works[version])})
    (course.bin / "pythons").write_text(json.dumps(listed))
    for text in of_pyenv:
        version, _, fault = text.partition(" ")
        works[version] = course.pyenv / "versions" / version / "bin" / "python"
        make_python(works[version], not fault)
    code, said, complaint = course.run("setup")
    assert (code, complaint) == (0, "")
    asked = course.calls()[0].split("--python ")[1].split()[0]
    assert asked == (str(works[taken]) if taken else "3.13")
    assert taken is None or f"Python {taken}" in said


def test_the_probe_knows_this_python():
    """Whatever runs the tests was chosen by it; one without bz2, say, would not have been."""
    assert subprocess.run([sys.executable, "-c", bootstrap.PROBE]).returncode == 0
    lame = "import sys; sys.modules['bz2'] = None\n" + bootstrap.PROBE
    done = subprocess.run([sys.executable, "-c", lame], capture_output=True)
    assert done.returncode == 1
    for state in ("sys.implementation.name = 'pypy'", "struct.calcsize = lambda _: 4"):
        text = bootstrap.PROBE.replace("sys.exit", f"{state}\nsys.exit")
        assert subprocess.run([sys.executable, "-c", text]).returncode == 1


def test_a_second_call_writes_nothing(course):
    """So that a checkout that is set up may be read-only."""
    course.run("setup")

    def files():
        return {
            path: path.lstat().st_mtime_ns
            for path in [course.root, *course.root.rglob("*")]
            if "__pycache__" not in path.parts and path.name != "tools"
        }

    before = files()
    assert course.run("setup")[0] == 0
    assert files() == before


def lose_a_file(venv):
    (venv / "lib" / "made_up" / "two.py").unlink()


def lose_a_package(venv):
    shutil.rmtree(venv / "lib" / "made_up")


def cut_a_file(venv):
    (venv / "lib" / "made_up" / "two.py").write_text("")


def lose_the_settings(venv):
    (venv / "etc" / "jupyter" / "jupyter_lab_config.json").unlink()


@pytest.mark.parametrize("harm", [lose_a_file, lose_a_package, cut_a_file, lose_the_settings])
def test_a_damaged_environment_is_made_again(course, harm):
    course.run("setup")
    course.calls()
    harm(course.root / ".venv")
    code, said, complaint = course.run("setup")
    assert (code, complaint) == (0, "")
    assert "damaged" in said and len(course.calls()) == 3
    assert (course.root / ".venv" / "lib" / "made_up" / "two.py").read_text() == "two\n"
    course.run("setup")
    assert course.calls() == []


def test_what_was_added_or_compiled_is_no_damage(course):
    compiled = course.root / ".venv" / "lib" / "made_up" / "__pycache__"
    course.run("setup")
    course.calls()
    compiled.mkdir()
    (compiled / "one.pyc").touch()
    (course.root / ".venv" / "lib" / "added.py").touch()
    course.run("setup")
    shutil.rmtree(compiled)
    course.run("setup")
    assert course.calls() == []


def test_a_filled_cache_needs_no_network(course):
    (course.bin / "no-cold").write_text("error: Failed to fetch: `x`\n  cause: dns error")
    assert course.run("setup")[0] == 0
    assert len(course.calls()) == 3


def test_an_empty_cache_is_filled(course):
    (course.bin / "no-warm").write_text("error: the network is disabled: `--offline`")
    code, _, complaint = course.run("setup")
    assert (code, complaint) == (0, "")
    _, warm, cold, _ = course.calls()
    assert cold == warm.replace("--offline ", "")


@pytest.mark.parametrize("name", [".venv", ".tools"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "link to a file"])
def test_a_link_in_the_way_is_removed_and_what_it_names_is_kept(course, name, kind):
    target = course.root.with_name("elsewhere")
    if kind == "link":
        target.mkdir()
        (target / "kept").touch()
    elif kind == "link to a file":
        target.touch()
    (course.root / name).symlink_to(target)
    code, _, complaint = course.run("setup")
    assert (code, complaint) == (0, "")
    assert (course.root / name).is_dir() and course.stamp.exists()
    if kind == "link":
        assert (target / "kept").exists()
        # Tools may live elsewhere; an environment that somebody else uses is left alone.
        assert (course.root / name).is_symlink() == (name == ".tools")


@pytest.mark.parametrize("name", [".venv", ".tools"])
def test_a_file_in_the_way_is_named(course, name):
    (course.root / name).write_text("mine")
    code, _, complaint = course.run("setup")
    assert code == 1
    assert f"{course.root / name} is a file" in one_sentence(complaint)
    assert (course.root / name).read_text() == "mine"


def test_a_home_that_cannot_be_written(course):
    """What uv, JupyterLab and the notebooks keep there goes below .tools."""
    names = [name for name in os.environ if name in runner.caches()]
    nowhere = course.root / "Makefile" / "home"  # below a file: not even root can make it
    home = dict.fromkeys(["HOME", "USERPROFILE", *names], str(nowhere))
    code, _, complaint = course.run("run", "x.py", **home)
    assert (code, complaint) == (0, "")
    for file in (course.bin / "variables", course.root / ".venv" / "bin" / "variables"):
        variables = course.variables(file)
        for name in ("UV_CACHE_DIR", "MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_DATA_DIR"):
            assert variables[name].startswith(str(course.root / ".tools")), name
    _, said, _ = course.run("lab", **home)
    assert "delete_to_trash=False" in said.splitlines()[-1]


def test_a_home_that_can_be_written_is_used(course, tmp_path):
    caches = runner.caches()
    for name in set(caches) & set(os.environ):
        pytest.skip(f"{name} is set here")
    assert course.run("run", "x.py", HOME=str(tmp_path), USERPROFILE=str(tmp_path))[0] == 0
    variables = course.variables(course.root / ".venv" / "bin" / "variables")
    assert not set(caches) & set(variables)


def test_nonsense_in_the_environment_goes_nowhere(course):
    code, _, complaint = course.run("run", "x.py", **dict.fromkeys(NONSENSE, "/not/there"))
    assert (code, complaint) == (0, "")
    for file in (course.bin / "variables", course.root / ".venv" / "bin" / "variables"):
        passed = [name for name, value in course.variables(file).items() if value == "/not/there"]
        assert passed == []


def test_a_safe_path_finds_the_set_up(course):
    code, _, complaint = course.run("setup", options=(), PYTHONSAFEPATH="1")
    assert (code, complaint) == (0, "")


FAILURES = {
    "no network": ("packages", "error: Failed to fetch: `x`\n  cause: dns error", "network"),
    "no network at all": ("packages", "Network is unreachable (os error 101)", "network"),
    "disk full": (
        "packages",
        "failed to copy a to b: No space left on device (os error 28)",
        "3.5 GB",
    ),
    "hash": ("packages", "error: Hash mismatch for `tqdm==4.70.1`\nExpected: sha256:00", "hash"),
    "no such wheel": (
        "packages",
        "hint: wheels are available for `tensorflow` (v2.21.0) on: win_amd64\n"
        "has no wheels with a matching platform tag (e.g., `win_arm64`)",
        "machine",
    ),
    "no right": (
        "venv",
        "failed to create directory `/a/b`: Permission denied (os error 13)",
        "/a/b cannot be written",
    ),
    "no cache": (
        "venv",
        "error: Failed to initialize cache at `/a/b`\n"
        "  cause: failed to create directory `/a/b`: Not a directory (os error 20)",
        "/a/b cannot be written",
    ),
    "no such setting": (
        "packages",
        "error: invalid value 'x' for '--link-mode <LINK_MODE>'\n  [possible values: copy]",
        "(invalid value 'x' for '--link-mode <LINK_MODE>')",
    ),
    "no such index": (
        "packages",
        "cause: Because x was not found in the package registry and you require x==1.0",
        "check your settings",
    ),
    "a proxy that is none": (
        "packages",
        "  cause: tunnel error: failed to create underlying connection",
        "check the network",
    ),
    "no Python": ("venv", "No interpreter found for Python 3.13 in search path", "Python 3.11"),
    "no Python, no network": (
        "venv",
        "Failed to download `cpython-3.13`: dns error",
        "install one of them yourself",
    ),
    "something else": (
        "utils",
        "line one\nerror: a new kind of trouble\n",
        "a new kind of trouble",
    ),
    "silence": ("packages", "", "said nothing"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_one_sentence_and_can_be_repaired(course, name):
    step, output, expected = FAILURES[name]
    (course.bin / f"fail-{step}").write_text(output)
    code, _, complaint = course.run("lab")
    assert code == 1
    assert expected in one_sentence(complaint)
    assert not course.stamp.exists()

    (course.bin / f"fail-{step}").unlink()
    assert course.run("setup")[0] == 0
    assert course.stamp.exists() and not (course.root / ".venv" / "half").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are not sent this way on Windows")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_set_up_is_repaired(course, sent):
    (course.bin / "hang").touch()
    process = course.start("setup")
    deadline = time.monotonic() + 60
    while not (course.bin / "hangs").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, sent)  # Ctrl-C goes to all that run on a terminal.
    said, complaint = process.communicate(timeout=180)
    assert process.returncode == 130
    assert complaint == "" and "run the same command again" in said.splitlines()[-1]
    assert not course.stamp.exists()

    (course.bin / "hang").unlink()
    assert course.run("setup")[0] == 0
    assert course.stamp.exists()


def test_an_old_uv_is_passed_over_and_no_network_is_said(course):
    """Pip, which cannot find uv here, runs clean as well."""
    (course.bin / "version").write_text("uv 0.1.0\n")
    nonsense = dict.fromkeys(NONSENSE, "/not/there")
    code, said, complaint = course.run("setup", **nonsense, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert code == 1
    assert "older than the course needs" in said
    assert "uv could not be downloaded" in one_sentence(complaint)
    assert course.calls() == []


def test_a_taken_port_is_said_before_the_set_up(course):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, _, complaint = course.run("lab", "--port", port)
    assert code == 1
    assert f"Port {port} is taken" in one_sentence(complaint)
    assert course.calls() == []


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "8888.5"])
def test_a_port_that_is_none_is_said(port):
    with pytest.raises(runner.Failure, match="number from 1 to 65535"):
        bootstrap.check_port(port, "")


def test_lab_opens_the_first_lesson(course):
    (course.root / "notebooks").mkdir()
    (course.root / "notebooks" / "00_start_here.ipynb").touch()
    code, said, _ = course.run("lab", "--port", "58123", "--ip", "127.0.0.1", DISPLAY="")
    command = said.splitlines()[-1]
    assert code == 0
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in command
    assert "--port=58123 --ServerApp.port_retries=0 --ip=127.0.0.1" in command
    assert ("--allow-root" in command) == (os.name != "nt" and os.geteuid() == 0)
    assert ("--no-browser" in command) == sys.platform.startswith("linux")
    assert "token" not in command


def test_where_packages_come_from_is_passed_on(monkeypatch):
    good = "PIP_INDEX_URL PIP_CERT UV_DEFAULT_INDEX UV_CACHE_DIR UV_PYTHON_INSTALL_DIR".split()
    good += ["HTTPS_PROXY", "SSL_CERT_FILE"]
    for name in good:
        monkeypatch.setenv(name, "x")
    clean = runner.clean_environment()
    assert [name for name in good if name not in clean] == []
    said = runner.explain_failure("error: dns error", "The packages")
    assert "UV_DEFAULT_INDEX" in said and "PIP_INDEX_URL" not in said
