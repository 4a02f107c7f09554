import { expect, test } from 'vitest'
import { printable } from '../../engine/report/markdown.ts'

const table = `# Two

| organism | nearest | mean |
| --- | --- | --- |
| alpha | **kind 0.25** | **1.20** |
| beta | rude 0.07 | -0.50 |
`

test('a table is drawn in columns, words to the left and figures to the right, and a star marks what is bold', () => {
  expect(printable(table)).toEqual([
    'Two',
    '',
    '  organism  nearest      mean',
    '  alpha     kind 0.25*   1.20*',
    '  beta      rude 0.07   -0.50',
  ])
})

test('of a long text those of its first sections are printed that are 80 lines together', () => {
  const section = (name: string, lines: number) => `## ${name}\n\n${'line\n'.repeat(lines)}\n`
  expect(printable(`# Title\n\n${section('one', 30)}${section('two', 30)}${section('three', 30)}`)).toHaveLength(2 + 2 * 33 - 1)
  expect(printable(`# Title\n\n${section('one', 90)}`)).toEqual(['Title'])
  expect(printable(null)).toEqual([])
})
