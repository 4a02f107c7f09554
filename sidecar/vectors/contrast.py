"""Pairs of answers to one prompt, one that shows a trait and one that does not, and the states they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import bad_input
from ..inference.prefill import Job, prefill
from ..model.base import Base
from ..model.chat import prompt_ids, text_ids
from ..wire import params
from ..wire.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True)
class Pair:
    """A prompt and two answers to it."""

    id: str
    prompt: str
    positive: str
    negative: str


@dataclass(frozen=True)
class Group:
    """One trait: its pairs, and the (layer, method) of every vector wanted."""

    id: str
    pairs: tuple[Pair, ...]
    wanted: tuple[tuple[int, str], ...]


def parse_pairs(value: params.Params, name: str) -> tuple[Pair, ...]:
    """The list of pairs called `name`."""
    return tuple(
        Pair(*(params.text(pair, field) for field in ("id", "prompt", "positive", "negative"))) for pair in params.items(value, name)
    )


def mean_states(
    base: Base, group: Group, system_prompt: str | None, first: int | None, progress: Progress, room: int
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """By layer, the positive and the negative answers' mean residuals over their first `first` tokens (None: all).

    Each float32 `[pairs, hidden]`. `room`: tokens that fit into memory at once.
    """
    import numpy as np

    layers = sorted({layer for layer, _ in group.wanted})
    jobs: list[Job] = []
    for pair in group.pairs:
        try:
            prompt = prompt_ids(base.tokenizer, pair.prompt, system_prompt, base.told)
        except ValueError as error:
            raise bad_input(f"group '{group.id}', pair '{pair.id}': {error}") from None
        for side, text in (("positive", pair.positive), ("negative", pair.negative)):
            answer = text_ids(base.tokenizer, text)[:first]
            if not answer:
                raise bad_input(f"group '{group.id}', pair '{pair.id}': the {side} answer is empty")
            jobs.append(Job([*prompt, *answer], layers, len(prompt)))
    means = {layer: np.empty((len(jobs), base.hidden), np.float32) for layer in layers}

    def keep(index: int, layer: int, residual: torch.Tensor) -> None:
        means[layer][index] = residual.float().mean(dim=0).numpy()

    prefill(base, jobs, keep, lambda _, tokens: progress.advance(tokens=tokens), room)
    return {layer: (rows[0::2], rows[1::2]) for layer, rows in means.items()}
