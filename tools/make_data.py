"""Write the committed samples of the worlds into data/. Run it with ``make data``."""

import hashlib
import json
from pathlib import Path

import numpy as np
import xarray as xr

from utils.worlds import SAMPLE, TRAINING, clever_hans, climate, convection, goes_mrms

DATA = Path(__file__).resolve().parents[1] / "data"
SQUEEZED = {"zlib": True, "complevel": 9, "shuffle": True}


def pack(world, name, kind, step, offset=None):
    """Turn a variable into whole numbers, of so many steps above an offset."""
    field, limits = world[name], np.iinfo(kind)
    packed = np.rint((field.values - (offset or 0)) / step).clip(limits.min, limits.max)
    how = {"scale_factor": np.float32(step)}
    if offset is not None:
        how["add_offset"] = np.float32(offset)
    world[name] = field.dims, packed.astype(kind), field.attrs | how


def write(world, path):
    """Write all variables, squeezed, and say how large the file is."""
    world.to_netcdf(path, encoding={name: SQUEEZED for name in world.data_vars})
    print(f"{path.name}: {path.stat().st_size / 1e3:,.0f} kB")


def make_clever_hans(path):
    """Write 200 pictures of the training world, a byte per colour, as a CF NetCDF file."""
    world = clever_hans.simulate(200, SAMPLE, progress=True)
    world.attrs |= {
        "source": "utils.worlds.clever_hans.simulate(200, SAMPLE, 'training')",
        "license": "CC BY 4.0; the photographs used are listed in data/README.md",
        "references": "Lapuschkin et al. 2019, https://doi.org/10.1038/s41467-019-08987-4",
    }
    packed = np.uint8(world.picture.values * 255 + 0.5)
    scale = {"scale_factor": np.float32(1 / 255)}
    world["picture"] = world.picture.dims, packed, world.picture.attrs | scale
    write(world, path)


def make_convection(path):
    """Write 32 sequences of the training world, a byte per value, as a CF NetCDF file."""
    world = convection.simulate(32, SAMPLE, progress=True)
    world.attrs |= {
        "source": "utils.worlds.convection.simulate(32, SAMPLE, 'training')",
        "license": "CC BY 4.0",
        "references": "Lee et al. 2021, https://doi.org/10.5194/amt-14-2699-2021",
    }
    for name, kind, step in (
        ("reflectance", np.uint8, 1 / 255),
        ("truth_brightness", np.uint8, 1 / 255),
        ("truth_texture", np.int8, 1 / 200),
    ):
        pack(world, name, kind, step)
    write(world, path)


def make_goes_mrms(path):
    """Write 12 scenes of 256 x 256 pixels, a byte per value, as a CF NetCDF file."""
    world = goes_mrms.simulate(12, SAMPLE, progress=True)
    world.attrs |= {
        "source": "utils.worlds.goes_mrms.simulate(12, SAMPLE)",
        "license": "CC BY 4.0",
        "references": "Hilburn et al. 2021, https://doi.org/10.1175/JAMC-D-20-0084.1",
    }
    for name in ("c07", "c09", "c13"):
        pack(world, name, np.uint8, 0.5, 180)
    for name in ("mrms", *(f"truth_{part}" for part in goes_mrms.PARTS)):
        pack(world, name, np.uint8, 0.5, 0)
    groups = world.glm.attrs | {"scale_factor": np.float32(1)}  # a float again when read
    world["glm"] = world.glm.dims, world.glm.values.astype(np.uint16), groups
    write(world, path)


def make_land_fraction(path, degrees=6):
    """Write the fraction of land in each cell of the climate world's grid.

    It takes `global-land-mask` and a gigabyte of memory, and nothing else here needs either.
    """
    try:
        from global_land_mask import globe
    except ImportError:
        print(f"{path.name} stays as it is: `pip install global-land-mask` to make it again.")
        return
    lat, lon = (
        np.arange(-90 + degrees / 2, 90, degrees),
        np.arange(-180 + degrees / 2, 180, degrees),
    )
    fine = (np.arange(40) + 0.5) / 40 * degrees - degrees / 2
    rows, columns = (np.add.outer(centre, fine).ravel() for centre in (lat, lon))
    is_land = globe.is_land(*np.meshgrid(rows, columns, indexing="ij"))
    fraction = is_land.reshape(len(lat), 40, len(lon), 40).mean((1, 3))
    attributes = {"long_name": "fraction of land", "units": "1"}
    coordinates = {
        "lat": ("lat", lat, {"long_name": "latitude", "units": "degrees_north"}),
        "lon": ("lon", lon, {"long_name": "longitude", "units": "degrees_east"}),
    }
    file = {"land": (("lat", "lon"), np.float32(fraction), attributes)}
    title = {"title": "Land fraction, from global-land-mask (GLOBE)", "Conventions": "CF-1.10"}
    write(xr.Dataset(file, coordinates, title), path)


def make_coasts(path, topology):
    """Write the coastlines of Natural Earth, 1:110m, as lines with NaN between them.

    Without the file they come from, which the package `world-atlas` holds, what is there stays.
    TopoJSON keeps lines as *arcs*: steps between whole numbers, to be summed and scaled.
    """
    if not topology.is_file():
        return print(f"{path.name} stays as it is: {topology} is not there (see data/README.md)")
    atlas = json.loads(topology.read_text(encoding="utf-8"))
    scale, origin = (np.array(atlas["transform"][name]) for name in ("scale", "translate"))
    lines = [np.array([[np.nan, np.nan]])]
    for arc in atlas["arcs"]:
        line = np.cumsum(arc, 0) * scale + origin  # longitude and latitude
        edge = (abs(line[:, 0]) > 179.9) | (line[:, 1] < -89.9)  # of the map, and no coast
        lines += [np.where(edge[:, None], np.nan, line), [[np.nan, np.nan]]]
    lon, lat = np.float32(np.concatenate(lines)).T
    file = {
        "lat": ("point", lat, {"long_name": "latitude", "units": "degrees_north"}),
        "lon": ("point", lon, {"long_name": "longitude", "units": "degrees_east"}),
    }
    title = "Coastlines of Natural Earth, 1:110m (public domain)"
    write(xr.Dataset(file, attrs={"title": title, "Conventions": "CF-1.10"}), path)


def make_climate_scale(path):
    """Write what the climate world's networks standardise their inputs with, for each cell."""
    models = climate.simulate(20, TRAINING, members=3)
    mean, deviation = climate.scale(*climate.anomalies(models))
    title = "Change of temperature over all training maps of the climate world"
    world = xr.Dataset(coords={"lat": models.lat, "lon": models.lon}, attrs={"title": title})
    for name, values in (("mean", mean), ("deviation", deviation)):
        text = {"mean": "mean", "deviation": "standard deviation"}[name]
        world[name] = ("lat", "lon"), values, {"long_name": f"{text} of the change", "units": "K"}
    write(world, path)


def write_checksums(folder):
    """Write what `utils.worlds.read_data` and `sha256sum --check` compare the files with."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*.nc"))
    ]
    (folder / "checksums.txt").write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    make_land_fraction(DATA / "land" / "land_fraction.nc")
    make_coasts(DATA / "land" / "coasts.nc", Path("land-110m.json"))
    make_clever_hans(DATA / "clever_hans.nc")
    make_convection(DATA / "convection.nc")
    make_goes_mrms(DATA / "goes_mrms.nc")
    make_climate_scale(DATA / "climate" / "scale.nc")
    write_checksums(DATA)
