# %% [markdown]
# # 03 Layer-wise relevance propagation
#
# ![A picture of a horse, and its relevance in ever finer layers of a network](../pictures/layerwise_relevance.png)
#
# **Question:** how does LRP share out an answer, and why do its numbers sometimes not add up?
#
# **Objectives:** you can
# - compute LRP by hand, and write its rules in a few lines of NumPy,
# - read a ledger that says where relevance went,
# - choose a rule for each layer by the question you have,
# - say when LRP is the same as input times gradient, and what it cannot see.
#
# **Minutes:** 60 teaching (45 without section 11 and the appendix, which can wait), 45 exercises.
#
# **Prerequisites:** NumPy arrays, lesson 00 (necessary); lesson 01 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatLogSlider, FloatSlider, IntSlider
from scipy.ndimage import gaussian_filter

from utils import claims, course, lrp, networks, panels, plots, skill, worlds
from utils.check import layerwise_relevance as check
from utils.explain import explain
from utils.explain.attention import attention
from utils.panels import layerwise_relevance as panel
from utils.plots import river_gauge as gauge_plots
from utils.weights import load_weights
from utils.worlds import river_gauge

course.start("03_layerwise_relevance", seed=0)

# %% [markdown]
# The lecture describes layer-wise relevance propagation (LRP) in two passes. In the forward pass a sample goes through the
# network as always, and the values of each layer are kept. In the backward pass the output is handed down again, layer by
# layer, until it arrives at the input. What a unit holds on the way is called its **relevance** $R$, and a rule says how the
# unit shares its $R$ among the units below. This lesson builds the rules, starting with the smallest network there is.
#
# ## 1. Two inputs, two hidden units, one output
#
# Hidden units $h_j = \max(0, \sum_i a_i w_{ij})$, output $y = \sum_j h_j v_j$, for now without biases. The weights:
#
# $$w_{11} = 1, \quad w_{12} = 3, \quad w_{21} = 1, \quad w_{22} = -1, \quad v_1 = 2, \quad v_2 = -2$$
#
# Take paper and pencil, and compute $h_1$, $h_2$ and $y$ for $a = (1, 2)$. The figure below has the answer.

# %%
W = np.array([[1.0, 3.0], [1.0, -1.0]])  # W[i, j]: from input i to hidden unit j
v = np.array([2.0, -2.0])  # from hidden unit j to the output
a = np.array([1.0, 2.0])
h = np.maximum(0, a @ W)
y = h @ v
plots.show(panel.diagram(W, v, [*a, *h, y]), "network")

# %% [markdown]
# Now backwards. The output holds the relevance $R = y = 4$. Unit $h_1$ contributed $3 \cdot 2 = 6$ to it, and
# $h_2$ contributed $1 \cdot (-2) = -2$. The **z rule** hands relevance down in proportion to the contributions
# $z_{ij} = a_i w_{ij}$, from $i$ below to $j$ above [@bach2015]:
#
# $$R_i = \sum_j \frac{z_{ij}}{z_j} R_j, \qquad z_j = \sum_i z_{ij} + b_j \qquad \text{(here } b_j = 0\text{)}$$
#
# So $h_1$ gets 6, more than there is, and $h_2$ gets $-2$. Go on by hand: how much arrives at $a_1$, how much at $a_2$?
# Their sum should be 4 again.


# %% tags=["nbval-check-output"]
def z_step(a, w, b, R):
    """Relevance below a layer, by loops, as the formula has it."""
    R_below = np.zeros(len(a))
    for j in range(len(R)):
        z_j = sum(a[i] * w[i, j] for i in range(len(a))) + b[j]
        for i in range(len(a)):
            R_below[i] += a[i] * w[i, j] / z_j * R[j]
    return R_below


R_h = z_step(h, v[:, None], [0], [y])
R_a = z_step(a, W, [0, 0], R_h)
print("hidden units:", R_h, " inputs:", R_a, " sum:", R_a.sum())
plots.show(panel.diagram(W, v, [*a, *h, y], [*R_a, *R_h, y]), "network-relevance")

# %% [markdown]
# Each layer adds up to 4. The first input speaks against the output, although both its weights are positive: the
# larger one leads to $h_2$, which has a negative weight.
#
# > **The slide says** $z_{ij} = w_{ij} \cdot \text{activ}_j$, with the relevance handed from $j$ down to $i$. **The papers say**
# > $z_{ij} = a_i w_{ij}$: the activation is that of the *lower* unit [@bach2015], [@montavon2018]. Read literally, the slide's
# > $\text{activ}_j$ stands above and below the line and cancels. The shares would be those of the weights alone, whatever
# > the inputs are.
#
# ## 2. Where the denominator is small
#
# The rule divides by $z_j$, and $z_j$ may be small. Let $a_2$ grow from 1 towards 3. The contributions to $h_2$ are
# $3$ and $-a_2$, so $h_2 = 3 - a_2$ shrinks towards zero although neither of them does. The figure asks two questions about
# this. What do the inputs get for *each unit* of relevance that $h_2$ holds? And what do they really get *through* $h_2$,
# whose own relevance is $R_{h_2} = -2 h_2$? Guess what $a_1$ gets at $a_2 = 2.9$, by the z rule.

# %% tags=["guess"]
guess = {"a1, for each unit": None, "a1, through h2": None}

# %% tags=["figure"]
a_2 = np.linspace(1, 2.9, 100)
h_2 = 3 - a_2
fig, axes = plt.subplots(1, 2, figsize=(10, 3.5))
for number, contribution, colour in [(1, 3, plots.BLUE), (2, -a_2, plots.ORANGE)]:
    for epsilon, dashes in [(0, "-"), (0.5, "--")]:
        share = contribution / (h_2 + epsilon)
        name = f"a{number}, " + (f"epsilon = {epsilon}" if epsilon else "z rule")
        axes[0].plot(a_2, share, dashes, color=colour, label=name)
        axes[1].plot(a_2, share * -2 * h_2, dashes, color=colour)
titles = {"a1, for each unit": "for each unit of $R$ at h2", "a1, through h2": "through h2"}
for ax, (name, title) in zip(axes, titles.items(), strict=True):
    ax.axhline(0, color=plots.GREY, lw=0.8)
    ax.set(xlabel="$a_2$", ylabel="relevance handed down", title=title)
    plots.guess_marks(ax, {name: guess[name]}, {name: 2.9}, axis="y")
axes[0].legend(loc="upper left")
plots.show(fig, "shares")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# On the left the shares of the z rule run off, to 30 and $-29$ at the right end. They always add up to one, since two large
# contributions nearly cancel and the small remainder is handed down in large portions.
#
# On the right nothing dramatic happens. Through $h_2$, input $a_1$ gets $-6$ all the time, and $a_2$ rises from 2 to nearly 6. As $h_2$
# shrinks, its own relevance shrinks with it, and the small number cancels. Section 9 shows that this is
# no accident. It would do harm if $h_2$ held a relevance that does *not* shrink with it, and that happens when the
# layers above use another rule. With a relevance of $-1$ at the right end, the inputs would get $-30$ and $29$.
#
# </details>
#
# The **epsilon rule** adds a little to the denominator, away from zero [@bach2015]:
#
# $$R_i = \sum_j \frac{z_{ij}}{z_j + \epsilon \, \mathrm{sign}(z_j)} R_j, \qquad \mathrm{sign}(0) = 1$$
#
# In the figure (dashed) it keeps the shares small. It also mutes units with a small $z_j$, which hand down less than they
# got: at the right end the inputs get only about $-1$ and 1 through $h_2$. What $\epsilon$ takes is lost, and
# section 6 keeps a ledger of it.
#
# Without loops the rule has three lines. Call the quotient of $R_j$ and the denominator $s_j$: divide, send $s$ back through
# the weights, multiply by the inputs.


# %%
def epsilon_step(a, w, b, R, epsilon=1e-7):
    """Relevance below a layer: a (i,), w (i, j), b (j,), R (j,)."""
    z = a @ w + b
    s = R / (z + epsilon * np.where(z >= 0, 1, -1))
    return a * (w @ s)


def divide(R, z):
    """R / z, and 0 where z is 0 (for exercise 1)."""
    return np.divide(R, z, out=np.zeros_like(R, dtype=float), where=z != 0)


print("as before:", epsilon_step(a, W, [0, 0], R_h).round(3))
print("with epsilon = 0.5:", epsilon_step(a, W, [0, 0], R_h, epsilon=0.5).round(3))

# %% [markdown]
# ## 3. For and against: the alpha-beta rule
#
# The lecture's rule treats positive contributions $z_{ij}^+$ and negative ones $z_{ij}^-$ apart, and weighs them:
#
# $$R_i = \sum_j \left( \alpha \frac{z_{ij}^+}{z_j^+} - \beta \frac{z_{ij}^-}{z_j^-} \right) R_j, \qquad \alpha - \beta = 1$$
#
# $z_j^+$ is the sum of the positive contributions, $z_j^-$ that of the negative ones, so it is negative itself. Nothing
# cancels inside them, and each share lies between 0 and 1. With $\alpha = 1$, $\beta = 0$ only positive contributions count,
# and the whole map has the sign of the output; a larger $\alpha$ lets in what speaks against.
#
# Back to the small network, with $a = (1, 2)$. By the z rule, $a_1$ speaks against the output with $-4$. Take the pencil again:
# what will $a_1$ get by alpha 1 beta 0, and what by alpha 2 beta 1? (In the first step $z^+$ is 6 and
# $z^-$ is $-2$.)

# %% tags=["guess"]
guess = {"alpha 1 beta 0": None, "alpha 2 beta 1": None}

# %%
from tensorflow import keras

tiny = keras.Sequential([keras.Input((2,))])
tiny.add(keras.layers.Dense(2, "relu", use_bias=False, name="hidden"))
tiny.add(keras.layers.Dense(1, use_bias=False))
tiny.set_weights([W, v[:, None]])
three = {"z": "z", "alpha 1 beta 0": "alpha_1_beta_0", "alpha 2 beta 1": "alpha_2_beta_1"}
fig, axes = plt.subplots(1, 3, figsize=(12, 3.7))
for ax, (name, rule) in zip(axes, three.items(), strict=True):
    result = lrp.relevance(tiny, a[None], rule)
    R_a, R_h = result.input[0], result.layers["hidden"][0]
    panel.diagram(W, v, [*a, *h, y], [*R_a.round(2), *R_h, y], ax)
    you = plots.guess_text(guess, name)
    ax.set_title(f"{name}\na1 gets {R_a[0]:.2f}{you}, sum {R_a.sum():.0f}")
plots.show(fig, "three-rules")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The input and the network are the same, and yet $a_1$ changes from against to for: $-4$ by z, $1.33$ by alpha 1 beta 0.
# Alpha 1 beta 0 gives $h_2$ nothing, since $h_2$ speaks against the output, and with it the path from $a_1$ through $h_2$
# drops out. Its map answers "what supports the output?" and no more.
#
# With alpha 2 beta 1, $a_1$ is against again. But now the inputs add up to 12, three times the output. The unit $h_1$ has no
# negative contribution, so its beta part is empty, and it hands on twice what it received. With an alpha
# above 1 the rule keeps the sum only where every unit has contributions of both signs.
#
# </details>
#
# > **Two sign conventions.** Here, in [@montavon2018] and in iNNvestigate $\beta$ is subtracted: $\alpha - \beta = 1$, and
# > $\alpha = 2$ means $\beta = 1$. On the lecture's slide and in [@bach2015] it is added: $\alpha + \beta = 1$, and
# > $\alpha = 2$ means $\beta = -1$. The maps are the same. Check which convention a paper uses.
#
# > **And the bias?** In Bach's toolbox [@lapuschkin2016] the positive part of $b_j$ joins $z_j^+$, the negative part $z_j^-$,
# > and takes its share. Montavon and others leave
# > the bias out of the formula above [@montavon2018]. We do as Bach does, unless we say otherwise.
#
# ### Exercise 1: write the alpha-beta step
#
# Arguments as in `epsilon_step`, and `alpha`; beta follows from it. The bias takes part, split by sign.
# Inputs may be negative: then $a_i w_{ij}$ is positive where both are negative. Use `divide`, which gives 0
# where a unit has no contribution of that sign.
#
# <details><summary>Hint</summary>
#
# `z = a[:, None] * w` holds all $z_{ij}$, shape (i, j). `np.maximum(z, 0)` is $z^+$; its sum over axis 0 and
# `np.maximum(b, 0)` make $z_j^+$. For the sum over $j$: `z_plus @ s_plus`.
#
# </details>


# %% tags=["exercise"]
def alpha_beta_step(a, w, b, R, alpha):
    """Relevance below a layer: a (i,), w (i, j), b (j,), R (j,)."""
    return ...


# %% tags=["solution"]
def alpha_beta_step(a, w, b, R, alpha):
    """Relevance below a layer: a (i,), w (i, j), b (j,), R (j,)."""
    z = a[:, None] * w
    z_plus, z_minus = np.maximum(z, 0), np.minimum(z, 0)
    s_plus = divide(R, z_plus.sum(0) + np.maximum(b, 0))
    s_minus = divide(R, z_minus.sum(0) + np.minimum(b, 0))
    return alpha * z_plus @ s_plus - (alpha - 1) * z_minus @ s_minus


# %% tags=["check"]
check.alpha_beta_step(alpha_beta_step)

# %% [markdown]
# **Think.** A network gets anomalies of sea surface temperature; a cold patch ($a < 0$) meets a negative weight.
# Does it speak for or against the output? Should "cold" and "against" share a colour on your map?
#
# <details><summary>An answer</summary>
#
# It speaks for the output: a negative value times a negative weight is a positive contribution. So the
# sign of relevance is not the sign of the anomaly, and one colour for both would mix up what is there
# with what it does. Draw the anomaly as contours, or in other colours.
#
# </details>
#
# ## 4. Through a whole network, four times the same
#
# Now take three dense layers with biases. Our own LRP, `my_lrp`, is one loop forwards and one loop backwards; with
# `books=True` it prints what each layer received and passed on, which exercise 2 will need. We compare it with
# `utils.lrp`, the course's LRP for real networks, and with iNNvestigate, the library of the lecture. (The last three use an
# epsilon of $10^{-7}$, which only prevents a division by zero.)

# %%
small = keras.Sequential([keras.Input((6,))])
for n, activation in [(5, "relu"), (4, "relu"), (1, None)]:
    small.add(keras.layers.Dense(n, activation))
rng = np.random.default_rng(4)
small.set_weights([rng.normal(size=w.shape) for w in small.get_weights()])
x = rng.normal(size=6)


def my_lrp(x, step, books=False):
    """Relevance of the inputs x of the small network; books prints what each layer does."""
    weights = [layer.get_weights() for layer in small.layers]
    values = [x]
    for w, b in weights[:-1]:
        values.append(np.maximum(0, values[-1] @ w + b))
    w, b = weights[-1]
    R = values[-1] @ w + b
    for w, b in reversed(weights):
        received, R = R, step(values.pop(), w, b, R)
        if books:
            print(f"layer of {len(b)}: received {received.sum():.3f}, passed on {R.sum():.3f}")
    return R


# %% tags=["nbval-check-output"]
four = {
    "loops": my_lrp(x, z_step),
    "vectorised": my_lrp(x, epsilon_step),
    "utils.lrp": lrp.relevance(small, x[None], "epsilon").input[0],
    "iNNvestigate": explain(small, x[None], "lrp.epsilon")[0],
}
for name, R in four.items():
    print(f"{name:14}", "".join(f"{r:8.3f}" for r in R))

# %% [markdown]
# ## 5. From dense to convolution
#
# A convolution is also a dense layer, one in which most weights are zero and the others repeat. The next cell
# draws the weight matrix of a filter of three weights over eight points. So the same three lines work: divide, send $s$ back
# through the weights, multiply by the inputs. The way back, `w @ s`, is what TensorFlow computes for a gradient, without
# ever writing the matrix down. In this way `utils.lrp` handles every layer with weights. When you have finished this lesson,
# you can read [utils/lrp/propagate.py](../utils/lrp/propagate.py) from top to bottom, with a notebook open next to
# it; its first lines say what to type. `linear_step` divides, sends back and multiplies, and `forward` and
# `backward` are the two loops of `my_lrp`.

# %%
filter_ = np.array([-1.0, 2.0, 0.5])
w = sum(np.eye(8, k=1 - k) * filter_[k] for k in range(3))
fig, ax = plt.subplots(figsize=(3.6, 3.2))
ax.imshow(w, cmap="RdBu_r", vmin=-4, vmax=4)
for i, j in np.argwhere(w):
    ax.text(j, i, f"{w[i, j]:g}", ha="center", va="center", fontsize=9)
ax.set(xlabel="output $j$", ylabel="input $i$")
plots.show(fig, "matrix")

layer = keras.layers.Conv1D(1, 3, padding="same", use_bias=False)
convolution = keras.Sequential([keras.Input((8, 1)), layer])
layer.set_weights([filter_[:, None, None]])
signal = np.array([0.2, 1, 3, 2, 0.5, 1, 2, 1])
z = signal @ w
R = np.where(np.arange(8) == 3, z, 0)  # explain output 3
print("output 3 is", z[3])
print("matrix:   ", np.round(epsilon_step(signal, w, np.zeros(8), R), 3))
result = lrp.relevance(convolution, signal[None, :, None], "epsilon", output=3)
print("utils.lrp:", np.round(result.input[0, :, 0], 3))

# %% [markdown]
# Layers without weights have rules of their own. ReLU, Flatten and Dropout hand on what they get, max-pooling hands it to
# the largest value, and average pooling shares it in proportion to the values.
#
# Now the horse network of lessons 00 and 01. LRP gives a map in each of its layers (`result.layers`), not only at the
# input (`result.input`).

# %%
model = networks.clever_hans()
load_weights(model, "clever_hans")
data = worlds.open_world("clever_hans")
free = (data.horse == 1) & ~data.truth_has_tag & ~data.truth_has_hurdle
horses = data.isel(sample=np.nonzero(free.values)[0])
horses = horses.isel(sample=model.predict(horses.picture.values, verbose=0)[:, 0] > 0)
pictures = horses.picture.values

one = pictures[[4]]
result = lrp.relevance(model, one, "alpha_1_beta_0")
pooled = [maps for name, maps in result.layers.items() if "pooling" in name]
masks = {"horse": horses.truth_horse.values[4]}
fig, axes = plt.subplots(2, 3, figsize=(9, 6))
logit = result.ledger.received.iloc[0]
plots.picture(axes[0, 0], one[0], f"z = {logit:.1f}")
for ax, maps in zip(axes.flat[1:], [*pooled, result.input], strict=True):
    maps = maps[0].sum(-1)
    drawn = ax.imshow(maps, cmap="Reds", vmin=0, vmax=plots.colour_limit(maps))
    outline = masks if maps.shape == (64, 64) else None
    plots.frame(ax, f"{maps.shape[0]} x {maps.shape[1]}, sum {maps.sum():.1f}", outline)
bar = fig.colorbar(drawn, ax=axes, ticks=[], shrink=0.6)
bar.set_label("relevance, from zero up, scaled to each map")
plots.show(fig, "layers")

# %% [markdown]
# The map becomes finer from layer to layer. The coarsest says only roughly where the relevance is, and each layer below says
# it more exactly. At the input the deepest red lies along the belly and on the ground between the legs, where a dark edge meets
# a bright one. The faint red at the right border is no horse at all. There the convolutions meet the zeros that pad their
# input.
#
# ## 6. The ledger: where did the rest go?
#
# In lesson 00 the relevance did not quite add up to the logit. `lrp.relevance` also returns a **ledger**: for each layer the
# relevance that it received and passed on, what its bias took, what the stabiliser epsilon took, and what stayed
# unassigned, because nothing contributed. A bias takes $b_j / z_j \cdot R_j$.
#
# The next figure draws such ledgers as bars, from the last layer, `logit`, down to the first. Grey is what was passed on; the
# colours add up what was taken so far, and where that is negative the colour lies on the grey. The line marks the logit,
# which is 11.6 for the black horse. Which of three rules will bring most of it to the pixels? Guess the relevance that arrives
# there.

# %% tags=["guess"]
guess = {"z": None, "epsilon = 0.1": None, "alpha 1 beta 0": None}

# %%
tried = {"z": "z", "epsilon = 0.1": lrp.epsilon(0.1), "alpha 1 beta 0": "alpha_1_beta_0"}
fig, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for ax, (title, rule) in zip(axes, tried.items(), strict=True):
    panel.ledger_bars(ax, lrp.relevance(model, one, rule).ledger.loc[0], title)
    plots.guess_marks(ax, {title: guess[title]}, {title: ax.get_yticks()[-1]})  # the lowest layer
axes[0].invert_yaxis()
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
plots.show(fig, "ledgers")
print("per cent that arrives: lowest, quartiles, highest of 40")
reached = {}
for title, rule in tried.items():
    ledger = lrp.relevance(model, pictures, rule, layers=False).ledger.groupby("sample")
    reached[title] = 100 * (ledger.passed_on.last() / ledger.received.first()).values
    print(f"{title:15}", np.percentile(reached[title], [0, 25, 50, 75, 100]).round())
lrp.relevance(model, one, "z").ledger.loc[0].round(2)

# %% [markdown]
# <details><summary>What we saw</summary>
#
# - **z:** the biases take a part, most of it in the two lowest layers. Half of the forty pictures bring less than two
#   thirds of the logit to the pixels, and some bring less than nothing.
# - **epsilon = 0.1:** the stabiliser takes most of the logit. Epsilon has the unit of $z_j$, and in the lower layers of this
#   network most $z_j$ are small. A number copied from a paper means nothing without the scale of the network.
# - **alpha 1 beta 0:** nearly all of it arrives, since $z_j^+$ is large compared with the bias.
#
# </details>
#
# The table is the ledger of the z rule. In each row, `received` equals `passed_on` plus the last three columns. In the
# third convolution, `conv2d_2`, the bias takes a *negative* amount: it pulls the other way, the inputs have to make up for it,
# and the layer passes on more than it received.
#
# This also settles the small difference in lesson 00. Preset A mixes two rules. Epsilon took some relevance in the dense
# layers, biases gave some back in the convolutions, and the two nearly cancelled.
#
# ### Exercise 2: find the bug from the ledger
#
# A colleague wrote the rule $\alpha = 1$, $\beta = 0$, with the bias left out (`lrp.alpha_beta(1, bias=None)` in `utils.lrp`), so
# each layer should pass on all that it receives. The last line runs it through the small network of section 4. Run the cell,
# read what it prints, and fix the step.
#
# <details><summary>Hint</summary>
#
# The books of one layer do not close. What is different about the inputs of this layer? Print `x`.
#
# </details>


# %% tags=["exercise"]
def alpha_1_step(a, w, b, R):
    """Alpha 1, beta 0, the bias left out: a (i,), w (i, j), b (j,), R (j,)."""
    s = divide(R, np.maximum(a, 0) @ np.maximum(w, 0))
    return a * (np.maximum(w, 0) @ s)


R = my_lrp(x, alpha_1_step, books=True)


# %% tags=["solution"]
def alpha_1_step(a, w, b, R):
    """Alpha 1, beta 0, the bias left out: a (i,), w (i, j), b (j,), R (j,)."""
    z_plus = np.maximum(a[:, None] * w, 0)  # also where a and w are both negative
    return z_plus @ divide(R, z_plus.sum(0))


R = my_lrp(x, alpha_1_step, books=True)
# %% tags=["check"]
check.alpha_1_step(alpha_1_step)

# %% [markdown]
# **Think.** Standardised fields have negative values wherever it is colder or drier than usual. Which maps in a paper
# would this bug spoil, and would anybody notice without a ledger?
#
# <details><summary>An answer</summary>
#
# Every map by an alpha-beta rule of a network with such inputs. Cold and dry places would get relevance
# of the wrong sign, and what they contribute through negative weights would be missing. The layers above
# are safe, since ReLU leaves nothing negative for them. Nobody would see it: the map looks like any
# other, and only the sums give it away.
#
# </details>
#
# ## 7. Which rule in which layer?
#
# Rules may be mixed. Besides those you know, four are in use, and with them the rule for a layer can follow from what
# the layer is like. (One line each; the formulas are in [utils/lrp/rules.py](../utils/lrp/rules.py).)
#
# - **gamma** [@montavon2019]: the z rule with positive weights enlarged, $w_{ij} + \gamma w_{ij}^+$, so that what speaks
#   for the output counts more. It lies between z and alpha 1 beta 0.
# - **w square** [@montavon2017] shares by $w_{ij}^2$, and **flat** equally among all inputs, whatever their values. Both are
#   meant for the first layer.
# - **z box** [@montavon2017], also for the first layer, comes in section 8.
#
# Two mixtures are common. Kohlbrenner and others, and iNNvestigate's **preset A**, take epsilon in dense layers and alpha 1
# beta 0 in convolutions [@kohlbrenner2020; @alber2019]; *preset A, flat* takes flat in the first layer as well. The tutorial of
# Montavon and others takes z in the upper layers, epsilon in the middle, gamma below, and z box for the pixels [@montavon2019].
# In `utils.lrp` a dict chooses: its keys are names of layers, `"first"`, or classes, as in
# `{"first": "flat", "Conv2D": "alpha_1_beta_0", "Dense": lrp.epsilon(0.01)}`.
#
# Here is the black horse by seven choices.

# %%
choices = {
    "z": "z",
    "epsilon 0.01": lrp.epsilon(0.01),
    "gamma 0.25": lrp.gamma(0.25),
    "alpha 1 beta 0": "alpha_1_beta_0",
    "alpha 2 beta 1": "alpha_2_beta_1",
    "preset A": "preset_a",
    "preset A, flat": "preset_a_flat",
}
fig, axes = plt.subplots(2, 4, figsize=(10, 5.4))
plots.picture(axes[0, 0], one[0], f"the picture\nz = {logit:.1f}")
for ax, (title, rule) in zip(axes.flat[1:], choices.items(), strict=True):
    maps = lrp.relevance(model, one, rule).input[0].sum(-1)
    limit = plots.colour_limit(maps)
    title = f"{title}\nsum {maps.sum():.1f}, colours to ±{limit:.2f}"
    drawn = plots.heat_map(ax, maps, title, masks)
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "choices")
padding, sure = ~horses.truth_inside.values[..., None], model.predict(pictures, verbose=0)
print("mean change of 40 logits when the grey padding becomes")
for grey in (0.4, 0.5, 0.6, 0.7):
    change = model.predict(np.where(padding, grey, pictures), verbose=0) - sure
    print(f"{grey}: {change.mean():+.1f}")

# %% [markdown]
# In each map the strongest relevance lies below the belly and between the legs, and the rest depends on the rule. Z and epsilon
# set red and blue grains side by side, and alpha 2 beta 1 has fewer of the blue ones. Alpha 1 beta 0, which cannot be blue, is
# calm, and so are gamma and the presets. Some blue is left in the lower right corner of the presets. You may have met it in
# lesson 00, where it lay on the grey bars that pad a picture and where there is nothing to see. The printed lines say that the
# network does react to these bars: when they become brighter, the logit falls.
#
# **Think.** A critic doubts your result. Which of the maps would you show?
#
# <details><summary>An answer</summary>
#
# At least two, by rules that answer different questions, such as alpha 1 beta 0 (what supports the answer?) and epsilon or
# alpha 2 beta 1 (what speaks for it and what against?). Each with its rule, its sum and its scale. None of them is wrong, since
# each follows its rule, and a map without its rule is like a chart without its units. Then show an experiment, because
# the critic is right that a picture proves nothing.
#
# </details>
#
# ## 8. What do the rules say about inputs that are zero?
#
# Look down on a hurricane, in a toy of our own making. High cloud is cold, and we scale its brightness temperature so that 1
# is the coldest cloud and 0 is anything at 300 K or warmer, as for the radar network of lesson 07. A warm eye
# is then a hole of zeros. The network below finds eyes by a single filter, which compares a ring of cloud with
# its middle. We set the filter by hand, so we know that the eye decides, and the next cell makes sure: fill the eye with
# cloud, and the output is gone.
#
# **Predict:** by the epsilon rule, which share of the relevance will lie on the eye, in per cent?

# %% tags=["guess"]
guess = {"epsilon": None}


# %%
def hurricane(rng, size=32):
    """A spiral of cold cloud around a warm eye: the scene, and where its eye is."""
    row, column = rng.uniform(11, size - 11, 2)
    y, x = np.mgrid[:size, :size]
    r, angle = np.hypot(y - row, x - column), np.arctan2(y - row, x - column)
    arms = 0.5 + 0.5 * np.cos(2 * angle - 3.2 * np.log(r + 1) + rng.uniform(0, 6))
    cloud = 0.25 + 0.55 * np.exp(-((r / 5) ** 2)) + 0.6 * arms * np.exp(-r / 9) * (r > 3)
    cloud = cloud.clip(0, 0.9) + 0.02 * rng.standard_normal(r.shape)
    return np.where(r < 2, 0, cloud.clip(0, 1)), r < 2


rng = np.random.default_rng(0)
scenes, eyes = (np.array(some) for some in zip(*[hurricane(rng) for _ in range(200)], strict=True))
scenes = scenes[..., None]
y7, x7 = np.mgrid[-3:4, -3:4]
middle, around = np.hypot(y7, x7) < 2, abs(np.hypot(y7, x7) - 2.8) < 0.9
kernel = around / around.sum() - middle / middle.sum()
ring = keras.layers.Conv2D(1, 7, activation="relu")
eye_finder = keras.Sequential([keras.Input((32, 32, 1)), ring, keras.layers.GlobalMaxPooling2D()])
ring.set_weights([kernel[:, :, None, None], np.array([-0.4])])
filled = np.where(eyes[..., None], 0.8, scenes)
with_eye, without = (eye_finder.predict(some, verbose=0).mean() for some in (scenes, filled))
print(f"mean output with the eye {with_eye:.2f}, with the eye filled {without:.2f}")

# %%
first_rules = {"epsilon": "epsilon", "alpha 1 beta 0": "alpha_1_beta_0"}
first_rules |= {"z box, 0 to 1": lrp.z_box(0, 1), "flat": "flat"}
eye_maps = {n: lrp.relevance(eye_finder, scenes, r).input[..., 0] for n, r in first_rules.items()}
fig, axes = plt.subplots(1, 5, figsize=(12, 3.2))
score = eye_finder.predict(scenes[:1], verbose=0)[0, 0]
plots.picture(axes[0], scenes[0], f"scene\noutput {score:.2f}", {"eye": eyes[0]})
for ax, (name, maps) in zip(axes[1:], eye_maps.items(), strict=True):
    share = 100 * (abs(maps) * eyes).sum((1, 2)) / abs(maps).sum((1, 2))
    you = plots.guess_text(guess, name, " %")
    title = f"{name}\non the eye: {share.mean():.0f} %{you}"
    drawn = plots.heat_map(ax, maps[0], title, {"eye": eyes[0]})
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "eye")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# None of it lies on the eye, neither by epsilon nor by alpha-beta. A contribution is $a_i w_{ij}$, and zero times
# anything is zero, so these rules do not see inputs that are zero [@mamalakis2022aies]. That is harmless where a zero carries
# no information. It is misleading where zero means "warm", "no lightning" or "no anomaly" and the network makes use of it.
#
# </details>
#
# A rule for the first layer helps. The **z box** rule [@montavon2017] asks what an input contributed *compared with the worst
# it could have been* between $l$ and $h$:
#
# $$z_{ij} = a_i w_{ij} - l\, w_{ij}^+ - h\, w_{ij}^-, \qquad R_i = \sum_j \frac{z_{ij}}{\sum_i z_{ij}} R_j$$
#
# It puts most of the relevance on the eye. Flat also colours the eye, but it spreads relevance evenly over the 49 pixels of
# the filter, and the eye gets its share of the area. So flat shows where the first layer looks and nothing of what it
# found there.
#
# ### Exercise 3: choose rules for a question
#
# Give a rule for each question: a name, a rule such as `lrp.epsilon(0.01)`, or a dict of these. The check makes the maps
# and measures whether they can answer; for the eye it also asks a network that hardly uses it. There is more than one right
# answer.
#
# <details><summary>Hint</summary>
#
# Which rules let in what speaks against (section 3)? Which one sees zeros (section 8)? And what takes relevance away in the
# ledger (section 6)?
#
# </details>

# %% tags=["exercise"]
rules = {
    "what speaks against a horse?": ...,
    "does the eye count?": ...,
    "which shares add up to the logit, to 0.1 %?": ...,
}

# %% tags=["solution"]
rules = {
    "what speaks against a horse?": "alpha_2_beta_1",
    "does the eye count?": {"first": lrp.z_box(0, 1)},
    "which shares add up to the logit, to 0.1 %?": lrp.alpha_beta(1, bias=None),
}

# %% tags=["check"]
check.rules(rules, model, one, eye_finder, scenes[:1], eyes[:1])

# %% [markdown]
# **Think.** [Lesson 07](07_goes_to_mrms.ipynb) has a channel of lightning, zero in most places. Which question about "no lightning" could a map
# by alpha 1 beta 0 never answer? What would you do instead?
#
# <details><summary>An answer</summary>
#
# What the absence of lightning does: whether the network lowers its estimate because there is none. Zero
# times any weight is zero, so these pixels get no relevance, however much they count. Ask by experiment:
# put lightning there, and see how far the estimate moves.
#
# </details>
#
# ## 9. Is it back-propagation?
#
# LRP needs a new type of rule for its backward pass, says the lecture, and does not use the usual back-propagation. Let us
# compare. A **gradient** says how the logit would change with each pixel. **Input times gradient** multiplies it by the pixel's
# value [@shrikumar2016].

# %%
gradient = explain(model, one, "gradient")
backward = {
    "gradient": gradient,
    "input x gradient": one * gradient,
    "LRP, z": lrp.relevance(model, one, "z").input,
    "LRP, alpha 1 beta 0": lrp.relevance(model, one, "alpha_1_beta_0").input,
}
fig, axes = plt.subplots(1, 5, figsize=(12, 3))
plots.picture(axes[0], one[0], f"the picture\nz = {logit:.1f}")
for ax, (title, maps) in zip(axes[1:], backward.items(), strict=True):
    limit = plots.colour_limit(maps.sum(-1))
    drawn = plots.heat_map(ax, maps[0], f"{title}\ncolours to ±{limit:.2f}", masks)
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "backwards")
apart = abs(backward["LRP, z"] - backward["input x gradient"]).max()
largest = abs(backward["LRP, z"]).max()
print(f"largest difference, over the largest value: {apart / largest:.0e}")

# %% [markdown]
# The second and the third map are the same, down to rounding [@shrikumar2016; @ancona2018]. Put the z rule's layers together, and $z_j$
# cancels: in a ReLU network $R_j$ is always $z_j$ times the gradient at unit $j$. That is the flat line of section 2, where
# $R_{h_2}$ shrank with $h_2$. It also tells why maps by z are grainy. The reason is not small denominators, which
# cancel, but the gradient itself, which jumps from pixel to pixel. (With biases the two maps stay equal, and both add up to
# something else than the logit, as section 6 measured.)
#
# So all rules use the machinery of back-propagation, and **the z rule is input times gradient**. The other rules change
# weights and denominators on the way, and therefore answer another question.
#
# ## 10. Try it, and ask whether the blue is right
#
# The panel has an alpha for the convolutions of the horse network and an epsilon for its dense layers. Raise alpha, and watch
# the sums of red and blue. Raise epsilon: how much is left at 10?
#
# The cell after the panel measures three things over 40 pictures, with alpha-beta in all layers: the share of relevance that
# is negative; how smooth the maps are, by the correlation of neighbouring pixels; and whether the blue is *right*. For this
# it takes the square of 8 x 8 pixels with the most negative sum, blurs that square, and looks at the logit. If the
# square spoke against a horse, the logit should rise. Blurring any square makes it rise in some pictures (dotted). Guess all
# three for alpha 2: two in per cent, the correlation from 0 to 1.

# %% tags=["guess"]
guess = {"negative share, %": None, "correlation of neighbours": None, "blue is right, %": None}

# %%
draw = panel.prepare(model, pictures)
panels.panel(
    draw,
    "panel",
    number=IntSlider(4, 0, len(pictures) - 1, description="picture"),
    alpha=FloatSlider(1.5, min=1, max=3, step=0.1, description="alpha"),
    epsilon=FloatLogSlider(0.01, min=-4, max=1, step=0.25, description="epsilon"),
)

# %%
blurred = gaussian_filter(pictures, (0, 3, 3, 0))
squares = np.kron(np.eye(64).reshape(64, 8, 8), np.ones((8, 8)))[..., None] > 0
within = horses.truth_inside.values.reshape(-1, 8, 8, 8, 8).all((2, 4)).reshape(-1, 64)


def rises(chosen):
    """Per cent of pictures whose logit rises when their chosen square is blurred."""
    some = model.predict(np.where(squares[chosen], blurred, pictures), verbose=0)[:, 0]
    return 100 * (some > sure[:, 0])


rng = np.random.default_rng(0)
lots = [[rng.choice(np.nonzero(places)[0]) for places in within] for _ in range(10)]
any_square = np.mean([rises(chosen) for chosen in lots])
measured = {title: {} for title in guess}
negative, smooth, right = measured.values()
for rule in ["z", 1, 1.5, 2, 2.5, 3]:
    by_rule = rule if rule == "z" else lrp.alpha_beta(rule)
    maps = lrp.relevance(model, pictures, by_rule, layers=False).input.sum(-1)
    negative[rule] = -100 * maps.clip(max=0).sum((1, 2)) / abs(maps).sum((1, 2))
    smooth[rule] = [np.corrcoef(m[:, 1:].ravel(), m[:, :-1].ravel())[0, 1] for m in maps]
    sums = maps.reshape(-1, 8, 8, 8, 8).sum((2, 4)).reshape(-1, 64)
    if rule != 1:  # which has no blue
        right[rule] = rises(np.where(within, sums, np.inf).argmin(1))
plots.show(panel.by_alpha(measured, any_square, guess), "alphas")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Alpha does control how much "against" a map shows, but not in proportion: soon for and against nearly cancel, and the
# map becomes grainy. The blue is most often right around alpha 2, in nine pictures of ten. Below that there is little of
# it, and at alpha 3, as by the z rule, the bluest square is not clearly better than any other. (Look at the sums in the panel at
# alpha 3: large red, large blue, and a small logit between them.) A square of 8 x 8 pixels and a blur are only one way to
# ask, so ask your own network in its own way.
#
# </details>
#
# ## 11. Beyond convolutions: a case with a known answer
#
# LRP's biggest limitation, says the lecture of 2020, is that implementations exist for simple architectures only. How far is
# that gone? A *recurrent* layer such as the LSTM reads a series step by step, and *attention* lets all steps of a series look at
# each other. They need two new rules. Where a **gate**, a number between 0 and 1, multiplies a signal, the signal takes all the
# relevance [@arras2017; @arras2019]. And the **attention weights**, like the deviation that a layer normalisation divides by,
# count as constants [@ali2022]. (A later method has rules of its own for attention [@achtibat2024], and it is not in `utils.lrp`.)
# Everything else is a sum, shared as in section 1.
#
# That a rule can be computed does not make its answer right, so here is a case where we know the answer. A small, steep
# catchment drains within a day. The gauge at its outlet records the highest discharge of sixty winter days, and that is in
# proportion to the rain of a single day. On days below zero snow falls instead, stays on the hills, and never reaches
# the river. So **one day decides**: the wettest of those above zero.
#
# An LSTM and a network with attention have learned to estimate the peak from temperature and precipitation. The next cell
# asks how well they do. The one after it draws three seasons, and below them the relevance of each day by several
# methods.
#
# **Predict:** how much of the relevance will lie on the decisive day, and by which method most of it? Will attention weights do
# better than LRP? Give shares in per cent. The last table shows your guesses at the end of its lines.

# %% tags=["guess"]
guess = {"input x gradient": None, "LRP, epsilon": None, "attention weights": None}

# %%
seasons = river_gauge.simulate(100, worlds.CLAIMS)
days, decisive = river_gauge.as_input(seasons), seasons.truth_day.values
peak, rain = seasons.peak.values, seasons.truth_rain.values.sum(1)
gauges = {"LSTM": networks.gauge_lstm(), "attention": networks.gauge_attention()}
estimates = {"best straight line, total rain": np.polyval(np.polyfit(rain, peak, 1), rain)}
for name, network in gauges.items():
    load_weights(network, f"gauge_{name.lower()}")
    estimates[name] = network.predict(days, verbose=0)[:, 0]
print("variance of the peak explained by")
for name, estimate in estimates.items():
    print(f"{name:32}{100 * (1 - np.var(estimate - peak) / np.var(peak)):.0f} %")
wettest = seasons.precipitation.values.argmax(1)
print(f"seasons whose wettest day is snow: {100 * np.mean(wettest != decisive):.0f} %")


# %%
def by_day(network, days):
    """Relevance of each day by several methods, shape (sample, day)."""
    slope = explain(network, days, "gradient")
    maps = {
        "gradient": slope,
        "input x gradient": days * slope,
        "integrated gradients": explain(network, days, "integrated_gradients", steps=32),
        "LRP, epsilon": lrp.relevance(network, days, "epsilon", layers=False).input,
    }
    maps = {method: values.sum(-1) for method, values in maps.items()}
    if network.name == "gauge_attention":  # what a day gets from all days, by both heads
        maps["attention weights"] = attention(network, days, "attention").mean((1, 2))
    dry = days * (1 - np.eye(60)[:, None, :, None] * [1, 0])  # each day's precipitation in turn
    dried = network.predict(dry.reshape(-1, 60, 2), batch_size=1000, verbose=0).reshape(60, -1)
    return maps | {"dry the day, and see": network.predict(days, verbose=0) - dried.T}


found = {name: by_day(network, days) for name, network in gauges.items()}
plots.show(gauge_plots.seasons(seasons, estimates, found, [4, 2, 30]), "seasons")

# %%
print(f"per cent on the decisive day: spread evenly {100 / 60:.1f}, precipitation", end=" ")
print(f"{100 * skill.step_share(days[..., 0], decisive).mean():.0f}")
shares = {}
for name, network in gauges.items():
    with_weights = [layer.name for layer in network.layers if layer.weights]
    network.set_weights(networks.shuffled(network, with_weights).get_weights())
    random = by_day(network, days[:40])
    print(f"\n{name:24}share of relevance  strongest day  share, weights shuffled")
    for method, values in found[name].items():
        shares[name, method] = 100 * skill.step_share(values, decisive)
        share, (low, high) = skill.bootstrap(np.mean, shares[name, method])
        hits = 100 * np.mean(abs(values).argmax(1) == decisive)
        chance = 100 * skill.step_share(random[method], decisive[:40]).mean()
        you = plots.guess_text(guess, method, " %")
        print(f"{method:24}{share:6.0f} ({low:.0f} to {high:.0f}){hits:16.0f}{chance:16.0f}{you}")

# %% [markdown]
# Start with the last line of each table, which needs no method: dry one day after the other, and see by how much the
# estimate changes. It says how much of its answer the *network* takes from the decisive day. That is not all of it, since
# the networks are good and not perfect. A map that is true to the network should come near this number.
#
# <details><summary>What we saw</summary>
#
# - With shuffled weights (forty seasons) the maps have little more than chance on the decisive day. (Drying has more, because that day has
#   the most water to take away.) So what the maps of the trained networks show was learned.
# - **Input times gradient** comes nearest to the last line in both networks. **LRP** has the most relevance on the right day
#   in nearly all seasons, but spreads much of it over days that do not matter. A likely reason is the rules themselves: here
#   gates and attention weights choose the day, and they get no relevance. The authors of the rule for attention report that it
#   overcomes what is wrong with gradients in Transformers [@ali2022]. In this small network that does not come out.
# - **Integrated gradients** compare each season with a baseline, here a dry one at exactly 0 °C throughout, where rain turns to
#   snow. The networks have never seen such a winter.
# - The largest **attention weight** is nearly always that of the right day, and yet most of the attention goes elsewhere.
#   Attention weights say how values are mixed in one layer, and a residual connection goes past it. Do not take them for an
#   explanation [@jain2019].
# - In the third season the LSTM takes snow at little below zero for rain, and its maps show the mistake.
#
# </details>
#
# **Think.** Put a baseline of 1 °C into `by_day`, `reference_inputs=np.tile([0, 0.1], (60, 1))`, then `"alpha_1_beta_0"` for the
# epsilon rule (which takes some ten seconds more). Which of these maps would you have believed without knowing the truth?
#
# <details><summary>An answer</summary>
#
# With the warmer baseline integrated gradients put far more on the decisive day in the network with attention, and hardly
# more in the LSTM. Alpha 1 beta 0 leaves little there. Each of these maps looks tidy by itself. So argue for your
# rule and your baseline before you see the map, and dry a few days to see whether it was right.
#
# </details>

# %% [markdown]
# ## Appendix: the same numbers as the library?
#
# A rule is only a formula, and two programs may differ. Here are a few settings on two pictures, and one on a U-Net (a
# network that shrinks the maps and enlarges them again, an *encoder-decoder*, with *skip connections* that hand the early
# maps to the late layers). Printed is the largest difference between ours and iNNvestigate's, over the largest relevance.
# Single precision carries seven digits, so rounding alone may give a few times $10^{-6}$.


# %%
def difference(network, x, rule, method, output=None):
    """Largest difference between ours and the library's, over the largest relevance."""
    own = {"bias": "whole"} if method == "lrp.alpha_1_beta_0" else {}
    theirs = explain(network, x, method, output, **own)  # its own way with biases
    ours = lrp.relevance(network, x, rule, output, layers=False).input
    return abs(ours - theirs).max() / abs(theirs).max()


pairs = {
    "epsilon": ("epsilon", "lrp.epsilon"),
    "flat": ("flat", "lrp.flat"),
    "alpha 1, by the formula": ("alpha_1_beta_0", "lrp.alpha_1_beta_0"),
    "alpha 1, whole bias": (lrp.alpha_beta(1, bias="whole"), "lrp.alpha_1_beta_0"),
}
for name, pair in pairs.items():
    print(f"{name:24} {difference(model, pictures[:2], *pair):.0e}")
unet, maps = (
    networks.encoder_decoder(size=32, skip=True),
    np.random.default_rng(0).random((1, 32, 32, 4)),
)
error = difference(unet, np.float32(maps), "epsilon", "lrp.epsilon", output=(16, 16))
print(f"{'epsilon, U-Net':24} {error:.0e}")
for bias in ("split", "whole", None):
    total = lrp.relevance(small, x[None], lrp.alpha_beta(2, bias=bias)).input.sum()
    print(f"alpha 2 in the small network, bias {bias or 'left out'}: sum of relevance {total:.1f}")

# %% [markdown]
# All agree but one, alpha-beta as the formula has it. The reason is a line in the library, which adds the *whole*
# bias to both denominators, $z_j^+ + b_j$ and $z_j^- + b_j$, where the formula splits it by sign. Ours does the same with
# `bias="whole"`, and then it agrees. `explain`, our door to the library, mends that line and splits the bias unless you
# ask for the library's own way, as we did here. With the whole bias a denominator may come close to zero, or change its sign.
# The last three lines show what that does in the small network of section 4.
#
# Which networks can be explained at all has changed since 2020:
#
# | network | iNNvestigate 2.1.2 | `utils.lrp` |
# |---|---|---|
# | dense layers, plain CNN | yes | yes |
# | encoder-decoder, U-Net with skip connections | yes, with a flattened output | yes |
# | depthwise convolution | no | yes |
# | batch normalisation | yes, but its variance is squared | yes, folded into the layer before |
# | activations inside other than ReLU | yes, by most rules | yes |
# | recurrent layers, layer normalisation, attention | no | yes |
#
# ## In this lesson you
#
# - computed LRP by hand, and wrote its rules in NumPy,
# - saw one input change from against to for by the choice of the rule,
# - corrected an index, and told two sign conventions apart,
# - followed relevance in a ledger, and used it to find a bug,
# - chose rules for layers and questions, and saw what some of them cannot see,
# - measured where the blue of a map is right,
# - compared LRP through an LSTM and through attention with a known cause.
#
# Next: [04 iNNvestigate](04_innvestigate.ipynb), a tour of the toolbox.
#
# ## Quiz
#
# <details><summary>1. A paper uses alpha 2 and beta -1. What is that here?</summary>
#
# Alpha 2, beta 1. There beta is added, here it is subtracted. (Not alpha 2, beta -1: then alpha - beta is 3.)
#
# </details>
#
# <details><summary>2. Relevance adds up to 60 % of the logit. Is the map wrong?</summary>
#
# Not for that reason. Look at the ledger: biases or epsilon may have taken the rest, or it stayed unassigned. If the ledger does
# not close, there is a bug.
#
# </details>
#
# <details><summary>3. A pixel has relevance 0. Does the network ignore it?</summary>
#
# You cannot tell. Its value may be exactly zero, and then z, epsilon and alpha-beta give 0 whatever the network does. Or for and
# against cancel. Change the pixel and see.
#
# </details>
#
# <details><summary>4. Your map by the z rule is grainy. Would a gradient be better?</summary>
#
# Times the input it is the same map, grain and all. Alpha 1 beta 0, gamma, or a large enough epsilon give calmer maps, and
# each of them answers another question.
#
# </details>
#
# ## Claims
#
# On forty pictures, on toy scenes and on a hundred seasons of the gauge. Goals are ours; [lesson 00](00_start_here.ipynb) says
# how to read the cards.


# %% tags=["claims"]
def record(id, sentence, source, text, values, goal, unit="", negative=False):
    value, interval = skill.bootstrap(np.mean, values)
    claims.record(f"lrp-{id}", sentence, source, text, value, interval, goal, unit, negative)


record(
    "alpha-1",
    "The choice alpha = 1, beta = 0 gives only positive attribution.",
    "slide: The αβ-rule for LRP",
    "negative share of relevance",
    negative[1],
    "<= 0",
    "%",
)
record(
    "alpha-2",
    "Alpha allows manual control of positive versus negative attribution.",
    "slide: The αβ-rule for LRP",
    "growth of the negative share from alpha 1 to alpha 2",
    negative[2] - negative[1],
    ">= 10",
    "points",
)
slope = pictures * explain(model, pictures, "gradient")
result = lrp.relevance(model, pictures, "alpha_1_beta_0", layers=False)
pairs = zip(result.input, slope, strict=True)
record(
    "gradient",
    "LRP does not use the usual back propagation.",
    "slide: Relevance propagation for LRP",
    "correlation of LRP, alpha 1 beta 0, with input times gradient",
    [np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] for ours, theirs in pairs],
    "<= 0.9",
    negative=True,
)
claims.record(
    "lrp-sum",
    "Relevance adds up to the output, biases or not.",
    "this course",
    "share of the logit that reaches the pixels, z rule, median picture",
    *skill.bootstrap(np.median, reached["z"]),
    ">= 99",
    "%",
)
blind = abs(eye_maps["epsilon"])
record(
    "zero",
    "LRP does not see an input that is zero.",
    "mamalakis2022aies",
    "share of relevance on an eye of zeros that decides, epsilon rule",
    100 * (blind * eyes).sum((1, 2)) / blind.sum((1, 2)),
    "<= 0",
    "%",
    negative=True,
)
record(
    "gauge-lstm",
    "LRP can be extended to LSTMs.",
    "arras2017",
    "cases in which the decisive day has the most relevance",
    100 * (abs(found["LSTM"]["LRP, epsilon"]).argmax(1) == decisive),
    ">= 90",
    "%",
)
record(
    "gauge-attention",
    "LRP with fixed attention weights explains better than input times gradient.",
    "ali2022",
    "share on the decisive day, LRP minus input times gradient",
    shares["attention", "LRP, epsilon"] - shares["attention", "input x gradient"],
    ">= 0",
    "points",
)

# %% [markdown]
# ## References
#
# - [@bach2015]: LRP; the z, epsilon and alpha-beta rules
# - [@arras2017], [@arras2019]: LRP for LSTMs
# - [@ali2022], [@achtibat2024]: LRP for attention and layer normalisation
# - [@jain2019]: what attention weights do not explain
# - [@montavon2018]: LRP and its rules, a tutorial
# - [@montavon2017]: deep Taylor decomposition; the w² and z box rules
# - [@montavon2019], [@kohlbrenner2020]: which rule for which layer
# - [@lapuschkin2016]: Bach's toolbox
# - [@alber2019]: iNNvestigate and its presets
# - [@mamalakis2022aies]: methods that do not see zeros
# - [@shrikumar2016], [@ancona2018]: input times gradient, and LRP
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
