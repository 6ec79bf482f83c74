"""One run of a CMIP model, as annual means on the grid of the climate world."""

import numpy as np
import xarray as xr

from utils.plain import plain
from utils.readers.files import as_paths, opened
from utils.worlds.climate import LAT, LON, TEXTS

DAY = 86400.0
# Factor and offset from a file's units to the world's.
UNITS = {
    "tas": {"K": (1, 0), "degC": (1, 273.15), "degrees_celsius": (1, 273.15), "C": (1, 273.15)},
    "pr": {"kg m-2 s-1": (DAY, 0), "mm s-1": (DAY, 0), "mm day-1": (1, 0), "mm/day": (1, 0)},
}


def read(files, name="tas"):
    """Read annual or monthly means of one run, and average them to years and to cells of 6 degrees.

    Months count by their length in the file's own calendar. Cells are averaged by the area that
    they share with those of the world's grid.

    Parameters
    ----------
    files : str, pathlib.Path or sequence of them
        NetCDF files of one run, in any order, such as historical and one scenario.
    name : {"tas", "pr"}
        The variable.

    Returns
    -------
    xarray.Dataset
        ``tas`` in K or ``pr`` in mm/day (model, member, year, lat, lon), float32, one model and
        one member, as `utils.worlds.climate.anomalies` takes it.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or holds another variable, unknown units, or missing values; if files
        are of different models, members or grids; if years or months are missing or come twice.
    """
    if name not in UNITS:
        raise ValueError(f"name must be one of {', '.join(UNITS)}, not {name!r}.")
    parts = [_read(file, name) for file in as_paths(files, "CMIP")]
    for part in parts[1:]:
        for key in ("model", "member"):
            if part[key] != parts[0][key]:
                pair = f"{plain(parts[0][key])} and {plain(part[key])}"
                raise ValueError(f"The files are of different runs, {key} {pair}: take one.")
        if any(not np.array_equal(part[key], parts[0][key]) for key in ("lat", "lon")):
            raise ValueError("The files have different grids: take files of one grid.")
    times = np.concatenate([part["month"] for part in parts])  # months since the year 0
    days, values = (np.concatenate([part[key] for part in parts]) for key in ("days", "values"))
    order = np.argsort(times)
    years, fields = _annual(times[order], days[order], values[order])
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


def _read(file, name):
    """What one file holds, with latitudes from south to north."""
    with opened(file, [name, "time", "lat", "lon"], f"CMIP {name}") as data:
        field = data[name]
        if data.lat.ndim != 1 or data.lon.ndim != 1:
            raise ValueError(f"{file.name} has a curved grid: bring it to latitude and longitude.")
        units = str(field.attrs.get("units", "none"))
        if units not in UNITS[name]:
            known = ", ".join(UNITS[name])
            raise ValueError(
                f"{file.name}: {name} is in {plain(units)!r}; known units are {known}."
            )
        factor, offset = UNITS[name][units]
        field = field.transpose("time", "lat", "lon").sortby("lat")
        values = field.values.astype(float) * factor + offset
        if not np.isfinite(values).all():
            raise ValueError(f"{file.name} has missing values: a map must be whole.")
        time = data.time.dt
        return {
            "model": str(data.attrs.get("source_id", "unknown")),
            "member": str(data.attrs.get("variant_label", "unknown")),
            "lat": field.lat.values.astype(float),
            "lon": field.lon.values.astype(float),
            "month": 12 * time.year.values + time.month.values - 1,
            "days": time.days_in_month.values.astype(float),
            "values": values,
        }


def _annual(months, days, values):
    """Means of years, of months or of what is annual already."""
    if (np.diff(months) == 0).any():
        raise ValueError("A time comes twice: give one file for each time, and one scenario.")
    steps = set(np.diff(months))
    if not steps <= {1} and not steps <= {12}:
        raise ValueError("Times are missing, or annual and monthly files are mixed.")
    if steps == {12} or not steps:
        return months // 12, values
    if months[0] % 12 or len(months) % 12:
        raise ValueError("Monthly files must begin in January and end in December.")
    weight = days.reshape(-1, 12, 1, 1)
    years = values.reshape(-1, 12, *values.shape[1:])
    return months[::12] // 12, (years * weight).sum(1) / weight.sum(1)


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
