# %% [markdown]
# # 09 Receptive fields
#
# ![A satellite picture with red boxes that grow from layer to layer](../pictures/receptive_fields.png)
#
# **Question:** how large a piece of weather can a network see at once, and how much of it does it use?
#
# **Objectives:** you can
# - work out the receptive field of any layer, by formula and exactly,
# - turn it into kilometres, and choose an architecture by it,
# - measure the effective receptive field, and say how it changes with training,
# - say what a dense layer does to it.
#
# **Minutes:** 50 teaching, 30 exercises.
#
# **Prerequisites:** NumPy arrays and convolutional layers (necessary); lessons 06 and 07 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ipywidgets import IntSlider
from scipy.ndimage import uniform_filter

from utils import course, networks, panels, plots, receptive_field, skill, training, worlds
from utils.check import receptive_fields as check
from utils.explain import explain
from utils.panels import receptive_fields as panel
from utils.plots import receptive_fields
from utils.weights import load_weights
from utils.worlds import convection, distant_trigger
from utils.worlds import goes_mrms as world

course.start("09_receptive_fields", seed=0)

from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. What can reach a pixel?
#
# So far we have asked a trained network where it looked. This lesson asks something simpler, which
# you can answer before any training: where *can* it look? Take one pixel of some layer. The smallest
# box of input pixels that holds everything connected to it is its **theoretical receptive field**
# (TRF). A layer cannot recognise a pattern that is larger than its box.
#
# A convolution of size $k$ widens the box by $k - 1$ pixels of its *own* input. After strides
# $s_1, s_2, \dots$ each of those is $s_1 s_2 \cdots$ pixels of the picture wide, so that
# [@araujo2019]
#
# $$r_l = 1 + \sum_{i \le l} (k_i - 1) \prod_{j < i} s_j .$$
#
# Here $r_l$ is the size of the TRF after layer $l$, and $k_i$ and $s_i$ are the size and the stride of
# layer $i$. Pooling over 2 pixels counts as a convolution with $k = s = 2$. A filter with *dilation*
# $d$ leaves out $d - 1$ pixels between its weights. It counts as one of size $d (k - 1) + 1$, and it
# needs no additional weights for that.
#
# ### Exercise 1: by hand
#
# These are the first seven layers of the lecture's encoder-decoder, three blocks of a convolution (C)
# and a pooling (P), and one more convolution. Give `sizes`, the TRF after each layer, shape (7,).
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
# `receptive_field.trace` does this for any network. Below are all thirteen layers of the
# encoder-decoder from lesson 07 (U is an upsampling, which divides the step by two in the formula; the last
# convolution is 1 x 1). `field` is $r_l$, and `step` says how many
# pixels of the picture lie between neighbours of the layer. The figure shows five layers' boxes on a
# storm, as `receptive_field.box` finds them for one pixel.

# %% tags=["nbval-check-output"]
SIZE = (256, 256)
model = networks.encoder_decoder(size=None)
table = receptive_field.trace(model, SIZE)
names = panel.letters(table)
in_short = table.set_axis(names)[["size_y", "step_y"]].T.astype(int)
print(in_short.set_axis(["field", "step"]).to_string())

# %% tags=["figure"]
storm = world.simulate(1, worlds.VALIDATION, size=256)
c13 = storm.c13[0].values
image = (c13.max() - c13) / (c13.max() - c13.min())
echo = uniform_filter(storm.mrms[0].values, 46)[48:-48, 48:-48]
middle = tuple(int(i) + 48 for i in np.unravel_index(echo.argmax(), echo.shape))
centre = middle[0], middle[1] + 4  # a pixel whose boxes are square
shown = [0, 2, 4, 6, 12]
found = []
for layer in shown:
    pixel = tuple(int(place // table.step_y.iloc[layer]) for place in centre)
    found.append(receptive_field.box(model, table.index[layer], pixel, size=SIZE))
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4.5))
receptive_fields.boxes(left, image, found[-1:], "the whole picture, 768 km")
receptive_fields.boxes(right, image, found, "around the strongest echoes, 192 km")
for layer, one in zip(shown, found, strict=True):
    label = f"{names[layer]}: {one.size[0]}"
    style = {"fontsize": 8, "color": "white", "va": "bottom"}
    dark = {"facecolor": plots.INK, "edgecolor": "none", "pad": 1}
    right.text(one.columns.start, one.rows.start - 0.7, label, bbox=dark, **style)
right.set(xlim=(centre[1] - 32, centre[1] + 32), ylim=(centre[0] + 32, centre[0] - 32))
plots.show(fig, "boxes")

# %% [markdown]
# At the beginning the box holds a patch of one cloud top, and at the end a piece of a storm's eastern
# edge with the clear sky next to it. Boxes grow most where the picture has been made small: the last convolution before the decoder adds 16 pixels, the
# first one only 2.
#
# ## 2. The slide says 48
#
# How large is the box of the last layer? The lecture's slide says 48 x 48. The formula gives 50. And
# the box in the figure has 54. **Which one is right?** The next cell asks for the exact box of 32
# output pixels, one below the other. Make up your mind first.

# %% tags=["nbval-check-output"]
rows = np.arange(112, 144)
exact = np.array([receptive_field.box(model, None, (int(r), 128), SIZE).size[0] for r in rows])
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
plots.show(panel.squares(model, (113, 114), SIZE), "squares")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The box has 46 or 54 pixels, in turns of four rows. 54 and 46 are both right, each for half of the
# rows; 50 and 48 never are. The formula gives the mean of the two.
#
# The second figure shows why, for two neighbours. Read it from the top. A row of the output is a copy
# of one row of the 1/2 grid (dark), and the filter there reads a row more on each side (pale). These
# three rows are copies, too, of rows of the 1/4 grid. Three neighbours always come from exactly *two*
# coarse rows, wherever they lie. With one more on each side, four rows of the 1/4 grid are read. And
# here the two neighbours differ. Four rows come from two rows of the 1/8 grid if they happen to
# begin where one of its squares begins, and from three if they do not. So four or five rows are read
# there, which makes 46 or 54 pixels of the input.
#
# We do not know where the slide's 48 comes from.
#
# </details>
#
# ### Exercise 2: another filter
#
# Now suppose that the filters on all three coarse grids were *five* rows wide. Would boxes still come in two sizes?
# Give `read`, shape (32,), the number of rows of the 1/8 grid that each output row in `rows` would need.
#
# <details><summary>Hint</summary>
#
# Follow `first` and `last`, the ends of what is needed. On the 1/2 grid both are `rows // 2`. A
# five-wide filter adds two at each end, and going to a coarser grid halves, rounded down. On the 1/8
# grid there is one more filter.
#
# </details>

# %% tags=["exercise"]
read = ...

# %% tags=["solution"]
first = last = rows // 2  # on the 1/2 grid
for _ in range(2):  # to the 1/4 grid, and to the 1/8 grid
    first, last = (first - 2) // 2, (last + 2) // 2
read = (last + 2) - (first - 2) + 1

# %% tags=["check"]
check.squares_read(read, rows, width=5)

# %% [markdown]
# ## 3. Large enough for the weather?
#
# The lecture's key lesson is to *make sure that your theoretical receptive field is big enough* for
# the features that matter. One pixel of the lecture's network is 3 km wide, so we can turn boxes into
# kilometres. The bands in the figure are Orlanski's classes of weather [@orlanski1975], each with an
# example. Dots are layers (two for the last one, whose box has 46 or 54 pixels), and squares are typical sizes.

# %% tags=["figure"]
kilometres = {names[i]: table.size_y.iloc[i] * world.KM for i in (0, 2, 4, 6, 8)}
kilometres[names[12]] = np.unique(exact) * world.KM
typical = {"thunderstorm": 15, "squall line": 200, "hurricane": 600}  # km
fig, ax = plt.subplots(figsize=(9, 4.4))
receptive_fields.scales(ax, kilometres)
rows_below = np.arange(len(typical)) + len(kilometres)
ax.plot(list(typical.values()), rows_below, "s", color=plots.INK)
ax.set_yticks(range(rows_below[-1] + 1), [*kilometres, *typical])
ax.set_ylim(rows_below[-1] + 0.6, -2.2)
plots.show(fig, "scales")

# %% [markdown]
# The last layer sees 138 or 162 km. That is room for a thunderstorm and for many a sea breeze, but not for
# a front from end to end. On another grid the same number of pixels has another size. **Your own
# field:** put your grid spacing and the features you care about into the next cell. It prints how
# many pixels a box must have to hold each of them once. A dash means that the feature is smaller than a pixel, so that no box helps.

# %%
spacing = {"GOES infrared": 2, "the lecture's grid": 3, "ERA5": 28, "a climate model": 100}  # km
features = {"thunderstorm": 15, "squall line": 200, "hurricane": 600, "cyclone": 2000}  # km
needed = {
    grid: {
        feature: str(int(np.ceil(size / km))) if size >= km else "-"
        for feature, size in features.items()
    }
    for grid, km in spacing.items()
}
print(pd.DataFrame(needed).to_string())

# %% [markdown]
# The sizes are typical ones, rounded. With a box of 46 or 54 pixels the lecture's network cannot hold a
# squall line on its own grid, but on a grid like ERA5's it could hold a hurricane.
#
# What happens when the box is too small? Here is a task with a known answer. A storm in the centre of the picture
# is severe if there is a trigger to its *west*, in the pixels 11 to 13 away from the centre. Otherwise the trigger
# lies as far away to the *east*. Two kinds of network have the same number of parameters and differ only in their
# dilations. The box of one is 21 pixels wide, and that of the other 25. We have trained three of each, from
# different first random weights. How many answers out of 100 will be right?

# %% tags=["guess"]
guess = {"box of 21 pixels": None, "box of 25 pixels": None}

# %%
KINDS = {21: [1, 2, 3, 4], 25: [1, 2, 4, 5]}  # TRF in pixels: dilations of four convolutions
RETRAIN = False  # True trains all six, in about two minutes
if RETRAIN:
    train_x, train_y = distant_trigger.storms(1000, worlds.TRAINING)
accuracy, trigger_boxes = {}, {}
for trf, dilations in KINDS.items():
    accuracy[trf] = []
    for i in range(3):
        keras.utils.set_random_seed(i)
        net = distant_trigger.detector(dilations)
        if RETRAIN:
            loss = keras.losses.BinaryCrossentropy(from_logits=True)
            options = {"epochs": 8, "batch_size": 50, "learning_rate": 5e-3}
            training.fit(net, train_x, np.float32(train_y), loss=loss, **options)
        else:
            load_weights(net, f"distant_trigger_{trf}_seed_{i}")
        test_x, severe = distant_trigger.storms(1000, worlds.CLAIMS + 1000 * i)
        says = net.predict(test_x, verbose=0)[:, 0] > 0
        accuracy[trf].append(100 * np.mean(says == severe))
    trigger_boxes[trf] = receptive_field.box(net, "map", (16, 16))

# %% tags=["figure"]
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4))
for ax, which, title in zip(axes, (True, False), ("severe", "not severe"), strict=True):
    one = test_x[np.argmax(severe == which), ..., 0]
    for trf, colour in ((21, plots.ORANGE), (25, plots.BLUE)):
        scaled = np.clip((one + 1) / 3, 0, 1)
        receptive_fields.boxes(ax, scaled, [trigger_boxes[trf]], title, colour)
plots.show(fig, "trigger")
for trf, values in accuracy.items():
    said = plots.guess_text(guess, f"box of {trf} pixels", " %")
    each = ", ".join(f"{value:.0f}" for value in values)
    print(f"box of {trf} pixels, three networks: {each} % right{said}")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# A box of 21 pixels ends 10 pixels from the centre, just before the trigger begins. A box of 25 ends at 12, and holds two of
# the trigger's three columns. The networks with the smaller box do no better than a coin, and no amount of training will
# help them, because the trigger never reaches their output. Those with the larger box are right every time.
# The box tells you so before any training.
#
# </details>
#
# ### Exercise 3: choose an architecture
#
# Build a network for one channel of 256 x 256 pixels of 3 km. Its last layer should see at least
# 250 km, it may have at most 3000 parameters, and no pixel of its box may be left out. Depth, kernel,
# stride, pooling and dilation are up to you.
#
# <details><summary>Hint</summary>
#
# A 3 x 3 convolution from 8 to 8 channels has 584 parameters, whatever its dilation. Let the dilation
# grow from layer to layer.
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
# The 50 km, and some of the air on both sides, since a front is a contrast: 100 to 200 km will do to
# see that one is there. Only if the answer depends on the length, say to tell a front from a gust
# front, must the box hold the other number as well.
#
# </details>
#
# ## 4. What does it really use?
#
# Not all pixels in the box count alike. The **effective receptive field** (ERF) shows how strongly
# each input pixel moves one output pixel [@luo2016]. It is the size of the gradient along each
# pixel, here as the root mean square over samples and channels. We take the network of lesson 07
# before training and after 1, 3, 8 and 24 epochs, and 16 of its output pixels, each in eight scenes
# of its own.
#
# To have one number, we take the **half radius**: the radius of the circle around the output pixel that
# holds half of the gradient. The lecture saw its field become *more focused* in training. Luo et al. saw
# theirs *grow*. What will this one do? Guess its half radius after one epoch, and at the end of training, divided by
# the half radius before training. Less than 1 is more focused, and more than 1 is wider.

# %% tags=["guess"]
guess = {"after 1 epoch": None, "after 24 epochs": None}

# %%
EPOCHS = {0: "_epoch_000", 1: "_epoch_001", 3: "_epoch_003", 8: "_epoch_008", 24: ""}
PIXELS = [(row, column) for row in range(36, 44, 2) for column in range(37, 45, 2)]
x = world.as_input(world.simulate(8 * len(PIXELS), worlds.CLAIMS, size=80))
pixel_boxes = [receptive_field.box(model, None, pixel, size=(80, 80)) for pixel in PIXELS]


def fields_of(net):
    """ERF of each pixel in its own scenes, shape (pixel, 80, 80)."""
    groups = zip(PIXELS, np.split(x, len(PIXELS)), strict=True)
    return np.array([receptive_field.effective(net, None, some, pixel) for pixel, some in groups])


# %%
def half_radius(erf, pixel):
    """Radius in pixels of the circle around a pixel that holds half of the gradient."""
    rows, columns = np.indices(erf.shape)
    distance = np.hypot(rows - pixel[0], columns - pixel[1]).ravel()
    order = np.argsort(distance)
    return distance[order][np.searchsorted(erf.ravel()[order].cumsum(), erf.sum() / 2)]


def measure(maps):
    """For each pixel: half radius, share of the central half by half, fit of a Gaussian, in %."""
    rows = []
    for erf, box, pixel in zip(maps, pixel_boxes, PIXELS, strict=True):
        ends = box.full_rows, box.full_columns
        inner = [slice(a + (b - a) // 4, b - (b - a) // 4) for a, b in ends]
        fit = receptive_field.fit_gaussian(erf, inner)
        rows.append((half_radius(erf, pixel), 100 * fit.share, 100 * fit.fit))
    return np.array(rows)


erfs = {}
for epoch, ending in EPOCHS.items():
    load_weights(model, f"goes_mrms{ending}")
    erfs[epoch] = fields_of(model)
of_pixels = {epoch: measure(maps) for epoch, maps in erfs.items()}

# %% tags=["figure"]
fig, axes = plt.subplots(1, 5, figsize=(11, 2.9))
for ax, (epoch, maps) in zip(axes, erfs.items(), strict=True):
    cuts = [m[r - 27 : r + 28, c - 27 : c + 28] for m, (r, c) in zip(maps, PIXELS, strict=True)]
    erf = np.sqrt(np.mean(np.square(cuts), 0))
    plots.picture(ax, erf / erf.max(), f"epoch {epoch}").set_cmap("magma")
    radius = of_pixels[epoch][:, 0].mean()
    ax.add_patch(plt.Circle((27, 27), radius, fill=False, ec="white", lw=1.2))
fig.colorbar(ax.images[0], ax=axes, shrink=0.8, label="gradient / its maximum")
plots.show(fig, "effective")

# %%
of_epochs = pd.DataFrame({epoch: values.mean(0) for epoch, values in of_pixels.items()}).T
of_epochs.columns = ["half radius (pixels)", "in the central quarter (%)", "Gaussian explains (%)"]
print(of_epochs.rename_axis("epoch").round(2).to_string())
for epoch, name in ((1, "after 1 epoch"), (24, "after 24 epochs")):
    ratio = of_epochs.iloc[:, 0][epoch] / of_epochs.iloc[:, 0][0]
    print(f"half radius {name} over that before: {ratio:.2f}{plots.guess_text(guess, name)}")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Before training, the field is a smooth hill, close to a Gaussian. In the first epoch it collapses: its
# half radius falls from 14 to 9 pixels, and the share of the central quarter rises from a half to three
# quarters. After epoch 3 it grows again, and it ends three quarters as large as it began. So the slide
# and Luo et al. are each right for a part of the training. By the end the field is less of a Gaussian
# than ever, with one bright core, and around it a dim and patchy part that has grown.
#
# Radar echo depends mostly on what is near, which may be the reason why the core stays. But this is one
# network, and one example.
#
# </details>
#
# ## 5. What do dense layers do?
#
# Both networks below begin alike, with layers that extract features. The encoder-decoder goes on with
# maps up to its output. The convection classifier of lesson 06 ends in dense layers, each unit of
# which is connected to every place of the layer before. A blue block is as high as the layer's map compared with
# the picture, so pooling over 2 pixels halves it, and the classifier's last pooling, over 8 pixels, leaves an
# eighth. Layers without a map are orange, and their height means nothing.

# %% tags=["figure"]
classifier = networks.convection()
load_weights(classifier, "convection")
of_classifier = receptive_field.trace(classifier)
translator = networks.encoder_decoder(size=256)
drawn = {
    "image translation: the encoder-decoder of lesson 07": (
        translator,
        receptive_field.trace(translator),
    ),
    "classification: the convection network of lesson 06": (classifier, of_classifier),
}
plots.show(panel.blocks(drawn), "blocks")

# %% [markdown]
# From the first dense layer on, the receptive field is the whole input, so it no longer tells networks
# apart. The slide's advice is to ask the last layer *before* it (here 46 pixels) for the size of the
# features that the network can find. The rest then interprets them. The step from 18 to 46 pixels
# comes from the last pooling, which takes the largest of 8 x 8 places at once, and each of those is
# four pixels wide.
#
# Can an answer really depend on everything? In 40 sequences we count the input pixels along which
# the logit of "convection" has a gradient. And since a gradient may be tiny, we also look for the one
# box of 46 pixels that holds most of it, and print what lies outside, next to what an even gradient
# would leave there.

# %% tags=["nbval-check-output"]
sequences = convection.as_input(convection.simulate(40, worlds.CLAIMS))
slope = abs(explain(classifier, sequences, "gradient", output=1)).sum(-1)
width = int(of_classifier.size_y[of_classifier.attrs["last_spatial"]])
windows = np.lib.stride_tricks.sliding_window_view(slope, (width, width), (1, 2)).sum((3, 4))
moved = 100 * (slope > 0).mean((1, 2))
outside = 100 * (1 - windows.max((1, 2)) / slope.sum((1, 2)))
print(f"{moved.mean():.0f} % of the pixels move the answer")
print(f"{outside.mean():.0f} % of the gradient lies outside of the best {width} x {width} box")
print(f"of an even gradient: {100 * (1 - width**2 / slope[0].size):.0f} %")

# %% [markdown]
# 96 % of the pixels move the answer, and 39 % of the gradient lies outside of even the best box, where
# an even gradient would leave 48 %. So "46 pixels" and "all" are both true, and they answer different
# questions. A *feature* is at most 46 pixels wide, and the *answer* is put together from features all
# over the picture.
#
# ## 6. Skip connections, dilation, pooling
#
# Here are four networks of six 3 x 3 convolutions. One is plain, one has skip connections, one is
# dilated by 2 in its second half, and one has a pooling in the middle. Their weights are random, and
# each field is the root mean square of six draws. **Put the four in the order of the size of their effective fields, before
# you run the cell.**


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


def random_fields(net, draws=6):
    """ERF of the middle pixel for random weights, shape (draw, 64, 64)."""
    start, fields = net.get_weights(), []
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        scales = [np.sqrt(2 / max(np.prod(w.shape[:-1]), 1)) * (w.ndim > 1) for w in start]
        net.set_weights([s * rng.normal(size=w.shape) for s, w in zip(scales, start, strict=True)])
        pixel = (net.output_shape[1] // 2,) * 2
        fields.append(receptive_field.effective(net, None, noise, pixel))
    return np.array(fields)


# %%
noise = np.random.default_rng(0).normal(size=(16, 64, 64, 1))
variants = {kind: variant(kind) for kind in ("plain", "skip", "dilated", "subsampled")}
variant_fields = {kind: random_fields(net) for kind, net in variants.items()}

# %% tags=["figure"]
fig, axes = plt.subplots(1, 4, figsize=(9, 2.9))
for ax, (kind, drawn_fields) in zip(axes, variant_fields.items(), strict=True):
    fits = [receptive_field.fit_gaussian(erf) for erf in drawn_fields]
    sigmas = [np.sqrt(fit.sigma_y * fit.sigma_x) for fit in fits]
    sigma, spread = np.mean(sigmas), np.std(sigmas, ddof=1)
    box = receptive_field.box(variants[kind])
    erf = np.sqrt(np.mean(np.square(drawn_fields), 0))
    title = f"{kind}:\nσ = {sigma:.2f} ± {spread:.2f}"
    receptive_fields.boxes(ax, erf / erf.max(), [box], title)
    ax.images[0].set_cmap("magma")
    ax.set(xlim=(18.5, 45.5), ylim=(45.5, 18.5))
    print(f"{kind}: TRF {box.full_size[0]} pixels, σ over TRF {sigma / box.full_size[0]:.2f}")
fig.colorbar(axes[0].images[0], ax=axes, shrink=0.8, label="gradient / its maximum")
plots.show(fig, "variants")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The field is smallest with skip connections, larger in the plain network, and larger still with
# dilation or a pooling, as Luo et al. report. Between these last two our six draws show no order. But look at the boxes, too. Dilation and
# pooling enlarge the *theoretical* field by about as much, so measured in boxes the field is about as
# wide as the plain network's. Only the skip connections change the effective field and leave the box
# as it is. Much of the gradient takes the short way past the convolutions, and so stays near the middle.
#
# </details>
#
# > **A use for the box.** What cannot reach a pixel gets no relevance. So `one_pixel.relevance` cuts the
# > input to a little more than the pixel's box, explains that, and pastes the map into zeros.

# %% [markdown]
# ## 7. Try it yourself
#
# Build a network from blocks of a convolution and, where pooling is 2, a pooling. On the left are the
# boxes of all layers, cut at the picture's border, with the full size of the largest in the title. On
# the right is the effective field with random weights, enlarged to the size of that box. Watch the number of parameters. **Which two controls add kilometres without parameters, and
# which of them would you use in a deep network?**

# %%
rows_shown, columns_shown = (
    slice(max(0, place - 64), max(0, place - 64) + 128) for place in middle
)
draw = panel.prepare(image[rows_shown, columns_shown], world.KM)
panels.panel(
    draw,
    "panel",
    blocks=IntSlider(3, 1, 5, description="blocks"),
    kernel=IntSlider(3, 1, 7, step=2, description="kernel"),
    dilation=IntSlider(1, 1, 4, description="dilation"),
    pool=IntSlider(2, 1, 2, description="pooling"),
)

# %% [markdown]
# <details><summary>An answer</summary>
#
# Dilation and pooling both cost no parameters. Dilation adds the same to each block, so the box
# grows in proportion to the depth. Pooling doubles the step, so that each block adds twice as much as
# the one before. With three blocks a dilation of 4 gives the larger box, though the same dilation in
# every block leaves holes in it, which exercise 3 forbids. From four blocks on pooling
# does, but it pays in detail, and wherever the output must be sharp an encoder-decoder has to buy
# that back.
#
# </details>
#
# > **Where it fails.** A box says what *can* count, not what does. An effective field is a gradient,
# > and so it is local and blind to whatever has saturated. And a box that is large enough is
# > necessary, not sufficient.
#
# ## 8. What you can take home
#
# In eight lessons you asked where a network looks; here, how far it can. In each lesson a tool showed something, something
# misled us, and an experiment decided.
#
# | lesson | we asked | with | it showed | what fooled us | what decided |
# |---|---|---|---|---|---|
# | [01](01_clever_hans.ipynb) | right for the right reason? | heat maps, SpRAy | a network that reads the photographer's tag | a good test score | cutting and pasting the tag |
# | [02](02_feature_visualization.ipynb) | what is a unit for? | favourite and made-up pictures | units that respond to the tag | the best responder hardly matters | switching units off |
# | [03](03_layerwise_relevance.ipynb) | where does a logit come from? | LRP by hand | what each rule keeps and loses | an input of zero gets nothing | taking it away |
# | [04](04_innvestigate.ipynb) | which heat map? | a dozen methods | maps that contradict each other | the map that looks best | a cause we had planted |
# | [05](05_tf_explain.ipynb) | can we trust the picture? | a second toolbox | drawings that look alike | each is scaled to itself | numbers, and hiding parts |
# | [06](06_convection.ipynb) | brightness or texture? | LRP and controls | relevance on bright clouds | a rule that follows brightness by itself | the same storm, smoothed or dimmed |
# | [07](07_goes_to_mrms.ipynb) | why this echo? | LRP of one pixel | lightning, cloud edges, dense cloud | little relevance taken for little use | erasing the lightning |
# | [08](08_climate_indicators.ipynb) | where does a changing climate show? | LRP over many maps | regions that tell the year | a fit that other maps reach as well | random weights, another scaling |
# | 09 | how far can it see? | boxes, gradients | a number before any training | a formula that is right on average | a cause just outside the box |
#
# The lecture ends with a picture. A network is like a backpack, and these tools are the X-ray at the
# airport. You see outlines and some of what lies behind them, one thing over another. It is *not
# perfect, but better than a black box*. Now you can say what that means. You **can** see where the
# evidence for one answer lies, whether that looks like a strategy an expert would accept, and how much of
# the weather could have counted. You **cannot** see from a heat map whether the answer would change
# without what is red, what the network would do with something new, or whether a white part was
# ignored or cancelled. For these you have to open the backpack: change the input, or the network, and
# look again. The tools told us where to look. What to change, and what to compare with, somebody had
# to think of, and for many of these experiments it took some knowledge of clouds or of climate.
#
# **Before you go:** write one more row of the table, for a network of your own.

# %% [markdown]
# ## In this lesson you
#
# - worked out receptive fields by formula and exactly, and saw where the two differ,
# - turned them into kilometres, and watched networks fail that could not see far enough,
# - measured effective fields, over training and for four architectures,
# - and looked back over the course.
#
# Lesson [10](10_large_archive.ipynb) is optional. It explains more maps than fit into memory, and has
# room for a network of your own.

# %% [markdown]
# ## Quiz
#
# <details><summary>1. Two networks have the same TRF. Do they use the same context?</summary>
#
# Not necessarily. The ERF depends on the weights and on the architecture, too; skip connections, for
# example, shrink it and leave the TRF as it is.
#
# </details>
#
# <details><summary>2. A network ends with global average pooling. What is its receptive field?</summary>
#
# Everything. Ask its last layer before that for the size of the features it can find.
#
# </details>
#
# <details><summary>3. The exact box is 46 for one pixel and 54 for its neighbour. What is the cause?</summary>
#
# Upsampling. Four neighbouring rows of a fine grid are copies of two or of three coarse rows,
# depending on where they begin.
#
# </details>

# %% [markdown]
# ## Claims
#
# Goals are ours; intervals are 95 %, over 16 pixels of one network, 40 sequences, or three networks. For the first claim the box is
# measured, by the rows that have a gradient where all weights are positive.

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
for id, sentence, text, values, goal, unit in [
    (
        "centre",
        "The impact is not uniform within the box.",
        "share of the box's central quarter, after training (even: 25 %)",
        after[:, 1],
        ">= 50",
        "%",
    ),
    (
        "gaussian",
        "The effective receptive field has roughly a Gaussian distribution.",
        f"variance that a Gaussian explains, after training (before: {before[:, 2].mean():.0f} %)",
        after[:, 2],
        ">= 80",
        "%",
    ),
    (
        "focus",
        "The effective receptive field changes during training; here it gets more focused.",
        "its half radius after training over that before (Luo et al. saw it grow)",
        after[:, 0] / before[:, 0],
        "< 1",
        "",
    ),
]:
    claims.record(f"rf-{id}", sentence, ERF, text, *skill.bootstrap(np.mean, values), goal, unit)
too_small, large_enough = np.array(accuracy[21]), np.array(accuracy[25])
claims.record(
    "rf-gain",
    "The theoretical receptive field must be big enough to capture the feature.",
    ERF,
    "accuracy with a field just large enough minus that with one just too small",
    *skill.bootstrap(np.mean, large_enough - too_small),
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
