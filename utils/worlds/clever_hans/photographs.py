"""The stage and the camera of the Clever Hans world: backdrops, perspective, film.

Everything is composed at twice the final size, far things first. Lengths on the ground are metres,
so that whatever stands on it has its right scale.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from skimage import data

WALLS = [(0.50, 0.36, 0.28), (0.58, 0.54, 0.47), (0.40, 0.36, 0.33)]
GROUNDS = {  # texture, two colours between which patches change, contrast of the grain
    "meadow": ("grass", (0.30, 0.40, 0.16), (0.42, 0.46, 0.22), 0.22),
    "dry grass": ("grass", (0.50, 0.45, 0.26), (0.40, 0.42, 0.20), 0.2),
    "sand": ("gravel", (0.66, 0.57, 0.43), (0.58, 0.49, 0.36), 0.07),
    "earth": ("gravel", (0.42, 0.33, 0.25), (0.36, 0.30, 0.22), 0.10),
    "gravel": ("gravel", (0.52, 0.50, 0.47), (0.46, 0.44, 0.40), 0.10),
}


@dataclass
class Stage:
    """A half-painted picture with the geometry of its ground and what is visible so far."""

    picture: np.ndarray
    horizon: float
    eye: float  # height of the camera above the ground, m
    light: float  # where the sun stands, -1 left to 1 right
    haze: np.ndarray
    sight: float  # distance in m over which haze takes 63 % of the contrast
    seen: dict = field(default_factory=dict)

    def scale(self, row):
        """Pixels per metre for something that stands on this row."""
        return np.maximum(row - self.horizon, 1.0) / self.eye

    def row(self, scale):
        """The ground row on which a metre is this many pixels."""
        return self.horizon + scale * self.eye

    def clarity(self, row):
        """Share of contrast that the haze leaves at this row."""
        distance = np.minimum(self.picture.shape[1] / self.scale(row), 70)
        return np.exp(-distance / self.sight)


def paint(stage, alpha, colour):
    """Lay a colour over the stage; what was seen there before is hidden in proportion."""
    stage.picture += alpha[..., None] * (colour - stage.picture)
    hide(stage, alpha)


def hide(stage, alpha, name=None):
    """Keep account of what stays visible when something, by a name or none, comes in front."""
    for cover in stage.seen.values():
        cover *= 1 - alpha
    if name:
        stage.seen[name] += alpha


@lru_cache
def grid(rows, columns):
    """Row and column of every pixel, float32."""
    return tuple(np.mgrid[:rows, :columns].astype(np.float32))


@lru_cache
def source(name):
    """A photograph that ships with scikit-image or scikit-learn, as float32 RGB in 0..1."""
    if name.endswith(".jpg"):
        # Importing scikit-learn for one picture would cost every process two seconds.
        folder = Path(find_spec("sklearn").origin).parent / "datasets" / "images"
        # OpenCV's own reading of files fails on Windows for folders with umlauts.
        packed = np.fromfile(folder / name, np.uint8)
        picture = cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1]
    else:
        picture = getattr(data, name)()
    if picture.ndim == 2:
        picture = np.dstack([picture] * 3)
    return np.ascontiguousarray(picture, dtype=np.float32) / 255


@lru_cache
def cut(name, top, bottom, left, right, width=128):
    """A rectangle of a shipped photograph, reduced to a width in pixels."""
    part = source(name)[top:bottom, left:right]
    height = round(part.shape[0] * width / part.shape[1])
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)


@lru_cache
def texture_levels(name):
    """A grey texture with mean 0 and deviation 1 at its finest, halved five times."""
    level = source(name)[..., 0]
    level = level - cv2.GaussianBlur(level, (0, 0), 60)
    level = level / level.std()
    levels = [level]
    for _ in range(5):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return levels


@lru_cache
def clouds():
    """Fractal noise, mean 0 and deviation 1, that repeats every 512 pixels."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((512, 512))) * frequency**-1.6
    noise = np.fft.irfft2(spectrum)
    return np.float32(noise / noise.std())


def noise(rng, x, y):
    """The fractal noise at given coordinates, from a random place."""
    x, y = (np.float32(v + rng.uniform(0, 512)) for v in (x, y))
    return cv2.remap(clouds(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def backdrop(rng, height, width):
    """Paint sky, scenery and ground.

    Parameters
    ----------
    rng : numpy.random.Generator
        The background's own stream.
    height, width : int
        Size of the stage in pixels.

    Returns
    -------
    Stage
    """
    horizon = height * rng.uniform(0.28, 0.48)
    tone = np.float32(rng.uniform(0.55, 0.95)) * np.float32([0.93, 0.98, 1.05])
    stage = Stage(
        picture=np.empty((height, width, 3), np.float32),
        horizon=horizon,
        eye=rng.uniform(1.2, 2.0),
        light=rng.uniform(-1, 1),
        haze=tone,
        sight=rng.uniform(120, 500),
    )
    y, x = grid(height, width)
    stage.picture[:] = _sky(rng, x, y, horizon, tone)
    rng.choice([_woods, _woods, _bokeh, _skyline, _lake, _hills, _wall])(rng, stage, x, y)
    _ground(rng, stage, x, y)
    return stage


def _sky(rng, x, y, horizon, tone):
    height = np.clip(1 - y / horizon, 0, 1)[..., None]
    blue = rng.uniform(0.3, 1) * np.float32([0.45, 0.25, 0.05])
    cover = 1 / (1 + np.exp(-2 * noise(rng, x * 1.2, y * 2.5) - rng.uniform(-2, 2)))
    sky = tone - blue * (0.35 + 0.65 * height)
    return sky + cover[..., None] * 0.8 * (tone * 1.05 - sky)


def _fill(rng, piece, x, y, top, bottom):
    """A piece of a photograph from one row to another and over the whole width."""
    rows, columns = piece.shape[:2]
    u = (x - rng.uniform(0, 0.2) * x.shape[1]) / (0.8 * x.shape[1])
    if rng.random() < 0.5:
        u = 1 - u
    v = (y - top) / (bottom - top)
    u, v = np.float32(u * (columns - 1)), np.float32(v * (rows - 1))
    return cv2.remap(piece, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def jitter(rng):
    """A random change of brightness and, a little, of colour."""
    return np.float32(rng.uniform(0.75, 1.2) * (1 + rng.uniform(-0.06, 0.06, 3)))


def _woods(rng, stage, x, y):
    piece = cut("china.jpg", 330, 427, 375, 545, 160)
    high = stage.horizon * rng.uniform(0.3, 1.2)
    edge = stage.horizon - high + 0.16 * high * noise(rng, x * 3, 0 * y)
    colour = _fill(rng, piece, x, y, stage.horizon - max(high, 24), stage.horizon + 2)
    colour = colour * jitter(rng) + rng.uniform(0, 0.4) * (stage.haze - colour)
    alpha = np.clip((y - edge) / 2 + noise(rng, x * 9, y * 9), 0, 1)
    paint(stage, alpha * (y < stage.horizon + 2), colour)


def _bokeh(rng, stage, x, y):
    left, right = ((0, 150), (470, 640))[rng.integers(2)]
    piece = cut("flower.jpg", 0, 380, left, right, 40)
    colour = _fill(rng, piece, x, y, -10, stage.horizon + 4).mean(-1, keepdims=True)
    leaves = np.float32([rng.uniform(0.75, 1.3), 1.1, 0.55]) * rng.uniform(1.3, 2.4)
    colour = (0.04 + colour * leaves) * jitter(rng)
    paint(stage, np.clip(stage.horizon + 2 - y, 0, 1), colour)


def _skyline(rng, stage, x, y):
    piece = cut("camera", 100, 236, 345, 512, 150)
    top = stage.horizon * rng.uniform(-0.3, 0.2)
    grey = _fill(rng, piece, x, y, top, stage.horizon + 2) / piece[:20].mean()
    fade = np.clip((y - top) / (0.4 * (stage.horizon - top)), 0, 1)
    colour = 0.95 * grey * stage.haze * np.where(grey < 0.9, jitter(rng), 1)
    paint(stage, fade * (y < stage.horizon + 2), colour)


def _lake(rng, stage, x, y):
    piece = cut("china.jpg", 60, 290, 352, 545, 140)
    colour = _fill(rng, piece, x, y, -rng.uniform(0, 20), stage.horizon + 3)
    paint(stage, np.clip(stage.horizon + 2 - y, 0, 1), colour * jitter(rng))


def _hills(rng, stage, x, y):
    for depth in (0.75, 0.5, 0.2):
        rise = depth * rng.uniform(0.2, 0.8) * (1 + 0.4 * noise(rng, x, 0 * y))
        ridge = stage.horizon * (1 - rise)
        green = np.float32([0.28, 0.34, 0.2]) * jitter(rng)
        green = green * (1 + 0.1 * noise(rng, x * 4, y * 8))[..., None]
        paint(stage, np.clip(y - ridge, 0, 1), green + depth * (stage.haze - green))


def _wall(rng, stage, x, y):
    brick, zoom = texture_levels("brick")[2], rng.uniform(0.7, 1.4)
    u, v = np.float32(y * zoom), np.float32((x + rng.uniform(0, 99)) * zoom)
    value = cv2.remap(brick, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    plain = np.float32(WALLS[rng.integers(len(WALLS))])
    colour = plain * jitter(rng) * (1 + 0.1 * value + 0.08 * noise(rng, x, y))[..., None]
    paint(stage, np.clip(y - stage.horizon * rng.uniform(-0.2, 0.6), 0, 1), colour)


def _ground(rng, stage, x, y):
    texture, one, two, contrast = GROUNDS[rng.choice(list(GROUNDS))]
    top, width = int(stage.horizon), x.shape[1]
    x, y = x[top:], y[top:]
    near = 1 / np.maximum(y - stage.horizon, 0.5)
    # Texels, of which there are 110 on a metre, to the right of the camera and ahead of it.
    east, north = 110 * stage.eye * (x - width / 2) * near, 110 * stage.eye * width * near
    grain = np.zeros_like(x)
    # Texels per pixel grow with distance: each row takes the level that fits.
    wanted = np.log2(110 * stage.eye * near[:, :1])
    for i, level in enumerate(texture_levels(texture)):
        weight = np.clip(1 - np.abs(wanted - i - 0.5), 0, 1)
        if weight.any():
            u, v = np.float32(east / 2**i), np.float32(north / 2**i)
            wrapped = cv2.remap(level, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            grain += weight * wrapped
    patch = 1 / (1 + np.exp(-1.5 * noise(rng, east / 8, north / 8)))[..., None]
    colour = np.float32(one) + patch * np.float32(np.subtract(two, one))
    colour = colour * jitter(rng) * (1 + contrast * grain)[..., None]
    clear = stage.clarity(y)[..., None]
    below = np.clip(y - stage.horizon + 0.5, 0, 1)[..., None]
    colour = stage.haze + clear * (colour - stage.haze)
    stage.picture[top:] += below * (colour - stage.picture[top:])


def expose(rng, picture):
    """What a camera makes of the scene: one blur, exposure, white balance, vignette and noise.

    Parameters
    ----------
    rng : numpy.random.Generator
        The camera's own stream; it draws the same numbers whatever the picture shows.
    picture : numpy.ndarray, shape (y, x, 3)
        The scene at final size.

    Returns
    -------
    numpy.ndarray
        The exposed picture, not yet clipped.
    """
    height, width = picture.shape[:2]
    blur, gain, gamma, dark = rng.uniform((0.3, 0.85, 0.85, 0), (0.65, 1.2, 1.15, 0.3)).tolist()
    balance = np.float32(1 + rng.normal(0, 0.03, 3))
    y, x = grid(height, width)
    corner = (2 * y / height - 1) ** 2 + (2 * x / width - 1) ** 2
    grain = rng.uniform(0.006, 0.02) * rng.standard_normal((height, width, 1), np.float32)
    grain = grain + 0.005 * rng.standard_normal((height, width, 3), np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), blur)
    picture = np.clip(picture, 0, None) ** gamma * gain * balance
    picture = picture * (1 - dark * corner / 2)[..., None]
    return np.float32(picture + grain)


def compress(picture, quality):
    """Clip, store as JPEG and read again: what a picture from an archive has gone through."""
    pixels = np.uint8(np.clip(picture, 0, 1) * 255 + 0.5)
    _, code = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1]
