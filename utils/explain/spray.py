"""Spectral relevance analysis (SpRAy): sort heat maps into strategies.

Lapuschkin et al. 2019 (lapuschkin2019): (1) a heat map for each picture, (2) all brought to one
small size, (3) spectral clustering, (4) the eigengap to choose the number of clusters. What is
clustered are the heat maps, not the pictures. Here are step 2 and the graph for step 3; the rest is
SciPy's and scikit-learn's, as lesson 01 shows.
"""

import cv2
import numpy as np
from sklearn.neighbors import kneighbors_graph

from utils.keras_graph.validation import as_numbers, check_count

FAINT = 1e-6
LARGEST = 1024  # rows and columns of a small map


def downsize(maps, inside=None, size=16):
    """Bring heat maps to one small size, and each to the sum 1.

    Only positive relevance is kept: what speaks for the class.

    Parameters
    ----------
    maps : array_like, shape (sample, y, x) or (sample, y, x, channel)
        Channels are added first.
    inside : array_like of bool, shape (sample, y, x), optional
        The picture without its letterbox bars. Each map is cut to the smallest box around it.
    size : int
        Rows and columns of the small map.

    Returns
    -------
    numpy.ndarray, shape (sample, size * size)

    Raises
    ------
    TypeError, ValueError
        If these are no maps, a map is not finite, or it has no positive relevance inside.
    """
    check_count("size", size)
    if size > LARGEST:
        raise ValueError(f"size must be {LARGEST} at most, not {size}: these are small maps.")
    maps = as_numbers("maps", maps).astype(float)
    if maps.ndim not in (3, 4) or 0 in maps.shape:
        hint = "for a single map pass maps[None]" if maps.ndim == 2 else "the samples come first"
        raise ValueError(
            "maps must have the shape (sample, y, x) or (sample, y, x, channel), with none of them "
            f"0, not {maps.shape}: {hint}."
        )
    if not np.isfinite(maps).all():
        raise ValueError("A heat map holds NaN or infinite values: look for the cause first.")
    if inside is not None:
        inside = as_numbers("inside", inside)
        if inside.shape != maps.shape[:3] or inside.dtype.kind == "f":
            raise ValueError(
                f"inside must be True or False for each pixel, in the shape {maps.shape[:3]}, not "
                f"{inside.dtype} in the shape {inside.shape}."
            )
    if maps.ndim == 4:
        maps = maps.sum(-1)
    small = []
    for i, positive in enumerate(np.clip(maps, 0, None)):
        if inside is not None:
            rows, cols = np.nonzero(inside[i])
            if len(rows) == 0:
                raise ValueError(f"Heat map {i} has no pixel inside: leave this picture out.")
            positive = positive[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
        if not positive.any():
            raise ValueError(f"Heat map {i} has no positive relevance: leave this picture out.")
        # By a power of two, which changes no digit: sums of what is very large would be infinite.
        near_one = np.ldexp(positive, -np.frexp(positive.max())[1]).astype(np.float32)
        small.append(cv2.resize(near_one, (size, size), interpolation=cv2.INTER_AREA).ravel())
    small = np.array(small)
    return small / small.sum(1, keepdims=True)


def affinity(small, neighbours):
    """Graph of nearest neighbours, made symmetric: who looks like whom.

    Parameters
    ----------
    small : numpy.ndarray, shape (sample, feature)
        Result of `downsize`.
    neighbours : int

    Returns
    -------
    numpy.ndarray, shape (sample, sample)
        1 where each counts the other among its nearest, 0.5 where one does, else almost 0.

    Raises
    ------
    TypeError, ValueError
        If these are no shares, or there are too few maps.
    """
    check_count("neighbours", neighbours)
    small = as_numbers("small", small)
    if small.ndim != 2 or small.shape[1] == 0 or not (np.isfinite(small) & (small >= 0)).all():
        raise ValueError("small must be what downsize gives: shares of a whole, (sample, feature).")
    if neighbours >= len(small):
        raise ValueError(
            f"{neighbours} neighbours among {len(small)} maps: give at least 1 and fewer than maps."
        )
    # A square root makes Euclidean distance the Hellinger distance, made for shares of a whole.
    graph = kneighbors_graph(np.sqrt(small), neighbours).toarray()
    # A faint link between all keeps the graph in one piece, as spectral clustering wants it.
    return (graph + graph.T) / 2 + FAINT
