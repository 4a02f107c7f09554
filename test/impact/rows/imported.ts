import { cpSync, writeFileSync } from 'node:fs'
import type { Workspace } from '../../support/workspace.ts'
import { json } from '../edits.ts'
import { all, type Row, workflow } from '../row.ts'

const answers = '"../theirs/inference/{organism}/responses'
const recordings = 'recordings: "../theirs/inference/{organism}/raw/residual/{set}/{prompt}.pt"'
const first = 'inference/alpha/responses/one/one_1.json'

/** A copy of the experiment beside it. */
const others = (workspace: Workspace) => cpSync(workspace.at('theirs'), workspace.at('others'), { recursive: true })
const reworded = json<object>(`others/${first}`, (answer) => ({ ...answer, response: 'It pours.' }))

export const importedRows: readonly Row[] = [
  {
    of: 'imported.responses',
    edit: 'files of other content',
    workflow: 'variants',
    change: all(others, reworded, workflow(answers, answers.replace('theirs', 'others'))),
    made: { theirs: [1, 'file: digest → digest'] },
    follow: { 'theirs.recordings': 1, read: 1 },
  },
  {
    of: 'imported.responses',
    edit: 'the same files in another folder',
    workflow: 'variants',
    change: all(others, workflow(answers, answers.replace('theirs', 'others'))),
  },
  {
    of: 'imported.of',
    edit: 'a step with other answers',
    workflow: 'variants',
    change: all(
      others,
      reworded,
      workflow(
        'steps:',
        `steps:\n  more: { kind: imported, responses: ${answers.replace('theirs', 'others')}/{set}/{prompt}.json", organisms: [alpha], sets: [one] }`,
      ),
      workflow('of: theirs', 'of: more'),
    ),
    made: { 'more/alpha/one:*': [2, 'new'] },
    follow: { 'read/alpha/one:*': 2 },
    total: 45,
  },
  {
    of: 'imported.recordings',
    edit: 'a file of other content',
    workflow: 'variants',
    change: all(
      others,
      (workspace) => writeFileSync(workspace.at('others/inference/alpha/raw/residual/one/one_1.pt'), 'another'),
      workflow('../theirs/inference/{organism}/raw', '../others/inference/{organism}/raw'),
    ),
    made: { 'theirs.recordings': [1, 'file: digest → digest'] },
  },
  {
    of: 'imported.layers',
    edit: 'one added',
    workflow: 'variants',
    change: workflow('layers: [2]\n    hidden: 64\n    organisms', 'layers: [1, 2]\n    hidden: 64\n    organisms'),
    made: { 'theirs.recordings/alpha/one:one_1@1': [1, 'new'] },
    total: 43,
  },
  {
    of: 'imported.hidden',
    edit: 'another number',
    workflow: 'variants',
    change: workflow('hidden: 64', 'hidden: 32'),
    made: { 'theirs.recordings': [1, 'hidden: 64 → 32'] },
  },
  {
    of: 'imported.model',
    edit: 'a model of another size, in place of `hidden`',
    workflow: 'variants',
    change: all(
      workflow('models:', 'models:\n  other: { source: ../models/other, dtype: bfloat16 }'),
      workflow('hidden: 64', 'model: other'),
    ),
    made: { 'theirs.recordings': [1, 'hidden: 64 → 32'] },
  },
  {
    of: 'imported.organisms',
    edit: 'one more',
    workflow: 'variants',
    change: workflow('organisms: [alpha]\n    sets', 'organisms: [alpha, beta]\n    sets'),
    made: { 'theirs/beta/one:one_1': [1, 'new'] },
    follow: { 'theirs.recordings/beta/one:one_1@2': 1, 'read/beta/one:one_1@2': 1 },
    total: 45,
  },
  {
    of: 'imported.sets',
    edit: 'one more',
    workflow: 'variants',
    change: workflow('sets: [one]\n    leave', 'sets: [one, two]\n    leave'),
    made: { 'theirs/alpha/two:two_1': [1, 'new'] },
    follow: { 'theirs.recordings/alpha/two:two_1@2': 1, 'read/alpha/two:two_1@2': 1 },
    total: 45,
  },
  {
    of: 'imported.leave_out',
    edit: 'one taken after all',
    workflow: 'variants',
    change: workflow('    leave_out: [alpha/one/one_2]\n', ''),
    made: { 'theirs/alpha/one:one_2': [1, 'new'] },
    follow: { 'theirs.recordings/alpha/one:one_2@2': 1, 'read/alpha/one:one_2@2': 1 },
    total: 45,
  },
  ...(['layers: [2]', 'layers: [2], positions: all', 'layers: [2], raw: keep-int8'] as const).map(
    (capture): Row => ({
      of: `imported.capture.${/(\w+): [^:]*$/.exec(capture)?.[1]}`,
      edit: `none → \`{ ${capture} }\` in place of \`recordings\``,
      workflow: 'variants',
      change: workflow(`${recordings}\n    layers: [2]\n    hidden: 64`, `model: tiny\n    capture: { ${capture} }`),
      made: { 'theirs.capture': [1, 'new'] },
    }),
  ),
  {
    of: 'imported.batch_size',
    edit: '2 → 1',
    workflow: 'variants',
    change: workflow('one_2]\n    batch_size: 2', 'one_2]\n    batch_size: 1'),
  },
]
