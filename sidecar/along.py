"""How far states of the residual stream lie along directions: what `project` and `score` have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import params
from .errors import bad_input
from .refs import Ref, parse_ref, read_float32
from .scores import ScoreRun, write_scores


@dataclass(frozen=True)
class Labelled:
    """An input of the request and the labels its rows get."""

    ref: Ref
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Wanted:
    """One cell: which states it is of, the position of its vector in the request, and what is subtracted from its scores."""

    id: str
    of: tuple[int, ...]
    vector: int
    offset: float


class Along:
    """Collects the scores of the cells of a request: `score = h · v / ‖v‖ − offset` in float32, one a row of `h`.

    A cell with a vector of no direction or a score that is not finite is listed in `failed`.
    """

    def __init__(self, cells: Sequence[Wanted], vectors: Sequence[Labelled]) -> None:
        params.unique([cell.id for cell in cells], "cell")
        self._cells = cells
        self._vectors = vectors
        self._directions = Directions({index: read_unit(vectors[index].ref) for index in sorted({cell.vector for cell in cells})})
        self._scores: dict[str, np.ndarray] = {}
        self._failed: dict[str, str] = {}
        self._by_states: dict[tuple[int, ...], list[Wanted]] = defaultdict(list)
        for cell in cells:
            if self._directions.has(cell.vector):
                self._by_states[cell.of].append(cell)
            else:
                self._failed[cell.id] = "its vector is zero or not finite: it has no direction"

    @property
    def states(self) -> Iterable[tuple[int, ...]]:
        """The states that scores are wanted of."""
        return self._by_states.keys()

    @property
    def failed(self) -> int:
        """How many cells have no scores so far for a reason."""
        return len(self._failed)

    def products(self, of: tuple[int, ...], states: np.ndarray) -> np.ndarray:
        """The scores of `states`, float32 `[tokens, hidden]`, along all vectors wanted of them: `[vectors, tokens]`.

        Raises SidecarError of kind `bad-input` where they do not fit together. Safe to call from several threads.
        """
        wanted = self._by_states[of]
        matrix = self._directions.of(tuple(cell.vector for cell in wanted))
        if states.ndim != 2 or states.shape[1] != matrix.shape[0]:
            shape = list(states.shape)
            raise bad_input(f"cell '{wanted[0].id}': a vector of {matrix.shape[0]} values does not fit activations of shape {shape}")
        with np.errstate(all="ignore"):  # what overflows is found by whoever looks at the scores
            along = states @ matrix - np.array([cell.offset for cell in wanted], np.float32)
        return np.ascontiguousarray(along.T)

    def take(self, of: tuple[int, ...], along: np.ndarray) -> int:
        """Keeps what `products` gave; returns how many cells that are."""
        wanted = self._by_states[of]
        bad = (~np.isfinite(along)).sum(axis=1).tolist()
        for cell, score, wrong in zip(wanted, along, bad, strict=True):
            if wrong == 0:
                self._scores[cell.id] = score
            else:
                self._failed[cell.id] = f"{wrong} of {len(score)} scores are not finite"
        return len(wanted)

    def result(self, out: str, labels_of: Mapping[int, Mapping[str, str]], file_labels: Mapping[str, str]) -> dict[str, Any]:
        """Writes the scores into `out` and returns the protocol's *result*. `labels_of`: by the first number of a cell's states."""
        runs = [
            ScoreRun(
                cell.id, self._scores[cell.id], merge(cell.id, file_labels, labels_of[cell.of[0]], self._vectors[cell.vector].labels)
            )
            for cell in self._cells
            if cell.id in self._scores
        ]
        failed = [{"id": cell.id, "reason": self._failed[cell.id]} for cell in self._cells if cell.id in self._failed]
        return {**write_scores(out, runs), "failed": failed}


class Directions:
    """Unit vectors side by side, `[hidden, vectors]`, for the lists of vectors that were asked for."""

    def __init__(self, units: Mapping[int, np.ndarray | None]) -> None:
        self._units = units
        self._stacked: dict[tuple[int, ...], np.ndarray] = {}

    def has(self, vector: int) -> bool:
        """Whether the vector has a direction."""
        return self._units[vector] is not None

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


def read_unit(ref: Ref) -> np.ndarray | None:
    """The vector of `ref` scaled to length 1, float32 `[hidden]`; None when it has no direction."""
    vector = read_float32(ref).astype(np.float64)
    if vector.ndim != 1:
        raise bad_input(f"the vector {ref.digest} has the shape {list(vector.shape)}, not [hidden]")
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0:
        return None
    return (vector / norm).astype(np.float32)


def merge(cell: str, *sources: Mapping[str, str]) -> dict[str, str]:
    """A cell's labels. Raises SidecarError of kind `bad-input` when two sources disagree."""
    merged: dict[str, str] = {}
    for labels in sources:
        for name, value in labels.items():
            if merged.setdefault(name, value) != value:
                raise bad_input(f"cell '{cell}': the label '{name}' is both '{merged[name]}' and '{value}'")
    return merged


def parse_labelled(value: params.Params, name: str = "ref") -> Labelled:
    """One of the request's inputs, its ref under `name`."""
    return Labelled(parse_ref(params.section(value, name)), params.labels(value, "labels"))
