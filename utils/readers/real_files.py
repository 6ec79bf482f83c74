"""Write a scene of the world as the files that GOES and MRMS would have made of it.

So that the whole way from a bucket to a heat map has a known truth, and works without a network.
"""

import gzip
from pathlib import Path

import eccodes
import numpy as np
import xarray as xr
from scipy.ndimage import map_coordinates

from utils.readers import geolocation, glm, mrms

STEP = 56e-6  # radians from pixel to pixel of the infrared channels: 2 km below the satellite
ROWS = 500  # of a mesoscale sector
SUBPOINT = {16: -75.0, 17: -137.0, 18: -137.0, 19: -75.0}
FIXED_GRID = {
    "long_name": "GOES-R ABI fixed grid projection",
    "grid_mapping_name": "geostationary",
    "perspective_point_height": 35786023.0,
    "semi_major_axis": 6378137.0,
    "semi_minor_axis": 6356752.31414,
    "sweep_angle_axis": "x",
}
# As in GOES-17's files: Planck constants; scale, offset and fill value of the packed radiance.
CHANNELS = {
    7: ((203135.0, 3703.5, 0.44554, 0.99938), (0.001564351, -0.0376, 16383)),
    9: ((35759.102, 2075.6101, 0.33954999, 0.99918999), (0.022539102, -0.8236, 2047)),
    13: ((10835.6, 1394.12, 0.07786, 0.99974), (0.04572892, -1.6443, 4095)),
}
SHAPE, NORTH, WEST = (3500, 7000), 54.995, 230.005  # of a composite


def write(folder, data, time, place, satellite=16, top=12.0):
    """Write a scene as files of ABI, GLM and MRMS, in folders as those of NOAA's buckets.

    The infrared goes into a mesoscale sector around the place, lightning into the 45 files of the
    15 minutes before, radar into a composite of the United States. The satellite sees all of the
    scene at one height, from the side, so ABI has it displaced by the parallax, as it has real
    cloud tops. GLM's files allow for the height of cloud tops, as real ones do; radar has no
    parallax. Outside of the scene its border goes on.

    Parameters
    ----------
    folder : str or pathlib.Path
    data : xarray.Dataset
        Of one sample, as `goes_mrms.render` returns it.
    time : str or numpy.datetime64
        When the scan begins, UTC.
    place : (float, float)
        Latitude and longitude of the scene's middle, degrees.
    satellite : int
        16 to 19.
    top : float
        How high the clouds reach, km; 0 is without parallax.

    Returns
    -------
    list of pathlib.Path
        The 49 files.
    """
    folder, time = Path(folder), np.datetime64(time).astype("datetime64[ms]")
    if data.sizes["sample"] != 1:
        raise ValueError(f"A scan is one scene, not {data.sizes['sample']}: give one sample.")
    projection = FIXED_GRID | {"longitude_of_projection_origin": SUBPOINT[satellite]}
    bucket, end = folder / f"noaa-goes{satellite}", time + np.timedelta64(28, "s")
    tops = tuple(FIXED_GRID[f"semi_{axis}_axis"] + 1000 * top for axis in ("major", "minor"))
    scans = _scans(bucket, data, time, end, place, satellite, projection, tops)
    flashes = _lightning(bucket, data, end, place, satellite, projection, tops)
    return [*scans, *flashes, _radar(folder / "noaa-mrms-pds", data, time, place)]


def _scans(bucket, data, time, end, place, satellite, projection, tops):
    middle = geolocation.scan_angles(*place, projection)
    steps = STEP * (np.arange(ROWS) - (ROWS - 1) / 2)
    y, x = middle[0] - steps, middle[1] + steps
    seen = geolocation.ground(*np.meshgrid(y, x, indexing="ij"), projection, tops)
    at = _pixel(*seen, data, place)
    paths = []
    for channel, ((fk1, fk2, bc1, bc2), (scale, offset, fill)) in CHANNELS.items():
        field = data[f"c{channel:02d}"].values[0]
        kelvin = map_coordinates(field, at, order=1, mode="nearest")
        radiance = fk1 / (np.exp(fk2 / (kelvin * bc2 + bc1)) - 1)
        variables = {
            "Rad": (("y", "x"), radiance, {"units": "mW m-2 sr-1 (cm-1)-1"}),
            "DQF": (("y", "x"), np.zeros(radiance.shape, np.int8)),
            "band_id": ("band", np.array([channel], np.int8)),
            "goes_imager_projection": ((), 0, projection),
        }
        constants = {"fk1": fk1, "fk2": fk2, "bc1": bc1, "bc2": bc2}
        variables |= {f"planck_{name}": ((), value) for name, value in constants.items()}
        scan = xr.Dataset(
            variables,
            {"y": y, "x": x, "t": (time + (end - time) / 2).astype("datetime64[ns]")},
            {"title": "ABI L1b Radiances", "platform_ID": f"G{satellite}"},
        )
        packing = {"dtype": "int16", "scale_factor": scale, "add_offset": offset}
        name = f"OR_ABI-L1b-RadM1-M6C{channel:02d}_G{satellite}_{_span(time, end)}.nc"
        path = _within(bucket / "ABI-L1b-RadM", time, name)
        encoding = {"Rad": {**packing, "_FillValue": fill, "zlib": True, "complevel": 1}}
        scan.to_netcdf(path, encoding=encoding)
        paths.append(path)
    return paths


def _lightning(bucket, data, end, place, satellite, projection, tops):
    rng, count = np.random.default_rng(int(data.seed[0])), data.glm.values[0].astype(int)
    row, column = (np.repeat(i, count.ravel()) for i in np.indices(count.shape).reshape(2, -1))
    angles = geolocation.scan_angles(*_place(row, column, data, place), projection, tops)
    latitude, longitude = geolocation.ground(*angles, projection, glm.ELLIPSOID)
    file = rng.integers(0, 45, len(row))  # which 20 s each group falls into
    ellipsoid = {name: FIXED_GRID[name] for name in ("semi_major_axis", "semi_minor_axis")}
    paths = []
    for i in range(45):
        first = end - np.timedelta64(glm.INTERVAL - 20 * i, "s")
        bounds = np.array([first, first + np.timedelta64(20, "s")], "datetime64[ns]")
        here = file == i
        groups = xr.Dataset(
            {
                "group_lat": ("group", latitude[here].astype(np.float32)),
                "group_lon": ("group", longitude[here].astype(np.float32)),
                "group_quality_flag": ("group", np.zeros(here.sum(), np.int16)),
                "product_time_bounds": ("bound", bounds),
                "goes_lat_lon_projection": ((), 0, ellipsoid),
                "nominal_satellite_subpoint_lon": ((), SUBPOINT[satellite]),
                "nominal_satellite_height": ((), 35786.023),
            },
            attrs={"title": "GLM L2 Lightning Detections: Events, Groups, and Flashes"},
        )
        name = f"OR_GLM-L2-LCFA_G{satellite}_{_span(*bounds.astype('datetime64[ms]'))}.nc"
        paths.append(_within(bucket / "GLM-L2-LCFA", first, name))
        groups.to_netcdf(paths[-1])
    return paths


def _radar(bucket, data, time, place):
    values = np.full(SHAPE, mrms.NO_COVERAGE, float)
    latitude = NORTH - mrms.STEP * np.arange(SHAPE[0])
    longitude = WEST + mrms.STEP * np.arange(SHAPE[1])
    grid = geolocation.local(*place, data.sizes["y"])
    rows, columns = (
        np.flatnonzero((axis > here.min() - 0.1) & (axis < here.max() + 0.1))
        for axis, here in (
            (latitude, grid.latitude.values),
            (longitude, grid.longitude.values % 360),
        )
    )
    at = _pixel(
        *np.meshgrid(latitude[rows], longitude[columns], indexing="ij"), data=data, place=place
    )
    dbz = map_coordinates(data.mrms.values[0], at, order=0, mode="nearest")
    values[np.ix_(rows, columns)] = np.where(dbz > 0, dbz, mrms.NO_ECHO)
    when = time.astype(object)
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    for key, value in {
        "discipline": mrms.COMPOSITE[0],
        "year": when.year,
        "month": when.month,
        "day": when.day,
        "hour": when.hour,
        "minute": when.minute,
        "Nj": SHAPE[0],
        "Ni": SHAPE[1],
        "latitudeOfFirstGridPointInDegrees": latitude[0],
        "latitudeOfLastGridPointInDegrees": latitude[-1],
        "longitudeOfFirstGridPointInDegrees": longitude[0],
        "longitudeOfLastGridPointInDegrees": longitude[-1],
        "parameterCategory": mrms.COMPOSITE[1],
        "parameterNumber": mrms.COMPOSITE[2],
        "decimalPrecision": 1,
    }.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, np.round(values, 1).ravel())
    message = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    product = "MergedReflectivityQCComposite_00.50"
    day, clock = np.datetime_as_string(time, "s").replace("-", "").replace(":", "").split("T")
    path = bucket / "CONUS" / product / day / f"MRMS_{product}_{day}-{clock}.grib2.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(message, 1))
    return path


def _pixel(latitude, longitude, data, place):
    """Row and column of the scene, as fractions, of places."""
    east, north = geolocation.around(*place)(longitude, latitude)
    middle = (data.sizes["y"] - 1) / 2
    return np.stack([middle - north / geolocation.KM, middle + east / geolocation.KM])


def _place(row, column, data, place):
    """Latitude and longitude of pixels of the scene."""
    middle = (data.sizes["y"] - 1) / 2
    east, north = geolocation.KM * (column - middle), geolocation.KM * (middle - row)
    longitude, latitude = geolocation.around(*place)(east, north, inverse=True)
    return latitude, longitude


def _span(start, end):
    """The part of a file's name that tells when it was measured."""
    return f"s{_digits(start)}_e{_digits(end)}_c{_digits(end)}"


def _digits(time):
    when = time.astype("datetime64[ms]").astype(object)
    return when.strftime("%Y%j%H%M%S") + str(when.microsecond // 100_000)


def _within(product, time, name):
    when = time.astype("datetime64[ms]").astype(object)
    path = product / when.strftime("%Y/%j/%H") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
