# %% [markdown]
# # 00 Start here
#
# ![A picture of a horse and the heat map of a network that found it](../pictures/first_heat_map.png)
#
# **Question:** where does a trained network look?
#
# **Objectives:** you can make a heat map with iNNvestigate (a toolbox of such methods), read its colours, and answer an
# exercise of this course.
#
# **Minutes:** 10 teaching, 10 exercises.
#
# **Prerequisites:** NumPy arrays (necessary), the idea of a convolutional network (helpful).
#
# **Needs:** 1 GB of memory, no network connection, no GPU.

# %%
import matplotlib.pyplot as plt
import numpy as np

from utils import claims, course, environment, networks, plots, skill, worlds
from utils.check import start_here as check
from utils.weights import load_weights

course.start("00_start_here", seed=0)
environment.report()

# %% [markdown]
# Every lesson opens with `course.start`. It fixes the random seed, and it puts TensorFlow into the
# graph mode that iNNvestigate needs. (Lesson 05 says what that is; you need not know it before.) If a line
# above says FAIL, its cure stands beside it.
#
# ## A first heat map
#
# Lesson 01 trains a small network to answer one question: *is there a horse in this picture?*
# Here you only load it. Its single output is the **logit** $z$: positive means "horse", and
# $1 / (1 + e^{-z})$ is the probability.

# %% tags=["nbval-check-output"]
model = networks.clever_hans()
load_weights(model, "clever_hans")

data = worlds.open_world("clever_hans")
one = data.isel(sample=[50])
picture = one.picture.values
logit = model.predict(picture, verbose=0)[0, 0]
print("shape of the input:", picture.shape)
print(f"logit: {logit:.1f}")

# %%
fig, ax = plt.subplots(figsize=(3, 3))
plots.picture(ax, picture[0])
plots.show(fig, "picture")

# %% [markdown]
# The network says "horse", and it is right. (The grey bars fill up pictures that are not square.) What
# in the picture made it say so? Make up your mind where *you* looked, then run the next cell. It asks
# the same of the network, with **layer-wise relevance propagation (LRP)**: the logit is handed back
# from layer to layer until it is shared out among the pixels. LRP has several rules for the sharing;
# `lrp.sequential_preset_a` is a common mixture of them, and lesson 03 takes it apart.

# %% tags=["nbval-check-output"]
import innvestigate

analyzer = innvestigate.create_analyzer("lrp.sequential_preset_a", model)
relevance = analyzer.analyze(picture)
heat_map = relevance[0].sum(axis=-1)  # red, green and blue together
print("shape of the relevance:", relevance.shape, " of the heat map:", heat_map.shape)
print(f"all relevance together: {heat_map.sum():.1f}; the logit: {logit:.1f}")

# %% [markdown]
# The relevance has the shape of the input: each number of the picture has a share, and the shares add
# up to the logit, but for a small rest that lesson 03 explains. For the eye, the three colour channels
# are added up.

# %%
outlines = {"horse": one.truth_horse[0], "rider": one.truth_rider[0]}
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.2))
plots.picture(left, picture[0], "what the network was given")
drawn = plots.heat_map(right, heat_map, "where it looked", masks=outlines, explained=logit)
plots.heat_map_bar(fig, drawn, right)
plots.show(fig, "heat-map")

# %% [markdown]
# Red speaks for "horse", blue against it, white is neutral. Some blue lies where nothing is to be seen:
# keep that in mind. The outlines, green for the horse and light blue for the rider, are not the
# network's. The picture was put together by a small simulated world, so the truth is known and each heat
# map can be checked.
#
# ## How exercises work
#
# A cell with `...` waits for you. The cell below it checks your answer, and says what may have gone
# wrong; it never stops the notebook. Solved versions of all lessons are in the folder `solutions`.
# Where a text asks for a guess, make one before you run the cell. You will be wrong now and then;
# that is when you learn something. If the guess is a number, there is a cell for it: write it in place of
# `None`, and the figure shows it beside what came out. What we saw is folded below the figure, and so are
# cells that only draw: click on them.
#
# ### Exercise: the hottest pixel
#
# Which pixel has the largest relevance? Give its row and column, a tuple of two integers.
# `heat_map` has the shape (64, 64): (row, column).
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
check.hottest(hottest, heat_map)

# %% [markdown]
# **Think.** Is that pixel on the horse? Would you expect it there, from how *you* recognise a horse?
#
# <details><summary>An answer</summary>
#
# It is on the horse, though only just: it lies where the white coat ends and the rider's dark boot
# begins. People find a horse by its head, its legs and the whole shape. A small network like this one has
# learned to look for edges, and a bright edge beside a dark one is as good as any.
#
# </details>

# %% [markdown]
# ## What this course is
#
# The course rebuilds the lecture *Peering Inside the Black Box of Machine Learning for Earth Science, part 2*
# [@lecture]. Each claim of the lecture becomes an experiment; the results, also where a claim does not
# hold, are collected in [CLAIMS.md](../CLAIMS.md). Three thoughts of the lecture to take along:
#
# - **Looking inside is a discovery, and you lead it.** It takes hypotheses, experiments and second
#   looks. Heat maps are one more instrument; none of them fits all questions.
# - **What it can give you:** trust in a network you understand, ideas for a better design, and now and
#   then new science.
# - **Earth scientists stay in the loop:** only they know whether a strategy makes sense.
#
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
# [GLOSSARY.md](../GLOSSARY.md) has all words of the course, and the lesson that explains each. In
# [EXERCISES.md](../EXERCISES.md) you find an exercise again.

# %% [markdown]
# ## In this lesson you
#
# - made a heat map of a trained network with two lines of iNNvestigate,
# - read its colours against a known outline,
# - answered an exercise and had it checked.
#
# Next: [01 Clever Hans](01_clever_hans.ipynb), where the same network turns out to have a secret.
#
# ## Quiz
#
# <details><summary>1. What does a blue pixel say?</summary>
#
# It speaks *against* "horse": its part in the sharing out is negative. So it is not an unimportant
# pixel. Whether the logit would rise without it, only an experiment tells: see lesson 01.
#
# </details>
#
# <details><summary>2. Does a heat map tell why networks see horses in general?</summary>
#
# No. It explains one decision for one picture. Lesson 01 looks at hundreds at once.
#
# </details>
#
# ## Claims
#
# Each lesson tests what somebody says, and records it like this: the sentence; who says so, which is a slide of
# the lecture, a paper, or *this course* where the expectation is ours; and what was measured. *Density* is how
# many times denser positive relevance lies on the horse than if it were spread evenly; lesson 01 computes it.
# In brackets stands the 95 % interval. Goals are always ours. The verdict is computed: a claim **holds** if the
# whole interval meets the goal, it **does not hold here** if no part of it does, and otherwise it is
# **undecided**. [CLAIMS.md](../CLAIMS.md) goes through the lecture slide by slide and says what came of each
# claim. The code that records claims is folded away: click on the three dots to see it.

# %% tags=["claims"]
horses = data.isel(sample=np.nonzero(data.horse.values == 1)[0])
free = ~(horses.truth_has_tag | horses.truth_has_hurdle).values
maps = analyzer.analyze(horses.picture.values[free])
densities = skill.relevance_density(maps, horses.truth_horse.values[free])
claims.record(
    "start-horse-density",
    "The network detects mainly parts of horses.",
    "slide: Detecting horses – Strategy 1 of algorithm",
    "density of relevance on a horse in the open (even spread: 1)",
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
