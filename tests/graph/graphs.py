"""A TensorFlow graph gets slower with every network that joins it."""

import contextlib

import tensorflow as tf
from tensorflow import keras


@contextlib.contextmanager
def own_graph(seed=1):
    """What is built inside joins a graph of its own, whose random numbers hang on nothing else."""
    config = tf.compat.v1.ConfigProto()
    # What runs once is not worth optimising first. The machines of `utils` have their own sessions.
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with tf.Graph().as_default(), tf.compat.v1.Session(config=config).as_default():
        keras.utils.set_random_seed(seed)
        yield
