"""One pixel's heat map, computed inside its box, is the whole computation's heat map."""

import numpy as np
import pytest
import xarray as xr
from tensorflow.keras import Input, Model, Sequential, layers

from tests.graph.test_lrp import randomise
from utils import lrp, networks
from utils.explain import crops, explain, one_pixel

N = 96
EDGES = [(0, 0), (0, N - 1), (N - 1, 0), (N - 1, N - 1), (0, 60), (61, N - 1)]
NEAR = [(row, column) for row in (7, 23, 31) for column in (24, 40, N - 9)]
PIXELS = (
    EDGES + NEAR + [tuple(p) for p in np.random.default_rng(0).integers(0, N, (10, 2)).tolist()]
)


def samples(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def same(model, x, pixel, rule="alpha_1_beta_0", **options):
    whole = lrp.relevance(model, x, rule, pixel, layers=False, **options)
    part = one_pixel.relevance(model, x, pixel, rule, **options)
    tolerance = 1e-11 if options.get("dtype") == "float64" else 2e-5
    largest = abs(whole.input).max()
    assert largest > 0
    np.testing.assert_allclose(part.input, whole.input, rtol=0, atol=tolerance * largest)
    ours, theirs = (result.ledger.drop(columns="rule") for result in (part, whole))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * abs(theirs).max().max())


@pytest.fixture(scope="module")
def plain():
    return randomise(networks.encoder_decoder(N, channels=2))


@pytest.fixture(scope="module")
def skips():
    return randomise(networks.encoder_decoder(N, channels=2, skip=True))


@pytest.mark.parametrize("pixel", PIXELS, ids=str)
def test_same_numbers_at_many_pixels(plain, pixel):
    same(plain, samples(2, N, N, 2), pixel, dtype="float64")


@pytest.mark.parametrize("rule", ["epsilon", "alpha_2_beta_1", "w_square", "flat"])
def test_same_numbers_by_other_rules_and_with_skips(skips, rule):
    for pixel in EDGES[:3] + NEAR[:2]:
        same(skips, samples(1, N, N, 2), pixel, rule, dtype="float64")


def odd_strides(n):
    """Sizes that strides do not divide, padding by hand, cropping, dilation, branches."""
    x = start = Input((n, n + 3, 1))
    x = layers.Conv2D(3, 3, 2, padding="same", activation="relu")(x)
    x = layers.ZeroPadding2D(((2, 1), (0, 3)))(x)
    x = layers.Conv2D(3, (2, 3), 3, padding="same", activation="relu")(x)
    y = layers.Conv2D(3, 3, dilation_rate=2, padding="same")(x)
    x = layers.Add()([layers.DepthwiseConv2D(3, padding="same")(x), y])
    x = layers.UpSampling2D(3, interpolation="bilinear")(layers.ReLU()(x))
    x = layers.Cropping2D(((1, 2), (4, 1)))(x)
    x = layers.Conv2DTranspose(2, 4, 2, padding="same")(x)
    return randomise(Model(start, layers.AveragePooling2D(3, 1, padding="same")(x)))


@pytest.mark.parametrize("n", [71, 74, 78])
def test_same_numbers_where_sizes_do_not_fit(n):
    model, x = odd_strides(n), samples(1, n, n + 3, 1)
    rows, columns = model.output_shape[1:3]
    places = [(0, 0), (rows - 1, columns - 1), (rows // 2, 0), (rows // 2 + 1, columns // 2)]
    for row, column in places + [(rows // 2 + i, columns // 2 - i) for i in range(2, 6)]:
        same(model, x, (row, column, 1), dtype="float64")
    where = crops.cut(model, places[-1])
    assert where.rows.stop - where.rows.start < n - 10


def test_a_pixel_may_lie_outside_of_its_box():
    layer = [layers.Conv2D(2, 3), layers.Cropping2D(9)]
    model, x = randomise(Sequential([Input((40, 40, 1)), *layer])), samples(1, 40, 40, 1)
    for pixel in [(0, 0), (19, 3), (9, 10)]:
        same(model, x, (*pixel, 0), dtype="float64")
    assert crops.cut(model, (0, 3)) == (slice(0, 21), slice(3, 24), (0, 0))
    padded = Sequential([Input((5, 5, 1)), layers.ZeroPadding2D(((0, 30), (0, 0)))])
    assert crops.cut(padded, (2, 1)) == (slice(2, 3), slice(1, 2), (0, 0))
    assert crops.cut(padded, (17, 1)) == (slice(0, 5), slice(1, 2), (17, 0))  # sees no pixel


def test_a_middle_row_that_sees_nothing_hides_no_columns():
    wide = layers.Conv2DTranspose(2, (1, 3), (2, 3))  # every second row sees nothing
    layer = [layers.Conv2D(2, 3, padding="same"), wide]
    model = randomise(Sequential([Input((25, 20, 1)), *layer]))
    for pixel in [(24, 31, 0), (34, 3, 1)]:
        same(model, samples(1, 25, 20, 1), pixel, "epsilon", dtype="float64")


@pytest.mark.parametrize("name", ["plain", "skips"])
def test_each_sample_has_its_own_pixel(name, plain, skips):
    model = {"plain": plain, "skips": skips}[name]
    pixels = [(60, 71), (0, N - 1), (61, 33), (0, 5), (90, 2)]
    x = samples(len(pixels), N, N, 2)
    same(model, x, pixels, dtype="float64")
    whole = explain(model, x, "gradient", pixels)
    part = one_pixel.explain(model, x, pixels, "gradient")
    np.testing.assert_allclose(part, whole, rtol=0, atol=2e-5 * abs(whole).max())


def test_the_cut_is_small_and_of_one_shape(plain):
    cuts = [crops.cut(plain, (row, row)) for row in range(N)]
    assert {cut.rows.stop - cut.rows.start for cut in cuts} == {56}
    assert all(0 <= cut.rows.start and cut.rows.stop <= N for cut in cuts)


def test_new_weights_are_seen(plain):
    same(plain, samples(1, N, N, 2), (60, 60))
    randomise(plain, seed=1)
    same(plain, samples(1, N, N, 2), (60, 60))
    randomise(plain, seed=0)


@pytest.mark.parametrize("method", ["lrp.alpha_1_beta_0", "gradient", "integrated_gradients"])
def test_same_heat_maps_by_innvestigate(plain, method):
    x = samples(1, N, N, 2)
    options = {"steps": 4} if method.startswith("integrated") else {}
    for pixel in [(0, 0), (60, 71)]:
        whole = explain(plain, x, method, pixel, **options)
        part = one_pixel.explain(plain, x, pixel, method, **options)
        np.testing.assert_allclose(part, whole, rtol=0, atol=2e-5 * abs(whole).max())


def test_a_network_for_any_size_and_xarray(plain):
    anything = networks.encoder_decoder(None, channels=2)
    anything.set_weights(plain.get_weights())
    about = {"dims": ("sample", "y", "x", "channel"), "name": "abi", "attrs": {"units": "K"}}
    x = xr.DataArray(samples(1, N, N, 2), **about)
    result = one_pixel.relevance(anything, x, (60, 60)).input
    assert result.dims == x.dims and result.name == "relevance" and result.attrs == {}
    maps = one_pixel.explain(plain, x, (60, 60), "gradient")
    assert maps.dims == x.dims and maps.name == "explanation"
    assert maps.attrs == {"long_name": "gradient of abi"}
    whole = lrp.relevance(plain, x.values, output=(60, 60), layers=False).input
    np.testing.assert_allclose(result, whole, rtol=0, atol=2e-5 * abs(whole).max())


def test_where_nothing_can_be_cut():
    dense = [layers.Flatten(), layers.Dense(64), layers.Reshape((8, 8, 1))]
    model = randomise(Sequential([Input((8, 8, 1)), *dense, layers.Conv2D(1, 3)]))
    same(model, samples(1, 8, 8, 1), (0, 5))
    flat = Sequential([Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    with pytest.raises(ValueError, match="no map"):
        one_pixel.relevance(flat, samples(1, 8, 8, 1), (0, 0))


def test_bad_questions(plain):
    x = samples(1, N, N, 2)
    with pytest.raises(TypeError, match="pixel must be"):
        one_pixel.relevance(plain, x, 5)
    with pytest.raises(ValueError, match="Give 1 pixels, one for each sample, not 2"):
        one_pixel.relevance(plain, x, [(0, 0), (1, 1)])
    with pytest.raises(ValueError, match="no pixel"):
        one_pixel.relevance(plain, x, (N, 0))
    with pytest.raises(ValueError, match="no rule 'nothing'"):
        one_pixel.relevance(plain, x, (0, 0), "nothing")
    with pytest.raises(NotImplementedError, match="as large as the picture"):
        one_pixel.explain(plain, x, (0, 0), "smoothgrad")
