"""Answers that show a trait and answers that do not, written in pairs or given by the model itself, and the states they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import bad_input
from ..inference.prefill import Job, prefill
from ..model.base import Base
from ..model.chat import prompt_ids, text_ids
from ..stored.refs import Ref, parse_ref
from ..stored.responses import read_response
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
class Answers:
    """Recorded answers that show a trait, and others that do not. They need not be as many."""

    positive: tuple[Ref, ...]
    negative: tuple[Ref, ...]


@dataclass(frozen=True)
class Prompts:
    """Prompts with their system prompts, after which a model would show a trait, and others."""

    positive: tuple[tuple[str, str | None], ...]
    negative: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Group:
    """One trait: its pairs, answers or prompts, and the (layer, method) of every vector wanted."""

    id: str
    contrast: tuple[Pair, ...] | Answers | Prompts
    wanted: tuple[tuple[int, str], ...]


def parse_pairs(value: params.Params, name: str) -> tuple[Pair, ...]:
    """The list of pairs called `name`."""
    return tuple(
        Pair(*(params.text(pair, field) for field in ("id", "prompt", "positive", "negative"))) for pair in params.items(value, name)
    )


def parse_answers(value: params.Params) -> Answers:
    """The refs under `positive` and `negative`."""
    return Answers(*(tuple(parse_ref(ref) for ref in params.items(value, side)) for side in ("positive", "negative")))


def parse_prompts(value: params.Params) -> Prompts:
    """The prompts under `positive` and `negative`."""
    return Prompts(
        *(
            tuple((params.text(item, "prompt"), params.optional_text(item, "system_prompt")) for item in params.items(value, side))
            for side in ("positive", "negative")
        )
    )


def mean_states(
    base: Base, group: Group, system_prompt: str | None, first: int | None, progress: Progress, room: int
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """By layer, the positive and the negative answers' mean residuals over their first `first` tokens (None: all); of prompts
    those of their last token.

    Each float32 `[answers, hidden]`. `room`: tokens that fit into memory at once.
    """
    import numpy as np

    layers = sorted({layer for layer, _ in group.wanted})
    if isinstance(group.contrast, Answers):
        sides, jobs = recorded_jobs(group.id, group.contrast, layers, first)
    elif isinstance(group.contrast, Prompts):
        sides, jobs = prompt_jobs(base, group.id, group.contrast, layers, system_prompt)
    else:
        sides, jobs = written_jobs(base, group.id, group.contrast, layers, system_prompt, first)
    means = {layer: np.empty((len(jobs), base.hidden), np.float32) for layer in layers}

    def keep(index: int, layer: int, residual: torch.Tensor) -> None:
        means[layer][index] = residual.float().mean(dim=0).numpy()

    prefill(base, jobs, keep, lambda _, tokens: progress.advance(tokens=tokens), room)
    positive = np.array(sides)
    return {layer: (rows[positive], rows[~positive]) for layer, rows in means.items()}


def recorded_jobs(name: str, answers: Answers, layers: list[int], first: int | None) -> tuple[list[bool], list[Job]]:
    """What of recorded answers is to be read, and whether each is a positive one."""
    sides, jobs = [], []
    for side, refs in (("positive", answers.positive), ("negative", answers.negative)):
        for index, ref in enumerate(refs):
            ids, start = read_response(f"group '{name}', {side} answer {index}", ref)
            sides.append(side == "positive")
            jobs.append(Job(ids[: None if first is None else start + first], layers, start))
    return sides, jobs


def prompt_jobs(
    base: Base, name: str, prompts: Prompts, layers: list[int], system_prompt: str | None
) -> tuple[list[bool], list[Job]]:
    """The ends of prompts, and whether each is a positive one."""
    sides, jobs = [], []
    for side, asked in (("positive", prompts.positive), ("negative", prompts.negative)):
        for index, (prompt, own) in enumerate(asked):
            try:
                ids = prompt_ids(base.tokenizer, prompt, system_prompt if own is None else own, base.told)
            except ValueError as error:
                raise bad_input(f"group '{name}', {side} prompt {index}: {error}") from None
            sides.append(side == "positive")
            jobs.append(Job(ids, layers, len(ids) - 1))
    return sides, jobs


def written_jobs(
    base: Base, name: str, pairs: tuple[Pair, ...], layers: list[int], system_prompt: str | None, first: int | None
) -> tuple[list[bool], list[Job]]:
    """What of written answers is to be read, and whether each is a positive one."""
    sides, jobs = [], []
    for pair in pairs:
        try:
            prompt = prompt_ids(base.tokenizer, pair.prompt, system_prompt, base.told)
        except ValueError as error:
            raise bad_input(f"group '{name}', pair '{pair.id}': {error}") from None
        for side, text in (("positive", pair.positive), ("negative", pair.negative)):
            answer = text_ids(base.tokenizer, text)[:first]
            if not answer:
                raise bad_input(f"group '{name}', pair '{pair.id}': the {side} answer is empty")
            sides.append(side == "positive")
            jobs.append(Job([*prompt, *answer], layers, len(prompt)))
    return sides, jobs
