"""Checks of lesson 08."""

import numpy as np

from utils.check import exercise, right, wrong
from utils.worlds.climate.fuzzy_years import CENTRES


@exercise
def guesses(answer, years):
    """Years guessed from maps: no verdict on the eye, only its score."""
    answer, years = np.asarray(answer, float), np.asarray(years, float)
    if answer.shape != years.shape:
        return wrong(f"Give {len(years)} years, one for each map; there are {answer.size}.")
    if not ((answer >= 1900) & (answer <= 2110)).all():
        return wrong("A guess lies far outside of 1920 to 2099.")
    error = abs(answer - years)
    text = ", ".join(f"{year:.0f}" for year in years)
    return right(f"You are off by {error.mean():.0f} years on average. The years were {text}.")


@exercise
def read_year(answer, probability):
    """Years from the probabilities of decades."""
    answer, probability = np.asarray(answer, float), np.asarray(probability, float)
    expected = probability @ CENTRES
    if answer.shape != expected.shape:
        return wrong(
            f"The result has the shape {answer.shape}; one year for each map is {expected.shape}."
        )
    if np.allclose(answer, expected, atol=0.01):
        return right("It is a mean: with two decades of 50 % it lies between them.")
    if np.allclose(answer, CENTRES[probability.argmax(1)]):
        return wrong("That is the middle of the likeliest decade, in steps of ten years.")
    if np.allclose(answer, probability.mean(1)):
        return wrong("Weight the *years*: multiply each centre by its probability and add up.")
    return wrong("Each probability multiplies the centre of its decade; then add up each row.")


@exercise
def density(answer, pattern, region, area):
    """Share of relevance in a region over the region's share of the area."""
    pattern, region, area = (np.asarray(v, float) for v in (pattern, region, area))
    share = (pattern * region).sum() / pattern.sum()
    expected = share / ((area * region).sum() / area.sum())
    if np.ndim(answer):
        return wrong("Give one number for the region.")
    if np.isclose(answer, expected, rtol=0.01):
        return right(f"Relevance is {expected:.1f} times as dense there as on the whole globe.")
    if np.isclose(answer, share, rtol=0.01):
        return wrong("That is the region's share of relevance. Divide by its share of the area.")
    if np.isclose(answer, share / region.mean(), rtol=0.01):
        return wrong("You counted cells. Cells shrink towards the poles: use `area`.")
    weighted = (pattern * area * region).sum() / (pattern * area).sum()
    if np.isclose(answer, weighted / ((area * region).sum() / area.sum()), rtol=0.01):
        return wrong("A cell's relevance is its whole share: add it up without `area`.")
    return wrong("Share of relevance inside, over the share of the area inside.")
