import path from 'node:path'
import type { Diagnostic } from './core/diagnostic.ts'
import { hasErrors } from './core/diagnostic.ts'
import type { Locate } from './core/place.ts'
import { fail, ok, type Result } from './core/result.ts'
import type { ModelSource, Sources } from './core/sources.ts'
import type { Adapter, Step, StepKind } from './core/step-kind.ts'
import { emptyGraph, expand, idleSteps, type TaskGraph } from './graph/expand.ts'
import { contextProblems } from './sources/chat/context.ts'
import { openSourceFiles, type SourceFiles } from './sources/files/files.ts'
import { unheededSettings } from './sources/chat/generation-config.ts'
import { locator } from './sources/locate.ts'
import { refusals } from './sources/chat/refusals.ts'
import { resolve } from './sources/resolve.ts'
import { dayHere } from './sources/chat/strftime.ts'
import { toldProblems } from './sources/chat/told.ts'
import { isUnchanged } from './sources/unchanged.ts'
import { parseYaml } from './spec/document.ts'
import { checkShape } from './spec/shape-check.ts'
import { validate } from './spec/validate.ts'
import type { Workflow } from './spec/workflow.ts'
import { lengthMemory } from './store/chat-lengths.ts'
import { digestMemory } from './store/memory.ts'
import type { Store } from './store/store.ts'

/** A workflow that is right in itself, with its task graph. */
export interface Prepared {
  readonly workflow: Workflow
  readonly graph: TaskGraph
  /** Whether the graph is of the part that was asked for; of a part that comes to a mistake there is none. */
  readonly isPart: boolean
  readonly sources: Sources
  /** The graph of fewer organisms and prompts, or of steps written otherwise; empty where they come to a mistake. */
  graphOf(sources: Sources, steps?: readonly Step[]): TaskGraph
  /** What lacks for a run, though not for a plan. */
  readonly notReady: readonly Diagnostic[]
  readonly warnings: readonly Diagnostic[]
  /** Where named parts of keys are written. */
  readonly locate: Locate
  /** Every path that was looked at, also in vain, as it was found. */
  readonly seen: SourceFiles['seen']
  /** Whether what a state is loaded from still is what it was then. */
  isUnchanged(loaded: ModelSource | Adapter): Promise<boolean>
}

/** A workflow as it is written, with its folder as `dag` was given it and as an absolute path. */
export function readWorkflow(
  file: string,
  kinds: readonly StepKind[],
  files: SourceFiles,
): Result<{ workflow: Workflow; absolute: Workflow; diagnostics: readonly Diagnostic[] }, readonly Diagnostic[]> {
  const text = files.text(path.resolve(file))
  if (!text.ok) return fail([{ severity: 'error', rule: 'workflow-file', message: `the workflow ${file} cannot be read: ${text.error}` }])
  const { workflow, diagnostics } = validate(parseYaml(file, text.value), kinds, checkShape)
  if (!workflow || hasErrors(diagnostics)) return fail(diagnostics)
  return ok({ workflow, absolute: { ...workflow, folder: path.resolve(path.dirname(file)) }, diagnostics })
}

export interface PrepareOptions {
  /** Where models are, in place of what the workflow says. */
  readonly devices?: readonly string[] | undefined
  /** Picks the sources that the graph is to be of where they come to one; null for all of them. */
  readonly part?: (sources: Sources) => Sources | null
  /** Told of every path that was looked at, also where mistakes were found. */
  readonly looked?: (seen: SourceFiles['seen']) => void
}

/** Text → document → workflow → sources → task graph. Every mistake of a stage at once; a stage needs the one before. */
export async function prepare(
  file: string,
  kinds: readonly StepKind[],
  store: Store,
  { devices, part = () => null, looked = () => {} }: PrepareOptions = {},
): Promise<Result<Prepared, readonly Diagnostic[]>> {
  const files = openSourceFiles(digestMemory(store))
  try {
    return await prepareWith(files, file, kinds, store, { devices, part })
  } finally {
    looked(files.seen)
  }
}

async function prepareWith(
  files: SourceFiles,
  file: string,
  kinds: readonly StepKind[],
  store: Store,
  { devices, part }: Required<Pick<PrepareOptions, 'part'>> & Pick<PrepareOptions, 'devices'>,
): Promise<Result<Prepared, readonly Diagnostic[]>> {
  const read = readWorkflow(file, kinds, files)
  if (!read.ok) return read
  const { diagnostics } = read.value
  const placed = (one: Workflow) => (devices ? on(devices, one) : one)
  const [workflow, absolute] = [placed(read.value.workflow), placed(read.value.absolute)]
  const resolved = await resolve(absolute, { kinds, cache: store.layout.root, files })
  const of = (sources: Sources) => expand(workflow, kinds, sources, resolved.files)
  const some = hasErrors(resolved.diagnostics) ? null : part(resolved.sources)
  const ofPart = some && of(some)
  const isPart = ofPart !== null && !hasErrors(ofPart.diagnostics)
  const { graph, diagnostics: ofSteps } = isPart ? ofPart : of(resolved.sources)
  const tooLong = await contextProblems(absolute, kinds, resolved.sources, files, lengthMemory(store))
  const untold = toldProblems(absolute, kinds, resolved.sources, files, dayHere(new Date()))
  const refused = await refusals(absolute, kinds, resolved.sources, files)
  const all = [
    ...diagnostics,
    ...resolved.diagnostics,
    ...ofSteps,
    ...untold,
    ...unheededSettings(absolute, kinds, resolved.sources, files),
    ...refused,
    ...tooLong,
  ]
  if (hasErrors(all)) return fail(all)
  const idle = isPart ? [] : idleSteps(workflow, kinds, graph)
  if (idle.length > 0) return fail([...all, ...idle])
  return ok({
    workflow: absolute,
    graph,
    isPart,
    sources: resolved.sources,
    graphOf: (sources, steps = workflow.steps) => {
      const other = expand({ ...workflow, steps }, kinds, sources, resolved.files)
      return hasErrors(other.diagnostics) ? emptyGraph : other.graph
    },
    notReady: resolved.notReady,
    warnings: all,
    locate: locator(absolute, files),
    seen: files.seen,
    isUnchanged: (loaded) => isUnchanged(loaded, openSourceFiles(digestMemory(store))),
  })
}

/** The workflow with every model on these devices. */
function on(devices: readonly string[], workflow: Workflow): Workflow {
  const models = Object.entries(workflow.models).map(([name, model]) => [name, { ...model, devices }])
  return { ...workflow, models: Object.fromEntries(models) }
}
