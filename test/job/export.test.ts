import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, type TestContext, test } from 'vitest'
import { prepare } from '../../engine/prepare.ts'
import { planNow } from '../../engine/run/plan-now.ts'
import { createReader } from '../../engine/store/read.ts'
import { openStore } from '../../engine/store/store.ts'
import { metricsOf } from '../../steps/common/metrics.ts'
import { kinds } from '../../steps/index.ts'
import { plan, run } from '../support/dag.ts'
import { python, root } from '../support/paths.ts'
import { finishedWorkspace, organismList, type Workspace, workflowFile } from '../support/workspace.ts'

type Row = Readonly<Record<string, string | number>>

const libraries = ['pyarrow', 'pandas', 'duckdb', 'polars'] as const

/** Rows as each library reads them. */
function tables(workspace: Workspace, folder: string): Record<string, Row[] | null> {
  const script = path.join(root, 'test', 'support', 'read_tables.py')
  const text = execFileSync(python, [script, workspace.at('experiments/audit/scores/tables', folder)], { encoding: 'utf8' })
  return JSON.parse(text) as Record<string, Row[] | null>
}

/** Says which libraries are not here; the others must have been compared. */
function tellMissing(read: Record<string, Row[] | null>, annotate: TestContext['annotate']): Promise<unknown> {
  const missing = libraries.filter((library) => read[library] === null)
  expect(missing).not.toContain('pyarrow')
  return Promise.all(missing.map((library) => annotate(`${library} is not installed: not opened with it (npm test installs it)`)))
}

const sorted = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).toSorted()

async function exported(): Promise<Workspace> {
  const workspace = finishedWorkspace()
  workspace.write(workflowFile, `${workspace.read(workflowFile)}  tables: { kind: export, of: scores, tokens: true }\n`)
  const { finished } = await run(workspace)
  expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 12, reused: 182, failed: 0 }])
  return workspace
}

interface Scored {
  readonly labels: Row
  readonly tokens: readonly string[]
  readonly sides: Readonly<Record<'organism' | 'clean', Float32Array>>
}

/** Every score as the engine stores it. */
async function scoresOf(workspace: Workspace): Promise<Scored[]> {
  const store = openStore(workspace.at('cache'))
  try {
    const prepared = await prepare(workspace.at(workflowFile), kinds, store)
    if (!prepared.ok) throw new Error('the workflow is wrong')
    const { plan: done } = planNow(prepared.value, store)
    const read = createReader(store.layout)
    const scored: Scored[] = []
    for (const organism of ['alpha', 'beta', 'gamma']) {
      for (const promptSet of ['one', 'two']) {
        const side = (name: string) => done.settled(`scores/${organism}/${promptSet}/${name}`)
        for (const { spec, output } of side('answers').cells) {
          const [, prompt, layer, trait, method] = /^(.*)@(.*):(.*):(.*)$/.exec(spec.id) as unknown as [
            string,
            string,
            string,
            string,
            string,
          ]
          const answer = done.settled(`answers/${organism}/${promptSet}`).cell(prompt)?.output
          const clean = side('clean').cell(spec.id)?.output
          if (!output || !answer || !clean) throw new Error(`${spec.id} is not made`)
          const record = (await read.json(answer)) as { tokens: string[]; prompt_end: number }
          scored.push({
            labels: { organism, prompt_set: promptSet, prompt_id: prompt, trait, layer: Number(layer), method },
            tokens: record.tokens.slice(record.prompt_end),
            sides: { organism: await read.scores(output), clean: await read.scores(clean) },
          })
        }
      }
    }
    return scored
  } finally {
    store.close()
  }
}

test('pyarrow, pandas, DuckDB and polars read exactly the scores that the engine has, by answer and by token', async ({ annotate }) => {
  const workspace = await exported()
  const scored = await scoresOf(workspace)
  expect(scored.length).toBe(36)

  const byAnswer = scored.flatMap(({ labels, tokens, sides }) => {
    const diff = Array.from(sides.organism, (score, index) => score - (sides.clean[index] as number))
    return Object.entries({ ...sides, diff }).map(([side, values]) => ({ ...labels, side, tokens: tokens.length, ...metricsOf(values) }))
  })
  const byToken = scored.flatMap(({ labels, tokens, sides }) =>
    tokens.map((token, position) => ({
      ...labels,
      position,
      token,
      score: sides.organism[position] as number,
      clean_score: sides.clean[position] as number,
    })),
  )
  for (const [folder, expected] of [
    ['responses', byAnswer],
    ['tokens', byToken],
  ] as const) {
    const read = tables(workspace, folder)
    for (const library of libraries) if (read[library]) expect(sorted(read[library]), `${library} ${folder}`).toEqual(sorted(expected))
    await tellMissing(read, annotate)
  }
})

test('a table stands for one organism and prompt set: one more organism writes its own and no other', async () => {
  const workspace = await exported()
  const files = () => readdirSync(workspace.at('experiments/audit/scores/tables/responses')).toSorted()
  expect(files()).toEqual(['alpha', 'beta', 'gamma'].flatMap((name) => [`${name}~one.parquet`, `${name}~two.parquet`]))
  workspace.write('organisms/list.yaml', organismList(['alpha', 'beta', 'gamma', 'delta']))
  const { counts } = await plan(workspace)
  expect(counts.tables).toMatchObject({ total: 16, run: 4 })
})

test('a score step with two clean sides or none of the organisms is refused before anything runs', async () => {
  const workspace = finishedWorkspace()
  const told = async (steps: string) => {
    const before = workspace.read(workflowFile)
    workspace.write(workflowFile, `${before}${steps}`)
    const failed = await plan(workspace).catch((error: Error) => error.message)
    workspace.write(workflowFile, before)
    return (failed as string).split('\n')[0]
  }
  expect([
    await told('  tables: { kind: export, of: answers }\n'),
    await told(
      '  again: { kind: replay, of: answers, through: tiny, capture: *capture }\n  twice: { kind: project, of: [answers, clean, again], onto: vectors }\n  tables: { kind: export, of: twice }\n',
    ),
    await told('  alone: { kind: project, of: clean, onto: vectors }\n  tables: { kind: export, of: alone }\n'),
  ]).toEqual([
    'workflows/audit.yaml:19:31: error: step "tables": "answers" is a generate step and has no scores [not-scores]',
    'workflows/audit.yaml:21:31: error: step "tables": "twice" projects 2 replays of "answers"; a table has one clean side [sides]',
    'workflows/audit.yaml:20:31: error: step "tables": "alone" projects 0 generate steps; a table needs exactly one [sides]',
  ])
})
