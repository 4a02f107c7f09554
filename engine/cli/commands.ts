import { buildCommand } from '@stricli/core'
import { parseBytes, parseCount, parseDuration, parseShare } from './common/values.ts'

const workflow = { brief: 'The workflow file', parse: String, placeholder: 'workflow.yaml' } as const
const store = { kind: 'parsed', brief: 'Folder of the store. Default: cache/ of the workspace', parse: String, optional: true } as const
const json = { kind: 'boolean', brief: 'Print one JSON object', default: false } as const
const run = { kind: 'parsed', parse: String, optional: true, placeholder: 'run' } as const
const keepFree = {
  kind: 'parsed',
  brief: "Room that stays free on the store's disk: the run stops before it is used up",
  parse: parseBytes,
  default: '1GB',
  placeholder: 'size',
} as const
const one = { kind: 'tuple', parameters: [workflow] } as const

export const runCommand = buildCommand({
  loader: async () => (await import('./run.ts')).run,
  parameters: {
    positional: one,
    flags: {
      store,
      ui: {
        kind: 'enum',
        values: ['auto', 'tui', 'plain', 'json'],
        default: 'auto',
        brief: 'How to show progress: auto is tui on a terminal, plain elsewhere',
      },
      keepFree,
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
    positional: one,
    flags: {
      store,
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
  parameters: { positional: one, flags: { store } },
  docs: { brief: 'Check a workflow and everything it points at' },
})

export const fetchCommand = buildCommand({
  loader: async () => (await import('./fetch.ts')).fetch,
  parameters: {
    positional: one,
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
  parameters: { positional: one, flags: { store } },
  docs: { brief: 'Print the plan anew whenever the workflow or what it points at changes' },
})

export const attachCommand = buildCommand({
  loader: async () => (await import('./attach.ts')).attach,
  parameters: {
    positional: one,
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

export const verifyCommand = buildCommand({
  loader: async () => (await import('./verify.ts')).verify,
  parameters: {
    flags: {
      store,
      json,
      readData: { kind: 'boolean', brief: 'Read every object past the page cache and check its digest', default: false },
      readDataSubset: {
        kind: 'parsed',
        brief: 'Read the next part of the objects, e.g. 5%; 20 such readings cover them all',
        parse: parseShare,
        optional: true,
        placeholder: 'share',
      },
      dryRun: { kind: 'boolean', brief: 'Report damage and leave it as it is', default: false },
      recompute: {
        kind: 'parsed',
        brief: 'Compute so many stored cells of the workflow again and say how far they lie from what is stored',
        parse: parseCount,
        optional: true,
        placeholder: 'cells',
      },
    },
    positional: { kind: 'tuple', parameters: [{ ...workflow, brief: 'The workflow file, for --recompute', optional: true }] },
  },
  docs: { brief: 'Check that nothing in the store is lost or damaged; take what is out of use, so that the next run makes it again' },
})

export const exportTraitInterpCommand = buildCommand({
  loader: async () => (await import('./export-trait-interp.ts')).exportTraitInterp,
  parameters: {
    positional: one,
    flags: {
      store,
      to: {
        kind: 'parsed',
        parse: String,
        brief: 'Folder of the experiment: a new one, or one that was exported before',
        placeholder: 'folder',
      },
      recordings: { kind: 'boolean', brief: 'Write the stored activations too, as .pt', default: false },
      prune: { kind: 'boolean', brief: 'Remove what former exports wrote there and this one would not', default: false },
    },
  },
  docs: { brief: "Write a workflow's answers, vectors, projections and recordings as an experiment of trait-interp" },
})

export const importTraitInterpCommand = buildCommand({
  loader: async () => (await import('./import-trait-interp.ts')).importTraitInterp,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ brief: 'Folder of the experiment', parse: String, placeholder: 'experiment' }] },
    flags: {
      to: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Workflow file to write, which takes what can be trusted. Default: only report',
        placeholder: 'workflow.yaml',
      },
      prompts: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: "Folder of the prompt sets. Default: datasets/inference of the experiment's repository",
        placeholder: 'folder',
      },
      accept: {
        kind: 'enum',
        values: ['missing-end', 'extra-prompt', 'other-prompt'],
        variadic: true,
        optional: true,
        brief: 'Take answers of which this is told all the same',
      },
      details: { kind: 'boolean', brief: 'List every file', default: false },
      json,
    },
  },
  docs: { brief: 'Say what of an experiment of trait-interp can be trusted, and write a workflow that takes it' },
})

export const gcCommand = buildCommand({
  loader: async () => (await import('./gc.ts')).gc,
  parameters: {
    flags: {
      store,
      json,
      yes: { kind: 'boolean', brief: 'Remove it; without this it is only said', default: false },
      grace: { kind: 'parsed', brief: 'Nothing younger goes, e.g. 12h', parse: parseDuration, default: '1d', placeholder: 'time' },
      pin: { ...run, brief: 'Keep what this run stands on, from now on' },
      unpin: { ...run, brief: 'Take such a pin off' },
      forget: {
        kind: 'parsed',
        brief: 'Let go what the runs of this workflow stand on',
        parse: String,
        optional: true,
        placeholder: 'workflow.yaml',
      },
    },
  },
  docs: { brief: 'Say what in the store nothing stands on any more, and remove it with --yes' },
})

export const doctorCommand = buildCommand({
  loader: async () => (await import('./doctor.ts')).doctor,
  parameters: { flags: { store, json } },
  docs: { brief: 'Check what the engine depends on here, and say what to do' },
})

export const acceptCommand = buildCommand({
  loader: async () => (await import('./accept.ts')).accept,
  parameters: { positional: { kind: 'tuple', parameters: [] }, flags: {} },
  docs: { brief: 'For developers of the engine: record what operations do now as what their versions do' },
})
