import { render } from 'ink'
import type { Sink } from '../report/sinks.ts'
import { reduce } from '../report/reduce.ts'
import { emptyView, type RunView } from '../report/view.ts'
import { App, type Frame, shownTask } from './app.tsx'
import { columnsOf, heightsOf, type Size } from './layout.ts'
import { logLines } from './log-lines.ts'
import { firstScreen, type Key, press, type ScreenState, settleWindow } from './state.ts'

export interface TuiOptions {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  now(): number
  /** ctrl-c: the first lets what runs finish, the next ends it. */
  onStop(how: 'drain' | 'now'): void
  /** What shows the rest of the run after `q`, and what was seen until then. */
  detached(seen: RunView): Sink
}

export interface Tui extends Sink {
  /** Draws what has happened so far at once. */
  flush(): Promise<void>
}

const framesPerSecond = 10
const frameMilliseconds = 1000 / framesPerSecond

/** Shows a run on the alternate screen until it ends or is left with `q`. Events only make a new view; one timer draws. */
export function startTui(options: TuiOptions): Tui {
  const { stdout, stdin } = options
  let view = emptyView
  let screen: ScreenState = firstScreen
  let frame: Frame | null = null
  let timer: NodeJS.Timeout | null = null
  let stale = false
  let after: Sink | null = null
  let open = true
  let listener = () => {}

  const size = (): Size => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })
  const nextFrame = (): Frame => {
    const { columns, rows } = size()
    const sameSize = frame?.size.columns === columns && frame.size.rows === rows
    screen = settleWindow(view, screen, heightsOf(view.rows.length, { columns, rows }).grid)
    const shape = columnsOf(view, columns)
    const sameShape = frame && JSON.stringify(frame.shape) === JSON.stringify(shape)
    return {
      view,
      screen,
      size: frame && sameSize ? frame.size : { columns, rows },
      shape: frame && sameShape ? frame.shape : shape,
      now: options.now(),
    }
  }
  /** A mistake in drawing must not end the run: it goes on with plain lines. */
  const draw = (): void => {
    if (!open) return
    stale = false
    try {
      frame = nextFrame()
      listener()
    } catch {
      detach()
    }
  }
  /** Once a second for the clock, sooner when something happened. */
  const tick = (): void => {
    draw()
    if (!open) return
    timer = setTimeout(tick, 1000)
    timer.unref()
  }
  const soon = (): void => {
    if (stale) return
    stale = true
    if (timer) clearTimeout(timer)
    timer = setTimeout(tick, frameMilliseconds)
  }

  const onKey = (key: Key): void => {
    const heights = heightsOf(view.rows.length, size())
    const task = screen.mode === 'log' ? shownTask(view, screen) : null
    const lines = task ? logLines(view, task, size().columns - 3).length : 0
    const { state, effect } = press(key, screen, view, heights, lines)
    screen = state
    if (effect === 'stop') options.onStop(view.stopping === null ? 'drain' : 'now')
    if (effect === 'detach') detach()
    else draw()
  }
  const detach = (): void => {
    if (!open) return
    close()
    after = options.detached(view)
  }
  const close = (): void => {
    open = false
    if (timer) clearTimeout(timer)
    stdout.off('resize', draw)
    app.unmount()
  }

  frame = nextFrame()
  stdout.prependListener('resize', draw)
  const app = render(
    <App
      subscribe={(onChange) => {
        listener = onChange
        return () => {
          listener = () => {}
        }
      }}
      frame={() => frame as Frame}
      onKey={onKey}
    />,
    {
      stdout,
      stdin,
      exitOnCtrlC: false,
      patchConsole: false,
      interactive: true,
      maxFps: framesPerSecond,
      alternateScreen: true,
      incrementalRendering: true,
    },
  )
  const ended = app.waitUntilExit().catch(detach)
  tick()
  return {
    event(event) {
      if (after) return after.event(event)
      view = reduce(view, event)
      if (open) soon()
    },
    async flush() {
      draw()
      await app.waitUntilRenderFlush()
    },
    async close() {
      if (open) close()
      await ended
      await after?.close()
    },
  }
}
