"""`save_torch`: vectors and recordings as `.pt` files, in the layout that trait-interp reads. Loads no model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..inference.residency import Resident
from ..stored.refs import Ref, parse_ref, read_ref
from ..stored.tensors import read_float32
from ..wire import params
from ..wire.progress import Progress

if TYPE_CHECKING:
    import torch


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """Writes every file of the request below `out`, whole or not at all, and returns how many."""
    import torch

    out = Path(params.text(request, "out"))
    files = params.items(request, "files")
    for file in files:
        path = out / params.text(file, "path")
        if out not in path.resolve().parents:
            raise bad_input(f"'{path}' is not below '{out}'")
        value = recording(file) if "answer" in file else tensor(parse_ref(params.section(file, "tensor")))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        torch.save(value, partial)
        os.replace(partial, path)
    return {"files": len(files)}


def recording(file: params.Params) -> dict[str, Any]:
    """An answer with its states by layer: `{prompt: {text, tokens, token_ids, activations}, response: {the same}}`.

    `activations[layer]["residual"]` is `[tokens, hidden]`; the prompt has none where the response alone was recorded.
    """
    record = json.loads(read_ref(parse_ref(params.section(file, "answer"))))
    end, tokens, ids = record["prompt_end"], record["tokens"], record["token_ids"]
    layers = params.section(file, "layers")
    states = {int(layer): tensor(parse_ref(params.section(layers, layer))) for layer in layers}
    whole = all(len(state) == len(ids) for state in states.values())
    part = {"prompt": slice(0, end), "response": slice(end, None)}
    return {
        "prompt": {
            "text": record["prompt"],
            "tokens": tokens[part["prompt"]],
            "token_ids": ids[part["prompt"]],
            "activations": {layer: {"residual": state[:end].clone()} for layer, state in states.items()} if whole else {},
        },
        "response": {
            "text": record["response"],
            "tokens": tokens[part["response"]],
            "token_ids": ids[part["response"]],
            "activations": {layer: {"residual": state[end:].clone() if whole else state} for layer, state in states.items()},
        },
    }


def tensor(ref: Ref) -> torch.Tensor:
    """The stored tensor in its dtype; eight-bit states (int8.py) as float32."""
    import torch

    if ref.dtype == "int8":
        return torch.from_numpy(read_float32(ref).copy())
    if ref.dtype is None or ref.shape is None:
        raise bad_input(f"the ref {ref.digest} needs a dtype and a shape")
    return torch.frombuffer(read_ref(ref), dtype=getattr(torch, ref.dtype)).reshape(ref.shape)
