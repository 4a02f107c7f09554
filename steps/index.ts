import type { StepKind } from '../engine/core/step-kind.ts'
import { command } from './command/kind.ts'
import { compare } from './compare/kind.ts'
import { exportScores } from './export/kind.ts'
import { extract } from './extract/kind.ts'
import { generate } from './generate/kind.ts'
import { imported } from './imported/kind.ts'
import { logitLens } from './logit-lens/kind.ts'
import { project } from './project/kind.ts'
import { random } from './random/kind.ts'
import { rank } from './rank/kind.ts'
import { replay } from './replay/kind.ts'
import { report } from './report/kind.ts'
import { shift } from './shift/kind.ts'
import { steer } from './steer/kind.ts'
import { vectors } from './vectors/kind.ts'

/** Every step kind that a workflow can name. The engine is given this list; it knows none of them by name. */
export const kinds: readonly StepKind[] = [
  extract,
  vectors,
  random,
  generate,
  replay,
  imported,
  shift,
  project,
  rank,
  compare,
  logitLens,
  steer,
  report,
  exportScores,
  command,
]
