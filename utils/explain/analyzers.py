"""iNNvestigate's analyzers, each in a graph and session of its own.

In one shared graph every new analyzer would take longer to make than the one before, and none
would ever be let go. Here each works on a copy of the network; only the latest few are kept.
"""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import innvestigate
import numpy as np
import tensorflow as tf
from innvestigate.backend import checks
from tensorflow.keras import activations, layers

from utils.keras_graph import flops, linear, machine

PREFIX = "explained_"  # iNNvestigate calls its own layers "add", "multiply", ...: avoid a clash


@dataclass
class Analyzer:
    """One method for one network, and what it lives in."""

    machine: machine.Machine
    session: tf.compat.v1.Session  # the machine's, closed when the analyzer is dropped
    network: tf.keras.Model  # a copy of the model
    flat: tf.keras.Model  # the same without softmax or sigmoid, its output flattened
    innvestigate: object
    output_shape: tuple  # of one sample

    @property
    def chunk(self):
        """How many samples to analyze at once: iNNvestigate needs twice the memory of others."""
        outputs = tf.nest.flatten([layer.get_output_at(0) for layer in self.flat.layers])
        return machine.fitting(outputs, machine.ROOM // 2)

    @contextmanager
    def ready(self, model):
        """Take over the model's present weights; then `strongest` and `analyze` can be called."""
        weights, new = linear.weights_of(model), []
        with _inside(self.machine):
            for layer in model.layers:
                if layer.weights:
                    copy = self.network.get_layer(PREFIX + layer.name)
                    new += zip(copy.weights, _weights(layer, weights[layer.name]), strict=True)
            tf.keras.backend.batch_set_value(new)  # in one run
            # iNNvestigate copies batch normalisation into variables: compute these anew.
            for variable in self.machine.graph.get_collection("variables"):
                if variable.name.startswith("scale_layer"):
                    self.session.run(variable.initializer)
            yield

    def strongest(self, x):
        """Flat index of each sample's largest output."""
        return self.flat.predict_on_batch(x).argmax(axis=1)

    def analyze(self, x, index):
        """Heat maps of the outputs with these flat indices, one for each sample."""
        with _translated(self.flat):
            return self.innvestigate.analyze(x, neuron_selection=index)

    def passes(self):
        """Arithmetic of one heat map, in forward passes through the network."""
        heat_map = self.innvestigate._analyzer_model
        output = self.flat.outputs[0]
        return flops.passes(self.machine.graph, heat_map.inputs, heat_map.outputs[0], output)


def get(model, method, options, shape):
    """The analyzer of this method for this model and for samples of this shape, kept or new.

    It is refused by a NotImplementedError that names what iNNvestigate cannot do with this network,
    or a ValueError if it refuses the options.
    """
    # As lists: the repr of a large array leaves most of it out.
    settings = repr([(name, np.asarray(options[name]).tolist()) for name in sorted(options)])
    key = "iNNvestigate", method, settings, shape
    return machine.fetch(model, key, lambda: _make(model, method, options, shape))


def _make(model, method, options, shape):
    own = machine.Machine()
    with _inside(own):
        tf.keras.backend.set_learning_phase(0)  # dropout off
        with _translated(model):
            network = tf.keras.models.clone_model(model, layers.Input(shape), _copy)
        # iNNvestigate already reads the weights of batch normalisation when it is made.
        own.session.run(tf.compat.v1.global_variables_initializer())
        output = _without_head(network.outputs[0])
        flat = layers.Flatten(name=PREFIX)(output) if output.shape.rank != 2 else output
        flat = tf.keras.Model(network.inputs, flat)
        for layer in flat.layers:
            _check_layer(layer, method)
        try:
            analyzer = innvestigate.create_analyzer(
                method, flat, neuron_selection_mode="index", **options
            )
        except (TypeError, ValueError) as error:
            raise ValueError(f"{method} refuses the options {options}: {error}.") from error
        with _translated(model):
            analyzer.create_analyzer_model()
    return Analyzer(own, own.session, network, flat, analyzer, tuple(output.shape[1:]))


@contextmanager
def _inside(own):
    """Work in this machine, without the library's warnings about itself."""
    with warnings.catch_warnings(), own.inside():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _translated(model):
    """Say in one sentence that iNNvestigate failed, and on which layers most likely."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError("Too little memory for this chunk: pass a smaller batch_size.") from error
    except Exception as error:
        rare = [_name(layer) for layer in model.layers if not checks.is_convnet_layer(layer)]
        hint = f"try it without {', '.join(rare)}" if rare else "try another method"
        raise NotImplementedError(
            f"iNNvestigate fails on this network ({type(error).__name__}): {hint}."
        ) from error


# ---- the copy it works on ---------------------------------------------------------------------


def _copy(layer):
    """A new layer like this one, with weights of its own."""
    config = layer.get_config() | {"name": PREFIX + layer.name}
    if isinstance(layer, layers.BatchNormalization):
        config |= {"center": True, "scale": True}  # as _weights gives them
    if isinstance(layer, layers.ReLU) and not (
        layer.max_value or layer.negative_slope or layer.threshold
    ):
        return layers.Activation("relu", name=config["name"])  # LRP has no rule for a ReLU layer
    return type(layer).from_config(config)


def _weights(layer, weights):
    """A layer's weights as its copy has them: batch normalisation with mean 0 and variance 1.

    iNNvestigate's LRP squares the variance and forgets to scale the mean, which is harmless for
    1 and 0.
    """
    if not isinstance(layer, layers.BatchNormalization):
        return weights
    slope, shift = linear.line(layer, weights)
    scale = slope * (1 + layer.epsilon) ** 0.5
    return [scale, shift, np.zeros_like(shift), np.ones_like(shift)]


def _without_head(output):
    """The tensor before a softmax or sigmoid at the end of the network."""
    layer, node, _ = output._keras_history
    heads = activations.softmax, activations.sigmoid
    if isinstance(layer, layers.Softmax):
        return layer.get_input_at(node)
    if getattr(layer, "activation", None) not in heads:
        return output
    if isinstance(layer, layers.Activation):
        return layer.get_input_at(node)
    layer.activation = activations.linear
    return layer(layer.get_input_at(node))


def _check_layer(layer, method):
    taylor_like = method.startswith(("lrp.", "deep_taylor"))
    relu_like = method.startswith(("deep_taylor", "deconvnet", "guided", "lrp.sequential"))
    if checks.contains_activation(layer, "softmax"):
        reason = "only a softmax at the very end can be taken off"
    elif isinstance(layer, layers.Lambda):
        reason = "what a Lambda computes is hidden, so write it with Keras layers"
    elif isinstance(layer, tf.keras.Model) and (taylor_like or relu_like):
        reason = "it is a model inside the model, so put its layers into one flat model"
    elif taylor_like and not checks.is_convnet_layer(layer):
        reason = "iNNvestigate has no rule for it, so try gradient or integrated_gradients"
    elif relu_like and not checks.only_relu_activation(layer):
        reason = "it knows no activation but ReLU, so try lrp.epsilon or gradient"
    else:
        return
    raise NotImplementedError(f"{method} cannot handle {_name(layer)}: {reason}.")


def _name(layer):
    return f"the layer {layer.name.removeprefix(PREFIX)!r} ({type(layer).__name__})"
