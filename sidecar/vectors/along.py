"""How far states of the residual stream lie along directions: what `project` and `score` have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import bad_input
from ..stored.labels import Labels, label_columns
from ..stored.refs import Ref, parse_ref
from ..stored.scores import ScoreFile
from ..stored.scratch import Memory
from ..stored.shards import digest_of
from ..stored.tensors import read_float32
from ..wire import params
from .products import Directions, along, fits


@dataclass(frozen=True)
class Labelled:
    """An input of the request and the labels its rows get."""

    ref: Ref
    labels: Labels


@dataclass(frozen=True)
class Cells:
    """The cells of a request, field by field: which states each is of (their input first), the position of its vector, and
    what is subtracted from its scores."""

    ids: Sequence[str]
    of: Sequence[tuple[int, ...]]
    vectors: Sequence[int]
    offsets: Sequence[float]


@dataclass(frozen=True)
class Scores:
    """Of one input's states: a row of float32 scores a cell, `[cells, tokens]`, the digest of each, and how many of its
    scores are not finite."""

    rows: np.ndarray
    digests: Sequence[str]
    wrong: Sequence[int]


class Along:
    """Writes the scores of the cells of a request: `score = h · v / ‖v‖ − offset` in float32, one a row of `h`.

    A cell with a vector of no direction or a score that is not finite is listed in `failed`. Use as a context manager; left
    without `result`, nothing is written. Raises SidecarError of kind `bad-input` for a request that is not in itself
    consistent.
    """

    def __init__(self, out: str, cells: Cells, inputs: Sequence[Labelled], vectors: Sequence[Labelled], file_labels: Labels) -> None:
        params.unique(cells.ids, "cell")
        self._cells = cells
        self._directions = Directions({index: read_unit(vectors[index].ref) for index in sorted(set(cells.vectors))})
        self._made: dict[int, tuple[str, int, int]] = {}  # of a cell: digest, first row, rows
        self._failed: dict[int, str] = {}
        self._by_states: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for cell, (of, vector) in enumerate(zip(cells.of, cells.vectors, strict=True)):
            if self._directions.has(vector):
                self._by_states[of].append(cell)
            else:
                self._failed[cell] = "its vector is zero or not finite: it has no direction"
        sources = [
            ([file_labels], [0] * len(cells.ids)),
            ([source.labels for source in inputs], [of[0] for of in cells.of]),
            ([vector.labels for vector in vectors], cells.vectors),
        ]
        self._file = ScoreFile(out, label_columns(cells.ids, sources))

    @property
    def states(self) -> Collection[tuple[int, ...]]:
        """The states that scores are wanted of."""
        return self._by_states.keys()

    @property
    def failed(self) -> int:
        """How many cells have no scores so far for a reason."""
        return len(self._failed)

    def scores(self, of: tuple[int, ...], stored: np.ndarray, memory: Memory) -> Scores:
        """The scores of states as `tensors.as_stored` has them, along all vectors wanted of them.

        Raises SidecarError of kind `bad-input` where they do not fit together. Safe to call from several threads, each with
        memory of its own.
        """
        wanted = self._by_states[of]
        matrix = self._directions.of(tuple(self._cells.vectors[cell] for cell in wanted))
        if not fits(stored, matrix):
            hidden, shape = matrix.whole.shape[1], list(stored.shape)
            raise bad_input(f"cell '{self._cells.ids[wanted[0]]}': a vector of {hidden} values does not fit activations of shape {shape}")
        offsets = np.array([self._cells.offsets[cell] for cell in wanted], np.float32)
        rows = np.ascontiguousarray(along(stored, matrix, memory) - offsets[:, None])
        finite = np.isfinite(rows)
        wrong = [0] * len(rows) if finite.all() else (~finite).sum(axis=1).tolist()
        data, length = memoryview(rows.view(np.uint8).reshape(-1)), rows.shape[1] * rows.itemsize
        return Scores(rows, [digest_of(data[at * length : (at + 1) * length]) for at in range(len(rows))], wrong)

    def take(self, of: tuple[int, ...], scores: Scores) -> int:
        """Keeps what `scores` gave; returns how many cells that are."""
        wanted = self._by_states[of]
        tokens = scores.rows.shape[1]
        for cell, wrong in zip(wanted, scores.wrong, strict=True):
            if wrong > 0:
                self._failed[cell] = f"{wrong} of {tokens} scores are not finite"
        whole = [index for index, wrong in enumerate(scores.wrong) if wrong == 0]
        row = self._file.add([wanted[index] for index in whole], scores.rows[whole] if len(whole) < len(wanted) else scores.rows)
        for index in whole:
            self._made[wanted[index]] = (scores.digests[index], row, tokens)
            row += tokens
        return len(wanted)

    def result(self) -> dict[str, Any]:
        """The protocol's *result*, cells in the order of the request."""
        files = self._file.finish()
        ids = self._cells.ids
        cells = []
        for cell in sorted(self._made):
            digest, row, tokens = self._made[cell]
            slot = {"file": ScoreFile.NAME, "format": "parquet", "row": row, "rows": tokens}
            cells.append({"id": ids[cell], "digest": digest, "slot": slot, "facts": {"tokens": tokens}})
        failed = [{"id": ids[cell], "reason": self._failed[cell]} for cell in sorted(self._failed)]
        return {"files": files, "cells": cells, "failed": failed}

    def __enter__(self) -> Along:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def read_unit(ref: Ref) -> np.ndarray | None:
    """The vector of `ref` scaled to length 1, float32 `[hidden]`; None when it has no direction."""
    vector = read_float32(ref).astype(np.float64)
    if vector.ndim != 1:
        raise bad_input(f"the vector {ref.digest} has the shape {list(vector.shape)}, not [hidden]")
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0:
        return None
    return (vector / norm).astype(np.float32)


def parse_cells(request: params.Params, of: Mapping[str, int | None], vectors: int) -> Cells:
    """The request's `cells`. `of`: by name the numbers that say which states one is of, the input first, each with how many
    there are of it, or None where others know that. Raises SidecarError of kind `bad-input`."""
    cells = params.items(request, "cells")
    ids = params.texts(cells, "id")
    states = list(zip(*(params.integers(cells, name, 0) for name in of), strict=True))
    along_which = params.integers(cells, "vector", 0)
    name, inputs = next(iter(of.items()))
    for cell, numbers, vector in zip(ids, states, along_which, strict=True):
        if numbers[0] >= (inputs or 0) or vector >= vectors:
            raise bad_input(f"cell '{cell}' points past the {inputs} {name}s or {vectors} vectors of the request")
    return Cells(ids, states, along_which, params.numbers(cells, "offset"))


def parse_labelled(value: params.Params, name: str = "ref") -> Labelled:
    """One of the request's inputs, its ref under `name`."""
    return Labelled(parse_ref(params.section(value, name)), params.labels(value, "labels"))
