"""`norms`: the length of every token's stored activation. Needs no model and loads none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..inference.residency import Resident
from ..stored import stream
from ..stored.refs import parse_ref
from ..stored.scratch import Memory
from ..stored.tensors import states_width, to_float32
from ..wire import params
from ..wire.progress import Progress


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """`{ "norms": [[float]] }`: of every activation, one number a token, in float32."""
    refs = [parse_ref(item) for item in params.items(request, "activations")]
    norms = dict(stream.each(refs, lengths))
    return {"norms": [norms[index] for index in range(len(refs))]}


def lengths(_index: int, stored: np.ndarray, memory: Memory) -> list[float]:
    """The length of every row of states as `as_stored` has them."""
    wide = memory.floats(len(stored) * states_width(stored))
    return np.linalg.norm(to_float32(stored, wide), axis=1).tolist()
