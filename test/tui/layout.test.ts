import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { reduce } from '../../engine/report/reduce.ts'
import { emptyView, type RunView } from '../../engine/report/view.ts'
import { columnsOf, heightsOf, scrolled } from '../../engine/tui/layout.ts'
import { quickstart } from '../report/events.ts'

test('header, grid, log and keys never need more lines than there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 8, max: 120 }), (rowCount, rows) => {
      const { gap, grid, panel, log } = heightsOf(rowCount, { columns: 80, rows })
      expect(3 + gap + 1 + grid + 1 + (panel > 0 ? gap : 0) + panel + 1).toBeLessThanOrEqual(rows)
      expect(3 + gap + 1 + log + 1).toBeLessThanOrEqual(rows)
      expect(grid).toBeGreaterThan(0)
    }),
  )
})

test('few rows leave their room to the log', () => {
  expect(heightsOf(10, { columns: 80, rows: 24 })).toEqual({ gap: 1, grid: 10, panel: 6, log: 18 })
  expect(heightsOf(59, { columns: 80, rows: 24 })).toEqual({ gap: 1, grid: 12, panel: 4, log: 18 })
  expect(heightsOf(59, { columns: 80, rows: 10 })).toEqual({ gap: 0, grid: 4, panel: 0, log: 5 })
})

const view = quickstart().slice(0, 1).reduce<RunView>(reduce, emptyView)

test('columns fit the terminal; steps without organisms have none', () => {
  fc.assert(
    fc.property(fc.integer({ min: 30, max: 300 }), (columns) => {
      const { name, stages, hidden } = columnsOf(view, columns)
      expect(2 + name + stages.reduce((sum, { width }) => sum + width + 1, 0)).toBeLessThan(columns)
      expect(stages.length + hidden).toBe(4)
    }),
  )
})

test('room to spare goes to cut headings first', () => {
  const widths = (columns: number) => columnsOf(view, columns).stages.map(({ width }) => width)
  expect(widths(80)).toEqual([11, 16, 11, 13])
  expect(widths(160)).toEqual([20, 20, 20, 22])
})

test('the window moves only as far as the marked row demands', () => {
  expect(scrolled(0, 3, 100, 10)).toBe(0)
  expect(scrolled(0, 8, 100, 10)).toBe(1)
  expect(scrolled(1, 7, 100, 10)).toBe(1)
  expect(scrolled(1, 2, 100, 10)).toBe(0)
  expect(scrolled(0, 99, 100, 10)).toBe(90)
  expect(scrolled(50, 0, 5, 10)).toBe(0)
})
