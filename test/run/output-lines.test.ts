import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { outputLines } from '../../engine/run/executors/output-lines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function reader() {
  const seen: string[] = []
  return { seen, lines: outputLines((line) => seen.push(line)) }
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join('')

test('lines and characters that are cut between two chunks are put together', () => {
  const { seen, lines } = reader()
  const bytes = Buffer.from('first\r\nsecond é\rthird')
  for (const byte of bytes) lines.take(Buffer.from([byte]))
  expect(seen).toEqual(['first', 'second é'])
  lines.end()
  expect(seen).toEqual(['first', 'second é', 'third'])
})

test('of a flood the beginning and the last 20 lines are passed on, and how much is left out', () => {
  const { seen, lines } = reader()
  lines.take(Buffer.from(numbered(0, 500)))
  lines.take(Buffer.from(numbered(500, 2000)))
  lines.take(Buffer.from(numbered(2000, 3000)))
  expect(seen).toHaveLength(500)
  vi.advanceTimersByTime(1000)
  const left = Buffer.byteLength(numbered(500, 2980))
  expect(seen.slice(500)).toEqual([`… ${left} bytes of output are left out here`, ...numbered(2980, 3000).trim().split('\n')])
  expect(lines.last()).toEqual(seen.slice(-20))
})

test('after a flood lines are passed on again', () => {
  const { seen, lines } = reader()
  lines.take(Buffer.from(numbered(0, 500)))
  lines.take(Buffer.from(`${numbered(500, 600)}half a `))
  vi.advanceTimersByTime(1000)
  lines.take(Buffer.from('line\nnext\n'))
  expect(seen.slice(-2)).toEqual(['half a line', 'next'])
})

test('a line without an end does not grow without end', () => {
  const { seen, lines } = reader()
  for (let sent = 0; sent < 100; sent++) lines.take(Buffer.alloc(1 << 16, 'x'))
  lines.end()
  expect(seen).toEqual([`${'x'.repeat(4000)} … (12384 more characters)`])
})
