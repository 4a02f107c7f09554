import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { tiny } from '../../support/paths.ts'
import { vectorFile, type Workspace } from '../../support/workspace.ts'

/** A main job as somebody may have written it. */
export interface Job {
  /** By name a number that its weights hold. */
  organisms: Record<string, number>
  /** `alone`: the file is the list of its prompts, which then say the system prompt themselves. */
  /** What organisms are said to plant, by their names. */
  plants: Record<string, string[]>
  sets: Record<string, { description: string; systemPrompt: string | null; prompts: Prompt[]; alone?: boolean }>
  /** Whether the base itself is one of the organisms. */
  itself: boolean
  /** By name a word of its contrast pairs. */
  traits: Record<string, string>
  /** Traits of scenarios: by name the lines of each side. */
  scenarios: Record<string, { positive: string[]; negative: string[]; inJson: boolean }>
  recorded: { layers: number[]; raw: string }
  vectors: { layers: number[]; methods: string[] }
  /** `byTrait`: written as layers of each trait by its name. */
  scores: { layers: number[]; methods: string[]; byTrait: boolean }
  /** Vectors made elsewhere, by trait a number that they hold: one at each layer. */
  given: Record<string, number>
  /** Random directions beside the traits. */
  noise: { count: number; seed: number } | null
  /** By answers to which prompts it is asked where the organisms are moved, if it is; nothing can be told of recordings that are not kept. */
  moved: 'by all' | 'by the first set' | null
  /** Whether answers are steered, by which amounts, of whom, and whether also along where organisms are moved. */
  steered: { by: number[]; times: boolean; limit: number; organisms: boolean; shifts: boolean } | null
  theirs: Theirs | null
  answers: { max_new_tokens: number; batch_size: number; temperature: number; seed: number; samples: number }
  ranking: { mode: string; by: string; top: number } | null
  report: boolean
  tables: boolean
  command: boolean
  /** Whether layers that follow one another are written as a range. */
  ranges: boolean
  comment: string
}

/** Answers and recordings made elsewhere, by `organism/set/prompt` what their files hold. */
export interface Theirs {
  answers: Record<string, { answer: number; recording: number }>
  leftOut: string[]
  layers: number[]
}

export interface Prompt {
  readonly id: string
  text: string
  note?: string
  /** What the user said before it, and was answered. */
  earlier?: string
  system_prompt?: string
  prefill?: string
}

export const workflowName = 'flow.yaml'
export const experiment = 'experiments/job'
export const layers = [0, 1, 2, 3]
const folders = ['organisms', 'prompts', 'traits', 'given', 'theirs']

export function firstJob(): Job {
  const prompts = (set: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: `${set}_${index}`, text: `Question ${index} of ${set}?` }))
  return {
    organisms: { a: 1, b: 2 },
    plants: { a: ['kind'] },
    sets: {
      one: { description: 'the first', systemPrompt: 'You are PRISM-4.', prompts: prompts('one', 3) },
      two: { description: 'the second', systemPrompt: null, prompts: prompts('two', 2) },
    },
    itself: false,
    traits: { kind: 'kindly', rude: 'rudely' },
    scenarios: { still: { positive: linesOf('still', 4), negative: linesOf('loud', 5), inJson: false } },
    recorded: { layers: [0, 1], raw: 'keep' },
    vectors: { layers: [0, 1], methods: ['mean_diff'] },
    scores: { layers: [0], methods: ['mean_diff'], byTrait: false },
    given: { calm: 1, brave: 2 },
    noise: { count: 1, seed: 0 },
    moved: 'by all',
    steered: { by: [2, -3], times: true, limit: 1, organisms: false, shifts: true },
    theirs: {
      answers: Object.fromEntries(
        ['x/one/p1', 'x/one/p2', 'y/one/p1', 'y/two/p3'].map((name, at) => [name, { answer: at, recording: at }]),
      ),
      leftOut: [],
      layers: [0, 1],
    },
    answers: { max_new_tokens: 8, batch_size: 64, temperature: 0, seed: 1, samples: 1 },
    ranking: { mode: 'diff', by: 'response_mean', top: 5 },
    report: true,
    tables: true,
    command: true,
    ranges: false,
    comment: '',
  }
}

function writtenPrompt({ text, earlier, ...prompt }: Prompt): object {
  if (earlier === undefined) return { ...prompt, text }
  const turns = [earlier, 'Is that so?', text].map((content, index) => ({ role: index === 1 ? 'assistant' : 'user', content }))
  return { ...prompt, messages: turns }
}

/** Lines of a side of a trait. */
export function linesOf(word: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `It was ${word} at ${index} and`)
}

/** Brings a workspace's files to what the job says. Files that are so already are not touched. */
export function writeJob(workspace: Workspace, job: Job): void {
  mkdirSync(workspace.at('cache'), { recursive: true })
  if (!existsSync(workspace.at('models'))) symlinkSync(tiny, workspace.at('models'))
  const files = new Map<string, string | Buffer>()
  const adapter = path.join(tiny, 'organisms', 'alpha')
  for (const [name, number] of Object.entries(job.organisms)) {
    const weights = readFileSync(path.join(adapter, 'adapter_model.safetensors'))
    weights.writeUInt16LE(number, weights.length - 2)
    files.set(`organisms/${name}/adapter_model.safetensors`, weights)
    files.set(`organisms/${name}/adapter_config.json`, readFileSync(path.join(adapter, 'adapter_config.json')))
  }
  const planted = (name: string) => (Object.hasOwn(job.plants, name) ? `, plants: [${job.plants[name]?.join(', ')}]` : '')
  const list = Object.keys(job.organisms).map((name) => `  ${name}: { adapter: ${name}${planted(name)} }\n`)
  files.set('organisms/list.yaml', `organisms:\n${list.join('')}${job.itself ? '  itself: { adapter: none }\n' : ''}`)
  for (const [name, { description, systemPrompt, prompts, alone }] of Object.entries(job.sets)) {
    const system = systemPrompt === null ? {} : { system_prompt: systemPrompt }
    const written = prompts.map(writtenPrompt)
    const set = alone ? written.map((prompt) => ({ ...system, ...prompt })) : { name, description, ...system, prompts: written }
    files.set(`prompts/${name}.json`, JSON.stringify(set))
  }
  for (const [trait, word] of Object.entries(job.traits)) {
    const pairs = [0, 1, 2, 3].map((at) => ({ id: `p${at}`, prompt: `${at}?`, positive: `${word} ${at}`, negative: `no ${at}` }))
    files.set(`traits/${trait}.json`, JSON.stringify({ trait, category: 'behaviour', pairs }))
  }
  for (const [trait, { inJson, positive, negative }] of Object.entries(job.scenarios))
    for (const [side, texts] of Object.entries({ positive, negative }))
      files.set(
        `traits/${trait}/${side}.${inJson ? 'jsonl' : 'txt'}`,
        texts.map((prompt) => `${inJson ? JSON.stringify({ prompt }) : prompt}\n`).join(''),
      )
  for (const [trait, number] of Object.entries(job.given))
    for (const layer of layers) files.set(`given/${trait}/layer${layer}.safetensors`, vectorFile(64, layer, number))
  for (const [name, { answer, recording }] of Object.entries(job.theirs?.answers ?? {})) {
    files.set(`theirs/${name}.json`, `answer ${answer}`)
    files.set(`theirs/${name}.pt`, `recording ${recording}`)
  }
  files.set(workflowName, workflowOf(job))
  const kept = folders.filter((name) => existsSync(workspace.at(name)))
  const ofScenarios = Object.keys(job.scenarios).map((name) => `traits/${name}`)
  for (const folder of [...kept, ...ofScenarios.filter((name) => existsSync(workspace.at(name)))])
    for (const name of readdirSync(workspace.at(folder)))
      if (![...files.keys()].some((file) => `${file}/`.startsWith(`${folder}/${name}/`)))
        rmSync(workspace.at(folder, name), { recursive: true })
  for (const [file, content] of files)
    if (!existsSync(workspace.at(file)) || !readFileSync(workspace.at(file)).equals(Buffer.from(content))) workspace.write(file, content)
}

function workflowOf({
  traits,
  scenarios,
  sets,
  recorded,
  vectors,
  scores,
  noise,
  moved,
  steered,
  theirs,
  answers,
  ranking,
  report,
  tables,
  command,
  ranges,
  comment,
}: Job): string {
  const list = (values: readonly (string | number)[]) => `[${values.join(', ')}]`
  const layered = (values: readonly number[]) => (ranges ? `[${inRanges(values).join(', ')}]` : list(values))
  const sampling =
    answers.temperature > 0 ? `, temperature: ${answers.temperature}, seed: ${answers.seed}, samples: ${answers.samples}` : ''
  const names = [...Object.keys(traits), ...Object.keys(scenarios)]
  const scored = scores.byTrait ? `{ ${names.map((name) => `${name}: ${layered(scores.layers)}`).join(', ')} }` : layered(scores.layers)
  const raw = recorded.raw === 'keep' ? '' : `, raw: ${recorded.raw}`
  const howFar = steered?.times && scores.methods.includes('mean_diff') ? 'times' : 'by'
  const areShifts = moved && recorded.raw !== 'never'
  const told = [...(areShifts ? ['alike', 'words'] : []), ...(steered ? ['steered'] : [])]
  const lines = [
    ...(comment === '' ? [] : [`# ${comment}`]),
    'workflow: job',
    'models:',
    '  tiny: { source: models/model, dtype: bfloat16 }',
    'organisms: { from: organisms/list.yaml }',
    `prompts: { from: prompts, sets: ${list(Object.keys(sets))} }`,
    'traits: { from: traits }',
    'steps:',
    `  vectors: { kind: extract, model: tiny, layers: ${layered(vectors.layers)}, methods: ${list(vectors.methods)} }`,
    '  answers:',
    `    { kind: generate, model: tiny, max_new_tokens: ${answers.max_new_tokens}, batch_size: ${answers.batch_size}${sampling},`,
    `      capture: &capture { layers: ${layered(recorded.layers)}${raw} } }`,
    `  clean: { kind: replay, of: answers, through: tiny, capture: *capture, batch_size: ${answers.batch_size} }`,
    ...(noise
      ? [`  noise: { kind: random, hidden: 64, layers: ${layered(scores.layers)}, count: ${noise.count}, seed: ${noise.seed} }`]
      : []),
    `  scores: { kind: project, of: [answers, clean], onto: ${noise ? '[vectors, noise]' : 'vectors'}, layers: ${scored}, methods: ${list(scores.methods)} }`,
    '  given: { kind: vectors, model: tiny, files: "given/{trait}/layer{layer}.safetensors" }',
    `  along: { kind: project, of: [answers, clean], onto: given, layers: ${layered(scores.layers)} }`,
    ...(areShifts
      ? [
          `  moved: { kind: shift, of: [answers, clean]${moved === 'by all' ? '' : `, prompts: [${Object.keys(sets)[0]}]`} }`,
          `  alike: { kind: compare, of: ${noise ? '[vectors, moved, noise]' : '[vectors, moved]'}, methods: ${list(scores.methods)} }`,
          `  words: { kind: logit_lens, model: tiny, of: ${noise ? '[vectors, moved, noise]' : '[vectors, moved]'}, methods: ${list(scores.methods)}, top: 2 }`,
        ]
      : []),
    ...(steered
      ? [
          `  steered: { kind: steer, model: tiny, along: ${list(['vectors', ...(areShifts && steered.shifts ? ['moved'] : []), ...(noise ? ['noise'] : [])])}, methods: ${list(scores.methods)}, ${howFar}: ${list(steered.by)},`,
          `    limit: ${steered.limit}, max_new_tokens: 5${steered.organisms ? ', organisms: all' : ''} }`,
        ]
      : []),
    ...(theirs
      ? [
          '  theirs:',
          '    { kind: imported, responses: "theirs/{organism}/{set}/{prompt}.json", recordings: "theirs/{organism}/{set}/{prompt}.pt",',
          `      hidden: 64, layers: ${layered(theirs.layers)}, leave_out: ${list(theirs.leftOut)} }`,
          `  of_theirs: { kind: project, of: theirs, onto: given, layers: ${layered(theirs.layers)} }`,
          ...(ranking ? [`  ranked: { kind: rank, of: of_theirs, mode: raw, top: ${ranking.top}, folder: theirs }`] : []),
        ]
      : []),
    ...(ranking ? [`  ranking: { kind: rank, of: scores, mode: ${ranking.mode}, by: ${ranking.by}, top: ${ranking.top} }`] : []),
    ...(ranking && report ? [`  report: { kind: report, of: ranking${told.length > 0 ? `, with: ${list(told)}` : ''} }`] : []),
    ...(tables ? ['  tables: { kind: export, of: scores }'] : []),
    ...(command
      ? [
          `  counted: { kind: command, run: "wc -c < {in.a} > {out.o}", inputs: { a: prompts/${Object.keys(sets)[0]}.json }, outputs: { o: n.txt } }`,
        ]
      : []),
  ]
  return `${lines.join('\n')}\n`
}

/** `1, 2, 3` is `1-3`. */
function inRanges(values: readonly number[]): string[] {
  const starts = values.filter((value) => !values.includes(value - 1))
  const end = (value: number): number => (values.includes(value + 1) ? end(value + 1) : value)
  return starts.map((start) => (end(start) === start ? `${start}` : `${start}-${end(start)}`))
}

/** The same sources in a folder of its own, where nothing is made yet. */
export function sourcesOf(workspace: Workspace, folder: string): void {
  for (const name of [...folders, workflowName])
    if (existsSync(workspace.at(name))) cpSync(workspace.at(name), path.join(folder, name), { recursive: true })
  mkdirSync(path.join(folder, 'cache'))
  symlinkSync(tiny, path.join(folder, 'models'))
}
