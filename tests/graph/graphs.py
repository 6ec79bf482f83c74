"""A TensorFlow graph gets slower with every network that joins it."""

import contextlib

import tensorflow as tf


@contextlib.contextmanager
def own_graph():
    """What is built inside joins a graph of its own, with a session of its own."""
    with tf.Graph().as_default(), tf.compat.v1.Session().as_default():
        yield
