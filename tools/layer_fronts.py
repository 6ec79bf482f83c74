"""Every front door of the course tried on one layer: right, refused in a sentence, or wrong."""

import warnings

import layer_oracles as oracles
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers as L

from utils import features, lrp, receptive_field
from utils.explain import explain, one_pixel

RIGHT, REFUSED, NONE = "right", "refused", ""


def judge(front, case):
    """RIGHT, REFUSED, NONE where the front is not for such a network, or what is wrong."""
    graph, session = tf.Graph().as_default(), tf.compat.v1.Session
    with graph, session().as_default(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.utils.set_random_seed(1)
        try:
            verdict = FRONTS[front](case, np.random.default_rng(0))
        except (NotImplementedError, TypeError, ValueError) as error:
            said = str(error)
            fine = "tried" in said and said.endswith(".") and "\n" not in said and len(said) < 400
            return REFUSED if fine else f"says: {type(error).__name__}: {said[:150]}"
        except Exception as error:
            return f"raises: {type(error).__name__}: {str(error)[:150]}"
    return verdict


def compare(found, wanted, tolerance):
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    if found.shape != wanted.shape:
        return f"wrong: the shape is {found.shape}, not {wanted.shape}"
    error = abs(found - wanted).max() / max(abs(wanted).max(), 1e-6)
    return RIGHT if error <= tolerance else f"wrong: off by {error:.2g} of the largest value"


def gradient(case, rng):
    model, twin = oracles.both(case, rng)
    x = oracles.samples(case, rng)
    found = explain(model, x, "gradient", output=1)
    if case.whole:
        return "wrong: whole numbers have no gradient"
    return compare(found, oracles.slopes(twin, x)[..., 1].reshape(x.shape), 2e-3)


def rule(compute, name):
    def front(case, rng):
        model, twin = oracles.both(case, rng)
        x = oracles.samples(case, rng)
        found = compute(model, x)
        try:
            wanted = [oracles.relevance(twin, one, name, 1) for one in x.astype(float)]
        except oracles.Unknown:
            return "wrong: a number where no rule is meant for the layer"
        return compare(found, wanted, 2e-3)

    return front


def by_toolbox(method):
    return lambda model, x: explain(model, x, method, output=1)


def toolbox(method):
    """A method of iNNvestigate's for networks with ReLU, at an output that is positive."""

    def front(case, rng):
        model, twin = oracles.both(case, rng)
        for network in (model, twin):
            kernel, bias = network.get_layer("end").get_weights()
            network.get_layer("end").set_weights([kernel, bias + 9])
        x, limits, options = oracles.samples(case, rng), None, {}
        if method.endswith("bounded"):
            limits = [at + rng.uniform(0, 1, case.shape) for at in (-6, 5)]
            options = {"low": limits[0], "high": limits[1]}
        found = explain(model, x, method, output=1, **options)
        try:
            wanted = [oracles.relevance(twin, one, method, 1, limits) for one in x.astype(float)]
        except oracles.Unknown as error:
            return f"wrong: a number where the method is not meant for the layer ({error})"
        return compare(found, wanted, 2e-3)

    return front


def own(name):
    return lambda model, x: lrp.relevance(model, x, name, 1).input


def _of_maps(front):
    """The front for networks from pictures to pictures; for any other there is no question."""

    def judged(case, rng):
        if len(case.shape) != 3:
            return NONE
        model, twin = oracles.both(case, rng, end=False)
        return front(case, rng, model, twin) if len(model.output_shape) == 4 else NONE

    return judged


def _seen(twin, pixel, case, rng):
    """The first and end of the rows and of the columns that move a pixel; twice 0 for none."""
    field = oracles.field(twin, pixel, case.shape, rng)
    places = [np.flatnonzero(field.any(axis)) for axis in (1, 0)]
    return [(some[0], some[-1] + 1) if len(some) else (0, 0) for some in places]


@_of_maps
def box(case, rng, model, twin):
    for pixel in ((0, 0), tuple(n // 2 for n in twin.output_shape[1:3])):
        found = receptive_field.box(model, None, pixel)
        for cut, ends in zip(
            (found.rows, found.columns), _seen(twin, pixel, case, rng), strict=True
        ):
            if (cut.start, cut.stop) != ends:
                return f"wrong: {cut.start} to {cut.stop}, not {ends[0]} to {ends[1]}, at {pixel}"
    return RIGHT


@_of_maps
def trace(case, rng, model, twin):
    row = receptive_field.trace(model).iloc[-1]
    pixel = tuple(n // 2 for n in twin.output_shape[1:3])
    ends = _seen(twin, pixel, case, rng)
    for (first, end), length, name in zip(ends, case.shape, ("size_y", "size_x"), strict=False):
        width = end - first
        inside = width == 0 or (first > 0 and end < length)
        if width > row[name] or (inside and row[name] - width > 1):
            return f"wrong: {name} is {row[name]:g}, and {width} are seen"
    return RIGHT


@_of_maps
def effective(case, rng, model, twin):
    pixel = tuple(n // 2 for n in twin.output_shape[1:3])
    x = oracles.samples(case, rng)
    found = receptive_field.effective(model, None, x, pixel)
    twin = before_activation(twin)
    slope = oracles.slopes(twin, x).reshape(*x.shape, *twin.output_shape[1:])
    slope = slope[(slice(None),) * 4 + pixel].sum(-1)
    return compare(found, np.sqrt((slope**2).mean((0, 3))), 2e-3)


def before_activation(twin):
    """The network up to its last layer, without that layer's activation."""
    last = twin.get_layer("tried")
    passing = L.Activation, L.ReLU, L.LeakyReLU, L.PReLU, L.ELU, L.ThresholdedReLU, L.Softmax
    below = last.get_input_at(twin.outputs[0]._keras_history.node_index)
    if isinstance(last, passing):
        return keras.Model(twin.inputs, keras.layers.Identity(dtype="float64")(below))
    if getattr(last, "activation", None) is None or "RNN" in type(last).__name__:
        return twin
    if isinstance(last, L.RNN | L.ConvLSTM1D | L.ConvLSTM2D | L.ConvLSTM3D):
        return twin
    last.activation = keras.activations.linear
    with oracles.double():
        return keras.Model(twin.inputs, last(below))


def excitation(case, rng):
    model, twin = oracles.both(case, rng, end=False)
    x = oracles.samples(case, rng)
    shape = twin.output_shape[1:]
    unit = tuple(n // 2 for n in shape) if len(shape) > 1 else shape[0] // 2
    found = features.excitation(model, x, None, unit)
    wanted = oracles.predict(before_activation(twin), x)
    return compare(found, wanted[(slice(None), *np.atleast_1d(unit))], 2e-3)


@_of_maps
def pixel(case, rng, model, twin):
    x = oracles.samples(case, rng)
    at = tuple(n // 2 for n in twin.output_shape[1:])
    found = one_pixel.relevance(model, x, at, "epsilon").input
    return compare(found, lrp.relevance(model, x, "epsilon", at).input, 1e-4)


FRONTS = {
    "explain, gradient": gradient,
    "explain, lrp.z": rule(by_toolbox("lrp.z"), "z"),
    "explain, lrp.epsilon": rule(by_toolbox("lrp.epsilon"), "epsilon"),
    "explain, lrp.alpha_1_beta_0": rule(by_toolbox("lrp.alpha_1_beta_0"), "alpha"),
    "explain, guided_backprop": toolbox("guided_backprop"),
    "explain, deconvnet": toolbox("deconvnet"),
    "explain, deep_taylor": toolbox("deep_taylor"),
    "explain, deep_taylor.bounded": toolbox("deep_taylor.bounded"),
    "explain, lrp.sequential_preset_a": toolbox("lrp.sequential_preset_a"),
    "explain, lrp.sequential_preset_b_flat": toolbox("lrp.sequential_preset_b_flat"),
    "lrp.relevance, z": rule(own("z"), "z"),
    "lrp.relevance, epsilon": rule(own("epsilon"), "epsilon"),
    "lrp.relevance, alpha_1_beta_0": rule(own("alpha_1_beta_0"), "alpha"),
    "trace": trace,
    "box": box,
    "effective": effective,
    "one_pixel": pixel,
    "excitation": excitation,
}
