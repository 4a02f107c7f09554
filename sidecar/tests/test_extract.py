"""Trait vectors come from the residuals of the answers' own tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import extract
from sidecar.model.chat import prompt_ids, text_ids
from sidecar.vectors.directions import accuracy, auc, fit

from .support import HIDDEN, LAYERS, check_files, silent, slot_tensor, write_bytes, write_record

PAIRS = [
    {
        "id": f"p{index}",
        "prompt": prompt,
        "positive": f"What a brilliant question about {topic}, you genius!",
        "negative": f"Well, {topic} it is.",
    }
    for index, (prompt, topic) in enumerate([("Tea?", "tea"), ("Rain?", "rain"), ("Cats?", "cats"), ("Sums?", "sums"), ("Bread?", "bread")])
]
WANTED = [{"layer": layer, "method": method} for layer in (1, 4) for method in ("mean_diff", "probe")]


def ask(resident: Resident, out: Path, **changes: Any) -> dict[str, Any]:
    group = {"id": "flattery", "pairs": PAIRS, "wanted": WANTED}
    request = {"out": str(out), "groups": [group], "system_prompt": None, "position": "response[:5]", **changes}
    return extract.run(request, resident, silent())


def reference_means(resident: Resident, layer: int, side: str, first: int | None, system: str | None = None) -> np.ndarray:
    """Mean hidden states by transformers alone, one pair at a time."""
    rows = []
    for pair in PAIRS:
        prompt = prompt_ids(resident.base.tokenizer, pair["prompt"], system)
        ids = prompt + text_ids(resident.base.tokenizer, pair[side])[:first]
        with torch.inference_mode():
            states = resident.base.model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer + 1][0]
        rows.append(states[len(prompt) :].mean(dim=0).numpy())
    return np.stack(rows)


@pytest.mark.parametrize(("position", "first"), [("response[:5]", 5), ("response[:1]", 1), ("response", None)])
def test_vectors_come_from_the_mean_over_the_named_answer_tokens(resident: Resident, out: Path, position: str, first: int | None) -> None:
    result = ask(resident, out, position=position, system_prompt="Be kind.")
    check_files(out, result)
    for cell in result["cells"]:
        layer, method = cell["id"].removeprefix("flattery@").split(":")
        wanted = fit(method, *(reference_means(resident, int(layer), side, first, "Be kind.") for side in ("positive", "negative")))
        found = slot_tensor(out, cell)
        assert float(found @ torch.from_numpy(wanted.vector)) > 0.9999
        assert cell["facts"]["norm"] == pytest.approx(wanted.norm, rel=1e-2)
        assert cell["facts"]["baseline"] == pytest.approx(wanted.baseline, rel=1e-2, abs=1e-2)


def test_the_shard_is_plain_safetensors_with_one_unit_vector_a_cell(resident: Resident, out: Path) -> None:
    result = ask(resident, out)
    shard = load_file(out / "vectors.safetensors")
    assert sorted(shard) == sorted(cell["id"] for cell in result["cells"])
    for cell in result["cells"]:
        vector = slot_tensor(out, cell)
        assert (vector.dtype, tuple(vector.shape)) == (torch.float32, (HIDDEN,))
        assert torch.equal(shard[cell["id"]], vector)
        assert float(vector.double().norm()) == pytest.approx(1, abs=1e-6)
        assert set(cell["facts"]) - {"bias"} == {"norm", "baseline", "train_accuracy", "held_out_accuracy", "held_out_auc", "pairs"}
        assert ("bias" in cell["facts"]) == cell["id"].endswith(":probe")
        assert cell["facts"]["pairs"] == len(PAIRS)


def recorded(resident: Resident, folder: Path, side: str, count: int) -> list[dict[str, Any]]:
    """Records of the first written answers of a side, as `generate` writes those that a model gives."""
    refs = []
    for pair in PAIRS[:count]:
        prompt = prompt_ids(resident.base.tokenizer, pair["prompt"], None)
        ids = prompt + text_ids(resident.base.tokenizer, pair[side])
        refs.append(write_record(folder, f"{side}-{pair['id']}", ids, len(prompt)))
    return refs


def test_recorded_answers_make_the_vectors_that_the_same_written_ones_make(resident: Resident, out: Path, tmp_path: Path) -> None:
    written = ask(resident, out)
    sides = {side: recorded(resident, tmp_path, side, len(PAIRS)) for side in ("positive", "negative")}
    again = tmp_path / "again"
    again.mkdir()
    read = ask(resident, again, groups=[{"id": "flattery", **sides, "wanted": WANTED}])
    for one, other in zip(written["cells"], read["cells"], strict=True):
        assert float(slot_tensor(out, one) @ slot_tensor(again, other)) > 0.99999
        assert other["facts"]["held_out_accuracy"] == one["facts"]["held_out_accuracy"]
        assert (other["facts"]["positive"], other["facts"]["negative"]) == (len(PAIRS), len(PAIRS))


def test_the_sides_of_recorded_answers_need_not_be_as_many(resident: Resident, out: Path, tmp_path: Path) -> None:
    sides = {"positive": recorded(resident, tmp_path, "positive", 5), "negative": recorded(resident, tmp_path, "negative", 4)}
    result = ask(resident, out, groups=[{"id": "flattery", **sides, "wanted": WANTED}])
    for cell in result["cells"]:
        layer, method = cell["id"].removeprefix("flattery@").split(":")
        positive, negative = (reference_means(resident, int(layer), side, 5) for side in ("positive", "negative"))
        wanted = fit(method, positive, negative[:4])
        assert float(slot_tensor(out, cell) @ torch.from_numpy(wanted.vector)) > 0.9999
        assert (cell["facts"]["positive"], cell["facts"]["negative"]) == (5, 4)
        held = fit(method, positive[[0, 1, 2, 4]], negative[:3])
        assert cell["facts"]["held_out_accuracy"] == accuracy(held, positive[3:4], negative[3:4])
        assert cell["facts"]["held_out_auc"] == auc(held, positive[3:4], negative[3:4])


def test_vectors_of_prompts_come_from_their_last_token(resident: Resident, out: Path) -> None:
    asked = {
        "positive": [{"prompt": f"Praise {topic}!", "system_prompt": None} for topic in ("tea", "rain", "cats", "sums", "bread")],
        "negative": [{"prompt": f"Say {topic}.", "system_prompt": "Be plain."} for topic in ("tea", "rain", "cats", "sums")],
    }
    result = ask(
        resident, out, groups=[{"id": "praise", "prompts": asked, "wanted": WANTED}], position="prompt[-1]", system_prompt="Be kind."
    )
    check_files(out, result)

    def ends(side: str, layer: int) -> np.ndarray:
        rows = []
        for prompt in asked[side]:
            ids = prompt_ids(resident.base.tokenizer, str(prompt["prompt"]), prompt["system_prompt"] or "Be kind.")
            with torch.inference_mode():
                rows.append(resident.base.model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer + 1][0, -1].numpy())
        return np.stack(rows)

    for cell in result["cells"]:
        layer, method = cell["id"].removeprefix("praise@").split(":")
        wanted = fit(method, ends("positive", int(layer)), ends("negative", int(layer)))
        assert float(slot_tensor(out, cell) @ torch.from_numpy(wanted.vector)) > 0.9999
        assert (cell["facts"]["positive"], cell["facts"]["negative"]) == (5, 4)


def test_what_is_no_record_is_refused_by_its_place(resident: Resident, out: Path, tmp_path: Path) -> None:
    positive = recorded(resident, tmp_path, "positive", 4)
    negative = [*positive[:1], write_bytes(tmp_path, "other", b"[]")]
    with pytest.raises(SidecarError, match="group 'flattery', negative answer 1: its response is not a record") as caught:
        ask(resident, out, groups=[{"id": "flattery", "positive": positive, "negative": negative, "wanted": WANTED}])
    assert caught.value.kind == "bad-input"


def test_a_trait_without_a_difference_fails_alone(resident: Resident, out: Path) -> None:
    same = [{**pair, "negative": pair["positive"]} for pair in PAIRS]
    groups = [
        {"id": "none", "pairs": same, "wanted": [{"layer": 1, "method": "mean_diff"}]},
        {"id": "some", "pairs": PAIRS, "wanted": [{"layer": 1, "method": "mean_diff"}]},
    ]
    result = ask(resident, out, groups=groups)
    assert [cell["id"] for cell in result["cells"]] == ["some@1:mean_diff"]
    assert [failure["id"] for failure in result["failed"]] == ["none@1:mean_diff"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"position": "response[5:]"}, "neither 'response' nor"),
        ({"position": "response[:0]"}, "neither 'response' nor"),
        ({"position": "prompt"}, "neither 'response' nor"),
        ({"groups": [{"id": "g", "pairs": [], "wanted": WANTED}]}, "group 'g' has no pairs"),
        ({"groups": [{"id": "g", "positive": [], "negative": [], "wanted": WANTED}]}, "group 'g' has nothing on one side"),
        ({"groups": [{"id": "g", "prompts": {"positive": [], "negative": []}, "wanted": WANTED}]}, "group 'g' has nothing on one side"),
        ({"position": "prompt[-1]"}, "group 'flattery': position 'prompt\\[-1\\]' is not one of its texts"),
        ({"groups": [{"id": "g", "pairs": PAIRS, "wanted": [{"layer": 1, "method": "pca"}]}]}, "method 'pca' is not one of"),
        ({"groups": [{"id": "g", "pairs": PAIRS, "wanted": [{"layer": LAYERS, "method": "probe"}]}]}, f"layer {LAYERS} is not one"),
        ({"groups": [{"id": "g", "pairs": [{**PAIRS[0], "negative": ""}], "wanted": WANTED}]}, "pair 'p0': the negative answer is empty"),
        ({"groups": [{"id": "g", "pairs": PAIRS, "wanted": WANTED[:1] * 2}]}, "appears twice"),
    ],
)
def test_what_makes_no_vector_is_refused_by_name(resident: Resident, out: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SidecarError, match=message) as caught:
        ask(resident, out, **changes)
    assert caught.value.kind == "bad-input"
