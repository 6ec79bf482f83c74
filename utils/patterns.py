"""PatternNet and PatternAttribution: heat maps along what a unit's inputs carry.

Kindermans et al. 2018 (kindermans2018). A unit's weights must cancel what disturbs it, so they need
not look like the signal that it reads. The *pattern* a_ij is the direction in which the inputs i
move when the unit's output y_j = sum_i x_i w_ij + b_j moves, fitted to data:

    a_j = cov(x, y_j) / sum_i w_ij cov(x_i, y_j)

over all samples, or for a unit with ReLU over those in which it is active. On the way back from the
output, PatternNet puts the patterns in place of the weights, PatternAttribution the products of
both. iNNvestigate had these methods once; version 2.1.2 does not.

The computation has a TensorFlow graph and session of its own: it works in eager and in graph mode.
"""

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils import architecture, arithmetic, inputs, linear

KINDS = layers.Conv1D, layers.Conv2D, layers.Dense
ROOM = 2**22  # numbers in all layer outputs of one chunk


def fit(model, x):
    """Patterns of all layers with weights.

    Parameters
    ----------
    model : keras.Model
        Of Dense, Conv1D and Conv2D layers with ReLU or no activation, and layers without weights.
    x : array, shape (sample, ...)
        Samples like those it was trained on; some hundreds, so that each unit is active in many.

    Returns
    -------
    dict of str to array
        By layer's name, shaped like its weights. Zero for a unit that is never active, or
        whose output is always the same.

    Raises
    ------
    TypeError, ValueError
        If the samples do not fit the network.
    NotImplementedError
        If the network has another kind of layer with weights, or another activation.
    """
    calls, kernels, samples = _prepare(model, x)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        start = tf.compat.v1.placeholder(tf.float32, (None, *samples.shape[1:]))
        values, seen = _follow(calls, start, kernels)
        sums = {name: _sums(kernels[name], *seen[name]) for name in kernels}
        totals = None
        for cut in inputs.chunks(len(samples), _chunk(values)):
            part = session.run(sums, {start: samples[cut]})
            part = tf.nest.map_structure(lambda sum_: sum_.astype("float64"), part)
            totals = tf.nest.map_structure(np.add, totals, part) if totals else part
    return {name: _pattern(kernels[name].w, *some) for name, some in totals.items()}


def _sums(kernel, x, y, relu):
    """Over the active cases: their number, and the sums of x, of y, and of x times y.

    For all places where a convolution applies its weights, a sum of x times something is the
    gradient with respect to the weights that begins with that something.
    """
    active = tf.cast(y > 0, y.dtype) if relu else tf.ones_like(y)
    w = tf.constant(kernel.w)
    z = kernel.forward(x, w)
    cases = list(range(y.shape.rank - 1))
    return (
        tf.reduce_sum(active, cases),
        tf.gradients(z, w, active)[0],
        tf.reduce_sum(active * y, cases),
        tf.gradients(z, w, active * y)[0],
    )


def _pattern(w, n, x, y, xy):
    n = np.maximum(n, 1)
    covariance = xy / n - (x / n) * (y / n)
    variance = (w * covariance).sum(tuple(range(w.ndim - 1)))  # of y
    alive = variance > 1e-5 * (y / n) ** 2  # below is the rounding of single precision
    return np.divide(covariance, variance, out=np.zeros(w.shape), where=alive).astype("float32")


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
    calls, kernels, samples = _prepare(model, x)
    shapes = {name: kernel.w.shape for name, kernel in kernels.items()}
    if {name: np.shape(pattern) for name, pattern in patterns.items()} != shapes:
        raise ValueError("These patterns are not this network's: make them by patterns.fit.")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        start, values, chosen, y, maps = _way_back(calls, kernels, patterns, samples, times_weights)
        feeds = {start: samples}
        if output is not None:
            feeds[chosen] = inputs.indices(output, tuple(y.shape[1:]), len(samples))
        parts = [
            session.run(maps, {tensor: array[cut] for tensor, array in feeds.items()})
            for cut in inputs.chunks(len(samples), _chunk(values))
        ]
    return np.concatenate(parts)


def cost(model, x, patterns):
    """Arithmetic of one heat map, in forward passes through the network, without the fit.

    Parameters
    ----------
    model, x, patterns
        As for `attribute`.

    Returns
    -------
    float
    """
    calls, kernels, samples = _prepare(model, x)
    with tf.Graph().as_default() as graph:
        start, _, _, _, maps = _way_back(calls, kernels, patterns, samples, True)
        values, _ = _follow(calls, start, kernels)
    return arithmetic.passes(graph, [start], maps, values[calls[-1].target])


def _way_back(calls, kernels, patterns, samples, times_weights):
    """The computation of `attribute`, in the graph that is open now."""
    back = {n: patterns[n] * (k.w if times_weights else 1) for n, k in kernels.items()}
    start = tf.compat.v1.placeholder(tf.float32, (None, *samples.shape[1:]))
    values, _ = _follow(calls, start, kernels, back)
    y = values[calls[-1].target]
    outputs = tf.reshape(y, (-1, y.shape[1:].num_elements()))
    chosen = tf.argmax(outputs, -1)
    first = tf.one_hot(chosen, outputs.shape[1]) * tf.stop_gradient(outputs)
    (maps,) = tf.gradients(outputs, start, first)
    return start, values, chosen, y, maps


def _prepare(model, x):
    """The network's calls, its layers with weights as linear maps, and the samples."""
    inputs.check_model(model)
    samples = inputs.check_samples(x, tuple(model.inputs[0].shape))
    calls = architecture.calls(model)
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    kernels = {}
    for call in calls:
        layer, title = call.layer, architecture.title(call.layer)
        if getattr(layer, "activation", None) not in (None, activations.relu, activations.linear):
            raise NotImplementedError(f"Patterns know ReLU or no activation, not the {title}'s.")
        if weights[layer.name]:
            if type(layer) not in KINDS or call.name != layer.name:
                raise NotImplementedError(
                    f"There is no pattern for the {title}: build the network from Dense, Conv1D "
                    "and Conv2D layers, each used once."
                )
            kernel = linear.from_layer(layer, weights)
            kernels[call.name] = kernel
    return calls, kernels, samples


def _follow(calls, x, kernels, back=None):
    """Follow the network forwards.

    Returns the value of each key, and by layer with weights its input, its output without
    activation, and whether ReLU follows. `back` holds weights for the way back by layer: the
    gradient goes through them, the values do not.
    """
    values, seen = {calls[0].sources[0]: x}, {}
    for call in calls:
        a = [values[key] for key in call.sources]
        if call.name in kernels:
            forward, w, b = kernels[call.name]
            y = forward(a[0], w) + b
            if back:
                returning = forward(a[0], back[call.name])
                y = returning + tf.stop_gradient(y - returning)
            relu = call.layer.activation is activations.relu
            seen[call.name] = a[0], y, relu
            values[call.target] = tf.nn.relu(y) if relu else y
        elif isinstance(call.layer, layers.Dropout):
            values[call.target] = a[0]
        else:
            values[call.target] = call.layer.call(a if len(a) > 1 else a[0])
    return values, seen


def _chunk(values):
    """How many samples to take at once."""
    return max(1, ROOM // sum(value.shape[1:].num_elements() for value in values.values()))
