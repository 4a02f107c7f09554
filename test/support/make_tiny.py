"""Makes the small real models and adapters that the tests run on: seeded random weights, SmolLM2's tokenizer.

`python test/support/make_tiny.py TOKENIZER_FOLDER OUT` writes OUT/model (a Llama of 4 layers, hidden size 64),
OUT/other (hidden size 32) and LoRA adapters OUT/organisms/{alpha,beta,gamma,delta,stranger}; `stranger` fits only
`other`.
"""

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


def main() -> None:
    tokenizer_folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    save_model(tokenizer, 64, out / "model")
    save_model(tokenizer, 32, out / "other")
    for seed, name in enumerate(["alpha", "beta", "gamma", "delta"]):
        save_adapter(tokenizer, 64, seed, out / "organisms" / name)
    save_adapter(tokenizer, 32, 99, out / "organisms" / "stranger")


if __name__ == "__main__":
    main()
