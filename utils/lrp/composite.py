"""Which rule for which layer; the papers call such a choice a composite."""

import numpy as np
from tensorflow.keras import activations, layers

from utils.keras_graph import linear, unroll, validation
from utils.keras_graph.calls import RELU, activation_of, title
from utils.keras_graph.forecast import IDENTITY
from utils.lrp.rules import Rule, alpha_beta, epsilon, flat, gamma, w_square, z, z_box
from utils.plain import plain


def _preset(alpha, **first):
    """iNNvestigate's presets: alpha-beta in convolutions, epsilon in dense layers.

    The library itself puts the whole bias into both denominators of alpha-beta.
    """
    names = [kind.__name__ for kind in (*linear.KINDS, *unroll.APART)]
    convolutions = [kind.__name__ for kind in linear.CONVOLUTIONS]
    return (
        first | dict.fromkeys(names, epsilon(0.1)) | dict.fromkeys(convolutions, alpha_beta(alpha))
    )


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


# Layers without a rule, by the step that `propagate` has for them.
PASSING = *IDENTITY, *linear.ACTIVATIONS, layers.Activation, layers.PReLU
PASSING += layers.Rescaling, layers.BatchNormalization  # without a shift; joined, see linear.read
SHARING = layers.Add, layers.Average, layers.Subtract
SHARING += layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D
SHARING += layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D
SHARING += layers.GlobalAveragePooling3D, unroll.Centre
MAX_POOLING = layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D
MAX_POOLING += layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D
MOVING = layers.Concatenate, layers.Flatten, layers.Permute, layers.RepeatVector, layers.Reshape
MOVING += layers.Cropping1D, layers.Cropping2D, layers.Cropping3D
MOVING += layers.UpSampling1D, layers.UpSampling3D, *unroll.MOVING
PADDING = layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D
CHOOSING = layers.Maximum, layers.Minimum
KNOWN = PASSING + SHARING + MAX_POOLING + MOVING + PADDING + CHOOSING + linear.RESIZING
KNOWN += unroll.Gated, unroll.Sum, unroll.Scale, unroll.Gate, unroll.Initial
PADDING += (unroll.Initial,)


def choose(rule, calls, kernels, samples):
    """The rule of each call that has weights; `rule` as in `lrp.relevance`."""
    rule = _named(rule)
    if isinstance(rule, dict):
        rule = {key: _named(value) for key, value in rule.items()}
        known = {"first", *(k.__name__ for k in (*linear.KINDS, *unroll.APART))}
        known |= {name for call in calls for one in _wholes(call) for name in one[0]}
        for key in rule:
            if key not in known:
                raise ValueError(
                    f"The network has no layer {plain(repr(key))}: the keys of rules are names of "
                    'layers, "first" for those that take the input, or classes such as "Conv2D".'
                )
    raw = set(range(len(samples)))  # keys of the network's inputs, at most rearranged
    chosen = {}
    for call in calls:
        first = raw.issuperset(_layer_of(call).sources)
        if type(call.layer) is unroll.Scale:  # of a normalisation, which shares in proportion
            chosen[call.name] = z()
        elif call.name in kernels and linear.has_rule(call.layer):
            chosen[call.name] = found = _of_layer(rule, call, first)
            if found.limits:
                _check_limits(found, call, first, samples)
        elif raw.issuperset(call.sources) and _keeps(call.layer):
            raw.update(call.targets)
    return chosen


def _layer_of(call):
    """The call of a layer, also for its steps: all of them have its rule."""
    whole = call.part_of
    steps = isinstance(call.layer, unroll.Step) and whole
    return whole if steps or whole and type(whole.layer) is layers.MultiHeadAttention else call


def _keeps(layer):
    """Does a layer leave values as they are, but for their places?"""
    if type(layer) in (layers.Activation, layers.ReLU):
        return activation_of(layer) in (activations.linear, *RELU)
    return type(layer) in MOVING + PADDING + IDENTITY


def _of_layer(rule, call, first):
    """The rule for a layer; `first` tells that it takes the network's input."""
    if isinstance(rule, dict):
        wholes = _wholes(call)
        names, kinds = [name for one, _ in wholes for name in one], [kind for _, kind in wholes]
        key = next((k for k in (*names, "first" if first else "", *kinds) if k in rule), None)
        if key is None:
            layer = unroll.whole_of(call).layer
            raise ValueError(f"There is no rule for the {title(layer)}: add one to the dict.")
        rule = rule[key]
    if not isinstance(rule, Rule):
        what = "a preset, which is for all layers" if isinstance(rule, dict) else plain(repr(rule))
        raise TypeError(f"A rule is a name or made by lrp.epsilon(0.1) or the like, not {what}.")
    return rule


def _wholes(call):
    """Names, and name of the class, of a call's layer and of those that it is a step of."""
    found = []
    while call:
        kind = type(call.layer)
        if not call.part_of or kind in (*linear.KINDS, *unroll.APART):
            found.append(((call.name, call.layer.name), kind.__name__))
        call = call.part_of
    return found


def _named(rule):
    """A rule or preset by its name; anything else as it is."""
    if not isinstance(rule, str):
        return rule
    if rule in RULES:
        return RULES[rule]
    hint = validation.did_you_mean(rule, RULES) or f"use {', '.join(RULES)}."
    raise ValueError(f"There is no rule {plain(rule)!r}: {hint}")


def _check_limits(rule, call, first, samples):
    """Refuse a rule with limits where it does not meet the input, or the input is beyond them."""
    low, high = (np.asarray(limit, samples[0].dtype) for limit in rule.numbers)
    lowest, highest = min(some.min() for some in samples), max(some.max() for some in samples)
    if not first:
        raise ValueError(
            f"The z box rule is for layers that take the network's input, not for "
            f'the {title(unroll.whole_of(call).layer)}: choose it in a dict by the key "first".'
        )
    if _layer_of(call) is not call:
        raise ValueError(
            f"The z box rule is for a linear layer, which the {title(unroll.whole_of(call).layer)} "
            "is not: choose another for it."
        )
    if lowest < low or highest > high:
        raise ValueError(
            f"The input goes from {lowest:.4g} to {highest:.4g}, beyond the limits of "
            "the z box rule: give it the right ones, lrp.z_box(low, high)."
        )
