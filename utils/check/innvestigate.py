"""Checks of lesson 04."""

import numpy as np

from utils import skill
from utils.check import exercise, right, unanswered, wrong


@exercise
def way_back(answer):
    """What passes a ReLU, a function of u and g: gradient, deconvnet, guided backpropagation."""
    u = np.array([1.0, 1.0, -1.0, -1.0, 2.0, 0.0])
    g = np.array([3.0, -3.0, 3.0, -3.0, 0.5, 1.0])
    parts = answer(u, g)
    if parts is ...:
        return unanswered()
    if parts is None:
        return wrong("The function returns nothing: does it end with a `return`?")
    if not isinstance(parts, list | tuple) or len(parts) != 3:
        return wrong("Return three arrays: `return gradient, deconvnet, guided`.")
    if any(part is ... for part in parts):
        return unanswered()
    active, positive = u > 0, g > 0
    expected = {
        "gradient": g * active,
        "deconvnet": g * positive,
        "guided backpropagation": g * active * positive,
    }
    for (name, values), part in zip(expected.items(), parts, strict=True):
        part = np.asarray(part, float)
        if part.shape != u.shape:
            return wrong(
                f"{name} has the shape {part.shape}, not that of g, here {u.shape}: set what does "
                "not pass to 0 instead of leaving it out."
            )
        if np.allclose(part, values):
            continue
        others = [other for other in expected if np.allclose(part, expected[other])]
        if others:
            return wrong(f"What stands for {name} is {others[0]}: look at the order.")
        if np.isin(part, [0, 1]).all():
            return wrong(f"For {name} you give where it passes. Give what passes: multiply by g.")
        if np.allclose(part, u * active) or np.allclose(part, u * positive):
            return wrong(f"For {name} the message g passes, not the value u.")
        if np.allclose(part[u != 0], values[u != 0]):
            return wrong(f"For {name} a unit with u = 0 is not active.")
        return wrong(f"For {name} u = {u} and g = {g} should give {values}.")
    return right("One line is the difference between these three methods.")


def fit_pattern(x, y, w):
    """The pattern of a linear unit, shape (channel,): what exercise 2 asks for."""
    covariance = (x - x.mean(0)).T @ (y - y.mean()) / len(y)
    return covariance / (w @ covariance)


@exercise
def pattern(answer, x, y, w):
    """The pattern of a linear unit, cov(x, y) over the variance of y."""
    answer = np.asarray(answer, float)
    if answer.shape != w.shape:
        return wrong(
            f"The pattern has the shape {w.shape}, a number for each channel, not {answer.shape}."
        )
    expected = fit_pattern(x, y, w)
    if np.allclose(answer, expected, rtol=0.005, atol=0.01):  # 1 / n or 1 / (n - 1) is all the same
        return right(
            f"Channel 1 has {answer[0]:.2f}, channel 2 {answer[1]:.2f}: the cloud is in channel 1."
        )
    if np.allclose(answer, w, atol=1e-3):
        return wrong("These are the weights. The pattern says how the inputs move with y.")
    if np.allclose(answer / answer[0], expected / expected[0], atol=1e-3):
        return wrong(f"The direction is right. Scale it so that w @ a is 1, not {w @ answer:.3g}.")
    return wrong("Take the covariance of each channel with y: subtract both means, multiply, add.")


@exercise
def own_test(weight, mine, decides_here, found, better, pictures, logits, heat_maps):
    """A test of two methods on a cause of the learner's own, worked out again from its weight.

    `pictures` are those without the cause, `logits` gives the network's answers to pictures, and
    `heat_maps` the maps of a method for pictures.
    """
    weight, mine, decides_here = (
        np.asarray(weight, float),
        np.asarray(mine),
        np.asarray(decides_here),
    )
    if weight.shape != pictures.shape[1:3]:
        return wrong(f"weight has the shape {weight.shape}, not {pictures.shape[1:3]}: (y, x).")
    if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.max() <= 1):
        return wrong(
            f"The weights go from {weight.min():.2g} to {weight.max():.2g}: keep them from 0, "
            "where nothing changes, to 1."
        )
    cause = weight > 0.5
    if not 0.01 <= cause.mean() <= 0.8:
        return wrong(
            f"weight is above 0.5 in {100 * cause.mean():.0f} % of the picture: make a cause of "
            "1 to 80 % of it."
        )
    expected = brighten(pictures, weight)
    if mine.shape != pictures.shape:
        return wrong(f"mine has the shape {mine.shape}, not that of smooth.")
    if not np.allclose(mine, expected, atol=1e-3):
        if np.allclose(mine, pictures * weight[..., None], atol=1e-3):
            return wrong("You have multiplied by the weight itself, which blackens all the rest.")
        return wrong("mine should be smooth * (1 + 1.3 * weight[..., None]).")
    before, after = logits(pictures), logits(expected)
    true = (after > 0) & (before < 0)
    if decides_here.dtype != bool or decides_here.shape != true.shape:
        return wrong(
            f"decides_here is True or False for each of {len(true)} pictures, shape (sample,)."
        )
    if (decides_here != true).any():
        if np.array_equal(decides_here, after > 0):
            return wrong("Some of these were called convection before you changed anything.")
        return wrong(
            "decides_here is where the logit is above 0 with your cause and below 0 without."
        )
    if true.sum() < 8:
        return wrong(
            f"Your cause decides in {true.sum()} of {len(true)} pictures. That is too few to "
            "compare methods: make it larger."
        )
    return _found(found, better, expected[true], cause, heat_maps)


def brighten(pictures, weight):
    """Pictures, shape (sample, y, x, time), brightened by up to 130 % where `weight` says."""
    return pictures * (1 + 1.3 * np.asarray(weight)[..., None])


def _found(found, better, pictures, cause, heat_maps):
    """The second half of `own_test`: the densities of two methods, and which is better."""
    if not isinstance(found, dict) or len(found) != 2:
        return wrong("found holds two methods: their names, and for each its densities.")
    masks = np.broadcast_to(cause, pictures.shape[:3])
    for kind, values in found.items():
        values, maps = np.asarray(values, float), heat_maps(kind, pictures)
        if values.shape != (len(pictures),):
            return wrong(
                f"{kind}: give a density for each picture in which your cause decides, shape "
                f"({len(pictures)},), not {values.shape}."
            )
        if not np.allclose(values, skill.relevance_density(abs(maps), masks), rtol=0.01):
            if np.allclose(values, skill.relevance_density(maps, masks), rtol=0.01):
                return wrong(f"{kind}: this counts what is red alone. Take abs(maps), as above.")
            return wrong(f"{kind}: take the density of abs(maps) where weight is above 0.5.")
    (one, a), (other, b) = found.items()
    value, (low, high) = skill.bootstrap(np.mean, np.subtract(a, b))
    true = one if low > 0 else other if high < 0 else "cannot tell"
    said = f"{one} minus {other}: {value:.2f}, 95 % interval {low:.2f} to {high:.2f}"
    if better == true:
        return right(f"In {len(a)} pictures your cause decides. {said}.")
    if better not in (*found, "cannot tell"):
        return wrong(f'better is "{one}", "{other}" or "cannot tell", not {better!r}.')
    return wrong(f"{said}. Does zero lie within the interval? Then you cannot tell.")
