"""The first line of a lesson, in graph mode."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
import xarray as xr

from tests import conftest
from utils import course, plots

ROOT = Path(__file__).resolve().parents[2]


def draws():
    """One random number of each kind that a lesson uses, and a network's first weight."""
    weights = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))]).get_weights()
    return random.random(), np.random.rand(), float(weights[0][0, 0])


def test_start_prints_one_line_of_versions(capfd):
    course.start(seed=3)
    said = capfd.readouterr()
    assert said.err == ""
    assert said.out.count("\n") == 1 and said.out.endswith("graph mode, seed 3\n")
    assert f"TensorFlow {tf.__version__}" in said.out and "iNNvestigate 2." in said.out


def test_start_seeds_everything():
    course.start(seed=1)
    first = draws()
    course.start(seed=1)
    assert draws() == first
    course.start(seed=2)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


def test_start_sets_graph_mode_and_style():
    plt.rcParams["axes.spines.top"] = True
    course.start()
    assert not tf.executing_eagerly()
    assert not plt.rcParams["axes.spines.top"]


def test_the_mode_is_chosen_once():
    with pytest.raises(
        RuntimeError, match="in graph mode and cannot change to eager mode: restart"
    ):
        course.start(eager=True)
    assert not tf.executing_eagerly()


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_start_refuses_a_seed_out_of_range(seed):
    with pytest.raises(ValueError, match="between 0 and"):
        course.start(seed=seed)


@pytest.mark.parametrize("seed", [1.5, "0", None, True])
def test_start_refuses_a_seed_that_is_no_integer(seed):
    with pytest.raises(TypeError, match="must be an integer"):
        course.start(seed=seed)


def test_start_takes_the_captions_of_its_lesson():
    course.start("01_clever_hans", seed=0)
    key, caption, alt = plots.captions.of("densities")
    assert key == "densities" and caption != alt
    course.start()
    with pytest.raises(ValueError, match="There is no figure"):
        plots.captions.of("densities")
    with pytest.raises(ValueError, match="no lesson called '01'; there are 00_start_here, 01"):
        course.start("01")
    with pytest.raises(TypeError, match=r"lesson must be .* name, not 3: .*start\(seed=0\)"):
        course.start(3)


def run_python(code):
    """Run code in a process of its own, without what `utils` has set in this one."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_what_goes_wrong_while_tensorflow_is_imported_is_said(tmp_path):
    (tmp_path / "tensorflow.py").write_text("import os; os.write(2, b'no' + b'ise'); 1 / 0")
    code = f"import sys, utils; sys.path.insert(0, {str(tmp_path)!r}); import tensorflow"
    run = run_python(code)
    assert run.returncode == 1 and "noise" not in run.stderr
    assert run.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_start_refuses_keras_3(monkeypatch):
    monkeypatch.setattr(tf.keras.Model, "__module__", "keras.src.models.model")
    with pytest.raises(RuntimeError, match="took Keras 3, .* needs Keras 2: restart the kernel"):
        course.start()


def test_the_first_cell_and_a_prediction_are_quiet():
    run = run_python(
        "from utils import archive, course, features, lrp, receptive_field, training\n"
        "from utils.explain import explain, one_pixel, patternnet\n"
        "course.start(); import tensorflow as tf, numpy as np\n"
        "m = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])\n"
        "m.predict(np.ones((1, 1)), verbose=0)"
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("graph mode, seed 0\n")


def test_graph_and_eager_tests_do_not_mix():
    graph, eager = (
        SimpleNamespace(path=ROOT / "tests" / d / "test_a.py") for d in ("graph", "eager")
    )
    for apart in ([graph, graph], [eager]):
        conftest.pytest_collection_modifyitems(apart)
    with pytest.raises(pytest.UsageError, match="need different modes of TensorFlow: run them"):
        conftest.pytest_collection_modifyitems([graph, eager])


def test_means_of_single_precision_are_sound():
    field = 280 + 10 * np.random.default_rng(0).standard_normal((12, 256, 256), dtype=np.float32)
    exact = field.astype(np.float64)
    assert float(xr.DataArray(field).mean()) == pytest.approx(exact.mean(), rel=1e-6)
    assert float(xr.DataArray(field).std()) == pytest.approx(exact.std(), rel=1e-6)


@pytest.mark.parametrize("end", ["pass", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_the_folder_goes_with_its_process(end):
    code = f"""
import os
from utils import course, plots
(course.scratch() / "inside").mkdir()
assert course.scratch().samefile(course.scratch())
print(course.scratch(), flush=True)
{end}"""
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    folder = Path(process.stdout.strip())
    assert folder.name.startswith("peering-inside-"), process.stderr
    until = time.monotonic() + 60
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not folder.exists()
