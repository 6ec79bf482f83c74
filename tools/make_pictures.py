"""Make the title pictures of the lessons in pictures/ again: `make pictures`."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from utils import (
    course,
    features,
    lrp,
    networks,
    plots,
    receptive_field,
    worlds,
)
from utils.explain import explain
from utils.panels import goes_to_mrms
from utils.plots import goes, maps
from utils.plots.receptive_fields import boxes
from utils.weights import load_weights
from utils.worlds import climate
from utils.worlds import goes_mrms as goes_mrms_world

PICTURES = Path(__file__).parents[1] / "pictures"


def horse_network():
    """The network of lesson 01, trained."""
    model = networks.clever_hans()
    load_weights(model, "clever_hans")
    return model


def start_here(case, row, column):
    """Draw a storm as GOES sees it, a network's estimate, and its heat map of one pixel."""
    model = networks.encoder_decoder(None)
    load_weights(model, "goes_mrms")
    where = {"y": slice(row - 40, row + 40), "x": slice(column - 40, column + 40)}
    one = worlds.open_world("goes_mrms").isel(sample=[case], **where)
    x = goes_mrms_world.as_input(one)
    estimate = 60 * model.predict(x, verbose=0)[0, ..., 0].clip(0)
    fig, axes = plt.subplots(1, 4, figsize=(9, 2.5))
    goes.field(axes[0], "c13", one.c13[0], "infrared")
    goes.field(axes[1], "glm", one.glm[0], "lightning")
    goes.field(axes[2], "mrms", estimate, "the network's radar")
    heat_map = goes_to_mrms.heat_maps(model, x, [(40, 40)])[0].sum(-1)
    plots.heat_map(axes[3], heat_map, "where it looked")
    for ax in axes:
        goes.cross(ax, (40, 40))
    return fig


def first_heat_map(case):
    """Draw a picture and its heat map."""
    model = horse_network()
    one = worlds.open_world("clever_hans").isel(sample=[case])
    heat_map = explain(model, one.picture.values, "lrp.sequential_preset_a")[0]
    fig, (left, right) = plt.subplots(1, 2, figsize=(5, 2.5))
    plots.picture(left, one.picture.values[0])
    plots.heat_map(right, heat_map, masks={"horse": one.truth_horse.values[0]})
    return fig


def clever_hans(cases):
    """Draw pictures side by side, without the heat maps that the lesson asks to guess."""
    fig, axes = plt.subplots(1, len(cases), figsize=(2.5 * len(cases), 2.5))
    for ax, case in zip(axes, cases, strict=True):
        plots.picture(ax, worlds.open_world("clever_hans").picture[case])
    return fig


def layerwise_relevance(case):
    """Draw a picture, and its relevance in ever finer layers down to the input."""
    model = horse_network()
    picture = worlds.open_world("clever_hans").picture.values[[case]]
    result = lrp.relevance(model, picture, "alpha_1_beta_0")
    maps = [values for name, values in result.layers.items() if "pooling" in name]
    fig, axes = plt.subplots(1, 6, figsize=(9, 1.6))
    plots.picture(axes[0], picture[0])
    for ax, values in zip(axes[1:], [*maps, result.input], strict=True):
        plots.heat_map(ax, values[0])
    return fig


def innvestigate(case):
    """Draw a picture and heat maps of the same network by six methods."""
    model = horse_network()
    picture = worlds.open_world("clever_hans").picture.values[[case]]
    methods = ["gradient", "input_t_gradient", "guided_backprop", "lrp.alpha_1_beta_0"]
    methods += ["lrp.alpha_2_beta_1", "lrp.flat"]
    fig, axes = plt.subplots(1, 7, figsize=(9, 1.4))
    plots.picture(axes[0], picture[0])
    for ax, method in zip(axes[1:], methods, strict=True):
        plots.heat_map(ax, explain(model, picture, method, output=0)[0])
    return fig


def tf_explain(case):
    """Draw a tagged picture, and grey patches of three sizes on its tag."""
    one = worlds.open_world("clever_hans").isel(sample=case)
    rows, columns = one.truth_tag.values.nonzero()
    fig, axes = plt.subplots(1, 4, figsize=(9, 2.5))
    for ax, size in zip(axes, (0, 6, 12, 28), strict=True):
        patched = one.picture.values.copy()
        patched[rows.max() + 1 - size : rows.max() + 1, columns.min() :][:, :size] = 0.5
        plots.picture(ax, patched)
    return fig


def feature_visualization(layer, channel):
    """Draw the sample that excites a channel most, and the steps of a made-up picture."""
    model = horse_network()
    pictures = worlds.open_world("clever_hans").picture.values
    part = model.layers[layer].name, channel
    best = features.strongest_samples(model, pictures, *part, n=1)
    options = {"jitter": 4, "rotation": 5, "scaling": 0.1, "variation": 0.001}
    run = features.synthesise(model, *part, steps=64, **options)
    fig, axes = plt.subplots(1, 5, figsize=(9, 1.9))
    shown = [pictures[best.index[0]], *(run.frames[step] for step in (0, 8, 16, 64))]
    for ax, picture in zip(axes, shown, strict=True):
        plots.picture(ax, picture)
    return fig


def convection(case):
    """Draw four pictures of a sequence, two minutes apart."""
    sequence = worlds.open_world("convection").reflectance[case]
    fig, axes = plt.subplots(1, 4, figsize=(9, 2.5))
    for ax, picture, minutes in zip(axes, sequence, sequence.time, strict=False):
        plots.picture(ax, picture, f"{minutes:.0f} min")
    return fig


def goes_mrms(case, row, column):
    """Draw infrared and lightning of 128 x 128 pixels, radar, and what the network estimates."""
    model = networks.encoder_decoder(size=None)
    load_weights(model, "goes_mrms")
    where = {"y": slice(row, row + 128), "x": slice(column, column + 128)}
    one = worlds.open_world("goes_mrms").isel(sample=[case], **where)
    estimate = 60 * model.predict(goes_mrms_world.as_input(one), verbose=0)[0, ..., 0].clip(0)
    fig, axes = plt.subplots(1, 4, figsize=(9, 2.5))
    shown = {"c13": "infrared", "glm": "lightning", "mrms": "radar"}
    for ax, (name, title) in zip(axes, shown.items(), strict=False):
        goes.field(ax, name, one[name][0], title)
    goes.field(axes[3], "mrms", estimate, "the network")
    return fig


def receptive_fields(case):
    """Draw what a pixel of four layers sees of a satellite picture."""
    model = networks.encoder_decoder(None)
    image = worlds.open_world("goes_mrms").c13[case].values
    image = (image.max() - image) / (image.max() - image.min())
    size = image.shape
    names = receptive_field.trace(model, size).index
    fig, axes = plt.subplots(1, 4, figsize=(9, 2.6))
    for ax, layer in zip(axes, (0, 2, 6, -1), strict=True):
        box = receptive_field.box(model, names[layer], size=size)
        boxes(ax, image, [box], f"{box.size[0]} pixels")
    return fig


def climate_indicators(years):
    """Draw the temperature change of a model in some years."""
    changes, of = climate.anomalies(climate.simulate(1, worlds.SAMPLE))
    fig, axes = maps.globes(1, len(years), (9, 1.7))
    for ax, year in zip(axes.flat, years, strict=True):
        drawn = maps.draw(ax, changes[of == year][0], str(year), limit=5)
    maps.bar(fig, drawn, axes, "change (K)")
    return fig


def large_archive(years, models):
    """Draw heat maps of some years, a row for each model."""
    changes, of = climate.anomalies(climate.simulate(models, worlds.SAMPLE))
    mean, deviation = climate.scale(*climate.anomalies(climate.simulate(20, worlds.TRAINING)))
    model = networks.year_of_map()
    load_weights(model, "climate")
    heat_maps = lrp.relevance(model, (changes - mean) / deviation, "alpha_1_beta_0").input
    fig, axes = maps.globes(models, len(years), (9, 1.35 * models))
    for i, (row, some) in enumerate(zip(axes, np.split(heat_maps, models), strict=True), 1):
        for ax, year in zip(row, years, strict=True):
            heat_map = some[of[: len(some)] == year][0]
            title = f"model {i}, {year}"
            maps.draw(ax, heat_map / heat_map.mean(), title, limit=4, low=0, cmap="magma")
    return fig


def main():
    course.start(seed=0)
    for name, fig in [
        ("start_here", start_here(3, 160, 148)),
        ("first_heat_map", first_heat_map(81)),
        ("clever_hans", clever_hans([73, 10, 50])),
        ("feature_visualization", feature_visualization(6, 53)),
        ("layerwise_relevance", layerwise_relevance(18)),
        ("innvestigate", innvestigate(3)),
        ("tf_explain", tf_explain(8)),
        ("convection", convection(8)),
        ("receptive_fields", receptive_fields(0)),
        ("goes_mrms", goes_mrms(1, 0, 128)),
        ("climate_indicators", climate_indicators([1930, 2000, 2080])),
        ("large_archive", large_archive((2020, 2045, 2070, 2095), 3)),
    ]:
        (PICTURES / f"{name}.png").write_bytes(plots.png(fig))


if __name__ == "__main__":
    main()
