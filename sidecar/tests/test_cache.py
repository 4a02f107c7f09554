"""What prompts have in common is run once, and changes nothing but the order of sums."""

from __future__ import annotations

import pytest
import torch
from transformers import DynamicCache

from sidecar.inference.cache import CHUNK, WORTH_SHARING, GrowingLayer, common_prefix, empty_cache, for_rows
from sidecar.inference.decode import decode
from sidecar.inference.prefill import Job, prefill
from sidecar.inference.residency import Resident
from sidecar.inference.sampling import Sampler

from .support import LAYERS, relative

SYSTEM = list(range(100, 100 + 2 * WORTH_SHARING))
PROMPTS = [[*SYSTEM, *own] for own in ([7, 8, 9], [7, 8, 10, 11, 12, 13, 14], [200])]


@pytest.mark.parametrize(
    ("rows", "length"),
    [([[1, 2, 3], [1, 2, 4], [1, 2]], 2), ([[3, 1], [3, 1]], 2), ([[1], [2]], 0), ([[5, 6]], 2), ([[1, 2], [], [1]], 0)],
)
def test_the_common_prefix_is_that_of_all_rows(rows: list[list[int]], length: int) -> None:
    assert common_prefix(rows) == length


def test_a_growing_layer_holds_what_a_concatenating_one_holds() -> None:
    growing, plain = GrowingLayer(), DynamicCache().layer_class_to_replicate()
    torch.manual_seed(0)
    for tokens in (5, 1, CHUNK, 1, 2 * CHUNK):
        states = torch.randn(3, 2, tokens, 4), torch.randn(3, 2, tokens, 4)
        for found, wanted in zip(growing.update(*states), plain.update(*states), strict=True):
            assert torch.equal(found, wanted)
    rows = torch.tensor([2, 0])
    for layer in (growing, plain):
        layer.reorder_cache(rows)
        layer.update(torch.ones(2, 2, 1, 4), torch.zeros(2, 2, 1, 4))
    assert torch.equal(growing.keys, plain.keys) and torch.equal(growing.values, plain.values)


def test_a_cache_given_to_many_rows_is_left_as_it_is(resident: Resident) -> None:
    one = empty_cache(resident.base)
    with torch.inference_mode():
        resident.base.decoder(input_ids=torch.tensor([SYSTEM]), past_key_values=one, use_cache=True)
    before = one.layers[0].keys.clone()
    many = for_rows(one, 3, 1)
    with torch.inference_mode():
        many.update(torch.ones(3, 2, 1, before.shape[3]), torch.ones(3, 2, 1, before.shape[3]), 0)
    assert many.layers[0].keys.shape[0] == 3 and torch.equal(one.layers[0].keys, before)


def forwarded(resident: Resident, ids: list[list[int]], start: int) -> tuple[list[int], list[torch.Tensor]]:
    """How many tokens each forward pass of a prefill ran, and the residuals of the last block but one."""
    tokens: list[int] = []
    kept: dict[int, torch.Tensor] = {}
    handle = resident.base.blocks[0].register_forward_pre_hook(lambda _, inputs: tokens.append(inputs[0].shape[:2].numel()))
    try:
        jobs = [Job(row, [LAYERS - 2], start) for row in ids]
        prefill(resident.base, jobs, lambda index, layer, state: kept.update({index: state}))
    finally:
        handle.remove()
    return tokens, [kept[index] for index in range(len(ids))]


def test_a_prefill_runs_the_shared_tokens_once_and_records_what_it_records_without(resident: Resident) -> None:
    tokens, found = forwarded(resident, PROMPTS, len(SYSTEM))
    longest = max(map(len, PROMPTS)) - len(SYSTEM)
    assert tokens == [len(SYSTEM), len(PROMPTS) * longest]
    for ids, states in zip(PROMPTS, found, strict=True):
        alone, (wanted,) = forwarded(resident, [ids], len(SYSTEM))
        assert alone == [len(ids)]
        assert states.shape == wanted.shape and relative(states, wanted) < 1e-5


def test_tokens_whose_residual_is_wanted_are_not_shared(resident: Resident) -> None:
    tokens, found = forwarded(resident, PROMPTS, 0)
    assert tokens == [len(PROMPTS) * max(map(len, PROMPTS))]
    assert [len(states) for states in found] == [len(ids) for ids in PROMPTS]


def test_answers_are_those_of_prompts_that_share_nothing(resident: Resident) -> None:
    together = decode(resident.base, PROMPTS, Sampler([0] * 3, 0, 1), 12)
    assert together == [decode(resident.base, [ids], Sampler([0], 0, 1), 12)[0] for ids in PROMPTS]


def test_prompts_that_are_the_same_get_the_same_answer(resident: Resident) -> None:
    first, second = decode(resident.base, [SYSTEM, SYSTEM], Sampler([0, 0], 0, 1), 12)
    assert first == second == decode(resident.base, [SYSTEM], Sampler([0], 0, 1), 12)[0]
