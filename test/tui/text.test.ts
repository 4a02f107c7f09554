import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bar, cutMiddle, ends, firstThatFits, fit, widthOf, wrap } from '../../engine/tui/text.ts'

test('width is counted in columns, not in letters', () => {
  expect(['abc', 'é', 'e\u0301', '漢字', '😀', '👩‍👩‍👧', '한국', 'ｆｕ', '▓░…›'].map(widthOf)).toEqual([3, 1, 1, 4, 2, 2, 4, 4, 4])
})

test('a text is cut or filled up to a width', () => {
  expect(fit('abc', 5)).toBe('abc  ')
  expect(fit('abcdef', 5)).toBe('abcd…')
  expect(fit('漢字漢字', 6)).toBe('漢字… ')
})

test('long names keep both ends', () => {
  expect(cutMiddle('td_rt_kto_defend_objects', 15)).toBe('td_rt_k…objects')
  expect(cutMiddle('short', 15)).toBe('short')
})

test('the right end of a line gives way to the left one', () => {
  expect(ends(' left', ['long right', 'right'], 16)).toBe(' left long right')
  expect(ends(' left', ['long right', 'right'], 12)).toBe(' left  right')
  expect(ends(' left', ['long right', 'right'], 8)).toBe(' left   ')
})

test('lines are broken anywhere and lose nothing', () => {
  expect(wrap('abcdefg', 3)).toEqual(['abc', 'def', 'g'])
  expect(wrap('a漢字', 2)).toEqual(['a', '漢', '字'])
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 20 }), (text, width) => {
      const lines = wrap(text, width)
      expect(lines.join('')).toBe(text)
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
    }),
  )
})

test('the first text that fits is taken', () => {
  expect(firstThatFits(['running 1/2', 'runs 1/2', '1/2'], 8)).toBe('runs 1/2')
  expect(firstThatFits(['running', 'runs'], 3)).toBe('r…s')
})

test('a bar is full only when all is done', () => {
  expect([bar(0, 4), bar(0.5, 4), bar(0.99, 4), bar(1, 4), bar(7, 4)]).toEqual(['░░░░', '▓▓░░', '▓▓▓░', '▓▓▓▓', '▓▓▓▓'])
})
