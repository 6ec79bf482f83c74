"""Networks that no lesson made: loaded, explained, traced, or refused in one clear sentence."""

import functools
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from tensorflow import keras
from tensorflow.keras import applications, layers

from tests.graph import hostile
from utils import archive, lrp
from utils.explain import explain
from utils.receptive_field import effective, trace
from utils.weights import load_network

ROOT = Path(__file__).resolve().parents[2]

MAKE = """
import sys
from pathlib import Path
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
folder = sys.argv[1]
keras.utils.set_random_seed(0)
class Mine(layers.Dense):
    pass
start = keras.Input((8, 8, 1))
def net(*more):
    return keras.Sequential([keras.Input((8, 8, 1)), *more, layers.Flatten(), layers.Dense(2)])
kinds = {
    "plain": net(layers.Conv2D(2, 3, activation="relu"), layers.BatchNormalization()),
    "lambda": net(layers.Lambda(lambda t: t / 2, name="half")),
    "custom": net(Mine(1, name="my_layer")),
    "function": net(layers.Dense(1, activation=lambda t: t * t, name="square")),
    "operation": keras.Model(start, layers.Flatten()(start + 1.0)),
    "wrapped": net(layers.TimeDistributed(layers.Lambda(lambda t: t / 2, name="half"))),
    "deep": net(layers.TimeDistributed(keras.Sequential([layers.Lambda(abs, name="half")]))),
    "nested": net(net(), layers.Reshape((2, 1))),
}
image = keras.Input((8, 8, 1), name="image")
twice = layers.Conv2D(2, 3, padding="same", activation=layers.LeakyReLU(0.2), name="twice",
                      kernel_regularizer="l2", kernel_constraint="max_norm")
t = layers.Concatenate()([image, layers.Rescaling(0.5)(image)])
t = layers.Add()([twice(t), layers.RandomFlip()(twice(t), training=False)])
t = net(layers.BatchNormalization(), layers.Normalization())(layers.Conv2D(1, 1)(t))
t = layers.Reshape((2, 1))(t)
t = layers.MultiHeadAttention(2, 3)(t, value=t)
t = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(t)
t = layers.TimeDistributed(net(layers.Dense(3)) if False else layers.Dense(3))(t)
t = layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)])(t)
kinds["many"] = keras.Model(image, layers.Dense(2, dtype="float64", name="last")(t))
x = np.random.default_rng(0).normal(size=(3, 8, 8, 1))
for name, model in kinds.items():
    for ending in ("keras", "h5"):
        model.save(f"{folder}/{name}.{ending}")
kinds["plain"].save_weights(f"{folder}/weights.h5")
names = "plain", "nested", "many"
np.savez(f"{folder}/answers.npz", x=x, **{k: kinds[k].predict(x) for k in names})
import hostile
hostile.make(Path(folder) / "hostile")
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'graph'}"}


def test_a_loaded_network_makes_forecasts(tmp_path):
    """Keras would go on to flip pictures and to add noise."""
    x = keras.Input((2, 4, 1))
    augment = [layers.RandomFlip("horizontal"), layers.RandomBrightness(0.5)]
    y = keras.Sequential([keras.Input((2, 4, 1)), *augment])(layers.RandomRotation(0.2)(x))
    y = layers.Flatten()(layers.GaussianNoise(3.0)(y, training=True))
    model = keras.Model(x, layers.Dense(1)(layers.Dropout(0.5)(y, training=True)))
    model.save(tmp_path / "one.h5")
    w, b = (v for v in model.get_weights() if v.dtype.kind == "f")
    loaded = load_network(tmp_path / "one.h5")
    samples = np.random.default_rng(0).normal(size=(3, 2, 4, 1))
    for _ in range(4):
        found = loaded.predict(samples, verbose=0)
        np.testing.assert_allclose(found, samples.reshape(3, -1) @ w + b, rtol=1e-4, atol=1e-5)
    with pytest.raises(NotImplementedError, match="always in training"):
        load_network(tmp_path / "one.h5", trust=True)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Networks saved by a process in eager mode, as most are; and the hostile files."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "hostile").mkdir()
    (folder / "make.py").write_text(MAKE)  # a file: Keras reads a function's source
    command = [sys.executable, folder / "make.py", folder]
    subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, timeout=300)
    return folder


@pytest.mark.parametrize(
    "file", [f"{name}.{end}" for name in ("plain", "nested", "many") for end in ("keras", "h5")]
)
def test_a_loaded_network_gives_its_old_answers(saved, file):
    answers = np.load(saved / "answers.npz")
    model = load_network(saved / file)
    wanted = answers[file.partition(".")[0]]
    np.testing.assert_allclose(model.predict(answers["x"], verbose=0), wanted, atol=1e-5)


# Names differ where a network lists its layers, which the first two show.
@pytest.mark.parametrize("name", ["plain", "nested", pytest.param("many", marks=pytest.mark.slow)])
def test_a_file_of_tensorflow_2_14_has_another_name_for_layers(saved, name, tmp_path):
    data = io.BytesIO((saved / f"{name}.keras").read_bytes())
    with zipfile.ZipFile(data) as new, zipfile.ZipFile(tmp_path / "old.keras", "w") as old:
        for entry in ("metadata.json", "config.json"):
            old.writestr(entry, new.read(entry))
        weights = io.BytesIO(new.read("model.weights.h5"))
        with h5py.File(weights, "r+") as file:
            networks = ["/"]
            file.visit(lambda at: networks.append(at) if f"{at}/layers" in file else None)
            for at in reversed(networks):
                file[at].move("layers", "_layer_checkpoint_dependencies")
        old.writestr("model.weights.h5", weights.getvalue())
    answers = np.load(saved / "answers.npz")
    model = load_network(tmp_path / "old.keras")
    np.testing.assert_allclose(model.predict(answers["x"], verbose=0), answers[name], atol=1e-5)


@pytest.fixture(scope="module")
def outcomes(saved):
    """What became of each hostile file, loaded in a process of its own."""
    command = [sys.executable, hostile.__file__, saved / "hostile"]
    ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr[-2000:]
    said = json.loads((saved / "hostile" / "said.json").read_text())
    return said, json.loads(ran.stdout.splitlines()[-1])


def test_hostile_files_run_nothing_and_say_what_is_wrong(outcomes):
    said, results = outcomes
    assert len(said) >= 100
    for file, words in said.items():
        result = results[file]
        assert not result["ran"], file
        assert result["error"] in ("ValueError", "NotImplementedError"), (file, result)
        sentence = result["said"]
        assert re.search(words, sentence), (file, sentence)
        assert sentence.endswith((".", "?")) and "\n" not in sentence, (file, sentence)
        assert len(sentence) < 400, (file, sentence)
        assert result["MB"] < 120, (file, result["MB"])
    assert results["harmless.keras"]["error"] == "none"


@pytest.mark.parametrize("file", hostile.RUN_BY_KERAS)
def test_keras_itself_runs_the_code_of_hostile_files(outcomes, file):
    """So the files are as bad as they should be."""
    assert outcomes[1][f"Keras: {file}"]["ran"]


def test_keras_alone_leaves_the_weights_random(saved):
    """The reason for `load_network`. When this fails, Keras' own function will do."""
    answers = np.load(saved / "answers.npz")
    model = keras.models.load_model(saved / "plain.keras")
    assert abs(model.predict(answers["x"], verbose=0) - answers["plain"]).max() > 0.01


def test_the_example_of_the_page_runs(saved, tmp_path, monkeypatch):
    part = (ROOT / "OWN_NETWORK.md").read_text(encoding="utf-8")
    code = textwrap.dedent("\n".join(re.findall(r"^    .+$", part, re.MULTILINE)))
    values = np.random.default_rng(0).normal(size=(4, 1, 8, 8))
    x = xr.Dataset({"field": (("sample", "channel", "y", "x"), values)})
    x.to_netcdf(tmp_path / "samples.nc")
    x = x.transpose("sample", "y", "x", "channel").chunk(sample=2)
    x.to_zarr(tmp_path / "input.zarr", consolidated=False)
    shutil.copy(saved / "plain.keras", tmp_path / "mine.keras")
    monkeypatch.chdir(tmp_path)
    one = functools.partial(archive.local_client, workers=1)  # tests of archives have two
    monkeypatch.setattr(archive.archive, "local_client", one)
    names = {}
    exec(code, names)
    for maps in ("heat_maps", "relevance", "maps"):
        assert names[maps].dims == ("sample", "y", "x", "channel")
        assert np.isfinite(names[maps]).all() and names[maps].any()
    assert names["field"].shape == (8, 8) and (tmp_path / "maps.zarr").is_dir()


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize(
    "name, said",
    [
        ("lambda", "The layer 'half' .Lambda. holds code of its own"),
        ("wrapped", "The layer 'half' .Lambda. holds code of its own"),
        ("deep", "The layer 'half' .Lambda. holds code of its own"),
        ("operation", "TFOpLambda. holds code of its own"),
        ("custom", "The layer 'my_layer' .Mine. is not Keras' own"),
        ("function", "The activation of the layer 'square' .Dense. is code of its own"),
    ],
)
def test_code_is_not_run_unasked(saved, name, ending, said):
    with pytest.raises(NotImplementedError, match=said):
        load_network(saved / f"{name}.{ending}")


def test_code_is_run_when_asked(saved):
    x = np.load(saved / "answers.npz")["x"]
    model = load_network(saved / "operation.keras", trust=True)
    np.testing.assert_allclose(model.predict(x, verbose=0), np.float32(x).reshape(3, -1) + 1)


def test_files_that_are_none(saved, tmp_path):
    (tmp_path / "text.keras").write_text("no")
    (tmp_path / "text.h5").write_text("no")
    for file in ("text.keras", "text.h5"):
        with pytest.raises(ValueError, match="no saved Keras network, or is damaged"):
            load_network(tmp_path / file)
    with pytest.raises(ValueError, match="holds weights only"):
        load_network(saved / "weights.h5")
    with pytest.raises(FileNotFoundError, match="save it as one file"):
        load_network(tmp_path)
    with pytest.raises(FileNotFoundError, match="look again"):
        load_network(tmp_path / "none.h5")


def encoder(strides=1, dilation=1):
    """Small, with strides or dilation, as a regressor of one number."""
    net = keras.Sequential([keras.Input((32, 32, 2))])
    for _ in range(3):
        net.add(
            layers.Conv2D(
                4, 3, strides, "same", dilation_rate=dilation, activation="relu", use_bias=False
            )
        )
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(1))
    return net


def decoder():
    start = keras.Input((32, 32, 2))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(start)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Concatenate()([x, start])
    return keras.Model(start, layers.Conv2D(1, 1)(x))


def application(make, **options):
    return lambda: make(weights=None, classes=10, **options)


SMALL = {"input_shape": (32, 32, 3)}
NETWORKS = {
    "strided": lambda: encoder(strides=2),
    "dilated": lambda: encoder(dilation=2),
    "encoder-decoder": decoder,
    "VGG16": application(applications.VGG16, **SMALL),
    "ResNet50": application(applications.ResNet50, **SMALL),
}
SLOW = "VGG16", "ResNet50"


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in NETWORKS],
)
def test_ten_lines_work_on_a_foreign_network(name):
    model = NETWORKS[name]()
    x = np.random.default_rng(0).normal(size=(1, *model.input_shape[1:]))
    output = (0,) * (len(model.output_shape) - 1)
    output = output if len(output) > 1 else 0
    for heat_map in (
        explain(model, x, "lrp.epsilon", output, epsilon=0.01),
        lrp.relevance(model, x, "alpha_1_beta_0", output, layers=False).input,
    ):
        assert heat_map.shape == x.shape and np.isfinite(heat_map).all() and heat_map.any()
    table = trace(model)
    assert table.size_y.max() > 1  # the first layer may only pad
    field = effective(model, table.attrs["last_spatial"], x, (0, 0))
    assert field.shape == x.shape[1:3] and field.any()


@pytest.mark.slow
def test_relevance_goes_through_capped_relus():
    options = {"classes": 10, "input_shape": (32, 32, 3), "classifier_activation": None}
    mobile = applications.MobileNet(weights=None, **options)
    x = np.random.default_rng(0).normal(0, 50, (1, 32, 32, 3))
    result = lrp.relevance(mobile, x, "z", 3, layers=False)
    value = mobile.predict(x, verbose=0)[0, 3]
    assert result.ledger.received.iloc[0] == pytest.approx(value, rel=1e-4)
    row = result.ledger.loc[0, "conv1_relu"]
    assert row.received == row.passed_on != 0


def test_a_gradient_goes_through_a_capped_relu():
    below = keras.initializers.Constant(0.1)  # 0.9 everywhere, where the slope is not zero
    net = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, kernel_initializer=below)])
    net.add(layers.ReLU(6.0))
    net.add(layers.Flatten())
    net.add(layers.Dense(2))
    heat_map = explain(net, np.ones((1, 8, 8, 1)), "gradient", output=0)
    assert np.isfinite(heat_map).all() and heat_map.any()
