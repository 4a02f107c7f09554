import { buildCommand } from '@stricli/core'
import { device, json, oneWorkflow, run, store, workflow } from './common/flags.ts'
import { parseCount, parseDuration, parseShare } from './common/values.ts'

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
      device: { ...device, brief: 'With --recompute: where models are loaded, whatever the file says' },
    },
    positional: { kind: 'tuple', parameters: [{ ...workflow, brief: 'The workflow file, for --recompute', optional: true }] },
  },
  docs: { brief: 'Check that nothing in the store is lost or damaged; take what is out of use, so that the next run makes it again' },
})

export const exportTraitInterpCommand = buildCommand({
  loader: async () => (await import('./export-trait-interp.ts')).exportTraitInterp,
  parameters: {
    positional: oneWorkflow,
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
