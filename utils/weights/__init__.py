"""Weights: those that the course brings along, and networks of your own.

No file runs code: weights are read as plain arrays, a network is built from known layers.
"""

from utils.weights.network import load_network
from utils.weights.shipped import load_weights, save_weights

__all__ = ["load_network", "load_weights", "save_weights"]
