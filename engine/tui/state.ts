import { type RunView, stateOf } from '../report/run-view.ts'

/** What the person has chosen to see. */
export interface ScreenState {
  readonly mode: 'grid' | 'filter' | 'log' | 'help'
  readonly selected: string | null
  /** The selection follows the row that runs until the person moves it. */
  readonly follow: boolean
  readonly filter: string
  readonly failedOnly: boolean
  /** Lines scrolled up from the end of the log. */
  readonly scroll: number
}

export const firstScreen: ScreenState = { mode: 'grid', selected: null, follow: true, filter: '', failedOnly: false, scroll: 0 }

/** What a key does beside changing the screen. */
export type KeyEffect = 'detach' | 'stop' | null

export interface Key {
  readonly input: string
  readonly name: 'up' | 'down' | 'pageUp' | 'pageDown' | 'home' | 'end' | 'return' | 'escape' | 'backspace' | 'ctrl-c' | null
}

/** Rows that the filters let through, in the order of the workflow. */
export function visibleRows(view: RunView, state: Pick<ScreenState, 'filter' | 'failedOnly'>): string[] {
  return view.rows.filter((row) => {
    if (state.filter !== '' && !row.includes(state.filter)) return false
    return !state.failedOnly || view.stages.some((stage) => ['failed', 'blocked'].includes(stateAt(view, row, stage) ?? ''))
  })
}

export function stateAt(view: RunView, row: string, stage: string) {
  const cell = view.cell(row, stage)
  return cell ? stateOf(cell) : null
}

/** The row in which work goes on, or the first that still waits. */
export function liveRow(view: RunView, rows: readonly string[]): string | null {
  for (const activity of view.activities.values()) {
    const row = view.taskInfo(activity.task)?.row
    if (row && rows.includes(row)) return row
  }
  return rows.find((row) => view.stages.some((stage) => stateAt(view, row, stage) === 'waits')) ?? rows.at(-1) ?? null
}

/** The row that is marked: the chosen one, else the live one. */
export function selectedRow(view: RunView, state: ScreenState, rows: readonly string[]): string | null {
  if (!state.follow && state.selected !== null && rows.includes(state.selected)) return state.selected
  return liveRow(view, rows)
}

/** Turns a key into the next screen. Pure. */
export function press(key: Key, state: ScreenState, view: RunView, page: number): { state: ScreenState; effect: KeyEffect } {
  const to = (change: Partial<ScreenState>, effect: KeyEffect = null) => ({ state: { ...state, ...change }, effect })
  if (key.name === 'ctrl-c') return to({}, 'stop')
  if (state.mode === 'filter') {
    if (key.name === 'return') return to({ mode: 'grid' })
    if (key.name === 'escape') return to({ mode: 'grid', filter: '' })
    if (key.name === 'backspace') return to({ filter: state.filter.slice(0, -1) })
    return to({ filter: state.filter + key.input.replaceAll(/[^\x20-\x7e]/g, '') })
  }
  if (state.mode === 'help') return to({ mode: 'grid' })
  if (key.input === 'q') return to({}, 'detach')
  if (key.input === '?') return to({ mode: 'help' })
  const step = { up: -1, down: 1, pageUp: -page, pageDown: page, home: -Infinity, end: Infinity }[key.name as 'up'] as number | undefined
  if (state.mode === 'log') {
    if (key.name === 'escape' || key.name === 'return') return to({ mode: 'grid', scroll: 0 })
    return step === undefined ? to({}) : to({ scroll: Math.max(0, Math.min(100_000, state.scroll - step)) })
  }
  const rows = visibleRows(view, state)
  if (step !== undefined) {
    const at = Math.max(0, rows.indexOf(selectedRow(view, state, rows) ?? ''))
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))]
    return to(next === undefined ? {} : { selected: next, follow: false })
  }
  if (key.input === '/') return to({ mode: 'filter' })
  if (key.input === 'f') return to({ failedOnly: !state.failedOnly })
  if (key.name === 'return') return to({ mode: 'log', selected: selectedRow(view, state, rows), follow: false, scroll: 0 })
  if (key.name === 'escape') return to({ filter: '', failedOnly: false, follow: true })
  return to({})
}

/** The part of a list of `total` lines that a window of `height` shows, with `focus` inside it. */
export function windowAround(total: number, focus: number, height: number): { from: number; to: number } {
  const from = Math.max(0, Math.min(focus - Math.floor(height / 2), total - height))
  return { from, to: Math.min(total, from + height) }
}
