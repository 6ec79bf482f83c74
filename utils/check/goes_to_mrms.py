"""Checks of lesson 07."""

import numpy as np

from utils import skill
from utils.check import exercise, right, wrong


@exercise
def weights(answer, dbz):
    """Weight of each reflectivity in the loss, exp(5 y^4) with y = dBZ / 60."""
    dbz, answer = np.asarray(dbz, float), np.asarray(answer, float)
    y = dbz / 60
    if answer.shape != dbz.shape:
        return wrong(f"Give one weight for each value, shape {dbz.shape}, not {answer.shape}.")
    if np.allclose(answer, np.exp(5 * y**4), rtol=0.02):
        heaviest = f"{np.exp(5 * y.max() ** 4):.0f}"
        return right(f"At {dbz.max():.0f} dBZ an error counts {heaviest} times as much as at 0.")
    if np.allclose(answer, np.exp((5 * y) ** 4), rtol=0.02):
        return wrong("The 5 stands outside of the power: 5 * y**4.")
    if np.allclose(answer, np.exp(5 * y) ** 4, rtol=0.02):
        return wrong("The power belongs to y alone, inside of the exponential: 5 * y**4.")
    if not np.isfinite(answer).all() or (answer > 1e6).any():
        return wrong("Far too large: y is the scaled reflectivity, dBZ / 60, between 0 and 1.")
    if np.allclose(answer, np.exp(5 * y), rtol=0.02):
        return wrong("The power is missing: y**4.")
    if np.allclose(answer, 5 * y**4, rtol=0.02, atol=1e-9):
        return wrong("That is the exponent. Take its exponential: the smallest weight is 1.")
    return wrong("The weight is exp(5 y^4), with y = dBZ / 60.")


@exercise
def drop(answer, with_lightning, without, lit):
    """By how many dBZ the estimate falls at some pixels when lightning is erased."""
    before, after = (np.asarray(v, float) for v in (with_lightning, without))
    lit = np.asarray(lit, bool)
    if np.ndim(answer):
        return wrong("Give one number: the mean over the pixels where `lit` is True.")
    change = before - after
    expected = change[lit].mean()
    if np.isclose(answer, expected, rtol=0.01):
        return right(f"Without lightning it says {expected:.0f} dBZ less there.")
    if np.isclose(answer, -expected, rtol=0.01):
        return wrong("The other way round: how much is *lost*? Estimate with minus without.")
    if np.isclose(answer, change.mean(), rtol=0.01):
        return wrong("That is the mean over all pixels. Most of them never had lightning.")
    if np.isclose(answer, expected / 60, rtol=0.01):
        return wrong("In dBZ, please: the arrays are already in dBZ.")
    if np.isclose(answer, change[lit].sum(), rtol=0.01):
        return wrong("That is the sum. Divide by the number of pixels.")
    if np.isclose(answer, expected / before[lit].mean(), rtol=0.01):
        return wrong("That is the share that is lost. Give the difference, in dBZ.")
    return wrong("Take the difference of both estimates, then its mean where `lit` is True.")


@exercise
def share_on(answer, maps, masks):
    """Share of positive relevance inside a mask, for each map, channels added."""
    maps, masks = np.asarray(maps, float), np.asarray(masks, bool)
    answer = np.asarray(answer, float)
    if answer.shape != (len(maps),):
        return wrong(f"Give one share for each map, shape ({len(maps)},), not {answer.shape}.")
    expected = skill.relevance_share(maps, masks)
    if np.allclose(answer, expected, atol=1e-3):
        return right(f"On average {100 * expected.mean():.0f} % of the relevance.")
    if np.allclose(answer, 100 * expected, atol=0.1):
        return wrong("As a share between 0 and 1, please.")
    if np.allclose(answer, 1 - expected, atol=1e-3):
        return wrong("That is the share outside of the mask.")
    if np.allclose(answer, masks.mean((1, 2)), atol=1e-3):
        return wrong("That is the mask's share of the area. Weigh the pixels with their relevance.")
    return wrong(
        "Add the channels, drop what is negative, and divide what lies inside by the whole. "
        "`skill.relevance_share` does it."
    )
