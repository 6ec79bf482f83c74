"""Is this installation sound? One line when it is, else what is missing and the cure.

Only the standard library must be there, and any Python from 3.8 on can read this file: it has to
work where the installation does not.
"""

import importlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

TENSORFLOW = ("2.20", "2.21")
INNVESTIGATE = "2.1.2"
MEMORY = 1.5e9  # bytes; the most that a lesson may take
DISK = 0.5e9  # bytes; for what a learner writes

SET_UP_AGAIN = "run `make lab` in the course's folder, or `bash postBuild` where there is no .venv"


class Need(NamedTuple):
    """One need of the course: is it met, what it is, and the cure if it is not."""

    ok: bool
    need: str
    cure: str


def check():
    """Look at everything the course needs.

    Returns
    -------
    list of Need
        Named tuples ``(ok, need, cure)``. Nothing is raised: what cannot be found out is ok.
    """
    tensorflow, keras = (_version(name).rpartition(".")[0] for name in ("tensorflow", "tf-keras"))
    return [
        Need(
            (3, 11) <= sys.version_info[:2] <= (3, 13),
            "Python 3.11, 3.12 or 3.13",
            f"this is Python {platform.python_version()} at {sys.executable}: {SET_UP_AGAIN}",
        ),
        Need(
            _has_avx(),
            "a processor with AVX",
            "TensorFlow cannot run on this processor: use another machine or Binder (INSTALL.md)",
        ),
        Need(tensorflow in TENSORFLOW, f"TensorFlow {' or '.join(TENSORFLOW)}", SET_UP_AGAIN),
        Need(
            bool(keras) and keras == tensorflow,
            "tf-keras of TensorFlow's version",
            f"the one is {keras or 'missing'}, the other {tensorflow or 'missing'}: {SET_UP_AGAIN}",
        ),
        Need(_version("numpy").startswith("2."), "NumPy 2", SET_UP_AGAIN),
        Need(
            _version("innvestigate") == INNVESTIGATE and _imports("innvestigate"),
            f"iNNvestigate {INNVESTIGATE}",
            SET_UP_AGAIN,
        ),
        Need(
            _has_utils(),
            "the course's utils",
            "type `pip install --no-deps --no-build-isolation .` in the course's folder",
        ),
        Need(
            _is_current(),
            "utils as new as the course's folder",
            "type `pip install --no-deps --no-build-isolation .` there and restart the kernel",
        ),
        Need(
            bool(_version("ipywidgets") and _version("jupyterlab-widgets")),
            "widgets",
            SET_UP_AGAIN,
        ),
        Need(
            _memory() >= MEMORY,
            f"{MEMORY / 1e9:.1f} GB of memory",
            "close other notebooks (Running, Shut Down All Kernels) and other programs",
        ),
        Need(
            shutil.disk_usage(str(Path.cwd())).free >= DISK,
            f"{DISK / 1e9:.1f} GB of disk",
            "delete what you no longer need on this disk",
        ),
        Need(
            _has_data(),
            "the course's data",
            "start from inside the course's folder, or clone the course again",
        ),
    ]


def report(needs=None):
    """Print one line if all needs are met, else a line for each that is not, with its cure.

    Parameters
    ----------
    needs : list of Need, optional
        What `check` found; it is called when this is left out.
    """
    needs = check() if needs is None else needs
    met = ", ".join(need.need for need in needs if need.ok)
    missing = [need for need in needs if not need.ok]
    for need in missing:
        print(f"FAIL  {need.need}: {need.cure}.")
    print(f"OK    {met}" if missing else "OK    Everything that the course needs is there.")


def course_folder():
    """The course's folder, above this file or above the folder one works in; None if neither."""
    here = Path.cwd().resolve()
    for folder in (Path(__file__).resolve().parents[1], here, *here.parents):
        if (folder / "lessons").is_dir() and (folder / "data" / "README.md").is_file():
            return folder
    return None


def _version(package):
    """The installed version, or an empty string."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _imports(package):
    """Whether a package can be imported, tried in a process of its own if TensorFlow is not loaded.

    A broken TensorFlow can take its process down with it.
    """
    if "tensorflow" in sys.modules:
        try:
            importlib.import_module(package)
        except Exception:
            return False
        return True
    quiet = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", TF_USE_LEGACY_KERAS="1")
    command = [sys.executable, "-c", f"import {package}"]
    return not subprocess.run(command, env=quiet, capture_output=True).returncode


def _has_utils():
    """Whether `import utils` finds this package and not a stranger of the same name."""
    spec = importlib.util.find_spec("utils")
    folders = spec.submodule_search_locations or [] if spec else []
    return any((Path(folder) / Path(__file__).name).is_file() for folder in folders)


def _is_current():
    """Whether the utils in use, perhaps a copy in site-packages, are those of the folder."""
    here, folder = Path(__file__).resolve().parent, course_folder()
    if folder is None or here == folder / "utils" or not (folder / "utils").is_dir():
        return True
    files = [file.relative_to(folder / "utils") for file in (folder / "utils").rglob("*.py")]
    return all(
        (here / file).is_file()
        and (here / file).read_bytes() == (folder / "utils" / file).read_bytes()
        for file in files
    )


def _has_data():
    folder = course_folder()
    if folder is None:
        return False
    data = folder / "data"
    return any(data.glob("*.nc")) and any((data / "weights").glob("*.npz"))


def _has_avx():
    """Whether an x86 processor has the instructions that TensorFlow is built with."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    try:
        if sys.platform == "linux":
            return " avx " in Path("/proc/cpuinfo").read_text()
        if sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.features"]
            return "AVX" in subprocess.run(command, capture_output=True, text=True).stdout
        if sys.platform == "win32":
            import ctypes

            return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(39))
    except OSError:
        pass
    return True


def _memory():
    """Bytes of memory that this process has or may still get; infinite where that is not known.

    A container's limit (Binder, hub) counts, not the size of the machine around it.
    """
    try:
        import psutil
    except ImportError:
        return float("inf")
    free = [psutil.virtual_memory().available]
    for group, limit, used in (
        ("/sys/fs/cgroup", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            limit, used = (int((Path(group) / name).read_text()) for name in (limit, used))
            lines = (Path(group) / "memory.stat").read_text().splitlines()
            reclaimable = int(dict(line.split() for line in lines)["inactive_file"])
        except (OSError, ValueError, KeyError):
            continue  # No such group, or no limit ("max").
        free.append(limit - used + reclaimable)
    return min(free) + psutil.Process().memory_info().rss
