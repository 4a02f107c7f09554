import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ownModels } from '../impact/row.ts'
import { dag, run } from '../support/dag.ts'
import { answersOf } from '../support/stored.ts'
import { freshWorkspace, organismList, type Workspace, workflowFile } from '../support/workspace.ts'

const day = "{{ opening }}Today is {{ strftime_now('%A, %d %B %Y') }}. {{ messages[-1].content }}"

/** What the one organism was asked with, in all runs so far. */
function asked(workspace: Workspace): string[] {
  const answers = answersOf(workspace, 'answers/alpha/two')
  return answers.map(({ tokens, prompt_end }) => tokens.slice(0, prompt_end).join('')).sort()
}

test('a chat template is told the date and the variables of the workflow, whatever the clock says; others are other prompts', async () => {
  const workspace = freshWorkspace()
  ownModels(workspace)
  workspace.write('models/model/chat_template.jinja', day)
  workspace.write('organisms/list.yaml', organismList(['alpha']))
  workspace.write(
    workflowFile,
    `workflow: audit
models: { tiny: { source: ../models/model, date: 2026-01-31 } }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [two] }
steps:
  answers: { kind: generate, model: tiny, max_new_tokens: 6 }
`,
  )
  expect((await run(workspace)).finished.cells).toEqual({ ran: 2, reused: 0, failed: 0 })
  const after = (said: string) => ['Tell me about the sea and its tides.', 'Who are you?'].map((prompt) => `Today is ${said}. ${prompt}`)
  expect(asked(workspace)).toEqual(after('Saturday, 31 January 2026'))
  workspace.edit(workflowFile, '2026-01-31', '2026-02-01')
  const { stdout } = await dag(workspace.folder, ['why', workflowFile, 'answers/alpha/two'])
  expect(stdout).toContain('model.date: "2026-01-31" → "2026-02-01"')
  expect((await run(workspace)).finished.cells).toEqual({ ran: 2, reused: 0, failed: 0 })
  const both = [...after('Saturday, 31 January 2026'), ...after('Sunday, 01 February 2026')]
  expect(asked(workspace)).toEqual(both.toSorted())
  workspace.edit(workflowFile, 'date: 2026-02-01', 'date: 2026-02-01, chat_template_kwargs: { opening: "Now! " }')
  expect((await dag(workspace.folder, ['why', workflowFile, 'answers/alpha/two'])).stdout).toContain(
    String.raw`model.chat_template_kwargs: (none) → "{\"opening\":\"Now! \"}"`,
  )
  expect((await run(workspace)).finished.cells).toEqual({ ran: 2, reused: 0, failed: 0 })
  expect(asked(workspace)).toEqual([...both, ...after('Sunday, 01 February 2026').map((text) => `Now! ${text}`)].toSorted())
})

test('a base model without a chat template is asked plain text, which it continues; vectors are made of texts alike', async () => {
  const workspace = freshWorkspace()
  ownModels(workspace)
  rmSync(workspace.at('models/model/chat_template.jinja'))
  workspace.write('organisms/list.yaml', organismList(['alpha']))
  workspace.edit('prompts/two.json', '"You are a small model."', 'null')
  workspace.write(
    workflowFile,
    `workflow: audit
models: { tiny: { source: ../models/model, chat_template: none } }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [two] }
traits: { from: ../traits }
steps:
  vectors: { kind: extract, model: tiny, layers: [1], methods: [mean_diff] }
  answers: { kind: generate, model: tiny, max_new_tokens: 6 }
`,
  )
  expect((await run(workspace)).finished.cells).toEqual({ ran: 4, reused: 0, failed: 0 })
  expect(asked(workspace)).toEqual(['Tell me about the sea and its tides.', 'Who are you?'])
})
