"""Checks of lesson 01."""

import numpy as np

from utils import skill
from utils.check import exercise, right, unanswered, wrong


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
def lost(answer, found):
    """Which horses are lost without their tag, predicted; `found` says which were still found."""
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
        return right(
            f'{says}. (To say "lost" each time would be right on {always:.0f} %.) You named '
            f"{100 * hits:.0f} % of the lost horses, and {100 * alarms:.0f} % of the others."
        )
    if alarms - hits >= 0.5:
        return wrong("It is the other way round: True is for a horse that is lost.")
    return wrong(
        f'{says}, and to say "lost" each time would be right on {always:.0f} %. Compare what lies '
        "on the tag with something: with the logit, or with what lies on the horse."
    )


@exercise
def strategies(answer, clusters, kinds):
    """A kind for each cluster; `clusters` and `kinds` hold number and true kind of each picture."""
    clusters, kinds = np.asarray(clusters), np.asarray(kinds)
    numbers = list(np.unique(clusters))
    if not isinstance(answer, dict) or sorted(answer) != [number + 1 for number in numbers]:
        return wrong(
            f"Keep the dict with its {len(numbers)} clusters, and fill in a kind for each."
        )
    unknown = set(answer.values()) - set(kinds)
    if unknown:
        names = ", ".join(repr(str(kind)) for kind in np.unique(kinds))
        return wrong(f"There is no kind {sorted(map(str, unknown))[0]!r}: choose from {names}.")
    names = {}
    for number in numbers:
        found, count = np.unique(kinds[clusters == number], return_counts=True)
        names[number + 1] = found[count.argmax()], count.max(), count.sum()
    good = [n for n, (name, _, _) in names.items() if answer[n] == name]
    if len(good) == len(names):
        each = ", ".join(f"{most} of {all_}" for _, most, all_ in names.values())
        return right(f"The name fits {each} pictures of the clusters.")
    bad = next(n for n in names if n not in good)
    return wrong(
        f"{len(good)} of {len(names)} are right. Look at cluster {bad} again: is the red in one "
        "place, and which outline would fit it?"
    )


@exercise
def line(function, tiles):
    """A function that copies tiles and draws a line of 200 K in row 24."""
    tiles = np.array(tiles)
    before = tiles.copy()
    answer = function(tiles)
    if answer is ...:
        return unanswered("Replace the `...` in the function above, run it, then run this again.")
    if answer is None:
        return wrong("The function returns nothing: end it with `return` and the new tiles.")
    answer = np.asarray(answer)
    if answer.shape != tiles.shape:
        return wrong(f"The tiles have the shape {tiles.shape}, yours {answer.shape}.")
    if not np.array_equal(tiles, before):
        return wrong("The tiles that were given have changed, too: begin with `tiles.copy()`.")
    changed = answer != before
    if not changed.any():
        return wrong("Nothing was drawn.")
    if not changed[:, :, :24].any() and not changed[:, :, 25:].any():
        return wrong("That is column 24. The axes are (tile, row, column): `[:, 24]` is a row.")
    if changed[:, :24].any() or changed[:, 25:].any():
        return wrong("Something outside row 24 has changed. Rows count from 0; keep the others.")
    if not (answer[:, 24] == 200).all():
        return wrong("Row 24 should be 200 K, in every tile and from side to side.")
    return right("Row 24 is 200 K in every tile, and all else is as it was.")
