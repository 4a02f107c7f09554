"""How many tokens the sidecar makes of chats: `python count_tokens.py MODEL_FOLDER [plain]`, from stdin the JSON
`[{prompt, system, answer, prefill?}]`, to stdout `[[tokens of the chat, tokens of the answer]]`; plain: of prompts without a chat."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from transformers import AutoTokenizer

from sidecar.model.chat import Told, prompt_ids, text_ids

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], padding_side="left", local_files_only=True)
chats = json.load(sys.stdin)
told = Told(plain=sys.argv[2:] == ["plain"])
counts = [
    [
        len(prompt_ids(tokenizer, chat["prompt"], chat["system"], told, chat.get("prefill", ""))),
        len(text_ids(tokenizer, chat["answer"])),
    ]
    for chat in chats
]
json.dump(counts, sys.stdout)
