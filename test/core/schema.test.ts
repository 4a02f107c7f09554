import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { type ParamSchema, references } from '../../engine/core/schema.ts'
import { allowingRanges } from '../../engine/spec/ranges.ts'
import { workflowSchema } from '../../engine/spec/schema.ts'
import { kinds } from '../../steps/index.ts'
import { root } from '../support/paths.ts'

test('the schema that editors use is the one of the step kinds', () => {
  const written = JSON.parse(readFileSync(path.join(root, 'engine/spec/workflow.schema.json'), 'utf8')) as object
  expect(written).toEqual(allowingRanges(JSON.parse(JSON.stringify(workflowSchema(kinds)))))
})

test('every parameter of every kind says whether it affects the result, the performance or the presentation', () => {
  const parameters = kinds.flatMap((kind) =>
    Object.entries(kind.schema.properties ?? {}).map(([name, schema]) => [`${kind.kind}.${name}`, schema] as const),
  )
  expect(parameters.length).toBeGreaterThan(25)
  expect(parameters.filter(([, schema]) => !schema['x-affects']).map(([name]) => name)).toEqual([])
})

test('references are found wherever a schema marks them', () => {
  const schema: ParamSchema = {
    type: 'object',
    properties: {
      of: {
        anyOf: [
          { type: 'string', 'x-ref': 'step' },
          { type: 'array', items: { type: 'string', 'x-ref': 'step' } },
        ],
      },
      inputs: { type: 'object', additionalProperties: { type: 'object', properties: { step: { type: 'string', 'x-ref': 'step' } } } },
      organisms: { anyOf: [{ const: 'all' }, { type: 'array', items: { type: 'string', 'x-ref': 'organism' } }] },
      onto: { type: 'string', 'x-ref': 'step' },
    },
  }
  expect(references(schema, { of: ['a', 'b'], inputs: { x: { step: 'c' } }, organisms: 'all', onto: 'all' })).toEqual([
    { to: 'step', name: 'a', path: ['of', 0] },
    { to: 'step', name: 'b', path: ['of', 1] },
    { to: 'step', name: 'c', path: ['inputs', 'x', 'step'] },
    { to: 'step', name: 'all', path: ['onto'] },
  ])
})
