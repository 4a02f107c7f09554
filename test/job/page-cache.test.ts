import { execFileSync } from 'node:child_process'
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { VerifyReport } from '../../engine/store/health/verify.ts'
import { dag } from '../support/dag.ts'
import { objectFile, objectOf } from '../support/stored.ts'
import { finishedWorkspace, workspaceAt } from '../support/workspace.ts'

/** Mounts a new ext4 file system that lies in a file; a reason instead where that cannot be done. */
function loopMount(folder: string): { image: string; mount: string } | string {
  if (process.getuid?.() !== 0) return 'only root may mount'
  const image = path.join(folder, 'image')
  const mount = path.join(folder, 'mount')
  mkdirSync(mount)
  try {
    execFileSync('truncate', ['-s', '64M', image])
    execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'pipe' })
    execFileSync('mount', ['-o', 'loop', image, mount], { stdio: 'pipe' })
  } catch (error) {
    return `no loop mount here: ${(error as Error).message.trim().split('\n').at(-1)}`
  }
  onTestFinished(() => void execFileSync('umount', [mount]))
  return { image, mount }
}

test('--read-data finds a block that changed on the disk while the page cache still shows it whole', async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const mounted = loopMount(folder)
  if (typeof mounted === 'string') return context.skip(mounted)

  cpSync(finishedWorkspace().folder, path.join(mounted.mount, 'ws'), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  const workspace = workspaceAt(path.join(mounted.mount, 'ws'))
  const object = objectOf(workspace, 'answers/alpha/one')
  const file = objectFile(workspace, object)
  execFileSync('sync', ['-f', file])
  const whole = readFileSync(file)

  const at = readFileSync(mounted.image).indexOf(whole)
  expect(at).toBeGreaterThan(0)
  const descriptor = openSync(mounted.image, 'r+')
  writeSync(descriptor, Buffer.from([(whole[5] as number) ^ 0xff]), 0, 1, at + 5)
  closeSync(descriptor)
  expect(readFileSync(file).equals(whole)).toBe(true)

  expect((await dag(workspace.folder, ['verify'])).code).toBe(0)
  const { code, stdout } = await dag(workspace.folder, ['verify', '--json', '--read-data', '--dry-run'])
  const report = JSON.parse(stdout) as VerifyReport
  expect([code, report.read?.throughCache, report.damage.map(({ what, name, detail }) => [what, name, detail])]).toEqual([
    1,
    false,
    [['object', object.object, 'does not match its digest']],
  ])
  expect(readFileSync(file).equals(whole)).toBe(true)
})
