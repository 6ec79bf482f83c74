"""How the course's figures look, and how they are shown."""

from io import BytesIO

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython import get_ipython
from IPython.display import display
from matplotlib.colors import ListedColormap
from PIL import Image

from utils.plots import captions

# On the screen an inch of a figure is 100 pixels wide, so that 10 pt letters are as large as
# JupyterLab's. The file has twice as many, for sharp letters on every screen.
SCREEN, DPI = 100, 200
FEWEST_DPI = 144

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
            "figure.dpi": SCREEN,
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
    fig.savefig(buffer, format="png", dpi=fig.dpi, metadata={"Software": None})
    return buffer.getvalue()


def small(data):
    """Return a PNG file with a palette of 256 colours if nobody can see that, else the file itself.

    Lines and bars become a third as large: there the palette moves a few pixels along soft edges,
    by no more than 12 of 255 levels. In photographs and globes it would move the colours of areas.
    """
    image = Image.open(BytesIO(data)).convert("RGB")
    few = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    moved = np.abs(np.subtract(few.convert("RGB"), image, dtype=np.int16))
    if moved.max() > 12 or moved.mean() > 0.5:
        return data
    buffer = BytesIO()
    few.save(buffer, "PNG", optimize=True)
    return min(buffer.getvalue(), data, key=len)


def on_screen(fig):
    """Return how wide a figure stands on the screen, in pixels of the page."""
    return round(fig.get_figwidth() * SCREEN)


def sharpen(fig, dpi=DPI):
    """Lay a figure out for good, with so many dots that pictures keep the shape of their pixels.

    Each pixel of a picture or heat map becomes a square of so many dots, the same for all. The
    figure gets about `dpi` dots per inch, and its axes stay where this puts them.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    dpi : float
        At least `FEWEST_DPI`.
    """
    fig.set_dpi(dpi)
    for _ in range(2):  # after one pass some titles would still be cut
        fig.draw_without_rendering()
    fig.set_layout_engine("none")
    pictures = [ax for ax in fig.axes if ax.images and _has_square_pixels(ax)]
    if not pictures:
        return
    # Axes of one size mostly, so that the coarsest picture fits all of them.
    sizes = [(_inches(ax)[0], _pixels(ax)[0]) for ax in pictures]
    width, pixels = min(sizes, key=lambda size: size[0] / size[1])
    dots = max(np.ceil(FEWEST_DPI * width / pixels), np.round(dpi * width / pixels))
    if dots * pixels / width > 2 * DPI:  # so many pixels that nobody sees their shape
        return
    fig.set_dpi(dots * pixels / width)
    size = np.round(fig.get_size_inches() * fig.dpi)
    fig.set_size_inches(size / fig.dpi)
    for ax in pictures:
        corner = np.round(ax.get_position().min * size)
        dots = np.round(np.array(_inches(ax)) * fig.dpi / _pixels(ax))
        ax.set_position([*corner / size, *dots.max() * _pixels(ax) / size])


def _inches(ax):
    """Width and height of some axes."""
    return ax.get_position().size * ax.figure.get_size_inches()


def _pixels(ax):
    """How many columns and rows of their picture some axes show."""
    left, right, bottom, top = ax.images[0].get_extent()
    whole = np.array(ax.images[0].get_array().shape[1::-1])
    shown = np.ptp([ax.get_xlim(), ax.get_ylim()], axis=1)
    return np.maximum(1, np.round(whole * shown / np.abs([right - left, top - bottom])))


def _has_square_pixels(ax):
    width, height = _inches(ax) / _pixels(ax)
    return abs(width / height - 1) < 0.02


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
        sharpen(fig)
        # The build script looks the key up again when only a text has changed.
        named = {"figure": key} if key else {}
        display(
            {"image/png": small(png(fig)), "text/plain": "[figure]"},
            metadata={"image/png": {"alt": alt, "width": on_screen(fig)}, **named},
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


# White to red, the upper half of the heat maps' colours: for maps in which nothing is negative.
FOR = ListedColormap(mpl.colormaps["RdBu_r"](np.linspace(0.5, 1, 256)), "for")


def heat_map(ax, values, title="", masks=None, limit=None, explained=None, signed=None):
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
        Where the colours end. Without it `colour_limit` of this map, so that single pixels do not
        decide.
    explained : float, optional
        The output that the map explains, written above it as ``z = 7.4``.
    signed : bool, optional
        Whether there is a scale for what is negative; if not given, where something is.

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
    if signed is None:
        signed = values.min() < -1e-6 * limit  # rounding is no sign
    look = {"cmap": "RdBu_r", "vmin": -limit} if signed else {"cmap": FOR, "vmin": 0}
    artist = ax.imshow(values, vmax=limit, **look)
    if explained is not None:
        title = f"{title}\nz = {explained:.1f}".strip()
    frame(ax, title, masks)
    return artist


def heat_map_bar(fig, artist, axes, label=None, words=("against", "for")):
    """Add the colour bar of heat maps, with a number and a word at its ends.

    Maps that end at different numbers share a bar with words alone, and each has its number below
    it. An end of the bar is pointed where the values of some map go on beyond it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    artist : matplotlib.image.AxesImage
        What `heat_map` returned for one of the maps.
    axes : matplotlib.axes.Axes, or a sequence or array of them
        All that hold the maps; pictures among them are left alone.
    label : str, optional
        Relevance if not given.
    words : (str, str)
        What blue and red mean.

    Returns
    -------
    matplotlib.colorbar.Colorbar
    """
    images = [image for ax in np.ravel(axes) for image in ax.images]
    maps = [one for one in images if one.get_cmap().name in ("RdBu_r", FOR.name)]
    artist = next((one for one in maps if one.get_clim()[0] < 0), artist)
    ends = [(one.get_array(), one.get_clim(), 1e-6 * one.get_clim()[1]) for one in maps]
    above = any(np.max(values) > high + rounding for values, (_, high), rounding in ends)
    below = any(np.min(values) < low - rounding for values, (low, _), rounding in ends)
    extend = ("neither", "max", "min", "both")[above + 2 * below]
    bar = fig.colorbar(artist, ax=axes, shrink=0.8, pad=0.01, extend=extend)
    bar.outline.set_visible(False)
    one_scale = len({one.get_clim()[1] for one in maps}) <= 1
    bar_ends(bar, words, numbers=one_scale)
    if not one_scale:
        for one in maps:
            low, high = one.get_clim()
            sign = "± " if low < 0 else "0 to "
            one.axes.set_xlabel(f"{sign}{high:.2g}", fontsize=8, labelpad=2)
    if label is None:
        label = "relevance" if one_scale else "relevance, scaled to each map"
    bar.set_label(label, parse_math=False)
    return bar


def bar_ends(bar, words=("against", "for"), numbers=True):
    """Write number and word at the ends of a bar of `heat_map_bar`, again after its map changed."""
    low, high = bar.mappable.get_clim()
    ends = {low: words[0], 0: "", high: words[1]} if low < 0 else {0: "", high: words[1]}
    labels = []
    for value, word in ends.items():
        number = f"{value:.2g}".replace("-", "\u2212") if numbers or not value else ""
        labels.append("\n".join(filter(None, [number, word])))
    bar.set_ticks(list(ends), labels=labels)


def frame(ax, title, masks=None):
    """Draw axes without ticks, with a title, a thin frame, and outlines as in `picture`."""
    ax.set(xticks=[], yticks=[])
    # Names may come from a file. The text stays without formulas when it is set again.
    ax.set_title(title, fontsize=10, fontweight="normal", parse_math=False)
    ax.spines[:].set(visible=True, color="#c9ced6")
    for name, mask in (masks or {}).items():
        if np.any(mask):
            ax.contour(mask, [0.5], colors=[PARTS.get(name, INK)], linewidths=1.3)
