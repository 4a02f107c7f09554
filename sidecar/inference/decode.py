"""Generates token ids for prompts with a cache of keys and values.

Nothing is recorded here: activations come from a prefill of the finished ids, the same way for every model state.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .room import PASS

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache

    from ..model.base import Base
    from .sampling import Sampler
    from .steering import Steered, Steering

ENOUGH = 256  # tokens: products of so many are as fast as larger ones
WORTH_DROPPING = 1 / 4  # of the tokens that are kept: so many must be padding before what is kept is copied without
WORTH_JOINING = 1 / 8  # of the rows that are worked on together: so many places must be free before others take them


def decode(
    base: Base,
    prompts: Sequence[Sequence[int]],
    sampler: Sampler,
    limit: int,
    on_step: Callable[[int, int], None] = lambda finished, tokens: None,
    together: int | None = None,
    steering: Steering | None = None,
) -> list[list[int]]:
    """The answers' ids, one list a prompt, each ending with its stop id or after `limit` tokens; an empty one where
    the logits were not finite.

    `together` prompts, all for None, are worked on at once. Rows leave the batch when they end, and the next prompts
    take their places: nothing waits for the longest answer. `on_step` hears how many rows ended and how many tokens were
    made in a step. With `steering` each row is steered by the addition of its own prompt.
    """
    import torch

    from .cache import can_join, can_pad, is_seen_whole
    from .steering import steered

    answers: list[list[int]] = [[] for _ in prompts]
    waiting = deque(range(len(prompts)))
    places = (len(prompts) if together is None else together) if can_pad(base) else 1
    joins = can_join(base)
    can_gap = is_seen_whole(base, math.ceil((max(map(len, prompts), default=0) + limit) / (1 - WORTH_DROPPING)))
    stops = torch.tensor(sorted(base.stop_ids), device=base.device)
    batch: Batch | None = None
    with torch.inference_mode(), nullcontext() if steering is None else steered(base, steering) as steer:
        while batch is not None or waiting:
            free = places if batch is None else places - len(batch.rows)
            if waiting and (batch is None or (joins and free >= max(1, places * WORTH_JOINING))):
                rows = [waiting.popleft() for _ in range(min(free, len(waiting)))]
                fresh = started(base, prompts, rows, can_gap, steer)
                batch = fresh if batch is None else joined([batch, fresh])
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
            if len(kept) == 0:
                batch = None
                continue
            if len(kept) < len(batch.rows):
                batch, picked = remaining(batch, kept, joins), picked[kept]
            batch = followed(base, batch, picked, steer)
    return answers


@dataclass(frozen=True)
class Batch:
    """Prompts that are being answered."""

    rows: list[int]  # which prompts
    cache: DynamicCache  # keys and values of all their tokens but those that are yet to be picked
    mask: torch.Tensor  # [rows, tokens], 0 at the padding on the left
    positions: torch.Tensor  # [rows, 1], of the last token
    logits: torch.Tensor  # [rows, vocabulary], for the next token


def started(base: Base, prompts: Sequence[Sequence[int]], rows: list[int], can_gap: bool, steer: Steered | None) -> Batch:
    """The batch after its prompts. What all of them begin with runs once where there may be padding behind it (`can_gap`) and
    it is not steered otherwise for each, the rest of them beside those of like length."""
    from .cache import can_join, empty_cache, for_rows, shared_prefix

    own = [prompts[row] for row in rows]
    shared = shared_prefix(base, own, min(map(len, own)) - 1) if can_gap and steer is None else 0
    common = empty_cache(base)
    if shared > 0:
        ids, _, positions = left_padded([own[0][:shared]], 0, base.device)
        base.decoder(input_ids=ids, position_ids=positions, past_key_values=common, use_cache=True)
    batches = []
    for group in of_like_length([len(prompt) - shared for prompt in own]) if can_join(base) else [range(len(own))]:
        ids, mask, positions = left_padded([own[index] for index in group], shared, base.device)
        cache = for_rows(common, len(group), ids.shape[1] - shared) if shared > 0 else empty_cache(base)
        of_group = [rows[index] for index in group]
        if steer is not None:
            steer.run_next(of_group)
        logits = run(base, ids[:, shared:], mask, positions[:, shared:], cache)
        batches.append(Batch(of_group, cache, mask, positions[:, -1:], logits))
    return batches[0] if len(batches) == 1 else joined(batches)


def of_like_length(lengths: Sequence[int]) -> list[list[int]]:
    """Positions of `lengths` in groups of `ENOUGH` tokens or more, where the shortest lacks little to the longest, and of no
    more than `PASS` where that is not one row."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        longest = lengths[groups[-1][0]] if groups else 0
        tokens = len(groups[-1]) * longest if groups else 0
        if not groups or tokens + longest > PASS or (tokens >= ENOUGH and lengths[index] * 8 <= longest * 7):
            groups.append([])
        groups[-1].append(index)
    return groups


def remaining(batch: Batch, kept: torch.Tensor, joins: bool) -> Batch:
    """The rows `kept` of a batch."""
    # The one choice of rows that every kind of layer knows: another, batch_select_indices, passes by folded tokens.
    batch.cache.reorder_cache(kept)
    rows = [batch.rows[index] for index in kept.tolist()]
    left = Batch(rows, batch.cache, batch.mask[kept], batch.positions[kept], batch.logits[kept])
    return joined([left]) if joins and padding(left) > batch.mask.shape[1] * WORTH_DROPPING else left


def padding(batch: Batch) -> int:
    """How many tokens are left of all rows' own: those of longer rows that have ended."""
    return int(batch.mask.any(dim=0).int().argmax())


def followed(base: Base, batch: Batch, picked: torch.Tensor, steer: Steered | None) -> Batch:
    """The batch one token further: the one that was `picked` for each row."""
    import torch

    if steer is not None:
        steer.run_next(batch.rows)
    mask = torch.cat([batch.mask, batch.mask.new_ones(len(batch.rows), 1)], dim=1)
    positions = batch.positions + 1
    return Batch(batch.rows, batch.cache, mask, positions, run(base, picked[:, None], mask, positions, batch.cache))


def joined(batches: Sequence[Batch]) -> Batch:
    """The batches as one, the shorter padded on the left. Padding that is left of all rows of a batch is dropped: rows take
    the places of others again and again, and would be read behind all that those before them took."""
    import torch
    from torch.nn.functional import pad

    from .cache import join

    skipped = [padding(batch) for batch in batches]
    masks = [batch.mask[:, skip:] for batch, skip in zip(batches, skipped, strict=True)]
    tokens = max(mask.shape[1] for mask in masks)
    return Batch(
        [row for batch in batches for row in batch.rows],
        join([batch.cache for batch in batches], skipped),
        torch.cat([pad(mask, (tokens - mask.shape[1], 0)) for mask in masks]),
        torch.cat([batch.positions for batch in batches]),
        torch.cat([batch.logits for batch in batches]),
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
