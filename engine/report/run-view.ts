import { type RunEvent, type RunFinished, type RunStarted, type TaskInfo, unreachable } from '../core/events.ts'
import { formatDuration } from './format.ts'

/** Where the tasks of one row and stage stand, all prompt sets together. */
export interface GridCell {
  tasks: number
  cells: number
  /** Cells that are there: reused or made. */
  done: number
  toRun: number
  ended: number
  running: number
  failed: number
  blocked: number
  ran: number
  unchanged: number
}

export type CellState = 'waits' | 'running' | 'done' | 'cached' | 'unchanged' | 'failed' | 'blocked'

/** What works right now. */
export interface Activity {
  readonly task: string
  batch: number
  batches: number
  /** Within the batch that runs. */
  done: number
  total: number
  tokens: number
  readonly since: number
  tokensPerSecond: number | null
}

export interface Failure {
  readonly task: string
  readonly message: string
  readonly log: string | null
}

const keptLogLines = 500

/** A run as its events tell it: what every way of showing it draws from. One event costs O(1). */
export class RunView {
  started: RunStarted | null = null
  startedAt = 0
  now = 0
  finished: RunFinished | null = null
  setup: string | null = null
  readonly rows: string[] = []
  readonly stages: string[] = []
  readonly activities = new Map<string, Activity>()
  readonly failures: Failure[] = []
  readonly logs = new Map<string, string[]>()
  base: string | null = null
  adapter: string | null = null
  stopping: 'drain' | 'now' | null = null
  modelLoads = 0
  adapterSwitches = 0
  /** Cells expected to run, and how many of them are behind us. */
  expected = 0
  behind = 0
  bytes = 0
  readonly #grid = new Map<string, GridCell>()
  readonly #tasks = new Map<string, TaskInfo>()

  cell(row: string, stage: string): GridCell | undefined {
    return this.#grid.get(`${row}\n${stage}`)
  }

  taskInfo(id: string): TaskInfo | undefined {
    return this.#tasks.get(id)
  }

  /** Tasks of a row, in the order of the workflow. */
  tasksOf(row: string): TaskInfo[] {
    return [...this.#tasks.values()].filter((task) => task.row === row)
  }

  apply(event: RunEvent): void {
    this.now = event.at
    switch (event.type) {
      case 'run-started':
        return this.#start(event, event.at)
      case 'setup':
        this.setup = event.text
        return
      case 'task-settled': {
        const cell = this.#of(event.task)
        const info = this.#tasks.get(event.task) as TaskInfo
        this.expected += event.toRun - info.toRun
        cell.cells += event.cells - info.cells
        cell.toRun += event.toRun - info.toRun
        cell.done += event.cells - event.toRun - (info.cells - info.toRun)
        if (event.unchangedAfterAll) cell.unchanged++
        this.#tasks.set(event.task, { ...info, cells: event.cells, toRun: event.toRun })
        return
      }
      case 'task-started':
        this.#of(event.task).running++
        this.activities.set(event.task, {
          task: event.task,
          batch: 0,
          batches: 0,
          done: 0,
          total: 0,
          tokens: 0,
          since: event.at,
          tokensPerSecond: null,
        })
        this.setup = null
        return
      case 'task-progress': {
        const activity = this.activities.get(event.task)
        if (activity) Object.assign(activity, { done: event.done, total: event.total, tokens: event.tokens })
        return
      }
      case 'batch-finished': {
        const cell = this.#of(event.task)
        cell.done += event.cells
        cell.ran += event.cells
        this.behind += event.cells
        this.bytes += event.bytes
        this.#log(event.task, `batch ${event.batch} of ${event.batches}: ${event.cells} cells in ${formatDuration(event.seconds)}`)
        const activity = this.activities.get(event.task)
        if (!activity) return
        const rate = event.tokens > 0 && event.seconds > 0 ? event.tokens / event.seconds : null
        Object.assign(activity, { batch: event.batch, batches: event.batches, done: 0, total: 0, tokens: 0, tokensPerSecond: rate })
        return
      }
      case 'task-finished':
      case 'task-failed': {
        const cell = this.#of(event.task)
        cell.ended++
        if (this.activities.delete(event.task)) cell.running--
        if (event.type === 'task-finished') return
        cell.failed++
        this.failures.push({ task: event.task, message: event.message, log: event.log })
        return
      }
      case 'task-blocked': {
        const cell = this.#of(event.task)
        cell.ended++
        cell.blocked++
        return
      }
      case 'cell-failed':
        return this.#log(event.task, `cell ${event.cell} failed: ${event.reason}`)
      case 'state-changed':
        this.setup = null
        if (event.change === 'base-loaded') {
          this.modelLoads++
          this.base = event.name
          this.adapter = null
        } else if (event.change === 'adapter-on') {
          this.adapterSwitches++
          this.adapter = event.name
        } else this.adapter = null
        return
      case 'object-lost':
        return this.#log('', `${event.detail}; ${event.cells} cells are made again`)
      case 'log':
        return this.#log(event.task ?? '', event.text)
      case 'stop-requested':
        this.stopping = event.how
        return
      case 'run-finished':
        this.finished = event
        this.activities.clear()
        return
      default:
        return unreachable(event)
    }
  }

  /** Seconds left by the rate so far; null until a tenth or a minute of the work is behind us. */
  secondsLeft(): number | null {
    const elapsed = (this.now - this.startedAt) / 1000
    if (this.expected === 0 || this.behind === 0 || (this.behind < this.expected / 10 && elapsed < 60)) return null
    return (elapsed / this.behind) * Math.max(0, this.expected - this.behind)
  }

  #start(event: RunStarted, at: number): void {
    this.started = event
    this.startedAt = at
    for (const task of event.tasks) {
      this.#tasks.set(task.id, task)
      if (!this.rows.includes(task.row)) this.rows.push(task.row)
      if (!this.stages.includes(task.stage)) this.stages.push(task.stage)
      const key = `${task.row}\n${task.stage}`
      const cell = this.#grid.get(key) ?? {
        tasks: 0,
        cells: 0,
        done: 0,
        toRun: 0,
        ended: 0,
        running: 0,
        failed: 0,
        blocked: 0,
        ran: 0,
        unchanged: 0,
      }
      cell.tasks++
      cell.cells += task.cells
      cell.toRun += task.toRun
      cell.done += task.cells - task.toRun
      this.#grid.set(key, cell)
      this.expected += task.toRun
    }
  }

  #of(task: string): GridCell {
    const info = this.#tasks.get(task)
    const cell = info && this.cell(info.row, info.stage)
    if (!cell) throw new Error(`event of a task that the run did not announce: ${task}`)
    return cell
  }

  #log(task: string, text: string): void {
    const lines = this.logs.get(task) ?? []
    lines.push(text)
    if (lines.length > keptLogLines) lines.shift()
    this.logs.set(task, lines)
  }
}

export function stateOf(cell: GridCell): CellState {
  if (cell.failed > 0) return 'failed'
  if (cell.blocked > 0) return 'blocked'
  if (cell.running > 0) return 'running'
  if (cell.ended < cell.tasks) return 'waits'
  if (cell.ran > 0) return 'done'
  return cell.unchanged > 0 ? 'unchanged' : 'cached'
}
