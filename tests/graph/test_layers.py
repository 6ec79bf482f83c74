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
    # All of explain's others take long.
    fronts = [one for one in layer_fronts.FRONTS if one[:7] != "explain" or "gradient" in one]
    for front in fronts[i % len(fronts) :] + fronts:
        verdict = layer_fronts.judge(front, FIRST[layer])
        if verdict != layer_fronts.NONE:
            break
    assert verdict in (layer_fronts.RIGHT, layer_fronts.REFUSED), (front, verdict)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_every_case_is_right_or_refused(case):
    (found,) = layers_page.table([case]).values()
    fine = layer_fronts.RIGHT, layer_fronts.REFUSED, layer_fronts.NONE
    assert {front: verdict for front, verdict in found.items() if verdict not in fine} == {}
