"""Reads the residual stream of known token ids in one forward pass that goes no deeper than it must.

Every recording is made here, for the organism and for the clean model alike, so that their difference holds nothing
but the adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import bad_input

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache

    from .base import Base

TOKEN_BUDGET = 16_384  # padded tokens in one forward pass


@dataclass(frozen=True)
class Job:
    """Token ids to run, the layers wanted of them and the first position wanted."""

    ids: Sequence[int]
    layers: Sequence[int]
    start: int


class _DeepEnough(Exception):
    """Leaves the forward pass after the deepest wanted block."""


def prefill(
    base: Base,
    jobs: Sequence[Job],
    keep: Callable[[int, int, torch.Tensor], None],
    on_done: Callable[[int, int], None] = lambda jobs, tokens: None,
    budget: int = TOKEN_BUDGET,
) -> None:
    """Hands `keep(job, layer, residual)` the output of block `layer`, `[len(ids) - start, hidden]`, for every job.

    The residual is a copy on the CPU in the model's dtype. Rows are padded on the right: causal attention never looks
    there, so no row can depend on another one's padding. Tokens that all jobs begin with run once. `on_done` hears of finished jobs and their tokens. Raises
    SidecarError of kind `bad-input` for a layer the model does not have or ids beyond its context or vocabulary.
    """
    import torch

    from .cache import shared_prefix

    for job in jobs:
        check(base, job)
    with torch.inference_mode():
        prefix = run_prefix(base, jobs, shared_prefix(base, [job.ids for job in jobs], min((job.start for job in jobs), default=0)))
        for batch in batches([len(job.ids) - prefix.length for job in jobs], budget):
            run_batch(base, prefix, [(index, jobs[index]) for index in batch], keep)
            on_done(len(batch), sum(len(jobs[index].ids) for index in batch))


@dataclass(frozen=True)
class Prefix:
    """Leading tokens that all jobs share and nobody wants the residual of, run once."""

    length: int
    cache: DynamicCache | None


def run_prefix(base: Base, jobs: Sequence[Job], length: int) -> Prefix:
    """Keys and values of the jobs' first `length` ids, down to the deepest layer that is wanted."""
    import torch

    from .cache import empty_cache

    if length == 0:
        return Prefix(0, None)
    cache = empty_cache(base)
    deepest = max(layer for job in jobs for layer in job.layers)
    ids = torch.tensor([list(jobs[0].ids[:length])], device=base.device)
    forward(base, ids, torch.arange(length, device=base.device)[None], cache, {deepest: lambda hidden: None})
    return Prefix(length, cache)


def run_batch(base: Base, prefix: Prefix, batch: Sequence[tuple[int, Job]], keep: Callable[[int, int, torch.Tensor], None]) -> None:
    """One forward pass over what `batch` has beyond `prefix`, stopped after its deepest layer."""
    import torch

    from .cache import for_rows

    own = [list(job.ids[prefix.length :]) for _, job in batch]
    longest = max(len(ids) for ids in own)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in own], device=base.device)
    positions = torch.arange(prefix.length, prefix.length + longest, device=base.device).expand(len(batch), -1)

    def reader(layer: int) -> Callable[[torch.Tensor], None]:
        def read(hidden: torch.Tensor) -> None:
            for row, (index, job) in enumerate(batch):
                if layer in job.layers:
                    wanted = slice(job.start - prefix.length, len(job.ids) - prefix.length)
                    keep(index, layer, hidden[row, wanted].to("cpu", copy=True))

        return read

    cache = None if prefix.cache is None else for_rows(prefix.cache, len(batch))
    forward(base, ids, positions, cache, {layer: reader(layer) for _, job in batch for layer in job.layers})


def forward(
    base: Base,
    ids: torch.Tensor,
    positions: torch.Tensor,
    cache: DynamicCache | None,
    readers: Mapping[int, Callable[[torch.Tensor], None]],
) -> None:
    """Runs `ids` `[rows, tokens]` as far as the deepest of `readers`, each of which is given its block's output."""
    deepest = max(readers)

    def hook_for(layer: int) -> Callable[[torch.nn.Module, Any, Any], None]:
        def hook(module: torch.nn.Module, inputs: Any, output: Any) -> None:
            readers[layer](output[0] if isinstance(output, tuple) else output)
            if layer == deepest:
                raise _DeepEnough

        return hook

    handles = [base.blocks[layer].register_forward_hook(hook_for(layer)) for layer in readers]
    try:
        base.decoder(input_ids=ids, position_ids=positions, past_key_values=cache, use_cache=cache is not None)
    except _DeepEnough:
        pass
    finally:
        for handle in handles:
            handle.remove()


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions of `lengths` in groups whose padded size stays within `budget`; a longer row goes alone.

    Longest first, so that rows of like length share a group and the largest need for memory comes at once.
    """
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if group and lengths[group[0]] * (len(group) + 1) > budget:
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def check(base: Base, job: Job) -> None:
    """Raises SidecarError of kind `bad-input` when the job cannot be run on the loaded model."""
    if not job.layers:
        raise bad_input("no layers are wanted")
    for layer in job.layers:
        if not 0 <= layer < len(base.blocks):
            raise bad_input(f"layer {layer} is not one of the model's {len(base.blocks)}")
    if len(job.ids) > base.context:
        raise bad_input(f"{len(job.ids)} tokens exceed the context of {base.context}")
    vocabulary = base.vocabulary
    if not job.ids or min(job.ids) < 0 or max(job.ids) >= vocabulary:
        raise bad_input(f"token ids must be there and below the model's vocabulary of {vocabulary}")
