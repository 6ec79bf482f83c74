"""Weights: what is saved comes back; what is wrong is refused in one sentence."""

import io
import json
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from tensorflow import keras

from utils import networks, training
from utils.weights import shipped


@pytest.fixture
def weights_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "data_folder", lambda: tmp_path)
    return tmp_path / "weights"


@pytest.fixture(scope="module")
def model():
    return networks.clever_hans(16)


@pytest.fixture(scope="module")
def other():
    return networks.clever_hans(16)


@pytest.fixture
def saved(weights_folder, model):
    probe = np.zeros((2, 4, 4, 3), np.float16), np.zeros((2, 1), np.float16)
    return shipped.save_weights(model, "small", probe=probe, seed=3, score=0.5)


def assert_equal(weights, others):
    for a, b in zip(weights, others, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_come_back(saved, model):
    new = networks.clever_hans(16)
    record = shipped.load_weights(new, "small")
    assert_equal(model.get_weights(), new.get_weights())
    assert record["seed"] == 3 and record["score"] == 0.5
    assert record["checksum"] == shipped.checksum(model.get_weights())


def test_the_same_weights_make_the_same_file(saved, model):
    before = saved.read_bytes()
    with np.load(saved) as file:
        probe = [file[part] for part in shipped.PROBE]
    shipped.save_weights(model, "small", probe=probe, **shipped.load_weights(model, "small"))
    assert saved.read_bytes() == before


def test_missing_names_what_is_there(saved, model):
    with pytest.raises(FileNotFoundError, match="called 'big'. There are: small."):
        shipped.load_weights(model, "big")


def test_weights_that_are_not_finite_are_not_saved(weights_folder):
    diverged = networks.clever_hans(16)
    diverged.set_weights([np.full_like(array, np.nan) for array in diverged.get_weights()])
    with pytest.raises(ValueError, match="NaN or infinite: train with a smaller step."):
        shipped.save_weights(diverged, "small")
    assert not weights_folder.exists()


# ---- files that are not what they should be: "000.npy" holds the first of 12 arrays, (3, 3, 3, 16)

SHAPE = (3, 3, 3, 16)


def npy(array, **said):
    """The bytes of an .npy file whose header may say something else."""
    file = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(file, header | said)
    return file.getvalue() + array.tobytes()


def with_parts(changes, twice=()):
    """A function that rewrites a file of weights with other parts; None leaves one out."""

    def rewrite(path):
        with zipfile.ZipFile(path) as file:
            parts = {name: file.read(name) for name in file.namelist()} | changes
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name that stands there twice
            for name in [*parts, *twice]:
                if parts[name] is not None:
                    file.writestr(name, parts[name])

    return rewrite


def with_array(array, **said):
    """Another first array, and a record whose checksum fits it."""

    def rewrite(path):
        with np.load(path) as file:
            arrays = [array, *(file[f"{i:03d}"] for i in range(1, 12))]
            record = json.loads(file[shipped.RECORD])
        record["checksum"] = shipped.checksum(arrays)
        text = json.dumps(record)
        with_parts({"000.npy": npy(array, **said), shipped.RECORD: text})(path)

    return rewrite


def with_record(text):
    return with_parts({shipped.RECORD: text})


def cut(keep):
    return lambda path: path.write_bytes(path.read_bytes()[:keep])


ZEROS = np.zeros(SHAPE, np.float32)
HEADER = b"\x93NUMPY\x01\x00"
OTHERS = "belongs to another network than 'clever_hans'"
FILES = {
    "empty": (cut(0), "damaged"),
    "cut near its begin": (cut(100), "damaged"),
    "cut near its end": (cut(-100), "damaged"),
    "text": (lambda path: path.write_text("weights"), "damaged"),
    "an npy": (lambda path: path.write_bytes(npy(ZEROS)), "damaged"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "damaged"),
    "no record": (with_record(None), "damaged"),
    "a record that is no JSON": (with_record("{"), "damaged"),
    "a record that is a list": (with_record("[1]"), "damaged"),
    "a record that is a number": (with_record("1"), "damaged"),
    "a record that is null": (with_record("null"), "damaged"),
    "an empty record": (with_record("{}"), "damaged"),
    "a record with another checksum": (with_record('{"checksum": "0"}'), "damaged"),
    "a nested record": (with_record("[" * 19_000), "damaged"),
    "a record of 30 MB": (with_record(b" " * 3 * 10**7 + b"{}"), "damaged"),
    "an array lost": (with_parts({"003.npy": None}), OTHERS),
    "an array more": (with_parts({"012.npy": npy(ZEROS)}), OTHERS),
    "a part of another name": (with_parts({"evil": b"x"}), OTHERS),
    "a part twice": (with_parts({}, twice=["000.npy"]), "damaged"),
    "another shape": (with_array(np.zeros((3, 3, 16, 3), np.float32)), OTHERS),
    "terabytes in a header": (with_parts({"000.npy": npy(ZEROS, shape=(10**12,))}), OTHERS),
    "negative numbers in a header": (with_parts({"000.npy": npy(ZEROS, shape=(-1,))}), OTHERS),
    "30 MB behind a header": (with_parts({"000.npy": npy(ZEROS) + bytes(3 * 10**7)}), "damaged"),
    "a byte short": (with_parts({"000.npy": npy(ZEROS)[:-1]}), "damaged"),
    "zeros": (with_parts({"000.npy": npy(ZEROS)}), "damaged"),
    "NaN": (with_array(np.full(SHAPE, np.nan, np.float32)), "damaged"),
    "infinite": (with_array(np.full(SHAPE, np.inf, np.float32)), "damaged"),
    "whole numbers": (with_array(np.ones(SHAPE, np.int32)), "damaged"),
    "double precision": (with_array(np.ones(SHAPE)), "damaged"),
    "the other byte order": (with_array(np.ones(SHAPE, ">f4")), "damaged"),
    "objects": (with_array(ZEROS, descr="|O"), "damaged"),
    "a header of version 3": (with_parts({"000.npy": HEADER[:6] + b"\x03\x00"}), "damaged"),
    "a header that is nested": (
        with_parts({"000.npy": HEADER + b"\x00\x20" + b"(" * 8192}),
        "damaged",
    ),
    "a header that is code": (
        with_parts({"000.npy": HEADER + b"\x10\x00" + b"__import__('os')"}),
        "damaged",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_and_the_network_left_alone(saved, other, name):
    spoil, words = FILES[name]
    spoil(saved)
    before = other.get_weights()
    tracemalloc.start()
    with pytest.raises(ValueError, match=words) as caught:
        shipped.load_weights(other, "small")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    assert most < 10e6
    assert_equal(before, other.get_weights())


def test_flipped_bits_never_become_weights(saved, model, other):
    content, refused = saved.read_bytes(), 0
    for at in np.linspace(0, len(content) - 1, 200).astype(int):
        flipped = bytearray(content)
        flipped[at] ^= 64
        saved.write_bytes(flipped)
        try:
            shipped.load_weights(other, "small")
        except ValueError as error:
            assert str(error).startswith("small.npz "), error
            refused += 1
        else:  # a date, say
            assert_equal(model.get_weights(), other.get_weights())
    assert refused > 180


def test_other_network_is_refused(saved):
    with pytest.raises(ValueError, match="belongs to another network"):
        shipped.load_weights(networks.clever_hans(32), "small")


# ---- training ------------------------------------------------------------------------------------


def test_fit_learns_a_bright_square(capfd):
    rng = np.random.default_rng(0)
    y = np.arange(128) % 2
    x = rng.uniform(0, 0.3, (128, 16, 16, 3)).astype("float32")
    x[y == 1, 4:12, 4:12] += 0.6
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = networks.clever_hans(16)
    history = training.fit(model, x, y, loss=loss, epochs=6, batch_size=16)
    assert len(history["loss"]) == 6
    assert ((model.predict(x, verbose=0)[:, 0] > 0) == y).mean() == 1
    said = capfd.readouterr().err
    assert "48/48" in said and f"loss={history['loss'][-1]:.3f}" in said


def test_fit_takes_an_optimizer_and_callbacks():
    model = networks.brightness_only()
    before, ends = model.get_weights(), []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(epoch))
    how = {"optimizer": keras.optimizers.legacy.SGD(0.0), "callbacks": [callback]}
    training.fit(model, np.ones((4, 64, 64, 5)), np.zeros((4, 2)), loss="mse", epochs=3, **how)
    assert ends == [0, 1, 2]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "x, y, message",
    [
        (np.zeros((3, 16, 16, 3)), np.zeros(2), "3 inputs and 2 targets"),
        (np.full((2, 16, 16, 3), np.nan), np.zeros(2), "NaN or infinite"),
    ],
)
def test_fit_refuses_bad_data(x, y, message):
    with pytest.raises(ValueError, match=message):
        training.fit(networks.clever_hans(16), x, y, loss="mse", epochs=1)


@pytest.mark.parametrize("size", [0, -16, 20])
def test_network_size(size):
    with pytest.raises(ValueError, match="multiple of 16"):
        networks.clever_hans(size)
