"""The lecture's networks, each a function that returns a Keras model with random weights."""

from tensorflow import keras
from tensorflow.keras import layers


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
    if size < 16 or size % 16:
        raise ValueError(f"size is {size}: give a positive multiple of 16, such as 64.")
    model = keras.Sequential([keras.Input((size, size, 3))], name="clever_hans")
    for filters in (16, 32, 48, 64):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(1, name="logit"))
    return model
