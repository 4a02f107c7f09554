"""Writes scores as Parquet: one row a token, labels beside them, readable by DuckDB, pandas and polars as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import bad_input
from .shards import ShardWriter, digest_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

FILE = "scores.parquet"
RESERVED = ("position", "score")


@dataclass(frozen=True)
class ScoreRun:
    """The scores of one cell, float32 `[tokens]`, and the labels all its rows have."""

    id: str
    scores: np.ndarray
    labels: Mapping[str, str]


def write_scores(out: str, runs: Sequence[ScoreRun]) -> dict[str, Any]:
    """Writes `runs` one after another and returns the `files` and `cells` of a *result*; no file for no runs."""
    if not runs:
        return {"files": [], "cells": []}
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    lengths = np.array([len(run.scores) for run in runs])
    names = sorted({name for run in runs for name in run.labels})
    for name in RESERVED:
        if name in names:
            raise bad_input(f"the label '{name}' has the name of a column of its own")
    columns = {name: label_column(name, runs, lengths) for name in names}
    columns["position"] = pa.array(np.concatenate([np.arange(length, dtype=np.int32) for length in lengths]))
    columns["score"] = pa.array(np.concatenate([run.scores for run in runs]).astype(np.float32, copy=False))
    with ShardWriter(out, FILE) as shard:
        pq.write_table(
            pa.table(columns),
            shard,
            compression="snappy",
            use_dictionary=[*names, "position"],
            column_encoding={"score": "PLAIN"},
        )
        files = [shard.finish()]
    cells = []
    row = 0
    for run in runs:
        rows = len(run.scores)
        slot = {"file": FILE, "format": "parquet", "row": row, "rows": rows}
        digest = digest_of(run.scores.astype("<f4", copy=False).tobytes())
        cells.append({"id": run.id, "digest": digest, "slot": slot, "facts": {"tokens": rows}})
        row += rows
    return {"files": files, "cells": cells}


def label_column(name: str, runs: Sequence[ScoreRun], lengths: np.ndarray) -> pyarrow.Array:
    """A label of every row: int32 for `layer`, otherwise strings, each stored once; null where a run has none."""
    import numpy as np
    import pyarrow as pa

    values = [run.labels.get(name) for run in runs]
    if name == "layer":
        try:
            numbers = [None if value is None else int(value) for value in values]
            return pa.array(numbers, pa.int32()).take(pa.array(np.repeat(np.arange(len(runs)), lengths)))
        except (ValueError, pa.ArrowInvalid):
            raise bad_input(f"the label 'layer' must be a whole number, not one of {values[:5]}") from None
    code: dict[str, int] = {}
    for value in values:
        if value is not None:
            code.setdefault(value, len(code))
    indices = pa.array([None if value is None else code[value] for value in values], pa.int32())
    spread = indices.take(pa.array(np.repeat(np.arange(len(runs)), lengths)))
    return pa.DictionaryArray.from_arrays(spread, pa.array(list(code), pa.string()))
