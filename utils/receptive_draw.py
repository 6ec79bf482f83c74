"""Pictures of receptive fields: boxes on an image, sizes in kilometres beside weather's scales."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from tensorflow import keras
from tensorflow.keras import layers

from utils import plots, receptive_field

# Horizontal scales in km, as named by Orlanski (1975).
SCALES = {
    "micro α": (0.2, 2),
    "meso γ": (2, 20),
    "meso β": (20, 200),
    "meso α": (200, 2000),
    "macro β": (2000, 10000),
}
EXAMPLES = ("tornadoes", "thunderstorms", "sea breezes", "fronts", "baroclinic waves")


def boxes(ax, image, found, title=""):
    """Draw red boxes on an image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : array, shape (y, x)
        Values 0 to 1.
    found : list of receptive_field.Box
        Cut at the image's border.
    title : str
    """
    plots.picture(ax, image, title)
    for box in found:
        corner = box.columns.start - 0.5, box.rows.start - 0.5
        ax.add_patch(Rectangle(corner, *box.size[::-1], fill=False, ec=plots.RED, lw=1.5))


def scales(ax, kilometres):
    """Draw sizes of receptive fields beside the scales of weather (orlanski1975).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    kilometres : dict of str to float
        Sizes by name, such as a layer's.
    """
    colours = plt.cm.Blues(np.linspace(0.15, 0.6, len(SCALES)))
    for (name, (low, high)), example, colour in zip(SCALES.items(), EXAMPLES, colours, strict=True):
        ax.axvspan(low, high, color=colour, lw=0)
        middle = np.sqrt(low * high)
        ax.text(middle, -0.8, f"{name}\n{example}", ha="center", va="bottom", fontsize=8)
    for row, size in enumerate(kilometres.values()):
        ax.plot(size, row, "o", color=plots.RED)
    ax.set(xscale="log", xlim=(0.2, 10000), ylim=(len(kilometres) - 0.5, -2.2))
    ax.set(yticks=range(len(kilometres)), yticklabels=list(kilometres), xlabel="size (km)")


def builder(image, kilometres):
    """Prepare the picture of lesson 09's panel: a network built from blocks, its box and its ERF.

    Parameters
    ----------
    image : array, shape (y, x)
        Values 0 to 1.
    kilometres : float
        Size of a pixel.

    Returns
    -------
    function
        ``draw(blocks, kernel, dilation, pool)`` returns the figure for so many blocks of a
        convolution and, if `pool` is above 1, a pooling.
    """
    fig, axes = plt.subplots(1, 2, figsize=(8, 4.3))

    def draw(blocks, kernel, dilation, pool):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((*image.shape, 1))])
        for _ in range(blocks):
            options = {"dilation_rate": dilation, "padding": "same", "activation": "relu"}
            model.add(layers.Conv2D(8, kernel, **options))
            if pool > 1:
                model.add(layers.MaxPooling2D(pool))
        pixel = tuple(n // 2 for n in model.output_shape[1:3])
        name = model.layers[-1].name
        found = [receptive_field.box(model, layer.name) for layer in model.layers]
        noise = np.random.default_rng(0).random((8, *image.shape, 1))
        erf = receptive_field.effective(model, name, noise, pixel)
        for ax in axes:
            ax.clear()
        size = found[-1].full_size[0]
        boxes(axes[0], image, found, f"{size} pixels, {size * kilometres:.0f} km")
        axes[1].imshow(erf / erf.max(), cmap="magma", vmin=0, vmax=1)
        axes[1].set(xticks=[], yticks=[])
        axes[1].set_title(f"ERF over its maximum; {model.count_params()} parameters", fontsize=10)
        return fig

    plt.close(fig)
    return draw
