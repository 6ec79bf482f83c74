# %% [markdown]
# # 05 tf-explain
#
# ![A tagged picture, and the same with grey patches of three sizes on the tag](../pictures/tf_explain.png)
#
# **Question:** the second toolbox draws heat maps in one line. What is drawn, and is it true?
#
# **Objectives:** you can
# - prepare a network for tf-explain, and call its methods,
# - choose a patch size for occlusion and a layer for Grad-CAM by what you want to know,
# - get numbers out of the toolbox where it gives pictures,
# - score any heat map against a known truth, and test whether it depends on the network at all.
#
# **Minutes:** 55 teaching, 35 exercises.
#
# **Prerequisites:** NumPy arrays, lesson 00 (necessary); lessons 01 and 03 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU, a kernel of its own (see section 9).

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider

from utils import claims, course, lrp, networks, panels, plots, skill, worlds
from utils.check import tf_explain as check
from utils.panels import tf_explain as panel
from utils.weights import load_weights
from utils.worlds import clever_hans as world

course.start("05_tf_explain", seed=0, eager=True)

# %% [markdown]
# The lecture names two toolboxes. iNNvestigate has LRP; **tf-explain** [@tfexplain] has none, but it
# has methods that the other lacks: activations, occlusion and Grad-CAM. It is made for TensorFlow 2,
# and its version 0.3.1, of 2021, still runs on today's. This lesson tries all of it on a network whose secret we know.
#
# ## 1. A network with a secret, and what the toolbox wants from it
#
# The network of lesson 01 says whether a picture shows a horse, and often relies on a photographer's
# tag that only horse pictures had; a second one was *repaired* and hardly cares. We take pictures
# which the first network calls a horse with the tag, and no horse without it: there the tag decides,
# and we know its pixels.

# %%
import tensorflow as tf
from tensorflow import keras
from tf_explain import core

keras.utils.disable_interactive_logging()  # or Keras prints a bar at each prediction

first = networks.clever_hans()
load_weights(first, "clever_hans")
repaired = keras.models.clone_model(first)
load_weights(repaired, "clever_hans_repaired")


def logits(network, pictures):
    return network(pictures).numpy()[:, 0]


scenes = [s for s in world.scenes(180, seed=worlds.CLAIMS) if s.horse and s.tag]
tagged = world.render(scenes)
without = world.render([replace(s, tag=False) for s in scenes]).picture.values
z, z_without = logits(first, tagged.picture.values), logits(first, without)
decides = (z > 0) & (z_without < 0)
pictures, tag = tagged.picture.values[decides], tagged.truth_tag.values[decides]
effect, without = (z - z_without)[decides], without[decides]
change = logits(repaired, pictures) - logits(repaired, without)
print(f"{len(pictures)} pictures; tag: {effect.mean():.1f} logits, repaired {change.mean():.1f}")

# %% [markdown]
# A **logit** $z$ is the network's answer before it is made a probability, $p = 1 / (1 + e^{-z})$.
# tf-explain expects something else: one output for each class, as probabilities. So we add two layers.
# The first gives the **scores** $(0, z)$ of "no horse" and "horse", and the softmax makes of them
# $(1 - p, p)$, the same $p$ as before. (The softmax has to be a layer of its own: the toolbox takes it
# off where it wants scores. And one output would not do. Its SmoothGrad uses a loss that is
# constant for a single class, and the map is zero everywhere.)


# %%
def with_classes(network):
    """The network with probabilities of no horse and horse, and the same with their scores."""
    two = keras.layers.Dense(2, use_bias=False, trainable=False, name="scores")
    scores = two(network.output)
    two.set_weights([np.array([[0.0, 1.0]])])
    classes = keras.Model(network.input, keras.layers.Softmax()(scores))
    return classes, core.VanillaGradients().get_score_model(classes)


classes, scores = with_classes(first)
HORSE = 1  # the class to explain
names = ["with tag", "without"]
fig, axes = plt.subplots(2, 6, figsize=(10, 3.8))
for row, name, shown in zip(axes, names, (pictures, without), strict=True):
    for ax, image in zip(row, shown, strict=False):
        plots.picture(ax, image, f"p = {classes(image[None])[0, HORSE]:.3f}")
    row[0].set_ylabel(name)
plots.show(fig, "with-and-without")

# %% [markdown]
# ## 2. What the first layer sees
#
# **Activations** are a layer's values for one picture, a small map for each filter (lesson 02 calls it a channel). They belong to the
# lecture's Type A: they show what is inside and explain no decision. `ExtractActivations` draws
# them in one grid. In which of the 16 maps would you find the tag?

# %%
convolution, last = first.layers[0].name, first.layers[7].name
x = pictures[:1]
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3.1))
plots.picture(left, x[0], "picture")
for ax, name, title in [
    (middle, convolution, "first layer: 16 filters"),
    (right, last, "last pooling: 64 filters"),
]:
    grid = core.ExtractActivations().explain((x, None), first, [name])
    plots.picture(ax, grid / 255, title)
plots.show(fig, "activations")

# %% [markdown]
# The first layer has edge finders, and filters for bright or dark surfaces; many of them see letters,
# as they see all edges. The last layer is hard to read. One grey scale serves the whole grid, so a
# dark map means only that another filter is stronger.
#
# ## 3. Occlusion: hide a part, and see what happens
#
# Put a grey patch on a part of the picture and see how far the answer drops [@zeiler2013]. Do it
# at each place of a grid: that is **occlusion sensitivity**. It asks the network, not its
# derivatives, so everybody understands it. Its price is a pass through the network for each patch.
#
# `OcclusionSensitivity` paints the value 127.5, the middle of pictures that go from 0 to 255. Ours go
# from 0 to 1. What does a patch of 127.5 look like to our network?

# %%
patched = x.copy()
patched[:, 24:40, 24:40] = 127.5
print(f"logit {logits(first, x)[0]:.1f}, with the patch {logits(first, patched)[0]:.0f}")


def from_0_to_255(classes):
    return keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Rescaling(1 / 255), classes])


def toolbox_occlusion(network, images, size=8):
    """Sensitivity as tf-explain has it, 1 - p, as numbers and not as a picture."""
    tool = core.OcclusionSensitivity(batch_size=256)
    return np.array([tool.get_sensitivity_map(network, one, HORSE, size) for one in images])


def occlusion(network, pictures, size, grey=0.5):
    """What the logit loses when a patch of `size` by `size` pixels turns grey."""
    network = tf.function(network)  # compiled once, for many passes
    before, maps = logits(network, pictures), np.zeros(pictures.shape[:3])
    for row in range(0, 64, size):
        for column in range(0, 64, size):
            hidden, patch = pictures.copy(), np.s_[:, row : row + size, column : column + size]
            hidden[patch] = grey
            maps[patch] = (before - logits(network, hidden))[:, None, None]
    return maps


# %% [markdown]
# Far brighter than white, and the network answers with nonsense. Two cures. Give the toolbox a network
# for pictures from 0 to 255, and the pictures as whole numbers (`uint8`). Or write
# occlusion yourself, as `occlusion` above does: then you also choose what is measured. The
# toolbox takes $1 - p$, which hardly moves while the network is sure. Ours takes the loss in
# logits.


# %%
def side_by_side(maps):
    """Two pictures, and beside each its heat maps, with the tag outlined."""
    fig, axes = plt.subplots(2, 1 + len(maps), figsize=(10, 20 / (1.5 + len(maps))), squeeze=False)
    for i, row in enumerate(axes):
        plots.picture(row[0], pictures[i])
        for ax, (name, of_all) in zip(row[1:], maps.items(), strict=True):
            title = "" if i else name.replace(", ", "\n")
            drawn = plots.heat_map(ax, of_all[i], title, {"tag": tag[i]})
    plots.heat_map_bar(fig, drawn, axes)
    return fig


two = pictures[:2]
maps = {
    "tf-explain, 0 to 1": toolbox_occlusion(classes, two),
    "tf-explain, 0 to 255": toolbox_occlusion(from_0_to_255(classes), np.uint8(255 * two)),
    "own, in logits": occlusion(first, two, 8),
}
plots.show(side_by_side(maps), "occlusion")

# %% [markdown]
# The first column shows how the network takes a glaring square, and is the same for both pictures. In
# the other two the tag stands out, though not all of it.
#
# ### Exercise 1: two questions, two patch sizes
#
# `by_size` holds occlusion maps of six pictures for patches of 4, 8, 16 and 32 pixels. The tag is 6
# pixels high and 27 wide, and you know its pixels (`tag[:6]`) and what it adds to the logit
# (`effect[:6]`). Which size tells best *where* the evidence is: the highest density on the tag, of
# the map without its sign (as in lesson 01: how many times denser than an even spread)? Which tells best *how much* it is: the largest loss on the tag,
# compared with `effect`?
#
# <details><summary>Hint</summary>
#
# `skill.relevance_density(abs(maps), tag[:6])` gives a density for each picture, 1 if the map does
# not prefer the tag. `np.where(tag[:6], maps, 0).max((1, 2))` is the largest loss on the tag.
#
# </details>

# %%
by_size = {size: occlusion(first, pictures[:6], size) for size in (4, 8, 16, 32)}
fig, axes = plt.subplots(1, 5, figsize=(10, 2.2))
plots.picture(axes[0], pictures[1], "picture")
for ax, (size, maps) in zip(axes[1:], by_size.items(), strict=True):
    drawn = plots.heat_map(ax, maps[1], f"{size} pixels", {"tag": tag[1]})
plots.heat_map_bar(fig, drawn, axes[1:])
plots.show(fig, "patch-sizes")

# %% tags=["exercise"]
where, how_much = ..., ...

# %% tags=["solution"]
for size, maps in by_size.items():
    density = skill.relevance_density(abs(maps), tag[:6]).mean()
    loss = np.where(tag[:6], maps, 0).max((1, 2))
    share = (loss / effect[:6]).mean()
    print(f"{size} pixels: density {density:.1f}, loss {share:.2f} of the effect")
where, how_much = 8, 32

# %% tags=["check"]
check.patch_sizes(where, how_much, by_size, tag[:6], effect[:6])

# %% [markdown]
# A small patch hides a letter, and the letters beside it say the same: the network stays sure. Only a
# patch that hides the whole tag shows its power, and it hides a quarter of the picture.
#
# **Think.** You hide one pixel of a cold cloud top, or one level of a sounding, and nothing happens.
# What have you learned about its importance?
#
# <details><summary>An answer</summary>
#
# Very little. Its neighbours tell the same: the pixel beside it is as cold, and the level above is nearly
# as moist. So the network loses nothing. To learn what the cold top does, change all of it at once, and
# put something there that could be there, such as a warmer cloud.
#
# </details>
#
# Move the patch yourself. The right map is LRP's for the *patched* picture: hide some letters, and see
# the red move to the others.

# %%
draw = panel.prepare(first, pictures)
panels.panel(
    draw,
    "panel",
    number=IntSlider(1, 0, len(pictures) - 1, description="picture"),
    size=IntSlider(10, 1, 40, description="patch size"),
    row=IntSlider(46, 0, 63, description="row"),
    column=IntSlider(1, 0, 63, description="column"),
)

# %% [markdown]
# ## 4. Grad-CAM: the late layers' view
#
# **Grad-CAM** [@selvaraju2016] looks at one layer with activations $A_k$, a map for each filter $k$. How
# much does the answer rise when $A_k$ rises, on average over the map? That average gradient is the
# filter's weight $w_k$, and the heat map is what speaks for the class:
#
# $$L = \mathrm{ReLU}\Big(\sum_k w_k A_k\Big)$$
#
# It costs one pass forwards and one back. tf-explain differs from the paper in three points: it keeps
# only positive gradients where the filter is active (*guided*, switched off by
# `use_guided_grads=False`), it leaves out the ReLU, and without `layer_name` it takes the last layer with
# maps, here a pooling. Two of its functions give the numbers.


# %%
def activations_and_slopes(network, pictures, layer, guided=False):
    """A layer's maps, and the gradients of the horse's output there."""
    pair = core.GradCAM.get_gradients_and_filters(network, pictures, layer, HORSE, guided)
    return [values.numpy() for values in pair]


def enlarge(maps):
    return np.array([cv2.resize(one, (64, 64)) for one in maps])


def grad_cam(network, pictures, layer, guided=False):
    pair = activations_and_slopes(network, pictures, layer, guided)
    maps = np.array(core.GradCAM.generate_ponderated_output(*pair))
    return enlarge(maps if guided else np.maximum(maps, 0))


def pooling(network, stage):
    return [layer.name for layer in network.layers if "pooling" in layer.name][stage]


# %%
models = {name: with_classes(n)[1] for name, n in [("first", first), ("repaired", repaired)]}
fig, axes = plt.subplots(2, 5, figsize=(10, 4.2))
for row, (name, network) in zip(axes, models.items(), strict=True):
    plots.picture(row[0], pictures[1])
    row[0].set_ylabel(f"{name} network")
    for stage in range(4):
        maps = grad_cam(network, pictures, pooling(network, stage))
        density = np.nanmean(skill.relevance_density(maps, tag))
        title = f"pooling {stage}: {density:.1f}"
        drawn = plots.heat_map(row[stage + 1], maps[1], title, {"tag": tag[1]})
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "grad-cam")
# For exercises 2 and 3:
at_stage = [activations_and_slopes(scores, pictures, pooling(scores, i)) for i in range(4)]
gain = logits(first, pictures) - logits(first, 0 * x)

# %% [markdown]
# Early maps are sharp, and mean little: they show surfaces and edges, for both networks alike. Late ones
# are coarse, with cells of 16 pixels. None finds the tag well, though it decides.
#
# Why? The average. Grad-CAM gives a filter one weight for all places. That is right for networks that
# average over the picture before they answer. Ours ends in a dense layer, which weighs each place by
# itself: letters count at the bottom, and hardly at the top (lesson 01).
#
# ### Exercise 2: place by place, in the right layer
#
# Write the map that multiplies first and does not average [@draelos2020]: at each place,
# activation times gradient, added over the filters. No ReLU. `activations` and `slopes` have the
# shape (sample, y, x, filter). Then choose the stage, 0 to 3, at whose pooling the map finds the tag best.
#
# <details><summary>Hint</summary>
#
# The function has one line. Then try it: `place_by_place(*at_stage[2])` makes a map for each picture;
# `enlarge` brings it to 64 x 64 pixels, and `skill.relevance_density(abs(...), tag)` scores it.
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
# **Think.** A network that finds hurricanes anywhere in a picture, and one that knows that they do not
# form at the equator. For which of them is Grad-CAM's average harmless?
#
# <details><summary>An answer</summary>
#
# For the first. It treats all places alike, so the average over places loses nothing that it uses. The
# second weighs the same feature differently at the equator, and there one weight for a whole filter mixes
# places where it speaks for a hurricane with places where it speaks against one.
#
# </details>
#
# ## 5. Gradients, and what is done with them
#
# - **Vanilla gradients** [@simonyan2013]: how much the score changes when a pixel changes a little.
#   `GradientsInputs` multiplies them by the input.
# - **SmoothGrad** [@smilkov2017]: the mean gradient over copies of the picture with noise.
# - **Integrated gradients** [@sundararajan2017]: the mean gradient on the straight path from a *baseline*,
#   here black, to the picture, times the difference of the two. It then adds up to the difference
#   of the scores.
#
# The toolbox's own versions differ. Its SmoothGrad takes the gradient of the cross-entropy $-\ln p$: its
# sign is turned round, and it vanishes where the network is sure. Its noise has a standard deviation of
# 1, whatever the range of your pictures: for ours that buries everything. Its integrated gradients
# use $p$, are not multiplied by anything, and lose their sign in the drawing. Each can be mended
# with the toolbox's own parts.


# %%
def gradient(scores, pictures):
    return core.VanillaGradients.compute_gradients(pictures, scores, HORSE).numpy()


def input_times_gradient(scores, pictures):
    return core.GradientsInputs.compute_gradients(pictures, scores, HORSE).numpy()


def toolbox_smoothgrad(classes, pictures, copies=5, noise=1.0):
    noisy = core.SmoothGrad.generate_noisy_images(pictures, copies, noise)
    return core.SmoothGrad.get_averaged_gradients(noisy, classes, HORSE, copies).numpy()


def smoothgrad(scores, pictures, copies=10, noise=0.1):
    noisy = core.SmoothGrad.generate_noisy_images(pictures, copies, noise)
    return gradient(scores, noisy).reshape(-1, copies, 64, 64, 3).mean(1)


def toolbox_integrated(network, pictures, steps=10):
    tool = core.IntegratedGradients
    paths = [np.float32(tool.generate_interpolations(one[None], steps)) for one in pictures]
    maps = [tool.get_integrated_gradients(path, network, HORSE, steps) for path in paths]
    return np.concatenate(maps)


# %% [markdown]
# ### Exercise 3: integrated gradients that add up
#
# Make `attributions` for `pictures[:8]`, shape (8, 64, 64, 3). For each picture they should add up, to
# within 5 %, to `gain[:8]`: the score of "horse" minus that of a black picture. Use
# `toolbox_integrated`, and choose the network and the number of steps.
#
# <details><summary>Hint</summary>
#
# The gain is in logits, so which of `classes` and `scores` is it? What does the formula multiply the
# mean gradient by, if the baseline is black?
#
# </details>

# %% tags=["exercise"]
attributions = ...

# %% tags=["solution"]
attributions = pictures[:8] * toolbox_integrated(scores, pictures[:8], steps=50)

# %% tags=["check"]
check.adds_up(attributions, pictures[:8], gain[:8])

# %%
maps = {
    "gradient": gradient(scores, two),
    "SmoothGrad": toolbox_smoothgrad(classes, two),
    "SmoothGrad, mended": smoothgrad(scores, two),
    "integrated, mended": two * toolbox_integrated(scores, two),
    "LRP preset A": lrp.relevance(first, two, "preset_a", layers=False).input,
}
plots.show(side_by_side(maps), "gradients")

# %% [markdown]
# Gradients are grainy, with both signs beside each other. SmoothGrad as it comes is noise, and blue,
# since a loss falls where a score rises. Mended, it is a gradient again.
#
# ## 6. Pictures are not numbers
#
# All methods above gave numbers, from the classes' inner functions. The usual call, `explain`, gives a
# picture. What gets lost on the way?
#
# **Scaled.** Gradients of all pictures in the call are standardised *together*, to mean 0 and deviation
# 1, and stored as whole numbers from 0 to 255. Guess: how much of a map is still grey, and not
# black or white?

# %%
nine = pictures[:9]
numbers = abs(gradient(scores, nine)).sum(-1)
tool = core.VanillaGradients()
alone = np.array([tool.explain((one[None], None), classes, HORSE) for one in nine])
grid = tool.explain((nine, None), classes, HORSE)
together = grid.reshape(3, 64, 3, 64).swapaxes(1, 2).reshape(9, 64, 64)
drawn_as = skill.rank_agreement(alone, numbers)
moved = 100 * (alone != together).mean((1, 2))
print(f"nine pictures make one array of the shape {grid.shape}")
print(f"black {100 * (alone == 0).mean():.0f} %, white {100 * (alone == 255).mean():.0f} %")
print(f"rank agreement of the picture with its numbers: {drawn_as.mean():.2f}")
print(f"pixels that differ beside eight other pictures: {moved.mean():.0f} %")
for channels in (1, 2, 3, 4):
    heat_map, scene = np.eye(8), np.ones((8, 8, channels)) / 2
    try:
        said = f"a picture of the shape {core.grad_cam.heatmap_display(heat_map, scene).shape}"
    except cv2.error:
        said = "an error from OpenCV"
    print(f"{channels} channels: {said}")

# %% [markdown]
# All below the mean is black, and all above one deviation is white. (What happens to values outside
# of 0 to 255 is left to the machine; others may wrap round.) A picture alone and in company gets
# other greys. And nine maps come as **one grid**, which you have to cut up again.
#
# **Stretched.** Grad-CAM and occlusion stretch each map so that it spans all colours, and lay it on the
# picture. So any map looks like a finding. Compare a network that knows nothing.

# %%
random = networks.shuffled(first, [layer.name for layer in first.layers if layer.weights])
fig, axes = plt.subplots(1, 4, figsize=(9, 2.6))
for pair, name in zip(axes.reshape(2, 2), ("first network", "all weights shuffled"), strict=True):
    network = with_classes(random if "all" in name else first)[0]
    drawing = core.GradCAM().explain((two[1:], None), network, HORSE)
    plots.picture(pair[0], drawing / 255, name)
    maps = grad_cam(network, two[1:], pooling(network, 3), guided=True)
    plots.heat_map(pair[1], maps[0], f"largest value {maps.max():.1g}")
plots.show(fig, "stretched")

# %% [markdown]
# The drawings are nearly the same! Guided weights are never negative, so the map is a mean of all
# activations, and a network with random weights has some, too: where the picture is bright or has edges.
#
# **Three channels.** The last lines above try scenes of one to four channels. Those of two fail, and of four
# only the first three are shown, without a word. The numbers know
# no such limit. So: **use the inner functions, look at their numbers, and draw them yourself**, with
# one colour scale that has a zero.
#
# | method | numbers from |
# |---|---|
# | gradients | `VanillaGradients.compute_gradients(x, score_model, class)` |
# | input times gradient | `GradientsInputs.compute_gradients(x, score_model, class)` |
# | SmoothGrad | the same of `SmoothGrad.generate_noisy_images(x, copies, noise)`, averaged |
# | integrated gradients | `IntegratedGradients.get_integrated_gradients(path, model, class, steps)` |
# | Grad-CAM | `GradCAM.get_gradients_and_filters(...)`, `generate_ponderated_output(...)` |
# | occlusion | `OcclusionSensitivity().get_sensitivity_map(model, x, class, size)` |
#
# ## 7. All against the truth
#
# Three measurements for each method:
#
# 1. density on the tag for the first network, which it decides: much more than 1 wanted;
# 2. the same for the repaired network, which hardly uses it: at most 1 wanted, more is a **false alarm**;
# 3. one step of a **sanity check** [@adebayo2018]: rank agreement with the map of the first network after
#    the weights of its two dense layers were shuffled, on eight pictures. Near 1 means: the map hardly
#    depends on what these layers have learned. (Lesson 04 says why this test alone cannot rank methods
#    [@binder2023].)
#
# A counting layer in front of the network counts passes. (It sees pictures that go forwards; lesson 04 counts the way
# back as well, so its numbers for gradients are twice these.) Which method will win?


# %%
class Counter(keras.layers.Layer):
    def build(self, shape):
        self.seen = self.add_weight("seen", dtype="int64", trainable=False, initializer="zeros")

    def call(self, x):
        self.seen.assign_add(tf.shape(x, tf.int64)[0])
        return x


def by_class(method):
    return lambda network, x: method(with_classes(network)[0], x)


def by_score(method):
    return lambda network, x: method(with_classes(network)[1], x)


def by_rule(rule):
    return lambda network, x: lrp.relevance(network, x, rule, layers=False).input


def by_place(scores, x):
    pair = activations_and_slopes(scores, x, pooling(scores, 1))
    return enlarge((pair[0] * pair[1]).sum(-1))


# %%
methods = {
    "gradient": by_score(gradient),
    "input x gradient": by_score(input_times_gradient),
    "SmoothGrad": by_class(toolbox_smoothgrad),
    "SmoothGrad, mended": by_score(smoothgrad),
    "integrated": by_class(toolbox_integrated),
    "integrated, mended": by_score(lambda n, x: x * toolbox_integrated(n, x)),
    "Grad-CAM": by_class(lambda n, x: grad_cam(n, x, pooling(n, 3), guided=True)),
    "Grad-CAM, the paper's": by_score(lambda n, x: grad_cam(n, x, pooling(n, 3))),
    "Grad-CAM, by place": by_score(by_place),
    "occlusion": by_class(toolbox_occlusion),
    "occlusion, mended": lambda n, x: occlusion(n, x, 8),
    "LRP alpha 1 beta 0": by_rule("alpha_1_beta_0"),
    "LRP preset A": by_rule("preset_a"),
}

# %%
dense = [layer.name for layer in first.layers if isinstance(layer, keras.layers.Dense)]
shuffled = networks.shuffled(first, dense)
counter = Counter()
layers = [layer.from_config(layer.get_config()) for layer in repaired.layers]
counted = keras.Sequential([keras.Input((64, 64, 3)), counter, *layers])
counted.set_weights([0, *repaired.get_weights()])
results, passes, examples = {}, {}, {}
for name, method in methods.items():
    counter.seen.assign(0)
    of_first = method(first, pictures)
    of_repaired = method(repaired if name.startswith("LRP") else counted, pictures)
    of_shuffled = method(shuffled, pictures[:8])
    maps = [abs(m.sum(-1) if m.ndim == 4 else m) for m in (of_first, of_repaired)]
    density = [skill.relevance_density(m, tag) for m in maps]
    results[name] = [*density, skill.rank_agreement(of_first[:8], of_shuffled)]
    examples[name] = of_first[1], of_repaired[1]
    if not name.startswith("LRP"):
        passes[name] = int(counter.seen.numpy()) // len(pictures)

# %% tags=["figure"]
heads = ["density, first network", "density, repaired network", "sanity check: agreement"]
fig, axes = plt.subplots(1, 3, figsize=(10, 4.4), sharey=True)
for place, (name, values) in enumerate(results.items()):
    mended = "," in name
    colour = plots.ORANGE if "LRP" in name else plots.BLUE if mended else plots.GREY
    for ax, value in zip(axes, values, strict=True):
        mean, (low, high) = skill.bootstrap(np.nanmean, value)
        ax.barh(place, mean, color=colour, xerr=[[mean - low], [high - mean]])
labels = [f"{name} ({passes.get(name, 'LRP')})".replace(" (LRP)", "") for name in results]
axes[0].set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.4, -0.6))
wanted = [
    "more is better (1: even spread)",
    "less is better (1: even spread)",
    "at most 0.5 wanted",
]
for ax, head, text, limit in zip(axes, heads, wanted, (1, 1, 0.5), strict=True):
    ax.axvline(limit, color=plots.INK, lw=1, ls=":")
    ax.set_title(head, fontsize=10)
    ax.set_xlabel(text)
plots.show(fig, "scores")

# %% tags=["figure"]
shown = [
    "Grad-CAM",
    "Grad-CAM, by place",
    "occlusion, mended",
    "LRP alpha 1 beta 0",
    "LRP preset A",
]
fig, axes = plt.subplots(2, 6, figsize=(10, 3.6))
for i, (row, title) in enumerate(zip(axes, ("first", "repaired"), strict=True)):
    plots.picture(row[0], pictures[1])
    row[0].set_ylabel(f"{title} network")
    for ax, name in zip(row[1:], shown, strict=True):
        head = "" if i else name.replace(", ", "\n")
        drawn = plots.heat_map(ax, examples[name][i], head, {"tag": tag[1]})
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "examples")

# %% [markdown]
# Read the chart from the left.
#
# - **As they come** (grey), none of the toolbox's methods is good here. Gradients find the tag with a
#   density of 3 to 4, Grad-CAM 2; occlusion and SmoothGrad prefer everything else.
# - **Mended** (blue), occlusion and Grad-CAM by place reach 8, and about 1 where the tag hardly matters.
# - **LRP** is sharper, since patches and cells are larger than letters. But it also lights the tag for the
#   network that hardly uses it, a little under preset A, much under alpha 1 beta 0, which hardly notices
#   that two layers were shuffled, either.
# - **Grad-CAM as it comes** does not notice them at all: tf-explain's is a guided variant, whose positive
#   weights lose what those layers decide, for or against. The paper's own Grad-CAM passed the original
#   test [@adebayo2018]; here its agreement is lower, too, with an interval too wide to decide.
# - A low agreement alone is no merit: noise agrees with nothing, see SmoothGrad. And occlusion, which
#   asks the network itself, misses our limit: strong edges move a shuffled network, too.
#
# So choose by the question. *What if this part were missing?* Occlusion, with a patch as large as
# the part. *Where, for one pass, in a network with maps?* Grad-CAM by place. *Which pixels?* LRP, for
# instance preset A.
#
# ## 8. Heat maps while a network learns
#
# tf-explain's most useful idea may be its **callbacks**: objects that Keras calls after each epoch. Each
# draws a heat map of your pictures then, and writes it into files for TensorBoard, TensorFlow's own viewer. Here the first
# network learns on with 80 pictures in which tags tell nothing (lesson 01), and we watch occlusion
# of one tagged picture. The files go to a temporary folder, from which we read the drawings back.
# **Predict:** what will they show?

# %%
from tf_explain.callbacks.occlusion_sensitivity import OcclusionSensitivityCallback

few = world.simulate(80, seed=worlds.VALIDATION, setting="balanced")
copy = keras.models.clone_model(first)
copy.set_weights(first.get_weights())
student = from_0_to_255(with_classes(copy)[0])
student.compile(keras.optimizers.Adam(2e-4), "sparse_categorical_crossentropy")


def read_drawings(folder):
    """Drawings in the event files of a folder, in the order of their writing."""
    files = [str(path) for path in Path(folder).rglob("*tfevents*")]
    for record in tf.data.TFRecordDataset(files):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            yield tf.io.decode_png(value.tensor.string_val[2]).numpy()


# %%
def tag_adds(epoch=None, logs=None):
    adds.append((logits(copy, pictures) - logits(copy, without)).mean())


adds, watched = [], (np.uint8(255 * two[1:]), None)
tag_adds()
drawings = [core.OcclusionSensitivity().explain(watched, student, HORSE, 16)]
with tempfile.TemporaryDirectory() as folder:
    watch = OcclusionSensitivityCallback(watched, HORSE, 16, output_dir=folder)
    callbacks = [watch, keras.callbacks.LambdaCallback(on_epoch_end=tag_adds)]
    student.fit(255 * few.picture.values, few.horse.values, 8, 5, verbose=0, callbacks=callbacks)
    watch.file_writer.close()
    drawings += read_drawings(folder)

# %% tags=["figure"]
fig, axes = plt.subplots(1, 6, figsize=(10, 2.2))
for epoch, (ax, drawing) in enumerate(zip(axes, drawings, strict=True)):
    name = f"epoch {epoch}" if epoch else "before"
    plots.picture(ax, drawing / 255, f"{name}\ntag adds {adds[epoch]:.1f}")
plots.show(fig, "epochs")

# %% [markdown]
# The network unlearns the tag, and the drawings hardly show it: each is stretched, so the place that
# matters most is yellow, however little it matters. (That all else turns from violet to turquoise says
# that $p$ falls.) The number above tells more. A callback is a fine place to compute one: `tag_adds`
# is nothing else.
#
# ## 9. Eager and graph mode
#
# 1. In *eager mode* TensorFlow computes each line at once, as NumPy does; that is today's default, and
#    tf-explain needs it, because its gradients are recorded while the network runs.
# 2. In *graph mode* each line only adds a step to a plan, and a session computes the plan later;
#    iNNvestigate needs that, because it takes the plan apart and writes a new one.
# 3. A tensor of a plan has no value, and a value has no plan: neither can be used as the other.
# 4. TensorFlow can be switched from eager to graph mode, but only before its first tensor, and not back.
# 5. So a process has one mode, chosen by `course.start`; this lesson needs a kernel of its own, and
#    `utils.lrp` works in both because it computes in a graph of its own.
#
# iNNvestigate's front door, `explain`, says here that it needs graph mode, and what to do.
#
# ## 10. Where it fails
#
# Occlusion needs a colour that stands for "nothing". Ours was grey, and the bars at the edges of our
# pictures are grey, too: the network has learned that grey means nothing. What if the patch is black?
# Then the density on the tag falls from 8 to 2 (the claims below measure it).
# Other colours are edges and surfaces of their own, and the network answers to *them*. Before you occlude a
# field, ask what its "nothing" is: the climatology, perhaps, or no lightning.
#
# And all numbers here are about one small network with a loud secret. That a method finds a tag of
# strong edges does not promise that it finds a weak, wide pattern.

# %% [markdown]
# ## In this lesson you
#
# - gave a network with one logit the two classes that tf-explain wants,
# - hid parts of pictures, and saw why small patches find little,
# - found that Grad-CAM's average does not suit a network that knows places, and mended it,
# - turned pictures back into numbers, and made integrated gradients add up,
# - scored thirteen methods against a truth, and shuffled weights to see which notice,
# - watched a heat map while a network learned.
#
# Next: [06 convection](06_convection.ipynb), the first application: clouds.
#
# ## Quiz
#
# <details><summary>1. An occlusion map is white on the tag. Is the tag unimportant?</summary>
#
# Not for sure. If the patch is smaller than the tag, its other letters may hold the answer up.
#
# </details>
#
# <details><summary>2. Two Grad-CAM drawings are equally bright. Is there equally much?</summary>
#
# You cannot tell: each map was stretched to all colours. Compare the numbers.
#
# </details>
#
# <details><summary>3. Shuffling the last layers hardly changes a heat map. Is it robust?</summary>
#
# It is blind: those layers decide, and it does not depend on them.
#
# </details>
#
# <details><summary>4. Why do SmoothGrad's maps vanish for a picture with p = 0.99999?</summary>
#
# tf-explain differentiates $-\ln p$. Its slope is the score's, times $1 - p$.
#
# </details>

# %% [markdown]
# ## Claims
#
# What papers say, or what one would expect of a tool, and what was measured here. Goals are ours. The scores of all methods are in
# the chart of section 7.


# %% tags=["claims"]
def record(id, sentence, source, text, values, goal, unit="", negative=False):
    value, interval = skill.bootstrap(np.nanmean, values)
    claims.record(f"tfx-{id}", sentence, source, text, value, interval, goal, unit, negative)


record(
    "grad-cam-sanity",
    "Grad-CAM, computed as in its paper, notices shuffled weights.",
    "adebayo2018",
    "agreement of the map with that after shuffling the last layers",
    results["Grad-CAM, the paper's"][2],
    "<= 0.5",
)
record(
    "grad-cam-guided",
    "tf-explain's guided Grad-CAM notices shuffled weights.",
    "this course",
    "agreement of the map with that after shuffling the last layers",
    results["Grad-CAM"][2],
    "<= 0.5",
)
record(
    "picture",
    "A picture of gradients ranks the pixels as its numbers do.",
    "this course",
    "rank agreement",
    drawn_as,
    ">= 0.95",
)

# %% tags=["claims"]
record(
    "occlusion-loss",
    "Occlusion shows how much a part matters.",
    "this course",
    "loss by the best patch of 8 pixels, of what the whole tag adds",
    100 * np.where(tag[:6], by_size[8], 0).max((1, 2)) / effect[:6],
    ">= 80",
    "%",
)
record(
    "occlusion-colour",
    "Occlusion does not depend on the colour of the patch.",
    "this course",
    "density on the tag with a black patch of 8 pixels, which a grey one finds",
    skill.relevance_density(abs(occlusion(first, pictures[:6], 8, 0.0)), tag[:6]),
    ">= 5",
)
sums = toolbox_integrated(classes, pictures[:8]).sum((1, 2, 3))
p_gain = (classes(pictures[:8]) - classes(0 * x)).numpy()[:, HORSE]
mended = (pictures[:8] * toolbox_integrated(scores, pictures[:8], 50)).sum((1, 2, 3))
for id, sentence, source, gap in [
    (
        "sum-comes",
        "tf-explain's integrated gradients, as they come, add up to the gain.",
        "this course",
        100 * abs(sums / p_gain - 1),
    ),
    (
        "sum-mended",
        "Integrated gradients add up to the gain from the baseline to the input.",
        "sundararajan2017",
        100 * abs(mended / gain[:8] - 1),
    ),
]:
    record(id, sentence, source, "what is missing or too much, of the gain", gap, "<= 5", "%")

# %% [markdown]
# ## References
#
# - [@tfexplain]: the toolbox
# - [@zeiler2013]: occlusion
# - [@selvaraju2016]: Grad-CAM
# - [@draelos2020]: multiply before averaging
# - [@simonyan2013], [@smilkov2017], [@sundararajan2017]: gradients, SmoothGrad, integrated gradients
# - [@adebayo2018], [@binder2023]: sanity checks, and what they cannot tell
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
