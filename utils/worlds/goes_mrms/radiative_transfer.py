"""From layers of surface, cloud and vapour to brightness temperatures of three ABI channels."""

import numpy as np

# Central wavenumbers in 1/cm of ABI channels 7, 9 and 13: 3.9, 6.9 and 10.3 um.
WAVENUMBER = {"c07": 2570.4, "c09": 1443.0, "c13": 966.2}
C1, C2 = 1.191043e-5, 1.4387770  # mW m-2 sr-1 cm4 and cm K
SUN = 1.6  # what a white surface under an overhead sun reflects at 3.9 um, mW m-2 sr-1 cm
NOISE = {"c07": 0.0015, "c09": 0.004, "c13": 0.05}  # mW m-2 sr-1 cm, about 0.1 K at 300 K


def radiance(temperature, channel):
    """Planck's function at the channel's centre, mW m-2 sr-1 cm, for kelvins."""
    nu = WAVENUMBER[channel]
    return C1 * nu**3 / np.expm1(C2 * nu / temperature)


def brightness_temperature(radiance, channel):
    """The inverse of `radiance`, in kelvins."""
    nu = WAVENUMBER[channel]
    return C2 * nu / np.log1p(C1 * nu**3 / radiance)


def seen_from_above(channel, layers, sun=0.0):
    """Radiance at the top of layers, the surface first.

    Parameters
    ----------
    channel : str
    layers : sequence of (temperature, emissivity, reflectance)
        Temperature in kelvins; reflectance at 3.9 um, used in channel 7 only.
    sun : float
        Cosine of the sun's zenith angle, 0 at night.

    Returns
    -------
    array
    """
    total = 0.0
    for temperature, emissivity, reflectance in layers:
        own = radiance(temperature, channel)
        if channel == "c07":
            own = own + SUN * sun * reflectance
        total = (1 - emissivity) * total + emissivity * own
    return total
