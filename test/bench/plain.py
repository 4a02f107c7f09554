"""Plain transformers in a process of its own, for `inference.py`: what a researcher's script would call.

`python test/bench/plain.py MODEL` takes one JSON line a piece of work and answers each with an empty line when it is done.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    folder = sys.argv[1]
    # The faster of the two on this CPU.
    dtype = torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    print(flush=True)
    with torch.inference_mode():
        for line in sys.stdin:
            work = json.loads(line)
            if "prompts" in work:
                padded, tokens = tokenizer.pad({"input_ids": work["prompts"]}, return_tensors="pt"), work["tokens"]
                model.generate(**padded, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)
            else:
                ids = torch.tensor(work["ids"])
                model(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
            print(flush=True)


if __name__ == "__main__":
    main()
