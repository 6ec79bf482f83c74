"""Train the shipped networks from nothing: `make weights`, or ARGS="name ..." for some of them.

ARGS=--stamp trains nothing. It takes the probes again, after a change that moved a world or a
network by so little that the trained weights still stand, which their scores then have to show.

Each world has a module of recipes. It offers `RECIPES` by name, and functions of a recipe:
`network`, `data`, `train`, and `right`, whose answers are the scores.
"""

import argparse
import sys

import utils  # noqa: F401  before TensorFlow, which then takes Keras 2

# isort: split
import numpy as np
import recipes_clever_hans
import recipes_climate
import recipes_convection
import recipes_goes_mrms
import recipes_receptive_fields
import recipes_river_gauge
from skimage.measure import block_reduce

from utils import course, skill, worlds
from utils.weights import load_weights, save_weights
from utils.weights.shipped import PROBE, file_of

WORLDS = [recipes_clever_hans, recipes_convection, recipes_goes_mrms, recipes_climate]
WORLDS += [recipes_receptive_fields, recipes_river_gauge]
WORLD = {name: world for world in WORLDS for name in world.RECIPES}
RECIPES = {name: world.RECIPES[name] for name, world in WORLD.items()}
TOLERANCE = 0.005  # of the largest value in a probe: what other versions of packages may change


def shipped(name):
    """A network with its shipped weights, and their record."""
    model = WORLD[name].network(RECIPES[name])
    return model, load_weights(model, name)


def start_checksum(recipe):
    """Checksum of the weights that a recipe starts from, None for random ones."""
    return recipe["start"] and shipped(recipe["start"])[1]["checksum"]


def probe(name, model):
    """Two inputs of a network's training as they are drawn today, and what the network says.

    Pictures are kept small, as means of 4 x 4 pixels: no pixel is left out, and the network gets
    the whole picture.

    Returns
    -------
    input, output : array of float16
    """
    x, _ = WORLD[name].data(RECIPES[name], 2)
    x = x[[0, -1]]
    return [
        np.float16(block_reduce(a, (1, 4, 4, 1)[: a.ndim], np.mean) if a.ndim > 2 else a)
        for a in (x, model.predict(x, verbose=0))
    ]


def moved(name):
    """What differs from the probe in a network's file: a sentence each for input and output."""
    model, _ = shipped(name)
    found = []
    with np.load(file_of(name)) as file:
        kept = [np.float32(file[part]) for part in PROBE]
    for what, was, now in zip(("input", "output"), kept, probe(name, model), strict=True):
        allowed = TOLERANCE * abs(was).max()
        change = abs(now - was).max() if now.shape == was.shape else np.inf
        if not change <= allowed:
            found.append(
                f"The {what} of {name} moved by up to {change:.3g}, where {allowed:.3g} is allowed "
                f"and {abs(was).max():.3g} is the largest: train again, `make weights`."
            )
    return found


def train(name, seed=0):
    """Train a network by its recipe, and test it. The seed decides on the order of the samples.

    Returns
    -------
    model : keras.Model
    record : dict
        The recipe, the seeds, and the scores in per cent on validation samples.
    """
    recipe, world = RECIPES[name], WORLD[name]
    course.start(seed=seed)
    model = world.network(recipe)
    if recipe["start"]:
        load_weights(model, recipe["start"])
    world.train(model, recipe)
    scores = {key: round(skill.rate(yes)[0], 1) for key, yes in world.right(model, recipe).items()}
    seeds = {"seed": seed, "first picture": worlds.TRAINING, "start hash": start_checksum(recipe)}
    return model, {**recipe, **seeds, **scores}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of weights; none: all")
    parser.add_argument("--stamp", action="store_true", help="only take the probes anew")
    args = parser.parse_args(arguments)
    unknown = set(args.names) - set(RECIPES)
    if unknown:
        known = ", ".join(RECIPES)
        print(f"There are no weights called {', '.join(unknown)}: choose from {known}.")
        return 1
    course.start(seed=0)
    for name in args.names or RECIPES:
        model, record = shipped(name) if args.stamp else train(name)
        path = save_weights(model, name, probe=probe(name, model), **record)
        print(f"{path.name}: {record}")
    print("Now run `make pictures` and `make lessons`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
