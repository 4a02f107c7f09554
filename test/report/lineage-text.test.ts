import { expect, test } from 'vitest'
import { type ShownNode, upText } from '../../engine/report/lineage-text.ts'

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
  expect(upText(cells, false)).toBe(`${head}      and 2 more files\n`)
  expect(upText(cells, true)).toBe(`${head}      shown as by_organism/b.json\n      shown as by_organism/c.json\n`)
})
