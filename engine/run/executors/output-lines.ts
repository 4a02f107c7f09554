import { StringDecoder } from 'node:string_decoder'

export interface OutputLines {
  take(chunk: Buffer): void
  /** The stream has ended: what is held back comes out. */
  end(): void
  /** The last lines that were passed on. */
  last(): readonly string[]
}

/** So many lines are passed on in a second, and of more than that the last ones. */
const linesASecond = 500
const keptLines = 20
const keptBytes = 16 * 1024
const longestLine = 4000
const lineEnd = /\r\n|\n|\r/

/**
 * Splits what a process prints into lines and passes on as many as a person can use: of a flood the middle is
 * counted and left out, so that neither memory nor logs grow with it.
 */
export function outputLines(onLine: (line: string) => void): OutputLines {
  const last: string[] = []
  const text = new StringDecoder('utf8')
  let rest = ''
  let allowance = 0
  let timer: NodeJS.Timeout | null = null
  let flood: { bytes: number; newest: Buffer } | null = null

  const pass = (line: string): void => {
    if (line.trim() === '') return
    const shown = line.length > longestLine ? `${line.slice(0, longestLine)} … (${line.length - longestLine} more characters)` : line
    last.push(shown)
    if (last.length > keptLines) last.shift()
    onLine(shown)
  }
  const split = (part: string): void => {
    const lines = (rest + part).split(lineEnd)
    rest = (lines.pop() as string).slice(-keptBytes)
    allowance -= lines.length
    for (const line of lines) pass(line)
  }
  const hold = (chunk: Buffer): void => {
    const head = flood?.newest ?? Buffer.from(rest + text.end())
    const newest = Buffer.concat([head, chunk]).subarray(-keptBytes)
    flood = { bytes: (flood?.bytes ?? head.length) + chunk.length, newest: Buffer.from(newest) }
    rest = ''
  }
  const endFlood = (): void => {
    if (!flood) return
    const { bytes, newest } = flood
    flood = null
    const lines = newest.toString('utf8').split(lineEnd)
    if (bytes > newest.length) lines.shift()
    const shown = lines.slice(-keptLines - 1)
    const left = bytes - Buffer.byteLength(shown.join('\n'))
    if (left > 0) onLine(`… ${left} bytes of output are left out here`)
    rest = shown.pop() ?? ''
    for (const line of shown) pass(line)
  }
  const endSecond = (): void => {
    timer = null
    endFlood()
  }
  return {
    take(chunk) {
      if (!timer) {
        allowance = linesASecond
        timer = setTimeout(endSecond, 1000)
        timer.unref()
      }
      if (flood || allowance <= 0) hold(chunk)
      else split(text.write(chunk))
    },
    end() {
      if (timer) clearTimeout(timer)
      endFlood()
      pass(rest + text.end())
      rest = ''
    },
    last: () => last,
  }
}
