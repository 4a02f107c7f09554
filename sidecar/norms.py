"""`norms`: the length of every token's stored activation. Needs no model and loads none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import params
from .progress import Progress
from .refs import Reader, parse_ref
from .residency import Resident


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """`{ "norms": [[float]] }`: of every activation, one number a token, in float32."""
    reader = Reader()
    refs = [parse_ref(item) for item in params.items(request, "activations")]
    return {"norms": [np.linalg.norm(reader.float32(ref), axis=1).tolist() for ref in refs]}
