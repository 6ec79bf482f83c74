"""World 3: what GOES sees of storms, and what radar sees of them at the same time.

Three infrared channels of ABI and lightning of GLM on a grid of 3 km, with the composite
reflectivity of MRMS (Hilburn et al. 2021, JAMC 60, 3). The echo is a sum of parts whose causes are
known: cores with lightning, growing cloud edges that face the wind, dense and extremely cold
towers, stratiform rain, and showers with warm tops. Old anvils, cirrus, fronts and low cloud carry
little or no echo, and a few of GLM's groups are stray, as from sun glint (but by night, too).

A scene is decided by a :class:`Scene`. Each ingredient has its own random stream, so that
``dataclasses.replace(scene, lightning=False)`` is the same sky without lightning and without what
it adds to the echo.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from utils.worlds.drawing import check_request, check_scenes, draw_all
from utils.worlds.goes_mrms.storms import PARTS, REACH, draw

KM = 3.0  # a pixel
CHANNELS = ("c07", "c09", "c13", "glm")
# Of each channel the value that becomes 0 and what is then divided by: cold becomes 1.
SCALING = {"c07": (300, -100), "c09": (250, -50), "c13": (300, -100), "glm": (0.1, 49.9)}
OF_CHANNELS = {part: (0, 1, 2) for part in PARTS} | {"lightning": (3,), "shower": (0, 2)}


@dataclass(frozen=True)
class Scene:
    """All that decides one scene.

    Parameters
    ----------
    seed : int
        Seed of its random streams.
    size : int
        Rows and columns, a multiple of 8 from 32 to 256.
    sun : float
        Cosine of the sun's zenith angle, 0 at night: it adds reflected light to channel 7.
    lightning, edges, towers : bool
        False leaves out lightning, makes every head as soft as an old one, or leaves out the dense
        cold towers, together with the echo that belongs to them.
    stray : bool
        False leaves out stray groups, of 3 x 3 pixels in clear sky, by day and by night.
    """

    seed: int
    size: int = 256
    sun: float = 0.0
    lightning: bool = True
    edges: bool = True
    towers: bool = True
    stray: bool = True

    def __post_init__(self):
        if self.size not in range(32, 257, 8):
            raise ValueError(f"size must be a multiple of 8 from 32 to 256, not {self.size!r}.")
        if not 0 <= self.sun <= 1:
            raise ValueError(f"sun is a cosine: it must lie between 0 and 1, not {self.sun!r}.")


def scenes(n, seed, size=256):
    """Decide on n scenes, half of them by day.

    Parameters
    ----------
    n : int
        Number of scenes.
    seed : int
        Scene i has the seed ``seed + i``, whatever n is. See the ranges in ``utils.worlds``.
    size : int
        Rows and columns, a multiple of 8 from 32 to 256.

    Returns
    -------
    list of Scene
    """
    check_request(n, seed, "training", ["training"])
    suns = [np.random.default_rng([seed + i, 99]).uniform(-1, 1) for i in range(n)]
    return [Scene(int(seed) + i, size, max(0.0, float(sun))) for i, sun in enumerate(suns)]


def render(scenes, progress=False, n_jobs=None):
    """Draw scenes of one size.

    Parameters
    ----------
    scenes : list of Scene
    progress, n_jobs
        As in :func:`utils.worlds.drawing.draw_all`.

    Returns
    -------
    xarray.Dataset
        ``c07``, ``c09``, ``c13`` (sample, y, x), brightness temperatures in K; ``glm``, groups in
        15 minutes; ``mrms``, composite reflectivity in dBZ, 0 to 60. And the truth: what each part
        adds to the reflectivity, ``truth_lightning``, ``truth_edge``, ``truth_dense``,
        ``truth_stratiform``, ``truth_shower``, in dBZ; and where the satellite sees the cause of
        each, ``truth_lightning_cause`` and so on. The parts add up to the reflectivity up to
        patchiness and the beam's noise.
    """
    scenes = check_scenes(scenes, Scene)
    if len({scene.size for scene in scenes}) > 1:
        raise ValueError("The scenes have different sizes: render those of one size at a time.")
    return _dataset(scenes, *draw_all(draw, scenes, progress, n_jobs))


def _dataset(scenes, channels, reflectivity, parts, causes):
    def field(values, text, units=None):
        attributes = {"long_name": text} | ({"units": units} if units else {})
        return ("sample", "y", "x"), values, attributes

    def each(name, kind, text, **attributes):
        values = np.array([getattr(scene, name) for scene in scenes], kind)
        return "sample", values, {"long_name": text} | attributes

    texts = ("3.9 um (ABI channel 7)", "6.9 um (ABI channel 9)", "10.3 um (ABI channel 13)")
    variables = {
        name: field(channels[:, i], f"brightness temperature at {text}", "K")
        for i, (name, text) in enumerate(zip(CHANNELS, texts, strict=False))
    }
    variables["glm"] = field(channels[:, 3], "GLM groups in 15 minutes", "1")
    variables["mrms"] = field(reflectivity, "composite reflectivity", "dBZ")
    for i, name in enumerate(PARTS):
        text = f"what {name} adds to the reflectivity"
        variables[f"truth_{name}"] = field(parts[:, i], text, "dBZ")
        variables[f"truth_{name}_cause"] = field(causes[:, i], f"where the cause of {name} is seen")
    variables["sun"] = each("sun", np.float32, "cosine of the sun's zenith angle", units="1")
    km = np.arange(scenes[0].size) * KM
    coordinates = {
        "seed": each("seed", np.int64, "seed of the scene"),
        "y": ("y", km, {"long_name": "distance to the south", "units": "km"}),
        "x": ("x", km, {"long_name": "distance to the east", "units": "km"}),
    }
    title = "GOES and MRMS world: infrared, lightning and radar"
    return xr.Dataset(variables, coordinates, {"title": title, "Conventions": "CF-1.10"})


def simulate(n, seed, size=256, progress=False, n_jobs=None):
    """Draw n scenes: :func:`render` of :func:`scenes`, whose parameters these are."""
    return render(scenes(n, seed, size), progress, n_jobs)


def as_input(data):
    """The four channels as the networks take them: 0 to 1, cold is 1, no lightning is exactly 0.

    Missing values become 0, as in Hilburn et al. (2021).

    Parameters
    ----------
    data : xarray.Dataset
        With ``c07``, ``c09``, ``c13`` and ``glm`` (sample, y, x), from this world or from
        ``utils.readers``.

    Returns
    -------
    numpy.ndarray of float32, shape (sample, y, x, 4)
    """
    if not isinstance(data, xr.Dataset) or not set(CHANNELS) <= set(data):
        raise TypeError(f"as_input needs a dataset with {', '.join(CHANNELS)}.")
    scaled = [
        np.clip((data[name].transpose("sample", "y", "x").values - zero) / span, 0, 1)
        for name, (zero, span) in SCALING.items()
    ]
    return np.nan_to_num(np.stack(scaled, -1).astype(np.float32))


def as_target(data):
    """Reflectivity as the networks learn it, dBZ / 60, clipped to 0 to 1.

    Parameters
    ----------
    data : xarray.Dataset
        With ``mrms`` (sample, y, x) in dBZ.

    Returns
    -------
    numpy.ndarray of float32, shape (sample, y, x, 1)
    """
    if not isinstance(data, xr.Dataset) or "mrms" not in data:
        raise TypeError("as_target needs a dataset with `mrms`, as simulate() returns it.")
    values = np.clip(data.mrms.transpose("sample", "y", "x").values / 60, 0, 1)
    return np.nan_to_num(values.astype(np.float32))[..., None]


def causes(data, sample, row, column):
    """Where the network's input holds the cause of each part of one output pixel.

    Parameters
    ----------
    data : xarray.Dataset
        As :func:`render` returns it.
    sample, row, column : int
        The output pixel.

    Returns
    -------
    dict of str to array of bool, shape (y, x, channel)
        For each part: where its cause is seen within its reach, in the channels that see it. All
        False where the part adds nothing to this pixel.
    """
    size = data.sizes["y"], data.sizes["x"]
    for name, value, end in (("row", row, size[0]), ("column", column, size[1])):
        if not 0 <= value < end:
            raise ValueError(f"{name} must lie between 0 and {end - 1}, not {value!r}.")
    y, x = np.mgrid[: size[0], : size[1]]
    distance = np.hypot(y - row, x - column)
    masks = {}
    for part in PARTS:
        masks[part] = np.zeros((*size, len(CHANNELS)), bool)
        if data[f"truth_{part}"][sample, row, column] > 0:
            near = data[f"truth_{part}_cause"][sample].values & (distance <= REACH[part])
            masks[part][..., OF_CHANNELS[part]] = near[..., None]
    return masks


def dominant(data):
    """Which part adds most to each output pixel.

    Parameters
    ----------
    data : xarray.Dataset
        As :func:`render` returns it.

    Returns
    -------
    numpy.ndarray of int, shape (sample, y, x)
        Index in ``PARTS``; -1 where nothing adds 5 dBZ.
    """
    parts = np.stack([data[f"truth_{part}"].values for part in PARTS])
    return np.where(parts.max(0) >= 5, parts.argmax(0), -1)
