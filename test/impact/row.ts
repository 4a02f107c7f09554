import { cpSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'
import type { StepKind } from '../../engine/core/step-kind.ts'
import { tiny } from '../support/paths.ts'
import { type Workspace, workflowFile } from '../support/workspace.ts'

/**
 * One kind of edit on a finished workflow and what comes of it. The tests and docs/change-impact.md are both made
 * from these.
 */
export interface Row {
  /** What is edited: a parameter (`generate.top_p`), a field (`prompts.limit`), or a thing in words. */
  readonly of: string
  readonly edit: string
  /** The finished workflow that is edited; `audit` when not said. */
  readonly workflow?: 'variants' | 'elicited'
  readonly change: (workspace: Workspace) => Circumstances | void
  /** Cells that are made anew, by selector: how many, and what `dag why` says of each. */
  readonly made?: Readonly<Record<Selector, readonly [number, string]>>
  /** Cells that wait for those and run where an output of them differs. */
  readonly follow?: Readonly<Record<Selector, number>>
  /** Cells of the workflow after the edit, where it has not as many as before. */
  readonly total?: number
}

/** A stage, or `task:cell` where `*` stands for any characters but those that end a task's part. */
export type Selector = string

/** What differs about how the program is run, when it is not a file that is edited. */
export interface Circumstances {
  readonly folder?: string
  readonly kinds?: readonly StepKind[]
  /** Runs the real program so: a command before it, an environment, a folder to be in; or says why it cannot. */
  readonly program?:
    | { readonly before?: readonly string[]; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string }
    | { readonly skip: string }
}

/** Whether a selector of a row means this cell. */
export function selects(selector: Selector, cell: { readonly name: string; readonly stage: string }): boolean {
  const colon = selector.indexOf(':')
  if (colon < 0) return cell.stage === selector
  const pattern = (text: string, any: string) =>
    text
      .split('*')
      .map((part) => part.replaceAll(/[.\\+?()[\]{}|^$]/g, String.raw`\$&`))
      .join(any)
  return new RegExp(`^${pattern(selector.slice(0, colon), '[^/:]*')}:${pattern(selector.slice(colon + 1), '.*')}$`).test(cell.name)
}

/** Edits of files in a workspace, to be chained by {@link all}. */
type Edit = (workspace: Workspace) => void

export const workflow = (old: string, now: string): Edit => file(workflowFile, old, now)

export const file =
  (name: string, old: string, now: string): Edit =>
  (workspace) =>
    workspace.edit(name, old, now)

export const write =
  (name: string, text: string): Edit =>
  (workspace) =>
    workspace.write(name, text)

export const move =
  (from: string, to: string): Edit =>
  (workspace) =>
    renameSync(workspace.at(from), workspace.at(to))

export const all =
  (...edits: readonly Edit[]): Edit =>
  (workspace) => {
    for (const edit of edits) edit(workspace)
  }

/** Gives the workspace models and adapters of its own, which may then be edited. */
export const ownModels: Edit = (workspace) => {
  unlinkSync(workspace.at('models'))
  cpSync(tiny, workspace.at('models'), { recursive: true, filter: (from) => !from.endsWith('/other') })
}

/** Puts a copy of the model, edited or not, beside it. */
export const twin =
  (edit: Edit = () => {}): Edit =>
  (workspace) => {
    ownModels(workspace)
    cpSync(workspace.at('models/model'), workspace.at('models/twin'), { recursive: true })
    edit(workspace)
  }

export const link =
  (target: string, at: string): Edit =>
  (workspace) =>
    symlinkSync(workspace.at(target), workspace.at(at))
