"""How a scene of the convection world becomes five pictures and what is true about them.

Clouds are fields of optical depth that drift with the wind over land that stays. Their reflectance
follows the two-stream formula for a cloud that absorbs nothing. A bubbling top is made of domes
that are born, grow and sink; the sun lights one side of each and leaves the other in the shade.
"""

from math import cos, radians, sin, tan

import cv2
import numpy as np
from scipy.ndimage import shift

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


def drift(field, wind, minutes):
    """The part of a periodic field in the picture, moved by the wind since the middle frame."""
    move = blown(wind, minutes)[::-1]
    rows, columns = (_ROWS + CORNER - move[0]) % BIG, (_COLUMNS + CORNER - move[1]) % BIG
    rows, columns = np.float32(rows), np.float32(columns)
    return cv2.remap(field, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)


def land(rng, snow=None):
    """Reflectance of the ground: fields and hills, or snow with dark valleys."""
    relief = noise(rng, 5, 3.5)
    if snow is None:
        return np.clip(
            rng.uniform(0.08, 0.16) * (1 + 0.22 * relief + 0.12 * noise(rng, 2)), 0.03, 1
        )
    valleys = soft(noise(rng, 7), rng.uniform(-1.5, -0.9), 0.25)
    return np.clip(snow * (1 + 0.035 * relief) * (0.35 + 0.65 * valleys), 0.03, 0.95)


class Domes:
    """Bubbling cloud tops: domes that drift with the cloud, grow, and sink again.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : float
        Radius of the largest domes, in pixels.
    """

    def __init__(self, rng, size):
        reach = SIZE + 40  # they drift in from outside, too
        n = int(2.2 * (reach / size) ** 2 / 2)
        self.y, self.x = rng.uniform(-20, SIZE + 20, (2, n)).astype(np.float32)
        self.radius = np.float32(size * rng.uniform(0.45, 1, n))
        self.birth = rng.uniform(-14, 8, n)
        self.life = rng.uniform(9, 20, n)

    def height(self, wind, minutes, active):
        """Height of the cloud top in pixels above its base level, where it is active."""
        age = (minutes - self.birth) / self.life
        east, south = blown(wind, minutes)
        x, y = self.x + east, self.y + south
        near = cv2.blur(active, (13, 13))[
            np.clip(np.rint(y), 0, SIZE - 1).astype(int),
            np.clip(np.rint(x), 0, SIZE - 1).astype(int),
        ]
        inside = (abs(y - SIZE / 2) < SIZE / 2 + 8) & (abs(x - SIZE / 2) < SIZE / 2 + 8)
        seen = (age > 0) & (age < 1) & (near > 0.02) & inside
        grown = np.sin(np.pi * age[seen]) ** 0.7
        radius, top = self.radius[seen] * (0.5 + 0.5 * grown), self.radius[seen] * grown
        height = np.zeros((SIZE, SIZE), np.float32)
        for row, column, r, h in np.stack([y[seen], x[seen], radius, top], 1).tolist():
            box = np.s_[
                max(int(row - r), 0) : max(int(row + r) + 2, 0),
                max(int(column - r), 0) : max(int(column + r) + 2, 0),
            ]
            square = ((_ROWS[box] - row) ** 2 + (_COLUMNS[box] - column) ** 2) / r**2
            np.maximum(height[box], h * np.sqrt(np.maximum(1 - square, 0)), out=height[box])
        return height


def sequence(scene):
    """Five pictures of a scene, and the truth.

    Returns
    -------
    reflectance, brightness, texture : array, shape (FRAMES, SIZE, SIZE)
        Reflectance factor as measured; what it would be without bubbling; what bubbling adds.
    bubbling : array of bool, shape (FRAMES, SIZE, SIZE)
    """
    rng = stream(scene.seed, "body")
    snow = scene.brightness if scene.kind == "snow" else None
    ground = land(stream(scene.seed, "land"), snow)
    ground = ground[CORNER : CORNER + SIZE, CORNER : CORNER + SIZE]
    wind = scene.wind
    depth, cover, active = _cloud(rng, scene)
    light = cos(radians(scene.sun_zenith))
    sun = radians(scene.sun_azimuth)
    toward = np.array([sin(sun), -cos(sun)])  # columns to the east, rows to the south
    slope = tan(radians(min(scene.sun_zenith, 55)))
    cast = 6 * slope * -toward  # a cloud 3 km above the ground throws its shadow so far
    brightness = []
    for frame in range(FRAMES):
        minutes = frame * MINUTES
        over = drift(cover, wind, minutes)
        body = two_stream(drift(depth, wind, minutes) * over)
        shadow = shift(over, cast[::-1], order=1, mode="nearest") if scene.kind == "shield" else 0
        brightness.append(over * body + (1 - over) * ground * (1 - 0.55 * shadow))
    brightness = np.array(brightness)
    texture, bubbling = np.zeros_like(brightness), np.zeros(brightness.shape, bool)
    if scene.texture:
        domes = Domes(stream(scene.seed, "cells"), scene.cell_size)
        for frame in range(FRAMES):
            minutes = frame * MINUTES
            where = drift(active, wind, minutes)
            bubbling[frame] = where > 0.5
            lit, deep = _shading(domes.height(wind, minutes, where), toward, bubbling[frame])
            relative = np.clip(scene.texture * (0.8 * slope / 0.7 * lit + 0.6 * deep), -0.75, 0.75)
            texture[frame] = brightness[frame] * where * relative
    texture = np.clip(brightness + texture, 0, 1) - brightness
    grain = stream(scene.seed, "camera").standard_normal(brightness.shape)
    measured = np.clip(light * (brightness + texture) + 0.004 * grain, 0, 1)
    fields = np.float32([measured, light * brightness, light * texture])
    return *fields, bubbling


def _cloud(rng, scene):
    """Optical depth of the cloud, how much of a pixel it covers, and how much of it may bubble."""
    mean = optical_depth(min(scene.brightness, 0.93))
    direction = np.arctan2(scene.wind[1], scene.wind[0])
    full = np.ones((BIG, BIG), np.float32)
    if scene.kind in ("clear", "snow"):
        return full, 0 * full, 0 * full
    if scene.kind == "cirrus":
        streaks = noise(rng, 4, 3.2, stretch=6, angle=direction + rng.normal(0, 0.4))
        return mean * np.exp(0.3 * streaks), soft(streaks, 0.1, 0.45), 0 * full
    if scene.kind == "broken":
        patches = noise(rng, 5, 3.2)
        cover = soft(patches, rng.uniform(0.1, 0.7), 0.35)
        return mean * np.exp(0.5 * patches), cover, 0 * full
    if scene.kind in ("stratus", "deck"):
        waves = noise(rng, 9, 3.2)
        gaps = soft(noise(rng, 18), -2.2 if scene.kind == "deck" else -1.2, 0.4)
        return mean * np.exp(0.25 * waves), gaps, 0 * full
    y, x = np.mgrid[:BIG, :BIG].astype(np.float32) - BIG / 2
    away = np.hypot(x, y) / 32
    shield = 1.3 * (1 - away) + 0.55 * noise(rng, 10, 3.2)
    cover = soft(shield, _threshold(shield, rng.uniform(0.35, 1.2)), 0.1)
    upwind = -(x * cos(direction) + y * sin(direction)) / 20
    young = np.where(cover > 0.5, 0.35 * noise(rng, 10, 3.2) + upwind, -9)
    active = cover * soft(young, _threshold(young, rng.uniform(0.12, 0.3)), 0.12)
    fibres = noise(rng, 3, 3.2, stretch=4, angle=direction)
    depth = mean * np.exp(0.3 * noise(rng, 8, 3.2) + 0.15 * fibres)
    return depth, cover, active


def _threshold(field, share):
    """The value that this share of the picture exceeds; above 1 a value far below all."""
    if share > 1:
        return -99
    middle = np.float64(field[CORNER : CORNER + SIZE, CORNER : CORNER + SIZE])
    return float(np.quantile(middle, 1 - share))


def _shading(height, toward, where):
    """Light on the slopes of a cloud top, and light lost in its hollows, each of deviation 1."""
    height = cv2.GaussianBlur(height, (0, 0), 0.6)
    down, right = np.gradient(height)
    lit = -(right * float(toward[0]) + down * float(toward[1]))
    deep = height - cv2.GaussianBlur(height, (0, 0), 4)
    if not where.any():  # blown out of the picture
        return np.zeros((2, SIZE, SIZE))
    return [np.clip(part / (float(part[where].std()) + 1e-3), -2.5, 2.5) for part in (lit, deep)]
