import { parseBytes, parseDevices } from './values.ts'

/** What several commands are given. */
export const workflow = { brief: 'The workflow file', parse: String, placeholder: 'workflow.yaml' } as const
export const store = {
  kind: 'parsed',
  brief: 'Folder of the store. Default: cache/ of the workspace',
  parse: String,
  optional: true,
} as const
export const device = {
  kind: 'parsed',
  brief:
    'Where models are loaded, whatever the file says: `cuda:1`, `cuda:0,cuda:1` to share the work, `cuda:0+cuda:1` to spread a model over both',
  parse: parseDevices,
  optional: true,
  placeholder: 'devices',
} as const
export const json = { kind: 'boolean', brief: 'Print one JSON object', default: false } as const
export const run = { kind: 'parsed', parse: String, optional: true, placeholder: 'run' } as const
export const keepFree = {
  kind: 'parsed',
  brief: "Room that stays free on the store's disk: the run stops before it is used up",
  parse: parseBytes,
  default: '1GB',
  placeholder: 'size',
} as const
export const oneWorkflow = { kind: 'tuple', parameters: [workflow] } as const
