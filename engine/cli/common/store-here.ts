import { existsSync } from 'node:fs'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { fail, ok, type Result } from '../../core/result.ts'
import { storeLayout } from '../../store/files/layout.ts'
import { storeFolder } from './places.ts'

/** The store of the folder one is in, or of `--store`, for commands that take no workflow. It must be there. */
export function storeHere(flag: string | undefined): Result<string, readonly Diagnostic[]> {
  const root = storeFolder('./.', flag)
  if (existsSync(storeLayout(root).manifests)) return ok(root)
  return fail([
    {
      severity: 'error',
      rule: 'no-store',
      message: `there is no store at ${root}`,
      hint: 'go to the workspace, or name the folder of its store with --store',
    },
  ])
}
