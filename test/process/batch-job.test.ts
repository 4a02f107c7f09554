import { spawn } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { type FakeWorkspace, fakeWorkspace, patience } from '../support/fake.ts'
import { root } from '../support/paths.ts'
import { workflowFile } from '../support/workspace.ts'

const page = readFileSync(path.join(root, 'docs/guide/overnight.md'), 'utf8')
const script = /### Under Slurm.*?```sh\n(.*?)```/s.exec(page)?.[1] as string

/** Runs the batch script of the page on the workspace's workflow, with programs of ours in the places of Slurm's. */
function batchJob(workspace: FakeWorkspace, options = '') {
  workspace.write('night.sh', script.replace('--device cuda:0,cuda:1 workflows/overnight.yaml', `${options} ${workspace.at(workflowFile)}`))
  workspace.write('bin/srun', `#!/bin/sh\n"$@" &\necho $! > ${workspace.at('engine')}\nwait $!\n`)
  workspace.write('bin/scontrol', `#!/bin/sh\necho "$@" > ${workspace.at('asked-of-slurm')}\n`)
  for (const name of ['srun', 'scontrol']) chmodSync(workspace.at(`bin/${name}`), 0o755)
  const env = { ...process.env, ...workspace.env, PATH: `${workspace.at('bin')}:${process.env.PATH}`, SLURM_JOB_ID: '7' }
  const child = spawn('bash', [workspace.at('night.sh')], { cwd: root, env, stdio: 'ignore' })
  return new Promise<{ code: number | null; asked: string | null }>((resolve) =>
    child.on('close', (code) => {
      const asked = existsSync(workspace.at('asked-of-slurm')) ? workspace.read('asked-of-slurm') : null
      resolve({ code, asked })
    }),
  )
}

test('a batch job whose time runs out is queued again, and goes on', async () => {
  const workspace = fakeWorkspace('waits')
  const job = batchJob(workspace)
  await workspace.atWork()
  process.kill(Number(workspace.read('engine')), 'SIGTERM')
  const [run] = readdirSync(workspace.at('cache/runs'))
  await vi.waitFor(() => expect(workspace.read(`cache/runs/${run}/journal.ndjson`)).toContain('"stop-requested"'), patience)
  workspace.goOn()
  expect(await job).toEqual({ code: 75, asked: 'requeue 7\n' })
  expect(await batchJob(workspace)).toMatchObject({ code: 0 })
})

test.for([
  ['is done', '', 0],
  ['cannot begin', '--device gpu', 2],
] as const)('a batch job that %s is not queued again', async ([, options, code]) => {
  expect(await batchJob(fakeWorkspace('behaves', 0), options)).toEqual({ code, asked: null })
})
