import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { fail, ok, type Result } from '../../core/result.ts'
import type { SidecarCommand } from '../../run/executors/sidecar.ts'

/** Where a workflow lives: the nearest folder above it that has a `cache/`; else the one above `workflows/`. */
export function workspaceOf(file: string): string {
  const folder = path.resolve(path.dirname(file))
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, 'cache'))) return at
    if (at === path.dirname(at)) break
  }
  return path.basename(folder) === 'workflows' ? path.dirname(folder) : folder
}

/** The store's folder: `--store`, else cache/ of the workspace. */
export function storeFolder(file: string, flag: string | undefined): string {
  return path.resolve(flag ?? path.join(workspaceOf(file), 'cache'))
}

/** A workflow file with its store and devices as they stand after a command: in quotes where a shell would take them apart. */
export function asGiven(file: string, { store, device }: { readonly store?: string; readonly device?: readonly string[] }): string {
  const quoted = (text: string) => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`)
  return [file, ...(store === undefined ? [] : ['--store', store]), ...(device ? ['--device', device.join(',')] : [])].map(quoted).join(' ')
}

/** The folder of this program: it holds the sidecar's package and its Python environment. */
export function programRoot(): string {
  let at = path.dirname(fileURLToPath(import.meta.url))
  while (!existsSync(path.join(at, 'sidecar')) && at !== path.dirname(at)) at = path.dirname(at)
  return at
}

/** Longer than any honest piece of work says nothing: the sidecar gives a sign of life every few seconds. */
const defaultSilence = 600

/**
 * How the sidecar is started. `DAG_PYTHON` names another Python, `DAG_SIDECAR` another program with its arguments,
 * `DAG_SIDECAR_SILENCE` the seconds without a sign of life after which it counts as hung.
 */
export function sidecarCommand(env: NodeJS.ProcessEnv): Result<SidecarCommand, Diagnostic> {
  const root = programRoot()
  const silence = Number(env.DAG_SIDECAR_SILENCE ?? defaultSilence)
  if (!(silence > 0 && silence <= 86_400)) {
    const message = `DAG_SIDECAR_SILENCE is ${JSON.stringify(env.DAG_SIDECAR_SILENCE)}`
    return fail({ severity: 'error', rule: 'bad-setting', message, hint: 'it takes seconds, more than 0 and at most 86400' })
  }
  if (env.DAG_SIDECAR) return ok({ command: env.DAG_SIDECAR.split(' '), root, silence })
  return ok({ command: pythonModule(env, 'sidecar'), root, silence })
}

/** The command that runs a module of `sidecar/`. */
export function pythonModule(env: NodeJS.ProcessEnv, name: string): string[] {
  return [env.DAG_PYTHON ?? path.join(programRoot(), '.venv', 'bin', 'python'), '-m', name]
}
