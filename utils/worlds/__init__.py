"""Small worlds with a known truth, one package or module per world.

Every world offers ``simulate(n, seed, ...)``, which returns an :class:`xarray.Dataset` whose
truth variables begin with ``truth_``. A small sample of each lies in ``data/`` and is read with
:func:`open_world`. The seed ranges below never overlap, so that a network is never tested on a
picture it was trained on.
"""

from pathlib import Path

import xarray as xr

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
        If there is no sample of that name.
    """
    if not isinstance(name, str):
        raise TypeError(f"open_world needs the name of a world as a string, not {name!r}.")
    folder = data_folder()
    known = sorted(file.stem for file in folder.glob("*.nc"))
    if name not in known:
        raise ValueError(f"There is no world called {name!r} in data/; there is {known}.")
    with xr.open_dataset(folder / f"{name}.nc") as file:
        return file.load()


def data_folder() -> Path:
    """The course's data folder, wherever `utils` is installed."""
    folder = course_folder()
    if folder is None:
        raise ValueError("The folder data/ was not found: start from inside the course's folder.")
    return folder / "data"
