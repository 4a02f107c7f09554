import type { Task } from '../../engine/core/step-kind.ts'
import { extractionVariants, isClean, tasksById, variantOf } from './names.ts'
import { type Made, named, places, projectionName, scoredVariant, vectorName } from './places.ts'

/** Two steps that make one and the same file, or the same part of it, differently. */
export interface Clash {
  readonly path: string
  readonly steps: readonly [string, string]
}

/** The first clash of what a workflow makes, made or not; null where all of it has a place of its own, or is the same. */
export function clashIn({ sources, tasks }: Made): Clash | null {
  const taskOf = tasksById(tasks)
  const extraction = extractionVariants(tasks)
  /** The file that a cell is in, and what of it it is. */
  const placeOf = (task: Task, cell: string, group: string): { path: string; part: string } | null => {
    switch (task.operation.name) {
      case 'generate':
        return { path: places.response(variantOf(task, false), cell), part: '' }
      case 'elicit':
        return { path: places.elicited(task, sources, extraction(task)), part: cell }
      case 'capture':
        return { path: places.recording(variantOf(task, isClean(task, taskOf)), group), part: cell }
      case 'project':
      case 'score': {
        const variant = scoredVariant(task, taskOf)
        return { path: places.projection(variant, named(cell, projectionName), sources), part: cell }
      }
      case 'extract':
      case 'contrast':
      case 'adopt':
      case 'random':
      case 'shift': {
        const name = named(cell, vectorName)
        return { path: `${places.vectors(task, name, sources, extraction(task))}/${places.layerFile(name.layer)}`, part: '' }
      }
      default:
        return null
    }
  }
  const seen = new Map<string, { step: string; key: string | null }>()
  for (const { task, cells } of tasks) {
    for (const { spec, output } of cells) {
      const key = output?.key ?? null
      const place = placeOf(task, spec.id, spec.group)
      if (!place) break
      const id = `${place.path}\n${place.part}`
      const other = seen.get(id)
      if (!other) seen.set(id, { step: task.step, key })
      else if (key === null || other.key !== key) return { path: place.path, steps: [other.step, task.step] }
    }
  }
  return null
}
