"""Attention on a CPU: in float32 arithmetic, whatever the model's dtype, rounded once to it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

ATTENTION = "sdpa_float32"


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
