"""Every failure becomes one answer of a kind the engine knows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sidecar.errors import is_out_of_memory
from sidecar.server import describe

from .engine import Sidecar


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (MemoryError(), "out-of-memory", "MemoryError"),
        (torch.OutOfMemoryError("CUDA out of memory\nlong report"), "out-of-memory", "CUDA out of memory"),
        (RuntimeError("shapes do not match\nmore"), "internal", "RuntimeError: shapes do not match"),
        (AssertionError("a@1: 299 rows for 300 tokens"), "internal", "AssertionError: a@1: 299 rows for 300 tokens"),
    ],
)
def test_a_failure_nobody_foresaw_has_the_kind_the_engine_acts_on(error: Exception, kind: str, text: str) -> None:
    described = describe(error)
    assert (described.kind, str(described)) == (kind, text)


def test_a_real_allocation_that_fails_is_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 58)
    assert is_out_of_memory(caught.value)


def test_a_failure_nobody_foresaw_carries_its_trace_and_the_next_request_works(tmp_path: Path) -> None:
    impossible = [{"ref": {"path": "\0", "digest": "0" * 64, "offset": 0, "length": 4, "dtype": "float32", "shape": [1]}, "labels": {}}]
    cells = [{"id": "c", "activation": 0, "vector": 0, "offset": 0}]
    with Sidecar() as sidecar:
        error = sidecar.error("project", out=str(tmp_path), labels={}, activations=impossible, vectors=impossible, cells=cells)
        assert (error["data"]["kind"], error["message"]) == ("internal", "ValueError: embedded null byte")
        assert "Traceback" in error["data"]["trace"]
        assert sidecar.call("hello", protocol=1)["protocol"] == 1
