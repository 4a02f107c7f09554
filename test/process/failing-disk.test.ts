import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeJob } from '../bench/workloads.mjs'
import { dag } from '../support/dag.ts'
import { root, tiny } from '../support/paths.ts'

test('where what was just stored is damaged over and over, the run ends and says that the disk fails', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeJob(folder, tiny, { organisms: 7, sets: 1, prompts: 2, layers: 1, projected: 1, traits: 1 })
  appendFileSync(path.join(folder, 'flow.yaml'), '  tables: { kind: export, of: scores }\n')
  // Its scores are no Parquet files, so that no table can ever be made of them.
  const env = { DAG_SIDECAR: `${process.execPath} ${path.join(root, 'test/bench/instant-sidecar.mjs')}` }
  const { code, stdout, stderr } = await dag(folder, ['run', '--ui', 'plain', 'flow.yaml'], env)
  expect([code, stderr]).toEqual([
    1,
    [
      `error: the disk fails: what was just stored in ${path.join(folder, 'cache')} was found damaged 6 times [system]`,
      '  hint: see what the kernel says of it (dmesg); what was committed stays, and `dag verify` checks it',
      '',
    ].join('\n'),
  ])
  expect(stdout.match(/it is in quarantine/g)).toHaveLength(6)
})
