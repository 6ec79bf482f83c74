"""The shipped weights: whole, as good as recorded, had again by training, and of today's code."""

import importlib
import inspect
import types

import numpy as np
import pytest
import recipes_climate
import recipes_convection
import train_weights
from tensorflow import keras
from train_weights import moved, shipped

from utils import networks, skill, worlds
from utils.weights import shipped as weights
from utils.worlds.climate import ensemble

NAMES = list(train_weights.RECIPES)
QUICK = "distant_trigger_21_seed_0"  # whose samples are drawn at once


@pytest.mark.parametrize("name", NAMES)
def test_recipe_world_and_network_are_those_that_made_the_shipped_weights(name, monkeypatch):
    recipe = train_weights.RECIPES[name]
    model, record = shipped(name)
    assert recipe.items() <= record.items()
    assert record["start hash"] == train_weights.start_checksum(recipe)
    monkeypatch.setattr(train_weights, "shipped", lambda _: (model, record))  # loaded once
    assert moved(name) == []


@pytest.mark.parametrize("name", NAMES)
def test_probes_are_small(name):
    with np.load(weights.file_of(name)) as file:
        parts = [file[part] for part in weights.PROBE]
    assert all(part.dtype == np.float16 and np.isfinite(part).all() for part in parts)
    assert sum(part.nbytes for part in parts) < 10_000


# Slow but for one: the probes tell that neither world nor network has moved since they were scored.
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n != QUICK else []) for n in NAMES]
)
def test_shipped_weights_score_as_recorded(name):
    model, record = shipped(name)
    for score, yes in train_weights.WORLD[name].right(model, record, n=300).items():
        _, (low, high) = skill.rate(yes)
        assert low <= record[score] <= high, score


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_training_again_reaches_the_recorded_score(name):
    """Where the order of the samples matters much, as for climate_early, five trainings tell."""
    _, record = shipped(name)
    world, recipe = train_weights.WORLD[name], train_weights.RECIPES[name]
    model, again = train_weights.train(name)
    sizes = {score: yes.size for score, yes in world.right(model, recipe).items()}
    several = [again]
    for score, size in sizes.items():
        # Two samples of as many answers: two standard errors of the difference of their shares.
        share = (record[score] + again[score]) / 200
        error = 100 * np.sqrt(2 * share * (1 - share) / size)
        if again[score] >= record[score] - 2 * error:
            continue
        several += [train_weights.train(name, seed)[1] for seed in range(len(several), 5)]
        values = [one[score] for one in several]
        assert record[score] <= np.mean(values) + 2 * np.std(values, ddof=1), (score, values)


# ---- what moves a probe --------------------------------------------------------------------------


@pytest.fixture
def nothing_is_drawn_before():
    recipes_convection._learned.cache_clear()
    yield
    recipes_convection._learned.cache_clear()


@pytest.fixture
def edit(monkeypatch, nothing_is_drawn_before):
    """Make the recipes use the convection world with a text of its code replaced by another."""

    def replace(old, new):
        module = importlib.import_module("utils.worlds.convection")
        text = inspect.getsource(module)
        assert old in text
        edited = types.ModuleType(module.__name__)
        exec(text.replace(old, new), vars(edited))
        monkeypatch.setattr(recipes_convection, "convection", edited)

    return replace


@pytest.mark.parametrize(
    "old, new",
    [
        ("kind must be one of", "kind has to be one of"),
        ("sequences of visible satellite pictures", "five pictures of clouds"),
        ("direction", "bearing"),
        ("def as_input", "def as_output():\n    return 1\n\n\ndef as_input"),
    ],
    ids=["an error message", "a title", "a local name", "an unused function"],
)
def test_what_does_not_matter_may_change(edit, old, new):
    edit(old, new)
    assert moved("convection") == []


def only_the_input_moved(name):
    sentences = moved(name)
    assert sentences[0].startswith(f"The input of {name} moved by up to 0."), sentences
    return float(sentences[0].split()[8].rstrip(","))


def test_scenes_in_reverse_order_are_noticed(edit):
    edit("draw_all(sequence, scenes,", "draw_all(sequence, scenes[::-1],")
    assert only_the_input_moved("convection") > 0.1


def test_another_range_of_seeds_is_noticed(monkeypatch, nothing_is_drawn_before):
    monkeypatch.setattr(worlds, "TRAINING", 7)
    assert only_the_input_moved("convection") > 0.1


def test_another_network_of_the_same_shapes_is_noticed(monkeypatch):
    monkeypatch.setattr(networks.layers, "MaxPooling2D", keras.layers.AveragePooling2D)
    sentences = moved("convection")
    assert len(sentences) == 1 and "The output of convection moved by up to" in sentences[0]


def test_another_mask_of_land_is_noticed(tmp_path, monkeypatch):
    recipe = {**train_weights.RECIPES["climate"], "models": 1, "members": 1}  # a small one is quick
    monkeypatch.setitem(train_weights.RECIPES, "climate", recipe)
    monkeypatch.setattr(weights, "data_folder", lambda: tmp_path)
    for kept in ("_simulated", "_maps"):
        monkeypatch.setattr(recipes_climate, kept, getattr(recipes_climate, kept).__wrapped__)
    model = recipes_climate.network(recipe)
    weights.save_weights(model, "climate", probe=train_weights.probe("climate", model))
    assert moved("climate") == []
    land = ensemble.land_fraction().roll(lon=1)  # six degrees to the east
    monkeypatch.setattr(ensemble, "land_fraction", lambda: land)
    assert moved("climate")[0].startswith("The input of climate moved by up to ")
