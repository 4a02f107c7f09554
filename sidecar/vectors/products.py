"""Products of stored states with unit vectors: in one pass over bfloat16 states where that is compiled for this CPU
(sidecar/native/projections.py), else by numpy.

A score depends on its state and its vector alone, to the last bit, and not on what is projected beside it. How a matrix
product of numpy sums depends on its shape: all have one, `ROWS` states with `COLUMNS` vectors, the last ones filled up.

States are not widened to float32 as a whole but some rows at a time, while these are in the processor's cache. Where
bfloat16 numbers lie in pairs in words of 32 bits, the first of each pair is made a float32 by a shift and the second by a
mask, which are several times as fast as a conversion number by number; the products of both halves are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import bad_input
from ..native.projections import Packed, packed, project
from ..stored.scratch import Memory
from ..stored.tensors import states_width, to_float32

ROWS = 32
COLUMNS = 4  # few enough for OpenBLAS to multiply as they lie; it copies larger matrices first, at the cost of the product
WIDE = 1 << 19  # float32 numbers that are held at once


@dataclass(frozen=True)
class Matrix:
    """Unit vectors `packed` for a library, and in `whole` side by side in tiles, float32 `[tiles, hidden, COLUMNS]`; `first`
    and `second` are the even and the odd places of `hidden`."""

    vectors: int
    packed: Packed | None
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
    tiles = -(-len(units) // COLUMNS)
    whole = np.zeros((tiles, len(units[0]), COLUMNS), np.float32)
    for index, unit in enumerate(units):
        whole[index // COLUMNS, :, index % COLUMNS] = unit
    return Matrix(len(units), packed(np.stack(units)), whole, np.ascontiguousarray(whole[:, 0::2]), np.ascontiguousarray(whole[:, 1::2]))


def along(stored: np.ndarray, matrix: Matrix, memory: Memory) -> np.ndarray:
    """`h · v` in float32, `[vectors, tokens]`, of states as `as_stored` has them, `[tokens, hidden]`."""
    found = project(stored, matrix.packed)
    return along_tiles(stored, matrix, memory) if found is None else found[: matrix.vectors]


def along_tiles(stored: np.ndarray, matrix: Matrix, memory: Memory) -> np.ndarray:
    """The same without the library."""
    tiles, hidden, _ = matrix.whole.shape
    tokens = len(stored)
    paired = stored.dtype == "<u2" and hidden % 2 == 0
    width = hidden // 2 if paired else hidden
    at_once = ROWS * max(1, min(WIDE // (ROWS * width), -(-tokens // ROWS)))
    wide = memory.floats(at_once * width)
    products = np.empty((-(-tokens // ROWS), tiles, ROWS, COLUMNS), np.float32)
    with np.errstate(all="ignore"):  # what overflows is found by whoever looks at the scores, and so is what fills rows up
        for begin in range(0, tokens, at_once):
            part = stored[begin : begin + at_once]
            blocks = -(-len(part) // ROWS)
            states = wide[: blocks * ROWS * width].reshape(blocks, 1, ROWS, width)
            into = products[begin // ROWS :][:blocks]
            if paired:
                pairs = part.view("<u4")
                halves = wide[: pairs.size].view(np.uint32).reshape(pairs.shape)
                np.left_shift(pairs, np.uint32(16), out=halves)
                np.matmul(states, matrix.first, out=into)
                np.bitwise_and(pairs, np.uint32(0xFFFF0000), out=halves)
                into += np.matmul(states, matrix.second)
            else:
                to_float32(part, wide)
                np.matmul(states, matrix.whole, out=into)
    return products.transpose(1, 3, 0, 2).reshape(tiles * COLUMNS, len(products) * ROWS)[: matrix.vectors, :tokens]


def fits(stored: np.ndarray, matrix: Matrix) -> bool:
    """Whether states have as many numbers as the vectors."""
    return stored.ndim == 2 and states_width(stored) == matrix.whole.shape[1]
