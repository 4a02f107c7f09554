"""Attention on a CPU: in float32 arithmetic, rounded once to the model's dtype, but where torch's kernel for many tokens
has instructions for that dtype."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from . import kernels
from .packed import native

ATTENTION = "sdpa_on_cpu"
BUFFER = "buffer"  # attribute of keys and of values that are the beginning of a larger tensor


def is_own(model: Any) -> bool:
    """Whether `use_own_attention` was done to `model`."""
    return bool(model.config.get_text_config(decoder=True)._attn_implementation == ATTENTION)


def kept_in(key: torch.Tensor, value: torch.Tensor) -> torch.dtype:
    """The dtype that keys and values are kept in for the attention here: float32 where attention of one token would widen
    them each time."""
    return key.dtype if kernels.attends(key.dtype, key.shape[3]) and key.shape == value.shape else torch.float32


def attend_to_past(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float
) -> torch.Tensor:
    """Attention of one token a row, `[rows, 1, heads, size of a value]`.

    `query` is `[rows, heads, 1, size]`, `key` and `value` `[rows, groups, tokens, size]`, each with a size of its own: the
    heads of a group are the rows of one product with the keys that they share, so that these are not repeated. `mask`,
    `[rows, 1, 1, tokens]`, is added, or true where a token is seen.

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
    return (weights @ values).view(rows, 1, heads, -1)


def whole(states: torch.Tensor) -> torch.Tensor:
    """The buffer that a `GrowingLayer` says its `states` `[rows, groups, tokens, size]` are the beginning of, else these."""
    buffer: torch.Tensor = getattr(states, BUFFER, states)
    return buffer


def attend_to_many(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float
) -> torch.Tensor:
    """Attention of many tokens, `[rows, tokens, heads, size]`, each to those before it where there is no mask; as
    transformers does it, which repeats keys and values first."""
    shared = query.shape[1] != key.shape[1]
    output = functional.scaled_dot_product_attention(
        query, key, value, mask, is_causal=mask is None, scale=scaling, enable_gqa=shared
    )
    return output.transpose(1, 2).contiguous()


def use_own_attention(model: Any) -> None:
    """Makes a transformers model on a CPU attend as is said here."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    def attend(
        module: nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,  # some architectures give it by this name
        **options: Any,
    ) -> tuple[torch.Tensor, None]:
        mask = attention_mask
        scaling = query.shape[-1] ** -0.5 if options.get("scaling") is None else options["scaling"]
        plain = all(options.get(name) is None for name in ("softcap", "position_bias", "is_causal"))
        one = plain and query.shape[2] == 1 and (mask is None or mask.shape[1] == 1)  # not a mask for each head
        if one and (fused := kernels.attend(query, key, value, mask, scaling)) is not None:
            return fused, None
        dtype = query.dtype if native(query.dtype) and not one else torch.float32
        cast = (query.to(dtype), key.to(dtype), value.to(dtype))
        if mask is not None and mask.is_floating_point():
            mask = mask.to(dtype)
        if one:
            output = attend_to_past(*cast, mask, scaling)
        elif plain and (mask is not None or (module.is_causal and query.shape[2] == key.shape[2])):
            output = attend_to_many(*cast, mask, scaling)
        else:
            output, _ = sdpa_attention_forward(module, *cast, mask, **options)
        return output.to(query.dtype), None

    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    model.set_attn_implementation(ATTENTION)
