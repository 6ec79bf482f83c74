"""How the convection networks are trained."""

from functools import lru_cache

import numpy as np
from tensorflow import keras

from utils import networks, training, worlds
from utils.worlds import convection

ORDINARY, TEXTURE = {"training": 2500}, {"texture_only": 2400}  # setting: number of sequences
# "data" is what a network learns from, in order; "rescaled" shows every sequence a second time,
# brighter or darker; "step" is the optimiser's first step size.
CNN = {"network": "convection", "start": None, "data": ORDINARY, "rescaled": False, "step": 1e-3}
MAP = {**CNN, "network": "convection_map", "step": 3e-3}
FINE_TUNED = {**CNN, "start": "convection_texture", "epochs": 14, "step": 2e-3}
RECIPES = {
    "convection": {**CNN, "epochs": 5},
    "convection_brightness": {**CNN, "network": "brightness_only", "epochs": 30, "step": 1e-2},
    "convection_texture": {**CNN, "data": TEXTURE, "epochs": 14, "step": 2e-3},
    "convection_repaired": {**FINE_TUNED, "data": {**ORDINARY, **TEXTURE}},
    "convection_forgetful": FINE_TUNED,
    "convection_rescaled": {**CNN, "rescaled": True, "epochs": 6},
    "convection_map": {**MAP, "rescaled": True, "epochs": 8},
    "convection_map_plain": {**MAP, "epochs": 10},
}


def network(recipe):
    """The network of a recipe, with random weights."""
    return getattr(networks, recipe["network"])()


@lru_cache
def _learned(setting, n):
    """Input, labels, and the map of what bubbles in the middle picture."""
    data = convection.simulate(n, worlds.TRAINING, setting, progress=True)
    middle = data.truth_bubbling[:, data.sizes["time"] // 2].values
    return convection.as_input(data), data.convection.values, np.float32(middle[..., None])


def data(recipe, n=None):
    """Inputs and targets of the training, or of the first n sequences of each setting."""
    parts = [_learned(setting, n or whole) for setting, whole in recipe["data"].items()]
    x, label, where = (np.concatenate(part) for part in zip(*parts, strict=True))
    y = where if recipe["network"] == "convection_map" else label
    if recipe["rescaled"]:
        gain = 2 ** np.random.default_rng(0).uniform(-1.3, 0.7, (len(x), 1, 1, 1))
        x = np.concatenate([x, np.float32(np.minimum(gain * x, 1))])
        y = np.concatenate([y, y])
    return x, y


def train(model, recipe):
    """Train a convection network: on labels, or on maps if that is its output."""
    maps = recipe["network"] == "convection_map"
    kind = keras.losses.BinaryCrossentropy if maps else keras.losses.SparseCategoricalCrossentropy
    options = {"epochs": recipe["epochs"], "learning_rate": recipe["step"]}
    training.fit(model, *data(recipe), loss=kind(from_logits=True), **options)


@lru_cache
def _tested(setting, n):
    data = convection.simulate(n, worlds.VALIDATION, setting, progress=True)
    return convection.as_input(data), data.convection.values == 1


def right(model, recipe, n=600):
    """For each score the answers on n validation sequences: are they right?

    A map says "convection" where more than 100 of its pixels do, 25 square kilometres.
    """
    answers = {}
    for score, setting in {
        "accuracy": "training",
        "bright and smooth": "bright_smooth",
        "dim and bubbling": "dim_bubbling",
    }.items():
        x, label = _tested(setting, n)
        z = model.predict(x, verbose=0)
        says = (z > 0).sum((1, 2, 3)) > 100 if z.ndim == 4 else z[:, 1] > z[:, 0]
        answers[score] = says == label
    return answers
