import { expect, test } from 'vitest'
import { findGarbage, type Survey, type UnitFacts } from '../../engine/store/gc/garbage.ts'
import type { KeptRecord } from '../../engine/store/runs/run-record.ts'

/** Old units of run r1, each with an object of its own. */
function unit(id: number, more: Partial<UnitFacts> = {}): UnitFacts {
  return { id, run: 'r1', workflow: 'audit', operation: 'generate', age: 1000, cells: 1, objects: [`o${id}`], inputs: [], ...more }
}

function record(run: string, at: number, objects: readonly string[], more: Partial<KeptRecord> = {}): KeptRecord {
  return { run, workflow: 'audit', file: 'audit.yaml', at, finished: true, objects, pinned: false, ...more }
}

function decide(survey: Partial<Survey>): { kept: Record<string, number[]>; garbage: number[] } {
  const { kept, garbage } = findGarbage({ units: [], records: [], shown: [], grace: 100, ...survey })
  return {
    kept: Object.fromEntries(kept.map(({ kind, run, name, units }) => [`${kind} ${run ?? name}`, [...units].sort((a, b) => a - b)])),
    garbage: garbage.map(({ id }) => id),
  }
}

test('what the last finished run of a workflow stands on stays, whichever run made it', () => {
  const units = [unit(1), unit(2), unit(3, { run: 'r2' })]
  const records = [record('r1', 1, ['o1', 'o2']), record('r2', 2, ['o1', 'o3'])]
  expect(decide({ units, records })).toEqual({ kept: { 'last-run r2': [1, 3] }, garbage: [2] })
})

test('unfinished runs since then keep what they had and what they made', () => {
  const units = [unit(1), unit(2), unit(3, { run: 'r2' }), unit(4, { run: 'r3' }), unit(5, { run: 'r9' })]
  const records = [
    record('r9', 0, [], { finished: false }),
    record('r1', 1, ['o1']),
    record('r2', 2, ['o2'], { finished: false }),
    record('r3', 3, [], { finished: false }),
  ]
  expect(decide({ units, records })).toEqual({
    kept: { 'last-run r1': [1], 'unfinished-run r2': [2, 3], 'unfinished-run r3': [4] },
    garbage: [5],
  })
})

test('each workflow file has a last run of its own, though their names are the same', () => {
  const units = [unit(1), unit(2)]
  const records = [record('r1', 1, ['o1'], { file: 'other.yaml' }), record('r2', 2, ['o2'])]
  expect(decide({ units, records }).garbage).toEqual([])
})

test('a root keeps all that it was computed from', () => {
  const units = [unit(1), unit(2, { inputs: [1] }), unit(3, { inputs: [2] }), unit(4, { inputs: [3] })]
  expect(decide({ units, records: [record('r1', 1, ['o3'])] })).toEqual({ kept: { 'last-run r1': [1, 2, 3] }, garbage: [4] })
  expect(decide({ units, records: [record('r1', 1, [])], shown: [{ folder: 'experiments/audit', units: [2] }] })).toEqual({
    kept: { 'view experiments/audit': [1, 2] },
    garbage: [3, 4],
  })
})

test('a pinned run stays after later ones', () => {
  const units = [unit(1), unit(2)]
  const records = [record('r1', 1, ['o1'], { pinned: true }), record('r2', 2, ['o2'])]
  expect(decide({ units, records }).kept).toEqual({ 'pinned-run r1': [1], 'last-run r2': [2] })
})

test('nothing younger than the grace time goes, nor what it was computed from', () => {
  const units = [unit(1), unit(2), unit(3, { age: 99, inputs: [2] }), unit(4, { age: 100 })]
  expect(decide({ units, records: [record('r1', 1, [])] })).toEqual({ kept: { 'grace ': [2, 3] }, garbage: [1, 4] })
})

test('runs without a record keep what they made until their workflow has finished one with a record', () => {
  const units = [unit(1), unit(2, { run: 'r2', workflow: 'other' })]
  expect(decide({ units })).toEqual({ kept: { 'unrecorded-run r1': [1], 'unrecorded-run r2': [2] }, garbage: [] })
  expect(decide({ units, records: [record('r3', 3, [], { finished: false })] }).garbage).toEqual([])
  expect(decide({ units, records: [record('r3', 3, [])] })).toEqual({ kept: { 'unrecorded-run r2': [2] }, garbage: [1] })
})

test('a batch whose cells have all moved to a later one goes, though both hold the same object', () => {
  const units = [unit(1, { cells: 0, objects: ['o'] }), unit(2, { objects: ['o'] })]
  expect(decide({ units, records: [record('r1', 1, ['o'])] })).toEqual({ kept: { 'last-run r1': [2] }, garbage: [1] })
})
