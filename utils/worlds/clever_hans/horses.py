"""The horse of the Clever Hans world, and who rides it.

The horse is a real silhouette that ships with scikit-image. It is cut into parts, the parts turn
about their joints, and the whole is given a coat, light and a build of its own. Places are (column,
row) in the silhouette's pixels unless something else is said.
"""

from functools import lru_cache

import cv2
import numpy as np
from skimage import data

from utils.worlds.clever_hans.photographs import grid, noise
from utils.worlds.clever_hans.sprites import (
    CLOTHES,
    LIGHT,
    SKIN,
    blank,
    limb,
    over,
    pick,
    polygon,
    rounded,
)

SHRINK = 4  # the silhouette's pixels per pixel of the sprite
GRAIN = 142 / SHRINK  # the sprite's pixels per metre: 1.6 m at the withers
PATCH = (500 // SHRINK, 640 // SHRINK)  # the sprite's rows and columns
CORNER = (120, 120)  # how far the silhouette's corner lies inside the sprite

# Parts of the silhouette in its own pixels: outline, joint, the part it hangs on.
# fmt: off
PARTS = {
    "tail": ([(10, 92), (45, 84), (66, 98), (54, 130), (49.5, 215), (44, 262), (8, 262)],
             (48, 96), None),
    "hind far": ([(62, 130), (132, 140), (120, 190), (112, 246), (97, 246), (86, 215), (66, 190)],
                 (98, 150), None),
    "hind far foot": ([(88, 228), (114, 228), (114, 262), (140, 300), (130, 314), (96, 300)],
                      (103, 237), "hind far"),
    "fore far": ([(250, 150), (305, 150), (292, 200), (280, 256), (262, 256), (262, 246),
                  (256, 200)], (276, 168), None),
    "fore far foot": ([(263, 238), (284, 238), (276, 280), (300, 318), (264, 318), (264, 290)],
                      (271, 246), "fore far"),
    "body": ([(40, 60), (300, 60), (330, 100), (312, 150), (298, 186), (250, 192), (150, 200),
              (110, 200), (62, 200), (54, 130)], None, None),
    "neck": ([(236, 100), (246, 70), (300, 0), (400, 0), (400, 110), (330, 110), (314, 140),
              (290, 158), (250, 150)], (272, 112), None),
    "hind near": ([(56, 120), (126, 130), (119, 190), (92, 205), (62, 246), (46, 246), (50, 212),
                   (66, 190)], (90, 150), None),
    "hind near foot": ([(49.5, 226), (70, 226), (62, 262), (62, 280), (86, 308), (80, 320),
                        (40, 320), (40, 262), (49.5, 255)], (56, 236), "hind near"),
    "fore near": ([(246, 150), (300, 150), (282, 200), (265, 240), (262, 254), (244, 254),
                   (248, 200)], (268, 168), None),
    "fore near foot": ([(243, 238), (264, 238), (258, 270), (272, 312), (240, 314), (240, 280)],
                       (254, 246), "fore near"),
}
CREST = [(246, 84), (300, 18), (350, 2), (356, 26), (325, 38), (285, 62), (262, 88)]

# How often a pose is taken, and its angles in degrees, clockwise, for a horse that looks right.
POSES = {
    "stand": (0.27, {}),
    "walk": (0.22, {"hind near": 12, "hind far": -16, "hind far foot": 12, "fore near": -14,
                    "fore near foot": -6, "fore far": 12, "fore far foot": 20, "neck": 6}),
    "trot": (0.17, {"hind near": 18, "hind near foot": 10, "hind far": -24, "hind far foot": 20,
                    "fore near": -32, "fore near foot": 38, "fore far": 14, "neck": -2,
                    "tail": 10}),
    "gallop": (0.12, {"hind near": 34, "hind near foot": 18, "hind far": 22, "hind far foot": 20,
                      "fore near": -52, "fore near foot": 30, "fore far": -34, "fore far foot": 40,
                      "tail": 38, "neck": 14}),
    "jump": (0.07, {"hind near": 40, "hind near foot": 10, "hind far": 32, "hind far foot": 16,
                    "fore near": -62, "fore near foot": 95, "fore far": -54, "fore far foot": 88,
                    "tail": 30, "neck": 10}),
    "graze": (0.15, {"neck": 74, "hind near": 5, "fore far": -10, "fore near": 5}),
}
# fmt: on

COATS = {  # body, mane and tail, lower legs
    "bay": ((0.30, 0.20, 0.14), (0.09, 0.07, 0.06), (0.11, 0.08, 0.07)),
    "dark bay": ((0.22, 0.15, 0.10), (0.07, 0.06, 0.05), (0.09, 0.07, 0.06)),
    "chestnut": ((0.37, 0.24, 0.16), (0.36, 0.24, 0.16), (0.33, 0.21, 0.15)),
    "palomino": ((0.52, 0.42, 0.29), (0.74, 0.69, 0.58), (0.54, 0.43, 0.29)),
    "grey": ((0.54, 0.54, 0.54), (0.40, 0.40, 0.41), (0.34, 0.34, 0.35)),
    "white": ((0.76, 0.74, 0.70), (0.70, 0.68, 0.63), (0.66, 0.63, 0.59)),
    "black": ((0.12, 0.11, 0.11), (0.06, 0.06, 0.06), (0.08, 0.08, 0.08)),
}
HOOF = np.float32([0.12, 0.10, 0.09])
FADE = 0.55  # how far a pale horse's coat goes over into its background


@lru_cache
def _parts():
    """Each part as (corner, outline and zones): hair, points and hooves, shade of its own.

    Outline and zones come first in the array's shape, which lets NumPy go along the rows.
    """
    outline = np.float32(~data.horse())
    y, x = grid(*outline.shape)
    crest = polygon(outline.shape, CREST)
    parts = {}
    for name, (points, joint, _) in PARTS.items():
        mask = outline * polygon(outline.shape, points)
        if "foot" in name:
            mask = np.maximum(mask, outline * (np.hypot(x - joint[0], y - joint[1]) < 7))
        tail, neck = name == "tail", name == "neck"
        hair = np.full_like(mask, tail) + neck * crest
        low = np.clip((y - 205) / 50, 0, 1) * (not tail)
        low = low + 0.6 * neck * np.clip((x - 350) / 30, 0, 1) * np.clip((y - 55) / 30, 0, 1)
        hoof = np.float32(y > 298) * (not tail)
        depth = 0.35 if name in ("body", "neck") else 0.3
        shade = rounded(mask, 0.0, depth, 9)[..., 0] * (0.7 if "far" in name else 1)
        if name in ("hind near", "fore near"):
            mask = mask * np.clip((y - 155) / 36, 0, 1)  # the thigh melts into the body
        stack = np.dstack([mask, hair, low, hoof, shade])
        u, v, wide, high = cv2.boundingRect(np.uint8(mask > 0))
        u, v = u - SHRINK, v - SHRINK
        size = wide // SHRINK + 3, high // SHRINK + 3
        move = np.float32([[1 / SHRINK, 0, -u / SHRINK], [0, 1 / SHRINK, -v / SHRINK]])
        blur = cv2.GaussianBlur(stack, (0, 0), 0.4 * SHRINK)
        parts[name] = (u, v), np.stack([cv2.warpAffine(c, move, size) for c in cv2.split(blur)])
    return parts


def _turn(joint, degrees, stretch):
    turn = np.eye(3)
    if joint:
        turn[:2] = cv2.getRotationMatrix2D(joint, -degrees, stretch)
    return turn


def _to_patch(corner):
    """From a part's own pixels to the silhouette's, and from there to the sprite's."""
    own = np.array([[SHRINK, 0, corner[0]], [0, SHRINK, corner[1]], [0, 0, 1]])
    patch = np.array([[1, 0, CORNER[0]], [0, 1, CORNER[1]], [0, 0, SHRINK]]) / SHRINK
    return own, patch


def _warp(image, move):
    """The warped image and the part of the sprite that it covers."""
    rows, columns = image.shape[:2]
    corners = move @ [[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]]
    low = np.clip(np.int32(corners.min(1)) - 1, 0, None)
    high = np.clip(np.int32(corners.max(1)) + 2, low + 1, PATCH[::-1])
    move = move - [[0, 0, low[0]], [0, 0, low[1]]]
    size = int(high[0] - low[0]), int(high[1] - low[1])
    return np.s_[low[1] : high[1], low[0] : high[0]], cv2.warpAffine(image, move, size)


def horse(rng, light, dim=None):
    """Draw a horse that looks to the right.

    Parameters
    ----------
    rng : numpy.random.Generator
        The horse's own stream.
    light : float
        Where the sun stands, -1 left to 1 right.
    dim : numpy.ndarray or None
        A colour that the coat fades into; for horses that are hard to see.

    Returns
    -------
    Sprite
    """
    pose = rng.choice(list(POSES), p=[share for share, _ in POSES.values()])
    body, hair, low = np.float32(COATS[rng.choice(list(COATS))]) * rng.uniform(0.8, 1.2)
    sock = np.float32([0.78, 0.76, 0.72])
    socks = {name: sock for name in PARTS if rng.random() < 0.25}
    angles = {name: POSES[pose][1].get(name, 0) + rng.normal(0, 3.5) for name in PARTS}
    sprite = blank(PATCH, None, GRAIN)
    turns = {None: np.eye(3)}
    for name, (_, joint, parent) in PARTS.items():
        reach = 1.18 if (name, pose) == ("neck", "graze") else 1.0
        turns[name] = turns[parent] @ _turn(joint, angles[name], reach)
        corner, part = _parts()[name]
        foot = socks.get(name, low) if "foot" in name else low
        mask, *zones, shade = part
        colour = body[:, None, None]
        for zone, paint in zip(zones, (hair, foot, HOOF), strict=True):
            colour = colour + zone * (paint[:, None, None] - colour)
        rgba = cv2.merge([*(colour * shade * mask), mask])
        own, patch = _to_patch(corner)
        where, rgba = _warp(rgba, (patch @ turns[name] @ own)[:2])
        sprite.colour[where] *= 1 - rgba[..., 3:]
        sprite.colour[where] += rgba[..., :3]
        sprite.alpha[where] += rgba[..., 3] * (1 - sprite.alpha[where])
    y, x = grid(*PATCH)
    dapple = 1 + 0.05 * noise(rng, x * 5, y * 5) + 0.05 * noise(rng, x, y)
    # The colour is still weighted with the outline; shading it keeps it so.
    for depth, sigma in ((0.7, 24), (0.4, 9)):
        sprite.colour *= rounded(sprite.alpha, light, depth, sigma / SHRINK)
    sprite.colour *= dapple[..., None]
    if dim is not None:
        sprite.colour += FADE * (dim * sprite.alpha[..., None] - sprite.colour)
    _build(rng, sprite, x, y)
    sprite.colour /= np.maximum(sprite.alpha, 1e-3)[..., None]
    return sprite


def _build(rng, sprite, x, y):
    """Vary the build: longer legs, a deeper body, turned a little away, and a slow warp."""
    legs, deep = rng.uniform(0.92, 1.08, 2)
    turned = rng.uniform(0.72, 1.06)
    middle, belly = 320 / SHRINK, 300 / SHRINK
    from_y = belly + (y - belly) / np.where(y > belly, legs, deep) + noise(rng, x, y)
    from_x = middle + (x - middle) / turned + noise(rng, x, y)
    stack = np.dstack([sprite.colour, sprite.alpha])
    stack = cv2.remap(stack, np.float32(from_x), np.float32(from_y), cv2.INTER_LINEAR)
    sprite.colour, sprite.alpha = stack[..., :3].copy(), stack[..., 3].copy()
    sprite.foot = middle, float(np.flatnonzero(sprite.alpha.max(1) > 0.3)[-1])


BREECHES = [(0.76, 0.73, 0.66), (0.25, 0.25, 0.28), (0.48, 0.41, 0.32)]
HATS = [(0.08, 0.08, 0.09), (0.20, 0.14, 0.10), (0.10, 0.12, 0.22)]
SADDLECLOTHS = [LIGHT, (0.15, 0.17, 0.28), (0.10, 0.10, 0.10), (0.35, 0.14, 0.14)]
BOOT = (0.11, 0.09, 0.08)


def rider(rng, light, dim=None):
    """Draw a rider who sits on the horse of :func:`horse`, in the same patch."""
    sprite = blank(PATCH, None, GRAIN)
    jacket, skin, breeches, hat = (pick(rng, c) for c in (CLOTHES, SKIN, BREECHES, HATS))
    lean = rng.uniform(-4, 32)
    # In the silhouette's pixels; the rider sits at (184, 92).
    seat, neck = np.array([184.0, 92.0]), np.array([190.0 + lean, 16.0])
    hand, knee = np.array([246.0, 64.0]), np.array([220.0, 124.0])
    foot = knee + (rng.uniform(-24, -8), 54)
    elbow = (neck + hand) / 2 + (-14, 12)

    def draw(points, width, colour):
        limb(sprite, (np.array(points) + CORNER) / SHRINK, width / SHRINK, colour, light)

    cloth = np.array([(158, 88), (214, 88), (210, 132), (164, 134)])
    over(sprite, polygon(PATCH, (cloth + CORNER) / SHRINK), pick(rng, SADDLECLOTHS))
    draw([seat + (0, 4), knee], 27, breeches)
    draw([knee, foot, foot + (14, 4)], 17, BOOT)
    draw([seat, (seat + neck) / 2 - (2, 0), neck + (0, 10)], 36, jacket)
    draw([neck + (0, 10), elbow, hand], 15, jacket * 0.85)
    draw([neck, neck + (4, -10)], 15, skin)
    draw([neck + (6, -18), neck + (8, -20)], 27, skin)
    draw([neck + (2, -26), neck + (10, -28)], 23, hat)
    draw([neck + (12, -26), neck + (24, -24)], 6, hat)
    sprite.colour *= rounded(sprite.alpha, light, 0.4, 12 / SHRINK)
    if dim is not None:
        sprite.colour += FADE * (dim - sprite.colour)
    return sprite
