"""The weights of self-attention, which are often shown as if they explained something."""

import numpy as np
from scipy.special import softmax
from tensorflow import keras
from tensorflow.keras import layers

from utils.keras_graph import validation
from utils.keras_graph.calls import title, walk
from utils.plain import plain


def attention(model, x, name):
    """How much each step of a series attends to each other one, by a layer's own weights.

    A head's weights are ``softmax(q k / sqrt(d))``, with a query q and a key k of d numbers made
    linearly from each step (vaswani2017). They say how values are mixed in this layer. Whether that
    is what made the network give its answer is another question.

    Parameters
    ----------
    model : keras.Model
        Functional, with one input and one output.
    x : array, shape (sample, ...)
        Samples as the network takes them.
    name : str
        Name of a `MultiHeadAttention` that is called as ``layer(h, h)``, h of the shape (sample,
        step, channel), and only once.

    Returns
    -------
    array, shape (sample, head, step, step)
        Weights of the last axis, the steps attended to, add up to 1.

    Raises
    ------
    NotImplementedError
        If it is no such layer.
    TypeError, ValueError
        If there is no layer of that name, or an argument does not fit the network.
    """
    validation.check_model(model)
    samples = validation.check_samples(x, tuple(model.inputs[0].shape))
    calls = {call.name: call for call in walk(model)[0]}
    if name not in calls:
        known = plain(", ".join(calls), 300)
        raise ValueError(f"There is no layer {plain(repr(name))}: choose from {known}.")
    layer, sources, options = (getattr(calls[name], of) for of in ("layer", "sources", "arguments"))
    known = {"key", "value", "training"}  # more is a mask, or asks for scores
    masked = any(v is not None for key, v in options[1].items() if key not in known)
    fits = type(layer) is layers.MultiHeadAttention and len(set(sources)) == 1 and not masked
    if not fits or len(layer.input_shape) != 3 or f"{name}_again" in calls or "/" in name:
        raise NotImplementedError(
            f"The {title(layer)} is no MultiHeadAttention of a series to itself, called once and "
            "without a mask: name one that is."
        )
    h = keras.Model(model.inputs, layer.input).predict(samples, verbose=0)
    arrays = layer.get_weights()
    query, key = (0, 2) if len(arrays) == 8 else (0, 1)  # with biases, or without
    q, k = (np.einsum("nti,ihd->nhtd", h, arrays[i]) for i in (query, key))
    if len(arrays) == 8:
        q, k = q + arrays[1][:, None], k + arrays[3][:, None]
    return softmax(q @ np.swapaxes(k, 2, 3) / np.sqrt(q.shape[-1]), -1)
