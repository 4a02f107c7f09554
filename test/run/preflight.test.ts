import { expect, test } from 'vitest'
import type { ModelSource } from '../../engine/core/sources.ts'
import { memoryProblems } from '../../engine/run/preflight.ts'

const model = (device: string, dtype: string, quantization: string | null): ModelSource => ({
  name: `${device} ${quantization ?? dtype}`,
  origin: 'hf:meta-llama/Llama-3.3-70B-Instruct',
  path: null,
  device,
  dtype,
  quantization,
  identity: {},
  facts: { layers: 80, hidden: 8192, parameters: 70.6e9, contextLength: 131_072, keyValues: 2048 },
})

test('a model on the CPU whose weights alone are more than the memory is refused before anything is loaded', () => {
  const models = [model('cpu', 'bfloat16', null), model('cpu', 'bfloat16', 'nf4'), model('cuda', 'bfloat16', null)]
  expect(memoryProblems(models, 64e9)).toEqual([
    {
      severity: 'error',
      rule: 'memory',
      message: 'model "cpu bfloat16" does not fit: its weights take 141 GB in bfloat16, and the machine has 64.0 GB of memory',
      hint: 'run it on a larger machine, or name a smaller model',
    },
  ])
  expect(memoryProblems(models, 142e9)).toEqual([])
})
