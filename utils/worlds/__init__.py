"""Small worlds with a known truth, a package or a module each, and the task of `distant_trigger`.

Every world offers ``simulate(n, seed, ...)``, which returns an :class:`xarray.Dataset` whose
truth variables begin with ``truth_``. A small sample of those made of pictures lies in ``data/``
and is read with :func:`open_world`. The seed ranges below never overlap, so that a network is never
tested on a picture it was trained on.
"""

import hashlib

import xarray as xr

from utils.environment import course_folder
from utils.worlds.drawing import RANGE

TRAINING, VALIDATION, SAMPLE, CLAIMS = (i * RANGE for i in range(4))


def open_world(name):
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


def data_folder():
    """The course's data folder, wherever `utils` is installed."""
    folder = course_folder()
    if folder is None:
        raise ValueError("The folder data/ was not found: start from inside the course's folder.")
    return folder / "data"
