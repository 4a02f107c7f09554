import { buildCommand } from '@stricli/core'
import { device, json, keepFree, oneWorkflow, run, store, workflow } from './common/flags.ts'
import { parseCount } from './common/values.ts'

export const runCommand = buildCommand({
  loader: async () => (await import('./run.ts')).run,
  parameters: {
    positional: oneWorkflow,
    flags: {
      store,
      ui: {
        kind: 'enum',
        values: ['auto', 'tui', 'plain', 'json'],
        default: 'auto',
        brief: 'How to show progress: auto is tui on a terminal, plain elsewhere',
      },
      keepFree,
      device,
      pilot: {
        kind: 'boolean',
        brief: 'Do one organism first (or what `pilot` in the workflow says), and the rest if that takes about what was forecast',
        default: false,
      },
    },
  },
  docs: { brief: 'Do what is not up to date' },
})

export const planCommand = buildCommand({
  loader: async () => (await import('./plan.ts')).plan,
  parameters: {
    positional: oneWorkflow,
    flags: {
      store,
      device,
      profile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Forecast for another machine: cpu-2core, a100-80gb, h100-80gb, mps, or a JSON file',
      },
      rawPolicies: {
        kind: 'boolean',
        brief: 'Also forecast the other ways to keep recordings; from 1 GB on that is done unasked',
        default: false,
      },
      json,
    },
  },
  docs: { brief: 'Say what would run and why, how long it takes and how much disk; start nothing' },
})

export const calibrateCommand = buildCommand({
  loader: async () => (await import('./calibrate.ts')).calibrateMachine,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ ...workflow, brief: 'The workflow whose models are tried. Default: the disk alone is measured', optional: true }],
    },
    flags: {
      store,
      device,
      out: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Write a profile that `plan --profile` reads',
        placeholder: 'profile.json',
      },
      json,
    },
  },
  docs: { brief: 'Measure this machine with the models of a workflow, for forecasts; no result is made' },
})

export const kindsCommand = buildCommand({
  loader: async () => (await import('./kinds.ts')).kinds,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ brief: 'One of them', parse: String, placeholder: 'kind', optional: true }] },
    flags: {},
  },
  docs: { brief: 'Say what can be written in a workflow: its fields, the kinds of steps and their parameters' },
})

export const checkCommand = buildCommand({
  loader: async () => (await import('./check.ts')).check,
  parameters: { positional: oneWorkflow, flags: { store } },
  docs: { brief: 'Check a workflow and everything it points at' },
})

export const fetchCommand = buildCommand({
  loader: async () => (await import('./fetch.ts')).fetch,
  parameters: {
    positional: oneWorkflow,
    flags: {
      store,
      keepFree,
      pin: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'First write the commits that branches and tags name now into the files that name them',
      },
    },
  },
  docs: { brief: 'Get the models and adapters on a Hugging Face hub that a workflow names, at their pinned commits' },
})

export const watchCommand = buildCommand({
  loader: async () => (await import('./watch.ts')).watch,
  parameters: { positional: oneWorkflow, flags: { store } },
  docs: { brief: 'Print the plan anew whenever the workflow or what it points at changes' },
})

export const attachCommand = buildCommand({
  loader: async () => (await import('./attach.ts')).attach,
  parameters: {
    positional: oneWorkflow,
    flags: { store, ui: { kind: 'enum', values: ['plain', 'json'], default: 'plain', brief: 'How to show the run' } },
  },
  docs: { brief: 'Watch the run that holds the store; ctrl-c ends the watching, not the run' },
})

export const whyCommand = buildCommand({
  loader: async () => (await import('./why.ts')).why,
  parameters: {
    positional: { kind: 'tuple', parameters: [workflow, { brief: 'A task, or task:cell', parse: String, placeholder: 'task' }] },
    flags: { store, json, run: { ...run, brief: 'Explain this earlier run, where it made the cells' } },
  },
  docs: { brief: 'Say why a task runs or does not, or did: what changed in its key and where that is written' },
})

export const showCommand = buildCommand({
  loader: async () => (await import('./show.ts')).show,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'A workflow file or a run. Default: the last runs and the store', parse: String, placeholder: 'what', optional: true },
      ],
    },
    flags: {
      store,
      json,
      details: { kind: 'boolean', brief: 'List every task, or every failure', default: false },
      cells: {
        kind: 'parsed',
        parse: String,
        brief: 'List the cells of a step of a workflow, with what is known of each: of vectors how well they tell their sides apart',
        placeholder: 'step',
        optional: true,
      },
      last: { kind: 'parsed', brief: 'How many runs are listed', parse: parseCount, default: '10', placeholder: 'number' },
    },
  },
  docs: { brief: 'Show what there is: the last runs and the store, what of a workflow is done, or what a run did' },
})

export const lineageCommand = buildCommand({
  loader: async () => (await import('./lineage.ts')).lineage,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'A result file, file:line, task, task:cell, source or key', parse: String, placeholder: 'artifact' }],
    },
    flags: {
      store,
      json,
      down: { kind: 'boolean', brief: 'What was made from it, instead of what it was made from', default: false },
      details: { kind: 'boolean', brief: 'List every cell and file', default: false },
      format: { kind: 'enum', values: ['text', 'prov'], default: 'text', brief: 'prov: a W3C PROV-JSON document' },
    },
  },
  docs: { brief: 'Say where a result comes from, down to prompt, tokens, vector and adapter' },
})
