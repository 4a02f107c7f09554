import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openSourceFiles } from '../../engine/sources/files.ts'
import { recallStanding, rememberStanding } from '../../engine/store/standing.ts'
import { openStore } from '../../engine/store/store.ts'

const answer = { tasks: 1, cells: 2, look: ['experiments/x/summary.md'], report: {}, prompts: {} }

function storeInFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = openStore(folder)
  onTestFinished(() => store.close())
  const remembered = (seen: ReadonlyMap<string, string | null>) => {
    rememberStanding(store.db, store.layout, 'w.yaml', 'build', seen, answer)
    return recallStanding(store.db, 'w.yaml', 'build', 8)
  }
  return { folder, layout: store.layout, remembered }
}

test('a run that could not remove its files from staging is not remembered: the next one has them to remove', () => {
  const { layout, remembered } = storeInFolder()
  const left = path.join(layout.staging, '20260101-000000-aaaa')
  mkdirSync(left)
  expect(remembered(new Map())).toBe(null)
  rmSync(left, { recursive: true })
  expect(remembered(new Map())).toEqual({ standing: answer, changed: [] })
})

test('what somebody edits between its reading and the end of the run is not what the answer stands on', async () => {
  const { folder, remembered } = storeInFolder()
  const [edited, added] = ['edited.json', 'added.json'].map((name) => path.join(folder, name)) as [string, string]
  writeFileSync(edited, '{}')
  await vi.waitFor(() => expect(Date.now() - statSync(edited).ctimeMs).toBeGreaterThan(60))
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  expect([files.json(edited), files.exists(added)]).toEqual([{ ok: true, value: {} }, false])
  expect(remembered(files.seen)).toEqual({ standing: answer, changed: [] })
  for (const file of [edited, added]) writeFileSync(file, '{ }')
  files.json(edited)
  expect(remembered(files.seen)).toEqual({ standing: answer, changed: [edited, added] })
})

test('a run that read a file which had only just changed is not remembered: a further change might not show', () => {
  const { folder, remembered } = storeInFolder()
  const file = path.join(folder, 'prompts.json')
  writeFileSync(file, '{}')
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  files.json(file)
  expect(remembered(files.seen)).toBe(null)
})
