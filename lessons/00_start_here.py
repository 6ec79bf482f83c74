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
# - test a heat map by changing the picture.
#
# **Minutes:** 20 teaching, 10 exercises.
#
# **Prerequisites:** NumPy arrays (necessary), the idea of a convolutional network (helpful).
#
# **Needs:** 1 GB of memory, no network connection, no GPU.

# %% [markdown]
# Suppose that a colleague has trained a network to warn of severe storms. On last year's data it was
# right 95 times out of 100. **Would you let it send the warnings?** You might want to know first how
# it does it. It may have learned what a forecaster looks for. It may just as well have learned that the
# storms in its archive came from one satellite, whose pictures have a faint stripe. On last year's
# data both networks may well score the same.
#
# So this course looks inside. The picture at the top is a preview of lesson 07. On the left is a
# simulated storm as the satellite GOES would measure it in the infrared, with its lightning beside
# it. From these a network estimates what a weather radar would see (third panel). On the right is a
# **heat map**, which says where the network found the reasons for its value at the cross. The deepest
# red lies at the tip of the cold cloud, and thin red lines run along its edge.
#
# We start with something simpler, a horse, since everybody is an expert on horses.

# %% [markdown]
# ## How to use a notebook
#
# Click into the cell below and press **Shift and Enter**: it runs, and the next cell is selected. Run
# the cells in order, as later ones need earlier ones. Plotting code may be folded away; click on the
# three dots to see it. In JupyterLab, the icon with the bulleted list at the left edge opens the
# table of contents, which takes you to any section.

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
# Every lesson opens with `course.start`, which fixes the random seed and prepares TensorFlow for the
# tools of the lesson.
#
# ## A first heat map
#
# Lesson 01 trains a small network to answer one question: *is there a horse in this picture?* Here
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
logit = model.predict(picture, verbose=0)[0, 0]
print("axes of the input:", dict(one.picture.sizes))
print(f"logit: {logit:.1f}")

# %% [markdown]
# The network says "horse", and it is right. Here is the picture; the grey bars fill it up to a
# square. **How did you know that it is a horse?** Click on the place that told *you*, or set its row
# and column by the sliders.

# %%
row, column = IntSlider(-1, -1, 63), IntSlider(-1, -1, 63)
row.description, column.description = "row", "column"
draw = panel.prepare(picture[0])
panels.panel(draw, "picture", click=("row", "column"), row=row, column=column)

# %% [markdown]
# Now ask the network the same, by **layer-wise relevance propagation (LRP)**. It starts with the
# logit at the output and shares it out from layer to layer, back to the pixels. What a pixel receives
# is called its relevance. There are several rules for the sharing. `lrp.sequential_preset_a` is a
# common mixture of them, which lesson 03 takes apart.

# %% tags=["nbval-check-output"]
import innvestigate

analyzer = innvestigate.create_analyzer("lrp.sequential_preset_a", model)
relevance = analyzer.analyze(picture)
heat_map = relevance[0].sum(axis=-1)  # red, green and blue together
print("shape of the relevance:", relevance.shape, " of the heat map:", heat_map.shape)
print(f"all relevance together: {heat_map.sum():.1f}; the logit: {logit:.1f}")

# %% [markdown]
# Every number of the picture has its share. To draw a map, we add up the three colours of a pixel.
# All shares together come close to the logit. Why they do not meet it exactly is a question for
# lesson 03.

# %%
outlines = {"horse": one.truth_horse.values[0]}
limit = plots.colour_limit(heat_map)
fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4))
plots.picture(left, picture[0], "what the network was given")
drawn = plots.heat_map(right, heat_map, f"where it looked: z = {logit:.1f}", masks=outlines)
for ax in (left, right):
    panel.mark(ax, row.value, column.value)  # where you looked
plots.heat_map_bar(
    fig, drawn, right, label=f"relevance per pixel, from -{limit:.2f} to {limit:.2f}"
)
plots.show(fig, "heat-map")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Red pixels speak for "horse", blue ones against it, and white ones received next to nothing. The
# deepest red lies along the horse's neck and back. The face, the legs and the tail, which most people
# would name, are paler. If you clicked, the white diamond shows where you looked.
#
# The green outline of the horse does not come from the network. A small simulated world put the
# picture together, so we know which pixels belong to the horse, and any heat map can be checked
# against the truth.
#
# </details>
#
# There is a trace of blue as well, mostly in the lower grey bar, where there is nothing to see. A
# heat map only suggests, so try it out. What does the network say to a picture that is grey all over?
# And what if we only paint the bars of this one lighter or darker?

# %% tags=["nbval-check-output"]
inside = one.truth_inside.values[..., None]  # not on the bars
tries = {"grey all over": np.full_like(picture, 0.5)}
for grey in (0.3, 0.5, 0.7):
    tries[f"bars of grey {grey}"] = np.where(inside, picture, np.float32(grey))
for name, changed in tries.items():
    print(f"{name}: logit {model.predict(changed, verbose=0)[0, 0]:.1f}")
bars = heat_map[~inside[0, ..., 0]].sum()
print(f"relevance on the bars, all together: {bars:.1f}")

# %% [markdown]
# A picture with nothing in it is "no horse" to this network. Some of that leaning is in every
# picture, and since LRP has to put it somewhere, a part of it ends up as blue on the bars. They do
# count a little: the logit falls as they become lighter. But it takes a big change of theirs to move
# it by less than one, out of nearly fourteen.
#
# ## How exercises work
#
# A cell with `...` waits for you. The cell below it checks your answer and says what may have gone
# wrong; it never stops the notebook. The folder `solutions` has solved versions of all lessons. When
# a text asks for a guess, make one before you run the cell. You will be wrong now and then, and you
# will remember those cases best.
#
# ### Exercise: the hottest pixel
#
# Which pixel has the largest relevance? Give its row and column, a tuple of two integers. `heat_map`
# has the shape (64, 64): (row, column). Once your answer is right, the check marks the pixel.
#
# <details><summary>Hint</summary>
#
# `heat_map.argmax()` gives a position in the flattened map. `np.unravel_index(position, shape)` turns
# it into a row and a column.
#
# </details>

# %% tags=["exercise"]
hottest = (..., ...)

# %% tags=["solution"]
hottest = np.unravel_index(heat_map.argmax(), heat_map.shape)

# %% tags=["check"]
check.hottest(hottest, heat_map, outlines["horse"], "hottest")

# %% [markdown]
# **Think.** Is that pixel on the horse? Would you expect it there, from how *you* recognise a horse?
#
# <details><summary>An answer</summary>
#
# It is on the horse, in the pale mane, two pixels from the much darker background. People find a
# horse by its head, its legs and the whole shape. A small network like this one learns to respond to
# edges, and a bright edge against a dark field is as good as any.
#
# </details>

# %% [markdown]
# ## What this course is
#
# The course rebuilds the lecture *Peering Inside the Black Box of Machine Learning for Earth Science,
# part 2* [@lecture]. Each claim of the lecture becomes an experiment with a known answer.
# [CLAIMS.md](../CLAIMS.md) collects the results, including those where a claim does not hold. Three
# thoughts of the lecture run through all lessons:
#
# - **Looking inside is a discovery, and you lead it.** It takes hypotheses, experiments and second
#   looks. Heat maps are one instrument among several. No method fits all questions, and perhaps none
#   ever will.
# - **What it can give you** is trust in a network that you understand, ideas for a better design,
#   perhaps with known physics built in, and now and then new science.
# - **Earth scientists stay in the loop**, since only they know whether a strategy makes sense.

# %% [markdown]
# ## Words used from here on
#
# | word | meaning |
# |---|---|
# | ANN, NN | (artificial) neural network |
# | CNN | convolutional neural network |
# | XAI | explainable AI: methods that help to see how a network comes to its answer |
# | heat map, attribution map | a number for each part of the input; what it means depends on the method |
# | relevance | the number in a heat map made by LRP |
# | LRP | layer-wise relevance propagation |
# | logit | the output before it is turned into a probability |
#
# [GLOSSARY.md](../GLOSSARY.md) has all words of the course, each with the lesson that explains it. To
# find an exercise again later, see [EXERCISES.md](../EXERCISES.md).

# %% [markdown]
# ## In this lesson you
#
# - met the question that a good score leaves open,
# - made a heat map of a trained network with two lines of iNNvestigate,
# - read its colours against a known outline, and checked the odd ones by changing the picture.
#
# Next: [01 Clever Hans](01_clever_hans.ipynb), where you look at many decisions of this network, and
# not at one.
#
# ## Quiz
#
# <details><summary>1. What does a blue pixel say?</summary>
#
# The method counts it *against* "horse", so blue is not the same as unimportant. Whether the logit
# would really rise without that pixel, only an experiment tells.
#
# </details>
#
# <details><summary>2. Does a heat map tell why networks see horses in general?</summary>
#
# No. It explains one decision of one network on one picture. Lesson 01 looks at hundreds at once.
#
# </details>

# %% [markdown]
# ## Claims
#
# Each lesson tests what somebody says, and records it on a card like the one below. It holds the
# sentence; who says so, which is a slide of the lecture, a paper, or *this course* where the
# expectation is ours; and what was measured, with its 95 % interval in brackets. Goals are always
# ours. The verdict is computed: a claim **holds** if the whole interval meets the goal, it **does not
# hold here** if no part of it does, and otherwise it is **undecided**. [CLAIMS.md](../CLAIMS.md) goes
# through the lecture slide by slide and says what came of each claim.
#
# This first one is about many pictures. *Density* is how many times denser positive relevance lies on
# the horse than if it were spread evenly over the picture; lesson 01 computes it. The code is folded
# away.

# %% tags=["claims"]
horses = data.isel(sample=np.nonzero(data.horse.values == 1)[0])
free = ~(horses.truth_has_tag | horses.truth_has_hurdle).values
maps = analyzer.analyze(horses.picture.values[free])
densities = skill.relevance_density(maps, horses.truth_horse.values[free])
claims.record(
    "start-horse-density",
    "The network detects mainly parts of horses.",
    "slide: Detecting horses – Strategy 1 of algorithm",
    "density of relevance on the horse, in pictures with little else (even spread: 1)",
    *skill.bootstrap(np.nanmean, densities),
    goal=">= 2",
)

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
