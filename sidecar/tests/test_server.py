"""Every failure becomes one answer of a kind the engine knows."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from sidecar.errors import is_out_of_memory
from sidecar.server import describe

from .engine import Sidecar
from .support import write_tensor


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (MemoryError(), "out-of-memory", "MemoryError"),
        (torch.OutOfMemoryError("CUDA out of memory\nlong report"), "out-of-memory", "CUDA out of memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full", "[Errno 28] No space left on device"),
        (OSError(errno.EIO, "Input/output error"), "internal", "OSError: [Errno 5] Input/output error"),
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


@pytest.fixture
def little_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 kB."""
    if os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_shard_that_the_disk_cannot_hold_is_a_full_disk_and_leaves_nothing_behind(little_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    stored = tmp_path_factory.mktemp("stored")
    rows, width = 20_000, 4
    activation = write_tensor(stored, "a", torch.ones(rows, width))
    vector = write_tensor(stored, "v", torch.rand(width))
    cells = [{"id": "c", "activation": 0, "vector": 0, "offset": 0.5}]
    items = [[{"ref": ref, "labels": {}}] for ref in (activation, vector)]
    with Sidecar() as sidecar:
        error = sidecar.error("project", out=str(little_disk), labels={}, activations=items[0], vectors=items[1], cells=cells)
        assert (error["data"]["kind"], error["message"]) == ("disk-full", "[Errno 28] No space left on device")
        assert list(little_disk.iterdir()) == []
        assert sidecar.call("hello", protocol=1)["protocol"] == 1
