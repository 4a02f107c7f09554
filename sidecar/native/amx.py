"""The library of tiles.c: products on a CPU that multiplies tiles of bfloat16 numbers (AMX). Without torch."""

from __future__ import annotations

import ctypes
import functools

from . import cpu
from .build_kernels import TILES

FEATURES = {"amx_tile", "amx_bf16", "avx512_bf16"}


@functools.cache
def library() -> ctypes.CDLL | None:
    """The products, None where this CPU has no tiles, they were not built or the system does not allow them."""
    if not cpu.features() >= FEATURES or (loaded := TILES.open()) is None or not loaded.allowed():
        return None
    loaded.multiply.argtypes = [ctypes.c_int, *[ctypes.c_size_t] * 3, *[ctypes.c_void_p] * 4]
    loaded.multiply.restype = None
    loaded.project.argtypes = [*[ctypes.c_size_t] * 3, *[ctypes.c_void_p] * 3]
    loaded.project.restype = None
    return loaded
