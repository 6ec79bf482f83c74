"""Receptive fields: how much of the input a pixel of a layer can see, and how much it uses.

The *theoretical* receptive field (TRF) follows from the architecture: by the textbook formula
(`trace`), or exactly, pixel by pixel (`box`). The *effective* one (ERF) is a gradient
(`effective`), and often looks like a Gaussian (`fit_gaussian`).
"""

from utils.receptive_field.gaussian import Gaussian, fit_gaussian
from utils.receptive_field.geometry import Box
from utils.receptive_field.receptive_field import box, effective, trace

__all__ = ["Box", "Gaussian", "box", "effective", "fit_gaussian", "trace"]
