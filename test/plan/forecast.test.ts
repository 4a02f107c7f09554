import { expect, test } from 'vitest'
import type { Task } from '../../engine/core/step-kind.ts'
import type { TaskGraph } from '../../engine/graph/expand.ts'
import { criticalPath } from '../../engine/plan/critical-path.ts'
import { diskOverTime } from '../../engine/plan/disk.ts'
import { forecast } from '../../engine/plan/forecast.ts'
import { type ModelMemory, misfit, tokenBytes, weightBytes } from '../../engine/plan/memory.ts'
import { plan } from '../../engine/plan/plan.ts'
import { storagePolicies } from '../../engine/plan/policies.ts'
import type { Measured, Profile } from '../../engine/plan/profile.ts'
import type { PlayedBatch } from '../../engine/plan/virtual-run.ts'
import { kinds } from '../../steps/index.ts'
import { fixtureGraphs } from '../fingerprint/fixture.ts'

const batch = (stage: string, from: number, until: number, after: PlayedBatch | null, bytes = 0): PlayedBatch => ({
  task: { stage, operation: { counts: { noun: stage, by: 'cell' } } } as unknown as Task,
  cells: 0,
  cost: { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes, groups: 1, longest: 0, madeOf: 0 },
  from,
  until,
  after,
  transition: null,
  worker: 0,
})

const emptyGraph: TaskGraph = { tasks: [], byId: new Map(), children: new Map() }

test('the critical path is what the end waits for: work beside it takes no time, and its parts add up to the whole', () => {
  const answers = batch('answers', 0, 10, null)
  const beside = batch('tables', 0, 9, null)
  const clean = batch('clean', 10, 14, answers)
  const again = batch('answers', 14, 20, clean)
  const ranking = batch('ranking', 20, 21, again)
  const late = batch('tables', 20, 20.5, again)
  expect(criticalPath([answers, beside, clean, again, ranking, late])).toEqual([
    { stage: 'answers', seconds: 16 },
    { stage: 'clean', seconds: 4 },
    { stage: 'ranking', seconds: 1 },
  ])
  expect(criticalPath([])).toEqual([])
})

test('what is on the disk is what ended so far, by class, at every twentieth of the time', () => {
  const first = batch('answers', 0, 10, null, 5)
  const second = batch('recordings', 10, 20, first, 100)
  const { series, peak } = diskOverTime([first, second], emptyGraph)
  expect(series.length).toBe(20)
  expect(series.map(({ bytes }) => bytes)).toEqual([...Array.from({ length: 9 }, () => 0), ...Array.from({ length: 10 }, () => 5), 105])
  expect(series[9]).toEqual({ seconds: 10, bytes: 5, ofClass: { answers: 5, recordings: 0, index: 0 } })
  expect(peak).toEqual({ seconds: 20, bytes: 105, ofClass: { answers: 5, recordings: 100, index: 0 } })
})

test('what is noted of cells is on the disk with them, and of each of many that a cell is made of; at the end, results are there twice', () => {
  const answers = { ...batch('answers', 0, 10, null, 5), cells: 2 }
  const table = batch('tables', 10, 12, answers, 40)
  const results = { ...table, cells: 1, cost: { ...table.cost, madeOf: 100 } }
  const operation = { ...table.task.operation, folder: () => 'tables' }
  const last = batch('scores', 12, 20, null, 1)
  const { series, peak } = diskOverTime([answers, { ...results, task: { ...table.task, operation } }, last], emptyGraph)
  expect(series[12]).toEqual({ seconds: 13, bytes: 45 + 17_100, ofClass: { answers: 5, results: 40, scores: 0, index: 17_100 } })
  expect(peak).toEqual({ seconds: 20, bytes: 86 + 17_100, ofClass: { answers: 5, results: 80, scores: 1, index: 17_100 } })
})

test('what a transient task wrote is on the disk until the last of its readers has ended', () => {
  const [recordings, one, other] = [batch('recordings', 0, 4, null, 100), batch('one', 4, 6, null, 1), batch('other', 4, 10, null, 1)]
  const id = ({ task }: PlayedBatch, name: string, transient?: true): PlayedBatch['task'] => ({
    ...task,
    id: name,
    ...(transient && { transient }),
  })
  const played = [
    { ...recordings, task: id(recordings, 'r', true) },
    { ...one, task: id(one, 'a') },
    { ...other, task: id(other, 'b') },
  ]
  const { series, peak } = diskOverTime(played, { ...emptyGraph, children: new Map([['r', ['a', 'b']]]) })
  expect([peak.bytes, peak.seconds]).toEqual([102, 10])
  expect(series.at(-2)?.bytes).toBe(101)
  expect(series.at(-1)).toEqual({ seconds: 10, bytes: 2, ofClass: { recordings: 0, one: 1, other: 1, index: 0 } })
})

const llama = {
  name: 'llama',
  origin: 'hf:meta-llama/Llama-3.3-70B-Instruct',
  path: null,
  devices: ['cuda'],
  dtype: 'bfloat16',
  quantization: 'nf4',
  told: { plain: false, date: null, variables: {} },
  identity: {},
  facts: {
    layers: 80,
    hidden: 8192,
    parameters: 70.6e9,
    activeParameters: 70.6e9,
    expertParameters: 0,
    contextLength: 131_072,
    keyValues: 2 * 8 * 128,
  },
}

test('a token of Llama-3.3-70B keeps 0.328 MB of keys and values; weights that do not fit are told from tokens that do not', () => {
  expect(tokenBytes(llama)).toBe(327_680)
  const asks = (tokens: number): ModelMemory => ({ model: llama, weights: weightBytes(llama), together: 1, longest: 1, tokens })
  expect([misfit(asks(19e9), 80e9), misfit(asks(20e9), 80e9), misfit(asks(0), 40e9)]).toEqual([null, 'tokens', 'weights'])
})

test('quantization leaves the experts of a mixture in the dtype of the model', () => {
  const mixture = { ...llama, facts: { ...llama.facts, parameters: 30e9, expertParameters: 29e9 } }
  expect(weightBytes(mixture)).toBe(1e9 * 0.57 + 29e9 * 2)
  expect(weightBytes({ ...mixture, quantization: null })).toBe(60e9)
})

const machine: Profile = {
  name: 'profile test',
  decodeFlops: 6e6,
  prefillFlops: 6e9,
  loadSeconds: 100,
  switchSeconds: 10,
  startSeconds: 1000,
  cellsPerSecond: 1,
  writeBytes: 1e3,
  readBytes: 1e3,
  memoryBytes: 1e9,
}
const nothing: Measured = { rate: () => null, calibrated: () => ({}) }
const [graph] = fixtureGraphs() as [ReturnType<typeof fixtureGraphs>[number]]
const cold = plan(graph, { look: () => null, ahead: () => {}, done: () => null })

test('a forecast plays loads, switches, work and disk: the path and the classes add up to the time and the bytes', () => {
  const { seconds, bytes, criticalPath: path, disk, modelLoads, adapterSwitches, memory, bytesOf } = forecast(cold, nothing, machine)
  expect([modelLoads, adapterSwitches]).toEqual([1, 2])
  expect(path.reduce((sum, part) => sum + part.seconds, 0)).toBeCloseTo(seconds, 6)
  const { ofClass } = disk.peak
  expect(disk.series.at(-1)).toEqual({ seconds, bytes: disk.peak.bytes, ofClass })
  expect(Object.values(ofClass).reduce((sum, part) => sum + part, 0)).toBeCloseTo(disk.peak.bytes, 3)
  expect(disk.peak.bytes).toBeCloseTo(bytes + (ofClass.results as number) / 2 + (ofClass.index as number), 3)
  expect(bytesOf.get('recordings')).toBe(2 * 2 * 4 * 2 * 6 * 64 * 2)
  // Two answers at once, of a prompt that is taken for 17 tokens and 6 more; 4 layers keep 64 numbers of 2 bytes each.
  expect(memory.map(({ together, longest, tokens }) => [together, longest, tokens])).toEqual([[2, 23, 2 * 23 * 4 * 64 * 2]])
})

test('what runs measured goes before a calibration, and that before the profile of the device', () => {
  const calibrated: Measured = { rate: () => null, calibrated: () => ({ decodeFlops: 1, prefillFlops: 1 }) }
  const ran: Measured = { ...calibrated, rate: () => 0 }
  const basis = (measured: Measured) => forecast(cold, measured).basis
  expect(basis(nothing)).toBe('profile cpu-2core')
  expect(basis(calibrated)).toBe("this machine's calibration")
  expect(basis(ran)).toBe("this machine's own runs")
})

test('every way to keep recordings is a policy: all steps that record are written so', () => {
  const steps = [
    { name: 'answers', kind: 'generate', params: { model: 'm', max_new_tokens: 3, capture: { layers: [1] } } },
    { name: 'clean', kind: 'replay', params: { of: 'answers', through: 'm', capture: { layers: [1], raw: 'never' } } },
    { name: 'plain', kind: 'generate', params: { model: 'm', max_new_tokens: 3 } },
  ]
  const policies = storagePolicies(steps, kinds)
  expect(policies.map(({ name, asWritten }) => [name, asWritten])).toEqual([
    ['keep', false],
    ['keep-int8', false],
    ['evict-after-projection', false],
    ['never', false],
  ])
  expect(policies[1]?.steps.map(({ params }) => params.capture)).toEqual([
    { layers: [1], raw: 'keep-int8' },
    { layers: [1], raw: 'keep-int8' },
    undefined,
  ])
  expect(storagePolicies(steps.slice(0, 1), kinds).find(({ asWritten }) => asWritten)?.name).toBe('keep')
  expect(storagePolicies(steps.slice(2), kinds)).toEqual([])
})
