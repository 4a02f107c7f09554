"""How many tokens one piece of work may hold at once: measured when a model is loaded, halved when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import bad_input, is_out_of_memory
from ..native.allocator import give_freed_memory_back, keep_freed_memory
from ..native.memory import PEAK, free_host_memory

if TYPE_CHECKING:
    import torch

    from ..model.base import Base

PROBE_TOKENS = 256  # run once through all blocks to see what a token takes
SHARE = 0.5  # of the free memory; recordings that wait to be written, kept prompts and the allocator need the rest
FLOAT32 = 4  # bytes
LEAST = 64  # tokens: with less than that there is no use in going on
PASS = 4096  # tokens of prompts that one pass takes at most, beside rows of which only keys and values are there


class Room:
    """`tokens` (padded ones, with their keys and values) that may be worked on at once. It only ever shrinks. `kept`: which
    share of a token's memory its keys and values take, which stay when it has passed."""

    def __init__(self, tokens: int, kept: float = 1.0) -> None:
        self.tokens = max(LEAST, tokens)
        self._kept = kept

    def rows(self, longest: int) -> int:
        """How many rows of `longest` tokens can be answered together, one at least: where `PASS` of their tokens are in a
        pass at most, and of the others keys and values are kept."""
        return max(1, self.tokens // longest, int((self.tokens - PASS) / (longest * self._kept)))

    def keep_within(self, work: Callable[[], dict[str, Any]], release: Callable[[], None]) -> dict[str, Any]:
        """What `work` returns, begun again with half the room each time memory runs out. Raises what it raises when
        there is no less room to try."""
        while True:
            try:
                return work()
            except Exception as error:
                if not is_out_of_memory(error) or self.tokens // 2 < LEAST:
                    raise
            # Only now are the failed call's frames gone, and with them its tensors.
            release()
            self.tokens //= 2


def measured(base: Base, limit: int | None) -> Room:
    """The room that the free memory of the fullest device gives, and no more than `limit`, which was found out before."""
    needs = needs_of(base)
    tokens = min(int(max(0.0, free_memory(device) * SHARE - of.always) / max(1, of.token)) for device, of in needs.items())
    return Room(tokens if limit is None else min(tokens, limit), max(of.kept / max(1, of.token) for of in needs.values()))


@dataclass(frozen=True)
class Needs:
    """Bytes that a forward pass takes on a device: however few tokens it has, for each of them, and what is kept of each
    behind it."""

    always: int
    token: int
    kept: int


def needs_of(base: Base) -> dict[torch.device, Needs]:
    """What passes through the model take on each of its devices: by a probe, or a token's keys and values where the allocator found room for the
    probe in memory that it had, and some residuals of it. Raises SidecarError of kind `bad-input` for a model that such a
    first run ends in an error.

    A pass over weights of few bits widens one layer's after another, which takes as much for one token as for thousands: on
    a GPU, where memory is counted to the byte, a shorter probe tells that apart.
    """
    from .cache import can_share

    tokens = min(PROBE_TOKENS, base.context)
    try:
        taken, states = probe(base, tokens)
        fewer = probe(base, tokens // 4)[0] if base.device.type == "cuda" else [0]
    except (AttributeError, TypeError, ValueError) as error:
        raise bad_input(f"architecture '{base.model.config.model_type}' does not run behind a cache as others do: {error}") from error
    shares = can_share(base)

    def on_one(taken: int, fewer: int, states: int) -> Needs:
        each = (taken - fewer) // (tokens - tokens // 4) if fewer else taken // tokens
        token = max(each, states // tokens) + 4 * FLOAT32 * base.hidden
        return Needs(max(0, taken - each * tokens) if fewer else 0, token, states // tokens if shares else token)

    return dict(zip(base.devices, map(on_one, taken, fewer, states), strict=True))


def probe(base: Base, tokens: int) -> tuple[list[int], list[int]]:
    """Bytes that `tokens` tokens of one row take in all blocks on each device, and those of their keys and values alone."""
    import torch

    from .cache import GrowingLayer, empty_cache
    from .forward import forward_to

    with torch.inference_mode():
        cache = empty_cache(base)
        taken = taken_by(base.devices, lambda: forward_to(base, [[0] * tokens], 0, len(base.blocks), cache))
    held = [(layer.keys.device, layer.keys.nbytes + layer.values.nbytes) for layer in cache.layers if isinstance(layer, GrowingLayer)]
    alone = len(base.devices) == 1
    return taken, [sum(size for place, size in held if alone or place == device) for device in base.devices]


def taken_by(devices: Sequence[torch.device], work: Callable[[], None]) -> list[int]:
    """Bytes of memory on each of `devices` that `work` needs beyond what is there before, 0 where that cannot be seen. Freed
    host memory is not kept from then on."""
    import torch

    if devices[0].type == "cuda":
        for device in devices:
            torch.cuda.reset_peak_memory_stats(device)
        before = [torch.cuda.memory_allocated(device) for device in devices]
        work()
        return [torch.cuda.max_memory_allocated(device) - held for device, held in zip(devices, before, strict=True)]
    # Memory that was kept would be taken again unseen.
    keep_freed_memory(False)
    give_freed_memory_back()
    seen = PEAK.restart()
    before = PEAK.since_restart()
    work()
    return [PEAK.since_restart() - before if seen else 0]


def peak_memory(devices: Sequence[torch.device]) -> int:
    """Most bytes that this process had on `devices`, of each at once; of the host's memory, all that it is made of."""
    import torch

    return sum(torch.cuda.max_memory_reserved(device) for device in devices) if devices[0].type == "cuda" else PEAK.ever()


def free_memory(device: torch.device) -> int:
    """Bytes that can still be taken on `device`, with what torch keeps for itself there."""
    import torch

    if device.type != "cuda":
        return free_host_memory()
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
