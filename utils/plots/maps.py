"""Maps of the climate world, with coasts."""

from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from cartopy import crs

from utils import plots
from utils.worlds import climate

GLOBE = crs.EqualEarth()


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
    """Corners and middles of the world's cells on the map, each x and y."""
    half = (climate.LAT[1] - climate.LAT[0]) / 2
    corners = (np.append(at - half, at[-1] + half) for at in (climate.LON, climate.LAT))
    return [
        GLOBE.transform_points(crs.PlateCarree(), *np.meshgrid(lon, lat))[..., :2].T.swapaxes(1, 2)
        for lon, lat in (corners, (climate.LON, climate.LAT))
    ]


def draw(ax, values, title="", limit=None, cmap="RdBu_r", low=None):
    """Draw a map with the coasts as the line where half of a cell is land.

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
    corners, middles = _projected()  # projected once: Cartopy would do it for each map
    drawn = ax.pcolormesh(*corners, values, **options)
    colour = plots.INK if cmap == "RdBu_r" else "white"
    coasts = {"colors": colour, "linewidths": 0.6}
    ax.contour(*middles, climate.land().values, [0.5], **coasts)
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
