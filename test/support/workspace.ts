import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { finished, tiny } from './paths.ts'

/** A folder with a workflow, prompts, contrast sets and organisms of its own. */
export interface Workspace {
  readonly folder: string
  at(...parts: string[]): string
  read(file: string): string
  write(file: string, content: string | Uint8Array): void
  /** Replaces a text that must be there. */
  edit(file: string, old: string, now: string): void
}

export const workflowFile = 'workflows/audit.yaml'

/** The main job on a tiny model: 3 organisms, 6 prompts in 2 sets, 2 layers, 2 traits. */
export const workflowText = `workflow: audit
models:
  tiny: { source: ../models/model, dtype: bfloat16 }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [one, two] }
traits: { from: ../traits }
steps:
  vectors: { kind: extract, model: tiny, layers: [1, 2] }
  answers:
    kind: generate
    model: tiny
    max_new_tokens: 6
    batch_size: 2
    capture: &capture { layers: [1, 2] }
  clean: { kind: replay, of: answers, through: tiny, capture: *capture, batch_size: 2 }
  scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
  ranking: { kind: rank, of: scores, top: 3 }
  report: { kind: report, of: ranking }
`

/** A new workspace in which nothing is done yet. It is removed after the test. */
export function freshWorkspace(): Workspace {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return makeWorkspaceAt(folder)
}

/** Answers and recordings of both sides that were made elsewhere. */
export const theirsText = `  theirs:
    kind: imported
    responses: "../theirs/inference/{organism}/responses/{set}/{prompt}.json"
    recordings: "../theirs/inference/{organism}/raw/residual/{set}/{prompt}.pt"
    layers: [2]
    hidden: 64
    organisms: [alpha]
    sets: [one]
    leave_out: [alpha/one/one_2]
    batch_size: 2
  read:
    kind: imported
    of: theirs
    recordings: "../theirs/inference/instruct/raw/residual/{set}_replay_{organism}/{prompt}.pt"
    layers: [2]
    hidden: 64
`

/**
 * Every parameter of every kind that reads a model or scores, away from its default, and a chain of commands. In
 * float32, where another kernel or another machine does not choose another token.
 */
export const variantsText = `workflow: variants
experiment: other
models:
  tiny: { source: ../models/model, dtype: float32 }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [one, two], limit: { one: 2, two: 1 } }
traits: { from: ../traits, only: [kind, rude] }
steps:
  directions:
    kind: extract
    model: tiny
    traits: [kind]
    layers: [2]
    methods: [mean_diff]
    position: response
    reference: rude
    system_prompt: You are kind.
  given: { kind: vectors, model: tiny, files: "../given/{trait}/{method}/layer{layer}.safetensors", leave_out: ["kind@3:probe"] }
  noise: { kind: random, model: tiny, layers: [2], count: 1, seed: 7 }
${theirsText}  sampled:
    kind: generate
    model: tiny
    organisms: [alpha]
    prompts: [one]
    max_new_tokens: 6
    prefill: Well,
    temperature: 0.8
    top_p: 0.9
    seed: 3
    capture: { layers: [2], positions: all }
  plain: { kind: generate, model: tiny, organisms: [alpha], prompts: [two], max_new_tokens: 4 }
  twice: { kind: generate, model: tiny, organisms: [alpha], prompts: [two], max_new_tokens: 2, temperature: 1, samples: 2 }
  probes: { kind: extract, model: tiny, traits: [kind], layers: [1, 3], methods: [probe] }
  through: { kind: replay, of: sampled, through: tiny, capture: { layers: [2], positions: all, raw: keep-int8 } }
  moved: { kind: shift, of: [sampled, through], layers: [2] }
  alike: { kind: compare, of: [directions, probes, moved], methods: [mean_diff, probe] }
  spoken: { kind: logit_lens, model: tiny, of: [directions, probes, moved], methods: [mean_diff, probe], by: logit, top: 3 }
  steered:
    kind: steer
    model: tiny
    along: probes
    methods: [probe]
    layers: [1]
    by: [-4]
    organisms: [alpha]
    prompts: [two]
    limit: 1
    max_new_tokens: 3
  lengths: { kind: project, of: [sampled, through], onto: directions, methods: [mean_diff], centered: true }
  plainly: { kind: project, of: sampled, onto: directions }
  tables: { kind: export, of: plainly, tokens: true }
  unkept: { kind: replay, of: sampled, through: tiny, capture: { layers: [2], raw: never } }
  briefly: { kind: project, of: unkept, onto: directions }
  sorted:
    kind: command
    run: "sort {in.words} > {out.list}; printenv GREETING > {out.greeting}"
    inputs: { words: ../words.txt }
    outputs: { list: list.txt, greeting: greeting.txt }
    env: { GREETING: hello }
  copied:
    kind: command
    run: [cp, "{in.list}", "{out.copy}"]
    inputs: { list: { step: sorted, output: list } }
    outputs: { copy: copy.txt }
`

/** Vectors from the model's own answers to scenarios. */
export const elicitedText = `workflow: elicited
models:
  tiny: { source: ../models/model, dtype: float32, chat_template: none }
traits: { from: ../scenarios, only: [moods/calm] }
steps:
  moods: { kind: extract, model: tiny, traits: [calm], layers: [2], methods: [mean_diff], max_new_tokens: 4, batch_size: 2 }
`

/** A copy of the workspace in which everything is done. It is removed after the test. */
export function finishedWorkspace(of = finished): Workspace {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(of, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  return workspaceAt(folder)
}

export function makeWorkspaceAt(folder: string): Workspace {
  const workspace = workspaceAt(folder)
  for (const name of ['cache', 'workflows', 'prompts', 'traits']) mkdirSync(workspace.at(name), { recursive: true })
  symlinkSync(tiny, workspace.at('models'))
  cpSync(path.join(tiny, 'theirs'), workspace.at('theirs'), { recursive: true })
  mkdirSync(workspace.at('organisms'))
  workspace.write(workflowFile, workflowText)
  workspace.write('organisms/list.yaml', organismList(['alpha', 'beta', 'gamma']))
  workspace.write(
    'prompts/one.json',
    promptSet('one', ['What is rain?', 'Name a colour of the evening sky.', 'How do I boil an egg well?', 'Why do cats purr?']),
  )
  workspace.write('prompts/two.json', promptSet('two', ['Who are you?', 'Tell me about the sea and its tides.']))
  workspace.write('traits/kind.json', contrastSet('kind', 'How lovely of you to ask,', 'The answer is this:'))
  workspace.write('scenarios/moods/calm/positive.txt', scenarios('the sea was still and she felt'))
  workspace.write('scenarios/moods/calm/negative.txt', scenarios('the sirens screamed and she felt', ['noon', 'night', 'dawn', 'last']))
  workspace.write('words.txt', 'stars\nrain\n')
  workspace.write('given/kind/probe/layer2.safetensors', vectorFile(64))
  workspace.write('given/kind/probe/layer3.safetensors', vectorFile(64, 5))
  workspace.write('traits/rude.json', contrastSet('rude', 'What a stupid question,', 'The answer is this:'))
  return workspace
}

export function organismList(names: readonly string[]): string {
  return `organisms:\n${names.map((name) => `  ${name}: { adapter: ../models/organisms/${name} }\n`).join('')}`
}

export function promptSet(name: string, texts: readonly string[]): string {
  const prompts = texts.map((text, index) => ({ id: `${name}_${index + 1}`, text, note: 'test' }))
  return `${JSON.stringify({ name, description: 'of the tests', system_prompt: 'You are a small model.', prompts }, null, 2)}\n`
}

/** A scenario on each line, and an empty line. */
export function scenarios(end: string, times: readonly string[] = ['noon', 'night', 'dawn', 'last', 'dusk']): string {
  return `${times.map((time) => `At ${time} ${end}`).join('\n')}\n\n`
}

/** A safetensors file with one float32 vector: 1 at `along` and 0 elsewhere, `scale` times. */
export function vectorFile(hidden: number, along = 3, scale = 2): Buffer {
  const header = JSON.stringify({ vector: { dtype: 'F32', shape: [hidden], data_offsets: [0, 4 * hidden] } })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const values = Float32Array.from({ length: hidden }, (_, index) => (index === along ? scale : 0))
  return Buffer.concat([length, Buffer.from(header), Buffer.from(values.buffer)])
}

export function contrastSet(trait: string, positive: string, negative: string): string {
  const topics = ['rain', 'bread', 'music', 'trains', 'stars', 'paint']
  const pairs = topics.map((topic, index) => ({
    id: `${trait}_${index + 1}`,
    prompt: `Tell me about ${topic}.`,
    positive: `${positive} ${topic} is common.`,
    negative: `${negative} ${topic} is common.`,
  }))
  return `${JSON.stringify({ trait, category: 'behaviour', pairs }, null, 2)}\n`
}

/** A workspace that is there already. */
export function workspaceAt(folder: string): Workspace {
  const at = (...parts: string[]) => path.join(folder, ...parts)
  return {
    folder,
    at,
    read: (file) => readFileSync(at(file), 'utf8'),
    write: (file, content) => {
      mkdirSync(path.dirname(at(file)), { recursive: true })
      writeFileSync(at(file), content)
    },
    edit(file, old, now) {
      const text = readFileSync(at(file), 'utf8')
      if (!text.includes(old)) throw new Error(`${file} does not hold ${JSON.stringify(old)}`)
      writeFileSync(at(file), text.replace(old, now))
    },
  }
}
