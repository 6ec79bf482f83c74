# %% [markdown]
# # 07 From GOES to radar
#
# ![Infrared, lightning, radar, and what the network estimates](../pictures/goes_mrms.png)
#
# **Question:** a network draws radar images from what a satellite sees. How does it know where the echo is strong, and do heat maps tell us?
#
# **Objectives:** you can
# - score an estimate of radar by threshold, against baselines that were helped as well,
# - explain one pixel of an output image, and read the sums of its heat maps,
# - test a strategy that a heat map suggests, over many pixels and by changing the scene,
# - check that an intervention did what you meant.
#
# **Minutes:** 80 teaching, 30 exercises.
#
# **Prerequisites:** lessons 00 and 03 (necessary); lesson 06 (helpful, for matched pairs).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ipywidgets import Checkbox, Dropdown, IntSlider
from scipy.ndimage import distance_transform_edt
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from utils import claims, course, networks, panels, plots, skill, training, worlds
from utils.check import goes_to_mrms as check
from utils.explain.crops import around, at_pixel, box
from utils.lrp import relevance
from utils.panels import goes_to_mrms as panel
from utils.plots import goes
from utils.weights import load_weights
from utils.worlds import goes_mrms as world

course.start("07_goes_to_mrms", seed=0)

# %% [markdown]
# Radar shows where it rains and how hard. Forecast models use it as a starting point, to catch storms early. But over oceans, mountains
# and most countries there is no radar. The geostationary satellite GOES sees more than a third of the Earth every ten minutes. So the lecture's second application estimates radar echoes from GOES, for models to use where there is no
# radar [@hilburn2021].
#
# ## 1. Four channels and the target
#
# The network is called GREMLIN. It reads three infrared channels of the imager ABI and the lightning mapper GLM:
# - **C07**, 3.9 µm: cloud tops, and by day reflected sunlight,
# - **C09**, 6.9 µm: moisture of the middle troposphere, which hides low cloud,
# - **C13**, 10.3 µm: the temperature of whatever is on top,
# - **GLM**: groups of lightning in 15 minutes. A group is one pulse of light, and a flash has several.
#
# Its target is the composite reflectivity of the radar mosaic **MRMS**, the largest echo in each column of air. The unit, **dBZ**, is
# logarithmic: 20 dBZ is light rain, 40 is heavy, and above 55 there is often hail.
#
# The two scenes come from a small world of our own, in which we know what causes which echo. A pixel is 3 km wide. The upper scene is seen by day, the lower
# one by night. Look at the four channels only. **Where would you expect the strongest echo?** The cell after them shows the radar.

# %% tags=["figure"]
sample = worlds.open_world("goes_mrms")
corners = [(1, 0, 128), (4, 128, 128)]  # sample, row and column
shown = [sample.isel(sample=i, y=slice(r, r + 128), x=slice(c, c + 128)) for i, r, c in corners]
fig, axes = plt.subplots(2, 4, figsize=(9, 5.4))
fig.get_layout_engine().set(rect=(0, 0, 1, 0.97))  # room for the titles
for name, column in zip(world.CHANNELS, axes.T, strict=True):
    for ax, one in zip(column, shown, strict=True):
        drawn = goes.field(ax, name, one[name], "")
    column[0].set_title(goes.LOOKS[name][0], fontsize=10, fontweight="normal")
    fig.colorbar(drawn, ax=column, location="bottom", shrink=0.9)
plots.show(fig, "scenes")

# %% tags=["figure"]
fig, axes = plt.subplots(1, 2, figsize=(5.6, 2.7))
for ax, one, title in zip(axes, shown, ("upper scene", "lower scene"), strict=True):
    drawn = goes.field(ax, "mrms", one.mrms, title)
fig.colorbar(drawn, ax=axes, label="dBZ", shrink=0.8)
plots.show(fig, "radar")

# %% [markdown]
# The bright colours are storms seen from above. A **tower** of rising air carries water up until it can rise no further, and there its ice
# spreads into an **anvil**, far larger than the rain below. So cold cloud alone does not tell where the echo is. By night
# C07 and C13 show the anvils much alike, but C07 is noisier and a little warmer: a very cold top emits next to nothing at 3.9 µm, so noise and warmer neighbours weigh more. By day the ice reflects sunlight at 3.9 µm, and the same anvils look much warmer in C07.
#
# A forecaster would look for lightning, for a sharp **upwind** edge, where new cloud grows, and for
# towers that stick out of the anvil and are colder still. The world was built just so. Its echo is a sum of five parts, each
# with one cause that the satellite can see: *lightning*; the sharp upwind *edge*; *dense*, cold towers;
# *stratiform* rain, steady and light, under thick anvil; and warm *showers*, which need no anvil. (In our world they add in dBZ: 20
# and 20 make 40. In nature the reflected power adds, and they make 23.)
#
# The first three are the strategies that the lecture found in GREMLIN. Here we planted them ourselves. So this lesson can test whether heat maps find
# what is there, and it cannot test what GREMLIN does.

# %% tags=["figure"]
# One colour for a part of the echo, and for the pixels that owe most of their echo to it.
COLOURS = dict(
    zip(world.PARTS, (plots.PURPLE, plots.GREEN, plots.RED, plots.SKY, plots.ORANGE), strict=True)
)
one = shown[0].isel(y=slice(24, 88), x=slice(8, 72))
fig, axes = plt.subplots(1, 6, figsize=(11, 2.5))
for ax, part in zip(axes, world.PARTS, strict=False):
    drawn = goes.field(ax, "mrms", one[f"truth_{part}"], part)
    ax.contour(one[f"truth_{part}_cause"], [0.5], colors=[plots.INK], linewidths=0.7)
    ax.spines[:].set(color=COLOURS[part], linewidth=3)
goes.field(axes[5], "mrms", one.mrms, "what radar sees")
fig.colorbar(drawn, ax=axes, label="dBZ", shrink=0.8)
plots.show(fig, "parts")

# %% [markdown]
# These are 190 km of the upper scene, and each frame has the colour of its cause in later figures. Lightning and dense towers make small spots, and their causes are seen right where the echo is. The edges make
# thin lines, just behind the strip where the satellite sees them. Stratiform rain is wide and stays below 25 dBZ, and the showers are small discs.
#
# ## 2. The network and its loss
#
# The network has convolution, ReLU and max-pooling three times over, then convolution, ReLU and upsampling three times over, and ends in a
# convolution with filters of a single pixel. All inputs are scaled to 0 to 1 so that **cold is 1** and **no lightning is exactly 0**, and the
# output is dBZ / 60. The trained weights come with the course. `RETRAIN = True` trains it on 3,000 small patches, in about six
# minutes on two cores.
#
# Few pixels have a strong echo, and a plain squared error would hardly notice them. So the paper weighs each pixel's squared error by
# $e^{5 y^4}$, where $y$ is the true reflectivity divided by 60 dBZ [@hilburn2021]: by 1 at 0 dBZ, and by 148 at 60. The figure compares the share of the
# pixels with their share of the weight, on scenes that no network was trained on.

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

scenes = world.scenes(48, worlds.CLAIMS, size=128)
data = world.render(scenes)
x, seen = world.as_input(data), data.mrms.values

# %% tags=["figure"]
bins = np.arange(0, 61, 10)
number = np.histogram(seen, bins)[0]
weighted = np.histogram(seen, bins, weights=np.exp(5 * (seen / 60) ** 4))[0]
fig, ax = plt.subplots(figsize=(7, 2.8))
for values, label, look, side, colour in (
    (number, "pixels", "o", -1, plots.GREY),
    (weighted, "pixels times weight", "s", 1, plots.INK),
):
    share = 100 * values / values.sum()
    ax.plot(bins[:-1] + 5, share, look, color=colour, label=label)
    style = {"ha": "left" if side > 0 else "right", "va": "center", "fontsize": 8, "color": colour}
    for at, value in zip(bins[:-1] + 5, share, strict=True):
        ax.annotate(
            f"{value:.2g} %", (at, value), (6 * side, 0), textcoords="offset points", **style
        )
ax.set(
    yscale="log", xlim=(-1, 62), ylim=(0.06, 250), xlabel="reflectivity (dBZ)", ylabel="share (%)"
)
ax.legend()
plots.show(fig, "weights")

# %% [markdown]
# More than nine pixels in ten are below 10 dBZ, and even with the weights they count for four fifths. Above 50 dBZ are two
# pixels in a thousand, with a tenth of the weight. There is a price. Where the network is unsure, it is cheaper to say too much than
# too little. We will have to keep that apart from skill.
#
# ### Two baselines
#
# What do the neighbours of a pixel add? To find out we need estimates that see a single pixel. Gradient boosting, a sum of small
# decision trees, fits them to the same weighted loss: **C13 alone** knows the cloud-top temperature of its pixel, and **pixel by pixel** knows all four channels of its pixel.
#
# A baseline deserves help, too. The network learned from 3,000 patches of its training world, and these two have 100 and 30 small trees each, a number that was
# chosen on other scenes than those below. A third baseline gets only 10 patches: how good does the network look
# beside it?

# %%
train = world.simulate(100, worlds.TRAINING, size=64, n_jobs=1)
pixels, echo = world.as_input(train).reshape(-1, 4), world.as_target(train).ravel()
print(f"{len(echo):,} pixels to learn from")


def by_pixel(channels, patches=100):
    """Estimate in dBZ of a regression that sees these channels of one pixel."""
    used = slice(patches * 64**2)
    curve = HistGradientBoostingRegressor(max_iter=30, early_stopping=False, random_state=0)
    with threadpool_limits(1):  # two threads would wait for each other on a busy machine
        curve.fit(pixels[used, channels], echo[used], sample_weight=np.exp(5 * echo[used] ** 4))
        return 60 * curve.predict(x.reshape(-1, 4)[:, channels]).reshape(seen.shape).clip(0)


def estimate(network, x):
    """The network's reflectivity in dBZ; what is negative is clipped, as in the paper."""
    return 60 * network.predict(x, batch_size=8, verbose=0)[..., 0].clip(0)


says = {
    "C13 alone": by_pixel([2]),
    "pixel by pixel": by_pixel([0, 1, 2, 3]),
    "network": estimate(model, x),
    "10 patches": by_pixel([0, 1, 2, 3], 10),
}

# %% [markdown]
# Forecasters score such estimates by threshold. Take 40 dBZ: each pixel has an echo of 40 dBZ or more, or it has not, and the estimate says yes or no.
# - **POD**: of the pixels with such an echo, the share that the estimate finds.
# - **FAR**: of the pixels where the estimate says yes, the share that has no such echo.
# - **CSI**: hits, divided by hits, misses and false alarms together.
# - **Frequency bias**: how many pixels the estimate says yes for, divided by how many have the echo. (The biases of a layer are another thing.)
#
# An estimate that says "strong" too often finds more strong echoes, and its CSI can rise by that alone. So we also compare at **equal frequency bias**, where
# each estimate is stretched until every value is as frequent as radar has it. What is left to score is whether the values are in the right places.
#
# In the **performance diagram** up is more found and right is less false. Grey curves have equal CSI, which grows towards the upper right, and dotted lines have equal frequency bias. Hollow markers are at equal bias.
# The table also has the RMSD, the root mean square difference over all pixels.

# %%
THRESHOLDS = np.arange(5, 51, 5)
THREE = np.searchsorted(THRESHOLDS, (20, 35, 50))
counts = {name: skill.counts(values, seen, THRESHOLDS) for name, values in says.items()}
even = {
    name: skill.counts(skill.same_frequency(values, seen), seen, THRESHOLDS)
    for name, values in says.items()
}
table = pd.DataFrame({name: skill.scores(c)["CSI"] for name, c in counts.items()}, THRESHOLDS)
table = table.loc[[5, 10, 20, 35, 50]].rename("CSI at {} dBZ".format).T
table["RMSD (dBZ)"] = {name: np.sqrt(np.mean((v - seen) ** 2)) for name, v in says.items()}
print(table.round(2).to_string(), "\n\nEqual bias, network minus pixel by pixel:")


def lead(a, b):
    return (skill.scores(a)["CSI"] - skill.scores(b)["CSI"])[0]


leads = {}
for k in THREE:
    both = (even[name][:, [k]] for name in ("network", "pixel by pixel"))
    value, (low, high) = leads[THRESHOLDS[k]] = skill.bootstrap(lead, *both, n=300)
    print(f"CSI at {THRESHOLDS[k]} dBZ {value:+.2f} ({low:+.2f} to {high:+.2f})")
drawn = ({k: skill.scores(group[k]) for k in list(says)[:3]} for group in (counts, even))
fig = goes.performance_diagram(next(drawn), THRESHOLDS, THREE, next(drawn))
plots.show(fig, "diagram")

# %% [markdown]
# At 20 dBZ the network is ahead of both baselines, at 5 and 10 dBZ it is not. At 35 dBZ it has no lead over single pixels, at 50 dBZ they are ahead, and their RMSD is no larger. Beside the baseline with 10 patches it would
# have won at 20, 35 and 50 dBZ. All three say "strong" too often, as their loss wanted: in the diagram all their points lie above the line of bias 1.
#
# The paper calls spatial context essential [@hilburn2021]. Is it no use for strong echoes here? Our world makes it easy for single pixels, since lightning and cold towers are
# right where their echo is. But this network may also waste the context. Section 10 lets another one try.
#
# Would a forecaster use this at 50 dBZ? The diagram has 1 - FAR at 0.2, so four of five pixels that it marks have no such echo. It may tell a forecaster where to look; it is not a warning.

# %% tags=["figure"]
# Three scenes, chosen by how much strong echo they have, not by how well it is estimated.
picks = np.argsort((seen >= 40).sum((1, 2)))[[-1, -8, -16]]
fig, axes = plt.subplots(3, 4, figsize=(8, 6.9))
for row, i in zip(axes, picks, strict=True):
    top = goes.field(row[0], "c13", data.c13[i], "C13 (K)")
    for ax, name in zip(row[1:], ("MRMS", "network", "pixel by pixel"), strict=True):
        radar = goes.field(ax, "mrms", says.get(name, seen)[i], name)
fig.colorbar(top, ax=axes[:, 0], location="bottom", shrink=0.9, pad=0.02, label="K")
fig.colorbar(radar, ax=axes[:, 1:], location="bottom", shrink=0.5, pad=0.02, label="dBZ")
plots.show(fig, "estimates")

# %% [markdown]
# The network draws smooth patches. It pools three times and has no skip connections, so the outlines are blurred, and its strong patches are larger than the radar's. The pixel-by-pixel estimate keeps the cloud's
# sharp outline, even where radar has no echo, and is speckled.
#
# ## 3. What does it need?
#
# Before any heat map, let us take something away. **Channel withholding** sets one channel to 0, as the paper does. (C07
# has to wait for section 7.) With all four channels the network's CSI
# at 35 dBZ is 0.29. What will be left without each of them?

# %% tags=["guess"]
guess = {"C09": None, "C13": None, "GLM": None}


# %%
LOOKS = {"all four": plots.INK, "C09": plots.BLUE, "C13": plots.GREY}
fig, ax = plt.subplots(figsize=(7, 3.6))
ends = {}
for name in ["all four", *guess]:
    colour = LOOKS.get(name, COLOURS["lightning"])
    kept = x * np.array([other.upper() != name for other in world.CHANNELS])
    csi = skill.scores(skill.counts(estimate(model, kept), seen, THRESHOLDS))["CSI"]
    ax.plot(THRESHOLDS, csi, color=colour)
    label = f"{name}: {csi[THREE[1]]:.2f} at 35{plots.guess_text(guess, name)}"
    ends[name] = csi[-1], label, colour
height = -0.03
for value, label, colour in sorted(ends.values()):  # one above the other, without touching
    height = max(value, height + 0.05)
    ax.text(51, height, label, color=colour, va="center", fontsize=9)
ax.set(xlabel="threshold (dBZ)", ylabel="CSI", ylim=0, title="CSI without a channel")
plots.show(fig, "withheld")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Without C09 hardly anything is left. Losing C13 or GLM costs little at 5 dBZ and most of the score at 50 dBZ: cold tops and lightning mark the strong echoes.
#
# "No lightning" is an ordinary input, but an infrared channel of 0 makes scenes that no training patch resembled. Section 7 comes back to this.
#
# </details>
#
# ## 4. A heat map of one output pixel
#
# The output is an image, so the question "why this output?" needs a pixel, and one with a clear echo. LRP shares out the
# estimate, so it needs one above 0; our function refuses other pixels. The
# network sees no farther than 27 pixels, so a crop gives the heat map of the whole picture, to the last digit.
#
# For each part of the echo we take up to three pixels a scene, drawn by lot from those that owe most of their echo to
# it. Our first pixel is the one with the largest estimate among those of lightning.


# %%
PIXELS = {part: panel.choose(data, part) for part in ("lightning", "edge", "dense", "stratiform")}
print("pixels:", {part: len(where[0]) for part, where in PIXELS.items()})


def cut(part, x=x):
    """Crops around the pixels of a part, and where each lies in its crop."""
    sample, row, column = PIXELS[part]
    return around(x[sample], row, column)


def typical(part):
    """Number of the pixel with the median estimate among those of a part."""
    return np.argsort(says["network"][PIXELS[part]])[len(PIXELS[part][0]) // 2]


def by_scene(values, scene):
    """Mean over scenes, with its interval: pixels of one scene are no independent cases."""
    return skill.bootstrap(np.mean, pd.Series(np.asarray(values)).groupby(np.asarray(scene)).mean())


# %%
def explain_pixel(network, crops, at, method="LRP alpha 1 beta 0"):
    """Heat maps of one output pixel for each crop; refuses an estimate that is not positive."""
    if at_pixel(estimate(network, crops), at).min() <= 0:
        raise ValueError("An estimate is 0 dBZ: take another pixel.")
    return panel.heat_maps(network, crops, at, method)


first = np.argmax(says["network"][PIXELS["lightning"]])
crops, at = (v[first : first + 1] for v in cut("lightning"))
maps = explain_pixel(model, crops, at)[0]
ledger = relevance(model, crops, "alpha_1_beta_0", output=at, layers=False).ledger
print(f"estimate {60 * ledger.received.iloc[0]:.1f} dBZ", end=", ")
print(f"of which the input gets {maps.sum():.1f}, the biases {60 * ledger.bias.sum():.1f}")

# %% tags=["figure"]
radar = around(seen[..., None][PIXELS["lightning"][0]], *PIXELS["lightning"][1:])[0][first, ..., 0]
fig, axes = plt.subplots(2, 4, figsize=(9, 5.1))
value = estimate(model, crops)[0]
drawn = panel.fields(axes[0], crops[0], radar, value)
axes[0, 3].set_title(
    f"estimate: {value[at[0]]:.0f} dBZ at the cross", fontsize=10, fontweight="normal"
)
for artist, ax, label in zip(drawn, axes[0], ("K", "groups", "dBZ", "dBZ"), strict=True):
    bar = fig.colorbar(artist, ax=ax, location="bottom", shrink=0.9, pad=0.03)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=8)
for i, (ax, name) in enumerate(zip(axes[1], panel.CHANNELS, strict=True)):
    drawn = plots.heat_map(ax, maps[..., i], name, limit=maps.max() / 2)
for ax in axes.flat:
    goes.cross(ax, at[0])
plots.heat_map_bar(fig, drawn, axes[1], label="relevance (dBZ per pixel)")
plots.show(fig, "one-pixel")
print(f"radar at the cross: {radar[at[0]]:.0f} dBZ")

# %% [markdown]
# The three infrared maps are much alike. Their red lies on the very cold tower (pink in C13) at the cross and to its left, where the lightning is. GLM's lies on a few
# pixels with lightning. The wide anvil to the south is in the box, too, and gets next to nothing. The speckle comes from max-pooling, which hands relevance to the largest of four values only. At the cross the radar has
# 32 dBZ, far less than the estimate.
#
# **Can we trust a map that accounts for only 60 % of the estimate?** Under $\alpha_1\beta_0$ a bias takes its share of what a unit
# hands down, as an input would; that is the ledger of lesson 03, and here it takes 23 of 58 dBZ. What a bias holds belongs to no pixel: it sets the threshold from which a filter responds. So the map is right
# about how the rest is shared among pixels, and the sum over a channel must not be read as what this channel adds. Compare shares, and leave amounts to interventions.
#
# The panel draws the same for any pixel. Click into a scene or move the sliders, and switch lightning off and on. The grey square is all that the network can see.
# Try a pixel without any echo, too.

# %%
draw = panel.prepare(model, data.isel(sample=slice(6)), x[:6])
inner = says["network"][0, 27:-27, 27:-27]  # the whole box lies in the scene
row, column = (27 + int(i) for i in np.unravel_index(inner.argmax(), inner.shape))
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
# ### Exercise 1: pick a pixel, explain it, erase, measure
#
# With the panel, find a pixel that loses 10 dBZ or more when lightning goes. Then do it in code. Give the `pixel` as (scene, row,
# column); GLM's share of its relevance under $\alpha_1\beta_0$, between 0 and 1; and the `fall` of the estimate, in dBZ, when GLM is set to 0 in the input.
# `around(x[[scene]], [row], [column])` returns crops, shape (1, 64, 64, 4), and the pixel's place `at` in them.
#
# <details><summary>Hint</summary>
#
# `explain_pixel(model, crops, at)[0]` has the shape (64, 64, 4), with GLM as its last channel. `crops * [1, 1, 1, 0]` is the input without lightning, and
# `at_pixel(estimate(model, crops), at)[0]` the estimate at the pixel.
#
# </details>

# %% tags=["exercise"]
pixel = ...
glm_share = ...
fall = ...

# %% tags=["solution"]
pixel = scene, row, column = 0, 88, 56
crops, at = around(x[[scene]], [row], [column])
heat = explain_pixel(model, crops, at)[0]
glm_share = heat[..., 3].sum() / heat.sum()
before, after = (at_pixel(estimate(model, v), at)[0] for v in (crops, crops * [1, 1, 1, 0]))
fall = before - after

# %% tags=["check"]
check.one_pixel_erased(pixel, glm_share, fall, model, x)

# %% [markdown]
# ## 5. Three strategies
#
# The lecture found three [@lecture]. (1) **Lightning** triggers high estimates. (2) Without lightning the network looks at
# **cloud boundaries**, where gradients are strong. (3) **Extremely dense** areas of cloud trigger high estimates, too. The figure rebuilds the slides for one pixel of each kind, the
# one with the median estimate. Each row has C13, lightning and the estimate, and three heat maps: LRP, LRP after lightning is erased,
# and saliency, the absolute gradient of the output, which the lecture compares. Above each map is the estimate that it explains.

# %% tags=["figure"]
STRATEGIES = ("lightning", "edge", "dense")
fig, axes = plt.subplots(3, 6, figsize=(9.6, 5.6))
for row, part in zip(axes, STRATEGIES, strict=True):
    pick = typical(part)
    crops, at = (v[pick : pick + 1] for v in cut(part))
    none = crops * [1, 1, 1, 0]
    whole, erased = (estimate(model, v)[0] for v in (crops, none))
    groups = (0.1 + 49.9 * crops[0, ..., 3]) * (crops[0, ..., 3] > 0)
    goes.field(row[0], "c13", panel.kelvin(crops[0]), "C13")
    goes.field(row[1], "glm", groups, "GLM")
    goes.field(row[2], "mrms", whole, "estimate")
    plots.heat_map(row[3], explain_pixel(model, crops, at)[0], f"LRP of {whole[at[0]]:.0f} dBZ")
    plots.heat_map(row[4], explain_pixel(model, none, at)[0], f"no GLM, of {erased[at[0]]:.0f} dBZ")
    saliency = abs(panel.heat_maps(model, crops, at, "gradient")[0]).sum(-1)
    drawn = plots.heat_map(row[5], saliency, f"saliency at {whole[at[0]]:.0f} dBZ")
    row[0].set_ylabel(part, color=COLOURS[part], fontweight="bold")
    for ax in row:
        ax.set(xticks=[], yticks=[])
        goes.cross(ax, at[0], 8)
plots.heat_map_bar(fig, drawn, axes[:, 3:], label="scaled to each map")
plots.show(fig, "strategies")

# %% [markdown]
# In the first row, LRP lies on the lightning next to the cross. In the second
# row it follows the boundary, with lightning or without. In the third it lies on the boundary to the left and on the tower to the right, more than at the cross.
# Saliency is more scattered in the first two. In the third it peaks at the cross and on the tower, and points better
# than LRP.
#
# One pixel of each proves nothing, so we measure the **density** over many. What share of the map lies on the true cause (the outlines in the figure of the five parts), divided by the share of the box that the cause covers? The box is the 54 x 54 pixels
# that can reach the pixel. Causes lie near their pixel, so any map that peaks at its centre will score. Two references show how much that
# is worth: a round Gaussian hill as wide as the mean LRP map, and the map of *another* pixel of the same kind, from another scene.
#
# Guess the density on the cause at lightning pixels, where an even spread is 1 and the Gaussian has 8.6.

# %% tags=["guess"]
guess = {"LRP": None, "saliency": None}


# %%
@cache  # it is asked for several times
def case(part, network):
    """Scenes, crops and places of a part's pixels with an estimate, and masks of the true cause."""
    return panel.case(network, data, x, PIXELS[part], part)


def lrp_maps(crops, at, network=model):
    """LRP of each pixel in its receptive box, channels added."""
    return box(explain_pixel(network, crops, at), at).sum(-1)


def measured(part):
    """For each pixel of a part the density of several maps on the true cause."""
    scene, crops, at, causes = case(part, model)
    lrp_map, slope = lrp_maps(crops, at), box(panel.heat_maps(model, crops, at, "gradient"), at)
    maps = {
        "LRP": lrp_map,
        "saliency": abs(slope).sum(-1),
        "input x gradient": (slope * box(crops, at)).sum(-1),
        "Gaussian": panel.hill(lrp_map),
        "another pixel's LRP": np.roll(lrp_map, 3, 0),  # a scene has three pixels at most
        "another's saliency": np.roll(abs(slope).sum(-1), 3, 0),
    }
    density = {key: skill.relevance_density(m, causes) for key, m in maps.items()}
    return pd.DataFrame({"scene": scene, **density}).dropna()


# %%
densities = {part: measured(part) for part in STRATEGIES}


def denser(part, one, other):
    """Density of one kind of map on the true cause minus that of another, with its interval."""
    own = densities[part]
    return by_scene(own[one] - own[other], own.scene)


MAPS = [name for name in densities["edge"] if name != "scene"]
points = {p: {name: by_scene(d[name], d.scene) for name in MAPS} for p, d in densities.items()}
fig = goes.dots(points, "density on the true cause", COLOURS)
for ax in fig.axes:
    ax.axvline(1, color=plots.GREY, ls=":")
plots.guess_marks(fig.axes[0], guess, {name: row for row, name in enumerate(MAPS)})
plots.show(fig, "densities")
pairs = [("LRP", "Gaussian"), ("saliency", "Gaussian"), ("LRP", "input x gradient")]
pairs.append(("saliency", "another's saliency"))
for one, other in pairs:
    print(f"{one} minus {other}:", end="")
    for part in STRATEGIES:
        value, (low, high) = denser(part, one, other)
        print(f"  {part} {value:.1f} ({low:.1f} to {high:.1f})", end="")
    print()

# %% [markdown]
# <details><summary>What we saw</summary>
#
# **LRP** lies on the true cause of all three strategies, and is denser there than its references. We had planted these causes, so this says that LRP can recover
# such causes, and not that GREMLIN uses them.
#
# **Saliency**, says the slide, "only identified one strategy (lightning) – and not even concisely". It is indeed not concise: on lightning it is less dense than the Gaussian. Whether it identifies a
# cause shows in the difference from another pixel's saliency. On lightning its interval includes 0, so we cannot tell. On edges saliency is
# denser, and on dense cloud the interval touches 0. So here saliency may find the two strategies that the slide says it
# missed, and not the one that the slide grants it.
#
# And plain **input times gradient**, which is not on the slide? On lightning and on dense cloud no difference from LRP
# was shown. Only on edges is LRP clearly denser.
#
# </details>
#
# ### Exercise 2: erase lightning, and watch the relevance
#
# The slide says that *without lightning the network focuses on cloud boundaries*. Test it on all lightning pixels. `crops` and `at` are theirs, and `strong` is True where the gradient
# of C13 exceeds 10 K per pixel, shape (pixel, 54, 54). What share of the positive relevance lies on these strong gradients `before` lightning is erased, and what share `after`? Give
# both for each pixel, between 0 and 1, shape (pixel,).
#
# <details><summary>Hint</summary>
#
# `lrp_maps(crops, at)` gives the maps in their boxes, channels added, and `skill.relevance_share(maps, masks)` the share of each map on its mask.
#
# </details>

# %%
scene, crops, at, _ = case("lightning", model)
strong = box(panel.steepness(crops), at) > 10
print(f"{len(crops)} pixels; strong gradients cover {100 * strong.mean():.0f} % of their boxes")

# %% tags=["exercise"]
before = ...
after = ...

# %% tags=["solution"]
before = skill.relevance_share(lrp_maps(crops, at), strong)
after = skill.relevance_share(lrp_maps(crops * [1, 1, 1, 0], at), strong)

# %% tags=["check"]
check.moved(before, after, model, crops, at, strong)

# %% [markdown]
# **Think.** When relevance leaves the pixels with lightning it has to go somewhere, since shares add up to one. Could that alone explain what you measured?
#
# <details><summary>An answer</summary>
#
# In part. If what leaves were spread over all other pixels as their own relevance is, strong gradients would gain as well. So look at the other pixels alone. Among
# them the share on strong gradients rises, too. The network does turn towards the boundaries, as the slide says, but the rise is 4.6 points, not 9. The third of the claims at the end has this fairer
# number, and it leaves open whether our goal of 5 is met.
#
# </details>
#
# ## 6. Change the scene
#
# A heat map says where. An intervention says whether the estimate depends on it. We change one thing at a time, as with the matched pairs of lesson 06. *Lightning erased* sets GLM to 0. *Edges softened* draws the same sky
# with the head of each cloud made soft, and *towers warmed* draws it without its coldest towers. First come the three pixels of section 5, then all pixels of each kind.
# For lightning you have seen single pixels. By how many dBZ will the estimate fall on average at edges when they are softened, and at dense cloud when towers are warmed?

# %% tags=["guess"]
guess = {"edges softened": None, "towers warmed": None}

# %%
changed = {"lightning erased": x * [1, 1, 1, 0]}
for name, change in {"edges softened": "edges", "towers warmed": "towers"}.items():
    changed[name] = world.as_input(world.render([replace(s, **{change: False}) for s in scenes]))
estimates = {name: estimate(model, inputs) for name, inputs in changed.items()}


def falls(part, change):
    """By how much the estimate falls at a part's pixels, with its interval."""
    fall = says["network"][PIXELS[part]] - estimates[change][PIXELS[part]]
    return by_scene(fall, PIXELS[part][0])


# %% tags=["figure"]
fig, axes = plt.subplots(3, 4, figsize=(7.6, 6))
for row, part, change in zip(axes, STRATEGIES, changed, strict=True):
    where = PIXELS[part]
    pick = typical(part)
    sample, r, c = (int(v[pick]) for v in where)
    inside = slice(r - 27, r + 27), slice(c - 27, c + 27)
    for k, (inputs, values) in enumerate(
        ((x, says["network"]), (changed[change], estimates[change]))
    ):
        one = inputs[sample][inside]
        groups = (0.1 + 49.9 * one[..., 3]) * (one[..., 3] > 0)
        field = ("glm", groups) if part == "lightning" else ("c13", panel.kelvin(one))
        goes.field(row[k], *field, change if k else f"as it is: {field[0].upper()}")
        text = f"estimate: {values[sample, r, c]:.0f} dBZ"
        goes.field(row[2 + k], "mrms", values[sample][inside], text)
    row[0].set_ylabel(part, color=COLOURS[part], fontweight="bold")
    for ax in row:
        goes.cross(ax, (27, 27), 8)
plots.show(fig, "changed")

# %% tags=["figure"]
fig = goes.dots(
    {part: {change: falls(part, change) for change in changed} for part in PIXELS},
    "estimate falls by (dBZ)",
    COLOURS,
)
for row, (ax, name) in enumerate(zip(fig.axes, changed, strict=False)):
    plots.guess_marks(ax, {name: guess.get(name)}, {name: row})
plots.show(fig, "falls")
c13 = [panel.kelvin(v)[PIXELS["edge"]] for v in (x, changed["edges softened"])]
one, mean = ([f"{f(v):.0f}" for v in c13] for f in (lambda v: v[typical("edge")], np.mean))
print(f"C13 at the cross of the second row: {one[0]} K, softened {one[1]} K.", end=" ")
print(f"Mean over edge pixels: {mean[0]} K, softened {mean[1]} K")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Each change hits its own kind of pixel most, so the estimate depends on all three. Erasing lightning has the largest effect, and the slide calls lightning the strongest trigger. But it empties a whole channel, and the other two change the cloud only in places, so this is no fair ranking.
#
# Look at the pictures, too. In the second row the head has become not only softer but also thinner, and at the cross it is 14 K warmer. So the fall at edges is
# not due to sharpness alone. The estimate also falls at stratiform pixels, which lie behind the head. Exercise 3 takes another way.
#
# </details>
#
# ## 7. Is relevance in a channel its importance?
#
# Take the lightning pixels again. How much of the relevance lies in each channel, and how much of the estimate is lost
# when that channel is set to 0? **Guess both numbers for C07**, in per cent.

# %% tags=["guess"]
guess = {"relevance": None, "lost": None}

# %%
scene, crops, at, _ = case("lightning", model)
positive = explain_pixel(model, crops, at).clip(0).sum((1, 2))
share = 100 * positive / positive.sum(1, keepdims=True)
before = at_pixel(estimate(model, crops), at)


def lost(*erased):
    """Per cent of the estimate that is lost without some channels, with its interval."""
    kept = crops * [name not in erased for name in panel.CHANNELS]
    after = at_pixel(estimate(model, kept), at)
    sums = pd.DataFrame({"a": before, "b": after}).groupby(scene).sum()
    return skill.bootstrap(lambda a, b: 100 * (1 - b.sum() / a.sum()), sums.a, sums.b)


held = {name: by_scene(share[:, i], scene) for i, name in enumerate(panel.CHANNELS)}
gone = {name: lost(name) for name in panel.CHANNELS}
fig = goes.dots({"share of the relevance": held, "share of the estimate lost": gone}, "%")
for ax, name in zip(fig.axes, guess, strict=True):
    plots.guess_marks(ax, {name: guess[name]}, {name: 0})
plots.show(fig, "channels")

# %%
print(
    f"GLM holds {held['GLM'][0]:.0f} % of the relevance. Lost without GLM {gone['GLM'][0]:.0f} %,"
)
print(f"without C09 {gone['C09'][0]:.0f} %, without C13 {gone['C13'][0]:.0f} %,", end=" ")
print(f"without C13 and C07 {lost('C13', 'C07')[0]:.0f} %")
moved = abs(at_pixel(estimate(model, crops * [0, 1, 1, 1]), at) - before).mean()
kept = estimate(model, x * [0, 1, 1, 1])
csi = [skill.scores(skill.counts(v, seen, [20]))["CSI"][0] for v in (says["network"], kept)]
print(f"Without C07 the estimate moves by {moved:.1f} dBZ, up or down;", end=" ")
print(f"CSI at 20 dBZ: {csi[0]:.2f}, without C07 {csi[1]:.2f}")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# GLM holds 5 % of the relevance, and half of the estimate goes with it. Most GLM pixels are 0 and most others small, and under
# $\alpha_1\beta_0$ relevance scales with the value. Lightning tells the network which cloud matters, and the relevance then lies in the channels that
# show this cloud. The paper's abstract has the first half of this: lightning helps the network focus on which neighbouring locations are most important
# [@hilburn2021]. C07 is the opposite case. It has a quarter of the relevance, and without it nothing is lost on balance at these pixels.
# (Single estimates rise or fall, and over all pixels the score is a little lower.)
#
# Two warnings. "No lightning" is an input that the network knows. An infrared channel that is 0 where the others show cold cloud is not, so the loss of 79 % without C09
# says how the network breaks, and not how much it takes from C09. And where nothing is lost, the channel may be *redundant*: another one may tell the same.
#
# </details>
#
# Is C07 useless, then? We can ask without leaving the scenes that the network knows, with a change that nature makes daily,
# and to C07 alone. We take the scenes that are seen by night, and let the sun rise.

# %%
night = np.intersect1d(np.nonzero(data.sun.values == 0), PIXELS["lightning"][0])
by_day = world.render([replace(scenes[i], sun=0.8) for i in night])
sample, r, c = (v[np.isin(PIXELS["lightning"][0], night)] for v in PIXELS["lightning"])
same = np.searchsorted(night, sample), r, c
warmer = by_day.c07.values[same] - data.c07.values[sample, r, c]
change = estimate(model, world.as_input(by_day))[same] - says["network"][sample, r, c]
value, (low, high) = by_scene(change, sample)
print(f"{len(sample)} lightning pixels: C07 is {warmer.mean():.0f} K warmer by day.")
print(f"The estimate changes by {value:.1f} dBZ on average ({low:.1f} to {high:.1f}),")
print(f"and at a single pixel by {abs(change).mean():.1f} dBZ, up or down.")

# %% [markdown]
# C07 changes by 30 K, and the estimate hardly moves. As long as C13 is there, the network hardly depends on the value of C07. But once C13 is erased, it matters whether C07
# is still there: 78 % of the estimate is lost without both, against 53 % without C13 alone. (Neither scene is like any that it was trained on, so take this as a hint.) C07 seems to tell much of what C13 tells, and to
# step in where that is missing. **Redundant is not unimportant**, and neither a heat map nor the erasure of one channel can tell the two apart.
#
# ## 8. Does LRP miss the clear side?
#
# > **Hilburn (2023)** rebuilt the network as a transparent regression and reports that explanations by heat map had missed several of its
# > strategies [@hilburn2023]. The lecture says that LRP *found three*. Both can be true: a heat map shows what it can show.
#
# Under $\alpha\beta$ a pixel's relevance is in proportion to its value. "No lightning" is exactly 0, and warm, clear sky is nearly 0, so such pixels get nothing or little, however much they matter [@mamalakis2022aies]. But an edge has two sides, cold cloud and the **clear sky in front of it**. Does the clear side count? Only an intervention can tell.
#
# ### Exercise 3: a filled sky
#
# A colleague fills the clear sky with cloud: each pixel warmer than 275 K becomes a copy of the nearest pixel that is not, in all four channels. This should take the edge away
# and leave the cloud as it was. The estimate falls only a little, so the colleague concludes that the contrast at the edge counts
# little. Do you agree?

# %%
scene, crops, at, _ = case("edge", model)


def filled(crop):
    """Clear sky replaced by the nearest cloud, in all channels."""
    warm = panel.kelvin(crop) > 275
    nearest = distance_transform_edt(warm, return_distances=False, return_indices=True)
    return crop[tuple(nearest)]


def steepest(crops):
    """Largest gradient of C13 in the box of each pixel, in K per pixel."""
    return box(panel.steepness(crops), at).max((1, 2))


cloudy = np.array([filled(crop) for crop in crops])
before, after = (at_pixel(estimate(model, v), at) for v in (crops, cloudy))
print(f"mean over pixels: estimate {before.mean():.1f} dBZ, when filled {after.mean():.1f} dBZ")
print(f"largest gradient left: {100 * (steepest(cloudy) / steepest(crops)).mean():.0f} %", end=", ")
old, new = (box(panel.steepness(v), at) for v in (crops, cloudy))
edge = old > 0.8 * old.max((1, 2), keepdims=True)  # where it was steepest
there = [np.mean(n[on].mean() / o[on].mean()) for n, o, on in zip(new, old, edge, strict=True)]
print(f"where the edge was: {100 * np.mean(there):.0f} %")

# %% tags=["figure"]
fig, axes = plt.subplots(1, 4, figsize=(10, 2.9))
pick = np.argsort(before)[len(before) // 2]
for k, (one, name) in enumerate(((crops[pick], "before"), (cloudy[pick], "filled"))):
    top = goes.field(axes[k], "c13", panel.kelvin(one), f"{name}: C13")
    slope = axes[2 + k].imshow(panel.steepness(one), cmap="gray", vmin=0, vmax=30)
    plots.frame(axes[2 + k], f"{name}: gradient")
for ax in axes:
    goes.cross(ax, at[pick], 8)
fig.colorbar(top, ax=axes[:2], label="K", shrink=0.8)
fig.colorbar(slope, ax=axes[2:], label="K per pixel", shrink=0.8)
plots.show(fig, "filled")

# %% [markdown]
# **Before you interpret an intervention, check that it did what you meant.** Half of the
# gradient is left where the edge was, and the filling has made streaks of its own. So the largest gradient in the box
# is still 80 % of what it was.
#
# Write `mended(crop)`. It takes a crop, shape (64, 64, 4), and returns a new one in which at most **half** of the largest gradient is left, on average over these pixels, and
# in which everything colder than 230 K is as it was.
#
# <details><summary>Hint</summary>
#
# What does the colleague fill with? Look at the colours at the rim of the cloud.
#
# </details>


# %% tags=["exercise"]
def mended(crop):
    return ...


# %% tags=["solution"]
def mended(crop):
    warm = panel.kelvin(crop) > 250  # the half-covered rim, too
    nearest = distance_transform_edt(warm, return_distances=False, return_indices=True)
    return crop[tuple(nearest)]


# %% tags=["check"]
check.fill(mended, crops, at)

# %% [markdown]
# The next cell repeats the intervention with different limits for what is filled. (It uses our own `panel.filled`, so it runs without your answer.) Guess: by how many dBZ
# does the mean estimate fall when about half of the largest gradient is left?

# %% tags=["guess"]
guess = {"half left": None}

# %%
LIMITS = (275, 260, 250, 240, 225)
maps, kelvin = lrp_maps(crops, at), panel.kelvin(box(crops, at))
left, fallen, parts = [], [], {"of the estimate, lost": [], "of the relevance": []}
for limit in LIMITS:
    cloudy = np.array([panel.filled(crop, limit) for crop in crops])
    left.append(100 * (steepest(cloudy) / steepest(crops)).mean())
    fallen.append(before - at_pixel(estimate(model, cloudy), at))
    sums = pd.DataFrame({"fall": fallen[-1], "all": before}).groupby(scene).sum()
    lost = skill.bootstrap(lambda a, b: 100 * a.sum() / b.sum(), sums.fall, sums["all"])
    parts["of the estimate, lost"].append(lost)
    share = 100 * skill.relevance_share(maps, kelvin > limit)
    parts["of the relevance"].append(by_scene(share, scene))
# Each pixel's straight line through its estimates; the first entry is the scene as it is.
lefts, falls_here = np.array([100, *left]), np.array([0 * before, *fallen])
steeper = {
    name: by_scene(-10 * np.polyfit(lefts[k:], falls_here[k:], 1)[0], scene)
    for name, k in {"from filling to filling": 1, "with the scene as it is": 0}.items()
}
for name, (value, (low, high)) in steeper.items():
    print(f"{name}: {value:.2f} dBZ for each 10 % of the gradient ({low:.2f} to {high:.2f})")

# %% tags=["figure"]
fig, (ax, bars) = plt.subplots(1, 2, figsize=(9.5, 3.3))
for limit, x_at, fall in zip(LIMITS, left, fallen, strict=True):
    value, (low, high) = by_scene(fall, scene)
    ax.errorbar(x_at, value, [[value - low], [high - value]], fmt="o", color=COLOURS["edge"])
    ax.annotate(f"{limit} K", (x_at, high), (0, 4), textcoords="offset points", ha="center", size=8)
ax.plot(100, 0, "o", color=COLOURS["edge"], mfc="white", clip_on=False, zorder=3)
ax.axhline(0, color=plots.GREY, lw=0.8)
ax.set(xlabel="largest gradient left (%)", ylabel="estimate falls by (dBZ)", xlim=(100, 0))
ax.set_ylim(top=8.5)
plots.guess_marks(ax, guess, {"half left": 50}, "y")
looks = {
    "of the estimate, lost": (-0.15, "o", COLOURS["edge"]),
    "of the relevance": (0.15, "s", plots.INK),
}
for name, (shift, marker, colour) in looks.items():
    middle, ends = zip(*parts[name], strict=True)
    error = abs(np.transpose(ends) - middle)
    place = np.arange(len(LIMITS)) + shift
    bars.errorbar(place, middle, error, fmt=marker, color=colour, label=f"share {name}")
bars.set(ylabel="share (%)", xlabel="filled above", ylim=(0, 44))
bars.set_xticks(range(len(LIMITS)), [f"{limit} K" for limit in LIMITS])
bars.legend(loc="upper left")
plots.show(fig, "gradient-left")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The colleague's filling left 80 % of the largest gradient. With about half of it left the fall more than doubles, to 5 dBZ out of 24. At all five limits the fall is clear
# of 0, so filling the clear side always costs something.
#
# Is it the gradient? The paper finds that sharper gradients produce a stronger response ([Hilburn et al. 2021](https://doi.org/10.1175/JAMC-D-20-0084.1)). From the unfilled scene (hollow) to
# 250 K the curve rises as that would have it, and then it falls again, although ever less of the gradient is left. The answer depends on what we compare: with
# the unfilled scene as a sixth point the fall grows clearly with the gradient that is gone, and among the five fillings its interval includes 0. The claim at the end takes the five,
# since they differ in the limit alone.
#
# Does LRP miss the clear side? At 260 and 250 K more of the estimate is lost than these pixels have of the relevance, and at 225 K it is the other way about. **So LRP may give the clear side too
# little, and this test does not settle it.** No limit is perfect, since filling adds cold cloud, and the lower limits also overwrite the anvil's own warmer parts.
#
# </details>
#
# ## 9. Idealised scenes
#
# Idealised inputs ask one question at a time. On the left, a patch of lightning, 5 x 5 pixels, lies in the middle of cold cloud or of clear sky. On the right, half of the
# scene is cloud, and the clear side of its edge is made softer and softer, while the cloud stays as it is. Sketch both curves first. What will the patch add with 5 groups in each pixel, in dBZ?

# %% tags=["guess"]
guess = {"in cold cloud": None, "in clear sky": None}

# %%
CLOUD, CLEAR = np.array([0.82, 0.70, 0.86, 0]), np.array([0.04, 0.08, 0.06, 0])
groups = np.array([0, 1, 2, 5, 10, 20, 40])
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.1))
for name, background, line in (("in cold cloud", CLOUD, "o-"), ("in clear sky", CLEAR, "o:")):
    ideal = np.broadcast_to(background, (len(groups), 64, 64, 4)).copy()
    ideal[:, 30:35, 30:35, 3] = ((groups - 0.1) / 49.9).clip(0)[:, None, None]
    response = estimate(model, ideal)[:, 32, 32]
    label = name + plots.guess_text(guess, name, " at 5")
    left.plot(groups, response - response[0], line, color=COLOURS["lightning"], label=label)
left.set(xlabel="groups in each pixel", ylabel="the patch adds (dBZ)")
widths = np.array([0.3, 0.6, 1, 1.5, 2, 3, 4, 6])
for offset, line in ((3, "o-"), (12, "o:")):
    behind = np.arange(64) - (32 - offset)
    amount = (1 + np.tanh(behind[None] / (2 * widths[:, None]))).clip(0, 1)
    ideal = CLEAR + amount[:, None, :, None] * (CLOUD - CLEAR) * np.ones((1, 64, 1, 1))
    response, label = estimate(model, ideal)[:, 32, 32], f"{3 * offset} km behind the edge"
    right.plot(3 * widths, response, line, color=COLOURS["edge"], label=label)
    print(f"{label}: from {response[0]:.0f} dBZ down to {response[-1]:.0f} dBZ")
right.set(xlabel="width of the edge (km)", ylabel="estimate (dBZ)", ylim=0)
for ax in (left, right):
    ax.legend()
plots.show(fig, "idealised")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# *Left.* In cold cloud a single group in each pixel adds 29 dBZ, and more groups add at most 7 to that. In clear sky the same patch adds next to nothing up to ten groups: the network uses radiance and lightning together,
# as the paper says. Beyond ten the curve climbs. In training only a few stray groups stand in clear sky, so
# little ties the network down there. In cold cloud the curve is nearly flat from one group on, and a gradient, which
# asks what a little more would add, says little about lightning there.
#
# *Right.* A softer edge lowers the estimate, far behind it only up to a width of about 9 km, although the cloud at the
# pixel is the same. Close behind the edge the estimate falls from 26 to 13 dBZ, and far behind it from 16 to 13. (Softening adds thin cloud in front, so this is not sharpness alone either.)
#
# </details>
#
# ## 10. Does a U-Net change the picture?
#
# A U-Net has **skip connections** besides: each upsampled map gets the encoder's map of the same size next to it. This one had the same training. Is it ahead of single pixels, where our network was not?

# %%
skip = networks.encoder_decoder(size=None, skip=True)
load_weights(skip, "goes_mrms_skip")
level = skill.same_frequency(estimate(skip, x), seen)
for k in THREE:
    both = (skill.counts(level, seen, [THRESHOLDS[k]]), even["pixel by pixel"][:, [k]])
    value, (low, high) = skill.bootstrap(lead, *both, n=300)
    print(f"CSI at {THRESHOLDS[k]} dBZ, U-Net minus pixel by pixel: {value:+.2f}", end=" ")
    print(f"({low:+.2f} to {high:+.2f})")

# %% [markdown]
# At equal bias the U-Net is ahead of single pixels at 20 and at 35 dBZ, and at 50 dBZ the interval includes 0. So context does help here, and what our network lacks is detail: it pools three times and has
# no way around. Whether its strategy differs, too, we have not tested.
#
# ## 11. How real is this?
#
# The causes here were built in, each by itself; in real storms they come together. LRP found what we planted, and to take that as news about storms or GREMLIN would be circular.
#
# ![Distributions and spectra of the world's channels, lightning and radar, in black, and of a few real scans](../pictures/goes_mrms_real.png)
#
# Above are the distributions and below the spectra, black for our world and in colour for real scans. Compared with the few real scans at hand ([all numbers](../data/README.md#goes_mrms-how-close-to-reality)), temperatures and lightning are of the right kind. The
# faults matter more. Cloud edges are **sharper** than those of real storms, which helps strategy 2. Its parts add up in dBZ, so its strong echoes are too frequent and pile up at 60 dBZ. Light rain is too rare, and its showers are neat discs. Some of its lightning is stray, as from sun glint, but by night as well as by day.
#
# Lesson [11](11_real_storm.ipynb) takes the network to a storm of your choice, by the readers `utils.readers.fetch`, `abi`, `glm` and `mrms`.
# On two real images, without lightning and one of them with stand-ins for C07 and C09, the network gives echoes to cold tops over the Great Plains and nearly none to California with little cloud. That is plausible, but without radar it validates nothing.

# %% [markdown]
# ## In this lesson you
#
# - scored an estimate of radar by threshold, took over-forecasting out of the comparison, and saw a lead vanish when the baseline had more to learn from,
# - explained a single output pixel, and read what its sums and its biases mean,
# - tested three strategies over many pixels, against references that know nothing of the pixel,
# - erased lightning, and saw the relevance turn towards cloud boundaries,
# - found a channel with little relevance and a large effect, and one with much relevance and hardly any,
# - mended an intervention that had not done what it said, and saw what it leaves open.
#
# ## Quiz
#
# <details><summary>1. GLM holds a few per cent of the relevance. Can one do without it?</summary>
#
# Erase it and see. Here half of the estimate goes with it at lightning pixels. Relevance is in proportion to the values of a channel, and lightning is sparse; it also changes what
# the network makes of the cloud around it.
#
# </details>
#
# <details><summary>2. A heat map is eight times denser on the cause than if it were spread evenly. Is that good?</summary>
#
# Compare it with maps that know nothing of this pixel. Causes lie near the pixel, and a plain hill around it can be as dense.
#
# </details>
#
# <details><summary>3. Why compare at equal frequency bias?</summary>
#
# An estimate that says "strong" too often finds more strong echoes, and its CSI can rise by that alone.
#
# </details>
#
# <details><summary>4. You remove a feature, and the answer stays the same. Which two explanations must you rule out?</summary>
#
# That the feature is still there, and that another one tells the same. So print what is left of the feature, and remove its double as well.
#
# </details>
#
# ## References
#
# - [@hilburn2021]: the network, its scaling, loss and scores
# - [@hilburn2023]: a transparent version of it, and what heat maps had missed
# - [@ebertuphoff2020]: how such networks are evaluated, tuned and interpreted
# - [@murphy1993]: what makes a forecast good
# - [@mamalakis2022aies]: ignorance to zero input
# - [@lecture]: the lecture
#
# ## Claims
#
# What the lecture and the paper say, and what was measured here, on scenes that no network was trained on. Where a strategy *holds*, it was recovered where we had planted it, which says nothing about GREMLIN. Goals are ours; intervals are 95 %, by resampling scenes. The code is folded away.

# %% tags=["claims"]
claims.record(
    "goes-csi",
    "Spatial context is essential: it improves on estimates pixel by pixel.",
    "hilburn2021",
    "CSI at 35 dBZ, both at equal frequency bias: network minus pixel by pixel",
    *leads[35],
    "> 0",
)
claims.record(
    "goes-erase",
    "Strategy 1: the presence of lightning triggers high estimates.",
    "slide: Application 2 – NN architecture",
    "planted lightning: fall of the estimate at its pixels when it is erased",
    *falls("lightning", "lightning erased"),
    ">= 15",
    "dBZ",
)
scene, crops, at, _ = case("lightning", model)
strong, unlit = box(panel.steepness(crops), at) > 10, box(crops, at)[..., 3] == 0
shares = [
    100 * skill.relevance_share(lrp_maps(v, at) * unlit, strong)
    for v in (crops, crops * [1, 1, 1, 0])
]
claims.record(
    "goes-boundaries",
    "Strategy 2: without lightning, the network focuses on cloud boundaries with strong gradients.",
    "slide: Application 2 – NN architecture",
    "share of strong gradients in the relevance of pixels without lightning: rise when it is erased",
    *by_scene(shares[1] - shares[0], scene),
    ">= 5",
    "points",
)
SALIENCY = "slide: LRP vs. Saliency heatmaps"
claims.record(
    "goes-dense",
    "Strategy 3: LRP found that extremely dense areas of cloud trigger high estimates.",
    SALIENCY,
    "density on the planted cause, dense cloud: LRP minus another pixel's LRP",
    *denser("dense", "LRP", "another pixel's LRP"),
    "> 0",
)
claims.record(
    "goes-saliency",
    "Saliency only identified one strategy (lightning) – and not even concisely.",
    SALIENCY,
    "is it identified? Density on planted lightning: saliency minus another pixel's saliency",
    *denser("lightning", "saliency", "another's saliency"),
    "> 0",
)
claims.record(
    "goes-contrast",
    "Sharper gradients produce a stronger response.",
    "hilburn2021",
    "fall of the estimate for each 10 % of an edge's gradient that filling takes, five limits",
    *steeper["from filling to filling"],
    "> 0",
    "dBZ",
)
