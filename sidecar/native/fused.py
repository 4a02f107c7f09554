"""Modules of a model whose work between matrix products one kernel does, on a CPU in bfloat16.

They are found by what they hold and tried out: a kernel takes a module's place only where it computes what the module
does, to the last bit or two. Modules of other architectures that look alike (a norm that adds 1 to its weights, another
activation) are left as they are.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from . import kernels
from .packed import PackedLinear

ROTATION = "apply_rotary_pos_emb"  # transformers' name for it in every architecture's module
Forward = Callable[[torch.Tensor], torch.Tensor]
ALIKE = 2**-7  # of the largest number: the last bit of bfloat16


def fuse(model: nn.Module, dtype: torch.dtype) -> None:
    """Lets kernels do the work of the RMS norms, gated MLPs and rotations of a packed `model` of this dtype, in place."""
    if kernels.library() is None or dtype != torch.bfloat16:
        return
    agrees: dict[object, bool] = {}  # one module of each kind is tried
    for module in model.modules():
        rotate_by_kernel(module)
        for fused_forward, width in candidates(module):
            kind = (type(module), type(getattr(module, "act_fn", None)), width)
            if kind not in agrees:
                agrees[kind] = same(module, fused_forward, width)
            if agrees[kind]:
                vars(module)["forward"] = fused_forward


def candidates(module: Any) -> list[tuple[Forward, int]]:
    """What may compute the same as `module`, and the width of its input: one or nothing."""
    weight = getattr(module, "weight", None)
    epsilon = getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if isinstance(weight, torch.Tensor) and weight.dim() == 1 and isinstance(epsilon, float):
        return [(norm(module, weight, epsilon), len(weight))]
    if isinstance(getattr(module, "gate_proj", None), PackedLinear) and hasattr(module, "act_fn"):
        return [(gated_mlp(module), module.gate_proj.in_features)]
    return []


def norm(module: nn.Module, weight: torch.Tensor, epsilon: float) -> Forward:
    original: Callable[..., torch.Tensor] = module.forward

    def forward(x: torch.Tensor, *gate: Any, **options: Any) -> torch.Tensor:
        y = None if gate or options else kernels.rms_norm(x, weight, epsilon)
        return original(x, *gate, **options) if y is None else y

    return forward


def gated_mlp(module: Any) -> Forward:
    original: Forward = module.forward

    def forward(x: torch.Tensor) -> torch.Tensor:
        gate, up = module.gate_proj, module.up_proj  # an adapter may have put others in their places
        together = isinstance(gate, PackedLinear) and isinstance(up, PackedLinear) and gate.product is up.product
        if not (together and kernels.fits(x, gate.out_features, kernels.LANES)):
            return original(x)
        y: torch.Tensor = module.down_proj(kernels.gated(gate.product.all(x)))
        return y

    return forward


def rotate_by_kernel(module: Any) -> None:
    """Gives the forward of an attention module, which calls a function of its file, that function with the kernel in it."""
    plain_forward = type(module).forward
    names = getattr(plain_forward, "__globals__", {})
    if ROTATION not in getattr(getattr(plain_forward, "__code__", None), "co_names", ()) or not turns_alike(names[ROTATION]):
        return
    forward = types.FunctionType(
        plain_forward.__code__,
        {**names, ROTATION: rotation(names[ROTATION])},
        plain_forward.__name__,
        plain_forward.__defaults__,
        plain_forward.__closure__,
    )
    forward.__kwdefaults__ = plain_forward.__kwdefaults__
    vars(module)["forward"] = types.MethodType(forward, module)


def rotation(plain: Callable[..., Any]) -> Callable[..., Any]:
    """`plain`, which turns queries and keys by the angles of their positions, with the kernel where it can."""

    def rotate(query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, *args: Any, **options: Any) -> Any:
        if not (args or options):
            turned_query, turned_key = kernels.rotated(query, cos, sin), kernels.rotated(key, cos, sin)
            if turned_query is not None and turned_key is not None:
                return turned_query, turned_key
        return plain(query, key, cos, sin, *args, **options)

    return rotate


@functools.cache
def turns_alike(plain: Callable[..., Any]) -> bool:
    """Whether the kernel turns as `plain` does."""
    numbers = torch.randn(4, 2, 3, 5, 64, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    query, key, cos, sin = numbers[0], numbers[1, :, :1], numbers[2, :, 0], numbers[3, :, 0]
    with torch.inference_mode():
        try:
            return all(map(torch.equal, plain(query, key, cos, sin), rotation(plain)(query, key, cos, sin)))
        except (RuntimeError, TypeError, ValueError):
            return False


def same(module: nn.Module, fused_forward: Forward, width: int) -> bool:
    """Whether both make the same of rows of different sizes. Their mean is not 0 and their numbers become larger along them:
    a norm that takes the mean off, or that is one for each part of a row, is another."""
    sizes, slope = torch.logspace(-2, 2, 8)[:, None, None], torch.linspace(0.5, 2, width)
    rows = ((torch.randn(8, 1, width, generator=torch.Generator().manual_seed(0)) + 1) * slope * sizes).to(torch.bfloat16)
    with torch.inference_mode():
        try:
            fused, plain = fused_forward(rows).float(), module(rows).float()
        except (RuntimeError, TypeError):  # one that takes more, or another dtype
            return False
    largest = plain.abs().amax(dim=-1, keepdim=True)
    return fused.shape == plain.shape and bool(((fused - plain).abs() <= largest * ALIKE).all())
