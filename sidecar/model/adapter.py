"""Puts a LoRA adapter on a base model and takes it off again without a trace.

Refused is whatever could change the base itself (its weights would not be the clean ones afterwards), run code named
by the adapter, or leave a part of the adapter silently unused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SidecarError, bad_input, is_out_of_memory
from .folder import read_settings
from .lean_imports import lean_imports, no_needless_bitsandbytes

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from ..native.packed import Factors, PackedLinear, Product

NAME = "organism"  # what PEFT calls the adapter; the engine's names may hold dots, which PEFT's may not
CLEAN = "clean"  # where a folded layer keeps the one that it stands for
# Settings of adapter_config.json that may only have these values; absent counts as the first. The engine refuses the same
# before a model is loaded (engine/sources/adapter-settings.ts).
ONLY: dict[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none",),  # others train the base's own biases
    "init_lora_weights": (True, False, "gaussian", "orthogonal"),  # others rewrite the base's weights
    "layer_replication": (None, [], {}),
    "modules_to_save": (None, [], {}),
    "trainable_token_indices": (None, [], {}),
    "alora_invocation_tokens": (None,),
    "megatron_config": (None, {}),  # names a Python module to import
    "auto_mapping": (None, {}),
    "use_qalora": (False, None),
    "use_bdlora": (None, False),
    "velora_config": (None,),
    "monteclora_config": (None,),
    "arrow_config": (None,),
    "kasa_config": (None,),
}


def attach(model: PreTrainedModel, path: str, dtype: str) -> None:
    """Puts the adapter in the folder `path` on `model`, in place, in `dtype` (a torch name).

    Raises SidecarError of kind `bad-input` when it is refused or does not fit; the model is clean then.
    """
    settings = check_folder(Path(path))
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    with lean_imports(), no_needless_bitsandbytes():
        from peft import LoraConfig, PeftModel
        from peft.utils import set_peft_model_state_dict

    try:
        # Not mapped: an adapter that is trained again is written into the very file.
        weights = load((Path(path) / "adapter_model.safetensors").read_bytes())
        known = {field.name for field in fields(LoraConfig)}
        unknown = sorted(name for name in settings if name not in known and settings[name])
        if unknown:
            raise bad_input(f"adapter_config.json: '{unknown[0]}' is not a setting this version of peft knows")
        settings = {name: value for name, value in settings.items() if name in known}
        config = LoraConfig(**{**settings, "inference_mode": True})
        with no_needless_bitsandbytes():
            wrapped = PeftModel(model, config, NAME, autocast_adapter_dtype=False, low_cpu_mem_usage=True)
        outcome: Any = set_peft_model_state_dict(wrapped, weights, NAME, low_cpu_mem_usage=True)
        missing = [name for name in outcome.missing_keys if f".{NAME}." in name]
        unused = list(outcome.unexpected_keys)
        if missing or unused:
            raise bad_input(f"the adapter does not fit the base model: {describe(missing, unused)}")
        for name, parameter in model.named_parameters():
            if f".{NAME}." in name or name.endswith(f".{NAME}"):
                parameter.data = parameter.data.to(getattr(torch, dtype))
                parameter.requires_grad_(False)
        model.train(False)
        fold(model)
    except Exception as error:
        detach(model)
        unfit = isinstance(error, SafetensorError | ValueError | TypeError | KeyError | RuntimeError)
        if isinstance(error, SidecarError) or is_out_of_memory(error) or not unfit:
            raise
        raise bad_input(f"the adapter cannot be put on the base model: {error}") from error


def fold(model: PreTrainedModel) -> None:
    """Puts the adapter into a packed model's products: `(W + scaling · B A) x` where weights are kept in float32, which
    costs a decoding step nothing, and `W x + scaling · B A x` where they would be rounded.

    Layers that share a product with one that is folded are copied with it.
    """
    import torch

    from ..native.packed import with_added, with_beside

    groups: dict[Product, list[Member]] = {}
    for member in members(model):
        groups.setdefault(member.layer.product, []).append(member)
    for product, group in groups.items():
        if all(member.factors is None for member in group):
            continue
        group.sort(key=lambda member: member.layer.place)
        layers, factors = [member.layer for member in group], [member.factors for member in group]
        if product.dtype == torch.float32:
            folded = with_added(layers, [None if pair is None else pair[1] @ pair[0] for pair in factors])
        else:
            folded = with_beside(layers, factors)
        for member, layer in zip(group, folded, strict=True):
            if not member.apart:
                vars(layer)[CLEAN] = member.layer  # not as an attribute of a module, which would make it a part of this one
                replace(model, member.name, layer)


@dataclass(frozen=True)
class Member:
    """A packed layer of the model, by the name of its module."""

    name: str
    layer: PackedLinear
    factors: Factors | None  # float32 A [rank, in] and scaling · B [out, rank]; None for nothing
    apart: bool = False  # its adapter is more than these


def members(model: PreTrainedModel) -> Iterator[Member]:
    """Every packed layer."""
    with lean_imports(), no_needless_bitsandbytes():
        from peft.tuners.lora.layer import Linear

    from ..native.packed import PackedLinear, pack

    for name, module in list(model.named_modules()):
        if isinstance(module, PackedLinear) and not name.endswith(".base_layer"):
            yield Member(name, module, None)
        elif isinstance(module, Linear) and isinstance(base := module.get_base_layer(), PackedLinear):
            if NAME in module.lora_variant or module.lora_bias.get(NAME):
                pack(module)
                yield Member(name, base, None, apart=True)
            else:
                down, up = module.lora_A[NAME].weight.float(), module.lora_B[NAME].weight.float()
                yield Member(name, base, (down, up * module.scaling[NAME]))


def detach(model: PreTrainedModel) -> None:
    """Puts every module that an adapter wraps or replaced back in its place. A clean model is left as it is."""
    with lean_imports(), no_needless_bitsandbytes():
        from peft.tuners.tuners_utils import BaseTunerLayer

    modules = dict(model.named_modules())
    for name, module in modules.items():
        if CLEAN in vars(module):
            replace(model, name, vars(module)[CLEAN])
        elif isinstance(module, BaseTunerLayer):
            replace(model, name, module.get_base_layer())
    for attribute in ("peft_config", "_hf_peft_config_loaded"):
        vars(model).pop(attribute, None)


def replace(model: PreTrainedModel, name: str, module: Any) -> None:
    """Puts `module` in the place called `name`."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)


def check_folder(folder: Path) -> dict[str, Any]:
    """The adapter's settings. Raises SidecarError of kind `bad-input` for an adapter that is refused."""
    if not (folder / "adapter_config.json").is_file():
        raise bad_input("the adapter's folder has no adapter_config.json")
    if not (folder / "adapter_model.safetensors").is_file():
        raise bad_input("the adapter's folder has no adapter_model.safetensors: other formats are never loaded")
    settings = read_settings(folder / "adapter_config.json")
    settings.pop("runtime_config", None)
    for name, allowed in ONLY.items():
        value = settings.get(name, allowed[0])
        if value not in allowed:
            raise bad_input(f"adapter_config.json: '{name}' is {value!r}, which is not supported")
    return settings


def describe(missing: list[str], unused: list[str]) -> str:
    """Counts and one example of each side of a mismatch."""
    parts = [
        f"{len(names)} {what}, first '{names[0].replace(f'.{NAME}', '')}'"
        for names, what in ((missing, "weights are not in its file"), (unused, "weights have no place in the model"))
        if names
    ]
    return "; ".join(parts)
