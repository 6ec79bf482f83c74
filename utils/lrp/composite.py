"""Which rule for which layer; the papers call such a choice a composite."""

import numpy as np
from tensorflow.keras import layers

from utils.keras_graph import linear, validation
from utils.keras_graph.calls import title
from utils.lrp.rules import Rule, alpha_beta, epsilon, flat, gamma, w_square, z, z_box


def _preset(alpha, **first):
    """The library's presets: alpha-beta in convolutions, epsilon in dense layers."""
    convolutions = {kind.__name__: alpha_beta(alpha, bias="whole") for kind in linear.KINDS}
    return first | convolutions | dict.fromkeys(("Dense", "BatchNormalization"), epsilon(0.1))


RULES = {
    "z": z(),
    "epsilon": epsilon(),
    "gamma": gamma(),
    "alpha_1_beta_0": alpha_beta(1),
    "alpha_2_beta_1": alpha_beta(2),
    "w_square": w_square(),
    "flat": flat(),
    "z_box": z_box(),
    "preset_a": _preset(1),
    "preset_b": _preset(2),
    "preset_a_flat": _preset(1, first=flat()),
    "preset_b_flat": _preset(2, first=flat()),
}


# Layers without weights, by the step that `propagate` has for them.
PASSING = layers.Activation, layers.Dropout, layers.ReLU, layers.Softmax
PASSING += layers.SpatialDropout1D, layers.SpatialDropout2D
PASSING += (layers.BatchNormalization,)  # one that joined the layer before it: see linear.read
SHARING = layers.Add, layers.AveragePooling1D, layers.AveragePooling2D
SHARING += layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D
MAX_POOLING = layers.MaxPooling1D, layers.MaxPooling2D
MAX_POOLING += layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D
MOVING = layers.Concatenate, layers.Flatten, layers.Permute, layers.Reshape
MOVING += layers.Cropping1D, layers.Cropping2D, layers.UpSampling1D
MOVING += layers.ZeroPadding1D, layers.ZeroPadding2D  # UpSampling2D: by its interpolation


def choose(rule, calls, kernels, samples):
    """The rule of each call that has weights; `rule` as in `lrp.relevance`."""
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
        if call.name in kernels:
            chosen[call.name] = found = _of_layer(rule, call.layer, first)
            if found.limits:
                _check_limits(found, call, first, samples)
        elif first and type(call.layer) in MOVING + PASSING:
            raw.add(call.target)
    return chosen


def _of_layer(rule, layer, first):
    """The rule for a layer; `first` tells that it takes the network's input."""
    if isinstance(rule, dict):
        keys = layer.name, "first" if first else "", type(layer).__name__
        key = next((key for key in keys if key in rule), None)
        if key is None:
            raise ValueError(f"There is no rule for the {title(layer)}: add one to the dict.")
        rule = rule[key]
    if not isinstance(rule, Rule):
        what = "a preset, which is for all layers" if isinstance(rule, dict) else repr(rule)
        raise TypeError(f"A rule is a name or made by lrp.epsilon(0.1) or the like, not {what}.")
    return rule


def _named(rule):
    """A rule or preset by its name; anything else as it is."""
    if not isinstance(rule, str):
        return rule
    if rule in RULES:
        return RULES[rule]
    hint = validation.did_you_mean(rule, RULES) or f"use {', '.join(RULES)}."
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
