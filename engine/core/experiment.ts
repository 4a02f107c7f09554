import type { Json } from './json.ts'
import type { CellOutput, Reader } from './step-kind.ts'

/** A file of another tool's layout, relative to its folder, and what it is made of. */
export type ExperimentFile = { readonly path: string } /** `needs`: the recordings whose token norms are asked for. */ & (
  | { readonly is: 'json'; content(read: ExperimentReader): Promise<Json>; readonly needs: readonly CellOutput[] }
  /** A vector. */
  | { readonly is: 'tensor'; readonly tensor: CellOutput }
  | { readonly is: 'recording'; readonly answer: CellOutput; readonly layers: Readonly<Record<string, CellOutput>> }
)

export interface ExperimentReader extends Reader {
  /** The length of every recorded token. Only of recordings that the file says it `needs`. */
  norms(recording: CellOutput): Promise<readonly number[]>
}

/** What the sidecar says of a file of recordings: `wrong` alone where it is none. */
export type RecordingFacts =
  | { readonly wrong: string }
  | {
      readonly promptIds: readonly number[]
      readonly responseIds: readonly number[]
      readonly layers: readonly { readonly layer: number; readonly tokens: number; readonly hidden: number; readonly nonFinite: number }[]
    }

/** The same of a file with a vector. */
export type VectorFacts = { readonly wrong: string } | { readonly hidden: number }
