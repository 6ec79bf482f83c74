"""What is costly to make for a model, kept for the next call."""

import weakref
from collections import OrderedDict

import numpy as np


class ModelCache(OrderedDict):
    """The latest few things made for models; one with a `session` has it closed when it goes.

    Parameters
    ----------
    size : int
        How many to keep. All of a model's go when the model goes, and none is used any more when
        a setting of a layer has changed.
    """

    def __init__(self, size):
        super().__init__()
        self.size = size

    def fetch(self, model, key, make):
        """Return what was made for this model and key, or what `make()` gives now."""
        key = (id(model), id(model.outputs[0]), *key, *settings(model))
        if key not in self:
            self[key] = make()
            self[key].output = model.outputs[0]  # so that nothing else gets its id
            weakref.finalize(model, self._drop, key).atexit = False
            if len(self) > self.size:
                self._drop(next(iter(self)))
        self.move_to_end(key)
        return self[key]

    def _drop(self, key):
        session = getattr(self.pop(key, None), "session", None)
        if session:
            session.close()


def settings(model):
    """All of a network's layers with what can be set of them: numbers, words and functions."""
    for layer in model._flatten_layers(include_self=False):
        yield type(layer), layer.name, layer.compute_dtype
        for name, value in vars(layer).items():
            if name.startswith("_"):
                continue
            if _is_plain(value):
                yield name, repr(value)
            elif callable(value):
                yield name, value


_PLAIN = str, int, float, np.ndarray, np.generic, type(None)  # made once: asked for at each call


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
