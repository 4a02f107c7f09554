"""Attention on a CPU: in float32 arithmetic, whatever the model's dtype, rounded once to it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

ATTENTION = "sdpa_float32"
BUFFER = "buffer"  # attribute of keys and of values that are the beginning of a larger tensor


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

    Where keys and values are the beginning of buffers, the products are with whole buffers, which takes half the time:
    the room behind the tokens holds finite numbers, and gets no weight.
    """
    rows, heads, _, size = query.shape
    tokens = key.shape[2]
    scores = (query * scaling).view(rows, key.shape[1], -1, size) @ whole(key).transpose(-1, -2)
    seen = scores[..., :tokens]
    if mask is not None:
        seen = seen.masked_fill_(~mask, float("-inf")) if mask.dtype == torch.bool else seen.add_(mask)
    scores[..., tokens:] = float("-inf")
    weights, values = scores.softmax(dim=-1), whole(value)
    if values.shape[2] != weights.shape[-1]:
        weights, values = weights[..., :tokens], value
    return (weights @ values).view(rows, 1, heads, size)


def whole(states: torch.Tensor) -> torch.Tensor:
    """The buffer that a `GrowingLayer` says its `states` `[rows, groups, tokens, size]` are the beginning of, else these."""
    buffer: torch.Tensor = getattr(states, BUFFER, states)
    return buffer


def use_wide_attention(model: Any) -> None:
    """Makes a transformers model attend in float32: scaled dot product attention with its inputs widened."""
    from torch.nn.functional import scaled_dot_product_attention
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    def attend(
        module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, **options: Any
    ) -> tuple[torch.Tensor, None]:
        if mask is not None and mask.is_floating_point():
            mask = mask.float()
        wide = (query.float(), key.float(), value.float())
        plain = options.get("softcap") is None and options.get("position_bias") is None
        if plain and query.shape[2] == 1:
            output = attend_to_past(*wide, mask, options["scaling"])
        elif plain and mask is not None:
            # As transformers does, which repeats keys and values where there is a mask.
            shared = query.shape[1] != key.shape[1]
            output = scaled_dot_product_attention(*wide, mask, scale=options["scaling"], enable_gqa=shared).transpose(1, 2)
        else:
            output, _ = sdpa_attention_forward(module, *wide, mask, **options)
        return output.to(query.dtype), None

    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    model.set_attn_implementation(ATTENTION)
