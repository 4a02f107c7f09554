import type { ModelSource } from '../core/sources.ts'
import type { Plan } from './plan.ts'

/** Bytes that a number of a weight takes. nf4: a 70B base is about 40 GB, its embeddings in bfloat16 among them. */
const bytesPerParameter: Readonly<Record<string, number>> = { float32: 4, bfloat16: 2, float16: 2, int8: 1.03, nf4: 0.57 }

/** The memory that a model's weights take on its device; a run needs more, for adapters and tokens. */
export function weightBytes({ facts, quantization, dtype }: ModelSource): number {
  return Math.round(facts.parameters * (bytesPerParameter[quantization ?? dtype] as number))
}

/** The models that the plan loads, one at a time, each once. */
export function modelsToLoad(plan: Plan): ModelSource[] {
  const bases = plan.tasks.flatMap(({ task, toRun }) => (toRun > 0 && task.state ? [task.state.base] : []))
  return [...new Map(bases.map((base) => [base.name, base])).values()]
}
