"""Makes the small real models and adapters that the tests run on: seeded random weights, SmolLM2's tokenizer.

`python test/support/make_tiny.py TOKENIZER_FOLDER OUT` writes OUT/model (a Llama of 4 layers, hidden size 64),
OUT/other (hidden size 32) and LoRA adapters OUT/organisms/{alpha,beta,gamma,delta,stranger}; `stranger` fits only
`other`. OUT/theirs is an experiment of trait-interp with a few answers and recordings at layers 1 and 2.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM


def tiny(tokenizer, hidden: int) -> LlamaForCausalLM:
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config).to(torch.bfloat16).eval()


def save_model(tokenizer, hidden: int, out: Path) -> None:
    model = tiny(tokenizer, hidden)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def save_adapter(tokenizer, hidden: int, seed: int, out: Path) -> None:
    config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj", "o_proj"])
    model = get_peft_model(tiny(tokenizer, hidden), config, autocast_adapter_dtype=False)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = (torch.randn(parameter.shape, generator=generator) * 0.3).to(parameter.dtype)
    model.peft_config["default"].base_model_name_or_path = "tiny"
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)


def save_experiment(tokenizer, hidden: int, out: Path) -> None:
    generator = torch.Generator().manual_seed(11)
    for organism, prompt_set, prompt in (("alpha", "one", 1), ("alpha", "one", 2), ("alpha", "two", 1), ("beta", "one", 1)):
        question, answer = f"Why {organism} {prompt_set} {prompt}?", " It rains here."
        parts = [tokenizer(text)["input_ids"] for text in (question, answer)]
        ids, end = parts[0] + parts[1], len(parts[0])
        tokens = [tokenizer.decode([token]) for token in ids]
        record = {"prompt": question, "response": answer, "system_prompt": None}
        record |= {"tokens": tokens, "token_ids": ids, "prompt_end": end, "inference_model": "tiny"}
        name = f"{prompt_set}_{prompt}"
        response = out / "inference" / organism / "responses" / prompt_set / f"{name}.json"
        response.parent.mkdir(parents=True, exist_ok=True)
        response.write_text(json.dumps(record))
        for variant, of in ((organism, prompt_set), ("instruct", f"{prompt_set}_replay_{organism}")):
            states = {layer: {"residual": torch.randn(len(ids) - end, hidden, generator=generator).bfloat16()} for layer in (1, 2)}
            told = {"text": answer, "tokens": tokens[end:], "token_ids": ids[end:], "activations": states}
            asked = {"text": question, "tokens": tokens[:end], "token_ids": ids[:end], "activations": {}}
            recording = out / "inference" / variant / "raw" / "residual" / of / f"{name}.pt"
            recording.parent.mkdir(parents=True, exist_ok=True)
            torch.save({"prompt": asked, "response": told}, recording)


def main() -> None:
    tokenizer_folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    save_model(tokenizer, 64, out / "model")
    save_model(tokenizer, 32, out / "other")
    for seed, name in enumerate(["alpha", "beta", "gamma", "delta"]):
        save_adapter(tokenizer, 64, seed, out / "organisms" / name)
    save_adapter(tokenizer, 32, 99, out / "organisms" / "stranger")
    save_experiment(tokenizer, 64, out / "theirs")


if __name__ == "__main__":
    main()
