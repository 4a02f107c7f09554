import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { dag, type Finished } from './dag.ts'
import { python } from './paths.ts'
import { finishedWorkspace, type Workspace, workflowFile } from './workspace.ts'

/** A workspace with nothing of its own, and in `theirs/` what a finished one exported. */
export interface Importing extends Workspace {
  /** The workspace that the experiment comes from. */
  readonly origin: Workspace
  /** Runs `dag import trait-interp`; the prompt sets are those that were answered. */
  import(...flags: string[]): Promise<Finished>
  /** Edits a JSON file of the experiment. */
  editJson(file: string, edit: (content: Record<string, unknown>) => Record<string, unknown>): void
  /** Saves in the place of .pt files what Python makes of an expression of `raw`, what they hold. */
  editTorch(files: string | readonly string[], expression: string): void
  remove(file: string): void
}

export async function exportedWorkspace(): Promise<Importing> {
  const origin = finishedWorkspace()
  const workspace = finishedWorkspace()
  for (const name of readdirSync(workspace.folder)) if (name !== 'prompts') rmSync(workspace.at(name), { recursive: true })
  for (const name of ['cache', 'workflows']) mkdirSync(workspace.at(name))
  const written = await dag(origin.folder, ['export', 'trait-interp', workflowFile, '--to', workspace.at('theirs'), '--recordings'])
  if (written.code !== 0) throw new Error(written.stderr)
  const file = (name: string) => workspace.at('theirs', name)
  return {
    ...workspace,
    origin,
    import: (...flags) => dag(workspace.folder, ['import', 'trait-interp', 'theirs', '--prompts', 'prompts', ...flags]),
    editJson(name, edit) {
      const content = JSON.parse(readFileSync(file(name), 'utf8')) as Record<string, unknown>
      workspace.write(path.join('theirs', name), JSON.stringify(edit(content)))
    },
    editTorch(names, expression) {
      const script = `import sys, torch
for file in sys.argv[1:]:
    raw = torch.load(file, weights_only=True)
    torch.save(${expression}, file)`
      execFileSync(python, ['-c', script, ...[names].flat().map(file)])
    },
    remove: (name) => rmSync(file(name), { recursive: true }),
  }
}
