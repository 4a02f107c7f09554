"""Directions that separate two sets of activations, and how well they do it.

Inputs are means over positions, float32 `[answers, hidden]`; where answers are pairs, row i of both sides is from pair i.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

METHODS = ("mean_diff", "probe")
HELD_OUT_EVERY = 4  # the last of every four is held out


@dataclass(frozen=True)
class Direction:
    """A unit vector towards the positive side, float32 `[hidden]`, and what is known about it.

    `norm` is its length before scaling; `baseline` is where the midpoint of both means lies along it; a point h counts
    as positive when `h · vector + bias > 0`.
    """

    vector: np.ndarray
    norm: float
    baseline: float
    bias: float


def fit(method: str, positive: np.ndarray, negative: np.ndarray) -> Direction:
    """The direction of `method`. Raises ValueError when there is none: equal sides, or values that are not finite."""
    import numpy as np

    mean_positive, mean_negative = positive.astype(np.float64).mean(axis=0), negative.astype(np.float64).mean(axis=0)
    if method == "mean_diff":
        raw, intercept = mean_positive - mean_negative, None
    else:
        raw, intercept = fit_probe(positive, negative)
    norm = float(np.linalg.norm(raw))
    if norm == 0:
        raise ValueError("the direction has a norm of 0: the answers of its pairs do not differ in the tokens that `position` takes")
    if not np.isfinite(norm):
        raise ValueError(f"the direction has a norm of {norm}")
    unit = raw / norm
    baseline = float((mean_positive + mean_negative) @ unit / 2)
    bias = -baseline if intercept is None else intercept / norm
    return Direction(unit.astype(np.float32), norm, baseline, bias)


def fit_probe(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients `[hidden]` and intercept of a logistic regression (scikit-learn, L2, C = 1), for unscaled inputs.

    The fit sees all activations divided by one number, their root mean square, which makes C mean the same for every
    model and layer and leaves directions alone.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    states = np.concatenate([positive, negative]).astype(np.float64)
    scale = float(np.sqrt(np.mean(states**2)))
    if not np.isfinite(scale) or scale == 0:
        raise ValueError("the activations are zero or not finite")
    sides = np.repeat([1, 0], [len(positive), len(negative)])
    model = LogisticRegression(C=1.0, max_iter=2000, tol=1e-6).fit(states / scale, sides)
    return model.coef_[0] / scale, float(model.intercept_[0])


def accuracy(direction: Direction, positive: np.ndarray, negative: np.ndarray) -> float:
    """The share of activations on the side of the boundary they belong to."""
    import numpy as np

    unit = direction.vector.astype(np.float64)
    right = np.concatenate([positive @ unit + direction.bias > 0, negative @ unit + direction.bias <= 0])
    return float(right.mean())


def auc(direction: Direction, positive: np.ndarray, negative: np.ndarray) -> float:
    """The share of pairs of one of each side of which the positive one lies further along it; a tie counts half. It is the
    area under the ROC curve: unlike `accuracy` it does not ask where the boundary is, which scores along a direction do
    not either."""
    import numpy as np

    unit = direction.vector.astype(np.float64)
    ahead = (positive @ unit)[:, None] - (negative @ unit)[None, :]
    return float(((ahead > 0) + (ahead == 0) / 2).mean())


def held_out(method: str, positive: np.ndarray, negative: np.ndarray) -> tuple[float, float] | None:
    """`accuracy` and `auc` on every fourth pair (or answer of a side) of a direction fitted without those; None for fewer
    than four."""
    import numpy as np

    held, held_negative = (np.arange(len(side)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1 for side in (positive, negative))
    if not (held.any() and held_negative.any()):
        return None
    direction = fit(method, positive[~held], negative[~held_negative])
    sides = positive[held], negative[held_negative]
    return accuracy(direction, *sides), auc(direction, *sides)
