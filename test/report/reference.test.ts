import path from 'node:path'
import { expect, test } from 'vitest'
import type { ParamSchema } from '../../engine/core/schema.ts'
import { entriesOf, kindText, referencePage } from '../../engine/report/reference.ts'
import { workflowFields } from '../../engine/spec/schema.ts'
import { kinds } from '../../steps/index.ts'
import { root } from '../support/paths.ts'

test('docs/workflow.md is what the schemas say; `npm run docs` writes it anew', async () => {
  await expect(referencePage(workflowFields, kinds)).toMatchFileSnapshot(path.join(root, 'docs', 'workflow.md'))
})

test('everything that can be written says what it is', () => {
  const entries = [workflowFields, ...kinds.map(({ schema }) => schema.properties ?? {})].flatMap((fields) => entriesOf(fields))
  expect(entries.length).toBeGreaterThan(80)
  expect(entries.filter(({ what, value }) => what === '' || value === '').map(({ name }) => name)).toEqual([])
})

const schema: ParamSchema = {
  required: ['of'],
  properties: {
    of: {
      anyOf: [
        { type: 'string', 'x-ref': 'step' },
        { type: 'array', items: { type: 'string', 'x-ref': 'step' } },
      ],
      description: 'Which.',
    },
    mode: { enum: ['a', 'b', 'c'], default: 'a', description: 'How it is `done`.', 'x-affects': 'performance' },
    layers: { type: 'array', 'x-ranges': true, items: { type: 'integer' }, default: [1, 2], description: 'Where.' },
    inputs: {
      type: 'object',
      description: 'By name.',
      additionalProperties: {
        type: 'object',
        required: ['size'],
        properties: { size: { type: 'integer', minimum: 1, description: 'How large.' } },
      },
    },
    on: { type: 'boolean', default: false, description: 'Whether it is on at all, which it seldom is.' },
  },
}

test('a kind is told with its parameters, in lines that fit', () => {
  expect(kindText({ kind: 'thing', description: 'Do a thing.', schema }, 34)).toBe(`thing: Do a thing.

  of: a step or a list: a step, required
      Which.

  mode: a, b or c, default a
      How it is done. Changes no
      result.

  layers: [20, 24-28], default [1, 2]
      Where.

  inputs: by name: { size }
      By name.

  inputs.NAME.size: a whole number from 1, required
      How large.

  on: true or false, default false
      Whether it is on at all,
      which it seldom is.
`)
})
