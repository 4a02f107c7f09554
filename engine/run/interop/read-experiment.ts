import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import type { RecordingFacts, VectorFacts } from '../../core/experiment.ts'
import type { Json } from '../../core/json.ts'
import { fail, ok, type Result } from '../../core/result.ts'
import { type SidecarCommand, startSidecar } from '../executors/sidecar.ts'

/** Files that the sidecar is asked for at once. */
const together = 64

/** Every regular file below a folder, as its path from there with `/`, sorted. A folder that is met twice is read once. */
export function filesBelow(folder: string): string[] {
  const seen = new Set<string>()
  const within = (at: string): string[] => {
    const real = realpathSync(path.join(folder, at))
    if (seen.has(real)) return []
    seen.add(real)
    return readdirSync(real).flatMap((name) => {
      const below = at === '' ? name : `${at}/${name}`
      const stat = statSync(path.join(folder, below), { throwIfNoEntry: false })
      if (stat?.isDirectory()) return within(below)
      return stat?.isFile() ? [below] : []
    })
  }
  return within('').sort()
}

/** What a JSON file holds, or in words why it cannot be read. */
export function readJsonFile(file: string): Result<Json, string> {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    return fail(`it cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json)
  } catch {
    return fail('it is not JSON')
  }
}

interface InspectOptions {
  readonly sidecar: SidecarCommand
  readonly folder: string
  readonly recordings: readonly string[]
  readonly vectors: readonly string[]
  onRecording(path: string, facts: RecordingFacts): void
  onVector(path: string, facts: VectorFacts): void
}

/** Lets the sidecar look into `.pt` files; nothing that they hold is run. */
export async function inspectFiles(options: InspectOptions): Promise<void> {
  const { folder, recordings, vectors } = options
  if (recordings.length + vectors.length === 0) return
  const full = (paths: readonly string[]) => paths.map((name) => path.join(folder, name))
  const sidecar = startSidecar({ ...options.sidecar, onLog: () => {} })
  try {
    await sidecar.ready
    for (let at = 0; at < Math.max(recordings.length, vectors.length); at += together) {
      const [some, more] = [recordings.slice(at, at + together), vectors.slice(at, at + together)]
      const found = (await sidecar.call('inspect_files', { recordings: full(some), vectors: full(more) })) as unknown as {
        readonly recordings: readonly RecordingFacts[]
        readonly vectors: readonly VectorFacts[]
      }
      for (const [index, facts] of found.recordings.entries()) options.onRecording(some[index] as string, facts)
      for (const [index, facts] of found.vectors.entries()) options.onVector(more[index] as string, facts)
    }
  } finally {
    await sidecar.close()
  }
}
