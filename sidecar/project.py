"""`project`: how far every token's activation lies along a direction. Needs no model and loads none."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from . import params
from .errors import bad_input
from .progress import Progress
from .refs import Reader, Ref, parse_ref, read_float32
from .residency import Resident
from .scores import ScoreRun, write_scores

READERS = min(8, os.cpu_count() or 1)  # hashing, widening and products run beside each other


@dataclass(frozen=True)
class Labelled:
    """An input tensor and the labels its rows get."""

    ref: Ref
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Wanted:
    """One cell: positions of its activation and vector in the request, and what is subtracted from the scores."""

    id: str
    activation: int
    vector: int
    offset: float


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*: `score = h · v / ‖v‖ − offset` in float32, one score a row of the activation.

    A cell with a vector of no direction or a score that is not finite is listed in `failed`.
    """
    out = params.text(request, "out")
    file_labels = params.labels(request, "labels")
    activations = [parse_labelled(item) for item in params.items(request, "activations")]
    vectors = [parse_labelled(item) for item in params.items(request, "vectors")]
    cells = [parse_cell(cell, len(activations), len(vectors)) for cell in params.items(request, "cells")]
    params.unique([cell.id for cell in cells], "cell")
    progress.expect(len(cells))
    units = {index: read_unit(vectors[index].ref) for index in sorted({cell.vector for cell in cells})}
    scores, failed = score_cells(activations, units, cells, progress)
    runs = [
        ScoreRun(cell.id, scores[cell.id], merge(cell.id, file_labels, activations[cell.activation], vectors[cell.vector]))
        for cell in cells
        if cell.id in scores
    ]
    return {**write_scores(out, runs), "failed": [failed[cell.id] for cell in cells if cell.id in failed]}


def score_cells(
    activations: Sequence[Labelled], units: Mapping[int, np.ndarray | None], cells: Sequence[Wanted], progress: Progress
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, str]]]:
    """Scores `[tokens]` by cell id, and the cells that have none. Every activation is read once, some at a time."""
    scores: dict[str, np.ndarray] = {}
    failed: dict[str, dict[str, str]] = {}
    of_activation: dict[int, list[Wanted]] = defaultdict(list)
    for cell in cells:
        if units[cell.vector] is None:
            failed[cell.id] = {"id": cell.id, "reason": "its vector is zero or not finite: it has no direction"}
            progress.advance(done=1)
        else:
            of_activation[cell.activation].append(cell)
    directions = Directions(units)
    own = threading.local()

    def work(item: tuple[int, list[Wanted]]) -> tuple[list[Wanted], np.ndarray, list[int]]:
        reader = vars(own).setdefault("reader", Reader())
        along = project_one(reader.float32(activations[item[0]].ref), directions, item[1])
        return item[1], along, (~np.isfinite(along)).sum(axis=1).tolist()

    # Each reader multiplies by itself: the threads of a product would wait for each other.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(READERS) as readers:
        for wanted, along, bad in readers.map(work, of_activation.items()):
            for cell, score, wrong in zip(wanted, along, bad, strict=True):
                if wrong == 0:
                    scores[cell.id] = score
                else:
                    failed[cell.id] = {"id": cell.id, "reason": f"{wrong} of {len(score)} scores are not finite"}
            progress.advance(done=len(wanted), tokens=along.shape[1])
    return scores, failed


class Directions:
    """Unit vectors side by side, `[hidden, vectors]`, for the lists of vectors that were asked for."""

    def __init__(self, units: Mapping[int, np.ndarray | None]) -> None:
        self._units = units
        self._stacked: dict[tuple[int, ...], np.ndarray] = {}

    def of(self, vectors: tuple[int, ...]) -> np.ndarray:
        """The matrix of these vectors, all of which have a direction. Raises SidecarError of kind `bad-input` for vectors of
        different models."""
        found = self._stacked.get(vectors)
        if found is None:
            units = [unit for vector in vectors if (unit := self._units[vector]) is not None]
            if len({len(unit) for unit in units}) > 1:
                raise bad_input(f"the vectors of a request differ in length: {sorted({len(unit) for unit in units})}")
            self._stacked[vectors] = found = np.stack(units, axis=1)
        return found


def project_one(states: np.ndarray, directions: Directions, wanted: Sequence[Wanted]) -> np.ndarray:
    """The scores of one activation `[tokens, hidden]` along the vectors of `wanted`, `[vectors, tokens]`."""
    matrix = directions.of(tuple(cell.vector for cell in wanted))
    if states.ndim != 2 or states.shape[1] != matrix.shape[0]:
        shape = list(states.shape)
        raise bad_input(f"cell '{wanted[0].id}': a vector of {matrix.shape[0]} values does not fit activations of shape {shape}")
    with np.errstate(all="ignore"):  # what overflows is found by whoever looks at the scores
        along = states @ matrix - np.array([cell.offset for cell in wanted], np.float32)
    return np.ascontiguousarray(along.T)


def read_unit(ref: Ref) -> np.ndarray | None:
    """The vector of `ref` scaled to length 1, float32 `[hidden]`; None when it has no direction."""
    vector = read_float32(ref).astype(np.float64)
    if vector.ndim != 1:
        raise bad_input(f"the vector {ref.digest} has the shape {list(vector.shape)}, not [hidden]")
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0:
        return None
    return (vector / norm).astype(np.float32)


def merge(cell: str, file_labels: Mapping[str, str], activation: Labelled, vector: Labelled) -> dict[str, str]:
    """A cell's labels. Raises SidecarError of kind `bad-input` when two sources disagree."""
    merged: dict[str, str] = {}
    for labels in (file_labels, activation.labels, vector.labels):
        for name, value in labels.items():
            if merged.setdefault(name, value) != value:
                raise bad_input(f"cell '{cell}': the label '{name}' is both '{merged[name]}' and '{value}'")
    return merged


def parse_labelled(value: params.Params) -> Labelled:
    """One of the request's `activations` or `vectors`."""
    return Labelled(parse_ref(params.section(value, "ref")), params.labels(value, "labels"))


def parse_cell(value: params.Params, activations: int, vectors: int) -> Wanted:
    """One of the request's `cells`."""
    name = params.text(value, "id")
    activation, vector = params.integer(value, "activation", 0), params.integer(value, "vector", 0)
    if activation >= activations or vector >= vectors:
        raise bad_input(f"cell '{name}' points past the {activations} activations or {vectors} vectors of the request")
    return Wanted(name, activation, vector, params.number(value, "offset"))
