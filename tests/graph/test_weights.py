"""The shipped weights: whole, up to date, as good as recorded, and to be had again by training."""

import pytest
import train_weights

from utils import networks, skill, training, worlds
from utils.worlds import clever_hans

NAMES = list(train_weights.RECIPES)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_weights_are_what_the_recipe_makes(name):
    recipe = train_weights.RECIPES[name]
    record = training.load_weights(networks.clever_hans(), name)
    assert recipe.items() <= record.items()
    assert record["start hash"] == train_weights.start_hash(recipe)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_weights_score_as_recorded(name):
    model = networks.clever_hans()
    record = training.load_weights(model, name)
    test = clever_hans.simulate(300, worlds.VALIDATION, record["tested on"])
    says_horse = model.predict(test.picture.values, verbose=0)[:, 0] > 0
    _, (low, high) = skill.rate(says_horse == (test.horse.values == 1))
    assert low <= record["accuracy"] <= high


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_training_again_reaches_the_recorded_score(name):
    record = training.load_weights(networks.clever_hans(), name)
    _, again = train_weights.train(train_weights.RECIPES[name])
    # On 1,000 pictures, two standard deviations of an accuracy near 95 % are 1.4 points.
    assert again["accuracy"] >= record["accuracy"] - 1.5
