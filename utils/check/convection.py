"""Checks of lesson 06."""

from dataclasses import replace

import numpy as np

from utils.check import exercise, right, wrong
from utils.worlds import convection as world


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
def far_when_rare(answer, says, label, share):
    """False alarm ratio where this share of all scenes is convective."""
    says, label = np.asarray(says, bool), np.asarray(label, bool)
    if np.ndim(answer) or not 0 <= answer <= 1:
        return wrong(f"FAR should be one number between 0 and 1, not {answer!r}.")
    pod, alarms = says[label].mean(), says[~label].mean()

    def ratio(hits, false):
        return false / (hits + false)

    if np.isclose(answer, ratio(share * pod, (1 - share) * alarms)):
        return right(
            f"Of 100 alarms {100 * answer:.0f} are false, and the detector is the same as before."
        )
    if np.isclose(answer, ratio(pod, alarms)) or np.isclose(answer, (~label[says]).mean()):
        return wrong("That is FAR where half of the scenes are storms. Weight both shares.")
    if np.isclose(answer, 1 - ratio(share * pod, (1 - share) * alarms)):
        return wrong("That is the share of alarms that are right; take the others.")
    if np.isclose(answer, ratio((1 - share) * pod, share * alarms)):
        return wrong(f"You swapped them: {share:.0%} of the scenes are storms, not the others.")
    if np.isclose(answer, (1 - share) * alarms):
        return wrong("Those are the false alarms per scene. Divide them by all alarms per scene.")
    return wrong(
        f"Count in 10,000 scenes, {10000 * share:.0f} of them storms: hits, false alarms, and "
        "false alarms over both together."
    )


@exercise
def fair_partner(answer, storms, brightness):
    """Dimmed storms that bubble about as strongly, in reflectance, as they did."""
    answer = list(answer)
    if len(answer) != len(storms) or not all(isinstance(s, world.Scene) for s in answer):
        return wrong(f"`fair` should be a list of {len(storms)} scenes, made with `replace`.")
    if any(s.brightness != brightness for s in answer):
        return wrong(f"Give every scene a brightness of {brightness}.")
    others = [
        replace(s, brightness=old.brightness, texture=old.texture)
        for s, old in zip(answer, storms, strict=True)
    ]
    if others != list(storms):
        return wrong("Change `brightness` and `texture` of each storm, and nothing else.")
    strength = [
        (s.brightness * s.texture) / (old.brightness * old.texture)
        for s, old in zip(answer, storms, strict=True)
    ]
    if not 0.8 < min(strength) <= max(strength) < 1.25:
        return wrong(
            "Bubbling in reflectance is brightness times contrast: from one storm to the other it "
            f"is now {min(strength):.2f} to {max(strength):.2f} times as strong as it was."
        )
    return right(
        f"Brightness times contrast is {np.mean(strength):.2f} times what it was, on average."
    )


@exercise
def pod_by_angle(answer, model, storms, angles):
    """POD of a network for the same storms under a lower and lower sun."""
    answer = np.asarray(answer, float)
    if answer.shape != (len(angles),):
        return wrong(f"The shape is {answer.shape}; one POD for each angle is ({len(angles)},).")
    if ((answer < 0) | (answer > 1)).any():
        return wrong("POD is a share between 0 and 1.")
    expected = []
    for angle in angles:
        x = world.as_input(world.render([replace(s, sun_zenith=angle) for s in storms]))
        z = model.predict(x, verbose=0)
        expected.append(float((z[:, 1] > z[:, 0]).mean()))
    if np.allclose(answer, expected, atol=1e-6):
        pairs = zip(expected, angles, strict=True)
        found = ", ".join(f"{100 * p:.0f} % at {angle:.0f}" for p, angle in pairs)
        return right(f"POD is {found} degrees.")
    if np.allclose(answer, 1 - np.array(expected), atol=1e-6):
        return wrong("That is the share of storms that are missed. POD is the share found.")
    if np.ptp(answer) == 0:
        return wrong(
            "The same POD at each angle: did the sun move? `replace(s, sun_zenith=a)` gives a new "
            "scene and leaves the old one as it is."
        )
    return wrong(
        "The numbers differ. Take the same 20 storms at each angle, change `sun_zenith` alone, "
        "render them, and take the mean of `says_convection(model, ...)`."
    )


def _pearson(a, b):
    a, b = a - a.mean(), b - b.mean()
    return (a * b).mean() / (a.std() * b.std())
