"""What a part of a network responds to: the samples that excite it most, and made-up inputs."""

from utils.features.features import (
    Optimised,
    Strongest,
    backward_optimise,
    excitation,
    strongest_samples,
    synthesise,
)

__all__ = ["Optimised", "Strongest"]
__all__ += ["backward_optimise", "excitation", "strongest_samples", "synthesise"]
