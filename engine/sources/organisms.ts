import path from 'node:path'
import pLimit from 'p-limit'
import type { Diagnostic, SourceRange } from '../core/diagnostic.ts'
import { digestOfJson } from '../core/digest.ts'
import { ok } from '../core/result.ts'
import type { ModelSource, OrganismSource } from '../core/sources.ts'
import { parseYaml, type SourceDocument } from '../spec/document.ts'
import type { Workflow } from '../spec/workflow.ts'
import { readAdapter } from './adapters.ts'
import { isClearlyAnother } from './base-names.ts'
import type { SourceFiles } from './files/files.ts'
import { hubFolder, hubRepository, isPinned } from './files/hub.ts'
import { type Declared, declarations } from './organism-list.ts'
import type { Problems } from './problems.ts'
import { speechCheck } from './chat/speech.ts'

/** Organisms, and what stands in the way of running them: planning goes on without weights, running does not. */
export interface Organisms {
  readonly organisms: readonly OrganismSource[]
  readonly notReady: readonly Diagnostic[]
}

const speechHint = 'organisms are asked and answer in that of the base: if this one was trained so, take the file out of its folder'

const strangerHint = 'its shape fits, so it runs; on another base it may not show what it was trained to do'

/** Adapters read and hashed at the same time. */
const parallelReads = 8

/** Every organism that the list of a workflow declares, and where; nothing that it names is looked at. */
export function declaredOrganisms(
  workflow: Workflow,
  files: SourceFiles,
  problems: Problems,
): (Declared & { readonly rangeOf: (key: 'adapter' | 'revision') => SourceRange })[] {
  const { document, declared } = readList(workflow, files, problems)
  return declared.map((entry) => ({ ...entry, rangeOf: (key) => document.rangeOf(entry.at[key], 'value') }))
}

function readList(workflow: Workflow, files: SourceFiles, problems: Problems) {
  const from = workflow.organisms?.from
  const shown = path.join(path.dirname(workflow.file), from ?? '')
  const file = path.resolve(workflow.folder, from ?? '')
  const text = from === undefined ? ok('organisms: {}') : files.text(file)
  if (!text.ok) problems.error('missing-file', ['organisms', 'from'], `the list of organisms ${shown} cannot be read: ${text.error}`)
  const document = parseYaml(shown, text.ok ? text.value : 'organisms: {}')
  problems.list.push(...document.diagnostics)
  return { file, document, declared: declarations(document, problems) }
}

/**
 * Reads the list of organisms and the header of every adapter that is on this machine. They must fit each of `bases`,
 * the models they are put on. `cache` holds fetched ones.
 */
export async function readOrganisms(
  workflow: Workflow,
  bases: readonly ModelSource[],
  cache: string,
  files: SourceFiles,
  problems: Problems,
): Promise<Organisms> {
  const { file, document, declared } = readList(workflow, files, problems)
  const organisms: OrganismSource[] = []
  const notReady: Diagnostic[] = []
  const strangers = new Map<string, Diagnostic[]>()
  const limit = pLimit(parallelReads)
  const speech = speechCheck(files)
  const folders = declared.map((entry) => folderOf(entry, file, cache, files))
  const adapters = await Promise.all(folders.map((folder) => limit(async () => (folder === null ? null : readAdapter(folder, files)))))
  for (const [index, entry] of declared.entries()) {
    const at = diagnosticOf(entry, document)
    const adapter = adapters[index]
    if (entry.adapter === null) {
      const twin = organisms.find(({ digest }) => digest === null)
      if (twin) problems.list.push(at('same-adapter', 'adapter', `it is the base itself, as "${twin.name}" is`, 'leave one of them out'))
      organisms.push({ name: entry.name, origin: 'none', path: null, digest: null, plants: entry.plants })
    } else if (!adapter) {
      organisms.push(remote(entry, entry.adapter))
      notReady.push(
        isPinned(entry.revision)
          ? at('missing-adapter', 'adapter', 'its weights are not on this machine', `get them with \`dag fetch ${workflow.file}\``)
          : at(
              'unpinned-revision',
              'revision',
              entry.revision === null ? 'it has no revision' : `its revision "${entry.revision}" is a placeholder`,
              `pin the commit of the repository, 40 hex digits: \`dag fetch --pin ${workflow.file}\` writes the present one`,
            ),
      )
    } else if (!adapter.ok) problems.list.push(at('adapter', 'adapter', adapter.error))
    else {
      const { digest, baseName, misfits } = adapter.value
      const folder = folders[index] as string
      for (const model of bases) {
        for (const misfit of misfits(model.facts)) {
          const hint = `its adapter_config.json names the base ${JSON.stringify(baseName)}`
          problems.list.push(at('adapter-of-another-base', 'adapter', `it does not fit model "${model.name}": ${misfit}`, hint))
        }
        const named = hubRepository(model.origin)
        if (baseName !== null && named !== null && isClearlyAnother(baseName, named)) {
          const message = `its adapter_config.json says that it was trained on ${JSON.stringify(baseName)}, and model "${model.name}" is "${named}"`
          const warning: Diagnostic = { ...at('base-name', 'adapter', message, strangerHint), severity: 'warning' }
          strangers.set(message, [...(strangers.get(message) ?? []), warning])
        }
        for (const misfit of await speech.misfits(folder, model)) problems.list.push(at('adapter-speech', 'adapter', misfit, speechHint))
      }
      const twin = organisms.find((other) => other.path !== null && other.digest === digest)
      if (twin) problems.list.push(at('same-adapter', 'adapter', `it is the very adapter of "${twin.name}"`, 'leave one of them out'))
      organisms.push({ name: entry.name, origin: entry.adapter, path: folder, digest, plants: entry.plants })
    }
  }
  problems.list.push(...[...strangers.values()].flatMap(grouped))
  return { organisms, notReady: grouped(notReady) }
}

/** Many organisms with the same lack are one problem: it is told once, at the first, with the number of all. */
export function grouped(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const byRule = new Map<string, Diagnostic[]>()
  for (const diagnostic of diagnostics) byRule.set(diagnostic.rule, [...(byRule.get(diagnostic.rule) ?? []), diagnostic])
  return [...byRule.values()].map((all) => {
    const first = all[0] as Diagnostic
    return all.length === 1 ? first : { ...first, message: `${first.message}; so it is with ${all.length} organisms` }
  })
}

/** Where the adapter of an entry lies; null when there is none, or it is on a hub and no copy of that commit is here. */
function folderOf({ adapter, revision }: Declared, file: string, cache: string, files: SourceFiles): string | null {
  if (adapter === null) return null
  if (!hubRepository(adapter)) return adapter.startsWith('hf:') ? null : path.resolve(path.dirname(file), adapter)
  const folder = hubFolder(adapter, revision, 'adapter', cache)
  return folder !== null && files.exists(folder) ? folder : null
}

function diagnosticOf(entry: Declared, document: SourceDocument) {
  return (rule: string, key: 'adapter' | 'revision', message: string, hint?: string): Diagnostic => ({
    severity: 'error',
    rule,
    message: `organism "${entry.name}": ${message}`,
    ...(hint ? { hint } : {}),
    range: document.rangeOf(entry.at[key], 'value'),
  })
}

function remote({ name, revision, plants }: Declared, adapter: string): OrganismSource {
  return { name, origin: adapter, path: null, digest: digestOfJson({ adapter, revision }), plants }
}
