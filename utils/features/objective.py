"""A part of a network, and how strongly an input excites it."""

import numpy as np

from utils.keras_graph import linear, measure, validation
from utils.keras_graph.calls import SOFTMAX, activation_of, title
from utils.plain import plain


def find(model, layer, unit, shape, odds=False):
    """How strongly samples excite the part of the network that is asked for, as a function.

    It counts the network's present weights.
    """
    if layer is not None:
        validation.check_layer(layer, measure.names(model))
    call = measure.asked(model, layer)
    asked = call.layer
    if len(call.targets) > 1:
        raise NotImplementedError(f"The {title(asked)} has several outputs: choose another.")
    size = np.prod([n or 0 for n in call.shape[1:]])
    whole = unit is None and size != 1
    if whole and odds:
        raise ValueError("The network has several outputs: say which by unit=0 or the like.")
    measured = measure.mean_square if whole else measure.largest
    if odds and activation_of(asked) in SOFTMAX:
        if not linear.over_channels(call):
            raise NotImplementedError(
                f"The {title(asked)} has no classes along its last axis: take it off."
            )
        measured = measure.log_odds
    ready = measure.copied(model, call, shape, measured)
    chosen = np.zeros(ready.output_shape, bool)
    numbers = unit if isinstance(unit, tuple) else (0 if unit is None else unit,)
    if not numbers or not all(map(validation.is_whole, numbers)):
        raise TypeError(
            f"unit must be an int or a tuple (row, column, channel), not {shown(unit)}."
        )
    ends = chosen.shape if isinstance(unit, tuple) else chosen.shape[-1:]
    if len(numbers) != len(ends) or any(not 0 <= i < n for i, n in zip(numbers, ends, strict=True)):
        raise ValueError(
            f"There is no unit {shown(unit)} in the {title(asked)}: its output "
            f"has the shape {chosen.shape}; count from 0."
        )
    chosen[numbers if isinstance(unit, tuple) else (..., *numbers)] = True

    def run(x, slope=True):
        """Excitation by each sample, and its slope along each input."""
        results = ready.run([np.float32(x)], [chosen], None if slope else 0)
        if not all(np.isfinite(result).all() for result in results):
            raise ValueError("The excitation is NaN or infinite: check the network's weights.")
        return results

    return run


# ---- what it is given -------------------------------------------------------------------------


def shown(value):
    """What was given, on one line, for a message."""
    return plain(repr(value))


def check_number(name, number, least=0):
    if not validation.is_number(number) or not least <= float(number) <= 1e9:
        least = " from 0 on" if least == 0 else ""
        raise ValueError(f"{name} must be a number{least}, at most 1e9, not {shown(number)}.")


def check_choice(name, flag):
    if not isinstance(flag, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, not {shown(flag)}.")


def check_limits(limits):
    known = isinstance(limits, tuple | list) or isinstance(limits, np.ndarray) and limits.ndim
    pair = list(limits) if known else []
    if len(pair) != 2 or not all(map(validation.is_number, pair)) or not pair[0] < pair[1]:
        raise ValueError(f"limits must be two numbers, the lower first, not {shown(limits)}.")
    return float(pair[0]), float(pair[1])


def check_sample(sample, shape, low, high):
    """One sample as an array, which must lie inside the limits."""
    try:
        x = np.ma.asarray(sample)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise TypeError("A sample must be an array of numbers.") from error
    if x.ndim != len(shape) - 1:
        raise ValueError(f"One sample of the shape {shape[1:]} is wanted, not {x.shape}.")
    x = validation.check_samples(x[None], shape)[0]
    if x.min() < low or x.max() > high:
        raise ValueError(
            f"The sample goes from {x.min():.4g} to {x.max():.4g}, beyond the limits {low:g} and "
            f"{high:g}: give the range of the data."
        )
    return np.float64(x)
