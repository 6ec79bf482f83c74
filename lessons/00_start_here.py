# %% [markdown]
# # 00 Start here
#
# ![A storm from above, a network's radar estimate, and where the network looked for one pixel](../pictures/start_here.png)
#
# **Question:** where does a trained network look?
#
# **Objectives:** you can
# - say what an accuracy does not tell you about a network,
# - make a heat map of a decision, and read its colours and its numbers,
# - test a heat map by changing the picture, and say what it does not tell.
#
# **Minutes:** 20 teaching, 10 exercises.
#
# **Prerequisites:** NumPy arrays (necessary), the idea of a convolutional neural network, CNN (helpful).
#
# **Needs:** 1 GB of memory, no network connection, no GPU.

# %% [markdown]
# Suppose that a colleague has trained a neural network (ANN, NN for short) to warn of severe storms. On last year's data it was
# right 95 times out of 100. That may say little: if only five of the 100 were storms, a network that
# always says "no storm" is right as often. And even if the score is good, what did it learn? Perhaps what a forecaster looks for. Perhaps that the storms in its archive came from one
# satellite, whose pictures have a faint stripe.
#
# So this course looks inside, with methods of *explainable AI* (XAI). The picture at the top is a preview of lesson 07: a simulated storm as a
# satellite sees it, its lightning, the radar picture that a network estimates from the two, and a **heat
# map** (or attribution map), which shows the pixels that a method credits with the estimate at the cross. Whether the
# estimate really depends on them is another question, and the theme of this course. We start with something on which
# everybody is an expert, a horse.

# %% [markdown]
# ## How to use a notebook
#
# Click into the cell below and press **Shift and Enter**: it runs, and the next cell is selected. Run
# the cells in order, as later ones need earlier ones. Some code is folded away; click on the three dots
# to see it. In JupyterLab, the icon with the bulleted list at the left edge opens the table of contents.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider

from utils import claims, course, environment, networks, panels, plots, skill, worlds
from utils.check import start_here as check
from utils.panels import start_here as panel
from utils.weights import load_weights

course.start("00_start_here", seed=0)
environment.report()

# %% [markdown]
# If the last line begins with OK, everything is there; a line that begins with FAIL says what to do.
# The line above it names the versions, the mode in which TensorFlow runs, and the random seed.
#
# ## A first heat map
#
# Lesson 01 examines a small network that answers one question: *is there a horse in this picture?* Here
# you only load it. It gives one number for a picture, the **logit** $z$. A positive logit means
# "horse", and $1 / (1 + e^{-z})$ is the probability.
#
# The pictures come as an **xarray** dataset, which is a set of NumPy arrays with named axes.
# `data.isel(sample=[140])` takes sample number 140, whatever the order of the axes.
# `data.picture.values` is the plain NumPy array behind a variable.

# %% tags=["nbval-check-output"]
model = networks.clever_hans()
load_weights(model, "clever_hans")

data = worlds.open_world("clever_hans")
one = data.isel(sample=[140])
picture = one.picture.values


def logits(pictures):
    return model.predict(np.asarray(pictures), verbose=0)[:, 0]


logit = logits(picture)[0]
print("axes of the input:", dict(one.picture.sizes))
print(f"logit: {logit:.1f}; probability of a horse: {1 / (1 + np.exp(-logit)):.6f}")

# %% [markdown]
# The network says "horse", and it is right. (We did not draw this picture at random. Of the 200 in the
# dataset it has the highest logit.) The grey bars fill it up to a square.
#
# **How did you know that it is a horse?** Click on the place that told *you*, or set its row and column
# by the sliders.

# %%
row, column = IntSlider(-1, -1, 63), IntSlider(-1, -1, 63)
row.description, column.description = "row", "column"
draw = panel.prepare(picture[0])
panels.panel(draw, "picture", click=("row", "column"), row=row, column=column)

# %% [markdown]
# Now put the same question to the network, with **layer-wise relevance propagation (LRP)**. It starts
# with the logit at the output and shares it out from layer to layer, back to the pixels. What a pixel
# receives is called its relevance. There are several rules for the sharing. `lrp.sequential_preset_a` is
# a common mixture of them, which lesson 03 takes apart.

# %% tags=["nbval-check-output"]
import innvestigate

analyzer = innvestigate.create_analyzer("lrp.sequential_preset_a", model)
relevance = analyzer.analyze(picture)
heat_map = relevance[0].sum(axis=-1)  # red, green and blue together
print("shape of the relevance:", relevance.shape, " of the heat map:", heat_map.shape)
print(f"all relevance together: {heat_map.sum():.1f}; the logit: {logit:.1f}")

# %%
outlines = {"horse": one.truth_horse.values[0]}
fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4))
plots.picture(left, picture[0], "what the network was given")
drawn = plots.heat_map(right, heat_map, f"relevance, z = {logit:.1f}", masks=outlines)
for ax in (left, right):
    panel.mark(ax, row.value, column.value)  # where you looked
plots.heat_map_bar(fig, drawn, right, label="relevance per pixel")
plots.show(fig, "heat-map")
print(f"largest relevance of a pixel: {heat_map.max():.2f}")

# %% [markdown]
# All relevance together nearly equals the logit, and lesson 03 explains the gap. Red
# pixels speak for "horse", blue ones against it. A white pixel received little compared with 0.13, where
# the colours end, or the relevances of its three colours cancelled. The arrow at the end of the bar means that a few
# pixels lie beyond it.
#
# The deepest red lies along the horse's neck and back. The face, the legs and the tail, which most people
# would name, are paler. The green outline does not come from the network. We know it because the picture is
# from a small simulated world.
#
# ## The blue in the corner
#
# There is a trace of blue at the lower right, mostly on the grey bar, where there is nothing to see. Does
# it belong to something in the picture, or to the place? **Mirror the picture and explain it again.** Most
# of the blue lay in the right half. What percentage will lie in the right half of the mirrored picture?

# %% tags=["guess"]
guess = {"mirrored": None}

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 3))
turns = {"as it was": 1, "mirrored": -1}
for (name, turn), (left, right) in zip(turns.items(), axes.reshape(2, 2), strict=True):
    view, outline = picture[0, :, ::turn], {"horse": outlines["horse"][:, ::turn]}
    values = analyzer.analyze(view[None])[0].sum(axis=-1)
    plots.picture(left, view, name)
    drawn = plots.heat_map(right, values, f"z = {logits([view])[0]:.1f}", outline, limit=0.04)
    blue = values.clip(max=0)
    share = 100 * blue[:, 32:].sum() / blue.sum()
    print(
        f"{name}: {share:.0f} % of the blue in the right half{plots.guess_text(guess, name, ' %')}"
    )
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "mirrored")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The red on the horse has moved with it, and the blue has stayed where it was. So the blue belongs to the
# place, and so does a little faint red at the upper right, which stayed as well. You will meet this blue in most heat
# maps of this network, and lesson 03 shows where most of it comes from.
#
# The logit fell from 13.8 to 12.0, although a mirrored horse is as much a horse. From this alone we cannot tell whether the
# horse or the background matters.
#
# </details>
#
# ## How exercises work
#
# A cell with `...` waits for you. The cell below it checks your answer and says what may have gone
# wrong; it never stops the notebook. The folder `solutions` has solved versions of all lessons. When
# a text asks for a guess, make one before you run the cell.
#
# ### Exercise: the hottest pixels
#
# If the network relies on the red pixels, taking them away should hurt. First find them: give `hottest`, an array of
# the shape of `heat_map` that is True at its 100 largest values and False elsewhere.
#
# <details><summary>Hint</summary>
#
# Which value does a pixel need to be among the first 100? `np.sort` puts values into order.
#
# </details>

# %% tags=["exercise"]
hottest = ...

# %% tags=["solution"]
hottest = heat_map >= np.sort(heat_map, axis=None)[-100]

# %% tags=["check"]
check.hottest(hottest, heat_map, outlines["horse"])

# %% [markdown]
# Now paint over them with the mean colour of the background. For comparison, paint over a **patch** of 100
# pixels of the horse, a random one and those nearest to it; the printed logit is the mean of twenty such patches. The
# logit was 13.8. **What will it be after each change?**

# %% tags=["guess"]
guess = {"100 hottest": None, "patch of 100": None}


# %%
def try_out(number, guess, figure):
    """Paint over pixels of one picture, print the logits, and draw what was painted."""
    this = data.isel(sample=number)
    image, horse = this.picture.values, this.truth_horse.values
    values = analyzer.analyze(image[None])[0].sum(axis=-1)
    painted = panel.paint_over(image, values, horse, this.truth_inside.values)
    fig, axes = plt.subplots(1, 4, figsize=(11, 3))
    plots.picture(axes[0], image, f"picture\nz = {logits([image])[0]:.1f}")
    drawn = plots.heat_map(axes[1], values, "heat map\nof this z", {"horse": horse})
    for ax, (name, changed) in zip(axes[2:], painted.items(), strict=True):
        z = logits(changed)
        mean = "z" if len(z) == 1 else "mean z"
        plots.picture(ax, changed[0], f"{name}\n{mean} = {z.mean():.1f}")
        print(f"{name}: mean logit {z.mean():.1f}{plots.guess_text(guess, name)}")
    plots.heat_map_bar(fig, drawn, axes)
    plots.show(fig, figure)


try_out(140, guess, "painted-light")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The heat map passes the test on this picture. Paint over the hottest pixels, and the logit falls from 13.8 to 2.3.
# Paint over a patch of the horse instead, and on average it falls by 2.
#
# </details>
#
# Now a black horse, in front of grass and a pale sky, with a logit of 11.6. Most of the red lies on the *grass* under its belly.
# **What will the logit be after each change?**

# %% tags=["guess"]
guess = {"100 hottest": None, "patch of 100": None}

# %%
try_out(18, guess, "painted-dark")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# This time it fails. Without the hottest pixels the logit is even higher, and without a patch of the horse it falls by a
# third. Besides the grass under the belly, some red lies above the mane and under the jaw, and hardly any on
# the horse. What seems to count is the contrast between the horse and what is behind it: what we painted, a mean of
# grass and sky, is brighter than the grass that it replaced. Lesson 03 shows why dark pixels
# receive so little. (The test has a limit as well: a light patch on a black horse is something new to the network.)
#
# </details>
#
# **Think.** A heat map of your own storm network is deep red beside the cold cloud. Does the network look
# at the wrong place?
#
# <details><summary>An answer</summary>
#
# Not necessarily. The red may lie on one side of an edge while the answer depends on both sides. Change the
# cloud, change its surroundings, and see which of them moves the output.
#
# </details>

# %% [markdown]
# ## What this course is
#
# The course rebuilds the lecture *Peering Inside the Black Box of Machine Learning for Earth Science,
# part 2* [@lecture]. Wherever we can, we turn a claim of the lecture into an experiment with a known answer, and
# [CLAIMS.md](../CLAIMS.md) collects the results, including the claims that failed or could not be tested. One thought of the
# lecture runs through all lessons: **looking inside is a discovery, and you lead it.** It takes
# hypotheses, experiments and second looks, and somebody who knows whether a strategy makes sense.
# [GLOSSARY.md](../GLOSSARY.md) explains the words of the course, and
# [EXERCISES.md](../EXERCISES.md) lists its exercises.

# %% [markdown]
# ## In this lesson you
#
# - met the questions that a good score leaves open,
# - made a heat map of a trained network with two lines of iNNvestigate, and read its colours,
# - used a mirror image to separate what belongs to the picture from what belongs to the place,
# - tested two heat maps by painting over what they marked.
#
# Next: [01 Clever Hans](01_clever_hans.ipynb), where you look at many decisions of this network, not
# just one.
#
# ## Quiz
#
# <details><summary>What does a blue pixel say?</summary>
#
# The method counts it *against* "horse", so blue is not the same as unimportant. Whether the logit
# would really rise without that pixel, only an experiment tells.
#
# </details>

# %% [markdown]
# ## Claims
#
# Each lesson ends with cards: what is claimed, by whom (a slide, a paper, or *this course* where the expectation is
# ours), and what we measured. The numbers in brackets are the 95 % interval, which says how far the result might
# move with other pictures of the same kind. A claim **holds** if the whole interval meets a goal that we set. It **does not hold here** if
# no part of it does, and otherwise it is **undecided**. A sentence that says what something does *not* do is confirmed or not.
#
# These two are about all horses of the dataset that the network found, in pictures without certain
# other objects that lesson 01 introduces. "Mainly" should mean more than half. The code is folded away.

# %% tags=["claims"]
found = panel.with_little_else(data) & (logits(data.picture) > 0)
horses = data.isel(sample=np.nonzero(found)[0])
all_maps = analyzer.analyze(horses.picture.values).sum(axis=-1)
on_horse = horses.truth_horse.values
shares = 100 * skill.relevance_share(all_maps, on_horse)
wider = skill.relevance_share(all_maps, panel.one_pixel_more(on_horse)).mean()
print(f"on the horse or one pixel beside it: {100 * wider:.0f} % of the red")
claims.record(
    "start-horse-density",
    "The network detects mainly parts of horses.",
    "slide: Detecting horses – Strategy 1 of algorithm",
    "share of the positive relevance that lies on the horse, in pictures with little else",
    *skill.bootstrap(np.mean, shares),
    goal="> 50",
    unit="%",
)
costs, darker = [], []
for image, values, horse, inside in zip(
    horses.picture.values, all_maps, on_horse, horses.truth_inside.values, strict=True
):
    hot, patches = panel.paint_over(image, values, horse, inside).values()
    costs.append(logits(patches).mean() - logits(hot).mean())
    darker.append(image[horse].mean() < image[inside & ~horse].mean())
costs, darker = np.array(costs), np.array(darker)
for name, which in {"darker": darker, "lighter": ~darker}.items():
    mean, (low, high) = skill.bootstrap(np.mean, costs[which])
    print(
        f"{which.sum()} horses {name} than the background: {mean:+.1f} ({low:+.1f} to {high:+.1f})"
    )
claims.record(
    "start-hottest",
    "The hottest pixels matter more than a patch of as many pixels of the horse.",
    "this course",
    "logits lost by painting over the 100 hottest pixels, minus those lost by a patch of 100",
    *skill.bootstrap(np.mean, costs),
    goal="> 0",
    unit="logits",
)

# %% [markdown]
# The first claim depends on how one measures. Much of the red lies just outside the outline, and with one
# pixel more all round, more than half of it counts as the horse's. The second goes against the heat maps for the 34 horses
# darker than their background: there a patch of the horse costs more than the hottest pixels do. The six lighter ones go the
# other way on average, as the first that you saw did, but six are too few to say so.

# %% [markdown]
# ## References
#
# - [@lecture]: the lecture
# - [@bach2015]: layer-wise relevance propagation
# - [@alber2019]: iNNvestigate
# - [@mcgovern2019], [@flora2024]: overviews for weather and climate
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
