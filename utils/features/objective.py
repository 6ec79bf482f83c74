"""A part of a network, and how strongly an input excites it: for `utils.features`.

The network is copied, and its present weights are read at every call. Units and channels are read
before their layer's activation function: below zero a ReLU has no slope to climb, and a softmax
rises when the other classes fall (Olah et al. 2017).
"""

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.keras import activations, layers

from utils.keras_graph import linear, validation
from utils.keras_graph.cache import ModelCache
from utils.keras_graph.calls import activation_of, title
from utils.plain import plain

ROOM = 2**22  # numbers in all layer outputs of one chunk: tens of megabytes

_PASSING = layers.Activation, layers.ReLU, layers.Softmax
_kept = ModelCache(8)


class Machine:
    """A copy of a network up to one layer.

    In graph mode it lives in a graph and session of its own. In eager mode it must not: Keras
    changes its classes when a model is built in a plain graph.
    """

    def __init__(self, model, layer, shape, whole, odds):
        def copied(other):
            config = other.get_config()
            if other is layer and type(other) in linear.KINDS and not whole:
                config |= {"activation": "linear"} if "activation" in config else {}
            return type(other).from_config(config)

        self.graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=self.graph)
        with self.inside():
            copy = tf.keras.models.clone_model(model, layers.Input(shape), copied)
            outputs = tf.nest.flatten([one.get_output_at(0) for one in copy.layers])
            self.chunk = max(1, ROOM // sum(y.shape[1:].num_elements() for y in outputs))
            same, passes = copy.get_layer(layer.name), not whole and type(layer) in _PASSING
            z = same.get_input_at(0) if passes else same.get_output_at(0)
            self.copy, self.network = copy, tf.keras.Model(copy.inputs, z)
            self.shape = tuple(z.shape[1:])
            self.whole, self.odds = (
                whole,
                odds and activation_of(layer) is activations.softmax,
            )
            self.x = None
            if tf.executing_eagerly():
                self.compute = tf.function(self.compute, reduce_retracing=True)
            else:
                self.x = tf.compat.v1.placeholder(tf.float32, (None, *shape))
                self.chosen = tf.compat.v1.placeholder(tf.bool, self.shape)
                self.results = {slope: self.compute(self.x, self.chosen, slope) for slope in (0, 1)}

    @contextmanager
    def inside(self):
        """Where the copy lives."""
        if tf.executing_eagerly():
            yield
        else:
            with self.graph.as_default(), self.session.as_default():
                yield

    def compute(self, x, chosen, slope):
        """Excitation by each sample and, if asked for, its slope along each input, as tensors."""
        z = self.network(x, training=False)
        if self.odds:
            itself = np.where(np.eye(z.shape[-1]), -np.inf, 0)
            z -= tf.reduce_logsumexp(z[..., None, :] + itself, -1)
        every = list(range(1, z.shape.rank))
        strongest = tf.reduce_max(tf.where(chosen, z, -np.inf), every)
        value = tf.reduce_mean(z**2, every) if self.whole else strongest
        return [value, *tf.gradients(value, x)] if slope else [value]

    def load(self, weights):
        """Take over a network's weights."""
        with self.inside():
            self.copy.set_weights(weights)

    def run(self, x, chosen, slope):
        """What `compute` gives, as arrays."""
        if self.x is None:
            return [t.numpy() for t in self.compute(tf.constant(x, tf.float32), chosen, slope)]
        return self.session.run(self.results[slope], {self.x: x, self.chosen: chosen})


class Part(NamedTuple):
    """A machine and what is asked of it: a mask of the unit, or of all places of a channel."""

    machine: Machine
    chosen: np.ndarray

    def run(self, x, slope=True):
        """Excitation by each sample, and its slope along each input."""
        results = self.machine.run(x, self.chosen, slope)
        if not all(np.isfinite(result).all() for result in results):
            raise ValueError("The excitation is NaN or infinite: check the network's weights.")
        return results if slope else results[0]


def find(model, layer, unit, shape, odds=False):
    """The part of the network that is asked for, with the network's present weights."""
    known = [one.name for one in model.layers if type(one) is not layers.InputLayer]
    if layer is not None:
        validation.check_layer(layer, known)
    asked = model.get_layer(layer) if layer else model.outputs[0]._keras_history.layer
    output = asked.get_output_at(0)
    if isinstance(output, list):
        raise NotImplementedError(f"The {title(asked)} has several outputs: choose another.")
    whole = unit is None and output.shape[1:].num_elements() != 1
    if whole and odds:
        raise ValueError("The network has several outputs: say which by unit=0 or the like.")
    try:
        machine = _kept.fetch(
            model,
            (asked.name, shape, whole, odds, activation_of(asked)),
            lambda: Machine(model, asked, shape, whole, odds),
        )
    except (NotImplementedError, TypeError) as error:
        raise NotImplementedError(
            f"Keras cannot copy the network ({plain(error, 200)}): build it from Keras' own layers."
        ) from error
    chosen = np.zeros(machine.shape, bool)
    numbers = unit if isinstance(unit, tuple) else (0 if unit is None else unit,)
    if not numbers or any(
        isinstance(i, bool) or not isinstance(i, int | np.integer) for i in numbers
    ):
        raise TypeError(f"unit must be an int or a tuple (row, column, channel), not {unit!r}.")
    ends = machine.shape if isinstance(unit, tuple) else machine.shape[-1:]
    if len(numbers) != len(ends) or any(not 0 <= i < n for i, n in zip(numbers, ends, strict=True)):
        raise ValueError(
            f"There is no unit {unit!r} in the {title(asked)}: its output "
            f"has the shape {machine.shape}; count from 0."
        )
    chosen[numbers if isinstance(unit, tuple) else (..., *numbers)] = True
    machine.load(model.get_weights())
    return Part(machine, chosen)


# ---- what it is given -------------------------------------------------------------------------


def check_number(name, number, least):
    if not (np.isscalar(number) and np.isreal(number) and least <= number < np.inf):
        least = " from 0 on" if least == 0 else ""
        raise ValueError(f"{name} must be a number{least}, not {number!r}.")


def check_limits(limits):
    try:
        low, high = (float(limit) for limit in limits)
    except (TypeError, ValueError):
        low, high = 0, 0
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"limits must be two numbers, the lower first, not {limits!r}.")
    return low, high


def check_sample(sample, shape, low, high):
    """One sample as an array, which must lie inside the limits."""
    x = np.ma.asarray(sample)
    if x.ndim != len(shape) - 1:
        raise ValueError(f"One sample of the shape {shape[1:]} is wanted, not {x.shape}.")
    x = validation.check_samples(x[None], shape)[0]
    if x.min() < low or x.max() > high:
        raise ValueError(
            f"The sample goes from {x.min():.4g} to {x.max():.4g}, beyond the limits {low:g} and "
            f"{high:g}: give the range of the data."
        )
    return np.float64(x)
