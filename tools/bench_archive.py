"""How many heat maps of an archive one and two workers make in a second.

python tools/bench.py archive    prints the table
"""

import itertools
import tempfile
import textwrap
import time
from contextlib import ExitStack
from pathlib import Path

import bench_lrp
import numpy as np
import pandas as pd
import xarray as xr

from utils import archive, course, lrp, networks

RULE = "alpha_1_beta_0"
ROUNDS = 3
LARGE = "encoder-decoder, 256 x 256"
CASES = {  # name: network, samples, chunk
    "year of a map, 30 x 60": (networks.year_of_map, (24000, 30, 60), 1500),
    LARGE: (lambda: bench_lrp.network(256), (200, 256, 256, 4), 10),
}
WAYS = {"plain call": 0, "1 worker": 1, "2 workers": 2}
PARTS = "whole run", "running"
LEAST_SHARE, LEAST_GAIN = 0.9, 1.8  # the goals at 256 x 256


def table():
    """Maps per second as a table, a note on what was measured, and whether the goals are met."""
    course.start()
    heads = ["heat maps of an archive", *(f"{way}, maps per second" for way in WAYS)]
    heads += ["1 worker / half the plain call", "2 workers / 1 worker"]
    heads += [f"{way}, processor ms per map" for way in WAYS]
    rows, goals, clients, starts = [], [], {}, {}
    with ExitStack() as stack:
        for way, workers in WAYS.items():
            begin = time.perf_counter()
            clients[way] = workers and stack.enter_context(archive.local_client(workers))
            starts[way] = time.perf_counter() - begin
        for name, case in CASES.items():
            laps = rounds(clients, *case)
            for part in PARTS:
                speed, cost = laps["speed"][part], laps["cost"][part]
                share = (2 * speed["1 worker"] / speed["plain call"]).median()
                gain = (speed["2 workers"] / speed["1 worker"]).median()
                cells = [figures(value) for value in speed[[*WAYS]].median()]
                cells += [f"{share:.2f}", f"{gain:.2f}"]
                cells += [figures(1000 * value) for value in cost[[*WAYS]].median()]
                rows.append([f"{name}, {part}", *cells])
                if name == LARGE:
                    goals.append(goal(part, share, gain))
    said = textwrap.fill(f"Goals: {'; '.join(goals)}.", 100)
    return "\n\n".join([bench_lrp.markdown(heads, rows), note(starts), said])


def figures(value):
    """Two or three of them."""
    return f"{value:.{0 if value >= 100 else 1 if value >= 1 else 2}f}"


def goal(part, share, gain):
    """The measurement against the goals."""
    held = [
        ("1 worker / half the plain call", share, LEAST_SHARE),
        ("2 workers / 1 worker", gain, LEAST_GAIN),
    ]
    said = [
        f"{name} {value:.2f} (at least {least}: {'met' if round(value, 2) >= least else 'missed'})"
        for name, value, least in held
    ]
    return f"{part}, {', '.join(said)}"


def note(starts):
    """What was measured."""
    return textwrap.fill(
        f"""\
From a Zarr store to a Zarr store, with the rule alpha 1 beta 0: the plain call reads the whole
array, has `lrp.relevance` make all maps, and writes them; `archive.relevance` does so chunk by
chunk. {CASES[LARGE][1][0]} maps at 256 x 256 in chunks of {CASES[LARGE][2]}. Each worker has one
thread, the plain call all cores. The whole run begins with a network that is new to all: the plain
call writes down its computation; the archive tries a first sample, makes the store, and has each
worker build the network. Running is a second plain call, and the archive between the first chunk of
each worker and the last chunk. Processor time is that of caller and workers together. All took
turns, and figures are medians over {ROUNDS} rounds; ratios are medians of the rounds' ratios. The
workers run already: to start one took {starts["1 worker"]:.0f} s, two
{starts["2 workers"]:.0f} s.""",
        100,
    )


def rounds(clients, network, shape, chunk):
    """Maps per second, and seconds of the processor per map: a row for each round.

    The columns are "speed" and "cost", the part, and the way.
    """
    values = np.random.default_rng(0).normal(size=shape).astype("float32")
    dims = ("sample", "y", "x", "channel")[: len(shape)]
    laps = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "archive.zarr"
        data = xr.DataArray(values, dims=dims, name="field")
        chunks = {"field": {"chunks": (chunk, *shape[1:])}}
        data.to_zarr(source, encoding=chunks, consolidated=False)
        data = xr.open_zarr(source, consolidated=False).field
        stores = (Path(folder) / f"{i}.zarr" for i in itertools.count())
        for way, workers in WAYS.items():  # once for nothing: imports
            if workers:
                few = data[: workers * chunk]
                archive.relevance(network(), few, next(stores), RULE, 0, client=clients[way])
        for _ in range(ROUNDS):
            found = {}
            for way, workers in WAYS.items():
                if workers:
                    marks = archive_marks(network(), data, next(stores), clients[way], workers)
                    counts = len(values), len(values) - workers * chunk
                else:
                    marks = plain_marks(network(), data, [next(stores) for _ in PARTS])
                    counts = (len(values),) * 2
                for part, count, (seconds, cost) in zip(PARTS, counts, marks, strict=True):
                    found |= {
                        ("speed", part, way): count / seconds,
                        ("cost", part, way): cost / count,
                    }
            laps.append(found)
    laps = pd.DataFrame(laps)
    return laps.set_axis(pd.MultiIndex.from_tuples(laps.columns), axis=1)


def plain_marks(model, data, stores):
    """Seconds by the clock and of the processor, of a first call and of a second one."""
    marks = [_now()]
    for store in stores:
        values = data.compute(scheduler="threads").values  # and not by the clients
        maps = lrp.relevance(model, values, RULE, output=0, layers=False).input
        maps = xr.DataArray(maps, dims=data.dims, name="relevance")
        maps.to_zarr(
            store, encoding={"relevance": {"chunks": data.data.chunksize}}, consolidated=False
        )
        marks.append(_now())
    return np.diff(marks, axis=0)


def archive_marks(model, data, store, client, workers):
    """Likewise of the whole run, and from the first chunk of each worker to the last chunk."""
    chunks = {}

    def watch(done, total):
        if done in (workers, total):
            chunks[done] = _now(client)

    begin = _now(client)
    archive.relevance(model, data, store, RULE, 0, client=client, watch=watch)
    end = _now(client)
    first, last = chunks.values()
    return end - begin, last - first


def _now(client=None):
    """The clock, and the processor time of this process and of the client's workers."""
    of_workers = client.run(time.process_time).values() if client else []
    return np.array([time.perf_counter(), time.process_time() + sum(of_workers)])


if __name__ == "__main__":
    print(table())
