"""Checks of lesson 10."""

import math

import numpy as np
import xarray as xr

from utils.check import exercise, right, together, wrong

LARGEST = 10**8  # bytes in a chunk of exercise 1


def cut(answer, shape, scenes):
    """Scenes in a chunk of float32, and chunks in an archive."""
    numbers = math.prod(shape)
    fits = LARGEST // (4 * numbers)

    @exercise
    def in_a_chunk(value):
        if value == fits:
            return right(f"{fits} scenes are {4e-6 * numbers * fits:.1f} MB.")
        if not np.isclose(value, round(value)):
            return wrong("A chunk holds whole scenes: round down.")
        if value == fits + 1:
            return wrong("One more than fits: round down.")
        if value == LARGEST // numbers:
            return wrong("You counted numbers. A float32 has 4 bytes.")
        if value == LARGEST // (4 * numbers // shape[-1]):
            return wrong(f"Count all {shape[-1]} channels.")
        if value == LARGEST // (32 * numbers):
            return wrong("float32 has 32 bits, which are 4 bytes.")
        return wrong("Bytes of a chunk over bytes of a scene; a scene's bytes are 4 a number.")

    @exercise
    def of_the_year(value):
        if value == math.ceil(scenes / fits):
            return right("The last chunk is smaller.")
        if value == scenes // fits:
            return wrong("The scenes that are left over need a chunk too: round up.")
        return wrong(f"All {scenes} scenes over those in a chunk, rounded up.")

    return together(answer, [in_a_chunk, of_the_year])


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
