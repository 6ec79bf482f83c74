"""Theoretical and effective receptive fields of a network's layers."""

import numpy as np
import pandas as pd

from utils.keras_graph import measure, validation
from utils.keras_graph.calls import title
from utils.plain import plain
from utils.receptive_field import geometry
from utils.receptive_field.layers import geometry_of


def trace(model, size=None):
    """Theoretical receptive field of each layer by the formula (araujo2019), for rows and columns.

    A layer with kernel k, dilation d and stride s makes of size r, step j and offset c

        r + d (k - 1) j,    j s,    c + (d (k - 1) / 2 - p) j

    where p is the padding before the first pixel. Upsampling by f divides the step by f; bilinear
    upsampling reads two pixels, nearest one. A transposed convolution reads d (k - 1) + 1 over s
    pixels, rounded up. After upsampling the formula gives one number where the exact width depends
    on the pixel: see `box`.

    The layers it knows: convolutions of all kinds, pooling, upsampling, padding and cropping in
    one, two and three dimensions, Resizing, CenterCrop, activations, normalisation, dropout,
    augmentation (none in a forecast), Add and its kin, Concatenate; and Flatten, Dense and global
    pooling, from which on the field is the whole input. A softmax or a normalisation over rows,
    columns or steps sees all of them, and its step is 0. Networks inside are followed into.

    In time, SimpleRNN, LSTM and GRU see all earlier steps, as a causal convolution of as many taps
    as there are steps; with go_backwards, which gives its steps in reversed order, all later ones;
    Bidirectional both. In a ConvLSTM what lies n steps back went through the recurrent convolution
    n times: (k - 1) n j more. Attention sees all steps that it may attend to. TimeDistributed is
    the layer inside at each step.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with one input and one output, from pictures (sample, y, x,
        channel), series (sample, step, channel) or films (sample, step, y, x, channel). For
        ConvLSTM1D, (sample, step, x, channel), steps are the rows.
    size : tuple of int, optional
        Rows and columns of the input, steps, or all three, if the network takes any.

    Returns
    -------
    pandas.DataFrame
        A row for each layer, by name. `kind`; then, for rows (y) and columns (x), or steps (t):
        `size`; `step`, input pixels between the fields of neighbours; `padding`, input pixels of
        the first field beyond the border; `offset`, the middle of the first field. `spatial` is
        False from the first layer on that sees everything. `aligned` is False from where branches
        meet whose fields have different middles; the size is then that of the box around both.
        ``attrs["last_spatial"]`` names the last spatial layer.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If the network or a layer is of another kind, or the size is not known.

    Examples
    --------
    >>> trace(model)[["size_y", "step_y"]]
    """
    network = geometry_of(model, size)
    whole = [(n, np.nan, np.nan) for n in network[0].size]
    axes = {1: "t", 2: "yx", 3: "tyx"}[len(whole)]
    names = [f"{key}_{axis}" for key in ("size", "step", "padding", "offset") for axis in axes]
    rows = []
    for layer, (field, aligned) in zip(network[1:], geometry.fields(network)[1:], strict=True):
        row = {"layer": layer.call.name, "kind": type(layer.call.layer).__name__}
        numbers = np.array([(r, j, (r - 1) / 2 - c, c) for r, j, c in field or whole], float)
        row |= dict(zip(names, numbers.T.ravel(), strict=True))
        rows.append({**row, "spatial": field is not None, "aligned": aligned})
    table = pd.DataFrame(rows).set_index("layer")
    table.attrs["last_spatial"] = next(reversed(table.index[table.spatial]), None)
    return table


def box(model, layer=None, pixel=None, size=None):
    """The exact box of input pixels that can reach a pixel: the smallest that holds all of them.

    Parameters
    ----------
    model : keras.Model
        As for `trace`.
    layer : str, optional
        Name of a layer, as in `trace`; None is the last.
    pixel : tuple of int, or int, optional
        Row and column in the layer's output; in a series a step; in a film step, row and column.
        None is the middle one; a layer without any takes no other.
    size : tuple of int, optional
        As for `trace`.

    Returns
    -------
    Box
        Empty where a pixel sees nothing of the input, for example in padding.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As `trace`, and if there is no such layer or pixel.

    Examples
    --------
    >>> box(model, "conv2d_2", (20, 31)).rows
    slice(71, 89, None)
    """
    network = geometry_of(model, size)
    start = _position(network, layer)
    return geometry.box(network, start, check_pixel(network[start], pixel))


def _position(network, layer):
    if layer is None:
        return len(network) - 1
    names = [one.call.name for one in network[1:]]
    validation.check_layer(layer, names)
    return 1 + names.index(layer)


def check_pixel(layer, pixel):
    """A pixel that a layer has, such as row and column, by the input's axes; None: the middle one.

    An axis that is gone in the layer's output has one place.
    """
    if layer.size is None:
        if pixel is not None:
            raise ValueError(f"The {title(layer.call.layer)} has no pixels: leave pixel out.")
        return None
    if pixel is None:
        return tuple(n // 2 for n in layer.size)
    found, sizes = np.zeros(len(layer.size), int), [layer.size[k] for k in layer.kept]
    if len(sizes) == 1 and validation.is_whole(pixel):
        pixel = (pixel,)
    fits = isinstance(pixel, tuple) and len(pixel) == len(sizes)
    if not fits or not all(map(validation.is_whole, pixel)):
        wanted = {1: "a number, as in 20", 2: "a row and a column, as in (20, 31)"}
        wanted[3] = "a step, a row and a column, as in (5, 20, 31)"
        raise TypeError(f"pixel must be {wanted[len(sizes)]}, not {plain(repr(pixel))}.")
    if any(not 0 <= i < n for i, n in zip(pixel, sizes, strict=True)):
        have = f"{sizes[0]} places"
        if len(sizes) > 1:
            steps = f"{sizes[0]} steps of " if len(sizes) == 3 else ""
            have = f"{steps}{sizes[-2]} rows and {sizes[-1]} columns"
        raise ValueError(
            f"There is no pixel {pixel if len(pixel) > 1 else pixel[0]} in the "
            f"{title(layer.call.layer)}: it has {have}; count from 0."
        )
    found[list(layer.kept)] = pixel
    return tuple(found.tolist())


# ---- the effective receptive field ------------------------------------------------------------


def effective(model, layer, x, pixel, channel=None, reduce="rms"):
    """Effective receptive field: how strongly each input pixel moves a pixel of a layer (luo2016).

    It is the size of the gradient of the pixel, before its layer's activation function, along the
    input, over samples and input channels.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with one input and one output. Its present weights count.
    layer : str or None
        Name of a layer; None is the last.
    x : array, shape (sample, y, x, channel)
        Samples: one gradient each, which is what a ReLU network's field depends on.
    pixel : (int, int)
        Row and column in the layer's output.
    channel : int, optional
        Channel of the layer; None is the sum of all.
    reduce : {"rms", "mean"}
        Root mean square, or mean of the absolute value.

    Returns
    -------
    array, shape (y, x)
        Change of the pixel per change of an input pixel. Zeros if no sample moves it.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If an argument does not fit the network.

    Examples
    --------
    >>> erf = effective(model, None, pictures, (128, 128))
    """
    validation.check_model(model)
    validation.check_word("reduce", reduce, ["rms", "mean"])
    samples = validation.check_samples(x, tuple(model.inputs[0].shape))
    if samples.ndim != 4:
        raise NotImplementedError(
            "Effective receptive fields are for pictures, shape (sample, y, x, channel), not "
            f"{samples.shape}."
        )
    found = geometry_of(model, samples.shape[1:3])
    asked = found[_position(found, layer)]
    if asked.size is None or len(asked.kept) < 2:
        raise ValueError(f"The {title(asked.call.layer)} has no pixels: choose one that has.")
    row, column = check_pixel(asked, pixel)
    shape = samples.shape[1:]
    ready = measure.copied(model, asked.call, shape, measure.total)
    chosen = np.zeros(ready.output_shape, bool)
    channels = chosen.shape[-1]
    if not (channel is None or validation.is_whole(channel) and 0 <= channel < channels):
        shown = plain(repr(channel))
        raise ValueError(f"channel must be a number from 0 to {channels - 1}, not {shown}.")
    chosen[row, column, slice(None) if channel is None else channel] = True
    total = np.zeros(shape[:2])
    for _, slope in ready.parts([samples], [chosen], only=1):
        gradient = slope.astype("float64")
        total += (gradient**2 if reduce == "rms" else abs(gradient)).sum((0, 3))
    total /= len(samples) * shape[2]
    if not np.isfinite(total).all():
        raise ValueError("The gradient is NaN or infinite: check the network's weights.")
    return np.sqrt(total) if reduce == "rms" else total
