"""`random_directions`: unit vectors drawn evenly from all directions. Needs no model and loads none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..inference.residency import Resident
from ..vectors.directions import Direction
from ..wire import params
from ..wire.progress import Progress
from .adopt import unit_of
from .extract import write_shard


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*."""
    out, hidden = params.text(request, "out"), params.integer(request, "hidden", 1)
    seed, index = params.integer(request, "seed", 0), params.integer(request, "index", 0)
    cells = params.items(request, "cells")
    params.unique([params.text(cell, "id") for cell in cells], "cell")
    progress.expect(len(cells))
    vectors: list[tuple[str, Direction, dict[str, Any]]] = []
    for cell in cells:
        vector = drawn((seed, index, params.integer(cell, "layer", 0)), hidden)
        vectors.append((params.text(cell, "id"), Direction(vector=vector, norm=1.0, baseline=0.0, bias=0.0), {}))
        progress.advance(done=1)
    return {**write_shard(out, vectors), "failed": []}


def drawn(seed: Sequence[int], hidden: int) -> np.ndarray:
    """A float32 unit vector `[hidden]`, the same for the same seed: of normally distributed numbers (PCG64), whose
    direction is as likely as any other."""
    return unit_of(np.random.Generator(np.random.PCG64(list(seed))).standard_normal(hidden))[0]
