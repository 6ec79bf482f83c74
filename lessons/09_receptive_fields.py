# %% [markdown]
# # 09 Receptive fields
#
# ![A satellite picture with red boxes that grow from layer to layer](../pictures/receptive_fields.png)
#
# **Question:** how large a weather feature can a layer see at most, and how much of it does it use?
#
# **Objectives:** you can
# - work out the receptive field of any layer, by formula and exactly,
# - say in kilometres which weather a layer can see, and choose an architecture by it,
# - measure the effective receptive field, and say how it changes with training,
# - say what a dense layer does to it, and what knowing the box is good for.
#
# **Minutes:** 40 teaching, 30 exercises.
#
# **Prerequisites:** NumPy arrays and convolutional layers (necessary); lessons 06 and 07 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider

from utils import course, lrp, networks, panels, plots, receptive_field, skill, training, worlds
from utils.check import receptive_fields as check
from utils.explain import crops, one_pixel
from utils.panels import receptive_fields as panel
from utils.plots import receptive_fields
from utils.weights import load_weights
from utils.worlds import goes_mrms as world

course.start("09_receptive_fields", seed=0)

from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. What can reach a pixel?
#
# Take one pixel of some layer. The smallest box of input pixels that holds all that are connected to it is
# its *theoretical receptive field* (TRF). No pattern larger than the box can be recognised there.
#
# A convolution of size $k$ adds $k - 1$ pixels *of its own input*. After strides $s_1, s_2, \dots$ such a pixel is
# $s_1 s_2 \cdots$ pixels of the picture wide. So [@araujo2019]
#
# $$r_l = 1 + \sum_{i \le l} (k_i - 1) \prod_{j < i} s_j .$$
#
# Here $r_l$ is the size of the TRF after layer $l$, $k_i$ and $s_i$ are size and stride of layer $i$. Pooling over 2 pixels counts like
# a convolution with $k = s = 2$. *Dilation* $d$ spreads a filter's weights, with $d - 1$ pixels left out between them: it then counts
# as one of size $d (k - 1) + 1$, and has no weight more.
#
# ### Exercise 1: by hand
#
# The first seven layers of the lecture's encoder-decoder (C is a convolution, P a pooling). Give `sizes`, the TRF after each layer, shape (7,).
#
# <details><summary>Hint</summary>
#
# `np.cumprod` gives the products of strides. A layer's own stride counts for the layers after it.
#
# </details>

# %%
kernels = np.array([3, 2, 3, 2, 3, 2, 3])  # C P C P C P C
strides = np.array([1, 2, 1, 2, 1, 2, 1])

# %% tags=["exercise"]
sizes = ...

# %% tags=["solution"]
sizes = 1 + np.cumsum((kernels - 1) * np.cumprod([1, *strides[:-1]]))

# %% tags=["check"]
check.size_by_formula(sizes, kernels, strides)

# %% [markdown]
# The code does the same for any network, and finds the boxes. `size_y` is $r_l$, for rows. `step_y` says how far the boxes of two
# neighbours are apart, and `padding_y` how far the first box sticks out of the picture, both in pixels of the picture.

# %% tags=["nbval-check-output"]
model = networks.encoder_decoder(size=None)
SIZE = (256, 256)
table = receptive_field.trace(model, SIZE)
print(table[["kind", "size_y", "step_y", "padding_y"]].to_string())

# %%
storm = world.simulate(1, worlds.VALIDATION, size=256)
c13 = storm.c13[0].values
image = (c13.max() - c13) / (c13.max() - c13.min())
shown = table.index[[0, 2, 4, 6, 8, 12]]
fig, axes = plt.subplots(1, 6, figsize=(11, 2.3))
for ax, name in zip(axes, shown, strict=True):
    pixel = (int(128 // table.step_y[name]),) * 2
    found = receptive_field.box(model, name, pixel, size=SIZE)
    title = f"layer {table.index.get_loc(name) + 1}: {found.size[0]} pixels"
    receptive_fields.boxes(ax, image, [found], title)
plots.show(fig, "boxes")

# %% [markdown]
# ## 2. The slide says 48
#
# The lecture's slide gives 48 x 48 for the last layer, the formula 50, and the box above has 46. **Predict: which is right?** The next
# cell asks for the exact box of many pixels.

# %% tags=["nbval-check-output"]
rows = np.arange(112, 144)
exact = [receptive_field.box(model, None, (int(r), 128), SIZE).size[0] for r in rows]
print("rows", rows[:8], "\nsize", exact[:8])

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(8, 2.8))
ax.step(rows, exact, where="mid", color=plots.BLUE, label="exact")
ax.axhline(table.size_y.iloc[-1], color=plots.ORANGE, label="formula")
ax.axhline(48, color=plots.GREY, ls="--", label="slide")
ax.set(xlabel="row of the output pixel", ylabel="height of the box (pixels)", ylim=(42, 58))
ax.set_yticks([46, 48, 50, 54])
ax.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
plots.show(fig, "exact")

# %% [markdown]
# None for all pixels. Nearest upsampling copies a coarse pixel. A 3-wide filter behind it reads two coarse pixels or three, by
# the place of its centre; here that happens at the coarsest grids, so the box is 46 or 54. The formula gives their mean.
#
# ### Exercise 2: get 48
#
# Which network would give 48 by the formula? Change one number in the blocks of the decoder. `build` takes
# the kernel of each of the three decoder convolutions.


# %%
def build(decoder):
    """The lecture's network with other kernels in its decoder."""
    x = start = keras.Input((256, 256, 4))
    for _ in range(3):
        x = layers.MaxPooling2D()(layers.Conv2D(32, 3, padding="same", activation="relu")(x))
    for kernel in decoder:
        x = layers.Conv2D(32, kernel, padding="same", activation="relu")(x)
        x = layers.UpSampling2D()(x)
    return keras.Model(start, layers.Conv2D(1, 1)(x))


# %% tags=["exercise"]
sees_48 = ...  # build([3, 3, 3]) is the lecture's

# %% tags=["solution"]
sees_48 = build([3, 3, 2])

# %% tags=["check"]
check.sees_48(sees_48)

# %% [markdown]
# ## 3. Large enough for the weather?
#
# The lecture's key lesson: *make sure that the TRF is big enough.* On the 3 km grid of the lecture's network (GREMLIN, lesson 07) the
# sizes become kilometres. The bands are Orlanski's classes [@orlanski1975], with one example of each.

# %%
names = [f"layer {table.index.get_loc(k) + 1}, {table.kind[k]}" for k in shown]
kilometres = dict(zip(names, table.size_y[shown] * world.KM, strict=True))
fig, ax = plt.subplots(figsize=(9, 3.6))
receptive_fields.scales(ax, kilometres)
plots.show(fig, "scales")

# %% [markdown]
# What if it is too small? A task with a known answer: a storm (centre) is severe if there is a trigger 12 pixels
# to its *west*. In the other cases the trigger lies 12 pixels to the *east*. Two kinds of network have the same number
# of parameters and differ in their dilations: one has a box of 21 pixels, the other of 25. Three of each, from other first weights.
# **Predict their accuracy.**
# `RETRAIN = True` trains all six, which takes two minutes.

# %%
from utils.worlds import distant_trigger

KINDS = {21: [1, 2, 3, 4], 25: [1, 2, 4, 5]}  # TRF in pixels: dilations of four convolutions
RETRAIN = False
if RETRAIN:
    train_x, severe = distant_trigger.storms(1000, worlds.TRAINING)
accuracy = {}
for trf, dilations in KINDS.items():
    accuracy[trf] = []
    for i in range(3):
        keras.utils.set_random_seed(i)
        net = distant_trigger.detector(dilations)
        if RETRAIN:
            loss = keras.losses.BinaryCrossentropy(from_logits=True)
            options = {"epochs": 8, "batch_size": 50, "learning_rate": 5e-3}
            training.fit(net, train_x, np.float32(severe), loss=loss, **options)
        else:
            load_weights(net, f"distant_trigger_{trf}_seed_{i}")
        test_x, test_y = distant_trigger.storms(1000, worlds.CLAIMS + 1000 * i)
        says = net.predict(test_x, verbose=0)[:, 0] > 0
        accuracy[trf].append(100 * np.mean(says == test_y))
    size = receptive_field.trace(net).size_y["map"]
    print(f"box {size:.0f} pixels, {net.count_params()} parameters")

# %%
for trf, values in accuracy.items():
    print(f"TRF {trf}: {min(values):.0f} to {max(values):.0f} % right")

# %% [markdown]
# The small ones are guessing, and no training will help: what decides never reaches their answer. A loss curve does not
# say so. The box does, before any training.
#
# ### Exercise 3: choose an architecture
#
# Build a network for 256 x 256 pixels of 3 km, one channel, whose last layer sees at least 250 km, with at most 3000
# parameters, and no pixel of its box left out. Use any of depth, kernel, stride, pooling, dilation.
#
# <details><summary>Hint</summary>
#
# A 3 x 3 convolution from 8 to 8 channels has 584 parameters, whatever its dilation. Let the dilation grow from layer to layer.
#
# </details>

# %% tags=["exercise"]
chosen = ...

# %% tags=["solution"]
chosen = keras.Sequential([keras.Input((256, 256, 1))])
for rate in (1, 2, 4, 8, 16, 16):
    chosen.add(layers.Conv2D(8, 3, padding="same", dilation_rate=rate, activation="relu"))

# %% tags=["check"]
check.large_enough(chosen, kilometres=3, wanted=250, budget=3000)

# %% [markdown]
# **Think.** A front is 1000 km long and 50 km wide. Which of the two numbers must the box hold?
#
# <details><summary>An answer</summary>
#
# The 50 km, and some of the air on both sides, for a front is a contrast: 100 to 200 km will do to see
# that one is there. Only if the answer depends on its length, say to tell a front from a gust front, must
# the box hold the other number as well.
#
# </details>
#
# ## 4. What it really uses
#
# Inside the box not all pixels count alike. The *effective* receptive field (ERF) is the size of the gradient of
# one output pixel along each input pixel [@luo2016], here as root mean square over samples and channels. We ask the network of
# lesson 07, untrained and after 1, 3, 8 and 24 epochs, at 16 pixels, each in 8 scenes of its own. The lecture saw its ERF become
# *more focused*; Luo et al. saw theirs *grow*. **What do you expect?**

# %%
EPOCHS = {0: "_epoch_000", 1: "_epoch_001", 3: "_epoch_003", 8: "_epoch_008", 24: ""}
PIXELS = [(row, column) for row in range(36, 44, 2) for column in range(37, 45, 2)]
x = world.as_input(world.simulate(8 * len(PIXELS), worlds.CLAIMS, size=80))
found = [receptive_field.box(model, None, pixel, size=(80, 80)) for pixel in PIXELS]


def fields_of(net):
    """ERF of each pixel in its own scenes, shape (pixel, 80, 80)."""
    groups = zip(PIXELS, np.split(x, len(PIXELS)), strict=True)
    return np.array([receptive_field.effective(net, None, some, pixel) for pixel, some in groups])


erfs = {}
for epoch, ending in EPOCHS.items():
    load_weights(model, f"goes_mrms{ending}")
    erfs[epoch] = fields_of(model)

# %% [markdown]
# For the picture, the fields are moved so that their pixels coincide, and averaged. Each picture is as wide as the larger box, about
# 54 pixels, and has its own largest value as 1. In its title stands σ of a fitted Gaussian, in pixels, along rows and columns.


# %%
def together(maps, half=27):
    """Root mean square of fields around their own pixels, shape (55, 55)."""
    cuts = [
        m[r - half : r + half + 1, c - half : c + half + 1]
        for m, (r, c) in zip(maps, PIXELS, strict=True)
    ]
    return np.sqrt(np.mean(np.square(cuts), 0))


fig, axes = plt.subplots(1, 5, figsize=(11, 2.9))
for ax, (epoch, maps) in zip(axes, erfs.items(), strict=True):
    erf = together(maps)
    fit = receptive_field.fit_gaussian(erf)
    title = f"epoch {epoch}: σ {fit.sigma_y:.1f}, {fit.sigma_x:.1f}"
    plots.picture(ax, erf / erf.max(), title).set_cmap("magma")
fig.colorbar(ax.images[0], ax=axes, shrink=0.8, label="gradient / its maximum")
plots.show(fig, "effective")


# %%
def measure(maps):
    """For each pixel: 2 sigma over the box, share of the central half by half, fit of a Gaussian."""
    rows = []
    for erf, box in zip(maps, found, strict=True):
        ends = box.full_rows, box.full_columns
        inner = [slice(a + (b - a) // 4, b - (b - a) // 4) for a, b in ends]
        fit = receptive_field.fit_gaussian(erf, inner)
        width = 2 * np.sqrt(fit.sigma_y * fit.sigma_x / np.prod(box.full_size))
        rows.append((width, 100 * fit.share, 100 * fit.fit))
    return np.array(rows)


of_pixels = {epoch: measure(maps) for epoch, maps in erfs.items()}
print("epoch  2 sigma / box  central quarter (%)  Gaussian (%)")
for epoch, rows in of_pixels.items():
    width, share, fit = rows.mean(0)
    print(f"{epoch:5}{width:14.2f}{share:21.0f}{fit:14.0f}")

# %% [markdown]
# The sizes are means over single pixels. Before training the field is close to a Gaussian, about half of the box wide. Then it becomes
# more focused, as the lecture saw, and less Gaussian: a trained field is a few bright clusters. Luo et al. saw an ERF that
# grows while it trains. So neither is a law. One guess: radar echo depends mostly on what is near. This is one network:
# read it as an example.
#
# ## 5. Dense layers
#
# The convection classifier of lesson 06 ends with dense layers. From the first of them on, the field is everything. So ask the last
# spatial layer instead: it says what size of feature the extractor can find; the rest interprets.

# %% tags=["nbval-check-output"]
from utils.worlds import convection

classifier = networks.convection()
fields = receptive_field.trace(classifier)
print(fields[["kind", "size_y", "spatial"]].to_string())
print("last spatial layer:", fields.attrs["last_spatial"])

# %% [markdown]
# Is it everything in practice, too? Count the input pixels along which the logit of "convection" has a gradient, in 40 sequences,
# and ask how much of the gradient lies outside the best box of the last spatial layer's size.

# %%
from utils.explain import explain

load_weights(classifier, "convection")
sequences = convection.as_input(convection.simulate(40, worlds.CLAIMS))
slope = abs(explain(classifier, sequences, "gradient", output=1)).sum(-1)
width = int(fields.size_y[fields.attrs["last_spatial"]])
windows = np.lib.stride_tricks.sliding_window_view(slope, (width, width), (1, 2)).sum((3, 4))
moved = 100 * (slope > 0).mean((1, 2))
outside = 100 * (1 - windows.max((1, 2)) / slope.sum((1, 2)))
print(f"{moved.mean():.0f} % of the pixels, {outside.mean():.0f} % outside of {width} x {width}")

# %% [markdown]
# It is, nearly: almost every pixel moves the answer, and even the best box of the last spatial layer's size leaves two fifths
# of the gradient outside. That layer's field is the size of a feature, and the sequence's answer is made of features from everywhere.
#
# ## 6. Three small experiments
#
# Luo et al. say: subsampling and dilation enlarge the ERF, skip connections shrink it. Four networks of six 3 x 3 convolutions: plain,
# with skip connections, dilated by 2 in the second half, and with a pooling in the middle. Weights are random (the mean of 6 draws),
# the input is noise. **Order the four by the width of their ERF before you run.**


# %%
def variant(kind):
    """Six convolutions in a row, changed in one way."""
    x = start = keras.Input((64, 64, 1))
    for i in range(6):
        rate = 2 if kind == "dilated" and i >= 3 else 1
        y = layers.Conv2D(12, 3, padding="same", dilation_rate=rate, activation="relu")(x)
        x = layers.Add()([x, y]) if kind == "skip" and i else y
        if kind == "subsampled" and i == 2:
            x = layers.MaxPooling2D()(x)
    return keras.Model(start, layers.Conv2D(1, 1)(x))


# %%
noise = np.random.default_rng(0).normal(size=(16, 64, 64, 1))
sigmas = {}
for kind in ("plain", "skip", "dilated", "subsampled"):
    sigmas[kind] = []
    net = variant(kind)
    pixel = (net.output_shape[1] // 2,) * 2
    start = net.get_weights()
    for draw in range(6):
        rng = np.random.default_rng(draw)
        scales = [np.sqrt(2 / max(np.prod(w.shape[:-1]), 1)) * (w.ndim > 1) for w in start]
        net.set_weights([s * rng.normal(size=w.shape) for s, w in zip(scales, start, strict=True)])
        fit = receptive_field.fit_gaussian(receptive_field.effective(net, None, noise, pixel))
        sigmas[kind].append(np.sqrt(fit.sigma_y * fit.sigma_x))
    trf = receptive_field.box(net).full_size[0]
    print(f"{kind}: TRF {trf}, ERF sigma {np.mean(sigmas[kind]):.2f} pixels")

# %% [markdown]
# As Luo et al. say. The skip connections leave the TRF as it is: they are a short way for the gradient, and most of it stays near the
# middle.
#
# ## 7. The reward: one pixel, quickly
#
# Lesson 07 explains single pixels of large maps. What cannot reach the pixel gets no relevance. So cut the input to
# the box, explain, and paste the map into zeros: same numbers, a fraction of the work.

# %%
large = world.as_input(storm)
where = crops.cut(model, (100, 140), SIZE)
whole = lrp.relevance(model, large, "alpha_1_beta_0", (100, 140), layers=False).input
part = one_pixel.relevance(model, large, (100, 140), "alpha_1_beta_0").input
kept = (where.rows.stop - where.rows.start) * (where.columns.stop - where.columns.start)
print(f"{100 * kept / 256**2:.0f} % of the picture")
print("same numbers:", np.allclose(part, whole, rtol=0, atol=1e-5 * abs(whole).max()))

# %% [markdown]
# ## 8. Try it yourself
#
# Build a network from blocks of a convolution and, where pooling is 2, a pooling. Left are the boxes of all layers, cut at the
# picture's border (the title has the full size of the largest); right is the ERF with random weights. **Which control adds most kilometres for no parameter at all?**

# %%
draw = panel.prepare(image[64:192, 64:192], world.KM)
panels.panel(
    draw,
    "panel",
    blocks=IntSlider(3, 1, 5, description="blocks"),
    kernel=IntSlider(3, 1, 7, step=2, description="kernel"),
    dilation=IntSlider(1, 1, 4, description="dilation"),
    pool=IntSlider(2, 1, 2, description="pooling"),
)

# %% [markdown]
# ## 9. Final thoughts
#
# The lecture ends with three: insight comes from an **iterative, scientist-driven process**, in which tools assist and do not drive; no method fits all;
# and a network is not a black box any more, but not transparent either. What do the lessons say? Their claims met a truth, and the verdicts are counted here.
# **Before you run it:** how many of ten claims will hold?

# %%
from collections import Counter
from pathlib import Path

import pandas as pd

verdicts = {}
page = Path(course.__file__).parents[1] / "CLAIMS.md"
for part in page.read_text(encoding="utf-8").split("\n## [")[1:]:
    name = part[: part.index("]")]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    verdicts[name] = Counter(line.split(" | ")[-1].strip(" |") for line in lines)
counted = pd.DataFrame(verdicts).T.fillna(0).astype(int)
held = counted.filter(regex="^(holds|confirmed)").to_numpy().sum()
print(f"of ten claims {10 * held / counted.to_numpy().sum():.1f} hold")
counted

# %% [markdown]
# **For heat maps:** one look found the tag that the accuracy had hidden (01), and over many pixels LRP lay on the true causes of an echo better than every
# reference map (07). **Against:** most of the methods hardly notice when the weights they should explain are shuffled (04, 05); a channel with a few per cent of the relevance
# carries half of an estimate (07); and the unit that answers best to the tag can be switched off without any effect (02). What settled each case was an
# intervention that a scientist thought of.
#
# **To discuss:** which of these verdicts would turn in your own field? Which experiment would show it?
#
# > **Where it fails.** A box says what *can* count, not what does. An ERF is a gradient: it is local, and blind to what saturates. And
# > a box that is large enough is necessary, not sufficient.

# %% [markdown]
# ## In this lesson you
#
# - worked out receptive fields by formula and exactly, and saw where they differ,
# - turned them into kilometres, and saw a network fail that could not see far enough,
# - measured effective fields, over training, and with skips, dilation and subsampling,
# - cut a heat map's work down to the box.

# %% [markdown]
# ## Quiz
#
# <details><summary>1. Two networks have the same TRF. Do they use the same context?</summary>
#
# Not necessarily: the ERF depends on weights and architecture.
#
# </details>
#
# <details><summary>2. A network ends with global average pooling. What is its receptive field?</summary>
#
# Everything. Ask its last spatial layer for the size of the features it can find.
#
# </details>
#
# <details><summary>3. The exact box is 46 for one pixel and 54 for its neighbour. What is the cause?</summary>
#
# Upsampling: how many coarse pixels a filter reads depends on where it stands.
#
# </details>

# %% [markdown]
# ## Claims
#
# Goals are ours and were set before the measurement; intervals are 95 %, over pixels, sequences, networks, or draws of weights. The box is
# measured here, by the rows that have a gradient where all weights are positive.


# %% tags=["claims"]
from utils import claims

model.set_weights([abs(w) for w in model.get_weights()])
support = np.array([erf.any(1).sum() for erf in fields_of(model)])
claims.record(
    "rf-48",
    "The theoretical receptive field grows to 48 x 48 pixels.",
    "slide: Visualization of Theoretical Receptive Field (TRF)",
    "pixels by which its measured width differs from 48, at the pixel where it does least",
    abs(support - 48).min(),
    None,
    "<= 0",
    "pixels",
)
ERF = "slide: Effective Receptive Field (ERF)"
before, after = of_pixels[0], of_pixels[24]
for id, sentence, source, text, values, goal, unit in [
    (
        "centre",
        "The impact is not uniform within the box.",
        ERF,
        "share of the box's central quarter, after training (even: 25 %)",
        after[:, 1],
        ">= 50",
        "%",
    ),
    (
        "gaussian",
        "The effective receptive field has roughly a Gaussian distribution.",
        ERF,
        f"variance that a Gaussian explains, after training (before: {before[:, 2].mean():.0f} %)",
        after[:, 2],
        ">= 80",
        "%",
    ),
    (
        "focus",
        "The effective receptive field changes during training; here it gets more focused.",
        ERF,
        "share of the box's central quarter, change by training",
        after[:, 1] - before[:, 1],
        "> 0",
        "points",
    ),
    (
        "training-growth",
        "The effective receptive field grows with training.",
        "luo2016",
        "its sigma after training over that before",
        after[:, 0] / before[:, 0],
        "> 1",
        "",
    ),
]:
    result = skill.bootstrap(np.mean, values)
    claims.record(f"rf-{id}", sentence, source, text, *result, goal, unit)

# %% tags=["claims"]
small, large = np.array(accuracy[21]), np.array(accuracy[25])
claims.record(
    "rf-gain",
    "The theoretical receptive field must be big enough to capture the feature.",
    ERF,
    "accuracy with a field just large enough minus that with one just too small",
    *skill.bootstrap(np.mean, large - small),
    ">= 30",
    "points",
)
claims.record(
    "rf-dense",
    "Once you reach a dense layer, the receptive field is the entire input space.",
    "slide: Architecture for classification",
    "share of the input with a gradient",
    *skill.bootstrap(np.mean, moved),
    ">= 90",
    "%",
)

# %% [markdown]
# ## References
#
# - [@araujo2019]: the formula, and a fine interactive article
# - [@luo2016]: effective receptive fields
# - [@orlanski1975]: scales of weather
# - [@ebertuphoff2020]: evaluation, tuning and interpretation of networks for meteorology
# - [@lecture]: the lecture
