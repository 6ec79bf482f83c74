"""Receptive fields of recurrent, attending and normalising layers: every place, by pushed places.

Each place of the input is pushed in turn, in double precision, and all places of the output that
move are those that see it.
"""

import numpy as np
import pytest
from layer_oracles import double
from tensorflow.keras import Input, Model, Sequential, layers

from utils.explain import crops
from utils.receptive_field import box, effective, trace

PADDED = {"padding": "same"}


def moved(model, draws=2):
    """Which places of the output, (place of the input, place of the output), a push moves."""
    shape = model.input_shape[1:]
    rng, seen = np.random.default_rng(0), False
    model.set_weights([rng.normal(0, 0.8, w.shape) for w in model.get_weights()])
    for _ in range(draws):
        x = rng.normal(size=shape)
        pushed = np.repeat(x[None], np.prod(shape[:-1]), 0)
        for one, place in zip(pushed, np.ndindex(*shape[:-1]), strict=True):
            one[place] += rng.normal(0, 2, shape[-1])
        y = model.predict(np.concatenate([x[None], pushed]), verbose=0, batch_size=256)
        seen |= abs(y[1:] - y[0]).max(-1) > 1e-13
    return seen.reshape(*shape[:-1], *seen.shape[1:])


def is_right(build, shape):
    """The box of every output place holds what was seen, and no more; the trace all of it."""
    with double():
        x = Input(shape)
        model = Model(x, build(x))
        seen = moved(model)
    n = len(shape) - 1
    names = {1: ["steps"], 2: ["rows", "columns"], 3: ["steps", "rows", "columns"]}[n]
    row = trace(model).iloc[-1]
    for pixel in np.ndindex(*seen.shape[n:]):
        here = seen[(slice(None),) * n + pixel]
        found = box(model, None, pixel or None)
        for axis, name in enumerate(names):
            places = np.flatnonzero(here.any(tuple(k for k in range(n) if k != axis)))
            ends = (places[0], places[-1] + 1) if len(places) else (0, 0)
            cut, (first, end) = getattr(found, name), getattr(found, f"full_{name}")
            assert (cut.start, cut.stop) == ends, (pixel, name)
            assert not len(places) or first <= ends[0] and ends[1] <= end
            assert row["size_" + ("t" if name == "steps" else "yx"[name == "columns"])] >= (
                ends[1] - ends[0]
            )


def rnn(kind, units=3, **options):
    if kind != "SimpleRNN":
        options["recurrent_activation"] = "sigmoid"  # never shut, as a hard one is
    return lambda x: getattr(layers, kind)(units, **options)(x)


def in_turn(x, *some):
    for layer in some:
        x = layer(x)
    return x


def attention(causal=False, **options):
    options = {"num_heads": 2, "key_dim": 2} | options
    return lambda x: layers.MultiHeadAttention(**options)(x, x, use_causal_mask=causal)


def crossing(causal=False, values=slice(3, 6), key=None):
    """Attention of the first four steps to others."""

    def build(x):
        query, value = layers.Cropping1D((0, 3))(x), _cut(x, values)
        more = {"key": _cut(x, key)} if key else {}
        return layers.MultiHeadAttention(1, 2)(query, value, use_causal_mask=causal, **more)

    return build


def _cut(x, steps):
    return layers.Cropping1D((steps.start, x.shape[1] - steps.stop))(x)


def residual_block(x):
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 2)(y, y, use_causal_mask=True)])
    return layers.Add()([x, layers.Dense(2)(layers.LayerNormalization()(x))])


def both(kind, units=2, merge="concat", **options):
    return lambda x: layers.Bidirectional(
        getattr(layers, kind)(units, **options), merge_mode=merge
    )(x)


EVERY = {"return_sequences": True}
BACK = {"go_backwards": True}
SERIES = {
    "SimpleRNN": rnn("SimpleRNN", **EVERY),
    "LSTM": rnn("LSTM", **EVERY),
    "LSTM backwards": rnn("LSTM", **EVERY, **BACK),
    "GRU, last": rnn("GRU"),
    "GRU backwards, last": rnn("GRU", **BACK),
    "LSTM unrolled": rnn("LSTM", unroll=True, **EVERY),
    "backwards twice": lambda x: in_turn(
        x, layers.LSTM(2, **EVERY, **BACK), layers.GRU(2, **EVERY, **BACK)
    ),
    "there and back": lambda x: in_turn(
        x, layers.LSTM(2, **EVERY), layers.LSTM(2, **EVERY, **BACK)
    ),
    "LSTM of windows": lambda x: in_turn(
        x, layers.Conv1D(2, 3, strides=2, padding="causal"), layers.LSTM(2, **EVERY)
    ),
    "windows of LSTM": lambda x: in_turn(
        x, layers.LSTM(2, **EVERY, **BACK), layers.MaxPooling1D(2), layers.Conv1D(2, 3, **PADDED)
    ),
    "decoder": lambda x: in_turn(x, layers.GRU(2), layers.RepeatVector(3), layers.LSTM(2, **EVERY)),
    "Bidirectional": both("LSTM", **EVERY),
    "Bidirectional sum, last": both("GRU", merge="sum"),
    "TimeDistributed": lambda x: in_turn(
        x, layers.TimeDistributed(layers.Dense(2)), layers.Conv1D(2, 2), layers.UpSampling1D(2)
    ),
    "attention": attention(),
    "causal attention": attention(causal=True, value_dim=3, output_shape=4),
    "causal attention of windows": lambda x: in_turn(
        x, layers.Conv1D(2, 2), attention(causal=True), layers.ZeroPadding1D((1, 2))
    ),
    "cross-attention": crossing(),
    "causal cross-attention": crossing(causal=True),
    "causal cross-attention to fewer": crossing(causal=True, values=slice(5, 7)),
    "cross-attention to one": crossing(values=slice(5, 6)),
    "cross-attention with a key": crossing(values=slice(4, 6), key=slice(1, 3)),
    "causal cross-attention with a key": crossing(causal=True, values=slice(4, 6), key=slice(5, 7)),
    "residual block": residual_block,
    "LayerNormalization": lambda x: in_turn(x, layers.Conv1D(2, 2), layers.LayerNormalization()),
    "LayerNormalization over steps": lambda x: layers.LayerNormalization(axis=1)(x),
    "UnitNormalization over all": lambda x: layers.UnitNormalization(axis=(1, 2))(x),
    "GroupNormalization": lambda x: layers.GroupNormalization(1)(x),
}


# The others are built and pushed in the slow tests.
QUICK = "LSTM backwards", "backwards twice", "Bidirectional", "causal attention of windows"
QUICK += "cross-attention", "causal cross-attention with a key", "residual block"
QUICK += "LayerNormalization over steps", "ConvLSTM1D dilated backwards", "ConvLSTM2D"
QUICK += "ConvLSTM2D, last", "attention along columns"


def marked(names):
    slow = pytest.mark.slow
    return [name if name in QUICK else pytest.param(name, marks=slow) for name in names]


@pytest.mark.parametrize("case", marked(SERIES))
def test_what_a_step_sees(case):
    is_right(SERIES[case], (7, 2))


def conv_lstm(kind="ConvLSTM2D", kernel=2, filters=2, **options):
    options["recurrent_activation"] = "sigmoid"  # never shut, as a hard one is
    return lambda x: getattr(layers, kind)(filters, kernel, **options)(x)


FILMS = {
    "ConvLSTM1D": ((4, 7, 2), conv_lstm("ConvLSTM1D", 3, **PADDED, **EVERY)),
    "ConvLSTM1D dilated backwards": (
        (3, 9, 1),
        conv_lstm("ConvLSTM1D", 2, dilation_rate=3, **EVERY, **BACK),
    ),
    "ConvLSTM1D, last": ((3, 9, 1), conv_lstm("ConvLSTM1D", 3, strides=2)),
    "ConvLSTM2D": ((3, 5, 4, 1), conv_lstm(kernel=(2, 3), **PADDED, **EVERY)),
    "ConvLSTM2D backwards": ((3, 5, 4, 1), conv_lstm(kernel=(1, 2), **EVERY, **BACK)),
    "ConvLSTM2D, last": (
        (3, 9, 4, 1),
        lambda x: in_turn(
            x,
            layers.ConvLSTM2D(2, (3, 1), strides=(2, 1), **PADDED),
            layers.Conv2D(1, (2, 1), **PADDED),
        ),
    ),
    "ConvLSTM2D twice": (
        (2, 6, 4, 1),
        lambda x: in_turn(
            x,
            layers.ConvLSTM2D(2, (2, 1), **PADDED, **EVERY),
            layers.LayerNormalization(),
            layers.ConvLSTM2D(1, (2, 1), dilation_rate=(2, 1)),
        ),
    ),
    "Bidirectional": (
        (3, 5, 3, 1),
        both("ConvLSTM2D", kernel_size=(2, 1), recurrent_activation="sigmoid", **PADDED, **EVERY),
    ),
    "convolutions at each step": (
        (2, 6, 5, 1),
        lambda x: in_turn(
            x,
            layers.TimeDistributed(layers.Conv2D(1, 2, strides=2)),
            layers.TimeDistributed(layers.Flatten()),
            layers.GRU(2, **EVERY),
        ),
    ),
    "attention along columns": ((3, 4, 2), attention(attention_axes=(2,))),
    "attention in a picture": ((3, 4, 2), attention()),
    "LayerNormalization over rows": ((2, 3, 3, 2), lambda x: layers.LayerNormalization(axis=2)(x)),
    "GroupNormalization of a film": ((2, 3, 2, 4), lambda x: layers.GroupNormalization(2)(x)),
}


@pytest.mark.parametrize("case", marked(FILMS))
def test_what_a_pixel_of_a_film_sees(case):
    shape, build = FILMS[case]
    is_right(build, shape)


def test_fields_by_the_formula():
    model = Sequential([Input((9, 2)), layers.Conv1D(2, 3), layers.LSTM(2, **EVERY, name="last")])
    row = trace(model).loc["last"]
    # As a causal convolution of as many taps as there are steps.
    assert (row.size_t, row.step_t, row.offset_t, row.padding_t) == (9, 1, -2, 6)
    assert box(model, "last", 2).full_steps == (-4, 5)
    film = Sequential([Input((4, 20, 20, 1)), layers.ConvLSTM2D(1, 3, **PADDED, **EVERY)])
    row = trace(film).iloc[-1]
    # The kernel of the input, and three times that of the recurrent convolution.
    assert (row.size_t, row.size_y, row.size_x, row.step_y) == (4, 3 + 3 * 2, 3 + 3 * 2, 1)
    assert row.aligned
    found = box(film, None, (2, 10, 10))
    assert found.size == (3, 7, 7) and found.rows == slice(7, 14) and found.steps == slice(0, 3)
    assert box(film).size == (3, 7, 7)  # the middle one


def test_bad_questions_in_time():
    film = Sequential([Input((4, 5, 5, 1)), layers.ConvLSTM2D(1, 3, name="lstm")])
    with pytest.raises(TypeError, match="a row and a column"):
        box(film, None, (0, 1, 1))
    with pytest.raises(ValueError, match=r"no pixel \(5, 0\) in the layer 'lstm' \(ConvLSTM2D\)"):
        box(film, None, (5, 0))
    series = Sequential([Input((None, 2)), layers.LSTM(1, **EVERY)])
    with pytest.raises(ValueError, match=r"size=\(256,\)"):
        trace(series)
    with pytest.raises(TypeError, match="size must be steps"):
        trace(series, (3, 4))
    assert box(series, None, 3, size=(5,)).steps == slice(0, 4)
    with pytest.raises(ValueError, match="count from 0"):
        box(series, None, 5, size=(5,))
    with pytest.raises(NotImplementedError, match="are for pictures"):
        effective(film, None, np.zeros((1, 4, 5, 5, 1)), (1, 1))
    with pytest.raises(NotImplementedError, match="out of pictures"):
        crops.cut(series, (1, 1), size=(5,))
    rows = Sequential([Input((4, 5, 1)), layers.ConvLSTM1D(1, 2)])
    with pytest.raises(ValueError, match="has no pixels"):
        effective(rows, None, np.zeros((1, 4, 5, 1)), (1, 1))
    with pytest.raises(ValueError, match="no map"):
        crops.cut(rows, (1, 1))


def test_nothing_is_cut_off_where_later_steps_hang_on_earlier_ones():
    how = {"padding": "same", "return_sequences": True, "go_backwards": True}
    model = Sequential([Input((6, 8, 1)), layers.ConvLSTM1D(1, 3, **how)])
    cut = crops.cut(model, (4, 2))
    assert (cut.rows, cut.columns, cut.pixel) == (slice(0, 6), slice(0, 8), (4, 2))


REFUSED = {
    "Masking": lambda x: layers.LSTM(2)(layers.Masking(name="this")(x)),
    "attention_mask": lambda x: layers.MultiHeadAttention(1, 2, name="this")(
        x, x, attention_mask=np.ones((1, 5, 5))
    ),
    "return_state": lambda x: layers.LSTM(2, return_state=True, name="this")(x)[0],
    "initial_state": lambda x: layers.LSTM(2, name="this")(
        x, initial_state=[layers.Dense(2)(layers.Flatten()(x))] * 2
    ),
    "a cell": lambda x: layers.RNN(layers.LSTMCell(2), name="this")(x),
    "a network at each step": lambda x: layers.TimeDistributed(
        Sequential([Input((2,)), layers.Dense(2)]), name="this"
    )(x),
    "a series at each step": lambda x: layers.TimeDistributed(layers.RepeatVector(2), name="this")(
        x
    ),
    "groups of steps": lambda x: layers.GroupNormalization(5, axis=1, name="this")(x),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence_that_names_the_layer(case):
    x = Input((5, 2))
    model = Model(x, REFUSED[case](x))
    with pytest.raises(NotImplementedError, match=r"^[A-Z].*layer 'this' \(\w+\).*\.$"):
        trace(model)
