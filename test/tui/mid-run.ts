import { onTestFinished } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { about, quickstart, type ScriptOptions, until } from '../report/events.ts'
import { openScreen } from './screen.ts'

/** A task that fails in the middle of the quickstart. */
export const failing = { task: 'answers/emotional_bond/probing', message: 'out of memory', log: null }

/** The events of the quickstart up to where the third organism answers. */
export function midRun(options: ScriptOptions = {}): RunEvent[] {
  return until(quickstart(options), about('task-progress', 'answers/self_promotion/discovery', 3))
}

/** The TUI on a terminal of that size; closed after the test. */
export function screenOf(columns: number, rows: number) {
  const screen = openScreen(columns, rows)
  onTestFinished(() => screen.close())
  return screen
}
