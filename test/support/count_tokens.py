"""How many tokens the sidecar makes of chats: `python count_tokens.py MODEL_FOLDER [plain]`, from stdin the JSON
`[{prompt, system, answer, prefill?, earlier?}]`, to stdout `[[tokens of the chat, tokens of the answer]]`; plain: of prompts without a chat."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from transformers import AutoTokenizer

from sidecar.model.chat import Told, Turn, prompt_ids, text_ids


def earlier_of(chat: dict) -> list[Turn]:
    return [Turn(**turn) for turn in chat.get("earlier", [])]


tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], padding_side="left", local_files_only=True)
chats = json.load(sys.stdin)
told = Told(plain=sys.argv[2:] == ["plain"])
counts = [
    [
        len(prompt_ids(tokenizer, chat["prompt"], chat["system"], told, chat.get("prefill", ""), earlier_of(chat))),
        len(text_ids(tokenizer, chat["answer"])),
    ]
    for chat in chats
]
json.dump(counts, sys.stdout)
