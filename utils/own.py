"""Load a network of your own, without running code that its file may bring along."""

import json
import zipfile
from pathlib import Path
from unittest import mock

import h5py
import tensorflow as tf
from keras.src.engine import base_layer

from utils import inputs

_CODE = "Lambda", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"
_INSIDE = "layers", "layer", "cell", "cells", "forward_layer", "backward_layer"  # hold layers


def load(path, trust=False):
    """Load a saved Keras network, in graph or in eager mode.

    Keras' own `load_model` leaves the weights of a ``.keras`` file random in graph mode, and runs
    the code of a Lambda layer in an ``.h5`` file.

    Parameters
    ----------
    path : str or Path
        A ``.keras``, ``.h5`` or ``.hdf5`` file, saved by Keras 2.
    trust : bool
        True runs code that comes with the file: Lambda layers, operations outside of layers.

    Returns
    -------
    keras.Model
        Not compiled, with one input and one output.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no saved network, or was saved by Keras 3.
    NotImplementedError
        If it holds code, layers that are not Keras' own, or several inputs or outputs.
    """
    path = Path(path)
    if not path.is_file():
        cure = "save it as one file, model.save('name.keras')" if path.is_dir() else "look again"
        raise FileNotFoundError(f"There is no file {path.name}: {cure}.")
    config, version = _config(path)
    if version.startswith("3"):
        raise ValueError(
            f"{path.name} was saved by Keras {version}, which this course's Keras 2.14 cannot "
            "read: build the network here and give it the weights by set_weights."
        )
    if not trust:
        for layer in _layers(config):
            _check_layer(layer)
    try:
        # In graph mode Keras would only plan the assignments, and never run them.
        with mock.patch.object(base_layer.Layer, "load_own_variables", _set_variables):
            model = tf.keras.models.load_model(path, compile=False, safe_mode=not trust)
    except Exception as error:
        raise ValueError(
            f"Keras cannot load {path.name} ({str(error)[:120]}): save it again "
            "with Keras 2.14, from Keras' own layers."
        ) from error
    inputs.check_model(model)
    return model


def _config(path):
    """Configuration of a saved network, and the version of Keras that saved it."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as file:
                version = json.loads(file.read("metadata.json"))["keras_version"]
                return json.loads(file.read("config.json")), version
        with h5py.File(path) as file:
            if "model_config" in file.attrs:
                return json.loads(file.attrs["model_config"]), str(file.attrs["keras_version"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path.name} is no saved Keras network, or is damaged: save it by "
            "model.save('name.keras') or model.save('name.h5')."
        ) from error
    raise ValueError(
        f"{path.name} holds weights only: build the network and use model.load_weights."
    )


def _layers(config):
    """Configurations of all layers, also of those inside networks, wrappers and cells."""
    inner = config.get("config")
    for key in _INSIDE if isinstance(inner, dict) else ():
        some = inner.get(key)
        for layer in some if isinstance(some, list) else [some]:
            if isinstance(layer, dict):
                yield layer
                yield from _layers(layer)


def _check_layer(layer):
    kind, config = layer.get("class_name"), layer.get("config") or {}
    name = config.get("name")
    if kind in _CODE:
        raise NotImplementedError(
            f"The layer {name!r} ({kind}) holds code of its own: write it with Keras' layers, such "
            "as Rescaling or Add; or run it by trust=True, if you know who made the file."
        )
    module = layer.get("module", "keras.layers")  # .h5 names none
    keras_own = (module or "").partition(".")[0] == "keras"
    known = hasattr(tf.keras.layers, str(kind)) or kind in ("Functional", "Model", "Sequential")
    if not (keras_own and known):
        raise NotImplementedError(
            f"The layer {name!r} ({kind}) is not Keras' own: build the network from Keras' layers "
            "and give it the weights by set_weights."
        )
    foreign = [key for key in config.keys() - {*_INSIDE} if _is_code(config[key])]
    if foreign:
        raise NotImplementedError(
            f"The {foreign[0]} of the layer {name!r} ({kind}) is code of its own: use one of "
            "Keras' by its name."
        )


def _is_code(value):
    """Is this a pickled function, or an object from outside of Keras, or does it hold one?"""
    if isinstance(value, list):
        return any(map(_is_code, value))
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("value"), list) or value.get("class_name") == "__lambda__":
        return True
    module = value.get("module", "keras")
    if "class_name" in value and (module or "").partition(".")[0] not in ("keras", "builtins"):
        return True
    return any(map(_is_code, value.values()))


def _set_variables(layer, store):
    variables = layer._trainable_weights + layer._non_trainable_weights
    if len(store.keys()) != len(variables):
        raise ValueError(f"the layer {layer.name!r} has {len(variables)} weights, the file others")
    tf.keras.backend.batch_set_value(
        [(variable, store[str(i)][...]) for i, variable in enumerate(variables)]
    )
