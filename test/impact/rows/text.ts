import { type Row, workflow } from '../row.ts'
import { workflowFile } from '../../support/workspace.ts'

const rewrite =
  (edit: (text: string) => string): Row['change'] =>
  (workspace) =>
    workspace.write(workflowFile, edit(workspace.read(workflowFile)))

export const textRows: readonly Row[] = [
  { of: 'comment', edit: 'added', change: rewrite((text) => `# the night run\n${text.replace('steps:', 'steps: # in order')}`) },
  {
    of: 'order of keys',
    edit: 'in a step',
    change: workflow('max_new_tokens: 6\n    batch_size: 2', 'batch_size: 2\n    max_new_tokens: 6'),
  },
  {
    of: 'order of keys',
    edit: 'in a model',
    change: workflow('source: ../models/model, dtype: bfloat16', 'dtype: bfloat16, source: ../models/model'),
  },
  {
    of: 'order of keys',
    edit: 'sections',
    change: rewrite((text) => text.replace(/(organisms: .*\n)(prompts: .*\n)(traits: .*\n)/, '$3$2$1')),
  },
  { of: 'order of steps', edit: 'the first one last', change: rewrite((text) => text.replace(/( {2}vectors: .*\n)([\s\S]*)$/, '$2$1')) },
  {
    of: 'order in a list',
    edit: 'layers of a capture: `[1, 2]` → `[2, 1]`',
    change: workflow('layers: [1, 2] }\n  clean', 'layers: [2, 1] }\n  clean'),
  },
  { of: 'order in a list', edit: 'steps that are projected', change: workflow('[answers, clean]', '[clean, answers]') },
  {
    of: 'form',
    edit: 'flow style → block style',
    change: workflow('organisms: { from: ../organisms/list.yaml }', 'organisms:\n  from: "../organisms/list.yaml"'),
  },
  { of: 'form', edit: 'an alias written out', change: workflow('*capture', '{ layers: [1, 2] }') },
  { of: 'form', edit: 'a default written out', change: workflow('top: 3', 'top: 3, mode: diff, by: response_mean') },
  { of: 'form', edit: 'Windows line ends', change: rewrite((text) => text.replaceAll('\n', '\r\n')) },
]
