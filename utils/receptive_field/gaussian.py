"""How Gaussian an effective receptive field is: for `utils.receptive_field`."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import curve_fit

from utils.plain import plain


class Gaussian(NamedTuple):
    """What `fit_gaussian` returns; lengths in pixels."""

    centre_y: float
    centre_x: float
    sigma_y: float
    sigma_x: float
    share: float
    fit: float

    def map(self, shape):
        """The Gaussian as a map of this shape (y, x), 1 at its top."""
        y, x = np.ogrid[: shape[0], : shape[1]]
        squares = ((y - self.centre_y) / self.sigma_y) ** 2 + (
            (x - self.centre_x) / self.sigma_x
        ) ** 2
        return np.exp(-squares / 2)


def fit_gaussian(erf, box=None):
    """Fit a Gaussian to an effective receptive field, by least squares.

    Parameters
    ----------
    erf : array, shape (y, x)
        As `effective` gives it: not negative.
    box : Box or (slice, slice), optional
        Rows and columns whose share of the sum is wanted.

    Returns
    -------
    Gaussian
        Centre and `sigma` along rows (y) and columns (x), in pixels; `share`, the part of the sum
        inside the box (1 without one); `fit`, the part of the variance that the Gaussian explains
        where the map is not zero: 1 for a Gaussian.

    Raises
    ------
    ValueError
        If the map is not one of finite numbers from 0 on with a positive sum, or no Gaussian fits.
    """
    try:
        erf = np.asarray(erf)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise TypeError("erf must be a map (y, x) of numbers.") from error
    if erf.dtype.kind not in "biuf":
        raise TypeError(f"erf must be a map (y, x) of numbers, not of {plain(erf.dtype)}.")
    erf = erf.astype(float)
    if box is not None and not _is_box(box):
        raise TypeError(
            f"box must be a Box, or slices of rows and columns, not {plain(repr(box))}."
        )
    if erf.ndim != 2 or not np.isfinite(erf).all() or erf.min(initial=0) < 0 or not erf.any():
        raise ValueError(
            "erf must be a map (y, x) of finite numbers from 0 on, not all zero: no sample moved "
            "the pixel, perhaps; take more."
        )
    reached = (np.flatnonzero(erf.any(axis)) for axis in (1, 0))
    rows, columns = (slice(places[0], places[-1] + 1) for places in reached)
    z = erf[rows, columns] / erf.max()
    y, x = (places.ravel().astype(float) for places in np.mgrid[rows, columns])
    weights = z.ravel() / z.sum()
    centre = weights @ y, weights @ x
    spread = [
        max(np.sqrt(weights @ (a - m) ** 2), 0.3) for a, m in zip((y, x), centre, strict=True)
    ]

    def bell(_, top, y0, x0, sy, sx):
        return top * np.exp(-(((y - y0) / sy) ** 2 + ((x - x0) / sx) ** 2) / 2)

    low, high = [0, y.min(), x.min(), 0.05, 0.05], [9, y.max() + 1e-9, x.max() + 1e-9, 1e4, 1e4]
    try:
        best, _ = curve_fit(bell, y, z.ravel(), (1, *centre, *spread), bounds=(low, high))
    except (RuntimeError, ValueError) as error:
        raise ValueError("No Gaussian fits this map: look at it.") from error
    left = ((z.ravel() - bell(0, *best)) ** 2).sum()
    variance = ((z - z.mean()) ** 2).sum()
    inside = erf if box is None else erf[box[0], box[1]]
    fit = 1 - left / variance if variance else 1.0
    return Gaussian(*map(float, best[1:]), float(inside.sum() / erf.sum()), float(fit))


def _is_box(box):
    """Is it a pair of slices by whole numbers, and perhaps more?"""
    pair = box[:2] if isinstance(box, tuple | list) else ()
    ends = [end for cut in pair if isinstance(cut, slice) for end in (cut.start, cut.stop)]
    return len(ends) == 4 and all(isinstance(end, int | np.integer | None) for end in ends)
