"""The libraries that multiply bfloat16 numbers on a CPU with instructions for it: by tiles (AMX), or by pairs in vectors
(AVX512_BF16). Without torch."""

from __future__ import annotations

import ctypes
import functools

from . import cpu
from .build_kernels import DOTS, TILES, Source


@functools.cache
def by_tiles() -> ctypes.CDLL | None:
    """tiles.c, None where this CPU has no tiles, they were not built or the system does not allow them."""
    loaded = opened(TILES, {"amx_tile", "amx_bf16", "avx512_bf16"})
    if loaded is not None:
        loaded.project.argtypes = [*[ctypes.c_size_t] * 3, *[ctypes.c_void_p] * 3]
        loaded.project.restype = None
    return loaded


@functools.cache
def by_dots() -> ctypes.CDLL | None:
    """dots.c, None where this CPU has no such vectors or they were not built."""
    return opened(DOTS, {"avx512_bf16"})


def opened(source: Source, features: set[str]) -> ctypes.CDLL | None:
    """The library of a `source` with products of weights, for a CPU with these features."""
    if not cpu.features() >= features or (loaded := source.open()) is None or not loaded.allowed():
        return None
    loaded.multiply.argtypes = [ctypes.c_int, *[ctypes.c_size_t] * 3, *[ctypes.c_void_p] * 4]
    loaded.multiply.restype = None
    return loaded
