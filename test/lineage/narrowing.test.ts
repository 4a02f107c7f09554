import { expect, test } from 'vitest'
import type { Line } from '../../engine/lineage/line.ts'
import { narrowingTo } from '../../engine/lineage/narrowing.ts'

const cells = (operation: string, ...names: string[]) =>
  names.map((name) => ({ operation, task: name.slice(0, name.indexOf(':')), cell: name.slice(name.indexOf(':') + 1) }))

/** What is left of some levels, and whether more would be looked for. */
function narrowed(line: Line | null, ...levels: ReturnType<typeof cells>[]): (string[] | boolean)[] {
  const { pick, isDone } = narrowingTo(line)
  const left = levels.map((level) => pick(level).map(({ task, cell }) => `${task}:${cell}`))
  return [...left, isDone()]
}

const table = (file: string, head: string, row: string): Line => {
  const rule = head.replaceAll(/[^|]+/g, ' --- ')
  return { file, text: `# Title\n\nText about alpha and kind.\n\n${head}\n${rule}\n| other | x |\n${row}\n`, number: 8 }
}

const rankings = cells('rank', 'ranking/one:kind@2:mean_diff', 'ranking/one:rude@2:mean_diff', 'ranking/two:kind@2:mean_diff')
const scores = [
  ...cells('project', 'scores/alpha/one/answers:p1@2:kind:mean_diff', 'scores/beta/one/answers:p1@2:kind:mean_diff'),
  ...cells('generate', 'answers/alpha/one:p1', 'answers/beta/one:p1'),
]

test('of an overview the trait picks rankings and the organism their scores and answers', () => {
  const line = table('summary.md', '| organism | trait | mean |', '| alpha | kind | 25.40 |')
  expect(narrowed(line, rankings, scores)).toEqual([
    ['ranking/one:kind@2:mean_diff', 'ranking/two:kind@2:mean_diff'],
    ['scores/alpha/one/answers:p1@2:kind:mean_diff', 'answers/alpha/one:p1'],
    true,
  ])
})

test('of a row of a matrix, which names its organism alone, all rankings count', () => {
  const line = table('summary.md', '| organism | kind | rude |', '| kind | 1.00 | 2.00 |')
  const named = cells('project', 'scores/kind/one/answers:p1@2:kind:mean_diff', 'scores/alpha/one/answers:p1@2:kind:mean_diff')
  expect(narrowed(line, rankings, named)).toEqual([
    rankings.map(({ task, cell }) => `${task}:${cell}`),
    ['scores/kind/one/answers:p1@2:kind:mean_diff'],
    true,
  ])
})

test('of two prompt sets that are compared only their rankings count', () => {
  const line = table(
    'summary.md',
    '| organism | trait | higher on | mean | lower on | mean |',
    '| alpha | kind | two | 8.46 | three | 0.86 |',
  )
  expect(narrowed(line, rankings)).toEqual([['ranking/two:kind@2:mean_diff'], false])
})

test('the page of an organism is of it, whatever its line names', () => {
  const line = table('top_activating/organisms/beta.md', '| trait | mean | of |', '| rude | 3.95 | one / p1 |')
  expect(narrowed(line, rankings, scores)).toEqual([
    ['ranking/one:rude@2:mean_diff'],
    ['scores/beta/one/answers:p1@2:kind:mean_diff', 'answers/beta/one:p1'],
    true,
  ])
  const plain = { file: 'by_organism/beta.json', text: '{\n "responses": 3,\n "prompt_id": "p1"\n}', number: 2 }
  expect(narrowed(plain, scores)).toEqual([['scores/beta/one/answers:p1@2:kind:mean_diff', 'answers/beta/one:p1'], true])
})

test('a number in JSON is of what the objects around it name', () => {
  const text = JSON.stringify(
    {
      trait: 'kind',
      layer: 2,
      method: 'mean_diff',
      prompt_set: 'one',
      organisms: [
        { organism: 'beta', responses: 3 },
        { organism: 'alpha', responses: 3 },
      ],
      top: [{ organism: 'beta', prompt_id: 'p2', clauses: [{ text: 'Well', score: 2 }], best: 1 }],
    },
    null,
    1,
  )
  const at = (part: string) => ({ file: 'across_organisms.json', text, number: text.slice(0, text.lastIndexOf(part)).split('\n').length })
  const many = cells(
    'project',
    ...['alpha', 'beta'].flatMap((who) => ['p1', 'p2'].map((prompt) => `scores/${who}/one:${prompt}@2:kind:mean_diff`)),
  )
  const of = (part: string) => narrowed(at(part), many)[0]
  expect(of('"best"')).toEqual(['scores/beta/one:p2@2:kind:mean_diff'])
  expect(of('"score"')).toEqual(['scores/beta/one:p2@2:kind:mean_diff'])
  expect(of('"responses"')).toEqual(['scores/alpha/one:p1@2:kind:mean_diff', 'scores/alpha/one:p2@2:kind:mean_diff'])
  expect(of('"layer"')).toEqual(many.map(({ task, cell }) => `${task}:${cell}`))
  const lists = cells('logit-lens', 'words/tokens:kind@2:mean_diff', 'words/tokens:kind@2:apart')
  const tokens = JSON.stringify([{ trait: 'kind', layer: 2, method: 'apart', toward: [{ token: ' so', value: 1 }] }], null, 1)
  expect(narrowed({ file: 'tokens.json', text: tokens, number: 9 }, lists)[0]).toEqual(['words/tokens:kind@2:apart'])
})

test('of a comparison the organism picks its shift, and its nearest traits their vectors', () => {
  const line = table('summary.md', '| organism | nearest trait | second |', '| beta | **kind@2 0.25** | rude@1 0.07 |')
  const vectors = [
    ...cells(
      'extract',
      'vectors/kind:kind@1:mean_diff',
      'vectors/kind:kind@2:mean_diff',
      'vectors/rude:rude@1:mean_diff',
      'vectors/mild:mild@1:mean_diff',
    ),
    ...cells('shift', 'moved/alpha:alpha@2:shift', 'moved/beta:beta@2:shift'),
  ]
  expect(narrowed(line, vectors)).toEqual([
    ['vectors/kind:kind@2:mean_diff', 'vectors/rude:rude@1:mean_diff', 'moved/beta:beta@2:shift'],
    true,
  ])
})

test('of token lists a trait is no organism of its name, and a direction is told by its method', () => {
  const lists = cells(
    'logit-lens',
    'words/tokens:kind@2:mean_diff',
    'words/tokens:kind@2:shift',
    'words/tokens:kind@2:apart',
    'words/tokens:rude@2:shift',
  )
  expect(narrowed(table('summary.md', '| trait | cosine |', '| kind | 0.20 |'), lists)).toEqual([['words/tokens:kind@2:mean_diff'], true])
  expect(narrowed(table('summary.md', '| organism | cosine |', '| kind | 0.20 |'), lists)).toEqual([
    ['words/tokens:kind@2:shift', 'words/tokens:kind@2:apart'],
    true,
  ])
  expect(narrowed(table('layer2.md', '| direction | cosine |', '| kind:apart | 0.20 |'), lists)).toEqual([
    ['words/tokens:kind@2:apart'],
    true,
  ])
  const given = cells('adopt', 'given/kind:kind@2:mean-diff', 'given/kind:kind@2:probe')
  expect(narrowed(table('layer2.md', '| vector | rude |', '| kind:mean-diff | 0.20 |'), given)).toEqual([
    ['given/kind:kind@2:mean-diff'],
    true,
  ])
})

test.for([
  ['no line', null],
  ['a line of text', { file: 'summary.md', text: '# About alpha\n\nThe organism alpha.', number: 3 }],
  ['the head of a table', { file: 'summary.md', text: '| organism |\n| --- |\n| alpha |', number: 1 }],
  ['a line behind a table', { file: 'summary.md', text: '| organism |\n| --- |\n| alpha |\n\nalpha', number: 5 }],
  ['JSON that names nothing', { file: 'across_organisms.json', text: '{\n "responses": 3\n}', number: 2 }],
] as const)('%s names nothing, and everything counts', ([, line]) => {
  expect(narrowed(line, scores)).toEqual([scores.map(({ task, cell }) => `${task}:${cell}`), true])
})

const steeredAnswers = cells('steer', 'steering/one/@2:p1~kind@2:mean_diff~-4', 'steering/one/@2:p1~rude@2:mean_diff~0.5')
const readOfThem = cells(
  'score',
  'steering/one/read:p1@2:kind:mean_diff',
  'steering/one/@2/read:p1~kind@2:mean_diff~-4@2:rude:mean_diff',
  'steering/one/@2/read:p1~rude@2:mean_diff~0.5@2:kind:mean_diff',
)

test('of a direction that is steered along count the answers so steered, and of what was read also that of those that are not', () => {
  const line = table('steering/summary.md', '| steered along | by -4 |', '| kind | 1.00 |')
  expect(narrowed(line, steeredAnswers.concat(readOfThem))).toEqual([
    [
      'steering/one/@2:p1~kind@2:mean_diff~-4',
      'steering/one/read:p1@2:kind:mean_diff',
      'steering/one/@2/read:p1~kind@2:mean_diff~-4@2:rude:mean_diff',
    ],
    true,
  ])
  const text = ' {\n  "steered_along": "rude@2:mean_diff",\n  "by": 0.5,\n'
  const json = { file: 'steering/effects.json', text, number: 3 }
  expect(narrowed(json, steeredAnswers)).toEqual([['steering/one/@2:p1~rude@2:mean_diff~0.5'], true])
})

test('the prompt of a steered answer is told apart from how it is steered', () => {
  const line = table('steering/summary.md', '| steered along | by | prompt |', '| rude | 0.5 | p1 |')
  const others = cells('steer', 'steering/one/@2:p2~rude@2:mean_diff~0.5')
  expect(narrowed(line, [...steeredAnswers, ...others])).toEqual([['steering/one/@2:p1~rude@2:mean_diff~0.5'], true])
})
