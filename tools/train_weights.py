"""Train the shipped networks from nothing: `make weights`, or ARGS="name ..." for some of them.

Each world has a module of recipes. It offers `RECIPES` by name, and functions of a recipe:
`network`, `made_by`, `train`, and `right`, whose answers are the scores.
"""

import hashlib
import sys

import utils  # noqa: F401  before TensorFlow, which then takes Keras 2

# isort: split
import recipes_clever_hans
import recipes_climate
import recipes_convection
import recipes_goes_mrms
import recipes_receptive_fields

from utils import course, skill, training, worlds

WORLDS = [recipes_clever_hans, recipes_convection, recipes_goes_mrms, recipes_climate]
WORLDS += [recipes_receptive_fields]
WORLD = {name: world for world in WORLDS for name in world.RECIPES}
RECIPES = {name: world.RECIPES[name] for name, world in WORLD.items()}


def start_hash(recipe):
    """Hash of the weights that a recipe starts from, None for random ones."""
    if recipe["start"] is None:
        return None
    model = WORLD[recipe["start"]].network(RECIPES[recipe["start"]])
    training.load_weights(model, recipe["start"])
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16]


def train(name):
    """Train a network by its recipe, and test it.

    Returns
    -------
    model : keras.Model
    record : dict
        The recipe, the seeds, and the scores in per cent on validation samples.
    """
    recipe, world = RECIPES[name], WORLD[name]
    course.start(seed=0)
    model = world.network(recipe)
    if recipe["start"]:
        training.load_weights(model, recipe["start"])
    world.train(model, recipe)
    scores = {key: round(skill.rate(yes)[0], 1) for key, yes in world.right(model, recipe).items()}
    seeds = {"seed": 0, "first picture": worlds.TRAINING, "start hash": start_hash(recipe)}
    return model, {**recipe, **seeds, **scores}


def main(names):
    unknown = set(names) - set(RECIPES)
    if unknown:
        print(
            f"There are no weights called {', '.join(unknown)}: choose from {', '.join(RECIPES)}."
        )
        return 1
    for name in names or RECIPES:
        model, record = train(name)
        made_by = WORLD[name].made_by(RECIPES[name])
        path = training.save_weights(model, name, made_by=made_by, **record)
        print(f"{path.name}: {record}")
    print("Now run `make pictures` and `make lessons`.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
