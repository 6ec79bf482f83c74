"""How the course's figures look, and how they are shown."""

from io import BytesIO

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython import get_ipython
from IPython.display import display

from utils.plots import captions

# One resolution for all figures: at 100 dots per inch, 10 pt letters are as large as JupyterLab's,
# and a lesson with twenty figures stays well below a megabyte.
DPI = 100

# Okabe and Ito's colours, which colour-blind readers can tell apart (https://jfly.uni-koeln.de/color),
# without yellow, which is too pale for lines on white.
BLUE, ORANGE, GREEN = "#0072b2", "#e69f00", "#009e73"
RED, SKY, PURPLE = "#d55e00", "#56b4e9", "#cc79a7"
INK, GREY = "#2b2f36", "#8a919c"


def style():
    """Set the course's figure style (matplotlib's rcParams) for this process."""
    mpl.rcdefaults()
    plt.rcParams.update(
        {
            "figure.dpi": DPI,
            "savefig.dpi": DPI,
            "figure.figsize": (7, 4),
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlepad": 8,
            "axes.labelsize": 10,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlecolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "grid.color": "#e3e6ea",
            "grid.linewidth": 0.8,
            "lines.linewidth": 2,
            "lines.markersize": 5,
            "legend.frameon": False,
            "image.interpolation": "nearest",
            "image.cmap": "gray",
            "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, SKY, PURPLE]),
            "svg.hashsalt": "course",
        }
    )


def png(fig):
    """Return a figure as the bytes of a PNG file, the same bytes for the same figure."""
    buffer = BytesIO()
    # matplotlib would write its version into the file.
    fig.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def show(fig, text):
    """Show a figure with its alt text and its caption, and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure, ready to be seen.
    text : str
        The figure's key in the lesson's captions, such as ``"densities"``; or, for a figure of your
        own, a sentence that says what it shows. The caption stands below the figure and says what
        is drawn. The alt text says what comes out, too; screen readers and exported pages take
        it from the output's metadata.

    Raises
    ------
    TypeError, ValueError
        If `fig` is no figure, or `text` is neither a key nor a sentence.
    """
    if not isinstance(fig, mpl.figure.Figure):
        raise TypeError(
            f"show needs a matplotlib figure, not {type(fig).__name__}: pass ax.figure."
        )
    key, caption, alt = captions.of(text)
    if get_ipython() is None:
        print(f"[figure] {caption}")
    else:
        # The build script looks the key up again when only a text has changed.
        named = {"figure": key} if key else {}
        display(
            {"image/png": png(fig), "text/plain": "[figure]"},
            metadata={"image/png": {"alt": alt}, **named},
            raw=True,
        )
        display(captions.data(caption), metadata=named, raw=True)
    plt.close(fig)


# Colours of the parts of a Clever Hans picture, the same in every figure.
PARTS = {"horse": GREEN, "rider": SKY, "hurdle": ORANGE, "tag": PURPLE}


def picture(ax, image, title="", masks=None):
    """Draw a picture without axes, with outlines of known parts.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : array_like, shape (y, x) or (y, x, 3)
        Values 0 to 1.
    title : str
    masks : dict of str to array_like of bool, shape (y, x), optional
        What to outline, by name; names of `PARTS` have their own colour.

    Returns
    -------
    matplotlib.image.AxesImage
    """
    artist = ax.imshow(image, vmin=0, vmax=1)
    frame(ax, title, masks)
    return artist


def colour_limit(heat_map):
    """Where the colours of a heat map end: its 99.5th percentile, or its largest value if sparse.

    Raises
    ------
    ValueError
        If the map holds NaN or infinite values, which would show as a blank map.
    """
    size = abs(np.asarray(heat_map, float))
    if not np.isfinite(size).all():
        raise ValueError("The heat map holds NaN or infinite values: look for the cause first.")
    # A number of Python's: one of NumPy's makes the map it divides double under NumPy 2 alone.
    return float(np.percentile(size, 99.5) or size.max() or 1)


def heat_map(ax, values, title="", masks=None, limit=None):
    """Draw a heat map: red speaks for the output, blue against it, white is neutral.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array_like, shape (y, x) or (y, x, channel)
        Relevance; channels are added first.
    title : str
    masks : dict of str to array_like of bool, shape (y, x), optional
        What to outline, as in `picture`.
    limit : float, optional
        Both ends of the colour scale, -limit and limit. Without it `colour_limit` of this map,
        so that single pixels do not decide.

    Returns
    -------
    matplotlib.image.AxesImage
        For a colour bar.
    """
    values = np.asarray(values, float)
    if values.ndim == 3:
        values = values.sum(-1)
    if limit is None:
        limit = colour_limit(values)
    artist = ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    frame(ax, title, masks)
    return artist


def heat_map_bar(fig, artist, axes, label="relevance, scaled to each map"):
    """Add the colour bar of heat maps, with words at its ends instead of numbers."""
    bar = fig.colorbar(artist, ax=axes, shrink=0.8, pad=0.01)
    low, high = artist.get_clim()
    bar.set_ticks([low, 0, high], labels=["against", "0", "for"])
    bar.set_label(label, parse_math=False)
    bar.outline.set_visible(False)


def frame(ax, title, masks=None):
    """Draw axes without ticks, with a title, a thin frame, and outlines as in `picture`."""
    ax.set(xticks=[], yticks=[])
    # Names may come from a file. The text stays without formulas when it is set again.
    ax.set_title(title, fontsize=10, fontweight="normal", parse_math=False)
    ax.spines[:].set(visible=True, color="#c9ced6")
    for name, mask in (masks or {}).items():
        if np.any(mask):
            ax.contour(mask, [0.5], colors=[PARTS.get(name, INK)], linewidths=1.3)
