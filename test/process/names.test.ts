import path from 'node:path'
import { expect, test } from 'vitest'
import type { RunFinished } from '../../engine/core/events.ts'
import { dag } from '../support/dag.ts'
import { temporaryFolder } from '../support/files.ts'
import { root } from '../support/paths.ts'
import { workspaceAt } from '../support/workspace.ts'
import { firstJob, linesOf, workflowName, writeJob } from './random/job.ts'

const env = { DAG_SIDECAR: `${process.execPath} ${path.join(root, 'test/bench/instant-sidecar.mjs')} 4` }
const name = 'constructor'

test.each(['pairs', 'scenarios'])('what every object of JavaScript has is a name like any other, of a trait of %s, too', async (kind) => {
  const workspace = workspaceAt(temporaryFolder())
  const job = firstJob()
  job.organisms = { [name]: 1, other: 2 }
  job.plants = kind === 'pairs' ? { other: [name] } : { [name]: [name] }
  job.sets = {
    [name]: {
      description: 'd',
      systemPrompt: null,
      prompts: [
        { id: name, text: 'Well?' },
        { id: 'b', text: 'And?' },
      ],
    },
  }
  job.traits = kind === 'pairs' ? { [name]: 'kindly' } : {}
  job.scenarios = kind === 'pairs' ? {} : { [name]: { positive: linesOf('still', 4), negative: linesOf('loud', 4), inJson: false } }
  job.scores.byTrait = true
  job.given = { [name]: 1 }
  job.theirs = { answers: { [`${name}/${name}/${name}`]: { answer: 1, recording: 1 } }, leftOut: [], layers: [0] }
  writeJob(workspace, job)
  workspace.edit(workflowName, `sets: [${name}]`, `sets: [${name}], limit: {}`)
  workspace.edit(
    workflowName,
    '  counted:',
    `  ${name}: { kind: command, run: "cat {in.${name}} > {out.${name}}", inputs: { ${name}: { step: counted, output: o } }, outputs: { ${name}: ${name} } }\n  counted:`,
  )
  const { code, stdout, stderr } = await dag(workspace.folder, ['run', '--ui', 'json', workflowName], env)
  expect([code, stderr]).toEqual([0, ''])
  const finished = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as RunFinished
  // Answers of both, recordings of two layers on both sides, projections onto three kinds of vectors.
  const ofAnswers = 2 * 2 * (1 + 2 * 2 + 2 + 2 + 2)
  const vectors = 2 + 4 + 1 + (kind === 'pairs' ? 0 : 8)
  // Of each organism where it is moved, at both layers, and what that is like.
  const moved = 2 * 2 + 1
  // As tokens: two of traits, a random one and where organisms are moved, with their summary.
  const words = 2 + 1 + 2 * 2 + 1
  // An answer as it is, read along all 7 directions; behind the first layer along its 4 by 2 amounts, behind the second along its 3;
  // what they say.
  const steered = 1 + 7 + 4 * 2 * (1 + 4) + 3 * 2 * (1 + 3) + 1
  const ofTheirs = 1 + 1 + 1
  const rankings = 2 + 1 + 2
  const shown = 2 + 2 + 1
  expect(finished.cells).toEqual({
    ran: ofAnswers + vectors + moved + words + steered + ofTheirs + rankings + shown + 2,
    reused: 0,
    failed: 0,
  })
  expect(workspace.read(`experiments/job/outputs/${name}/${name}`)).toBe(workspace.read('experiments/job/outputs/counted/n.txt'))
  const asked = [`${name}:${name}`, `adapter:${name}`, `trait:${name}`, `prompt:${name}/${name}`, `scores/${name}/${name}/answers`]
  for (const artifact of asked)
    expect([artifact, (await dag(workspace.folder, ['lineage', '--down', artifact])).code]).toEqual([artifact, 0])
})
