import { expect, test } from 'vitest'
import { parseBytes } from '../../engine/cli/common/values.ts'

test('sizes are read in decimal units', () => {
  expect(['50GB', '500 MB', '1.5T', '10kb', '12', '0'].map(parseBytes)).toEqual([50e9, 500e6, 1.5e12, 10e3, 12, 0])
})

test('what is no size is told with what one looks like', () => {
  for (const text of ['', 'much', '-1GB', '1 GB free', '5GiB'])
    expect(() => parseBytes(text)).toThrow(new SyntaxError(`"${text}" is no size: write it like 50GB, 500MB or 0`))
})
