"""Train the shipped networks from nothing: `make weights`, or ARGS="name ..." for some of them."""

import sys

from tensorflow import keras

from utils import course, networks, skill, training, worlds
from utils.worlds import clever_hans


def train_clever_hans(setting, test_setting, start=None, n=6500, epochs=12):
    """Train a horse network on one setting of the world and test it on another.

    It starts from random weights, or from those of the name `start`.

    Returns
    -------
    model : keras.Model
    record : dict
        How it was made, and its accuracy in per cent on validation pictures.
    """
    model = networks.clever_hans()
    if start:
        training.load_weights(model, start)
    data = clever_hans.simulate(n, worlds.TRAINING, setting, progress=True)
    training.fit(
        model,
        data.picture,
        data.horse.values[:, None],
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        epochs=epochs,
    )
    test = clever_hans.simulate(1000, worlds.VALIDATION, test_setting, progress=True)
    says_horse = model.predict(test.picture.values, verbose=0)[:, 0] > 0
    accuracy, _ = skill.rate(says_horse == (test.horse.values == 1))
    record = {"seed": 0, "setting": setting, "start": start, "pictures": n, "epochs": epochs}
    return model, {**record, "tested on": test_setting, "accuracy": round(accuracy, 1)}


RECIPES = {
    "clever_hans": lambda: train_clever_hans("training", "training"),
    "clever_hans_repaired": lambda: train_clever_hans("balanced", "real", "clever_hans"),
}
MADE_BY = {name: [networks.clever_hans, clever_hans] for name in RECIPES}


def main(names):
    for name in names or RECIPES:
        course.start(seed=0)
        model, record = RECIPES[name]()
        path = training.save_weights(model, name, made_by=MADE_BY[name], **record)
        print(f"{path.name}: {record}")


if __name__ == "__main__":
    main(sys.argv[1:])
