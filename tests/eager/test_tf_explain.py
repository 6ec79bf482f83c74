"""Lesson 05: its checks, its panel, and what it says about tf-explain."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from tensorflow import keras
from tf_explain.core import GradCAM, OcclusionSensitivity, VanillaGradients
from tf_explain.utils.display import grid_display
from tf_explain.utils.image import apply_grey_patch, transform_to_normalized_grayscale

from utils import networks, plots
from utils.check import tf_explain as check
from utils.panels import tf_explain as panel


@pytest.fixture
def at_stage():
    """Activations and slopes of four layers: only the second has the tag as its strongest place."""
    rng = np.random.default_rng(0)
    tag = np.zeros((2, 32, 32), bool)
    tag[:, 16:24, :8] = True
    pairs = [rng.normal(size=(2, 2, n, n, 3)) for n in (16, 8, 4, 2)]
    pairs[1][:, :, 4:6, :2] = 30
    return [tuple(pair) for pair in pairs], tag


def mended(a, s):
    return (a * s).sum(-1)


def averaged(a, s):
    return (a * s.mean((1, 2), keepdims=True)).sum(-1)


@pytest.mark.parametrize(
    "function, stage, state, message",
    [
        (lambda a, s: ..., ..., "unanswered", "Replace"),
        (mended, ..., "unanswered", "Replace"),
        (mended, 1, "right", "At pooling 1"),
        (lambda a, s: (a * s).mean(-1), 1, "right", "At pooling 1"),
        (mended, 3, "wrong", "16 pixels wide, too coarse"),
        (mended, 0, "wrong", "2 pixels wide."),
        (mended, "second", "wrong", "from 0 to 3"),
        (averaged, 1, "wrong", "That is Grad-CAM"),
        (lambda a, s: averaged(a, s).clip(0), 1, "wrong", "That is Grad-CAM"),
        (lambda a, s: mended(a, s).clip(0), 1, "wrong", "ReLU"),
        (lambda a, s: abs(mended(a, s)), 1, "wrong", "Signs are gone"),
        (lambda a, s: a * s, 1, "wrong", "map for each filter"),
        (lambda a, s: (a * s).sum((1, 2)), 1, "wrong", "the shape"),
        (lambda a, s: s.sum(-1), 1, "wrong", "Only one of the two"),
        (lambda a, s: (a + s).sum(-1), 1, "wrong", "differ"),
        (lambda a, s: None, 1, "wrong", "returns nothing"),
    ],
)
def test_place_by_place(at_stage, function, stage, state, message):
    verdict = check.place_by_place(function, stage, *at_stage)
    assert verdict.state == state and message in verdict.message


@pytest.mark.parametrize(
    "change, state, message",
    [
        (lambda a, x: ..., "unanswered", "Replace"),
        (lambda a, x: a, "right", "largest gap is 0.0 %"),
        (lambda a, x: 1.1 * a, "wrong", "too few steps"),
        (lambda a, x: a / x, "wrong", "mean gradient"),
        (lambda a, x: -a, "wrong", "turned round"),
        (lambda a, x: abs(a), "wrong", "signs got lost"),
        (lambda a, x: a / 20, "wrong", "`scores`, not `classes`"),
        (lambda a, x: 3 * a, "wrong", "the gain is"),
        (lambda a, x: a.sum(-1), "wrong", "The shape"),
        (lambda a, x: a * np.nan, "wrong", "NaN"),
    ],
)
def test_adds_up(change, state, message):
    rng = np.random.default_rng(1)
    x = rng.uniform(0.1, 1, (3, 8, 8, 3))
    attributions = rng.normal(size=x.shape)
    attributions += (20 - attributions.sum((1, 2, 3), keepdims=True)) / x[0].size
    verdict = check.adds_up(change(attributions, x), x, np.full(3, 20.0))
    assert verdict.state == state and message in verdict.message


def test_the_panel_follows_its_patch():
    pictures = np.random.default_rng(0).random((2, 64, 64, 3))
    draw = panel.prepare(networks.clever_hans(), pictures)
    settings = [(0, 8, 10, 5), (0, 8, 10, 5), (1, 8, 10, 5), (0, 20, 10, 5), (0, 8, 30, 5)]
    shown = [plots.png(draw(*setting)) for setting in settings]
    assert shown[0] == shown[1] and len(set(shown)) == 4
    assert (pictures != 0.5).all(), "the patch was painted into the learner's own pictures"


# What the lesson leaves to its module.


def test_of_tagged_horses_those_are_kept_whose_tag_decides():
    answers = []

    def logits(pictures):  # of those with a tag each second one is a horse; without it, none
        answers.append(np.resize([1, -1] if not answers else [-1, -1], len(pictures)))
        return answers[-1]

    scenes, kept, cut = panel.tag_decides(logits, 50, seed=1)
    assert [scene.seed for scene in scenes] == kept.seed.values.tolist()
    assert len(kept.sample) == len(cut) == (len(answers[0]) + 1) // 2 > 0
    assert kept.truth_has_tag.all() and kept.horse.all()
    changed = (kept.picture.values != cut).any(-1)
    assert (changed & kept.truth_tag.values).any((1, 2)).all(), "the tag is not cut out"


def test_an_averaging_network_is_what_grad_cam_adds_up():
    rng, model = np.random.default_rng(0), networks.clever_hans()
    before = model.get_weights()
    data = xr.Dataset({"picture": (tuple("syxc"), rng.random((40, 64, 64, 3), np.float32))})
    data["horse"] = "s", np.arange(40) % 2
    data["picture"] *= 0.5 + 0.5 * data.horse  # horses are bright
    layer = [layer.name for layer in model.layers if "pooling" in layer.name][2]
    network, bias, score = panel.averaging(model, layer, data)
    assert score == 1 and all(map(np.array_equal, before, model.get_weights()))
    x = data.picture.values[:3].astype("float32")
    pair = GradCAM.get_gradients_and_filters(network, x, layer, 0, False)
    maps = np.array(GradCAM.generate_ponderated_output(*pair))
    z = network(x).numpy()[:, 0]
    np.testing.assert_allclose(maps.sum((1, 2)), z - bias, rtol=1e-3, atol=1e-4)
    assert np.sign(z).tolist() == [-1, 1, -1]


def test_scores_of_maps():
    tag = np.zeros((2, 16, 16), bool)
    tag[:, :4, :8] = True
    on, off = np.zeros((2, 16, 16)), np.zeros((2, 16, 16, 2))
    on[:, 0, 0] = -3.0  # signs do not count
    off[:, 8, 8] = 0.5
    near = np.roll(on[:1], 1, (1, 2))  # another pixel of the same cell
    found = {"first": on, "repaired": off, "shuffled 0": near, "shuffled 1": 0 * on[:1]}
    scores = panel.score(found, tag)
    assert scores["first"].tolist() == [8, 8] and scores["repaired"].tolist() == [0, 0]
    assert scores["shuffled"].tolist() == [8, 0], "an empty map counts as 0"
    np.testing.assert_allclose(scores["agreement"], [1, 0])


def test_boxes_lie_on_the_tag_and_above_it():
    tags = np.zeros((1, 8, 8), bool)
    tags[0, 6, [1, 3]] = tags[0, 7, 2] = True
    on, above = panel.boxes(tags, up=(0, 4))[:, 0]
    rows, columns = np.nonzero(on)
    assert set(zip(rows, columns, strict=True)) == {(y, x) for y in (6, 7) for x in (1, 2, 3)}
    assert (above == np.roll(on, -4, axis=0)).all()


def test_what_comes_after_the_exercises_is_what_their_checks_accept(at_stage):
    pairs, tag = at_stage
    model = networks.clever_hans()

    def gradients_at(network, x, layer):
        assert network is model and layer == model.layers[3].name  # the second pooling
        return pairs[1]

    maps = panel.exercise_1(gradients_at, model, None)
    assert check.place_by_place(mended, panel.STAGE, pairs, tag).state == "right"
    np.testing.assert_allclose(maps, mended(*pairs[1]))
    x = np.random.default_rng(0).uniform(0.1, 1, (2, 8, 8, 3))

    def integrated(network, x, steps):
        assert network == "scores" and steps == 50
        return np.ones_like(x)

    answer = panel.exercise_2(integrated, "classes", "scores", x, 50)
    assert check.adds_up(answer, x, x.sum((1, 2, 3))).state == "right"


def test_the_drawings_stand_where_the_lesson_says():
    pictures = np.zeros((2, 4, 4, 3))
    first, other = [np.full((4, 4, 3), value) for value in (255, 51)]
    fig = panel.which(pictures, [first] * 2, [other] * 2, place=[1, 2])
    drawn = np.array([[ax.images[0].get_array()[0, 0, 0] for ax in fig.axes[2:]]]).reshape(2, 2)
    plt.close(fig)
    np.testing.assert_allclose(drawn, [[1, 0.2], [0.2, 1]])


def test_the_chart_draws_the_means_and_their_intervals():
    result = {"first": [7.0, 9.0], "repaired": [1.0, 1.0], "shuffled": [4.0], "agreement": [0.25]}
    other = {key: np.array(values) / 2 for key, values in result.items()}
    fig = panel.chart({"a": result, "b": other}, {"tf-explain": ["a"], "changed": ["b"], "LRP": []})
    left, right = fig.axes
    points = {
        (*line.get_xdata(), *line.get_ydata()) for line in left.lines if len(line.get_xdata())
    }
    assert {(8, 0), (1, 0), (4, 0.3), (4, 1), (0.5, 1), (2, 1.3), (7, 9, 0, 0)} <= points
    assert {(0.25, 0), (0.125, 1)} <= {
        (*line.get_xdata(), *line.get_ydata()) for line in right.lines if len(line.get_xdata()) == 1
    }
    assert [text.get_text() for text in left.get_yticklabels()] == ["a", "b"]
    plt.close(fig)


# What the lesson says about the toolbox: a new version that behaves otherwise shows here.


def network():
    """Two classes from pictures of 8 by 8 pixels."""
    layers = keras.layers
    inputs = keras.Input((8, 8, 3))
    x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu", name="maps")(inputs))
    return keras.Model(inputs, layers.Softmax()(layers.Dense(2)(x)))


def test_its_patch_is_made_for_pictures_to_255():
    assert apply_grey_patch(np.zeros((4, 4, 3)), 0, 0, 2)[0, 0, 0] == 127.5


def test_its_gradient_pictures_depend_on_the_other_pictures():
    gradients = np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")
    gradients[1] *= 5
    together = transform_to_normalized_grayscale(gradients).numpy()
    alone = transform_to_normalized_grayscale(gradients[:1]).numpy()
    assert together.shape == (2, 8, 8) and (together[0] != alone[0]).any()


def test_its_gradient_is_that_of_the_score_and_a_batch_is_one_grid():
    model, x = network(), np.random.default_rng(0).random((3, 8, 8, 3)).astype("float32")
    scores = VanillaGradients().get_score_model(model)
    numbers = VanillaGradients.compute_gradients(x, scores, 1).numpy()
    step = np.zeros_like(x)
    step[:, 4, 4, 1] = 0.01
    slope = (scores(x + step).numpy() - scores(x - step).numpy())[:, 1] / 0.02
    np.testing.assert_allclose(numbers[:, 4, 4, 1], slope, rtol=0.02, atol=1e-4)
    assert grid_display(numbers).shape == (16, 16, 3)


def test_its_guided_weights_cannot_be_negative():
    model, x = network(), np.random.default_rng(0).random((3, 8, 8, 3)).astype("float32")
    guided, plain = (
        GradCAM.get_gradients_and_filters(model, x, "maps", 1, flag)[1].numpy()
        for flag in (True, False)
    )
    assert guided.min() == 0 > plain.min()


def test_its_occlusion_is_the_probability_that_is_missing():
    model, x = network(), np.full((8, 8, 3), 127.5, "float32")
    missing = 1 - model(x[None]).numpy()[0, 1]
    found = OcclusionSensitivity().get_sensitivity_map(model, x, 1, 4)
    np.testing.assert_allclose(found, missing, rtol=1e-5)
