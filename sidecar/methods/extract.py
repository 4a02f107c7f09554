"""`extract`: trait vectors of the clean model from answers that show a trait and answers that do not, written ones in pairs or
recorded ones, or from prompts that lead to the one and the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..inference.residency import Resident
from ..stored.shards import ShardWriter, TensorPlace, digest_of, safetensors_header, tensor_slot
from ..vectors.contrast import Answers, Group, Pair, Prompts, mean_states, parse_answers, parse_pairs, parse_prompts
from ..vectors.directions import METHODS, Direction, accuracy, fit, held_out
from ..vectors.reference import parse_reference, reference_directions, without
from ..wire import params
from ..wire.progress import Progress

if TYPE_CHECKING:
    import numpy as np

FILE = "vectors.safetensors"
END_OF_PROMPT = "prompt[-1]"  # the token after which an answer would begin


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. A vector without a direction is listed in `failed`."""
    base = resident.base
    if resident.adapter is not None:
        raise bad_input(f"vectors are those of the clean model, but the adapter '{resident.adapter}' is on")
    out = params.text(request, "out")
    groups = [parse_group(group) for group in params.items(request, "groups")]
    params.unique([group.id for group in groups], "group")
    system_prompt = params.optional_text(request, "system_prompt")
    position = params.text(request, "position")
    first = None if position == END_OF_PROMPT else parse_position(position)
    for group in groups:
        if isinstance(group.contrast, Prompts) != (position == END_OF_PROMPT):
            raise bad_input(f"group '{group.id}': position '{position}' is not one of its texts")
    reference = parse_reference(request, groups)
    progress.expect(sum(len(group.wanted) for group in groups))
    vectors: list[tuple[str, Direction, dict[str, Any]]] = []
    failed: list[dict[str, str]] = []
    shared = {} if reference is None else reference_directions(base, reference, system_prompt, first, progress, resident.room.tokens)
    for group in groups:
        means = mean_states(base, group, system_prompt, first, progress, resident.room.tokens)
        for layer, method in group.wanted:
            name = f"{group.id}@{layer}:{method}"
            try:
                positive, negative = (without(states, shared.get(layer)) for states in means[layer])
                direction, facts = make_vector(method, positive, negative)
                vectors.append((name, direction, facts | count_facts(group, positive, negative)))
            except ValueError as error:
                failed.append({"id": name, "reason": str(error)})
            progress.advance(done=1)
    return {**write_shard(out, vectors), "failed": failed}


def make_vector(method: str, positive: np.ndarray, negative: np.ndarray) -> tuple[Direction, dict[str, Any]]:
    """The vector from all answers and its facts. Raises ValueError when there is none."""
    import numpy as np

    if not (np.isfinite(positive).all() and np.isfinite(negative).all()):
        raise ValueError("the activations are not finite")
    direction = fit(method, positive, negative)
    held_out_accuracy, held_out_auc = held_out(method, positive, negative) or (None, None)
    facts: dict[str, Any] = {
        "norm": direction.norm,
        "baseline": direction.baseline,
        "train_accuracy": accuracy(direction, positive, negative),
        "held_out_accuracy": held_out_accuracy,
        "held_out_auc": held_out_auc,
    }
    if method == "probe":
        facts["bias"] = direction.bias
    return direction, facts


def count_facts(group: Group, positive: np.ndarray, negative: np.ndarray) -> dict[str, int]:
    """How many answers a vector is made of."""
    paired = isinstance(group.contrast, tuple)
    return {"pairs": len(positive)} if paired else {"positive": len(positive), "negative": len(negative)}


def write_shard(out: str, vectors: Sequence[tuple[str, Direction, dict[str, Any]]]) -> dict[str, Any]:
    """Writes one tensor a vector and returns the `files` and `cells` of a *result*; no file for no vectors."""
    if not vectors:
        return {"files": [], "cells": []}
    cells = []
    with ShardWriter(out, FILE) as shard:
        places = [TensorPlace(name, "float32", direction.vector.shape) for name, direction, _ in vectors]
        shard.write(safetensors_header(places))
        for name, direction, facts in vectors:
            data = direction.vector.astype("<f4", copy=False).tobytes()
            slot = tensor_slot(FILE, "float32", direction.vector.shape, shard.offset, len(data))
            shard.write(data)
            cells.append({"id": name, "digest": digest_of(data), "slot": slot, "facts": facts})
        return {"files": [shard.finish()], "cells": cells}


def parse_position(position: str) -> int | None:
    """How many of an answer's first tokens count: N of `response[:N]`, None (all) of `response`."""
    match = re.fullmatch(r"response(?:\[:([1-9][0-9]{0,8})\])?", position)
    if match is None:
        raise bad_input(f"position '{position}' is neither 'response' nor 'response[:N]'")
    return None if match[1] is None else int(match[1])


def parse_contrast(value: params.Params) -> tuple[Pair, ...] | Answers | Prompts:
    """`pairs`, `prompts`, or recorded answers."""
    if "pairs" in value:
        return parse_pairs(value, "pairs")
    return parse_prompts(params.section(value, "prompts")) if "prompts" in value else parse_answers(value)


def parse_group(value: params.Params) -> Group:
    """One group of the request's `groups`."""
    name = params.text(value, "id")
    contrast = parse_contrast(value)
    if not contrast:
        raise bad_input(f"group '{name}' has no pairs")
    if not isinstance(contrast, tuple) and not (contrast.positive and contrast.negative):
        raise bad_input(f"group '{name}' has nothing on one side")
    wanted = tuple((params.integer(item, "layer", 0), params.text(item, "method")) for item in params.items(value, "wanted"))
    for _, method in wanted:
        if method not in METHODS:
            raise bad_input(f"group '{name}': method '{method}' is not one of {', '.join(METHODS)}")
    params.unique([f"{layer}:{method}" for layer, method in wanted], f"group '{name}': wanted vector")
    if not wanted:
        raise bad_input(f"group '{name}' wants no vectors")
    return Group(name, contrast, wanted)
