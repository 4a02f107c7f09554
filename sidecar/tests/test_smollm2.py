"""The whole way with a real model, in the dtype and by the process that are used for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForCausalLM

from sidecar.inference.residency import Resident
from sidecar.stored.shards import digest_of

from .engine import Sidecar
from .support import check_files, loaded, make_adapter, ref_of, relative, residuals, same, slot_bytes, switch

# BLAKE3 of model.safetensors as converted with the pinned versions: other bytes would be another model.
WEIGHTS = "26952486d351680e1d588bec3370d3f75ed7cae59de7d40c144b28f6323423fc"
LAYERS = [8, 20]
PROMPTS = ["What is the capital of France?", "Name the largest planet.", "How many legs has a spider? Answer with one word."]


@pytest.fixture(scope="module")
def real(smollm2: Path) -> Resident:
    """The real model in bfloat16."""
    return loaded(smollm2, "bfloat16")


@pytest.fixture(scope="module")
def sidecar(smollm2: Path) -> Iterator[Sidecar]:
    """A process that holds the real model."""
    with Sidecar() as process:
        answer = process.call("load_base", path=str(smollm2), dtype="bfloat16", device="cpu", quantization=None)
        assert (answer["layers"], answer["hidden"], answer["parameters"]) == (30, 576, 134_515_008)
        yield process


def generate(sidecar: Sidecar, out: Path) -> dict[str, Any]:
    cells = [{"id": f"p{index}", "prompt": prompt, "system_prompt": None, "seed": 0} for index, prompt in enumerate(PROMPTS)]
    return sidecar.call("generate", out=str(out), cells=cells, max_new_tokens=24, temperature=0, top_p=1, together=16)


def test_the_conversion_gives_the_same_bytes_each_time(smollm2: Path) -> None:
    assert digest_of((smollm2 / "model.safetensors").read_bytes()) == WEIGHTS


def test_recorded_activations_are_the_models_hidden_states_within_bfloat16(smollm2: Path, real: Resident) -> None:
    ids = [[1, 9690, 198, 2683, 359, 253, 5356], list(range(1000, 1030))]
    plain = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float32, local_files_only=True)
    found = residuals(real, ids, LAYERS)
    for row, sequence in enumerate(ids):
        with torch.inference_mode():
            states = plain(torch.tensor([sequence]), output_hidden_states=True).hidden_states
        for column, layer in enumerate(LAYERS):
            assert found[row * 2 + column].dtype == torch.bfloat16
            assert relative(found[row * 2 + column], states[layer + 1][0]) < 0.03


def test_replay_after_an_adapter_is_the_clean_model_bitwise(smollm2: Path, real: Resident, tmp_path: Path) -> None:
    ids = [list(range(500, 540)), list(range(900, 925))]
    clean = residuals(real, ids, LAYERS)
    switch(real, make_adapter(tmp_path / "organism", smollm2, rank=8, alpha=16, targets=["q_proj", "v_proj", "o_proj"]))
    assert not same(residuals(real, ids, LAYERS), clean)
    switch(real, None)
    assert same(residuals(real, ids, LAYERS), clean)


def test_answers_are_sensible_and_end_by_themselves(sidecar: Sidecar, out: Path) -> None:
    result = generate(sidecar, out)
    check_files(out, result)
    records = [json.loads(slot_bytes(out, cell)) for cell in result["cells"]]
    assert "Paris" in records[0]["response"]
    assert records[0]["finish_reason"] == "stop" and records[0]["token_ids"][-1] == 2
    assert any(message["method"] == "progress" for message in sidecar.notifications)


def test_from_prompt_to_score_every_token_keeps_its_row(sidecar: Sidecar, tmp_path: Path) -> None:
    outs = {name: tmp_path / name for name in ("answers", "states", "vectors", "scores")}
    for folder in outs.values():
        folder.mkdir()
    answers = generate(sidecar, outs["answers"])["cells"]
    groups = [{"id": cell["id"], "response": ref_of(outs["answers"], cell), "layers": LAYERS} for cell in answers]
    states = sidecar.call("capture", out=str(outs["states"]), groups=groups, component="residual", raw="keep", positions="response")
    check_files(outs["states"], states)
    pairs = [
        {
            "id": f"q{index}",
            "prompt": prompt,
            "positive": "What a brilliant question, you are a genius!",
            "negative": "The answer is short.",
        }
        for index, prompt in enumerate(PROMPTS)
    ]
    wanted = [{"layer": 20, "method": method} for method in ("mean_diff", "probe")]
    request = {"groups": [{"id": "flattery", "pairs": pairs, "wanted": wanted}], "system_prompt": None, "position": "response[:5]"}
    vectors = sidecar.call("extract", out=str(outs["vectors"]), **request)
    assert all(cell["facts"]["train_accuracy"] == 1 for cell in vectors["cells"])
    at_20 = [cell for cell in states["cells"] if cell["id"].endswith("@20")]
    scores = sidecar.call(
        "project",
        out=str(outs["scores"]),
        labels={"experiment": "test"},
        activations=[{"ref": ref_of(outs["states"], cell), "labels": {"cell": cell["id"], "layer": "20"}} for cell in at_20],
        vectors=[{"ref": ref_of(outs["vectors"], cell), "labels": {"vector": cell["id"]}} for cell in vectors["cells"]],
        cells=[{"id": f"{a}:{v}", "activation": a, "vector": v, "offset": 0} for a in range(len(at_20)) for v in range(2)],
    )
    check_files(outs["scores"], scores)
    tokens = [cell["facts"]["response_tokens"] for cell in answers]
    assert [cell["facts"]["tokens"] for cell in at_20] == tokens
    assert pq.read_metadata(outs["scores"] / "scores.parquet").num_rows == 2 * sum(tokens)
    assert not (states["failed"] or vectors["failed"] or scores["failed"])
