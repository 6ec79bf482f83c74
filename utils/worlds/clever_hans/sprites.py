"""Sprites of the Clever Hans world: how they are drawn, and how they are set down on the ground.

A sprite is drawn by itself, in metres, and then set down at the size that belongs to its distance,
with the shadow it throws.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from utils.worlds.clever_hans.photographs import grid, hide, paint

LIGHT = (0.84, 0.82, 0.78)
CLOTHES = [(0.50, 0.10, 0.11), (0.12, 0.15, 0.30), (0.08, 0.08, 0.09), (0.70, 0.69, 0.65),
           (0.17, 0.32, 0.21), (0.68, 0.50, 0.22), (0.36, 0.47, 0.60), (0.42, 0.27, 0.40),
           (0.30, 0.24, 0.18)]  # fmt: skip
SKIN = [(0.76, 0.58, 0.47), (0.64, 0.45, 0.34), (0.42, 0.27, 0.19)]


@dataclass
class Sprite:
    """A drawing with its transparency; ``foot`` is the (column, row) that stands on the ground."""

    colour: np.ndarray
    alpha: np.ndarray
    foot: tuple
    grain: float  # pixels per metre


def blank(shape, foot, grain):
    """A sprite with nothing on it."""
    return Sprite(np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), foot, grain)


def pick(rng, colours):
    """One of a list of colours, a little lighter or darker."""
    return np.float32(colours[rng.integers(len(colours))]) * rng.uniform(0.8, 1.15)


def rounded(alpha, light, depth=1.0, sigma=5.0):
    """Brightness of a body of this outline, lit from above and one side."""
    bulge = cv2.GaussianBlur(alpha, (0, 0), sigma)
    down = cv2.Sobel(bulge, cv2.CV_32F, 0, 1, scale=sigma / 4)
    right = cv2.Sobel(bulge, cv2.CV_32F, 1, 0, scale=sigma / 4)
    return np.clip(1 + depth * (0.9 * down - 0.5 * light * right), 0.4, 1.5)[..., None]


def over(sprite, alpha, colour, where=np.s_[:, :]):
    """Draw a colour over a sprite, or over a part of it."""
    sprite.colour[where] += alpha[..., None] * (np.float32(colour) - sprite.colour[where])
    sprite.alpha[where] += alpha * (1 - sprite.alpha[where])


def band(shape, points, width):
    """Transparency of a rounded band through points (column, row)."""
    drawn = np.zeros(shape, np.uint8)
    points = np.int32(np.round(np.asarray(points) * 16))
    cv2.polylines(drawn, [points], False, 255, max(1, round(width)), cv2.LINE_AA, 4)
    return np.float32(drawn) / 255


def polygon(shape, points):
    """Transparency of a filled polygon through points (column, row)."""
    drawn = np.zeros(shape, np.uint8)
    cv2.fillPoly(drawn, [np.int32(np.round(np.asarray(points) * 16))], 255, cv2.LINE_AA, 4)
    return np.float32(drawn) / 255


def limb(sprite, points, width, colour, light=0.0):
    """Draw a round limb through points (column, row): dark below, light on the sun's side."""
    points = np.asarray(points, np.float32)
    low = np.maximum(np.int32(points.min(0) - width), 0)
    high = np.int32(points.max(0) + width) + 1
    where = np.s_[low[1] : high[1], low[0] : high[0]]
    shape = sprite.alpha[where].shape
    colour = np.float32(colour)
    over(sprite, band(shape, points - low, width), 0.8 * colour, where)
    if width >= 3:
        shift = np.float32([0.14 * light, -0.14]) * width
        over(sprite, 0.8 * band(shape, points - low + shift, 0.6 * width), 1.15 * colour, where)


def place(stage, sprites, column, row, scale, flip=False, shadow=True):
    """Set sprites that share one patch down on the ground, with their shadow.

    Parameters
    ----------
    stage : Stage
    sprites : dict of str to Sprite
        Drawn in this order; the name is what the truth calls it, or empty.
    column, row : float
        Where the foot stands on the stage.
    scale : float
        Pixels per metre there.
    flip : bool
        Mirror left and right.
    shadow : bool
        Does it throw one?
    """
    height, width = stage.picture.shape[:2]
    row, scale = float(row), float(scale)  # one of NumPy's would turn arrays into double precision
    layers = {}
    for name, sprite in sprites.items():
        zoom = scale / sprite.grain
        size = [max(1, round(n * zoom)) for n in sprite.alpha.shape]
        rgba = np.dstack([sprite.colour * sprite.alpha[..., None], sprite.alpha])
        rgba = cv2.resize(rgba, size[::-1], interpolation=cv2.INTER_AREA)
        foot = sprite.foot[0] * zoom, sprite.foot[1] * zoom
        sign = -1 if flip else 1
        move = np.float32([[sign, 0, column - sign * foot[0]], [0, 1, row - foot[1]]])
        layers[name] = cv2.warpAffine(rgba, move, (width, height))
    if shadow:
        whole = np.max([rgba[..., 3] for rgba in layers.values()], axis=0)
        paint(stage, _shadow(stage, whole, row, scale), np.float32([0.05, 0.05, 0.07]))
    clear = float(stage.clarity(row))
    for name, rgba in layers.items():
        alpha = rgba[..., 3:]
        stage.picture += clear * rgba[..., :3] + alpha * ((1 - clear) * stage.haze - stage.picture)
        hide(stage, alpha[..., 0], name)


def _shadow(stage, alpha, row, scale):
    """The outline laid on the ground away from the sun, and the dark spot under it."""
    height, width = alpha.shape
    # A point h above the foot falls h * lean to the side and h * 0.22 towards the viewer.
    lean, fall = -0.7 * stage.light, -0.22
    lay = np.float32([[1, -lean, lean * row], [0, fall, row * (1 - fall)]])
    lay = cv2.warpAffine(alpha, lay, (width, height))
    lay = cv2.GaussianBlur(lay, (0, 0), 0.8 + 0.03 * scale)
    y, _ = grid(height, width)
    near = cv2.GaussianBlur(alpha, (0, 0), 0.12 * scale + 0.5) * np.exp(
        -(((y - row) / (0.1 * scale + 0.8)) ** 2)
    )
    ground = y > stage.horizon
    clear = float(stage.clarity(row))
    return np.clip(0.4 * lay + 0.6 * near, 0, 0.75) * ground * clear
