"""Loads a base model from a folder: safetensors only, no code from the folder, no network."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..native.memory import host_memory
from .chat import NOTHING, Told
from .folder import check_model_folder
from .lean_imports import lean_imports
from .quantized import quantization_options

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DTYPES = ("bfloat16", "float16", "float32")


@dataclass(frozen=True)
class Base:
    """A loaded base model with what inference needs to know of it."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    decoder: torch.nn.Module  # the model without its vocabulary projection
    blocks: Sequence[torch.nn.Module]  # the decoder blocks in order: layer N is the output of blocks[N]
    dtype: str
    devices: tuple[torch.device, ...]  # that its blocks lie on, in their order
    hidden: int
    parameters: int
    context: int  # tokens
    vocabulary: int  # rows of the embedding
    stop_ids: frozenset[int]
    told: Told  # what the chat template is told

    @property
    def device(self) -> torch.device:
        """Where ids enter and logits leave, with all that is no block."""
        return self.devices[0]


def load_base(path: str, dtype: str, device: str, quantization: str | None, told: Told = NOTHING) -> Base:
    """The model in the folder `path`, ready for inference.

    `device` is `cpu`, `cuda`, `cuda:N`, `mps`, or `cuda:N+cuda:M` for a model that is spread over several. Raises SidecarError
    of kind `bad-input` for a folder or a combination that cannot be loaded.
    """
    if dtype not in DTYPES:
        raise bad_input(f"dtype '{dtype}' is not one of {', '.join(DTYPES)}")
    check_model_folder(Path(path))
    devices = find_devices(device)
    with lean_imports():
        model, tokenizer, attention = load_whole(path, dtype, devices, quantization)
    from ..native import packed
    from ..native.attention import use_own_attention
    from ..native.fused import fuse

    model.eval()
    model.requires_grad_(False)
    if packed.is_needed(model, model.dtype, devices[0], host_memory()):
        packed.pack(model)
        fuse(model, model.dtype)
        if attention == "sdpa":
            use_own_attention(model)
    text_config = model.config.get_text_config(decoder=True)
    decoder, blocks = decoder_of(model)
    if len(devices) > 1:
        from .spread import carry

        carry(decoder, blocks, devices[0])
    return Base(
        model=model,
        tokenizer=tokenizer,
        decoder=decoder,
        blocks=blocks,
        dtype=dtype,
        devices=devices,
        hidden=text_config.hidden_size,
        parameters=model.num_parameters(),
        context=context_of(text_config),
        vocabulary=model.get_input_embeddings().num_embeddings,
        stop_ids=find_stop_ids(model, tokenizer),
        told=told,
    )


def load_whole(
    path: str, dtype: str, devices: tuple[torch.device, ...], quantization: str | None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, str]:
    """The model with all of its weights, its tokenizer, and what transformers calls the kind of its attention."""
    import torch
    from safetensors import SafetensorError
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    quiet: Callable[[], None] = disable_progress_bar
    quiet()
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(path, **options)
        if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
            raise bad_input(f"architecture '{config.model_type}' is none that continues a text")
        answer: Any = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            attn_implementation=attention_for(config),
            device_map=device_map(config, getattr(torch, dtype), devices, quantization),
            output_loading_info=True,
            **quantization_options(config, quantization, dtype, devices[0]),
            **options,
        )
        tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left", **options)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise bad_input(f"the base model cannot be loaded: {error}") from error
    model, loading = answer
    lacking = sorted(str(key) for key in (*loading["missing_keys"], *loading["mismatched_keys"]))
    if lacking:
        # transformers fills such weights with random numbers and only warns.
        raise bad_input(f"the model folder lacks weights, first: {lacking[0]}")
    check_calls(model)
    if len(devices) > 1:
        from accelerate.hooks import remove_hook_from_submodules

        # On every layer, which costs a decoding step more than what they do.
        remove_hook_from_submodules(model)
    return model, tokenizer, model.config._attn_implementation


def device_map(config: Any, dtype: torch.dtype, devices: tuple[torch.device, ...], quantization: str | None) -> dict[str, torch.device]:
    """Where `from_pretrained` puts which part of the model of this transformers `config`."""
    if len(devices) == 1:
        return {"": devices[0]}
    import torch
    from transformers import AutoModelForCausalLM

    from .spread import places

    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(copy.deepcopy(config), dtype=dtype)
    return places(model, decoder_of(model)[1], devices, quantization)


def attention_for(config: Any) -> str | None:
    """Transformers' plain attention where scores are capped before their softmax (Gemma 2); None where it may choose: that
    is the fast one, or the plain one for an architecture that has no other (gpt-oss)."""
    capped = getattr(config.get_text_config(decoder=True), "attn_logit_softcapping", None)
    return None if capped is None else "eager"


# What a model's forward must take, and what an architecture does that does not take it.
NEEDED = {
    "past_key_values": "keeps what it has read in a way of its own",
    "position_ids": "counts positions itself, so rows of unequal lengths cannot be run together",
}


def check_calls(model: PreTrainedModel) -> None:
    """Raises SidecarError of kind `bad-input` for a model that would pass over what inference tells it."""
    taken = inspect.signature(model.forward).parameters
    for name, reason in NEEDED.items():
        if name not in taken:
            raise bad_input(f"architecture '{model.config.model_type}' takes no {name}: it {reason}")


def context_of(config: Any) -> int:
    """Tokens that are read at once. Raises SidecarError of kind `bad-input` for an architecture that names no such limit.

    With "longrope" (Phi-3, Phi-4-mini) the longest row decides by which angles all rows of a batch are turned: what a row
    gives would depend on those beside it, so none may be longer than where the angles change.
    """
    most: int | None = getattr(config, "max_position_embeddings", None)
    if most is None:
        raise bad_input(f"architecture '{config.model_type}' has no max_position_embeddings: how much it reads at once is not known")
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") != "longrope":
        return most
    changed: int = rope.get("original_max_position_embeddings") or getattr(config, "original_max_position_embeddings", most)
    return min(most, changed)


def decoder_of(model: PreTrainedModel) -> tuple[torch.nn.Module, Sequence[torch.nn.Module]]:
    """The part of a model before its vocabulary projection, and its blocks in order. Raises SidecarError of kind `bad-input`
    where there is no list of so many as its configuration says."""
    import torch

    count = model.config.get_text_config(decoder=True).num_hidden_layers
    for decoder in (model.get_decoder(), getattr(model, "model", None)):
        for child in decoder.children() if isinstance(decoder, torch.nn.Module) else ():
            if isinstance(child, torch.nn.ModuleList) and len(child) == count:
                return decoder, child
    raise bad_input(f"{type(model).__name__} has no list of {count} blocks to record behind")


def find_devices(name: str) -> tuple[torch.device, ...]:
    """The devices that `name` has with a + between them, if they are here. Of several GPUs the first of them is from now on the
    one that is meant where none is named, so that nothing of this process lies on another's."""
    import torch

    devices = tuple(map(find_device, name.split("+")))
    if len(devices) > 1 and (len(set(devices)) < len(devices) or any(device.type != "cuda" for device in devices)):
        raise bad_input(f"device '{name}' does not name GPUs, each once")
    if devices[0].type == "cuda":
        torch.cuda.set_device(devices[0])
    return devices


def find_device(name: str) -> torch.device:
    """The device called `name`, if it is here."""
    import torch

    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise bad_input(f"device '{name}' is not one of cpu, cuda, cuda:N, mps")
    if kind == "cuda" and not (torch.cuda.is_available() and int(index or 0) < torch.cuda.device_count()):
        raise bad_input(f"device '{name}' is not available on this machine")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise bad_input("device 'mps' is not available on this machine")
    return torch.device(kind, int(index or 0)) if kind == "cuda" else torch.device(kind)


def find_stop_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The ids that end an answer: the generation config's (one or a list), else the tokenizer's."""
    found = getattr(model.generation_config, "eos_token_id", None)
    if found is None:
        found = tokenizer.eos_token_id
    if found is None:
        raise bad_input("neither the generation config nor the tokenizer names a token that ends an answer")
    return frozenset(found if isinstance(found, list | tuple) else [found])
