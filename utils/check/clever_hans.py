"""Checks of lesson 01."""

import numpy as np

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
        return right(
            "On average, positive relevance is "
            f"{np.nanmean(expected):.1f} times denser inside the mask than spread evenly."
        )
    if same(share):
        return wrong("That is the share of relevance. Divide it by the share of the area.")
    if same(1 / expected):
        return wrong("The fraction is upside down: relevance over area, not area over relevance.")
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
def lost(answer, found, without_map=None):
    """Which horses are lost without their tag, predicted; `found` says which were still found.

    `without_map` is a prediction to compare with, made without heat maps.
    """
    answer, truth = np.asarray(answer), ~np.asarray(found)
    if answer.shape != truth.shape:
        return wrong(
            f"The result has the shape {answer.shape}; one True or False for each of the "
            f"{len(truth)} pictures has the shape {truth.shape}."
        )
    if answer.dtype != bool:
        return wrong(f"Give True or False for each picture, not {answer.dtype}: compare, as in >.")
    correct, always = 100 * (answer == truth).mean(), 100 * truth.mean()
    hits, alarms = answer[truth].mean(), answer[~truth].mean()
    says = f"{correct:.0f} % of your predictions are right"
    if answer.all() or not answer.any():
        return wrong(f"{says}, but they are all the same. Which maps have little red on the horse?")
    if hits - alarms >= 0.5:
        rival = ""
        if without_map is not None:
            rival = (
                f" A limit of the logit is right on {100 * (without_map == truth).mean():.0f} %."
            )
        return right(
            f"{says}. You named {100 * hits:.0f} % of the lost horses, and {100 * alarms:.0f} % of "
            f'the others. Always answering "lost" would be right {always:.0f} % of the time.{rival}'
        )
    if alarms - hits >= 0.5:
        return wrong("It is the other way round: True is for a horse that is lost.")
    return wrong(
        f'{says}, and always answering "lost" would be right {always:.0f} % of the time. Compare '
        "what lies on the tag with something else in the same picture."
    )


@exercise
def expected_errors(answer, kind_then, wrong_then, kind_now, wrong_now):
    """Wrong answers per 100 pictures of now, if each kind were answered as well as then.

    `kind` is 0, 1 or 2 for each picture, and `wrong` whether its answer is.
    """

    def mixed(kinds, kinds_of_rates, wrong):
        return 100 * np.mean([wrong[kinds_of_rates == kind].mean() for kind in kinds])

    answer, right_answer = float(answer), mixed(kind_now, kind_then, wrong_then)
    then, now = 100 * wrong_then.mean(), 100 * wrong_now.mean()

    def same(number):
        return np.isclose(answer, number, rtol=1e-3)

    if same(right_answer):
        return right(
            f"With the old error rates, the real world would have {right_answer:.1f} wrong answers "
            f"per 100. It has {now:.1f}, and the training world {then:.1f}."
        )
    if same(right_answer / 100):
        return wrong("That is a share. Multiply by 100.")
    if same(mixed(kind_then, kind_now, wrong_now)):
        return wrong("The other way round: error rates of the training world, mix of the real one.")
    if same(then) or same(now):
        return wrong(
            "That is what was counted in one of the worlds. Take the error rate of each kind in "
            "the training world, and weight it by how common the kind is in the real world."
        )
    if same(100 * np.mean([wrong_then[kind_then == kind].mean() for kind in np.unique(kind_now)])):
        return wrong("The three kinds are not equally common: weight their error rates.")
    return wrong("Begin with the error rate of one kind: `wrong_then[kind_then == 0].mean()`.")
