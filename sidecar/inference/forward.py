"""One forward pass over padded rows that goes no deeper than it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import bad_input

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache

    from ..model.base import Base


TOKEN_BUDGET = 16_384  # padded tokens in one forward pass; more would not be faster


class _DeepEnough(Exception):
    """Leaves the forward pass after the deepest wanted block."""


def forward(
    base: Base,
    ids: torch.Tensor,
    positions: torch.Tensor,
    readers: Mapping[int, Callable[[torch.Tensor], None]],
    cache: DynamicCache | None = None,
    mask: torch.Tensor | None = None,
) -> None:
    """Runs `ids` `[rows, tokens]` as far as the deepest of `readers`, each of which is given its block's output.

    `cache` holds what comes before them and takes their keys and values; `mask` `[rows, past and new tokens]` is 0 where
    a row has padding before its tokens. Raises SidecarError of kind `bad-input` where a block's output is not one residual
    of `hidden` numbers a token.
    """
    deepest = max(readers)

    def hook_for(layer: int) -> Callable[[torch.nn.Module, Any, Any], None]:
        def hook(module: torch.nn.Module, inputs: Any, output: Any) -> None:
            residual = output[0] if isinstance(output, tuple) else output
            if residual.shape != (*ids.shape, base.hidden):
                shapes = f"{list(residual.shape)} for {list(ids.shape)} tokens"
                raise bad_input(f"{type(module).__name__} hands on more than one residual stream: {shapes}")
            readers[layer](residual)
            if layer == deepest:
                raise _DeepEnough

        return hook

    handles = [base.blocks[layer].register_forward_hook(hook_for(layer)) for layer in readers]
    try:
        base.decoder(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=cache is not None)
    except _DeepEnough:
        pass
    finally:
        for handle in handles:
            handle.remove()


def forward_to(base: Base, rows: Sequence[Sequence[int]], start: int, blocks: int, cache: DynamicCache) -> None:
    """Runs `rows` of ids, which stand at the positions from `start`, through the first `blocks` blocks into `cache`."""
    ids, positions = right_padded(rows, [start] * len(rows), base.device)
    forward(base, ids, positions, {blocks - 1: lambda hidden: None}, cache)


def right_padded(rows: Sequence[Sequence[int]], starts: Sequence[int], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and positions, each `[rows, longest]`; `starts` are the positions of the rows' first ids.

    Causal attention never looks to the right, so no row can depend on another one's padding.
    """
    import torch

    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    positions = torch.tensor(starts, device=device)[:, None] + torch.arange(longest, device=device)
    return ids, positions


def batches(lengths: Sequence[int], past: Sequence[int], room: int) -> Iterator[list[int]]:
    """Positions of `lengths` in groups whose padded size stays within `TOKEN_BUDGET`, and with the `past` tokens that are kept
    before each within `room`, the tokens that fit into memory at once; a longer row goes alone.

    Longest first, so that rows of like length share a group and the largest need for memory comes at once.
    """
    group: list[int] = []
    before = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        before = max(before, past[index])
        longest, rows = lengths[group[0]] if group else 0, len(group) + 1
        if group and (longest * rows > TOKEN_BUDGET or (longest + before) * rows > room):
            yield group
            group, before = [], past[index]
        group.append(index)
    if group:
        yield group
