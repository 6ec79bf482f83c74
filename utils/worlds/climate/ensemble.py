"""How a model of the climate world gets its forced change and its variability."""

from functools import lru_cache
from math import exp
from zlib import crc32

import numpy as np
from scipy.interpolate import PchipInterpolator

from utils.worlds import read_data

YEARS = np.arange(1920, 2100)
LAT, LON = np.arange(-87, 90, 6.0), np.arange(-177, 180, 6.0)
FORCINGS = ("greenhouse", "aerosol", "volcanoes")
SPIN_UP = 20  # years thrown away, until the memory is filled
# CO2-equivalent in ppm on a high path; its warming below is 0.55 K per W/m2.
CO2 = PchipInterpolator([1900, 1920, 1945, 1970, 1990, 2010, 2050, 2100], [
    298, 305, 314, 335, 375, 420, 575, 960,
])  # fmt: skip
ERUPTIONS = {1963: 0.18, 1982: 0.15, 1991: 0.3}  # cooling of the global mean in K
# Regions that aerosol cools: latitude, longitude, year of the most, duration in years, K.
AEROSOL = [(40, -85, 1972, 17, 0.9), (50, 15, 1976, 17, 1.1), (32, 110, 2006, 18, 1.0)]
# Belts of rain: latitude and longitude of their middle, height and width in degrees, degrees of
# latitude that they gain for each of longitude, mm/day.
RAIN = [
    (7, -130, 6, 40, 0.0, 5.0), (6, -28, 6, 18, 0.05, 4.0),  # convergence zone: Pacific, Atlantic
    (-2, 85, 9, 24, 0.0, 5.5), (2, 145, 10, 26, 0.0, 5.5),  # Indian Ocean, warm pool
    (-14, -172, 6, 26, -0.33, 5.0),  # South Pacific convergence zone
    (0, -65, 10, 12, 0.0, 5.0), (-14, -52, 9, 12, 0.0, 3.0),  # Amazon
    (5, 20, 8, 14, 0.0, 4.0), (-13, 28, 8, 12, 0.0, 2.2),  # Africa
    (21, 95, 8, 14, 0.0, 4.0), (30, 118, 8, 14, 0.25, 2.5),  # monsoons of Asia
    (41, -175, 8, 38, 0.12, 3.0), (47, -38, 8, 26, 0.33, 3.0), (35, -82, 8, 10, 0.0, 2.0),  # storms
]  # fmt: skip
# Where rain changes, in per cent of it for each kelvin of global warming; places as above.
RAIN_CHANGE = [
    (0, -165, 7, 38, 0.0, 9), (2, 45, 8, 16, 0.0, 5), (12, 10, 8, 18, 0.0, 2),  # along the equator
    (20, 80, 9, 22, 0.0, 4),  # monsoon
    (37, 12, 8, 24, 0.0, -8), (25, -45, 9, 22, 0.0, -4), (17, -80, 8, 16, 0.0, -6),  # dry belts, N
    (28, -150, 8, 22, 0.0, -2), (-30, -100, 8, 28, 0.1, -6), (-30, 5, 8, 22, 0.0, -6),  # and S
    (-30, 95, 8, 26, 0.0, -5), (-5, -55, 9, 12, 0.0, -3),
]  # fmt: skip
ARCTIC, HOLE = 1.9, 1.6  # extra warming there, and lost warming, as multiples of the global mean


@lru_cache
def land_fraction():
    """Fraction of land in each cell, DataArray (lat, lon)."""
    return read_data("land/land_fraction.nc").land


def stream(seed, *names):
    """A random stream of its own for each purpose."""
    return np.random.default_rng([seed, *(crc32(str(name).encode()) for name in names)])


def bump(lat, lon, high, wide, tilt=0.0):
    """A bell around a place, with its height and width in degrees; tilt is degrees per degree."""
    east = (LON - lon + 180) % 360 - 180
    north = LAT[:, None] - lat - tilt * east
    return np.exp(-0.5 * (north / high) ** 2 - 0.5 * (east / wide) ** 2)


@lru_cache
def _smooth_root(length=1400.0):
    """Symmetric square root of a covariance that falls with distance in km, (cell, cell)."""
    lat, lon = (g.ravel() for g in np.meshgrid(np.deg2rad(LAT), np.deg2rad(LON), indexing="ij"))
    at = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    chord2 = np.clip(2 - 2 * at @ at.T, 0, None)
    size, shape = np.linalg.eigh(np.exp(-chord2 * 6371.0**2 / (2 * length**2)))
    # Single eigenvectors are arbitrary where eigenvalues are equal; this product is not.
    root = (shape * np.sqrt(size.clip(min=0))) @ shape.T
    return np.float32(root / np.sqrt((root**2).sum(1, keepdims=True)))


def smooth(rng, n):
    """Fields of mean 0 and deviation 1, correlated over some 1400 km, shape (n, lat, lon)."""
    root = _smooth_root()
    fields = rng.standard_normal((n, root.shape[1]), np.float32) @ root.T
    return fields.reshape(n, len(LAT), len(LON))


def weights():
    """Area of each cell, mean 1, array (lat, lon): the cosine of latitude over its mean."""
    area = np.repeat(np.cos(np.deg2rad(LAT))[:, None], len(LON), 1)
    return area / area.mean()


def global_mean(maps):
    """Area-weighted mean of maps (..., lat, lon), shape (..., 1, 1)."""
    return (np.asarray(maps) * weights()).mean((-2, -1), keepdims=True)


def forced(seed, forcings, observed):
    """Forced change since 1920 of temperature and precipitation, shape (2, year, lat, lon)."""
    rng, land = stream(seed, "forced"), land_fraction().values
    vary = (1 + 0.28 * rng.standard_normal(6)).tolist()
    sensitivity = 3.3 * (0.92 if observed else exp(0.1 * rng.standard_normal()))
    row = LAT[:, None]
    pattern = 0.85 + 0.45 * vary[0] * land - 0.45 * vary[1] * np.exp(-(((row + 58) / 11) ** 2))
    pattern = pattern + ARCTIC * vary[2] * np.exp(-(((90 - row) / 19) ** 2))
    pattern -= HOLE * vary[3] * bump(54, -34, 8, 15)
    extra = smooth(rng, 3)
    pattern += 0.2 * (extra[0] - global_mean(extra[0]))
    pattern /= global_mean(pattern)
    growth = np.log(CO2(YEARS) / CO2(1920))
    warming = sensitivity * growth / growth[-1]
    parts = {"greenhouse": warming[:, None, None] * pattern}
    parts["aerosol"] = -sum(
        kelvin * vary[4] * bell(year, wide)[:, None, None] * bump(lat, lon, 11, 22)
        for lat, lon, year, wide, kelvin in AEROSOL
    )
    ash = sum(
        k * (YEARS >= y) * np.exp(-(YEARS - y) / 1.3) * np.exp(rng.normal(0, 0.15))
        for y, k in ERUPTIONS.items()
    )
    parts["volcanoes"] = -ash[:, None, None] * (0.6 + 0.6 * land + 0.4 * np.exp(-((row / 30) ** 2)))
    change = sum((parts[name] for name in forcings), np.zeros((len(YEARS), len(LAT), len(LON))))

    # Rain of a warmer world: more towards the poles and on the equator, less in the subtropics.
    gain = 9 * bell_of(abs(row), 90, 27) + 1.5 * bell_of(row, 3, 9) - 2 * bell_of(abs(row), 30, 9)
    gain = gain + sum(per_cent * bump(*place) for *place, per_cent in RAIN_CHANGE)
    gain = vary[5] * gain * (1 + 0.35 * extra[1]) + extra[2]
    return np.float32([change, global_mean(change) * gain / 100 * rain()])


def bell(year, wide):
    """A bell in time that begins at 0."""
    shape = np.exp(-0.5 * ((YEARS - year) / wide) ** 2)
    return shape - shape[0]


def bell_of(lat, middle, wide):
    """A bell across latitudes."""
    return np.exp(-0.5 * ((lat - middle) / wide) ** 2)


def rain():
    """Precipitation of a year without change, mm/day."""
    westerlies = 0.4 + 2 * bell_of(abs(LAT[:, None]), 52, 14)
    return westerlies + sum(mm * bump(*place) for *place, mm in RAIN)


def noise_parts(observed):
    """Memory and size of the background, and the patterns of the modes, by variable.

    Returns
    -------
    memory : array, shape (lat, lon)
    background : array, shape (2, lat, lon)
    modes : array, shape (4, 2, lat, lon)
    """
    row, land = LAT[:, None], land_fraction().values
    north, south = bell_of(row, 85, 22), bell_of(row, -75, 12)
    background = [0.22 + 0.2 * land + 0.75 * north + 0.35 * south, 0.02 + 0.08 * rain()]
    west = -12 if observed else 0
    warm, pool = bump(0, -115 + west, 8, 32), bump(0, 140 + west, 9, 22)
    enso = [
        0.75 * warm - 0.25 * bump(32, -165, 12, 25) + 0.15 * land * bell_of(row, 0, 25),
        1.3 * bump(0, -165 + west, 6, 28) - 0.9 * pool,
    ]
    pdo = [
        0.35 * bump(55, -140, 12, 18) - 0.45 * bump(40, 175, 10, 28) + 0.15 * warm,
        0.2 * bump(45, -130, 8, 15) + 0 * land,
    ]
    nam = [
        0.55 * bump(57, 70, 12, 55) + 0.4 * bump(40, -85, 9, 22) - 0.6 * bump(65, -55, 10, 22),
        0.35 * bump(60, 0, 7, 25) - 0.3 * bump(42, 0, 7, 25),
    ]
    sam = [
        0.3 * bell_of(row, -48, 8) - 0.5 * bell_of(row, -76, 8) + 0 * land,
        0.15 * bell_of(row, -58, 6) - 0.15 * bell_of(row, -42, 6) + 0 * land,
    ]
    return 0.45 - 0.25 * land, np.array(background), np.array([enso, pdo, nam, sam])


def variability(seed, member, size, observed):
    """Internal variability of one run, shape (2, year, lat, lon)."""
    rng, n = stream(seed, "variability", member), len(YEARS) + SPIN_UP
    memory, background, modes = noise_parts(observed)
    # Temperature and precipitation are linked by the modes, not by the background.
    fields = smooth(rng, 2 * n).reshape(2, n, len(LAT), len(LON))
    fields[:, 1:] *= np.sqrt(1 - memory**2)
    for year in range(1, n):
        fields[:, year] += memory * fields[:, year - 1]
    fields *= background[:, None]
    index = rng.standard_normal((4, n))
    for k, (first, second) in enumerate([(0.35, -0.35), (0.6, 0.0)]):
        scale = np.sqrt((1 + second) * ((1 - second) ** 2 - first**2) / (1 - second))
        index[k] *= scale
        for year in range(2, n):
            index[k, year] += first * index[k, year - 1] + second * index[k, year - 2]
    fields += np.einsum("kt,kvyx->vtyx", index, modes)
    return size * fields[:, SPIN_UP:]


def climate(job):
    """One model: its runs, its signal and its noise.

    Returns
    -------
    runs : array, shape (2, member, year, lat, lon)
        Temperature in K, precipitation in mm/day.
    signal : array, shape (2, year, lat, lon)
    noise : array, shape (2, lat, lon)
    """
    seed, members, forcings, observed = job
    rng, row = stream(seed, "state"), LAT[:, None]
    size = 1.1 if observed else exp(0.1 * rng.standard_normal())
    bias = smooth(rng, 2)
    normal = np.array([
        300.5 - 45 * np.sin(np.deg2rad(row)) ** 2 - 8 * bell_of(row, -90, 15) + 1.3 * bias[0],
        rain() * np.exp(0.12 * bias[1]),
    ])  # fmt: skip
    signal = forced(seed, forcings, observed)
    runs = np.stack([variability(seed, m, size, observed) for m in range(members)], 1)
    runs = runs + (normal[:, None] + signal)[:, None]
    if observed:  # errors shrink as measurements become denser
        error = np.interp(YEARS, [1920, 1980], [0.25, 0.08])[:, None, None]
        runs += error * stream(seed, "measured").standard_normal(runs.shape)
    runs[1] = runs[1].clip(min=0)
    _, background, modes = noise_parts(observed)
    noise = size * np.sqrt(background**2 + (modes**2).sum(0))
    return np.float32(runs), signal, np.float32(noise)
