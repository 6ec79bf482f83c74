"""How the networks that name a map's year are trained."""

from functools import lru_cache

import numpy as np

from utils import networks, worlds
from utils.worlds import climate
from utils.worlds.climate import fuzzy_years

# "until": inputs are standardised with the years before this one; None is all of them.
TAS = {"start": None, "variable": "tas", "global mean": True, "until": None, "ridge": 0.01}
TAS |= {"models": 20, "members": 3, "epochs": 50, "first weights": 0}
RECIPES = {
    "climate": TAS,
    "climate_early": {**TAS, "until": 1960},
    **{f"climate_early_seed_{i}": {**TAS, "until": 1960, "first weights": i} for i in range(1, 5)},
    "climate_pattern": {**TAS, "global mean": False},
    "climate_no_ridge": {**TAS, "ridge": 0.0},
    "climate_pr": {**TAS, "variable": "pr"},
    **{f"climate_seed_{i}": {**TAS, "first weights": i} for i in range(1, 10)},
}


def network(recipe):
    """The network of a recipe, with random weights."""
    return networks.year_of_map(ridge=recipe["ridge"], seed=recipe["first weights"])


@lru_cache(maxsize=1)  # some 100 MB, of all variables
def _simulated(n, seed, members):
    return climate.simulate(n, seed, members=members)


@lru_cache
def _maps(n, seed, members, variable, global_mean):
    maps, years = climate.anomalies(_simulated(n, seed, members), variable)
    return (maps if global_mean else climate.without_global_mean(maps)), years


def _learned(recipe):
    names = "models", "members", "variable", "global mean"
    n, members, variable, global_mean = (recipe[name] for name in names)
    return _maps(n, worlds.TRAINING, members, variable, global_mean)


def data(recipe, n=None):
    """Standardised maps and years of the training, or of n of its maps, evenly spread."""
    maps, years = _learned(recipe)
    mean, deviation = climate.scale(maps, years, recipe["until"])
    some = np.linspace(0, len(maps) - 1, n or len(maps)).astype(int)
    return np.float32((maps[some] - mean) / deviation), years[some]


def train(model, recipe):
    """Train on standardised maps and fuzzy decades."""
    fuzzy_years.fit(model, *data(recipe), recipe["epochs"])


def right(model, recipe, n=1760):
    """Are maps of 16 new models after 1990 dated within ten years? n of them, evenly spread."""
    mean, deviation = climate.scale(*_learned(recipe), recipe["until"])
    maps, years = _maps(16, worlds.VALIDATION, 1, recipe["variable"], recipe["global mean"])
    late = np.nonzero(years >= 1990)[0]
    some = late[np.linspace(0, len(late) - 1, n).astype(int)]
    z = model.predict(np.float32((maps[some] - mean) / deviation), verbose=0)
    return {"accuracy": abs(fuzzy_years.year(z) - years[some]) <= 10}
