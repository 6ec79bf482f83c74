"""Real files come in as the worlds' datasets do, and what does not fit is refused in a sentence."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from utils.readers import abi
from utils.worlds import convection, open_world

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "abi"
real = pytest.mark.skipif(not REAL.is_dir(), reason="there are no real files in ../shared/data")


@pytest.fixture
def loop(tmp_path):
    """Five small files as ABI writes them, two minutes apart, newest first."""
    return [write(tmp_path / f"frame{i}.nc", minutes=2 * i) for i in reversed(range(5))]


def write(path, minutes=0, channel=2, bad=False, shifted=0.0):
    rows = (100 - np.arange(80)) * 14e-6
    radiance = np.full((80, 80), 100.0 + minutes, np.float32)
    radiance[70, 3] = np.nan if bad else 50
    variables = {
        "Rad": (("y", "x"), radiance),
        "DQF": (("y", "x"), np.zeros((80, 80), np.float32)),
        "kappa0": ((), np.float32(0.002)),
        "band_id": (("band",), np.array([channel], np.int8)),
    }
    time = np.datetime64("2020-06-01T18:00") + np.timedelta64(minutes, "m")
    coordinates = {"y": rows + shifted, "x": rows[::-1], "t": time.astype("datetime64[ns]")}
    xr.Dataset(variables, coordinates).to_netcdf(path)
    return path


def test_a_loop_has_the_schema_of_the_world(loop):
    data = abi.read(loop, row=10, column=2)
    world = convection.simulate(1, 0)
    assert data.reflectance.dims == world.reflectance.dims
    assert data.reflectance.shape == world.reflectance.shape
    assert data.reflectance.dtype == np.float32
    assert data.time.attrs == world.time.attrs
    np.testing.assert_allclose(data.time, world.time)
    np.testing.assert_allclose(np.diff(data.x), 0.5, atol=0.002)
    np.testing.assert_allclose(np.diff(data.y), 0.5, atol=0.002)
    np.testing.assert_allclose(data.reflectance[0, :, 0, 0], [0.2, 0.204, 0.208, 0.212, 0.216])
    assert float(data.reflectance[0, 0, 60, 1]) == pytest.approx(0.1)
    assert convection.as_input(data).shape == (1, 64, 64, 5)


def test_what_does_not_fit_is_refused(loop, tmp_path):
    moved = write(tmp_path / "moved.nc", 10, shifted=1e-3)
    for files, error, words in (
        ([], ValueError, "at least one"),
        ([tmp_path / "gone.nc"], FileNotFoundError, "no file"),
        ([write(tmp_path / "red.nc", channel=3)], ValueError, "channel 3, not 2"),
        ([*loop, moved], ValueError, "different grids"),
        ([*loop, loop[0]], ValueError, "same time"),
        ([write(tmp_path / "bad.nc", bad=True)], ValueError, "1 bad pixels"),
    ):
        with pytest.raises(error, match=words) as caught:
            abi.read(files, row=10, column=2)
        assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    with pytest.raises(ValueError, match="leaves the picture of 80 x 80"):
        abi.read(loop, row=40, column=2)
    with pytest.raises(ValueError, match="channel must be 1 to 6"):
        abi.read(loop, row=0, column=0, channel=13)
    (tmp_path / "text.nc").write_text("no NetCDF")
    with pytest.raises(ValueError, match="cannot be read as NetCDF"):
        abi.read(tmp_path / "text.nc", row=0, column=0)
    xr.Dataset({"Rad": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc")
    with pytest.raises(ValueError, match="no ABI level 1b file"):
        abi.read(tmp_path / "other.nc", row=0, column=0)


@real
def test_a_real_file():
    (file,) = REAL.glob("*M6C03*.nc")
    with pytest.raises(ValueError, match="channel 3, not 2"):
        abi.read(file, row=800, column=660)
    data = abi.read(file, row=800, column=660, channel=3)
    assert data.reflectance.shape == (1, 1, 64, 64)
    assert float(np.diff(data.x).mean()) == pytest.approx(1.0, abs=0.01)
    with xr.open_dataset(file) as whole:
        expected = (whole.Rad * whole.kappa0)[800:864, 660:724]
        np.testing.assert_allclose(data.reflectance[0, 0], expected, rtol=1e-5)


def slope(patches):
    """Exponent of the power spectrum of patches of 32 x 32 pixels, between 2.5 and 16 pixels."""
    power = np.abs(np.fft.fft2(patches - patches.mean((1, 2), keepdims=True))) ** 2
    wave = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32)))
    use = (wave > 0.06) & (wave < 0.4)
    return np.polyfit(np.log(wave[use]), np.log(power.mean(0)[use]), 1)[0]


@real
def test_the_world_against_a_real_picture():
    """What the data sheet says of both, at 1 km: channel 3 is the nearest to channel 2 here."""
    (file,) = REAL.glob("*M6C03*.nc")
    with xr.open_dataset(file) as whole:
        cloud = (whole.Rad * whole.kappa0).values[750:974, 250:890]
    theirs = cloud.reshape(7, 32, 20, 32).swapaxes(1, 2).reshape(-1, 32, 32)
    world = open_world("convection").reflectance[:, 2].values
    ours = world.reshape(-1, 32, 2, 32, 2).mean((2, 4))
    assert slope(theirs) == pytest.approx(-2.4, abs=0.1)
    assert slope(ours) == pytest.approx(-3.1, abs=0.1)
    assert np.quantile(theirs, (0.25, 0.5, 0.75)) == pytest.approx([0.19, 0.27, 0.36], abs=0.02)
    assert np.quantile(ours, (0.25, 0.5, 0.75)) == pytest.approx([0.12, 0.36, 0.60], abs=0.02)
