"""World 2: five visible satellite pictures, two minutes apart, with and without convection.

Convective clouds are bright, and they bubble: their tops are made of domes that grow and sink from
one picture to the next, with a sunny and a shadow side. In the training world everything else is
darker, so brightness alone nearly tells convection, and bubbling tells it always. A network may
look at brightness only, as the one in the lecture did (Lee et al. 2021, Atmospheric Measurement
Techniques 14, 2699). The hard settings take the two clues apart.

A sequence is decided by a :class:`Scene`. Land, cloud, domes and camera each have their own random
stream, so that ``dataclasses.replace(scene, texture=0.0)`` is the same cloud with a smooth top and
nothing else changed.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from utils.worlds.convection.clouds import FRAMES, KM, MINUTES, SIZE, sequence, stream
from utils.worlds.drawing import check_request, check_scenes, draw_all

KINDS = ("anvil", "stratus", "cirrus", "broken", "clear", "deck", "snow")
MIDDAY, LATE = (20, 40), (62, 72)  # zenith angles of the sun, degrees
BRIGHT, TEXTURE, SMOOTH = (0.62, 0.85), (0.16, 0.32), (0, 0)

# Of each setting the share of each kind of scene, and the ranges of its brightness, texture and
# solar zenith angle.
SETTINGS = {
    "training": [
        (0.50, "anvil", BRIGHT, TEXTURE, MIDDAY),
        (0.16, "anvil", (0.25, 0.56), SMOOTH, MIDDAY),
        (0.12, "stratus", (0.25, 0.56), SMOOTH, MIDDAY),
        (0.09, "cirrus", (0.15, 0.45), SMOOTH, MIDDAY),
        (0.09, "broken", (0.25, 0.56), SMOOTH, MIDDAY),
        (0.04, "clear", (0.1, 0.1), SMOOTH, MIDDAY),
    ],
    "bright_smooth": [
        (0.34, "deck", BRIGHT, SMOOTH, MIDDAY),
        (0.33, "snow", BRIGHT, SMOOTH, MIDDAY),
        (0.33, "anvil", BRIGHT, SMOOTH, MIDDAY),
    ],
    "dim_bubbling": [
        (0.50, "anvil", BRIGHT, TEXTURE, LATE),
        (0.50, "anvil", (0.30, 0.48), TEXTURE, MIDDAY),
    ],
    "texture_only": [
        (0.50, "anvil", (0.25, 0.90), (0.30, 0.60), (20, 70)),
        (0.50, "anvil", (0.25, 0.90), SMOOTH, (20, 70)),
    ],
}


@dataclass(frozen=True)
class Scene:
    """All that decides one sequence.

    Parameters
    ----------
    seed : int
        Seed of its random streams.
    kind : str
        One of ``KINDS``. "anvil" is a storm if its texture is larger than 0, for its upwind
        side bubbles then, else what a storm has left. "deck" is thick stratocumulus, "broken" is
        shallow cumulus, "clear" is land alone.
    brightness : float
        Reflectance that the cloud (or the snow) has on average under an overhead sun, 0 to 0.93.
    texture : float
        Contrast of the bubbling, 0 to 1: the standard deviation of reflectance among domes over
        its mean, at a solar zenith angle of 35 degrees. Only an anvil has any.
    cell_size : float
        Radius of the largest domes in pixels, 1.5 to 10.
    sun_zenith, sun_azimuth : float
        Where the sun stands: degrees from overhead, 0 to 80, and clockwise from north. A low sun
        makes everything darker and shadows deeper.
    wind : (float, float)
        Speed to the east and to the south in m/s, together at most 25.
    """

    seed: int
    kind: str = "anvil"
    brightness: float = 0.7
    texture: float = 0.0
    cell_size: float = 4.0
    sun_zenith: float = 30.0
    sun_azimuth: float = 135.0
    wind: tuple = (8.0, 3.0)

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}.")
        for name, low, high in (
            ("brightness", 0, 0.93),
            ("texture", 0, 1),
            ("cell_size", 1.5, 10),
            ("sun_zenith", 0, 80),
            ("sun_azimuth", -360, 360),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low} and {high}, not {value!r}.")
        if self.texture and self.kind != "anvil":
            raise ValueError(f"Only an anvil bubbles: texture must be 0 for {self.kind}.")
        if np.shape(self.wind) != (2,) or not np.hypot(*self.wind) <= 25:
            raise ValueError(
                f"wind must be (to the east, to the south), 25 m/s at most, not {self.wind!r}."
            )


def scenes(n, seed, setting="training"):
    """Decide on n sequences.

    Parameters
    ----------
    n : int
        Number of sequences.
    seed : int
        Sequence i has the seed ``seed + i``, whatever n is. See the ranges in ``utils.worlds``.
    setting : {"training", "bright_smooth", "dim_bubbling", "texture_only"}
        ``"training"``: half of the scenes bright and bubbling, the others darker and smooth, all
        under a high sun. ``"bright_smooth"``: thick stratocumulus, snow, old anvils; no
        convection. ``"dim_bubbling"``: convection under a low sun, and young cells.
        ``"texture_only"``: anvils of any brightness, half of them bubbling.

    Returns
    -------
    list of Scene
    """
    check_request(n, seed, setting, SETTINGS)
    return [_scene(int(seed) + i, SETTINGS[setting]) for i in range(n)]


def _scene(seed, table):
    rng = stream(seed, "scene")
    share, *parts = rng.random(7)
    limits = np.cumsum([row[0] for row in table])
    _, kind, *ranges = table[min(int(np.searchsorted(limits, share)), len(table) - 1)]
    brightness, texture, zenith = (
        float(low + part * (high - low))
        for part, (low, high) in zip(parts[:3], ranges, strict=True)
    )
    speed, direction = 3 + 12 * parts[3], 2 * np.pi * parts[4]
    return Scene(
        seed=seed,
        kind=kind,
        brightness=brightness,
        texture=texture,
        cell_size=float(4 + 4 * parts[5]),
        sun_zenith=zenith,
        sun_azimuth=float(rng.uniform(90, 270)),
        wind=(float(speed * np.cos(direction)), float(speed * np.sin(direction))),
    )


def render(scenes, progress=False, n_jobs=None):
    """Draw scenes.

    Parameters
    ----------
    scenes : list of Scene
    progress, n_jobs
        As in :func:`utils.worlds.drawing.draw_all`.

    Returns
    -------
    xarray.Dataset
        ``reflectance`` (sample, time, y, x), float32: reflectance factor of ABI channel 2, not
        divided by the cosine of the sun's zenith angle; ``convection`` (sample), the label; and
        the truth: ``truth_brightness``, the reflectance without bubbling, and ``truth_texture``,
        what bubbling adds to it, whose sum is the reflectance up to the camera's noise;
        ``truth_bubbling`` (sample, time, y, x), where the cloud top bubbles; ``truth_kind``,
        ``truth_cloud_brightness``, ``truth_contrast`` and ``sun_zenith`` (sample).
    """
    scenes = check_scenes(scenes, Scene)
    return _dataset(scenes, *draw_all(sequence, scenes, progress, n_jobs))


def _dataset(scenes, reflectance, brightness, texture, bubbling):
    def field(values, text):
        attributes = {"long_name": text} | ({"units": "1"} if values.dtype != bool else {})
        return ("sample", "time", "y", "x"), values, attributes

    def each(name, kind, text, **attributes):
        values = np.array([getattr(scene, name) for scene in scenes], kind)
        return "sample", values, {"long_name": text} | attributes

    flags = {"flag_values": np.arange(len(KINDS), dtype=np.int8), "flag_meanings": " ".join(KINDS)}
    kinds = np.array([KINDS.index(scene.kind) for scene in scenes], np.int8)
    label = np.array([scene.texture > 0 for scene in scenes], np.int8)
    label_flags = {"flag_values": np.arange(2, dtype=np.int8), "flag_meanings": "none convection"}
    km, since = np.arange(SIZE) * KM, {"long_name": "since the first picture", "units": "min"}
    variables = {
        "reflectance": field(reflectance, "reflectance factor at 0.64 um (ABI channel 2)"),
        "convection": ("sample", label, {"long_name": "label"} | label_flags),
        "truth_brightness": field(brightness, "reflectance factor without bubbling"),
        "truth_texture": field(texture, "what bubbling adds to the reflectance factor"),
        "truth_bubbling": field(bubbling, "where the cloud top bubbles"),
        "truth_kind": ("sample", kinds, {"long_name": "kind of scene"} | flags),
        "truth_cloud_brightness": each(
            "brightness", np.float32, "cloud reflectance, overhead sun", units="1"
        ),
        "truth_contrast": each("texture", np.float32, "contrast of the bubbling", units="1"),
        "sun_zenith": each("sun_zenith", np.float32, "solar zenith angle", units="degree"),
    }
    coordinates = {
        "seed": each("seed", np.int64, "seed of the sequence"),
        "time": ("time", np.arange(FRAMES) * MINUTES, since),
        "y": ("y", km, {"long_name": "distance to the south", "units": "km"}),
        "x": ("x", km, {"long_name": "distance to the east", "units": "km"}),
    }
    title = "Convection world: sequences of visible satellite pictures"
    return xr.Dataset(variables, coordinates, {"title": title, "Conventions": "CF-1.10"})


def simulate(n, seed, setting="training", progress=False, n_jobs=None):
    """Draw n sequences: :func:`render` of :func:`scenes`, whose parameters these are."""
    return render(scenes(n, seed, setting), progress, n_jobs)


def as_input(data):
    """The pictures of each sequence as the channels of one input, as the networks take them.

    Parameters
    ----------
    data : xarray.Dataset
        With ``reflectance`` (sample, time, y, x), from this world or from ``utils.readers.abi``.

    Returns
    -------
    numpy.ndarray, shape (sample, y, x, time)
    """
    if not isinstance(data, xr.Dataset) or "reflectance" not in data:
        raise TypeError("as_input needs a dataset with `reflectance`, as simulate() returns it.")
    return data.reflectance.transpose("sample", "y", "x", "time").values
