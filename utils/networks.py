"""The lecture's networks, each a function that returns a Keras model with random weights."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

from utils.plain import plain


def clever_hans(size=64):
    """Horse or no horse: a plain CNN with one output.

    Four times convolution, ReLU and max-pooling, then two dense layers. The output is the *logit*
    z of "there is a horse", without an activation: its probability is 1 / (1 + exp(-z)), and z > 0
    means "horse". With one logit there is nothing to strip before a heat map is made.

    Parameters
    ----------
    size : int
        Height and width of the pictures in pixels, a multiple of 16.

    Returns
    -------
    keras.Sequential
        From (sample, size, size, 3), values 0 to 1, to (sample, 1).

    Raises
    ------
    ValueError
        If `size` is not a positive multiple of 16: four poolings halve it four times.
    """
    _check_multiple(size, 16)
    model = keras.Sequential([keras.Input((size, size, 3))], name="clever_hans")
    for filters in (16, 32, 48, 64):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(1, name="logit"))
    return model


def encoder_decoder(size=256, channels=4, skip=False):
    """Satellite channels to a radar map: the encoder-decoder of Hilburn et al. (2021).

    Three times convolution, ReLU and max-pooling, three times convolution, ReLU and upsampling, and
    a last convolution of one pixel without an activation. 47,457 parameters for four channels.

    Parameters
    ----------
    size : int or None
        Height and width of the pictures in pixels, a multiple of 8; None for any.
    channels : int
        Of the input.
    skip : bool
        True makes it a U-Net: each upsampled map gets the encoder's map of the same size beside it.

    Returns
    -------
    keras.Model
        From (sample, size, size, channels) to (sample, size, size, 1).

    Raises
    ------
    ValueError
        If `size` is not a positive multiple of 8: three poolings halve it three times.
    """
    if size is not None:
        _check_multiple(size, 8)
    x = inputs = keras.Input((size, size, channels))
    before_pooling = []
    for _ in range(3):
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
        before_pooling.append(x)
        x = layers.MaxPooling2D(2)(x)
    for _ in range(3):
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
        x = layers.UpSampling2D(2)(x)
        if skip:
            x = layers.Concatenate()([x, before_pooling.pop()])
    outputs = layers.Conv2D(1, 1, name="reflectivity")(x)
    return keras.Model(inputs, outputs, name="encoder_decoder")


def convection(size=64, frames=5):
    """Convection or not: a plain CNN with two output neurons, as in the lecture.

    The pictures of a sequence are its input channels. The two outputs are logits, "no convection"
    first, without a softmax.

    Parameters
    ----------
    size : int
        Height and width of the pictures in pixels, a multiple of 32.
    frames : int
        Pictures in a sequence.

    Returns
    -------
    keras.Sequential
        From (sample, size, size, frames), reflectance, to (sample, 2).

    Raises
    ------
    ValueError
        If `size` is not a positive multiple of 32, by which the poolings shrink it.
    """
    _check_multiple(size, 32)
    model = keras.Sequential([keras.Input((size, size, frames))], name="convection")
    for filters, pool in ((12, 2), (24, 2), (32, 8)):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(pool))
    model.add(layers.Flatten())
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(2, name="logits"))
    return model


def brightness_only(size=64, frames=5):
    """A control that cannot see texture: it gets the mean of each picture, and nothing else.

    Parameters and shapes are those of `convection`.
    """
    model = keras.Sequential([keras.Input((size, size, frames))], name="brightness_only")
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.Dense(2, name="logits"))
    return model


def convection_map(size=64, frames=5):
    """Where is convection: an encoder-decoder with a logit for each 2 x 2 pixels.

    Parameters
    ----------
    size : int
        Height and width of the pictures in pixels, a multiple of 4.
    frames : int
        Pictures in a sequence.

    Returns
    -------
    keras.Sequential
        From (sample, size, size, frames), reflectance, to (sample, size, size, 1).

    Raises
    ------
    ValueError
        If `size` is not a positive multiple of 4, by which the poolings shrink it.
    """
    _check_multiple(size, 4)
    model = keras.Sequential([keras.Input((size, size, frames))], name="convection_map")
    model.add(layers.Rescaling(4, offset=-1.5))  # about mean 0 and deviation 1
    for filters in (12, 24):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    model.add(layers.UpSampling2D(2))
    model.add(layers.Conv2D(12, 3, padding="same", activation="relu"))
    model.add(layers.Conv2D(1, 1, name="logit"))
    model.add(layers.UpSampling2D(2))
    return model


def year_of_map(lat=30, lon=60, decades=20, ridge=0.01, seed=None):
    """The decade of a map: two hidden layers of 20, as in the code of Labe and Barnes (2021).

    Parameters
    ----------
    lat, lon : int
        Rows and columns of a map.
    decades : int
        Classes; their logits come out, without a softmax.
    ridge : float
        Penalty on the squared weights of the first layer.
    seed : int, optional
        Of the random weights.

    Returns
    -------
    keras.Sequential
        From (sample, lat, lon), standardised maps, to (sample, decades).

    Raises
    ------
    ValueError
        If `ridge` is negative.
    """
    if not ridge >= 0:
        raise ValueError(f"ridge is {ridge}: give a penalty of 0 or more, such as 0.01.")
    model = keras.Sequential([keras.Input((lat, lon)), layers.Flatten()], name="year_of_map")
    penalty = keras.regularizers.L2(ridge)
    for i, (size, regulariser) in enumerate([(20, penalty), (20, None), (decades, None)]):
        start = keras.initializers.GlorotUniform(None if seed is None else 3 * seed + i)
        activation = "relu" if i < 2 else None
        options = {"kernel_initializer": start, "kernel_regularizer": regulariser}
        model.add(layers.Dense(size, activation, **options))
    return model


def gauge_lstm(units=24):
    """The peak discharge of sixty days by a recurrent network, which reads one day after another.

    Parameters
    ----------
    units : int
        Cells of the LSTM. Only what they hold after the last day goes on.

    Returns
    -------
    keras.Model
        From (sample, 60, 2), as `worlds.river_gauge.as_input` makes it, to (sample, 1), m3/s.
    """
    inputs = keras.Input((60, 2))
    memory = layers.LSTM(units, name="memory")(inputs)
    return keras.Model(inputs, layers.Dense(1, name="peak")(memory), name="gauge_lstm")


def gauge_attention(width=24):
    """The peak discharge of sixty days by a block of self-attention, where all days meet at once.

    Each day is embedded, attends to all days, and passes two dense layers, each time with a
    residual connection and a layer normalisation behind it; the mean over the days goes to the
    output. There is no position among the inputs: a highest value does not depend on the order.

    Parameters
    ----------
    width : int
        Numbers that a day is embedded into, an even one: two heads share them.

    Returns
    -------
    keras.Model
        Input and output are those of `gauge_lstm`.

    Raises
    ------
    ValueError
        If `width` is not a positive multiple of 2.
    """
    _check_multiple(width, 2, "width")
    inputs = keras.Input((60, 2))
    h = layers.Dense(width, "relu", name="embedding")(inputs)
    attention = layers.MultiHeadAttention(2, width // 2, name="attention")
    h = layers.LayerNormalization()(layers.Add()([h, attention(h, h)]))
    inner = layers.Dense(width)(layers.Dense(2 * width, "relu")(h))
    h = layers.LayerNormalization()(layers.Add()([h, inner]))
    mean = layers.GlobalAveragePooling1D()(h)
    return keras.Model(inputs, layers.Dense(1, name="peak")(mean), name="gauge_attention")


def _check_multiple(size, of, name="size"):
    if size < of or size % of:
        raise ValueError(f"{name} is {size}: give a positive multiple of {of}, such as 64.")


def shuffled(model, names, seed=0):
    """Copy of a network in which the weights of some layers are shuffled (adebayo2018).

    Each array of weights keeps its values and loses their order: what the layer learned is gone.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional. It stays as it is.
    names : list of str
        Names of the layers to shuffle.
    seed : int

    Returns
    -------
    keras.Model

    Raises
    ------
    ValueError
        If one of these layers is not in the network, or has no weights.
    """
    with_weights = [layer.name for layer in model.layers if layer.weights]
    unknown = [name for name in names if name not in with_weights]
    if unknown or not names:
        known = plain(", ".join(with_weights), 300)
        raise ValueError(f"There is nothing to shuffle in {unknown}: choose from {known}.")
    rng = np.random.default_rng(seed)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in map(copy.get_layer, names):
        weights = layer.get_weights()
        layer.set_weights([rng.permutation(w.ravel()).reshape(w.shape) for w in weights])
    return copy
