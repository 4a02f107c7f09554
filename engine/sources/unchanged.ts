import type { ModelSource } from '../core/sources.ts'
import type { Adapter } from '../core/step-kind.ts'
import { readAdapter } from './adapters.ts'
import type { SourceFiles } from './files/files.ts'
import { identityOf } from './models.ts'

/**
 * Whether a model or an adapter on this machine still is what was read before: somebody may have trained it anew since,
 * while a run went on. Files whose stamps are the same are not hashed again.
 */
export async function isUnchanged(source: ModelSource | Adapter, files: SourceFiles): Promise<boolean> {
  if (source.path === null) return true
  if ('digest' in source) {
    const adapter = await readAdapter(source.path, files)
    return adapter.ok && adapter.value.digest === source.digest
  }
  const now = await identityOf(source.path, source.told, files)
  const parts = new Set([...Object.keys(source.identity), ...Object.keys(now ?? {})])
  return now !== null && [...parts].every((part) => now[part] === source.identity[part])
}
