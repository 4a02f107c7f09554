import type { Axes } from '../core/step-kind.ts'

/** The names of a task's earlier cells, by the axes that they are told apart in. */
export interface FormerNames {
  /** Whether any of them has this value in this axis. */
  has(axis: string, value: string): boolean
  /** Whether one of them says nothing else in any axis that it has. */
  agrees(axes: Axes): boolean
  /** The first of those that agree with a cell in the most axes; undefined where there are none. */
  nearest(axes: Axes): string | undefined
}

/** Indexed, since thousands of new cells ask about thousands of earlier ones; each index when it is first asked for. */
export function formerNames(names: readonly string[], axesOf: (name: string) => Axes): FormerNames {
  let values: Map<string, Set<string>> | undefined
  let agrees: ((axes: Axes) => boolean) | undefined
  let nearest: ((axes: Axes) => string | undefined) | undefined
  return {
    has: (axis, value) => (values ??= valuesByAxis(names.map(axesOf))).get(axis)?.has(value) ?? false,
    agrees: (axes) => (agrees ??= agreesWith(names.map(axesOf)))(axes),
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

/** Names of one task have the same axes but for a few: which those are is looked through, and what they say is looked up. */
function agreesWith(parsed: readonly Axes[]): (axes: Axes) => boolean {
  const byAxes = new Map<string, { readonly axes: readonly string[]; readonly said: Set<string> }>()
  for (const own of parsed) {
    const axes = Object.keys(own)
    const known = byAxes.get(axes.join('\n')) ?? { axes, said: new Set() }
    byAxes.set(axes.join('\n'), known)
    known.said.add(axes.map((axis) => own[axis]).join('\n'))
  }
  return (asked) => [...byAxes.values()].some(({ axes, said }) => said.has(axes.map((axis) => asked[axis]).join('\n')))
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
