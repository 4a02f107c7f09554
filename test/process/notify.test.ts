import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { type FakeWorkspace, fakeWorkspace } from '../support/fake.ts'
import { workflowFile } from '../support/workspace.ts'

/** A workspace whose workflow says who is told; a program that is told appends what it gets to `told`. */
function tellingWorkspace(notify: string, mode = 'behaves', times = 0): FakeWorkspace {
  const workspace = fakeWorkspace(mode, times)
  workspace.edit(workflowFile, 'workflow: answers\n', `workflow: answers\nnotify: ${notify}\n`)
  workspace.write('workflows/tell.sh', '#!/bin/sh\ncat >> ../told\n')
  chmodSync(workspace.at('workflows/tell.sh'), 0o755)
  return workspace
}

function told(workspace: FakeWorkspace): Record<string, unknown>[] {
  if (!existsSync(workspace.at('told'))) return []
  const lines = readFileSync(workspace.at('told'), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const { run, seconds, text, ...rest } = JSON.parse(line)
    expect([typeof run, typeof (seconds ?? 0)]).toEqual(['string', 'number'])
    return { ...rest, text: text.replace(/ in [\d.]+ m?s/, ' in TIME') }
  })
}

const end = {
  about: 'end',
  workflow: 'answers',
  text: 'answers: done, 3 tasks done and 0 reused in TIME',
  next: null,
  outcome: 'done',
  tasks: { ran: 3, reused: 0, failed: 0 },
  cells: { ran: 6, reused: 0, failed: 0 },
  bytes: expect.any(Number),
  failure: null,
  look: [],
}

test('a program is told of the end of a run with the summary as JSON, and not of a run that found nothing to do', async () => {
  const workspace = tellingWorkspace('{ command: [./tell.sh] }')
  const { code, stderr } = await dag(workspace.folder, ['run', workflowFile], workspace.env)
  expect([code, stderr]).toEqual([0, ''])
  expect(told(workspace)).toEqual([end])
  expect((await dag(workspace.folder, ['run', workflowFile], workspace.env)).code).toBe(0)
  expect(told(workspace)).toHaveLength(1)
})

test('somebody is told when the first task fails, and at the end how to go on', async () => {
  const workspace = tellingWorkspace('{ command: [./tell.sh] }', 'leaves-cells-out', Number.POSITIVE_INFINITY)
  const { code } = await dag(workspace.folder, ['run', workflowFile], workspace.env)
  const message = "the sidecar's answer to generate leaves out 2 of 2 cells, such as two_1; run `npm run setup`"
  const failure = { task: 'answers/alpha/two', message }
  expect(code).toBe(1)
  expect(told(workspace)).toEqual([
    {
      about: 'failure',
      workflow: 'answers',
      text: `answers: answers/alpha/two failed: ${message}; what does not need it goes on`,
      next: null,
      outcome: null,
      tasks: null,
      cells: null,
      bytes: null,
      failure,
      look: [],
    },
    {
      ...end,
      text: `answers: failed, 0 tasks done and 0 reused in TIME, 3 tasks failed, first answers/alpha/two: ${message}`,
      next: `dag run ${workflowFile}`,
      outcome: 'failed',
      tasks: { ran: 0, reused: 0, failed: 3 },
      cells: { ran: 0, reused: 0, failed: 0 },
      failure,
    },
  ])
})

test('`on` picks what is told', async () => {
  const workspace = tellingWorkspace('{ command: [./tell.sh], on: [failure] }')
  expect((await dag(workspace.folder, ['run', workflowFile], workspace.env)).code).toBe(0)
  expect(told(workspace)).toEqual([])
})

test('a program that fails is a warning and no failed run', async () => {
  const workspace = tellingWorkspace('{ command: ["false"] }')
  const { code, stderr } = await dag(workspace.folder, ['run', workflowFile], workspace.env)
  expect([code, stderr]).toEqual([0, 'warning: nobody was told by false: it ended with exit code 1\n'])
})

/** A server that answers with a status; what is posted to it. */
async function webhook(status: number): Promise<{ url: string; posted: string[]; close(): Promise<void> }> {
  const posted: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      posted.push(`${request.method} ${request.headers['content-type']} ${JSON.parse(body).text.replace(/ in [\d.]+ m?s/, ' in TIME')}`)
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  onTestFinished(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-canary`, posted, close }
}

test('a webhook is posted to; its URL is in no file and no output', async () => {
  const workspace = tellingWorkspace('{ webhook: DAG_WEBHOOK }')
  const { url, posted } = await webhook(200)
  const { code, stdout, stderr } = await dag(workspace.folder, ['run', workflowFile], { ...workspace.env, DAG_WEBHOOK: url })
  expect([code, stderr]).toEqual([0, ''])
  expect(posted).toEqual(['POST application/json answers: done, 3 tasks done and 0 reused in TIME'])
  expect(stdout).not.toContain('canary')
  const files = readdirSync(workspace.folder, { recursive: true, encoding: 'utf8' }).map((name) => workspace.at(name))
  const holding = files.filter((file) => !file.includes('/models') && statSync(file).isFile() && readFileSync(file).includes('canary'))
  expect(holding.map((file) => path.basename(file))).toEqual([])
})

test('a webhook that refuses, or cannot be reached, is a warning that does not show it', async () => {
  const refusing = tellingWorkspace('{ webhook: DAG_WEBHOOK }')
  const { url, close } = await webhook(503)
  const refused = await dag(refusing.folder, ['run', workflowFile], { ...refusing.env, DAG_WEBHOOK: url })
  expect([refused.code, refused.stderr]).toEqual([0, 'warning: nobody was told by the webhook of DAG_WEBHOOK: it answered 503\n'])
  await close()
  const gone = tellingWorkspace('{ webhook: DAG_WEBHOOK }')
  const unreached = await dag(gone.folder, ['run', workflowFile], { ...gone.env, DAG_WEBHOOK: url })
  expect([unreached.code, unreached.stderr]).toEqual([
    0,
    'warning: nobody was told by the webhook of DAG_WEBHOOK: it cannot be reached (ECONNREFUSED)\n',
  ])
})

test('what cannot be told to anybody is said before anything is started', async () => {
  const workspace = tellingWorkspace('{ command: [./nobody.sh], webhook: DAG_WEBHOOK }')
  const { code, stderr } = await dag(workspace.folder, ['run', workflowFile], workspace.env)
  expect([code, stderr]).toEqual([
    2,
    `${workflowFile}:2:20: error: notify runs "./nobody.sh", which is no program here [notify]
  2 | notify: { command: [./nobody.sh], webhook: DAG_WEBHOOK }
    |                    ^^^^^^^^^^^^^
  hint: name one on PATH, or a file relative to the workflow

${workflowFile}:2:44: error: notify posts to the URL in DAG_WEBHOOK, which is not set [notify]
  2 | notify: { command: [./nobody.sh], webhook: DAG_WEBHOOK }
    |                                            ^^^^^^^^^^^
  hint: set it: DAG_WEBHOOK=https://… dag run …

2 errors; nothing was started
`,
  ])
  expect(workspace.started()).toEqual([])
  const wrong = await dag(workspace.folder, ['run', workflowFile], { ...workspace.env, DAG_WEBHOOK: 'secret-canary' })
  expect(wrong.stderr).toContain('error: what DAG_WEBHOOK holds is no http or https URL [notify]')
  expect(wrong.stderr).not.toContain('canary')
})
