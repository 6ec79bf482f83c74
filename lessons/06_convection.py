# %% [markdown]
# # 06 Convection
#
# ![Four pictures of convective clouds, two minutes apart](../pictures/convection.png)
#
# **Question:** a network finds convection in satellite loops. Does it look at brightness, or at the bubbling?
#
# **Objectives:** you can
# - score a detector with POD and FAR, and say what an ordinary test does not show,
# - make heat maps for each picture of a sequence, and turn an expert's look at them into a number,
# - tell what a network uses with matched pairs, where a heat map alone cannot,
# - repair a network in two ways, with controls that show what did the repair.
#
# **Minutes:** 60 teaching, 30 exercises.
#
# **Prerequisites:** NumPy arrays and lesson 00 (necessary); lessons 01 and 03 (helpful); lesson 02, for section 6 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatSlider, IntSlider
from scipy.ndimage import gaussian_filter

from utils import claims, course, lrp, networks, panels, plots, skill, training, worlds
from utils.check import convection as check
from utils.panels import convection as panel
from utils.weights import load_weights
from utils.worlds import convection as world

course.start("06_convection", seed=0)

# %% [markdown]
# Convection releases heat. Whoever knows where it is can tell the weather model, at once, and improve the
# forecast. Radar does not see it everywhere. Geostationary satellites see half of the Earth, every ten minutes or less,
# and chosen regions every minute. So the lecture
# asks: can a network find convection in their pictures, and *how* does it [@lee2021]?
#
# ## 1. The loop
#
# Five pictures, two minutes apart: what the geostationary satellite GOES measures at 0.64 µm in its channel 2, 64 x 64
# pixels of 0.5 km. The value is the **reflectance**, the share of sunlight sent back: here black is 0, white 1. The pictures
# are not real. They come from a world in which we know for each pixel how bright the cloud
# is and how much it bubbles. Press play. **How do *you* see convection?**

# %%
sample = worlds.open_world("convection")
chosen = [8, 19, 26, 29, 1, 5, 16, 20]
titles = ["convection" if sample.convection[i] else "none" for i in chosen]
draw = panel.prepare_loop(sample.reflectance.values[chosen], titles)
panels.loop(draw, "loop", frames=5)

# %% [markdown]
# Without a kernel, here are two of them with all five pictures:

# %% tags=["figure"]
fig, axes = plt.subplots(2, 5, figsize=(10, 4.3))
for row, i in zip(axes, [19, 20], strict=True):
    for ax, picture, minutes in zip(row, sample.reflectance[i], sample.time, strict=True):
        plots.picture(ax, picture, f"{minutes:.0f} min")
plots.show(fig, "sequences")

# %% [markdown]
# Two clues, says the lecture: **high brightness**, and a texture that is **bubbling**, best seen in motion.
# A tower is bright because it is thick. It bubbles because it grows, with a sunny and a shadow side.
#
# Our world knows both apart: reflectance is `truth_brightness` plus `truth_texture`, plus the camera's noise. Where bubbling
# makes the cloud brighter, `truth_texture` is red, and where it casts a shadow, blue.

# %% tags=["figure"]
parts = ["reflectance", "truth_brightness", "truth_texture", "truth_bubbling"]
fig, axes = plt.subplots(1, 4, figsize=(10, 2.8))
for ax, name in zip(axes, parts, strict=True):
    one = sample[name][19, 2].values
    if name == "truth_texture":
        plots.heat_map(ax, one, name)
    else:
        plots.picture(ax, one, name)
plots.show(fig, "truth")

# %% [markdown]
# ## 2. A network, and its test
#
# As in the lecture: the five pictures are the input channels of a plain CNN, and two output neurons stand
# for "none" and "convection". Half of the training scenes are convective. The others are stratus, cirrus,
# broken cloud, old smooth shields (broad sheets that a storm has left) and clear land, nearly all of them darker. Trained weights come with the course;
# `RETRAIN = True` trains the network on your machine, which takes two minutes on two cores.

# %%
from tensorflow import keras

model = networks.convection()
model.summary(line_length=70)

RETRAIN = False
if RETRAIN:
    train = world.simulate(2500, seed=worlds.TRAINING, progress=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    training.fit(model, world.as_input(train), train.convection, loss=loss, epochs=5)
else:
    load_weights(model, "convection")

# %% [markdown]
# Now 400 fresh sequences from the same world.


# %%
def says_convection(network, data):
    """Is the second output larger? A network that gives a map says yes from 100 pixels on."""
    z = network.predict(world.as_input(data), verbose=0)
    return (z > 0).sum((1, 2, 3)) > 100 if z.ndim == 4 else z[:, 1] > z[:, 0]


scenes = world.scenes(400, seed=worlds.CLAIMS)
test = world.render(scenes)
label = test.convection.values == 1
says = says_convection(model, test)

# %% [markdown]
# ### Exercise 1: POD and FAR
#
# Forecasters score a yes-or-no detector with two numbers. *Probability of detection* (POD): how much of the
# convection is found? *False alarm ratio* (FAR): how many of the alarms are false? `says` and `label` have the shape
# (400,). Give both as numbers between 0 and 1.
#
# <details><summary>Hint</summary>
#
# `says & label` are the hits, `says & ~label` the false alarms, `~says & label` the misses.
#
# </details>

# %% tags=["exercise"]
pod, far = ..., ...

# %% tags=["solution"]
pod = (says & label).sum() / label.sum()
far = (says & ~label).sum() / says.sum()

# %% tags=["check"]
check.pod_and_far(pod, far, says, label)

# %%
ordinary_pod, ordinary_far = skill.rate(says[label]), skill.rate(~label[says])
print(f"POD {ordinary_pod[0]:.0f} %, FAR {ordinary_far[0]:.0f} %")

# %% [markdown]
# Very good. **Would you put it into operations?** Write down what you would ask first.
#
# ## 3. Four steps to a heat map
#
# The lecture's recipe: (1) train the network, (2) freeze it, (3) feed one sample, (4) apply LRP. Steps 1 to 3
# are done. One thing before step 4: there are *two* outputs, and the answer is which one is larger. So explain
# their difference, $z = z_\text{convection} - z_\text{none}$. Both are linear in the last layer, so the difference is
# one neuron with the difference of their weights. The rule is $\alpha_1\beta_0$: it follows positive contributions only (lesson 03).


# %%
def with_one_output(network):
    """The same network with one output, z: convection minus none."""
    shared = [keras.Input(network.input_shape[1:]), *network.layers[:-1], keras.layers.Dense(1)]
    single = keras.Sequential(shared)
    w, b = network.layers[-1].get_weights()
    single.layers[-1].set_weights([w[:, 1:] - w[:, :1], b[1:] - b[:1]])
    return single


single, x = with_one_output(model), world.as_input(test)
z = single.predict(x, verbose=0)[:, 0]
print("the same answers:", np.array_equal(z > 0, says))


def heat_maps(network, data):
    """Relevance of each pixel of each picture, shape (sample, time, y, x)."""
    result = lrp.relevance(network, world.as_input(data), "alpha_1_beta_0", layers=False)
    return result.input.transpose(0, 3, 1, 2)


hits = test.isel(sample=np.nonzero(says & label)[0][:80])
maps = heat_maps(single, hits)
masks = hits.truth_bubbling.values

# %% [markdown]
# Three hits. In each, guess first: will red lie on the bubbling part (outlined) or on all that is bright?

# %% tags=["figure"]
fig, axes = plt.subplots(6, 5, figsize=(9, 11))
for case in range(3):
    limit = plots.colour_limit(maps[case])
    for frame in range(5):
        above, below = axes[2 * case : 2 * case + 2, frame]
        plots.picture(above, hits.reflectance[case, frame], f"{2 * frame} min")
        bubbling = {"bubbling": masks[case, frame]}
        drawn = plots.heat_map(below, maps[case, frame], masks=bubbling, limit=limit)
plots.heat_map_bar(fig, drawn, axes, label="relevance, one scale for each sequence")
plots.show(fig, "three-hits")

# %% [markdown]
# Red lies on some of the bubbling and on smooth, bright cloud as well, and it hardly differs from picture to picture.
# Hard to say more by eye. (The blocks come from the last pooling: each feature counts once in a
# quarter of the picture, where it is strongest.)
#
# ## 4. From an expert's look to a number
#
# In the lecture a domain expert looked at such maps and said: *this network looks primarily for high
# brightness, it does not focus on texture.* Can that be measured? We have both fields. Texture strength is the root
# mean square of `truth_texture` around each pixel.
#
# ### Exercise 2: what does relevance follow?
#
# For each scene, correlate its relevance with a field, over all pixels of all five pictures. `maps` and
# `strength` have the shape (scene, time, y, x). Give the correlation with `strength`, shape (scene,).
#
# <details><summary>Hint</summary>
#
# `np.corrcoef(a, b)[0, 1]` takes two flat arrays. Loop over the scenes, or subtract each scene's mean and
# use sums over the axes `(1, 2, 3)`.
#
# </details>

# %%
strength = gaussian_filter(hits.truth_texture.values**2, (0, 0, 2, 2)) ** 0.5

# %% tags=["exercise"]
follows_texture = ...

# %% tags=["solution"]
follows_texture = np.array(
    [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(maps, strength, strict=True)]
)

# %% tags=["check"]
check.correlations(follows_texture, maps, strength)

# %% [markdown]
# Is that much or little? A number needs something to stand next to. So take **controls** whose strategy
# is known:
# - a network that gets only the *mean* of each picture. It cannot see texture, whatever it wants.
# - a network trained where *only texture differs*: shields of any brightness, half of them bubbling.
#
# And we look ahead to the repaired network of section 5. All of them are asked about the same scenes. Which of the four will
# follow brightness most?

# %%
NETWORKS = {
    "brightness only": "convection_brightness",
    "first network": "convection",
    "repaired": "convection_repaired",
    "texture only": "convection_texture",
}


@cache
def trained(name):
    """A network with the weights of that name."""
    kinds = {"convection_brightness": networks.brightness_only}
    kinds |= dict.fromkeys(("convection_map", "convection_map_plain"), networks.convection_map)
    network = kinds.get(name, networks.convection)()
    load_weights(network, name)
    return network


singles = {name: with_one_output(trained(file)) for name, file in NETWORKS.items()}
all_say_so = np.all([one.predict(x, verbose=0)[:, 0] > 0 for one in singles.values()], axis=0)
shared = test.isel(sample=np.nonzero(all_say_so & label)[0][:80])
fields = {
    "brightness": shared.truth_brightness.values,
    "texture": gaussian_filter(shared.truth_texture.values**2, (0, 0, 2, 2)) ** 0.5,
}


# %%
def correlation(a, b):
    """Over the pixels of each scene."""
    a, b = (v - v.mean((1, 2, 3), keepdims=True) for v in (a, b))
    return (a * b).sum((1, 2, 3)) / np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))


shared_maps = {name: heat_maps(one, shared) for name, one in singles.items()}
follows = {
    name: {what: correlation(some, field) for what, field in fields.items()}
    for name, some in shared_maps.items()
}
fig, ax = plt.subplots(figsize=(7, 3))
for row, pair in enumerate(follows.values()):
    for what, colour, shift in (("brightness", plots.ORANGE, -0.1), ("texture", plots.BLUE, 0.1)):
        value, (low, high) = skill.bootstrap(np.mean, pair[what])
        error = [[value - low], [high - value]]
        ax.errorbar(value, row + shift, xerr=error, fmt="o", color=colour)
ax.set(yticks=range(4), yticklabels=list(follows), ylim=(3.5, -0.5), xlim=(-0.2, 1))
ax.set_xlabel("correlation of relevance with the field, mean over scenes")
ax.legend(ax.containers[:2], fields, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
plots.show(fig, "follows")

# %% [markdown]
# The order is the expected one. But cover the other rows and look at the first network alone: its two
# correlations lie close together. That would pass for a network that uses both. **A heat map alone can't tell.**
# Under $\alpha_1\beta_0$ a pixel's relevance is in proportion to its value: bright pixels get more of it, whatever the
# network looks for. And the bubbling parts are bright. Only the *difference* of the two correlations, next
# to controls, says something.
#
# ### The proof: matched pairs
#
# `replace` changes one ingredient of a scene and nothing else. So ask the question itself:
# - same brightness, other texture: smooth the bubbling away. Does the answer change?
# - same texture, other brightness: dim the cloud to a reflectance of 0.35. Does the answer change?
# - same pictures, other order: shuffle the frames. Does the network use motion at all?
#
# Guess six numbers before you run the cell: for the first and the repaired network, in how many of 100
# storms does each change turn the answer?

# %%
which = np.nonzero(label)[0][:120]
storms, plain = [scenes[i] for i in which], test.isel(sample=which)
changed = {
    "smoothed": world.render([replace(s, texture=0.0) for s in storms]),
    "dimmed": world.render([replace(s, brightness=0.35) for s in storms]),
    "shuffled": plain.isel(time=[3, 0, 4, 1, 2]),
}


def flips(network):
    """Which answers each change turns, by its name."""
    before = says_convection(network, plain)
    return {name: before != says_convection(network, data) for name, data in changed.items()}


turned = {name: flips(trained(file)) for name, file in NETWORKS.items()}
for name, by_change in turned.items():
    shares = ", ".join(f"{what} {100 * yes.mean():.0f} %" for what, yes in by_change.items())
    print(f"{name}: {shares}")

# %% [markdown]
# Smooth the storms, and the first network changes nearly none of its answers; dim them, and it loses nearly all. It
# hardly uses texture, and the expert was right, more than the two correlations let one think. The
# repaired network needs the texture, *and* still some brightness. And motion? Shuffled frames change next to nothing: both read
# the five pictures as five copies of one. Only the network trained on texture alone minds the order.
#
# ### Where the strategy turns into errors
#
# A shortcut is harmless as long as it works. It stops working where the clues part:
# - **bright and smooth**: a thick deck of stratocumulus, snow, an old anvil. No convection.
# - **dim and bubbling**: storms under a low sun, young cells that are not thick yet.

# %%
hard = {
    name: world.simulate(200, seed=worlds.CLAIMS + 10_000, setting=setting)
    for name, setting in (("bright, smooth", "bright_smooth"), ("dim, bubbling", "dim_bubbling"))
}
fig, axes = plt.subplots(2, 6, figsize=(10, 3.8))
for row, (name, data) in zip(axes, hard.items(), strict=True):
    wrong = says_convection(model, data) != (data.convection.values == 1)
    for ax, i in zip(row, range(6), strict=True):
        kind = world.KINDS[int(data.truth_kind[i])]
        plots.picture(ax, data.reflectance[i, 2], f"{kind}: {'wrong' if wrong[i] else 'right'}")
    row[0].set_ylabel(name)
    print(f"{name}: wrong in {100 * wrong.mean():.0f} %")
plots.show(fig, "hard-cases")

# %% [markdown]
# ### Exercise 3: when does it lose the storms?
#
# The first network was trained around noon. Storms peak in the afternoon. Below, the same 30 storms under an
# ever lower sun: at which solar zenith angle does POD fall below one half? Interpolate between the angles tried;
# give degrees.
#
# <details><summary>Hint</summary>
#
# `np.interp(x, xp, fp)` needs an `xp` that rises. POD falls: use `-pod_by_angle`.
#
# </details>

# %%
angles = np.arange(20.0, 75, 10)
pod_by_angle = np.array(
    [
        says_convection(model, world.render([replace(s, sun_zenith=a) for s in storms[:30]])).mean()
        for a in angles
    ]
)
print("zenith angle", angles, "POD", pod_by_angle.round(2))

# %% tags=["exercise"]
half_lost_at = ...

# %% tags=["solution"]
half_lost_at = np.interp(-0.5, -pod_by_angle, angles)

# %% tags=["check"]
check.half_lost(half_lost_at, angles, pod_by_angle)

# %% [markdown]
# **Think.** At 35° N in June, the sun is that low about three hours before it sets. What does it do to a
# forecast if heating goes missing from the model every afternoon, at the same hours? Would dividing by the cosine of the zenith
# angle help, and what would it not help?
#
# <details><summary>An answer</summary>
#
# The model would be too calm every afternoon, an error with a daily rhythm that looks like a fault of its
# physics. Dividing by the cosine brings storms back to the brightness of noon, so more of them would be
# found. It does not help with shadows, and not with the strategy: bright, smooth cloud would still be
# called convection.
#
# </details>
#
# ## 5. Two repairs
#
# The lecture proposes two.
#
# **Repair one: pre-train where only texture differs.** A network is first trained on shields of any brightness, half of them
# bubbling (strongly: domes and shadows differ from the cloud by about 0.3 to 0.6 of its brightness, the *contrast*). Then it is *fine-tuned* on the ordinary scenes. Without the old
# samples it forgets: brightness is an easier way to a small loss. So the old samples are *replayed* among the new ones.
#
# **Repair two: make it a segmentation task.** The network gives a map: does this pixel bubble? Now each pixel of smooth anvil
# beside a bubbling core says "bright, and still no". Each training sequence is shown a second time at another
# brightness, too (times 0.4 to 1.6).
#
# Repair two changes two things at once, so it gets two controls: the map without the second brightness, and the second
# brightness without the map. Before you run the cell: which of the eight networks will be best on both kinds of hard cases?

# %%
REPAIRS = {
    "first network": "convection",
    "brightness only (control)": "convection_brightness",
    "texture only (control)": "convection_texture",
    "repair one, without replay": "convection_forgetful",
    "repair one": "convection_repaired",
    "map, brightness as it is (control)": "convection_map_plain",
    "no map, two brightnesses (control)": "convection_rescaled",
    "repair two": "convection_map",
}
tests = {"ordinary": test, **hard}
wrong = {}
for name, file in REPAIRS.items():
    network = trained(file)
    wrong[name] = {
        kind: says_convection(network, data) != (data.convection.values == 1)
        for kind, data in tests.items()
    }

# %% tags=["figure"]
COLOURS = {"ordinary": plots.GREY, "bright, smooth": plots.ORANGE, "dim, bubbling": plots.BLUE}
fig, ax = plt.subplots(figsize=(8, 4.6))
for row, by_kind in enumerate(wrong.values()):
    for shift, (kind, yes) in zip((-0.22, 0, 0.22), by_kind.items(), strict=True):
        value, (low, high) = skill.rate(yes)
        ax.barh(row + shift, value, 0.2, color=COLOURS[kind], label=kind if row == 0 else None)
        ax.plot([low, high], [row + shift] * 2, color=plots.INK, lw=1.2)
ax.set(yticks=range(len(wrong)), yticklabels=list(wrong), ylim=(len(wrong) - 0.5, -0.5))
ax.set(xlabel="wrong answers (%)", xlim=(0, 100))
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
plots.show(fig, "repairs")

# %% [markdown]
# Read the rows in pairs.
# - **Repair one** leaves less than half of the hard-case errors, of both kinds, and ordinary accuracy hardly changes.
#   Without replay it is the best of all on ordinary scenes, and its hard cases are nearly as bad as at first: **it has forgotten**.
# - **Repair two** mends most of the bright and smooth cases, and few of the dim and bubbling ones. The controls say why. The map
#   alone does the first as well, without any second brightness: what helps is the smooth anvil beside the cores, marked
#   "no". The second brightness helps with some dim cases. Without a map it does nothing for bright ones.
#
# What did not improve: no repair is right on more than about two thirds of all hard cases. A contrast of 0.16 on a dim cloud is hard to see
# for you, too. Training longer, on more scenes, is a fair thing to try.
#
# Where does the second repair see convection? Its answer is a map, so look at it.

# %%
mapper = trained("convection_map")
some = {"ordinary": test.isel(sample=np.nonzero(label)[0][:2])}
some |= {kind: data.isel(sample=[0, 1]) for kind, data in hard.items()}
fig, axes = plt.subplots(2, 6, figsize=(10, 3.8))
for column, (kind, data) in enumerate(some.items()):
    yes = mapper.predict(world.as_input(data), verbose=0)[..., 0] > 0
    for i in range(2):
        top, bottom = axes[:, 2 * column + i]
        plots.picture(top, data.reflectance[i, 2], kind)
        plots.picture(
            bottom, 0.6 + 0.4 * yes[i], masks={"bubbling": data.truth_bubbling[i, 2].values}
        )
for ax, text in zip(axes[:, 0], ["picture", "map, and truth"], strict=True):
    ax.set_ylabel(text)
plots.show(fig, "answers")

# %% [markdown]
# ## 6. Type A: how much fuzzier is the atmosphere?
#
# Lesson 02 asked what single channels respond to. Letters and legs were easy to recognise. The lecture says that the atmosphere has fuzzy
# boundaries and few distinct parts. Measure it: take a channel, look for the eight samples that excite it most, and cut out the 18 x 18
# pixels that it sees there. **How alike are its favourites?** Their mean correlation, pair by pair, is 1 for the same picture each
# time and 0 for windows that have nothing in common. We compare the third convolution of the horse network with those of two
# networks of this lesson; all three see 18 x 18 pixels. Which will have the lowest?


# %%
def favourites(network, x, n=8):
    """Windows that excite each channel of the third convolution most, shape (window, 18, 18)."""
    third = keras.Model(network.input, network.layers[4].output)
    values = third.predict(x, verbose=0)[:, 2:14, 2:14]  # where the whole window is inside
    found = []
    for channel in np.moveaxis(values, -1, 0):
        top = np.argsort(-channel.max((1, 2)))[:n]
        if channel[top].max((1, 2)).min() > 0:  # excited by all of them
            places = [np.unravel_index(channel[i].argmax(), (12, 12)) for i in top]
            corners = [(4 * row + 1, 4 * column + 1) for row, column in places]
            pairs = zip(top, corners, strict=True)
            found.append([x[i, r : r + 18, c : c + 18].mean(-1) for i, (r, c) in pairs])
    return np.array(found)


def likeness(windows):
    """Mean correlation of all pairs of windows."""
    return np.corrcoef(windows.reshape(len(windows), -1))[np.triu_indices(len(windows), 1)].mean()


# %%
horse = networks.clever_hans()
load_weights(horse, "clever_hans")
asked = {"horse network": (horse, worlds.open_world("clever_hans").picture.values)}
asked |= {n: (trained(NETWORKS[n]), x[:200]) for n in ("first network", "repaired")}
best = {name: favourites(*pair) for name, pair in asked.items()}
alike = {name: np.array([likeness(w) for w in windows]) for name, windows in best.items()}
fig, axes = plt.subplots(3, 8, figsize=(9, 3.9))
for row, (name, windows) in zip(axes, best.items(), strict=True):
    order = np.argsort(alike[name])
    for k, channel in enumerate(order[[-len(order) // 4, len(order) // 2]]):
        for ax, window in zip(row[4 * k : 4 * k + 4], windows[channel], strict=False):
            plots.picture(ax, window)
        row[4 * k].set_title(f"likeness {alike[name][channel]:.2f}", fontsize=10)
    row[0].set_ylabel(name)
plots.show(fig, "favourites")
for name, values in alike.items():
    print(f"{name}: mean likeness of favourites {values.mean():.2f} over {len(values)} channels")

# %% [markdown]
# The first network is hardly fuzzier than the horse network: what it likes is the edge of a bright cloud, and one edge looks like the next.
# The repaired network is. It uses the bubbling, and no two domes are alike. So the lecture's remark holds for the network
# that looks at the right thing, and **a sharp Type A picture was a bad sign here**.
#
# ## 7. Try it yourself
#
# A shield with a bubbling side. Change its brightness, its texture, and the sun. Then put `"first network"` in the place of
# `"repaired"` and run the cell again: which slider moves the probability now?

# %%
panel_scenes = [replace(s, sun_azimuth=135.0) for s in storms[:8]]
draw = panel.prepare(singles["repaired"], panel_scenes)
panels.panel(
    draw,
    "panel",
    number=IntSlider(0, 0, 7, description="scene"),
    brightness=FloatSlider(0.7, min=0.2, max=0.9, step=0.05, description="brightness"),
    texture=FloatSlider(0.25, min=0, max=0.6, step=0.05, description="texture"),
    sun=IntSlider(30, 10, 75, description="sun's zenith angle"),
)

# %% [markdown]
# ## 8. From here to the real thing
#
# > **The lecture says**: two output neurons, five pictures. **The paper** is the later version: its network gives
# > a map of convection, as in repair two, and also reads channel 14 (11.2 µm), whose cloud-top temperature tells a
# > deep cloud from a low one; its truth is radar's type of precipitation [@lee2021].
#
# > **What is too easy here.** Our decks are smooth; real stratocumulus has cells, too, and so a texture. Our truth is exact; radar
# > sees rain, not bubbling. And no cloud here hides another.
#
# > **Your own loop.** `utils.readers.abi` reads channel 2 files of level 1b into the same dataset:
# >
# >     from utils.readers import abi
# >     loop = abi.read(files, row=800, column=1200)
# >     says_convection(model, loop)
# >
# > It wants five files two minutes apart, and refuses other channels, moved sectors and bad pixels. Do not trust the answer: these networks
# > have never seen a real cloud.
#
# ## In this lesson you
#
# - saw a detector pass its test with a shortcut,
# - made heat maps for the difference of two outputs, picture by picture,
# - turned "it looks at brightness" into two correlations, and set them beside controls,
# - proved it with matched pairs, and found where it turns into errors,
# - repaired the network twice, and saw which part of a repair did the work,
# - measured how alike the favourites of a channel are, where clouds have no letters.
#
# Next: [07 GOES to radar](07_goes_to_mrms.ipynb), the second application: an output that is an image.
#
# ## Quiz
#
# <details><summary>1. Relevance correlates with brightness at 0.6. Does the network use brightness?</summary>
#
# You cannot know. Under the alpha-beta rule relevance is in proportion to the input, and a network trained on
# texture alone has such a correlation as well. Compare with controls, then change the pictures.
#
# </details>
#
# <details><summary>2. Why smooth the clouds of the test, instead of taking other, smooth clouds?</summary>
#
# Other clouds differ in more than texture: shape, size, brightness. A matched pair differs in one thing, so
# the change of the answer has one cause.
#
# </details>
#
# <details><summary>3. POD and FAR on the test set were excellent. What was missing in that set?</summary>
#
# Cases in which the two clues disagree. Both strategies give the same answers where they agree.
#
# </details>
#
# <details><summary>4. A repair needs two changes at once. How do you find out which one worked?</summary>
#
# Train a control for each change alone, and test all of them on the same cases.
#
# </details>
#
# ## Claims
#
# What the lecture says, and what was measured here, on sequences that no network was trained on. Goals were set before
# the measurement; intervals are 95 %. Skip the code, read the cards.


# %% tags=["claims"]
def fuzzier(name):
    """How much less alike favourites are than in the horse network, with its 95 % interval."""
    rng, pair = np.random.default_rng(0), (alike["horse network"], alike[name])
    resampled = [[rng.choice(v, v.size).mean() for v in pair] for _ in range(1000)]
    low, high = np.percentile([a - b for a, b in resampled], [2.5, 97.5])
    return pair[0].mean() - pair[1].mean(), (low, high)


RESULT = 'slide: LRP result for our "convection ANN"'
FIRST = follows["first network"]
claims.record(
    "convection-looks",
    "LRP shows that this network looks primarily for high brightness.",
    RESULT,
    "correlation of relevance with brightness minus that with texture",
    *skill.bootstrap(np.mean, FIRST["brightness"] - FIRST["texture"]),
    "> 0",
)
claims.record(
    "convection-texture",
    "The network does not focus on texture.",
    RESULT,
    "answers that turn when a cloud is smoothed and its brightness is kept",
    *skill.rate(turned["first network"]["smoothed"]),
    "<= 5",
    "%",
    negative=True,
)
claims.record(
    "convection-hard",
    "A network that misses the texture signal is sub-optimal.",
    RESULT,
    "wrong answers where brightness and texture disagree",
    *skill.rate(np.concatenate([wrong["first network"][kind] for kind in hard])),
    ">= 50",
    "%",
)
claims.record(
    "convection-fuzzy",
    "Patterns in layers are more pronounced for cats and dogs than for the weather.",
    "slide: Visualization – Type A",
    "likeness of a channel's favourites in the horse network minus that in the first network",
    *fuzzier("first network"),
    "> 0",
)


# %% tags=["claims"]
def left(repair, *kinds):
    """Errors after a repair over errors before, in per cent."""
    both = [[wrong[name][k] for k in kinds] for name in ("first network", repair)]
    before, after = (np.concatenate(parts) for parts in both)
    return skill.bootstrap(lambda a, b: 100 * b.sum() / a.sum(), before, after)


BRIGHT, DIM = hard
PRE_TRAIN = "Pre-training on samples that mainly have texture makes the network focus on it, too."
SEGMENT = "Reformulating the task as segmentation makes the network focus on texture, too."
for id, sentence, text, result in [
    ("one", PRE_TRAIN, "errors left in hard cases", left("repair one", *hard)),
    ("two-bright", SEGMENT, "errors left in bright, smooth cases", left("repair two", BRIGHT)),
    ("two-dim", SEGMENT, "errors left in dim, bubbling cases", left("repair two", DIM)),
]:
    claims.record(f"convection-{id}", sentence, RESULT, text, *result, "<= 50", "%")

# %% [markdown]
# ## References
#
# - [@lee2021]: detecting convection with GOES-16
# - [@montavon2018]: the alpha-beta rule
# - [@lecture]: the lecture
#
# *Pictures:* the horse world uses, among others, parts of photographs by
# [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and
# [vultilion](https://www.flickr.com/photos/vultilion/6056698931/), under
# [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), cropped, recoloured and reduced;
# [data/README.md](../data/README.md#pictures-used-and-their-licences) names all of them.
