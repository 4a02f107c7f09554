"""Writes scores as Parquet: one row a token, labels beside them, readable by DuckDB, pandas and polars as it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import bad_input
from .labels import NONE, LabelColumn
from .shards import ShardWriter

if TYPE_CHECKING:
    import pyarrow

RESERVED = ("position", "score")
ROWS_AT_ONCE = 1 << 19  # a row group; what is not written yet is held in memory


class ScoreFile:
    """The scores of a request, written as they come. `close` it; without `finish` before, nothing stays.

    Raises SidecarError of kind `bad-input` for labels that cannot be columns.
    """

    NAME = "scores.parquet"

    def __init__(self, out: str, labels: Sequence[LabelColumn]) -> None:
        for label in labels:
            if label.name in RESERVED:
                raise bad_input(f"the label '{label.name}' has the name of a column of its own")
        self._out = out
        self._labels = [(label, values_of(label)) for label in labels]
        self._held: list[tuple[Sequence[int], np.ndarray]] = []
        self._rows_held = 0
        self._rows = 0
        self._open = ExitStack()
        self._shard: ShardWriter | None = None
        self._parquet: Any = None

    def add(self, cells: Sequence[int], scores: np.ndarray) -> int:
        """Adds the scores of `cells`, float32 `[cells, tokens]`, one cell after another. Returns the row of the first."""
        first = self._rows
        if len(cells) > 0:
            self._held.append((cells, scores))
            self._rows += scores.size
            self._rows_held += scores.size
            if self._rows_held >= ROWS_AT_ONCE:
                self._write()
        return first

    def finish(self) -> list[dict[str, Any]]:
        """Makes the file durable and returns it as the protocol's *files*; none where no scores were added."""
        if self._held:
            self._write()
        if self._shard is None:
            return []
        self._parquet.close()
        return [self._shard.finish()]

    def close(self) -> None:
        """Removes what was not finished."""
        self._open.close()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        cells = np.concatenate([np.array(cells, np.int64) for cells, _ in self._held])
        lengths = np.concatenate([np.full(len(cells), scores.shape[1]) for cells, scores in self._held])
        ends = np.cumsum(lengths)
        columns = {label.name: label_rows(label, values, cells, lengths) for label, values in self._labels}
        columns["position"] = pa.array(np.arange(ends[-1], dtype=np.int32) - np.repeat((ends - lengths).astype(np.int32), lengths))
        columns["score"] = pa.array(np.concatenate([scores.reshape(-1) for _, scores in self._held]))
        # Columns that cannot be null are written in two thirds of the time.
        optional = {label.name for label, _ in self._labels if NONE in label.of_cell}
        table = pa.table(columns, pa.schema([pa.field(name, rows.type, name in optional) for name, rows in columns.items()]))
        if self._shard is None:
            self._shard = self._open.enter_context(ShardWriter(self._out, ScoreFile.NAME))
            names = [label.name for label, _ in self._labels]
            self._parquet = pq.ParquetWriter(
                self._shard,
                table.schema,
                compression={**dict.fromkeys([*names, "position"], "snappy"), "score": "none"},
                use_dictionary=[*names, "position"],
                column_encoding={"score": "PLAIN"},
                write_statistics=False,
            )
        self._parquet.write_table(table)
        self._held.clear()
        self._rows_held = 0


def values_of(label: LabelColumn) -> pyarrow.Array:
    """The values of a label: int32 of `layer`, otherwise strings."""
    import pyarrow as pa

    if label.name != "layer":
        return pa.array(label.values, pa.string())
    try:
        return pa.array([int(value) for value in label.values], pa.int32())
    except (ValueError, pa.ArrowInvalid):
        raise bad_input(f"the label 'layer' must be a whole number, not one of {list(label.values[:5])}") from None


def label_rows(label: LabelColumn, values: pyarrow.Array, cells: np.ndarray, lengths: np.ndarray) -> pyarrow.Array:
    """A label of every row of `cells` with these lengths, strings stored once; null where a cell has none."""
    import pyarrow as pa

    used, codes = np.unique(label.of_cell[cells], return_inverse=True)
    has_none = bool(used[0] == NONE)
    rows = np.repeat((codes - has_none).astype(np.int32), lengths)
    indices = pa.array(rows, mask=rows < 0 if has_none else None)
    among = values.take(pa.array(used[has_none:]))
    return among.take(indices) if label.name == "layer" else pa.DictionaryArray.from_arrays(indices, among)
