import { expect, test } from 'vitest'
import { elicited } from '../support/paths.ts'
import { watched } from '../support/watched.ts'
import { finishedWorkspace, workflowFile } from '../support/workspace.ts'

test('the plan is printed anew when a file is edited that the workflow points at, wherever it is, also one that was missing', async () => {
  const workspace = finishedWorkspace(elicited)
  const watching = watched(workspace.folder, ['watch', workflowFile])
  const { says, stderr } = watching
  await says('elicited: nothing to do; all 3 tasks (10 cells) are up to date')
  workspace.edit('scenarios/moods/calm/positive.txt', 'At dawn the sea', 'At dawn the lake')
  await says('scenarios/moods/calm/positive.txt:3:1')
  workspace.edit(workflowFile, '../scenarios, only: [moods/calm]', '../elsewhere/deep')
  await watching.complains('the folder of contrast sets ../elsewhere/deep cannot be read')
  const lines = ['one', 'two', 'three', 'four', 'five', 'six'].map((word) => `It was ${word} and\n`).join('')
  for (const side of ['positive', 'negative']) workspace.write(`elsewhere/deep/calm/${side}.txt`, `${side} ${lines}`)
  await says('12 elicited answers')
  watching.child.kill('SIGINT')
  expect(await watching.end).toEqual({ code: 0, signal: null })
  expect(stderr()).not.toContain('Error')
})
