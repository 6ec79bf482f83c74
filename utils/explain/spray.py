"""Spectral relevance analysis (SpRAy): sort heat maps into strategies.

Lapuschkin et al. 2019 (lapuschkin2019): (1) a heat map for each picture, (2) all brought to one
small size, (3) spectral clustering, (4) the eigengap to choose the number of clusters, (5) t-SNE
to look at them. What is clustered are the heat maps, not the pictures. Here are step 2 and the
graph for step 3; the rest is SciPy's and scikit-learn's, as lesson 01 shows.
"""

import cv2
import numpy as np
from sklearn.neighbors import kneighbors_graph

FAINT = 1e-6


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
    ValueError
        If a map is not finite, or has no positive relevance.
    """
    maps = np.asarray(maps, np.float32)
    if maps.ndim == 4:
        maps = maps.sum(-1)
    if not np.isfinite(maps).all():
        raise ValueError("A heat map holds NaN or infinite values: look for the cause first.")
    small = []
    for i, positive in enumerate(np.clip(maps, 0, None)):
        if inside is not None:
            rows, cols = np.nonzero(np.asarray(inside)[i])
            positive = positive[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
        if not positive.any():
            raise ValueError(f"Heat map {i} has no positive relevance: leave this picture out.")
        small.append(cv2.resize(positive, (size, size), interpolation=cv2.INTER_AREA).ravel())
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
    """
    if not 1 <= neighbours < len(small):
        raise ValueError(
            f"{neighbours} neighbours among {len(small)} maps: give at least 1 and fewer than maps."
        )
    # A square root makes Euclidean distance the Hellinger distance, made for shares of a whole.
    graph = kneighbors_graph(np.sqrt(small), neighbours).toarray()
    # A faint link between all keeps the graph in one piece, as spectral clustering wants it.
    return (graph + graph.T) / 2 + FAINT
