"""Checks of lesson 07."""

import numpy as np

from utils.check import exercise, right, unanswered, wrong
from utils.explain import one_pixel
from utils.explain.crops import around, box


def _estimate(model, x):
    return 60 * model.predict(x, batch_size=16, verbose=0)[..., 0].clip(0)


def _positive(model, crops, at):
    """Positive relevance of one output pixel of each crop, in its receptive box, in dBZ."""
    maps = one_pixel.relevance(model, crops, at, "alpha_1_beta_0").input
    return 60 * box(maps, at).clip(0)


@exercise
def one_pixel_erased(pixel, glm_share, fall, model, x):
    """GLM's share of the relevance of a pixel of one's choice, and the fall without lightning."""
    if len(pixel) != 3 or not all(0 <= i < n for i, n in zip(pixel, x.shape, strict=False)):
        return wrong(f"pixel must be (scene, row, column) within {x.shape[:3]}, not {pixel}.")
    scene, row, column = map(int, pixel)
    crops, at = around(x[[scene]], [row], [column])
    before, after = (_estimate(model, v)[0][at[0]] for v in (crops, crops * [1, 1, 1, 0]))
    if before - after < 10:
        return wrong(
            f"At your pixel the estimate falls from {before:.0f} to {after:.0f} dBZ, so by less "
            "than 10. Look for lightning in cold cloud, and try a pixel in its middle."
        )
    maps = 60 * one_pixel.relevance(model, crops, at, "alpha_1_beta_0").input[0].clip(0)
    glm, everything = maps[..., 3].sum(), maps.sum()

    def same(answer, value):
        return np.isclose(float(answer), value, rtol=0.01, atol=1e-4)

    if not same(fall, before - after):
        if same(fall, after - before):
            return wrong("The fall has the other sign: the estimate with lightning minus without.")
        if same(fall, (before - after) / 60):
            return wrong("The fall is not in dBZ yet: the network's output is dBZ / 60.")
        if same(fall, after):
            return wrong("That is the estimate without lightning. By how much did it fall?")
        if same(fall, 1 - after / before):
            return wrong("That is the share that is lost. Give the difference, in dBZ.")
        return wrong("The fall is another one. Is only GLM 0, and is it 0 everywhere?")
    if not same(glm_share, glm / everything):
        if same(glm_share, 100 * glm / everything):
            return wrong("Give GLM's share between 0 and 1, please, not in per cent.")
        if same(glm_share, glm):
            return wrong("That is GLM's sum in dBZ. Divide it by the sum of all four channels.")
        if same(glm_share, glm / before):
            return wrong(
                "You divided by the estimate, of which the biases took a part. Divide by the sum "
                "of all four channels."
            )
        return wrong("The fall is right. For the share, add up GLM's map, and divide by all four.")
    return right(
        f"GLM holds {100 * glm / everything:.1f} % of the relevance. Without it the estimate falls "
        f"by {before - after:.0f} of {before:.0f} dBZ."
    )


@exercise
def moved(before, after, model, crops, at, strong):
    """Shares of relevance on strong gradients, with lightning and with lightning erased."""
    given = [np.asarray(answer, float) for answer in (before, after)]
    for name, answer in zip(("before", "after"), given, strict=True):
        if answer.shape != (len(crops),):
            return wrong(
                f"`{name}` has the shape {answer.shape}: one share a pixel, {(len(crops),)}."
            )
    erased = crops * [1, 1, 1, 0]
    maps = [_positive(model, v, at).sum(-1) for v in (crops, erased)]
    shares = [(m * strong).sum((1, 2)) / m.sum((1, 2)) for m in maps]

    def same(answers, values):
        return all(np.allclose(a, v, atol=2e-3) for a, v in zip(answers, values, strict=True))

    if same(given, shares):
        lit = box(crops, at)[..., 3] > 0
        (a, b), (c, d) = (
            [100 * ((m * mask).sum((1, 2)) / m.sum((1, 2))).mean() for m in maps]
            for mask in (strong, lit)
        )
        return right(
            f"On average, strong gradients hold {a:.0f} % of the relevance before and {b:.0f} % "
            f"after. The pixels that had lightning hold {c:.0f} % before and {d:.0f} % after."
        )
    if same(given, [100 * share for share in shares]):
        return wrong("As shares between 0 and 1, please.")
    if same(given, shares[::-1]):
        return wrong("`before` and `after` are swapped.")
    if same(given, [1 - share for share in shares]):
        return wrong("These are the shares outside of the strong gradients.")
    if same(given[:1], shares[:1]):
        if same(given[1:], shares[:1]):
            return wrong("`after` is the same as `before`: is lightning erased in its crops?")
        return wrong(
            "`before` is right. For `after`, set GLM to 0 in all crops, make the maps of those, "
            "and use the same mask."
        )
    if same(given[:1], [strong.mean((1, 2))]):
        return wrong("That is the mask's share of the area. Weigh its pixels with the relevance.")
    return wrong(
        "Make the maps with explain_pixel, cut out their boxes, and give both to "
        "skill.relevance_share with the mask `strong`."
    )


@exercise
def fill(answer, crops, at):
    """A function that fills what lies in front of an edge, so that the edge is really weaker."""
    if not callable(answer):
        return wrong("Give the function itself, without calling it.")
    kept = crops.copy()
    new = [answer(crop) for crop in crops]
    if any(one is ... for one in new):
        return unanswered()
    if any(one is None for one in new):
        return wrong("The function returns nothing: does it end with a `return`?")
    if not np.array_equal(crops, kept):
        return wrong("The function changes the crop it is given. Return a new one.")
    new = np.array(new, float)
    if new.shape != crops.shape:
        return wrong(f"A crop of the shape {crops.shape[1:]} came back as {new.shape[1:]}.")
    warm, cold = (300 - 100 * crops[..., 2] > 275), (300 - 100 * crops[..., 2] < 230)
    if not np.allclose(new[cold], crops[cold], atol=1e-6):
        return wrong("Some pixels colder than 230 K have changed: that is the storm itself.")
    if np.allclose(new, crops):
        return wrong("Nothing has changed.")
    if np.allclose(new[warm][:, :2], crops[warm][:, :2]):
        return wrong("Only C13 has changed: the other channels still show the edge.")

    def steepest(x):
        slope = np.hypot(*np.gradient(100 * x[..., 2], axis=(1, 2)))
        return box(slope, at).max((1, 2))

    left = 100 * (steepest(new) / steepest(crops)).mean()
    if left > 50:
        return wrong(
            f"{left:.0f} % of the largest gradient is left, which is more than half. What do the "
            "pixels look like that you fill with?"
        )
    return right(f"{left:.0f} % of the largest gradient is left, and the cold cloud is as it was.")
