import { formatCount } from '../../core/format.ts'
import { openStore, type Store } from '../../store/store.ts'
import { storeFolder, workspaceOf } from './places.ts'
import { progressLine } from './progress-line.ts'

/** The store of a workflow, opened. */
export function openStoreOf(stream: NodeJS.WriteStream, file: string, flag: string | undefined): { store: Store; workspace: string } {
  return { workspace: workspaceOf(file), store: openStoreAloud(stream, storeFolder(file, flag)) }
}

/** Opens a store, and says how far that is where its index is lost and takes long to be made again. */
export function openStoreAloud(stream: NodeJS.WriteStream, root: string): Store {
  const progress = progressLine(stream, Date.now)
  try {
    return openStore(root, ({ done, total }) =>
      progress.show(() => `making the index again from the manifests: ${formatCount(done)} of ${formatCount(total)} read`),
    )
  } finally {
    progress.end()
  }
}
