import { expect, test } from 'vitest'
import { type ImportReport, importText } from '../../engine/report/import-text.ts'

const report = (findings: readonly Partial<ImportReport['findings'][number]>[]): ImportReport => ({
  experiment: 'theirs',
  found: { responses: 300, recordings: 500, vectors: 0 },
  taken: { answers: 9, organisms: ['a'], sets: ['one'], recordedOf: ['organism'], layers: [1, 2], hidden: 8, vectors: 0 },
  findings: findings.map((own) => ({ rule: 'lacks', path: '', wrong: 'it lacks much', leavesOut: null, accepted: false, ...own })),
  notes: [],
  workflow: null,
})
const rules = { lacks: { title: 'files that lack much', hint: 'make them anew' } }

/** What is said between the title of the rule and its hint. */
const said = (findings: readonly Partial<ImportReport['findings'][number]>[], details = false) =>
  importText(report(findings), rules, details).split('\n').slice(3, -4)

const lacking = (organism: string, prompts: number, ...sides: string[]) =>
  Array.from({ length: prompts }, (_, index) => ({
    path: `${organism}/${index + 1}.pt`,
    counted: sides.map((side) => `${organism}, ${side}`),
  }))

test('what an organism lacks by the hundred is a line a side and layer, with a count and the first file', () => {
  const findings = [...lacking('a', 100, 'of the clean model'), ...lacking('b', 2, 'without layer 1', 'without layer 2')]
  expect(said(findings)).toEqual([
    '  a, of the clean model: 100, the first a/1.pt',
    '  b, without layer 1: 2, the first b/1.pt',
    '  b, without layer 2: 2, the first b/1.pt',
    '  --details lists each file',
  ])
})

test('with --details each file is a line of its own', () => {
  expect(said(lacking('a', 7, 'of the clean model'), true)).toEqual(
    [1, 2, 3, 4, 5, 6, 7].map((prompt) => `  a/${prompt}.pt: it lacks much`),
  )
})

test('of other mistakes the first five files are named, and of organisms the first sixty', () => {
  expect(said(Array.from({ length: 7 }, (_, index) => ({ path: `${index}.json` }))).slice(4)).toEqual([
    '  4.json: it lacks much',
    '  … and 2 more; --details lists all',
  ])
  const many = Array.from({ length: 62 }, (_, index) => lacking(`o${index}`, 1, 'of the organism')).flat()
  expect(said(many).slice(59)).toEqual(['  o59, of the organism: 1, the first o59/1.pt', '  … and 2 more; --details lists all'])
})
