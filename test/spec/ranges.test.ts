import { expect, test } from 'vitest'
import { parseYaml } from '../../engine/spec/document.ts'
import { withoutRanges } from '../../engine/spec/ranges.ts'
import { kinds } from '../../steps/index.ts'

const workflow = `steps:
  vectors: { kind: extract, model: tiny, layers: 0-3 }
  answers: { kind: generate, model: tiny, capture: &capture { layers: [7, 20-22, 30] } }
  clean: { kind: replay, capture: *capture }
  scores: { kind: project, layers: { calm: 20-21, kind: [7, 30-30], rude: 9 } }
  words: { kind: command, run: 1-2, layers: [1-2] }
  unknown: { kind: other, layers: [1-2] }
`
const document = withoutRanges(parseYaml('flow.yaml', workflow), kinds)
const { steps } = document.data as { steps: Record<string, Record<string, unknown>> }

test('a range stands for all layers from its first to its last, wherever layers are written', () => {
  expect(steps.vectors?.layers).toEqual([0, 1, 2, 3])
  expect(steps.answers?.capture).toEqual({ layers: [7, 20, 21, 22, 30] })
  expect(steps.clean?.capture).toEqual({ layers: [7, 20, 21, 22, 30] })
  expect(steps.scores?.layers).toEqual({ calm: [20, 21], kind: [7, 30], rude: 9 })
})

test('what is no list of numbers is left as it is written', () => {
  expect(steps.words).toEqual({ kind: 'command', run: '1-2', layers: ['1-2'] })
  expect(steps.unknown).toEqual({ kind: 'other', layers: ['1-2'] })
})

test('a layer of a range is where the range is written', () => {
  const told = (...path: (string | number)[]) => {
    const { line, column, length, text } = document.rangeOf(['steps', ...path], 'value')
    return [line, text.slice(column - 1, column - 1 + length)]
  }
  expect(told('answers', 'capture', 'layers', 0)).toEqual([3, '7'])
  expect(told('answers', 'capture', 'layers', 3)).toEqual([3, '20-22'])
  expect(told('clean', 'capture', 'layers', 4)).toEqual([3, '30'])
  expect(told('vectors', 'layers', 2)).toEqual([2, '0-3'])
  expect(told('scores', 'layers', 'calm', 1)).toEqual([5, '20-21'])
  expect(told('scores', 'layers', 'kind', 1)).toEqual([5, '30-30'])
  expect(told('scores', 'layers', 'rude')).toEqual([5, '9'])
})

test('a range that runs backwards, or is none, is no number', () => {
  const written = parseYaml('flow.yaml', 'steps: { vectors: { kind: extract, layers: [3-2, 1-, -1, 1-2-3, 1 - 2] } }')
  expect(withoutRanges(written, kinds)).toBe(written)
})
