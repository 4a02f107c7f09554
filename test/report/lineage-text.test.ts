import { expect, test } from 'vitest'
import { type LineageReport, type ShownNode, upText } from '../../engine/report/lineage-text.ts'

const ranking: ShownNode = {
  key: 'a'.repeat(64),
  digest: 'b'.repeat(64),
  task: 'ranking/discovery',
  cell: 'flattery@20:mean_diff',
  operation: 'rank',
  workflow: 'audit',
  run: '20260131-075930-01b2',
  created: 0,
  components: { operation: 'rank', version: 3, mode: 'diff' },
  facts: {},
  inputs: [],
  maker: null,
  files: ['across.json', 'by_organism/a.json', 'by_organism/b.json', 'by_organism/c.json', 'summary.md'],
}
const cells = { start: new Set([ranking.key]), groups: [{ operation: 'rank', keys: [ranking.key], tasks: 1 }], node: () => ranking }

test('of many files that show a cell three are named, what people read first; all of them where details are asked for', () => {
  const head = `rank
  ranking/discovery:flattery@20:mean_diff
      mode: "diff"
      key aaaaaaaaaaaaaaaa · result bbbbbbbbbbbbbbbb · step version 3 · run 20260131-075930-01b2 of audit
      shown as summary.md
      shown as across.json
      shown as by_organism/a.json
`
  const report = { makers: [] as LineageReport['makers'], counts: [] as LineageReport['counts'] } as LineageReport
  const end = '\ncomputed by\n'
  expect(upText(report, cells, false)).toBe(`${head}      and 2 more files\n${end}`)
  expect(upText(report, cells, true)).toBe(`${head}      shown as by_organism/b.json\n      shown as by_organism/c.json\n${end}`)
})

test('first stands how many cells there are, at the end what computed them, each kind counted; what nobody noted is told too', () => {
  const versions = { python: '3.11.9', torch: '2.13.0' }
  const makers: LineageReport['makers'] = [
    { maker: { versions: { node: '24.15.0' } }, cells: { rank: 1 } },
    {
      maker: { versions, device: 'cpu', processor: 'Big CPU', instructions: ['x86-64-v4', 'amx_bf16'], threads: 8, kernels: true },
      cells: { generate: 1234, capture: 2468 },
    },
    { maker: null, cells: { command: 1 } },
  ]
  const counts = [
    { operation: 'rank', cells: 3, tasks: 3 },
    { operation: 'generate', cells: 1234, tasks: 1 },
  ]
  const text = upText({ makers, counts } as unknown as LineageReport, { ...cells, groups: [] }, false)
  expect(text).toBe(`made of 3 rank of 3 tasks, 1,234 generate of 1 task

computed by
  node 24.15.0: 1 rank
  python 3.11.9, torch 2.13.0 on cpu (Big CPU, x86-64-v4 amx_bf16, 8 threads): 1,234 generate, 2,468 capture
  not noted: 1 command
`)
})
