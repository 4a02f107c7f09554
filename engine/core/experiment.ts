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
