import { expect, vi } from 'vitest'
import { type Child, spawnDag } from './dag.ts'
import { patience } from './fake.ts'

/** A running program whose output is read while it comes. */
export interface Watched {
  readonly child: Child
  stdout(): string
  stderr(): string
  /** Settled when stdout holds the text. */
  says(text: string): Promise<void>
  /** Settled when stderr holds the text. */
  complains(text: string): Promise<void>
  readonly end: Promise<{ code: number | null; signal: string | null }>
}

/** Starts the real program in a workspace. */
export function watched(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  before: readonly string[] = [],
): Watched {
  const child = spawnDag(folder, args, env, before)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    says: (text) => vi.waitFor(() => expect(stdout).toContain(text), patience),
    complains: (text) => vi.waitFor(() => expect(stderr).toContain(text), patience),
    end: new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal }))),
  }
}
