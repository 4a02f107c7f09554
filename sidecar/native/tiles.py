"""Calls of tiles.c: linear layers in bfloat16 on a CPU that multiplies tiles of it (AMX).

Weights lie in memory in the order in which they are read, which makes a product of few rows faster than oneDNN's.
"""

from __future__ import annotations

import ctypes
import functools

import torch

from . import cpu
from .build_kernels import TILES

FEATURES = {"amx_tile", "amx_bf16", "avx512_bf16"}
SIDE = 16  # rows of a tile, and outputs
BLOCK = 2 * SIDE  # inputs and outputs are a multiple of it


@functools.cache
def library() -> ctypes.CDLL | None:
    """The products, None where this CPU has no tiles, they were not built or the system does not allow them."""
    if not cpu.features() >= FEATURES or (loaded := TILES.open()) is None or not loaded.allowed():
        return None
    loaded.multiply.argtypes = [ctypes.c_int, *[ctypes.c_size_t] * 3, *[ctypes.c_void_p] * 4]
    loaded.multiply.restype = None
    return loaded


def in_tiles(weight: torch.Tensor) -> torch.Tensor | None:
    """`weight` `[out, in]` as `multiply` takes it; None where it does not."""
    out, width = weight.shape
    if weight.dtype != torch.bfloat16 or weight.device.type != "cpu" or out % BLOCK or width % BLOCK or library() is None:
        return None
    pairs = weight.detach().contiguous().view(torch.int32).view(out // BLOCK, 2, SIDE, width // BLOCK, SIDE)
    return pairs.permute(0, 3, 1, 4, 2).contiguous().view(torch.bfloat16)


def multiply(x: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """`[rows, out]` of `x` `[rows, in]`, weights that `in_tiles` made, and a bias `[out]`, all in bfloat16: rounded once."""
    found = library()
    assert found is not None
    x, out = x.contiguous(), len(weights) * BLOCK
    y = x.new_empty(len(x), out)
    places = (x.data_ptr(), weights.data_ptr(), None if bias is None else bias.data_ptr(), y.data_ptr())
    found.multiply(torch.get_num_threads(), len(x), x.shape[1], out, *places)
    return y
