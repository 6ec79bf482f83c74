"""Write saved networks that try to run code, to read other files or to fill the memory.

`make` writes them into a folder, in eager mode, in which networks can be saved. With that folder,
this program loads each of them and prints, as JSON, what `load_network` said and whether the
file's code ran, for which that leaves a file called ``mark``.
"""

import base64
import copy
import io
import json
import marshal
import os
import resource
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

MARK = "mark"
RUN_BY_KERAS = (
    "code.keras code.h5 list_as_settings.h5 code_in_a_list.keras network_for_standardize.keras "
    "top_from_elsewhere.keras"
).split()
MODULE = f"open({MARK!r}, 'w').close()\nclass Evil:\n    from_config = classmethod(lambda *a: a)\n"


def leave_mark(x):
    open("mark", "w").close()
    return x


def base(path):
    """A small network that is harmless, as `path`; its configuration, and its weights' file."""
    start = keras.Input((6, 4), name="start")
    x = layers.Bidirectional(layers.GRU(2, return_sequences=True), name="both")(start)
    x = layers.TimeDistributed(layers.Dense(3, activation="relu"), name="each")(x)
    model = keras.Model(start, layers.Dense(2, name="end")(layers.Flatten()(x)))
    model.save(path)
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("config.json")), file.read("model.weights.h5")


# ---- pieces of configurations --------------------------------------------------------------------


def pickled():
    """Code as Keras writes a lambda: marshalled, in base 64."""
    code = marshal.dumps(leave_mark.__code__)
    return [base64.b64encode(code).decode(), None, None]


def lambda_layer():
    config = {"name": "half", "function": pickled(), "function_type": "lambda", "module": "evil"}
    config |= {"output_shape": None, "output_shape_type": "raw", "output_shape_module": None}
    return new("Lambda", {**config, "arguments": {}})


def new(kind, config, module="keras.layers"):
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def start(shape=(6, 4)):
    return new("InputLayer", {"batch_input_shape": [None, *shape], "name": "start"})


def sequential(*entries):
    return new("Sequential", {"name": "net", "layers": [start(), *entries]}, "keras")


def dense(**settings):
    return new("Dense", {"name": "end", "units": 2, **settings})


def around(kind, key, inner=None):
    """A wrapper with a layer of code inside."""
    return sequential(new(kind, {"name": "outer", key: inner or lambda_layer()}))


def on_constant():
    """A network that calls code on a constant as soon as it is built."""
    coded = lambda_layer()
    coded |= {"name": "half", "inbound_nodes": [[["_CONSTANT_VALUE", -1, [1.0], {}]]]}
    config = {"name": "inner", "layers": [coded], "input_layers": [], "trainable": True}
    config["output_layers"] = [["half", 0, 0]]
    return new(
        "Functional", config, f"{keras.Model.__module__.partition('.')[0]}.src.engine.functional"
    )


def lookup(kind, **settings):
    return sequential(new(kind, {"name": "words", **settings}))


# ---- files ---------------------------------------------------------------------------------------


def write(path, config, weights, metadata='{"keras_version": "2.14.0"}', **options):
    text = config if isinstance(config, str | bytes) else json.dumps(config)
    with zipfile.ZipFile(path, "w", **options) as file:
        file.writestr("metadata.json", metadata)
        file.writestr("config.json", text)
        file.writestr("model.weights.h5", weights)


def write_h5(path, config, spoil=lambda file: None):
    text = config if isinstance(config, str) else json.dumps(config)
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["model_config"] = "2.14.0", text
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([], "S1")
        spoil(file)


def changed(data, spoil):
    """The weights' file with something done to it."""
    file = io.BytesIO(data)
    with h5py.File(file, "r+") as weights:
        spoil(weights)
    return file.getvalue()


def end(file):
    """The last layer's arrays."""
    return file["layers/dense/vars"]


def replaced(make, name="1"):
    def spoil(file):
        del end(file)[name]
        make(end(file), name)

    return spoil


def external(group, name):
    group.create_dataset(name, (2,), "f4", external=[("/etc/passwd", 0, 8)])


def virtual(group, name):
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "values", (2,))
    group.create_virtual_dataset(name, layout)


def claiming(group, name):
    group.create_dataset(name, (1 << 44,), "f4")  # no byte of it is there


def packed(group, name):
    group.create_dataset(name, data=np.zeros(2, "f4"), chunks=(2,), compression="gzip")


HDF5 = {  # what replaces an array of two numbers, and what is said
    "link to a file": (lambda g, n: g.update({n: h5py.ExternalLink("a.h5", "x")}), "is a link"),
    "soft link": (lambda g, n: g.update({n: h5py.SoftLink("/nothing")}), "is a link"),
    "external": (external, "lies in another file"),
    "virtual": (virtual, "lies in another file"),
    "claims terabytes": (claiming, "not stored whole"),
    "packed": (packed, "not stored whole"),
    "text": (lambda g, n: g.update({n: np.array(["a", "b"], "O")}), "no array of numbers"),
    "a type": (lambda g, n: g.update({n: np.dtype("f4")}), "no array of numbers"),
    "a group": (lambda g, n: g.create_group(n), "have the shapes"),
    "other shape": (lambda g, n: g.update({n: np.zeros(3, "f4")}), "have the shapes"),
    "NaN": (lambda g, n: g.update({n: np.full(2, np.nan, "f4")}), "hold NaN"),
    "missing": (lambda g, n: None, "have the shapes"),
}

# Weights and settings, by what they try; and what is said.
CODE = "holds code of its own"
OTHER = "is not Keras' own"
OWN = "is code of its own"


def configurations():
    """Hostile configurations of ``.keras`` files, and what is said of each."""
    coded, word = lambda_layer(), {"class_name": "__lambda__", "config": {"value": pickled()}}
    yield "code", sequential(coded), CODE
    yield "code in each step", around("TimeDistributed", "layer"), CODE
    yield (
        "code in a network in each step",
        around("TimeDistributed", "layer", sequential(coded)),
        CODE,
    )
    yield "code in both directions", around("Bidirectional", "layer"), CODE
    both = new("Bidirectional", {"layer": new("GRU", {"units": 2}), "backward_layer": coded})
    yield "code backwards", sequential(both), CODE
    yield "code in a cell", around("RNN", "cell"), CODE
    cells = new("StackedRNNCells", {"cells": [new("GRUCell", {"units": 2}), coded]})
    yield "code in stacked cells", around("RNN", "cell", cells), CODE
    yield "code in a list of cells", around("RNN", "cell", [coded]), CODE
    yield "code in a normalisation", around("SpectralNormalization", "layer"), CODE
    yield "code deep inside", sequential(sequential(sequential(coded))), CODE
    # Keras looks for "module" in what it takes for a dictionary.
    yield "code in a list", sequential(["module", on_constant()]), "where a layer must be"
    shared = {**dense(), "shared_object_id": 7}
    yield "code, shared", sequential(shared, {**coded, "shared_object_id": 8}), CODE
    yield "operation", sequential(new("TFOpLambda", {"function": "io.read_file"})), CODE
    yield "slice", sequential(new("SlicingOpLambda", {"function": "a"})), CODE
    yield "graph operation", sequential(new("TensorFlowOpLayer", {"node_def": "a"})), CODE
    for key in ("standardize", "split", "vocabulary"):
        yield f"network for {key}", lookup("TextVectorization", **{key: on_constant()}), OTHER
    for kind in ("StringLookup", "IntegerLookup", "TextVectorization"):
        yield f"{kind} of a file", lookup(kind, vocabulary="/etc/passwd"), OTHER
    for key in (
        "activation kernel_initializer bias_initializer kernel_regularizer activity_regularizer "
        "kernel_constraint dtype units name"
    ).split():
        said = OWN if key != "dtype" else "is not one of"
        yield f"network as {key}", sequential(dense(**{key: on_constant()})), said
        yield f"lambda as {key}", sequential(dense(**{key: word})), said
    yield "pickled activation", sequential(dense(activation=pickled())), OWN
    system = {"module": "os", "class_name": "function", "config": "system"}
    yield "system as activation", sequential(dense(activation=system)), OWN
    utility = new("function", "get_file", "keras.utils")
    yield "utility as activation", sequential(dense(activation=utility)), OWN
    yield "function by its name", sequential(dense(activation="deserialize")), OWN
    yield "initializer by its name", sequential(dense(kernel_initializer="os")), OWN
    for kind in ("__typespec__", "__tensor__", "__numpy__", "__bytes__", "TypeSpec"):
        value = {"class_name": kind, "config": {"value": "a", "dtype": "float32"}}
        yield kind, sequential(dense(units=value)), "settings must be"
    for where in ("evil", "keras.evil.evil", "os"):
        yield f"a layer from {where}", sequential(new("Evil", {}, where)), OTHER
    yield "a known name from elsewhere", sequential({**dense(), "module": "evil"}), OTHER
    yield "a registered name", sequential({**dense(), "registered_name": "evil>Dense"}), OTHER
    yield "top from elsewhere", new("Evil", {}, "evil"), OTHER
    yield "top that seems known", {**sequential(dense()), "module": "evil"}, OTHER
    yield "a layer as top", dense(), "and no network"
    for name, value in {
        "list": [],
        "number": 3,
        "null": None,
        "text": "a",
        "boolean": True,
        "empty": {},
        "no name": {"class_name": None},
        "name is a list": {"class_name": ["Sequential"], "config": {}},
        "no settings": {"class_name": "Sequential"},
        "null for settings": new("Sequential", None, "keras"),
        "no layers": new("Sequential", {}, "keras"),
        "layers is null": new("Sequential", {"layers": None}, "keras"),
        "layers is a number": new("Functional", {"layers": 3}, "keras"),
        "a layer is null": sequential(None),
        "a layer is a number": sequential(3),
        "settings is a list": sequential(new("Dense", [])),
        "units is text": sequential(dense(units="two")),
        "units is negative": sequential(dense(units=-1)),
        "a setting too many": sequential(dense(evil=1)),
    }.items():
        yield f"configuration: {name}", value, ""
    yield (
        "a network of terabytes",
        sequential(new("Flatten", {}), dense(units=1 << 28)),
        "MB of weights",
    )
    yield "nested deeply", "[" * 100_000 + "]" * 100_000, "nested too deeply"
    yield "layers nested deeply", '{"class_name":' * 5000 + "1" + "}" * 5000, "nested too deeply|no"


def nodes(config):
    """Calls between layers that a network cannot have."""
    for name, node, said in (
        ("itself", [["each", 0, 0, {}]], "or from itself"),
        ("nobody", [["nobody", 0, 0, {}]], "not there"),
        ("a later call", [["both", 5, 0, {}]], "not there"),
        ("another output", [["both", 0, 5, {}]], ""),
        ("a constant", [["_CONSTANT_VALUE", -1, [1.0], {}]], "no layer's output"),
        (
            "a typed constant",
            [["_CONSTANT_VALUE", -1, ["_COMPOSITE_TYPE", "{}"], {}]],
            "no layer's output",
        ),
        ("a number", 3, ""),
        ("null", None, ""),
        ("code", [["both", 0, 0, {"mask": lambda_layer()}]], "option of a layer's call"),
        ("options as a list", [["both", 0, 0, []]], "must be a dictionary"),
    ):
        net = copy.deepcopy(config)
        (layer,) = (entry for entry in net["config"]["layers"] if entry["config"]["name"] == "each")
        layer["inbound_nodes"] = [node]
        yield f"reads from {name}", net, said


def make(folder):
    """Write all files, and what is said of each as ``said.json``."""
    (folder / "evil.py").write_text(MODULE)
    config, weights = base(folder / "harmless.keras")
    said = {}

    def path(name, sentence, ending="keras"):
        file = f"{name}.{ending}".replace(" ", "_").replace(":", "")
        said[file] = sentence
        return folder / file

    for name, net, sentence in [*configurations(), *nodes(config)]:
        write(path(name, sentence), net, weights)
    for name, (spoil, sentence) in HDF5.items():
        write(path(f"weights {name}", sentence), config, changed(weights, replaced(spoil)))
    write(path("weights are none", ""), config, b"no")
    for name, metadata in {"list": "[]", "null": "null", "number": '{"keras_version": 2}'}.items():
        write(path(f"metadata: {name}", "damaged"), config, weights, metadata)
    write(path("Keras 3", "saved by Keras 3"), config, weights, '{"keras_version": "3.1"}')
    bomb = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}
    write(path("bomb", "larger than"), b" " * 300_000_000, weights, **bomb)
    write(path("bomb of weights", "larger than"), config, b" " * 300_000_000, **bomb)
    net = {"class_name": "Lambda", "config": lambda_layer()["config"]}
    opening = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 6, 4]}}
    old = {"class_name": "Sequential", "config": [opening, net]}
    write_h5(path("list as settings", CODE, "h5"), old)
    old = {"class_name": "Sequential", "config": {"name": "a", "layers": [opening, net]}}
    write_h5(path("code", CODE, "h5"), old)
    old["config"]["layers"][1] = {
        "class_name": "Dense",
        "config": {"name": "end", "units": 2, "activation": pickled()},
    }
    write_h5(path("pickled activation", OWN, "h5"), old)
    old["config"]["layers"][1]["config"]["activation"] = "linear"
    write_h5(path("without weights", "weights for 0 layers", "h5"), old)
    write_h5(path("not JSON", "damaged", "h5"), "{")

    def link(file):
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")

    write_h5(path("external link", "is a link", "h5"), old, link)
    (folder / "said.json").write_text(json.dumps(said))


def outcome(file, load):
    """Class and text of the error that a file ends in, whether its code ran, and memory taken."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with tf.Graph().as_default(), tf.compat.v1.Session().as_default():  # a graph gets slow
            load(file)
        kind, text = "none", ""
    except BaseException as error:
        kind, text = type(error).__name__, str(error)
    ran = Path(MARK).exists()
    Path(MARK).unlink(missing_ok=True)
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"error": kind, "said": text, "ran": ran, "MB": taken / 1000}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    os.chdir(folder)
    sys.path.insert(0, str(folder))  # where a foreign module would be found
    from utils import course
    from utils.weights import load_network

    course.start()
    results = {
        name: outcome(name, load_network) for name in json.loads(Path("said.json").read_text())
    }
    results["harmless.keras"] = outcome("harmless.keras", load_network)
    # What Keras itself does, to see that the files are as bad as they should be.
    for name in RUN_BY_KERAS:
        results[f"Keras: {name}"] = outcome(
            name, lambda file: keras.models.load_model(file, compile=False, safe_mode=False)
        )
    print(json.dumps(results))
