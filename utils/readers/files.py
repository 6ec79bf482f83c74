"""How a real file is opened, or refused in one sentence."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from utils.plain import plain


def as_paths(files, kind):
    """One file or several as a list of paths that exist.

    Parameters
    ----------
    files : str, pathlib.Path or sequence of them
    kind : str
        What they should be, for the sentence of an error.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If one is missing or no path, or none is given.
    """
    try:
        files = [Path(file) for file in ([files] if isinstance(files, str | Path) else files)]
    except TypeError as error:
        given = plain(repr(files))
        raise TypeError(f"{kind} files are given by their paths, not as {given}.") from error
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
        If it is no NetCDF file, or another product, or damaged: the library below meets that when
        the file is opened, or when values are read inside the ``with``, in errors of many kinds.
        At about one in a hundred files with one bit turned, the C library of NetCDF ends the whole
        process instead. Nothing here can prevent that, so compare sizes and checksums first.
    """
    damaged = f"{file.name} cannot be read as NetCDF: get it again."
    try:
        data = xr.open_dataset(file)
    except Exception as error:
        if "decode time" in str(error) or "time units" in str(error):
            raise ValueError(
                f"{file.name}: its times cannot be decoded; mend units and calendar of `time`."
            ) from error
        raise ValueError(damaged) from error
    with data:
        missing = sorted(set(variables) - set(data.variables))
        if missing:
            title = plain(data.attrs.get("title", ""))
            what = f", but {title!r}" if title else ""
            raise ValueError(f"{file.name} is no {kind} file{what}: it lacks {', '.join(missing)}.")
        try:
            yield data
        except (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError) as error:
            raise ValueError(damaged) from error


def in_range(values, low, high, what, file):
    """Refuse a file with values that nothing on Earth has: its bytes or its units are wrong.

    Parameters
    ----------
    values : array
        NaN is left out.
    low, high : float
    what : str
        With its unit, for the sentence of an error.
    file : str

    Raises
    ------
    ValueError
    """
    values = np.asarray(values, float)
    if np.isnan(values).all():
        return
    least, most = np.nanmin(values), np.nanmax(values)
    if not (low <= least and most <= high):
        raise ValueError(
            f"{file} has {what} from {least:.4g} to {most:.4g}, outside of {low:g} to {high:g}: it "
            "is damaged, or in another unit."
        )
