"""What iNNvestigate's methods get right, and what they do with the layers that they get wrong.

`check` refuses a layer by name, from a table. `mend` gives others the rule that the papers have.
"""

import inspect

import numpy as np
import tensorflow as tf
from innvestigate import backend
from innvestigate.analyzer.relevance_based import relevance_rule
from innvestigate.backend import checks
from tensorflow.keras import activations, layers

from utils.explain.copied import BY_GROUPS
from utils.keras_graph.calls import title

# ---- refused ----------------------------------------------------------------------------------

# What a method needs: a gradient at each layer, no activation but ReLU, a rule for each layer.
GRADIENT, RELU, RULE, PRESET, TAYLOR = "gradient", "ReLU", "rule", "preset", "Taylor"
_NEEDS = {
    "deconvnet": {RELU},
    "guided_backprop": {RELU},
    "deep_taylor": {RELU, RULE, TAYLOR},
    "lrp.sequential": {RELU, RULE, PRESET},
    "lrp": {RULE},
    "": {GRADIENT},
}
ELEMENT_WISE = (
    layers.Activation,
    layers.ELU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ReLU,
    layers.ThresholdedReLU,
)
# Linear, without weights and biases.
_SUMS = layers.Average, layers.Subtract, layers.UpSampling2D
_SUMS += layers.CenterCrop, layers.Rescaling, layers.Resizing
_WITH_NEGATIVE_WEIGHTS = "bicubic", "lanczos3", "lanczos5", "mitchellcubic"
_PRODUCTS = layers.Dot, layers.Multiply
_WITH_RULE = {
    *checks.CONVNET_LAYERS,
    *BY_GROUPS.values(),
    *ELEMENT_WISE,
    *_SUMS,
    layers.Conv1DTranspose,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.Identity,
} - {*_PRODUCTS, layers.Lambda}
USUAL = _WITH_RULE | {  # to which iNNvestigate can go back
    *_PRODUCTS,
    layers.EinsumDense,
    layers.Normalization,
}
_FUNCTIONS = [getattr(activations, name) for name in dir(activations) if name.islower()]
_FUNCTIONS += [tf.nn.leaky_relu, tf.nn.relu6, tf.nn.silu, None]


def needs(method):
    """What a method needs of a network."""
    return next(some for name, some in _NEEDS.items() if method.startswith(name))


def _function(layer):
    return getattr(layer, "activation", None)


def _mixes(layer):
    return isinstance(layer, layers.Softmax) or _function(layer) is activations.softmax


def _unknown_function(layer):
    function = _function(layer)
    if isinstance(function, layers.Layer):
        return type(function) not in ELEMENT_WISE or function.weights
    return function not in _FUNCTIONS


_NOT_ONLY_RELU = "it knows no activation but ReLU, so try lrp.epsilon or gradient"
# Whose need is not met by which layers, and why.
_REFUSED = (
    (
        {GRADIENT, RELU, RULE},
        lambda layer: isinstance(layer, layers.Lambda),
        "what a Lambda computes is hidden, so write it with Keras layers",
    ),
    (
        {GRADIENT, RELU, RULE},
        lambda layer: getattr(layer, "interpolation", "") == "area",
        "TensorFlow has no gradient for area interpolation, so build it with bilinear",
    ),
    (
        {GRADIENT, RELU},
        lambda layer: isinstance(layer, layers.Embedding),
        "whole numbers have no gradient, so try lrp.epsilon",
    ),
    ({RELU, RULE}, _mixes, "only a softmax at the very end can be taken off"),
    (
        {RULE},
        lambda layer: isinstance(layer, _PRODUCTS),
        "no rule shares out a product, so try integrated_gradients",
    ),
    (
        {TAYLOR},
        lambda layer: (
            isinstance(layer, layers.Subtract)
            or getattr(layer, "interpolation", "") in _WITH_NEGATIVE_WEIGHTS
        ),
        "deep Taylor adds up what is positive, so try lrp.epsilon",
    ),
    (
        {RULE},
        lambda layer: (
            isinstance(layer, layers.BatchNormalization)
            and list(layer.axis) != [layer.input_spec.ndim - 1]
        ),
        "it must normalise the last axis, the channels, or try gradient",
    ),
    (
        {RULE},
        lambda layer: (
            type(layer) not in _WITH_RULE
            or (isinstance(layer, layers.Rescaling) and np.any(layer.offset))
        ),
        "iNNvestigate has no rule for it, so try gradient or integrated_gradients",
    ),
    (
        {RULE},
        _unknown_function,
        "its activation may mix its inputs, so try gradient or integrated_gradients",
    ),
    (
        {PRESET},
        lambda layer: (
            checks.contains_kernel(layer)
            and not (checks.is_dense_layer(layer) or checks.is_conv_layer(layer))
        ),
        "the preset names no rule for it, so try lrp.epsilon",
    ),
    (
        {RELU},
        lambda layer: isinstance(layer, layers.ReLU) or not checks.only_relu_activation(layer),
        _NOT_ONLY_RELU,
    ),
    (
        {RELU},
        lambda layer: type(layer) not in USUAL,
        "it cannot look inside for a ReLU, so try gradient or integrated_gradients",
    ),
)


def check(network, method):
    """Refuse a network with a layer, or a beginning, that the method is not for."""
    needed = needs(method)
    for layer in network.layers:
        for some, condition, reason in _REFUSED:
            if needed & some and condition(layer):
                raise NotImplementedError(f"{method} cannot handle the {name(layer)}: {reason}.")
    if method.endswith(("_flat", ".bounded")):
        _check_beginning(network, method)


def _check_beginning(network, method):
    moving = layers.InputLayer, layers.Flatten, layers.Permute, layers.Reshape
    problem = None
    if not any(map(_begins, network.layers)):
        first = next((one for one in network.layers if not isinstance(one, moving)), None)
        problem = f"here comes the {name(first)}" if first else "here is none"
    for layer in filter(checks.contains_kernel, network.layers):
        below = [isinstance(one, layers.InputLayer) for one in checks.get_input_layers(layer)]
        if any(below) and not all(below):
            problem = f"the {name(layer)} is used there and elsewhere"
    if problem:
        other = method.removesuffix("_flat").removesuffix(".bounded")
        raise NotImplementedError(
            f"{method} has a rule of its own for a layer with weights at the input, and {problem}: "
            f"try {other}."
        )


def _begins(layer):
    return checks.contains_kernel(layer) and checks.is_input_layer(layer)


def name(layer):
    """A layer of the user's for messages."""
    return getattr(layer, "stands_for", title(layer))


# ---- mended -----------------------------------------------------------------------------------


def mend(analyzer, method, whole=False):
    """Give iNNvestigate's analyzer the rules that it lacks, before it reads the network.

    `whole` leaves it its way with biases.
    """
    needed = needs(method)
    if RULE not in needed:
        return

    def use(rule, condition):
        analyzer._add_conditional_reverse_mapping(condition, rule, priority=20)

    if TAYLOR in needed:  # where iNNvestigate sends all that has no weights back like a gradient
        sums = (*_SUMS, layers.Add, *checks.AVERAGEPOOLING_LAYERS)
        passing = layers.Activation, layers.BatchNormalization
        if method == "deep_taylor.bounded":
            limits = analyzer._bounds_low, analyzer._bounds_high
            use(_z_box(analyzer._model, limits), _begins)
    else:
        sums, passing = _SUMS, ELEMENT_WISE
        analyzer._rules = [(when, _mended(rule, whole)) for when, rule in analyzer._rules]
        analyzer._bn_layer_rule = _mended(analyzer._bn_layer_rule, whole)
    use(_pass_on, lambda layer: isinstance(layer, passing))
    use(
        _share,
        lambda layer: isinstance(layer, sums) and getattr(layer, "interpolation", "") != "nearest",
    )


def _pass_on(_Xs, _Ys, Rs, _state):
    """Relevance passes unchanged what makes each value from one (Bach et al. 2015)."""
    return Rs


def _share(Xs, Ys, Rs, _state):
    """The z rule for a layer that is linear, and has neither weights nor biases."""
    shares = [backend.safe_divide(R, Y) for R, Y in zip(Rs, Ys, strict=True)]
    slopes = backend.gradients(Xs, Ys, shares)
    return [X * slope for X, slope in zip(Xs, slopes, strict=True)]


def _z_box(network, limits):
    """The rule for inputs with limits, one for each place, wherever layers before have moved it."""
    shape = 1, *network.input_shape[1:]

    class ZBox(relevance_rule.BoundedRule):
        def apply(self, Xs, Ys, Rs, state):
            moved = tf.keras.Model(network.inputs, Xs)
            self._low, self._high = (moved(tf.broadcast_to(one, shape)) for one in limits)
            return super().apply(Xs, Ys, Rs, state)

    return ZBox


def _mended(rule, whole):
    if not inspect.isclass(rule):
        return rule
    if issubclass(rule, relevance_rule.AlphaBetaXRule):  # doubles it at each batch normalisation
        return relevance_rule.ZRule
    if issubclass(rule, relevance_rule.AlphaBetaRule) and not whole:
        return type(rule.__name__, (_BiasBySign, rule), {})
    return rule


class _BiasBySign:
    """Alpha-beta with the bias as in the formula (Bach et al. 2015, eq. 60).

    iNNvestigate puts the whole bias into both denominators, which then may vanish or change sign.
    """

    def apply(self, Xs, _Ys, Rs, _state):
        [X], [R] = Xs, Rs
        above, below = (X * tf.cast(some, X.dtype) for some in (X > 0, X < 0))
        found = self._part(
            self._layer_wo_act_positive, self._layer_wo_act_negative, above, below, R
        )
        if self._beta:
            against = self._part(
                self._layer_wo_act_negative, self._layer_wo_act_positive, above, below, R
            )
            found = self._alpha * found - self._beta * against
        return [found]

    @staticmethod
    def _part(layer, other, above, below, R):
        """Relevance by contributions of one sign, of inputs above zero and of those below."""
        Z = layer(above)  # with the bias of this sign
        kept, other.use_bias = other.use_bias, False
        Z_below = other(below)
        other.use_bias = kept
        share = backend.safe_divide(R, Z + Z_below)
        [slope] = backend.gradients([above], [Z], [share])
        [slope_below] = backend.gradients([below], [Z_below], [share])
        return above * slope + below * slope_below
