"""From text to token ids and back. Recorded ids are the artifact; text is never tokenised a second time."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Told:
    """What the workflow has a chat template told."""

    date: str | None = None  # that is today, ISO 8601
    variables: Mapping[str, bool | str | float] = field(default_factory=dict)
    plain: bool = False  # there is no template: a prompt is text that the model continues


NOTHING = Told()


@dataclass(frozen=True)
class Turn:
    """What one of the two says in a conversation."""

    role: str  # user or assistant
    content: str


def prompt_ids(
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    system_prompt: str | None,
    told: Told = NOTHING,
    prefill: str = "",
    earlier: Sequence[Turn] = (),
) -> list[int]:
    """The ids of a chat whose last turn is the user's `prompt`, up to where the answer begins; of plain text, that text
    behind the tokens that every text of the model begins with. With what the answer is to begin, `prefill`, is part of
    it, split together with what is before it.

    Without a system prompt the chat template decides, and may put in one of its own. It is given what it is
    `told`, and never what the clock says. Raises ValueError when the template refuses the chat,
    or asks for a date and there is none, and when plain text is to have a system prompt or something said before it.
    """
    if told.plain:
        if system_prompt is not None:
            raise ValueError("the model is asked plain text, which has no system prompt")
        if earlier:
            raise ValueError("the model is asked plain text, which is no conversation")
        return [*first_ids(tokenizer), *text_ids(tokenizer, prompt + prefill)]
    chat = [*({"role": turn.role, "content": turn.content} for turn in earlier), {"role": "user", "content": prompt}]
    if system_prompt is not None:
        chat.insert(0, {"role": "system", "content": system_prompt})
    try:
        # The template writes the special tokens itself, so none are added when its text is split.
        with no_clock_but(told.date):
            text = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False, **told.variables)
    except Exception as error:
        raise ValueError(f"the chat template refuses it: {error}") from error
    return text_ids(tokenizer, str(text) + prefill)


@contextmanager
def no_clock_but(date: str | None) -> Iterator[None]:
    """Inside, chat templates that ask transformers for today's date (`strftime_now`) hear `date`.

    A template is given plain data alone, so what is another is the clock that transformers looks at.
    """
    from transformers.utils import chat_template_utils as templates

    clock = templates.datetime
    templates.datetime = Day(date)
    try:
        yield
    finally:
        templates.datetime = clock


class Day:
    """A clock that stands still; without a date nobody may look at it."""

    def __init__(self, date: str | None) -> None:
        self._date = date

    def now(self) -> datetime.datetime:
        """Midnight of the day."""
        if self._date is None:
            raise ValueError("it asks for the date, and the workflow names none")
        return datetime.datetime.fromisoformat(self._date)


def first_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The special tokens that the tokenizer puts before a text. Those behind it would end what is to be continued."""
    whole, alone = list(tokenizer("a")["input_ids"]), text_ids(tokenizer, "a")
    starts = (start for start in range(len(whole)) if whole[start : start + len(alone)] == alone)
    return whole[: next(starts, 0)]


def text_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The ids of `text` alone, without special tokens around it."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def id_strings(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[str]:
    """One string a token id, special tokens included. A piece of a character is U+FFFD."""
    return [str(tokenizer.decode([token], clean_up_tokenization_spaces=False)) for token in ids]


def plain_text(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text of `ids` without special tokens."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))
