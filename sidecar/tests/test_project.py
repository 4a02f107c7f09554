"""Scores are the length of an activation along a vector, of exactly the bytes the store recorded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import project
from sidecar.stored import scores, stream
from sidecar.stored.refs import parse_ref
from sidecar.stored.scratch import Memory
from sidecar.stored.shards import digest_of
from sidecar.vectors.products import Matrix, along, along_tiles, matrix_of

from .support import check_files, silent, write_tensor

HIDDEN = 192
OPENED: list[str] = []  # every file this process opens
sys.addaudithook(lambda event, details: OPENED.append(str(details[0])) if event == "open" else None)


def states(rows: int, seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Activations like a residual stream's: one dimension far larger than the rest."""
    values = torch.randn(rows, HIDDEN, generator=torch.Generator().manual_seed(seed))
    values[:, 7] += 300
    return values.to(dtype)


def ask(
    out: Path,
    activations: list[Any],
    vectors: list[Any],
    cells: list[tuple[int, int]],
    offset: float = 0.0,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    request = {
        "out": str(out),
        "labels": labels or {},
        "activations": [{"ref": ref, "labels": {"prompt": f"p{index}", "layer": "20"}} for index, ref in enumerate(activations)],
        "vectors": [{"ref": ref, "labels": {"trait": f"t{index}"}} for index, ref in enumerate(vectors)],
        "cells": [{"id": f"{a}/{v}", "activation": a, "vector": v, "offset": offset} for a, v in cells],
    }
    return project.run(request, Resident(), silent())


def column(out: Path, cell: dict[str, Any], name: str = "score") -> list[Any]:
    table = pq.read_table(out / cell["slot"]["file"]).slice(cell["slot"]["row"], cell["slot"]["rows"])
    return list(table[name].to_pylist())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_scores_equal_a_float64_reference(out: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    activations = [states(rows, rows, dtype) for rows in (40, 1, 300)]
    vectors = [torch.randn(HIDDEN, generator=torch.Generator().manual_seed(seed)) * 10**seed for seed in range(3)]
    cells = [(a, v) for v in range(3) for a in range(3) if (a, v) != (1, 2)]
    result = ask(
        out,
        [write_tensor(tmp_path, f"a{index}", value) for index, value in enumerate(activations)],
        [write_tensor(tmp_path, f"v{index}", value) for index, value in enumerate(vectors)],
        cells,
        offset=1.5,
    )
    check_files(out, result)
    assert [cell["id"] for cell in result["cells"]] == [f"{a}/{v}" for a, v in cells]
    for (a, v), cell in zip(cells, result["cells"], strict=True):
        unit = vectors[v].double() / vectors[v].double().norm()
        wanted = (activations[a].double() @ unit - 1.5).numpy()
        found = np.array(column(out, cell), np.float32)
        scale = float(activations[a].double().norm(dim=1).max())
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6 * scale)
        assert cell["digest"] == digest_of(found.astype("<f4").tobytes())
        assert cell["facts"] == {"tokens": len(activations[a])}


def test_rows_of_a_cell_carry_its_labels_and_count_its_tokens(out: Path, tmp_path: Path) -> None:
    activations = [write_tensor(tmp_path, f"a{index}", states(rows, index)) for index, rows in enumerate((3, 2))]
    vectors = [write_tensor(tmp_path, "v", states(1, 9)[0])]
    result = ask(out, activations, vectors, [(1, 0), (0, 0)], labels={"experiment": "night"})
    first, second = result["cells"]
    assert first["slot"] == {"file": "scores.parquet", "format": "parquet", "row": 3, "rows": 2}  # as its activation was read
    assert second["slot"] == {"file": "scores.parquet", "format": "parquet", "row": 0, "rows": 3}
    for cell, prompt, rows in ((first, "p1", 2), (second, "p0", 3)):
        assert column(out, cell, "position") == list(range(rows))
        assert [column(out, cell, name) for name in ("prompt", "trait", "experiment")] == [[prompt] * rows, ["t0"] * rows, ["night"] * rows]
    schema = pq.read_schema(out / "scores.parquet")
    assert {name: str(schema.field(name).type) for name in ("layer", "position", "score")} == {
        "layer": "int32",
        "position": "int32",
        "score": "float",
    }


def test_scores_are_stored_plain_and_strings_once(out: Path, tmp_path: Path) -> None:
    ask(out, [write_tensor(tmp_path, "a", states(500, 1))], [write_tensor(tmp_path, "v", states(1, 2)[0])], [(0, 0)])
    group = pq.ParquetFile(out / "scores.parquet").metadata.row_group(0)
    columns = {group.column(index).path_in_schema: group.column(index) for index in range(group.num_columns)}
    assert "PLAIN" in columns["score"].encodings and columns["score"].has_dictionary_page is False
    assert all(columns[name].has_dictionary_page for name in ("prompt", "trait"))
    assert {name: columns[name].compression for name in ("prompt", "trait", "position")} == dict.fromkeys(("prompt", "trait", "position"), "SNAPPY")
    assert columns["score"].compression == "UNCOMPRESSED"  # it would be no shorter


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
@pytest.mark.parametrize("which", ["activation", "vector"])
def test_a_damaged_input_is_refused_as_corrupt_and_named(out: Path, tmp_path: Path, damage: str, which: str) -> None:
    refs = {"activation": write_tensor(tmp_path, "a", states(5, 1)), "vector": write_tensor(tmp_path, "v", states(1, 2)[0])}
    path = Path(refs[which]["path"])
    data = bytearray(path.read_bytes())
    data[refs[which]["offset"] + 17] ^= 64
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(data if damage == "flip" else data[:30])
    with pytest.raises(SidecarError) as caught:
        ask(out, [refs["activation"]], [refs["vector"]], [(0, 0)])
    assert (caught.value.kind, caught.value.digest) == ("corrupt", refs[which]["digest"])
    assert list(out.iterdir()) == []


def test_a_vector_without_direction_and_an_infinite_activation_fail_alone(out: Path, tmp_path: Path) -> None:
    broken = states(4, 3)
    broken[2, 5] = float("inf")
    activations = [write_tensor(tmp_path, "a0", states(4, 1)), write_tensor(tmp_path, "a1", broken)]
    nan = states(1, 4)[0]
    nan[0] = float("nan")
    vectors = [
        write_tensor(tmp_path, "v0", states(1, 2)[0]),
        write_tensor(tmp_path, "v1", torch.zeros(HIDDEN)),
        write_tensor(tmp_path, "v2", nan),
    ]
    result = ask(out, activations, vectors, [(0, 0), (0, 1), (1, 0), (0, 2)])
    assert [cell["id"] for cell in result["cells"]] == ["0/0"]
    assert [failure["id"] for failure in result["failed"]] == ["0/1", "1/0", "0/2"]
    assert result["failed"][1]["reason"] == "1 of 4 scores are not finite"


@pytest.mark.parametrize(
    ("vector", "cells", "labels", "message"),
    [
        (torch.ones(HIDDEN // 2), [(0, 0)], {}, "does not fit activations of shape"),
        (torch.ones(HIDDEN, 1), [(0, 0)], {}, r"not \[hidden\]"),
        (torch.ones(HIDDEN), [(0, 1)], {}, "points past"),
        (torch.ones(HIDDEN), [(0, 0)], {"trait": "other"}, "'trait' is both 'other' and 't0'"),
        (torch.ones(HIDDEN), [(0, 0)], {"score": "x"}, "name of a column"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    out: Path, tmp_path: Path, vector: torch.Tensor, cells: list[tuple[int, int]], labels: dict[str, str], message: str
) -> None:
    with pytest.raises(SidecarError, match=message) as caught:
        ask(out, [write_tensor(tmp_path, "a", states(5, 1))], [write_tensor(tmp_path, "v", vector)], cells, labels=labels)
    assert caught.value.kind == "bad-input"


def test_a_ref_whose_shape_contradicts_its_length_is_refused(out: Path, tmp_path: Path) -> None:
    ref = {**write_tensor(tmp_path, "a", states(5, 1)), "shape": [6, HIDDEN]}
    with pytest.raises(SidecarError, match="its dtype and shape need"):
        ask(out, [ref], [write_tensor(tmp_path, "v", states(1, 2)[0])], [(0, 0)])


def test_a_label_that_only_some_cells_have_is_null_for_the_others(out: Path, tmp_path: Path) -> None:
    refs = [write_tensor(tmp_path, f"a{index}", states(2, index)) for index in range(2)]
    request = {
        "out": str(out),
        "labels": {},
        "activations": [{"ref": refs[0], "labels": {"prompt": "p0", "note": "odd"}}, {"ref": refs[1], "labels": {"prompt": "p1"}}],
        "vectors": [{"ref": write_tensor(tmp_path, "v", states(1, 9)[0]), "labels": {}}],
        "cells": [{"id": str(index), "activation": index, "vector": 0, "offset": 0} for index in range(2)],
    }
    project.run(request, Resident(), silent())
    rows = pq.read_table(out / "scores.parquet").to_pylist()
    assert [(row["prompt"], row["note"]) for row in rows] == [("p0", "odd")] * 2 + [("p1", None)] * 2


def test_scores_of_many_rows_are_written_as_they_come_and_found_by_their_slots(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "ROWS_AT_ONCE", 50)
    activations = [states(rows, rows) for rows in (20, 1, 45, 30, 7)]
    vectors = [states(1, seed)[0] for seed in (1, 2)]
    result = ask(
        out,
        [write_tensor(tmp_path, f"a{index}", value) for index, value in enumerate(activations)],
        [write_tensor(tmp_path, f"v{index}", value) for index, value in enumerate(vectors)],
        [(a, v) for a in (3, 0, 4, 2, 1) for v in (1, 0)],
    )
    assert pq.ParquetFile(out / "scores.parquet").metadata.num_row_groups == 3
    for cell in result["cells"]:
        a, v = (int(number) for number in cell["id"].split("/"))
        wanted = (activations[a].double() @ (vectors[v].double() / vectors[v].double().norm())).numpy()
        np.testing.assert_allclose(column(out, cell), wanted, rtol=1e-4, atol=1e-6 * 3000)
        assert column(out, cell, "prompt") == [f"p{a}"] * len(wanted)


Products = Callable[[np.ndarray, Matrix, Memory], np.ndarray]
WAYS = pytest.mark.parametrize("products", [along, along_tiles])


@WAYS
@pytest.mark.parametrize("vectors", [1, 3, 17, 60])
@pytest.mark.parametrize(("tokens", "hidden"), [(300, 576), (5, 8192), (211, 2049)])
def test_many_and_few_vectors_of_narrow_and_wide_models_keep_to_the_reference(
    tokens: int, hidden: int, vectors: int, products: Products
) -> None:
    generator = torch.Generator().manual_seed(vectors)
    stored = torch.randn(tokens, hidden, generator=generator).bfloat16()
    stored[:, 7] += 300
    units = torch.nn.functional.normalize(torch.randn(vectors, hidden, generator=generator, dtype=torch.float64), dim=1)
    found = products(stored.view(torch.int16).numpy().view("<u2"), matrix_of(list(units.float().numpy())), Memory())
    scale = float(stored.double().norm(dim=1).max())
    np.testing.assert_allclose(found, (units @ stored.double().T).numpy(), rtol=1e-4, atol=1e-6 * scale)


@WAYS
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("hidden", [64, 576, 2049, 8192])
def test_a_score_is_bit_for_bit_the_same_whatever_is_projected_beside_it(hidden: int, dtype: torch.dtype, products: Products) -> None:
    generator = torch.Generator().manual_seed(hidden)
    states = torch.randn(300, hidden, generator=generator).to(dtype)
    stored = states.view(torch.int16).numpy().view("<u2") if dtype == torch.bfloat16 else states.numpy()
    units = list(torch.nn.functional.normalize(torch.randn(40, hidden, generator=generator), dim=1).numpy())
    together = products(stored, matrix_of(units), Memory())
    for tokens in (slice(0, 300), slice(0, 1), slice(5, 6), slice(3, 20), slice(100, 217), slice(0, 299), slice(7, 7)):
        for vectors in (slice(0, 1), slice(0, 2), slice(1, 3), slice(3, 7), slice(5, 22), slice(2, 35)):
            alone = products(stored[tokens], matrix_of(units[vectors]), Memory())
            assert np.array_equal(alone, together[vectors, tokens])


def test_activations_are_read_in_the_order_in_which_they_lie_on_the_disk(tmp_path: Path) -> None:
    refs = []
    for name in ("b", "a"):
        data = np.arange(6, dtype=np.float32).tobytes()
        (tmp_path / name).write_bytes(data)
        for offset in (16, 0):
            part = data[offset : offset + 8]
            place = {"path": str(tmp_path / name), "digest": digest_of(part), "offset": offset, "length": 8}
            refs.append(parse_ref({**place, "dtype": "float32", "shape": [1, 2]}))
    before = len(OPENED)
    found = list(stream.each(refs, lambda index, stored, memory: stored.tolist()))
    assert found == [(3, [[0.0, 1.0]]), (2, [[4.0, 5.0]]), (1, [[0.0, 1.0]]), (0, [[4.0, 5.0]])]
    assert [Path(path).name for path in OPENED[before:] if str(tmp_path) in path] == ["a", "b"]


def test_every_input_is_read_once(out: Path, tmp_path: Path) -> None:
    activations = [write_tensor(tmp_path, f"a{index}", states(4, index)) for index in range(3)]
    vectors = [write_tensor(tmp_path, f"v{index}", states(1, 9 + index)[0]) for index in range(4)]
    before = len(OPENED)
    ask(out, activations, vectors, [(a, v) for v in range(4) for a in range(3)])
    inputs = {ref["path"] for ref in activations + vectors}
    assert sorted(path for path in OPENED[before:] if path in inputs) == sorted(inputs)


def test_projecting_imports_neither_torch_nor_transformers() -> None:
    code = "import sys, sidecar.methods.project, sidecar.server; print({'torch', 'transformers', 'peft', 'sklearn'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert found.stdout.strip() == "set()"


def test_vectors_of_two_models_in_one_request_are_refused(out: Path, tmp_path: Path) -> None:
    vectors = [write_tensor(tmp_path, "v0", torch.ones(HIDDEN)), write_tensor(tmp_path, "v1", torch.ones(2 * HIDDEN))]
    with pytest.raises(SidecarError, match=rf"differ in length: \[{HIDDEN}, {2 * HIDDEN}\]") as caught:
        ask(out, [write_tensor(tmp_path, "a", states(5, 1))], vectors, [(0, 0), (0, 1)])
    assert caught.value.kind == "bad-input"
