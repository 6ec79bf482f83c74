"""Checks of lesson 09."""

import numpy as np

from utils import receptive_field
from utils.check import exercise, right, wrong
from utils.receptive_field import geometry
from utils.receptive_field.layers import geometry_of


@exercise
def size_by_formula(answer, kernels, strides):
    """Receptive field after each layer, r = 1 + sum (k - 1) times the strides before."""
    answer = np.asarray(answer, float)
    before = np.cumprod([1, *strides[:-1]])
    steps = np.asarray(kernels) - 1
    expected = 1 + np.cumsum(steps * before)
    if answer.shape != expected.shape:
        return wrong(f"Give one size for each of the {len(expected)} layers.")
    if np.array_equal(answer, expected):
        return right(f"The last layer sees {expected[-1]} pixels.")
    if np.array_equal(answer, 1 + np.cumsum(steps * np.cumprod(strides))):
        return wrong("A layer's own stride counts only for the layers after it.")
    if np.array_equal(answer, 1 + np.cumsum(steps)):
        return wrong(
            "That leaves the strides out: k - 1 is counted in pixels of the layer's input."
        )
    if np.array_equal(answer, expected - 1):
        return wrong("Begin with 1: a pixel of the input sees itself.")
    return wrong("Add (k - 1) times the product of the strides of all layers before.")


@exercise
def squares_read(answer, rows, width):
    """Rows of the 1/8 grid that each output row needs, with filters so wide on the coarse grids."""
    answer, rows = np.asarray(answer), np.asarray(rows)
    if answer.shape != rows.shape:
        return wrong(f"Give one number for each of the {len(rows)} rows.")

    def needed(width):
        side = width // 2
        first = last = rows // 2
        for _ in range(2):
            first, last = (first - side) // 2, (last + side) // 2
        return last - first + 1 + 2 * side

    expected = needed(width)
    if np.array_equal(answer, expected):
        sizes = " or ".join(map(str, np.unique(expected)))
        return right(
            f"Each needs {sizes}, with filters of {width} rows; with 3 rows it was 4 or 5."
        )
    if np.array_equal(answer, needed(3)):
        return wrong(
            f"That is for filters of 3 rows. Those of {width} add {width // 2} at each end."
        )
    if np.array_equal(answer, expected - width + 1):
        return wrong(f"The filter on the 1/8 grid reads {width // 2} rows more at each end, too.")
    if np.array_equal(answer, expected - 1):
        return wrong("From the first row to the last there are last - first + 1 rows.")
    return wrong("Follow the first and the last row down: widen at each filter, then halve.")


@exercise
def large_enough(model, kilometres, wanted, budget):
    """A network whose last layer sees at least so many km, with few parameters."""
    found = receptive_field.trace(model).iloc[-1]
    size = min(found.size_y, found.size_x) * kilometres
    if model.count_params() > budget:
        return wrong(f"It has {model.count_params()} parameters, {budget} are allowed.")
    if not found.spatial:
        return wrong("A dense or global layer sees everything: the exercise is about the rest.")
    if size < wanted:
        return wrong(
            f"Its last layer sees {size:.0f} km, {wanted} are wanted. Pooling, strides and "
            "dilation cost no parameters."
        )
    network = geometry_of(model)
    middle = geometry.Pixels(tuple(n // 2 for n in network[-1].size), np.ones((1, 1), bool))
    seen = geometry.back(network, len(network) - 1, middle)[0]
    for axis, name in enumerate(("rows", "columns")):
        read = seen.places(axis)
        if len(read) <= read[-1] - read[0]:
            return wrong(
                f"Of {read[-1] - read[0] + 1} {name} it reads {len(read)}: dilation left holes. "
                "Let it grow in smaller steps."
            )
    return right(f"It sees {size:.0f} km with {model.count_params()} parameters.")
