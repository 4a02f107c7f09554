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
LYING = "bitsandbytes"  # the method of checkpoints whose weights lie as `QUANTIZATIONS` makes them


def quantization_options(config: Any, wanted: str | None, dtype: str, device: torch.device) -> dict[str, Any]:
    """What `from_pretrained` is told of quantization for a model of this transformers `config`: `wanted` on loading, or
    nothing for None. Raises SidecarError of kind `bad-input` for what cannot be loaded.

    Where it is told None, it reads quantized weights as if they were the weights, without their scales.
    """
    stored = stored_settings(config)
    if stored is None:
        return {} if wanted is None else {"quantization_config": by_bitsandbytes(wanted, dtype, device)}
    method = str(stored.get("quant_method", "compressed-tensors"))
    if method == LYING:
        check_lying(stored, wanted)
        check_runs(str(wanted), device)
        stored["bnb_4bit_compute_dtype"] = dtype
        return {"config": config}
    if wanted is not None:
        raise bad_input(f"its weights lie quantized by '{method}': they cannot be quantized to '{wanted}' again")
    if method not in WIDENED:
        raise bad_input(f"its weights lie quantized by '{method}', and only {' and '.join(WIDENED)} can be widened: take those in bfloat16")
    import transformers

    settings: Any = getattr(transformers, WIDENED[method])
    return {"quantization_config": settings(dequantize=True)}


def stored_settings(config: Any) -> dict[str, Any] | None:
    """What the transformers `config` of a model says of how its weights lie quantized, None for those that do not."""
    for part in (config, config.get_text_config(decoder=True)):
        for name in ("quantization_config", "compression_config"):
            stored: dict[str, Any] | None = getattr(part, name, None)
            if stored:
                return stored
    return None


def check_lying(stored: dict[str, Any], wanted: str | None) -> None:
    """Raises SidecarError of kind `bad-input` where bitsandbytes' `stored` settings are not those that are `wanted`."""
    kind = stored.get("bnb_4bit_quant_type", "fp4")
    lying = "int8" if stored.get("load_in_8bit") else str(kind)
    if lying not in QUANTIZATIONS:
        raise bad_input(f"its weights lie quantized by '{LYING}' in {lying}, and only {' and '.join(QUANTIZATIONS)} can be read")
    if lying != wanted:
        raise bad_input(f"its weights lie in {lying}: they are loaded with `quantization: {lying}`, and no other")


def check_runs(wanted: str, device: torch.device) -> None:
    """Raises SidecarError of kind `bad-input` where bitsandbytes cannot run with weights in `wanted`."""
    if device.type not in RUN_ON:
        raise bad_input(f"quantization '{wanted}' runs on {' and '.join(RUN_ON)} only, not on {device.type}")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise bad_input(f"quantization '{wanted}' needs the package bitsandbytes, which is not installed")


def by_bitsandbytes(wanted: str, dtype: str, device: torch.device) -> Any:
    """bitsandbytes' settings for `nf4` (4-bit NormalFloat) or `int8`."""
    if wanted not in QUANTIZATIONS:
        raise bad_input(f"quantization '{wanted}' is not one of {', '.join(QUANTIZATIONS)}")
    check_runs(wanted, device)
    import torch
    from transformers import BitsAndBytesConfig

    settings: Any = BitsAndBytesConfig
    if wanted == "int8":
        return settings(load_in_8bit=True)
    return settings(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, dtype))
