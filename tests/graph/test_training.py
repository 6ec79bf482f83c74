"""Weights: what is saved comes back; what is wrong is refused in one sentence."""

import json

import numpy as np
import pytest

from utils import networks, skill, training


@pytest.fixture
def weights_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "data_folder", lambda: tmp_path)
    return tmp_path / "weights"


@pytest.fixture
def saved(weights_folder):
    model = networks.clever_hans(16)
    path = training.save_weights(
        model, "small", made_by=[networks.clever_hans, skill], seed=3, score=0.5
    )
    return model, path


def rewrite(path, **changes):
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, **changes})


def test_weights_come_back(saved):
    model, _ = saved
    other = networks.clever_hans(16)
    record = training.load_weights(other, "small")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert record["seed"] == 3 and record["score"] == 0.5
    assert list(record["code"]) == ["utils.networks:clever_hans", "utils.skill"]


def test_missing_names_what_is_there(saved):
    with pytest.raises(FileNotFoundError, match="called 'big'. There are: small."):
        training.load_weights(networks.clever_hans(16), "big")


def test_other_network_is_refused_and_left_alone(saved):
    other = networks.clever_hans(32)
    before = other.get_weights()
    with pytest.raises(ValueError, match="belongs to another network"):
        training.load_weights(other, "small")
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_damaged_file(saved, keep):
    model, path = saved
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="damaged"):
        training.load_weights(model, "small")


def test_pickled_content_is_never_opened(saved):
    model, path = saved
    rewrite(path, record=np.array({"code": {}}, dtype=object))
    with pytest.raises(ValueError, match="damaged"):
        training.load_weights(model, "small")


def test_outdated_file_names_what_changed(saved):
    model, path = saved
    with np.load(path) as file:
        record = json.loads(str(file["record"]))
    record["code"]["utils.skill"] = "0" * 16
    rewrite(path, record=np.array(json.dumps(record)))
    with pytest.raises(ValueError, match="before utils.skill changed: run `make weights`"):
        training.load_weights(model, "small")


@pytest.mark.parametrize(
    "place, message",
    [("this", "not made by this course"), ("utils.gone:f", "before utils.gone:f changed")],
)
def test_a_record_names_other_code(saved, place, message):
    _, path = saved
    rewrite(path, record=np.array(json.dumps({"code": {place: "0" * 16}})))
    with pytest.raises(ValueError, match=message):
        training.load_weights(networks.clever_hans(16), "small")


def test_fingerprint_sees_code_not_comments(monkeypatch):
    def fingerprint(text):
        monkeypatch.setattr(training.inspect, "getsource", lambda source: text)
        return training.fingerprint(None)

    plain = fingerprint("def f(x):\n    return x + 1")
    assert plain == fingerprint("def f(x):\n    'Add.'\n\n    # add\n    return x + 1")
    assert plain != fingerprint("def f(x):\n    return x + 2")


def test_fingerprint_sees_every_module_of_a_package(tmp_path):
    package = type(training)("package")
    package.__path__ = [str(tmp_path)]
    (tmp_path / "__init__.py").write_text("x = 1")
    (tmp_path / "part.py").write_text("y = 2")
    before = training.fingerprint(package)
    (tmp_path / "part.py").write_text("y = 3")
    assert training.fingerprint(package) != before


def test_fit_learns_a_bright_square():
    rng = np.random.default_rng(0)
    y = np.arange(128) % 2
    x = rng.uniform(0, 0.3, (128, 16, 16, 3)).astype("float32")
    x[y == 1, 4:12, 4:12] += 0.6
    loss = training.tf.keras.losses.BinaryCrossentropy(from_logits=True)
    model = networks.clever_hans(16)
    history = training.fit(model, x, y, loss=loss, epochs=6, batch_size=16)
    assert len(history["loss"]) == 6
    assert ((model.predict(x, verbose=0)[:, 0] > 0) == y).mean() == 1


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
