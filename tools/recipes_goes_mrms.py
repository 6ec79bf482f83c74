"""How the networks from GOES to MRMS are trained, and their checkpoints kept."""

from functools import lru_cache

import numpy as np
from tensorflow import keras

from utils import networks, training, worlds
from utils.worlds import goes_mrms

SIZE = 64  # rows and columns of the training patches
PLAIN = {"skip": False, "patches": 3000, "epochs": 24, "step": 2e-3, "start": None}
UNET = {**PLAIN, "skip": True}
# The network as it is after some epochs of the same training, from before the first one on.
RECIPES = {f"goes_mrms_epoch_{epoch:03d}": {**PLAIN, "epoch": epoch} for epoch in (0, 1, 3, 8)}
RECIPES |= {"goes_mrms": {**PLAIN, "epoch": 24}, "goes_mrms_skip": {**UNET, "epoch": 24}}


def network(recipe):
    """The network of a recipe, with random weights, for pictures of any size."""
    return networks.encoder_decoder(size=None, skip=recipe["skip"])


def data(recipe, n=None):
    """Inputs and targets of the training, or of its first n patches."""
    drawn = goes_mrms.simulate(n or recipe["patches"], worlds.TRAINING, SIZE, progress=True)
    return goes_mrms.as_input(drawn), goes_mrms.as_target(drawn)


class _Keep(keras.callbacks.Callback):
    """Keeps the weights before the first and after each epoch."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_begin(self, logs=None):
        self.weights.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(self.model.get_weights())


@lru_cache
def _weights(skip, patches, epochs, step):
    """Train once, for all checkpoints: the weights after 0, 1, ... epochs."""
    x, y = data({"patches": patches})
    keras.utils.set_random_seed(0)
    model, keep = network({"skip": skip}), _Keep()
    options = {"epochs": epochs, "batch_size": 18, "learning_rate": step, "callbacks": [keep]}
    training.fit(model, x, y, loss=training.weighted_loss, **options)
    return keep.weights


def train(model, recipe):
    """Give the model the weights after `recipe["epoch"]` epochs of one training."""
    kept = _weights(*(recipe[key] for key in ("skip", "patches", "epochs", "step")))
    model.set_weights(kept[recipe["epoch"]])


@lru_cache
def _tested(n):
    drawn = goes_mrms.simulate(n, worlds.VALIDATION, SIZE, progress=True)
    return goes_mrms.as_input(drawn), drawn.mrms.values


def right(model, recipe, n=600):
    """For some thresholds: is there an echo where one is seen or estimated?

    One pixel of each validation patch, drawn among those that are or are said to be at or above the
    threshold: the share of right ones is the critical success index, averaged over patches.
    """
    x, seen = _tested(n)
    says = 60 * model.predict(x, verbose=0)[..., 0]
    answers = {}
    for threshold in (20, 30, 40):
        # One random number for each patch, whatever is found in the others.
        places, found = np.random.default_rng(0).random(len(x)), []
        for place, a, b in zip(places, says >= threshold, seen >= threshold, strict=True):
            hits = (a & b)[a | b]
            if hits.size:
                found.append(bool(hits[int(place * hits.size)]))
        answers[f"CSI at {threshold} dBZ"] = np.array(found, bool)
    return answers
