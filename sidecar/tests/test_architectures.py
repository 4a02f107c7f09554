"""What holds for Llama holds for other families: the same hidden states, the same answers, the same adapters as plain
transformers, whatever their heads, windows and norms are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    FalconConfig,
    FalconForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    GemmaConfig,
    GemmaForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GptOssConfig,
    GptOssForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from sidecar.errors import SidecarError
from sidecar.inference.decode import decode
from sidecar.inference.residency import Resident
from sidecar.inference.sampling import Sampler

from .support import LAYERS, copy_tokenizer, loaded, make_adapter, relative, residuals, same, switch

WINDOW = 8  # tokens: shorter than most of the rows, so that windows matter
ROWS = [[1, 5 + index, 9000 + 37 * index, *range(40, 40 + 4 * index)] for index in range(6)]
SCALED = {"sliding_window": WINDOW, "query_pre_attn_scalar": 24, "head_dim": 24}
EYES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}


def with_eyes(**text: Any) -> Gemma3Config:
    """A model that also sees: what is of its text model stands apart in its configuration."""
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    return Gemma3Config(text_config=text, vision_config=EYES, **ends)


FAMILIES: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]] = {
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, {}),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, {"head_dim": 24}),
    "gemma": (GemmaForCausalLM, GemmaConfig, {"head_dim": 24}),
    "gemma2": (Gemma2ForCausalLM, Gemma2Config, {**SCALED, "attn_logit_softcapping": 2.0}),
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig, SCALED),
    "gemma3_with_eyes": (Gemma3ForConditionalGeneration, with_eyes, SCALED),
    "mistral": (MistralForCausalLM, MistralConfig, {"sliding_window": WINDOW}),
    "phi3": (Phi3ForCausalLM, Phi3Config, {}),
    "gpt_oss": (
        GptOssForCausalLM,
        GptOssConfig,
        {"head_dim": 24, "sliding_window": WINDOW, "num_local_experts": 4, "num_experts_per_tok": 2},
    ),
    "falcon": (FalconForCausalLM, FalconConfig, {}),
    "gpt2": (GPT2LMHeadModel, GPT2Config, {"resid_pdrop": 0, "attn_pdrop": 0, "embd_pdrop": 0}),
}
TARGETS = {"phi3": ("qkv_proj", "o_proj"), "falcon": ("query_key_value", "dense"), "gpt2": ("c_attn",)}


def make(family: str, folder: Path, tokenizer: Path, **more: Any) -> Path:
    """A random model of `family` of 6 layers in float32, with the real tokenizer, in `folder`."""
    torch.manual_seed(0)
    model, config, own = FAMILIES[family]
    sizes = {"vocab_size": 49152, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": LAYERS}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.2}
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    model(config(**{**sizes, **heads, **ids, **own, **more})).save_pretrained(folder)
    copy_tokenizer(tokenizer, folder)
    return folder


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(request.param, tmp_path_factory.mktemp("families") / request.param, smollm2)


def plain(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The model as transformers alone runs it, by the attention that its authors wrote."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager", local_files_only=True).eval()


def states(model: Any, ids: list[int]) -> list[torch.Tensor]:
    """The output of every block but the last for one row; entry N is that of block N."""
    with torch.inference_mode():
        return [state[0] for state in model(torch.tensor([ids]), output_hidden_states=True).hidden_states[1:LAYERS]]


def answers(resident: Resident, together: int) -> list[list[int]]:
    return decode(resident.base, ROWS, Sampler([0] * len(ROWS), 0, 1), 20, together=together)


def test_a_batch_of_unequal_lengths_records_transformers_hidden_states(folder: Path) -> None:
    layers = list(range(LAYERS - 1))
    found, model = residuals(loaded(folder), ROWS, layers), plain(folder)
    for row, ids in enumerate(ROWS):
        for layer, wanted in enumerate(states(model, ids)):
            assert relative(found[row * len(layers) + layer], wanted) < 1e-5, f"row {row}, layer {layer}"


def test_stopping_early_changes_no_bit_of_what_came_before(folder: Path) -> None:
    resident = loaded(folder)
    assert same(residuals(resident, ROWS, [2]), residuals(resident, ROWS, [2, LAYERS - 1])[0::2])


def test_greedy_answers_are_those_of_transformers_generate(folder: Path) -> None:
    model = plain(folder)
    model.generation_config.eos_token_id = None
    wanted = [model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=20)[0, len(ids) :].tolist() for ids in ROWS]
    ended = [answer[: answer.index(2) + 1] if 2 in answer else answer for answer in wanted]
    assert answers(loaded(folder), together=len(ROWS)) == ended
    assert answers(loaded(folder), together=2) == ended


def test_half_precision_stays_as_near_to_float32_as_transformers_own(folder: Path) -> None:
    assert_recordings_in_half_precision(folder)


def assert_recordings_in_half_precision(folder: Path) -> None:
    """Our recordings in bfloat16 are about as near to float32 as transformers' own."""
    exact, half = plain(folder), plain(folder, torch.bfloat16)
    found = residuals(loaded(folder, "bfloat16"), ROWS, [LAYERS - 2])
    for ids, ours in zip(ROWS, found, strict=True):
        wanted, theirs = states(exact, ids)[-1], states(half, ids)[-1]
        assert relative(ours, wanted) < max(1.5 * relative(theirs, wanted), 0.01)


def test_an_adapter_does_what_peft_makes_of_it_and_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    targets = TARGETS.get(folder.name, ("q_proj", "v_proj", "down_proj"))
    adapter = make_adapter(tmp_path / "own", folder, targets=targets)
    zero = make_adapter(tmp_path / "zero", folder, targets=targets, scale=0)
    resident = loaded(folder)
    clean = residuals(resident, ROWS, [3])
    switch(resident, adapter)
    model = PeftModel.from_pretrained(plain(folder), str(adapter))
    for ids, found in zip(ROWS, residuals(resident, ROWS, [3]), strict=True):
        assert relative(found, states(model, ids)[3]) < 1e-5
    switch(resident, zero)
    assert same(residuals(resident, ROWS, [3]), clean)
    switch(resident, None)
    assert same(residuals(resident, ROWS, [3]), clean)


def test_a_model_that_folds_tokens_into_a_state_is_refused(smollm2: Path, tmp_path: Path) -> None:
    config = MambaConfig(vocab_size=49152, hidden_size=64, num_hidden_layers=2, bos_token_id=1, eos_token_id=2)
    MambaForCausalLM(config).save_pretrained(tmp_path)
    copy_tokenizer(smollm2, tmp_path)
    with pytest.raises(SidecarError, match="^architecture 'mamba' has no max_position_embeddings: only models with attention are run$"):
        loaded(tmp_path)
