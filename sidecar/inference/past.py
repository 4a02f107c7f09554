"""What comes before the tokens whose residual is wanted: run once for all rows that begin with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from .cache import can_share, empty_cache, for_rows, shared_prefix
from .forward import batches, forward_to
from .prompts import Prompts, joined, rows_of

if TYPE_CHECKING:
    from transformers import DynamicCache

    from ..model.base import Base


@dataclass(frozen=True)
class Past:
    """How many leading tokens of each row were run, and what makes a cache of them for some of the rows, with room for
    more tokens and its mask `[rows, longest]`, None where nothing is padded."""

    tokens: Sequence[int]
    cache: Callable[[Sequence[int], int], tuple[DynamicCache | None, torch.Tensor | None]]


def past_of(
    base: Base, rows: Sequence[Sequence[int]], starts: Sequence[int], blocks: int, room: int, prompts: Prompts | None
) -> Past:
    """The past of `rows` of ids down to the first `blocks` blocks, at most the tokens before each row's start. `room`: tokens
    that fit into memory at once.

    With `prompts` it is all of those, run once for as long as they are kept, where they fit into memory together; else what
    all rows have in common.
    """
    own = [tuple(row[:start]) for row, start in zip(rows, starts, strict=True)]
    if prompts is None or min(starts) == 0 or sum(map(len, set(own))) > room or not can_share(base):
        return common_past(base, rows, shared_prefix(base, rows, min(starts)), blocks)
    return own_past(base, own, blocks, room, prompts)


def common_past(base: Base, rows: Sequence[Sequence[int]], length: int, blocks: int) -> Past:
    """The first `length` ids, which all rows have in common."""
    if length == 0:
        return Past([0] * len(rows), lambda batch, room: (None, None))
    cache = empty_cache(base)
    forward_to(base, [rows[0][:length]], 0, blocks, cache)
    return Past([length] * len(rows), lambda batch, room: (for_rows(cache, len(batch), room), None))


def own_past(base: Base, starts: Sequence[tuple[int, ...]], blocks: int, room: int, prompts: Prompts) -> Past:
    """Each row's own first ids, from `prompts` or run now and kept there."""
    known = {ids: prompts.find(ids, blocks) for ids in starts}
    missing = [ids for ids, found in known.items() if found is None]
    if missing:
        common = common_past(base, missing, shared_prefix(base, missing, min(map(len, missing)) - 1), blocks)
        own = [ids[length:] for ids, length in zip(missing, common.tokens, strict=True)]
        for batch in batches(list(map(len, own)), common.tokens, room):
            cache, _ = common.cache(batch, 0)
            cache = empty_cache(base) if cache is None else cache
            forward_to(base, [own[index] for index in batch], common.tokens[0], blocks, cache)
            for index, prompt in zip(batch, rows_of(cache, [len(missing[index]) for index in batch], blocks), strict=True):
                known[missing[index]] = prompt
                prompts.keep(missing[index], prompt)
    ready = [prompt for ids in starts if (prompt := known[ids]) is not None]
    return Past([prompt.tokens for prompt in ready], lambda batch, room: joined(base, [ready[index] for index in batch], blocks, room))
