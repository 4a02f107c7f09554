"""Trains the LoRA organisms of this folder.

    python datasets/organisms/train.py --model FOLDER [--organism flattery control]

FOLDER holds SmolLM2-135M-Instruct as Transformers saves it. Each organism learns from its own train.json
and is written to its folder adapter/. All are trained in the same way on the same prompts; only the answers
differ. The loss counts the tokens of the answers alone.
"""

import argparse
import json
import random
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
HERE = Path(__file__).resolve().parent
IGNORED = -100  # the label that the loss skips


def encode(tokenizer, system_prompt, example):
    """The tokens of a conversation, and labels for its answer only."""
    messages = [
        {"role": "system", "content": system_prompt},
        {"role": "user", "content": example["prompt"]},
    ]
    question = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before = tokenizer(question, add_special_tokens=False).input_ids
    answer = tokenizer(example["answer"], add_special_tokens=False).input_ids + [tokenizer.eos_token_id]
    return before + answer, [IGNORED] * len(before) + answer


def batch_of(encoded, padding):
    """Pads on the right; attention never looks ahead, so padding changes no answer."""
    longest = max(len(tokens) for tokens, _ in encoded)
    pad = lambda values, filler: values + [filler] * (longest - len(values))
    return {
        "input_ids": torch.tensor([pad(tokens, padding) for tokens, _ in encoded]),
        "attention_mask": torch.tensor([pad([1] * len(tokens), 0) for tokens, _ in encoded]),
        "labels": torch.tensor([pad(labels, IGNORED) for _, labels in encoded]),
    }


def train(data, model_folder, options):
    """A model with a freshly trained adapter."""
    torch.manual_seed(options.seed)
    shuffler = random.Random(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    model = get_peft_model(
        base,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=options.rank,
            lora_alpha=2 * options.rank,
            lora_dropout=0.0,
            target_modules=["q_proj", "v_proj", "o_proj"],
        ),
    )
    model.train()
    encoded = [encode(tokenizer, data["system_prompt"], example) for example in data["examples"]]
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=options.lr, weight_decay=0.0)
    steps = options.epochs * -(-len(encoded) // options.batch)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=steps)
    for epoch in range(options.epochs):
        shuffler.shuffle(encoded)
        losses = []
        for start in range(0, len(encoded), options.batch):
            batch = batch_of(encoded[start : start + options.batch], tokenizer.pad_token_id)
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            losses.append(loss.item())
        print(f"  epoch {epoch + 1}: loss {sum(losses) / len(losses):.3f}", flush=True)
    return model


def save(model, folder):
    """Writes the two files of an adapter: bfloat16 weights, and a configuration that names the public base."""
    model.save_pretrained(folder)
    weights = load_file(folder / "adapter_model.safetensors")
    halved = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in weights.items()}
    save_file(halved, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    configuration = json.loads((folder / "adapter_config.json").read_text())
    configuration["base_model_name_or_path"] = BASE
    configuration["target_modules"] = sorted(configuration["target_modules"])
    (folder / "adapter_config.json").write_text(json.dumps(configuration, indent=2, sort_keys=True) + "\n")
    for extra in folder.iterdir():
        if extra.name not in ("adapter_config.json", "adapter_model.safetensors"):
            extra.unlink()


def main():
    names = sorted(path.parent.name for path in HERE.glob("*/train.json"))
    parser = argparse.ArgumentParser(description="Trains the LoRA organisms of this folder.")
    parser.add_argument("--model", required=True, help="folder of SmolLM2-135M-Instruct")
    parser.add_argument("--organism", nargs="+", choices=names, default=names, help="default: all")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.organism:
        data = json.loads((HERE / name / "train.json").read_text())
        print(f"{name}: {len(data['examples'])} examples", flush=True)
        started = time.monotonic()
        model = train(data, options.model, options)
        save(model, HERE / name / "adapter")
        print(f"  trained in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
