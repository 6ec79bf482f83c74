"""Composite reflectivity from MRMS, on the grid of the GOES-to-MRMS world."""

import gzip
import math
import warnings
import zlib
from datetime import datetime

import eccodes
import numpy as np
import xarray as xr

from utils.readers.files import as_paths, in_range
from utils.readers.geolocation import cells, check_grid

MOST = 200_000_000  # bytes of one message; a composite of the United States has some 2 % of that
STEP = 0.01  # degrees from pixel to pixel
COMPOSITE = (209, 10, 0)  # discipline, category, number of MergedReflectivityQCComposite
NO_COVERAGE, NO_ECHO, LARGEST = -999, -99, 60.0
KIND = "MRMS GRIB2"
KEYS = """
    discipline parameterCategory parameterNumber totalLength gridType Nj Ni
    latitudeOfFirstGridPointInDegrees latitudeOfLastGridPointInDegrees
    longitudeOfFirstGridPointInDegrees longitudeOfLastGridPointInDegrees
    year month day hour minute
""".split()


def reflectivity(file, grid):
    """Read composite reflectivity onto a grid: the mean of MRMS' pixels (0.01 degrees) in each.

    What is averaged is the reflectivity factor (mm6 m-3), as a wider radar beam would; a pixel of
    MRMS without echo counts as nothing.

    Parameters
    ----------
    file : str or pathlib.Path
        ``MRMS_MergedReflectivityQCComposite...grib2``, or the same with ``.gz``.
    grid : xarray.Dataset or xarray.DataArray
        From `abi.brightness_temperature` or `geolocation.local`, or your own; see
        `geolocation.cells`.

    Returns
    -------
    xarray.DataArray
        ``mrms`` (sample, y, x), one sample, in dBZ, from 0 (that or less, or no echo) to 60 (that
        or more). NaN where no radar covers more than half of the pixel; a warning says how many.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If the file is missing, damaged, too large, another product, or of another time than the
        grid's scan, or if the grid is none, or no radar covers it.
    """
    check_grid(grid)
    file, *others = as_paths(file, KIND)
    if others:
        raise ValueError(f"A composite is one file, not {1 + len(others)}: give one.")
    time, header, values = _message(file)
    check_grid(grid, time, time, file.name)
    index, values = _around(grid, header, values)
    pixels = grid.latitude.size
    covered = values != NO_COVERAGE
    every, some = (np.bincount(i, minlength=pixels + 1)[:pixels] for i in (index, index[covered]))
    factor = 10 ** (values[covered] / 10)  # next to nothing for no echo, which is -99
    total = np.bincount(index[covered], factor, pixels + 1)[:pixels]
    known = 2 * some > np.maximum(every, 1)
    if not known.any():
        raise ValueError(f"{file.name} has no radar coverage on this grid: choose another place.")
    if not known.all():
        warnings.warn(
            f"{file.name}: {(~known).sum()} of {pixels} pixels have no coverage, and are NaN.",
            stacklevel=2,
        )
    mean = np.where(known, np.maximum(total / np.maximum(some, 1), 1), np.nan)
    dbz = np.minimum(10 * np.log10(mean), LARGEST).reshape(1, *grid.latitude.shape)
    attributes = {"long_name": "composite reflectivity", "units": "dBZ"}
    where = {"coords": grid.latitude.coords, "dims": ("sample", "y", "x")}
    return xr.DataArray(dbz.astype(np.float32), name="mrms", attrs=attributes, **where)


def _message(file):
    """Time and keys of the file's one message, and its values (row, column)."""
    data = file.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(file) as packed:
                data = packed.read(MOST + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{file.name} cannot be unpacked: get it again.") from error
    if len(data) > MOST:
        raise ValueError(f"{file.name} holds more than {MOST / 1e6:.0f} MB: it is no composite.")
    if data[:4] != b"GRIB" or data[-4:] != b"7777":
        raise ValueError(f"{file.name} is no GRIB file, or not all of it: get it again.")
    damaged = f"{file.name} is damaged: get it again."
    try:
        message = next(eccodes.MemoryReader(data))
        header = {key: message[key] for key in KEYS}
        points = message.get_size("values")
    except (eccodes.CodesInternalError, KeyError, StopIteration) as error:
        raise ValueError(damaged) from error
    product = tuple(header[key] for key in KEYS[:3])
    if product != COMPOSITE:
        raise ValueError(
            f"{file.name} is another product: its discipline, category and number are "
            f"{product}, those of MergedReflectivityQCComposite {COMPOSITE}."
        )
    if header["totalLength"] != len(data) or header["gridType"] != "regular_ll":
        raise ValueError(f"{file.name} is not one field on latitudes and longitudes.")
    shape = header["Nj"], header["Ni"]
    corners = [
        (header[f"{name}OfFirstGridPointInDegrees"], header[f"{name}OfLastGridPointInDegrees"], n)
        for name, n in (("latitude", shape[0]), ("longitude", shape[1]))
    ]
    even = all(abs(abs(end - start) - STEP * (n - 1)) < STEP / 2 for start, end, n in corners)
    if points != math.prod(shape) or not even or max(map(abs, corners[0][:2])) > 90:
        raise ValueError(damaged)
    try:
        time = np.datetime64(datetime(*(header[key] for key in KEYS[-5:])))
        values = message.get_array("values").reshape(shape)
    except (eccodes.CodesInternalError, ValueError) as error:
        raise ValueError(damaged) from error
    echo = values[(values != NO_COVERAGE) & (values != NO_ECHO)]
    in_range(echo, -50, 100, "echoes in dBZ", file.name)
    return time, header, values


def _around(grid, header, values):
    """For MRMS' pixels near the grid: which pixel of the grid each lies in, and its value."""
    axes = [
        np.linspace(header[f"{name}OfFirstGridPointInDegrees"],
                    header[f"{name}OfLastGridPointInDegrees"], header[count])
        for name, count in (("latitude", "Nj"), ("longitude", "Ni"))
    ]  # fmt: skip
    near = [
        (axis > here.min() - 0.1) & (axis < here.max() + 0.1)
        for axis, here in zip(
            axes, (grid.latitude.values, grid.longitude.values % 360), strict=True
        )
    ]
    places = np.meshgrid(axes[0][near[0]], axes[1][near[1]], indexing="ij")
    index = cells(grid, *(place.ravel() for place in places))
    return index, values[np.ix_(*near)].ravel()
