"""Linear layers in bfloat16 on a CPU with instructions for it: calls of tiles.c, and where there are no tiles, of dots.c.

Weights lie in memory in the order in which they are read, the same for both, which makes a product of few rows faster than
oneDNN's.
"""

from __future__ import annotations

import ctypes

import torch

from . import bfloat16

SIDE = 16  # outputs that lie beside each other
BLOCK = 2 * SIDE  # inputs and outputs are a multiple of it


def library() -> ctypes.CDLL | None:
    """The products for this CPU, None where it has none."""
    return bfloat16.by_tiles() or bfloat16.by_dots()


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
