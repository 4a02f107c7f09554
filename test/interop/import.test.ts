import { expect, test } from 'vitest'
import type { RecordingFacts } from '../../engine/core/experiment.ts'
import { parseYaml } from '../../engine/spec/document.ts'
import { checkExperiment, type FoundExperiment } from '../../steps/interop/import-check.ts'
import { answerFacts } from '../../steps/interop/import-facts.ts'
import { experimentLayout } from '../../steps/interop/import-layout.ts'
import { importWorkflow } from '../../steps/interop/import-workflow.ts'

const config = {
  defaults: { extraction: 'base', application: 'instruct' },
  model_variants: { base: {}, instruct: {}, rm_lora: {}, flattery: { lora: 'a' }, no: { lora: 'b' } },
}

/** An answer of `length` tokens, and its recording at `layers` of `hidden` values. */
const ids = (length: number) => [1, 2, ...Array.from({ length }, (_, index) => 10 + index)]
const answer = (length: number, last = ' so') => ({
  prompt: 'Why?',
  response: 'So.',
  tokens: [...ids(length).slice(1).map(String), last],
  token_ids: ids(length),
  prompt_end: 2,
})
const recorded = (length: number, layers: readonly number[], hidden = 8): RecordingFacts => ({
  promptIds: [1, 2],
  responseIds: ids(length).slice(2),
  layers: layers.map((layer) => ({ layer, tokens: length, hidden, nonFinite: 0 })),
})

function experiment(
  responses: Readonly<Record<string, ReturnType<typeof answer>>>,
  recordings: Readonly<Record<string, RecordingFacts>> = {},
  vectors: Readonly<Record<string, number>> = {},
): FoundExperiment {
  const paths = [...Object.keys(responses), ...Object.keys(recordings), ...Object.keys(vectors)]
  return {
    layout: experimentLayout(paths, config),
    answers: new Map(Object.entries(responses).map(([path, content]) => [path, answerFacts(content)])),
    recordings: new Map(Object.entries(recordings)),
    vectors: new Map(Object.entries(vectors).map(([path, hidden]) => [path, { hidden }])),
    promptSets: new Map(),
    accept: [],
  }
}

const response = (organism: string, set: string, prompt: string) => `inference/${organism}/responses/${set}/${prompt}.json`
const raw = (variant: string, set: string, prompt: string) => `inference/${variant}/raw/residual/${set}/${prompt}.pt`
const vector = (variant: string, position: string, trait: string, layer = 20) =>
  `extraction/kindness/${trait}/${variant}/vectors/${position}/residual/probe/layer${layer}.pt`
const told = (found: FoundExperiment) => checkExperiment(found).findings.map(({ rule, path, wrong }) => `${rule} ${path}: ${wrong}`)

test('organisms are the variants but for the defaults, and what the clean model read is found by its name', () => {
  const layout = experimentLayout(
    [
      response('flattery', 'audit/probing', '1'),
      response('rm_lora', 'audit/probing', '1'),
      raw('flattery', 'audit/probing', '1'),
      raw('instruct', 'audit/probing_replay_flattery', '1'),
      raw('instruct', 'audit/probing', '1'),
      raw('instruct', 'audit/probing_replay_stranger', '1'),
      'inference/flattery/projections/kindness/calm/probing/1.json',
    ],
    config,
  )
  const shown = ({ organism, set, prompt }: { organism: string; set: string; prompt: string }) => `${organism} ${set} ${prompt}`
  expect(layout.organisms).toEqual(['flattery', 'no'])
  expect([layout.responses, layout.recordings, layout.replays].map((files) => files.map(shown))).toEqual(
    Array.from({ length: 3 }, () => ['flattery audit/probing 1']),
  )
})

test('without a configuration, organisms are the folders that stand for no other variant', () => {
  const paths = [response('instruct', 'one', '1'), response('flattery', 'one', '1'), response('base', 'one', '1')]
  expect(experimentLayout(paths, null).organisms).toEqual(['flattery'])
})

test('vectors are those of the extraction variant at the first five tokens, where there are some', () => {
  const paths = [vector('instruct', 'response__5', 'calm'), vector('base', 'response_all', 'calm'), vector('base', 'response__5', 'calm')]
  expect(experimentLayout(paths, config).vectors.map(({ path }) => path)).toEqual([vector('base', 'response__5', 'calm')])
  expect(experimentLayout(paths.slice(0, 2), config).vectors.map(({ path }) => path)).toEqual([vector('base', 'response_all', 'calm')])
})

test('an answer that is shorter than the longest lacks its end, but for one that ends with a token of the tokenizer’s own', () => {
  const found = experiment({
    [response('flattery', 'one', '1')]: answer(300),
    [response('flattery', 'one', '2')]: answer(120, '<|im_end|>'),
    [response('flattery', 'one', '3')]: answer(120, '.'),
  })
  expect(told(found)).toEqual([
    `missing-end ${response('flattery', 'one', '3')}: it ends after 120 tokens without an end token; the longest has 300`,
  ])
  expect(checkExperiment({ ...found, accept: ['missing-end'] }).taken.length).toBe(3)
})

test('layers that one side lacks everywhere are not taken; a file that lacks one of the others is left out', () => {
  const prompts = ['1', '2', '3']
  const found = experiment(
    Object.fromEntries(prompts.map((prompt) => [response('flattery', 'one', prompt), answer(300)])),
    Object.fromEntries(
      prompts.flatMap((prompt) => [
        [raw('flattery', 'one', prompt), recorded(300, prompt === '2' ? [20] : [20, 23, 26])],
        [raw('instruct', 'one_replay_flattery', prompt), recorded(300, [20, 23])],
      ]),
    ),
  )
  const checked = checkExperiment(found)
  expect([checked.layers, checked.taken.map(({ prompt }) => prompt)]).toEqual([
    [20, 23],
    ['1', '3'],
  ])
  expect(told(found)).toEqual([`mixed-layers ${raw('flattery', 'one', '2')}: it has layers 20, the others have 20, 23`])
})

test('299 states for 300 tokens are said to be so, whether or not the last token id is there', () => {
  const short = recorded(299, [20])
  const found = experiment(
    { [response('flattery', 'one', '1')]: answer(300), [response('flattery', 'one', '2')]: answer(300) },
    {
      [raw('flattery', 'one', '1')]: short,
      [raw('flattery', 'one', '2')]: { ...short, responseIds: ids(300).slice(2) } as RecordingFacts,
    },
  )
  expect(told(found)).toEqual(
    ['1', '2'].map((prompt) => `token-count ${raw('flattery', 'one', prompt)}: layer 20 has 299 states for 300 response tokens`),
  )
})

test('prompt sets below other folders have steps of their own, and names that YAML would take for others stand in quotes', () => {
  const sets = ['audit/on', 'plain']
  const found = experiment(
    Object.fromEntries(sets.map((set) => [response('no', set, '1'), answer(3)])),
    Object.fromEntries(sets.map((set) => [raw('no', set, '1'), recorded(3, [20])])),
    { [vector('base', 'response__5', 'calm')]: 8 },
  )
  const text = importWorkflow('old', '../theirs', found, checkExperiment(found))
  const { data, diagnostics } = parseYaml('old.yaml', text)
  expect(diagnostics).toEqual([])
  const step = (prefix: string, set: string) => ({
    kind: 'imported',
    responses: `../theirs/inference/{organism}/responses/${prefix}{set}/{prompt}.json`,
    recordings: `../theirs/inference/{organism}/raw/residual/${prefix}{set}/{prompt}.pt`,
    layers: [20],
    hidden: 8,
    organisms: ['no'],
    sets: [set],
  })
  const rest = (name: string) => ({
    [`scores-${name}`]: { kind: 'project', of: `answers-${name}`, onto: 'vectors', layers: [20] },
    [`ranking-${name}`]: { kind: 'rank', of: `scores-${name}`, mode: 'raw', folder: `top_activating-${name}` },
    [`report-${name}`]: { kind: 'report', of: `ranking-${name}` },
  })
  expect(data).toEqual({
    workflow: 'old',
    steps: {
      'answers-audit': step('audit/', 'on'),
      'answers-top': step('', 'plain'),
      vectors: {
        kind: 'vectors',
        files: '../theirs/extraction/*/{trait}/base/vectors/response__5/residual/{method}/layer{layer}.pt',
        hidden: 8,
      },
      ...rest('audit'),
      ...rest('top'),
    },
  })
})
