"""Heat maps by many methods: the front door to iNNvestigate, and what it lacks.

`explain` makes a heat map for any Keras model in one call. PatternNet (`patternnet`), the heat map
of one pixel of a large output (`one_pixel`), the weights of self-attention (`attention`), cut-outs
of pictures (`crops`) and SpRAy (`spray`) are modules that a lesson imports if it uses them.
"""

from utils.explain.explain import cost, explain, methods

__all__ = ["cost", "explain", "methods"]
