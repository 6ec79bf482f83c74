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


@pytest.mark.parametrize("layer", FIRST)
def test_a_layer_is_right_or_refused(layer):
    fronts = [front for front in layer_fronts.FRONTS if "explain" not in front]
    fronts += ["explain, gradient", "explain, lrp.alpha_1_beta_0"]
    case = FIRST[layer]
    found = {front: layer_fronts.judge(front, case) for front in fronts}
    fine = layer_fronts.RIGHT, layer_fronts.REFUSED, layer_fronts.NONE
    assert {front: verdict for front, verdict in found.items() if verdict not in fine} == {}


@pytest.mark.slow
def test_the_page_says_what_is_found():
    assert layers_page.page(layers_page.table()) == layers_page.PAGE.read_text(encoding="utf-8")
