"""Lightning from GOES, counted on the grid of the GOES-to-MRMS world."""

import warnings

import numpy as np
import xarray as xr

from utils.readers.files import as_paths, in_range, opened
from utils.readers.geolocation import cells, check_grid, ground, scan_angles

KIND = "GLM level 2 LCFA"
NEEDS = [
    "group_lat",
    "group_lon",
    "group_quality_flag",
    "product_time_bounds",
    "goes_lat_lon_projection",
    "nominal_satellite_subpoint_lon",
    "nominal_satellite_height",
]
# The surface that lightning is placed on, near cloud tops: equatorial and polar radius in m, until
# 8 October 2018 and after (van Bezooijen et al. 2016, doi 10.1117/12.2242141; the numbers are those
# of the library glmtools).
FIRST_ELLIPSOID, ELLIPSOID = (6394140.0, 6362755.0), (6392137.0, 6362755.0)
GOOD = 0
INTERVAL, SLACK = 900, 60  # s: the world's 15 minutes, and how many of them may be missing
CHANGED = np.datetime64("2018-10-09")


def groups(files, grid):
    """Count the groups of lightning in each pixel of a grid.

    The files place a group where the line of sight meets a surface about as high as cloud tops:
    6 km at the poles, 16 km at the equator (14 km from October 2018 on). Here it is moved on along
    that line to the ground, where ABI's pixels are placed too, so that lightning lies on the cloud
    that it lights. Both are then off by the same parallax, and radar is not.

    Parameters
    ----------
    files : sequence of str or pathlib.Path
        Files of 20 s (``OR_GLM-L2-LCFA...nc``) that follow each other, in any order; the sum over
        all is returned. 45 of them are the world's 15 minutes.
    grid : xarray.Dataset or xarray.DataArray
        From `abi.brightness_temperature` or `geolocation.local`, or your own; see
        `geolocation.cells`.

    Returns
    -------
    xarray.DataArray
        ``glm`` (sample, y, x), one sample: groups of good quality per pixel and interval. The
        attribute ``degraded`` counts groups left out: those that the quality flag calls out of
        order or cut off.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If a file is missing, damaged, gridded or another product, or of another satellite; if files
        leave more than a minute out, come twice or are of another time than the grid's scan; if
        the grid is none.

    Warns
    -----
    UserWarning
        If seconds are missing, or if the files cover another time than 15 minutes: the counts are
        those of the time that they do cover.
    """
    check_grid(grid)
    parts = sorted((_read(file) for file in as_paths(files, KIND)), key=lambda part: part["start"])
    first = parts[0]
    for one, after in zip(parts, parts[1:], strict=False):
        pair = f"{one['name']} and {after['name']}"
        if after["projection"] != first["projection"]:
            raise ValueError(f"{pair} are from different satellites: take one.")
        if (one["end"] - after["start"]) / np.timedelta64(1, "s") > 1:
            raise ValueError(f"{pair} overlap: give each 20 s once.")
    start, end = first["start"], parts[-1]["end"]
    spans = [part["end"] - part["start"] for part in parts]
    whole, covered = (span / np.timedelta64(1, "s") for span in (end - start, np.sum(spans)))
    if whole - covered > SLACK:
        raise ValueError(
            f"Of the {whole:.0f} s from {first['name']} to {parts[-1]['name']}, "
            f"{whole - covered:.0f} are missing: get the files that lie between."
        )
    if whole - covered > 1 or abs(covered - INTERVAL) > SLACK:
        warnings.warn(
            f"The lightning files cover {covered:.0f} s of {whole:.0f}; the world counts in "
            f"{INTERVAL} s, so expect {covered / INTERVAL:.2g} times as many groups.",
            stacklevel=2,
        )
    check_grid(grid, start, end, first["name"])
    longitude = first["projection"]["longitude_of_projection_origin"]
    if abs(float(grid.coords.get("satellite_longitude", longitude)) - longitude) > 1:
        raise ValueError(f"{first['name']} is from another satellite than the scan: take one.")
    latitude, longitude, flag = (
        np.concatenate([part[name] for part in parts]) for name in ("latitude", "longitude", "flag")
    )
    surface = FIRST_ELLIPSOID if start < CHANGED else ELLIPSOID
    angles = scan_angles(latitude, longitude, first["projection"], surface)
    index = cells(grid, *ground(*angles, first["projection"]))
    pixels = grid.latitude.size
    counts = np.bincount(index[flag == GOOD], minlength=pixels + 1)[:pixels]
    attributes = {
        "long_name": f"GLM groups in {covered:.0f} s",
        "units": "1",
        "degraded": int((index[flag != GOOD] < pixels).sum()),
    }
    values = counts.reshape(1, *grid.latitude.shape).astype(np.float32)
    return xr.DataArray(values, grid.latitude.coords, ("sample", "y", "x"), "glm", attributes)


def _read(file):
    """What one file says of its groups, and when and whence it was seen."""
    with opened(file, NEEDS, KIND) as data:
        start, end = data.product_time_bounds.values
        for name, most in (("group_lat", 90), ("group_lon", 180)):
            in_range(data[name], -most, most, name, file.name)
        return {
            "name": file.name,
            "start": start,
            "end": end,
            "latitude": data.group_lat.values.astype(np.float64),
            "longitude": data.group_lon.values.astype(np.float64),
            "flag": data.group_quality_flag.values,
            "projection": {
                "semi_major_axis": data.goes_lat_lon_projection.attrs["semi_major_axis"],
                "semi_minor_axis": data.goes_lat_lon_projection.attrs["semi_minor_axis"],
                "perspective_point_height": 1000 * float(data.nominal_satellite_height),
                "longitude_of_projection_origin": float(data.nominal_satellite_subpoint_lon),
            },
        }
