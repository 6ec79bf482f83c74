"""Make the course's environment in .venv, then open JupyterLab, run the tests or run a tool.

Needs the standard library and Python 3.8 or newer: it is the first thing that runs, before
anything is installed. `make lab` is `python3 tools/bootstrap.py lab`; where there is no make
(Windows), type the latter.
"""

import argparse
import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # PYTHONSAFEPATH leaves it out.
from runner import (
    AGAIN,
    DISK_FULL,
    NO_PYTHON,
    PYTHONS,
    SIZE,
    TOOLS,
    Failure,
    can_write,
    clean_environment,
    run,
    say,
)

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "course-stamp"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
FIRST_LESSON = "notebooks/00_start_here.ipynb"
OLDEST_UV = (0, 6, 0)
MINORS = (13, 12, 11)  # Python's, the favourite first
# The Python that runs this; PYTHONEXECUTABLE can name one that is not there.
HOST = sys.executable if os.path.isfile(sys.executable) else shutil.which("python3")


def uv_version(path):
    """The version of a uv as a tuple, or None where that uv does not run."""
    try:
        answer = subprocess.run(
            [str(path), "--version"],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
    except OSError:
        return None
    found = re.match(r"uv (\d+)\.(\d+)\.(\d+)", answer.stdout)
    return tuple(int(number) for number in found.groups()) if found else None


def has_module(names):
    """Whether the Python that runs this has some modules."""
    command = [HOST, "-c", f"import {names}"]
    return not subprocess.call(command, env=clean_environment(), stderr=subprocess.DEVNULL)


def find_uv():
    """The uv on the PATH if it is new enough, else a pinned one of our own in .tools."""
    on_path = shutil.which("uv")
    version = uv_version(on_path) if on_path else None
    if version and version >= OLDEST_UV:
        say(f"Using uv {'.'.join(map(str, version))} from the PATH.")
        return on_path
    requirements = ROOT / "tools" / "uv-requirements.txt"
    pinned = re.search(r"uv==([\d.]+)", requirements.read_text(encoding="utf-8")).group(1)
    folder = TOOLS / "uv"
    places = [folder / "bin" / "uv", folder / "Scripts" / "uv.exe", folder / "bin" / "uv.exe"]
    for place in places:
        if uv_version(place) == tuple(map(int, pinned.split("."))):
            return str(place)
    reason = "older than the course needs" if version else "not on the PATH"
    say(f"uv is {reason}: putting uv {pinned} into .tools.")
    remove(folder)
    install = ["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    install += ["--disable-pip-version-check", "-r", requirements]
    if has_module("venv, ensurepip"):
        run([HOST, "-m", "venv", folder], "uv")
        inner = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        run([inner] + install, "uv")
    elif has_module("pip"):
        run([HOST] + install + ["--target", folder], "uv")
    else:
        raise Failure(
            "This Python has neither venv nor pip: install one of them (on Debian and Ubuntu "
            f"the package python3-venv) or uv itself, and {AGAIN}."
        )
    for place in places:
        if uv_version(place):
            return str(place)
    raise Failure(f"uv was installed but does not run on this machine: install uv and {AGAIN}.")


# Exits 0 where the course can run: TensorFlow has wheels for this Python, and nothing was left out
# when it was built. (An Intel Python on a Mac of Apple's own kind runs, but gets no TensorFlow.)
PROBE = """
import bz2, ctypes, platform, sqlite3, ssl, struct, sys, sysconfig, zlib
sys.exit(
    sys.implementation.name != "cpython" or sys.version_info.releaselevel != "final"
    or struct.calcsize("P") != 8 or bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    or (sys.platform, platform.machine()) == ("darwin", "x86_64")
)
"""


def find_python(uv, minors=MINORS):
    """Version and path of the newest Python that works, of those that uv and pyenv have.

    Without a word: pyenv's shims, where uv looks, complain about every version but the chosen one.

    Returns
    -------
    tuple of str or None
        None where there is none.
    """
    quiet = {"env": clean_environment(), "stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [uv, "python", "list", "--only-installed", "--output-format", "json"]
    answer = subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, **quiet).stdout
    try:
        found = [(entry["version"], entry["path"]) for entry in json.loads(answer)]
    except (ValueError, TypeError, KeyError):
        found = []  # A uv that answers otherwise.
    pyenv = Path(os.path.expanduser(os.environ.get("PYENV_ROOT") or "~/.pyenv")) / "versions"
    for python in ("bin/python", "python.exe"):
        found += [(path.name, str(path / python)) for path in pyenv.glob("3.*")]
    numbered = []
    for version, path in found:
        match = re.fullmatch(r"3\.(\d+)\.(\d+)", version)
        if match and int(match.group(1)) in minors:
            numbered.append((int(match.group(1)), int(match.group(2)), path))
    for minor, patch, path in sorted(numbered, key=lambda one: one[:2], reverse=True):
        try:
            if not subprocess.call([path, "-c", PROBE], stdout=subprocess.DEVNULL, **quiet):
                return f"3.{minor}.{patch}", path
        except OSError:
            pass  # Half a Python: take the next.
    return None


def fingerprint():
    """What the environment is made from; the folder belongs to it, for a .venv cannot be moved."""
    digest = hashlib.sha256(str(ROOT).encode())
    settings = sorted(path for path in (ROOT / "jupyter_config").rglob("*") if path.is_file())
    for path in [ROOT / "requirements.txt", ROOT / "pyproject.toml", Path(__file__)] + settings:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def contents():
    """Path and size of every file in .venv, without what Python compiles by itself."""
    sizes, folders = {}, [str(VENV)]
    for folder in folders:  # It grows below.
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    sizes[entry.path[len(str(VENV)) + 1 :]] = size
                elif entry.name != "__pycache__":
                    folders.append(entry.path)
    return sizes


def what_is_wrong():
    """Why .venv has to be made, in words; None where it is there and whole.

    What was added later is no fault.
    """
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        if stamp["course"] != fingerprint() or not PYTHON.exists():
            return "older than the course"
        there = contents()
        lost = [path for path, size in stamp["contents"].items() if there.get(path) != size]
    except (OSError, ValueError, TypeError, KeyError):
        return "unfinished"
    return f"damaged (files lost or changed: {len(lost)}, first {lost[0]})" if lost else None


@contextlib.contextmanager
def locked():
    """Wait until no other set-up runs in this folder. The system drops the lock with its holder."""
    if not TOOLS.is_dir():
        remove(TOOLS)
        TOOLS.mkdir()
    with (TOOLS / "lock").open("w") as file:
        hold_lock(file)
        yield


def hold_lock(file):
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another set-up is running in this folder: waiting for it.")
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        pass  # A file system without locks: better no lock than no course.


def remove(path):
    """Remove a folder of the set-up, or a link in its place; never a file, which is not ours."""
    if path.is_symlink():
        path.unlink()
    elif path.is_file():
        raise Failure(f"{path} is a file, and the set-up needs that name: move it and {AGAIN}.")
    elif path.exists():
        shutil.rmtree(str(path))


def set_up():
    """Make .venv unless it is there and whole. The stamp is written last."""
    if not what_is_wrong():
        return
    with locked():
        wrong = what_is_wrong()
        if wrong:
            build(wrong)


def build(wrong):
    started = time.monotonic()
    say(f"Setting up the course in {VENV}.")
    say("This happens once: about 1 GB to download, unless uv has them already.")
    free = shutil.disk_usage(str(ROOT)).free
    if free < SIZE * 1e9:
        say(f"Only {free / 1e9:.1f} GB are free on this disk; the course needs {SIZE} GB.")
    uv = find_uv()
    if os.path.lexists(str(VENV)):
        say(f"Removing the environment that is there: it is {wrong}.")
        remove(VENV)
    python = find_python(uv)
    if python:
        say(f"Taking Python {python[0]} ({python[1]}).")
        choice = ["--python", python[1]]
    else:
        say(f"There is no {PYTHONS} here that works: uv fetches 3.{MINORS[0]}.")
        choice = ["--python-preference", "only-managed", "--python", f"3.{MINORS[0]}"]
    try:
        run([uv, "venv"] + choice + [VENV], PYTHONS)
    except Failure as failure:
        text = str(failure)
        raise Failure(NO_PYTHON if "could not be downloaded" in text else text) from None
    say("Installing the packages of requirements.txt, each checked by its hash.")
    install = [uv, "pip", "install", "--python", PYTHON, "--no-deps"]
    # The list is whole and pinned, so nothing is resolved: iNNvestigate asks for older ones.
    lists = ["--require-hashes", "--only-binary", ":all:", "-r", "requirements.txt"]
    try:
        run(install + ["--offline"] + lists, "The packages")  # Waits for no network in vain.
    except Failure:
        run(install + lists, "The packages")
    say("Installing the course's own utils and JupyterLab's settings.")
    run(install + ["--no-build-isolation", "--editable", "."], "utils")
    shutil.copytree(str(ROOT / "jupyter_config"), str(VENV / "etc" / "jupyter"), dirs_exist_ok=True)
    stamp = {"course": fingerprint(), "contents": contents()}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    say(f"Set up in {time.monotonic() - started:.0f} s.")


def set_up_site():
    """Make .site-venv, with what builds the site, unless it fits its list; return its Python."""
    folder, packages = ROOT / ".site-venv", ROOT / "site" / "requirements.txt"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = folder / "site-stamp", hashlib.sha256(packages.read_bytes()).hexdigest()

    def there():
        return python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted

    if there():
        return python
    with locked():
        if there():
            return python
        say(f"Setting up what builds the site in {folder}: 220 MB.")
        uv = find_uv()
        remove(folder)
        found = find_python(uv)
        run([uv, "venv", "--python", found[1] if found else f"3.{MINORS[0]}", folder], PYTHONS)
        install = [uv, "pip", "install", "--python", python, "--no-deps", "--require-hashes"]
        run(install + ["--only-binary", ":all:", "-r", "site/requirements.txt"], "The packages")
        stamp.write_text(wanted, encoding="utf-8")
    return python


def check_port(text, address):
    """The port as a number; a Failure where it is none or is taken."""
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Failure(f"PORT={text} is not a port: give a number from 1 to 65535.")
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address or "127.0.0.1", int(text)))
        except PermissionError:
            raise Failure(f"Port {text} is kept for the system: take one above 1023.") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return int(text)  # an address this probe cannot try: JupyterLab will say
            raise Failure(
                f"Port {text} is taken: give another one, or none and a free one is found."
            ) from None
    return int(text)


def lab(port, address):
    """Open JupyterLab on the first lesson; this process becomes JupyterLab."""
    command = [str(PYTHON), "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", "--log-level=ERROR"]
    if port:
        command += [f"--port={check_port(port, address)}", "--ServerApp.port_retries=0"]
    if address:
        command.append(f"--ip={address}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    if not can_write("~"):
        command.append("--FileContentsManager.delete_to_trash=False")  # The trash is there.
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not display and sys.platform.startswith("linux"):
        command.append("--no-browser")
        say("No display here: open the address below in a browser.")
    if (ROOT / FIRST_LESSON).exists():
        command.append(f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}")
    say("JupyterLab starts; Ctrl-C here stops it.")
    become(command)


def course_environment():
    """The environment of everything that runs inside .venv."""
    clean = clean_environment()
    clean.update(VIRTUAL_ENV=str(VENV), PYTHONNOUSERSITE="1", JUPYTER_PREFER_ENV_PATH="1")
    clean["PATH"] = os.pathsep.join([str(BIN), clean.get("PATH", "")])
    return clean


def become(command):
    """Let a program take this process's place, or stand in for it where that is not possible."""
    os.chdir(str(ROOT))
    if os.name != "nt":
        os.execve(command[0], command, course_environment())
    process = subprocess.Popen(command, env=course_environment())
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:
            pass  # The program has it too and decides.


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Set up the course and start something in it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="make the environment in .venv")
    jupyter = commands.add_parser("lab", help="open JupyterLab on the first lesson")
    jupyter.add_argument("--port", default="", help="a port of your choice")
    jupyter.add_argument("--ip", default="", help="0.0.0.0 lets other machines in (container)")
    commands.add_parser("test", help="run all tests but the slow ones")
    commands.add_parser("test-slow", help="run the slow tests")
    site = commands.add_parser("site", help="build the web site")
    site.add_argument("--repository", default="", help="owner/name on GitHub, for its buttons")
    tool = commands.add_parser("run", help="run a Python file of the course")
    tool.add_argument("rest", nargs=argparse.REMAINDER, metavar="FILE ...")
    chosen = parser.parse_args(arguments)

    if chosen.command == "lab" and chosen.port:
        check_port(chosen.port, chosen.ip)  # Before a long set-up, not after it.
    if chosen.command == "site":
        if not re.fullmatch(r"([\w.-]+/[\w.-]+)?", chosen.repository):
            raise Failure(
                f"REPOSITORY={chosen.repository} is not owner/name: give it as on GitHub."
            )
        os.environ["REPOSITORY"] = chosen.repository
        become([str(set_up_site()), "tools/make_site.py"])
    set_up()
    if chosen.command == "setup":
        say("The course is set up: `make lab` opens it.")
    elif chosen.command == "lab":
        lab(chosen.port, chosen.ip)
    elif chosen.command == "run":
        become([str(PYTHON)] + chosen.rest)
    else:
        if chosen.command == "test":
            try:
                set_up_site()
            except Failure as failure:
                say(f"Without what builds the site, its tests are skipped. {failure}")
        slow = ["--slow"] if chosen.command == "test-slow" else []
        become([str(PYTHON), "tools/run_tests.py"] + slow)


def stop(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    if sys.version_info < (3, 8):
        sys.exit(
            "The set-up needs Python 3.8 or newer, and this is {}.{}.".format(*sys.version_info)
        )
    signal.signal(signal.SIGTERM, stop)
    try:
        main()
    except KeyboardInterrupt:
        say(f"\nStopped before the end: {AGAIN} to go on.")
        sys.exit(130)
    except Failure as failure:
        sys.exit(str(failure))
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            sys.exit(DISK_FULL)
        where = f" ({error.filename})" if error.filename else ""
        sys.exit(f"Stopped, for the system says: {error.strerror or error}{where}.")
