"""Reads inputs out of the store, and never hands on a byte that does not hash to what the engine recorded."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import params
from .errors import SidecarError, bad_input
from .shards import WIDTH, digest_of

if TYPE_CHECKING:
    import numpy as np

# Both namings of a dtype are read: torch's, which this protocol uses, and that of a safetensors header.
DTYPES = {"float32": "float32", "float16": "float16", "bfloat16": "bfloat16", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True)
class Ref:
    """A byte range of a store file and the digest its bytes must have; dtype and shape when it is a tensor."""

    path: str
    digest: str
    offset: int
    length: int
    dtype: str | None = None
    shape: tuple[int, ...] | None = None


def parse_ref(value: Mapping[str, Any]) -> Ref:
    """A protocol *ref*. Raises SidecarError of kind `bad-input`."""
    digest = params.text(value, "digest")
    if len(digest) != 64:
        raise bad_input(f"'digest' must be 64 hex digits, not '{digest[:80]}'")
    place = params.text(value, "path"), digest, params.integer(value, "offset", 0), params.integer(value, "length", 0)
    if value.get("dtype") is None:
        return Ref(*place)
    dtype, shape = DTYPES.get(params.text(value, "dtype")), value.get("shape")
    if dtype is None:
        raise bad_input(f"'dtype' must be one of {', '.join(WIDTH)}, not '{value['dtype']}'")
    if not isinstance(shape, list) or not all(isinstance(extent, int) and extent >= 0 for extent in shape):
        raise params.wrong("shape", "a list of whole numbers", shape)
    return Ref(*place, dtype, tuple(shape))


def read_ref(ref: Ref) -> bytes:
    """The bytes of `ref`. Raises SidecarError of kind `corrupt` when they are gone, short or not the recorded ones."""
    try:
        # O_NONBLOCK so that a FIFO in the file's place cannot hold the process.
        descriptor = os.open(ref.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise corrupt(ref, f"cannot be opened ({error.strerror})") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise corrupt(ref, "is not a regular file")
        data = read_range(descriptor, ref.offset, ref.length)
    except OSError as error:
        raise corrupt(ref, f"cannot be read ({error.strerror})") from None
    finally:
        os.close(descriptor)
    if len(data) < ref.length:
        raise corrupt(ref, f"ends after {len(data)} of {ref.length} bytes")
    if digest_of(data) != ref.digest:
        raise corrupt(ref, "does not hash to its digest")
    return data


def read_range(descriptor: int, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`; fewer only when the file ends. One call of the system gives 2 GiB at most."""
    parts: list[bytes] = []
    while length > 0:
        part = os.pread(descriptor, min(length, 1 << 30), offset)
        if not part:
            break
        parts.append(part)
        offset, length = offset + len(part), length - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_float32(ref: Ref) -> np.ndarray:
    """The tensor of `ref` as float32 `[*shape]`; exact, since every float16 and bfloat16 is a float32.

    Raises SidecarError: `corrupt`, or `bad-input` when dtype or shape is missing or contradicts the length.
    """
    import numpy as np

    if ref.dtype is None or ref.shape is None:
        raise bad_input(f"the ref {ref.digest} needs a dtype and a shape")
    expected = WIDTH[ref.dtype]
    for extent in ref.shape:
        expected *= extent
    if expected != ref.length:
        raise bad_input(f"the ref {ref.digest} has {ref.length} bytes, its dtype and shape need {expected}")
    data = read_ref(ref)
    if ref.dtype == "bfloat16":
        # A bfloat16 is the upper half of a float32.
        values = (np.frombuffer(data, "<u2").astype(np.uint32) << np.uint32(16)).view(np.float32)
    else:
        values = np.frombuffer(data, "<f4" if ref.dtype == "float32" else "<f2").astype(np.float32, copy=False)
    return values.reshape(ref.shape)


def corrupt(ref: Ref, what: str) -> SidecarError:
    """The error for bytes that are not what the store recorded; it names the digest, by which the engine finds them."""
    return SidecarError("corrupt", f"object {ref.digest} {what}", ref.digest)
