import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Diagnostic, hasErrors, type SourceRange } from './core/diagnostic.ts'
import { fail, ok, type Result } from './core/result.ts'
import type { StepKind } from './core/step-kind.ts'
import { readWorkflow } from './prepare.ts'
import { openSourceFiles } from './sources/files/files.ts'
import { type HubSource, hubFolder, hubRepository, isPinned } from './sources/files/hub.ts'
import { packedFolder } from './sources/files/packed.ts'
import { declaredOrganisms, grouped } from './sources/organisms.ts'
import { collectProblems } from './sources/problems.ts'

/** Something on a hub that a workflow names, where it does so. */
export interface Wanted extends HubSource {
  readonly range: SourceRange
}

/** A model in a Python package that a workflow names. */
export interface Packed {
  readonly source: string
  readonly dtype: string
  readonly folder: string
  readonly range: SourceRange
}

export interface Wants {
  /** What is not on this machine, each folder once: on a hub, and in packages. */
  readonly missing: readonly Wanted[]
  readonly packed: readonly Packed[]
  /** How many are here already. */
  readonly present: number
  /** What is named without a commit. */
  readonly floating: readonly Floating[]
}

/** A repository that is named by a branch or a tag, or by nothing but its name. */
export interface Floating {
  readonly kind: HubSource['kind']
  readonly name: string
  readonly repository: string
  readonly revision: string | null
  /** Where the revision stands, or the repository where there is none. */
  readonly range: SourceRange
}

/** Models and adapters on a hub or in packages that a workflow names; the store's folder `cache` holds what was fetched. */
export function wantsOf(file: string, kinds: readonly StepKind[], cache: string): Result<Wants, readonly Diagnostic[]> {
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  const read = readWorkflow(file, kinds, files)
  if (!read.ok) return read
  const workflow = read.value.absolute
  const problems = collectProblems(workflow)
  const named = [
    ...Object.entries(workflow.models).map(([name, { source, revision }]) => ({
      kind: 'model' as const,
      name,
      source,
      revision,
      range: workflow.rangeOf(['models', name, revision === null ? 'source' : 'revision'], 'value'),
    })),
    ...declaredOrganisms(workflow, files, problems).flatMap(({ name, adapter, revision, rangeOf }) =>
      adapter === null
        ? []
        : [{ kind: 'adapter' as const, name, source: adapter, revision, range: rangeOf(revision === null ? 'adapter' : 'revision') }],
    ),
  ]
  const floating: Floating[] = []
  const missing = new Map<string, Wanted>()
  const present = new Set<string>()
  for (const { kind, name, source, revision, range } of named) {
    const repository = hubRepository(source)
    const folder = hubFolder(source, revision, kind, cache)
    if (repository === null || folder === null) continue
    if (!isPinned(revision)) floating.push({ kind, name, repository, revision, range })
    else if (existsSync(folder)) present.add(folder)
    else missing.set(folder, { kind, repository, revision, folder: path.resolve(folder), range })
  }
  const packed = new Map<string, Packed>()
  for (const [name, { source, dtype }] of Object.entries(workflow.models)) {
    const folder = packedFolder(source, dtype, cache)
    if (folder === null) continue
    if (existsSync(folder)) present.add(folder)
    else packed.set(folder, { source, dtype, folder: path.resolve(folder), range: workflow.rangeOf(['models', name, 'source'], 'value') })
  }
  if (hasErrors(problems.list)) return fail(problems.list)
  return ok({ missing: [...missing.values()], packed: [...packed.values()], present: present.size, floating })
}

/** Mistakes of a workflow that is to be fetched: of organisms without a commit one for all. */
export function unpinned(floating: readonly Floating[]): Diagnostic[] {
  const of = (kind: HubSource['kind']) => floating.filter((one) => one.kind === kind).map(unpinnedProblem)
  return [...of('model'), ...grouped(of('adapter'))]
}

function unpinnedProblem({ kind, name, revision, range }: Floating): Diagnostic {
  const what = `${kind === 'model' ? 'model' : 'organism'} "${name}"`
  const message = revision === null ? `${what} has no revision` : `the revision "${revision}" of ${what} is no commit`
  const hint = 'pin the commit of the repository, 40 hex digits: `dag fetch --pin` writes the present one'
  return { severity: 'error', rule: 'unpinned-revision', message, hint, range }
}
