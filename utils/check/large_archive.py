"""Checks of lesson 10."""

import math

import numpy as np
import xarray as xr

from utils.check import exercise, right, together, wrong


def cut(answer, seconds, shape, scenes, each, limit):
    """What a chunk costs, how many scenes fit into one, and how long a worker needs for all.

    `seconds` has the times of two runs by their number of chunks, `each` the milliseconds for a
    scene, `limit` the MB for the scenes of a chunk and their maps.
    """
    (few, short), (many, long) = sorted(seconds.items())
    cost = 1000 * (long - short) / (many - few)
    numbers = math.prod(shape)
    room = limit * 10**6
    fits = room // (2 * 4 * numbers)

    def minutes(chunks):
        return (scenes * each + chunks * cost) / 60_000

    @exercise
    def of_a_chunk(value):
        if np.isclose(value, cost, rtol=0.02):
            return right(f"A chunk costs {cost:.1f} ms.")
        if np.isclose(1000 * value, cost, rtol=0.02):
            return wrong("Those are seconds: give milliseconds.")
        if np.isclose(value, 1000 * long / many, rtol=0.02):
            return wrong("That holds the maps, too. Take the difference of the two runs.")
        return wrong(f"The difference of the two times, in ms, over {many - few} chunks.")

    @exercise
    def in_a_chunk(value):
        if value == fits:
            return right(f"{fits} scenes and their maps are {8e-6 * numbers * fits:.1f} MB.")
        if not np.isclose(value, round(value)):
            return wrong("A chunk holds whole scenes: round down.")
        if value == fits + 1:
            return wrong("One more than fits: round down.")
        if value == room // (4 * numbers):
            return wrong("The maps need room, too: they are as large as the scenes.")
        if value == room // (2 * numbers):
            return wrong("You counted numbers. A float32 has 4 bytes.")
        if value == room // (2 * 4 * numbers // shape[-1]):
            return wrong(f"Count all {shape[-1]} channels.")
        return wrong("The bytes allowed, over those of a scene and its map: 4 bytes a number.")

    @exercise
    def of_the_year(value):
        chunks = math.ceil(scenes / fits)
        if np.isclose(value, minutes(chunks), rtol=1e-3):
            return right(
                f"In {chunks} chunks the year takes {minutes(chunks):.1f} minutes, and "
                f"{minutes(scenes):.1f} with a chunk for each scene."
            )
        if np.isclose(value, minutes(scenes), rtol=1e-3):
            return wrong("That is with a chunk for each scene.")
        if np.isclose(60 * value, minutes(chunks), rtol=1e-3):
            return wrong("Those are hours: give minutes.")
        return wrong(f"{each} ms for each of {scenes} scenes, and what the chunks cost.")

    return together(answer, [of_a_chunk, in_a_chunk, of_the_year])


@exercise
def budget(design, nearness, largest, most):
    """How many of each kind of map to take, so that their mean is near that of other models."""
    if set(design) != set(largest):
        return wrong(f"Give a number for each of {', '.join(largest)}.")
    for kind, n in design.items():
        if n != int(n) or not 1 <= n <= largest[kind]:
            return wrong(f"{kind}: a whole number from 1 to {largest[kind]}.")
    if math.prod(design.values()) > most:
        return wrong(f"Those are {math.prod(design.values())} maps; {most} are allowed.")
    first = max(largest, key=lambda kind: nearness(**{kind: 2}).mean())  # what helps most
    left = most // largest[first]
    plans = [
        {first: largest[first], kind: min(left, largest[kind])} for kind in {*largest} - {first}
    ]
    score, best = nearness(**design).mean(), max(nearness(**plan).mean() for plan in plans)
    if score < best - 0.01:
        return wrong(
            f"They come as near as {score:.2f}; {most} maps can do {best:.2f}. "
            "Which of the four brings most independent pieces?"
        )
    return right(f"They come as near as {score:.2f}.")


def spread(answer, share, area):
    """Variance along each dimension, of means over what is nested in it."""
    dims = ["model", "member", "year", "network"]  # each holds those after it
    area = xr.DataArray(np.asarray(area), dims=("lat", "lon"))

    def variance(dim, of=share, ddof=1, weights=area):
        return float((of.var(dim, ddof=ddof) * weights).mean())

    def judge(dim):
        within = dims[dims.index(dim) + 1 :]
        listed = " and ".join(f"{other}s" for other in within)
        means = share.mean(within)

        @exercise
        def one(value):
            if np.ndim(value):
                return wrong(f"{dim}: one number, the mean over the globe.")
            if np.isclose(value, variance(dim, means), rtol=1e-3):
                return right()
            if np.isclose(value, variance(dim, means, weights=1), rtol=1e-3):
                return wrong(f"{dim}: weight the cells by `area` before the mean.")
            if np.isclose(value, variance(dim, means, ddof=0), rtol=1e-3):
                return wrong(f"{dim}: divide by one less than there are, `ddof=1`.")
            if np.isclose(value, float((means.std(dim, ddof=1) * area).mean()), rtol=1e-3):
                return wrong(f"{dim}: that is the standard deviation. Take the variance.")
            if within and np.isclose(value, variance(dim), rtol=1e-3):
                return wrong(
                    f"{dim}: that is the variance of single maps, which holds their weather, too. "
                    f"First average over {listed}."
                )
            before = f"average over {listed}, then take " if within else "take "
            return wrong(f"{dim}: {before}the variance along {dim}, and its mean by area.")

        return one

    verdict = together(answer, [judge(dim) for dim in dims])
    if verdict.state != "right":
        return verdict
    total = sum(answer.values())
    order = sorted(answer, key=answer.get, reverse=True)
    shares = ", ".join(f"{dim} {100 * answer[dim] / total:.0f} %" for dim in order)
    return right(f"Shares of their sum: {shares}.")
