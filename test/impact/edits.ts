import { readFileSync, writeFileSync } from 'node:fs'
import type { Workspace } from '../support/workspace.ts'

/** Flips the last byte of the weights in a folder. */
export const flipWeights =
  (folder: string, name = 'model.safetensors') =>
  (workspace: Workspace): void => {
    const bytes = readFileSync(workspace.at(folder, name))
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
    writeFileSync(workspace.at(folder, name), bytes)
  }

/** Changes a JSON file; what `edit` returns is written. */
export const json =
  <T>(name: string, edit: (data: T) => unknown) =>
  (workspace: Workspace): void =>
    workspace.write(name, `${JSON.stringify(edit(JSON.parse(workspace.read(name)) as T), null, 2)}\n`)
