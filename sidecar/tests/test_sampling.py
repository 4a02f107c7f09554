"""The sampler draws from the distribution it was given and from nothing else."""

from __future__ import annotations

import pytest
import torch

from sidecar.inference.sampling import Sampler, nucleus

CHANCES = torch.tensor([0.05, 0.4, 0.0, 0.3, 0.25])


@pytest.mark.parametrize(("top_p", "kept"), [(0.3, [1]), (0.4, [1]), (0.41, [1, 3]), (0.71, [1, 3, 4]), (0.99, [0, 1, 3, 4])])
def test_the_nucleus_is_the_fewest_likeliest_tokens_that_hold_top_p(top_p: float, kept: list[int]) -> None:
    left = nucleus(CHANCES[None], top_p)[0]
    assert left.nonzero().squeeze(-1).tolist() == kept
    assert torch.equal(left[kept], CHANCES[kept])


def test_draws_follow_the_distribution_and_never_take_a_token_without_a_chance() -> None:
    rows = 20_000
    sampler = Sampler(range(rows), 2.0, 1.0)
    logits = (2.0 * CHANCES.log()).expand(rows, -1)
    drawn = sampler.pick(logits, range(rows)).bincount(minlength=5) / rows
    assert drawn[2] == 0
    torch.testing.assert_close(drawn, CHANCES, rtol=0, atol=0.015)


def test_a_row_keeps_its_stream_when_others_leave_the_batch() -> None:
    logits = torch.zeros(3, 1000)
    left, right = Sampler([5, 6, 7], 1.0, 1.0), Sampler([5, 6, 7], 1.0, 1.0)
    assert torch.equal(left.pick(logits, [0, 1, 2]), right.pick(logits, [0, 1, 2]))
    assert left.pick(logits, [0, 1, 2])[2] == right.pick(logits[:1], [2])[0]


def test_temperature_zero_takes_the_likeliest() -> None:
    assert Sampler([1], 0, 1.0).pick(CHANCES[None], [0]).tolist() == [1]
