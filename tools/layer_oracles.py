"""What is right, by definition: slopes of `predict`, matrices by unit vectors, pushed pixels.

A network is asked as a black box in double precision. Nothing here is shared with `utils`.
"""

import contextlib

import lrp_recurrent_by_hand as by_hand
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers as L
from tf_keras.src import backend

# TensorFlow has these in single precision alone; one that fails spoils its whole graph.
SINGLE = ("AveragePooling3D",)


@contextlib.contextmanager
def forecast():
    """What is built inside computes as in a forecast: Keras would have augmentation stay on."""
    with backend.deprecated_internal_learning_phase_scope(0):
        backend._DUMMY_EAGER_GRAPH.learning_phase_is_set = True
        yield


@contextlib.contextmanager
def double():
    """What is built inside computes in double precision."""
    keras.backend.set_floatx("float64")
    try:
        yield
    finally:
        keras.backend.set_floatx("float32")


def network(case, end=True, twin=False):
    """The case's layer in a network: what it gives, flattened into a dense layer of two outputs."""
    x = keras.Input(case.shape)
    y = (case.twin if twin and case.twin else case.build)(L, x)
    if end:
        if case.layer in ("RandomHeight", "RandomWidth"):  # of unknown size, but in a forecast
            y = L.GlobalAveragePooling2D(name="mean_of_tried")(y)
        y = L.Flatten(name="flat")(y) if y.shape.rank > 2 else y
        y = L.Dense(2, name="end")(y)
    return keras.Model(x, y)


def both(case, rng, end=True):
    """The network and its twin in double precision, with the same random weights."""
    model = network(case, end)
    try:
        with double() if case.layer not in SINGLE else contextlib.nullcontext(), forecast():
            twin = network(case, end, twin=True)
            twin.predict(np.zeros((1, *case.shape)), verbose=0)
    except (TypeError, tf.errors.InvalidArgumentError):  # TensorFlow has it in single precision
        with forecast():
            twin = network(case, end, twin=True)
    weights = []
    for w, known in zip(model.weights, model.get_weights(), strict=True):
        if known.dtype.kind != "f":
            weights.append(known)  # a state of random numbers, or a count
        elif "variance" in w.name:
            weights.append(rng.uniform(0.5, 2, known.shape).astype("float32"))
        else:
            weights.append(rng.normal(0, 0.7, known.shape).astype("float32"))
    model.set_weights(weights)
    twin.set_weights([w for w in weights if w.dtype.kind == "f"] if case.twin else weights)
    return model, twin


def samples(case, rng, n=2):
    shape = (n, *case.shape)
    return rng.integers(0, 5, shape) if case.whole else rng.normal(0, 1, shape)


def predict(model, x):
    return np.asarray(model.predict(x, verbose=0, batch_size=4096), float)


# ---- slopes -------------------------------------------------------------------------------------


def slopes(twin, x):
    """Central differences of every output by every input, (sample, input, output)."""
    found, step = [], 1e-5 if twin.output.dtype == tf.float64 else 1e-2
    if any(hasattr(one, "interpolation") or "Crop" in type(one).__name__ for one in twin.layers):
        step = 0.5  # which is linear, and in single precision whatever one asks for
    for one in x:
        steps = step * np.eye(one.size).reshape(-1, *one.shape)
        ends = [predict(twin, one + sign * steps).reshape(one.size, -1) for sign in (1, -1)]
        found.append((ends[0] - ends[1]) / (2 * step))
    return np.array(found)


# ---- relevance ----------------------------------------------------------------------------------


# Layers that multiply what they have made of the input twice, and have a derivation of their own.
BY_HAND = (*by_hand.CELLS, "RNN", "Bidirectional", "TimeDistributed", "MultiHeadAttention")
BY_HAND += "LayerNormalization", "GroupNormalization", "UnitNormalization"
PAIRS = {"z": ("z", {}), "epsilon": ("epsilon", {}), "alpha": ("alpha_beta", {"alpha": 1})}


class Unknown(Exception):
    """No published rule is meant for this layer."""


def relevance(twin, x, rule, output, limits=None):
    """Relevance of one sample's input by the papers' formulas, layer by layer.

    `limits` are the lowest and highest input for "deep_taylor.bounded". What guided_backprop and
    deconvnet send back is no relevance, but goes the same way.
    """
    nodes = [n for _, some in sorted(twin._nodes_by_depth.items(), reverse=True) for n in some]
    nodes = [node for node in nodes if not node.is_input]
    tensors = [node.outputs for node in nodes]
    get = keras.backend.function(twin.inputs, tensors)
    values = {
        id(tensor): v[0].astype(float) for tensor, v in zip(tensors, get([x[None]]), strict=True)
    }
    values[id(twin.inputs[0])] = x
    raw = {id(twin.inputs[0]): limits}  # the input, at most rearranged, and its limits
    for node, tensor in zip(nodes, tensors, strict=True):
        sources = list({id(one) for one in node.keras_inputs})
        y = values[id(tensor)]
        if len(sources) == 1 and sources[0] in raw and same_values(values[sources[0]], y):
            a, below = values[sources[0]].ravel(), raw[sources[0]]
            order = np.argsort(a)[np.argsort(np.argsort(y.ravel()))]
            raw[id(tensor)] = below and [np.ravel(one)[order].reshape(y.shape) for one in below]
    last = id(twin.outputs[0])
    R = {last: np.where(np.arange(values[last].size) == output, values[last].ravel(), 0)}
    if rule.startswith("deep_taylor"):  # which explains what is positive
        R[last] = np.maximum(R[last], 0)
    for node in reversed(nodes):
        sources = [id(tensor) for tensor in node.keras_inputs]
        a = [values[key] for key in sources]
        first = raw.keys() >= set(sources)
        here = of_layer(rule, node.layer, first)
        ends = raw[sources[0]] if here == "z box" else None
        below = step(node.layer, node.call_kwargs, a, R[id(node.outputs)], here, ends)
        for key, part, value in zip(sources, split(below, a), a, strict=True):
            R[key] = R.get(key, 0) + part.reshape(value.size)
    return R[id(twin.inputs[0])].reshape(x.shape)


def same_values(a, b):
    return a.size == b.size and np.array_equal(np.sort(a, None), np.sort(b, None))


def of_layer(rule, layer, first):
    """The rule of a layer by a method's name: those of deep Taylor, and iNNvestigate's presets."""
    kernel = any("kernel" in w.name for w in layer.weights)
    if rule.startswith("deep_taylor"):  # Montavon et al. 2017, table 1
        if not kernel:
            return "share"
        return "z box" if first and rule == "deep_taylor.bounded" else "z plus"
    if "preset" in rule:  # Alber et al. 2019
        if not kernel:
            return "z"
        if first and rule.endswith("flat"):
            return "flat"
        if isinstance(layer, L.Dense | L.EinsumDense):
            return "epsilon 0.1"
        return "alpha" if "preset_a" in rule else "alpha 2"
    return rule


def split(flat, like):
    return np.split(flat, np.cumsum([one.size for one in like])[:-1])


def asker(layer, a):
    """The layer as a function of all its inputs in one row, (n, input) to (n, output)."""
    ins = [keras.Input(one.shape, dtype=layer.compute_dtype) for one in a]
    with forecast():
        model = keras.Model(ins, layer(ins if len(ins) > 1 else ins[0]))

    def ask(rows):  # rows of values
        parts = [split(row, a) for row in rows]
        arrays = [np.stack([p[i].reshape(one.shape) for p in parts]) for i, one in enumerate(a)]
        return predict(model, arrays).reshape(len(rows), -1)

    return ask


def step(layer, options, a, R, rule, limits=None):
    """From the relevance of a layer's output to that of its inputs, all in one row."""
    if options.get("training"):
        raise Unknown("always in training")
    if type(layer).__name__ in BY_HAND:
        y, back = by_hand.through(layer, a, lambda _: PAIRS[rule], options)
        below, _ = back(R.reshape(y.shape))
        return np.concatenate([one.ravel() for one in below])
    if isinstance(layer, L.Embedding):  # a number stands for all values of its vector
        if rule in MESSAGES:
            raise Unknown("no slope")
        return R.reshape(a[0].size, -1).sum(1)
    activation = getattr(layer, "activation", None)
    weighted = any(w.dtype.is_floating for w in layer.weights)  # and no state of random numbers
    post = activation is not None and not isinstance(layer, L.Activation)
    if post:
        layer.activation = keras.activations.linear
    try:
        ask, flat = asker(layer, a), np.concatenate([one.ravel() for one in a])
        if rule in MESSAGES:
            return message(ask, flat, layer, activation, R, rule)
        if rule in ("share", "z plus", "z box"):
            only_relu(layer, activation)
        shift = ask(np.zeros((1, flat.size)))[0]
        rng = np.random.default_rng(1)
        one, other = rng.normal(0, 1, (2, flat.size))
        parts = ask(np.stack([one, other, one + other, 2.5 * one]))
        size = 1 + abs(parts).max()
        noise = size * (1e-6 if layer.compute_dtype == "float64" else 1e-4)
        straight = abs(parts[2] - parts[0] - parts[1] + shift).max() < noise
        straight &= abs(parts[3] - 2.5 * parts[0] + 1.5 * shift).max() < noise
        if straight:
            W = ask(np.eye(flat.size)) - shift
            if rule == "share":  # one input for each output has all of its relevance
                if W.shape[0] == W.shape[1] and not W[~np.eye(len(W), dtype=bool)].any():
                    return R
                if (W < 0).any():
                    raise Unknown("deep Taylor adds up what is positive")
            if rule == "flat":
                W = linked(layer, ask, flat.size)
            low_high = limits and [one.ravel()[:, None] for one in limits]
            return by_rule(flat, W, shift, R, rule if weighted or shift.any() else "z", low_high)
        here = ask(flat[None])[0]
        if here.size == flat.size and element_wise(ask, flat, here):
            return R
        winner = chosen(ask, flat, here)
        below = np.zeros(flat.size)
        np.add.at(below, winner, R)
        return below
    finally:
        if post:
            layer.activation = activation


MESSAGES = "guided_backprop", "deconvnet"


def only_relu(layer, activation):
    """Tell whether a layer has a ReLU; refuse any other activation, for which these are not."""
    relu = activation is keras.activations.relu
    if isinstance(layer, L.ReLU):
        relu = layer.max_value is None and not (layer.negative_slope or layer.threshold)
    rest = activation not in (None, keras.activations.linear) or isinstance(
        layer, L.ReLU | L.LeakyReLU | L.PReLU | L.ELU | L.ThresholdedReLU | L.Softmax | L.RNN
    )
    if rest and not relu:
        raise Unknown("no activation but ReLU")
    return relu


def message(ask, flat, layer, activation, R, method):
    """A gradient, but for ReLUs, which stop what is negative (Springenberg et al. 2015, fig. 1)."""
    step = 1e-5 if layer.compute_dtype == "float64" else 1e-2
    if hasattr(layer, "interpolation") or "Crop" in type(layer).__name__:
        step = 0.5  # in single precision whatever one asks for
    relu = only_relu(layer, activation)
    z = flat if activation is None or isinstance(layer, L.Activation) else ask(flat[None])[0]
    if relu:
        R = R * (R > 0) * ((z > 0) if method == "guided_backprop" else 1)
        if z is flat:
            return R
    ends = [ask(flat + sign * step * np.eye(flat.size)) for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step) @ R


def linked(layer, ask, n):
    """Which inputs a layer joins to which outputs: those that move if all of its weights are 1."""
    weights = layer.get_weights()
    layer.set_weights([np.ones_like(w) for w in weights])
    try:
        return (abs(ask(np.eye(n)) - ask(np.zeros((1, n)))) > 0.5).astype(float)
    finally:
        layer.set_weights(weights)


def by_rule(a, W, b, R, rule, limits=None):
    """R_i = sum_j z_ij / z_j R_j.

    Bach et al. 2015, eq. 56, 58 and 60; Montavon et al. 2017 for z plus and z box, which leave
    biases out, and take inputs from zero on, or between their limits; Alber et al. 2019 for flat.
    """
    z = a[:, None] * W
    if rule == "alpha 2":
        return 2 * by_rule(a, W, b, R, "alpha") + by_rule(a, -W, -b, -R, "alpha")
    if rule in ("alpha", "z plus"):
        z, b = np.maximum(z, 0), np.maximum(b, 0)
    if rule == "z box":
        z = z - limits[0] * np.maximum(W, 0) - limits[1] * np.minimum(W, 0)
    if rule == "flat":
        z = W
    total = z.sum(0) + (0 if rule in ("z plus", "z box", "flat", "share") else b)
    if rule.startswith("epsilon"):
        epsilon = float(rule.partition(" ")[2] or 1e-7)
        total = total + np.where(total >= 0, epsilon, -epsilon)
    return z @ np.divide(R, total, out=np.zeros_like(total), where=total != 0)


def element_wise(ask, flat, here):
    """Does each input move the output at its own place, and no other?"""
    for push in (-1.7, 0.9):
        moved = abs(ask(flat + push * np.eye(flat.size)) - here) > 1e-9
        if (moved & ~np.eye(flat.size, dtype=bool)).any():
            return False
    return True


def chosen(ask, flat, here):
    """Which input each output hands on unchanged: that of a max-pooling or a Maximum."""
    step = 2.0**-8  # in which single precision, too, has digits left
    slope = (ask(flat + step * np.eye(flat.size)) - here) / step
    if not np.allclose(slope.sum(0), 1, atol=1e-3) or not np.allclose(slope.max(0), 1, atol=1e-3):
        raise Unknown
    if not np.allclose(flat[slope.argmax(0)], here, atol=1e-6):
        raise Unknown
    return slope.argmax(0)


# ---- fields -------------------------------------------------------------------------------------


def field(twin, pixel, shape, rng, draws=3):
    """Which pixels of the input move a pixel of the output map when they are pushed."""
    seen = np.zeros(shape[:2], bool)
    for _ in range(draws):
        x = rng.normal(0, 1, shape)
        pushed = np.repeat(x[None], seen.size * 2, 0)
        for i, (row, column) in enumerate(np.ndindex(*seen.shape)):
            for k, push in enumerate((-3.3, 2.9)):
                # Not all channels alike, which a softmax over them would not see.
                pushed[2 * i + k, row, column] += push * rng.uniform(0.5, 1.5, shape[2])
        here = predict(twin, x[None])[0][pixel]
        moved = abs(predict(twin, pushed)[(slice(None), *pixel)] - here).max(-1) > 1e-6
        seen |= moved.reshape(-1, 2).any(1).reshape(seen.shape)
    return seen
