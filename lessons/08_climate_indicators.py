# %% [markdown]
# # 08 Climate indicators
#
# ![Three maps of temperature change, of 1930, 2000 and 2080](../pictures/climate_indicators.png)
#
# **Question:** a network names the year of a map of annual means. Which places give the year away?
#
# **Objectives:** you can
# - teach a network a year as fuzzy decades, and test it on climate models it has never seen,
# - make indicator patterns with LRP, and hold them against signal-to-noise, trend and controls,
# - tell which part of a pattern survives another seed, another penalty, another standardisation,
# - say what an indicator is not.
#
# **Minutes:** 60 teaching, 30 exercises.
#
# **Prerequisites:** NumPy arrays and lesson 00 (necessary); lesson 03 (helpful).
#
# **Needs:** 1.5 GB of memory, no network connection, no GPU.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import Dropdown, IntSlider
from scipy.stats import rankdata
from sklearn.linear_model import Ridge

from utils import course, lrp, networks, panels, plots, skill, worlds
from utils.check import climate_indicators as check
from utils.panels import climate_indicators as panel
from utils.plots import maps
from utils.weights import load_weights
from utils.worlds import climate as world
from utils.worlds.climate import fuzzy_years

course.start("08_climate_indicators", seed=0)

# %% [markdown]
# In lessons 01 and 06 we knew what a network *should* look at. Here the question is turned round. A network learns
# to name the year of a map. To do so it must find patterns that rise above the weather of single years and above
# the disagreement of models. LRP then shows us these patterns: **the network as a discoverer** [@barnes2020].
#
# ## 1. What year is it?
#
# Our world is an ensemble of climate models with annual means of temperature and precipitation, 1920 to 2099, in cells of
# 6 degrees. Three things force a change: greenhouse gases, aerosol (fine particles that cool below them) and volcanoes. Each
# model answers with a strength and a pattern of its own: its **forced signal**. A *member* is one run of a
# model; members share the signal and differ in their **internal variability**, such as the years of their El Niños. Its
# standard deviation, of single years, is the **noise**.
#
# We train on 20 models with three members each and test on 16 others. One more run plays the *observations*: up to 2024, a little
# less warming, more variability, errors of measurement. All maps show the change since the run's own mean of 1920 to 1949.

# %%
train = world.simulate(20, seed=worlds.TRAINING, members=3)
test = world.simulate(16, seed=worlds.CLAIMS)
observed = world.simulate(1, seed=worlds.CLAIMS + 1000, setting="observations")
area = world.weights()  # of each cell, mean 1
tropics = np.repeat(abs(world.LAT)[:, None] < 22, 60, 1)
train_maps, train_years = world.anomalies(train)
test_maps, test_years = world.anomalies(test)
late = test_years >= 1990
final = (world.signal(test) * area).mean(("lat", "lon")).isel(year=-1).values
spread = 100 * final.std() / final.mean()
print(
    f"{len(train_maps)} training maps; warming of test models {final.mean():.1f} K ± {spread:.0f} %"
)

# %% [markdown]
# Six maps of six models. One colour range for all.

# %% tags=["figure"]
game = [180 * model + year for model, year in enumerate((70, 25, 150, 100, 45, 125))]
fig, axes = maps.globes(2, 3, (10, 3.7))
for ax, i, letter in zip(axes.flat, game, "ABCDEF", strict=True):
    drawn = maps.draw(ax, test_maps[i], letter, limit=5)
maps.bar(fig, drawn, axes, "change since 1920-49 (K)")
plots.show(fig, "six-maps")

# %% [markdown]
# ### Exercise 1: your own years
#
# Write down six years, for A to F. It is no test; you get a score to hold against the network's.
#
# <details><summary>Hint</summary>
#
# There is little warming before 1970, and about 3 K at the end (printed above). Then look at regions.
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
# The late ones are easy: red is late. The early ones are not. Now look at three cells over time. **Signal to noise**, the signal
# over the noise, says by how many deviations of a single year the climate has moved.

# %%
cells = {"Arctic": (81, 3), "tropical Atlantic": (3, -27), "south of Greenland": (57, -33)}
fig, axes = plt.subplots(1, 3, figsize=(10, 2.7), sharey=True)
ratio = world.signal_to_noise(test)
for ax, (name, (lat, lon)) in zip(axes, cells.items(), strict=True):
    one = {"lat": lat, "lon": lon}
    start = test.tas.sel(year=slice(1920, 1949)).mean("year")
    ax.plot(test.year, (test.tas - start).sel(one)[0, 0], color=plots.GREY, lw=1)
    ax.plot(test.year, world.signal(test).sel(one)[0], color=plots.ORANGE)
    last = float(ratio.sel(one)[0, -1])
    ax.set(title=name, xlabel="year")
    ax.text(1925, 6.5, f"signal / noise\nin 2099: {last:.0f}")
axes[0].set_ylabel("change (K)")
plots.show(fig, "cells")

# %% [markdown]
# The Arctic warms most, and it is noisy. The tropical Atlantic warms little, and it is quiet. (The notches in its signal are
# volcanoes.) **Which is the better indicator?** Decide before you read on.
#
# ## 2. The network
#
# Two hidden layers of 20 units, 20 decades as classes, and a *ridge penalty* on the first layer: large weights cost, by the sum of
# their squares. Size, penalty, labels and training (SGD, binary cross-entropy) are those of the published code
# [@labe2021]. A year is shared between decades: 1990 is half 1985's and half 1995's. Trained weights come with the
# course; `RETRAIN = True` trains for about a minute.

# %%
fig, ax = plt.subplots(figsize=(7, 2))
for year, colour in ((1990, plots.BLUE), (1995, plots.ORANGE), (2002, plots.GREEN)):
    ax.plot(fuzzy_years.CENTRES, fuzzy_years.fuzzy([year])[0], "o-", color=colour, label=year)
ax.set(xlim=(1970, 2020), xlabel="centre of the decade", ylabel="share")
ax.legend()
plots.show(fig, "fuzzy-labels")
from tensorflow import keras

mean, deviation = world.scale(train_maps, train_years)
x, train_x = (np.float32((m - mean) / deviation) for m in (test_maps, train_maps))
model = networks.year_of_map(seed=0)

RETRAIN = False
if RETRAIN:
    fuzzy_years.fit(model, train_x, train_years)
else:
    load_weights(model, "climate")

z = model.predict(x, verbose=0)
probability = np.exp(z - z.max(1, keepdims=True))
probability /= probability.sum(1, keepdims=True)

# %% [markdown]
# ### Exercise 2: read the year
#
# `probability` has the shape (map, decade), `fuzzy_years.CENTRES` the shape (decade,). Give the year of each map: the mean of the
# centres, weighted by probability.
#
# <details><summary>Hint</summary>
#
# A matrix times a vector: `@`.
#
# </details>

# %% tags=["exercise"]
says = ...

# %% tags=["solution"]
says = probability @ fuzzy_years.CENTRES

# %% tags=["check"]
check.read_year(says, probability)

# %%
says = fuzzy_years.year(z)
observed_maps, observed_years = world.anomalies(observed)
observed_x = np.float32((observed_maps - mean) / deviation)
observed_says = fuzzy_years.year(model.predict(observed_x, verbose=0))
fig, ax = plt.subplots(figsize=(6, 4))
ax.plot(test_years, says, ".", color=plots.GREY, ms=2, label="16 new models")
ax.plot(observed_years, observed_says, color=plots.ORANGE, lw=1.2, label="pretended observations")
ax.plot([1920, 2099], [1920, 2099], color=plots.INK, lw=1)
ax.set(xlabel="true year", ylabel="predicted year")
ax.legend()
plots.show(fig, "dated")

# %% [markdown]
# Before there is a signal there is nothing to read, and the network answers with a year in the middle of the quiet decades. Around
# 1991 many maps are dated too early: a volcano cooled them for a year or two, and cold means early here. When does
# a run leave the quiet decades? **Recognised for good** shall mean: from this year on every map gets a later year than any map of
# 1920 to 1949 of the same run.


# %%
def recognised(years, says):
    """First year from which on all maps are dated later than any of 1920 to 1949."""
    confused = says <= says[years < 1950].max()
    return years[np.nonzero(confused)[0][-1]] + 1


runs = says.reshape(16, 180)
since = np.array([recognised(test_years[:180], run) for run in runs])
print(
    f"recognised for good since {np.median(since):.0f} (half of the runs), all since {since.max()}"
)

# %% [markdown]
# ### Is it more than the global mean?
#
# Three ways to date a map: the global mean alone; ridge regression, which is linear regression on all cells with a ridge penalty
# (chosen on five training models left out; every third year, to save time); the network. Then all again on maps whose global mean is taken away: only the *pattern* is left.


# %%
def ridge_years(a, b):
    """Years of maps b by ridge regression on maps a; the penalty is chosen on the last models."""
    flat_a, flat_b = (m.reshape(len(m), -1) for m in (a, b))
    part, held = slice(0, 15 * 540, 3), slice(15 * 540, None, 3)
    errors = {}
    for penalty in (3e3, 3e4):
        fit = Ridge(penalty).fit(flat_a[part], train_years[part])
        errors[penalty] = abs(fit.predict(flat_a[held]) - train_years[held]).mean()
    best = min(errors, key=errors.get)
    return Ridge(best).fit(flat_a[::3], train_years[::3]).predict(flat_b)


def load(name, ridge=0.01):
    """A network with the shipped weights of that name."""
    network = networks.year_of_map(ridge=ridge)
    load_weights(network, name)
    return network


# %%
train_mean, test_mean = ((m * area).mean((1, 2)) for m in (train_maps, test_maps))
pattern_x = [np.float32(world.without_global_mean(m)) for m in (train_maps, test_maps)]
shift, width = world.scale(pattern_x[0], train_years)
pattern_x = [np.float32((some - shift) / width) for some in pattern_x]
dated = {
    "global mean alone": np.polyval(np.polyfit(train_mean, train_years, 3), test_mean),
    "ridge regression": ridge_years(train_x, x),
    "network": says,
    "ridge, pattern only": ridge_years(*pattern_x),
    "network, pattern only": fuzzy_years.year(
        load("climate_pattern").predict(pattern_x[1], verbose=0)
    ),
}
error = {name: abs(years - test_years)[late].reshape(16, -1) for name, years in dated.items()}
for name, values in error.items():
    value, (low, high) = skill.bootstrap(np.mean, values.mean(1))
    print(f"{name}: off by {value:.1f} years after 1990 ({low:.1f} to {high:.1f})")

even, odd = train_years % 4 == 0, (train_years % 2 == 1) & (train_years >= 1990)
fit = Ridge(1e4).fit(train_x[even].reshape(even.sum(), -1), train_years[even])
cases = {"seen": (train_x[odd], train_years[odd]), "new": (x[late], test_years[late])}
for name, (some, years) in cases.items():
    off = abs(fit.predict(some.reshape(len(some), -1)) - years).mean()
    print(f"ridge regression, every fourth year, {name} models: off by {off:.1f} years")
del pattern_x, train_x

# %% [markdown]
# The global mean alone does about as well as the network, and that is our world's doing: its models
# agree on the global mean within some ten per cent, and real ones do not. The fair question is the second one. From the pattern alone the network is clearly better than ridge
# regression, because what a cell says about the year is not linear in the year.
#
# **A leak.** Had we drawn test maps at random from all years of all models, each model would be in both sets. For the last two lines
# the ridge regression was fitted on every fourth year of the training models, and tested on their odd years and on new models. On
# models that it has seen its error looks smaller than it is.
#
# ## 3. Indicator patterns
#
# The published recipe: LRP $\alpha_1\beta_0$ (lesson 03: only what speaks for the answer is handed down) of the decade with the largest logit, on maps that are dated well; each heat map is
# divided by its sum; then the mean over a period. The published code keeps maps dated within two years where decades are fuzzy as here
# [@labe2021]; we take five, to keep more of them. A heat map of a poor prediction explains a mistake.
# (A chosen logit can be negative, and then relevance flips its sign. With the sum as divisor that cancels.)


# %%
PERIODS = {"1960-79": (1960, 1980), "2000-19": (2000, 2020), "2060-79": (2060, 2080)}
wanted = np.any([(test_years >= a) & (test_years < b) for a, b in PERIODS.values()], 0)


def heat_maps(network, x, wanted=wanted):
    """Relevance of the strongest decade, each map divided by its mean; of wanted maps only."""
    result = np.zeros_like(x)
    found = lrp.relevance(network, x[wanted], "alpha_1_beta_0", layers=False).input
    mean = found.mean((1, 2), keepdims=True)
    result[wanted] = np.divide(found, mean, out=np.zeros_like(found), where=mean != 0)
    return result


def by_model(values, years, good, span):
    """Mean over the good maps of a period, for each model that has some."""
    inside = good & (years >= span[0]) & (years < span[1])
    runs = np.arange(len(years)) // 180
    own = [inside & (runs == r) for r in range(16)]
    return np.array([values[some].mean(0) for some in own if some.any()])


good = abs(says - test_years) <= 5
relevance = heat_maps(model, x)
pattern = {name: by_model(relevance, test_years, good, span) for name, span in PERIODS.items()}
late_pattern = pattern["2060-79"].mean(0)

# %% [markdown]
# Guess first: what will give 1960-79 away, and what 2060-79? Above: relevance (1 is the mean over cells; the colours end at 4). Below: the
# truth, signal over noise.

# %%
true_ratio = {
    n: abs(ratio).sel(year=slice(a, b - 1)).mean("year").values for n, (a, b) in PERIODS.items()
}
fig, axes = maps.globes(2, 3, (10.5, 3.7))
for column, name in zip(axes.T, PERIODS, strict=True):
    drawn = maps.draw(column[0], pattern[name].mean(0), name, limit=4, low=0, cmap="magma")
    best = np.percentile(true_ratio[name].mean(0), 99)
    below = maps.draw(column[1], true_ratio[name].mean(0) / best, limit=1, low=0, cmap="viridis")
maps.bar(fig, drawn, axes[0], "relevance")
maps.bar(fig, below, axes[1], "signal / noise\n(1: largest)")
plots.show(fig, "patterns")
places = {"eastern North America": (40, -85), "Europe": (50, 15), "China": (32, 110)}
places["south of Greenland"] = 54, -34
for place, (lat, lon) in places.items():
    box = (abs(world.LAT - lat) < 11)[:, None] & (abs(world.LON - lon) < 22)
    for name in PERIODS:
        inside = pattern[name][:, box].mean(1) / (pattern[name] * area).mean((1, 2))
        value, (low, high) = skill.bootstrap(np.mean, inside)
        truth = true_ratio[name].mean(0)[box].mean() / (true_ratio[name].mean(0) * area).mean()
        found = f"relevance {value:.1f} ({low:.1f} to {high:.1f}), signal / noise {truth:.1f}"
        print(f"{place}, {name}: {found} of the globe's mean")

# %% [markdown]
# The numbers are means over the models, with their interval.
# - **1960-79**: relevance is dense over eastern North America and Europe, where aerosol cools in these years and signal-to-noise
#   is a little above the mean.
# - **2000-19**: it is densest over China, where aerosol cools most, and where signal-to-noise is *below* the mean. Our inputs are
#   standardised with the mean over *all* years; around 2010 a map lies close to it, most inputs are nearly
#   zero, and **under LRP a zero gets no relevance**: a likely reason, tested in section 4.
# - **2060-79**: the three aerosol regions have lost it. South of Greenland the interval holds 1: no finding.
#
# We know the aerosol, because we built it. The network was told years only, and LRP found its regions.
#
# ### Exercise 3: how dense is relevance in the tropics?
#
# `late_pattern`, `tropics` (True within 21 degrees of the equator) and `area` have the shape (lat, lon). Relevance is a value per cell, and cells
# shrink towards the poles. Give the share of relevance in the tropics, divided by the tropics' share of the area.
#
# <details><summary>Hint</summary>
#
# `late_pattern[tropics].sum() / late_pattern.sum()` is the first share.
#
# </details>

# %% tags=["exercise"]
dense = ...

# %% tags=["solution"]
dense = (late_pattern[tropics].sum() / late_pattern.sum()) / (area[tropics].sum() / area.sum())

# %% tags=["check"]
check.density(dense, late_pattern, tropics, area)

# %% [markdown]
# Hardly above 1, and yet the map looks bright in the tropics: it shows relevance per cell. Near the poles cells are many and small, and a
# little in each adds up. Divide by area before you compare regions.
#
# ## 4. Does it follow the truth?
#
# Now the whole map: rank correlation over cells, each counted by its area. Beside true signal-to-noise stand the plain trend (the true change itself) and
# the year of emergence (from which on the signal stays above two noises). And two **controls**: a network of the same architecture with random weights, and no network at all, the size of the input alone.
# Will the trained network beat them?


# %%
def agreement(maps_of_models, truth):
    """Weighted rank correlation of mean maps with a mean truth, with its interval over models."""
    n = min(len(maps_of_models), len(truth))

    def one(chosen):
        pair = maps_of_models[chosen].mean(0), truth.mean(0)
        return skill.weighted_rank_correlation(*pair, area)

    return skill.bootstrap(one, np.arange(n), n=100)


signal = abs(world.signal(test))
true_trend = {
    n: signal.sel(year=slice(a, b - 1)).mean("year").values for n, (a, b) in PERIODS.items()
}
emergence = world.time_of_emergence(test).fillna(2100).values
random_maps = np.mean([heat_maps(networks.year_of_map(seed=100 + i), x) for i in range(3)], 0)
rows = {"LRP": relevance, "random weights": random_maps, "input alone": abs(x)}
scores = {
    (name, row): agreement(by_model(values, test_years, good, span), true_ratio[name])
    for name, span in PERIODS.items()
    for row, values in rows.items()
}

# %%
for name in PERIODS:
    scores[name, "LRP, with the trend"] = agreement(pattern[name], true_trend[name])
    scores[name, "LRP, with early emergence"] = agreement(pattern[name], -emergence)
fig, axes = plt.subplots(1, 3, figsize=(10.5, 2.8), sharey=True)
labels = list(dict.fromkeys(row for _, row in scores))
for ax, name in zip(axes, PERIODS, strict=True):
    for i, row in enumerate(labels):
        value, (low, high) = scores[name, row]
        colour = plots.ORANGE if row == "LRP" else plots.BLUE
        ax.errorbar(value, i, xerr=[[value - low], [high - value]], fmt="o", color=colour)
    ax.axvline(0, color=plots.GREY, lw=0.8)
    ax.set(title=name, xlim=(-1, 1), xticks=[-1, 0, 1], xlabel="rank correlation")
axes[0].set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.5, -0.5))
plots.show(fig, "correlations")
for name in PERIODS:
    print(name, ", ".join(f"{row} {scores[name, row][0]:.2f}" for row in labels))

# %% [markdown]
# (The intervals resample models. They lean towards 0, because a draw repeats some models, and a mean over fewer is noisier.)
#
# Early and late, relevance follows signal-to-noise better than random weights and the input alone do, and it
# hardly follows the trend. That answers the question of the Arctic: **much warming in much noise is a poor indicator; a
# little warming in a quiet place is a good one.** In the middle period the agreement is slightly negative. Inputs near zero
# are the likely reason: standardised in another way, below, they agree. And no correlation is near 1: signal-to-noise knows nothing of where models disagree.
#
# ### How inputs are standardised decides much of it
#
# Now a network whose inputs are divided by the deviation of 1920 to 1959. That is noise alone, so the input itself is nearly the true signal-to-noise.

# %%
early_mean, early_deviation = world.scale(train_maps, train_years, until=1960)
early_x = np.float32((test_maps - early_mean) / early_deviation)
early = load("climate_early")
early_says = fuzzy_years.year(early.predict(early_x, verbose=0))
early_good = abs(early_says - test_years) <= 5
early_rows = {
    "LRP": heat_maps(early, early_x),
    "random weights": np.mean(
        [heat_maps(networks.year_of_map(seed=100 + i), early_x) for i in range(3)], 0
    ),
    "input alone": abs(early_x),
}
print(f"off by {abs(early_says - test_years)[late].mean():.1f} years after 1990")
for row, values in early_rows.items():
    found = [
        agreement(by_model(values, test_years, early_good, s), true_ratio[n])[0]
        for n, s in PERIODS.items()
    ]
    print(f"{row}: " + ", ".join(f"{n} {v:.2f}" for n, v in zip(PERIODS, found, strict=True)))

# %% [markdown]
# Turned round: now the input alone agrees nearly perfectly with signal-to-noise, random weights agree well, and the trained network
# agrees least. **A high agreement with the truth is no
# evidence for a network** until the controls are lower: report the random network here, and you would have a fine paper.
#
# ## 5. What does the network do with a place?
#
# The intervention: give a region the values that it had in the same run's 1930s, leave the rest, and see by how many years the
# answer moves. Does a region with much relevance move it most?

# %%
row, column = np.meshgrid(world.LAT, world.LON, indexing="ij")
land = world.land().values > 0.5
REGIONS = {
    "tropical ocean": (abs(row) < 22) & ~land,
    "tropical land": (abs(row) < 22) & land,
    "Arctic": row > 66,
    "northern land": (row > 30) & (row < 66) & land,
    "Southern Ocean": (row < -46) & (row > -68),
    "south of Greenland": (abs(row - 54) < 10) & (abs(column + 34) < 18),
}
inside = good & (test_years >= 2060) & (test_years < 2080)
then = x.reshape(16, 180, 30, 60)[:, 10:20].mean(1)[np.nonzero(inside)[0] // 180]
moved = {}
for name, region in REGIONS.items():
    erased = np.where(region, then, x[inside])
    moved[name] = says[inside] - fuzzy_years.year(model.predict(np.float32(erased), verbose=0))
    share = 100 * late_pattern[region].sum() / late_pattern.sum()
    part = 100 * area[region].sum() / area.sum()
    print(
        f"{name}: {part:.0f} % of the area, {share:.0f} % of relevance, {moved[name].mean():+.0f} years"
    )

# %% [markdown]
# The tropical ocean moves the year most, as its relevance says. But the Southern Ocean and the place south of Greenland have relevance for the
# late decade, and hardly move the year. **Relevance of** $\alpha_1\beta_0$ **is positive by construction; it
# does not say in which direction a region speaks, nor how far it moves the answer.** And neighbours tell the same story, so
# relevance can be shared among them in many ways.
#
# ## 6. Which part is robust?
#
# Ten networks that differ in their first weights alone, and one without the ridge penalty.

# %%
late_period = (test_years >= 2060) & (test_years < 2080)


def late_pattern_of(network):
    """Mean relevance of a network's well-dated maps of 2060 to 2079."""
    fine = np.zeros(len(x), bool)
    dated = fuzzy_years.year(network.predict(x[late_period], verbose=0))
    fine[late_period] = abs(dated - test_years[late_period]) <= 5
    return by_model(heat_maps(network, x, fine), test_years, fine, PERIODS["2060-79"]).mean(0)


several = [late_pattern, *(late_pattern_of(load(f"climate_seed_{i}")) for i in range(1, 10))]
several = np.array(several)
alike = [
    skill.weighted_rank_correlation(a, b, area) for i, a in enumerate(several) for b in several[:i]
]
free = load("climate_no_ridge", ridge=0.0)
unpenalised = late_pattern_of(free)
print(
    f"two seeds agree with {np.mean(alike):.2f} on average ({min(alike):.2f} to {max(alike):.2f})"
)
for name, network in {"with ridge": model, "without": free}.items():
    off = abs(fuzzy_years.year(network.predict(x[late], verbose=0)) - test_years[late]).mean()
    print(f"{name}: off by {off:.1f} years after 1990")

# %%
fig, axes = maps.globes(1, 3, (10.5, 1.9))
shown = {
    "mean of ten seeds": several.mean(0),
    "spread of ten seeds": several.std(0),
    "no ridge": unpenalised,
}
for ax, (name, values) in zip(axes.flat, shown.items(), strict=True):
    drawn = maps.draw(ax, values, name, limit=4, low=0, cmap="magma")
maps.bar(fig, drawn, axes, "relevance, 2060-79")
plots.show(fig, "seeds")
fig, axes = maps.globes(1, 2, (7.5, 2))
for ax, (name, network) in zip(
    axes.flat, {"ridge 0.01": model, "no ridge": free}.items(), strict=True
):
    weights = network.get_weights()[0]
    unit = weights[:, abs(weights).sum(0).argmax()].reshape(30, 60)
    drawn = maps.draw(ax, unit / abs(unit).max(), name, limit=1)
maps.bar(fig, drawn, axes, "weight, scaled")
plots.show(fig, "first-layer")

# %% [markdown]
# Ten seeds agree closely: with the penalty, the pattern is a property of the data and the recipe. Without it, the weights are speckle
# and so is the heat map, while the skill differs far less than the picture. A single bright cell is no finding.
#
# ## 7. What is typical of a decade?
#
# Another question to the same network: which input makes it surest of a decade? Start from zeros and climb, in small steps
# of equal size [@toms2020]. Shown as kelvin.

# %%
chosen = keras.backend.placeholder(())
logits = keras.backend.log(keras.backend.softmax(model.output) + 1e-9)
target = keras.backend.sum(logits * keras.backend.one_hot(keras.backend.cast(chosen, "int32"), 20))
climb = keras.backend.function(
    [model.input, chosen], keras.backend.gradients(target, [model.input])
)
fig, axes = maps.globes(1, 3, (10.5, 1.9))
for ax, decade in zip(axes.flat, (1965, 2005, 2075), strict=True):
    made = np.zeros((1, 30, 60), np.float32)
    for _ in range(60):
        (slope,) = climb([made, np.float32((decade - 1915) / 10)])
        made += 0.03 * slope / (np.sqrt((slope**2).mean()) + 1e-9)
    answer = fuzzy_years.year(model.predict(made, verbose=0))[0]
    drawn = maps.draw(ax, made[0] * deviation + mean, f"{decade}: dated {answer:.0f}", limit=5)
maps.bar(fig, drawn, axes, "change since\n1920-49 (K)")
plots.show(fig, "made-up")

# %% [markdown]
# Starting point is the mean of all years. The 1960s are made cold over eastern North America and Europe, where aerosol cooled, but by
# several kelvins, with heat beside it. Such a map is no climate: it is what moves the logits away from the other decades, as far from any sample as one
# lets it.
#
# ## 8. Precipitation
#
# The same with rain, whose signal is smaller, of both signs (the wet belts get wetter, the subtropics drier), and deep in the
# noise. **How far off will the network be, in years?**

# %%
rain_train, _ = world.anomalies(train, "pr")
rain_maps, _ = world.anomalies(test, "pr")
rain_mean, rain_deviation = world.scale(rain_train, train_years)
del train, train_maps, rain_train
rain_x = np.float32((rain_maps - rain_mean) / rain_deviation)
rain = load("climate_pr")
rain_says = fuzzy_years.year(rain.predict(rain_x, verbose=0))
rain_good = abs(rain_says - test_years) <= 5
rain_pattern = by_model(
    heat_maps(rain, rain_x, late_period), test_years, rain_good, PERIODS["2060-79"]
)
rain_truth = abs(world.signal_to_noise(test, "pr")).sel(year=slice(2060, 2079)).mean("year").values
rain_score = agreement(rain_pattern, rain_truth)
fig, axes = maps.globes(1, 2, (8.5, 2.1))
drawn = maps.draw(
    axes[0, 0], rain_pattern.mean(0), "relevance, 2060-79", limit=4, low=0, cmap="magma"
)
maps.bar(fig, drawn, axes[0, 0], "relevance")
drawn = maps.draw(axes[0, 1], rain_truth.mean(0), "signal / noise", low=0, cmap="viridis")
maps.bar(fig, drawn, axes[0, 1], "signal / noise")
plots.show(fig, "rain")
off = abs(rain_says - test_years)[late].mean()
print(f"off by {off:.1f} years after 1990; rank correlation {rain_score[0]:.2f}")

# %% [markdown]
# The error is more than twice that of temperature. Relevance lies in bands, as signal-to-noise does, and agrees with it less than
# temperature's.
#
# ## 9. Try it yourself
#
# Slide through the years. From when on does the answer follow the year, and where do the bright spots go? Then take the observations
# (they end in 2024): what does the network say to 1990, 1991 and 1993?

# %%
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
# ## 10. From here to the real thing
#
# > **Pitfalls.** *An indicator is not a cause*: the tropical Atlantic does not make the climate warm, it shows it. *A heat map of a poor prediction* explains
# > a mistake; we left out all maps that were dated more than five years off. *Correlated neighbours* share relevance by accident: with strong
# > correlation networks learn different patterns for the same task [@krell2025], and how cells are grouped changes what a map says [@krell2023]. *Zeros* get
# > none. *The baseline* decides which question is asked [@mamalakis2023].
#
# > **Your own files.** `utils.readers.cmip` reads annual or monthly `tas` or `pr` of CMIP, any calendar:
# >
# >     from utils.readers import cmip
# >     run = cmip.read(["tas_historical.nc", "tas_ssp585.nc"], "tas")
# >     maps_of_run, years = world.anomalies(run)
# >     mean, deviation = world.scale(maps_of_run, years)
# >     x = np.float32((maps_of_run - mean) / deviation)
# >     network = networks.year_of_map(seed=0)
# >     fuzzy_years.fit(network, x, years, epochs=1000)  # one run has few maps
# >     heat = lrp.relevance(network, x, "alpha_1_beta_0", layers=False).input
# >
# > Train on some models and test on others. A second member of a model that you trained on is an easy test: it has the same
# > forced pattern.
#
# ## In this lesson you
#
# - taught a network the year of a map, and tested it on models that it had never seen,
# - saw how much of its skill the global mean explains, and what the pattern adds,
# - averaged heat maps into indicator patterns, and held them against signal-to-noise and trend,
# - saw controls that took away some of the evidence, and an effect of zero input,
# - moved regions back in time, and compared ten seeds.
#
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
# The same number for random weights and for the input alone.
#
# </details>
#
# <details><summary>3. Why split by model and not by year?</summary>
#
# Two years of one model share its forced pattern. A network that knows the model is not tested on a new one.
#
# </details>
#
# <details><summary>4. Relevance is zero in a region. Does the network ignore it?</summary>
#
# Not necessarily. Where the standardised input is near zero, this rule gives nothing, whatever the weights are.
#
# </details>
#
# ## Claims
#
# Measured on 16 models that no network was trained on. Intervals are 95 %, over models. One goal is missed: patterns change with time as
# signal-to-noise does, and agree with it less than was asked. In eastern North America and Europe relevance falls much further than the ratio
# (section 3). The year of recognition is undecided by less than is printed: its interval reaches just beyond the goal.

# %% tags=["claims"]
from utils import claims

near = skill.weighted_rank_correlation
EARLY, LATE = "1960-79", "2060-79"
claims.record(
    "climate-error",
    "A network can name the year that a map of temperature comes from.",
    "barnes2019",
    f"mean error after 1990 (the models' warming spreads by {spread:.0f} %)",
    *skill.bootstrap(np.mean, error["network"].mean(1)),
    "<= 8",
    "years",
)
pair = [error[f"{name}, pattern only"].mean(1) for name in ("ridge", "network")]
claims.record(
    "climate-pattern",
    "A network is great at picking up and utilizing spatial patterns.",
    "slide: Application 3: XAI for Science Discovery",
    "error of ridge regression minus that of the network, from the pattern alone",
    *skill.bootstrap(lambda a, b: (a - b).mean(), *pair),
    "> 0",
    "years",
)
claims.record(
    "climate-since",
    "The patterns that tell the year are found from the 1960s onward.",
    "barnes2019",
    "maps recognised for good since (median of runs)",
    *skill.bootstrap(np.median, since),
    "<= 1970",
)

# %% tags=["claims"]
control = by_model(rows["input alone"], test_years, good, PERIODS[LATE])


def gain(i):
    """By how much relevance follows signal-to-noise better than the input alone does."""
    truth = true_ratio[LATE].mean(0)
    return near(pattern[LATE][i].mean(0), truth, area) - near(control[i].mean(0), truth, area)


def likeness(i):
    """Rank correlation of the patterns of two periods."""
    return near(pattern[EARLY][i].mean(0), pattern[LATE][i].mean(0), area)


def changed(i):
    """Does relevance change, in ranks, as signal-to-noise does?"""
    pairs = (pattern[LATE][i], pattern[EARLY][i]), (true_ratio[LATE], true_ratio[EARLY])
    ranks = [[rankdata(some.mean(0)).reshape(area.shape) for some in pair] for pair in pairs]
    return near(*(late_ranks - early_ranks for late_ranks, early_ranks in ranks), area)


of_late = np.arange(len(pattern[LATE]))
both = np.arange(min(len(pattern[EARLY]), len(pattern[LATE])))
for id, sentence, source, text, one, models, goal in [
    (
        "signal-to-noise",
        "The indicator patterns lie where the signal stands out of the noise.",
        "this course",
        f"{LATE}: rank correlation with signal-to-noise, LRP minus the input alone",
        gain,
        of_late,
        "> 0",
    ),
    (
        "differ",
        "The indicators vary in time.",
        "barnes2020",
        f"rank correlation of the patterns of {EARLY} and {LATE}",
        likeness,
        both,
        "<= 0.7",
    ),
    (
        "changes",
        "The indicators change as signal-to-noise does.",
        "this course",
        f"rank correlation of the two changes from {EARLY} to {LATE}",
        changed,
        both,
        "> 0.3",
    ),
]:
    result = skill.bootstrap(one, models, n=100)
    claims.record(f"climate-{id}", sentence, source, text, *result, goal)

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
