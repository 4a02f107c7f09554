"""`score`: answers run through the model as for `capture`, and only how far their states lie along directions is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from threadpoolctl import ThreadpoolController

from ..inference.prefill import Job, prefill
from ..inference.residency import Resident
from ..stored.scratch import Memory
from ..vectors.along import Along, parse_cells, parse_labelled
from ..wire import params
from ..wire.progress import Progress
from .capture import parse_positions, to_job

if TYPE_CHECKING:
    import numpy as np
    import torch


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*: the scores that `project` would give of what `capture` would write, in float32 of the states
    rounded to the model's dtype. A state is let go of as soon as it is projected."""
    base = resident.base
    out = params.text(request, "out")
    file_labels = params.labels(request, "labels")
    all_positions = parse_positions(request)
    responses = [parse_labelled(item, "response") for item in params.items(request, "responses")]
    vectors = [parse_labelled(item) for item in params.items(request, "vectors")]
    cells = parse_cells(request, {"response": len(responses), "layer": None}, len(vectors))
    with Along(out, cells, responses, vectors, file_labels) as scores:
        progress.expect(len(cells.ids))
        progress.advance(done=scores.failed)
        layers: dict[int, list[int]] = {}
        for index, layer in scores.states:
            layers.setdefault(index, []).append(layer)
        order = list(layers)
        jobs: list[Job] = [to_job(f"response {index}", responses[index].ref, layers[index], all_positions) for index in order]
        blas = ThreadpoolController()
        memory = Memory()

        def keep(job: int, layer: int, residual: torch.Tensor) -> None:
            of = (order[job], layer)
            with blas.limit(limits=1, user_api="blas"):  # as `project` does, so that sums are taken in the same order
                progress.advance(done=scores.take(of, scores.scores(of, to_stored(residual), memory)))

        prefill(base, jobs, keep, lambda _, tokens: progress.advance(tokens=tokens), resident.room.tokens, resident.prompts)
        return scores.result()


def to_stored(residual: torch.Tensor) -> np.ndarray:
    """States `[tokens, hidden]` as `tensors.as_stored` has what `capture` would write."""
    import torch

    whole = residual.contiguous()
    return whole.view(torch.int16).numpy().view("<u2") if whole.dtype == torch.bfloat16 else whole.numpy()
