import type { Axes } from '../core/step-kind.ts'

/** The names of a task's earlier cells, by the axes that they are told apart in. */
export interface FormerNames {
  /** Whether any of them has this value in this axis. */
  has(axis: string, value: string): boolean
  /** The first of those that agree with a cell in the most axes; undefined where there are none. */
  nearest(axes: Axes): string | undefined
}

/** Indexed, since thousands of new cells ask about thousands of earlier ones; each index when it is first asked for. */
export function formerNames(names: readonly string[], axesOf: (name: string) => Axes): FormerNames {
  let values: Map<string, Set<string>> | undefined
  let nearest: ((axes: Axes) => string | undefined) | undefined
  return {
    has: (axis, value) => (values ??= valuesByAxis(names.map(axesOf))).get(axis)?.has(value) ?? false,
    nearest: (axes) => (nearest ??= nearestOf(names, names.map(axesOf)))(axes),
  }
}

function valuesByAxis(parsed: readonly Axes[]): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>()
  for (const axes of parsed) {
    for (const [axis, value] of Object.entries(axes)) {
      const known = values.get(axis)
      if (known) known.add(value)
      else values.set(axis, new Set([value]))
    }
  }
  return values
}

function nearestOf(names: readonly string[], parsed: readonly Axes[]): (axes: Axes) => string | undefined {
  /** By the values of all axes, and of all but one: the first name that has them. */
  const alike = new Map<string, number>()
  for (const [order, axes] of parsed.entries()) {
    for (const id of [idOf(axes), ...Object.keys(axes).map((axis) => idOf(axes, axis))]) if (!alike.has(id)) alike.set(id, order)
  }
  return (axes) => {
    const same = alike.get(idOf(axes))
    if (same !== undefined) return names[same]
    const close = Object.keys(axes).flatMap((axis) => alike.get(idOf(axes, axis)) ?? [])
    if (close.length > 0) return names[Math.min(...close)]
    const agree = (other: Axes) => Object.entries(axes).filter(([axis, value]) => other[axis] === value).length
    return names[firstHighest(parsed.map(agree))]
  }
}

function idOf(axes: Axes, without?: string): string {
  return Object.entries(axes)
    .map(([axis, value]) => (axis === without ? '' : `${axis}=${value}`))
    .join('\n')
}

function firstHighest(scores: readonly number[]): number {
  return scores.reduce((best, score, index) => (score > (scores[best] as number) ? index : best), 0)
}
