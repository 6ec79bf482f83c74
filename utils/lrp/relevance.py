"""The call of layer-wise relevance propagation: its arguments, and the ledger that it returns."""

import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import tensorflow as tf
import xarray as xr

from utils.keras_graph import linear, unroll, validation
from utils.keras_graph.calls import HEADS, activation_of, title
from utils.lrp import composite, computation
from utils.plain import plain


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

    The layers it knows, in one, two and three dimensions: Dense, EinsumDense; convolutions of all
    kinds, also transposed and locally connected; BatchNormalization, which joins the layer before
    it if that is linear, and then has no rule of its own; Normalization, Rescaling; average, max
    and global pooling; UpSampling, Resizing, CenterCrop; Add, Average, Subtract, Maximum, Minimum,
    Concatenate; Flatten, Reshape, Permute, RepeatVector, zero padding, cropping; activations that
    make each value from one, which pass relevance on as it came; and what does nothing in a
    forecast: dropout, noise, augmentation. Networks inside are followed into.

    Beyond these, some layers multiply what they have made of the input twice. Of such a product
    one factor counts as the signal, which takes all relevance, and the other as a gate, which only
    scales it and takes none:

    - SimpleRNN, LSTM, GRU, ConvLSTM, RNN with their cells, Bidirectional and TimeDistributed are
      unrolled in time. A memory c_t = f_t c_{t-1} + i_t g_t shares by the rule between what it
      kept, f_t c_{t-1}, and what is new, i_t g_t; the gates f_t, i_t and o_t take nothing. The
      candidate g_t shares by the rule among x_t and h_{t-1} (Arras et al. 2017, 2019).
    - MultiHeadAttention: its weights A are gates. The output sum_k A_jk v_k shares by the rule
      among the values v_k; query and key take nothing (Ali et al. 2022).
    - LayerNormalization, GroupNormalization and UnitNormalization: the deviation is a gate; what
      is left, gamma_j (a_j - mean a) / deviation + beta_j, shares by the z rule, whatever the rule
      of the other layers (Ali et al. 2022).
    - Multiply of a signal and a gate, the output of a sigmoid or softmax. Two signals have no rule.

    All of these conserve relevance, but for what the ledger says that the biases (beta among them)
    and the stabiliser take. By alpha 1 beta 0 what is negative gets nothing: at a recurrent layer's
    negative values all relevance ends as unassigned, so choose z or epsilon there.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional.
    x : array or xarray.DataArray, shape (sample, ...)
        Samples as the network takes them. For a network of several inputs a list of these, or a
        dict by the inputs' names.
    rule : str, Rule or dict
        A name from `RULES`, or a rule such as ``lrp.epsilon(0.1)``. A dict chooses by layer: its
        keys are names of layers, "first" for layers that take the network's input, or classes
        such as "Conv2D" or "LSTM", looked up in this order. Rules are for layers with weights;
        average pooling, bilinear upsampling and Add share in proportion to their values.
    output : int, tuple, sequence of these, or dict, optional
        What to explain: a class or flat index, or (row, col) or (row, col, channel) in a map. One
        int or tuple holds for all samples; a list or array has one for each. None takes each
        sample's strongest output. For a network of several outputs a dict such as {"rain": 3},
        with one output's name.
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
        An xarray input gives its dimensions and coordinates back. A list or dict as `x` is.
    layers : dict of str to array, shape (sample, ...)
        Relevance at the output of each layer, by its name, "outer/inner" in a network inside;
        "_again" is added for a second use.
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
    validation.check_model(model, several=True)
    validation.check_word("pooling", pooling, ["winner", "proportional"])
    dtype = getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype)  # np.float64, too
    validation.check_word("dtype", dtype, ["float32", "float64"])
    if not isinstance(layers, bool | np.bool_):
        raise TypeError(f"layers must be True or False, not {plain(repr(layers))}.")
    if batch_size is not None:
        validation.check_count("batch_size", batch_size)
    samples = _samples(model, x, dtype)
    which, output = _choose(model, output)
    calls, kernels = linear.read(model, dtype, which)
    for call in calls:
        _check(call, call is calls[-1])
    head = calls[-1].layer
    ending = activation_of(head)
    if ending in HEADS:
        warnings.warn(
            f"The {ending.__name__} of the {title(head)} is taken off: what is explained is the "
            "value before it.",
            stacklevel=2,
        )
    rules = composite.choose(rule, calls, kernels, samples)

    options = {"pooling": pooling, "layers": layers, "batch_size": batch_size}
    of_inputs, of_layers, sums = computation.run(
        model, which, calls, kernels, rules, samples, output, **options
    )
    if not all(np.isfinite(some).all() for some in of_inputs):
        raise ValueError(
            "The relevance holds NaN or infinite values: check the network's weights, or try "
            "lrp.epsilon(0.1), which keeps away from divisions by almost zero."
        )
    of_input = _like(x, model, of_inputs)
    return Relevance(of_input, of_layers, _ledger(calls, rules, sums))


def _samples(model, x, dtype):
    """The samples of each input, in the network's order."""
    shapes = [tuple(tensor.shape) for tensor in model.inputs]
    if len(shapes) == 1 and not isinstance(x, dict):
        return [validation.check_samples(x, shapes[0], dtype)]
    names, some = model.input_names, x
    if isinstance(x, dict):
        if set(x) != set(names):
            raise ValueError(f"x must have the keys {plain(', '.join(names), 300)}.")
        some = [x[name] for name in names]
    if not isinstance(some, list | tuple) or len(some) != len(shapes):
        raise ValueError(
            f"The model has {len(shapes)} inputs: pass a list of so many arrays, or a dict with "
            f"the keys {plain(', '.join(names), 300)}."
        )
    found = []
    for name, one, shape in zip(names, some, shapes, strict=True):
        try:
            found.append(validation.check_samples(one, shape, dtype))
        except (TypeError, ValueError) as error:
            raise type(error)(f"Input {plain(repr(name))}: {error}") from error
    if len(set(map(len, found))) > 1:
        raise ValueError(f"The inputs have {', '.join(str(len(one)) for one in found)} samples.")
    return found


def _choose(model, output):
    """Which of a network's outputs to explain, and what of it."""
    names = model.output_names
    if isinstance(output, dict):
        if len(output) != 1 or next(iter(output)) not in names:
            known = plain(" or ".join(names), 300)
            raise ValueError(f"output must have one key, the output to explain: {known}.")
        [(name, output)] = output.items()
        return names.index(name), output
    if len(names) > 1:
        raise ValueError(
            f"The model has {len(names)} outputs: choose one by its name, as in "
            f"output={{{plain(names[0])!r}: None}}; they are {plain(', '.join(names), 300)}."
        )
    return 0, output


def _like(x, model, of_inputs):
    """The relevance of the inputs as they were passed: an array, a list, or a dict."""
    if isinstance(x, dict):
        by_name = dict(zip(model.input_names, of_inputs, strict=True))
        return {name: _labelled(x[name], by_name[name]) for name in x}
    if len(of_inputs) > 1:
        return [_labelled(*pair) for pair in zip(x, of_inputs, strict=True)]
    return _labelled(x, of_inputs[0])


def _labelled(x, of_input):
    if not isinstance(x, xr.DataArray):
        return of_input
    return xr.DataArray(of_input, x.coords, x.dims, "relevance")


def _check(call, last):
    """Refuse a layer or an activation that relevance has no way through."""
    layer, name = call.layer, title(unroll.whole_of(call).layer)
    flat = type(layer) in linear.RESIZING and len(call.shape) != 4  # a picture without samples
    if type(layer) not in linear.KINDS + composite.KNOWN or flat:
        cure = (
            "put its layers into one flat model"
            if isinstance(layer, tf.keras.Model)
            else "build the network from the layers that help(lrp.relevance) lists"
        )
        raise NotImplementedError(f"LRP has no way through the {name}: {cure}.")
    if last and activation_of(layer) in HEADS and linear.over_channels(call):
        return
    if not linear.is_by_element(layer, call.shape):
        found = getattr(activation_of(layer), "__name__", "activation")
        raise NotImplementedError(
            f"LRP has no way through the {name} with its {plain(found)}: an activation "
            "must make each value from one alone, or be a softmax at the end, over the last axis."
        )


@lru_cache
def _rows(n, *names):
    return pd.MultiIndex.from_product([range(n), names], names=["sample", "layer"])


def _ledger(calls, rules, sums):
    """The ledger as a table from its sums, shape (sample, layer, column), the last layer first."""
    grouped = computation.by_layer(calls)
    columns = computation.COLUMNS
    ledger = pd.DataFrame(sums.reshape(-1, len(columns)), _rows(len(sums), *grouped), columns)
    names = [
        next((rules[call.name].name for call in steps if call.name in rules), "")
        for steps in grouped.values()
    ]
    ledger.insert(0, "rule", names * len(sums))
    return ledger
