import { suggestion } from '../../engine/core/names.ts'
import type { ModelSource } from '../../engine/core/sources.ts'
import type { Problem, Step } from '../../engine/core/step-kind.ts'
import { layerProblems } from '../common/capture.ts'
import { roomProblems } from '../common/model.ts'
import { type TakenStep, vectorsOfOtherModel } from '../common/taken-vectors.ts'
import { vectorId, type VectorName } from '../common/vectors.ts'
import { measuredVectors } from './tasks.ts'

/** What is wrong with how a step steers along these of the vectors that it takes. */
export function steeringProblems(step: Step, model: ModelSource, steps: readonly TakenStep[], vectors: readonly VectorName[]): Problem[] {
  const all = steps.flatMap((one) => one.vectors)
  const made = [...new Set(all.map(({ layer }) => layer))]
  const ofModel = layerProblems(made, { base: model, adapter: null }, ['along']).slice(0, 1)
  return [
    ...vectorsOfOtherModel(steps, model),
    ...(all.length === 0 ? [] : [...layersNotMade(step, made), ...traitsNotThere(step, all)]),
    ...(step.params.layers === undefined ? ofModel : []),
    ...amountProblems(step),
    ...lengthProblems(step, vectors, measuredVectors(steps)),
    ...roomProblems(step.params.max_new_tokens as number, model, ['max_new_tokens']),
  ]
}

function layersNotMade({ params }: Step, made: readonly number[]): Problem[] {
  return ((params.layers ?? []) as number[]).flatMap((layer, index): Problem[] => {
    if (made.includes(layer)) return []
    const message = `no vector is of layer ${layer}; those that \`along\` takes are of ${made.join(', ')}`
    return [{ rule: 'layer-not-made', message, path: ['layers', index] }]
  })
}

function traitsNotThere({ params }: Step, all: readonly VectorName[]): Problem[] {
  const there = [...new Set(all.map(({ trait }) => trait))]
  return ((params.traits ?? []) as string[]).flatMap((trait, index): Problem[] => {
    if (there.includes(trait)) return []
    const hint = suggestion(trait, there)
    const message = `no vector that \`along\` takes is called "${trait}"`
    return [{ rule: 'no-such-vector', message, ...(hint === undefined ? {} : { hint }), path: ['traits', index] }]
  })
}

/** Amounts stand in one of two parameters, and none of them is 0. */
function amountProblems({ params }: Step): Problem[] {
  const [by, times] = [params.by, params.times] as [number[] | undefined, number[] | undefined]
  if ((by === undefined) === (times === undefined)) {
    const message = by === undefined ? 'it does not say how far: `by` or `times` is missing' : '`by` and `times` both say how far'
    const hint = '`by: [40]` in the unit of projections, or `times: [1]` by the length that a mean_diff or a shift has'
    return [{ rule: 'amounts', message, hint, path: by === undefined ? [] : ['times'] }]
  }
  const [name, given] = by === undefined ? ['times', times as number[]] : ['by', by]
  const index = given.indexOf(0)
  if (index < 0) return []
  return [
    {
      rule: 'amounts',
      message: 'by 0 an answer is not steered',
      hint: 'take it out: answers that are not steered are always made',
      path: [name, index],
    },
  ]
}

/** Layers of which no vector says how long one is. */
function lengthProblems({ params }: Step, vectors: readonly VectorName[], measured: readonly VectorName[]): Problem[] {
  if (params.times === undefined) return []
  const names = new Set(measured.map(vectorId))
  const layers = new Set(vectors.filter((vector) => names.has(vectorId(vector))).map(({ layer }) => layer))
  const lacking = vectors.find(({ layer }) => !layers.has(layer))
  if (!lacking) return []
  const message = `no vector of layer ${lacking.layer} says how far one time is: none that was made here is a mean_diff or a shift`
  return [{ rule: 'no-length', message, hint: 'say `by`, in the unit of projections', path: ['times'] }]
}
