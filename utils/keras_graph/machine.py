"""Where a computation for a network runs: its graph and session, its weights, its chunks.

A `Machine` is made once and kept for the next call with the same network. It counts the network's
weights of the moment: they are fed at each run, or loaded into a copy of the network that lives in
the machine.
"""

import re
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from utils.keras_graph import validation
from utils.keras_graph.cache import ModelCache
from utils.plain import plain

ROOM = 2**22  # numbers in all layer outputs of one chunk: tens of megabytes

_kept = ModelCache(16)


def fetch(model, key, make):
    """What `make()` makes for a model and a key that begins with its kind: made now, or kept."""
    return _kept.fetch(model, key, make)


def fitting(outputs, room=None):
    """How many samples fit into memory at once, by all layer outputs of the network."""
    numbers = sum(output.shape[1:].num_elements() or 0 for output in outputs)
    return max(1, (room or ROOM) // numbers)


class Machine:
    """A graph and session, and the computation that was written down in them.

    In eager mode the computation is a `tf.function` instead: Keras changes its classes when a
    network is built in a plain graph there.
    """

    def __init__(self):
        self.graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=self.graph)

    @contextmanager
    def inside(self):
        """Where a Keras network that lives in the machine is made and used."""
        if tf.executing_eagerly():
            yield
        else:
            with self.graph.as_default(), self.session.as_default():
                yield

    def write(self, compute, samples, given=()):
        """Write down ``compute(*samples, *given)``, for lists of arrays or nests of arrays.

        It returns results, whose first axis counts the samples, and the outputs of all layers, by
        which samples are cut into chunks; the last is the network's. The arrays are like those of
        each run: those that have a value for each sample, and the others.
        """
        specs = [tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in samples]
        specs += tf.nest.map_structure(lambda a: tf.TensorSpec(a.shape, a.dtype), list(given))

        def written(only, *fed):
            results, outputs = compute(*fed)
            self.chunk, self.output_shape = fitting(outputs), tuple(outputs[-1].shape[1:])
            return results if only is None else results[only]

        if tf.executing_eagerly():
            function = tf.function(written, autograph=False, reduce_retracing=True)
            function.get_concrete_function(None, *specs)
            self.call = lambda only, *arrays: tf.nest.map_structure(
                np.asarray, function(only, *arrays)
            )
            return self
        with self.inside():
            fed = [tf.compat.v1.placeholder(s.dtype, s.shape) for s in tf.nest.flatten(specs)]
            results = written(None, *tf.nest.pack_sequence_as(specs, fed))
        self.call = lambda only, *arrays: self.session.run(
            results if only is None else results[only],
            dict(zip(fed, tf.nest.flatten(arrays), strict=True)),
        )
        return self

    def parts(self, samples, given=(), only=None, chunk=None):
        """For each chunk of the samples its slice, and the results, or the only one asked for."""
        for cut in validation.chunks(len(samples[0]), chunk or self.chunk):
            with _translated():
                part = self.call(only, *(array[cut] for array in samples), *given)
            yield cut, part

    def run(self, samples, given=(), only=None, chunk=None):
        """The results for all samples, or the only one asked for."""
        whole = None
        for cut, part in self.parts(samples, given, only, chunk):
            arrays = tf.nest.flatten(part)
            # Not a list of parts: it would hold on to memory between the chunks.
            whole = whole or [np.empty((len(samples[0]), *a.shape[1:]), a.dtype) for a in arrays]
            for array, new in zip(whole, arrays, strict=True):
                array[cut] = new
        return tf.nest.pack_sequence_as(part, whole)


@contextmanager
def _translated():
    """Say in one sentence what TensorFlow cannot do."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError("Too little memory for this chunk: pass fewer samples.") from error
    except tf.errors.OpError as error:
        found = re.search(r"(?:Op|node) '([^']+)'", error.message or "")
        what = plain(found[1]) if found else type(error).__name__
        raise NotImplementedError(
            f"TensorFlow cannot compute {what} for such numbers on this machine: try another dtype "
            "where there is a choice, or build the network without it."
        ) from error


def picked(y, index):
    """A network's output with zeros but at one flat index for each sample, the largest for -1."""
    outputs = tf.reshape(y, (-1, y.shape[1:].num_elements()))
    index = tf.where(index < 0, tf.argmax(outputs, -1), index)
    return tf.reshape(tf.one_hot(index, outputs.shape[1], dtype=y.dtype) * outputs, tf.shape(y))
