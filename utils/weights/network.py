"""Load a network of your own; a file of unknown origin runs no code.

The network is made here from a list of layers and plain settings that are known to be harmless, and
not by Keras' own loader, which builds whatever a file names. Its weights are read as arrays.
"""

import contextlib
import io
import json
import math
import zipfile
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tf_keras.src.saving import saving_lib

from utils.keras_graph import validation
from utils.keras_graph.calls import title, walk
from utils.keras_graph.forecast import built_for_forecasts
from utils.plain import plain

# Layers that only compute: none reads a file, calls a function it is given, or holds text.
LAYERS = """
    Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average
    AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
    CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D
    Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D Dense
    DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU EinsumDense Embedding Flatten GRU GRUCell
    GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
    GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GroupNormalization Identity InputLayer LSTM LSTMCell LayerNormalization LeakyReLU
    LocallyConnected1D LocallyConnected2D Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum
    Minimum MultiHeadAttention Multiply Normalization PReLU Permute RNN RandomBrightness
    RandomContrast RandomCrop RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth
    RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D
    SimpleRNN SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D
    SpectralNormalization StackedRNNCells Subtract ThresholdedReLU TimeDistributed UnitNormalization
    UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
""".split()
NETWORKS = "Functional", "Model", "Sequential"
CODE = "Lambda", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"
OLD = "_layer_checkpoint_dependencies"  # a network's layers in files of TensorFlow 2.14
INSIDE = "layer", "cell", "cells", "forward_layer", "backward_layer"  # settings that are layers

# What a setting may be made from, by the end of its name.
PARTS = {
    "initializer": (
        keras.initializers,
        "Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform "
        "Ones Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros".split(),
    ),
    "regularizer": (keras.regularizers, "L1 L2 L1L2 OrthogonalRegularizer".split()),
    "constraint": (
        keras.constraints,
        "MaxNorm MinMaxNorm NonNeg RadialConstraint UnitNorm".split(),
    ),
}
ACTIVATIONS = (
    "elu exponential gelu hard_sigmoid linear mish relu relu6 selu sigmoid softmax softplus "
    "softsign swish tanh".split()
)
DTYPES = "bool float16 float32 float64 bfloat16 mixed_float16 mixed_bfloat16".split()
DTYPES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
POLICIES = "Policy", "PolicyV1"
SEQUENCES = "__tuple__", "TensorShape", "ListWrapper"  # how Keras writes a tuple as a dict

MB = 1_000_000
LARGEST = 16 * MB  # of a configuration; those of large published networks have under 1 MB


def load_network(path, trust=False):
    """Load a saved Keras network, in graph or in eager mode.

    Keras' own `load_model` leaves the weights of a ``.keras`` file random in graph mode, and runs
    code that a file brings along.

    Parameters
    ----------
    path : str or Path
        A ``.keras``, ``.h5`` or ``.hdf5`` file, saved by Keras 2.
    trust : bool
        True lets Keras build the network, and so runs code that comes with the file: Lambda
        layers, operations outside of layers. Only for a file that you made yourself.

    Returns
    -------
    keras.Model
        Not compiled, with one input and one output. Its `predict` is a forecast: augmentation,
        noise and dropout are off, and batch normalisation uses its moving averages. In graph mode
        they stay so; in eager mode `fit` trains with them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no saved network, is damaged, or was saved by Keras 3; if its weights do not fit
        the network, hold NaN, or lie outside of the file.
    NotImplementedError
        If it holds code, layers or settings that are not on this module's lists, or several inputs
        or outputs; or if one that is trusted has layers that are always in training.
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be the path of a file, not {type(path).__name__}.")
    path = Path(path)
    if not path.is_file():
        cure = "save it as one file, model.save('name.keras')" if path.is_dir() else "look again"
        raise FileNotFoundError(f"There is no file {plain(path.name)}: {cure}.")
    try:
        config, weights = _open(path)
        with weights:
            model = _load_trusted(path) if trust else _build(config, weights)
            validation.check_model(model)
            _check_training(model)
    except NotImplementedError:
        raise
    except _Refused as refused:
        raise ValueError(str(refused)) from refused.__cause__
    except Exception as error:  # whatever a damaged setting made Keras or HDF5 say
        raise ValueError(
            f"{path.name} cannot be loaded ({plain(error, 120)}): save it again with "
            "Keras 2, from Keras' own layers."
        ) from error
    return model


def _check_training(model):
    """Refuse layers that were called as in training; `_arguments` leaves that out."""
    for call in walk(model)[0]:
        if call.arguments[1].get("training"):
            raise NotImplementedError(
                f"The {title(call.layer)} is always in training: call it without training=True, "
                "and save the network again."
            )


class _Refused(Exception):
    """A sentence of this module's about a file; any other error is Keras' or HDF5's own."""


# ---- the file ------------------------------------------------------------------------------------


def _open(path):
    """Configuration of a saved network, and its weights, not read yet."""
    damaged = _Refused(
        f"{path.name} is no saved Keras network, or is damaged: save it by "
        "model.save('name.keras') or model.save('name.h5')."
    )
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as file:
                metadata = _json(_entry(file, "metadata.json", MB), "metadata.json")
                version = metadata["keras_version"]
                config = _json(_entry(file, "config.json", LARGEST), "config.json")
                weights = _Weights(path, _entry(file, "model.weights.h5", path.stat().st_size))
        else:
            weights = _Weights(path)
            config = weights.attribute("model_config")
            if config is None:
                raise _Refused(
                    f"{path.name} holds weights only: build the network and use model.load_weights."
                )
            config = _json(config, "model_config")
            version = weights.attribute("keras_version")
    except _Refused:
        raise
    except RecursionError:
        raise _Refused(f"{path.name} is nested too deeply to be a network.") from None
    except Exception as error:
        raise damaged from error
    if not isinstance(version, str):
        raise damaged
    if version.startswith("3"):
        raise _Refused(
            f"{path.name} was saved by Keras {plain(version, 12)}, which this course's "
            "Keras 2 cannot read: build the network here and give it the "
            "weights by set_weights."
        )
    return config, weights


def _entry(file, name, largest):
    """Bytes of a zip's entry, of which no more are unpacked than may be there."""
    with file.open(name) as entry:
        data = entry.read(largest + 1)
    if len(data) > largest:
        raise _Refused(f"{name} is larger than the {largest / MB:.0f} MB that it may have.")
    return data


def _json(text, name):
    if len(text) > LARGEST:
        raise _Refused(f"{name} is larger than the {LARGEST // MB} MB that it may have.")
    return json.loads(text)


class _Weights:
    """The arrays of an HDF5 file, each of which lies in the file itself, and whole."""

    def __init__(self, path, data=None):
        self.name, self.size = path.name, path.stat().st_size if data is None else len(data)
        self.file = h5py.File(path if data is None else io.BytesIO(data), "r")
        links = []  # each object once, whatever circles they make; no other file is opened
        self.file.id.links.visit(lambda name, link: links.append((name, link.type)), info=True)
        for name, kind in links:
            self._check(name.decode(errors="replace"), kind)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def _check(self, name, kind):
        if kind != h5py.h5l.TYPE_HARD:
            raise _Refused(f"{self._what(name)} is a link to elsewhere: such files are not read.")
        item = self.file[name]
        if isinstance(item, h5py.Group):
            return
        numbers = isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf"
        if not numbers:
            raise _Refused(f"{self._what(name)} is no array of numbers.")
        if item.id.get_create_plist().get_external_count() or item.is_virtual:
            raise _Refused(f"{self._what(name)} lies in another file: such files are not read.")
        if item.chunks or item.nbytes != item.id.get_storage_size():
            raise _Refused(
                f"{self._what(name)} is not stored whole and plain, as Keras writes it: "
                "save the network again."
            )

    def _what(self, name):
        return f"{plain(name)} in {self.name}"

    def attribute(self, name, group=None):
        """An attribute: text, or a list of texts; None if there is none."""
        attributes = (self.file if group is None else group).attrs
        if name not in attributes:
            return None
        if math.prod(attributes.get_id(name).shape or ()) > 100_000:
            raise _Refused(f"{plain(name)} of {self.name} is too long.")
        value = attributes[name]
        text = [v.decode() if isinstance(v, bytes) else str(v) for v in np.ravel(value)]
        return text if np.ndim(value) else text[0]

    def names(self, group, name):
        """A list of names, which Keras cuts into several attributes where it is long."""
        whole = self.attribute(name, group)
        parts, i = [], 0
        while whole is None and (part := self.attribute(f"{name}{i}", group)) is not None:
            parts, i = parts + part, i + 1
        return parts if whole is None else whole

    def get(self, path):
        """The arrays of one layer, as the loader of ``.keras`` files asks for them."""
        if OLD in self.file:
            path = "/".join(OLD if part == "layers" else part for part in path.split("/"))
        return self.file.get(f"{path}/vars", {})


# ---- the network ---------------------------------------------------------------------------------


def _build(config, weights):
    """The network of a configuration, with its weights."""
    # In a graph of its own variables take no memory, and nothing is left behind.
    with tf.Graph().as_default(), built_for_forecasts():
        model = _network(config)
        validation.check_model(model)
        _check_size(model, weights)
    with built_for_forecasts():
        model = _network(config)
    if "model_weights" in weights.file:
        _fill_by_name(model, weights)
    else:
        _fill_by_path(model, weights)
    return model


def _check_size(model, weights):
    """Refuse a network with more weights than its file can hold, before they take memory."""
    needed = sum(math.prod(v.shape) * v.dtype.size for v in model.weights)
    if needed > weights.size:
        raise _Refused(
            f"{weights.name} describes a network with {needed / MB:,.0f} MB of weights, and holds "
            f"{weights.size / MB:,.0f} MB: it is damaged."
        )


def _network(entry):
    """A whole network, as the configuration's top names it."""
    if not isinstance(entry, dict):
        raise _Refused(f"The configuration is a {_kind(entry)}, and no network.")
    if entry.get("class_name") in LAYERS:
        raise _Refused(f"The file holds a {_title(entry)}, and no network.")
    return _layer(entry, {})


def _layer(entry, shared):
    """A layer or a network, from its entry in a configuration; `shared` holds those seen before."""
    if not isinstance(entry, dict):
        raise _Refused(f"The configuration has a {_kind(entry)} where a layer must be.")
    _refuse_foreign(entry)
    seen = entry.get("shared_object_id")
    if isinstance(seen, int) and seen in shared:
        return shared[seen]
    kind, config = entry.get("class_name"), entry.get("config")
    if kind == "Sequential" and isinstance(config, list):  # as Keras wrote it before 2.2.3
        config = {"layers": config}
    if not isinstance(config, dict):
        raise _Refused(f"The {_title(entry)} has a {_kind(config)} for its settings.")
    if kind == "Sequential":
        layer = _sequential(config, shared)
    elif kind in NETWORKS:
        layer = _functional(config, shared)
    else:
        layer = _plain_layer(kind, config, entry, shared)
    if isinstance(seen, int):
        shared[seen] = layer
    return layer


def _plain_layer(kind, config, entry, shared):
    settings = {
        key: _setting(key, value, entry, shared)
        for key, value in config.items()
        if key != "num_constants" or value  # always written, 0 but for calls with constants
    }
    cls = getattr(keras.layers, kind)
    if any(key in settings for key in INSIDE):
        return cls(**settings)  # `from_config` would have Keras build the layers inside
    return cls.from_config(settings)


def _setting(key, value, entry, shared):
    """A setting of a layer, as the layer takes it."""
    if key in INSIDE:
        if isinstance(value, list):
            return [_layer(one, shared) for one in value]
        return None if value is None else _layer(value, shared)
    where = f"The {plain(key)} of the {_title(entry)}"
    if key == "dtype":
        if isinstance(value, dict) and value.get("class_name") in POLICIES and _keras_own(value):
            value = value["config"].get("name")
        if not isinstance(value, str | None) or value not in [*DTYPES, None]:
            raise NotImplementedError(f"{where} is not one of {', '.join(DTYPES)}.")
        return value
    if key.endswith("activation"):
        if value is None or value in ACTIVATIONS:
            return value
        if isinstance(value, dict) and value.get("class_name") in LAYERS and _keras_own(value):
            return _layer(value, shared)
        raise NotImplementedError(f"{where} is code of its own: use one of Keras' by its name.")
    for ending, (module, names) in PARTS.items():
        if key.endswith(ending) and value is not None:
            return _part(value, module, names, where)
    return _plain(value, where)


def _part(value, module, names, where):
    """An initializer, a regularizer or a constraint."""
    name, config = value, {}
    if isinstance(value, dict) and _keras_own(value):
        name, config = value.get("class_name"), value.get("config")
    by_name = {known.lower(): known for known in names}
    known = by_name.get(name.replace("_", "").lower()) if isinstance(name, str) else None
    if known is None or not isinstance(config, dict):
        raise NotImplementedError(f"{where} is code of its own: use one of {', '.join(names)}.")
    return getattr(module, known).from_config({k: _plain(v, where) for k, v in config.items()})


def _plain(value, where):
    """A number, a string, a boolean, or lists of these."""
    if isinstance(value, dict) and value.get("class_name") in SEQUENCES:
        items = value.get("items", value.get("config"))
        items = items.get("value") if isinstance(items, dict) else items
        if isinstance(items, list):
            return tuple(_plain(v, where) for v in items)
    if isinstance(value, list):
        return [_plain(v, where) for v in value]
    if isinstance(value, str | int | float | None):
        return value
    kind = value.get("class_name", "a dictionary") if isinstance(value, dict) else _kind(value)
    raise NotImplementedError(
        f"{where} is code of its own ({plain(kind)}): settings must be numbers, strings or lists."
    )


def _sequential(config, shared):
    layers = config.get("layers")
    if not isinstance(layers, list):
        raise _Refused(f"A network's layers must be a list, not a {_kind(layers)}.")
    model = keras.Sequential([_layer(entry, shared) for entry in layers], name=config.get("name"))
    shape = config.get("build_input_shape")
    if shape and not model.inputs:
        model.build(_plain(shape, "The network's input shape"))
    return model


def _functional(config, shared):
    """Make the layers, then call each as soon as what it reads from is there."""
    made, tensors, waiting = {}, {}, []
    for entry in config["layers"]:
        layer = _layer(entry, shared)
        name = entry.get("name") or layer.name
        if name in made:
            raise _Refused(f"Two layers are called {plain(name)}.")
        made[name] = layer
        if isinstance(layer, keras.layers.InputLayer):
            tensors[name, 0] = layer.output
            continue
        # A network's node 0 is the one it was made with, and no call of it.
        first = int(isinstance(layer, keras.Model) and _begins_with_input(entry))
        waiting += [(name, first + i, node) for i, node in enumerate(entry["inbound_nodes"])]
    while waiting:
        later = []
        for name, i, node in waiting:
            if all((name, call) in tensors for name, call, *_ in _references(node)):
                arguments, options = _arguments(node, tensors)
                tensors[name, i] = made[name](arguments, **options)
            else:
                later.append((name, i, node))
        if len(later) == len(waiting):
            raise _Refused(
                f"The layer {plain(later[0][0])!r} reads from a layer that is not there, "
                "or from itself."
            )
        waiting = later
    ends = [_tensors(config[key], tensors) for key in ("input_layers", "output_layers")]
    ends = [end[0] if isinstance(end, list) and len(end) == 1 else end for end in ends]
    return keras.Model(*ends, name=config.get("name"), trainable=config.get("trainable"))


def _begins_with_input(entry):
    config = entry["config"]
    layers = config if isinstance(config, list) else config["layers"]
    return entry["class_name"] != "Sequential" or layers[0]["class_name"] == "InputLayer"


def _is_reference(value):
    """Does this name a tensor: a layer, the number of its call, and of the call's output?"""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(v, int) for v in value[1:3])
    )


def _references(value):
    """All references in a structure, also those among a call's options."""
    if _is_reference(value):
        yield value
        value = value[3:]
    if isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _references(one)


def _arguments(node, tensors):
    """What a call gets: its first argument, and options by name."""
    options = {}
    for *_, more in filter(lambda reference: len(reference) == 4, _references(node)):
        if not isinstance(more, dict):
            raise _Refused("The options of a layer's call must be a dictionary.")
        options = {key: _tensors(v, tensors, option=True) for key, v in more.items()}
        options.pop("training", None)  # a forecast has none
    first = _tensors(node, tensors)
    return first[0] if isinstance(first, list) and len(first) == 1 else first, options


def _tensors(value, tensors, option=False):
    """A structure of references as one of tensors; among options, plain values stay."""
    if _is_reference(value):
        return tf.nest.flatten(tensors[tuple(value[:2])])[value[2]]
    if isinstance(value, list):
        return [_tensors(v, tensors, option) for v in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _tensors(v, tensors, option) for key, v in value.items()}
    if option:
        return _plain(value, "An option of a layer's call")
    raise _Refused(f"A layer reads from {plain(value)!r}, which is no layer's output.")


def _refuse_foreign(entry):
    kind = entry.get("class_name")
    if kind in CODE:
        raise NotImplementedError(
            f"The {_title(entry)} holds code of its own: write it with Keras' layers, such "
            "as Rescaling or Add; or run it by trust=True, if you know who made the file."
        )
    if kind not in (*LAYERS, *NETWORKS) or not _keras_own(entry):
        raise NotImplementedError(
            f"The {_title(entry)} is not Keras' own, or reads text or files: build the network "
            "from other layers and give it the weights by set_weights."
        )


def _keras_own(entry):
    """Does a serialized object say that it is Keras' own? The file's word: nothing is imported."""
    module, name = entry.get("module"), entry.get("registered_name")
    own = module is None or str(module).partition(".")[0] in ("keras", "tf_keras")
    return own and name in (None, entry.get("class_name"))


def _title(entry):
    """Name and class of a layer, for messages."""
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else entry.get("name")
    return f"layer {plain(name)!r} ({plain(entry.get('class_name'))})"


def _kind(value):
    names = {dict: "dictionary", list: "list", str: "string", type(None): "null"}
    return names.get(type(value), "number")


# ---- the weights ---------------------------------------------------------------------------------


def _fill_by_path(model, weights):
    """Give a network the weights of a ``.keras`` file, which has a path for each layer."""
    with _filling() as filled:
        saving_lib._load_state(model, weights, None, "", visited_trackables=set())
    missing = [v.name for v in model.weights if id(v) not in filled]
    if missing:
        raise _Refused(f"{weights.name} has no values for the weights {plain(missing[0])}.")


def _fill_by_name(model, weights):
    """Give a network the weights of an ``.h5`` file, which lists the names of each layer's."""
    group = weights.file["model_weights"]
    layers = [layer for layer in model.layers if layer.weights]
    parts = [group[name] for name in weights.names(group, "layer_names")]
    named = [(part, names) for part in parts if (names := weights.names(part, "weight_names"))]
    if len(named) != len(layers):
        raise _Refused(
            f"{weights.name} has weights for {len(named)} layers, and its network {len(layers)}."
        )
    for layer, (part, names) in zip(layers, named, strict=True):
        variables = layer.trainable_weights + layer.non_trainable_weights
        _fill(layer, variables, [part[name] for name in names])
    for layer in model._flatten_layers():
        layer.finalize_state()


def _fill(layer, variables, arrays):
    """Set a layer's variables. In graph mode Keras would only plan to, and never do it."""
    shapes = [getattr(array, "shape", None) for array in arrays]
    if shapes != [tuple(v.shape) for v in variables]:
        raise _Refused(
            f"The weights of the layer {plain(layer.name)!r} have the shapes {shapes}, and "
            f"the layer needs {[tuple(v.shape) for v in variables]}."
        )
    values = [array[()] for array in arrays]
    if not all(np.isfinite(value).all() for value in values):
        raise _Refused(
            f"The weights of the layer {plain(layer.name)!r} hold NaN or infinite values: "
            "train the network again, with smaller steps."
        )
    keras.backend.batch_set_value(list(zip(variables, values, strict=True)))


def _load_trusted(path):
    """Keras' own loader, which builds whatever the file names."""
    with _filling(), built_for_forecasts():
        return keras.models.load_model(path, compile=False, safe_mode=False)


@contextlib.contextmanager
def _filling():
    """Have layers take their weights by `_fill` inside the block; yields the ids of those set."""
    filled = set()

    def fill(layer, arrays):
        variables = layer._trainable_weights + layer._non_trainable_weights
        _fill(layer, variables, [arrays.get(str(i)) for i in range(len(arrays))])
        filled.update(map(id, variables))

    with mock.patch.object(keras.layers.Layer, "load_own_variables", fill):
        yield filled
