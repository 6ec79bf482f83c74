"""Heat maps of an archive: the serial numbers, nothing lost, only the rest computed again."""

import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings

import dask.array
import numpy as np
import psutil
import pytest
import xarray as xr
from distributed import Client, LocalCluster
from tensorflow import keras
from tensorflow.keras import layers

from utils import archive, lrp, networks
from utils.archive import store as stored
from utils.explain import explain


@pytest.fixture(scope="module")
def client():
    with archive.local_client() as client:
        yield client
        workers = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
    assert len(workers) == 2 and not any(worker.is_running() for worker in workers)
    with pytest.raises(ValueError, match="client is closed"):
        archive.explain(None, None, "maps", client=client)


def network(seed=1):
    """A small one, for each worker builds it for each store; the same again for the same seed."""
    start = [keras.initializers.GlorotUniform(2 * seed + i) for i in range(2)]
    hidden = layers.Dense(4, "relu", kernel_initializer=start[0])
    last = layers.Dense(5, kernel_initializer=start[1])
    return keras.Sequential([keras.Input((30, 60)), layers.Flatten(), hidden, last])


@pytest.fixture(scope="module")
def model():
    return network()


VALUES = np.random.default_rng(0).normal(size=(4, 12, 30, 60)).astype("float32")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Twelve chunks in a Zarr store; the last of each row is smaller."""
    folder = tmp_path_factory.mktemp("archive") / "archive.zarr"
    x = xr.DataArray(VALUES, dims=("model", "year", "lat", "lon"), name="tas")
    x = x.assign_coords(year=np.arange(1920, 1932))
    x.chunk(model=1, year=5).to_zarr(folder, consolidated=False)
    return folder


@pytest.fixture
def data(written, tmp_path):
    """The archive in a folder of the test's own."""
    shutil.copytree(written, tmp_path / "archive.zarr")
    return xr.open_zarr(tmp_path / "archive.zarr", consolidated=False).tas


@pytest.fixture(scope="module")
def finished(client, written, tmp_path_factory):
    """The folder of a run that is done."""
    folder = tmp_path_factory.mktemp("finished") / "maps"
    data = xr.open_zarr(written, consolidated=False).tas
    archive.relevance(network(), data, folder, client=client)
    return folder


@pytest.fixture
def store(finished, tmp_path):
    """The run that is done, in a folder of the test's own."""
    return shutil.copytree(finished, tmp_path / "maps")


def serial(model, function=explain, **options):
    maps = function(model, VALUES.reshape(-1, 30, 60), **options)
    return getattr(maps, "input", maps).reshape(VALUES.shape)


def close(maps, wanted):
    np.testing.assert_allclose(maps, wanted, rtol=0, atol=1e-6 * abs(wanted).max())


def test_a_killed_worker_loses_nothing(client, model, data, tmp_path):
    killed, seen = [], []

    def watch(done, total):
        seen.append((done, total))
        if done == 2:
            killed.append(psutil.Process(next(iter(client.run(os.getpid).values()))))
            killed[0].kill()

    maps = archive.explain(model, data, tmp_path / "maps", client=client, watch=watch)
    assert not killed[0].is_running() or killed[0].status() == psutil.STATUS_ZOMBIE
    assert seen == [(n, 12) for n in range(1, 13)]
    assert maps.dims == data.dims and maps.chunks == data.chunks
    assert list(maps.year.values) == list(data.year.values)
    close(maps, serial(model))


def test_an_interrupted_run_goes_on_where_it_stopped(client, model, data, tmp_path):
    options = {"rule": "alpha_1_beta_0", "output": 3}

    def stop(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.relevance(model, data, tmp_path / "maps", client=client, watch=stop, **options)
    assert archive.read(tmp_path / "maps").done.sum() == 5
    seen = []
    # Built again, its layers have other names: still the same network.
    maps = archive.relevance(
        network(),
        data,
        tmp_path / "maps",
        client=client,
        watch=lambda done, total: seen.append(done),
        **options,
    )
    assert seen == list(range(6, 13))
    close(maps, serial(model, lrp.relevance, **options))

    for what, other in {
        "network": (network(seed=2), data, options),
        "input": (model, data + 1, options),
        "method": (model, data, options | {"output": 4}),
    }.items():
        with pytest.raises(ValueError, match=f"made with another {what}: choose another folder"):
            archive.relevance(*other[:2], tmp_path / "maps", client=client, **other[2])


def test_a_bad_chunk_is_named_and_the_rest_is_stored(client, model, data, tmp_path):
    bad = data.where((data.year != 1926) | (xr.DataArray(range(4), dims="model") != 2))
    said = r"1 of 12 chunks failed.* chunk 2, 1 \(model 2; year 1925 to 1929\): x holds 1800"
    with pytest.raises(ValueError, match=said):
        archive.relevance(model, bad, tmp_path / "maps", client=client)
    assert archive.read(tmp_path / "maps").done.sum() == 11
    seen = []
    maps = archive.relevance(
        model, data, tmp_path / "maps", client=client, watch=lambda *n: seen.append(n)
    )
    assert seen == [(12, 12)]
    close(maps, serial(model, lrp.relevance))


def test_memory_does_not_grow_with_the_archive(client, tmp_path):
    net = keras.Sequential([keras.Input((64, 64, 4)), layers.Conv2D(1, 5, strides=4)])
    net.add(layers.Flatten())
    net.add(layers.Dense(1))
    chunk = 100 * 64 * 64 * 4 * 4  # bytes
    many = dask.array.ones((3000, 64, 64, 4), chunks=(100, 64, 64, 4), dtype="float32")
    data = xr.DataArray(many, dims=("sample", "y", "x", "channel"))
    of_workers, sent = [], []

    def watch(done, total):
        sent.append(len(client.futures))
        if done in (10, total):
            memory = client.run(lambda: psutil.Process().memory_info().rss)
            of_workers.append(sum(memory.values()))

    tracemalloc.start()
    archive.relevance(net, data, tmp_path / "maps", output=0, client=client, watch=watch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * chunk
    assert 1 < max(sent) <= 4  # two for each worker
    assert of_workers[1] - of_workers[0] < 10 * chunk  # of the 20 made in between


def test_the_first_sample_travels_without_the_others(client):
    many = xr.DataArray(np.zeros((2000, 30, 60), "float32")).chunk(dim_0=500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as Dask warns of 10 MB and more
        assert not archive.archive._first(many, 1).any()


def test_a_wrong_option_leaves_no_store(client, model, data, tmp_path):
    with pytest.raises(ValueError, match="winner"):
        archive.relevance(model, data, tmp_path / "maps", pooling="winer", client=client)
    with pytest.raises(TypeError, match="epsilom"):
        archive.explain(model, data, tmp_path / "maps", "lrp.epsilon", epsilom=1, client=client)
    assert list(tmp_path.iterdir()) == [tmp_path / "archive.zarr"]


def test_rules_by_name_do_not_fit_layers_of_other_names(client, data, tmp_path):
    first, again = network(), network()
    options = {"output": 0, "client": client}
    rule = {first.layers[-1].name: "flat", "Dense": "epsilon"}
    archive.relevance(first, data, tmp_path / "maps", rule, **options)
    with pytest.raises(ValueError, match="another method"):
        archive.relevance(again, data, tmp_path / "maps", rule, **options)


def test_an_old_task_leaves_a_store_alone_that_was_made_anew(model, data, tmp_path):
    origin = {"network": stored.fingerprint(model), "method": "new", "input": ""}
    stored.make(tmp_path / "maps", "relevance", model, data, 2, origin)
    part, block = (slice(0, 1), slice(0, 5)), data[:1, :5].values
    for method, written in (("old", False), ("new", True)):
        task = origin | {"method": method}
        stored.compute(block, tmp_path / "maps", task, "relevance", part, {"rule": "z"})
        assert archive.read(tmp_path / "maps").relevance[0, 0].notnull().any() == written


def damage(file, how):
    """Lose, flip, cut or empty a file as a disk might, or fill it with something else."""
    was = file.read_bytes()
    if how == "lost":
        file.unlink()
    else:
        middle = len(was) // 2
        flipped = was[:middle] + bytes([was[middle] ^ 1]) + was[middle + 1 :]
        file.write_bytes(
            {"flipped": flipped, "cut": was[:middle], "emptied": b"", "other": b"[1]"}[how]
        )


@pytest.mark.parametrize("how", ["lost", "flipped", "cut", "emptied"])
def test_a_damaged_chunk_is_noticed_and_made_again(how, client, model, data, store):
    def run(watch=None):
        return archive.relevance(model, data, store, client=client, watch=watch)

    maps = archive.read(store).relevance
    wanted = maps.values
    damage(store / "relevance/c/1/2/0/0", how)
    for scheduler in ("threads", client):
        with pytest.raises(ValueError, match="Chunk 1, 2 of maps is lost or damaged: make the"):
            maps.mean("lat").compute(scheduler=scheduler)
    assert (maps[2:].values == wanted[2:]).all()  # nothing is read but what is asked for
    seen = []
    with pytest.warns(UserWarning, match="maps was damaged: 11 of 12 chunks are whole and kept"):
        again = run(lambda *n: seen.append(n))
    assert seen == [(12, 12)]
    assert (again.values == wanted).all()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "maps was damaged")
        run()


@pytest.mark.parametrize(
    "name, hows",
    [
        ("zarr.json", ["lost", "cut", "other"]),
        ("relevance/zarr.json", ["flipped"]),
        ("done/zarr.json", ["lost", "other"]),
        ("done/c/0/0", ["lost", "flipped", "emptied"]),
        ("year/c/0", ["flipped"]),
        ("network/zarr.json", ["lost", "flipped"]),
        ("network/0000/c/0/0", ["flipped"]),
    ],
)
def test_what_else_is_damaged_is_mended_and_all_maps_stay(name, hows, client, model, data, store):
    wanted = archive.read(store).relevance.values

    def never(done, total):
        raise AssertionError("A chunk was made again.")

    for how in hows:
        damage(store / name, how)
        if "network" not in name:
            with pytest.raises(
                ValueError, match=f"{name.split('/')[0]}.* is lost or damaged: make"
            ):
                archive.read(store)
        with pytest.warns(UserWarning, match="damaged: 12 of 12 chunks are whole and kept"):
            maps = archive.relevance(model, data, store, client=client, watch=never)
        assert (maps.values == wanted).all() and (maps.year == data.year).all()
        assert archive.read(store).done.all()


def test_a_store_beyond_repair_is_left_alone(client, model, data, store):
    for name in ("zarr.json", "network/zarr.json"):
        damage(store / name, "cut")
    for attempt in (
        lambda: archive.read(store),
        lambda: archive.relevance(model, data, store, client=client),
    ):
        with pytest.raises(ValueError, match="maps is no store of maps.* choose another folder"):
            attempt()
    assert len([file for file in (store / "relevance/c").rglob("*") if file.is_file()]) == 12


def test_each_flipped_byte_of_the_metadata_is_noticed(model, data, tmp_path):
    origin = {"network": stored.fingerprint(model), "method": "", "input": ""}
    stored.make(tmp_path / "maps", "relevance", model, data, 2, origin)
    assert stored.made_from(tmp_path / "maps") == (origin, [])
    file = tmp_path / "maps/zarr.json"
    was = file.read_bytes()
    for i in range(len(was)):
        file.write_bytes(was[:i] + bytes([was[i] ^ 1]) + was[i + 1 :])
        assert stored.made_from(tmp_path / "maps") == (origin, ["zarr.json"])


def test_a_network_in_the_store_must_be_the_one_that_was_given(model, data, tmp_path):
    origin = {"network": stored.fingerprint(model), "method": "", "input": ""}
    other = network(seed=2)
    stored.make(tmp_path / "maps", "relevance", other, data, 2, origin)
    task = data[:1, :5].values, tmp_path / "maps", origin, "relevance", (slice(0, 1), slice(0, 5))
    with pytest.raises(ValueError, match="The network in maps is damaged"):
        stored.compute(*task, {"rule": "z"})


RUN = """
import faulthandler, sys, time
import xarray as xr
from utils import archive, course, networks

def wait(done, total):
    print("at work", flush=True)
    time.sleep(300)

if __name__ == "__main__":
    faulthandler.dump_traceback_later(300, exit=True)
    course.start()
    data = xr.open_zarr(sys.argv[1], consolidated=False).tas
    options = networks.year_of_map(seed=1), data, sys.argv[2]
    with archive.local_client(workers=1) as client:
        try:
            archive.relevance(*options, client=client, watch=wait)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        archive.relevance(*options, client=client)
        print("workers", len(client.nthreads()), flush=True)
        archive.relevance(options[0], data + 1, sys.argv[2] + "_2", client=client, watch=wait)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_one_run_at_a_time_which_outlives_an_interrupt_and_leaves_nothing(client, data, tmp_path):
    model = networks.year_of_map(seed=1)
    (tmp_path / "temporary").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", RUN, tmp_path / "archive.zarr", tmp_path / "maps"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        start_new_session=True,
    ) as process:
        lines = iter(process.stdout)
        assert "at work\n" in lines
        with pytest.raises(ValueError, match="Another run is writing to maps: wait until it ends"):
            archive.relevance(model, data, tmp_path / "maps", client=client)
        os.killpg(process.pid, signal.SIGINT)  # workers too, as Jupyter does
        assert "interrupted\n" in lines
        assert "workers 1\n" in lines
        assert "at work\n" in lines
        assert any((tmp_path / "temporary").iterdir())
        process.kill()
    end = time.monotonic() + 60
    while any((tmp_path / "temporary").iterdir()) and time.monotonic() < end:
        time.sleep(0.1)
    assert list((tmp_path / "temporary").iterdir()) == []
    seen = []
    archive.relevance(
        model, data + 1, tmp_path / "maps_2", client=client, watch=lambda *n: seen.append(n)
    )
    assert seen[0][0] > 1 and seen[-1] == (12, 12)  # the lock died with its process


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError])
def test_workers_that_do_not_come_leave_no_process(error, monkeypatch):
    def wait_for_workers(*args, **options):
        while not psutil.Process().children():
            time.sleep(0.01)
        raise error

    before = psutil.Process().children()
    monkeypatch.setattr(Client, "wait_for_workers", wait_for_workers)
    with pytest.raises(error) as raised, archive.local_client():
        raise AssertionError("It has started.")
    assert "start another" in str(raised.value) or error is KeyboardInterrupt
    left = [p for p in psutil.Process().children() if p not in before]
    assert not any("tracker" not in " ".join(p.cmdline()) for p in left)


def test_a_client_without_workers_is_named(model, data, tmp_path, monkeypatch):
    monkeypatch.setattr(archive.archive, "PATIENCE", 0.1)
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as idle,
        pytest.raises(TimeoutError, match="has 0 workers after 0.1 s.* start another"),
    ):
        archive.relevance(model, data, tmp_path / "maps", client=idle)


def test_nothing_listens_to_other_machines(client):
    workers = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
    for process in [psutil.Process(), *workers]:
        ports = [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert ports and {port.laddr.ip for port in ports} <= {"127.0.0.1", "::1"}


def test_what_data_raises_is_said_with_its_place(client, model, data, tmp_path):
    def broken(at):
        def block(values, block_info):
            if block_info[0]["chunk-location"][:2] == at:
                raise TypeError("no such thing")
            return values

        return data.copy(data=data.data.map_blocks(block, dtype="float32"))

    with pytest.raises(ValueError, match=r"first sample .* \(TypeError: no such thing\)"):
        archive.relevance(model, broken((0, 0)), tmp_path / "maps", client=client)
    with pytest.raises(ValueError, match=r"1 of 12 chunks failed.* chunk 3, 1 .*no such thing"):
        archive.relevance(model, broken((3, 1)), tmp_path / "maps", client=client)


@pytest.mark.parametrize(
    "spoil, error, said",
    [
        (lambda x: x.compute(), TypeError, "in Dask chunks"),
        (lambda x: x.chunk(lat=7), ValueError, r"cut along lat: join it by data.chunk\(lat=-1\)"),
        (lambda x: x.chunk(year=(3, 5, 4)), ValueError, r"by data.chunk\(year=5\)"),
        (lambda x: x[..., :7], ValueError, "last dimensions must be"),
        (lambda x: x[0, 0], ValueError, "before them must count samples"),
        (lambda x: x[:, :0], ValueError, "holds no samples"),
        (lambda x: xr.DataArray(x.data[x.data[:, 0, 0, 0] != 0]), ValueError, "are not known"),
        (lambda x: x.to_dataset(), TypeError, "data must be one array"),
        (lambda x: x.assign_coords(network=1), ValueError, "needs the name network itself"),
        (lambda x: x.stack(s=("model", "year")).transpose("s", ...), ValueError, "MultiIndex"),
    ],
)
def test_data_that_does_not_fit(spoil, error, said, model, data, tmp_path):
    with pytest.raises(error, match=said):
        archive.explain(model, spoil(data), tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


def test_what_is_refused(model, data, tmp_path):
    with pytest.raises(ValueError, match="archive.zarr is no store of maps"):
        archive.explain(model, data, tmp_path / "archive.zarr")
    with pytest.raises(ValueError, match="no method 'lrp.epsilom': did you mean lrp.epsilon"):
        archive.explain(model, data, tmp_path / "maps", "lrp.epsilom")
    with pytest.raises(ValueError, match="no rule 'epsilom': did you mean epsilon"):
        archive.relevance(model, data, tmp_path / "maps", "epsilom")
    with pytest.raises(TypeError, match="client must be a Dask client"):
        archive.explain(model, data, tmp_path / "maps", client=3)
    for folder in (None, 3):
        with pytest.raises(TypeError, match="store must be the path of a folder, not"):
            archive.explain(model, data, folder)
        with pytest.raises(TypeError, match="store must be the path of a folder, not"):
            archive.read(folder)
    with pytest.raises(ValueError, match="not an address"):
        archive.explain(model, data, "s3://bucket/maps.zarr")
    with pytest.raises(ValueError, match="does not exist"):
        archive.explain(model, data, tmp_path / "maps", output=99)
    with pytest.raises(TypeError, match="one int or tuple"):
        archive.explain(model, data, tmp_path / "maps", output=[1, 2])
    mine = network()
    mine.add(layers.Lambda(lambda t: t, name="mine"))
    with pytest.raises(NotImplementedError, match="workers cannot build the layer 'mine'"):
        archive.explain(mine, data, tmp_path / "maps")
    assert not (tmp_path / "maps").exists()
