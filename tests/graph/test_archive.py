"""Heat maps of an archive: the serial numbers, nothing lost, only the rest computed again."""

import os
import tracemalloc

import dask.array
import numpy as np
import psutil
import pytest
import xarray as xr
from tensorflow import keras
from tensorflow.keras import layers

from utils import archive, archive_store, lrp, networks
from utils.explain import explain


@pytest.fixture(scope="module")
def client():
    with archive.local_client() as client:
        yield client
        workers = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
    assert len(workers) == 2 and not any(worker.is_running() for worker in workers)
    with pytest.raises(ValueError, match="client is closed"):
        archive.explain(None, None, "maps", client=client)


@pytest.fixture
def model():
    return networks.year_of_map(seed=1)


VALUES = np.random.default_rng(0).normal(size=(4, 12, 30, 60)).astype("float32")


@pytest.fixture
def data(tmp_path):
    """Twelve chunks in a Zarr store; the last of each row is smaller."""
    x = xr.DataArray(VALUES, dims=("model", "year", "lat", "lon"), name="tas")
    x = x.assign_coords(year=np.arange(1920, 1932))
    x.chunk(model=1, year=5).to_zarr(tmp_path / "archive.zarr", consolidated=False)
    return xr.open_zarr(tmp_path / "archive.zarr", consolidated=False).tas


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
        networks.year_of_map(seed=1),
        data,
        tmp_path / "maps",
        client=client,
        watch=lambda done, total: seen.append(done),
        **options,
    )
    assert seen == list(range(6, 13))
    close(maps, serial(model, lrp.relevance, **options))

    for what, other in {
        "network": (networks.year_of_map(seed=2), data, options),
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
    many = dask.array.ones((6000, 64, 64, 4), chunks=(100, 64, 64, 4), dtype="float32")
    data = xr.DataArray(many, dims=("sample", "y", "x", "channel"))
    of_workers, sent = [], []

    def watch(done, total):
        sent.append(len(client.futures))
        if done in (20, total):
            memory = client.run(lambda: psutil.Process().memory_info().rss)
            of_workers.append(sum(memory.values()))

    tracemalloc.start()
    archive.relevance(net, data, tmp_path / "maps", output=0, client=client, watch=watch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * chunk
    assert 1 < max(sent) <= 4  # two for each worker
    assert of_workers[1] - of_workers[0] < 20 * chunk  # of the 40 made in between


def test_a_wrong_option_leaves_no_store(client, model, data, tmp_path):
    with pytest.raises(ValueError, match="winner"):
        archive.relevance(model, data, tmp_path / "maps", pooling="winer", client=client)
    with pytest.raises(TypeError, match="epsilom"):
        archive.explain(model, data, tmp_path / "maps", "lrp.epsilon", epsilom=1, client=client)
    assert list(tmp_path.iterdir()) == [tmp_path / "archive.zarr"]


def test_rules_by_name_do_not_fit_layers_of_other_names(client, data, tmp_path):
    first, again = networks.year_of_map(seed=1), networks.year_of_map(seed=1)
    options = {"output": 0, "client": client}
    rule = {first.layers[-1].name: "flat", "Dense": "epsilon"}
    archive.relevance(first, data, tmp_path / "maps", rule, **options)
    with pytest.raises(ValueError, match="another method"):
        archive.relevance(again, data, tmp_path / "maps", rule, **options)


def test_an_old_task_leaves_a_store_alone_that_was_made_anew(model, data, tmp_path):
    origin = {"network": archive_store.fingerprint(model), "method": "new", "input": ""}
    archive_store.make(tmp_path / "maps", "relevance", model, data, 2, origin)
    part, block = (slice(0, 1), slice(0, 5)), data[:1, :5].values
    for method, written in (("old", False), ("new", True)):
        task = origin | {"method": method}
        archive_store.compute(block, tmp_path / "maps", task, "relevance", part, {"rule": "z"})
        assert archive.read(tmp_path / "maps").relevance[0, 0].notnull().any() == written


@pytest.mark.parametrize(
    "spoil, error, said",
    [
        (lambda x: x.compute(), TypeError, "in Dask chunks"),
        (lambda x: x.chunk(lat=7), ValueError, r"cut along lat: join it by data.chunk\(lat=-1\)"),
        (lambda x: x.chunk(year=(3, 5, 4)), ValueError, r"by data.chunk\(year=5\)"),
        (lambda x: x[..., :7], ValueError, "last dimensions must be"),
        (lambda x: x[0, 0], ValueError, "before them must count samples"),
        (lambda x: x[:, :0], ValueError, "holds no samples"),
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
    with pytest.raises(ValueError, match="not an address"):
        archive.explain(model, data, "s3://bucket/maps.zarr")
    with pytest.raises(ValueError, match="does not exist"):
        archive.explain(model, data, tmp_path / "maps", output=99)
    with pytest.raises(TypeError, match="one int or tuple"):
        archive.explain(model, data, tmp_path / "maps", output=[1, 2])
    model.add(layers.Lambda(lambda t: t, name="mine"))
    with pytest.raises(NotImplementedError, match="workers cannot build the layer 'mine'"):
        archive.explain(model, data, tmp_path / "maps")
    assert not (tmp_path / "maps").exists()
