"""A model as wide as a 70B one that costs next to nothing to run: `python test/bench/wide_model.py TOKENIZER_FOLDER OUT`.

Writes OUT/model, a random Llama of 2 layers and hidden size 8,192, and OUT/adapter, a LoRA adapter for it.
"""

import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    out = Path(sys.argv[2])
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8192,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(7)
    torch.set_default_dtype(torch.bfloat16)
    model = LlamaForCausalLM(config).eval()
    model.save_pretrained(out / "model")
    tokenizer.save_pretrained(out / "model")
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    wrapped = get_peft_model(model, lora, autocast_adapter_dtype=False)
    wrapped.peft_config["default"].base_model_name_or_path = "wide"
    wrapped.save_pretrained(out / "adapter")


main()
