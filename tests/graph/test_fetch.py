"""A storm comes from the buckets whole, or one sentence says why not. The buckets are on loopback.

The scene is the world's, written as real files, so what must come out is known.
"""

import errno
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import boto3
import numpy as np
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from utils import lrp, networks
from utils.readers import fetch, real_files
from utils.weights import load_weights
from utils.worlds import goes_mrms

ROOT = Path(__file__).resolve().parents[2]
TIME, PLACE, SIZE = "2021-12-11T03:00", (36.7, -88.6), 96
CLOSED = "http://127.0.0.1:9"  # nobody listens there


@pytest.fixture(scope="module")
def scene():
    return goes_mrms.simulate(1, 11_000_001, size=SIZE)


@pytest.fixture(scope="module")
def folder(scene, tmp_path_factory):
    folder = tmp_path_factory.mktemp("buckets")
    real_files.write(folder, scene, TIME, PLACE)
    return folder


@pytest.fixture(scope="module")
def server(folder):
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


def test_what_was_fetched_works_without_a_network(server, tmp_path):
    first = storm(server, tmp_path)
    assert storm(CLOSED, tmp_path).identical(first)


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
        ({"time": "2021-12-11T05:00"}, FileNotFoundError, "near 2021-12-11T05:00"),
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
        ({"source": "nowhere"}, FileNotFoundError, "no folder nowhere"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(change, error, words, folder):
    with pytest.raises(error, match=words):
        storm(**({"source": folder} | change))


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
