"""What each layer reads along rows and along columns: for `utils.receptive_field`.

Along one axis a layer is a rule from places in its output to places in its input. Rows and columns
do not mix, so the pixels that reach a pixel are all pairs of a reached row and a reached column.
"""

from functools import reduce
from typing import NamedTuple

import numpy as np

from utils.keras_graph import validation
from utils.keras_graph.calls import Call, calls_of, title
from utils.receptive_field import steps


class Layer(NamedTuple):
    """A call in a network with its steps along rows and columns, None where it mixes all places."""

    call: Call
    steps: tuple | None
    lengths: tuple | None  # rows and columns of the output, None if it has none


def follow(model, size=None):
    """Steps of all layers of a network.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, from (sample, y, x, channel).
    size : (int, int), optional
        Rows and columns of the input, if the network takes any.

    Returns
    -------
    found : list of Layer
        In the order in which they compute.
    lengths : dict of int to tuple
        Rows and columns by key of `calls_of`; None for what has none.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If the network or a layer is of another kind, or the size is not known.
    """
    validation.check_model(model)
    lengths = {id(model.inputs[0]): input_size(model, size)}
    found = []
    for call in calls_of(model):
        sources = [lengths[key] for key in call.sources]
        own = steps.of_layer(call.layer, sources)
        if own is None:
            shape = call.layer.get_output_at(0).shape
            flat = len(shape) != 4
            alone = type(call.layer) in steps.GLOBAL
            target = None if flat else (1, 1) if alone else tuple(shape[1:3])
        else:
            target = tuple(step.length for step in own)
            if min(target) < 1:
                raise ValueError(
                    f"Nothing is left of the picture at the {title(call.layer)}: make it larger."
                )
        lengths[call.target] = target
        found.append(Layer(call, own, target))
    return found, lengths


def input_size(model, size=None):
    """Rows and columns of a network's input: its own, or the ones asked for if it takes any."""
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) != 3:
        raise NotImplementedError(
            f"Receptive fields are for pictures, shape (sample, y, x, channel), not {shape}."
        )
    if size is None:
        if None in shape[:2]:
            raise ValueError("The network takes any size: say which, as in size=(256, 256).")
        return shape[:2]
    try:
        size = tuple(size)
    except TypeError:
        size = ()
    if len(size) != 2:
        raise TypeError("size must be rows and columns of the input, as in size=(256, 256).")
    for number in size:
        validation.check_count("size", number)
    if any(known not in (None, asked) for known, asked in zip(shape, size, strict=False)):
        raise ValueError(f"size is {size}, but the network takes {shape[:2]}: leave it out.")
    return size


def back(found, lengths, start, places, clip=True):
    """Places of every layer that reach places of one.

    Parameters
    ----------
    found, lengths
        From `follow`.
    start : int
        Position of the layer in `found`.
    places : tuple or None
        Rows and columns there, each an array; None for a layer without rows and columns.
    clip : bool
        Leave out places beyond the border: padding, which holds nothing of the input.

    Returns
    -------
    dict of int to list of tuple
        By key the blocks that are reached, each of some rows and some columns (sorted arrays);
        None for layers without.
    """
    alive = _alive(found, lengths)
    reached = {found[start].call.target: places and [places]}
    for layer in reversed(found[: start + 1]):
        if layer.call.target not in reached:
            continue
        wanted = reached[layer.call.target]
        for key in layer.call.sources:
            length = lengths[key]
            if length is None:
                reached[key] = None
            elif layer.steps is None:
                reached[key] = [tuple(np.arange(n) for n in length)]
            else:
                new = [
                    tuple(
                        _read(step, axis, n, clip)
                        for step, axis, n in zip(layer.steps, block, length, strict=True)
                    )
                    for block in wanted
                ]
                new = [block for block in new if all(len(axis) for axis in block)]
                reached[key] = _join(reached.get(key, []), new, alive[key])
    return reached


def _join(blocks, new, alive):
    """Blocks of two branches; one around all of them where that reaches the same rows and columns.

    It does unless some places read nothing but padding: rows of one branch must not be taken for
    reached together with columns of another.
    """
    blocks = blocks + new
    if alive and len(blocks) > 1:
        return [tuple(reduce(np.union1d, axis) for axis in zip(*blocks, strict=True))]
    return blocks


def _alive(found, lengths):
    """By key: does every place read something of the input, along rows and along columns?"""
    first = found[0].call.sources[0]
    places = {first: tuple(np.ones(n, bool) for n in lengths[first])}
    for layer in found:
        sources = [places[key] for key in layer.call.sources]
        if layer.lengths is None or layer.steps is None:
            new = layer.lengths and tuple(np.ones(n, bool) for n in layer.lengths)
        else:
            new = [np.ones(n, bool) for n in layer.lengths]
            for axis, step in enumerate(layer.steps):
                for before in sources:
                    if step.reads is steps.itself:
                        new[axis] &= before[axis]
                    elif step.may_miss or not before[axis].all():
                        reads = [
                            _read(step, np.array([p]), len(before[axis]), True)
                            for p in range(step.length)
                        ]
                        new[axis] &= [before[axis][r].any() for r in reads]
        places[layer.call.target] = new
    return {key: axes is not None and all(map(np.all, axes)) for key, axes in places.items()}


def _read(step, places, length, clip):
    if step.reads is steps.itself:  # of one number for the whole picture, that one
        read = np.zeros(1, int) if length == 1 < step.length else places
    else:
        read = np.unique(step.reads(places))
    return read[(read >= 0) & (read < length)] if clip else read
