"""Checkpoints whose weights lie quantized are widened with their scales, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GptOssConfig, GptOssForCausalLM

from sidecar.errors import SidecarError

from .support import copy_tokenizer, edit_json, loaded, make_tiny_model, relative, residuals

FP8 = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}
LARGEST_FP8 = 448  # of float8_e4m3fn
# The numbers of 4 bits: a sign, two bits of exponent, one of fraction (Open Compute Project, Microscaling Formats 1.0).
FP4 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])


def rewritten(folder: Path, weights: dict[str, torch.Tensor], method: dict[str, Any]) -> Path:
    """The folder with other weights in it, of which its config.json says how they are quantized."""
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    edit_json(folder / "config.json", quantization_config=method)
    return folder


@pytest.mark.parametrize(("dtype", "bound"), [("bfloat16", 0.05), ("float32", 1e-5)])
def test_eight_bit_floats_are_widened_with_their_scales(smollm2: Path, tmp_path: Path, dtype: str, bound: float) -> None:
    whole = make_tiny_model(tmp_path / "whole", smollm2)
    exact, small = load_file(whole / "model.safetensors"), {}
    for name, weight in load_file(whole / "model.safetensors").items():
        small[name] = weight
        if "proj" in name:
            scale = weight.abs().max() / LARGEST_FP8
            small[name], small[f"{name}_scale_inv"] = (weight / scale).to(torch.float8_e4m3fn), scale.reshape(1, 1)
            exact[name] = (small[name].float() * scale).clone()
    stored = rewritten(shutil.copytree(whole, tmp_path / "stored"), small, FP8)
    save_file(exact, whole / "model.safetensors", metadata={"format": "pt"})
    for found, wanted in zip(residuals(loaded(stored, dtype)), residuals(loaded(whole, dtype)), strict=True):
        assert relative(found, wanted) < bound


def test_four_bit_floats_with_shared_exponents_are_widened_exactly(smollm2: Path, tmp_path: Path) -> None:
    sizes = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 16}
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2}
    ids = {"vocab_size": 49152, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    model = GptOssForCausalLM(GptOssConfig(num_key_value_heads=2, **sizes, **experts, **ids))
    model.save_pretrained(tmp_path)
    copy_tokenizer(smollm2, tmp_path)
    generator = torch.Generator().manual_seed(0)
    weights, wanted = {}, {}
    for name, weight in model.state_dict().items():
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            weights[name] = weight.to(torch.bfloat16)
            continue
        count, inputs, outputs = weight.shape
        blocks = torch.randint(0, 256, (count, outputs, inputs // 32, 16), generator=generator, dtype=torch.uint8)
        scales = torch.randint(118, 124, (count, outputs, inputs // 32), generator=generator, dtype=torch.uint8)
        weights |= {f"{name}_blocks": blocks, f"{name}_scales": scales}
        pairs = torch.stack([FP4[(blocks & 15).long()], FP4[(blocks >> 4).long()]], dim=-1).flatten(-2)
        wanted[name] = (pairs * torch.exp2(scales.float() - 127)[..., None]).flatten(-2).transpose(1, 2)
    rewritten(tmp_path, weights, {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]})
    found = dict(loaded(tmp_path, "bfloat16").base.model.named_parameters())
    assert len(wanted) == 4
    for name, weight in wanted.items():
        assert torch.equal(found[name].float(), weight)


def test_other_ways_to_quantize_are_refused_before_weights_are_read_without_their_scales(tiny: Path, tmp_path: Path) -> None:
    for name, method in {"gptq": {"quant_method": "gptq", "bits": 4}, "compressed-tensors": {"config_groups": {}}}.items():
        folder = shutil.copytree(tiny, tmp_path / name)
        edit_json(folder / "config.json", quantization_config=method)
        with pytest.raises(SidecarError) as caught:
            loaded(folder)
        assert str(caught.value) == (
            f"its weights lie quantized by '{name}', and only mxfp4 and fp8 can be widened: take those in bfloat16"
        )
