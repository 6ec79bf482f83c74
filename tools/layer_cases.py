"""Every layer of Keras in a small network, with the options that matter.

A case is a name, the shape of one sample, and a function from Keras' layers and the input to the
output of the layer that is tried, which is called "tried".
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from tensorflow import keras

VECTOR, SERIES, IMAGE, FILM, VOLUME = (5,), (6, 3), (6, 5, 2), (3, 6, 6, 2), (4, 4, 4, 2)
ACTIVATIONS = (
    "elu exponential gelu hard_sigmoid linear mish relu relu6 selu sigmoid softplus softsign swish "
    "tanh".split()
)


def sum_of_squares(z):
    return tf.reduce_sum(z * z, (1, 2), keepdims=True)


def inside(L, x):
    """A network inside the network."""
    stack = [L.RandomFlip(), L.Conv2D(3, 3, activation="relu"), L.Dropout(0.5)]
    return keras.Sequential([L.Input(x.shape[1:]), *stack], name="tried")(x)


def flattened(L, x):
    """The same as a forecast, without a network inside."""
    return L.Identity(name="tried")(L.Conv2D(3, 3, activation="relu")(x))


class Case(NamedTuple):
    layer: str  # Keras' class
    options: str
    shape: tuple
    build: Callable  # of Keras' layers and the input
    whole: bool = False  # whole numbers come in
    twin: Callable | None = None  # the same as the oracles can read it

    @property
    def title(self):
        return f"{self.layer}({self.options})"


def _alone(layer, shape, *options):
    """Cases of a layer that takes one input; options as text, as one would type them."""
    for text in options or ("",):
        yield Case(layer, text, shape, eval(f"lambda L, x: L.{layer}({_named(text)})(x)"))


def _named(text):
    return f'{text}, name="tried"' if text else 'name="tried"'


def _merging(layer, shape, text=""):
    build = eval(f"lambda L, x: L.{layer}({_named(text)})([L.Dense(3)(x), L.Dense(3)(x)])")
    return Case(layer, text, shape, build)


def _all():
    yield from _alone("Dense", VECTOR, "4", "4, 'relu'", "4, 'tanh'", "4, use_bias=False")
    (of_pixels,) = _alone("Dense", IMAGE, "4, 'relu'")
    yield of_pixels._replace(options="4, 'relu', of each pixel")
    yield from _alone("EinsumDense", SERIES, "'btc,cd->btd', (None, 4)")
    yield from _alone("EinsumDense", SERIES, "'btc,cd->bdt', (4, 6), bias_axes='d'")
    for name in ACTIVATIONS:
        yield from _alone("Activation", IMAGE, f"'{name}'")
    yield from _alone("Activation", VECTOR, "'softmax'")
    yield from _alone("ReLU", IMAGE, "", "max_value=1.0", "negative_slope=0.1", "threshold=0.3")
    yield from _alone("LeakyReLU", IMAGE, "0.3")
    yield from _alone("PReLU", IMAGE, "", "shared_axes=(1, 2)")
    yield from _alone("ELU", IMAGE)
    yield from _alone("ThresholdedReLU", IMAGE, "0.3")
    yield from _alone("Softmax", IMAGE, "", "axis=1", "axis=(1, 2)")
    yield from _alone("Dense", VECTOR, "4, lambda z: z * z", "4, L.LeakyReLU(0.3)")
    yield from _alone("Activation", IMAGE, "lambda z: z / (1 + sum_of_squares(z))")
    # ---- networks inside, and layers used twice
    inner = "L.Conv2D(2, 3, padding='same', activation='relu', name='tried')"
    yield Case("Conv2D", "twice", IMAGE, eval(f"lambda L, x: [c(c(x)) for c in [{inner}]][0]"))
    yield Case("Conv2D", "in a network inside", IMAGE, inside, twin=flattened)
    # ---- convolutions
    one = (
        "2, 3",
        "2, 3, padding='same', activation='relu'",
        "2, 2, strides=2",
        "2, 2, dilation_rate=2",
    )
    yield from _alone("Conv1D", (8, 2), *one, "2, 3, padding='causal'", "2, 3, groups=2")
    yield from _alone("Conv2D", (8, 7, 2), *one, "2, (3, 2), strides=(1, 2)", "2, 3, groups=2")
    yield from _alone("Conv3D", VOLUME, "2, 2", "2, 2, activation='relu'", "2, 2, groups=2")
    yield from _alone("SeparableConv1D", (8, 2), *one[:3], "2, 2, depth_multiplier=2")
    yield from _alone("SeparableConv2D", (8, 7, 2), *one[:3], "2, 2, depth_multiplier=2")
    yield from _alone("DepthwiseConv1D", (8, 2), "3", "2, strides=2, activation='relu'")
    yield from _alone("DepthwiseConv2D", (8, 7, 2), "3", "2, strides=2, activation='relu'")
    up = ("2, 3", "2, 3, strides=2, padding='same', activation='relu'")
    yield from _alone("Conv1DTranspose", (4, 2), *up, "2, 3, strides=2, output_padding=1")
    yield from _alone("Conv2DTranspose", (4, 3, 2), *up, "2, 3, strides=2, output_padding=1")
    yield from _alone("Conv3DTranspose", (2, 3, 2, 1), *up)
    yield from _alone("LocallyConnected1D", (6, 2), "2, 3", "2, 3, activation='relu'")
    yield from _alone("LocallyConnected2D", (5, 4, 2), "2, 3")
    # ---- pooling
    for kind in ("Max", "Average"):
        yield from _alone(f"{kind}Pooling1D", (8, 2), "", "3, strides=2, padding='same'")
        yield from _alone(f"{kind}Pooling2D", (8, 7, 2), "", "3, strides=2, padding='same'")
        yield from _alone(f"{kind}Pooling3D", VOLUME, "")
        yield from _alone(f"Global{kind}Pooling1D", SERIES)
        yield from _alone(f"Global{kind}Pooling2D", IMAGE, "", "keepdims=True")
        yield from _alone(f"Global{kind}Pooling3D", VOLUME)
    # ---- merging
    for layer in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        yield _merging(layer, IMAGE)
    yield _merging("Concatenate", IMAGE, "axis=1")
    yield _merging("Dot", VECTOR, "1")
    # ---- moving
    yield from _alone("Flatten", IMAGE)
    yield from _alone("Reshape", IMAGE, "(5, 6, 2)", "(6, 5, 2)", "(60,)")
    yield from _alone("Permute", IMAGE, "(2, 1, 3)")
    yield from _alone("RepeatVector", VECTOR, "3")
    yield from _alone("Cropping1D", SERIES, "1")
    yield from _alone("Cropping2D", IMAGE, "((1, 2), (0, 1))")
    yield from _alone("Cropping3D", VOLUME, "1")
    yield from _alone("ZeroPadding1D", SERIES, "1")
    yield from _alone("ZeroPadding2D", IMAGE, "((1, 2), (0, 1))")
    yield from _alone("ZeroPadding3D", VOLUME, "1")
    yield from _alone("UpSampling1D", SERIES, "2")
    ways = ("bilinear", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
    yield from _alone(
        "UpSampling2D", IMAGE, "2", "(1, 3)", *(f"2, interpolation='{w}'" for w in ways)
    )
    yield from _alone("UpSampling3D", VOLUME, "2")
    yield from _alone("Resizing", IMAGE, "9, 10", "3, 4", "9, 10, 'nearest'", "9, 10, 'bicubic'")
    yield from _alone("Resizing", IMAGE, "4, 3, crop_to_aspect_ratio=True", "9, 10, 'lanczos3'")
    yield from _alone("CenterCrop", IMAGE, "4, 3", "7, 4")
    # ---- normalisation
    yield from _alone("BatchNormalization", IMAGE, "", "scale=False, center=False", "axis=1")
    yield from _alone("LayerNormalization", IMAGE, "", "axis=(1, 2, 3)")
    yield from _alone("GroupNormalization", IMAGE, "2")
    yield from _alone("UnitNormalization", IMAGE, "", "axis=1")
    yield from _alone("UnitNormalization", IMAGE, "axis=(1, 3)")
    yield from _alone(
        "Normalization",
        IMAGE,
        "axis=(1, 2, 3)",
        "invert=True",
        "mean=[1.0, -1.0], variance=[2.0, 0.5]",
        "",
    )
    yield from _alone("Rescaling", IMAGE, "2.0, 1.0", "[2.0, -3.0]")
    spectral = "lambda L, x: L.SpectralNormalization(L.Conv2D(2, 3), name='tried')(x)"
    yield Case("SpectralNormalization", "Conv2D(2, 3)", IMAGE, eval(spectral))
    # ---- what a forecast leaves alone
    for layer in ("Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout"):
        yield from _alone(layer, IMAGE, "0.5")
    yield from _alone("SpatialDropout1D", SERIES, "0.5")
    yield from _alone("SpatialDropout2D", IMAGE, "0.5")
    yield from _alone("SpatialDropout3D", VOLUME, "0.5")
    yield from _alone("ActivityRegularization", IMAGE, "0.1")
    yield from _alone("Identity", IMAGE)
    yield from _alone("Masking", SERIES)
    yield from _alone("RandomFlip", IMAGE)
    for layer in ("Brightness", "Contrast", "Rotation", "Zoom", "Height", "Width"):
        yield from _alone(f"Random{layer}", IMAGE, "0.3")
    yield from _alone("RandomTranslation", IMAGE, "0.3, 0.3")
    yield from _alone("RandomCrop", IMAGE, "4, 3")
    # ---- in time
    for layer in ("SimpleRNN", "LSTM", "GRU"):
        yield from _alone(layer, SERIES, "4", "4, return_sequences=True", "4, unroll=True")
        yield from _alone("RNN", SERIES, f"L.{layer}Cell(4)")
    yield from _alone("RNN", SERIES, "L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2)])")
    yield from _alone("Bidirectional", SERIES, "L.LSTM(3)", "L.GRU(3, return_sequences=True)")
    yield from _alone("TimeDistributed", SERIES, "L.Dense(4)")
    yield from _alone("TimeDistributed", FILM, "L.Conv2D(2, 3)")
    yield from _alone("ConvLSTM1D", (3, 6, 2), "2, 3")
    yield from _alone("ConvLSTM2D", FILM, "2, 3", "2, 3, return_sequences=True")
    yield from _alone("ConvLSTM3D", (2, 3, 3, 3, 1), "1, 2")
    # ---- attention
    for layer, text in (("Attention", ""), ("AdditiveAttention", "")):
        yield _merging(layer, SERIES, text)
    heads = "lambda L, x: L.MultiHeadAttention(2, 3, name='tried')(x, x)"
    yield Case("MultiHeadAttention", "2, 3", SERIES, eval(heads))
    # ---- whole numbers
    yield Case(
        "Embedding", "5, 3", (4,), eval("lambda L, x: L.Embedding(5, 3, name='tried')(x)"), True
    )
    encoding = "lambda L, x: L.CategoryEncoding(6, 'multi_hot', name='tried')(x)"
    yield Case("CategoryEncoding", "6, 'multi_hot'", VECTOR, eval(encoding), True)
    yield from _alone("Discretization", VECTOR, "[-0.5, 0.5]")


CASES = list(_all())
# What takes text, holds code, or is no layer of its own.
OTHERS = """
    AbstractRNNCell DenseFeatures GRUCell HashedCrossing Hashing InputLayer IntegerLookup LSTMCell
    Lambda Layer SimpleRNNCell StackedRNNCells StringLookup TextVectorization Wrapper
""".split()
