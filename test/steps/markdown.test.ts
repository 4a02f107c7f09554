import { expect, test } from 'vitest'
import { cell, figure } from '../../steps/common/markdown.ts'

test('a figure that rounds to nothing has no sign', () => {
  expect([-0.004, -0.005, 0.004, -0.1, null].map((value) => figure(value))).toEqual(['0.00', '-0.01', '0.00', '-0.10', '–'])
  expect([-0.0004, -0.0006].map((value) => figure(value, 3))).toEqual(['0.000', '-0.001'])
})

test('text in a cell of a table is that text and nothing else, also where it is cut', () => {
  expect(cell('**Yes**, `a|b`\n<b> \\')).toBe('\\*\\*Yes\\*\\*, \\`a\\|b\\` &lt;b> \\\\')
  expect(cell('*'.repeat(200))).toBe('\\*'.repeat(120))
})
