"""Every layer of Keras through every front door: right, or refused in a sentence that names it."""

import layer_fronts
import layers_page
import pytest
from layer_cases import CASES, OTHERS
from tensorflow.keras import layers

FIRST = {case.layer: case for case in reversed(CASES)}  # the first case of each layer


def test_every_layer_of_keras_is_tried():
    known = [kind for kind in vars(layers).values() if isinstance(kind, type)]
    names = {kind.__name__ for kind in known if issubclass(kind, layers.Layer)}
    assert names - set(OTHERS) == set(FIRST)


@pytest.mark.parametrize("i, layer", enumerate(FIRST))
def test_a_layer_is_right_or_refused(i, layer):
    """Each layer through one front door, of those that fit it the next in turn."""
    fronts = list(layer_fronts.FRONTS)
    for front in fronts[i % len(fronts) :] + fronts:
        verdict = layer_fronts.judge(front, FIRST[layer])
        if verdict != layer_fronts.NONE:
            break
    assert verdict in (layer_fronts.RIGHT, layer_fronts.REFUSED), (front, verdict)


@pytest.mark.slow
def test_the_page_says_what_is_found():
    assert layers_page.page(layers_page.table()) == layers_page.PAGE.read_text(encoding="utf-8")
