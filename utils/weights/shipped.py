"""The weights of the course's networks, and the record of how they were made."""

import hashlib
import json
import zipfile

import numpy as np
import tensorflow as tf

from utils.worlds import data_folder

# Beside the weights a file holds these: a record, at most so many bytes long, and a probe.
RECORD, RECORD_SIZE, PROBE = "record.json", 20_000, ("probe_input", "probe_output")


def file_of(name):
    """Path of the weights of that name."""
    return data_folder() / "weights" / f"{name}.npz"


def checksum(weights):
    """Hash of a list of arrays.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()[:16]


def save_weights(model, name, *, probe=None, **record):
    """Write a network's weights and their record to ``data/weights/<name>.npz``.

    Plain arrays, in the order of ``model.get_weights()``, and no pickle.

    Parameters
    ----------
    model : keras.Model
    name : str
        Name of the file, without its ending.
    probe : (array, array), optional
        Some inputs as they were drawn and the network's outputs, by which a test sees later whether
        the world or the network has moved.
    **record
        What else should be known: seed, epochs, scores (anything that JSON can hold).

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If a weight is NaN or infinite.
    """
    weights = model.get_weights()
    if not all(np.isfinite(array).all() for array in weights):
        raise ValueError(f"Weights of {name} are NaN or infinite: train with a smaller step.")
    versions = {"tensorflow": tf.__version__, "numpy": np.__version__}
    text = json.dumps({"versions": versions, **record, "checksum": checksum(weights)})
    arrays = {f"{i:03d}": array for i, array in enumerate(weights)}
    if probe:
        arrays |= dict(zip(PROBE, probe, strict=True))
    path = file_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(zipfile.ZipInfo(RECORD), text)
    return path


def load_weights(model, name):
    """Give a network the weights in ``data/weights/<name>.npz``.

    Parameters
    ----------
    model : keras.Model
        A network of the same architecture. It is changed in place, and only if all is well.
    name : str
        Name of the file, without its ending.

    Returns
    -------
    dict
        The record: how the weights were made, and how well the network did.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, or belongs to another network.
    """
    path = file_of(name)
    if not path.exists():
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.npz"))) or "none"
        raise FileNotFoundError(f"There are no weights called {name!r}. There are: {there}.")
    wanted = model.get_weights()
    try:
        weights, record = _read(path, wanted)
    except Exception as error:  # a damaged archive, header or record can raise any
        raise ValueError(
            f"{path.name} is damaged: get it again with "
            f"`git checkout -- :/data/weights/{path.name}`, or make it with `make weights`."
        ) from error
    if weights is None:
        raise ValueError(
            f"{path.name} belongs to another network than {model.name!r}: "
            "their weights differ in number or in shape."
        )
    model.set_weights(weights)
    return record


def _read(path, wanted):
    """Weights like the wanted ones, or None if these are of other shapes, and their record.

    Nothing is unpacked that the network does not need, whatever the file says of itself.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ValueError("Two parts have one name.")
        with archive.open(RECORD) as file:
            record = json.loads(file.read(RECORD_SIZE))  # what is cut off is no JSON
        found = [name for name in names if name not in (RECORD, *(f"{p}.npy" for p in PROBE))]
        if sorted(found) != [f"{i:03d}.npy" for i in range(len(wanted))]:
            return None, record
        weights = []
        for i, like in enumerate(wanted):
            with archive.open(f"{i:03d}.npy") as file:
                if np.lib.format.read_magic(file) != (1, 0):
                    raise ValueError("The header is of another version.")
                shape, _, kind = np.lib.format.read_array_header_1_0(file)
                if shape != like.shape:
                    return None, record
                content = file.read(like.nbytes + 1)  # one more: only the end is checked
            if kind != like.dtype:
                raise ValueError("The numbers are of another kind.")
            weights.append(np.frombuffer(content, kind).reshape(shape))
    if record["checksum"] != checksum(weights) or not all(np.isfinite(w).all() for w in weights):
        raise ValueError("These are not the weights that were saved.")
    return weights, record
