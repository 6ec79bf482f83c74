# %% [markdown]
# # 05 tf-explain
#
# ![A tagged picture, and the same with grey patches of three sizes on the tag](../pictures/tf_explain.png)
#
# **Question:** a heat map takes one line of code. Does it say anything about your network?
#
# **Objectives:** you can
# - get numbers from a toolbox that hands you drawings,
# - choose the patch for occlusion, and tell for which networks Grad-CAM fits,
# - make integrated gradients add up,
# - score a heat map against a known truth, and say what a shuffling check tests.
#
# **Minutes:** 40 teaching, 20 exercises.
#
# **Prerequisites:** NumPy arrays, lessons 00 and 01 (necessary); lesson 04 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU, a kernel of its own.

# %%
from dataclasses import replace

import cv2
import numpy as np
from ipywidgets import IntSlider

from utils import claims, course, lrp, networks, panels, plots, skill, worlds
from utils.check import tf_explain as check
from utils.panels import tf_explain as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world

course.start("05_tf_explain", seed=0, eager=True)

# %% [markdown]
# tf-explain [@tfexplain], the lecture's second toolbox, draws activations, occlusion, Grad-CAM and several
# gradients, but has no LRP. Its last version, 0.3.1 of 2021, calls itself an alpha; it was written for TensorFlow 2 and still
# runs on today's. (What one would install today stands in the appendix of lesson 04.)
#
# <details><summary>Why a kernel of its own?</summary>
#
# tf-explain needs *eager mode*, in which TensorFlow computes each line at once. The other lessons run in
# *graph mode*, which first builds the whole graph. A kernel can run in only one of them.
#
# </details>
#
# ## 1. Which is which?
#
# The *first* network of lesson 01 often says "horse" because of a photographer's tag. A second one was
# *repaired* and hardly uses it. We also make ten networks that have forgotten what a horse is: copies of
# the first one with the weights of the last two layers *shuffled*, each in a different way.

# %%
import tensorflow as tf
from tensorflow import keras
from tf_explain import core

keras.utils.disable_interactive_logging()  # or Keras prints a bar at each prediction
model = networks.clever_hans()
states = {}
for name, file in [("repaired", "clever_hans_repaired"), ("first", "clever_hans")]:
    load_weights(model, file)
    states[name] = model.get_weights()
shuffled = [f"shuffled {i}" for i in range(10)]
for seed, name in enumerate(shuffled):
    last_two = [layer.name for layer in model.layers[-2:]]
    states[name] = networks.shuffled(model, last_two, seed).get_weights()


# %%
compiled = tf.function(model, reduce_retracing=True)


def logits(x):
    return compiled(tf.constant(x)).numpy()[:, 0]


data, right = worlds.open_world("clever_hans"), {}
for state, weights in states.items():
    model.set_weights(weights)
    right[state] = np.mean((logits(data.picture.values) > 0) == data.horse.values)
of_shuffled = np.mean([right[state] for state in shuffled])
print(f"right answers: first network {right['first']:.0%}, shuffled {of_shuffled:.0%} on average")

# %% [markdown]
# From here on we take pictures in which the tag decides: the first network calls them a horse, but no longer
# when the tag is cut out. tf-explain wants probabilities of classes, and our network ends in one logit $z$. So
# we add the scores $(0, z)$ of "no horse" and "horse", and a softmax, which turns them into probabilities.


# %%
def with_classes(network):
    """The network with probabilities of no horse and horse, and the same with their scores."""
    two = keras.layers.Dense(2, use_bias=False, name="scores")
    scores = two(network.output)
    two.set_weights([np.array([[0.0, 1.0]])])
    classes = keras.Model(network.input, keras.layers.Softmax()(scores))
    return classes, core.VanillaGradients().get_score_model(classes)


HORSE = 1  # the class to explain
classes, scores = with_classes(model)
model.set_weights(states["first"])
scenes, chosen, without = panel.tag_decides(logits, 200, worlds.VALIDATION)
pictures, tag = chosen.picture.values, chosen.truth_tag.values
effect = logits(pictures) - logits(without)
print(f"{len(pictures)} pictures; their tag adds {effect.mean():.1f} to the logit on average")

# %% [markdown]
# Below each of four pictures stand two drawings of **Grad-CAM**, which is meant to show in yellow what
# speaks for "horse". One was made from the first network, the other from a shuffled one.

# %%
drawings = {}
for state in ("first", "shuffled 0"):
    model.set_weights(states[state])
    drawings[state] = [
        core.GradCAM().explain((x[None], None), classes, HORSE) for x in pictures[:4]
    ]
place = np.random.default_rng(2).integers(1, 3, 4)  # of the first network's drawing: 1 or 2
plots.show(panel.which(pictures[:4], *drawings.values(), place), "which")

# %% [markdown]
# **Which one is the first network's, 1 or 2?** The next cell tells. It draws the numbers behind the drawings,
# and compares the first network's with those of all ten shuffled ones by their **rank correlation**: 1 if
# all pixels stand in the same order, 0 if the two have nothing in common.

# %% tags=["guess"]
guess = {"picture 1": None, "picture 2": None, "picture 3": None, "picture 4": None}


# %%
def gradients_at(network, x, layer, guided=False):
    """A layer's activations, and the gradients of the horse's output there."""
    pair = core.GradCAM.get_gradients_and_filters(network, x, layer, HORSE, guided)
    return [values.numpy() for values in pair]


def grad_cam(network, x, layer, guided=False):
    pair = gradients_at(network, x, layer, guided)
    return np.array(core.GradCAM.generate_ponderated_output(*pair))


def enlarge(maps):
    return np.array([cv2.resize(one, (64, 64)) for one in maps])


POOLING = [layer.name for layer in model.layers if "pooling" in layer.name]
numbers, p = {}, {}
for state, weights in states.items():
    model.set_weights(weights)
    numbers[state] = enlarge(grad_cam(classes, pictures, POOLING[3], guided=True))
    p[state] = classes(pictures).numpy()[:, HORSE]
same = [skill.rank_agreement(numbers["first"], numbers[state]).mean() for state in shuffled]
print(f"rank correlation with the shuffled networks: {np.mean(same):.3f}")
said = [f"drawing {k}{plots.guess_text(guess, f'picture {i + 1}')}" for i, k in enumerate(place)]
plots.show(panel.behind(numbers, p, said), "behind")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The two drawings are nearly the same. If you were right, you were lucky.
#
# *The drawing.* tf-explain stretches each map until it spans all colours, so there is a yellow spot whatever
# the numbers are. The shuffled network's values are in fact far larger, because tf-explain follows the
# probability $p$, which can hardly rise where the first network is sure.
#
# *The formula.* The order of the pixels is nearly the same as well. Grad-CAM adds up the **activations** of a
# late layer, a map for each filter, each weighted by the mean gradient of the answer there. tf-explain
# drops negative gradients (*guided*), so no map can speak against a horse, and the sum hardly depends on
# what the last layers have learned.
#
# </details>
#
# ## 2. From drawings to numbers
#
# tf-explain's `explain` draws gradients as well, in grey. Values below the mean turn black, and those more than a
# standard deviation above it white. Both are computed over all pictures in the call. We ask for the same picture
# alone, and together with three others.
#
# %%
alone, company = (
    core.VanillaGradients().explain((pictures[:n], None), classes, HORSE)[:64, :64] for n in (1, 4)
)
print(f"{np.mean(alone != company):.0%} of the pixels of picture 1 get another grey in company")

# %% [markdown]
# A drawing that depends on its company cannot be compared with another. So do not use `explain`. The
# functions behind it, which the cells of this lesson call, return numbers.
#
# ## 3. Occlusion asks the network
#
# **Occlusion** hides one part of the picture after another behind a grey patch, and records how far the
# answer falls [@zeiler2013]. It needs no derivative and no rule, only the network's answers.
#
# The toolbox paints its patches in 127.5, the middle grey of pictures from 0 to 255, and gives each patch
# the value $1 - p$. Our pictures go from 0 to 1. We try both ranges, and a function of our own.


# %%
def horse(x):
    return classes(x).numpy()[:, HORSE]


def occlusion(x, size, grey=0.5, answer=logits):
    """What an answer loses when a patch of `size` by `size` pixels turns grey."""
    before, maps = answer(x), np.zeros(x.shape[:3])
    for row in range(0, 64, size):
        for column in range(0, 64, size):
            hidden, patch = x.copy(), np.s_[:, row : row + size, column : column + size]
            hidden[patch] = grey
            maps[patch] = (before - answer(hidden))[:, None, None]
    return maps


# %%
def toolbox_occlusion(network, x, size=8):
    tool = core.OcclusionSensitivity(batch_size=256)
    return np.array([tool.get_sensitivity_map(network, one, HORSE, size) for one in x])


wide = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Rescaling(1 / 255), classes])


def p_lost(x):
    """The toolbox's numbers in its own range, less what is missing without any patch."""
    missing = 1 - horse(x)
    return toolbox_occlusion(wide, np.uint8(255 * x)) - missing[:, None, None]


# %%
model.set_weights(states["first"])
six = pictures[:6]
maps = {
    "tf-explain, 0 to 1": toolbox_occlusion(classes, six),
    "tf-explain, 0 to 255": toolbox_occlusion(wide, np.uint8(255 * six)),
    "tf-explain, p lost": p_lost(six),
    "our own, logit lost": occlusion(six, 8),
}
more = {"our own, p lost": occlusion(six, 8, answer=horse)}
more["our own, logit lost, black patches"] = occlusion(six, 8, grey=0.0)
for name, found in (maps | more).items():
    print(f"{name}: density on the tag {skill.relevance_density(abs(found), tag[:6]).mean():.1f}")
plots.show(panel.beside(pictures[:2], tag, maps, logits(pictures)), "occlusion")

# %% [markdown]
# (The *density* is that of lesson 01, here without signs.) Given pictures from 0 to 1, the toolbox
# covers them with patches over a hundred times brighter than white, and the map is the same blot for both. In its own range it finds the tag, but the background is pink:
# even without a patch, $1 - p$ is not zero. Subtract that (*p lost*), and the density more than doubles. Our own function can take the loss in $p$ or in logits, and in logits its map is less dense on the tag. The network is so sure that a
# small loss hardly moves $p$, so by *p lost* small effects vanish, wherever they are.
#
# The colour is a choice, too. Grey bars frame all of these pictures, so grey should mean little to the network.
# With black patches the map hardly finds the tag.

# %% [markdown]
# ### How large a patch?
#
# We try four sizes. Which one is best at showing *where* (the highest density on the tag; with 8 pixels it was 8.3)?
# And which is best at showing *how much* (the largest loss on the tag comes closest to what the whole tag adds)?
# The tag is 6 pixels high and 27 wide.

# %% tags=["guess"]
guess = {"where": None, "how much": None}

# %%
ONE = 1
by_size = {size: occlusion(six, size) for size in (4, 8, 16, 32)}
density, loss = {}, {}
for size, found in by_size.items():
    density[size] = skill.relevance_density(abs(found), tag[:6]).mean()
    loss[size] = (np.where(tag[:6], found, 0).max((1, 2)) / effect[:6]).mean()
    print(f"{size} pixels: density {density[size]:.1f}, loss {loss[size]:.0%} of what the tag adds")
print(f"where: {max(density, key=density.get)} pixels{plots.guess_text(guess, 'where')}")
nearest = min(loss, key=lambda size: abs(loss[size] - 1))
print(f"how much: {nearest} pixels{plots.guess_text(guess, 'how much')}")
shown = {f"{size} pixels": found[[ONE]] for size, found in by_size.items()}
plots.show(panel.beside(six[[ONE]], tag[[ONE]], shown, logits(six[[ONE]])), "patch-sizes")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# A small patch hides a letter or two, and the others keep the answer up. The largest one takes away a quarter of
# the picture, and cannot say which part of it counts.
#
# </details>
#
# At 4 pixels there is blue as deep as the red, on the horse and on the skyline. A grey patch there *raises* the
# logit. Guess how the logit changes when the picture is drawn again without the horse and its rider.

# %% tags=["guess"]
guess = {"without horse and rider": None}

# %%
left, on_tag = tag[:6].copy(), np.where(tag[:6, ..., None], np.float32(0.5), six)
left[:, 32:, :32] = False  # what the patch of 32 pixels covers
share = ((logits(six) - logits(on_tag)) / effect[:6]).mean()
print(f"a patch on the tag alone loses {share:.0%} of what the tag adds")
print(f"the patch of 32 pixels leaves {left.sum() / tag[:6].sum():.0%} of the tag")
for gone in ({"rider": False}, {"horse": False, "rider": False}):
    again = world.render([replace(scene, **gone) for scene in scenes]).picture.values
    change, name = logits(again) - logits(pictures), f"without {' and '.join(gone)}"
    print(f"{name}: the logit changes by {change[ONE]:+.1f}{plots.guess_text(guess, name)}")
print(f"    it falls in {sum(change < 0)} of {len(change)} pictures")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# A patch with the shape of the tag loses nearly all that the tag adds, and hides nothing else. The largest square
# comes as near, although it leaves some of the tag uncovered.
#
# Without horse and rider the logit falls, here and in nearly all of the pictures, so the horse speaks for "horse".
# So the blue must come from the patch: probably, on the
# skyline, a grey square is itself an object. It also costs the map of 4 pixels much of its density, which counts blue like red.
#
# </details>
#
# **Think.** You hide one pixel of a cold cloud top, or one level of a sounding, and nothing happens. What have
# you learned about its importance?
#
# <details><summary>An answer</summary>
#
# Very little, because its neighbours carry the same information. Change all of the cold top at once, and put something
# there that could be there, such as a warmer cloud.
#
# </details>
#
# Now move a patch yourself. On the right is LRP's map of the *patched* picture. Hide some letters, and see
# the red move to the others.

# %%
panels.panel(
    panel.prepare(model, pictures),
    "panel",
    number=IntSlider(ONE, 0, len(pictures) - 1, description="picture"),
    size=IntSlider(10, 1, 40, description="patch size"),
    row=IntSlider(54, 0, 63, description="row"),
    column=IntSlider(8, 0, 63, description="column"),
)

# %% [markdown]
# ## 4. Grad-CAM, where it fits and where not
#
# **Grad-CAM** [@selvaraju2016] gives each map $A_k$ of a layer one weight $w_k$, the mean over all places of
# the gradient $\partial z / \partial A_k$:
#
# $$L = \mathrm{ReLU}\Big(\sum_k w_k A_k\Big)$$
#
# One weight for a whole map is right if the network treats all places alike, such as one that must find hurricanes
# wherever they are. (A network that has learned that hurricanes avoid the equator does *not* treat all places
# alike.) If a linear layer follows directly after the average, then the sum of $w_k A_k$ over maps and places,
# before the ReLU, equals the logit minus the bias. Let us build such networks: they keep the convolutions up to the third
# or the fourth pooling, average each map over the picture (*global average pooling*), and get a new last layer.
# (It is fitted with a penalty that sets most of its weights to zero, whose strength was chosen on the pictures above; the
# code is [here](../utils/panels/tf_explain.py).) We score three maps on *fresh* pictures, on which no setting was chosen (most are lesson 04's). How dense will
# each be on the tag? A map of 8 x 8 cells, as after the third pooling, can reach about 15, one of 4 x 4 cells about 7.

# %% tags=["guess"]
guess = {
    "first network, third pooling": None,
    "averaging, third pooling": None,
    "averaging, fourth pooling": None,
}

# %%
_, fresh_data, fresh_without = panel.tag_decides(logits, 300, worlds.CLAIMS)
fresh, fresh_tag = fresh_data.picture.values, fresh_data.truth_tag.values
print(f"{len(fresh)} fresh pictures")
cams = {"first network, third pooling": (logits(fresh), grad_cam(scores, fresh, POOLING[2]))}
for after, layer in [("third pooling", POOLING[2]), ("fourth pooling", POOLING[3])]:
    network, bias, score = panel.averaging(model, layer, data)
    z, z_cut = (network.predict(x)[:, 0] for x in (fresh, fresh_without))
    found = grad_cam(with_classes(network)[1], fresh, layer)
    cams[f"averaging, {after}"] = z, found
    decides, total = np.mean((z > 0) & (z_cut < 0)), found.sum((1, 2)).mean()
    print(f"averaging, {after}: right on {score:.0%} of 50 other pictures", end="; ")
    print(f"the tag decides in {decides:.0%}")
    print(f"    sum before the ReLU {total:.3f}, logit less bias {(z - bias).mean():.3f}")
cams = {name: (z, enlarge(found.clip(min=0))) for name, (z, found) in cams.items()}
for name, (_, found) in cams.items():
    density = np.nan_to_num(skill.relevance_density(found, fresh_tag)).mean()
    print(f"{name}: density on the tag {density:.1f}{plots.guess_text(guess, name)}")
for n in (8, 4):  # maps with one of n x n cells
    cells = enlarge(np.eye(n * n, dtype="float32").reshape(-1, n, n))
    most = [skill.relevance_density(cells, np.array([one] * n * n)).max() for one in fresh_tag]
    print(f"most that a map of {n} x {n} cells can reach: {np.mean(most):.1f}")
plots.show(panel.beside_each(fresh[:2], fresh_tag, cams), "grad-cam")
at_stage = [gradients_at(scores, pictures, layer) for layer in POOLING]  # for exercise 1

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Averaged after the third pooling, the map adds up to the logit less the bias, before the ReLU, and red lies on the
# tag, mostly on its left half. The same formula at the same layer of the first network puts the red above the tag
# and on the grey bars. This network ends in dense layers, which weigh each place by itself, and a mean over
# places mixes places where a filter speaks for a horse with places where it does not.
#
# But look at the last column. The map adds up as well, and the tag decides nearly as often, but most of the red lies beside and above the tag. Coarse cells, 16 pixels wide, explain only a part of this: they could reach nearly four times that density.
# After the fourth pooling a unit sees up to half of the picture (lesson 09), and its own cell is a small part of
# that, so where it responds tells little about what it responds to. **That a map adds up does not mean that it points at the cause.**
#
# </details>

# %% [markdown]
# ### Exercise 1: place by place, in the right layer
#
# The method called HiResCAM [@draelos2020] does not average: at each place multiply activation and gradient, and
# add up over the filters, here without a ReLU. `activations` and `slopes` have the shape (sample, y, x, filter). Then choose the stage, 0 to 3 (2 is the third pooling),
# at whose pooling this map finds the tag best in the first network.
#
# <details><summary>Hint</summary>
#
# One line will do. `enlarge(place_by_place(*at_stage[2]))` gives the maps of stage 2 in 64 x 64 pixels, which
# `skill.relevance_density(abs(...), tag)` can score.
#
# </details>


# %% tags=["exercise"]
def place_by_place(activations, slopes):
    """Heat maps, shape (sample, y, x)."""
    return ...


stage = ...


# %% tags=["solution"]
def place_by_place(activations, slopes):
    """Heat maps, shape (sample, y, x)."""
    return (activations * slopes).sum(-1)


for stage, pair in enumerate(at_stage):
    density = skill.relevance_density(abs(enlarge(place_by_place(*pair))), tag)
    print(f"pooling {stage}: density {density.mean():.1f}")
stage = 1

# %% tags=["check"]
check.place_by_place(place_by_place, stage, at_stage, tag)

# %% [markdown]
# ## 5. Integrated gradients that add up
#
# **Integrated gradients** [@sundararajan2017] average the gradient on a straight path from a *baseline*, here
# black, to the picture, and multiply the mean by picture minus baseline. They add up to the difference of
# the two scores. Does the toolbox's version?


# %%
def toolbox_integrated(network, x, steps=10):
    tool = core.IntegratedGradients
    paths = [np.float32(tool.generate_interpolations(one[None], steps)) for one in x]
    return np.concatenate([tool.get_integrated_gradients(p, network, HORSE, steps) for p in paths])


eight = pictures[:8]
gain = logits(eight) - logits(0 * eight)
sums = toolbox_integrated(classes, eight).sum((1, 2, 3))
print(f"gain over a black picture {gain.mean():.1f}, the toolbox's sum {sums.mean():.1f}")

# %% [markdown]
# ### Exercise 2: make them add up
#
# Make `attributions` for the pictures `eight`, shape (8, 64, 64, 3). For each picture they should add up, to
# within 5 %, to `gain`: the logit minus that of a black picture. Use `toolbox_integrated`, whose
# arguments are yours to choose.
#
# <details><summary>Hint</summary>
#
# The gain is in logits, so which of `classes` and `scores` is it? What does the formula multiply the mean
# gradient by, if the baseline is black?
#
# </details>

# %% tags=["exercise"]
attributions = ...

# %% tags=["solution"]
attributions = eight * toolbox_integrated(scores, eight, steps=50)

# %% tags=["check"]
check.adds_up(attributions, eight, gain)

# %% [markdown]
# ## 6. All against the truth
#
# Now score nine kinds of maps on the fresh pictures, the plain gradient [@simonyan2013] among them. The toolbox's
# occlusion gets pictures from 0 to 255. We measure
#
# 1. the density on the tag for the first network, whose answer the tag decides. Our goal is at least 5; a map entirely on the tag
#    would have 25, and Grad-CAM's, of 4 x 4 cells, can reach about 7;
# 2. the same for the repaired network, which hardly uses it: more than 1 is a **false alarm**;
# 3. one step of a **sanity check** [@adebayo2018]: the rank correlation with the maps of the ten shuffled
#    networks, on five pictures. All maps are first averaged over the cells of one grid of 8 x 8. The idea:
#    a map that stays the same does not depend on what these layers had learned. At most 0.5 is wanted, a limit
#    of ours. (An empty map counts as 0.)
#
# Guess the rank correlation of two of them.

# %% tags=["guess"]
guess = {"Grad-CAM, the paper's": None, "occlusion, p lost": None}


# %%
def gradient(x):
    return core.VanillaGradients.compute_gradients(x, scores, HORSE).numpy()


toolbox = {
    "gradient": gradient,
    "Grad-CAM (guided)": lambda x: enlarge(grad_cam(classes, x, POOLING[3], guided=True)),
    "occlusion, 1 - p": lambda x: toolbox_occlusion(wide, np.uint8(255 * x)),
}
changed = {
    "integrated, exercise 2": lambda x: panel.exercise_2(toolbox_integrated, classes, scores, x),
    "Grad-CAM, the paper's": lambda x: enlarge(grad_cam(scores, x, POOLING[3]).clip(min=0)),
    "place by place, exercise 1": lambda x: enlarge(panel.exercise_1(gradients_at, scores, x)),
    "occlusion, p lost": p_lost,
}
rules = {
    "LRP alpha 1 beta 0": lambda x: lrp.relevance(model, x, "alpha_1_beta_0", layers=False).input,
    "LRP preset A": lambda x: lrp.relevance(model, x, "preset_a", layers=False).input,
}

# %%
methods, results = {**toolbox, **changed, **rules}, {}
for name, method in methods.items():
    found = {}
    for state, weights in states.items():
        model.set_weights(weights)
        found[state] = method(fresh[:5] if state in shuffled else fresh)
    results[name] = panel.score(found, fresh_tag)
    value, (low, high) = skill.bootstrap(np.mean, results[name]["agreement"])
    print(f"{name}: rank correlation {value:.2f} ({low:.2f} to {high:.2f})")
    if empty := sum(not one.any() for state in shuffled for one in found[state]):
        print(f"    {empty} of 50 maps are empty; without them {value * 50 / (50 - empty):.2f}")
model.set_weights(states["first"])  # for whoever goes back to an exercise
fig = panel.chart(results, {"tf-explain": toolbox, "changed": changed, "LRP": rules})
plots.guess_marks(fig.axes[1], guess, {name: row for row, name in enumerate(methods)})
plots.show(fig, "scores")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# *Found, and false alarms.* Out of the box, none of the toolbox's maps exceeds a density of 4. One
# subtraction, *p lost*, takes its occlusion to 11, about as far as LRP, with no alarm. Place by place comes next
# with 8. Gradients reach 3 to 4, Grad-CAM about 2 or less. LRP alpha 1 beta 0 raises the highest false alarm. Guided Grad-CAM's false alarm is low, but it is more than half of its density for the first network.
#
# *The check.* Guided Grad-CAM and alpha 1 beta 0 hardly change. Grad-CAM as in its paper passes, as Adebayo et
# al. report, also if empty maps are left out. Gradients pass. Place by place and preset A lie at the limit: both
# intervals hold 0.5. Occlusion passes in the order of $1 - p$, which puts a patch that *helps* last, and fails by *p lost*, where the size alone
# counts. So here the verdict hangs on a convention of ours. But look at the crosses: gradients pass, and yet their maps of the
# shuffled networks lie on the tag about as densely as before.
#
# The rows of exercises 1 and 2 use the course's solutions, whatever you wrote.
#
# </details>

# %% [markdown]
# ## 7. What does the check test?
#
# Occlusion cannot overlook the last layers, because it uses nothing but their answer. And
# yet, with *p lost*, it fails a check that is meant to find out just that.
#
# So ask the networks without a map. A grey box covers the tag, or one of three places of the same size above it.
# In what percentage of the pictures does the box on the *tag* move the logit most, up or down? By chance it
# would be 25. For the first network it is nearly certain to be 100, since we took pictures in which its tag decides. (If you have done
# lesson 04, you know the answer for the shuffled ones, but not by how much they differ from the repaired one.)

# %% tags=["guess"]
guess = {"shuffled": None, "repaired": None}

# %%
boxes, most, moves = panel.boxes(fresh_tag, up=(0, 12, 24, 36)), {}, {}
for state, weights in states.items():
    model.set_weights(weights)
    hidden = [np.where(box[..., None], np.float32(0.5), fresh) for box in boxes]
    change = abs(logits(fresh) - np.array([logits(one) for one in hidden]))
    most[state] = 100 * np.mean(change.argmax(0) == 0)
    moves[state] = change[0].mean(), change[1:].mean()
model.set_weights(states["first"])
for name in ("first", "repaired", "shuffled"):
    of = [state for state in states if state.startswith(name)]
    share, (on, off) = np.mean([most[s] for s in of]), np.mean([moves[s] for s in of], axis=0)
    print(f"{name}: most on the tag in {share:.0f} %{plots.guess_text(guess, name, ' %')}")
    print(f"    change on the tag {on:.2f} logits, elsewhere {off:.2f}: {on / off:.1f} times")

# %% tags=["figure"]
maps = {}
for state in ("first", "repaired", "shuffled 0", "shuffled 1", "shuffled 2"):
    model.set_weights(states[state])
    z = logits(fresh[[ONE]])[0]
    maps[f"{state}\nz = {z:.1f}"] = occlusion(fresh[[ONE]], panel.PATCH)[0]
model.set_weights(states["first"])
plots.show(panel.moved(fresh[ONE], boxes[:, ONE], maps), "still-there")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The shuffled networks have forgotten what a horse is, and still the tag moves their answer more than the
# other places do, in nearly all pictures. The box on the tag moves both by about 0.5 logits. Elsewhere it moves the repaired network by more, and the shuffled ones hardly at all. So occlusion is right: its maps stay on the tag because the tag is what these
# networks still respond to. For the repaired network the map in the figure goes to the horse.
#
# </details>
#
# In all ten the convolutions are those of the first network, and shuffled layers on top depend on what these report.
# Shuffling from the top keeps the scale of the activations, so maps can be
# expected to differ only so much. And maps without any information pass the check easily [@binder2023].
#
# So the check tests a method *and* the networks together. It assumes that shuffling changes where the network looks, which is seldom checked. Occlusion uses only
# answers, so where its map stays, the answers stayed. How much of guided Grad-CAM's 0.99 is its own this check cannot say; its formula
# can (section 1). A map that changes more is not better for it. **To test a map, change the network so that you know what must change in its answer.** For that we
# had the repaired network.

# %% [markdown]
# ## 8. Where this stops
#
# One small network, and one loud cause with sharp edges: for a broad, smooth one, in another network, lesson 04
# found an order that agrees only in part.
# And occlusion needs a value that means "nothing". Here grey comes near it, except where a grey square is an
# object of its own, as on the skyline. In a field of temperature it may be
# the climatology; zero kelvin would be like our patches of 127.5.

# %% [markdown]
# ## In this lesson you
#
# - could not tell a trained network's drawing from a shuffled one's, and found out why,
# - hid parts of pictures, and saw that small patches show where, but not how much,
# - saw where Grad-CAM fits, and that adding up is not pointing,
# - scored nine kinds of maps, and found out what a shuffling check tests.
#
# Next: [06 convection](06_convection.ipynb), the first application: clouds.
#
# ## Quiz
#
# <details><summary>1. An occlusion map is white on the tag. Is the tag unimportant?</summary>
#
# Not for sure. If the patch is smaller than the tag, the other letters may keep the answer up.
#
# </details>
#
# <details><summary>2. Shuffling the last layers hardly changes a heat map. Is it blind to them?</summary>
#
# Guided Grad-CAM nearly is. Occlusion is not: its maps stay on the tag because the shuffled networks still respond
# to it. Ask the networks before you judge the map.
#
# </details>
#
# <details><summary>3. A Grad-CAM map adds up to the logit. Does its red lie on the cause?</summary>
#
# Not always. If a unit of its layer sees far beyond its own place, where it responds tells little about what it
# responds to.
#
# </details>
#
# <details><summary>4. What could a patch be worth in a field of temperature?</summary>
#
# A value that could be there and says nothing special, such as the climatology. Zero kelvin would be an object
# of its own.
#
# </details>
#
# ## Claims
#
# Measured on the fresh pictures. Goals are ours; intervals are 95 %, over ten shuffles where networks were shuffled, else over pictures.


# %% tags=["claims"]
def record(id, sentence, source, text, values, goal, unit=""):
    value, interval = skill.bootstrap(np.mean, values)
    claims.record(f"tfx-{id}", sentence, source, text, value, interval, goal, unit)


SLIDE = "tf-explain shows what a network finds important, with TensorFlow 2."
for id, name, text in [
    ("default", "Grad-CAM (guided)", "its Grad-CAM, untouched"),
    ("occlusion", "occlusion, 1 - p", "its occlusion, in its own range"),
]:
    record(
        id,
        SLIDE,
        "slide: Visualization toolboxes",
        f"{text}: density on the tag where it decides minus that where it hardly matters",
        results[name]["first"] - results[name]["repaired"],
        "> 0",
    )
AGREE = "rank correlation with the maps after the last two layers were shuffled"
for id, sentence, source, name in [
    (
        "grad-cam-sanity",
        "Grad-CAM passes the sanity check: its map depends on the weights of the top layers.",
        "adebayo2018",
        "Grad-CAM, the paper's",
    ),
    (
        "occlusion-sanity",
        "Occlusion, which uses nothing but the network's answers, passes the sanity check.",
        "this course",
        "occlusion, p lost",
    ),
]:
    record(id, sentence, source, AGREE, results[name]["agreement"], "<= 0.5")
record(
    "tag-still-counts",
    "What excites the layers below strongly goes on contributing after those above were shuffled.",
    "binder2023",
    "pictures in which hiding the tag moves the shuffled networks most, of four places",
    [most[state] for state in shuffled],
    ">= 80",
    "%",
)
sums = panel.exercise_2(toolbox_integrated, classes, scores, fresh[:8], 50).sum((1, 2, 3))
record(
    "sum",
    "Integrated gradients add up to the difference between the input's score and the baseline's.",
    "sundararajan2017",
    "what is missing or too much in the numbers of exercise 2, of the difference",
    100 * abs(sums / (logits(fresh[:8]) - logits(0 * fresh[:8])) - 1),
    "<= 5",
    "%",
)

# %% [markdown]
# ## References
#
# - [@tfexplain]: the toolbox
# - [@zeiler2013]: occlusion
# - [@selvaraju2016], [@draelos2020]: Grad-CAM; multiplying before averaging
# - [@simonyan2013], [@sundararajan2017]: gradient, integrated gradients
# - [@adebayo2018], [@binder2023]: a sanity check, and what it cannot tell
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
