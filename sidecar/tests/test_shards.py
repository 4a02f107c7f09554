"""A shard is whole, hashed as it was written and where its slots say, or it is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from sidecar.errors import SidecarError
from sidecar.stored.shards import WORTH_A_THREAD, ShardWriter, TensorPlace, digest_of, safetensors_header

from .engine import ROOT

# Fills a shard beyond what the process may write, as on a full disk.
OVERFLOW = """
import resource, sys
from sidecar.stored.shards import ShardWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with ShardWriter(sys.argv[1], "shard") as shard:
        shard.write(bytes(900))
        shard.write(bytes(int(sys.argv[2])))
        shard.finish()
except OSError as error:
    print(type(error).__name__, error.errno)
"""


def test_a_finished_shard_is_what_was_written(out: Path) -> None:
    with ShardWriter(str(out), "shard") as shard:
        shard.write(b"one")
        assert shard.offset == 3
        shard.write(torch.arange(3, dtype=torch.int32).numpy())
        file = shard.finish()
    data = (out / "shard").read_bytes()
    assert data == b"one" + bytes([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])
    assert file == {"name": "shard", "digest": digest_of(data), "bytes": 15}


def test_large_parts_are_hashed_in_the_order_in_which_they_were_written(out: Path) -> None:
    parts = [bytes([index]) * size for index, size in enumerate((3, WORTH_A_THREAD, 5, 3 * WORTH_A_THREAD, WORTH_A_THREAD - 1))]
    with ShardWriter(str(out), "shard") as shard:
        for part in parts:
            shard.write(part)
        file = shard.finish()
    data = (out / "shard").read_bytes()
    assert data == b"".join(parts) and file == {"name": "shard", "digest": digest_of(data), "bytes": len(data)}


def test_a_shard_left_before_its_end_is_removed(out: Path) -> None:
    with pytest.raises(ZeroDivisionError), ShardWriter(str(out), "shard") as shard:
        shard.write(b"half")
        _ = 1 / 0
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("size", [900, WORTH_A_THREAD])
def test_a_write_that_fails_leaves_no_shard_and_no_answer(out: Path, size: int) -> None:
    found = subprocess.run([sys.executable, "-c", OVERFLOW, str(out), str(size)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "OSError 27\n"
    assert list(out.iterdir()) == []


def test_a_link_in_the_shards_place_is_not_followed(out: Path, tmp_path: Path) -> None:
    (out / "shard").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SidecarError, match="already holds shard"):
        ShardWriter(str(out), "shard")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("names", [["a"], ["z", "a", "m"], ["trait/ü@20:probe", 'with "quotes"']])
def test_the_header_is_one_the_library_reads_and_the_offsets_are_absolute(names: list[str]) -> None:
    tensors = {name: torch.randn(index + 2, 3).to(torch.bfloat16) for index, name in enumerate(names)}
    data = safetensors_header([TensorPlace(name, "bfloat16", tuple(value.shape)) for name, value in tensors.items()])
    assert len(data) % 8 == 0
    for value in tensors.values():
        data += value.view(torch.uint8).numpy().tobytes()
    found = load(data)
    assert sorted(found) == sorted(names)
    assert all(torch.equal(found[name], value) for name, value in tensors.items())
