"""Real files come in as the worlds' datasets do, and what does not fit is refused in a sentence."""

import gzip
import os
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import compare_goes_mrms
import eccodes
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from utils import networks
from utils.readers import abi, cmip, geolocation, glm, mrms
from utils.weights import load_weights
from utils.worlds import convection, goes_mrms
from utils.worlds.convection import reality

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
real = pytest.mark.skipif(not REAL.is_dir(), reason="there are no real files in ../shared/data")
TOPS = [(190, 212), (212, 220), (220, 240), (240, 260), (260, 320)]  # kelvins


@pytest.fixture
def loop(tmp_path):
    """Five small files as ABI writes them, two minutes apart, newest first."""
    return [write(tmp_path / f"frame{i}.nc", minutes=2 * i) for i in reversed(range(5))]


def write(path, minutes=0, channel=2, bad=False, shifted=0.0):
    rows = (100 - np.arange(80)) * 14e-6
    radiance = np.full((80, 80), 100.0 + minutes, np.float32)
    radiance[70, 3] = np.nan if bad else 50
    variables = {
        "Rad": (("y", "x"), radiance),
        "DQF": (("y", "x"), np.zeros((80, 80), np.float32)),
        "kappa0": ((), np.float32(0.002)),
        "band_id": (("band",), np.array([channel], np.int8)),
    }
    time = np.datetime64("2020-06-01T18:00") + np.timedelta64(minutes, "m")
    coordinates = {"y": rows + shifted, "x": rows[::-1], "t": time.astype("datetime64[ns]")}
    xr.Dataset(variables, coordinates).to_netcdf(path)
    return path


def test_a_loop_has_the_schema_of_the_world(loop):
    data = abi.read(loop, row=10, column=2)
    world = convection.simulate(1, 0)
    assert data.reflectance.dims == world.reflectance.dims
    assert data.reflectance.shape == world.reflectance.shape
    assert data.reflectance.dtype == np.float32
    assert data.time.attrs == world.time.attrs
    np.testing.assert_allclose(data.time, world.time)
    np.testing.assert_allclose(np.diff(data.x), 0.5, atol=0.002)
    np.testing.assert_allclose(np.diff(data.y), 0.5, atol=0.002)
    np.testing.assert_allclose(data.reflectance[0, :, 0, 0], [0.2, 0.204, 0.208, 0.212, 0.216])
    assert float(data.reflectance[0, 0, 60, 1]) == pytest.approx(0.1)
    assert convection.as_input(data).shape == (1, 64, 64, 5)


def test_what_does_not_fit_is_refused(loop, tmp_path):
    moved = write(tmp_path / "moved.nc", 10, shifted=1e-3)
    for files, error, words in (
        ([], ValueError, "at least one"),
        ([tmp_path / "gone.nc"], FileNotFoundError, "no file"),
        ([write(tmp_path / "red.nc", channel=3)], ValueError, "channel 3, not 2"),
        ([*loop, moved], ValueError, "different grids"),
        ([*loop, loop[0]], ValueError, "same time"),
        ([write(tmp_path / "bad.nc", bad=True)], ValueError, "1 bad pixels"),
    ):
        with pytest.raises(error, match=words) as caught:
            abi.read(files, row=10, column=2)
        assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    with pytest.raises(ValueError, match="leaves the picture of 80 x 80"):
        abi.read(loop, row=40, column=2)
    with pytest.raises(ValueError, match="channel must be 1 to 6"):
        abi.read(loop, row=0, column=0, channel=13)
    (tmp_path / "text.nc").write_text("no NetCDF")
    with pytest.raises(ValueError, match="cannot be read as NetCDF"):
        abi.read(tmp_path / "text.nc", row=0, column=0)
    xr.Dataset({"Rad": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc")
    with pytest.raises(ValueError, match="no ABI level 1b file"):
        abi.read(tmp_path / "other.nc", row=0, column=0)


@real
def test_a_real_file():
    (file,) = REAL.glob("abi/*M6C03*.nc")
    with pytest.raises(ValueError, match="channel 3, not 2"):
        abi.read(file, row=800, column=660)
    data = abi.read(file, row=800, column=660, channel=3)
    assert data.reflectance.shape == (1, 1, 64, 64)
    assert float(np.diff(data.x).mean()) == pytest.approx(1.0, abs=0.01)
    with xr.open_dataset(file) as whole:
        expected = (whole.Rad * whole.kappa0)[800:864, 660:724]
        np.testing.assert_allclose(data.reflectance[0, 0], expected, rtol=1e-5)


@real
def test_the_world_against_a_real_picture():
    """What lesson and data sheet say, at 1 km: channel 3 is the nearest to channel 2 here."""
    (file,) = REAL.glob("abi/*M6C03*.nc")
    with xr.open_dataset(file) as whole:
        scan = (whole.Rad * whole.kappa0).values
    within = [0.1, 0.02, 0.02]
    for kind, part in reality.SCAN.items():
        patches = np.lib.stride_tricks.sliding_window_view(scan[part], (32, 32))[::32, ::32]
        real = reality.measures(patches.reshape(-1, 32, 32))
        assert (abs(np.array(real) - reality.REAL.loc[kind]) < within).all(), kind
    table = reality.comparison()
    print(table)
    sheet = [[-2.6, 0.13, 0.35], [-2.9, 0.18, 0.19], [-2.7, 0.12, 0.15], [-2.9, 0.15, 0.52]]
    ours = table.xs("ours", axis=1, level=1).to_numpy()
    assert (abs(ours - sheet) < within).all()


FIXED_GRID = {
    "perspective_point_height": 35786023.0,
    "semi_major_axis": 6378137.0,
    "semi_minor_axis": 6356752.31414,
    "longitude_of_projection_origin": -75.0,
}
FK1, FK2, BC1, BC2 = 10803.3, 1392.74, 0.0755, 0.99975  # of a channel 13


def infrared(path, channel=13, kelvin=280.0, satellite="G16", seconds=0.0, flags=None, **changes):
    """A scan as ABI writes it: 200 x 200 pixels of 2 km around 35 N, 90 W, warmer to the east."""
    y, x = geolocation.scan_angles(35.0, -90.0, FIXED_GRID)
    steps = (np.arange(200) - 99.5) * 56e-6
    kelvin = np.full((200, 200), kelvin) + np.arange(200) / 10
    variables = {
        "Rad": (("y", "x"), FK1 / (np.exp(FK2 / (kelvin * BC2 + BC1)) - 1)),
        "DQF": (("y", "x"), np.zeros((200, 200), np.int8) if flags is None else flags),
        "band_id": (("band",), np.array([channel], np.int8)),
        "goes_imager_projection": ((), 0, FIXED_GRID),
    }
    planck = zip(("fk1", "fk2", "bc1", "bc2"), (FK1, FK2, BC1, BC2), strict=True)
    variables |= {f"planck_{name}": ((), value) for name, value in planck} | changes
    time = np.datetime64("2019-05-05T23:00") + np.timedelta64(int(1000 * seconds), "ms")
    coordinates = {"y": y - steps, "x": x + steps, "t": time.astype("datetime64[ns]")}
    attributes = {"platform_ID": satellite, "title": "ABI L1b Radiances"}
    xr.Dataset(variables, coordinates, attributes).to_netcdf(path)
    return path


@pytest.fixture
def scan(tmp_path):
    return [infrared(tmp_path / f"c{c}.nc", c, 200.0 + 5 * c) for c in (13, 7, 9)]


def lightning(path, latitude, longitude, flag=0, seconds=0, subpoint=-75.0):
    latitude, longitude = np.atleast_1d(latitude), np.atleast_1d(longitude)
    start = np.datetime64("2019-05-05T23:00", "ns") + np.timedelta64(seconds, "s")
    ellipsoid = {name: FIXED_GRID[name] for name in ("semi_major_axis", "semi_minor_axis")}
    variables = {
        "group_lat": ("group", latitude.astype(np.float32)),
        "group_lon": ("group", longitude.astype(np.float32)),
        "group_quality_flag": ("group", np.full(len(latitude), flag, np.int16)),
        "product_time_bounds": ("bound", [start, start + np.timedelta64(20, "s")]),
        "goes_lat_lon_projection": ((), 0, ellipsoid),
        "nominal_satellite_subpoint_lon": ((), subpoint),
        "nominal_satellite_height": ((), 35786.023),
    }
    xr.Dataset(variables).to_netcdf(path)
    return path


def climate(path):
    """Two years of monthly temperature, cells of 10 degrees."""
    times = np.arange("2000-01", "2002-01", dtype="datetime64[M]").astype("datetime64[ns]")
    kelvin = np.float32(np.random.default_rng(0).uniform(220, 310, (24, 18, 36)))
    place = {"lat": np.arange(-85.0, 90, 10), "lon": np.arange(0.0, 360, 10)}
    field = {"tas": (("time", "lat", "lon"), kelvin, {"units": "K"})}
    xr.Dataset(field, {"time": times + np.timedelta64(14, "D"), **place}).to_netcdf(path)
    return path


def radar(path, dbz, number=0, minute=0):
    """A composite as MRMS writes it, 4 x 4 degrees around 35 N, 90 W."""
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    n = 400
    for key, value in {
        "discipline": 209,
        "year": 2019,
        "month": 5,
        "day": 5,
        "hour": 23,
        "minute": minute,
        "Ni": n,
        "Nj": n,
        "latitudeOfFirstGridPointInDegrees": 36.995,
        "latitudeOfLastGridPointInDegrees": 33.005,
        "longitudeOfFirstGridPointInDegrees": 268.005,
        "longitudeOfLastGridPointInDegrees": 271.995,
        "parameterCategory": 10,
        "parameterNumber": number,
    }.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, np.broadcast_to(dbz, (n, n)).ravel().astype(float))
    path.write_bytes(eccodes.codes_get_message(handle))
    eccodes.codes_release(handle)
    return path


@settings(deadline=None, max_examples=50)
@given(st.floats(-60, 60), st.floats(-60, 60))
def test_from_the_ground_to_the_fixed_grid_and_back(latitude, east):
    longitude = east + FIXED_GRID["longitude_of_projection_origin"]
    angles = geolocation.scan_angles(latitude, longitude, FIXED_GRID)
    if np.isnan(angles).any():  # beyond the limb, which is 81 degrees away
        assert np.cos(np.radians(latitude)) * np.cos(np.radians(east)) < 0.26
    else:
        back = geolocation.ground(*angles, FIXED_GRID)
        np.testing.assert_allclose(back, (latitude, longitude), atol=1e-6)


def test_places_in_single_precision_are_seen_in_double():
    here = geolocation.local(35, -97, 8)
    single = [here[name].values for name in ("latitude", "longitude")]
    double = [np.float64(degrees) for degrees in single]
    for a, b in zip(
        geolocation.scan_angles(*single, FIXED_GRID),
        geolocation.scan_angles(*double, FIXED_GRID),
        strict=True,
    ):
        assert single[0].dtype == np.float32 and a.dtype == np.float64
        np.testing.assert_array_equal(a, b)


def test_the_example_of_the_users_guide():
    """GOES-R Product Definition and User's Guide, volume 3, section 5.1.2.8."""
    angles = geolocation.scan_angles(33.846162, -84.690932, FIXED_GRID)
    np.testing.assert_allclose(angles, (0.095340, -0.024052), atol=1e-6)
    np.testing.assert_allclose(
        geolocation.ground(0.095340, -0.024052, FIXED_GRID), (33.846162, -84.690932), atol=1e-4
    )


@settings(deadline=None, max_examples=20)
@given(st.floats(-70, 70), st.floats(-180, 180))
def test_pixels_of_the_local_grid_are_3_km_apart(latitude, longitude):
    here = geolocation.local(latitude, longitude, 64)
    phi, lam = np.radians(here.latitude.values), np.radians(here.longitude.values)
    points = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], -1)
    for axis in (0, 1):
        far = 6371 * np.linalg.norm(np.diff(points, axis=axis), axis=-1)
        np.testing.assert_allclose(far, 3, rtol=0.01)
    middle = here.isel(y=slice(31, 33), x=slice(31, 33))
    assert float(middle.latitude.mean()) == pytest.approx(latitude, abs=1e-3)
    assert here.latitude[0, 32] > here.latitude[1, 32] and np.diff(here.y).min() > 0
    index = geolocation.cells(here, here.latitude.values.ravel(), here.longitude.values.ravel())
    np.testing.assert_array_equal(index, np.arange(64 * 64))
    assert (
        geolocation.cells(here, np.array([latitude + 2, np.nan]), np.array([longitude, 0])).min()
        == 4096
    )


def test_a_scan_becomes_brightness_temperature(scan):
    data = abi.brightness_temperature(scan, size=64)
    assert list(data) == ["c07", "c09", "c13"]
    for channel, name in ((7, "c07"), (9, "c09"), (13, "c13")):
        kelvin = data[name]
        assert kelvin.dims == ("sample", "y", "x") and kelvin.shape == (1, 64, 64)
        assert kelvin.dtype == np.float32 and kelvin.attrs["units"] == "K"
        middle = 200 + 5 * channel + 9.95
        assert float(kelvin[0, 31:33, 31:33].mean()) == pytest.approx(middle, abs=0.01)
        assert (np.diff(kelvin[0], axis=1) > 0).all()  # warmer to the east
    world = goes_mrms.simulate(1, 0, size=64)
    for name in ("y", "x"):
        xr.testing.assert_identical(data[name].reset_coords(drop=True), world[name])
    assert data.c07.dims == world.c07.dims and data.c07.dtype == world.c07.dtype
    np.testing.assert_allclose((data.latitude.mean(), data.longitude.mean()), (35, -90), atol=0.01)


def test_bad_pixels_are_missing_and_counted(tmp_path):
    flags = np.zeros((200, 200), np.int8)
    flags[100, 100] = 1
    file = infrared(tmp_path / "usable.nc", flags=flags)
    assert abi.brightness_temperature(file, size=64, channels=[13]).c13.notnull().all()
    for flag in (2, 3, 4):
        flags[90:110, 90:110] = flag
        file = infrared(tmp_path / f"flag{flag}.nc", flags=flags)
        with pytest.warns(UserWarning, match="of 4096 pixels are missing") as said:
            data = abi.brightness_temperature(file, size=64, channels=[13])
        missing = int(data.c13.isnull().sum())
        assert 100 < missing < 400 and f": {missing} of 4096" in str(said[0].message)
        assert data.c13.isnull()[0, 32, 32]
    whole = data.assign(c07=data.c13, c09=data.c13, glm=xr.zeros_like(data.c13))
    scaled = goes_mrms.as_input(whole)
    assert scaled.shape == (1, 64, 64, 4) and not scaled[0, 32, 32].any()
    file = infrared(tmp_path / "nothing.nc", flags=np.full((200, 200), 3, np.int8))
    with pytest.raises(ValueError, match="no good pixel"):
        abi.brightness_temperature(file, size=64, channels=[13])


def test_noise_below_zero_is_cold_and_not_missing(tmp_path):
    """As channel 7 has it over the coldest tops at night; packed as in the files themselves."""
    fk1, fk2, bc1, bc2 = 202263.0, 3698.19, 0.4336, 0.99939  # of a channel 7
    radiance = np.full((200, 200), 0.7)
    radiance[90:110, 90:110] = -0.01
    planck = {"planck_fk1": fk1, "planck_fk2": fk2, "planck_bc1": bc1, "planck_bc2": bc2}
    changes = {name: ((), value) for name, value in planck.items()}
    file = infrared(tmp_path / "cold.nc", 7, Rad=(("y", "x"), radiance), **changes)
    packing = {"dtype": "int16", "scale_factor": 0.0016, "add_offset": -0.0376, "_FillValue": -1}
    xr.load_dataset(file).to_netcdf(tmp_path / "packed.nc", encoding={"Rad": packing})
    data = abi.brightness_temperature(tmp_path / "packed.nc", size=24, channels=[7])
    least = 0.0016 * 24 - 0.0376  # the smallest number above zero that the file can hold
    expected = (fk2 / np.log(fk1 / least + 1) - bc1) / bc2
    assert data.c07.notnull().all() and 190 < expected < 200
    assert float(data.c07[0, 12, 12]) == pytest.approx(expected, abs=0.01)
    assert data.c07[0, 0, 0] > 280


def test_the_grid_of_a_scan_is_not_off_where_its_axis_is_single_precision(tmp_path):
    """A row of 2,500 pixels: from two neighbours the step is wrong by a millionth or more."""
    exact = 0.1 - 56e-6 * np.arange(2500)
    single = exact.astype(np.float32).astype(float)
    off = (exact[-1] - single[0]) / (single[1] - single[0])
    assert abs(off - 2499) > 0.05  # what would happen
    whole = xr.load_dataset(infrared(tmp_path / "a.nc"))
    y, x = (whole[name].values.astype(np.float32) for name in ("y", "x"))
    whole.assign_coords(y=y, x=x).to_netcdf(tmp_path / "b.nc")
    a, b = (
        abi.brightness_temperature(tmp_path / name, (35.0, -90.0), size=64, channels=[13])
        for name in ("a.nc", "b.nc")
    )
    np.testing.assert_allclose(a.c13, b.c13, atol=0.01)  # warmer by 0.1 K from pixel to pixel


def test_frames_that_make_no_loop_are_refused(tmp_path):
    def frame(name, minutes, satellite):
        data = xr.load_dataset(write(tmp_path / "frame.nc", minutes))
        data.attrs["platform_ID"] = satellite
        data.to_netcdf(tmp_path / name)
        return tmp_path / name

    first = frame("a.nc", 0, "G16")
    other = frame("b.nc", 2, "G17")
    late = frame("c.nc", 60, "G16")
    refused(ValueError, "different satellites", abi.read, [first, other], row=10, column=2)
    refused(ValueError, "60 minutes apart", abi.read, [first, late], row=10, column=2)


@pytest.mark.parametrize(
    "time, latitude, longitude, expected",
    [  # by the almanac, in degrees
        ("2020-06-20T12:02", 23.44, 0.0, 90),
        ("2020-03-20T12:07", 0.0, 0.0, 90),
        ("2020-12-21T12:00", 60.0, 0.0, 6.6),
        ("2020-03-20T18:07", 0.0, 0.0, 0),
        ("2020-06-21T06:00", 35.0, -90.0, -31.6),
    ],
)
def test_the_sun_stands_where_the_almanac_says(time, latitude, longitude, expected):
    elevation = geolocation.sun(np.datetime64(time), latitude, longitude)
    assert elevation == pytest.approx(expected, abs=0.6)


@pytest.mark.parametrize("hour, night", [("18:00", False), ("06:00", True)])
def test_reflected_sunlight_at_night_is_told(tmp_path, hour, night):
    y, x = geolocation.scan_angles(35.0, -90.0, FIXED_GRID)
    data = xr.load_dataset(write(tmp_path / "frame.nc"))
    data["goes_imager_projection"] = ((), 0, FIXED_GRID)
    time = np.datetime64(f"2020-06-21T{hour}", "ns")
    steps = 14e-6 * np.arange(80)
    data.assign_coords(y=y - steps, x=x + steps, t=time).to_netcdf(tmp_path / "there.nc")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        abi.read(tmp_path / "there.nc", row=10, column=2)
    told = [str(one.message) for one in said if "it is night" in str(one.message)]
    assert len(told) == night
    if night:
        assert "32 degrees below" in told[0]


def test_what_a_scan_says_of_its_satellite_is_cut_and_plain(tmp_path):
    for satellite, title in (
        ("G16", "GOES ABI, G16"),
        ("$G\n16" + 10**6 * "6", "GOES ABI, G 16" + 75 * "6" + "…"),
        (np.array([1, 6]), "GOES ABI, [1 6]"),
    ):
        files = [infrared(tmp_path / f"c{c}.nc", c, satellite=satellite) for c in (7, 13)]
        assert abi.brightness_temperature(files, size=24, channels=(7, 13)).title == title


def refused(error, words, read, *arguments, **options):
    with pytest.raises(error, match=words) as caught:
        read(*arguments, **options)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_what_is_no_scan_is_refused(scan, tmp_path):
    read = abi.brightness_temperature
    with xr.open_dataset(scan[0]) as data:
        data.assign_coords(y=data.y + 0.1).to_netcdf(tmp_path / "limb.nc")
    level_2 = tmp_path / "cmip.nc"
    xr.Dataset({"CMI": ("x", [280.0])}, attrs={"title": "ABI L2 CMIP"}).to_netcdf(level_2)
    for files, error, words in (
        ([], ValueError, "at least one ABI level 1b"),
        ([tmp_path / "gone.nc"], FileNotFoundError, "no file"),
        (scan[:2], ValueError, "no file of channel 9"),
        ([*scan, scan[0]], ValueError, "second file of channel 13"),
        ([*scan, infrared(tmp_path / "red.nc", 3)], ValueError, "red.nc is channel 3"),
        ([*scan[1:], infrared(tmp_path / "a.nc", satellite="G17")], ValueError, "satellites"),
        ([*scan[1:], infrared(tmp_path / "b.nc", seconds=30)], ValueError, "different times"),
        ([level_2], ValueError, "cmip.nc is no ABI level 1b file, but 'ABI L2 CMIP'"),
    ):
        refused(error, words, read, files, size=64)
    with xr.open_dataset(scan[0]) as data:
        data.assign_coords(x=data.x + 1e-3).to_netcdf(tmp_path / "moved.nc")
    refused(ValueError, "different grids", read, [tmp_path / "moved.nc", *scan[1:]], size=64)
    refused(ValueError, "leaves the scan", read, scan)
    refused(ValueError, "leaves the scan", read, scan, place=(40.0, -90.0), size=64)
    refused(ValueError, "leaves the scan", read, scan, place=(35.0, 90.0), size=64)
    refused(ValueError, "is in space", read, tmp_path / "limb.nc", size=64, channels=[13])
    refused(ValueError, "among 7 to 16", read, scan, channels=[2])
    refused(ValueError, "size must be", read, scan, size=0)
    refused(ValueError, "no place at latitude 100", read, scan, place=(100.0, 0.0))


def test_lightning_lies_on_the_cloud_that_it_lights(tmp_path):
    """A flash 14 to 6 km up and the cloud under the same line of sight fall into one pixel."""
    here = geolocation.local(35.0, -90.0, 64)
    angles = geolocation.scan_angles(here.latitude.values, here.longitude.values, FIXED_GRID)
    up = optimize.fsolve(
        lambda place: np.subtract(
            geolocation.scan_angles(*place, FIXED_GRID, glm.ELLIPSOID), [a[20, 40] for a in angles]
        ) * 1e6,
        (35.0, -90.0),
    )  # fmt: skip
    file = lightning(tmp_path / "one.nc", *up)
    counted = glm.groups(file, here)
    assert counted.dims == ("sample", "y", "x") and counted.dtype == np.float32
    assert float(counted.sum()) == 1 and counted[0, 20, 40] == 1
    row, column = np.divmod(geolocation.cells(here, up[:1], up[1:])[0], 64)
    shift = 3 * np.hypot(row - 20, column - 40)
    assert 5 < shift < 20  # km: where it would lie without


def test_groups_are_summed_over_the_interval(tmp_path):
    here = geolocation.local(35.0, -90.0, 64)
    files = [lightning(tmp_path / f"{s}.nc", [34.9] * 3, [-90.0] * 3, 0, s) for s in (40, 0, 20)]
    bad = lightning(tmp_path / "bad.nc", 34.9, -90.0, 5, 60)
    far = lightning(tmp_path / "far.nc", 50.0, -90.0, 0, 80)
    none = lightning(tmp_path / "none.nc", [], [], 0, 100)
    counted = glm.groups([none, *files, bad, far], here)
    assert float(counted.sum()) == float(counted.max()) == 9
    assert counted.attrs["degraded"] == 1 and counted.attrs["long_name"] == "GLM groups in 120 s"


def test_what_is_no_lightning_is_refused(tmp_path, scan):
    here = geolocation.local(35.0, -90.0, 64)
    one, two = (lightning(tmp_path / f"{s}.nc", 35.0, -90.0, 0, s) for s in (0, 40))
    west = lightning(tmp_path / "west.nc", 35.0, -90.0, 0, 20, -137.0)
    gridded = tmp_path / "gridded.nc"
    attributes = {"title": "GLM L2 Lightning Detection Gridded Product"}
    xr.Dataset({"flash_extent_density": ("x", [1.0])}, attrs=attributes).to_netcdf(gridded)
    refused(ValueError, "at least one GLM", glm.groups, [], here)
    far = lightning(tmp_path / "far.nc", 35.0, -90.0, 0, 120)
    refused(ValueError, "Of the 140 s from .* 100 are missing", glm.groups, [one, far], here)
    with pytest.warns(UserWarning, match="cover 40 s of 60; .* 0.044 times as many groups"):
        assert glm.groups([one, two], here).attrs["long_name"] == "GLM groups in 40 s"
    refused(ValueError, "overlap: give each 20 s once", glm.groups, [one, one], here)
    refused(ValueError, "different satellites", glm.groups, [one, west], here)
    refused(
        ValueError, "no GLM level 2 LCFA file, but 'GLM L2 .* Gridded", glm.groups, gridded, here
    )
    refused(
        ValueError,
        "lacks latitude, longitude",
        glm.groups,
        one,
        here.drop_vars(["latitude", "longitude"]),
    )
    later = lightning(tmp_path / "later.nc", 35.0, -90.0, 0, 3600)
    seen = abi.brightness_temperature(scan, size=64)
    assert float(glm.groups(one, seen).sum()) == 1
    refused(ValueError, "is of .* the scan of", glm.groups, later, seen)
    refused(ValueError, "another satellite than the scan", glm.groups, west, seen)


def test_a_file_that_ends_some_seconds_early_is_counted(tmp_path):
    here = geolocation.local(35.0, -90.0, 64)
    files = [lightning(tmp_path / f"{s}.nc", 35.0, -90.0, 0, s) for s in range(0, 900, 20)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float(glm.groups(files, here).sum()) == 45
    early = xr.load_dataset(files[7])
    early["product_time_bounds"] = early.product_time_bounds - np.array([0, 3], "timedelta64[s]")
    early.to_netcdf(files[7])
    with pytest.warns(UserWarning, match="cover 897 s of 900"):
        assert float(glm.groups(files, here).sum()) == 45


def test_a_grid_in_degrees_or_metres_is_refused(tmp_path):
    here, file = geolocation.local(35.0, -90.0, 64), lightning(tmp_path / "a.nc", 35.0, -90.0)
    for factor in (1000, 1 / 111):
        other = here.assign_coords(y=here.y * factor, x=here.x * factor)
        refused(ValueError, "steps of .* give y and x in km", glm.groups, file, other)


def test_radar_is_averaged_as_power(tmp_path):
    here = geolocation.local(35.0, -90.0, 64)
    for dbz, expected in ((-99, 0), (-10, 0), (30, 30), (70, 60)):
        data = mrms.reflectivity(radar(tmp_path / "a.grib2", dbz), here)
        assert data.dims == ("sample", "y", "x") and data.dtype == np.float32
        np.testing.assert_allclose(data, expected, atol=0.01)
    half = np.where(np.arange(400) % 2, 40.0, -99.0)  # every second column of MRMS
    data = mrms.reflectivity(radar(tmp_path / "a.grib2", half), here)
    power = 10 ** (data.values / 10)
    assert power.mean() == pytest.approx(10**4 / 2, rel=0.01)


def test_radar_without_coverage_is_missing(tmp_path):
    here = geolocation.local(35.0, -90.0, 64)
    west = np.where(np.arange(400) < 200, -999.0, 20.0)
    with pytest.warns(UserWarning, match="2048 of 4096 pixels have no coverage"):
        data = mrms.reflectivity(radar(tmp_path / "a.grib2", west), here)
    assert data[0, :, :32].isnull().all()
    np.testing.assert_allclose(data[0, :, 32:], 20, atol=0.01)
    refused(
        ValueError,
        "no radar coverage",
        mrms.reflectivity,
        tmp_path / "a.grib2",
        geolocation.local(0, 0, 9),
    )


def test_what_is_no_radar_is_refused(tmp_path, scan):
    here = geolocation.local(35.0, -90.0, 64)
    good = radar(tmp_path / "good.grib2", 10).read_bytes()
    packed = gzip.compress(good)
    for name, content, words in (
        ("text.grib2", b"no GRIB", "no GRIB file"),
        ("empty.grib2", b"", "no GRIB file"),
        ("part.grib2", good[:-9], "no GRIB file, or not all"),
        ("part.gz", packed[:-9], "cannot be unpacked"),
        ("large.gz", gzip.compress(bytes(mrms.MOST + 1), 1), "more than 200 MB"),
        ("wrong.gz", packed[:20] + b"\0\0\0" + packed[23:], "cannot be unpacked"),
        ("two.grib2", good + good, "not one field"),
        ("false.grib2", good[:16] + good[-4:], "damaged"),
    ):
        (tmp_path / name).write_bytes(content)
        refused(ValueError, words, mrms.reflectivity, tmp_path / name, here)
    other = radar(tmp_path / "other.grib2", 10, number=1)
    refused(
        ValueError,
        r"other.grib2 is another product: .*\(209, 10, 1\)",
        mrms.reflectivity,
        other,
        here,
    )
    refused(FileNotFoundError, "no file", mrms.reflectivity, tmp_path / "gone", here)
    seen = abi.brightness_temperature(scan, size=64)
    later = radar(tmp_path / "later.grib2", 10, minute=30)
    refused(ValueError, "is of .* the scan of", mrms.reflectivity, later, seen)


@settings(deadline=None, max_examples=60)
@given(place=st.integers(4, 178), byte=st.integers(0, 255))
def test_a_damaged_composite_is_read_or_refused_in_a_sentence(tmp_path_factory, place, byte):
    file = tmp_path_factory.mktemp("radar") / "damaged.grib2"
    content = bytearray(radar(file, 10).read_bytes())
    content[place] = byte
    file.write_bytes(content)
    try:
        mrms.reflectivity(file, geolocation.local(35.0, -90.0, 8))
    except ValueError as error:
        assert "damaged.grib2" in str(error) and str(error).endswith(".")


def test_a_composite_whose_header_moved_is_refused(tmp_path):
    here = geolocation.local(35.0, -90.0, 8)
    for key in ("latitudeOfFirstGridPoint", "longitudeOfLastGridPoint"):
        content = radar(tmp_path / "a.grib2", 10).read_bytes()
        handle = eccodes.codes_new_from_message(content)
        eccodes.codes_set(handle, key, eccodes.codes_get(handle, key) + 2**20)  # 1 degree
        (tmp_path / "moved.grib2").write_bytes(eccodes.codes_get_message(handle))
        eccodes.codes_release(handle)
        refused(ValueError, "damaged", mrms.reflectivity, tmp_path / "moved.grib2", here)


def test_what_is_not_the_file_it_should_be_is_refused_in_a_sentence(tmp_path):
    """Each kind cut short in a hundred places, empty, a web page, and another kind."""
    here = geolocation.local(35.0, -90.0, 8)
    whole = {
        "scan": (
            infrared(tmp_path / "scan.nc"),
            partial(abi.brightness_temperature, size=8, channels=[13]),
        ),
        "lightning": (
            lightning(tmp_path / "groups.nc", 35.0, -90.0),
            partial(glm.groups, grid=here),
        ),
        "climate": (climate(tmp_path / "climate.nc"), cmip.read),
        "radar": (radar(tmp_path / "radar.grib2", 10), partial(mrms.reflectivity, grid=here)),
    }
    for kind, (file, read) in whole.items():
        read(file)
        content, damaged = file.read_bytes(), tmp_path / f"damaged{file.suffix}"
        cut = [content[:n] for n in np.linspace(1, len(content) - 1, 100, dtype=int)]
        for wrong in (*cut, b"", b"<!DOCTYPE html><html><body>404 Not Found</body></html>"):
            damaged.write_bytes(wrong)
            refused(ValueError, f"^{damaged.name}", read, damaged)
        for other in whole.keys() - {kind}:
            refused(ValueError, f"^{whole[other][0].name} (is|cannot)", read, whole[other][0])


DAMAGE = """
import os, sys, warnings
import numpy as np
from pathlib import Path
from utils.readers import abi, cmip, geolocation, glm
warnings.simplefilter("ignore")
file, kind = Path(sys.argv[1]), sys.argv[2]
whole, rng, here = file.read_bytes(), np.random.default_rng(0), geolocation.local(35.0, -90.0, 8)
for place in rng.choice(len(whole), 100, replace=False):
    content = bytearray(whole)
    content[place] ^= 1 << rng.integers(8)
    damaged = file.with_name("damaged.nc")
    damaged.write_bytes(content)
    if os.fork():
        said = os.waitstatus_to_exitcode(os.wait()[1])
        print("ended" if said else "lived", flush=True)
        continue
    try:
        if kind == "scan":
            abi.brightness_temperature(damaged, size=16, channels=[13])
        elif kind.startswith("climate"):
            data = cmip.read(damaged)
            assert 150 < float(data.tas.min()) and float(data.tas.max()) < 350
        else:
            glm.groups(damaged, here)
    except Exception as error:
        print(type(error).__name__, str(error).replace(chr(10), "<newline>"), flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fork is what survives the C library here")
@pytest.mark.parametrize("kind", ["scan", "lightning", "climate", "climate, checksums"])
def test_damage_anywhere_is_read_or_refused_in_a_sentence(tmp_path, kind):
    """A hundred files with one bit turned; what the libraries below say of it stays below."""
    file = tmp_path / "a.nc"
    if kind == "scan":
        infrared(file)
    elif kind == "lightning":
        lightning(file, [35.0] * 500, [-90.0] * 500)
    else:
        climate(file)
    data = xr.load_dataset(file)
    packed = {name: {"zlib": True} for name in ("Rad", "group_lat", "group_lon") if name in data}
    if kind == "climate, checksums":
        packed = {"tas": {"fletcher32": True}}
    data.to_netcdf(file, encoding=packed)
    command = [sys.executable, "-c", DAMAGE, file, kind]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    lines = said.stdout.splitlines()
    ends = [line for line in lines if line in ("lived", "ended")]
    assert len(ends) == 100 and ends.count("ended") <= 3  # aborts of the C library
    refusals = [line for line in lines if line not in ("lived", "ended")]
    assert len(refusals) > 5
    for line in refusals:
        assert line.startswith("ValueError damaged.nc") and "<newline>" not in line


def test_bad_arguments_are_refused(scan, tmp_path):
    here, read = geolocation.local(35.0, -90.0, 64), abi.brightness_temperature
    flash, echo = lightning(tmp_path / "a.nc", 35.0, -90.0), radar(tmp_path / "a.grib2", 10)
    refused(TypeError, "by their paths", read, None)
    refused(TypeError, "by their paths", glm.groups, [flash, 3], here)
    refused(ValueError, "place must be", read, scan, place=35.0)
    refused(TypeError, "two numbers", read, scan, place=("35 N", "90 W"))
    refused(ValueError, "no place", geolocation.local, np.nan, 0)
    refused(ValueError, "size must be", geolocation.local, 35.0, -90.0, 64.5)
    refused(TypeError, "grid is a ndarray", glm.groups, flash, here.latitude.values)
    refused(TypeError, "grid is a list", mrms.reflectivity, echo, [35.0, -90.0])
    refused(ValueError, "grid lacks x, y", mrms.reflectivity, echo, here.drop_vars(["y", "x"]))
    refused(ValueError, "one file, not 2", mrms.reflectivity, [echo, echo], here)


@real
def test_a_real_scan():
    files = [file for c in ("07", "09", "13") for file in REAL.glob(f"abi/*C{c}_G17*.nc")]
    with pytest.warns(UserWarning, match="19 of 65536 pixels are missing"):
        data = abi.brightness_temperature(files)
    with xr.open_dataset(files[2]) as whole:
        latitude, longitude = (
            float(whole.geospatial_lat_lon_extent.attrs[f"geospatial_{name}_center"])
            for name in ("lat", "lon")
        )
    middle = data.isel(y=slice(127, 129), x=slice(127, 129))
    assert float(middle.latitude.mean()) == pytest.approx(latitude, abs=0.01)
    assert float(middle.longitude.mean()) == pytest.approx(longitude, abs=0.01)
    assert 230 < float(data.c13.min()) and float(data.c13.max()) < 310
    assert float(data.c09.max()) < 266  # water vapour
    assert float(data.c07.max()) > 350  # a wildfire
    reflected = (data.c07 - data.c13).median()
    assert 5 < float(reflected) < 20  # by day
    with pytest.raises(ValueError, match="different satellites"):
        abi.brightness_temperature([*files[:2], *REAL.glob("abi/*C13_G16*.nc")])
    with pytest.raises(ValueError, match="is channel 3"):
        abi.brightness_temperature([*files, *REAL.glob("abi/*C03*.nc")])
    (gridded,) = REAL.glob("glm/*GLMM1*.nc")
    with pytest.raises(ValueError, match="no ABI level 1b file, but 'GLM L2"):
        abi.brightness_temperature(gridded)


@real
def test_groups_agree_with_the_gridded_file_of_the_same_minute():
    (file,) = REAL.glob("glm/*GLMM1*.nc")
    with xr.open_dataset(file) as gridded:
        y, x = np.meshgrid(gridded.y, gridded.x, indexing="ij")
        theirs = gridded.group_centroid_density.fillna(0).values
        latitude, longitude = geolocation.ground(y, x, gridded.goes_imager_projection.attrs)
    names = {"latitude": (("y", "x"), latitude), "longitude": (("y", "x"), longitude)}
    names |= {"y": ("y", -y[:, 0] * 35786), "x": ("x", x[0] * 35786)}
    ours = glm.groups(REAL.glob("glm/*LCFA*.nc"), xr.Dataset(coords=names))
    np.testing.assert_array_equal(ours[0], theirs)
    assert theirs.sum() == 7  # a quiet sector: few, but in the right pixels
    with pytest.raises(ValueError, match="no GLM level 2 LCFA file, but 'GLM L2 .* Gridded"):
        glm.groups(file, xr.Dataset(coords=names))


@real
def test_a_real_composite():
    (file,) = REAL.glob("mrms/*QCComposite*.gz")
    here = geolocation.local(38.0, -97.0)
    data = mrms.reflectivity(file, here)
    assert data.notnull().all() and float(data.min()) == 0
    assert 45 < float(data.max()) <= 56  # the largest of the country is 56
    assert 0.05 < float((data > 0).mean()) < 0.2
    with pytest.warns(UserWarning, match="no coverage"):
        sea = mrms.reflectivity(file, geolocation.local(30.0, -75.0))
    assert 0.1 < float(sea.isnull().mean()) < 1
    (other,) = REAL.glob("mrms/*PrecipFlag*.gz")
    with pytest.raises(ValueError, match=r"PrecipFlag.* is another product: .*\(209, 6, 0\)"):
        mrms.reflectivity(other, here)


def estimates(data):
    """What the trained network makes of scans, without lightning, in dBZ."""
    model = networks.encoder_decoder(size=None)
    load_weights(model, "goes_mrms")
    x = goes_mrms.as_input(data.assign(glm=xr.zeros_like(data.c13)))
    return 60 * model.predict(x, verbose=0)[0, ..., 0].clip(0), data.c13.values[0]


@real
def test_the_trained_network_says_no_rain_where_nothing_is_cold():
    files = [file for c in ("07", "09", "13") for file in REAL.glob(f"abi/*C{c}_G17*.nc")]
    with pytest.warns(UserWarning, match="pixels are missing"):
        data = abi.brightness_temperature(files)
    estimate, tops = estimates(data)
    assert np.nanmin(tops) > 230 and 0 < estimate.max() < 10
    assert (estimate >= 5).mean() < 0.001


@real
def test_the_trained_network_puts_echoes_under_cold_tops():
    """Of this scan there is channel 13 alone: thick cloud looks alike in all three channels."""
    data = abi.brightness_temperature(REAL.glob("abi/*C13_G16*.nc"), channels=[13])
    estimate, tops = estimates(data.assign(c07=data.c13, c09=np.minimum(data.c13 + 1, 248)))
    by_top = [estimate[(low < tops) & (tops < high)].mean() for low, high in TOPS]
    assert by_top[0] > 20 and by_top[-1] < 1
    assert (np.diff(by_top) < 0).all()  # the warmer the top, the weaker the echo
    assert (estimate[tops > 285] > 5).mean() < 0.01


@pytest.mark.slow  # when the world changes, its probes say so first
@real
def test_the_world_of_goes_and_mrms_against_real_scans():
    """The tables of the data sheet are what the comparison gives."""
    scenes = compare_goes_mrms.compare(REAL)
    sheet = compare_goes_mrms.SHEET.read_text(encoding="utf-8")
    found = compare_goes_mrms.MARKED.search(sheet)
    assert found[0] == found[1] + compare_goes_mrms.tables(scenes) + found[2]
