"""LRP held against a derivation by hand, against iNNvestigate, and against its own books."""

import gc
import itertools
import warnings

import innvestigate
import lrp_by_hand
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.keras import Input, Model, Sequential, layers

from tests.graph.graphs import own_graph
from utils import lrp
from utils.explain import explain
from utils.keras_graph import machine
from utils.keras_graph.cache import ModelCache


def randomise(model, seed=0):
    """Random weights and biases; the variance of a batch normalisation positive."""
    draw = np.random.default_rng(seed)
    weights = [w for layer in model.layers for w in layer.weights]
    positive = ["variance" in w.name for w in weights]
    random = [
        draw.uniform(0.3, 2, w.shape) if p else draw.normal(size=w.shape)
        for w, p in zip(weights, positive, strict=True)
    ]
    model.set_weights(random)
    return model


def network(shape, *stack, seed=0):
    """A chain of layers with random weights."""
    return randomise(Sequential([Input(shape), *stack]), seed)


def normal(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def near(ours, wanted, tolerance=1e-10):
    """Equal but for a small share of the largest value."""
    assert ours.shape == wanted.shape
    assert np.abs(wanted).max() > 0, "nothing to compare"
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def check_by_hand(model, x, rule, formula, output=None, pooling="winner"):
    """Relevance of the input and of every layer in double precision, as derived by hand."""
    result = lrp.relevance(model, x, rule, output, pooling=pooling, dtype="float64")
    of_input, of_layers = lrp_by_hand.relevance(model, x, formula, output, pooling)
    near(result.input, of_input)
    assert result.layers.keys() == of_layers.keys()
    for name, wanted in of_layers.items():
        near(result.layers[name], wanted)


# ---- as derived by hand: every kind of layer, every rule --------------------------------------

# Two layers each: the first sees inputs of both signs, the second what a ReLU lets pass.
KINDS = {
    "Dense": lambda: network(
        (2, 3, 2),
        layers.Dense(3, activation="relu"),
        layers.Flatten(),
        layers.Dense(4),
    ),
    "Conv1D": lambda: network(
        (7, 2),
        layers.Conv1D(4, 3, padding="same", dilation_rate=2, activation="relu"),
        layers.Conv1D(2, 3, strides=2, groups=2),
    ),
    "Conv2D": lambda: network(
        (6, 5, 2),
        layers.Conv2D(4, (3, 2), padding="same", activation="relu"),
        layers.Conv2D(2, 3, strides=(2, 1), groups=2),
    ),
    "DepthwiseConv2D": lambda: network(
        (5, 6, 2),
        layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu"),
        layers.DepthwiseConv2D(2, strides=2),
    ),
    "SeparableConv2D": lambda: network(
        (5, 6, 2),
        layers.SeparableConv2D(3, 3, padding="same", depth_multiplier=2, activation="relu"),
        layers.SeparableConv2D(2, 2, strides=2),
    ),
    "Conv2DTranspose": lambda: network(
        (3, 4, 2),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(2, 2),
    ),
    "BatchNormalization folded": lambda: network(
        (5, 5, 2),
        layers.Conv2D(3, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.DepthwiseConv2D(2, depth_multiplier=2, use_bias=False),
        layers.BatchNormalization(scale=False),
    ),
    "BatchNormalization alone": lambda: network(
        (3, 3, 2),
        layers.BatchNormalization(),
        layers.Dense(4, activation="relu"),
        layers.BatchNormalization(center=False),
        layers.Flatten(),
        layers.Dense(2),
    ),
}

# The rule here, and its formula by hand.
RULES = {
    "z": (lrp.z(), ("z", {})),
    "epsilon": (lrp.epsilon(0.3), ("epsilon", {"epsilon": 0.3})),
    "gamma": (lrp.gamma(0.4), ("gamma", {"gamma": 0.4})),
    "alpha 1": (lrp.alpha_beta(1), ("alpha_beta", {"alpha": 1, "beta": 0})),
    "alpha 2": (lrp.alpha_beta(2), ("alpha_beta", {"alpha": 2, "beta": 1})),
    "alpha 2, whole bias": (
        lrp.alpha_beta(2, bias="whole"),
        ("alpha_beta", {"alpha": 2, "beta": 1, "bias": "whole"}),
    ),
    "alpha 2, no bias": (
        lrp.alpha_beta(2, bias=None),
        ("alpha_beta", {"alpha": 2, "beta": 1, "bias": None}),
    ),
    "w square": (lrp.w_square(), ("w_square", {})),
    "flat": (lrp.flat(), ("flat", {})),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return KINDS[request.param]()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_through_a_kind_of_layer_as_derived_by_hand(kind, name):
    check_by_hand(kind, normal(2, *kind.input_shape[1:]), *RULES[name])


def test_the_z_box_through_a_kind_of_layer_as_derived_by_hand(kind):
    x = normal(2, *kind.input_shape[1:])
    low, high = x.min() - 0.5, x.max() + 2
    first = kind.layers[0]

    def formula(layer):
        return ("z_box", {"low": low, "high": high}) if layer is first else ("z", {})

    others = {layer.name: "z" for layer in kind.layers[1:]}
    check_by_hand(kind, x, {"first": lrp.z_box(low, high)} | others, formula)


# ---- as derived by hand: every option ---------------------------------------------------------

RELU = {"activation": "relu"}
OPTIONS = {
    "Conv1D": lambda: network(
        (12, 2),
        layers.Conv1D(4, 3, strides=2, padding="same", **RELU),
        layers.Conv1D(4, 2, groups=2, padding="same", **RELU),
        layers.Conv1D(2, 3, dilation_rate=2),
    ),
    "Conv2D": lambda: network(
        (9, 8, 2),
        layers.Conv2D(3, 3, strides=2, padding="same", **RELU),
        layers.Conv2D(4, 3, dilation_rate=(2, 1), padding="same", use_bias=False, **RELU),
        layers.Conv2D(6, (3, 2), **RELU),
        layers.Conv2D(2, 1),
    ),
    "Conv2D of groups": lambda: network(
        (8, 7, 4),
        layers.Conv2D(6, 2, strides=(1, 2), groups=2, padding="same", **RELU),
        layers.Conv2D(6, 2, groups=6, dilation_rate=2, **RELU),
        layers.Conv2D(2, 2, strides=3),  # sees not every cell
    ),
    "DepthwiseConv2D": lambda: network(
        (7, 6, 2),
        layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=3, **RELU),
        layers.DepthwiseConv2D(2, dilation_rate=2, use_bias=False),
    ),
    "SeparableConv2D": lambda: network(
        (7, 6, 2),
        layers.SeparableConv2D(3, 2, dilation_rate=2, depth_multiplier=2, **RELU),
        layers.SeparableConv2D(2, 2, padding="same", use_bias=False),
    ),
    "Conv2DTranspose": lambda: network(
        (2, 2, 2),
        layers.Conv2DTranspose(3, 3, strides=(2, 3), **RELU),
        layers.Conv2DTranspose(2, 1, strides=2, use_bias=False, **RELU),
        layers.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=0),
    ),
    "Conv2DTranspose with dilation": lambda: network(
        (3, 4, 2),
        layers.Conv2DTranspose(3, 2, dilation_rate=2, **RELU),
        layers.Conv2DTranspose(2, 3, dilation_rate=2, padding="same"),
    ),
}


@pytest.mark.parametrize("name", ["alpha 2", "flat"])
@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_a_layer_as_derived_by_hand(option, name):
    """Alpha-beta uses all of a layer, flat shows whether padding counts as an input."""
    model = OPTIONS[option]()
    check_by_hand(model, normal(2, *model.input_shape[1:]), *RULES[name])


def followed(shape, *stack):
    """Layers below a dense one, which sends relevance to all cells, also to those of value 0."""
    return network(shape, *stack, layers.Flatten(), layers.Dense(2))


WITHOUT_WEIGHTS = {
    "one axis": lambda: followed(
        (7, 2),
        layers.ZeroPadding1D((1, 2)),
        layers.AveragePooling1D(3, 2, "same"),
        layers.UpSampling1D(3),
        layers.Cropping1D((2, 1)),
    ),
    "cells moved": lambda: followed(
        (3, 4, 2),
        layers.ZeroPadding2D(((1, 2), (0, 3))),
        layers.Permute((2, 3, 1)),
        layers.UpSampling2D((2, 3)),
        layers.Cropping2D(((1, 2), (0, 3))),
        layers.Reshape((11, 3, 6)),
        layers.Dropout(0.5),
        layers.Activation("linear"),
        layers.ReLU(),
        layers.Activation("relu"),
    ),
    "windows": lambda: followed(
        (7, 8, 2),
        layers.AveragePooling2D(),
        layers.AveragePooling2D((2, 3), 1),
        layers.UpSampling2D((2, 3), interpolation="bilinear"),
        layers.AveragePooling2D((3, 2), 2, "same"),
    ),
    "all of one axis": lambda: followed((6, 2), layers.GlobalAveragePooling1D(keepdims=True)),
    "all of both axes": lambda: followed((4, 3, 2), layers.GlobalAveragePooling2D()),
}


@pytest.mark.parametrize("option", WITHOUT_WEIGHTS)
def test_layers_without_weights_as_derived_by_hand(option):
    model = WITHOUT_WEIGHTS[option]()
    x = normal(2, *model.input_shape[1:])
    check_by_hand(model, x, *RULES["flat"], output=[0, 1])


MAX_POOLING = {
    "one axis": lambda: followed(
        (12, 2), layers.MaxPooling1D(3, 2, "same"), layers.MaxPooling1D(2)
    ),
    "both axes": lambda: followed(
        (8, 9, 2),
        layers.MaxPooling2D((3, 2), 2, "same"),
        layers.MaxPooling2D(2, 1),
        layers.MaxPooling2D(),
    ),
    "gaps": lambda: followed((7, 7, 2), layers.MaxPooling2D(2, 3), layers.MaxPooling2D(1, 2)),
    "all of one axis": lambda: followed((6, 2), layers.GlobalMaxPooling1D(keepdims=True)),
    "all of both axes": lambda: followed((4, 3, 2), layers.GlobalMaxPooling2D()),
}


@pytest.mark.parametrize("option", MAX_POOLING)
def test_max_pooling_as_derived_by_hand(option):
    model = MAX_POOLING[option]()
    shape = model.input_shape[1:]
    # A negative value makes a proportional share negative.
    check_by_hand(model, normal(2, *shape), *RULES["flat"], 1, "proportional")
    # Of several largest values, frequent among integers, the first wins.
    integers = np.random.default_rng(0).integers(-1, 2, size=(3, *shape))
    for x in (normal(2, *shape), integers):
        check_by_hand(model, x, *RULES["flat"], 1)


def branches():
    """Layers feed two others, and are fed by two, also by one and what that one feeds."""
    x = Input((4, 4, 2))
    a = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    b = layers.Add()([a, layers.Conv2D(3, 1)(a), layers.DepthwiseConv2D(3, padding="same")(a)])
    c = layers.UpSampling2D()(layers.MaxPooling2D()(b))
    d = layers.Concatenate()([c, x, b])
    e = layers.Concatenate(axis=1)([layers.Conv2D(2, 1, activation="relu")(d), x])
    return randomise(Model(x, layers.Conv2D(1, 3)(e)))


@pytest.mark.parametrize("name", ["z", "alpha 2", "flat"])
def test_branches_as_derived_by_hand(name):
    check_by_hand(branches(), normal(2, 4, 4, 2), *RULES[name], output=[(3, 1), (2, 0)])


def test_a_normalisation_stands_alone_if_another_layer_reads_what_it_reads():
    x = Input((4, 4, 2))
    a = layers.Conv2D(3, 3)(x)
    b = layers.Concatenate()([layers.BatchNormalization()(a), layers.ReLU()(a)])
    model = randomise(Model(x, layers.Dense(2)(layers.Flatten()(b))))
    check_by_hand(model, normal(2, 4, 4, 2), *RULES["alpha 2"])


FOLDED = {
    "Conv1DTranspose": ((4, 2), lambda: layers.Conv1DTranspose(3, 3, strides=2, output_padding=1)),
    "Conv2DTranspose": ((3, 4, 2), lambda: layers.Conv2DTranspose(3, 3, 2, output_padding=(1, 0))),
    "Conv3D": ((4, 4, 4, 2), lambda: layers.Conv3D(4, 2, strides=2, groups=2)),
    "Conv3DTranspose": ((2, 3, 2, 2), lambda: layers.Conv3DTranspose(3, 2, strides=2)),
    "SeparableConv1D": ((8, 2), lambda: layers.SeparableConv1D(3, 2, depth_multiplier=2)),
    "DepthwiseConv1D": ((8, 2), lambda: layers.DepthwiseConv1D(2, depth_multiplier=3)),
    "Conv1D, causal": ((8, 4), lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2)),
    "LocallyConnected2D": ((5, 4, 2), lambda: layers.LocallyConnected2D(3, 2, strides=(2, 1))),
    "EinsumDense": ((4, 3), lambda: layers.EinsumDense("btc,dc->btd", (4, 5))),
    "Rescaling": ((4, 3), lambda: layers.Rescaling([1.0, -2.0, 0.5], [0.0, 1.0, 2.0])),
}


@pytest.mark.parametrize("name", FOLDED)
def test_a_normalisation_behind_any_linear_layer(name):
    """The output explained is that of predict, and relevance keeps its sum but for the biases."""
    shape, layer = FOLDED[name]
    stack = [layer(), layers.BatchNormalization(), layers.Activation("tanh"), layers.Flatten()]
    model, x = network(shape, *stack, layers.Dense(2)), normal(2, *shape)
    result = lrp.relevance(model, x, "z", 1, dtype="float64")
    rows = result.ledger.groupby("sample")
    np.testing.assert_allclose(rows.received.first(), model.predict(x, verbose=0)[:, 1], rtol=1e-4)
    lost = rows.bias.sum() + rows.unassigned.sum()
    sums = result.input.reshape(2, -1).sum(1)
    np.testing.assert_allclose(sums + lost, rows.received.first(), rtol=1e-6)


@pytest.mark.parametrize("join", [layers.Add, layers.Concatenate])
def test_a_layer_joined_with_itself(join):
    x = Input((3,))
    a = layers.Dense(3, activation="relu")(x)
    model = randomise(Model(x, layers.Dense(2)(join()([a, a]))))
    check_by_hand(model, normal(2, 3), *RULES["z"])


# ---- as iNNvestigate computes it --------------------------------------------------------------


def own_preset(alpha, **first):
    """iNNvestigate's own, whose alpha-beta rules take the whole bias."""
    whole = lrp.alpha_beta(alpha, bias="whole")
    return first | {"Dense": lrp.epsilon(0.1), "Conv2D": whole}


SAME = {
    "lrp.z": "z",
    "lrp.epsilon": "epsilon",
    "lrp.alpha_1_beta_0": lrp.alpha_beta(1, bias="whole"),
    "lrp.alpha_1_beta_0_IB": lrp.alpha_beta(1, bias=None),
    "lrp.alpha_2_beta_1": lrp.alpha_beta(2, bias="whole"),
    "lrp.alpha_2_beta_1_IB": lrp.alpha_beta(2, bias=None),
    "lrp.w_square": "w_square",
    "lrp.flat": "flat",
    "lrp.sequential_preset_a": own_preset(1),
    "lrp.sequential_preset_b": own_preset(2),
    "lrp.sequential_preset_a_flat": own_preset(1, first=lrp.flat()),
    "lrp.sequential_preset_b_flat": own_preset(2, first=lrp.flat()),
}


def conv(filters, bias=True):
    return layers.Conv2D(filters, 3, padding="same", activation="relu", use_bias=bias)


def dense_network(bias):
    sizes = [layers.Dense(n, activation="relu", use_bias=bias) for n in (8, 6)]
    return Sequential([Input((12,)), *sizes, layers.Dense(3, use_bias=bias)])


def classifier(bias):
    body = [conv(4, bias), layers.MaxPooling2D(), conv(4, bias), layers.MaxPooling2D()]
    head = [layers.Dense(6, activation="relu", use_bias=bias), layers.Dense(3, use_bias=bias)]
    return Sequential([Input((16, 16, 2)), *body, layers.Flatten(), *head])


def encoder_decoder(bias, skip=False):
    x = Input((16, 16, 2))
    a = conv(4, bias)(x)
    y = layers.UpSampling2D()(conv(4, bias)(layers.MaxPooling2D()(a)))
    y = conv(4, bias)(layers.Concatenate()([y, a]) if skip else y)
    return Model(x, layers.Conv2D(1, 1, use_bias=bias)(y))


NETWORKS = {
    "dense network": dense_network,
    "classifier": classifier,
    "encoder-decoder": encoder_decoder,
    "U-Net": lambda bias: encoder_decoder(bias, skip=True),
}
GRID = list(itertools.product(SAME, NETWORKS, [True, False]))


def middle(model):
    """An output in the middle."""
    return tuple((n - 1) // 2 for n in model.output_shape[1:])


def against_innvestigate(model, method, rule, seed=5):
    """Our input relevance and iNNvestigate's, for an output in the middle."""
    x = normal(2, *model.input_shape[1:], seed=seed).astype("float32")
    output = middle(model)
    flat = Model(model.input, layers.Flatten()(model.output))  # explain mends where it departs
    analyzer = innvestigate.create_analyzer(method, flat, neuron_selection_mode="index")
    index = int(np.ravel_multi_index(output, model.output_shape[1:]))
    theirs = analyzer.analyze(x, neuron_selection=[index] * len(x))
    return lrp.relevance(model, x, rule, output).input, theirs


# iNNvestigate takes a second for each: of all combinations, every nineteenth runs always.
@pytest.mark.parametrize(
    ("method", "name", "bias"),
    [pytest.param(*one, marks=[pytest.mark.slow] * (i % 19 > 0)) for i, one in enumerate(GRID)],
)
def test_equals_innvestigate(method, name, bias):
    """Seed 8: no dead network, and no denominator so small that float32 rounding shows."""
    model = randomise(NETWORKS[name](bias), seed=8)
    near(*against_innvestigate(model, method, SAME[method]), 1e-5)


def departs(model, method, rule, formula):
    """We follow the formula, iNNvestigate does not."""
    ours, theirs = against_innvestigate(model, method, rule)
    assert np.abs(ours - theirs).max() > 0.05 * np.abs(ours).max()
    x = normal(2, *model.input_shape[1:], seed=5)
    check_by_hand(model, x, rule, formula, middle(model))


@pytest.mark.slow  # it cannot fail while the version is pinned
@pytest.mark.parametrize("alpha", [1, 2])
def test_innvestigate_puts_the_whole_bias_into_both_denominators_of_alpha_beta(alpha):
    """Bach's formula splits the bias by its sign: b+ to z+, b- to z-.

    In innvestigate/analyzer/relevance_based/relevance_rule.py, AlphaBetaRule.apply, `fn_tmp` adds
    `layer1(X1) + layer2(X2)`, one with b+ and one with b-: both denominators get b+ + b- = b.
    """
    model = network((12,), layers.Dense(8, activation="relu"), layers.Dense(3), seed=8)
    formula = "alpha_beta", {"alpha": alpha, "beta": alpha - 1}
    departs(model, f"lrp.alpha_{alpha}_beta_{alpha - 1}", lrp.alpha_beta(alpha), formula)


@pytest.mark.slow  # it cannot fail while the version is pinned
def test_innvestigate_sends_relevance_through_batch_normalisation_alone():
    """A normalisation after a convolution is one linear layer with it, and gets one rule here.

    iNNvestigate explains two layers (backend/graph.py, apply_mapping_to_fused_bn_layer): the
    alpha-beta rule splits by the signs before the normalisation, and at a negative slope these
    are the wrong ones.
    """
    norm = layers.BatchNormalization()
    model = network((5, 5, 2), layers.Conv2D(3, 3), norm, layers.Flatten(), layers.Dense(2))
    formula = "alpha_beta", {"alpha": 2, "beta": 1, "bias": None}
    departs(model, "lrp.alpha_2_beta_1_IB", lrp.alpha_beta(2, bias=None), formula)


def test_innvestigates_presets_have_a_rule_of_their_own_for_batch_normalisation():
    """It takes AlphaBetaX2m100Rule; here a normalisation that stands alone gets epsilon 0.1.

    That rule (relevance_rule.py, AlphaBetaXRule.apply) weighs what negative inputs and weights
    contribute by its second beta, where its second alpha is meant.
    """
    model = network((6,), layers.BatchNormalization(), layers.Dense(3))
    departs(model, "lrp.sequential_preset_a", "preset_a", ("epsilon", {"epsilon": 0.1}))


@pytest.mark.slow  # it cannot fail while the version is pinned
@pytest.mark.parametrize("name", ["alpha 2, no bias", "w square"])
def test_innvestigate_takes_the_two_kernels_of_a_separable_convolution_apart(name):
    """The layer is one convolution, whose kernel is the product of the two.

    iNNvestigate squares, or splits by sign, each by itself. The sum over the filters between them
    then mixes terms of both signs: what it calls positive are not the positive z_ij.
    """
    method = {"alpha 2, no bias": "lrp.alpha_2_beta_1_IB", "w square": "lrp.w_square"}[name]
    model = network((6, 6, 2), layers.SeparableConv2D(2, 3, depth_multiplier=2), seed=2)
    departs(model, method, *RULES[name])


@pytest.mark.slow  # it cannot fail while the version is pinned
def test_innvestigate_sends_relevance_through_bilinear_upsampling_like_a_gradient():
    """By the weights of the cells, whatever their values: the shares are not those of z_ij.

    In relevance_analyzer.py, LRP._default_reverse_mapping takes the gradient for all layers but
    those it lists. That is right for layers that move cells, as nearest upsampling does.
    """
    up = layers.UpSampling2D(interpolation="bilinear")
    model = network((4, 4, 2), up, layers.Conv2D(2, 3), seed=2)
    departs(model, "lrp.z", *RULES["z"])


@pytest.mark.slow  # it cannot fail while the version is pinned
def test_innvestigate_shares_among_equal_largest_values_of_a_global_max_pooling():
    """Here the first takes all, as in both libraries for windows of max pooling.

    A gradient of TensorFlow's reduce_max goes to all of them. After a ReLU many cells are 0, and
    rules such as flat send relevance there.
    """
    model = network((4, 4, 2), layers.ReLU(), layers.GlobalMaxPooling2D(), layers.Dense(3))
    x = np.full((1, 4, 4, 2), -1.0)
    ours, theirs = lrp.relevance(model, x, "flat", 1).input, explain(model, x, "lrp.flat", 1)
    assert np.count_nonzero(theirs) == 32
    assert np.argwhere(ours[0].any(-1)).tolist() == [[0, 0]]
    near(ours.sum((1, 2)), theirs.sum((1, 2)), 1e-5)


# ---- the books --------------------------------------------------------------------------------

# One unit: inputs 1, 2, -1, weights 3, -1, 2, bias 2. Contributions 3, -2, -2, output 1.
BOOKS = {
    "z": ("z", -1, 2, 0),
    "epsilon": (lrp.epsilon(0.5), -1 / 1.5, 2 / 1.5, 0.5 / 1.5),
    "gamma": (lrp.gamma(1), 2 / 6, 4 / 6, 0),
    "alpha 2": ("alpha_2_beta_1", 2 * 3 / 5 - 4 / 4, 2 * 2 / 5, 0),
    "alpha 2, whole bias": (lrp.alpha_beta(2, bias="whole"), 2 * 3 / 5 - 4 / 2, 2 * 2 / 5 + 1, 0),
    "alpha 3, no bias": (lrp.alpha_beta(3, bias=None), 3 - 2, 0, 0),
    "w square": ("w_square", 1, 0, 0),
    "flat": ("flat", 1, 0, 0),
    "z box": (lrp.z_box(-1, 2), 1, 0, 0),
}


@pytest.mark.parametrize(("rule", "passed_on", "bias", "stabiliser"), BOOKS.values(), ids=BOOKS)
def test_the_books_of_one_unit(rule, passed_on, bias, stabiliser):
    model = network((3,), layers.Dense(1, name="unit"))
    model.set_weights([np.array([[3], [-1], [2]]), np.array([2])])
    ledger = lrp.relevance(model, [[1, 2, -1]], rule, dtype="float64").ledger
    assert ledger.index.tolist() == [(0, "unit")]
    columns = ["received", "passed_on", "bias", "stabiliser", "unassigned"]
    assert ledger[columns].values[0] == pytest.approx([1, passed_on, bias, stabiliser, 0])


UNASSIGNED = {
    "contributions cancel": ([1, -1], lambda: unit("ones"), "z", 0),
    "nothing is against": ([1, 2], lambda: unit("ones"), "alpha_2_beta_1", 12),
    "nothing is for": ([-1, -2], lambda: unit("ones"), "alpha_2_beta_1", -6),
    "no weights": ([1, 2], lambda: unit("zeros"), "w_square", 0),
    "values cancel": ([[1], [-1]], lambda: layers.GlobalAveragePooling1D(), "z", 0),
    "half the cells are padding": ([[1], [2]], lambda: layers.ZeroPadding1D(1), "z", 3),
}


def unit(kernel, bias=0, **options):
    start = tf.keras.initializers.Constant(bias)
    return layers.Dense(1, kernel_initializer=kernel, bias_initializer=start, **options)


@pytest.mark.parametrize(("x", "layer", "rule", "passed_on"), UNASSIGNED.values(), ids=UNASSIGNED)
def test_what_nobody_contributed_to_is_unassigned(x, layer, rule, passed_on):
    """The layer above hands 6 to all its inputs alike, even if they are 0."""
    below, above = layer(), unit("zeros", 6, name="above")
    model = Sequential([Input(np.shape(x)), below, layers.Flatten(), above])
    ledger = lrp.relevance(model, [x], {"above": "flat", "Dense": rule}, dtype="float64").ledger
    row = ledger.loc[0, below.name]
    assert row[["received", "passed_on", "bias"]].tolist() == pytest.approx([6, passed_on, 0])
    assert row.unassigned == pytest.approx(6 - passed_on)


def test_epsilon_takes_zero_for_positive():
    model = Sequential([Input((2,)), unit("ones"), unit("zeros", 6, name="above")])
    rules = {"above": "flat", "Dense": lrp.epsilon(0.5)}
    assert lrp.relevance(model, [[1, -1]], rules).input.tolist() == [[12, -12]]


def test_the_ledger_is_a_table_by_sample_and_layer():
    model = network((4, 4, 1), conv(2), layers.Flatten(name="flat"), layers.Dense(2, name="top"))
    result = lrp.relevance(model, normal(3, 4, 4, 1), "preset_a", batch_size=2)
    names = ["top", "flat", model.layers[0].name]
    assert list(result.layers) == names
    assert result.ledger.index.names == ["sample", "layer"]
    assert result.ledger.index.tolist() == [(i, name) for i in range(3) for name in names]
    numbers = ["received", "passed_on", "bias", "stabiliser", "unassigned"]
    assert result.ledger.columns.tolist() == ["rule", *numbers]
    rules = ["epsilon 0.1", "", "alpha 1 beta 0"]
    assert result.ledger.rule.tolist() == rules * 3
    for name, relevance in result.layers.items():
        sums = result.ledger.xs(name, level="layer").received
        near(sums.values, relevance.reshape(3, -1).sum(1), 1e-5)


# ---- the books of any network -----------------------------------------------------------------

whole = st.integers


def convolution(draw, y):
    """Any convolution that fits."""
    size, channels = min(y.shape[1:3]), y.shape[-1]
    dilation = draw(whole(1, 2))
    options = {
        "kernel_size": draw(whole(1, min(3, (size - 1) // dilation + 1))),
        "dilation_rate": dilation,
        "strides": 1 if dilation > 1 else draw(whole(1, 2)),  # TensorFlow takes one or the other
        "padding": draw(st.sampled_from(["same", "valid"])),
        "activation": draw(st.sampled_from(["relu", None])),
        "use_bias": draw(st.booleans()),
    }
    match draw(st.sampled_from(["plain", "groups", "depthwise", "separable", "transposed"])):
        case "plain":
            return layers.Conv2D(draw(whole(1, 3)), **options)(y)
        case "groups":
            return layers.Conv2D(channels * draw(whole(1, 2)), groups=channels, **options)(y)
        case "depthwise":
            return layers.DepthwiseConv2D(depth_multiplier=draw(whole(1, 2)), **options)(y)
        case "separable":
            filters, between = draw(whole(1, 3)), draw(whole(1, 2))
            return layers.SeparableConv2D(filters, depth_multiplier=between, **options)(y)
        case "transposed":
            return layers.Conv2DTranspose(draw(whole(1, 3)), **options)(y)


def pooling(draw, y):
    kind = draw(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]))
    size, strides = draw(whole(1, min(2, *y.shape[1:3]))), draw(whole(1, 2))
    return kind(size, strides, draw(st.sampled_from(["same", "valid"])))(y)


def upsampling(draw, y):
    if max(y.shape[1:3]) > 6:
        return y
    return layers.UpSampling2D(2, interpolation=draw(st.sampled_from(["nearest", "bilinear"])))(y)


def frame(draw, y):
    if draw(st.booleans()) and min(y.shape[1:3]) > 2:
        return layers.Cropping2D(1)(y)
    return layers.ZeroPadding2D(draw(whole(0, 2)))(y)


def single(draw, y):
    options = [
        layers.BatchNormalization,
        layers.ReLU,
        lambda: layers.Dense(2, activation="relu"),
        lambda: layers.Dropout(0.5),
        lambda: layers.Permute((2, 1, 3)),
    ]
    return draw(st.sampled_from(options))()(y)


def joint(draw, y):
    """Two ways from one layer, perhaps one of them direct, to one that joins them."""
    filters = y.shape[-1]
    a = layers.Conv2D(filters, 3, padding="same", activation="relu")(y)
    b = y if draw(st.booleans()) else layers.DepthwiseConv2D(1)(y)
    return draw(st.sampled_from([layers.Add, layers.Concatenate]))()([a, b])


def end(draw, y):
    match draw(st.sampled_from(["map", "dense", "average", "max", "sequence"])):
        case "map":
            return layers.Conv2D(1, 1)(y)
        case "dense":
            return layers.Dense(2)(layers.Flatten()(y))
        case "average":
            return layers.Dense(2)(layers.GlobalAveragePooling2D()(y))
        case "max":
            return layers.Dense(2)(layers.GlobalMaxPooling2D()(y))
        case "sequence":
            y = layers.Conv1D(2, 2, padding="same")(layers.Reshape((-1, y.shape[-1]))(y))
            return layers.GlobalMaxPooling1D()(layers.AveragePooling1D(2, padding="same")(y))


@st.composite
def networks(draw):
    """Any small network, with random weights."""
    x = y = Input((draw(whole(3, 5)), draw(whole(3, 5)), draw(whole(1, 2))))
    blocks = st.sampled_from([convolution, convolution, pooling, upsampling, frame, single, joint])
    for block in draw(st.lists(blocks, min_size=1, max_size=3)):
        y = block(draw, y)
    return randomise(Model(x, end(draw, y)), draw(whole(0, 2**32 - 1)))


def neighbours(model):
    """Pairs of names: layers, and all that feed them and no others."""
    found = []
    for layer in model.layers[1:]:
        above = {layer.name}
        below = {tensor._keras_history.layer.name for tensor in tf.nest.flatten(layer.input)}
        for other in [pair for pair in found if pair[1] & below]:
            found.remove(other)
            above, below = above | other[0], below | other[1]
        found.append((above, below))
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), seed=whole(0, 2**32 - 1))
def test_every_book_balances(data, seed):
    with own_graph():
        check_the_books(data, data.draw(networks(), label="network"), seed)


def check_the_books(data, model, seed):
    x = normal(2, *model.input_shape[1:], seed=seed)
    rules = {}
    for layer in model.layers[1:]:
        fitting = [rule for rule, _ in RULES.values()]
        if layer.input is model.input:
            fitting.append(lrp.z_box(-9, 9))
        rules[layer.name] = data.draw(st.sampled_from(fitting), label=layer.name)
    output = data.draw(whole(0, np.prod(model.output_shape[1:]) - 1), label="output")
    how = data.draw(st.sampled_from(["winner", "proportional"]), label="pooling")
    result = lrp.relevance(model, x, rules, output, pooling=how, dtype="float64")

    everywhere = {model.layers[0].name: result.input} | result.layers
    sums = {name: r.reshape(2, -1).sum(1) for name, r in everywhere.items()}
    # Positive and negative relevance may be large and cancel: sums are as exact as their parts.
    largest = max(np.abs(r).reshape(2, -1).sum(1).max() for r in everywhere.values())

    def equal(a, b):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * largest)

    by_layer = {name: rows for name, rows in result.ledger.groupby("layer")}
    entries = ["passed_on", "bias", "stabiliser", "unassigned"]
    for name, rows in by_layer.items():
        equal(rows.received, rows[entries].sum(axis=1))
        equal(rows.received, sums[name])
    for above, below in neighbours(model):
        passed_on = sum(by_layer[name].passed_on.values for name in above)
        equal(passed_on, sum(sums[name] for name in below))
    top = model.layers[-1].name
    value = lrp_by_hand.activations(model, x)[top].reshape(2, -1)[:, output]
    equal(by_layer[top].received, value)
    lost = result.ledger[entries[1:]].sum(axis=1).groupby("sample").sum()
    equal(sums[model.layers[0].name], value - lost)


# ---- which output, which samples --------------------------------------------------------------


@pytest.fixture(scope="module")
def classes():
    """Three classes, without a head."""
    body = [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
    return network((8, 8, 2), *body, layers.Dense(3))


@pytest.fixture(scope="module")
def maps():
    """A map of one channel, with a skip connection."""
    x = Input((8, 8, 2))
    a = conv(3)(x)
    y = layers.UpSampling2D()(conv(3)(layers.MaxPooling2D()(a)))
    return randomise(Model(x, layers.Conv2D(1, 1)(layers.Concatenate()([y, a]))))


@pytest.fixture(scope="module")
def x():
    return normal(5, 8, 8, 2)


def same(one, other):
    """Two results with the same numbers, to the last bit."""
    assert np.array_equal(one.input, other.input)
    assert one.layers.keys() == other.layers.keys()
    assert all(np.array_equal(one.layers[name], other.layers[name]) for name in one.layers)
    pd.testing.assert_frame_equal(one.ledger, other.ledger)


def close(one, other):
    """Two results with the same numbers but for rounding in double precision."""
    near(one.input, other.input)
    for name in other.layers:
        near(one.layers[name], other.layers[name])
    numbers = ["received", "passed_on", "bias", "stabiliser", "unassigned"]
    near(one.ledger[numbers].values, other.ledger[numbers].values)


@pytest.mark.parametrize(
    "head",
    [
        [layers.Dense(3, activation="softmax", name="top")],
        [layers.Dense(3, activation="sigmoid", name="top")],
        [layers.Dense(3, activation=tf.nn.softmax, name="top")],
        [layers.Dense(3, activation=tf.nn.sigmoid, name="top")],
        [layers.Dense(3), layers.Activation("softmax", name="top")],
        [layers.Dense(3), layers.Activation("sigmoid", name="top")],
        [layers.Dense(3), layers.Softmax(name="top")],
    ],
    ids=["softmax", "sigmoid", "tf.nn.softmax", "tf.nn.sigmoid", "alone", "alone", "layer"],
)
def test_a_head_is_taken_off_with_a_warning(classes, x, head):
    model = Sequential([Input((8, 8, 2)), *map(copy, classes.layers[:-1]), *head])
    model.set_weights(classes.get_weights())
    words = (
        f"(softmax|sigmoid).* of the layer 'top' .{type(head[-1]).__name__}. is taken off: .*before"
    )
    before = model.predict_on_batch(x.astype("float32"))
    with pytest.warns(UserWarning, match=words) as caught:
        result = lrp.relevance(model, x, dtype="float64")
    assert caught[0].filename == __file__
    near(result.input, lrp.relevance(classes, x, dtype="float64").input)
    assert result.ledger.received.loc[0, "top"] == result.layers["top"][0].sum()
    assert np.array_equal(model.predict_on_batch(x.astype("float32")), before)


def copy(layer):
    return type(layer).from_config(layer.get_config())


def test_no_head_no_warning(classes, x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lrp.relevance(classes, x)


def test_one_output_for_each_sample_equals_one_by_one(classes, x):
    together = lrp.relevance(classes, x, output=[0, 2, 1, 2, 0], dtype="float64")
    for i, k in enumerate([0, 2, 1, 2, 0]):
        alone = lrp.relevance(classes, x[i : i + 1], output=k, dtype="float64")
        near(together.input[i : i + 1], alone.input)
        near(together.ledger.passed_on[i].values, alone.ledger.passed_on[0].values)


def test_positions_in_a_map(maps, x):
    flat = lrp.relevance(maps, x, output=3 * 8 + 4)
    places = [(3, 4), (3, 4, 0), np.int64(28), [(3, 4)] * 5, np.full((5, 3), [3, 4, 0]), [28] * 5]
    for place in places:
        same(lrp.relevance(maps, x, output=place), flat)
    strongest = maps.predict_on_batch(x.astype("float32")).reshape(5, -1).argmax(1)
    assert len(set(strongest)) > 1
    same(lrp.relevance(maps, x), lrp.relevance(maps, x, output=strongest))


@pytest.mark.parametrize("output", [(8, 0), (0, 0, 1), (-1, 0), (0,), 64, [0, 1], 1.0, True, "a"])
def test_positions_outside_a_map(maps, x, output):
    with pytest.raises((TypeError, ValueError), match="output .*(exist|position|entries|must be)"):
        lrp.relevance(maps, x, output=output)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_any_chunks_give_the_same_numbers(classes, x, size):
    whole = lrp.relevance(classes, x, "gamma", dtype="float64")
    close(lrp.relevance(classes, x, "gamma", dtype="float64", batch_size=size), whole)


def test_chunks_are_smaller_for_larger_networks(classes, x):
    large = network((512, 512, 4), layers.Conv2D(32, 3), layers.Conv2D(1, 3))
    sizes = []
    for model, samples in ((classes, x), (large, np.ones((1, 512, 512, 4)))):
        lrp.relevance(model, samples, "w_square", layers=False)
        sizes.append(next(reversed(machine._kept.values())).chunk)
    assert sizes[0] > 1000 and sizes[1] == 1


def test_xarray_in_and_out(maps, x):
    data = xr.DataArray(
        x,
        dims=("sample", "y", "x", "channel"),
        coords={"channel": ["C13", "GLM"], "time": ("sample", np.arange(5))},
        name="abi",
        attrs={"units": "K"},
    )
    output = xr.DataArray([3, 5, 0, 9, 63], dims="sample")
    result = lrp.relevance(maps, data, output=output)
    assert result.input.dims == data.dims and result.input.coords.equals(data.coords)
    assert result.input.name == "relevance" and not result.input.attrs
    same(result._replace(input=result.input.values), lrp.relevance(maps, x, output=output.values))


@pytest.mark.parametrize("dtype", ["float16", "int16", "uint8", "bool"])
def test_any_number_type(classes, x, dtype):
    x = np.abs(x * 3).astype(dtype)
    same(lrp.relevance(classes, x), lrp.relevance(classes, x.astype("float64")))
    same(lrp.relevance(classes, x.tolist()), lrp.relevance(classes, x))


def test_precision(classes, x):
    single, double = lrp.relevance(classes, x), lrp.relevance(classes, x, dtype="float64")
    for result, dtype in ((single, "float32"), (double, "float64")):
        arrays = [result.input, *result.layers.values(), result.ledger.received.values]
        assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    near(single.input, double.input, 1e-5)


def test_without_the_layers(classes, x):
    bare = lrp.relevance(classes, x, layers=False)
    assert bare.layers == {}
    same(bare, lrp.relevance(classes, x)._replace(layers={}))


def test_an_input_of_any_size():
    model = network((None, None, 1), conv(2), layers.MaxPooling2D(), layers.Conv2D(1, 1))
    for shape in [(2, 6, 8, 1), (1, 4, 4, 1)]:
        check_by_hand(model, normal(*shape), *RULES["alpha 2"], output=(1, 1))


# ---- which rule -------------------------------------------------------------------------------


def rules_of(model, x, rule):
    """The rule of each layer, by the ledger; "" for a layer without weights."""
    return lrp.relevance(model, x, rule).ledger.rule[0].to_dict()


def test_a_dict_chooses_by_name_then_first_then_class():
    stack = [
        layers.Conv2D(2, 1, name="one"),
        layers.Conv2D(2, 1, name="two"),
        layers.Conv2D(2, 1, name="three"),
        layers.Flatten(name="four"),
        layers.Dense(2, name="five"),
    ]
    model, x = network((3, 3, 1), *stack), normal(1, 3, 3, 1)
    rules = {"Dense": lrp.epsilon(0.2), "first": "flat", "three": lrp.gamma(3), "Conv2D": "z"}
    found = {"five": "epsilon 0.2", "four": "", "three": "gamma 3", "two": "z", "one": "flat"}
    assert rules_of(model, x, rules) == found
    assert rules_of(model, x, rules | {"one": "z"}) == found | {"one": "z"}
    del rules["first"]
    assert rules_of(model, x, rules) == found | {"one": "z"}


def test_first_are_all_layers_that_take_the_input_perhaps_rearranged():
    x = Input((4, 4, 1))
    left = layers.Conv2D(1, 1, name="left")(layers.ZeroPadding2D()(x))
    right = layers.Dense(3, name="right")(layers.Dropout(0.1)(layers.Flatten()(x)))
    above = layers.Dense(2, name="above")(layers.Flatten()(left))
    model = randomise(Model(x, layers.Concatenate()([right, above])))
    rules = rules_of(model, normal(1, 4, 4, 1), {"first": "flat", "Dense": "z"})
    assert {name: rule for name, rule in rules.items() if rule} == {
        "left": "flat",
        "right": "flat",
        "above": "z",
    }


@pytest.mark.parametrize(("preset", "alpha"), [("preset_a", 1), ("preset_b_flat", 2)])
def test_presets(preset, alpha):
    stack = [
        layers.Conv2D(2, 1, name="one"),
        layers.DepthwiseConv2D(1, name="two"),
        layers.SeparableConv2D(2, 1, name="three"),
        layers.Conv2DTranspose(2, 1, name="four"),
        layers.Reshape((4, 2), name="five"),
        layers.Conv1D(2, 1, name="six", activation="relu"),
        layers.BatchNormalization(name="seven"),
        layers.Dense(2, name="eight"),
    ]
    model, x = network((2, 2, 1), *stack), normal(1, 2, 2, 1)
    convolutions = f"alpha {alpha} beta {alpha - 1}"
    wanted = dict.fromkeys(["one", "two", "three", "four", "six"], convolutions) | {"five": ""}
    wanted |= dict.fromkeys(["seven", "eight"], "epsilon 0.1")
    wanted |= {"one": "flat"} if "flat" in preset else {}
    assert rules_of(model, x, preset) == wanted
    base = preset.removesuffix("_flat")
    assert lrp.RULES[base + "_flat"] == lrp.RULES[base] | {"first": lrp.flat()}


def test_names_stand_for_rules(classes, x):
    for name, rule in {
        "z": lrp.z(),
        "epsilon": lrp.epsilon(1e-7),
        "gamma": lrp.gamma(0.25),
        "alpha_1_beta_0": lrp.alpha_beta(1, 0, bias="split"),
        "alpha_2_beta_1": lrp.alpha_beta(2, 1, bias="split"),
    }.items():
        same(lrp.relevance(classes, x, name), lrp.relevance(classes, x, rule))
    same(lrp.relevance(classes, x), lrp.relevance(classes, x, "epsilon"))
    unit = np.abs(x) / 10
    rules = {"first": "z_box", "Dense": "z"}, {"first": lrp.z_box(0, 1), "Dense": "z"}
    same(lrp.relevance(classes, unit, rules[0]), lrp.relevance(classes, unit, rules[1]))


def test_z_is_input_times_gradient_without_biases():
    """Of a network of ReLUs, where each layer's a_i w_ij / z_j chain to x_i dy / dx_i."""
    model = classifier(bias=False)
    x = normal(2, 16, 16, 2).astype("float32")
    gradient = tf.keras.backend.gradients(randomise(model).output[:, 1], model.input)
    [gradient] = tf.keras.backend.function([model.input], gradient)([x])
    near(lrp.relevance(model, x, "z", 1).input, x * gradient, 1e-5)


@pytest.mark.parametrize("rule", ["z", "epsilon", "gamma", "alpha 2", "alpha 2, whole bias"])
def test_an_input_of_zero_has_no_relevance(classes, rule):
    result = lrp.relevance(classes, np.zeros((1, 8, 8, 2)), RULES[rule][0], 1)
    assert not result.input.any() and result.ledger.received.iloc[0] != 0


@pytest.mark.parametrize("rule", [lrp.flat(), lrp.w_square(), lrp.z_box(-1, 1)])
def test_but_by_weights_or_limits_it_has(classes, rule):
    """Its first layer's bias makes relevance that reaches it."""
    rules = {"first": rule, "Dense": "epsilon"}
    result = lrp.relevance(classes, np.zeros((1, 8, 8, 2)), rules, 1, dtype="float64")
    received = result.ledger.received.loc[0, classes.layers[0].name]
    assert received != 0 and result.input.sum() == pytest.approx(received)


def test_limits_of_the_z_box_are_those_of_the_input(classes, x):
    for low, high in [(x.min() + 0.01, 9), (-9, x.max() - 0.01)]:
        with pytest.raises(ValueError, match=r"from -\d.* to \d.*z_box\(low, high\)"):
            lrp.relevance(classes, x, {"first": lrp.z_box(low, high), "Dense": "z"})
    with pytest.raises(ValueError, match="input, not for the layer '.*' .Dense.*key \"first\""):
        lrp.relevance(classes, x, lrp.z_box(-9, 9))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_input_may_reach_the_limits_of_the_z_box(dtype):
    """In single precision 0.1 is a little larger."""
    model, x = network((2,), layers.Dense(2)), np.array([[-0.1, 0.1]])
    assert lrp.relevance(model, x, lrp.z_box(-0.1, 0.1), 1, dtype=dtype).input.any()


# ---- the network as it is now -----------------------------------------------------------------


def test_weights_set_anew_are_seen_at_the_next_call(x):
    def norm(seed):
        stack = [layers.Conv2D(2, 3), layers.BatchNormalization(), layers.ReLU()]
        return network((8, 8, 2), *stack, layers.SeparableConv2D(2, 3), conv(1), seed=seed)

    model, other = norm(1), norm(2)
    before = lrp.relevance(model, x, "alpha_2_beta_1")
    model.set_weights(other.get_weights())
    after, wanted = (lrp.relevance(m, x, "alpha_2_beta_1") for m in (model, other))
    assert not np.allclose(before.input, after.input)
    assert np.array_equal(after.input, wanted.input)


def test_a_rule_with_other_numbers_reuses_the_machine(classes, x, monkeypatch):
    kept = ModelCache(8)
    monkeypatch.setattr(machine, "_kept", kept)
    for count, (name, rules) in enumerate(
        {
            "epsilon": [(lrp.epsilon(e), {"epsilon": e}) for e in (0.1, 0.3)],
            "gamma": [(lrp.gamma(g), {"gamma": g}) for g in (1, 0.25)],
            "alpha_beta": [(lrp.alpha_beta(a), {"alpha": a, "beta": a - 1}) for a in (3, 2)],
        }.items(),
        start=1,
    ):
        inputs = []
        for rule, numbers in rules:
            check_by_hand(classes, x[:2], rule, (name, numbers), 1)
            inputs.append(lrp.relevance(classes, x[:2], rule, 1, dtype="float64").input)
        assert not np.allclose(*inputs)
        assert len(kept) == count


def test_inputs_of_one_sign_after_inputs_of_both(classes, x):
    """Where no input is negative, half of the work is left out: not for the next samples."""
    for samples in (np.abs(x), x, -np.abs(x), np.abs(x)):
        check_by_hand(classes, samples, *RULES["alpha 2"], 1)


def test_a_layer_used_twice_is_two_layers_with_the_same_weights():
    x = Input((4, 4, 2))
    shared = layers.Conv2D(2, 3, padding="same", activation="relu", name="shared")
    model = Model(x, layers.Dense(2)(layers.Flatten()(shared(shared(x)))))
    stack = [layers.Conv2D(2, 3, padding="same", activation="relu", name=n) for n in "ab"]
    twin = Sequential([Input((4, 4, 2)), *stack, layers.Flatten(), layers.Dense(2)])
    kernel, bias, *dense = randomise(model).get_weights()
    twin.set_weights([kernel, bias, kernel, bias, *dense])
    samples = normal(2, 4, 4, 2)
    ours, wanted = (lrp.relevance(m, samples, "gamma", 1, dtype="float64") for m in (model, twin))
    near(ours.input, wanted.input)
    near(ours.layers["shared"], wanted.layers["a"])
    near(ours.layers["shared_again"], wanted.layers["b"])


def test_the_model_is_left_alone(classes, x):
    config, weights = classes.get_config(), classes.get_weights()
    lrp.relevance(classes, x)
    operations = len(tf.compat.v1.get_default_graph().get_operations())
    lrp.relevance(classes, x, "flat")
    assert len(tf.compat.v1.get_default_graph().get_operations()) == operations
    assert classes.get_config() == config
    assert all(map(np.array_equal, classes.get_weights(), weights))


def test_only_the_latest_machines_are_kept(classes, x, monkeypatch):
    kept = ModelCache(2)
    monkeypatch.setattr(machine, "_kept", kept)
    machines = []
    for rule in ("z", "epsilon", "flat"):
        for _ in range(2):
            lrp.relevance(classes, x, rule)
        machines.append(next(reversed(kept.values())))
    assert list(kept.values()) == machines[1:]
    with pytest.raises(RuntimeError, match="closed"):
        machines[0].session.run(tf.no_op)
    lrp.relevance(classes, x, "epsilon")
    assert list(kept.values()) == [machines[2], machines[1]]


def test_machines_go_with_their_model(x):
    model = network((8, 8, 2), conv(1), layers.Flatten(), layers.Dense(2))
    lrp.relevance(model, x)
    key, made = next(reversed(machine._kept.items()))
    del model
    gc.collect()
    assert key not in machine._kept
    with pytest.raises(RuntimeError, match="closed"):
        made.session.run(tf.no_op)


def net_with(layer, shape=(6,)):
    return network(shape, layers.Dense(5), layer, layers.Dense(2), seed=3)


@pytest.mark.parametrize(
    ("layer", "change"),
    [
        (lambda: layers.LeakyReLU(0.3), {"alpha": np.float32(0.9)}),
        (lambda: layers.ReLU(max_value=1.0), {"max_value": np.float32(0.1)}),
        (lambda: layers.Activation("tanh"), {"activation": tf.nn.elu}),
        (lambda: layers.Rescaling(2.0, 1.0), {"offset": -3.0}),
        (lambda: layers.BatchNormalization(), {"epsilon": 0.5}),
    ],
)
def test_a_setting_that_was_changed_is_seen(layer, change):
    """As a network made anew with this setting; those kept from before are no longer used."""
    x, (model, wanted) = normal(2, 6), (net_with(layer()) for _ in range(2))
    before = lrp.relevance(model, x, "gamma", 1).input
    for one in (model, wanted):
        for name, value in change.items():
            setattr(one.layers[1], name, value)
    after = lrp.relevance(model, x, "gamma", 1).input
    assert not np.allclose(before, after)
    assert np.array_equal(after, lrp.relevance(wanted, x, "gamma", 1).input)


def test_moving_averages_are_read_anew():
    model, x = net_with(layers.BatchNormalization()), normal(2, 6)
    before = lrp.relevance(model, x, "gamma", 1).input
    norm = model.layers[1]
    gamma, beta, mean, variance = norm.get_weights()
    norm.set_weights([gamma, beta, mean + 1, 2 * variance])
    after = lrp.relevance(model, x, "gamma", 1)
    assert not np.allclose(before, after.input)
    check_by_hand(model, x, *RULES["gamma"], 1)


def test_a_network_inside_is_as_its_layers_one_by_one():
    x = Input((6, 6, 2))
    inner = [layers.Conv2D(3, 3, activation="relu", name="conv"), layers.BatchNormalization()]
    inner = Sequential([Input((6, 6, 2)), *inner], name="inner")
    y = layers.Flatten(name="flat")(layers.MaxPooling2D(name="pool")(inner(x)))
    nested = Model(x, layers.Dense(2, name="dense")(y))
    flat = Sequential([x, *map(copy, [*inner.layers, *nested.layers[2:]])])
    flat.set_weights(randomise(nested).get_weights())
    samples = normal(2, 6, 6, 2)
    ours, wanted = (lrp.relevance(m, samples, "gamma", 1, dtype="float64") for m in (nested, flat))
    near(ours.input, wanted.input)
    assert set(ours.layers) == {
        "inner/conv",
        f"inner/{inner.layers[1].name}",
        "pool",
        "flat",
        "dense",
    }
    rules = {"inner/conv": "flat", "BatchNormalization": "z", "dense": "gamma"}
    assert lrp.relevance(nested, samples, rules).ledger.rule.loc[0, "inner/conv"] == "flat"


def test_a_network_used_twice_is_two_networks_with_the_same_weights():
    x, inner = Input((4,)), Sequential([Input((4,)), layers.Dense(4, "relu", name="d")], name="in")
    model = randomise(Model(x, layers.Dense(2, name="end")(inner(inner(x)))))
    stack = [layers.Dense(4, "relu"), layers.Dense(4, "relu"), layers.Dense(2)]
    twin = Sequential([Input((4,)), *stack])
    w, b, *end = model.get_weights()
    twin.set_weights([w, b, w, b, *end])
    ours, wanted = (lrp.relevance(m, normal(2, 4), "z", 1, dtype="float64") for m in (model, twin))
    near(ours.input, wanted.input)
    assert list(ours.layers) == ["end", "in_again/d", "in/d"]


def test_nothing_is_drawn_at_random_in_a_forecast():
    x = Input((4, 4, 1))
    y = layers.GaussianNoise(9.0)(layers.RandomFlip()(x), training=True)
    y = layers.Dropout(0.5)(layers.Flatten()(y), training=True)
    model = randomise(Model(x, layers.Dense(2)(y)))
    plain = Sequential([Input((4, 4, 1)), layers.Flatten(), layers.Dense(2)])
    plain.set_weights([w for w in model.get_weights() if w.dtype.kind == "f"])
    samples = normal(2, 4, 4, 1)
    ours, wanted = (lrp.relevance(m, samples, "z", 1, dtype="float64") for m in (model, plain))
    near(ours.input, wanted.input)
    norm = layers.BatchNormalization(name="odd")
    always = Model(x, layers.Dense(1)(layers.Flatten()(norm(x, training=True))))
    with pytest.raises(NotImplementedError, match="'odd' .BatchNormalization. is always in train"):
        lrp.relevance(always, samples)


def test_what_a_layer_is_called_with_besides_is_refused():
    x = Input((3, 2))
    mask = tf.keras.layers.Lambda(lambda t: t[..., 0] > 0)(x)
    mean = layers.GlobalAveragePooling1D(name="odd")(x, mask=mask)
    with pytest.raises(NotImplementedError, match="'odd' .GlobalAver.* is called with mask"):
        lrp.relevance(Model(x, layers.Dense(2)(mean)), normal(2, 3, 2))


def test_a_difference_may_turn_negative():
    """Where no input is negative, rules leave out half: not behind a difference."""
    x = Input((4,))
    a, b = (layers.Dense(3, "relu")(x) for _ in range(2))
    end = layers.Dense(2, name="end")
    model = randomise(Model(x, end(layers.Subtract(name="less")([a, b]))), 4)
    samples = abs(normal(3, 4))
    result = lrp.relevance(model, samples, {"end": "alpha_2_beta_1", "Dense": "z"}, 1)
    values = Model(x, model.get_layer("less").output).predict(samples, verbose=0)
    assert (values < 0).any() and (values > 0).any()
    w, b = end.get_weights()
    z = values[..., None] * w
    up = z.clip(0) / (z.clip(0).sum(1) + b.clip(0))[:, None]
    down = z.clip(None, 0) / (z.clip(None, 0).sum(1) + b.clip(None, 0))[:, None]
    wanted = (2 * up - down)[..., 1] * (values @ w + b)[:, 1:]
    near(result.layers["less"], wanted, 1e-4)


# ---- refused ----------------------------------------------------------------------------------

NO_WAY = {
    "LSTM": ((4, 2), lambda **k: layers.LSTM(3, recurrent_activation="tanh", **k)),
    "TimeDistributed": (
        (4, 4, 2),
        lambda **k: layers.TimeDistributed(layers.Dense(2, activation="softmax"), **k),
    ),
    "Masking": ((4, 2), lambda **k: layers.Masking(**k)),
    "GroupNormalization": ((4, 4, 2), lambda **k: layers.GroupNormalization(1, axis=1, **k)),
    "Lambda": ((4, 4, 2), lambda **k: layers.Lambda(lambda t: 2 * t, **k)),
    "Softmax": ((4, 4, 2), lambda **k: layers.Softmax(**k)),
    "Dense": ((4, 4, 2), lambda **k: layers.Dense(2, activation="softmax", **k)),
    "Conv2D": (
        (4, 4, 2),
        lambda **k: layers.Conv2D(2, 1, activation=lambda z: z / tf.reduce_sum(z), **k),
    ),
    "Activation": ((4, 4, 2), lambda **k: layers.Activation(lambda z: z[:, ::-1], **k)),
    "LocallyConnected1D": (
        (4, 2),
        lambda **k: layers.LocallyConnected1D(2, 2, implementation=2, **k),
    ),
}
CHANNELS_FIRST = {
    "Conv1D": ((2, 4), lambda **k: layers.Conv1D(2, 1, **k)),
    "Conv2D": ((2, 4, 4), lambda **k: layers.Conv2D(2, 1, **k)),
    "DepthwiseConv2D": ((2, 4, 4), lambda **k: layers.DepthwiseConv2D(1, **k)),
    "SeparableConv2D": ((2, 4, 4), lambda **k: layers.SeparableConv2D(2, 1, **k)),
    "Conv2DTranspose": ((2, 4, 4), lambda **k: layers.Conv2DTranspose(2, 1, **k)),
    "MaxPooling2D": ((2, 4, 4), lambda **k: layers.MaxPooling2D(**k)),
    "AveragePooling2D": ((2, 4, 4), lambda **k: layers.AveragePooling2D(**k)),
    "GlobalMaxPooling2D": ((2, 4, 4), lambda **k: layers.GlobalMaxPooling2D(**k)),
    "GlobalMaxPooling1D": ((2, 4), lambda **k: layers.GlobalMaxPooling1D(**k)),
    "UpSampling2D": ((2, 4, 4), lambda **k: layers.UpSampling2D(interpolation="bilinear", **k)),
}


@pytest.mark.parametrize("name", NO_WAY)
def test_layers_without_a_way_through_are_named(name):
    shape, layer = NO_WAY[name]
    model = Sequential([Input(shape), layer(name="odd"), layers.Flatten(), layers.Dense(1)])
    with pytest.raises(NotImplementedError, match=f"'odd' .{name.split()[0]}.") as caught:
        lrp.relevance(model, normal(1, *shape))
    assert "\n" not in str(caught.value)
    assert not any(key[0] == id(model) for key in machine._kept)


def test_a_network_that_is_told_to_train_tells_its_layers():
    inner = Sequential([Input((4,)), layers.Dense(3), layers.BatchNormalization(name="odd")])
    x = Input((4,))
    lrp.relevance(Model(x, inner(x, training=False)), normal(1, 4))
    with pytest.raises(NotImplementedError, match="'odd' .* always in training"):
        lrp.relevance(Model(x, inner(x, training=True)), normal(1, 4))


@pytest.mark.parametrize("name", CHANNELS_FIRST)
def test_channels_first_are_refused(name):
    shape, layer = CHANNELS_FIRST[name]
    odd = layer(name="odd", data_format="channels_first")
    model = Sequential([Input(shape), odd, layers.Flatten(), layers.Dense(1)])
    with pytest.raises(NotImplementedError, match=f"'odd' .{name}. .*channels first"):
        lrp.relevance(model, normal(1, *shape))


def test_a_class_made_from_a_known_one_may_compute_anything():
    class Own(layers.Dense):
        def call(self, inputs):
            return super().call(inputs) ** 2

    model = Sequential([Input((3,)), Own(2, name="odd")])
    with pytest.raises(NotImplementedError, match="'odd' .Own."):
        lrp.relevance(model, np.ones((1, 3)))


def test_models_that_are_not_one_chain_from_input_to_output():
    class Own(tf.keras.Model):
        def call(self, inputs):
            return inputs

    unbuilt = Sequential([layers.Dense(3)])
    a, b = Input((2,)), Input((2,))
    for model, error, words in [
        ("network.h5", TypeError, "Keras model, not str"),
        (Own(), NotImplementedError, "functional model"),
        (unbuilt, ValueError, "not built"),
        (Model([a, b], layers.Add()([a, b])), ValueError, "2 inputs: pass a list"),
        (Model(a, [layers.Dense(1)(a), layers.Dense(1)(a)]), ValueError, "2 outputs: choose"),
    ]:
        with pytest.raises(error, match=words):
            lrp.relevance(model, np.ones((1, 2)))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"rule": "epsylon"}, ValueError, "no rule 'epsylon': did you mean epsilon"),
        ({"rule": "Alpha_2_Beta_1"}, ValueError, "did you mean alpha_2_beta_1"),
        ({"rule": "?"}, ValueError, "no rule '.': use z, epsilon"),
        ({"rule": None}, TypeError, "a name or made by .*not None"),
        ({"rule": lrp.epsilon}, TypeError, "a name or made by"),
        ({"rule": {"Dense": "z"}}, ValueError, "no rule for the layer 'conv.*' .Conv2D.: add"),
        ({"rule": {"Dense": "z", "Conv2D": "zz"}}, ValueError, "no rule 'zz'"),
        ({"rule": {"Dense": "z", "Conv2D": "preset_a"}}, TypeError, "a name or made by"),
        ({"rule": {"dens": "z"}}, ValueError, "no layer 'dens'.*names of layers"),
        ({"rule": {0: "z"}}, ValueError, "no layer 0"),
        ({"pooling": "max"}, ValueError, "pooling must be .winner. or .proportional., not 'max'"),
        ({"layers": "all"}, TypeError, "layers must be True or False, not 'all'"),
        ({"dtype": "float16"}, ValueError, "dtype must be"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"batch_size": 2.0}, ValueError, "batch_size"),
        ({"x": np.full((1, 8, 8, 2), np.nan)}, ValueError, "128 missing, NaN or infinite"),
        ({"x": np.full((1, 8, 8, 2), np.inf)}, ValueError, "128 missing, NaN or infinite"),
        ({"x": np.zeros((8, 8, 2))}, ValueError, r"pass x\[None\]"),
        ({"x": np.zeros((0, 8, 8, 2))}, ValueError, "no samples"),
        ({"x": np.zeros((2, 8, 8, 2), complex)}, TypeError, "real numbers"),
        ({"output": 3}, ValueError, "output 3 does not exist: count from 0 to 2"),
        ({"output": [0, 1]}, ValueError, "2 entries for 5 samples"),
    ],
    ids=lambda v: str(v).partition(" at 0x")[0][:40] if isinstance(v, dict) else "",
)
def test_bad_arguments(classes, x, change, error, words):
    with pytest.raises(error, match=words) as caught:
        lrp.relevance(**{"model": classes, "x": x, **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lrp.alpha_beta(2, -1), r"alpha - beta must be 1.* added .Bach et al. 2015.*other"),
        (lambda: lrp.alpha_beta(0.5, 0.5), "alpha - beta must be 1.*not 0.5 and 0.5.*Bach"),
        (lambda: lrp.alpha_beta(0.5), "alpha 1 or larger"),
        (lambda: lrp.alpha_beta(2, 2), "alpha - beta must be 1"),
        (lambda: lrp.alpha_beta(np.nan), "alpha - beta must be 1"),
        (lambda: lrp.alpha_beta(2, bias="half"), "bias must be .*not 'half'"),
        (lambda: lrp.epsilon(-1), "epsilon must be 0 or larger, not -1"),
        (lambda: lrp.epsilon(np.nan), "epsilon must be 0 or larger"),
        (lambda: lrp.epsilon("a"), "epsilon must be 0 or larger, not 'a'"),
        (lambda: lrp.gamma(np.array([0.1, 0.2])), "gamma must be 0 or larger, not array"),
        (lambda: lrp.alpha_beta("2"), "alpha - beta must be 1.*not '2' and None"),
        (lambda: lrp.gamma(-0.1), "gamma must be 0 or larger, not -0.1"),
        (lambda: lrp.z_box(1, 0), "low below high"),
        (lambda: lrp.z_box([0, 1], [1, 1]), "low below high"),
        (lambda: lrp.z_box(np.nan, 1), "low below high"),
    ],
)
def test_rules_that_make_no_sense(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_weights_that_are_not_finite(x):
    model = network((8, 8, 2), layers.Flatten(), layers.Dense(2))
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    with pytest.raises(ValueError, match="NaN or infinite values: check the network's weights"):
        lrp.relevance(model, x, output=0)
