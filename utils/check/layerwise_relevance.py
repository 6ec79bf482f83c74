"""Checks of lesson 03."""

from functools import partial

import numpy as np
from tensorflow import keras

from utils import lrp
from utils.check import exercise, right, together, unanswered, wrong


def _layer():
    """A layer with inputs, weights and biases of both signs, and relevance of its outputs."""
    rng = np.random.default_rng(7)
    a, w, b, R = (rng.normal(size=size) for size in (6, (6, 4), 4, 4))
    w[:, 3] = abs(w[:, 3]) * np.sign(a)  # a unit that nothing speaks against
    b[3] = 0.5
    return a, w, b, R


def _divide(R, z):
    return np.divide(R, z, out=np.zeros_like(R), where=z != 0)


def _alpha_beta(a, w, b, R, alpha, beta, split=True):
    """The rule with its bias split by sign, or whole in both denominators; beta is subtracted."""
    z = a[:, None] * w

    def shares(part):
        total = part(z, 0).sum(0) + (part(b, 0) if split else b)
        return part(z, 0) @ _divide(R, total)

    return alpha * shares(np.maximum) - beta * shares(np.minimum)


@exercise
def alpha_beta_step(step):
    """A step of the alpha-beta rule, a function of a, w, b, R and alpha."""
    a, w, b, R = _layer()
    no_bias = np.zeros_like(b)
    answer = step(a, w, b, R, 2.0)
    if answer is ...:
        return unanswered()
    if answer is None:
        return wrong("The function returns nothing: does it end with a `return`?")
    answer = np.asarray(answer, float)
    if answer.shape != a.shape:
        return wrong(
            f"The result has the shape {answer.shape}, the layer's inputs have {a.shape}: add up "
            "over the units above, j."
        )

    def same(numbers):
        return np.allclose(answer, numbers)

    if np.isnan(answer).any():
        return wrong("There are NaNs: a unit has no negative contribution. Use `divide`.")
    if same(_alpha_beta(a, w, b, R, 2, 1)):
        if not np.allclose(step(a, w, b, R, 1.0), _alpha_beta(a, w, b, R, 1, 0)):
            return wrong("Right for alpha = 2, but not for alpha = 1: beta is alpha - 1.")
        return right(
            "One unit here has nothing against it and hands on alpha times what it got, as h1 did "
            "in the diagram."
        )
    if same(_alpha_beta(a, w, b, R, 2, -1)):
        return wrong(
            "Beta has the sign of the other convention: here it is subtracted, alpha - beta = 1. "
            "(Denominator and contributions are both negative, so their quotient is positive.)"
        )
    if same(_alpha_beta(a, w, no_bias, R, 2, 1)):
        return wrong("The bias is missing: its positive part belongs to z+, its negative to z-.")
    if same(_alpha_beta(a, w, b, R, 2, 1, split=False)):
        return wrong("The whole bias is in both denominators: split it by its sign.")
    if same(_alpha_beta(a, w, b, R, 1, 0)):
        return wrong("Only the positive part is there: subtract beta times the negative one.")
    slip = _alpha_beta(np.ones_like(a), w, no_bias, R, 2, 1)
    if same(slip) or same(_alpha_beta(np.ones_like(a), w, b, R, 2, 1)):
        return wrong("The inputs' values are missing: z_ij is a_i * w_ij, i below.")
    for values in (a, a.clip(0)):
        for bias in (b, no_bias):
            up = _divide(R, values @ w.clip(0) + bias.clip(0))
            down = _divide(R, values @ w.clip(max=0) + bias.clip(max=0))
            if same(values * (2 * w.clip(0) @ up - w.clip(max=0) @ down)):
                return wrong(
                    "The weights are cut by sign, but inputs can be negative, too: where both are, "
                    "z_ij is positive. Cut z = a[:, None] * w."
                )
    if np.isclose(answer.sum(), R.sum()):
        return wrong("The sum is that of R, but the bias should take its share.")
    return wrong(
        f"The result adds up to {answer.sum():.3f}, the right one to "
        f"{_alpha_beta(a, w, b, R, 2, 1).sum():.3f}, from R with {R.sum():.3f}. Try a unit by hand."
    )


@exercise
def alpha_1_step(step):
    """The mended step: alpha 1, beta 0, without bias, for inputs of both signs."""
    a, w, b, R = _layer()
    answer = step(a, w, b, R)
    if answer is ... or answer is None:
        return unanswered("The function returns nothing yet: give the relevance below the layer.")
    answer = np.asarray(answer, float)
    if answer.shape != a.shape:
        return wrong(f"The result has the shape {answer.shape}, the layer's inputs have {a.shape}.")

    def below(values, denominator):
        return values * (w.clip(0) @ _divide(R, denominator))

    if np.allclose(answer, _alpha_beta(a, w, np.zeros_like(b), R, 1, 0)):
        return right("Each layer passes on what it received, whatever the sign of its inputs.")
    if np.allclose(answer, below(a, a.clip(0) @ w.clip(0))):
        return unanswered("The step is as it was. Its ledger does not close in the first layer.")
    if np.allclose(answer, below(a.clip(0), a.clip(0) @ w.clip(0))):
        return wrong(
            "The ledger closes, but negative inputs get nothing: a negative input times a negative "
            "weight is a positive contribution."
        )
    if np.allclose(answer, below(a, a @ w.clip(0))):
        return wrong(
            "The ledger closes, but a negative input times a positive weight is a negative "
            "contribution: it does not belong to z+."
        )
    if np.allclose(answer, _alpha_beta(a, w, b, R, 1, 0)):
        return wrong("This step counts the bias; the colleague's rule leaves it out.")
    if np.isclose(answer.sum(), R.sum()):
        return wrong("The ledger closes, but the shares are not z+ over its sum.")
    return wrong(f"It passes on {answer.sum():.3f} of {R.sum():.3f}: the ledger does not close.")


def rules(answer, model, picture, eye_finder, scene, eye):
    """Check three rules by question, on a picture and on a scene with a mask of its eye."""
    judges = [
        partial(_speaks_against, model=model, picture=picture),
        partial(_sees_eye, eye_finder=eye_finder, scene=scene, eye=eye),
        partial(_adds_up, model=model, picture=picture),
    ]
    return together(answer, judges)


@exercise
def _speaks_against(rule, model, picture):
    values = lrp.relevance(model, picture, rule, layers=False).input
    share = 100 * abs(values.clip(max=0)).sum() / abs(values).sum()
    if share < 1:
        return wrong(
            f"What speaks against a horse? With this rule {share:.0f} % of the relevance is "
            "negative, so the map cannot say. Which rules let in negative contributions?"
        )
    return right("The first map shows what speaks against a horse, too.")


@exercise
def _sees_eye(rule, eye_finder, scene, eye):
    # The same network, but what lowers its output, the middle of the filter, hardly counts.
    blind = keras.models.clone_model(eye_finder)
    w, *others = eye_finder.get_weights()
    blind.set_weights([np.where(w < 0, 0.05 * w, w), *others])

    def share(network):
        values = abs(lrp.relevance(network, scene, rule, layers=False).input[..., 0])
        return 100 * (values * eye).sum() / values.sum()

    sees, should_not = share(eye_finder), share(blind)
    if sees == 0:
        return wrong(
            "Does the eye count? Its pixels are 0, and this rule gives them nothing. Take another "
            'one for the layer that reads them (the key "first" of a dict).'
        )
    if should_not > 0.5 * sees:
        return wrong(
            f"Does the eye count? This rule puts {sees:.0f} % of the relevance on it, but also "
            f"{should_not:.0f} % for a network that hardly uses it. The shares must depend on the "
            "weights, and limits must be those of the data."
        )
    return right(
        f"{sees:.0f} % of the second lies on the eye, {should_not:.0f} % if the network hardly "
        "uses it."
    )


@exercise
def _adds_up(rule, model, picture):
    ledger = lrp.relevance(model, picture, rule, layers=False).ledger
    logit, total = ledger.received.iloc[0], ledger.passed_on.iloc[-1]
    if abs(total / logit - 1) > 1e-3:
        taken = ledger[["bias", "stabiliser", "unassigned"]].sum()
        return wrong(
            f"Shares that add up: this rule hands on {total:.2f} of {logit:.2f}. Most of the rest "
            f"is under {abs(taken).idxmax()!r} in the ledger. Which rules leave that out?"
        )
    return right(f"The third adds up to {total:.2f} of {logit:.2f}.")
