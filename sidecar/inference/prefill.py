"""Reads the residual stream of known token ids.

Every recording is made here, for the organism and for the clean model alike, so that their difference holds nothing
but the adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import bad_input
from .forward import TOKEN_BUDGET

if TYPE_CHECKING:
    import torch

    from ..model.base import Base
    from .past import Past
    from .prompts import Prompts


@dataclass(frozen=True)
class Job:
    """Token ids to run, the layers wanted of them and the first position wanted."""

    ids: Sequence[int]
    layers: Sequence[int]
    start: int


def prefill(
    base: Base,
    jobs: Sequence[Job],
    keep: Callable[[int, int, torch.Tensor], None],
    on_done: Callable[[int, int], None] = lambda jobs, tokens: None,
    room: int = TOKEN_BUDGET,
    prompts: Prompts | None = None,
) -> None:
    """Hands `keep(job, layer, residual)` the output of block `layer`, `[len(ids) - start, hidden]`, for every job.

    The residual is a copy on the CPU in the model's dtype. Tokens before `start` run once for all jobs that begin with
    them: with `prompts` for as long as those are kept, else where all jobs have them in common. `room`: tokens that fit
    into memory at once. `on_done` hears of finished jobs and their tokens. Raises SidecarError of kind `bad-input` for a
    layer the model does not have or ids beyond its context or vocabulary.
    """
    import torch

    from .forward import batches
    from .past import past_of

    for job in jobs:
        check(base, job)
    if not jobs:
        return
    deepest = max(layer for job in jobs for layer in job.layers)
    with torch.inference_mode():
        past = past_of(base, [job.ids for job in jobs], [job.start for job in jobs], deepest + 1, room, prompts)
        own = [len(job.ids) - tokens for job, tokens in zip(jobs, past.tokens, strict=True)]
        for batch in batches(own, past.tokens, room):
            run_batch(base, jobs, past, batch, keep)
            on_done(len(batch), sum(len(jobs[index].ids) for index in batch))


def run_batch(
    base: Base, jobs: Sequence[Job], past: Past, batch: Sequence[int], keep: Callable[[int, int, torch.Tensor], None]
) -> None:
    """One forward pass over what the jobs of `batch` have beyond their past, stopped after their deepest layer."""
    import torch

    from .forward import forward, right_padded

    starts = [past.tokens[index] for index in batch]
    ids, positions = right_padded([jobs[index].ids[start:] for index, start in zip(batch, starts, strict=True)], starts, base.device)
    cache, mask = past.cache(batch, ids.shape[1])
    if mask is not None:
        mask = torch.cat([mask, mask.new_ones(ids.shape)], dim=1)

    def reader(layer: int) -> Callable[[torch.Tensor], None]:
        def read(hidden: torch.Tensor) -> None:
            for row, (index, start) in enumerate(zip(batch, starts, strict=True)):
                if layer in jobs[index].layers:
                    wanted = slice(jobs[index].start - start, len(jobs[index].ids) - start)
                    keep(index, layer, hidden[row, wanted].to("cpu", copy=True))

        return read

    layers = {layer for index in batch for layer in jobs[index].layers}
    forward(base, ids, positions, {layer: reader(layer) for layer in layers}, cache, mask)


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
