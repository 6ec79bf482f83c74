# %% [markdown]
# # 10 The large archive (optional)
#
# ![Twelve heat maps of the globe, of three climate models in four years](../pictures/large_archive.png)
#
# **Question:** how many heat maps does a mean need, maps of what, and how do you make them all?
#
# **Objectives:** you can
# - tell what more years, runs, networks and climate models add to a mean heat map,
# - spend a budget of maps where it counts,
# - make heat maps of an archive that is too large for memory, in chunks of a size that you can justify,
# - say what becomes of the maps when a process dies or a run is stopped,
# - do all that with a network and data of your own.
#
# **Minutes:** 45 teaching, 30 exercises. Sections 1 and 2 hold the finding, 3 to 6 the tools.
#
# **Prerequisites:** lessons 00 and 08 (necessary); lessons 03 and 07 (helpful).
#
# **Needs:** 2 GB of memory and 1 GB of disk, more than the other lessons, because one or two processes work
# beside the notebook from section 4 on. No network connection, no GPU.

# %%
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import psutil
import xarray as xr
from ipywidgets import IntSlider

from utils import archive, course, lrp, networks, panels, plots, skill, worlds
from utils.check import large_archive as check
from utils.explain import explain
from utils.plots import maps
from utils.receptive_field import effective, trace
from utils.weights import load_network, load_weights
from utils.worlds import climate as world
from utils.worlds import goes_mrms
from utils.worlds.climate import fuzzy_years

course.start("10_large_archive", seed=0)

# %% [markdown]
# ## 1. How many maps do you need?
#
# Lesson 08 read indicator patterns off *mean* heat maps. How many maps make a mean, and maps of what? You
# could take more **years** of one run. You could take more **members**, which are runs of one model that differ in
# their weather alone. You could explain the same maps by more **networks**, trained from other first
# weights. Or you could take more climate **models**.
#
# We have 16 models of the world of lesson 08, with three members each. The networks were trained on none of
# them. The next cell simulates the models one by one and writes each to disk, where section 3 will find
# it. Then it loads the maps of 2060 to 2079, standardised as in lesson 08.

# %%
place = tempfile.TemporaryDirectory(dir=course.scratch())  # goes away with the kernel
folder = Path(place.name)
for i in range(16):
    one = world.simulate(1, worlds.CLAIMS + i, members=3)[["tas", "truth_signal_tas"]]
    new = {"append_dim": "model"} if i else {}
    one.chunk(model=1).to_zarr(folder / "archive.zarr", consolidated=False, **new)

data = xr.open_zarr(folder / "archive.zarr", consolidated=False)
scale = worlds.read_data("climate/scale.nc")  # of lesson 08's training maps
mean, deviation = scale["mean"].values, scale["deviation"].values
change = data.tas - data.tas.sel(year=world.BASE).mean("year")


def as_input(mean):
    """From changes to the network's input, for this century."""
    return ((change - mean) / deviation).sel(year=slice(2000, 2099)).astype("float32")


x = as_input(mean)
late = x.sel(year=slice(2060, 2079)).compute(scheduler="threads")
print("maps of 2060 to 2079:", dict(late.sizes))

# %% [markdown]
# We explain each of these maps by each of lesson 08's ten networks, with the rule $\alpha_1\beta_0$. As in lesson 08 we
# explain the decade with the largest logit, and divide each heat map by its mean, so that all maps count alike.
# Lesson 08 kept only maps that were dated within five years. Here all take part. The last line printed below
# compares the mean of all with the mean of the well-dated ones.


# %%
def load(name):
    """A network with the shipped weights of that name."""
    network = networks.year_of_map()
    load_weights(network, name)
    return network


def heat_maps_of(network, inputs):
    """Relevance of each map over its mean, with the axes of the inputs."""
    found = lrp.relevance(network, inputs.values.reshape(-1, 30, 60), rule, layers=False).input
    found = inputs.copy(data=found.reshape(inputs.shape))
    return found / found.mean(("lat", "lon"))


rule = "alpha_1_beta_0"
NAMES = ["climate", *(f"climate_seed_{i}" for i in range(1, 10))]
network = networks.year_of_map()
share, says = [], []
for name in NAMES:
    load_weights(network, name)
    share.append(heat_maps_of(network, late))
    says.append(fuzzy_years.year(network.predict(late.values.reshape(-1, 30, 60), verbose=0)))
share = xr.concat(share, "network")
print(f"{share[..., 0, 0].size} heat maps:", dict(share.sizes))

# %%
area = world.weights()
good = abs(np.reshape(says, share.shape[:4]) - late.year.values) <= 5
well_dated = np.tensordot(good, share.values, 4) / good.sum()
same = skill.weighted_rank_correlation(well_dated, share.values.mean((0, 1, 2, 3)), area)
print(f"dated well: {100 * good.mean():.0f} %; rank correlation of the two means {same:.2f}")

# %% [markdown]
# What makes a mean map good? It should hold for climate models and networks that it was *not* made
# from. So we cut the 16 models at random into two halves, and the ten networks as well, in sixty
# ways. The mean of all maps from one half is the reference. From the other half we take some maps, and `nearness`
# says how well their mean agrees with the reference. It is a rank correlation, as in lesson 08: it compares the
# order of the cells by their relevance.

# %%
rng = np.random.default_rng(0)
values = share.values  # network, model, member, year, lat, lon
cuts = []
for _ in range(60):
    half, other_half = np.split(rng.permutation(16), 2)
    nets, other_nets = np.split(rng.permutation(10), 2)
    order = nets, half, rng.permutation(3), rng.permutation(20)
    cuts.append((order, values[np.ix_(other_nets, other_half)].mean((0, 1, 2, 3))))


def nearness(network=1, model=1, member=1, year=1):
    """Rank correlation with the other models' mean, of a mean over so many of each, for each cut."""
    scores = []
    for order, reference in cuts:
        chosen = [few[:n] for few, n in zip(order, (network, model, member, year), strict=True)]
        picked = values[np.ix_(*chosen)].mean((0, 1, 2, 3))
        scores.append(skill.weighted_rank_correlation(picked, reference, area))
    return np.array(scores)


one_map, all_maps = nearness(), nearness(5, 8, 3, 20)
print(f"one map: {one_map.mean():.2f}, all {5 * 8 * 3 * 20} maps of a half: {all_maps.mean():.2f}")

# %% [markdown]
# A single map reaches 0.67 on average, and all 2400 maps of a half reach 0.95. Now start from one map and take
# more of one kind only. What rank correlation will these four means reach?

# %% tags=["guess"]
guess = {"8 models": None, "20 years": None, "3 members": None, "5 networks": None}

# %%
LARGEST = {"model": 8, "year": 20, "member": 3, "network": 5}
curves = {
    kind: {n: nearness(**{kind: n}) for n in (1, 2, 3, 5, 8, 20) if n <= most}
    for kind, most in LARGEST.items()
}

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(7, 3.8))
colours = dict(zip(LARGEST, (plots.ORANGE, plots.BLUE, plots.GREEN, plots.GREY), strict=True))
ends = {}
for kind, curve in curves.items():
    counts, middle = list(curve), [scores.mean() for scores in curve.values()]
    ax.plot(counts, middle, "o-", color=colours[kind])
    if kind in ("model", "year"):
        band = [np.percentile(scores, (10, 90)) for scores in curve.values()]
        ax.fill_between(counts, *np.transpose(band), color=colours[kind], alpha=0.12, lw=0)
    ends[name := f"{counts[-1]} {kind}s"] = counts[-1]
    above = 0.04 if kind == "member" else 0  # off the line of the years
    ax.text(counts[-1] * 1.08, middle[-1] + above, name, color=colours[kind], va="center")
ax.axhline(all_maps.mean(), color=plots.INK, lw=1)
ax.text(1, all_maps.mean() + 0.01, "all maps of a half")
ax.set(xscale="log", xlim=(0.9, 40), ylim=(0.4, 1))
ax.set_xticks([], minor=True)
ax.set_xticks([1, 2, 3, 5, 8, 20], [1, 2, 3, 5, 8, 20])
ax.set(xlabel="maps in the mean", ylabel="rank correlation\nwith the other half's mean")
by_name = dict(zip(ends, colours.values(), strict=True))
plots.guess_marks(ax, guess, ends, axis="y", colours=by_name)
plots.show(fig, "how-many")
for kind, curve in curves.items():
    print(f"{kind}s:", ", ".join(f"{n}: {scores.mean():.2f}" for n, scores in curve.items()))
ahead = curves["model"][8] > curves["year"][20]
print(f"8 models are ahead of 20 years in {ahead.sum()} of {ahead.size} cuts")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Eight maps, one from each of eight models, take us most of the way from one map to all of them, and the
# curve is still rising. Twenty years of a single run bring about a third of that gain. Three years help as
# much as three members, since both bring different weather. More networks help least.
# The bands are wide, because much depends on which models a half happens to hold, but at their right-hand ends
# they no longer overlap. And within a cut eight models nearly always beat twenty years, as the last line
# counts.
#
# For a statement about new models, the models are the sample. Our archive has sixteen of them, however
# many maps we make. (Ours are independent because we made them so. Real
# climate models share code, so count families and not names [@knutti2013].)
#
# </details>
#
# ### Exercise 1: spend a budget
#
# Suppose you can afford 24 maps. How many networks, models, members and years do you take? Give `design`. The
# product of its four numbers may be 24 at most, and a half has 5 networks, 8 models, 3 members and 20 years.
# `nearness(**design)` tries a design out.
#
# <details><summary>Hint</summary>
#
# Print `nearness(**design).mean()` for a few designs. What adds least to a single map may add more once the
# rest is there.
#
# </details>

# %% tags=["exercise"]
design = {"network": ..., "model": ..., "member": ..., "year": ...}

# %% tags=["solution"]
design = {"network": 3, "model": 8, "member": 1, "year": 1}

# %% tags=["check"]
check.budget(design, nearness, LARGEST, most=24)

# %% [markdown]
# <details><summary>What we found</summary>
#
# Eight models come first. With them, three networks do a little better than three years (try it), although
# networks added least to a single map. Eight models already bring eight kinds of weather, while whatever is
# peculiar to one network is probably in all of its maps.
#
# </details>
#
# ## 2. Where does the spread come from?
#
# ### Exercise 2: four variances
#
# Maps from two models differ in their weather as well. To separate the two, use the nesting: a model has
# members, a member has years, and each year's map is explained by ten networks. For each dimension, first average
# `share` over all that come later in this order (for "member" over years and networks). Then take the variance
# along the dimension itself, with `.var(dim, ddof=1)`; `ddof=1` divides by one less than there are, which
# matters for so few. Finally take the mean over the dimensions that are left, and over the globe, weighted by
# `area`.
#
# <details><summary>Hint</summary>
#
# `share.mean(["year", "network"]).var("member", ddof=1)` still has models, and `(... * area).mean()`
# takes the mean over all that is left. For "network" nothing comes later.
#
# </details>

# %% tags=["exercise"]
spread = {"model": ..., "member": ..., "year": ..., "network": ...}

# %% tags=["solution"]
order = ["model", "member", "year", "network"]
spread = {
    dim: float((share.mean(order[i + 1 :]).var(dim, ddof=1) * area).mean())
    for i, dim in enumerate(order)
}

# %% tags=["check"]
check.spread(spread, share, area)

# %% [markdown]
# **Think.** Why should the mean maps of two models differ more than those of two members of one model?
#
# <details><summary>An answer</summary>
#
# Each model warms in a pattern of its own, which all its members and years share. Members and years differ
# in their weather, and that averages out. The difference between two models stays, however many maps you take
# of each.
#
# </details>
#
# We can test that answer, because in our world we know each model's forced warming. Take one cell. Do models
# that truly warm more there, relative to their global mean, get more relevance there? We correlate the two over
# the 16 models in each cell, and take the mean over the globe. As in lesson 08 there are two controls: networks
# with random weights, and the input alone, without any network. What mean correlation will each of the three
# have, and which will be highest?

# %% tags=["guess"]
guess = {"ten networks": None, "random weights": None, "input alone": None}

# %%
signal = world.signal(data).sel(year=slice(2060, 2079)).mean("year").compute()
true_pattern = (signal / (signal * area).mean(("lat", "lon"))).values


def follows(own, truth):
    """In each cell: correlation over models of mean maps with the true pattern."""
    own, truth = own - own.mean(0), truth - truth.mean(0)
    return (own * truth).sum(0) / np.sqrt((own**2).sum(0) * (truth**2).sum(0))


untrained = [heat_maps_of(networks.year_of_map(seed=100 + i), late) for i in range(3)]
kinds = {
    "ten networks": share,
    "random weights": xr.concat(untrained, "network"),
    "input alone": (abs(late) / abs(late).mean(("lat", "lon"))).expand_dims("network"),
}
means = {name: some.mean(["network", "member", "year"]).values for name, some in kinds.items()}
for name, own in means.items():
    value, (low, high) = skill.jackknife(
        lambda *both: (follows(*both) * area).mean(), own, true_pattern
    )
    said = plots.guess_text(guess, name)
    print(f"{name}: mean correlation {value:.2f} ({low:.2f} to {high:.2f}){said}")

# %% tags=["figure"]
fig, axes = maps.globes(1, 2, (10.5, 2.6))
spread_of = means["ten networks"].std(0, ddof=1) / area
drawn = maps.draw(axes[0, 0], spread_of, "spread over 16 models", limit=2.5, low=0, cmap="magma")
maps.bar(fig, drawn, axes[0, 0], "standard deviation of\nrelevance per area")
drawn = maps.draw(
    axes[0, 1],
    follows(means["ten networks"], true_pattern),
    "does relevance follow true warming?",
    limit=1,
)
maps.bar(fig, drawn, axes[0, 1], "correlation\nover models")
plots.show(fig, "over-models")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Relevance follows the true warming nearly everywhere. By itself that would make a fine figure about
# what the networks have learned. But networks with random weights do even better, and the input alone does best.
# Its correlation is near 1 almost by construction, because the input is the warming plus a little weather, most
# of which our means have averaged out. The rule $\alpha_1\beta_0$ passes on the size of each cell's input,
# whatever was learned.
#
# In the blue places, south of Greenland, in the equatorial Pacific and in parts of the Southern Ocean,
# models that warm *less* get more relevance. The rule does not show in which direction a place speaks
# (lesson 08).
#
# </details>
#
# So does training leave any mark on the spread between models? For each of the three we split the variance of
# single maps into two parts, between models and within them (over members and years).


# %%
def moments(some):
    """Mean and variance of the 60 maps of each model and network, models first."""
    maps_of = [one.values.reshape(16, 60, 30, 60) for one in some]
    found = [m.mean(1) for m in maps_of], [m.var(1, ddof=1) for m in maps_of]
    return [np.swapaxes(one, 0, 1) for one in found]


def between_models(means, variances):
    """Variance between models, in % of all, as a mean over networks."""
    parts = means.var(0, ddof=1), variances.mean(0)
    between, within = ((part * area).mean((1, 2)) for part in parts)
    return (100 * between / (between + within)).mean()


parts = {name: moments(some) for name, some in kinds.items()}
for name, some in parts.items():
    print(f"{name}: {between_models(*some):.0f} % of the variance is between models")
added = skill.jackknife(
    lambda *four: between_models(*four[:2]) - between_models(*four[2:]),
    *parts["ten networks"],
    *parts["random weights"],
)
print("trained minus random: {:.0f} points ({:.0f} to {:.0f})".format(added[0], *added[1]))

# %% [markdown]
# Even with random weights, and for the input alone, more than half of the variance lies between models. So most
# of the spread is there before anything is learned: it is the climate models' own disagreement, and more networks
# cannot average it away. In the trained networks' maps the share is larger still, and the interval of the
# difference is well above zero. Training makes heat maps *more* particular to a model.
#
# ## 3. An archive on disk
#
# All this fitted into memory. The archives of climate modelling do not, and so they lie on disk in
# **chunks**. In a **Zarr store** each chunk of an array is a small file, which can be read and written
# without the others. Ours has a chunk for each model.
#
# `data.tas` and `x` hold no numbers. Each is a **plan**, kept by the library Dask [@rocklin2015]: which
# chunks there are, and what to do with them. A line of arithmetic is added to the plan, and it is
# worked out chunk by chunk when somebody asks for values. Let chunks hold whole samples, with all
# that a sample needs. Here the base of 1920-49 costs nothing more, because all years of a
# run are in one chunk.
#
# Suppose we standardised by the mean of the archive itself. That is one
# more line. How many chunks must then be read for the first chunk of input?


# %%
def chunks_read(plan):
    """How many chunks of the store does the first chunk of a plan need?"""
    first = plan.data.blocks[0, 0, 0, 0, 0]
    tasks = first.dask.cull(first.__dask_keys__())
    return sum("open_dataset" in str(key) and isinstance(key, tuple) for key in tasks)


print(f"{data.tas.data.npartitions} chunks of the shape {data.tas.data.chunksize}")
print(f"data.tas {data.tas.nbytes / 1e6:.0f} MB, the input {x.nbytes / 1e6:.0f} MB")
own_mean = change.mean(("model", "member", "year"))
for name, number in {
    "mean of the training maps": mean,
    "own mean, as a plan": own_mean,
    "own mean, as numbers": own_mean.compute(),
}.items():
    print(f"{name}: {chunks_read(as_input(number))} of {data.tas.data.npartitions}")

# %% [markdown]
# Left as a plan, the mean is worked out again for each chunk, and the whole archive is read each time.
# So compute such means first, with `.compute()`.
#
# Many archives are NetCDF files. `xr.open_mfdataset("tas_*.nc", combine="nested", concat_dim="model",
# chunks={"year": -1})` makes a plan of these, if they share a grid and a calendar. Write it once with
# `.to_zarr`, in the chunks that you need.
#
# ## 4. More than memory holds
#
# Now we make the archive too large on purpose. Suppose that no process may grow by more than 100 MB, and that the
# archive is three times as long. Dask repeats ours without copying anything: `many` is still a plan. First we
# explain it as before, in one call, which holds all inputs and all maps at the same time.

# %%
LIMIT = 100  # MB by which a process may grow
many = xr.concat([x] * 3, "copy")
print(f"{many[..., 0, 0].size} maps: {many.nbytes / 1e6:.0f} MB of input, as much of heat maps")


def measured(name, run, *processes):
    """Do a run; print its seconds, and by how much the process grew that grew most."""
    processes = [psutil.Process(one) for one in processes]
    seen, start = [[one.memory_info().rss for one in processes]], time.perf_counter()
    result = run(lambda *_: seen.append([one.memory_info().rss for one in processes]))
    seconds, grown = time.perf_counter() - start, (np.max(seen, 0) - seen[0]).max() / 1e6
    print(f"{name}: {seconds:.1f} s, grew by {grown:.0f} MB, {LIMIT} MB allowed")
    return result


def in_one_call(watch):
    """Explain all maps at once; keep those of the first model."""
    inputs = many.values.reshape(-1, 30, 60)
    found = lrp.relevance(network, inputs, rule, layers=False).input
    watch()
    return found[:300].copy()


load_weights(network, NAMES[0])
plain = measured("one call", in_one_call, os.getpid())

# %% [markdown]
# Now in chunks, by a small **cluster** on this machine. It has two **workers**, which are processes with memory of
# their own, and a scheduler that hands out chunks to them. `archive.relevance` does what `lrp.relevance` does, but
# from one Zarr store to another. It saves the network in the new store, as configuration and weights, and each
# worker builds it from there. Then a worker reads a chunk, explains it, writes the maps and forgets both before it
# takes the next chunk. After each chunk we look at the memory of all workers. First two of them do the work, and
# then one.
#
# (The scheduler and its workers listen to this machine only. But a local scheduler has no password, so anybody else who
# is logged in could send it work, which would run under your name. Start one only where you trust the others.)

# %%
cluster = ExitStack()
client = cluster.enter_context(archive.local_client(workers=2))


def in_chunks(name):
    """A run of `measured` that goes from store to store, by all workers that are there."""
    shutil.rmtree(folder / name, ignore_errors=True)  # if this cell has run before
    return lambda watch: archive.relevance(
        network, many, folder / name, rule, client=client, watch=watch
    )


def workers():
    """The workers' processes."""
    return sorted(client.run(os.getpid).values())


archive.relevance(network, x[:2], folder / "warm.zarr", rule, client=client)  # loads TensorFlow
copies = measured("two workers", in_chunks("two.zarr"), *workers())
client.cluster.scale(1)
while len(client.nthreads()) > 1:
    time.sleep(0.1)
measured("one worker", in_chunks("one.zarr"), *workers())
shutil.rmtree(folder / "one.zarr")
print(f"in all the worker holds {psutil.Process(*workers()).memory_info().rss / 1e6:.0f} MB")

# %%
relevance = copies.isel(copy=0)
off = abs(relevance.values[0].reshape(plain.shape) - plain).max() / abs(plain).max()
print(dict(copies.sizes), f"{copies.data.npartitions} chunks")
print(f"largest difference from the one call: {off:.0e} of the maximum")

# %% [markdown]
# The result is again a plan, with the input's dimensions and chunks, and its numbers, compared for the first model, are
# those of the one call. The one call grew far beyond the limit, and would grow with the archive. A worker needs
# memory for a chunk or two, however long the archive is. (It also has to hold TensorFlow, which takes
# several hundred MB. Programs on one machine share a part of these.)
#
# The workers are no faster than the one call here. (How many seconds each takes depends on what else the machine is
# doing. The table *heat maps of an archive* in [BENCHMARKS.md](../BENCHMARKS.md) compares them with more care.) They pay
# where the archive does not fit into memory, where a run must survive a crash, and where there are several machines.
#
# How large should a chunk be? We let the one worker that is left explain the same 600 maps twice, once in two
# chunks and once in sixty.

# %%
some = x[:2].compute()
seconds = {}
for pieces in (some.chunk(model=1), some.chunk(model=1, member=1, year=10)):
    chunks = pieces.data.npartitions
    store = folder / f"in_{chunks}.zarr"
    shutil.rmtree(store, ignore_errors=True)
    start = time.perf_counter()
    archive.relevance(network, pieces, store, rule, client=client)
    seconds[chunks] = time.perf_counter() - start
    print(f"{pieces[..., 0, 0].size} maps in {chunks} chunks: {seconds[chunks]:.2f} s")

# %% [markdown]
# ### Exercise 3: choose the chunks
#
# Your archive holds satellite scenes of 256 x 256 pixels and 4 channels in float32 (4 bytes a number), one
# every 15 minutes for 365 days. A worker takes 50 ms to explain a scene. It may grow by 100 MB ($10^8$
# bytes), and must hold the scenes of a chunk and their heat maps, which have the same shape. Predict
#
# - the milliseconds that each additional chunk costs, from `seconds` above,
# - the largest number of whole scenes in a chunk,
# - the minutes that one worker then needs for the year.
#
# <details><summary>Hint</summary>
#
# The second run had 58 chunks more than the first, and the same maps. The minutes are those for all scenes
# and those for all chunks; the last chunk may be smaller.
#
# </details>

# %% tags=["exercise"]
cut = {"ms for a chunk": ..., "scenes in a chunk": ..., "minutes": ...}

# %% tags=["solution"]
extra = (seconds[60] - seconds[2]) / 58  # seconds
fit = int(1e8 // (2 * 256 * 256 * 4 * 4))
count = 365 * 24 * 4
whole = count * 0.05 + np.ceil(count / fit) * extra
cut = {"ms for a chunk": 1000 * extra, "scenes in a chunk": fit, "minutes": whole / 60}

# %% tags=["check"]
check.cut(cut, seconds, shape=(256, 256, 4), scenes=365 * 24 * 4, each=50, limit=LIMIT)

# %% [markdown]
# **Think.** Suppose there were memory enough. What would still speak against very large chunks?
#
# <details><summary>An answer</summary>
#
# When a worker dies, all its work on the current chunk is lost. And with only a few chunks, some workers will have nothing
# to do at the end. Once a chunk costs little compared with its maps, larger chunks gain nothing.
#
# </details>
#
# ## 5. When something breaks
#
# In a run of hours something will go wrong. The function `watch` is called after each chunk, and here it kills the
# only worker after the fifth. How many of the maps will be missing?


# %%
def kill(done, total):
    """Kill the worker once, as a machine that runs out of memory would."""
    if done == 5:
        psutil.Process(old[0]).kill()


old = workers()
shutil.rmtree(folder / "killed.zarr", ignore_errors=True)  # if this cell has run before
killed = archive.relevance(network, x, folder / "killed.zarr", rule, client=client, watch=kill)
print("maps missing:", int(killed.isnull().any(("lat", "lon")).sum()))
print("equal to the first run:", bool((killed == relevance).all()))
print("the worker is still the same:", workers() == old)

# %% [markdown]
# No map is missing. A new worker took the dead one's place, and got the chunks that the other had not finished.
#
# Next we stop the whole run, as the stop button of this notebook would, and then make the same call again. After
# that come two mishaps: a call with another network, and a chunk that a disk has cut short.


# %%
def stop(done, total):
    """Stop in the middle."""
    if done == 7:
        raise KeyboardInterrupt


shutil.rmtree(folder / "stopped.zarr", ignore_errors=True)
try:
    archive.relevance(network, x, folder / "stopped.zarr", rule, client=client, watch=stop)
except KeyboardInterrupt:
    written = int(archive.read(folder / "stopped.zarr").done.sum())
    print(f"stopped with {written} of {x.data.npartitions} chunks")
made = []
again = archive.relevance(
    network, x, folder / "stopped.zarr", rule, client=client, watch=lambda *n: made.append(n)
)
print(f"chunks made now: {len(made)}, equal to the first run: {bool((again == relevance).all())}")

# %%
file = folder / "warm.zarr/relevance/c/1/0/0/0/0"
file.write_bytes(file.read_bytes()[:1000])
for attempt in (
    lambda: archive.relevance(load(NAMES[1]), x, folder / "stopped.zarr", rule, client=client),
    lambda: archive.read(folder / "warm.zarr").relevance.load(),
):
    try:
        attempt()
    except ValueError as error:
        print(f"{error}\n")

# %% [markdown]
# The store keeps a list of the chunks that are written, and the same call again makes the rest. It also records
# what it was made from. With another network (as here), another rule or other input, the call refuses to go on, so that no
# store mixes two networks. And each chunk has a checksum. If one is lost or damaged *after* it was written, loading
# it raises an error, and, as the message says, the same call makes it again.
#
# On a real cluster, where all machines see the folder and have the course's `utils`, you make the same call
# with another client:
#
#     client = Client("tcp://scheduler:8786")  # from dask.distributed
#     archive.relevance(network, x, "/shared/maps.zarr", rule, client=client)
#
# Where there is a queue, `dask-jobqueue` (not part of the course) starts the workers. In a script, as
# opposed to a notebook, put the calls behind `if __name__ == "__main__":`, because each worker imports
# the script. And before a run of days, time a few chunks and multiply.
#
# ## 6. Your own network
#
# Suppose that you have a network and samples in files. The network must have been saved by Keras 2 (`tf_keras`, or
# TensorFlow up to 2.15), with Keras' own layers and channels last, and have one input and one output (though
# `lrp.relevance` takes several). [LAYERS.md](../LAYERS.md) lists every layer of Keras and what each function makes of
# it. The next cell makes two such files: the radar network of lesson 07, and twelve storms of 64 x 64 pixels.

# %%
import warnings

from tensorflow import keras
from tensorflow.keras import layers

warnings.filterwarnings("ignore", ".*HDF5.*")  # graph mode cannot save as .keras, only read it

sent = networks.encoder_decoder(size=64)
load_weights(sent, "goes_mrms")
sent.save(folder / "mine.h5")
storms = goes_mrms.as_input(goes_mrms.simulate(12, worlds.VALIDATION, size=64))
field = xr.DataArray(storms, dims=("sample", "y", "x", "channel"))
field.to_dataset(name="field").to_netcdf(folder / "samples.nc")

# %% [markdown]
# The next cell has all the lines that you need. Put your own paths into the first two, and the names of your
# dimensions into the line that reads the samples. `output` says what to explain: a class, 0 for the only output of a regressor, or a
# pixel `(row, column)`. Here it is the pixel with the strongest estimate in the middle of any scene. (For a class leave it
# out of `effective`.) The samples must be what `predict` takes, scaled as in training.

# %%
NETWORK, SAMPLES = folder / "mine.h5", folder / "samples.nc"
MAPS = folder / "mine.zarr"  # yours should lie where it stays
mine = load_network(NETWORK)  # runs no code that the file brings along
samples = xr.open_dataset(SAMPLES, chunks={}).field.transpose("sample", "y", "x", "channel")
few = samples[:12].values
estimates = mine.predict(few, verbose=0)[..., 0]
edge = 3 * estimates.shape[1] // 8
inner = estimates[:, edge:-edge, edge:-edge]
scene, *pixel = (int(i) for i in np.unravel_index(inner.argmax(), inner.shape))
output = tuple(i + edge for i in pixel)
heat_maps = explain(mine, few, "lrp.epsilon", output=output, epsilon=0.01)
of_inputs = lrp.relevance(mine, few, rule, output=output).input
erf = effective(mine, trace(mine).attrs["last_spatial"], few, output)
chunked = samples.chunk(sample=6)
stored = archive.explain(mine, chunked, MAPS, "lrp.epsilon", output, epsilon=0.01, client=client)
same = np.allclose(stored[:12], heat_maps, rtol=0, atol=1e-6 * abs(heat_maps).max())
print("the archive has the same maps:", same)
sums = f"LRP epsilon {heat_maps[scene].sum():.2f}, alpha 1 beta 0 {of_inputs[scene].sum():.2f}"
print(f"z = {estimates[scene][output]:.2f}; relevance in sum: {sums}")

# %% [markdown]
# Look at one sample, to see whether rows and columns are where you think. The cross is the pixel that
# is explained.

# %% tags=["figure"]
fig, axes = plt.subplots(1, 4, figsize=(10.5, 2.9))
axes[0].imshow(few[scene, ..., 2], cmap="gray")
plots.frame(axes[0], "sample, infrared (channel 2)")
for ax, (name, heat_map) in zip(
    axes[1:3],
    {"LRP epsilon": heat_maps[scene], "LRP alpha 1 beta 0": of_inputs[scene]}.items(),
    strict=True,
):
    drawn = plots.heat_map(ax, heat_map, name, explained=estimates[scene][output])
plots.heat_map_bar(fig, drawn, axes[1:3])
plots.picture(axes[3], erf / erf.max(), "effective field").set_cmap("magma")
for ax in axes:
    ax.plot(*output[::-1], "+", color=plots.GREEN, ms=10, mew=1.8)
plots.show(fig, "own-network")

# %% [markdown]
# The relevance in both heat maps adds up to less than the estimate z (printed above). The rest went to the biases
# on the way, and with LRP epsilon to its ε as well.
#
# If something does not fit, one sentence says what. Here are two examples.

# %%
spoiled = few.copy()
spoiled[3, 5, 5, 0] = np.nan
mixed = keras.Sequential([keras.Input((32, 32, 3)), layers.Softmax(), layers.Conv2D(1, 1)])
for attempt in (
    lambda: lrp.relevance(mine, spoiled, rule, output=output),
    lambda: lrp.relevance(mixed, few[:, :32, :32, :3], rule, output=0),
):
    try:
        attempt()
    except (ValueError, NotImplementedError) as error:
        print(f"{type(error).__name__}: {error}\n")

# %% [markdown]
# ## 7. Try it yourself
#
# Browse the archive. Each picture reads two chunks from disk and nothing else. Move *member*, and then *model*. Which of
# the parts in exercise 2 change with each of them?
#
# <details><summary>An answer</summary>
#
# Another member changes the member's part and the year's, because its weather in that year is different. Another model
# changes both of these and its own part, the largest.
#
# </details>

# %%
figure, axes = maps.globes(1, 2, (10, 3.1))
warming = maps.draw(axes[0, 0], change[0, 0, -1], "z", limit=5)
heat = maps.draw(axes[0, 1], relevance[0, 0, 0], "relevance", limit=4, low=0, cmap="magma")
maps.bar(figure, warming, axes[0, 0], "change since 1920-49 (K)")
maps.bar(figure, heat, axes[0, 1], "relevance / its mean")
figure.canvas.draw()
figure.set_layout_engine("none")


def draw(model, member, year):
    """One map of the archive and its heat map."""
    one = {"model": model, "member": member}
    warming.set_array(change.isel(one).sel(year=year).values)
    heat_map = relevance.isel(one).sel(year=year).values
    heat.set_array(heat_map / heat_map.mean())
    axes[0, 0].set_title(f"model {model}, member {member}, {year}")
    return figure


sliders = {"model": (3, 15), "member": (0, 2)}
sliders = {k: IntSlider(v, 0, most, description=k) for k, (v, most) in sliders.items()}
panels.panel(draw, "panel", **sliders, year=IntSlider(2070, 2000, 2099, description="year"))

# %% [markdown]
# > **Where it fails.** *Chunks that are too small* cost more to hand over than to explain. *Chunks that are too
# > large* do not fit: a worker holds one as input, one as maps, and whatever the network needs in between. *A mean left as
# > a plan* reads the archive again for each chunk. *A folder that workers cannot see* is no use: on a cluster the
# > store must lie on a shared disk. *Many maps from few sources* give a narrow interval around one model's own
# > pattern.
#
# ## In this lesson you
#
# - found that climate models count most for a mean map, and that twenty years of one run gain a third as much,
# - spent a budget of maps, and saw where their spread comes from and how much of it is there without any training,
# - explained an archive that was too large for the memory allowed, and predicted the size of its chunks,
# - killed a worker, stopped a run and went on without losing a map,
# - explained a network that came in a file, and read the message where that does not work.
#
# ## Quiz
#
# <details><summary>1. An archive is cut along latitude. What has to change before a network takes it?</summary>
#
# A sample lies in several chunks. Join them with `data.chunk(lat=-1)`, and cut along time or members instead.
#
# </details>
#
# <details><summary>2. Your run of two days was stopped in the night. What do you do?</summary>
#
# Make the same call again. It computes the chunks that `done` does not list.
#
# </details>
#
# <details><summary>3. You have 100 members of one climate model, and one member from each of 30 others. Which do you explain?</summary>
#
# For a pattern that holds for new models, the 30. The 100 tell you how much the weather blurs one model's own pattern.
#
# </details>
#
# <details><summary>4. The error bar of your mean map is tiny, from 16000 maps of 16 models. Do you trust it?</summary>
#
# Not if it counts maps. Take the mean of each model first, and then the error over 16 models.
#
# </details>
#
# ## Claims
#
# The goals are ours, set after a first trial with ten networks. The paper says that patterns vary between models, and not
# how much. Random weights pass such variation on as well, so for the share of models it is the difference
# that counts; its interval is 95 % over models, by jackknife. For the gain the interval holds 95 % of the 60 cuts, so it tells
# how a single trial may come out.

# %% tags=["claims"]
from utils import claims

runs = ((killed != relevance) | (again != relevance)).any(("lat", "lon")).sum("year")
claims.record(
    "archive-lost",
    "No map is lost or changed by a killed worker or a stopped run.",
    "this course",
    "maps lost or changed, of 100 of a member, in the run where most are",
    float(runs.max()),
    None,
    "<= 0",
)
gain = curves["model"][8] - curves["year"][20]
claims.record(
    "archive-models",
    "A map each of eight models tells more of other models than twenty maps of one.",
    "this course",
    "gain in the rank correlation with other models",
    gain.mean(),
    np.percentile(gain, (2.5, 97.5)),
    "> 0",
)

claims.record(
    "archive-spread",
    "Heat maps of the year of a map vary between climate models.",
    "rader2022",
    "share of the variance between models, networks minus random weights",
    *added,
    "> 0",
    "points",
)
cluster.close()  # ends the workers; so does the end of the kernel

# %% [markdown]
# ## References
#
# - [@rader2022]: indicator patterns that vary between models
# - [@barnes2020]: indicator patterns
# - [@knutti2013]: models that share code
# - [@labe2022]: networks that tell which climate model made a map
# - [@anders2021]: software for heat maps of whole data sets, for PyTorch
# - [@rocklin2015]: Dask, on one machine; its distributed workers came later
# - [@hoyer2017]: xarray
