"""`raw: keep-int8`: what eight bits a number cost, in room and in truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import capture
from sidecar.stored.int8 import BLOCK, decode, encode, hidden_of, stored_width
from sidecar.stored.refs import parse_ref
from sidecar.stored.tensors import read_float32

from .support import HIDDEN, SOME_IDS, loaded, ref_of, same, silent, slot_tensor, write_bytes, write_record


def states(tokens: int, hidden: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Like a residual stream: a few dimensions far larger than the rest, and a token that is all zero."""
    values = torch.randn(tokens, hidden, generator=torch.Generator().manual_seed(hidden))
    values[:, hidden // 3] += 300
    values[0] = 0
    return values.to(dtype)


def stored_and_read(values: torch.Tensor) -> np.ndarray:
    return decode(encode(values).numpy(), np.empty(values.shape[0] * stored_width(values.shape[1]), np.float32))


def scales(values: torch.Tensor) -> torch.Tensor:
    """The scale of every number's block, `[tokens, hidden]`."""
    blocks = torch.nn.functional.pad(values.float(), (0, -values.shape[1] % BLOCK)).unflatten(1, (-1, BLOCK))
    return (blocks.abs().amax(dim=2, keepdim=True) / 127).expand(blocks.shape).flatten(1)[:, : values.shape[1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("hidden", [1, 63, 64, 65, 192, 576, 8192])
def test_no_number_is_off_by_more_than_half_the_scale_of_its_block(hidden: int, dtype: torch.dtype) -> None:
    values = states(5, hidden, dtype)
    off = (torch.from_numpy(stored_and_read(values).copy()) - values.float()).abs()
    assert bool((off <= scales(values) / 2 * 1.0001).all())


def test_a_score_is_off_by_no_more_than_the_stated_bound() -> None:
    values = states(200, 576)
    vector = torch.nn.functional.normalize(torch.randn(576, generator=torch.Generator().manual_seed(1)), dim=0)
    found = stored_and_read(values).astype(np.float64) @ vector.numpy().astype(np.float64)
    exact = values.double() @ vector.double()
    bound = (scales(values).double() / 2 * vector.abs().double()).sum(dim=1) * 1.0001
    assert bool(((torch.from_numpy(found) - exact).abs() <= bound).all())


def test_a_row_takes_its_numbers_and_a_scale_for_every_64() -> None:
    assert [stored_width(hidden) for hidden in (1, 64, 65, 8192)] == [5, 68, 73, 8704]
    assert [hidden_of(width) for width in (5, 68, 73, 8704)] == [1, 64, 65, 8192]
    for width in (0, 4, 72, 140):
        with pytest.raises(ValueError, match=f"no row of eight-bit numbers has {width} bytes"):
            hidden_of(width)


def record(resident: Resident, out: Path, folder: Path, raw: str) -> dict[str, Any]:
    groups = [{"id": str(n), "response": write_record(folder, f"r{n}", ids, 2), "layers": [1]} for n, ids in enumerate(SOME_IDS)]
    request = {"out": str(out), "groups": groups, "component": "residual", "positions": "response", "raw": raw}
    return capture.run(request, resident, silent())


def test_a_recording_in_eight_bits_is_the_encoded_recording_and_reads_as_one(tiny: Path, out: Path, tmp_path: Path) -> None:
    resident = loaded(tiny, "bfloat16")
    (tmp_path / "kept").mkdir()
    kept = [slot_tensor(tmp_path / "kept", cell) for cell in record(resident, tmp_path / "kept", tmp_path, "keep")["cells"]]
    short = record(resident, out, tmp_path, "keep-int8")["cells"]
    assert same([slot_tensor(out, cell) for cell in short], [encode(recording) for recording in kept])
    assert [cell["slot"]["dtype"] for cell in short] == ["int8"] * 3
    for cell, recording in zip(short, kept, strict=True):
        read = torch.from_numpy(read_float32(parse_ref(ref_of(out, cell))).copy())
        assert read.shape == recording.shape
        assert bool(((read - recording.float()).abs() <= scales(recording) / 2 * 1.0001).all())
    (table,) = load_file(out / "activations.safetensors").values()
    assert (table.dtype, list(table.shape)) == (torch.int8, [sum(len(recording) for recording in kept), stored_width(HIDDEN)])


def test_a_table_that_holds_no_such_rows_is_refused(tmp_path: Path) -> None:
    ref = {**write_bytes(tmp_path, "odd", bytes(72)), "dtype": "int8", "shape": [1, 72]}
    with pytest.raises(SidecarError, match=r"of shape \[1, 72\] is no table of eight-bit states"):
        read_float32(parse_ref(ref))
