"""`logit_lens`: the tokens that a direction of the residual stream raises and lowers most, through the unembedding."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..inference.residency import Resident
from ..model.base import Base
from ..model.chat import id_strings
from ..stored.refs import parse_ref
from ..stored.shards import ShardWriter, digest_of
from ..stored.tensors import read_unit_vector
from ..vectors.unembedding import MEASURES, Tokens, tokens_along
from ..wire import params
from ..wire.progress import Progress

if TYPE_CHECKING:
    import numpy as np

FILE = "tokens.jsonl"
EQUAL = 1e-6  # a distance of two float32 unit vectors that is rounding


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. A cell of which nothing is left without what its group shares is listed in `failed`."""
    import numpy as np

    base = resident.base
    if resident.adapter is not None:
        raise bad_input(f"directions are read by the clean model, but the adapter '{resident.adapter}' is on")
    out, top, measure = params.text(request, "out"), params.integer(request, "top", 1), params.text(request, "by")
    if measure not in MEASURES:
        raise bad_input(f"'by' is none of {', '.join(MEASURES)}: {measure}")
    cells = params.items(request, "cells")
    names = params.texts(cells, "id")
    params.unique(names, "cell")
    progress.expect(len(cells))
    shared = {params.text(group, "id"): shared_of(group, base.hidden) for group in params.items(request, "groups")}
    directions: dict[str, np.ndarray] = {}
    failed: list[dict[str, str]] = []
    for name, cell in zip(names, cells, strict=True):
        direction = read_unit_vector(parse_ref(params.section(cell, "vector")), base.hidden)
        group = params.optional_text(cell, "apart_from")
        if group is not None:
            if group not in shared:
                raise bad_input(f"cell '{name}': there is no group '{group}'")
            direction = direction - shared[group]
        if np.linalg.norm(direction) > EQUAL:
            directions[name] = direction.astype(np.float32)
        else:
            failed.append({"id": name, "reason": "it is what all share, and nothing is its own"})
            progress.advance(done=1)
    if not directions:
        return {"files": [], "cells": [], "failed": failed}
    found = tokens_along(base, np.stack(list(directions.values())), top, measure)
    progress.advance(done=len(directions))
    return {**write_tokens(out, base, list(zip(directions, found, strict=True))), "failed": failed}


def shared_of(group: params.Params, hidden: int) -> np.ndarray:
    """The mean of its vectors as unit vectors, float64 `[hidden]`."""
    import numpy as np

    units = [read_unit_vector(parse_ref(ref), hidden) for ref in params.items(group, "vectors")]
    if not units:
        raise bad_input(f"group '{params.text(group, 'id')}' has no vectors")
    mean: np.ndarray = np.mean(units, axis=0)
    return mean


def write_tokens(out: str, base: Base, found: Sequence[tuple[str, Tokens]]) -> dict[str, Any]:
    """Writes one JSON record a cell and returns the `files` and `cells` of a *result*."""
    cells = []
    with ShardWriter(out, FILE) as shard:
        for name, tokens in found:
            values = [round(value, 4) for value in tokens.values]
            record = {"token_ids": tokens.ids, "tokens": id_strings(base.tokenizer, tokens.ids), "values": values}
            line = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
            slot = {"file": FILE, "format": "json", "offset": shard.offset, "length": len(line)}
            shard.write(line + b"\n")
            cells.append({"id": name, "digest": digest_of(line), "slot": slot, "facts": {"highest": values[0], "lowest": values[-1]}})
        return {"files": [shard.finish()], "cells": cells}
