import type { Digest } from '../../core/digest.ts'
import type { Maker } from '../../core/maker.ts'
import type { Components, Facts, Slot } from '../../core/step-kind.ts'

/** One committed batch: what was made, from what, under which keys. The index can be rebuilt from these alone. */
export interface Manifest {
  readonly format: 1
  readonly run: string
  readonly workflow: string
  readonly task: string
  readonly operation: string
  /** Milliseconds since 1970. */
  readonly created: number
  /** Absent where nobody knows: of programs of the user's, and of batches of before it was noted. */
  readonly maker?: Maker
  /** Key components that all its cells share. */
  readonly shared: Components
  readonly objects: readonly StoredFile[]
  readonly cells: readonly ManifestCell[]
}

export interface StoredFile {
  readonly digest: Digest
  readonly bytes: number
}

export interface ManifestCell {
  readonly cell: string
  readonly key: Digest
  readonly digest: Digest
  readonly slot: Slot
  /** Its own key components, beside the shared ones. */
  readonly own: Components
  /** Keys of the cells it was computed from. */
  readonly inputs: readonly Digest[]
  readonly facts: Facts
}
