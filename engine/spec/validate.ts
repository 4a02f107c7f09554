import path from 'node:path'
import type { Diagnostic } from '../core/diagnostic.ts'
import { isObject, type Json } from '../core/json.ts'
import { isName, suggestion } from '../core/names.ts'
import type { Told } from '../core/sources.ts'
import { type ParamSchema, references } from '../core/schema.ts'
import type { StepKind } from '../core/step-kind.ts'
import type { Path, SourceDocument } from './document.ts'
import { withoutRanges } from './ranges.ts'
import { badName, type ShapeCheck, shapeMistakes } from './shape-mistakes.ts'
import type { Limit, ModelDeclaration, Notify, Workflow } from './workflow.ts'

/** Checks a document's shape and every name that can be checked without reading another file. Pure. */
export function validate(
  written: SourceDocument,
  kinds: readonly StepKind[],
  check: ShapeCheck,
): { readonly workflow: Workflow | null; readonly diagnostics: readonly Diagnostic[] } {
  if (written.diagnostics.length > 0) return { workflow: null, diagnostics: written.diagnostics }
  const document = withoutRanges(written, kinds)
  const shape = shapeMistakes(check(document.data), document)
  if (shape.length > 0) return { workflow: null, diagnostics: shape }
  const workflow = build(document, kinds)
  const diagnostics = [
    ...dottedNames(workflow, document),
    ...unknownNames(workflow, kinds, document),
    ...sharedPlaces(workflow, kinds, document),
  ]
  return { workflow, diagnostics }
}

function build(document: SourceDocument, kinds: readonly StepKind[]): Workflow {
  const data = document.data as Record<string, Json>
  const object = (key: string) => (isObject(data[key]) ? data[key] : null)
  const { prompts, traits, organisms } = { prompts: object('prompts'), traits: object('traits'), organisms: object('organisms') }
  return {
    name: data.workflow as string,
    experiment: (data.experiment ?? data.workflow) as string,
    file: document.file,
    folder: path.dirname(document.file),
    models: Object.fromEntries(Object.entries(object('models') ?? {}).map(([name, model]) => [name, declaration(model)])),
    organisms: organisms ? { from: organisms.from as string } : null,
    prompts: prompts
      ? { from: prompts.from as string, sets: prompts.sets as string[], limit: (prompts.limit ?? null) as Limit | null }
      : null,
    traits: traits ? { from: traits.from as string, only: (traits.only ?? null) as string[] | null } : null,
    notify: notifyOf(object('notify')),
    pilot: pilotOf(object('pilot')),
    steps: Object.entries(object('steps') as Record<string, Json>).map(([name, value]) => {
      const { kind, ...params } = value as Record<string, Json>
      const schema = kinds.find((candidate) => candidate.kind === kind)?.schema
      return { name, kind: kind as string, params: { ...defaults(schema), ...params } }
    }),
    rangeOf: (at, of) => document.rangeOf(at, of),
  }
}

function notifyOf(value: Readonly<Record<string, Json>> | null): Notify | null {
  if (!value) return null
  const { command, webhook, on } = value as { command?: string[]; webhook?: string; on?: Notify['on'] }
  return { command: command ?? null, webhook: webhook ?? null, on: on ?? ['end', 'failure'] }
}

function pilotOf(value: Readonly<Record<string, Json>> | null): Workflow['pilot'] {
  if (!value) return null
  const { organisms, prompts, go_on_within } = value as { organisms: number; prompts?: number; go_on_within?: number }
  return { organisms, prompts: prompts ?? null, goOnWithin: go_on_within ?? 1.5 }
}

function declaration(value: Json): ModelDeclaration {
  const { chat_template_kwargs, device, ...model } = value as Record<string, string | undefined> & {
    chat_template_kwargs?: Told['variables']
    device?: string | string[]
  }
  return {
    source: model.source as string,
    revision: model.revision ?? null,
    config: model.config ?? null,
    dtype: model.dtype ?? 'bfloat16',
    devices: [device ?? 'cpu'].flat(),
    quantization: model.quantization ?? null,
    told: { plain: model.chat_template === 'none', date: model.date ?? null, variables: chat_template_kwargs ?? {} },
  }
}

function defaults(schema: ParamSchema | undefined): Record<string, Json> {
  const entries = Object.entries(schema?.properties ?? {})
  return Object.fromEntries(entries.flatMap(([key, property]) => (property.default === undefined ? [] : [[key, property.default]])))
}

/** Names become folders; the pattern alone would let `a..b` through. */
function dottedNames(workflow: Workflow, document: SourceDocument): Diagnostic[] {
  const names: [string, Path, 'key' | 'value'][] = [
    [workflow.name, ['workflow'], 'value'],
    ...(workflow.experiment === workflow.name ? [] : [[workflow.experiment, ['experiment'], 'value'] as [string, Path, 'value']]),
    ...workflow.steps.map((step): [string, Path, 'key'] => [step.name, ['steps', step.name], 'key']),
    ...(workflow.prompts?.sets ?? []).map((set, index): [string, Path, 'value'] => [set, ['prompts', 'sets', index], 'value']),
  ]
  return names.filter(([name]) => !isName(name)).map(([name, at, of]) => badName(name, document, at, of))
}

/** References to steps and models; the names of organisms, prompt sets and traits are known after resolving. */
function unknownNames(workflow: Workflow, kinds: readonly StepKind[], document: SourceDocument): Diagnostic[] {
  const known = { step: workflow.steps.map((step) => step.name), model: Object.keys(workflow.models) }
  return workflow.steps.flatMap((step) => {
    const schema = kinds.find((kind) => kind.kind === step.kind)?.schema
    if (!schema) return []
    return references(schema, step.params).flatMap((reference): Diagnostic[] => {
      if (reference.to !== 'step' && reference.to !== 'model') return []
      if (known[reference.to].includes(reference.name)) return []
      const hint = suggestion(reference.name, known[reference.to])
      return [
        {
          severity: 'error',
          rule: `unknown-${reference.to}`,
          message: `step "${step.name}" refers to ${reference.to} "${reference.name}", which this workflow does not have`,
          ...(hint ? { hint } : {}),
          range: document.rangeOf(['steps', step.name, ...reference.path], 'value'),
        },
      ]
    })
  })
}

/** Steps of a kind that would show their results in one place, each in that of the one before it. */
function sharedPlaces(workflow: Workflow, kinds: readonly StepKind[], document: SourceDocument): Diagnostic[] {
  return kinds.flatMap(({ kind, schema }) => {
    const steps = workflow.steps.filter((step) => step.kind === kind)
    const places = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => (property['x-alone'] ? [name] : []))
    return places.flatMap((name) =>
      steps.flatMap((step, index): Diagnostic[] => {
        const other = steps.slice(0, index).find(({ params }) => params[name] === step.params[name])
        if (!other) return []
        const place = String(step.params[name])
        return [
          {
            severity: 'error',
            rule: 'same-place',
            message: `steps "${other.name}" and "${step.name}" show their results in the same ${name}, "${place}"`,
            hint: `give one of them another, such as \`${name}: ${step.name}\``,
            range: document.rangeOf(['steps', step.name], 'key'),
          },
        ]
      }),
    )
  })
}
