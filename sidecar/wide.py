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
    """A linear layer that computes with `wide`, its weight `[out, in]` in float32, in oneDNN's own order where there is
    oneDNN: faster for the few rows of a decoding step, and what comes out of a row does not depend on the others."""

    wide: torch.Tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`input` `[..., in]` to `[..., out]` in the input's dtype."""
        rows = input.reshape(-1, self.in_features).float()
        bias = None if self.bias is None else self.bias.float()
        if self.wide.is_mkldnn:
            output = torch.ops.mkldnn._linear_pointwise(rows, self.wide, bias, "none", [], "")
        else:
            output = functional.linear(rows, self.wide, bias)
        return output.to(input.dtype).view(*input.shape[:-1], self.out_features)


def ordered(weight: torch.Tensor) -> torch.Tensor:
    """A float32 copy of `weight` `[out, in]` for `WideLinear`."""
    wide = weight.detach().to(torch.float32, copy=True)
    return torch.ops.mkldnn._reorder_linear_weight(wide) if torch.backends.mkldnn.is_available() else wide


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
            module.register_buffer("wide", ordered(module.weight), persistent=False)
            module.__class__ = WideLinear


def with_added(layer: WideLinear, delta: torch.Tensor) -> WideLinear:
    """A layer like `layer`, which stays as it is, whose weight is the float32 `delta` `[out, in]` larger."""
    added = copy.copy(layer)
    vars(added)["_buffers"] = {**layer._buffers, "wide": ordered(layer.weight.float() + delta)}
    return added


def attends_in_float32(model: Any) -> bool:
    """Whether `use_wide_attention` was done to `model`."""
    return bool(model.config.get_text_config(decoder=True)._attn_implementation == ATTENTION)


def attend_to_past(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float
) -> torch.Tensor:
    """Attention of one token a row, `[rows, 1, heads, size]`.

    `query` is `[rows, heads, 1, size]`, `key` and `value` `[rows, groups, tokens, size]`: the heads of a group are the
    rows of one product with the keys that they share, so that these are not repeated. `mask`, `[rows, 1, 1, tokens]`, is
    added, or true where a token is seen.
    """
    rows, heads, _, size = query.shape
    scores = (query * scaling).view(rows, key.shape[1], -1, size) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill_(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    return (scores.softmax(dim=-1) @ value).view(rows, 1, heads, size)


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
        wide = (query.float(), key.float(), value.float())
        if query.shape[2] == 1 and options.get("softcap") is None and options.get("position_bias") is None:
            output = attend_to_past(*wide, mask, options["scaling"])
        else:
            output, _ = sdpa_attention_forward(module, *wide, mask, **options)
        return output.to(query.dtype), None

    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    model.set_attn_implementation(ATTENTION)
