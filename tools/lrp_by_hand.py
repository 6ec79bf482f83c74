"""Layer-wise relevance propagation by hand: slow, in float64, straight from the papers.

Every layer is written out as a matrix w[i, j] from its input cells i to its output cells j, with a
bias b[j] and link[i, j], which tells whether the layer joins the two at all: a weight may be 0. A
layer with several inputs sees the cells of one after those of the other. The rules are sums over
z_ij = a_i w_ij, one sample at a time (Bach et al. 2015; Montavon et al. 2017 and 2018).
"""

import itertools
from collections import Counter
from dataclasses import dataclass
from math import prod

import numpy as np

WEIGHTED = "Dense Conv1D Conv2D DepthwiseConv2D SeparableConv2D Conv2DTranspose".split()
HEADS = "softmax", "sigmoid"


@dataclass
class Step:
    """One layer as a matrix, and how it hands relevance down."""

    layer: object
    below: list  # names of the layers that feed it
    shape: tuple  # of its output, one sample
    how: str = ""  # by a "rule", "share" by the z rule, "move" as it came, "max" pooling
    w: np.ndarray = None
    b: np.ndarray = 0.0
    link: np.ndarray = None

    @property
    def name(self):
        return self.layer.name


def relevance(model, x, rule, output=None, pooling="winner"):
    """Relevance of the input, and of every layer's output as a dict; arguments as in `utils.lrp`.

    `rule` is a pair (name, parameters), or a function that gives one for a layer.
    """
    net = network(model, np.shape(x)[1:])
    values = [forward(net, sample) for sample in np.asarray(x, float)]
    results = [
        backward(net, value, index, rule if callable(rule) else lambda layer: rule, pooling)
        for value, index in zip(values, explained(net, values, output), strict=True)
    ]
    layers = stacked(net, results)
    return layers.pop(net[0].name), layers


def activations(model, x):
    """The input and every layer's output, as a dict.

    A folded BatchNormalization acts on its layer already: both then have the same values.
    """
    net = network(model, np.shape(x)[1:])
    return stacked(net, [forward(net, sample) for sample in np.asarray(x, float)])


def stacked(net, samples):
    return {
        step.name: np.stack([one[step.name].reshape(step.shape) for one in samples]) for step in net
    }


def explained(net, values, output):
    """Flat index of the output to explain, one for each sample."""
    shape = net[-1].shape
    if output is None:
        return [value[net[-1].name].argmax() for value in values]
    if isinstance(output, (int, np.integer, tuple)):
        output = [output] * len(values)
    places = [tuple(np.atleast_1d(one)) for one in output]
    # One number is a flat index. A map of one channel needs no channel.
    return [
        p[0] if len(p) == 1 else np.ravel_multi_index((*p, 0)[: len(shape)], shape) for p in places
    ]


# The network, forwards and backwards


def forward(net, sample):
    """The values of all cells, layer by layer."""
    values = {net[0].name: sample.ravel()}
    for step in net[1:]:
        a = np.concatenate([values[name] for name in step.below])
        w = winners(a, step.link) if step.how == "max" else step.w
        z = (a[:, None] * w).sum(0) + step.b
        values[step.name] = np.maximum(z, 0) if activation(step.layer) == "relu" else z
    return values


def backward(net, values, index, rule, pooling):
    """The relevance of all cells, from the output's own value down."""
    r = {name: np.zeros(value.shape) for name, value in values.items()}
    r[net[-1].name][index] = values[net[-1].name][index]
    for step in net[:0:-1]:
        inputs = [values[name] for name in step.below]
        a, above = np.concatenate(inputs), r[step.name]
        if step.how == "rule":
            name, parameters = rule(step.layer)
            passed = by_rule(name, a, step, above, **parameters)
        elif step.how == "share":
            passed = by_rule("z", a, step, above)
        elif step.how == "move":
            passed = (step.w * above).sum(1)
        elif pooling == "winner":
            passed = (winners(a, step.link) * above).sum(1)
        else:  # proportional
            z = a[:, None] * step.link
            passed = share(z, z.sum(0), above)
        ends = np.cumsum([len(one) for one in inputs])[:-1]
        for name, part in zip(step.below, np.split(passed, ends), strict=True):
            r[name] += part  # a layer that feeds two others hears from both
    return r


def winners(a, link):
    """w[i, j] = 1 where i is the largest of the cells that j sees, the first of equals."""
    w = np.zeros(link.shape)
    for j in range(link.shape[1]):
        w[np.where(link[:, j], a, -np.inf).argmax(), j] = 1
    return w


# The rules: what the inputs i get of the relevance r of the outputs j


def share(parts, whole, r):
    """R_i = sum_j parts_ij / whole_j R_j. Where the whole is 0, nothing is passed on."""
    shares = np.divide(parts, whole, out=np.zeros(parts.shape), where=whole != 0)
    return (shares * r).sum(1)


def by_rule(
    name, a, step, r, epsilon=1e-7, gamma=0.25, alpha=None, beta=None, bias="split", low=0, high=1
):
    """The rules' own formulas."""
    w, b = step.w, step.b
    z = a[:, None] * w
    pos, neg, b_pos, b_neg = np.maximum(z, 0), np.minimum(z, 0), np.maximum(b, 0), np.minimum(b, 0)
    total = z.sum(0) + b
    if name == "z":
        return share(z, total, r)
    if name == "epsilon":
        return share(z, total + epsilon * np.where(total >= 0, 1, -1), r)
    if name == "gamma":
        return share(z + gamma * pos, total + gamma * (pos.sum(0) + b_pos), r)
    if name == "alpha_beta":
        biases = {"split": (b_pos, b_neg), "whole": (b, b), None: (0, 0)}[bias]
        speak_for = share(pos, pos.sum(0) + biases[0], r)
        speak_against = share(neg, neg.sum(0) + biases[1], r)
        return alpha * speak_for - beta * speak_against
    if name == "w_square":
        return share(w**2, (w**2).sum(0), r)
    if name == "flat":
        return share(step.link * 1.0, step.link.sum(0), r)
    if name == "z_box":
        low, high = (np.broadcast_to(np.ravel(bound), a.shape)[:, None] for bound in (low, high))
        z = z - low * np.maximum(w, 0) - high * np.minimum(w, 0)
        return share(z, z.sum(0), r)
    raise ValueError(f"there is no rule {name}")


# From Keras to matrices


def network(model, shape):
    """The model's layers as steps, input first, output last."""
    depths = sorted(model._nodes_by_depth, reverse=True)
    nodes = [node for depth in depths for node in model._nodes_by_depth[depth]]
    last = nodes[-1].layer
    if kind(last) == "Softmax" or (kind(last) == "Activation" and activation(last) in HEADS):
        nodes.pop()
    net = {nodes[0].layer.name: Step(nodes[0].layer, [], tuple(shape))}
    feeds = Counter(below for node in nodes for below in fed_by(node))
    for node in nodes[1:]:
        layer, below = node.layer, fed_by(node)
        known = "linear", "relu", *(HEADS if node is nodes[-1] else ())
        if activation(layer) not in known or layer.name in net:
            raise NotImplementedError(f"{layer.name}: its activation, or its use at two places")
        step = Step(layer, below, *matrix(layer, [net[name].shape for name in below]))
        under = net[below[0]]
        if kind(layer) == "BatchNormalization" and can_fold(under) and feeds[under.name] == 1:
            # Both are linear: they are one layer, and get one rule.
            scale = step.w.diagonal()
            under.w, under.b = under.w * scale, under.b * scale + step.b
            step.how, step.w, step.b = "move", np.eye(len(scale)), 0.0
        net[layer.name] = step
    return list(net.values())


def fed_by(node):
    return [tensor._keras_history.layer.name for tensor in node.keras_inputs]


def kind(layer):
    return type(layer).__name__


def activation(layer):
    if kind(layer) == "ReLU":
        plain = layer.max_value is None and not layer.negative_slope and not layer.threshold
        return "relu" if plain else "another kind of ReLU"
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def can_fold(step):
    return kind(step.layer) in WEIGHTED and activation(step.layer) == "linear"


def matrix(layer, shapes):
    """What a layer does to one sample: its output's shape, how, w, b, link (see `Step`)."""
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise NotImplementedError(f"{layer.name}: channels must come last")
    shape, weights = shapes[0], [np.asarray(weight, float) for weight in layer.get_weights()]
    if kind(layer) in WEIGHTED:
        return weighted(layer, shape, weights)
    if kind(layer) == "BatchNormalization":
        return normalization(layer, shape, weights)
    if "Pooling" in kind(layer):
        return pool(layer, shape)
    if kind(layer) == "Add" and len(set(shapes)) == 1:
        return shape, "share", np.tile(np.eye(prod(shape)), (len(shapes), 1))
    if kind(layer) == "UpSampling2D" and layer.interpolation == "bilinear":
        return bilinear(shape, layer.size)
    return rearranged(layer, shapes)


def weighted(layer, shape, weights):
    """Dense layers and convolutions."""
    kernel, groups = weights[0], getattr(layer, "groups", 1)
    if kind(layer) == "Dense":  # every cell by itself: a convolution of one tap
        ones = (1,) * (len(shape) - 1)
        kernel, how = kernel.reshape(*ones, *kernel.shape), (ones, ones, "valid")
    else:
        how = layer.strides, layer.dilation_rate, layer.padding
    if kind(layer) == "DepthwiseConv2D":  # each channel is a group, with filters of its own
        kernel, groups = kernel.reshape(*kernel.shape[:2], 1, -1), shape[-1]
    if kind(layer) == "SeparableConv2D":  # taps yx, channel c, its filter m, output filter f
        pointwise = weights[1].reshape(*kernel.shape[2:], -1)
        kernel = np.einsum("yxcm,cmf->yxcf", kernel, pointwise)
    if kind(layer) == "Conv2DTranspose":  # the convolution from its output to its input, reversed
        out = tuple(layer.compute_output_shape((None, *shape)))[1:]
        w, link = (one.T for one in convolution(out, kernel, *how)[1:])
    else:
        out, w, link = convolution(shape, kernel, *how, groups)
    bias = weights[-1] if layer.use_bias else 0.0
    return out, "rule", w, np.broadcast_to(bias, out).ravel(), link


def convolution(shape, kernel, strides, dilation, padding, groups=1):
    """Output shape, w and link; kernel[tap, channel of the group, filter]."""
    *sizes, channels = shape
    filters, per_group = kernel.shape[-1], channels // groups
    outs, windows = [], []
    for size, taps, stride, apart in zip(sizes, kernel.shape[:-2], strides, dilation, strict=True):
        reach = (taps - 1) * apart + 1
        n = {"valid": (size - reach) // stride + 1, "same": -(-size // stride)}[padding]
        before = max((n - 1) * stride + reach - size, 0) // 2 if padding == "same" else 0
        at = ((o, t, o * stride + t * apart - before) for o in range(n) for t in range(taps))
        windows.append([(o, t, i) for o, t, i in at if 0 <= i < size])  # padding is no cell
        outs.append(n)
    out_shape = (*outs, filters)
    w = np.zeros((*shape, *out_shape))
    link = np.zeros(w.shape, bool)
    for axes in itertools.product(*windows):  # one (output, tap, input) for each axis
        out, tap, cell = ([axis[k] for axis in axes] for k in range(3))
        for f, c in itertools.product(range(filters), range(per_group)):
            group = f // (filters // groups)
            place = *cell, group * per_group + c, *out, f
            w[place], link[place] = kernel[*tap, c, f], True
    flat = prod(shape), prod(out_shape)
    return out_shape, w.reshape(flat), link.reshape(flat)


def normalization(layer, shape, weights):
    """(a - mean) / sqrt(variance + epsilon) * gamma + beta, with the moving averages."""
    *trained, mean, variance = weights
    gamma = trained.pop(0) if layer.scale else 1.0
    beta = trained.pop(0) if layer.center else 0.0
    scale = gamma / np.sqrt(variance + layer.epsilon)
    (axis,) = np.ravel(layer.axis)
    along = [-1 if k + 1 == axis else 1 for k in range(len(shape))]
    scale, shift = (
        np.broadcast_to(one.reshape(along), shape).ravel() for one in (scale, beta - mean * scale)
    )
    return shape, "rule", np.diag(scale), shift, np.eye(len(scale), dtype=bool)


def pool(layer, shape):
    """Windows that see one channel each. Cells in the padding do not count."""
    ones, everywhere = (1,) * (len(shape) - 1), kind(layer).startswith("Global")
    size = shape[:-1] if everywhere else layer.pool_size
    strides, padding = (ones, "valid") if everywhere else (layer.strides, layer.padding)
    kernel = np.ones((*size, 1, shape[-1]))
    out, _, link = convolution(shape, kernel, strides, ones, padding, groups=shape[-1])
    if everywhere and not layer.keepdims:
        out = out[-1:]
    if "Max" in kind(layer):
        return out, "max", None, 0.0, link
    return out, "share", link / link.sum(0)


def bilinear(shape, times):
    """Between the centres of the cells, and constant outside the outermost ones."""
    axes = []
    for size, n in zip(shape[:-1], times, strict=True):
        axis = np.zeros((size, size * n))
        for o in range(size * n):
            at = min(max((o + 0.5) / n - 0.5, 0), size - 1)
            i = int(at)
            axis[i, o] += 1 - (at - i)
            axis[min(i + 1, size - 1), o] += at - i
        axes.append(axis)
    w = np.einsum("yv,xu,cd->yxcvud", *axes, np.eye(shape[-1]))
    return w.shape[3:], "share", w.reshape(prod(shape), -1)


def rearranged(layer, shapes):
    """Layers that compute nothing, found by moving numbered cells; -1 is padding."""
    ends = np.cumsum([prod(shape) for shape in shapes])
    numbers = np.split(np.arange(ends[-1]), ends[:-1])
    cells, *others = (n.reshape(shape) for n, shape in zip(numbers, shapes, strict=True))
    match kind(layer):
        case "Dropout" | "Activation" | "ReLU":
            pass
        case "Flatten":
            cells = cells.ravel()
        case "Reshape":
            cells = cells.reshape(layer.target_shape)
        case "Permute":
            cells = cells.transpose([axis - 1 for axis in layer.dims])
        case "RepeatVector":
            cells = np.tile(cells, (layer.n, 1))
        case "Concatenate":  # Keras counts the samples as axis 0
            cells = np.concatenate([cells, *others], layer.axis - (layer.axis > 0))
        case "ZeroPadding1D" | "ZeroPadding2D":
            width = [*np.reshape(layer.padding, (-1, 2)), (0, 0)]
            cells = np.pad(cells, width, constant_values=-1)
        case "Cropping1D" | "Cropping2D":
            for axis, (before, after) in enumerate(np.reshape(layer.cropping, (-1, 2))):
                cells = cells.take(range(before, cells.shape[axis] - after), axis)
        case "UpSampling1D" | "UpSampling2D" if (
            getattr(layer, "interpolation", "nearest") == "nearest"
        ):
            for axis, n in enumerate(np.ravel(layer.size)):
                cells = cells.repeat(n, axis)
        case other:
            raise NotImplementedError(f"{layer.name} ({other})")
    w = np.zeros((ends[-1], cells.size))
    for j, i in enumerate(cells.ravel()):
        if i >= 0:
            w[i, j] = 1
    return cells.shape, "move", w
