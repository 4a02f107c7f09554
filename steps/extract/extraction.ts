import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ContrastPair, ModelSource, TraitSource } from '../../engine/core/sources.ts'
import type { CellSpec, Components, Cost, Origin, Step, Task } from '../../engine/core/step-kind.ts'
import { vectorId } from '../common/vectors.ts'

/** What all tasks of an extract step have in common. */
export interface Extraction {
  readonly step: Step
  readonly schema: ParamSchema
  readonly model: ModelSource
  /** Pairs that say what the traits have in common. */
  readonly reference: readonly ContrastPair[] | null
  readonly layers: readonly number[]
  readonly methods: readonly string[]
}

/** What every task that makes the vectors of a trait has: its place, and the clean model. */
export function traitTask({ step, model }: Extraction, trait: TraitSource) {
  return {
    id: `${step.name}/${trait.name}`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: { trait: trait.name },
    state: { base: model, adapter: null },
    tuning: { position: step.params.position as string, systemPrompt: step.params.system_prompt ?? null },
  }
}

/** A cell for every layer and method of a task's trait, in one group: they share their forward passes. */
export function vectorCells(task: Task, more: (own: Components) => Pick<CellSpec, 'own' | 'inputs'>): CellSpec[] {
  const { trait, layers, methods } = task.data as { trait: string; layers: number[]; methods: string[] }
  return layers.flatMap((layer) =>
    methods.map((method): CellSpec => ({ id: vectorId({ trait, layer, method }), group: trait, ...more({ layer, method }) })),
  )
}

/** What a vector costs whose answers have so many tokens. */
export function vectorCost(task: Task, { id }: CellSpec, prefillTokens: number): Cost {
  const facts = task.state?.base.facts
  const layer = Number(/@(\d+):/.exec(id)?.[1])
  return { decodeTokens: 0, prefillTokens, depth: (layer + 1) / (facts?.layers ?? 1), bytes: 4 * (facts?.hidden ?? 0) }
}

/** A vector as the sidecar is asked for it. */
export function wantedOf({ own }: CellSpec): Json {
  return { layer: own?.layer ?? null, method: own?.method ?? null }
}

/** Where the reference comes from: its file, or where it could be named. */
export function referenceOrigin({ step, reference }: Extraction): Origin {
  return reference
    ? { from: 'trait', name: step.params.reference as string }
    : { from: 'workflow', path: ['steps', step.name, 'reference'] }
}

/** How answers would be sampled has no part in a vector. */
export function withoutGeneration(model: ModelSource): ModelSource {
  const { generation_config: _unused, ...identity } = model.identity
  return { ...model, identity }
}
