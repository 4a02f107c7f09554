"""Directions are what their formulas say, and a held-out accuracy never saw its pairs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from sidecar.vectors.directions import METHODS, accuracy, auc, fit, held_out


def sides(pairs: int, gap: float, seed: int = 0, hidden: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds `[pairs, hidden]` whose means lie `gap` apart along dimension 3, and one huge shared dimension."""
    noise = np.random.default_rng(seed)
    positive, negative = noise.normal(size=(2, pairs, hidden)).astype(np.float32)
    positive[:, 3] += gap
    positive[:, 0] += 100
    negative[:, 0] += 100
    return positive, negative


def test_the_mean_difference_is_the_difference_of_the_means() -> None:
    positive, negative = sides(10, 2.0)
    found = fit("mean_diff", positive, negative)
    wanted = positive.mean(axis=0, dtype=np.float64) - negative.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(found.vector * found.norm, wanted, rtol=1e-5, atol=1e-6)
    middle = (positive.mean(axis=0, dtype=np.float64) + negative.mean(axis=0, dtype=np.float64)) / 2
    assert found.baseline == pytest.approx(middle @ wanted / np.linalg.norm(wanted), rel=1e-6)
    assert found.bias == -found.baseline


def test_the_probe_is_scikit_learns_on_globally_scaled_inputs() -> None:
    positive, negative = sides(12, 1.0)
    found = fit("probe", positive, negative)
    states = np.concatenate([positive, negative]).astype(np.float64)
    scale = np.sqrt((states**2).mean())
    reference = LogisticRegression(C=1.0, solver="newton-cg", max_iter=5000, tol=1e-10).fit(states / scale, [1] * 12 + [0] * 12)
    weights = reference.coef_[0]
    np.testing.assert_allclose(found.vector, weights / np.linalg.norm(weights), atol=1e-4)
    assert found.norm == pytest.approx(np.linalg.norm(weights) / scale, rel=1e-3)
    decisions = reference.decision_function(states / scale) / (np.linalg.norm(weights) / scale)
    np.testing.assert_allclose(states @ found.vector + found.bias, decisions, atol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_a_direction_has_length_one_and_points_to_the_positive_side(method: str) -> None:
    positive, negative = sides(8, 3.0)
    for first, second, sign in ((positive, negative, 1), (negative, positive, -1)):
        found = fit(method, first, second)
        assert np.linalg.norm(found.vector.astype(np.float64)) == pytest.approx(1, abs=1e-6)
        assert found.vector.dtype == np.float32
        assert (first @ found.vector).mean() > (second @ found.vector).mean()
        assert np.sign(found.vector[3]) == sign


@pytest.mark.parametrize("method", METHODS)
def test_the_scale_of_a_model_does_not_turn_its_directions(method: str) -> None:
    positive, negative = sides(8, 2.0)
    near, far = fit(method, positive, negative), fit(method, positive * 64, negative * 64)
    np.testing.assert_allclose(near.vector, far.vector, atol=1e-4)
    assert far.baseline == pytest.approx(near.baseline * 64, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_held_out_pairs_are_really_held_out(method: str) -> None:
    positive, negative = sides(16, 8.0)
    positive[3::4], negative[3::4] = negative[3::4].copy(), positive[3::4].copy()
    assert held_out(method, positive, negative) == (0.0, 0.0)
    assert accuracy(fit(method, positive, negative), positive, negative) > 0.5


@pytest.mark.parametrize("method", METHODS)
def test_noise_is_fitted_but_not_held_out(method: str) -> None:
    held = [held_out(method, *sides(16, 0.0, seed)) for seed in range(12)]
    trained = [accuracy(fit(method, *sides(16, 0.0, seed)), *sides(16, 0.0, seed)) for seed in range(12)]
    assert np.mean(trained) > 0.85
    assert np.abs(np.mean([values for values in held if values is not None], axis=0) - 0.5).max() < 0.15


@pytest.mark.parametrize("method", METHODS)
def test_three_pairs_leave_none_to_hold_out(method: str) -> None:
    assert held_out(method, *sides(3, 2.0)) is None
    assert held_out(method, *sides(4, 9.0)) is not None


@pytest.mark.parametrize("method", METHODS)
def test_the_auc_is_scikit_learns_also_with_ties_and_does_not_ask_where_the_boundary_is(method: str) -> None:
    direction = fit(method, *sides(16, 1.0))
    positive, negative = sides(9, 1.0, seed=1)
    negative[:2] = positive[:2]
    scores = np.concatenate([positive, negative]) @ direction.vector.astype(np.float64)
    labels = np.repeat([1, 0], 9)
    assert auc(direction, positive, negative) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    clear, apart = fit(method, *sides(16, 9.0)), sides(9, 9.0)
    moved = tuple(side + 1000 * clear.vector for side in apart)
    assert accuracy(clear, *moved) == 0.5
    assert auc(clear, *moved) == auc(clear, *apart) == 1.0


def test_equal_sides_have_no_direction() -> None:
    positive, _ = sides(4, 0.0)
    with pytest.raises(ValueError, match="norm of 0"):
        fit("mean_diff", positive, positive)
