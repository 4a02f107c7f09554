"""States of the residual stream in eight bits a number (`raw: keep-int8`), a little over half the room of bfloat16.

A row of `hidden` numbers is stored as `hidden` whole numbers from -127 to 127, then one little-endian float32 scale for
every 64 of them: `h ≈ scale · q` with `scale = max |h| / 127` of its 64. No number is off by more than half its scale, so
that the few very large dimensions of a residual stream cost only their neighbours, and a score `h · v̂` is off by at most
`Σ scale / 2 · ‖v̂‖₁` over the blocks. Blocks with a scale each are what 8-bit optimisers use (Dettmers et al., 2021,
arXiv 2110.02861, there 2048 numbers long and not evenly spaced).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

BLOCK = 64
SCALE = 4  # bytes of a float32


def stored_width(hidden: int) -> int:
    """Bytes of a stored row of `hidden` numbers."""
    return hidden + SCALE * -(-hidden // BLOCK)


def hidden_of(width: int) -> int:
    """How many numbers a stored row of `width` bytes has. Raises ValueError for a width that no row has."""
    hidden = width - SCALE * -(-width // (BLOCK + SCALE))
    if hidden < 1 or stored_width(hidden) != width:
        raise ValueError(f"no row of eight-bit numbers has {width} bytes")
    return hidden


def encode(states: torch.Tensor) -> torch.Tensor:
    """Finite states `[tokens, hidden]` as int8 `[tokens, stored_width(hidden)]`."""
    import torch

    tokens, hidden = states.shape
    blocks = -(-hidden // BLOCK)
    padded = torch.zeros(tokens, blocks * BLOCK)
    padded[:, :hidden] = states
    numbers = padded.view(tokens, blocks, BLOCK)
    scales = numbers.abs().amax(dim=2) / 127
    whole = torch.where(scales[:, :, None] > 0, numbers / scales[:, :, None], 0).round_().clamp_(-127, 127).to(torch.int8)
    return torch.cat([whole.view(tokens, -1)[:, :hidden], scales.contiguous().view(torch.int8).view(tokens, -1)], dim=1)


def decode(stored: np.ndarray, out: np.ndarray) -> np.ndarray:
    """The states of int8 `[tokens, width]` as float32 `[tokens, hidden]`, in the beginning of the float32 `out`."""
    import numpy as np

    tokens, width = stored.shape
    hidden = hidden_of(width)
    scales = np.ascontiguousarray(stored[:, hidden:]).view("<f4")
    states = out[: tokens * hidden].reshape(tokens, hidden)
    whole = hidden // BLOCK
    even = whole * BLOCK
    np.multiply(
        stored[:, :even].reshape(tokens, whole, BLOCK), scales[:, :whole, None], out=states[:, :even].reshape(tokens, whole, BLOCK)
    )
    if even < hidden:
        np.multiply(stored[:, even:hidden], scales[:, whole:], out=states[:, even:])
    return states
