"""Figures in the course's style: pictures, heat maps, and how they are shown.

Globes (`plots.maps`), fields of GOES and MRMS (`plots.goes`), receptive fields
(`plots.receptive_fields`) and seasons of the river gauge (`plots.river_gauge`) are modules that a
lesson imports if it draws them. What stands below a figure comes from `plots.captions`.
"""

from utils.plots.guesses import guess_marks, guess_text  # noqa: F401
from utils.plots.plots import (  # noqa: F401
    BLUE,
    DPI,
    FEWEST_DPI,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PARTS,
    PURPLE,
    RED,
    SCREEN,
    SKY,
    bar_ends,
    colour_limit,
    frame,
    heat_map,
    heat_map_bar,
    on_screen,
    picture,
    png,
    sharpen,
    show,
    small,
    style,
)
