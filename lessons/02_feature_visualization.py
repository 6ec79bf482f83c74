# %% [markdown]
# # 02 Feature visualization
#
# ![A picture that excites one channel of the horse network, and a made-up one that excites it more](../pictures/feature_visualization.png)
#
# **Question:** what does a single part of a network respond to, and does knowing it explain the network?
#
# **Objectives:** you can
# - find the samples that excite a unit, and test by experiment what in them does it,
# - make up an input that excites a unit, and say what a regulariser adds to it,
# - switch units off, and tell "it responds to X" from "the answer depends on it",
# - make an adversarial change, and say what it can and cannot tell you.
#
# **Minutes:** 45 teaching, 35 exercises.
#
# **Prerequisites:** NumPy arrays and lesson 01 (necessary); the idea of a gradient (necessary).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import Dropdown, IntSlider
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from utils import claims, course, features, networks, panels, plots, skill, worlds
from utils.check import feature_visualization as check
from utils.panels import feature_visualization as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world

course.start("02_feature_visualization", seed=0)

# %% [markdown]
# A heat map asks about one sample: where in *this* picture did the network find its answer? The lecture calls that
# **Type B**. **Type A**, feature visualization, asks about the network itself: what does each of its inner parts respond
# to? These words will come up again and again:
#
# - A convolution makes a stack of maps, and each map is a **channel**: the result of one filter, tried at every place.
# - A **unit** is a single number in such a stack, one channel at one place. In a dense layer every number is a unit.
# - The **excitation** of a unit is its value before ReLU. For a channel it is the largest such value over all places.
#
# Here is the horse network of lesson 01, which fell for the photographer's tag. Somewhere among its channels it keeps that
# trick. Where?

# %%
from tensorflow import keras

model = networks.clever_hans()
load_weights(model, "clever_hans")
data = worlds.open_world("clever_hans")
pictures, tagged = data.picture.values, data.truth_has_tag.values
model.summary(line_length=70)
LAYER = model.layers[6].name  # the last convolution: 64 channels of 8 x 8 places

# %% [markdown]
# ## 1. Method 1: which samples excite it most?
#
# Send all samples through the network, sort them by the excitation of one channel, and look at the top of the list. Xie and
# others did this with a network for satellite images, and found filters for roads, buildings and farmland [@xie2016].
# We have 200 pictures, and choose channel 53 of the last convolution. What do its favourites have in common?

# %%
CHANNEL = 53
top = features.strongest_samples(model, pictures, LAYER, CHANNEL, n=8)
fig, axes = plt.subplots(2, 4, figsize=(8, 4.6))
for ax, i, value in zip(axes.flat, top.index, top.excitation, strict=True):
    plots.picture(ax, pictures[i], f"excitation {value:.1f}")
plots.show(fig, "favourites")
print(
    f"with a tag: {tagged.mean():.0%} of all 200 pictures, {tagged[top.index].mean():.0%} of these"
)

# %% [markdown]
# Every one of them has a tag. But every one also has a horse, since in this world no picture has a tag without one. On the
# lecture's slide the favourites show a building below a sky, and the same question stays open: **what in the picture
# triggered it?** The samples alone cannot say. An experiment can: cover a part of the picture, and see how much of the
# excitation is left.
#
# ### Exercise 1: cover a part
#
# `excited(pictures)` takes pictures, shape (sample, y, x, channel), and gives the excitation of each. Write a function that
# covers `picture`, shape (y, x, channel), with a grey square (value 0.5) of 8 x 8 pixels whose upper left pixel is
# (row, column), and returns **how much** the excitation falls. Leave the given picture as it is.
#
# <details><summary>Hint</summary>
#
# Work on `covered = picture.copy()`, and set the rows from `row` to `row + 8` and the columns from `column` to `column + 8`.
# `excited` wants a stack of pictures, and `covered[None]` is a stack of one.
#
# </details>


# %%
def excited(some):
    """Excitation of channel 53, shape (sample,), by pictures of shape (sample, y, x, channel)."""
    return features.excitation(model, some, LAYER, CHANNEL)


# %% tags=["exercise"]
def drop(picture, row, column):
    """How much the excitation falls when the square at (row, column) is covered."""
    return ...


# %% tags=["solution"]
def drop(picture, row, column):
    """How much the excitation falls when the square at (row, column) is covered."""
    covered = picture.copy()
    covered[row : row + 8, column : column + 8] = 0.5
    before, after = excited(np.stack([picture, covered]))
    return before - after


# %% tags=["check"]
check.drop(drop, excited, pictures[top.index[0]])

# %% [markdown]
# The next cell moves such a square over all of four favourites, and gives each pixel the mean fall caused by the squares
# that covered it. Where will it be red, on the horse or on the tag? Guess the share of the fall that lies on the tag, in per
# cent. (The tag fills about four per cent of the picture.)

# %% tags=["guess"]
guess = {"on the tag": None}


# %%
def drops(picture, size=8, step=4):
    """Mean fall by the squares over each pixel, shape (y, x)."""
    starts = range(0, 64 - size + 1, step)
    squares = np.zeros((len(starts) ** 2, 64, 64, 1), bool)
    for square, (row, column) in zip(squares, np.ndindex(len(starts), len(starts)), strict=True):
        square[row * step : row * step + size, column * step : column * step + size] = True
    by_square = excited(picture[None])[0] - excited(np.where(squares, 0.5, picture))
    return (by_square[:, None, None] * squares[..., 0]).sum(0) / squares[..., 0].sum(0)


drop_maps = np.stack([drops(pictures[i]) for i in top.index])
tags = data.truth_tag.values[top.index]
on_tag = 100 * skill.relevance_share(drop_maps, tags)
limit = plots.colour_limit(drop_maps[:4])
fig, axes = plt.subplots(2, 4, figsize=(9, 4.9))
for n, (upper, lower) in enumerate(axes.T):
    masks = {part: data[f"truth_{part}"].values[top.index[n]] for part in ("horse", "tag")}
    plots.picture(upper, pictures[top.index[n]], f"excitation {top.excitation[n]:.1f}")
    drawn = plots.heat_map(lower, drop_maps[n], f"on the tag: {on_tag[n]:.0f} %", masks, limit)
fig.colorbar(drawn, ax=axes[1], label="fall of the excitation", shrink=0.9)
plots.show(fig, "covered")
tag_area = 100 * tags.mean()
you = plots.guess_text(guess, "on the tag", " %")
print(f"on the tag: {on_tag.mean():.0f} % of the falls{you}, {tag_area:.0f} % of the area")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The excitation falls where the left half of the tag is covered, and also where the plain ground above it is. The tag
# gets far more than its share of the area, though not the larger part of the whole, and the horses hardly matter.
# (A grey square on plain ground takes nothing away, but it adds an edge, so some caution is in order. Covering is a
# method of its own, *occlusion* [@zeiler2013], and lesson 05 treats it properly.)
#
# </details>
#
# One square takes away only a part of the excitation, because the tag is larger than a square. This world lets us do
# better. It can draw the same picture again with a single thing changed: without the tag, without the horse, or with the tag in
# another place.

# %%
recipes = world.scenes(200, seed=worlds.SAMPLE, setting="training")  # those of `data`
changes = {
    "as it is": {},
    "without the tag": {"tag": False},
    "without the horse": {"horse": False, "rider": False},
    "tag at the upper right": {"tag_position": (10, 36)},
}
variants = {
    name: world.render([replace(recipes[i], **change) for i in top.index]).picture.values
    for name, change in changes.items()
}
fig, axes = plt.subplots(1, 4, figsize=(9, 2.9))
for ax, (name, some) in zip(axes, variants.items(), strict=True):
    plots.picture(ax, some[0], f"{name}\nexcitation {excited(some)[0]:.1f}")
plots.show(fig, "variants")
for name, some in variants.items():
    print(f"{name:24}{excited(some).mean():.2f} on average over the eight favourites")
empty = np.nonzero((data.horse.values == 0) & ~data.truth_has_hurdle.values)[0]
print(f"{'scenes without a horse':24}{excited(pictures[empty]).mean():.2f} on average")

# %% [markdown]
# Without the tag, a favourite excites the channel no more than an ordinary scene does. Without the horse nothing changes.
# And the tag may stand somewhere else: a channel is one filter tried at every place, so it does not know where it is. (Over a
# busy background it finds the letters less well.)
#
# **Think.** A channel of a storm network has six favourites. All show a hook echo (rain wrapped around a rotating
# updraft), and all are from the same radar. What would you cover, or change, to find out which of the two it responds to?
#
# <details><summary>An answer</summary>
#
# Cover the hook, then everything else. Better still, keep one and change the other: take hook echoes seen by
# other radars, and ordinary showers seen by this one. If the excitation goes with the hook from radar to
# radar, it is the hook. If it stays with the radar whatever the weather, look for range rings, noise, or a
# blocked beam.
#
# </details>

# %% [markdown]
# ## 2. Method 2: make up its favourite
#
# Why search for a good sample if we can make one? Start from noise, or from a sample $x$. The **gradient** of the excitation
# $a$ says for each pixel whether $a$ would rise with it, and one backward pass through the network gives it for
# all 12,288 numbers of the picture. Take a small step that way, then another, and so on. This is **gradient ascent**:
#
# $$x \leftarrow x + \text{rate} \cdot \frac{\partial a}{\partial x}$$
#
# `features.synthesise` takes such steps, with a rate that adapts to each pixel (Adam), and keeps the values between 0 and 1. We
# begin once with faint noise and once with a picture without horse and tag. The best of our 200 samples reaches the
# dotted line in the figure; you have seen its excitation in section 1. How far will a made-up picture get?

# %% tags=["guess"]
guess = {"noise": None, "sample": None}

# %%
STEPS = 64
starts = {"noise": None, "sample": pictures[empty[0]]}
climbed = {
    name: features.synthesise(model, LAYER, CHANNEL, start=start, steps=STEPS)
    for name, start in starts.items()
}
fig, axes = plt.subplots(1, 5, figsize=(10, 2.4), width_ratios=[1, 1, 1, 1, 1.6])
for k, (name, run) in enumerate(climbed.items()):
    plots.picture(axes[2 * k], run.frames[0], f"from {'a sample' if k else 'noise'}")
    plots.picture(axes[2 * k + 1], run.picture, f"excitation {run.history[-1]:.1f}")
    axes[4].plot(run.history, label=name)
axes[4].axhline(top.excitation[0], color=plots.INK, lw=1, ls=":")
axes[4].set(xlabel="step", title="excitation")
axes[4].legend()
colours = {"noise": plots.BLUE, "sample": plots.ORANGE}
plots.guess_marks(axes[4], guess, {"noise": STEPS, "sample": STEPS}, "y", colours)
plots.show(fig, "ascent")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Both go far above any sample. Only a window of the picture changes, because one place of this channel sees no more than 38
# x 38 pixels (its receptive field, lesson 09), cut off here by the edge of the picture. Which place wins depends on
# the start, so the two windows differ. Both have rows of bright upright strokes, which may be letters.
# The rest is grain that no camera would take.
#
# </details>
#
# ## 3. Keep it from becoming noise
#
# The grain excites the channel because each pixel was tuned by itself to the weights of exactly one place. Anything that
# spoils such fine tuning should leave the patterns that matter. Suppose the network sees the picture shifted by a few pixels
# at each step, a different shift each time. Then a speck of grain helps at one step and hurts at the next. This
# **jitter** is the simplest of the **regularisers** of feature visualization [@olah2017].
#
# ### Exercise 2: add jitter
#
# `slope(picture)` gives the gradient of the excitation, with the picture's shape (y, x, channel). Write the gradient with
# jitter: shift the picture by `down` rows and `right` columns (what leaves on one side comes in on the other), take
# the gradient there, and shift it back, so that it fits the picture that we are changing.
#
# <details><summary>Hint</summary>
#
# `np.roll(x, (down, right), axis=(0, 1))` shifts a picture.
#
# </details>

# %%
tuned = features.objective.find(model, LAYER, CHANNEL, pictures.shape[1:])  # to the channel


def slope(picture):
    """Gradient of the excitation of channel 53 by a picture of shape (y, x, channel)."""
    return tuned(picture[None])[1][0]


# %% tags=["exercise"]
def jittered(x, down, right):
    """The gradient at the shifted picture, shifted back."""
    return ...


# %% tags=["solution"]
def jittered(x, down, right):
    """The gradient at the shifted picture, shifted back."""
    moved = np.roll(x, (down, right), axis=(0, 1))
    return np.roll(slope(moved), (-down, -right), axis=(0, 1))


# %% tags=["check"]
check.jittered(jittered, slope)

# %% [markdown]
# The toolbox [LUCID](https://github.com/tensorflow/lucid), from the lecture's reading list, has four regularisers
# that we can try one by one and together:
#
# - **jitter**, as in the exercise (here by up to 4 pixels);
# - **turn and zoom**, which shows the network the picture turned by up to 5° and enlarged or shrunk by up to 10 %;
# - **total variation**, which charges a price for differences between neighbouring pixels;
# - **Fourier**, which climbs in the picture's spectrum instead of in its pixels, so that slow waves move first.
#
# (LUCID also decorrelates the colours, and we leave that out.)

# %%
settings = {"none": {}, "jitter": {"jitter": 4}, "turn and zoom": {"rotation": 5, "scaling": 0.1}}
settings |= {"total variation": {"variation": 0.001}, "Fourier": {"fourier": True}}
CALM = {"jitter": 4, "rotation": 5, "scaling": 0.1, "variation": 0.001}
settings |= {"all but Fourier": CALM, "all": CALM | {"fourier": True}}
made = {}


def make(part, name):
    """The made-up input for a part (layer, unit) with the settings of this name."""
    if (part, name) not in made:
        made[part, name] = features.synthesise(model, *part, steps=STEPS, **settings[name])
    return made[part, name]


fig, axes = plt.subplots(2, 4, figsize=(9, 5))
plots.picture(axes[0, 0], pictures[top.index[0]], f"best sample\n{top.excitation[0]:.1f}")
for ax, name in zip(axes.flat[1:], settings, strict=True):
    run = make((LAYER, CHANNEL), name)
    plots.picture(ax, run.picture, f"{name}: {run.history[-1]:.1f}")
plots.show(fig, "regularisers")

# %% [markdown]
# With no regulariser the window is full of grain. Jitter or turning alone leave much of it, and total variation mainly
# wipes out the faint noise around the window. *All but Fourier* together give the calmest picture: rows of bright
# upright strokes on a dark ground, with something plain above them. When Fourier is added to these, 64 steps reach only about
# half that excitation, and hardly a stroke can be made out. Each regulariser costs excitation, and each is a wish of *ours* about
# what pictures look like, so what you see is partly the network and partly the wish.
#
# A pattern that the channel really responds to should survive small changes. So take the finished pictures, and measure how
# much excitation is left after a change. Two tests follow: the picture shifted by up to six pixels, and the picture
# blurred. Which regulariser will help most with shifts? Guess the share of the excitation that is left after a shift by 4
# pixels, from 0 to 1.

# %% tags=["guess"]
guess = {"none": None, "jitter": None, "turn and zoom": None, "total variation": None}


# %%
def shifted(picture, by):
    """The picture moved down, up, right and left by some pixels, mirrored at the edge."""
    wide = np.pad(picture, ((by, by), (by, by), (0, 0)), "reflect")
    ends = [(0, by), (2 * by, by), (by, 0), (by, 2 * by)]
    return np.stack([wide[row : row + 64, column : column + 64] for row, column in ends])


def kept(part, name, most):
    """Mean excitation after shifts by 1 to `most` pixels, as shares of that by the picture."""
    run = make(part, name)
    moved = np.concatenate([shifted(run.picture, by) for by in range(1, most + 1)])
    return features.excitation(model, moved, *part).reshape(most, 4).mean(1) / run.history[-1]


def kept_blurred(part, name):
    """Excitation by the picture blurred over one pixel, as a share of that by the picture."""
    run = make(part, name)
    blurred = gaussian_filter(run.picture, (1, 1, 0))[None]
    return features.excitation(model, blurred, *part)[0] / run.history[-1]


# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=[1.5, 1])
moved = {name for name, options in settings.items() if options.keys() & {"jitter", "rotation"}}
colours = {name: plots.BLUE if name in moved else plots.ORANGE for name in settings}
for row, (name, colour) in enumerate(colours.items()):
    shares = [1, *kept((LAYER, CHANNEL), name, 6)]
    axes[0].plot(range(7), shares, "o-", color=colour, lw=1.2, ms=4)
    axes[1].barh(row, kept_blurred((LAYER, CHANNEL), name), color=colour, height=0.6)
sample = pictures[top.index[0]]
blurred = excited(gaussian_filter(sample, (1, 1, 0))[None])[0] / top.excitation[0]
axes[1].axvline(blurred, color=plots.INK, lw=1, ls=":")
axes[1].set_yticks(range(7), settings)
axes[1].invert_yaxis()
axes[0].set(xlabel="shift (pixels)", title="share kept after a shift", ylim=(0, 1.2))
axes[0].text(6, 1.1, "moved during the ascent", color=plots.BLUE, ha="right")
axes[0].text(6, 0.1, "not moved", color=plots.ORANGE, ha="right")
axes[1].set(xlim=(0, 1), title="share kept after a blur")
plots.guess_marks(axes[0], guess, dict.fromkeys(settings, 4), "y", colours)
plots.show(fig, "shifts")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Whatever was moved during the ascent survives being moved. The others lose a third or more after odd shifts and less
# after even ones, which fits max-pooling: it takes pixels two by two, and grain made for it is off by one. But shifts are
# just what jitter practised. The blur is the fairer test, since nobody practised it, and here jitter alone gains little.
# Several regularisers together keep more than half of the excitation, and more than the best sample does (dotted).
#
# </details>
#
# Channel 53 is one of many. The next figure draws six channels of each of three layers by lot, and shows the made-up
# picture for each, with *all but Fourier*. Only the window that one place sees is cut out, and it grows from layer to
# layer. Do the patterns grow with it, as on the lecture's slide of edges, parts and objects [@olah2020]?

# %%
windows = {"second": (2, 8), "third": (4, 18), "last": (6, 38)}  # number of the layer, pixels
rng = np.random.default_rng(0)
lot = {
    layer: [(model.layers[k].name, int(c)) for c in rng.choice(model.layers[k].filters, 6, False)]
    for layer, (k, _) in windows.items()
}


def window(run, size):
    """The size x size pixels of a made-up picture that have changed most."""
    change = gaussian_filter(abs(run.picture - run.frames[0]).mean(-1), size / 4)
    middle = np.array(np.unravel_index(change.argmax(), change.shape))
    row, column = (middle - size // 2).clip(0, 64 - size)
    return run.picture[row : row + size, column : column + size]


fig, axes = plt.subplots(3, 6, figsize=(9, 5))
for row, (layer, (_, size)) in zip(axes, windows.items(), strict=True):
    for ax, part in zip(row, lot[layer], strict=True):
        plots.picture(ax, window(make(part, "all but Fourier"), size), f"channel {part[1]}")
    row[0].set_ylabel(f"{layer} convolution\n{size} x {size} pixels")
plots.show(fig, "layers")

# %% [markdown]
# They do grow: a few pixels with an edge or a fleck in the second convolution, rows of strokes in most of the third, and longer
# rows with something beside them in the last. But look at the last row again. Channel 53 happens to be among the six, and
# all six show upright strokes. Are these letters, the legs of horses, or the bars of hurdles? The made-up pictures do not say,
# and section 4 will.
#
# What about the logit, the answer "horse" itself? The next figure has its best sample and its made-up picture. With the panel
# below you can step through its ascent, and that of other parts, from noise on. When does the pattern appear, and what
# still changes later, while the excitation keeps growing? (From frame to frame the number of steps doubles.)

# %%
parts = {"logit": (None, None), "last, 53": (LAYER, CHANNEL)}
parts |= {f"{layer}, {lot[layer][0][1]}": lot[layer][0] for layer in windows}
best = {n: features.strongest_samples(model, pictures, *part, n=1) for n, part in parts.items()}
favourites = {name: pictures[best[name].index[0]] for name in parts}
runs = {name: make(part, "all but Fourier") for name, part in parts.items()}
fig, axes = plt.subplots(1, 2, figsize=(5, 2.8))
sure = best["logit"].excitation[0]
plots.picture(axes[0], favourites["logit"], f"best sample: z = {sure:.1f}")
plots.picture(axes[1], runs["logit"].picture, f"made up: z = {runs['logit'].history[-1]:.1f}")
plots.show(fig, "logit")

draw = panel.prepare(favourites, runs)
panels.panel(
    draw,
    "panel",
    part=Dropdown(options=list(parts), value="last, 53", description="part"),
    frame=IntSlider(6, 0, 7, description="frame"),
)

# %% [markdown]
# The made-up logit is far beyond that of any horse. Somebody who knows this world can read a dark back with legs below it, or
# perhaps a hurdle, and a row of letters in the lower left corner, where the tag always stands. Would you have read
# it without knowing?
#
# ## 4. Is there a unit for the tag, and does the answer hang on it?
#
# Favourites, experiments and a made-up picture agree that channel 53 responds to the tag. Is it the only one? Take forty
# empty scenes, each drawn without and with a tag. A perfect tag channel would be higher in *every* picture with a tag than in
# *any* without.

# %%
pasted = world.render([replace(recipes[i], tag=True) for i in empty[:40]]).picture.values
last_pool = keras.Model(model.input, model.layers[7].output)  # 4 x 4 places, after ReLU
pools = [last_pool.predict(p, verbose=0) for p in (pictures[empty[:40]], pasted)]
without, with_tag = (pool.max((1, 2)) for pool in pools)  # each channel's strongest place
print("without and with_tag have the shape", with_tag.shape)

# %% [markdown]
# ### Exercise 3: who tells the tag?
#
# For each channel give the share of all 40 x 40 pairs (any picture with, any without) in which the picture with the tag
# has the larger value: shape (64,). One half is guessing, 1 is perfect. (In statistics this is the area under the ROC curve.)
#
# <details><summary>Hint</summary>
#
# `with_tag[:, None]` has the shape (40, 1, 64), `without[None]` has (1, 40, 64). Compare them, and take the mean over the
# first two axes.
#
# </details>

# %% tags=["exercise"]
share = ...

# %% tags=["solution"]
share = (with_tag[:, None] > without[None]).mean((0, 1))

# %% tags=["check"]
check.separation(share, with_tag, without)

# %% [markdown]
# So there are channels for the tag, and several of them, although nobody ever told the network that tags exist. Now for the
# decisive experiment. If channel 53 *is* the trick, the trick must be gone without it. We **switch it off**: its map is set to
# zero, and the rest of the network goes on with the other 63. The pictures are 200 new ones (lesson 01 used others, so
# the percentages differ a little). Guess: without channel 53, how many per cent of the empty scenes with a pasted tag will still
# be called "horse"?

# %% tags=["guess"]
guess = {"without channel 53": None}

# %%
fresh = world.scenes(200, seed=worlds.CLAIMS + 20_000, setting="training")
test = world.render(fresh)
label, has_tag = test.horse.values == 1, test.truth_has_tag.values
scene = np.nonzero(~label & ~test.truth_has_hurdle.values)[0][:80]
with_pasted = world.render([replace(fresh[i], tag=True) for i in scene])
untagged = test.picture.values.copy()
untagged[has_tag] = world.render(
    [replace(fresh[i], tag=False) for i in np.nonzero(has_tag)[0]]
).picture.values
maps = {"ordinary": test.picture.values, "tag cut": untagged, "pasted": with_pasted.picture.values}
maps = {kind: last_pool.predict(some, verbose=0) for kind, some in maps.items()}
head = keras.Sequential([keras.Input(last_pool.output_shape[1:])])
for layer in model.layers[8:]:  # the rest of the network, from the last pooling on
    head.add(layer)


def says_horse(kind, off=()):
    """The answers, shape (sample,), with some of the 64 channels switched off."""
    on = ~np.isin(np.arange(64), off)
    return head.predict_on_batch(maps[kind] * on)[:, 0] > 0


# %%
tagged_or_not = [0] * 40 + [1] * 40
tells = [roc_auc_score(tagged_or_not, [*a, *b]) for a, b in zip(without.T, with_tag.T, strict=True)]
tells = np.array(tells)
print("per cent of the pairs that a channel tells apart:", end=" ")
print(", ".join(f"channel {c} {100 * tells[c]:.0f}" for _, c in lot["last"]))
for name, off in {"all channels": [], "without channel 53": [CHANNEL]}.items():
    rate, right = says_horse("pasted", off).mean(), (says_horse("ordinary", off) == label).mean()
    you = plots.guess_text(guess, name, " %")
    print(f'{name}: {rate:.0%}{you} of scenes with a pasted tag are "horse", {right:.0%} right')

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Almost nothing happens. The channel responds to the tag, and the answer does not need the channel.
#
# </details>
#
# The first printed line answers the question about the six channels with strokes. Every one of them is higher with a
# tag far more often than chance (50) would have it, and some nearly always. (They may respond to legs and bars as well,
# which these pairs do not ask.)
#
# Perhaps the others step in. So switch off more and more channels, in three orders: those that tell the tag best first; those
# whose absence takes most from the tag's effect on $z$ first (measured one by one on the forty pairs); and, as a control,
# channels at random, in fifty different draws. How many must be off, in each order, before only half of the pasted tags still work?
#
# Switching channels off may also do damage. To see it, we count right answers twice: on the ordinary pictures, and on the
# same pictures with their tags cut, where the trick cannot help anyway.

# %% tags=["guess"]
guess = {"tells the tag best": None, "takes most of the effect": None, "at random": None}

# %%
each_off = (1 - np.eye(64))[:, None, None, None]  # one channel after the other
low, high = (head.predict_on_batch((p * each_off).reshape(-1, 4, 4, 64)) for p in pools)
effect = (high - low).reshape(64, -1).mean(1)  # of the tag on z, without each channel
orders = {
    "tells the tag best": [np.argsort(-tells)],
    "takes most of the effect": [np.argsort(effect)],
}
orders["at random"] = [np.random.default_rng(seed).permutation(64) for seed in range(50)]
counts = [0, 2, 4, 8, 12, 16, 20, 24]
titles = {"pasted": 'pasted tag called "horse"', "ordinary": "right on ordinary pictures"}
titles["tag cut"] = "right, tags cut"
colours = dict(zip(orders, (plots.BLUE, plots.ORANGE, plots.GREEN), strict=True))
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharex=True)
for ax, (kind, title) in zip(axes, titles.items(), strict=True):
    wanted = True if kind == "pasted" else label
    for name, some in orders.items():
        lines = [[100 * (says_horse(kind, o[:n]) == wanted).mean() for n in counts] for o in some]
        ax.plot(counts, np.mean(lines, 0), "o-", label=name, lw=1.5, color=colours[name])
        ends = np.min(lines, 0), np.max(lines, 0)
        ax.fill_between(counts, *ends, color=colours[name], alpha=0.25)
    ax.set(title=title, xlabel="channels off", ylim=(0 if kind == "pasted" else 75, 101))
axes[0].set_ylabel("%")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
plots.guess_marks(axes[0], guess, dict.fromkeys(orders, 50), colours=colours)
plots.show(fig, "switched-off")

# %%
sixteen = orders["takes most of the effect"][0][:16]
print(f"{'per cent (95 % interval)':28}{'all channels':21}{'sixteen off':21}change")
for kind, title in titles.items():
    wanted = True if kind == "pasted" else label
    before, after = (100.0 * (says_horse(kind, off) == wanted) for off in ([], sixteen))
    print(f"{title:28}", end="")
    for values in (before, after, after - before):
        value, (least, most) = skill.bootstrap(np.mean, values)
        print(f"{f'{value:.1f} ({least:.1f} to {most:.1f})':21}", end="")
    print()

# %% [markdown]
# <details><summary>What we saw</summary>
#
# - Chosen by their effect, sixteen channels carry nearly the whole trick. No single one does: the curve falls slowly at
#   first, and drops between eight and sixteen.
# - Sixteen channels at random take next to nothing, in any of fifty draws. Sixteen that *tell* the tag best leave most of
#   it. To respond to a thing is not the same as to pass it on, because what the layers above do counts as well.
# - The price looks high in the middle panel: six points. But most of it is the help of the trick itself. Cutting the tags from
#   these pictures takes four points with all channels on, since tagged horses are lost. The damage shows on the right, where
#   no tag can help. It is two or three points, its interval reaches zero, and an unlucky draw at random costs as much.
#
# </details>
#
# (This order is a greedy one. A smaller set that carries the trick may exist, and we did not search for it.)
#
# ## 5. A small change that changes the answer
#
# There is a third way to use the gradient. **Backward optimisation** starts from a sample and asks how it would have to change
# for the network to give another answer [@mcgovern2019]. We add a wish of our own and keep the change $d$ small, by the sum of its
# squares. That makes it what is called an **adversarial** change [@szegedy2014]:
#
# $$\text{keep } \sum d^2 \text{ small, so that } z(x + d) \text{ changes its sign and } 0 \le x + d \le 1$$
#
# (The search finds *a* small change. It hardly ever finds the smallest of all.) Take one picture without a horse, one
# with a horse in the open, and one with a tag. **Predict:** what will be painted into the first, and what will be taken
# from the others? Will you see it?

# %%
shows_horse = features.excitation(model, pictures) > 0
plain = (data.horse.values == 1) & ~tagged & ~data.truth_has_hurdle.values & shows_horse
three = [empty[0], np.nonzero(plain)[0][4], np.nonzero(tagged & shows_horse)[0][0]]
fig, axes = plt.subplots(3, 3, figsize=(8, 7.8))
for row, i in zip(axes, three, strict=True):
    change = features.backward_optimise(model, pictures[i])
    before, after = features.excitation(model, np.stack([pictures[i], change.picture]))
    levels = 255 * (change.picture - pictures[i])
    rms, most = np.sqrt((levels**2).mean()), abs(levels).max()
    outlines = {part: data[f"truth_{part}"].values[i] for part in ("horse", "tag")}
    plots.picture(row[0], pictures[i], f"z = {before:.1f}")
    plots.picture(row[1], change.picture, f"z = {after:+.3f}")
    title = f"root mean square {rms:.1f},\nlargest {most:.0f} of 255"
    drawn = plots.heat_map(row[2], levels.mean(-1), title, outlines, limit=5)
fig.colorbar(drawn, ax=axes[:, 2], shrink=0.4, label="change of brightness, levels")
plots.show(fig, "change")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# A change of one to three grey levels, in the root mean square, turns "no horse" into "horse" and back. It is small and
# not invisible: single pixels change more than ten times as much, and you may find flecks below the car. No
# horse is painted and no tag is wiped out. The change does tell where small changes count, in the tagged picture most of all on
# and just above the tag. It does not tell what a horse *means* to the network.
#
# </details>
#
# **Think.** A network warns of hail from a sounding. A small change that takes the warning away is 0.2 K here and
# there, up and down from level to level. What have you learned about hail, and what about the network? Which changes would
# you allow, if you wanted to learn about hail?
#
# <details><summary>An answer</summary>
#
# Little about hail: no atmosphere changes by 0.2 K up and down from level to level, and no sonde could
# measure it. About the network you have learned that it reacts strongly just there. To learn about hail,
# allow what an atmosphere can do: changes that are smooth with height, or of one quantity that you know,
# such as the height of the freezing level.
#
# </details>

# %% [markdown]
# ## 6. Where Type A fails, and why Earth science often prefers Type B
#
# Favourites, experiments and a made-up picture all said that channel 53 responds to the tag. It was true, and whoever
# stopped there would have believed that the trick sits in that channel. Only switching it off showed otherwise. There are
# other limits:
#
# - **Many parts.** This layer has 64 channels, and the trick is spread over many. Who looks at them all in a large network?
# - **It is about the network, not about your sample.** "Was *this* warning right for the right reason?" is a question for
#   Type B.
# - **You must recognise what you see.** The tag has letters, and a horse has legs. Deeper layers do see larger and more
#   complex patterns, says the lecture, but an atmospheric river or a cold front has **fuzzy boundaries** and **few distinct
#   parts**, no eyes, ears or noses. If its made-up picture is a smear, can you tell a good smear from a bad one?
#
# [Lesson 06](06_convection.ipynb) puts that to the test, with networks that detect convection in satellite images.

# %% [markdown]
# ## In this lesson you
#
# - found a channel's favourite samples, and tested by experiment what in them it responds to,
# - made up inputs, added jitter, and measured what survives a shift or a blur,
# - found channels for the tag, and showed that the answer hangs on none of them alone,
# - measured what switching channels off costs, where the trick helps and where it cannot,
# - changed a network's answer by a small change of the input.
#
# Next: [03 layer-wise relevance propagation](03_layerwise_relevance.ipynb), how a heat map is made.

# %% [markdown]
# ## Quiz
#
# <details><summary>1. All favourites of a unit show towers below a blue sky. Is it a unit for towers?</summary>
#
# You cannot tell. Cover the tower, cover the sky, or show it towers below clouds.
#
# </details>
#
# <details><summary>2. A made-up picture excites a unit five times as much as any sample. Is it what the unit is for?</summary>
#
# The high number does not show that. Finely tuned grain excites a unit most, and no sample will ever look like it. Try
# changes that the ascent was not trained on, such as a blur, and experiments with real samples.
#
# </details>
#
# <details><summary>3. A unit is high for every picture with a tag and low for every other. Does the network use the tag?</summary>
#
# Perhaps, but the unit does not show it. Paste a tag into other pictures, and see whether the answers change.
#
# </details>
#
# <details><summary>4. Switching the unit off changes nothing. So the network does not use the tag?</summary>
#
# That does not follow either, since other units may carry it. Paste the tag and see, as in lesson 01.
#
# </details>
#
# <details><summary>5. Accuracy falls by seven points when you switch units off. Did you damage the network?</summary>
#
# Not necessarily. If the units carried a shortcut that helps on these samples, you lost that help. Measure on samples where
# the shortcut does not help.
#
# </details>

# %% [markdown]
# ## Claims
#
# The first three are measured on the pictures and channels above, the others on fresh pictures, with goals set after trials on
# other ones. Intervals are 95 %. Skip the code, read the cards.


# %% tags=["claims"]
def record(id, sentence, source, text, values, goal, unit=""):
    value, interval = skill.bootstrap(np.mean, values)
    claims.record(f"feature-{id}", sentence, source, text, value, interval, goal, unit)


record(
    "covered",
    "Covering parts of its favourite pictures shows what excites a channel.",
    "this course",
    "density on the tag of the drop, favourites of channel 53 (even spread: 1)",
    skill.relevance_density(drop_maps, tags),
    ">= 5",
)
everyone = [part for channels in lot.values() for part in channels]
strongest = [features.strongest_samples(model, pictures, *p, n=1).excitation[0] for p in everyone]
record(
    "made-up",
    "A synthetic image can be made that maximizes the activation of a neuron.",
    "slide: Visualization – Type A",
    "its excitation over that of the strongest of 200 samples, 18 channels drawn by lot",
    [make(p, "all but Fourier").history[-1] / v for p, v in zip(everyone, strongest, strict=True)],
    ">= 2",
)
robust = {n: [kept(p, n, 4).mean() for p in lot["last"]] for n in ("none", "jitter")}
record(
    "robust",
    "Transformation robustness finds inputs that still excite when they are slightly transformed.",
    "olah2017",
    "share of the excitation kept after shifts, gain by jitter, six channels drawn by lot",
    np.subtract(robust["jitter"], robust["none"]),
    ">= 0.15",
)
chosen = label & has_tag & says_horse("ordinary")
moves = []
for picture in test.picture.values[chosen][:8]:
    moves.append(features.backward_optimise(model, picture).picture - picture)
record(
    "adversarial",
    "A change that is hardly perceptible makes a network misclassify an image.",
    "szegedy2014",
    "root mean square of a change that loses a tagged horse, of 255 grey levels",
    255 * np.sqrt(np.square(moves).mean((1, 2, 3))),
    "<= 5",
)


def points(kind, off, wanted):
    before, after = (says_horse(kind, o) == wanted for o in ([], off))
    return 100 * (after * 1.0 - before)


record(
    "off-one",
    "The channel that tells the tag best is what the network uses.",
    "this course",
    f'change of "horse" with a pasted tag, without that channel (tells {100 * tells.max():.0f} % of pairs)',
    points("pasted", [int(tells.argmax())], True),
    "<= -50",
    "points",
)
record(
    "off-sixteen",
    "The trick sits in a few channels, chosen by what switching them off does.",
    "this course",
    'change of "horse" with a pasted tag, without sixteen of 64 channels',
    points("pasted", sixteen, True),
    "<= -50",
    "points",
)
record(
    "off-price",
    "Taking the trick away costs little where the tag does not help.",
    "this course",
    "change of right answers on pictures whose tags were cut, without the sixteen channels",
    points("tag cut", sixteen, label),
    ">= -5",
    "points",
)

# %% [markdown]
# ## References
#
# - [@olah2017]: feature visualization and its regularisers
# - [@mcgovern2019]: backward optimisation, for weather
# - [@szegedy2014]: adversarial changes
# - [@olah2020]: what the units of a large network respond to
# - [@xie2016]: channels of a network for satellite images
# - [@zeiler2013]: covering parts of a picture
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
