"""Checks of lesson 05."""

import cv2
import numpy as np

from utils import skill
from utils.check import exercise, right, unanswered, wrong


def _pair():
    rng = np.random.default_rng(5)
    return rng.normal(size=(2, 5, 4, 3)).astype("float32"), rng.normal(size=(2, 5, 4, 3))


@exercise
def place_by_place(function, stage, at_stage, tag):
    """Activation times gradient at each place, and the pooling where it finds the tag best."""
    a, s = _pair()
    answer = function(a, s)
    if answer is ...:
        return unanswered()
    if answer is None:
        return wrong("The function returns nothing: does it end with a `return`?")
    answer, expected = np.asarray(answer, float), (a * s).sum(-1)
    if answer.shape == a.shape:
        return wrong("There is still a map for each filter: add up over the last axis.")
    if answer.shape != expected.shape:
        return wrong(f"The maps have the shape {answer.shape}, not (sample, y, x).")

    def same(numbers):
        return np.allclose(answer, numbers, rtol=1e-4, atol=1e-5)

    averaged = (a * s.mean((1, 2), keepdims=True)).sum(-1)
    if same(averaged) or same(averaged.clip(0)):
        return wrong("That is Grad-CAM: the gradient was averaged over the map before multiplying.")
    if same(expected.clip(0)):
        return wrong("The ReLU takes away what speaks against. Leave it out.")
    if same(abs(a * s).sum(-1)) or same(abs(expected)):
        return wrong("Signs are gone: leave `abs` to the score.")
    if same(s.sum(-1)) or same(a.sum(-1)):
        return wrong("Only one of the two is there: multiply activations and slopes.")
    if not (same(expected) or same(expected / a.shape[-1])):
        return wrong("The numbers differ. Try one place with two filters by hand.")
    if stage is not ... and stage not in range(len(at_stage)):
        return wrong(f"stage should be a whole number from 0 to {len(at_stage) - 1}.")
    density = [_density(function(*pair), tag) for pair in at_stage]
    best = int(np.argmax(density))
    if density[stage] < 0.9 * density[best]:
        cell = tag.shape[1] // at_stage[stage][0].shape[1]
        why = f"its cells are {cell} pixels wide" + (
            ", too coarse for a tag." if stage > best else "."
        )
        return wrong(f"At pooling {stage} the density on the tag is {density[stage]:.1f}: {why}")
    return right(f"At pooling {stage} the density on the tag is {density[stage]:.1f}.")


def _density(maps, tag):
    size = tag.shape[:0:-1]
    maps = np.array([cv2.resize(np.asarray(one, "float32"), size) for one in maps])
    return skill.relevance_density(abs(maps), tag).mean()


@exercise
def adds_up(answer, pictures, gain):
    """Attributions whose sum over a picture is the gain over a black one, to within 5 %."""
    answer = np.asarray(answer, float)
    if answer.shape != pictures.shape:
        return wrong(f"The shape is {answer.shape}, the pictures have {pictures.shape}.")
    if not np.isfinite(answer).all():
        return wrong("There are NaN or infinite values.")

    def off(values):
        """Largest share of the gain that is missing or too much."""
        return np.max(abs(values.sum((1, 2, 3)) / gain - 1))

    if off(answer) <= 0.05:
        return right(f"The largest gap is {100 * off(answer):.1f} % of the gain.")
    if (answer >= 0).all():
        return wrong("All values are positive: the signs got lost. Take the numbers before `abs`.")
    if off(answer * pictures) <= 0.3:
        return wrong("That is a mean gradient. Multiply it by picture minus baseline.")
    if off(-answer) <= 0.3:
        return wrong(
            "The sign is turned round: picture minus baseline, not baseline minus picture."
        )
    sums = answer.sum((1, 2, 3)).mean()
    if (abs(answer.sum((1, 2, 3))) < 2).all():
        return wrong(
            f"They add up to {sums:.2f} on average, about a difference of probabilities. The gain "
            "is in logits: give the function `scores`, not `classes`."
        )
    if off(answer) <= 0.3:
        return wrong(
            f"Nearly: up to {100 * off(answer):.0f} % are missing or too much. The path has too "
            "few steps."
        )
    return wrong(f"They add up to {sums:.1f} on average, the gain is {gain.mean():.1f}.")
