"""All that reads a Keras network, and all that depends on TensorFlow's graphs or private Keras.

`calls` lists the layers in the order in which they compute, `unroll` takes recurrent layers,
attention and normalisation apart into steps, `forecast` knows the layers that do something else in
training, `linear` shows those with weights as linear maps, `validation` checks what a caller gives,
`machine` gives a computation its graph and session and feeds it in chunks, `measure` reads the
values of a layer, `cache` keeps what is costly to make, `flops` counts arithmetic.
"""
