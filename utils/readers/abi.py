"""A loop of pictures from GOES, as the convection world draws them."""

from pathlib import Path

import numpy as np
import xarray as xr

from utils.worlds.convection import SIZE

NADIR_KM = 35786.023  # of scan angle 1 radian, right below the satellite


def read(files, row, column, channel=2, size=SIZE):
    """Read a patch of reflectance from ABI level 1b files, one a time step.

    The pictures keep the satellite's grid. Channel 2 is measured at 0.64 um, with 0.5 km from
    pixel to pixel right below the satellite and more towards the limb.

    Parameters
    ----------
    files : sequence of str or pathlib.Path
        Radiance files (``OR_ABI-L1b-Rad...nc``) of one channel and one sector, in any order.
    row, column : int
        The patch's upper left pixel.
    channel : int
        ABI channel, 1 to 6: those that measure reflected sunlight.
    size : int
        Rows and columns of the patch.

    Returns
    -------
    xarray.Dataset
        ``reflectance`` (sample, time, y, x), one sample: the reflectance factor, radiance times
        the file's ``kappa0``, not divided by the cosine of the sun's zenith angle. ``time`` in
        minutes since the first picture, ``y`` and ``x`` in km at nadir.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, is of another kind, channel or grid, or has bad pixels in the patch.
    """
    files = [Path(file) for file in ([files] if isinstance(files, str | Path) else files)]
    if not files:
        raise ValueError("read needs at least one ABI file.")
    if channel not in range(1, 7):
        raise ValueError(f"channel must be 1 to 6, those with reflected sunlight, not {channel!r}.")
    pictures = sorted((_picture(f, row, column, channel, size) for f in files), key=lambda p: p.t)
    first = pictures[0]
    if not all(np.allclose(p.y, first.y) and np.allclose(p.x, first.x) for p in pictures):
        raise ValueError("The files have different grids: mesoscale sectors move, take one place.")
    times = np.array([picture.t.values for picture in pictures])
    if len(set(times)) < len(times):
        raise ValueError("Two files have the same time: give each picture once.")
    minutes = (times - times[0]) / np.timedelta64(1, "s") / 60
    attributes = {"long_name": f"reflectance factor, ABI channel {channel}", "units": "1"}
    values = np.stack([picture.values for picture in pictures])[None]
    south, east = ((first.y[0] - first.y) * NADIR_KM, (first.x - first.x[0]) * NADIR_KM)
    coordinates = {
        "time": ("time", minutes, {"long_name": "since the first picture", "units": "min"}),
        "y": ("y", south.values, {"long_name": "distance to the south, at nadir", "units": "km"}),
        "x": ("x", east.values, {"long_name": "distance to the east, at nadir", "units": "km"}),
    }
    variables = {"reflectance": (("sample", "time", "y", "x"), values, attributes)}
    return xr.Dataset(variables, coordinates, {"title": "GOES ABI", "Conventions": "CF-1.10"})


def _picture(file, row, column, channel, size):
    """The patch of one file."""
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    try:
        data = xr.open_dataset(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file.name} cannot be read as NetCDF: get it again.") from error
    with data:
        missing = {"Rad", "DQF", "kappa0", "band_id"} - set(data.variables)
        if missing:
            raise ValueError(f"{file.name} is no ABI level 1b file: it lacks {sorted(missing)}.")
        there = int(data.band_id.values[0])
        if there != channel:
            raise ValueError(
                f"{file.name} is channel {there}, not {channel}: choose files of channel {channel}."
            )
        rows, columns = data.Rad.shape
        if not (0 <= row <= rows - size and 0 <= column <= columns - size):
            raise ValueError(
                f"A patch of {size} pixels from row {row}, column {column} leaves the picture of "
                f"{rows} x {columns} pixels: choose another corner."
            )
        where = {"y": slice(row, row + size), "x": slice(column, column + size)}
        patch = data[["Rad", "DQF"]].isel(where).load()
        bad = int((~np.isfinite(patch.Rad) | (patch.DQF > 1)).sum())
        if bad:
            raise ValueError(f"{file.name} has {bad} bad pixels in this patch: choose another.")
        return (patch.Rad * data.kappa0.values).astype(np.float32).assign_coords(t=data.t.values)
