"""How much arithmetic a heat map takes: counted, not timed, so the same on every machine."""

import tensorflow as tf


def passes(graph, inputs, heat_map, output):
    """Arithmetic of one heat map, in forward passes through the network.

    It is additions, multiplications and the like for the map, over those for the network's output;
    `inputs` lists the tensors that are fed. What TensorFlow has no count for, as the way back
    through depthwise convolutions and batch normalisation, is left out.
    """
    return _count(graph, inputs, heat_map) / _count(graph, inputs, output)


def _count(graph, inputs, result):
    needed = tf.compat.v1.graph_util.extract_sub_graph(graph.as_graph_def(), [result.op.name])
    names = {node.name for node in needed.node}
    inputs = [tensor for tensor in inputs if tensor.op.name in names]
    with tf.Graph().as_default() as known:  # the same with all shapes known, which counting needs
        ones = {t.name: tf.ones([1, *t.shape[1:]], t.dtype) for t in inputs}
        tf.import_graph_def(needed, ones)
    build = tf.compat.v1.profiler.ProfileOptionBuilder
    options = build(build.float_operation()).with_empty_output().build()
    return tf.compat.v1.profiler.profile(known, options=options).total_float_ops
