"""World 5: sixty winter days, and the highest discharge that a river gauge saw in them.

The catchment is small and steep, so that a day's rain has run off by the next day. The gauge keeps
the highest discharge of the sixty days, which is in proportion to that day's rain. What falls on
days below zero is snow: it stays on the hills and never reaches the river. So one single day
decides, the wettest of those above zero, and we know which.

Snow is what confounds: a heavy snowfall looks like the cause until one looks at the temperature.
"""

import numpy as np
import xarray as xr

from utils.worlds.drawing import check_request

DAYS = 60
STORMS = 5  # in sixty days; the first one decides
HEAVY = 10, 60  # mm/day: a storm, as rain or as snow
ORDINARY = 6  # mm/day: the most on other days
PERSISTENCE, SPREAD = 0.8, 5  # of the temperature: correlation of neighbouring days, deviation in K
AREA, RUN_OFF = 4.32, 0.5  # km2, and the share of the rain that reaches the river within the day
DISCHARGE = AREA * RUN_OFF / 86.4  # m3/s for each mm/day


def simulate(n, seed):
    """Draw seasons of sixty days, and what the gauge kept of each.

    Any day may be the decisive one, and all are equally likely. No other day has more than 60 % of
    its rain; snowfalls may be as heavy as it or heavier.

    Parameters
    ----------
    n, seed : int
        Number of seasons and the seed of the first; the next has the next.

    Returns
    -------
    xarray.Dataset
        ``precipitation`` (sample, day) in mm/day, as rain or snow; ``temperature`` (sample, day) in
        degrees Celsius; ``peak`` (sample), the highest daily discharge in m3/s. The truth:
        ``truth_rain`` (sample, day), the part of the precipitation that is rain; ``truth_day``
        (sample), the decisive day, counted from 0; ``truth_share`` (sample), by which part the peak
        would have been lower without that day's rain. ``seed`` (sample) draws the season again.

    Raises
    ------
    ValueError
        If n or seed is no whole number in its range.
    """
    check_request(n, seed, None, [None])
    seeds = range(seed, seed + n)
    temperature, wet, ordinary, stormy, storms = map(
        np.array, zip(*map(_draws, seeds), strict=True)
    )
    for day in range(1, DAYS):
        kick = np.sqrt(1 - PERSISTENCE**2) * temperature[:, day]
        temperature[:, day] = PERSISTENCE * temperature[:, day - 1] + kick
    some = np.arange(n)
    decisive = stormy[:, 0]
    # Seasons turned round in sign are as likely: so the decisive day is above zero, at no cost.
    temperature *= np.where(temperature[some, decisive] < 0, -1, 1)[:, None]
    for storm in range(1, STORMS):
        is_rain = temperature[some, stormy[:, storm]] > 0
        storms[is_rain, storm] *= storms[is_rain, 0] / 100  # 10 to 60 % of the decisive one
    precipitation = np.where(wet, np.minimum(ordinary, ORDINARY), 0)
    precipitation[some[:, None], stormy] = storms
    rain = np.where(temperature > 0, precipitation, 0)
    first, second = -np.sort(-rain, axis=1)[:, :2].T
    by_day = ("sample", "day")
    return xr.Dataset(
        {
            "precipitation": (by_day, np.float32(precipitation), {"units": "mm d-1"}),
            "temperature": (by_day, np.float32(temperature), {"units": "degC"}),
            "peak": ("sample", np.float32(DISCHARGE * first), {"units": "m3 s-1"}),
            "truth_rain": (by_day, np.float32(rain), {"units": "mm d-1"}),
            "truth_day": ("sample", decisive),
            "truth_share": ("sample", np.float32(1 - second / first), {"units": "1"}),
            "seed": ("sample", np.array(seeds)),
        }
    )


def _draws(seed):
    """What is random about one season: temperature's kicks, ordinary days, and the storms."""
    rng = np.random.default_rng(seed)
    kicks, wet, ordinary = rng.normal(0, SPREAD, DAYS), rng.random(DAYS), rng.exponential(3, DAYS)
    return kicks, wet < 0.35, ordinary, rng.permutation(DAYS)[:STORMS], rng.uniform(*HEAVY, STORMS)


def as_input(data):
    """What the networks get: precipitation in 50 mm/day and temperature in 10 degrees Celsius.

    Zero stays zero, a dry day and the freezing point, and nothing is much larger than 1.

    Parameters
    ----------
    data : xarray.Dataset
        As from `simulate`.

    Returns
    -------
    numpy.ndarray, shape (sample, 60, 2)
        float32.
    """
    return np.stack([data.precipitation.values / 50, data.temperature.values / 10], -1)
