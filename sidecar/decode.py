"""Generates token ids for a batch of prompts with a cache of keys and values.

Nothing is recorded here: activations come from a prefill of the finished ids, the same way for every model state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from .base import Base
    from .sampling import Sampler


def decode(
    base: Base,
    prompts: Sequence[Sequence[int]],
    sampler: Sampler,
    limit: int,
    on_step: Callable[[int, int], None] = lambda finished, tokens: None,
) -> list[list[int]]:
    """The answers' ids, one list a prompt, each ending with its stop id or after `limit` tokens.

    Tokens that all prompts begin with run once. Rows are padded on the left of what is their own, and leave the batch
    when they end. `on_step` hears how many rows ended and how many tokens were made in a step.
    """
    import torch

    from .cache import empty_cache, for_rows, shared_prefix

    answers: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    stops = torch.tensor(sorted(base.stop_ids), device=base.device)
    with torch.inference_mode():
        shared = shared_prefix(base, prompts, min(map(len, prompts)) - 1)
        ids, mask, positions = left_padded(prompts, shared, base.device)
        cache = empty_cache(base)
        if shared > 0:
            base.decoder(input_ids=ids[:1, :shared], position_ids=positions[:1, :shared], past_key_values=cache, use_cache=True)
            cache = for_rows(cache, len(rows))
            ids, positions = ids[:, shared:], positions[:, shared:]
        while True:
            logits = base.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            picked = sampler.pick(logits, rows)
            for row, token in zip(rows, picked.tolist(), strict=True):
                answers[row].append(token)
            full = len(answers[rows[0]]) >= limit
            going = torch.zeros_like(picked, dtype=torch.bool) if full else ~torch.isin(picked, stops)
            kept = going.nonzero().squeeze(-1)
            on_step(len(rows) - len(kept), len(rows))
            if len(kept) == 0:
                return answers
            if len(kept) < len(rows):
                rows = [rows[index] for index in kept.tolist()]
                picked, mask, positions = picked[kept], mask[kept], positions[kept]
                cache.batch_select_indices(kept)
            ids = picked[:, None]
            positions = positions[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)


def left_padded(
    prompts: Sequence[Sequence[int]], shared: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, attention mask and positions, each `[prompts, longest]`, with the padding behind the `shared` first ids.

    A row's first own token has position 0. The positions are given to the model always: it does not derive them from
    the mask.
    """
    import torch

    longest = max(len(prompt) for prompt in prompts)
    gaps = [longest - len(prompt) for prompt in prompts]
    ids = torch.tensor([[*prompt[:shared], *[0] * gap, *prompt[shared:]] for prompt, gap in zip(prompts, gaps, strict=True)])
    mask = torch.tensor([[1] * shared + [0] * gap + [1] * (longest - shared - gap) for gap in gaps])
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    return ids.to(device), mask.to(device), positions.to(device)
