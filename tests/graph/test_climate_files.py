"""CMIP files come in as the climate world does; and the maps that are drawn of both."""

from pathlib import Path

import cftime
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import RidgeCV
from tensorflow import keras

from utils import lrp, networks, skill, training
from utils.panels import climate_indicators as panel
from utils.plots import maps
from utils.readers import cmip
from utils.worlds import climate, read_data
from utils.worlds.climate import fuzzy_years

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "climate"
LESSON = Path(__file__).resolve().parents[2] / "lessons" / "08_climate_indicators.py"
LOSS = keras.losses.CategoricalCrossentropy(from_logits=True)
real = pytest.mark.skipif(not REAL.is_dir(), reason="there are no real files in ../shared/data")


def write(path, years=(2000, 2001), calendar="noleap", units="K", name="tas", lon0=0.0, **change):
    """A small monthly file: cells of 10 degrees, value = month, from north to south."""
    times = [cftime.datetime(y, m, 15, calendar=calendar) for y in years for m in range(1, 13)]
    lat, lon = np.arange(85.0, -90, -10), np.arange(lon0, lon0 + 360, 10)
    values = np.arange(len(times))[:, None, None] % 12 + np.zeros((len(times), 18, 36))
    values = change.pop("values", values)
    data = xr.Dataset(
        {name: (("time", "lat", "lon"), values, {"units": units})},
        {"time": times, "lat": lat, "lon": lon},
        {"source_id": "A", "variant_label": "r1"} | change,
    )
    data.to_netcdf(path)
    return path


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
def test_months_count_by_their_length(tmp_path, calendar):
    data = cmip.read(write(tmp_path / "a.nc", calendar=calendar))
    assert data.tas.shape == (1, 1, 2, 30, 60) and data.year.values.tolist() == [2000, 2001]
    lengths = {"360_day": [30] * 12}.get(calendar, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    np.testing.assert_allclose(
        data.tas[0, 0, 1], np.average(np.arange(12), weights=lengths), rtol=1e-6
    )


@pytest.mark.parametrize("lon0", [0.0, -180.0, 5.0])
def test_places_and_the_global_mean_stay(tmp_path, lon0):
    lat, lon = np.arange(85.0, -90, -10), np.arange(lon0, lon0 + 360, 10)
    field = np.sin(np.deg2rad(lat))[:, None] + 2 * np.cos(np.deg2rad(lon))
    data = cmip.read(write(tmp_path / "a.nc", lon0=lon0, values=np.repeat(field[None], 24, 0)))
    found = data.tas[0, 0, 0]
    expected = np.sin(np.deg2rad(data.lat)) + 2 * np.cos(np.deg2rad(data.lon))
    assert float(abs(found - expected).max()) < 0.3 and float(abs(found - expected).mean()) < 0.1
    edges = np.sin(np.deg2rad(np.arange(90.0, -91, -10)))
    mean = np.average(field.mean(1), weights=-np.diff(edges))
    area = -np.diff(np.sin(np.deg2rad(np.arange(90.0, -91, -6))))
    assert np.average(found.values.mean(1)[::-1], weights=area) == pytest.approx(mean, abs=1e-6)


def test_units_become_the_worlds(tmp_path):
    field = np.full((24, 18, 36), 10.0)
    warm = cmip.read(write(tmp_path / "a.nc", units="degC", values=field))
    assert float(warm.tas[0, 0, 0, 0, 0]) == pytest.approx(283.15)
    wet = cmip.read(
        write(tmp_path / "b.nc", name="pr", units="kg m-2 s-1", values=field / 1e6), "pr"
    )
    assert float(wet.pr[0, 0, 0, 0, 0]) == pytest.approx(0.864)


def test_what_does_not_fit_is_refused(tmp_path):
    one, later = write(tmp_path / "a.nc"), write(tmp_path / "b.nc", years=(2002,))
    assert cmip.read([later, one]).year.values.tolist() == [2000, 2001, 2002]
    hole = np.full((24, 18, 36), np.nan)
    curved = xr.Dataset({"tas": (("time", "y", "x"), np.ones((1, 2, 2)))}, {"time": [0]})
    curved = curved.assign_coords(
        lat=(("y", "x"), np.ones((2, 2))), lon=(("y", "x"), np.ones((2, 2)))
    )
    curved.to_netcdf(tmp_path / "curved.nc")
    for files, words in (
        ([one, one], "comes twice"),
        ([one, write(tmp_path / "c.nc", years=(2004,))], "missing"),
        ([one, write(tmp_path / "d.nc", years=(2002,), source_id="B")], "model A and B"),
        ([one, write(tmp_path / "e.nc", years=(2002,), variant_label="r2")], "member r1 and r2"),
        ([one, write(tmp_path / "f.nc", years=(2002,), lon0=5.0)], "different grids"),
        ([write(tmp_path / "g.nc", units="F")], "'F'; known units"),
        ([write(tmp_path / "h.nc", values=hole)], "missing values"),
        ([write(tmp_path / "i.nc", name="pr", units="mm/day")], "lacks tas"),
        ([tmp_path / "curved.nc"], "curved grid"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            cmip.read(files)
        assert str(caught.value).endswith(".")
    with pytest.raises(ValueError, match="name must be one of"):
        cmip.read(one, "psl")
    with pytest.raises(FileNotFoundError):
        cmip.read(tmp_path / "gone.nc")


def test_what_a_file_says_is_cut_and_plain(tmp_path):
    says = "$\\frac{$\n\x1b[31m<img>" + 10**6 * "A"
    data = cmip.read(write(tmp_path / "a.nc", source_id=says, variant_label=np.array([1, 2])))
    assert data.title.startswith("\\frac{ [31m<img>AAA") and data.title.endswith("A… [1 2]")
    assert len(data.title) < 100
    one = write(tmp_path / "b.nc")
    for file in (
        write(tmp_path / "c.nc", years=(2002,), source_id=says),
        write(tmp_path / "d.nc", years=(2002,), source_id=np.array([1, 2])),
        write(tmp_path / "e.nc", units=says),
        write(tmp_path / "f.nc", units=np.array([1, 2])),
        write(tmp_path / "g.nc", name="psl", title=says),
        write(tmp_path / "h.nc", name="psl", title=np.array([1, 2])),
    ):
        with pytest.raises(ValueError, match="different runs|known units|is no CMIP") as caught:
            cmip.read([one, file])
        assert len(str(caught.value)) < 300 and not set("$\n\x1b") & set(str(caught.value))
    with pytest.raises(TypeError, match="by their paths") as caught:
        cmip.read([xr.open_dataset(one)])
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def run(member):
    model = "IPSL-CM6A-LR"
    return cmip.read(
        [
            REAL / f"tas_ann_{model}_{part}_{member}i1p1f1_g025.nc"
            for part in ("historical", "ssp585")
        ]
    ).sel(year=slice(1920, 2099))


def test_the_lines_of_the_lesson_run_on_a_plain_cmip_run(tmp_path, monkeypatch):
    text = LESSON.read_text(encoding="utf-8")
    block = text[text.index("**Your own files.**") :].partition("# %%")[0]
    lines = [line[8:] for line in block.splitlines() if line.startswith("# >     ")]
    rng = np.random.default_rng(0)
    for name, years in (("historical", range(1850, 2015)), ("ssp585", range(2015, 2101))):
        values = 288 + rng.normal(size=(12 * len(years), 18, 36))
        write(tmp_path / f"tas_{name}.nc", years=years, values=values)
    monkeypatch.chdir(tmp_path)
    code = "\n".join(lines)
    assert "epochs=1000" in code
    found = {
        "np": np,
        "world": climate,
        "networks": networks,
        "fuzzy_years": fuzzy_years,
        "lrp": lrp,
    }
    exec(code.replace("epochs=1000", "epochs=1"), found)
    assert found["heat"].shape == (180, 30, 60) and found["years"].tolist()[::179] == [1920, 2099]


@real
def test_real_temperature_and_rain():
    data = run("r1")
    assert data.year.values.tolist() == list(range(1920, 2100))
    mean = (data.tas * climate.weights()).mean(("lat", "lon"))[0, 0]
    assert 284 < float(mean[0]) < 289 and 4 < float(mean[-1] - mean[0]) < 8
    rain = cmip.read(REAL / "pr_mon_IPSL-CM6A-LR_ssp585_r1i1p1f1_g025.nc", "pr")
    assert 2.5 < float((rain.pr * climate.weights()).mean()) < 3.6
    with pytest.raises(ValueError, match="comes twice"):
        cmip.read(
            [REAL / f"tas_ann_IPSL-CM6A-LR_{s}_r1i1p1f1_g025.nc" for s in ("ssp126", "ssp585")]
        )


@real
def test_the_year_of_a_real_map():
    """Another member of the same model is an easy test: the forced pattern is the same."""
    (a, years), (b, _) = (climate.anomalies(run(member)) for member in ("r1", "r2"))
    mean, deviation = climate.scale(a, years)
    x, unseen = (np.float32((m - mean) / deviation) for m in (a, b))
    model = networks.year_of_map(seed=0)
    training.fit(model, x, fuzzy_years.fuzzy(years), loss=LOSS, epochs=300, batch_size=32)
    late = years >= 1990
    says = fuzzy_years.year(model.predict(unseen, verbose=0))
    off = abs(says - years)[late].mean()
    # Ridge regression of the year; and of the run's smooth warming, from which the year is read.
    warming = (a * climate.weights()).mean((1, 2))
    warming = np.polyval(np.polyfit(years - 2010, warming, 3), years - 2010)
    rising = np.maximum.accumulate(warming) + 1e-6 * np.arange(180)
    by_ridge, helped = (
        abs(read(ridge.predict(unseen.reshape(180, -1))) - years)[late].mean()
        for target, read in ((years, np.asarray), (warming, lambda k: np.interp(k, rising, years)))
        for ridge in [RidgeCV(np.logspace(1, 6, 11)).fit(x.reshape(180, -1), target)]
    )
    print(f"network {off:.1f}, ridge {by_ridge:.1f}, helped {helped:.1f} years")
    assert helped < off <= by_ridge
    # The heat maps, for the data sheet: `pytest -s` shows the numbers.
    relevance = lrp.relevance(model, unseen, "alpha_1_beta_0", layers=False).input
    both = np.stack([a, b]).reshape(2, 180, -1)
    when = (years - 2010) / 90
    signal = np.polynomial.polynomial.polyval(when, np.polyfit(when, both.mean(0), 3)[::-1]).T
    noise = (both - signal).std((0, 1))
    for first in (1960, 2000, 2060):
        period = (years >= first) & (years < first + 20)
        dated = period & (abs(says - years) <= 5)
        ratio = abs(signal[period].mean(0) - signal[years < 1950].mean(0)) / noise
        maps_of = relevance / relevance.mean((1, 2), keepdims=True), abs(unseen)
        near = [
            skill.weighted_rank_correlation(
                m[dated].mean(0), ratio.reshape(30, 60), climate.weights()
            )
            for m in maps_of
        ]
        print(f"{first}: {dated.sum()} maps, LRP {near[0]:.2f}, input alone {near[1]:.2f}")


def test_coasts_lie_where_land_and_sea_meet_and_have_the_islands():
    coasts = read_data("land/coasts.nc").dropna("point")
    land = climate.land().sel(lat=coasts.lat, lon=coasts.lon, method="nearest")
    assert float(((land > 0) & (land < 1)).mean()) > 0.98
    for lat, lon in ((54, -2), (36, 138), (-42, 172), (0, 114)):  # Britain to Borneo
        assert (np.hypot(coasts.lat - lat, coasts.lon - lon) < 6).sum() > 10


def test_a_map_is_drawn_with_coasts_and_the_panel_follows():
    figure, ((ax,),) = maps.globes(1, 1, (3, 2))
    maps.draw(ax, np.ones((30, 60)))
    assert len(ax.collections) == len(ax.lines) == 1
    with pytest.raises(ValueError, match="shape"):
        maps.draw(ax, np.ones((3, 3)))
    with pytest.raises(TypeError, match="axes of maps.globes"):
        maps.draw(plt.figure().add_subplot(), np.ones((30, 60)))
    changes = np.float32(np.random.default_rng(0).normal(size=(4, 30, 60)))
    one = {"network": networks.year_of_map(seed=0), "maps": changes, "x": changes, "units": "K"}
    draw = panel.prepare({"a run": one | {"years": np.arange(2000, 2004)}})
    titles = [
        [ax.get_title("left") for ax in draw("a run", year).axes[:2]] for year in (2001, 2003, 2050)
    ]
    assert titles[0][0] == "a run, 2001" and titles[1] == titles[2] != titles[0]
    plt.close("all")
