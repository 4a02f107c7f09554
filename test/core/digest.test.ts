import { expect, test } from 'vitest'
import { digestOfBytes, digestOfJson, loadBlake3 } from '../../engine/core/digest.ts'

// Published test vectors of BLAKE3: empty input, and the bytes 0, 1, 2, … modulo 251.
const empty = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'
const pattern = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251)

test('digests are those of BLAKE3', () => {
  expect(digestOfBytes('')).toBe(empty)
  expect(digestOfBytes(pattern(1))).toBe('2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213')
})

test('equal data has one digest whatever the order of its keys', () => {
  expect(digestOfJson({ b: [1, 'x'], a: null })).toBe(digestOfJson({ a: null, b: [1, 'x'] }))
  expect(digestOfJson({ a: 1 })).not.toBe(digestOfJson({ a: '1' }))
})

test('the WebAssembly build gives the same digests, for large inputs and for many hashers', async () => {
  const create = await loadBlake3('blake3-wasm')
  const digest = (data: Uint8Array) => {
    const hasher = create()
    hasher.update(data)
    return hasher.digest()
  }
  const large = pattern(12 << 20)
  expect(digest(large)).toBe(digestOfBytes(large))
  for (let count = 0; count < 7_000; count++) digest(pattern(3))
  expect(digest(pattern(3))).toBe(digestOfBytes(pattern(3)))
})

test('without either build the error says what to do', async () => {
  await expect(loadBlake3('blake3-nowhere')).rejects.toThrow('BLAKE3 cannot be loaded: install again with scripts allowed (npm ci)')
})
