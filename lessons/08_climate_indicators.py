# %% [markdown]
# # 08 Climate indicators
#
# ![Three maps of temperature change, of 1930, 2000 and 2080](../pictures/climate_indicators.png)
#
# **Question:** a network names the year of a map of annual means. Which places give the year away?
#
# **Objectives:** you can
# - teach a network a year as fuzzy decades, and test it on climate models that it has never seen,
# - give a baseline the same help as the network before you compare the two,
# - average heat maps into indicator patterns, and test them against controls and by intervention,
# - tell which part of a pattern survives another seed, another penalty, another standardisation.
#
# **Minutes:** 75 teaching, 30 exercises. Sections 1 to 6 tell the story; 7 to 9 can wait.
#
# **Prerequisites:** NumPy arrays and lesson 00 (necessary); lesson 03 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import Dropdown, IntSlider
from sklearn.linear_model import Ridge

from utils import claims, course, features, lrp, networks, panels, plots, skill, worlds
from utils.check import climate_indicators as check
from utils.panels import climate_indicators as panel
from utils.plots import maps
from utils.weights import load_weights
from utils.worlds import climate as world
from utils.worlds.climate import fuzzy_years

course.start("08_climate_indicators", seed=0)

# %% [markdown]
# In lessons 01 and 06 we knew what a network *should* look at. This time we ask it to teach us something: the lecture calls it **science
# discovery**. A network learns to name the year of a map. To do so it must find patterns that rise above the weather of single years and
# the disagreement of climate models. LRP then shows us these patterns [@barnes2020].
#
# ## 1. What year is it?
#
# Our world is an ensemble of climate models, with annual means of temperature and precipitation from 1920 to 2099 in
# cells of 6 degrees. Three forcings change its climate: greenhouse gases, aerosol (fine particles that cool the region below
# them) and volcanoes. Each model responds with a strength and a pattern of its own, its **forced signal**. A *member* is
# one run of a model; members share the signal and differ in their **internal variability**, such as the
# years of their El Niños. How much single years vary (their standard deviation) is the **noise**.
#
# We train on 20 models with three members each and test on 16 others, which we also run without aerosol, for section 6. One more run plays the *observations*: it ends in
# 2024, warms a little less, varies more, and has errors of measurement. All maps show the change since the
# same run's mean of 1920 to 1949.

# %%
train = world.simulate(20, seed=worlds.TRAINING, members=3)
test = world.simulate(16, seed=worlds.CLAIMS)
observed = world.simulate(1, seed=worlds.CLAIMS + 1000, setting="observations")
area = world.weights()  # of each cell, mean 1
row, column = np.meshgrid(world.LAT, world.LON, indexing="ij")
tropics = abs(row) < 22
train_maps, train_years = world.anomalies(train)
test_maps, test_years = world.anomalies(test)
clean_maps, _ = world.anomalies(
    world.simulate(16, seed=worlds.CLAIMS, forcings=["greenhouse", "volcanoes"])
)
rain_mean, rain_deviation = world.scale(*world.anomalies(train, "pr"))  # for section 9
del train  # the largest array, in a lesson of 1.5 GB
late = test_years >= 1990
final = (world.signal(test) * area).mean(("lat", "lon")).isel(year=-1).values
spread = 100 * final.std() / final.mean()
print(f"{len(train_maps)} training maps")
print(f"warming of the test models by 2099: {final.mean():.1f} K ± {spread:.0f} %")

# %% tags=["figure"]
game = [180 * model + year for model, year in enumerate((70, 25, 150, 100, 45, 125))]
fig, axes = maps.globes(2, 3, (10, 3.7))
for ax, i, letter in zip(axes.flat, game, "ABCDEF", strict=True):
    drawn = maps.draw(ax, test_maps[i], letter, limit=5)
maps.bar(fig, drawn, axes, "change since 1920-49 (K)")
plots.show(fig, "six-maps")

# %% [markdown]
# Above are six maps from six models, all in one colour range. What years do they show?
#
# ### Exercise 1: your own years
#
# Write down six years, for A to F. You will get a score, which you can compare with the network's later.
#
# <details><summary>Hint</summary>
#
# The globe warms little before 1970, and by about 3 K until the end (printed above). Then look at regions.
#
# </details>

# %% tags=["exercise"]
guessed = [..., ..., ..., ..., ..., ...]

# %% tags=["solution"]
# What the global mean alone says.
train_mean, test_mean = ((m * area).mean((1, 2)) for m in (train_maps, test_maps))
guessed = np.polyval(np.polyfit(train_mean, train_years, 3), test_mean[game])

# %% tags=["check"]
check.guesses(guessed, test_years[game])

# %% [markdown]
# Late maps are easily told from early ones, because they are red nearly all over. Early maps are
# hard to tell from each other. To see why, follow three cells over time. **Which is the better
# indicator, the Arctic or the tropical Atlantic?** Decide by the figure, before you run the cell after it.

# %% tags=["figure"]
cells = {"Arctic": (81, 3), "tropical Atlantic": (3, -27), "south of Greenland": (57, -33)}
fig, axes = plt.subplots(1, 3, figsize=(10, 2.7), sharey=True)
for ax, (name, (lat, lon)) in zip(axes, cells.items(), strict=True):
    one = {"lat": lat, "lon": lon}
    start = test.tas.sel(year=world.BASE).mean("year")
    ax.plot(test.year, (test.tas - start).sel(one)[0, 0], color=plots.GREY, lw=1)
    ax.plot(test.year, world.signal(test).sel(one)[0], color=plots.ORANGE)
    ax.set(title=name, xlabel="year")
axes[0].set_ylabel("change (K)")
plots.show(fig, "cells")

# %%
ratio = world.signal_to_noise(test)
for name, (lat, lon) in cells.items():
    last = float(ratio.sel(lat=lat, lon=lon)[0, -1])
    print(f"{name}: signal / noise in 2099 is {last:.0f}")

# %% [markdown]
# The Arctic warms most, but its years differ widely. The tropical Atlantic warms less than half as much and is quiet, and that makes it the
# better indicator. What counts is **signal-to-noise**, the change in units of an ordinary year's swing: at 0.5
# any year may hide the change, and at 5 no year can. South of Greenland it even cools a little. (The notches in the signal are
# volcanoes. The spike of 1993 south of Greenland is chance: internal variability of this one run.)
#
# ## 2. The network
#
# Two hidden layers of 20 units lead to 20 outputs, one for each decade. The outputs are *logits*. A softmax turns them into
# probabilities: it takes the exponential of each and divides by their sum. A *ridge penalty* on the first layer makes
# large weights costly, by the sum of their squares. Size, penalty, labels and training (SGD, binary cross-entropy)
# follow the published code [@labe2021].
#
# The network does not see kelvins. In each cell we subtract the mean of all training maps and divide by their standard deviation,
# which `world.scale` works out, so that every cell varies by about 1. Remember this choice: section 5 changes it.
#
# The decades are fuzzy: a year is shared between the two nearest ones. 1990 belongs half to the decade around 1985 and half to that
# around 1995, 1995 belongs to its own alone, and 2002 is split 30 to 70 between those around 1995 and 2005.

# %% [markdown]
# To read a year off the probabilities, we take the mean of the decades' centres, each weighted by its probability. `fuzzy_years.year`
# does that. And we call a run *recognised for good* from the year on after which all of its maps get later years than any of its maps of 1920 to
# 1949. Trained weights come with the course. With `RETRAIN = True` you train the network yourself, which takes about a minute.

# %%
from tensorflow import keras

mean, deviation = world.scale(train_maps, train_years)
x, train_x, clean_x = (
    np.float32((some - mean) / deviation) for some in (test_maps, train_maps, clean_maps)
)
model = networks.year_of_map(seed=0)

RETRAIN = False
if RETRAIN:
    fuzzy_years.fit(model, train_x, train_years)
else:
    load_weights(model, "climate")


def load(name, ridge=0.01):
    """A network with the shipped weights of that name."""
    network = networks.year_of_map(ridge=ridge)
    load_weights(network, name)
    return network


def year_of(some, network=model):
    """The year that a network reads from each standardised map."""
    return fuzzy_years.year(network.predict(np.float32(some), verbose=0))


# %%
def recognised(years, says):
    """First year from which on all maps are dated later than any of 1920 to 1949."""
    confused = says <= says[years < 1950].max()
    return years[np.nonzero(confused)[0][-1]] + 1


dated = year_of(x)
good = abs(dated - test_years) <= 5  # used from section 4 on
observed_maps, observed_years = world.anomalies(observed)
observed_x = np.float32((observed_maps - mean) / deviation)
fig, ax = plt.subplots(figsize=(6, 4))
ax.plot(test_years, dated, ".", color=plots.GREY, ms=2, label="16 new models")
ax.plot(observed_years, year_of(observed_x), color=plots.ORANGE, lw=1.2, label="observations")
ax.plot([1920, 2099], [1920, 2099], color=plots.INK, lw=1)
ax.set(xlabel="true year", ylabel="predicted year")
ax.legend()
plots.show(fig, "dated")
since = np.array([recognised(test_years[:180], run) for run in dated.reshape(16, 180)])
print(
    f"recognised for good: half of the runs since {np.median(since):.0f}, all since {since.max()}"
)
answers = ", ".join(f"{letter} {dated[i]:.0f}" for letter, i in zip("ABCDEF", game, strict=True))
off = abs(dated[game] - test_years[game]).mean()
print(f"the six maps of the game: {answers}; off by {off:.0f} years")

# %% [markdown]
# As long as there is no signal, there is nothing to read, and the network answers with a year in the middle of the quiet
# decades. Around 1991 many maps are dated too early: a volcano cooled them for a year or two, and cold means early here. The ceiling near
# 2095 comes from training: no label has most of its share in a later decade.
#
# ## 3. Is it more than the global mean?
#
# The later, the warmer: perhaps the network does no more than take the temperature of the globe. So we let three methods date
# the same maps. The first gets nothing but the global mean, from which a year is fitted. The second is ridge regression: linear regression on all cells with a ridge penalty, which is chosen on five training
# models left out (it uses every third year, to save time). The third is the network.
#
# Then we take its global mean away from each map, so that only the *pattern* is left, and train again. **By how many
# years will the two be off after 1990, from the pattern alone?**

# %% tags=["guess"]
guess = {"ridge, pattern only": None, "network, pattern only": None}


# %%
def ridge(a, b, target, read):
    """Years of maps b: ridge regression finds a target from maps a, and its result is read."""
    flat_a, flat_b = (m.reshape(len(m), -1) for m in (a, b))
    part, held = slice(0, 15 * 540, 3), slice(15 * 540, None)

    def off(penalty):
        found = Ridge(penalty).fit(flat_a[part], target[part]).predict(flat_a[held])
        return abs(read(found) - train_years[held]).mean()

    best = min((10, 100, 1000, 10000), key=off)
    return read(Ridge(best).fit(flat_a[::3], target[::3]).predict(flat_b))


train_mean, test_mean = ((m * area).mean((1, 2)) for m in (train_maps, test_maps))
train_p, test_p = (np.float32(world.without_global_mean(m)) for m in (train_maps, test_maps))
shift, width = world.scale(train_p, train_years)
train_p, test_p = (train_p - shift) / width, (test_p - shift) / width
as_it_is = {"target": np.float32(train_years), "read": np.asarray}
by = {
    "global mean": np.polyval(np.polyfit(train_mean, train_years, 3), test_mean),
    "ridge": ridge(train_x, x, **as_it_is),
    "network": dated,
    "ridge, pattern only": ridge(train_p, test_p, **as_it_is),
    "network, pattern only": year_of(test_p, load("climate_pattern")),
}


# %% tags=["figure"]
def dot(ax, at, result, colour, digits=1, label=None):
    """Draw a value with its interval on a row, and write it behind."""
    value, (low, high) = result
    error = [[value - low], [high - value]]
    ax.errorbar(value, at, xerr=error, fmt="o", color=colour, label=label)
    end, shift, side = (low, -4, "right") if value < 0 else (high, 4, "left")
    style = {"textcoords": "offset points", "va": "center", "ha": side, "fontsize": 9}
    style["bbox"] = {"fc": "white", "ec": "none", "pad": 0.5}
    ax.annotate(f"{round(value, digits) + 0:.{digits}f}", (end, at), (shift, 0), **style)


def draw_errors(ax, by):
    """Draw the mean error of each method after 1990, with its interval over models."""
    for i, (name, says) in enumerate(by.items()):
        off = abs(says - test_years)[late].reshape(16, -1).mean(1)
        colour = plots.ORANGE if "network" in name else plots.BLUE
        dot(ax, i, skill.jackknife(np.mean, off), colour)
    ax.set(yticks=range(len(by)), yticklabels=list(by), ylim=(len(by) - 0.5, -0.5), xlim=(0, 27))
    ax.set_xlabel("mean error after 1990 (years)")


fig, ax = plt.subplots(figsize=(7, 2.4))
draw_errors(ax, by)
plots.guess_marks(ax, guess, {name: i for i, name in enumerate(by)})
plots.show(fig, "errors")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# The global mean alone does about as well as the network. That is our world's doing: its models agree on the global mean within
# some ten per cent, and real ones do not. From the pattern alone, the network seems to be nearly twice as good as ridge
# regression. A fine result for deep learning, one might say.
#
# But look again. One number, the global mean, beats ridge regression on all 1,800 cells, which contain that number. Something
# is wrong with the baseline.
#
# </details>
#
# **Think.** What did the global mean get that ridge regression did not?
#
# <details><summary>An answer</summary>
#
# A curve. The calendar year is not linear in warming: until 1960 the years go by and hardly anything changes, and a linear map has to
# fit them all. The global mean was given a cubic for that. The network bends by itself.
#
# </details>
#
# So we help ridge regression as much. It no longer has to name the year. It finds how far the *training models' mean warming* has come,
# in kelvins, and then the year is read off the curve of that warming. Both steps use training models only.

# %%
years = test_years[:180]
warming = train_mean.reshape(60, 180).mean(0)  # of each year, over models and members
rising = np.maximum.accumulate(warming) + 1e-6 * np.arange(180)  # volcanoes do not turn it back
helped = {
    "target": np.float32(warming[train_years - 1920]),
    "read": lambda kelvin: np.interp(kelvin, rising, years),
}
fair = {
    "global mean": by["global mean"],
    "ridge": ridge(train_x, x, **helped),
    "network": dated,
    "ridge, pattern only": ridge(train_p, test_p, **helped),
    "network, pattern only": by["network, pattern only"],
}
fig, (ax, right) = plt.subplots(1, 2, figsize=(10, 2.6), width_ratios=(2, 3))
ax.plot(years, warming, color=plots.INK)
ax.plot([1920, helped["read"](2), helped["read"](2)], [2, 2, 0], color=plots.BLUE, ls=":")
ax.set(xlabel="year", ylabel="mean warming (K)", xlim=(1920, 2099), ylim=(-0.2, 3.6))
draw_errors(right, fair)
plots.show(fig, "errors-fair")
del train_p, test_p
gap = [abs(fair[f"{name}, pattern only"] - test_years)[late] for name in ("ridge", "network")]
gap = skill.jackknife(np.mean, (gap[0] - gap[1]).reshape(16, -1).mean(1))
print("ridge minus network: {:.1f} years ({:.1f} to {:.1f})".format(gap[0], *gap[1]))

# %% [markdown]
# The gap has closed. From the pattern alone, a linear map and one curve are off by 10.3 years and the network by 9.8, and the interval of the
# difference reaches well to both sides of zero. The network's lead over the first ridge regression was real, but it measured how poorly we had set
# up the baseline. **A baseline must be helped as much as the network.** It is easy to stop helping it once the network has won.
# Here, linear regression and one curve would have done.
#
# **A leak.** We test on models that the network has never seen. Had we drawn test maps at random from all years of all models, as one does
# with pictures of cats, each model would be in both sets. What would that have changed? Fit ridge regression to every fourth year of
# the training models, and date their odd years after 1990, and then the new models.

# %%
even, odd = train_years % 4 == 0, (train_years % 2 == 1) & (train_years >= 1990)
fit = Ridge(100).fit(train_x[even].reshape(even.sum(), -1), helped["target"][even])
for name, some, true in [
    ("the same models", train_x[odd], train_years[odd]),
    ("new models", x[late], test_years[late]),
]:
    off = abs(helped["read"](fit.predict(some.reshape(len(some), -1))) - true).mean()
    print(f"{name}: off by {off:.1f} years")
del train_x

# %% [markdown]
# In runs that it has seen, in years that it has not, the error looks three times smaller. The fit has learned these models' own
# patterns, and each odd year lies next to years of the same run that it was trained on. Split by model, not by year.
#
# ## 4. Indicator patterns
#
# We follow the published recipe: LRP $\alpha_1\beta_0$ (lesson 03: only what speaks for the output is handed down) of the decade with the
# largest logit. Each heat map is divided by its mean over all cells, and then averaged over the maps of a period. Only maps that are dated well take part, because
# the heat map of a poor prediction explains a mistake. The published code keeps maps dated within two years where decades are
# fuzzy, as here [@labe2021]; we take five, to keep more of them. (A chosen logit can be negative, and then relevance
# flips its sign. Dividing by the mean undoes that.)
#
# **Guess first: which places will give 1960-79 away, and which 2060-79?** Point at the six maps of the game.
#
# Above you see relevance per area, as a mean over models; 1 is the mean of the globe. Below is the truth that only a made
# world has, signal-to-noise. Each lower panel has its own scale.

# %%
PERIODS = {"1960-79": (1960, 1980), "2000-19": (2000, 2020), "2060-79": (2060, 2080)}
within = {name: (test_years >= a) & (test_years < b) for name, (a, b) in PERIODS.items()}
in_periods = np.any(list(within.values()), 0)


def heat_maps(network, x, wanted=in_periods):
    """Relevance of the strongest decade, each map divided by its mean; of wanted maps only."""
    result = np.zeros(x.shape, np.float32)
    found = lrp.relevance(network, x[wanted], "alpha_1_beta_0", layers=False).input
    mean = found.mean((1, 2), keepdims=True)  # negative where the logit is
    result[wanted] = np.divide(found, mean, out=np.zeros_like(found), where=mean != 0)
    return result


def by_model(values, chosen):
    """Mean over the chosen maps of each model that has some; and which models these are."""
    values, chosen = values.reshape(16, 180, 30, 60), chosen.reshape(16, 180)
    which = np.nonzero(chosen.any(1))[0]
    return np.array([values[i, chosen[i]].mean(0) for i in which]), which


relevance = heat_maps(model, x)
pattern = {name: by_model(relevance, good & inside)[0] for name, inside in within.items()}
for name, maps_of in pattern.items():
    print(f"{name}: {(good & within[name]).sum()} of 320 maps, from {len(maps_of)} of 16 models")

# %% tags=["figure"]
late_pattern = pattern["2060-79"].mean(0)
true_ratio = {
    name: abs(ratio).sel(year=slice(a, b - 1)).mean("year").values
    for name, (a, b) in PERIODS.items()
}
fig, axes = maps.globes(2, 3, (10.5, 3.9))
for (above, below), name in zip(axes.T, PERIODS, strict=True):
    title = f"{name}, mean of {(good & within[name]).sum()} maps"
    drawn = maps.draw(above, pattern[name].mean(0) / area, title, limit=4, low=0, cmap="magma")
    truth = true_ratio[name].mean(0)
    most = np.percentile(truth, 99)
    maps.bar(
        fig, maps.draw(below, truth, limit=most, low=0, cmap="viridis"), below, "signal / noise"
    )
drawn.norm.extend = "max"  # some cells lie above the end of the colours
maps.bar(fig, drawn, axes[0, 2], "relevance\nper area")
plots.show(fig, "patterns")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In **1960-79** relevance is brightest over Europe and eastern North America. In **2000-19** it is brightest over China, with a smaller spot
# near the Antarctic Peninsula. In **2060-79** it has spread: much of it lies over the oceans of low latitudes, and
# a small bright spot south of Greenland. Of these maps fewer than half are dated well enough to count.
#
# Aerosol came first from the industry of North America and Europe, and later from China's. We know, because we built it in. The network was told
# nothing but years. It looks as if LRP had discovered the history of air pollution.
#
# Signal-to-noise, below, is large over the quiet tropical oceans in all three periods. In 1960-79 it is raised over
# Europe and eastern North America too, but in 2000-19 China is one of its darkest places, because there aerosol has just cancelled the warming.
#
# </details>
#
# ### Exercise 2: how dense is relevance in the tropics?
#
# The recipe gives relevance per cell, and cells shrink towards the poles. To compare regions we need a density, as in
# lesson 01: a region's share of relevance over its share of the area. `late_pattern`, `tropics` (True within 21 degrees of the
# equator) and `area` have the shape (lat, lon). Give the density in the tropics. (Four more places follow in the figure.)
#
# <details><summary>Hint</summary>
#
# `late_pattern` holds relevance per cell: add it up. `area` holds areas: add them up as well.
#
# </details>

# %% tags=["exercise"]
dense = ...

# %% tags=["solution"]
dense = (late_pattern[tropics].sum() / late_pattern.sum()) / (area[tropics].sum() / area.sum())

# %% tags=["check"]
check.density(dense, late_pattern, tropics, area)


# %% tags=["figure"]
def box(lat, lon):
    """The cells around a place."""
    return (abs(row - lat) < 11) & (abs((column - lon + 180) % 360 - 180) < 22)


PLACES = {"Europe": box(50, 15), "eastern North America": box(40, -85), "China": box(32, 110)}
PLACES["south of Greenland"] = box(54, -34)
colours = dict(zip(PERIODS, (plots.BLUE, plots.GREEN, plots.ORANGE), strict=True))
fig, ax = plt.subplots(figsize=(8, 2.6))
for i, inside in enumerate(PLACES.values()):
    for k, (name, colour) in enumerate(colours.items()):
        of_models = pattern[name][:, inside].sum(1) / area[inside].sum()
        label = None if i else name
        dot(ax, i + 0.24 * (k - 1), skill.jackknife(np.mean, of_models), colour, 1, label)
ax.axvline(1, color=plots.INK, lw=1, ls=":")
ax.set(yticks=range(4), yticklabels=list(PLACES), ylim=(3.6, -0.6), xlim=(0, 7))
ax.set_xlabel("density of relevance (the globe's mean: 1)")
ax.legend()
plots.show(fig, "places")

# %% [markdown]
# The numbers agree with the eye. In 1960-79 relevance is about three times as dense over eastern North America as on the globe, and four
# times over Europe. By 2060-79 both have less than their share. China has five times its share in 2000-19. South of Greenland relevance is no less dense in 2000-19 (2.0) than in 2060-79 (1.7), and the later interval is wide: there the models differ.
#
# The intervals here and below are jackknife intervals over models: leave each model out once, and see how much the result varies. They hold
# for this one trained network; section 8 trains others.
#
# ## 5. Does it follow the truth?
#
# We compare whole maps by their *rank correlation*: put all cells in order, once by relevance and once by the truth, and correlate the two
# orders. 1 means the same order, 0 nothing in common, -1 the reverse. Each cell counts by its area. The truth is signal-to-noise; for
# contrast we also take the plain change, without the noise.
#
# A correlation alone says little. So there are two **controls**: the heat maps of networks with the same architecture and *random
# weights*, and the size of the *input alone*, with no network at all.
#
# **What rank correlation with signal-to-noise do you expect in 2060-79?**

# %% tags=["guess"]
guess = {"LRP": None, "random weights": None, "input alone": None}


# %%
def agreement(maps_of, good, name, truth):
    """Rank correlation of mean maps with a truth by model, with its interval over models."""
    some, which = by_model(maps_of, good & within[name])
    return skill.jackknife(
        lambda a, b: skill.weighted_rank_correlation(a.mean(0), b.mean(0), area), some, truth[which]
    )


def with_controls(network_maps, x):
    """Maps of a network, of random weights (the mean of three networks), and of the input."""
    blind = sum(heat_maps(networks.year_of_map(seed=100 + i), x) for i in range(3)) / 3
    return {"LRP": network_maps, "random weights": blind, "input alone": abs(x)}


rows = with_controls(relevance, x)
scores = {
    (name, row): agreement(values, good, name, true_ratio[name])
    for name in PERIODS
    for row, values in rows.items()
}

# %%
change = abs(world.signal(test))
for name, (a, b) in PERIODS.items():
    plain = change.sel(year=slice(a, b - 1)).mean("year").values
    value, (low, high) = agreement(relevance, good, name, plain)
    print(f"{name}: LRP with the plain change {round(value, 2) + 0:.2f} ({low:.2f} to {high:.2f})")
near = skill.weighted_rank_correlation


def lead(maps_of, other, good):
    """By how much LRP follows signal-to-noise of 2060-79 better than a control does."""
    chosen = good & within["2060-79"]
    (one, which), (two, _) = (by_model(maps_of[row], chosen) for row in ("LRP", other))
    truth = true_ratio["2060-79"][which]
    return skill.jackknife(
        lambda a, b, c: near(a.mean(0), c.mean(0), area) - near(b.mean(0), c.mean(0), area),
        *(one, two, truth),
    )


value, (low, high) = lead(rows, "input alone", good)
print(f"2060-79: LRP minus the input alone {value:.2f} ({low:.2f} to {high:.2f})")

# %% tags=["figure"]
COLOURS = {"LRP": plots.ORANGE, "random weights": plots.BLUE, "input alone": plots.GREY}


def draw_scores(ax, scores, title):
    """Draw rank correlations by row, with their intervals."""
    for i, (name, result) in enumerate(scores.items()):
        dot(ax, i, result, COLOURS[name], 2)
    ax.axvline(0, color=plots.GREY, lw=0.8)
    ax.set(title=title, xlim=(-1.5, 1.5), xticks=[-1, 0, 1], xlabel="rank correlation")
    ax.set(yticks=range(3), yticklabels=list(scores), ylim=(2.5, -0.7))


fig, axes = plt.subplots(1, 3, figsize=(10.5, 2.2), sharey=True)
for ax, name in zip(axes, PERIODS, strict=True):
    draw_scores(ax, {row: scores[name, row] for row in rows}, name)
plots.guess_marks(axes[2], guess, {row: i for i, row in enumerate(rows)})
plots.show(fig, "correlations")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# In 2060-79 relevance follows signal-to-noise (0.69), but not so much better than the input that we can rule out chance: the difference is 0.17 (-0.05 to 0.38). It does not follow the plain change at all (printed above): as the Arctic and the tropical Atlantic
# suggested, a change counts against its noise. Random weights reach only 0.29, the input alone 0.52 with a wide interval, so much of
# the agreement may come from the maps themselves.
#
# In **2000-19** all three are negative. A likely reason, which we test below: the inputs are standardised with the mean over *all* years, and around 2010 a map lies close to
# it. Most inputs are nearly zero, and under LRP **a zero gets no relevance**. What is left is whatever differs from that
# mean, such as a China that has not warmed yet.
#
# </details>
#
# ### Other choices
#
# We made choices on the way. Now we change them and repeat the comparison for 2060-79: divide relevance
# by area, as in the maps above; keep only maps dated within two years, as published; and standardise with the mean and deviation
# of 1920 to 1959, when the deviation is nearly noise alone. The last one changes several things together: the zero, the scale, the network, which
# is trained on these inputs, and the maps that it dates well.

# %%
early_mean, early_deviation = world.scale(train_maps, train_years, until=1960)
early_x = np.float32((test_maps - early_mean) / early_deviation)
early = load("climate_early")
early_dated = year_of(early_x, early)
early_good = abs(early_dated - test_years) <= 5
early_rows = with_controls(heat_maps(early, early_x), early_x)
print(
    f"standardised early, off by {abs(early_dated - test_years)[late].mean():.1f} years after 1990"
)
by_area = {row: values if "input" in row else values / area for row, values in rows.items()}
choices = {
    "as above": (rows, good),
    "relevance per area": (by_area, good),
    "within two years": (rows, abs(dated - test_years) <= 2),
    "standardised early": (early_rows, early_good),
}
of_choices = {
    choice: {
        row: agreement(values, fine, "2060-79", true_ratio["2060-79"])
        for row, values in maps_of.items()
    }
    for choice, (maps_of, fine) in choices.items()
}
del train_maps, early_x, by_area, choices

# %% tags=["figure"]
fig, axes = plt.subplots(1, 4, figsize=(11, 2.2), sharey=True)
for ax, (choice, found) in zip(axes, of_choices.items(), strict=True):
    draw_scores(ax, found, choice)
plots.show(fig, "choices")

# %% [markdown]
# The stricter selection changes next to nothing. Per area, LRP falls to the level of the input alone, though random weights fall much
# further. With the early standardisation the order is reversed. The input alone, a change divided by noise, now agrees with signal-to-noise nearly
# perfectly. Random weights agree at 0.75, and the trained network agrees least, at 0.45, although it still dates maps to 6.7 years.
#
# What did the zero alone do? We can ask that without training. We shift the zero of the inputs to the mean of 1920 to 1959 and correct the first
# layer's biases so that *the same network gives the same answers*. (Another scale would not change LRP at all, since the weights make up for it.)

# %%
kernel, bias, *rest = model.get_weights()
same = networks.year_of_map(seed=0)
same.set_weights([kernel, bias + ((early_mean - mean) / deviation).reshape(-1) @ kernel, *rest])
zero_x = np.float32((test_maps - early_mean) / deviation)
print(f"largest difference in the years: {abs(year_of(zero_x, same) - dated).max():.4f}")
zero_relevance = heat_maps(same, zero_x)
for name in PERIODS:
    value, (low, high) = agreement(zero_relevance, good, name, true_ratio[name])
    china = by_model(zero_relevance, good & within[name])[0][:, PLACES["China"]].sum(1).mean()
    print(
        f"{name}: rank correlation {value:.2f} ({low:.2f} to {high:.2f}), "
        f"density over China {china / area[PLACES['China']].sum():.1f}"
    )
del zero_x, zero_relevance

# %% [markdown]
# The same network, maps and years, and another picture. In 2000-19 the correlation turns from -0.11 to 0.26, so the zero was indeed a reason, and China's
# density falls from 5.0 to 0.7. In 1960-79, now the closest period to the zero, it falls from 0.36 to -0.29. In 2060-79 it hardly changes. **A heat map
# answers "compared with what?"** Ours compare with the mean of all years.
#
# **A high agreement with the truth is no evidence for a network** until the controls are lower. None of these correlations tells us what the network does with a place. For that we have
# to change the place.
#
# ## 6. Change the place
#
# Relevance was brightest where aerosol cooled: over Europe and eastern North America in 1960-79, and over China in 2000-19. In our
# world we can take the aerosol away. The same models, run with greenhouse gases and volcanoes only, have the same
# El Niños in the same years. We paste their values into one region of each map, leave the rest, and ask for the year again.
# These are matched pairs, as in lesson 06.
#
# ### Exercise 3: erase the aerosol
#
# `as_is` and `without` hold the same maps of 1960-79 with and without aerosol, shape (map, lat, lon). `region` is True in eastern North
# America, shape (lat, lon), and `year_of(some)` gives the years of maps. Erase the aerosol *in the region only*, and give
# the mean number of years by which aerosol moves the answer.
#
# <details><summary>Hint</summary>
#
# `np.where(region, a, b)` takes from `a` inside the region and from `b` outside.
#
# </details>

# %% tags=["exercise"]
chosen, region = good & within["1960-79"], PLACES["eastern North America"]
as_is, without = x[chosen], clean_x[chosen]
moved = ...

# %% tags=["solution"]
chosen, region = good & within["1960-79"], PLACES["eastern North America"]
as_is, without = x[chosen], clean_x[chosen]
erased = np.where(region, without, as_is)
moved = (year_of(as_is) - year_of(erased)).mean()

# %% tags=["check"]
check.moved(moved, as_is, without, region, year_of)

# %% [markdown]
# Now for three regions.
# **By how many years does aerosol over a region move the answer?** Take the year with aerosol minus the year without.

# %% tags=["guess"]
guess = {"Europe, 1960-79": None, "eastern North America, 1960-79": None, "China, 2000-19": None}


# %%
def log_odds(z, decade):
    """Log-odds of one decade in each map: its probability against that of all others."""
    share = np.exp(z)
    own = share[np.arange(len(z)), decade]
    return np.log(own / (share.sum(1) - own))


def effect(region, chosen, others):
    """What a region does to the year, to the true decade's log-odds and to all logits, by model."""
    before, erased = x[chosen], np.float32(np.where(region, others[chosen], x[chosen]))
    z, z_erased = (model.predict(some, verbose=0) for some in (before, erased))
    true = abs(fuzzy_years.CENTRES - test_years[chosen, None]).argmin(1)
    three = (
        fuzzy_years.year(z) - fuzzy_years.year(z_erased),
        log_odds(z, true) - log_odds(z_erased, true),
        z - z_erased,
    )
    run = np.nonzero(chosen)[0] // 180
    return [np.array([one[run == i].mean(0) for i in np.unique(run)]) for one in three]


# %%
pairs = {
    f"{place}, {name}": (place, name) for name in list(PERIODS)[:2] for place in list(PLACES)[:3]
}
aerosol = {
    label: effect(PLACES[place], good & within[name], clean_x)
    for label, (place, name) in pairs.items()
}
for pair, (_, odds, _) in aerosol.items():
    value, (low, high) = skill.jackknife(np.mean, odds)
    print(f"{pair}: log-odds of the true decade {value:.3f} ({low:.3f} to {high:.3f})")

# %% tags=["figure"]
fig, axes = plt.subplots(1, 3, figsize=(11, 2.8), width_ratios=(3, 2, 2))
labels = "aerosol here moves the year by", "raises the true decade's log-odds by"
for k, (ax, label) in enumerate(zip(axes[:2], labels, strict=True)):
    for i, (pair, effects) in enumerate(aerosol.items()):
        colour = plots.BLUE if "1960" in pair else plots.GREEN
        dot(ax, i, skill.jackknife(np.mean, effects[k]), colour, 2)
    ax.axvline(0, color=plots.GREY, lw=0.8)
    ax.set(xlabel=label, yticks=range(6), ylim=(5.5, -0.5), yticklabels=[] if k else list(pairs))
axes[0].set_xlim(-0.7, 1.9)
axes[1].set_xlim(-0.06, 0.24)
axes[2].bar(fuzzy_years.CENTRES, aerosol["China, 2000-19"][2].mean(0), 8, color=plots.GREEN)
axes[2].axhline(0, color=plots.GREY, lw=0.8)
axes[2].set(xlabel="decade", ylabel="change of its logit", title="China, 2000-19")
plots.guess_marks(axes[0], guess, {pair: i for i, pair in enumerate(pairs)})
plots.show(fig, "aerosol")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# **In 1960-79 the discovery stands.** Europe and eastern North America together are less than 3 % of the globe, and the aerosol over each
# moves the answer by about a year. (The exercise took the mean over maps, the figure over models, so the two can differ by a hundredth.) The sign is a
# surprise: the aerosol cools each region and yet makes the answer *later*. Here cold is late, because the training models are cold there in just those decades.
#
# **In 2000-19 the year does not tell.** China was the brightest place of all, and its aerosol moves the answer by less than a fifth of a year. But look to the
# right: its cold raises the logits of 1995 to 2015 and lowers all others. That is what an indicator of a decade does. It speaks against earlier and
# later years alike, so their mean hardly moves. The odds of the true decade rise clearly, by about a third as much as Europe's did.
# **Europe shifts the year and sharpens it; China does little but sharpen it.** LRP explained one decade, and at first we had asked for the year.
#
# </details>
#
# In 2060-79 hardly any aerosol is left. There we use a coarser intervention: a region gets back the mean values of the same run's
# 1930s. And we follow our own advice and divide by area, relevance as well as years.

# %%
land = world.land().values > 0.5
REGIONS = {
    "tropical ocean": tropics & ~land,
    "tropical land": tropics & land,
    "Arctic": row > 66,
    "northern land": (row > 30) & (row < 66) & land,
    "Southern Ocean": (row < -46) & (row > -68),
    **PLACES,
}
chosen = good & within["2060-79"]
thirties = np.repeat(x.reshape(16, 180, 30, 60)[:, 10:20].mean(1), 180, 0)
per_area = {}
for name, region in REGIONS.items():
    share = 100 * area[region].sum() / area.sum()
    dense = pattern["2060-79"][:, region].sum(1) / area[region].sum()
    years_moved = effect(region, chosen, thirties)[0] / share
    per_area[name] = [skill.jackknife(np.mean, one) for one in (dense, years_moved)]
    print(f"{name}: {share:.1f} % of the area, {share * dense.mean():.0f} % of relevance")
whole = effect(area > 0, chosen, thirties)[0].mean() / 100

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(7, 3.4))
for name, ((at, across), (years_moved, along)) in per_area.items():
    bars = {"xerr": abs(np.array(across) - at), "yerr": abs(np.array(along) - years_moved)}
    bars = {axis: length[:, None] for axis, length in bars.items()}
    ax.errorbar(at, years_moved, **bars, fmt="o", color=plots.ORANGE, elinewidth=0.8)
    ha, shift = {
        "eastern North America": ("right", (22, 12)),
        "Europe": ("right", (8, -12)),
        "northern land": ("left", (6, -4)),
        "tropical land": ("left", (6, 5)),
        "tropical ocean": ("left", (6, 9)),
        "China": ("right", (-6, 0)),
    }.get(name, ("left", (6, 0)))
    style = {"textcoords": "offset points", "va": "center", "fontsize": 9, "ha": ha}
    ax.annotate(name, (at, years_moved), shift, **style)
ax.axhline(whole, color=plots.INK, lw=1, ls=":")
ax.axvline(1, color=plots.INK, lw=1, ls=":")
ax.set(xlabel="density of relevance (the globe's mean: 1)", xlim=(0, 2.8))
ax.set_ylabel("years for each 1 % of the area")
plots.show(fig, "regions")

# %% [markdown]
# The dotted lines show the globe as a whole. Seven points go roughly from lower left to upper right, as they would if relevance told how far a place moves
# the answer. The tropical ocean holds a third of all relevance because it is large; for its size it is near the average in both. But two
# places do not fit. China moves the answer nearly twice as much as its size would have it, and has no more relevance than its share. South of Greenland
# relevance seems densest, with an interval so wide that it may be average, and there the place hardly moves the answer.
#
# **Relevance of** $\alpha_1\beta_0$ **is of one sign by construction. It does not say in which direction a place speaks, nor how far it moves the
# answer.** And neighbouring cells tell the same story, and a network may read any of them.
#
# ## 7. What is typical of a decade?
#
# Which map would make the network surest of a decade? Start from zeros, the mean of all
# years, and climb along the slope in small steps of equal size, as Toms et al. did for modes of variability [@toms2020]. One can climb by the
# *odds* of a decade, which compare it with all others, or by its *logit* alone, which is what LRP explains. We try both for 2075.

# %%
surest = keras.Model(model.inputs, keras.layers.Softmax()(model.output))


def make_up(network, decade, odds):
    """A map that raises a decade's logit, or its odds, in 60 small steps."""
    unit = int(np.argmin(abs(fuzzy_years.CENTRES - decade)))
    slope_of = features.objective.find(network, None, unit, (30, 60), odds=odds)
    made = np.zeros((1, 30, 60))
    for _ in range(60):
        _, slope = slope_of(made)
        made += 0.03 * slope / np.sqrt((slope**2).mean())
    return made


made_up = {
    "2075, odds": make_up(surest, 2075, True),
    "2075, logit": make_up(model, 2075, False),
}

# %% tags=["figure"]
fig, axes = maps.globes(1, 2, (9, 2.3))
for ax, (name, made) in zip(axes.flat, made_up.items(), strict=True):
    title = f"{name}: dated {year_of(made)[0]:.0f}"
    drawn = maps.draw(ax, made[0] * deviation + mean, title, limit=5)
maps.bar(fig, drawn, axes, "change since\n1920-49 (K)")
plots.show(fig, "made-up")
for name, made in made_up.items():
    kelvin = made[0] * deviation + mean
    found = {place: kelvin[inside].mean() for place, inside in PLACES.items()}
    found["all land"] = np.average(kelvin[land], weights=area[land])
    print(f"{name}: " + ", ".join(f"{place} {value:.1f} K" for place, value in found.items()))

# %% [markdown]
# Climbing by the odds heats Europe and eastern North America to about 5 K, the places where LRP found less relevance in 2060-79
# than over most other land. The two methods seem to contradict each other. Climbing by the logit alone, which is what LRP
# explains, resolves it: now Europe gets about as much heat as all land, and eastern North America only half as much. In this network their heat hardly speaks
# *for* 2075. It speaks *against* the decades in which they were cold, and that raises the odds. Two methods that disagree may have answered
# two questions. (Neither map is a climate that could exist: the climb goes as far from all samples as one lets it.)
#
# ## 8. Which part is robust?
#
# Would another network give the same pattern? We compare ten that differ in their first random weights only, and one that was trained without
# the ridge penalty.

# %%
late_period = within["2060-79"]


def late_pattern_of(network):
    """Mean relevance of a network's well-dated maps of 2060 to 2079."""
    fine = np.zeros(len(x), bool)
    fine[late_period] = abs(year_of(x[late_period], network) - test_years[late_period]) <= 5
    return by_model(heat_maps(network, x, fine), fine)[0].mean(0)


several = [late_pattern, *(late_pattern_of(load(f"climate_seed_{i}")) for i in range(1, 10))]
several = np.array(several)
alike = [
    skill.weighted_rank_correlation(a, b, area) for i, a in enumerate(several) for b in several[:i]
]
free = load("climate_no_ridge", ridge=0.0)
unpenalised = late_pattern_of(free)
print(f"two seeds agree: {np.mean(alike):.2f} on average ({min(alike):.2f} to {max(alike):.2f})")
for name, network in {"with ridge": model, "without": free}.items():
    off = abs(year_of(x[late], network) - test_years[late]).mean()
    print(f"{name}: off by {off:.1f} years after 1990")

# %% tags=["figure"]
fig, axes = maps.globes(1, 3, (10.5, 2))
drawn = maps.draw(axes[0, 0], several.mean(0) / area, "mean of ten seeds", 4, "magma", 0)
maps.draw(axes[0, 1], unpenalised / area, "no ridge", 4, "magma", 0)
maps.bar(fig, drawn, axes[0, :2], "relevance\nper area")
spread_of = maps.draw(axes[0, 2], several.std(0) / area, "spread of ten seeds", 1, "magma", 0)
maps.bar(fig, spread_of, axes[0, 2], "deviation")
plots.show(fig, "seeds")

# %% [markdown]
# With the penalty, ten seeds agree closely. Their pattern is a property of the data and of the recipe, and not of one network's luck. Without it the
# heat map is speckle, although the years are nearly as good. Be careful with a single bright cell.
#
# ## 9. Try it yourself
#
# Slide through the years. Where do the bright spots go, and from when on does the answer follow the year, as the dots of section 2 showed? Then take the observations
# (they end in 2024). What does the network say to 1990, 1991 and 1993? Precipitation is the hardest: its change has both signs and is small
# beside the noise, and another network, trained on it, is much further off (printed below).
#
# <details><summary>What we saw</summary>
#
# The answer follows the year from the 1960s or 70s on. The bright spots differ from year to year, and on the whole move as in section 4. The
# observations of 1990 are dated 1992. The volcano of 1991 throws the answer back to 1966, and two years later it says 1983: cold is early.
#
# </details>

# %%
rain_maps, _ = world.anomalies(test, "pr")
rain_x = np.float32((rain_maps - rain_mean) / rain_deviation)
rain = load("climate_pr")
off = abs(year_of(rain_x, rain) - test_years)[late].mean()
print(f"from precipitation, off by {off:.1f} years after 1990")
choices = {
    "temperature, a new model": dict(network=model, maps=test_maps[:180], x=x[:180], units="K"),
    "temperature, observations": dict(network=model, maps=observed_maps, x=observed_x, units="K"),
    "precipitation, a new model": dict(
        network=rain, maps=rain_maps[:180], x=rain_x[:180], units="mm/day"
    ),
}
for name, one in choices.items():
    one["years"] = observed_years if "observations" in name else test_years[:180]
draw = panel.prepare(choices)
panels.panel(
    draw,
    "panel",
    run=Dropdown(options=list(choices)),
    year=IntSlider(2070, 1920, 2099, description="year"),
)

# %% [markdown]
# ## 10. How real is this?
#
# The aerosol was built into this world, and so was its clear timing. That LRP lights it up in 1960-79 is a test of the method with a planted
# cause. It is no finding about the climate.
#
# We also tried the code on one real CMIP6 model, trained on one of its runs and tested on another. The heat maps' rank correlation with signal-to-noise was about -0.3, -0.3 and 0.1 in the three periods, and that of the input alone about 0.0, -0.2 and 0.3.
# With three or four well-dated maps a period this decides nothing. Ridge regression, helped as in section 3, was off by 2 years where the network was off by 10. (`data/README.md`
# says how this was measured. The files are not part of the course.)
#
# > **Pitfalls.** *An indicator is not a cause*: the tropical Atlantic does not make the climate warm, it shows it. *A heat map of a poor prediction* explains
# > a mistake. *Correlated neighbours* share relevance by accident: with strong correlation, networks learn different patterns for the
# > same task [@krell2025], and how cells are grouped changes what a map says [@krell2023]. *Zeros* get no relevance. *The baseline* decides
# > which question is asked [@mamalakis2023].

# %% [markdown]
# > **Your own files.** `utils.readers.cmip` reads annual or monthly `tas` or `pr` of CMIP, in any calendar. CMIP6 runs begin in 1850; the decades
# > here begin in 1920:
# >
# >     from utils.readers import cmip
# >     run = cmip.read(["tas_historical.nc", "tas_ssp585.nc"], "tas")
# >     maps_of_run, years = world.anomalies(run.sel(year=slice(1920, 2099)))
# >     mean, deviation = world.scale(maps_of_run, years)
# >     x = np.float32((maps_of_run - mean) / deviation)
# >     network = networks.year_of_map(seed=0)
# >     fuzzy_years.fit(network, x, years, epochs=1000)  # one run has few maps
# >     heat = lrp.relevance(network, x, "alpha_1_beta_0", layers=False).input
# >
# > Train on some models and test on others. A second member of a model that you trained on is an easy test.
#
# ## In this lesson you
#
# - taught a network the year of a map, and tested it on models that it had never seen,
# - saw its lead vanish once the baseline had been helped as much,
# - averaged heat maps into indicator patterns, and saw one choice reverse their agreement with the truth,
# - erased aerosol from regions, and saw that one place shifts the year and another only sharpens it,
# - learned that the odds of a decade, its logit and the year are three questions.

# %% [markdown]
# ## Quiz
#
# <details><summary>1. A region warms most of all. Is it the best indicator?</summary>
#
# Only if it is quiet. What counts is the warming over the noise, and how far models agree on it.
#
# </details>
#
# <details><summary>2. A heat map follows true signal-to-noise with a rank correlation of 0.6. What else do you need?</summary>
#
# The same number for random weights and for the input alone, and the same three numbers for another standardisation.
#
# </details>
#
# <details><summary>3. Why split by model and not by year?</summary>
#
# Two years of one model share its forced pattern. A network that has seen the model is not tested on a new one.
#
# </details>
#
# <details><summary>4. A network beats linear regression by a factor of two. What do you ask?</summary>
#
# What each of them was asked to fit, how its settings were chosen, and whether the linear one could bend where the problem bends.
#
# </details>
#
# <details><summary>5. Relevance is zero in a region. Does the network ignore it?</summary>
#
# Not necessarily. Where the standardised input is near zero, this rule gives nothing, whatever the weights are. Change the region and see.
#
# </details>
#
# ## Claims
#
# All are measured on 16 models that no network was trained on, or on those of them that have well-dated maps. Intervals are 95 %, over models: by jackknife, and for the median by
# bootstrap. The look at a real model in section 10 has no row of its own, because its files are not part of the course.

# %% tags=["claims"]
claims.record(
    "climate-pattern",
    "A network is great at picking up and utilizing spatial patterns.",
    "slide: Application 3: XAI for Science Discovery",
    "error from the pattern alone, of ridge regression that is helped as much minus the network",
    *gap,
    "> 0",
    "years",
)
claims.record(
    "climate-since",
    "The patterns that tell the year are found from the 1960s onward.",
    "barnes2019",
    "year since which maps are recognised for good (median of runs)",
    *skill.bootstrap(np.median, since),
    "< 1970",
)
both = [aerosol[f"{place}, 1960-79"][0] for place in ("Europe", "eastern North America")]
claims.record(
    "climate-aerosol",
    "Visualization tools can show the patterns most indicative of climate change.",
    "slide: Application 3: XAI for Science Discovery",
    "1960-79, where relevance is densest: years by which aerosol there moves the answer",
    *skill.jackknife(np.mean, sum(both)),
    ">= 1",
    "years",
)
SENTENCE = "The indicator patterns lie where the signal stands out of the noise."
for id, text, result in [
    ("signal-to-noise", "2060-79, LRP minus the input alone", lead(rows, "input alone", good)),
    ("middle", "2000-19, LRP", scores["2000-19", "LRP"]),
    (
        "standardised-early",
        "2060-79, standardised by 1920 to 1959, LRP minus random weights",
        lead(early_rows, "random weights", early_good),
    ),
]:
    text = f"rank correlation with signal-to-noise: {text}"
    claims.record(f"climate-{id}", SENTENCE, "this course", text, *result, "> 0")

# %% [markdown]
# ## References
#
# - [@barnes2019]: the year of a map
# - [@barnes2020]: indicator patterns
# - [@toms2020]: LRP and optimal input for geoscience
# - [@labe2021]: the published code
# - [@krell2023], [@krell2025]: correlated neighbours
# - [@mamalakis2023]: baselines
# - [@bommer2024]: XAI methods compared on maps whose decade is to be named
# - [@lecture]: the lecture
