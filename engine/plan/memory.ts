import type { ModelSource } from '../core/sources.ts'
import type { Plan } from './plan.ts'
import type { PlayedBatch } from './virtual-run.ts'

/** Bytes that a number of a weight takes. nf4: a 70B base is about 40 GB, its embeddings in bfloat16 among them. */
const bytesPerParameter: Readonly<Record<string, number>> = { float32: 4, bfloat16: 2, float16: 2, int8: 1.03, nf4: 0.57 }

/** The memory that a model's weights take on its device; a run needs more, for adapters and tokens. */
export function weightBytes({ facts, quantization, dtype }: ModelSource): number {
  const whole = bytesPerParameter[dtype] as number
  const kept = quantization === null ? whole : (bytesPerParameter[quantization] as number)
  return Math.round((facts.parameters - facts.expertParameters) * kept + facts.expertParameters * whole)
}

/** Bytes of the keys and values that a token keeps in all layers, in the dtype that is computed in. */
export function tokenBytes({ facts, dtype }: ModelSource): number {
  return facts.layers * facts.keyValues * (bytesPerParameter[dtype] as number)
}

/** The models that the plan loads, one at a time, each once. */
export function modelsToLoad(plan: Plan): ModelSource[] {
  const bases = plan.tasks.flatMap(({ task, toRun }) => (toRun > 0 && task.state ? [task.state.base] : []))
  return [...new Map(bases.map((base) => [base.name, base])).values()]
}

/** The most memory that work with a model asks for. */
export interface ModelMemory {
  readonly model: ModelSource
  readonly weights: number
  /** Answers worked on at once, and tokens of the longest of them. */
  readonly together: number
  readonly longest: number
  /** Of the keys and values of these tokens. */
  readonly tokens: number
}

/** Of each model, at the batch size asked for and with answers as long as allowed. */
export function peakMemory(batches: readonly PlayedBatch[]): ModelMemory[] {
  const most = new Map<string, ModelMemory>()
  for (const { task, cost } of batches) {
    if (!task.state) continue
    const model = task.state.base
    const together = Math.min(cost.groups, task.operation.together?.(task) ?? 0)
    const longest = together === 0 ? 0 : cost.longest
    const found = { model, weights: weightBytes(model), together, longest, tokens: together * longest * tokenBytes(model) }
    if (found.tokens >= (most.get(model.name)?.tokens ?? 0)) most.set(model.name, found)
  }
  return [...most.values()]
}

/** Of the memory that weights leave, what the sidecar gives to tokens (`sidecar/inference/room.py`). */
const shareForTokens = 0.5

/** What does not fit into so many bytes of memory; more tokens than fit are worked on in smaller batches. */
export function misfit({ weights, tokens }: ModelMemory, has: number): 'weights' | 'tokens' | null {
  if (weights > has) return 'weights'
  return tokens > shareForTokens * (has - weights) ? 'tokens' : null
}
