import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { digestOfBytes } from '../../engine/core/digest.ts'
import type { RunFact } from '../../engine/core/events.ts'
import type { BytesFile, CellSpec, Reader, Task, TextFiles } from '../../engine/core/step-kind.ts'
import { engineExecutor } from '../../engine/run/executors/engine-executor.ts'
import type { Work } from '../../engine/run/executors/work.ts'

type Results = () => AsyncIterable<TextFiles | BytesFile>

/** Work of a made-up operation on cells of these names. */
function workOf(cells: readonly string[], results: Results): Work {
  const staging = mkdtempSync(path.join(tmpdir(), 'dag-staging-'))
  onTestFinished(() => rmSync(staging, { recursive: true }))
  const specs = cells.map((id) => ({
    spec: { id, group: id, own: {}, inputs: [] } satisfies CellSpec,
    key: id,
    output: null,
    lost: false,
    again: false,
  }))
  const task = { id: 'ranking/one', operation: { runs: { on: 'engine', run: results } } } as unknown as Task
  return { task, inputs: { of: () => [] }, batch: { task: task.id, index: 0, cells: specs }, staging }
}

const text = (name: string): TextFiles => ({ files: { 'a.md': name }, facts: { name } })

test('texts of cells are lines of one object, each with its digest, and bytes are objects of their own', async () => {
  const work = workOf(['x', 'y', 'z'], async function* () {
    yield text('first')
    yield { bytes: Buffer.from('second'), facts: {} }
    yield text('thïrd')
  })
  const { files, cells, failed } = await engineExecutor({} as Reader, () => {}).execute(work)
  const lines = ['{"files":{"a.md":"first"}}', '{"files":{"a.md":"thïrd"}}']
  const whole = Buffer.from(`${lines.join('\n')}\n`)
  const object = digestOfBytes(whole)
  expect(readFileSync(path.join(work.staging, 'files.jsonl'))).toEqual(whole)
  expect([files, failed]).toEqual([
    [
      { name: 'files.jsonl', digest: object, bytes: whole.length },
      { name: 'cell-1', digest: digestOfBytes('second'), bytes: 6 },
    ],
    [],
  ])
  expect(cells).toEqual([
    {
      id: 'x',
      digest: digestOfBytes(lines[0] as string),
      facts: { name: 'first' },
      slot: { object, format: 'json', offset: 0, length: 26 },
    },
    { id: 'y', digest: digestOfBytes('second'), facts: {}, slot: { object: digestOfBytes('second'), format: 'file' } },
    {
      id: 'z',
      digest: digestOfBytes(lines[1] as string),
      facts: { name: 'thïrd' },
      slot: { object, format: 'json', offset: 27, length: 27 },
    },
  ])
})

test('between two cells it is told how far the work is, and everything else has its turn', async () => {
  const happened: string[] = []
  const work = workOf(['x', 'y'], async function* () {
    happened.push('x is made')
    setImmediate(() => happened.push('something else'))
    yield text('x')
    happened.push('y is made')
    yield text('y')
  })
  const emit = (fact: RunFact) => happened.push(fact.type === 'task-progress' ? `${fact.task}: ${fact.done} of ${fact.total}` : fact.type)
  await engineExecutor({} as Reader, emit).execute(work)
  expect(happened).toEqual(['x is made', 'ranking/one: 1 of 2', 'something else', 'y is made', 'ranking/one: 2 of 2'])
})

test('an operation that makes too few cells is told of', async () => {
  const work = workOf(['x', 'y'], async function* () {
    yield text('x')
  })
  await expect(engineExecutor({} as Reader, () => {}).execute(work)).rejects.toThrow('ranking/one: 1 of 2 cells were made')
})

test('work that lasts ends when it is interrupted, and nothing of it is staged', async () => {
  const executor = engineExecutor({} as Reader, () => {})
  const work = workOf(['x'], () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }))
  const outcome = executor.execute(work)
  executor.kill()
  await expect(outcome).rejects.toThrow('interrupted')
  expect(readdirSync(work.staging)).toEqual([])
})
