# %% [markdown]
# # 10 The large archive (optional)
#
# ![Thirty-six small heat maps of the globe, side by side](../pictures/large_archive.png)
#
# **Question:** one call makes one heat map. How do you make twenty thousand, and how many do you need?
#
# **Objectives:** you can
# - cut an archive into chunks, and let two processes make heat maps of it,
# - lose a process, or stop a run, and lose no map,
# - tell what more years, runs, networks and climate models add to a mean heat map,
# - do all that with a network and data of your own.
#
# **Minutes:** 35 teaching, 25 exercises. Short of time? Skip *A plan can be a bad one* and section 3.
#
# **Prerequisites:** lessons 00 and 08 (necessary); lesson 03 (helpful).
#
# **Needs:** 2 GB of memory and 0.5 GB of disk, more than the other lessons, because two processes work beside the notebook. No network
# connection, no GPU.

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

course.start("10_large_archive", seed=0)

# %% [markdown]
# ## 1. An archive
#
# In lesson 08 all maps fitted into memory. The archives of climate modelling do not: many models, many **members** (runs of one model
# that differ in their weather alone), many years. So they lie on disk in **chunks**. In a **Zarr store** each chunk of an array is a small file,
# which can be read and written without the others.
#
# Ours holds 16 models with three members each. It is made model by model, so that no more than one is ever in memory.

# %%
place = tempfile.TemporaryDirectory(dir=course.scratch())  # goes away with the kernel
folder = Path(place.name)
for i in range(16):  # one model each; its seed is none of the training models'
    one = world.simulate(1, worlds.CLAIMS + i, members=3)[["tas", "truth_signal_tas"]]
    new = {"append_dim": "model"} if i else {}
    one.chunk(model=1).to_zarr(folder / "archive.zarr", consolidated=False, **new)

data = xr.open_zarr(folder / "archive.zarr", consolidated=False)
print(dict(data.tas.sizes), f"{data.tas.nbytes / 1e6:.0f} MB")
print(f"{data.tas.data.npartitions} chunks of the shape {data.tas.data.chunksize}")

# %% [markdown]
# `open_zarr` has read no map yet. `data.tas` is a **plan**, kept by the library Dask: which chunks there are, and where. Each further line of
# arithmetic is added to the plan, and worked out chunk by chunk when somebody asks for values.
#
# The network of lesson 08 takes changes since 1920-49, standardised by the mean and deviation of its training maps. We explain the
# maps of this century.

# %%
learned = world.anomalies(world.simulate(20, worlds.TRAINING, members=3))
mean, deviation = world.scale(*learned)
del learned
change = data.tas - data.tas.sel(year=world.BASE).mean("year")


def as_input(mean):
    """The plan from changes to the network's input."""
    return ((change - mean) / deviation).sel(year=slice(2000, 2099)).astype("float32")


x = as_input(mean)
print(dict(x.sizes), f"{x.nbytes / 1e6:.0f} MB, {x.data.npartitions} chunks")

# %% [markdown]
# ### A plan can be a bad one
#
# Suppose we took the mean of the archive itself, instead of the training maps'. That is one more line in the plan. How many
# chunks must then be read for one chunk of input? Guess, then run. (The function keeps those steps of the plan that the first chunk needs, and counts
# the ones that read from disk. You need not understand it.)


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
# Left as a plan, each chunk would read the whole archive: 256 reads for 16 chunks. **Work means over the archive out first, by** `.compute()`. The mean of a run's own
# 1920-49 costs nothing more: its years lie in one chunk. So cut an archive across samples, and keep together what a sample needs.
#
# Many archives are NetCDF files. `xr.open_mfdataset("tas_*.nc", combine="nested", concat_dim="model", chunks={"year": -1})` makes a plan of
# these, if they share a grid and a calendar; write it once by `.to_zarr`, in the chunks that you need.
#
# ### Exercise 1: cut an archive
#
# An archive of satellite scenes: 256 x 256 pixels, 4 channels, float32 (4 bytes a number), a scene every 15 minutes for 365 days. A chunk should hold at most
# 100 MB ($10^8$ bytes). How many whole scenes fit into a chunk, and how many chunks make the year?
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
# ## 2. Two workers
#
# Now a small **cluster** on this machine: two **workers**, which are processes with memory of their own, and a scheduler that hands out
# chunks. `archive.relevance` is `lrp.relevance` for archives: from one Zarr store to another. It puts the network into the new store, as configuration
# and weights. Each worker builds it from there, and then reads, explains and writes one chunk after the other. As in lesson 08, each map's strongest
# decade is explained, with the rule $\alpha_1\beta_0$.
#
# The first chunk takes long, because each worker loads TensorFlow first. Until then the bar's forecast is too long, too.
#
# (The scheduler and its workers listen to this machine only. But a local scheduler has no password: whoever else is logged in to the
# machine could hand it work, which would run under your name. Start one only where you trust the others.)

# %%
cluster = ExitStack()
client = cluster.enter_context(archive.local_client(workers=2))


def load(name):
    """A network with the shipped weights of that name."""
    network = networks.year_of_map()
    load_weights(network, name)
    return network


network = load("climate")
rule = "alpha_1_beta_0"
relevance = archive.relevance(network, x, folder / "network_0.zarr", rule, client=client)
print(dict(relevance.sizes), f"{relevance.data.npartitions} chunks")

# %% [markdown]
# The result is again a plan, with the coordinates and chunks of the input. Are these the numbers of the plain call, in this
# process? We compare the maps of the first model.

# %%
one = x.isel(model=0).values.reshape(-1, 30, 60)
plain = lrp.relevance(network, one, rule, layers=False).input
off = abs(relevance.isel(model=0).values.reshape(plain.shape) - plain).max() / abs(plain).max()
print(f"largest difference: {off:.1e} of the largest relevance")

# %% [markdown]
# They are, to the last digits of float32.
#
# **Did that pay?** In time, hardly. On one machine with two cores, two workers are about as fast as the plain call, which uses both cores, too.
# The table *heat maps of an archive* in the README has both, for small maps and for large ones, with one worker and with two. Workers pay where the archive does not
# fit into memory, where a run must survive, and where there are several machines. Before a run of days, time a few chunks, and multiply by `x.data.npartitions`; the maps
# take `x.nbytes` of disk, less what compression saves.
#
# ## 3. When something breaks
#
# A run of hours will be hit by something. `watch` is called after each chunk. Here it kills one of the two workers after the fifth. How many
# maps will be missing?


# %%
def kill(done, total):
    """Kill a worker once, as a machine that runs out of memory would."""
    if done == 5:
        ids = client.run(os.getpid).values()  # of the workers' processes
        psutil.Process(min(ids)).kill()


shutil.rmtree(folder / "killed.zarr", ignore_errors=True)  # if this cell has run before
killed = archive.relevance(network, x, folder / "killed.zarr", rule, client=client, watch=kill)
print("maps missing:", int(killed.isnull().any(("lat", "lon")).sum()))
print("equal to the first run:", bool((killed == relevance).all()))

# %% [markdown]
# None. The chunk in work was handed to the other worker, and a new one was started.
#
# Now the whole run is stopped, as by the stop button of this notebook.


# %%
def stop(done, total):
    """Stop in the middle."""
    if done == 7:
        raise KeyboardInterrupt


shutil.rmtree(folder / "stopped.zarr", ignore_errors=True)
try:
    archive.relevance(network, x, folder / "stopped.zarr", rule, client=client, watch=stop)
except KeyboardInterrupt:
    print("stopped")

done = archive.read(folder / "stopped.zarr").done
fig, ax = plt.subplots(figsize=(8, 1))
ax.pcolormesh(done[..., 0].T, cmap="Greens", vmin=0, vmax=1.4, edgecolors="white", lw=2)
ax.set(xlabel="model (three members in one chunk)", aspect="equal", yticks=[])
ax.set(xticks=np.arange(16) + 0.5, xticklabels=range(16))
plots.show(fig, "chunks")

# %% [markdown]
# The store keeps a list of its own, `done`: 1 for each chunk whose maps are written, in the order in which workers finish. A chunk that was
# in work at the stop is made again.
#
# ### Exercise 2: what is left?
#
# The same call again goes on where it stopped. Work out from `done` how many *maps* it still has to make. A chunk holds 300.
#
# <details><summary>Hint</summary>
#
# `done` is an array of ones and zeros.
#
# </details>

# %% tags=["exercise"]
left = ...

# %% tags=["solution"]
left = 300 * int((done == 0).sum())

# %% tags=["check"]
check.left(left, done, per_chunk=300)

# %%
made = []
again = archive.relevance(
    network, x, folder / "stopped.zarr", rule, client=client, watch=lambda *n: made.append(n)
)
print(f"chunks made now: {len(made)}, equal to the first run: {bool((again == relevance).all())}")
try:
    archive.relevance(load("climate_seed_1"), x, folder / "stopped.zarr", rule, client=client)
except ValueError as error:
    print(error)

# %% [markdown]
# A store also knows what it was made from. With another network, rule or input, the call refuses to go on, so that no store holds
# maps of two kinds. (Of the input it compares the coordinates and the first map.) While one call writes to a store, a second one is refused.
#
# Disks lose things, too. Each chunk has a checksum, so a chunk that is lost or damaged *after* it was written raises an error when somebody loads it,
# and is not mistaken for maps. The same call again finds such chunks, makes them once more, and keeps the others.
#
# ## 4. Five networks
#
# Lesson 08 had networks that differ in their first weights alone. Five of them explain the whole archive. Then one
# plan joins the five stores, and we load what we need of it: the maps of 2060 to 2079, each divided by its mean,
# so that no map outvotes the others. (Lesson 08 kept the maps that are dated well. Here all count.)

# %%
parts = [relevance]
for i in range(1, 5):
    store = folder / f"network_{i}.zarr"
    parts.append(archive.relevance(load(f"climate_seed_{i}"), x, store, rule, client=client))
everything = xr.concat(parts, "network")
share = everything.sel(year=slice(2060, 2079))
share = (share / share.mean(("lat", "lon"))).compute(scheduler="threads")  # wanted in this process
print(f"{everything[..., 0, 0].size} heat maps, {everything.nbytes / 1e6:.0f} MB")
print(f"loaded: {share[..., 0, 0].size} of them, {share.nbytes / 1e6:.0f} MB")

# %% [markdown]
# ## 5. How many maps do you need?
#
# A mean heat map should hold for climate models that it was *not* made from. So we cut the 16 models in two halves, many times. The mean of
# all maps of one half is the reference. In the other half we start from one map and take more: years of the same run, members of
# the same model, networks, or models. **Which brings the mean nearest to the reference? Put them in order before you run.**

# %%
area = world.weights()
rng = np.random.default_rng(0)
values = share.values  # network, model, member, year, lat, lon
LARGEST = {"networks": 5, "models": 8, "members": 3, "years": 20}
found = {(name, n): [] for name, most in LARGEST.items() for n in (1, 2, 3, 5, 8, 20) if n <= most}
whole = []
for _ in range(60):
    half, other_half = np.split(rng.permutation(16), 2)
    reference = values[:, other_half].mean((0, 1, 2, 3))
    whole.append(
        skill.weighted_rank_correlation(values[:, half].mean((0, 1, 2, 3)), reference, area)
    )
    order = [rng.permutation(5), half, rng.permutation(3), rng.permutation(20)]
    for name, n in found:
        at = list(LARGEST).index(name)
        chosen = [few[: n if axis == at else 1] for axis, few in enumerate(order)]
        picked = values[np.ix_(*chosen)].mean((0, 1, 2, 3))
        found[name, n].append(skill.weighted_rank_correlation(picked, reference, area))

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(7, 3.8))
colours = plots.ORANGE, plots.BLUE, plots.GREEN, plots.GREY
for name, colour in zip(("models", "years", "members", "networks"), colours, strict=True):
    counts = [n for what, n in found if what == name]
    middle = [np.mean(found[name, n]) for n in counts]
    ax.plot(counts, middle, "o-", color=colour)
    if name in ("models", "years"):
        ends = [np.percentile(found[name, n], (10, 90)) for n in counts]
        ax.fill_between(counts, *np.transpose(ends), color=colour, alpha=0.12, lw=0)
    ax.text(counts[-1] * 1.08, middle[-1], f"{counts[-1]} {name}", color=colour, va="center")
ax.axhline(np.mean(whole), color=plots.INK, lw=1)
ax.text(1, np.mean(whole) + 0.01, f"all {values[:, :8, ..., 0, 0].size} maps of a half")
ax.set(xscale="log", xticks=[1, 2, 3, 5, 8, 20], xlim=(0.9, 40), ylim=(0.4, 1))
ax.set_xticks([], minor=True)
ax.set_xticklabels([1, 2, 3, 5, 8, 20])
ax.set(xlabel="maps in the mean", ylabel="rank correlation\nwith the other half's mean")
plots.show(fig, "how-many")
for name, most in LARGEST.items():
    print(f"{name}: 3 {np.mean(found[name, 3]):.2f}, {most} {np.mean(found[name, most]):.2f}")
print(f"one map: {np.mean(found['models', 1]):.2f}, all of a half: {np.mean(whole):.2f}")

# %% [markdown]
# Eight maps, one from each of eight models, go most of the way from one map to all maps of these models, and the curve still rises. Twenty years of
# one run go a third of it. At three maps, years and members add the same, for both bring other weather; networks add least. **What counts is
# the number of independent pieces, and here these are the models.** Our archive has sixteen, however many maps we make.
#
# (Ours are independent because we made them so. Real climate models share code: count families, and not names [@knutti2013].)
#
# ### Exercise 3: where does the spread come from?
#
# How much does a map change if only its network changes, only its model, only its member, only its year? For each of the four dimensions: the variance of
# `share` along it (`.var(dim, ddof=1)`: there are few of each, so divide by one less), then the mean over the other three dimensions, then the mean over the globe, weighted by `area`.
#
# <details><summary>Hint</summary>
#
# `share` is an xarray object: `share.var("model", ddof=1)` still has the other dimensions, and `(... * area).mean()` takes the mean over all of them.
#
# </details>

# %% tags=["exercise"]
spread = {"network": ..., "model": ..., "member": ..., "year": ...}

# %% tags=["solution"]
spread = {dim: float((share.var(dim, ddof=1) * area).mean()) for dim in share.dims[:4]}

# %% tags=["check"]
check.spread(spread, share, area)

# %% [markdown]
# **What does it mean physically?** Think first: why do models differ more than the members of a model?
#
# <details><summary>An answer</summary>
#
# A model warms in a pattern of its own, and all its members and years share it. Members and years differ in their weather, which a mean
# takes away. Two models keep their difference, however many maps you take of each.
#
# </details>
#
# Our world knows each model's forced warming. So the answer can be tested: in each cell, over the 16 models, does relevance follow the model's true
# warming there, divided by its global mean? Two controls, as in lesson 08: a network with random weights, and the input alone.

# %%
signal = world.signal(data).sel(year=slice(2060, 2079)).mean("year").compute()
true_pattern = signal / (signal * area).mean(("lat", "lon"))
late = x.sel(year=slice(2060, 2079)).compute(scheduler="threads")
blank = networks.year_of_map(seed=100)  # random weights
of_blank = lrp.relevance(blank, late.values.reshape(-1, 30, 60), rule, layers=False).input


def follows(maps_of_all):
    """In each cell: correlation over models of mean maps with the true pattern."""
    own = maps_of_all / maps_of_all.mean(("lat", "lon"))
    own = own.mean([dim for dim in own.dims if dim not in ("model", "lat", "lon")])
    return xr.corr(own.drop_vars("seed"), true_pattern.drop_vars("seed"), "model")  # seed: a label


for name, maps_of_all in {
    "five networks": share,
    "random weights": late.copy(data=of_blank.reshape(late.shape)),
    "input alone": abs(late),
}.items():
    correlation = float((follows(maps_of_all) * area).mean())
    print(f"{name}: mean correlation over the globe {correlation:.2f}")

# %%
fig, axes = maps.globes(1, 2, (10.5, 2.6))
of_models = share.mean(("network", "member", "year")).std("model", ddof=1)
drawn = maps.draw(axes[0, 0], of_models, "spread over 16 models", limit=2.5, low=0, cmap="magma")
maps.bar(fig, drawn, axes[0, 0], "standard deviation of\nrelevance / its mean")
drawn = maps.draw(axes[0, 1], follows(share), "does relevance follow true warming?", limit=1)
maps.bar(fig, drawn, axes[0, 1], "correlation\nover models")
plots.show(fig, "over-models")

# %% [markdown]
# It does, nearly everywhere. **The controls take away what that seems to say about the network:** random weights do nearly as well, and the input alone does
# better. $\alpha_1\beta_0$ hands a cell's input on, whatever was learned. So the spread over models is mostly their disagreement about the climate,
# which the rule passes on, and more networks cannot average it away. Where the right map is blue, also at the place of largest spread, models that
# warm *less* get more: the rule hides in which direction a place speaks (lesson 08, section 5).
#
# ## 6. On a real cluster
#
# The same call, with another client, where all machines see the folder and have the course's `utils`:
#
#     client = Client("tcp://scheduler:8786")  # from dask.distributed
#     archive.relevance(network, x, "/shared/maps.zarr", rule, client=client)
#
# On a cluster with a queue, `dask-jobqueue` (no part of the course) makes the workers: `cluster = SLURMCluster(cores=1, memory="4GB")`,
# `cluster.scale(100)`, `client = Client(cluster)`. In a script, as opposed to a notebook, put the calls behind `if __name__ == "__main__":`, since each worker
# imports the script.
#
# ## 7. Your own network
#
# You have a network saved by Keras and samples in a file. This cell plays the colleague who sends both: a small encoder-decoder with strides and a
# dilation, which no lesson made. Its weights are random, so its maps mean nothing.

# %%
import warnings

from tensorflow import keras
from tensorflow.keras import layers

warnings.filterwarnings("ignore", ".*HDF5.*")  # graph mode cannot save as .keras, only read it

foreign = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(8, 3, dilation_rate=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
    ]
)
foreign.save(folder / "mine.h5")
field = xr.DataArray(
    rng.normal(size=(40, 32, 32, 3)).astype("float32"), dims=("sample", "y", "x", "channel")
)
field.to_dataset(name="field").to_netcdf(folder / "samples.nc")

# %% [markdown]
# The lines that you need. Put your own paths in the first lines, and the names of your dimensions in the fourth. `output` is a class, 0 for the one
# output of a regressor, or a pixel `(row, column)`; for a class leave it out of `effective`. **The samples must be what** `predict` **takes, scaled as in
# training.**

# %%
NETWORK, SAMPLES = folder / "mine.h5", folder / "samples.nc"
MAPS = folder / "mine.zarr"  # yours should lie where it stays
mine = load_network(NETWORK)  # runs no code that the file brings along
samples = xr.open_dataset(SAMPLES, chunks={}).field.transpose("sample", "y", "x", "channel")
few, output = samples[:20].values, (16, 16)
heat_maps = explain(mine, few, "lrp.epsilon", output=output, epsilon=0.01)
of_inputs = lrp.relevance(mine, few, rule, output=output).input
fields = trace(mine)
erf = effective(mine, fields.attrs["last_spatial"], few, output)
chunked = samples.chunk(sample=10)
stored = archive.explain(mine, chunked, MAPS, "lrp.epsilon", output, epsilon=0.01, client=client)
same = np.allclose(stored[:20], heat_maps, rtol=0, atol=1e-6 * abs(heat_maps).max())
print("the archive has the same maps:", same)
fields[["size_y", "step_y"]]

# %% [markdown]
# (`size_y` is the number of rows that a pixel of a layer can see, `step_y` the rows between neighbours, ERF the effective receptive field: lesson 09.) Look
# at one sample, to see whether rows and columns are where you think.

# %% tags=["figure"]
fig, axes = plt.subplots(1, 4, figsize=(10, 2.7))
for ax, (title, image) in zip(
    axes,
    {
        "sample, channel 0": few[0, ..., 0],
        "LRP epsilon": heat_maps[0].sum(-1),
        "LRP alpha 1 beta 0": of_inputs[0].sum(-1),
        "ERF of 20 samples": erf,
    }.items(),
    strict=True,
):
    limit = abs(image).max()
    ax.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set_title(title)
plots.show(fig, "own-network")

# %% [markdown]
# What must be true of the network: saved by Keras 2 (`tf_keras`, or TensorFlow up to 2.15); Keras' own layers, channels last; and one input and one
# output, though `lrp.relevance` takes several. [LAYERS.md](../LAYERS.md) has every layer of Keras, tried with every function. If something does not
# fit, one sentence says what. Read these three.

# %%
spoiled = few.copy()
spoiled[3, 5, 5, 0] = np.nan
mixed = keras.Sequential([keras.Input((32, 32, 3)), layers.Softmax(), layers.Conv2D(1, 1)])
coded = keras.Sequential([keras.Input((32, 32, 3)), layers.Lambda(lambda t: t * 2)])
coded.save(folder / "coded.h5")
for attempt in (
    lambda: lrp.relevance(mine, spoiled, rule, output=output),
    lambda: lrp.relevance(mixed, few, rule, output=0),
    lambda: load_network(folder / "coded.h5"),
):
    try:
        attempt()
    except (ValueError, NotImplementedError) as error:
        print(f"{type(error).__name__}: {error}\n")

# %% [markdown]
# ## 8. Try it yourself
#
# Browse the archive. Each picture reads two chunks from disk and nothing else. Move *network*, then *model*: which changes the heat map more?

# %%
figure, axes = maps.globes(1, 2, (10, 3.1))
warming = maps.draw(axes[0, 0], change[0, 0, -1], "z", limit=5)
heat = maps.draw(axes[0, 1], share[0, 0, 0, 0], "z", limit=4, low=0, cmap="magma")
maps.bar(figure, warming, axes[0, 0], "change since 1920-49 (K)")
maps.bar(figure, heat, axes[0, 1], "relevance / its mean")
figure.canvas.draw()
figure.set_layout_engine("none")


def draw(network, model, member, year):
    """One map of the archive and its heat map."""
    one = {"model": model, "member": member}
    warming.set_array(change.isel(one).sel(year=year).values)
    heat_map = everything.isel(one | {"network": network}).sel(year=year).values
    heat.set_array(heat_map / heat_map.mean())
    axes[0, 0].set_title(f"model {model}, member {member}, {year}")
    axes[0, 1].set_title(f"relevance, network {network}")
    return figure


sliders = {"network": (0, 4), "model": (3, 15), "member": (0, 2)}
sliders = {k: IntSlider(v, 0, most, description=k) for k, (v, most) in sliders.items()}
panels.panel(draw, "panel", **sliders, year=IntSlider(2070, 2000, 2099, description="year"))

# %% [markdown]
# ## 9. Where it fails
#
# > **Pitfalls.** *Chunks too small*: handing one over costs some milliseconds, and its maps should cost clearly more. *Chunks too large*: each worker holds
# > one as input, one as maps, and what the network needs. *A mean left as a plan* reads the archive again for each chunk. *A folder that workers
# > cannot see*: on a cluster the store must lie on a shared disk. *Code of your own in the network*: workers build it from
# > its configuration, and have no such code. *Many maps of few sources*: a narrow interval around one model's own pattern.

# %% [markdown]
# ## In this lesson you
#
# - wrote an archive into a Zarr store, and made a plan for its input that reads each chunk once,
# - had two workers make heat maps, killed one, stopped a run and went on,
# - joined the maps of five networks and loaded only those you needed,
# - found that models count most, years of one model a third as much, and networks least,
# - explained a network that no lesson made, and read what is said where that does not work.
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
# models the interval is 95 % over models. For the gain it holds 95 % of the 60 cuts, so it tells how a single trial may come out.

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
gain = np.subtract(found["models", 8], found["years", 20])
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
def share_of_models(chosen):
    """Variance of model means over the variance of single maps, in %, of chosen models."""
    between = (first[chosen].var(0, ddof=1) * area).mean()
    total = ((second[chosen].mean(0) - first[chosen].mean(0) ** 2) * area).mean()
    return 100 * between / total


inside = ["network", "member", "year"]
first, second = (moment.mean(inside).values for moment in (share, share**2))
claims.record(
    "archive-spread",
    "The patterns that a network uses vary between climate models.",
    "rader2022",
    "their share of the variance of single maps",
    *skill.bootstrap(share_of_models, np.arange(16)),
    ">= 50",
    "%",
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
