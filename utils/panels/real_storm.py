"""Lesson 11: how an estimate is compared with radar in place, and which pixels are explained."""

import numpy as np
from scipy import ndimage

from utils import plots
from utils.explain.crops import HALF_BOX


def best_shift(radar, estimate, most):
    """By how many pixels an estimate lies too far north and east, for the best agreement.

    Parameters
    ----------
    radar, estimate : array, shape (y, x)
        With y to the south.
    most : int
        Pixels to each side that are tried.

    Returns
    -------
    (int, int)
        To the north and to the east.
    numpy.ndarray, shape (2 * most + 1, 2 * most + 1)
        Correlation by shift, from the south and from the west.
    """
    shifts = range(-most, most + 1)
    inside = np.s_[most:-most, most:-most]
    agreement = np.array(
        [
            [
                np.corrcoef(
                    radar[inside].ravel(),
                    np.roll(estimate, (north, -east), (0, 1))[inside].ravel(),
                )[0, 1]
                for east in shifts
            ]
            for north in shifts
        ]
    )
    best = np.unravel_index(np.nanargmax(agreement), agreement.shape)
    return tuple(int(i) - most for i in best), agreement


def moved(radar, shift):
    """Radar where a satellite shows its clouds; what comes in from outside has no echo.

    Parameters
    ----------
    radar : array, shape (sample, y, x)
    shift : (int, int)
        Pixels to the north and to the east, as from `best_shift`.

    Returns
    -------
    array, shape of `radar`
    """
    north, east = shift
    return ndimage.shift(radar, (0, -north, east), order=0)


def difference(ax, values, title):
    """Draw estimate minus radar, shape (y, x), in dBZ: green too much, brown too little."""
    artist = ax.imshow(values, cmap="BrBG", vmin=-60, vmax=60)
    plots.frame(ax, title)
    return artist


def worst(estimate, radar):
    """Row and column of the largest overestimate where radar has 20 dBZ or more, shape (y, x).

    The receptive box of the pixel lies inside.

    Raises
    ------
    ValueError
        If radar has so much nowhere.
    """
    good = _inside(radar >= 20)
    if not good.any():
        raise ValueError("Radar has 20 dBZ nowhere: choose another storm or place.")
    most = np.where(good, estimate - radar, -np.inf).argmax()
    return tuple(int(i) for i in np.unravel_index(most, radar.shape))


def lit(lightning, estimate, most):
    """Rows and columns of some pixels with lightning and an estimate of 20 dBZ or more.

    Their receptive boxes lie inside. There are `most` at most, drawn by lot, always the same.

    Raises
    ------
    ValueError
        If there is none.
    """
    places = np.argwhere(_inside((lightning > 0) & (estimate >= 20)))
    if not len(places):
        raise ValueError("No pixel has both lightning and 20 dBZ: choose another storm or place.")
    return np.random.default_rng(0).permutation(places)[:most].T


def _inside(good):
    """The same without pixels whose receptive box leaves the picture."""
    inside = np.zeros_like(good)
    middle = np.s_[HALF_BOX:-HALF_BOX, HALF_BOX:-HALF_BOX]
    inside[middle] = good[middle]
    return inside
