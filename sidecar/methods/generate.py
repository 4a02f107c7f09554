"""`generate`: answers to prompts, one JSON record a cell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..inference.generator import Answer, Sampling
from ..inference.residency import Resident
from ..model.base import Base
from ..model.chat import Turn, id_strings, plain_text, prompt_ids
from ..stored.refs import parse_ref
from ..stored.shards import ShardWriter, digest_of
from ..wire import params
from ..wire.progress import Progress

if TYPE_CHECKING:
    from ..inference.steering import Steering

FILE = "responses.jsonl"


@dataclass(frozen=True)
class Asked:
    """One cell of the request."""

    id: str
    prompt: str
    earlier: list[Turn]
    system_prompt: str | None
    prefill: str | None
    seed: int
    steer: Steer | None


@dataclass(frozen=True)
class Steer:
    """How far a cell's answer is steered along which of the request's vectors."""

    vector: int
    by: float


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. A prompt that does not fit the context, and one whose answer overflows the dtype, is
    listed in `failed`."""
    base = resident.base
    out = params.text(request, "out")
    asked = [parse_cell(cell) for cell in params.items(request, "cells")]
    params.unique([cell.id for cell in asked], "cell")
    limit = params.integer(request, "max_new_tokens", 1)
    temperature, top_p = params.number(request, "temperature"), parse_top_p(request)
    if temperature < 0:
        raise bad_input("'temperature' must not be negative")
    progress.expect(len(asked))
    ready: list[tuple[Asked, list[int]]] = []
    failed: list[dict[str, str]] = []
    for cell in asked:
        try:
            ids = prompt_ids(base.tokenizer, cell.prompt, cell.system_prompt, base.told, cell.prefill or "", cell.earlier)
            if len(ids) + limit > base.context:
                raise ValueError(f"{len(ids)} prompt tokens and {limit} new ones exceed the context of {base.context}")
            ready.append((cell, ids))
        except ValueError as error:
            failed.append({"id": cell.id, "reason": str(error)})
            progress.advance(done=1)
    if not ready:
        return {"files": [], "cells": [], "failed": failed}
    longest = max(len(ids) for _, ids in ready) + limit
    generator = resident.generator(min(params.integer(request, "together", 1), resident.room.rows(longest)))
    sampling = Sampling([cell.seed for cell, _ in ready], temperature, top_p)
    steering = steering_of(request, [cell for cell, _ in ready], base.hidden)
    answers = generator.answer([ids for _, ids in ready], resident.adapter_digest, sampling, limit, progress.advance, steering)
    made = [(cell, ids, answer) for (cell, ids), answer in zip(ready, answers, strict=True) if answer.finish_reason != "overflow"]
    overflown = [cell.id for (cell, _), answer in zip(ready, answers, strict=True) if answer.finish_reason == "overflow"]
    failed += [{"id": cell, "reason": f"its logits are not finite in {base.dtype}"} for cell in overflown]
    if not made:
        return {"files": [], "cells": [], "failed": failed}
    with ShardWriter(out, FILE) as shard:
        cells = [write_cell(shard, base, cell, ids, answer) for cell, ids, answer in made]
        return {"files": [shard.finish()], "cells": cells, "failed": failed}


def write_cell(shard: ShardWriter, base: Base, cell: Asked, prompt: list[int], answer: Answer) -> dict[str, Any]:
    """Writes a response record as one line, and returns the protocol's *cell*."""
    ids = prompt + answer.ids
    record = {
        "finish_reason": answer.finish_reason,
        "prompt": cell.prompt,
        "prompt_end": len(prompt),
        "response": plain_text(base.tokenizer, answer.ids),
        "system_prompt": cell.system_prompt,
        "token_ids": ids,
        "tokens": id_strings(base.tokenizer, ids),
    }
    if cell.prefill is not None:
        record["prefill"] = cell.prefill
    if cell.earlier:
        record["earlier"] = [asdict(turn) for turn in cell.earlier]
    line = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    offset = shard.offset
    shard.write(line + b"\n")
    facts = {"prompt_tokens": len(prompt), "response_tokens": len(answer.ids), "finish_reason": answer.finish_reason}
    slot = {"file": FILE, "format": "json", "offset": offset, "length": len(line)}
    return {"id": cell.id, "digest": digest_of(line), "slot": slot, "facts": facts}


def parse_cell(value: params.Params) -> Asked:
    """One cell of the request's `cells`."""
    prompt = params.text(value, "prompt")
    seed = params.integer(value, "seed", 0)
    if seed >= 1 << 63:
        raise bad_input(f"'seed' must be below 2^63, not {seed}")
    system_prompt, prefill = (params.optional_text(value, name) for name in ("system_prompt", "prefill"))
    steer = params.optional_section(value, "steer")
    by = Steer(params.integer(steer, "vector", 0), params.number(steer, "by")) if steer else None
    return Asked(params.text(value, "id"), prompt, parse_earlier(value), system_prompt, prefill, seed, by)


def parse_earlier(cell: params.Params) -> list[Turn]:
    """What was said before a cell's prompt, nothing where it is not there."""
    turns = [] if cell.get("earlier") is None else params.items(cell, "earlier")
    return [Turn(params.text(turn, "role"), params.text(turn, "content")) for turn in turns]


def steering_of(request: Mapping[str, Any], cells: Sequence[Asked], hidden: int) -> Steering | None:
    """What is added for each of the cells, None where none is steered. Raises SidecarError: `corrupt`, or `bad-input` where
    some are steered and others are not, or along a vector that the request does not have."""
    steers = [cell.steer for cell in cells if cell.steer is not None]
    if not steers:
        return None
    if len(steers) < len(cells):
        raise bad_input("some cells are steered and others are not: ask for them apart")
    import numpy as np
    import torch

    from ..inference.steering import Steering
    from ..stored.tensors import read_unit_vector

    steering = params.section(request, "steering")
    vectors = [read_unit_vector(parse_ref(ref), hidden) for ref in params.items(steering, "vectors")]
    if max(steer.vector for steer in steers) >= len(vectors):
        raise bad_input(f"a cell is steered along a vector that is none of the {len(vectors)}")
    additions = np.stack([steer.by * vectors[steer.vector] for steer in steers])
    return Steering(params.integer(steering, "layer", 0), torch.from_numpy(additions.astype(np.float32)))


def parse_top_p(request: Mapping[str, Any]) -> float:
    """`top_p`, 1 (keep every token) for null."""
    top_p = 1.0 if request.get("top_p") is None else params.number(request, "top_p")
    if not 0 < top_p <= 1:
        raise bad_input(f"'top_p' must be above 0 and at most 1, not {top_p}")
    return top_p
