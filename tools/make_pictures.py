"""Make the title pictures of the lessons in pictures/ again: `make pictures`."""

from pathlib import Path

import matplotlib.pyplot as plt

from utils import course, lrp, networks, plots, training, worlds
from utils.explain import explain

PICTURES = Path(__file__).parents[1] / "pictures"


def first_heat_map(case):
    """Draw a picture and its heat map."""
    model = networks.clever_hans()
    training.load_weights(model, "clever_hans")
    one = worlds.open_world("clever_hans").isel(sample=[case])
    heat_map = explain(model, one.picture.values, "lrp.sequential_preset_a")[0]
    fig, (left, right) = plt.subplots(1, 2, figsize=(5, 2.5))
    plots.picture(left, one.picture.values[0])
    plots.relevance(right, heat_map, masks={"horse": one.truth_horse.values[0]})
    return fig


def clever_hans(cases):
    """Draw pictures side by side, without the heat maps that the lesson asks to guess."""
    fig, axes = plt.subplots(1, len(cases), figsize=(2.5 * len(cases), 2.5))
    for ax, case in zip(axes, cases, strict=True):
        plots.picture(ax, worlds.open_world("clever_hans").picture[case])
    return fig


def layerwise_relevance(case):
    """Draw a picture, and its relevance in ever finer layers down to the input."""
    model = networks.clever_hans()
    training.load_weights(model, "clever_hans")
    picture = worlds.open_world("clever_hans").picture.values[[case]]
    result = lrp.relevance(model, picture, "alpha_1_beta_0")
    maps = [values for name, values in result.layers.items() if "pooling" in name]
    fig, axes = plt.subplots(1, 6, figsize=(9, 1.6))
    plots.picture(axes[0], picture[0])
    for ax, values in zip(axes[1:], [*maps, result.input], strict=True):
        plots.relevance(ax, values[0])
    return fig


def convection(case):
    """Draw four pictures of a sequence, two minutes apart."""
    sequence = worlds.open_world("convection").reflectance[case]
    fig, axes = plt.subplots(1, 4, figsize=(9, 2.5))
    for ax, picture, minutes in zip(axes, sequence, sequence.time, strict=False):
        plots.picture(ax, picture, f"{minutes:.0f} min")
    return fig


def main():
    course.start(seed=0)
    for name, fig in [
        ("first_heat_map", first_heat_map(81)),
        ("clever_hans", clever_hans([73, 10, 3])),
        ("layerwise_relevance", layerwise_relevance(18)),
        ("convection", convection(8)),
    ]:
        (PICTURES / f"{name}.png").write_bytes(plots.png(fig))


if __name__ == "__main__":
    main()
