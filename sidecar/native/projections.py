"""Calls of projections.c: products of stored bfloat16 states with directions, in one pass over them, without torch."""

from __future__ import annotations

import ctypes
import functools

import numpy as np

from .build_kernels import PROJECTIONS

LANES = 16  # a width is a multiple of it
VECTORS = 6  # directions that are worked on at once


@functools.cache
def library() -> ctypes.CDLL | None:
    """The products for this CPU, None where they were not built."""
    loaded = PROJECTIONS.open()
    if loaded is not None:
        loaded.project.argtypes = [*[ctypes.c_size_t] * 3, *[ctypes.c_void_p] * 3]
        loaded.project.restype = None
    return loaded


def rows_for(units: np.ndarray) -> np.ndarray:
    """Directions `[vectors, hidden]` as `project` takes them, with zeros below."""
    return np.ascontiguousarray(np.pad(units, ((0, -len(units) % VECTORS), (0, 0))), np.float32)


def project(states: np.ndarray, directions: np.ndarray) -> np.ndarray | None:
    """Float32 `[directions, tokens]` of `states`, the bits of bfloat16 numbers `[tokens, hidden]`, and directions that
    `rows_for` made; None for states that are not of this kind, and where the library is not there."""
    found, (tokens, width) = library(), states.shape
    if found is None or states.dtype != "<u2" or width % LANES != 0 or width == 0 or not states.flags.c_contiguous:
        return None
    scores = np.empty((len(directions), tokens), np.float32)
    found.project(tokens, width, len(directions), states.ctypes.data, directions.ctypes.data, scores.ctypes.data)
    return scores
