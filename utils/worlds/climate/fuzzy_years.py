"""Years as fuzzy decades: how a classifier is taught a year, and how its answer is read.

The recipe is that of Barnes et al. 2020 (https://doi.org/10.1029/2020MS002195) as published in code
by Labe and Barnes 2021: a year is a window of ten years around it, shared over the decades.
"""

import numpy as np
from tensorflow import keras

from utils import training

CENTRES = np.arange(1915.0, 2106, 10)


def fuzzy(years):
    """Share of a ten-year window around each year that lies in each decade.

    Parameters
    ----------
    years : array_like, shape (sample,)
        From 1915 to 2105.

    Returns
    -------
    numpy.ndarray, shape (sample, decade)
        float32; each row sums to 1, over at most two decades.

    Raises
    ------
    ValueError
        If a year lies outside.
    """
    years = np.asarray(years, float)
    if years.ndim != 1 or not ((years >= CENTRES[0]) & (years <= CENTRES[-1])).all():
        raise ValueError("Give a list of years from 1915 to 2105.")
    return np.float32(np.clip(1 - abs(years[:, None] - CENTRES) / 10, 0, 1))


def fit(model, x, years, epochs=50):
    """Train a network on fuzzy decades as published: each class a yes or no, by SGD.

    The loss is the mean binary cross-entropy of the softmax; steps are 0.01 times the slope, with
    Nesterov's momentum of 0.9, 32 maps at a time.

    Parameters
    ----------
    model : keras.Model
        From maps to the logits of `CENTRES`. It is trained in place.
    x : array_like, shape (sample, lat, lon)
        Standardised maps.
    years : array_like, shape (sample,)
    epochs : int
        Passes over all samples.

    Returns
    -------
    dict
        Under "loss" a list with one value an epoch.

    Raises
    ------
    ValueError
        As in `fuzzy` and in :func:`utils.training.fit`.
    """

    def loss(truth, logits):
        return keras.losses.binary_crossentropy(truth, keras.activations.softmax(logits))

    sgd = keras.optimizers.legacy.SGD(0.01, momentum=0.9, nesterov=True)
    how = {"loss": loss, "epochs": epochs, "batch_size": 32, "optimizer": sgd}
    return training.fit(model, x, fuzzy(years), **how)


def year(logits):
    """The year that logits stand for: the decades' centres, weighted by probability.

    Parameters
    ----------
    logits : array_like, shape (sample, decade)

    Returns
    -------
    numpy.ndarray, shape (sample,)

    Raises
    ------
    ValueError
        If there is not one finite logit for each decade.
    """
    logits = np.asarray(logits, float)
    if logits.shape[-1:] != CENTRES.shape or not np.isfinite(logits).all():
        raise ValueError(f"Give {len(CENTRES)} finite logits for each map, not {logits.shape}.")
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return p @ CENTRES / p.sum(-1)
