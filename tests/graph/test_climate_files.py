"""CMIP files come in as the climate world does; and the maps that are drawn of both."""

import re
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
    """A small monthly file: cells of 10 degrees, value = 280 + month, from north to south."""
    times = [cftime.datetime(y, m, 15, calendar=calendar) for y in years for m in range(1, 13)]
    lat, lon = np.arange(85.0, -90, -10), np.arange(lon0, lon0 + 360, 10)
    values = 280.0 + np.arange(len(times))[:, None, None] % 12 + np.zeros((len(times), 18, 36))
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
        data.tas[0, 0, 1], 280 + np.average(np.arange(12), weights=lengths), rtol=1e-6
    )


@pytest.mark.parametrize("lon0", [0.0, -180.0, 5.0])
def test_places_and_the_global_mean_stay(tmp_path, lon0):
    lat, lon = np.arange(85.0, -90, -10), np.arange(lon0, lon0 + 360, 10)
    field = 280 + np.sin(np.deg2rad(lat))[:, None] + 2 * np.cos(np.deg2rad(lon))
    data = cmip.read(write(tmp_path / "a.nc", lon0=lon0, values=np.repeat(field[None], 24, 0)))
    found = data.tas[0, 0, 0]
    expected = 280 + np.sin(np.deg2rad(data.lat)) + 2 * np.cos(np.deg2rad(data.lon))
    assert float(abs(found - expected).max()) < 0.3 and float(abs(found - expected).mean()) < 0.1
    edges = np.sin(np.deg2rad(np.arange(90.0, -91, -10)))
    mean = np.average(field.mean(1), weights=-np.diff(edges))
    area = -np.diff(np.sin(np.deg2rad(np.arange(90.0, -91, -6))))
    assert np.average(found.values.mean(1)[::-1], weights=area) == pytest.approx(mean, rel=1e-7)


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
    for nothing in ([], iter([])):
        with pytest.raises(ValueError, match="at least one CMIP file"):
            cmip.read(nothing)
    assert cmip.read(tmp_path.glob("[ab].nc")).year.values.tolist() == [2000, 2001, 2002]


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
        cmip.read([one, 10**300])
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def stamped(path, times, bounds=None, **change):
    """A small file with these stamps and bounds; values are 280 + their number."""
    values = 280.0 + np.arange(len(times))[:, None, None] % 60 + np.zeros((len(times), 18, 36))
    lat, lon = np.arange(-85.0, 90, 10), np.arange(0.0, 360, 10)
    field = (("time", "lat", "lon"), values, {"units": "K"})
    data = xr.Dataset({"tas": field}, {"time": times, "lat": lat, "lon": lon}, {"source_id": "A"})
    if bounds is not None:
        data["time_bnds"] = ("time", "bnds"), bounds
        data.time.attrs["bounds"] = "time_bnds"
    data.attrs |= change
    data.to_netcdf(path)
    return path


def days(*texts):
    return np.array(texts, "datetime64[ns]")


def month_starts(first, n):
    return (np.datetime64(first, "M") + np.arange(n)).astype("datetime64[ns]")


def test_bounds_decide_where_a_stamp_belongs(tmp_path):
    starts = month_starts("2000-01", 25)
    edges = np.stack([starts[:-1], starts[1:]], 1)
    at_the_end = cmip.read(stamped(tmp_path / "a.nc", starts[1:], edges))
    in_the_middle = cmip.read(stamped(tmp_path / "b.nc", starts[:-1] + np.diff(starts) // 2))
    assert at_the_end.year.values.tolist() == [2000, 2001]
    np.testing.assert_allclose(at_the_end.tas, in_the_middle.tas, rtol=1e-6)
    new_year = days("2000-01-01", "2001-01-01", "2002-01-01")
    edges = np.stack([new_year[:-1], new_year[1:]], 1)
    yearly = cmip.read(stamped(tmp_path / "c.nc", new_year[1:], edges))
    assert yearly.year.values.tolist() == [2000, 2001]
    with pytest.warns(UserWarning, match="1 January.*taken to begin"):
        alone = cmip.read(stamped(tmp_path / "d.nc", new_year[1:]))
    assert alone.year.values.tolist() == [2001, 2002]
    one = np.stack([starts[:1], starts[1:2]], 1)
    with pytest.raises(ValueError, match="1 months, but no whole year"):
        cmip.read(stamped(tmp_path / "e.nc", starts[:1], one))


def test_incomplete_years_are_left_out_and_told(tmp_path):
    middles = month_starts("1999-12", 24) + np.timedelta64(14, "D")
    with pytest.warns(UserWarning, match="12 months of incomplete years"):
        data = cmip.read(stamped(tmp_path / "a.nc", middles))
    assert data.year.values.tolist() == [2000]
    lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    expected = 280 + np.average(np.arange(1, 13), weights=lengths)
    np.testing.assert_allclose(data.tas[0, 0, 0], expected, rtol=1e-6)


def test_times_that_cannot_be_told_are_refused(tmp_path):
    daily = np.arange("2000-01-01", "2001-01-01", dtype="datetime64[D]").astype("datetime64[ns]")
    for name, times, words in (
        ("a", month_starts("2000-02", 12), "first of a month and begin after January"),
        ("b", days("2000-01-15"), "one time without bounds"),
        ("c", daily, "values of 1 to 1 days"),
        ("d", days("2000-01-15", "2000-04-15", "2000-07-15", "2000-10-15"), "values of 9"),
        ("e", month_starts("2000-01", 3)[:0], "no time"),
    ):
        with pytest.raises(ValueError, match=words):
            cmip.read(stamped(tmp_path / f"{name}.nc", times))
    for number, (attributes, words) in enumerate(
        [
            ({"units": "fortnights since the flood", "calendar": "noleap"}, "cannot be decoded"),
            ({"units": "days since 2000-01-01", "calendar": "mayan"}, "cannot be decoded"),
            ({}, "no unit of its time"),
        ]
    ):
        with xr.open_dataset(write(tmp_path / "g.nc"), decode_times=False) as raw:
            data = raw.load()
        data.time.attrs = attributes
        data.to_netcdf(tmp_path / f"h{number}.nc")
        with pytest.raises(ValueError, match=words):
            cmip.read(tmp_path / f"h{number}.nc")


def test_grids_are_turned_round_the_globe_or_refused(tmp_path):
    plain = cmip.read(write(tmp_path / "a.nc"))
    with xr.open_dataset(tmp_path / "a.nc") as opened:
        data = opened.load()
    data["tas"] = data.tas + np.cos(np.deg2rad(data.lon))
    expected = cmip.read(data)
    assert not expected.equals(plain)
    cyclic = xr.concat([data, data.isel(lon=[0]).assign_coords(lon=[360.0])], "lon")
    high = data.expand_dims(height=[2.0], axis=1)
    for one in (
        data.isel(lon=slice(None, None, -1)),
        cyclic,
        high,
        data.isel(lat=slice(None, None, -1)),
    ):
        np.testing.assert_allclose(cmip.read(one).tas, expected.tas, rtol=1e-6)
    cells = data.isel(lat=0, drop=True).rename(lon="cell")
    cells = cells.assign_coords(lat=("cell", np.zeros(36)), lon=("cell", np.arange(36.0)))
    two = xr.concat([high, high.assign_coords(height=[10.0])], "height")
    for one, words in (
        (data.sel(lat=slice(45, -45)), "latitudes from -45 to 45 only"),
        (data.isel(lon=slice(18)), "do not go once around"),
        (cells, "unstructured grid"),
        (two, "height besides"),
        (data.drop_vars("lat"), "lacks lat"),
    ):
        with pytest.raises(ValueError, match=words):
            cmip.read(one)


def test_values_that_nothing_on_earth_has_are_refused(tmp_path):
    with xr.open_dataset(write(tmp_path / "a.nc")) as opened:
        data = opened.load()
    for value in (-999.0, 71.0, 0.0, 14.0, 1e20):  # fill values, damage, degrees called K
        spoilt = data.copy(deep=True)
        spoilt.tas[3, 4, 5] = value
        with pytest.raises(ValueError, match="damaged, or in another unit"):
            cmip.read(spoilt)
    spoilt.tas[3, 4, 5] = np.inf
    with pytest.raises(ValueError, match="missing values"):
        cmip.read(spoilt)


def test_models_of_cmip5_are_told_apart(tmp_path):
    def old(name, year, model):
        member = {"realization": 1, "initialization_method": 1, "physics_version": 1}
        path = write(tmp_path / name, years=(year,))
        with xr.open_dataset(path) as opened:
            data = opened.load()
        data.attrs = {"model_id": model, **member} if model else {}
        return data

    both = cmip.read([old("a.nc", 2000, "A"), old("b.nc", 2001, "A")])
    assert both.title == "A r1i1p1"
    with pytest.raises(ValueError, match="model A and B"):
        cmip.read([old("c.nc", 2000, "A"), old("d.nc", 2001, "B")])
    with pytest.warns(UserWarning, match="of which model"):
        cmip.read([old("e.nc", 2000, None), old("f.nc", 2001, None)])


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


def test_the_line_of_lesson_10_makes_a_plan_with_its_chunks(tmp_path, monkeypatch):
    text = (LESSON.parent / "10_large_archive.py").read_text(encoding="utf-8")
    call = re.search(r"`(xr\.open_mfdataset\([^`]+\))`", text)[1].replace("\n#", "")
    for model in "ab":
        field = xr.DataArray(np.ones((12, 4, 6)), dims=("year", "lat", "lon"), name="tas")
        packed = {"tas": {"chunksizes": (3, 4, 6)}}  # as the files have them, which is not wanted
        field.to_netcdf(tmp_path / f"tas_{model}.nc", encoding=packed)
    monkeypatch.chdir(tmp_path)
    with eval(call, {"xr": xr}) as data:
        assert data.tas.chunks == ((1, 1), (12,), (4,), (6,))


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
