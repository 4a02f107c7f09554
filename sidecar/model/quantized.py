"""Weights that are kept in fewer bits: made so on the way into memory, or lying so in the model's folder."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from ..errors import bad_input

if TYPE_CHECKING:
    import torch

QUANTIZATIONS = ("nf4", "int8")
RUN_ON = ("cuda",)  # kinds of devices: on a CPU it orders weights of four bits anew in a way that does not survive an adapter
# Of checkpoints that lie quantized: transformers' settings for the methods that it can widen to the model's dtype when
# they are loaded, which is the same on every device. Others need kernels of their own. The engine refuses the same
# before anything is loaded (engine/sources/stored-weights.ts).
WIDENED = {"mxfp4": "Mxfp4Config", "fp8": "FineGrainedFP8Config"}


def quantization_options(config: Any, wanted: str | None, dtype: str, device: torch.device) -> dict[str, Any]:
    """What `from_pretrained` is told of quantization for a model of this transformers `config`: `wanted` on loading, or
    nothing for None. Raises SidecarError of kind `bad-input` for what cannot be loaded.

    Where it is told None, it reads quantized weights as if they were the weights, without their scales.
    """
    stored = stored_method(config)
    if stored is not None and wanted is not None:
        raise bad_input(f"its weights lie quantized by '{stored}': they cannot be quantized to '{wanted}' again")
    if stored is None:
        return {} if wanted is None else {"quantization_config": by_bitsandbytes(wanted, dtype, device)}
    if stored not in WIDENED:
        raise bad_input(f"its weights lie quantized by '{stored}', and only {' and '.join(WIDENED)} can be widened: take those in bfloat16")
    import transformers

    settings: Any = getattr(transformers, WIDENED[stored])
    return {"quantization_config": settings(dequantize=True)}


def stored_method(config: Any) -> str | None:
    """How the weights of a model with this `config` lie quantized, None for those that do not."""
    for part in (config, config.get_text_config(decoder=True)):
        for name in ("quantization_config", "compression_config"):
            stored = getattr(part, name, None)
            if stored:
                return str(stored.get("quant_method", "compressed-tensors"))
    return None


def by_bitsandbytes(wanted: str, dtype: str, device: torch.device) -> Any:
    """bitsandbytes' settings for `nf4` (4-bit NormalFloat) or `int8`."""
    if wanted not in QUANTIZATIONS:
        raise bad_input(f"quantization '{wanted}' is not one of {', '.join(QUANTIZATIONS)}")
    import torch
    from transformers import BitsAndBytesConfig

    settings: Any = BitsAndBytesConfig
    if device.type not in RUN_ON:
        raise bad_input(f"quantization '{wanted}' runs on {' and '.join(RUN_ON)} only, not on {device.type}")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise bad_input(f"quantization '{wanted}' needs the package bitsandbytes, which is not installed")
    if wanted == "int8":
        return settings(load_in_8bit=True)
    return settings(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, dtype))
