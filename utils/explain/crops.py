"""Cut inputs to what one pixel of the encoder-decoder's output can see."""

import numpy as np

CROP = 64  # pixels that hold the receptive box of one output pixel, wherever it lies modulo 8
HALF_BOX = 27  # of the encoder-decoder, to each side


def around(x, rows, columns):
    """Cut inputs to what one output pixel of the encoder-decoder can see.

    Corners lie on multiples of 8, so that pooling meets the same pixels as in the whole picture:
    network and heat map give the same numbers as there, at a fraction of the cost.

    Parameters
    ----------
    x : array, shape (n, y, x, channel)
        One picture for each pixel; y and x multiples of 8, at least 64.
    rows, columns : array_like of int, shape (n,)
        The pixels.

    Returns
    -------
    crops : array, shape (n, 64, 64, channel)
    at : list of (int, int)
        Row and column of each pixel in its crop.

    Raises
    ------
    ValueError
        If a picture is too small, or a pixel lies outside.
    """
    x, pixels = np.asarray(x), np.transpose([rows, columns])
    size = np.array(x.shape[1:3])
    if x.ndim != 4 or (size < CROP).any() or (size % 8).any():
        raise ValueError(f"Pictures need multiples of 8, at least {CROP} pixels, not {x.shape}.")
    if len(pixels) != len(x) or (pixels < 0).any() or (pixels >= size).any():
        raise ValueError("Give one row and one column inside the picture for each picture.")
    corners = np.clip((pixels - HALF_BOX) // 8 * 8, 0, size - CROP)
    crops = [one[r : r + CROP, c : c + CROP] for one, (r, c) in zip(x, corners, strict=True)]
    return np.stack(crops), [tuple(map(int, pixel)) for pixel in pixels - corners]


def at_pixel(values, at):
    """The value of each map, shape (n, y, x), at its pixel, as `around` gives it: shape (n,)."""
    return np.array([one[pixel] for one, pixel in zip(values, at, strict=True)])


def box(values, at):
    """The receptive box of each pixel out of its crop, shape (n, 54, 54, ...).

    Raises
    ------
    ValueError
        If a box leaves its crop, because the pixel is near the picture's edge.
    """
    reach = np.array(at)
    if (reach < HALF_BOX).any() or (reach > CROP - HALF_BOX).any():
        raise ValueError(f"Choose pixels at least {HALF_BOX} pixels inside the picture.")
    slices = [tuple(slice(p - HALF_BOX, p + HALF_BOX) for p in pixel) for pixel in at]
    return np.array([one[where] for one, where in zip(values, slices, strict=True)])
