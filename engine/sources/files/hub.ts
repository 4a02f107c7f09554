import path from 'node:path'

/** A repository of a Hugging Face hub at a commit, and the folder of the store in which a copy of it lies once fetched. */
export interface HubSource {
  readonly kind: 'model' | 'adapter'
  readonly repository: string
  readonly revision: string
  readonly folder: string
}

const commit = /^[0-9a-f]{40}$/

/** Of `hf:OWNER/NAME`; null for any other source. */
export function hubRepository(source: string): string | null {
  return /^hf:([\w.-]+\/[\w.-]+)$/.exec(source)?.[1] ?? null
}

/** A branch or the beginning of a commit's name can mean something else tomorrow. */
export function isPinned(revision: string | null): revision is string {
  return revision !== null && commit.test(revision)
}

/** Where a source lies once it is fetched; null when it is not on a hub. */
export function hubFolder(source: string, revision: string | null, kind: HubSource['kind'], cache: string): string | null {
  const repository = hubRepository(source)
  return repository && path.join(cache, `${kind}s`, `${repository.replace('/', '--')}-${revision ?? 'unpinned'}`)
}
