"""Calls of kernels.c: what a forward pass on a CPU does between its matrix products, in bfloat16.

A function here answers None for tensors that its kernel is not written for, and where the kernels were not built: the
caller then does the same with torch.
"""

from __future__ import annotations

import ctypes
import functools

import torch

from .build_kernels import KERNELS

LANES = 16  # a width is a multiple of it
HEAD_LANES = 64  # the width of a head that attends is a multiple of it
MOST_HEAD_WIDTH = 512
RANKS = 4  # a rank is a multiple of it
MOST_RANK = 64
FEW_ROWS = 64  # more are faster as products of matrices
MOST_HEADS = 4  # heads of a group that are worked on at once


@functools.cache
def library() -> ctypes.CDLL | None:
    """The kernels for this CPU, None where they were not built. Torch's threads are theirs: both link to one OpenMP."""
    loaded = KERNELS.open()
    if loaded is None:
        return None
    size, number, address = ctypes.c_size_t, ctypes.c_float, ctypes.c_void_p
    loaded.rms_norm.argtypes = [ctypes.c_int, size, size, number, address, address, address]
    loaded.gated.argtypes = [ctypes.c_int, size, size, address, address]
    loaded.attend.argtypes = [ctypes.c_int, *[size] * 8, number, *[address] * 6]
    loaded.rotate.argtypes = [ctypes.c_int, *[size] * 8, *[address] * 4]
    loaded.add_low_rank.argtypes = [ctypes.c_int, *[size] * 4, *[address] * 4]
    for function in (loaded.rms_norm, loaded.gated, loaded.rotate, loaded.add_low_rank, loaded.attend):
        function.restype = None
    return loaded


def rms_norm(x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor | None:
    """`x / rms(x)`, rounded, times `weight` `[width]`, for `x` `[..., width]`."""
    found, width = library(), x.shape[-1]
    if found is None or not fits(x, width, LANES) or weight.dtype != x.dtype:
        return None
    x = x.contiguous()
    y = torch.empty_like(x)
    found.rms_norm(torch.get_num_threads(), x.numel() // width, width, epsilon, x.data_ptr(), weight.data_ptr(), y.data_ptr())
    return y


def gated(gate_and_up: torch.Tensor) -> torch.Tensor | None:
    """`silu(gate)`, rounded, times `up`, `[..., width]`, for both in one `[..., 2 * width]`."""
    found, width = library(), gate_and_up.shape[-1] // 2
    if found is None or not fits(gate_and_up, width, LANES):
        return None
    both = gate_and_up.contiguous()
    y = both.new_empty(*both.shape[:-1], width)
    found.gated(torch.get_num_threads(), y.numel() // width, width, both.data_ptr(), y.data_ptr())
    return y


def adds(dtype: torch.dtype, sizes: tuple[int, int], rank: int) -> bool:
    """Whether `add_low_rank` is there for layers with so many inputs and outputs."""
    fit = all(size % LANES == 0 for size in sizes) and rank % RANKS == 0 and 0 < rank <= MOST_RANK
    return library() is not None and dtype == torch.bfloat16 and fit


def add_low_rank(y: torch.Tensor, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> bool:
    """Adds `x A^T`, rounded, times `B` to `y` `[rows, out]` in place, for `x` `[rows, in]`, `a` `[rank, in]` and `b`
    `[rank, out]`, all dense; false, and nothing is added, where another way is faster or the kernel is not there."""
    found, (rank, width) = library(), a.shape
    if found is None or len(x) > FEW_ROWS or not (x.is_contiguous() and y.is_contiguous()):
        return False
    places = (x.data_ptr(), a.data_ptr(), b.data_ptr(), y.data_ptr())
    found.add_low_rank(torch.get_num_threads(), len(x), width, rank, y.shape[1], *places)
    return True


def rotated(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor | None:
    """`x` `[rows, heads, tokens, width]` turned by the angles of its tokens, `cosine` and `sine` `[rows or 1, tokens, width]`."""
    found = library()
    rows, heads, tokens, width = x.shape
    angles = (cosine, sine)
    if found is None or not fits(x, width, 2 * LANES) or x.stride(3) != 1:
        return None
    if not all(angle.shape in ((rows, tokens, width), (1, tokens, width)) for angle in angles):
        return None
    if not all(angle.dtype == x.dtype and angle.is_contiguous() for angle in angles):
        return None
    y = x.new_empty(x.shape)
    angle_row = 0 if len(cosine) == 1 else tokens * width
    sizes = (rows, heads, tokens, width, *x.stride()[:3], angle_row)
    found.rotate(torch.get_num_threads(), *sizes, x.data_ptr(), cosine.data_ptr(), sine.data_ptr(), y.data_ptr())
    return y


def attends(dtype: torch.dtype, width: int) -> bool:
    """Whether `attend` is there for heads of this width."""
    return library() is not None and dtype == torch.bfloat16 and width % HEAD_LANES == 0 and width <= MOST_HEAD_WIDTH


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float) -> torch.Tensor | None:
    """Attention of one token a row, `[rows, 1, heads, width]`, for `query` `[rows, heads, 1, width]` and `key` and `value`
    `[rows, groups, tokens, width]`, rounded once. `mask`: `[rows, 1, 1, tokens]`, true where a token is seen."""
    found = library()
    rows, groups, tokens, width = key.shape
    heads = query.shape[1] // groups
    if found is None or not attends(query.dtype, width) or query.device.type != "cpu" or not alike(key, value):
        return None
    if mask is not None and (mask.dtype != torch.bool or mask.shape != (rows, 1, 1, tokens) or mask.stride(3) != 1):
        return None
    query, threads = query.contiguous(), torch.get_num_threads()
    output = query.new_empty(rows, 1, query.shape[1], width)
    scratch = torch.empty(threads, MOST_HEADS, tokens + LANES)
    seen, seen_row = (None, 0) if mask is None else (mask.data_ptr(), mask.stride(0))
    sizes = (rows, groups, heads, tokens, width, key.stride(0), key.stride(1), seen_row)
    places = (query.data_ptr(), key.data_ptr(), value.data_ptr(), seen, output.data_ptr(), scratch.data_ptr())
    found.attend(threads, *sizes, scaling, *places)
    return output


def fits(x: torch.Tensor, width: int, lanes: int) -> bool:
    """Whether the kernels are written for such numbers."""
    return x.dtype == torch.bfloat16 and x.device.type == "cpu" and width % lanes == 0 and width > 0


def alike(key: torch.Tensor, value: torch.Tensor) -> bool:
    """Whether keys and values lie in memory alike, a token's numbers behind those of the token before it."""
    width = key.shape[3]
    return key.dtype == value.dtype == torch.bfloat16 and key.stride() == value.stride() and key.stride()[2:] == (width, 1)
