"""What each of iNNvestigate's heat maps costs on the horse network of lesson 04.

python tools/bench.py methods    prints the table
"""

import time

import numpy as np
import pandas as pd

from utils import course, networks
from utils.explain import cost, explain, methods

ROUNDS = 5
NEEDED = {"lrp.alpha_beta": {"alpha": 3}, "deep_taylor.bounded": {"low": 0, "high": 1}}
NOTE = f"""\
The horse network of lesson 04, one map at a time, all methods in turn; medians of {ROUNDS} rounds.
Set-up is what the first map took longer. Forward passes are counted, as in the lesson; SmoothGrad
and integrated gradients take the mean over 64 copies here."""


def table():
    """The costs as a table, and a note on what was measured."""
    course.start()
    model = networks.clever_hans()
    picture = np.random.default_rng(0).random((1, 64, 64, 3), dtype="float32")
    names = list(methods().method)
    rounds = pd.DataFrame([_lap(model, picture, names) for _ in range(1 + ROUNDS)])
    later = rounds[1:].median()
    lines = [
        "| cost of one heat map | forward passes | set-up, s | ms per map |",
        "| --- | --- | --- | --- |",
    ]
    for name in names:
        passes = cost(model, name, **NEEDED.get(name, {}))
        set_up = max(0, rounds[name][0] - later[name])
        lines.append(f"| {name} | {passes:.1f} | {set_up:.1f} | {1000 * later[name]:.0f} |")
    return "\n\n".join(["\n".join(lines), NOTE])


def _lap(model, picture, names):
    """Seconds that each method takes for the picture."""
    seconds = {}
    for name in names:
        begin = time.perf_counter()
        explain(model, picture, name, output=0, **NEEDED.get(name, {}))
        seconds[name] = time.perf_counter() - begin
    return seconds
