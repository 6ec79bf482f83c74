"""Heat maps for a whole archive: from a Zarr store to a Zarr store, chunk by chunk, with Dask.

`explain` and `relevance` do what their namesakes in `utils.explain` and `utils.lrp` do, for arrays
that no memory holds. A worker reads one chunk, makes its maps and writes them; the process that
calls only hands out work and notes in the output store, under ``done``, which chunks are there.
Each chunk has a checksum, so that one that is lost or damaged later is not read as numbers.

The store also holds the network, as configuration and weights: each worker builds it from there
once, and a worker that is killed takes nothing with it.

The same call runs on a real cluster, where the course's `utils` and the folder must be in reach:

>>> client = Client("tcp://scheduler:8786")        # or, with dask-jobqueue,
>>> client = Client(SLURMCluster(cores=1, memory="4GB"))    # and then cluster.scale(100)
>>> maps = archive.explain(model, data, "maps.zarr", client=client)
"""

import contextlib
import itertools
import logging
import os
import signal
import warnings
from multiprocessing import resource_tracker
from pathlib import Path

import dask
import dask.array
import numpy as np
import xarray as xr
from dask.base import tokenize
from distributed import Client, LocalCluster, as_completed
from tqdm.auto import tqdm

from utils import course
from utils.archive import store as stored
from utils.keras_graph import validation
from utils.keras_graph.calls import title
from utils.plain import plain

WAITING = 2  # chunks sent out for each thread, so that none is idle and few are in memory
HOPELESS = 10  # failures without a success, after which a run stops
PATIENCE = 60  # seconds to wait for a worker
# Dask looks at its own threads 50 to 100 times a second, for 3 % of a core in each process.
_NO_STATISTICS = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
}


@contextlib.contextmanager
def local_client(workers=2):
    """Start a Dask cluster on this machine, of workers with one thread each, until the block ends.

    A worker is a process of its own that needs about 0.5 GB. A script must call this behind
    ``if __name__ == "__main__":``, because each worker imports it.

    Parameters
    ----------
    workers : int

    Yields
    ------
    distributed.Client
    """
    validation.check_count("workers", workers)
    with (
        dask.config.set({"temporary_directory": str(course.scratch()), **_NO_STATISTICS}),
        LocalCluster(
            n_workers=0,  # they come below, where an interrupt ends them, too
            threads_per_worker=1,
            memory_limit=1 / workers,
            dashboard_address="127.0.0.1:0",  # any free port, seen by this machine only
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        if hasattr(signal, "pthread_sigmask"):
            # Jupyter interrupts a kernel's children too. Workers take over what this blocks.
            resource_tracker.ensure_running()  # else started by the loop, which it would unblock
            client.loop.add_callback(signal.pthread_sigmask, signal.SIG_BLOCK, {signal.SIGINT})
        cluster.scale(workers)
        _wait_for(client, workers)
        client.run(stored.prepare)
        yield client


def _wait_for(client, workers=1):
    try:
        client.wait_for_workers(workers, timeout=PATIENCE * workers)
    except TimeoutError as error:
        raise TimeoutError(
            f"The client has {len(client.nthreads())} workers after {PATIENCE * workers} s, and "
            f"needs {workers}: close it and start another, as by archive.local_client()."
        ) from error


def explain(
    model,
    data,
    store,
    method="lrp.alpha_1_beta_0",
    output=None,
    *,
    client=None,
    watch=None,
    **options,
):
    """Heat maps of an archive by iNNvestigate, as `utils.explain.explain` makes them.

    Call it again with the same arguments to go on where a run has stopped. That also reads each
    chunk that is done, and makes those again that were lost or damaged since.

    Parameters
    ----------
    model : keras.Model
        One input, one output, and Keras' own layers only, of which the workers build it.
    data : xarray.DataArray
        Chunked by Dask, as `xarray.open_zarr` gives it. The last dimensions are the network's, in
        one chunk; those before count samples, in chunks of one size (the last may be smaller), at
        most some 10 000 of them. What the array still has to compute is computed with each chunk:
        give it means over the whole archive as numbers.
    store : str or Path
        Folder of the Zarr store with the maps, which all workers see. It is made if it is not
        there. One run at a time may write to it: a second one is refused.
    method, **options
        As in `utils.explain.explain`.
    output : int or tuple, optional
        What to explain in all samples. None takes each sample's strongest output.
    client : distributed.Client, optional
        Where to compute. None starts `local_client` for this call.
    watch : function, optional
        Called after each chunk with the number of chunks done and of all.

    Returns
    -------
    xarray.DataArray
        The maps, not loaded: float32, with the coordinates and chunks of `data`.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If an argument does not fit, which is tried on the first sample; if the store was made from
        another network, method or input (its first sample and its coordinates are compared); if
        another run is writing to it; or if chunks failed: the message names the first, and all
        others are stored.
    TimeoutError
        If the client has had no worker for a minute.
    """
    settings = {"method": method, "output": output, **options}
    return _run("explanation", model, data, store, settings, client, watch)


def relevance(
    model, data, store, rule="epsilon", output=None, *, client=None, watch=None, **options
):
    """Relevance of an archive's inputs, as `utils.lrp.relevance` computes it.

    Parameters, result and errors are those of `explain`, but for `rule` and the options `pooling`,
    `dtype` and `batch_size`, which are those of `utils.lrp.relevance`.
    """
    settings = {"rule": rule, "output": output, **options}
    return _run("relevance", model, data, store, settings, client, watch)


def read(store):
    """Open a store of maps.

    Parameters
    ----------
    store : str or Path

    Returns
    -------
    xarray.Dataset
        ``explanation`` or ``relevance``, not loaded, NaN where it is not computed yet; and
        ``done``, 1 for each chunk that is. Chunks that were lost or damaged after they were
        written raise a ValueError when they are loaded.

    Raises
    ------
    ValueError
        If there is no such store, or if it is damaged.
    """
    store = _folder(store)
    origin, damaged = stored.made_from(store)
    damaged = [name for name in damaged if not name.startswith("network/")]  # not read here
    if damaged:
        cure = stored.CURE
        raise ValueError(f"{damaged[0]} in {store.name} is lost or damaged: {cure}.")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The data type")  # of coordinates that are text
        maps = xr.open_zarr(store, consolidated=False, mask_and_scale=False)
    (kind,) = {*maps.data_vars} - {"done"}
    plan = maps[kind].data
    plan = dask.array.map_blocks(  # in place of Zarr's, which fills in what is lost
        stored.read_chunk,
        str(store),
        kind,
        maps.done.ndim,
        chunks=plan.chunks,
        meta=plan._meta,
        name=f"maps-{tokenize(str(store), origin)}",
    )
    done = stored.read_done(store)
    return maps.assign({kind: maps[kind].copy(data=plan), "done": maps.done.copy(data=done)})


def _folder(store):
    if not isinstance(store, str | os.PathLike):
        raise TypeError(f"store must be the path of a folder, not {type(store).__name__}.")
    if "://" in str(store):
        raise ValueError("store must be a folder that all workers see, and not an address.")
    return Path(store).absolute()


def _run(kind, model, data, store, settings, client, watch):
    if client is not None and not isinstance(client, Client):
        raise TypeError(f"client must be a Dask client, not {type(client).__name__}.")
    if client is not None and client.status != "running":
        raise ValueError("The client is closed: start another, as by archive.local_client().")
    store = _folder(store)
    samples = _check(model, data, store, kind, settings["output"])
    settings = {k: v.item() if isinstance(v, np.generic) else v for k, v in settings.items()}
    first = np.nan_to_num(_first(data, samples))
    # A rule by layers hangs on their names, which Keras chooses anew for each network.
    names = [layer.name for layer in model.layers] if isinstance(settings.get("rule"), dict) else []
    made_from = {
        "network": stored.fingerprint(model),
        "method": tokenize(kind, sorted(settings.items()), names),
        "input": tokenize(
            [data.name, data.dims, data.shape, str(data.dtype), data.chunks, first],
            [(name, c.dims, np.asarray(c)) for name, c in sorted(data.coords.items())],
        ),
    }
    if not store.exists():
        stored.maps_of(kind, model, first[None], settings)  # before anything is made
    with stored.alone(store), contextlib.ExitStack() as stack:
        if not store.exists():
            stored.make(store, kind, model, data, samples, made_from)
        found, damaged = stored.made_from(store)
        for what, was in found.items():
            if was != made_from[what]:
                raise ValueError(
                    f"{store.name} was made with another {what}: choose another folder, or delete "
                    "this one to begin again."
                )
        if damaged:
            stored.make(store, kind, model, data, samples, made_from)
        done = _done(client, store, kind, data, samples, damaged)
        if not done.all():
            client = client or stack.enter_context(local_client())
            _compute(client, data, done, store, made_from, kind, settings, watch)
    return read(store)[kind]


def _first(data, samples):
    try:
        # Optimised, it comes without the other chunks, which would travel to a worker, too.
        (first,) = dask.optimize(data[(0,) * samples])
        return first.values
    except Exception as error:
        raise ValueError(
            f"The first sample of data cannot be computed ({type(error).__name__}: "
            f"{plain(error, 200)}): mend how data is made or read."
        ) from error


def _done(client, store, kind, data, samples, damaged):
    """What is done and still whole: 1 for each of these chunks."""
    try:
        done = stored.read_done(store)
    except ValueError:
        done, damaged = np.ones(data.data.numblocks[:samples], "int8"), True
    places = np.argwhere(done)
    rest = (0,) * (data.ndim - samples)
    whole = dask.delayed(stored.is_whole, pure=False)
    whole = [whole(str(store), kind, samples, (*map(int, place), *rest)) for place in places]
    if client and whole:
        _wait_for(client)
    (whole,) = dask.compute(whole, scheduler=client or "threads")
    if damaged or not all(whole):
        done[tuple(places.T)] = whole
        stored.write_done(store, done)
        warnings.warn(
            f"{store.name} was damaged: {done.sum()} of {done.size} chunks are whole and kept.",
            stacklevel=4,
        )
    return done


def _check(model, data, store, kind, output):
    """Refuse what does not fit; return how many of the dimensions count samples."""
    validation.check_model(model)
    for layer in model.layers:
        if (
            type(layer).__module__.partition(".")[0] != "tf_keras"
            or "Lambda" in type(layer).__name__
        ):
            raise NotImplementedError(
                f"The workers cannot build the {title(layer)}: write it with Keras' own layers."
            )
    if isinstance(output, list | np.ndarray):
        raise TypeError("output must be one int or tuple for all samples of an archive, or None.")
    if isinstance(data, xr.Dataset):
        raise TypeError(
            "data must be one array: join a dataset's variables in the network's order, by "
            'data[["a", "b"]].to_dataarray("channel").transpose(..., "channel").chunk(channel=-1).'
        )
    if not isinstance(data, xr.DataArray) or data.chunks is None:
        raise TypeError(
            "data must be an xarray object in Dask chunks: open it with xarray.open_zarr, or cut "
            "it with data.chunk(...)."
        )
    wanted = tuple(model.inputs[0].shape[1:])
    samples = data.ndim - len(wanted)
    own = data.shape[max(samples, 0) :]
    if samples < 1 or any(n not in (None, m) for n, m in zip(wanted, own, strict=True)):
        raise ValueError(
            f"data has the shape {data.shape}: its last dimensions must be {wanted}, which the "
            "network takes, and one or more before them must count samples."
        )
    if not data.size:
        raise ValueError(f"data has the shape {data.shape} and holds no samples.")
    for dim, sizes in zip(data.dims, data.chunks, strict=True):
        shown = plain(dim)
        if np.isnan(sizes).any():
            raise ValueError(
                f"The sizes of the chunks along {shown} are not known: make data of an array after "
                "its compute_chunk_sizes()."
            )
        if dim in data.dims[samples:] and len(sizes) > 1:
            raise ValueError(f"A map is cut along {shown}: join it by data.chunk({shown}=-1).")
        if len({*sizes[:-1]}) > 1 or sizes[-1] > sizes[0]:
            raise ValueError(
                f"The chunks along {shown} differ in size: make them even by "
                f"data.chunk({shown}={max(sizes)})."
            )
    taken = {kind, "done", "network", *(f"{dim}_chunk" for dim in data.dims)} & {*data.coords}
    if taken:
        raise ValueError(f"The store needs the name {taken.pop()} itself: rename the coordinate.")
    several = [name for name, index in data.indexes.items() if index.nlevels > 1]
    if several:
        raise ValueError(f"{plain(several[0])} is a MultiIndex: split it by data.reset_index.")
    return samples


def _compute(client, data, done, store, origin, kind, settings, watch):
    """Have the missing chunks computed, a few at a time, and note those that are."""
    missing = [tuple(map(int, place)) for place in np.argwhere(done == 0)]
    ends = [np.cumsum([0, *sizes]) for sizes in data.chunks[: done.ndim]]
    (plan,) = dask.optimize(data.data)
    work = dask.delayed(stored.compute, pure=False)
    waiting, places, failures, succeeded = iter(missing), {}, [], 0
    _wait_for(client)
    futures = as_completed(loop=client.loop)

    def send():
        room = WAITING * max(1, sum(client.nthreads().values())) - len(places)
        for place in itertools.islice(waiting, max(0, room)):
            part = [slice(int(e[i]), int(e[i + 1])) for i, e in zip(place, ends, strict=True)]
            (block,) = dask.optimize(plan.blocks[place])  # or the whole plan travels each time
            future = client.compute(work(block, str(store), origin, kind, part, settings))
            places[future] = place, dict(zip(data.dims, part, strict=False))
            futures.add(future)

    try:
        send()
        with tqdm(total=done.size, initial=done.size - len(missing), delay=2, leave=False) as bar:
            for future in futures:
                place, part = places.pop(future)
                error = future.exception()
                if isinstance(error, NotImplementedError | ImportError):
                    raise error
                if error:
                    said = plain(error, 300).rstrip(".") or type(error).__name__
                    failures.append(f"{_name(data, place, part)}: {said}.")
                    if len(failures) >= HOPELESS and not succeeded:
                        break
                else:
                    done[place] = 1
                    stored.write_done(store, done)
                    succeeded += 1
                    bar.update()
                del future, error
                send()
                if watch:
                    watch(done.size - len(missing) + succeeded, done.size)
    finally:
        client.cancel(list(places))
    if failures:
        raise ValueError(
            f"{len(failures)} of {done.size} chunks failed, and all others that were tried are "
            f"stored; the first is {failures[0]} Mend it and call again: only what is missing is "
            "computed."
        )


def _name(data, place, part):
    """A chunk's number, and its first and last coordinates."""
    where = []
    for dim, cut in part.items():
        values = data[dim].values[cut] if dim in data.coords else range(cut.start, cut.stop)
        ends = [plain(values[0])] + [plain(values[-1])] * (len(values) > 1)
        where.append(f"{plain(dim)} {' to '.join(ends)}")
    return f"chunk {', '.join(map(str, place))} ({'; '.join(where)})"
