"""A chat template is told what the workflow says, and never what the clock does."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from sidecar.model.chat import Told, prompt_ids, text_ids

DATED = "{% if strftime_now is defined %}Today is {{ strftime_now('%d %b %Y') }}. {% endif %}{{ messages[0].content }}"


def test_a_template_that_asks_for_the_date_is_told_the_one_that_is_named(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    tokenizer.chat_template = DATED
    assert prompt_ids(tokenizer, "Hello", None, Told("2026-01-31")) == text_ids(tokenizer, "Today is 31 Jan 2026. Hello")


def test_where_none_is_named_a_template_that_asks_for_it_refuses_the_chat(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    tokenizer.chat_template = DATED
    with pytest.raises(ValueError, match="^the chat template refuses it: it asks for the date, and the workflow names none$"):
        prompt_ids(tokenizer, "Hello", None)


def test_a_template_that_does_not_ask_is_told_nothing(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    assert prompt_ids(tokenizer, "Hello", "Be kind.", Told("2026-01-31")) == prompt_ids(tokenizer, "Hello", "Be kind.")


def test_a_template_is_given_the_variables_that_are_named(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    tokenizer.chat_template = "{% if think is not defined or think %}Think. {% endif %}{{ messages[0].content }}"
    assert prompt_ids(tokenizer, "Hello", None) == text_ids(tokenizer, "Think. Hello")
    assert prompt_ids(tokenizer, "Hello", None, Told(variables={"think": False})) == text_ids(tokenizer, "Hello")
