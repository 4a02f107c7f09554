"""The activation shard: states of the residual stream, one tensor for many cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .shards import ShardWriter, TensorPlace, digest_of, safetensors_header, tensor_slot

if TYPE_CHECKING:
    import torch

FILE = "activations.safetensors"


@dataclass(frozen=True)
class Table:
    """A tensor of the shard: cells one after another, each by its id with its rows `[tokens, width]` in `dtype`."""

    name: str
    dtype: str
    cells: Sequence[tuple[str, torch.Tensor]]


def write_tables(out: str, tables: Sequence[Table]) -> dict[str, Any]:
    """Writes the shard and returns the `files` and `cells` of a *result*; no file for no tables."""
    import torch

    if not tables:
        return {"files": [], "cells": []}
    cells: list[dict[str, Any]] = []
    places = [
        TensorPlace(table.name, table.dtype, (sum(len(rows) for _, rows in table.cells), table.cells[0][1].shape[1])) for table in tables
    ]
    with ShardWriter(out, FILE) as shard:
        shard.write(safetensors_header(places))
        for table in tables:
            for name, rows in table.cells:
                data = rows.contiguous().view(torch.uint8).numpy().tobytes()
                slot = tensor_slot(FILE, table.dtype, rows.shape, shard.offset, len(data))
                shard.write(data)
                cells.append({"id": name, "digest": digest_of(data), "slot": slot, "facts": {"tokens": len(rows)}})
        return {"files": [shard.finish()], "cells": cells}


def non_finite(states: torch.Tensor) -> int:
    """How many tokens of `[tokens, hidden]` have a value that is not finite."""
    import torch

    return int((~torch.isfinite(states)).any(dim=1).sum())
