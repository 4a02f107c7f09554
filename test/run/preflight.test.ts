import { expect, test } from 'vitest'
import type { ModelSource } from '../../engine/core/sources.ts'
import { namedProfile } from '../../engine/plan/profile.ts'
import { diskProblems, memoryFor, memoryHere, memoryProblems } from '../../engine/run/preflight.ts'

const model = (device: string, dtype: string, quantization: string | null): ModelSource => ({
  name: `${device} ${quantization ?? dtype}`,
  origin: 'hf:meta-llama/Llama-3.3-70B-Instruct',
  path: null,
  devices: [device],
  dtype,
  quantization,
  told: { plain: false, date: null, variables: {} },
  identity: {},
  facts: {
    layers: 80,
    hidden: 8192,
    parameters: 70.6e9,
    activeParameters: 70.6e9,
    expertParameters: 0,
    contextLength: 131_072,
    keyValues: 2048,
  },
})

test('a model on the CPU whose weights alone are more than the memory is refused before anything is loaded', () => {
  const models = [model('cpu', 'bfloat16', null), model('cpu', 'bfloat16', 'nf4'), model('cuda', 'bfloat16', null)]
  expect(memoryProblems(models, 64e9)).toEqual([
    {
      severity: 'error',
      rule: 'memory',
      message: 'model "cpu bfloat16" does not fit: its weights take 141 GB in bfloat16, and the machine has 64.0 GB of memory',
      hint: 'run it on a larger machine, or name a smaller model',
    },
  ])
  expect(memoryProblems(models, 142e9)).toEqual([])
})

test('a disk without room for the bytes or for the files of a run is refused, both at once', () => {
  const space = { bytes: 10e9, inodes: 1500 }
  expect(diskProblems('/store', { bytes: 9.5e9, files: 20_000 }, 1e9, space)).toEqual([
    {
      severity: 'error',
      rule: 'disk-full',
      message: 'the disk of /store is too small: 10.0 GB are free, 10.5 GB are needed (9.5 GB of results and 1.0 GB in reserve)',
      hint: 'free some room, capture fewer layers, or put the store on another disk with --store; --keep-free sets the reserve',
    },
    {
      severity: 'error',
      rule: 'disk-full',
      message: 'the disk of /store has room for 1500 more files, and 20000 are needed',
      hint: 'remove files, put the store on another disk with --store, or make batches larger: each is a few files',
    },
  ])
  expect(diskProblems('/store', { bytes: 9e9, files: 1500 }, 1e9, space)).toEqual([])
  expect(diskProblems('/store', { bytes: 0, files: 9e9 }, 1e9, { bytes: 0, inodes: null })).toEqual([])
})

test('a model is held to the memory of the profile that is asked for, else to that of its device', () => {
  const h100 = namedProfile('h100-80gb')
  const [cpu, cuda] = [model('cpu', 'bfloat16', null), model('cuda', 'bfloat16', null)]
  expect(h100.ok && [memoryFor(h100.value)(cpu), memoryFor(h100.value)(cuda)]).toEqual([80e9, 80e9])
  expect([memoryFor(null)(cpu), memoryFor(null)(cuda)]).toEqual([memoryHere(), 80e9])
  expect(memoryFor(null)(model('cuda:0+cuda:1+cuda:2', 'bfloat16', null))).toBe(240e9)
})
