import { kindOfDevice, mistakeIn, sharedInPart } from '../core/device.ts'
import path from 'node:path'
import type { Diagnostic } from '../core/diagnostic.ts'
import { patternExpression, patternSegments } from '../core/file-pattern.ts'
import { suggestion } from '../core/names.ts'
import { references, refersTo } from '../core/schema.ts'
import type { ModelSource, PromptSetSource, Sources, TraitSource } from '../core/sources.ts'
import type { FileSource, StepKind } from '../core/step-kind.ts'
import type { Workflow } from '../spec/workflow.ts'
import type { SourceFiles } from './files/files.ts'
import { hubRepository } from './files/hub.ts'
import { readModel } from './models.ts'
import { type Organisms, readOrganisms } from './organisms.ts'
import { collectProblems, type Problems } from './problems.ts'
import { promptSetForm, readPromptSet } from './prompt-sets.ts'
import { type TraitPlace, traitPlaces } from './trait-places.ts'
import { readTrait } from './traits.ts'

/** Everything a workflow points at, read once, as plain data with digests. */
export interface Resolved {
  readonly sources: Sources
  readonly files: ReadonlyMap<string, FileSource>
  /** Mistakes: nothing can be planned. */
  readonly diagnostics: readonly Diagnostic[]
  /** What lacks for a run, though not for a plan: weights, pinned revisions. */
  readonly notReady: readonly Diagnostic[]
}

export interface ResolveOptions {
  readonly kinds: readonly StepKind[]
  /** The store's folder, where converted models lie. */
  readonly cache: string
  readonly files: SourceFiles
}

/** Reads prompt sets, contrast sets, models, adapters and files. Reports every problem at once. */
export async function resolve(workflow: Workflow, options: ResolveOptions): Promise<Resolved> {
  const problems = collectProblems(workflow)
  const models = await readModels(workflow, options, problems)
  const organisms = await organismsOf(workflow, models, options, problems)
  const promptSets = promptSetsOf(workflow, options.files, problems)
  const traits = traitsOf(workflow, options.files, problems)
  const sources: Sources = { models, organisms: organisms.organisms, promptSets, traits }
  const files = await filesOf(workflow, options, problems)
  checkNames(workflow, options.kinds, sources, problems)
  const absent = [...models.values()].filter((model) => model.path === null)
  const notReady = [
    ...absent.map(
      (model): Diagnostic => ({
        severity: 'error',
        rule: 'missing-model',
        message: `model "${model.name}" (${model.origin}) is not on this machine`,
        hint: hubRepository(model.origin)
          ? `get it with \`dag fetch ${workflow.file}\`, or put the weights into a folder and name it as \`source:\``
          : 'put the weights into a folder and name it as `source:`',
        range: workflow.rangeOf(['models', model.name, 'source'], 'value'),
      }),
    ),
    ...organisms.notReady,
  ]
  return { sources, files, diagnostics: problems.list, notReady }
}

async function readModels(workflow: Workflow, options: ResolveOptions, problems: Problems): Promise<ReadonlyMap<string, ModelSource>> {
  const models = new Map<string, ModelSource>()
  for (const [name, declaration] of Object.entries(workflow.models)) {
    const model = await readModel(name, declaration, workflow.folder, options.cache, options.files)
    if (!model.ok) {
      problems.error(model.error.rule, ['models', name, model.error.key], model.error.message, model.error.hint)
      continue
    }
    models.set(name, model.value)
    const { quantization, devices } = model.value
    const kind = kindOfDevice(devices[0] as string)
    const mistake = mistakeIn(devices)
    if (mistake) problems.error('device', ['models', name, 'device'], `model "${name}" ${mistake.message}`, mistake.hint)
    if (quantization !== null && kind !== 'cuda') {
      const message = `model "${name}" is to be quantized to ${quantization} on ${kind}, and such weights run on cuda only`
      problems.error('quantization', ['models', name, 'quantization'], message, 'write `device: cuda`, or leave the quantization out')
    }
    if (quantization === 'int8') warnOfBatches(name, problems)
    const [other, shared] = sharesInPart(model.value, models)
    if (other && shared) {
      const message = `model "${name}" is on ${shared[0]} and model "${other.name}" on ${shared[1]}`
      problems.error('device', ['models', name, 'device'], message, 'models take turns on what they have in common: spread both alike')
    }
  }
  return models
}

/** A model among `models` that has some of the GPUs of a device in common with this one, and not all. */
function sharesInPart({ name, devices }: ModelSource, models: ReadonlyMap<string, ModelSource>) {
  for (const other of models.values()) {
    const shared = other.name === name ? null : sharedInPart(devices, other.devices)
    if (shared) return [other, shared] as const
  }
  return [null, null] as const
}

/** bitsandbytes multiplies the columns apart in which any row of a batch holds a large number. */
function warnOfBatches(name: string, problems: Problems): void {
  problems.warning(
    'quantization',
    ['models', name, 'quantization'],
    `in int8, what model "${name}" makes of a prompt depends on those beside it in a batch`,
    'nf4 has no such dependence but rounding (docs/backends.md)',
  )
}

async function organismsOf(
  workflow: Workflow,
  models: ReadonlyMap<string, ModelSource>,
  options: ResolveOptions,
  problems: Problems,
): Promise<Organisms> {
  if (!workflow.organisms) return { organisms: [], notReady: [] }
  const worn = modelsWithOrganisms(workflow, options.kinds)
  const bases = [...models.values()].filter(({ name }) => worn.has(name))
  return readOrganisms(workflow, bases, options.cache, options.files, problems)
}

/** The models that a step puts organisms on. */
function modelsWithOrganisms(workflow: Workflow, kinds: readonly StepKind[]): ReadonlySet<string> {
  const dressing = new Set(kinds.filter(({ schema }) => refersTo(schema, 'organism')).map(({ kind }) => kind))
  const steps = workflow.steps.filter(({ kind }) => dressing.has(kind)).map(({ name }) => name)
  const named = allReferences(workflow, kinds).filter(({ step, reference }) => reference.to === 'model' && steps.includes(step))
  return new Set(named.map(({ reference }) => reference.name))
}

function promptSetsOf(workflow: Workflow, files: SourceFiles, problems: Problems): PromptSetSource[] {
  const { prompts } = workflow
  if (!prompts) return []
  const limits = new Map(typeof prompts.limit === 'object' && prompts.limit !== null ? Object.entries(prompts.limit) : [])
  for (const name of limits.keys()) {
    if (!prompts.sets.includes(name))
      problems.error(
        'unknown-prompt-set',
        ['prompts', 'limit', name],
        `"limit" names the prompt set "${name}", which is not among the sets`,
        suggestion(name, prompts.sets),
      )
  }
  return prompts.sets.flatMap((name, index) => {
    const at = ['prompts', 'sets', index]
    const shown = path.join(prompts.from, `${name}.json`)
    const set = readPromptSet(name, path.resolve(workflow.folder, shown), files)
    if (!set.ok) {
      const hint = files.exists(path.resolve(workflow.folder, shown)) ? promptSetForm : undefined
      for (const mistake of set.error) problems.error('prompt-set', at, `prompt set "${name}" (${shown}): ${mistake}`, hint)
      return []
    }
    const limit = typeof prompts.limit === 'number' ? prompts.limit : limits.get(name)
    return [{ ...set.value, prompts: set.value.prompts.slice(0, limit) }]
  })
}

function traitsOf(workflow: Workflow, files: SourceFiles, problems: Problems): TraitSource[] {
  const { traits } = workflow
  if (!traits) return []
  const folder = path.resolve(workflow.folder, traits.from)
  let places: TraitPlace[]
  try {
    places = traitPlaces(folder, files)
  } catch {
    problems.error('missing-file', ['traits', 'from'], `the folder of contrast sets ${traits.from} cannot be read`)
    return []
  }
  const namesOf = ({ name, id }: TraitPlace) => [name, id]
  for (const [index, name] of (traits.only ?? []).entries()) {
    if (places.some((place) => namesOf(place).includes(name))) continue
    const message = `there is no contrast set "${name}" in ${traits.from}`
    problems.error('unknown-trait', ['traits', 'only', index], message, suggestion(name, [...new Set(places.flatMap(namesOf))]))
  }
  const picked = places.filter((place) => traits.only === null || namesOf(place).some((name) => traits.only?.includes(name)))
  return [...Map.groupBy(picked, ({ name }) => name)].flatMap(([name, [place, other]]) => {
    if (place && other) {
      const message = `two contrast sets are called "${name}": ${place.at} and ${other.at} of ${traits.from}`
      const hint = other.id === name ? 'rename one of them' : `name the one that is meant in \`only\`, as ${other.id}`
      problems.error('trait', ['traits', 'from'], message, hint)
      return []
    }
    const trait = readTrait(place as TraitPlace, { folder, named: traits.from, files })
    if (trait.ok) return [trait.value]
    for (const mistake of trait.error) problems.error('trait', ['traits', 'from'], `contrast set "${name}": ${mistake}`)
    return []
  })
}

async function filesOf(workflow: Workflow, options: ResolveOptions, problems: Problems): Promise<ReadonlyMap<string, FileSource>> {
  const files = new Map<string, FileSource>()
  for (const { step, reference } of allReferences(workflow, options.kinds)) {
    if (reference.to !== 'file' && reference.to !== 'files') continue
    const at = ['steps', step, ...reference.path]
    const names = reference.to === 'file' ? [reference.name] : matchingFiles(reference.name, workflow.folder, options.files)
    if (names.length === 0) problems.error('missing-file', at, `step "${step}" reads ${reference.name}, which no file matches`)
    for (const name of names) {
      const full = path.resolve(workflow.folder, name)
      try {
        if (files.has(name)) continue
        const header = reference.to === 'files' && name.endsWith('.safetensors') ? options.files.tensors(full) : null
        if (header && !header.ok) problems.error('damaged-file', at, `step "${step}" reads ${name}, which cannot be used: ${header.error}`)
        const shapes = header?.ok ? { shapes: Object.fromEntries([...header.value].map(([tensor, { shape }]) => [tensor, shape])) } : {}
        files.set(name, { path: full, digest: await options.files.digest(full), ...shapes })
      } catch {
        problems.error('missing-file', at, `step "${step}" reads ${name}, which is not a readable file`)
      }
    }
  }
  return files
}

/** Files that match a pattern with placeholders, as they are named from the workflow's folder, sorted. */
function matchingFiles(pattern: string, from: string, files: SourceFiles): string[] {
  const { folder, segments } = patternSegments(pattern)
  const within = (at: string): string[] => {
    try {
      return files.list(path.resolve(from, at)).map((name) => `${at}/${name}`)
    } catch {
      return []
    }
  }
  let found = [folder]
  for (const [index] of segments.entries()) {
    const expression = patternExpression([...folder.split('/'), ...segments.slice(0, index + 1)].join('/'))
    found = found.flatMap(within).filter((name) => expression.test(name))
  }
  return found.map((name) => (folder === '.' && !pattern.startsWith('./') ? name.slice(2) : name))
}

/** Names of organisms, prompt sets and traits that steps pick. */
function checkNames(workflow: Workflow, kinds: readonly StepKind[], sources: Sources, problems: Problems): void {
  const known = {
    organism: sources.organisms.map((organism) => organism.name),
    'prompt-set': workflow.prompts?.sets ?? [],
    trait: sources.traits.map((trait) => trait.name),
  }
  for (const { step, reference } of allReferences(workflow, kinds)) {
    if (reference.to !== 'organism' && reference.to !== 'prompt-set' && reference.to !== 'trait') continue
    if (known[reference.to].includes(reference.name)) continue
    const noun = reference.to.replace('-', ' ')
    problems.error(
      `unknown-${reference.to}`,
      ['steps', step, ...reference.path],
      `step "${step}" names the ${noun} "${reference.name}", which this workflow does not have`,
      suggestion(reference.name, known[reference.to]),
    )
  }
}

function allReferences(workflow: Workflow, kinds: readonly StepKind[]) {
  return workflow.steps.flatMap((step) => {
    const schema = kinds.find((kind) => kind.kind === step.kind)?.schema
    return schema ? references(schema, step.params).map((reference) => ({ step: step.name, reference })) : []
  })
}
