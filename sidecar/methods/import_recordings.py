"""`import_recordings`: states that were recorded elsewhere, from `.pt` files. Needs no model and loads none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..inference.residency import Resident
from ..stored.recordings import Recording, dtype_name, parse_recording
from ..stored.refs import read_ref
from ..stored.states import Table, non_finite, write_tables
from ..stored.torch_file import read_recorded
from ..wire import params
from ..wire.progress import Progress
from .capture import Group, parse_group

if TYPE_CHECKING:
    import torch


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. Of a file that does not fit its answer, every cell is listed in `failed`."""
    out, hidden = params.text(request, "out"), params.integer(request, "hidden", 1)
    asked = params.items(request, "groups")
    groups = [parse_group(value) for value in asked]
    params.unique([group.id for group in groups], "group")
    progress.expect(sum(len(group.layers) for group in groups))
    tables: dict[tuple[int, str], list[tuple[str, torch.Tensor]]] = {}
    names: dict[str, str] = {}
    failed: list[dict[str, str]] = []
    for value, group in zip(asked, groups, strict=True):
        path = Path(params.text(value, "path"))
        data = read_recorded(path, params.text(value, "digest"))
        try:
            recording = parse_recording(data)
            check(recording, group, hidden)
        except ValueError as error:
            failed += [{"id": f"{group.id}@{layer}", "reason": f"{path.name}: {error}"} for layer in group.layers]
        else:
            for layer in group.layers:
                states = recording.states[layer]
                tables.setdefault((layer, dtype_name(states)), []).append((f"{group.id}@{layer}", states))
                names[f"{group.id}@{layer}"] = params.text(value, "name")
        progress.advance(done=len(group.layers))
    result = write_tables(out, [Table(f"layer_{layer}_{dtype}", dtype, cells) for (layer, dtype), cells in sorted(tables.items())])
    cells = [{**cell, "facts": {**cell["facts"], "imported": names[cell["id"]]}} for cell in result["cells"]]
    return {**result, "cells": cells, "failed": failed}


def check(recording: Recording, group: Group, hidden: int) -> None:
    """Raises ValueError when the states are not those of the answer's response tokens at the wanted layers."""
    record = json.loads(read_ref(group.response))
    ids, end = record["token_ids"], record["prompt_end"]
    if recording.response_ids != ids[end:] or (recording.prompt_ids and recording.prompt_ids != ids[:end]):
        raise ValueError("its token ids are not those of the answer")
    for layer in group.layers:
        states = recording.states.get(layer)
        if states is None:
            raise ValueError(f"it has no layer {layer}, only {', '.join(map(str, sorted(recording.states)))}")
        if states.shape[1] != hidden:
            raise ValueError(f"layer {layer} has states of {states.shape[1]} values, not {hidden}")
        if len(states) != len(ids) - end:
            raise ValueError(f"layer {layer} has {len(states)} states for {len(ids) - end} response tokens")
        bad = non_finite(states)
        if bad:
            raise ValueError(f"layer {layer} is not finite at {bad} of {len(states)} tokens")
