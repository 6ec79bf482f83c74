"""The shipped weights: whole, up to date, as good as recorded, and to be had again by training."""

import numpy as np
import pytest
import train_weights

from utils import skill, training

NAMES = list(train_weights.RECIPES)


def shipped(name):
    """A network with its shipped weights, and their record."""
    model = train_weights.WORLD[name].network(train_weights.RECIPES[name])
    return model, training.load_weights(model, name)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_weights_are_what_the_recipe_makes(name):
    recipe = train_weights.RECIPES[name]
    _, record = shipped(name)
    assert recipe.items() <= record.items()
    assert record["start hash"] == train_weights.start_hash(recipe)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_weights_score_as_recorded(name):
    model, record = shipped(name)
    for score, yes in train_weights.WORLD[name].right(model, record, n=300).items():
        _, (low, high) = skill.rate(yes)
        assert low <= record[score] <= high, score


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_training_again_reaches_the_recorded_score(name):
    recipe, (_, record) = train_weights.RECIPES[name], shipped(name)
    model, again = train_weights.train(name)
    for score, yes in train_weights.WORLD[name].right(model, recipe).items():
        # Two samples of as many answers: two standard errors of the difference of their shares.
        share = (record[score] + again[score]) / 200
        error = 100 * np.sqrt(2 * share * (1 - share) / yes.size)
        assert again[score] >= record[score] - 2 * error, score
