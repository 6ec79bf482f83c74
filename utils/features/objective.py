"""A part of a network, and how strongly an input excites it."""

import numpy as np
from tensorflow.keras import activations, layers

from utils.keras_graph import measure, validation
from utils.keras_graph.calls import activation_of, title


def find(model, layer, unit, shape, odds=False):
    """How strongly samples excite the part of the network that is asked for, as a function.

    It counts the network's present weights.
    """
    known = [one.name for one in model.layers if type(one) is not layers.InputLayer]
    if layer is not None:
        validation.check_layer(layer, known)
    asked = model.get_layer(layer) if layer else model.outputs[0]._keras_history.layer
    output = asked.get_output_at(0)
    if isinstance(output, list):
        raise NotImplementedError(f"The {title(asked)} has several outputs: choose another.")
    whole = unit is None and output.shape[1:].num_elements() != 1
    if whole and odds:
        raise ValueError("The network has several outputs: say which by unit=0 or the like.")
    measured = measure.mean_square if whole else measure.largest
    if odds and activation_of(asked) is activations.softmax:
        measured = measure.log_odds
    ready = measure.copied(model, asked, shape, measured)
    chosen = np.zeros(ready.output_shape, bool)
    numbers = unit if isinstance(unit, tuple) else (0 if unit is None else unit,)
    if not numbers or not all(map(validation.is_whole, numbers)):
        raise TypeError(f"unit must be an int or a tuple (row, column, channel), not {unit!r}.")
    ends = chosen.shape if isinstance(unit, tuple) else chosen.shape[-1:]
    if len(numbers) != len(ends) or any(not 0 <= i < n for i, n in zip(numbers, ends, strict=True)):
        raise ValueError(
            f"There is no unit {unit!r} in the {title(asked)}: its output "
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


def check_number(name, number, least):
    if not (np.isscalar(number) and np.isreal(number) and least <= number < np.inf):
        least = " from 0 on" if least == 0 else ""
        raise ValueError(f"{name} must be a number{least}, not {number!r}.")


def check_limits(limits):
    try:
        low, high = (float(limit) for limit in limits)
    except (TypeError, ValueError):
        low, high = 0, 0
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"limits must be two numbers, the lower first, not {limits!r}.")
    return low, high


def check_sample(sample, shape, low, high):
    """One sample as an array, which must lie inside the limits."""
    x = np.ma.asarray(sample)
    if x.ndim != len(shape) - 1:
        raise ValueError(f"One sample of the shape {shape[1:]} is wanted, not {x.shape}.")
    x = validation.check_samples(x[None], shape)[0]
    if x.min() < low or x.max() > high:
        raise ValueError(
            f"The sample goes from {x.min():.4g} to {x.max():.4g}, beyond the limits {low:g} and "
            f"{high:g}: give the range of the data."
        )
    return np.float64(x)
