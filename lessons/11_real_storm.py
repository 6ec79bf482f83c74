# %% [markdown]
# # 11 From files to a heat map: bring your own storm (optional)
#
# ![Infrared, lightning, radar, and what the network estimates](../pictures/goes_mrms.png)
#
# **Which storm?** Unless you change it, this notebook shows a **simulated** storm that was written into files like those of GOES
# and MRMS, so that it needs no network and its truth is known. One line in section 1 puts a **real** storm of your choice in its place.
# Section 1 prints which of the two you see, and the figures repeat it.
#
# **Question:** a network has seen nothing but simulated storms. Where is it wrong on a scene that comes from files, and why there?
#
# **Objectives:** you can
# - get from files of a satellite, a lightning mapper and a radar network to a heat map,
# - tell errors of a network from errors of time and place,
# - explain the pixel where an estimate is most wrong, and test the explanation,
# - notice an input that is in the wrong order.
#
# **Minutes:** 35 teaching, 30 exercises.
#
# **Prerequisites:** lesson 07 (necessary).
#
# **Needs:** 1.5 GB of memory, no GPU. A network connection only if you choose a real storm; then some 20 MB are
# downloaded and kept.

# %%
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ipywidgets import Checkbox, Dropdown, IntSlider

from utils import claims, course, networks, panels, plots, skill, worlds
from utils.check import real_storm as check
from utils.explain.crops import around, at_pixel, box
from utils.panels import goes_to_mrms as lesson_7
from utils.panels import real_storm as panel
from utils.plots import goes
from utils.readers import fetch, geolocation, real_files
from utils.weights import load_weights
from utils.worlds import goes_mrms as world

course.start("11_real_storm", seed=0)

# %% [markdown]
# ## 1. Choose a storm
#
# NOAA keeps the files of its satellites and of its radars in open archives. `fetch.storm(time, place, size)` finds
# the satellite, the scan, the 45 files of lightning in the 15 minutes before it and the nearest radar composite. It says how
# much it will download, and keeps it for the next time.
#
# **A real storm.** `STORMS` names three severe storms that are well documented. Set `STORM` to one of the names, in quotation marks, and run all cells. For another
# storm add a line of your own: its time (UTC), half an hour later, latitude and longitude. We had no network where this lesson was made, so we could
# not try these three, and you may see what we have not. The folded readings below are about the simulated storm.
#
# **The simulated storm.** With `STORM = None` a scene of lesson 07's world is written as the files that GOES, with all clouds at a height of 12 km, and
# MRMS would have made of it, and comes back through the same function. The way through the files is real, and the storm is not.

# %%
STORMS = {
    "Iowa, 31 March 2023, by day": ("2023-03-31T21:30", "2023-03-31T22:00", (41.6, -91.5)),
    "Houston, 16 May 2024, evening": ("2024-05-16T23:30", "2024-05-17T00:00", (30.0, -95.6)),
    "Kentucky, 11 December 2021, at night": ("2021-12-11T03:00", "2021-12-11T03:30", (36.7, -88.6)),
}
STORM = None
SIZE, SOURCE = 112, None
if STORM is None:
    keep = tempfile.TemporaryDirectory(dir=course.scratch())  # goes away with the kernel
    SOURCE, place = Path(keep.name), (36.0, -95.0)
    time, later = "2021-07-15T20:00", "2021-07-15T20:30"
    by_day = world.Scene(seed=worlds.CLAIMS + 20_000, size=SIZE + 16, sun=0.6)
    for when, scene in ((time, by_day), (later, replace(by_day, seed=worlds.CLAIMS + 20_006))):
        real_files.write(SOURCE, world.render([scene]), when, place)
else:
    time, later, place = STORMS[STORM]
data = fetch.storm(time, place, SIZE, source=SOURCE)
NAME = f"Real storm: {STORM}" if STORM else "Simulated storm, from files"
print(NAME)
for key in ("satellite", "sector", "scan_time", "radar_time", "lightning_files"):
    print(f"  {key.replace('_', ' ')}: {data.attrs[key]}")

# %% [markdown]
# Before anything else, look at it as a forecaster would. **Where would you expect the strongest echo?**

# %% tags=["figure"]
fig, axes = plt.subplots(1, 4, figsize=(10.5, 3.3))
for ax, name in zip(axes, world.CHANNELS, strict=True):
    drawn = goes.field(ax, name, data[name][0], goes.LOOKS[name][0])
    fig.colorbar(drawn, ax=ax, location="bottom", shrink=0.9)
fig.suptitle(NAME, fontsize=11)
plots.show(fig, "scene")

# %% [markdown]
# ## 2. What the network says
#
# The network is that of lesson 07, trained on simulated scenes alone. On fresh simulated scenes its CSI at 35 dBZ was
# 0.29 there. Guess what it is here, and what it would be at equal frequency bias.

# %% tags=["guess"]
guess = {"as it is": None, "equal bias": None}

# %%
model = networks.encoder_decoder(size=None)
load_weights(model, "goes_mrms")
THRESHOLDS = [20, 35, 50]


def estimate(x):
    """The network's reflectivity in dBZ, shape (sample, y, x)."""
    return 60 * model.predict(x, batch_size=8, verbose=0)[..., 0].clip(0)


def csi(values, seen, threshold=35):
    return skill.scores(skill.counts(values, seen, [threshold]))["CSI"][0]


x, seen = world.as_input(data), np.nan_to_num(data.mrms.values)
says = estimate(x)
even = skill.same_frequency(says, seen)
table = {}
for name, values in (("as it is", says), ("equal bias", even)):
    table[name] = pd.DataFrame(skill.scores(skill.counts(values, seen, THRESHOLDS)), THRESHOLDS)
    print(f"CSI at 35 dBZ, {name}: {table[name].CSI[35]:.2f}{plots.guess_text(guess, name)}")
pd.concat(table).round(2)

# %% tags=["figure"]
fig, axes = plt.subplots(1, 4, figsize=(10.5, 3.3))
drawn = [
    goes.field(axes[0], "c13", data.c13[0], "C13 (K)"),
    goes.field(axes[1], "mrms", seen[0], "MRMS (dBZ)"),
    goes.field(axes[2], "mrms", says[0], "network (dBZ)"),
    panel.difference(axes[3], says[0] - seen[0], "network minus MRMS (dBZ)"),
]
for ax, artist in zip(axes, drawn, strict=True):
    fig.colorbar(artist, ax=ax, location="bottom", shrink=0.9)
fig.suptitle(NAME, fontsize=11)
plots.show(fig, "estimate")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In the simulated storm the CSI at 35 dBZ is 0.23, less than lesson 07 had, and equal bias does not mend it. The estimate has the
# same cells as the radar, smoother and larger, and two areas of weak echo, in the east and in the south-west, are missing. The strongest echoes
# are in the south, near most of the lightning; the small western cell has a strong echo without any. Look at this
# cell in the last panel: there is too much in the north and too little in the south-east, as if the estimate had slipped. Section 3 asks why.
#
# Read the frequency bias, too. The network says 50 dBZ about four times as often as the radar has it, since its loss wanted that.
# A real storm can add to this bias, so compare with these numbers and not with 1.
#
# </details>
#
# ## 3. Is it in the wrong place, or do we compare the wrong places?
#
# Two things move a real estimate away from the radar without any fault of the network.
#
# - **Time.** A mesoscale scan takes half a minute and one of the United States up to five, the radars need some minutes
#   for a volume, and a storm may move 15 m or more in a second.
#   Section 1 prints both times.
# - **Parallax.** A satellite looks from the side. A cloud top at 12 km is placed too far from the point below the
#   satellite, and a radar does not share this error. The next cell works out how far.
#
# So we shift the estimate by whole pixels, and look for the shift that agrees best with the radar. If the best shift points along the parallax,
# that is the likelier cause, unless the storm moves the same way. The satellite stands above the equator at 75° W, south-east of our simulated storm. **What shift do you expect?** Guess in pixels of 3 km, to the north and to the east,
# and what the CSI at 35 dBZ becomes when the radar is moved along.

# %% tags=["guess"]
guess = {"north": None, "east": None, "CSI": None}

# %%
expected = geolocation.parallax(place, float(data.satellite_longitude), height=12.0)
print(
    f"parallax of a top at 12 km: {expected[0]:.1f} km to the north, {expected[1]:.1f} to the east"
)
shift, agreement = panel.best_shift(seen[0], says[0], most=6)
for name, pixels, km in zip(("north", "east"), shift, expected, strict=True):
    print(f"estimate too far {name}: {pixels} pixels{plots.guess_text(guess, name)}", end="")
    print(f" (parallax {km / 3:.1f})")
middle = agreement.shape[0] // 2
print(f"correlation without a shift {agreement[middle, middle]:.2f}, best {agreement.max():.2f}")
there = panel.moved(seen, shift)  # radar where the satellite shows its clouds
print(f"CSI at 35 dBZ: {csi(says, seen):.2f} where they lie, {csi(says, there):.2f} moved", end="")
print(plots.guess_text(guess, "CSI"))

# %% tags=["figure"]
fig, (ax, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
edge = middle + 0.5
drawn = ax.imshow(agreement, origin="lower", extent=(-edge, edge, -edge, edge), cmap="viridis")
ax.plot(*shift[::-1], "o", color=plots.ORANGE, mec="white", ms=9, label="best")
ax.plot(expected[1] / 3, expected[0] / 3, "x", color="black", ms=9, mew=2, label="parallax")
ticks = range(-6, 7, 2)
ax.set(xlabel="pixels to the east", ylabel="pixels to the north", xticks=ticks, yticks=ticks)
ax.legend(loc="lower right", fontsize=9, frameon=True, facecolor="white", framealpha=1)
fig.colorbar(drawn, ax=ax, label="correlation with radar")
drawn = panel.difference(right, says[0] - there[0], "network minus MRMS, moved (dBZ)")
fig.colorbar(drawn, ax=right)
fig.suptitle(NAME, fontsize=11)
plots.show(fig, "shift")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In the simulated storm the best shift is 4 pixels to the north and 2 to the west, half a pixel from the parallax of its tops. With
# the radar moved along, the CSI at 35 dBZ rises from 0.23 to 0.33, about what lesson 07 had. **This part of the error was no fault of the
# network.** The right panel has what is left: too much echo in and between the southern cores, too little along some northern edges, and the two
# areas of weak echo.
#
# Tops of a real storm have many heights, and the storm moves, so expect the dot near the cross and not on it. A shift that does not fit is a
# question about time. One thing no shift of the radar can mend: GLM's files already allow for the height of cloud tops and ABI's do not, so as they come,
# lightning and cloud lie apart. Our reader puts lightning back to where the scan shows the cloud.
#
# </details>
#
# ## 4. Why is it wrong here?
#
# That is what a forecaster asks. From now on radar is moved to where the satellite shows its clouds, so that no error of place is left that one shift can
# mend. We take the pixel with the largest overestimate among those where radar has 20 dBZ or more, and draw what lies around it.

# %% tags=["figure"]
row, column = panel.worst(says[0], there[0])
crops, at = around(np.concatenate([x, there[..., None], says[..., None]], -1), [row], [column])
fig, axes = plt.subplots(1, 5, figsize=(10.5, 2.9))
drawn = lesson_7.fields(axes[:4], crops[0, ..., :4], crops[0, ..., 4], crops[0, ..., 5])
drawn += [panel.difference(axes[4], crops[0, ..., 5] - crops[0, ..., 4], "estimate minus MRMS")]
for ax, artist, unit in zip(axes, drawn, ("K", "groups", "dBZ", "dBZ", "dBZ"), strict=True):
    fig.colorbar(artist, ax=ax, location="bottom", shrink=0.9, label=unit)
    goes.cross(ax, at[0], 8)
fig.suptitle(NAME, fontsize=11)
plots.show(fig, "worst")

# %% [markdown]
# Is it the lightning, or the cold top? The next cell erases all lightning and leaves the cloud as it is. **What will the estimate be then?**
# And what share of the relevance does lightning hold, in per cent of all four channels?

# %% tags=["guess"]
guess = {"without lightning": None, "share of GLM": None}

# %%
crops = crops[..., :4]
erased = crops * [1, 1, 1, 0]
maps = {
    "with lightning": lesson_7.heat_maps(model, crops, at)[0],
    "lightning erased": lesson_7.heat_maps(model, erased, at)[0],
}
z = [at_pixel(estimate(v), at)[0] for v in (crops, erased)]
near = there[0, row - 3 : row + 4, column - 3 : column + 4].max()
print(f"at the cross: radar {there[0, row, column]:.0f} dBZ, estimate {z[0]:.0f}", end=", ")
print(f"without lightning {z[1]:.0f}{plots.guess_text(guess, 'without lightning')}")
print(f"strongest echo at most three pixels away: {near:.0f} dBZ")
whole = maps["with lightning"]
print(f"share of GLM in the relevance: {100 * whole[..., 3].sum() / whole.sum():.0f} %", end="")
print(plots.guess_text(guess, "share of GLM"))

# %% tags=["figure"]
fig, axes = plt.subplots(2, 4, figsize=(8.4, 4.7))
seen_here = np.array([-16.5, 16.5])
limit = max(one.max() for one in maps.values()) / 2
for line, (name, one), value in zip(axes, maps.items(), z, strict=True):
    for ax, channel, i in zip(line, lesson_7.CHANNELS, range(4), strict=True):
        drawn = plots.heat_map(ax, one[..., i], channel, limit=limit)
        ax.set(xlim=at[0][1] + seen_here, ylim=at[0][0] - seen_here)
        goes.cross(ax, at[0], 8)
    line[0].set_ylabel(f"{name}\nestimate {value:.0f} dBZ")
plots.heat_map_bar(fig, drawn, axes, label="relevance (dBZ per pixel)")
fig.suptitle(NAME, fontsize=11)
plots.show(fig, "one-pixel")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In the simulated storm radar has 22 dBZ at the cross and the network says 53. Lightning lies there and just south of it. Without lightning the network says 17, so
# **here the overestimate comes with the lightning.** The sums of the heat map would not have told you that: GLM holds 3 % of the relevance. What the map
# shows is which cloud counts. It is red in C09 and C13 around the lightning at the cross and around a second patch in the north-west, and all of it pales when
# lightning goes. That is lesson 07 again: the network uses radiance and lightning together.
#
# Is the network wrong about the storm, then? Within three pixels, which are 9 km, radar has 48 dBZ. The network has found the core and draws it too wide.
# We picked this pixel because it is the worst, so it says little about the others.
#
# </details>
#
# The panel asks the same of any pixel: click into a field or move the sliders, and switch lightning off and on.

# %%
draw = lesson_7.prepare(model, data.assign(mrms=data.mrms.copy(data=there)), x)
panels.panel(
    partial(draw, 0),
    "panel",
    click=("row", "column"),
    row=IntSlider(row, 0, SIZE - 1, description="row"),
    column=IntSlider(column, 0, SIZE - 1, description="column"),
    lightning=Checkbox(True, description="lightning"),
    method=Dropdown(options=list(lesson_7.RULES), description="method"),
)

# %% [markdown]
# In lesson 07 we asked where relevance goes when lightning is erased. Here we take up to 40
# pixels with lightning and an estimate of 20 dBZ or more, and ask what share of the positive relevance lies where C13
# changes by more than 10 K from pixel to pixel. Guess by how many percentage points it changes.

# %% tags=["guess"]
guess = {"change": None}

# %%
rows, columns = panel.lit(data.glm.values[0], says[0], most=40)
crops, at = around(np.repeat(x, len(rows), 0), rows, columns)
strong = box(lesson_7.steepness(crops), at) > 10
share = {
    name: 100 * skill.relevance_share(box(lesson_7.heat_maps(model, v, at), at).sum(-1), strong)
    for name, v in (("with lightning", crops), ("erased", crops * [1, 1, 1, 0]))
}
rise = np.nanmean(share["erased"]) - np.nanmean(share["with lightning"])
print(
    f"{len(rows)} pixels: {np.nanmean(share['with lightning']):.1f} % on strong gradients", end=", "
)
print(f"{np.nanmean(share['erased']):.1f} % without lightning: {rise:+.1f} points", end="")
print(plots.guess_text(guess, "change"))

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In the simulated storm relevance moves towards strong gradients, as in lesson 07, and as there a part of the rise is
# only what left the pixels with lightning. The pixels all lie in one scene, so they
# are no independent cases, and a single storm proves nothing either way. And a real storm has softer edges than our world
# ([all numbers](../data/README.md#goes_mrms-how-close-to-reality)), so few of its pixels may exceed 10 K.
#
# </details>
#
# ## 5. Three experiments
#
# ### Exercise 1: half an hour later
#
# Parallax is geometry, so the `shift` that we found should still serve half an hour later. Fetch the scene at the time `later`, with the same place, size and source,
# move its radar by `shift`, and give the CSI of the network's estimate at 20 dBZ as `csi_later`. (In the simulated world this is another storm.)
#
# <details><summary>Hint</summary>
#
# Do for the later scene what sections 1 to 3 did for the first, with names of its own.
#
# </details>

# %% tags=["exercise"]
csi_later = ...

# %% tags=["solution"]
data_later = fetch.storm(later, place, SIZE, source=SOURCE, progress=False)
seen_later = np.nan_to_num(data_later.mrms.values)
there_later = panel.moved(seen_later, shift)
csi_later = csi(estimate(world.as_input(data_later)), there_later, 20)

# %% tags=["check"]
check.csi_later(csi_later, later, place, SIZE, SOURCE, estimate, panel.moved, shift)

# %% [markdown]
# ### Exercise 2: take the sun away
#
# By day channel 7 has reflected sunlight in it, and the same cloud looks much warmer. Suppose that you had only a night
# scene. `night_x` is `x` with channel 7 replaced by channel 13, which is about what it would read at night. By how many
# dBZ does the estimate change on average where C13 is below 230 K? Give `night_change`.
#
# <details><summary>Hint</summary>
#
# A comparison gives an array of True and False, and such an array between brackets picks pixels.
#
# </details>

# %%
night_x = x.copy()
night_x[..., 0] = x[..., 2]

# %% tags=["exercise"]
night_change = ...

# %% tags=["solution"]
cold = data.c13.values < 230
night_change = (estimate(night_x) - says)[cold].mean()

# %% tags=["check"]
check.night_change(night_change, estimate, x, night_x, data.c13.values)

# %% [markdown]
# ### Exercise 3: channels in the wrong order
#
# Files come in any order, and networks do not ask. Suppose somebody stacks the infrared channels as C13, C09, C07. Give
# `csi_wrong`, the CSI at 20 dBZ of the estimate from `x` in that order, against `there`, the moved radar.
#
# <details><summary>Hint</summary>
#
# A list of numbers as the last index of `x` picks channels in that order. Lightning stays last.
#
# </details>

# %% tags=["exercise"]
csi_wrong = ...

# %% tags=["solution"]
csi_wrong = csi(estimate(x[..., [2, 1, 0, 3]]), there, 20)

# %% tags=["check"]
check.csi_wrong(csi_wrong, estimate, x, there, seen)

# %% [markdown]
# **Think.** The network accepts both orders without a word. How would you notice, without a radar?
#
# <details><summary>An answer</summary>
#
# By night C07 and C13 are so alike that you might not. By day look at the sunlit anvils: C07 must be the warmer one there.
# A range check on C09 would not help, since it has kept its place. A name on each
# channel does, which is why the reader returns a dataset and not a bare array.
#
# </details>
#
# ## 6. How real was this?
#
# With `STORM = None` only the files were real in kind: their packing, their grids, their names, the satellite's view from the side, and the way from files to a heat map. All
# clouds had one height, and nothing moved between scan and radar. The tests of the course know the scene that was written, and compare it with what comes back. With a real
# storm everything is real but the network, which has learned from a world whose edges are too sharp, whose strong echoes are too
# frequent, and whose light rain is too rare. If it fails on your storm, ask which of the three is to blame. And fetch more than one
# storm before you believe any answer.
#
# ## In this lesson you
#
# - fetched a scene from files of a satellite, a lightning mapper and a radar network,
# - scored the network on a scene read from files; with a storm of your choice, outside of its world,
# - found the parallax between estimate and radar before blaming the network,
# - asked why a pixel is wrong, and tested what the map suggested,
# - put channels into the wrong order, and saw that nobody complains.
#
# ## Quiz
#
# <details><summary>1. The estimate lies 12 km north of the radar's echo, and the satellite stands in the south. Is the network wrong?</summary>
#
# Perhaps not: that is what parallax does to a cloud top at some 12 km. Shift first, then score.
#
# </details>
#
# <details><summary>2. CSI at 35 dBZ hardly changes at equal bias. What does that tell you?</summary>
#
# That the level cost little here. The places are what is wrong.
#
# </details>
#
# <details><summary>3. One real storm confirms what lesson 07 found. What do you know now?</summary>
#
# That it can be so. Pixels of one storm are no independent cases, and the storm was chosen.
#
# </details>
#
# ## References
#
# - [@hilburn2021]: the network, and what its authors trained it on
# - [@lecture]: the lecture
#
# ## Claims
#
# These claims are about the simulated storm, whose truth is known. With a real storm of your choice nothing is recorded.

# %% tags=["claims"]
if STORM is None:
    inner = slice(8, -8)  # more was written than fetched
    truth = world.render([by_day]).isel(y=inner, x=inner)
    lightning_shift, _ = panel.best_shift(truth.glm.values[0], data.glm.values[0], most=6)
    off = [
        float(np.hypot(*(np.array(one) - np.array(expected) / 3)))
        for one in (lightning_shift, shift)
    ]
    claims.record(
        "storm-lightning",
        "Lightning that is written as GLM's files comes back where the satellite has its cloud.",
        "this course",
        "distance between its shift and the parallax",
        off[0],
        None,
        "<= 1",
        "pixels",
    )
    claims.record(
        "storm-radar",
        "Radar that is written as an MRMS composite comes back as it was.",
        "this course",
        "largest difference of a pixel",
        float(abs(data.mrms.values - truth.mrms.values).max()),
        None,
        "<= 1",
        "dBZ",
    )
    claims.record(
        "storm-parallax",
        "The shift that fits the radar best is the parallax of the cloud tops.",
        "this course",
        "distance between best shift and parallax",
        off[1],
        None,
        "<= 1",
        "pixels",
    )
