"""A prompt is run once for all answers to it, and they are read behind it as if it stood before each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sidecar.inference.forward import TOKEN_BUDGET
from sidecar.inference.prefill import Job, prefill
from sidecar.inference.prompts import Prompts
from sidecar.inference.residency import Resident

from .support import LAYERS, loaded, make_adapter, relative, same, switch

SYSTEM = list(range(100, 116))
PROMPTS = [[*SYSTEM, 7, 8, 9], [*SYSTEM, 7, 8, 10, 11, 12, 13], [200, 201, 202, 203]]
ANSWERS = [[300, 301, 302], [400], [500, 501, 502, 503, 504]]
DEEP, SHALLOW = LAYERS - 2, 1
ROOMY = 1 << 30


def read(
    resident: Resident,
    prompts: Prompts | None,
    answers: list[list[int]] = ANSWERS,
    layers: tuple[int, ...] = (SHALLOW, DEEP),
    room: int = TOKEN_BUDGET,
) -> tuple[int, list[torch.Tensor]]:
    """How many tokens ran in the first block, and the residuals of the answers in order."""
    ran: list[int] = []
    kept: dict[tuple[int, int], torch.Tensor] = {}
    handle = resident.base.blocks[0].register_forward_pre_hook(lambda _, inputs: ran.append(inputs[0].shape[:2].numel()))
    try:
        jobs = [Job(prompt + answer, layers, len(prompt)) for prompt, answer in zip(PROMPTS, answers, strict=True)]
        prefill(resident.base, jobs, lambda index, layer, state: kept.update({(index, layer): state}), room=room, prompts=prompts)
    finally:
        handle.remove()
    return sum(ran), [kept[key] for key in sorted(kept)]


def padded(rows: list[list[int]]) -> int:
    return len(rows) * max(map(len, rows))


def test_answers_behind_kept_prompts_are_what_they_are_without(resident: Resident) -> None:
    prompts = Prompts(ROOMY)
    _, wanted = read(resident, None)
    ran, found = read(resident, prompts)
    assert ran == padded(PROMPTS) + padded(ANSWERS)
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape and relative(one, other) < 1e-5
    again, same_answers = read(resident, prompts)
    assert again == padded(ANSWERS) and same(same_answers, found)


def test_prompts_that_do_not_fit_into_memory_together_run_with_their_answers(resident: Resident) -> None:
    fit = sum(map(len, PROMPTS))
    _, wanted = read(resident, None)
    for room, kept in ((fit, 3), (fit - 1, 0)):
        prompts = Prompts(ROOMY)
        _, found = read(resident, prompts, room=room)
        assert sum(prompts.find(tuple(ids), DEEP + 1) is not None for ids in PROMPTS) == kept
        assert all(relative(one, other) < 1e-5 for one, other in zip(found, wanted, strict=True))


def test_another_answer_to_a_kept_prompt_runs_alone(resident: Resident) -> None:
    prompts = Prompts(ROOMY)
    read(resident, prompts)
    others = [[600, 601], [602], [603]]
    ran, found = read(resident, prompts, others)
    _, fresh = read(resident, Prompts(ROOMY), others)
    assert ran == padded(others) and same(found, fresh)


def test_a_deeper_layer_runs_the_prompts_again(resident: Resident) -> None:
    prompts = Prompts(ROOMY)
    read(resident, prompts, layers=(SHALLOW,))
    ran, found = read(resident, prompts)
    _, fresh = read(resident, Prompts(ROOMY))
    assert ran == padded(PROMPTS) + padded(ANSWERS) and same(found, fresh)
    assert read(resident, prompts, layers=(SHALLOW,))[0] == padded(ANSWERS)


def test_what_does_not_fit_is_run_each_time_and_what_was_kept_stays(resident: Resident) -> None:
    _, wanted = read(resident, Prompts(ROOMY))
    ran, found = read(resident, Prompts(0))
    assert ran == padded(PROMPTS) + padded(ANSWERS) and same(found, wanted)


def test_the_clean_model_keeps_its_own_while_adapters_come_and_go_and_an_adapter_forgets_them(tiny: Path, tmp_path: Path) -> None:
    own = loaded(tiny)
    adapter = make_adapter(tmp_path / "adapter", tiny)
    _, clean = read(own, own.prompts)
    for _ in range(2):
        switch(own, adapter)
        ran, changed = read(own, own.prompts)
        assert ran == padded(PROMPTS) + padded(ANSWERS) and not same(changed, clean)
        switch(own, None)
        ran, again = read(own, own.prompts)
        assert ran == padded(ANSWERS) and same(again, clean)


def test_they_are_forgotten_when_memory_runs_out_and_with_the_model(tiny: Path) -> None:
    own = loaded(tiny)
    read(own, own.prompts)
    own.release_cached_memory()
    ran, _ = read(own, own.prompts)
    assert ran == padded(PROMPTS) + padded(ANSWERS)
    own.load_base({"path": str(tiny), "dtype": "float32", "device": "cpu", "quantization": None})
    ran, _ = read(own, own.prompts)
    assert ran == padded(PROMPTS) + padded(ANSWERS)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_order_and_company_of_prompts_do_not_matter(tiny: Path, dtype: str) -> None:
    own = loaded(tiny, dtype)
    together, apart = Prompts(ROOMY), Prompts(ROOMY)
    kept: dict[int, torch.Tensor] = {}
    for index in (2, 0, 1):
        job = Job(PROMPTS[index] + ANSWERS[index], [DEEP], len(PROMPTS[index]))
        prefill(own.base, [job], lambda _, layer, state, index=index: kept.update({index: state}), prompts=apart)
    _, found = read(own, together, layers=(DEEP,))
    for index, state in enumerate(found):
        assert relative(state, kept[index]) < (1e-5 if dtype == "float32" else 2e-2)
