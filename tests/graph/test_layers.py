"""Every layer of Keras through every front door: right, or refused in a sentence that names it."""

import layer_fronts
import layers_page
import pytest
from layer_cases import CASES, OTHERS
from tensorflow.keras import layers

FIRST = {case.layer: case for case in reversed(CASES)}  # the first case of each layer
LARGE = "ConvLSTM1D", "ConvLSTM3D"  # as ConvLSTM2D, which is tried


def test_every_layer_of_keras_is_tried():
    known = [kind for kind in vars(layers).values() if isinstance(kind, type)]
    names = {kind.__name__ for kind in known if issubclass(kind, layers.Layer)}
    assert names - set(OTHERS) == set(FIRST)


@pytest.mark.parametrize(
    "i, layer",
    [
        pytest.param(i, name, marks=[pytest.mark.slow] * (name in LARGE))
        for i, name in enumerate(FIRST)
    ],
)
def test_a_layer_is_right_or_refused(i, layer):
    """Each layer through one front door, of those that fit it the next in turn."""
    # All of explain's others take long.
    fronts = [one for one in layer_fronts.FRONTS if one[:7] != "explain" or "gradient" in one]
    for front in fronts[i % len(fronts) :] + fronts:
        verdict = layer_fronts.judge(front, FIRST[layer])
        if verdict != layer_fronts.NONE:
            break
    assert verdict in (layer_fronts.RIGHT, layer_fronts.REFUSED), (front, verdict)


def on_the_page():
    """{case's title: {front: verdict}} as LAYERS.md has it."""
    lines = layers_page.PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in row] for row in rows]
    return {title.strip("`"): dict(zip(head[1:], row, strict=True)) for title, *row in rows}


def test_the_page_has_every_layer_and_nothing_wrong():
    found = on_the_page()
    assert list(found) == list(dict.fromkeys(case.title for case in CASES))
    verdicts = [verdict for row in found.values() for verdict in row.values()]
    known = layer_fronts.RIGHT, layer_fronts.REFUSED, layer_fronts.NONE
    assert all(list(row) == list(layer_fronts.FRONTS) for row in found.values())
    assert set(verdicts) == set(known)
    assert verdicts.count(layer_fronts.RIGHT) > verdicts.count(layer_fronts.REFUSED)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_every_case_is_as_the_page_says(case):
    (found,) = layers_page.table([case]).values()
    assert found == on_the_page()[case.title]
