"""How a real file is opened, or refused in one sentence."""

from contextlib import contextmanager
from pathlib import Path

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
        If it is no NetCDF file, or another product.
    """
    try:
        data = xr.open_dataset(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file.name} cannot be read as NetCDF: get it again.") from error
    with data:
        missing = sorted(set(variables) - set(data.variables))
        if missing:
            title = plain(data.attrs.get("title", ""))
            what = f", but {title!r}" if title else ""
            raise ValueError(f"{file.name} is no {kind} file{what}: it lacks {', '.join(missing)}.")
        yield data
