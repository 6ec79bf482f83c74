# %% [markdown]
# # 04 iNNvestigate
#
# ![One picture, and six heat maps of the same network that do not agree](../pictures/innvestigate.png)
#
# **Question:** a toolbox has some twenty heat maps for one picture. Which one would you publish,
# and could you defend it?
#
# **Objectives:** you can
# - say which question each kind of heat map answers, what it costs and when it does not apply,
# - fit the pattern of a unit, and say why its weights are not its signal,
# - score a heat map where the cause is known, and say what such a score leaves open,
# - run the shuffling check, and say what it can and cannot tell,
# - test two methods on a cause of your own.
#
# **Minutes:** 70 teaching, 35 exercises. Section 10 can wait.
#
# **Prerequisites:** NumPy arrays, lessons 00 and 01 (necessary); lesson 03, for the LRP rules
# (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ipywidgets import Dropdown, IntSlider
from scipy.stats import rankdata, spearmanr

from utils import claims, course, lrp, networks, panels, plots, skill, worlds
from utils.check import innvestigate as check
from utils.explain import cost, explain, methods, patternnet
from utils.panels import innvestigate as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world
from utils.worlds import convection

course.start("04_innvestigate", seed=0)
FIVE = ["gradient", "deconvnet", "integrated_gradients", "deep_taylor", "lrp.alpha_2_beta_1"]
methods().set_index("method").loc[FIVE, ["family", "question"]]

# %% [markdown]
# iNNvestigate [@alber2019] is the toolbox of the lecture: it makes each kind of heat map in one
# line. `explain` calls it, with the weights that the network
# holds at that moment. Above are five of its 21 methods, each with the question that it answers. (You
# find all of them at the end of the lesson.)
#
# The lecture says that each type of heat map has its own interpretation, and that each method has
# its pros and cons. This lesson finds out what they are. We let twelve methods of the toolbox and
# two of our own compete on pictures in which we *know* what decides.
#
# ## 1. Pictures with a known answer
#
# We use two networks from lesson 01. The *first* one learned to read the photographer's tag. The
# *repaired* one was trained further, on balanced pictures. From all horse pictures with a tag we
# keep those that both networks call a horse, and that the first network loses when the tag is cut
# out. In these pictures the tag decides, and we know its pixels.

# %%
model = networks.clever_hans()
states = {}
for name, file in [("first", "clever_hans"), ("repaired", "clever_hans_repaired")]:
    load_weights(model, file)
    states[name] = model.get_weights()


def logits(state, pictures):
    model.set_weights(states[state])
    return model.predict(pictures, verbose=0)[:, 0]


scenes = [s for s in world.scenes(450, seed=worlds.CLAIMS) if s.horse and s.tag]
tagged = world.render(scenes)
cut = world.render([replace(scene, tag=False) for scene in scenes])
both = {state: [logits(state, d.picture.values) for d in (tagged, cut)] for state in states}
before, after = both["first"]
decides = np.nonzero((before > 0) & (after < 0) & (both["repaired"][0] > 0))[0][:20]
x, x_cut = tagged.picture.values[decides], cut.picture.values[decides]
tag = tagged.truth_tag.values[decides]
effect = {state: (z[0] - z[1])[decides] for state, z in both.items()}
for state, values in effect.items():
    print(f"{state} network: the tag adds {values.mean():.1f} to the logit", end=" ")
    print(f"(mean absolute change {abs(values).mean():.1f}, standard deviation", end=" ")
    print(f"between pictures {both[state][0][decides].std():.1f})")

# %% tags=["figure"]
fig, axes = plt.subplots(2, 4, figsize=(9.6, 5.4))
for column, i in zip(axes.T, decides, strict=False):
    for ax, data, k in zip(column, (tagged, cut), (0, 1), strict=True):
        z = [both[state][k][i] for state in states]
        plots.picture(ax, data.picture[i], f"first z = {z[0]:.1f}, repaired {z[1]:.1f}")
axes[0, 0].set_ylabel("with the tag")
axes[1, 0].set_ylabel("tag cut")
plots.show(fig, "with-and-without")

# %% [markdown]
# In all four pictures the first network's logit $z$ falls below zero when the tag goes. The
# repaired network's logit stays above zero, and moves by 1.3 at most. (The printed numbers are means over 20 such pictures.)
#
# ## 2. Which map would you publish?
#
# The next cells list the fourteen methods, compute their maps for all 20 pictures and both
# networks, and count what each map costs. Two of the methods need to be fitted to data first, which
# section 5 explains.

# %%
KINDS = {
    "LRP epsilon": "lrp.epsilon",
    "LRP alpha 1 beta 0": "lrp.alpha_1_beta_0",
    "LRP alpha 2 beta 1": "lrp.alpha_2_beta_1",
    "LRP preset A": "lrp.sequential_preset_a",
    "LRP flat": "lrp.flat",
    "gradient": "gradient",
    "SmoothGrad": "smoothgrad",
    "input x gradient": "input_t_gradient",
    "integrated gradients": "integrated_gradients",
    "deconvnet": "deconvnet",
    "guided backprop": "guided_backprop",
    "deep Taylor": "deep_taylor",
    "PatternNet": "ours",
    "PatternAttribution": "ours",
}
OPTIONS = {"LRP epsilon": {"epsilon": 0.1}}
OPTIONS |= {"SmoothGrad": {"augment_by_n": 16}, "integrated gradients": {"steps": 16}}


# %%
sample = worlds.open_world("clever_hans").picture.values[:100]
fitted = {}
for state, weights in states.items():
    model.set_weights(weights)
    fitted[state] = patternnet.fit(model, sample)


def by(kind, network, pictures, patterns):
    """Heat maps of a network with one output, channels added up: shape (sample, y, x)."""
    if KINDS[kind] == "ours":
        times = kind == "PatternAttribution"
        maps = patternnet.attribute(network, pictures, patterns, output=0, times_weights=times)
    else:
        maps = explain(network, pictures, KINDS[kind], output=0, **OPTIONS.get(kind, {}))
    return maps.sum(-1)


maps, passes = {}, {}
for kind, method in KINDS.items():
    maps[kind] = {}
    for state, weights in states.items():
        model.set_weights(weights)
        maps[kind][state] = by(kind, model, x, fitted[state])
    ours = method == "ours"
    passes[kind] = patternnet.cost(model) if ours else cost(model, method, **OPTIONS.get(kind, {}))

# %% [markdown]
# Here are all fourteen maps of one picture, unnamed and in random order. All explain the first network.
# Each map has its own colour scale. The number below it is its limit, and what goes beyond is drawn in
# the last colour. Units differ from map to map, so do not compare these numbers.
#
# You know already that the tag decides, as an author who has read lesson 01 would. Suppose that you have to show it in a
# paper, with one map. **Which one do you publish?** Put its letter in the next cell, in quotation marks, such as `"B"`. Your choice
# will be drawn into the scores of this lesson.
#
# The cell after it compares the maps in pairs, ignoring sign, on average over all 20 pictures. `rankdata` orders the pixels
# of a map by size, and the correlation of these ranks is 1 if two maps put the pixels in the same
# order, and 0 if they have nothing in common.

# %% tags=["figure"]
ONE = 2
letters = np.random.default_rng(4).permutation(sorted(KINDS)).tolist()
letters = dict(zip("ABCDEFGHIJKLMN", letters, strict=True))
title = f"picture, z = {both['first'][0][decides[ONE]]:.1f}"
shown = {letter: maps[kind]["first"][ONE] for letter, kind in letters.items()}
plots.show(panel.lettered(x[ONE], title, shown), "fourteen")

# %% tags=["guess"]
guess = {"the map I would publish": None}

# %%
my_choice = panel.chosen(guess, letters)
pairs = [(a, b) for i, a in enumerate(letters) for b in list(letters)[i + 1 :]]
alike = np.empty((len(x), len(pairs)))
for i in range(len(x)):
    sizes = [abs(maps[kind]["first"][i]).ravel() for kind in letters.values()]
    alike[i] = np.corrcoef(rankdata(sizes, axis=1))[np.triu_indices(len(letters), 1)]
order = np.argsort(alike.mean(0))
for what, pair in {"least alike": order[0], "most alike": order[-1]}.items():
    print(f"{what}: {' and '.join(pairs[pair])}, rank correlation {alike.mean(0)[pair]:.2f}")
disagree, interval = skill.bootstrap(lambda some: np.median(some.mean(0)), alike)
print(f"half of the {len(pairs)} pairs have a rank correlation below {disagree:.2f}")


def on_tag(kind, state):
    return skill.relevance_density(abs(maps[kind][state]), tag)


maps["the picture itself"] = {"first": x.sum(-1)}
decided = {kind: skill.bootstrap(np.nanmean, on_tag(kind, "first")) for kind in maps}
alarm = {kind: skill.bootstrap(np.nanmean, on_tag(kind, "repaired")) for kind in KINDS}
letter_of = {kind: letter for letter, kind in letters.items()}
by_tag = [kind for kind in panel.ranks(decided)] + list(panel.CONTROLS)
names = {kind: f"{kind}  {letter_of.get(kind, '')}" for kind in by_tag}

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The fourteen maps come from one network and one picture, and they disagree. In some, nearly
# every letter of the tag can be read. A, C, H and I are grainy, J is a blur, and L covers the whole
# picture. D, G, J and L are all red, the others mix red and blue. D and G are nearly the same, but half of all pairs have a rank correlation
# below 0.41.
#
# </details>
#
# A number in such a map may be a slope, a share of the logit, or neither, and red and blue mean
# something different in each kind. The next three sections go through what each of them asks.
# Names, letters and scores follow in section 6.


# %% [markdown]
# ## 3. Three ways back through a ReLU
#
# The **gradient** asks where a small change would move the logit most [@simonyan2013]. Red means
# that a brighter pixel raises the logit, blue that it lowers it. On the way back through the
# network, call what arrives at a ReLU from the layers above the *message* $g$, and the value that
# went into the ReLU on the way forward $u$. A gradient's message passes only where the unit was
# active. **Deconvnet** [@zeiler2013] and **guided backpropagation** [@springenberg2015] go back
# through the same weights. They differ from the gradient in one line:
#
# | | the message passes where |
# |---|---|
# | gradient | the unit was active: $u > 0$ |
# | deconvnet | the message itself is positive: $g > 0$ |
# | guided backpropagation | both |
#
# ### Exercise 1: a ReLU on the way back
#
# `u` are values before the ReLU and `g` messages, both of shape (unit,). Return what passes, as
# three arrays of that shape. Where a message does not pass, put 0.
#
# <details><summary>Hint</summary>
#
# `u > 0` is an array of True and False; a product with `g` turns False into 0.
#
# </details>


# %% tags=["exercise"]
def way_back(u, g):
    """What passes back through a ReLU: gradient, deconvnet, guided backpropagation."""
    return ..., ..., ...


# %% tags=["solution"]
def way_back(u, g):
    """What passes back through a ReLU: gradient, deconvnet, guided backpropagation."""
    active, positive = u > 0, g > 0
    return g * active, g * positive, g * active * positive


# %% tags=["check"]
check.way_back(way_back)

# %% [markdown]
# **Think.** A hidden unit that speaks *against* a horse has a negative weight to the logit, so the
# message it gets is negative. What is left of it after one ReLU of guided backpropagation? Which
# question can such a map no longer answer?
#
# <details><summary>An answer</summary>
#
# Nothing: guided backpropagation lets only positive messages pass, so nothing comes down through
# this unit. Such a map can no longer say what speaks *against* the answer. It shows what excites
# the units that speak for it. (It may still have blue pixels. The first layer's weights lie below
# all ReLUs, and some are negative: there, a darker pixel would excite such a unit.)
#
# </details>
#
# ## 4. From one point to a whole path
#
# Here is a tiny network: $f(x) = 1 - \max(0, 1 - x)$. From $x = 0$ on it rises to 1, and stays there.
# At $x = 2$ the output is 1, all of it owed to $x$. What does the gradient say there?
#
# **Integrated gradients** walk from a baseline $x'$ to $x$, average the gradient along this path,
# and multiply it, pixel by pixel, by the difference $x_i - x_i'$ [@sundararajan2017]:
#
# $$R_i = (x_i - x_i') \int_0^1 \frac{\partial f}{\partial x_i}\big(x' + t\,(x - x')\big)\, dt$$
#
# With enough steps, the shares of all pixels add up to $f(x) - f(x')$. **SmoothGrad** also takes
# the mean of many gradients, over noisy copies of the picture [@smilkov2017]. Its values add up to
# nothing in particular.


# %% tags=["figure"]
def gradient(x):
    return np.where(x < 1, 1.0, 0.0)


way = np.linspace(0, 2, 201)
fig, (above, below) = plt.subplots(2, 1, figsize=(6, 3.8), sharex=True)
above.plot(way, 1 - np.maximum(0, 1 - way), color=plots.INK)
above.plot(2, 1, "o", color=plots.RED, ms=7, clip_on=False)
below.plot(way, gradient(way), color=plots.INK, drawstyle="steps-mid")
below.fill_between(way, gradient(way), step="mid", color=plots.SKY, alpha=0.4, lw=0)
below.plot(2, gradient(2.0), "o", color=plots.RED, ms=7, clip_on=False)
above.set(ylabel="f(x)", yticks=[0, 1], ylim=(0, 1.15))
below.set(xlabel="x", ylabel="gradient", yticks=[0, 1], ylim=(0, 1.15))
below.set_xticks([0, 1, 2], ["0, the baseline", "1", "2, our input"])
plots.show(fig, "integral")

# %% [markdown]
# At $x = 2$ (the dots) the gradient is zero, because a little more or less of $x$ changes nothing.
# That is correct, but answers a different question. The shaded area below the gradient, on the path
# from 0 to 2, is 1, which is the whole output. The price of the integral is the **baseline**, which
# you choose. Ours is black, so that a black horse gets nothing. Another baseline answers another
# question, as a study of climate maps shows [@mamalakis2023]. Many methods even change their map
# when a mere constant is added to the input and the network is adapted to it [@kindermans2019].
# **Input times gradient** [@shrikumar2016] is
# the same walk from a black baseline in a single step, with the gradient at $x$.
#
# LRP hands the logit down layer by layer, by the rules of lesson 03:
#
# - **epsilon**: by all contributions, for and against; where they nearly cancel, the share is
#   damped.
# - **alpha 1 beta 0**: by positive contributions only. **Deep Taylor decomposition**
#   [@montavon2017] gives nearly the same map, and starts from positive outputs only.
# - **alpha 2 beta 1**: positive contributions count twice, and negative ones are subtracted.
#   (`explain` splits biases by their sign, as the formula does and iNNvestigate does not; see the
#   appendix of lesson 03.)
# - **preset A**: epsilon in dense layers, alpha 1 beta 0 in convolutions.
# - **flat**: equally, whatever the weights. They act only through which pixel wins in each max-pooling. This one is our control.
#
# ## 5. Weights are not the signal: patterns
#
# Here is a thought experiment from remote sensing. Channel 1 sees the cloud twice and water vapour
# once, channel 2 sees only the vapour. A unit is to report the cloud. Work out its two
# weights by hand, before least squares finds them below.

# %%
rng = np.random.default_rng(1)
cloud, vapour = rng.normal(size=(2, 500))
channels = np.stack([2 * cloud + vapour, vapour], axis=1)
w = np.linalg.lstsq(channels, cloud, rcond=None)[0]
y = channels @ w
print("weights:", w.round(2))

# %% [markdown]
# Channel 2 carries nothing of the cloud, and gets as large a weight as channel 1, because it is
# needed to *cancel* the vapour. A gradient shows the weights. It marks channel 2, and we might
# conclude that the network found clouds in it.
#
# The **pattern** of a unit asks the opposite question: how do the inputs move when the output
# moves? The idea comes from brain imaging [@haufe2014] and was later carried over to networks
# [@kindermans2018].
#
# $$a = \frac{\mathrm{cov}(x, y)}{w^\top \mathrm{cov}(x, y)}$$
#
# The division makes $w^\top a = 1$. To fit a pattern one needs data, and not only the network.
#
# ### Exercise 2: fit a pattern
#
# `channels` has the shape (sample, 2), `y` the shape (sample,), and `w` are the two weights. Give
# the pattern, shape (2,).
#
# <details><summary>Hint</summary>
#
# A covariance is a mean of products, after both means have been subtracted. Any common factor of
# the covariances cancels in the division.
#
# </details>

# %% tags=["exercise"]
pattern = ...

# %% tags=["solution"]
covariance = (channels - channels.mean(0)).T @ (y - y.mean())
pattern = covariance / (w @ covariance)

# %% tags=["check"]
check.pattern(pattern, channels, y, w)

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(4.8, 3.9))
drawn = ax.scatter(*channels.T, c=cloud, s=8, cmap="PiYG", vmin=-3, vmax=3)
ax.axline((0, 0), slope=1, color=plots.INK, lw=1, ls="--")
ax.text(3.1, 3.6, "vapour alone", ha="right", va="center", fontsize=9)
for vector, colour, name in [
    (w, plots.INK, "weights"),
    (check.fit_pattern(channels, y, w), plots.BLUE, "pattern"),
]:
    tip = 3.2 * vector / np.hypot(*vector)
    ax.annotate("", tip, (0, 0), arrowprops={"color": colour, "width": 2, "headwidth": 8})
    style = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
    ax.text(
        *(tip + [0, -0.45]), name, color=colour, weight="bold", ha="center", va="center", bbox=style
    )
ax.set(xlabel="channel 1: 2 cloud + vapour", ylabel="channel 2: vapour", xlim=(-4, 4), ylim=(-4, 4))
fig.colorbar(drawn, label="cloud")
plots.show(fig, "swarm")

# %% [markdown]
# The weights stand at right angles to the dashed line, along which vapour alone moves the channels.
# That is how the unit ignores vapour. The pattern lies along channel 1, where the cloud is.
#
# In a deep network each unit gets a pattern
# of its own, for a ReLU from the samples in which it is active
# ([utils/explain/patternnet.py](../utils/explain/patternnet.py) has the formula). On the way back
# from the output, **PatternNet** uses the patterns in place of the weights and draws the signal,
# while **PatternAttribution** uses the product of both and shows how much that signal counted.
# PatternNet's numbers have no scale of their own, since every layer multiplies by patterns; the
# largest ran to millions in section 2. iNNvestigate no longer includes either method, so we wrote them ourselves.
#
# ## 6. Names and scores
#
# Now to the scores. We take the density on the tag, as in lesson 01, but of absolute values, since
# some methods have no sign that says "for". A map that is spread evenly has density 1. The tag
# covers about a twenty-fifth of the picture, so a map that lies on it entirely would have about 25.
# Each method gets two scores: one for the first network, whose answer the tag decides, and one for
# the repaired network, to which it hardly matters.
#
# A good map lights up the tag for the first network, and much less for the repaired one, in the very
# same pictures. One more row is a control that needs no network: *the picture itself*, taken as if
# it were a heat map.
#
# How dense will the **repaired** network's maps be on the tag? Guess for three methods.


# %% tags=["guess"]
guess = {"gradient": None, "LRP alpha 1 beta 0": None, "LRP alpha 2 beta 1": None}

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(8, 5))
columns = [{"tag decides": decided, "tag hardly matters": alarm}]
panel.scored([ax], columns, names, my_choice)
ax.axvline(1, color=plots.INK, lw=1, ls=":")
ax.set(xlabel="density on the tag (even spread: 1)", xlim=(0, None))
ax.legend(loc="lower right")
plots.guess_marks(ax, guess, {kind: row for row, kind in enumerate(names)})
plots.show(fig, "on-the-tag")
if my_choice is not None:
    print(
        f"You chose {my_choice}: density {decided[my_choice][0]:.1f} where the tag decides", end=""
    )
    print(f", {alarm[my_choice][0]:.1f} where it hardly matters. Would you defend it?")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# For the first network (pink) every method but the two controls is well above an even spread and above
# the picture itself. Alpha 2 beta 1 leads. It, the other LRP rules but flat, and deep Taylor lie
# beyond 11, while deconvnet and the gradient family have between 3 and 5.
#
# The repaired network (grey) is another matter. Under alpha 1 beta 0 and deep Taylor its maps still reach a density of almost 4, on a tag that hardly matters. If you chose one of these two, clear letters and
# all, you would have blamed that network for something that it does very little of now. Five other
# methods lie between 1.4 and 1.8 (section 11 has the numbers), PatternNet and PatternAttribution
# lie close to 1, and the plain gradient, input x gradient, integrated gradients and deconvnet below
# it. The ratio of the two points, the *contrast* of a method, is largest for PatternAttribution and
# alpha 2 beta 1.
#
# </details>
#
# So "there is relevance on the tag" can be a false alarm. Alpha 1 beta 0 shows positive evidence by design. Is there
# negative evidence on the tag, too, which it leaves out? LRP epsilon keeps both. The next cell takes it down to
# the second pooling only, whose cells cover 4 x 4 pixels, and adds up each sign over the cells that touch the tag.

# %%
touched = tag.reshape(len(tag), 16, 4, 16, 4).any((2, 4))[..., None]
for state, weights in states.items():
    model.set_weights(weights)
    evidence = lrp.relevance(model, x, lrp.epsilon(0.1)).layers["max_pooling2d_1"] * touched
    signs = [evidence.clip(min=0), evidence.clip(max=0)]
    signs = " and ".join(f"{each.sum((1, 2, 3)).mean():+.1f}" for each in signs)
    print(f"{state} network, on the tag: {signs} logits")

# %% [markdown]
# In the first network most of the evidence for a horse is left after subtraction. In the repaired network there is still some, and the
# evidence against a horse cancels it. A map of the positive half alone shows the one and hides the other.
#
# ## 7. Does it notice the weights?
#
# We knew what decides. Usually nobody does, so there are tests that need no known truth. The best known are
# the **sanity checks** of Adebayo et al. [@adebayo2018]: give the layers random weights, one after
# another from the top down, and see whether the map changes. (In a second test they train on
# permuted labels.) We take the first steps of that cascade and **shuffle the weights** of the last
# two layers, the dense ones. Their values stay, their order is lost, and with it what the network
# had learned to make of its features. One shuffle could be luck, so
# we make ten.
#
# The usual question is how far the new map *agrees* with that of the trained network. We ask a
# second one: how dense is the new map **on the tag**?
#
# We make the ten networks and their maps first. Then guess the density on the tag for three kinds
# of maps, as a mean over the ten. (For the trained network the figure above has it, there over all 20 pictures; the shuffled ones get the first six.)

# %%
from tensorflow import keras

model.set_weights(states["first"])
below = keras.Model(model.input, model.layers[-3].output)  # the layers that stay as they are
features = below.predict(sample, verbose=0)
top = keras.Sequential([keras.Input(features.shape[1:])])  # the two to shuffle, on their own
for layer in model.layers[-2:]:
    top.add(type(layer).from_config(layer.get_config()))
top.set_weights(states["first"][-4:])
dense = [layer.name for layer in top.layers]
shuffles, FEW = [f"shuffle {seed}" for seed in range(10)], 6  # FEW pictures for each
for seed, state in enumerate(shuffles):
    new_top = networks.shuffled(top, dense, seed)
    states[state] = states["first"][:-4] + new_top.get_weights()
    # Below nothing changes, so only the patterns of the top have to be fitted once more.
    fitted[state] = fitted["first"] | patternnet.fit(new_top, features)

# %%
# LRP by the course's own code from here on: the same numbers (lesson 03), sooner ready.
LRP = {"LRP epsilon": lrp.epsilon(0.1), "LRP alpha 1 beta 0": "alpha_1_beta_0"}
LRP |= {"LRP alpha 2 beta 1": "alpha_2_beta_1", "LRP preset A": "preset_a", "LRP flat": "flat"}


def again(kind, network, pictures, patterns):
    if kind in LRP:
        return lrp.relevance(network, pictures, LRP[kind], layers=False).input.sum(-1)
    return by(kind, network, pictures, patterns)


agree, still = {}, {}
for kind in KINDS:
    new = []
    for state in shuffles:
        model.set_weights(states[state])
        new.append(again(kind, model, x[:FEW], fitted[state]))
    maps[kind]["shuffled"] = new[0]
    old = maps[kind]["first"][:FEW]
    agree[kind] = np.array([skill.rank_agreement(old, some) for some in new])
    still[kind] = np.array([skill.relevance_density(abs(some), tag[:FEW]) for some in new])
similar = {kind: skill.bootstrap(np.nanmean, agree[kind]) for kind in KINDS}
trained = {kind: skill.bootstrap(np.nanmean, on_tag(kind, "first")[:FEW]) for kind in KINDS}
shuffled = {kind: skill.bootstrap(np.nanmean, still[kind]) for kind in KINDS}

# %% tags=["guess"]
guess = {"gradient": None, "guided backprop": None, "LRP preset A": None}

# %% tags=["figure"]
rows = {kind: name for kind, name in names.items() if kind in KINDS}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8), sharey=True)
columns = [{"agreement": similar}, {"trained": trained, "shuffled": shuffled}]
panel.scored([left, right], columns, rows, my_choice)
left.set(xlim=(0, 1.02), title="Agreement", xlabel="rank correlation with the trained map")
right.set(xlim=(0, None), title="On the tag", xlabel="density on the tag")
right.axvline(1, color=plots.INK, lw=1, ls=":")
right.legend(loc="lower right")
plots.guess_marks(right, guess, {kind: row for row, kind in enumerate(rows)})
plots.show(fig, "agreement")

# %% tags=["figure"]
SHOWN = ["gradient", "guided backprop", "LRP alpha 1 beta 0", "LRP preset A"]
fig, axes = plt.subplots(2, 5, figsize=(10, 4.6))
plots.picture(axes[0, 0], x[ONE], f"picture\nz = {both['first'][0][decides[ONE]]:.1f}")
plots.picture(axes[1, 0], x[ONE], f"z = {logits(shuffles[0], x[[ONE]])[0]:.1f}")
for column, kind in zip(axes.T[1:], SHOWN, strict=True):
    plots.heat_map(column[0], maps[kind]["first"][ONE], f"{kind}\n", {"tag": tag[ONE]})
    drawn = plots.heat_map(column[1], maps[kind]["shuffled"][ONE], "", {"tag": tag[ONE]})
words = "value, scaled to each map"
plots.heat_map_bar(fig, drawn, axes, words, words=("negative", "positive"))
axes[0, 0].set_ylabel("trained")
axes[1, 0].set_ylabel("shuffled, first of ten")
plots.show(fig, "shuffled")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# *Agreement.* Only the four methods of the gradient family lie clearly below one half. LRP epsilon,
# preset A and PatternAttribution are near it, and alpha 1 beta 0, deep Taylor, flat and PatternNet
# near 1. (Where a shuffled logit is
# negative, deep Taylor gives no map, so it has fewer.) So far the
# gradient seems to notice what alpha 1 beta 0 does not.
#
# *On the tag.* By most methods the shuffled networks' maps are nearly as dense on the tag as the
# trained network's. Preset A loses most (12.5 to 10.6), then epsilon (12.7 to 10.9), and deconvnet gains. The gradient's density stays about the same (3.2 to 3.1), although its colour gathers on horse,
# tag and a corner before the shuffling and spreads over the picture after it. The letters are still
# legible in the maps of alpha 1 beta 0 and preset A. Preset A has lost the horse.
#
# </details>
#
# Is it wrong, then, to point at the tag? That depends on what the shuffled networks answer to. We
# can find out by covering it. We put a grey box over the tag, and the same box at eight other places
# in each picture, and read how far each moves the logit.


# %%
def with_box(picture, row, column):
    boxed = picture.copy()
    boxed[row : row + 6, column : column + 27] = 0.5
    return boxed


corners = [np.argwhere(mask).min(0) for mask in tag]  # of the tags, which lie below row 48
places = np.random.default_rng(0).integers((8, 0), (42, 37), (len(x), 8, 2))
covered = np.stack([with_box(*one) for one in zip(x, *np.transpose(corners), strict=True)])
boxed = np.stack([with_box(x[i], *place) for i in range(len(x)) for place in places[i]])
moves = {}
for state in ["first", "repaired", *shuffles]:
    z = logits(state, x)
    moved = abs(logits(state, covered) - z).mean()
    other = abs(logits(state, boxed) - np.repeat(z, 8)).mean()
    moves[state] = moved, other, moved / other
moves = pd.DataFrame(moves, index=["box on the tag", "box elsewhere", "ratio"], dtype=float).T
ratio = moves.ratio[shuffles].to_numpy()
print(f"shuffled networks, one by one: ratio {ratio.min():.0f} to {ratio.max():.0f}")
moves.loc["shuffled, mean"] = moves.loc[shuffles].mean()
moves.drop(index=shuffles).round(2)

# %% [markdown]
# A box on the tag moves the logits of the repaired network and of the shuffled ones by about the
# same, 0.56 and 0.55. What tells them apart is the comparison. A box elsewhere moves the repaired
# network by 1.62, more than the one on the tag, and the shuffled ones by 0.03 only. So to the repaired network the tag hardly matters, while the shuffled ones still answer to it, 11 to 34
# times as much as to other places. A shuffled network's map that points at the tag is right. The convolutions below are
# as they were, and whatever stands on top depends on what they report.
#
# ### What the literature says
#
# Of the methods that Adebayo et al. tested, guided backpropagation failed, alone or inside Grad-CAM
# [@adebayo2018]. It and deconvnet rebuild edges of the picture [@nie2018]. LRP and deconvnet were
# not in that test. Sixt et al. added deconvnet, deep Taylor, PatternAttribution and most rules of
# LRP, and found their maps to be independent of the later layers [@sixt2020]. For alpha 1 beta 0
# the reason is known. Its shares are never negative, and a product of many positive matrices turns
# any vector into nearly the same direction, so that the way back forgets where it began. Alpha 2
# beta 1 and PatternAttribution are on their list as well, but in our smaller network both maps
# change (agreement 0.65 and 0.55).
#
# Others answered. What the check finds may reflect the task rather than the method [@yona2021].
# Random layers on top leave the channels with large activations as they were, so that maps can be
# expected to differ only so far, while maps without any information easily get high marks
# [@binder2023]. That fits what we have just seen. Newer versions of the check average over noisy
# copies, or measure how much more complex a map becomes [@hedstrom2024].
#
# **Passing this check does not make a map right, and failing it can have two causes.** The method may
# be blind to the top of the network, and the network may still answer to the same thing. Here both hold for alpha 1 beta 0. It is blind in part: it kept pointing at the tag for the repaired
# network, to which the tag hardly matters, and at the horse for the shuffled one, where preset A no longer does.
# And the network still answers to the tag, which only an experiment such as covering it could show. Do not rank
# methods by the check.

# %% [markdown]
# ## 8. A broad, smooth cause
#
# A tag is small, and letters are all edges. The causes in the atmosphere are often neither: a warm
# ocean, a thick cloud. Do the methods keep their ranks?
#
# For another known answer we go to the convection world of lesson 06. Its network gets five
# satellite pictures and says convection ($z > 0$) or none. We darken pictures of smooth stratocumulus, so that it says none. Then we brighten a part of them in
# two ways, and keep the pictures in which the answer turns both times:
#
# - a **small, sharp** patch, a disk with a hard edge,
# - a **broad, smooth** one, which fades out like a bell.
#
# What was brightened then decides, and we know how much was done to each pixel. Network, pictures and
# places are the same for both patches.
#
# On the tag alpha 2 beta 1 was the best of the thirteen methods (flat is a control and has no rank). Which rank will it
# have on the broad, smooth patch? 1 is the best.

# %%
two = networks.convection()
load_weights(two, "convection")
*shared, w, b = two.get_weights()
one = keras.Sequential([keras.Input(two.input_shape[1:])])  # with one output, as in lesson 06
for layer in two.layers[:-1]:
    one.add(type(layer).from_config(layer.get_config()))
one.add(keras.layers.Dense(1, name="z"))
one.set_weights([*shared, w[:, 1:] - w[:, :1], b[1:] - b[:1]])


def cloud_logit(pictures):
    return one.predict(pictures, verbose=0)[:, 0]


decks = convection.scenes(210, seed=worlds.CLAIMS, setting="bright_smooth")
decks = [replace(scene, brightness=0.35) for scene in decks if scene.kind == "deck"]
smooth = convection.as_input(convection.render(decks))  # shape (sample, y, x, time)
sequences = convection.as_input(convection.simulate(100, seed=worlds.VALIDATION))
cloud_patterns = patternnet.fit(one, sequences)

# %%
down, across = np.mgrid[:64, :64]
middle = np.random.default_rng(0).uniform(16, 48, (2, len(smooth), 1, 1))
away = np.hypot(down - middle[0], across - middle[1])
weights = {
    "small, sharp patch": (away < 10).astype(float),
    "broad, smooth patch": np.exp(-((away / 16) ** 2) / 2),
}
bright = {cause: smooth * (1 + 1.3 * weight[..., None]) for cause, weight in weights.items()}
turned = {c: (cloud_logit(some) > 0) & (cloud_logit(smooth) < 0) for c, some in bright.items()}
same = np.nonzero(np.all(list(turned.values()), axis=0))[0]
changed, masks = {}, {}
for cause, weight in weights.items():
    changed[cause], masks[cause] = bright[cause][same[:20]], weight[same[:20]] > 0.5
    print(f"{cause}: the answer turns in {turned[cause].sum()} of {len(smooth)}", end=", ")
    print(f"and {100 * masks[cause].mean():.0f} % of the picture lies within")
print(f"it turns for both patches in {len(same)} pictures; we take {len(masks[cause])}")
look = same[0]  # the picture to be drawn

# %% tags=["guess"]
guess = {"LRP alpha 2 beta 1": None}


# %%
def cloud_maps(kind, pictures):
    return again(kind, one, pictures, cloud_patterns)


signed = {"tag": {kind: maps[kind]["first"] for kind in maps}}
masks["tag"] = tag
for cause, pictures in changed.items():
    signed[cause] = {kind: cloud_maps(kind, pictures) for kind in KINDS}
    signed[cause]["the picture itself"] = pictures.sum(-1)


def densities(cause, size=abs):
    """Density on the cause by kind of map: shape (sample,)."""
    return {k: skill.relevance_density(size(m), masks[cause]) for k, m in signed[cause].items()}


scores = {c: {k: skill.bootstrap(np.nanmean, d) for k, d in densities(c).items()} for c in signed}
ends = {cause: ("density on it", 1 / masks[cause].mean()) for cause in signed}
plots.show(panel.ranked(scores, ends, names, my_choice), "three-causes")
(kind,) = guess
places = [panel.ranks(scores[cause])[kind] for cause in signed]
text = ", ".join(f"{c} {place}" for c, place in zip(signed, places, strict=True))
print(f"rank of {kind}: {text}{plots.guess_text(guess, kind)}")

# %%
ranked = list(panel.ranks(scores["tag"]))
ALL, RED = {"all by size": abs}, {"red alone": np.asarray}
sharp, broad = changed


def same_order(a, b):
    return spearmanr(a.mean(0), b.mean(0))[0]  # of the methods, by their mean over the pictures


def order(cause, size):
    found = densities(cause, size)
    return np.stack([found[kind] for kind in ranked], axis=1)


agreements = {}
for a, b in [(sharp, broad), ("tag", broad)]:
    for score, size in (ALL | RED).items():
        found = skill.bootstrap(same_order, order(a, size), order(b, size), n=300)
        agreements[a, b, score] = value, (low, high) = found
        print(f"{a} and {b}, {score}: {value:.2f} ({low:.2f} to {high:.2f})")
for cause in signed:
    value = same_order(order(cause, abs), order(cause, np.asarray))
    place = panel.ranks({k: [np.nanmean(d)] for k, d in densities(cause, np.asarray).items()})
    print(f"{cause}, by size and red alone: {value:.2f}", end="; ")
    print(f"preset A by red alone: rank {place['LRP preset A']}")

# %% tags=["figure"]
DRAWN = ["guided backprop", "LRP alpha 1 beta 0", "LRP preset A", "PatternNet"]
twins, answers, outlined, some_maps = {}, {}, {}, {}
for cause in (sharp, broad):
    before, after = smooth[[look]], bright[cause][[look]]
    twins[cause] = before[0, ..., 0], after[0, ..., 0]
    answers[cause] = cloud_logit(before)[0], cloud_logit(after)[0]
    outlined[cause] = weights[cause][look] > 0.5
    some_maps[cause] = {kind: cloud_maps(kind, after)[0] for kind in DRAWN}
plots.show(panel.clouds(twins, answers, outlined, some_maps), "clouds")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# *Who leads, who trails.* On both patches alpha 1 beta 0 is first and deep Taylor second. The plain
# gradient is last, barely denser than the control flat. (Flat uses no weight on the way back, but follows the
# pixels that win in max-pooling, and on bright cloud these are the bright ones.)
#
# *Who changes places.* Alpha 2 beta 1 falls from the first rank on the tag to the sixth on the broad, smooth
# patch. But look at the intervals: there the ranks 3 to 8 lie within 0.25 of each other, and many overlap. Only the
# ends of such a list mean much.
#
# *The maps.* All eight colour the same bright spot. The broad patch is brighter than its surroundings
# over more than a quarter of the picture, and no map shows that: density rewards a map that lies within
# the cause, and not one that finds all of it.
#
# </details>

# %% [markdown]
# Does the cause decide who is best? The last numbers are rank correlations of the methods' order. We had expected another order for
# a broad, smooth cause than for a small, sharp one, and had set 0.7 as the limit. In one network and the same
# pictures we cannot tell: the correlation is 0.81, with an interval of 0.70 to 0.83. (Resampling disturbs an
# order more easily than it restores it, so the interval lies mostly below the value.) When network, pictures and cause
# all change, it falls to 0.64.
#
# What we count matters as well. If only red counts, both correlations are 0.91. On the tag it makes no difference (0.99), and on the broad
# patch it reorders the methods more (0.69) than the change of patch did: preset A comes first, since it no longer pays for the faint blue
# that it spreads over the surroundings.
#
# > **The field's own benchmarks.** Mamalakis et al. simulate maps and compute from them a target
# > that is a sum over the cells, so that the true share of each cell is known [@mamalakis2022]. In
# > a second study, with convolutional networks, they report gradients that shatter, methods that
# > cannot tell the sign of a contribution, and methods that ignore inputs of zero
# > [@mamalakis2022aies]. Bommer et al. score methods by five properties, namely robustness,
# > faithfulness, randomisation, complexity and localisation, on networks that tell the decade of a
# > temperature map [@bommer2024]. Integrated gradients, LRP and input times gradient are faithful
# > there and do worse in the randomisation test; the gradient and SmoothGrad do the reverse. Some
# > results differ between their dense and their convolutional network, so they ask for a test for
# > each task.

# %% [markdown]
# ## 9. Your own test
#
# ### Exercise 3: two methods on a new cause
#
# Draw a cause of your own into the clouds, and find out which of two methods shows it better.
# Before you run it, say which one you expect to win.
#
# - `weight`, shape (64, 64): 1 where your cause is, 0 where nothing changes, or between. A band
#   like a front? Two patches? `down` and `across` hold the row and the column of each pixel.
# - `mine`: the pictures `smooth`, shape (sample, 64, 64, time), with your cause, brightened as
#   above.
# - `decides_here`: True for each picture in which the answer turns, shape (sample,).
# - `found`: for two methods of `KINDS`, the densities where `weight` is above 0.5, in the pictures
#   in which your cause decides.
# - `better`: the name of the better one, or `"cannot tell"`.
#
# <details><summary>Hint</summary>
#
# All you need stands in section 8. `np.broadcast_to(weight > 0.5, (n, 64, 64))` makes n masks of
# one. To compare the two methods, take the differences picture by picture and their interval, by
# `skill.bootstrap(np.mean, a - b)`.
#
# </details>

# %% tags=["exercise"]
weight = ...
mine = ...
decides_here = ...
found = {"a method": ..., "another one": ...}
better = ...

# %% tags=["solution"]
weight = np.clip(1.5 - abs(down - 32) / 8, 0, 1)  # a band across the picture, with soft edges
mine = smooth * (1 + 1.3 * weight[..., None])
decides_here = (cloud_logit(mine) > 0) & (cloud_logit(smooth) < 0)
cause = np.broadcast_to(weight > 0.5, (decides_here.sum(), 64, 64))
found = {}
for kind in ("LRP alpha 1 beta 0", "guided backprop"):
    found[kind] = skill.relevance_density(abs(cloud_maps(kind, mine[decides_here])), cause)
a, b = found.values()
value, (low, high) = skill.bootstrap(np.mean, a - b)
better = list(found)[0] if low > 0 else list(found)[1] if high < 0 else "cannot tell"

# %% tags=["check"]
check.own_test(weight, mine, decides_here, found, better, smooth, cloud_logit, cloud_maps)

# %% [markdown]
# **Think.** Your network finds fronts in maps of pressure and temperature. Nobody can tell you
# which pixels decide. How would you test your method all the same?
#
# <details><summary>An answer</summary>
#
# As in this exercise: draw a cause into your own maps, such as a sharper gradient along a line,
# keep the cases in which the answer turns, and score the maps on what you drew. Use a cause like
# the ones that you expect in nature, since the ranks depend on it. Coasts and mountains need an
# experiment as well. They are the sharpest edges in the input, and a map that colours them every
# day may do so whatever the network thinks. Flatten a mountain, and see whether the answer moves.
#
# </details>
#
# ## 10. Not every method works for every network
#
# Ask for maps of two other networks, one with tanh and one with a recurrent layer, and read what is
# said. The last line asks for maps by deep Taylor of clouds to which the convection network says
# no.

# %%
tanh = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="tanh")])
tanh.add(keras.layers.Flatten())
tanh.add(keras.layers.Dense(2))
memory = keras.Sequential([keras.Input((4, 3)), keras.layers.LSTM(4, unroll=True)])
cases = [(tanh, "tanh", "guided_backprop"), (tanh, "tanh", "lrp.epsilon")]
cases += [(memory, "recurrent", "lrp.epsilon"), (memory, "recurrent", "gradient")]
refused = []
for network, name, method in cases:
    try:
        explain(network, np.ones((1, *network.input_shape[1:])), method, output=0)
        print(f"{name}, {method}: works")
    except NotImplementedError as error:
        refused.append(method)
        print(f"{name}, {method}: {error}")
dim = smooth[cloud_logit(smooth) < 0][:20]  # clouds without a patch
empty = explain(one, dim, "deep_taylor", output=0)
print(f"deep Taylor, logits below zero: largest value in {len(empty)} maps {abs(empty).max():g}")

# %% [markdown]
# Rules that act at a ReLU have nothing to act on without one, and LRP needs a rule for each kind of
# layer. (The course's own `lrp` has one for an LSTM; lesson 03 uses it.) A gradient needs only
# derivatives. Deep Taylor explains positive outputs. For a negative one its map is empty.
#
# Such an empty map is a silent kind of refusal. It means "not asked", not "nothing found".
#
# ## 11. Choose by your question
#
# This table has all that we measured: the density on the tag where it decides and where it hardly matters; the density on the
# broad, smooth patch; for the six pictures of
# section 7, the `trained` and the `shuffled` networks' density on the tag, and the `agreement` of
# their maps; and what one map costs in `passes` forward through the network, counted as
# multiplications and additions. (Patterns need their fit on top of that.)
#
# **Look for yourself.** Choose a method and a network in the panel below the table. Preset A,
# as the panel opens, paints the repaired network's tag blue. Does the tag speak against the horse?
# Section 1 measured what it adds to the logit, so we can compare the signs.

# %%
table = {"tag decides": decided, "tag hardly matters": alarm, "broad patch": scores[broad]}
table |= {"trained": trained, "shuffled": shuffled, "agreement": similar}
results = pd.DataFrame({name: {k: column[k][0] for k in KINDS} for name, column in table.items()})
results["passes"] = passes
results = results.loc[[kind for kind in names if kind in KINDS]]
results.round(1).assign(agreement=results.agreement.round(2))

# %%
for kind in ("LRP epsilon", "LRP alpha 2 beta 1", "LRP preset A"):
    for state in effect:
        on_it = (maps[kind][state] * tag).sum((1, 2))
        right = (np.sign(on_it) == np.sign(effect[state])).sum()
        print(f"{kind}, {state} network: blue on {(on_it < 0).sum()} of {len(x)} tags", end=", ")
        print(f"its sign is that of the tag's effect on {right}")
draw = panel.prepare(x, {kind: maps[kind] for kind in KINDS}, tag)
panels.panel(
    draw,
    "panel",
    kind=Dropdown(options=list(KINDS), value="LRP preset A", description="method"),
    state=Dropdown(options=["first", "repaired"], value="repaired", description="network"),
    number=IntSlider(ONE, 0, len(x) - 1, description="picture"),
)

# %% [markdown]
# For the first network the three signs are right on all 20 tags. For the repaired one they are right
# on 9 to 13, no more reliable than a coin toss. Where a region hardly matters, do not read the sign
# of a map.
#
# Read the last column before you choose:
#
# | your question | take | passes | it cannot say |
# |---|---|---|---|
# | Where would a small change matter? | gradient | 2 | what the answer is owed to |
# | And with less grain? | SmoothGrad | 2 a copy | the same |
# | What is owed to the difference from a baseline? | integrated gradients | 2 a step | anything where the two agree |
# | What speaks for the answer, what against? | LRP epsilon, preset A, alpha 2 beta 1 | 3, 5, 9 | what would happen without it; where little is at stake, not even the sign |
# | Where is the evidence that the convolutions collect? | LRP alpha 1 beta 0, deep Taylor | 5 | how the last layers count it |
# | How much did the signal in the inputs count? | PatternAttribution | 2, a fit | anything for unusual inputs |
# | What does the signal look like? | PatternNet | 2, a fit | how much it counted |
# | Which shape excites this unit? | guided backpropagation, deconvnet | 2, 3 | what speaks against |
#
# The last line is what the lecture calls **Type A**: what does a single unit respond to? Deconvnet
# and guided backpropagation were invented for that (lesson 02 is about it). All others are **Type
# B**: what made the network give this answer for this input?
# %% [markdown]
# ## 12. Where this stops
#
# Our scores are for two small networks, each trained once, artificial pictures and bright causes. Density asks whether
# a map lies within the cause. It does not ask whether all of the cause is found, or whether the
# numbers are right. No map told us what happens without the tag: cutting it out did.
#
# ## In this lesson you
#
# - chose a map to publish, and saw how it scores,
# - found what each kind of map asks, wrote the three ways back through a ReLU, and fitted a
#   pattern,
# - scored maps where the tag decides, and where it hardly matters,
# - shuffled a network ten times, and found that it still answers to the tag,
# - ranked the methods for small and broad causes, and tested two on a cause of your own,
# - learned what a refusal means, and which toolboxes are maintained today.
#
# Next: [05 tf-explain](05_tf_explain.ipynb), the other toolbox.
#
# ## Quiz
#
# <details><summary>1. A map is sharp and shows every edge of the cloud. Is it a good explanation?</summary>
#
# You cannot tell from sharpness. Alpha 1 beta 0 draws nearly all letters of the tag, and much the
# same letters for a shuffled network.
#
# </details>
#
# <details><summary>2. A map stays the same when the last layers are shuffled. Is it useless?</summary>
#
# Not necessarily. The shuffled network may still answer to the same thing, as ours did. Only an
# experiment tells. (The method may be blind to the last layers as well.)
#
# </details>
#
# <details><summary>3. The gradient is zero on the storm. Does the storm not count?</summary>
#
# Not for that reason: the network may be saturated. A little more storm changes nothing, no storm
# at all might. Integrated gradients ask about the whole way from the baseline.
#
# </details>
#
# <details><summary>4. A benchmark with photographs ranks your method first. Will it be first for sea surface temperatures?</summary>
#
# You cannot know. On a broad, smooth patch of cloud the first method on the tag was the sixth, and preset A rose
# from the eighth rank to the first when only red counted. Test it with a cause and a score like yours.
#
# </details>

# %% [markdown]
# ## Appendix: what would I install today?
#
# The lecture dates from 2020, names four toolboxes, and adds that more exist. This is how the four
# stand. Versions and months are those that the Python package index had in autumn 2026.
#
# | of the lecture | for | newest version | how it stands |
# |---|---|---|---|
# | [iNNvestigate](https://github.com/albermax/innvestigate) | Keras 2 | 2.1.2, October 2023 | asks for TensorFlow below 2.15; runs here on 2.21 with `tf_keras` |
# | [tf-explain](https://github.com/sicara/tf-explain) | TensorFlow 2 | 0.3.1, November 2021 | its makers tested it up to TensorFlow 2.6; lesson 05 runs it on 2.21 |
# | [LRP Toolbox](https://github.com/sebastian-lapuschkin/lrp_toolbox) [@lapuschkin2016] | Caffe, Matlab, NumPy (the slide says TensorFlow) | on GitHub only | the changes that we saw end in 2020 |
# | [LUCID](https://github.com/tensorflow/lucid) | TensorFlow 1 | 0.3.10, March 2021 | a maintainer [wrote in 2020](https://github.com/tensorflow/lucid/issues/237) that they leaned against porting it to TensorFlow 2 |
#
# **What this course was checked against.** Its tests compare its LRP with iNNvestigate 2.1.2 and
# with formulas worked out independently, and lesson 05 with tf-explain 0.3.1, all on Keras 2.
# *None* of the toolboxes in the next table was run here. Take it as a list of places to look.

# %% [markdown]
# | your framework | toolbox | newest version | what it has |
# |---|---|---|---|
# | PyTorch | [zennit](https://github.com/chr5tphr/zennit) [@anders2021] | 1.0.0, July 2025 | LRP with a rule for each layer, as in our presets |
# | PyTorch | [Captum](https://captum.ai) | 0.9.0, April 2026 | gradients of all kinds, occlusion, Shapley values, some LRP (for its alpha 1 beta 0 read [this issue](https://github.com/pytorch/captum/issues/1234)) |
# | PyTorch, Transformers | LXT [@achtibat2024] | 2.1, July 2025 | LRP for Transformers |
# | Keras | [tf-keras-vis](https://github.com/keisen/tf-keras-vis) | 0.8.7, March 2024 | saliency, Grad-CAM and relatives, pictures for units |
# | TensorFlow | [xplique](https://pypi.org/project/xplique/) | 2.0.2, September 2026 | attribution, concepts, scores; its page for 2.0.1 advised TensorFlow 2.15 or older |
# | any | [SHAP](https://shap.readthedocs.io) | 0.54.1, October 2026 | Shapley values, by two explainers for networks |
# | PyTorch, TensorFlow | [Quantus](https://github.com/understandable-machine-intelligence-lab/Quantus) [@hedstrom2023] | 0.6.0, July 2025 | no maps, but more than 30 scores for maps |
#
# For a new project I would take PyTorch with zennit for LRP, Captum for the rest, and Quantus for
# scores. Whatever you install, first give it a network of two layers whose map you have worked out
# by hand, as in lesson 03.
#
# Here are all the methods of `explain`. A question that begins with "And" adds to the one above it;
# `source` is a key of [REFERENCES.md](../REFERENCES.md).

# %%
methods().set_index("method")[["question", "source"]]

# %% [markdown]
# ## References
#
# - [@alber2019]: iNNvestigate
# - [@simonyan2013]: the gradient
# - [@smilkov2017]: SmoothGrad
# - [@sundararajan2017]: integrated gradients
# - [@shrikumar2016]: input times gradient
# - [@mamalakis2023], [@kindermans2019]: baselines
# - [@zeiler2013], [@springenberg2015]: deconvnet, guided backpropagation
# - [@montavon2017], [@bach2015], [@montavon2018]: deep Taylor decomposition and LRP
# - [@haufe2014], [@kindermans2018]: patterns; PatternNet and PatternAttribution
# - [@adebayo2018], [@nie2018], [@sixt2020]: maps that do not notice the weights
# - [@yona2021], [@binder2023], [@hedstrom2024]: what sanity checks can and cannot tell
# - [@mamalakis2022], [@mamalakis2022aies], [@bommer2024]: methods compared for the geosciences
# - [@lapuschkin2016], [@anders2021], [@achtibat2024], [@hedstrom2023]: toolboxes
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under [CC BY
# 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
#
# ## Claims
#
# What the lecture and three papers say or what we expected, as measured here. Goals are ours (an
# agreement of 0.5 is half way from unrelated to unchanged); intervals are 95 %, over pictures, and
# over shuffles where networks were shuffled.

# %% tags=["claims"]
claims.record(
    "tour-disagree",
    "Heat maps of one network and one picture disagree.",
    "this course",
    "median over pairs of fourteen maps of their rank correlation, mean over 20 pictures",
    disagree,
    interval,
    "<= 0.5",
)
claims.record(
    "tour-architecture",
    "Not every method works for every architecture.",
    "slide: Heat maps / attribution maps",
    "refusals in four tries, two networks chosen because a method refuses them",
    len(refused),
    None,
    ">= 1",
)
AGREE = "agreement of the map with that after shuffling the last two layers, ten shuffles"
for kind, id, source, sentence in [
    (
        "guided backprop",
        "guided",
        "adebayo2018",
        "Guided backpropagation gives much the same map for random weights in the last layers.",
    ),
    (
        "LRP alpha 1 beta 0",
        "alpha-1",
        "sixt2020",
        "LRP alpha 1 beta 0 gives much the same map whatever the later layers are.",
    ),
]:
    claims.record(f"tour-{id}-sanity", sentence, source, AGREE, *similar[kind], "> 0.5")
claims.record(
    "tour-shuffled-tag",
    "Networks with random top layers still answer to what the layers below respond to.",
    "binder2023",
    "change of the shuffled logit by a grey box on the tag, over that by the same box elsewhere",
    *skill.bootstrap(np.mean, ratio),
    ">= 1",
)
claims.record(
    "tour-order",
    "A broad, smooth cause ranks the methods in another order than a small, sharp one.",
    "this course",
    "rank correlation of the methods' order by density, both patches in the same clouds",
    *agreements[sharp, broad, "all by size"],
    "<= 0.7",
)
