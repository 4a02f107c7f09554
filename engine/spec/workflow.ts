import type { Told } from '../core/sources.ts'
import type { SourceRange } from '../core/diagnostic.ts'
import type { Step } from '../core/step-kind.ts'
import type { Path } from './document.ts'

/** A workflow whose shape is right; what it points at is not read yet. */
export interface Workflow {
  readonly name: string
  readonly experiment: string
  /** The file it was read from, and its folder: relative paths start there. */
  readonly file: string
  readonly folder: string
  readonly models: Readonly<Record<string, ModelDeclaration>>
  readonly organisms: { readonly from: string } | null
  readonly prompts: { readonly from: string; readonly sets: readonly string[]; readonly limit: Limit | null } | null
  readonly traits: { readonly from: string; readonly only: readonly string[] | null } | null
  readonly notify: Notify | null
  /** A slice that is done first: so many organisms, so many prompts (null: all), and when the rest follows. */
  readonly pilot: { readonly organisms: number; readonly prompts: number | null; readonly goOnWithin: number } | null
  /** In the order of the file. */
  readonly steps: readonly Step[]
  rangeOf(path: Path, of: 'key' | 'value'): SourceRange
}

/** Who is told of a run, and of what. */
export interface Notify {
  readonly command: readonly string[] | null
  /** Name of the environment variable with the URL. */
  readonly webhook: string | null
  readonly on: readonly ('end' | 'failure')[]
}

/** At most this many prompts of every set, or of each set by name. */
export type Limit = number | Readonly<Record<string, number>>

export interface ModelDeclaration {
  readonly source: string
  readonly revision: string | null
  /** A config.json to plan with while the weights are not on this machine. */
  readonly config: string | null
  readonly dtype: string
  readonly devices: readonly string[]
  readonly quantization: string | null
  readonly told: Told
}
