"""Scores of a pass that stores nothing are those of stored recordings, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import capture, project, score

from .support import HIDDEN, LAYERS, SOME_IDS, check_files, loaded, ref_of, silent, write_record, write_tensor

PROMPT_END = 2


def responses(folder: Path) -> list[dict[str, Any]]:
    return [write_record(folder, f"r{index}", ids, PROMPT_END) for index, ids in enumerate(SOME_IDS)]


def some_vectors(folder: Path) -> list[dict[str, Any]]:
    made = [torch.randn(HIDDEN, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]
    return [write_tensor(folder, f"v{index}", vector) for index, vector in enumerate(made)]


def ask(
    resident: Resident, out: Path, refs: list[Any], vectors: list[Any], cells: list[tuple[int, int, int]], positions: str = "response"
) -> dict[str, Any]:
    """Scores of `cells`: response, layer, vector."""
    request = {
        "out": str(out),
        "labels": {"organism": "alpha"},
        "responses": [{"response": ref, "labels": {"prompt_id": f"p{index}"}} for index, ref in enumerate(refs)],
        "vectors": [{"ref": ref, "labels": {"trait": f"t{index}"}} for index, ref in enumerate(vectors)],
        "component": "residual",
        "positions": positions,
        "cells": [{"id": f"{r}@{layer}:{v}", "response": r, "layer": layer, "vector": v, "offset": 0.5} for r, layer, v in cells],
    }
    return score.run(request, resident, silent())


def through_recordings(
    resident: Resident, folder: Path, refs: list[Any], vectors: list[Any], cells: list[tuple[int, int, int]], positions: str
) -> dict[str, Any]:
    """The same cells by `capture` and `project`."""
    layers = sorted({layer for _, layer, _ in cells})
    recorded, projected = folder / "recorded", folder / "projected"
    recorded.mkdir()
    projected.mkdir()
    groups = [{"id": str(index), "response": ref, "layers": layers} for index, ref in enumerate(refs)]
    made = capture.run({"out": str(recorded), "groups": groups, "component": "residual", "raw": "keep", "positions": positions}, resident, silent())
    activations = [{"ref": ref_of(recorded, cell), "labels": {"prompt_id": f"p{cell['id'].split('@')[0]}"}} for cell in made["cells"]]
    at = {cell["id"]: index for index, cell in enumerate(made["cells"])}
    request = {
        "out": str(projected),
        "labels": {"organism": "alpha"},
        "activations": activations,
        "vectors": [{"ref": ref, "labels": {"trait": f"t{index}"}} for index, ref in enumerate(vectors)],
        "cells": [{"id": f"{r}@{layer}:{v}", "activation": at[f"{r}@{layer}"], "vector": v, "offset": 0.5} for r, layer, v in cells],
    }
    return project.run(request, resident, silent())


def without_place(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells by what they are; rows lie in the order in which states came."""
    return [{**cell, "slot": cell["slot"]["rows"]} for cell in cells]


EVERY = [(response, layer, vector) for response in range(len(SOME_IDS)) for layer in (0, LAYERS - 1) for vector in range(3)]


@pytest.mark.parametrize("positions", ["response", "all"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_they_are_those_of_recordings_that_are_stored_and_projected(
    tiny: Path, out: Path, tmp_path: Path, dtype: str, positions: str
) -> None:
    resident = loaded(tiny, dtype)
    refs, vectors = responses(tmp_path), some_vectors(tmp_path)
    found = ask(resident, out, refs, vectors, EVERY, positions)
    stored = through_recordings(resident, tmp_path, refs, vectors, EVERY, positions)
    assert without_place(found["cells"]) == without_place(stored["cells"])
    check_files(out, found)
    assert [path.name for path in out.iterdir()] == ["scores.parquet"]


def test_a_response_is_read_to_the_deepest_layer_that_is_wanted_of_it(resident: Resident, out: Path, tmp_path: Path) -> None:
    reached: list[int] = []
    handles = [
        block.register_forward_pre_hook(lambda *_, layer=layer: reached.append(layer)) for layer, block in enumerate(resident.base.blocks)
    ]
    try:
        ask(resident, out, responses(tmp_path), some_vectors(tmp_path), [(0, 1, 0), (0, 1, 2)])
    finally:
        for handle in handles:
            handle.remove()
    assert max(reached) == 1


def test_rows_carry_the_labels_of_their_response_and_vector(resident: Resident, out: Path, tmp_path: Path) -> None:
    found = ask(resident, out, responses(tmp_path), some_vectors(tmp_path), [(1, 0, 2)])
    rows = pq.read_table(out / "scores.parquet").to_pylist()
    assert [(row["organism"], row["prompt_id"], row["trait"], row["position"]) for row in rows] == [
        ("alpha", "p1", "t2", position) for position in range(len(SOME_IDS[1]) - PROMPT_END)
    ]
    assert found["cells"][0]["facts"] == {"tokens": len(SOME_IDS[1]) - PROMPT_END}


def test_a_vector_without_direction_fails_alone(resident: Resident, out: Path, tmp_path: Path) -> None:
    vectors = [*some_vectors(tmp_path), write_tensor(tmp_path, "zero", torch.zeros(HIDDEN))]
    found = ask(resident, out, responses(tmp_path), vectors, [(0, 1, 0), (0, 1, 3)])
    assert [cell["id"] for cell in found["cells"]] == ["0@1:0"]
    assert found["failed"] == [{"id": "0@1:3", "reason": "its vector is zero or not finite: it has no direction"}]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ((9, 0, 0), "cell '9@0:0' points past the 3 responses or 3 vectors of the request"),
        ((0, 0, 3), "cell '0@0:3' points past the 3 responses or 3 vectors of the request"),
        ((0, LAYERS, 0), f"layer {LAYERS} is not one of the model's {LAYERS}"),
    ],
)
def test_what_does_not_fit_is_refused(resident: Resident, out: Path, tmp_path: Path, cell: tuple[int, int, int], said: str) -> None:
    with pytest.raises(SidecarError) as refused:
        ask(resident, out, responses(tmp_path)[:3], some_vectors(tmp_path), [cell])
    assert (refused.value.kind, str(refused.value)) == ("bad-input", said)


def test_a_vector_of_another_model_is_refused(resident: Resident, out: Path, tmp_path: Path) -> None:
    vectors = [write_tensor(tmp_path, "short", torch.ones(HIDDEN - 1))]
    with pytest.raises(SidecarError, match=f"a vector of {HIDDEN - 1} values does not fit activations of shape"):
        ask(resident, out, responses(tmp_path), vectors, [(0, 0, 0)])
