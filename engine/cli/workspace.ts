import { openStore, type Store } from '../store/store.ts'
import { storeFolder, workspaceOf } from './places.ts'

/** The store of a workflow, opened. */
export function openStoreOf(file: string, flag: string | undefined): { store: Store; workspace: string } {
  return { workspace: workspaceOf(file), store: openStore(storeFolder(file, flag)) }
}
