"""How close to reality: clouds of this world beside those of one real scan.

The scan is California and the sea off its coast, 27 October 2019, GOES-17, ABI channel 3 at 1 km.
`tests/graph/test_readers.py` measures it again, where the file is at hand.
"""

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from utils import worlds
from utils.worlds.convection import render, scenes

SCAN = {  # kind of scene that is most like it: rows and columns of the scan
    "stratus": (slice(750, 974), slice(250, 890)),  # low cloud over the sea
    "cirrus": (slice(20, 200), slice(690, 870)),
    "clear": (slice(480, 670), slice(560, 800)),  # land
}
COLUMNS = ["slope", "roughness", "median"]
REAL = pd.DataFrame([[-2.4, 0.15, 0.27], [-2.6, 0.10, 0.27], [-2.5, 0.06, 0.25]], SCAN, COLUMNS)


def measures(patches):
    """What a satellite picture is like at small scales.

    Parameters
    ----------
    patches : array, shape (patch, 32, 32)
        Reflectance, with 1 km from pixel to pixel.

    Returns
    -------
    list of float
        The exponent of the power spectrum from 2.5 to 16 km; the standard deviation of what is
        finer than 2 km over the patch's mean, the median of all patches; the median reflectance.
    """
    power = np.abs(np.fft.fft2(patches - patches.mean((1, 2), keepdims=True))) ** 2
    wave = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32)))
    use = (wave > 0.06) & (wave < 0.4)
    slope = np.polyfit(np.log(wave[use]), np.log(power.mean(0)[use]), 1)[0]
    fine = patches - gaussian_filter(patches, (0, 2, 2))
    rough = np.median(fine.std((1, 2)) / patches.mean((1, 2)))
    return [float(number) for number in (slope, rough, np.median(patches))]


def drawn(kind, n=24):
    """Draw patches of 32 x 32 pixels of 1 km, the means of 2 x 2 of this world.

    Parameters
    ----------
    kind : str
        One of `utils.worlds.convection.KINDS` of the training world, or "storm".
    n : int
        Number of scenes, at most 24.

    Returns
    -------
    numpy.ndarray, shape (n, 32, 32)
    """
    named = {True: "storm"}
    some = [s for s in scenes(600, worlds.VALIDATION) if named.get(s.texture > 0, s.kind) == kind]
    return render(some[:n]).reflectance.values[:, 2].reshape(-1, 32, 2, 32, 2).mean((2, 4))


def comparison():
    """Measure this world's scenes beside the real scan's.

    Returns
    -------
    pandas.DataFrame
        A row a kind of scene, with "slope", "roughness" and "median" of reflectance, "real" and
        "ours"; no real storm was at hand.
    """
    ours = pd.DataFrame({k: measures(drawn(k)) for k in [*SCAN, "storm"]}, COLUMNS).T
    table = pd.concat({"real": REAL, "ours": ours.round(2)}, axis=1).swaplevel(axis=1)
    return table[COLUMNS].loc[ours.index]
