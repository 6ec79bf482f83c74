"""Run the commands of the set-up quietly; when one fails, say it in one sentence with the cure.

Like bootstrap.py: the standard library only, Python 3.8 or newer.
"""

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
LOG = TOOLS / "setup.log"

AGAIN = "run the same command again"
SIZE = 3.5  # GB, on disk
DISK_FULL = f"The disk is full: the course needs {SIZE} GB here; free some space and {AGAIN}."
PYTHONS = "Python 3.11, 3.12 or 3.13"
NO_PYTHON = (
    f"No {PYTHONS} that works is on this machine, and none could be downloaded: check the "
    f"network, or install one of them yourself (64 bit), and {AGAIN}."
)

# What uv and pip print when something fails, and what to tell the learner. First match wins.
SAYINGS = [
    (
        r"no space left|not enough space|disk quota|os error (28|112|122)\b",
        DISK_FULL,
    ),
    (
        r"hash mismatch|do not match the hashes",
        "A downloaded package is not the one that the course names (its hash differs), "
        f"so it was not installed: {AGAIN}, and if it stays so get a fresh copy of the course.",
    ),
    (
        r"no matching platform tag|compatible wheels|wheels? for the current platform"
        r"|no wheels? .*platform|not a supported wheel|not supported on this platform",
        "A package does not exist for this kind of machine (TensorFlow runs on 64-bit Linux and "
        "Windows on x86, on Linux on ARM, and on Macs with Apple's own processors, no longer on "
        "Intel's): use another machine or Binder, as INSTALL.md says.",
    ),
    (
        r"permission denied|access is denied|read-only file system"
        r"|failed to (create directory|initialize cache)|os error (5|13|30)\b",
        "{folder} cannot be written: get the right to, or move the course, and " + AGAIN + ".",
    ),
    (r"no interpreter found|no download found", NO_PYTHON),
    (
        r"invalid value|environment variable|failed to open file|failed to read",
        "A setting that was passed on cannot be used ({said}): correct it or unset "
        "the variable{settings}, and " + AGAIN + ".",
    ),
    (
        r"not found in the package registry",
        "{what} cannot be found where packages are looked for: check your settings{settings}, "
        "and " + AGAIN + ".",
    ),
    (
        r"dns error|name resolution|error sending request|failed to fetch|could not connect|connect"
        r"|network|timed? ?out|failed to download|max retries|tunnel|temporary failure|offline"
        r"|could not find a version|request failed",
        "{what} could not be downloaded: check the network (behind a proxy, set HTTPS_PROXY"
        "{settings}), and " + AGAIN + ".",
    ),
]

# What may pass from the host's pip and uv settings: where packages come from, never which ones.
KEPT = re.compile(
    r"(PIP|UV)_(.*INDEX.*|FIND_LINKS|.*CERTS?|NATIVE_TLS|PROXY|TRUSTED_HOST|INSECURE_HOST"
    r"|.*TIMEOUT|RETRIES|CONFIG_FILE|CACHE_DIR|OFFLINE|LINK_MODE|KEYRING_PROVIDER|PYTHON_.+)"
)
DROPPED = {"CONDA_PREFIX", "VIRTUAL_ENV", "JUPYTER_PATH", "MPLBACKEND", "__PYVENV_LAUNCHER__"}
# All of Python's own bend it (PYTHONHOME, PYTHONSAFEPATH, PYTHONOPTIMIZE, ...) but this one.
HARMLESS = {"PYTHONUNBUFFERED"}


class Failure(Exception):
    """Something the learner has to know, in one sentence."""


def explain_failure(output, what):
    """One sentence for what uv or pip printed when it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for pattern, sentence in SAYINGS:
        said = next((line for line in lines if re.search(pattern, line, re.IGNORECASE)), None)
        if said:
            folder = re.search(r"[`'\"]([^`'\"]*[/\\][^`'\"]*)[`'\"]", said)
            return (
                sentence.replace("{what}", what)
                .replace("{folder}", folder.group(1) if folder else "A folder of the set-up")
                .replace("{said}", re.sub(r"^error: ", "", said).rstrip("."))
                .replace("{settings}", settings(what))
            )
    last = lines[-1].rstrip(".") if lines else "it said nothing"
    return f"{what} could not be installed ({last}); all that was said is in {LOG}."


def settings(what):
    """The learner's own settings of where packages come from, to be named in a sentence."""
    program = "PIP" if what == "uv" else "UV"
    where = re.compile(program + "_.*(INDEX|LINKS|CERT|TLS|PROXY|CONFIG_FILE|OFFLINE)")
    names = sorted(name for name in clean_environment() if where.match(name))
    return f"; set here: {', '.join(names)}" if names else ""


def say(text):
    print(text, flush=True)


def clean_environment():
    """The host's variables without those that would bend what is installed or imported."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED
        and (not name.startswith("PYTHON") or name in HARMLESS)
        and (not name.startswith(("UV_", "PIP_")) or KEPT.fullmatch(name))
    }
    for name, usual in caches().items():
        if not can_write(os.environ.get(name) or usual):
            clean[name] = str(Path(spare_home()) / name.lower())
    return clean


@functools.lru_cache
def spare_home():
    """Where the caches go when the home folder cannot be written."""
    if can_write(str(TOOLS)):
        return str(TOOLS / "home")
    return tempfile.mkdtemp(prefix="course-")


def caches():
    """What is kept in the home folder, by the variable that moves it.

    Of JupyterLab, the notebooks and the set-up.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return {
        "UV_CACHE_DIR": f"{cache}/uv",
        "UV_PYTHON_INSTALL_DIR": f"{data}/uv/python",
        "XDG_CACHE_HOME": "~/.cache",
        "MPLCONFIGDIR": f"{config}/matplotlib",
        "IPYTHONDIR": "~/.ipython",
        "JUPYTER_CONFIG_DIR": "~/.jupyter",
        "JUPYTER_DATA_DIR": f"{data}/jupyter",
        "JUPYTER_RUNTIME_DIR": f"{data}/jupyter/runtime",
    }


def can_write(folder):
    """Whether a folder can be written, or made where it is not there yet."""
    path = Path(os.path.expanduser(folder)).absolute()
    while not os.path.lexists(str(path)):
        path = path.parent
    return path.is_dir() and os.access(str(path), os.W_OK | os.X_OK)


def run(command, what):
    """Run a command of the set-up; show its downloads; turn a failure into one sentence."""
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=str(ROOT),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.strip().startswith(("Downloading ", "Downloaded ")):
                say("  " + line.strip())
        process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    output = "".join(lines)
    if process.returncode:
        try:
            LOG.write_text(output, encoding="utf-8")
        except OSError:
            pass  # A full disk must not hide the sentence about it.
        raise Failure(explain_failure(output, what))
    return output
