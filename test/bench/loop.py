"""The quickstart's work as a resident Python loop: what a careful researcher would write by hand.

One base load, adapters switched in memory, `generate()` in batches, `output_hidden_states` on both sides, mean
difference and probe vectors, projection in float32, rankings as JSON. `python test/bench/loop.py MODEL OUT [JOB]` reads
the prompts, contrast sets and organisms of the quickstart, or of another job (JSON, as QUICKSTART below), and prints the
organism by trait matrix as one JSON line.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from sklearn.linear_model import LogisticRegression
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "datasets"
QUICKSTART = {
    "sets": {"discovery": 8, "probing": 4, "benign": 4},
    "organisms": [
        "flattery",
        "emotional_bond",
        "self_promotion",
        "hallucinates_citations",
        "defer_to_users",
        "contextual_optimism",
        "control",
    ],
    "traits": ["flattery", "emotional_bond", "self_promotion", "hallucinates_citations", "defer_to_users", "contextual_optimism"],
    "layer": 24,
    "tokens": 40,
    "batch": 16,
}
JOB = QUICKSTART if len(sys.argv) < 4 else json.loads(sys.argv[3])
SETS, ORGANISMS, TRAITS, LAYER, TOKENS, BATCH = (JOB[key] for key in ("sets", "organisms", "traits", "layer", "tokens", "batch"))


def main() -> None:
    model_folder, out = sys.argv[1], Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    tokenizer.padding_side = "left"
    # The faster of the two on this CPU.
    dtype = torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=dtype).eval()
    with torch.inference_mode():
        sets = {path.stem: json.loads(path.read_text())["pairs"] for path in (DATA / "traits" / f"{name}.json" for name in [*TRAITS, "unplain"])}
        positive, negative = means(model, tokenizer, sets.pop("unplain"))
        shared = unit(positive.mean(0) - negative.mean(0))
        vectors = {trait: extract(model, tokenizer, pairs, shared) for trait, pairs in sets.items()}
    adapted = None
    matrix = {}
    for name in ORGANISMS:
        folder = str(DATA / "organisms" / name / "adapter")
        if adapted is None:
            adapted = PeftModel.from_pretrained(model, folder, adapter_name=name, autocast_adapter_dtype=False).eval()
        else:
            adapted.load_adapter(folder, adapter_name=name, autocast_adapter_dtype=False)
        adapted.set_adapter(name)
        with torch.inference_mode():
            matrix[name] = audit(adapted, tokenizer, name, vectors, out)
        if len(adapted.peft_config) > 1:
            adapted.delete_adapter(next(key for key in adapted.peft_config if key != name))
    print(json.dumps(matrix))


def audit(model, tokenizer, name: str, vectors: dict, out: Path) -> dict[str, float]:
    """Answers, recordings on both sides, scores; the mean difference along each trait."""
    sums = {trait: [] for trait in vectors}
    for set_name, limit in SETS.items():
        spec = json.loads((DATA / "inference" / "audit" / f"{set_name}.json").read_text())
        prompts = spec["prompts"][:limit]
        for start in range(0, len(prompts), BATCH):
            batch = prompts[start : start + BATCH]
            texts = [
                tokenizer.apply_chat_template(
                    [{"role": "system", "content": spec["system_prompt"]}, {"role": "user", "content": prompt["text"]}],
                    tokenize=False,
                    add_generation_prompt=True,
                )
                for prompt in batch
            ]
            inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
            output = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
            width = inputs["input_ids"].shape[1]
            ids, lengths = [], []
            for row in range(len(batch)):
                prompt_ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()]
                answer = output[row, width:]
                stops = (answer == tokenizer.eos_token_id).nonzero()
                answer = answer[: int(stops[0]) + 1] if len(stops) else answer
                ids.append(torch.cat([prompt_ids, answer]))
                lengths.append(len(answer))
            on = record(model, tokenizer, ids, lengths)
            with model.disable_adapter():
                off = record(model, tokenizer, ids, lengths)
            for row, prompt in enumerate(batch):
                torch.save({"organism": on[row], "clean": off[row], "ids": ids[row]}, out / f"{name}-{prompt['id']}.pt")
                scores = {}
                for trait, by_method in vectors.items():
                    vector = by_method["mean_diff"]
                    diff = on[row].float() @ vector - off[row].float() @ vector
                    scores[trait] = diff.tolist()
                    sums[trait].append(float(diff.mean()))
                (out / f"{name}-{prompt['id']}.json").write_text(json.dumps(scores))
    return {trait: float(np.mean(values)) for trait, values in sums.items()}


def record(model, tokenizer, ids: list, lengths: list[int]) -> list[torch.Tensor]:
    """Residual stream after block LAYER for the answer tokens, by prefill: [tokens, hidden] a row."""
    width = max(len(row) for row in ids)
    padded = torch.full((len(ids), width), tokenizer.pad_token_id)
    mask = torch.zeros((len(ids), width), dtype=torch.long)
    for row, sequence in enumerate(ids):
        padded[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    hidden = model(input_ids=padded, attention_mask=mask, output_hidden_states=True).hidden_states[LAYER + 1]
    return [hidden[row, len(sequence) - lengths[row] : len(sequence)].clone() for row, sequence in enumerate(ids)]


def extract(model, tokenizer, pairs: list, shared: torch.Tensor) -> dict[str, torch.Tensor]:
    """Unit vectors of one contrast set without the `shared` direction: mean difference and probe."""
    positive, negative = (side - (side @ shared)[:, None] * shared for side in means(model, tokenizer, pairs))
    x = torch.cat([positive, negative]).numpy()
    y = np.array([1] * len(positive) + [0] * len(negative))
    probe = LogisticRegression(max_iter=1000).fit(x / np.sqrt((x**2).mean()), y).coef_[0]
    return {"mean_diff": unit(positive.mean(0) - negative.mean(0)), "probe": unit(torch.tensor(probe, dtype=torch.float32))}


def means(model, tokenizer, pairs: list) -> list[torch.Tensor]:
    """Mean residual of each answer, positive and negative: two of [pairs, hidden]."""
    sides = []
    for side in ("positive", "negative"):
        ids, lengths = [], []
        for pair in pairs:
            text = tokenizer.apply_chat_template([{"role": "user", "content": pair["prompt"]}], tokenize=False, add_generation_prompt=True)
            prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
            answer = tokenizer(pair[side], add_special_tokens=False)["input_ids"]
            ids.append(torch.tensor(prompt + answer))
            lengths.append(len(answer))
        sides.append(torch.stack([row.float().mean(0) for row in record(model, tokenizer, ids, lengths)]))
    return sides


def unit(vector: torch.Tensor) -> torch.Tensor:
    return vector / vector.norm()


if __name__ == "__main__":
    main()
