"""Years as fuzzy decades: how a classifier is taught a year, and how its answer is read.

The recipe is that of Barnes et al. 2020 (https://doi.org/10.1029/2020MS002195) as published in code
by Labe and Barnes 2021: a year is a window of ten years around it, shared over the decades.
"""

import numpy as np

CENTRES = np.arange(1915.0, 2106, 10)


def fuzzy(years):
    """Share of a ten-year window around each year that lies in each decade.

    Parameters
    ----------
    years : array_like, shape (sample,)
        From 1915 to 2105.

    Returns
    -------
    numpy.ndarray, shape (sample, decade)
        float32; each row sums to 1, over at most two decades.

    Raises
    ------
    ValueError
        If a year lies outside.
    """
    years = np.asarray(years, float)
    if years.ndim != 1 or not ((years >= CENTRES[0]) & (years <= CENTRES[-1])).all():
        raise ValueError("Give a list of years from 1915 to 2105.")
    return np.float32(np.clip(1 - abs(years[:, None] - CENTRES) / 10, 0, 1))


def year(logits):
    """The year that logits stand for: the decades' centres, weighted by probability.

    Parameters
    ----------
    logits : array_like, shape (sample, decade)

    Returns
    -------
    numpy.ndarray, shape (sample,)

    Raises
    ------
    ValueError
        If there is not one finite logit for each decade.
    """
    logits = np.asarray(logits, float)
    if logits.shape[-1:] != CENTRES.shape or not np.isfinite(logits).all():
        raise ValueError(f"Give {len(CENTRES)} finite logits for each map, not {logits.shape}.")
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return p @ CENTRES / p.sum(-1)
