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
# - cut an archive into chunks, and let two processes make heat maps of it,
# - lose a process, or stop a run, and say what became of the maps,
# - do all that with a network and data of your own.
#
# **Minutes:** 40 teaching, 30 exercises. Sections 1 and 2 hold the finding, 3 to 6 the tools.
#
# **Prerequisites:** lessons 00 and 08 (necessary); lessons 03 and 07 (helpful).
#
# **Needs:** 2 GB of memory and 0.5 GB of disk, more than the other lessons, because two processes work
# beside the notebook from section 4 on. No network connection, no GPU.

# %%
import os
import shutil
import tempfile
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
# We have 16 models of the world of lesson 08, none of which the networks were trained on, with three
# members each. The next cell draws the models one by one and puts each on disk, where section 3 finds
# them. Then it loads the maps of 2060 to 2079, standardised as in lesson 08.

# %%
place = tempfile.TemporaryDirectory(dir=course.scratch())  # goes away with the kernel
folder = Path(place.name)
for i in range(16):
    one = world.simulate(1, worlds.CLAIMS + i, members=3)[["tas", "truth_signal_tas"]]
    new = {"append_dim": "model"} if i else {}
    one.chunk(model=1).to_zarr(folder / "archive.zarr", consolidated=False, **new)

data = xr.open_zarr(folder / "archive.zarr", consolidated=False)
mean, deviation = world.scale(*world.anomalies(world.simulate(20, worlds.TRAINING, members=3)))
change = data.tas - data.tas.sel(year=world.BASE).mean("year")


def as_input(mean):
    """From changes to the network's input, for this century."""
    return ((change - mean) / deviation).sel(year=slice(2000, 2099)).astype("float32")


x = as_input(mean)
late = x.sel(year=slice(2060, 2079)).compute(scheduler="threads")
print("maps of 2060 to 2079:", dict(late.sizes))

# %% [markdown]
# Lesson 08's ten networks explain all of them, with the rule $\alpha_1\beta_0$. As in lesson 08 it is each map's
# strongest decade that is explained. Each heat map is divided by its mean, so that no map outvotes the
# others. Lesson 08 kept only maps dated well, within five years. Here all take part; the last line says
# how near the mean of all is to the mean of these.


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
share = xr.concat([heat_maps_of(load(name), late) for name in NAMES], "network")
print(f"{share[..., 0, 0].size} heat maps:", dict(share.sizes))

# %%
area = world.weights()
flat = late.values.reshape(-1, 30, 60)
says = [fuzzy_years.year(load(name).predict(flat, verbose=0)) for name in NAMES]
good = abs(np.reshape(says, share.shape[:4]) - late.year.values) <= 5
kept = share.where(xr.DataArray(good, dims=share.dims[:4]))
both = [some.mean(share.dims[:4]).values for some in (kept, share)]
same = skill.weighted_rank_correlation(*both, area)
print(f"dated well: {100 * good.mean():.0f} %; rank correlation of the two means {same:.2f}")

# %% [markdown]
# What makes a mean map good? It should hold for climate models and networks that it was *not* made
# from. So we cut the 16 models into two halves and the ten networks, too, in sixty ways. The mean of
# all maps of one half is the reference. From the other half we take some maps, and `nearness` says how well their mean agrees with the reference.
# It is a rank correlation, which compares the order of the cells by their relevance.

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
# So a single map is not bad, and all 2400 maps of a half reach 0.95. Now start from one
# map and take more of one kind. How near do these four means come?

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
    name = f"{counts[-1]} {kind}s"
    ends[name] = counts[-1]
    ax.text(counts[-1] * 1.08, middle[-1], name, color=colours[kind], va="center")
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
# Eight maps, one from each of eight models, go most of the way from one map to all of them, and that
# curve still rises. Twenty years of a single run bring about a third of that gain. With three maps,
# years and members help equally, since both bring other weather. Networks add least to a single map.
# The bands overlap because cuts differ, but within a cut eight models are ahead of twenty years nearly
# always, as the last line counts.
#
# For a statement about new models, the models are the sample. Our archive has sixteen of them, however
# many maps we make. (Ours are independent because we made them so. Real
# climate models share code, so count families and not names [@knutti2013].)
#
# </details>
#
# ### Exercise 1: spend a budget
#
# You may make 24 maps. How many of each do you take? Give `design`; the product of its four numbers may
# be 24 at most, and a half has 5 networks, 8 models, 3 members and 20 years. `nearness(**design)` tries
# a design out.
#
# <details><summary>Hint</summary>
#
# Print `nearness(**design).mean()` for a few designs. What helps a single map least need not be what
# helps least in the end.
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
# Eight models come first. Try three years in place of the three networks:
# they bring a little less. Eight models already bring eight kinds of weather, while the habits of one network
# are probably in all of its maps.
#
# </details>
#
# ## 2. Where does the spread come from?
#
# ### Exercise 2: four variances
#
# Two maps of different models differ in their weather, too. To tell the parts from each other, take
# them in order: a model has members, a member has years, and each year's map has ten networks. Average
# `share` over what comes later in this order (for "member" over years and networks). Take the variance
# along the dimension itself, with `.var(dim, ddof=1)`, which divides by one less, since there are few
# of each. Then take the mean over what is left, and over the globe, weighted by `area`.
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
# A model warms in a pattern of its own, and all its members and years share it. Members and years differ
# in their weather, which a mean takes away. Two models keep their difference, however many maps you
# take of each.
#
# </details>
#
# That answer can be tested, since our world knows each model's forced warming. In each cell, over the
# 16 models, does relevance follow the model's true warming there, relative to its global mean? As in
# lesson 08 there are two controls: networks with random weights, and the input alone, without any
# network. Which of the three will follow the truth best? Guess its mean correlation, 1 at most.

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
# what the networks have learned. But random weights do even better, with three networks, and the input
# alone does best. Its number is near 1 almost by construction, since the input is warming and a little
# weather, of which we took a mean. The rule $\alpha_1\beta_0$ hands a cell's input on, whatever was
# learned. So the spread over models is mostly their disagreement about the climate, and more networks
# cannot average it away. The claims at the end ask how much of it is left for training.
#
# In the blue places, south of Greenland, in the equatorial Pacific and in parts of the Southern Ocean,
# models that warm *less* get more relevance: the rule hides in which direction a place speaks
# (lesson 08).
#
# </details>
#
# ## 3. An archive on disk
#
# All this fitted into memory. The archives of climate modelling do not, and so they lie on disk in
# **chunks**. In a **Zarr store** each chunk of an array is a small file, which can be read and written
# without the others. Ours has a chunk for each model.

# %%
print(dict(data.tas.sizes), f"{data.tas.nbytes / 1e6:.0f} MB")
print(f"{data.tas.data.npartitions} chunks of the shape {data.tas.data.chunksize}")
print(f"the input, {dict(x.sizes)}: {x.nbytes / 1e6:.0f} MB in {x.data.npartitions} chunks")

# %% [markdown]
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
# ### Exercise 3: cut an archive
#
# An archive of satellite scenes has 256 x 256 pixels, 4 channels, float32 (4 bytes a number), and a
# scene every 15 minutes for 365 days. A chunk should hold at most 100 MB ($10^8$ bytes). How many whole
# scenes fit into a chunk, and how many chunks make the year?
#
# <details><summary>Hint</summary>
#
# A scene has 256 · 256 · 4 numbers. The last chunk may be smaller.
#
# </details>

# %% tags=["exercise"]
cut = {"scenes in a chunk": ..., "chunks": ...}

# %% tags=["solution"]
scene = 256 * 256 * 4 * 4
scenes = 365 * 24 * 4
cut = {"scenes in a chunk": int(1e8 // scene), "chunks": int(np.ceil(scenes / (1e8 // scene)))}

# %% tags=["check"]
check.cut(cut, shape=(256, 256, 4), scenes=365 * 24 * 4)

# %% [markdown]
# ## 4. Two workers
#
# Now a small **cluster** on this machine. It has two **workers**, which are processes with memory of
# their own, and a scheduler that hands out chunks. `archive.relevance` is `lrp.relevance` for archives,
# from one Zarr store to another. It puts the network into the new store, as configuration and weights.
# Each worker builds it from there, and then reads, explains and writes one chunk after the other.
#
# The first chunk takes long, because each worker has to load TensorFlow. (The scheduler and its workers
# listen to this machine only. But a local scheduler has no password, so whoever else is logged in could
# hand it work, which would run under your name. Start one only where you trust the others.)


# %%
def megabytes():
    """Memory that this process holds."""
    return psutil.Process().memory_info().rss / 1e6


cluster = ExitStack()
client = cluster.enter_context(archive.local_client(workers=2))
network = load(NAMES[0])
archive.relevance(network, x[:2], folder / "warm.zarr", rule, client=client)  # TensorFlow is loaded
before = [megabytes(), *client.run(megabytes).values()]
relevance = archive.relevance(network, x, folder / "network_0.zarr", rule, client=client)
after = [megabytes(), *client.run(megabytes).values()]
print(dict(relevance.sizes), f"{relevance.data.npartitions} chunks")

# %%
one = x.isel(model=0).values.reshape(-1, 30, 60)
plain = lrp.relevance(network, one, rule, layers=False).input
off = abs(relevance.isel(model=0).values.reshape(plain.shape) - plain).max() / abs(plain).max()
print(f"largest difference from the plain call: {off:.0e} of the maximum")
moved = (x.nbytes + relevance.nbytes) / 1e6
grown = max(new - old for new, old in zip(after, before, strict=True))
print(f"read and written: {moved:.0f} MB")
print("every process grew by less than half of that:", grown < moved / 2)

# %% [markdown]
# The result is again a plan, with the coordinates and chunks of the input, and its numbers, compared for the first model, are those of the plain call. A worker reads a chunk, explains it, writes it and lets it go before it takes the next.
# So it needs memory for a chunk or two and the network, and an archive may be larger than memory.
#
# Did it pay? Measured times are in [BENCHMARKS.md](../BENCHMARKS.md), table *heat maps of an archive*: two workers on two cores
# are about as fast as the plain call, which uses both cores as well. Workers pay
# where the archive does not fit into memory, where a run has to survive, and where there are several
# machines. Before a run of days, time a few chunks and multiply by `x.data.npartitions`.
#
# ## 5. When something breaks
#
# A run of hours will be hit by something. `watch` is called after each chunk. Here it kills one of the
# two workers after the fifth. How many maps will be missing?


# %%
def kill(done, total):
    """Kill a worker once, as a machine that runs out of memory would."""
    if done == 5:
        psutil.Process(min(old)).kill()


old = {*client.run(os.getpid).values()}  # the workers' processes
shutil.rmtree(folder / "killed.zarr", ignore_errors=True)  # if this cell has run before
killed = archive.relevance(network, x, folder / "killed.zarr", rule, client=client, watch=kill)
print("maps missing:", int(killed.isnull().any(("lat", "lon")).sum()))
print("equal to the first run:", bool((killed == relevance).all()))
client.wait_for_workers(2)
now = {*client.run(os.getpid).values()}
print(f"workers: {len(now)}, of which {len(now & old)} was there before")

# %% [markdown]
# No map is missing. The chunk in work was handed out again, and a new worker took the dead one's place.
#
# Next the whole run is stopped, as by the stop button of this notebook, and then called again. After
# that we make two mistakes: a call with another network, and a chunk that a disk has cut short.


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
# The store lists the chunks that are written, and the same call again makes the others. It also knows
# what it was made from. With another network, as here, or another rule or input the call refuses to go on, so no store mixes
# two networks. And each chunk has a checksum: one that is lost or damaged *after* it was written raises
# an error when somebody loads it, and, as the message says, the same call makes it again.
#
# On a real cluster, where all machines see the folder and have the course's `utils`, it is the same call
# with another client:
#
#     client = Client("tcp://scheduler:8786")  # from dask.distributed
#     archive.relevance(network, x, "/shared/maps.zarr", rule, client=client)
#
# Where there is a queue, `dask-jobqueue` (no part of the course) makes the workers. In a script, as
# opposed to a notebook, put the calls behind `if __name__ == "__main__":`, since each worker imports
# the script.
#
# ## 6. Your own network
#
# You have a network and samples in files. The network must be saved by Keras 2 (`tf_keras`, or TensorFlow
# up to 2.15), with Keras' own layers and channels last, and have one input and one output, though
# `lrp.relevance` takes several. [LAYERS.md](../LAYERS.md) lists every layer of Keras, tried with every
# function. The next cell makes both files: the radar network of lesson 07, and twelve storms of 64 x 64 pixels.

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
# These are the lines that you need. Put your own paths into the first two, and the names of your
# dimensions into the fourth. `output` is a class, 0 for the one output of a regressor, or a pixel
# `(row, column)`, here the one of the strongest estimate in the middle of any scene. (For a class leave it out of `effective`.)
# The samples must be what `predict` takes, scaled as in training.

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
# Both heat maps sum to less than the estimate z. The rest went to the biases on the way, and with
# LRP epsilon to its ε as well.
#
# If something does not fit, one sentence says what. Read these two.

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
# Browse the archive. Each picture reads two chunks from disk and nothing else. Move *member*, then *model*: which parts of
# exercise 2's spread does each change hold?
#
# <details><summary>An answer</summary>
#
# Another member brings its own part, and that of the year, whose weather is another. Another model brings these and
# its own, which is the largest.
#
# </details>

# %%
figure, axes = maps.globes(1, 2, (10, 3.1))
warming = maps.draw(axes[0, 0], change[0, 0, -1], "z", limit=5)
heat = maps.draw(axes[0, 1], share[0, 0, 0, 0], "relevance", limit=4, low=0, cmap="magma")
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
# > **Where it fails.** *Chunks too small*: handing one over costs some milliseconds, and its maps should
# > cost clearly more. *Chunks too large*: each worker holds one as input, one as maps, and what the
# > network needs. *A mean left as a plan* reads the archive again for each chunk. *A folder that workers
# > cannot see*: on a cluster the store must lie on a shared disk. *Many maps of few sources*: a narrow
# > interval around one model's own pattern.

# %% [markdown]
# ## In this lesson you
#
# - found that models count most for a mean map, and that years of one model gain a third as much,
# - spent a budget of maps, and saw where their spread comes from,
# - made a plan for an archive that reads one chunk for each chunk of input,
# - had two workers make heat maps, killed one, stopped a run and went on,
# - explained a network that came in a file, and read what is said where that does not work.
#
# ## Quiz
#
# <details><summary>1. An archive is cut along latitude. What has to change before a network takes it?</summary>
#
# A sample lies in several chunks. Join it: `data.chunk(lat=-1)`, and cut along time or members.
#
# </details>
#
# <details><summary>2. Your run of two days was stopped in the night. What do you do?</summary>
#
# Make the same call again. It computes the chunks that `done` does not list.
#
# </details>
#
# <details><summary>3. You have 100 members of one climate model and one member of 30 others. Which do you explain?</summary>
#
# For a pattern that holds for new models: the 30. The 100 tell how much one model's weather blurs its own pattern.
#
# </details>
#
# <details><summary>4. The error bar of your mean map is tiny, from 16000 maps of 16 models. Do you trust it?</summary>
#
# Not if it counts maps. Take the mean of each model first, and the error over 16 models.
#
# </details>

# %% [markdown]
# ## Claims
#
# The goals are ours, set after a first trial with ten networks; the paper says that patterns vary between models, and not how much. For the share of
# models, which random weights pass on as well, the difference counts, and its interval is 95 % over models, by jackknife. For the gain it holds 95 % of the 60 cuts, so it tells how a single trial may come out.

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


# %% tags=["claims"]
def of_models(first, second):
    """Variance of model means over it and the variance within models, in %, mean over networks."""
    between, within = first.var(0, ddof=1), (second - first**2).mean(0) * 60 / 59  # of 60 maps
    between, within = ((part * area).mean((1, 2)) for part in (between, within))
    return (100 * between / (between + within)).mean()


moments = {}
for name, some in kinds.items():
    some = some.transpose("model", "network", ...)
    moments[name] = [power.mean(["member", "year"]).values for power in (some, some**2)]
    print(f"{name}: {of_models(*moments[name]):.0f} % of the variance is between models")
claims.record(
    "archive-spread",
    "The patterns that a network uses vary between climate models.",
    "rader2022",
    "their share of the variance of a network's maps, minus that with random weights",
    *skill.jackknife(
        lambda *four: of_models(*four[:2]) - of_models(*four[2:]),
        *moments["ten networks"],
        *moments["random weights"],
    ),
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
