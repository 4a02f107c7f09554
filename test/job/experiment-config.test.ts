import { expect, test } from 'vitest'
import { dag, plan } from '../support/dag.ts'
import { finishedWorkspace, workflowFile } from '../support/workspace.ts'

const variant = (lora: string) => ({ model: 'tiny', lora })
const organisms = Object.fromEntries(['alpha', 'beta', 'gamma'].map((name) => [name, variant(`../models/organisms/${name}`)]))

function withConfig(variants: object) {
  const workspace = finishedWorkspace()
  const config = { defaults: { extraction: 'base', application: 'clean' }, model_variants: { base: { model: 'tiny' }, ...variants } }
  workspace.write('experiment/config.json', JSON.stringify(config, null, 2))
  workspace.edit(workflowFile, '../organisms/list.yaml', '../experiment/config.json')
  return workspace
}

test('the variants of an experiment are the organisms, but for its defaults; what was made with another list is reused', async () => {
  const { cells } = await plan(withConfig({ instruct: { model: 'tiny' }, clean: { model: 'tiny' }, ...organisms }))
  expect(cells).toEqual({ total: 182, run: 0, reuse: 182 })
})

test('a variant without an adapter is told with its line', async () => {
  const { code, stderr } = await dag(withConfig({ ...organisms, delta: { model: 'tiny' } }).folder, ['check', workflowFile])
  expect([code, stderr]).toEqual([
    2,
    [
      'experiment/config.json:22:14: error: variant "delta" has no "lora" [organism]',
      '  22 |     "delta": {',
      '     |              ^',
      '  hint: a folder, or OWNER/NAME on the hub with a revision; or name it among the defaults',
      '',
      '1 error; nothing was started',
      '',
    ].join('\n'),
  ])
})

test('a repository on the hub without a commit can be planned and not run, and the place to pin it is told', async () => {
  const { stdout, stderr } = await dag(withConfig({ ...organisms, omega: variant('someone/omega') }).folder, ['check', workflowFile])
  expect(stdout).toBe('workflows/audit.yaml: 6 steps, 54 tasks; it can be planned, not run\n')
  expect(stderr).toBe(
    [
      'experiment/config.json:22:5: error: organism "omega": it has no revision [unpinned-revision]',
      '  22 |     "omega": {',
      '     |     ^^^^^^^',
      '  hint: pin the commit of the repository, 40 hex digits: `dag fetch --pin workflows/audit.yaml` writes the present one',
      '',
      '1 error; nothing was started',
      '',
    ].join('\n'),
  )
})
