"""Products of stored states with unit vectors.

States are not widened to float32 as a whole but some rows at a time, while these are in the processor's cache. Where
bfloat16 numbers lie in pairs in words of 32 bits, the first of each pair is made a float32 by a shift and the second by a
mask, which are several times as fast as a conversion number by number; the products of both halves are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .errors import bad_input
from .scratch import Memory
from .tensors import states_width, to_float32

# OpenBLAS multiplies matrices of fewer multiplications than this as they are, and copies those of larger ones first, which
# costs more than the product with a few vectors does.
SMALL_PRODUCT = 1_000_000
FEWEST_ROWS = 12  # below, a product is slower than one that copies
WIDE = 1 << 19  # float32 numbers that are held at once


@dataclass(frozen=True)
class Matrix:
    """Unit vectors side by side, float32 `[hidden, vectors]`; `first` and `second` are its even and its odd rows."""

    whole: np.ndarray
    first: np.ndarray
    second: np.ndarray


class Directions:
    """Unit vectors by their position in a request; None for those that have no direction."""

    def __init__(self, units: Mapping[int, np.ndarray | None]) -> None:
        self._units = units
        self._stacked: dict[tuple[int, ...], Matrix] = {}

    def has(self, vector: int) -> bool:
        """Whether the vector has a direction."""
        return self._units[vector] is not None

    def of(self, vectors: tuple[int, ...]) -> Matrix:
        """The matrix of these vectors, all of which have a direction. Raises SidecarError of kind `bad-input` for vectors of
        different models."""
        found = self._stacked.get(vectors)
        if found is None:
            units = [unit for vector in vectors if (unit := self._units[vector]) is not None]
            if len({len(unit) for unit in units}) > 1:
                raise bad_input(f"the vectors of a request differ in length: {sorted({len(unit) for unit in units})}")
            self._stacked[vectors] = found = matrix_of(units)
        return found


def matrix_of(units: Sequence[np.ndarray]) -> Matrix:
    """The matrix of vectors `[hidden]` of one length."""
    whole = np.stack(units, axis=1)
    return Matrix(whole, np.ascontiguousarray(whole[0::2]), np.ascontiguousarray(whole[1::2]))


def along(stored: np.ndarray, matrix: Matrix, memory: Memory) -> np.ndarray:
    """`h · v` in float32, `[tokens, vectors]`, of states as `as_stored` has them, `[tokens, hidden]`."""
    hidden, vectors = matrix.whole.shape
    tokens = len(stored)
    paired = stored.dtype == "<u2" and hidden % 2 == 0
    width = hidden // 2 if paired else hidden
    rows = rows_at_once(width, vectors)
    wide = memory.floats(min(rows, tokens) * width)
    products = np.empty((tokens, vectors), np.float32)
    with np.errstate(all="ignore"):  # what overflows is found by whoever looks at the scores
        for begin in range(0, tokens, rows):
            part, into = stored[begin : begin + rows], products[begin : begin + rows]
            if paired:
                pairs = part.view("<u4")
                half = wide[: pairs.size].reshape(pairs.shape)
                np.left_shift(pairs, np.uint32(16), out=half.view(np.uint32))
                np.matmul(half, matrix.first, out=into)
                np.bitwise_and(pairs, np.uint32(0xFFFF0000), out=half.view(np.uint32))
                into += half @ matrix.second
            else:
                np.matmul(part if part.dtype == np.float32 else to_float32(part, wide), matrix.whole, out=into)
    return products


def rows_at_once(width: int, vectors: int) -> int:
    """How many rows of `width` numbers are multiplied at once."""
    small = SMALL_PRODUCT // (width * vectors)
    return max(1, min(small if small >= FEWEST_ROWS else 4096, WIDE // width))


def fits(stored: np.ndarray, matrix: Matrix) -> bool:
    """Whether states have as many numbers as the vectors."""
    return stored.ndim == 2 and states_width(stored) == matrix.whole.shape[0]
