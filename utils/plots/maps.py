"""Maps of the climate world, with coasts."""

from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from cartopy import crs

from utils import plots
from utils.worlds import climate, read_data

GLOBE = crs.EqualEarth()
BRIGHT = ("RdBu_r", "BrBG")  # white in their middle


def globes(rows, columns, size):
    """Make a figure of empty maps on which equal areas are equal (Equal Earth).

    Parameters
    ----------
    rows, columns : int
    size : (float, float)
        Width and height in inches.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : numpy.ndarray of cartopy.mpl.geoaxes.GeoAxes, shape (rows, columns)
    """
    options = {"projection": GLOBE}
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, subplot_kw=options)
    # The layout engine takes a map for narrower than it is, and would cut labels at the right.
    figure.get_layout_engine().set(rect=(0, 0, 0.96, 1))
    return figure, axes


@lru_cache
def _projected():
    """Corners of the world's cells, and the coasts, each as x and y on the map."""
    half = (climate.LAT[1] - climate.LAT[0]) / 2
    corners = (np.append(at - half, at[-1] + half) for at in (climate.LON, climate.LAT))
    coasts = read_data("land/coasts.nc")
    return [
        np.moveaxis(GLOBE.transform_points(crs.PlateCarree(), *at)[..., :2], -1, 0)
        for at in (np.meshgrid(*corners), (coasts.lon.values, coasts.lat.values))
    ]


def draw(ax, values, title="", limit=None, cmap="RdBu_r", low=None):
    """Draw a map with the coasts of Natural Earth.

    Parameters
    ----------
    ax : cartopy.mpl.geoaxes.GeoAxes
        One of those of `globes`.
    values : array_like, shape (lat, lon)
        On the world's grid. Cells that are NaN stay grey.
    title : str
    limit : float, optional
        Where the colours end; `plots.colour_limit` of the map if not given.
    cmap : str
    low : float, optional
        Where they begin; ``-limit`` if not given.

    Returns
    -------
    matplotlib.collections.QuadMesh
        For a colour bar.

    Raises
    ------
    TypeError, ValueError
        If the axes are no map, or the values have another shape than the world's grid.
    """
    if getattr(ax, "projection", None) != GLOBE:
        raise TypeError("Maps are drawn on axes of maps.globes(rows, columns, size).")
    values = np.asarray(values, float)
    shape = len(climate.LAT), len(climate.LON)
    if values.shape != shape:
        raise ValueError(f"A map of this world has the shape {shape}, not {values.shape}.")
    if limit is None:
        limit = plots.colour_limit(values)
    low = -limit if low is None else low
    options = {"cmap": cmap, "vmin": low, "vmax": limit, "rasterized": True}
    corners, coasts = _projected()  # projected once: Cartopy would do it for each map
    drawn = ax.pcolormesh(*corners, values, **options)
    # Soft edges of so fine a line would double the size of the picture's file.
    colour = plots.INK if cmap in BRIGHT else "#b9bfc9"
    ax.plot(*coasts, color=colour, lw=0.36, antialiased=False)
    ax.set_facecolor("#d5d9df")
    ax.spines["geo"].set(linewidth=0.6, edgecolor=plots.GREY)
    ax.set_title(title, fontsize=10, fontweight="normal", parse_math=False)
    return drawn


def bar(fig, drawn, axes, label):
    """Add a colour bar beside maps of one range, and return it."""
    colours = fig.colorbar(drawn, ax=axes, shrink=0.8, pad=0.01)
    colours.set_label(label, parse_math=False)
    colours.outline.set_visible(False)
    return colours
