"""Replay runs on the clean base and a swap leaves nothing behind, whatever was on before."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import extract
from sidecar.native import packed

from .support import LAYERS, SOME_IDS, edit_adapter, edit_json, loaded, make_adapter, relative, residuals, same, silent, switch

MLP = ("gate_proj", "up_proj", "down_proj")
ALL = ("q_proj", "k_proj", "v_proj", "o_proj", *MLP)


@pytest.fixture(scope="module")
def adapters(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Adapters that differ in rank, alpha, targets and scaling rule; names with dots, as organisms may have."""
    folder = tmp_path_factory.mktemp("adapters")
    return {
        "small": make_adapter(folder / "small.v1", tiny, rank=2, alpha=4, targets=["q_proj"], seed=1),
        "large": make_adapter(folder / "large.v1", tiny, rank=16, alpha=64, targets=ALL, seed=2),
        "mlp": make_adapter(folder / "mlp", tiny, rank=4, alpha=2, targets=MLP, seed=3, use_rslora=True),
        "dora": make_adapter(folder / "dora", tiny, rank=4, alpha=8, targets=["v_proj"], seed=4, use_dora=True),
        "zero": make_adapter(folder / "zero", tiny, rank=8, alpha=16, targets=ALL, seed=5, scale=0.0),
    }


@pytest.fixture(scope="module")
def shared(tiny: Path) -> Resident:
    """A model that many refused adapters are tried on: each must leave it clean for the next."""
    return loaded(tiny)


@pytest.fixture(scope="module")
def clean(tiny: Path) -> list[torch.Tensor]:
    """What a freshly loaded clean model records in float32."""
    return residuals(loaded(tiny))


@pytest.fixture(params=["folded into the weights", "beside the weights"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter as on a CPU, and as on a GPU."""
    if request.param == "beside the weights":
        monkeypatch.setattr(packed, "is_needed", lambda *_: False)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_off_after_several_adapters_equals_a_freshly_loaded_clean_model_bitwise(tiny: Path, adapters: dict[str, Path], dtype: str) -> None:
    fresh = loaded(tiny, dtype)
    clean = residuals(fresh)
    resident = loaded(tiny, dtype)
    for name in ("large", "dora", "small", "mlp"):
        switch(resident, adapters[name])
        assert not same(residuals(resident), clean)
        switch(resident, None)
        assert same(residuals(resident), clean)
    weights = fresh.base.model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in resident.base.model.state_dict().items())


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_swapped_adapter_equals_a_freshly_loaded_one_bitwise(tiny: Path, adapters: dict[str, Path], dtype: str) -> None:
    resident = loaded(tiny, dtype)
    for name in ("small", "large", "dora", "small"):
        switch(resident, adapters[name])
        fresh = loaded(tiny, dtype)
        switch(fresh, adapters[name])
        assert same(residuals(resident), residuals(fresh))


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("name", ["small", "large", "mlp", "dora"])
def test_an_adapter_does_what_peft_alone_makes_of_it(tiny: Path, adapters: dict[str, Path], name: str) -> None:
    plain = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32, local_files_only=True)
    reference = PeftModel.from_pretrained(plain, adapters[name]).eval()
    resident = loaded(tiny)
    switch(resident, adapters[name])
    for ids, found in zip(SOME_IDS, residuals(resident, SOME_IDS, [LAYERS - 2]), strict=True):
        with torch.inference_mode():
            wanted = reference(torch.tensor([ids]), output_hidden_states=True).hidden_states[LAYERS - 1][0]
        assert relative(found, wanted) < 1e-5


@pytest.mark.usefixtures("either_way")
def test_a_zero_adapter_equals_the_base(tiny: Path, adapters: dict[str, Path]) -> None:
    resident = loaded(tiny)
    clean = residuals(resident)
    switch(resident, adapters["zero"])
    assert same(residuals(resident), clean)


@pytest.mark.usefixtures("either_way")
def test_ten_switches_keep_one_adapter_in_memory(tiny: Path, adapters: dict[str, Path]) -> None:
    def tensor_bytes() -> int:
        gc.collect()
        return sum(thing.nbytes for thing in gc.get_objects() if type(thing) in (torch.Tensor, torch.nn.Parameter))

    resident = loaded(tiny)
    clean = tensor_bytes()
    switch(resident, adapters["large"])
    with_one = tensor_bytes()
    for index in range(10):
        switch(resident, adapters[("small", "large")[index % 2]])
    assert tensor_bytes() == with_one > clean
    assert all(len(module.lora_A) == 1 for module in resident.base.model.modules() if isinstance(module, BaseTunerLayer))
    switch(resident, None)
    assert tensor_bytes() == clean


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("name", ["large", "dora"])
def test_an_adapter_stays_what_it_was_when_its_file_is_written_anew_while_it_is_on(
    tiny: Path, adapters: dict[str, Path], tmp_path: Path, name: str
) -> None:
    adapter = edit_adapter(adapters[name], tmp_path / name)
    resident = loaded(tiny)
    switch(resident, adapter)
    before = residuals(resident)
    with (adapter / "adapter_model.safetensors").open("r+b") as file:
        file.write(bytes((adapter / "adapter_model.safetensors").stat().st_size))
    assert same(residuals(resident), before)


def test_an_adapter_gets_the_models_dtype(tiny: Path, adapters: dict[str, Path]) -> None:
    resident = loaded(tiny, "bfloat16")
    switch(resident, adapters["dora"])
    dtypes = {name: parameter.dtype for name, parameter in resident.base.model.named_parameters() if "lora_" in name}
    assert dtypes and set(dtypes.values()) == {torch.bfloat16}


def test_nothing_is_trainable_and_no_dropout_is_on(tiny: Path, tmp_path: Path) -> None:
    resident = loaded(tiny)
    switch(resident, make_adapter(tmp_path / "dropout", tiny, lora_dropout=0.5))
    assert not any(parameter.requires_grad for parameter in resident.base.model.parameters())
    assert not any(module.training for module in resident.base.model.modules())
    assert same(residuals(resident), residuals(resident))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"bias": "all"}, "'bias' is 'all'"),
        ({"init_lora_weights": "pissa"}, "'init_lora_weights' is 'pissa'"),
        ({"megatron_config": {"a": 1}, "megatron_core": "os"}, "'megatron_config'"),
        ({"modules_to_save": ["lm_head"]}, "'modules_to_save'"),
        ({"layer_replication": [[0, 2], [1, 3]]}, "'layer_replication'"),
        ({"peft_type": "IA3"}, "'peft_type' is 'IA3'"),
        ({"from_the_future": True}, "'from_the_future' is not a setting"),
        ({"r": 3}, "cannot be put on the base model"),
        ({"target_modules": ["nothing_like_it"]}, "cannot be put on the base model"),
        ({"drop": 1}, "1 weights are not in its file"),
        ({"target_modules": ["q_proj"]}, "weights have no place in the model"),
        ({"extra": {"base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight": torch.zeros(2, 64)}}, "have no place in the model"),
    ],
)
def test_an_adapter_that_would_change_the_base_or_be_half_used_is_refused(
    shared: Resident, clean: list[torch.Tensor], adapters: dict[str, Path], tmp_path: Path, edit: dict[str, Any], message: str
) -> None:
    switch(shared, adapters["large"])
    broken = edit_adapter(adapters["large"], tmp_path / "broken", **edit)
    with pytest.raises(SidecarError, match=message) as caught:
        switch(shared, broken)
    assert caught.value.kind == "bad-input"
    assert shared.adapter is None
    assert same(residuals(shared), clean)


def test_an_adapter_of_another_hidden_size_is_refused(shared: Resident, adapters: dict[str, Path], tmp_path: Path) -> None:
    other = edit_adapter(adapters["small"], tmp_path / "other")
    weights = load_file(other / "adapter_model.safetensors")
    save_file(
        {name: torch.zeros(2, 32) if "lora_A" in name else value for name, value in weights.items()}, other / "adapter_model.safetensors"
    )
    with pytest.raises(SidecarError, match="cannot be put on the base model"):
        switch(shared, other)


def test_pickled_weights_are_never_opened(shared: Resident, adapters: dict[str, Path], tmp_path: Path) -> None:
    pickled = edit_adapter(adapters["small"], tmp_path / "pickled")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    with pytest.raises(SidecarError, match="no adapter_model.safetensors"):
        switch(shared, pickled)


@pytest.mark.parametrize("data", [b"", b"\xff" * 64, (1 << 40).to_bytes(8, "little") + b"{}", b"PK\x03\x04" + b"0" * 60])
def test_a_file_that_is_no_safetensors_is_refused(shared: Resident, adapters: dict[str, Path], tmp_path: Path, data: bytes) -> None:
    broken = edit_adapter(adapters["small"], tmp_path / "broken")
    (broken / "adapter_model.safetensors").write_bytes(data)
    with pytest.raises(SidecarError, match="cannot be put on the base model"):
        switch(shared, broken)


def test_vectors_are_never_taken_from_an_organism(tiny: Path, adapters: dict[str, Path], out: Path) -> None:
    resident = loaded(tiny)
    switch(resident, adapters["small"])
    with pytest.raises(SidecarError, match=r"the adapter 'small.v1' is on"):
        extract.run({"out": str(out), "groups": [], "system_prompt": None, "position": "response"}, resident, silent())


def test_without_a_base_no_adapter_can_be_on() -> None:
    with pytest.raises(SidecarError, match="load_base comes first"):
        switch(Resident(), None)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_base_that_brings_its_own_code_is_refused(tiny: Path, tmp_path: Path, file: str) -> None:
    folder = copy_of(tiny, tmp_path)
    edit_json(folder / file, auto_map={"AutoModelForCausalLM": "evil.Model"})
    with pytest.raises(SidecarError, match="auto_map"):
        loaded(folder)


def test_a_base_without_one_of_its_weights_is_refused_and_not_filled_with_noise(tiny: Path, tmp_path: Path) -> None:
    folder = copy_of(tiny, tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.3.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SidecarError, match=r"lacks weights, first: model.layers.3.mlp.up_proj.weight"):
        loaded(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "int4"}, "dtype 'int4' is not one of"),
        ({"device": "tpu"}, "device 'tpu' is not one of"),
        ({"device": "cuda:9"}, "device 'cuda:9' is not available"),
        ({"quantization": "nf4"}, "quantization 'nf4' runs on cuda only, not on cpu"),
        ({"quantization": "gguf"}, "quantization 'gguf' is not one of"),
        ({"path": "hf-org/some-model"}, "not a model folder"),
    ],
)
def test_a_base_that_cannot_be_loaded_is_refused_by_name(tiny: Path, changes: dict[str, Any], message: str) -> None:
    request = {"path": str(tiny), "dtype": "float32", "device": "cpu", "quantization": None}
    with pytest.raises(SidecarError, match=message) as caught:
        Resident().load_base({**request, **changes})
    assert caught.value.kind == "bad-input"


def copy_of(model: Path, tmp_path: Path) -> Path:
    """A copy of a model folder that may be edited."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in model.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder
