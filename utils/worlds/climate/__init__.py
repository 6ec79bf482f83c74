"""World 4: an ensemble of climate models, 1920 to 2099, annual means on a grid of 6 degrees.

Each model has a forced part and internal variability. The forced part is greenhouse warming (more
over land and in the Arctic, hardly any south of Greenland), aerosol that cools industrial regions
for some decades, and volcanic years. Models agree on the global mean within some ten per cent and
differ by region. The variability has an El Nino, a Pacific decadal mode, two annular modes and a
red background. The signal and the noise are known.

The setting follows Barnes et al. 2020 (https://doi.org/10.1029/2020MS002195). Patterns, time series
and numbers are plausible, and chosen by the course.
"""

import numbers

import numpy as np
import xarray as xr

from utils.worlds.climate import ensemble
from utils.worlds.climate.ensemble import FORCINGS, LAT, LON, YEARS, weights  # noqa: F401
from utils.worlds.drawing import check_request, draw_all

SETTINGS = ("models", "observations")
BASE = slice(1920, 1949)  # anomalies are against the mean of these years
LAST_OBSERVED = 2024
TEXTS = {
    "tas": ("near-surface air temperature", "K"),
    "pr": ("precipitation", "mm day-1"),
}


def simulate(n, seed, setting="models", *, members=1, forcings=FORCINGS, progress=False):
    """Draw n climate models with some members each.

    Parameters
    ----------
    n : int
        Number of models.
    seed : int
        Model i has the seed ``seed + i``, whatever n is. See the ranges in ``utils.worlds``.
    setting : {"models", "observations"}
        ``"observations"``: a pretended record to 2024. Its climate warms a little less than the
        models' mean and varies more, its El Nino lies further west, and it has errors of
        measurement that shrink with time.
    members : int
        Runs of each model that differ in their variability alone.
    forcings : sequence of str
        Which of ``FORCINGS`` act.
    progress : bool
        Show a progress bar.

    Returns
    -------
    xarray.Dataset
        ``tas`` in K and ``pr`` in mm/day (model, member, year, lat, lon), float32; and the truth:
        ``truth_signal_tas`` and ``..._pr`` (model, year, lat, lon), the forced change since 1920;
        ``truth_noise_tas`` and ``..._pr`` (model, lat, lon), the standard deviation of the
        variability; ``land`` (lat, lon), the fraction of land.

    Raises
    ------
    ValueError
        If a number, the setting or a forcing is not one of these.
    """
    check_request(n, seed, setting, SETTINGS)
    if not isinstance(members, numbers.Integral) or isinstance(members, bool) or members < 1:
        raise ValueError(f"members must be a whole number, 1 or larger, not {members!r}.")
    if isinstance(forcings, str) or set(forcings) - set(FORCINGS):
        raise ValueError(f"forcings must be a list of some of {', '.join(FORCINGS)}.")
    observed = setting == "observations"
    jobs = [(int(seed) + i, int(members), tuple(forcings), observed) for i in range(n)]
    fields = draw_all(ensemble.climate, jobs, progress, n_jobs=1, chunk=1)
    return _dataset(np.arange(n) + int(seed), observed, *fields)


def _dataset(seeds, observed, runs, signals, noises):
    variables = {}
    for i, (name, (text, units)) in enumerate(TEXTS.items()):
        for key, dims, values, what in (
            (name, ("model", "member", "year", "lat", "lon"), runs, text),
            (f"truth_signal_{name}", ("model", "year", "lat", "lon"), signals, "forced change of"),
            (f"truth_noise_{name}", ("model", "lat", "lon"), noises, "variability of"),
        ):
            long_name = what if key == name else f"{what} {text}"
            variables[key] = dims, values[:, i], {"long_name": long_name, "units": units}
    variables["land"] = land().variable
    coordinates = {
        "seed": ("model", seeds, {"long_name": "seed of the model"}),
        "year": ("year", YEARS, {"long_name": "year"}),
        "lat": ("lat", LAT, {"long_name": "latitude", "units": "degrees_north"}),
        "lon": ("lon", LON, {"long_name": "longitude", "units": "degrees_east"}),
    }
    title = "Climate world: annual means of an ensemble of models"
    data = xr.Dataset(variables, coordinates, {"title": title, "Conventions": "CF-1.10"})
    return data.sel(year=slice(None, LAST_OBSERVED)) if observed else data


def land():
    """Fraction of land in each cell, xarray.DataArray (lat, lon), 0 to 1."""
    return ensemble.land_fraction()


def anomalies(data, name="tas"):
    """Maps of a variable as change since its own run's mean of 1920 to 1949.

    Parameters
    ----------
    data : xarray.Dataset
        With the variable (..., year, lat, lon), from :func:`simulate` or ``utils.readers.cmip``.
    name : {"tas", "pr"}

    Returns
    -------
    maps : numpy.ndarray, shape (sample, lat, lon)
        Year by year, run after run.
    years : numpy.ndarray, shape (sample,)

    Raises
    ------
    TypeError, ValueError
        If the variable is not there, or not all years of the base.
    """
    if not isinstance(data, xr.Dataset) or name not in data:
        raise TypeError(f"anomalies needs a dataset with {name!r}, as simulate() returns it.")
    field = data[name].transpose(..., "year", "lat", "lon")
    base = field.sel(year=BASE)
    if base.sizes["year"] != BASE.stop - BASE.start + 1:
        raise ValueError(f"The years {BASE.start} to {BASE.stop} must all be there, as the base.")
    maps = (field - base.mean("year")).values
    runs = int(np.prod(maps.shape[:-3]))
    return maps.reshape(-1, *maps.shape[-2:]), np.tile(field.year.values, runs)


def without_global_mean(maps):
    """Take from each map (..., lat, lon) its area-weighted mean, so that only the pattern stays."""
    return maps - ensemble.global_mean(maps)


def scale(maps, years, until=None):
    """Mean and standard deviation of each cell, to standardise inputs with.

    Parameters
    ----------
    maps : array, shape (sample, lat, lon)
        The training maps.
    years : array, shape (sample,)
    until : int, optional
        Only years before this one count: before the change the deviation is noise; over all years
        most of it is the change itself.

    Returns
    -------
    mean, deviation : array, shape (lat, lon)

    Raises
    ------
    ValueError
        If maps and years differ in number, or fewer than two maps are left.
    """
    maps, years = np.asarray(maps), np.asarray(years)
    if years.shape != maps.shape[:1]:
        raise ValueError(f"There are {len(maps)} maps and {years.size} years: give one for each.")
    some = maps if until is None else maps[years < until]
    if len(some) < 2:
        raise ValueError(f"Fewer than two maps lie before {until}: take a later year.")
    # In double precision: summed up in single, the last digits would depend on the order.
    mean, deviation = some.mean(0, dtype=np.float64), some.std(0, dtype=np.float64)
    kind = np.promote_types(maps.dtype, np.float32)
    return mean.astype(kind), deviation.astype(kind)


def signal(data, name="tas"):
    """The true forced change against 1920 to 1949, DataArray (model, year, lat, lon)."""
    field = data[f"truth_signal_{name}"]
    return field - field.sel(year=BASE).mean("year")


def signal_to_noise(data, name="tas"):
    """The true signal over the true noise of single years, DataArray (model, year, lat, lon)."""
    return signal(data, name) / data[f"truth_noise_{name}"]
