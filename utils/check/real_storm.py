"""Checks of lesson 11."""

import numpy as np

from utils import skill
from utils.check import exercise, right, wrong
from utils.readers import fetch
from utils.worlds import goes_mrms as world


def _csi(values, seen, threshold):
    return float(skill.scores(skill.counts(values, seen, [threshold]))["CSI"][0])


def _same(answer, value):
    return np.isclose(answer, value, rtol=0, atol=5e-3)


@exercise
def csi_later(answer, time, place, size, source, estimate, moved, shift):
    """CSI at 20 dBZ of another time, with its radar moved by a shift."""
    data = fetch.storm(time, place, size, source=source, progress=False)
    values, seen = estimate(world.as_input(data)), np.nan_to_num(data.mrms.values)
    there = moved(seen, shift)
    good, unmoved = _csi(values, there, 20), _csi(values, seen, 20)
    if _same(answer, good):
        return right(f"CSI {good:.2f}, and {unmoved:.2f} with radar where it was.")
    if _same(answer, unmoved):
        return wrong("That is with radar where it was: move it by `shift` first.")
    if _same(answer, _csi(values, moved(seen, [-pixels for pixels in shift]), 20)):
        return wrong("You moved it the other way: `panel.moved` takes `shift` as it is.")
    if _same(answer, _csi(values, there, 35)):
        return wrong("That is the CSI at 35 dBZ: take 20.")
    if _same(answer, _csi(skill.same_frequency(values, there), there, 20)):
        return wrong("That is at equal bias: score the estimate as it is.")
    return wrong("Fetch the scene at `later`, and score its estimate against its own radar, moved.")


@exercise
def night_change(answer, estimate, x, night_x, c13):
    """Mean change of the estimate at cold cloud when channel 7 has no sunlight."""
    change, cold = estimate(night_x) - estimate(x), c13 < 230
    expected = change[cold].mean()
    if np.isclose(answer, expected, rtol=0, atol=0.05):
        return right(f"{expected:+.1f} dBZ, and {abs(change[cold]).mean():.1f} dBZ up or down.")
    if np.isclose(answer, -expected, rtol=0, atol=0.05):
        return wrong("The sign: a change is after minus before.")
    if np.isclose(answer, change.mean(), rtol=0, atol=0.05):
        return wrong("That is the mean over all pixels: take those where C13 is below 230 K.")
    if np.isclose(answer, abs(change[cold]).mean(), rtol=0, atol=0.05):
        return wrong("That is the mean size of the change: keep its sign.")
    return wrong("The mean of `estimate(night_x) - says` where C13 is below 230 K.")


@exercise
def csi_wrong(answer, estimate, x, there, seen):
    """CSI at 20 dBZ with C13, C09, C07 in place of C07, C09, C13, where radar was moved."""
    good, bad = (estimate(v) for v in (x, x[..., [2, 1, 0, 3]]))
    right_order, wrong_order = (_csi(values, there, 20) for values in (good, bad))
    if _same(answer, wrong_order):
        return right(
            f"{wrong_order:.2f} in the wrong order, {right_order:.2f} in the right one, and no "
            "complaint."
        )
    if _same(answer, right_order):
        return wrong("That is the right order: change it before the estimate.")
    if _same(answer, _csi(bad, seen, 20)):
        return wrong("That is against radar where it was: score against `there`.")
    return wrong("Stack the channels as C13, C09, C07, GLM, and score at 20 dBZ.")
