"""The front door to iNNvestigate, held against iNNvestigate itself, gradients and hand work."""

import gc

import innvestigate
import layer_cases
import layer_fronts
import numpy as np
import pytest
import tensorflow as tf
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.keras import Model, Sequential, layers
from tf_keras.src.mixed_precision.policy import policy_scope

from utils.explain import analyzers, explain, methods
from utils.explain.explain import _smoothgrad
from utils.keras_graph import machine, validation
from utils.keras_graph.cache import ModelCache

NEEDED = {"lrp.alpha_beta": {"alpha": 3}, "deep_taylor.bounded": {"low": -4, "high": 4}}
# Different ways of using weights in iNNvestigate: enough to compare, since analyzers take time.
BOUNDED = {"method": "deep_taylor.bounded"}
FOLLOWED = ["gradient", "lrp.z", "lrp.sequential_preset_a", "smoothgrad"]
FAMILIES = [*FOLLOWED, "integrated_gradients", "guided_backprop", "lrp.alpha_beta", "lrp.flat"]
FAMILIES += ["deep_taylor.bounded"]
rng = np.random.default_rng(0)


def randomise(model, seed=0):
    """Random weights, biases too; positive ones for batch normalisation."""
    draw = np.random.default_rng(seed)
    for layer in model.layers:
        positive = isinstance(layer, layers.BatchNormalization)
        sizes = [w.shape for w in layer.get_weights()]
        layer.set_weights(
            [draw.uniform(0.3, 2, s) if positive else draw.normal(size=s) for s in sizes]
        )
    return model


def trunk(*extra):
    return [
        layers.Input((6, 6, 2)),
        layers.Conv2D(3, 3, activation="relu"),
        *extra,
        layers.MaxPooling2D(),
        layers.Flatten(),
    ]


@pytest.fixture(scope="module")
def classifier():
    return randomise(Sequential([*trunk(), layers.Dense(3, activation="softmax")]))


@pytest.fixture(scope="module")
def logits(classifier):
    """The same network, its softmax taken off by hand."""
    model = Sequential([*trunk(), layers.Dense(3)])
    model.set_weights(classifier.get_weights())
    return model


@pytest.fixture(scope="module")
def mapper():
    """A small encoder-decoder with a skip connection and without biases: a map of one channel."""
    x = layers.Input((8, 8, 2))
    a = layers.Conv2D(3, 3, padding="same", activation="relu", use_bias=False)(x)
    b = layers.MaxPooling2D()(a)
    b = layers.Conv2D(3, 3, padding="same", activation="relu", use_bias=False)(b)
    b = layers.UpSampling2D()(b)
    y = layers.Conv2D(1, 1, use_bias=False)(layers.Concatenate()([a, b]))
    return randomise(Model(x, y), seed=3)


@pytest.fixture(scope="module")
def x():
    return rng.normal(size=(5, 6, 6, 2)).astype("float32")


@pytest.fixture(scope="module")
def fields():
    return rng.uniform(0.1, 1, size=(4, 8, 8, 2)).astype("float32")


def own(t):
    return 2 * t


def relu(t):
    """Not Keras' function of this name."""
    return tf.nn.leaky_relu(t, 0.3)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())


# ---- the numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    ["gradient", "lrp.epsilon", "lrp.alpha_2_beta_1_IB", "deep_taylor", "integrated_gradients"],
)
def test_equals_innvestigate_called_by_hand(classifier, logits, x, method):
    analyzer = innvestigate.create_analyzer(method, logits, neuron_selection_mode="index")
    by_hand = analyzer.analyze(x, neuron_selection=[2, 0, 1, 1, 2])
    close(explain(classifier, x, method, output=[2, 0, 1, 1, 2]), by_hand)


def test_none_is_innvestigates_strongest_output(classifier, logits, x):
    close(explain(classifier, x, "lrp.z"), innvestigate.create_analyzer("lrp.z", logits).analyze(x))


def test_gradient_is_the_gradient(mapper, fields):
    wanted = tf.keras.backend.gradients(mapper.output[:, 2, 5, 0], mapper.input)
    [wanted] = tf.keras.backend.function([mapper.input], wanted)([fields])
    close(explain(mapper, fields, "gradient", output=(2, 5)), wanted)


@pytest.mark.parametrize(
    "head",
    [
        [layers.Dense(3, activation="sigmoid")],
        [layers.Dense(3), layers.Softmax()],
        [layers.Dense(3), layers.Activation("softmax")],
        [layers.Dense(3), layers.Activation("sigmoid")],
        [layers.Dense(3, activation=tf.nn.softmax)],
    ],
    ids=["dense sigmoid", "softmax layer", "softmax", "sigmoid", "tf.nn.softmax"],
)
def test_heads_are_taken_off(head):
    model = Sequential([layers.Input((4,)), *head])
    kernel = randomise(model).get_weights()[0]
    assert np.array_equal(explain(model, np.ones((1, 4)), "gradient", output=1), kernel.T[1:2])


def test_taking_the_head_off_leaves_the_model_alone(classifier, x):
    before = classifier.predict_on_batch(x)
    explain(classifier, x, "gradient")
    assert np.array_equal(before, classifier.predict_on_batch(x))
    assert classifier.layers[-1].activation is tf.keras.activations.softmax


def test_relevance_is_conserved_without_biases(mapper, fields):
    strongest = mapper.predict_on_batch(fields).max((1, 2, 3))
    assert (strongest > 0).all()
    close(explain(mapper, fields).sum((1, 2, 3)), strongest)


def test_one_number(x):
    model = randomise(Sequential([*trunk(), layers.Dense(1)]))
    maps = explain(model, x, "gradient")
    assert np.array_equal(maps, explain(model, x, "gradient", output=0))
    close(explain(model, x, "input_t_gradient"), x * maps)


@pytest.mark.parametrize("method", ["lrp.z", "lrp.epsilon"])
def test_batch_normalisation_is_explained_like_the_folded_network(x, method):
    normed = Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(3, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.Activation("relu"),
            layers.Flatten(),
            layers.Dense(3, name="dense"),
        ]
    )
    folded = Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(3, 3, name="conv"),
            layers.Activation("relu"),
            layers.Flatten(),
            layers.Dense(3, name="dense"),
        ]
    )
    for seed in (1, 2):  # the second round sets new weights under the same analyzer
        kernel, bias = randomise(normed, seed).get_layer("conv").get_weights()
        gamma, beta, mean, variance = normed.get_layer("norm").get_weights()
        slope = gamma / np.sqrt(variance + normed.get_layer("norm").epsilon)
        folded.get_layer("conv").set_weights([kernel * slope, (bias - mean) * slope + beta])
        folded.get_layer("dense").set_weights(normed.get_layer("dense").get_weights())
        close(explain(normed, x, method, output=1), explain(folded, x, method, output=1))


def test_dropout_is_off_and_a_relu_layer_is_an_activation(x):
    plain = randomise(Sequential([*trunk(layers.Conv2D(2, 1, activation="relu")), layers.Dense(3)]))
    model = Sequential(
        [*trunk(layers.Dropout(0.5), layers.Conv2D(2, 1), layers.ReLU()), layers.Dense(3)]
    )
    model.set_weights(plain.get_weights())
    close(explain(model, x, output=2), explain(plain, x, output=2))


@pytest.mark.parametrize(
    ("bias", "method", "wanted"),
    [
        (-1, "lrp.alpha_1_beta_0", [-1, 0]),  # z+ = 1, z- = -1 - 1, R = -1
        (-1, "lrp.alpha_2_beta_1", [-2, 0.5]),
        (-1.5, "lrp.alpha_1_beta_0", [-1.5, 0]),
        (-1.5, "lrp.alpha_1_beta_0_IB", [-1.5, 0]),
        (0.5, "lrp.alpha_1_beta_0", [1 / 3, 0]),
    ],
)
def test_alpha_beta_takes_the_bias_by_its_sign(bias, method, wanted):
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.set_weights([np.array([[1.0], [-1.0]]), np.array([bias])])
    close(explain(model, np.ones((1, 2)), method, output=0)[0], np.array(wanted))


def test_presets_take_the_bias_by_its_sign():
    model = Sequential([layers.Input((2, 1)), layers.Conv1D(1, 2), layers.Flatten()])
    model.set_weights([np.array([[[1.0]], [[-1.0]]]), np.array([-1.0])])
    maps = explain(model, np.ones((1, 2, 1)), "lrp.sequential_preset_b", output=0)
    close(maps[0, :, 0], np.array([-2, 0.5]))


def test_the_whole_bias_is_innvestigates_and_warns_where_a_denominator_goes(logits, x):
    [by_hand] = innvestigate.create_analyzer("lrp.alpha_2_beta_1", logits).analyze(x[:1])
    close(explain(logits, x[:1], "lrp.alpha_2_beta_1", bias="whole")[0], by_hand)
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    for bias, sums in ((-1.0, "-1e.07"), (-1.5, "3")):
        model.set_weights([np.array([[1.0], [-1.0]]), np.array([bias])])
        with pytest.warns(UserWarning, match=f"In 1 of 1 maps.* adds up to {sums} for an output"):
            explain(model, np.ones((1, 2)), output=0, bias="whole")


AUGMENTATION = {
    "RandomFlip": (),
    "RandomBrightness": (0.5,),
    "RandomContrast": (0.5,),
    "RandomRotation": (0.5,),
    "RandomZoom": (0.5,),
    "RandomTranslation": (0.5, 0.5),
}


@pytest.mark.parametrize("name", AUGMENTATION)
@pytest.mark.parametrize("method", ["input_t_gradient", "lrp.z"])
def test_a_forecast_has_no_augmentation(name, method):
    layer = getattr(layers, name)(*AUGMENTATION[name])
    model = Sequential([layers.Input((3, 4, 2)), layer, layers.Flatten(), layers.Dense(1)])
    w, one = rng.normal(size=(24, 1)), rng.normal(size=(1, 3, 4, 2))
    model.layers[-1].set_weights([w, np.zeros(1)])
    close(explain(model, one, method, output=0), one * w.reshape(1, 3, 4, 2))


@pytest.mark.parametrize("inside", [False, True])
def test_what_is_always_in_training_is_not_so_in_a_forecast(inside):
    i = layers.Input((4,))
    h = layers.Dropout(0.9)(layers.GaussianNoise(9.0)(i, True), training=True)
    h = layers.Reshape((4, 1))(h)
    h = layers.TimeDistributed(layers.Dropout(0.9))(h, True)
    h = layers.Flatten()(Model(i, h)(i) if inside else h)
    model = Model(i, layers.Dense(1)(h))
    w = randomise(model).get_weights()[0]
    close(explain(model, np.ones((1, 4)), "gradient", output=0), w.T)


def test_batch_normalisation_in_training_is_refused():
    i = layers.Input((4,))
    inner = Sequential([layers.BatchNormalization(name="odd", input_shape=(4,))])
    norm = layers.BatchNormalization(name="odd")
    for h in (norm(i, training=True), norm(i, True), inner(i, training=True)):
        with pytest.raises(NotImplementedError, match="'odd' .*always in training"):
            explain(Model(i, layers.Dense(1)(h)), np.ones((2, 4)), "gradient")


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (lambda: layers.LeakyReLU(0.3), lambda h: np.where(h > 0, h, 0.3 * h)),
        (lambda: layers.PReLU("ones"), lambda h: h),
        (lambda: layers.ELU(), lambda h: np.where(h > 0, h, np.expm1(h))),
        (lambda: layers.ReLU(0.5, 0.2, 0.1), lambda h: np.clip(h, None, 0.5)),
        (lambda: layers.Activation("softplus"), lambda h: np.log1p(np.exp(h))),
    ],
)
def test_relevance_passes_an_activation_unchanged(layer, function):
    model = Sequential([layers.Input((4,)), layers.Dense(5), layer(), layers.Dense(2)])
    for part in model.layers[::2]:
        part.set_weights([abs(rng.normal(size=w.shape)) for w in part.get_weights()])
    x, (w1, b1), (w2, _) = (
        abs(rng.normal(size=(1, 4))),
        *[p.get_weights() for p in model.layers[::2]],
    )
    h = x @ w1 + b1
    close(explain(model, x, "lrp.z", output=1), x * (w1 @ (function(h) * w2[:, 1] / h)[0]))


@pytest.mark.parametrize(
    ("merge", "method", "factors"),
    [
        ("Add", "deep_taylor", [1, 1]),
        ("Average", "deep_taylor", [0.5, 0.5]),
        ("Average", "lrp.epsilon", [0.5, 0.5]),
        ("Subtract", "lrp.epsilon", [1, -1]),
    ],
)
def test_a_sum_is_shared_by_what_each_adds(merge, method, factors):
    i = layers.Input((2,))
    both = [layers.Dense(1, use_bias=False)(i) for _ in range(2)]
    model = Model(i, getattr(layers, merge)()(both))
    model.set_weights([np.array([[1.0], [0]]), np.array([[0], [1.0]])])
    x = np.array([[6.0, 1]])
    close(explain(model, x, method, output=0), x * factors)


@pytest.mark.parametrize(
    "policy",
    [
        "mixed_float16",
        *(pytest.param(p, marks=pytest.mark.slow) for p in ("mixed_bfloat16", "float64")),
    ],
)
@pytest.mark.parametrize("method", ["gradient", "lrp.epsilon"])
def test_any_precision_is_explained_in_single(x, policy, method):
    models = []
    for dtype in (policy, "float32"):
        with policy_scope(dtype):
            norm, leaky = layers.BatchNormalization(), layers.ReLU()
            models.append(Sequential([*trunk(norm, leaky), layers.Dense(3, dtype="float32")]))
    randomise(models[1])
    models[0].set_weights(models[1].get_weights())
    close(*(explain(model, x, method, output=1) for model in models))


@pytest.mark.parametrize("method", ["lrp.z", pytest.param("gradient", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.layers[2], "alpha", np.float32(0.9)),
        lambda model: setattr(model.layers[0], "strides", (2, 2)),
        lambda model: setattr(model.layers[0], "activation", tf.keras.activations.relu),
        lambda model: model.layers[1].set_weights([w + 1 for w in model.layers[1].get_weights()]),
        lambda model: [setattr(layer, "trainable", False) for layer in model.layers],
    ],
    ids=["slope", "strides", "activation", "averages", "frozen"],
)
def test_what_changes_in_a_layer_is_noticed(x, method, change):
    parts = layers.Conv2D(2, 3, padding="same"), layers.BatchNormalization(), layers.LeakyReLU()
    model = randomise(Sequential([layers.Input((6, 6, 2)), *parts, layers.Conv2D(1, 1)]))
    explain(model, x, method, output=0)
    change(model)
    fresh = tf.keras.models.clone_model(model)
    fresh.set_weights(model.get_weights())
    close(explain(model, x, method, output=0), explain(fresh, x, method, output=0))


def deep(L, x):
    """What the papers of these methods speak of, pixels that move, and values given twice."""
    y = L.Conv2D(3, 2, activation="relu")(L.Permute((2, 1, 3))(x))
    y = L.Activation("relu")(L.MaxPooling2D()(L.BatchNormalization()(L.Conv2D(2, 2)(y))))
    return L.Dense(4, activation="relu", name="tried")(L.Flatten()(L.Add()([y, y])))


@pytest.mark.parametrize(
    "method",
    ["deconvnet", "guided_backprop", "deep_taylor.bounded", "lrp.sequential_preset_b_flat"],
)
def test_a_network_is_explained_by_the_papers_formulas(method):
    case = layer_cases.Case("Dense", "in a network", (7, 7, 2), deep)
    assert layer_fronts.judge(f"explain, {method}", case) == layer_fronts.RIGHT


@pytest.mark.parametrize("method", ["deep_taylor.bounded", "lrp.sequential_preset_a_flat"])
def test_a_layer_at_the_input_and_elsewhere_is_refused(method):
    i, conv = layers.Input((4, 4, 1)), layers.Conv2D(1, 1, name="odd")
    h = layers.Concatenate()([conv(conv(i)), layers.Conv2D(1, 1)(i)])
    with pytest.raises(NotImplementedError, match="'odd' .*is used there and elsewhere: try"):
        explain(
            Model(i, layers.Dense(1)(layers.Flatten()(h))),
            np.ones((1, 4, 4, 1)),
            method,
            **NEEDED.get(method, {}),
        )


# ---- which output -----------------------------------------------------------------------------


def test_one_output_for_each_sample_equals_one_by_one(classifier, x):
    together = explain(classifier, x, output=[0, 2, 1, 2, 0])
    alone = [explain(classifier, x[i : i + 1], output=k) for i, k in enumerate([0, 2, 1, 2, 0])]
    close(together, np.concatenate(alone))


def test_positions_in_a_map(mapper, fields):
    flat = explain(mapper, fields, "lrp.z", output=3 * 8 + 4)
    for same in [
        (3, 4),
        (3, 4, 0),
        np.int64(28),
        [(3, 4)] * 4,
        np.full((4, 3), [3, 4, 0]),
        [28] * 4,
    ]:
        assert np.array_equal(explain(mapper, fields, "lrp.z", output=same), flat)
    strongest = mapper.predict_on_batch(fields).reshape(4, -1).argmax(1)
    each = explain(mapper, fields, "lrp.z", output=strongest)
    assert np.array_equal(explain(mapper, fields, "lrp.z"), each)


def test_an_input_of_any_size():
    model = Sequential([layers.Input((None, None, 1)), layers.Conv2D(1, 3, padding="same")])
    randomise(model)
    for shape in [(2, 5, 7, 1), (2, 4, 4, 1)]:
        x = rng.normal(size=shape)
        maps = explain(model, x, "gradient", output=(2, 2))
        close(maps[:, 1:4, 1:4, 0], np.stack([model.get_weights()[0][:, :, 0, 0]] * 2))


# ---- every method -----------------------------------------------------------------------------


def test_methods_are_innvestigates():
    table = methods()
    assert set(table.method) <= set(innvestigate.analyzer.analyzers)
    assert table.method.is_unique
    assert table.question.str.len().max() <= 50  # pandas would cut longer ones


@pytest.mark.parametrize(
    "method",
    [
        one if one in FAMILIES else pytest.param(one, marks=pytest.mark.slow)
        for one in methods().method
    ],
)
def test_every_method_follows_the_weights(x, method):
    def network(seed):
        norm = [layers.BatchNormalization()] if method in FOLLOWED else []
        conv = layers.Conv2D(2, 3, activation="relu", input_shape=(6, 6, 2))
        return randomise(Sequential([conv, *norm, layers.Flatten(), layers.Dense(2)]), seed)

    model, other = network(1), network(2)
    options = NEEDED.get(method, {})
    before = explain(model, x, method, output=1, **options)
    assert before.shape == x.shape and before.dtype == np.float32
    model.set_weights(other.get_weights())
    after = explain(model, x, method, output=1, **options)
    assert not np.allclose(before, after)
    if method in FOLLOWED:
        close(after, explain(other, x, method, output=1, **options))


def test_smoothgrad_has_reproducible_noise_of_the_asked_size(classifier, x):
    def smooth(samples=x, **options):
        return explain(classifier, samples, "smoothgrad", output=1, augment_by_n=8, **options)

    assert np.array_equal(smooth(), smooth())
    close(smooth(x[3:4]), smooth()[3:4])
    assert not np.allclose(smooth(), smooth(seed=1))
    gradient = explain(classifier, x, "gradient", output=1)
    close(smooth(noise_level=0), gradient)
    assert not np.allclose(smooth(noise_level=0.5), gradient)


def test_integrated_gradients_add_up_to_the_difference(logits, x):
    baseline = np.full((6, 6, 2), 0.3)
    options = {"output": 2, "steps": 500, "reference_inputs": baseline}
    sums = explain(logits, x, "integrated_gradients", **options).sum((1, 2, 3))
    out = [logits.predict_on_batch(v)[:, 2] for v in (x, baseline[None])]
    np.testing.assert_allclose(sums, out[0] - out[1], atol=0.02 * np.abs(out[0]).max())


# ---- what comes in and goes out ---------------------------------------------------------------


@pytest.mark.parametrize("kind", [float, np.float64])  # NumPy 2 took the second for an array's
def test_smoothgrad_asks_in_single_precision(kind):
    asked, sample = [], np.float32([[0.1, 0.8]])
    _smoothgrad(lambda copies: asked.append(copies) or copies, sample, noise_level=kind(0.1))
    noise = np.random.default_rng(0).standard_normal((64, 2), "float32")
    size = np.float32(0.1 * float(np.ptp(sample)))
    assert asked[0].dtype == np.float32
    np.testing.assert_array_equal(asked[0], sample + size * noise)


@pytest.mark.parametrize("method", ["lrp.epsilon", "smoothgrad"])
def test_chunks_equal_the_whole(classifier, x, method):
    close(explain(classifier, x, method, batch_size=2), explain(classifier, x, method))


def test_a_bar_for_several_chunks_only(classifier, x, monkeypatch):
    bars = []
    plain = validation.tqdm
    monkeypatch.setattr(
        validation, "tqdm", lambda some, **k: bars.append(len(some)) or plain(some, **k)
    )
    explain(classifier, x, "gradient", output=1)
    assert bars == []
    explain(classifier, x, "gradient", output=1, batch_size=2)
    assert bars == [-(-len(x) // 2)]


def test_chunks_are_smaller_for_larger_networks(classifier):
    large = Sequential([layers.Input((512, 512, 4)), layers.Conv2D(32, 3), layers.Conv2D(1, 3)])
    sizes = [analyzers.get(m, "gradient", {}, m.input_shape[1:]).chunk for m in (classifier, large)]
    assert sizes[0] > 1000 and sizes[1] == 1


@pytest.mark.parametrize("dtype", ["float64", "float16", "int16", "uint8", "bool"])
def test_any_number_type(classifier, x, dtype):
    x = np.abs(x * 3).astype(dtype)
    wanted = explain(classifier, x.astype("float32"), "gradient", output=0)
    assert np.array_equal(explain(classifier, x, "gradient", output=0), wanted)
    assert np.array_equal(explain(classifier, x.tolist(), "gradient", output=0), wanted)


def test_xarray_in_and_out(mapper, fields):
    x = xr.DataArray(
        fields,
        dims=("sample", "y", "x", "channel"),
        coords={"channel": ["C13", "GLM"], "time": ("sample", np.arange(4))},
        name="abi",
        attrs={"units": "K"},
    )
    maps = explain(mapper, x, "lrp.z", output=xr.DataArray([3, 5, 0, 9], dims="sample"))
    assert maps.dims == x.dims and maps.coords.equals(x.coords)
    assert maps.attrs == {"long_name": "lrp.z of abi"} and maps.name == "explanation"
    assert np.array_equal(maps, explain(mapper, fields, "lrp.z", output=[3, 5, 0, 9]))


# ---- analyzers come and go --------------------------------------------------------------------


def test_analyzers_are_reused_and_each_has_the_same_small_graph(monkeypatch):
    monkeypatch.setattr(machine, "_kept", ModelCache(3))
    model = randomise(Sequential([layers.Input((4,)), layers.Dense(2)]))
    made = []
    for i in range(5):
        for _ in range(2):
            explain(model, np.ones((1, 4)), "lrp.epsilon", epsilon=0.1 + i)
        made.append(list(machine._kept.values())[-1])
    assert len({id(a) for a in made}) == 5
    assert len({len(a.graph.get_operations()) for a in made}) == 1
    assert list(machine._kept.values()) == made[2:]
    for old in made[:2]:
        with pytest.raises(RuntimeError, match="closed"):
            old.session.run(tf.no_op)
    explain(model, np.ones((1, 4)), "lrp.epsilon", epsilon=2.1)
    assert list(machine._kept.values())[-1] is made[2]


def test_the_models_own_graph_does_not_grow(classifier, x):
    explain(classifier, x, "gradient")
    before = len(tf.compat.v1.get_default_graph().get_operations())
    explain(classifier, x, "lrp.flat")
    assert len(tf.compat.v1.get_default_graph().get_operations()) == before


def test_analyzers_go_with_their_model(x):
    model = randomise(Sequential([*trunk(), layers.Dense(3)]))
    explain(model, x, "gradient")
    key, analyzer = next(reversed(machine._kept.items()))
    del model
    gc.collect()
    assert key not in machine._kept
    with pytest.raises(RuntimeError, match="closed"):
        analyzer.session.run(tf.no_op)


def test_layers_may_be_called_like_innvestigates_own(x):
    i = layers.Input((6, 6, 2))
    h = layers.Conv2D(2, 3, padding="same", activation="relu", name="lambda")(i)
    h = layers.Add(name="add")([layers.Conv2D(2, 1, name="multiply")(i), h])
    model = Model(i, layers.Dense(2, name="subtract")(layers.Flatten(name="flatten")(h)))
    assert explain(randomise(model), x, output=0).shape == x.shape


# ---- refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"model": "network.h5"}, TypeError, "Keras model, not str"),
        ({"method": "lrp.Z_plus"}, ValueError, "did you mean .*lrp.z"),
        ({"method": "integrated gradients"}, ValueError, "integrated_gradients"),
        ({"method": "pattern.net"}, ValueError, "no method 'pattern.net'"),
        ({"method": None}, ValueError, "no method None"),
        ({"epsilon": 1}, TypeError, "lrp.alpha_1_beta_0 has no option 'epsilon': it takes bias"),
        ({"method": "lrp.epsilon", "eps": 1}, TypeError, "it takes epsilon, bias"),
        (
            {"method": "lrp.epsilon", "epsilon": -1},
            ValueError,
            "epsilon must be a number above 0, not -1",
        ),
        ({"method": "lrp.alpha_beta"}, ValueError, "refuses .* alpha or beta"),
        ({"method": "deep_taylor.bounded", "low": 0}, ValueError, "needs both limits"),
        ({"method": "smoothgrad", "noise_level": -1}, ValueError, "noise_level"),
        ({"method": "smoothgrad", "augment_by_n": 0}, ValueError, "augment_by_n"),
        ({"method": "integrated_gradients", "steps": 2.5}, ValueError, "steps"),
        (
            {"method": "integrated_gradients", "reference_inputs": np.zeros(3)},
            ValueError,
            "reference_inputs .*6, 6, 2",
        ),
        ({"method": "smoothgrad", "noise_level": "a"}, ValueError, "noise_level .*'a'"),
        ({"method": "smoothgrad", "seed": -1}, ValueError, "seed .*-1"),
        ({"method": "integrated_gradients", "reference_inputs": "a"}, ValueError, "ref.*'a'"),
        ({"method": "lrp.epsilon", "epsilon": np.nan}, ValueError, "epsilon .*nan"),
        ({"method": "lrp.alpha_beta", "alpha": "2"}, ValueError, "alpha .*'2'"),
        ({"method": "lrp.alpha_beta", "alpha": 2, "bias": "no"}, ValueError, "bias .*'no'"),
        ({"bias": False}, ValueError, "bias must be split or whole, not False"),
        ({"method": "gradient", "postprocess": "log"}, ValueError, "postprocess .*'log'"),
        ({**BOUNDED, "low": "a", "high": 9}, ValueError, "low .*'a'"),
        ({**BOUNDED, "low": 9, "high": -9}, ValueError, "low must be below high"),
        ({**BOUNDED, "low": 1, "high": 9}, ValueError, "values below low"),
        ({**BOUNDED, "low": -9, "high": np.ones(3)}, ValueError, "shape .6, 6, 2."),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"batch_size": True}, ValueError, "batch_size"),
        ({"x": np.zeros((6, 6, 2))}, ValueError, r"takes \(N, 6, 6, 2\): .* pass x\[None\]"),
        ({"x": np.zeros((2, 6, 6, 3))}, ValueError, r"\(2, 6, 6, 3\).* takes \(N, 6, 6, 2\)"),
        ({"x": np.zeros((0, 6, 6, 2))}, ValueError, "no samples"),
        ({"x": np.zeros((2, 6, 6, 2), complex)}, TypeError, "real numbers, not complex"),
        ({"x": np.full((2, 6, 6, 2), "a")}, TypeError, "real numbers"),
        ({"x": [[1, 2], [3]]}, TypeError, "array of numbers"),
        ({"x": None}, TypeError, "real numbers"),
        ({"x": xr.Dataset({"abi": 1, "glm": 2})}, TypeError, "variables, abi, glm"),
        ({"x": np.full((1, 6, 6, 2), 1e300)}, ValueError, "72 missing, NaN or infinite"),
        (
            {"x": np.ma.masked_less(np.eye(6)[None, ..., None].repeat(2, -1), 1)},
            ValueError,
            "60 mi",
        ),
        ({"output": 3}, ValueError, "output 3 does not exist: count from 0 to 2"),
        ({"output": -1}, ValueError, "output -1 does not exist"),
        ({"output": [0, 1]}, ValueError, "2 entries for 5 samples"),
        ({"output": [0, 1, 2, 3, 0]}, ValueError, "output 3 does not exist"),
        ({"output": (1, 2)}, ValueError, "no position"),
        ({"output": True}, TypeError, "int"),
        ({"output": [True, 0, 0, 0, 0]}, TypeError, "int"),
        ({"output": 1.0}, TypeError, "int"),
        ({"output": tf.constant(1)}, TypeError, "int"),
        ({"output": "horse"}, TypeError, "int"),
        ({"output": [[0], [1, 2]]}, TypeError, "int"),
        ({"output": np.zeros((5, 1, 1), int)}, ValueError, "no position"),
    ],
    ids=lambda v: str(v)[:40] if isinstance(v, dict) else "",
)
def test_bad_arguments(classifier, x, change, error, words):
    with pytest.raises(error, match=words) as caught:
        explain(**{"model": classifier, "x": x, **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("output", [(8, 0), (0, 0, 1), (-1, 0), (0,), (0, 0, 0, 0), 64])
def test_positions_outside_a_map(mapper, fields, output):
    with pytest.raises(ValueError, match="does not exist|no position"):
        explain(mapper, fields, "lrp.z", output=output)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    output=st.one_of(
        st.integers(max_value=-1),
        st.integers(min_value=3),
        st.floats(),
        st.text(),
        st.booleans(),
        st.lists(st.integers(0, 2), max_size=4),
        st.lists(st.integers(3, 2**70), min_size=5, max_size=5),
        st.tuples(st.integers(0, 2), st.integers(0, 2)),
    )
)
def test_no_bad_output_gets_a_map(classifier, x, output):
    with pytest.raises((TypeError, ValueError), match="output"):
        explain(classifier, x, "gradient", output=output)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    shape=st.lists(st.integers(0, 6), max_size=5).filter(lambda s: s[1:] != [6, 6, 2] or s[0] == 0),
    value=st.sampled_from([0, 1, np.nan]),
)
def test_no_bad_shape_gets_a_map(classifier, shape, value):
    with pytest.raises(ValueError, match="takes|no samples"):
        explain(classifier, np.full(shape, value), "gradient")


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(bad=st.sampled_from([np.nan, np.inf, -np.inf]), where=st.integers(0, 5 * 72 - 1))
def test_no_bad_value_gets_a_map(classifier, x, bad, where):
    x = x.copy()
    x.flat[where] = bad
    with pytest.raises(ValueError, match="x holds 1 missing, NaN or infinite"):
        explain(classifier, x, "gradient")


def test_weights_that_are_not_finite(x):
    model = Sequential([*trunk(), layers.Dense(2)])
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    with pytest.raises(
        ValueError, match="gave NaN or infinite values: check the network's weights"
    ):
        explain(model, x, "gradient", output=0)


@pytest.mark.parametrize(
    ("layer", "method", "words"),
    [
        (lambda: layers.Lambda(lambda t: 2 * t, name="odd"), "gradient", "'odd' .Lambda."),
        (lambda: layers.LayerNormalization(name="odd"), "lrp.z", "'odd' .LayerNormalization."),
        (lambda: layers.LayerNormalization(name="odd"), "deep_taylor", "'odd' .LayerNormal"),
        (lambda: layers.LayerNormalization(name="odd"), "guided_backprop", "'odd' .LayerNormal"),
        (lambda: layers.Softmax(name="odd"), "lrp.z", "'odd' .Softmax.*: only a softmax at the"),
        (
            lambda: layers.Conv2D(2, 1, activation="gelu", name="odd"),
            "deep_taylor",
            "'odd' .Conv2D",
        ),
        (lambda: layers.LeakyReLU(name="odd"), "guided_backprop", "'odd' .LeakyReLU.*ReLU"),
        (lambda: layers.Activation("tanh", name="odd"), "lrp.sequential_preset_a", "'odd' .Activ"),
        (lambda: layers.GroupNormalization(3, name="odd"), "guided_backprop", "'odd' .Group"),
        (
            lambda: layers.Conv2D(2, 1, activation=own, name="odd"),
            "lrp.z",
            "activation of the .*odd",
        ),
        (lambda: layers.Conv2D(2, 1, activation=own, name="odd"), "gradient", "code of its own"),
        (lambda: layers.Activation(relu, name="odd"), "gradient", "'odd' .Activation.*its own"),
        (lambda: layers.Activation("log_softmax", name="odd"), "lrp.z", "'odd' .*may mix"),
        (lambda: layers.BatchNormalization(1, name="odd"), "lrp.z", "'odd' .*last axis"),
        (lambda: layers.ReLU(1.0, name="odd"), "deconvnet", "'odd' .ReLU.*no activation but"),
        (
            lambda: layers.UpSampling2D(2, interpolation="area", name="odd"),
            "gradient",
            "'odd' .*area",
        ),
        (lambda: layers.LocallyConnected2D(2, 1, name="odd"), "lrp.sequential_preset_a", "'odd'"),
        (
            lambda: layers.UpSampling2D(2, interpolation="bicubic", name="odd"),
            "deep_taylor",
            "'odd' .*adds up what is positive",
        ),
    ],
)
def test_layers_that_a_method_cannot_handle_are_named(x, layer, method, words):
    model = Sequential([*trunk(layer()), layers.Dense(3)])
    with pytest.raises(NotImplementedError, match=words) as caught:
        explain(model, x, method, output=0)
    assert "\n" not in str(caught.value)
    assert all(not key[0] == id(model) for key in machine._kept)


def test_what_has_no_gradient_is_named():
    for layer in (layers.CategoryEncoding(4, name="odd"), layers.Discretization([0.0], name="odd")):
        model = Sequential([layers.Input((3,)), layer, layers.Dense(2)])
        with pytest.raises(NotImplementedError, match="'odd' .*it has no gradient"):
            explain(model, np.ones((1, 3)), "gradient", output=0)
    model = Sequential([layers.Input((3,)), layers.Embedding(4, 2, name="odd"), layers.Flatten()])
    with pytest.raises(NotImplementedError, match="'odd' .*no gradient, so try lrp.epsilon"):
        explain(model, np.ones((1, 3)), "gradient", output=0)
    assert explain(model, np.ones((1, 3)), "lrp.epsilon", output=0).shape == (1, 3)
    with pytest.raises(ValueError, match="'odd' .*from 0 to 3"):
        explain(model, np.full((1, 3), 4), "lrp.epsilon", output=0)


@pytest.mark.parametrize("method", ["gradient", "lrp.alpha_2_beta_1"])
def test_a_model_in_a_model_is_opened(x, method):
    inner = Sequential([layers.Conv2D(2, 3, activation="tanh", input_shape=(4, 4, 3))])
    nested = randomise(Sequential([*trunk(inner), layers.Dense(2)]))
    flat = Sequential([*trunk(layers.Conv2D(2, 3, activation="tanh")), layers.Dense(2)])
    flat.set_weights(nested.get_weights())
    close(explain(nested, x, method, output=1), explain(flat, x, method, output=1))


def test_models_that_are_not_one_chain_from_input_to_output(x):
    class Own(tf.keras.Model):
        def call(self, inputs):
            return inputs

    unbuilt = Sequential([layers.Dense(3)])
    a, b = layers.Input((6, 6, 2)), layers.Input((6, 6, 2))
    for model, error, words in [
        (Own(), NotImplementedError, "functional model"),
        (unbuilt, ValueError, r"not built: .*tf.keras.Input"),
        (Model([a, b], layers.Add()([a, b])), NotImplementedError, "2 inputs"),
        (Model(a, [a, layers.Flatten()(a)]), NotImplementedError, r"2 outputs.*model.outputs\[0\]"),
    ]:
        with pytest.raises(error, match=words):
            explain(model, x)


def test_options_that_differ_in_the_middle_of_an_array_are_told_apart():
    model = Sequential(
        [layers.Input((32, 32, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    )
    x = np.random.default_rng(0).uniform(0, 1, (1, 32, 32, 3)).astype("float32")
    low, high = np.zeros_like(x), np.ones_like(x)
    first, second = low.copy(), low.copy()
    second[0, 16, 16] = -1
    assert repr(first) == repr(second)
    machine._kept.clear()
    for other in (first, second):
        explain(model, x, "deep_taylor.bounded", output=0, low=other, high=high)
    assert len(machine._kept) == 2
