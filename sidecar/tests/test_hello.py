"""What the sidecar says of a GPU's memory is what its driver's own program says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.methods.hello import cuda_memory
from sidecar.native.memory import host_memory


def driver_says(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> int | None:
    """What is made of an nvidia-smi that runs `script`."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return cuda_memory()


@pytest.mark.parametrize(
    ("script", "bytes_of_it"),
    [
        ("printf '81920\\n40960\\n'", 81920 << 20),  # the first of two
        ("echo '[N/A]'", host_memory()),  # one memory for GPU and host
        ("echo 'No devices were found'", None),
        ("exit 9", None),
        ("true", None),
    ],
)
def test_the_first_gpus_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, bytes_of_it: int | None) -> None:
    assert driver_says(tmp_path, script, monkeypatch) == bytes_of_it


def test_without_the_drivers_program_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cuda_memory() is None
