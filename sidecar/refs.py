"""Reads inputs out of the store, and never hands on a byte that does not hash to what the engine recorded."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import params
from .errors import SidecarError, bad_input
from .shards import SAFETENSORS_NAME, WIDTH, digest_of

if TYPE_CHECKING:
    import numpy as np

# Both namings of a dtype are read: torch's, which this protocol uses, and that of a safetensors header.
DTYPES = {name: name for name in WIDTH} | {short: name for name, short in SAFETENSORS_NAME.items()}


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


def read_ref(ref: Ref) -> bytearray:
    """The bytes of `ref`. Raises SidecarError of kind `corrupt` when they are gone, short or not the recorded ones."""
    data = bytearray(ref.length)
    fill(memoryview(data), ref)
    return data


def fill(data: memoryview, ref: Ref) -> None:
    """Reads `ref` into `data`, which has its length. Raises as `read_ref` does."""
    try:
        # O_NONBLOCK so that a FIFO in the file's place cannot hold the process.
        descriptor = os.open(ref.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise corrupt(ref, f"cannot be opened ({error.strerror})") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise corrupt(ref, "is not a regular file")
        done = read_range(descriptor, ref.offset, data)
    except OSError as error:
        raise corrupt(ref, f"cannot be read ({error.strerror})") from None
    finally:
        os.close(descriptor)
    if done < ref.length:
        raise corrupt(ref, f"ends after {done} of {ref.length} bytes")
    if digest_of(data) != ref.digest:
        raise corrupt(ref, "does not hash to its digest")


def read_range(descriptor: int, offset: int, data: memoryview) -> int:
    """How many bytes from `offset` were read into `data`: all, or fewer when the file ends. One call of the system gives
    2 GiB at most."""
    done = 0
    while done < len(data):
        read = os.preadv(descriptor, [data[done : done + (1 << 30)]], offset + done)
        if read == 0:
            break
        done += read
    return done


def read_float32(ref: Ref) -> np.ndarray:
    """The tensor of `ref` as float32 `[*shape]`. Raises as `Reader.float32` does."""
    return Reader().float32(ref)


class Reader:
    """Reads tensors into memory that it keeps: what it gave is overwritten by what it reads next.

    Memory that is asked for anew each time is zeroed by the kernel page by page, which takes as long as the reading.
    """

    def __init__(self) -> None:
        import numpy as np

        self._read = np.empty(0, np.uint8)
        self._wide = np.empty(0, np.float32)

    def float32(self, ref: Ref) -> np.ndarray:
        """The tensor of `ref` as float32 `[*shape]`; exact, since every float16 and bfloat16 is a float32. Rows of eight-bit
        numbers (int8.py) are decoded: `[tokens, hidden]`.

        Raises SidecarError: `corrupt`, or `bad-input` when dtype or shape is missing or contradicts the length.
        """
        import numpy as np

        if ref.dtype is None or ref.shape is None:
            raise bad_input(f"the ref {ref.digest} needs a dtype and a shape")
        values = math.prod(ref.shape)
        if values * WIDTH[ref.dtype] != ref.length:
            raise bad_input(f"the ref {ref.digest} has {ref.length} bytes, its dtype and shape need {values * WIDTH[ref.dtype]}")
        if ref.length > len(self._read):
            self._read = np.empty(ref.length, np.uint8)
        if values > len(self._wide):
            self._wide = np.empty(values, np.float32)
        data, wide = self._read[: ref.length], self._wide[:values]
        fill(memoryview(data), ref)
        if ref.dtype == "int8":
            return self._from_int8(ref, data)
        if ref.dtype == "bfloat16":
            # A bfloat16 is the upper half of a float32.
            np.multiply(data.view("<u2"), np.uint32(1 << 16), out=wide.view(np.uint32), dtype=np.uint32, casting="unsafe")
        else:
            np.copyto(wide, data.view("<f4" if ref.dtype == "float32" else "<f2"))
        return wide.reshape(ref.shape)

    def _from_int8(self, ref: Ref, data: np.ndarray) -> np.ndarray:
        from .int8 import decode

        try:
            tokens, width = ref.shape or ()
            return decode(data.view("i1").reshape(tokens, width), self._wide)
        except ValueError:
            raise bad_input(f"the ref {ref.digest} of shape {list(ref.shape or ())} is no table of eight-bit states") from None


def corrupt(ref: Ref, what: str) -> SidecarError:
    """The error for bytes that are not what the store recorded; it names the digest, by which the engine finds them."""
    return SidecarError("corrupt", f"object {ref.digest} {what}", ref.digest)
