"""How many heat maps of an archive one and two workers make in a second.

python tools/bench.py archive    prints the table
"""

import itertools
import tempfile
from contextlib import ExitStack
from pathlib import Path

import bench_lrp
import numpy as np
import pandas as pd
import xarray as xr

from utils import archive, course, lrp, networks

RULE = "alpha_1_beta_0"
ROUNDS = 3
CASES = {  # name: network, samples, chunk
    "year of a map, 30 x 60": (networks.year_of_map, (4800, 30, 60), 300),
    "encoder-decoder, 256 x 256": (lambda: bench_lrp.network(256), (48, 256, 256, 4), 4),
}
WAYS = ["plain call", "1 worker", "2 workers"]

NOTE = f"""\
`lrp.relevance` on the whole array in memory, against `archive.relevance` from chunks to a Zarr
store, with the rule alpha 1 beta 0. All took turns, and figures are medians over {ROUNDS} rounds;
the gain is the median of the rounds' ratios. Each worker has one thread, the plain call all cores.
The workers run already; that each builds the network anew is part of the time."""


def table():
    """Maps per second as a table, and a note on what was measured."""
    course.start()
    heads = ["heat maps of an archive", *(f"{way}, maps per second" for way in WAYS)]
    heads.append("2 workers / 1")
    rows = []
    with ExitStack() as stack:
        clients = [stack.enter_context(archive.local_client(n)) for n in (1, 2)]
        for name, case in CASES.items():
            speed = rounds(clients, *case)
            gain = (speed["2 workers"] / speed["1 worker"]).median()
            cells = [f"{value:.{0 if value >= 10 else 1}f}" for value in speed.median()]
            rows.append([name, *cells, f"{gain:.1f}"])
    return "\n\n".join([bench_lrp.markdown(heads, rows), NOTE])


def rounds(clients, network, shape, chunk):
    """Maps per second: a row for each round, a column for each way."""
    model = network()
    values = np.random.default_rng(0).normal(size=shape).astype("float32")
    data = xr.DataArray(values, dims=("sample", "y", "x", "channel")[: len(shape)])
    data = data.chunk(sample=chunk)

    def on(client):
        return lambda _: archive.relevance(model, data, next(stores), RULE, 0, client=client)

    ways = {WAYS[0]: lambda _: lrp.relevance(model, values, RULE, output=0, layers=False)}
    ways |= zip(WAYS[1:], map(on, clients), strict=True)
    with tempfile.TemporaryDirectory() as folder:
        stores = (Path(folder) / f"{i}.zarr" for i in itertools.count())
        # Once more than there are rounds, to import and set up.
        laps = [bench_lrp.lap(ways, None) for _ in range(1 + ROUNDS)]
    return len(values) / pd.DataFrame(laps[1:])
