"""What one LRP map costs, ours and iNNvestigate's, beside the input gradient.

python tools/bench.py lrp    prints the table
"""

import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import psutil

from utils import course, lrp, networks
from utils.explain import explain

GRADIENT = "input gradient"
RULES = "epsilon", "alpha 1 beta 0", "alpha 2 beta 1"
METHODS = [GRADIENT, *(f"{rule}, {whose}" for rule in RULES for whose in ("ours", "iNNvestigate"))]

LARGE, MANY = 256, 32  # pixels, samples
ROUNDS = {(64, 1): 15, (64, MANY): 3, (LARGE, 1): 11, (LARGE, MANY): 2}

# The goals: ours by the gradient's time, and by iNNvestigate's set-up.
MOST_TIMES = {"epsilon": 1.6, "alpha 1 beta 0": 1.5, "alpha 2 beta 1": 2.3}
MOST_SET_UP = 0.1

NOTE = textwrap.fill(
    f"""\
The published encoder-decoder with random weights and biases, its central pixel explained. Ours is
`lrp.relevance` with `layers=False`, iNNvestigate is called through `explain`: both read the
network's weights anew at each call and cut {MANY} samples into chunks of their own size. The
gradient takes all at once. All took turns; times are medians over {min(ROUNDS.values())} to
{max(ROUNDS.values())} rounds. At {LARGE} x {LARGE}: set-up is what the first call took longer than
a later one, batch 1 is held against the gradient round by round, and peak memory is that of a whole
process, TensorFlow included, that makes {MANY} maps. Set-up is mostly TensorFlow's, which makes its
operations one by one; other weights, or another alpha or epsilon, need none.""",
    100,
)


def table():
    """The costs as a table, a note on what was measured, and whether the goals are met."""
    course.start()
    # Before the timings, which take much memory: on Linux a process begins with the peak of the
    # one that started it. Two at a time, because half of the work is Python's.
    with ThreadPoolExecutor(2) as pool:
        peaks = dict(zip(METHODS, pool.map(peak_memory, METHODS), strict=True))
    set_up, seconds = timings()
    once = seconds[LARGE, 1]
    ratios = once.div(once[GRADIENT], axis=0).median()
    heads = [f"{size} x {size}, batch {batch}, ms per map" for size, batch in seconds]
    heads = ["cost of one LRP map", "set-up, s", *heads, "times the gradient", "peak memory, MB"]
    rows = []
    for method in METHODS:
        each = [1000 * laps[method].median() / batch for (_, batch), laps in seconds.items()]
        cells = [f"{set_up[method]:.2f}", *(f"{ms:.{0 if ms >= 10 else 1}f}" for ms in each)]
        rows.append([method, *cells, f"{ratios[method]:.2f}", f"{peaks[method]:.0f}"])
    return "\n\n".join([markdown(heads, rows), NOTE, goals(set_up, ratios)])


def markdown(heads, rows):
    """A table of text cells."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, ["---"] * len(heads), *rows])


def goals(set_up, ratios):
    """One line that holds the measurement against the goals."""
    values = [
        (f"{rule} / {GRADIENT}", ratios[f"{rule}, ours"], most) for rule, most in MOST_TIMES.items()
    ]
    for rule in RULES:
        part = set_up[f"{rule}, ours"] / set_up[f"{rule}, iNNvestigate"]
        values.append((f"set-up of {rule}, ours / iNNvestigate", part, MOST_SET_UP))
    said = [
        f"{name} {value:.2f} (at most {most}: {'met' if round(value, 2) <= most else 'missed'})"
        for name, value, most in values
    ]
    return f"Goals: {'; '.join(said)}."


# ---- measuring --------------------------------------------------------------------------------


def timings():
    """Seconds of all methods, in turn.

    Returns
    -------
    set_up : pandas.Series
        Of the large size: how much longer the first call took than later ones, by method.
    seconds : dict of (int, int) to pandas.DataFrame
        Of later calls, by size and batch: a row for each round, a column for each method.
    """
    first, seconds = {}, {}
    for (size, batch), rounds in ROUNDS.items():
        if size not in first:
            # Each has a network of its own, for the first to read one's weights takes longer.
            mappers = {method: mapper(method, network(size)) for method in METHODS}
            first[size] = lap(mappers, samples(size, 1))
        x = samples(size, batch)
        seconds[size, batch] = pd.DataFrame([lap(mappers, x) for _ in range(rounds)])
    return pd.Series(first[LARGE]) - seconds[LARGE, 1].median(), seconds


def lap(mappers, x, clock=time.perf_counter):
    """Seconds that each method takes for these samples, by a clock."""
    seconds = {}
    for method, heat_maps in mappers.items():
        begin = clock()
        heat_maps(x)
        seconds[method] = clock() - begin
    return seconds


def peak_memory(method):
    """Peak memory in MB of a process that makes heat maps of the largest batch."""
    command = [sys.executable, __file__, method]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        raise ValueError(f"No heat maps by {method}:\n{answer.stderr}")
    return float(answer.stdout.split()[-1])


def _own_peak():
    """Peak memory of this process in MB."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 1e6
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


# ---- what is measured -------------------------------------------------------------------------


def network(size):
    """The published network, untrained; Keras would make all biases zero."""
    model = networks.encoder_decoder(size)
    rng = np.random.default_rng(0)
    model.set_weights(
        [
            rng.normal(0, 0.1 if w.ndim == 1 else np.sqrt(2 / np.prod(w.shape[:-1])), w.shape)
            for w in model.get_weights()
        ]
    )
    return model


def samples(size, batch):
    """Random pictures from 0 to 1, as the published network takes them."""
    return np.random.default_rng(1).random((batch, size, size, 4), dtype="float32")


def mapper(method, model):
    """The function from samples to heat maps of the central pixel."""
    output = row, column = tuple(n // 2 for n in model.output_shape[1:3])
    rule, _, whose = method.partition(", ")
    rule = rule.replace(" ", "_")
    if whose == "ours":
        return lambda x: lrp.relevance(model, x, rule, output, layers=False).input
    if whose == "iNNvestigate":
        return lambda x: explain(model, x, f"lrp.{rule}", output)

    import tensorflow as tf  # after utils, which quiets it

    @cache
    def gradient():
        return tf.gradients(model.output[:, row, column], model.input)[0]

    return lambda x: tf.compat.v1.keras.backend.get_session().run(gradient(), {model.input: x})


if __name__ == "__main__":
    course.start()
    mapper(sys.argv[1], network(LARGE))(samples(LARGE, MANY))
    print(_own_peak())
