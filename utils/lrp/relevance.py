"""The call of layer-wise relevance propagation: its arguments, and the ledger that it returns."""

import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import tensorflow as tf
import xarray as xr
from tensorflow.keras import activations
from tensorflow.keras.layers import UpSampling2D

from utils.keras_graph import linear, validation
from utils.keras_graph.calls import RELU, activation_of, title
from utils.lrp import composite, computation

HEADS = activations.softmax, activations.sigmoid, tf.nn.softmax, tf.nn.sigmoid


class Relevance(NamedTuple):
    """What `relevance` returns: relevance of the input, of each layer, and the ledger."""

    input: np.ndarray | xr.DataArray
    layers: dict
    ledger: pd.DataFrame


def relevance(
    model,
    x,
    rule="epsilon",
    output=None,
    *,
    pooling="winner",
    dtype="float32",
    layers=True,
    batch_size=None,
):
    """Relevance of a network's input, of each of its layers, and the ledger of what went where.

    A softmax or sigmoid at the end is taken off, with a warning: what is explained is the value
    before it. The relevance starts as that value, and has its unit.

    The layers it knows: Dense, Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose;
    average, max and global pooling; UpSampling1D, UpSampling2D (nearest, bilinear); Add,
    Concatenate, Flatten, Reshape, Permute, zero padding, cropping, dropout; ReLU, linear
    activation; BatchNormalization, which joins the layer before it if that is linear, and then
    has no rule of its own.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with one input and one output.
    x : array or xarray.DataArray, shape (sample, ...)
        Samples as the network takes them.
    rule : str, Rule or dict
        A name from `RULES`, or a rule such as ``lrp.epsilon(0.1)``. A dict chooses by layer: its
        keys are names of layers, "first" for layers that take the network's input, or classes
        such as "Conv2D", looked up in this order. Rules are for layers with weights; average
        pooling, bilinear upsampling and Add share in proportion to their values.
    output : int, tuple, or sequence of these, optional
        What to explain: a class or flat index, or (row, col) or (row, col, channel) in a map. One
        int or tuple holds for all samples; a list or array has one for each. None takes each
        sample's strongest output.
    pooling : {"winner", "proportional"}
        Max-pooling hands on to the largest value, or to all in proportion to their values.
    dtype : {"float32", "float64"}
        Precision of the computation.
    layers : bool
        False leaves out the relevance of the layers: for maps of 256 x 256 it takes tens of
        megabytes a sample.
    batch_size : int, optional
        Samples per chunk. By default as many as need tens of megabytes, at least one.

    Returns
    -------
    input : array or xarray.DataArray, shape of `x`
        An xarray input gives its dimensions and coordinates back.
    layers : dict of str to array, shape (sample, ...)
        Relevance at the output of each layer, by its name; "_again" is added for a second use.
    ledger : pandas.DataFrame
        A row for each sample and layer, the last layer first: the rule, and the sums of the
        relevance received, passed on, taken by the bias, taken by the stabiliser, and unassigned,
        because nothing contributed. The last four add up to what was received.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit the network.
    NotImplementedError
        If there is no way through a layer, which is named with its class.

    Examples
    --------
    >>> result = relevance(model, pictures, "alpha_1_beta_0", output=3)
    >>> result.ledger.loc[0]  # of the first sample
    """
    validation.check_model(model)
    if pooling not in ("winner", "proportional"):
        raise ValueError(f'pooling must be "winner" or "proportional", not {pooling!r}.')
    dtype = getattr(dtype, "__name__", dtype)  # np.float64 is welcome
    if dtype not in ("float32", "float64"):
        raise ValueError(f'dtype must be "float32" or "float64", not {dtype!r}.')
    if batch_size is not None:
        validation.check_count("batch_size", batch_size)
    samples = validation.check_samples(x, tuple(model.inputs[0].shape), dtype)
    calls, kernels = linear.read(model, dtype)
    head = calls[-1].layer
    ending = activation_of(head)
    if ending in HEADS:
        warnings.warn(
            f"The {ending.__name__} of the {title(head)} is taken off: what is explained is the "
            "value before it.",
            stacklevel=2,
        )
    rules = composite.choose(rule, calls, kernels, samples)
    _check_layers(calls, kernels)

    options = {"pooling": pooling, "layers": layers, "batch_size": batch_size}
    of_input, of_layers, sums = computation.run(
        model, calls, kernels, rules, samples, output, **options
    )
    if not np.isfinite(of_input).all():
        raise ValueError(
            "The relevance holds NaN or infinite values: check the network's weights, or try "
            "lrp.epsilon(0.1), which keeps away from divisions by almost zero."
        )
    if isinstance(x, xr.DataArray):
        of_input = xr.DataArray(of_input, x.coords, x.dims, "relevance")
    return Relevance(of_input, of_layers, _ledger(calls, rules, sums))


def _check_layers(calls, kernels):
    """Refuse layers and activations that relevance has no way through."""
    known = composite.PASSING + composite.MOVING + composite.SHARING + composite.MAX_POOLING
    for call in calls:
        kind = type(call.layer)
        upsampling = kind is UpSampling2D and call.layer.interpolation in ("nearest", "bilinear")
        if not (call.name in kernels or kind in known or upsampling):
            cure = (
                "put its layers into one flat model"
                if isinstance(call.layer, tf.keras.Model)
                else "build the network from the layers that help(lrp.relevance) lists"
            )
            raise NotImplementedError(f"LRP has no way through the {title(call.layer)}: {cure}.")
        activation = activation_of(call.layer)
        fine = *RELU, activations.linear, *(HEADS if call is calls[-1] else ())
        if activation not in fine:
            found = getattr(activation, "__name__", "kind of ReLU")
            raise NotImplementedError(
                f"LRP has no way through the {title(call.layer)} with its {found}: an activation "
                "must be plain ReLU or linear, or a softmax or sigmoid at the end of the network."
            )


@lru_cache
def _rows(n, *names):
    return pd.MultiIndex.from_product([range(n), names], names=["sample", "layer"])


def _ledger(calls, rules, sums):
    """The ledger as a table from its sums, shape (sample, layer, column), the last layer first."""
    names = [call.name for call in calls][::-1]
    columns = computation.COLUMNS
    ledger = pd.DataFrame(sums.reshape(-1, len(columns)), _rows(len(sums), *names), columns)
    ledger.insert(
        0, "rule", [rules[name].name if name in rules else "" for name in names] * len(sums)
    )
    return ledger
