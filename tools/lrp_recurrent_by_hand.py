"""LRP through recurrent, normalising and attending layers by hand, as `lrp_by_hand`: slow, float64.

Each kind of layer goes forwards from its input, one sample at a time, and returns its output and a
way back, which takes the relevance of the output and returns that of the inputs, and what the
bias, the stabiliser and nobody took. All sums are matrices w[i, j] of contributions
``z_ij = a_i w_ij``, with a bias b[j] and link[i, j], which tells whether i is among the terms of j.

The papers are Bach et al. (2015) and Montavon et al. (2017, 2018, 2019) for a sum, Arras et al.
(2017, 2019) for recurrent layers, Ali et al. (2022) for attention and layer normalisation. Two
things are common to the latter: an activation passes relevance on as it came, and what only weighs
a signal (a gate, the attention weights, a standard deviation) counts as a constant: it gets no
relevance, the signal takes all.
"""

import itertools
from typing import NamedTuple

import lrp_by_hand
import numpy as np
from lrp_by_hand import Step, activation, kind

TAKEN = "bias", "stabiliser", "unassigned"
FUNCTIONS = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "hard_sigmoid": lambda z: np.clip(0.2 * z + 0.5, 0, 1),
}
GATES = "sigmoid", "hard_sigmoid"
HEADS = "sigmoid", "softmax"


class Relevance(NamedTuple):
    """Of the input and of each layer's output, what was explained, and who took the rest."""

    input: np.ndarray
    layers: dict  # by name, (sample, ...)
    ledger: dict  # by name, (sample, column): received, passed on, and `TAKEN`
    value: np.ndarray  # of the output that is explained


def relevance(model, x, rule, output=None):
    """Relevance by hand.

    `rule` is a pair (name, numbers), or a function that gives one for a layer; `output` is a flat
    index, None for the largest.
    """
    rule_of = rule if callable(rule) else lambda layer: rule
    found = []
    for sample in np.asarray(x, float):
        book = {}
        y, back = network(model, sample, rule_of, book)
        index = y.argmax() if output is None else output
        start = np.where(np.arange(y.size) == index, y.ravel(), 0)
        [below], _ = back(start.reshape(y.shape))
        found.append((below, book, start[index]))
    inputs, books, values = zip(*found, strict=True)
    layers, ledger = (
        {name: np.stack([book[name][k] for book in books]) for name in books[0]} for k in (0, 1)
    )
    return Relevance(np.stack(inputs), layers, ledger, np.array(values))


def forecast(model, x):
    """The network's output, before a softmax or sigmoid at its end."""
    return np.stack(
        [network(model, one, lambda layer: None, {})[0] for one in np.asarray(x, float)]
    )


# One sum


def by_rule(rule, a, w, b, R, link=None):
    """A sum ``z_j = sum_i a_i w_ij + b_j``: what its terms i get of R_j, and who took the rest.

    ``R_i = sum_j share z_ij' / (sum_i z_ij' + b_j' + e_j) R_j``, where a rule says what share, z',
    b' and e are. Where there is nothing below the line, R_j is unassigned.
    """
    name, numbers = rule
    link = np.ones(w.shape, bool) if link is None else link
    z, b = a[:, None] * w, np.broadcast_to(b, R.shape)
    pos, neg, b_pos, b_neg = np.maximum(z, 0), np.minimum(z, 0), np.maximum(b, 0), np.minimum(b, 0)
    if name == "z":
        parts = [(1, z, b, 0)]
    elif name == "epsilon":
        sign = np.where(z.sum(0) + b >= 0, 1, -1)
        parts = [(1, z, b, numbers.get("epsilon", 1e-7) * sign)]
    elif name == "gamma":
        gamma = numbers.get("gamma", 0.25)
        parts = [(1, z + gamma * pos, b + gamma * b_pos, 0)]
    elif name == "alpha_beta":
        alpha = numbers["alpha"]
        parts = [(alpha, pos, b_pos, 0), (1 - alpha, neg, b_neg, 0)][: 1 + (alpha != 1)]
    elif name == "w_square":
        parts = [(1, w**2, 0 * b, 0)]
    elif name == "flat":
        parts = [(1, link * 1.0, 0 * b, 0)]
    else:
        raise ValueError(f"there is no rule {name}")
    below, taken = np.zeros(a.shape), np.zeros(3)
    for share, z, b, e in parts:
        total = z.sum(0) + b + e
        s = np.divide(share * R, total, out=np.zeros(R.shape), where=total != 0)
        below += z @ s
        taken += (b * s).sum(), (e * s).sum(), (share * R)[total == 0].sum()
    return below, taken


def two_terms(rule, a, v, c, w, R):
    """The sum ``a_j v_j + c_j w_j`` of two gated signals: what a gets, what c, and who the rest."""
    both, n = np.concatenate([a, c]), len(R)
    link = np.concatenate([np.eye(n, dtype=bool)] * 2)
    below, taken = by_rule(rule, both, np.concatenate([np.diag(v), np.diag(w)]), 0.0, R, link)
    return below[:n], below[n:], taken


# Recurrent layers. x[t] holds the cells of step t, in the order in which the layer reads them.


def simple_rnn(layer, x, rule, W, U, b, link):
    """``h_t = act(x_t W + h_t-1 U + b)``: x_t, h_t-1 and the bias are terms of one sum."""
    act, h, memory = FUNCTIONS[activation(layer)], np.zeros(len(U)), []
    outputs = []
    for x_t in x:
        memory.append(np.concatenate([x_t, h]))
        h = act(x_t @ W + h @ U + b)
        outputs.append(h)

    def back(R):
        R_x, R_h, taken = np.zeros(x.shape), 0.0, np.zeros(3)
        for t in reversed(range(len(x))):
            below, lost = by_rule(rule, memory[t], np.concatenate([W, U]), b, R[t] + R_h, link)
            R_x[t], R_h, taken = *np.split(below, [len(W)]), taken + lost
        taken[2] += R_h.sum()  # of the zeros before the first step
        return R_x, taken

    return np.array(outputs), back


def lstm(layer, x, rule, W, U, b, link):
    """Arras et al. (2017, 2019), the variant "signal takes all".

    ``g_t = act(x_t W_c + h_t-1 U_c + b_c)``, ``c_t = f_t c_t-1 + i_t g_t``, ``h_t = o_t act(c_t)``
    with gates i, f, o between 0 and 1. c_t takes all of h_t, besides what c_t+1 hands it; it shares
    in proportion to the terms f c_t-1 and i g_t; and g_t shares over x_t, h_t-1 and the bias.
    """
    act, gate = FUNCTIONS[activation(layer)], FUNCTIONS[layer.recurrent_activation.__name__]
    n = len(U)
    candidate = slice(2 * n, 3 * n)  # Keras keeps i, f, c, o beside each other
    W_c, U_c, b_c, link = W[:, candidate], U[:, candidate], b[candidate], link[:, candidate]
    h, c, memory, outputs = np.zeros(n), np.zeros(n), [], []
    for x_t in x:
        z_i, z_f, z_c, z_o = np.split(x_t @ W + h @ U + b, 4)
        i, f, g, o = gate(z_i), gate(z_f), act(z_c), gate(z_o)
        memory.append((x_t, h, c, i, f, g))
        c = f * c + i * g
        h = o * act(c)
        outputs.append(h)

    def back(R):
        R_x, R_h, R_c, taken = np.zeros(x.shape), 0.0, 0.0, np.zeros(3)
        for t in reversed(range(len(x))):
            x_t, h, c, i, f, g = memory[t]
            R_c, R_g, lost = two_terms(rule, c, f, g, i, R_c + R_h + R[t])
            taken += lost
            terms, weights = np.concatenate([x_t, h]), np.concatenate([W_c, U_c])
            below, lost = by_rule(rule, terms, weights, b_c, R_g, link)
            taken += lost
            R_x[t], R_h = np.split(below, [len(W)])
        taken[2] += R_h.sum() + R_c.sum()  # of the zeros before the first step
        return R_x, taken

    return np.array(outputs), back


def gru(layer, x, rule, W, U, b, link):
    """The signal takes all in ``h_t = z_t h_t-1 + (1 - z_t) g_t`` with gates z_t and r_t.

    ``g_t = act(x_t W_g + r_t (h_t-1 U_g + d_g) + b_g)`` with reset_after, where the terms of the
    sum are x_i W_ij, h_i U_ij r_j and the bias b_j + r_j d_j; and
    ``g_t = act(x_t W_g + (r_t h_t-1) U_g + b_g)`` without.
    """
    act, gate = FUNCTIONS[activation(layer)], FUNCTIONS[layer.recurrent_activation.__name__]
    n = len(U)
    b, d = b if np.ndim(b) == 2 else (b, 0 * b)  # d is the bias of the recurrent sums
    h, memory, outputs = np.zeros(n), [], []
    for x_t in x:
        from_x, from_h = x_t @ W + b, h @ U + d
        z, r = (gate(from_x[k] + from_h[k]) for k in (slice(n), slice(n, 2 * n)))
        W_g, U_g, b_g, d_g = (part[..., 2 * n :] for part in (W, U, b, d))
        if layer.reset_after:
            terms, weights = np.concatenate([x_t, h]), np.concatenate([W_g, U_g * r])
            bias = b_g + r * d_g
        else:
            terms, weights = np.concatenate([x_t, r * h]), np.concatenate([W_g, U_g])
            bias = b_g
        g = act(terms @ weights + bias)
        memory.append((terms, weights, bias, h, z, g))
        h = z * h + (1 - z) * g
        outputs.append(h)

    def back(R):
        R_x, R_h, taken = np.zeros(x.shape), 0.0, np.zeros(3)
        for t in reversed(range(len(x))):
            terms, weights, bias, h, z, g = memory[t]
            kept, R_g, lost = two_terms(rule, h, z, g, 1 - z, R_h + R[t])
            taken += lost
            below, lost = by_rule(rule, terms, weights, bias, R_g, link[:, 2 * n :])
            taken += lost
            R_x[t], by_g = np.split(below, [len(W)])
            R_h = kept + by_g
        taken[2] += R_h.sum()  # of the zeros before the first step
        return R_x, taken

    return np.array(outputs), back


CELLS = {"SimpleRNN": simple_rnn, "LSTM": lstm, "GRU": gru}
CELLS |= dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), lstm)


def recurrent(layer, x, rule):
    """A recurrent layer over the steps of x, (time, ...); it may read them from the last on."""
    order = slice(None, None, -1 if layer.go_backwards else 1)
    shape, *matrices = cells(layer, x.shape[1:])
    cell = layer.cell if kind(layer) == "RNN" else layer
    name = kind(cell).removesuffix("Cell")
    h, back_in_order = CELLS[name](cell, x[order].reshape(len(x), -1), rule, *matrices)
    h = h.reshape(len(x), *shape)  # go_backwards gives its steps as it reads them

    def back(R):
        of_steps = (
            R.reshape(len(x), -1) if layer.return_sequences else np.zeros((len(x), h[0].size))
        )
        if not layer.return_sequences:
            of_steps[-1] = R.ravel()
        below, taken = back_in_order(of_steps)
        return [below.reshape(x.shape)[order]], taken

    return h if layer.return_sequences else h[-1], back


def cells(layer, shape):
    """Shape of a step's output, and matrices W, U, b of all gates beside each other, and link."""
    W, U, *b = (np.asarray(weight, float) for weight in layer.get_weights())
    b = b[0] if b else np.zeros(W.shape[-1])
    if not kind(layer).startswith("Conv"):
        return U.shape[:1], W, U, b, np.ones((len(W) + len(U), W.shape[-1]), bool)
    # A convolution of each gate as a matrix; that of h_t-1 keeps the size.
    ones, columns = (1,) * len(layer.kernel_size), []
    for W_k, U_k, b_k in zip(*(np.split(part, 4, -1) for part in (W, U, b)), strict=True):
        how = layer.strides, layer.dilation_rate, layer.padding
        out, w, w_link = lrp_by_hand.convolution(shape, W_k, *how)
        _, u, u_link = lrp_by_hand.convolution(out, U_k, ones, ones, "same")
        link = np.concatenate([w_link, u_link])
        columns.append((w, u, np.broadcast_to(b_k, out).ravel(), link))
    return out, *(np.concatenate(parts, -1) for parts in zip(*columns, strict=True))


def bidirectional(layer, x, rule):
    """Two recurrent layers, one from each end, and how they are merged; a sum shares by z."""
    (forth, back_forth), (rear, back_rear) = (
        recurrent(one, x, rule) for one in (layer.forward_layer, layer.backward_layer)
    )
    turn = slice(None, None, -1 if layer.backward_layer.return_sequences else 1)
    rear = rear[turn]
    merge = {
        "concat": lambda one, other: np.concatenate([one, other], -1),
        "sum": lambda one, other: one + other,
        "ave": lambda one, other: (one + other) / 2,
    }[layer.merge_mode]

    def back(R):
        taken = np.zeros(3)
        if layer.merge_mode == "concat":
            R_forth, R_rear = np.split(R, 2, -1)
        else:
            ones = np.ones(R.size)
            R_forth, R_rear, taken = two_terms(
                ("z", {}), forth.ravel(), ones, rear.ravel(), ones, R.ravel()
            )
        [one], lost = back_forth(R_forth.reshape(forth.shape))
        [other], more = back_rear(R_rear.reshape(rear.shape)[turn])
        return [one + other], taken + lost + more

    return merge(forth, rear), back


def time_distributed(layer, x, rule):
    """The layer inside at each step."""
    ys, backs = zip(*(through(layer.layer, [x_t], rule) for x_t in x), strict=True)

    def back(R):
        below, taken = zip(*(way(R_t) for way, R_t in zip(backs, R, strict=True)), strict=True)
        return [np.stack([one for [one] in below])], sum(taken)

    return np.stack(ys), back


# Normalisation


def normalisation(layer, x):
    """Ali et al. (2022): with the deviation s a constant, a normalisation is a sum.

    ``y_j = gamma_j (x_j - mean) / s + beta_j`` has the terms ``x_i (d_ij - 1 / N) gamma_j / s`` for
    the N cells i that share a mean, where d_ij is 1 for i = j, else 0. They share by the z rule.
    UnitNormalization, ``y_j = x_j / |x|``, takes no mean away.
    """
    which = groups(layer, x.shape).ravel()
    a, n = x.ravel(), x.size
    w = np.zeros((n, n))
    for group in set(which):
        members = which == group
        if kind(layer) == "UnitNormalization":
            w[np.ix_(members, members)] = np.eye(members.sum()) / np.sqrt((a[members] ** 2).sum())
        else:
            s = np.sqrt(a[members].var() + layer.epsilon)
            w[np.ix_(members, members)] = (np.eye(members.sum()) - 1 / members.sum()) / s
    weights = [np.asarray(weight, float) for weight in layer.get_weights()]
    axes = np.ravel(layer.axis) % (x.ndim + 1)  # with the samples as axis 0
    along = [size if axis in axes else 1 for axis, size in enumerate(x.shape, 1)]
    gamma = weights.pop(0).reshape(along) if getattr(layer, "scale", False) else 1.0
    beta = weights.pop(0).reshape(along) if getattr(layer, "center", False) else 0.0
    gamma, beta = (np.broadcast_to(part, x.shape).ravel() for part in (gamma, beta))
    w = w * gamma

    def back(R):
        below, taken = by_rule(("z", {}), a, w, beta, R.ravel())
        return [below.reshape(x.shape)], taken

    return (a @ w + beta).reshape(x.shape), back


def groups(layer, shape):
    """For each cell the number of those with which it shares a mean."""
    axes = np.ravel(layer.axis) % (len(shape) + 1)
    place = np.indices(shape)
    if kind(layer) == "GroupNormalization":  # neighbouring channels, and all places
        channel = axes[0] - 1
        return place[channel] // (shape[channel] // layer.groups)
    number = np.zeros(shape, int)
    for axis, size in enumerate(shape):
        if axis + 1 not in axes:
            number = number * size + place[axis]
    return number


# Attention


def attention(layer, inputs, rule, causal=False):
    """Ali et al. (2022): with the attention weights A constants, attention is three sums.

    For each head ``v_s = x_s W_v + b_v``, ``o_t = sum_s A_ts v_s``, and for all heads together
    ``y_t = o_t W_o + b_o``. A is a softmax over s of ``q_t k_s / sqrt(n)``, n the length of a key;
    what query and key are made from gets nothing. `inputs` are query, value, and perhaps key.
    """
    query, value, *more = inputs
    key = more[0] if more else value
    weights = [np.asarray(weight, float) for weight in layer.get_weights()]
    if layer._use_bias:
        (W_q, b_q), (W_k, b_k), (W_v, b_v), (W_o, b_o) = zip(
            weights[::2], weights[1::2], strict=True
        )
    else:
        (W_q, W_k, W_v, W_o), (b_q, b_k, b_v, b_o) = weights, (0.0, 0.0, 0.0, 0.0)
    heads, length, n_v = W_q.shape[1], W_q.shape[2], W_v.shape[2]
    W_v, b_v = W_v.reshape(len(W_v), -1), np.broadcast_to(b_v, (heads, n_v)).ravel()
    W_o, b_o = W_o.reshape(heads * n_v, -1), np.broadcast_to(b_o, W_o.shape[2:]).ravel()

    # Places that attend to each other along an axis of their own, and the rest before it.
    axes = [axis - 1 for axis in layer._attention_axes]
    rest = [axis for axis in range(query.ndim - 1) if axis not in axes]

    def lined_up(array):
        array = array.transpose(*rest, *axes, array.ndim - 1)
        apart = int(np.prod(array.shape[: len(rest)]))
        return array.reshape(apart, -1, array.shape[-1])

    def as_it_was(rows, shape):
        order = *rest, *axes, len(shape) - 1
        return rows.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))

    ys, ways = [], []
    for x_q, x_v, x_k in zip(*map(lined_up, (query, value, key)), strict=True):
        q = np.einsum("td,dhn->thn", x_q, W_q) + b_q
        k = np.einsum("sd,dhn->shn", x_k, W_k) + b_k
        scores = np.einsum("thn,shn->hts", q, k) / np.sqrt(length)
        if causal:  # none attends to what is later
            scores = np.where(np.tri(*scores.shape[1:], dtype=bool), scores, -np.inf)
        A = np.exp(scores - scores.max(-1, keepdims=True))
        A /= A.sum(-1, keepdims=True)
        v = (x_v @ W_v + b_v).reshape(-1, heads, n_v)
        o = np.einsum("hts,shn->thn", A, v)
        ys.append(o.reshape(len(o), -1) @ W_o + b_o)
        ways.append((x_v, A, v, o))

    out_shape = (*query.shape[:-1], W_o.shape[-1])

    def back(R):
        below, taken = [], np.zeros(3)
        for (x_v, A, v, o), R_y in zip(ways, lined_up(R), strict=True):
            R_o, R_v, R_x = np.zeros(o.shape), np.zeros(v.shape), np.zeros(x_v.shape)
            for t in range(len(o)):
                found, lost = by_rule(rule, o[t].ravel(), W_o, b_o, R_y[t])
                R_o[t], taken = found.reshape(heads, n_v), taken + lost
            for h, n in itertools.product(range(heads), range(n_v)):
                link = A[h].T > 0
                R_v[:, h, n], lost = by_rule(rule, v[:, h, n], A[h].T, 0.0, R_o[:, h, n], link)
                taken = taken + lost
            for s in range(len(v)):
                R_x[s], lost = by_rule(rule, x_v[s], W_v, b_v, R_v[s].ravel())
                taken = taken + lost
            below.append(R_x)
        of_value = as_it_was(np.stack(below), value.shape)
        return [np.zeros(query.shape), of_value, *map(np.zeros_like, more)], taken

    return as_it_was(np.stack(ys), out_shape), back


# Other layers, and networks


def gated(inputs, gates):
    """A product of a signal and a gate: the signal takes all (Arras et al. 2017)."""
    (signal,) = (i for i, is_gate in enumerate(gates) if not is_gate)
    y = np.prod(np.stack(np.broadcast_arrays(*inputs)), 0)

    def back(R):
        below = [np.zeros(one.shape) for one in inputs]
        shape = inputs[signal].shape
        spread = tuple(k for k, (n, m) in enumerate(zip(shape, R.shape, strict=True)) if n < m)
        below[signal] = R.sum(spread, keepdims=True)  # a value may be multiplied at many places
        return below, np.zeros(3)

    return y, back


def plain(layer, inputs, rule, head=False):
    """A layer that `lrp_by_hand` has as a matrix."""
    step = Step(layer, [], *lrp_by_hand.matrix(layer, [one.shape for one in inputs]))
    a = np.concatenate([one.ravel() for one in inputs])
    w = lrp_by_hand.winners(a, step.link) if step.how == "max" else step.w
    z = a @ w + step.b
    y = z if head else FUNCTIONS[activation(layer)](z)

    def back(R):
        R = R.ravel()
        if step.how == "rule":
            below, taken = by_rule(rule, a, w, step.b, R, step.link)
        elif step.how == "share":
            below, taken = by_rule(("z", {}), a, w, step.b, R)
        else:  # moved or chosen
            below, taken = w @ R, np.array([0, 0, (R * (1 - w.sum(0))).sum()])
        parts = np.split(below, np.cumsum([one.size for one in inputs])[:-1])
        return [part.reshape(one.shape) for part, one in zip(parts, inputs, strict=True)], taken

    return y.reshape(step.shape), back


def through(layer, inputs, rule, options=(), gates=(), head=False):
    """Forwards through a layer; returns its output, and the way back."""
    name = kind(layer)
    if name in CELLS or name == "RNN":
        return recurrent(layer, *inputs, rule(layer))
    if name == "Bidirectional":
        return bidirectional(layer, *inputs, rule(layer))
    if name == "TimeDistributed":
        return time_distributed(layer, *inputs, rule)
    if name in ("LayerNormalization", "GroupNormalization", "UnitNormalization"):
        return normalisation(layer, *inputs)
    if name == "MultiHeadAttention":
        return attention(layer, inputs, rule(layer), dict(options).get("use_causal_mask", False))
    if name == "Multiply":
        return gated(inputs, gates)
    if name in ("Sequential", "Functional"):
        return network(layer, *inputs, rule)
    return plain(layer, inputs, rule(layer), head)


def network(model, x, rule, book=None):
    """Forwards through a network; the way back writes what it finds of each layer into a book.

    With a book it is the whole one, without the softmax or sigmoid at its end.
    """
    depths = sorted(model._nodes_by_depth, reverse=True)
    nodes = [n for depth in depths for n in model._nodes_by_depth[depth] if not n.is_input]
    values, ways = {id(model.inputs[0]): x}, []
    for node in nodes:
        tensors, options = node.keras_inputs, dict(node.call_kwargs)
        if kind(node.layer) == "MultiHeadAttention":
            named = dict(zip(("query", "value", "key"), node.call_args, strict=False)) | options
            tensors = [named[k] for k in ("query", "value", "key") if named.get(k) is not None]
        keys = [id(tensor) for tensor in tensors]
        gates = [activation(tensor._keras_history.layer) in GATES for tensor in tensors]
        head = book is not None and node is nodes[-1] and activation(node.layer) in HEADS
        y, back = through(node.layer, [values[k] for k in keys], rule, options, gates, head)
        values[id(node.outputs)] = y
        ways.append((node.layer.name, keys, id(node.outputs), back))

    def back(R):
        below, all_taken = {id(model.outputs[0]): R}, np.zeros(3)
        for name, keys, target, way in reversed(ways):
            R_y = below.get(target, np.zeros(values[target].shape))
            parts, taken = way(R_y)
            for key, part in zip(keys, parts, strict=True):
                below[key] = below.get(key, 0) + part
            all_taken = all_taken + taken
            if book is not None:
                book[name] = R_y, np.array([R_y.sum(), sum(part.sum() for part in parts), *taken])
        return [below[id(model.inputs[0])]], all_taken

    return values[id(model.outputs[0])], back
