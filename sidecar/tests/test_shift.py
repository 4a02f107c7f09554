"""A shift is the mean over answers of what the organism's states are more than the clean model's, of the response alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import shift
from sidecar.stored import int8

from .support import check_files, silent, slot_bytes, write_tensor

HIDDEN = 128
Answer = tuple[torch.Tensor, torch.Tensor]  # of the organism, of the clean model: [tokens, hidden]


def states(rows: int, seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (torch.randn(rows, HIDDEN, generator=torch.Generator().manual_seed(seed)) * 10).to(dtype)


def ask(out: Path, folder: Path, answers: list[Answer], first: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    def side(at: int, which: int) -> dict[str, Any]:
        return {"ref": write_tensor(folder, f"{at}-{which}", answers[at][which]), "first": first[which]}

    sides = [{"organism": side(at, 0), "clean": side(at, 1)} for at in range(len(answers))]
    request = {"out": str(out), "cells": [{"id": "shift_a@2:shift", "answers": sides}]}
    result = shift.run(request, Resident(), silent())
    check_files(out, result)
    return result


def vector(out: Path, result: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(slot_bytes(out, result["cells"][0]), "<f4")


def reference(answers: list[Answer]) -> torch.Tensor:
    """Each answer counts once, however long it is."""
    return torch.stack([(organism.double() - clean.double()).mean(0) for organism, clean in answers]).mean(0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_shift_equals_a_float64_reference(out: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    answers = [(states(rows, rows, dtype), states(rows, rows + 100, dtype)) for rows in (40, 1, 13)]
    result = ask(out, tmp_path, answers)
    moved = reference(answers)
    np.testing.assert_allclose(vector(out, result), (moved / moved.norm()).numpy(), rtol=0, atol=1e-7)
    facts = result["cells"][0]["facts"]
    single = torch.stack([(organism.double() - clean.double()).mean(0) for organism, clean in answers])
    usual = torch.stack([clean.double().mean(0) for _, clean in answers])
    assert facts["norm"] == pytest.approx(float(moved.norm()), rel=1e-9)
    assert facts["of_clean"] == pytest.approx(float(moved.norm() / usual.norm(dim=1).mean()), rel=1e-9)
    assert facts["consistency"] == pytest.approx(float(moved.norm() / single.norm(dim=1).mean()), rel=1e-9)
    assert facts["answers"] == 3


def test_answers_that_all_move_alike_are_consistent(out: Path, tmp_path: Path) -> None:
    moved = torch.arange(HIDDEN, dtype=torch.float32)
    answers = [(torch.round(states(rows, rows)) + moved, torch.round(states(rows, rows))) for rows in (3, 5)]
    result = ask(out, tmp_path, answers)
    np.testing.assert_allclose(vector(out, result), (moved / moved.norm()).numpy(), rtol=0, atol=1e-7)
    assert result["cells"][0]["facts"]["consistency"] == pytest.approx(1)


def test_tokens_of_the_prompt_do_not_count_on_whichever_side_they_were_recorded(out: Path, tmp_path: Path) -> None:
    answers = [(states(8, 1), states(8, 2))]
    (organism, clean), prompt = answers[0], states(5, 3)
    whole = vector(out, ask(out, tmp_path, [(torch.cat([prompt, organism]), clean)], (5, 0)))
    moved = reference(answers)
    np.testing.assert_allclose(whole, (moved / moved.norm()).numpy(), rtol=0, atol=1e-7)


def test_a_side_that_is_kept_in_eight_bits_counts_as_what_it_was_read_back_as(out: Path, tmp_path: Path) -> None:
    organism, clean = states(8, 1), states(8, 2)
    short = int8.encode(clean)
    result = ask(out, tmp_path, [(organism, short)])
    decoded = torch.from_numpy(int8.decode(short.numpy(), np.empty(8 * HIDDEN, np.float32)).copy())
    moved = reference([(organism, decoded)])
    np.testing.assert_allclose(vector(out, result), (moved / moved.norm()).numpy(), rtol=0, atol=1e-7)


def test_an_empty_answer_does_not_count(out: Path, tmp_path: Path) -> None:
    answers = [(states(4, 1), states(4, 2)), (states(0, 3), states(0, 4))]
    result = ask(out, tmp_path, answers)
    moved = reference(answers[:1])
    np.testing.assert_allclose(vector(out, result), (moved / moved.norm()).numpy(), rtol=0, atol=1e-7)
    assert result["cells"][0]["facts"]["answers"] == 1


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([(states(0, 1), states(0, 2))], "none of its answers has a token"),
        ([], "none of its answers has a token"),
        ([(states(3, 1), states(3, 1))], "the organism's recordings are the clean model's: its adapter moves nothing"),
    ],
)
def test_where_nothing_moves_there_is_no_vector(out: Path, tmp_path: Path, answers: list[Answer], reason: str) -> None:
    assert ask(out, tmp_path, answers) == {"files": [], "cells": [], "failed": [{"id": "shift_a@2:shift", "reason": reason}]}


@pytest.mark.parametrize(
    ("answers", "first", "sizes"),
    [
        ([(states(3, 1), states(4, 2))], (0, 0), r"\[3, 128\] and \[4, 128\]"),
        ([(states(4, 1), states(4, 2))], (1, 0), r"\[3, 128\] and \[4, 128\]"),
        ([(states(3, 1), states(3, 2)[:, :64])], (0, 0), r"\[3, 128\] and \[3, 64\]"),
        ([(states(3, 1), states(3, 2)), (states(3, 1)[:, :64], states(3, 2)[:, :64])], (0, 0), r"\[3, 64\] and \[3, 64\]"),
    ],
)
def test_sides_of_other_tokens_or_sizes_are_refused(
    out: Path, tmp_path: Path, answers: list[Answer], first: tuple[int, int], sizes: str
) -> None:
    with pytest.raises(SidecarError, match=f"cell 'shift_a@2:shift': its sides are {sizes}, not of the same tokens"):
        ask(out, tmp_path, answers, first)


def test_damaged_recordings_are_found(out: Path, tmp_path: Path) -> None:
    ref = write_tensor(tmp_path, "damaged", states(3, 1))
    side = {"ref": {**ref, "digest": "0" * 64}, "first": 0}
    request = {"out": str(out), "cells": [{"id": "a", "answers": [{"organism": side, "clean": side}]}]}
    with pytest.raises(SidecarError) as found:
        shift.run(request, Resident(), silent())
    assert found.value.kind == "corrupt"
