"""`import_answers`: answers that were written elsewhere, in trait-interp's JSON. Needs no model and loads none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..inference.residency import Resident
from ..stored.shards import ShardWriter, digest_of
from ..stored.torch_file import read_recorded
from ..wire import params
from ..wire.progress import Progress
from .generate import FILE

# Nobody wrote down why these answers ended.
FINISH_REASON = "unknown"


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. A file that holds no whole answer is listed in `failed`."""
    out = params.text(request, "out")
    cells = params.items(request, "cells")
    params.unique([params.text(cell, "id") for cell in cells], "cell")
    progress.expect(len(cells))
    answers: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    failed: list[dict[str, str]] = []
    for cell in cells:
        path = Path(params.text(cell, "path"))
        data = read_recorded(path, params.text(cell, "digest"))
        try:
            answers.append((cell, parse_answer(data)))
        except ValueError as error:
            failed.append({"id": params.text(cell, "id"), "reason": f"{path.name}: {error}"})
        progress.advance(done=1)
    if not answers:
        return {"files": [], "cells": [], "failed": failed}
    with ShardWriter(out, FILE) as shard:
        made = [write_answer(shard, cell, answer) for cell, answer in answers]
        return {"files": [shard.finish()], "cells": made, "failed": failed}


def parse_answer(data: bytes) -> dict[str, Any]:
    """The response record of a file. Raises ValueError with what it lacks."""
    try:
        value = json.loads(data)
    except ValueError:
        raise ValueError("it is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("it does not hold a JSON object")
    for name in ("prompt", "response"):
        if not isinstance(value.get(name), str):
            raise ValueError(f'it has no text "{name}"')
    tokens, ids, end, system = (value.get(name) for name in ("tokens", "token_ids", "prompt_end", "system_prompt"))
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise ValueError('it has no list "tokens"')
    if not isinstance(ids, list) or not all(type(token) is int and token >= 0 for token in ids):
        raise ValueError('it has no list "token_ids"')
    if len(tokens) != len(ids):
        raise ValueError(f"it has {len(tokens)} tokens and {len(ids)} token_ids")
    if type(end) is not int or not 0 <= end < len(ids):
        raise ValueError(f"its prompt_end {json.dumps(end)} is not before the last of {len(ids)} tokens")
    if system is not None and not isinstance(system, str):
        raise ValueError('its "system_prompt" is not text')
    return {
        "finish_reason": FINISH_REASON,
        "prompt": value["prompt"],
        "prompt_end": end,
        "response": value["response"],
        "system_prompt": system,
        "token_ids": ids,
        "tokens": tokens,
    }


def write_answer(shard: ShardWriter, cell: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Writes a response record as one line, and returns the protocol's *cell*."""
    line = json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    slot = {"file": FILE, "format": "json", "offset": shard.offset, "length": len(line)}
    shard.write(line + b"\n")
    prompt = answer["prompt_end"]
    facts = {"prompt_tokens": prompt, "response_tokens": len(answer["token_ids"]) - prompt, "finish_reason": answer["finish_reason"]}
    return {"id": cell["id"], "digest": digest_of(line), "slot": slot, "facts": {**facts, "imported": params.text(cell, "name")}}
