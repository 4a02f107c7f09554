import { expect, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { inTerminal } from '../support/in-terminal.ts'
import { freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const piloted = (pilot: string): Workspace => {
  const workspace = freshWorkspace()
  workspace.edit(workflowFile, 'workflow: audit', `workflow: audit\npilot: { ${pilot} }`)
  return workspace
}
const runIn = async (workspace: Workspace, ...flags: string[]) => {
  const { code, stdout, stderr } = await dag(workspace.folder, ['run', '--ui', 'json', ...flags, workflowFile])
  const ends = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'run-finished')
  return { code, stderr, cells: ends.map(({ cells }) => cells) }
}
/** Figures of time and room are of the machine. */
const words = (text: string) =>
  text.replaceAll(/(\d+ [hm] )?[\d.]+ (s|kB|MB|bytes|B)\b/g, '#').replaceAll(/[\d.]+ times the/g, '# times the')

test('a pilot does its slice first, and where that takes what was forecast the rest follows, which makes none of it again', async () => {
  const { code, stderr, cells } = await runIn(piloted('organisms: 1, prompts: 3, go_on_within: 1000'))
  expect(words(stderr)).toBe(
    `pilot first: 1 organism (alpha), 12 tasks
pilot: #, # written; answers are 100 % of the length allowed
  whole run now      about #, #
  forecast before    about #, # at most
  within 1000 times of it: going on
`,
  )
  expect([code, cells]).toEqual([
    0,
    [
      { ran: 35, reused: 0, failed: 0 },
      { ran: 147, reused: 35, failed: 0 },
    ],
  ])
})

test('a pilot that takes longer than forecast ends the run with 75 where nobody can be asked; the next run goes on from it', async () => {
  const workspace = piloted('organisms: 1, prompts: 3, go_on_within: 1')
  const first = await runIn(workspace)
  expect(words(first.stderr)).toBe(
    `pilot first: 1 organism (alpha), 12 tasks
pilot: #, # written; answers are 100 % of the length allowed
  whole run now      about #, #
  forecast before    about #, # at most
  more than 1 times: # times the forecast in time, # times the forecast in bytes
stopped after the pilot; \`dag run workflows/audit.yaml\` goes on from it
`,
  )
  expect([first.code, first.cells]).toEqual([75, [{ ran: 35, reused: 0, failed: 0 }]])
  const second = await runIn(workspace)
  expect(second).toEqual({ code: 0, stderr: '', cells: [{ ran: 147, reused: 35, failed: 0 }] })
})

test('--pilot does one organism first without a word in the workflow', async () => {
  const { stderr, cells } = await runIn(freshWorkspace(), '--pilot')
  expect(stderr.split('\n')[0]).toBe('pilot first: 1 organism (alpha), 12 tasks')
  expect(cells[0]).toEqual({ ran: 62, reused: 0, failed: 0 })
})

test.for([
  ['y\r', 'tui', 0],
  ['n\r', 'tui', 75],
  ['\u0003', 'plain', 75],
] as const)('on a terminal it asks, and %j is an answer (%s)', async ([typed, ui, ends]) => {
  const workspace = piloted('organisms: 1, prompts: 3, go_on_within: 1')
  const { code, text } = await inTerminal(workspace, ui, [{ expect: 'go on? [y/N] ' }, { send: typed }])
  const after = text.slice(text.indexOf('go on? [y/N] '))
  expect([code, after.includes('stopped after the pilot'), after.includes('147 made   35 reused')]).toEqual([ends, ends === 75, ends === 0])
})
