"""What is recorded is what the model computed, one row a token, for exactly the tokens that were recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sidecar.errors import SidecarError
from sidecar.inference.forward import TOKEN_BUDGET, batches
from sidecar.inference.prefill import Job, prefill
from sidecar.inference.residency import Resident
from sidecar.methods import capture
from sidecar.stored.shards import digest_of

from .support import (
    HIDDEN,
    LAYERS,
    SOME_IDS,
    check_files,
    loaded,
    relative,
    residuals,
    same,
    silent,
    slot_bytes,
    slot_tensor,
    write_bytes,
    write_record,
)


def ask(resident: Resident, out: Path, groups: list[dict[str, Any]], positions: str = "response") -> dict[str, Any]:
    request = {"out": str(out), "groups": groups, "component": "residual", "raw": "keep", "positions": positions}
    return capture.run(request, resident, silent())


def oracle(resident: Resident, ids: list[int]) -> tuple[torch.Tensor, ...]:
    """transformers' own hidden states for one sequence: entry N + 1 is the output of block N."""
    with torch.inference_mode():
        states: tuple[torch.Tensor, ...] = resident.base.model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    return states


def test_a_batch_of_unequal_lengths_records_the_models_own_hidden_states(resident: Resident) -> None:
    layers = list(range(LAYERS - 1))
    found = residuals(resident, SOME_IDS, layers)
    for row, ids in enumerate(SOME_IDS):
        for layer in layers:
            torch.testing.assert_close(found[row * len(layers) + layer], oracle(resident, ids)[layer + 1][0], rtol=1e-4, atol=1e-4)


def test_the_last_layer_is_the_blocks_output_and_not_the_normalised_one(resident: Resident) -> None:
    (found,) = residuals(resident, SOME_IDS[:1], [LAYERS - 1])
    normalised = resident.base.decoder.norm(found)
    torch.testing.assert_close(normalised, oracle(resident, SOME_IDS[0])[LAYERS][0], rtol=1e-4, atol=1e-4)


def test_stopping_early_changes_no_bit_of_what_came_before(resident: Resident) -> None:
    early = residuals(resident, SOME_IDS, [2])
    both = residuals(resident, SOME_IDS, [2, LAYERS - 1])
    assert same(early, both[0::2])


def test_nothing_below_the_deepest_layer_is_computed(resident: Resident) -> None:
    reached: list[int] = []
    handles = [
        block.register_forward_pre_hook(lambda *_, layer=layer: reached.append(layer)) for layer, block in enumerate(resident.base.blocks)
    ]
    handles.append(resident.base.model.lm_head.register_forward_pre_hook(lambda *_: reached.append(-1)))
    try:
        residuals(resident, SOME_IDS, [0, 2])
    finally:
        for handle in handles:
            handle.remove()
    assert reached == [0, 1, 2]


def test_no_hook_is_left_behind(resident: Resident) -> None:
    before = [len(block._forward_hooks) for block in resident.base.blocks]
    residuals(resident, SOME_IDS, [1])
    assert [len(block._forward_hooks) for block in resident.base.blocks] == before


def test_a_row_alone_agrees_with_the_row_in_a_batch(resident: Resident) -> None:
    batched = residuals(resident, SOME_IDS, [LAYERS - 1])
    for ids, found in zip(SOME_IDS, batched, strict=True):
        (alone,) = residuals(resident, [ids], [LAYERS - 1])
        assert relative(found, alone) < 1e-5


def test_a_row_does_not_see_what_else_is_in_the_batch(resident: Resident) -> None:
    other = [[7] * len(SOME_IDS[1]), SOME_IDS[0], SOME_IDS[2]]
    mine, theirs = residuals(resident, SOME_IDS, [3])[0], residuals(resident, other, [3])[1]
    assert relative(mine, theirs) < 1e-6


def test_a_request_over_the_token_budget_is_split_without_losing_a_cell(resident: Resident) -> None:
    kept: dict[int, torch.Tensor] = {}
    jobs = [Job(ids, [2], 0) for ids in SOME_IDS]
    prefill(resident.base, jobs, lambda index, layer, state: kept.update({index: state}), room=12)
    whole = residuals(resident, SOME_IDS, [2])
    assert sorted(kept) == [0, 1, 2]
    assert all(relative(kept[index], whole[index]) < 1e-5 for index in kept)


@pytest.mark.parametrize("room", [1, 10, 25, 1000])
def test_batches_hold_every_row_once_and_keep_within_the_room_with_what_comes_before_them(room: int) -> None:
    lengths, past = [5, 11, 7, 7, 1, 30, 2], [0, 3, 20, 0, 4, 0, 9]
    groups = list(batches(lengths, past, room))
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    wide = [(max(lengths[index] for index in group) + max(past[index] for index in group)) * len(group) for group in groups]
    assert all(len(group) == 1 or width <= room for group, width in zip(groups, wide, strict=True))
    assert len(groups) == {1: 7, 10: 7, 25: 5, 1000: 1}[room]


def test_a_pass_takes_no_more_tokens_than_are_of_use_however_large_the_room() -> None:
    assert [len(group) for group in batches([TOKEN_BUDGET // 2] * 5, [0] * 5, 100 * TOKEN_BUDGET)] == [2, 2, 1]


@pytest.mark.parametrize("prompt_end", [1, 5, len(SOME_IDS[1]) - 1])
def test_there_is_exactly_one_row_a_response_token(resident: Resident, out: Path, tmp_path: Path, prompt_end: int) -> None:
    ref = write_record(tmp_path, "record", SOME_IDS[1], prompt_end)
    (cell,) = ask(resident, out, [{"id": "a", "response": ref, "layers": [2]}])["cells"]
    assert cell["facts"] == {"tokens": len(SOME_IDS[1]) - prompt_end}
    (whole,) = residuals(resident, [SOME_IDS[1]], [2])
    found = slot_tensor(out, cell)
    assert found.shape == whole[prompt_end:].shape and relative(found, whole[prompt_end:]) < 1e-5


def test_all_positions_give_one_row_a_token(resident: Resident, out: Path, tmp_path: Path) -> None:
    ref = write_record(tmp_path, "record", SOME_IDS[1], 4)
    (cell,) = ask(resident, out, [{"id": "a", "response": ref, "layers": [2]}], "all")["cells"]
    assert cell["slot"]["shape"] == [len(SOME_IDS[1]), HIDDEN]


def test_ids_no_tokenizer_would_make_are_fed_as_they_are(resident: Resident, out: Path, tmp_path: Path) -> None:
    ids = [2, 2, 16, 0, 49151, 3, 3, 2]
    ref = write_record(tmp_path, "record", ids, 2)
    (cell,) = ask(resident, out, [{"id": "a", "response": ref, "layers": [1]}])["cells"]
    torch.testing.assert_close(slot_tensor(out, cell), oracle(resident, ids)[2][0, 2:], rtol=1e-4, atol=1e-4)


def test_every_group_gets_its_own_layers_and_the_shard_is_plain_safetensors(resident: Resident, out: Path, tmp_path: Path) -> None:
    groups = [
        {"id": "a", "response": write_record(tmp_path, "a", SOME_IDS[0], 2), "layers": [4, 1]},
        {"id": "b", "response": write_record(tmp_path, "b", SOME_IDS[1], 3), "layers": [1]},
        {"id": "c", "response": write_record(tmp_path, "c", SOME_IDS[2], 6), "layers": [1, 0]},
    ]
    result = ask(resident, out, groups)
    check_files(out, result)
    cells = {cell["id"]: cell for cell in result["cells"]}
    assert sorted(cells) == ["a@1", "a@4", "b@1", "c@0", "c@1"]
    assert all(digest_of(slot_bytes(out, cell)) == cell["digest"] for cell in result["cells"])
    shard = load_file(out / "activations.safetensors")
    assert sorted(shard) == ["layer_0", "layer_1", "layer_4"]
    parts = [slot_tensor(out, cells[name]) for name in ("a@1", "b@1", "c@1")]
    assert torch.equal(shard["layer_1"], torch.cat(parts))
    assert torch.equal(shard["layer_4"], slot_tensor(out, cells["a@4"]))


def test_the_shard_has_the_models_dtype(tiny: Path, out: Path, tmp_path: Path) -> None:
    resident = loaded(tiny, "bfloat16")
    ref = write_record(tmp_path, "record", SOME_IDS[1], 4)
    (cell,) = ask(resident, out, [{"id": "a", "response": ref, "layers": [3]}])["cells"]
    assert cell["slot"]["dtype"] == "bfloat16"
    (whole,) = residuals(resident, [SOME_IDS[1]], [3])
    assert torch.equal(slot_tensor(out, cell), whole[4:])


def test_a_non_finite_activation_fails_its_cell_and_keeps_the_rest(tiny: Path, out: Path, tmp_path: Path) -> None:
    resident = loaded(tiny)
    resident.base.model.get_input_embeddings().weight.data[77] = float("inf")
    groups = [
        {"id": "bad", "response": write_record(tmp_path, "bad", [1, 2, 77, 3], 1), "layers": [0, 1]},
        {"id": "good", "response": write_record(tmp_path, "good", [1, 2, 78, 3], 1), "layers": [1]},
    ]
    result = ask(resident, out, groups)
    assert [failure["id"] for failure in result["failed"]] == ["bad@0", "bad@1"]
    assert all("tokens have non-finite activations" in failure["reason"] for failure in result["failed"])
    assert [cell["id"] for cell in result["cells"]] == ["good@1"]
    check_files(out, result)


def test_a_changed_record_is_refused_as_corrupt_and_named(resident: Resident, out: Path, tmp_path: Path) -> None:
    ref = write_record(tmp_path, "record", SOME_IDS[0], 2)
    data = bytearray(Path(ref["path"]).read_bytes())
    data[ref["offset"] + 20] ^= 1
    Path(ref["path"]).write_bytes(data)
    with pytest.raises(SidecarError) as caught:
        ask(resident, out, [{"id": "a", "response": ref, "layers": [1]}])
    assert (caught.value.kind, caught.value.digest) == ("corrupt", ref["digest"])
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("record", "layers", "message"),
    [
        ({"token_ids": [1, 2], "prompt_end": 1}, [LAYERS], f"layer {LAYERS} is not one of the model's {LAYERS}"),
        ({"token_ids": [1, 2], "prompt_end": 1}, [1, 1], "names a layer twice"),
        ({"token_ids": [1, 2], "prompt_end": 2}, [1], "not a record with token_ids"),
        ({"token_ids": [1, 49152], "prompt_end": 1}, [1], "below the model's vocabulary"),
        ({"token_ids": [1, -1], "prompt_end": 1}, [1], "below the model's vocabulary"),
        ({"token_ids": [1] * 600, "prompt_end": 1}, [1], "600 tokens exceed the context of 512"),
        ({"tokens": []}, [1], "not a record with token_ids"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(
    resident: Resident, out: Path, tmp_path: Path, record: dict[str, Any], layers: list[int], message: str
) -> None:
    ref = write_bytes(tmp_path, "record", json.dumps(record).encode())
    with pytest.raises(SidecarError, match=message) as caught:
        ask(resident, out, [{"id": "a", "response": ref, "layers": layers}])
    assert caught.value.kind == "bad-input"
