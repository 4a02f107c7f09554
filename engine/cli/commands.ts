import { buildCommand } from '@stricli/core'

const workflow = { brief: 'The workflow file', parse: String, placeholder: 'workflow.yaml' } as const
const store = { kind: 'parsed', brief: 'Folder of the store. Default: cache/ of the workspace', parse: String, optional: true } as const
const json = { kind: 'boolean', brief: 'Print one JSON object', default: false } as const
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
    },
  },
  docs: { brief: 'Do what is not up to date' },
})

export const planCommand = buildCommand({
  loader: async () => (await import('./plan.ts')).plan,
  parameters: { positional: one, flags: { store, json } },
  docs: { brief: 'Say what would run and why, how long it takes and how much disk; start nothing' },
})

export const checkCommand = buildCommand({
  loader: async () => (await import('./check.ts')).check,
  parameters: { positional: one, flags: { store } },
  docs: { brief: 'Check a workflow and everything it points at' },
})

export const watchCommand = buildCommand({
  loader: async () => (await import('./watch.ts')).watch,
  parameters: { positional: one, flags: { store } },
  docs: { brief: 'Print the plan anew whenever the workflow or what it points at changes' },
})

export const whyCommand = buildCommand({
  loader: async () => (await import('./why.ts')).why,
  parameters: {
    positional: { kind: 'tuple', parameters: [workflow, { brief: 'A task, or task:cell', parse: String, placeholder: 'task' }] },
    flags: { store, json },
  },
  docs: { brief: 'Say why a task runs or does not: which parts of its key changed' },
})

export const lineageCommand = buildCommand({
  loader: async () => (await import('./lineage.ts')).lineage,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'A result file, file:line, an artifact id, or task:cell', parse: String, placeholder: 'artifact' }],
    },
    flags: { store, json, down: { kind: 'boolean', brief: 'What was made from it, instead of what it was made from', default: false } },
  },
  docs: { brief: 'Say where a result comes from, down to prompt, tokens, vector and adapter' },
})
