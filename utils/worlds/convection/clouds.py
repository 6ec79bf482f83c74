"""How a scene of the convection world becomes five pictures and what is true about them.

Clouds are fields of optical depth that drift with the wind over land that stays. Their reflectance
follows the two-stream formula for a cloud that absorbs nothing. A bubbling top is made of domes
that are born, grow and sink; the sun lights one side of each and leaves the other in the shade.
"""

from functools import lru_cache
from math import cos, radians, sin, tan

import cv2
import numpy as np

from utils.worlds import drawing
from utils.worlds.drawing import streams

SIZE, FRAMES = 64, 5
KM, MINUTES = 0.5, 2.0  # a pixel, and from one frame to the next
BIG = 128  # pixels of the periodic field that drifts through the picture
CORNER = (BIG - SIZE) // 2
STREAMS = ("scene", "land", "body", "cells", "other", "camera")
ASYMMETRY = 0.85  # of the scattering by cloud droplets

_ROWS, _COLUMNS = np.mgrid[:SIZE, :SIZE].astype(np.float32)


stream = streams(STREAMS)


def two_stream(depth):
    """Reflectance of a cloud of this optical depth over black ground."""
    thick = (1 - ASYMMETRY) * depth
    return thick / (2 + thick)


def optical_depth(reflectance):
    """The inverse of `two_stream`."""
    return 2 * reflectance / (1 - reflectance) / (1 - ASYMMETRY)


def noise(rng, length, slope=3.0, **how):
    """A random field of BIG x BIG pixels, as :func:`utils.worlds.drawing.noise` makes it."""
    white = np.float64(np.float32(rng.standard_normal((BIG, BIG))))
    return np.float32(drawing.noise(white, length, slope, fall=1.5**2, **how))


def soft(field, threshold, width):
    """From 0 well below the threshold to 1 well above it."""
    with np.errstate(over="ignore"):  # far below it is 0
        return 1 / (1 + np.exp(-(field - threshold) / width))


def blown(wind, minutes):
    """Pixels (east, south) that the wind moves a cloud between the middle frame and this time."""
    time = minutes - MINUTES * (FRAMES // 2)
    return [speed * 0.06 * time / KM for speed in wind]  # 1 m/s is 0.06 km/min


@lru_cache(maxsize=8)  # all that a cloud consists of moves alike
def _moved(east, south):
    """Where in a periodic field the pixels of the picture lie, once it has moved."""
    rows, columns = (_ROWS + CORNER - south) % BIG, (_COLUMNS + CORNER - east) % BIG
    return np.float32(rows), np.float32(columns)


def drift(field, wind, minutes, cast=(0, 0)):
    """The part of a periodic field in the picture, moved by the wind since the middle frame.

    `cast` moves it by some pixels more (east, south), as a shadow lies beside its cloud.
    """
    rows, columns = _moved(*(a + b for a, b in zip(blown(wind, minutes), cast, strict=True)))
    return cv2.remap(field, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)


def land(rng, snow=None):
    """Reflectance of the ground: fields and hills, or snow with dark valleys."""
    relief = noise(rng, 3, 2.6)
    if snow is None:
        fields = np.round(1.5 * noise(rng, 8, 3.5)) / 1.5
        tone = 1 + 0.12 * relief + 0.16 * fields
        return np.clip(rng.uniform(0.12, 0.24) * tone, 0.05, 1)
    forest = soft(noise(rng, 5, 3), rng.uniform(0.8, 1.8), 0.35)
    return np.clip(snow * (1 + 0.05 * relief) * (1 - 0.6 * forest), 0.03, 0.95)


class Domes:
    """Bubbling cloud tops: domes that drift with the cloud, grow, and sink again.

    Their sizes follow a power law, and small ones sit on large ones.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : float
        Radius of the largest domes, in pixels.
    """

    SMALLEST = 0.9  # radius, in pixels

    def __init__(self, rng, size):
        margin = 16  # they drift in from outside, too
        n = int(0.5 * (SIZE + 2 * margin) ** 2)
        self.y, self.x = rng.uniform(-margin, SIZE + margin, (2, n)).astype(np.float32)
        # Cumulative numbers fall as radius to the -2: each octave of sizes covers the same area.
        low, high = self.SMALLEST**-2, size**-2
        self.radius = np.float32((low - (low - high) * rng.random(n)) ** -0.5)
        self.life = 5 + 2.5 * self.radius * rng.uniform(0.7, 1.3, n)  # minutes
        self.birth = rng.uniform(-self.life, MINUTES * (FRAMES - 1))
        self.squash = rng.uniform(0.75, 1.35, n)
        self.turn = rng.uniform(0, np.pi, n)

    def height(self, wind, minutes, active):
        """Height of the cloud top in pixels above its base level, where it is active."""
        age = (minutes - self.birth) / self.life
        x, y = (at + move for at, move in zip((self.x, self.y), blown(wind, minutes), strict=True))
        near = cv2.blur(active, (9, 9))[
            np.clip(np.rint(y), 0, SIZE - 1).astype(int),
            np.clip(np.rint(x), 0, SIZE - 1).astype(int),
        ]
        seen = (age > 0) & (age < 1) & (near > 0.02)
        grown = np.sin(np.pi * age[seen]) ** 0.7
        parts = x[seen], y[seen], self.radius[seen], grown, self.squash[seen], self.turn[seen]
        large = parts[2] > 2.5
        height = _domes(*(part[large] for part in parts))
        return height + 0.8 * _domes(*(part[~large] for part in parts))


def _domes(*shapes):
    """The highest of some domes at each pixel: ellipsoids, squashed and turned."""
    height = np.zeros(SIZE * SIZE, np.float32)
    shapes = np.float32(shapes)
    for low, high in ((0, 1.5), (1.5, 2.5), (2.5, 5), (5, 99)):  # of a size, in one go
        some = shapes[:, (shapes[2] > low) & (shapes[2] <= high), None, None]
        if not some.size:
            continue
        x, y, radius, grown, squash, turn = some
        r = radius * (0.5 + 0.5 * grown)
        reach = int(1.2 * r.max()) + 1
        step = np.arange(-reach, reach + 1, dtype=np.float32)
        row, column = np.rint(y) + step[:, None], np.rint(x) + step
        down, right, c, s = row - y, column - x, np.cos(turn), np.sin(turn)
        square = (c * right + s * down) ** 2 * squash + (c * down - s * right) ** 2 / squash
        square /= r**2
        inside = (square < 1) & (row >= 0) & (row < SIZE) & (column >= 0) & (column < SIZE)
        top = np.broadcast_to(radius * grown, square.shape)[inside] * np.sqrt(1 - square[inside])
        np.maximum.at(height, np.int64(row * SIZE + column)[inside], top)
    return height.reshape(SIZE, SIZE)


def sequence(scene):
    """Five pictures of a scene, and the truth.

    Returns
    -------
    reflectance, brightness, texture : array, shape (FRAMES, SIZE, SIZE)
        Reflectance factor as measured; what it would be without bubbling; what bubbling adds.
    bubbling : array of bool, shape (FRAMES, SIZE, SIZE)
    """
    snow = scene.brightness if scene.kind == "snow" else None
    ground = land(stream(scene.seed, "land"), snow)
    ground = ground[CORNER : CORNER + SIZE, CORNER : CORNER + SIZE]
    layers, active = _cloud(stream(scene.seed, "body"), scene)
    light = cos(radians(scene.sun_zenith))
    sun = radians(scene.sun_azimuth)
    toward = np.array([sin(sun), -cos(sun)])  # columns to the east, rows to the south
    slope = tan(radians(min(scene.sun_zenith, 55)))
    brightness = []
    for frame in range(FRAMES):
        seen = ground
        for depth, cover, km in layers:
            cast = km / KM * slope * -toward
            shadow = drift(cover, scene.wind, frame * MINUTES, cast)
            over = drift(cover, scene.wind, frame * MINUTES)
            body = two_stream(drift(depth, scene.wind, frame * MINUTES))
            seen = over * body + (1 - over) * seen * (1 - 0.5 * shadow)
        brightness.append(seen)
    brightness = np.clip(brightness, 0, 1)
    texture, bubbling = np.zeros_like(brightness), np.zeros(brightness.shape, bool)
    if scene.texture:
        domes = Domes(stream(scene.seed, "cells"), scene.cell_size)
        for frame in range(FRAMES):
            where = np.clip(drift(active, scene.wind, frame * MINUTES), 0, 1)
            bubbling[frame] = where > 0.5
            height = domes.height(scene.wind, frame * MINUTES, where) * np.sqrt(where)
            relative = scene.texture * _shading(height, toward, slope, bubbling[frame])
            texture[frame] = brightness[frame] * where * np.clip(relative, -0.75, 0.75)
    texture = np.clip(brightness + texture, 0, 1) - brightness
    grain = stream(scene.seed, "camera").standard_normal(brightness.shape)
    measured = np.clip(light * (brightness + texture) + 0.004 * grain, 0, 1)
    fields = np.float32([measured, light * brightness, light * texture])
    return *fields, bubbling


def _cloud(rng, scene):
    """The layers of cloud from below, and how much of the uppermost may bubble.

    A layer is its optical depth, how much of a pixel it covers, and its height above the ground
    in km, which decides where its shadow falls.
    """
    mean = optical_depth(min(scene.brightness, 0.93))
    direction = np.arctan2(scene.wind[1], scene.wind[0])
    none = np.zeros((BIG, BIG), np.float32)
    if scene.kind in ("clear", "snow"):
        return [], none
    if scene.kind == "cirrus":
        streaks = noise(rng, 3, 2.8, stretch=3.5, angle=direction + rng.normal(0, 0.4))
        veil = noise(rng, 10, 3.2)
        return [(mean * np.exp(0.3 * streaks), soft(0.4 * streaks + veil, -0.2, 0.7), 8)], none
    if scene.kind == "broken":
        return [_cumulus(rng, mean, rng.uniform(0.1, 0.4))], none
    if scene.kind in ("stratus", "deck"):
        waves, cells = noise(rng, 6, 3), noise(rng, 3.5, 0)
        gaps = soft(noise(rng, 12) + 0.3 * cells, -2.4 if scene.kind == "deck" else -1.4, 0.4)
        return [(mean * np.exp(0.25 * waves + 0.15 * cells), gaps, 1)], none
    y, x = np.mgrid[:BIG, :BIG].astype(np.float32) - BIG / 2
    away = np.hypot(x, y) / 32
    upwind = -(x * cos(direction) + y * sin(direction)) / 20
    shape = 1.3 * (1 - away) + 0.4 * noise(rng, 12, 3.6) + 0.08 * noise(rng, 4, 2.4)
    fibres = noise(rng, 3, 3.2, stretch=4, angle=direction)
    tail = soft(-upwind, 0.0, 0.35)  # where the anvil thins out, drawn into fibres
    shape = shape + 0.2 * tail * fibres
    cover = soft(shape, _threshold(shape, rng.uniform(0.35, 1.2)), 0.07 + 0.25 * tail)
    young = np.where(cover > 0.5, 0.35 * noise(rng, 10, 3.2) + upwind, -9)
    active = cover * soft(young, _threshold(young, rng.uniform(0.12, 0.3)), 0.12)
    depth = mean * np.exp(0.25 * noise(rng, 8, 3.0) + 0.12 * fibres - 0.25 * tail)
    below = _cumulus(rng, optical_depth(0.35), rng.uniform(0.0, 0.2))
    return [below, (depth, cover, 4)], active


def _cumulus(rng, mean, share):
    """Shallow cumulus that covers about this share of the ground, in fields with gaps."""
    puffs = noise(rng, 6.5, 1) + 0.6 * noise(rng, 12, 3)
    puffs -= float(np.quantile(puffs, 1 - share))
    return mean * np.exp(1.3 * np.clip(puffs - 0.8, -1, 1)), soft(puffs, 0, 0.25), 1.2


def _threshold(field, share):
    """The value that this share of the picture exceeds; above 1 a value far below all."""
    if share > 1:
        return -99
    middle = np.float64(field[CORNER : CORNER + SIZE, CORNER : CORNER + SIZE])
    return float(np.quantile(middle, 1 - share))


def _shading(height, toward, slope, where):
    """What a bumpy cloud top changes in its light, as a share: mean 0, deviation 1 at 35 degrees.

    Slopes that face the sun are brighter, hollows are darker, and a dome throws its shadow.
    """
    if not where.any():  # blown out of the picture
        return np.zeros((SIZE, SIZE))
    height = cv2.GaussianBlur(height, (0, 0), 0.5)
    down, right = np.gradient(height)
    lit = -(right * float(toward[0]) + down * float(toward[1]))
    deep = height - cv2.GaussianBlur(height, (0, 0), 5)
    shade = np.zeros_like(height)
    for step in range(1, 7):  # pixels towards the sun: does a dome there stand above the ray?
        there = [[1, 0, step * toward[0]], [0, 1, step * toward[1]]]
        tower = cv2.warpAffine(
            height,
            np.float32(there),
            (SIZE, SIZE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        np.maximum(shade, tower - height - step / slope, out=shade)
    shade = np.minimum(shade, 1)
    lit, deep = (part / (float(part[where].std()) + 1e-3) for part in (lit, deep))
    change = 0.9 * slope / 0.7 * np.clip(lit, -2, 2) + 0.7 * np.clip(deep, -2, 2) - 1.7 * shade
    return change - float(change[where].mean())
