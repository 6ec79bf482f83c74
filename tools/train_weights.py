"""Train the shipped networks from nothing: `make weights`, or ARGS="name ..." for some of them."""

import hashlib
import sys

from tensorflow import keras

from utils import course, networks, skill, training, worlds
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
MADE_BY = [networks.clever_hans, clever_hans, training.fit]


def start_hash(recipe):
    """Hash of the weights that a recipe starts from, None for random ones."""
    if recipe["start"] is None:
        return None
    model = networks.clever_hans()
    training.load_weights(model, recipe["start"])
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16]


def train(recipe):
    """Train a horse network on one setting of the world and test it on another.

    Returns
    -------
    model : keras.Model
    record : dict
        The recipe, the seeds, and the accuracy in per cent on 1,000 validation pictures.
    """
    course.start(seed=0)
    model = networks.clever_hans()
    if recipe["start"]:
        training.load_weights(model, recipe["start"])
    data = clever_hans.simulate(
        recipe["pictures"], worlds.TRAINING, recipe["setting"], progress=True
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    training.fit(
        model, data.picture, data.horse.values[:, None], loss=loss, epochs=recipe["epochs"]
    )
    test = clever_hans.simulate(1000, worlds.VALIDATION, recipe["tested on"], progress=True)
    says_horse = model.predict(test.picture.values, verbose=0)[:, 0] > 0
    accuracy, _ = skill.rate(says_horse == (test.horse.values == 1))
    seeds = {"seed": 0, "first picture": worlds.TRAINING, "start hash": start_hash(recipe)}
    return model, {**recipe, **seeds, "accuracy": round(accuracy, 1)}


def main(names):
    unknown = set(names) - set(RECIPES)
    if unknown:
        print(
            f"There are no weights called {', '.join(unknown)}: choose from {', '.join(RECIPES)}."
        )
        return 1
    for name in names or RECIPES:
        model, record = train(RECIPES[name])
        path = training.save_weights(model, name, made_by=MADE_BY, **record)
        print(f"{path.name}: {record}")
    print("Now run `make pictures` and `make lessons`.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
