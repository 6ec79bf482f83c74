"""A panel draws at once, and again when a control moves."""

import base64
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from modulefinder import ModuleFinder
from pathlib import Path

import ipyevents
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from PIL import Image
from tensorflow import keras

from utils import lrp, networks, panels, plots, worlds
from utils.panels import (
    clever_hans,
    convection,
    feature_visualization,
    innvestigate,
    layerwise_relevance,
    start_here,
)
from utils.worlds import clever_hans as horses

ROOT = Path(__file__).resolve().parents[2]
SAYS = "A number as a title."


@pytest.fixture
def panel():
    fig, ax = plt.subplots(figsize=(2, 2))
    seen = []

    def draw(level):
        seen.append(level)
        ax.set_title(str(level))
        return fig

    slider = ipywidgets.IntSlider(3, 0, 10)
    yield panels.panel(draw, SAYS, level=slider), slider, seen
    plt.close(fig)


def test_panel_follows_its_control(panel):
    box, slider, seen = panel
    picture = box.children[1]
    before = bytes(picture.value)
    assert seen == [3] and before.startswith(b"\x89PNG")
    slider.value = 7
    assert seen == [3, 7] and bytes(picture.value) != before


def test_a_panels_output_holds_its_first_picture(panel):
    box, slider, _ = panel
    first = bytes(box.children[1].value)
    slider.value = 7
    data, metadata = box._repr_mimebundle_()
    stored = base64.b64decode(data["image/png"])
    assert stored == plots.small(first) != plots.small(bytes(box.children[1].value))
    assert "application/vnd.jupyter.widget-view+json" in data and data["text/plain"] == SAYS
    assert metadata == {"image/png": {"alt": SAYS, "width": 200}}
    assert box.children[1].layout.width == "200px"


def test_a_panel_without_words_is_a_widget_alone():
    fig = plt.figure(figsize=(1, 1))
    data = panels.panel(lambda: fig)._repr_mimebundle_()
    assert data.keys() == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    with pytest.raises(ValueError, match="There is no figure 'x'"):
        panels.panel(lambda: fig, "x")
    plt.close(fig)


def test_a_network_answers_each_move_from_another_thread():
    """JupyterLab moves a panel in a thread that is not the one of the cells."""
    model = networks.clever_hans(16)
    pictures = np.random.default_rng(0).random((4, 16, 16, 3))
    fig, ax = plt.subplots(figsize=(2, 2))

    def draw(number):
        relevance = lrp.relevance(model, pictures[[number]], "epsilon", layers=False).input
        logit = model.predict(pictures[[number]], verbose=0)[0, 0]
        ax.set_title(f"{logit:.4f} {abs(relevance).sum():.4f}")
        return fig

    slider = ipywidgets.IntSlider(0, 0, 3)
    picture = panels.panel(draw, number=slider).children[1]
    shown = [bytes(picture.value)]

    def move():
        for number in (1, 2, 3, 0):
            slider.value = number
            shown.append(bytes(picture.value))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(move).result()
    assert shown[0] == shown[4] and len(set(shown)) == 4
    plt.close(fig)


def test_a_click_sets_row_and_column_and_draws_once(monkeypatch):
    made, Event = [], ipyevents.Event
    monkeypatch.setattr(ipyevents, "Event", lambda **how: made.append(Event(**how)) or made[-1])
    fig, (left, right) = plt.subplots(1, 2, figsize=(4, 2))
    left.imshow(np.zeros((20, 30)), extent=(-0.5, 29.5, 19.5, -0.5))
    right.plot([0, 1])
    drawn = []

    def draw(row, column):
        drawn.append((row, column))
        return fig

    row, column = (ipywidgets.IntSlider(0, 0, 18) for _ in range(2))
    column.max = 29
    panels.panel(draw, click=("row", "column"), row=row, column=column)
    (event,) = made

    def click(ax, x, y):
        pixels = ax.transData.transform((x, y))
        event._dom_handlers({"dataX": pixels[0], "dataY": fig.bbox.height - pixels[1]})

    click(left, 7.3, 12.4)
    assert (row.value, column.value) == (12, 7) and drawn == [(0, 0), (12, 7)]
    click(right, 0.5, 0.5)  # no image
    click(left, 7, 19)  # beyond the slider's end
    assert drawn == [(0, 0), (12, 7)]
    row.value = 3  # it still listens
    assert drawn[-1] == (3, 7)
    plt.close(fig)


def test_clever_hans_follows_the_tag():
    scenes = clever_hans.world.scenes(3, seed=worlds.VALIDATION)
    draw = clever_hans.prepare(networks.clever_hans(), scenes)
    still = {"number": 0, "row": 40, "column": 10, "hurdles": False, "shift": 0}
    with_tag, again, without = (plots.png(draw(tag=tag, **still)) for tag in (True, True, False))
    assert with_tag == again != without


def test_lrp_rules_follow_both_sliders():
    pictures = np.random.default_rng(0).random((2, 16, 16, 3))
    draw = layerwise_relevance.prepare(networks.clever_hans(16), pictures)
    settings = [(0, 1, 0.1), (0, 1, 0.1), (0, 2, 0.1), (0, 1, 1.0), (1, 1, 0.1)]
    shown = [plots.png(draw(*setting)) for setting in settings]
    assert shown[0] == shown[1] and len(set(shown)) == 4


def test_a_diagram_is_drawn_where_it_is_asked_for():
    fig, axes = plt.subplots(1, 2)
    W, v = np.array([[1.0, 3.0], [1.0, -1.0]]), np.array([2.0, -2.0])
    assert layerwise_relevance.diagram(W, v, [1, 2, 3, 1, 4], [-4, 8, 6, -2, 4], axes[1]) is fig
    assert not axes[0].texts and "R = -4" in [text.get_text() for text in axes[1].texts]
    plt.close(fig)


def test_bars_of_a_ledger_lead_from_the_logit_to_what_arrives():
    model = networks.clever_hans(16)
    x = np.random.default_rng(0).random((1, 16, 16, 3))
    ledger = lrp.relevance(model, x, lrp.epsilon(0.1)).ledger.loc[0]
    fig, ax = plt.subplots()
    layerwise_relevance.ledger_bars(ax, ledger, "epsilon")
    (logit, arrives), *rest = ax.containers
    taken = [bars for bars in rest if bars[0].get_y() > 0]  # those at the output's row are a legend
    assert len(taken) == 3 * 6  # by bias, by stabiliser, or unassigned, at each layer with weights
    ends = logit.get_width()
    for (bar,) in taken:
        np.testing.assert_allclose(bar.get_x(), ends, rtol=1e-5)
        ends += bar.get_width()
    np.testing.assert_allclose(ends, arrives.get_width(), rtol=1e-3)
    plt.close(fig)


def test_by_alpha_marks_guess_and_controls():
    values = {"LRP-0": [0, 100], 1.5: [0, 100], 2: [100, 100]}
    measured, guess = {"a": values, "b": values}, {"a": None, "b": 40}
    fig = layerwise_relevance.by_alpha(measured, {2: [0, 0]}, 39, guess)
    words = [text.get_text() for text in fig.axes[1].texts]
    assert sorted(words) == ["100", "50", "50", "your guess"] and not fig.axes[0].texts
    (lot,) = [line for line in fig.axes[1].lines if line.get_linestyle() == ":"]
    assert set(lot.get_ydata()) == {39}
    plt.close(fig)


def test_method_tour_follows_menus_and_slider():
    rng = np.random.default_rng(0)
    pictures, masks = rng.random((2, 64, 64, 3)), rng.random((2, 64, 64)) > 0.9
    maps = {kind: {state: rng.normal(size=(2, 64, 64)) for state in "ab"} for kind in "xy"}
    draw = innvestigate.prepare(pictures, maps, masks)
    settings = [("x", "a", 0), ("y", "a", 0), ("x", "b", 0), ("x", "a", 1), ("x", "a", 0)]
    shown = [plots.png(draw(*setting)) for setting in settings]
    assert len(set(shown)) == 4 and shown[0] == shown[4]


def test_a_choice_is_a_letter():
    letters = {"A": "gradient", "B": "flat"}
    assert innvestigate.chosen({"map": None}, letters) is None
    assert innvestigate.chosen({"map": " b"}, letters) == "flat"
    for answer in ("C", "gradient", 3):
        with pytest.raises(ValueError, match="A to B, in quotation marks"):
            innvestigate.chosen({"map": answer}, letters)


def test_a_choice_is_marked_in_the_scores():
    column = {kind: (value, (value - 0.5, value + 1)) for kind, value in [("a", 2), ("b", 3)]}
    column["LRP flat"] = 1, (1, 1)
    assert innvestigate.ranks(column) == {"b": 1, "a": 2}
    names = {kind: kind for kind in ("b", "a", "LRP flat")}
    for choice in (None, "a"):
        fig = innvestigate.ranked({"tag": column}, {"tag": ("density", 5)}, names, choice)
        (ax,) = fig.axes
        words = {text.get_text(): text.get_position()[1] for text in ax.texts}
        assert {"1": 0, "2": 1}.items() <= words.items()
        assert words.get("your choice") == (1.28 if choice else None)
        assert len(ax.patches) == bool(choice)
        plt.close(fig)


def test_lettered_maps_stand_beside_their_picture():
    rng = np.random.default_rng(0)
    maps = {letter: rng.normal(size=(8, 8)) for letter in "ABC"}
    fig = innvestigate.lettered(rng.random((8, 8, 3)), "z = 1.0", maps)
    titles = [ax.get_title("left") for ax in fig.axes if ax.images]
    assert titles == ["z = 1.0", "A", "B", "C"]
    plt.close(fig)


def test_clouds_before_and_after_have_their_logits():
    rng = np.random.default_rng(0)
    twins = {"patch": rng.random((2, 8, 8))}
    masks, maps = {"patch": rng.random((8, 8)) > 0.5}, {"patch": {"flat": rng.random((8, 8))}}
    fig = innvestigate.clouds(twins, {"patch": (-1.0, 2.0)}, masks, maps)
    titles = [ax.get_title("left") for ax in fig.axes if ax.images]
    assert titles == ["as it was\nz = -1.0", "brightened\nz = 2.0", "flat\n"]
    plt.close(fig)


def test_strokes_follow_their_sliders():
    model = networks.clever_hans()
    scenes = [horses.Scene(1, tag=True), horses.Scene(1)]
    drawn = horses.render(scenes)
    tagged, plain = drawn.isel(sample=0), drawn.picture.values[1]
    draw = feature_visualization.prepare(model, model.layers[6].name, 3, tagged, plain)
    settings = [(3, 2, 4), (3, 2, 4), (2, 2, 4), (3, 3, 4), (3, 2, 5)]
    shown = [plots.png(draw(*setting)) for setting in settings]
    assert shown[0] == shown[1] and len(set(shown)) == 4
    image = draw(3, 2, 4).axes[0].images[0].get_array()
    assert (abs(image - plain).max(-1) > 0).sum() == 4 * 17  # 27 columns, three of each five


def test_falls_lie_where_the_excitation_came_from():
    def excited(pictures):
        return pictures[:, 4:12, 20:28].mean((1, 2, 3))

    maps = feature_visualization.falls(excited, np.ones((32, 32, 3)))
    inside = np.zeros((32, 32), bool)
    inside[4:12, 20:28] = True
    assert maps[inside].min() > maps[~inside].max()
    assert maps[20:].max() == maps[:, :16].max() == 0
    shown = np.ones((2, 32, 32, 3)), [1, 1], np.stack([maps, maps]), [{}, {}], [25, 30]
    titles = [ax.get_title("left") for ax in feature_visualization.covered(*shown).axes[:4]]
    assert titles[:1] + titles[2:] == ["excitation 1.0", "on the tag: 25 %", "on the tag: 30 %"]
    plt.close("all")


def test_a_made_up_detector_counts_the_pixels_in_sight():
    picture, part = np.ones((8, 8, 3)), np.zeros((8, 8), bool)
    part[2:4] = True
    covered = picture.copy()
    covered[3:, :, 1] = 0.5
    seen = feature_visualization.counting(picture, part)(np.stack([picture, covered]))
    assert seen.tolist() == [16, 8]


def test_figures_of_channels_count_and_mark_the_guess():
    examples = {"tag": (np.zeros((8, 8, 3)), 2.0), "bar": (np.ones((8, 8, 3)), 1.0)}
    wins, detectors = {"bar": np.array([0.95, 0.5, 0.9])}, np.array([True, True, False])
    fig = feature_visualization.selective(examples, wins, detectors, 1, {"bar": 2})
    words = [text.get_text() for ax in fig.axes for text in ax.texts]
    assert "1 of 2 still win 90 % (you: 2)" in words
    panes = {"a": {"x": [[100, 0]], "y": [[90, 10]], "z": [[80, 20], [60, 40]]}}
    panes["b"] = panes["a"]
    fig = feature_visualization.switched_off(panes, [0, 64], {"x": None, "y": 32, "z": None})
    assert [text.get_text() for text in fig.axes[0].texts] == ["your guess"]
    np.testing.assert_allclose(fig.axes[0].lines[2].get_ydata(), [70, 30])
    plt.close("all")


def test_a_loop_shows_the_frame_of_its_slider():
    pictures = np.random.default_rng(0).random((3, 5, 8, 8))
    draw = convection.prepare_loop(pictures, ["a", "b", "c"])
    play, box = panels.loop(draw, frames=5).children
    assert (play.min, play.max) == (0, 4)
    slider = box.children[0].children[0]
    shown = []
    for frame in (0, 3, 0):
        slider.value = frame
        shown.append(bytes(box.children[1].value))
    assert shown[0] == shown[2] != shown[1]


def test_convection_follows_every_slider():
    scenes = [convection.world.Scene(seed=worlds.VALIDATION + i) for i in range(2)]
    model = networks.convection()
    single = keras.Sequential([model.input, *model.layers[:-1], keras.layers.Dense(1)])
    draw = convection.prepare(single, scenes)
    settings = [(0, 0.7, 0.3, 30), (0, 0.7, 0.3, 30), (0, 0.4, 0.3, 30), (0, 0.7, 0, 30)]
    settings += [(0, 0.7, 0.3, 70), (1, 0.7, 0.3, 30)]
    shown = [plots.png(draw(*setting)) for setting in settings]
    assert shown[0] == shown[1] and len(set(shown)) == 5


def test_convection_scenes_have_names():
    made = convection.world.Scene(seed=worlds.VALIDATION, texture=0.3)
    some = [made, replace(made, texture=0.0), replace(made, texture=0.0, kind="broken")]
    names = ["storm", "old anvil", "shallow cumulus"]
    assert convection.names(convection.world.render(some)) == names


def test_convection_bars_stand_by_network_and_change():
    lost = {name: {"smoothed": [True, False], "dimmed": [True, True]} for name in ("a", "b")}
    alarms = {name: {"as they are": [False, False]} for name in lost}
    fig = convection.bars({"storms lost (%)": lost, "false alarms (%)": alarms})
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["a", "b", "", ""]
    widths = [[bar.get_width() for bar in ax.patches] for ax in fig.axes]
    assert widths == [[50, 100], [50, 100], [0], [0]]
    plt.close("all")


def test_convection_repairs_are_counted_by_kind():
    kinds = {"bright": np.array(["snow", "deck", "snow"]), "dim": np.array(["young"])}
    answers = {"bright": [True, False, False], "dim": [True], "ordinary": [False]}
    wrong = {f"network {i}": {k: np.array(v) for k, v in answers.items()} for i in range(7)}
    left, right = convection.repairs(wrong, kinds).axes
    assert [text.get_text() for text in right.texts[:3]] == ["0", "50", "100"]  # deck, snow, young
    assert {text.get_text() for text in left.texts} == {"0", "50"}
    plt.close("all")


def test_a_panel_leaves_no_open_figure_that_a_notebook_would_show():
    fig = plt.figure(figsize=(2, 1))
    box = panels.panel(lambda: fig)
    assert plt.get_fignums() == []
    assert Image.open(io.BytesIO(bytes(box.children[1].value))).width >= 2 * plots.FEWEST_DPI


def test_panels_are_sharp():
    pictures = np.random.default_rng(0).random((1, 64, 64, 3))
    draw = layerwise_relevance.prepare(networks.clever_hans(), pictures)
    box = panels.panel(
        draw,
        number=ipywidgets.IntSlider(0),
        alpha=ipywidgets.FloatSlider(1),
        epsilon=ipywidgets.FloatSlider(0.1),
    )
    data = Image.open(io.BytesIO(bytes(box.children[1].value)))
    picture = draw(0, 1.0, 0.1).axes[0].get_window_extent()
    assert data.width >= 6 * plots.FEWEST_DPI and picture.width % 64 == pytest.approx(0, abs=1e-6)
    assert box.children[1].layout.width == "620px"


def test_gallery_takes_one_picture_and_refuses_none():
    fig = clever_hans.gallery(np.zeros((1, 8, 8, 3)), {"heat map": np.ones((1, 8, 8))})
    assert [ax.get_ylabel() for ax in fig.axes[:2]] == ["picture", "heat map"]
    with pytest.raises(ValueError, match="at least one row"):
        clever_hans.gallery(np.zeros((1, 8, 8, 3)), {})
    plt.close(fig)


def test_gallery_says_what_each_map_explains_and_where_its_colours_end():
    rows = {"one": np.full((1, 8, 8), 0.25), "two": np.full((1, 8, 8), -0.5)}
    fig = clever_hans.gallery(np.zeros((1, 8, 8, 3)), rows, logits={"one": [3.14], "two": [-1]})
    titles = [ax.get_title("left") for ax in fig.axes[:3]]
    assert titles == ["", "z = 3.1", "z = -1.0"]
    assert [ax.get_xlabel() for ax in fig.axes[1:3]] == ["0 to 0.25", "± 0.5"]
    plt.close(fig)


def test_before_and_after_stand_side_by_side():
    logits = {"cut": [np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, -2.0, -3.0, -4.0])]}
    fig = clever_hans.before_after({"first": logits, "second": logits}, {"cut": 40})
    guesses = [[line for line in ax.lines if line.get_marker() == "D"] for ax in fig.axes]
    assert guesses[0] == [] and guesses[1][0].get_xydata().tolist() == [[40, 0.13]]
    words = [text.get_text() for text in fig.legends[0].get_texts()]
    assert words == ["as it was", "changed"]
    assert not fig.axes[0].texts, "logits of two networks are not compared"
    assert fig.axes[0].lines[0].get_xdata().tolist() == [100, 25]
    assert [ax.get_title("left") for ax in fig.axes] == ["first", "second"]
    assert [tick.get_text() for tick in fig.axes[0].get_yticklabels()] == ["cut"]
    plt.close(fig)
    fig = clever_hans.before_after({"one": logits})
    assert fig.axes[0].texts[0].get_text() == "−4.5"
    plt.close(fig)


def test_errors_are_split_by_what_is_in_the_picture():
    wrong, horse, hard, hurdles = np.array(
        [[1, 1, 1, 0, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 0]], bool
    )
    kinds = clever_hans.errors_by_kind(wrong, horse, hard, hurdles)
    assert list(kinds.values()) == [20, 20, 20, 20] and sum(kinds.values()) == 100 * wrong.mean()
    fig = clever_hans.errors({"here": kinds, "there": kinds})
    assert fig.axes[0].dataLim.x1 == 80
    assert [text.get_text() for text in fig.axes[0].texts].count("80") == 2
    plt.close(fig)


def test_only_changed_scenes_are_drawn_again(monkeypatch):
    world = clever_hans.world
    scenes = world.scenes(3, seed=worlds.VALIDATION)
    changed = [scenes[0], replace(scenes[1], tag=True), scenes[2]]
    before, right = world.render(scenes), world.render(changed)
    render, counts = world.render, []
    monkeypatch.setattr(world, "render", lambda some: counts.append(len(some)) or render(some))
    xr.testing.assert_identical(clever_hans.redraw(before, scenes, changed), right)
    assert counts == [1] and not before.truth_has_tag[1]


def test_the_picture_with_the_median_change_is_drawn():
    scenes = clever_hans.world.scenes(3, seed=worlds.VALIDATION)
    data = clever_hans.world.render(scenes)
    logits = {"a, b": [np.zeros(3), np.array([3.0, 1.0, 2.0])]}
    fig = clever_hans.changed({"a, b": (data, data)}, logits)
    assert [ax.get_title("left") for ax in fig.axes] == ["a\nb\nz = 0.0", "z = 2.0"]
    np.testing.assert_array_equal(fig.axes[0].images[0].get_array(), data.picture[2])
    plt.close(fig)


def test_groups_are_made_by_what_is_in_the_picture():
    scenes = [clever_hans.world.Scene(i, True, tag=i == 1, hurdles=i == 2) for i in range(3)]
    found = clever_hans.groups(clever_hans.world.render(scenes))
    assert [which.tolist() for which in found.values()] == np.eye(3, dtype=bool)[[0, 2, 1]].tolist()


def test_effects_mark_the_mean_of_each_kind():
    results = {
        (rule, kind): (np.array([1.0, 3.0]), np.array([2.0, 6.0]))
        for rule in "AB"
        for kind in "xyz"
    }
    fig = clever_hans.effects(results, {"x": 3, "y": None, "z": None})
    rings = [
        line.get_xydata()[0].tolist() for line in fig.axes[0].lines if line.get_marker() == "o"
    ]
    guesses = [line for line in fig.axes[0].lines if line.get_marker() == "D"]
    assert rings == [[2, 4]] * 3 and guesses[0].get_xydata().tolist() == [[2, 3]]
    plt.close(fig)


def test_tiles_are_cut_out_of_their_scenes():
    scenes = np.arange(2 * 256 * 256).reshape(2, 256, 256)
    tiles = clever_hans.tiles(scenes)
    assert tiles.shape == (128, 32, 32)
    np.testing.assert_array_equal(tiles[64 + 8 * 2 + 3], scenes[1, 64:96, 96:128])
    assert clever_hans.as_input(np.full((1, 32, 32), 250.0))[0, 0] == pytest.approx(0.2)


def test_maps_of_a_cluster_stand_in_its_row():
    maps = np.random.default_rng(0).random((5, 8, 8))
    clusters, inside = np.array([1, 0, 1, 0, 1]), np.ones((5, 8, 8), bool)
    fig = clever_hans.cluster_maps(maps, clusters, inside, np.arange(5.0), shown=2)
    titles = [ax.get_title("left") for ax in fig.axes[:6]]
    assert titles == ["mean of 2", "z = 1.0", "z = 3.0", "mean of 3", "z = 0.0", "z = 2.0"]
    mean = maps[[0, 2, 4]].mean(0)
    shown = fig.axes[3].images[0].get_array()
    np.testing.assert_allclose(shown, mean)
    assert fig.axes[3].images[0].get_clim() == (0, pytest.approx(plots.colour_limit(mean)))
    plt.close(fig)


def test_a_diamond_marks_where_the_learner_looked():
    draw = start_here.prepare(np.zeros((8, 8, 3)))
    empty = plots.png(draw(-1, -1))
    fig = draw(2, 5)
    assert [tuple(line.get_xydata()[0]) for line in fig.axes[0].lines] == [(5, 2)] * 2
    assert plots.png(fig) != empty and plots.png(draw(2, -1)) == empty


def test_the_hottest_pixels_and_patches_of_the_horse_are_painted_over():
    picture = np.random.default_rng(0).random((4, 5, 3))
    heat_map = np.arange(20.0).reshape(4, 5)
    inside, horse = np.ones((4, 5), bool), heat_map < 6
    inside[3] = False
    hot, patch = start_here.paint_over(picture, heat_map, horse, inside, n=3, draws=9).values()
    np.testing.assert_array_equal((hot != picture).any(-1)[0], heat_map > 16)
    changed = (patch != picture).any(-1)
    assert changed.shape == (9, 4, 5) and (changed.sum((1, 2)) == 3).all()
    assert not changed[:, ~horse].any() and (changed != changed[0]).any()
    for rows, columns in (np.nonzero(one) for one in changed):
        assert np.ptp(rows) <= 1 and np.ptp(columns) <= 2, "they lie together"
    np.testing.assert_allclose(hot[0, 3, 4], picture[inside & ~horse].mean(0))


def test_a_wider_mask_has_one_pixel_more_on_each_side():
    mask = np.zeros((1, 5, 6), bool)
    mask[0, 2, 2] = True
    assert [part.tolist() for part in np.nonzero(start_here.one_pixel_more(mask)[0])] == [
        [1, 1, 1, 2, 2, 2, 3, 3, 3],
        [1, 2, 3] * 3,
    ]


# ---- what a panel's module imports ---------------------------------------------------------------

OF_LESSONS = {
    path.stem.partition("_")[2]: path.read_text(encoding="utf-8")
    for path in ROOT.glob("lessons/*.py")
}
MODULES = {path.stem for path in ROOT.glob("utils/panels/*.py")} - {"__init__"}


def worlds_behind(module):
    """Worlds that a module imports, itself or through others, at once or in a function."""
    finder = ModuleFinder([str(ROOT)])
    finder.import_hook(module)
    return {name.split(".")[2] for name in finder.modules if name.startswith("utils.worlds.")}


@pytest.mark.parametrize("name", sorted(MODULES & OF_LESSONS.keys()))
def test_a_panel_knows_no_world_but_its_lessons(name):
    own = set(re.findall(r"(?m)^from utils\.worlds import (\w+) as world$", OF_LESSONS[name]))
    assert worlds_behind(f"utils.panels.{name}") - {"drawing"} <= own


def test_what_panels_share_knows_no_world():
    shared = {f"utils.panels.{name}" for name in MODULES - OF_LESSONS.keys()}
    assert shared == {"utils.panels.panel", "utils.panels.heat_map"}
    for module in ("utils.plots", "utils.panels", *shared):
        assert not worlds_behind(module)
    assert "climate" in worlds_behind("utils.plots.maps")  # so it would be seen
