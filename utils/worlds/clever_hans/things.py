"""What else stands in the Clever Hans world, cut out of shipped photographs or drawn."""

from functools import lru_cache

import cv2
import numpy as np

from utils.worlds.clever_hans.photographs import grid, jitter, noise, source
from utils.worlds.clever_hans.sprites import (
    CLOTHES,
    LIGHT,
    SKIN,
    Sprite,
    blank,
    limb,
    over,
    pick,
    polygon,
    rounded,
)

OUTDOORS = ("nothing", "tree", "person", "car", "pagoda")
PHOTOGRAPHS = ("cat", "cup", "flower", "astronaut", "rocket")
CLOSE_UPS = (*PHOTOGRAPHS, "cameraman")

# Whole photographs: file and the part (top, bottom, left, right) a crop may take.
_CLOSE = {
    "cat": ("chelsea", (0, 300, 0, 451)),
    "cup": ("coffee", (0, 400, 60, 560)),
    "flower": ("flower.jpg", (20, 427, 120, 560)),
    "astronaut": ("astronaut", (0, 512, 0, 512)),
    "rocket": ("rocket", (0, 427, 60, 600)),
}
# fmt: off
_PAGODA = [(198, 30), (214, 30), (217, 60), (266, 96), (319, 122), (300, 135), (296, 155),
           (329, 178), (320, 185), (320, 230), (352, 255), (342, 270), (342, 305), (350, 330),
           (400, 338), (440, 360), (450, 427), (0, 427), (0, 340), (50, 345), (75, 330), (75, 310),
           (82, 285), (62, 272), (75, 250), (95, 240), (98, 190), (85, 175), (108, 160), (120, 155),
           (118, 135), (97, 130), (97, 108), (125, 98), (150, 90), (193, 62)]
_CAMERAMAN = [(0, 260), (20, 225), (50, 180), (70, 150), (100, 130), (128, 124), (150, 105),
              (162, 105), (175, 80), (200, 63), (225, 70), (250, 90), (268, 115), (270, 130),
              (258, 143), (322, 140), (324, 158), (320, 180), (330, 180), (330, 195), (318, 230),
              (305, 270), (250, 312), (205, 295), (150, 360), (140, 380), (150, 512), (0, 512)]
LACQUERS = [(0.42, 0.11, 0.11), (0.16, 0.21, 0.34), (0.66, 0.66, 0.67), (0.12, 0.12, 0.13),
            (0.40, 0.42, 0.45), (0.20, 0.28, 0.23)]
STRIPES = [((0.62, 0.14, 0.13), LIGHT), ((0.15, 0.22, 0.45), LIGHT), ((0.16, 0.36, 0.24), LIGHT),
           ((0.14, 0.13, 0.13), LIGHT), ((0.68, 0.54, 0.20), LIGHT),
           ((0.46, 0.34, 0.22), (0.42, 0.30, 0.19))]
# The caption is the photographer's name. Wilhelm von Osten owned the horse Clever Hans.
LETTERS = ["#.#...###.###.###.###.#..#",
           "#.#...#.#.#....#..#...##.#",
           "#.#...#.#.###..#..##..#.##",
           "#.#...#.#...#..#..#...#..#",
           ".#..#.###.###..#..###.#..#"]
# fmt: on


def close_up(rng, name, height, width):
    """A random crop of a whole photograph, mirrored half of the time, shape (height, width, 3)."""
    file, (top, bottom, left, right) = _CLOSE[name]
    part = source(file)[top:bottom, left:right]
    room = min(part.shape[0] / height, part.shape[1] / width)
    zoom = room * rng.uniform(0.7, 1.0)
    rows, columns = int(height * zoom), int(width * zoom)
    row = rng.integers(part.shape[0] - rows + 1)
    column = rng.integers(part.shape[1] - columns + 1)
    part = part[row : row + rows, column : column + columns]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)


@lru_cache
def _outlined(name):
    """Colour and transparency of a thing cut from a photograph."""
    if name == "pagoda":
        colour, alpha = source("china.jpg"), polygon((427, 640), _PAGODA)
        box = np.s_[25:427, 0:450]
    elif name == "cameraman":
        colour, alpha = source("camera"), polygon((512, 512), _CAMERAMAN)
        box = np.s_[55:512, 0:335]
    else:  # leaves are what is darker than the sky and the lake behind them
        colour = source("china.jpg")
        box = np.s_[132:427, 545:640] if name == "tree" else np.s_[325:427, 355:562]
        alpha = np.clip((0.62 - colour.mean(-1)) * 6, 0, 1)
        alpha = cv2.GaussianBlur(cv2.dilate(alpha, np.ones((3, 3))), (0, 0), 1)
    return colour[box].copy(), alpha[box].copy()


def thing(rng, name, light):
    """Draw one of ``OUTDOORS``, a bush or the cameraman as a sprite."""
    if name == "car":
        return _car(rng, light)
    if name == "person":
        return _person(rng, light)
    colour, alpha = _outlined(name)
    grain = {"pagoda": 16, "cameraman": 430, "tree": 42, "bush": 74}[name]
    if name == "bush":  # leaves from somewhere in the shrubs, in a round and ragged outline
        y, x = grid(90, 150)
        ragged = np.hypot(x / 75 - 1, np.clip(y / 41 - 1.2, -1.2, 0.3)) + 0.09 * noise(rng, x, y)
        v, u = rng.integers(colour.shape[0] - 90), rng.integers(colour.shape[1] - 150)
        colour, alpha = colour[v : v + 90, u : u + 150], np.clip((0.85 - ragged) * 12, 0, 1)
    if name in ("bush", "tree"):  # greener, and without the sky that shines through the leaves
        leaves = colour.mean(-1, keepdims=True).clip(0, 0.5) * np.float32([0.9, 1.0, 0.62])
        colour = (0.3 * colour.clip(0, 0.5) + 0.7 * leaves) * rounded(alpha, light, 1.0, 12)
        grain *= rng.uniform(0.8, 1.25)
    foot = alpha.shape[1] / 2, alpha.shape[0] - 2
    return Sprite(np.float32(colour * jitter(rng)), np.float32(alpha), foot, grain)


def _person(rng, light):
    sprite = blank((100, 60), (30, 96), 50.0)
    coat, legs, skin = (pick(rng, colours) for colours in (CLOTHES, CLOTHES, SKIN))
    hair = np.float32([0.14, 0.10, 0.07]) * rng.uniform(0.5, 3)
    step, swing = rng.uniform(1, 8), rng.uniform(-7, 7)
    back, front = 26 - step * 1.3, 28 + step
    limb(sprite, [(28, 53), (28 - step, 74), (back, 94), (back + 4, 95)], 6, legs * 0.5)
    limb(sprite, [(28, 53), (front, 74), (front, 94), (front + 4, 95)], 6, legs * 0.7, light)
    limb(sprite, [(27, 51), (27, 38), (28, 28)], 15, coat, light)
    limb(sprite, [(26, 28), (23 - swing, 41), (25 - swing * 1.3, 54)], 5, coat * 0.85, light)
    limb(sprite, [(28, 23), (28, 20)], 5, skin)
    limb(sprite, [(28.5, 16), (28.5, 15)], 9, skin, light)
    limb(sprite, [(27, 11.5), (29, 11)], 7, hair)
    sprite.colour *= rounded(sprite.alpha, light, 0.4, 3)
    return sprite


def _car(rng, light):
    grain, shape = 40.0, (80, 194)
    sprite = blank(shape, (97, 72), grain)
    lacquer, (y, _) = pick(rng, LACQUERS), grid(*shape)
    roof, back = rng.uniform(9, 17), rng.uniform(20, 50)
    body = [(8, 41), (back, 36), (back + 19, roof), (119, roof), (143, 35), (179, 40), (185, 52),
            (184, 64), (9, 64)]  # fmt: skip
    shine = np.where(y < 50, 1.25 - np.clip((y - 33) / 32, 0, 0.5), 0.75)[..., None]
    over(sprite, polygon(shape, body), lacquer * shine)
    glass = [(back + 8, 36), (back + 23, roof + 4), (116, roof + 4), (135, 36)]
    over(sprite, polygon(shape, glass), np.float32([0.16, 0.2, 0.24]) * (1.9 - y / 40)[..., None])
    limb(sprite, [(85, roof + 1), (85, 37)], 3, lacquer * 0.9)
    limb(sprite, [(177, 44), (183, 45)], 4, (0.9, 0.88, 0.8))
    for wheel in (41, 151):
        for width, colour in ((28, 0.03), (22, 0.1), (10, 0.34)):
            limb(sprite, [(wheel, 59), (wheel, 59.3)], width, [colour] * 3)
    sprite.colour *= rounded(sprite.alpha, light, 0.5, 4)
    return sprite


def hurdle(rng, light):
    """Draw a jump: striped poles between two stands, 3.4 m wide."""
    grain, ground = 40.0, 68.0
    sprite = blank((75, 160), (80, ground), grain)
    one, two = STRIPES[rng.integers(len(STRIPES))]
    top, count, bands = rng.uniform(0.75, 1.1) * grain, rng.integers(2, 5), rng.integers(5, 8)
    tilt, post = rng.uniform(-3, 3), np.float32([0.84, 0.83, 0.80]) * rng.uniform(0.7, 1.05)
    for height in np.linspace(0.28, 1, count) * top:
        ends = np.array([[12, ground - height - tilt], [148, ground - height + tilt]])
        marks = np.linspace(ends[0], ends[1], bands + 1)
        for i in range(bands):
            limb(sprite, marks[i : i + 2], 4.5, (one, two)[i % 2])
    for side, lift in ((12, -tilt), (148, tilt)):
        base = ground - 1 + lift / 2
        limb(sprite, [(side, base), (side, ground - top - 9 + lift)], 5, post, light)
        limb(sprite, [(side - 8, base), (side + 8, base)], 3, post)
    return sprite


@lru_cache
def letters():
    """The photographer's caption and its shadow, 1 where one is, each of shape (6, 27)."""
    text = np.float32([[mark == "#" for mark in line] for line in LETTERS])
    return np.pad(text, ((0, 1), (0, 1))), np.pad(text, ((1, 0), (1, 0)))
