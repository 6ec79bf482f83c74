"""Pictures of receptive fields: boxes on an image, sizes in kilometres beside weather's scales."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from utils import plots

# Horizontal scales in km, as named by Orlanski (1975).
SCALES = {
    "micro α": (0.2, 2),
    "meso γ": (2, 20),
    "meso β": (20, 200),
    "meso α": (200, 2000),
    "macro β": (2000, 10000),
}
EXAMPLES = ("tornadoes", "thunderstorms", "sea breezes", "fronts", "baroclinic waves")


def boxes(ax, image, found, title="", colour=plots.RED):
    """Draw boxes on an image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : array, shape (y, x)
        Values 0 to 1.
    found : list of receptive_field.Box
        Cut at the image's border.
    title : str
    colour : colour
    """
    plots.picture(ax, image, title)
    for box in found:
        corner = box.columns.start - 0.5, box.rows.start - 0.5
        ax.add_patch(Rectangle(corner, *box.size[::-1], fill=False, ec=colour, lw=1.5))


def scales(ax, kilometres):
    """Draw sizes of receptive fields beside the scales of weather (orlanski1975).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    kilometres : dict of str to float or list of float
        Sizes by name, such as a layer's; several where it depends on the pixel.
    """
    colours = plt.cm.Blues(np.linspace(0.15, 0.6, len(SCALES)))
    for (name, (low, high)), example, colour in zip(SCALES.items(), EXAMPLES, colours, strict=True):
        ax.axvspan(low, high, color=colour, lw=0)
        middle = np.sqrt(low * high)
        ax.text(middle, -0.8, f"{name}\n{example}", ha="center", va="bottom", fontsize=8)
    for row, size in enumerate(kilometres.values()):
        ax.plot(np.atleast_1d(size), np.full(np.size(size), row), "o", color=plots.RED)
    ax.set(xscale="log", xlim=(0.2, 10000), ylim=(len(kilometres) - 0.5, -2.2))
    ax.set_yticks(range(len(kilometres)), list(kilometres), parse_math=False)
    ax.set_xlabel("size (km)")
