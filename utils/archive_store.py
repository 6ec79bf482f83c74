"""The store of `utils.archive`: how it is made, and how a worker fills it."""

import contextlib
import functools
import hashlib
import io
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
import zarr

from utils import course, lrp
from utils.plain import plain

_thread = ThreadPoolExecutor(1)  # Keras' graph and session belong to the thread that made them


def fingerprint(model):
    """Hash of a network's configuration, but for its layers' names, and of its weights."""
    text = model.to_json()
    names = list(dict.fromkeys(re.findall(r'"name": "([^"]*)"', text)))
    text = re.sub(r'"([^"]*)"', lambda m: f"{names.index(m[1])}" if m[1] in names else m[0], text)
    total = hashlib.sha256(text.encode())
    for array in model.get_weights():
        total.update(np.ascontiguousarray(array))
    return total.hexdigest()


def made_from(store):
    """What a store of maps was made from."""
    try:
        return dict(zarr.open_group(store, mode="r").attrs["made_from"])
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise ValueError(
            f"{store.name} is no store of maps, or was left half made: choose another folder."
        ) from error


def make(store, kind, model, data, samples, origin):
    """Make the store: coordinates, network, and empty arrays for the maps and for what is done."""
    half = store.with_name(f"{store.name}.part")  # gets its name when it is whole
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The data type")  # of coordinates that are text
        data.coords.to_dataset().drop_encoding().to_zarr(half, mode="w", consolidated=False)
    group = zarr.open_group(half, mode="r+")
    options = {"dtype": "float32", "fill_value": np.nan, "dimension_names": data.dims}
    chunks = tuple(sizes[0] for sizes in data.chunks)
    maps = group.create_array(kind, shape=data.shape, chunks=chunks, **options)
    maps.attrs["long_name"] = f"{kind} of {plain(data.name)}" if data.name else kind
    count = data.data.numblocks[:samples]
    names = [f"{dim}_chunk" for dim in data.dims[:samples]]
    group.create_array(
        "done", shape=count, chunks=(1,) * samples, dtype="int8", dimension_names=names
    )
    network = group.create_group("network")
    for i, array in enumerate(model.get_weights()):
        network.create_array(f"{i:04d}", data=np.asarray(array))
    network.attrs["config"] = model.to_json()
    group.attrs["made_from"] = origin
    half.rename(store)


def compute(block, store, origin, kind, part, settings):
    """Make the maps of one chunk and write them."""
    return _thread.submit(_compute, block, store, origin, kind, part, settings).result()


def _compute(block, store, origin, kind, part, settings):
    quiet = io.StringIO()  # progress bars and versions: they would appear in the notebook
    with (
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        model = _network(store, origin["network"])
        samples = np.reshape(block, (-1, *block.shape[len(part) :]))
        maps = maps_of(kind, model, samples, settings)
    group = zarr.open_group(store, mode="r+")
    if group.attrs["made_from"] == origin:  # a store deleted and made anew is left alone
        group[kind][tuple(part)] = maps.reshape(block.shape)


def maps_of(kind, model, samples, settings):
    """Heat maps of some samples, as the function of that kind makes them."""
    if kind == "relevance":
        return lrp.relevance(model, samples, layers=False, **settings).input
    from utils.explain import explain  # iNNvestigate takes seconds

    return explain(model, samples, **settings)


@functools.lru_cache(8)
def _network(store, _fingerprint):
    """The network of a store; the fingerprint keeps a deleted and remade store apart."""
    with contextlib.suppress(RuntimeError):  # where TensorFlow already runs
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    course.start()
    network = zarr.open_group(store, mode="r")["network"]
    try:
        model = tf.keras.models.model_from_json(network.attrs["config"])
    except ValueError as error:
        raise NotImplementedError(
            f"The workers cannot build the network ({plain(error, 200)}): write it with Keras' own "
            "parts."
        ) from error
    model.set_weights([network[name][...] for name in sorted(network.array_keys())])
    return model
