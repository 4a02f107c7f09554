"""Checkpoints whose weights lie quantized are widened with their scales, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, GptOssConfig, GptOssForCausalLM

from sidecar.errors import SidecarError
from sidecar.inference.decode import decode
from sidecar.inference.residency import Resident
from sidecar.inference.sampling import Sampler
from sidecar.model import quantized
from sidecar.native import packed

from .support import SOME_IDS, copy_tokenizer, edit_json, loaded, make_adapter, make_tiny_model, relative, residuals, same, switch
from .test_architectures import states

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


WAYS = {"nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": torch.float32}, "int8": {"load_in_8bit": True}}
ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """bitsandbytes on this CPU, with weights in the order that they have on a GPU."""
    layers = pytest.importorskip("bitsandbytes.nn.modules")
    monkeypatch.setattr(layers, "has_avx512bf16", lambda: False)
    monkeypatch.setattr(quantized, "RUN_ON", ("cpu",))
    monkeypatch.setattr(packed, "is_needed", lambda *_: False)


def widened(folder: Path, way: str) -> Any:
    """The model as transformers widens what bitsandbytes made of its weights, without either's products."""
    settings: Any = BitsAndBytesConfig
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, device_map={"": "cpu"}, quantization_config=settings(**WAYS[way]), local_files_only=True
    ).dequantize()


def check_like(resident: Resident, model: Any, adapter: Path, bound: float) -> None:
    """Recordings are those of `model`, with the adapter those of PEFT, and without it again what they were."""
    clean = residuals(resident, layers=[1])
    assert all(relative(found, states(model, ids)[1]) < bound for ids, found in zip(SOME_IDS, clean, strict=True))
    switch(resident, adapter)
    with_adapter = PeftModel.from_pretrained(model, str(adapter))
    for ids, found in zip(SOME_IDS, residuals(resident, layers=[1]), strict=True):
        assert relative(found, states(with_adapter, ids)[1]) < bound
    switch(resident, None)
    assert same(residuals(resident, layers=[1]), clean)


BOUNDS = [("nf4", 1e-5), ("int8", 0.05)]  # eight-bit products round what is multiplied too


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize(("way", "bound"), BOUNDS)
def test_weights_of_few_bits_record_what_the_weights_they_stand_for_do_and_keep_no_trace_of_an_adapter(
    tiny: Path, tmp_path: Path, way: str, bound: float
) -> None:
    adapter = make_adapter(tmp_path / "own", tiny, targets=ALL)
    zero = make_adapter(tmp_path / "zero", tiny, targets=ALL, scale=0)
    resident = Resident()
    resident.load_base({"path": str(tiny), "dtype": "float32", "device": "cpu", "quantization": way})
    clean = residuals(resident, layers=[1])
    switch(resident, zero)
    assert same(residuals(resident, layers=[1]), clean)
    switch(resident, None)
    check_like(resident, widened(tiny, way), adapter, bound)


@pytest.mark.usefixtures("as_on_a_gpu")
def test_weights_of_four_bits_answer_as_the_weights_they_stand_for(tiny: Path) -> None:
    resident = Resident()
    resident.load_base({"path": str(tiny), "dtype": "float32", "device": "cpu", "quantization": "nf4"})
    model = widened(tiny, "nf4")
    model.generation_config.eos_token_id = None
    wanted = [model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=12)[0, len(ids) :].tolist() for ids in SOME_IDS]
    assert 2 not in [token for answer in wanted for token in answer]
    assert decode(resident.base, SOME_IDS, Sampler([0] * len(SOME_IDS), 0, 1), 12) == wanted


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize(("way", "least", "most"), [("nf4", 0.0, 1e-4), ("int8", 0.01, 1.0)])
def test_weights_of_eight_bits_make_a_row_depend_on_those_beside_it(smollm2: Path, way: str, least: float, most: float) -> None:
    rows = [[1, 9690, 198, 2683, 359, *range(300, 320)], [1, 4093, 198, 7306, 346, 253, *range(900, 930)], [1, 5, 6, 7, 8, 9, 10]]
    resident = Resident()
    resident.load_base({"path": str(smollm2), "dtype": "float32", "device": "cpu", "quantization": way})
    alone = [residuals(resident, [ids], [20])[0] for ids in rows]
    off = [relative(found, wanted) for found, wanted in zip(residuals(resident, rows, [20]), alone, strict=True)]
    assert least <= max(off) < most


STORED: dict[str, dict[str, Any]] = {
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": torch.bfloat16},
    "int8": {"load_in_8bit": True},
}


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize(("way", "bound"), BOUNDS)
def test_weights_that_lie_in_few_bits_are_loaded_as_they_lie(tiny: Path, tmp_path: Path, way: str, bound: float) -> None:
    stored = tmp_path / "stored"
    settings: Any = BitsAndBytesConfig
    AutoModelForCausalLM.from_pretrained(
        tiny, dtype=torch.float32, device_map={"": "cpu"}, quantization_config=settings(**STORED[way]), local_files_only=True
    ).save_pretrained(stored)
    copy_tokenizer(tiny, stored)
    assert any(weight.dtype in (torch.uint8, torch.int8) for weight in load_file(stored / "model.safetensors").values())
    adapter = make_adapter(tmp_path / "own", tiny, targets=ALL)
    resident = Resident()
    resident.load_base({"path": str(stored), "dtype": "float32", "device": "cpu", "quantization": way})
    model = AutoModelForCausalLM.from_pretrained(stored, dtype=torch.float32, device_map={"": "cpu"}, local_files_only=True).dequantize()
    check_like(resident, model.float(), adapter, bound)


@pytest.mark.parametrize(
    ("settings", "wanted", "reason"),
    [
        ({"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, None, "its weights lie in nf4: they are loaded with `quantization: nf4`, and no other"),
        ({"load_in_8bit": True}, "nf4", "its weights lie in int8: they are loaded with `quantization: int8`, and no other"),
        ({"load_in_4bit": True}, "nf4", "its weights lie quantized by 'bitsandbytes' in fp4, and only nf4 and int8 can be read"),
        ({"load_in_8bit": True}, "int8", "quantization 'int8' runs on cuda only, not on cpu"),
    ],
)  # fmt: skip
def test_weights_that_lie_in_few_bits_are_refused_where_they_cannot_be_loaded_so(
    tiny: Path, tmp_path: Path, settings: dict[str, Any], wanted: str | None, reason: str
) -> None:
    folder = shutil.copytree(tiny, tmp_path / "stored")
    edit_json(folder / "config.json", quantization_config={"quant_method": "bitsandbytes", **settings})
    with pytest.raises(SidecarError) as caught:
        Resident().load_base({"path": str(folder), "dtype": "float32", "device": "cpu", "quantization": wanted})
    assert str(caught.value) == reason
