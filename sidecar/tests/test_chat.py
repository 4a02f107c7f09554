"""A chat template is told what the workflow says, and never what the clock does."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

from sidecar.model.chat import Told, Turn, prompt_ids, text_ids

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


def test_plain_text_begins_as_every_text_of_the_model_and_does_not_end(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    plain = Told(plain=True)
    assert prompt_ids(tokenizer, "The sea is", None, plain) == text_ids(tokenizer, "The sea is")
    first, last = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    around = [("<|im_start|>", first), ("<|im_end|>", last)]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing("<|im_start|> $A <|im_end|>", special_tokens=around)
    assert tokenizer("The sea is")["input_ids"] == [first, *text_ids(tokenizer, "The sea is"), last]
    assert prompt_ids(tokenizer, "The sea is", None, plain) == [first, *text_ids(tokenizer, "The sea is")]


def test_what_an_answer_begins_with_is_split_together_with_what_is_before_it(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    text = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], add_generation_prompt=True, tokenize=False)
    assert prompt_ids(tokenizer, "Hello", None, prefill="\nWell,") == text_ids(tokenizer, f"{text}\nWell,")
    assert prompt_ids(tokenizer, "The s", None, Told(plain=True), "ea is") == text_ids(tokenizer, "The sea is")


def test_plain_text_has_no_system_prompt(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    with pytest.raises(ValueError, match="^the model is asked plain text, which has no system prompt$"):
        prompt_ids(tokenizer, "Hello", "Be kind.", Told(plain=True))


def test_a_conversation_is_what_the_template_makes_of_its_turns_in_their_order(smollm2: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(smollm2, local_files_only=True)
    earlier = [Turn("user", "Hello."), Turn("assistant", "Good day!"), Turn("user", "Who?")]
    messages = [{"role": "system", "content": "Be kind."}, *map(asdict, earlier), {"role": "user", "content": "Well?"}]
    wanted = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert prompt_ids(tokenizer, "Well?", "Be kind.", earlier=earlier) == wanted
    assert prompt_ids(tokenizer, "Well?", "Be kind.", prefill="I", earlier=earlier) == [*wanted, *text_ids(tokenizer, "I")]


def test_plain_text_is_no_conversation(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    with pytest.raises(ValueError, match="^the model is asked plain text, which is no conversation$"):
        prompt_ids(tokenizer, "Well?", None, Told(plain=True), earlier=[Turn("user", "Hello.")])
