import type { Row } from '../row.ts'
import { circumstanceRows, versionRows } from './circumstances.ts'
import { commandRows } from './command.ts'
import { generateRows } from './generate.ts'
import { exportRows, rankRows, reportRows } from './rankings.ts'
import { extractRows, projectRows, replayRows } from './recordings.ts'
import { importedRows } from './imported.ts'
import { steerRows } from './steer.ts'
import { modelRows, organismRows, promptRows } from './sources.ts'
import { textRows } from './text.ts'
import { traitRows } from './traits.ts'
import { compareRows, logitLensRows, randomRows, shiftRows, vectorsRows } from './vectors.ts'
import { fieldRows } from './workflow.ts'

/** Every kind of edit, in the order of the page. */
export const sections: readonly { readonly title: string; readonly rows: readonly Row[] }[] = [
  { title: 'Parameters of generate', rows: generateRows },
  { title: 'Parameters of replay', rows: replayRows },
  { title: 'Parameters of extract', rows: extractRows },
  { title: 'Parameters of vectors', rows: vectorsRows },
  { title: 'Parameters of random', rows: randomRows },
  { title: 'Parameters of shift', rows: shiftRows },
  { title: 'Parameters of compare', rows: compareRows },
  { title: 'Parameters of logit_lens', rows: logitLensRows },
  { title: 'Parameters of steer', rows: steerRows },
  { title: 'Parameters of imported', rows: importedRows },
  { title: 'Parameters of project', rows: projectRows },
  { title: 'Parameters of rank', rows: rankRows },
  { title: 'Parameters of report', rows: reportRows },
  { title: 'Parameters of export', rows: exportRows },
  { title: 'Parameters of command', rows: commandRows },
  { title: 'Fields of the workflow', rows: fieldRows },
  { title: 'Text of the workflow', rows: textRows },
  { title: 'Prompt sets', rows: promptRows },
  { title: 'Organisms', rows: organismRows },
  { title: 'Contrast sets', rows: traitRows },
  { title: 'Models', rows: modelRows },
  { title: 'Versions of operations', rows: versionRows },
  { title: 'Circumstances', rows: circumstanceRows },
]
