"""`project`: how far every token's stored activation lies along a direction. Needs no model and loads none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..inference.residency import Resident
from ..stored import stream
from ..stored.scratch import Memory
from ..vectors.along import Along, Scores, parse_cells, parse_labelled
from ..wire import params
from ..wire.progress import Progress


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*, scores as `Along` has them. Every activation is read once, a few at a time."""
    out = params.text(request, "out")
    file_labels = params.labels(request, "labels")
    activations = [parse_labelled(item) for item in params.items(request, "activations")]
    vectors = [parse_labelled(item) for item in params.items(request, "vectors")]
    cells = parse_cells(request, {"activation": len(activations)}, len(vectors))
    with Along(out, cells, activations, vectors, file_labels) as scores:
        progress.expect(len(cells.ids))
        progress.advance(done=scores.failed)
        states = list(scores.states)

        def work(index: int, stored: np.ndarray, memory: Memory) -> Scores:
            return scores.scores(states[index], stored, memory)

        # Each worker multiplies by itself: the threads of a product would wait for each other.
        with threadpool_limits(1, user_api="blas"):
            for index, found in stream.each([activations[of[0]].ref for of in states], work):
                progress.advance(done=scores.take(states[index], found), tokens=found.rows.shape[1])
        return scores.result()
