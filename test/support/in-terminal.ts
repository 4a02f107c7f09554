import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { program } from './dag.ts'
import { python, root } from './paths.ts'
import { type Workspace, workflowFile } from './workspace.ts'

const terminal = path.join(root, 'test', 'support', 'terminal.py')

/** Runs the program in a terminal of its own, which the actions type into, wait for, and close. */
export async function inTerminal(workspace: Workspace, ui: string, actions: readonly object[], env: Readonly<Record<string, string>> = {}) {
  const args = [terminal, JSON.stringify(actions), process.execPath, program, 'run', '--ui', ui, workflowFile]
  const { stdout } = await promisify(execFile)(python, args, {
    cwd: workspace.folder,
    env: { ...process.env, DAG_PYTHON: python, TERM: 'xterm', ...env },
    maxBuffer: 1 << 26,
  })
  return JSON.parse(stdout) as { code: number | null; signal: number | null; text: string }
}
