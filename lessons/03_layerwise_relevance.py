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
# - say how LRP is related to the gradient, and what it cannot see.
#
# **Minutes:** 70 teaching (60 without the appendices, which can wait), 35 exercises.
#
# **Prerequisites:** NumPy arrays, lesson 00 (necessary); lesson 01 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatLogSlider, FloatSlider, IntSlider
from scipy.ndimage import binary_erosion

from utils import claims, course, lrp, networks, panels, plots, skill, worlds
from utils.check import layerwise_relevance as check
from utils.explain import explain
from utils.explain.attention import attention
from utils.panels import layerwise_relevance as panel
from utils.plots import river_gauge as gauge_plots
from utils.weights import load_weights
from utils.worlds import clever_hans, river_gauge

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
# $h_2$ contributed $1 \cdot (-2) = -2$. The plainest rule hands relevance down in proportion to the contributions
# $z_{ij} = a_i w_{ij}$, from $i$ below to $j$ above [@bach2015]. It is called **LRP-0**; the lecture calls it the z rule, and so
# does `utils.lrp`.
#
# $$R_i = \sum_j \frac{z_{ij}}{z_j} R_j, \qquad z_j = \sum_i z_{ij} + b_j \qquad \text{(here } b_j = 0\text{)}$$
#
# So $h_1$ gets 6, more than there is, and $h_2$ gets $-2$. Go on by hand: how much arrives at $a_1$, how much at $a_2$?
# Their sum should be 4 again.


# %% tags=["nbval-check-output"]
def lrp_0_step(a, w, b, R):
    """Relevance below a layer, by loops, as the formula has it."""
    R_below = np.zeros(len(a))
    for j in range(len(R)):
        z_j = sum(a[i] * w[i, j] for i in range(len(a))) + b[j]
        for i in range(len(a)):
            R_below[i] += a[i] * w[i, j] / z_j * R[j]
    return R_below


R_h = lrp_0_step(h, v[:, None], [0], [y])
R_a = lrp_0_step(a, W, [0, 0], R_h)
print("hidden units:", R_h, " inputs:", R_a, " sum:", R_a.sum())
plots.show(panel.diagram(W, v, [*a, *h, y], [*R_a, *R_h, y]), "network-relevance")

# %% [markdown]
# Each layer adds up to 4. The first input speaks against the output, although both its weights are positive: the
# larger one leads to $h_2$, which has a negative weight.
#
# > **The slide says** $z_{ij} = w_{ij} \cdot \text{activ}_j$, with the relevance handed from $j$ down to $i$. **The papers say**
# > $z_{ij} = a_i w_{ij}$: the activation is that of the *lower* unit [@bach2015], [@montavon2018]. Read literally, the slide's
# > $\text{activ}_j$ appears in numerator and denominator and cancels. The shares would be those of the weights alone, whatever
# > the inputs are.
#
# ## 2. Where the denominator is small
#
# The rule divides by $z_j$, and $z_j$ may be small. Let $a_2$ grow from 1 towards 3. The contributions to $h_2$ are
# $3$ and $-a_2$, so $h_2 = 3 - a_2$ shrinks towards zero although neither of them does. The figure asks two questions about
# this. What do the inputs get for *each unit* of relevance that $h_2$ holds? And what do they really get *through* $h_2$,
# whose own relevance is $R_{h_2} = -2 h_2$? Guess what $a_1$ gets at $a_2 = 2.9$.

# %% tags=["guess"]
guess = {"a1, for each unit": None, "a1, through h2": None}

# %% tags=["figure"]
a_2 = np.linspace(1, 2.9, 100)
h_2 = 3 - a_2
fig, axes = plt.subplots(1, 2, figsize=(10, 3.5))
for name, contribution, colour in [("a1", 3, plots.INK), ("a2", -a_2, plots.ORANGE)]:
    axes[0].plot(a_2, contribution / h_2, color=colour, label=name)
    axes[1].plot(a_2, contribution / h_2 * -2 * h_2, color=colour)
titles = {"a1, for each unit": "for each unit of $R$ at h2", "a1, through h2": "through h2"}
for ax, (name, title) in zip(axes, titles.items(), strict=True):
    ax.axhline(0, color=plots.GREY, lw=0.8)
    ax.set(xlabel="$a_2$", ylabel="relevance handed down", title=title)
    plots.guess_marks(ax, {name: guess.get(name)}, {name: 2.9}, axis="y")
axes[0].legend(loc="upper left")
plots.show(fig, "shares")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# On the left the shares run off, to 30 and $-29$ at the right end. They always add up to one, because the rule divides by
# their sum. They become large because 3 and $-2.9$ nearly cancel, and dividing by the small remainder makes the shares huge.
#
# On the right nothing dramatic happens. Through $h_2$, input $a_1$ gets $-6$ all the time, and $a_2$ rises from 2 to nearly 6. As
# $h_2$ shrinks, its own relevance shrinks with it, and the small number cancels. Section 7 shows that this is no accident. The
# trouble starts when the layer above gives $h_2$ a relevance that stays large while $h_2$ shrinks, as other rules can.
#
# </details>
#
# The **epsilon rule** adds a little to the denominator, away from zero [@bach2015]:
#
# $$R_i = \sum_j \frac{z_{ij}}{z_j + \epsilon \, \mathrm{sign}(z_j)} R_j, \qquad \mathrm{sign}(0) = 1$$
#
# Units with small $z_j$ then pass on less than they receive. What $\epsilon$ takes is lost, and section 6 keeps a ledger of it.
#
# Without loops the rule takes three lines. Call the quotient of $R_j$ and the denominator $s_j$: divide, send $s$ back through
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
small_h2 = np.array([1, 2.9]), W[:, [1]], [0], [1]  # one unit of relevance at h2 = 0.1
for epsilon in (1e-7, 0.5):
    print(f"h2 = 0.1, epsilon = {epsilon:g}:", epsilon_step(*small_h2, epsilon).round(1))

# %% [markdown]
# ## 3. For and against: the alpha-beta rule
#
# The lecture's rule treats positive contributions $z_{ij}^+$ and negative ones $z_{ij}^-$ apart, and weighs them:
#
# $$R_i = \sum_j \left( \alpha \frac{z_{ij}^+}{z_j^+} - \beta \frac{z_{ij}^-}{z_j^-} \right) R_j, \qquad \alpha - \beta = 1$$
#
# $z_j^+$ is the sum of the positive contributions, $z_j^-$ that of the negative ones, so it is negative itself. Nothing
# cancels inside them, and each share lies between 0 and 1. With $\alpha = 1$, $\beta = 0$ only positive contributions count;
# a larger $\alpha$ shows more of the evidence against.
#
# Back to the small network, with $a = (1, 2)$. By LRP-0, $a_1$ got $-4$. Take the pencil again:
# what will $a_1$ get by alpha 1 beta 0, and what by alpha 2 beta 1? (In the first step $z^+$ is 6 and
# $z^-$ is $-2$.) Many networks in Earth science give anomalies, and these may be negative. So change the sign of both weights
# $v$ as well: the same inputs now make $y = -4$. What will $a_1$ get by alpha 1 beta 0 then, and what will "for" mean?

# %% tags=["guess"]
guess = {"alpha 1 beta 0": None, "alpha 2 beta 1": None, "alpha 1 beta 0, v negated": None}

# %%
from tensorflow import keras

tiny = keras.Sequential([keras.Input((2,))])
tiny.add(keras.layers.Dense(2, "relu", use_bias=False, name="hidden"))
tiny.add(keras.layers.Dense(1, use_bias=False))
three = {"LRP-0": "z", "alpha 1 beta 0": "alpha_1_beta_0", "alpha 2 beta 1": "alpha_2_beta_1"}
four = [(1, name, name) for name in three]
four += [(-1, "alpha 1 beta 0", "alpha 1 beta 0, v negated")]
fig, axes = plt.subplots(2, 2, figsize=(10, 7))
for ax, (sign, name, title) in zip(axes.flat, four, strict=True):
    tiny.set_weights([W, sign * v[:, None]])
    result = lrp.relevance(tiny, a[None], three[name])
    at_input, at_hidden = result.input[0].round(2), result.layers["hidden"][0]
    panel.diagram(W, sign * v, [*a, *h, sign * y], [*at_input, *at_hidden, sign * y], ax)
    you = plots.guess_text(guess, title)
    ax.set_title(f"{title}\na1 gets {at_input[0]:.2f}{you}, sum {at_input.sum():.0f}")
plots.show(fig, "three-rules")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The input and the network are the same in the first three, and yet $a_1$ switches from speaking against the output to speaking
# for it: $-4$ by LRP-0, $1.33$ by alpha 1 beta 0, which gives $h_2$ nothing, since $h_2$ speaks against the output. So the path from $a_1$ through $h_2$
# drops out. This map answers "what supports the output?" and no more.
#
# With alpha 2 beta 1, $a_1$ is against again. But now the inputs add up to 12, three times the output. The unit $h_1$ has no
# negative contribution, so its beta part is empty, and it hands on twice what it received. With an alpha
# above 1 the rule keeps the sum only where every unit has contributions of both signs.
#
# In the last, all relevance is negative, and it goes to what *raises* $y$: first to $h_2$, then to $a_1$. So with a negative output
# this rule paints everything blue, and the blue marks what pushed the output *up*. What made $y$ so low gets
# nothing. To ask for that, explain $-y$, which is the second network here.
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
agree = {
    "loops": my_lrp(x, lrp_0_step),
    "vectorised": my_lrp(x, epsilon_step),
    "utils.lrp": lrp.relevance(small, x[None], "epsilon").input[0],
    "iNNvestigate": explain(small, x[None], "lrp.epsilon")[0],
}
for name, R in agree.items():
    print(f"{name:14}", "".join(f"{r:8.3f}" for r in R))

# %% [markdown]
# ## 5. From dense to convolution
#
# A convolution is also a dense layer, one in which most weights are zero and the others repeat. The next cell
# draws the weight matrix of a filter of three weights over eight points. So the same three lines work: divide, send $s$ back
# through the weights, multiply by the inputs. The way back, `w @ s`, is what TensorFlow computes for a gradient, without
# ever writing the matrix down. In this way [`utils.lrp`](../utils/lrp/propagate.py) handles every layer with weights.

# %%
filter_ = np.array([-1.0, 2.0, 0.5])
matrix = sum(np.eye(8, k=1 - k) * filter_[k] for k in range(3))
fig, ax = plt.subplots(figsize=(3.6, 3.2))
ax.imshow(matrix != 0, cmap="Greys", vmax=4)
for i, j in np.argwhere(matrix):
    ax.text(j, i, f"{matrix[i, j]:g}", ha="center", va="center", fontsize=9)
ax.set(xlabel="output $j$", ylabel="input $i$")
plots.show(fig, "matrix")

layer = keras.layers.Conv1D(1, 3, padding="same", use_bias=False)
convolution = keras.Sequential([keras.Input((8, 1)), layer])
layer.set_weights([filter_[:, None, None]])
signal = np.array([0.2, 1, 3, 2, 0.5, 1, 2, 1])
z = signal @ matrix
R_3 = np.where(np.arange(8) == 3, z, 0)  # explain output 3
print("output 3 is", z[3])
print("matrix:   ", np.round(epsilon_step(signal, matrix, np.zeros(8), R_3), 3))
result = lrp.relevance(convolution, signal[None, :, None], "epsilon", output=3)
print("utils.lrp:", np.round(result.input[0, :, 0], 3))

# %% [markdown]
# Layers without weights have rules of their own. ReLU, Flatten and Dropout hand on what they get, max-pooling hands it to
# the largest value, and average pooling shares it in proportion to the values.
#
# Now the horse network of lessons 00 and 01, and a horse of which it is sure. LRP gives a map in each of its layers
# (`result.layers`), not only at the input (`result.input`).

# %%
model = networks.clever_hans()
load_weights(model, "clever_hans")
data = worlds.open_world("clever_hans")
free = (data.horse == 1) & ~data.truth_has_tag & ~data.truth_has_hurdle
horses = data.isel(sample=np.nonzero(free.values)[0])
horses = horses.isel(sample=model.predict(horses.picture.values, verbose=0)[:, 0] > 0)
pictures = horses.picture.values

one = pictures[[4]]
logit = model.predict(one, verbose=0)[0, 0]
result = lrp.relevance(model, one, "alpha_1_beta_0")
pooled = [maps for name, maps in result.layers.items() if "pooling" in name]
masks = {"horse": horses.truth_horse.values[4]}
fig, axes = plt.subplots(2, 3, figsize=(9, 6))
plots.picture(axes[0, 0], one[0], f"the picture, z = {logit:.1f}")
for ax, maps in zip(axes.flat[1:], [*pooled, result.input], strict=True):
    maps = maps[0].sum(-1)
    outline = masks if maps.shape == (64, 64) else None
    title = f"{maps.shape[0]} x {maps.shape[1]}"
    drawn = plots.heat_map(ax, maps, title, outline, signed=False)
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "layers")

# %% [markdown]
# The map becomes finer from layer to layer. At the input the deepest red lies along mane, jaw and belly and on the *ground* between
# the legs, and the horse itself is white inside. Section 8 comes back to that.
#
# There is also red at the right border, where nothing is to be seen. Does it come from the picture, or from the
# network? **Predict:** mirror the picture, or repeat its border pixels where the first layer sees a rim of zeros beyond the border. Which of
# the two will take the red away from the right?
#
# `panel.rimmed` makes the network for pictures that bring a rim of their own to the first layer. Over forty pictures the cell prints the share
# of the red in the two columns at the right (with the rim three), by alpha 1 beta 0. Evenly spread, it would be 3 to 5 %. For preset A of
# lesson 00 it prints how much blue there is, in per cent of the sum of relevance, and how much of the blue lies in the lower right
# quarter (evenly spread, 25 %).


# %%
RIM = (0, 0), (1, 1), (1, 1), (0, 0)
kernel, bias = model.get_weights()[:2]
own_rim, grey = panel.rimmed(model, kernel, bias), np.full((1, 64, 64, 3), 0.5)
cases = {"as they are": (model, pictures, grey), "mirrored": (model, pictures[:, :, ::-1], grey)}
cases["border repeated"] = own_rim, *(np.pad(some, RIM, "edge") for some in (pictures, grey))
for name, (network, some, plain_grey) in cases.items():
    reds = lrp.relevance(network, some, "alpha_1_beta_0", layers=False).input.sum(-1)
    both = lrp.relevance(network, some, "preset_a", layers=False).input.sum(-1)
    blues = -both.clip(max=0)
    columns, half = (2, 32) if network is model else (3, 33)  # with the rim
    red = 100 * reds[:, :, -columns:].sum() / reds.sum()
    blue, corner = blues.sum() / both.sum(), blues[:, half:, half:].sum() / blues.sum()
    says = network.predict(plain_grey, verbose=0)[0, 0]
    print(f"{name:16}red at the right {red:.1f} %; blue {100 * blue:.0f} %,", end=" ")
    print(f"of it in the corner {100 * corner:.0f} %; a picture all grey z = {says:.1f}")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Mirrored pictures have the red at the right, too, so it does not come from the picture. With the border repeated in place of zeros
# it is gone. So the zeros of the first layer make it, to which they are a dark edge. (Why the right edge and not the left, we do not
# know.) The same zeros make most of what the network says to a picture all grey, and most of the blue: its share of the sum falls from 53 to 15 %. They do not decide where the blue lies: more than half of it
# stays in that corner in all three cases, mirrored or not. So its place, too, comes from the network.
#
# </details>
#
# ## 6. The ledger: where did the rest go?
#
# In lesson 00 the relevance did not quite add up to the logit. `lrp.relevance` also returns a **ledger**: for each layer the
# relevance that it received and passed on, what its bias took, what the stabiliser epsilon took, and what stayed
# unassigned, because nothing contributed. A bias takes $b_j / z_j \cdot R_j$.
#
# The next figure draws three ledgers of the black horse from top to bottom. The first bar is the output, the last what arrives at
# the pixels, and the pieces between them are what each layer took. (The convolutions are numbered from below.) Guess how much
# of the 11.6 will arrive by each rule. (Two thirds of the active units of conv 1 hold less than 0.1.)

# %% tags=["guess"]
guess = {"LRP-0": None, "epsilon = 0.1": None, "alpha 1 beta 0": None}

# %%
tried = {"LRP-0": "z", "epsilon = 0.1": lrp.epsilon(0.1), "alpha 1 beta 0": "alpha_1_beta_0"}
names = ["dense 2", "dense 1", "conv 4", "conv 3", "conv 2", "conv 1"]
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharey=True)
for ax, (title, rule) in zip(axes, tried.items(), strict=True):
    panel.ledger_bars(ax, lrp.relevance(model, one, rule).ledger.loc[0], title, names)
    plots.guess_marks(ax, {title: guess.get(title)}, {title: len(names) + 1})
axes[0].invert_yaxis()
fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
plots.show(fig, "ledgers")

# %%
print("% that arrives: lowest, quartiles, highest; how many below 0")
for title, rule in tried.items():
    ledger = lrp.relevance(model, pictures, rule, layers=False).ledger.groupby("sample")
    arrives = 100 * (ledger.passed_on.last() / ledger.received.first()).values
    print(f"{title:15}", np.percentile(arrives, [0, 25, 50, 75, 100]).round(), (arrives < 0).sum())
lowest = keras.Model(model.input, model.layers[0].output).predict(pictures, verbose=0)
print(f"active units of conv 1 with z_j below 0.1: {100 * np.mean(lowest[lowest > 0] < 0.1):.0f} %")
ledger = lrp.relevance(model, one, "z").ledger.loc[0]
ledger[ledger.rule != ""].set_axis(names).round(2)

# %% [markdown]
# <details><summary>What we saw</summary>
#
# - **LRP-0:** the biases take a part, most of it in the two lowest convolutions. Half of the forty pictures bring less than two
#   thirds of the logit to the pixels, and some of them less than nothing.
# - **epsilon = 0.1:** the stabiliser takes most of the logit. Epsilon has the unit of $z_j$, and many of these are
#   smaller than 0.1. A number copied from a paper means nothing without the scale of the network.
# - **alpha 1 beta 0:** nearly all of it arrives, in each of the forty pictures. The biases take little.
#
# </details>
#
# The table is the ledger of LRP-0. In each row, `received` equals `passed_on` plus the last three columns. In
# conv 3 the bias takes a *negative* amount: it pulls the other way, the inputs have to make up for it,
# and the layer passes on more than it received.
#
# In lesson 00, preset A used epsilon 0.1 in dense layers and alpha 1 beta 0 in convolutions. Appendix B has that ledger.
#
# ### Exercise 2: find the bug from the ledger
#
# A colleague wrote the rule $\alpha = 1$, $\beta = 0$, with the bias left out (`lrp.alpha_beta(1, bias=None)` in `utils.lrp`), so
# each layer should pass on all that it receives. The last line runs it through the small network of section 4. Run the cell,
# read what it prints, and fix the step.
#
# <details><summary>Hint</summary>
#
# One layer does not pass on what it received. What is special about its inputs? Print `x`.
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
# are safe, since ReLU leaves nothing negative for them. Only the sums give it away.
#
# </details>
#
# ## 7. Which rule in which layer?
#
# Rules may be mixed: in `utils.lrp` a dict chooses, by the layer's name, `"first"`, or its class, as in
# `{"first": "flat", "Conv2D": "alpha_1_beta_0", "Dense": lrp.epsilon(0.01)}`. **Preset A** of iNNvestigate is such a
# mixture [@kohlbrenner2020; @alber2019]. The table before the quiz lists all formulas. (Many of them follow from *deep Taylor
# decomposition* [@montavon2017], a Taylor expansion around a point where the unit is zero.)
#
# LRP does not use the usual back-propagation, says the lecture. Let us compare. A **gradient** says how the logit would change with each
# pixel, and **input times gradient** multiplies it by the pixel's value [@shrikumar2016]. **Predict:** which of the maps by
# LRP will look like it?

# %%
choices = {
    "LRP-0": "z",
    "alpha 1 beta 0": "alpha_1_beta_0",
    "alpha 2 beta 1": "alpha_2_beta_1",
    "preset A": "preset_a",
}
by_choice = {"input x gradient": pictures * explain(model, pictures, "gradient")}
for name, rule in choices.items():
    by_choice[name] = lrp.relevance(model, pictures, rule, layers=False).input
fig, axes = plt.subplots(2, 3, figsize=(10, 6.8))
plots.picture(axes[0, 0], one[0], f"the picture\nz = {logit:.1f}")
like_gradient = {}
for ax, (name, maps) in zip(axes.flat[1:], by_choice.items(), strict=True):
    drawn = plots.heat_map(ax, maps[4], f"{name}\nsum {maps[4].sum():.1f}", masks)
    pairs = zip(maps.reshape(40, -1), by_choice["input x gradient"].reshape(40, -1), strict=True)
    like_gradient[name] = [np.corrcoef(*pair)[0, 1] for pair in pairs]
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "choices")
for name, correlations in like_gradient.items():
    print(f"{name:18}correlation with input x gradient {np.mean(correlations):.2f}")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# **LRP-0 is input times gradient** [@shrikumar2016; @ancona2018]. Multiply the layers' rules together, and each $z_j$
# stands once above and once below the line, so it cancels: in a ReLU network $R_j$ is always $z_j$ times the gradient at unit $j$. That is the flat line of section 2. It also tells why
# its maps are grainy. The reason is not small denominators, which
# cancel, but the gradient itself, which jumps from pixel to pixel. The other rules change weights and denominators on the way back,
# and so answer other questions.
#
# </details>
#
# None of these maps is wrong, since each follows its rule, but a map without its rule is like a chart without its units. And calm is not the
# same as true. Alpha 1 beta 0 in all layers hardly depends on the upper
# layers' weights, and so hardly on the class that is explained [@sixt2020]. Lesson 04 tests its methods for this.
#
# ## 8. Why is the horse white?
#
# In all maps of the last figure the black horse is nearly white inside. Does that mean that its body does not count? Let us code the same picture in another way, as a negative, $1 - x$.
# The network gets the opposite first kernel, and a first bias that makes up for the rest, so that its answer stays the same.
#
# **Predict:** by alpha 1 beta 0, how much of the relevance lies on the horse's own pixels, in per cent, in the
# photograph and in the negative?

# %% tags=["guess"]
guess = {"photograph": None, "negative": None}

# %%
body = masks["horse"]
trunk = binary_erosion(body, iterations=2)  # more than two pixels from the outline
print(f"mean pixel of the horse {one[0][body].mean():.2f}, of the rest {one[0][~body].mean():.2f}")
reversed_ = panel.rimmed(model, -kernel, bias + kernel.sum((0, 1, 2)))
negatives = 1 - np.pad(pictures, RIM)  # the rim of zeros as well
codes = {"photograph": (model, one), "negative": (reversed_, negatives[[4]])}
fig, axes = plt.subplots(2, 3, figsize=(8, 5.6))
for row, (code, (network, x_code)) in zip(axes, codes.items(), strict=True):
    score = network.predict(x_code, verbose=0)[0, 0]
    plots.picture(row[0], x_code[0][-64:, -64:] if code == "photograph" else x_code[0][1:-1, 1:-1])
    row[0].set_title(f"{code}\nz = {score:.2f}")
    for ax, name in zip(row[1:], ("alpha 1 beta 0", "LRP-0"), strict=True):
        maps = lrp.relevance(network, x_code, three[name]).input[0].sum(-1)
        maps = maps if code == "photograph" else maps[1:-1, 1:-1]
        share = 100 * abs(maps)[body].sum() / abs(maps).sum()
        you = plots.guess_text(guess, code, " %") if name == "alpha 1 beta 0" else ""
        drawn = plots.heat_map(ax, maps, f"{name}\non the horse {share:.0f} %{you}", masks)
        inner, rim = (abs(maps)[some].mean() / abs(maps).mean() for some in (trunk, body & ~trunk))
        print(
            f"{code}, {name}: a pixel inside {inner:.1f} times the mean, near the outline {rim:.1f}"
        )
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "negative")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The answer is the same, and the map has moved. A contribution is $a_i w_{ij}$, so a dark pixel contributes little.
# In the negative the horse is bright, and its legs and neck turn red. But darkness is not the whole reason: by alpha 1 beta 0 the
# trunk gains as well, yet a pixel inside the horse still gets less than half of what a pixel near its outline gets, as in the photograph. By
# LRP-0 it catches up with the outline. LRP-0 even changes its sign: what was $x$ times the gradient is now $1 - x$ times its opposite.
#
# Neither map is wrong. Relevance depends on what is called zero [@kindermans2019], and in a field of anomalies or of scaled
# radiances somebody has chosen that.
#
# </details>
#
# ### A hurricane's eye
#
# Look down on a hurricane, in a toy of our own making. High cloud is cold, and we scale its brightness temperature so that 1
# is the coldest cloud and 0 is anything at 300 K or warmer, as for the radar network of lesson 07. A network of one
# filter, set by hand, finds eyes: a ring of cloud minus its middle. The next cell checks that it needs
# both: fill the eye with cloud, or take the cloud away, and see what is left of the output.
#
# Then the scale is flipped, so that 1 is warm and 0 is the coldest cloud, and the network with it.
#
# **Predict:** by the epsilon rule, which share of the relevance will lie on the eye with each scale, in per cent?

# %% tags=["guess"]
guess = {"cold is 1": None, "warm is 1": None}


# %%
def hurricane(rng, size=32):
    """A spiral of cold cloud around a warm eye: the scene, and where its eye is."""
    row, column = rng.integers(11, size - 11, 2)
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
eye_kernel = (around / around.sum() - middle / middle.sum())[:, :, None, None]
ring, highest = keras.layers.Conv2D(1, 7, activation="relu"), keras.layers.GlobalMaxPooling2D()
eye_finder = keras.Sequential([keras.Input((32, 32, 1)), ring, highest])
eye_finder.set_weights([eye_kernel, np.array([-0.4])])
filled = np.where(eyes[..., None], 0.8, scenes)
for name, some in {"as it is": scenes, "eye filled": filled, "no cloud": 0 * scenes}.items():
    print(f"{name}: mean output {eye_finder.predict(some, verbose=0).mean():.2f}")
flipped = keras.models.clone_model(eye_finder)
flipped.set_weights([-eye_kernel, -0.4 + eye_kernel.sum((0, 1, 2))])

# %% tags=["figure"]
scales = {"cold is 1": (eye_finder, scenes), "warm is 1": (flipped, 1 - scenes)}
first_rules = {"epsilon": "epsilon", "alpha 1 beta 0": "alpha_1_beta_0"}
first_rules |= {"z box, 0 to 1": lrp.z_box(0, 1), "flat": "flat"}
eye_share, ((row, column), *_) = {}, np.argwhere(eyes[0])
near = np.s_[row - 6 : row + 9, column - 7 : column + 8]  # around the first eye
fig, axes = plt.subplots(2, 5, figsize=(11, 5.2))
for line, (scale, (network, some)) in zip(axes, scales.items(), strict=True):
    score = network.predict(some[:1], verbose=0)[0, 0]
    plots.picture(line[0], some[0], f"{scale}\noutput {score:.3f}", {"eye": eyes[0]})
    for ax, (name, rule) in zip(line[1:], first_rules.items(), strict=True):
        maps = lrp.relevance(network, some, rule).input[..., 0]
        share = 100 * (abs(maps) * eyes).sum((1, 2)) / abs(maps).sum((1, 2))
        eye_share[scale, name] = share
        you = plots.guess_text(guess, scale, " %") if name == "epsilon" else ""
        title = f"{name}\non the eye {share.mean():.0f} %{you}"
        drawn = plots.heat_map(ax, maps[0][near], title, {"eye": eyes[0][near]})
plots.heat_map_bar(fig, drawn, axes)
plots.show(fig, "eye")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# With cold as 1, epsilon and alpha-beta put nothing on the eye. Its pixels are exactly zero, and zero times any weight is zero: these rules
# are blind to zero inputs [@mamalakis2022aies]. With warm as 1 the same rules put most or all on it. The network, its answer and the
# hurricane have not changed.
#
# </details>
#
# It is harmless to be blind to zeros that carry no information. It is misleading where zero means "warm", "no anomaly" or, as in
# [lesson 07](07_goes_to_mrms.ipynb), "no lightning", and the network makes use of it. The **z box** rule for a first layer [@montavon2017] asks what an input contributed
# *compared with the worst it could have been* between $l$ and $h$:
#
# $$z_{ij} = a_i w_{ij} - l\, w_{ij}^+ - h\, w_{ij}^-, \qquad R_i = \sum_j \frac{z_{ij}}{\sum_i z_{ij}} R_j$$
#
# It gives the same map with both scales. Still, its share on the eye is no truth: eye and ring are both needed, and how
# much of the output belongs to which depends on what you compare with. Flat gives the same map, too, but only because it
# spreads relevance evenly over the 49 pixels of the filter: it shows where the first layer looks, and nothing of what is there.
#
# ### Exercise 3: choose rules for a question
#
# Give a rule for each question: a name, a rule such as `lrp.epsilon(0.01)` or `lrp.alpha_beta(1, bias=None)`, or a dict of these. The check makes the maps
# and measures whether they can answer; for the eye it also asks a network that hardly uses it. There is more than
# one right answer.
#
# <details><summary>Hint</summary>
#
# Which rules show the evidence against? Which one sees zeros? And what takes relevance away in the ledger?
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
# ## 9. Try it, and ask whether the blue is right
#
# The panel has an alpha for the convolutions of the horse network and an epsilon for its dense layers. Raise alpha, and watch
# the sums of red and blue. Raise epsilon, and watch how little is left.
#
# Then two things are measured on new pictures, with alpha-beta in all layers: the share of relevance that
# is negative, and whether the blue is *right*. For this
# we take the square of 8 x 8 pixels with the most negative sum, blur it, and look at the logit. If the
# square spoke against a horse, the logit should rise. The control (hollow) is another square that
# blurring changes about as much; the dotted line is a square picked at random. Guess both for alpha 2, in per cent.

# %% tags=["guess"]
guess = {"negative share, %": None, "blue is right, %": None}

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
plain = [s for s in clever_hans.scenes(320, seed=worlds.CLAIMS + 30_000) if s.horse]
fresh = clever_hans.render([s for s in plain if not s.tag and not s.hurdles])
fresh = fresh.isel(sample=model.predict(fresh.picture.values, verbose=0)[:, 0] > 0)
inside, fresh = fresh.truth_inside.values, fresh.picture.values
rise, strength = panel.blur_squares(model, fresh, inside)  # (picture, square)
by_lot = 100 * np.mean(rise[np.isfinite(rise)] > 0)
print(f"{len(fresh)} pictures; any square blurred: the logit rises in {by_lot:.0f} %")
each, negative, right, control = np.arange(len(fresh)), {}, {}, {}
for alpha in (1, 1.5, 2, 2.5, 3, "LRP-0"):
    rule = "z" if alpha == "LRP-0" else lrp.alpha_beta(alpha)
    maps = lrp.relevance(model, fresh, rule, layers=False).input.sum(-1)
    negative[alpha] = -100 * maps.clip(max=0).sum((1, 2)) / abs(maps).sum((1, 2))
    if alpha != 1:  # which has no blue
        bluest = np.nanargmin(panel.in_squares(maps) + 0 * strength, 1)
        unlike = abs(strength - strength[each, bluest][:, None])
        unlike[each, bluest] = np.nan
        right[alpha] = 100 * (rise[each, bluest] > 0)
        control[alpha] = 100 * (rise[each, np.nanargmin(unlike, 1)] > 0)
measured = {"negative share, %": negative, "blue is right, %": right}
plots.show(panel.by_alpha(measured, control, by_lot, guess), "alphas")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Alpha does control how much "against" a map shows, but not in proportion: soon for and against
# nearly cancel. At alpha 1.5 and 2 the blue is right in most pictures, clearly more often than the control. At 2.5 the
# intervals overlap, and at 3 the bluest square does no better than the control. With LRP-0 the bluest square does worse than one picked at
# random: its whole interval lies below the dotted line. A square
# of 8 x 8 pixels and a blur are only one way to ask, so ask your own network in its own way.
#
# </details>
#
# ## In this lesson you
#
# - computed LRP by hand, and wrote its rules in NumPy,
# - saw one input change from against to for by the choice of the rule, and a map turn blue with its output,
# - followed relevance in a ledger, and used it to find a bug,
# - saw what a map owes to the padding of the network and to the coding of its inputs,
# - measured where the blue of a map is right.

# %% [markdown]
# ## The rules on one page
#
# Each rule shares $R_j$ among the units $i$ below in proportion to the middle column.
#
# | rule, in `utils.lrp` | shares | answers | mind |
# |---|---|---|---|
# | LRP-0, `"z"` | $z_{ij} / z_j$ | what speaks for and against; it is input times gradient | blind to zeros |
# | epsilon, `epsilon(e)` | $z_{ij} / (z_j + \epsilon \, \mathrm{sign} z_j)$ | the same, with less from small $z_j$ | blind to zeros; epsilon takes its part |
# | alpha 1 beta 0, `alpha_beta(1)` | $z_{ij}^+ / z_j^+$ | what supports a positive output | blind to zeros and to evidence against, nearly blind to the class |
# | alpha-beta, `alpha_beta(a)` | $\alpha z_{ij}^+ / z_j^+ - \beta z_{ij}^- / z_j^-$ | evidence for and against | blind to zeros; the sum may grow |
# | gamma, `gamma(g)` | $(z_{ij} + \gamma z_{ij}^+) / (z_j + \gamma z_j^+)$ | between LRP-0 and alpha 1 beta 0 | blind to zeros |
# | w square, `w_square()` | $w_{ij}^2 / \sum_i w_{ij}^2$ | where the first layer looks, by weight | blind to the values |
# | flat, `flat()` | $1 / n_j$ for $n_j$ inputs | where the first layer looks | blind to values and weights |
# | z box, `z_box(l, h)` | section 8 | how much more an input gave than the worst it could have been | depends on the limits |
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
# You cannot tell. Its value may be exactly zero, and then LRP-0, epsilon and alpha-beta give 0 whatever the network does. Or for and
# against cancel. Change the pixel and see.
#
# </details>
#

# %% [markdown]
# ## Appendix A (optional): beyond convolutions, a case with a known answer
#
# LRP's biggest limitation, says the lecture of 2020, is that implementations exist for simple architectures only. How far has
# that been overcome? An *LSTM* reads a series step by step and keeps a memory, and *attention* lets all steps of a series look at
# each other. Both multiply a signal by numbers that depend on the input. In an LSTM these are its *gates*, between 0
# and 1, and the signal takes all the relevance [@arras2017; @arras2019]. In attention they are the *attention weights* $A$ in
# $\sum_k A_{jk} v_k$, which count as constants, so that $R$ is shared among the $v_k$ [@ali2022]. (A later method gives the weights
# relevance, too [@achtibat2024]; it is not in `utils.lrp`.)
#
# Is the answer right? Here is a case where we know it. A small, steep catchment drains within a day. The gauge at its
# outlet records the highest discharge of sixty winter days, which is in proportion to the rain of a single day. Below
# zero snow falls instead, and never reaches the river. So **one day decides**: the wettest of those above zero.
# An LSTM and a network with attention have learned to estimate that peak from temperature and precipitation.
#
# **Predict:** how much of the precipitation's relevance will lie on the decisive day, in per cent?

# %% tags=["guess"]
guess = {"input x gradient": None, "LRP, epsilon": None, "attention weights": None}


# %%
def by_day(network, days):
    """Relevance of each day by several methods, shape (sample, day, variable)."""
    found = {"input x gradient": days * explain(network, days, "gradient")}
    found["integrated gradients"] = explain(network, days, "integrated_gradients", steps=16)
    found["LRP, epsilon"] = lrp.relevance(network, days, "epsilon", layers=False).input
    day, now = np.eye(60)[:, None, :, None], network.predict(days, verbose=0)  # each day in turn
    dry = days * (1 - day * [1, 0])
    warm = np.where(day * [0, 1] > 0, np.maximum(days, 0.5), days)  # 5 degrees or more
    both = np.concatenate([dry, warm]).reshape(-1, 60, 2)
    dry, warm = network.predict(both, batch_size=1000, verbose=0).reshape(2, 60, -1)
    return found | {"dry or warm the day": np.stack([now - dry.T, warm.T - now], -1)}


seasons = river_gauge.simulate(60, worlds.CLAIMS)
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

# %% tags=["figure"]
by_gauge = {name: by_day(network, days) for name, network in gauges.items()}
worst = np.argmax(abs(estimates["LSTM"] - peak))
plots.show(gauge_plots.seasons(seasons, estimates, by_gauge, [worst]), "seasons")
evenly = 100 * skill.step_share(days[..., 0], decisive).mean()
print(f"per cent on the decisive day (of the precipitation itself {evenly:.0f})")
for name, network in gauges.items():
    print(f"\n{name:23}precipitation   temperature")
    for method, maps in by_gauge[name].items():
        rains, degrees = (100 * skill.step_share(maps[..., k], decisive) for k in (0, 1))
        low, high = skill.bootstrap(np.mean, rains)[1]
        you = plots.guess_text(guess, method, " %")
        print(f"{method:22}{rains.mean():4.0f} ({low:.0f} to {high:.0f})", end="")
        print(f"{degrees.mean():12.0f}{you}")
    with_weights = [layer.name for layer in network.layers if layer.weights]
    network.set_weights(networks.shuffled(network, with_weights).get_weights())
    maps = lrp.relevance(network, days, "epsilon", layers=False).input[..., 0]
    load_weights(network, f"gauge_{name.lower()}")  # as it was
    print(f"LRP, shuffled weights {100 * skill.step_share(maps, decisive).mean():4.0f}")
weights = attention(gauges["attention"], days, "attention").mean((1, 2))  # what a day gets
you = plots.guess_text(guess, "attention weights", " %")
print(f"attention weights     {100 * skill.step_share(weights, decisive).mean():4.0f}{you}")

# %% [markdown]
# The line *dry or warm the day* needs no heat map. It dries one day after the other, or warms it to 5 °C, and sees by how
# much the estimate changes. So it says what the *network* does with a day.
#
# <details><summary>What we saw</summary>
#
# - With shuffled weights, the test of Adebayo and others [@adebayo2018], LRP has no more on the decisive day than the
#   precipitation itself has. So the maps show something learned.
# - **Precipitation:** input times gradient comes nearest to drying. That is so by construction: the
#   network has learned a maximum, and the gradient of a maximum is zero for all days but one. LRP puts less on the decisive day.
#   A likely reason is that gates and attention weights choose the day, and the rules give them nothing. The authors of the rule
#   for attention report that it mends the gradients of Transformers [@ali2022]; here the gradients needed no repair.
# - **Temperature:** warming matters on *other* days, those whose heavy snow would have become the peak. None of the maps asks what would
#   happen if it were warmer. Integrated gradients compare with a baseline, here a dry winter at 0 °C throughout, and with attention
#   they turn many days blue.
# - In the season drawn the LSTM takes part of the last day's snow for rain, and its maps of the precipitation show the mistake.
# - The decisive day has 26 % of the **attention weights**, far more than an even share of sixty days, but little more than its share of
#   the precipitation (21 %). They say how values are mixed in one layer, and do not explain the answer [@jain2019].
#
# </details>
#
# ## Appendix B (optional): the same numbers as the library?
#
# Two programs may read a formula differently. Here are a few settings on two pictures, and one on a U-Net (a
# network that shrinks the maps and enlarges them again, an *encoder-decoder*, with *skip connections* that hand the early
# maps to the late layers). Printed is the largest difference between ours and iNNvestigate's, over the largest relevance; the last
# such row compares our loops with `utils.lrp`.


# %%
def difference(network, x, rule, method, output=None):
    """Largest difference between ours and the library's, over the largest relevance."""
    own = {"bias": "whole"} if method == "lrp.alpha_1_beta_0" else {}
    theirs = explain(network, x, method, output, **own)  # its own way with biases
    ours = lrp.relevance(network, x, rule, output, layers=False).input
    return abs(ours - theirs).max() / abs(theirs).max()


whole = lrp.alpha_beta(1, bias="whole")
settings = {"epsilon": "epsilon", "flat": "flat", "alpha_1_beta_0": "alpha_1_beta_0"}
settings["alpha 1, whole bias"] = whole
for name, rule in settings.items():
    method = f"lrp.{rule if isinstance(rule, str) else 'alpha_1_beta_0'}"
    print(f"{name:20} {difference(model, pictures[:2], rule, method):.0e}")
unet = networks.encoder_decoder(size=32, skip=True)
scene = np.float32(np.random.default_rng(0).random((1, 32, 32, 4)))
print(f"epsilon, U-Net       {difference(unet, scene, 'epsilon', 'lrp.epsilon', (16, 16)):.0e}")
error = abs(agree["loops"] - agree["utils.lrp"]).max() / abs(agree["loops"]).max()
print(f"loops of section 1   {error:.0e}")
for way in ("split", "whole"):
    preset = {"Dense": lrp.epsilon(0.1), "Conv2D": lrp.alpha_beta(1, bias=way)}
    books = lrp.relevance(model, data.picture.values[[140]], preset).ledger.loc[0]
    print(f"lesson 00's horse, bias {way}: {books.received.iloc[0]:.2f},", end=" ")
    print(f"epsilon took {books.stabiliser.sum():.2f}, biases {books.bias.sum():.2f}")

# %% [markdown]
# All agree but one: alpha-beta as the formula has it. The library adds the *whole* bias to both denominators, $z_j^+ + b_j$ and
# $z_j^- + b_j$, where the formula splits it by sign. With `bias="whole"` ours agrees. (`explain` splits the bias unless you ask for
# the library's own way.)
#
# The last lines settle the small difference in lesson 00, which called the library directly. Epsilon took some of the logit, the
# biases in the library's way gave back more than that, and the sum ended above the logit.
#
# ## Claims
#
# On forty pictures, on new ones, on toy scenes and on sixty seasons of the gauge. Goals are ours; [lesson 00](00_start_here.ipynb) says
# how to read the cards.


# %% tags=["claims"]
def record(id, sentence, source, text, values, goal, unit="", negative=False):
    value, interval = skill.bootstrap(np.mean, values)
    claims.record(f"lrp-{id}", sentence, source, text, value, interval, goal, unit, negative)


record(
    "alpha-2",
    "Alpha allows manual control of positive versus negative attribution.",
    "slide: The αβ-rule for LRP",
    "growth of the negative share from alpha 1 to alpha 2",
    negative[2] - negative[1],
    ">= 10",
    "points",
)
record(
    "gradient-0",
    "LRP does not use the usual back propagation.",
    "slide: Relevance propagation for LRP",
    "correlation of LRP-0 (the z rule) with input times gradient",
    like_gradient["LRP-0"],
    "<= 0.9",
    negative=True,
)
record(
    "gradient",
    "LRP does not use the usual back propagation.",
    "slide: Relevance propagation for LRP",
    "correlation of alpha 1 beta 0 with input times gradient",
    like_gradient["alpha 1 beta 0"],
    "<= 0.9",
    negative=True,
)
record(
    "zero",
    "The epsilon rule does not see an input that is zero.",
    "mamalakis2022aies",
    "share of relevance on an eye of zeros that counts, epsilon rule",
    eye_share["cold is 1", "epsilon"],
    "<= 0",
    "%",
    negative=True,
)
record(
    "gauge-lstm",
    "By LRP for an LSTM, the input that decides has the most relevance.",
    "this course",
    "seasons in which the decisive day's precipitation has the most relevance",
    100 * (abs(by_gauge["LSTM"]["LRP, epsilon"][..., 0]).argmax(1) == decisive),
    ">= 90",
    "%",
)

# %% [markdown]
# ## References
#
# - [@bach2015]: LRP; LRP-0 (the z rule), epsilon and alpha-beta
# - [@montavon2018]: LRP and its rules, a tutorial
# - [@montavon2017]: deep Taylor decomposition; the w² and z box rules
# - [@montavon2019], [@kohlbrenner2020]: which rule for which layer
# - [@sixt2020]: rules that hardly depend on the upper layers
# - [@lapuschkin2016]: Bach's toolbox
# - [@alber2019]: iNNvestigate and its presets
# - [@kindermans2019]: heat maps that change with a constant added to the input
# - [@mamalakis2022aies]: methods that do not see zeros
# - [@shrikumar2016], [@ancona2018]: input times gradient, and LRP
# - [@arras2017], [@arras2019]: LRP for LSTMs
# - [@ali2022], [@achtibat2024]: LRP for attention and layer normalisation
# - [@adebayo2018]: shuffled weights as a test
# - [@jain2019]: what attention weights do not explain
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
