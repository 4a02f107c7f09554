"""`shift`: where an adapter moves the residual stream, from recordings of the same answers with it and without it. Needs no
model and loads none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import bad_input
from ..inference.residency import Resident
from ..stored import stream
from ..stored.refs import Ref, parse_ref
from ..stored.scratch import Memory
from ..stored.tensors import states_width, to_float32
from ..vectors.directions import Direction
from ..wire import params
from ..wire.progress import Progress
from .adopt import unit_of
from .extract import write_shard


@dataclass(frozen=True)
class Side:
    """An answer as one side recorded it, `[tokens, hidden]`; rows from `first` on are those of the response."""

    ref: Ref
    first: int


Recorded = tuple[Side, Side]  # of the organism, of the clean model


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. A cell whose answers have no tokens, or whose sides are equal, is listed in `failed`."""
    out = params.text(request, "out")
    cells = [
        (params.text(cell, "id"), [parse_recorded(answer) for answer in params.items(cell, "answers")])
        for cell in params.items(request, "cells")
    ]
    params.unique([name for name, _ in cells], "cell")
    progress.expect(len(cells))
    vectors: list[tuple[str, Direction, dict[str, Any]]] = []
    failed: list[dict[str, str]] = []
    for name, answers in cells:
        organism, clean = response_means(name, answers)
        try:
            direction, facts = shift_between(organism, clean)
            vectors.append((name, direction, facts))
        except ValueError as error:
            failed.append({"id": name, "reason": str(error)})
        progress.advance(done=1)
    return {**write_shard(out, vectors), "failed": failed}


def shift_between(organism: np.ndarray, clean: np.ndarray) -> tuple[Direction, dict[str, Any]]:
    """The mean over answers of (organism − clean), both float64 `[answers, hidden]` means over tokens, as a unit vector, and
    its facts. Raises ValueError where there is none.

    `of_clean`: its length in lengths of the clean model's mean states. `consistency`: its length over the mean length of what
    single answers move by, 1 where all move alike, about 1/√answers where each moves anywhere.
    """
    if len(organism) == 0:
        raise ValueError("none of its answers has a token")
    moved = organism - clean
    if not moved.any():
        raise ValueError("the organism's recordings are the clean model's: its adapter moves nothing")
    vector, norm = unit_of(moved.mean(axis=0))
    facts = {
        "norm": norm,
        "of_clean": norm / mean_length(clean),
        "consistency": norm / mean_length(moved),
        "answers": len(moved),
    }
    return Direction(vector=vector, norm=norm, baseline=0.0, bias=0.0), facts


def mean_length(rows: np.ndarray) -> float:
    return float(np.linalg.norm(rows, axis=1).mean())


def response_means(cell: str, answers: Sequence[Recorded]) -> tuple[np.ndarray, np.ndarray]:
    """Of both sides the mean over the tokens of each response, float64 `[answers, hidden]`, without answers that have none.

    Raises SidecarError: `corrupt`, or `bad-input` where the two sides are not of as many tokens and numbers.
    """
    sides = [side for answer in answers for side in answer]

    def mean(index: int, stored: np.ndarray, memory: Memory) -> tuple[tuple[int, int], np.ndarray]:
        hidden = states_width(stored)
        rows = to_float32(stored, memory.floats(len(stored) * hidden))[sides[index].first :]
        return (len(rows), hidden), rows.sum(axis=0, dtype=np.float64) / max(1, len(rows))

    found = dict(stream.each([side.ref for side in sides], mean))
    organism, clean = ([found[2 * at + side] for at in range(len(answers))] for side in (0, 1))
    for (own, _), (other, _) in zip(organism, clean, strict=True):
        if own != other or own[1] != organism[0][0][1]:
            raise bad_input(f"cell '{cell}': its sides are {list(own)} and {list(other)}, not of the same tokens")
    of_organism, of_clean = (np.array([mean for (tokens, _), mean in side if tokens > 0]) for side in (organism, clean))
    return of_organism, of_clean


def parse_recorded(value: params.Params) -> Recorded:
    """One of the cell's `answers`."""
    return parse_side(params.section(value, "organism")), parse_side(params.section(value, "clean"))


def parse_side(value: params.Params) -> Side:
    return Side(parse_ref(params.section(value, "ref")), params.integer(value, "first", 0))
