"""Steered answers are those of transformers' own `generate` with the direction added behind the block, whatever the batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.decode import decode
from sidecar.inference.residency import Resident
from sidecar.inference.sampling import Sampler
from sidecar.inference.steering import Steering
from sidecar.methods import generate
from sidecar.model.base import Base, decoder_of
from sidecar.model.chat import prompt_ids

from .support import HIDDEN, LAYERS, SOME_IDS, check_files, loaded, make_adapter, silent, slot_bytes, switch, write_tensor
from .test_architectures import FAMILIES, ROWS, make, plain

PROMPTS = ["Why is the sky blue?", "Name a river.", "Tell me a long story about a fox that crosses a river at night."]


def directions(count: int, hidden: int = HIDDEN, length: float = 8) -> torch.Tensor:
    drawn = torch.randn(count, hidden, generator=torch.Generator().manual_seed(3))
    return length * drawn / drawn.norm(dim=1, keepdim=True)


def greedy(base: Base, prompts: list[list[int]], limit: int = 8, steering: Steering | None = None, together: int | None = None) -> list[list[int]]:
    return decode(base, prompts, Sampler([0] * len(prompts), 0, 1), limit, together=together, steering=steering)


def hooked(model: Any, block: torch.nn.Module, ids: list[int], addition: torch.Tensor, limit: int = 8) -> list[int]:
    """The greedy answer of a plain model while `addition` is added behind `block`."""
    handle = block.register_forward_hook(lambda _, inputs, output: (output[0] + addition, *output[1:]) if isinstance(output, tuple) else output + addition)
    with torch.inference_mode():
        found = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False, max_new_tokens=limit)
    handle.remove()
    answer: list[int] = found[0, len(ids) :].tolist()
    return answer


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_steered_along_different_directions_answer_as_a_plain_model_does_alone(family: str, smollm2: Path, tmp_path: Path) -> None:
    folder = make(family, tmp_path / family, smollm2)
    base, model = loaded(folder).base, plain(folder)
    additions = directions(len(ROWS), 64)
    additions[1] = 0
    free = greedy(base, ROWS)
    found = greedy(base, ROWS, steering=Steering(3, additions))
    block = decoder_of(model)[1][3]
    assert found == [hooked(model, block, row, addition)[: len(answer)] for row, addition, answer in zip(ROWS, additions, found, strict=True)]
    assert found[1] == free[1]
    assert found != free
    assert greedy(base, ROWS) == free


def test_prompts_that_take_the_places_of_ended_answers_are_steered_by_their_own_addition(resident: Resident) -> None:
    prompts, additions = SOME_IDS * 3, directions(9)
    steering = Steering(2, additions)
    alone = [greedy(resident.base, [ids], 12, Steering(2, addition[None]))[0] for ids, addition in zip(prompts, additions, strict=True)]
    assert len({tuple(answer) for answer in alone}) == 9
    assert greedy(resident.base, prompts, 12, steering, together=2) == alone
    assert greedy(resident.base, prompts, 12, steering) == alone


def test_an_organism_is_steered_with_its_adapter_on(tiny: Path, smollm2: Path, tmp_path: Path) -> None:
    resident = loaded(tiny)
    steering = Steering(2, directions(3))
    clean = greedy(resident.base, SOME_IDS, steering=steering)
    switch(resident, make_adapter(tmp_path / "adapter", tiny))
    organism = greedy(resident.base, SOME_IDS, steering=steering)
    block = resident.base.blocks[2]
    assert organism == [hooked(resident.base.model, block, ids, row) for ids, row in zip(SOME_IDS, steering.additions, strict=True)]
    assert organism != clean
    switch(resident, None)
    assert greedy(resident.base, SOME_IDS, steering=steering) == clean


def ask(resident: Resident, out: Path, cells: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    asked = [{"id": f"c{at}", "system_prompt": None, "seed": 0, **cell} for at, cell in enumerate(cells)]
    request = {"cells": asked, "max_new_tokens": 6, "temperature": 0, "top_p": 1, "together": 4, **more, "out": str(out)}
    return generate.run(request, resident, silent())


def test_a_request_steers_each_cell_so_far_along_a_vector_at_length_one(resident: Resident, out: Path, tmp_path: Path) -> None:
    vectors = directions(2, length=5)
    refs = [write_tensor(tmp_path, str(at), each) for at, each in enumerate(vectors)]
    steers = [(0, 12), (1, -9.5), (0, 0)]
    cells = [{"prompt": prompt, "steer": {"vector": vector, "by": by}} for prompt, (vector, by) in zip(PROMPTS, steers, strict=True)]
    result = ask(resident, out, cells, steering={"layer": 4, "vectors": refs})
    check_files(out, result)
    records = [json.loads(slot_bytes(out, cell)) for cell in result["cells"]]
    prompts = [prompt_ids(resident.base.tokenizer, prompt, None) for prompt in PROMPTS]
    additions = torch.stack([by * vectors[vector] / 5 for vector, by in steers])
    assert [record["token_ids"][record["prompt_end"] :] for record in records] == greedy(resident.base, prompts, 6, Steering(4, additions))


def test_what_cannot_be_steered_so_is_refused(resident: Resident, out: Path, tmp_path: Path) -> None:
    ref = write_tensor(tmp_path, "v", directions(1)[0])
    short = write_tensor(tmp_path, "short", directions(1, 32)[0])
    steered, free = {"prompt": "a", "steer": {"vector": 0, "by": 1}}, {"prompt": "a"}
    refused: list[tuple[list[dict[str, Any]], dict[str, Any], str]] = [
        ([steered, free], {"layer": 1, "vectors": [ref]}, "some cells are steered and others are not: ask for them apart"),
        ([steered], {"layer": 6, "vectors": [ref]}, "layer 6 is not one of the model's 6"),
        ([steered], {"layer": 1, "vectors": []}, "a cell is steered along a vector that is none of the 0"),
        ([steered], {"layer": 1, "vectors": [short]}, f"the ref {short['digest']} is no direction of 64 numbers"),
    ]
    for cells, steering, message in refused:
        with pytest.raises(SidecarError) as error:
            ask(resident, out, cells, steering=steering)
        assert (error.value.kind, str(error.value)) == ("bad-input", message)
