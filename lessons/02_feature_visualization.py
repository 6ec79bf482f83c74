# %% [markdown]
# # 02 Feature visualization
#
# ![A picture that excites one channel of the horse network, and a made-up one that excites it more](../pictures/feature_visualization.png)
#
# **Question:** what does a single part of a network respond to, and does knowing it explain the network?
#
# **Objectives:** you can
# - find the samples that excite a unit, and test by covering what in them does it,
# - make up an input that excites a unit, and say what each regulariser adds,
# - find the smallest change of a sample that changes the answer,
# - switch units off, and tell "it responds to X" from "the answer depends on it".
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

from utils import claims, course, features, networks, panels, plots, skill, worlds
from utils.check import feature_visualization as check
from utils.panels import feature_visualization as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world

course.start("02_feature_visualization", seed=0)

# %% [markdown]
# A heat map asks about one sample: what in *it* decides? The lecture calls that **Type B**. **Type A**, feature
# visualization, asks about the network: what does each of its inner parts stand for? Some words for these parts:
#
# - A convolution makes a stack of maps. Each map is a **channel**: one filter, tried at every place.
# - A **unit** is one number in there: a channel at one place. In a dense layer every number is a unit.
# - How strongly an input **excites** a unit is the unit's value, before ReLU cuts off what is negative. Of a channel we
#   take its strongest place.
#
# Here is the horse network of lesson 01. It fell for the photographer's tag. Where inside does it keep that trick?

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
# Send all samples through, sort them by one channel's value, and look at the top. With a network for satellite images
# that showed filters for roads, buildings and farmland [@xie2016]. We have 200 pictures, and take channel 53. What do its
# favourites share?

# %%
CHANNEL = 53
top = features.strongest_samples(model, pictures, LAYER, CHANNEL, n=8)
fig, axes = plt.subplots(2, 4, figsize=(9, 5))
for ax, i, value in zip(axes.flat, top.index, top.excitation, strict=True):
    plots.picture(ax, pictures[i], f"{value:.1f}")
plots.show(fig, "favourites")
print(
    f"of all 200 pictures {tagged.mean():.0%} have a tag, of these eight {tagged[top.index].mean():.0%}"
)

# %% [markdown]
# All have a tag. But all have a horse, too: in this world no picture has a tag without one. On the lecture's slide it is
# a building below a sky, and the same question stays open: **what in the picture triggered it?** These samples alone
# cannot say. So change them: cover a part, and see what is left of the excitation.
#
# ### Exercise 1: cover a part
#
# `excited(pictures)` takes pictures, shape (sample, y, x, channel), and gives the excitation of each. Write a function that
# covers `picture`, shape (y, x, channel), with a grey square (value 0.5) of 8 x 8 pixels whose upper left pixel is
# (row, column), and returns **how much** the excitation falls. Leave the given picture as it is.
#
# <details><summary>Hint</summary>
#
# `covered = picture.copy()`, then `covered[row : row + 8, ...] = 0.5`. `excited` wants a stack: `covered[None]` is one of a
# single picture.
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
# Now for a grid of squares, all over four favourites. Each pixel gets the mean drop of the squares that cover it. **Predict:**
# where will it be red, on the horse or on the tag?


# %%
def drops(picture, size=8, step=4):
    """Mean drop by the squares over each pixel, shape (y, x)."""
    starts = range(0, 64 - size + 1, step)
    squares = np.zeros((len(starts) ** 2, 64, 64, 1), bool)
    for square, (row, column) in zip(squares, np.ndindex(len(starts), len(starts)), strict=True):
        square[row * step : row * step + size, column * step : column * step + size] = True
    by_square = excited(picture[None])[0] - excited(np.where(squares, 0.5, picture))
    return (by_square[:, None, None] * squares[..., 0]).sum(0) / squares[..., 0].sum(0)


drop_maps = np.stack([drops(pictures[i]) for i in top.index])

# %% tags=["figure"]
fig, axes = plt.subplots(2, 4, figsize=(9, 4.8))
for (upper, lower), i, drop_map in zip(axes.T, top.index, drop_maps, strict=False):
    masks = {part: data[f"truth_{part}"].values[i] for part in ("horse", "tag")}
    plots.picture(upper, pictures[i], f"excitation {excited(pictures[[i]])[0]:.1f}")
    drawn = plots.heat_map(lower, drop_map, masks=masks)
plots.heat_map_bar(fig, drawn, axes[1], "excitation", words=("rises", "falls"))
plots.show(fig, "covered")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The tag, and the plain ground above it. Horses hardly matter. So the favourites raised a
# question, and an experiment answered it. With a grain of salt: a grey square on plain ground takes nothing
# away, it adds an edge. (Covering is a method of its own, *occlusion* [@zeiler2013]; lesson 05 goes into it.)
#
# </details>
#
# **Think.** A channel of a storm network has six favourites: all show a hook echo (rain wrapped around a rotating
# updraft), and all are from the same radar.
# What would you cover, or change, to find out which of the two it responds to?
#
# <details><summary>An answer</summary>
#
# Cover the hook, then everything else. Better still, keep one and change the other: hook echoes seen by
# other radars, and ordinary showers seen by this one. If the excitation goes with the hook from radar to
# radar, it is the hook; if it goes with the radar whatever the weather, look for range rings, noise, or a
# blocked beam.
#
# </details>
#
# ## 2. Method 2: make up its favourite
#
# Why look for a good sample, if one can be made? Start from noise or from a sample $x$. The **gradient** of the excitation $a$
# says for each pixel whether $a$ would rise with it. Take a small step that way, and again, and again: **gradient ascent**.
#
# $$x \leftarrow x + \text{rate} \cdot \frac{\partial a}{\partial x}$$
#
# ### Exercise 2: one step of the ascent
#
# Write that step. `x` and `slope`, the gradient, have the same shape. Pictures must stay pictures: keep each value
# between 0 and 1.
#
# <details><summary>Hint</summary>
#
# `.clip(0, 1)` comes last.
#
# </details>


# %% tags=["exercise"]
def ascend(x, slope, rate):
    """The input after one step."""
    return ...


# %% tags=["solution"]
def ascend(x, slope, rate):
    """The input after one step."""
    return (x + rate * slope).clip(0, 1)


# %% tags=["check"]
check.ascend(ascend)

# %% [markdown]
# `features.synthesise` takes such steps, with Adam instead of one rate for all. First from faint noise, then from a
# picture without horse and tag. The best of our 200 samples reaches the dotted line. How far will made-up pictures get, as a
# number? (Section 1 has that of the best sample.)

# %% tags=["guess"]
guess = {"noise": None, "sample": None}

# %%
empty = np.nonzero((data.horse.values == 0) & ~data.truth_has_hurdle.values)[0]
STEPS = 64
starts = {"noise": None, "sample": pictures[empty[0]]}
climbed = {
    name: features.synthesise(model, LAYER, CHANNEL, start=start, steps=STEPS)
    for name, start in starts.items()
}

# %% tags=["figure"]
fig, axes = plt.subplots(1, 5, figsize=(10, 2.2), width_ratios=[1, 1, 1, 1, 1.6])
for k, (name, run) in enumerate(climbed.items()):
    plots.picture(axes[2 * k], run.frames[0], f"from a {name}" if k else "from noise")
    plots.picture(axes[2 * k + 1], run.picture, f"excites by {run.history[-1]:.1f}")
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
# Far above any sample. Only a window changes: one place of this channel sees 38 x 38 pixels (its receptive field, lesson 09),
# here cut off by the edge. At its bottom stand bright upright strokes in a row. Letters, perhaps. The rest is
# grain that no camera would take, and the channel likes it.
#
# </details>
#
# ## 3. Keep it from becoming noise
#
# Grain excites because it fits the network's pixels exactly. The toolbox
# [LUCID](https://github.com/tensorflow/lucid) makes the ascent harder for it, by **regularisers** [@olah2017]:
#
# - **jitter:** at each step the network sees the picture shifted by a few pixels (here up to 4);
# - **turn and zoom:** or turned by a few degrees and zoomed a little (up to 5°, 10 %);
# - **total variation:** differences between neighbouring pixels cost something;
# - **Fourier:** climb in the picture's spectrum, where slow waves move first, instead of in its pixels.
#
# (LUCID also decorrelates the colours. We do not.)

# %%
settings = {
    "none": {},
    "jitter": {"jitter": 4},
    "turn and zoom": {"rotation": 5, "scaling": 0.1},
    "total variation": {"variation": 0.001},
    "Fourier": {"fourier": True},
}
settings["all but Fourier"] = {k: v for d in list(settings.values())[:4] for k, v in d.items()}
settings["all"] = settings["all but Fourier"] | {"fourier": True}
made = {}


# %%
def make(part, name):
    """The made-up input for a part (layer, unit) with the settings of this name."""
    if (part, name) not in made:
        made[part, name] = features.synthesise(model, *part, steps=STEPS, **settings[name])
    return made[part, name]


# %% tags=["figure"]
fig, axes = plt.subplots(2, 4, figsize=(10, 5.8))
axes.flat[-1].axis("off")
for ax, name in zip(axes.flat, settings, strict=False):
    run = make((LAYER, CHANNEL), name)
    plots.picture(ax, run.picture, f"{name}: {run.history[-1]:.1f}")
plots.show(fig, "regularisers")

# %% [markdown]
# Which of these patterns does the channel *recognise*, and which only fit by luck? A thing is the same thing two pixels further
# on. So shift the finished pictures by a few pixels in four directions, and measure how much excitation is left. Which
# regulariser will help most? Guess the share that is left after a shift by 4 pixels, from 0 to 1.

# %% tags=["guess"]
guess = {
    "none": None,
    "jitter": None,
    "turn and zoom": None,
    "total variation": None,
    "Fourier": None,
}


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


# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(7, 3.2))
colours = dict(zip(settings, plt.cm.viridis(np.linspace(0, 0.95, 7)), strict=True))
for name, colour in colours.items():
    shares = kept((LAYER, CHANNEL), name, 6)
    ax.plot(range(7), [1, *shares], "o-", color=colour, label=f"{name} ({np.mean(shares[:4]):.2f})")
ax.set(xlabel="shift (pixels)", ylabel="share of excitation kept", ylim=(0, 1.2))
ax.legend(title="mean over 1 to 4 pixels", loc="center left", bbox_to_anchor=(1, 0.5))
plots.guess_marks(ax, guess, dict.fromkeys(settings, 4), "y", colours)
plots.show(fig, "shifts")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Read it off: what moves the picture during the ascent (jitter; turn and zoom) makes a pattern that survives being
# moved. Total variation and Fourier alone hardly help there. They calm the picture, which is for our eyes. The zigzag of
# the others fits max-pooling, which takes two pixels at a time: grain made for it is off by one after an odd shift.
#
# </details>
#
# Each regulariser costs excitation, and each is a wish of *ours* about what pictures look like. What you see is
# partly the network and partly the wish. Here are more parts of the network by *all but Fourier*, each below its strongest
# sample. Where would you look for a horse?

# %%
names = {name: model.layers[k].name for name, k in [("second", 2), ("third", 4), ("last", 6)]}
parts = {"logit": (None, None)}
for name, channel in [("last", 53), ("last", 5), ("last", 4), ("third", 2), ("second", 3)]:
    parts[f"{name}, {channel}"] = names[name], channel
best = {n: features.strongest_samples(model, pictures, *part, n=1) for n, part in parts.items()}
runs = {name: make(part, "all but Fourier") for name, part in parts.items()}

# %% tags=["figure"]
fig, axes = plt.subplots(2, 6, figsize=(11, 4.2))
for column, (name, calm) in zip(axes.T, runs.items(), strict=True):
    plots.picture(
        column[0], pictures[best[name].index[0]], f"{name}\n{best[name].excitation[0]:.1f}"
    )
    plots.picture(column[1], calm.picture, f"{calm.history[-1]:.1f}")
plots.show(fig, "parts")

# %% [markdown]
# The second convolution likes specks, the third letters, the last letters below plain ground; channel 5 likes dark blue
# and channel 4 orange. Each layer sees further than the one before. And the logit, the answer "horse" itself? A dark
# back with legs below it, or a hurdle, *and* the tag in the lower left corner, all as upright strokes. A person
# who knows the world can read that. Would you have read it without knowing?
#
# ## 4. The smallest change that changes the answer: an adversarial change
#
# **Backward optimisation** starts from a sample and asks how it should change for the network to change its mind
# [@mcgovern2019]. We add a wish of our own and ask for the *smallest* such change $d$, by the sum of its squares. That
# makes it what is called an **adversarial** change [@szegedy2014]:
#
# $$\text{make } \sum d^2 \text{ as small as possible, so that } z(x + d) \text{ changes its sign and } 0 \le x + d \le 1$$
#
# One picture without a horse, one with a horse in the open, one with a tag. **Predict:** what will be painted into the
# first, what will be taken from the others? Will you see it?

# %%
shows_horse = features.excitation(model, pictures) > 0
plain = (data.horse.values == 1) & ~tagged & ~data.truth_has_hurdle.values & shows_horse
three = [empty[0], np.nonzero(plain)[0][4], np.nonzero(tagged & shows_horse)[0][0]]
fig, axes = plt.subplots(3, 3, figsize=(7, 7))
for row, i in zip(axes, three, strict=True):
    change = features.backward_optimise(model, pictures[i])
    before, after = features.excitation(model, np.stack([pictures[i], change.picture]))
    difference = change.picture - pictures[i]
    plots.picture(row[0], pictures[i], f"z = {before:.1f}")
    plots.picture(row[1], change.picture, f"z = {after:+.3f}")
    outlines = {part: data[f"truth_{part}"].values[i] for part in ("horse", "tag")}
    level = 255 * np.sqrt((difference**2).mean())
    drawn = plots.heat_map(row[2], difference, f"change, {level:.1f} of 255 levels", outlines)
plots.heat_map_bar(fig, drawn, axes[:, 2], "change of a pixel", words=("darker", "brighter"))
plots.show(fig, "change")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# You hardly see it. A change of one to three grey levels in 255, about as much as the grain of this world's camera, turns
# "no horse" into "horse" and back. It paints no horse and wipes out no tag. It does tell where the network is easily
# moved: in this tagged picture, mostly at the tag. But an adversarial change is not what a horse *means* to the network.
#
# </details>
#
# **Think.** A network warns of hail from a sounding. The smallest change that takes the warning away is 0.2 K here and
# there, up and down from level to level. What does that mean physically: what have you learned about hail, what about the
# network? Which changes would you allow, to learn about hail?
#
# <details><summary>An answer</summary>
#
# Little about hail: no atmosphere changes by 0.2 K up and down from level to level, and no sonde could
# measure it. About the network you have learned that it is easily moved just there. To learn about hail,
# allow what an atmosphere can do: changes that are smooth with height, or of one quantity that you know,
# such as the height of the freezing level.
#
# </details>
#
# ## 5. Is there a unit for the tag, and does the answer hang on it?
#
# Channel 53 was a lucky pick. Look for the best one among the 64. Forty empty scenes, each drawn without and with a tag:
# a perfect tag channel would be higher in *every* picture with a tag than in *any* without.

# %%
recipes = world.scenes(200, seed=worlds.SAMPLE, setting="training")  # those of `data`
pasted = world.render([replace(recipes[i], tag=True) for i in empty[:40]]).picture.values
last_pool = keras.Model(model.input, model.layers[7].output)  # 4 x 4 places, after ReLU


def strengths(some):
    """Each channel's strongest place in the last layer of maps, shape (sample, 64)."""
    return last_pool.predict(some, verbose=0).max((1, 2))


without, with_tag = strengths(pictures[empty[:40]]), strengths(pasted)

# %% [markdown]
# ### Exercise 3: who tells the tag?
#
# For each channel give the share of all 40 x 40 pairs (any picture with, any without) in which the picture with the tag
# has the larger value: shape (64,). One half is guessing, 1 is perfect. (In statistics: the area under the ROC curve.)
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
# So yes: units for the tag appear, several of them, though nobody ever told the network that there are tags. Now the proof.
# If channel 53 *is* the trick, the trick must be gone without it. **Switch it off**: set its map to zero and let the rest
# of the network go on. Fresh pictures, never seen so far. Guess: of the empty scenes with a pasted tag, how many per cent will
# still be called "horse"?

# %% tags=["guess"]
guess = {"without channel 53": None}

# %%
fresh = world.scenes(120, seed=worlds.CLAIMS + 20_000, setting="training")
test = world.render(fresh)
label = test.horse.values == 1
scene = np.nonzero(~label & ~test.truth_has_hurdle.values)[0]
with_pasted = world.render([replace(fresh[i], tag=True) for i in scene])
head = keras.Sequential([keras.Input(last_pool.output_shape[1:])])
for layer in model.layers[8:]:
    head.add(layer)
maps = {
    "ordinary": last_pool.predict(test.picture.values, verbose=0),
    "tag": last_pool.predict(with_pasted.picture.values, verbose=0),
}
maps["no tag"] = maps["ordinary"][scene]


def says_horse(kind, off=()):
    """The answers, shape (sample,), with some of the 64 channels switched off."""
    on = ~np.isin(np.arange(64), off)
    return head.predict_on_batch(maps[kind] * on)[:, 0] > 0


for name, off in {"all channels": [], "without channel 53": [CHANNEL]}.items():
    rate, right = says_horse("tag", off).mean(), (says_horse("ordinary", off) == label).mean()
    you = plots.guess_text(guess, name, " %")
    print(f'{name}: {rate:.0%}{you} of scenes with a pasted tag are "horse", {right:.0%} right')

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Nothing happens. The channel knows the tag, and the answer does not need it.
#
# </details>
#
# Is it the others? Switch off more and more, in three orders: those that tell the tag best first; those whose absence takes
# most from the tag's effect on $z$ first (measured on the forty pairs); and any, as a control. Left the tag's trick, right the
# price. How many channels must be off, in each order, before only half of the pasted tags work?

# %% tags=["guess"]
guess = {"tells the tag best": None, "takes most of the effect": None, "any": None}

# %%
pools = [last_pool.predict(p, verbose=0) for p in (pictures[empty[:40]], pasted)]
apart = check.shares_of_pairs(with_tag, without)  # as exercise 3 asks
each_off = 1 - np.eye(64)[:, None, None, None]  # one channel after the other
low, high = (
    head.predict_on_batch((pool * each_off).reshape(-1, 4, 4, 64)).reshape(64, -1).mean(1)
    for pool in pools
)

# %%
orders = {
    "tells the tag best": np.argsort(-apart),
    "takes most of the effect": np.argsort(high - low),
    "any": np.random.default_rng(0).permutation(64),
}
counts = [0, 1, 2, 4, 8, 12, 16, 20, 24]
tag_rate, accuracy = {}, {}
for name, order in orders.items():
    tag_rate[name] = [100 * says_horse("tag", order[:n]).mean() for n in counts]
    right = [says_horse("ordinary", order[:n]) == label for n in counts]
    accuracy[name] = [100 * some.mean() for some in right]

# %% tags=["figure"]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharex=True, sharey=True)
for name in orders:
    axes[0].plot(counts, tag_rate[name], "o-")
    axes[1].plot(counts, accuracy[name], "o-", label=name)
axes[0].set(title='pasted tag called "horse"', xlabel="channels off", ylabel="%", ylim=(0, 102))
axes[1].set(title="right on ordinary pictures", xlabel="channels off")
axes[1].legend(loc="lower left", title="switched off first")
colours = dict(zip(orders, (plots.BLUE, plots.ORANGE, plots.GREEN), strict=True))
plots.guess_marks(axes[0], guess, dict.fromkeys(orders, 50), colours=colours)
plots.show(fig, "switched-off")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# So the trick lies in these maps, and in about sixteen of them at once. Switching off sixteen channels chosen by their
# effect takes it away nearly whole, for several points of accuracy. Sixteen of any kind take nothing from it. Sixteen that
# *tell* the tag best leave most of it. **Responding to a thing is not the same as passing it on**: what counts is also
# what the layers above do with it. And no single unit holds the tag: nothing in training asks for that.
#
# </details>
#
# ## 6. Try it: watch a picture grow
#
# Choose a part of the network and step through its ascent, from noise on. When does the pattern show, and what changes
# later, while the excitation still grows? From frame to frame the number of steps doubles.

# %%
favourites = {name: pictures[best[name].index[0]] for name in parts}
draw = panel.prepare(favourites, runs)
panels.panel(
    draw,
    "panel",
    part=Dropdown(options=list(parts), value="last, 53", description="part"),
    frame=IntSlider(6, 0, 7, description="frame"),
)

# %% [markdown]
# ## 7. Where Type A fails, and why Earth science often prefers Type B
#
# Favourites, covering and a made-up picture all said the same: channel 53 is the tag's. It was true, and whoever stopped
# there would have believed that the trick sits in that channel. Only switching it off showed otherwise. And there is more:
#
# - **Many parts.** 64 channels in one layer, and a trick spread over sixteen. Who looks at them all in a large network?
# - **It is about the network, not about your sample.** "Was *this* warning right for the right reason?" is a question for
#   Type B.
# - **You must recognise what you see.** The tag has letters, a horse has legs. The lecture's point: deeper layers do see
#   larger and more complex patterns, but an atmospheric river or a cold front has **fuzzy boundaries** and **few distinct
#   parts**, no eyes, ears and noses. If its made-up picture is a smear, can you tell a good smear from a bad one?
#
# Is it so? [Lesson 06](06_convection.ipynb) asks the same of networks that detect convection in satellite images, and measures it.

# %% [markdown]
# ## In this lesson you
#
# - found a channel's favourite samples, and tested by covering what in them it likes,
# - made up inputs, and measured which regularisers make them robust,
# - changed a network's answer by a change that nobody sees,
# - found units for the tag, and showed that the answer hangs on none of them alone.
#
# Next: [03 layer-wise relevance propagation](03_layerwise_relevance.ipynb), how a heat map is made.

# %% [markdown]
# ## Quiz
#
# <details><summary>1. All favourites of a unit show towers below a blue sky. Is it a unit for towers?</summary>
#
# You cannot tell. Cover the tower, cover the sky, or make up a favourite.
#
# </details>
#
# <details><summary>2. A made-up picture excites a unit five times as much as any sample. Is it what the unit is for?</summary>
#
# That number does not say. Grain that fits the network's pixels excites most, and no sample will ever look like it. See
# what is left when the picture is shifted.
#
# </details>
#
# <details><summary>3. A unit is high for every picture with a tag and low for every other. Does the network use the tag?</summary>
#
# Perhaps not by this unit, perhaps not at all. Switch it off and see whether answers change.
#
# </details>
#
# <details><summary>4. Switching the unit off changes nothing. So the network does not use the tag?</summary>
#
# That does not follow either: others may carry it, too. Paste the tag and see, as in lesson 01.
#
# </details>

# %% [markdown]
# ## Claims
#
# The first three are measured on the pictures above, the others on fresh pictures, with goals set after trials on other ones.
# Intervals are 95 %; there are none for means over six parts of the network, which we picked by hand. Skip the code, read the
# cards.


# %% tags=["claims"]
def record(id, sentence, source, text, values, goal, unit=""):
    value, interval = skill.bootstrap(np.mean, values)
    claims.record(f"feature-{id}", sentence, source, text, value, interval, goal, unit)


on_tag = skill.relevance_density(drop_maps, data.truth_tag.values[top.index])
record(
    "covered",
    "Covering parts of its favourite pictures shows what excites a channel.",
    "this course",
    "density on the tag of the drop, favourites of channel 53 (even spread: 1)",
    on_tag,
    ">= 5",
)
ratio = [runs[name].history[-1] / best[name].excitation[0] for name in parts]
claims.record(
    "feature-made-up",
    "A synthetic image can be made that maximizes the activation of a neuron.",
    "slide: Visualization – Type A",
    "its excitation over that of the strongest of 200 samples, mean of six parts of the network",
    np.mean(ratio),
    None,
    ">= 2",
)
robust = {n: [kept(p, n, 4).mean() for p in parts.values()] for n in ("none", "jitter")}
claims.record(
    "feature-robust",
    "Transformation robustness finds inputs that still excite when they are slightly transformed.",
    "olah2017",
    "share of the excitation kept after shifts, gain by jitter, mean of six parts of the network",
    np.subtract(robust["jitter"], robust["none"]).mean(),
    None,
    ">= 0.15",
)

# %% tags=["claims"]
chosen = label & test.truth_has_tag.values & says_horse("ordinary")
moves = []
for picture in test.picture.values[chosen][:10]:
    moves.append(features.backward_optimise(model, picture).picture - picture)
levels = 255 * np.sqrt(np.square(moves).mean((1, 2, 3)))
record(
    "adversarial",
    "A change that is hardly perceptible makes a network misclassify an image.",
    "szegedy2014",
    "root mean square of a change that loses a tagged horse, of 255 grey levels",
    levels,
    "<= 5",
)


def points(kind, off):
    before, after = (says_horse(kind, o) for o in ([], off))
    return 100 * (after * 1.0 - before)


tells = 100 * apart.max()
record(
    "off-one",
    "The channel that tells the tag best is what the network uses.",
    "this course",
    f'change of "horse" with a pasted tag, without that channel (it tells {tells:.0f} % of pairs apart)',
    points("tag", [int(apart.argmax())]),
    "<= -50",
    "points",
)
record(
    "off-sixteen",
    "The trick sits in a few channels, chosen by what switching them off does.",
    "this course",
    'change of "horse" with a pasted tag, without sixteen of 64 channels',
    points("tag", orders["takes most of the effect"][:16]),
    "<= -50",
    "points",
)

# %% [markdown]
# ## References
#
# - [@olah2017]: feature visualization and its regularisers
# - [@mcgovern2019]: backward optimisation, for weather
# - [@szegedy2014]: adversarial changes
# - [@xie2016]: channels of a network for satellite images
# - [@zeiler2013]: covering parts of a picture
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
