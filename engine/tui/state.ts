import { type RowView, rowOf, type RunView, type TaskView } from '../report/view.ts'
import { type Heights, scrolled } from './layout.ts'

/** What the person has chosen to see. */
export interface ScreenState {
  readonly mode: 'grid' | 'filter' | 'log' | 'help'
  /** Null: the row that runs, until the person moves. */
  readonly selected: string | null
  readonly filter: string
  readonly failedOnly: boolean
  /** First row of the window. */
  readonly top: number
  /** Task whose log is shown full width. */
  readonly task: string | null
  /** First line of that log in the window; null follows its end. */
  readonly scroll: number | null
  /** Where `?` was pressed. */
  readonly back: 'grid' | 'log'
}

export const firstScreen: ScreenState = {
  mode: 'grid',
  selected: null,
  filter: '',
  failedOnly: false,
  top: 0,
  task: null,
  scroll: null,
  back: 'grid',
}

/** What a key does beside changing the screen. */
export type KeyEffect = 'detach' | 'stop' | null

export interface Key {
  readonly input: string
  readonly name:
    | 'up'
    | 'down'
    | 'left'
    | 'right'
    | 'pageUp'
    | 'pageDown'
    | 'home'
    | 'end'
    | 'return'
    | 'escape'
    | 'backspace'
    | 'ctrl-c'
    | null
}

/** Rows that the filters let through, in the order of the workflow. */
export function visibleRows(view: RunView, { filter, failedOnly }: Pick<ScreenState, 'filter' | 'failedOnly'>): readonly RowView[] {
  if (filter === '' && !failedOnly) return view.rows
  const text = filter.toLowerCase()
  return view.rows.filter((row) => row.name.toLowerCase().includes(text) && (!failedOnly || row.states.failed > 0))
}

/** Index of the marked row: the chosen one, else the one that runs, else the first with something left to do. */
export function selectedIndex(view: RunView, { selected }: ScreenState, rows: readonly RowView[]): number {
  const chosen = selected === null ? -1 : rows.findIndex(({ name }) => name === selected)
  if (chosen >= 0) return chosen
  for (const { task } of view.activities) {
    const running = rows.indexOf(rowOf(view, task) as RowView)
    if (running >= 0) return running
  }
  const open = rows.findIndex(({ states }) => states.ready > 0)
  return open >= 0
    ? open
    : Math.max(
        0,
        rows.findIndex(({ states }) => states.waits > 0),
      )
}

/** Moves the window as far as the marked row demands. */
export function settleWindow(view: RunView, state: ScreenState, height: number): ScreenState {
  const rows = visibleRows(view, state)
  const top = scrolled(state.top, selectedIndex(view, state, rows), rows.length, height)
  return top === state.top ? state : { ...state, top }
}

/**
 * The task of a row that says most: the one that runs or one that failed, else the latest that has something to tell.
 * Who has moved to a row or asked for failures wants to see these first.
 */
export function tellingTask(row: RowView, { selected, failedOnly }: Pick<ScreenState, 'selected' | 'failedOnly'>): TaskView | null {
  const order = selected !== null || failedOnly ? (['failed', 'running'] as const) : (['running', 'failed'] as const)
  const [first, second] = order.map((wanted) => row.tasks.find(({ state }) => state === wanted))
  return first ?? second ?? row.tasks.findLast(({ log }) => log.length > 0) ?? row.tasks[0] ?? null
}

/** Turns a key into the next screen. `logLines`: how many lines the log that is shown full width has. */
export function press(
  key: Key,
  state: ScreenState,
  view: RunView,
  heights: Heights,
  logLines: number,
): { state: ScreenState; effect: KeyEffect } {
  const to = (change: Partial<ScreenState>, effect: KeyEffect = null) => ({ state: { ...state, ...change }, effect })
  if (key.name === 'ctrl-c') return to({}, 'stop')
  if (state.mode === 'help') return key.input === 'q' ? to({}, 'detach') : to({ mode: state.back })
  if (state.mode === 'filter') {
    if (key.name === 'return') return to({ mode: 'grid' })
    if (key.name === 'escape') return to({ mode: 'grid', filter: '' })
    if (key.name === 'backspace') return to({ filter: state.filter.slice(0, -1) })
    if (key.name === null) return to({ filter: state.filter + key.input.replaceAll(/[^\x20-\x7e]/g, '') })
  } else {
    if (key.input === 'q') return to({}, 'detach')
    if (key.input === '?') return to({ mode: 'help', back: state.mode })
  }
  return { state: state.mode === 'log' ? inLog(key, state, view, heights, logLines) : inGrid(key, state, view, heights), effect: null }
}

function inLog(key: Key, state: ScreenState, view: RunView, { log }: Heights, lines: number): ScreenState {
  if (key.name === 'escape' || key.name === 'return') return { ...state, mode: 'grid', task: null, scroll: null }
  const tasks = (state.task === null ? null : rowOf(view, state.task))?.tasks ?? []
  const at = tasks.findIndex(({ id }) => id === state.task)
  if (key.name === 'left' || key.name === 'right') {
    const other = tasks[at + (key.name === 'left' ? -1 : 1)]
    return other ? { ...state, task: other.id, scroll: null } : state
  }
  const step = stepOf(key, log)
  if (step === null) return state
  const last = Math.max(0, lines - log)
  const top = Math.max(0, (state.scroll ?? last) + step)
  return { ...state, scroll: top >= last ? null : top }
}

function inGrid(key: Key, state: ScreenState, view: RunView, { grid }: Heights): ScreenState {
  const rows = visibleRows(view, state)
  const at = selectedIndex(view, state, rows)
  const step = stepOf(key, grid)
  if (step !== null) return { ...state, selected: rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.name ?? state.selected }
  if (state.mode === 'filter') return state
  if (key.input === '/') return { ...state, mode: 'filter' }
  if (key.input === 'f') return { ...state, failedOnly: !state.failedOnly, selected: null }
  if (key.name === 'return') {
    const task = rows[at] && tellingTask(rows[at], state)
    return task ? { ...state, mode: 'log', task: task.id, scroll: null } : state
  }
  if (key.name !== 'escape') return state
  return state.filter !== '' || state.failedOnly ? { ...state, filter: '', failedOnly: false } : { ...state, selected: null }
}

function stepOf({ name }: Key, page: number): number | null {
  const steps: Partial<Record<Exclude<Key['name'], null>, number>> = {
    up: -1,
    down: 1,
    pageUp: -page,
    pageDown: page,
    home: -Number.MAX_SAFE_INTEGER,
    end: Number.MAX_SAFE_INTEGER,
  }
  return name === null ? null : (steps[name] ?? null)
}
