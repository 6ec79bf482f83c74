"""Checks of lesson 06."""

import numpy as np

from utils.check import exercise, right, wrong


@exercise
def pod_and_far(pod, far, says, label):
    """Probability of detection and false alarm ratio of yes-or-no answers."""
    says, label = np.asarray(says, bool), np.asarray(label, bool)
    hits, misses, false = (says & label).sum(), (~says & label).sum(), (says & ~label).sum()
    correct = (~says & ~label).sum()
    for name, value in (("POD", pod), ("FAR", far)):
        if np.ndim(value) or not 0 <= value <= 1:
            return wrong(f"{name} should be one number between 0 and 1, not {value!r}.")
    if not np.isclose(pod, hits / (hits + misses)):
        if np.isclose(pod, (says == label).mean()):
            return wrong("POD: that is the accuracy. Divide hits by all sequences with convection.")
        if np.isclose(pod, hits / (hits + false)):
            return wrong("POD: you divided by all that was called convection, not by all that is.")
        if np.isclose(pod, hits / len(says)):
            return wrong("POD: divide by the sequences with convection, not by all sequences.")
        return wrong("POD is hits / (hits + misses).")
    if not np.isclose(far, false / (hits + false)):
        if np.isclose(far, false / (false + correct)):
            return wrong(
                "FAR: that is the false alarm *rate* (of all sequences without convection). The "
                "ratio divides by all alarms: hits + false alarms."
            )
        if np.isclose(far, hits / (hits + false)):
            return wrong("FAR: that is the share of alarms that are right; take the others.")
        return wrong("FAR is false alarms / (hits + false alarms).")
    return right(f"Of 100 convective sequences it finds {100 * pod:.0f}.")


@exercise
def correlations(answer, maps, fields):
    """Correlation of each heat map with its field, over the pixels."""
    maps, fields = np.asarray(maps, float), np.asarray(fields, float)
    answer = np.asarray(answer, float)
    n = len(maps)
    if answer.shape != (n,):
        if answer.ndim == 0 and np.isclose(answer, _pearson(maps.ravel(), fields.ravel())):
            return wrong(
                "One correlation over all scenes mixes what differs within a scene with what "
                f"differs between scenes. Give one for each of the {n} scenes."
            )
        return wrong(f"The result has the shape {answer.shape}; one for each scene is ({n},).")
    pairs = list(zip(maps, fields, strict=True))
    expected = [_pearson(a.ravel(), b.ravel()) for a, b in pairs]
    if np.allclose(answer, expected, atol=1e-4):
        return right(f"On average {np.mean(expected):.2f}.")
    if np.allclose(answer, np.square(expected), atol=1e-4):
        return wrong("That is the squared correlation: its sign is lost.")
    covariance = [((a - a.mean()) * (b - b.mean())).mean() for a, b in pairs]
    if np.allclose(answer, covariance, atol=1e-9):
        return wrong("That is the covariance. Divide by both standard deviations.")
    raw = [(a * b).mean() / (a.std() * b.std()) for a, b in pairs]
    if np.allclose(answer, raw, atol=1e-4):
        return wrong("Subtract each scene's mean first, from the map and from the field.")
    return wrong("The numbers differ. `np.corrcoef(a.ravel(), b.ravel())[0, 1]` does one scene.")


@exercise
def half_lost(answer, angles, pod):
    """The solar zenith angle at which POD falls below one half, between the angles tried."""
    angles, pod = np.asarray(angles, float), np.asarray(pod, float)
    expected = float(np.interp(-0.5, -pod, angles))
    if np.ndim(answer):
        return wrong("Give one angle, in degrees.")
    if abs(answer - expected) < 0.5:
        return right(f"At {expected:.0f} degrees half of the storms are lost.")
    if abs(answer - np.deg2rad(expected)) < 0.01:
        return wrong("That is in radians; give degrees.")
    if abs(answer - (90 - expected)) < 0.5:
        return wrong("That is the sun's height above the horizon. The zenith angle is 90 minus it.")
    if answer in angles:
        return wrong(
            "That is one of the angles tried; interpolate between its neighbours. `np.interp` "
            "needs x values that rise, and POD falls: give it `-pod_by_angle`."
        )
    return wrong("Look where POD passes 0.5 between two of the angles.")


def _pearson(a, b):
    a, b = a - a.mean(), b - b.mean()
    return (a * b).mean() / (a.std() * b.std())
