# %% [markdown]
# # 07 From GOES to radar
#
# ![Infrared, lightning, radar, and what the network estimates](../pictures/goes_mrms.png)
#
# **Question:** a network draws radar images from what a satellite sees. Which strategies does it use, and which of them does a heat map show?
#
# **Objectives:** you can
# - score an estimate of reflectivity by threshold, also at equal frequency bias, against honest baselines,
# - make LRP heat maps of one output pixel, and say what its four channels, sums and biases mean,
# - test the lecture's three strategies over many pixels, against the truth and against reference maps,
# - tell relevance in a channel from the channel's importance, by erasing and by matched pairs.
#
# **Minutes:** 60 teaching, 30 exercises.
#
# **Prerequisites:** lessons 00 and 03 (necessary); lessons 04 and 06 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from ipywidgets import Checkbox, Dropdown, IntSlider
from scipy.ndimage import distance_transform_edt
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from utils import claims, course, networks, panels, plots, skill, training, worlds
from utils.check import goes_to_mrms as check
from utils.explain import cost
from utils.explain.crops import around, at_pixel, box
from utils.lrp import relevance
from utils.panels import goes_to_mrms as panel
from utils.plots import goes
from utils.weights import load_weights
from utils.worlds import goes_mrms as world

course.start("07_goes_to_mrms", seed=0)

# %% [markdown]
# Radar shows where it rains and how hard. Over oceans, mountains and most countries there is none. The
# geostationary satellite GOES sees all of its half of the Earth, every ten minutes or less. So the lecture's second application turns
# GOES into radar [@hilburn2021].
#
# ## 1. Four channels and the target
#
# The network, called GREMLIN, reads three infrared channels of the imager ABI and the lightning mapper GLM:
# - **C07**, 3.9 µm: cloud tops, and by day reflected sunlight,
# - **C09**, 6.9 µm: moisture of the middle troposphere; low cloud stays hidden below it,
# - **C13**, 10.3 µm: temperature of whatever is on top,
# - **GLM**: groups of lightning in 15 minutes; a group is one pulse of light, and a flash has several. Nearly everywhere there is none.
#
# It is to give **MRMS** composite reflectivity, the largest echo in each column, in dBZ. A pixel is 3 km. The
# scenes below come from a world in which we know what causes which echo. **Where would *you* expect the strongest echo?**

# %%
sample = worlds.open_world("goes_mrms")
corners = [(1, 0, 128), (2, 100, 0)]  # sample, row and column
shown = [sample.isel(sample=i, y=slice(r, r + 128), x=slice(c, c + 128)) for i, r, c in corners]
fig, axes = plt.subplots(2, 5, figsize=(11, 5.4))
fig.get_layout_engine().set(rect=(0, 0, 1, 0.97))  # room for the titles
for name, column in zip([*world.CHANNELS, "mrms"], axes.T, strict=True):
    for ax, one in zip(column, shown, strict=True):
        drawn = goes.field(ax, name, one[name], "")
    column[0].set_title(goes.LOOKS[name][0], fontsize=10, fontweight="normal")
    fig.colorbar(drawn, ax=column, location="bottom", shrink=0.9)
plots.show(fig, "scenes")

# %% [markdown]
# An anvil is much larger than the rain below it. A forecaster would look for lightning, for the upwind edge where the
# cloud is sharp and grows, and for towers that are colder than the anvil. The world was built just so. Its echo is a
# sum of five parts, each with a cause that the satellite can see: *lightning*; the sharp upwind *edge*; *dense*, cold towers;
# *stratiform* rain, steady, under thick anvil; and warm *showers*. The first three are the lecture's strategies.

# %%
COLOURS = dict(
    zip(world.PARTS, (plots.PURPLE, plots.GREEN, plots.RED, plots.SKY, plots.ORANGE), strict=True)
)
fig, axes = plt.subplots(1, 5, figsize=(11, 2.5))
for ax, part in zip(axes, world.PARTS, strict=True):
    drawn = goes.field(ax, "mrms", shown[0][f"truth_{part}"], part)
    ax.set_title(part, color=COLOURS[part])
    ax.contour(shown[0][f"truth_{part}_cause"], [0.5], colors=[plots.INK], linewidths=0.5)
fig.colorbar(drawn, ax=axes, label="dBZ", shrink=0.8)
plots.show(fig, "parts")

# %% [markdown]
# ## 2. The network and its loss
#
# Three times convolution, ReLU, max-pooling; three times convolution, ReLU, upsampling; one convolution of a
# single pixel at the end. All inputs are scaled to 0 to 1 so that **cold is 1** and **no lightning is exactly 0**. The output is dBZ / 60.
# Trained weights come with the course. `RETRAIN = True` trains on 3,000 small patches; that takes about six
# minutes on two cores.

# %%
model = networks.encoder_decoder(size=None)
print(f"{model.count_params():,} parameters")

RETRAIN = False
if RETRAIN:
    patches = world.simulate(3000, worlds.TRAINING, size=64, progress=True)
    pair = world.as_input(patches), world.as_target(patches)
    how = {"loss": training.weighted_loss, "epochs": 24, "batch_size": 18, "learning_rate": 2e-3}
    training.fit(model, *pair, **how)
else:
    load_weights(model, "goes_mrms")

# %% [markdown]
# ### Exercise 1: the loss
#
# Few pixels have a strong echo. A plain squared error hardly notices them, so the paper weighs each pixel's squared error by
# $e^{5 y^4}$, where $y$ is the true reflectivity divided by 60 dBZ. Give the weights at these values, shape (5,).

# %% tags=["exercise"]
dbz = np.array([0, 20, 30, 48, 60])
weights = ...

# %% tags=["solution"]
dbz = np.array([0, 20, 30, 48, 60])
weights = np.exp(5 * (dbz / 60) ** 4)

# %% tags=["check"]
check.weights(weights, dbz)

# %%
# Scenes that no network was trained on, used from here on.
scenes = world.scenes(48, worlds.CLAIMS, size=128)
data = world.render(scenes)
x, seen = world.as_input(data), data.mrms.values
bins = np.arange(0, 61, 10)
number = np.histogram(seen, bins)[0]
weighted = np.histogram(seen, bins, weights=np.exp(5 * (seen / 60) ** 4))[0]
fig, ax = plt.subplots(figsize=(7, 2.8))
for shift, values, label in ((-2, number, "pixels"), (2, weighted, "pixels times weight")):
    ax.bar(bins[:-1] + 5 + shift, 100 * values / values.sum(), 3.6, label=label)
ax.set(yscale="log", xlabel="reflectivity (dBZ)", ylabel="share (%)")
ax.legend()
plots.show(fig, "weights")

# %% [markdown]
# The price: where the network is unsure it rather says too much. We will have to keep that apart from skill.
#
# ### Two baselines
#
# A network of 47,457 parameters should beat something. We take
# - **C13 alone**: reflectivity as a curve over cloud-top temperature,
# - **pixel by pixel**: all four channels of a pixel, and none of its neighbours,
#
# both fitted by gradient boosting (a sum of small decision trees) with the same weights. Forecasters score by threshold: *POD*, how much of the echo is
# found; *FAR*, how much of the estimated echo is false; *CSI*, hits over hits, misses and false alarms together;
# *bias*, how often it says so over how often it is so (the *frequency bias*; a layer's bias is another thing).
#
# Columns marked *even* compare at equal frequency bias: each estimate is stretched until every value is as
# frequent as in the observation. Then the score is about *places* alone, and over-forecasting gains nothing.
#
# The *performance diagram* below the table has it all: up is more found, right is less false. Grey curves have equal CSI, better
# towards the upper right; dotted lines have equal bias. RMSD is the root mean square difference, R² the share of variance explained.

# %%
train = world.simulate(50, worlds.TRAINING, size=64)
pixels, echo = world.as_input(train).reshape(-1, 4)[::5], world.as_target(train).ravel()[::5]


def by_pixel(channels):
    """Estimate in dBZ of a regression that sees these channels of one pixel."""
    curve = HistGradientBoostingRegressor(learning_rate=0.2, max_iter=30, random_state=0)
    with threadpool_limits(1):  # two threads would wait for each other on a busy machine
        curve.fit(pixels[:, channels], echo, sample_weight=np.exp(5 * echo**4))
        return 60 * curve.predict(x.reshape(-1, 4)[:, channels]).reshape(seen.shape).clip(0)


def estimate(network, x):
    """The network's reflectivity in dBZ; what is negative is clipped, as in the paper."""
    return 60 * network.predict(x, batch_size=16, verbose=0)[..., 0].clip(0)


THRESHOLDS = np.arange(5, 51, 5)
says = {
    "C13 alone": by_pixel([2]),
    "pixel by pixel": by_pixel([0, 1, 2, 3]),
    "network": estimate(model, x),
}

# %%
found = {name: skill.counts(values, seen, THRESHOLDS) for name, values in says.items()}
even = {
    name: skill.counts(skill.same_frequency(values, seen), seen, THRESHOLDS)
    for name, values in says.items()
}
table = pd.DataFrame({name: skill.scores(c)["CSI"] for name, c in found.items()}, THRESHOLDS)
table["network, frequency bias"] = skill.scores(found["network"])["bias"]
for name in says:
    table[f"{name}, even"] = skill.scores(even[name])["CSI"]
for name, values in says.items():
    error = np.sqrt(np.mean((values - seen) ** 2))
    print(f"{name}: RMSD {error:.1f} dBZ, R² {1 - error**2 / seen.var():.2f}")
display(table.rename_axis("dBZ").round(2))
fig = goes.performance_diagram({k: skill.scores(c) for k, c in found.items()}, THRESHOLDS)
plots.show(fig, "diagram")

# %% tags=["figure"]
# Three scenes, chosen by how much strong echo they have, not by how well it is estimated.
picks = np.argsort((seen >= 40).sum((1, 2)))[[-1, -8, -16]]
fig, axes = plt.subplots(3, 4, figsize=(10, 7.4))
for row, i in zip(axes, picks, strict=True):
    top = goes.field(row[0], "c13", data.c13[i], "C13 (K)")
    for ax, name in zip(row[1:], ("MRMS", "network", "pixel by pixel"), strict=True):
        radar = goes.field(ax, "mrms", says.get(name, seen)[i], name)
fig.colorbar(top, ax=axes[:, 0], location="bottom", shrink=0.9, pad=0.02, label="K")
fig.colorbar(radar, ax=axes[:, 1:], location="bottom", shrink=0.5, pad=0.02, label="dBZ")
plots.show(fig, "estimates")

# %% [markdown]
# From 15 to 45 dBZ the network is ahead of both baselines, at equal bias by about as much: its lead is one of places. At low thresholds
# it is not ahead. It blurs the outline of an anvil that a single pixel tells exactly: three poolings, no skip connections. In RMSD it loses to the pixels, since the
# weighted loss asked for strong echoes, not for small errors. And it says "strong" too often, as its loss wanted.
# C13 alone does so even more, single pixels too seldom.
#
# The network's patches are smooth, and the strong ones too large: there is its bias. Pixel by pixel, outlines are right, but the
# cold cloud is speckled, and most strong echoes are missed.
#
# ## 3. What does it need?
#
# Before any heat map: take something away. *Channel withholding* sets one channel to 0, as the paper does.
# *Spatial withholding* lets the network see only a square around the output pixel. Guess: which channel costs most, and how many
# kilometres does it need?


# %%
def choose(part, most=3):
    """Sample, row and column of pixels where this part dominates, far from each other."""
    rng, found = np.random.default_rng(0), []
    mostly = (world.dominant(data) == world.PARTS.index(part)) & (data[f"truth_{part}"].values > 12)
    mostly &= (data.truth_lightning.values == 0) | (part == "lightning")
    mostly[:, :27] = mostly[:, :, :27] = mostly[:, 102:] = mostly[:, :, 102:] = False
    for sample, places in enumerate(map(np.argwhere, mostly)):
        kept = []
        for place in rng.permutation(places):
            if len(kept) < most and all(np.hypot(*(place - other)) > 12 for other in kept):
                kept.append(place)
        found += [(sample, *place) for place in kept]
    return tuple(np.transpose(found))


PIXELS = {part: choose(part) for part in ("lightning", "edge", "dense", "stratiform")}


def cut(part, x=x):
    """Crops around the pixels of a part, and where each lies in its crop."""
    sample, row, column = PIXELS[part]
    return around(x[sample], row, column)


print("pixels:", {part: len(where[0]) for part, where in PIXELS.items()})


# %%
def seen_within(part, radius):
    """Estimates at a part's pixels when the network sees a square of this radius only."""
    crops, at = (v[::2] for v in cut(part))  # every second one is enough for a mean
    far = abs(np.indices(crops.shape[1:3]) - np.array(at)[:, :, None, None]).max(1)
    return at_pixel(estimate(model, crops * (far <= radius)[..., None]), at)


fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2))
looks = plots.INK, plots.BLUE, plots.ORANGE, plots.GREY, plots.INK
for name, colour in zip(["nothing", *map(str.upper, world.CHANNELS)], looks, strict=True):
    kept = x * np.array([other.upper() != name for other in world.CHANNELS])
    csi = skill.scores(skill.counts(estimate(model, kept), seen, THRESHOLDS))["CSI"]
    left.plot(THRESHOLDS, csi, label=name, color=colour, ls=":" if name == "GLM" else "-")
radii = np.array([0, 1, 3, 6, 10, 15, 27])
for part in PIXELS:
    values = [seen_within(part, radius).mean() for radius in radii]
    right.plot(3 * radii, values, "o-", color=COLOURS[part], label=part)
left.set(xlabel="threshold (dBZ)", ylabel="CSI", ylim=0)
right.set(xlabel="radius it sees (km)", ylabel="mean estimate (dBZ)", ylim=(0, 75))
for ax, title in ((left, "withheld"), (right, "main cause")):
    ax.legend(fontsize=8, title=title, title_fontsize=8)
plots.show(fig, "withheld")

# %% [markdown]
# Both panels need care. *Left*: without C09 nothing works. Without C13 or GLM little is lost at 5 dBZ, and most of the score
# at 50 dBZ: cold tops and lightning mark the strong echoes. *Right*: apart from a single pixel, the network says *most* where it sees least. A
# withheld surround is 0, which is warm and clear, so the square becomes a small cold cloud with sharp edges. Withholding makes
# scenes that no training patch resembled. From about 45 km on the curves are nearly flat: that is how far it needs to see.
#
# ## 4. A heat map of one output pixel
#
# The output is an image, so "why this output?" needs a pixel. Which one? One with a clear echo: LRP hands down the
# estimate, and where that is 0 or negative there is nothing to hand down. The authors' script refuses such a pixel; ours does, too. The
# network sees at most 27 pixels to each side, so the heat map of a crop is that of the whole picture, to the last digit.
#
# All four channels share one colour range; each title has the channel's sum in dBZ.


# %%
def explain_pixel(network, crops, at, method="LRP alpha 1 beta 0"):
    """Heat maps of one output pixel for each crop; refuses an estimate that is not positive."""
    if at_pixel(estimate(network, crops), at).min() <= 0:
        raise ValueError("An estimate is 0 dBZ: take another pixel.")
    return panel.heat_maps(network, crops, at, method)


first = np.argmax(says["network"][PIXELS["lightning"]])
crops, at = (v[first : first + 1] for v in cut("lightning"))
maps = explain_pixel(model, crops, at)[0]
fig, axes = plt.subplots(1, 4, figsize=(10, 2.9))
for i, (ax, name) in enumerate(zip(axes, world.CHANNELS, strict=True)):
    title = f"{name.upper()}: {maps[..., i].sum():.1f} dBZ"
    drawn = plots.heat_map(ax, maps[..., i], title, limit=plots.colour_limit(maps))
    goes.cross(ax, at[0])
plots.heat_map_bar(fig, drawn, axes, label="relevance, one scale")
plots.show(fig, "one-pixel")
ledger = relevance(model, crops, "alpha_1_beta_0", output=at, layers=False).ledger
print(
    f"estimate {60 * ledger.received.iloc[0]:.1f} dBZ: input {maps.sum():.1f}, "
    f"biases {60 * ledger.bias.sum():.1f}"
)

# %% [markdown]
# The sums do not add up to the estimate: biases take a large share under this rule. That is the ledger of lesson 03.
#
# ## 5. Three strategies
#
# The lecture found three [@lecture]. (1) **Lightning** triggers high values. (2) Without lightning the network looks at
# **cloud boundaries** with strong gradients. (3) **Extremely dense cloud**. Here is the slide, rebuilt for a pixel of each: C13 and
# lightning, the gradient of the input, LRP, LRP after lightning is erased, and saliency, the absolute gradient of the output. Above
# each LRP map stands the network's estimate at the cross.

# %%
STRATEGIES = ("lightning", "edge", "dense")
fig, axes = plt.subplots(3, 6, figsize=(11, 5.9))
for row, part in zip(axes, STRATEGIES, strict=True):
    pick = np.argsort(says["network"][PIXELS[part]])[-4]
    crops, at = (v[pick : pick + 1] for v in cut(part))
    none = crops * [1, 1, 1, 0]
    value, erased = (estimate(model, v)[0][at[0]] for v in (crops, none))
    goes.field(row[0], "c13", 300 - 100 * crops[0, ..., 2], f"{part}: C13")
    goes.field(row[1], "glm", 0.1 + 49.9 * crops[0, ..., 3], "GLM")
    slope = np.hypot(*np.gradient(crops[0, ..., 2]))
    row[2].imshow(slope, cmap="gray", vmin=0, vmax=0.3)
    row[2].set_title("gradient of C13", fontsize=10, fontweight="normal")
    plots.heat_map(row[3], explain_pixel(model, crops, at)[0], f"LRP: {value:.0f} dBZ")
    if erased > 0:
        plots.heat_map(row[4], explain_pixel(model, none, at)[0], f"no GLM: {erased:.0f} dBZ")
    saliency = abs(panel.heat_maps(model, crops, at, "gradient")[0]).sum(-1)
    plots.heat_map(row[5], saliency, "saliency")
    for ax in row:
        ax.set(xticks=[], yticks=[])
        goes.cross(ax, at[0])
plots.show(fig, "strategies")

# %% [markdown]
# One pretty example proves nothing. So we take many pixels: a few in each scene where one part dominates the true echo.
# The world knows where the cause of *this* pixel's echo is seen. How much denser is a map's positive part there than if it were
# spread evenly over the receptive box, the 54 x 54 pixels that can reach this one? Evenly is 1. And since causes lie near the pixel, any map that peaks at its centre
# will score. So two more references stand beside: a Gaussian as wide as the mean LRP map, and the LRP map of *another* pixel of the
# same kind, which knows what such pixels look like, but not this one.


# %%
def by_scene(values, scene):
    """Mean over scenes, with its interval: pixels of one scene are no independent cases."""
    return skill.bootstrap(np.mean, pd.Series(np.asarray(values)).groupby(np.asarray(scene)).mean())


def case(part, network):
    """Scenes, crops and places of a part's pixels with an estimate, and masks of the true cause."""
    crops, at = cut(part)
    good = at_pixel(estimate(network, crops), at) > 1
    where, at = np.transpose(PIXELS[part])[good], list(np.array(at)[good])
    at = [tuple(map(int, pixel)) for pixel in at]
    masks = np.array([world.causes(data, *w)[part].any(-1) for w in where])[..., None]
    masks = around(masks, *where.T[1:])[0][..., 0]
    return where[:, 0], crops[good], at, box(masks, at)


# %%
def lrp_maps(crops, at, network=model):
    """LRP of each pixel in its receptive box, channels added."""
    return box(explain_pixel(network, crops, at), at).sum(-1)


def measured(part):
    """For each pixel of a part the density of several maps on the true cause."""
    scene, crops, at, causes = case(part, model)
    lrp_map = lrp_maps(crops, at)
    slope = box(panel.heat_maps(model, crops, at, "gradient"), at)
    square = ((np.indices((54, 54)) - 27) ** 2).sum(0)
    mean = lrp_map.clip(0).mean(0)
    variance = (mean * square).sum() / mean.sum() / 2
    maps = {
        "LRP": lrp_map,
        "saliency": abs(slope).sum(-1),
        "input x gradient": (slope * box(crops, at)).sum(-1),
        "Gaussian": np.broadcast_to(np.exp(-square / (2 * variance)), lrp_map.shape),
        "another pixel's LRP": np.roll(lrp_map, 3, 0),
    }
    density = {key: skill.relevance_density(m, causes) for key, m in maps.items()}
    return pd.DataFrame({"scene": scene, **density}).dropna()


# %%
densities = {part: measured(part) for part in STRATEGIES}
MAPS = [name for name in densities["edge"] if name != "scene"]
fig = goes.dots(
    {
        f"{part} ({len(d)} pixels)": {name: by_scene(d[name], d.scene) for name in MAPS}
        for part, d in densities.items()
    },
    "density on the true cause",
)
fig.axes[0].axhline(1, color=plots.GREY, ls=":")
plots.show(fig, "densities")

# %% [markdown]
# LRP lies on the true cause for all three strategies, denser than saliency, the Gaussian, and another pixel's map. Here the slide is borne out, also in
# that saliency is less concise; but two things are not on the slide. Plain **input times gradient**
# does as well as LRP on lightning and dense cloud, and a little less well on edges. And **saliency is not blind to dense cloud**. Note how high the references
# stand: a density several times that of an even spread needs no knowledge of the pixel at all.
#
# ### Exercise 2: erase the lightning
#
# A heat map says where; an intervention says whether. `with_lightning` and `without` hold the network's estimates in dBZ, shape
# (scene, y, x), as the scenes are and with GLM set to 0. `lit` is True where lightning dominates the true echo. By how many dBZ
# does the estimate fall there on average?
#
# The cell also changes edges and towers, in the world: the same sky with each cloud's upwind edge, its head, made soft, and the
# same sky without its coldest towers. These are matched pairs, as in lesson 06.
# **Which change will hit which pixels?**


# %%
def rendered(**change):
    """Estimates for the same scenes with one ingredient left out."""
    return estimate(model, world.as_input(world.render([replace(s, **change) for s in scenes])))


estimates = {"as it is": says["network"], "lightning erased": estimate(model, x * [1, 1, 1, 0])}
estimates |= {"edges softened": rendered(edges=False), "towers warmed": rendered(towers=False)}
with_lightning, without = estimates["as it is"], estimates["lightning erased"]
lit = world.dominant(data) == world.PARTS.index("lightning")

# %% tags=["exercise"]
mean_drop = ...

# %% tags=["solution"]
mean_drop = (with_lightning - without)[lit].mean()

# %% tags=["check"]
check.drop(mean_drop, with_lightning, without, lit)


# %%
def falls(part, change):
    """By how much the estimate falls at a part's pixels, with its interval."""
    fall = estimates["as it is"][PIXELS[part]] - estimates[change][PIXELS[part]]
    return by_scene(fall, PIXELS[part][0])


CHANGES = [name for name in estimates if name != "as it is"]
fig = goes.dots(
    {f"{part} pixels": {change: falls(part, change) for change in CHANGES} for part in PIXELS},
    "estimate falls by (dBZ)",
)
plots.show(fig, "falls")

# %% [markdown]
# Each change hits its own kind of pixel, and the others little. So the network uses all three. One caveat: a soft head is also
# *thinner* cloud, so the fall at edges is not due to sharpness alone, and the estimate falls at
# stratiform pixels behind the head, too. Exercise 3 comes back to that.
#
# ## 6. Relevance in a channel is not its importance
#
# At the lightning pixels: how much of the positive relevance lies in each channel, and how much of the estimate is lost when that channel
# is erased? **Guess the two numbers for GLM.**

# %%
crops, at = cut("lightning")
maps = explain_pixel(model, crops, at).clip(0)
share = maps.sum((1, 2)) / maps.sum((1, 2, 3))[:, None]
before = at_pixel(estimate(model, crops), at)
lost = []
for name in world.CHANNELS:
    kept = crops * np.array([other != name for other in world.CHANNELS])
    after = at_pixel(estimate(model, kept), at)
    lost.append(100 * (1 - after.mean() / before.mean()))
columns = {"relevance (%)": 100 * share.mean(0), "estimate lost when erased (%)": lost}
pd.DataFrame(columns, [name.upper() for name in world.CHANNELS]).round(0)

# %% [markdown]
# GLM gets a few per cent of the relevance, and about half of the estimate goes with it. Lightning is sparse, and most of its values are small: under
# $\alpha_1\beta_0$ relevance is in proportion to both. It works by telling the network which cloud matters, and the relevance then lies in the channels that
# show the cloud. The paper's abstract has the first half of this: lightning helps the network focus on which neighbouring locations are most important
# [@hilburn2021]. C07 is the reverse: much relevance, and nothing is lost without it. **Relevance in a channel is not its importance.**
#
# ## 7. Does a U-Net change the picture?
#
# With skip connections, each upsampled map gets the encoder's map of the same size beside it. Same training, same questions.

# %%
skip = networks.encoder_decoder(size=None, skip=True)
load_weights(skip, "goes_mrms_skip")
says["U-Net"] = estimate(skip, x)
found["U-Net"] = skill.counts(says["U-Net"], seen, THRESHOLDS)
rows = {}
for name, network in (("network", model), ("U-Net", skip)):
    csi = dict(zip(THRESHOLDS, skill.scores(found[name])["CSI"], strict=True))
    rows[name] = {f"CSI at {t} dBZ": csi[t] for t in (20, 30, 40)}
    for part in STRATEGIES:
        scene, crops, at, causes = case(part, network)
        density = pd.Series(skill.relevance_density(lrp_maps(crops, at, network), causes))
        rows[name][f"LRP density, {part}"] = density.groupby(scene).mean().mean()
    rows[name]["parameters"] = network.count_params()
    sized = networks.encoder_decoder(size=64, skip=network is skip)
    convolutions = [layer for layer in sized.layers if layer.weights]
    each = [la.kernel.shape.num_elements() * np.prod(la.output_shape[1:3]) for la in convolutions]
    rows[name]["multiplications a pixel, forwards"] = sum(each) / 64**2
    rows[name]["gradient map, in forward passes"] = cost(sized, "gradient")
table = pd.DataFrame(rows)
table.map(lambda value: f"{value:,.0f}" if value > 1000 else f"{value:.2f}")

# %% [markdown]
# The U-Net is better at all three thresholds, since it gets the outlines past the poolings. Its relevance is far more concentrated, most of all on lightning:
# the shortcut leads from the pixel straight to the input beside it. So a denser heat map need not mean another
# strategy. Compare heat maps of two architectures with care. The skill has its price, counted and not timed: more weights, and two fifths more
# multiplications for an estimate. A gradient takes two forward passes in either network, so its price grows by as much.
#
# ## 8. Blind to zero
#
# Under $\alpha\beta$ a pixel's relevance is in proportion to its value. "No lightning" is exactly 0, warm, clear sky is nearly 0. Such pixels
# get nothing, however much they matter [@mamalakis2022aies]. The rules $z^B$ (z-box) and flat in the *first layer* do
# not multiply with the input. We compare them at edge pixels. How much positive relevance falls into GLM where there is no lightning, and how much
# on the clear sky?

# %%
_, crops, at, _ = case("edge", model)
inside = box(crops, at)
clear = inside[..., 2] < 0.25  # warmer than 275 K
none = inside[..., 3] == 0  # no lightning
rows = {}
for rule in ("LRP alpha 1 beta 0", "LRP alpha 1 beta 0, z-box", "LRP alpha 1 beta 0, flat"):
    positive = box(explain_pixel(model, crops, at, rule), at).clip(0)
    share = (positive[..., 3] * none).sum((1, 2)) / positive.sum((1, 2, 3))
    rows[rule] = {"in GLM, where it is 0 (%)": 100 * share.mean()}
    rows[rule]["on clear sky (%)"] = 100 * skill.relevance_share(positive, clear).mean()
maps = box(explain_pixel(model, crops, at), at)
print(f"{len(crops)} edge pixels; {100 * clear.mean():.0f} % of their boxes is clear sky")
pd.DataFrame(rows).T.round(1)

# %% [markdown]
# $\alpha_1\beta_0$ gives exactly nothing to GLM where there is none. z-box and flat do; but read them with care: flat
# gives the same share to every input, whatever is there. Not blind is not yet right.
#
# ### Exercise 3: does LRP miss a strategy?
#
# > **Hilburn (2023)** rebuilt the network as a transparent regression and reports that explanations by heat map had missed several of its
# > strategies [@hilburn2023]. The lecture says LRP *found three*. Both can be true: a heat map shows what it can show.
#
# Is there one here? A candidate: an edge has two sides: cold cloud, and **clear sky in front of it**. `maps` are LRP maps of edge pixels, shape (pixel, 54, 54, 4), `clear`
# is True on clear sky, shape (pixel, 54, 54). Give the share of positive relevance on clear sky, shape (pixel,). The next cell then fills the
# clear sky with cloud.

# %% tags=["exercise"]
share_clear = ...

# %% tags=["solution"]
share_clear = skill.relevance_share(maps, clear)

# %% tags=["check"]
check.share_on(share_clear, maps, clear)


# %%
def filled(crop):
    """Clear sky replaced by the nearest cloud: the edge is gone, the cloud stays."""
    nearest = distance_transform_edt(
        crop[..., 2] < 0.25, return_distances=False, return_indices=True
    )
    return crop[tuple(nearest)]


before = at_pixel(estimate(model, crops), at)
after = at_pixel(estimate(model, np.array([filled(one) for one in crops])), at)
print(f"share of relevance on clear sky: {100 * skill.relevance_share(maps, clear).mean():.0f} %")
print(f"estimate when it is filled with cloud: {before.mean():.0f} to {after.mean():.0f} dBZ")

# %% [markdown]
# The candidate fails: clear sky gets little relevance, and filling it costs little. A strategy that the world has (an edge *against clear sky*) and that the
# softened edges seemed to prove is not quite the network's: it reads the cloud's own side. What LRP does miss stands in section 6: GLM, with little
# relevance and about half of the estimate. A heat map gives suspects. Each needs its own intervention, and some walk free.
#
# ## 9. Scenes of your own
#
# Idealised inputs ask one question at a time. Left: a patch of lightning, 5 x 5 pixels, in the middle of cold cloud and in clear sky. Right: half of the
# scene is cloud, and its edge is made softer and softer. **Sketch both curves first.**

# %%
CLOUD, CLEAR = np.array([0.82, 0.70, 0.86, 0]), np.array([0.04, 0.08, 0.06, 0])
groups = np.array([0, 1, 2, 5, 10, 20, 40])
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
patch_adds = {}
for name, background in (("cold cloud", CLOUD), ("clear sky", CLEAR)):
    ideal = np.broadcast_to(background, (len(groups), 64, 64, 4)).copy()
    ideal[:, 30:35, 30:35, 3] = ((groups - 0.1) / 49.9).clip(0)[:, None, None]
    response = estimate(model, ideal)[:, 32, 32]
    patch_adds[name] = response[-2] - response[0]
    left.plot(groups, response, "o-", label=name)
left.set(xlabel="groups in each pixel", ylabel="estimate in the middle (dBZ)")
left.legend()
widths = np.array([0.3, 0.6, 1, 1.5, 2, 3, 4, 6])
for offset, colour in ((3, plots.GREEN), (12, plots.SKY)):
    behind = np.arange(64) - (32 - offset)
    amount = 0.5 + 0.5 * np.tanh(behind[None] / (2 * widths[:, None]))
    ideal = CLEAR + amount[:, None, :, None] * (CLOUD - CLEAR) * np.ones((1, 64, 1, 1))
    line = estimate(model, ideal)[:, 32, 32]
    right.plot(3 * widths, line, "o-", color=colour, label=f"{3 * offset} km behind the edge")
right.set(xlabel="width of the edge (km)", ylabel="estimate (dBZ)")
right.legend()
plots.show(fig, "idealised")

# %% [markdown]
# One or two groups in a pixel are enough in cold cloud: synergy, as the paper says. Up to ten groups the same patch adds next to nothing in clear sky. Beyond,
# the curve climbs: no training scene had so much lightning without cloud, and what a network says there is anybody's guess. Right: the edge counts only near the
# edge, and only while it is no wider than two or three pixels.
#
# ## 10. Try it yourself
#
# Click on a pixel of the estimate, or move the cross by its sliders. Switch lightning off. Change the method. Above each heat map
# stands its sum. **Find a pixel that loses 10 dBZ when lightning goes: how large was GLM's sum there?** And click on a pixel without
# echo.

# %%
draw = panel.prepare(model, data.isel(sample=slice(6)), x[:6])
inner = says["network"][0, 27:-27, 27:-27]  # the whole box lies in the scene
row, column = (27 + int(i) for i in np.unravel_index(inner.argmax(), inner.shape))
start = {"scene": 0, "row": row, "column": column, "lightning": True}
panels.panel(
    draw,
    "panel",
    click=("row", "column"),
    scene=IntSlider(0, 0, 5, description="scene"),
    row=IntSlider(row, 0, 127, description="row"),
    column=IntSlider(column, 0, 127, description="column"),
    lightning=Checkbox(True, description="lightning"),
    method=Dropdown(options=[*panel.RULES, "gradient"], description="method"),
)

# %% [markdown]
# ## In this lesson you
#
# - scored an estimate of radar by threshold, and took over-forecasting out of the comparison,
# - made heat maps of one output pixel, with a ledger of what the biases took,
# - tested three strategies over many pixels, against the truth and against maps that know nothing of the pixel,
# - saw that a channel with little relevance can carry a large part of the estimate,
# - tested whether LRP missed a strategy, and kept the answer.
#
# ## Quiz
#
# <details><summary>1. GLM holds a few per cent of the relevance. Can one do without it?</summary>
#
# Erase it and see. Relevance in a channel is in proportion to its values, and lightning is sparse; it also
# changes what the network makes of the cloud around it.
#
# </details>
#
# <details><summary>2. A heat map is ten times denser on the cause than if spread evenly. Is that good?</summary>
#
# Compare with maps that know nothing of this pixel. Causes lie near the pixel, and so does everything a small receptive field
# can show.
#
# </details>
#
# <details><summary>3. Why compare at equal frequency bias?</summary>
#
# A network that says "strong" too often finds more strong echoes. CSI can rise by that alone.
#
# </details>
#
# ## Claims
#
# Measured on scenes that no network was trained on. Goals are ours and were set before the measurement; intervals are 95 %, by resampling scenes.


# %% tags=["claims"]
def lead(counts, other, threshold):
    """CSI of the network minus another's at a threshold, with its interval."""
    k = int(np.searchsorted(THRESHOLDS, threshold))

    def difference(a, b):
        return skill.scores(a[:, [k]])["CSI"][0] - skill.scores(b[:, [k]])["CSI"][0]

    return skill.bootstrap(difference, counts["network"], counts[other], n=300)


def denser(part, other):
    """Density of LRP on the true cause minus that of another map, with its interval."""
    own = densities[part]
    return by_scene(own.LRP - own[other], own.scene)


claims.record(
    "goes-csi",
    "Spatial context makes a network better than an estimate pixel by pixel.",
    "hilburn2021",
    "CSI at 35 dBZ, both at equal frequency bias: network minus pixel by pixel",
    *lead(even, "pixel by pixel", 35),
    "> 0",
)
SALIENCY = "slide: LRP vs. Saliency heatmaps"
for id, sentence, source, part, other in [
    (
        "edge",
        "Without lightning, the network focuses on cloud boundaries.",
        "slide: Application 2 – NN architecture",
        "edge",
        "another pixel's LRP",
    ),
    (
        "dense",
        "LRP found a third strategy: extremely dense areas of cloud.",
        SALIENCY,
        "dense",
        "another pixel's LRP",
    ),
    (
        "saliency",
        "LRP finds dense cloud where saliency, which identified only lightning, does not.",
        SALIENCY,
        "dense",
        "saliency",
    ),
]:
    text = f"density on the true cause, {part}: LRP minus {other}"
    claims.record(f"goes-{id}", sentence, source, text, *denser(part, other), "> 0")

# %% tags=["claims"]
claims.record(
    "goes-erase",
    "The presence of lightning triggers high estimates.",
    "slide: Application 2 – NN architecture",
    "fall of the estimate at lightning pixels when lightning is erased",
    *falls("lightning", "lightning erased"),
    ">= 15",
    "dBZ",
)
rng, gain = np.random.default_rng(0), []
cold, clear_sky = (x[..., 2] > 0.75) & (x[..., 3] == 0), x[..., 2] < 0.2
for one, *masks in zip(x, cold, clear_sky, strict=True):
    if all(m[30:98, 30:98].sum() > 50 for m in masks):
        places = [rng.choice(np.argwhere(m[30:98, 30:98])) + 30 for m in masks]
        pasted = np.array([one, one, one])
        for k, (r, c) in enumerate(places):
            pasted[k + 1, r - 2 : r + 3, c - 2 : c + 3, 3] = 0.2
        before, *after = estimate(model, pasted)
        gain.append([a[tuple(p)] - before[tuple(p)] for a, p in zip(after, places, strict=True)])
claims.record(
    "goes-synergy",
    "The network uses radiance and lightning synergistically.",
    "hilburn2021",
    "what a lightning patch of 15 km adds in cold cloud minus what it adds in clear sky",
    *skill.bootstrap(lambda g: (g[:, 0] - g[:, 1]).mean(), gain),
    ">= 10",
    "dBZ",
)

# %% [markdown]
# ## References
#
# - [@hilburn2021]: the network, its scaling, loss and scores
# - [@hilburn2023]: a transparent version of it, and what heat maps had missed
# - [@ebertuphoff2020]: how such networks are evaluated, tuned and interpreted
# - [@murphy1993]: what makes a forecast good
# - [@mamalakis2022aies]: ignorance to zero input
# - [@lecture]: the lecture
