"""Linear layers and attention on a CPU: in float32 arithmetic, whatever the model's dtype.

A CPU without instructions for bfloat16 multiplies its matrices several times slower than float32 ones. A kernel with
those instructions forms products and sums in float32 and rounds the result once; the same is done here, with float32
copies of the weights, so the numbers differ from such a kernel's by the order of summation only. What leaves a module
has the model's dtype. A float32 model needs no copies and gains from the order of the operands alone.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn import functional

ATTENTION = "sdpa_float32"
SHARE_OF_MEMORY = 0.5  # of the host's, for the copies: of the clean weights and of those with an adapter added


class WideLinear(nn.Linear):
    """A linear layer that computes with `wide` `[out, in]`, its weight in float32."""

    wide: torch.Tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`input` `[..., in]` to `[..., out]` in the input's dtype."""
        rows = input.reshape(-1, self.in_features).float()
        # Weight times input is the faster order for the few rows of a decoding step.
        output = functional.linear(self.wide, rows).t()
        if self.bias is not None:
            output = output + self.bias.float()
        rounded = output.to(input.dtype, memory_format=torch.contiguous_format).contiguous()
        return rounded.view(*input.shape[:-1], self.out_features)


def is_needed(model: nn.Module, dtype: torch.dtype, device: torch.device, host_memory: int) -> bool:
    """Whether `model` gains from it: on a CPU that has no instructions for `dtype`, or for a float32 model, if two
    copies of the weights fit into the share of `host_memory` (bytes)."""
    if device.type != "cpu" or (dtype != torch.float32 and native(dtype)):
        return False
    weights = sum(module.weight.numel() for module in model.modules() if type(module) is nn.Linear)
    return weights * 4 * 2 <= host_memory * SHARE_OF_MEMORY


def native(dtype: torch.dtype) -> bool:
    """Whether torch has fast kernels for `dtype` on this CPU."""
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    if dtype == torch.float16:
        return bool(torch.ops.mkldnn._is_mkldnn_fp16_supported())
    return True


def widen(model: nn.Module) -> None:
    """Makes every plain linear layer of `model` a wide one, in place; those that are keep their weights."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.register_buffer("wide", module.weight.detach().float(), persistent=False)
            module.__class__ = WideLinear


def with_added(layer: WideLinear, delta: torch.Tensor) -> WideLinear:
    """A layer like `layer`, which stays as it is, whose weight is the float32 `delta` `[out, in]` larger."""
    added = copy.copy(layer)
    vars(added)["_buffers"] = {**layer._buffers, "wide": layer.wide + delta}
    return added


def use_wide_attention(model: Any) -> None:
    """Makes a transformers model attend in float32: scaled dot product attention with its inputs widened."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    def attend(
        module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, **options: Any
    ) -> tuple[torch.Tensor, None]:
        if mask is not None and mask.is_floating_point():
            mask = mask.float()
        output, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), mask, **options)
        return output.to(query.dtype), None

    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    model.set_attn_implementation(ATTENTION)
