"""Products of stored bfloat16 states with directions, in one pass over them, by what is compiled for this CPU (tiles.c where it
multiplies tiles, else projections.c). Without torch."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import numpy as np

from . import bfloat16
from .build_kernels import PROJECTIONS

LANES = 16  # a width is a multiple of it for projections.c,
BLOCK = 32  # and of this for tiles.c
VECTORS = 6  # directions that projections.c works on at once
SIDE = 16  # columns of a tile,
PARTS = 3  # in which a direction takes so many: bfloat16 numbers that add up to its float32 ones
ALONG = SIDE // PARTS  # directions of a tile


@dataclass(frozen=True)
class Packed:
    """Directions as the library takes that multiplies with them: float32 `[directions, hidden]` with zeros below for
    projections.c, the bits of bfloat16 `[tiles, hidden / 32, 16, 16, 2]` for tiles.c. `vectors`: how many it computes."""

    library: ctypes.CDLL
    numbers: np.ndarray
    vectors: int


@functools.cache
def library() -> ctypes.CDLL | None:
    """The products for this CPU without tiles, None where they were not built."""
    loaded = PROJECTIONS.open()
    if loaded is not None:
        loaded.project.argtypes = [*[ctypes.c_size_t] * 3, *[ctypes.c_void_p] * 3]
        loaded.project.restype = None
    return loaded


def packed(units: np.ndarray) -> Packed | None:
    """Directions, float32 `[directions, hidden]`, as `project` takes them; None where no library does."""
    width = units.shape[1]
    if width % BLOCK == 0 and (found := bfloat16.by_tiles()) is not None:
        tiles = in_tiles(units)
        return Packed(found, tiles, len(tiles) * ALONG)
    if width % LANES == 0 and (by_rows := library()) is not None:
        rows = np.ascontiguousarray(np.pad(units, ((0, -len(units) % VECTORS), (0, 0))), np.float32)
        return Packed(by_rows, rows, len(rows))
    return None


def in_tiles(units: np.ndarray) -> np.ndarray:
    """Directions as tiles.c takes them."""
    width, tiles = units.shape[1], -(-len(units) // ALONG)
    filled = np.pad(units, ((0, tiles * ALONG - len(units)), (0, 0))).astype(np.float32).reshape(tiles, ALONG, width)
    columns = np.zeros((tiles, SIDE, width), np.uint16)
    for part in range(PARTS):
        # The first eight bits of what is left: after three times nothing is.
        bits = filled.view(np.uint32) & np.uint32(0xFFFF0000)
        columns[:, part * ALONG : (part + 1) * ALONG] = bits >> np.uint32(16)
        filled = filled - bits.view(np.float32)
    pairs = columns.reshape(tiles, SIDE, width // BLOCK, BLOCK // 2, 2)
    return np.ascontiguousarray(pairs.transpose(0, 2, 3, 1, 4))


def project(states: np.ndarray, directions: Packed | None) -> np.ndarray | None:
    """Float32 `[directions, tokens]` of `states`, the bits of bfloat16 numbers `[tokens, hidden]`, with more rows below; None
    for states that are not of this kind, and where no library takes the directions."""
    if directions is None or states.dtype != "<u2" or not states.flags.c_contiguous:
        return None
    scores = np.empty((directions.vectors, len(states)), np.float32)
    numbers = directions.numbers
    directions.library.project(*states.shape, len(numbers), states.ctypes.data, numbers.ctypes.data, scores.ctypes.data)
    return scores
