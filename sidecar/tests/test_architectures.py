"""What holds for Llama holds for other families: the same hidden states, the same answers, the same adapters as plain
transformers, whatever their heads, windows and norms are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    BartConfig,
    BartForCausalLM,
    CohereConfig,
    CohereForCausalLM,
    DeepseekV3Config,
    DeepseekV3ForCausalLM,
    DeepseekV4Config,
    DeepseekV4ForCausalLM,
    DogeConfig,
    DogeForCausalLM,
    FalconConfig,
    FalconForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    Gemma4ForCausalLM,
    Gemma4TextConfig,
    GemmaConfig,
    GemmaForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GptOssConfig,
    GptOssForCausalLM,
    GraniteMoeHybridConfig,
    GraniteMoeHybridForCausalLM,
    Llama4ForCausalLM,
    Llama4TextConfig,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3_5ForCausalLM,
    Qwen3_5TextConfig,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from sidecar.errors import SidecarError
from sidecar.inference.decode import decode
from sidecar.inference.prefill import Job, prefill
from sidecar.inference.residency import Resident
from sidecar.inference.sampling import Sampler

from .support import LAYERS, copy_tokenizer, loaded, make_adapter, relative, residuals, same, switch

WINDOW = 8  # tokens: shorter than most of the rows, so that windows matter
ROWS = [[1, 5 + index, 9000 + 37 * index, *range(40, 40 + 4 * index)] for index in range(6)]
SCALED = {"sliding_window": WINDOW, "query_pre_attn_scalar": 24, "head_dim": 24}
LATENT = {"q_lora_rank": 32, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 12}
STATES = {"layer_types": ["mamba", "attention"] * 3, "mamba_n_heads": 4, "mamba_d_head": 32, "mamba_n_groups": 1, "mamba_d_state": 16}
PER_LAYER = {"layer_types": ["sliding_attention", "full_attention"] * 3, "num_kv_shared_layers": 2, "hidden_size_per_layer_input": 16, "vocab_size_per_layer_input": 49152}
EXPERTS = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "n_group": 2, "topk_group": 1, "first_k_dense_replace": 1}
# In half precision a token may go to another expert than in float32: here it goes to all.
ALL_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 4, "moe_intermediate_size": 32}
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
    "gemma4": (Gemma4ForCausalLM, Gemma4TextConfig, {**SCALED, "global_head_dim": 32, **PER_LAYER}),
    "gemma3_with_eyes": (Gemma3ForConditionalGeneration, with_eyes, SCALED),
    "mistral": (MistralForCausalLM, MistralConfig, {"sliding_window": WINDOW}),
    "phi3": (Phi3ForCausalLM, Phi3Config, {}),
    "gpt_oss": (
        GptOssForCausalLM,
        GptOssConfig,
        {"head_dim": 24, "sliding_window": WINDOW, "num_local_experts": 4, "num_experts_per_tok": 2},
    ),
    "qwen3_moe": (Qwen3MoeForCausalLM, Qwen3MoeConfig, {"head_dim": 24, **ALL_EXPERTS}),
    "qwen3_5": (Qwen3_5ForCausalLM, Qwen3_5TextConfig, {"head_dim": 24, "linear_num_key_heads": 2, "linear_num_value_heads": 4}),
    "granite_hybrid": (GraniteMoeHybridForCausalLM, GraniteMoeHybridConfig, {**STATES, "num_local_experts": 0}),
    "deepseek_v3": (DeepseekV3ForCausalLM, DeepseekV3Config, {**LATENT, **EXPERTS, "num_key_value_heads": 4}),
    "llama4": (Llama4ForCausalLM, Llama4TextConfig, {"head_dim": 24, "num_local_experts": 4, "attention_chunk_size": WINDOW}),
    "cohere": (CohereForCausalLM, CohereConfig, {}),
    "doge": (DogeForCausalLM, DogeConfig, {}),
    "falcon": (FalconForCausalLM, FalconConfig, {}),
    "gpt2": (GPT2LMHeadModel, GPT2Config, {"resid_pdrop": 0, "attn_pdrop": 0, "embd_pdrop": 0}),
}
TARGETS = {"qwen3_moe": ("q_proj", "v_proj"), "deepseek_v3": ("q_a_proj", "q_b_proj", "o_proj"), "qwen3_5": ("q_proj", "in_proj_qkv", "down_proj"), "llama4": ("q_proj", "v_proj"), "phi3": ("qkv_proj", "o_proj"), "falcon": ("query_key_value", "dense"), "gpt2": ("c_attn",)}


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


def answers(resident: Resident, stops: frozenset[int], together: int) -> list[list[int]]:
    base = replace(resident.base, stop_ids=stops)
    return decode(base, ROWS, Sampler([0] * len(ROWS), 0, 1), 20, together=together)


def test_a_batch_of_unequal_lengths_records_transformers_hidden_states(folder: Path) -> None:
    layers = list(range(LAYERS - 1))
    found, model = residuals(loaded(folder), ROWS, layers), plain(folder)
    for row, ids in enumerate(ROWS):
        for layer, wanted in enumerate(states(model, ids)):
            assert relative(found[row * len(layers) + layer], wanted) < 1e-5, f"row {row}, layer {layer}"


def test_stopping_early_changes_no_bit_of_what_came_before(folder: Path) -> None:
    resident = loaded(folder)
    assert same(residuals(resident, ROWS, [2]), residuals(resident, ROWS, [2, LAYERS - 1])[0::2])


def test_answers_behind_prompts_that_are_kept_record_transformers_hidden_states(folder: Path) -> None:
    resident, model = loaded(folder), plain(folder)
    start = [*range(100, 112)]
    jobs = [Job([*start, *ids], [2], len(start) + 1) for ids in ROWS]
    for _ in range(2):
        kept: dict[int, torch.Tensor] = {}
        prefill(resident.base, jobs, lambda row, layer, state: kept.update({row: state}), prompts=resident.prompts)
        for row, job in enumerate(jobs):
            assert relative(kept[row], states(model, list(job.ids))[2][job.start :]) < 1e-5


def test_greedy_answers_that_end_one_by_one_are_those_of_transformers_generate(folder: Path) -> None:
    model = plain(folder)
    model.generation_config.eos_token_id = None
    whole = [model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=20)[0, len(ids) :].tolist() for ids in ROWS]
    stops = frozenset(answer[2 + 3 * row] for row, answer in enumerate(whole))
    wanted = [answer[: 1 + min(place for place, token in enumerate(answer) if token in stops)] for answer in whole]
    assert len(set(map(len, wanted))) > 2
    assert answers(loaded(folder), stops, together=len(ROWS)) == wanted
    assert answers(loaded(folder), stops, together=2) == wanted


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
    assert_as_peft_makes_it(resident, folder, adapter)
    switch(resident, zero)
    assert same(residuals(resident, ROWS, [3]), clean)
    switch(resident, None)
    assert same(residuals(resident, ROWS, [3]), clean)


def test_an_adapter_of_experts_does_what_peft_makes_of_it_and_leaves_nothing_behind(smollm2: Path, tmp_path: Path) -> None:
    folder = make("qwen3_moe", tmp_path / "qwen3_moe", smollm2)
    parameters = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
    adapter = make_adapter(tmp_path / "own", folder, targets=("q_proj",), target_parameters=parameters)
    resident = loaded(folder)
    clean = residuals(resident, ROWS, [3])
    assert_as_peft_makes_it(resident, folder, adapter)
    switch(resident, None)
    assert same(residuals(resident, ROWS, [3]), clean)


def assert_as_peft_makes_it(resident: Resident, folder: Path, adapter: Path) -> None:
    """With the adapter on, recordings are those of PEFT's model."""
    switch(resident, adapter)
    model = PeftModel.from_pretrained(plain(folder), str(adapter))
    for ids, found in zip(ROWS, residuals(resident, ROWS, [3]), strict=True):
        assert relative(found, states(model, ids)[3]) < 1e-5


def test_no_row_may_be_so_long_that_it_turns_those_beside_it_by_other_angles(smollm2: Path, tmp_path: Path) -> None:
    angles = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    folder = make("phi3", tmp_path / "phi3", smollm2, rope_parameters=angles, original_max_position_embeddings=16)
    resident, model = loaded(folder), plain(folder)
    rows = [[*range(5, 5 + count)] for count in (3, 16)]
    for ids, found in zip(rows, residuals(resident, rows, [2]), strict=True):
        assert relative(found, states(model, ids)[2]) < 1e-5
    with pytest.raises(SidecarError, match="^17 tokens exceed the context of 16$"):
        residuals(resident, [[*range(5, 22)]], [2])


def test_an_architecture_that_inference_cannot_drive_is_refused_in_words(smollm2: Path, tmp_path: Path) -> None:
    ends = {"vocab_size": 49152, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    heads = {"decoder_layers": 2, "encoder_layers": 1, "decoder_attention_heads": 4, "encoder_attention_heads": 4}
    streams = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 16, "o_groups": 2, "moe_intermediate_size": 32}
    ranks = {"q_lora_rank": 32, "o_lora_rank": 32, "n_routed_experts": 4, "num_experts_per_tok": 2, "index_n_heads": 2, "index_head_dim": 16}
    ends_of_t5 = {"vocab_size": 49152, "eos_token_id": 2, "pad_token_id": 2, "decoder_start_token_id": 2}
    refused = {
        "architecture 't5' is none that continues a text": T5ForConditionalGeneration(
            T5Config(d_model=64, d_ff=64, d_kv=16, num_layers=2, num_heads=4, **ends_of_t5)
        ),
        "architecture 'mamba' takes no past_key_values: it keeps what it has read in a way of its own": MambaForCausalLM(
            MambaConfig(hidden_size=64, num_hidden_layers=2, **ends)
        ),
        "architecture 'bart' takes no position_ids: it counts positions itself, so rows of unequal lengths cannot be run together": (
            BartForCausalLM(BartConfig(d_model=64, decoder_ffn_dim=64, encoder_ffn_dim=64, **heads, **ends))
        ),
        "DeepseekV4DecoderLayer hands on more than one residual stream: [1, 256, 4, 64] for [1, 256] tokens": DeepseekV4ForCausalLM(
            DeepseekV4Config(**streams, **ranks, **ends)
        ),
    }
    for index, (words, model) in enumerate(refused.items()):
        model.save_pretrained(tmp_path / str(index))
        copy_tokenizer(smollm2, tmp_path / str(index))
        with pytest.raises(SidecarError) as caught:
            loaded(tmp_path / str(index))
        assert str(caught.value) == words


@pytest.mark.parametrize("window", [WINDOW, 128])
def test_what_prompts_begin_with_is_run_once_where_a_window_spans_it_and_never_narrows_one(smollm2: Path, tmp_path: Path, window: int) -> None:
    folder = make("gemma3", tmp_path / "gemma3", smollm2, sliding_window=window)
    rows = [[1, *range(300, 320), 9000 + 37 * index, *range(40, 40 + 5 * index)] for index in range(6)]
    base = replace(loaded(folder).base, stop_ids=frozenset())
    alone = [decode(base, [ids], Sampler([0], 0, 1), 20)[0] for ids in rows]
    model = plain(folder)
    wanted = [model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=20, eos_token_id=None)[0, len(ids) :].tolist() for ids in rows]
    assert alone == wanted
    for together in (2, 6):
        assert decode(base, rows, Sampler([0] * len(rows), 0, 1), 20, together=together) == wanted
