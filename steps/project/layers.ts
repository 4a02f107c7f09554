import { isObject, type JsonObject } from '../../engine/core/json.ts'
import { suggestion } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { Problem, Step } from '../../engine/core/step-kind.ts'
import { layerList } from '../common/layers.ts'

export const layersSchema: ParamSchema = {
  description: 'Which layers: of every trait, or of each by its name, as `{ calm: 20, kind: [23, 26] }`. Default: all of them.',
  anyOf: [layerList, { type: 'object', minProperties: 1, additionalProperties: { anyOf: [{ type: 'integer', minimum: 0 }, layerList] } }],
  'x-ranges': true,
  'x-affects': 'result',
}

/** A layer that a trait is wanted at, and where the step says so; null where it says nothing. */
export interface WantedLayer {
  readonly trait: string
  readonly layer: number
  readonly path: Problem['path'] | null
}

/**
 * The layers at which a step wants each of its traits; `made` are those that there are. Where it says so of each trait by
 * its name, `unnamed` ones are wanted at all of them.
 */
export function wantedLayers(step: Step, traits: readonly string[], made: readonly number[], unnamed = false): WantedLayer[] {
  const { layers } = step.params
  if (layers === undefined || (unnamed && isObject(layers)))
    return traits.flatMap((trait) => made.map((layer) => ({ trait, layer, path: null })))
  if (!isObject(layers)) return traits.flatMap((trait) => listed(trait, layers as number[], ['layers']))
  return traits.flatMap((trait) => {
    const own = named(layers, trait)
    if (typeof own === 'number') return [{ trait, layer: own, path: ['layers', trait] }]
    return listed(trait, own ?? [], ['layers', trait])
  })
}

/** What is said of a trait, which may be called like something that every object has. */
function named(layers: JsonObject, trait: string): number | number[] | undefined {
  return Object.hasOwn(layers, trait) ? (layers[trait] as number | number[]) : undefined
}

function listed(trait: string, layers: readonly number[], path: readonly string[]): WantedLayer[] {
  return layers.map((layer, index) => ({ trait, layer, path: [...path, index] }))
}

/** Traits that are given layers by name and are none of the step's, and traits of the step that are given none. */
export function namedLayerProblems({ params }: Step, traits: readonly string[], onto: string): Problem[] {
  const { layers } = params
  if (!isObject(layers)) return []
  const unknown = Object.keys(layers)
    .filter((name) => !traits.includes(name))
    .map((name): Problem => {
      const hint = suggestion(name, traits)
      const message = `\`layers\` names the trait "${name}", which is none of those that are taken of "${onto}"`
      return { rule: 'unknown-trait', message, ...(hint ? { hint } : {}), path: ['layers', name] }
    })
  const missing = traits.filter((trait) => named(layers, trait) === undefined)
  if (missing.length === 0) return unknown
  const message = `\`layers\` says nothing of ${missing.length === 1 ? 'the trait' : 'the traits'} ${missing.join(', ')}`
  return [...unknown, { rule: 'no-layer', message, hint: 'name a layer for each, or leave them out by `traits`', path: ['layers'] }]
}

/** Layers that are wanted by the same words of the step, of several traits as a rule. */
export function byPlace(wanted: readonly WantedLayer[]): Map<string, [WantedLayer, ...WantedLayer[]]> {
  return Map.groupBy(wanted, ({ path, layer }) => JSON.stringify([path, layer])) as Map<string, [WantedLayer, ...WantedLayer[]]>
}
