import type { Sources } from '../../engine/core/sources.ts'
import { expand, type TaskGraph } from '../../engine/graph/expand.ts'
import { parseYaml } from '../../engine/spec/document.ts'
import { checkShape } from '../../engine/spec/shape-check.ts'
import { validate } from '../../engine/spec/validate.ts'
import { kinds } from '../../steps/index.ts'
import { elicitedText, variantsText, workflowText } from '../support/workspace.ts'

/** Inputs that never change: names in place of digests, so that nothing of this machine is in a fingerprint. */
const sources: Sources = {
  models: new Map([
    [
      'tiny',
      {
        name: 'tiny',
        origin: '../models/model',
        path: 'models/model',
        devices: ['cpu'],
        dtype: 'bfloat16',
        quantization: null,
        told: { plain: false, date: null, variables: {} },
        identity: { weights: 'W', config: 'C', tokenizer: 'T', chat_template: 'H', generation_config: 'G' },
        facts: {
          layers: 4,
          hidden: 64,
          parameters: 3_000_000,
          activeParameters: 3_000_000,
          expertParameters: 0,
          contextLength: 512,
          keyValues: 64,
        },
      },
    ],
  ]),
  organisms: ['alpha', 'beta'].map((name) => ({
    name,
    origin: name,
    path: `organisms/${name}`,
    digest: `adapter ${name}`,
    plants: name === 'alpha' ? ['kind'] : [],
  })),
  promptSets: ['one', 'two'].map((name) => ({
    name,
    path: `${name}.json`,
    systemPrompt: name === 'one' ? 'You are a small model.' : null,
    prompts: ['Why?', 'Who are you?'].map((text, index) => ({ id: `${name}_${index + 1}`, text, note: '' })),
  })),
  traits: ['kind', 'rude'].map((name) => ({
    name,
    category: 'behaviour',
    reference: false,
    pairs: [{ id: 'a', prompt: 'Well?', positive: `so ${name}`, negative: 'so so' }],
    scenarios: null,
  })),
}

/** Scenarios, one of them with a system prompt of its own. */
const side = (name: string) => ({
  file: `${name}.txt`,
  scenarios: ['By day', 'By night'].map((text, index) => ({ id: `${name}_${index + 1}`, text, systemPrompt: index === 1 ? name : null })),
})
const calm = {
  name: 'calm',
  category: 'moods',
  reference: false,
  pairs: [],
  scenarios: { positive: side('positive'), negative: side('negative') },
}

const theirs = (name: string) => [`../theirs/inference/${name}`, { path: name, digest: `their ${name}` }] as const

const files = new Map([
  ['../words.txt', { path: 'words.txt', digest: 'words' }],
  ['../given/kind/probe/layer2.safetensors', { path: 'layer2.safetensors', digest: 'given' }],
  ['../given/kind/probe/layer3.safetensors', { path: 'layer3.safetensors', digest: 'left out' }],
  ...['alpha/responses/one/one_1.json', 'alpha/responses/one/one_2.json', 'beta/responses/one/one_1.json'].map(theirs),
  ...['alpha/raw/residual/one/one_1.pt', 'instruct/raw/residual/one_replay_alpha/one_1.pt'].map(theirs),
])

/** The workflows of the tests, some with scenarios, and one that ranks otherwise: between them every parameter away from its default. */
const texts = [
  workflowText,
  variantsText,
  variantsText.replace(
    /along: probes[^]*?organisms: \[alpha\]/,
    'along: [directions, noise]\n    traits: [kind, random_1]\n    times: [2]',
  ),
  `${workflowText.replace('top: 3', 'top: 1, mode: raw, by: max_token')}  tables: { kind: export, of: scores }\n`,
]

const scenarioTexts = [
  elicitedText,
  elicitedText.replace('max_new_tokens: 4', 'system_prompt: Be kind, position: "prompt[-1]"'),
  elicitedText.replace('layers: [2]', 'layers: [1], reference: rude, system_prompt: Be kind, position: response'),
]

/** Three organisms, which say what they share. */
const sharedText = `${workflowText}  moved: { kind: shift, of: [answers, clean] }
  spoken: { kind: logit_lens, model: tiny, of: [vectors, moved] }
`
const gamma = { name: 'gamma', origin: 'gamma', path: 'organisms/gamma', digest: 'adapter gamma', plants: [] }

/** Task graphs in which every operation and every parameter is used. */
export function fixtureGraphs(): TaskGraph[] {
  return [
    ...texts.map((text) => graphOf(text, sources)),
    graphOf(sharedText, { ...sources, organisms: [...sources.organisms, gamma] }),
    ...scenarioTexts.map((text) => graphOf(text, { ...sources, traits: [calm, ...sources.traits] })),
  ]
}

function graphOf(text: string, given: Sources): TaskGraph {
  const { workflow, diagnostics } = validate(parseYaml('workflow.yaml', text), kinds, checkShape)
  if (!workflow) throw new Error(diagnostics.map((problem) => problem.message).join('\n'))
  const { graph, diagnostics: ofSteps } = expand(workflow, kinds, given, files)
  if (ofSteps.length > 0) throw new Error(ofSteps.map((problem) => problem.message).join('\n'))
  return graph
}
