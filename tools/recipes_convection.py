"""How the convection networks are trained."""

import numpy as np
from tensorflow import keras

from utils import networks, training, worlds
from utils.worlds import convection

# What each network learns from: "data" names settings of the world, "augmented" says whether every
# sequence is shown a second time, brighter or darker.
FIRST = {"network": "convection", "start": None, "sequences": 2500, "augmented": False}
RECIPES = {
    "convection": {**FIRST, "data": ["training"], "epochs": 5, "step": 1e-3},
}
SHARES = {"training": 1.0, "texture_only": 0.5}  # of the sequences of a recipe, in each setting
HARD = ("bright_smooth", "dim_bubbling")


def network(recipe):
    """The network of a recipe, with random weights."""
    return getattr(networks, recipe["network"])()


def made_by(recipe):
    """The code that decides the weights."""
    return [getattr(networks, recipe["network"]), convection, training.fit]


def train(model, recipe):
    """Train a convection network."""
    parts = [
        convection.simulate(
            int(SHARES[setting] * recipe["sequences"]), worlds.TRAINING, setting, progress=True
        )
        for setting in recipe["data"]
    ]
    x = np.concatenate([convection.as_input(part) for part in parts])
    if recipe["network"] == "convection_map":
        y = np.concatenate([convection.as_map(part) for part in parts])
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    else:
        y = np.concatenate([part.convection for part in parts])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if recipe["augmented"]:
        x, y = np.concatenate([x, convection.rescaled(x)]), np.concatenate([y, y])
    settings = {"epochs": recipe["epochs"], "learning_rate": recipe["step"]}
    training.fit(model, x, y, loss=loss, **settings)


def right(model, recipe, n=600):
    """For each score the answers on validation sequences: are they right?"""
    answers = {}
    for name, setting in {"accuracy": "training"} | dict(zip(HARD, HARD, strict=True)):
        test = convection.simulate(n, worlds.VALIDATION, setting, progress=True)
        answers[name] = convection.says(model, test) == (test.convection.values == 1)
    return answers
