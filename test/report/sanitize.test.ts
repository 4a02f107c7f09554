import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sanitize, sanitizeLine, sanitizeLines } from '../../engine/report/sanitize.ts'

test('escape sequences are written out', () => {
  expect(sanitize('a\u001b]0;title\u0007b\u001b[2Jc\u009b1m')).toBe('a\\u{1b}]0;title\\u{7}b\\u{1b}[2Jc\\u{9b}1m')
})

test('colours are dropped', () => {
  expect(sanitize('\u001b[1;31mred\u001b[0m')).toBe('red')
})

test('nothing turns the direction of text around or hides in it', () => {
  expect(sanitize('\u202egnp.exe\u2069 \ufeff \u2028 \u061c \u{e0041}')).toBe(
    '\\u{202e}gnp.exe\\u{2069} \\u{feff} \\u{2028} \\u{61c} \\u{e0041}',
  )
})

test('half a surrogate pair is written out, a whole one stays', () => {
  expect(sanitize('\ud83d 😀')).toBe('\\u{d83d} 😀')
})

test('lines, tabs and letters of all scripts stay', () => {
  expect(sanitize('ü 漢字 नमस्ते\n\tb')).toBe('ü 漢字 नमस्ते\n\tb')
  expect(sanitizeLines('a\r\nb\tc\r')).toEqual(['a', 'b  c'])
  expect(sanitizeLine('a\nb')).toBe('a ⏎ b')
})

test('a carriage return within a line cannot overwrite it', () => {
  expect(sanitizeLine('safe\rrm -rf')).toBe('safe\\u{d}rm -rf')
})

test('no text whatever leaves a control character on a line', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const text = String.fromCharCode(...units)
      expect(sanitizeLine(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Cs}]/u)
    }),
  )
})
