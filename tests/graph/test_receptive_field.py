"""Receptive fields against two oracles, published values, and networks of random layers.

The oracles know nothing of geometry. All weights are positive, so a pixel grows with every input
that reaches it: move each input pixel in turn and see (which also sees through max-pooling), or
look where the gradient is not zero.
"""

import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from tensorflow.keras import Input, Model, Sequential, applications, layers

from tests.graph.graphs import own_graph
from utils import networks, receptive_field
from utils.receptive_field import box, effective, fit_gaussian, geometry, trace

backend = tf.compat.v1.keras.backend
relu = {"activation": "relu", "padding": "same"}


def positive(model, seed=0):
    """Positive weights, so that nothing cancels and no ReLU is shut."""
    draw = np.random.default_rng(seed)
    for layer in model.layers:
        if not isinstance(layer, layers.BatchNormalization):
            layer.set_weights([draw.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def _ends(reached):
    places = np.flatnonzero(reached)
    return (places[0], places[-1] + 1) if len(places) else (0, 0)


def pushed(model, pixel):
    """Ends of the input rows and columns that raise the last layer's pixel, moved one by one."""
    rows, columns, channels = model.input_shape[1:]
    x = np.full((rows + columns + 1, rows, columns, channels), 1e-3, "float32")
    x[np.arange(rows), np.arange(rows)] = 1e4
    x[rows + np.arange(columns), :, np.arange(columns)] = 1e4
    y = model.predict(x, verbose=0, batch_size=64)
    y = (y[(slice(None), *pixel)] if pixel else y).reshape(len(x), -1).sum(-1)
    raised = y[:-1] > 1.01 * y[-1]
    return [_ends(raised[:rows]), _ends(raised[rows:])]


def slope(model, pixel):
    """Ends of the rows and columns where the gradient of the last layer's pixel is not zero."""
    y = model.output[(slice(None), *pixel)] if pixel else model.output
    gradient = tf.gradients(y, model.input)[0]
    x = np.random.default_rng(1).uniform(0.5, 1, (1, *model.input_shape[1:]))
    size = abs(backend.get_session().run(gradient, {model.input: x})[0]).sum(-1)
    seen = size > 1e-5 * size.max()
    return [_ends(seen.any(1)), _ends(seen.any(0))]


def agrees(model, pixel, oracle=pushed):
    found = box(model, None, pixel or None)
    inside = [(s.start, s.stop) for s in (found.rows, found.columns)]
    assert inside == oracle(positive(model), pixel)
    for (first, end), full in zip(inside, (found.full_rows, found.full_columns), strict=True):
        assert end == 0 or (full[0] <= first and end <= full[1])


# ---- networks of random layers ----------------------------------------------------------------

small, factor = st.integers(1, 4), st.integers(1, 3)
padding = st.sampled_from(["same", "valid"])
pair = st.tuples(small, small)
LAYER = st.one_of(
    st.tuples(st.just("Conv2D"), pair, factor, factor, padding),
    st.tuples(st.just("DepthwiseConv2D"), pair, factor, factor, padding),
    st.tuples(st.just("SeparableConv2D"), pair, factor, factor, padding),
    st.tuples(st.just("Conv2DTranspose"), pair, factor, factor, padding),
    st.tuples(st.just("MaxPooling2D"), pair, st.tuples(factor, factor), padding),
    st.tuples(st.just("AveragePooling2D"), pair, st.tuples(factor, factor), padding),
    st.tuples(st.just("UpSampling2D"), pair, st.sampled_from(["nearest", "bilinear"])),
    st.tuples(st.just("ZeroPadding2D"), st.tuples(pair, pair)),
    st.tuples(st.just("Cropping2D"), st.tuples(st.tuples(factor, small), st.tuples(small, factor))),
    st.tuples(st.sampled_from(["BatchNormalization", "ReLU", "Dropout"])),
    st.tuples(st.sampled_from(["Add", "Concatenate"]), pair, pair, factor),
)


def apply(x, kind, *numbers):
    """Put one layer of random settings behind a tensor."""
    if kind in ("Add", "Concatenate"):
        one, other, dilation = numbers
        branches = [
            layers.Conv2D(2, one, padding="same")(x),
            layers.Conv2D(2, other, padding="same", dilation_rate=dilation)(x),
        ]
        return getattr(layers, kind)()(branches)
    if kind.endswith(("Conv2D", "Transpose")):
        kernel, stride, dilation, pad = numbers
        dilation = dilation if stride == 1 else 1  # Keras knows one at a time
        first = [] if kind == "DepthwiseConv2D" else [2]
        options = {"strides": stride, "dilation_rate": dilation, "padding": pad}
        return getattr(layers, kind)(*first, kernel, **options)(x)
    if kind == "Dropout":
        return layers.Dropout(0.5)(x)
    if kind == "UpSampling2D":
        return layers.UpSampling2D(numbers[0], interpolation=numbers[1])(x)
    return getattr(layers, kind)(*numbers)(x)


def network(shape, specs):
    x = start = Input((*shape, 2))
    for spec in specs:
        try:
            x = apply(x, *spec)
        except ValueError:  # nothing left of the picture
            assume(False)
        assume(1 <= min(x.shape[1:3]) and max(x.shape[1:3]) <= 40)
    return Model(start, x)


def try_one(shape, specs, where):
    with own_graph():
        model = network(shape, specs)
        pixel = tuple(int(w * n) for w, n in zip(where, model.output_shape[1:3], strict=True))
        agrees(model, pixel)
        if not any(spec[0] == "MaxPooling2D" for spec in specs):
            agrees(model, pixel, slope)


RANDOM = given(
    st.tuples(st.integers(5, 16), st.integers(5, 16)),
    st.lists(LAYER, min_size=1, max_size=5),
    st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)),
)
# Shrinking a failing network would take minutes; they are small anyway.
OPTIONS = {"phases": [Phase.generate], "deadline": None, "database": None}
OPTIONS["suppress_health_check"] = list(HealthCheck)


@settings(max_examples=25, derandomize=True, **OPTIONS)
@RANDOM
def test_boxes_of_random_networks_are_what_the_oracles_see(shape, specs, where):
    try_one(shape, specs, where)


@pytest.mark.slow
@settings(max_examples=500, **OPTIONS)
@RANDOM
def test_boxes_of_many_random_networks(shape, specs, where):
    try_one(shape, specs, where)


# ---- networks that people use -----------------------------------------------------------------


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("pixel", [(0, 0), (63, 63), (30, 33), (31, 34), (5, 60)])
def test_boxes_of_the_encoder_decoder(skip, pixel):
    agrees(networks.encoder_decoder(64, channels=1, skip=skip), pixel)


def test_every_box_of_the_encoder_decoder_is_46_or_54_wide():
    model = networks.encoder_decoder(256)
    widths = {box(model, None, (row, 128)).size[0] for row in range(64, 192)}
    assert widths == {46, 54}
    expected = [3, 4, 8, 10, 18, 22, 38, 38, 46, 46, 50, 50, 50]  # FACTS of the published network
    assert trace(model).size_y.tolist() == expected


def alexnet():
    """AlexNet v2 up to its last pooling."""
    conv, pool = layers.Conv2D, layers.MaxPooling2D
    middle = [
        conv(384, 3, padding="same"),
        conv(384, 3, padding="same"),
        conv(256, 3, padding="same"),
    ]
    first = [conv(64, 11, 4, padding="valid"), pool(3, 2), conv(192, 5, padding="same"), pool(3, 2)]
    return Sequential([Input((224, 224, 3)), *first, *middle, pool(3, 2)])


def resnet_by_3x3():
    """The spatial layers of a ResNet-50 whose first units stride in their 3 x 3 convolution."""
    stack = [layers.Conv2D(1, 7, 2, padding="same"), layers.MaxPooling2D(3, 2, "same")]
    for units, stride in ((3, 1), (4, 2), (6, 2), (3, 2)):
        stack += [layers.Conv2D(1, 3, stride if not i else 1, padding="same") for i in range(units)]
    return Sequential([Input((224, 224, 3)), *stack])


def resnet_as_published():
    """The same with strides in the last unit of a block, and its padding."""
    stack = [layers.ZeroPadding2D(3), layers.Conv2D(1, 7, 2), layers.MaxPooling2D(3, 2, "same")]
    for units in (3, 4, 6, 3):
        stack += [layers.Conv2D(1, 3, padding="same") for _ in range(units)]
        stack += [layers.MaxPooling2D(1, 2)]
    return Sequential([Input((224, 224, 3)), *stack[:-1]])


# Without the dense layers on top, whose weights take seconds to draw.
PUBLISHED = {"weights": None, "include_top": False, "input_shape": (224, 224, 3)}


@pytest.mark.parametrize(
    "build, size, step, padding",
    [
        (alexnet, 195, 32, 64),
        (lambda: applications.VGG16(**PUBLISHED), 212, 32, 90),
        (lambda: applications.MobileNet(**PUBLISHED), 315, 32, 126),
        # Keras pads by one before its first pooling, where a step is 2 pixels; the published one
        # pools with "same", which pads nothing in front: hence 241 here and 239 there.
        pytest.param(
            lambda: applications.ResNet50(**PUBLISHED), 483, 32, 241, marks=pytest.mark.slow
        ),
        (resnet_as_published, 483, 32, 239),
        pytest.param(resnet_by_3x3, 427, 32, None, marks=pytest.mark.slow),
    ],
    ids=[
        "AlexNet v2",
        "VGG-16",
        "MobileNet v1",
        "ResNet-50",
        "ResNet-50, pooled with same",
        "ResNet-50, strides in 3 x 3",
    ],
)
def test_as_published_by_araujo2019(build, size, step, padding):
    model = build()
    table = trace(model)
    last = table.loc[table.attrs["last_spatial"]]
    for axis in "yx":
        assert (last[f"size_{axis}"], last[f"step_{axis}"]) == (size, step)
        assert padding in (None, last[f"padding_{axis}"])
    assert box(model, last.name).full_size == (size, size)
    assert table.aligned.all()


SLOW = pytest.mark.slow  # built in 5 to 10 s each; random networks have their layers as well


@pytest.mark.parametrize(
    "name",
    [
        "VGG16",
        pytest.param("MobileNet", marks=SLOW),
        pytest.param("ResNet50", marks=SLOW),
        pytest.param("InceptionV3", marks=SLOW),
    ],
)
def test_boxes_of_keras_own_networks(name):
    """The gradient of one pixel stays inside its box, and reaches its edges."""
    model = getattr(applications, name)(weights=None, include_top=False, input_shape=(160, 160, 3))
    half = {"VGG16": "block3_conv3", "MobileNet": "conv_pw_5", "ResNet50": "conv3_block1_out"}
    model = Model(model.input, model.get_layer(half.get(name, "mixed1")).output)
    pixel = tuple(n // 2 for n in model.output_shape[1:3])
    erf = effective(model, None, np.random.default_rng(0).uniform(size=(1, 160, 160, 3)), pixel)
    seen, found = (erf > 0), box(model, None, pixel)
    assert [_ends(seen.any(1)), _ends(seen.any(0))] == [
        (s.start, s.stop) for s in (found.rows, found.columns)
    ]
    assert 0 < found.size[0] < 160


@pytest.mark.slow
def test_a_deep_network_takes_no_time():
    model = applications.ResNet50(weights=None)
    assert len(trace(model)) > 150
    for function in (trace, lambda m: box(m, "conv5_block3_out")):
        function(model)
        begin = time.process_time()
        function(model)
        assert time.process_time() - begin < 0.1


# ---- details ----------------------------------------------------------------------------------


def test_formula_rows_and_columns_apart():
    model = Sequential(
        [Input((40, 60, 1)), layers.Conv2D(1, (3, 5), (1, 2)), layers.Conv2D(1, (1, 3))]
    )
    row = trace(model).iloc[-1]
    assert (row.size_y, row.size_x, row.step_y, row.step_x) == (3, 9, 1, 2)
    assert (row.offset_y, row.offset_x, row.padding_y, row.padding_x) == (1, 4, 0, 0)


def test_unaligned_branches_are_said():
    x = Input((32, 32, 1))
    strided = {"strides": 2, "padding": "same"}
    y = layers.Add(name="meet")(
        [layers.Conv2D(1, 3, **strided)(x), layers.Conv2D(1, 1, **strided)(x)]
    )
    model = Model(x, layers.Conv2D(1, 3, **relu)(y))
    table = trace(model)
    assert table.aligned.tolist() == [True, True, False, False]
    assert table.size_y["meet"] == 3 and box(model, "meet", (8, 8)).size == (3, 3)


def test_dilation_leaves_holes_at_the_border():
    model = Sequential([Input((9, 9, 1)), layers.Conv2D(1, 3, dilation_rate=2, padding="same")])
    found = box(model, None, (1, 4))
    assert (found.rows, found.full_rows) == (slice(1, 4), (-1, 4))
    agrees(model, (1, 4))


def test_from_a_dense_layer_on_the_field_is_everything():
    model = networks.convection()
    table = trace(model)
    assert table.attrs["last_spatial"] == table[table.spatial].index[-1] == model.layers[5].name
    assert set(table[~table.spatial].size_y) == {64}
    assert box(model).size == (64, 64)
    agrees(model, ())
    # A dense layer on a picture is a convolution of one pixel.
    model = Sequential([Input((9, 9, 1)), layers.Conv2D(1, 3), layers.Dense(2)])
    assert trace(model).spatial.all() and box(model, None, (2, 3)).size == (3, 3)
    agrees(model, (2, 3))


def test_squeeze_and_excite_sees_everything():
    x = Input((8, 8, 2))
    gate = layers.Conv2D(2, 1)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    model = Model(x, layers.Multiply()([layers.Conv2D(2, 3, **relu)(x), gate]))
    assert box(model, None, (1, 1)).size == (8, 8)
    assert not trace(model).spatial.iloc[-1]
    agrees(model, (1, 1))


def test_padding_holds_nothing():
    model = Sequential([Input((1, 4, 1)), layers.ZeroPadding2D(2), layers.Conv2D(1, (1, 2))])
    assert box(model, None, (0, 3)).size == (0, 0)
    agrees(model, (0, 3))
    agrees(model, (2, 1))
    x = Input((3, 3, 1))
    pooled = layers.ZeroPadding2D(1)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    agrees(Model(x, pooled), (0, 1))
    agrees(Model(x, pooled), (1, 1))


def test_geometry_needs_no_keras():
    code = f"""
import runpy, sys
names = runpy.run_path({geometry.__file__!r})
axes = (names["window"](9, 3, padding="same"),) * 2
network = [names["Layer"]((9, 9)), names["Layer"]((9, 9), (0,), (axes,))]
loaded = {{"keras", "tf_keras", "tensorflow"}} & {{*sys.modules}}
print(names["box"](network, 1, (0, 4)).size, loaded)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "(2, 3) set()\n", done.stderr


def test_groups_and_other_sizes():
    any_size = Sequential([Input((None, None, 4)), layers.Conv2D(4, 3, groups=2, padding="same")])
    assert box(any_size, None, (0, 10), size=(20, 30)).size == (2, 3)
    assert trace(any_size, (20, 30)).size_x.tolist() == [3]
    with pytest.raises(ValueError, match="any size: say which"):
        box(any_size)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("nothing", (1, 1)), ValueError, "no layer 'nothing'"),
        ((None, (64, 0)), ValueError, "no pixel"),
        ((None, (-1, 0)), ValueError, "no pixel"),
        ((None, 3), TypeError, "row and a column"),
        ((None, (True, 0)), TypeError, "row and a column"),
        ((["a"], (1, 1)), TypeError, "layer must be the name"),
        ((None, (1, 1), (32, 32)), ValueError, "takes"),
        ((None, (1, 1), 64), TypeError, "size must be"),
    ],
)
def test_bad_questions_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        box(networks.encoder_decoder(64), *arguments)


def test_unknown_layers_are_named():
    causal = Sequential([Input((8, 8, 1)), layers.Lambda(lambda x: x, name="mine")])
    with pytest.raises(NotImplementedError, match="'mine' \\(Lambda\\)"):
        trace(causal)
    mixing = layers.Activation(lambda z: z[:, ::-1], name="turned")
    with pytest.raises(NotImplementedError, match="'turned' .Activation. makes pixels from others"):
        trace(Sequential([Input((8, 8, 1)), mixing]))
    with pytest.raises(NotImplementedError, match="are for pictures"):
        trace(Sequential([Input((8,)), layers.Dense(1)]))


def test_a_network_inside_is_followed_into():
    inner = Sequential([Input((8, 8, 1)), layers.Conv2D(1, 3, name="conv")], name="inner")
    model = Sequential([Input((8, 8, 1)), inner, layers.Conv2D(1, 3, name="last")])
    assert trace(model).size_y.to_dict() == {"inner/conv": 3, "last": 5}
    assert box(model, "inner/conv", (2, 3)).size == (3, 3)
    agrees(model, (1, 1))


@pytest.mark.parametrize(
    "layer, rows, columns",
    [
        (lambda: layers.Softmax(axis=1), 9, 3),
        (lambda: layers.Softmax(axis=(1, 2)), 9, 8),
        (lambda: layers.LayerNormalization(), 3, 3),
        (lambda: layers.LayerNormalization(axis=2), 3, 8),
        (lambda: layers.UnitNormalization(axis=(1, 2)), 9, 8),
        (lambda: layers.GroupNormalization(1), 9, 8),
        (lambda: layers.BatchNormalization(axis=1), 3, 3),
    ],
)
def test_what_looks_pointwise_and_sees_rows_or_columns(layer, rows, columns):
    model = Sequential([Input((9, 8, 2)), layers.Conv2D(2, 3, padding="same"), layer()])
    assert box(model, None, (4, 4)).size == (rows, columns)
    row = trace(model).iloc[-1]
    assert row.size_y >= rows and row.size_x >= columns


def test_a_layer_used_twice_is_read_at_the_use_that_is_asked_for():
    x, conv = Input((9, 8, 1)), layers.Conv2D(1, 3, padding="same", name="conv")
    model = Model(x, conv(conv(x)))
    kernel = np.random.default_rng(0).normal(size=(3, 3, 1, 1))
    model.set_weights([kernel, np.zeros(1)])
    first, again, last = (
        effective(model, name, np.ones((1, 9, 8, 1)), (4, 4))
        for name in ("conv", "conv_again", None)
    )
    np.testing.assert_allclose(first[3:6, 3:6], abs(kernel[..., 0, 0]), rtol=1e-5)
    assert (first > 0).sum() == 9 and (again > 0).sum() == 25 and np.array_equal(again, last)


# ---- the effective receptive field ------------------------------------------------------------


def test_the_field_of_one_linear_convolution_is_its_kernel():
    model = Sequential([Input((9, 9, 2)), layers.Conv2D(3, 3, activation="relu", padding="same")])
    w = np.random.default_rng(0).normal(size=(3, 3, 2, 3))
    model.set_weights([w, np.full(3, -100)])  # the ReLU is shut, and does not matter
    x = np.random.default_rng(1).normal(size=(5, 9, 9, 2))
    one = effective(model, None, x, (4, 5), channel=1)
    np.testing.assert_allclose(one[3:6, 4:7], np.sqrt((w[..., 1] ** 2).mean(-1)), rtol=1e-5)
    assert one.sum() == pytest.approx(one[3:6, 4:7].sum())
    both = effective(model, None, x, (4, 5), reduce="mean")
    np.testing.assert_allclose(both[3:6, 4:7], abs(w.sum(-1)).mean(-1), rtol=1e-5)


def test_many_samples_as_one_by_one():
    model, x = networks.encoder_decoder(64), np.random.default_rng(0).random((70, 64, 64, 4))
    each = [effective(model, None, one[None], (20, 41)) for one in x[[0, 1, 69]]]
    together = effective(model, None, x[[0, 1, 69]], (20, 41))
    np.testing.assert_allclose(together, np.sqrt(np.square(each).mean(0)), rtol=1e-5)
    assert effective(model, None, x, (20, 41)).shape == (64, 64)  # in several chunks
    seen = box(model, None, (20, 41))
    assert fit_gaussian(together, seen).share == pytest.approx(
        1, rel=1e-15
    )  # the last bit, by order
    together[seen.rows, seen.columns] = 0
    assert not together.any()


@pytest.mark.parametrize("sigma", [(0.8, 2), (3, 3), (9, 4)])
def test_a_gaussian_is_found(sigma):
    y, x = np.ogrid[:64, :80]
    bell = 5 * np.exp(-(((y - 30.5) / sigma[0]) ** 2 + ((x - 41) / sigma[1]) ** 2) / 2)
    found = fit_gaussian(bell, (slice(0, 64), slice(0, 41)))
    np.testing.assert_allclose(found[:4], (30.5, 41, *sigma), rtol=1e-3)
    assert found.fit > 0.9999
    assert found.share == pytest.approx(bell[:, :41].sum() / bell.sum())
    np.testing.assert_allclose(5 * found.map((64, 80)), bell, atol=1e-2)


def test_a_box_is_no_gaussian():
    square = np.zeros((40, 40))
    square[10:31, 15:26] = 1
    square[20, 20] = 3
    found = fit_gaussian(square)
    assert found.fit < 0.9 and (found.centre_y, found.centre_x) == pytest.approx((20, 20), abs=0.01)


@pytest.mark.parametrize(
    "bad", [np.zeros((3, 3)), np.ones(3), -np.ones((3, 3)), np.full((3, 3), np.nan)]
)
def test_what_is_no_field_is_refused(bad):
    with pytest.raises(ValueError, match="finite numbers from 0 on"):
        fit_gaussian(bad)


def test_bad_questions_about_the_effective_field():
    model, x = networks.convection(), np.zeros((1, 64, 64, 5))
    with pytest.raises(ValueError, match="no pixels: choose one"):
        effective(model, None, x, None)
    with pytest.raises(ValueError, match="channel must be a number from 0 to 11"):
        effective(model, model.layers[0].name, x, (1, 1), channel=12)
    with pytest.raises(ValueError, match="reduce must be"):
        effective(model, model.layers[0].name, x, (1, 1), reduce="max")
    with pytest.raises(ValueError, match="NaN"):
        effective(model, model.layers[0].name, x * np.nan, (1, 1))
    assert receptive_field.box(model, model.layers[0].name).size == (3, 3)
