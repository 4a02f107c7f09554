"""`adopt`: trait vectors that were made elsewhere, from files that hold one tensor each. Needs no model and loads none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..inference.residency import Resident
from ..stored.torch_file import plain_value, read_recorded
from ..vectors.directions import Direction
from ..wire import params
from ..wire.progress import Progress
from .extract import write_shard


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. A file that holds no direction of `hidden` values is listed in `failed`."""
    out, hidden = params.text(request, "out"), params.integer(request, "hidden", 1)
    cells = params.items(request, "cells")
    params.unique([params.text(cell, "id") for cell in cells], "cell")
    progress.expect(len(cells))
    vectors: list[tuple[str, Direction, dict[str, Any]]] = []
    failed: list[dict[str, str]] = []
    for cell in cells:
        name, path = params.text(cell, "id"), Path(params.text(cell, "path"))
        data = read_recorded(path, params.text(cell, "digest"))
        try:
            vector, norm = direction_in(path, data, hidden)
            direction = Direction(vector=vector, norm=norm, baseline=0.0, bias=0.0)
            vectors.append((name, direction, {"norm": norm, "imported": params.text(cell, "name")}))
        except ValueError as error:
            failed.append({"id": name, "reason": f"{path.name}: {error}"})
        progress.advance(done=1)
    return {**write_shard(out, vectors), "failed": failed}


def direction_in(path: Path, data: bytes, hidden: int) -> tuple[np.ndarray, float]:
    """The tensor of a file as a float32 unit vector `[hidden]`, and the length it had. Raises ValueError with what is wrong."""
    values = (from_safetensors if path.suffix == ".safetensors" else from_pickle)(data)
    if values.shape != (hidden,):
        raise ValueError(f"it holds a tensor of shape {list(values.shape)}, the model's residual stream has {hidden} values")
    return unit_of(values)


def unit_of(values: np.ndarray) -> tuple[np.ndarray, float]:
    """A vector as a float32 unit vector, and its length. Raises ValueError when it has no direction."""
    norm = float(np.linalg.norm(values))
    if not np.isfinite(norm) or norm == 0:
        raise ValueError("it is zero or not finite: it has no direction")
    return (values / norm).astype(np.float32), norm


def from_safetensors(data: bytes) -> np.ndarray:
    """The only tensor of a safetensors file, float64."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ValueError(f"it is no safetensors file ({error})") from None
    if len(tensors) != 1:
        raise ValueError(f"it holds {len(tensors)} tensors, not one")
    values: np.ndarray = next(iter(tensors.values())).double().numpy()
    return values


def from_pickle(data: bytes) -> np.ndarray:
    """The tensor of a `.pt` file, float64."""
    import torch

    value = plain_value(data, "a tensor")
    if not isinstance(value, torch.Tensor):
        raise ValueError(f"it holds a {type(value).__name__}, not a tensor")
    values: np.ndarray = value.detach().double().numpy()
    return values
