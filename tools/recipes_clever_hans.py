"""How the horse networks are trained."""

from tensorflow import keras

from utils import networks, training, worlds
from utils.worlds import clever_hans

RECIPES = {
    "clever_hans": {
        "setting": "training",
        "tested on": "training",
        "start": None,
        "pictures": 6500,
        "epochs": 12,
    },
    "clever_hans_repaired": {
        "setting": "balanced",
        "tested on": "real",
        "start": "clever_hans",
        "pictures": 6500,
        "epochs": 16,
    },
}


def network(recipe):
    """The network of a recipe, with random weights."""
    return networks.clever_hans()


def data(recipe, n=None):
    """Inputs and targets of the training, or of its first n pictures."""
    n = n or recipe["pictures"]
    drawn = clever_hans.simulate(n, worlds.TRAINING, recipe["setting"], progress=True)
    return drawn.picture.values, drawn.horse.values[:, None]


def train(model, recipe):
    """Train a horse network on one setting of the world."""
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    training.fit(model, *data(recipe), loss=loss, epochs=recipe["epochs"])


def right(model, recipe, n=1000):
    """For each score the answers on n validation pictures: are they right?"""
    test = clever_hans.simulate(n, worlds.VALIDATION, recipe["tested on"], progress=True)
    says_horse = model.predict(test.picture.values, verbose=0)[:, 0] > 0
    return {"accuracy": says_horse == (test.horse.values == 1)}
