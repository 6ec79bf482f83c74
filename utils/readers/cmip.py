"""One run of a CMIP model, as annual means on the grid of the climate world."""

import warnings
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import xarray as xr

from utils.plain import plain
from utils.readers.files import as_paths, in_range, opened
from utils.worlds.climate import LAT, LON, TEXTS

DAY = 86400.0
# Factor and offset from a file's units to the world's.
UNITS = {
    "tas": {"K": (1, 0), "degC": (1, 273.15), "degrees_celsius": (1, 273.15), "C": (1, 273.15)},
    "pr": {"kg m-2 s-1": (DAY, 0), "mm s-1": (DAY, 0), "mm day-1": (1, 0), "mm/day": (1, 0)},
}
# What a mean of a month can be, in the world's units; beyond it bytes or units are wrong.
RANGES = {"tas": (150, 350, "temperatures in K"), "pr": (-1, 500, "rain in mm/day")}
MONTH, YEAR = (27, 32), (359, 367)  # days
KIND = "CMIP"


def read(files, name="tas"):
    """Read annual or monthly means of one run, and average them to years and to cells of 6 degrees.

    Months count by their length in the file's own calendar. Where a file tells the bounds of its
    times, these decide which month or year a value belongs to, wherever the stamp stands. Years of
    which months are missing at either end are left out. Cells are averaged by the area that they
    share with those of the world's grid.

    Parameters
    ----------
    files : str, pathlib.Path, xarray.Dataset or sequence of them
        NetCDF files of one run, in any order, such as historical and one scenario, or the same
        opened and put right by yourself.
    name : {"tas", "pr"}
        The variable.

    Returns
    -------
    xarray.Dataset
        ``tas`` in K or ``pr`` in mm/day (model, member, year, lat, lon), float32, one model and
        one member, as `utils.worlds.climate.anomalies` takes it.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If a file is missing or holds another variable, unknown units, missing or impossible values;
        if its grid is not one of latitudes and longitudes around the whole globe; if files are of
        different models, members or grids; if years or months are missing or come twice, or cannot
        be told from the stamps.

    Warns
    -----
    UserWarning
        If months were left out, if a year is taken from stamps on 1 January that no bounds explain,
        or if several files do not say of which model they are.
    """
    if name not in UNITS:
        raise ValueError(f"name must be one of {', '.join(UNITS)}, not {name!r}.")
    if isinstance(files, str | Path | xr.Dataset) or not isinstance(files, Iterable):
        files = [files]
    files = list(files)
    given = [one for one in files if isinstance(one, xr.Dataset)]
    if not given or len(given) < len(files):
        given += as_paths([one for one in files if not isinstance(one, xr.Dataset)], KIND)
    parts = [_read(one, name) for one in given]
    _one_run(parts)
    months, span = _months(parts)
    values = np.concatenate([part["values"] for part in parts])
    order = np.argsort(months)
    years, fields = _annual(months[order], span[order], values[order])
    rows = _overlap(_bounds(np.deg2rad(parts[0]["lat"])), np.deg2rad(LAT), np.sin)
    rows, columns = (w / w.sum(1, keepdims=True) for w in (rows, _around(parts[0]["lon"])))
    fields = np.einsum("ry,cx,tyx->trc", rows, columns, fields, optimize=True)
    text, units = TEXTS[name]
    return xr.Dataset(
        {
            name: (
                ("model", "member", "year", "lat", "lon"),
                np.float32(fields)[None, None],
                {"long_name": text, "units": units},
            )
        },
        {"year": years, "lat": LAT, "lon": LON},
        {"title": f"{plain(parts[0]['model'])} {plain(parts[0]['member'])}"},
    )


def _read(one, name):
    """What one file or dataset holds, from south to north and from west to east."""
    needs = [name, "time", "lat", "lon"]
    if isinstance(one, xr.Dataset):
        file, context = "the dataset", nullcontext(one)
        if missing := sorted(set(needs) - set(one.variables)):
            raise ValueError(f"The dataset lacks {', '.join(missing)}.")
    else:
        file, context = one.name, opened(one, needs, f"{KIND} {name}")
    with context as data:
        field = _on_latitudes(data, name, file)
        units = str(field.attrs.get("units", "none"))
        if units not in UNITS[name]:
            known = ", ".join(UNITS[name])
            raise ValueError(f"{file}: {name} is in {plain(units)!r}; known units are {known}.")
        factor, offset = UNITS[name][units]
        values = field.values.astype(float) * factor + offset
        if not np.isfinite(values).all():
            raise ValueError(f"{file} has missing values: a map must be whole.")
        in_range(values, *RANGES[name], file)
        return {
            "file": file,
            "model": _first(data, "source_id", "model_id"),
            "member": _first(data, "variant_label") or _member_of_cmip5(data),
            "lat": field.lat.values.astype(float),
            "lon": field.lon.values.astype(float),
            "values": values,
            **_times(data, file),
        }


def _first(data, *names):
    """The first of some attributes that a file has, as text, or an empty one."""
    return next((str(data.attrs[name]) for name in names if name in data.attrs), "")


def _member_of_cmip5(data):
    parts = ("r", "realization"), ("i", "initialization_method"), ("p", "physics_version")
    return "".join(f"{letter}{data.attrs[key]}" for letter, key in parts if key in data.attrs)


def _on_latitudes(data, name, file):
    """The variable (time, lat, lon), sorted, each place once around the whole globe."""
    field = data[name]
    if data.lat.ndim != 1 or data.lon.ndim != 1:
        raise ValueError(f"{file} has a curved grid: bring it to latitude and longitude.")
    if data.lat.dims == data.lon.dims:
        raise ValueError(f"{file} has an unstructured grid: bring it to latitude and longitude.")
    more = [d for d in field.dims if d not in ("time", "lat", "lon") and field.sizes[d] > 1]
    if more:
        raise ValueError(f"{file}: {name} has {', '.join(more)} besides: choose one of each.")
    others = [d for d in field.dims if d not in ("time", "lat", "lon")]
    field = field.isel(dict.fromkeys(others, 0), drop=True)
    if "time" not in field.dims:
        field = field.expand_dims(time=np.atleast_1d(data.time.values))
    field = field.transpose("time", "lat", "lon").sortby("lat")
    field = field.assign_coords(lon=field.lon.values % 360).sortby("lon")
    twice = np.diff(field.lon.values, prepend=field.lon.values[-1] - 360) < 1e-3
    field = field.isel(lon=~twice)
    lat = field.lat.values
    if (
        len(lat) < 2
        or 90 - max(-lat[0], 0) > 1.01 * (lat[1] - lat[0])
        or 90 - max(lat[-1], 0) > 1.01 * (lat[-1] - lat[-2])
    ):
        raise ValueError(
            f"{file} has latitudes from {lat.min():g} to {lat.max():g} only: give the whole globe."
        )
    return field


def _times(data, file):
    """Stamps or, where there are bounds, the middles between them, and lengths in days."""
    time = data.time
    if not time.size:
        raise ValueError(f"{file} has no time.")
    if not (
        np.issubdtype(time.dtype, np.datetime64) or hasattr(time.values.ravel()[0], "calendar")
    ):
        raise ValueError(f'{file} says no unit of its time, as in "days since 1850-01-01".')
    bounds = data.variables.get(str(time.attrs.get("bounds", time.encoding.get("bounds", ""))))
    if bounds is None or bounds.shape != (time.size, 2) or bounds.dtype.kind not in "MO":
        return {"time": np.atleast_1d(time.values), "span": None}
    start, end = bounds.values.T
    span = np.array([_days(b - a) for a, b in zip(start, end, strict=True)])
    if not any(((low <= span) & (span <= high)).all() for low, high in (MONTH, YEAR)):
        # A yearly mean of monthly files may have averaged their bounds, too.
        return {"time": np.atleast_1d(time.values), "span": None}
    return {"time": start + (end - start) / 2, "span": span}


def _days(step):
    if isinstance(step, np.timedelta64):
        return float(step / np.timedelta64(1, "s")) / DAY
    return step.total_seconds() / DAY


def _one_run(parts):
    """Refuse files of different runs or grids."""
    first = parts[0]
    for part in parts[1:]:
        for key in ("model", "member"):
            if part[key] != first[key]:
                pair = f"{plain(first[key])} and {plain(part[key])}"
                raise ValueError(f"The files are of different runs, {key} {pair}: take one.")
        if any(not np.array_equal(part[key], first[key]) for key in ("lat", "lon")):
            raise ValueError("The files have different grids: take files of one grid.")
    if len(parts) > 1 and not first["model"]:
        warnings.warn("The files do not say of which model they are: be sure.", stacklevel=3)


def _months(parts):
    """The month that each value belongs to, since the year 0, and how many days it is for."""
    months, spans = [], []
    for part in parts:
        time = xr.DataArray(part["time"], dims="time").dt
        month = 12 * time.year.values + time.month.values - 1
        span = part["span"]
        if span is None:
            span = _by_stamps(part["file"], part["time"], time, month)
        monthly, yearly = (np.all((low <= span) & (span <= high)) for low, high in (MONTH, YEAR))
        if not (monthly or yearly):
            raise ValueError(
                f"{part['file']} has values of {span.min():g} to {span.max():g} days: average "
                'them to months first, as `data.resample(time="MS").mean()` does to days.'
            )
        if yearly:
            month = 12 * (month // 12)
        months.append(month)
        spans.append(span)
    if len({bool((span > MONTH[1]).all()) for span in spans}) > 1:
        raise ValueError("Annual and monthly files are mixed: take one kind.")
    return np.concatenate(months), np.concatenate(spans)


def _by_stamps(file, stamps, time, month):
    """Days that values are for, told from stamps alone."""
    if len(stamps) < 2:
        raise ValueError(
            f"{file} has one time without bounds: nobody can tell whether it is a month or a year."
        )
    ordered = np.sort(stamps)
    apart = np.median([_days(b - a) for a, b in zip(ordered, ordered[1:], strict=False)])
    on_the_first = (time.day.values == 1).all() and (time.hour.values == 0).all()
    if MONTH[0] <= apart <= MONTH[1]:
        if on_the_first and month.min() % 12:
            raise ValueError(
                f"{file}: its stamps stand on the first of a month and begin after January, and no "
                "bounds tell whether a month begins or ends there: shift them to its middle."
            )
        return time.days_in_month.values.astype(float)
    if YEAR[0] <= apart <= YEAR[1] and on_the_first and (time.month.values == 1).all():
        warnings.warn(
            f"{file}: its stamps stand on 1 January, and no bounds tell whether the year begins or "
            "ends there; it is taken to begin.",
            stacklevel=5,
        )
    return np.full(len(stamps), float(apart))


def _annual(months, days, values):
    """Means of years, of months or of what is annual already."""
    steps = np.diff(months)
    if (steps == 0).any():
        raise ValueError("A time comes twice: give one file for each time, and one scenario.")
    yearly = days[0] > MONTH[1]
    if not (steps == (12 if yearly else 1)).all():
        raise ValueError("Times are missing between the first and the last.")
    if yearly:
        return months // 12, values
    first = -months[0] % 12  # of months before the first January
    count = (len(months) - first) // 12
    if count < 1:
        raise ValueError(f"There are {len(months)} months, but no whole year from January on.")
    whole = slice(first, first + 12 * count)
    if 12 * count < len(months):
        left = len(months) - 12 * count
        warnings.warn(f"{left} months of incomplete years were left out.", stacklevel=3)
    weight = days[whole].reshape(-1, 12, 1, 1)
    years = values[whole].reshape(-1, 12, *values.shape[1:])
    return months[whole][::12] // 12, (years * weight).sum(1) / weight.sum(1)


def _bounds(lat):
    """Edges of rows, half-way between their middles, and the poles."""
    return np.concatenate([[-np.pi / 2], (lat[1:] + lat[:-1]) / 2, [np.pi / 2]])


def _overlap(edges, middles, measure=np.asarray):
    """What each given cell shares with each wanted one, (wanted, given)."""
    half = (middles[1] - middles[0]) / 2
    low, high = (middles - half)[:, None], (middles + half)[:, None]
    return measure(np.clip(edges[1:], low, high)) - measure(np.clip(edges[:-1], low, high))


def _around(lon):
    """What columns share, once around the globe."""
    if not np.allclose(np.diff(lon), 360 / len(lon), atol=1e-3):
        raise ValueError("The longitudes do not go once around the globe in even steps.")
    edges = np.append(lon, lon[-1] + 360 / len(lon)) - 180 / len(lon)
    return sum(_overlap(edges + turn, LON) for turn in (-720, -360, 0, 360))
