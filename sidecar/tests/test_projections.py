"""The compiled products are those of numpy in float64, to what float32 can hold, whatever else is computed beside them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from sidecar.native import bfloat16, cpu, projections
from sidecar.stored.scratch import Memory
from sidecar.vectors.products import along, along_tiles, fits, matrix_of

here = cpu.architectures()
runnable = here[here.index(best) :] if (best := cpu.architecture()) else []


@pytest.fixture(params=["tiles", *runnable] if runnable else [pytest.param(None, marks=pytest.mark.skip(reason="not written for this CPU"))])
def architecture(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each instruction set that this CPU has, and its tiles."""
    if request.param == "tiles" and bfloat16.by_tiles() is None:
        pytest.skip("this CPU has no tiles for bfloat16 (AMX), or there is no gcc")
    if request.param != "tiles":
        monkeypatch.setattr(bfloat16, "by_tiles", lambda: None)
        monkeypatch.setattr(cpu, "architecture", lambda: request.param)
    projections.library.cache_clear()
    if projections.library() is None:
        pytest.skip("projections.c is not compiled here: no gcc")
    yield request.param
    projections.library.cache_clear()


def states_of(tokens: int, hidden: int) -> np.ndarray:
    """The bits of bfloat16 numbers, some of them a thousand times as large as the rest."""
    numbers = np.random.default_rng(tokens + hidden).standard_normal((tokens, hidden)).astype(np.float32)
    numbers[:, ::97] *= 1000
    return (numbers.view(np.uint32) >> 16).astype("<u2")


def widened(states: np.ndarray) -> np.ndarray:
    return (states.astype(np.uint32) << 16).view(np.float32)


def units_of(vectors: int, hidden: int) -> list[np.ndarray]:
    found = np.random.default_rng(hidden).standard_normal((vectors, hidden))
    return list((found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32))


@pytest.mark.parametrize(("tokens", "hidden", "vectors"), [(1, 16, 1), (1, 32, 5), (2, 48, 6), (3, 576, 7), (5, 576, 17), (33, 4096, 3), (64, 8192, 18), (47, 64, 61)])
def test_products_are_those_of_float64(architecture: str, tokens: int, hidden: int, vectors: int) -> None:
    states, units = states_of(tokens, hidden), units_of(vectors, hidden)
    found = along(states, matrix_of(units), Memory())
    exact = np.stack(units).astype(np.float64) @ widened(states).astype(np.float64).T
    sizes = np.abs(np.stack(units)).astype(np.float64) @ np.abs(widened(states)).astype(np.float64).T
    assert found.shape == (vectors, tokens) and found.dtype == np.float32
    assert (np.abs(found - exact) <= sizes * hidden * 2**-24).all()


def test_a_score_depends_on_its_state_and_vector_alone(architecture: str) -> None:
    states, units = states_of(47, 576), units_of(17, 576)
    whole = along(states, matrix_of(units), Memory())
    for tokens, vectors in ((slice(5, 30), [3, 16]), (slice(46, 47), [16]), (slice(0, 17), list(range(12)))):
        found = along(states[tokens], matrix_of([units[vector] for vector in vectors]), Memory())
        assert (found == whole[vectors][:, tokens]).all()


def test_what_is_not_finite_stays_in_its_token(architecture: str) -> None:
    states = states_of(6, 64)
    clean = along(states, matrix_of(units_of(2, 64)), Memory())
    states[1, 3], states[4, 63] = 0x7FC0, 0xFF80  # NaN, and minus infinity
    found = along(states, matrix_of(units_of(2, 64)), Memory())
    assert (np.isfinite(found) == [[True, False, True, True, False, True]] * 2).all()
    assert (found[:, [0, 2, 3, 5]] == clean[:, [0, 2, 3, 5]]).all()


def test_states_of_other_kinds_are_left_to_numpy(architecture: str) -> None:
    matrix = matrix_of(units_of(3, 40))
    odd = states_of(4, 40)  # no multiple of 16
    assert projections.project(odd, matrix.packed) is None and fits(odd, matrix)
    assert (along(odd, matrix, Memory()) == along_tiles(odd, matrix, Memory())).all()
    assert projections.project(widened(states_of(4, 48)), matrix_of(units_of(3, 48)).packed) is None


def test_without_the_library_products_differ_in_their_last_bits_alone(architecture: str) -> None:
    states, matrix = states_of(40, 576), matrix_of(units_of(5, 576))
    np.testing.assert_allclose(along(states, matrix, Memory()), along_tiles(states, matrix, Memory()), rtol=1e-4, atol=1e-3)
