import { parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { parquetBytes } from '../../steps/export/parquet.ts'
import { responseTable, tokenTable } from '../../steps/export/tables.ts'

const vector = { trait: 'kind', layer: 2, method: 'mean_diff' }
const labels = { organism: 'alpha', prompt_set: 'one' }
const alone = (tokens: readonly string[], scores: readonly number[]) => [
  { promptId: 'one_1', prompt: 'Why?', tokens, scores: [{ vector, organism: Float32Array.from(scores), clean: null }] },
]

async function rowsOf(bytes: Uint8Array): Promise<unknown[]> {
  return parquetReadObjects({ file: bytes.slice().buffer })
}

test('without a clean side there are rows of the organism only', async () => {
  const answers = alone(['A', 'é\n🜁'], [1.5, -0.25])
  const row = { organism: 'alpha', prompt_set: 'one', prompt_id: 'one_1', trait: 'kind', layer: 2, method: 'mean_diff' }
  expect(await rowsOf(parquetBytes(responseTable(labels, answers)))).toEqual([
    {
      ...row,
      side: 'organism',
      tokens: 2,
      max_token: 1.5,
      top3_mean: 0.625,
      top5_mean: 0.625,
      response_mean: 0.625,
      response_std: 0.875 * Math.SQRT2,
    },
  ])
  expect(await rowsOf(parquetBytes(tokenTable(labels, answers)))).toEqual([
    { ...row, position: 0, token: 'A', score: 1.5 },
    { ...row, position: 1, token: 'é\n🜁', score: -0.25 },
  ])
})

test('an empty answer has a row of zeros and no token', async () => {
  expect(await rowsOf(parquetBytes(responseTable(labels, alone([], []))))).toMatchObject([{ tokens: 0, max_token: 0, response_std: 0 }])
  expect(await rowsOf(parquetBytes(tokenTable(labels, alone([], []))))).toEqual([])
})

test('the same rows are the same bytes', () => {
  const table = () => parquetBytes(responseTable(labels, alone(['A'], [0.1])))
  expect(Buffer.compare(table(), table())).toBe(0)
})
