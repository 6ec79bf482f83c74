"""How a scene of the Clever Hans world becomes a picture and its masks."""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from utils.worlds.clever_hans.horses import horse, rider
from utils.worlds.clever_hans.photographs import backdrop, compress, expose
from utils.worlds.clever_hans.sprites import place
from utils.worlds.clever_hans.things import PHOTOGRAPHS, close_up, hurdle, letters, thing
from utils.worlds.drawing import streams

SIZE = 64
AREAS = {"portrait": (64, 48), "landscape": (48, 64)}  # rows and columns inside the bars
BARS = 128  # grey of the bars, of 255
TRUTHS = ("horse", "rider", "tag", "hurdle")
# Pixels per metre, at twice the final size, between which things and horses are set down. A hidden
# horse stands a little behind its bush, as a share of the bush's own scale.
SCALES = {
    "tree": (2, 8), "person": (8, 34), "car": (8, 22), "pagoda": (0.8, 2.2), "cameraman": (90, 140),
    "clear": (17, 36), "far": (7.5, 11), "pale": (11, 17), "hidden": (0.75, 0.95),
}  # fmt: skip
STREAMS = ("scene", "background", "horse", "rider", "thing", "bush", "hurdle", "tag", "camera")


stream = streams(STREAMS)


def _compose(scene, height, width):
    """Paint the scene at twice its final size; returns the stage."""
    stage = backdrop(stream(scene.seed, "background"), height, width)
    for name in TRUTHS:
        stage.seen[name] = np.zeros((height, width), np.float32)
    if scene.subject in PHOTOGRAPHS:
        stage.picture = close_up(stream(scene.seed, "thing"), scene.subject, height, width)
    cast = [
        _thing_at(stream(scene.seed, "thing"), stage, scene.subject),
        _bush_at(stream(scene.seed, "bush"), stage) if scene.bush else None,
        _horse_at(scene, stage) if scene.horse else None,
        _hurdle_at(scene, stage) if scene.hurdles else None,
    ]
    # What stands further down is nearer and hides what stands behind it.
    for drawing in sorted(filter(None, cast), key=lambda drawing: drawing["row"]):
        place(stage, **drawing)
    return stage


def _thing_at(rng, stage, name):
    height, width = stage.picture.shape[:2]
    if name not in SCALES:
        return None
    scale, column = rng.uniform(*SCALES[name]), rng.uniform(0.1, 0.9) * width
    row = min(stage.row(scale), 0.96 * height)
    if name == "cameraman":  # he stands so near that the picture ends at his knees
        row = height + rng.uniform(1, 12)
    else:
        scale = stage.scale(row)
    sprites = {"": thing(rng, name, stage.light)}
    shadow = name not in ("pagoda", "cameraman")
    flip = rng.random() < 0.5
    return dict(sprites=sprites, column=column, row=row, scale=scale, flip=flip, shadow=shadow)


def _bush_at(rng, stage):
    scale, column = rng.uniform(12, 24), rng.uniform(0.1, 0.9) * stage.picture.shape[1]
    row = stage.row(scale)
    return dict(sprites={"": thing(rng, "bush", stage.light)}, column=column, row=row, scale=scale)


def _hurdle_at(scene, stage):
    height, width = stage.picture.shape[:2]
    rng = stream(scene.seed, "hurdle")
    row, column = rng.uniform(0.86, 0.97) * height, rng.uniform(0.3, 0.7) * width
    sprites = {"hurdle": hurdle(rng, stage.light)}
    scale = min(stage.scale(row), 0.95 * width / 3.4)
    column += 2 * scene.hurdle_shift
    return dict(sprites=sprites, column=column, row=row, scale=scale)


def _horse_at(scene, stage):
    """The horse and its rider, where and how they can be seen as well as the scene says."""
    height, width = stage.picture.shape[:2]
    rng = stream(scene.seed, "horse")
    flip, kind, across, size = rng.random(4)
    way = ("hidden" if scene.bush else "far" if kind < 0.5 else "pale") if scene.hard else "clear"
    low, high = SCALES[way]
    scale, column = low + size * (high - low), width * (0.1 + 0.8 * across)
    if way == "clear":
        column = width * (0.3 + 0.4 * across)
    if way == "hidden":
        bush = _bush_at(stream(scene.seed, "bush"), stage)
        scale, column = scale * bush["scale"], bush["column"] + (across - 0.5) * 2.2 * bush["scale"]
    row = min(stage.row(scale), (1.2 if way == "clear" and kind < 0.12 else 0.97) * height)
    scale = stage.scale(row)
    dim = None
    if way == "pale":
        behind = stage.picture[max(0, int(row - scale)) : int(row) + 1]
        dim = behind[:, max(0, int(column - scale)) : int(column + scale) + 1].mean((0, 1))
    light = -stage.light if flip < 0.5 else stage.light
    sprites = {"horse": horse(rng, light, dim)}
    if scene.rider:
        sprites["rider"] = rider(stream(scene.seed, "rider"), light, dim)
        sprites["rider"].foot = sprites["horse"].foot
    return dict(sprites=sprites, column=column, row=row, scale=scale, flip=flip < 0.5)


def _stamp(rng, picture, row, column):
    """Print the tag into a picture, in place, as far as it can be; returns where it is."""
    text, shadow = (image[..., None] for image in letters())
    rows, columns = text.shape[:2]
    row = int(np.clip(row, 0, picture.shape[0] - rows))
    column = int(np.clip(column, 0, picture.shape[1] - columns))
    where = np.zeros(picture.shape[:2], bool)
    where[row : row + rows, column : column + columns] = True
    spot = picture[row : row + rows, column : column + columns]
    spot *= 1 - 0.5 * shadow
    spot += rng.uniform(0.8, 0.95) * text * (rng.uniform(0.9, 1.0) - spot)
    return where


@lru_cache(1024)  # 50 kB each: lessons paste, move and cut the tag of hundreds of scenes
def _untagged(scene):
    """What the camera sees of a scene without a tag, at its final size, and the masks."""
    rows, columns = AREAS[scene.framing]
    stage = _compose(scene, 2 * rows, 2 * columns)

    def reduce(image):
        return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)

    return reduce(stage.picture), {name: reduce(stage.seen[name]) > 0.4 for name in TRUTHS}


def photograph(scene):
    """Take the picture of a scene.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    picture : numpy.ndarray of uint8, shape (64, 64, 3)
    masks : numpy.ndarray of bool, shape (5, 64, 64)
        Visible pixels of horse, rider, tag and hurdles, and what lies inside the bars.
    """
    rows, columns = AREAS[scene.framing]
    top, left = (SIZE - rows) // 2, (SIZE - columns) // 2
    picture, masks = _untagged(replace(scene, tag=False, tag_position=None))
    camera = stream(scene.seed, "camera")
    quality = camera.integers(70, 96)
    picture = np.clip(expose(camera, picture), 0, 1)
    if scene.tag:
        corner = top + rows - 8, left + 2
        row, column = corner if scene.tag_position is None else scene.tag_position
        tag = _stamp(stream(scene.seed, "tag"), picture, row - top, column - left)
        masks = {name: mask & ~tag for name, mask in masks.items()} | {"tag": tag}
    masks = masks | {"inside": np.ones((rows, columns), bool)}
    frame = np.full((SIZE, SIZE, 3), BARS, np.uint8)
    area = slice(top, top + rows), slice(left, left + columns)
    frame[area] = compress(picture, quality)
    full = np.zeros((len(masks), SIZE, SIZE), bool)
    for whole, mask in zip(full, masks.values(), strict=True):
        whole[area] = mask
    return frame, full
