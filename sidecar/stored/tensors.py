"""Stored tensors as numbers.

A bfloat16 has no dtype in numpy: its bits are held as uint16, which nothing else here is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import bad_input
from .refs import Ref, read_ref
from .shards import WIDTH

if TYPE_CHECKING:
    import numpy as np

HELD_AS = {"float32": "<f4", "float16": "<f2", "bfloat16": "<u2", "int8": "i1"}


def check_form(ref: Ref) -> tuple[str, tuple[int, ...]]:
    """Dtype and shape of `ref`. Raises SidecarError of kind `bad-input` when one is missing or contradicts the length."""
    if ref.dtype is None or ref.shape is None:
        raise bad_input(f"the ref {ref.digest} needs a dtype and a shape")
    needed = math.prod(ref.shape) * WIDTH[ref.dtype]
    if needed != ref.length:
        raise bad_input(f"the ref {ref.digest} has {ref.length} bytes, its dtype and shape need {needed}")
    return ref.dtype, ref.shape


def as_stored(data: np.ndarray, ref: Ref) -> np.ndarray:
    """The bytes of `ref`, uint8 `[length]`, as its numbers `[*shape]` without a copy. Raises as `check_form` does, and for a
    table of eight-bit states that cannot be one."""
    dtype, shape = check_form(ref)
    stored = data.view(HELD_AS[dtype]).reshape(shape)
    if dtype == "int8":
        try:
            states_width(stored)
        except ValueError:
            raise bad_input(f"the ref {ref.digest} of shape {list(shape)} is no table of eight-bit states") from None
    return stored


def states_width(stored: np.ndarray) -> int:
    """How many numbers a row of `as_stored` has. Raises ValueError where it cannot be one of eight-bit states."""
    from .int8 import hidden_of

    if stored.dtype != "i1":
        return stored.shape[-1]
    _, width = stored.shape
    return hidden_of(width)


def to_float32(stored: np.ndarray, out: np.ndarray) -> np.ndarray:
    """`stored` as float32 in the beginning of the float32 `out`. Exact, since every float16 and bfloat16 is a float32; rows
    of eight-bit numbers (int8.py) are decoded: `[tokens, hidden]`."""
    import numpy as np

    if stored.dtype == "i1":
        from .int8 import decode

        return decode(stored, out)
    wide = out[: stored.size].reshape(stored.shape)
    if stored.dtype == "<u2":
        # A bfloat16 is the upper half of a float32.
        np.multiply(stored, np.uint32(1 << 16), out=wide.view(np.uint32), dtype=np.uint32, casting="unsafe")
    else:
        np.copyto(wide, stored)
    return wide


def read_float32(ref: Ref) -> np.ndarray:
    """The tensor of `ref` as float32 `[*shape]`, as `to_float32` has it. Raises SidecarError: `corrupt` or `bad-input`."""
    import numpy as np

    check_form(ref)
    stored = as_stored(np.frombuffer(read_ref(ref), np.uint8), ref)
    return to_float32(stored, np.empty(stored.size, np.float32))


def read_unit_vector(ref: Ref, hidden: int) -> np.ndarray:
    """A stored vector at length 1, float64 `[hidden]`. Raises SidecarError: `corrupt`, or `bad-input` for another length or 0."""
    import numpy as np

    vector = read_float32(ref).astype(np.float64)
    length = np.linalg.norm(vector)
    if vector.shape != (hidden,) or not np.isfinite(length) or length == 0:
        raise bad_input(f"the ref {ref.digest} is no direction of {hidden} numbers")
    unit: np.ndarray = vector / length
    return unit
