"""What each of iNNvestigate's heat maps costs on the horse network of lesson 04.

python tools/bench.py methods    prints the table
"""

import time

import bench_lrp
import numpy as np

from utils import course, networks
from utils.explain import cost, explain, methods

ROUNDS = 5
NEEDED = {"lrp.alpha_beta": {"alpha": 3}, "deep_taylor.bounded": {"low": 0, "high": 1}}
NOTE = f"""\
The horse network of lesson 04, one map at a time; medians of {ROUNDS} calls. Set-up is what the
first call took longer. Forward passes are counted, as in the lesson; SmoothGrad and integrated
gradients take the mean over 64 gradients here (16 in the lesson, which is why it has 31.9), and
share the gradient's analyzer. For one small picture most of a map's time is the call, and not the
arithmetic."""


def table():
    """The costs as a table, and a note on what was measured."""
    course.start()
    model = networks.clever_hans()
    picture = np.random.default_rng(0).random((1, 64, 64, 3), dtype="float32")
    rows = []
    for name in methods().method:
        # One after the other: only the latest few analyzers are kept.
        first, *later = [_lap(model, picture, name) for _ in range(1 + ROUNDS)]
        later = np.median(later)
        passes = cost(model, name, **NEEDED.get(name, {}))
        set_up = max(0, first - later)
        rows.append([name, f"{passes:.1f}", f"{set_up:.1f}", f"{1000 * later:.0f}"])
    heads = ["cost of one heat map", "forward passes", "set-up, s", "ms per map"]
    return "\n\n".join([bench_lrp.markdown(heads, rows), NOTE])


def _lap(model, picture, name):
    """Seconds that a method takes for the picture."""
    begin = time.perf_counter()
    explain(model, picture, name, output=0, **NEEDED.get(name, {}))
    return time.perf_counter() - begin
