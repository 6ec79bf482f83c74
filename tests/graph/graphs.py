"""A TensorFlow graph gets slower with every network that joins it."""

import contextlib

import tensorflow as tf
from tensorflow import keras


@contextlib.contextmanager
def own_graph(seed=1):
    """What is built inside joins a graph of its own, whose random numbers hang on nothing else."""
    with tf.Graph().as_default(), tf.compat.v1.Session().as_default():
        keras.utils.set_random_seed(seed)
        yield
