/** Shows how far long work is: one line that is rewritten on a terminal, a line now and then elsewhere. */
export interface ProgressLine {
  show(text: () => string): void
  end(): void
}

const everyMs = { terminal: 100, elsewhere: 10_000 }

export function progressLine(stream: NodeJS.WriteStream, now: () => number): ProgressLine {
  const pause = stream.isTTY ? everyMs.terminal : everyMs.elsewhere
  let last = now()
  let shown = false
  return {
    show(text) {
      if (now() - last < pause) return
      last = now()
      shown = true
      stream.write(stream.isTTY ? `\r\u001b[K${text()}` : `${text()}\n`)
    },
    end() {
      if (shown && stream.isTTY) stream.write('\r\u001b[K')
    },
  }
}
