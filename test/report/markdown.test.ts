import { expect, test } from 'vitest'
import { printable } from '../../engine/report/markdown.ts'

const table = `# Two

| organism | nearest | mean |
| --- | --- | --- |
| alpha | **kind 0.25** | **1.20** |
| beta | rude 0.07 | -0.50 |
`

test('a table is drawn in columns, words to the left and figures to the right, and a star marks what is bold', () => {
  expect(printable(table, Infinity)).toEqual([
    'Two',
    '',
    '  organism  nearest      mean',
    '  alpha     kind 0.25*   1.20*',
    '  beta      rude 0.07   -0.50',
  ])
})

test('what Markdown writes otherwise stands in a table as it is meant', () => {
  expect(printable('| a |\n| --- |\n| x \\| y &lt;b> \\\\ \\` \\* \\n |', 80)).toEqual(['  a', '  x | y <b> \\ ` * \\n'])
})

test('a table that is wider than the terminal is drawn in parts, each with its first column, and a text is broken between words', () => {
  expect(printable(`${table}\nAnd so it goes on and on.\n`, 24)).toEqual([
    'Two',
    '',
    '  organism  nearest',
    '  alpha     kind 0.25*',
    '  beta      rude 0.07',
    '',
    '  organism   mean',
    '  alpha      1.20*',
    '  beta      -0.50',
    '',
    'And so it goes on and',
    'on.',
  ])
  expect(printable(table, 5).filter((line) => line.startsWith('  organism'))).toEqual(['  organism  nearest', '  organism   mean'])
  expect(printable('one two  three four', 9)).toEqual(['one two', 'three', 'four'])
})

test('of a long text those of its first sections are printed that are 80 lines together', () => {
  const section = (name: string, lines: number) => `## ${name}\n\n${'line\n'.repeat(lines)}\n`
  expect(printable(`# Title\n\n${section('one', 30)}${section('two', 30)}${section('three', 30)}`, 80)).toHaveLength(2 + 2 * 33 - 1)
  expect(printable(`# Title\n\n${section('one', 90)}`, 80)).toEqual(['Title'])
  expect(printable(null, 80)).toEqual([])
})
