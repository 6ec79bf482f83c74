"""What is gained where one pixel's heat map is computed inside its receptive box only.

python tools/bench.py pixel    prints the table
"""

import time

import bench_lrp
import numpy as np
import pandas as pd

from utils import course, lrp
from utils.explain import one_pixel

SIZES = 64, 256
ROUNDS = 15
RULES = "alpha_1_beta_0", "alpha_2_beta_1"
LEAST = 10  # the goal at the largest size

NOTE = f"""\
The published encoder-decoder as above, one sample, a random pixel in each of {ROUNDS} rounds, in
which both take turns: `lrp.relevance` over the whole picture and `one_pixel.relevance` inside the
pixel's box, the same numbers. Times are the processor's. The gain is the median of the rounds'
ratios; set-up is left out."""


def table():
    """The gain as a table, a note on what was measured, and whether the goal is met."""
    course.start()
    heads = ["one pixel's LRP map", "whole picture, ms", "its box, ms", "times faster"]
    rows = []
    for size in SIZES:
        model, x = bench_lrp.network(size), bench_lrp.samples(size, 1)
        for rule in RULES:
            both = rounds(model, x, rule)
            gain = (both.whole / both.box).median()
            cells = [f"{1000 * both[name].median():.0f}" for name in both]
            rows.append([f"{rule.replace('_', ' ')}, {size} x {size}", *cells, f"{gain:.1f}"])
    met = "met" if gain >= LEAST else "missed"
    goal = f"Goal: at least {LEAST} times at {size} x {size}: {met}."
    return "\n\n".join([bench_lrp.markdown(heads, rows), NOTE, goal])


def rounds(model, x, rule):
    """Seconds of processor time of both, a row for each round."""
    rng = np.random.default_rng(0)
    pixels = list(map(tuple, rng.integers(0, model.output_shape[1:3], (ROUNDS, 2)).tolist()))
    ways = {
        "whole": lambda pixel: lrp.relevance(model, x, rule, pixel, layers=False),
        "box": lambda pixel: one_pixel.relevance(model, x, pixel, rule),
    }
    for pixel in pixels:  # so that every shape of a cut is set up
        ways["box"](pixel)
    ways["whole"](pixels[0])
    return pd.DataFrame([bench_lrp.lap(ways, pixel, time.process_time) for pixel in pixels])
