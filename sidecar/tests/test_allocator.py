"""Freed memory stays for the next tensor, until it is given back."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from .engine import ROOT

LARGE = 64 << 20  # bytes
STORY = f"""
from sidecar.native.allocator import give_freed_memory_back, keep_freed_memory
from sidecar.native.memory import STATUS, read_fields

def grown():
    return read_fields(STATUS)["VmRSS"] * 1024 - start > {LARGE} // 2

def written_and_freed():
    block = bytearray(b"a") * {LARGE}
    del block
    return grown()

start = read_fields(STATUS)["VmRSS"] * 1024
story = [written_and_freed()]
keep_freed_memory(True)
story += [written_and_freed()]
give_freed_memory_back()
story += [grown()]
keep_freed_memory(False)
print(*story, written_and_freed())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="this C library is not glibc")
def test_a_freed_block_stays_while_it_is_to_be_kept_and_until_it_is_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", STORY], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.split() == ["False", "True", "False", "False"]
