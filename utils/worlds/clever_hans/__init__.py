"""World 1: small photographs with and without a horse, and a photographer's tag.

In the training world a source tag stands in the lower left of about one fifth of the horse
pictures and of no other, mostly where the horse itself is hard to see; hurdles stand in a third of
the horse pictures and almost nowhere else. A network may get both right for the wrong reason, as
the classifier of Lapuschkin et al. (2019, Nature Communications 10, 1096) did. Here the truth is
known for every pixel.

A picture is decided by a :class:`Scene`. Horse, background, other things, tag, hurdle and camera
each have their own random stream, so that ``dataclasses.replace(scene, tag=True)`` is the same
picture with a tag and nothing else changed.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import xarray as xr

from utils.worlds.clever_hans.composition import AREAS, SIZE, TRUTHS, photograph, stream
from utils.worlds.clever_hans.things import CLOSE_UPS, OUTDOORS
from utils.worlds.drawing import check_request, check_scenes, draw_all

FRAMINGS = tuple(AREAS)
SUBJECTS = OUTDOORS + CLOSE_UPS

# Shares. Of the horse pictures: tagged, with hurdles, and how many of each kind are hard to see.
# Of the others: tagged, with hurdles. A picture has a tag or hurdles, never both.
SETTINGS = {
    "training": {"horse": (0.20, 0.33), "other": (0.0, 0.02), "hard": (0.8, 0.9, 0.05)},
    "real": {"horse": (0.0, 0.18), "other": (0.0, 0.18), "hard": (0.30, 0.30, 0.30)},
    "balanced": {"horse": (0.20, 0.30), "other": (0.20, 0.30), "hard": (0.35, 0.35, 0.35)},
}


@dataclass(frozen=True)
class Scene:
    """All that decides one picture.

    Parameters
    ----------
    seed : int
        Seed of the picture's random streams.
    horse, rider : bool
        Is there a horse, and does somebody ride it?
    hard : bool
        Is the horse far away, pale against its background, or half hidden (if there is a bush)?
    framing : {"portrait", "landscape"}
        Shape of the picture inside its grey bars.
    tag, hurdles : bool
        Is there a source tag, are there jumps?
    subject : str
        What else is in the picture, one of ``OUTDOORS`` or ``CLOSE_UPS``.
    bush : bool
        Is there a bush?
    tag_position : (int, int) or None
        Row and column of the tag's upper left pixel; None is the lower left corner.
    hurdle_shift : int
        Pixels to shift the hurdles to the right.
    """

    seed: int
    horse: bool = False
    rider: bool = False
    hard: bool = False
    framing: str = "landscape"
    tag: bool = False
    hurdles: bool = False
    subject: str = "nothing"
    bush: bool = False
    tag_position: tuple | None = None
    hurdle_shift: int = 0

    def __post_init__(self):
        if self.framing not in FRAMINGS:
            raise ValueError(f"framing must be one of {FRAMINGS}, not {self.framing!r}.")
        if self.subject not in SUBJECTS:
            raise ValueError(f"subject must be one of {SUBJECTS}, not {self.subject!r}.")
        if self.tag_position is not None and np.shape(self.tag_position) != (2,):
            raise ValueError(f"tag_position must be (row, column), not {self.tag_position!r}.")


def scenes(n, seed, setting="training"):
    """Decide on n pictures.

    Parameters
    ----------
    n : int
        Number of pictures; half of them have a horse.
    seed : int
        Picture i has the seed ``seed + i``, whatever n is. See the ranges in ``utils.worlds``.
    setting : {"training", "real", "balanced"}
        ``"training"``: tag and hurdles go with the horse. ``"real"``: no tags, hurdles anywhere.
        ``"balanced"``: tag and hurdles as frequent with a horse as without, for the repair.

    Returns
    -------
    list of Scene
    """
    check_request(n, seed, setting, SETTINGS)
    return [_scene(int(seed) + i, SETTINGS[setting]) for i in range(n)]


def _scene(seed, shares):
    horse, extra, hard, rider, framing, bush, kind, which = stream(seed, "scene").random(8)
    is_horse = bool(horse < 0.5)
    tag, hurdles = shares["horse" if is_horse else "other"]
    case = 0 if extra < tag else 1 if extra < tag + hurdles else 2
    subjects = OUTDOORS
    if is_horse and kind > 0.2:
        subjects = ("nothing",)
    elif not is_horse and kind < 0.2 and case != 1:  # nobody jumps over a coffee cup
        subjects = CLOSE_UPS
    return Scene(
        seed=seed,
        horse=is_horse,
        rider=bool(is_horse and rider < 0.4),
        hard=bool(is_horse and hard < shares["hard"][case]),
        framing=FRAMINGS[int(2 * framing)],
        tag=case == 0,
        hurdles=case == 1,
        subject=subjects[int(which * len(subjects))],
        bush=bool(bush < 0.25 and subjects != CLOSE_UPS),
    )


def _take(scene):
    cv2.setNumThreads(1)  # pictures are small, and processes many
    return photograph(scene)


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
        ``picture`` (sample, y, x, channel), float32 in 0..1; ``horse`` (sample), the label; and the
        truth: masks of visible pixels ``truth_horse``, ``truth_rider``, ``truth_tag``,
        ``truth_hurdle``, ``truth_inside`` (sample, y, x), and ``truth_hard``, ``truth_framing``,
        ``truth_has_tag``, ``truth_has_hurdle`` (sample).
    """
    scenes = check_scenes(scenes, Scene)
    return _dataset(scenes, *draw_all(_take, scenes, progress, n_jobs))


def _dataset(scenes, pictures, masks):
    def per_picture(values, kind, text, meanings=()):
        flags = {"flag_values": np.arange(len(meanings), dtype=np.int8)} if meanings else {}
        flags |= {"flag_meanings": " ".join(meanings)} if meanings else {}
        return "sample", np.array(list(values), kind), {"long_name": text} | flags

    variables = {
        "picture": (
            ("sample", "y", "x", "channel"),
            np.float32(pictures) / np.float32(255),
            {"long_name": "picture in red, green and blue", "units": "1"},
        ),
        "horse": per_picture((s.horse for s in scenes), np.int8, "label", ("no_horse", "horse")),
        "truth_hard": per_picture((s.hard for s in scenes), bool, "the horse is hard to see"),
        "truth_framing": per_picture(
            (FRAMINGS.index(s.framing) for s in scenes), np.int8, "shape of the picture", FRAMINGS
        ),
        "truth_has_tag": per_picture((s.tag for s in scenes), bool, "there is a source tag"),
        "truth_has_hurdle": per_picture((s.hurdles for s in scenes), bool, "there are hurdles"),
    }
    for i, name in enumerate((*TRUTHS, "inside")):
        text = "inside the grey bars" if name == "inside" else f"visible pixels of the {name}"
        variables[f"truth_{name}"] = ("sample", "y", "x"), masks[:, i], {"long_name": text}
    coordinates = {
        "seed": per_picture((s.seed for s in scenes), np.int64, "seed of the picture"),
        "y": ("y", np.arange(SIZE), {"long_name": "row, from the top", "units": "1"}),
        "x": ("x", np.arange(SIZE), {"long_name": "column, from the left", "units": "1"}),
        "channel": ("channel", ["red", "green", "blue"], {"long_name": "colour"}),
    }
    title = "Clever Hans world: small photographs with and without a horse"
    return xr.Dataset(variables, coordinates, {"title": title, "Conventions": "CF-1.10"})


def simulate(n, seed, setting="training", progress=False, n_jobs=None):
    """Draw n pictures: :func:`render` of :func:`scenes`, whose parameters these are."""
    return render(scenes(n, seed, setting), progress, n_jobs)
