"""How the networks that see more or less far are trained."""

import numpy as np
from tensorflow import keras

from utils import training, worlds
from utils.worlds import distant_trigger

STORMS = {"start": None, "storms": 1000, "epochs": 8, "step": 5e-3}
# Receptive fields of 21 pixels, one short of the trigger, and of 25, which hold it.
DILATIONS = {"distant_trigger_21": [1, 2, 3, 4], "distant_trigger_25": [1, 2, 4, 5]}
RECIPES = {
    f"{name}_seed_{i}": {**STORMS, "dilations": dilations, "first weights": i}
    for name, dilations in DILATIONS.items()
    for i in range(3)
}


def network(recipe):
    """The network of a recipe, with random weights."""
    keras.utils.set_random_seed(recipe["first weights"])
    return distant_trigger.detector(recipe["dilations"])


def data(recipe, n=None):
    """Inputs and targets of the training, or as many."""
    x, severe = distant_trigger.storms(n or recipe["storms"], worlds.TRAINING)
    return x, np.float32(severe)


def train(model, recipe):
    """Train on storms whose trigger lies west or east."""
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    options = {"epochs": recipe["epochs"], "batch_size": 50, "learning_rate": recipe["step"]}
    training.fit(model, *data(recipe), loss=loss, **options)


def right(model, recipe, n=1000):
    """Are n validation storms told right?"""
    x, severe = distant_trigger.storms(n, worlds.VALIDATION)
    return {"accuracy": (model.predict(x, verbose=0)[:, 0] > 0) == severe}
