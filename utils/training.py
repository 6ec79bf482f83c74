"""Train a network with a progress bar."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tqdm.auto import tqdm


def fit(
    model,
    x,
    y,
    *,
    loss,
    epochs,
    batch_size=64,
    learning_rate=1e-3,
    optimizer=None,
    callbacks=(),
):
    """Train a network with a progress bar.

    Parameters
    ----------
    model : keras.Model
        The network. It is trained in place.
    x, y : array_like
        Inputs and targets, shapes (sample, ...) as the network takes and gives them.
    loss : str, function or keras.losses.Loss
        What to minimise.
    epochs, batch_size : int
        Passes over all samples, and samples for each step.
    learning_rate : float
        Adam's first step size.
    optimizer : keras.optimizers.Optimizer, optional
        None is Adam, with a step size that falls to zero along half a cosine. In graph mode, which
        iNNvestigate needs, it must be one of ``keras.optimizers.legacy``.
    callbacks : sequence of keras.callbacks.Callback
        What else to call while training.

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
    if optimizer is None:
        falling = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        optimizer = keras.optimizers.legacy.Adam(falling)
    model.compile(optimizer, loss=loss)
    # Not tqdm's own callback: beside tf_keras it imports all of Keras 3, for seconds and 120 MB.
    with tqdm(total=steps, unit="batch") as bar:
        progress = keras.callbacks.LambdaCallback(
            on_batch_end=lambda batch, logs: bar.update(),
            on_epoch_end=lambda epoch, logs: bar.set_postfix(loss=f"{logs['loss']:.3f}"),
        )
        how = {"batch_size": batch_size, "epochs": epochs, "verbose": 0}
        return model.fit(x, y, **how, callbacks=[progress, *callbacks]).history


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
