import { expect, test, vi } from 'vitest'
import { digestOfJson } from '../../engine/core/digest.ts'
import type { CellSpec } from '../../engine/core/step-kind.ts'
import { cellMemory } from '../../engine/plan/cell-memory.ts'
import type { SettledCell } from '../../engine/plan/settle.ts'

const spec = (id: string): CellSpec => ({ id, group: id, own: { prompt: id }, inputs: [] })
const made = (task: string, id: string, more: object = {}): SettledCell => {
  const [key, digest] = [digestOfJson(`key of ${id}`), digestOfJson(`digest of ${id}`)]
  const slot = { object: digestOfJson(task), format: 'parquet', row: 0, rows: 7 } as const
  const output = { task, cell: id, key, digest, slot, facts: { tokens: 7 }, ...more }
  return { spec: spec(id), key, output, lost: false, again: false }
}
const waiting = (id: string): SettledCell => ({ spec: spec(id), key: null, output: null, lost: false, again: false })
const specsOf = (cells: readonly SettledCell[]) => vi.fn<() => CellSpec[]>(() => cells.map((cell) => spec(cell.spec.id)))

test('cells of a task that was used longer ago come back as they were, from what they are computed from and what is kept', () => {
  const memory = cellMemory(3)
  const cells = [made('first', 'a'), made('first', 'b', { evicted: true }), waiting('c')]
  const specs = specsOf(cells)
  const first = memory.keep('first', cells, specs)
  expect(first.cells).toBe(cells)
  memory.keep('second', [made('second', 'd')], specsOf([]))
  expect(first.cells).toStrictEqual(cells)
  expect(first.cell('b')).toStrictEqual(cells[1])
  expect(first.cell('x')).toBeUndefined()
  expect(specs).toHaveBeenCalledTimes(1)
})

test('what is to be made stays the object it is, for others hold it', () => {
  const memory = cellMemory(1)
  const lost: SettledCell = { ...waiting('b'), key: digestOfJson('key of b'), lost: true }
  const again: SettledCell = { ...made('first', 'c', { evicted: true }), again: true }
  const cells = [waiting('a'), lost, again, made('first', 'd')]
  const first = memory.keep('first', cells, specsOf(cells))
  memory.keep('second', [made('second', 'e')], specsOf([]))
  const back = first.cells
  expect(back).not.toBe(cells)
  expect(back.map((cell, index) => cell === cells[index])).toEqual([true, true, true, false])
})

test('a task of which all is to be made is kept as it is', () => {
  const memory = cellMemory(1)
  const cells = [waiting('a'), waiting('b')]
  const specs = specsOf(cells)
  const first = memory.keep('first', cells, specs)
  memory.keep('second', [made('second', 'c')], specsOf([]))
  expect([first.cells, first.cell('b'), first.cell('x')]).toEqual([cells, cells[1], undefined])
  expect(first.cells).toBe(cells)
  expect(specs).not.toHaveBeenCalled()
})

test('the tasks that were used last are kept as they are', () => {
  const memory = cellMemory(2)
  const keep = (task: string) => {
    const cells = [made(task, task)]
    const specs = specsOf(cells)
    return { specs, kept: memory.keep(task, cells, specs) }
  }
  const [a, b] = [keep('a'), keep('b')]
  void a.kept.cells
  const c = keep('c')
  for (const { kept } of [a, c, b]) void kept.cells
  expect([a, b, c].map(({ specs }) => specs.mock.calls.length)).toEqual([0, 1, 0])
})

test('a task with more cells than are kept at once is kept while it is in use', () => {
  const memory = cellMemory(1)
  const cells = [made('first', 'a'), made('first', 'b')]
  const specs = specsOf(cells)
  const first = memory.keep('first', cells, specs)
  expect([first.cells, first.cells, first.cell('b')]).toEqual([cells, cells, cells[1]])
  expect(specs).not.toHaveBeenCalled()
})
