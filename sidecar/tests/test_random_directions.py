"""Random directions are unit vectors, drawn evenly, and each is the same whatever else is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import random_directions

from .support import check_files, silent, slot_bytes

HIDDEN = 64


def drawn(out: Path, seed: int, index: int, layers: list[int]) -> dict[int, np.ndarray]:
    """The directions of one request by their layer, after their digests were checked."""
    out.mkdir()
    cells = [{"id": f"random_{index}@{layer}:random", "layer": layer} for layer in layers]
    request = {"out": str(out), "hidden": HIDDEN, "seed": seed, "index": index, "cells": cells}
    result = random_directions.run(request, Resident(), silent())
    check_files(out, result)
    assert result["failed"] == []
    return {layer: np.frombuffer(slot_bytes(out, cell), "<f4") for layer, cell in zip(layers, result["cells"], strict=True)}


def test_a_direction_hangs_on_seed_index_and_layer_alone(tmp_path: Path) -> None:
    first = drawn(tmp_path / "a", 7, 1, [2, 5])
    assert first[2].tolist() == drawn(tmp_path / "b", 7, 1, [5, 3, 2])[2].tolist()
    others = [first[5], drawn(tmp_path / "c", 8, 1, [2])[2], drawn(tmp_path / "d", 7, 2, [2])[2]]
    assert all(abs(float(other @ first[2])) < 0.5 for other in others)


def test_its_length_is_one_and_no_part_of_space_is_preferred(tmp_path: Path) -> None:
    vectors = np.stack(list(drawn(tmp_path / "a", 0, 1, list(range(4000))).values()))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    # 4,000 draws: the mean of a coordinate is 0 within 5 standard errors, its square 1 / 64.
    assert np.abs(vectors.mean(axis=0)).max() < 5 / np.sqrt(HIDDEN * 4000)
    np.testing.assert_allclose((vectors**2).mean(axis=0) * HIDDEN, 1, atol=0.12)


def test_the_first_values_of_a_seed_stay_what_they_are(tmp_path: Path) -> None:
    vector = drawn(tmp_path / "a", 0, 1, [24])[24]
    assert vector[:4].tolist() == pytest.approx([0.1331426352, 0.083024241, -0.1637813449, -0.0655613542], rel=1e-6)


def test_a_seed_below_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SidecarError, match="'seed' must be a whole number of at least 0, not -1"):
        drawn(tmp_path / "a", -1, 1, [2])
