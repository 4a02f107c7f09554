import { expect, test } from 'vitest'
import { formatBytes, formatClock, formatCount, formatDuration, formatNumberOf, formatRate } from '../../engine/core/format.ts'

test('durations have two units at most', () => {
  const seconds = [0, 4.2, 9.94, 9.96, 59.4, 59.6, 185, 3599.4, 3599.6, 4320, 7190, 7199, 360_000]
  expect(seconds.map(formatDuration)).toEqual([
    '0.0 s',
    '4.2 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 m 00 s',
    '3 m 05 s',
    '59 m 59 s',
    '1 h 00 m',
    '1 h 12 m',
    '2 h 00 m',
    '2 h 00 m',
    '100 h 00 m',
  ])
})

test('bytes are decimal', () => {
  expect([0, 512, 999, 1000, 12_345_678, 99_940_000, 999_600_000, 908e9, 1.2e12].map(formatBytes)).toEqual([
    '0 B',
    '512 B',
    '999 B',
    '1.0 kB',
    '12.3 MB',
    '99.9 MB',
    '1.0 GB',
    '908 GB',
    '1.2 TB',
  ])
})

test('counts have thousands separators and agree with their noun', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567')
  expect(formatNumberOf(1, 'task')).toBe('1 task')
  expect(formatNumberOf(2100, 'task')).toBe('2,100 tasks')
  expect(formatNumberOf(7, 'adapter switch', 'adapter switches')).toBe('7 adapter switches')
})

test('rates below one a second are turned around', () => {
  expect([formatRate(212.4, 'tok'), formatRate(1.64, 'tok'), formatRate(4000, 'cell'), formatRate(0.25, 'cell')]).toEqual([
    '212 tok/s',
    '1.6 tok/s',
    '4,000 cells/s',
    '4.0 s/cell',
  ])
  expect(formatRate(0.005, 'cell')).toBe('3 m 20 s/cell')
})

test('the clock counts hours on', () => {
  expect([-5, 0, 62_900, 8_049_000, 360_000_000].map(formatClock)).toEqual(['00:00:00', '00:00:00', '00:01:02', '02:14:09', '100:00:00'])
})
