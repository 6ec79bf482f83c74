"""Make the title pictures of the lessons in pictures/ again: `make pictures`."""

from pathlib import Path

from utils import course, networks, plots, training, worlds
from utils.explain import explain

PICTURES = Path(__file__).parents[1] / "pictures"


def clever_hans(cases, name):
    """Draw pictures of the sample and their heat maps in one row."""
    model = networks.clever_hans()
    training.load_weights(model, "clever_hans")
    data = worlds.open_world("clever_hans").isel(sample=cases)
    maps = explain(model, data.picture.values, "lrp.sequential_preset_a")
    masks = {part: data[f"truth_{part}"].values for part in plots.PARTS}
    fig, axes = plots.plt.subplots(1, 2 * len(cases), figsize=(4.2 * len(cases), 2.2))
    for i, (left, right) in enumerate(axes.reshape(-1, 2)):
        plots.picture(left, data.picture.values[i])
        plots.relevance(right, maps[i], masks={part: mask[i] for part, mask in masks.items()})
    (PICTURES / f"{name}.png").write_bytes(plots.png(fig))


def main():
    course.start(seed=0)
    clever_hans([12], "first_heat_map")
    clever_hans([73, 10, 3], "clever_hans")


if __name__ == "__main__":
    main()
