"""The first line of every lesson: mode, seeds, quiet logs and figure style."""

import functools
import platform
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

_mode = None

# A process that is killed cannot tidy up. Another one waits until the pipe between them closes.
_SWEEP = """
import os, shutil, sys, time
sys.stdin.read()
for _ in range(10):  # a worker may write on for a moment
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    if not os.path.exists(sys.argv[1]):
        break
    time.sleep(1)
"""


def start(lesson=None, seed=0, eager=False):
    """Prepare the process for a lesson and print one line of versions.

    Call it before any network is built. Calling it again is fine: it sets the seeds anew.

    Parameters
    ----------
    lesson : str, optional
        The lesson's name, such as ``"01_clever_hans"``, by which `plots.show` finds the captions of
        its figures.
    seed : int
        Seed of Python's, NumPy's and TensorFlow's random numbers.
    eager : bool
        False for TensorFlow's graph mode, which iNNvestigate needs; True for eager mode, which
        tf-explain needs.

    Raises
    ------
    RuntimeError
        If the process already runs in the other mode: it is chosen once per process. Or if
        TensorFlow was imported before `utils`, and with Keras 3.
    TypeError, ValueError
        If the seed is not an integer between 0 and 2**32 - 1, or there is no such lesson.
    """
    global _mode
    if lesson is not None and not isinstance(lesson, str):
        raise TypeError(
            f"lesson must be a lesson's name, not {lesson!r}: a seed is given as start(seed=0)."
        )
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed must be an integer, not {seed!r}: write start(seed=0).")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must lie between 0 and 2**32 - 1, not {seed}: write start(seed=0).")

    import tensorflow as tf  # takes seconds, so only when a lesson really starts
    from tensorflow.keras import layers  # not where tf.keras is found, if TensorFlow came first

    from utils import plots

    if not all(one.__module__.startswith("tf_keras.") for one in (tf.keras.Model, layers.Layer)):
        raise RuntimeError(
            "TensorFlow was imported before the course's utils and took Keras 3, where the course "
            "needs Keras 2: restart the kernel, then run the lesson from its first cell."
        )
    wanted = "eager" if eager else "graph"
    current = _mode or (None if tf.executing_eagerly() else "graph")
    if current not in (None, wanted):
        raise RuntimeError(
            f"This process already runs in {current} mode and cannot change to {wanted} mode: "
            "restart the kernel, then run the lesson from its first cell."
        )
    if wanted == "graph":
        tf.compat.v1.disable_eager_execution()
    _mode = wanted

    tf.keras.utils.set_random_seed(seed)
    tf.get_logger().setLevel("ERROR")
    # Keras says this of its own code whenever a model predicts in graph mode.
    warnings.filterwarnings("ignore", message=".*Model.state_updates.*")
    plots.style()
    plots.captions.use(lesson)

    packages = ["NumPy", "TensorFlow"] + ["iNNvestigate"] * (not eager)
    versions = [f"Python {platform.python_version()}"] + [f"{p} {version(p)}" for p in packages]
    print(f"{', '.join(versions)}; {wanted} mode, seed {seed}")


def scratch():
    """The temporary folder of this process, which goes when the process ends, in whatever way.

    Returns
    -------
    Path
        The same for each call.
    """
    return _folder()[0]


@functools.cache
def _folder():
    path = Path(tempfile.mkdtemp(prefix="peering-inside-"))
    sweep = [sys.executable, "-ISc", _SWEEP, path]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # A session of its own: what interrupts or ends this process does not reach it.
    return path, subprocess.Popen(sweep, stdin=subprocess.PIPE, start_new_session=True, **quiet)
