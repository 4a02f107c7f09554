"""What answers prompts: token ids in, token ids and the reason of their end out.

`generate` knows nothing of a generator but this, and `capture` reads finished ids only, so another one (on another
machine, with a batch of its own) changes neither. docs/backends.md says what it must guarantee.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ..errors import bad_input

if TYPE_CHECKING:
    from ..model.base import Base
    from .steering import Steering

OnStep = Callable[[int, int], None]
"""Hears how many answers ended and how many tokens were made since it was last called."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are picked: the likeliest at temperature 0, otherwise by a random stream a prompt."""

    seeds: Sequence[int]  # one a prompt
    temperature: float
    top_p: float


@dataclass(frozen=True)
class Answer:
    """`ids` end with the stop id when one ended the answer. There is one id at least, or none when the logits were
    not finite (`overflow`), which is no answer."""

    ids: list[int]
    finish_reason: Literal["stop", "length", "overflow"]


class Generator(Protocol):
    """Answers prompts with one base model and the adapters put on it."""

    def answer(
        self,
        prompts: Sequence[Sequence[int]],
        adapter: str | None,
        sampling: Sampling,
        limit: int,
        on_step: OnStep,
        steering: Steering | None = None,
    ) -> list[Answer]:
        """One answer a prompt, in their order, of at most `limit` tokens each, by the base with the adapter of this
        digest, None for the clean base; with `steering`, while a direction is added for each. Raises SidecarError when it
        has another adapter."""
        ...


class LocalGenerator:
    """The model that this process holds, `together` prompts at once."""

    def __init__(self, base: Base, adapter: str | None, together: int) -> None:
        self._base = base
        self._adapter = adapter
        self._together = together

    def answer(
        self,
        prompts: Sequence[Sequence[int]],
        adapter: str | None,
        sampling: Sampling,
        limit: int,
        on_step: OnStep,
        steering: Steering | None = None,
    ) -> list[Answer]:
        """See `Generator`."""
        from .decode import decode
        from .sampling import Sampler

        if adapter != self._adapter:
            raise bad_input(f"answers with adapter {adapter or 'none'} were asked for, but the model is with {self._adapter or 'none'}")
        sampler = Sampler(sampling.seeds, sampling.temperature, sampling.top_p)
        answers = decode(self._base, prompts, sampler, limit, on_step, self._together, steering)
        return [Answer(ids, self._reason(ids)) for ids in answers]

    def _reason(self, ids: list[int]) -> Literal["stop", "length", "overflow"]:
        if not ids:
            return "overflow"
        return "stop" if ids[-1] in self._base.stop_ids else "length"
