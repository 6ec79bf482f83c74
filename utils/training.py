"""Train a network with a progress bar; keep its weights with a record of how they were made."""

import ast
import hashlib
import importlib
import inspect
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from utils.worlds import data_folder


class _Progress(tf.keras.callbacks.Callback):
    """One bar over all batches, with the running loss behind it."""

    def __init__(self, batches):
        super().__init__()
        self.bar = tqdm(total=batches, unit="batch")

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in (logs or {}).items()})

    def on_train_end(self, logs=None):
        self.bar.close()


def fit(model, x, y, *, loss, epochs, batch_size=64, learning_rate=1e-3):
    """Train with Adam, a step size that falls to zero along half a cosine, and a progress bar.

    Parameters
    ----------
    model : keras.Model
        The network. It is trained in place.
    x, y : array_like
        Inputs and targets, shapes (sample, ...) as the network takes and gives them.
    loss : str or keras.losses.Loss
        What to minimise.
    epochs, batch_size : int
        Passes over all samples, and samples for each step.
    learning_rate : float
        Adam's first step size.

    Returns
    -------
    dict
        Under "loss" a list with one value an epoch.

    Raises
    ------
    ValueError
        If an input or a target is NaN or infinite, or their numbers differ.
    """
    x, y = np.asarray(x), np.asarray(y)
    if len(x) != len(y):
        raise ValueError(f"There are {len(x)} inputs and {len(y)} targets: give one for each.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("Inputs or targets hold NaN or infinite values: remove or fill them.")
    steps = epochs * -(-len(x) // batch_size)
    falling = tf.keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    # Keras' newer Adam fails in graph mode, which iNNvestigate needs.
    adam = tf.keras.optimizers.legacy.Adam(falling)
    model.compile(adam, loss=loss)
    progress = [_Progress(steps)]
    run = model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=progress)
    return run.history


def weighted_loss(truth, estimate):
    """Mean of exp(5 y^4) (yhat - y)^2, the loss of Hilburn et al. (2021) for reflectivity.

    Strong echoes are rare; without the weight a network that never estimates any does well.

    Parameters
    ----------
    truth, estimate : tensor
        Reflectivity y and its estimate yhat, in dBZ / 60.

    Returns
    -------
    tensor
        One number. The weight is 1 at 0 dBZ, 1.4 at 30, 7.8 at 48 and 148 at 60.
    """
    return tf.reduce_mean(tf.exp(5 * truth**4) * (estimate - truth) ** 2)


def fingerprint(source):
    """Hash of the code of a function, a module, or a package with all its modules.

    Comments, docstrings and layout do not count.

    Parameters
    ----------
    source : function or module

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    if hasattr(source, "__path__"):
        files = sorted(Path(source.__path__[0]).rglob("*.py"))
        texts = [file.read_text(encoding="utf-8") for file in files]
    else:
        texts = [inspect.getsource(source)]
    code = "".join(ast.dump(_without_docstrings(ast.parse(text))) for text in texts)
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            if ast.get_docstring(node) is not None:
                del node.body[0]
    return tree


def _place(source):
    """Where the source stands: "utils.networks:clever_hans", or "utils.worlds.clever_hans"."""
    return source.__name__ if inspect.ismodule(source) else f"{source.__module__}:{source.__name__}"


def _present_fingerprint(place, name):
    """Fingerprint of the code at `place` as it is now, None if it is gone."""
    module, _, function = place.partition(":")
    if not module.startswith("utils."):  # a file must not choose what is imported
        raise ValueError(f"{name} was not made by this course: it names {place}.")
    try:
        source = importlib.import_module(module)
        return fingerprint(getattr(source, function) if function else source)
    except (ImportError, AttributeError):
        return None


def save_weights(model, name, *, made_by, **record):
    """Write a network's weights and their record to ``data/weights/<name>.npz``.

    Plain arrays, in the order of ``model.get_weights()``, and no pickle.

    Parameters
    ----------
    model : keras.Model
    name : str
        Name of the file, without its ending.
    made_by : sequence of functions and modules
        The code that decides the weights: the network's function first, then the world of its
        training data. Once one of them changes, the weights count as outdated.
    **record
        What else should be known: seed, epochs, scores (anything that JSON can hold).

    Returns
    -------
    pathlib.Path
        The file.
    """
    code = {_place(source): fingerprint(source) for source in made_by}
    versions = {"tensorflow": tf.__version__, "numpy": np.__version__}
    arrays = {f"{i:03d}": array for i, array in enumerate(model.get_weights())}
    path = data_folder() / "weights" / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"code": code, "versions": versions, **record})
    np.savez_compressed(path, record=np.array(text), **arrays)
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
        If the file is damaged, belongs to another network, or was made by code that has
        changed since.
    """
    path = data_folder() / "weights" / f"{name}.npz"
    if not path.exists():
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.npz"))) or "none"
        raise FileNotFoundError(f"There are no weights called {name!r}. There are: {there}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            record = json.loads(str(file["record"]))
            weights = [file[key] for key in sorted(set(file.files) - {"record"})]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path.name} is damaged: get it again with "
            f"`git checkout -- :/data/weights/{path.name}`, or make it with `make weights`."
        ) from error
    if [w.shape for w in weights] != [w.shape for w in model.get_weights()]:
        raise ValueError(
            f"{path.name} belongs to another network than {model.name!r}: "
            f"it was made for {next(iter(record['code']))}."
        )
    for place, made_with in record["code"].items():
        if _present_fingerprint(place, path.name) != made_with:
            raise ValueError(
                f"{path.name} was made before {place} changed: run `make weights` to train again, "
                "or install the course's utils again if they are older than its folder."
            )
    model.set_weights(weights)
    return record
