import { all, file, move, type Row, workflow, write } from '../row.ts'

const variants = { workflow: 'variants' } as const

export const commandRows: readonly Row[] = [
  {
    ...variants,
    of: 'command.run',
    edit: '`sort` → `sort -r`',
    change: workflow('"sort {in.words} >', '"sort -r {in.words} >'),
    made: {
      sorted: [
        2,
        'run: "sort {in.words} > {out.list}; printenv GREETING > {out.g…" → "sort -r {in.words} > {out.list}; printenv GREETING > {ou…"',
      ],
    },
    follow: { copied: 1 },
  },
  {
    ...variants,
    of: 'command.inputs.*',
    edit: 'the bytes of the file',
    change: file('words.txt', 'rain', 'hail'),
    made: { sorted: [2, 'files.words: digest → digest'] },
    follow: { copied: 1 },
  },
  {
    ...variants,
    of: 'command.inputs.*',
    edit: 'a file of another name and the same bytes',
    change: all(move('words.txt', 'others.txt'), workflow('../words.txt', '../others.txt')),
  },
  {
    ...variants,
    of: 'command.inputs.*',
    edit: 'one more input',
    change: all(write('more.txt', 'snow\n'), workflow('words: ../words.txt }', 'words: ../words.txt, more: ../more.txt }')),
    made: { sorted: [2, 'files.more: (none) → digest'] },
    follow: { copied: 1 },
  },
  {
    ...variants,
    of: 'command.inputs.*.step',
    edit: 'an output of another step',
    change: all(
      workflow('steps:\n', 'steps:\n  other: { kind: command, run: "date > {out.list}", outputs: { list: list.txt } }\n'),
      workflow('step: sorted', 'step: other'),
    ),
    made: { other: [1, 'new'] },
    follow: { copied: 1 },
    total: 43,
  },
  {
    ...variants,
    of: 'command.inputs.*.output',
    edit: 'another output of the same step',
    change: workflow('output: list', 'output: greeting'),
    made: { copied: [1, 'inputs.list: digest → digest'] },
  },
  {
    ...variants,
    of: 'command.outputs.*',
    edit: 'another file name',
    change: workflow('list: list.txt', 'list: words.txt'),
    made: { 'sorted:list': [1, 'file: "list.txt" → "words.txt"'] },
    follow: { copied: 1 },
  },
  {
    ...variants,
    of: 'command.outputs.*',
    edit: 'one more output',
    change: workflow('list: list.txt', 'list: list.txt, more: more.txt'),
    made: { 'sorted:more': [1, 'new'] },
    total: 43,
  },
  {
    ...variants,
    of: 'command.env.*',
    edit: '`hello` → `hi`',
    change: workflow('GREETING: hello', 'GREETING: hi'),
    made: { sorted: [2, 'env.GREETING: "hello" → "hi"'] },
    follow: { copied: 1 },
  },
  {
    ...variants,
    of: 'command.version',
    edit: '1 → 2',
    change: workflow('{ GREETING: hello }', '{ GREETING: hello }\n    version: 2'),
    made: { sorted: [2, 'command_version: 1 → 2'] },
    follow: { copied: 1 },
  },
]
