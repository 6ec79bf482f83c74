"""The store of `utils.archive`: how it is made, guarded and read, and how a worker fills it.

Disks lose and change files, and Zarr reads a lost chunk as NaN. So chunks of maps, and the list
``done``, carry a checksum each; those of all other files are listed in the store's ``zarr.json``.
"""

import contextlib
import errno
import functools
import hashlib
import io
import json
import re
import shutil
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import locket
import numpy as np
import tensorflow as tf
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from utils import course, lrp
from utils.plain import plain

CURE = "make the call again that made it; it makes what is missing, and keeps the rest"

_thread = ThreadPoolExecutor(1)  # Keras' graph and session belong to the thread that made them
_NO_LOCKS = errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK  # as some disks of clusters answer


def fingerprint(model):
    """Hash of a network's configuration, but for its layers' names, and of its weights."""
    return _fingerprint(model.to_json(), model.get_weights())


def _fingerprint(text, weights):
    names = list(dict.fromkeys(re.findall(r'"name": "([^"]*)"', text)))
    text = re.sub(r'"([^"]*)"', lambda m: f"{names.index(m[1])}" if m[1] in names else m[0], text)
    total = hashlib.sha256(text.encode())
    for array in weights:
        total.update(np.ascontiguousarray(array))
    return total.hexdigest()


@contextlib.contextmanager
def alone(store):
    """Keep other runs out of a store until the block, or this process, ends."""
    store.parent.mkdir(parents=True, exist_ok=True)
    lock = locket.lock_file(str(store.with_name(f".{store.name}.lock")), timeout=0)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock)
        except locket.LockError as error:
            raise ValueError(
                f"Another run is writing to {store.name}: wait until it ends, or choose another "
                "folder."
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield


def make(store, kind, model, data, samples, origin):
    """Make the store: coordinates, network, and empty arrays for the maps and for what is done.

    In a store that is there already, all is made again but the maps and the list of those done.
    """
    half = store.with_name(f"{store.name}.part")  # gets its name when it is whole
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The data type")  # of coordinates that are text
        data.coords.to_dataset().drop_encoding().to_zarr(half, mode="w", consolidated=False)
    group = zarr.open_group(half, mode="r+")
    checked = {"compressors": [ZstdCodec(), Crc32cCodec()]}
    options = {"dtype": "float32", "fill_value": np.nan, "dimension_names": data.dims}
    chunks = tuple(sizes[0] for sizes in data.chunks)
    maps = group.create_array(kind, shape=data.shape, chunks=chunks, **options, **checked)
    maps.attrs["long_name"] = f"{kind} of {plain(data.name)}" if data.name else kind
    count = data.data.numblocks[:samples]
    options = {"dtype": "int8", "dimension_names": [f"{dim}_chunk" for dim in data.dims[:samples]]}
    group.create_array("done", shape=count, chunks=count, **options, **checked)
    network = group.create_group("network")
    for i, array in enumerate(model.get_weights()):
        network.create_array(f"{i:04d}", data=np.asarray(array))
    network.attrs.update(config=model.to_json(), made_from=origin)
    _seal(half / "network")
    files = {name.as_posix(): _checksum(half / name) for name in _files(half)}
    del files["zarr.json"]  # which gets a seal
    group.attrs.update(made_from=origin, files=files)
    _seal(half)
    if not store.exists():
        write_done(half, np.zeros(count, "int8"))
        half.rename(store)
        return
    for name in _files(half):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (half / name).replace(store / name)
    shutil.rmtree(half)


def made_from(store):
    """What a store of maps was made from, and its files that are lost or damaged."""
    root = _sealed(store)
    origin = (root or _sealed(store / "network")).get("made_from")  # written twice
    if origin is None:
        raise ValueError(
            f"{store.name} is no store of maps, was left half made, or is damaged beyond repair: "
            "choose another folder."
        )
    files = root.get("files", {"zarr.json": None}).items()
    return origin, [name for name, was in files if _checksum(store / name) != was]


def _files(folder):
    return [file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.is_file()]


def _checksum(file):
    try:
        return zlib.crc32(file.read_bytes())
    except OSError:
        return "cannot be read"


def _seal(folder):
    """Write the checksum of a group's attributes among them."""
    zarr.open_group(folder, mode="r+").attrs["seal"] = _seal_of(_metadata(folder))


def _sealed(folder):
    """A group's attributes, and none of them if they are not those that were sealed."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        metadata = _metadata(folder)
        if metadata["attributes"].pop("seal") == _seal_of(metadata):
            return metadata["attributes"]
    return {}


def _metadata(folder):
    return json.loads((folder / "zarr.json").read_bytes())


def _seal_of(metadata):
    return zlib.crc32(json.dumps(metadata, sort_keys=True).encode())


def write_done(store, done):
    """Write the list of the chunks that are done."""
    with zarr.config.set({"array.write_empty_chunks": True}):  # even if none is
        zarr.open_group(store, mode="r+")["done"][...] = done


def read_done(store):
    """Read the list of the chunks that are done."""
    try:
        array = zarr.open_array(store / "done", mode="r")
        if not _file(array, (0,) * array.ndim, store / "done").is_file():
            raise FileNotFoundError
        return array[...]
    except (OSError, ValueError) as error:
        raise ValueError(f"The list done of {store.name} is lost or damaged: {CURE}.") from error


def read_chunk(store, kind, samples, block_id):
    """Read one chunk of the maps, NaN if it is not done; `samples` dimensions count samples."""
    store = Path(store)
    try:
        array = zarr.open_array(store / kind, mode="r")
        file = _file(array, block_id, store / kind)
        # A run may be at work: looked for again, when the list says that it is there.
        if not file.is_file() and read_done(store)[block_id[:samples]] and not file.is_file():
            raise FileNotFoundError
        return array.blocks[block_id]
    except (OSError, ValueError) as error:
        place = ", ".join(map(str, block_id[:samples]))
        raise ValueError(f"Chunk {place} of {store.name} is lost or damaged: {CURE}.") from error


def is_whole(*chunk):
    """Can a chunk be read, with the values that were written?"""
    try:
        read_chunk(*chunk)
    except ValueError:
        return False
    return True


def _file(array, place, folder):
    """Where a chunk of an array lies."""
    return folder / array.metadata.encode_chunk_key(place)


def prepare():
    """Let a worker set up TensorFlow, which takes a second, while its caller goes on."""
    _thread.submit(_prepare)


def compute(block, store, origin, kind, part, settings):
    """Make the maps of one chunk and write them."""
    return _thread.submit(_compute, block, store, origin, kind, part, settings).result()


@contextlib.contextmanager
def _quiet():
    """Without progress bars, versions and warnings: they would appear in the notebook."""
    nowhere = io.StringIO()
    with (
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _compute(block, store, origin, kind, part, settings):
    with _quiet():
        model = _network(store, origin["network"])
        samples = np.reshape(block, (-1, *block.shape[len(part) :]))
        maps = maps_of(kind, model, samples, settings)
    group = zarr.open_group(store, mode="r+")
    if group.attrs["made_from"] == origin:  # a store deleted and made again is left alone
        with zarr.config.set({"array.write_empty_chunks": True}):  # no map is taken for a lost one
            group[kind][tuple(part)] = maps.reshape(block.shape)


def maps_of(kind, model, samples, settings):
    """Heat maps of some samples, as the function of that kind makes them."""
    if kind == "relevance":
        return lrp.relevance(model, samples, layers=False, **settings).input
    from utils.explain import explain  # iNNvestigate takes seconds

    return explain(model, samples, **settings)


@_quiet()
def _prepare():
    with contextlib.suppress(RuntimeError):  # where TensorFlow already runs
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    course.start()


@functools.lru_cache(8)
def _network(store, wanted):
    """The network of a store, which must have the wanted fingerprint."""
    _prepare()
    network = zarr.open_group(store, mode="r")["network"]
    config, names = network.attrs["config"], sorted(network.array_keys())
    weights = [network[name][...] for name in names]
    if _fingerprint(config, weights) != wanted:
        raise ValueError(f"The network in {Path(store).name} is damaged.")
    try:
        model = tf.keras.models.model_from_json(config)
    except ValueError as error:
        raise NotImplementedError(
            f"The workers cannot build the network ({plain(error, 200)}): write it with Keras' own "
            "parts."
        ) from error
    model.set_weights(weights)
    return model
