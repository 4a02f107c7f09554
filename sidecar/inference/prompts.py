"""Keys and values of prompts, kept for one state of the model.

The clean model reads the answers of every organism to the same prompts: each prompt is run once, and each answer
behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import DynamicCache

from ..native.memory import host_memory
from .cache import CHUNK, GrowingLayer, empty_cache

if TYPE_CHECKING:
    from ..model.base import Base


@dataclass(frozen=True)
class Prompt:
    """Keys and values of a prompt's tokens, `[heads, tokens, size]` each, of the first blocks."""

    tokens: int
    blocks: Sequence[tuple[torch.Tensor, torch.Tensor]]

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return sum(states.nbytes for pair in self.blocks for states in pair)


SHARE_OF_MEMORY = 0.1  # of the device's that is free


def budget_on(devices: Sequence[torch.device]) -> int:
    """Bytes that kept prompts may take on `devices`, each of which has its part of every prompt."""
    free = [torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else host_memory() for device in devices]
    return int(min(free) * len(free) * SHARE_OF_MEMORY)


class Prompts:
    """Prompts by their token ids. What does not fit into `budget` bytes is not kept; nothing makes room for it, since
    prompts come round and round in the same order."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: dict[tuple[int, ...], Prompt] = {}
        self._bytes = 0

    def find(self, ids: tuple[int, ...], blocks: int) -> Prompt | None:
        """The prompt of these ids, if it was run through `blocks` blocks or more."""
        found = self._kept.get(ids)
        return found if found is not None and len(found.blocks) >= blocks else None

    def keep(self, ids: tuple[int, ...], prompt: Prompt) -> None:
        """Keeps a prompt in place of the one of the same ids, if there is room for it."""
        former = self._kept.get(ids)
        after = self._bytes + prompt.bytes - (0 if former is None else former.bytes)
        if after <= self._budget:
            self._kept[ids], self._bytes = prompt, after


def rows_of(cache: DynamicCache, lengths: Iterable[int], blocks: int) -> list[Prompt]:
    """The prompts in a cache of one row each, right-padded to the longest of `lengths`, of its first `blocks` blocks."""
    layers = [(layer.keys, layer.values) for layer in cache.layers[:blocks]]
    return [
        Prompt(length, [(keys[row, :, :length].clone(), values[row, :, :length].clone()) for keys, values in layers])
        for row, length in enumerate(lengths)
    ]


def joined(base: Base, prompts: Sequence[Prompt], blocks: int, room: int) -> tuple[DynamicCache, torch.Tensor]:
    """A cache with one prompt a row and its mask `[rows, longest]`: padded on the left, with room for `room` more tokens."""
    cache = empty_cache(base)
    longest = max(prompt.tokens for prompt in prompts)
    for index in range(blocks):
        layer = cache.layers[index]
        assert isinstance(layer, GrowingLayer)
        layer.fill([prompt.blocks[index] for prompt in prompts], longest, longest + room + CHUNK)
    mask = torch.tensor([[0] * (longest - prompt.tokens) + [1] * prompt.tokens for prompt in prompts], device=base.device)
    return cache, mask
