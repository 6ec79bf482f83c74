"""Write the committed samples of the worlds into data/. Run it with ``make data``."""

from pathlib import Path

import numpy as np

from utils.worlds import SAMPLE, clever_hans

DATA = Path(__file__).resolve().parents[1] / "data"
SQUEEZED = {"zlib": True, "complevel": 9, "shuffle": True}


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
    world.to_netcdf(path, encoding={name: SQUEEZED for name in world.data_vars})
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    make_clever_hans(DATA / "clever_hans.nc")
