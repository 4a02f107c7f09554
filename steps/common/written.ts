import type { Json } from '../../engine/core/json.ts'

/** JSON as people read it. */
export function pretty(value: Json): string {
  return `${JSON.stringify(value, null, 1)}\n`
}

/** Four decimals. */
export function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
