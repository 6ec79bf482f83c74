"""Lesson 05: a grey patch, and the heat map of what is left."""

from utils.panels import heat_map


def prepare(model, pictures):
    """Prepare the panel's picture: a picture with a patch, its heat map and its logit.

    Parameters
    ----------
    model : keras.Model
    pictures : array, shape (sample, y, x, 3)

    Returns
    -------
    function
        ``draw(number, size, row, column)`` returns the figure of picture `number` with a patch of
        `size` by `size` pixels whose upper left one is (row, column).
    """

    def look(number, size, row, column):
        x = pictures[[number]].copy()
        x[:, row : row + size, column : column + size] = 0.5
        return heat_map.horse(model, x)

    return heat_map.prepare(look)
