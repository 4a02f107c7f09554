import { render } from 'ink'
import type { RunEvent } from '../core/events.ts'
import { RunView } from '../report/run-view.ts'
import type { Sink } from '../report/sinks.ts'
import { App } from './app.tsx'

export interface TuiOptions {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  now(): number
  /** ctrl-c: the first lets what runs finish, the next ends it. */
  onStop(): void
  /** What shows the rest of the run after `q`. */
  detached(): Sink
}

const framesPerSecond = 10

/** Shows a run on the alternate screen until it ends or is left with `q`. */
export function startTui(options: TuiOptions): Sink {
  const view = new RunView()
  let listener = () => {}
  let after: Sink | null = null
  const app = render(
    <App
      view={view}
      subscribe={(onChange) => {
        listener = onChange
      }}
      size={() => ({ columns: options.stdout.columns ?? 80, rows: options.stdout.rows ?? 24 })}
      now={options.now}
      onStop={options.onStop}
      onDetach={detach}
    />,
    {
      stdout: options.stdout,
      stdin: options.stdin,
      exitOnCtrlC: false,
      patchConsole: false,
      maxFps: framesPerSecond,
      alternateScreen: true,
      incrementalRendering: true,
    },
  )
  function detach(): void {
    if (after) return
    after = options.detached()
    app.unmount()
  }
  return {
    event(event: RunEvent) {
      view.apply(event)
      if (after) after.event(event)
      else listener()
    },
    async close() {
      app.unmount()
      await app.waitUntilExit()
    },
  }
}
