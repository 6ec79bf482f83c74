"""The climate world: reproducible, true to its signal and noise, and as diverse as it says."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from utils import networks, skill, worlds
from utils.worlds import climate
from utils.worlds.climate import fuzzy_years

SEED = worlds.VALIDATION + 500_000


@pytest.fixture(scope="module")
def world():
    return climate.simulate(6, SEED, members=3)


def test_a_model_depends_on_its_seed_alone(world):
    xr.testing.assert_identical(climate.simulate(2, SEED, members=3), world.isel(model=[0, 1]))
    xr.testing.assert_identical(climate.simulate(1, SEED + 4, members=3), world.isel(model=[4]))
    fewer = climate.simulate(1, SEED)
    np.testing.assert_array_equal(fewer.tas[0, 0], world.tas[0, 0])


def test_the_background_does_not_hang_on_arbitrary_eigenvectors():
    root = climate.ensemble._smooth_root()
    covariance = root @ root.T
    np.testing.assert_allclose(np.diag(covariance), 1, rtol=1e-4)
    rows = covariance.reshape(30, 60, 30, 60)
    for lat in (2, 15):
        np.testing.assert_allclose(rows[lat, 5, lat, 9], rows[lat, 40, lat, 44], atol=1e-4)


def test_schema(world):
    for name, units in (("tas", "K"), ("pr", "mm day-1")):
        assert world[name].dims == ("model", "member", "year", "lat", "lon")
        assert world[name].shape == (6, 3, 180, 30, 60) and world[name].dtype == np.float32
        assert world[name].attrs["units"] == world[f"truth_noise_{name}"].attrs["units"] == units
    assert world.year.values[[0, -1]].tolist() == [1920, 2099]
    assert 200 < world.tas.min() and world.tas.max() < 325 and world.pr.min() >= 0
    assert all(v.attrs["long_name"] for v in world.variables.values())


def test_the_noise_is_what_is_left_without_the_signal(world):
    rest = (world.tas - world.truth_signal_tas).std(("member", "year")) / world.truth_noise_tas
    assert float(rest.mean()) == pytest.approx(1, abs=0.04)
    assert float(abs(rest - 1).max()) < 0.3
    between = (world.tas - world.truth_signal_tas).mean("year").std("member")
    assert float((between / world.truth_noise_tas).mean()) < 0.25, "members differ by noise alone"


def test_without_forcing_nothing_is_forced_and_the_noise_stays(world):
    calm = climate.simulate(1, SEED, forcings=[])
    assert not calm.truth_signal_tas.any() and not calm.truth_signal_pr.any()
    forced = world.tas[:1, :1] - world.truth_signal_tas[:1]
    np.testing.assert_allclose(calm.tas.values, forced.transpose(*calm.tas.dims).values, atol=1e-3)


def test_forcings_do_what_they_are_called():
    def change(*forcings):
        data = climate.simulate(1, SEED, forcings=forcings)
        return data.truth_signal_tas[0]

    mean = lambda field: (field * climate.weights()).mean(("lat", "lon"))  # noqa: E731
    greenhouse, aerosol, ash = change("greenhouse"), change("aerosol"), change("volcanoes")
    assert (mean(greenhouse).diff("year") > 0).all()
    assert float(mean(greenhouse)[-1]) == pytest.approx(3.3, rel=0.35)
    europe = aerosol.sel(lat=51, lon=15)
    assert europe.idxmin("year") in range(1970, 1983) and abs(europe[-1]) < 0.05
    assert float(mean(ash).sel(year=1991)) < -0.15 and abs(float(mean(ash).sel(year=1989))) < 0.02


def test_the_pattern_of_warming(world):
    warming = world.truth_signal_tas.isel(year=-1).mean("model")
    land = climate.land() > 0.5
    tropics = abs(world.lat) < 30
    row = warming.mean("lon")
    assert row.sel(lat=87) > 1.8 * row.sel(lat=3) and row.sel(lat=-57) < row.sel(lat=-33)
    assert warming.where(land & tropics).mean() > 1.15 * warming.where(~land & tropics).mean()
    assert warming.sel(lat=57, lon=-33) < 0.3 * row.sel(lat=57)


def test_rain_lies_where_an_expert_expects_it_and_so_does_its_change(world):
    rain = world.pr.sel(year=climate.BASE).mean(("model", "member", "year"))
    change = world.truth_signal_pr.isel(year=-1).mean("model")
    row, at = change.mean("lon"), lambda lat, lon: rain.sel(lat=lat, lon=lon, method="nearest")
    assert row.sel(lat=3) > 0 > row.sel(lat=27) and row.sel(lat=63) > 0 and row.sel(lat=-27) < 0
    assert change.sel(lat=39, lon=9) < 0 < change.sel(lat=3, lon=-165), "Mediterranean, Pacific"
    assert at(9, -130) > 2 * at(-9, -110), "the convergence zone lies north of the equator"
    # The South Pacific convergence zone leans: its wettest latitude moves south to the east.
    south = rain.sel(lat=slice(-40, -4)).idxmax("lat")
    assert south.sel(lon=177) > south.sel(lon=-159) > south.sel(lon=-129)
    gulf_stream, norway = (rain.sel(lon=lon, lat=slice(30, 75)).idxmax("lat") for lon in (-57, -15))
    assert gulf_stream < norway, "the Atlantic storm track leans north"
    growth = (change * climate.weights()).mean() / (rain * climate.weights()).mean()
    warming = (world.truth_signal_tas.isel(year=-1).mean("model") * climate.weights()).mean()
    assert 0.01 < float(growth / warming) < 0.02, "one to two per cent for each kelvin"


def test_models_differ_by_region_more_than_in_the_mean():
    last = climate.simulate(20, SEED).truth_signal_tas.isel(year=-1)
    mean = (last * climate.weights()).mean(("lat", "lon"))
    regional = (last / mean).std("model")
    assert 0.06 < float(mean.std() / mean.mean()) < 0.14
    assert float(regional.mean()) > 1.5 * float(mean.std() / mean.mean())


def test_variability_has_its_modes_and_its_memory(world):
    rest = (world.tas - world.truth_signal_tas).isel(model=0)
    rest = rest - rest.mean("year")
    pacific = rest.sel(lat=3, lon=-117)
    far = rest.sel(lat=3, lon=-141)
    assert float(xr.corr(pacific, far)) > 0.6, "El Nino spans the Pacific"
    ocean, land = rest.sel(lat=-33, lon=-141), rest.sel(lat=63, lon=99)
    lag = [
        float(xr.corr(v[:, 1:], v[:, :-1].assign_coords(year=v.year[1:]))) for v in (ocean, land)
    ]
    assert lag[0] > 0.3 and lag[0] > lag[1]


def test_anomalies_and_scales(world):
    maps, years = climate.anomalies(world)
    assert maps.shape == (18 * 180, 30, 60) and years[:180].tolist() == world.year.values.tolist()
    np.testing.assert_allclose(maps[years < 1950].mean(0), 0, atol=1e-3)
    mean, deviation = climate.scale(maps, years)
    np.testing.assert_allclose(((maps - mean) / deviation).std(0), 1, rtol=1e-3)
    assert (climate.scale(maps, years, 1960)[1] < deviation).mean() > 0.9
    flat = climate.without_global_mean(maps)
    np.testing.assert_allclose((flat * climate.weights()).mean((1, 2)), 0, atol=1e-5)


def test_observations_end_and_differ():
    data = climate.simulate(1, SEED, "observations")
    assert data.year.values[-1] == climate.LAST_OBSERVED
    same = climate.simulate(1, SEED)
    assert float(data.truth_signal_tas[0, -1].mean()) < float(same.truth_signal_tas[0, 104].mean())
    quiet = data.truth_noise_tas < 0.4  # elsewhere the weather hides the measurement's errors
    rest = (data.tas - data.truth_signal_tas).where(quiet)
    early, late = (
        rest.sel(year=slice(*y)).diff("year").std() for y in ((1920, 1939), (2005, 2024))
    )
    assert early > late


def test_fuzzy_decades_are_read_back():
    years = np.arange(1920, 2100)
    shares = fuzzy_years.fuzzy(years)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
    assert ((shares > 0).sum(1) <= 2).all() and shares[5, 1] == 1
    np.testing.assert_allclose(fuzzy_years.year(np.log(shares + 1e-30)), years, atol=1e-6)


def test_the_network_of_years():
    one, same, other = (networks.year_of_map(seed=s) for s in (3, 3, 4))
    assert one.output_shape == (None, 20) and len(one.losses) == 1
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_equal_areas_give_spearmans_correlation(seed):
    a, b = np.random.default_rng(seed).integers(0, 9, (2, 5, 6)).astype(float)
    found = skill.weighted_rank_correlation(a, b, np.ones((5, 6)))
    assert found == pytest.approx(spearmanr(a.ravel(), b.ravel())[0], abs=1e-9)


def test_a_cell_of_double_area_counts_as_two():
    a, b = np.random.default_rng(0).normal(size=(2, 6))
    weights = np.array([2, 1, 1, 2, 1, 1])
    twice = [np.repeat(v, weights) for v in (a, b)]
    assert skill.weighted_rank_correlation(a, b, weights) == pytest.approx(spearmanr(*twice)[0])
    assert np.isnan(skill.weighted_rank_correlation(np.ones(6), b, weights))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: climate.simulate(1, 0, "model"), ValueError, "setting must be one of models"),
        (lambda: climate.simulate(0, 0), ValueError, "n must be"),
        (lambda: climate.simulate(1, 0, members=0), ValueError, "members must be"),
        (lambda: climate.simulate(1, 0, forcings="aerosol"), ValueError, "forcings must be"),
        (lambda: climate.simulate(1, 0, forcings=["sun"]), ValueError, "forcings must be"),
        (lambda: climate.anomalies(np.zeros(3)), TypeError, "needs a dataset with 'tas'"),
        (lambda: climate.scale(np.zeros((3, 2, 2)), np.arange(2)), ValueError, "3 maps and 2"),
        (lambda: climate.scale(np.zeros((3, 2, 2)), np.arange(3), -1), ValueError, "later year"),
        (lambda: fuzzy_years.fuzzy([1900]), ValueError, "1915 to 2105"),
        (lambda: fuzzy_years.fuzzy([np.nan]), ValueError, "1915 to 2105"),
        (lambda: fuzzy_years.year(np.zeros((2, 3))), ValueError, "20 finite logits"),
        (
            lambda: fuzzy_years.fit(None, np.zeros((3, 30, 60)), [2000, 2001]),
            ValueError,
            "3 inputs",
        ),
        (
            lambda: fuzzy_years.fit(None, np.full((1, 30, 60), np.nan), [2000]),
            ValueError,
            "NaN or inf",
        ),
        (lambda: fuzzy_years.fit(None, np.zeros((1, 30, 60)), [1900]), ValueError, "1915 to 2105"),
        (lambda: networks.year_of_map(ridge=-1), ValueError, "ridge is -1"),
        (lambda: skill.weighted_rank_correlation([1], [1, 2], [1]), ValueError, "shapes"),
        (lambda: skill.weighted_rank_correlation([1, 2], [1, 2], [1, 0]), ValueError, "positive"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_anomalies_need_their_base(world):
    with pytest.raises(ValueError, match="1920 to 1949"):
        climate.anomalies(world.sel(year=slice(1930, None)))


@pytest.mark.slow
def test_the_shipped_scale_is_that_of_the_training_maps():
    shipped = worlds.read_data("climate/scale.nc")
    models = climate.simulate(20, worlds.TRAINING, members=3)
    for name, values in zip(
        ("mean", "deviation"), climate.scale(*climate.anomalies(models)), strict=True
    ):
        np.testing.assert_allclose(shipped[name], values, rtol=1e-6)
