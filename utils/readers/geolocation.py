"""Places on Earth: a grid of 3 km, and where a satellite sees what.

Formulas: Snyder 1987 (Map projections, USGS Professional Paper 1395) for the grid; GOES-R Product
Definition and User's Guide, volume 3, section 5.1.2.8, for scan angles.
"""

from math import radians

import numpy as np
import xarray as xr
from scipy.spatial import cKDTree

KM = 3.0  # from pixel to pixel
EARTH = 6371.0  # its radius as a sphere, km


def local(latitude, longitude, size=256):
    """Make a grid of 3 km around a place: azimuthal equidistant, on a sphere.

    Parameters
    ----------
    latitude, longitude : float
        Its middle, degrees north and east.
    size : int
        Rows and columns.

    Returns
    -------
    xarray.Dataset
        Coordinates alone: ``y`` and ``x`` in km from the first pixel, to the south and to the
        east; ``latitude`` and ``longitude`` (y, x) in degrees.

    Raises
    ------
    TypeError, ValueError
        If there is no such place, or size is not from 2 to 1000.
    """
    numbers = (int, float, np.number)
    if not (isinstance(latitude, numbers) and isinstance(longitude, numbers)):
        raise TypeError(f"A place is two numbers in degrees, not {latitude!r}, {longitude!r}.")
    if not (-90 <= latitude <= 90 and -360 <= longitude <= 360):
        raise ValueError(f"There is no place at latitude {latitude}, longitude {longitude}.")
    if not isinstance(size, int | np.integer) or not 2 <= size <= 1000:
        raise ValueError(f"size must be a whole number of pixels from 2 to 1000, not {size!r}.")
    distance = KM * np.arange(size)
    north, east = np.meshgrid(distance.mean() - distance, distance - distance.mean(), indexing="ij")
    far = np.hypot(north, east)
    angle = far / EARTH
    far = np.where(far == 0, 1, far)
    phi = np.radians(latitude)
    sine = np.cos(angle) * np.sin(phi) + north / far * np.sin(angle) * np.cos(phi)
    across = east * np.sin(angle)
    along = far * np.cos(phi) * np.cos(angle) - north * np.sin(phi) * np.sin(angle)
    degrees = {
        "latitude": (np.degrees(np.arcsin(np.clip(sine, -1, 1))), "degrees_north"),
        "longitude": (longitude + np.degrees(np.arctan2(across, along)), "degrees_east"),
    }
    coordinates = {
        "y": ("y", distance, {"long_name": "distance to the south", "units": "km"}),
        "x": ("x", distance, {"long_name": "distance to the east", "units": "km"}),
    }
    for name, (values, units) in degrees.items():
        attributes = {"standard_name": name, "units": units}
        coordinates[name] = (("y", "x"), values.astype(np.float32), attributes)
    return xr.Dataset(coords=coordinates)


def cells(grid, latitude, longitude):
    """Find the pixel that each of some places lies in.

    Parameters
    ----------
    grid : xarray.Dataset or xarray.DataArray
        With coordinates ``y``, ``x`` in km and ``latitude``, ``longitude`` (y, x): from `local`,
        from a reader, or your own.
    latitude, longitude : array (n,)
        Degrees; NaN is nowhere.

    Returns
    -------
    int array (n,)
        Flat index of the nearest pixel; the number of pixels if it is more than half a pixel's
        diagonal away.

    Raises
    ------
    TypeError, ValueError
        If the grid is no grid.
    """
    check(grid)
    pixel = [abs(float(grid[name][1] - grid[name][0])) for name in ("y", "x")]
    tree = cKDTree(_on_sphere(grid.latitude.values, grid.longitude.values))
    places = _on_sphere(np.asarray(latitude), np.asarray(longitude))
    somewhere = np.isfinite(places).all(-1)
    found = np.full(len(places), tree.n)
    reach = np.hypot(*pixel) / 2
    found[somewhere] = tree.query(places[somewhere], distance_upper_bound=reach)[1]
    return found


def check(grid, start=None, end=None, name=None):
    """Refuse what is no grid, and data of another time than the grid's, where that has one.

    Parameters
    ----------
    grid : xarray.Dataset or xarray.DataArray
        With a coordinate ``time`` if it comes from a scan.
    start, end : numpy.datetime64 or None
        When the data were measured; the scan may lie ten minutes before or after.
    name : str or None
        Whose data, for the sentence of an error.

    Raises
    ------
    TypeError, ValueError
        If the grid lacks coordinates, or the times do not fit.
    """
    if not isinstance(grid, xr.Dataset | xr.DataArray):
        raise TypeError(f"The grid is a {type(grid).__name__}: take one from grid.local.")
    missing = {"y", "x", "latitude", "longitude"} - set(grid.coords)
    if missing:
        raise ValueError(
            f"The grid lacks {', '.join(sorted(missing))}: take one from grid.local or a reader."
        )
    if start is None or "time" not in grid.coords:
        return
    slack, scan = np.timedelta64(10, "m"), grid.time.values.ravel()[0]
    if not start - slack <= scan <= end + slack:
        start, scan = (np.datetime_as_string(time, "m") for time in (start, scan))
        raise ValueError(f"{name} is of {start} UTC, the scan of {scan} UTC: take one time.")


def _on_sphere(latitude, longitude):
    """Places as points (n, 3), in km from the Earth's centre."""
    phi, lam = (np.radians(a.ravel().astype(np.float64)) for a in (latitude, longitude))
    return EARTH * np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], -1)


def scan_angles(latitude, longitude, projection, ellipsoid=None):
    """Where on the fixed grid a satellite sees a place.

    Parameters
    ----------
    latitude, longitude : array
        Degrees. The latitude is geodetic, on the projection's ellipsoid.
    projection : dict
        Attributes of ``goes_imager_projection`` in an ABI file.
    ellipsoid : (float, float) or None
        Equatorial and polar radius, in m, of the surface that the places lie on; None is the
        projection's own, the Earth's.

    Returns
    -------
    (array, array)
        Angles to the north and to the east, in radians; NaN beyond the limb.
    """
    equator, pole, height, origin = _earth(projection)
    a, b = ellipsoid or (equator, pole)
    # In single precision, as places often come, it would be a metre off on the ground.
    phi, lam = (np.radians(np.asarray(degrees, float)) for degrees in (latitude, longitude))
    phi, lam = np.arctan((pole / equator) ** 2 * np.tan(phi)), lam - origin
    radius = b / np.sqrt(1 - (1 - (b / a) ** 2) * np.cos(phi) ** 2)
    towards = radius * np.cos(phi) * np.cos(lam)
    east = radius * np.cos(phi) * np.sin(lam)
    north = radius * np.sin(phi)
    down = height - towards
    seen = height * towards >= a**2  # the surface's normal and the line of sight, at 90 degrees
    y = np.where(seen, np.arctan2(north, down), np.nan)
    x = np.arcsin(east / np.sqrt(down**2 + east**2 + north**2))
    return y, np.where(seen, x, np.nan)


def ground(y, x, projection):
    """The place on the ground that a satellite sees under scan angles.

    Parameters
    ----------
    y, x : array
        Angles to the north and to the east, in radians.
    projection : dict
        Attributes of ``goes_imager_projection`` in an ABI file.

    Returns
    -------
    (array, array)
        Geodetic latitude and longitude in degrees; NaN where it looks into space.
    """
    equator, pole, height, origin = _earth(projection)
    flat = (equator / pole) ** 2
    a = np.sin(x) ** 2 + np.cos(x) ** 2 * (np.cos(y) ** 2 + flat * np.sin(y) ** 2)
    b = -2 * height * np.cos(x) * np.cos(y)
    root = b**2 - 4 * a * (height**2 - equator**2)
    far = (-b - np.sqrt(np.where(root >= 0, root, np.nan))) / (2 * a)
    towards = height - far * np.cos(x) * np.cos(y)
    east, north = far * np.sin(x), far * np.cos(x) * np.sin(y)
    latitude = np.degrees(np.arctan(flat * north / np.hypot(towards, east)))
    return latitude, np.degrees(origin + np.arctan2(east, towards))


def _earth(projection):
    """Radii of the Earth, the satellite's distance from its centre (m), its longitude (radians)."""
    equator = float(projection["semi_major_axis"])
    return (
        equator,
        float(projection["semi_minor_axis"]),
        float(projection["perspective_point_height"]) + equator,
        radians(float(projection["longitude_of_projection_origin"])),
    )
