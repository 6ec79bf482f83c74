"""Checks of lesson 04."""

from functools import partial

import numpy as np

from utils.check import exercise, right, together, unanswered, wrong


@exercise
def way_back(answer):
    """What passes a ReLU, a function of z and R: gradient, deconvnet, guided backpropagation."""
    z = np.array([1.0, 1.0, -1.0, -1.0, 2.0, 0.0])
    R = np.array([3.0, -3.0, 3.0, -3.0, 0.5, 1.0])
    parts = answer(z, R)
    if parts is ...:
        return unanswered()
    if parts is None:
        return wrong("The function returns nothing: does it end with a `return`?")
    if not isinstance(parts, list | tuple) or len(parts) != 3:
        return wrong("Return three arrays: `return gradient, deconvnet, guided`.")
    if any(part is ... for part in parts):
        return unanswered()
    active, positive = z > 0, R > 0
    expected = {
        "gradient": R * active,
        "deconvnet": R * positive,
        "guided backpropagation": R * active * positive,
    }
    for (name, values), part in zip(expected.items(), parts, strict=True):
        part = np.asarray(part, float)
        if part.shape != z.shape:
            return wrong(
                f"{name} has the shape {part.shape}, not that of R, here {z.shape}: set what does "
                "not pass to 0 instead of leaving it out."
            )
        if np.allclose(part, values):
            continue
        others = [other for other in expected if np.allclose(part, expected[other])]
        if others:
            return wrong(f"What stands for {name} is {others[0]}: look at the order.")
        if np.isin(part, [0, 1]).all():
            return wrong(f"For {name} you give where it passes. Give what passes: multiply by R.")
        if np.allclose(part, z * active) or np.allclose(part, z * positive):
            return wrong(f"For {name} the message R passes, not the value z.")
        if np.allclose(part[z != 0], values[z != 0]):
            return wrong(f"For {name} a unit with z = 0 is not active.")
        return wrong(f"For {name} z = {z} and R = {R} should give {values}.")
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


def choice(answer, scores):
    """A method for each of three wishes, judged by the table of scores."""
    factor = scores.found / scores.false_alarm
    cheapest = scores.passes[factor >= 5].min()
    least = scores.agreement[scores.found >= 10].min()
    wishes = [
        (scores.found >= 5) & (scores.false_alarm <= 1),
        (scores.found >= 10) & (scores.agreement < least + 0.05),  # a tie to the eye
        (factor >= 5) & (scores.passes < cheapest + 0.5),  # likewise
    ]
    judges = [
        partial(_meets, title=f"Wish {number}", wish=wish, scores=scores)
        for number, wish in enumerate(wishes, 1)
    ]
    return together(answer, judges)


@exercise
def _meets(name, title, wish, scores):
    if name not in scores.index:
        return wrong(f"{title}: there is no row {name!r} in scores, copy a name from the left.")
    row = scores.loc[name]
    said = (
        f"{title}: {name} has {row.found:.1f} where the tag decides, {row.false_alarm:.1f} where "
        f"it hardly matters, agreement {row.agreement:.2f}, {row.passes:.0f} passes"
    )
    if wish[name]:
        return right(f"{said}.")
    return wrong(f"{said}. Rows that meet this wish: {wish.sum()} of {len(wish)}.")
