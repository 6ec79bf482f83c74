"""Checks of lesson 08."""

import numpy as np

from utils.check import exercise, noted, right, wrong


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
    return noted(f"You are off by {error.mean():.0f} years on average. The years were {text}.")


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


@exercise
def moved(answer, as_is, without, region, year_of):
    """Mean change of the year when a region of each map gets other values."""
    as_is, without, region = np.asarray(as_is), np.asarray(without), np.asarray(region, bool)
    before = year_of(as_is)
    change = before - year_of(np.where(region, without, as_is))
    if np.shape(answer) == change.shape:
        return wrong("That is one number for each map: take their mean.")
    if np.ndim(answer):
        return wrong("Give one number, the mean over the maps.")
    if np.isclose(answer, change.mean(), atol=0.005):
        way = "later" if answer > 0 else "earlier"
        return right(f"Aerosol over the region makes the answer {abs(answer):.2f} years {way}.")
    if np.isclose(answer, -change.mean(), atol=0.005):
        return wrong("The sign is reversed: take the years with aerosol minus those without.")
    if np.isclose(answer, abs(change).mean(), atol=0.005):
        return wrong("You dropped the signs: the mean of the changes is asked for, not their size.")
    if np.isclose(answer, (before - year_of(without)).mean(), atol=0.005):
        return wrong("That takes aerosol away from the whole globe. Change the region only.")
    if np.isclose(answer, (before - year_of(np.where(region, as_is, without))).mean(), atol=0.005):
        return wrong("You changed all but the region: exchange the two arrays in np.where.")
    if np.isclose(answer, (before - year_of(np.where(region, 0, as_is))).mean(), atol=0.005):
        return wrong("Zero is the mean of all years. Put in the values of `without`.")
    return wrong("Paste `without` into the region of `as_is`, date both, and take the mean change.")
