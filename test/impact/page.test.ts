import path from 'node:path'
import { expect, test } from 'vitest'
import { workflowSchema } from '../../engine/spec/schema.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import { kinds } from '../../steps/index.ts'
import { root } from '../support/paths.ts'
import { impactPage } from './page.ts'
import { sections } from './rows/index.ts'

const rows = sections.flatMap((section) => section.rows)

/** Dotted names of everything that can be written under a schema; `*` stands for a name of the user's. */
function fieldsOf(schema: ParamSchema, name: string): string[] {
  const inner = [
    ...Object.entries(schema.properties ?? {}).map(([key, property]) => fieldsOf(property, `${name}.${key}`)),
    ...(typeof schema.additionalProperties === 'object' ? [fieldsOf(schema.additionalProperties, `${name}.*`)] : []),
    ...(schema.anyOf ?? []).map((option) => fieldsOf(option, name)),
  ].flat()
  const container = (schema.properties || schema.additionalProperties) && !schema.anyOf
  return [...new Set([...(container ? [] : [name]), ...inner])]
}

const parameters = kinds.flatMap((kind) =>
  Object.entries(kind.schema.properties ?? {}).flatMap(([name, schema]) =>
    fieldsOf(schema, `${kind.kind}.${name}`).map((field) => ({ field, affects: schema['x-affects'] })),
  ),
)
const { steps: _steps, ...top } = (workflowSchema(kinds) as { properties: Record<string, ParamSchema> }).properties
const fields = Object.entries(top).flatMap(([name, schema]) => fieldsOf(schema, name))

test('docs/change-impact.md is what the rows say; `npm run docs` writes it anew', async () => {
  await expect(impactPage(sections)).toMatchFileSnapshot(path.join(root, 'docs', 'change-impact.md'))
})

test('every parameter of every step kind and every field of a workflow has a row', () => {
  expect(parameters.length).toBeGreaterThan(30)
  const told = new Set(rows.map((row) => row.of))
  const untold = [...parameters.map(({ field }) => field), ...fields].filter((field) => !told.has(field))
  expect(untold, 'add a row for each to test/impact/rows/').toEqual([])
})

test('every row that names a parameter names one that there is', () => {
  const known = new Set(parameters.map(({ field }) => field))
  const names = new RegExp(`^(${kinds.map((kind) => kind.kind).join('|')})\\.`)
  expect(rows.filter((row) => names.test(row.of) && !known.has(row.of)).map((row) => row.of)).toEqual([])
})

test('a parameter makes cells anew in some row exactly when it is declared to affect the result', () => {
  const making = new Set(rows.filter((row) => row.made).map((row) => row.of))
  const wrong = parameters.filter(({ field, affects }) => making.has(field) !== (affects === 'result'))
  expect(wrong).toEqual([])
})

test('every operation has a row for its version', () => {
  const operations = [
    'generate',
    'capture',
    'extract',
    'elicit',
    'contrast',
    'adopt',
    'random',
    'shift',
    'compare',
    'logit-lens',
    'logit-lens-summary',
    'steer',
    'steer-effects',
    'imported-answers',
    'imported-recordings',
    'project',
    'score',
    'rank',
    'rank-overview',
    'report-answers',
    'report',
    'export',
    'command',
  ]
  const versions = rows.flatMap((row) => /^version of (.*)$/.exec(row.of)?.[1] ?? [])
  expect(versions).toEqual(operations)
})

test('no two rows are the same edit', () => {
  const names = sections.flatMap(({ title, rows: own }) => own.map((row) => `${title} ${row.of} ${row.edit}`))
  expect(names.length).toBe(new Set(names).size)
})
