import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fewestTokens, mostTokens } from '../../engine/sources/chat/token-bounds.ts'

test('a text in no normal form has more bytes than tokens are reckoned with', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(text, (written) => {
      for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'])
        expect(Buffer.byteLength(written.normalize(form))).toBeLessThan(mostTokens(written))
    }),
  )
})

test('what characters are composed to is not longer than what they are decomposed to', () => {
  const longer: string[] = []
  for (let point = 0; point <= 0x10_ff_ff; point++) {
    const character = point >= 0xd800 && point <= 0xdfff ? '' : String.fromCodePoint(point)
    if (Buffer.byteLength(character.normalize('NFC')) > Buffer.byteLength(character.normalize('NFD'))) longer.push(character)
  }
  expect(longer).toEqual([])
  expect(['', 'rain', '雨', 'ﷺ', 'ẛ'].map(mostTokens)).toEqual([1, 5, 4, 34, 5])
})

test('the least that a text has counts a run of one character once, however long it is', () => {
  expect(['', 'a', 'abcdefgh', 'abcdefghi', 'aabbccddeeffgghh', '-'.repeat(9_000_000)].map(fewestTokens)).toEqual([0, 1, 1, 2, 1, 1])
})
