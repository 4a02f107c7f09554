import { chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { filesBelow } from '../../support/files.ts'
import type { Workspace } from '../../support/workspace.ts'
import { pick, type Random } from './edits.ts'
import { experiment } from './job.ts'

/** Files below a folder of the workspace, without our mark. */
export function filesOf(workspace: Workspace, folder: string): string[] {
  return filesBelow(workspace.at(folder)).flatMap((file) => (path.basename(file) === '.made-by-dag' ? [] : [path.join(folder, file)]))
}

const to =
  (folder: string, act: (file: string, random: Random) => void) =>
  (workspace: Workspace, random: Random): void => {
    const files = filesOf(workspace, folder)
    if (files.length === 0) return
    const file = workspace.at(pick(random, files))
    chmodSync(file, 0o644)
    act(file, random)
  }

/** What befalls a workspace between two runs. */
export const damages: Readonly<Record<string, (workspace: Workspace, random: Random) => void>> = {
  'an object lost': to('cache/objects', (file) => rmSync(file)),
  'a bit of an object flipped': to('cache/objects', (file, random) => {
    const bytes = readFileSync(file)
    const at = Math.floor(random() * bytes.length)
    bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8))
    writeFileSync(file, bytes)
  }),
  'an object cut short': to('cache/objects', (file, random) => truncateSync(file, Math.floor(random() * readFileSync(file).length))),
  'the index lost': (workspace) => {
    for (const name of ['index.db', 'index.db-wal', 'index.db-shm']) rmSync(workspace.at('cache', name), { force: true })
  },
  'a result deleted': to(experiment, (file) => rmSync(file)),
  'a result edited': to(experiment, (file) => writeFileSync(file, 'edited')),
  'all results deleted': (workspace) => rmSync(workspace.at('experiments'), { recursive: true, force: true }),
}
