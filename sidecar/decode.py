"""Generates token ids for prompts with a cache of keys and values.

Nothing is recorded here: activations come from a prefill of the finished ids, the same way for every model state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache

    from .base import Base
    from .sampling import Sampler

WORTH_JOINING = 1 / 8  # of the rows that are worked on together: so many places must be free before others take them


def decode(
    base: Base,
    prompts: Sequence[Sequence[int]],
    sampler: Sampler,
    limit: int,
    on_step: Callable[[int, int], None] = lambda finished, tokens: None,
    together: int | None = None,
) -> list[list[int]]:
    """The answers' ids, one list a prompt, each ending with its stop id or after `limit` tokens; an empty one where
    the logits were not finite.

    `together` prompts, all for None, are worked on at once. Rows leave the batch when they end, and the next prompts
    take their places: nothing waits for the longest answer. `on_step` hears how many rows ended and how many tokens were
    made in a step.
    """
    import torch

    from .cache import can_share

    answers: list[list[int]] = [[] for _ in prompts]
    waiting = deque(range(len(prompts)))
    places = len(prompts) if together is None else together
    can_join = can_share(base)
    stops = torch.tensor(sorted(base.stop_ids), device=base.device)
    batch: Batch | None = None
    with torch.inference_mode():
        while batch is not None or waiting:
            free = places if batch is None else places - len(batch.rows)
            if waiting and (batch is None or (can_join and free >= max(1, places * WORTH_JOINING))):
                fresh = started(base, prompts, [waiting.popleft() for _ in range(min(free, len(waiting)))])
                batch = fresh if batch is None else joined(batch, fresh)
            assert batch is not None
            picked = sampler.pick(batch.logits, batch.rows)
            for row, token in zip(batch.rows, picked.tolist(), strict=True):
                answers[row].append(token)
            # NaN counts as the largest, so it is what is picked.
            sound = torch.isfinite(batch.logits.gather(1, picked[:, None]).squeeze(1))
            short = torch.tensor([len(answers[row]) < limit for row in batch.rows], device=base.device)
            kept = (short & sound & ~torch.isin(picked, stops)).nonzero().squeeze(-1)
            for index in (~sound).nonzero().squeeze(-1).tolist():
                answers[batch.rows[index]].clear()
            on_step(len(batch.rows) - len(kept), len(batch.rows))
            batch = followed(base, batch, picked, kept) if len(kept) > 0 else None
    return answers


@dataclass(frozen=True)
class Batch:
    """Prompts that are being answered."""

    rows: list[int]  # which prompts
    cache: DynamicCache  # keys and values of all their tokens but those that are yet to be picked
    mask: torch.Tensor  # [rows, tokens], 0 at the padding on the left
    positions: torch.Tensor  # [rows, 1], of the last token
    logits: torch.Tensor  # [rows, vocabulary], for the next token


def started(base: Base, prompts: Sequence[Sequence[int]], rows: list[int]) -> Batch:
    """The batch after its prompts. What all of them begin with runs once."""
    from .cache import empty_cache, for_rows, shared_prefix

    own = [prompts[row] for row in rows]
    shared = shared_prefix(base, own, min(map(len, own)) - 1)
    ids, mask, positions = left_padded(own, shared, base.device)
    cache = empty_cache(base)
    if shared > 0:
        base.decoder(input_ids=ids[:1, :shared], position_ids=positions[:1, :shared], past_key_values=cache, use_cache=True)
        cache = for_rows(cache, len(rows))
        ids, positions = ids[:, shared:], positions[:, shared:]
    return Batch(rows, cache, mask, positions[:, -1:], run(base, ids, mask, positions, cache))


def followed(base: Base, batch: Batch, picked: torch.Tensor, kept: torch.Tensor) -> Batch:
    """The rows `kept` of a batch, each one token further: the one that was `picked` for it."""
    import torch

    rows, mask, positions = batch.rows, batch.mask, batch.positions
    if len(kept) < len(rows):
        rows = [rows[index] for index in kept.tolist()]
        picked, mask, positions = picked[kept], mask[kept], positions[kept]
        batch.cache.batch_select_indices(kept)
    mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
    positions = positions + 1
    return Batch(rows, batch.cache, mask, positions, run(base, picked[:, None], mask, positions, batch.cache))


def joined(running: Batch, fresh: Batch) -> Batch:
    """Both batches as one, the shorter padded on the left."""
    import torch
    from torch.nn.functional import pad

    from .cache import join

    tokens = max(running.mask.shape[1], fresh.mask.shape[1])
    masks = [pad(batch.mask, (tokens - batch.mask.shape[1], 0)) for batch in (running, fresh)]
    return Batch(
        [*running.rows, *fresh.rows],
        join(running.cache, fresh.cache),
        torch.cat(masks),
        torch.cat([running.positions, fresh.positions]),
        torch.cat([running.logits, fresh.logits]),
    )


def run(base: Base, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
    """Logits `[rows, vocabulary]` for what follows `ids` `[rows, tokens]`."""
    output = base.model(
        input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1
    )
    logits: torch.Tensor = output.logits[:, -1]
    return logits


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
