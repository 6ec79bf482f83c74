"""Compare the GOES-to-MRMS world with real scans: the table and the picture of the data sheet.

    .venv/bin/python tools/compare_goes_mrms.py ../shared/data

The real images, lightning and radar there are of different places and times, so each variable is
compared by itself, and nothing is said about what goes with what.
"""

import re
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from utils import course, plots
from utils.readers import abi, geolocation, glm, mrms
from utils.worlds import SAMPLE, goes_mrms

ROOT = Path(__file__).parents[1]
PICTURE, SHEET = ROOT / "pictures" / "goes_mrms_real.png", ROOT / "data" / "README.md"
SCENES = 12
LIGHTNING = [(-34, -58), (14, -94), (22, -104), (46, -95)]  # where storms were in that minute
RADAR = [(43, -103), (34, -96), (43, -112), (43, -85)]  # where it rained most that day
WORLD, STORMS, CALM = "the world", "storms, Great Plains", "little cloud, California"
TITLES = {"c07": "C07", "c09": "C09", "c13": "C13", "glm": "Lightning", "mrms": "Reflectivity"}
HEADS = {"c13": "K", "glm": "groups", "mrms": ""}
MARKED = re.compile(r"(<!-- goes_mrms real -->\n).*?(<!-- /goes_mrms real -->)", re.DOTALL)
FLASHES, RAIN = "storms, one minute", "rain, a quiet day"


def real_scenes(folder):
    """Read the real files onto grids of 256 x 256 pixels.

    Parameters
    ----------
    folder : pathlib.Path
        With the folders ``abi``, ``glm`` and ``mrms``.

    Returns
    -------
    dict of str to dict of str to array (sample, y, x)
        For each variable of the world its fields, by what they show.
    """
    files = {c: next(folder.glob(f"abi/*{c}_G17*.nc")) for c in ("C07", "C09", "C13")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 19 missing pixels in a wildfire
        calm = abi.brightness_temperature(files.values())
    storms = abi.brightness_temperature(folder.glob("abi/*C13_G16*.nc"), channels=[13])
    lightning = list(folder.glob("glm/*LCFA*.nc"))
    composite = next(folder.glob("mrms/*QCComposite*"))
    flashes = [glm.groups(lightning, geolocation.local(*place)).values for place in LIGHTNING]
    echoes = [mrms.reflectivity(composite, geolocation.local(*place)).values for place in RADAR]
    return {
        "c07": {CALM: calm.c07.values},
        "c09": {CALM: calm.c09.values},
        "c13": {CALM: calm.c13.values, STORMS: storms.c13.values},
        "glm": {FLASHES: np.concatenate(flashes)},
        "mrms": {RAIN: np.concatenate(echoes)},
    }


def spectrum(fields):
    """Mean power spectrum of fields, over rings of equal wavelength.

    Parameters
    ----------
    fields : array (sample, y, x)
        Square, at 3 km; NaN counts as the mean.

    Returns
    -------
    (array, array)
        Wavelength in km, from long to short, and power: variance times km2.
    """
    n = fields.shape[-1]
    fields = np.nan_to_num(fields - np.nanmean(fields, (1, 2), keepdims=True))
    window = np.outer(np.hanning(n), np.hanning(n))
    power = np.abs(np.fft.fft2(fields * window)) ** 2 * geolocation.KM**2 / (window**2).sum()
    wave = np.hypot(
        *np.meshgrid(np.fft.fftfreq(n, geolocation.KM), np.fft.fftfreq(n, geolocation.KM))
    )
    edges = np.geomspace(1 / 250, 1 / 6.5, 16)
    ring = np.digitize(wave.ravel(), edges)
    mean = [power.mean(0).ravel()[ring == i].mean() for i in range(1, len(edges))]
    return 1 / np.sqrt(edges[1:] * edges[:-1]), np.array(mean)


def slope(fields):
    """Exponent of the power spectrum against wavenumber between 20 and 120 km."""
    length, power = spectrum(fields)
    use = (length > 20) & (length < 120)
    return -np.polyfit(np.log(length[use]), np.log(power[use]), 1)[0]


def numbers(name, fields):
    """What the data sheet says of one variable's fields.

    Parameters
    ----------
    name : str
        The variable in the world.
    fields : array (sample, y, x)

    Returns
    -------
    dict of str to float
    """
    known = fields[np.isfinite(fields)]
    if name == "glm":
        active = known[known > 0]
        said = {
            "% of pixels active": 100 * (known > 0).mean(),
            "groups in one: mean": active.mean(),
        }
        return said | {f"{100 * q:.0f} %": np.quantile(active, q) for q in (0.5, 0.99, 1)}
    said = {"exponent": slope(fields)}
    if name == "mrms":
        levels = {f"% ≥ {level} dBZ": 100 * (known >= level).mean() for level in (5, 20, 35, 50)}
        return levels | said
    quantiles = {f"{100 * q:.0f} %": np.quantile(known, q) for q in (0, 0.01, 0.1, 0.5, 0.99)}
    return quantiles | {"jump, 99 %": np.nanquantile(np.abs(np.diff(fields)), 0.99)} | said


def tables(scenes):
    """The data sheet's tables, in Markdown: infrared, lightning, radar.

    Parameters
    ----------
    scenes : dict of str to dict of str to array
        As from `real_scenes`, with the world's.

    Returns
    -------
    str
    """
    lines = []
    for name in ("c13", "c09", "c07", "glm", "mrms"):
        for i, (label, fields) in enumerate(scenes[name].items()):
            said = numbers(name, fields)
            if i == 0 and name in ("c13", "glm", "mrms"):
                head = [HEADS[name], *said]
                lines += ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
            row = [f"{TITLES[name]}, {label}", *(f"{value:.3g}" for value in said.values())]
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, ""])


def draw(scenes):
    """Draw the distributions and spectra of what `real_scenes` gives, with the world's.

    Parameters
    ----------
    scenes : dict of str to dict of str to array
        As from `real_scenes`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    colours = dict(zip((WORLD, STORMS, CALM), (plots.INK, plots.RED, plots.BLUE), strict=True))
    fig, axes = plt.subplots(2, 4, figsize=(14, 6.4))
    edges = {"c07": np.arange(195, 345, 3), "c09": np.arange(195, 275, 2)}
    edges |= {"c13": np.arange(195, 320, 3), "mrms": np.arange(1, 62, 2)}
    for ax, name in zip(axes.ravel(), ("c13", "c09", "c07", "mrms", "glm"), strict=False):
        for label, fields in scenes[name].items():
            values, style = fields[np.isfinite(fields)], {"label": label, "lw": 1.6}
            style["color"] = colours.get(label, plots.RED)
            if name == "glm":
                active = np.sort(values[values > 0])
                ax.loglog(active, 1 - np.arange(len(active)) / len(active), **style)
                continue
            share = np.histogram(values, edges[name])[0] / len(values) / np.diff(edges[name])
            ax.stairs(100 * share, edges[name], **style)
    for ax, name in zip(axes[1, 1:], ("c13", "c09", "mrms"), strict=True):
        for label, fields in scenes[name].items():
            ax.loglog(*spectrum(fields), label=label, color=colours.get(label, plots.RED), lw=1.6)
        ax.invert_xaxis()
        unit = "dBZ" if name == "mrms" else "K"
        ax.set(xlabel="wavelength, km", ylabel=f"power, {unit}$^2$ km$^2$")
        ax.set_title(f"{TITLES[name]}: spectrum")
    for ax, name in zip(axes[0], ("c13", "c09", "c07", "mrms"), strict=True):
        unit = "dBZ" if name == "mrms" else "K"
        ax.set(title=TITLES[name], xlabel=unit, ylabel=f"% of pixels per {unit}")
    axes[0, 3].set_yscale("log")
    axes[1, 0].set(title=TITLES["glm"], xlabel="groups in a pixel, or more")
    axes[1, 0].set_ylabel("share of active pixels")
    for ax in axes.ravel():
        ax.legend(fontsize=8, loc="lower left" if ax is axes[0, 3] else "best")
    return fig


def compare(folder):
    """Read the real files, draw the world, and put the world first.

    Parameters
    ----------
    folder : pathlib.Path
        As in `real_scenes`.

    Returns
    -------
    dict of str to dict of str to array
    """
    world = goes_mrms.simulate(SCENES, SAMPLE)
    return {
        name: {WORLD: world[name].values} | fields for name, fields in real_scenes(folder).items()
    }


def main(folder):
    course.start()
    scenes = compare(Path(folder))
    PICTURE.write_bytes(plots.png(draw(scenes)))
    sheet = SHEET.read_text(encoding="utf-8")
    SHEET.write_text(MARKED.sub(lambda m: m[1] + tables(scenes) + m[2], sheet), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
