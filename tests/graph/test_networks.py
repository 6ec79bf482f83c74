"""The networks have the published sizes; a shuffled one keeps its numbers and loses their order."""

import numpy as np
import pytest

from utils import networks


def test_published_size():
    assert networks.encoder_decoder(size=64).count_params() == 47_457


@pytest.mark.parametrize("size", [0, 8, 24])
def test_sizes_that_poolings_cannot_halve(size):
    with pytest.raises(ValueError, match="multiple of 16"):
        networks.clever_hans(size)


def test_shuffled_layers_and_no_others():
    model = networks.clever_hans(16)
    before = model.get_weights()
    copy = networks.shuffled(model, [model.layers[-1].name])
    *others, kernel, bias = copy.get_weights()
    for old, new in zip(before, others, strict=False):
        np.testing.assert_array_equal(old, new)
    assert not np.array_equal(kernel, before[-2])
    np.testing.assert_array_equal(np.sort(kernel.ravel()), np.sort(before[-2].ravel()))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_shuffling_has_a_seed():
    model = networks.clever_hans(16)
    names = [model.layers[0].name, model.layers[-1].name]
    one, same, other = (networks.shuffled(model, names, seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("names", [["horse"], ["flatten"], []])
def test_nothing_to_shuffle(names):
    with pytest.raises(ValueError, match="nothing to shuffle"):
        networks.shuffled(networks.clever_hans(16), names)
