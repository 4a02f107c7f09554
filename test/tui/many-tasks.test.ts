import { afterAll, expect, test } from 'vitest'
import type { TaskInfo } from '../../engine/core/events.ts'
import { Script } from '../report/events.ts'
import { keys, openScreen } from './screen.ts'

const stages = ['generate', 'replay', 'project', 'score']
const tasks: TaskInfo[] = Array.from({ length: 5000 }, (_, index) => {
  const row = `organism_${String(Math.floor(index / stages.length)).padStart(4, '0')}`
  const stage = stages[index % stages.length] as string
  return { id: `${stage}/${row}`, row, stage, cells: 275, toRun: 275 }
})
const script = new Script().start(tasks)
const screen = openScreen(120, 40)
afterAll(() => screen.close())

test('5,000 tasks are drawn without mounting them all', async () => {
  const lines = await screen.show(script.events)
  expect(lines).toHaveLength(40)
  expect(lines.filter((line) => line.includes('organism_')).length).toBeLessThan(30)
  expect(lines.join('\n')).toContain('rows 1–24 of 1,250 · 1,250 wait')
  expect(screen.written.join('').length).toBeLessThan(20_000)
})

test('the window follows the work', async () => {
  const far = tasks.find(({ row, stage }) => row === 'organism_0700' && stage === 'generate') as TaskInfo
  const from = script.events.length
  script.settle(far).emit({ type: 'task-started', task: far.id, reason: 'not made yet' }).batch(far, 1, 6, 3, 200)
  const lines = await screen.show(script.events.slice(from))
  expect(lines.find((line) => line.startsWith('›'))).toMatch(/^› organism_0700 +running/)
  expect(lines.join('\n')).toContain('rows 680–703 of 1,250')
})

test('a frame after an event writes the lines that changed only', async () => {
  const before = screen.written.length
  const from = script.events.length
  script.emit({ type: 'task-progress', task: 'generate/organism_0700', done: 30, total: 54, tokens: 900 })
  await screen.show(script.events.slice(from))
  expect(screen.written.slice(before).join('').length).toBeLessThan(1500)
})

test('the end is one key away', async () => {
  const lines = await screen.press(keys.end)
  expect(lines.find((line) => line.startsWith('›'))).toMatch(/^› organism_1249/)
  expect(lines.join('\n')).toContain('rows 1,227–1,250 of 1,250')
})

test('many events at once make one frame', async () => {
  const before = screen.written.length
  for (let done = 0; done < 5000; done++) {
    screen.event({ at: script.now, type: 'task-progress', task: 'generate/organism_0700', done: done % 54, total: 54, tokens: done })
  }
  expect(screen.written.length).toBe(before)
})
