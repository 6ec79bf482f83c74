# %% [markdown]
# # 02 Feature visualization
#
# ![A picture that excites one channel of the horse network, and a made-up one that excites it more](../pictures/feature_visualization.png)
#
# **Question:** what does a single part of a network respond to, and does knowing it explain the network?
#
# **Objectives:** you can
# - find the channel that detects a thing, and test by experiment what exactly it responds to,
# - make up an input that excites a channel, and say what a regulariser adds to it,
# - switch channels off, and say what the answer depends on,
# - make an adversarial change, and say what it can and cannot tell you.
#
# **Minutes:** 55 teaching, 35 exercises.
#
# **Prerequisites:** NumPy arrays and lesson 01 (necessary); the idea of a gradient (necessary).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider
from sklearn.metrics import roc_auc_score

from utils import claims, course, features, networks, panels, plots, skill, worlds
from utils.check import feature_visualization as check
from utils.panels import feature_visualization as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world
from utils.worlds import goes_mrms

course.start("02_feature_visualization", seed=0)

# %% [markdown]
# A heat map asks about one sample: where in *this* picture did the network find its answer? The lecture calls that
# **Type B**. **Type A**, feature visualization, asks about the network itself: what does each of its inner parts respond
# to? Three words will come up again and again:
#
# - A convolution makes a stack of maps, and each map is a **channel**: the result of one filter, tried at every place.
# - A **unit** is a single number in such a stack, one channel at one place. In a dense layer every number is a unit.
# - The **excitation** of a unit is its value before ReLU (its pre-activation). For a channel it is the largest such value
#   over all places.
#
# Here is the network of lesson 01, which took the photographer's tag for a horse: four convolutions, each followed by
# ReLU and max-pooling, and two dense layers. We look at the last convolution, 64 channels of 8 x 8 places. Somewhere among
# them the tag must leave its trace. Where?

# %%
from tensorflow import keras

model = networks.clever_hans()
load_weights(model, "clever_hans")
LAYER = model.layers[6].name  # the last convolution
data = worlds.open_world("clever_hans")
pictures, tagged = data.picture.values, data.truth_has_tag.values

# %% [markdown]
# ## 1. Which channel detects the tag?
#
# The next cell takes the 97 scenes (of 200) with neither horse nor hurdles, draws each twice, without and with a tag, and
# takes each channel's strongest value (after ReLU, so what is negative counts as zero). A perfect detector would be higher in *every* picture with a tag than in *any* without.

# %%
recipes = world.scenes(200, seed=worlds.SAMPLE, setting="training")  # those of `data`
no_horse = np.nonzero((data.horse.values == 0) & ~data.truth_has_hurdle.values)[0]
tag_drawn = world.render([replace(recipes[i], tag=True) for i in no_horse])
until_pool = keras.Model(model.input, model.layers[7].output)  # 4 x 4 places, after ReLU
pools = [until_pool.predict(p, verbose=0) for p in (pictures[no_horse], tag_drawn.picture.values)]
without, with_tag = (pool.max((1, 2)) for pool in pools)  # each channel's strongest place
print("without and with_tag have the shape", with_tag.shape)

# %% [markdown]
# ### Exercise 1: which channels detect the tag?
#
# For each channel give the share of all 97 x 97 pairs (any picture with, any without) in which the picture with the tag
# has the larger value: shape (64,). One half is guessing, 1 is perfect. (With ties counted one half, this is
# the area under the ROC curve.)
#
# <details><summary>Hint</summary>
#
# `with_tag[:, None]` has the shape (97, 1, 64), `without[None]` has (1, 97, 64). Compare them, and take the mean over the
# first two axes.
#
# </details>

# %% tags=["exercise"]
share = ...

# %% tags=["solution"]
share = (with_tag[:, None] > without[None]).mean((0, 1))

# %% tags=["check"]
check.separation(share, with_tag, without)


# %%
def pairs_won(some, others):
    """For each channel the share of exercise 1, now counted by scikit-learn."""
    first = [1] * len(some) + [0] * len(others)
    both = np.concatenate([some, others])
    return np.array([roc_auc_score(first, values) for values in both.T])


detects = pairs_won(with_tag, without)
CHANNEL = int(detects.argmax())
print(f"channel {CHANNEL} wins {100 * detects.max():.2f} % of the pairs")

# %% [markdown]
# ## 2. Method 1: which samples excite it most?
#
# In real life nobody hands you such pairs. The lecture's first method needs none: sort all samples by the excitation of one
# channel, and look at the top of the list. Xie and others did this with a network for satellite images, and found filters
# for roads, buildings and farmland [@xie2016]. Here are our channel's favourites among the 200 pictures. What do they have in
# common, apart from the tag?

# %% tags=["figure"]
top = features.strongest_samples(model, pictures, LAYER, CHANNEL, n=8)
fig, axes = plt.subplots(2, 4, figsize=(8, 4.6))
for ax, i, value in zip(axes.flat, top.index, top.excitation, strict=True):
    plots.picture(ax, pictures[i], f"excitation {value:.1f}")
plots.show(fig, "favourites")

# %% [markdown]
# All have a horse (in this world no picture has a tag without one), and in all of them the tag stands on plain,
# uncluttered ground. The lecture's example has a building below a sky, and the same open question: **what in the picture triggered it?** An experiment can say: cover a part, and see how far the excitation falls.
#
# ### Exercise 2: cover a part
#
# `excited(pictures)` gives the excitation by each of some pictures, shape (sample, y, x, channel). Write a function that
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
    """Excitation of our channel, shape (sample,), by pictures of shape (sample, y, x, channel)."""
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
# The next cell moves such a square over the eight favourites (four are shown), and averages, for each pixel, the falls of all
# squares that covered it. Guess the share of all falls that lies on the tag, in per cent. (The tag fills about four per cent
# of the picture. A detector of nothing but the tag would reach little more than 50, since a square that touches the tag
# covers what is beside it as well.)

# %% tags=["guess"]
guess = {"on the tag": None}

# %% tags=["figure"]
drop_maps = np.stack([panel.falls(excited, pictures[i]) for i in top.index])
tags = data.truth_tag.values[top.index]
on_tag = 100 * skill.relevance_share(drop_maps, tags)
outlines = [
    {part: data[f"truth_{part}"].values[i] for part in ("horse", "tag")} for i in top.index[:4]
]
shown = pictures[top.index[:4]], top.excitation, drop_maps, outlines, on_tag
plots.show(panel.covered(*shown), "covered")
you = plots.guess_text(guess, "on the tag", " %")
print(f"on the tag: {on_tag.mean():.0f} % of the falls{you}, mean of eight pictures")
own = np.stack([panel.falls(excited, pictures[i], grey=False) for i in top.index])
own_on_tag = 100 * skill.relevance_share(own, tags)
print(f"each square in the mean colour of what it covers: {own_on_tag.mean():.0f} %")
perfect = [
    panel.falls(panel.counting(pictures[i], tag), pictures[i])
    for i, tag in zip(top.index, tags, strict=True)
]
at_most = 100 * skill.relevance_share(perfect, tags)
print(f"grey squares, a detector of nothing but the tag: {at_most.mean():.0f} %")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The fall is deepest on the left half of the tag, and the horses hardly matter. Still, grey squares put only 28 % of the falls on
# the tag, where a detector of nothing else would have 54. Many lie on the plain ground above it. A grey square takes nothing
# away there, but it adds edges. Squares in the mean colour of what they cover, which add weaker ones, come to 55 %, as
# much as that detector. So covering found the right corner, but its answer depends on the cover. (The method is called *occlusion* [@zeiler2013]; see lesson 05.)
#
# </details>
#
# This world lets us do better. It can redraw the picture with one thing changed and no new edges.

# %%
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
print(f"{'scenes without a horse':24}{excited(pictures[no_horse]).mean():.2f} on average")

# %% [markdown]
# Without the tag, a favourite excites the channel no more than an ordinary scene does, and without the horse nothing
# changes. The tag in another corner still works, since a channel is one filter tried at every place. (It works somewhat less:
# what is behind it differs, and near an edge a convolution also sees the zeros around the picture.) In lesson 01 a tag at the
# top made no horse, although the channel finds it there: the dense layer behind has a weight for each place.
#
# **Think.** A channel of a storm network has six favourites. All show a hook echo (rain wrapped around a rotating
# updraft), and all are from the same radar. What would you change, to find out which of the two it responds to?
#
# <details><summary>An answer</summary>
#
# Keep one and change the other: take hook echoes seen by other radars, and ordinary showers seen by this one. If the
# excitation goes with the hook from radar to radar, it is the hook. If it stays with the radar whatever the weather, look for
# range rings, noise, or a blocked beam.
#
# </details>

# %% [markdown]
# ## 3. Does the answer depend on it?
#
# If this channel *is* the trick, the trick must be gone without it. So **switch it off**: set its map to zero, and let the
# rest of the network go on with the other 63. In lesson 01 all of 100 outdoor scenes with a pasted tag were called "horse".
# How many per cent of the same pictures still are, without our channel?

# %% tags=["guess"]
guess = {"without it": None}

# %%
test_scenes = world.scenes(500, seed=worlds.CLAIMS, setting="training")  # those of lesson 01
has_horse = np.array([s.horse for s in test_scenes])
outdoors = [s for s in test_scenes if s.subject in world.OUTDOORS]
field = [s for s in outdoors if not (s.horse or s.hurdles)][:100]


def maps_of(scenes, **change):
    """The last pooled maps for scenes in which something was changed."""
    changed = world.render([replace(s, **change) for s in scenes])
    return until_pool.predict(changed.picture.values, verbose=0)


maps = {"tag pasted": maps_of(field, tag=True), "ordinary": maps_of(test_scenes)}
maps["tags cut"] = maps_of(test_scenes, tag=False)
head = keras.Sequential([keras.Input(until_pool.output_shape[1:]), *model.layers[8:]])


def says_horse(kind, off=()):
    """The answers, shape (sample,), with some of the 64 channels switched off."""
    on = ~np.isin(np.arange(64), off)
    return head.predict_on_batch(maps[kind] * on)[:, 0] > 0


# %%
alone = np.array([100 * says_horse("tag pasted", [c]).mean() for c in range(64)])
print(f'all channels: {100 * says_horse("tag pasted").mean():.0f} % are "horse"')
print(
    f"without channel {CHANNEL}: {alone[CHANNEL]:.0f} %{plots.guess_text(guess, 'without it', ' %')}"
)
print(f"lowest of all 64, each off alone: {alone.min():.0f} %")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Not one answer changes. The channel responds to the tag, and the answer does not need the channel, nor any other
# single one of the 64. Section 6 asks how many it takes.
#
# </details>
#
# ## 4. Method 2: make up its favourite
#
# Why search for a good sample if we can make one? Start from noise, or from a sample $x$. The **gradient** of the excitation
# $a$ says for each of the picture's 12,288 numbers whether $a$ would rise with it, and one backward pass through the network
# gives all of them. Take a small step that way, then another, and so on. This is **gradient ascent**:
#
# $$x \leftarrow x + \text{rate} \cdot \frac{\partial a}{\partial x}$$
#
# `features.synthesise` takes such steps, with a rate that adapts to each pixel (Adam), and keeps the values between 0 and 1.
# We begin once with faint noise and once with a picture without horse and tag. You saw the excitation of the best
# sample in section 2. How far will a made-up picture get?

# %% tags=["guess"]
guess = {"noise": None, "sample": None}

# %%
STEPS = 64
starts = {"noise": None, "sample": pictures[no_horse[0]]}
climbed = {
    name: features.synthesise(model, LAYER, CHANNEL, start=start, steps=STEPS, progress=False)
    for name, start in starts.items()
}
ink = {"noise": plots.BLUE, "sample": plots.ORANGE}
fig, axes = plt.subplots(1, 3, figsize=(9, 3))
for ax, (name, run) in zip(axes, climbed.items(), strict=False):
    plots.picture(ax, run.picture, f"from {name}: excitation {run.history[-1]:.1f}")
    axes[2].plot(run.history, color=ink[name], label=f"from {name}")
axes[2].axhline(top.excitation[0], color=plots.INK, lw=1, ls=":", label="best sample")
axes[2].set(xlabel="step", title="excitation")
axes[2].legend(loc="center right")
plots.guess_marks(axes[2], guess, {"noise": STEPS, "sample": STEPS}, "y", ink)
plots.show(fig, "ascent")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Both go far above any sample. Only a window of the picture changes, the 38 x 38 pixels that one place of this channel
# sees (its receptive field, lesson 09), cut off here by the edge. Which place wins depends on the start. Both windows have rows
# of bright upright strokes. The rest is noise unlike any photograph.
#
# </details>
#
# ### Keep it from becoming noise
#
# Each speck of the noise was tuned to the weights of exactly one place. Suppose the network sees the picture shifted by a few
# pixels at each step, a different shift each time. Then a speck helps at one step and hurts at the next, and patterns that
# bear a shift are left. This **jitter** is the simplest of the **regularisers** of feature visualization [@olah2017].
#
# ### Exercise 3: add jitter
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
tuned = features.objective.find(model, LAYER, CHANNEL, pictures.shape[1:])


def slope(picture):
    """Gradient of our channel's excitation by a picture of shape (y, x, channel)."""
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
# [LUCID](https://github.com/tensorflow/lucid), a toolbox from the lecture's reading list, has more. **Turn and zoom** shows
# the network the picture turned by up to 5° and enlarged or shrunk by up to 10 %, and **total variation** penalises
# differences between neighbouring pixels. The last picture has all three: jitter, turn and zoom, and total variation.

# %%
settings = {"none": {}, "jitter": {"jitter": 4}, "turn and zoom": {"rotation": 5, "scaling": 0.1}}
CALM = {"jitter": 4, "rotation": 5, "scaling": 0.1, "variation": 0.001}
settings["all three"] = CALM
sample = pictures[top.index[0]]
made = {"best sample": (sample, top.excitation[0])}
for name, options in settings.items():
    run = features.synthesise(model, LAYER, CHANNEL, steps=STEPS, progress=False, **options)
    made[name] = run.picture, run.history[-1]
fig, axes = plt.subplots(1, 5, figsize=(11, 2.7))
for ax, (name, (picture, value)) in zip(axes, made.items(), strict=True):
    plots.picture(ax, picture, f"{name}: {value:.1f}")
plots.show(fig, "regularisers")

# %% [markdown]
# With no regulariser the window is full of grain. Jitter or turning leave much of it above the strokes. All three together
# give the calmest picture: bright upright strokes on a dark ground, below a green and blue area. They cost a
# third of the excitation, and each builds in an assumption of ours, so part of what you see is ours.
#
# What a channel really responds to should survive small changes. We try two. One is familiar from the ascent: the finished
# picture shifted by three pixels. One is new: the picture **without its colours** (each pixel's mean of red, green and blue). Which share of the excitation is left without colours? Guess, from 0 to 1.

# %% tags=["guess"]
guess = {"best sample": None, "none": None, "all three": None}


# %% tags=["figure"]
changed = {"shifted by three pixels": {}, "without colours": {}}
for name, (picture, value) in made.items():
    ways = [np.roll(picture, by, axis) for axis in (0, 1) for by in (-3, 3)]
    changed["shifted by three pixels"][name] = excited(np.stack(ways)).mean() / value
    grey = np.repeat(picture.mean(-1, keepdims=True), 3, axis=-1)
    changed["without colours"][name] = excited(grey[None])[0] / value
fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), sharey=True)
for ax, (title, kept) in zip(axes, changed.items(), strict=True):
    bars = ax.barh(range(len(kept)), kept.values(), 0.6, color=plots.BLUE)
    ax.bar_label(bars, fmt="%.2f", padding=3, fontsize=9)
    ax.set(xlim=(0, 1.15), xlabel="share kept", title=title)
axes[0].set_yticks(range(len(made)), made)
axes[0].invert_yaxis()
plots.guess_marks(axes[1], guess, {name: row for row, name in enumerate(made)})
plots.show(fig, "kept")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Pictures jittered or turned during the ascent survive the shift, and the one with no regulariser loses nearly half. No wonder,
# since jitter trains for exactly this. Without colours the best sample keeps nearly everything, since letters are white. All made-up
# pictures lose much, with three regularisers less than with none: part of their excitation comes from colours that no tag has.
#
# </details>
#
# ## 5. A rival for the tag
#
# The calm picture has strokes some three pixels wide and two apart, and no letters. Does the channel respond to the tag as
# such, or to something that other things have as well? In section 1 the tag had no rival, so we would not have noticed.
#
# So paste other things. A **bar** and five **strokes** like those of the made-up picture get the place and colour of the
# letters and nearly their area, and **hurdles** stand where the world puts them. Take the 14 channels that win at least 99 %
# of the pairs against nothing. How many of them still win 90 % when the tag meets a bar, hurdles, or strokes?

# %% tags=["guess"]
guess = {"bar": None, "hurdles": None, "strokes": None}

# %%
shapes = {name: np.zeros((5, 23), bool) for name in ("bar", "strokes")}
shapes["bar"][1:4, :20] = True
shapes["strokes"][:4] = np.arange(23) % 5 < 3


def pasted(drawn, plain, shape):
    """Pictures with a shape where `drawn` has the tag, in the colour of its letters."""
    changed = plain.copy()
    for picture, mask, with_letters in zip(
        changed, drawn.truth_tag.values, drawn.picture.values, strict=True
    ):
        row, column = np.argwhere(mask)[0]
        spot = picture[row : row + shape.shape[0], column : column + shape.shape[1]]
        spot[shape] = np.quantile(with_letters[mask], 0.8, axis=0)
    return changed


others = {"nothing": pictures[no_horse]}
others["bar"] = pasted(tag_drawn, others["nothing"], shapes["bar"])
others["hurdles"] = world.render(
    [replace(recipes[i], hurdles=True) for i in no_horse]
).picture.values
others["strokes"] = pasted(tag_drawn, others["nothing"], shapes["strokes"])
values = {name: until_pool.predict(some, verbose=0).max((1, 2)) for name, some in others.items()}
wins = {name: pairs_won(with_tag, some) for name, some in values.items()}

# %% tags=["figure"]
detectors = wins["nothing"] >= 0.99
SHOWN = 3
examples = {"tag": tag_drawn.picture.values, **others}
examples = {name: (some[SHOWN], excited(some[[SHOWN]])[0]) for name, some in examples.items()}
plots.show(panel.selective(examples, wins, detectors, CHANNEL, guess), "selective")
fresh_tag = world.render([replace(s, tag=True) for s in field])
fresh_plain = world.render(field).picture.values
things = {"nothing": fresh_plain, "tag": fresh_tag.picture.values}
things |= {name: pasted(fresh_tag, fresh_plain, shape) for name, shape in shapes.items()}
print('of the 100 outdoor scenes the network calls "horse"')
for name, some in things.items():
    print(f"  with {name:8}{100 * (features.excitation(model, some) > 0).mean():4.0f} %")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Against a bar or hurdles, all 14 detectors win 90 %. Against five plain strokes none does. All but one are mostly
# higher for the strokes, our channel too. So "rows of bright upright strokes" is a better name for them than "tag", as far as
# strokes of one size can tell.
#
# The network as a whole is easier to fool. With strokes, 99 of the 100 outdoor scenes are "horse", and with a bar, which has no row of
# uprights, still 84. What the bar shares with the tag is its place, its brightness and its long edges above and below. So
# strokes are not all that counts.
#
# The favourites had suggested a tag, because among the 200 pictures it has no rival. The made-up picture suggested
# strokes, and this test bears it out: strokes are enough. Whether other things would do as well, it does not say.
#
# </details>
#
# Which strokes excite the channel most? Try widths, gaps and heights in the panel.
#
# <details><summary>What we found</summary>
#
# Those three pixels wide and two apart, just as in the made-up picture, and the taller the better. From four rows on, the
# channel is higher than with the tag. Broad strokes and wide gaps excite it much less.
#
# </details>

# %%
draw = panel.prepare(model, LAYER, CHANNEL, tag_drawn.isel(sample=SHOWN), pictures[no_horse[SHOWN]])
panels.panel(
    draw,
    "panel",
    width=IntSlider(1, 1, 8, description="width"),
    gap=IntSlider(1, 1, 8, description="gap"),
    height=IntSlider(5, 1, 6, description="height"),
)

# %% [markdown]
# ## 6. How many channels carry the trick?
#
# Switch off more and more channels, in three orders: first those that **detect** the tag best; first those whose removal most
# **weakens** the tag's effect on $z$ (greedily, each time the one whose removal weakens it most); and, as a control, at
# random, in fifty draws. The orders come from the scenes of section 1, the counts from the test pictures. How many of
# the 64 must be off, in each order, before only half of the pasted tags still work?

# %% tags=["guess"]
guess = {"detects best": None, "weakens most": None, "at random": None}


# %%
def tag_effect(sets_off):
    """Mean effect of the tag on z with each of these sets of channels off, shape (set,)."""
    on = np.float32([~np.isin(np.arange(64), off) for off in sets_off])[:, None, None, None]
    low, high = (head.predict_on_batch((pool * on).reshape(-1, 4, 4, 64)) for pool in pools)
    return (high - low).reshape(len(sets_off), -1).mean(1)


weakens, left = [], list(range(64))
while left:
    rest = tag_effect([[*weakens, channel] for channel in left])
    weakens.append(left.pop(rest.argmin()))
orders = {"detects best": [np.argsort(-detects)], "weakens most": [weakens]}
orders["at random"] = [np.random.default_rng(seed).permutation(64) for seed in range(50)]

# %%
counts = [*range(0, 17, 2), 20, 24, 28, 32, 40, 48, 56, 64]


def rates(kind, wanted):
    """For each order how often the answer is the one wanted, in per cent, shape (draw, count)."""
    return {
        name: [[100 * (says_horse(kind, o[:n]) == wanted).mean() for n in counts] for o in some]
        for name, some in orders.items()
    }


panes = {'pasted tag called "horse"': rates("tag pasted", True)}
panes["right answers, tags cut"] = rates("tags cut", has_horse)
plots.show(panel.switched_off(panes, counts, guess), "switched-off")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In the order that weakens most, eleven channels or so are enough. (Fewer may do: each was chosen with those before it
# fixed, and other sets were not tried.) The best detectors take twice as many, and random draws
# more than 56 on average. So the trick is **redundant**: many channels carry it together, and any one of them may go. And seeing the
# tag is not the same as using it, for the layers above decide. (With more than 40 channels off, the blue curve rises again for a while. What is left then is another network.)
#
# </details>
#
# What does it cost? Take the first twelve that weaken most (so many that in the scenes of section 1 fewer than one pasted
# tag in ten still works), and twelve of the best detectors. The whole network finds 81 % of the horses in pictures
# whose tags were cut. Guess what is left of that.

# %% tags=["guess"]
guess = {"detects best": None, "weakens most": None}

# %% tags=["figure"]
TWELVE = {
    "all on": [],
    "detects best": orders["detects best"][0][:12],
    "weakens most": weakens[:12],
}
on = ~np.isin(np.arange(64), TWELVE["weakens most"])
works = (head.predict_on_batch(pools[1] * on) > 0).mean()
print(f"scenes of section 1: {100 * works:.0f} % of the pasted tags still work\n")
counted = {  # kind of pictures, which of them, and the answer that is counted
    'tag pasted: "horse"': ("tag pasted", slice(None), True),
    "ordinary: right": ("ordinary", slice(None), has_horse),
    "tags cut: right": ("tags cut", slice(None), has_horse),
    "tags cut: horses found": ("tags cut", has_horse, True),
}
print(f"{'per cent (95 % interval)':26}" + "".join(f"{name:18}" for name in TWELVE))
for text, (kind, which, wanted) in counted.items():
    found = [skill.rate((says_horse(kind, off) == wanted)[which]) for off in TWELVE.values()]
    cells = [f"{value:.0f} ({least:.0f} to {most:.0f})" for value, (least, most) in found]
    print(f"{text:26}" + "".join(f"{cell:18}" for cell in cells))
you = [name + plots.guess_text(guess, name, " %") for name in guess if guess[name] is not None]
print(*you, sep="\n")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Without the twelve that weaken most, nearly the whole trick is gone. On ordinary pictures that costs five or six points, most
# of them points that the shortcut had earned: where the tags are cut, right answers fall by a point or two, and the horses found
# from 81 to 77 %, within the intervals. The twelve best detectors are the opposite. Without them nearly every pasted tag still works, and the horses found without a tag become fewer by more than a fifth. So they serve to find horses, too. Perhaps it is the legs, which are
# upright strokes as well; we have not tested that.
#
# </details>
#
# ## 7. A small change that changes the answer
#
# **Backward optimisation** starts from a sample and asks how it would have to change for the network to give another answer
# [@mcgovern2019]. If we also keep the change $d$ small, by the sum of its squares, it is what is called an **adversarial** change
# [@szegedy2014]. (The search finds *a* small change, hardly ever the smallest of all.) Take one picture without a horse, one
# with a horse in the open, and one with a tag, and push each across zero, to $z = +1$ or $-1$. **Predict:** what will be painted
# into the first, and what will be taken from the others? Will you see it?

# %% tags=["figure"]
shows_horse = features.excitation(model, pictures) > 0
in_the_open = (data.horse.values == 1) & ~tagged & ~data.truth_has_hurdle.values & shows_horse
three = [no_horse[0], np.nonzero(in_the_open)[0][4], np.nonzero(tagged & shows_horse)[0][0]]
fig, axes = plt.subplots(3, 3, figsize=(8, 7.8))
for row, i in zip(axes, three, strict=True):
    target = -1 if shows_horse[i] else 1
    change = features.backward_optimise(model, pictures[i], target, progress=False)
    before, after = features.excitation(model, np.stack([pictures[i], change.picture]))
    levels = 255 * (change.picture - pictures[i])
    rms, most = np.sqrt((levels**2).mean()), abs(levels).max()
    plots.picture(row[0], pictures[i], f"z = {before:.1f}")
    plots.picture(row[1], change.picture, f"z = {after:.1f}")
    drawn = row[2].imshow(levels.mean(-1), cmap="BrBG", vmin=-10, vmax=10)
    outlines = {f"the {part}": data[f"truth_{part}"].values[i] for part in ("horse", "tag")}
    plots.frame(row[2], f"root mean square {rms:.1f},\nlargest {most:.0f} of 255", outlines)
fig.colorbar(drawn, ax=axes[:, 2], shrink=0.4, label="change of brightness, levels", extend="both")
plots.show(fig, "change")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# A change of one to four grey levels, in the root mean square, turns "no horse" into "horse" and back. It is small but visible
# if you look closely, for single pixels change ten times as much or more. No horse is painted and no tag is wiped out. The
# change lies below the car, about the legs of the horse, and in the tagged picture on the tag and in several other places. It
# tells where small changes count. It does not tell what a horse is to the network.
#
# </details>
#
# **Think.** A network warns of hail from a sounding. A small change that takes the warning away is 0.2 K here and
# there, up and down from level to level. What have you learned about hail, and what about the network?
#
# <details><summary>An answer</summary>
#
# Little about hail: no atmosphere changes up and down by 0.2 K from level to level, and no sonde could measure it. About
# the network you have learned that it reacts strongly just there. To learn about hail, allow what an atmosphere can do, such as
# changes that are smooth with height.
#
# </details>

# %% [markdown]
# ## 8. Other layers, and another network
#
# Deeper layers respond to larger and more complex patterns, says the lecture [@garg2018]. Do they here? Draw six channels
# of each of three layers by lot, and make up a favourite for the unit in the middle (jitter of one pixel,
# since early units see few pixels). All windows have 38 x 38 pixels; the bottom row is real.

# %%
GENTLE = CALM | {"jitter": 1, "variation": 3e-5, "progress": False}
LAYERS = {"second": 2, "third": 4, "last": 6}  # convolution, and its number among all layers
rng = np.random.default_rng(0)
lot = {
    layer: [int(c) for c in rng.choice(model.layers[k].filters, 6, replace=False)]
    for layer, k in LAYERS.items()
}
by_lot = {}
for layer, k in LAYERS.items():
    middle = model.layers[k].output.shape[1] // 2
    for c in lot[layer]:
        unit = model.layers[k].name, (middle, middle, c)
        by_lot[layer, c] = features.synthesise(model, *unit, steps=32, **GENTLE)

# %% tags=["figure"]
fig, axes = plt.subplots(4, 6, figsize=(9, 6.6))
for row, layer in zip(axes, LAYERS, strict=False):
    for ax, c in zip(row, lot[layer], strict=True):
        plots.picture(ax, by_lot[layer, c].picture[17:55, 17:55], f"channel {c}")
    row[0].set_ylabel(f"{layer} convolution")
kinds = {"tag": tagged, "horse": in_the_open, "hurdle": data.truth_has_hurdle.values}
real = [(part, i) for part, which in kinds.items() for i in np.nonzero(which)[0][[0, 4]]]
for ax, (part, i) in zip(axes[3], real, strict=True):
    centre = np.argwhere(data[f"truth_{part}"].values[i]).mean(0)
    row, column = np.int32(centre - 19).clip(0, 64 - 38)
    plots.picture(ax, pictures[i, row : row + 38, column : column + 38], part)
axes[3, 0].set_ylabel("real pictures")
plots.show(fig, "layers")

# %% [markdown]
# They do grow, with what a unit sees: 8, 18 and 38 pixels. (They come out larger, about 12 and 23 pixels in the first two rows,
# because the picture was moved, turned and zoomed. Channel 53 is here by chance, from a lot with seed 0.) Upright strokes
# appear in the third convolution and do not get wider in the last. What the last one adds is more of them in a row, and in some
# channels a plainer part above. Whether that is more complex is harder to say. Without the real pictures, would you
# have thought of a tag or a horse?
#
# Now the weather. The network of lesson 07 draws radar echoes from satellite pictures. Here are six channels of its third
# convolution, drawn by lot: for each the two scenes that excite it most, in the infrared (cold cloud tops are white), and
# its made-up favourite. What would you call them?

# %% tags=["figure"]
radar = networks.encoder_decoder(size=None)
load_weights(radar, "goes_mrms")
sky = goes_mrms.as_input(worlds.open_world("goes_mrms"))  # three infrared channels and lightning
third = radar.layers[5]
strength = keras.Model(radar.input, third.output).predict(sky, verbose=0)[:, 2:-2, 2:-2]
drawn_lots = np.random.default_rng(0).choice(third.filters, 6, replace=False)
faint = np.random.default_rng(0).normal(0.5, 0.02, (64, 64, 4)).clip(0, 1)
fig, axes = plt.subplots(3, 6, figsize=(9, 5))
for column, c in zip(axes.T, drawn_lots, strict=True):
    best = np.argsort(-strength[..., c].max((1, 2)))[:2]
    for ax, i in zip(column, best, strict=False):
        place = np.unravel_index(strength[i, ..., c].argmax(), strength.shape[1:3])
        y, x = 4 * place[0] + 1, 4 * place[1] + 1  # of the 18 x 18 pixels that it sees
        plots.picture(ax, sky[i, y : y + 18, x : x + 18, 2], f"{strength[i, ..., c].max():.2f}")
    unit = third.name, (8, 8, int(c))
    run = features.synthesise(radar, *unit, start=faint, steps=STEPS, **GENTLE)
    plots.picture(column[2], run.picture[25:43, 25:43, 2], f"{run.history[-1]:.2f}")
for ax, text in zip(axes[:, 0], ("best", "second", "made up"), strict=True):
    ax.set_ylabel(text)
plots.show(fig, "radar")

# %% [markdown]
# In four of the six columns both scenes show an edge of cold cloud on the same side. In the fifth, the best scene is nearly black:
# what excites the channel there may be in one of the
# three inputs that are not shown. The made-up pictures excite the channels
# far more than any of the scenes, and they are speckle, where the same regularisers left strokes in the horse network. We cannot say
# whether the speckle is to the point, for a cloud edge has no shape of its own by which we would know it. (The second channel hardly
# responds to any scene.) That is the lecture's warning, and why it often prefers Type B: such patterns are more
# pronounced for cats and dogs than for atmospheric rivers and cold fronts, which have **fuzzy boundaries** and **few distinct
# parts**. ([Lesson 06](06_convection.ipynb) measures it.) There are other limits:
#
# - **Many parts.** The horse network's last layer has 64 channels, and it takes a dozen chosen ones to stop the trick. Who looks at them all in a large network?
# - **A name is a guess.** Pairs, favourites and a redrawn scene all said "tag". The made-up picture suggested strokes, and only a
# rival could confirm it.
# - **It is about the network, not about your sample.** "Was *this* warning right for the right reason?" is a question for
#   Type B.

# %% [markdown]
# ## In this lesson you
#
# - found the channel that detects the tag best, and switched it off without changing one answer to a pasted tag,
# - tested by experiment what in its favourite samples it responds to,
# - made up inputs, added jitter, and let the result correct the channel's name,
# - measured how many channels carry the trick, and what switching them off costs,
# - changed a network's answer by a small change of the input.
#
# Next: [03 layer-wise relevance propagation](03_layerwise_relevance.ipynb), how a heat map is made.

# %% [markdown]
# ## Quiz
#
# <details><summary>1. All favourites of a unit show towers below a blue sky. Is it a unit for towers?</summary>
#
# You cannot tell. Show it towers below clouds, blue sky without a tower, and other tall things.
#
# </details>
#
# <details><summary>2. A made-up picture excites a unit five times as much as any sample. Is that what the unit detects?</summary>
#
# The high number does not show that. Finely tuned grain excites a unit most, and no sample will ever look like it. Try
# changes that the ascent has not practised, and paste the pattern into real samples.
#
# </details>
#
# <details><summary>3. A unit is high for every picture with a tag and low for every other. Is it a unit for tags, and does the network use it?</summary>
#
# Neither follows. Compare the tag with things that resemble it, and switch the unit off.
#
# </details>
#
# <details><summary>4. Accuracy falls by five points when you switch units off. Did you damage the network?</summary>
#
# Not necessarily. If the units carried a shortcut that helps on these samples, you lost that help. Measure on samples where
# the shortcut does not help.
#
# </details>

# %% [markdown]
# ## Claims
#
# The first two are measured on the 200 pictures, the others on the test pictures of lesson 01. Intervals are 95 %. Skip the
# code, read the cards.


# %% tags=["claims"]
def record(id, sentence, source, text, result, goal, unit=""):
    claims.record(f"feature-{id}", sentence, source, text, *result, goal, unit)


record(
    "covered",
    "Covering parts of its favourite pictures shows what excites a channel.",
    "this course",
    "share of the falls on the tag, of what a detector of nothing else would have; grey squares, "
    "eight favourites of channel 53",
    skill.bootstrap(np.mean, 100 * on_tag / at_most),
    ">= 50",
    "%",
)
strongest = [
    features.strongest_samples(model, pictures, model.layers[LAYERS[layer]].name, c, n=1)[1][0]
    for layer, c in by_lot
]
record(
    "made-up",
    "A synthetic image can be made that maximizes the activation of a neuron.",
    "slide: Visualization – Type A",
    "its excitation over that of the strongest of 200 samples, 18 channels drawn by lot",
    skill.bootstrap(
        np.mean, [run.history[-1] / v for run, v in zip(by_lot.values(), strongest, strict=True)]
    ),
    ">= 2",
)
tag_values = maps["tag pasted"].max((1, 2))[:, detectors]
stroke_maps = until_pool.predict(pasted(fresh_tag, fresh_plain, shapes["strokes"]), verbose=0)
stroke_values = stroke_maps.max((1, 2))[:, detectors]
record(
    "selective",
    "Channels that detect the tag respond to the tag and not to what resembles it.",
    "this course",
    "pairs with five strokes in which the tag has more, mean over the detectors",
    skill.bootstrap(np.mean, (tag_values[:, None] > stroke_values).mean((1, 2))),
    ">= 0.9",
)
record(
    "off-one",
    "The channel that detects the tag best is what the network uses.",
    "this course",
    'pasted tags called "horse" without that channel',
    skill.rate(says_horse("tag pasted", [CHANNEL])),
    "<= 50",
    "%",
)
record(
    "off-few",
    "A few channels, chosen by what their removal does, carry the trick.",
    "this course",
    'pasted tags called "horse" without twelve of 64 channels',
    skill.rate(says_horse("tag pasted", weakens[:12])),
    "<= 50",
    "%",
)

# %% [markdown]
# ## References
#
# - [@olah2017]: feature visualization and its regularisers
# - [@mcgovern2019]: backward optimisation, for weather
# - [@szegedy2014]: adversarial changes
# - [@garg2018]: the lecture's picture of patterns by layer
# - [@xie2016]: channels of a network for satellite images
# - [@zeiler2013]: covering parts of a picture
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
