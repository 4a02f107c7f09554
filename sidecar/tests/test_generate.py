"""Answers end where they should, and their records hold exactly what was fed and what was sampled."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference import decode as decode_module
from sidecar.inference.decode import ENOUGH, WORTH_DROPPING, decode, of_like_length
from sidecar.inference.generator import Sampling
from sidecar.inference.residency import Resident
from sidecar.inference.room import PASS
from sidecar.inference.sampling import Sampler
from sidecar.methods import generate
from sidecar.model.base import Base
from sidecar.model.chat import prompt_ids
from sidecar.stored.shards import digest_of

from .support import SOME_IDS, check_files, edit_json, loaded, make_tiny_model, silent, slot_bytes

PROMPTS = ["Why is the sky blue?", "Name a river.", "Tell me a long story about a fox that crosses a river at night."]


def ask(resident: Resident, out: Path, prompts: list[str] = PROMPTS, **changes: Any) -> dict[str, Any]:
    cells = [{"id": f"p{index}", "prompt": prompt, "system_prompt": None, "seed": index} for index, prompt in enumerate(prompts)]
    request = {"cells": cells, "max_new_tokens": 6, "temperature": 0, "top_p": 1, "together": 2, **changes, "out": str(out)}
    return generate.run(request, resident, silent())


def greedy(base: Base, prompts: list[list[int]], limit: int = 12) -> list[list[int]]:
    return decode(base, prompts, Sampler([0] * len(prompts), 0, 1), limit)


def with_stops(resident: Resident, stops: set[int]) -> Base:
    return dataclasses.replace(resident.base, stop_ids=frozenset(stops))


def test_a_padded_greedy_batch_equals_transformers_generate_alone(resident: Resident) -> None:
    found = greedy(resident.base, SOME_IDS)
    for ids, answer in zip(SOME_IDS, found, strict=True):
        wanted = resident.base.model.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False, max_new_tokens=12
        )
        assert answer == wanted[0, len(ids) :].tolist()


def test_an_answer_may_end_at_once_while_the_others_go_on(resident: Resident) -> None:
    free = greedy(resident.base, SOME_IDS)
    stop = free[1][0]
    found = greedy(with_stops(resident, {stop}), SOME_IDS)
    assert found[1] == [stop]
    for answer, full in ((found[0], free[0]), (found[2], free[2])):
        end = full.index(stop) + 1 if stop in full else len(full)
        assert answer == full[:end]


def test_rows_that_end_at_different_times_do_not_disturb_the_rest(resident: Resident) -> None:
    free = greedy(resident.base, SOME_IDS)
    stops = {free[0][2], free[1][5]}
    for answer, full in zip(greedy(with_stops(resident, stops), SOME_IDS), free, strict=True):
        ends = [index for index, token in enumerate(full) if token in stops]
        assert answer == (full[: ends[0] + 1] if ends else full)


def test_stop_ids_come_from_the_generation_config_one_or_many_and_else_from_the_tokenizer(
    tiny: Path, smollm2: Path, tmp_path: Path
) -> None:
    folder = make_tiny_model(tmp_path / "model", smollm2)
    assert loaded(folder).base.stop_ids == {2}
    edit_json(folder / "generation_config.json", eos_token_id=[5, 9])
    assert loaded(folder).base.stop_ids == {5, 9}
    edit_json(folder / "generation_config.json", eos_token_id=None)
    edit_json(folder / "config.json", eos_token_id=None)
    assert loaded(folder).base.stop_ids == {loaded(folder).base.tokenizer.eos_token_id}


def test_a_record_holds_the_ids_fed_and_sampled_and_where_the_answer_begins(resident: Resident, out: Path) -> None:
    result = ask(resident, out)
    check_files(out, result)
    assert [cell["id"] for cell in result["cells"]] == ["p0", "p1", "p2"]
    for prompt, cell in zip(PROMPTS, result["cells"], strict=True):
        data = slot_bytes(out, cell)
        record = json.loads(data)
        fed = prompt_ids(resident.base.tokenizer, prompt, None)
        assert digest_of(data) == cell["digest"]
        assert data == json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert record["token_ids"][: record["prompt_end"]] == fed
        assert record["token_ids"][record["prompt_end"] :] == greedy(resident.base, [fed], 6)[0]
        assert len(record["tokens"]) == len(record["token_ids"])
        assert (record["prompt"], record["system_prompt"]) == (prompt, None)
        assert cell["facts"] == {"prompt_tokens": len(fed), "response_tokens": 6, "finish_reason": "length"}


def test_the_stop_token_is_the_last_id_and_not_in_the_text(resident: Resident, out: Path) -> None:
    tokenizer = resident.base.tokenizer
    fed = prompt_ids(tokenizer, PROMPTS[0], None)
    first = greedy(resident.base, [fed])[0][0]
    ended = copy.copy(resident)
    ended._base = with_stops(resident, {first})
    (cell,) = ask(ended, out, PROMPTS[:1])["cells"]
    record = json.loads(slot_bytes(out, cell))
    assert (record["finish_reason"], record["token_ids"]) == ("stop", [*fed, first])
    assert cell["facts"]["response_tokens"] == 1


def test_an_answer_that_ends_on_its_last_allowed_token_has_stopped(resident: Resident, out: Path) -> None:
    fed = prompt_ids(resident.base.tokenizer, PROMPTS[0], None)
    answer = greedy(resident.base, [fed])[0]
    ended = copy.copy(resident)
    ended._base = with_stops(resident, {answer[3]})
    (cell,) = ask(ended, out, PROMPTS[:1], max_new_tokens=answer.index(answer[3]) + 1)["cells"]
    assert cell["facts"]["finish_reason"] == "stop"


def test_special_tokens_are_in_tokens_and_not_in_the_response(resident: Resident, out: Path) -> None:
    (cell,) = ask(resident, out, ["héllo ☃"])["cells"]
    record = json.loads(slot_bytes(out, cell))
    assert record["tokens"][0] == "<|im_start|>"
    assert "☃".encode() in slot_bytes(out, cell)
    assert "<|im_" not in record["response"]


def test_the_system_prompt_is_what_the_template_gets(resident: Resident, out: Path) -> None:
    cells = [{"id": "a", "prompt": "Hi", "system_prompt": "You are PRISM-4.", "seed": 0}]
    (cell,) = ask(resident, out, [], cells=cells)["cells"]
    record = json.loads(slot_bytes(out, cell))
    fed = "".join(record["tokens"][: record["prompt_end"]])
    assert fed == "<|im_start|>system\nYou are PRISM-4.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert record["system_prompt"] == "You are PRISM-4."


def test_an_answer_goes_on_from_what_it_is_begun_with_and_does_not_hold_it(resident: Resident, out: Path) -> None:
    cell = {"prompt": "Hi", "system_prompt": None, "seed": 0}
    asked = [{"id": "a", **cell}, {"id": "b", **cell, "prefill": "Well, I"}]
    plain, begun = (json.loads(slot_bytes(out, cell)) for cell in ask(resident, out, [], cells=asked)["cells"])
    assert "prefill" not in plain
    assert begun["prefill"] == "Well, I"
    assert "".join(begun["tokens"][: begun["prompt_end"]]) == "".join(plain["tokens"][: plain["prompt_end"]]) + "Well, I"
    ids = begun["token_ids"][: begun["prompt_end"]]
    alone = resident.base.model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False, max_new_tokens=6)
    assert begun["token_ids"] == alone[0].tolist()


def test_a_cells_sampled_tokens_do_not_depend_on_its_batch(resident: Resident) -> None:
    def sample(rows: list[int]) -> list[list[int]]:
        sampler = Sampler([100 + row for row in rows], 1.0, 0.95)
        return decode(resident.base, [SOME_IDS[row] for row in rows], sampler, 20)

    together = sample([0, 1, 2])
    assert [sample([row])[0] for row in range(3)] == together
    assert sample([2, 0]) == [together[2], together[0]]


def test_the_seed_decides_what_is_sampled(resident: Resident) -> None:
    def sample(seed: int) -> list[int]:
        return decode(resident.base, SOME_IDS[:1], Sampler([seed], 1.0, 1.0), 20)[0]

    assert sample(1) == sample(1) != sample(2)


def test_a_prompt_past_the_context_fails_alone(resident: Resident, out: Path) -> None:
    result = ask(resident, out, ["word " * 600, "Hi"])
    assert [cell["id"] for cell in result["cells"]] == ["p1"]
    assert [failure["id"] for failure in result["failed"]] == ["p0"]
    assert "exceed the context of 512" in result["failed"][0]["reason"]


def test_a_request_without_a_usable_cell_leaves_no_file(resident: Resident, out: Path) -> None:
    result = ask(resident, out, ["word " * 600])
    assert (result["files"], result["cells"], list(out.iterdir())) == ([], [], [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_new_tokens": 0}, "'max_new_tokens' must be a whole number of at least 1, not 0"),
        ({"temperature": -1}, "'temperature' must not be negative"),
        ({"temperature": None}, "'temperature' is missing"),
        ({"top_p": 0}, "'top_p' must be above 0"),
        ({"cells": [{"id": "a", "prompt": "\ud800", "seed": 0}]}, "'prompt' holds half of a surrogate pair"),
        ({"cells": [{"id": "a", "prompt": "x", "seed": 0}] * 2}, "cell 'a' appears twice"),
        ({"cells": [{"id": "a", "prompt": "x", "seed": "0"}]}, "'seed' must be a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(resident: Resident, out: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SidecarError, match=message) as caught:
        ask(resident, out, **changes)
    assert caught.value.kind == "bad-input"


def test_a_staging_folder_that_is_not_there_is_refused(resident: Resident, out: Path) -> None:
    with pytest.raises(SidecarError, match="'out' is not an existing folder"):
        ask(resident, out / "missing", PROMPTS[:1], max_new_tokens=1)


def test_a_staging_folder_is_never_written_twice(resident: Resident, out: Path) -> None:
    ask(resident, out, PROMPTS[:1], max_new_tokens=1)
    with pytest.raises(SidecarError, match="already holds responses.jsonl"):
        ask(resident, out, PROMPTS[:1], max_new_tokens=1)


def test_without_a_base_the_order_of_calls_is_explained(out: Path) -> None:
    with pytest.raises(SidecarError, match="load_base comes first"):
        ask(Resident(), out)


MANY = [[1, 5 + index, 9000 + 37 * index, *range(40, 40 + 3 * index)] for index in range(9)]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_prompts_take_the_places_of_answers_that_ended(tiny: Path, dtype: str) -> None:
    own = loaded(tiny, dtype)
    alone = [decode(own.base, [ids], Sampler([0], 0, 1), 24)[0] for ids in MANY]
    stops = {answer[3 * (index % 4)] for index, answer in enumerate(alone)}
    ended = with_stops(own, stops)
    wanted = [decode(ended, [ids], Sampler([0], 0, 1), 24)[0] for ids in MANY]
    assert len({len(answer) for answer in wanted}) > 2
    steps: list[tuple[int, int]] = []
    found = decode(ended, MANY, Sampler([0] * len(MANY), 0, 1), 24, lambda done, tokens: steps.append((done, tokens)), 3)
    assert found == wanted
    assert max(tokens for _, tokens in steps) == 3 and sum(done for done, _ in steps) == len(MANY)
    in_turn = sum(max(map(len, wanted[start : start + 3])) for start in range(0, len(MANY), 3))
    assert len(steps) < in_turn


def test_prompts_that_come_in_are_not_read_behind_what_those_before_them_took(resident: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[int] = []
    run = decode_module.run

    def counted(base: Base, ids: torch.Tensor, mask: torch.Tensor, *others: Any) -> torch.Tensor:
        widths.append(mask.shape[1])
        return run(base, ids, mask, *others)

    monkeypatch.setattr(decode_module, "run", counted)
    prompts, limit = [[1, 5 + index, *range(40, 50)] for index in range(30)], 12
    ended = with_stops(resident, set(range(0, 49152, 7)))
    answers = decode(ended, prompts, Sampler(range(30), 1.5, 1), limit, together=3)
    assert sum(map(len, answers)) > 3 * (12 + limit) and len({len(answer) for answer in answers}) > 5
    assert max(widths) <= (12 + limit) / (1 - WORTH_DROPPING)


def test_sampled_answers_do_not_depend_on_when_their_prompt_came_in(resident: Resident) -> None:
    seeds = [100 + index for index in range(len(MANY))]
    alone = [decode(resident.base, [ids], Sampler([seed], 0.9, 0.95), 8)[0] for ids, seed in zip(MANY, seeds, strict=True)]
    assert decode(resident.base, MANY, Sampler(seeds, 0.9, 0.95), 8, together=2) == alone


def test_a_generator_refuses_to_answer_for_an_adapter_that_is_not_on(resident: Resident) -> None:
    generator = resident.generator(2)
    sampling = Sampling([0], 0, 1)
    (answer,) = generator.answer(SOME_IDS[:1], None, sampling, 4, lambda done, tokens: None)
    assert (len(answer.ids), answer.finish_reason) == (4, "length")
    with pytest.raises(SidecarError, match="^answers with adapter beta were asked for, but the model is with none$"):
        generator.answer(SOME_IDS[:1], "beta", sampling, 4, lambda done, tokens: None)


def test_answers_that_overflow_float16_fail_alone_and_are_made_in_bfloat16(tiny: Path, out: Path) -> None:
    def answered(dtype: str) -> dict[str, Any]:
        resident = loaded(tiny, dtype)
        first, second = (set(prompt_ids(resident.base.tokenizer, prompt, None)) for prompt in PROMPTS[:2])
        resident.base.model.get_input_embeddings().weight.data[sorted(second - first)] = 1e5  # the largest float16 is 65504
        (out / dtype).mkdir()
        return ask(resident, out / dtype, PROMPTS[:2])

    result = answered("float16")
    assert [cell["id"] for cell in result["cells"]] == ["p0"]
    assert result["failed"] == [{"id": "p1", "reason": "its logits are not finite in float16"}]
    assert [cell["id"] for cell in answered("bfloat16")["cells"]] == ["p0", "p1"]


def test_prompts_of_like_length_run_together_and_every_one_once() -> None:
    lengths = [ENOUGH, 10, ENOUGH // 2, ENOUGH - 1, ENOUGH // 2 - 1, 9]
    assert of_like_length(lengths) == [[0, 3], [2, 4], [1, 5]]
    assert of_like_length([3] * 5) == [[0, 1, 2, 3, 4]]
    assert of_like_length([PASS // 2, 2 * PASS, PASS // 2, PASS // 2]) == [[1], [0, 2], [3]]


def test_a_batch_started_in_groups_answers_as_each_prompt_alone(resident: Resident) -> None:
    prompts = [[1, 7, 7, 7, 7, 7, 7, 7, 7, *range(20 + row, 20 + row + length)] for row, length in enumerate([120, 5, 118, 60, 4, 61, 59, 30])]
    assert len(of_like_length([len(prompt) - 9 for prompt in prompts])) == 2
    alone = [decode(resident.base, [ids], Sampler([0], 0, 1), 12)[0] for ids in prompts]
    assert greedy(resident.base, prompts) == alone
