"""A storm comes from the buckets whole, or one sentence says why not. The buckets are on loopback.

The scene is the world's, written as real files, so what must come out is known. One test takes
real files.
"""

import errno
import os
import re
import shutil
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import boto3
import netCDF4
import numpy as np
import pytest
import s3fs
import xarray as xr
from moto.server import ThreadedMotoServer
from scipy.ndimage import map_coordinates

from utils import lrp, networks
from utils.readers import fetch, geolocation, glm, mrms, real_files
from utils.weights import load_weights
from utils.worlds import goes_mrms

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
real = pytest.mark.skipif(not REAL.is_dir(), reason="there are no real files in ../shared/data")
TIME, PLACE, SIZE = "2021-12-11T03:00", (36.7, -88.6), 96
CLOSED = "http://127.0.0.1:9"  # nobody listens there


@pytest.fixture(scope="module")
def scene():
    return goes_mrms.simulate(1, 11_000_001, size=SIZE)


@pytest.fixture(scope="module")
def folder(scene, tmp_path_factory):
    """Without parallax, so that what comes back is what was written."""
    folder = tmp_path_factory.mktemp("buckets")
    real_files.write(folder, scene, TIME, PLACE, top=0)
    return folder


@contextmanager
def serving(folder):
    """The folder's files in buckets."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    access = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **access)
    for bucket in sorted(folder.iterdir()):
        client.create_bucket(Bucket=bucket.name, ACL="public-read")
        for file in filter(Path.is_file, bucket.rglob("*")):
            key = file.relative_to(bucket).as_posix()
            client.put_object(
                Bucket=bucket.name, Key=key, Body=file.read_bytes(), ACL="public-read"
            )
    yield address
    server.stop()


@pytest.fixture(scope="module")
def server(folder):
    with serving(folder) as address:
        yield address


def storm(source, cache=None, time=TIME, place=PLACE, size=SIZE):
    return fetch.storm(time, place, size, cache=cache, source=source, progress=False)


def test_from_the_bucket_to_the_heat_map(scene, server, folder, tmp_path):
    data = storm(server, tmp_path)
    assert data.identical(storm(folder))
    assert data.attrs["satellite"] == "GOES-16" and data.attrs["sector"] == "M1"
    assert data.attrs["scan_time"] == "2021-12-11T03:00:14" and data.attrs["lightning_files"] == 45
    np.testing.assert_array_equal(data.glm, scene.glm)
    assert abs(data.mrms - scene.mrms).max() < 0.3
    for name in ("c07", "c09", "c13"):  # from 3 km to 2 km and back: edges are softened
        assert abs(data[name] - scene[name]).mean() < 1, name
    model = networks.encoder_decoder(size=None)
    load_weights(model, "goes_mrms")
    before, after = (goes_mrms.as_input(one) for one in (scene, data))
    estimate = [model.predict(x, verbose=0)[0, ..., 0] for x in (before, after)]
    assert np.corrcoef(*(e.ravel() for e in estimate))[0, 1] > 0.98
    at = np.unravel_index(estimate[0].argmax(), estimate[0].shape)
    how = {"output": np.array([[*at, 0]]), "layers": False}
    maps = [
        lrp.relevance(model, x, "alpha_1_beta_0", **how).input.sum((0, -1)) for x in (before, after)
    ]
    assert np.corrcoef(*(m.ravel() for m in maps))[0, 1] > 0.9


def test_the_satellite_has_tops_displaced_by_the_parallax(scene, folder, tmp_path):
    """By what geometry on a sphere says, lightning as the cloud; radar has them in place."""
    real_files.write(tmp_path, scene, TIME, PLACE, top=12.0)
    data, flat = storm(tmp_path), storm(folder)
    xr.testing.assert_identical(data.mrms, flat.mrms)
    north, east = (km / 3 for km in geolocation.parallax(PLACE, -75.0, 12.0))
    assert 3 < north < 5 and -3 < east < -1
    at = np.indices((SIZE, SIZE)) + np.array([north, -east])[:, None, None]
    inside = np.s_[8:-8, 8:-8]
    for name in ("c07", "c09", "c13"):
        moved = map_coordinates(flat[name].values[0], at, order=1, mode="nearest")
        assert abs(data[name].values[0] - moved)[inside].mean() < 0.5, name
        assert abs(data[name].values[0] - flat[name].values[0])[inside].mean() > 1, name
    for along, shift in ((0, -north), (1, east)):
        middles = [
            np.average(np.indices((SIZE, SIZE))[along], weights=one.glm[0]) for one in (flat, data)
        ]
        assert abs(middles[1] - middles[0] - shift) < 0.5  # groups are counted in whole pixels


TIMES = {"t", "time_bounds", "product_time", "product_time_bounds"}


def move(file, product, name, start, end, **places):
    """Copy a real file into a bucket as one of another time; a scan to another place, too."""
    to = real_files._within(product, start, f"{name}_G16_{real_files._span(start, end)}.nc")
    to.write_bytes(file.read_bytes())
    with netCDF4.Dataset(to, "a") as data:
        for name in TIMES & set(data.variables):
            later = start - fetch._measured(file.name)[0]
            data[name][:] = data[name][:] + later / np.timedelta64(1, "s")
        for name, middle in places.items():
            data[name].add_offset += np.float32(middle - data[name][:].mean())
        if places:
            data.platform_ID = "G16"
            data["goes_imager_projection"].longitude_of_projection_origin = -75.0


@real
def test_real_files_from_the_bucket_to_the_scene(tmp_path, monkeypatch):
    """Where a real composite has echoes and three real files of lightning have groups, in Texas.

    The composite stays as it is. The files of lightning are from another year, and a minute alone,
    so each goes in fifteen times; the scan is from another year, satellite and place.
    """
    place, size, buckets = (32.0, -100.5), 129, tmp_path / "buckets"
    (composite,) = REAL.glob("mrms/*QCComposite*.gz")
    day = buckets / fetch.RADAR / "CONUS" / fetch.COMPOSITE / "20211012"
    day.mkdir(parents=True)
    shutil.copy(composite, day)
    goes, projection = buckets / "noaa-goes16", {"longitude_of_projection_origin": -75.0}
    y, x = geolocation.scan_angles(*place, real_files.FIXED_GRID | projection)
    start, end = np.array(["2021-10-12T16:44:30.0", "2021-10-12T16:44:36.9"], "datetime64[ms]")
    scans = [file for c in ("07", "09", "13") for file in REAL.glob(f"abi/*C{c}_G17*.nc")]
    for file in scans:
        move(file, goes / "ABI-L1b-RadM", file.name[:22], start, end, y=y, x=x)
    minute, seconds = sorted(REAL.glob("glm/*LCFA*.nc")), np.timedelta64(20, "s")
    for i in range(45):
        first = np.datetime64("2021-10-12T16:29:40.0") + i * seconds
        move(minute[i % 3], goes / "GLM-L2-LCFA", "OR_GLM-L2-LCFA", first, first + seconds)
    with serving(buckets) as address:
        data = storm(address, tmp_path / "cache", "2021-10-12T16:44", place, size)
    assert data.attrs["satellite"] == "GOES-16" and data.attrs["lightning_files"] == 45
    assert data.attrs["scan_time"] == "2021-10-12T16:44:33"
    assert data.attrs["radar_time"] == "2021-10-12T16:44:46"
    here = geolocation.local(*place, size)
    np.testing.assert_array_equal(data.mrms, mrms.reflectivity(composite, here))
    assert float(data.mrms.max()) > 30
    # In 2018 the files still placed lightning on a higher surface.
    monkeypatch.setattr(glm, "FIRST_ELLIPSOID", glm.ELLIPSOID)
    with pytest.warns(UserWarning, match="cover 60 s"):
        np.testing.assert_array_equal(data.glm, 15 * glm.groups(minute, here))
    assert float(data.glm.sum()) > 1000
    for file, channel in zip(scans, ("c07", "c09", "c13"), strict=True):
        with xr.open_dataset(file) as scan:  # its middle has come to lie at the place
            radiance = float(scan.Rad[249:251, 249:251].mean())
            fk1, fk2, bc1, bc2 = (float(scan[f"planck_{k}"]) for k in ("fk1", "fk2", "bc1", "bc2"))
        kelvin = (fk2 / np.log(fk1 / radiance + 1) - bc1) / bc2
        assert float(data[channel][0, 64, 64]) == pytest.approx(kelvin, abs=0.05), channel
        assert data[channel].notnull().all()


def test_what_was_fetched_works_without_a_network(server, tmp_path):
    first = storm(server, tmp_path)
    assert storm(CLOSED, tmp_path).identical(first)


def test_what_will_be_fetched_is_said_before(server, tmp_path, capsys):
    fetch.storm(TIME, PLACE, SIZE, cache=tmp_path, source=server)
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["Fetching 1 file", "Fetching 48 files"]
    total = sum(float(re.search(r"([\d.]+) MB", line)[1]) for line in lines)
    files = [file for name in ("OR_*", "MRMS_*") for file in tmp_path.rglob(name)]
    assert total == pytest.approx(sum(file.stat().st_size for file in files) / 1e6, abs=0.1)
    assert "100%" in said.err  # the bar
    fetch.storm(TIME, PLACE, SIZE, cache=tmp_path, source=server)
    assert capsys.readouterr().out == ""  # all is there


def test_a_folder_is_listed_once(folder, monkeypatch):
    listed, files = [], fetch._Store._files

    def noted(self, name):
        listed.append(name)
        return files(self, name)

    monkeypatch.setattr(fetch._Store, "_files", noted)
    with pytest.raises(FileNotFoundError):  # larger than the sector, so all three are looked at
        storm(folder, size=400)
    assert listed and len(listed) == len(set(listed))


def test_the_cache_can_be_moved(server, tmp_path, monkeypatch):
    monkeypatch.setenv(fetch.VARIABLE, str(tmp_path / "moved"))
    storm(server)
    assert len(list((tmp_path / "moved").rglob("OR_*.nc"))) == 48


CHILD = f"""
import os, signal, sys
import s3fs
from utils.readers import fetch, real_files
get, done = s3fs.S3FileSystem.get_file, []
def slow(self, key, path):
    if len(done) == 20:  # leave half a file, and die
        with open(path, "wb") as file:
            file.write(b"half")
            file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    get(self, key, path)
    done.append(key)
if sys.argv[3] == "dies":
    s3fs.S3FileSystem.get_file = slow
data = fetch.storm({TIME!r}, {PLACE!r}, {SIZE}, cache=sys.argv[2], source=sys.argv[1])
print("sum", float(data.glm.sum()))
"""


def child(server, cache, how="lives"):
    command = [sys.executable, "-c", CHILD, server, str(cache), how]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_killed_download_goes_on_where_it_was(server, tmp_path):
    dies = child(server, tmp_path, "dies")
    dies.communicate()
    assert dies.returncode != 0
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("OR_*.nc")}
    assert 10 < len(before) < 48
    storm(server, tmp_path)
    files = list(tmp_path.rglob("OR_*.nc"))
    assert len(files) == 48
    assert all(file.stat().st_mtime_ns == at for file, at in before.items())  # not fetched again


def test_two_processes_share_a_cache(server, scene, tmp_path):
    both = [child(server, tmp_path) for _ in range(2)]
    said = [one.communicate()[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert all(f"sum {float(scene.glm.sum())}" in text for text in said)
    assert not list(tmp_path.rglob("*.part"))


def test_the_sector_of_the_united_states_where_no_other_looks(folder, tmp_path, scene):
    for file in filter(Path.is_file, folder.rglob("*")):
        to = tmp_path / str(file.relative_to(folder)).replace("RadM1", "RadC").replace(
            "ABI-L1b-RadM", "ABI-L1b-RadC"
        )
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(file.read_bytes())
    real_files._scans(
        tmp_path / "noaa-goes16",
        scene,
        np.datetime64(TIME, "ms"),
        np.datetime64(TIME, "ms") + np.timedelta64(28, "s"),
        (45.0, -110.0),
        16,
        real_files.FIXED_GRID | {"longitude_of_projection_origin": -75.0},
        None,
    )
    assert storm(tmp_path).attrs["sector"] == "C"


def test_missing_lightning_is_counted(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for file in sorted(tmp_path.rglob("OR_GLM*"))[20:22]:
        file.unlink()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert storm(tmp_path).attrs["lightning_files"] == 43
    assert any("43 of 45" in str(one.message) for one in said)


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"time": "2021-12-11T05:00"}, FileNotFoundError, "the nearest is of 2021-12-11T03:00"),
        ({"time": "2021-12-10T09:30"}, FileNotFoundError, "the nearest is of 2021-12-11T03:00"),
        ({"time": "2021-12-20T05:00"}, FileNotFoundError, "within 10 minutes .* choose another"),
        ({"time": "2021-12-11T03:20"}, FileNotFoundError, "the nearest is of 2021-12-11T03:00"),
        ({"time": "2019-05-05T23:00"}, ValueError, "begins on 14 October 2020"),
        ({"time": "2999-01-01T00:00"}, ValueError, "in the future"),
        ({"time": "yesterday"}, ValueError, "A time is given as"),
        ({"time": 20211211}, ValueError, "A time is given as"),
        ({"time": "NaT"}, ValueError, "A time is given as"),
        ({"place": "Mayfield"}, TypeError, "A place is"),
        ({"place": (36.7,)}, TypeError, "A place is"),
        ({"place": ("36.7", "-88.6")}, TypeError, "two numbers in degrees"),
        ({"place": (None, -88.6)}, TypeError, "two numbers in degrees"),
        ({"place": (95.0, -88.6)}, ValueError, "no place at latitude 95"),
        ({"place": (36.7, 10.0)}, ValueError, "out of view of both"),
        ({"place": (80.0, -88.6)}, ValueError, "out of view of both"),
        ({"size": 1}, ValueError, "size must be"),
        ({"size": 400}, FileNotFoundError, "none of the mesoscale sectors covers the scene"),
        ({"source": "nowhere"}, FileNotFoundError, "no folder nowhere"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(change, error, words, folder):
    with pytest.raises(error, match=words):
        storm(**({"source": folder} | change))


@pytest.mark.parametrize(
    "kind, then, words",
    [
        ("GLM", ("2021345", "2021344"), "no lightning file .*; the nearest is of 2021-12-10T03:00"),
        (
            "MRMS",
            ("20211211", "20211214"),
            "no radar composite .*; the nearest is of 2021-12-14T03:00",
        ),
    ],
)
def test_the_nearest_lightning_and_radar_are_told(kind, then, words, folder, tmp_path):
    for file in filter(Path.is_file, folder.rglob("*")):
        to = str(file.relative_to(folder))
        if kind in to:
            to = to.replace(*then).replace("2021/345", "2021/344")
        (tmp_path / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / to)
    with pytest.raises(FileNotFoundError, match=words):
        storm(tmp_path)


def test_no_network_and_no_bucket(server, tmp_path, monkeypatch):
    with pytest.raises(ConnectionError, match="is there a network"):
        storm(CLOSED, tmp_path)
    with pytest.raises(ConnectionError, match="noaa-goes17.*closed or has moved"):  # not there
        storm(server, tmp_path, place=(36.7, -120.0))

    def closed(self, path, detail=False):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(s3fs.S3FileSystem, "ls", closed)
    with pytest.raises(ConnectionError, match="noaa-goes16.*closed or has moved"):
        storm(server, tmp_path)


@pytest.mark.parametrize(
    "fault, error, words",
    [("full", OSError, "is full: make room"), ("half", ConnectionError, "came only in part")],
)
def test_a_download_that_fails_leaves_nothing(fault, error, words, server, tmp_path, monkeypatch):
    def fails(self, key, path):
        Path(path).write_bytes(b"half")
        if fault == "full":
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(s3fs.S3FileSystem, "get_file", fails)
    with pytest.raises(error, match=words):
        storm(server, tmp_path)
    assert not list(tmp_path.rglob("*.part")) and not list(tmp_path.rglob("OR_*"))


def test_the_latest_satellites_take_over_in_time():
    for time, longitude, bucket in [
        ("2025-04-01", -88, "noaa-goes16"),
        ("2025-05-01", -88, "noaa-goes19"),
        ("2022-06-01", -120, "noaa-goes17"),
        ("2023-06-01", -120, "noaa-goes18"),
    ]:
        assert fetch._satellite(np.datetime64(time), 36.0, longitude) == bucket
