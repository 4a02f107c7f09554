"""`project`: how far every token's stored activation lies along a direction. Needs no model and loads none."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from . import params
from .along import Along, Wanted, parse_labelled
from .errors import bad_input
from .progress import Progress
from .refs import Reader
from .residency import Resident

READERS = min(8, os.cpu_count() or 1)  # hashing, widening and products run beside each other


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*, scores as `Along` has them. Every activation is read once, some at a time."""
    out = params.text(request, "out")
    file_labels = params.labels(request, "labels")
    activations = [parse_labelled(item) for item in params.items(request, "activations")]
    vectors = [parse_labelled(item) for item in params.items(request, "vectors")]
    cells = [parse_cell(cell, len(activations), len(vectors)) for cell in params.items(request, "cells")]
    scores = Along(cells, vectors)
    progress.expect(len(cells))
    progress.advance(done=scores.failed)
    own = threading.local()

    def work(of: tuple[int, ...]) -> tuple[tuple[int, ...], np.ndarray]:
        reader = vars(own).setdefault("reader", Reader())
        return of, scores.products(of, reader.float32(activations[of[0]].ref))

    # Each reader multiplies by itself: the threads of a product would wait for each other.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(READERS) as readers:
        for of, along in readers.map(work, scores.states):
            progress.advance(done=scores.take(of, along), tokens=along.shape[1])
    return scores.result(out, {index: activation.labels for index, activation in enumerate(activations)}, file_labels)


def parse_cell(value: params.Params, activations: int, vectors: int) -> Wanted:
    """One of the request's `cells`."""
    name = params.text(value, "id")
    activation, vector = params.integer(value, "activation", 0), params.integer(value, "vector", 0)
    if activation >= activations or vector >= vectors:
        raise bad_input(f"cell '{name}' points past the {activations} activations or {vectors} vectors of the request")
    return Wanted(name, (activation,), vector, params.number(value, "offset"))
