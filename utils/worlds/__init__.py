"""Small worlds with a known truth, one package or module per world.

Every world offers ``simulate(n, seed, ...)``, which returns an :class:`xarray.Dataset` whose
truth variables begin with ``truth_``. A small sample of each lies in ``data/`` and is read with
:func:`open_world`. The seed ranges below never overlap, so that a network is never tested on a
picture it was trained on.
"""

import hashlib
import numbers
from pathlib import Path

import numpy as np
import xarray as xr
from joblib import Parallel, cpu_count, delayed
from tqdm.auto import tqdm

from utils.environment import course_folder

RANGE = 1_000_000
TRAINING, VALIDATION, SAMPLE, CLAIMS = (i * RANGE for i in range(4))


def open_world(name: str) -> xr.Dataset:
    """Read the committed sample of a world.

    Parameters
    ----------
    name : str
        The world's name, such as ``"clever_hans"``.

    Returns
    -------
    xarray.Dataset
        The same schema as the world's ``simulate``, unpacked and in memory.

    Raises
    ------
    ValueError
        If there is no sample of that name, or it is damaged.
    """
    if not isinstance(name, str):
        raise TypeError(f"open_world needs the name of a world as a string, not {name!r}.")
    folder = data_folder()
    known = sorted(file.stem for file in folder.glob("*.nc"))
    if name not in known:
        raise ValueError(f"There is no world called {name!r} in data/; there is {known}.")
    return read_data(f"{name}.nc")


def read_data(name):
    """Read a NetCDF file of data/ into memory, if it is what ``make data`` wrote.

    A damaged one can take the whole process down when NetCDF's library opens it, so that its
    checksum is compared before.

    Parameters
    ----------
    name : str
        Its place below data/.

    Returns
    -------
    xarray.Dataset

    Raises
    ------
    ValueError
        If the file is missing or damaged.
    """
    path, sums = data_folder() / name, data_folder() / "checksums.txt"
    try:
        line = f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}"
        whole = line in sums.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        whole = False
    if not whole:
        raise ValueError(
            f"data/{name} or data/checksums.txt is missing or damaged: get both again with "
            f"`git checkout -- :/data/{name} :/data/checksums.txt`, or make them with `make data`."
        )
    return xr.load_dataset(path)


def data_folder() -> Path:
    """The course's data folder, wherever `utils` is installed."""
    folder = course_folder()
    if folder is None:
        raise ValueError("The folder data/ was not found: start from inside the course's folder.")
    return folder / "data"


def check_request(n, seed, setting, settings):
    """Refuse a number of samples, a seed or a setting that a world does not have.

    Raises
    ------
    ValueError
        If n or seed is no whole number in its range, or the setting is unknown.
    """
    if not isinstance(n, numbers.Integral) or isinstance(n, bool) or not 0 < n <= RANGE:
        raise ValueError(f"n must be a whole number of samples from 1 to {RANGE}, not {n!r}.")
    if not isinstance(seed, numbers.Integral) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or larger, not {seed!r}.")
    if seed % RANGE + n > RANGE:
        raise ValueError(f"{n} samples from seed {seed} on run into the next range: take fewer.")
    if setting not in list(settings):
        raise ValueError(f"setting must be one of {', '.join(settings)}, not {setting!r}.")


def draw_all(draw, scenes, progress=False, n_jobs=None, chunk=25):
    """Draw scenes on all cores, in order, straight into arrays that hold them all.

    Parameters
    ----------
    draw : function
        Takes one scene, gives a tuple of arrays.
    scenes : list
    progress : bool
        Show a progress bar.
    n_jobs : int or None
        Processes; None is one a core, at most 4, for more than 50 scenes, else this one.
    chunk : int
        Scenes that a process takes at a time.

    Returns
    -------
    list of array
        For each array of the tuple one with an axis more in front, the scenes'.
    """
    if n_jobs is None:
        n_jobs = min(cpu_count(), 4) if len(scenes) > 50 else 1
    chunks = [scenes[i : i + chunk] for i in range(0, len(scenes), chunk)]
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_draw_chunk)(draw, part) for part in chunks
    )
    whole, done = None, 0
    with tqdm(total=len(scenes), disable=not progress, desc="samples") as bar:
        for parts in work:
            if whole is None:
                whole = [np.empty((len(scenes), *p.shape[1:]), p.dtype) for p in parts]
            for array, part in zip(whole, parts, strict=True):
                array[done : done + len(part)] = part
            done += len(parts[0])
            bar.update(len(parts[0]))
    return whole


def _draw_chunk(draw, scenes):
    return [np.stack(parts) for parts in zip(*map(draw, scenes), strict=True)]
