"""Scores: how often, with which uncertainty, and how well a heat map matches the truth."""

import numpy as np
from scipy.stats import binomtest, t


def rate(yes):
    """Share of True among yes-or-no answers, with its 95 % interval.

    Parameters
    ----------
    yes : array_like of bool, any shape

    Returns
    -------
    value : float
        In per cent.
    interval : tuple of float
        Wilson's 95 % confidence interval, in per cent.

    Raises
    ------
    ValueError, TypeError
        If there is no answer at all, or if the answers are not True or False.
    """
    yes = np.asarray(yes)
    if yes.size == 0:
        raise ValueError("There is nothing to count: give at least one yes or no.")
    if yes.dtype != bool:
        raise TypeError(f"rate counts True and False, not {yes.dtype}: compare first, as in z > 0.")
    interval = binomtest(int(yes.sum()), yes.size).proportion_ci(0.95, "wilson")
    return 100 * yes.mean(), (100 * interval.low, 100 * interval.high)


def bootstrap(statistic, *samples, n=1000, seed=0):
    """A statistic of samples, with its 95 % interval by resampling them together.

    Parameters
    ----------
    statistic : function
        Takes arrays like `samples`, gives a number.
    *samples : array_like, shape (sample, ...)
        All of one length; entry i of each belongs to the same case.
    n : int
        Number of resamplings.
    seed : int

    Returns
    -------
    value : float
    interval : tuple of float
        From the 2.5th to the 97.5th percentile over the resamplings.

    Raises
    ------
    ValueError
        If there is no case, or the samples differ in length.
    """
    samples = [np.asarray(sample) for sample in samples]
    size = len(samples[0])
    if size == 0 or any(len(sample) != size for sample in samples):
        raise ValueError("Give samples of one length, and at least one case.")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, size, (n, size))
    values = [statistic(*(sample[pick] for sample in samples)) for pick in picks]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(statistic(*samples)), (float(low), float(high))


def jackknife(statistic, *samples):
    """A statistic of few samples, with its 95 % interval by leaving each of them out once.

    For smooth statistics, such as means and the correlation of mean maps. A bootstrap repeats some
    samples and so makes means of fewer different ones, which pulls such a correlation towards 0.

    Parameters
    ----------
    statistic : function
        Takes arrays like `samples`, gives a number.
    *samples : array_like, shape (sample, ...)
        All of one length; entry i of each belongs to the same case.

    Returns
    -------
    value : float
    interval : tuple of float
        The value, less and more its jackknife error times Student's t. Of a mean it is the usual
        t interval.

    Raises
    ------
    ValueError
        If there are fewer than two cases, or the samples differ in length.
    """
    samples = [np.asarray(sample) for sample in samples]
    size = len(samples[0])
    if size < 2 or any(len(sample) != size for sample in samples):
        raise ValueError("Give samples of one length, and at least two cases.")
    value = float(statistic(*samples))
    left = [statistic(*(np.delete(sample, i, 0) for sample in samples)) for i in range(size)]
    half = float(t.ppf(0.975, size - 1) * np.std(left) * np.sqrt(size - 1))
    return value, (value - half, value + half)


def relevance_share(maps, masks):
    """Share of the positive relevance that lies inside a mask, for each sample.

    Parameters
    ----------
    maps : array_like, shape (sample, y, x) or (sample, y, x, channel)
        Relevance; channels are added first.
    masks : array_like of bool, shape (sample, y, x)

    Returns
    -------
    numpy.ndarray, shape (sample,)
        Between 0 and 1; NaN where a map has no positive relevance.
    """
    maps, masks = np.asarray(maps, float), np.asarray(masks, bool)
    if not np.isfinite(maps).all():
        raise ValueError("A heat map holds NaN or infinite values: look for the cause first.")
    if maps.ndim == 4:
        maps = maps.sum(-1)
    if maps.shape != masks.shape:
        raise ValueError(
            f"Maps have the shape {maps.shape}, masks {masks.shape}: give one mask for each map."
        )
    positive = np.clip(maps, 0, None)
    total = positive.sum((1, 2))
    inside = np.where(masks, positive, 0).sum((1, 2))
    return np.divide(inside, total, out=np.full(len(maps), np.nan), where=total > 0)


def relevance_density(maps, masks):
    """How many times denser positive relevance is inside a mask than it would be if spread evenly.

    Parameters
    ----------
    maps : array_like, shape (sample, y, x) or (sample, y, x, channel)
    masks : array_like of bool, shape (sample, y, x)

    Returns
    -------
    numpy.ndarray, shape (sample,)
        Share of relevance over share of area: 1 is no preference. NaN for an empty mask.
    """
    share = relevance_share(maps, masks)
    area = np.asarray(masks, bool).mean((1, 2))
    return np.divide(share, area, out=np.full(len(share), np.nan), where=area > 0)


def step_share(maps, steps):
    """Share of relevance that lies on one step of a series, for each sample.

    Relevance counts by its size. What speaks against the output is attributed to a step, too, and a
    map that hands out much for and much against should not look as sharp as one that does not.

    Parameters
    ----------
    maps : array_like, shape (sample, step) or (sample, step, channel)
        Relevance; channels are added first, then signs are dropped.
    steps : array_like of int, shape (sample,)

    Returns
    -------
    numpy.ndarray, shape (sample,)
        Between 0 and 1; NaN where a map is zero everywhere. Spread evenly, each step has 1 over
        their number.

    Raises
    ------
    ValueError
        If the shapes do not match, a map holds NaN or infinite values, or there is no such step.
    """
    maps, steps = np.asarray(maps, float), np.asarray(steps)
    if maps.ndim not in (2, 3) or steps.shape != maps.shape[:1]:
        raise ValueError(
            f"Maps have the shape {maps.shape}, steps {steps.shape}: give one step for each map."
        )
    if not np.isfinite(maps).all():
        raise ValueError("A heat map holds NaN or infinite values: look for the cause first.")
    if not np.isin(steps, np.arange(maps.shape[1])).all():
        raise ValueError(f"steps must be whole numbers from 0 to {maps.shape[1] - 1}.")
    size = abs(maps.sum(-1) if maps.ndim == 3 else maps)
    on, total = size[np.arange(len(size)), steps.astype(int)], size.sum(1)
    return np.divide(on, total, out=np.full(len(size), np.nan), where=total > 0)


def rank_agreement(maps, others):
    """Spearman's rank correlation of the sizes of two heat maps, for each sample.

    Parameters
    ----------
    maps, others : array_like, shape (sample, y, x) or (sample, y, x, channel)
        Channels are added first, then signs are dropped.

    Returns
    -------
    numpy.ndarray, shape (sample,)
        1 if both maps put the pixels in the same order, 0 if there is nothing in common, -1 if the
        order is turned round. NaN where a map is the same everywhere.

    Raises
    ------
    ValueError
        If the shapes do not match, or a map holds NaN or infinite values.
    """
    pair = [np.asarray(some, float) for some in (maps, others)]
    if pair[0].shape != pair[1].shape:
        shapes = f"{pair[0].shape} and {pair[1].shape}"
        raise ValueError(f"The maps have the shapes {shapes}: compare like with like.")
    if pair[0].ndim not in (3, 4):
        raise ValueError(f"For a single map pass maps[None]: the shape is {pair[0].shape}.")
    if not all(np.isfinite(some).all() for some in pair):
        raise ValueError("A heat map holds NaN or infinite values: look for the cause first.")
    sizes = [abs(some.sum(-1) if some.ndim == 4 else some) for some in pair]
    even = np.ones(sizes[0].shape[1:])
    return np.array([weighted_rank_correlation(a, b, even) for a, b in zip(*sizes, strict=True)])


def counts(estimate, observed, thresholds):
    """Hits, misses and false alarms of a forecast of events: values at or above a threshold.

    Parameters
    ----------
    estimate, observed : array_like, shape (sample, ...)
        In one unit, such as dBZ.
    thresholds : array_like, shape (threshold,)

    Returns
    -------
    numpy.ndarray of int, shape (sample, threshold, 3)
        Hits, misses, false alarms of each sample, for the function `scores` and for resampling.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is NaN or infinite.
    """
    estimate, observed = np.asarray(estimate, float), np.asarray(observed, float)
    if estimate.shape != observed.shape or estimate.ndim < 2:
        shapes = f"{estimate.shape} and {observed.shape}"
        raise ValueError(
            f"Estimate and observation must have one shape (sample, ...), not {shapes}."
        )
    if not (np.isfinite(estimate).all() and np.isfinite(observed).all()):
        raise ValueError("Estimate or observation holds NaN or infinite values: leave these out.")
    says, is_so = (
        v.reshape(len(v), 1, -1) >= np.reshape(thresholds, (1, -1, 1)) for v in (estimate, observed)
    )
    return np.stack([(says & is_so).sum(-1), (~says & is_so).sum(-1), (says & ~is_so).sum(-1)], -1)


def scores(counts):
    """POD, FAR, CSI and frequency bias at each threshold, over all samples together.

    Parameters
    ----------
    counts : array_like, shape (sample, threshold, 3)
        As the function `counts` gives them.

    Returns
    -------
    dict of str to numpy.ndarray, shape (threshold,)
        ``"POD"`` hits / (hits + misses), ``"FAR"`` false alarms / (hits + false alarms), ``"CSI"``
        hits / (hits + misses + false alarms), ``"bias"`` (hits + false alarms) / (hits + misses).
        NaN where nothing is to be divided by.
    """
    counts = np.asarray(counts)
    if counts.ndim != 3 or counts.shape[2] != 3:
        raise ValueError(f"counts must have the shape (sample, threshold, 3), not {counts.shape}.")
    hits, misses, false = counts.sum(0).astype(float).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "POD": hits / (hits + misses),
            "FAR": false / (hits + false),
            "CSI": hits / (hits + misses + false),
            "bias": (hits + false) / (hits + misses),
        }


def same_frequency(estimate, observed):
    """Stretch an estimate so that each value is as frequent as it is observed; ranks stay.

    The frequency bias is then 1 at every threshold, so that scores compare places alone.

    Parameters
    ----------
    estimate, observed : array_like, one shape

    Returns
    -------
    numpy.ndarray, the same shape
    """
    estimate, observed = np.asarray(estimate), np.asarray(observed)
    if estimate.shape != observed.shape:
        shapes = f"{estimate.shape} and {observed.shape}"
        raise ValueError(f"Estimate and observation must have one shape, not {shapes}.")
    matched = np.empty(estimate.size, observed.dtype)
    matched[np.argsort(estimate, axis=None, kind="stable")] = np.sort(observed, axis=None)
    return matched.reshape(estimate.shape)


def weighted_rank_correlation(a, b, weights):
    """Spearman's rank correlation of two maps in which a cell counts as much as its area.

    A cell's rank is the area of all cells with smaller values, plus half of its own.

    Parameters
    ----------
    a, b, weights : array_like, of one shape
        Two maps, and the area of each cell.

    Returns
    -------
    float
        NaN where a map is the same everywhere.

    Raises
    ------
    ValueError
        If the shapes differ, values are not finite, or a weight is not positive.
    """
    a, b, weights = (np.asarray(some, float) for some in (a, b, weights))
    if not a.shape == b.shape == weights.shape:
        shapes = f"{a.shape}, {b.shape} and {weights.shape}"
        raise ValueError(f"Maps and weights have the shapes {shapes}: they must be the same.")
    if not (np.isfinite(a).all() and np.isfinite(b).all() and (weights > 0).all()):
        raise ValueError("Maps must be finite and weights positive: look for the cause first.")
    w = weights.ravel() / weights.sum()
    ranks = []
    for values in (a.ravel(), b.ravel()):
        _, which = np.unique(values, return_inverse=True)
        area = np.bincount(which, w)
        ranks.append((np.cumsum(area) - area / 2)[which] - 0.5)  # the weighted mean is 0.5
    spread = np.sqrt((w * ranks[0] ** 2).sum() * (w * ranks[1] ** 2).sum())
    return float((w * ranks[0] * ranks[1]).sum() / spread) if spread > 1e-12 else np.nan
