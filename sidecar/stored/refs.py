"""Reads inputs out of the store, and never hands on a byte that does not hash to what the engine recorded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import SidecarError, bad_input
from ..wire import params
from .shards import SAFETENSORS_NAME, WIDTH, digest_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

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
    with open_file(ref) as file:
        fill(memoryview(data), file, ref)
    check(data, ref)
    return data


@contextmanager
def open_file(ref: Ref) -> Iterator[int]:
    """A descriptor of the file that `ref` lies in. Raises SidecarError of kind `corrupt` when there is none to be had."""
    try:
        # O_NONBLOCK so that a FIFO in the file's place cannot hold the process.
        descriptor = os.open(ref.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise corrupt(ref, f"cannot be opened ({error.strerror})") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise corrupt(ref, "is not a regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def fill(data: memoryview, file: int, ref: Ref) -> None:
    """Reads `ref` out of its open file into `data`, which has its length; whether these are its bytes is for `check` to say.
    Raises SidecarError of kind `corrupt` when they are not to be had."""
    try:
        done = read_range(file, ref.offset, data)
    except OSError as error:
        raise corrupt(ref, f"cannot be read ({error.strerror})") from None
    if done < ref.length:
        raise corrupt(ref, f"ends after {done} of {ref.length} bytes")


def check(data: Buffer, ref: Ref) -> None:
    """Raises SidecarError of kind `corrupt` when `data` are not the bytes that the store recorded."""
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


def corrupt(ref: Ref, what: str) -> SidecarError:
    """The error for bytes that are not what the store recorded; it names the digest, by which the engine finds them."""
    return SidecarError("corrupt", f"object {ref.digest} {what}", ref.digest)
