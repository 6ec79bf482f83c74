"""What keeps made-up pictures from turning into noise (Olah et al. 2017): for `utils.features`.

Pictures are arrays, shape (row, column, channel), as shares of the range they keep to.
"""

import cv2
import numpy as np
from scipy.special import expit, logit


def pixels(x):
    """The picture's own pixels: picture from parameters, slope along them, first parameters."""
    return lambda p: p, lambda p, slope: slope, x.clip(0, 1)


def spectrum(x):
    """The picture's spectrum, through a sigmoid; lower frequencies count more."""
    rows, columns = x.shape[:2]
    size = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns))
    scale = 1 / np.maximum(size, 1 / max(rows, columns))[..., None]

    def fields(p):
        return expit(np.fft.irfft2((p[0] + 1j * p[1]) * scale, (rows, columns), (0, 1), "ortho"))

    def parts(values):
        spectrum = np.fft.rfft2(values, axes=(0, 1), norm="ortho")
        return np.stack([spectrum.real, spectrum.imag])

    def slope_along(p, slope):
        values = fields(p)
        return parts(slope * values * (1 - values)) * scale

    return fields, slope_along, parts(logit(x.clip(0.01, 0.99))) / scale


def transformation(x, rng, jitter, rotation, scaling):
    """A random shift, turn and change of size, and the way back for slopes; or None twice."""
    if not (jitter or rotation or scaling):
        return None, None
    rows, columns = x.shape[:2]
    middle = (columns - 1) / 2, (rows - 1) / 2
    turn, size = rng.uniform(-1, 1) * rotation, 1 + rng.uniform(-1, 1) * scaling
    affine = cv2.getRotationMatrix2D(middle, turn, size)
    affine[:, 2] += rng.integers(-jitter, jitter, 2, endpoint=True)

    def warp(values, matrix, border):
        return np.reshape(
            cv2.warpAffine(values, matrix, (columns, rows), borderMode=border), values.shape
        )

    # The transposed map is close to the inverse one; what came from beyond the border is dropped.
    back = cv2.invertAffineTransform(affine)
    return (
        lambda values: warp(values, affine, cv2.BORDER_REFLECT_101),
        lambda slope: warp(slope, back, cv2.BORDER_CONSTANT),
    )


def variation_slope(x):
    """Slope of the total variation, rounded off where neighbours are nearly equal."""
    slope = np.zeros_like(x)
    for axis in (0, 1):
        step = np.diff(x, axis=axis)
        step = step / np.hypot(step, 0.01)
        slope -= np.diff(step, axis=axis, prepend=0, append=0)
    return slope
