"""How a scene becomes satellite channels, lightning, radar, and the truth about them.

A storm is a plume: a head that faces the wind, with an edge as sharp as a pixel while it grows, and
an anvil that drifts away with the shear. Coordinates along (u) and across (v) the shear are
warped, so that no two plumes look alike. What rains is built of parts, each with a cause that the
satellite sees within `REACH` pixels.
"""

from math import cos, sin
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import pdtr, pdtrik

from utils.worlds import drawing
from utils.worlds.drawing import streams
from utils.worlds.goes_mrms.radiative_transfer import NOISE, brightness_temperature, seen_from_above

PARTS = ("lightning", "edge", "dense", "stratiform", "shower")
REACH = {"lightning": 8, "edge": 10, "dense": 8, "stratiform": 4, "shower": 5}  # pixels
BLUR = 0.5  # pixels: the sensor's own, and that of putting its scan on this grid
MARGIN = 24  # pixels drawn around the scene, so that anvils may come from outside
STREAMS = ("storms", "warp", "lumps", "land", "cloud", "cirrus", "showers", "patches", "stray")
STREAMS += "radar", "groups"
# Of 100 systems so many are isolated cells, lines, complexes, decaying storms.
SYSTEMS = {"cells": 0.36, "line": 0.22, "complex": 0.17, "decaying": 0.25}


class Storm(NamedTuple):
    """A plume; lengths in pixels, temperatures in kelvins, echoes in dBZ."""

    y: float
    x: float
    length: float
    width: float
    angle: float  # of the shear, radians clockwise from east
    top: float
    depth: float  # optical depth
    sharp: bool  # does the head grow against a clear sky?
    echo: float  # behind a sharp edge
    rain: float  # stratiform
    cores: tuple  # (u, v, radius, groups a pixel, echo)
    towers: tuple  # (u, v, radius, kelvins colder, echo)


stream = streams(STREAMS)


def noise(rng, n, *how):
    """A random field of n x n pixels, as :func:`utils.worlds.drawing.noise` makes it."""
    return drawing.noise(rng.standard_normal((n, n), np.float32), *how)


def soft(field, threshold=0.0, width=1.0):
    """From 0 well below the threshold to 1 well above it."""
    return 0.5 + 0.5 * np.tanh((field - threshold) / (2 * width))


def storms(seed, n):
    """Decide on the storms of a square of n pixels.

    A system is a few isolated cells, a line across the shear, a complex, or storms that decay.
    """
    rng = stream(seed, "storms")
    shear = rng.uniform(-0.9, 0.9)  # mostly from the west
    found = []
    for _ in range(rng.poisson(rng.gamma(3, 0.8) * n**2 / 112**2)):
        kind = rng.choice(list(SYSTEMS), p=list(SYSTEMS.values()))
        y, x = rng.uniform(0, n, 2)
        if kind == "line":
            count, tilt = int(rng.integers(4, 8)), shear + np.pi / 2 + rng.normal(0, 0.25)
            steps = (np.arange(count) - (count - 1) / 2) * rng.uniform(8, 11)
            places = [(y + s * np.sin(tilt), x + s * np.cos(tilt)) for s in steps]
        elif kind == "complex":
            places = [(y, x)]
        else:
            places = [(y, x), *rng.normal((y, x), 20, (int(rng.integers(0, 3)), 2))]
        found += [_storm(rng, kind, y, x, shear) for y, x in places]
    return found


def _storm(rng, kind, y, x, shear):
    big, old = kind == "complex", kind == "decaying"
    length = rng.uniform(32, 50) if big else rng.uniform(18, 40)
    width = rng.uniform(13, 20) if big else rng.uniform(4.5, 9.5)

    def inside(near, far):
        return rng.uniform(near, far * length), rng.uniform(-0.55, 0.55) * width

    cores, towers = [], []
    if not old:
        for _ in range(rng.poisson(2.2 if big else 0.75)):
            rate = rng.lognormal(np.log(9), 1.2)  # as heavy a tail as GLM's
            core = (*inside(7, 0.65), rng.uniform(1.6, 3.0), rate, rng.uniform(24, 34))
            cores.append(core)
        for _ in range(rng.poisson(1.0 if big else 0.35)):
            towers.append(
                (*inside(9, 0.6), rng.uniform(3.5, 6.5), rng.uniform(9, 15), rng.uniform(14, 21))
            )
    return Storm(
        float(y + rng.normal(0, 1.5)),
        float(x + rng.normal(0, 1.5)),
        length,
        width,
        shear + rng.normal(0, 0.12),
        rng.uniform(219, 232) if old else rng.uniform(207, 218),
        rng.uniform(1.2, 3.0) if old else rng.uniform(4.5, 8),
        bool(rng.random() < 0.62) and not old,
        rng.uniform(20, 31),
        rng.uniform(5, 12) if old else rng.uniform(8, 18),
        tuple(cores),
        tuple(towers),
    )


def draw(scene):
    """Draw a scene.

    Parameters
    ----------
    scene : utils.worlds.goes_mrms.Scene

    Returns
    -------
    channels : array, shape (4, y, x)
        Brightness temperature of channels 7, 9 and 13 in kelvins, and GLM groups.
    reflectivity : array, shape (y, x)
        In dBZ.
    parts : array, shape (part, y, x)
        What each of `PARTS` adds to the reflectivity, in dBZ.
    causes : array of bool, shape (part, y, x)
        Where the satellite sees the cause of each part.
    """
    n = scene.size + 2 * MARGIN
    inner = slice(MARGIN, -MARGIN)
    parts = np.zeros((len(PARTS), n, n), np.float32)
    causes = np.zeros(parts.shape, bool)
    high, expected = _plumes(scene, n, parts, causes)
    layers = _ground(scene, n, parts, causes)
    channels = np.stack(
        [*_temperatures(scene, layers, high), _groups(scene, expected, high, causes)]
    )
    rng = stream(scene.seed, "radar")
    patchy, beam = 1 + 0.08 * noise(rng, n, 1.5), rng.normal(0, 1.5, (n, n))
    total = parts.sum(0)
    echo = np.where(total > 0, np.clip(total * patchy + beam, 0, 60), 0)
    crop = (..., inner, inner)
    return tuple(
        np.ascontiguousarray(a[crop])
        for a in (np.float32(channels), np.float32(echo), parts, causes)
    )


def _plumes(scene, n, parts, causes):
    """Temperature and optical depth of the high cloud, and groups expected of each pixel."""
    rows, columns = np.mgrid[:n, :n].astype(np.float32)
    warp = stream(scene.seed, "warp")
    rows += 1.9 * noise(warp, n, 6, 4) + 0.25 * noise(warp, n, 2)
    columns += 1.9 * noise(warp, n, 6, 4) + 0.25 * noise(warp, n, 2)
    rng = stream(scene.seed, "lumps")
    lumps, fine, rainy = noise(rng, n, 2.2, 2.4), noise(rng, n, 1.0, 2.0), noise(rng, n, 5)
    temperature, coldest = np.full((2, n, n), 300, np.float32)
    depth = np.zeros((n, n), np.float32)
    expected = np.zeros((n, n), np.float32)
    for storm in storms(scene.seed, n):
        reach = int(storm.length + 2 * storm.width + 14)
        low = [max(0, int(p) - reach) for p in (storm.y, storm.x)]
        box = tuple(
            slice(a, max(a, int(p) + reach)) for a, p in zip(low, (storm.y, storm.x), strict=True)
        )
        if rows[box].size == 0:
            continue
        dy, dx = rows[box] - storm.y, columns[box] - storm.x
        u = dx * cos(storm.angle) + dy * sin(storm.angle)
        v = dy * cos(storm.angle) - dx * sin(storm.angle)
        side = abs(v) / (1.5 * storm.width)
        behind = u - storm.length * side**1.67  # distance behind the head, which is rounded
        across = np.exp(-((v / (0.9 * storm.width)) ** 4))
        sharp = storm.sharp and scene.edges
        tail = soft(storm.length * (1 - side**2.2) - u, 0, 0.1 * storm.length)
        body = soft(behind, 0, 0.3 if sharp else 3.0) * tail
        own_depth = storm.depth * body * np.clip(1 + 0.25 * lumps[box] + 0.06 * fine[box], 0.2, 2)
        own = storm.top + 22 * (1 - body) + 3 * np.clip(behind / storm.length, 0, 1)
        own = own + 2.4 * lumps[box] + 1.2 * fine[box]
        thick = soft(body, 0.7, 0.07)
        part = parts[(slice(None), *box)]
        cause = causes[(slice(None), *box)]
        if sharp:
            profile = np.exp(-(((behind - 3) / 2.2) ** 2)) * (behind < 7) * across
            np.maximum(part[1], storm.echo * np.where(profile > 0.05, profile, 0), out=part[1])
            cause[1] |= (abs(behind) < 1.6) & (across > 0.3)
        upwind = soft(-behind, -0.6 * storm.length, 0.04 * storm.length)
        rain = storm.rain * thick * upwind * np.clip(1 + 0.15 * rainy[box], 0, None)
        np.maximum(part[3], np.where(rain > 3, rain, 0), out=part[3])
        deep = np.zeros_like(own)
        for at, sideways, radius, colder, echo in storm.towers if scene.towers else ():
            distance = np.hypot(u - at, v - sideways)
            bump = np.exp(-((distance / radius) ** 4))
            deep = np.maximum(deep, colder * bump * (1 + 0.15 * fine[box]))
            own_depth = own_depth + 4 * bump
            np.maximum(part[2], echo * np.where(bump > 0.1, bump, 0), out=part[2])
            cause[2] |= bump > 0.5
        for at, sideways, radius, groups, echo in storm.cores:
            square = (u - at) ** 2 + (v - sideways) ** 2
            shape = np.exp(-square / radius**2)
            deep = np.maximum(deep, 3 * shape)  # the top overshoots, with or without lightning
            if scene.lightning:
                cold = np.clip(body * 1.2, 0, 1)
                wide = np.exp(-square / (2 * min(radius, 2.6) ** 2))
                np.maximum(part[0], echo * cold * np.where(wide > 0.05, wide, 0), out=part[0])
                expected[box] += groups * cold * shape
        if storm.cores and scene.lightning:  # flashes that spread through the anvil
            expected[box] += 0.03 * (body > 0.8)
        own = np.clip(own - deep, 193, 242)
        looks = own + 30 * np.exp(-own_depth)
        temperature[box] = np.where(looks < coldest[box], own, temperature[box])
        coldest[box] = np.minimum(coldest[box], looks)
        depth[box] = np.maximum(depth[box], own_depth)
    causes[3] = parts[3] > 3
    return (temperature, depth), expected


def _ground(scene, n, parts, causes):
    """Surface, low and middle cloud, and showers, as layers for `seen_from_above`."""
    rng = stream(scene.seed, "land")
    surface = rng.uniform(289, 303) + 1.5 * noise(rng, n, 8) + 0.5 * noise(rng, n, 1)
    rng = stream(scene.seed, "cloud")
    layers = [(surface, 1.0, 0.12)]
    low, band = noise(rng, n, 2, 2.6), noise(rng, n, 4, 3.6, 2.0, rng.uniform(0, np.pi))
    base = float(surface.mean())
    layers.append(
        (base - rng.uniform(9, 18) + low, 0.95 * soft(low, rng.uniform(0.3, 3.5), 0.3), 0.22)
    )
    middle = base - rng.uniform(30, 52) + 2 * low - 3 * band
    layers.append((middle, 0.97 * soft(band + 0.2 * low, rng.uniform(0.8, 4), 0.1), 0.10))
    rng = stream(scene.seed, "showers")
    rows, columns = np.mgrid[:n, :n].astype(np.float32)
    cloud, top = np.zeros((n, n), np.float32), np.full((n, n), 280, np.float32)
    for _ in range(rng.poisson(rng.gamma(1.0, 0.7) * n**2 / 112**2)):
        centre = rng.uniform(0, n, 2)
        for y, x in rng.normal(centre, 12, (int(rng.integers(3, 10)), 2)).tolist():
            size, rains = rng.uniform(1.8, 3.4), rng.random() < 0.6
            own, echo = (
                rng.uniform(259, 270) if rains else rng.uniform(274, 283),
                rng.uniform(18, 32),
            )
            square = ((rows - y) ** 2 + (columns - x) ** 2) / size**2
            cover = np.exp(-(square**2))
            np.maximum(cloud, cover, out=cloud)
            top = np.where(cover > 0.1, np.minimum(top, own), top)
            if rains:
                np.maximum(
                    parts[4], echo * np.where(cover > 0.05, np.exp(-square), 0), out=parts[4]
                )
                causes[4] |= cover > 0.3
    return [*layers, (top, 0.97 * cloud, 0.18)]


def _temperatures(scene, layers, high):
    """Brightness temperatures of channels 7, 9 and 13."""
    top, depth = high
    n = len(top)
    rng = stream(scene.seed, "cirrus")
    angle = rng.uniform(-0.9, 0.9)
    veil = noise(rng, n, 4, 3.6, 2.0, angle)
    cirrus = rng.uniform(0.3, 0.7) * soft(veil, rng.uniform(1.0, 4.5), 0.3)
    vapour = rng.uniform(241, 251) + 4 * noise(rng, n, 16, 4)
    above = [(rng.uniform(219, 230) + veil, cirrus, 0.06), (top, 1 - np.exp(-depth), 0.05)]
    for channel in ("c07", "c09", "c13"):
        below = [*layers, (vapour, 0.955, 0)] if channel == "c09" else layers
        seen = seen_from_above(channel, [*below, *above], scene.sun)
        seen = gaussian_filter(seen, BLUR) + rng.normal(0, NOISE[channel], seen.shape)
        floor = 0.15 * seen_from_above(channel, [(210.0, 1.0, 0.0)])
        yield brightness_temperature(np.maximum(seen, floor), channel)


def poisson(rng, rate):
    """Poisson numbers, each from one random number of its own.

    NumPy's take a varying number of them: a rate that differs in its last digit, as on another
    processor, would change all numbers that are drawn after it.
    """
    share = rng.random(rate.shape)
    numbers = np.zeros(rate.shape, int)
    some = share > np.exp(-np.float64(rate))
    share, rate = share[some], rate[some]
    most = np.ceil(pdtrik(share, rate))  # right, or by rounding one too many
    numbers[some] = most - (pdtr(most - 1, rate) >= share)
    return numbers


def _groups(scene, expected, high, causes):
    """GLM groups of 15 minutes, patchy: seven of ten are detected, and some are none."""
    n = len(expected)
    patches = np.exp(noise(stream(scene.seed, "patches"), n, 1, 1.5) - 0.5)  # of mean 1
    expected = expected * patches
    groups = poisson(stream(scene.seed, "groups"), 0.7 * expected)
    causes[0] = (expected > 0.7) | (groups > 0) & (expected > 0.2)
    rng = stream(scene.seed, "stray")
    for _ in range(rng.poisson(1.0 * n**2 / 112**2) if scene.stray else 0):
        y, x = rng.integers(2, n - 2, 2)
        patch = (slice(y - 1, y + 2), slice(x - 1, x + 2))
        glint = rng.poisson(rng.uniform(0.5, 4), (3, 3))
        groups[patch] += np.where(high[1][patch] < 0.05, glint, 0)
    return groups
