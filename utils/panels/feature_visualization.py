"""Lesson 02: the steps in which an input was made up."""

import matplotlib.pyplot as plt

from utils import plots
from utils.panels.panel import keep_layout


def prepare(samples, runs):
    """Prepare the panel's picture: the steps in which an input was made up.

    Parameters
    ----------
    samples : dict of str to array, shape (y, x, 3)
        For each part of the network the sample that excites it most.
    runs : dict of str to features.Optimised
        For each part what `features.synthesise` gave.

    Returns
    -------
    function
        ``draw(part, frame)`` returns the figure of a part at its frame of this number (the last
        one if there are fewer), beside its strongest sample.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.6), width_ratios=[1, 1, 1.3])
    empty = next(iter(samples.values()))
    left, right = (plots.picture(ax, empty, "z") for ax in axes[:2])
    (curve,) = axes[2].plot([], [])
    (here,) = axes[2].plot([], [], "o", color=plots.ORANGE)
    axes[2].set(xlabel="step", title="excitation")
    keep_layout(figure)

    def draw(part, frame):
        run = runs[part]
        step = list(run.frames)[min(frame, len(run.frames) - 1)]
        left.set_data(samples[part])
        left.axes.set_title("strongest sample")
        right.set_data(run.frames[step])
        right.axes.set_title(f"step {step}: {run.history[step]:.1f}")
        curve.set_data(range(len(run.history)), run.history)
        here.set_data([step], [run.history[step]])
        axes[2].relim()
        axes[2].autoscale_view()
        return figure

    return draw
