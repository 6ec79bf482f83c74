# %% [markdown]
# # 01 Clever Hans
#
# ![Three pictures that a network calls "horse"](../pictures/clever_hans.png)
#
# **Question:** a network is nearly always right. Is it right for the right reason?
#
# **Objectives:** you can
# - read a heat map and measure it against a known truth,
# - test what a heat map suggests by changing the picture,
# - tell a harder test from a broken shortcut when a network fails in the real world,
# - repair a network that learned the wrong thing, and show what the repair did,
# - sort hundreds of heat maps into strategies (SpRAy).
#
# **Minutes:** 60 teaching, 40 exercises. Sections 1 to 7 tell the story; 8 and 9 can wait.
#
# **Prerequisites:** NumPy arrays and lesson 00 (necessary); the idea of a CNN (necessary); clustering (helpful, for section 8).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ipywidgets import Checkbox, IntSlider
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import SpectralClustering
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score

from utils import claims, course, networks, panels, plots, skill, training, worlds
from utils.check import clever_hans as check
from utils.explain import explain, spray
from utils.panels import clever_hans as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world

course.start("01_clever_hans", seed=0)

# %% [markdown]
# ## 1. The pictures
#
# The pictures of this lesson come from a small world of our own making. They are put together from
# drawn horses and pieces of real photographs, so that we know for each pixel what it belongs to.
#
# Half of the pictures show a horse, as do half of those below. Grey bars fill up portrait and
# landscape pictures to a square. Some horses are easy to see. Others stand far away or behind a bush,
# or have the colour of the ground.
#
# Look at them as you would at any new data set. **Which three things go with horses here?** Write
# them down. We come back to your list.

# %%
data = worlds.open_world("clever_hans")
with_horse, without = (np.nonzero(data.horse.values == i)[0][:16] for i in (1, 0))
fig, axes = plt.subplots(4, 8, figsize=(11, 5.9))
for ax, i in zip(axes.flat, [*with_horse, *without], strict=True):
    plots.picture(ax, data.picture[i], "horse" if data.horse[i] else "no horse")
plots.show(fig, "pictures")

# %% [markdown]
# ## 2. A network and its test
#
# The network is a plain CNN: four times convolution and max-pooling, then two dense layers. Its
# output is the logit $z$, and a positive logit means "horse". The trained weights come with the
# course. With `RETRAIN = True` you train it yourself, which takes about four minutes on two cores,
# one of them to draw the pictures. We test it on 500 pictures that it has never seen.

# %%
from tensorflow import keras

model = networks.clever_hans()
RETRAIN = False
if RETRAIN:
    train = world.simulate(6500, seed=worlds.TRAINING, setting="training", progress=True)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    training.fit(model, train.picture, train.horse.values[:, None], loss=loss, epochs=12)
else:
    load_weights(model, "clever_hans")


def logits(network, pictures):
    return network.predict(np.asarray(pictures), verbose=0)[:, 0]


def says_horse(network, pictures):
    return logits(network, pictures) > 0


scenes = world.scenes(500, seed=worlds.CLAIMS, setting="training")
test = world.render(scenes)
label, hidden = test.horse.values == 1, test.truth_hard.values
answer = says_horse(model, test.picture)
print(f"accuracy on {len(label)} fresh pictures: {100 * (answer == label).mean():.0f} %")

# %% [markdown]
# **Stop here for a minute.** Would you ship this network? What else would you want to know?
#
# Around 1900 a horse in Berlin, Clever Hans, seemed to do sums. It tapped the answer with its hoof,
# and it was nearly always right. Then it was questioned by people who did not know the answer
# themselves, and it failed. Hans had been reading how the questioner held himself. The lecture asks whether a network
# could pass its test in the same way, and answers with an algorithm that did [@lapuschkin2019].
#
# ## 3. Where does it look?
#
# The lecture found three strategies, by heat maps. `explain` makes heat maps as in lesson 00, for
# many pictures in one call. Red speaks for "horse" and blue against it. Above each map stand the
# logit $z$ that it explains, and the relevance per pixel at which its colours end. The outlines show
# what is there: the horse in green, its rider in light blue, a hurdle in orange.
#
# ### Strategies 1 and 2
#
# First come four horses in the open, then four near hurdles. **Guess: which parts of the pictures
# will be red?**

# %%
horses = test.isel(sample=np.nonzero(label & answer)[0])  # those that it found
tag, hurdle = horses.truth_has_tag.values, horses.truth_has_hurdle.values
groups = {"open": ~tag & ~hurdle, "near hurdles": hurdle, "third": tag}
METHOD = "lrp.sequential_preset_a"
heat_maps = explain(model, horses.picture.values, METHOD).sum(-1)
z = logits(model, horses.picture)


def look(group, parts, figure):
    """Draw four pictures of a group and their heat maps, with outlines of what is there."""
    four = np.random.default_rng(1).permutation(np.nonzero(groups[group])[0])[:4]
    masks = {part: horses[f"truth_{part}"].values[four] for part in parts}
    row = {"heat map": heat_maps[four]}
    fig = panel.gallery(horses.picture.values[four], row, masks, {"heat map": z[four]})
    plots.show(fig, figure)


look("open", ["horse", "rider"], "strategy-1")
look("near hurdles", ["horse", "rider", "hurdle"], "strategy-2")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# **Strategy 1 is to find parts of horses.** In all four maps the deepest red lies on the horse or its
# rider, mostly along edges such as the back, the neck and the legs. It does not stop at the outlines.
# Some is on the ground between the legs, and in the fourth picture there are flecks in the bushes
# behind the horse. The blue towards the lower right is of the kind that you met in lesson 00. It looks
# strong in the second map because $z$ is small there, and with it the range of the colours.
#
# **Strategy 2 is to find hurdles.** In the first and the third map the red lies on the bars, and
# hardly any on the horse. In the fourth a post shares it with a distant horse. The second picture has
# a hurdle too, but there the red is on the horse, as in strategy 1. Hurdles often stand near horses,
# so they help. What would the network say to a hurdle without a horse?
#
# </details>
#
# ### Strategy 3
#
# Here are four more that the network calls a horse. The lecture leaves this one as a riddle, with a
# hint: look at what the pictures have in common.

# %%
look("third", list(plots.PARTS), "strategy-3")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# **Strategy 3 is to read the photographer's tag.** The letters "V.OSTEN" (von Osten owned Clever
# Hans) are red in the first, second and fourth map, though in the first one only the left half. In
# the fourth picture you have to search for the horse, and the network did not find much of it either.
# In the third the horse is easy to see; its neck is the deepest red, and the tag is pale. Real horses
# wear no tags.
#
# </details>
#
# > **The slide says** "html tags". **The paper says** *source tags*: a line of text with the
# > photographer's name and address. And the classifier that read the tag was not a neural network. It
# > was a Fisher-vector classifier; the deep network trained on the same pictures looked at horse and
# > rider. That network had a Clever Hans of its own: for "aeroplane" it looked at the border of the
# > picture [@lapuschkin2019].
#
# Were these three on your list? Here we count how often they go with a horse, and how many of those
# horses are hard to see.

# %% tags=["nbval-check-output"]
has_tag, has_hurdle = test.truth_has_tag.values, test.truth_has_hurdle.values
for name, has in {"tag": has_tag, "hurdles": has_hurdle, "neither": ~has_tag & ~has_hurdle}.items():
    print(
        f"{name}: {has.sum()} pictures, {100 * label[has].mean():.0f} % with a horse, "
        f"{100 * hidden[has & label].mean():.0f} % of these hard to see"
    )

# For exercise 1
maps, masks = heat_maps[tag], horses.truth_tag.values[tag]

# %% [markdown]
# The tag never occurs without a horse. Note the last number, too. Where a tag or a hurdle gives the
# horse away, the horse itself is mostly hard to see. Remember that for section 6.
#
# ## 4. Measure it
#
# Twelve heat maps may be twelve lucky picks, and the eye is easily led. We know what each pixel
# belongs to, so we can count. How many times denser is positive relevance on a part than it would be
# if spread evenly over the picture?
#
# $$\text{density} = \frac{\text{share of positive relevance inside the mask}}{\text{share of the picture's area inside the mask}}$$
#
# ### Exercise 1: relevance density
#
# `maps` has the shape (sample, y, x), `masks` has the same shape and is True on the tag. Give the
# density for each sample, shape (sample,).
#
# <details><summary>Hint</summary>
#
# `maps.clip(min=0)` keeps what is positive. Multiplying by a mask of True and False sets all else to
# zero. Add up over the axes `(1, 2)`.
#
# </details>

# %% tags=["exercise"]
density = ...

# %% tags=["solution"]
positive = maps.clip(min=0)
relevance_share = (positive * masks).sum((1, 2)) / positive.sum((1, 2))
density = relevance_share / masks.mean((1, 2))

# %% tags=["check"]
check.density(density, maps, masks)

# %% [markdown]
# `skill.relevance_density` does the same. Now for all three strategies: which bar will be the
# longest, and which the shortest? Write your guesses in place of `None`, and the figure shows them as
# diamonds. The black lines are 95 % intervals.

# %% tags=["guess"]
guess = {"horse, in the open": None, "horse, near hurdles": None, "hurdle": None, "tag": None}

# %%
bars = [
    ("horse, in the open", "open", "horse"),
    ("horse, near hurdles", "near hurdles", "horse"),
    ("hurdle", "near hurdles", "hurdle"),
    ("tag", "third", "tag"),
]
fig, ax = plt.subplots(figsize=(7, 2.9))
for row, (_, group, part) in enumerate(bars):
    maps, inside = heat_maps[groups[group]], horses[f"truth_{part}"].values[groups[group]]
    value, (low, high) = skill.bootstrap(np.nanmean, skill.relevance_density(maps, inside))
    share = 100 * np.nanmean(skill.relevance_share(maps, inside))
    ax.barh(row, value, color=plots.PARTS[part], height=0.6)
    ax.errorbar(value, row, xerr=[[value - low], [high - value]], color=plots.INK, lw=1.5)
    ax.text(high + 0.2, row, f"{share:.0f} % of the red", va="center", fontsize=9)
tag_density = value, (low, high)  # the last bar
ax.axvline(1, color=plots.INK, lw=1, ls=":")
ax.set(yticks=range(4), yticklabels=[label for label, _, _ in bars], ylim=(3.5, -0.5))
ax.set(xlabel="density of positive relevance (even spread: 1)", xlim=(0, 18))
plots.guess_marks(ax, guess, {label: row for row, (label, _, _) in enumerate(bars)})
plots.show(fig, "densities")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The tag has by far the highest density, and half of all the red. The hurdle has the lowest density
# of the four, though it holds about a third of the red: it is large, and density counts per area.
# Which of the two numbers tells how much the network depends on a hurdle? Neither was made to. To
# find out, we have to change the pictures.
#
# </details>
#
# ## 5. Prove it by changing the picture
#
# Relevance may lie on the tag although the network would say "horse" without it. So we intervene.
# Each picture of our world is drawn from a *scene*, its recipe. `replace` changes one ingredient, and
# `render` draws the picture again with all else equal, down to the noise of the camera. We take the
# same 100 outdoor pictures without a horse twice, pasting the tag and pasting hurdles, and we cut the
# tag from those pictures with a tag where the network had found the horse.
#
# How many of the pictures will be called "horse" after the change? Guess, in per cent. First you will
# see two pictures of each experiment, with their logits; two are no count, so the second figure has
# the rates of all.

# %% tags=["guess"]
guess = {"tag pasted, no horse": None, "hurdles pasted, no horse": None, "tag cut, horse": None}


# %%
def again(which, **change):
    """Draw some of the test pictures again, with something changed."""
    return world.render([replace(scenes[i], **change) for i in which])


outdoors = np.array([scene.subject in world.OUTDOORS for scene in scenes])
field = np.nonzero(~label & ~has_hurdle & outdoors)[0][:100]
tagged = np.nonzero(label & answer & has_tag)[0]
empty = test.picture.values[field]
pairs = {
    "tag pasted, no horse": (empty, again(field, tag=True).picture.values),
    "hurdles pasted, no horse": (empty, again(field, hurdles=True).picture.values),
    "tag cut, horse": (test.picture.values[tagged], again(tagged, tag=False).picture.values),
}
fig, axes = plt.subplots(2, 6, figsize=(11, 3.9))
for (name, pair), columns in zip(pairs.items(), np.split(axes, 3, axis=1), strict=True):
    for row, pictures in zip(columns, pair, strict=True):
        for ax, i in zip(row, (0, 4), strict=True):
            plots.picture(ax, pictures[i], f"z = {logits(model, pictures[[i]])[0]:.1f}")
    columns[0, 0].set_title(
        f"{name}\n{columns[0, 0].get_title('left')}", fontsize=10, fontweight="normal"
    )
for ax, name in zip(axes[:, 0], ("as it was", "changed"), strict=True):
    ax.set_ylabel(name)
plots.show(fig, "changed")


# %%
def before_and_after(network):
    """Which pictures are called a horse, before and after each experiment."""
    return {
        name: [says_horse(network, pictures) for pictures in pair] for name, pair in pairs.items()
    }


def draw_experiments(results, figure):
    """Draw rates before and after, a column a network; the guess stands in the last one."""
    fig = panel.before_after(
        {
            network: {name: [skill.rate(yes) for yes in pair] for name, pair in result.items()}
            for network, result in results.items()
        }
    )
    rows = {name: row + 0.13 for row, name in enumerate(pairs)}
    plots.guess_marks(fig.axes[len(results) - 1], guess, rows)
    plots.show(fig, figure)


first = before_and_after(model)
draw_experiments({"first network": first}, "experiments")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# With a tag, the network sees a horse in every one of these pictures, as the paper's classifier did
# in a car. Hurdles do it nearly as often. And when the tag is cut, most of the horses that had been
# found are lost. The test accuracy showed none of this, because the test pictures come from the same
# world as the training pictures.
#
# Density had put the hurdle last, below the horse; in the experiment it is nearly as strong as the
# tag. A score of red per area is not a measure of how much depends on a thing.
#
# </details>
#
# ### Move it yourself
#
# Paste the tag, move it, take it away; put hurdles in front of things. The picture is drawn again at
# each move, and logit and heat map follow. Does the tag work in the upper right corner, too?
#
# <details><summary>What we saw</summary>
#
# Along the bottom the tag works nearly everywhere, halfway up in some pictures, and at the top in
# none. The network has learned letters *at the bottom* of a picture. A convolution finds letters
# anywhere, but the dense layer after it has a weight for each place.
#
# </details>

# %%
# For exercise 2
maps, tags, bodies = heat_maps[tag], horses.truth_tag.values[tag], horses.truth_horse.values[tag]
logit = z[tag]

draw = panel.prepare(model, [scenes[i] for i in field[:20]])
panels.panel(
    draw,
    "panel",
    number=IntSlider(0, 0, 19, description="picture"),
    tag=Checkbox(True, description="tag"),
    row=IntSlider(45, 0, 58, description="tag's row"),
    column=IntSlider(8, 0, 40, description="tag's column"),
    hurdles=Checkbox(False, description="hurdles"),
    shift=IntSlider(0, -20, 20, description="hurdles' shift"),
)

# %% [markdown]
# ### Exercise 2: predict the experiment from the heat maps
#
# If heat maps tell what a network needs, then they should tell *which* horses are lost without their
# tag. `maps` and `tags`, shape (sample, y, x), are the heat maps of the tagged pictures and the masks
# of their tags, `bodies` masks of their horses, and `logit`, shape (sample,), what each map explains.
# Give `lost`, shape (sample,): True where you predict that the network no longer finds the horse once
# the tag is cut.
#
# <details><summary>Hint</summary>
#
# Add up the relevance on the tag, `(maps * tags).sum((1, 2))`, and compare it with a part of the
# logit. Or ask how little red is left on the horse. There is more than one good rule.
#
# </details>

# %% tags=["exercise"]
lost = ...

# %% tags=["solution"]
lost = (maps * tags).sum((1, 2)) > logit / 2

# %% tags=["check"]
check.lost(lost, first["tag cut, horse"][1])

# %% [markdown]
# **Think.** All relevance together is about the logit. So why not predict "lost" where the relevance
# on the tag is larger than the whole logit?
#
# <details><summary>An answer</summary>
#
# Because it never is, in any of these pictures. If the relevance on the tag were what the tag adds,
# then no horse could be lost. The order of the pictures is useful, the size is not: cutting the tag
# costs far more than the map gives it. The next experiment measures that.
#
# </details>
#
# ### What the heat map does not tell
#
# LRP is built so that all relevance together comes to about the logit. Nothing ensures that the
# relevance on a part is what that part adds. How near does it come? We take two kinds of pictures and
# draw each with and without the tag: horses in the open which the network had found without a tag,
# and the tagged ones. Three rules of the LRP family answer: preset A, $\alpha_1\beta_0$, and
# *epsilon*, which counts what speaks for and against alike. (Lesson 03 writes them by hand.) For the
# horses in the open, guess what share of the positive relevance moves to a pasted tag, in per cent.
# And how many of these pictures *need* the tag to be called a horse?

# %% tags=["guess"]
guess = {
    "preset A, tag pasted": None,
    "alpha 1 beta 0, tag pasted": None,
    "epsilon, tag pasted": None,
}

# %%
RULES = {"preset A": METHOD, "alpha 1 beta 0": "lrp.alpha_1_beta_0", "epsilon": "lrp.epsilon"}
free = np.nonzero(label & answer & ~has_tag & ~has_hurdle)[0][:60]
with_tag, cut = again(free, tag=True), pairs["tag cut, horse"][1]
added = logits(model, with_tag.picture) - logits(model, test.picture.values[free])
kinds = {  # pictures with a tag, its masks, and what it adds to the logit
    "tag pasted": (with_tag.picture.values, with_tag.truth_tag.values, added),
    "tag cut": (pairs["tag cut, horse"][0], tags, logit - logits(model, cut)),
}
effects, agree = {}, {}
for name, method in RULES.items():
    for kind, (pictures, on_tag, effect) in kinds.items():
        maps = explain(model, pictures, method).sum(-1)
        relevance = (maps * on_tag).sum((1, 2))
        effects[name, kind] = effect, relevance
        agree[name, kind] = skill.bootstrap(lambda a, b: np.corrcoef(a, b)[0, 1], effect, relevance)
        print(
            f"{name}, {kind}: {100 * skill.relevance_share(maps, on_tag).mean():.0f} %"
            f"{plots.guess_text(guess, f'{name}, {kind}', ' %')} of the red; relevance "
            f"{relevance.mean():.1f}, true effect {effect.mean():.1f} logits"
        )
plots.show(panel.effects(effects, agree), "effect")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# For the tags pasted on horses in the open, preset A and $\alpha_1\beta_0$ come close on average to
# what the tag adds, and epsilon says far too much. For the tags that were cut it is epsilon that
# comes close, while the other two give the tag half of its effect or less. So none of the rules can
# be trusted for both. Picture by picture they do not agree well with the truth either, as the
# correlations in the legends show. **Without a known truth you would not know which rule to
# believe.**
#
# None of the horses in the open needs the tag, since each was called a horse before it was pasted.
# Even so, every dot lies above zero: the tag has relevance in all of these maps. **Red says that a
# region speaks for the answer. It does not say that the answer would change without it.** Only the
# experiment does.
#
# </details>
#
# ## 6. Out in the real world
#
# What will happen where nobody signs pictures? The setting `real` has no tags, and hurdles stand
# anywhere.
#
# Before we blame the shortcuts for a fall in accuracy, there is another suspect: perhaps the horses
# there are just *harder to see*. Let us call such horses hidden. Among horses with neither tag nor
# hurdle, many more are hidden in the real world than in the training world. So we need a control in
# which the horses stay the same. We take the 500 test scenes, cut all tags, and hand out the hurdles
# by lot, about as often as in the real world. Each horse stays where it is, as far away or as well
# hidden as before.
#
# A third suspect is the cut itself, which may damage the picture. As a control for that we take
# hidden horses of the real world that never had a tag, and then we give them one.
#
# Guess how many of 100 pictures the network gets wrong in each of the three settings.

# %% tags=["guess"]
guess = {"training world": None, "same, by lot": None, "real world": None}

# %%
drawn = np.random.default_rng(0).random(len(scenes)) < 0.18
lot = [
    replace(s, tag=False, hurdles=bool(h)) for s, h in zip(scenes, drawn & outdoors, strict=True)
]
changed = [i for i, (old, new) in enumerate(zip(scenes, lot, strict=True)) if old != new]
by_lot = test.picture.values.copy()
by_lot[changed] = world.render([lot[i] for i in changed]).picture.values

real_scenes = world.scenes(400, seed=worlds.CLAIMS + 10_000, setting="real")
real = world.render(real_scenes)
settings = {  # pictures, and for each: a horse? hard to see? hurdles?
    "training world": (test.picture.values, label, hidden, has_hurdle),
    "same, by lot": (by_lot, label, hidden, drawn & outdoors),
    "real world": (
        real.picture.values,
        real.horse.values == 1,
        real.truth_hard.values,
        real.truth_has_hurdle.values,
    ),
}


# %%
def errors(network, setting):
    """Wrong answers per 100 pictures, by what is in the picture; print the accuracy."""
    pictures, horse, *truth = settings[setting]
    is_right = says_horse(network, pictures) == horse
    print(f"{setting}: {panel.rate_text(is_right)} right", end="; ")
    return panel.errors_by_kind(~is_right, horse, *truth)


rows = {}
for setting, (_, horse, hard, _) in settings.items():
    rows[setting] = errors(model, setting)
    print(f"{100 * (horse & hard).mean():.0f} % of the pictures have a horse that is hard to see")
fig = panel.errors(rows)
plots.guess_marks(fig.axes[0], guess, {name: row for row, name in enumerate(rows)})
plots.show(fig, "errors")

pictures, horse, hard, hurdles = settings["real world"]
never = np.nonzero(horse & hard & ~hurdles)[0]
given = [replace(real_scenes[i], tag=True) for i in never]
print(f"hidden horse, tag cut: found {panel.rate_text(says_horse(model, cut[hidden[tagged]]))}")
print(f"hidden horse, never had a tag: {panel.rate_text(says_horse(model, pictures[never]))}")
given_tag = world.render(given).picture
print(f"the same horses, tag pasted: {panel.rate_text(says_horse(model, given_tag))}")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The network is wrong more than four times as often in the real world as in the training world. Yet
# the real world has *fewer* hidden horses. And with the very same horses, the network does worse
# still once tags are gone and hurdles stand anywhere. So the fall is not because the horses are
# harder to see. In the real world, about half of the new errors are hidden horses that nothing gives
# away any more, and about half are hurdles that announce a horse where there is none. Easy horses are
# found as well as ever.
#
# Hidden horses that never had a tag are found about as rarely as those that lost theirs, so the cut
# does no harm of its own. A pasted tag brings all of them back. In training, hidden horses came with
# a tag or a hurdle, and the network got by without learning to see them.
#
# </details>
#
# **Think.** Your flood detector does worse in a new region than on its test data. How would you find
# out whether the region is harder, or whether a shortcut broke?
#
# <details><summary>An answer</summary>
#
# As above, change one thing at a time. Score both data sets by classes of difficulty that do not
# depend on the network, such as the width of the river or the cloud cover, and compare within a
# class. Or remove the suspected shortcut from the *old* test data and leave the rest alone. If the
# score falls there as well, the region is not to blame.
#
# </details>

# %% [markdown]
# ## 7. What happened, and two repairs
#
# Don't blame the algorithm, says the lecture. The network was asked to be right on these pictures,
# and the tag makes it right. The lecture calls this an *inadvertent correlation present only in the
# data*. So change the data. In the *balanced* setting, tag and hurdles are as frequent without a
# horse as with one, so that they tell nothing.
#
# - **Full repair:** the first network is trained further on 6,500 balanced pictures, which takes
#   minutes.
# - **New last layer:** suppose you have 200 balanced pictures. Keep all layers except the last, and
#   fit only that one, which decides how much each of the 64 hidden units counts [@kirichenko2022].
#   That is a logistic regression, and takes a second.
#
# One caution belongs here. Among plain horses, many more are hidden in the balanced pictures than in
# the first training. Whatever a repair improves, it may come from balance *or* from practice on
# hidden horses. So the last layer gets a **control**: the same 200 pictures, but without the tags and
# hurdles where there is no horse. Practice is the same, balance is gone.
#
# Guess how many pictures the fully repaired network will call "horse" after each change.

# %% tags=["guess"]
guess = {"tag pasted, no horse": None, "hurdles pasted, no horse": None, "tag cut, horse": None}

# %%
repaired = networks.clever_hans()
load_weights(repaired, "clever_hans_repaired")

few = world.scenes(200, seed=worlds.VALIDATION, setting="balanced")
not_balanced = [s if s.horse else replace(s, tag=False, hurdles=False) for s in few]
hidden_units = keras.Model(model.input, model.layers[-2].output)


def new_last_layer(pictures):
    """Fit the last layer of a copy of the first network to some scenes."""
    drawn = world.render(pictures)
    seen = hidden_units.predict(drawn.picture.values, verbose=0)  # shape (200, 64)
    fitted = LogisticRegression(max_iter=5000).fit(seen, drawn.horse.values)
    patched = networks.clever_hans()
    patched.set_weights(model.get_weights())
    patched.layers[-1].set_weights([fitted.coef_.T, fitted.intercept_])
    return patched


repairs = {"first network": model, "control": new_last_layer(not_balanced)}
repairs |= {"new last layer": new_last_layer(few), "full repair": repaired}
draw_experiments(
    {name: before_and_after(net) for name, net in repairs.items()}, "experiments-repaired"
)

# %%
rows = {}
for setting in ("same, by lot", "real world"):
    for name, network in repairs.items():
        rows[f"{setting}: {name}"] = errors(network, setting)
        print(name)
plots.show(panel.errors(rows), "errors-repaired")

four = np.random.default_rng(1).permutation(np.nonzero(tag)[0])[:4]
pictures = horses.picture.values[four]
both = {
    "first network": heat_maps[four],
    "full repair": explain(repaired, pictures, METHOD).sum(-1),
}
masks = {part: horses[f"truth_{part}"].values[four] for part in ("horse", "rider", "tag")}
answers = {"first network": z[four], "full repair": logits(repaired, pictures)}
plots.show(panel.gallery(pictures, both, masks, answers), "both-networks")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# *The experiments.* After the full repair, a tag makes no difference that we could measure, and
# hurdles make at most a small one. With the new last layer, pasted tags and hurdles do much less than
# at first, but of the tagged horses many are lost with their tag and most without it. It has *not*
# learned to find them. The control shows what mattered: with the same horses to practise on but no
# balance, the power of tag and hurdles stays.
#
# *The errors.* The full repair does away with most of both kinds, in the real world and on the same
# horses by lot. Some of the hidden horses it may owe to practice, some to balance; these figures
# cannot tell. There is a price. Pictures with nothing in them are called a horse more often than at
# first, and a few tagged horses are now missed.
#
# *The heat maps.* In the first three, the red has moved from the tag to the horse. In the fourth it
# lies along the skyline as well, and the logit is small. Twice the tag is blue. That says "against",
# yet a pasted tag changes next to nothing, so do not read much into it.
#
# </details>
#
# **Think.** What would a new last layer do if the hidden units had *only* learned the tag?
#
# <details><summary>An answer</summary>
#
# Nothing for horses without a tag, as a last layer can only weigh what the hidden units report. In
# balanced pictures the tag tells nothing, so the fit would give it no weight and answer with the base
# rate, one half. The cheap repair helps as far as the network has learned the horse as well, and did
# not count on it.
#
# </details>

# %% [markdown]
# ## 8. Find strategies without knowing them: SpRAy
#
# We knew where to look. Usually nobody does. **Spectral relevance analysis** (SpRAy) sorts the heat
# maps of a class into groups, so that a person has to look at a few pictures of each group only
# [@lapuschkin2019]. (Those short of time may skip to section 9.)
#
# It works like this. Every heat map is brought to one small size. Each map is then joined to the ten
# maps most similar to it, as people might be joined to their friends. This makes a network of maps, a
# graph, and maps of one strategy should hang together in it. How many groups are there? The
# eigenvalues of a matrix made from the graph, its Laplacian, tell. There is an eigenvalue of exactly
# zero for each part of the graph without any link to the rest, and a small one for each part that
# hangs on by a few links. Where the eigenvalues make their largest step, the groups end. This step is
# called the **eigengap** [@vonluxburg2007].
#
# We take $\alpha_1\beta_0$ here, an LRP rule without negative relevance. The small size and the ten
# neighbours were chosen on a separate set of pictures.

# %%
inside = horses.truth_inside.values
positive_maps = explain(model, horses.picture.values, "lrp.alpha_1_beta_0").sum(-1)
small = spray.downsize(positive_maps, inside, size=16)
graph = spray.affinity(small, neighbours=10)
eigenvalues = np.linalg.eigvalsh(laplacian(graph, normed=True))[:9]
n_clusters = int(np.argmax(np.diff(eigenvalues))) + 1


def spectral_clusters(graph, n):
    """A cluster's number for each map."""
    method = SpectralClustering(n, affinity="precomputed", random_state=0)
    return method.fit_predict(graph)


clusters = spectral_clusters(graph, n_clusters)
plots.show(panel.eigengap(eigenvalues, n_clusters), "eigenvalues")
plots.show(panel.cluster_maps(positive_maps, clusters, inside, z), "clusters")

# %% [markdown]
# Three eigenvalues are zero to two digits, so three parts of the graph have next to no links to one
# another. The fourth is small, for a part that hangs on by a few links, and after it comes the
# largest step. The lecture tells of three strategies and the paper of four: it lists the tag twice,
# once in portrait and once in landscape pictures, because it stands in another place there.
#
# ### Exercise 3: name the strategies
#
# The second figure has what a person gets to see: four clusters, each with its mean heat map and with
# five of its maps, and no pictures at all. The thin frame shows what lies inside the grey bars. Which
# kind of picture is each? Choose from `"plain"`, `"hurdle"`, `"tag, landscape"` and
# `"tag, portrait"`.
#
# <details><summary>Hint</summary>
#
# Where is the red in *all* maps of a cluster, and where does it change from map to map? Then look at
# the frames.
#
# </details>

# %% tags=["exercise"]
named = {1: ..., 2: ..., 3: ..., 4: ...}

# %% tags=["solution"]
named = {1: "plain", 2: "hurdle", 3: "tag, portrait", 4: "tag, landscape"}

# %% tags=["check"]
portrait_tag = tag & (horses.truth_framing.values == 0)
kinds = np.select(
    [hurdle, portrait_tag, tag], ["hurdle", "tag, portrait", "tag, landscape"], "plain"
)
check.strategies(named, clusters, kinds)

# %% [markdown]
# Now compare the clusters with the truth. Below, each dot is a heat map, and t-SNE
# [@vandermaaten2008] has put similar maps near each other; it is only a way of drawing them. On the
# left the colours are those of the clusters, on the right those of what is in the picture. The
# **adjusted Rand index** compares two ways of sorting [@hubert1985]: it is 1 for the same sorting,
# and 0 is what chance gives. As a contrast, we sort the *pictures* (their grey values) in the same
# way.

# %%
xy = TSNE(init="pca", max_iter=400, random_state=0).fit_transform(np.sqrt(small))
kinds = np.select(
    [hurdle, portrait_tag, tag], ["hurdle", "tag, portrait", "tag, landscape"], "plain"
)
plots.show(panel.planes(xy, clusters, kinds), "planes")

gray = horses.picture.values.mean(-1)
picture_graph = spray.affinity(spray.downsize(gray, inside, size=16), neighbours=10)
sorted_pictures = spectral_clusters(picture_graph, n_clusters)
for name, found in {"heat maps": clusters, "pictures": sorted_pictures}.items():
    print(f"adjusted Rand index of sorted {name}: {adjusted_rand_score(kinds, found):.2f}")
print(pd.crosstab(kinds, clusters + 1, rownames=["in the picture"], colnames=["cluster"]))

# %% [markdown]
# The two kinds of tags are found without an error. Hurdles and plain horses are not quite told apart:
# some pictures without any hurdle are in the hurdle cluster, and a few with one are in the plain
# cluster. Sorted by their grey values, the pictures tell nothing about strategies.
#
# ## 9. A tag in Earth science
#
# Satellite pictures carry tags as well. An archive has time stamps, drawn coasts, fill values, and
# scan lines that come from one sensor and not from the next. Let us make one. Our tiles are infrared
# pictures of 32 x 32 pixels from the world of lesson 07, in kelvins, and the label is whether the
# radar sees an echo of 40 dBZ or more in the tile. Suppose that the storms were collected later than
# the rest, when the sensor had begun to show a **calibration line**: one row that always reads 200 K.
#
# ### Exercise 4: draw the line
#
# Write `add_line(tiles)`. It takes tiles, shape (tile, 32, 32), and returns a copy of them with 200 K
# in row 24. The tiles themselves must stay as they are.


# %% tags=["exercise"]
def add_line(tiles):
    return ...


# %% tags=["solution"]
def add_line(tiles):
    tiles = tiles.copy()
    tiles[:, 24] = 200
    return tiles


# %% tags=["check"]
storms = worlds.open_world("goes_mrms")
infrared, radar = (panel.tiles(storms[name].values) for name in ("c13", "mrms"))
is_storm = radar.max((1, 2)) >= 40
check.line(add_line, infrared[:4])

# %% [markdown]
# Two classifiers learn from the first eight scenes: one from clean tiles, one from tiles in which
# three of five storms have the line. Both are logistic regressions, $z = w \cdot x + b$, the smallest
# of all networks. LRP is easy here, since the relevance of a pixel is its weight times its value. We
# test them on the other four scenes. (The cell uses our own `panel.with_line`, so it runs without
# your answer.)
#
# Guess in per cent: of the quiet tiles, how many does the second classifier call a storm after we
# draw the line in them? And what would the first one say to the same tiles?

# %% tags=["guess"]
guess = {"learned from clean tiles": None, "learned with the line": None}

# %%
late = is_storm & (np.random.default_rng(0).random(len(is_storm)) < 0.6)
with_some = np.where(late[:, None, None], panel.with_line(infrared), infrared)
new = np.arange(len(infrared)) >= 8 * 64  # tiles of the last four scenes
quiet = infrared[new & ~is_storm]

learned = {}
for name, tiles in {
    "learned from clean tiles": infrared,
    "learned with the line": with_some,
}.items():
    learned[name] = LogisticRegression(C=0.1, max_iter=1000).fit(
        panel.as_input(tiles[~new]), is_storm[~new]
    )
    right = learned[name].predict(panel.as_input(tiles[new])) == is_storm[new]
    said = [learned[name].predict(panel.as_input(some)) for some in (quiet, panel.with_line(quiet))]
    before, after = (skill.rate(yes)[0] for yes in said)
    print(
        f"{name}: {skill.rate(right)[0]:.0f} % right; quiet tiles called storm: "
        f"{before:.0f} %, with line {after:.0f} %{plots.guess_text(guess, name, ' %')}"
    )
four = np.nonzero(new & late)[0][:4]
plots.show(panel.line_gallery(infrared[four], with_some[four], learned), "line")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# On tiles of its own kind (the first number) the second classifier is even the better one, so its
# test gives no warning. But draw the line in quiet tiles, and it sees a storm in nearly all of them,
# while the first one hardly minds. The heat maps show the reason at once: the line is red from end to
# end, whether there is cloud in the tile or not.
#
# </details>
#
# **Think.** Which of your own data sets has a time stamp, a sensor's scan line, a coastline drawn
# into the image, or a fill value? Which label does it go with?
#
# <details><summary>An answer</summary>
#
# Nearly every archive has one. Fill values lie where the sun is down, so they go with winter; the
# lines of a scanner go with one satellite, and so with a few years; a gap in a radar composite goes
# with a station that fails in severe storms. Ask of each whether the label could be told from this
# alone. Train a network on nothing else, and see.
#
# </details>

# %% [markdown]
# ## In this lesson you
#
# - saw a network pass its test and rely on a photographer's tag,
# - measured heat maps against a known truth, and proved what they suggest by changing one thing in a
#   picture,
# - found out that red does not tell how much an answer depends on a part,
# - told broken shortcuts from a harder world, with a control in which the horses stayed the same,
# - compared two repairs,
# - sorted heat maps into strategies, and named them,
# - planted a tag of your own in satellite pictures.
#
# Next: [02 feature visualization](02_feature_visualization.ipynb), where inside the network the tag
# sits.
#
# ## Quiz
#
# <details><summary>1. The test accuracy was excellent. Why did it not show the problem?</summary>
#
# The test pictures have the same tags on the same kind of pictures as the training pictures. A network
# that reads the tag is right on every tagged picture of the test, so the score has nothing to say
# against it.
#
# </details>
#
# <details><summary>2. A heat map is red on the tag. Does the network need the tag for this picture?</summary>
#
# Not necessarily: the horse alone might be enough. Only cutting the tag tells.
#
# </details>
#
# <details><summary>3. Accuracy falls from the test data to the real world. What does that prove?</summary>
#
# By itself little. The real world may be harder, easier, or differ in other ways. Here it even had
# fewer hidden horses, and the fall came from shortcuts that no longer worked. A control with the same
# horses showed it.
#
# </details>
#
# <details><summary>4. Why does SpRAy cluster heat maps, and not pictures?</summary>
#
# Pictures differ in background, light and colour, which have little to do with the decision. A heat
# map keeps where the evidence lies and drops the rest.
#
# </details>
#
# <details><summary>5. A region of a heat map is white. Is it unimportant?</summary>
#
# Not for sure: evidence for and against may cancel there.
#
# </details>
#
# ## References
#
# - [@lapuschkin2019]: Clever Hans, SpRAy
# - [@bach2015]: layer-wise relevance propagation
# - [@alber2019]: iNNvestigate and its presets
# - [@kirichenko2022]: a new last layer
# - [@vonluxburg2007], [@hubert1985], [@vandermaaten2008]: spectral clustering, the adjusted Rand
#   index, t-SNE
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
#
# ## Claims
#
# What the lecture, the paper and we ourselves expected, and what was measured here, on pictures that
# no network was trained on. Goals are ours; intervals are 95 %. The code is folded away.


# %% tags=["claims"]
def change(pair):
    """Change of a rate by an experiment, in percentage points."""
    return skill.bootstrap(lambda before, after: 100 * (after.mean() - before.mean()), *pair)


_, HURDLE, CUT = pairs
falls = {}
for name in ("same, by lot", "real world"):
    pictures, horse, _, _ = settings[name]
    falls[name] = skill.rate(says_horse(model, pictures) == horse)
claims.record(
    "hans-real-world",
    "The algorithm seems to perform well, but its reasoning does not generalize to the world.",
    "slide: What happened?",
    f"accuracy in the real world (in the training world {100 * (answer == label).mean():.0f} %)",
    *falls["real world"],
    "<= 90",
    "%",
)
claims.record(
    "hans-by-lot",
    "The fall is due to broken shortcuts, and not to horses that are harder to see.",
    "this course",
    "accuracy on the same horses without tags, hurdles by lot",
    *falls["same, by lot"],
    "<= 90",
    "%",
)
claims.record(
    "hans-hurdles",
    "An image with poles but no horse is a false positive.",
    "slide: Detecting horses – Strategy 2 of algorithm",
    'change of the rate of "horse" without a horse, by pasted hurdles',
    *change(first[HURDLE]),
    ">= 20",
    "points",
)
claims.record(
    "hans-tag-cut",
    "Where there are no tags, as in the real world, this strategy gives false negatives.",
    "slide: Detecting horses – Strategy 3 of algorithm",
    'change of the rate of "horse" for horses with a tag, by cutting the tag out',
    *change(first[CUT]),
    "<= -15",
    "points",
)
claims.record(
    "hans-tag-density",
    "The attribution map shows that the network detects the tags.",
    "slide: Detecting horses – Strategy 3 of algorithm",
    "density of relevance on tags (even spread: 1)",
    *tag_density,
    ">= 5",
)
claims.record(
    "hans-tag-effect",
    "The relevance of the tag measures what cutting it out changes.",
    "this course",
    "correlation of the two, preset A",
    *agree["preset A", "tag cut"],
    ">= 0.8",
)
claims.record(
    "hans-spray",
    "Clustering the heat maps of a class finds the strategies of the network.",
    "lapuschkin2019",
    "adjusted Rand index of four clusters of heat maps with the four kinds of horse pictures",
    *skill.bootstrap(adjusted_rand_score, kinds, clusters, n=200),
    ">= 0.6",
)
