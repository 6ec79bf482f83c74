"""Lesson 03: a heat map by rules with other numbers."""

from utils import lrp
from utils.panels import heat_map


def prepare(model, pictures):
    """Prepare the panel's picture: a picture, its heat map, and the sums of red and blue.

    Parameters
    ----------
    model : keras.Model
        Convolutions and dense layers.
    pictures : array, shape (sample, y, x, 3)

    Returns
    -------
    function
        ``draw(number, alpha, epsilon)`` returns the figure of picture `number`, with the epsilon
        rule for dense layers and the alpha-beta rule for convolutions.
    """

    def look(number, alpha, epsilon):
        rules = {"Conv2D": lrp.alpha_beta(alpha), "Dense": lrp.epsilon(epsilon)}
        logit, relevance = heat_map.by_lrp(model, pictures[[number]], rules)
        for_it, against = relevance.clip(min=0).sum(), relevance.clip(max=0).sum()
        sums = f"red {for_it:+.1f}, blue {against:+.1f}"
        return pictures[number], relevance, f"logit {logit:.1f}", sums

    return heat_map.prepare(look)
