"""The Clever Hans world: reproducible, true to its masks, and as frequent as it says."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import xarray as xr

from utils import worlds
from utils.worlds import clever_hans, open_world
from utils.worlds.clever_hans import AREAS, FRAMINGS, Scene, composition, render, scenes, simulate
from utils.worlds.clever_hans.things import PHOTOGRAPHS

SEED = worlds.VALIDATION + 500_000


@pytest.fixture(scope="module")
def world():
    return simulate(48, SEED)


def outdoors(count, **wanted):
    """The first scenes of the training world that are as wanted, none of them a close-up."""
    found = [s for s in scenes(2000, SEED) if all(getattr(s, k) == v for k, v in wanted.items())]
    return [s for s in found if s.subject not in PHOTOGRAPHS][:count]


def spill(mask, inside, reach):
    """Where a change may show: around the mask, and in every JPEG block that this touches."""
    near = cv2.dilate(np.uint8(mask), np.ones((2 * reach + 1,) * 2)) > 0
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    blocks = near[area].reshape(len(rows) // 16, 16, len(columns) // 16, 16).any((1, 3))
    touched = np.zeros_like(mask)
    touched[area] = blocks.repeat(16, 0).repeat(16, 1)
    return cv2.dilate(np.uint8(touched), np.ones((5, 5))) > 0  # colour bleeds over block edges


# --- reproducible --------------------------------------------------------------------------------


def test_a_picture_depends_on_its_seed_alone(world):
    xr.testing.assert_identical(simulate(5, SEED), world.isel(sample=slice(0, 5)))
    xr.testing.assert_identical(simulate(3, SEED + 20), world.isel(sample=slice(20, 23)))
    assert not np.array_equal(world.picture[0], simulate(1, SEED + 48).picture[0])


def test_what_was_drawn_before_does_not_matter():
    plain = outdoors(3, horse=True)
    tagged = [replace(scene, tag=True, tag_position=(20, 30)) for scene in plain]
    composition._untagged.cache_clear()
    drawn = render([*plain, *tagged])
    composition._untagged.cache_clear()
    xr.testing.assert_identical(render([*tagged, *plain]).isel(sample=[3, 4, 5, 0, 1, 2]), drawn)


def test_processes_draw_the_same_pictures(world):
    xr.testing.assert_identical(simulate(48, SEED, n_jobs=2), world)


def test_progress_bar_shows_on_demand(capfd):
    simulate(2, SEED)
    assert "samples" not in capfd.readouterr().err
    simulate(2, SEED, progress=True)
    assert "samples: 100%" in capfd.readouterr().err


# --- schema --------------------------------------------------------------------------------------


def test_schema(world):
    assert world.picture.dims == ("sample", "y", "x", "channel")
    assert world.picture.shape == (48, 64, 64, 3)
    assert world.picture.dtype == np.float32
    assert world.picture.attrs["units"] == "1"
    assert 0 <= world.picture.min() and world.picture.max() <= 1
    assert world.horse.dtype == np.int8 and set(world.horse.values) == {0, 1}
    for name in ("horse", "rider", "tag", "hurdle", "inside"):
        mask = world[f"truth_{name}"]
        assert mask.dims == ("sample", "y", "x") and mask.dtype == bool
    assert all(variable.attrs["long_name"] for variable in world.data_vars.values())
    assert world.truth_framing.attrs["flag_meanings"] == "portrait landscape"
    assert world.seed.values.tolist() == list(range(SEED, SEED + 48))


def test_bars_are_grey_and_the_picture_lies_between_them(world):
    for sample in range(world.sizes["sample"]):
        one = world.isel(sample=sample)
        rows, columns = AREAS[FRAMINGS[int(one.truth_framing)]]
        inside = one.truth_inside.values
        assert inside.any(1).sum() == rows and inside.any(0).sum() == columns
        assert np.all(one.picture.values[~inside] == np.float32(128 / 255))
        assert one.picture.values[inside].std() > 0.03


def test_masks_agree_with_the_flags(world):
    seen = {name: world[f"truth_{name}"].any(("y", "x")) for name in ("horse", "tag", "hurdle")}
    assert np.array_equal(seen["tag"], world.truth_has_tag)
    assert not seen["horse"].values[world.horse == 0].any()
    assert not seen["hurdle"].values[~world.truth_has_hurdle].any()
    clear = (world.horse == 1) & ~world.truth_hard
    assert (world.truth_horse.sum(("y", "x"))[clear] > 40).all()
    assert not world.truth_hard.values[world.horse == 0].any()
    layers = sum(world[f"truth_{n}"].astype(int) for n in ("horse", "rider", "tag", "hurdle"))
    assert (layers.where(world.truth_tag, 0) <= 1).all(), "something shows through the tag"
    for name in ("horse", "rider", "tag", "hurdle"):
        assert not (world[f"truth_{name}"] & ~world.truth_inside).any()


# --- the truth means what it says ----------------------------------------------------------------


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_tag_changes_its_own_pixels_only(framing):
    for plain in outdoors(6, tag=False, framing=framing):
        pair = render([plain, replace(plain, tag=True)])
        tag, inside = pair.truth_tag[1].values, pair.truth_inside[1].values
        change = np.abs(np.diff(pair.picture, axis=0)[0]).max(-1)
        assert change[tag].mean() > 0.05
        assert np.all(change[~spill(tag, inside, 0)] == 0)
        rows, columns = np.flatnonzero(tag.any(1)), np.flatnonzero(tag.any(0))
        corner = np.flatnonzero(inside.any(1))[-1], np.flatnonzero(inside.any(0))[0]
        assert corner[0] - rows[-1] == 2 and columns[0] - corner[1] == 2
        assert (len(rows), len(columns)) == (6, 27)
        for name in ("horse", "rider", "hurdle"):
            before, after = pair[f"truth_{name}"].values
            assert np.array_equal(before & ~tag, after)


@pytest.mark.parametrize("what", ["hurdles", "horse", "rider"])
def test_taking_a_thing_away_changes_where_it_was(what):
    name = what.rstrip("s")
    inner, outer = [], []
    for scene in outdoors(12, **{what: True, "hard": False}):
        pair = render([scene, replace(scene, **{what: False})])
        mask, inside = pair[f"truth_{name}"][0].values, pair.truth_inside[0].values
        change = np.abs(np.diff(pair.picture, axis=0)[0]).mean(-1)
        inner.append(change[mask].mean())
        far = inside & ~spill(mask, inside, 4)
        outer.append(change[far].mean() if far.any() else 0)
        assert not pair[f"truth_{name}"][1].any()
    assert np.mean(inner) > 0.08
    assert np.mean(outer) < 0.1 * np.mean(inner), "more than a shadow changed elsewhere"


def test_tag_and_hurdles_move_where_they_are_told():
    scene = replace(outdoors(1, horse=False)[0], tag=True, hurdles=True, framing="landscape")
    moved = replace(scene, tag_position=(20, 30), hurdle_shift=-9)
    pair = render([scene, moved, replace(scene, tag_position=(0, 63))])
    rows, columns = np.nonzero(pair.truth_tag[1].values)
    assert (rows[0], columns[0]) == (20, 30)
    assert pair.truth_tag[2].sum() == pair.truth_tag[0].sum(), "kept inside the picture"
    left, right = (np.nonzero(pair.truth_hurdle[i].values)[1].min() for i in (1, 0))
    assert left < right


def test_hard_horses_are_harder_to_see():
    def contrast(hard):
        some = outdoors(16, horse=True, hard=hard, hurdles=False)
        pictures = render(some)
        without = render([replace(s, horse=False, rider=False) for s in some])
        change = np.abs(pictures.picture - without.picture).mean("channel")
        return change.where(pictures.truth_horse, 0).sum(("y", "x")).median()

    assert contrast(hard=True) < 0.35 * contrast(hard=False)


# --- frequencies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["training", "real", "balanced"])
def test_frequencies(setting):
    some = scenes(6000, SEED, setting)

    def check(values, share, what):
        values = np.array(values, float)
        bound = 4 * np.sqrt(max(share * (1 - share), 1e-9) / len(values))
        assert abs(values.mean() - share) <= bound, f"{what}: {values.mean():.3f}, not {share}"

    check([s.horse for s in some], 0.5, "horses")
    check([s.framing == "portrait" for s in some], 0.5, "portraits")
    shares = clever_hans.SETTINGS[setting]
    for horse, name in ((True, "horse"), (False, "other")):
        of_class = [s for s in some if s.horse == horse]
        check([s.tag for s in of_class], shares[name][0], f"tags, {name}")
        check([s.hurdles for s in of_class], shares[name][1], f"hurdles, {name}")
        check([s.framing == "portrait" for s in of_class], 0.5, f"portraits, {name}")
    horses = [s for s in some if s.horse]
    kinds = (
        [s for s in horses if s.tag],
        [s for s in horses if s.hurdles],
        [s for s in horses if not s.tag and not s.hurdles],
    )
    for share, kind in zip(shares["hard"], kinds, strict=True):
        if kind:
            check([s.hard for s in kind], share, "hard to see")


# --- the committed sample ------------------------------------------------------------------------


def test_sample_is_what_simulate_draws():
    sample = open_world("clever_hans")
    assert sample.sizes["sample"] >= 150
    drawn = simulate(12, worlds.SAMPLE)
    assert set(sample.variables) == set(drawn.variables)
    for name, variable in drawn.variables.items():
        stored = sample[name].variable
        assert stored.dims == variable.dims and stored.dtype.kind == variable.dtype.kind
        assert str(stored.attrs) == str(variable.attrs)
    first = sample.isel(sample=slice(0, 12))
    # A JPEG decoder of another build may round a few bytes differently.
    assert float(np.abs(first.picture - drawn.picture).max()) < 3 / 255
    for name in [n for n in drawn.data_vars if n != "picture"]:
        assert np.array_equal(first[name], drawn[name]), name


def test_seed_ranges_do_not_overlap():
    first = [worlds.TRAINING, worlds.VALIDATION, worlds.SAMPLE, worlds.CLAIMS]
    assert np.all(np.diff(first) >= worlds.RANGE)
    clever_hans.scenes(2, worlds.VALIDATION - 2)
    with pytest.raises(ValueError, match="next range"):
        clever_hans.scenes(3, worlds.VALIDATION - 2)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: scenes(5, 0, "reel"), ValueError, "setting must be one of training, real"),
        (lambda: scenes(5, 0, ["real"]), ValueError, "setting must be one of"),
        (lambda: scenes(worlds.RANGE + 1, 0), ValueError, "from 1 to 1000000"),
        (lambda: render([]), TypeError, "list of at least one Scene"),
        (lambda: render([1, 2]), TypeError, "list of at least one Scene"),
        (lambda: render(Scene(seed=1)), TypeError, "list of at least one Scene"),
        (lambda: Scene(seed=1, framing="square"), ValueError, "framing must be one of"),
        (lambda: Scene(seed=1, subject="zebra"), ValueError, "subject must be one of"),
        (lambda: Scene(seed=1, tag_position=3), ValueError, r"\(row, column\)"),
        (lambda: open_world("clever_horse"), ValueError, "no world called 'clever_horse'"),
        (lambda: open_world(3), TypeError, "name of a world"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
