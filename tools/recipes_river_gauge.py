"""How the networks that estimate a river's peak discharge are trained."""

from functools import lru_cache

import numpy as np

from utils import networks, training, worlds
from utils.worlds import river_gauge

SEASONS = {"start": None, "seasons": 8000, "epochs": 40}
RECIPES = {
    "gauge_lstm": {**SEASONS, "network": "gauge_lstm", "step": 1e-2},
    "gauge_attention": {**SEASONS, "network": "gauge_attention", "step": 3e-3},
}
NEAR = 0.1  # m3/s: an estimate this close to the truth is right


def network(recipe):
    """The network of a recipe, with random weights."""
    return getattr(networks, recipe["network"])()


@lru_cache
def _seasons(n, seed):
    return river_gauge.simulate(n, seed)


def data(recipe, n=None):
    """Inputs and targets of the training, or of its first n seasons."""
    seasons = _seasons(n or recipe["seasons"], worlds.TRAINING)
    return river_gauge.as_input(seasons), seasons.peak.values[:, None]


def train(model, recipe):
    """Train on the peak discharge."""
    options = {"epochs": recipe["epochs"], "learning_rate": recipe["step"]}
    training.fit(model, *data(recipe), loss="mse", **options)


def right(model, recipe, n=1000):
    """Are the peaks of n validation seasons right, by the network and by two straight lines?

    The lines are fitted to the same seasons as the network. One is told which precipitation is
    rain, and takes the total of it; the other takes the wettest day, be it rain or snow.
    """
    learned = _seasons(recipe["seasons"], worlds.TRAINING)
    test = _seasons(n, worlds.VALIDATION)
    estimates = {"accuracy": model.predict(river_gauge.as_input(test), verbose=0)[:, 0]}
    for name, of in {
        "total rain": lambda seasons: seasons.truth_rain.values.sum(1),
        "wettest day": lambda seasons: seasons.precipitation.values.max(1),
    }.items():
        line = np.polyfit(of(learned), learned.peak.values, 1)
        estimates[name] = np.polyval(line, of(test))
    return {name: abs(peak - test.peak.values) < NEAR for name, peak in estimates.items()}
