"""Keys and values of tokens that were run, kept for the tokens that follow them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer, LinearAttentionLayer

from ..native.attention import BUFFER, is_own, kept_in

if TYPE_CHECKING:
    from ..model.base import Base

CHUNK = 32  # tokens a full buffer grows by
WORTH_SHARING = 8  # tokens


class GrowingLayer(DynamicLayer):
    """One block's keys and values, `[rows, heads, tokens, size]` views of buffers that have room for more tokens, with
    zeros in it.

    A token is written in place; a cache that is concatenated anew for every token copies itself at every step. `own`: the
    model attends by native.attention, which may want them in another dtype.
    """

    def __init__(self, own: bool = False) -> None:
        super().__init__()
        self._own = own

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        dtype = kept_in(key_states, value_states) if self._own else None
        self._buffers = tuple(
            states.new_empty((*states.shape[:2], 0, states.shape[3]), dtype=dtype) for states in (key_states, value_states)
        )

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        start = self.get_seq_length()
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = start + key_states.shape[2]
        if end > self._buffers[0].shape[2]:
            self._buffers = tuple(grown(buffer, start, end + CHUNK) for buffer in self._buffers)
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = states
        self._show(end)
        return self.keys, self.values

    def _show(self, tokens: int) -> None:
        """Makes keys and values those of the first `tokens`."""
        self.keys, self.values = (buffer[:, :, :tokens] for buffer in self._buffers)
        for states, buffer in zip((self.keys, self.values), self._buffers, strict=True):
            setattr(states, BUFFER, buffer)

    def fill(self, rows: Sequence[tuple[torch.Tensor, torch.Tensor]], tokens: int, capacity: int) -> None:
        """Puts keys and values `[heads, own tokens, size]` of every row at the end of the first `tokens`, behind zeros."""
        first = rows[0]
        self.lazy_initialization(*(states[None] for states in first))
        self._buffers = tuple(states.new_zeros(len(rows), len(states), capacity, states.shape[2]) for states in first)
        for row, pair in enumerate(rows):
            for buffer, states in zip(self._buffers, pair, strict=True):
                buffer[row, :, tokens - states.shape[1] : tokens] = states
        self._show(tokens)

    def repeated(self, rows: int, room: int) -> GrowingLayer:
        """The one row of this layer for `rows` rows, with room for `room` tokens more."""
        end = self.get_seq_length()
        layer = copy.copy(self)
        if end == 0:
            return layer
        layer._buffers = tuple(grown(buffer.expand(rows, -1, -1, -1), end, end + room + CHUNK) for buffer in self._buffers)
        layer._show(end)
        return layer

    def join(self, others: Sequence[GrowingLayer], skipped: Sequence[int]) -> None:
        """Takes the rows of `others` behind its own, of each layer without its first `skipped` tokens; the tokens of the
        shorter stand at the end, behind zeros."""
        layers = list(zip([self, *others], skipped, strict=True))
        tokens, rows = max(layer.get_seq_length() - skip for layer, skip in layers), sum(len(layer.keys) for layer, _ in layers)
        buffers = []
        for kind in ("keys", "values"):
            mine = getattr(self, kind)
            buffer = mine.new_empty(rows, mine.shape[1], tokens + CHUNK, mine.shape[3])
            buffer[:, :, tokens:] = 0
            row = 0
            for states in (getattr(layer, kind)[:, :, skip:] for layer, skip in layers):
                own, gap = buffer[row : row + len(states)], tokens - states.shape[2]
                own[:, :, :gap] = 0
                own[:, :, gap:tokens] = states
                row += len(states)
            buffers.append(buffer)
        self._buffers = tuple(buffers)
        self._show(tokens)

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Keeps the rows `beam_idx`."""
        end = self.get_seq_length()
        if end > 0:
            self._buffers = tuple(buffer[beam_idx.to(buffer.device)] for buffer in self._buffers)
            self._show(end)


class FoldingLayer(LinearAttentionLayer):
    """One block's states, into which all tokens of a row are folded."""

    def join(self, others: Sequence[FoldingLayer], skipped: Sequence[int]) -> None:
        """Takes the rows of `others` behind its own. No state holds padding, so that nothing of it is `skipped`."""
        for kind in ("conv_states", "recurrent_states"):
            mine = getattr(self, kind)
            for which, states in mine.items():
                if states is not None:
                    mine[which] = torch.cat([states, *(getattr(layer, kind)[which] for layer in others)])


def grown(buffer: torch.Tensor, used: int, capacity: int) -> torch.Tensor:
    """A copy of the first `used` tokens of `buffer` with room for `capacity`."""
    larger = buffer.new_empty((*buffer.shape[:2], capacity, buffer.shape[3]))
    larger[:, :, :used] = buffer[:, :, :used]
    larger[:, :, used:] = 0
    return larger


def empty_cache(base: Base) -> DynamicCache:
    """A cache for `base`. Blocks that see all tokens, or a window of them, get growing layers, those that fold them folding
    ones, others what the architecture asks for.

    What lies before a window is kept too and masked, as it is without a cache: tokens can be run behind it, and rows join
    others, whatever the windows.
    """
    cache = DynamicCache(config=base.model.config)
    own = is_own(base.model)
    cache.layers = [layer_like(layer, own) for layer in cache.layers]
    return cache


def layer_like(layer: Any, own: bool) -> Any:
    """An empty layer in place of what the architecture asks for."""
    if type(layer) in (DynamicLayer, DynamicSlidingWindowLayer):
        return GrowingLayer(own)
    return FoldingLayer(layer.number_of_states) if type(layer) is LinearAttentionLayer else layer


def can_share(base: Base) -> bool:
    """Whether tokens can be run behind others that were run before them: not with layers that fold tokens."""
    return all(isinstance(layer, GrowingLayer) for layer in empty_cache(base).layers)


def can_join(base: Base) -> bool:
    """Whether rows can take the places of others."""
    return all(isinstance(layer, GrowingLayer | FoldingLayer) for layer in empty_cache(base).layers)


def is_seen_whole(base: Base, tokens: int) -> bool:
    """Whether the last of so many tokens, padding among them, sees the first in every block. Windows are counted in tokens
    of the cache: padding between those of a row would narrow them."""
    windows = [layer.sliding_window for layer in DynamicCache(config=base.model.config).layers if type(layer) is DynamicSlidingWindowLayer]
    return all(tokens <= window for window in windows)


def can_pad(base: Base) -> bool:
    """Whether rows of unequal lengths can be answered together: not with layers that an architecture brings with it, which
    may count their tokens from the first one, padding or not."""
    return all(type(layer).__module__ in (DynamicLayer.__module__, __name__) for layer in empty_cache(base).layers)


def shared_prefix(base: Base, rows: Sequence[Sequence[int]], longest: int) -> int:
    """How many leading ids of all `rows`, `longest` at most, are worth to be run once for all of them."""
    if len(rows) < 2 or not can_share(base):
        return 0
    length = min(common_prefix(rows), longest)
    return length if length >= WORTH_SHARING else 0


def common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """How many leading ids all `rows` have in common."""
    pairs = zip(min(rows), max(rows), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def join(caches: Sequence[DynamicCache], skipped: Sequence[int]) -> DynamicCache:
    """The first of `caches` with the rows of the others behind its own, of each without its first `skipped` tokens."""
    for layer, *others in zip(*(cache.layers for cache in caches), strict=True):
        layer.join(others, skipped)
    return caches[0]


def for_rows(cache: DynamicCache, rows: int, room: int) -> DynamicCache:
    """What a cache of one row holds for `rows` rows, with room for `room` tokens more; the cache itself stays."""
    copied = copy.copy(cache)
    copied.layers = [layer.repeated(rows, room) for layer in cache.layers]
    return copied
