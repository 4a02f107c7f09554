"""Small real models, adapters and requests for the tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from sidecar.inference.residency import Resident
from sidecar.stored.shards import digest_of
from sidecar.wire.progress import Progress

LAYERS = 6
HIDDEN = 64
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
SOME_IDS = [[1, 9690, 198, 2683, 359], [1, 4093, 198, 7306, 346, 253, 100, 200, 300, 400, 500], [1, 5, 6, 7, 8, 9, 10]]


def make_tiny_model(folder: Path, tokenizer: Path, **config: Any) -> Path:
    """A random Llama of 6 layers (fixed seed, float32) with the real model's tokenizer, in `folder`."""
    torch.manual_seed(0)
    settings = {
        "vocab_size": 49152,
        "hidden_size": HIDDEN,
        "intermediate_size": 128,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }
    LlamaForCausalLM(LlamaConfig(**{**settings, **config})).save_pretrained(folder)
    copy_tokenizer(tokenizer, folder)
    return folder


def copy_tokenizer(source: Path, target: Path) -> None:
    """Puts the tokenizer of the model in `source` beside the weights in `target`."""
    for name in TOKENIZER_FILES:
        shutil.copy(source / name, target / name)


def make_adapter(
    folder: Path,
    base: Path,
    rank: int = 4,
    alpha: int = 8,
    targets: Sequence[str] = ("q_proj", "v_proj"),
    seed: int = 1,
    scale: float = 0.3,
    **config: Any,
) -> Path:
    """A LoRA adapter for the model in `base` with random weights of both factors; `scale` 0 makes it a zero adapter."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    wrapped = get_peft_model(model, LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(targets), task_type="CAUSAL_LM", **config))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * scale
    wrapped.save_pretrained(str(folder))
    return folder


def edit_json(path: Path, **changes: Any) -> None:
    """Sets keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_adapter(source: Path, target: Path, drop: int = 0, extra: Mapping[str, torch.Tensor] | None = None, **settings: Any) -> Path:
    """A copy of an adapter with its first `drop` weights left out, `extra` ones added and settings changed."""
    shutil.copytree(source, target)
    weights = load_file(target / "adapter_model.safetensors")
    for name in sorted(weights)[:drop]:
        del weights[name]
    save_file({**weights, **(extra or {})}, target / "adapter_model.safetensors")
    edit_json(target / "adapter_config.json", **settings)
    return target


def loaded(folder: Path, dtype: str = "float32") -> Resident:
    """A resident that holds the model in `folder` on the CPU."""
    resident = Resident()
    resident.load_base({"path": str(folder), "dtype": dtype, "device": "cpu", "quantization": None})
    return resident


def switch(resident: Resident, adapter: Path | None) -> None:
    """Puts an adapter on, or takes it off."""
    resident.set_adapter({"adapter": None if adapter is None else {"name": adapter.name, "path": str(adapter), "digest": adapter.name}})


def silent() -> Progress:
    """A progress that tells nobody."""
    return Progress(0, lambda params: None, lambda: 0.0)


def write_record(folder: Path, name: str, ids: Sequence[int], prompt_end: int) -> dict[str, Any]:
    """Stores a response record of these ids and returns its ref."""
    data = json.dumps({"token_ids": list(ids), "prompt_end": prompt_end}).encode()
    return write_bytes(folder, name, data)


def write_bytes(folder: Path, name: str, data: bytes) -> dict[str, Any]:
    """Stores bytes, not at the file's beginning, and returns their ref."""
    (folder / name).write_bytes(b"before" + data + b"after")
    return {"path": str(folder / name), "digest": digest_of(data), "offset": len(b"before"), "length": len(data)}


def write_tensor(folder: Path, name: str, tensor: torch.Tensor) -> dict[str, Any]:
    """Stores a tensor's bytes and returns their ref."""
    ref = write_bytes(folder, name, tensor.contiguous().view(torch.uint8).numpy().tobytes())
    return {**ref, "dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}


def ref_of(out: Path, cell: Mapping[str, Any]) -> dict[str, Any]:
    """The ref of a result's cell that still lies in its staging folder."""
    slot = cell["slot"]
    place = {"path": str(out / slot["file"]), "digest": cell["digest"], "offset": slot["offset"], "length": slot["length"]}
    return place | {key: slot[key] for key in ("dtype", "shape") if key in slot}


def slot_bytes(out: Path, cell: Mapping[str, Any]) -> bytes:
    """The bytes a cell's slot points at."""
    slot = cell["slot"]
    data = (out / slot["file"]).read_bytes()
    return data[slot["offset"] : slot["offset"] + slot["length"]]


def slot_tensor(out: Path, cell: Mapping[str, Any]) -> torch.Tensor:
    """The tensor a cell's slot points at."""
    dtype = getattr(torch, cell["slot"]["dtype"])
    return torch.frombuffer(bytearray(slot_bytes(out, cell)), dtype=dtype).reshape(cell["slot"]["shape"])


def check_files(out: Path, result: Mapping[str, Any]) -> None:
    """Asserts that the result's files are all there is in `out` and hash to what it says."""
    assert sorted(file["name"] for file in result["files"]) == sorted(path.name for path in out.iterdir())
    for file in result["files"]:
        data = (out / file["name"]).read_bytes()
        assert (digest_of(data), len(data)) == (file["digest"], file["bytes"])


def residuals(resident: Resident, ids: Sequence[Sequence[int]] = SOME_IDS, layers: Sequence[int] = (1, LAYERS - 1)) -> list[torch.Tensor]:
    """The residuals of whole sequences under the resident's present state, in a fixed order."""
    from sidecar.inference.prefill import Job, prefill

    kept: dict[tuple[int, int], torch.Tensor] = {}
    prefill(resident.base, [Job(row, layers, 0) for row in ids], lambda index, layer, state: kept.update({(index, layer): state}))
    return [kept[key] for key in sorted(kept)]


def same(left: Sequence[torch.Tensor], right: Sequence[torch.Tensor]) -> bool:
    """Whether two lists of tensors are equal bit for bit."""
    return len(left) == len(right) and all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


def relative(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The L2 distance relative to the length of `wanted`."""
    return float((found.double() - wanted.double()).norm() / wanted.double().norm())
