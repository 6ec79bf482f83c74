"""iNNvestigate's analyzers, each in a graph and session of its own.

In one shared graph every new analyzer would take longer to make than the one before, and none
would ever be let go. Here each works on a copy of the network; only the latest few are kept.
"""

import warnings
from contextlib import contextmanager

import innvestigate
import numpy as np
import tensorflow as tf
from tensorflow.keras import backend, layers

from utils.explain import copied, rules
from utils.keras_graph import flops, machine
from utils.plain import plain


class Analyzer(machine.Machine):
    """One method for one network, in a graph and session of its own."""

    def __init__(self, model, method, options, shape):
        super().__init__()
        with self.inside():
            backend.set_learning_phase(0)  # dropout off
            x, output, self.copies = copied.copy(model, shape, rules.RULE in rules.needs(method))
            output = copied.without_head(output)
            self.output_shape = tuple(output.shape[1:])
            if output.shape.rank != 2:
                output = layers.Flatten(name=copied.PREFIX)(output)
            self.flat = tf.keras.Model(x, output)
            rules.check(self.flat, method)
            make = _Gradient if rules.GRADIENT in rules.needs(method) else _by_innvestigate
            self.innvestigate = make(self.flat, method, self.session, **options)
            # iNNvestigate copies batch normalisation into variables, which are computed anew.
            self.anew = [
                variable.initializer
                for variable in self.graph.get_collection("variables")
                if variable.name.startswith("scale_layer")
            ]
            outputs = tf.nest.flatten([layer.get_output_at(0) for layer in self.flat.layers])
            # iNNvestigate needs twice the memory of others.
            self.chunk = machine.fitting(outputs, machine.ROOM // 2)

    @contextmanager
    def inside(self):
        """Work in this machine, without the library's warnings about itself."""
        with warnings.catch_warnings(), super().inside():
            warnings.simplefilter("ignore")
            yield

    @contextmanager
    def ready(self):
        """Take over the model's present weights; then `outputs` and `analyze` can be called."""
        old = [weight for layer, _ in self.copies for weight in layer.weights]
        new, values = [], iter(backend.batch_get_value(old))
        with self.inside():
            for layer, copy in self.copies:
                weights = [next(values) for _ in layer.weights]
                new += zip(copy.weights, copied.weights(layer, copy, weights), strict=True)
            backend.batch_set_value(new)  # in one run
            self.session.run(self.anew)
            yield

    def outputs(self, x):
        """All outputs of each sample, by their flat index."""
        with _translated(self.flat):
            return self.flat.predict_on_batch(x)

    def analyze(self, x, index):
        """Heat maps of the outputs with these flat indices, one for each sample."""
        with _translated(self.flat):
            return self.innvestigate.analyze(x, neuron_selection=index)

    def passes(self):
        """Arithmetic of one heat map, in forward passes through the network."""
        heat_map = self.innvestigate._analyzer_model
        return flops.passes(self.graph, heat_map.inputs, heat_map.outputs[0], self.flat.outputs[0])


def get(model, method, options, shape):
    """The analyzer of this method for this model and for samples of this shape, kept or new.

    It is refused by a NotImplementedError that names what iNNvestigate cannot do with this network,
    or a ValueError if it refuses the options.
    """
    # As lists: the repr of a large array leaves most of it out.
    chosen = repr([(name, np.asarray(options[name]).tolist()) for name in sorted(options)])
    key = "iNNvestigate", method, chosen, shape
    return machine.fetch(model, key, lambda: Analyzer(model, method, options, shape))


def _by_innvestigate(flat, method, session, bias=None, **options):
    # It already reads the weights of batch normalisation when it is made.
    session.run(tf.compat.v1.global_variables_initializer())
    if bias is not None and method in ("lrp.alpha_beta", "lrp.epsilon"):
        options["bias"] = bool(bias)
    numbers = {name: float(options[name]) for name in {"alpha", "beta", "epsilon"} & {*options}}
    options = options | numbers
    try:
        analyzer = innvestigate.create_analyzer(
            method,
            flat,
            neuron_selection_mode="index",
            disable_model_checks=True,  # rules.check knows better
            **options,
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"{method} refuses the options {options}: {plain(error, 200)}.") from error
    rules.mend(analyzer, method, whole=bias == "whole")
    with _translated(flat):
        analyzer.create_analyzer_model()
    return analyzer


class _Gradient:
    """What iNNvestigate's gradient gives, but in one step, which also goes through loops."""

    def __init__(self, flat, method, session, postprocess=None):
        x, index = flat.inputs[0], tf.compat.v1.placeholder(tf.int64, (None,))
        gradient = _slope(tf.gather(flat.outputs[0], index, batch_dims=1), x)
        if gradient is None:
            ends = ((one, one.get_output_at(0), one.get_input_at(0)) for one in flat.layers[1:])
            wall = next((one for one, *ends in ends if _slope(*ends) is None), flat.layers[-1])
            raise NotImplementedError(
                f"{method} cannot handle the {rules.name(wall)}: it has no gradient, so do what it "
                "does to the samples before they go into the network."
            )
        if method == "input_t_gradient":
            gradient = x * gradient
        change = {None: tf.identity, "abs": tf.abs, "square": tf.square}[postprocess]
        self.inputs, self.outputs, self.session = [x, index], [change(gradient)], session
        # Not earlier: once something has run, TensorFlow can give no loop a gradient.
        session.run(tf.compat.v1.global_variables_initializer())

    @property
    def _analyzer_model(self):
        return self

    def analyze(self, x, neuron_selection):
        fed = dict(zip(self.inputs, (x, neuron_selection), strict=True))
        return self.session.run(self.outputs[0], fed)


def _slope(y, x):
    try:
        return tf.gradients(y, x)[0]
    except (LookupError, TypeError):
        return None


@contextmanager
def _translated(model):
    """Say in one sentence that it failed, and on which layers most likely."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError("Too little memory for this chunk: pass a smaller batch_size.") from error
    except Exception as error:
        tables = [one for one in model.layers if isinstance(one, layers.Embedding)]
        if tables and isinstance(error, tf.errors.InvalidArgumentError):
            raise ValueError(
                f"x holds a number that the {rules.name(tables[0])} does not know: it takes whole "
                f"numbers from 0 to {tables[0].input_dim - 1}."
            ) from error
        rare = [rules.name(one) for one in model.layers[1:] if type(one) not in rules.USUAL]
        hint = f"try it without the {', the '.join(rare)}" if rare else "try lrp.relevance"
        raise NotImplementedError(
            f"iNNvestigate fails on this network ({type(error).__name__}): {hint}."
        ) from error
