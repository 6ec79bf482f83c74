# %% [markdown]
# # 08 Climate indicators
#
# ![Three maps of temperature change, of 1930, 2000 and 2080](../pictures/climate_indicators.png)
#
# **Question:** a network is shown a map of annual means and names the year. Which places give the year away?
#
# **Objectives:** you can
# - train a network on the year of a map, as fuzzy decades, and test it on climate models that it has never seen,
# - give a baseline the same help as the network before you compare the two,
# - average heat maps into indicator patterns, and test these against controls and by intervention,
# - say which part of a pattern survives another seed, another penalty, another standardisation.
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
# In lessons 01 and 06 we knew what a network *should* look at. This time we hope to learn from the network. The lecture
# calls this **science discovery**. To name the year of a map, a network must find patterns that rise above the
# weather of single years and above the disagreement of climate models, and LRP then shows us these patterns
# [@barnes2020].
#
# ## 1. What year is it?
#
# Our world is an ensemble of climate models. It has annual means of temperature and precipitation from 1920 to 2099, in
# cells of 6 degrees. Three forcings change its climate: greenhouse gases, aerosol (fine particles that cool the region
# below them) and volcanoes. Each model responds with its own strength and pattern, which we call its **forced
# signal**. A *member* is one run of a model. All members of a model share its signal, and differ in their
# **internal variability**, such as the years in which an El Niño occurs. The **noise** is the standard deviation of this
# variability, that is, how much single years differ.
#
# We train on 20 models with three members each and test on 16 other models, which we also run without aerosol, for
# section 6. One more run plays the part of the *observations*: it ends in 2024, warms a little less, varies more, and has errors of
# measurement. All maps show the change since the same run's mean of 1920 to 1949.

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
# Here are six maps from six models, all with the same colours. Which years do they show?
#
# ### Exercise 1: your own years
#
# Write down six years, for A to F. You will get a score, and later you can compare it with the network's.
#
# <details><summary>Hint</summary>
#
# The globe warms little before 1970, and by about 3 K by the end (printed above). After that, look at regions.
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
# It is easy to tell a late map from an early one, because late maps are red nearly everywhere. It is hard to tell
# early maps from each other. To see why, we follow three cells through time. **Which of the two is the better
# indicator of the year, the Arctic or the tropical Atlantic?** Decide by the figure, before you run the cell after it.

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
# The Arctic warms most, but from year to year it varies widely. The tropical Atlantic warms less than half as much, but
# it is quiet, and that makes it the better indicator. What counts is **signal-to-noise**, the change divided by the noise.
# At 0.5 the change can hide in almost any single year, and at 5 it can hide in none. South of Greenland the signal is
# even a slight cooling. (The notches in the signal are volcanoes. The spike of 1993 south of Greenland is internal
# variability, in this run only.)
#
# ## 2. The network
#
# Two hidden layers of 20 units lead to 20 outputs, one for each decade. The years 1920 to 2099 are 18 decades, with centres
# from 1925 to 2095. The labels need one more at each end, around 1915 and 2105, because they are fuzzy: each year is
# shared between the two nearest centres. The year 1990 belongs half to the decade around 1985 and half to that around 1995,
# 1995 belongs to its own decade alone, and 2002 is split 30 to 70 between those around 1995 and 2005.
#
# The outputs are *logits*. A softmax turns them into probabilities: it takes the exponential of each and divides by their
# sum. A *ridge penalty* on the sum of the squared weights of the first layer keeps these weights small. Size,
# penalty, labels and training (SGD, binary cross-entropy) follow the published code [@labe2021].
#
# The network does not see kelvins. In each cell we subtract the mean of all training maps and divide by their standard
# deviation, so that every cell varies by about 1 (`world.scale` works these two out). Remember this choice: section 5
# changes it.
#
# To get a year from the probabilities, we average the decades' centres, each weighted by its probability
# (`fuzzy_years.year`). We also want to know from when on the network can tell that the climate has changed. A run is
# *recognised for good* from the year after which all its maps get later years than any of its maps of 1920 to
# 1949. Trained weights come with the course. With `RETRAIN = True` you train the network yourself, which takes less than a
# minute.

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

# %%
too_late = (dated - test_years)[test_years >= 2030].reshape(16, -1).mean(1)
for name, i in {"least": final.argmin(), "most": final.argmax()}.items():
    print(f"warms {name}, by {final[i]:.1f} K: dated {too_late[i]:+.0f} years off after 2030")
print(f"correlation over the 16 models: {np.corrcoef(final, too_late)[0, 1]:.2f}")

# %% [markdown]
# As long as there is no signal there is nothing to read, and the network answers with a year in the middle of the
# quiet decades. Around 1991 many maps are dated too early: a volcano cooled them for a year or two, and to this network cold means
# early. After 2030 the dots fan out, and the strands that leave the diagonal are single models. The models warm by
# different amounts, and the more a model warms, the later its maps are dated (a correlation of 0.96). The one that warms least
# is dated 18 years too early on average, and the one that warms most 7 years too late. The observations, which also warm less than
# the models' mean, are dated a little early, probably for the same reason. The ceiling near 2095 comes from the labels: none of them
# gives the last decade, around 2105, more than 40 %.
#
# ## 3. Is it more than the global mean?
#
# The later the year, the warmer the globe. Perhaps the network only takes the globe's temperature. So we let three methods
# date the same maps. The first is given nothing but the global mean, and a curve is fitted that turns it into a year. The second
# is ridge regression, that is, linear regression on all cells with a ridge penalty. (The size of the penalty is
# chosen on five training models that are left out of the fit. To save time, only every third year is used.) The third
# is the network.
#
# Then we subtract the global mean from each map, so that only the *pattern* is left, and train again. **By how many
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
# The global mean alone does about as well as the network. That is our world's doing: its models agree on the global mean
# to within some ten per cent, and real ones do not. From the pattern alone, the network is off by little more than half as many years as
# ridge regression. That looks like a fine result for deep learning.
#
# But look again. The global mean, a single number, beats ridge regression on all 1,800 cells, and these cells contain
# that number. Something is wrong with the baseline.
#
# </details>
#
# **Think.** What was the method with the global mean given that ridge regression was not?
#
# <details><summary>An answer</summary>
#
# A curve. Time is not linear in warming: until 1960 the years go by and hardly anything changes, and a
# linear map has to fit them all the same. The global mean was given a cubic polynomial for that, and a network can bend
# by itself.
#
# So in the next cell ridge regression no longer has to name the year. It estimates how far the *training models' mean warming*
# has come, in kelvins, and then we read the year off the curve of that warming. Both steps use training models only.
#
# </details>
#
# The next cell gives ridge regression the same kind of help, and repeats the comparison.

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
# The gap has closed. From the pattern alone, a linear map and one curve are off by 10.3 years and the network by 9.8, and the
# interval of the difference extends well to both sides of zero. The network's lead over the first ridge regression was real, but what it
# measured was how badly we had set up the baseline. **A baseline must be helped as much as the network.** Once the
# network has won, one easily stops helping it. Here, linear regression and one curve would have been enough.
#
# **A leak.** We test on models that the network has never seen. Suppose we had drawn test maps at random from all years of all models, as one
# does with pictures of cats. Then each model would be in both sets. How much would that have changed the error? To find
# out, we fit ridge regression to every fourth year of the training models, and then let it date their odd years after 1990, and
# the new models.

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
# In runs that it has been trained on, in years that it has not, the error is about three times smaller. The fit has learned
# these models' own patterns, and each odd year lies next to a year of the same run. So split by model, not by
# year.
#
# ## 4. Indicator patterns
#
# We follow the published recipe. LRP $\alpha_1\beta_0$ (lesson 03: only what speaks for the output is passed down) explains the
# decade with the largest logit. Each heat map is divided by its mean over all cells, and then we average the maps of a
# period. Only well-dated maps take part, because the heat map of a poor prediction explains a mistake. The published code
# keeps maps dated within two years where decades are fuzzy, as here [@labe2021]. We keep those within five years, to have more
# of them. (A chosen logit can be negative, which flips the sign of its relevance. Dividing by the mean undoes
# that.)
#
# **Guess first: which places will give 1960-79 away, and which 2060-79?** Point at the six maps of the game.
#
# The upper row of the figure shows relevance per area, as a mean over models; 1 is the mean of the globe. The lower row shows
# the truth that only a made-up world has, signal-to-noise. Each lower panel has its own scale.

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


# %%
relevance = heat_maps(model, x)
pattern = {name: by_model(relevance, good & inside)[0] for name, inside in within.items()}
for name, maps_of in pattern.items():
    print(f"{name}: {(good & within[name]).sum()} of 320 maps, from {len(maps_of)} of 16 models")
_, dated_well = by_model(relevance, good & within["2060-79"])
for name, some in ("with", final[dated_well]), ("without", np.delete(final, dated_well)):
    warmings = ", ".join(f"{value:.1f}" for value in sorted(some))
    print(f"models {name} well-dated maps in 2060-79 warm by {warmings} K")

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
# In **1960-79** relevance is brightest over Europe and eastern North America. In **2000-19** it is brightest over China, with
# a smaller spot near the Antarctic Peninsula. In **2060-79** it has spread, mostly over the oceans of low
# latitudes, and there is a small bright spot south of Greenland. This last pattern comes from fewer than half of the maps. Six models have none,
# because all their maps of that time are dated more than five years too early or too late. They are the two models that warm least
# and four of those that warm most (printed above), so this pattern is one of models that warm about as much as the average.
#
# Aerosol came first from the industry of North America and Europe, and later from China's. We know this, because we built it in. The
# network was only ever given years. It looks as if LRP had discovered the history of air pollution.
#
# Signal-to-noise, in the lower row, is large over the quiet tropical oceans in all three periods. In 1960-79 it is raised over
# Europe and eastern North America too. In 2000-19 China is one of its darkest places, because there aerosol has just cancelled
# the warming.
#
# </details>
#
# ### Exercise 2: how dense is relevance in the tropics?
#
# The recipe gives relevance per cell, and cells shrink towards the poles. To compare regions we need a density, as in
# lesson 01: a region's share of relevance divided by its share of the area. `late_pattern`, `tropics` (True within 21 degrees of the
# equator) and `area` have the shape (lat, lon). Give the density in the tropics. (The figure then shows four other places.)
#
# <details><summary>Hint</summary>
#
# `late_pattern` holds the relevance of each cell and `area` its area. Add up each of them, inside and everywhere.
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
# The numbers confirm what we saw. In 1960-79 relevance is about three times as dense over eastern North America as on the whole
# globe, and four times over Europe. By 2060-79 both have less than their share. China has five times its share in 2000-19.
# South of Greenland relevance is no less dense in 2000-19 (2.0) than in 2060-79 (1.7), and the later interval is wide, because there the models differ.
#
# All intervals from here on are jackknife intervals over models: leave out one model at a time, and see how much
# the result varies. They hold for this one trained network; section 8 trains others.
#
# ## 5. Does it follow the truth?
#
# We compare whole maps by their *rank correlation*: put all cells in order, once by relevance and once by the truth, and correlate the two
# orders. 1 means the same order, 0 no relation, -1 the reverse order. Each cell counts by its area. The truth is
# signal-to-noise. For contrast we also take the plain change, which ignores the noise.
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
# In **2060-79** relevance follows signal-to-noise (0.69). It does better than the input alone (0.52), but the difference of 0.17
# may be chance: its interval, -0.05 to 0.38, includes zero. Random weights reach only 0.29. So much of the agreement may come from the maps themselves, and
# not from what the network has learned. With the plain change, relevance has no correlation at all (printed above). As the Arctic and the tropical
# Atlantic suggested, what counts is a change compared with its noise.
#
# In **2000-19** all three correlations are negative. A likely reason, which we test below: the inputs are standardised with the mean over *all* years,
# and around 2010 a map lies close to that mean. Most inputs are nearly zero, and under LRP **a zero gets no
# relevance**. Relevance is left to whatever differs from the mean, such as a China that has not warmed yet.
#
# </details>
#
# ### Other choices
#
# We made choices on the way. Now we change three of them, and repeat the comparison for 2060-79. First we divide relevance
# by area, as in the maps above. Then we keep only maps dated within two years, as published. Finally we standardise with the mean and
# deviation of 1920 to 1959, a time when the deviation is nearly noise alone. This last choice changes several things together: the zero, the
# scale, the network (which is trained on these inputs), and which maps it dates well. Since many of these inputs are large, training on them takes
# more luck, so we take five networks that differ in their first random weights.

# %%
early_mean, early_deviation = world.scale(train_maps, train_years, until=1960)
early_x = np.float32((test_maps - early_mean) / early_deviation)
early_rows = with_controls(None, early_x)
names = ["climate_early", *(f"climate_early_seed_{i}" for i in range(1, 5))]
early_leads, of_trainings = [], []
for name in reversed(names):  # the first one last, for the figure
    early = load(name)
    off = abs(year_of(early_x, early) - test_years)
    early_good = off <= 5
    early_rows["LRP"] = heat_maps(early, early_x)
    early_leads.append(lead(early_rows, "input alone", early_good)[0])
    found = agreement(early_rows["LRP"], early_good, "2060-79", true_ratio["2060-79"])[0]
    of_trainings.append(found)
    print(f"{name}: off by {off[late].mean():.1f} years after 1990, LRP {found:.2f}")

# %%
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
axes[3].plot(of_trainings[:-1], [-0.35] * 4, "o", color=plots.ORANGE, mfc="white", ms=4)
plots.show(fig, "choices")

# %% [markdown]
# The stricter selection makes hardly any difference. Per area, LRP falls to the level of the input alone, and random weights fall much
# further. With the early standardisation the order is reversed. The input alone, which is now a change divided by noise, agrees with signal-to-noise
# almost perfectly. Random weights reach 0.75, and the five trained networks agree least, at 0.42 to 0.72. But they differ by up to 0.3 among
# themselves, and when we trained such networks in smaller steps they came out above random weights. So only one thing is safe here: the input
# is ahead of them all.
#
# How much of this is due to the zero? We can find out without training. We move the zero of the inputs to the mean of 1920 to 1959, and correct the first
# layer's biases so that *the same network gives the same answers*. (We can leave the scale alone. It would not change LRP, because
# the weights would make up for it.)

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
# Network, maps and years are the same, but the picture is not. In 2000-19 the correlation turns from -0.11 to 0.26, so the zero was indeed
# a reason, and the density over China falls from 5.0 to 0.7. In 1960-79, which is now the period closest to the zero, the correlation falls from
# 0.36 to -0.29. In 2060-79 it hardly changes. **A heat map answers the question "compared with what?"** Ours compare with the mean of all years.
#
# So **a high agreement with the truth is no evidence for a network** unless the controls agree less. And none of these correlations
# tells us what the network does with a place. To find that out, we have to change the place.
#
# ## 6. Change the place
#
# Relevance was brightest where aerosol cooled the climate: over Europe and eastern North America in 1960-79, and over China in
# 2000-19. In our world we can take the aerosol away. The same models, run with greenhouse gases and volcanoes only, have the same
# El Niños in the same years. We copy their values into one region of each map, leave the rest as it is, and ask for the year again.
# These are matched pairs, as in lesson 06.
#
# ### Exercise 3: erase the aerosol
#
# `as_is` and `without` hold the same maps of 1960-79 with and without aerosol, shape (map, lat, lon). `region` is True in eastern North
# America, shape (lat, lon), and `year_of(some)` gives the years of maps. Erase the aerosol *in the region only*. By how
# many years, on average, does the aerosol there move the answer? Give `moved`, the year with aerosol minus the year without.
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
# So much for eastern North America. The next figure has two more regions, and both periods. **By how many years does aerosol move
# the answer over Europe in 1960-79, and over China in both periods?** Relevance over China in 2000-19 was denser
# than anywhere else. Count the year with aerosol minus the year without, as before.

# %% tags=["guess"]
guess = {"Europe, 1960-79": None, "China, 1960-79": None, "China, 2000-19": None}


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
fig, axes = plt.subplots(1, 3, figsize=(11, 2.8), width_ratios=(5, 4, 3))
labels = "years by which aerosol moves the answer", "change of the true decade's log-odds"
for k, (ax, label) in enumerate(zip(axes[:2], labels, strict=True)):
    for i, (pair, effects) in enumerate(aerosol.items()):
        colour = plots.BLUE if "1960" in pair else plots.GREEN
        dot(ax, i, skill.jackknife(np.mean, effects[k]), colour, 2)
    ax.axvline(0, color=plots.GREY, lw=0.8)
    ax.set(xlabel=label, yticks=range(6), ylim=(5.5, -0.5), yticklabels=[] if k else list(pairs))
axes[0].set_xlim(-0.7, 1.9)
axes[1].set_xlim(-0.1, 0.24)
axes[2].bar(fuzzy_years.CENTRES, aerosol["China, 2000-19"][2].mean(0), 8, color=plots.GREEN)
axes[2].axhline(0, color=plots.GREY, lw=0.8)
axes[2].set(xlabel="decade", ylabel="change of its logit", title="China, 2000-19")
plots.guess_marks(axes[0], guess, {pair: i for i, pair in enumerate(pairs)})
plots.show(fig, "aerosol")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# **In 1960-79 the discovery holds.** Europe and eastern North America together cover less than 3 % of the globe, and the aerosol over each
# moves the answer by about a year. (The exercise took the mean over maps and the figure over models, so the two can differ by a
# hundredth.) The sign is a surprise: aerosol cools these regions, and yet it makes the answer *later*. Here cold means late, because the training
# models are cold there in just these decades.
#
# **In 2000-19 the year does not show it.** China was the brightest place of all, and its aerosol moves the answer by less than a fifth of a year. But look
# at the panel on the right. The cold over China raises the logits of 1995 to 2015 and lowers all others. That is what an
# indicator of a decade does: it speaks against earlier and later years alike, so that their mean hardly moves. The odds of the
# true decade do rise, by about a third as much as over Europe in 1960-79. **Aerosol over Europe shifts the year and makes the network surer of it. Aerosol over China does
# little more than make it surer.** LRP had explained one decade, and we asked first about the year.
#
# </details>
#
# In 2060-79 hardly any aerosol is left. There we use a coarser intervention, and give a region the mean values of the same run's
# 1930s. And we take our own advice and divide by area, both relevance and years.

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
        "Europe": ("right", (-5, -14)),
        "northern land": ("left", (19, -2)),
        "tropical land": ("left", (17, 0)),
        "Arctic": ("left", (52, 0)),
        "Southern Ocean": ("left", (16, -2)),
        "China": ("right", (-6, 10)),
    }.get(name, ("left", (6, 9)))
    style = {"textcoords": "offset points", "va": "center", "fontsize": 9, "ha": ha}
    ax.annotate(name, (at, years_moved), shift, **style)
ax.axhline(whole, color=plots.INK, lw=1, ls=":")
ax.axvline(1, color=plots.INK, lw=1, ls=":")
ax.set(xlabel="density of relevance (the globe's mean: 1)", xlim=(0, 2.8))
ax.set_ylabel("years for each 1 % of the area")
plots.show(fig, "regions")

# %% [markdown]
# The dotted lines show the globe as a whole. Seven points rise roughly from lower left to upper right, as they would if relevance told us
# how far a place moves the answer. The tropical ocean holds a third of all relevance because it is large. For its size it is near the
# average in both. But two places do not fit. China moves the answer nearly twice as much as its size suggests, with no more
# than its share of relevance. South of Greenland relevance seems densest, with an interval so wide that it may be average, and that place hardly
# moves the answer at all.
#
# **Relevance by** $\alpha_1\beta_0$ **has one sign by construction. It does not say in which direction a place moves the answer, nor
# how far.** And neighbouring cells vary together, so a network may read any one of them.
#
# ## 7. What is typical of a decade?
#
# Which map would make the network surest of a decade? We start from zeros, which is the mean of all
# years, and climb along the gradient in small steps of equal size, as Toms et al. did for modes of variability [@toms2020]. We can climb by the
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
# Climbing by the odds heats Europe and eastern North America to about 5 K, the very places where LRP found less relevance in 2060-79
# than over most other land. The two methods seem to contradict each other. Climbing by the logit alone, which is what LRP
# explains, resolves this. Now Europe warms about as much as all land, and eastern North America only about half as much. In this network,
# heat in these two places says little *for* 2075. It speaks *against* the decades in which they were cold, and that raises the odds.
# When two methods disagree, they may have answered two different questions. (Neither map is a climate that could exist, because
# nothing keeps the climb near real maps.)
#
# ## 8. Which part is robust?
#
# Would another network give the same pattern? We compare ten networks that differ only in their first random weights, and one that was trained without
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
# With the penalty, ten seeds agree closely. So their pattern comes from the data and the recipe, and not from the luck of one network. Without
# the penalty the heat map is speckled, although the years are nearly as good. Be careful with a single bright cell.
#
# ## 9. Try it yourself
#
# Move the slider through the years. Where do the bright spots go, and from when on does the answer follow the year, as the dots of section 2 do? Then choose the observations
# (they end in 2024). What does the network say about 1990, 1991 and 1993? Precipitation is the hardest. Its change has both signs and is small
# compared with the noise, and another network, trained on it, is much further off (printed below).
#
# <details><summary>What we saw</summary>
#
# The answer follows the year from the 1960s or 70s on. The bright spots differ from year to year, but on the whole they move as in
# section 4. The observations of 1990 are dated 1992. The volcano of 1991 throws the answer back to 1966, and two years later the
# network still says 1983, because to it cold means early.
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
# We built the aerosol into this world, with its clear timing. That LRP finds it in 1960-79 is a test of the method on a planted
# cause, and no finding about the climate.
#
# We also tried the code on one real CMIP6 model, trained on one of its runs and tested on another. The heat maps' rank correlation with signal-to-noise was about -0.3, -0.3 and 0.1 in the three periods, and that of the input alone about 0.0, -0.2 and 0.3.
# With three or four well-dated maps in each period, this decides nothing. Ridge regression, helped as in section 3, was off by 2 years, and the network by 10. (`data/README.md`
# says how this was measured. The files are not part of the course.)
#
# > **Pitfalls.** *An indicator is not a cause.* The tropical Atlantic does not make the climate warm. It shows that it does. *The heat map of a poor
# > prediction* explains a mistake. *Correlated neighbours* share relevance by accident: where correlation is strong, networks learn different patterns for the
# > same task [@krell2025], and how cells are grouped changes what a map says [@krell2023]. *Zeros* get no relevance. *The baseline* decides
# > which question is asked [@mamalakis2023].
#
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
# > Train on some models and test on others. Another member of a model that you trained on is too easy a test.
#
# ## In this lesson you
#
# - read the year off maps with a network, and tested it on models that it had never seen,
# - saw its lead vanish once the baseline had been helped as much,
# - averaged heat maps into indicator patterns, and saw one choice reverse their agreement with the truth,
# - erased aerosol from regions, and saw that in one place it shifts the year and in another it only makes the network surer,
# - learned that the odds of a decade, its logit and the year are three different questions.
#
# ## Quiz
#
# <details><summary>1. A region warms most of all. Is it the best indicator?</summary>
#
# Only if it is also quiet. What counts is the warming compared with the noise, and how far models agree on it.
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
# Two years of one model share its forced pattern. If a network has been trained on the model, its other years do not test it on anything new.
#
# </details>
#
# <details><summary>4. A network beats linear regression by a factor of two. What do you ask?</summary>
#
# What each of them was asked to fit, how its settings were chosen, and whether the linear one was given a curve where the problem has one.
#
# </details>
#
# <details><summary>5. Relevance is zero in a region. Does the network ignore it?</summary>
#
# Not necessarily. Where the standardised input is near zero this rule gives no relevance, whatever the weights are. Change the region and see what happens.
#
# </details>
#
# ## Claims
#
# All are measured on 16 models that no network was trained on, or on those of them that have well-dated maps. Intervals are 95 %, over models (for the last claim over five networks): by jackknife, and for the median by
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
        "2060-79, standardised by 1920 to 1959, LRP of five networks minus the input alone",
        skill.jackknife(np.mean, np.array(early_leads)),
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
