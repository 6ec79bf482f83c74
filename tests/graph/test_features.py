"""Made-up inputs and smallest changes where the right answer is known, and bad input refused."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.keras import Input, Model, Sequential, layers

from utils import features, networks
from utils.features import regularizers

REGULARISED = [
    {"jitter": 2},
    {"rotation": 10},
    {"scaling": 0.2},
    {"variation": 0.01},
    {"fourier": True},
    {"jitter": 2, "rotation": 10, "scaling": 0.2, "variation": 0.01, "fourier": True},
]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def linear(units=3, activation=None, seed=0):
    """A linear network on pictures of 4 x 5 pixels and 2 colours; its weights, (40, units)."""
    model = Sequential([Input((4, 5, 2)), layers.Flatten(), layers.Dense(units, activation)])
    model.set_weights([normal(40, units, seed=seed), normal(units, seed=seed + 1)])
    return model, model.get_weights()[0].astype(float)


def small():
    """A small horse network with random weights and biases."""
    model = networks.clever_hans(16)
    model.set_weights([normal(*w.shape, seed=i) * 0.3 for i, w in enumerate(model.get_weights())])
    return model


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(5).random((6, 16, 16, 3))


# ---- excitation and strongest samples ---------------------------------------------------------


def test_excitation_is_read_before_the_activation(pictures):
    model = small()
    conv = model.layers[2]
    inner = Model(model.input, [conv.input, model.layers[-2].input])
    below, below_dense = inner.predict(pictures, verbose=0)
    w, b = conv.get_weights()
    padded = np.pad(below, ((0, 0), (1, 1), (1, 1), (0, 0)))
    z = sum(padded[:, i : i + 8, j : j + 8] @ w[i, j] for i in range(3) for j in range(3)) + b
    near = {"rtol": 1e-4, "atol": 1e-4}
    quiet = int(z[:, 2, 5].max(0).argmin())  # ReLU would cut off what it says
    of_unit = features.excitation(model, pictures, conv.name, (2, 5, quiet))
    assert (of_unit < 0).all()
    np.testing.assert_allclose(of_unit, z[:, 2, 5, quiet], **near)
    of_channel = features.excitation(model, pictures, conv.name, 7)
    np.testing.assert_allclose(of_channel, z[..., 7].max((1, 2)), **near)
    of_layer = features.excitation(model, pictures, conv.name)
    np.testing.assert_allclose(of_layer, (z.clip(0) ** 2).mean((1, 2, 3)), **near)
    w, b = model.layers[-2].get_weights()
    of_dense = features.excitation(model, pictures, model.layers[-2].name, 3)
    np.testing.assert_allclose(of_dense, (below_dense @ w + b)[:, 3], **near)
    logit = model.predict(pictures, verbose=0)[:, 0]
    np.testing.assert_allclose(features.excitation(model, pictures), logit, **near)


def test_a_network_with_branches():
    model, x = networks.encoder_decoder(16, skip=True), normal(3, 16, 16, 4)
    wanted = model.predict(x, verbose=0)
    at = features.excitation(model, x, unit=(3, 12, 0))
    np.testing.assert_allclose(at, wanted[:, 3, 12, 0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("own_layer", [False, True])
def test_a_softmax_is_left_out(own_layer):
    model, w = linear(activation=None if own_layer else "softmax")
    b = model.get_weights()[1]
    if own_layer:
        model = Sequential([Input((4, 5, 2)), *model.layers, layers.Softmax()])
    x = normal(3, 4, 5, 2)
    wanted = (x.reshape(3, -1) @ w + b)[:, 1]
    np.testing.assert_allclose(features.excitation(model, x, unit=1), wanted, rtol=1e-4)


def test_a_layer_used_twice_is_read_at_the_use_that_is_asked_for():
    x = Input((9, 8, 1))
    conv = layers.Conv2D(1, 3, padding="same", activation="relu", name="conv")
    model = Model(x, conv(conv(x)))
    model.set_weights([normal(3, 3, 1, 1), normal(1, seed=1)])
    one = Sequential([Input((9, 8, 1)), layers.Conv2D(1, 3, padding="same")])
    one.set_weights(model.get_weights())
    samples = normal(40, 9, 8, 1, seed=2)
    first = one.predict(samples, verbose=0)
    second = one.predict(first.clip(0), verbose=0)
    for name, wanted in {"conv": first, "conv_again": second, None: second}.items():
        found = features.excitation(model, samples, name, (4, 4, 0))
        np.testing.assert_allclose(found, wanted[:, 4, 4, 0], rtol=1e-4, atol=1e-5)
    assert (second[:, 4, 4, 0] < 0).any()
    run = features.synthesise(model, "conv_again", (4, 4, 0), steps=2)
    found = features.excitation(model, run.picture[None], None, (4, 4, 0))
    assert run.history[-1] == pytest.approx(found[0], rel=1e-5)
    start, here = np.full((9, 8, 1), 0.5), run.history[0]
    moved = features.backward_optimise(model, start, here, (4, 4, 0), limits=(-9, 9))
    found = features.excitation(model, moved.picture[None], None, (4, 4, 0))
    assert found[0] == pytest.approx(here, abs=0.05)


def test_a_layer_in_a_network_inside():
    dense = layers.Dense(3, "relu", name="dense")
    inner = Sequential([Input((4,)), dense, layers.Dropout(0.5)], name="inner")
    model = Sequential([Input((4,)), inner, layers.Dense(2)])
    samples = normal(6, 4)
    w, b = dense.get_weights()
    found = features.excitation(model, samples, "inner/dense", 1)
    np.testing.assert_allclose(found, (samples @ w + b)[:, 1], rtol=1e-4, atol=1e-6)
    whole = features.excitation(model, samples, "inner", 1)
    np.testing.assert_allclose(whole, (samples @ w + b)[:, 1].clip(0), rtol=1e-4, atol=1e-6)


def test_augmentation_and_settings():
    """Nothing is drawn at random, and a setting that was changed is seen."""
    stack = [layers.RandomFlip(), layers.Flatten(), layers.Dense(2), layers.LeakyReLU(0.5)]
    model = Sequential([Input((2, 4, 1)), *stack, layers.Dense(1)])
    samples = normal(3, 2, 4, 1)
    (w, b), (v, c) = stack[2].get_weights(), model.layers[-1].get_weights()
    z = samples.reshape(3, -1) @ w + b
    for alpha in (0.5, 0.1):
        stack[3].alpha = np.float32(alpha)
        wanted = np.where(z > 0, z, alpha * z) @ v + c
        found = features.excitation(model, samples)
        np.testing.assert_allclose(found, wanted[:, 0], rtol=1e-4, atol=1e-6)


def test_any_activation_is_left_out():
    series, dense = normal(6, 3, 4), layers.Dense(2, "relu")
    each = Sequential([Input((3, 4)), layers.TimeDistributed(dense)])
    w, b = dense.get_weights()
    found = features.excitation(each, series, None, (1, 1))
    np.testing.assert_allclose(found, (series @ w + b)[:, 1, 1], rtol=1e-4, atol=1e-6)
    model = Sequential([Input((4,)), layers.Dense(2, lambda z: tf.nn.leaky_relu(z, 0.3))])
    samples, (w, b) = normal(6, 4), model.get_weights()
    found = features.excitation(model, samples, unit=1)
    np.testing.assert_allclose(found, (samples @ w + b)[:, 1], rtol=1e-4, atol=1e-6)


def test_new_weights_are_read(pictures):
    model = small()
    before = features.excitation(model, pictures)
    *others, bias = model.get_weights()
    model.set_weights([*others, bias + 1])
    np.testing.assert_allclose(features.excitation(model, pictures), before + 1, rtol=1e-4)


def test_chunks_change_nothing(pictures, monkeypatch):
    whole = features.excitation(small(), pictures)
    monkeypatch.setattr("utils.keras_graph.machine.ROOM", 1)
    np.testing.assert_allclose(features.excitation(small(), pictures), whole, rtol=1e-5)


def test_strongest_samples_come_first():
    model, w = linear()
    x = np.stack([np.zeros(40), w[:, 1], -w[:, 1], 2 * w[:, 1]]).reshape(-1, 4, 5, 2)
    found = features.strongest_samples(model, x, unit=1, n=3)
    assert found.index.tolist() == [3, 1, 0]
    np.testing.assert_array_equal(
        found.excitation, features.excitation(model, x, unit=1)[[3, 1, 0]]
    )
    assert len(features.strongest_samples(model, x, unit=1).index) == 4


# ---- made-up inputs ---------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [(0, 1), (-2, 5), (200, 300)])
def test_a_linear_units_favourite_lies_in_the_corner_of_its_weights(limits):
    model, w = linear()
    run = features.synthesise(model, unit=1, limits=limits, steps=100)
    wanted = np.where(w[:, 1] > 0, limits[1], limits[0]).reshape(4, 5, 2)
    np.testing.assert_allclose(run.picture, wanted, atol=1e-4 * np.ptp(limits))
    assert (np.diff(run.history) >= -1e-4 * np.ptp(run.history)).all()
    assert run.history[-1] > run.history[0]


def test_it_stops_when_nothing_rises():
    model, _ = linear()
    run = features.synthesise(model, unit=1, steps=1000, patience=5)
    risen = np.argmax(run.history)
    assert 10 < risen < 100 and len(run.history) == risen + 7  # five steps of grace, one beyond


@pytest.mark.parametrize("options", [{}, *REGULARISED])
def test_it_climbs_inside_the_range(options):
    model, limits = small(), (-1, 3)
    part = model.layers[4].name, 5
    run = features.synthesise(model, *part, limits=limits, steps=40, seed=2, **options)
    assert run.picture.shape == (16, 16, 3)
    assert all(limits[0] <= f.min() and f.max() <= limits[1] for f in run.frames.values())
    assert run.history[-1] > run.history[0] + 0.5 * abs(run.history[0])
    assert run.history[-1] == pytest.approx(features.excitation(model, run.picture[None], *part)[0])
    assert list(run.frames) == [0, 1, 2, 4, 8, 16, 32, 40]


@pytest.mark.parametrize("options", [{}, REGULARISED[-1]])
def test_the_seed_decides(options):
    model = small()
    same, again, other = (
        features.synthesise(model, steps=10, seed=seed, **options).picture for seed in (1, 1, 2)
    )
    assert np.array_equal(same, again) and not np.array_equal(same, other)


@pytest.mark.parametrize("fourier", [False, True])
def test_it_starts_from_a_sample(pictures, fourier):
    start = 0.2 + 0.6 * pictures[0]
    run = features.synthesise(small(), start=start, steps=3, fourier=fourier)
    np.testing.assert_allclose(run.frames[0], start, atol=1e-5)


def test_what_takes_any_size_needs_a_start():
    conv = layers.Conv2D(2, 3, name="conv")
    model = Sequential([Input((None, None, 1)), conv, layers.GlobalMaxPooling2D()])
    with pytest.raises(ValueError, match="give a start of the size"):
        features.synthesise(model, "conv", 0)
    start = np.float32(0.5 + 0.01 * normal(9, 7, 1))
    run = features.synthesise(model, "conv", 0, start=start, steps=60)
    kernel = conv.get_weights()[0][..., 0, 0]
    changed = (run.picture != start)[..., 0]
    rows, columns = (np.nonzero(changed.any(axis))[0] for axis in (1, 0))
    window = run.picture[rows[0] : rows[0] + 3, columns[0] : columns[0] + 3, 0]
    np.testing.assert_allclose(window, kernel > 0, atol=1e-4)
    assert changed.sum() == 9  # one place of the channel, and nothing else


def test_a_whole_layer_is_excited(pictures):
    model = small()
    run = features.synthesise(model, model.layers[2].name, start=pictures[0], steps=20)
    assert run.history[-1] > 1.5 * run.history[0]


def test_inputs_need_not_be_pictures():
    model = Sequential([Input((6,)), layers.Dense(2, "relu")])
    run = features.synthesise(model, unit=0, steps=60)
    np.testing.assert_allclose(run.picture, model.get_weights()[0][:, 0] > 0, atol=1e-4)
    with pytest.raises(ValueError, match="Regularisers are for pictures"):
        features.synthesise(model, unit=0, jitter=1)


# ---- regularisers -----------------------------------------------------------------------------


def test_the_spectrum_gives_the_picture_and_the_slope():
    x = np.random.default_rng(0).uniform(0.1, 0.9, (7, 6, 2))
    to_pixels, to_slope, p = regularizers.spectrum(x)
    np.testing.assert_allclose(to_pixels(p), x)
    weights, move = normal(7, 6, 2), normal(*p.shape, seed=1)
    ahead, behind = ((weights * to_pixels(p + e * move)).sum() for e in (1e-5, -1e-5))
    slope = to_slope(p, weights)
    # Most waves stand twice in a whole spectrum and once in this half.
    twice = np.ones(p.shape)
    twice[:, :, 1:3] = 2
    moved = (slope * move * twice).sum()
    assert moved == pytest.approx((ahead - behind) / 2e-5, rel=1e-4)


def test_the_slope_of_the_total_variation():
    x, move = normal(5, 6, 2), normal(5, 6, 2, seed=1)

    def variation(x):
        return sum(np.hypot(np.diff(x, axis=axis), 0.01).sum() for axis in (0, 1))

    numerical = (variation(x + 1e-6 * move) - variation(x - 1e-6 * move)) / 2e-6
    assert (regularizers.variation_slope(x) * move).sum() == pytest.approx(numerical, rel=1e-4)


def test_a_jittered_slope_comes_back_to_its_pixel():
    rng = np.random.default_rng(1)
    for _ in range(20):
        x = np.zeros((9, 9, 5))
        x[4, 4] = 1
        see, back = regularizers.transformation(x, rng, 3, 0, 0)
        assert see(x).sum() == pytest.approx(5)
        np.testing.assert_allclose(back(see(x)), x, atol=1e-6)


# ---- the smallest change ----------------------------------------------------------------------


@pytest.mark.parametrize("target", [3.0, -3.0])
def test_the_smallest_change_of_a_linear_network(target):
    model, w = linear()
    x = np.full((4, 5, 2), 0.5)
    value = features.excitation(model, x[None], unit=2)[0]
    found = features.backward_optimise(model, x, target, unit=2, limits=(-9, 9))
    wanted = (target - value) * w[:, 2] / (w[:, 2] @ w[:, 2])
    np.testing.assert_allclose((found.picture - x).ravel(), wanted, rtol=2e-3, atol=1e-5)
    assert found.history[-1] == pytest.approx(np.linalg.norm(found.picture - x), rel=1e-5)
    reached = features.excitation(model, found.picture[None], unit=2)[0]
    assert (reached - target) * (target - value) >= 0


def test_the_smallest_change_inside_the_limits():
    """By the conditions of Kuhn and Tucker: free pixels move along the weights, others are full."""
    model, w = linear()
    x = np.full((4, 5, 2), 0.5)
    corner = np.where(w[:, 2] > 0, 1.0, 0.0)
    value, most = features.excitation(model, np.stack([x, corner.reshape(x.shape)]), unit=2)
    target = value + 0.8 * (most - value)
    found = features.backward_optimise(model, x, target, unit=2)
    change = (found.picture - x).ravel()
    full = abs(change) > 0.5 - 1e-6
    ratio = change[~full] / w[~full, 2]
    assert 3 < full.sum() < 37
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-2)
    assert (abs(w[full, 2]) * ratio.mean() >= 0.5 * 0.99).all()
    reached = features.excitation(model, found.picture[None], unit=2)[0]
    assert target <= reached <= target + 0.01 * (target - value)


def test_after_a_softmax_the_target_is_in_log_odds():
    model, _ = linear(activation="softmax")
    x = np.full((1, 4, 5, 2), 0.5)
    unit = int(model.predict(x, verbose=0).argmin())
    found = features.backward_optimise(model, x[0], 0.0, unit=unit)
    assert model.predict(found.picture[None], verbose=0)[0, unit] == pytest.approx(0.5, abs=5e-3)
    three = features.backward_optimise(model, x[0], np.log(3), unit=unit)
    assert model.predict(three.picture[None], verbose=0)[0, unit] == pytest.approx(0.75, abs=5e-3)


def test_the_change_shrinks_on_a_real_network(pictures):
    model = small()
    value = features.excitation(model, pictures[:1])[0]
    found = features.backward_optimise(model, pictures[0], value + 5)
    assert (np.diff(found.history) <= 0).all() and found.history[-1] < 0.99 * found.history[0]
    assert features.excitation(model, found.picture[None])[0] >= value + 5
    assert list(found.frames)[:4] == [0, 1, 2, 4] and 0 <= found.picture.min()
    np.testing.assert_array_equal(found.frames[0], np.float32(pictures[0]))


def test_a_target_out_of_reach_is_an_error():
    model, _ = linear()
    with pytest.raises(ValueError, match="No change inside the limits .* another target"):
        features.backward_optimise(model, np.full((4, 5, 2), 0.5), 1000, unit=0)


# ---- bad input --------------------------------------------------------------------------------

GOOD = np.full((4, 5, 2), 0.5)


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"layer": "dens"}, ValueError, "no layer 'dens': did you mean"),
        ({"unit": 3}, ValueError, "no unit 3 .* count from 0"),
        ({"unit": -1}, ValueError, "no unit -1"),
        ({"unit": (0, 1)}, ValueError, "no unit"),
        ({"unit": 1.0}, TypeError, "unit must be an int"),
        ({"unit": True}, TypeError, "unit must be an int"),
        ({"unit": "one"}, TypeError, "unit must be an int"),
        ({"unit": ()}, TypeError, "unit must be an int"),
        ({"unit": 0, "limits": (1, 0)}, ValueError, "the lower first"),
        ({"unit": 0, "limits": 1}, ValueError, "limits must be two numbers"),
        ({"unit": 0, "limits": (0, np.inf)}, ValueError, "limits must be two numbers"),
        ({"unit": 0, "steps": 0}, ValueError, "steps must be a whole number"),
        ({"unit": 0, "patience": 1.5}, ValueError, "patience must be a whole number"),
        ({"unit": 0, "rate": -1}, ValueError, "rate must be a number from 0 on"),
        ({"unit": 0, "jitter": "4"}, ValueError, "jitter must be a number"),
        ({"unit": 0, "jitter": 1.5}, ValueError, "jitter 1.5 a whole number"),
        ({"unit": 0, "variation": np.nan}, ValueError, "variation must be a number"),
        ({"unit": 0, "scaling": 1}, ValueError, "scaling 1 must be below 1"),
        ({"unit": 0, "start": 2 * GOOD + 1}, ValueError, "beyond the limits"),
        ({"unit": 0, "start": GOOD[None]}, ValueError, "One sample of the shape"),
        ({"unit": 0, "start": GOOD * np.nan}, ValueError, "NaN"),
    ],
)
def test_bad_options_are_one_sentence(arguments, error, words):
    with pytest.raises(error, match=words) as caught:
        features.synthesise(linear()[0], **arguments)
    assert "\n" not in str(caught.value)


def test_no_model_and_no_sample():
    model, _ = linear()
    with pytest.raises(TypeError, match="must be a Keras model"):
        features.excitation("model", GOOD[None])
    with pytest.raises(ValueError, match=r"the network takes \(N, 4, 5, 2\)"):
        features.excitation(model, GOOD, unit=0)
    with pytest.raises(ValueError, match="n must be a whole number"):
        features.strongest_samples(model, GOOD[None], unit=0, n=0)
    with pytest.raises(ValueError, match="say which by unit"):
        features.backward_optimise(model, GOOD)
    with pytest.raises(ValueError, match="target must be a number"):
        features.backward_optimise(model, GOOD, "high", unit=0)


def test_what_keras_cannot_copy_is_named():
    class Own(layers.Layer):
        def __init__(self, size):
            super().__init__()

        def call(self, x):
            return x

    model = Sequential([Input((4, 5, 2)), Own(3)])
    with pytest.raises(NotImplementedError, match="Keras cannot copy the network"):
        features.excitation(model, GOOD[None])


def test_broken_weights_are_noticed():
    model, _ = linear()
    model.set_weights([w * np.nan for w in model.get_weights()])
    with pytest.raises(ValueError, match="check the network's weights"):
        features.excitation(model, GOOD[None], unit=0)


@pytest.fixture(scope="module")
def any_model():
    return linear()[0]


@settings(max_examples=25, deadline=None)
@given(
    unit=st.one_of(
        st.integers(-2, 5), st.tuples(st.integers(-1, 5)), st.floats(), st.text(), st.none()
    ),
    low=st.floats(allow_nan=True),
    high=st.floats(allow_nan=True),
    jitter=st.integers(-2, 6),
)
def test_anything_else_is_done_or_refused_in_a_sentence(any_model, unit, low, high, jitter):
    options = {"limits": (low, high), "jitter": jitter, "steps": 2, "progress": False}
    try:
        run = features.synthesise(any_model, unit=unit, **options)
    except (TypeError, ValueError, NotImplementedError) as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert np.isfinite(run.picture).all()
        assert np.float32(low) <= run.picture.min() and run.picture.max() <= np.float32(high)
