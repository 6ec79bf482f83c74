"""How a real file is opened, or refused in one sentence."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr


def as_paths(files, kind):
    """One file or several as a list of paths that exist.

    Parameters
    ----------
    files : str, pathlib.Path or sequence of them
    kind : str
        What they should be, for the sentence of an error.

    Raises
    ------
    FileNotFoundError, ValueError
        If one is missing, or none is given.
    """
    files = [Path(file) for file in ([files] if isinstance(files, str | Path) else files)]
    if not files:
        raise ValueError(f"Give at least one {kind} file.")
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"There is no file {file}.")
    return files


@contextmanager
def opened(file, variables, kind):
    """Open a NetCDF file that must have certain variables.

    Parameters
    ----------
    file : pathlib.Path
    variables : iterable of str
    kind : str
        What the file should be, for the sentence of an error.

    Yields
    ------
    xarray.Dataset
        Not in memory yet.

    Raises
    ------
    ValueError
        If it is no NetCDF file, or another product.
    """
    try:
        data = xr.open_dataset(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file.name} cannot be read as NetCDF: get it again.") from error
    with data:
        missing = sorted(set(variables) - set(data.variables))
        if missing:
            title = data.attrs.get("title")
            what = f", but {title!r}" if title else ""
            raise ValueError(f"{file.name} is no {kind} file{what}: it lacks {', '.join(missing)}.")
        yield data


def check_time(grid, start, end, name):
    """Refuse data of another time than the grid's, where the grid has one.

    Parameters
    ----------
    grid : xarray.Dataset or xarray.DataArray
        With a coordinate ``time`` if it comes from a scan.
    start, end : numpy.datetime64
        When the data were measured; the grid's time may lie ten minutes before or after.
    name : str
        Whose data, for the sentence of an error.
    """
    if "time" not in grid.coords:
        return
    slack, scan = np.timedelta64(10, "m"), grid.time.values.ravel()[0]
    if not start - slack <= scan <= end + slack:
        start, scan = (np.datetime_as_string(time, "m") for time in (start, scan))
        raise ValueError(f"{name} is of {start} UTC, the scan of {scan} UTC: take one time.")
