"""Layer-wise relevance propagation (LRP), written to be read.

A layer computes ``z_j = sum_i a_i w_ij + b_j`` from its inputs a. LRP hands the relevance R_j of
its outputs down to the inputs, in proportion to what they contributed:

    R_i = a_i * sum_j w_ij * R_j / z_j

All rules are this one formula with other inputs, weights and denominators: `_divide` gives
R_j / z_j, `_multiply` the rest. The sum over j is a vector-Jacobian product, which TensorFlow calls
a gradient. So the network is followed forwards once, to know all a, and then backwards with a step
for each layer.

The computation has a TensorFlow graph and session of its own: it works in eager and in graph mode.
"""

import warnings
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import tensorflow as tf
import xarray as xr
from tensorflow.keras import activations, backend, layers

from utils import architecture, inputs, linear
from utils.architecture import title
from utils.kept import Kept
from utils.lrp.rules import (
    RULES,
    Rule,
    alpha_beta,
    epsilon,
    flat,
    gamma,
    w_square,
    z,
    z_box,
)

__all__ = ["RULES", "Relevance", "Rule", "relevance"]
__all__ += ["alpha_beta", "epsilon", "flat", "gamma", "w_square", "z", "z_box"]

ROOM = 2**22  # numbers in all layer outputs of one chunk: tens of megabytes


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
    inputs.check_model(model)
    if pooling not in ("winner", "proportional"):
        raise ValueError(f'pooling must be "winner" or "proportional", not {pooling!r}.')
    dtype = getattr(dtype, "__name__", dtype)  # np.float64 is welcome
    if dtype not in ("float32", "float64"):
        raise ValueError(f'dtype must be "float32" or "float64", not {dtype!r}.')
    if batch_size is not None:
        inputs.check_count("batch_size", batch_size)
    samples = inputs.check_samples(x, tuple(model.inputs[0].shape), dtype)
    calls = architecture.calls(model)
    head = calls[-1].layer
    ending = architecture.activation(head)
    if ending in _HEADS:
        warnings.warn(
            f"The {ending.__name__} of the {title(head)} is taken off: what is explained is the "
            "value before it.",
            stacklevel=2,
        )
    kernels = _kernels(calls, _weights(model, dtype))
    rules = _rules(rule, calls, kernels, samples)

    setting = samples.shape[1:], samples.min() < 0, dtype, pooling, layers
    machine = _kept.fetch(
        model,
        (
            *setting,
            *(rule.parts for rule in rules.values()),
            *(architecture.activation(c.layer) for c in calls),
        ),
        lambda: _Machine(calls, kernels, rules, *setting),
    )
    of_input, of_layers, sums = machine.run(samples, kernels, rules, output, batch_size)
    if not np.isfinite(of_input).all():
        raise ValueError(
            "The relevance holds NaN or infinite values: check the network's weights, or try "
            "lrp.epsilon(0.1), which keeps away from divisions by almost zero."
        )
    if isinstance(x, xr.DataArray):
        of_input = xr.DataArray(of_input, x.coords, x.dims, "relevance")
    return Relevance(of_input, of_layers, _ledger(calls, rules, sums))


# ---- one step ---------------------------------------------------------------------------------


def _divide(R, y, b=None, epsilon=None):
    """The quotients s_j = R_j / z_j, with z_j = y_j + b_j + epsilon sign(y_j + b_j).

    Also returns what the bias took, what the stabiliser took, and what nobody got, by sample.
    """
    losses = {}
    z = y if b is None else y + b
    if epsilon is not None:
        stabiliser = tf.where(z >= 0, epsilon, -epsilon)
        z += stabiliser
    s = tf.math.divide_no_nan(R, z)
    if b is not None:
        losses["bias"] = _sum(s * b)
    if epsilon is not None:
        losses["stabiliser"] = _sum(s * stabiliser)
    nothing = tf.equal(z, 0)  # in a graph, z == 0 would only ask whether z is the number 0
    losses["unassigned"] = _sum(tf.where(nothing, R, 0))
    return s, losses


def _multiply(y, a, s):
    """The inputs' relevance, R_i = a_i sum_j w_ij s_j, for y_j = sum_i a_i w_ij."""
    return [a_i * c_i for a_i, c_i in zip(a, _send_back(y, a, s), strict=True)]


def _proportional_step(R, y, a):
    """Hand relevance down in proportion to the values a that make up y."""
    s, losses = _divide(R, y)
    return _multiply(y, a, s), losses


def _linear_step(R, parts, ys, forward):
    """Hand relevance down through a layer with weights, by the parts of its rule."""
    quotients, backs, losses = [], [], {}
    for part, y in zip(parts, ys, strict=True):
        s, loss = _divide(R, y, part.b, part.epsilon)
        quotients.append(s)
        if part.share is not None:  # it goes to the weights, which are fewer than the outputs
            y = tf.add_n([forward(a, part.share * w) for a, w in part.pairs])
            loss = {key: part.share * value for key, value in loss.items()}
        backs.append(y)
        losses = {key: losses.get(key, 0) + value for key, value in loss.items()}
    a = list({id(a): a for part in parts for a, _ in part.pairs}.values())
    return [tf.add_n(_multiply(backs, a, quotients))], losses


def _moving_step(R, y, a, layer):
    """Hand relevance down as it came, where values are only moved, copied or chosen."""
    losses = {}
    if type(layer) in _ZERO_PADDING:
        losses["unassigned"] = _sum(R * (1 - layer.call(tf.ones_like(a[0]))))
    return _send_back(y, a, R), losses


def _send_back(y, a, s):
    """The sum over j of w_ij s_j, for y_j = sum_i a_i w_ij: a vector-Jacobian product."""
    return tf.gradients(y, a, s)


def _sum(t):
    """Sum of all values of each sample."""
    return tf.reduce_sum(t, list(range(1, t.shape.rank)))


# ---- through the network ----------------------------------------------------------------------

_PASSING = layers.Activation, layers.Dropout, layers.ReLU, layers.Softmax
_PASSING += layers.SpatialDropout1D, layers.SpatialDropout2D
_ZERO_PADDING = layers.ZeroPadding1D, layers.ZeroPadding2D
_MOVING = layers.Concatenate, layers.Flatten, layers.Permute, layers.Reshape
_MOVING += layers.Cropping1D, layers.Cropping2D, layers.UpSampling1D, *_ZERO_PADDING
_SHARING = layers.Add, layers.AveragePooling1D, layers.AveragePooling2D
_SHARING += layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D
_MAX_POOLING = {  # and the average with the same settings
    layers.MaxPooling1D: layers.AveragePooling1D,
    layers.MaxPooling2D: layers.AveragePooling2D,
}
_GLOBAL_MAX_POOLING = layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D


class _Machine:
    """The computation for one network, one setting and one kind of rule for each layer.

    Weights and the rules' numbers are fed at every run.
    """

    def __init__(self, calls, kernels, rules, shape, signed, dtype, pooling, layers):
        with tf.Graph().as_default() as graph:

            def variable(array):
                return tf.compat.v1.placeholder(dtype, np.shape(array))

            self.x = tf.compat.v1.placeholder(dtype, (None, *shape))
            self.kernels = {
                name: kernel._replace(w=variable(kernel.w), b=variable(kernel.b))
                for name, kernel in kernels.items()
            }
            self.rules = {
                name: rule._replace(numbers=tuple(map(variable, rule.numbers)))
                for name, rule in rules.items()
            }
            values, steps = _forward(calls, self.x, signed, self.kernels, self.rules, pooling)
            y = values[calls[-1].target]
            outputs = tf.reshape(y, (-1, y.shape[1:].num_elements()))
            self.chosen = tf.argmax(outputs, -1)
            start = tf.one_hot(self.chosen, outputs.shape[1], dtype=dtype) * outputs
            start = tf.reshape(start, tf.shape(y))
            self.results = _backward(calls, steps, start, layers)
            self.output_shape = tuple(y.shape[1:])
            numbers = sum(value.shape[1:].num_elements() for value in values.values())
            self.chunk = max(1, ROOM // numbers)
        self.session = tf.compat.v1.Session(graph=graph)

    def run(self, samples, kernels, rules, output, batch_size):
        """Relevance of the input, of the layers, and the ledger's sums, for all samples."""
        feed = {}
        for name, kernel in kernels.items():
            feed |= {self.kernels[name].w: kernel.w, self.kernels[name].b: kernel.b}
            feed |= zip(self.rules[name].numbers, rules[name].numbers, strict=True)
        by_sample = {self.x: samples}
        if output is not None:
            by_sample[self.chosen] = inputs.indices(output, self.output_shape, len(samples))
        whole = None
        for cut in inputs.chunks(len(samples), batch_size or self.chunk):
            feed |= {tensor: array[cut] for tensor, array in by_sample.items()}
            part = self.session.run(self.results, feed)
            if whole is None:
                whole = tf.nest.map_structure(partial(_room, len(samples)), part)
            # Not a list of parts: it would hold on to memory between the chunks.
            for array, new in zip(tf.nest.flatten(whole), tf.nest.flatten(part), strict=True):
                array[cut] = new
        return whole


def _room(n, part):
    """An empty array for n samples like those of a part."""
    return np.empty((n, *part.shape[1:]), part.dtype)


_kept = Kept(8)


def _forward(calls, x, signed, kernels, rules, pooling):
    """Follow the network forwards: the value of each key, and the way back through each call."""
    values, steps = {calls[0].sources[0]: x}, []
    signed = set(values) if signed else set()  # keys of what may be negative
    for call in calls:
        # Tensors of their own: one input may depend on another, or be the same.
        a = [tf.identity(values[key]) for key in call.sources]
        may_be_negative = not signed.isdisjoint(call.sources)
        if call.name in kernels:
            forward, w, b = kernels[call.name]
            rule = rules[call.name]
            parts = rule.parts(a[0], w, b, may_be_negative, *rule.numbers)
            ys = [tf.add_n([forward(*pair) for pair in part.pairs]) for part in parts]
            # Parts that are all there is need no other way forwards.
            y = b + (tf.add_n(ys) if rule.complete else forward(a[0], w))
            step = partial(_linear_step, parts=parts, ys=ys, forward=forward)
            may_be_negative = True
        else:
            y, step = _without_weights(call.layer, a, pooling)
        activation = architecture.activation(call.layer)
        if activation in _RELU:
            y, may_be_negative = tf.nn.relu(y), False
        elif not (activation is activations.linear or activation in _HEADS and call is calls[-1]):
            found = getattr(activation, "__name__", "kind of ReLU")
            raise NotImplementedError(
                f"LRP has no way through the {title(call.layer)} with its {found}: an activation "
                "must be plain ReLU or linear, or a softmax or sigmoid at the end of the network."
            )
        values[call.target] = y
        if may_be_negative:
            signed.add(call.target)
        steps.append(step)
    return values, steps


def _backward(calls, steps, start, layers):
    """Go back through the calls: relevance of the input, of each layer, and the ledger's sums."""
    R, total = {calls[-1].target: start}, {calls[-1].target: _sum(start)}
    of_layers, sums = {}, []
    nothing = tf.zeros_like(total[calls[-1].target])
    for call, step in zip(reversed(calls), reversed(steps), strict=True):
        received = R.pop(call.target)
        shares, losses = step(received)
        passed = [total[call.target] if share is received else _sum(share) for share in shares]
        for key, share, sum_ in zip(call.sources, shares, passed, strict=True):
            R[key] = R[key] + share if key in R else share
            total[key] = total[key] + sum_ if key in total else sum_
        entry = {"received": total[call.target], "passed_on": sum(passed), **losses}
        sums.append(tf.stack([entry.get(column, nothing) for column in _COLUMNS], -1))
        if layers:
            of_layers[call.name] = received
    (of_input,) = R.values()
    return of_input, of_layers, tf.stack(sums, 1)


def _without_weights(layer, a, pooling):
    """Output and step of a layer without weights, or of a normalisation folded before."""
    kind = type(layer)
    if kind in _PASSING or kind is layers.BatchNormalization:
        return a[0], lambda R: ([R], {})
    if kind is layers.UpSampling2D and layer.interpolation == "bilinear":
        y = linear.bilinear(a[0], layer.size)
        return y, partial(_proportional_step, y=y, a=a)
    nearest = kind is layers.UpSampling2D and layer.interpolation == "nearest"
    if not (nearest or kind in _MOVING + _SHARING + (*_MAX_POOLING, *_GLOBAL_MAX_POOLING)):
        cure = (
            "put its layers into one flat model"
            if isinstance(layer, tf.keras.Model)
            else "build the network from the layers that help(lrp.relevance) lists"
        )
        raise NotImplementedError(f"LRP has no way through the {title(layer)}: {cure}.")
    y = layer.call(a if kind in (layers.Add, layers.Concatenate) else a[0])
    if kind in _SHARING:
        return y, partial(_proportional_step, y=y, a=a)
    if pooling == "proportional" and kind in _MAX_POOLING:
        mean = _MAX_POOLING[kind].from_config(layer.get_config())
        return y, partial(_proportional_step, y=mean.call(a[0]), a=a)
    if kind in _GLOBAL_MAX_POOLING:
        if pooling == "proportional":
            space = list(range(1, a[0].shape.rank - 1))
            return y, partial(_proportional_step, y=tf.reduce_sum(a[0], space, layer.keepdims), a=a)
        # Of equals the first wins, as in the other poolings; a plain maximum shares among them.
        y = tf.reshape(tf.nn.pool(a[0], a[0].shape[1:-1], "MAX", padding="VALID"), tf.shape(y))
    return y, partial(_moving_step, y=y, a=a, layer=layer)


def _weights(model, dtype):
    """All weights by layer, read in one go."""
    variables = {layer.name: layer.weights for layer in model.layers}
    values = backend.batch_get_value([w for some in variables.values() for w in some])
    values = iter([value.astype(dtype, copy=False) for value in values])
    return {name: [next(values) for _ in some] for name, some in variables.items()}


def _kernels(calls, weights):
    """Layers with weights as linear maps, by call; a batch normalisation joins the layer before."""
    readers = {}
    for call in calls:
        for key in call.sources:
            readers.setdefault(key, []).append(call)
    kernels, folded = {}, set()
    for call in calls:
        if call.name in folded:
            continue
        follower, *others = readers.get(call.target, [None])
        fold = (
            follower is not None
            and not others
            and type(follower.layer) is layers.BatchNormalization
            and type(call.layer) is not layers.BatchNormalization
            and architecture.activation(call.layer) is activations.linear
        )
        kernel = linear.from_layer(call.layer, weights, follower.layer if fold else None)
        if kernel:
            kernels[call.name] = kernel
            folded |= {follower.name} if fold else set()
    return kernels


_RELU = activations.relu, tf.nn.relu
_HEADS = activations.softmax, activations.sigmoid, tf.nn.softmax, tf.nn.sigmoid


_COLUMNS = ["received", "passed_on", "bias", "stabiliser", "unassigned"]


@lru_cache
def _rows(n, *names):
    return pd.MultiIndex.from_product([range(n), names], names=["sample", "layer"])


def _ledger(calls, rules, sums):
    """The ledger as a table from its sums, shape (sample, layer, column), the last layer first."""
    names = [call.name for call in calls][::-1]
    ledger = pd.DataFrame(sums.reshape(-1, len(_COLUMNS)), _rows(len(sums), *names), _COLUMNS)
    ledger.insert(
        0, "rule", [rules[name].name if name in rules else "" for name in names] * len(sums)
    )
    return ledger


# ---- which rule for which layer ---------------------------------------------------------------


def _rules(rule, calls, kernels, samples):
    """The rule of each call that has weights."""
    rule = _named(rule)
    if isinstance(rule, dict):
        rule = {key: _named(value) for key, value in rule.items()}
        known = {"first", *(call.layer.name for call in calls), *(k.__name__ for k in linear.KINDS)}
        for key in rule:
            if key not in known:
                raise ValueError(
                    f"The network has no layer {key!r}: the keys of rules are names of layers, "
                    '"first" for those that take the input, or classes such as "Conv2D".'
                )
    raw = {calls[0].sources[0]}  # keys of the network's input, at most rearranged
    chosen = {}
    for call in calls:
        first = raw.issuperset(call.sources)
        if first and type(call.layer) in _MOVING + _PASSING:
            raw.add(call.target)
        if call.name in kernels:
            found = rule
            if isinstance(rule, dict):
                keys = call.layer.name, "first" if first else "", type(call.layer).__name__
                key = next((key for key in keys if key in rule), None)
                if key is None:
                    raise ValueError(
                        f"There is no rule for the {title(call.layer)}: add one to the dict."
                    )
                found = rule[key]
            if not isinstance(found, Rule):
                what = (
                    "a preset, which is for all layers" if isinstance(found, dict) else repr(found)
                )
                raise TypeError(
                    f"A rule is a name or made by lrp.epsilon(0.1) or the like, not {what}."
                )
            if found.limits:
                _check_limits(found, call, first, samples)
            chosen[call.name] = found
    return chosen


def _named(rule):
    """A rule or preset by its name; anything else as it is."""
    if not isinstance(rule, str):
        return rule
    if rule in RULES:
        return RULES[rule]
    hint = inputs.did_you_mean(rule, RULES) or f"use {', '.join(RULES)}."
    raise ValueError(f"There is no rule {rule!r}: {hint}")


def _check_limits(rule, call, first, samples):
    """Refuse a rule with limits where it does not meet the input, or the input is beyond them."""
    low, high = (np.asarray(limit, samples.dtype) for limit in rule.numbers)
    if not first:
        raise ValueError(
            f"The z box rule is for layers that take the network's input, not for "
            f'the {title(call.layer)}: choose it in a dict by the key "first".'
        )
    if (samples < low).any() or (samples > high).any():
        raise ValueError(
            f"The input goes from {samples.min():.4g} to {samples.max():.4g}, beyond the limits of "
            "the z box rule: give it the right ones, lrp.z_box(low, high)."
        )
