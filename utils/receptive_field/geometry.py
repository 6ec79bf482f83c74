"""What the layers of a network read along each axis, as rows and columns: without Keras.

Axes do not mix in a layer, so it is a rule along each: from places in its output to places in its
input. Where they do, as steps and pixels in a ConvLSTM, a layer has several such ways of reading.
Going back through the layers from one pixel finds what can reach it.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse


class Axis(NamedTuple):
    """A layer along rows, columns or steps; places are counted in pixels of the layer's input."""

    length: int  # of the output
    reads: Callable | None  # table of the input places that output places read; None: the same
    growth: int = 0  # k - 1: how much more than one pixel the layer reads at most
    stride: Fraction = Fraction(1)  # from one output place to the next
    centre: Fraction = Fraction(0)  # middle of what the first output place reads
    fixed: bool = False  # reads other places, or weighs them otherwise, in a smaller picture


NOWHERE = np.iinfo(int).min  # in the table of an axis, where there is nothing to read


def same_place(n, source=None):
    """Each of n places reads its own, as in addition; of a source of length 1 the only one."""
    return Axis(n, (lambda places: 0 * places[:, None]) if source == 1 < n else None)


def shift(n, by, more=0):
    """Each place reads the one `by` further on; the output is `more` longer, as in padding."""
    return Axis(n + more, lambda places: places[:, None] + by, centre=Fraction(by))


def window(n, kernel, stride=1, dilation=1, padding="valid"):
    """Convolution or pooling of an input of length n; padding is "same", "valid" or "causal"."""
    if kernel == stride == 1:
        return same_place(n)
    width = dilation * (kernel - 1) + 1
    if padding == "same":
        length = -(-n // stride)
        before = max((length - 1) * stride + width - n, 0) // 2
    elif padding == "causal":
        length, before = -(-n // stride), width - 1
    else:
        length, before = (n - width) // stride + 1, 0
    taps = dilation * np.arange(kernel) - before

    def reads(places):
        return stride * places[:, None] + taps

    return Axis(length, reads, width - 1, Fraction(stride), Fraction(width - 1, 2) - before)


def transposed(n, length, kernel, stride=1, dilation=1, padding="valid"):
    """Transposed convolution of an input of length n to an output of this length."""
    # It is the way back of a convolution from its output to its input.
    width = dilation * (kernel - 1) + 1
    before = max((n - 1) * stride + width - length, 0) // 2 if padding == "same" else 0
    taps = before - dilation * np.arange(kernel)

    def reads(places):
        stretched = places[:, None] + taps
        return np.where(stretched % stride, NOWHERE, stretched // stride)

    growth, centre = math.ceil(width / stride) - 1, (before - Fraction(width - 1, 2)) / stride
    return Axis(length, reads, growth, Fraction(1, stride), centre)


def upsampling(n, factor, interpolation="nearest"):
    """Upsampling of an input of length n; interpolation is "nearest" or "bilinear"."""

    length, step, centre = n * factor, Fraction(1, factor), Fraction(1 - factor, 2 * factor)
    if interpolation == "nearest":
        return Axis(length, lambda places: places[:, None] // factor, 0, step, centre)

    def reads(places):
        place, between = np.divmod(2 * places + 1 - factor, 2 * factor)
        return np.stack([place, place + (between > 0)], 1)

    return Axis(length, reads, int(factor > 1), step, centre)


def whole(n):
    """Each of n places reads all of them, as in a softmax over them."""

    def reads(places):
        return np.broadcast_to(np.arange(n), (len(places), n))

    return Axis(n, reads, n - 1, Fraction(0), Fraction(n - 1, 2), fixed=True)


def earlier(n, lags, backwards=False, last=False, turned=False):
    """Each of n steps of a recurrent layer reads those so many steps before it.

    It may read its input `backwards`, give its `last` step alone, or have its output `turned` about
    afterwards. Before the first step there is nothing.
    """
    lags = np.asarray(lags)

    def reads(places):
        at = n - 1 - places if turned else places + (n - 1) * last
        read = at[:, None] - lags
        return n - 1 - read if backwards else read

    (first,) = reads(np.zeros(1, int))
    step = 0 if last else 1 if turned == backwards else -1
    centre = Fraction(int(first.min() + first.max()), 2)
    growth = int(first.max() - first.min())
    return Axis(1 if last else n, reads, growth, Fraction(step), centre, fixed=True)


def but_first(axis):
    """The same, but the first place reads nothing."""

    def reads(places):
        table = axis.reads(places) if axis.reads else places[:, None]
        return np.where(places[:, None] == 0, NOWHERE, table)

    return axis._replace(reads=reads)


def nothing(axis):
    """No place reads any."""
    return axis._replace(reads=lambda places: np.full((len(places), 1), NOWHERE))


def widened(axis, kernel, times):
    """A layer that is read through a convolution that keeps the size, so many times."""
    before = times * ((kernel - 1) // 2)
    taps = np.arange(times * (kernel - 1) + 1) - before

    def reads(places):
        at = (places[:, None] + taps).ravel()
        read = axis.reads(at) if axis.reads else at[:, None]
        outside = (at < 0) | (at >= axis.length)  # where the layer has no place
        return np.where(outside[:, None], NOWHERE, read).reshape(len(places), -1)

    growth = axis.growth + (len(taps) - 1) * int(axis.stride)
    centre = axis.centre + (Fraction(len(taps) - 1, 2) - before) * axis.stride
    return axis._replace(reads=reads, growth=growth, centre=centre)


def resized(first, weights, as_is):
    """Resizing of what remains from a first place on; weights of each for each that is made.

    Beyond the border it is taken to go on as it ends there. `as_is` tells that it has the same
    step whatever the size of the input, as upsampling.
    """
    n, m = weights.shape
    hit = weights.T != 0
    count = hit.sum(1)
    table = np.full((m, count.max()), NOWHERE)
    table[np.arange(count.max()) < count[:, None]] = first + np.nonzero(hit)[1]
    step = Fraction(n, m)

    def reads(places):
        inside = places.clip(0, m - 1)
        beyond = ((places - inside) * n // m)[:, None]
        return np.where(table[inside] == NOWHERE, NOWHERE, table[inside] + beyond)

    reach = [last - first for first, last in map(_ends, hit)]
    return Axis(m, reads, max(reach), step, first + (step - 1) / 2, fixed=not as_is)


def _ends(hit):
    places = np.flatnonzero(hit)
    return int(places[0]), int(places[-1])


class Layer(NamedTuple):
    """A layer in a network, which is a list of them; the first is the input, and reads nothing."""

    size: tuple | None  # of the output along the input's axes, None if it has none
    sources: tuple = ()  # the layers it reads, as positions in the list, for each way of reading
    axes: tuple = ()  # for each, an Axis along rows, one along columns, ...; None: mixes all places
    call: Any = None  # whatever else is known of it
    kept: tuple = (0, 1)  # the axes of its output, as positions in the size


def fields(network):
    """Receptive field of each layer by the formula of `receptive_field.trace`.

    Returns
    -------
    list of tuple
        For each layer: the field along each axis, each (size, step, offset), None from where
        everything is seen; and whether all branches so far have met with the same middle.
    """
    found = [(((Fraction(1), Fraction(1), Fraction(0)),) * len(network[0].size), True)]
    for layer in network[1:]:
        sources, aligned = zip(*(found[source] for source in layer.sources), strict=True)
        field, aligned = None, all(aligned)
        if None not in layer.axes and None not in sources:
            field = ()
            for ways, fields_below in zip(
                zip(*layer.axes, strict=True), zip(*sources, strict=True), strict=True
            ):
                branches = {}
                for source, axis, (r, j, c) in zip(layer.sources, ways, fields_below, strict=True):
                    grown = r + axis.growth * abs(j), j * axis.stride, c + axis.centre * j
                    branches.setdefault(source, []).append(grown)
                branches = [_around(some) for some in branches.values()]
                aligned &= len({branch[1:] for branch in branches}) == 1
                field += (_around(branches),)
        found.append((field, aligned))
    return found


def _around(branches):
    """The box around fields."""
    first = min(c - r / 2 for r, _, c in branches)
    end = max(c + r / 2 for r, _, c in branches)
    return end - first, max((j for _, j, _ in branches), key=abs), (first + end) / 2


class Pixels(NamedTuple):
    """Some pixels of a layer: a boolean picture of them, and the row and column where it begins."""

    corner: tuple
    mask: np.ndarray

    def places(self, axis):
        """The rows (0), columns (1), ... that hold any, sorted."""
        others = tuple(other for other in range(self.mask.ndim) if other != axis)
        return self.corner[axis] + np.flatnonzero(self.mask.any(others))


def back(network, start, wanted, clip=True):
    """Pixels of every layer that reach pixels of one.

    Parameters
    ----------
    network : list of Layer
        Each after those it reads.
    start : int
        Position of the layer.
    wanted : Pixels or None
        The pixels there; None for a layer without rows and columns.
    clip : bool
        Leave out places beyond the border: padding, which holds nothing of the input.

    Returns
    -------
    dict of int to Pixels
        By position, the layers that are reached; None for one without rows and columns.
    """
    reached = {start: wanted}
    for position in range(start, 0, -1):
        if position not in reached:
            continue
        layer = network[position]
        for source, axes in zip(layer.sources, layer.axes, strict=True):
            size = network[source].size
            if axes is None:
                reached[source] = size and Pixels((0,) * len(size), np.ones(size, bool))
                continue
            new = _read(axes, reached[position], size if clip else (None,) * len(size))
            if new.mask.any():
                reached[source] = _union(reached[source], new) if source in reached else new
    return reached


def _read(axes, pixels, size):
    """What a layer reads for some pixels: along one axis after the other."""
    corner, mask = [], pixels.mask
    for k, (axis, first, length) in enumerate(zip(axes, pixels.corner, size, strict=True)):
        lines = np.moveaxis(mask, k, 0)
        begin, read = _along(axis, first, lines.reshape(len(lines), -1), length)
        corner.append(begin)
        mask = np.moveaxis(read.reshape(len(read), *lines.shape[1:]), 0, k)
    return Pixels(tuple(corner), mask)


def _along(axis, first, mask, length):
    """The input rows that these rows read, and where they begin; a length leaves out padding.

    The layer is a boolean matrix, input place by output place, made for these places alone: they
    may lie beyond the border, and are few in a large picture.
    """
    if axis.reads is None:
        return first, mask
    table = axis.reads(first + np.arange(len(mask)))
    hit = table != NOWHERE if length is None else (table >= 0) & (table < length)
    which, read = np.nonzero(hit)[0], table[hit]
    begin, end = (int(read.min()), int(read.max()) + 1) if len(read) else (0, 0)
    links = (np.ones(len(read), bool), (read - begin, which))
    return begin, sparse.csr_array(links, shape=(end - begin, len(mask))) @ mask


def _union(*parts):
    corner = np.min([part.corner for part in parts], 0)
    end = np.max([np.add(part.corner, part.mask.shape) for part in parts], 0)
    mask = np.zeros(end - corner, bool)
    for part in parts:
        inside = zip(part.corner - corner, part.mask.shape, strict=True)
        mask[tuple(slice(first, first + n) for first, n in inside)] |= part.mask
    return Pixels(tuple(corner.tolist()), mask)


class Box(NamedTuple):
    """Rows and columns of the input that can reach a pixel.

    `rows` and `columns` are slices: the pixel sees ``x[:, box.rows, box.columns]`` of the input.
    `full_rows` and `full_columns`, pairs (first, end), go on beyond the border. A series has
    `steps` and `full_steps` instead, a film both.
    """

    rows: slice | None = None
    columns: slice | None = None
    full_rows: tuple | None = None
    full_columns: tuple | None = None
    steps: slice | None = None
    full_steps: tuple | None = None

    @property
    def size(self):
        """Rows and columns inside the input, before them steps."""
        cuts = self.steps, self.rows, self.columns
        return tuple(cut.stop - cut.start for cut in cuts if cut)

    @property
    def full_size(self):
        """Rows and columns, also beyond the border."""
        ends = self.full_steps, self.full_rows, self.full_columns
        return tuple(pair[1] - pair[0] for pair in ends if pair)


AXES = {1: ("steps",), 2: ("rows", "columns"), 3: ("steps", "rows", "columns")}


def box(network, start, pixel):
    """The exact Box of input pixels that can reach a pixel, (row, column) or so, of a layer."""
    wanted = pixel and Pixels(pixel, np.ones((1,) * len(pixel), bool))
    found = {}
    for clip in (True, False):
        seen = back(network, start, wanted, clip).get(0)
        for axis, name in enumerate(AXES[len(network[0].size)]):
            places = seen.places(axis) if seen else ()
            ends = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)
            found |= {name: slice(*ends)} if clip else {f"full_{name}": ends}
    return Box(**found)
