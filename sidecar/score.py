"""`score`: answers run through the model as for `capture`, and only how far their states lie along directions is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from threadpoolctl import ThreadpoolController

from . import params
from .along import Along, Wanted, parse_labelled
from .capture import parse_positions, to_job
from .errors import bad_input
from .prefill import Job, prefill
from .progress import Progress
from .residency import Resident

if TYPE_CHECKING:
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
    cells = [parse_cell(cell, len(responses), len(vectors)) for cell in params.items(request, "cells")]
    scores = Along(cells, vectors)
    progress.expect(len(cells))
    progress.advance(done=scores.failed)
    layers: dict[int, list[int]] = {}
    for index, layer in scores.states:
        layers.setdefault(index, []).append(layer)
    order = list(layers)
    jobs: list[Job] = [to_job(f"response {index}", responses[index].ref, layers[index], all_positions) for index in order]
    blas = ThreadpoolController()

    def keep(job: int, layer: int, residual: torch.Tensor) -> None:
        of = (order[job], layer)
        with blas.limit(limits=1, user_api="blas"):  # as `project` does, so that sums are taken in the same order
            progress.advance(done=scores.take(of, scores.products(of, residual.float().numpy())))

    prefill(base, jobs, keep, lambda _, tokens: progress.advance(tokens=tokens), resident.room.tokens, resident.prompts)
    return scores.result(out, {index: response.labels for index, response in enumerate(responses)}, file_labels)


def parse_cell(value: params.Params, responses: int, vectors: int) -> Wanted:
    """One of the request's `cells`."""
    name = params.text(value, "id")
    response, vector = params.integer(value, "response", 0), params.integer(value, "vector", 0)
    if response >= responses or vector >= vectors:
        raise bad_input(f"cell '{name}' points past the {responses} responses or {vectors} vectors of the request")
    return Wanted(name, (response, params.integer(value, "layer", 0)), vector, params.number(value, "offset"))
