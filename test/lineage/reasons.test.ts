import { expect, test } from 'vitest'
import { type Job, job, Memory } from './memory.ts'

const done = () => new Memory().run(job(), 'r1')
const steps = job().steps

test('a workflow that has made nothing is told in one line', () => {
  expect(new Memory().reasons(job())).toEqual([
    'first run: 4 vectors, 20 answers, 40 recordings, 80 projections, 4 rankings, 1 overview, 8 report parts, 1 report',
  ])
})

test('nothing to do has no reasons', () => {
  expect(done().reasons(job())).toEqual([])
})

test('a new trait is told with its vectors, its projections and its rankings; the overview and the report may follow', () => {
  expect(done().reasons(job({ traits: ['kind', 'rude', 'secret_loyalty'] }))).toEqual([
    '+1 trait `secret_loyalty`: 2 vectors, 40 projections, 2 rankings, then up to 1 overview, 8 report parts, 1 report',
  ])
})

test('several new traits are one line', () => {
  expect(done().reasons(job({ traits: ['kind', 'rude', 's1', 's2', 's3', 's4'] }))).toEqual([
    '+4 traits (`s1`, `s2`, `s3`, …): 8 vectors, 160 projections, 8 rankings, then up to 1 overview, 8 report parts, 1 report',
  ])
})

test('a new layer is told with its recordings', () => {
  const capture = { layers: [1, 2, 4] }
  const layered = job({ steps: { answers: { ...steps.answers, capture }, clean: { ...steps.clean, capture } } as Job['steps'] })
  expect(done().reasons(layered)).toEqual(['layer 4 added: 40 recordings'])
})

test('an edited prompt is told with its answers and what may follow from them', () => {
  expect(done().reasons(job({ prompts: { one: ['p1', 'p2!', 'p3'], two: ['q1', 'q2'] } }))).toEqual([
    'prompt `p2` edited: 4 answers, then up to 8 recordings, 16 projections, 2 rankings, 1 overview, 4 report parts, 1 report',
  ])
})

test('a reading that organisms share is told with those that they have alone', () => {
  const shared = () => new Memory(['p1', 'p2']).run(job(), 'r1')
  expect(shared().reasons(job({ prompts: { one: ['p1', 'p2!', 'p3'], two: ['q1', 'q2'] } }))).toEqual([
    'prompt `p2` edited: 4 answers, then up to 8 recordings, 16 projections, 2 rankings, 1 overview, 4 report parts, 1 report',
  ])
  expect(shared().reasons(job({ traits: ['kind', 'rude', 'secret_loyalty'] }))).toEqual([
    '+1 trait `secret_loyalty`: 2 vectors, 40 projections, 2 rankings, then up to 1 overview, 8 report parts, 1 report',
  ])
})

test('edited prompts of several sets are one line', () => {
  expect(done().reasons(job({ prompts: { one: ['p1!', 'p2!', 'p3'], two: ['q1!', 'q2!'] } }))).toEqual([
    '4 prompts edited (`p1`, `p2`, `q1`, …): 16 answers, then up to 32 recordings, 64 projections, 4 rankings, 1 overview, 8 report parts, 1 report',
  ])
})

test('a new organism is told with all that is made for it', () => {
  expect(done().reasons(job({ organisms: ['a', 'b', 'c', 'd', 'e'] }))).toEqual([
    '+1 organism `e`: 5 answers, 10 recordings, 20 projections, 1 overview, 2 report parts, then up to 4 rankings, 1 report',
  ])
})

test('an organism that is taken out is told with the rankings it was in', () => {
  expect(done().reasons(job({ organisms: ['a', 'b', 'c'] }))).toEqual(['−1 organism `d`: 4 rankings, 1 overview, then up to 1 report'])
})

test('an adapter with other weights is told by its organism', () => {
  const other = job()
  const organisms = other.sources.organisms.map((organism) => (organism.name === 'b' ? { ...organism, digest: 'f'.repeat(64) } : organism))
  expect(done().reasons({ ...other, sources: { ...other.sources, organisms } })).toEqual([
    'adapter of organism `b` changed: 5 answers, 5 recordings, then up to 5 recordings, 20 projections, 4 rankings, 1 overview, 2 report parts, 1 report',
  ])
})

test('parameters are told with the step they stand in, those of one step in one line', () => {
  const hotter = { ...steps.answers, temperature: 0.7, top_p: 0.9, seed: 3 } as Job['steps'][string]
  expect(done().reasons(job({ steps: { answers: hotter } }))).toEqual([
    '`seed` (none) → 3, `temperature` 0 → 0.7, `top_p` (none) → 0.9 in `answers`: 20 answers, then up to 40 recordings, 80 projections, 4 rankings, 1 overview, 8 report parts, 1 report',
  ])
  expect(done().reasons(job({ steps: { ranking: { ...steps.ranking, top: 5, mode: 'raw' } as Job['steps'][string] } }))).toEqual([
    '`mode` "diff" → "raw", `top` 3 → 5 in `ranking`: 4 rankings, then up to 1 overview',
    'other inputs than before for `report.answers`: 8 report parts, then up to 1 report',
  ])
})

test('a model of other weights is one line for all that it computes', () => {
  const other = job()
  const tiny = other.sources.models.get('tiny') as NonNullable<ReturnType<typeof other.sources.models.get>>
  const models = new Map([['tiny', { ...tiny, identity: { ...tiny.identity, weights: 'other' }, dtype: 'float32' }]])
  expect(done().reasons({ ...other, sources: { ...other.sources, models } })).toEqual([
    '`dtype` "bfloat16" → "float32" in model `tiny`: 4 vectors, 20 answers, 40 recordings, then up to 80 projections, 4 rankings, 1 overview, 8 report parts, 1 report',
    'other weights or tokenizer of model `tiny`: counted above',
  ])
})

test('a lost and a damaged object are told with what they held, and what may follow where it comes out differently', () => {
  expect(done().lose('scores/a/one/answers', 'gone').reasons(job())).toEqual([
    'object lost: 6 projections, then up to 2 rankings, 1 overview, 1 report part, 1 report',
  ])
  expect(done().lose('vectors/kind', 'damaged').lose('scores/a/one/answers', 'damaged').reasons(job())).toEqual([
    '2 objects damaged: 2 vectors, 3 projections, then up to 40 projections, 3 rankings, 1 overview, 8 report parts, 1 report',
  ])
})

test('what an unfinished run did not come to is left over, whatever else is new', () => {
  const cut = new Memory().run(job(), 'r1', (task) => task.startsWith('vectors/') || task.startsWith('answers/'))
  expect(cut.reasons(job())).toEqual([
    'left over from run r1: 40 recordings, 80 projections, 4 rankings, 1 overview, 8 report parts, 1 report',
  ])
})

test('a run that goes on after an edit says which inputs were made before', () => {
  const edited = job({ prompts: { one: ['p1!', 'p2', 'p3'], two: ['q1', 'q2'] } })
  const cut = done().run(edited, 'r2', (task) => task.startsWith('answers/'))
  expect(cut.reasons(edited)).toEqual([
    'inputs made in run r2: 8 recordings, then up to 16 projections, 2 rankings, 1 overview, 4 report parts, 1 report',
  ])
})

test('a step that is new is told by its name, a renamed one that makes the same is not', () => {
  const { report, ...others } = steps as Job['steps'] & { report: Job['steps'][string] }
  const second = { ...others, second: { ...steps.ranking, by: 'max_token' }, report } as Job['steps']
  expect(done().reasons({ ...job(), steps: second })).toEqual(['+1 step `second`: 4 rankings, 1 overview'])
  const { scores, ...rest } = steps as Job['steps'] & { scores: Job['steps'][string] }
  const renamed = { ...rest, lengths: scores, ranking: { ...steps.ranking, of: 'lengths' } } as Job['steps']
  expect(done().reasons({ ...job(), steps: renamed })).toEqual([])
})

test('every running cell is counted once, whatever happens at once', () => {
  const capture = { layers: [1, 2, 4] }
  const much = job({
    organisms: ['a', 'c', 'd', 'e'],
    traits: ['kind!', 'rude', 'secret'],
    prompts: { one: ['p1!', 'p2', 'p3', 'p4'], two: ['q1', 'q2'] },
    steps: { answers: { ...steps.answers, capture }, clean: { ...steps.clean, capture } } as Job['steps'],
  })
  const memory = done()
  expect(memory.groups(much).reduce((sum, { cells }) => sum + cells, 0)).toBe(memory.cellsToRun(much))
  expect(memory.reasons(much)).toMatchInlineSnapshot(`
    [
      "contrast set \`kind\` edited: 2 vectors, then up to 30 projections, 3 report parts",
      "+1 trait \`secret\`: 2 vectors, 30 projections, 2 rankings",
      "prompt \`p1\` edited: 3 answers, then up to 6 recordings, 6 projections",
      "+1 prompt \`p4\`: 3 answers, 6 recordings, 18 projections, then up to 3 report parts",
      "layer 4 added: 30 recordings",
      "+1 organism \`e\`: 6 answers, 12 recordings, 36 projections, 1 overview, 2 report parts, then up to 4 rankings, 1 report",
      "−1 organism \`b\`: counted above",
    ]
  `)
})

test('a plan of many thousand cells is a handful of lines', () => {
  const names = (letter: string, count: number) => Array.from({ length: count }, (_, index) => `${letter}${index}`)
  const large = { organisms: names('o', 20), prompts: { one: names('p', 40) } }
  const memory = new Memory().run(job(large), 'r1')
  const edited = job({ ...large, traits: ['kind', 'rude', 'secret'], prompts: { one: ['p0!', ...names('p', 40).slice(1)] } })
  expect(memory.cellsToRun(edited)).toBe(1807)
  expect(memory.reasons(edited)).toEqual([
    '+1 trait `secret`: 2 vectors, 1,600 projections, 1 ranking, then up to 1 overview, 20 report parts, 1 report',
    'prompt `p0` edited: 20 answers, then up to 40 recordings, 80 projections, 2 rankings',
  ])
})
