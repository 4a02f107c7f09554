"""Shard files: hashed while they are written, on the disk before they are named in an answer.

A shard appears in the request's staging folder under its final name; only the engine moves it into the store.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from ..errors import bad_input

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from typing_extensions import Buffer

# safetensors' names of the dtypes that cross the wire under torch's names.
SAFETENSORS_NAME = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "int8": "I8"}
WIDTH = {"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
WORTH_A_THREAD = 1 << 20  # bytes: hashed on another thread while they are written


@cache
def beside() -> ThreadPoolExecutor:
    """The thread that hashes."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)


def digest_of(data: Buffer) -> str:
    """64 hex digits of BLAKE3-256."""
    return blake3(data).hexdigest()


class ShardWriter:
    """A file-like writer of one shard. Use as a context manager and call `finish` inside it.

    Left without `finish`, the unfinished file is removed. Raises SidecarError of kind `bad-input` when the staging
    folder is missing or already holds a file of that name.
    """

    def __init__(self, folder: str, name: str) -> None:
        self.name = name
        self.offset = 0  # bytes written so far
        self._path = Path(folder) / name
        self._hash = blake3()
        self._finished = False
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._path, flags, 0o644), "wb", buffering=0)
        except FileExistsError:
            raise bad_input(f"'out' already holds {name}: every request needs a staging folder of its own") from None
        except (FileNotFoundError, NotADirectoryError):
            raise bad_input("'out' is not an existing folder") from None

    def write(self, data: Buffer) -> int:
        """Appends and hashes `data`, and returns its length in bytes."""
        view = memoryview(data).cast("B")
        if len(view) < WORTH_A_THREAD:
            self._append(view)
            self._hash.update(view)
        else:
            hashed = beside().submit(self._hash.update, view)  # neither it nor writing holds the interpreter's lock
            try:
                self._append(view)
            finally:
                hashed.result()
        self.offset += len(view)
        return len(view)

    def _append(self, view: memoryview) -> None:
        written = 0
        while written < len(view):
            written += self._file.write(view[written:]) or 0

    def tell(self) -> int:
        """The offset of the next byte, for writers that expect a file."""
        return self.offset

    def flush(self) -> None:
        """Nothing is held back; for writers that expect a file."""

    @property
    def closed(self) -> bool:
        """Whether the file is closed, for writers that expect a file."""
        return self._file.closed

    def finish(self) -> dict[str, Any]:
        """Makes the file durable and returns its protocol *file*: name, digest and bytes.

        The fsync goes through the descriptor that wrote: another one may not see this one's write errors.
        """
        os.fsync(self._file.fileno())
        self._file.close()
        self._finished = True
        return {"name": self.name, "digest": self._hash.hexdigest(), "bytes": self.offset}

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._finished:
            self._file.close()
            self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class TensorPlace:
    """A tensor that will be in a shard: torch's dtype name and the shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        """Bytes of the tensor's data."""
        size = WIDTH[self.dtype]
        for extent in self.shape:
            size *= extent
        return size


def safetensors_header(tensors: Sequence[TensorPlace]) -> bytes:
    """Everything before the data of a safetensors file whose tensors follow in this order without gaps.

    8 bytes little-endian length, then the JSON header padded with spaces to 8 bytes (the format's own description).
    """
    header: dict[str, Any] = {}
    end = 0
    for tensor in tensors:
        begin, end = end, end + tensor.length
        header[tensor.name] = {
            "dtype": SAFETENSORS_NAME[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def tensor_slot(file: str, dtype: str, shape: Sequence[int], offset: int, length: int) -> dict[str, Any]:
    """The protocol's *slot* of a tensor: `offset` and `length` in bytes of the whole file."""
    return {"file": file, "format": "tensor", "dtype": dtype, "shape": list(shape), "offset": offset, "length": length}
