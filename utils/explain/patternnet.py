"""PatternNet and PatternAttribution: heat maps along what a unit's inputs carry.

Kindermans et al. 2018 (kindermans2018). A unit's weights must cancel what disturbs it, so they need
not look like the signal that it reads. The *pattern* of a unit with inputs x and output y = w'x + b
is the direction in which its inputs move with its output, fitted to data:

    a = (E+[x y] - E+[x] E[y]) / (w' E+[x y] - w' E+[x] E[y])

E is the mean over all samples, E+ over those in which y > 0, for a unit with ReLU; without one both
are over all. (E[y] makes it depend on an offset of x: inputs should be centred near zero.) On the
way back from the output, PatternNet puts the patterns in place of the weights, PatternAttribution
the products of both. iNNvestigate had these methods once; version 2.1.2 does not.
"""

from functools import partial

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils.keras_graph import flops, linear, machine, validation
from utils.keras_graph.calls import RELU, activation_of, calls_of, title
from utils.lrp import composite, propagate
from utils.plain import plain

KINDS = layers.Conv1D, layers.Conv2D, layers.Dense
WITHOUT_WEIGHTS = layers.Concatenate, layers.Dropout, layers.Flatten, layers.Reshape
WITHOUT_WEIGHTS += (layers.UpSampling2D, *composite.SHARING, *composite.MAX_POOLING)


def fit(model, x):
    """Patterns of all layers with weights.

    Parameters
    ----------
    model : keras.Model
        Of Dense, Conv1D and Conv2D layers with ReLU or no activation, pooling and the like.
    x : array, shape (sample, ...)
        Samples like those it was trained on; some hundreds, so that each unit is active in many.

    Returns
    -------
    dict of str to array
        By layer's name, shaped like its weights. Zero for a unit that is never active, or whose
        output is always the same.

    Raises
    ------
    TypeError, ValueError
        If the samples do not fit the network.
    NotImplementedError
        If the network has another kind of layer or activation.
    """
    # Differences of large means: brightness temperatures would lose all digits in single precision.
    calls, kernels, weights, samples = _prepare(model, x, "float64")
    compute = partial(_sums, calls, kernels)
    ready = machine.fetch(
        model,
        ("patterns", samples.shape[1:]),
        lambda: machine.Machine().write(compute, [samples], [weights]),
    )
    totals = None
    for _, part in ready.parts([samples], [weights]):
        totals = tf.nest.map_structure(np.add, totals, part) if totals else part
    return {name: _pattern(kernels[name].w, *some) for name, some in totals.items()}


def _sums(calls, kernels, x, weights):
    """By layer with weights, what its patterns are made of; and the outputs of all layers."""
    kernels = {name: linear.Linear(k.forward, *weights[name]) for name, k in kernels.items()}
    values = propagate.forward(calls, kernels, x)
    sums = {
        call.name: _sums_of_layer(
            kernels[call.name], values[call.sources[0]], activation_of(call.layer) in RELU
        )
        for call in calls
        if call.name in kernels
    }
    return sums, list(values.values())


def _sums_of_layer(kernel, x, relu):
    """The number of cases and the sum of y; over the active ones their number, and x and x y.

    For all places where a convolution applies its weights, a sum of x times something is the
    gradient with respect to the weights that begins with that something.
    """
    z = kernel.forward(x, kernel.w)
    y = z + kernel.b
    active = tf.cast(y > 0, y.dtype) if relu else tf.ones_like(y)
    cases = list(range(y.shape.rank - 1))
    return (
        tf.reduce_sum(tf.ones_like(y), cases),
        tf.reduce_sum(y, cases),
        tf.reduce_sum(active, cases),
        tf.gradients(z, kernel.w, active)[0],
        tf.gradients(z, kernel.w, active * y)[0],
    )


def _pattern(w, n, y, n_active, x, xy):
    n_active = np.maximum(n_active, 1)
    a = xy / n_active - (x / n_active) * (y / n)
    below = tuple(range(w.ndim - 1))
    scale, size = (w * a).sum(below), abs(w * a).sum(below)
    alive = abs(scale) > 1e-9 * size  # below is rounding
    return np.divide(a, scale, out=np.zeros(w.shape), where=alive).astype("float32")


def attribute(model, x, patterns, output=None, times_weights=True):
    """Heat maps by PatternAttribution, or by PatternNet.

    Parameters
    ----------
    model : keras.Model
    x : array, shape (sample, ...)
        Samples as the network takes them.
    patterns : dict of str to array
        What `fit` gave.
    output : int, tuple, or sequence of these, optional
        As in `utils.explain.explain`; None takes each sample's strongest output.
    times_weights : bool
        True is PatternAttribution: how much the signal in each input contributed. False is
        PatternNet: the signal itself.

    Returns
    -------
    array, shape of `x`
        It begins at the output with the output's value, as LRP does.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As for `fit`, and if the patterns are not this network's.
    """
    calls, kernels, weights, samples = _prepare(model, x)
    if not isinstance(times_weights, bool):
        raise TypeError(f"times_weights must be True or False, not {plain(repr(times_weights))}.")
    given = patterns.items() if isinstance(patterns, dict) else ()
    patterns = {name: validation.as_numbers("patterns", one) for name, one in given}
    shapes = {name: kernel.w.shape for name, kernel in kernels.items()}
    if {name: one.shape for name, one in patterns.items()} != shapes:
        raise ValueError("These patterns are not this network's: make them by patternnet.fit.")
    if not all(np.isfinite(one).all() for one in patterns.values()):
        raise ValueError("The patterns hold NaN or infinite values: fit them again.")
    back = {
        name: np.float32(patterns[name]) * (kernel.w if times_weights else 1)
        for name, kernel in kernels.items()
    }
    compute = partial(_maps, calls, kernels)
    ready = machine.fetch(
        model,
        ("heat maps", samples.shape[1:]),
        lambda: machine.Machine().write(compute, [samples, np.array([0])], [weights, back]),
    )
    index = validation.indices(output, ready.output_shape, len(samples))
    return ready.run([samples, index], [weights, back])


def cost(model):
    """Arithmetic of one heat map, in forward passes through the network, without the fit.

    Parameters
    ----------
    model : keras.Model
        With a fixed size of its input.

    Returns
    -------
    float
    """
    validation.check_model(model)
    shape = model.input_shape[1:]
    if None in shape:
        raise ValueError("The cost depends on the input's size: build the network for one size.")
    calls, kernels, weights, _ = _prepare(model, np.zeros((1, *shape)))
    back = {name: kernel.w for name, kernel in kernels.items()}
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (None, *shape))
        index = tf.compat.v1.placeholder(tf.int64, (None,))
        maps, outputs = _maps(calls, kernels, x, index, weights, back)
    return flops.passes(graph, [x, index], maps, outputs[-1])


def _maps(calls, kernels, x, index, weights, back):
    """Heat maps, and the outputs of all layers."""
    kernels = {
        name: linear.Linear(_with_way_back(kernel.forward, back[name]), *weights[name])
        for name, kernel in kernels.items()
    }
    outputs = list(propagate.forward(calls, kernels, x).values())
    return tf.gradients(outputs[-1], x, machine.picked(outputs[-1], index))[0], outputs


def _with_way_back(forward, w_back):
    """A layer's way forwards, whose gradient goes through other weights."""

    def there(a, w):
        @tf.custom_gradient
        def step(a):
            return forward(a, w), lambda message: tf.gradients(forward(a, w_back), a, message)[0]

        return step(a)

    return there


def _prepare(model, x, dtype="float32"):
    """The network's calls, its layers with weights, these weights to be fed, and the samples."""
    validation.check_model(model)
    samples = validation.check_samples(x, tuple(model.inputs[0].shape), dtype)
    for call in calls_of(model):
        layer, name = call.layer, title(call.layer)
        if type(layer) not in KINDS + WITHOUT_WEIGHTS or call.name != layer.name:
            raise NotImplementedError(
                f"There is no pattern through the {name}: build the network from Dense, Conv1D "
                "and Conv2D layers with their activations, pooling and Flatten, each used once."
            )
        activation = activation_of(layer)
        if activation not in (activations.relu, activations.linear):
            raise NotImplementedError(
                "Patterns know ReLU and no activation, not the "
                f"{getattr(activation, '__name__', activation)} of the {name}: take one off at the "
                "end by model.layers[-1].activation = None."
            )
    calls, kernels = linear.read(model, dtype)
    return calls, kernels, {name: kernel[1:3] for name, kernel in kernels.items()}, samples
