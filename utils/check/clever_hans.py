"""Checks of lesson 01."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from utils import skill
from utils.check import exercise, right, wrong


@exercise
def density(answer, maps, masks):
    """Positive relevance inside the masks: its share over the masks' share of the area."""
    maps, masks = np.asarray(maps), np.asarray(masks)
    answer = np.asarray(answer, float)
    if answer.shape != (len(maps),):
        return wrong(
            f"The result has the shape {answer.shape}; one number for each of the {len(maps)} maps "
            f"has the shape ({len(maps)},). Add up over the axes (1, 2)."
        )

    def same(numbers):
        return np.allclose(answer, numbers, rtol=1e-4, equal_nan=True)

    share, expected = skill.relevance_share(maps, masks), skill.relevance_density(maps, masks)
    area = masks.mean((1, 2))
    if same(expected):
        return right(f"On average the mask is {np.nanmean(expected):.1f} times as relevant.")
    if same(share):
        return wrong("That is the share of relevance. Divide it by the share of the area.")
    if same(1 / expected):
        return wrong(
            "The fraction stands on its head: relevance over area, not area over relevance."
        )
    if same(share / maps.sum((1, 2))):
        return wrong(
            "The share is right, but it was divided by relevance, not by the share of area."
        )
    if same(share / masks.sum((1, 2))):
        return wrong("Divide by the mask's *share* of the area, not by its number of pixels.")
    if same((maps * masks).sum((1, 2)) / maps.sum((1, 2)) / area):
        return wrong(
            "Negative relevance was counted in. Keep what is positive: `maps.clip(min=0)`."
        )
    if same(skill.relevance_density(abs(maps), masks)):
        return wrong("`abs` makes blue relevance red. Set it to zero: `maps.clip(min=0)`.")
    return wrong("The numbers differ. Try one map with a mask of a few pixels, by hand.")


@exercise
def clusters_by_eigengap(answer, eigenvalues):
    """Number of clusters: how many eigenvalues stand before the largest step."""
    steps = np.diff(eigenvalues)
    expected = int(np.argmax(steps)) + 1
    if answer == expected:
        return right(f"The largest step, {steps.max():.2f}, follows eigenvalue {expected}.")
    if not isinstance(answer, int | np.integer):
        return wrong(f"Give one whole number, not {answer!r}.")
    if answer == expected - 1:
        return wrong(
            f"{answer} are almost zero, but the largest step comes one later. "
            "(If you took `argmax`: it counts from 0.)"
        )
    if answer == len(eigenvalues):
        return wrong(
            "That is the number of eigenvalues shown, not of those before the largest step."
        )
    return wrong("Look for the largest step between neighbours, `np.diff(eigenvalues)`.")


def fit_last_layer(seen, is_horse):
    """Weights, shape (unit,), and intercept of a new last layer: what exercise 3 asks for."""
    fitted = LogisticRegression(max_iter=5000).fit(seen, is_horse)
    return fitted.coef_[0], fitted.intercept_[0]


@exercise
def last_layer(weights, intercept, seen, is_horse):
    """Weights and intercept of a logistic regression of `is_horse` on `seen`."""
    weights, is_horse = np.asarray(weights, float), np.asarray(is_horse) == 1
    if weights.shape != (seen.shape[1],):
        return wrong(
            f"The weights have the shape {weights.shape}, not ({seen.shape[1]},): "
            "`coef_` has a row for each class, and here there is one, `coef_[0]`."
        )
    if np.ndim(intercept) != 0:
        return wrong("The intercept should be a number: `intercept_[0]`.")
    expected, constant = fit_last_layer(seen, is_horse)
    accuracy = 100 * ((seen @ weights + intercept > 0) == is_horse).mean()
    if np.allclose(weights, expected, atol=0.01):
        if abs(intercept - constant) < 0.05:
            return right(f"It is right on {accuracy:.0f} % of the pictures it was fitted to.")
        return wrong("The weights are right, the intercept is not: take `intercept_[0]`.")
    if np.allclose(weights, -expected, atol=0.01):
        return wrong("The sign is turned round: horses should be 1, the others 0.")
    return wrong(
        f"These weights are right on {accuracy:.0f} % of the pictures. Were they fitted to `seen` "
        "and `is_horse`, without further options?"
    )
