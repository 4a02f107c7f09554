import type { RunFinished } from '../../core/events.ts'

/** What the shell is told; see docs/design.md. */
export const exitCodes = { done: 0, failed: 1, usage: 2, internal: 3, stopped: 75, interrupted: 130 } as const

export function exitCode(outcome: RunFinished['outcome']): number {
  return exitCodes[outcome]
}
