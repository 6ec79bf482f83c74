# %% [markdown]
# # 04 iNNvestigate
#
# ![One picture, and six heat maps of the same network that do not agree](../pictures/innvestigate.png)
#
# **Question:** a toolbox has some twenty heat maps for one picture. Which one answers *your* question?
#
# **Objectives:** you can
# - say which question each kind of heat map answers,
# - fit the patterns of a layer, and say why its weights are not its signal,
# - score a heat map against a known truth, and test whether it notices the weights,
# - choose a method by question, score and cost.
#
# **Minutes:** 45 teaching, 35 exercises.
#
# **Prerequisites:** NumPy arrays, lessons 00 and 01 (necessary); lesson 03, for the LRP rules (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ipywidgets import Dropdown, IntSlider

from utils import claims, course, networks, panels, plots, skill, worlds
from utils.check import innvestigate as check
from utils.explain import cost, explain, methods, patternnet
from utils.panels import innvestigate as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world

course.start("04_innvestigate", seed=0)

# %% [markdown]
# iNNvestigate [@alber2019] is the toolbox of the lecture: one line for each kind of heat map. `explain` is our front door to
# it. It takes any Keras network and its weights as they are now. This is what is in the box. (A question that begins
# with "And" adds to the one above it; `source` is a key of [REFERENCES.md](../REFERENCES.md).)

# %%
methods().set_index("method").drop(columns="options")

# %% [markdown]
# The lecture says that each kind of heat map has its own interpretation, and none is best. True, and not much help when you
# must choose. So we look for pictures in which we *know* where the answer comes from, and let twelve of these methods and two of
# our own compete.
#
# ## 1. Pictures with a known answer
#
# Two networks from lesson 01. The *first* one learned to read the photographer's tag. The *repaired* one was trained further
# until it hardly cared. Of the horse pictures with a tag, keep those that both networks call a horse, and that the first one loses
# when the tag is cut out. There the tag decides, and we know its pixels.

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
found = (before > 0) & (both["repaired"][0] > 0)
decides = np.nonzero(found & (after < 0))[0][:20]
x, tag = tagged.picture.values[decides], tagged.truth_tag.values[decides]
effect = {state: (z[0] - z[1])[decides] for state, z in both.items()}
for state, values in effect.items():
    size = abs(values).mean()
    print(f"{state} network: the tag changes the logit by {values.mean():.1f}, in size {size:.1f}")

# %% tags=["figure"]
fig, axes = plt.subplots(2, 4, figsize=(8, 4.6))
for column, i in zip(axes.T, decides, strict=False):
    for ax, data, k in zip(column, (tagged, cut), (0, 1), strict=True):
        z = [both[state][k][i] for state in states]
        plots.picture(ax, data.picture[i], f"first {z[0]:.1f}, repaired {z[1]:.1f}")
axes[0, 0].set_ylabel("with the tag")
axes[1, 0].set_ylabel("tag cut")
plots.show(fig, "with-and-without")

# %% [markdown]
# (The print gives means over 20 pictures.) A good heat map lights up the tag for the first network, and leaves it alone for the
# repaired one. Same pictures, same pixels, other answer.
#
# ## 2. One picture, fourteen answers
#
# `KINDS` lists what we compare, by its name in the figures. The pattern methods also need data, which section 5 explains.
# A third network, the first one with shuffled weights, is made here and waits for section 7. Before you run the figure: the
# list has one pair that will look the same. Which?

# %%
KINDS = {
    "gradient": "gradient",
    "SmoothGrad": "smoothgrad",
    "input x gradient": "input_t_gradient",
    "integrated gradients": "integrated_gradients",
    "deconvnet": "deconvnet",
    "guided backprop": "guided_backprop",
    "deep Taylor": "deep_taylor",
    "LRP epsilon": "lrp.epsilon",
    "LRP alpha 1 beta 0": "lrp.alpha_1_beta_0",
    "LRP alpha 2 beta 1": "lrp.alpha_2_beta_1",
    "LRP preset A": "lrp.sequential_preset_a",
    "LRP flat": "lrp.flat",
    "PatternNet": False,  # not in the toolbox, ours: is the pattern multiplied by the weights?
    "PatternAttribution": True,
}
OPTIONS = {"LRP epsilon": {"epsilon": 0.1}}
OPTIONS |= {"SmoothGrad": {"augment_by_n": 16}, "integrated gradients": {"steps": 16}}


# %%
model.set_weights(states["first"])
last_two = [layer.name for layer in model.layers[-2:]]
states["shuffled"] = networks.shuffled(model, last_two).get_weights()  # for section 7

fitted = {}
for state, weights in states.items():
    model.set_weights(weights)
    fitted[state] = patternnet.fit(model, worlds.open_world("clever_hans").picture.values[:100])


def heat_maps(kind, state):
    """Heat maps of all pictures, channels added up: shape (sample, y, x)."""
    model.set_weights(states[state])
    if kind.startswith("Pattern"):
        maps = patternnet.attribute(model, x, fitted[state], output=0, times_weights=KINDS[kind])
    else:
        maps = explain(model, x, KINDS[kind], output=0, **OPTIONS.get(kind, {}))
    return maps.sum(-1)


# %%
maps, passes = {}, {}
for kind, method in KINDS.items():
    maps[kind] = {state: heat_maps(kind, state) for state in states}
    if kind.startswith("Pattern"):
        passes[kind] = patternnet.cost(model)
    else:
        passes[kind] = cost(model, method, **OPTIONS.get(kind, {}))
ONE = 3
fig, axes = plt.subplots(3, 5, figsize=(10, 6.6))
plots.picture(axes.flat[0], x[ONE], "picture")
for ax, (kind, by_state) in zip(axes.flat[1:], maps.items(), strict=True):
    drawn = plots.heat_map(ax, by_state["first"][ONE], kind)
plots.heat_map_bar(fig, drawn, axes, label="value, scaled to each map")
plots.show(fig, "fourteen")

# %% [markdown]
# Deep Taylor and alpha 1 beta 0 are the pair. All fourteen come from one network and one picture, and red and blue mean something
# else in each. So find out what each one asks.
#
# ## 3. Three ways back through a ReLU
#
# The **gradient** asks where a small change would move the logit most [@simonyan2013]. Red: a brighter pixel raises the logit;
# blue: it lowers it. Call what comes down to a ReLU from the layers above the *message* $R$ (no relevance here). A gradient's message
# passes only where the unit was active. **Deconvnet** [@zeiler2013] and **guided backpropagation** [@springenberg2015] go back
# through the same weights, and treat ReLUs in another way. That is the whole difference:
#
# | | the message passes, where |
# |---|---|
# | gradient | the unit was active: $z > 0$ |
# | deconvnet | the message itself is positive: $R > 0$ |
# | guided backpropagation | both |
#
# ### Exercise 1: a ReLU on the way back
#
# `z` are values before the ReLU, `R` the message, both of shape (unit,). Give what passes, three arrays of that shape. What does
# not pass is 0.
#
# <details><summary>Hint</summary>
#
# `z > 0` is an array of True and False; a product with `R` turns False into 0.
#
# </details>


# %% tags=["exercise"]
def way_back(z, R):
    """What passes back through a ReLU: gradient, deconvnet, guided backpropagation."""
    return ..., ..., ...


# %% tags=["solution"]
def way_back(z, R):
    """What passes back through a ReLU: gradient, deconvnet, guided backpropagation."""
    active, positive = z > 0, R > 0
    return R * active, R * positive, R * active * positive


# %% tags=["check"]
check.way_back(way_back)

# %% [markdown]
# **Think.** A hidden unit that speaks *against* a horse has a negative weight to the logit, so the message it gets is negative. What
# is left of it after one ReLU of guided backpropagation? Which question can such a map no longer answer?
#
# <details><summary>An answer</summary>
#
# Nothing: guided backpropagation lets only positive messages pass, so all that lies below this unit stays
# white. Such a map can no longer say what speaks *against* the answer. It shows what excites the units
# that speak for it.
#
# </details>
#
# ## 4. A gradient is local
#
# Take the smallest network that fails: $f(x) = 1 - \max(0, 1 - x)$. It rises from 0 to 1, and stays there. At $x = 2$ the output
# is 1, all of it owed to $x$. What does the gradient say there?
#
# **Integrated gradients** walk from a baseline $x'$ to $x$, average the gradient on the way, and multiply by the way
# [@sundararajan2017]:
#
# $$R_i = (x_i - x_i') \int_0^1 \frac{\partial f}{\partial x_i}\big(x' + t\,(x - x')\big)\, dt$$
#
# With enough steps the shares add up to $f(x) - f(x')$. **SmoothGrad** averages, too, over noisy copies of the picture
# [@smilkov2017], and adds up to nothing in particular.


# %%
def gradient(x):
    return np.where(x < 1, 1.0, 0.0)


way = np.linspace(0, 2, 200)
fig, ax = plt.subplots(figsize=(6, 2.8))
ax.plot(way, 1 - np.maximum(0, 1 - way), color=plots.INK)
ax.fill_between(way, gradient(way), step="mid", color=plots.SKY, alpha=0.4, lw=0)
ax.plot(2, 1, "o", color=plots.RED)
ax.text(0.97, 0.05, "gradient on the way\nfrom 0: its area is\nthe share of x", ha="right")
ax.set(xlabel="x", ylabel="f(x)", xticks=[0, 1, 2], yticks=[0, 1])
plots.show(fig, "integral")

# %% [markdown]
# The gradient is zero: a little more or less of $x$ changes nothing. That is a right answer, to another question. The price of
# the integral is a **baseline**, which you choose. Here it is black, as usual, and a black horse on a black baseline
# gets nothing. Another baseline answers another question, as a study of climate maps shows [@mamalakis2023]. And many methods
# change their map when a mere constant is added to the input, though the network was adapted to it and says the same [@kindermans2019].
# **Input times gradient** [@shrikumar2016] is the same walk with a single step, at $x$.
#
# LRP shares the logit out, layer by layer; lesson 03 has the rules and their ledger. In one line each:
#
# - **epsilon**: by all contributions, those for and against; small sums are damped.
# - **alpha 1 beta 0**: by positive contributions only. **Deep Taylor decomposition** [@montavon2017] is nearly the same, and
#   starts only from positive outputs.
# - **alpha 2 beta 1**: positive contributions count twice, negative ones are subtracted.
# - **preset A**: epsilon in dense layers, alpha 1 beta 0 in convolutions.
#
# The alpha-beta rules need care. iNNvestigate itself adds the whole bias of a unit to both of its denominators, so that one of
# them may come near zero, and the map explode or change its sign. `explain` splits the bias by its sign, as the formula does.
# With `bias="whole"` it gives the library's own numbers, and warns where they contradict the output (lesson 03, appendix).
# - **flat**: equally, without a look at any weight. Only max-pooling lets the picture in. It is our control.
#
# ## 5. Weights are not the signal: patterns
#
# A thought experiment from remote sensing. Channel 1 sees the cloud twice and water vapour once, channel 2 sees only the vapour.
# A unit shall report the cloud. Guess its two weights. How large are they, and what sign do they have?

# %%
rng = np.random.default_rng(1)
cloud, vapour = rng.normal(size=(2, 500))
channels = np.stack([2 * cloud + vapour, vapour], axis=1)
w = np.linalg.lstsq(channels, cloud, rcond=None)[0]
y = channels @ w
print("weights:", w.round(2))

# %% [markdown]
# Channel 2 carries nothing of the cloud, and gets as large a weight as channel 1: it is there to *cancel* the vapour. A
# gradient shows the weights. So it marks channel 2, and we might conclude that the network found clouds in it.
#
# The **pattern** asks the other way round: how do the inputs move when the output moves? The idea comes from brain imaging
# [@haufe2014] and was taken over to networks later [@kindermans2018].
#
# $$a = \frac{\mathrm{cov}(x, y)}{w^\top \mathrm{cov}(x, y)}$$
#
# Dividing makes $w^\top a = 1$; the denominator is also the variance of $y$. This is the fitting step: it needs data, not only the
# network.
#
# ### Exercise 2: fit a pattern
#
# `channels` has the shape (sample, 2), `y` the shape (sample,). Give the pattern, shape (2,).
#
# <details><summary>Hint</summary>
#
# Subtract the means first. `(channels - mean).T @ (y - mean)` is the covariance times the number of samples, and
# that number cancels.
#
# </details>

# %% tags=["exercise"]
pattern = ...

# %% tags=["solution"]
covariance = (channels - channels.mean(0)).T @ (y - y.mean())
pattern = covariance / (w @ covariance)

# %% tags=["check"]
check.pattern(pattern, channels, y, w)

# %%
fig, ax = plt.subplots(figsize=(4.6, 3.8))
drawn = ax.scatter(*channels.T, c=cloud, s=8, cmap="PuOr_r", vmin=-3, vmax=3)
for vector, colour, name in [
    (w, plots.RED, "weights"),
    (check.fit_pattern(channels, y, w), plots.BLUE, "pattern"),
]:
    tip = 3.2 * vector / np.hypot(*vector)
    ax.annotate("", tip, (0, 0), arrowprops={"color": colour, "width": 2, "headwidth": 8})
    ax.annotate(name, tip + [0, -0.4], color=colour, weight="bold", ha="center", va="center")
ax.set(xlabel="channel 1: 2 cloud + vapour", ylabel="channel 2: vapour", xlim=(-4, 4), ylim=(-4, 4))
fig.colorbar(drawn, label="cloud")
plots.show(fig, "swarm")

# %% [markdown]
# The pattern lies along channel 1, where the cloud is. In a deep network each unit gets a pattern; for a ReLU unit all means
# but that of $y$ are taken over the samples in which it is active. On the way back **PatternNet** uses patterns in place of weights: it draws the
# signal. **PatternAttribution** uses the product of both: how much that signal counted. iNNvestigate had both once; version
# 2.1.2 has dropped them, so they are ours ([utils/explain/patternnet.py](../utils/explain/patternnet.py)), and were among the fourteen maps above.
#
# ## 6. Against the truth
#
# Now score them. Take the density on the tag as in lesson 01, but of absolute values, since some methods have no sign: 1 is an even
# spread. Predict: which map will be tricked into lighting up the tag for the repaired network?


# %%
def on_tag(kind, state):
    return skill.relevance_density(abs(maps[kind][state]), tag)


fig, ax = plt.subplots(figsize=(7.5, 4.6))
for row, kind in enumerate(KINDS):
    pair = [skill.bootstrap(np.nanmean, on_tag(kind, state)) for state in ("first", "repaired")]
    ax.plot([value for value, _ in pair], [row, row], color="#d5d9df", lw=3, zorder=0)
    for (value, (low, high)), colour, label in zip(
        pair, (plots.PURPLE, plots.GREY), ("tag decides", "tag hardly matters"), strict=True
    ):
        error = [[value - low], [high - value]]
        ax.errorbar(value, row, xerr=error, fmt="o", color=colour, label=label if not row else None)
ax.axvline(1, color=plots.INK, lw=1, ls=":")
ax.set(yticks=range(len(KINDS)), yticklabels=list(KINDS), ylim=(len(KINDS) - 0.5, -0.5))
ax.set(xlabel="density on the tag (even spread: 1)", xlim=(0, None))
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
plots.show(fig, "on-the-tag")

# %% [markdown]
# Look at each row twice. How far right is the pink point: does the method find what decides? And is the grey one right of the
# dotted line: does it see a cause where there is next to none? That happens to about half of the rows, mostly a little. Deep Taylor and LRP alpha
# 1 beta 0 are far off: letters have edges, and the convolutions still respond to them. The plain gradient does not
# fall for it, but puts less on the tag that decides; averaging over noise (SmoothGrad) makes it worse. As a ratio, the two points
# stand furthest apart for PatternAttribution and alpha 2 beta 1.
#
# So "there is relevance on the tag" would have been a false alarm with some of the most popular maps. You would have blamed the
# repaired network for something that it hardly does any more.
#
# ## 7. Does it notice the weights?
#
# We knew the truth. Usually nobody does. Tests that need none are *sanity checks* [@adebayo2018]. Their authors give one layer
# after the other random weights, from the top down, and in a second test train on labels that were permuted. We take one step of
# the first: **shuffle the weights** of the last two layers, the dense ones. What the network learned to make of its features is gone: as printed
# below, it now says nearly the same for all pictures. A map that explains the answer must change. Guess which maps will not.

# %%
z = logits("shuffled", x)
print(f"logits of the shuffled network: {z.min():.1f} to {z.max():.1f}")
SHOWN = ["gradient", "guided backprop", "LRP alpha 1 beta 0", "LRP preset A", "PatternAttribution"]
fig, axes = plt.subplots(2, 6, figsize=(10, 3.8))
plots.picture(axes[0, 0], x[ONE], "picture")
axes[1, 0].axis("off")
for column, kind in zip(axes.T[1:], SHOWN, strict=True):
    plots.heat_map(column[0], maps[kind]["first"][ONE], kind)
    drawn = plots.heat_map(column[1], maps[kind]["shuffled"][ONE])
plots.heat_map_bar(fig, drawn, axes, label="value, scaled to each map")
axes[0, 1].set_ylabel("trained")
axes[1, 1].set_ylabel("dense layers\nshuffled")
plots.show(fig, "shuffled")

# %% [markdown]
# All but the gradient still show the letters. Eyes do not suffice, so count: `skill.rank_agreement` is the rank correlation of the
# sizes in both maps, 1 if all pixels keep their order. We ask for at most 0.5 (dotted); this limit is ours. On
# the right is what a map costs, in forward passes through the network, counted by `cost` as multiplications and additions,
# without the patterns' fit. (The README has seconds for the toolbox.)

# %%
agreement = {k: skill.rank_agreement(m["first"], m["shuffled"]) for k, m in maps.items()}
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4), sharey=True)
for row, kind in enumerate(KINDS):
    value, (low, high) = skill.bootstrap(np.nanmean, agreement[kind])
    left.barh(row, value, color=plots.RED if value > 0.5 else plots.GREY, height=0.6)
    left.errorbar(value, row, xerr=[[value - low], [high - value]], color=plots.INK, lw=1.5)
    right.barh(row, passes[kind], color=plots.BLUE, height=0.6)
    right.text(passes[kind] * 1.1, row, f"{passes[kind]:.0f}", va="center")
left.axvline(0.5, color=plots.INK, lw=1, ls=":")
left.set(yticks=range(len(KINDS)), yticklabels=list(KINDS), ylim=(len(KINDS) - 0.5, -0.5))
left.set(xlim=(0, 1), title="agreement after shuffling", xlabel="rank correlation of sizes")
right.set(xscale="log", xlim=(1, 100), title="cost of one map", xlabel="forward passes")
right.set(xticks=[1, 10, 100], xticklabels=["1", "10", "100"])
plots.show(fig, "agreement")

# %% [markdown]
# Of the methods that Adebayo et al. tested, guided backpropagation failed, alone or inside Grad-CAM [@adebayo2018]. It and
# deconvnet rebuild the picture's edges, whatever the network thinks of them [@nie2018]. They fail here, too, and they are in company. Deep Taylor, alpha 1 beta 0, flat and PatternNet
# hardly change at all; the other LRP rules and PatternAttribution lie in between. Only the gradients stay below our goal.
#
# The reason for alpha 1 beta 0 is known [@sixt2020]. Its shares are never negative. Multiply any vector by many positive
# matrices, and its direction ends up nearly the same, whatever you began with: the way back forgets the output. Yet in section 6 it
# found the tag! What it shows is what the *convolutions* respond to.
#
# **Passing the test does not make a map right; failing it limits what the map can tell.** Alpha 1 beta 0 tells where the evidence
# lies that the feature layers collect. It cannot tell whether the last layers count it.
#
# > **Do not rank methods by this test.** It has been answered three times. What it finds may be owed to the task more than to the
# > method [@yona2021]. Shuffling the top leaves the channels with large activations as they were, and they go on contributing most, so that maps
# > can differ only so much; and maps without information easily score high. So the test is unfit to rank methods [@binder2023]. Repaired versions
# > average over noisy copies, or measure how much more complex a map becomes [@hedstrom2024]. In our chart SmoothGrad has the lowest agreement,
# > and it was not the best on the tag.
#
# ## 8. Not every method works for every network
#
# Ask for maps of two other networks, one with tanh and one with a recurrent layer, and read what is said.

# %%
from tensorflow import keras

tanh = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="tanh")])
tanh.add(keras.layers.Flatten())
tanh.add(keras.layers.Dense(2))
memory = keras.Sequential([keras.Input((12, 3)), keras.layers.LSTM(4, unroll=True)])
for network, kind, method in [
    (tanh, "tanh", "guided_backprop"),
    (tanh, "tanh", "lrp.epsilon"),
    (memory, "recurrent", "lrp.epsilon"),
    (memory, "recurrent", "gradient"),
]:
    try:
        explain(network, np.ones((1, *network.input_shape[1:])), method, output=0)
        print(f"{kind}, {method}: works")
    except NotImplementedError as error:
        print(f"{kind}, {method}: {error}")

# %% [markdown]
# Rules that act at a ReLU have nothing to hold on to without one, and LRP needs a rule for each kind of layer. A gradient needs only
# derivatives. (iNNvestigate itself can take that only with `unroll=True`, because a loop is hidden from it. `explain` has
# TensorFlow take it in one step.) There is a silent kind of refusal, too: deep Taylor of a *negative* logit.

# %%
model.set_weights(states["first"])
empty = explain(model, cut.picture.values[decides], "deep_taylor", output=0)
print(f"deep Taylor, logits below zero: largest value in {len(empty)} maps {abs(empty).max():g}")

# %% [markdown]
# An empty map here means "not asked", not "nothing found".
#
# ## 9. Type A and Type B
#
# The lecture sorts visualisations into two types. **Type A** asks what a single unit inside the network responds to;
# lesson 02 is about it. **Type B** asks what made the network give *this* answer for *this* input: heat maps. Deconvnet and
# guided backpropagation were invented for Type A, to draw what excites a unit. That fits section 7: they draw the pattern, and depend
# little on what the layers above make of it. But methods made for Type B failed there, too, so test each one.

# %% [markdown]
# ## 10. Look for yourself
#
# Choose a method and a network. On many pictures preset A paints the repaired network's tag blue. Does the tag speak against the
# horse? We can check: section 1 measured what it adds to the logit.

# %%
on_it = (maps["LRP preset A"]["repaired"] * tag).sum((1, 2))
same = np.sign(on_it) == np.sign(effect["repaired"])
print(f"preset A, repaired network: blue on {(on_it < 0).sum()} of {len(x)} tags")
print(f"its sign is that of the tag's effect on {same.sum()} of {len(x)}")

# %%
draw = panel.prepare(x, maps, tag)
panels.panel(
    draw,
    "panel",
    kind=Dropdown(options=list(KINDS), value="LRP preset A", description="method"),
    state=Dropdown(options=list(states), value="repaired", description="network"),
    number=IntSlider(ONE, 0, len(x) - 1, description="picture"),
)

# %% [markdown]
# A coin would do as well. **Where a region hardly matters, the sign of a map there tells nothing.**
#
# ## 11. Choose by your question
#
# | your question | take | it cannot say |
# |---|---|---|
# | Where would a small change matter? | gradient; SmoothGrad is calmer, with false alarms | what the answer is owed to |
# | What is owed to the difference from a baseline? | integrated gradients | anything where input and baseline agree |
# | What speaks for the answer, what against? | LRP preset A, alpha 2 beta 1 | what would happen without it |
# | Where is the evidence that the features collect? | LRP alpha 1 beta 0, deep Taylor | whether the last layers count it |
# | How much did the signal in the inputs count? | PatternAttribution | anything for inputs unlike those fitted to |
# | What does the signal look like? | PatternNet | how much it counted |
# | Which shape excites this unit (Type A)? | guided backpropagation, deconvnet, lesson 02 | why the network gave its answer |
#
# ### Exercise 3: choose by the numbers
#
# `scores` holds what was measured: `found`, the density on a tag that decides; `false_alarm`, the same on one that hardly
# matters; `factor`, the first over the second; `agreement` after shuffling; `passes`, the cost of a map. Give one name of a
# row for each wish.
#
# <details><summary>Hint</summary>
#
# `scores[(scores.passes <= 3) & (scores.found >= 4)]` shows the rows that meet these two conditions.
#
# </details>

# %%
scores = pd.DataFrame(
    {
        "found": {kind: np.nanmean(on_tag(kind, "first")) for kind in KINDS},
        "false_alarm": {kind: np.nanmean(on_tag(kind, "repaired")) for kind in KINDS},
        "agreement": {kind: np.nanmean(agreement[kind]) for kind in KINDS},
        "passes": passes,
    }
)
scores["factor"] = scores.found / scores.false_alarm
scores.loc[list(KINDS)].round(2)

# %% tags=["exercise"]
choice = {
    "finds the tag (5 or more), false alarm 1 or less": ...,
    "of those that find it (10 or more), notices shuffling best": ...,
    "the cheapest method with a factor of 5 or more": ...,
}

# %% tags=["solution"]
choice = {
    "finds the tag (5 or more), false alarm 1 or less": "PatternAttribution",
    "of those that find it (10 or more), notices shuffling best": "LRP preset A",
    "the cheapest method with a factor of 5 or more": "gradient",
}

# %% tags=["check"]
check.choice(choice, scores)

# %% [markdown]
# **Think.** Your network finds fronts in maps of pressure and temperature. Coasts and mountains are the sharpest edges in
# its input. Which methods would colour them whatever the network does? How would you find out without knowing the truth?
#
# <details><summary>An answer</summary>
#
# Guided backpropagation and deconvnet, which draw edges whatever the network does, and in section 7
# nearly all others. Shuffle the last layers and see whether the coasts stay. Then look at the mean of
# many maps: coasts are there every day and a front is not. The surest test is an experiment: flatten a
# mountain in the input, and see whether the answer moves.
#
# </details>
#
# ## 12. Where this stops
#
# All scores here are for one kind of network, one kind of picture, and a small tag with sharp letters. For climate maps others
# have built benchmarks with a known answer [@mamalakis2022], and scored methods by five properties at once [@bommer2024]: robustness,
# faithfulness, randomisation, complexity and localisation. No method won all. A broad, smooth cause (a warm
# ocean, a thick cloud) may rank the methods differently. And no map told us what happens without the tag. Cutting it out did.

# %% [markdown]
# ## In this lesson you
#
# - saw fourteen maps of one network disagree, and found what each one asks,
# - wrote the three ways back through a ReLU, and fitted a pattern,
# - scored maps where the cause is known, and where there is none,
# - shuffled a network's weights, and saw maps that did not notice,
# - read refusals, and chose methods by question, score and cost.
#
# Next: [05 tf-explain](05_tf_explain.ipynb), the other toolbox.

# %% [markdown]
# ## Quiz
#
# <details><summary>1. A map is sharp and shows every edge of the cloud. Is it a good explanation?</summary>
#
# You cannot tell from sharpness. Alpha 1 beta 0 draws each letter here, and draws the same letters for a shuffled network.
#
# </details>
#
# <details><summary>2. A map stays the same when the last layers are shuffled. Is it useless?</summary>
#
# No, but it says nothing about the last layers. Alpha 1 beta 0 shows what the convolutions collect.
#
# </details>
#
# <details><summary>3. The gradient is zero on the storm. Does the storm not count?</summary>
#
# Not for that reason: the network may be saturated. A little more storm changes nothing, no storm at all might. Integrated gradients
# ask about the whole way from the baseline.
#
# </details>
#
# <details><summary>4. A channel has large weights in the first layer. Does it carry the signal?</summary>
#
# Not necessarily: it may be there to cancel a disturbance of another channel. Its pattern tells.
#
# </details>

# %% [markdown]
# ## Claims
#
# Six of what the figures show. The density on the tag that decides is divided by that on one that hardly matters, and the goal of
# 5 is ours, like all goals. For the sanity check the first two sentences are findings of Adebayo et al. [@adebayo2018], the third one is of
# Sixt et al. [@sixt2020].


# %% tags=["claims"]
def contrast(first, repaired):
    return np.nanmean(first) / np.nanmean(repaired)


AGREE = "agreement of the map with that after shuffling the last two layers"
for kind, id in [("LRP preset A", "preset-a"), ("LRP alpha 1 beta 0", "alpha-1")]:
    claims.record(
        f"tour-{id}-truth",
        f"{kind} tells a tag that decides from one that hardly matters.",
        "this course",
        "density on the one over density on the other",
        *skill.bootstrap(contrast, on_tag(kind, "first"), on_tag(kind, "repaired")),
        ">= 5",
    )
for kind, id, source, sentence, goal in [
    ("gradient", "gradient", "adebayo2018", "The gradient notices shuffled weights.", "<= 0.5"),
    (
        "guided backprop",
        "guided",
        "adebayo2018",
        "Guided backpropagation does not notice shuffled weights.",
        "> 0.5",
    ),
    (
        "LRP alpha 1 beta 0",
        "alpha-1",
        "sixt2020",
        "LRP alpha 1 beta 0 does not notice that the last layers are shuffled.",
        "> 0.5",
    ),
    ("LRP preset A", "preset-a", "this course", "Preset A notices shuffled weights.", "<= 0.5"),
]:
    value, interval = skill.bootstrap(np.nanmean, agreement[kind])
    id, no = f"tour-{id}-sanity", goal == "> 0.5"
    claims.record(id, sentence, source, AGREE, value, interval, goal, negative=no)

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
# - [@mamalakis2022], [@bommer2024]: methods compared on climate maps
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
