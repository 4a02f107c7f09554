import { expect, test } from 'vitest'
import { changesOf, type Maker, makerText } from '../../engine/core/maker.ts'

const then: Maker = {
  versions: { python: '3.11.9', torch: '2.12.0', numpy: '2.3.0' },
  device: 'cpu',
  processor: 'Big CPU',
  instructions: ['x86-64-v4', 'amx_bf16'],
  threads: 8,
  kernels: true,
}

test('a maker is told by its versions and, where a model was on a device, by that', () => {
  expect(makerText({ versions: { node: '24.15.0' } })).toBe('node 24.15.0')
  expect(makerText({ versions: { torch: '2.13.0' }, device: 'cuda:1', processor: 'Big GPU' })).toBe('torch 2.13.0 on cuda:1 (Big GPU)')
  expect(makerText({ versions: { torch: '2.13.0' }, device: 'mps' })).toBe('torch 2.13.0 on mps')
  expect(makerText({ ...then, threads: 1, kernels: false })).toBe(
    'python 3.11.9, torch 2.12.0, numpy 2.3.0 on cpu (Big CPU, x86-64-v4 amx_bf16, 1 thread, without kernels of its own)',
  )
})

test('the changes between two makers name what has another value, what has come and what has gone', () => {
  expect(changesOf(then, then)).toEqual([])
  const { numpy: _numpy, ...versions } = then.versions
  const now = { ...then, versions: { ...versions, torch: '2.13.0', peft: '0.18.1' }, instructions: ['x86-64-v3'], threads: 2 }
  expect(changesOf(then, now)).toEqual([
    'torch 2.12.0, now 2.13.0',
    'numpy 2.3.0, now none',
    'instructions x86-64-v4 amx_bf16, now x86-64-v3',
    'threads 8, now 2',
    'peft none, now 0.18.1',
  ])
})
