import { expect, test } from 'vitest'
import { isClearlyAnother } from '../../engine/sources/base-names.ts'

const llama = 'meta-llama/Llama-3.3-70B-Instruct'

test.for<[string, string, string]>([
  ['the same name', llama, llama],
  ['a mirror', 'unsloth/Llama-3.3-70B-Instruct', llama],
  ['a quantized mirror', 'unsloth/Llama-3.3-70B-Instruct-bnb-4bit', llama],
  ['another quantized mirror', 'unsloth/Llama-3.3-70B-Instruct-unsloth-bnb-4bit', llama],
  ['a file for another program', 'bartowski/Llama-3.3-70B-Instruct-GGUF', llama],
  ['one variant of such files', 'someone/Llama-3.3-70B-Instruct-Q4_K_M-GGUF', llama],
  ['a GPTQ copy', 'Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4', 'Qwen/Qwen2.5-7B-Instruct'],
  ['an 8-bit copy', 'RedHatAI/Llama-3.3-70B-Instruct-quantized.w8a8', llama],
  ['a floating-point copy', 'nvidia/Llama-3.3-70B-Instruct-FP8', llama],
  ['a dynamic one', 'RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic', llama],
  ['a copy for Apple silicon', 'mlx-community/Llama-3.3-70B-Instruct-4bit', llama],
  ['a name that was changed later', 'meta-llama/Meta-Llama-3.1-8B', 'meta-llama/Llama-3.1-8B'],
  ['a conversion', 'NousResearch/Llama-2-7b-hf', 'meta-llama/Llama-2-7b'],
  ['letters written otherwise', 'unsloth/llama-3-8b-Instruct', 'meta-llama/Meta-Llama-3-8B-Instruct'],
  ['a version written otherwise', 'someone/mistral-7b-instruct-0.2', 'mistralai/Mistral-7B-Instruct-v0.2'],
  ['a name that says less', 'someone/llama-70b', llama],
  ['a name that says more', 'Qwen/Qwen3-4B-2507', 'Qwen/Qwen3-4B'],
  ['a name of nothing that is known', 'someone/my-great-model', llama],
  ['another family, whose shape must differ', 'mistralai/Mistral-7B-v0.1', llama],
  ['a folder', '/data/models/Llama-3.1-70B', llama],
  ['a folder beside', './Llama-3.1-70B', llama],
  ['a folder with several parts', 'checkpoints/llama/3.1-70b', llama],
  ['no owner', 'Llama-3.1-70B', llama],
  ['the cache of a hub', '/home/me/.cache/huggingface/hub/models--meta-llama--Llama-3.3-70B-Instruct/snapshots/6f6073b', llama],
  ['nothing', '', llama],
  ['a base that another calls so', 'someone/Llama-3.1-8B-base', 'meta-llama/Llama-3.1-8B'],
  ['a shortened name', 'someone/Llama-3.3-70B', llama],
  ['a base in a mirror', 'Qwen/Qwen2.5-7B', 'unsloth/Qwen2.5-7B-bnb-4bit'],
])('%s is not clearly another model', ([, name, other]) => {
  expect([isClearlyAnother(name, other), isClearlyAnother(other, name)]).toEqual([false, false])
})

test.for<[string, string, string]>([
  ['another version', 'meta-llama/Llama-3.1-70B-Instruct', llama],
  ['another version in a mirror', 'unsloth/Meta-Llama-3.1-70B-Instruct-bnb-4bit', llama],
  ['an older one', 'meta-llama/Meta-Llama-3-70B-Instruct', llama],
  ['the model before it was tuned', 'meta-llama/Llama-3.1-8B', 'meta-llama/Llama-3.1-8B-Instruct'],
  ['the same in a mirror', 'unsloth/Meta-Llama-3.1-8B-bnb-4bit', 'meta-llama/Llama-3.1-8B-Instruct'],
  ['a base beside a tuned one without a mark', 'unsloth/Qwen3-8B-Base', 'Qwen/Qwen3-8B'],
  ['the tuned one', 'google/gemma-2-9b-it', 'google/gemma-2-9b'],
  ['a base by its own mark', 'google/gemma-3-4b-pt', 'google/gemma-3-4b-it'],
  ['another size', 'Qwen/Qwen2.5-7B-Instruct', 'Qwen/Qwen2.5-14B-Instruct'],
  ['another minor version', 'mistralai/Mistral-7B-Instruct-v0.3', 'mistralai/Mistral-7B-Instruct-v0.2'],
  ['one distilled of another', 'deepseek-ai/DeepSeek-R1-Distill-Llama-70B', llama],
  ['another generation', 'HuggingFaceTB/SmolLM-135M-Instruct-v0.2', 'HuggingFaceTB/SmolLM2-135M-Instruct'],
  ['another one in the cache of a hub', '/hub/models--meta-llama--Llama-3.1-70B-Instruct/snapshots/1', llama],
])('%s is clearly another model', ([, name, other]) => {
  expect([isClearlyAnother(name, other), isClearlyAnother(other, name)]).toEqual([true, true])
})
