"""Lesson 11: how an estimate is compared with radar in place, and which pixels are explained."""

import numpy as np

from utils.explain.crops import HALF_BOX

EARTH, SATELLITE = 6371.0, 42164.0  # km from the Earth's centre


def parallax(place, satellite_longitude, height):
    """How far a satellite puts a cloud top away from where it is.

    Parameters
    ----------
    place : (float, float)
        Latitude and longitude, degrees.
    satellite_longitude : float
        Degrees east.
    height : float
        Of the cloud top, km.

    Returns
    -------
    (float, float)
        To the north and to the east, km, on a spherical Earth.
    """
    latitude, east = np.radians(place[0]), np.radians(place[1] - satellite_longitude)
    up = np.array(
        [np.cos(latitude) * np.cos(east), np.cos(latitude) * np.sin(east), np.sin(latitude)]
    )
    to = np.array([SATELLITE, 0, 0]) - EARTH * up
    to /= np.linalg.norm(to)
    north = np.array(
        [-np.sin(latitude) * np.cos(east), -np.sin(latitude) * np.sin(east), np.cos(latitude)]
    )
    eastward = np.array([-np.sin(east), np.cos(east), 0])
    return tuple(float(-height * (to @ way) / (to @ up)) for way in (north, eastward))


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


def strongest(estimate):
    """Row and column of the largest estimate whose receptive box lies inside, shape (y, x)."""
    inner = estimate[HALF_BOX:-HALF_BOX, HALF_BOX:-HALF_BOX]
    return tuple(HALF_BOX + int(i) for i in np.unravel_index(inner.argmax(), inner.shape))


def lit(lightning, estimate, most):
    """Rows and columns of some pixels with lightning and an estimate of 20 dBZ or more.

    Their receptive boxes lie inside. There are `most` at most, drawn by lot, always the same.

    Raises
    ------
    ValueError
        If there is none.
    """
    good = (lightning > 0) & (estimate >= 20)
    inside = np.zeros_like(good)
    inside[HALF_BOX:-HALF_BOX, HALF_BOX:-HALF_BOX] = True
    places = np.argwhere(good & inside)
    if not len(places):
        raise ValueError("No pixel has both lightning and 20 dBZ: choose another storm or place.")
    return np.random.default_rng(0).permutation(places)[:most].T
