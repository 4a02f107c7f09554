import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

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

/** The folder of this program: it holds the sidecar's package and its Python environment. */
export function programRoot(): string {
  let at = path.dirname(fileURLToPath(import.meta.url))
  while (!existsSync(path.join(at, 'sidecar')) && at !== path.dirname(at)) at = path.dirname(at)
  return at
}

/** How the sidecar is started. `DAG_PYTHON` names another Python, `DAG_SIDECAR` another program. */
export function sidecarCommand(env: NodeJS.ProcessEnv): { command: readonly string[]; root: string } {
  const root = programRoot()
  if (env.DAG_SIDECAR) return { command: env.DAG_SIDECAR.split(' '), root }
  return { command: [env.DAG_PYTHON ?? path.join(root, '.venv', 'bin', 'python'), '-m', 'sidecar'], root }
}
