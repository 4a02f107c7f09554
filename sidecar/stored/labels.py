"""Labels of scores: what every row of a cell says of itself, held as numbers until it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import bad_input

Labels = Mapping[str, str]
NONE = -1  # in place of a label, where a cell has none


@dataclass(frozen=True)
class LabelColumn:
    """A label of all cells: its different values, and which of them each cell has, int32 `[cells]`."""

    name: str
    values: Sequence[str]
    of_cell: np.ndarray


def label_columns(cells: Sequence[str], sources: Sequence[tuple[Sequence[Labels], Sequence[int]]]) -> list[LabelColumn]:
    """All labels by name. A source: the labels of its things, and of every cell which thing it is of.

    Raises SidecarError of kind `bad-input` when two sources disagree on a cell.
    """
    of_cell = [(labels, np.array(index, np.int64)) for labels, index in sources]
    return [column(name, cells, of_cell) for name in sorted({name for labels, _ in sources for thing in labels for name in thing})]


def column(name: str, cells: Sequence[str], sources: Sequence[tuple[Sequence[Labels], np.ndarray]]) -> LabelColumn:
    """The label `name` of all cells."""
    known: dict[str, int] = {}
    codes = np.full(len(cells), NONE, np.int32)
    for things, index in sources:
        own = np.array([known.setdefault(thing[name], len(known)) if name in thing else NONE for thing in things], np.int32)
        found = own[index] if len(own) > 0 else codes
        clash = np.flatnonzero((codes != NONE) & (found != NONE) & (codes != found))
        if len(clash) > 0:
            cell, values = clash[0], list(known)
            raise bad_input(f"cell '{cells[cell]}': the label '{name}' is both '{values[codes[cell]]}' and '{values[found[cell]]}'")
        codes = np.where(found == NONE, codes, found)
    return LabelColumn(name, list(known), codes)
