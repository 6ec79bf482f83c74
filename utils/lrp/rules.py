"""The rules of layer-wise relevance propagation, as published.

In the formulas i is a unit below, j one above, ``z_ij = a_i w_ij`` what i contributes to j,
``z_j = sum_i z_ij + b_j``; z_ij+ is its positive part (zero if it is negative), z_ij- the negative
one. Each rule says how relevance R_j is shared out.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from utils.keras_graph.validation import is_number
from utils.plain import plain


class Part(NamedTuple):
    """How one share of the relevance goes down: in proportion to contributions and bias."""

    pairs: list  # of inputs and weights; contributions are their products
    b: tf.Tensor | None = None  # None where the bias takes no part
    share: tf.Tensor | None = None  # of R; None for all of it
    epsilon: tf.Tensor | None = None
    positive: bool = False  # only for speed: z_j is positive wherever the layer's is


class Rule(NamedTuple):
    """An LRP rule.

    ``parts(a, w, b, signed, *numbers)`` lists the parts into which it cuts the relevance of a
    layer with inputs a, weights w and bias b, all tensors. `limits` tells that the numbers are the
    lowest and highest value of the input.

    Two things are only for speed: `signed` is False where no input can be negative, and `complete`
    tells that the parts' contributions add up to all z_ij, so that they make the layer's output.
    """

    name: str
    parts: Callable
    numbers: tuple = ()
    complete: bool = False
    limits: bool = False

    def __call__(self, a, w, b, signed=True):
        """The parts for a layer's inputs, weights and bias."""
        numbers = (tf.convert_to_tensor(number, a.dtype) for number in self.numbers)
        return self.parts(a, w, b, signed, *numbers)


def z():
    """The z rule: in proportion to z_ij (Bach et al. 2015, eq. 56).

    ``R_i = sum_j z_ij / z_j R_j``.
    """
    return Rule("z", _z, complete=True)


def _z(a, w, b, signed):
    return [Part([(a, w)], b)]


def epsilon(epsilon=1e-7):
    """The epsilon rule: ``z_j + epsilon sign(z_j)`` below the line (Bach et al. 2015, eq. 58).

    What epsilon takes is lost; sign(0) is +1. The default, as in iNNvestigate, only keeps from
    dividing by zero. 0.1 and more, in units of z_j, calm a map.
    """
    _check("epsilon", epsilon)
    return Rule(f"epsilon {epsilon:g}", _epsilon, (epsilon,), complete=True)


def _epsilon(a, w, b, signed, epsilon):
    return [Part([(a, w)], b, epsilon=epsilon)]


def gamma(gamma=0.25):
    """The gamma rule: positive contributions count more (Montavon et al. 2019).

    ``R_i = sum_j (z_ij + gamma z_ij+) / (z_j + gamma z_j+) R_j``, with b_j+ in z_j+.
    """
    _check("gamma", gamma)
    return Rule(f"gamma {gamma:g}", _gamma, (gamma,))


def _gamma(a, w, b, signed, gamma):
    pairs = _by_sign(a, signed, w + gamma * _plus(w), w + gamma * _minus(w))
    return [Part(pairs, b + gamma * _plus(b))]


def alpha_beta(alpha, beta=None, bias="split"):
    """The alpha-beta rule: positive and negative contributions apart (Bach et al. 2015, eq. 60).

    ``R_i = sum_j (alpha z_ij+ / z_j+ - beta z_ij- / z_j-) R_j``, and ``alpha - beta = 1``.

    Beta is subtracted, as in Montavon et al. (2018) and iNNvestigate: alpha 2 means beta 1. Bach
    et al. add it, so that alpha + beta = 1: there alpha 2 means beta -1.

    Parameters
    ----------
    alpha : float
        1 or larger.
    beta : float, optional
        alpha - 1.
    bias : {"split", "whole", None}
        "split" adds a positive bias to z_j+ and a negative one to z_j- (Bach's toolbox); "whole"
        adds it to both, as iNNvestigate 2.1.2 does; None leaves it out (Montavon et al. 2018).
    """
    beta = alpha - 1 if beta is None and is_number(alpha) else beta
    numbers = is_number(alpha) and is_number(beta)
    if not (numbers and alpha >= 1 and np.isclose(float(alpha) - float(beta), 1)):
        shown = " and ".join(plain(f"{n:g}" if is_number(n) else repr(n)) for n in (alpha, beta))
        raise ValueError(
            f"alpha - beta must be 1, and alpha 1 or larger, not {shown}. Beta is "
            "subtracted here; where it is added (Bach et al. 2015), it has the other sign."
        )
    handling = {"split": "", "whole": ", whole bias", None: ", no bias"}
    if not isinstance(bias, str | None) or bias not in handling:
        raise ValueError(f'bias must be "split", "whole" or None, not {plain(repr(bias))}.')
    name = f"alpha {alpha:g} beta {beta:g}{handling[bias]}"
    both = beta != 0
    return Rule(name, _alpha_beta(bias, both), (alpha, beta), complete=both)


@functools.cache  # one function for all alphas, by which a machine is found again
def _alpha_beta(bias, both):
    def parts(a, w, b, signed, alpha, beta):
        for_it, against = _plus(b), _minus(b)
        if bias != "split":
            for_it = against = b if bias == "whole" else None
        positive, negative = _plus(w), _minus(w)
        pairs = _by_sign(a, signed, positive, negative)
        up = Part(pairs, for_it, alpha if both else None, positive=bias == "split")
        down = Part(_by_sign(a, signed, negative, positive), against, -beta)
        return [up, down] if both else [up]

    return parts


def w_square():
    """The w² rule: by squared weights, whatever the input (Montavon et al. 2017).

    ``R_i = sum_j w_ij² / sum_i w_ij² R_j``.
    """
    return Rule("w square", _w_square)


def _w_square(a, w, b, signed):
    return [Part([(tf.ones_like(a), w**2)])]


def flat():
    """The flat rule: the same to every input (as in iNNvestigate, Alber et al. 2019).

    ``R_i = sum_j 1 / n_j R_j`` for the n_j inputs of unit j.
    """
    return Rule("flat", _flat)


def _flat(a, w, b, signed):
    return [Part([(tf.ones_like(a), tf.ones_like(w))])]


def z_box(low=0.0, high=1.0):
    """The z^B rule for a first layer whose inputs lie from low to high (Montavon et al. 2017).

    ``R_i = sum_j z_ij / sum_i z_ij R_j`` with ``z_ij = a_i w_ij - low w_ij+ - high w_ij-``.

    Parameters
    ----------
    low, high : float
        In the units of the input.
    """
    if not (is_number(low) and is_number(high) and low < high):
        shown = " and ".join(plain(repr(limit)) for limit in (low, high))
        raise ValueError(f"low and high must be numbers, low below high, not {shown}.")
    return Rule(f"z box {low:g} to {high:g}", _z_box, (low, high), limits=True)


def _z_box(a, w, b, signed, low, high):
    zero = tf.zeros_like(a)
    return [Part([(a, w), (zero - low, _plus(w)), (zero - high, _minus(w))])]


def _check(name, number):
    if not is_number(number) or number < 0:
        raise ValueError(f"{name} must be 0 or larger, not {plain(repr(number))}.")


def _plus(t):
    return tf.maximum(t, 0)


def _minus(t):
    return tf.minimum(t, 0)


def _by_sign(a, signed, w_of_positive, w_of_negative):
    """Pairs of a layer's inputs and weights, with other weights for negative inputs."""
    if not signed:  # only for speed
        return [(a, w_of_positive)]
    return [(_plus(a), w_of_positive), (_minus(a), w_of_negative)]
