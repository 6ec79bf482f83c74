"""Pictures from GOES as the worlds draw them: a loop of reflectance, a scan in the infrared."""

import warnings

import numpy as np
import xarray as xr
from scipy.ndimage import map_coordinates

from utils.plain import plain
from utils.readers.files import as_paths, in_range, opened
from utils.readers.geolocation import ground, local, scan_angles, sun
from utils.worlds.convection import SIZE

KIND = "ABI level 1b"
BAD = 2  # and above: out of range, no value, detector too warm; 1 is conditionally usable
PLANCK = ["planck_fk1", "planck_fk2", "planck_bc1", "planck_bc2"]
NADIR_KM = 35786.023  # of scan angle 1 radian, right below the satellite
LONGEST = np.timedelta64(15, "m")  # between two pictures: the whole disk in ABI's slowest mode


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
        If a file is missing, damaged, or of another kind, channel, satellite or grid, has bad
        pixels in the patch, or if more than 15 minutes lie between two pictures.

    Warns
    -----
    UserWarning
        If it is night in the patch, where these channels see nothing.
    """
    files = as_paths(files, KIND)
    if channel not in range(1, 7):
        raise ValueError(f"channel must be 1 to 6, those with reflected sunlight, not {channel!r}.")
    pictures = sorted((_picture(f, row, column, channel, size) for f in files), key=lambda p: p.t)
    first = pictures[0]
    if not all(np.allclose(p.y, first.y) and np.allclose(p.x, first.x) for p in pictures):
        raise ValueError("The files have different grids: mesoscale sectors move, take one place.")
    times = np.array([picture.t.values for picture in pictures])
    if len(set(times)) < len(times):
        raise ValueError("Two files have the same time: give each picture once.")
    if len({picture.attrs["platform"] for picture in pictures}) > 1:
        raise ValueError("The files are from different satellites: take one.")
    if len(times) > 1 and np.diff(times).max() > LONGEST:
        minutes = np.diff(times).max() / np.timedelta64(1, "m")
        raise ValueError(
            f"Two pictures lie {minutes:.0f} minutes apart: 15 are the most in a loop."
        )
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
    with opened(file, ["Rad", "DQF", "kappa0", "band_id"], KIND) as data:
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
        bad = int((~np.isfinite(patch.Rad) | (patch.DQF >= BAD)).sum())
        if bad:
            raise ValueError(f"{file.name} has {bad} bad pixels in this patch: choose another.")
        picture = (patch.Rad * data.kappa0.values).astype(np.float32)
        in_range(picture, -0.1, 2, "reflectances", file.name)
        picture.attrs["platform"] = str(data.attrs.get("platform_ID", "unknown satellite"))
        _warn_at_night(data, patch, file.name)
        return picture.assign_coords(t=data.t.values)


def _warn_at_night(data, patch, name):
    """Warn if the sun is below the horizon in the middle of a patch, by where the file puts it."""
    if "goes_imager_projection" not in data.variables:
        return
    projection = data.goes_imager_projection.attrs
    latitude, longitude = ground(float(patch.y.mean()), float(patch.x.mean()), projection)
    elevation = sun(data.t.values, latitude, longitude)
    if elevation < 0:
        warnings.warn(
            f"{name}: it is night in this patch (the sun {-elevation:.0f} degrees below the "
            "horizon), and there is nothing to be seen in reflected sunlight.",
            stacklevel=4,
        )


def brightness_temperature(files, place=None, size=256, channels=(7, 9, 13)):
    """Read the infrared channels of one scan onto a grid of 3 km, as the GOES-to-MRMS world has it.

    Radiance is interpolated bilinearly between the four native pixels (2 km below the satellite,
    2 to 4 km over the United States) around each pixel of the grid, then becomes a temperature.
    Places are those on the ground under the line of sight: a cloud top at 12 km lies some 10 km too
    far from the satellite's subpoint (parallax).

    Parameters
    ----------
    files : sequence of str or pathlib.Path
        One radiance file (``OR_ABI-L1b-Rad...nc``) a channel, in any order, of one scan.
    place : (float, float) or None
        Latitude and longitude of the grid's middle, degrees; None is the scan's middle.
    size : int
        Rows and columns of the grid.
    channels : sequence of int
        ABI channels, 7 to 16: those that measure emitted radiation.

    Returns
    -------
    xarray.Dataset
        ``c07``, ``c09``, ``c13`` (sample, y, x), one sample: brightness temperature in K, with
        the file's own Planck constants. By day channel 7 (3.9 um) has reflected sunlight in it, by
        night it has none. Coordinates as from `geolocation.local`, ``time`` (sample), and
        ``satellite_longitude``.

        Missing pixels are NaN: those with a bad native pixel beside them (data quality flag 2 or
        more, fill, space). A warning says how many, since the network takes them for warm: scaled,
        missing is 0. Over the coldest tops at night, noise makes channel 7's radiance zero or
        negative; such a pixel counts as the least that the file can hold, which is cold, as in the
        library satpy.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If a file is missing or of another kind, channel, satellite, time or sector than the others,
        or if the grid leaves the scan.
    """
    files = as_paths(files, KIND)
    channels = sorted(set(channels))
    if not channels or not set(channels) <= set(range(7, 17)):
        raise ValueError(f"channels must be among 7 to 16, those in the infrared, not {channels}.")
    scans = {}
    for file in files:
        channel, scan = _scan(file, channels)
        if channel in scans:
            raise ValueError(f"{file.name} is a second file of channel {channel}: give one each.")
        scans[channel] = scan
    if set(scans) < set(channels):
        absent = ", ".join(str(c) for c in channels if c not in scans)
        raise ValueError(f"There is no file of channel {absent}: give one file a channel.")
    first = scans[channels[0]]
    for scan in scans.values():
        _same_scan(first, scan)
    projection = first.attrs["projection"]
    if place is None:
        place = ground(float(first.y.mean()), float(first.x.mean()), projection)
        if not np.isfinite(place).all():
            raise ValueError("The scan's middle is in space: choose a place.")
    if np.shape(place) != (2,):
        raise ValueError(f"place must be (latitude, longitude), not {place!r}.")
    grid = local(*place, size)
    y, x = scan_angles(grid.latitude.values, grid.longitude.values, projection)
    # The step from the whole axis: from two neighbours in single precision it would be off by a
    # tenth of a pixel at the other end.
    steps = [
        (angle - float(axis[0])) / float(axis[-1] - axis[0]) * (axis.size - 1)
        for angle, axis in ((y, first.y), (x, first.x))
    ]
    for step, length in zip(steps, first.shape, strict=True):
        if not np.isfinite(step).any() or np.nanmin(step) < 0 or np.nanmax(step) > length - 1:
            raise ValueError(
                f"A grid of {size} x {size} pixels around {place[0]:.1f} N, {place[1]:.1f} E "
                "leaves the scan: choose another place or a smaller size."
            )
    names = {}
    for channel in channels:
        scan = scans[channel]
        kelvin = _kelvin(map_coordinates(scan.values, steps, order=1, cval=np.nan), scan)
        about = {"long_name": f"brightness temperature, ABI channel {channel}", "units": "K"}
        names[f"c{channel:02d}"] = (("sample", "y", "x"), kelvin[None], about)
    attributes = {"title": f"GOES ABI, {plain(first.attrs['platform'])}", "Conventions": "CF-1.10"}
    data = xr.Dataset(names, attrs=attributes).assign_coords(grid.coords)
    longitude = projection["longitude_of_projection_origin"]
    return data.assign_coords(
        time=("sample", [first.t.values]),
        satellite_longitude=((), longitude, {"units": "degrees_east"}),
    )


def _scan(file, channels):
    """Channel number and radiance, bad pixels NaN, of one file."""
    needs = ["Rad", "DQF", "band_id", "goes_imager_projection", *PLANCK]
    with opened(file, needs, KIND) as data:
        channel = int(data.band_id.values[0])
        if channel not in channels:
            wanted = ", ".join(map(str, channels))
            raise ValueError(f"{file.name} is channel {channel}: give files of channels {wanted}.")
        packing = data.Rad.encoding
        scale, offset = (
            float(packing.get(k, d)) for k, d in (("scale_factor", 1e-3), ("add_offset", 0))
        )
        least = scale * (np.floor(-offset / scale) + 1) + offset  # the smallest count above zero
        radiance = data.Rad.where(data.DQF < BAD).load().reset_coords(drop=True)
        radiance = radiance.where(~(radiance <= 0), least)
        radiance = radiance.assign_coords(t=data.t.values)
        radiance.attrs = {
            "file": file.name,
            "platform": str(data.attrs.get("platform_ID", "unknown satellite")),
            "projection": data.goes_imager_projection.attrs,
            "planck": [float(data[name]) for name in PLANCK],
        }
        return channel, radiance


def _same_scan(first, other):
    """Refuse a file that was not measured with the first."""
    pair = f"{other.attrs['file']} and {first.attrs['file']}"
    if other.attrs["platform"] != first.attrs["platform"]:
        raise ValueError(f"{pair} are from different satellites: take one scan.")
    if abs(other.t.values - first.t.values) > np.timedelta64(10, "s"):
        raise ValueError(f"{pair} are from different times: take one scan.")
    if other.shape != first.shape or not all(
        np.allclose(other[name], first[name], rtol=0, atol=1e-6) for name in ("y", "x")
    ):
        raise ValueError(f"{pair} have different grids: take one scan of one sector.")


def _kelvin(radiance, scan):
    """Brightness temperature, and a warning if pixels are missing."""
    fk1, fk2, bc1, bc2 = scan.attrs["planck"]
    with np.errstate(all="ignore"):  # of damaged constants
        kelvin = (fk2 / np.log(fk1 / radiance + 1) - bc1) / bc2
    in_range(kelvin, 130, 420, "brightness temperatures in K", scan.attrs["file"])
    missing = int(np.isnan(kelvin).sum())
    if missing == kelvin.size:
        raise ValueError(f"{scan.attrs['file']} has no good pixel here: choose another place.")
    if missing:
        warnings.warn(
            f"{scan.attrs['file']}: {missing} of {kelvin.size} pixels are missing, and NaN here; "
            "the network takes them for warm.",
            stacklevel=3,
        )
    return kelvin.astype(np.float32)
