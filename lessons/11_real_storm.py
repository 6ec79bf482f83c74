# %% [markdown]
# # 11 A real storm (optional)
#
# ![Infrared, lightning, radar, and what the network estimates](../pictures/goes_mrms.png)
#
# **Question:** what does a network say about a real storm, if it has only ever seen simulated ones?
#
# **Objectives:** you can
# - fetch a scan, its lightning and its radar from open archives, and check that they fit together,
# - tell errors of a network from errors of time and place,
# - explain a pixel of a real scene, and test the explanation,
# - notice an input that is in the wrong order.
#
# **Minutes:** 30 teaching, 20 exercises.
#
# **Prerequisites:** lesson 07 (necessary).
#
# **Needs:** 1.5 GB of memory, no GPU. A network connection only if you choose a real storm; then some 20 MB are
# downloaded and kept.

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from utils import claims, course, networks, plots, skill, worlds
from utils.check import real_storm as check
from utils.explain.crops import around, at_pixel, box
from utils.panels import goes_to_mrms as lesson_7
from utils.panels import real_storm as panel
from utils.plots import goes
from utils.readers import fetch, real_files
from utils.weights import load_weights
from utils.worlds import goes_mrms as world

course.start("11_real_storm", seed=0)

# %% [markdown]
# ## 1. Choose a storm
#
# NOAA keeps the files of its satellites and of its radars in open archives. `fetch.storm(time, place, size)` finds
# the satellite, the scan, the 45 files of lightning in the 15 minutes before it and the nearest radar composite, says how
# much it will download, and keeps it for the next time.
#
# `STORMS` names three severe storms that are well documented. **We could not try them where this lesson was made,
# since there was no network.** You may see what we could not. To fetch one, set `STORM` to its
# name, in quotation marks, and run all cells.
#
# With `STORM = None` the lesson shows a scene of lesson 07's simulated world. It has been written as files like those of
# GOES and MRMS, and comes back through the same function. So the way through the files is real, and the storm
# is not.

# %%
STORMS = {
    "Iowa, 31 March 2023, by day": ("2023-03-31T21:30", "2023-03-31T22:00", (41.6, -91.5)),
    "Houston, 16 May 2024, evening": ("2024-05-16T23:30", "2024-05-17T00:00", (30.0, -95.6)),
    "Kentucky, 11 December 2021, at night": ("2021-12-11T03:00", "2021-12-11T03:30", (36.7, -88.6)),
}
STORM = None
SIZE, SOURCE = 128, None
if STORM is None:
    keep = tempfile.TemporaryDirectory(dir=course.scratch())  # goes away with the kernel
    SOURCE, place = Path(keep.name), (36.0, -95.0)
    time, later = "2021-07-15T20:00", "2021-07-15T20:30"
    by_day = world.Scene(seed=worlds.CLAIMS + 20_000, size=SIZE, sun=0.6)
    for when, scene in ((time, by_day), (later, replace(by_day, seed=worlds.CLAIMS + 20_006))):
        real_files.write(SOURCE, world.render([scene]), when, place)
else:
    time, later, place = STORMS[STORM]
data = fetch.storm(time, place, SIZE, source=SOURCE)
NAME = STORM or "simulated scene"
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
fig, axes = plt.subplots(1, 3, figsize=(8.4, 3.3))
for ax, (title, values) in zip(
    axes,
    {"C13 (K)": data.c13.values[0], "MRMS (dBZ)": seen[0], "network (dBZ)": says[0]}.items(),
    strict=True,
):
    drawn = goes.field(ax, "c13" if ax is axes[0] else "mrms", values, title)
    fig.colorbar(drawn, ax=ax, location="bottom", shrink=0.9)
fig.suptitle(NAME, fontsize=11)
plots.show(fig, "estimate")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In the simulated scene the network does about what it did in lesson 07. Its strong cores are smoother and larger than
# the radar's, and two areas of weak echo, in the east and in the south-west, are missing. The strongest echo lies
# under most of the lightning, in the south; the small western cell has a strong echo and no lightning.
#
# Read the frequency bias first. Even in its own world the network says 50 dBZ five times as often as the radar has it,
# since its loss wanted that. A real storm can add to this bias, so compare with these numbers and not with 1.
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
# that is the likelier cause, unless the storm moves the same way. **What shift do you expect?** Guess in pixels of 3 km, to the north and to the east.

# %% tags=["guess"]
guess = {"north": None, "east": None}

# %%
expected = panel.parallax(place, float(data.satellite_longitude), height=12.0)
print(
    f"parallax of a top at 12 km: {expected[0]:.1f} km to the north, {expected[1]:.1f} to the east"
)
shift, agreement = panel.best_shift(seen[0], says[0], most=6)
for (name, pixels), km in zip(zip(guess, shift, strict=True), expected, strict=True):
    print(f"estimate too far {name}: {pixels} pixels{plots.guess_text(guess, name)}", end="")
    print(f" (parallax {km / 3:.1f})")
middle = agreement.shape[0] // 2
print(f"correlation without a shift {agreement[middle, middle]:.2f}, best {agreement.max():.2f}")

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(4.4, 3.6))
edge = middle + 0.5
drawn = ax.imshow(agreement, origin="lower", extent=(-edge, edge, -edge, edge), cmap="viridis")
ax.plot(*shift[::-1], "o", color=plots.ORANGE, label="best")
ax.plot(expected[1] / 3, expected[0] / 3, "x", color="white", ms=9, mew=2, label="parallax")
ax.set(xlabel="pixels to the east", ylabel="pixels to the north")
ax.legend(loc="lower right", fontsize=9, frameon=True, facecolor=plots.GREY, framealpha=1)
fig.colorbar(drawn, label="correlation with radar")
plots.show(fig, "shift")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In the simulated scene the best shift is none, and the cross of the parallax lies elsewhere: these files were written
# without parallax. In a real storm we expect the dot near the cross. A shift that does not fit is a question about
# time. One thing no shift can mend: GLM's positions already allow for the height of the cloud and ABI's do not, so
# lightning and cloud are shifted against each other. Our reader puts lightning back to where the scan shows the cloud.
#
# </details>
#
# ## 4. Explain a pixel, and test the explanation
#
# Now the pixel with the largest estimate, as in lesson 07: LRP of its estimate in all four channels, then the same
# with lightning erased.

# %%
row, column = panel.strongest(says[0])
crops, at = around(x, [row], [column])
erased = crops * [1, 1, 1, 0]
maps = {
    "with lightning": lesson_7.heat_maps(model, crops, at)[0],
    "lightning erased": lesson_7.heat_maps(model, erased, at)[0],
}
z = [at_pixel(estimate(v), at)[0] for v in (crops, erased)]
print(f"at the cross: radar {seen[0, row, column]:.0f} dBZ, estimate {z[0]:.0f}", end=", ")
print(f"without lightning {z[1]:.0f}")

# %% tags=["figure"]
fig, axes = plt.subplots(2, 5, figsize=(10.5, 4.7))
groups = (0.1 + 49.9 * crops[0, ..., 3]) * (crops[0, ..., 3] > 0)
goes.field(axes[0, 0], "c13", lesson_7.kelvin(crops[0]), "C13")
goes.field(axes[1, 0], "glm", groups, "GLM")
limit = max(abs(one).max() for one in maps.values()) / 2
for line, (name, one), value in zip(axes, maps.items(), z, strict=True):
    for ax, channel, i in zip(line[1:], lesson_7.CHANNELS, range(4), strict=True):
        drawn = plots.heat_map(ax, one[..., i], channel, limit=limit)
    line[1].set_ylabel(f"{name}\nestimate {value:.0f} dBZ")
for ax in axes.flat:
    goes.cross(ax, at[0], 8)
plots.heat_map_bar(fig, drawn, axes[:, 1:], label="relevance (dBZ per pixel)")
plots.show(fig, "one-pixel")

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
# In the simulated scene relevance moves towards strong gradients, as in lesson 07, and as there a part of the rise is
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
# Is one moment enough? Fetch the scene at the time `later`, with the same place, size and source, and give the CSI of the
# network's estimate at 20 dBZ as `csi_later`. (For the simulated world this is another scene.)
#
# <details><summary>Hint</summary>
#
# `fetch.storm(later, place, SIZE, source=SOURCE)` and then what section 2 does; `csi(values, seen, 20)` counts.
#
# </details>

# %% tags=["exercise"]
csi_later = ...

# %% tags=["solution"]
data_later = fetch.storm(later, place, SIZE, source=SOURCE, progress=False)
seen_later = np.nan_to_num(data_later.mrms.values)
csi_later = csi(estimate(world.as_input(data_later)), seen_later, 20)

# %% tags=["check"]
check.csi_later(csi_later, later, place, SIZE, SOURCE, estimate)

# %% [markdown]
# ### Exercise 2: take the sun away
#
# By day channel 7 has reflected sunlight in it, and the same cloud looks much warmer. Suppose that you had only a night
# scene. `night_x` is `x` with channel 7 replaced by channel 13, which is about what it would read at night. By how many
# dBZ does the estimate change on average where C13 is below 230 K? Give `night_change`.
#
# <details><summary>Hint</summary>
#
# `cold = data.c13.values < 230` is True there, and `estimate(night_x)[cold]` has the estimates.
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
# `csi_wrong`, the CSI at 20 dBZ of the estimate from `x` in that order.
#
# <details><summary>Hint</summary>
#
# `x[..., [2, 1, 0, 3]]` puts channel 2 first and channel 0 third.
#
# </details>

# %% tags=["exercise"]
csi_wrong = ...

# %% tags=["solution"]
csi_wrong = csi(estimate(x[..., [2, 1, 0, 3]]), seen, 20)

# %% tags=["check"]
check.csi_wrong(csi_wrong, estimate, x, seen)

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
# With `STORM = None` only the files were real in kind: their packing, their grids, their names, and the way from files to a heat map. The tests of the course know the scene that was written, and compare it with what comes back. With a real
# storm everything is real but the network, which has learned from a world whose edges are too sharp, whose strong echoes are too
# frequent, and whose light rain is too rare. If it fails on your storm, ask which of the three is to blame. And fetch more than one
# storm before you believe any answer.
#
# ## In this lesson you
#
# - fetched a scene from files of a satellite, a lightning mapper and a radar network,
# - scored the network on a scene read from files; with a storm of your choice, outside of its world,
# - looked for a shift between estimate and radar before blaming the network,
# - explained a pixel, and tested what the map suggested,
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
# What is held here belongs to the simulated scene, whose truth is known. A real storm of your choice leaves no claim.

# %% tags=["claims"]
if STORM is None:
    truth = world.render([by_day])
    claims.record(
        "storm-lightning",
        "Lightning that is written as GLM's files comes back in the pixel that it came from.",
        "this course",
        "groups that came back in another pixel",
        100 * float(abs(data.glm - truth.glm).sum() / 2 / truth.glm.sum()),
        None,
        "<= 1",
        "%",
    )
    claims.record(
        "storm-radar",
        "Radar that is written as an MRMS composite comes back as it was.",
        "this course",
        "largest difference of a pixel",
        float(abs(data.mrms - truth.mrms).max()),
        None,
        "<= 1",
        "dBZ",
    )
