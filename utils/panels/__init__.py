"""Panels: controls above a figure that follows them.

Each lesson with a panel has a module here, imported by the lesson alone: it may know the lesson's
world, and no other lesson shall depend on that. Its `prepare` makes the figure, and returns the
function ``draw`` that `panel` or `loop` calls.
Other figures of the lesson's world stand beside it.
"""

from utils.panels.panel import loop, panel  # noqa: F401
