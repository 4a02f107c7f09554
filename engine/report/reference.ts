import type { ParamSchema, RefTo } from '../core/schema.ts'
import type { StepKind } from '../core/step-kind.ts'
import { wrapped } from './wrapped.ts'

/** Something that can be written in a workflow. */
export interface Entry {
  /** Dotted; `NAME` stands for one of the user's. */
  readonly name: string
  /** What may stand there, in words. */
  readonly value: string
  readonly required: boolean
  /** As it would be written; null where there is none. */
  readonly default: string | null
  readonly what: string
}

export type Fields = Readonly<Record<string, ParamSchema>>
type KindOf = Pick<StepKind, 'kind' | 'description' | 'schema'>

/** All that a schema's members are, those of members after them. */
export function entriesOf(fields: Fields, required: readonly string[] = [], within = ''): Entry[] {
  return Object.entries(fields).flatMap(([key, schema]) => {
    const name = `${within}${key}`
    const entry: Entry = {
      name,
      value: valueOf(schema),
      required: required.includes(key),
      default: schema.default === undefined ? null : flow(schema.default),
      what: [schema.description ?? '', ...(schema['x-affects'] === 'performance' ? ['Changes no result.'] : [])].join(' ').trim(),
    }
    const of = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : null
    return [
      entry,
      ...entriesOf(schema.properties ?? {}, schema.required, `${name}.`),
      ...(of?.properties ? entriesOf(of.properties, of.required, `${name}.NAME.`) : []),
    ]
  })
}

const named: Readonly<Record<RefTo, string>> = {
  step: 'a step',
  model: 'a model',
  organism: 'an organism',
  'prompt-set': 'a prompt set',
  trait: 'a trait',
  file: 'a file',
  files: 'a path with {names}',
}

/** What may be written, in a few words. */
function valueOf(schema: ParamSchema): string {
  if (schema['x-ref']) return named[schema['x-ref']]
  if (schema.const !== undefined) return `\`${flow(schema.const)}\``
  if (schema.enum) return oneOf(schema.enum.map((value) => `\`${flow(value)}\``))
  if (schema.anyOf) return oneOf(listsLast(schema.anyOf.map(valueOf)))
  if (schema.type === 'array') return schema['x-ranges'] ? '`[20, 24-28]`' : `${list}${valueOf(schema.items ?? {})}`
  if (schema.type === 'object') return objectInWords(schema)
  if (schema.type === 'integer') return schema.minimum ? `a whole number from ${schema.minimum}` : 'a whole number'
  if (schema.type === 'number') return 'a number'
  return schema.type === 'boolean' ? '`true` or `false`' : 'a text'
}

const list = 'a list: '

/** What is said of a list goes on to its end. */
function listsLast(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted((a, b) => Number(a.startsWith(list)) - Number(b.startsWith(list)))
}

function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
}

function objectInWords({ properties, additionalProperties: of }: ParamSchema): string {
  if (properties) return `\`{ ${Object.keys(properties).join(', ')} }\``
  return typeof of === 'object' ? `by name: ${valueOf(of)}` : 'by name'
}

/** A value as it is written in YAML on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** docs/workflow.md. */
export function referencePage(fields: Fields, kinds: readonly KindOf[]): string {
  return [
    '# What a workflow says',
    '',
    'Every field of a workflow file and every parameter of every kind of step, as `npx dag kinds` prints them too. Editors show the same by `engine/spec/workflow.schema.json`. What an edit of each costs is in [change-impact.md](change-impact.md). The files that it points at, prompt sets, contrast sets and lists of organisms, are shown in [your-own.md](guide/your-own.md). Paths are relative to the file.',
    '',
    '## Fields',
    '',
    ...entryTable(entriesOf(fields, ['workflow'])),
    '',
    '## Kinds of steps',
    '',
    'A step has a name of your own and a kind: `answers: { kind: generate, model: instruct, … }`.',
    '',
    ...kinds.flatMap(({ kind, description, schema }) => [
      `### ${kind}`,
      '',
      description,
      '',
      ...entryTable(entriesOf(schema.properties ?? {}, schema.required)),
      '',
    ]),
  ].join('\n')
}

function entryTable(entries: readonly Entry[]): string[] {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
  return [
    row(['', 'value', 'default', '']),
    row(['---', '---', '---', '---']),
    ...entries.map(({ name, value, required, default: usual, what }) =>
      row([`\`${name}\``, value, required ? 'required' : usual === null ? '' : `\`${usual}\``, what]),
    ),
  ]
}

/** What there is to write, for a terminal: the fields and the kinds. */
export function overviewText(fields: Fields, kinds: readonly KindOf[], width: number): string {
  const room = Math.max(...kinds.map(({ kind }) => kind.length))
  return [
    'fields of a workflow',
    ...entriesOf(fields, ['workflow']).flatMap((entry) => entryLines(entry, width)),
    '',
    'kinds of steps; `dag kinds KIND` has the parameters of one',
    ...kinds.map(({ kind, description }) => `  ${kind.padEnd(room)}  ${description}`),
    '',
  ].join('\n')
}

/** A kind with its parameters. */
export function kindText({ kind, description, schema }: KindOf, width: number): string {
  const entries = entriesOf(schema.properties ?? {}, schema.required)
  return [`${kind}: ${description}`, ...entries.flatMap((entry) => ['', ...entryLines(entry, width)]), ''].join('\n')
}

const indent = '      '

function entryLines({ name, value, required, default: usual, what }: Entry, width: number): string[] {
  const state = required ? ', required' : usual === null ? '' : `, default ${usual}`
  const text = wrapped(what, width - indent.length).filter((line) => line !== '')
  return [`  ${name}: ${value.replaceAll('`', '')}${state}`, ...text.map((line) => `${indent}${line.replaceAll('`', '')}`)]
}
