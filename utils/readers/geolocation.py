"""Places on Earth: a grid of 3 km, and where a satellite sees what. The projections are PROJ's."""

import numpy as np
import xarray as xr
from pyproj import Proj
from scipy.spatial import cKDTree

KM = 3.0  # from pixel to pixel
EARTH, SATELLITE = 6371.0, 42164.0  # radius as a sphere, and a satellite from its centre, km


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
    to_the_east, latitudes = around(latitude, 0)(east, north, inverse=True)  # not cut at 180 E
    degrees = {
        "latitude": (latitudes, "degrees_north"),
        "longitude": (longitude + to_the_east, "degrees_east"),
    }
    coordinates = {
        "y": ("y", distance, {"long_name": "distance to the south", "units": "km"}),
        "x": ("x", distance, {"long_name": "distance to the east", "units": "km"}),
    }
    for name, (values, units) in degrees.items():
        attributes = {"standard_name": name, "units": units}
        coordinates[name] = (("y", "x"), values.astype(np.float32), attributes)
    return xr.Dataset(coords=coordinates)


def around(latitude, longitude):
    """The map on which `local` has its grid, in km to the east and to the north, as a `Proj`."""
    return Proj(proj="aeqd", R=EARTH, lat_0=latitude, lon_0=longitude)


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
    check_grid(grid)
    pixel = [abs(float(grid[name][1] - grid[name][0])) for name in ("y", "x")]
    tree = cKDTree(_on_sphere(grid.latitude.values, grid.longitude.values))
    places = _on_sphere(np.asarray(latitude), np.asarray(longitude))
    somewhere = np.isfinite(places).all(-1)
    found = np.full(len(places), tree.n)
    reach = np.hypot(*pixel) / 2
    found[somewhere] = tree.query(places[somewhere], distance_upper_bound=reach)[1]
    return found


def check_grid(grid, start=None, end=None, name=None):
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
        raise TypeError(f"The grid is a {type(grid).__name__}: take one from geolocation.local.")
    missing = {"y", "x", "latitude", "longitude"} - set(grid.coords)
    if missing:
        raise ValueError(
            f"The grid lacks {', '.join(sorted(missing))}: take one from geolocation.local or from "
            "a reader."
        )
    places = _on_sphere(grid.latitude.values, grid.longitude.values)
    places = places.reshape(*grid.latitude.shape, 3)
    for axis, along in enumerate(("y", "x")):
        apart = float(np.median(np.linalg.norm(np.diff(places, axis=axis), axis=-1)))
        step = abs(float(grid[along][1] - grid[along][0]))
        if not 0.5 < step / apart < 2:
            raise ValueError(
                f"The grid's {along} goes in steps of {step:.3g}, and its places lie {apart:.3g} "
                "km apart: give y and x in km."
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


def sun(time, latitude, longitude):
    """How high the sun stands above the horizon, to about half a degree.

    Parameters
    ----------
    time : numpy.datetime64
        UTC.
    latitude, longitude : float
        Degrees.

    Returns
    -------
    float
        Degrees; negative at night.
    """
    days = (np.datetime64(time) - np.datetime64("2000-01-01T12:00")) / np.timedelta64(1, "D")
    anomaly = np.radians(357.53 + 0.98560 * days)
    ecliptic = np.radians(280.46 + 0.98565 * days + 1.915 * np.sin(anomaly))
    tilt = np.radians(23.44)
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    hour = np.radians(280.46 + 360.98565 * days + longitude) - ascension
    phi = np.radians(latitude)
    high = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour)
    return float(np.degrees(np.arcsin(high)))


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
    # In single precision, as places often come, it would be a metre off on the ground.
    latitude, longitude = (np.asarray(degrees, float) for degrees in (latitude, longitude))
    view, flat = _view(projection, ellipsoid)
    x, y = view(longitude, np.degrees(np.arctan(flat * np.tan(np.radians(latitude)))))
    return tuple(np.where(np.isfinite(angle), angle, np.nan)[()] for angle in (y, x))


def ground(y, x, projection, ellipsoid=None):
    """The place that a satellite sees under scan angles: `scan_angles` the other way.

    Parameters
    ----------
    y, x : array
        Angles to the north and to the east, in radians.
    projection : dict
        Attributes of ``goes_imager_projection`` in an ABI file.
    ellipsoid : (float, float) or None
        As for `scan_angles`.

    Returns
    -------
    (array, array)
        Latitude and longitude in degrees, the latitude geodetic on the projection's ellipsoid; NaN
        where it looks into space.
    """
    view, flat = _view(projection, ellipsoid)
    longitude, latitude = view(x, y, inverse=True)
    latitude = np.where(np.isfinite(latitude), latitude, np.nan)
    latitude = np.degrees(np.arctan(np.tan(np.radians(latitude)) / flat))
    return tuple(np.where(np.isfinite(place), place, np.nan)[()] for place in (latitude, longitude))


def parallax(place, satellite_longitude, height):
    """How far a satellite puts a cloud top away from where it is.

    Parameters
    ----------
    place : (float, float)
        Latitude and longitude, degrees.
    satellite_longitude : float
        Degrees east.
    height : float
        Of the cloud top, km.

    Returns
    -------
    (float, float)
        To the north and to the east, km, on a spherical Earth.
    """
    latitude, east = np.radians(place[0]), np.radians(place[1] - satellite_longitude)
    up = np.array(
        [np.cos(latitude) * np.cos(east), np.cos(latitude) * np.sin(east), np.sin(latitude)]
    )
    to = np.array([SATELLITE, 0, 0]) - EARTH * up
    to /= np.linalg.norm(to)
    north = np.array(
        [-np.sin(latitude) * np.cos(east), -np.sin(latitude) * np.sin(east), np.cos(latitude)]
    )
    eastward = np.array([-np.sin(east), np.cos(east), 0])
    return tuple(float(-height * (to @ way) / (to @ up)) for way in (north, eastward))


def _view(projection, ellipsoid):
    """The satellite's view of an ellipsoid as a map projection, from degrees to scan angles.

    And the tangent of a latitude there over that of the latitude on the Earth's own ellipsoid, of
    a place that lies in the same direction from the Earth's centre.
    """
    names = "semi_major_axis", "semi_minor_axis", "perspective_point_height"
    equator, pole, height = (float(projection[name]) for name in names)
    a, b = ellipsoid or (equator, pole)
    flat, height = (pole / equator * a / b) ** 2, height + equator - a
    origin = float(projection["longitude_of_projection_origin"])
    lengths = {"a": a, "b": b, "h": height, "to_meter": height}  # lengths over the height: angles
    return Proj(proj="geos", sweep="x", lon_0=origin, **lengths), flat
